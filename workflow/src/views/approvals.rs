//! The queue of decisions.

use domain::{
    LineId, RequestId, StageId, Timestamp,
    approval::Via,
    policy::ApproverRule,
    request::{LineKind, Window},
};
use serde::Serialize;

use super::{Capped, Cursor, PackageTag, PersonTag};
use crate::{Result, Workflow, access::Viewer};

/// A page of the queue, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Queue {
    /// Now, for relative times.
    pub now: Timestamp,
    /// What waits.
    pub items: Vec<QueueItem>,
    /// Where the next page begins.
    pub next: Option<Cursor>,
    /// How many wait in all.
    pub waiting: Capped,
}

/// One decision that waits for the viewer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueueItem {
    /// The stage: its page is `/approvals/{stage}`.
    pub stage: StageId,
    /// The line.
    pub line: LineId,
    /// The request.
    pub request: RequestId,
    /// The short number (`AR-1042`).
    pub number: i64,
    /// Something new or more time.
    pub kind: LineKind,
    /// Who asked.
    pub asker: PersonTag,
    /// For whom.
    pub beneficiary: PersonTag,
    /// What is asked for.
    pub package: PackageTag,
    /// Start and length, as asked.
    pub window: Window,
    /// The business reason.
    pub reason: String,
    /// Waits for the viewer since.
    pub since: Timestamp,
    /// When it lapses.
    pub lapse_at: Timestamp,
    /// The stage's rule.
    pub rule: ApproverRule,
    /// By which rule the viewer is seated.
    pub via: Via,
}

/// Reads a page of the queue, 30 decisions long.
pub async fn load(workflow: &Workflow, viewer: &Viewer, after: Option<&Cursor>) -> Result<Queue> {
    let _ = (workflow, viewer, after);
    Err(super::common::soon())
}
