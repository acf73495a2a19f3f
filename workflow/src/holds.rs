//! Mass leaves: when the directory says that unusually many people left at once, or have an earlier last day all of a
//! sudden, nothing of it happens until a human says that it is right.
//!
//! The limit is the larger of a number and a share of everybody who works here. It counts what one reading of the
//! directory infers; it never holds back an end that is due or somebody named one by one.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    HoldId, PersonId, Refusal,
    audit::{Actor, Event, EventKind},
    person::PortalRole,
    refusal::DeciderBar,
};
use serde_json::json;
use store::directory::{HeldRow, HoldRow, HoldState};

use crate::{Error, Result, Unit, Workflow, access::Viewer, leave, leave::Leaver, people::again};

/// What became of those whom a reading takes to have left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Left.
    pub left: usize,
    /// Have an earlier last day.
    pub capped: usize,
    /// Wait for a human, all holds together.
    pub held: usize,
}

/// Lets people leave, now or on an earlier last day, or holds them if they are too many. `working` are those whom the same
/// reading saw at work: a hold that waits is no longer about them, unless their last day is to come.
pub(crate) async fn let_leave(
    workflow: &Workflow,
    leavers: &[Leaver],
    working: &BTreeSet<PersonId>,
) -> Result<Outcome> {
    let told: BTreeMap<PersonId, &Leaver> = leavers
        .iter()
        .map(|leaver| (leaver.person, leaver))
        .collect();
    let waiting = again(|| release(workflow, &told, working)).await?;
    let held: BTreeSet<PersonId> = waiting.iter().map(|row| row.person_id).collect();
    let fresh: Vec<Leaver> = leavers
        .iter()
        .filter(|leaver| !held.contains(&leaver.person))
        .copied()
        .collect();
    let mut outcome = Outcome {
        held: held.len(),
        ..Outcome::default()
    };
    if fresh.is_empty() {
        return Ok(outcome);
    }
    let allowed = allowed(workflow).await?;
    if fresh.len() > allowed {
        outcome.held += fresh.len();
        again(|| place(workflow, &fresh, allowed)).await?;
        return Ok(outcome);
    }
    for leaver in fresh {
        if leave::apply(workflow, leaver, leaver.cause.as_str()).await? {
            outcome.left += 1;
        } else {
            outcome.capped += 1;
        }
    }
    Ok(outcome)
}

/// How many may leave at once without asking.
async fn allowed(workflow: &Workflow) -> Result<usize> {
    let mut tx = workflow.store().read().await?;
    let active = usize::try_from(tx.count_active_people().await?).unwrap_or(0);
    let settings = workflow.settings();
    let share = active * settings.mass_leave_percent as usize / 100;
    Ok(share.max(settings.mass_leave_least as usize))
}

/// Brings the hold that waits up to date with a reading, and gives who is in it: those at work are taken out, what is
/// said of the others is as the directory says it now. A hold about nobody is dismissed.
async fn release(
    workflow: &Workflow,
    told: &BTreeMap<PersonId, &Leaver>,
    working: &BTreeSet<PersonId>,
) -> Result<Vec<HeldRow>> {
    let mut tx = workflow.store().read().await?;
    let Some(HoldRow { id, .. }) = tx.waiting_hold().await? else {
        return Ok(Vec::new());
    };
    drop(tx);
    let mut unit = workflow.unit().await?;
    let Some(hold) = unit
        .tx
        .lock_hold(id)
        .await?
        .filter(|hold| hold.state == HoldState::Waiting)
    else {
        // Decided at this very moment: what was confirmed is applied, and the next reading brings them back.
        return Ok(Vec::new());
    };
    let (mut back, mut rest) = (Vec::new(), Vec::new());
    let mut renewed = Vec::new();
    for row in unit.tx.hold_people(id).await? {
        match told.get(&row.person_id) {
            Some(leaver) if held(id, leaver) == row => rest.push(row),
            Some(leaver) => {
                renewed.push(held(id, leaver));
                rest.push(held(id, leaver));
            }
            None if working.contains(&row.person_id) => back.push(row.person_id),
            None => rest.push(row),
        }
    }
    if back.is_empty() && renewed.is_empty() {
        return Ok(rest);
    }
    let gone = back.iter().chain(renewed.iter().map(|row| &row.person_id));
    for person in gone {
        unit.tx.delete_hold_person(id, *person).await?;
    }
    unit.tx.insert_hold_people(&renewed).await?;
    let counted = i64::try_from(rest.len()).unwrap_or(i64::MAX);
    unit.tx.recount_hold(id, counted, hold.allowed).await?;
    let mut event = Event::new(EventKind::HoldPlaced, unit.now, Actor::Portal)
        .about(id)
        .because(if back.is_empty() {
            "the directory says otherwise of some"
        } else {
            "seen at work again"
        })
        .changing(
            json!({"people": back.len() + rest.len()}),
            json!({"people": rest.len()}),
        );
    for person in back.iter().chain(renewed.iter().map(|row| &row.person_id)) {
        event = event.about(*person);
    }
    unit.record(event);
    if rest.is_empty() {
        let now = unit.now;
        unit.tx.dismiss_empty_hold(id, now).await?;
        unit.record(
            Event::new(EventKind::HoldDecided, now, Actor::Portal)
                .about(id)
                .because("everybody was seen at work again")
                .changing(
                    json!({"state": HoldState::Waiting}),
                    json!({"state": HoldState::Dismissed, "people": 0}),
                ),
        );
    }
    unit.changed("holds");
    unit.commit().await?;
    Ok(rest)
}

