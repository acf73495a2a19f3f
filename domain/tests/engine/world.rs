//! A random small company, and one ask in it.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    PersonId,
    approval::{Candidate, Deputy, Facts, Via},
    person::{Person, PersonState, PortalRole},
    policy::ApproverRule,
};
use uuid::Uuid;

use crate::Dice;

/// The one group of the directory that stages name.
pub const GROUP: Uuid = Uuid::from_u128(0x6001);

/// A person by number.
pub type Nth = usize;

pub struct Human {
    pub manager: Option<Nth>,
    pub active: bool,
    pub runs_portal: bool,
    pub security: bool,
    pub hr: bool,
}

pub struct World {
    pub people: Vec<Human>,
    pub asker: Nth,
    pub beneficiary: Nth,
    pub employee: bool,
    pub owners: Vec<Nth>,
    pub right_owners: Vec<Nth>,
    pub sponsors: Vec<Nth>,
    pub named: Vec<Nth>,
    /// Who is in the directory's group.
    pub group: Vec<Nth>,
    /// Who stands in for whom, and for what only.
    pub deputies: Vec<(Nth, Nth, Option<Via>)>,
}

pub fn id(n: Nth) -> PersonId {
    PersonId(Uuid::from_u128(n as u128 + 1))
}

pub fn nth(id: PersonId) -> Nth {
    id.0.as_u128() as usize - 1
}

impl World {
    pub fn random(dice: &mut Dice) -> Self {
        let count = 3 + dice.below(9);
        let people = (0..count)
            .map(|n| Human {
                // Mostly a tree, sometimes a circle.
                manager: match dice.below(12) {
                    0 => None,
                    1 => Some(dice.below(count)),
                    _ => (n > 0).then(|| dice.below(n)),
                },
                active: !dice.once_in(8),
                runs_portal: dice.once_in(10),
                security: dice.once_in(4),
                hr: dice.once_in(6),
            })
            .collect();
        let beneficiary = dice.below(count);
        let asker = if dice.once_in(3) {
            dice.below(count)
        } else {
            beneficiary
        };
        let mut world = Self {
            people,
            asker,
            beneficiary,
            employee: !dice.once_in(4),
            owners: dice.some_of(count, 3),
            right_owners: dice.some_of(count, 2),
            sponsors: dice.some_of(count, 2),
            named: dice.some_of(count, 4),
            group: dice.some_of(count, 4),
            deputies: Vec::new(),
        };
        if dice.once_in(4)
            && let Some(manager) = world.people[beneficiary].manager
        {
            world.asker = manager;
        }
        for _ in 0..dice.below(4) {
            world.deputise(dice);
        }
        world
    }

    /// Somebody stands in for somebody who has nobody yet.
    pub fn deputise(&mut self, dice: &mut Dice) {
        let only = [None, None, Some(Via::Manager), Some(Via::Named)][dice.below(4)];
        let (of, who) = (dice.below(self.people.len()), dice.below(self.people.len()));
        if of != who && self.deputies.iter().all(|(other, ..)| *other != of) {
            self.deputies.push((of, who, only));
        }
    }

    /// Everybody above somebody, nearest first.
    pub fn above(&self, n: Nth) -> Vec<Nth> {
        let mut chain: Vec<Nth> = Vec::new();
        let mut next = self.people[n].manager;
        while let Some(above) = next.filter(|above| *above != n && !chain.contains(above)) {
            chain.push(above);
            next = self.people[above].manager;
        }
        chain
    }

    /// Whom a rule of the policy names, and how they are seated by it.
    pub fn named_by(&self, rule: ApproverRule) -> (Via, Vec<Nth>) {
        let manager = self.people[self.beneficiary].manager;
        let with = |has: fn(&Human) -> bool| {
            (0..self.people.len())
                .filter(|n| has(&self.people[*n]))
                .collect::<Vec<_>>()
        };
        let rows = [
            (
                ApproverRule::Manager,
                Via::Manager,
                manager.into_iter().collect(),
            ),
            (
                ApproverRule::ManagersManager,
                Via::ManagersManager,
                manager
                    .and_then(|manager| self.above(manager).first().copied())
                    .into_iter()
                    .collect(),
            ),
            (ApproverRule::Sponsor, Via::Sponsor, self.sponsors.clone()),
            (
                ApproverRule::PackageOwner,
                Via::PackageOwner,
                self.owners.clone(),
            ),
            (
                ApproverRule::EntitlementOwner,
                Via::EntitlementOwner,
                self.right_owners.clone(),
            ),
            (
                ApproverRule::Security,
                Via::Security,
                with(|human| human.security),
            ),
            (ApproverRule::Role, Via::Role, with(|human| human.hr)),
            (ApproverRule::Group, Via::Group, self.group.clone()),
            (ApproverRule::Named, Via::Named, self.named.clone()),
        ];
        rows.into_iter()
            .find(|(of, ..)| *of == rule)
            .map(|(_, via, people)| (via, people))
            .expect("the model knows every rule that it draws")
    }

    pub fn candidate(&self, n: Nth) -> Candidate {
        Candidate {
            person: id(n),
            active: self.people[n].active,
            runs_portal: self.people[n].runs_portal,
            above: self.above(n).into_iter().map(id).collect(),
        }
    }

    /// As the engine is told of it.
    pub fn facts(&self) -> Facts {
        let all = |people: &[Nth]| people.iter().map(|n| self.candidate(*n)).collect();
        let by = |rule| self.named_by(rule).1;
        Facts {
            asker: Some(id(self.asker)),
            beneficiary: Some(id(self.beneficiary)),
            employee: self.employee,
            manager: by(ApproverRule::Manager)
                .first()
                .map(|n| self.candidate(*n)),
            managers_manager: by(ApproverRule::ManagersManager)
                .first()
                .map(|n| self.candidate(*n)),
            sponsors: all(&self.sponsors),
            owners: all(&self.owners),
            entitlement_owners: all(&self.right_owners),
            security: all(&by(ApproverRule::Security)),
            roles: BTreeMap::from([(PortalRole::Hr, all(&by(ApproverRule::Role)))]),
            groups: BTreeMap::from([(GROUP, all(&self.group))]),
            named: all(&self.named),
            deputies: self
                .deputies
                .iter()
                .map(|(of, who, only)| Deputy {
                    of: id(*of),
                    who: self.candidate(*who),
                    only: *only,
                })
                .collect(),
            for_party: self.for_party().into_iter().map(id).collect(),
            ..Facts::default()
        }
    }

    /// Who stands in for the asker or the beneficiary.
    pub fn for_party(&self) -> BTreeSet<Nth> {
        self.deputies
            .iter()
            .filter(|(of, ..)| [self.asker, self.beneficiary].contains(of))
            .map(|(_, who, _)| *who)
            .collect()
    }

    pub fn person(&self, n: Nth) -> Person {
        Person {
            id: id(n),
            name: format!("Person {n}"),
            state: PersonState::Active,
            department: String::new(),
            job_title: String::new(),
            country: String::new(),
            office: String::new(),
            company: String::new(),
            employee_type: "employee".into(),
            user_type: "member".into(),
            manager: self.people[n].manager.map(id),
            last_day_at: None,
            suspended: false,
        }
    }
}
