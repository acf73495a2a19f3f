//! Who would decide a route if its stages opened now. A preview for people to read: deciding works it out anew.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    PackageId, PersonId, Timestamp,
    approval::{Candidate, Facts, Seating, seat},
    person::{Person, PortalRole, effective_roles},
    policy::{ApproverRule, StageRule},
};
use store::Tx;

use super::{PersonTag, SeatView, StagePreview};
use crate::{Result, people::running_portal};

/// Everybody who may come into question for a route, with their names.
pub(super) struct Bench {
    facts: Facts,
    named: BTreeMap<PersonId, Candidate>,
    names: BTreeMap<PersonId, String>,
}

impl Bench {
    /// Reads who may come into question when `asker` asks for `beneficiary`.
    pub(super) async fn load(
        tx: &mut Tx,
        now: Timestamp,
        asker: PersonId,
        beneficiary: &Person,
        package: PackageId,
        route: &[StageRule],
    ) -> Result<Self> {
        let owners = tx.owners_of_package(package).await?;
        let by_sponsor = |rule: &StageRule| {
            rule.approvers == ApproverRule::Sponsor
                || (rule.approvers == ApproverRule::Manager && !beneficiary.is_employee())
        };
        let sponsors: Vec<PersonId> = if route.iter().any(by_sponsor) {
            let rows = tx.sponsors_of(&[beneficiary.id]).await?;
            rows.into_iter().map(|row| row.sponsor_id).collect()
        } else {
            Vec::new()
        };
        let security = members_of_security(tx).await?;
        let named: Vec<PersonId> = route
            .iter()
            .flat_map(|rule| rule.named.iter().copied())
            .collect();
        let mut everybody: Vec<PersonId> = [&owners[..], &sponsors, &security, &named].concat();
        everybody.extend(beneficiary.manager);
        everybody.push(beneficiary.id);
        everybody.sort_unstable();
        everybody.dedup();
        let mut above: BTreeMap<PersonId, Vec<PersonId>> = BTreeMap::new();
        for row in tx.managers_above(&everybody).await? {
            let chain = above.entry(row.person_id).or_default();
            // In a circle somebody is above themselves; that says nothing about them, and the chain ends there.
            if row.above_id != row.person_id && !chain.contains(&row.above_id) {
                chain.push(row.above_id);
            }
        }
        let managers_manager = beneficiary
            .manager
            .and_then(|manager| above.get(&manager)?.first().copied());
        if let (Some(top), Some(manager)) = (managers_manager, beneficiary.manager) {
            // Whoever is above the manager, except the first, is above the manager's manager.
            let rest: Vec<PersonId> = above
                .get(&manager)
                .map(|chain| chain.iter().skip(1).copied().collect())
                .unwrap_or_default();
            above.entry(top).or_insert(rest);
            everybody.push(top);
        }
        let running = running_portal(
            tx.roles_of(&everybody)
                .await?
                .into_iter()
                .map(|row| (row.person_id, row.role)),
        );
        let rows = tx.persons(&everybody).await?;
        let names = rows
            .iter()
            .map(|row| (row.id, row.name.clone()))
            .collect::<BTreeMap<_, _>>();
        let people: BTreeMap<PersonId, Candidate> = rows
            .into_iter()
            .map(|row| {
                let person = row.into_domain();
                let candidate = Candidate {
                    person: person.id,
                    active: person.works_at(now),
                    runs_portal: running.contains(&person.id),
                    above: above.get(&person.id).cloned().unwrap_or_default(),
                };
                (person.id, candidate)
            })
            .collect();
        let one = |id: Option<PersonId>| id.and_then(|id| people.get(&id).cloned());
        let many = |ids: &[PersonId]| {
            ids.iter()
                .filter_map(|id| people.get(id).cloned())
                .collect::<Vec<_>>()
        };
        let facts = Facts {
            asker: Some(asker),
            beneficiary: Some(beneficiary.id),
            employee: beneficiary.is_employee(),
            manager: one(beneficiary.manager),
            managers_manager: one(managers_manager),
            sponsors: many(&sponsors),
            owners: many(&owners),
            security: many(&security),
            named: Vec::new(),
            decided_earlier: BTreeSet::new(),
            said_yes: BTreeSet::new(),
            yes_by_subordinates: false,
            handed_on: Vec::new(),
        };
        let named = named
            .iter()
            .filter_map(|id| Some((*id, people.get(id)?.clone())))
            .collect();
        Ok(Self {
            facts,
            named,
            names,
        })
    }

    /// The facts for one stage.
    pub(super) fn facts(&self, rule: &StageRule, earlier: &BTreeSet<PersonId>) -> Facts {
        Facts {
            named: rule
                .named
                .iter()
                .filter_map(|id| self.named.get(id).cloned())
                .collect(),
            decided_earlier: earlier.clone(),
            ..self.facts.clone()
        }
    }

    /// Who would sit in one stage.
    pub(super) fn seating(&self, rule: &StageRule, earlier: &BTreeSet<PersonId>) -> Seating {
        seat(rule, &self.facts(rule, earlier))
    }

    /// One stage for people to read.
    pub(super) fn preview(&self, rule: &StageRule, earlier: &BTreeSet<PersonId>) -> StagePreview {
        let seating = self.seating(rule, earlier);
        StagePreview {
            rule: rule.approvers,
            needed: seating.needed,
            seats: self.seats(&seating),
            fallback: seating.fallback,
            by_subordinates: seating.by_subordinates,
            stuck: seating.is_stuck(),
        }
    }

    /// The seats with names.
    pub(super) fn seats(&self, seating: &Seating) -> Vec<SeatView> {
        seating
            .seats
            .iter()
            .map(|seat| SeatView {
                person: PersonTag::new(
                    seat.person,
                    self.names.get(&seat.person).map_or("", String::as_str),
                ),
                via: seat.via,
            })
            .collect()
    }
}

async fn members_of_security(tx: &mut Tx) -> Result<Vec<PersonId>> {
    let mut held: BTreeMap<PersonId, Vec<PortalRole>> = BTreeMap::new();
    for row in tx.roles_of_holders(PortalRole::Security).await? {
        held.entry(row.person_id).or_default().push(row.role);
    }
    Ok(held
        .into_iter()
        .filter(|(_, roles)| effective_roles(roles).0.contains(&PortalRole::Security))
        .map(|(person, _)| person)
        .collect())
}
