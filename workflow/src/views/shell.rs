//! What stands around every page: who is signed in, where they may go, what waits for them.

use domain::{Timestamp, person::PortalRole};
use serde::Serialize;

use super::{Capped, PersonTag};
use crate::{Result, Workflow, access::Viewer};

/// Where the counts stop.
pub(super) const CAP: i64 = 99;

/// The frame of a page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shell {
    /// Now, for relative times.
    pub now: Timestamp,
    /// The viewer.
    pub me: PersonTag,
    /// What they do: their title, else their department, else what they sign in with.
    pub title: String,
    /// The portal roles that count.
    pub roles: Vec<PortalRole>,
    /// Lines that the viewer asked for, or that are for them, and wait.
    pub requests: Capped,
    /// Lines of the viewer's cart.
    pub cart: i64,
    /// Decisions that wait for the viewer.
    pub decisions: Capped,
    /// Items that wait for the viewer's review.
    pub reviews: Capped,
    /// Whether somebody reports to the viewer: My team is shown.
    pub has_team: bool,
    /// Whether the viewer owns a package: My packages is shown.
    pub owns: bool,
    /// What waits for the viewer to be done by hand.
    pub tasks: Capped,
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

/// Reads the frame: one statement, and a second for somebody of whom the directory says next to nothing.
pub async fn load(workflow: &Workflow, viewer: &Viewer) -> Result<Shell> {
    let attention = viewer.must_have(super::provisioning::READERS).is_ok();
    let holds = viewer.must_have(super::holds::DECIDERS).is_ok();
    let versions = viewer.must_have(super::versions::DECIDERS).is_ok();
    let mut tx = workflow.store().read().await?;
    let row = tx
        .shell(viewer.id(), CAP + 1, attention, holds, versions)
        .await?;
    let person = &viewer.person;
    let said = [&person.job_title, &person.department]
        .into_iter()
        .find(|text| !text.is_empty());
    let title = match said {
        Some(said) => said.clone(),
        None => tx
            .account(viewer.account)
            .await?
            .map(|account| account.user_name)
            .unwrap_or_default(),
    };
    Ok(Shell {
        now: workflow.clock().now(),
        me: PersonTag::new(viewer.id(), viewer.person.name.clone()),
        title,
        roles: viewer.roles.clone(),
        requests: Capped::of(row.requests, CAP),
        cart: row.cart,
        decisions: Capped::of(row.decisions, CAP),
        reviews: Capped::of(row.reviews, CAP),
        has_team: row.has_team,
        owns: row.owns,
        tasks: Capped::of(row.tasks, CAP),
        attention: row.attention.map(|count| Capped::of(count, CAP)),
        holds: row.holds,
        versions: row.versions,
    })
}
