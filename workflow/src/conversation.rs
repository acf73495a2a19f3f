//! The conversation about a waiting line: a decider asks back, the asker or the beneficiary answers, and the line's clock
//! stands still meanwhile. What is asked for stays frozen: whatever is said here changes nothing of it.

use chrono::Duration;
use domain::{
    LineId, PersonId, Refusal, StageId,
    approval::StageState,
    audit::{Actor, Event, EventKind},
    refusal::DeciderBar,
    request::{REASON_LEAST, TEXT_MOST},
    waiting::{REMARKS_A_DAY, RemarkKind, may_nudge, next_nudge},
};
use serde_json::json;
use store::{
    conversation::RemarkRow,
    requests::{LineRow, StageRow},
};

use crate::{
    Error, Result, Unit, Workflow,
    access::Viewer,
    decide::{self, Seated},
    mail::{self, Mail},
    people, requests, route,
};

/// A decider asks the asker and the beneficiary something. The clock of the line stands still until one of them answers,
/// for fourteen days at most over all questions.
pub async fn ask_back(
    workflow: &Workflow,
    viewer: &Viewer,
    stage: StageId,
    text: &str,
) -> Result<()> {
    people::again(|| ask_back_once(workflow, viewer, stage, text)).await
}

async fn ask_back_once(
    workflow: &Workflow,
    viewer: &Viewer,
    stage: StageId,
    text: &str,
) -> Result<()> {
    let mut unit = workflow.unit().await?;
    let Seated { line, stage, .. } = decide::seated(&mut unit, viewer.id(), stage, &[]).await?;
    if line.pending().is_over(unit.now) {
        return requests::lapsed(unit, &line).await;
    }
    let text = checked(text)?;
    say(
        &mut unit,
        &line,
        &stage,
        viewer.id(),
        RemarkKind::Question,
        text,
    )
    .await?;
    let clock = line.pending().asked(unit.now);
    let held = clock.stands_until();
    unit.tx
        .set_line_clock(&line.clone().with_pending(clock))
        .await?;
    record(
        &mut unit,
        EventKind::LineAskedBack,
        Actor::Person(viewer.id()),
        &line,
        json!({"lapse_at": line.lapse_at}),
        json!({"stage": stage.id, "question": text, "clock_stands_until": held}),
    );
    let package = unit
        .tx
        .line_labels(line.beneficiary_id, line.package_id)
        .await?
        .package;
    let now = unit.now;
    let question = Mail {
        kind: "asked_back",
        subject: format!("A question about your request: {package}"),
        text: format!(
            "Before they decide on {package} (AR-{}), somebody asks:\n{text}\nAnswer on the request's page. Its deadline waits meanwhile.",
            line.number
        ),
        path: format!("/requests/{}", line.request_id),
    };
    for person in requests::both(&line) {
        let key = format!("asked_back:{}:{}", line.id, now.timestamp_micros());
        mail::queue(&mut unit, person, &key, &question);
    }
    touched(&mut unit, &line).await?;
    unit.commit().await
}

/// Whom a line is about answers the question that is open, or adds something if none is. The clock runs on, and those
/// who decide are told.
pub async fn answer(workflow: &Workflow, viewer: &Viewer, line: LineId, text: &str) -> Result<()> {
    people::again(|| answer_once(workflow, viewer, line, text)).await
}

