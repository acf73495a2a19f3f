//! Takes the provisioner's reports, many in one transaction, and says how each goes on.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    AssignmentId, TargetId, Timestamp,
    assignment::{Claim, Closed, Observed, desired},
    audit::{Actor, Event, EventKind},
    grant::End,
};
use serde_json::json;
use store::{
    assignments::{AssignmentRow, OperationRow},
    jobs::{Job, PutBack},
};

use crate::chat::{self, Post};

use super::{
    Pair, about, adopt, claims_by_pair,
    moves::{self, Bounds},
    priority,
    report::{Evidence, Failure, News, Next, Outcome, Report, misconfigured},
    set_desired,
};
use crate::{Result, Unit, grants};

/// Records reports, each fenced by its job's attempt, and says how each goes on, in the order of `reports`.
///
/// What is desired is worked out anew at the unit's instant. Evidence, audit entries, the health of grants and the fate
/// of the jobs join the same transaction. A write that this answers with is noted as about to be sent.
pub async fn advance(unit: &mut Unit, reports: &[Report]) -> Result<Vec<Next>> {
    let persons: BTreeSet<_> = reports.iter().map(|report| report.person).collect();
    unit.tx
        .lock_persons(&persons.into_iter().collect::<Vec<_>>())
        .await?;
    let ids: BTreeSet<_> = reports.iter().map(|report| report.assignment).collect();
    let mut rows: BTreeMap<AssignmentId, AssignmentRow> = unit
        .tx
        .lock_assignments(&ids.into_iter().collect::<Vec<_>>())
        .await?
        .into_iter()
        .map(|row| (row.id, row))
        .collect();
    let jobs: Vec<Job> = reports.iter().map(|report| report.job.clone()).collect();
    let held: BTreeSet<(String, i64)> = unit.tx.held_jobs(&jobs).await?.into_iter().collect();
    let pairs: Vec<Pair> = rows
        .values()
        .map(|row| (row.account_id, row.entitlement_id))
        .collect();
    let claims = claims_by_pair(unit, &pairs).await?;
    let closed: BTreeMap<TargetId, Closed> = unit
        .tx
        .closed_targets()
        .await?
        .into_iter()
        .map(|row| (row.target_id, row.closed))
        .collect();

    let mut batch = Batch::default();
    let mut next = Vec::with_capacity(reports.len());
    for report in reports {
        batch.keep_evidence(unit, report);
        if !held.contains(&(report.job.key.clone(), report.job.attempt)) {
            next.push(Next::Lost);
            continue;
        }
        let Some(row) = rows.get_mut(&report.assignment) else {
            batch.finished.push(report.job.clone());
            next.push(Next::Rest);
            continue;
        };
        let mut claims = claims
            .get(&(row.account_id, row.entitlement_id))
            .cloned()
            .unwrap_or_default();
        let closed = closed.get(&row.target_id).copied();
        next.push(advance_one(unit, row, report, &mut claims, closed, &mut batch).await?);
    }
    let rows: Vec<AssignmentRow> = rows.into_values().collect();
    unit.tx.save_assignments(&rows).await?;
    unit.tx.insert_operations(&batch.operations).await?;
    let now = unit.now;
    unit.tx.finish_jobs(&batch.finished, now).await?;
    unit.tx.put_back_jobs(&batch.put_back, now).await?;
    grants::refresh_health(unit, &batch.rested).await?;
    note_targets(unit, &batch).await?;
    Ok(next)
}

/// What a batch of reports leads to besides the rows.
#[derive(Default)]
struct Batch {
    operations: Vec<OperationRow>,
    finished: Vec<Job>,
    put_back: Vec<PutBack>,
    rested: Vec<Pair>,
    troubles: BTreeMap<TargetId, (Timestamp, String)>,
    succeeded: BTreeSet<TargetId>,
}

impl Batch {
    fn keep_evidence(&mut self, unit: &Unit, report: &Report) {
        let News::Called {
            call,
            at,
            outcome,
            evidence,
        } = &report.news
        else {
            return;
        };
        self.operations.push(OperationRow {
            id: unit.new_id(),
            assignment_id: report.assignment,
            kind: call.to_string(),
            outcome: outcome.as_str().to_owned(),
            status: evidence.status.map(i64::from),
            request_id: evidence.request_id.clone(),
            client_request_id: evidence.client_request_id.clone(),
            detail: evidence.detail.chars().take(1000).collect(),
            at: *at,
            took_us: i64::try_from(evidence.took.as_micros()).unwrap_or(i64::MAX),
        });
    }
}

