//! What follows while nobody decides: reminders in working time, then others may decide as well, then the end that the stage
//! says, and at the line's pending deadline it lapses. Silence never approves.

use std::collections::BTreeMap;

use domain::{
    LineId, StageId,
    approval::StageState,
    audit::{Actor, Event, EventKind},
    calendar::{Calendar, WorkingSpan, add_working},
    deadline::JobKind,
    policy::{SilenceEnd, StageRule},
    request::LineState,
};
use serde_json::json;
use store::{
    Tx,
    jobs::{NewJob, Priority},
    requests::{LineRow, StageRow},
};

use crate::{
    Error, Result, Unit,
    mail::{self, Mail},
    requests, route,
};

/// Writes the deadlines of a stage that has just opened and is seated with people who work by these calendars.
pub(crate) fn arm(unit: &mut Unit, stage: &StageRow, calendars: &[Calendar]) -> Result<()> {
    let rule = route::rule_of(stage)?;
    let id = stage.id;
    in_working_time(
        unit,
        JobKind::StageReminder,
        id,
        rule.remind_after,
        calendars,
    );
    if let Some(span) = rule.escalate_after {
        in_working_time(unit, JobKind::StageEscalation, id, span, calendars);
    }
    if let Some(silence) = rule.silence {
        in_working_time(unit, JobKind::StageSilence, id, silence.after, calendars);
    }
    Ok(())
}

/// Writes a deadline of a stage anew, so much working time from now, by the calendars of those who are seated in it.
async fn again(unit: &mut Unit, kind: JobKind, stage: StageId, span: WorkingSpan) -> Result<()> {
    let calendars = calendars(&mut unit.tx, stage).await?;
    in_working_time(unit, kind, stage, span, &calendars);
    Ok(())
}

/// Writes a deadline of a stage, so much working time from now: the latest by the calendars of those seated, so that
/// nobody's own working time is cut short. Whose country has no calendar works by the default one.
fn in_working_time(
    unit: &mut Unit,
    kind: JobKind,
    stage: StageId,
    span: WorkingSpan,
    calendars: &[Calendar],
) {
    let now = unit.now;
    let due = calendars
        .iter()
        .map(|calendar| add_working(now, span, calendar))
        .max();
    let job = NewJob {
        key: key(kind, stage),
        kind,
        subject: Some(stage.0),
        lane: None,
        priority: Priority::Low,
        due_at: due.unwrap_or_else(|| add_working(now, span, &Calendar::default())),
    };
    unit.enqueue(&[job]);
}

/// The key of a stage's job.
pub(crate) fn key(kind: JobKind, stage: StageId) -> String {
    format!("{kind}:{stage}")
}

/// The different calendars of those seated in a stage, at least one.
pub(crate) async fn calendars(tx: &mut Tx, stage: StageId) -> Result<Vec<Calendar>> {
    let mut found = Vec::new();
    for said in tx.calendars_of_stage(stage).await? {
        found.push(match said {
            Some(text) => serde_json::from_str(&text)?,
            None => Calendar::default(),
        });
    }
    if found.is_empty() {
        found.push(Calendar::default());
    }
    Ok(found)
}