async fn answer_once(workflow: &Workflow, viewer: &Viewer, line: LineId, text: &str) -> Result<()> {
    let mut unit = workflow.unit().await?;
    let line = held(&mut unit, viewer, line).await?;
    if line.pending().is_over(unit.now) {
        return requests::lapsed(unit, &line).await;
    }
    let text = checked(text)?;
    let stage = open_stage(&mut unit, &line).await?;
    let kind = match line.asked_back_at {
        Some(_) => RemarkKind::Answer,
        None => RemarkKind::Remark,
    };
    say(&mut unit, &line, &stage, viewer.id(), kind, text).await?;
    let now = unit.now;
    record(
        &mut unit,
        EventKind::LineAnswered,
        Actor::Person(viewer.id()),
        &line,
        json!({"lapse_at": line.lapse_at}),
        json!({"stage": stage.id, "said": kind, "text": text, "lapse_at": line.pending().answered(now).lapse_at}),
    );
    run_on(&mut unit, &line).await?;
    if kind == RemarkKind::Answer {
        let labels = unit
            .tx
            .line_labels(line.beneficiary_id, line.package_id)
            .await?;
        let answered = Mail {
            kind: "answered",
            subject: format!(
                "Your question was answered: {} for {}",
                labels.package, labels.person
            ),
            text: format!(
                "The question about {} for {} (AR-{}) was answered:\n{text}",
                labels.package, labels.person, line.number
            ),
            path: format!("/approvals/{}", stage.id),
        };
        let key = format!("answered:{}:{}", line.id, now.timestamp_micros());
        tell_deciders(&mut unit, &line, &key, &answered).await?;
    }
    touched(&mut unit, &line).await?;
    unit.commit().await
}

/// The asker reminds those who can decide, once a business day. Not while a question waits for the asker.
pub async fn nudge(workflow: &Workflow, viewer: &Viewer, line: LineId) -> Result<()> {
    people::again(|| nudge_once(workflow, viewer, line)).await
}

async fn nudge_once(workflow: &Workflow, viewer: &Viewer, line: LineId) -> Result<()> {
    let mut unit = workflow.unit().await?;
    let line = held(&mut unit, viewer, line).await?;
    if line.asker_id != viewer.id() {
        return Err(Error::Missing);
    }
    if line.pending().is_over(unit.now) {
        return requests::lapsed(unit, &line).await;
    }
    if line.asked_back_at.is_some() {
        return Err(Refusal::AnswerFirst.into());
    }
    let now = unit.now;
    if let Some(last) = line.nudged_at.filter(|last| !may_nudge(Some(*last), now)) {
        let next = next_nudge(last);
        return Err(Refusal::NudgedAlready { next }.into());
    }
    let stage = open_stage(&mut unit, &line).await?;
    unit.tx.note_nudge(line.id, now).await?;
    record(
        &mut unit,
        EventKind::LineNudged,
        Actor::Person(viewer.id()),
        &line,
        json!({"nudged_at": line.nudged_at}),
        json!({"stage": stage.id}),
    );
    let labels = unit
        .tx
        .line_labels(line.beneficiary_id, line.package_id)
        .await?;
    let reminder = Mail {
        kind: "nudged",
        subject: format!(
            "Still waiting for you: {} for {}",
            labels.package, labels.person
        ),
        text: format!(
            "The decision on {} for {} (AR-{}) still waits for you.\nReason: {}",
            labels.package, labels.person, line.number, line.reason
        ),
        path: format!("/approvals/{}", stage.id),
    };
    let key = format!("nudged:{}:{}", line.id, now.timestamp_micros());
    tell_deciders(&mut unit, &line, &key, &reminder).await?;
    route::changed(&mut unit, &line).await?;
    unit.commit().await
}

/// Lets the clock of a line run on because the stage that asked needs no answer any more; while stages are open together,
/// the question of another one stays.
pub(crate) async fn no_answer_needed(
    unit: &mut Unit,
    line: &LineRow,
    stages: &[StageRow],
) -> Result<()> {
    if line.asked_back_at.is_none() {
        return Ok(());
    }
    let remarks = unit.tx.remarks(line.id).await?;
    let open = |id: StageId| {
        stages
            .iter()
            .any(|stage| stage.id == id && stage.state == StageState::Open)
    };
    let unanswered = remarks
        .iter()
        .rev()
        .take_while(|remark| remark.kind != RemarkKind::Answer);
    if unanswered
        .filter(|remark| remark.kind == RemarkKind::Question)
        .any(|question| open(question.stage_id))
    {
        return Ok(());
    }
    let now = unit.now;
    record(
        unit,
        EventKind::LineResumed,
        Actor::Portal,
        line,
        json!({"lapse_at": line.lapse_at}),
        json!({"lapse_at": line.pending().answered(now).lapse_at}),
    );
    run_on(unit, line).await
}