/// A leaver as a row of a hold.
fn held(hold: HoldId, leaver: &Leaver) -> HeldRow {
    HeldRow {
        hold_id: hold,
        person_id: leaver.person,
        account_id: leaver.account,
        cause: leaver.cause,
        last_day_at: leaver.last_day_at,
        applied_at: None,
    }
}

async fn place(workflow: &Workflow, leavers: &[Leaver], allowed: usize) -> Result<()> {
    let mut unit = workflow.unit().await?;
    let waiting = unit.tx.waiting_hold().await?;
    let before = match &waiting {
        Some(hold) => usize::try_from(hold.counted).unwrap_or(0),
        None => 0,
    };
    let total = before + leavers.len();
    let counted = i64::try_from(total).unwrap_or(i64::MAX);
    let limit = i64::try_from(allowed).unwrap_or(i64::MAX);
    let id: HoldId = if let Some(hold) = waiting {
        if !unit.tx.recount_hold(hold.id, counted, limit).await? {
            return Err(Error::Stale);
        }
        hold.id
    } else {
        let row = HoldRow {
            id: unit.new_id(),
            kind: "mass_leave".into(),
            state: HoldState::Waiting,
            placed_at: unit.now,
            counted,
            allowed: limit,
            decided_by: None,
            decided_at: None,
        };
        unit.tx.insert_hold(&row).await?;
        row.id
    };
    let rows: Vec<HeldRow> = leavers.iter().map(|leaver| held(id, leaver)).collect();
    unit.tx.insert_hold_people(&rows).await?;
    let mut event = Event::new(EventKind::HoldPlaced, unit.now, Actor::Portal)
        .about(id)
        .because("more leaves at once than may go unasked")
        .changing(
            json!({"people": before}),
            json!({"people": total, "allowed": allowed}),
        );
    for leaver in leavers {
        event = event.about(leaver.person);
    }
    unit.record(event);
    unit.changed("holds");
    unit.commit().await
}

/// Says that the people of a hold have indeed left, and lets them leave, or gives them their earlier last day. Gives how
/// many. `seen` is the version of the hold that the page showed: nobody confirms people whom they did not see.
///
/// For HR and administrators who are not among them.
pub async fn confirm(
    workflow: &Workflow,
    viewer: &Viewer,
    hold: HoldId,
    seen: i64,
) -> Result<usize> {
    decide(workflow, viewer, (hold, seen), HoldState::Confirmed).await?;
    resume(workflow).await
}

/// Says that the directory was wrong: nobody of the hold leaves. If the directory still says so at its next whole
/// reading, there will be another hold.
///
/// For HR and administrators who are not among them.
pub async fn dismiss(workflow: &Workflow, viewer: &Viewer, hold: HoldId, seen: i64) -> Result<()> {
    decide(workflow, viewer, (hold, seen), HoldState::Dismissed).await
}

async fn decide(
    workflow: &Workflow,
    viewer: &Viewer,
    (id, seen): (HoldId, i64),
    to: HoldState,
) -> Result<()> {
    viewer.must_have(&[PortalRole::Hr, PortalRole::Administrator])?;
    let mut unit = workflow.unit().await?;
    // Nobody is added from here on, so that the viewer is not either.
    let hold = unit.tx.lock_hold(id).await?.ok_or(Error::Missing)?;
    let people = unit.tx.hold_people(id).await?;
    if people.iter().any(|row| row.person_id == viewer.id()) {
        return Err(Refusal::MayNotDecide {
            why: DeciderBar::Beneficiary,
        }
        .into());
    }
    if hold.state != HoldState::Waiting {
        return Err(Refusal::WrongState {
            state: hold.state.to_string(),
        }
        .into());
    }
    let now = unit.now;
    if hold.version != seen || !unit.tx.decide_hold(id, to, viewer.id(), now).await? {
        return Err(Error::Stale);
    }
    unit.record(
        Event::new(EventKind::HoldDecided, unit.now, Actor::Person(viewer.id()))
            .about(id)
            .changing(
                json!({"state": HoldState::Waiting}),
                json!({"state": to, "people": people.len()}),
            ),
    );
    unit.changed("holds");
    unit.commit().await
}

/// Applies what confirmed holds still owe: at the confirmation, and at the next reading if a stop came between. Gives to
/// how many people.
pub async fn resume(workflow: &Workflow) -> Result<usize> {
    let mut tx = workflow.store().read().await?;
    let owed = tx.unapplied_hold_people().await?;
    drop(tx);
    for row in &owed {
        again(|| async move {
            let mut unit = workflow.unit().await?;
            apply_held(&mut unit, row).await?;
            unit.commit().await
        })
        .await?;
    }
    Ok(owed.len())
}

async fn apply_held(unit: &mut Unit, row: &HeldRow) -> Result<()> {
    let leaver = Leaver {
        person: row.person_id,
        account: row.account_id,
        cause: row.cause,
        last_day_at: row.last_day_at,
    };
    leave::apply_in(unit, leaver, &row.hold_id.to_string()).await?;
    unit.tx
        .mark_hold_applied(row.hold_id, row.person_id, unit.now)
        .await?;
    Ok(())
}
