//! The facts that seating needs, read in the transaction that decides.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    PackageId, PersonId,
    approval::{Candidate, Facts},
    person::{Person, PortalRole, effective_roles},
};

use crate::{Error, Result, Unit};

/// Reads who may come into question for a stage of a line: the manager, the manager's manager, sponsors, owners of the
/// package, effective members of security, and those whom the stage names.
///
/// Who decided earlier stages, and who said yes in this one, is the caller's to add. Whether somebody is active is judged
/// at the unit's instant.
pub async fn approval_facts(
    unit: &mut Unit,
    asker: PersonId,
    beneficiary: PersonId,
    package: PackageId,
    named: &[PersonId],
) -> Result<Facts> {
    let now = unit.now;
    let person = unit
        .tx
        .person(beneficiary)
        .await?
        .ok_or(Error::Missing)?
        .into_domain();
    let sources = unit.tx.approval_sources(beneficiary, package).await?;
    let of = |source: &str| -> Vec<PersonId> {
        sources
            .iter()
            .filter(|row| row.source == source)
            .map(|row| row.person_id)
            .collect()
    };
    let (owners, sponsors) = (of("owner"), of("sponsor"));
    let roles: Vec<RoleHeld> = sources
        .iter()
        .filter_map(|row| Some((row.person_id, row.role?)))
        .collect();
    let security = effective_members(&roles, PortalRole::Security);

    let mut everybody: Vec<PersonId> = [&owners[..], &sponsors, &security, named]
        .concat()
        .into_iter()
        .chain(person.manager)
        .collect();
    let mut above = above(unit, &[everybody.clone(), vec![beneficiary]].concat()).await?;
    let managers_manager = person
        .manager
        .and_then(|manager| above.get(&manager)?.first().copied());
    if let (Some(top), Some(manager)) = (managers_manager, person.manager) {
        // Whoever is above the manager's manager is above the manager, too.
        let more = above
            .get(&manager)
            .map_or_else(Vec::new, |chain| chain[1..].to_vec());
        above.entry(top).or_insert(more);
        everybody.push(top);
    }
    everybody.sort_unstable();
    everybody.dedup();
    let people: BTreeMap<PersonId, Person> = unit
        .tx
        .persons(&everybody)
        .await?
        .into_iter()
        .map(|row| (row.id, row.into_domain()))
        .collect();

    let running = running_portal(
        unit.tx
            .roles_of(&everybody)
            .await?
            .into_iter()
            .map(|row| (row.person_id, row.role)),
    );

    let candidate = |id: PersonId| {
        people.get(&id).map(|person| Candidate {
            person: id,
            active: person.works_at(now),
            runs_portal: running.contains(&id),
            above: above.get(&id).cloned().unwrap_or_default(),
        })
    };
    let candidates = |ids: &[PersonId]| ids.iter().copied().filter_map(candidate).collect();
    Ok(Facts {
        asker: Some(asker),
        beneficiary: Some(beneficiary),
        employee: person.is_employee(),
        manager: person.manager.and_then(candidate),
        managers_manager: managers_manager.and_then(candidate),
        sponsors: candidates(&sponsors),
        owners: candidates(&owners),
        security: candidates(&security),
        named: candidates(named),
        decided_earlier: BTreeSet::new(),
        said_yes: BTreeSet::new(),
        yes_by_subordinates: false,
        handed_on: Vec::new(),
    })
}

/// Everybody above each of these people, nearest first, each once.
async fn above(unit: &mut Unit, people: &[PersonId]) -> Result<BTreeMap<PersonId, Vec<PersonId>>> {
    let mut above: BTreeMap<PersonId, Vec<PersonId>> = BTreeMap::new();
    for row in unit.tx.managers_above(people).await? {
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
fn effective_members(rows: &[RoleHeld], role: PortalRole) -> Vec<PersonId> {
    by_person(rows.iter().copied())
        .into_iter()
        .filter(|(_, roles)| effective_roles(roles).0.contains(&role))
        .map(|(person, _)| person)
        .collect()
}

/// Those for whom a role counts that runs the portal, given all that they hold on all usable accounts.
pub(crate) fn running_portal(rows: impl Iterator<Item = RoleHeld>) -> BTreeSet<PersonId> {
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
