//! The facts that seating needs, read in the transaction that decides.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    PackageId, PersonId, Timestamp,
    approval::{Candidate, Deputy, Facts, Via},
    person::{Person, PortalRole, effective_roles},
    policy::StageRule,
};
use store::{Tx, deputies::StandsInRow, people::PersonRow};

use crate::{Error, Result, Unit, approver_groups};

/// Facts, with the people that they are about.
pub(crate) struct Gathered {
    pub facts: Facts,
    pub people: BTreeMap<PersonId, PersonRow>,
}

/// Reads who may come into question for the stages of a route: the manager, the manager's manager, sponsors, owners of
/// the package and of its rights, effective members of security and of the roles that stages say, members of the groups that
/// stages say, those whom stages name, and who stands in for any of these.
///
/// Who decided earlier stages, and who said yes in one, is the caller's to add. Whether somebody is active is judged at
/// the unit's instant.
pub async fn approval_facts(
    unit: &mut Unit,
    asker: PersonId,
    beneficiary: PersonId,
    package: PackageId,
    route: &[StageRule],
) -> Result<Facts> {
    let now = unit.now;
    let person = unit
        .tx
        .person(beneficiary)
        .await?
        .ok_or(Error::Missing)?
        .into_domain();
    let gathered = gather(&mut unit.tx, now, asker, &person, package, route).await?;
    Ok(gathered.facts)
}

/// As [`approval_facts`], at any instant and with names: for previews.
pub(crate) async fn gather(
    tx: &mut Tx,
    now: Timestamp,
    asker: PersonId,
    beneficiary: &Person,
    package: PackageId,
    route: &[StageRule],
) -> Result<Gathered> {
    let sources = tx.approval_sources(beneficiary.id, package).await?;
    let of = |source: &str| -> Vec<PersonId> {
        sources
            .iter()
            .filter(|row| row.source == source)
            .map(|row| row.person_id)
            .collect()
    };
    let (owners, right_owners, sponsors) = (of("owner"), of("right"), of("sponsor"));
    let held: Vec<RoleHeld> = sources
        .iter()
        .filter_map(|row| Some((row.person_id, row.role?)))
        .collect();
    let security = effective_members(&held, PortalRole::Security);
    let roles = role_holders(tx, route).await?;
    let groups = approver_groups::members(tx, now, route).await?;
    let named: Vec<PersonId> = route
        .iter()
        .flat_map(|rule| rule.named.iter().copied())
        .collect();

    let mut everybody: BTreeSet<PersonId> =
        [&owners[..], &right_owners, &sponsors, &security, &named]
            .concat()
            .into_iter()
            .chain(roles.values().flatten().copied())
            .chain(groups.values().flatten().copied())
            .chain(beneficiary.manager)
            .collect();
    let mut asked: Vec<PersonId> = everybody.iter().copied().collect();
    asked.push(beneficiary.id);
    let mut above = above(tx, &asked).await?;
    let managers_manager = beneficiary
        .manager
        .and_then(|manager| above.get(&manager)?.first().copied());
    if let (Some(top), Some(manager)) = (managers_manager, beneficiary.manager) {
        // Whoever is above the manager's manager is above the manager, too.
        let more = above
            .get(&manager)
            .map_or_else(Vec::new, |chain| chain[1..].to_vec());
        above.entry(top).or_insert(more);
        everybody.insert(top);
    }
    let party = [asker, beneficiary.id];
    let stood_in: Vec<PersonId> = everybody.iter().copied().chain(party).collect();
    let standing_in = tx.deputies_for(&stood_in, package, now).await?;
    let more: Vec<PersonId> = standing_in
        .iter()
        .map(|row| row.deputy_id)
        .filter(|id| everybody.insert(*id))
        .collect();
    above.extend(self::above(tx, &more).await?);
    let everybody: Vec<PersonId> = everybody.into_iter().collect();
    let people: BTreeMap<PersonId, PersonRow> = tx
        .persons(&everybody)
        .await?
        .into_iter()
        .map(|row| (row.id, row))
        .collect();
    let running = running_portal(
        tx.roles_of(&everybody)
            .await?
            .into_iter()
            .map(|row| (row.person_id, row.role)),
    );

    let candidate = |id: PersonId| {
        people.get(&id).map(|row| Candidate {
            person: id,
            active: row.clone().into_domain().works_at(now),
            runs_portal: running.contains(&id),
            above: above.get(&id).cloned().unwrap_or_default(),
        })
    };
    let candidates = |ids: &[PersonId]| ids.iter().copied().filter_map(candidate).collect();
    let facts = Facts {
        asker: Some(asker),
        beneficiary: Some(beneficiary.id),
        employee: beneficiary.is_employee(),
        manager: beneficiary.manager.and_then(candidate),
        managers_manager: managers_manager.and_then(candidate),
        sponsors: candidates(&sponsors),
        owners: candidates(&owners),
        entitlement_owners: candidates(&right_owners),
        security: candidates(&security),
        roles: roles
            .iter()
            .map(|(role, members)| (*role, candidates(members)))
            .collect(),
        groups: groups
            .iter()
            .map(|(group, members)| (*group, candidates(members)))
            .collect(),
        named: candidates(&named),
        deputies: deputies(&standing_in, candidate),
        for_party: standing_in
            .iter()
            .filter(|row| party.contains(&row.person_id))
            .map(|row| row.deputy_id)
            .collect(),
        ..Facts::default()
    };
    Ok(Gathered { facts, people })
}

