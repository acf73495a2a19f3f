//! My access: what I hold, why, since, until, and how it stands at the targets.

use domain::Timestamp;
use serde::Serialize;

use super::HeldGrant;
use crate::{Result, Workflow, access::Viewer};

/// What somebody holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Access {
    /// Now, for relative times and life bars.
    pub now: Timestamp,
    /// What is held or begins later, soonest end first, those without an end last; at most 500.
    pub held: Vec<HeldGrant>,
    /// What was found at the targets and not approved here.
    pub found: Vec<HeldGrant>,
    /// What ended within the last 30 days, latest first, at most 100.
    pub ended: Vec<HeldGrant>,
    /// The last working day, which ends everything.
    pub last_day_at: Option<Timestamp>,
}

/// Reads what the viewer holds.
pub async fn load(workflow: &Workflow, viewer: &Viewer) -> Result<Access> {
    let _ = (workflow, viewer);
    Err(super::common::soon())
}
