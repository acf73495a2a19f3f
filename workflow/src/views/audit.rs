//! The audit log: search, filter, page, one entry whole.

use domain::{PersonId, Timestamp, audit::EventKind};
use serde::Serialize;

use super::Entry;
use crate::{Result, Workflow, access::Viewer};

/// What somebody looks for. All given conditions hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// About this: a printed id, or a request's short number (`AR-1042`).
    pub subject: Option<String>,
    /// Only this kind.
    pub kind: Option<EventKind>,
    /// Only by this person.
    pub actor: Option<PersonId>,
    /// Only at or after.
    pub from: Option<Timestamp>,
    /// Only before.
    pub until: Option<Timestamp>,
    /// Only entries with a smaller number: where the last page ended.
    pub before: Option<i64>,
}

/// A page of the log, newest first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuditPage {
    /// Now, for relative times.
    pub now: Timestamp,
    /// The entries.
    pub entries: Vec<Entry>,
    /// The `before` of the next (older) page.
    pub next: Option<i64>,
    /// The position of the log's last entry: how long the log is.
    pub length: i64,
    /// The last entry's hash, hex.
    pub head: String,
    /// Every kind, for the filter.
    pub kinds: Vec<EventKind>,
}

/// One entry whole.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EntryPage {
    /// Now, for relative times.
    pub now: Timestamp,
    /// The entry.
    pub entry: Entry,
    /// The canonical text that is hashed.
    pub canonical: String,
    /// The hash of the entry before it, hex; zeros before the first.
    pub previous_hash: String,
    /// Whether the hash of this entry follows from both.
    pub whole: bool,
    /// The older neighbour.
    pub older: Option<i64>,
    /// The newer neighbour.
    pub newer: Option<i64>,
}

/// Reads a page of the log, 50 entries long. For auditors, security and administrators.
pub async fn load(workflow: &Workflow, viewer: &Viewer, filter: &Filter) -> Result<AuditPage> {
    let _ = (workflow, viewer, filter);
    Err(super::common::soon())
}

/// Reads one entry. For auditors, security and administrators.
pub async fn entry(workflow: &Workflow, viewer: &Viewer, seq: i64) -> Result<EntryPage> {
    let _ = (workflow, viewer, seq);
    Err(super::common::soon())
}
