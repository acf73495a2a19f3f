//! Portal roles: what the directory's app roles give, whose they are, and which of them count.
//!
//! The rows in the database decide, read afresh for every page and form. They come from the directory, refreshed at
//! sign-in, from the configuration for the first administrator only, and from grants (`assignments::powers`).

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    AccountId, PersonId,
    audit::{Actor, Event, EventKind},
    person::{AccountKey, PortalRole, effective_roles},
    policy::ApproverRule,
};
use serde_json::json;
use store::{
    people::AccountRow,
    roles::{RoleRow, RoleSource},
};
use uuid::Uuid;

use crate::{Result, Unit, Workflow, assignments, findings, route};

/// What a reading of the directory's app role assignments did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RolesRead {
    /// Accounts whose roles changed.
    pub changed: usize,
    /// Why removals were not believed, if they were not.
    pub doubted: Option<String>,
}

/// Makes an account's rows those that the directory gives (`None`: it did not tell, so those stay), plus what the
/// configuration gives; roles by grant are left alone. Logs a change, and seats stages anew if it changes who may decide.
pub(crate) async fn refresh(
    unit: &mut Unit,
    account: &AccountRow,
    directory: Option<&BTreeSet<PortalRole>>,
    cause: &str,
) -> Result<bool> {
    let rows = unit.tx.roles_of_account(account.id).await?;
    let (granted, told): (Vec<RoleRow>, Vec<RoleRow>) = rows
        .into_iter()
        .partition(|row| row.source == RoleSource::Grant);
    let granted: Vec<PortalRole> = granted.into_iter().map(|row| row.role).collect();
    let held: BTreeMap<PortalRole, RoleSource> =
        told.iter().map(|row| (row.role, row.source)).collect();
    let mut wanted: BTreeMap<PortalRole, RoleSource> = match directory {
        Some(roles) => roles
            .iter()
            .map(|role| (*role, RoleSource::Directory))
            .collect(),
        None => held
            .iter()
            .filter(|(_, source)| **source == RoleSource::Directory)
            .map(|(role, source)| (*role, *source))
            .collect(),
    };
    let key = AccountKey {
        tenant: account.tenant_id,
        object: account.object_id,
    };
    if unit.workflow().settings().first_administrator == Some(key) {
        wanted.insert(PortalRole::Administrator, RoleSource::Configuration);
    }
    if wanted == held {
        return Ok(false);
    }
    let was = effective(unit, account.person_id).await?;
    for (role, source) in &held {
        if wanted.get(role) != Some(source) {
            unit.tx.delete_role(account.id, *role, *source).await?;
        }
    }
    for (role, source) in &wanted {
        unit.tx
            .insert_role(account.id, *role, *source, unit.now)
            .await?;
    }
    let change = Changed {
        person: account.person_id,
        account: account.id,
        before: held.keys().chain(&granted).copied().collect(),
        after: wanted.keys().chain(&granted).copied().collect(),
        was,
    };
    changed(unit, change, cause).await?;
    // A role by grant may have waited for one that excludes it.
    let waiting = unit.tx.unsettled_powers(account.person_id).await?;
    if !waiting.is_empty() {
        assignments::recompute(unit, &waiting, cause).await?;
    }
    Ok(true)
}

/// What changed of the roles of one account.
pub(crate) struct Changed {
    /// Whose.
    pub person: PersonId,
    /// Which account.
    pub account: AccountId,
    /// What it held.
    pub before: BTreeSet<PortalRole>,
    /// What it holds now.
    pub after: BTreeSet<PortalRole>,
    /// What counted before.
    pub was: Effective,
}

/// Logs that the roles of an account changed, seats stages anew if that changes who may decide, and has the standing scan
/// look at the person.
pub(crate) async fn changed(unit: &mut Unit, change: Changed, cause: &str) -> Result<()> {
    let Changed {
        person,
        account,
        before: held,
        after: wanted,
        was: before,
    } = change;
    let after = effective(unit, person).await?;
    let clashes: Vec<[PortalRole; 2]> = after.1.iter().map(|(one, other)| [*one, *other]).collect();
    unit.record(
        Event::new(EventKind::RolesChanged, unit.now, Actor::Portal)
            .about(person)
            .about(account)
            .because(cause)
            .changing(
                json!({"roles": held, "effective": before.0}),
                json!({"roles": wanted, "effective": after.0, "never_together": clashes}),
            ),
    );
    unit.changed(person);
    unit.changed("roles");
    findings::scan_person(unit, person);
    let moved: BTreeSet<ApproverRule> = PortalRole::ALL
        .iter()
        .filter(|role| before.0.contains(role) != after.0.contains(role))
        .map(|role| match role {
            PortalRole::Security => ApproverRule::Security,
            _ => ApproverRule::Role,
        })
        .collect();
    for rule in moved {
        route::reseat_rule(unit, rule).await?;
    }
    let runs_portal = |roles: &[PortalRole]| roles.iter().any(|role| role.runs_portal());
    if runs_portal(&before.0) != runs_portal(&after.0) {
        let lines = route::lines_awaiting(unit, person).await?;
        route::reseat_lines(unit, lines).await?;
    }
    Ok(())
}

