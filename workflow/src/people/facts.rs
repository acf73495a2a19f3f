//! The facts that seating needs, read in the transaction that decides.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    PackageId, PersonId,
    approval::{Candidate, Facts},
    person::{Person, PortalRole, effective_roles},
};
use store::roles::RoleRow;

use crate::{Error, Result, Unit};

/// Reads who may come into question for a stage of a line: the manager, the manager's manager, sponsors, owners of the
/// package, effective members of security, and those whom the stage names.
///
/// `decided_earlier` are those who decided earlier stages, where the policy wants different people. Whether somebody is
/// active is judged at the unit's instant.
pub async fn approval_facts(
    unit: &mut Unit,
    asker: PersonId,
    beneficiary: PersonId,
    package: PackageId,
    named: &[PersonId],
    decided_earlier: BTreeSet<PersonId>,
) -> Result<Facts> {
    let now = unit.now;
    let person = unit
        .tx
        .person(beneficiary)
        .await?
        .ok_or(Error::Missing)?
        .into_domain();
    let owners = unit.tx.owners_of_package(package).await?;
    let sponsors: Vec<PersonId> = unit
        .tx
        .sponsors_of(&[beneficiary])
        .await?
        .into_iter()
        .map(|row| row.sponsor_id)
        .collect();
    let security = members_of(
        &unit.tx.roles_of_holders(PortalRole::Security).await?,
        PortalRole::Security,
    );

    let mut everybody: Vec<PersonId> = [&owners[..], &sponsors, &security, named]
        .concat()
        .into_iter()
        .chain(person.manager)
        .collect();
    let mut above = above(unit, &[everybody.clone(), vec![beneficiary]].concat()).await?;
    let managers_manager = person
        .manager
        .and_then(|manager| above.get(&manager)?.first().copied());
    if let Some(top) = managers_manager {
        // Whoever is above the manager's manager is above the manager, too, unless the chain was cut at a circle.
        let more = self::above(unit, &[top]).await?;
        above.extend(more);
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

    let candidate = |id: PersonId| {
        people.get(&id).map(|person| Candidate {
            person: id,
            active: person.works_at(now),
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
        decided_earlier,
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

/// The people among `rows` for whom `role` counts, given all that they hold on all usable accounts.
pub(crate) fn members_of(rows: &[RoleRow], role: PortalRole) -> Vec<PersonId> {
    let mut held: BTreeMap<PersonId, Vec<PortalRole>> = BTreeMap::new();
    for row in rows {
        held.entry(row.person_id).or_default().push(row.role);
    }
    held.into_iter()
        .filter(|(_, roles)| effective_roles(roles).0.contains(&role))
        .map(|(person, _)| person)
        .collect()
}
