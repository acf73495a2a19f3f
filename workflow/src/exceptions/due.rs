//! What comes due of an exception: its end, the warnings before it, and the attestations of its control.

use chrono::Duration;
use domain::{
    ExceptionId, PersonId, Timestamp,
    audit::{Actor, Event, EventKind},
    deadline::JobKind,
    exception::{ExceptionEnd, ExceptionState, Missed, WARNINGS, missed},
};
use serde_json::json;
use store::{
    exceptions::ExceptionRow,
    jobs::{NewJob, Priority},
};

use super::{about, end, parties};
use crate::{Error, Result, Unit, findings, mail, reviews};

pub(super) fn attest_key(id: ExceptionId) -> String {
    format!("attest:{id}")
}

fn end_key(id: ExceptionId) -> String {
    format!("exception_end:{id}")
}

fn warning_key(id: ExceptionId, days: i64) -> String {
    format!("exception_warning:{id}:{days}")
}

fn job(
    id: ExceptionId,
    key: String,
    kind: JobKind,
    priority: Priority,
    due_at: Timestamp,
) -> NewJob {
    NewJob {
        key,
        kind,
        subject: Some(id.0),
        lane: None,
        priority,
        due_at,
    }
}

/// Writes the deadline of a proposal: one that is not in force by its end never is.
pub(super) fn arm_proposal(unit: &mut Unit, row: &ExceptionRow) {
    let (key, kind) = (end_key(row.id), JobKind::ExceptionEnd);
    unit.enqueue(&[job(row.id, key, kind, Priority::Removal, row.ends_at)]);
}

/// Writes the deadlines of one that lives from now on.
pub(super) fn arm(unit: &mut Unit, row: &ExceptionRow, attest_by: Timestamp) {
    let id = row.id;
    let mut jobs = vec![job(
        id,
        end_key(id),
        JobKind::ExceptionEnd,
        Priority::Removal,
        row.ends_at,
    )];
    for days in WARNINGS {
        let at = row.ends_at - Duration::days(days);
        if at > unit.now {
            let key = warning_key(id, days);
            jobs.push(job(id, key, JobKind::ExceptionWarning, Priority::Low, at));
        }
    }
    unit.enqueue(&jobs);
    arm_attestation(unit, row, attest_by);
}

/// Writes when the control is looked at next. At the end there is nothing left to attest.
pub(super) fn arm_attestation(unit: &mut Unit, row: &ExceptionRow, at: Timestamp) {
    if at < row.ends_at {
        let kind = JobKind::Attestation;
        unit.enqueue(&[job(row.id, attest_key(row.id), kind, Priority::Normal, at)]);
    }
}

/// Removes the deadlines of one that is over.
pub(super) async fn disarm(unit: &mut Unit, id: ExceptionId) -> Result<()> {
    unit.cancel(&end_key(id)).await?;
    unit.cancel(&attest_key(id)).await?;
    for days in WARNINGS {
        unit.cancel(&warning_key(id, days)).await?;
    }
    Ok(())
}

/// Those among these that are not over, with their people locked all at once.
async fn open(unit: &mut Unit, ids: &[ExceptionId]) -> Result<Vec<ExceptionRow>> {
    let mut seen = Vec::with_capacity(ids.len());
    for id in ids {
        seen.extend(unit.tx.exception(*id).await?);
    }
    let mut people: Vec<PersonId> = seen.iter().map(|row| row.person_id).collect();
    people.sort_unstable();
    people.dedup();
    unit.tx.lock_persons(&people).await?;
    let mut rows = Vec::with_capacity(seen.len());
    for row in seen {
        rows.extend(
            unit.tx
                .exception(row.id)
                .await?
                .filter(|row| row.state != ExceptionState::Ended),
        );
    }
    Ok(rows)
}