/// The effective holders of each role that a stage of the route says.
async fn role_holders(
    tx: &mut Tx,
    route: &[StageRule],
) -> Result<BTreeMap<PortalRole, Vec<PersonId>>> {
    let roles: BTreeSet<PortalRole> = route.iter().filter_map(|rule| rule.role).collect();
    let mut holders = BTreeMap::new();
    for role in roles {
        let rows = tx.roles_of_holders(role).await?;
        let held: Vec<RoleHeld> = rows.iter().map(|row| (row.person_id, row.role)).collect();
        holders.insert(role, effective_members(&held, role));
    }
    Ok(holders)
}

fn deputies(
    rows: &[StandsInRow],
    candidate: impl Fn(PersonId) -> Option<Candidate>,
) -> Vec<Deputy> {
    rows.iter()
        .filter(|row| row.covers)
        .filter_map(|row| {
            Some(Deputy {
                of: row.person_id,
                who: candidate(row.deputy_id)?,
                only: row.approvers.map(Via::by),
            })
        })
        .collect()
}

/// Everybody above each of these people, nearest first, each once.
async fn above(tx: &mut Tx, people: &[PersonId]) -> Result<BTreeMap<PersonId, Vec<PersonId>>> {
    let mut above: BTreeMap<PersonId, Vec<PersonId>> = BTreeMap::new();
    for row in tx.managers_above(people).await? {
        let chain = above.entry(row.person_id).or_default();
        // In a circle somebody is above themselves; that says nothing about them, and the chain ends there.
        if row.above_id != row.person_id && !chain.contains(&row.above_id) {
            chain.push(row.above_id);
        }
    }
    Ok(above)
}

/// A role that somebody holds on a usable account.
type RoleHeld = (PersonId, PortalRole);

/// The people for whom `role` counts, given all that they hold on all usable accounts.
pub(crate) fn effective_members(rows: &[RoleHeld], role: PortalRole) -> Vec<PersonId> {
    by_person(rows.iter().copied())
        .into_iter()
        .filter(|(_, roles)| effective_roles(roles).0.contains(&role))
        .map(|(person, _)| person)
        .collect()
}

/// Those for whom a role counts that runs the portal, given all that they hold on all usable accounts.
pub(super) fn running_portal(rows: impl Iterator<Item = RoleHeld>) -> BTreeSet<PersonId> {
    by_person(rows)
        .into_iter()
        .filter(|(_, roles)| {
            let (effective, _) = effective_roles(roles);
            effective.into_iter().any(PortalRole::runs_portal)
        })
        .map(|(person, _)| person)
        .collect()
}

fn by_person(rows: impl Iterator<Item = RoleHeld>) -> BTreeMap<PersonId, Vec<PortalRole>> {
    let mut held: BTreeMap<PersonId, Vec<PortalRole>> = BTreeMap::new();
    for (person, role) in rows {
        held.entry(person).or_default().push(role);
    }
    held
}
