//! What people do by hand at targets that no program reaches: a task is opened where a connector would write, and somebody's word
//! stands where a connector would read. A word is weaker than a read, and is said to be one.

use chrono::Duration;
use domain::{
    AssignmentId, EntitlementId, PersonId, Refusal, TaskId, Timestamp,
    audit::{Actor, Event, EventKind},
    deadline::JobKind,
    person::{PortalRole, effective_roles},
    request::{REASON_LEAST, TEXT_MOST},
    task::{TaskCall, TaskState, believed, doers},
};
use serde_json::json;
use store::{
    Tx,
    assignments::PlaceRow,
    jobs::{NewJob, Priority},
    people::PersonRow,
    tasks::{ConfirmationRow, NamedTaskRow, TaskRow},
};

use crate::{
    Error, Result, Unit, Workflow,
    access::{self, Viewer},
    assignments,
    chat::{self, Post},
    mail::{self, Mail},
    people::again,
};

/// After its due time somebody is reminded again so often.
const REMIND_EVERY: Duration = Duration::days(1);

/// A task that nobody has said anything about is looked at again so often at the latest.
pub const LOOK_EVERY: Duration = Duration::hours(6);

/// How a wish stands that somebody has to fulfil by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Somebody has to do it until then.
    Waits {
        /// The task.
        task: TaskId,
        /// Until when.
        due_at: Timestamp,
    },
    /// Somebody said that it cannot be done, and why.
    Cannot {
        /// The task.
        task: TaskId,
        /// What they wrote.
        why: String,
    },
    /// Somebody has said already that it is so.
    Fulfilled,
}

/// What somebody last said of a place, and what that makes us believe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// What is believed to be there.
    pub observed: domain::assignment::Observed,
    /// In words, without names.
    pub why: String,
}

/// What is believed to be at a place that no program reads.
pub async fn word(workflow: &Workflow, assignment: AssignmentId) -> Result<Word> {
    let mut tx = workflow.store().read().await?;
    let live = tx.live_task(assignment).await?.map(|task| task.call);
    let said = tx.confirmation(assignment).await?;
    let why = match (live, &said) {
        (Some(TaskCall::Remove), _) => "nobody has confirmed yet that it was taken away".to_owned(),
        (Some(TaskCall::Add), _) => "nobody has confirmed yet that it was given".to_owned(),
        (None, Some(said)) => format!(
            "somebody confirmed it by hand at {}",
            said.said_at.format("%Y-%m-%d %H:%M UTC")
        ),
        (None, None) => "nobody has said that it was given".to_owned(),
    };
    Ok(Word {
        observed: believed(live, said.map(|said| said.present)),
        why,
    })
}

/// Has somebody do this by hand: opens the task, or finds the one that is open. A task of the opposite is dropped, and what was
/// said before it is believed no longer, for it may be half done.
pub async fn wish(workflow: &Workflow, place: &PlaceRow, call: TaskCall) -> Result<Wish> {
    again(|| wish_once(workflow, place, call)).await
}

async fn wish_once(workflow: &Workflow, place: &PlaceRow, call: TaskCall) -> Result<Wish> {
    let mut unit = workflow.unit().await?;
    unit.tx.lock_persons(&[place.person_id]).await?;
    let now = unit.now;
    let opposed = match unit.tx.live_task(place.id).await? {
        Some(task) if task.call == call && task.state == TaskState::Cannot => {
            return Ok(Wish::Cannot {
                task: task.id,
                why: task.note,
            });
        }
        Some(task) if task.call == call => {
            return Ok(Wish::Waits {
                task: task.id,
                due_at: task.due_at,
            });
        }
        opposed => opposed,
    };
    if let Some(task) = opposed {
        close(&mut unit, &task, TaskState::Dropped, Actor::Provisioner, "").await?;
        unit.tx.forget_confirmation(place.id).await?;
    } else if let Some(said) = unit.tx.confirmation(place.id).await?
        && said.present == (call == TaskCall::Add)
    {
        return Ok(Wish::Fulfilled);
    }
    let right = unit
        .tx
        .right_by_hand(place.entitlement_id)
        .await?
        .ok_or(Error::Missing)?;
    let row = TaskRow {
        id: unit.new_id(),
        assignment_id: place.id,
        person_id: place.person_id,
        entitlement_id: place.entitlement_id,
        call,
        state: TaskState::Open,
        due_at: now + Duration::seconds(right.due_within_seconds.max(3600)),
        reminders: 0,
        created_at: now,
        closed_at: None,
        closed_by: None,
        note: String::new(),
    };
    unit.tx.insert_task(&row).await?;
    unit.record(
        event(EventKind::TaskOpened, now, Actor::Provisioner, &row).changing(
            serde_json::Value::Null,
            json!({"call": row.call, "due_at": row.due_at}),
        ),
    );
    changed(&mut unit, &row);
    unit.enqueue(&[job(&row, row.due_at)]);
    let people = doers_of(&mut unit.tx, now, row.person_id, row.entitlement_id).await?;
    let named = unit.tx.named_task(row.id).await?.ok_or(Error::Missing)?;
    let letter = letter(&named, "task", "Please do this by hand");
    for person in people {
        mail::queue(&mut unit, person, &format!("task:{}", row.id), &letter);
    }
    unit.commit().await?;
    Ok(Wish::Waits {
        task: row.id,
        due_at: row.due_at,
    })
}

