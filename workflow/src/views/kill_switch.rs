//! The kill switch for a person: what it would stop, in numbers, and how far it is once it was used.

use domain::{
    PersonId, Timestamp,
    person::{PersonState, PortalRole},
};
use serde::Serialize;

use super::PersonTag;
use crate::{Error, Result, Workflow, access::Viewer, kill_switch};

/// The page before, and while it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Switch {
    /// Now, for relative times.
    pub now: Timestamp,
    /// Whom it is about.
    pub person: PersonTag,
    /// What they do, for not mixing two people up.
    pub job_title: String,
    /// Department.
    pub department: String,
    /// Whether that is the viewer, who then may not.
    pub me: bool,
    /// Whether they have left already.
    pub left: bool,
    /// What they have to do with now.
    pub reach: Reach,
    /// Whether stopping them wants a fresh sign-in.
    pub fresh: bool,
    /// Who stopped them, if somebody did.
    pub stopped: Option<Stopped>,
}

/// What a person has to do with, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reach {
    /// Grants that are not over.
    pub grants: i64,
    /// Rights that should be at a target now.
    pub rights: i64,
    /// Targets that these lie at.
    pub targets: i64,
    /// Sessions that hold now.
    pub sessions: i64,
    /// Requests by or for them that wait.
    pub waiting: i64,
    /// Decisions in which they are seated.
    pub seats: i64,
}

/// A stopped person, and how far the removals are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stopped {
    /// Since when.
    pub at: Timestamp,
    /// By whom.
    pub by: PersonTag,
    /// What they wrote.
    pub note: String,
    /// Rights to be removed.
    pub wanted: i64,
    /// Of those, removed at the target.
    pub removed: i64,
    /// Of those, read back as gone.
    pub gone: i64,
    /// Of those, stuck.
    pub stuck: i64,
}

/// Reads the page. For security.
pub async fn load(workflow: &Workflow, viewer: &Viewer, id: PersonId) -> Result<Switch> {
    viewer.must_have(&[PortalRole::Security])?;
    let mut tx = workflow.store().read().await?;
    let row = tx.person(id).await?.ok_or(Error::Missing)?;
    let reach = tx.reach_of(id).await?;
    // Sessions follow the system's clock, whatever the trial's says.
    let sessions = tx
        .count_sessions_of(id, workflow.clock().system_now())
        .await?;
    let stopped = stopped(&mut tx, id).await?;
    Ok(Switch {
        now: workflow.clock().now(),
        person: PersonTag::new(row.id, row.name),
        job_title: row.job_title,
        department: row.department,
        me: id == viewer.id(),
        left: row.state == PersonState::Left,
        reach: Reach {
            grants: reach.grants,
            rights: reach.rights,
            targets: reach.targets,
            sessions,
            waiting: reach.waiting,
            seats: reach.seats,
        },
        fresh: kill_switch::wants_fresh(&mut tx, id, workflow.clock().now()).await?,
        stopped,
    })
}

/// Who stopped somebody, if they are stopped.
pub(super) async fn stopped(tx: &mut store::Tx, id: PersonId) -> Result<Option<Stopped>> {
    let Some(held) = tx.held_back(id).await? else {
        return Ok(None);
    };
    let removals = tx.removals_of(id, held.at).await?;
    Ok(Some(Stopped {
        at: held.at,
        by: PersonTag::new(held.by, held.by_name),
        note: held.note,
        wanted: removals.wanted,
        removed: removals.removed,
        gone: removals.gone,
        stuck: removals.stuck,
    }))
}
