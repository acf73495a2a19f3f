//! Scans of targets: what people hold there, listed whole, against what grants say; on a schedule, and when an operator asks.
//!
//! Each target has one job, due when the next pass is. The provisioner claims it, [`begin`]s or goes on with a pass, lists
//! right after right, and hands each listing to [`look`], which says whom to ask for directly, and to [`record`], which acts.
//! What was looked at in this pass is kept with each right, so that a pass goes on where a dead process left it. [`end`] arms
//! the next pass in the same transaction. A pass that must not go on by itself changes nothing and says why; an operator lets
//! it with [`go_on`].

mod compare;
mod record;

use domain::{
    EntitlementId, Refusal, TargetId, Timestamp,
    audit::{Actor, Event, EventKind},
    deadline::JobKind,
    person::PortalRole,
};
use serde_json::json;
use store::{
    assignments::TargetRow,
    jobs::{Job, NewJob, Priority, PutBack},
    scans::{ScanRightRow, ScanRow, ScannedRow},
};
use uuid::Uuid;

use crate::{Error, Result, Workflow, access::Viewer};

pub use compare::{Holders, look};
pub use record::{Told, record};

/// The kinds of target whose connectors list who holds a right.
pub const KINDS: [&str; 4] = ["graph", "scim", "ldap", "webhook"];

/// The most rights that are read for one claim of a pass.
const RIGHTS: i64 = 50;

/// The key of the job that scans a target.
pub fn job_key(target: TargetId) -> String {
    format!("scan:{target}")
}

fn job(target: TargetId, due_at: Timestamp) -> NewJob {
    NewJob {
        key: job_key(target),
        kind: JobKind::TargetScan,
        subject: Some(target.0),
        lane: None,
        priority: Priority::Background,
        due_at,
    }
}

/// Has every target that can be scanned scanned now.
pub(crate) async fn ask_all(unit: &mut crate::Unit) -> Result<()> {
    let now = unit.now;
    let targets = unit.tx.targets().await?;
    let jobs: Vec<NewJob> = targets
        .iter()
        .filter(|target| scanned(target))
        .map(|target| job(target.id, now))
        .collect();
    unit.enqueue(&jobs);
    Ok(())
}

fn scanned(target: &TargetRow) -> bool {
    KINDS.contains(&target.kind.as_str()) && !target.paused
}

/// Sees to it that each target has its next pass: an interval after the last one, or from now on if there was none. Called
/// again and again by what comes round by itself.
pub async fn arm(workflow: &Workflow) -> Result<()> {
    let mut unit = workflow.unit().await?;
    for target in unit.tx.targets().await? {
        arm_one(&mut unit, &target).await?;
    }
    unit.commit().await
}

/// Arms the next pass over one target, unless there is one.
pub(crate) async fn arm_one(unit: &mut crate::Unit, target: &TargetRow) -> Result<()> {
    if !scanned(target) || unit.tx.job_due(&job_key(target.id)).await?.is_some() {
        return Ok(());
    }
    let last = unit.tx.scan(target.id).await?;
    let every = unit.workflow().settings().scan_every;
    // After a restore it is waited for.
    let since = |at| last.as_ref().is_some_and(|scan| scan.begun_at >= at);
    let due = if target.restored_at.is_none_or(since) {
        last.map_or(unit.now, |scan| scan.begun_at) + every
    } else {
        unit.now
    };
    unit.enqueue(&[job(target.id, due)]);
    Ok(())
}

/// Has a target scanned now. For operators.
pub async fn ask(workflow: &Workflow, viewer: &Viewer, id: TargetId) -> Result<()> {
    viewer.must_have(&[PortalRole::Operator])?;
    let mut unit = workflow.unit().await?;
    let listed = |target: &TargetRow| KINDS.contains(&target.kind.as_str());
    let target = unit.tx.target(id).await?.filter(listed);
    let target = target.ok_or(Error::Missing)?;
    if target.paused {
        let state = "paused".to_owned();
        return Err(Refusal::WrongState { state }.into());
    }
    let now = unit.now;
    unit.enqueue(&[job(id, now)]);
    unit.record(Event::new(EventKind::ScanAsked, now, Actor::Person(viewer.id())).about(id));
    unit.changed("provisioning");
    unit.commit().await
}

/// Says that it is so: the next pass, which begins at once, changes as much about a right as the last one would have, and no
/// more. `changes` is how much the page showed. For operators; without this, what was stopped is left as it is.
pub async fn go_on(
    workflow: &Workflow,
    viewer: &Viewer,
    right: EntitlementId,
    changes: i64,
) -> Result<()> {
    viewer.must_have(&[PortalRole::Operator])?;
    let mut unit = workflow.unit().await?;
    let row = unit.tx.scanned(right).await?.ok_or(Error::Missing)?;
    let target = unit.tx.scan_target(right).await?.ok_or(Error::Missing)?;
    if !row.stopped.is_some_and(domain::drift::Stop::may_go_on) || row.changes != changes {
        return Err(Error::Stale);
    }
    let now = unit.now;
    unit.tx
        .save_scanned(&ScannedRow {
            allowed: changes,
            allowed_by: Some(viewer.id()),
            ..row.clone()
        })
        .await?;
    unit.enqueue(&[job(target, now)]);
    unit.record(
        Event::new(EventKind::ScanAsked, now, Actor::Person(viewer.id()))
            .about(target)
            .about(right)
            .changing(json!({"stopped": row.stopped}), json!({"allowed": changes})),
    );
    unit.changed("provisioning");
    unit.commit().await
}

