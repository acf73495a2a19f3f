//! Who has a word in an exception, worked out anew each time from who stands where.

use domain::{
    PersonId, Timestamp,
    approval::Candidate,
    exception::{ExceptionBar, ExceptionState, Parties, acceptor, bar},
    person::{PortalRole, effective_roles},
};
use store::{Tx, conflicts::ConflictRow, exceptions::ExceptionRow, people::PersonRow};

use crate::{Result, Unit, access::Viewer};

const fn parties(row: &ExceptionRow) -> Parties {
    Parties {
        person: row.person_id,
        proposer: row.proposed_by,
        acceptor: row.accepted_by,
    }
}

/// The person who accepts a proposal: the rule's business owner, or the nearest above them who may.
pub(crate) async fn acceptor_of(
    tx: &mut Tx,
    now: Timestamp,
    row: &ExceptionRow,
    rule: &ConflictRow,
) -> Result<Option<PersonId>> {
    let mut chain = vec![rule.owner_id];
    for above in tx.managers_above(&[rule.owner_id]).await? {
        if !chain.contains(&above.above_id) {
            chain.push(above.above_id);
        }
    }
    let chain = candidates(tx, &chain, now).await?;
    Ok(acceptor(&chain, &parties(row)))
}

/// Where an exception from a rule stands for a person who has none in force, and whose word it needs next.
#[derive(Debug)]
pub(crate) struct Next {
    /// The one that waits; none if nobody proposed it yet.
    pub exception: Option<ExceptionRow>,
    /// Who accepts it, who confirms it, or who can propose it besides the person and security.
    pub who: Vec<PersonId>,
}

/// Whose word an exception needs next.
pub(crate) async fn next(
    tx: &mut Tx,
    now: Timestamp,
    person: PersonId,
    rule: &ConflictRow,
) -> Result<Next> {
    let exception = tx
        .open_exceptions_of(&[person])
        .await?
        .into_iter()
        .find(|row| row.conflict_id == rule.id && row.state != ExceptionState::Live);
    let who = match &exception {
        Some(row) if row.state == ExceptionState::Proposed => {
            acceptor_of(tx, now, row, rule).await?.into_iter().collect()
        }
        Some(row) => confirmers(tx, now, row).await?,
        None => {
            let manager = tx.person(person).await?.and_then(|row| row.manager_id);
            let asked: Vec<PersonId> = manager.into_iter().chain([rule.owner_id]).collect();
            candidates(tx, &asked, now)
                .await?
                .into_iter()
                .filter(|one| one.active && one.person != person)
                .map(|one| one.person)
                .collect()
        }
    };
    Ok(Next { exception, who })
}

/// Who may confirm one for security.
async fn confirmers(tx: &mut Tx, now: Timestamp, row: &ExceptionRow) -> Result<Vec<PersonId>> {
    let security = security(tx).await?;
    Ok(candidates(tx, &security, now)
        .await?
        .into_iter()
        .filter(|candidate| bar(candidate, &parties(row)).is_none())
        .map(|candidate| candidate.person)
        .collect())
}

/// Whether somebody confirms for security: the role counts for them, and nothing bars them.
pub(crate) async fn may_confirm(
    tx: &mut Tx,
    now: Timestamp,
    viewer: &Viewer,
    row: &ExceptionRow,
) -> Result<bool> {
    if !viewer.has(PortalRole::Security) {
        return Ok(false);
    }
    let found = candidates(tx, &[viewer.id()], now).await?;
    Ok(found
        .iter()
        .any(|candidate| bar(candidate, &parties(row)).is_none()))
}

/// What bars somebody who would otherwise have a word: the business owner, or a member of security.
pub(super) async fn barred(
    unit: &mut Unit,
    viewer: &Viewer,
    row: &ExceptionRow,
    rule: &ConflictRow,
) -> Result<Option<ExceptionBar>> {
    if rule.owner_id != viewer.id() && !viewer.has(PortalRole::Security) {
        return Ok(None);
    }
    let now = unit.now;
    let found = candidates(&mut unit.tx, &[viewer.id()], now).await?;
    Ok(found
        .first()
        .and_then(|candidate| bar(candidate, &parties(row))))
}

/// Everybody for whom the role security counts.
pub(crate) async fn security(tx: &mut Tx) -> Result<Vec<PersonId>> {
    let rows = tx.roles_of_holders(PortalRole::Security).await?;
    let mut people: Vec<PersonId> = rows.iter().map(|row| row.person_id).collect();
    people.sort_unstable();
    people.dedup();
    people.retain(|person| {
        let held: Vec<PortalRole> = rows
            .iter()
            .filter(|row| row.person_id == *person)
            .map(|row| row.role)
            .collect();
        effective_roles(&held).0.contains(&PortalRole::Security)
    });
    Ok(people)
}

/// What the rules need to know of these people, in their order.
async fn candidates(tx: &mut Tx, ids: &[PersonId], now: Timestamp) -> Result<Vec<Candidate>> {
    let people: Vec<PersonRow> = tx.persons(ids).await?;
    let above = tx.managers_above(ids).await?;
    let roles = tx.roles_of(ids).await?;
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        let Some(row) = people.iter().find(|row| row.id == *id) else {
            continue;
        };
        let held: Vec<PortalRole> = roles
            .iter()
            .filter(|role| role.person_id == *id)
            .map(|role| role.role)
            .collect();
        found.push(Candidate {
            person: *id,
            active: row.clone().into_domain().works_at(now),
            runs_portal: effective_roles(&held)
                .0
                .into_iter()
                .any(PortalRole::runs_portal),
            above: above
                .iter()
                .filter(|one| one.person_id == *id && one.above_id != *id)
                .map(|one| one.above_id)
                .collect(),
        });
    }
    Ok(found)
}