/// Reminds whoever can decide in these stages and has not, and looks again after as long.
pub(crate) async fn remind(unit: &mut Unit, ids: &[StageId]) -> Result<()> {
    for (line, stages) in open(unit, ids).await? {
        let labels = unit
            .tx
            .line_labels(line.beneficiary_id, line.package_id)
            .await?;
        let decisions = unit.tx.decisions(line.id).await?;
        let seats = unit.tx.seats_of_line(line.id).await?;
        for stage in stages {
            let rule = route::rule_of(&stage)?;
            let now = unit.now;
            again(unit, JobKind::StageReminder, stage.id, rule.remind_after).await?;
            // While a question waits for the asker, it is not the deciders who are late.
            if line.pending().is_still(now) {
                continue;
            }
            let reminder = Mail {
                kind: "reminder",
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
            let key = format!("reminder:{}:{}", stage.id, now.timestamp_micros());
            for seat in seats.iter().filter(|seat| seat.stage_id == stage.id) {
                let voted = decisions
                    .iter()
                    .any(|vote| vote.stage_id == stage.id && vote.decider_id == seat.person_id);
                if !voted {
                    mail::queue(unit, seat.person_id, &key, &reminder);
                }
            }
        }
    }
    Ok(())
}

/// Lets those decide as well, in these stages, who would be asked if the ones whom the rule names could not.
pub(crate) async fn escalate(unit: &mut Unit, ids: &[StageId]) -> Result<()> {
    lock_parties(unit, ids).await?;
    for (line, stages) in open(unit, ids).await? {
        let mut seat_anew = false;
        for mut stage in stages {
            let now = unit.now;
            if line.pending().is_still(now) {
                if let Some(span) = route::rule_of(&stage)?.escalate_after {
                    again(unit, JobKind::StageEscalation, stage.id, span).await?;
                }
                continue;
            }
            if stage.escalated {
                continue;
            }
            stage.escalated = true;
            unit.tx.update_stage(&stage).await?;
            unit.record(
                Event::new(EventKind::StageEscalated, now, Actor::Portal)
                    .about(line.id)
                    .about(line.request_id)
                    .about(stage.id)
                    .under(line.package_version_id)
                    .because("nobody answered")
                    .changing(json!({"escalated": false}), json!({"escalated": true})),
            );
            seat_anew = true;
        }
        if seat_anew {
            route::reseat_lines(unit, [line.id]).await?;
        }
    }
    Ok(())
}

/// Ends the silence of these stages as each says: the line lapses or is denied, or the later stages decide.
pub(crate) async fn end(unit: &mut Unit, ids: &[StageId]) -> Result<()> {
    lock_parties(unit, ids).await?;
    for (line, stages) in open(unit, ids).await? {
        for mut stage in stages {
            let rules = route::rules_of(&unit.tx.stages(line.id).await?)?;
            let position = usize::try_from(stage.position)
                .map_err(|_| Error::internal("a stage before the first"))?;
            let Some(silence) = rules.get(position).and_then(|rule| rule.silence) else {
                continue;
            };
            let now = unit.now;
            if line.pending().is_still(now) {
                // The question that waits holds this clock as well; it begins anew.
                again(unit, JobKind::StageSilence, stage.id, silence.after).await?;
                continue;
            }
            match silence.end {
                SilenceEnd::PassOn if StageRule::may_pass_on(&rules, position) => {
                    // All that may follow from one line would make every caller's future as large.
                    Box::pin(route::pass_on(unit, &line, position)).await?;
                    continue;
                }
                SilenceEnd::Deny => {
                    route::unanswered(unit, &line, &mut stage, StageState::Unanswered).await?;
                    requests::end(
                        unit,
                        &line,
                        LineState::Denied,
                        Actor::Portal,
                        "nobody answered in time",
                    )
                    .await?;
                    route::tell_outcome(
                        unit,
                        &line,
                        "Denied",
                        "Nobody decided in time, and without an answer this package is denied. You may ask again.",
                    )
                    .await?;
                }
                SilenceEnd::Lapse | SilenceEnd::PassOn => {
                    requests::lapse_line(unit, &line).await?;
                }
            }
            break;
        }
    }
    Ok(())
}

/// Locks whom the lines of these stages are about, in the order of their ids, before any line is locked: as all others do.
async fn lock_parties(unit: &mut Unit, ids: &[StageId]) -> Result<()> {
    let mut persons = Vec::new();
    for id in ids {
        if let Some(line) = unit.tx.line_of_stage(*id).await? {
            persons.extend(requests::both(&line));
        }
    }
    persons.sort_unstable();
    persons.dedup();
    Ok(unit.tx.lock_persons(&persons).await?)
}

/// Those of these stages that are open on a line that waits, by line, which is locked.
async fn open(unit: &mut Unit, ids: &[StageId]) -> Result<Vec<(LineRow, Vec<StageRow>)>> {
    let mut lines: BTreeMap<LineId, Vec<StageId>> = BTreeMap::new();
    for id in ids {
        if let Some(line) = unit.tx.line_of_stage(*id).await? {
            lines.entry(line.id).or_default().push(*id);
        }
    }
    let mut found = Vec::new();
    for (id, wanted) in lines {
        let Some(line) = unit
            .tx
            .lock_line(id)
            .await?
            .filter(|line| !line.state.is_final() && !line.pending().is_over(unit.now))
        else {
            continue;
        };
        let stages: Vec<StageRow> = unit
            .tx
            .stages(id)
            .await?
            .into_iter()
            .filter(|stage| stage.state == StageState::Open && wanted.contains(&stage.id))
            .collect();
        if !stages.is_empty() {
            found.push((line, stages));
        }
    }
    Ok(found)
}
