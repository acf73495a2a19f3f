//! The provisioner: what is under way, what needs attention and why, how each target fares.

use domain::{
    AssignmentId, EntitlementId, TargetId, Timestamp,
    assignment::{Observed, Phase},
};
use serde::Serialize;

use super::{Capped, Cursor, PersonTag, request::OperationView};
use crate::{Result, Workflow, access::Viewer};

/// The provisioner's page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Provisioning {
    /// Now, for relative times.
    pub now: Timestamp,
    /// The targets with their health.
    pub targets: Vec<TargetView>,
    /// What needs attention, longest first.
    pub attention: Vec<Unsettled>,
    /// Where the next page of it begins.
    pub next: Option<Cursor>,
    /// What is under way and needs nobody, longest first, at most ten.
    pub under_way: Vec<Unsettled>,
    /// The newest calls at targets, at most 20.
    pub recent: Vec<Recent>,
    /// Whether the viewer may retry, pause and resume: operators.
    pub may_act: bool,
    /// What to listen to for changes.
    pub topics: Vec<String>,
}

/// A target and how it fares.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TargetView {
    /// Which.
    pub id: TargetId,
    /// Its name.
    pub name: String,
    /// `graph`.
    pub kind: String,
    /// Whether a person paused it.
    pub paused: bool,
    /// Not to be called before, as it asked itself.
    pub not_before: Option<Timestamp>,
    /// What is wrong now, in words.
    pub problem: Option<String>,
    /// Since when.
    pub problem_at: Option<Timestamp>,
    /// When a call last succeeded.
    pub succeeded_at: Option<Timestamp>,
    /// Changes that wait to be sent.
    pub due: Capped,
    /// Changes that were sent and wait to be confirmed.
    pub settling: Capped,
    /// Changes that need a person.
    pub attention: Capped,
    /// How long the oldest unsettled change has waited, since this instant.
    pub oldest: Option<Timestamp>,
}

/// An assignment whose desired and observed states may differ.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unsettled {
    /// Which.
    pub id: AssignmentId,
    /// Whose.
    pub person: PersonTag,
    /// The sign-in name of the account; a label.
    pub account: String,
    /// The right.
    pub entitlement: EntitlementId,
    /// Its name at the target.
    pub entitlement_name: String,
    /// Whether it is privileged.
    pub privileged: bool,
    /// The target.
    pub target: TargetId,
    /// Its name.
    pub target_name: String,
    /// Whether it should be there.
    pub desired: bool,
    /// Since when.
    pub since: Timestamp,
    /// What the target last told us.
    pub observed: Observed,
    /// When it told us.
    pub observed_at: Option<Timestamp>,
    /// Where converging stands.
    pub phase: Phase,
    /// Failures in a row.
    pub attempts: i64,
    /// What is wrong, in words.
    pub problem: Option<String>,
    /// When it is tried again.
    pub next_at: Option<Timestamp>,
    /// The target's own id of the last failed call, to quote to its support.
    pub request_id: Option<String>,
    /// What the target said to it.
    pub said: Option<String>,
}

/// One call at a target, for the list of the newest.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recent {
    /// The call.
    pub operation: OperationView,
    /// The assignment.
    pub assignment: AssignmentId,
    /// Whose.
    pub person: PersonTag,
    /// The right's name.
    pub entitlement_name: String,
    /// The target's name.
    pub target_name: String,
}

/// One assignment whole: what should be, what is, every call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AssignmentPage {
    /// Now, for relative times.
    pub now: Timestamp,
    /// The assignment.
    pub assignment: Unsettled,
    /// The calls, newest first, at most 100.
    pub operations: Vec<OperationView>,
    /// The grants that want it or wanted it, newest first, at most 20.
    pub grants: Vec<super::HeldGrant>,
    /// Whether the viewer may retry.
    pub may_act: bool,
}

/// Reads the provisioner's page. For operators, administrators, security and auditors.
pub async fn load(
    workflow: &Workflow,
    viewer: &Viewer,
    after: Option<&Cursor>,
) -> Result<Provisioning> {
    let _ = (workflow, viewer, after);
    Err(super::common::soon())
}

/// Reads one assignment. For operators, administrators, security and auditors.
pub async fn assignment(
    workflow: &Workflow,
    viewer: &Viewer,
    id: AssignmentId,
) -> Result<AssignmentPage> {
    let _ = (workflow, viewer, id);
    Err(super::common::soon())
}
