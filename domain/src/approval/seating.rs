//! Who sits in a stage: those whom the rule names, the fallback where they cannot decide, and who stands in for them.

use std::collections::BTreeSet;

use super::{Candidate, Facts, Seat, Via, bar};
use crate::{
    PersonId,
    hand_on::takes,
    policy::{ApproverRule, Quorum, StageRule},
    refusal::DeciderBar,
};

/// Who sits in a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seating {
    /// Who may decide, in order, each person once.
    pub seats: Vec<Seat>,
    /// How many must say yes.
    pub needed: usize,
    /// Whether these are not the people whom the rule named first.
    pub fallback: bool,
    /// Whether only subordinates were left, so that two of security decide together.
    pub by_subordinates: bool,
    /// How many said yes already.
    pub yes: usize,
    /// Whether somebody said yes as a subordinate, which does not count now that others may decide.
    pub yes_ignored: bool,
    /// How many voices are seated that were not heard yet.
    pub silent: usize,
}

impl Seating {
    fn new(yes: &Yes<'_>, seats: Vec<Seat>, needed: usize) -> Self {
        Self {
            needed,
            fallback: true,
            by_subordinates: false,
            yes: yes.count(),
            yes_ignored: false,
            silent: seats.iter().filter(|seat| !yes.heard(seat.person)).count(),
            seats,
        }
    }

    /// Whether nobody can decide: the line is held and somebody is alerted; never silently approved.
    pub fn is_stuck(&self) -> bool {
        self.yes + self.silent < self.needed.max(1)
    }
}

/// The yeses that count. One human is one vote: neither whose voice was given nor whoever gave it is asked again.
struct Yes<'a> {
    voices: &'a BTreeSet<PersonId>,
    voters: &'a BTreeSet<PersonId>,
}

impl Yes<'_> {
    fn count(&self) -> usize {
        self.voices.len()
    }

    fn heard(&self, person: PersonId) -> bool {
        self.voices.contains(&person) || self.voters.contains(&person)
    }
}

/// Works out who may decide in a stage.
pub fn seat(rule: &StageRule, facts: &Facts) -> Seating {
    let mut seating = seated(rule, facts);
    seating.yes_ignored = seating.yes < facts.said_yes.len();
    if !seating.by_subordinates {
        seating.seats = with_deputies(seating.seats, facts);
    }
    seating
}

/// First the rule itself; if that leaves fewer people than must decide, the stage's chain; if it has one and nobody is left only
/// because everybody is a subordinate, two members of security decide together.
fn seated(rule: &StageRule, facts: &Facts) -> Seating {
    let nobody = BTreeSet::new();
    let yes = if facts.yes_by_subordinates {
        Yes {
            voices: &nobody,
            voters: &nobody,
        }
    } else {
        Yes {
            voices: &facts.said_yes,
            voters: &facts.voted,
        }
    };
    let mut seats = Vec::new();
    fill(&mut seats, rule.approvers, rule, facts);
    let needed = match rule.quorum {
        // Everybody who is there, and whoever said yes before they went.
        Quorum::All if seats.is_empty() => None,
        Quorum::All => {
            Some(yes.count() + seats.iter().filter(|seat| !yes.heard(seat.person)).count())
        }
        Quorum::Count(_) => Some(rule.quorum.needed(seats.len())),
    };
    if let Some(needed) = needed {
        let seating = Seating::new(&yes, seats.clone(), needed);
        if !seating.is_stuck() {
            if !facts.escalated {
                return Seating {
                    fallback: false,
                    ..seating
                };
            }
            // They kept everybody waiting: the next of the chain may decide as well, and as many must agree as before.
            for next in &rule.fallback {
                fill(&mut seats, *next, rule, facts);
                if seats.len() > seating.seats.len() {
                    break;
                }
            }
            return Seating {
                fallback: false,
                ..Seating::new(&yes, seats, needed)
            };
        }
    }
    let needed = match rule.quorum {
        // "All" of a group that is gone cannot mean everybody further up: one of the fallback decides in their place.
        Quorum::All => yes.count() + 1,
        Quorum::Count(_) => rule.quorum.needed(0),
    };
    for next in &rule.fallback {
        fill(&mut seats, *next, rule, facts);
        let seating = Seating::new(&yes, seats.clone(), needed);
        if !seating.is_stuck() {
            return seating;
        }
    }
    // A stage without a chain has no last resort either: it waits until it lapses.
    if seats.is_empty() && !rule.fallback.is_empty() {
        let subordinates = subordinates(facts);
        if subordinates.len() >= 2 {
            let yes = Yes {
                voices: &facts.said_yes,
                voters: &facts.voted,
            };
            return Seating {
                by_subordinates: true,
                ..Seating::new(&yes, subordinates, 2)
            };
        }
    }
    Seating::new(&yes, seats, needed)
}

