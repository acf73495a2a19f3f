//! Standing in: a person, or their manager while they are away, says who decides beside them, from when until when and
//! what for. Whoever stands in is seated by [`crate::route`] and passes every exclusion; beginning and end are deadlines.

use domain::{
    DeputyId, PersonId, Refusal, Timestamp,
    audit::{Actor, Event, EventKind},
    deadline::JobKind,
    deputy::{Scope, Wanted, faults, may_arrange},
};
use serde_json::json;
use store::{
    deputies::DeputyRow,
    jobs::{Job, NewJob, Priority},
};

use crate::{
    Error, Result, Unit, Workflow,
    access::Viewer,
    mail::{self, Mail},
    people::again,
    route,
};

/// The most who stand in for one person at a time.
pub const MOST: i64 = 3;

/// Who is to stand in for whom.
#[derive(Clone, Copy, Debug)]
pub struct NewDeputy {
    /// For whom.
    pub person: PersonId,
    /// Who; none if nobody was chosen.
    pub deputy: Option<PersonId>,
    /// From; a moment that is past means now.
    pub from: Timestamp,
    /// Until.
    pub until: Timestamp,
    /// What for.
    pub scope: Scope,
}

/// Lets somebody stand in. For the person and for their manager; for others there is no such person.
pub async fn arrange(workflow: &Workflow, viewer: &Viewer, new: NewDeputy) -> Result<DeputyId> {
    again(|| arrange_once(workflow, viewer, new)).await
}

async fn arrange_once(workflow: &Workflow, viewer: &Viewer, new: NewDeputy) -> Result<DeputyId> {
    let mut unit = workflow.unit().await?;
    let mut both: Vec<PersonId> = new.deputy.into_iter().chain([new.person]).collect();
    both.sort_unstable();
    unit.tx.lock_persons(&both).await?;
    let now = unit.now;
    let person = unit
        .tx
        .person(new.person)
        .await?
        .ok_or(Error::Missing)?
        .into_domain();
    if !may_arrange(viewer.id(), &person) || !person.works_at(now) {
        return Err(Error::Missing);
    }
    let deputy = match new.deputy {
        Some(id) => unit.tx.person(id).await?,
        None => None,
    };
    let wanted = Wanted {
        from: new.from.max(now),
        until: new.until,
        scope: new.scope,
    };
    let deputy = deputy.map(store::people::PersonRow::into_domain);
    let mut refusals = faults(wanted, &person, deputy.as_ref(), now);
    if let Scope::Application(application) = wanted.scope
        && unit.tx.application_tag(application).await?.is_none()
    {
        return Err(Error::Missing);
    }
    let beside = unit
        .tx
        .count_deputies(person.id, wanted.from, wanted.until)
        .await?;
    if beside >= MOST {
        refusals.push(Refusal::DeputiesMany { most: MOST });
    }
    let (true, Some(deputy)) = (refusals.is_empty(), deputy) else {
        return Err(Error::Refused(refusals));
    };
    let (application_id, approvers) = wanted.scope.columns();
    let row = DeputyRow {
        id: unit.new_id(),
        person_id: person.id,
        deputy_id: deputy.id,
        from_at: wanted.from,
        until_at: wanted.until,
        application_id,
        approvers,
        made_by: viewer.id(),
        made_at: now,
        ended_at: None,
        ended_by: None,
    };
    unit.tx.insert_deputy(&row).await?;
    record(
        &mut unit,
        EventKind::DeputyMade,
        Actor::Person(viewer.id()),
        &row,
        "planned",
    );
    unit.enqueue(&[end_job(&row)]);
    let names = (person.name.as_str(), deputy.name.as_str());
    if row.from_at <= now {
        begin(&mut unit, &row).await?;
    } else {
        unit.enqueue(&[begin_job(&row)]);
    }
    tell_made(&mut unit, &row, names, viewer);
    unit.commit().await?;
    Ok(row.id)
}

/// Ends a deputyship before its time. For both sides, and for the manager of whoever is stood in for; for others there
/// is none.
pub async fn end(workflow: &Workflow, viewer: &Viewer, id: DeputyId) -> Result<()> {
    again(|| end_once(workflow, viewer, id)).await
}

