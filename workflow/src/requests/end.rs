//! How a line ends without a grant: taken back, lapsed, or withdrawn because its reason is gone.

use domain::{
    LineId, PackageId, PersonId, Refusal,
    audit::{Actor, Event, EventKind},
    deadline::JobKind,
    request::LineState,
};
use serde_json::json;
use store::{
    deciding::Closing,
    jobs::{NewJob, Priority},
    requests::{LineRow, StageRow},
};

use super::both;
use crate::{Error, Result, Unit, Workflow, access::Viewer, people::again, route};

/// Takes a waiting line back. Only the asker may.
pub async fn cancel(workflow: &Workflow, viewer: &Viewer, line: LineId) -> Result<()> {
    again(|| cancel_once(workflow, viewer, line)).await
}

async fn cancel_once(workflow: &Workflow, viewer: &Viewer, line: LineId) -> Result<()> {
    let mut unit = workflow.unit().await?;
    let seen = unit
        .tx
        .line(line)
        .await?
        .filter(|line| line.asker_id == viewer.id())
        .ok_or(Error::Missing)?;
    unit.tx.lock_persons(&both(&seen)).await?;
    let line = unit.tx.lock_line(line).await?.ok_or(Error::Missing)?;
    if line.state.is_final() {
        return Err(Refusal::WrongState {
            state: line.state.to_string(),
        }
        .into());
    }
    if line.pending().is_over(unit.now) {
        return lapsed(unit, &line).await;
    }
    end(
        &mut unit,
        &line,
        LineState::Cancelled,
        Actor::Person(viewer.id()),
        "cancelled",
    )
    .await?;
    unit.commit().await
}

/// Lets lines lapse whose pending deadline has come. Called by the deadlines' jobs.
pub(crate) async fn lapse(unit: &mut Unit, ids: &[LineId]) -> Result<()> {
    // Everybody at once and in id order, as all others lock them: line by line, two such batches could wait for each other.
    let mut persons = Vec::new();
    for id in ids {
        if let Some(seen) = unit.tx.line(*id).await? {
            persons.extend(both(&seen));
        }
    }
    persons.sort_unstable();
    persons.dedup();
    unit.tx.lock_persons(&persons).await?;
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    for id in ids {
        let Some(line) = unit
            .tx
            .lock_line(id)
            .await?
            .filter(|line| !line.state.is_final())
        else {
            continue;
        };
        if line.pending().is_over(unit.now) {
            lapse_line(unit, &line).await?;
        } else {
            unit.enqueue(&[lapse_job(&line)]);
        }
    }
    Ok(())
}

/// What a person does to a line whose pending deadline has come, with its job late: the line lapses, and they are told so.
pub(crate) async fn lapsed(mut unit: Unit, line: &LineRow) -> Result<()> {
    lapse_line(&mut unit, line).await?;
    unit.commit().await?;
    Err(Refusal::WrongState {
        state: LineState::Lapsed.to_string(),
    }
    .into())
}

/// Ends a line that nobody decided in time, or whose exception did not come in time, and says so to whom it is about. Its persons are locked.
pub(crate) async fn lapse_line(unit: &mut Unit, line: &LineRow) -> Result<()> {
    let (cause, headline) = if line.waits_since.is_some() {
        let why = "The exception that it waited for was not in force in time.";
        unit.tx.say_why(line.id, why).await?;
        (
            "the exception that it waited for was not in force in time",
            "Approved, but its exception did not come in time",
        )
    } else {
        ("nobody decided in time", "Nobody decided in time")
    };
    end(unit, line, LineState::Lapsed, Actor::Portal, cause).await?;
    let text = "You may ask again; nothing else changed.";
    route::tell_outcome(unit, line, headline, text).await
}

/// Withdraws every waiting line that a person asked for or that is for them. The caller holds the person's lock.
pub async fn withdraw_of_person(unit: &mut Unit, person: PersonId, cause: &str) -> Result<()> {
    for line in unit.tx.waiting_lines_of_person(person).await? {
        end(unit, &line, LineState::Withdrawn, Actor::Portal, cause).await?;
    }
    Ok(())
}

/// Withdraws every waiting line for a package that is no longer offered.
pub async fn withdraw_of_package(unit: &mut Unit, package: PackageId, cause: &str) -> Result<()> {
    for line in unit.tx.waiting_lines_of_package(package).await? {
        end(unit, &line, LineState::Withdrawn, Actor::Portal, cause).await?;
        route::tell_outcome(
            unit,
            &line,
            "The package is no longer offered",
            "Your request was withdrawn.",
        )
        .await?;
    }
    Ok(())
}

/// How a line ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended<'a> {
    pub state: LineState,
    pub actor: Actor,
    pub cause: &'a str,
}

/// Moves a waiting line to its end: stages close, the deadline goes, open pages look again.
pub(crate) async fn end(
    unit: &mut Unit,
    line: &LineRow,
    state: LineState,
    actor: Actor,
    cause: &str,
) -> Result<()> {
    let ended = Ended {
        state,
        actor,
        cause,
    };
    end_decided(unit, line, ended, &[]).await
}

/// As [`end`], and writes stages that were decided and are not written yet.
pub(crate) async fn end_decided(
    unit: &mut Unit,
    line: &LineRow,
    ended: Ended<'_>,
    decided: &[StageRow],
) -> Result<()> {
    let Ended {
        state,
        actor,
        cause,
    } = ended;
    let by = match actor {
        Actor::Person(person) => Some(person),
        Actor::Portal | Actor::Provisioner | Actor::Operator | Actor::Anonymous => None,
    };
    let now = unit.now;
    let job = lapse_job(line).key;
    unit.forget(&job);
    let closing = Closing {
        line,
        state,
        by,
        decided,
        job: &job,
        now,
    };
    let seated = unit.tx.close_line(&closing).await?.ok_or(Error::Stale)?;
    unit.changed(line.request_id);
    unit.changed(line.asker_id);
    unit.changed(line.beneficiary_id);
    for person in seated {
        unit.changed(person);
    }
    unit.record(
        Event::new(EventKind::LineEnded, now, actor)
            .about(line.id)
            .about(line.request_id)
            .about(line.beneficiary_id)
            .about(line.package_id)
            .because(cause)
            .under(line.package_version_id)
            .changing(json!({"state": line.state}), json!({"state": state})),
    );
    Ok(())
}

/// The job that lets a line lapse. It comes when the line lapses at the latest; while a question holds the clock it looks
/// again then.
pub(crate) fn lapse_job(line: &LineRow) -> NewJob {
    NewJob {
        key: format!("lapse:{}", line.id),
        kind: JobKind::LineLapse,
        subject: Some(line.id.0),
        lane: None,
        priority: Priority::Normal,
        due_at: line.pending().latest(),
    }
}
