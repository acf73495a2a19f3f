//! Who could review what: facts about people, read together for many items.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    PackageId, PersonId, Timestamp,
    approval::Candidate,
    certification::{Balance, ReviewerRule, Tier, Via, assign},
    person::{PortalRole, effective_roles},
};
use store::{Tx, people::PersonRow};

use super::security;
use crate::Result;

/// What says who reviews one item.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    /// Who holds it.
    pub person: PersonId,
    /// The package; none for what was found at the target.
    pub package: Option<PackageId>,
    /// The owner of a right in it.
    pub right_owner: Option<PersonId>,
}

/// Everybody who may come into question for a number of items.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    candidates: BTreeMap<PersonId, Candidate>,
    above: BTreeMap<PersonId, Vec<PersonId>>,
    owners: BTreeMap<PackageId, Vec<PersonId>>,
    security: Vec<PersonId>,
    named: Option<PersonId>,
}

impl Pool {
    /// Reads who may come into question for these items.
    pub(crate) async fn load(
        tx: &mut Tx,
        held: &[Held],
        named: Option<PersonId>,
        now: Timestamp,
    ) -> Result<Self> {
        let holders: BTreeSet<PersonId> = held.iter().map(|one| one.person).collect();
        let holders: Vec<PersonId> = holders.into_iter().collect();
        let above = above(tx, &holders).await?;
        let wanted: BTreeSet<PackageId> = held.iter().filter_map(|one| one.package).collect();
        let mut owners: BTreeMap<PackageId, Vec<PersonId>> = BTreeMap::new();
        for row in tx.all_owners().await? {
            if wanted.contains(&row.package_id) {
                owners
                    .entry(row.package_id)
                    .or_default()
                    .push(row.person_id);
            }
        }
        let security = security(tx).await?;
        let mut people: BTreeSet<PersonId> = security.iter().copied().collect();
        people.extend(above.values().flat_map(|chain| chain.iter().take(2)));
        people.extend(owners.values().flatten());
        people.extend(held.iter().filter_map(|one| one.right_owner));
        people.extend(named);
        let people: Vec<PersonId> = people.into_iter().collect();
        Ok(Self {
            candidates: candidates(tx, &people, now).await?,
            above,
            owners,
            security,
            named,
        })
    }

    /// Who reviews an item by a rule, with the fallbacks after it: the manager's manager, the owners, whoever is named, and
    /// security at last.
    pub(crate) fn reviewer(
        &self,
        balance: &mut Balance,
        rule: ReviewerRule,
        held: Held,
    ) -> Option<(PersonId, Via)> {
        self.reviewer_but(balance, rule, held, &[])
    }

    /// As [`Pool::reviewer`], but none of these.
    pub(crate) fn reviewer_but(
        &self,
        balance: &mut Balance,
        rule: ReviewerRule,
        held: Held,
        not: &[PersonId],
    ) -> Option<(PersonId, Via)> {
        let chain = self.above.get(&held.person).map_or(&[][..], Vec::as_slice);
        let manager = (Via::Manager, chain.first().copied().into_iter().collect());
        let next = (Via::Above, chain.get(1).copied().into_iter().collect());
        let owners = held
            .package
            .and_then(|package| self.owners.get(&package))
            .cloned()
            .unwrap_or_default();
        let owners = (Via::PackageOwner, owners);
        let right = (
            Via::EntitlementOwner,
            held.right_owner.into_iter().collect(),
        );
        let named = (Via::Named, self.named.into_iter().collect());
        let security = (Via::Security, self.security.clone());
        let order: Vec<(Via, Vec<PersonId>)> = match rule {
            ReviewerRule::Manager => vec![manager, next, owners, right, named, security],
            ReviewerRule::PackageOwner => vec![owners, right, manager, next, named, security],
            ReviewerRule::EntitlementOwner => vec![right, owners, manager, next, named, security],
            ReviewerRule::Security => vec![security, named, manager, next],
            ReviewerRule::Named => vec![named, manager, next, owners, security],
        };
        let tiers: Vec<Tier<'_>> = order
            .into_iter()
            .map(|(via, people)| Tier {
                via,
                people: people
                    .iter()
                    .filter(|person| !not.contains(person))
                    .filter_map(|person| self.candidates.get(person))
                    .collect(),
            })
            .collect();
        assign(balance, held.person, &tiers)
    }
}

/// Everybody above each of these people, nearest first.
async fn above(tx: &mut Tx, people: &[PersonId]) -> Result<BTreeMap<PersonId, Vec<PersonId>>> {
    let mut found: BTreeMap<PersonId, Vec<PersonId>> = BTreeMap::new();
    for chunk in people.chunks(500) {
        for row in tx.managers_above(chunk).await? {
            let chain = found.entry(row.person_id).or_default();
            if row.above_id != row.person_id && !chain.contains(&row.above_id) {
                chain.push(row.above_id);
            }
        }
    }
    Ok(found)
}

/// What the rules need to know of these people.
pub(super) async fn candidates(
    tx: &mut Tx,
    people: &[PersonId],
    now: Timestamp,
) -> Result<BTreeMap<PersonId, Candidate>> {
    let mut above = above(tx, people).await?;
    let mut roles: BTreeMap<PersonId, Vec<PortalRole>> = BTreeMap::new();
    for chunk in people.chunks(500) {
        for row in tx.roles_of(chunk).await? {
            roles.entry(row.person_id).or_default().push(row.role);
        }
    }
    let rows: Vec<PersonRow> = tx.persons(people).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let id = row.id;
            let held = roles.get(&id).map_or(&[][..], Vec::as_slice);
            let runs_portal = effective_roles(held)
                .0
                .into_iter()
                .any(PortalRole::runs_portal);
            let candidate = Candidate {
                person: id,
                active: row.into_domain().works_at(now),
                runs_portal,
                above: above.remove(&id).unwrap_or_default(),
            };
            (id, candidate)
        })
        .collect())
}