async fn end_once(workflow: &Workflow, viewer: &Viewer, id: DeputyId) -> Result<()> {
    let mut unit = workflow.unit().await?;
    let row = unit.tx.deputy(id).await?.ok_or(Error::Missing)?;
    let mut both = [row.person_id, row.deputy_id];
    both.sort_unstable();
    unit.tx.lock_persons(&both).await?;
    let person = unit.tx.person(row.person_id).await?.ok_or(Error::Missing)?;
    let deputy = unit.tx.person(row.deputy_id).await?.ok_or(Error::Missing)?;
    let (name, stood_in) = (deputy.name, person.name.clone());
    if !may_arrange(viewer.id(), &person.into_domain()) && viewer.id() != row.deputy_id {
        return Err(Error::Missing);
    }
    let now = unit.now;
    if row.until_at <= now || !unit.tx.end_deputy(id, viewer.id(), now).await? {
        return Err(Refusal::WrongState {
            state: "over".into(),
        }
        .into());
    }
    unit.cancel(&begin_job(&row).key).await?;
    unit.cancel(&end_job(&row).key).await?;
    record(
        &mut unit,
        EventKind::DeputyChanged,
        Actor::Person(viewer.id()),
        &row,
        "ended",
    );
    reseat(&mut unit, &row).await?;
    let mail = Mail {
        kind: "deputy",
        subject: format!("{name} no longer stands in for {stood_in}"),
        text: format!("{name} no longer decides beside {stood_in}: it was ended early."),
        path: "/approvals/deputies".into(),
    };
    for whom in both.into_iter().filter(|whom| *whom != viewer.id()) {
        mail::queue(&mut unit, whom, &format!("deputy-ended:{id}"), &mail);
    }
    unit.commit().await
}

/// Does what is due: a deputyship begins, or is over. What was ended early meanwhile is left alone.
pub(crate) async fn due(unit: &mut Unit, jobs: &[Job]) -> Result<()> {
    let mut rows = Vec::new();
    for job in jobs {
        if let Some(id) = job.deputy()
            && let Some(row) = unit.tx.deputy(id).await?
        {
            rows.push((job.key == end_job(&row).key, row));
        }
    }
    let mut persons: Vec<PersonId> = rows
        .iter()
        .flat_map(|(_, row)| [row.person_id, row.deputy_id])
        .collect();
    persons.sort_unstable();
    persons.dedup();
    unit.tx.lock_persons(&persons).await?;
    let now = unit.now;
    for (at_end, row) in rows {
        // It may have been ended before the lock was had.
        let Some(row) = unit
            .tx
            .deputy(row.id)
            .await?
            .filter(|row| row.ended_at.is_none())
        else {
            continue;
        };
        match (at_end, now >= row.until_at) {
            (true, true) => {
                record(unit, EventKind::DeputyChanged, Actor::Portal, &row, "over");
                reseat(unit, &row).await?;
            }
            (true, false) => unit.enqueue(&[end_job(&row)]),
            // Over before it was begun: its end says so.
            (false, true) => {}
            (false, false) if now >= row.from_at => begin(unit, &row).await?,
            (false, false) => unit.enqueue(&[begin_job(&row)]),
        }
    }
    Ok(())
}

async fn begin(unit: &mut Unit, row: &DeputyRow) -> Result<()> {
    record(unit, EventKind::DeputyChanged, Actor::Portal, row, "begun");
    reseat(unit, row).await
}

async fn reseat(unit: &mut Unit, row: &DeputyRow) -> Result<()> {
    let lines = unit
        .tx
        .lines_of_deputy(row.person_id, row.deputy_id)
        .await?;
    unit.changed(row.person_id);
    unit.changed(row.deputy_id);
    route::reseat_lines(unit, lines).await
}

fn record(unit: &mut Unit, kind: EventKind, actor: Actor, row: &DeputyRow, state: &str) {
    let mut event = Event::new(kind, unit.now, actor)
        .about(row.id)
        .about(row.person_id)
        .about(row.deputy_id)
        .changing(
            serde_json::Value::Null,
            json!({
                "state": state, "for": row.person_id, "deputy": row.deputy_id, "from": row.from_at, "until": row.until_at,
                "application": row.application_id, "approvers": row.approvers,
            }),
        );
    if actor != Actor::Person(row.person_id) {
        event = event.for_person(row.person_id);
    }
    unit.record(event);
}

fn tell_made(unit: &mut Unit, row: &DeputyRow, (person, deputy): (&str, &str), viewer: &Viewer) {
    let (from, until) = (
        row.from_at.format("%-d %B %Y"),
        row.until_at.format("%-d %B %Y"),
    );
    let mail = Mail {
        kind: "deputy",
        subject: format!("{deputy} stands in for {person}"),
        text: format!(
            "{deputy} decides about access beside {person}, from {from} until {until}. Both can end it at any time."
        ),
        path: "/approvals/deputies".into(),
    };
    for whom in [row.person_id, row.deputy_id] {
        if whom != viewer.id() {
            mail::queue(unit, whom, &format!("deputy-made:{}", row.id), &mail);
        }
    }
}

fn begin_job(row: &DeputyRow) -> NewJob {
    job("begin", row.id, row.from_at)
}

fn end_job(row: &DeputyRow) -> NewJob {
    job("end", row.id, row.until_at)
}

fn job(what: &str, id: DeputyId, due_at: Timestamp) -> NewJob {
    NewJob {
        key: format!("deputy-{what}:{id}"),
        kind: JobKind::Deputy,
        subject: Some(id.0),
        lane: None,
        priority: Priority::Normal,
        due_at,
    }
}
