//! Handing on: a decider gives their seat to a colleague, who passes every exclusion that the decider passes.

use crate::{
    PersonId,
    approval::{Candidate, Facts, Seat, Seating, Via, bar},
    policy::StageRule,
    refusal::{DeciderBar, TakeOverBar},
};

/// A seat that somebody gave to a colleague.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandedOn {
    /// Whose seat it is by the rule.
    pub from: PersonId,
    /// Who decides in their place.
    pub to: Candidate,
}

/// Who takes the seat that the rules give to `candidate`: they, or the colleague to whom they handed it on, as long as
/// that one may; nobody if the candidate may not sit here themselves.
pub(crate) fn takes(
    candidate: &Candidate,
    via: Via,
    rule: &StageRule,
    facts: &Facts,
) -> Option<PersonId> {
    if bar(candidate, facts).is_some() {
        return None;
    }
    let colleague = facts
        .handed_on
        .iter()
        .find(|one| one.from == candidate.person)
        .map(|one| &one.to)
        .filter(|to| may_take(to, via, rule, facts).is_none());
    Some(colleague.map_or(candidate.person, |to| to.person))
}

/// Why a seat of this rule may not go to somebody, whoever else sits in the stage.
fn may_take(to: &Candidate, via: Via, rule: &StageRule, facts: &Facts) -> Option<TakeOverBar> {
    let among = |group: &[Candidate]| group.iter().any(|one| one.person == to.person);
    let group = || rule.group.and_then(|group| facts.groups.get(&group));
    match bar(to, facts) {
        Some(DeciderBar::Asker) => Some(TakeOverBar::Asker),
        Some(DeciderBar::Beneficiary) => Some(TakeOverBar::Beneficiary),
        Some(DeciderBar::Subordinate) => Some(TakeOverBar::Subordinate),
        Some(DeciderBar::DecidedEarlier) => Some(TakeOverBar::DecidedEarlier),
        Some(DeciderBar::RunsPortal) => Some(TakeOverBar::RunsPortal),
        Some(
            DeciderBar::Inactive | DeciderBar::NoSeat | DeciderBar::HandedOn | DeciderBar::StandsIn,
        ) => Some(TakeOverBar::Inactive),
        None if via == Via::PackageOwner && !among(&facts.owners) => Some(TakeOverBar::NotOwner),
        None if via == Via::Security && !among(&facts.security) => Some(TakeOverBar::NotSecurity),
        None if via == Via::Group && !group().is_some_and(|group| among(group)) => {
            Some(TakeOverBar::NotMember)
        }
        None => None,
    }
}

