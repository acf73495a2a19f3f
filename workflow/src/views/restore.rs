//! After a restore from a backup: why nothing is given, how far each target was compared, and what scans found there.

use domain::{TargetId, Timestamp, assignment::Closed, person::PortalRole};
use serde::Serialize;
use store::{Tx, restores::RestoredTargetRow};

use super::provisioning::READERS;
use crate::{
    Result,
    access::Viewer,
    restores::{Compared, Seen},
};

/// What is to be looked at before targets are written again.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Restore {
    /// What told of the restore.
    pub why: String,
    /// When it was noted.
    pub noted_at: Option<Timestamp>,
    /// The targets at which nothing is given.
    pub targets: Vec<RestoredTarget>,
    /// What scans found there, to be handed in with the word to go on.
    pub seen: Seen,
    /// Whether the viewer may let them go on now: an operator, once all were compared.
    pub may_go_on: bool,
}

/// One target since a restore.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RestoredTarget {
    /// Which.
    pub id: TargetId,
    /// Its name.
    pub name: String,
    /// How far it was compared.
    pub compared: Compared,
    /// Rights that are still to be compared there.
    pub uncompared: i64,
    /// Accounts that hold a right there and nobody here knows why.
    pub given: i64,
    /// What is missing there although a grant gives it.
    pub missing: i64,
    /// What will be given there once it goes on.
    pub waiting: i64,
}

/// Reads it; none while no target waits.
pub(super) async fn load(tx: &mut Tx, viewer: &Viewer) -> Result<Option<Restore>> {
    let rows = tx.restored_targets().await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let newest = tx.newest_restore().await?;
    let compared: Vec<Compared> = rows.iter().map(Compared::of).collect();
    let ready =
        compared.iter().any(|one| one.goes_on()) && !compared.iter().any(|one| one.in_the_way());
    Ok(Some(Restore {
        noted_at: newest.as_ref().map(|row| row.noted_at),
        why: newest.map(|row| row.why).unwrap_or_default(),
        seen: Seen::of(&rows),
        may_go_on: ready && viewer.has(PortalRole::Operator),
        targets: rows.into_iter().map(RestoredTarget::from).collect(),
    }))
}

/// Whether nothing is given at a target since a restore, for those who look after the provisioner.
pub(super) async fn waits(tx: &mut Tx, viewer: &Viewer) -> Result<bool> {
    if viewer.must_have(READERS).is_err() {
        return Ok(false);
    }
    let closed = tx.closed_targets().await?;
    Ok(closed.iter().any(|row| row.closed == Closed::Restored))
}

impl From<RestoredTargetRow> for RestoredTarget {
    fn from(row: RestoredTargetRow) -> Self {
        Self {
            compared: Compared::of(&row),
            id: row.id,
            name: row.name,
            uncompared: row.uncompared,
            given: row.given,
            missing: row.missing,
            waiting: row.waiting,
        }
    }
}