/// Says that it is done. For whoever does it; never for whom it is about.
pub async fn done(workflow: &Workflow, viewer: &Viewer, id: TaskId, note: &str) -> Result<()> {
    again(|| say(workflow, viewer, id, TaskState::Done, note.trim())).await
}

/// Says that it cannot be done, and why. For whoever would do it.
pub async fn cannot(workflow: &Workflow, viewer: &Viewer, id: TaskId, why: &str) -> Result<()> {
    again(|| say(workflow, viewer, id, TaskState::Cannot, why.trim())).await
}

async fn say(
    workflow: &Workflow,
    viewer: &Viewer,
    id: TaskId,
    state: TaskState,
    note: &str,
) -> Result<()> {
    let mut unit = workflow.unit().await?;
    let seen = unit.tx.task(id).await?.ok_or(Error::Missing)?;
    unit.tx.lock_persons(&[seen.person_id]).await?;
    let task = unit.tx.task(id).await?.ok_or(Error::Missing)?;
    let now = unit.now;
    let viewer = access::viewer_in(&mut unit.tx, now, viewer.id(), viewer.account)
        .await?
        .ok_or(Error::Forbidden)?;
    if !doers_of(&mut unit.tx, now, task.person_id, task.entitlement_id)
        .await?
        .contains(&viewer.id())
    {
        return Err(Error::Missing);
    }
    if !task.state.is_live() {
        return Err(Refusal::WrongState {
            state: task.state.to_string(),
        }
        .into());
    }
    if state == TaskState::Cannot && note.chars().count() < REASON_LEAST {
        return Err(Refusal::ReasonTooShort {
            least: REASON_LEAST,
        }
        .into());
    }
    if note.chars().count() > TEXT_MOST {
        return Err(Refusal::TooLong {
            field: "note".into(),
            most: TEXT_MOST,
        }
        .into());
    }
    let me = viewer.id();
    close(&mut unit, &task, state, Actor::Person(me), note).await?;
    if state == TaskState::Done {
        unit.tx
            .save_confirmation(&ConfirmationRow {
                assignment_id: task.assignment_id,
                person_id: task.person_id,
                present: task.call == TaskCall::Add,
                via: "task".into(),
                said_by: me,
                said_at: now,
            })
            .await?;
    }
    // Whoever waits for it hears of it at once.
    if let Some(row) = unit.tx.assignment(task.assignment_id).await? {
        unit.enqueue(&[assignments::job(&row, now)]);
    }
    unit.commit().await
}

async fn close(
    unit: &mut Unit,
    task: &TaskRow,
    state: TaskState,
    actor: Actor,
    note: &str,
) -> Result<()> {
    let now = unit.now;
    let by = match actor {
        Actor::Person(person) => Some(person),
        Actor::Portal | Actor::Provisioner | Actor::Operator | Actor::Anonymous => None,
    };
    if !unit.tx.close_task(task.id, state, by, note, now).await? {
        return Err(Error::Stale);
    }
    if state != TaskState::Cannot {
        unit.cancel(&key(task.id)).await?;
    }
    unit.record(
        event(EventKind::TaskClosed, now, actor, task)
            .for_person(task.person_id)
            .changing(
                json!({"state": task.state}),
                json!({"state": state, "call": task.call, "note": note}),
            ),
    );
    changed(unit, task);
    Ok(())
}