/// How a claimed scan goes on.
#[derive(Debug)]
pub enum Begun {
    /// Nothing to do: nobody holds the job any more, or the target is not scanned. The job is over.
    Over,
    /// The target asked not to be called before.
    Later(Timestamp),
    /// These rights are to be listed; there may be more afterwards.
    Rights(Vec<ScanRightRow>),
    /// Everything was looked at.
    All,
}

/// Begins a pass, or goes on with the one under way. `tenant` is whom the connector reaches, if it knows.
pub async fn begin(workflow: &Workflow, job: &Job, tenant: Option<Uuid>) -> Result<Begun> {
    let mut unit = workflow.unit().await?;
    let now = unit.now;
    let id = job.subject.map(TargetId).ok_or(Error::Missing)?;
    let target = unit.tx.target(id).await?.filter(scanned);
    let Some(target) = target else {
        // Paused, or gone: whoever lets it go on arms the next pass.
        unit.tx.finish_job(job, now).await?;
        unit.commit().await?;
        return Ok(Begun::Over);
    };
    if !unit.tx.holds_job(job).await? {
        return Ok(Begun::Over);
    }
    if let Some(at) = target.not_before.filter(|at| *at > now) {
        return Ok(Begun::Later(at));
    }
    if let (Some(here), Some(ours)) = (tenant, target.tenant_id)
        && here != ours
    {
        drop(unit);
        let problem = "The connector reaches another tenant than the one that these rights were read from, so nothing was compared. Set the tenant of the configuration back, or leave it.";
        end(workflow, job, Some(problem)).await?;
        return Ok(Begun::Over);
    }
    // A pass that was under way when a backup was made does not go on after it was restored.
    let goes_on = |scan: &ScanRow| {
        scan.ended_at.is_none() && target.restored_at.is_none_or(|at| scan.begun_at >= at)
    };
    let scan = if let Some(scan) = unit.tx.scan(id).await?.filter(goes_on) {
        scan
    } else {
        let fresh = ScanRow {
            target_id: id,
            begun_at: now,
            ended_at: None,
            problem: None,
        };
        unit.tx.save_scan(&fresh).await?;
        unit.changed("provisioning");
        fresh
    };
    let rights = unit.tx.rights_to_scan(id, scan.begun_at, RIGHTS).await?;
    unit.commit().await?;
    Ok(if rights.is_empty() {
        Begun::All
    } else {
        Begun::Rights(rights)
    })
}

/// Ends a pass and arms the next one. With a problem it could not be done.
pub async fn end(workflow: &Workflow, job: &Job, problem: Option<&str>) -> Result<()> {
    let mut unit = workflow.unit().await?;
    let now = unit.now;
    let id = job.subject.map(TargetId).ok_or(Error::Missing)?;
    if !unit.tx.holds_job(job).await? {
        return Ok(());
    }
    let begun_at = match unit.tx.scan(id).await? {
        Some(scan) if scan.ended_at.is_none() => scan.begun_at,
        _ => now,
    };
    let row = ScanRow {
        target_id: id,
        begun_at,
        ended_at: Some(now),
        problem: problem.map(str::to_owned),
    };
    unit.tx.save_scan(&row).await?;
    unit.record(
        Event::new(EventKind::TargetScanned, now, Actor::Provisioner)
            .about(id)
            .because("scan")
            .changing(
                serde_json::Value::Null,
                json!({"begun": begun_at, "problem": problem}),
            ),
    );
    if let Some(problem) = problem {
        record::tell(&mut unit, &id.to_string(), problem);
    }
    let every = workflow.settings().scan_every;
    put_off(&mut unit, job, (begun_at + every).max(now)).await?;
    unit.changed("provisioning");
    unit.commit().await
}

/// Puts a claimed scan back: it goes on then. What was asked for meanwhile is due at once.
pub async fn later(
    workflow: &Workflow,
    job: &Job,
    due: Timestamp,
    problem: Option<&str>,
) -> Result<()> {
    let mut unit = workflow.unit().await?;
    let now = unit.now;
    let back = PutBack {
        job: job.clone(),
        due,
        problem: problem.map(str::to_owned),
        priority: None,
    };
    unit.tx.put_back_jobs(&[back], now).await?;
    unit.commit().await
}

async fn put_off(unit: &mut crate::Unit, job: &Job, due: Timestamp) -> Result<()> {
    let now = unit.now;
    let back = PutBack {
        job: job.clone(),
        due,
        problem: None,
        priority: None,
    };
    Ok(unit.tx.put_back_jobs(&[back], now).await?)
}
