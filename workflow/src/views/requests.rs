//! My requests.

use domain::{
    GrantId, LineId, RequestId, Timestamp,
    request::{LineKind, Window},
};
use serde::Serialize;

use super::{Cursor, PackageTag, PersonTag, Standing};
use crate::{Result, Workflow, access::Viewer};

/// A page of requests, newest first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Requests {
    /// Now, for relative times.
    pub now: Timestamp,
    /// The lines.
    pub items: Vec<RequestItem>,
    /// Where the next page begins.
    pub next: Option<Cursor>,
}

/// One line in a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RequestItem {
    /// The request.
    pub request: RequestId,
    /// The line.
    pub line: LineId,
    /// The short number (`AR-1042`).
    pub number: i64,
    /// Something new or more time.
    pub kind: LineKind,
    /// What is asked for.
    pub package: PackageTag,
    /// Who asked.
    pub asker: PersonTag,
    /// For whom.
    pub beneficiary: PersonTag,
    /// Start and length, as asked.
    pub window: Window,
    /// The business reason.
    pub reason: String,
    /// When it was asked.
    pub submitted_at: Timestamp,
    /// Where it stands.
    pub standing: Standing,
    /// The grant that it led to.
    pub grant: Option<GrantId>,
}

/// Reads a page of what the viewer asked for, or what others asked for them; 30 lines long.
pub async fn load(
    workflow: &Workflow,
    viewer: &Viewer,
    only_waiting: bool,
    after: Option<&Cursor>,
) -> Result<Requests> {
    let _ = (workflow, viewer, only_waiting, after);
    Err(super::common::soon())
}