async fn advance_one(
    unit: &mut Unit,
    row: &mut AssignmentRow,
    report: &Report,
    claims: &mut Vec<Claim>,
    closed: Option<Closed>,
    batch: &mut Batch,
) -> Result<Next> {
    let now = unit.now;
    if let News::Called {
        outcome: Outcome::Seen(seen),
        evidence,
        ..
    } = &report.news
        && (moves::found(row, *seen, now) || left(row, *seen, evidence, claims))
        // What a restored database does not know of may well be ours.
        && closed != Some(Closed::Restored)
        && let Some(claim) = adopt::adopt_found(unit, row, claims).await?
    {
        claims.push(claim);
    }
    let (wanted, only_imports) = desired(claims, now);
    set_desired(unit, row, wanted, only_imports, "the clock");
    let bounds = Bounds {
        until: wanted_until(claims, now),
        closed,
    };
    let observed_before = row.observed_at.map(|_| row.observed);
    let moved = match &report.news {
        News::Begun => moves::proceed(row, now, bounds),
        News::Waited(call) => moves::waited(row, *call, now, bounds),
        News::Blocked(at) => moves::blocked(row, *at),
        News::Called {
            call,
            at,
            outcome,
            evidence,
        } => {
            note_outcome(row, report, outcome, batch);
            note_account(unit, row, evidence).await?;
            moves::answered(row, *call, *at, now);
            match outcome {
                Outcome::Seen(seen) => moves::seen(row, *seen, *at, now, bounds),
                Outcome::Done | Outcome::Already => moves::accepted(row, now, bounds, *call),
                Outcome::Pending { after } => moves::pending(row, now, bounds, *call, *after),
                Outcome::Failed(failure) => {
                    let jitter = unit.workflow().ids().jitter();
                    moves::failed(row, *call, failure, evidence, now, jitter)
                }
            }
        }
    };
    if moved.next == Next::Rest && moved.due.is_none() {
        batch.rested.push((row.account_id, row.entitlement_id));
    }
    if moved.confirmed {
        unit.record(
            about(
                Event::new(EventKind::AssignmentObserved, now, Actor::Provisioner),
                row,
            )
            .because(report.assignment)
            .changing(
                json!({"observed": observed_before}),
                json!({"observed": row.observed, "origin": row.origin, "read": row.observed_at}),
            ),
        );
    }
    if moved.raised {
        unit.record(
            about(
                Event::new(EventKind::AssignmentAttention, now, Actor::Provisioner),
                row,
            )
            .because(report.assignment)
            .changing(
                serde_json::Value::Null,
                json!({"problem": row.problem.as_deref().and_then(super::Problem::read)}),
            ),
        );
        // Once an hour and target: a target that is down needs one look, not one for each right.
        let post = Post {
            title: "The provisioner needs attention".into(),
            text: "At least one right could not be set or taken away. It is tried again by itself; the page says what happened and what to do.".into(),
            path: "/provisioning".into(),
        };
        let hour = now.format("%Y-%m-%dT%H");
        chat::queue(unit, &format!("attention:{}:{hour}", row.target_id), &post);
    }
    if moved.confirmed || moved.raised {
        unit.changed(row.person_id);
        unit.changed("provisioning");
    }
    match (moved.next, moved.due) {
        (Next::Rest, Some(due)) => batch.put_back.push(PutBack {
            job: report.job.clone(),
            due,
            problem: row.problem.clone(),
            // By the clock it may have become a removal since it was enqueued, or the other way round.
            priority: Some(priority(row)),
        }),
        (Next::Rest, None) => batch.finished.push(report.job.clone()),
        (Next::Read | Next::Write { .. } | Next::Lost, _) => {}
    }
    Ok(moved.next)
}

/// Whether a right is still there by another way after every grant of ours is over: it stays as what was found. What is only
/// held back is not over, so it is not left.
fn left(row: &AssignmentRow, seen: Observed, evidence: &Evidence, claims: &[Claim]) -> bool {
    evidence.otherwise && seen == Observed::Present && !row.desired && claims.is_empty()
}

fn note_outcome(row: &AssignmentRow, report: &Report, outcome: &Outcome, batch: &mut Batch) {
    match outcome {
        Outcome::Failed(failure) => {
            if let Some(not_before) = report.not_before {
                let why = match failure {
                    Failure::Later { why, .. } | Failure::Never { why, .. } => why.clone(),
                    Failure::Misconfigured { what, fix, .. } => misconfigured(what, fix),
                };
                let known = batch
                    .troubles
                    .entry(row.target_id)
                    .or_insert_with(|| (not_before, why));
                known.0 = known.0.max(not_before);
            }
        }
        Outcome::Seen(_) | Outcome::Done | Outcome::Already | Outcome::Pending { .. } => {
            batch.succeeded.insert(row.target_id);
        }
    }
}

/// Keeps which account of the target the call was about, once it is known.
async fn note_account(unit: &mut Unit, row: &AssignmentRow, evidence: &Evidence) -> Result<()> {
    let Some(account) = &evidence.account else {
        return Ok(());
    };
    let now = unit.now;
    let ours = unit
        .tx
        .save_target_account(
            row.target_id,
            row.account_id,
            &account.id,
            &account.user_name,
            now,
        )
        .await?;
    if !ours {
        tracing::warn!(assignment = %row.id, target = %row.target_id, "an account of the target was found for two accounts of ours; it stays with the first");
    }
    Ok(())
}

/// Keeps what the reports say of whole targets; a success is written at most once a minute.
async fn note_targets(unit: &mut Unit, batch: &Batch) -> Result<()> {
    if batch.troubles.is_empty() && batch.succeeded.is_empty() {
        return Ok(());
    }
    let now = unit.now;
    for target in unit.tx.targets().await? {
        if let Some((not_before, why)) = batch.troubles.get(&target.id) {
            unit.tx
                .set_target_problem(target.id, *not_before, why, now)
                .await?;
            unit.changed("provisioning");
        } else if batch.succeeded.contains(&target.id)
            // A call that was sent before the target asked for patience does not end it.
            && target.not_before.is_none_or(|at| at <= now)
            && (target.problem.is_some()
                || target
                    .succeeded_at
                    .is_none_or(|at| now - at >= chrono::Duration::minutes(1)))
        {
            unit.tx.set_target_succeeded(target.id, now).await?;
            unit.changed("provisioning");
        }
    }
    Ok(())
}

/// Until when what covers now will cover: after it, an addition is not sent.
fn wanted_until(claims: &[Claim], now: Timestamp) -> Option<Timestamp> {
    let mut latest = None;
    for claim in claims
        .iter()
        .filter(|claim| claim.counts && claim.from <= now)
    {
        match claim.end {
            End::Permanent => return None,
            End::At(at) => latest = latest.max(Some(at)),
        }
    }
    latest
}