/// The members of security who are below the asker or the beneficiary; none where another member could decide.
fn subordinates(facts: &Facts) -> Vec<Seat> {
    let mut seats: Vec<Seat> = Vec::new();
    for candidate in &facts.security {
        match bar(candidate, facts) {
            None => return Vec::new(),
            Some(DeciderBar::Subordinate) => push(&mut seats, candidate.person, Via::Security),
            Some(_) => {}
        }
    }
    seats
}

/// Seats those whom `named` names and nothing bars, behind those who are seated already.
fn fill(seats: &mut Vec<Seat>, named: ApproverRule, rule: &StageRule, facts: &Facts) {
    let free = |candidate: &Candidate| bar(candidate, facts).is_none();
    let (via, group): (Via, Vec<&Candidate>) = match named {
        ApproverRule::Manager if !facts.employee && facts.sponsors.iter().any(free) => {
            (Via::Sponsor, facts.sponsors.iter().collect())
        }
        ApproverRule::Manager => (Via::Manager, facts.manager.iter().collect()),
        ApproverRule::ManagersManager => (
            Via::ManagersManager,
            facts.managers_manager.iter().collect(),
        ),
        ApproverRule::Sponsor => (Via::Sponsor, facts.sponsors.iter().collect()),
        ApproverRule::PackageOwner => (Via::PackageOwner, facts.owners.iter().collect()),
        ApproverRule::EntitlementOwner => (
            Via::EntitlementOwner,
            facts.entitlement_owners.iter().collect(),
        ),
        ApproverRule::Security => (Via::Security, facts.security.iter().collect()),
        ApproverRule::Role => (
            Via::Role,
            rule.role
                .and_then(|role| facts.roles.get(&role))
                .into_iter()
                .flatten()
                .collect(),
        ),
        ApproverRule::Group => (
            Via::Group,
            rule.group
                .and_then(|group| facts.groups.get(&group))
                .into_iter()
                .flatten()
                .collect(),
        ),
        ApproverRule::Named => (
            Via::Named,
            facts
                .named
                .iter()
                .filter(|one| rule.named.contains(&one.person))
                .collect(),
        ),
    };
    for candidate in group {
        if let Some(person) = takes(candidate, via, rule, facts) {
            push(seats, person, via);
        }
    }
}

fn push(seats: &mut Vec<Seat>, person: PersonId, via: Via) {
    if !seats.iter().any(|seat| seat.person == person) {
        seats.push(Seat::own(person, via));
    }
}

/// Beside each seated person those who stand in for them now, one level only. Whose voice a deputy gave already has no
/// seat any more, and nobody else stands in for them, nor for a colleague to whom a seat was handed on.
fn with_deputies(own: Vec<Seat>, facts: &Facts) -> Vec<Seat> {
    let given = |person: PersonId| {
        facts.said_yes.contains(&person)
            && !facts.voted.contains(&person)
            && !facts.yes_by_subordinates
    };
    let mut seats: Vec<Seat> = own
        .iter()
        .copied()
        .filter(|seat| !given(seat.person))
        .collect();
    for seat in &own {
        for deputy in &facts.deputies {
            let taken = facts
                .handed_on
                .iter()
                .any(|one| one.to.person == seat.person);
            let stands_in = deputy.of == seat.person
                && !taken
                && seat.via.by_deputy()
                && deputy.only.is_none_or(|only| only == seat.via);
            let heard = facts.said_yes.contains(&seat.person);
            if stands_in
                && (!heard || facts.voted.contains(&deputy.who.person))
                && bar(&deputy.who, facts).is_none()
                && !seats.iter().any(|one| one.person == deputy.who.person)
            {
                seats.push(Seat {
                    person: deputy.who.person,
                    via: seat.via,
                    behalf: Some(seat.person),
                });
            }
        }
    }
    seats
}
