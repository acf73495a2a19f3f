//! What operators do: try again, hold a target, let it go on; and the sweep that finds what was forgotten.

use chrono::Duration;
use domain::{
    AssignmentId, TargetId, Timestamp,
    assignment::Phase,
    audit::{Actor, Event, EventKind},
    person::PortalRole,
};
use serde_json::json;
use store::assignments::{AssignmentRow, TargetRow};
use uuid::Uuid;

use super::{
    about, job,
    report::{Problem, misconfigured},
};
use crate::{Error, Result, Unit, Workflow, access::Viewer, findings, scans};

/// The kind of the target that is this database.
const PORTAL: &str = "portal";

/// How many assignments one transaction wakes.
const PAGE: i64 = 500;

/// A wrong set-up closes a target for so long.
const LONGEST_OF_OURS: Duration = Duration::minutes(5);

/// Tries an unsettled assignment again at once, from the beginning. One that nothing has gone wrong with is under way
/// already: asking again changes nothing. A target's wish for patience holds; only a set-up that was wrong, and that the
/// operator may have mended just now, is not waited for.
pub async fn retry(workflow: &Workflow, viewer: &Viewer, id: AssignmentId) -> Result<()> {
    viewer.must_have(&[PortalRole::Operator])?;
    let mut unit = workflow.unit().await?;
    let Some(mut row) = unit.tx.lock_assignments(&[id]).await?.pop() else {
        return Err(Error::Missing);
    };
    if row.phase == Phase::Settled {
        return Err(Error::Stale);
    }
    let pair = (row.account_id, row.entitlement_id);
    let facts = unit.tx.pairs(&[pair]).await?;
    if facts.iter().any(|fact| fact.portal_role.is_some()) {
        drop(unit);
        return retry_power(workflow, viewer, row).await;
    }
    if row.phase != Phase::Attention && row.attempts == 0 && row.problem.is_none() {
        return Ok(());
    }
    let due = from_when(&mut unit, &row).await?;
    if row.phase == Phase::Attention && row.next_at.is_none() {
        // It had vanished and is put back: the finding about that no longer stands.
        findings::scan_person(&mut unit, row.person_id);
    }
    let (before, attempts) = (row.phase, row.attempts);
    if row.phase == Phase::Attention {
        row.phase = Phase::Due;
    }
    row.attempts = 0;
    row.problem = None;
    row.settle_reads = 0;
    row.next_at = Some(due);
    row.updated_at = unit.now;
    unit.record(
        about(
            Event::new(
                EventKind::AssignmentRetried,
                unit.now,
                Actor::Person(viewer.id()),
            ),
            &row,
        )
        .changing(
            json!({"phase": before, "attempts": attempts}),
            json!({"phase": row.phase}),
        ),
    );
    unit.changed(row.person_id);
    unit.changed("provisioning");
    unit.tx.save_assignments(std::slice::from_ref(&row)).await?;
    unit.enqueue(&[job(&row, due)]);
    unit.commit().await
}

/// Looks at once whether a portal role may be given by now. Begins anew, for the holder is locked before the assignment.
async fn retry_power(workflow: &Workflow, viewer: &Viewer, row: AssignmentRow) -> Result<()> {
    let mut unit = workflow.unit().await?;
    unit.tx.lock_persons(&[row.person_id]).await?;
    unit.record(
        about(
            Event::new(
                EventKind::AssignmentRetried,
                unit.now,
                Actor::Person(viewer.id()),
            ),
            &row,
        )
        .changing(
            json!({"phase": row.phase, "attempts": row.attempts}),
            json!({"phase": Phase::Due}),
        ),
    );
    let pair = (row.account_id, row.entitlement_id);
    super::recompute(&mut unit, &[pair], "tried again").await?;
    unit.commit().await
}

/// From when on the target may be called about this row. Lifts what keeps calls from it if that is the wrong set-up that
/// the row complains of: there is nothing to wait for but the operator.
async fn from_when(unit: &mut Unit, row: &AssignmentRow) -> Result<Timestamp> {
    let now = unit.now;
    let Some(target) = unit.tx.target(row.target_id).await? else {
        return Ok(now);
    };
    let Some(closed) = target.not_before.filter(|at| *at > now) else {
        return Ok(now);
    };
    let complaint = row.problem.as_deref().and_then(Problem::read);
    let own = complaint
        .is_some_and(|problem| target.problem == Some(misconfigured(&problem.what, &problem.fix)));
    // Further ahead than a wrong set-up ever closes a target lies only what the target itself asked for.
    if !own || closed > now + LONGEST_OF_OURS {
        return Ok(closed);
    }
    unit.tx.lift_target(row.target_id).await?;
    Ok(now)
}

/// Holds a target: nothing is sent to it, ends of access included, until an operator lets it go on.
pub async fn pause_target(
    workflow: &Workflow,
    viewer: &Viewer,
    id: TargetId,
    why: &str,
) -> Result<()> {
    set_paused(workflow, viewer, id, true, why).await
}

/// Lets a held target go on; whatever waits for it is due at once.
pub async fn resume_target(workflow: &Workflow, viewer: &Viewer, id: TargetId) -> Result<()> {
    set_paused(workflow, viewer, id, false, "").await?;
    let mut unit = workflow.unit().await?;
    if let Some(target) = unit.tx.target(id).await? {
        scans::arm_one(&mut unit, &target).await?;
    }
    unit.commit().await?;
    wake_target(workflow, id).await
}

/// Has everything that waits for a target looked at at once: it takes changes again.
pub(crate) async fn wake_target(workflow: &Workflow, id: TargetId) -> Result<()> {
    let mut after = AssignmentId(Uuid::nil());
    loop {
        let mut unit = workflow.unit().await?;
        let rows = unit.tx.unsettled_of_target(id, after, PAGE).await?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        after = last.id;
        wake(&mut unit, &rows);
        unit.commit().await?;
    }
}

async fn set_paused(
    workflow: &Workflow,
    viewer: &Viewer,
    id: TargetId,
    paused: bool,
    why: &str,
) -> Result<()> {
    viewer.must_have(&[PortalRole::Operator])?;
    let mut unit = workflow.unit().await?;
    // The portal's own powers are written here, so there is nothing to hold.
    let reached = |target: &TargetRow| target.kind != PORTAL;
    if !unit.tx.target(id).await?.as_ref().is_some_and(reached) {
        return Err(Error::Missing);
    }
    if !unit.tx.set_target_paused(id, paused).await? {
        return Err(Error::Stale);
    }
    unit.record(
        Event::new(
            EventKind::TargetChanged,
            unit.now,
            Actor::Person(viewer.id()),
        )
        .about(id)
        .changing(
            json!({"paused": !paused}),
            json!({"paused": paused, "why": why}),
        ),
    );
    unit.changed("provisioning");
    unit.commit().await
}

/// Enqueues every unsettled assignment that no job works on. Gives how many there were.
pub async fn sweep(workflow: &Workflow) -> Result<usize> {
    let (mut found, mut after) = (0, AssignmentId(Uuid::nil()));
    loop {
        let mut unit = workflow.unit().await?;
        let rows = unit.tx.unsettled_without_job(after, PAGE).await?;
        let Some(last) = rows.last() else {
            return Ok(found);
        };
        after = last.id;
        found += rows.len();
        wake(&mut unit, &rows);
        unit.commit().await?;
    }
}

fn wake(unit: &mut Unit, rows: &[AssignmentRow]) {
    let now = unit.now;
    let jobs: Vec<_> = rows.iter().map(|row| job(row, now)).collect();
    unit.enqueue(&jobs);
}