/// Reminds whoever has not done it in time, and again each day. A right that should be gone by now is told to the operators'
/// channel as well.
pub(crate) async fn remind(unit: &mut Unit, ids: &[TaskId]) -> Result<()> {
    let now = unit.now;
    for id in ids {
        let Some(task) = unit.tx.task(*id).await?.filter(|task| task.state.is_live()) else {
            continue;
        };
        if task.due_at > now {
            unit.enqueue(&[job(&task, task.due_at)]);
            continue;
        }
        unit.tx.count_task_reminder(task.id).await?;
        let Some(named) = unit.tx.named_task(task.id).await? else {
            continue;
        };
        let letter = letter(&named, "task_overdue", "Overdue");
        for person in doers_of(&mut unit.tx, now, task.person_id, task.entitlement_id).await? {
            let key = format!("task:{}:{}", task.id, task.reminders);
            mail::queue(unit, person, &key, &letter);
        }
        if task.call == TaskCall::Remove {
            let post = Post {
                title: "A right that has ended is not taken away yet".into(),
                text: "It is taken away by hand, and whoever does it has not said that it is done. The page says which and by whom.".into(),
                path: format!("/tasks/{}", task.id),
            };
            chat::queue(unit, &format!("task:{}", task.id), &post);
        }
        unit.enqueue(&[job(&task, now + REMIND_EVERY)]);
        changed(unit, &task);
    }
    Ok(())
}

/// Who does by hand what concerns this right of somebody, now.
pub(crate) async fn doers_of(
    tx: &mut Tx,
    now: Timestamp,
    beneficiary: PersonId,
    right: EntitlementId,
) -> Result<Vec<PersonId>> {
    let owner = tx
        .right_by_hand(right)
        .await?
        .and_then(|right| right.owner_id);
    let packages = tx.owners_of_packages_with(right).await?;
    let rows = tx.roles_of_holders(PortalRole::Operator).await?;
    let mut operators: Vec<PersonId> = rows.iter().map(|row| row.person_id).collect();
    operators.sort_unstable();
    operators.dedup();
    operators.retain(|person| {
        let held: Vec<PortalRole> = rows
            .iter()
            .filter(|row| row.person_id == *person)
            .map(|row| row.role)
            .collect();
        effective_roles(&held).0.contains(&PortalRole::Operator)
    });
    let mut named: Vec<PersonId> = owner.into_iter().chain(packages.iter().copied()).collect();
    named.extend(&operators);
    named.sort_unstable();
    named.dedup();
    let here: Vec<PersonId> = tx
        .persons(&named)
        .await?
        .into_iter()
        .map(PersonRow::into_domain)
        .filter(|person| person.works_at(now))
        .map(|person| person.id)
        .collect();
    let working = |people: &[PersonId]| -> Vec<PersonId> {
        people
            .iter()
            .copied()
            .filter(|person| here.contains(person))
            .collect()
    };
    let owner = owner.filter(|owner| here.contains(owner));
    let found = doers(
        beneficiary,
        owner,
        &working(&packages),
        &working(&operators),
    );
    Ok(found.into_iter().collect())
}

fn key(id: TaskId) -> String {
    format!("task:{id}")
}

fn job(task: &TaskRow, due_at: Timestamp) -> NewJob {
    NewJob {
        key: key(task.id),
        kind: JobKind::Task,
        subject: Some(task.id.0),
        lane: None,
        priority: Priority::Low,
        due_at,
    }
}

fn event(kind: EventKind, now: Timestamp, actor: Actor, task: &TaskRow) -> Event {
    Event::new(kind, now, actor)
        .about(task.id)
        .about(task.person_id)
        .about(task.assignment_id)
        .about(task.entitlement_id)
        .because(task.assignment_id)
}

fn changed(unit: &mut Unit, task: &TaskRow) {
    unit.changed("tasks");
    unit.changed("provisioning");
    unit.changed(task.person_id);
}

fn letter(task: &NamedTaskRow, kind: &'static str, lead: &str) -> Mail {
    let (what, whom) = match task.call {
        TaskCall::Add => ("Give", "to"),
        TaskCall::Remove => ("Take", "away from"),
    };
    let subject = match task.call {
        TaskCall::Add => format!("{lead}: {} for {}", task.entitlement_name, task.person_name),
        TaskCall::Remove => format!(
            "{lead}: take {} away from {}",
            task.entitlement_name, task.person_name
        ),
    };
    Mail {
        kind,
        subject,
        text: format!(
            "{what} {} ({}) {whom} {} ({}) until {}, and say on the page that it is done.\n{}",
            task.entitlement_name,
            task.target_name,
            task.person_name,
            task.account_name,
            task.due_at.format("%-d %B %Y %H:%M UTC"),
            task.instructions
        ),
        path: format!("/tasks/{}", task.id),
    }
}
