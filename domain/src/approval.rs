//! Approval: who is seated in a stage, who may decide, and what a vote does. Nobody decides on their own access.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    PersonId,
    hand_on::{HandedOn, takes},
    person::Person,
    policy::{ApproverRule, Quorum, StageRule},
    refusal::DeciderBar,
    words,
};

words! {
    /// Where a stage stands.
    pub enum StageState {
        /// An earlier stage is open.
        Waiting = "waiting",
        /// May be decided now.
        Open = "open",
        /// Enough people said yes.
        Met = "met",
        /// The one who asked thereby gave this stage.
        MetByAsking = "met_by_asking",
        /// The same person's yes of an earlier stage counts here (low-risk policy).
        Collapsed = "collapsed",
        /// Somebody said no.
        Denied = "denied",
        /// The line ended before this stage was decided.
        Closed = "closed",
    }
}

impl StageState {
    /// Whether the stage counts as a yes.
    pub const fn is_met(self) -> bool {
        matches!(self, Self::Met | Self::MetByAsking | Self::Collapsed)
    }
}

words! {
    /// A decision's content.
    pub enum Verdict {
        /// Yes, perhaps for less time.
        Approve = "approve",
        /// No, with a reason.
        Deny = "deny",
    }
}

words! {
    /// By which rule somebody has a seat.
    pub enum Via {
        /// As the beneficiary's manager.
        Manager = "manager",
        /// As the manager's manager.
        ManagersManager = "managers_manager",
        /// As the beneficiary's sponsor.
        Sponsor = "sponsor",
        /// As an owner of the package.
        PackageOwner = "package_owner",
        /// As a member of security.
        Security = "security",
        /// Named by the policy.
        Named = "named",
    }
}

/// One person who may decide in a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Seat {
    /// Who.
    pub person: PersonId,
    /// By which rule.
    pub via: Via,
}

/// What seating needs to know of somebody who may come into question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Who.
    pub person: PersonId,
    /// Whether they work here now.
    pub active: bool,
    /// Whether they are effectively administrator or operator: who runs the portal decides nothing in it.
    pub runs_portal: bool,
    /// Everybody above them, nearest first; cut where it turns in a circle.
    pub above: Vec<PersonId>,
}

/// The facts from which a stage is seated, read in the same transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Who asked.
    pub asker: Option<PersonId>,
    /// Whom it is for.
    pub beneficiary: Option<PersonId>,
    /// Whether the beneficiary is an employee.
    pub employee: bool,
    /// The beneficiary's manager.
    pub manager: Option<Candidate>,
    /// The manager's manager.
    pub managers_manager: Option<Candidate>,
    /// The beneficiary's sponsors.
    pub sponsors: Vec<Candidate>,
    /// The package's owners.
    pub owners: Vec<Candidate>,
    /// Everybody who holds the role security effectively.
    pub security: Vec<Candidate>,
    /// The people whom the stage names.
    pub named: Vec<Candidate>,
    /// Those who decided earlier stages, where the policy wants different people.
    pub decided_earlier: BTreeSet<PersonId>,
    /// Those who said yes in this stage already. Their votes stand, whether they would still be seated or not.
    pub said_yes: BTreeSet<PersonId>,
    /// Whether they did so as subordinates: that counts only while nobody else is left.
    pub yes_by_subordinates: bool,
    /// Whose seat in this stage is taken by whom.
    pub handed_on: Vec<HandedOn>,
}

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
    /// How many are seated who have not said yes.
    pub silent: usize,
}

impl Seating {
    fn new(said_yes: &BTreeSet<PersonId>, seats: Vec<Seat>, needed: usize) -> Self {
        Self {
            needed,
            fallback: true,
            by_subordinates: false,
            yes: said_yes.len(),
            yes_ignored: false,
            silent: seats
                .iter()
                .filter(|seat| !said_yes.contains(&seat.person))
                .count(),
            seats,
        }
    }

