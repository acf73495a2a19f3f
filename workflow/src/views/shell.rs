//! What stands around every page: who is signed in, where they may go, what waits for them.

use domain::{Timestamp, person::PortalRole};
use serde::Serialize;

use super::{Capped, PersonTag};
use crate::{Result, Workflow, access::Viewer};

/// The frame of a page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shell {
    /// Now, for relative times.
    pub now: Timestamp,
    /// The viewer.
    pub me: PersonTag,
    /// The portal roles that count.
    pub roles: Vec<PortalRole>,
    /// Lines that the viewer asked for, or that are for them, and wait.
    pub requests: Capped,
    /// Decisions that wait for the viewer.
    pub decisions: Capped,
    /// Whether somebody reports to the viewer: My team is shown.
    pub has_team: bool,
    /// Whether the viewer owns a package: My packages is shown.
    pub owns: bool,
    /// Assignments that need a person; for those who may look at the provisioner.
    pub attention: Option<Capped>,
    /// Mass changes that wait for a human; for those who may decide them.
    pub holds: Option<i64>,
    /// Catalogue versions that wait for a second person; for those who may confirm them.
    pub versions: Option<i64>,
}

impl Shell {
    /// Whether a portal role counts.
    pub fn has(&self, role: PortalRole) -> bool {
        self.roles.contains(&role)
    }
}

/// Reads the frame: one statement.
pub async fn load(workflow: &Workflow, viewer: &Viewer) -> Result<Shell> {
    let _ = (workflow, viewer);
    Err(super::common::soon())
}
