//! After a restore from a backup: what was taken away since the backup must not be given again by a database that does not
//! know of it.
//!
//! A restore is noted by [`note`]: by the keeper of checkpoints, when the log is behind what was signed outside, or at the command
//! line. From then on nothing is given at any target, while removals and reads go on ([`domain::assignment::Closed`]). Every target is
//! scanned: what it holds and nobody here knows of is a finding, what it lacks is left as it is. Once all were compared whole, an
//! operator who has seen what was found lets them [`go_on`].

use domain::{
    TargetId,
    audit::{Actor, Event, EventKind},
    person::PortalRole,
};
use serde_json::{Value, json};
use store::restores::RestoredTargetRow;

use crate::{
    Error, Result, Workflow,
    access::Viewer,
    assignments::wake_target,
    chat::{self, Post},
    scans,
};

/// Notes that the database was restored. `proof` tells this restore from every other: noted twice, it is one. False if it was noted
/// before.
pub async fn note(workflow: &Workflow, proof: &str, why: &str, actor: Actor) -> Result<bool> {
    let mut unit = workflow.unit().await?;
    let now = unit.now;
    if !unit.tx.insert_restore(proof, why, now).await? {
        return Ok(false);
    }
    unit.tx.close_targets(now).await?;
    scans::ask_all(&mut unit).await?;
    unit.record(
        Event::new(EventKind::RestoreNoted, now, actor)
            .because("restore")
            .changing(Value::Null, json!({"why": why, "proof": proof})),
    );
    let post = Post {
        title: "The database was restored from a backup".into(),
        text: "Nothing is given at any target until all of them were scanned and an operator lets them go on. Access that ends is taken away as always.".into(),
        path: "/provisioning".into(),
    };
    chat::queue(&mut unit, &format!("restored:{proof}"), &post);
    unit.changed("provisioning");
    unit.commit().await?;
    Ok(true)
}

/// How far a target was compared since the restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Compared {
    /// It was scanned whole.
    Whole,
    /// Nobody can list it by a program: whoever runs it looks at it.
    ByHand,
    /// Its scan has not ended yet.
    Scanning,
    /// Its scan could not be done, or left rights alone.
    NotWhole,
    /// It is paused, so it is not scanned. It stays closed when the others go on, until it was scanned in its turn.
    Paused,
}

impl Compared {
    /// How far a target was compared.
    pub fn of(row: &RestoredTargetRow) -> Self {
        if !scans::KINDS.contains(&row.kind.as_str()) {
            return Self::ByHand;
        }
        let since = row.begun_at.filter(|at| *at >= row.restored_at);
        match (row.paused, since.and(row.ended_at)) {
            (true, _) => Self::Paused,
            (false, None) => Self::Scanning,
            (false, Some(_)) if row.problem.is_some() || row.uncompared > 0 => Self::NotWhole,
            (false, Some(_)) => Self::Whole,
        }
    }

    /// Whether the others may go on as far as it is concerned.
    pub const fn in_the_way(self) -> bool {
        matches!(self, Self::Scanning | Self::NotWhole)
    }

    /// Whether it goes on with the others.
    pub const fn goes_on(self) -> bool {
        matches!(self, Self::Whole | Self::ByHand)
    }
}

/// What scans found since a restore: what an operator must have seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Seen {
    /// Accounts that hold a right without a grant.
    pub given: i64,
    /// What is not there although a grant gives it.
    pub missing: i64,
}

impl Seen {
    /// Summed over targets.
    pub fn of(rows: &[RestoredTargetRow]) -> Self {
        Self {
            given: rows.iter().map(|row| row.given).sum(),
            missing: rows.iter().map(|row| row.missing).sum(),
        }
    }
}

/// Lets the targets be written again. For operators; `seen` is what the page showed.
///
/// # Errors
/// [`Error::Stale`] if a target was not compared whole, or another scan found something else meanwhile.
pub async fn go_on(workflow: &Workflow, viewer: &Viewer, seen: Seen) -> Result<()> {
    viewer.must_have(&[PortalRole::Operator])?;
    let mut unit = workflow.unit().await?;
    let now = unit.now;
    let rows = unit.tx.restored_targets().await?;
    let open: Vec<TargetId> = rows
        .iter()
        .filter(|row| Compared::of(row).goes_on())
        .map(|row| row.id)
        .collect();
    let in_the_way = rows.iter().any(|row| Compared::of(row).in_the_way());
    if in_the_way || open.is_empty() || Seen::of(&rows) != seen {
        return Err(Error::Stale);
    }
    let mut event = Event::new(
        EventKind::RestoreReconciled,
        now,
        Actor::Person(viewer.id()),
    )
    .because("restore");
    for id in &open {
        unit.tx.open_target(*id).await?;
        event = event.about(*id);
    }
    unit.tx.end_restores(viewer.id(), now).await?;
    let found: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({"target": row.id.to_string(), "compared": Compared::of(row), "given": row.given, "missing": row.missing, "waiting": row.waiting})
        })
        .collect();
    unit.record(event.changing(Value::Null, json!({"found": found})));
    unit.changed("provisioning");
    unit.commit().await?;
    for id in open {
        wake_target(workflow, id).await?;
    }
    Ok(())
}
