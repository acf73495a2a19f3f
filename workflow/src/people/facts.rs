//! The facts that seating needs, read in the transaction that decides.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    LineId, PackageId, PersonId, StageId, Timestamp,
    approval::{Candidate, Deputy, Facts, Via},
    calendar::Calendar,
    hand_on::HandedOn,
    person::{Person, PortalRole, effective_roles},
    policy::StageRule,
};
use store::{
    Tx,
    deputies::StandsInRow,
    people::PersonRow,
    seating::{HandedOnRow, SeatingQuery, Source},
};

use crate::{Error, Result, approver_groups};

/// Facts, with the people that they are about.
#[derive(Clone, Debug)]
pub(crate) struct Gathered {
    pub facts: Facts,
    /// Everybody who may come into question, whoever asks and the beneficiary.
    pub people: BTreeMap<PersonId, PersonRow>,
    calendars: BTreeMap<PersonId, String>,
    /// The line's seats that are handed on, and what seating needs to know of those who took them.
    hand_ons: Vec<(HandedOnRow, Candidate)>,
}

impl Gathered {
    /// Whose seats in a stage are handed on to whom.
    pub(crate) fn handed_on(&self, stage: StageId) -> Vec<HandedOn> {
        self.hand_ons
            .iter()
            .filter(|(row, _)| row.stage_id == stage)
            .map(|(row, to)| HandedOn {
                from: row.from_id,
                to: to.clone(),
            })
            .collect()
    }

    /// Somebody whom this is about.
    pub(crate) fn person(&self, id: PersonId) -> Result<Person> {
        let row = self.people.get(&id).cloned().ok_or(Error::Missing)?;
        Ok(row.into_domain())
    }

    /// The different calendars of these people; whose country has none works by the default one.
    pub(crate) fn calendars(
        &self,
        people: impl IntoIterator<Item = PersonId>,
    ) -> Result<Vec<Calendar>> {
        let said: BTreeSet<Option<&String>> = people
            .into_iter()
            .map(|person| self.calendars.get(&person))
            .collect();
        said.into_iter()
            .map(|said| match said {
                Some(text) => Ok(serde_json::from_str(text)?),
                None => Ok(Calendar::default()),
            })
            .collect()
    }
}

/// What the facts are about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Concern<'a> {
    pub asker: PersonId,
    pub beneficiary: PersonId,
    pub package: PackageId,
    pub route: &'a [StageRule],
    /// The line, once it is entered.
    pub line: Option<LineId>,
}

/// Reads who may come into question for the stages of a route: the manager, the manager's manager, sponsors, owners of
/// the package and of its rights, effective members of security and of the roles that stages say, members of the groups that
/// stages say, those whom stages name, and who stands in for any of these.
///
/// Who decided earlier stages, and who said yes in one, is the caller's to add. Whether somebody is active is judged at
/// `now`.
pub(crate) async fn gather(tx: &mut Tx, now: Timestamp, asked: Concern<'_>) -> Result<Gathered> {
    let Concern {
        asker, beneficiary, ..
    } = asked;
    let said: BTreeSet<PortalRole> = asked.route.iter().filter_map(|rule| rule.role).collect();
    let mut counted = said.clone();
    counted.insert(PortalRole::Security);
    let counted: Vec<PortalRole> = counted.into_iter().collect();
    let named: Vec<PersonId> = asked
        .route
        .iter()
        .flat_map(|rule| rule.named.iter().copied())
        .collect();
    let groups = approver_groups::members(tx, now, asked.route).await?;
    let mut besides = named.clone();
    besides.extend(groups.values().flatten());
    besides.sort_unstable();
    besides.dedup();
    let read = tx
        .seating_facts(&SeatingQuery {
            asker,
            beneficiary,
            package: asked.package,
            roles: &counted,
            named: &besides,
            line: asked.line,
            now,
        })
        .await?;
    let of = |source: Source| -> Vec<PersonId> {
        read.sources
            .iter()
            .filter(|row| row.source == source)
            .map(|row| row.person_id)
            .collect()
    };
    let (owners, right_owners, sponsors) =
        (of(Source::Owner), of(Source::Right), of(Source::Sponsor));
    let held: Vec<RoleHeld> = read
        .sources
        .iter()
        .filter_map(|row| Some((row.person_id, row.role?)))
        .collect();
    let security = effective_members(&held, PortalRole::Security);
    let roles: BTreeMap<PortalRole, Vec<PersonId>> = said
        .into_iter()
        .map(|role| (role, effective_members(&held, role)))
        .collect();

    let mut above: BTreeMap<PersonId, Vec<PersonId>> = BTreeMap::new();
    for row in &read.above {
        let chain = above.entry(row.person_id).or_default();
        // In a circle somebody is above themselves; that says nothing about them, and the chain ends there.
        if row.above_id != row.person_id && !chain.contains(&row.above_id) {
            chain.push(row.above_id);
        }
    }
    let manager = of(Source::Manager).first().copied();
    let managers_manager = manager.and_then(|manager| above.get(&manager)?.first().copied());
    let stood_in: BTreeSet<PersonId> = [&owners[..], &right_owners, &sponsors, &security, &named]
        .concat()
        .into_iter()
        .chain(roles.values().flatten().copied())
        .chain(groups.values().flatten().copied())
        .chain(manager)
        .chain(managers_manager)
        .chain([asker, beneficiary])
        .collect();
    // Those count who stand in for somebody who does.
    let standing_in: Vec<StandsInRow> = read
        .deputies
        .into_iter()
        .filter(|row| stood_in.contains(&row.person_id))
        .collect();
    let everybody: BTreeSet<PersonId> = stood_in
        .into_iter()
        .chain(standing_in.iter().map(|row| row.deputy_id))
        .chain(read.hand_ons.iter().map(|row| row.to_id))
        .collect();
    let everybody: Vec<PersonId> = everybody.into_iter().collect();
    let people: BTreeMap<PersonId, PersonRow> = tx
        .persons(&everybody)
        .await?
        .into_iter()
        .map(|row| (row.id, row))
        .collect();
    let running = running_portal(read.held.into_iter());

    let candidate = |id: PersonId| {
        people.get(&id).map(|row| Candidate {
            person: id,
            active: row.clone().into_domain().works_at(now),
            runs_portal: running.contains(&id),
            above: above.get(&id).cloned().unwrap_or_default(),
        })
    };
    let candidates = |ids: &[PersonId]| ids.iter().copied().filter_map(candidate).collect();
    let employee = people
        .get(&beneficiary)
        .cloned()
        .ok_or(Error::Missing)?
        .into_domain()
        .is_employee();
    let facts = Facts {
        asker: Some(asker),
        beneficiary: Some(beneficiary),
        employee,
        manager: manager.and_then(candidate),
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
            .filter(|row| row.person_id == asker || row.person_id == beneficiary)
            .map(|row| row.deputy_id)
            .collect(),
        ..Facts::default()
    };
    let hand_ons = read
        .hand_ons
        .iter()
        .filter_map(|row| Some((*row, candidate(row.to_id)?)))
        .collect();
    Ok(Gathered {
        facts,
        calendars: read.calendars.into_iter().collect(),
        hand_ons,
        people,
    })
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