/// Why `seat` of this seating, of a stage of this rule, may not be handed on to `to`, if so.
pub fn take_over_bar(
    seat: Seat,
    to: &Candidate,
    rule: &StageRule,
    facts: &Facts,
    seating: &Seating,
) -> Option<TakeOverBar> {
    if seating.by_subordinates {
        Some(TakeOverBar::BySubordinates)
    } else if seat.behalf.is_some()
        || facts
            .handed_on
            .iter()
            .any(|one| one.to.person == seat.person)
    {
        Some(TakeOverBar::HandedOnBefore)
    } else if seating.seats.iter().any(|one| one.person == to.person)
        || facts.said_yes.contains(&to.person)
    {
        Some(TakeOverBar::Seated)
    } else if facts.handed_on.iter().any(|one| one.from == to.person) {
        Some(TakeOverBar::HandedOnBefore)
    } else {
        may_take(to, seat.via, rule, facts)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::{
        approval::seat,
        policy::{ApproverRule, Quorum},
    };

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
        StageRule::of(approvers, quorum)
    }

    /// 1 asks, 2 is the manager, 3 above them, 4 and 5 own, 6 and 7 are security, 8 is a colleague.
    fn facts() -> Facts {
        Facts {
            asker: Some(id(1)),
            beneficiary: Some(id(1)),
            employee: true,
            manager: Some(candidate(2, &[3])),
            managers_manager: Some(candidate(3, &[])),
            owners: vec![candidate(4, &[3]), candidate(5, &[3])],
            security: vec![candidate(6, &[3]), candidate(7, &[3])],
            ..Facts::default()
        }
    }

    fn handed(from: u128, to: Candidate) -> Facts {
        Facts {
            handed_on: vec![HandedOn { from: id(from), to }],
            ..facts()
        }
    }

    fn people(rule: &StageRule, facts: &Facts) -> Vec<PersonId> {
        seat(rule, facts)
            .seats
            .iter()
            .map(|one| one.person)
            .collect()
    }

    #[test]
    fn the_colleague_sits_instead_and_whoever_gave_it_up_does_not() {
        let manager = rule(ApproverRule::Manager, Quorum::Count(1));
        assert_eq!(people(&manager, &handed(2, candidate(8, &[3]))), [id(8)]);
        let all = rule(ApproverRule::PackageOwner, Quorum::All);
        let mut facts = handed(4, candidate(6, &[3]));
        // No owner: the seat stays where it was.
        assert_eq!(people(&all, &facts), [id(4), id(5)]);
        facts.owners.push(candidate(6, &[3]));
        let seating = seat(&all, &facts);
        assert_eq!((seating.seats.len(), seating.needed), (2, 2));
    }

    #[test]
    fn it_falls_back_when_the_colleague_may_not_decide_any_more() {
        let manager = rule(ApproverRule::Manager, Quorum::Count(1));
        let mut gone = candidate(8, &[3]);
        gone.active = false;
        assert_eq!(people(&manager, &handed(2, gone)), [id(2)]);
        // And a seat that is nobody's by the rule is nobody's by handing on.
        let mut facts = handed(2, candidate(8, &[3]));
        facts.manager = Some(candidate(9, &[3]));
        assert_eq!(people(&manager, &facts), [id(9)]);
    }

    #[test]
    fn each_exclusion_is_said() {
        let manager = rule(ApproverRule::Manager, Quorum::Count(1));
        let facts = facts();
        let seating = seat(&manager, &facts);
        let why = |to: &Candidate, facts: &Facts| {
            take_over_bar(seating.seats[0], to, &manager, facts, &seating)
        };
        assert_eq!(why(&candidate(8, &[3]), &facts), None);
        assert_eq!(why(&candidate(1, &[2]), &facts), Some(TakeOverBar::Asker));
        assert_eq!(
            why(&candidate(8, &[2, 1]), &facts),
            Some(TakeOverBar::Subordinate)
        );
        assert_eq!(why(&candidate(2, &[3]), &facts), Some(TakeOverBar::Seated));
        let mut running = candidate(8, &[]);
        running.runs_portal = true;
        assert_eq!(why(&running, &facts), Some(TakeOverBar::RunsPortal));
        let earlier = Facts {
            decided_earlier: BTreeSet::from([id(8)]),
            ..facts.clone()
        };
        assert_eq!(
            why(&candidate(8, &[]), &earlier),
            Some(TakeOverBar::DecidedEarlier)
        );
        // One level: what was handed on goes back, not further.
        let handed = handed(2, candidate(8, &[3]));
        let seating = seat(&manager, &handed);
        assert_eq!(
            take_over_bar(
                seating.seats[0],
                &candidate(9, &[3]),
                &manager,
                &handed,
                &seating
            ),
            Some(TakeOverBar::HandedOnBefore)
        );
        let owner = rule(ApproverRule::PackageOwner, Quorum::Count(1));
        let seating = seat(&owner, &facts);
        assert_eq!(
            take_over_bar(
                seating.seats[0],
                &candidate(8, &[3]),
                &owner,
                &facts,
                &seating
            ),
            Some(TakeOverBar::NotOwner)
        );
    }

    #[test]
    fn the_seat_of_a_group_goes_to_a_member_of_that_group_only() {
        let (ours, theirs) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let group = StageRule {
            group: Some(ours),
            ..rule(ApproverRule::Group, Quorum::Count(1))
        };
        let mut facts = handed(10, candidate(8, &[3]));
        facts.groups.insert(ours, vec![candidate(10, &[3])]);
        facts.groups.insert(theirs, vec![candidate(8, &[3])]);
        assert_eq!(people(&group, &facts), [id(10)]);
        let bare = Facts {
            handed_on: Vec::new(),
            ..facts.clone()
        };
        let seating = seat(&group, &bare);
        let why = |facts: &Facts| {
            take_over_bar(
                seating.seats[0],
                &candidate(8, &[3]),
                &group,
                facts,
                &seating,
            )
        };
        assert_eq!(why(&bare), Some(TakeOverBar::NotMember));
        facts
            .groups
            .insert(ours, vec![candidate(10, &[3]), candidate(8, &[3])]);
        assert_eq!(people(&group, &facts), [id(8)]);
    }

    proptest! {
        /// Whoever hands on to whomever: nobody barred sits, nobody sits twice, and there are not more seats than before.
        #[test]
        fn handing_on_seats_nobody_whom_the_rules_bar(
            moves in proptest::collection::vec((0_u128..10, 0_u128..10, proptest::collection::vec(0_u128..10, 0..3), any::<bool>()), 0..5),
            which in 0_usize..6, all in any::<bool>(),
        ) {
            let quorum = if all { Quorum::All } else { Quorum::Count(1) };
            let rule = rule(ApproverRule::ALL[which], quorum);
            let before = seat(&rule, &facts());
            let mut facts = facts();
            for (from, to, above, active) in moves {
                let mut to = candidate(to, &above.into_iter().collect::<Vec<_>>());
                to.active = active;
                facts.handed_on.push(HandedOn { from: id(from), to });
            }
            let after = seat(&rule, &facts);
            let mut seen = BTreeSet::new();
            for one in &after.seats {
                prop_assert!(one.person != id(1), "the asker sits");
                prop_assert!(seen.insert(one.person));
                let own = before.seats.iter().any(|seat| seat.person == one.person);
                let taken = facts.handed_on.iter().any(|handed| handed.to.person == one.person && bar(&handed.to, &facts).is_none());
                prop_assert!(own || taken || after.fallback);
            }
            if before.fallback == after.fallback {
                prop_assert!(after.seats.len() <= before.seats.len());
            }
        }
    }
}