    /// Whether nobody can decide: the line is held and somebody is alerted; never silently approved.
    pub fn is_stuck(&self) -> bool {
        self.yes + self.silent < self.needed.max(1)
    }
}

/// Why `candidate` may not sit here, if so.
pub fn bar(candidate: &Candidate, facts: &Facts) -> Option<DeciderBar> {
    let person = Some(candidate.person);
    if !candidate.active {
        Some(DeciderBar::Inactive)
    } else if person == facts.asker {
        Some(DeciderBar::Asker)
    } else if person == facts.beneficiary {
        Some(DeciderBar::Beneficiary)
    } else if candidate.runs_portal {
        Some(DeciderBar::RunsPortal)
    } else if facts.decided_earlier.contains(&candidate.person) {
        Some(DeciderBar::DecidedEarlier)
    } else if candidate
        .above
        .iter()
        .any(|above| Some(*above) == facts.asker || Some(*above) == facts.beneficiary)
    {
        Some(DeciderBar::Subordinate)
    } else {
        None
    }
}

/// Works out who may decide in a stage.
pub fn seat(rule: &StageRule, facts: &Facts) -> Seating {
    let seating = seated(rule, facts);
    Seating {
        yes_ignored: seating.yes < facts.said_yes.len(),
        ..seating
    }
}

/// First the rule itself; if that leaves fewer people than must decide, the chain manager's manager → package owner →
/// security; if that is empty only because everybody is a subordinate, two members of security decide together.
fn seated(rule: &StageRule, facts: &Facts) -> Seating {
    let nobody = BTreeSet::new();
    let yes = if facts.yes_by_subordinates {
        &nobody
    } else {
        &facts.said_yes
    };
    let first = first_choice(rule, facts);
    let chosen = match rule.quorum {
        // Everybody who is there, and whoever said yes before they went.
        Quorum::All => {
            let everybody: BTreeSet<PersonId> = first
                .iter()
                .map(|seat| seat.person)
                .chain(yes.iter().copied())
                .collect();
            (!first.is_empty()).then_some(everybody.len())
        }
        Quorum::Count(_) => Some(rule.quorum.needed(first.len())),
    };
    if let Some(needed) = chosen {
        let seating = Seating::new(yes, first.clone(), needed);
        if !seating.is_stuck() {
            return Seating {
                fallback: false,
                ..seating
            };
        }
    }
    let mut seats = first;
    for (via, group) in chain(facts) {
        for candidate in group {
            if let Some(person) = takes(candidate, via, facts)
                && !seats.iter().any(|seat| seat.person == person)
            {
                seats.push(Seat { person, via });
            }
        }
        let needed = fallback_need(rule.quorum, yes.len());
        let seating = Seating::new(yes, seats.clone(), needed);
        if !seating.is_stuck() {
            return seating;
        }
    }
    if seats.is_empty() {
        let mut subordinates: Vec<Seat> = Vec::new();
        for candidate in &facts.security {
            if bar(candidate, facts) == Some(DeciderBar::Subordinate)
                && !subordinates
                    .iter()
                    .any(|seat| seat.person == candidate.person)
            {
                subordinates.push(Seat {
                    person: candidate.person,
                    via: Via::Security,
                });
            }
        }
        if subordinates.len() >= 2 {
            return Seating {
                by_subordinates: true,
                ..Seating::new(&facts.said_yes, subordinates, 2)
            };
        }
    }
    let needed = fallback_need(rule.quorum, yes.len());
    Seating::new(yes, seats, needed)
}

fn fallback_need(quorum: Quorum, yes: usize) -> usize {
    match quorum {
        // "All" of a group that is gone cannot mean everybody further up: one of the fallback decides in their place.
        Quorum::All => yes + 1,
        Quorum::Count(_) => quorum.needed(0),
    }
}

