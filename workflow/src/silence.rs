//! What follows while nobody decides: reminders in working time, then others may decide as well, and at the line's pending
//! deadline it lapses. Silence never approves.

use std::collections::BTreeMap;

use domain::{
    LineId, StageId, Timestamp,
    approval::StageState,
    audit::{Actor, Event, EventKind},
    calendar::{Calendar, WorkingSpan, add_working},
    deadline::JobKind,
};
use serde_json::json;
use store::{
    jobs::{NewJob, Priority},
    requests::{LineRow, StageRow},
};

use crate::{
    Result, Unit,
    mail::{self, Mail},
    route,
};

/// Writes the deadlines of a stage that has just opened.
pub(crate) fn arm(unit: &mut Unit, stage: &StageRow) -> Result<()> {
    let rule = route::rule_of(stage)?;
    let now = unit.now;
    let reminder = job(JobKind::StageReminder, stage.id, rule.remind_after, now);
    unit.enqueue(&[reminder]);
    if let Some(span) = rule.escalate_after {
        let escalation = job(JobKind::StageEscalation, stage.id, span, now);
        unit.enqueue(&[escalation]);
    }
    Ok(())
}

fn job(kind: JobKind, stage: StageId, span: WorkingSpan, from: Timestamp) -> NewJob {
    NewJob {
        key: format!("{kind}:{stage}"),
        kind,
        subject: Some(stage.0),
        lane: None,
        priority: Priority::Low,
        due_at: add_working(from, span, &Calendar::default()),
    }
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
            let again = job(JobKind::StageReminder, stage.id, rule.remind_after, now);
            unit.enqueue(&[again]);
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
    // Seating anew may lead to a grant, so the persons are locked first, as whoever decides locks them.
    let mut persons = Vec::new();
    for id in ids {
        if let Some(line) = unit.tx.line_of_stage(*id).await? {
            persons.extend([line.asker_id, line.beneficiary_id]);
        }
    }
    persons.sort_unstable();
    persons.dedup();
    unit.tx.lock_persons(&persons).await?;
    for (line, stages) in open(unit, ids).await? {
        let mut seat_anew = false;
        for mut stage in stages {
            let now = unit.now;
            if line.pending().is_still(now) {
                if let Some(span) = route::rule_of(&stage)?.escalate_after {
                    let again = job(JobKind::StageEscalation, stage.id, span, now);
                    unit.enqueue(&[again]);
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
