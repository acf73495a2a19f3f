//! Handing on: somebody seated gives their seat to a colleague who passes every exclusion; the colleague may give it back.

use domain::{
    PersonId, Refusal, StageId,
    audit::{Actor, Event, EventKind},
    hand_on::{HandedOn, take_over_bar},
    refusal::TakeOverBar,
    request::{REASON_LEAST, TEXT_MOST},
};
use serde_json::json;
use store::{
    conversation::HandOnRow,
    requests::{LineRow, StageRow},
};

use crate::{
    Error, Result, Unit, Workflow,
    access::Viewer,
    decide::{self, Seated},
    mail::{self, Mail},
    people, requests, route,
};

/// To whom a decision goes, and why.
#[derive(Clone, Debug)]
pub struct NewHandOn {
    /// The seat's stage.
    pub stage: StageId,
    /// The colleague.
    pub to: PersonId,
    /// Why.
    pub reason: String,
}

/// Gives the viewer's seat in a stage to a colleague. Every rule that bars deciders bars them as well.
pub async fn hand_on(workflow: &Workflow, viewer: &Viewer, what: NewHandOn) -> Result<()> {
    people::again(|| hand_on_once(workflow, viewer, &what)).await
}

async fn hand_on_once(workflow: &Workflow, viewer: &Viewer, what: &NewHandOn) -> Result<()> {
    let mut unit = workflow.unit().await?;
    let seated = decide::seated(&mut unit, viewer.id(), what.stage, &[what.to]).await?;
    if seated.line.pending().is_over(unit.now) {
        return requests::lapsed(unit, &seated.line).await;
    }
    let Seated {
        line,
        stage,
        seat,
        seating,
        mut facts,
        ..
    } = seated;
    let now = unit.now;
    // What was handed to somebody who may not decide any more has fallen back already.
    for row in unit.tx.hand_ons(stage.id).await? {
        if !seating.seats.iter().any(|one| one.person == row.to_id) {
            unit.tx.return_hand_on(row.id, now).await?;
            facts
                .handed_on
                .retain(|one: &HandedOn| one.from != row.from_id);
        }
    }
    let to = people::candidates(&mut unit.tx, &[what.to], now)
        .await?
        .pop();
    let why = match &to {
        Some(to) => take_over_bar(seat, to, &route::rule_of(&stage)?, &facts, &seating),
        None => Some(TakeOverBar::Inactive),
    };
    let mut refusals: Vec<Refusal> = why
        .map(|why| Refusal::MayNotTakeOver { why })
        .into_iter()
        .collect();
    let reason = what.reason.trim();
    let length = reason.chars().count();
    if length < REASON_LEAST {
        let least = REASON_LEAST;
        refusals.push(Refusal::ReasonTooShort { least });
    }
    if length > TEXT_MOST {
        refusals.push(Refusal::TooLong {
            field: "reason".into(),
            most: TEXT_MOST,
        });
    }
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let row = HandOnRow {
        id: unit.new_id(),
        line_id: line.id,
        stage_id: stage.id,
        from_id: seat.person,
        to_id: what.to,
        reason: reason.to_owned(),
        at: now,
        returned_at: None,
    };
    unit.tx.insert_hand_on(&row).await?;
    record(&mut unit, EventKind::SeatHandedOn, seat.person, &line, &row);
    tell(&mut unit, &line, &stage, &row).await?;
    route::reseat_line(&mut unit, line.id).await?;
    unit.commit().await
}

/// Gives a seat back to whom it belongs by the rule.
pub async fn hand_back(workflow: &Workflow, viewer: &Viewer, stage: StageId) -> Result<()> {
    people::again(|| hand_back_once(workflow, viewer, stage)).await
}

async fn hand_back_once(workflow: &Workflow, viewer: &Viewer, stage: StageId) -> Result<()> {
    let mut unit = workflow.unit().await?;
    let seated = decide::seated(&mut unit, viewer.id(), stage, &[]).await?;
    if seated.line.pending().is_over(unit.now) {
        return requests::lapsed(unit, &seated.line).await;
    }
    let (line, now) = (seated.line, unit.now);
    let row = unit
        .tx
        .hand_ons(stage)
        .await?
        .into_iter()
        .find(|row| row.to_id == viewer.id())
        .ok_or(Error::Missing)?;
    if !unit.tx.return_hand_on(row.id, now).await? {
        return Err(Error::Stale);
    }
    record(
        &mut unit,
        EventKind::SeatHandedBack,
        viewer.id(),
        &line,
        &row,
    );
    let labels = unit
        .tx
        .line_labels(line.beneficiary_id, line.package_id)
        .await?;
    let mail = Mail {
        kind: "handed_back",
        subject: format!(
            "Yours to decide again: {} for {}",
            labels.package, labels.person
        ),
        text: format!(
            "The decision on {} for {} (AR-{}) that you handed on was given back to you.",
            labels.package, labels.person, line.number
        ),
        path: format!("/approvals/{stage}"),
    };
    mail::queue(
        &mut unit,
        row.from_id,
        &format!("handed_back:{}", row.id),
        &mail,
    );
    route::reseat_line(&mut unit, line.id).await?;
    unit.commit().await
}

/// Tells the colleague, with the reason. It counts as the mail that everybody gets who is seated.
async fn tell(unit: &mut Unit, line: &LineRow, stage: &StageRow, row: &HandOnRow) -> Result<()> {
    let labels = unit
        .tx
        .line_labels(line.beneficiary_id, line.package_id)
        .await?;
    let giver = unit
        .tx
        .person(row.from_id)
        .await?
        .map(|person| person.name)
        .unwrap_or_default();
    let (person, package) = (labels.person, labels.package);
    let mail = Mail {
        kind: "decision_needed",
        subject: format!("Your decision is needed: {package} for {person}"),
        text: format!(
            "{giver} hands this decision on to you: {}\n{person} asks for {package}.\nReason: {}",
            row.reason, line.reason
        ),
        path: format!("/approvals/{}", stage.id),
    };
    mail::queue(unit, row.to_id, &format!("needed:{}", stage.id), &mail);
    Ok(())
}

fn record(unit: &mut Unit, kind: EventKind, actor: PersonId, line: &LineRow, row: &HandOnRow) {
    unit.record(
        Event::new(kind, unit.now, Actor::Person(actor))
            .about(line.id)
            .about(line.request_id)
            .about(row.stage_id)
            .about(row.id)
            .about(row.from_id)
            .about(row.to_id)
            .under(line.package_version_id)
            .changing(
                json!({"seat_of": if kind == EventKind::SeatHandedOn { row.from_id } else { row.to_id }}),
                json!({
                    "seat_of": if kind == EventKind::SeatHandedOn { row.to_id } else { row.from_id },
                    "reason": row.reason,
                }),
            ),
    );
}