fn first_choice(rule: &StageRule, facts: &Facts) -> Vec<Seat> {
    let groups: Vec<(Via, Vec<&Candidate>)> = match rule.approvers {
        ApproverRule::Manager
            if !facts.employee && facts.sponsors.iter().any(|one| bar(one, facts).is_none()) =>
        {
            vec![(Via::Sponsor, facts.sponsors.iter().collect())]
        }
        ApproverRule::Manager => vec![(Via::Manager, facts.manager.iter().collect())],
        ApproverRule::ManagersManager => vec![(
            Via::ManagersManager,
            facts.managers_manager.iter().collect(),
        )],
        ApproverRule::Sponsor => vec![(Via::Sponsor, facts.sponsors.iter().collect())],
        ApproverRule::PackageOwner => vec![(Via::PackageOwner, facts.owners.iter().collect())],
        ApproverRule::Security => vec![(Via::Security, facts.security.iter().collect())],
        ApproverRule::Named => vec![(Via::Named, facts.named.iter().collect())],
    };
    let mut seats: Vec<Seat> = Vec::new();
    for (via, group) in groups {
        for candidate in group {
            if let Some(person) = takes(candidate, via, facts)
                && !seats.iter().any(|seat| seat.person == person)
            {
                seats.push(Seat { person, via });
            }
        }
    }
    seats
}

fn chain(facts: &Facts) -> [(Via, Vec<&Candidate>); 3] {
    [
        (
            Via::ManagersManager,
            facts.managers_manager.iter().collect(),
        ),
        (Via::PackageOwner, facts.owners.iter().collect()),
        (Via::Security, facts.security.iter().collect()),
    ]
}

/// Whether an asker who is the beneficiary's manager has thereby given the manager stage: only where a later stage is
/// decided by another human.
pub fn met_by_asking(
    route: &[StageRule],
    position: usize,
    asker: &Person,
    beneficiary: &Person,
) -> bool {
    route
        .get(position)
        .is_some_and(|stage| stage.approvers == ApproverRule::Manager)
        && asker.id != beneficiary.id
        && beneficiary.manager == Some(asker.id)
        && route.len() > position + 1
}

