//! Mass leaves: when the directory says that unusually many people left at once, nobody leaves until a human says that
//! it is right.
//!
//! The limit is the larger of a number and a share of everybody who works here. It counts what one reading of the
//! directory infers; it never holds back an end that is due or somebody named one by one.

use std::collections::BTreeSet;

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
    /// Wait for a human, all holds together.
    pub held: usize,
}

/// Lets people leave, or holds them if they are too many. `working` are those whom the same reading saw at work: a hold
/// that waits is no longer about them.
pub(crate) async fn let_leave(
    workflow: &Workflow,
    leavers: &[Leaver],
    working: &BTreeSet<PersonId>,
) -> Result<Outcome> {
    let waiting = release(workflow, working).await?;
    let held: BTreeSet<PersonId> = waiting.iter().map(|row| row.person_id).collect();
    let fresh: Vec<Leaver> = leavers
        .iter()
        .filter(|leaver| !held.contains(&leaver.person))
        .copied()
        .collect();
    let mut outcome = Outcome {
        left: 0,
        held: held.len(),
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
        leave::apply(workflow, leaver, leaver.cause.as_str()).await?;
        outcome.left += 1;
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

/// Takes those at work out of the hold that waits, and gives who is left in it. A hold about nobody is dismissed.
async fn release(workflow: &Workflow, working: &BTreeSet<PersonId>) -> Result<Vec<HeldRow>> {
    let mut tx = workflow.store().read().await?;
    let Some(hold) = tx.waiting_hold().await? else {
        return Ok(Vec::new());
    };
    let (back, rest): (Vec<HeldRow>, Vec<HeldRow>) = tx
        .hold_people(hold.id)
        .await?
        .into_iter()
        .partition(|row| working.contains(&row.person_id));
    drop(tx);
    if back.is_empty() {
        return Ok(rest);
    }
    let mut unit = workflow.unit().await?;
    for row in &back {
        unit.tx.delete_hold_person(hold.id, row.person_id).await?;
    }
    let counted = i64::try_from(rest.len()).unwrap_or(i64::MAX);
    if !unit.tx.recount_hold(hold.id, counted, hold.allowed).await? {
        // Decided at this very moment: what was confirmed is applied, and the next reading brings them back.
        return Ok(Vec::new());
    }
    let mut event = Event::new(EventKind::HoldPlaced, unit.now, Actor::Portal)
        .about(hold.id)
        .because("seen at work again")
        .changing(
            json!({"people": back.len() + rest.len()}),
            json!({"people": rest.len()}),
        );
    for row in &back {
        event = event.about(row.person_id);
    }
    unit.record(event);
    unit.changed("holds");
    unit.commit().await?;
    Ok(rest)
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
    let rows: Vec<HeldRow> = leavers
        .iter()
        .map(|leaver| HeldRow {
            hold_id: id,
            person_id: leaver.person,
            account_id: leaver.account,
            cause: leaver.cause,
            last_day_at: leaver.last_day_at,
            applied_at: None,
        })
        .collect();
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

/// Says that the people of a hold have indeed left, and lets them leave. Gives how many did.
///
/// For HR and administrators who are not among them.
pub async fn confirm(workflow: &Workflow, viewer: &Viewer, hold: HoldId) -> Result<usize> {
    decide(workflow, viewer, hold, HoldState::Confirmed).await?;
    resume(workflow).await
}

/// Says that the directory was wrong: nobody of the hold leaves. If the directory still says so at its next whole
/// reading, there will be another hold.
///
/// For HR and administrators who are not among them.
pub async fn dismiss(workflow: &Workflow, viewer: &Viewer, hold: HoldId) -> Result<()> {
    decide(workflow, viewer, hold, HoldState::Dismissed).await
}

async fn decide(workflow: &Workflow, viewer: &Viewer, id: HoldId, to: HoldState) -> Result<()> {
    viewer.must_have(&[PortalRole::Hr, PortalRole::Administrator])?;
    let mut unit = workflow.unit().await?;
    let hold = unit.tx.hold(id).await?.ok_or(Error::Missing)?;
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
    if !unit.tx.decide_hold(id, to, viewer.id(), unit.now).await? {
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

/// Applies what confirmed holds still owe: at the confirmation, and at the next reading if a stop came between. Gives how
/// many people left.
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