/// The clock runs on from now; its deadline is armed where it is now, which is never later than where it was armed.
async fn run_on(unit: &mut Unit, line: &LineRow) -> Result<()> {
    if line.asked_back_at.is_some() {
        let clock = line.pending().answered(unit.now);
        let line = line.clone().with_pending(clock);
        unit.tx.set_line_clock(&line).await?;
        unit.enqueue(&[requests::lapse_job(&line)]);
    }
    Ok(())
}

/// Locks a waiting line that the viewer asked for or that is for them.
async fn held(unit: &mut Unit, viewer: &Viewer, id: LineId) -> Result<LineRow> {
    let party = |line: &LineRow| requests::both(line).contains(&viewer.id());
    let seen = unit
        .tx
        .line(id)
        .await?
        .filter(party)
        .ok_or(Error::Missing)?;
    unit.tx.lock_persons(&requests::both(&seen)).await?;
    let line = unit.tx.lock_line(id).await?.ok_or(Error::Missing)?;
    if line.state.is_final() {
        let state = line.state.to_string();
        return Err(Refusal::WrongState { state }.into());
    }
    Ok(line)
}

async fn open_stage(unit: &mut Unit, line: &LineRow) -> Result<StageRow> {
    unit.tx
        .stages(line.id)
        .await?
        .into_iter()
        .find(|stage| stage.state == StageState::Open)
        .ok_or_else(|| {
            Refusal::MayNotDecide {
                why: DeciderBar::NoSeat,
            }
            .into()
        })
}

fn checked(text: &str) -> Result<&str> {
    let text = text.trim();
    let length = text.chars().count();
    if length < REASON_LEAST {
        let least = REASON_LEAST;
        return Err(Refusal::ReasonTooShort { least }.into());
    }
    if length > TEXT_MOST {
        return Err(Refusal::TooLong {
            field: "note".into(),
            most: TEXT_MOST,
        }
        .into());
    }
    Ok(text)
}

async fn say(
    unit: &mut Unit,
    line: &LineRow,
    stage: &StageRow,
    author: PersonId,
    kind: RemarkKind,
    text: &str,
) -> Result<()> {
    let day_ago = unit.now - Duration::days(1);
    let lately = unit
        .tx
        .remarks(line.id)
        .await?
        .iter()
        .filter(|one| one.author_id == author && one.at > day_ago)
        .count();
    if lately >= REMARKS_A_DAY {
        return Err(Refusal::TooMany {
            after_seconds: Duration::days(1).num_seconds(),
        }
        .into());
    }
    let row = RemarkRow {
        id: unit.new_id(),
        line_id: line.id,
        stage_id: stage.id,
        author_id: author,
        kind,
        text: text.to_owned(),
        at: unit.now,
    };
    Ok(unit.tx.insert_remark(&row).await?)
}

/// Mails everybody who is seated and has not voted.
async fn tell_deciders(unit: &mut Unit, line: &LineRow, key: &str, mail: &Mail) -> Result<()> {
    let decisions = unit.tx.decisions(line.id).await?;
    for seat in unit.tx.seats_of_line(line.id).await? {
        let voted = decisions
            .iter()
            .any(|vote| vote.stage_id == seat.stage_id && vote.decider_id == seat.person_id);
        if !voted {
            mail::queue(unit, seat.person_id, key, mail);
        }
    }
    Ok(())
}

async fn touched(unit: &mut Unit, line: &LineRow) -> Result<()> {
    route::changed(unit, line).await?;
    Ok(unit.tx.touch_line(line.id).await?)
}

fn record(
    unit: &mut Unit,
    kind: EventKind,
    actor: Actor,
    line: &LineRow,
    before: serde_json::Value,
    after: serde_json::Value,
) {
    unit.record(
        Event::new(kind, unit.now, actor)
            .about(line.id)
            .about(line.request_id)
            .about(line.beneficiary_id)
            .under(line.package_version_id)
            .changing(before, after),
    );
}