/// What a stage becomes once `approvals` different people said yes.
pub fn tally(approvals: usize, needed: usize) -> StageState {
    if approvals >= needed.max(1) {
        StageState::Met
    } else {
        StageState::Open
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn id(n: u128) -> PersonId {
        PersonId(Uuid::from_u128(n))
    }

    fn candidate(n: u128, above: &[u128]) -> Candidate {
        Candidate {
            person: id(n),
            active: true,
            runs_portal: false,
            above: above.iter().map(|n| id(*n)).collect(),
        }
    }

    fn rule(approvers: ApproverRule, quorum: Quorum) -> StageRule {
        StageRule {
            approvers,
            named: vec![],
            quorum,
        }
    }

    /// 1 asks for themselves; 2 is the manager, 3 above; 4 owns; 5 and 6 are security.
    fn facts() -> Facts {
        Facts {
            asker: Some(id(1)),
            beneficiary: Some(id(1)),
            employee: true,
            manager: Some(candidate(2, &[3])),
            managers_manager: Some(candidate(3, &[])),
            owners: vec![candidate(4, &[3])],
            security: vec![candidate(5, &[3]), candidate(6, &[3])],
            ..Facts::default()
        }
    }

    #[test]
    fn the_manager_decides() {
        let seating = seat(&rule(ApproverRule::Manager, Quorum::Count(1)), &facts());
        assert_eq!(
            seating.seats,
            vec![Seat {
                person: id(2),
                via: Via::Manager
            }]
        );
        assert!(!seating.fallback);
    }

    #[test]
    fn without_a_manager_the_chain_goes_up_then_to_the_owner_then_to_security() {
        let mut facts = facts();
        facts.manager = None;
        let who =
            |facts: &Facts| seat(&rule(ApproverRule::Manager, Quorum::Count(1)), facts).seats[0];
        assert_eq!(
            who(&facts),
            Seat {
                person: id(3),
                via: Via::ManagersManager
            }
        );
        facts.managers_manager.as_mut().expect("set above").active = false;
        assert_eq!(
            who(&facts),
            Seat {
                person: id(4),
                via: Via::PackageOwner
            }
        );
        facts.owners.clear();
        assert_eq!(
            who(&facts),
            Seat {
                person: id(5),
                via: Via::Security
            }
        );
        facts.security.clear();
        assert!(seat(&rule(ApproverRule::Manager, Quorum::Count(1)), &facts).is_stuck());
    }

    #[test]
    fn an_owner_who_asks_does_not_decide() {
        let mut facts = facts();
        facts.owners = vec![candidate(1, &[2, 3]), candidate(4, &[3])];
        let seating = seat(&rule(ApproverRule::PackageOwner, Quorum::Count(1)), &facts);
        assert_eq!(
            seating.seats,
            vec![Seat {
                person: id(4),
                via: Via::PackageOwner
            }]
        );
    }

    #[test]
    fn for_the_head_of_the_company_two_of_security_decide_together() {
        let head = Facts {
            asker: Some(id(3)),
            beneficiary: Some(id(3)),
            employee: true,
            owners: vec![candidate(4, &[3])],
            security: vec![candidate(5, &[4, 3]), candidate(6, &[4, 3])],
            ..Facts::default()
        };
        let seating = seat(&rule(ApproverRule::Manager, Quorum::Count(1)), &head);
        assert!(seating.by_subordinates);
        assert_eq!(seating.needed, 2);
        assert_eq!(seating.seats.len(), 2);

        // One of them says yes: that is one of two, and nothing once somebody else may decide.
        let voted = Facts {
            said_yes: BTreeSet::from([id(5)]),
            yes_by_subordinates: true,
            ..head
        };
        let seating = seat(&rule(ApproverRule::Manager, Quorum::Count(1)), &voted);
        assert_eq!((seating.needed, seating.yes, seating.silent), (2, 1, 1));
        let alone = Facts {
            security: vec![candidate(5, &[4, 3])],
            ..voted.clone()
        };
        assert!(seat(&rule(ApproverRule::Manager, Quorum::Count(1)), &alone).is_stuck());
        let helped = Facts {
            owners: vec![candidate(9, &[])],
            ..voted
        };
        let seating = seat(&rule(ApproverRule::Manager, Quorum::Count(1)), &helped);
        assert!(!seating.by_subordinates);
        assert_eq!((seating.needed, seating.yes, seating.silent), (1, 0, 1));
    }

    #[test]
    fn a_contractor_has_a_sponsor() {
        let mut facts = facts();
        facts.employee = false;
        facts.sponsors = vec![candidate(7, &[3])];
        assert_eq!(
            seat(&rule(ApproverRule::Manager, Quorum::Count(1)), &facts).seats,
            vec![Seat {
                person: id(7),
                via: Via::Sponsor
            }]
        );
    }

    #[test]
    fn all_means_everybody_and_two_means_two() {
        let all = seat(&rule(ApproverRule::Security, Quorum::All), &facts());
        assert_eq!(all.needed, 2);
        let two = seat(&rule(ApproverRule::Manager, Quorum::Count(2)), &facts());
        assert!(two.fallback);
        assert_eq!(two.needed, 2);
        assert_eq!(two.seats.len(), 2);
    }

    #[test]
    fn a_yes_outlives_the_seat_that_it_was_given_from() {
        let mut facts = facts();
        facts.owners = vec![candidate(4, &[3]), candidate(8, &[3]), candidate(9, &[3])];
        let all = rule(ApproverRule::PackageOwner, Quorum::All);
        assert_eq!(seat(&all, &facts).needed, 3);
        facts.said_yes = BTreeSet::from([id(4), id(8)]);
        // The third leaves: everybody who is there has said yes.
        facts.owners.pop();
        let two = seat(&all, &facts);
        assert_eq!((two.needed, two.yes, two.silent), (2, 2, 0));
        assert!(!two.is_stuck());
        // One who said yes leaves: those who did not are still asked.
        facts.owners = vec![candidate(8, &[3]), candidate(9, &[3])];
        let third = seat(&all, &facts);
        assert_eq!((third.needed, third.yes, third.silent), (3, 2, 1));
        // Everybody who is left leaves: one of the fallback decides in their place.
        facts.owners.clear();
        let fallback = seat(&all, &facts);
        assert_eq!((fallback.needed, fallback.yes), (3, 2));
        assert!(fallback.fallback && !fallback.is_stuck());
        // Two of security must say yes; one did, and nobody else is there.
        facts.security = vec![candidate(5, &[3])];
        facts.managers_manager = None;
        facts.said_yes = BTreeSet::from([id(5)]);
        assert!(seat(&rule(ApproverRule::Security, Quorum::Count(2)), &facts).is_stuck());
    }

    #[test]
    fn whoever_runs_the_portal_decides_nothing() {
        let mut facts = facts();
        facts.manager.as_mut().expect("set above").runs_portal = true;
        let seating = seat(&rule(ApproverRule::Manager, Quorum::Count(1)), &facts);
        assert_eq!(seating.seats[0].person, id(3));
        assert!(seating.fallback);
        assert_eq!(
            bar(facts.manager.as_ref().expect("set above"), &facts),
            Some(DeciderBar::RunsPortal)
        );
    }

    proptest! {
        /// Whatever the organisation looks like: nobody decides on their own access, nobody sits twice, nobody who is
        /// barred sits (but for the marked case), and a seating that is not stuck can reach its quorum.
        #[test]
        fn seats_are_never_barred(
            people in proptest::collection::vec((0_u128..8, any::<bool>(), proptest::collection::vec(0_u128..8, 0..4)), 12),
            asker in 0_u128..8, beneficiary in 0_u128..8, which in 0_usize..6, quorum in 0_u8..4, employee in any::<bool>(),
        ) {
            let made: Vec<Candidate> = people.iter().map(|(n, active, above)| Candidate { person: id(*n), active: *active, runs_portal: false, above: above.iter().map(|n| id(*n)).collect() }).collect();
            let facts = Facts {
                asker: Some(id(asker)), beneficiary: Some(id(beneficiary)), employee,
                manager: Some(made[0].clone()), managers_manager: Some(made[1].clone()),
                sponsors: made[2..4].to_vec(), owners: made[4..7].to_vec(), security: made[7..10].to_vec(), named: made[10..].to_vec(),
                decided_earlier: BTreeSet::from([id(0)]), ..Facts::default()
            };
            let quorum = if quorum == 0 { Quorum::All } else { Quorum::Count(quorum) };
            let seating = seat(&rule(ApproverRule::ALL[which], quorum), &facts);
            let all: Vec<&Candidate> = made.iter().collect();
            let mut seen = BTreeSet::new();
            for seat in &seating.seats {
                prop_assert!(seat.person != id(asker) && seat.person != id(beneficiary));
                prop_assert!(seen.insert(seat.person));
                // The same person may appear in the facts with other attributes; one unbarred appearance is enough.
                let bars: Vec<_> = all.iter().filter(|one| one.person == seat.person).map(|one| bar(one, &facts)).collect();
                if seating.by_subordinates {
                    prop_assert!(bars.contains(&Some(DeciderBar::Subordinate)));
                } else {
                    prop_assert!(bars.contains(&None));
                }
            }
            if seating.by_subordinates { prop_assert!(seating.needed == 2); }
            if !seating.is_stuck() { prop_assert!(seating.seats.len() >= seating.needed && seating.needed >= 1); }
        }
    }
}