/// The roles that count, and the pairs that do not for they exclude each other.
pub(crate) type Effective = (Vec<PortalRole>, Vec<(PortalRole, PortalRole)>);

/// What counts of all that somebody holds on usable accounts.
pub(crate) async fn effective(unit: &mut Unit, person: PersonId) -> Result<Effective> {
    let held: Vec<PortalRole> = unit
        .tx
        .roles_of(&[person])
        .await?
        .into_iter()
        .map(|row| row.role)
        .collect();
    Ok(effective_roles(&held))
}

/// Makes the configured first administrator one, and takes what an earlier configuration gave to others. At start.
///
/// If the account is not known yet, it becomes administrator when the directory is read or at its first sign-in.
pub async fn set_first_administrator(workflow: &Workflow) -> Result<()> {
    let mut unit = workflow.unit().await?;
    let mut accounts: BTreeSet<AccountId> = unit
        .tx
        .all_roles()
        .await?
        .into_iter()
        .filter(|row| row.source == RoleSource::Configuration)
        .map(|row| row.account_id)
        .collect();
    if let Some(key) = workflow.settings().first_administrator {
        accounts.extend(unit.tx.account_by_key(key).await?.map(|account| account.id));
    }
    for id in accounts {
        if let Some(account) = unit.tx.account(id).await? {
            refresh(&mut unit, &account, None, "configuration").await?;
        }
    }
    unit.commit().await
}

/// Brings the rows of a tenant in line with a whole reading of the app role assignments of the portal.
///
/// A reading that would take the roles of most holders is not believed: an empty or cut listing looks just like that.
/// What it adds is added; sign-ins refresh each holder in the meantime.
pub async fn apply_directory(
    workflow: &Workflow,
    tenant: Uuid,
    read: &BTreeMap<Uuid, BTreeSet<PortalRole>>,
) -> Result<RolesRead> {
    let mut outcome = RolesRead::default();
    let mut tx = workflow.store().read().await?;
    let mut held: BTreeMap<AccountId, BTreeSet<PortalRole>> = BTreeMap::new();
    for row in tx.all_roles().await? {
        if row.source == RoleSource::Directory {
            held.entry(row.account_id).or_default().insert(row.role);
        }
    }
    let objects: Vec<Uuid> = read.keys().copied().collect();
    let mut wanted: BTreeMap<AccountId, BTreeSet<PortalRole>> = tx
        .accounts_by_objects(tenant, &objects)
        .await?
        .into_iter()
        // Whoever cannot sign in holds nothing; a return begins with what the directory says then.
        .filter(AccountRow::usable)
        .filter_map(|account| Some((account.id, read.get(&account.object_id)?.clone())))
        .collect();
    drop(tx);

    let losing = held
        .iter()
        .filter(|(account, roles)| wanted.get(account).is_none_or(|w| !roles.is_subset(w)))
        .count();
    if losing > 2 && losing * 2 > held.len() {
        outcome.doubted = Some(format!(
            "{losing} of {} holders of portal roles would lose one at once; nothing was taken",
            held.len()
        ));
        for (account, roles) in &held {
            wanted
                .entry(*account)
                .or_default()
                .extend(roles.iter().copied());
        }
    }
    for account in held.keys() {
        wanted.entry(*account).or_default();
    }
    for (id, roles) in wanted {
        if held.get(&id) == Some(&roles) {
            continue;
        }
        let mut unit = workflow.unit().await?;
        let Some(account) = unit.tx.account(id).await? else {
            continue;
        };
        unit.tx.lock_persons(&[account.person_id]).await?;
        if refresh(&mut unit, &account, Some(&roles), "directory").await? {
            outcome.changed += 1;
        }
        unit.commit().await?;
    }
    Ok(outcome)
}

/// People who hold roles that never count together, with the pairs: a finding for an auditor.
pub async fn clashes(tx: &mut store::Tx) -> Result<Vec<(PersonId, Vec<(PortalRole, PortalRole)>)>> {
    let mut held: BTreeMap<PersonId, Vec<PortalRole>> = BTreeMap::new();
    for row in tx.all_roles().await? {
        held.entry(row.person_id).or_default().push(row.role);
    }
    Ok(held
        .into_iter()
        .map(|(person, roles)| (person, effective_roles(&roles).1))
        .filter(|(_, pairs)| !pairs.is_empty())
        .collect())
}
