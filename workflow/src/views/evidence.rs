//! Evidence: who held what of an application on a date, and every change in a period, counted.

use domain::{
    ApplicationId, GrantId, PersonId, RequestId, Timestamp,
    assignment::{Observed, Origin},
    grant::{End, EndReason, GrantSource},
};
use serde::Serialize;

use super::{AppTag, ChangeKind, Cursor, Name};
use crate::{Result, Workflow, access::Viewer};

/// What may be asked for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evidence {
    /// Now.
    pub now: Timestamp,
    /// The applications, by name.
    pub applications: Vec<AppTag>,
}

/// Who held what of an application at an instant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Population {
    /// The application.
    pub application: AppTag,
    /// The instant.
    pub at: Timestamp,
    /// When this was read.
    pub read_at: Timestamp,
    /// How it was worked out, in words, complete enough to be repeated.
    pub query: String,
    /// The holdings, by name, one for each grant and right.
    pub rows: Vec<Holding>,
    /// Where the next page begins; the counts are always of all.
    pub next: Option<Cursor>,
    /// How many holdings there are.
    pub count: i64,
    /// How many different people.
    pub people: i64,
    /// How the holdings agree with what the targets say.
    pub reconciled: Reconciled,
    /// The log's last entry when this was read: position and hash (hex).
    pub head: (i64, String),
}

/// One right that somebody held through one grant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Holding {
    /// Who.
    pub person: PersonId,
    /// Their name, as it is now.
    pub name: String,
    /// Their department, as it is now.
    pub department: String,
    /// The sign-in name of the account; a label.
    pub account: String,
    /// The package's name; none for what was found at the target.
    pub package: Option<String>,
    /// The right's name.
    pub entitlement: String,
    /// The target's name.
    pub target: String,
    /// The grant.
    pub grant: GrantId,
    /// Where it comes from.
    pub source: GrantSource,
    /// Begins.
    pub from: Timestamp,
    /// Ends, as planned.
    pub end: End,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why.
    pub end_reason: Option<EndReason>,
    /// When every target first confirmed it.
    pub ready_at: Option<Timestamp>,
    /// When every target had confirmed that it is gone.
    pub gone_at: Option<Timestamp>,
    /// The request behind it, with its short number.
    pub request: Option<(RequestId, i64)>,
    /// Who approved, by name, in order.
    pub approvers: Vec<String>,
    /// What the target says of it now, and when it said so.
    pub observed: Observed,
    /// When it said so.
    pub observed_at: Option<Timestamp>,
    /// Whose the right at the target is.
    pub origin: Option<Origin>,
}

/// How the record agrees with the targets, for the rights of the application as they are now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize)]
pub struct Reconciled {
    /// Rights that should be there.
    pub desired: i64,
    /// Of those, confirmed as there.
    pub present: i64,
    /// Of those, not there or not known.
    pub missing: i64,
    /// Rights that should not be there, but are.
    pub surplus: i64,
    /// The oldest reading among them.
    pub oldest_read: Option<Timestamp>,
    /// The newest.
    pub newest_read: Option<Timestamp>,
}

/// Every change of an application in a period.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Changes {
    /// The application; none for all.
    pub application: Option<AppTag>,
    /// From, inclusive.
    pub from: Timestamp,
    /// Until, exclusive.
    pub until: Timestamp,
    /// When this was read.
    pub read_at: Timestamp,
    /// How it was worked out, in words, complete enough to be repeated.
    pub query: String,
    /// How many of each kind, all kinds listed.
    pub counts: Vec<(ChangeKind, i64)>,
    /// The changes, newest first.
    pub rows: Vec<Change>,
    /// Where the next page begins; the counts are always of all.
    pub next: Option<Cursor>,
    /// The log's last entry when this was read: position and hash (hex).
    pub head: (i64, String),
}

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// What.
    pub kind: ChangeKind,
    /// When.
    pub at: Timestamp,
    /// Whose access.
    pub person: Name,
    /// The package's name; none for what was found at the target.
    pub package: Option<String>,
    /// The grant or the line, printed.
    pub subject: String,
    /// Why it ended.
    pub reason: Option<EndReason>,
    /// Who did it, if a person: who ended or denied it.
    pub by: Option<Name>,
    /// The request behind it, with its short number.
    pub request: Option<(RequestId, i64)>,
    /// When the targets had confirmed it.
    pub confirmed_at: Option<Timestamp>,
}

/// What may be asked for. For auditors and security.
pub async fn load(workflow: &Workflow, viewer: &Viewer) -> Result<Evidence> {
    let _ = (workflow, viewer);
    Err(super::common::soon())
}

/// Who held what of an application at `at`, `limit` rows long (at most 1,000; an export asks page by page). For auditors
/// and security.
pub async fn population(
    workflow: &Workflow,
    viewer: &Viewer,
    application: ApplicationId,
    at: Timestamp,
    after: Option<&Cursor>,
    limit: i64,
) -> Result<Population> {
    let _ = (workflow, viewer, application, at, after, limit);
    Err(super::common::soon())
}

/// Every change in `[from, until)`, counted by kind, `limit` rows long (at most 1,000; an export asks page by page). For
/// auditors and security.
pub async fn changes(
    workflow: &Workflow,
    viewer: &Viewer,
    application: Option<ApplicationId>,
    from: Timestamp,
    until: Timestamp,
    after: Option<&Cursor>,
    limit: i64,
) -> Result<Changes> {
    let _ = (workflow, viewer, application, from, until, after, limit);
    Err(super::common::soon())
}
