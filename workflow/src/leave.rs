//! A leave: everything that a person holds, waits for and decides ends in one transaction.

use domain::{
    AccountId, PersonId, Timestamp,
    audit::{Actor, Event, EventKind},
    deadline::JobKind,
    grant::EndReason,
    person::PersonState,
};
use serde_json::json;
use store::{
    directory::LeaveCause,
    jobs::{NewJob, Priority},
    roles::RoleSource,
};

use crate::{Error, Result, Unit, Workflow, grants, people, requests, reviews, route};

/// One person whom the directory takes to have left, or to leave earlier than was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaver {
    /// Who.
    pub person: PersonId,
    /// The account that the directory speaks of.
    pub account: AccountId,
    /// What it says.
    pub cause: LeaveCause,
    /// The last day that it gives.
    pub last_day_at: Option<Timestamp>,
}

/// Lets a person leave: sessions end, portal roles go, open requests withdraw, grants end (imports too), and the seats
/// in which they would decide are filled anew. Nothing if they have left already.
///
/// Locks the person. `cause` is a word or a printed id for the audit log.
pub async fn leave(unit: &mut Unit, person: PersonId, actor: Actor, cause: &str) -> Result<()> {
    unit.tx.lock_persons(&[person]).await?;
    let mut row = unit.tx.person(person).await?.ok_or(Error::Missing)?;
    if row.state == PersonState::Left {
        return Ok(());
    }
    row.state = PersonState::Left;
    row.left_at = Some(unit.now);
    row.updated_at = unit.now;
    unit.tx.update_person(&row).await?;
    unit.record(
        Event::new(EventKind::PersonLeft, unit.now, actor)
            .about(person)
            .because(cause)
            .changing(
                json!({"state": PersonState::Active}),
                json!({"state": PersonState::Left}),
            ),
    );
    people::end_sessions_in(unit, person, actor, cause).await?;
    take_roles(unit, person, cause).await?;
    requests::withdraw_of_person(unit, person, cause).await?;
    grants::end_all_of_person(unit, person, EndReason::Leaver).await?;
    route::reseat_for(unit, person).await?;
    reviews::reviewer_left(unit, person).await?;
    unit.changed(person);
    unit.changed("people");
    Ok(())
}

/// Writes the deadline of a person's last day. An existing one looks at the person's row when it comes due.
pub(crate) fn arm(unit: &mut Unit, person: PersonId, last_day_at: Timestamp) {
    unit.enqueue(&[NewJob {
        key: format!("leave:{person}"),
        kind: JobKind::Leave,
        subject: Some(person.0),
        lane: None,
        priority: Priority::Removal,
        due_at: last_day_at,
    }]);
}

/// Lets those leave whose last day is over. One that moved later is armed again; one that is no more is left alone. Due
/// ends are not counted against any limit.
pub(crate) async fn due(unit: &mut Unit, ids: &[PersonId]) -> Result<()> {
    unit.tx.lock_persons(ids).await?;
    for row in unit.tx.persons(ids).await? {
        match row.last_day_at {
            Some(last) if row.state == PersonState::Active && last > unit.now => {
                arm(unit, row.id, last);
            }
            Some(_) => leave(unit, row.id, Actor::Portal, LeaveCause::LastDay.as_str()).await?,
            None => {}
        }
    }
    Ok(())
}

/// Applies what the directory says of one leaver, in a transaction of its own. False if they are still there: their last
/// day is to come.
pub(crate) async fn apply(workflow: &Workflow, leaver: Leaver, cause: &str) -> Result<bool> {
    people::again(|| async move {
        let mut unit = workflow.unit().await?;
        let left = apply_in(&mut unit, leaver, cause).await?;
        unit.commit().await?;
        Ok(left)
    })
    .await
}

/// As [`apply`], inside a transaction.
pub(crate) async fn apply_in(unit: &mut Unit, leaver: Leaver, cause: &str) -> Result<bool> {
    unit.tx.lock_persons(&[leaver.person]).await?;
    let mut account = unit
        .tx
        .account(leaver.account)
        .await?
        .ok_or(Error::Missing)?;
    let before = (account.enabled, account.deleted);
    match leaver.cause {
        LeaveCause::Disabled => account.enabled = false,
        LeaveCause::Deleted => {
            account.enabled = false;
            account.deleted = true;
        }
        LeaveCause::LastDay => {}
    }
    if (account.enabled, account.deleted) != before {
        account.updated_at = unit.now;
        unit.tx.update_account(&account).await?;
        unit.record(
            Event::new(EventKind::AccountChanged, unit.now, Actor::Portal)
                .about(account.id)
                .about(account.person_id)
                .because(cause)
                .changing(
                    json!({"enabled": before.0, "deleted": before.1}),
                    json!({"enabled": account.enabled, "deleted": account.deleted}),
                ),
        );
    }
    if let (LeaveCause::LastDay, Some(last_day_at)) = (leaver.cause, leaver.last_day_at) {
        set_last_day(unit, leaver.person, last_day_at, cause).await?;
        if last_day_at > unit.now {
            return Ok(false);
        }
    }
    leave(unit, leaver.person, Actor::Portal, cause).await?;
    Ok(true)
}

/// Writes an earlier last day, and brings the ends of all grants forward with it.
async fn set_last_day(
    unit: &mut Unit,
    id: PersonId,
    last_day_at: Timestamp,
    cause: &str,
) -> Result<()> {
    let mut person = unit.tx.person(id).await?.ok_or(Error::Missing)?;
    if person.last_day_at == Some(last_day_at) {
        return Ok(());
    }
    let before = person.last_day_at;
    person.last_day_at = Some(last_day_at);
    person.updated_at = unit.now;
    unit.tx.update_person(&person).await?;
    unit.record(
        Event::new(EventKind::PersonChanged, unit.now, Actor::Portal)
            .about(id)
            .because(cause)
            .changing(
                json!({"last_day_at": before}),
                json!({"last_day_at": last_day_at}),
            ),
    );
    unit.changed(id);
    if last_day_at > unit.now {
        grants::cap_for_person(unit, id).await?;
    }
    Ok(())
}

async fn take_roles(unit: &mut Unit, person: PersonId, cause: &str) -> Result<()> {
    for account in unit.tx.accounts_of(person).await? {
        let mut rows = unit.tx.roles_of_account(account.id).await?;
        // Roles by grant go with their grants.
        rows.retain(|row| row.source != RoleSource::Grant);
        if rows.is_empty() {
            continue;
        }
        for row in &rows {
            unit.tx
                .delete_role(account.id, row.role, row.source)
                .await?;
        }
        let held: Vec<_> = rows.iter().map(|row| row.role).collect();
        unit.record(
            Event::new(EventKind::RolesChanged, unit.now, Actor::Portal)
                .about(person)
                .about(account.id)
                .because(cause)
                .changing(json!({"roles": held}), json!({"roles": []})),
        );
    }
    Ok(())
}
