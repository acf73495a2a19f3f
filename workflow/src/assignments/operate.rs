//! What operators do: try again, hold a target, let it go on; and the sweep that finds what was forgotten.

use domain::{
    AssignmentId, TargetId,
    assignment::Phase,
    audit::{Actor, Event, EventKind},
    person::PortalRole,
};
use serde_json::json;
use uuid::Uuid;

use super::{about, job};
use crate::{Error, Result, Unit, Workflow, access::Viewer};

/// How many assignments one transaction wakes.
const PAGE: i64 = 500;

/// Tries an unsettled assignment again at once, from the beginning, also if its target asked for patience.
pub async fn retry(workflow: &Workflow, viewer: &Viewer, id: AssignmentId) -> Result<()> {
    viewer.must_have(&[PortalRole::Operator])?;
    let mut unit = workflow.unit().await?;
    let Some(mut row) = unit.tx.lock_assignments(&[id]).await?.pop() else {
        return Err(Error::Missing);
    };
    if row.phase == Phase::Settled {
        return Err(Error::Stale);
    }
    let (before, attempts) = (row.phase, row.attempts);
    if row.phase == Phase::Attention {
        row.phase = Phase::Due;
    }
    row.attempts = 0;
    row.problem = None;
    row.settle_reads = 0;
    row.next_at = Some(unit.now);
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
    unit.tx.lift_target(row.target_id).await?;
    let now = unit.now;
    unit.enqueue(&[job(&row, now)]);
    unit.commit().await
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
    if unit.tx.target(id).await?.is_none() {
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

fn wake(unit: &mut Unit, rows: &[store::assignments::AssignmentRow]) {
    let now = unit.now;
    let jobs: Vec<_> = rows.iter().map(|row| job(row, now)).collect();
    unit.enqueue(&jobs);
}
