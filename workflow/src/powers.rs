//! The portal's own powers as rights of the catalogue: which roles exclude each other when one is asked for, approved and
//! begun, and that an administrator remains.
//!
//! What is granted here and what the directory and the configuration say are looked at together.

use std::collections::BTreeSet;

use domain::{
    GrantId, PersonId, Refusal, Timestamp,
    grant::GrantState,
    person::{PortalRole, effective_roles, first_clash},
};
use store::{
    Tx,
    grants::GrantRow,
    roles::{RoleRow, RoleSource},
};

use crate::{Result, Unit, conflicts::Added};

/// The first of the roles that would be given that excludes one that the person holds meanwhile, with that one. Where it
/// decides anything the person is locked, so that of two that are approved in the same instant the second sees the first.
pub(crate) async fn against(
    tx: &mut Tx,
    added: &Added,
    now: Timestamp,
) -> Result<Option<(PortalRole, PortalRole)>> {
    if added.plain {
        return Ok(None);
    }
    let gets: Vec<PortalRole> = tx
        .portal_roles_of(&added.rights)
        .await?
        .into_iter()
        .map(|row| row.role)
        .collect();
    if gets.is_empty() {
        return Ok(None);
    }
    let mut holds: Vec<PortalRole> = tx
        .roles_of_person(added.person)
        .await?
        .into_iter()
        .filter(|row| row.source != RoleSource::Grant)
        .map(|row| row.role)
        .collect();
    let rights: Vec<_> = tx
        .held_rights(&[added.person], now)
        .await?
        .into_iter()
        .filter(|row| added.meets(row))
        .map(|row| row.entitlement_id)
        .collect();
    holds.extend(
        tx.portal_roles_of(&rights)
            .await?
            .into_iter()
            .map(|row| row.role),
    );
    Ok(first_clash(&gets, &holds))
}

/// Refuses to end these grants by somebody's hand if nobody would be administrator any more.
///
/// What ends by time, by a leave or by the kill switch ends all the same: the configuration is the way back.
pub(crate) async fn administrator_remains(unit: &mut Unit, grants: &[GrantRow]) -> Result<()> {
    let ids: BTreeSet<GrantId> = grants.iter().map(|grant| grant.id).collect();
    let rights = administrator_rights(unit, &ids).await?;
    if rights.is_empty() {
        return Ok(());
    }
    let holders = unit.tx.roles_of_holders(PortalRole::Administrator).await?;
    let mut people: Vec<PersonId> = holders.iter().map(|row| row.person_id).collect();
    people.sort_unstable();
    people.dedup();
    // Of two who give the role back in the same instant the second sees the first.
    unit.tx.lock_persons(&people).await?;
    let holders = unit.tx.roles_of_holders(PortalRole::Administrator).await?;
    let now = unit.now;
    let kept: BTreeSet<_> = unit
        .tx
        .held_rights(&people, now)
        .await?
        .into_iter()
        .filter(|row| row.state == GrantState::Active && !ids.contains(&row.grant_id))
        .filter(|row| rights.contains(&row.entitlement_id))
        .map(|row| row.account_id)
        .collect();
    let stays = |row: &&RoleRow| {
        row.role == PortalRole::Administrator
            && (row.source != RoleSource::Grant || kept.contains(&row.account_id))
    };
    let remains = people.iter().any(|person| {
        let own: Vec<&RoleRow> = holders
            .iter()
            .filter(|row| row.person_id == *person)
            .collect();
        let roles: Vec<PortalRole> = own.iter().map(|row| row.role).collect();
        effective_roles(&roles)
            .0
            .contains(&PortalRole::Administrator)
            && own.iter().any(&stays)
    });
    let counted = holders.iter().any(|row| {
        row.role == PortalRole::Administrator
            && row.source == RoleSource::Grant
            && grants
                .iter()
                .any(|grant| grant.account_id == row.account_id)
    });
    // What opens nothing (it has not begun, or is held back) takes nobody's administrator away.
    if counted && !remains {
        return Err(Refusal::LastAdministrator.into());
    }
    Ok(())
}

async fn administrator_rights(
    unit: &mut Unit,
    ids: &BTreeSet<GrantId>,
) -> Result<BTreeSet<domain::EntitlementId>> {
    let ids: Vec<GrantId> = ids.iter().copied().collect();
    let rights: Vec<_> = unit
        .tx
        .content_of_grants(&ids)
        .await?
        .into_iter()
        .map(|row| row.entitlement_id)
        .collect();
    Ok(unit
        .tx
        .portal_roles_of(&rights)
        .await?
        .into_iter()
        .filter(|row| row.role == PortalRole::Administrator)
        .map(|row| row.entitlement_id)
        .collect())
}