/// Ends those whose time is up: the side that each names falls, and what waited for a proposal ends.
pub(crate) async fn end_due(unit: &mut Unit, ids: &[ExceptionId]) -> Result<()> {
    let mut rows = open(unit, ids).await?;
    // Proposals first: the lines that wait for them come before the assignments of those in force.
    rows.sort_by_key(|row| row.state == ExceptionState::Live);
    for row in rows {
        if row.ends_at <= unit.now {
            end(unit, &row, ExceptionEnd::Expired, Actor::Portal, "").await?;
        } else {
            let kind = JobKind::ExceptionEnd;
            let again = job(
                row.id,
                end_key(row.id),
                kind,
                Priority::Removal,
                row.ends_at,
            );
            unit.enqueue(&[again]);
        }
    }
    Ok(())
}

/// Warns of an end that is near, once for each instant, and lets what falls then be reviewed, once.
pub(crate) async fn warn(unit: &mut Unit, id: ExceptionId, key: &str) -> Result<()> {
    let Some(row) = unit
        .tx
        .exception(id)
        .await?
        .filter(|row| row.state == ExceptionState::Live && row.ends_at > unit.now)
    else {
        return Ok(());
    };
    let rule = unit
        .tx
        .conflict(row.conflict_id)
        .await?
        .ok_or(Error::Missing)?;
    let left = mail::time_left(row.ends_at - unit.now);
    let what = format!("The exception ends {left}");
    let text = "At its end the side that it names is taken away. If it is still needed, propose it anew in time.";
    let mail = about(unit, &row, &rule, "exception_ends_soon", &what, text).await?;
    let mut told = vec![row.person_id, row.proposed_by, rule.owner_id];
    told.sort_unstable();
    told.dedup();
    for person in told {
        mail::queue(unit, person, key, &mail);
    }
    reviews::small::exception_ends(unit, &row, &rule.name, rule.owner_id).await
}

/// An attestation is due: calls it in once, and ends the exception when the grace is over.
pub(crate) async fn attestation_due(unit: &mut Unit, ids: &[ExceptionId]) -> Result<()> {
    for row in open(unit, ids).await? {
        let Some(due) = row.attest_by.filter(|_| row.state == ExceptionState::Live) else {
            continue;
        };
        match missed(due, row.missed_at, unit.now) {
            Missed::NotYet(at) => arm_attestation(unit, &row, at),
            Missed::Escalate(at) => escalate(unit, &row, due, at).await?,
            Missed::End => {
                let reason = ExceptionEnd::MissedAttestation;
                end(unit, &row, reason, Actor::Portal, "").await?;
            }
        }
    }
    Ok(())
}

async fn escalate(
    unit: &mut Unit,
    row: &ExceptionRow,
    due: Timestamp,
    again: Timestamp,
) -> Result<()> {
    let now = unit.now;
    unit.tx.set_attestation_due(row.id, due, Some(now)).await?;
    arm_attestation(unit, row, again);
    unit.record(
        Event::new(EventKind::ExceptionAttested, now, Actor::Portal)
            .about(row.id)
            .about(row.person_id)
            .because("missed")
            .changing(
                json!({"attest_by": due}),
                json!({"missed_at": now, "ends_at": again}),
            ),
    );
    unit.changed("exceptions");
    let rule = unit
        .tx
        .conflict(row.conflict_id)
        .await?
        .ok_or(Error::Missing)?;
    let text = format!(
        "The owner of its control has not attested. Without that by {} the exception ends, and the side that it names is taken away.",
        again.format("%-d %B %Y")
    );
    let mail = about(
        unit,
        row,
        &rule,
        "attestation_missed",
        "An attestation is missing",
        &text,
    )
    .await?;
    let mut told = parties::security(&mut unit.tx).await?;
    told.extend([row.control_owner_id, rule.owner_id]);
    told.sort_unstable();
    told.dedup();
    for person in told {
        let key = format!("missed:{}:{}", row.id, due.timestamp());
        mail::queue(unit, person, &key, &mail);
    }
    Ok(())
}

/// Ends the exceptions of those among these people who have left. They are locked by the caller.
pub(crate) async fn end_of_leavers(unit: &mut Unit, people: &[PersonId]) -> Result<()> {
    for row in unit.tx.open_exceptions_of(people).await? {
        if findings::gone(unit, row.person_id).await? {
            end(unit, &row, ExceptionEnd::PersonLeft, Actor::Portal, "").await?;
        }
    }
    Ok(())
}
