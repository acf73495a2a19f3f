//! Examples and properties of seating.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::policy::Quorum;

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
    assert_eq!(seating.seats, vec![Seat::own(id(2), Via::Manager)]);
    assert!(!seating.fallback);
}

#[test]
fn without_a_manager_the_chain_goes_up_then_to_the_owner_then_to_security() {
    let mut facts = facts();
    facts.manager = None;
    let who = |facts: &Facts| seat(&rule(ApproverRule::Manager, Quorum::Count(1)), facts).seats[0];
    assert_eq!(who(&facts), Seat::own(id(3), Via::ManagersManager));
    facts.managers_manager.as_mut().expect("set above").active = false;
    assert_eq!(who(&facts), Seat::own(id(4), Via::PackageOwner));
    facts.owners.clear();
    assert_eq!(who(&facts), Seat::own(id(5), Via::Security));
    facts.security.clear();
    assert!(seat(&rule(ApproverRule::Manager, Quorum::Count(1)), &facts).is_stuck());
}

#[test]
fn an_owner_who_asks_does_not_decide() {
    let mut facts = facts();
    facts.owners = vec![candidate(1, &[2, 3]), candidate(4, &[3])];
    let seating = seat(&rule(ApproverRule::PackageOwner, Quorum::Count(1)), &facts);
    assert_eq!(seating.seats, vec![Seat::own(id(4), Via::PackageOwner)]);
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

    // A stage without a chain waits until it lapses.
    let alone = StageRule {
        fallback: vec![],
        ..rule(ApproverRule::Manager, Quorum::Count(1))
    };
    let waits = seat(&alone, &head);
    assert!(waits.is_stuck() && waits.seats.is_empty() && !waits.by_subordinates);

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
        vec![Seat::own(id(7), Via::Sponsor)]
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

/// 9 stands in for the manager.
fn deputised() -> Facts {
    Facts {
        deputies: vec![Deputy {
            of: id(2),
            who: candidate(9, &[3]),
            only: None,
        }],
        ..facts()
    }
}

fn manager() -> StageRule {
    rule(ApproverRule::Manager, Quorum::Count(1))
}

fn who(seating: &Seating) -> Vec<PersonId> {
    seating.seats.iter().map(|seat| seat.person).collect()
}

#[test]
fn a_deputy_sits_beside_whom_they_stand_in_for() {
    let seating = seat(&manager(), &deputised());
    assert_eq!(
        seating.seats,
        vec![
            Seat::own(id(2), Via::Manager),
            Seat {
                person: id(9),
                via: Via::Manager,
                behalf: Some(id(2)),
            }
        ]
    );
    assert_eq!((seating.needed, seating.silent), (1, 1));
}

#[test]
fn a_deputy_passes_every_exclusion() {
    // Below the asker, the asker, gone, running the portal, decided before, or standing in for the asker as well.
    let mut below = deputised();
    below.deputies[0].who.above = vec![id(2), id(1)];
    let mut asker = deputised();
    asker.deputies[0].who.person = id(1);
    let mut gone = deputised();
    gone.deputies[0].who.active = false;
    let mut runs = deputised();
    runs.deputies[0].who.runs_portal = true;
    let mut before = deputised();
    before.decided_earlier.insert(id(9));
    let mut both = deputised();
    both.for_party.insert(id(9));
    for facts in [below, asker, gone, runs, before, both] {
        assert_eq!(who(&seat(&manager(), &facts)), vec![id(2)]);
    }
}

#[test]
fn whoever_stands_in_for_the_asker_does_not_decide_in_their_own_right_either() {
    let mut facts = facts();
    facts.for_party.insert(id(2));
    let seating = seat(&manager(), &facts);
    assert_eq!(who(&seating), vec![id(3)]);
    assert_eq!(
        bar(facts.manager.as_ref().expect("set above"), &facts),
        Some(DeciderBar::StandsIn)
    );
}

#[test]
fn a_deputy_of_a_deputy_is_nobody_and_whose_seat_is_gone_has_none() {
    let mut facts = deputised();
    facts.deputies.push(Deputy {
        of: id(9),
        who: candidate(10, &[3]),
        only: None,
    });
    assert_eq!(who(&seat(&manager(), &facts)), vec![id(2), id(9)]);
    facts.manager.as_mut().expect("set above").active = false;
    assert_eq!(who(&seat(&manager(), &facts)), vec![id(3)]);
}

#[test]
fn a_deputy_stands_in_only_within_their_scope() {
    let mut facts = deputised();
    facts.deputies[0].only = Some(Via::Sponsor);
    assert_eq!(who(&seat(&manager(), &facts)), vec![id(2)]);
    facts.deputies[0].only = Some(Via::Manager);
    assert_eq!(who(&seat(&manager(), &facts)), vec![id(2), id(9)]);
}

#[test]
fn nobody_stands_in_for_an_owner_or_for_security() {
    let mut facts = facts();
    for of in [4, 5] {
        facts.deputies.push(Deputy {
            of: id(of),
            who: candidate(9, &[3]),
            only: None,
        });
    }
    for approvers in [ApproverRule::PackageOwner, ApproverRule::Security] {
        let seating = seat(&rule(approvers, Quorum::Count(1)), &facts);
        assert!(!who(&seating).contains(&id(9)));
    }
}

#[test]
fn a_yes_for_somebody_and_their_own_do_not_both_count() {
    let named = StageRule {
        named: vec![id(20), id(21)],
        ..rule(ApproverRule::Named, Quorum::Count(2))
    };
    let facts = Facts {
        asker: Some(id(1)),
        beneficiary: Some(id(1)),
        named: vec![candidate(20, &[]), candidate(21, &[])],
        deputies: [20, 21]
            .map(|of| Deputy {
                of: id(of),
                who: candidate(9, &[]),
                only: None,
            })
            .to_vec(),
        ..Facts::default()
    };
    // One seat for whoever stands in for two.
    assert_eq!(who(&seat(&named, &facts)), vec![id(20), id(21), id(9)]);
    // They said yes for the first: the first is not asked any more, and the second must say so themselves.
    let voted = Facts {
        said_yes: BTreeSet::from([id(20)]),
        voted: BTreeSet::from([id(9)]),
        ..facts
    };
    let seating = seat(&named, &voted);
    assert!(!who(&seating).contains(&id(20)));
    assert_eq!((seating.needed, seating.yes, seating.silent), (2, 1, 1));
    // Without the second nobody else can: the one human's vote does not become two.
    let alone = Facts {
        named: voted.named[..1].to_vec(),
        ..voted
    };
    assert!(seat(&named, &alone).is_stuck());
}

#[test]
fn a_stage_has_the_fallback_that_its_file_says() {
    let mut facts = facts();
    facts.manager = None;
    facts.entitlement_owners = vec![candidate(11, &[3])];
    let own = |chain: Vec<ApproverRule>| StageRule {
        fallback: chain,
        ..manager()
    };
    let security = seat(&own(vec![ApproverRule::Security]), &facts);
    assert_eq!(who(&security), vec![id(5), id(6)]);
    let owners = seat(&own(vec![ApproverRule::EntitlementOwner]), &facts);
    assert_eq!(owners.seats, vec![Seat::own(id(11), Via::EntitlementOwner)]);
    assert!(owners.fallback);
    // No fallback: nobody decides, and two of security do not jump in while they are free to decide elsewhere.
    assert!(seat(&own(vec![]), &facts).is_stuck());
}

#[test]
fn a_role_seats_its_holders() {
    let mut facts = facts();
    facts
        .roles
        .insert(PortalRole::Hr, vec![candidate(12, &[3])]);
    let hr = StageRule {
        role: Some(PortalRole::Hr),
        ..rule(ApproverRule::Role, Quorum::Count(1))
    };
    assert_eq!(seat(&hr, &facts).seats, vec![Seat::own(id(12), Via::Role)]);
}

#[test]
fn a_group_seats_its_members_and_nobody_of_it_who_asks_or_is_asked_for() {
    let (treasury, other) = (Uuid::from_u128(0x71), Uuid::from_u128(0x72));
    let stage = StageRule {
        group: Some(treasury),
        ..rule(ApproverRule::Group, Quorum::Count(1))
    };
    let mut facts = facts();
    facts.groups.insert(other, vec![candidate(13, &[3])]);
    // Empty, or never read: the chain decides, and nobody of another group.
    let seating = seat(&stage, &facts);
    assert_eq!((who(&seating), seating.fallback), (vec![id(3)], true));
    facts.groups.insert(
        treasury,
        vec![candidate(1, &[2]), candidate(11, &[1]), candidate(12, &[3])],
    );
    let seating = seat(&stage, &facts);
    assert_eq!(seating.seats, vec![Seat::own(id(12), Via::Group)]);
    assert!(!seating.fallback);
    // Whoever stood in for a member would have to be one.
    facts.deputies.push(Deputy {
        of: id(12),
        who: candidate(14, &[3]),
        only: None,
    });
    assert_eq!(who(&seat(&stage, &facts)), vec![id(12)]);
    // Only the asker is in it: nobody decides for themselves.
    facts.groups.insert(treasury, vec![candidate(1, &[2])]);
    assert_eq!(who(&seat(&stage, &facts)), vec![id(3)]);
    let bare = StageRule {
        fallback: vec![],
        ..stage
    };
    assert!(seat(&bare, &facts).is_stuck());
}

#[test]
fn a_stage_that_waited_too_long_is_decided_by_the_fallback_as_well() {
    let facts = Facts {
        escalated: true,
        ..facts()
    };
    let one = seat(&manager(), &facts);
    assert_eq!(who(&one), vec![id(2), id(3)]);
    assert_eq!((one.needed, one.fallback), (1, false));
    // As many must agree as before.
    let all = seat(&rule(ApproverRule::Security, Quorum::All), &facts);
    assert_eq!((all.needed, all.silent), (2, 3));
}

proptest! {
    /// Whatever the organisation looks like: nobody decides on their own access, nobody sits twice, nobody who is
    /// barred sits (but for the marked case), and a seating that is not stuck can reach its quorum.
    #[test]
    fn seats_are_never_barred(
        people in proptest::collection::vec((0_u128..8, any::<bool>(), proptest::collection::vec(0_u128..8, 0..4)), 12),
        asker in 0_u128..8, beneficiary in 0_u128..8, which in 0..ApproverRule::ALL.len(), deputies in proptest::collection::vec((0_u128..8, 0_usize..12), 0..6), for_party in 0_u128..8, escalated in any::<bool>(), chain in proptest::collection::vec(0..ApproverRule::ALL.len(), 0..4), quorum in 0_u8..4, employee in any::<bool>(),
    ) {
        let made: Vec<Candidate> = people.iter().map(|(n, active, above)| Candidate { person: id(*n), active: *active, runs_portal: false, above: above.iter().map(|n| id(*n)).collect() }).collect();
        let facts = Facts {
            asker: Some(id(asker)), beneficiary: Some(id(beneficiary)), employee,
            manager: Some(made[0].clone()), managers_manager: Some(made[1].clone()),
            sponsors: made[2..4].to_vec(), owners: made[4..7].to_vec(), security: made[7..10].to_vec(), named: made[10..].to_vec(),
            roles: BTreeMap::from([(PortalRole::Hr, made[2..5].to_vec())]), groups: BTreeMap::from([(Uuid::nil(), made[5..9].to_vec())]), entitlement_owners: made[1..3].to_vec(),
            deputies: deputies.iter().map(|(of, who)| Deputy { of: id(*of), who: made[*who].clone(), only: None }).collect(),
            for_party: BTreeSet::from([id(for_party)]), escalated,
            decided_earlier: BTreeSet::from([id(0)]), ..Facts::default()
        };
        let quorum = if quorum == 0 { Quorum::All } else { Quorum::Count(quorum) };
        let stage = StageRule {
            named: (0..8).map(id).collect(), role: Some(PortalRole::Hr), group: Some(Uuid::nil()),
            fallback: chain.iter().map(|n| ApproverRule::ALL[*n]).collect(), ..rule(ApproverRule::ALL[which], quorum)
        };
        let seating = seat(&stage, &facts);
        let all: Vec<&Candidate> = made.iter().collect();
        let mut seen = BTreeSet::new();
        for seat in &seating.seats {
            prop_assert!(seat.person != id(asker) && seat.person != id(beneficiary));
            prop_assert!(seen.insert(seat.person));
            prop_assert!(seat.person != id(for_party));
            // Whoever stands in does so for somebody seated for themselves, and never for a party.
            if let Some(of) = seat.behalf {
                prop_assert!(of != seat.person && of != id(asker) && of != id(beneficiary));
                prop_assert!(seating.seats.iter().any(|one| one.person == of && one.behalf.is_none()));
            }
            // The same person may appear in the facts with other attributes; one unbarred appearance is enough.
            let bars: Vec<_> = all.iter().filter(|one| one.person == seat.person).map(|one| bar(one, &facts)).collect();
            if seating.by_subordinates {
                prop_assert!(bars.contains(&Some(DeciderBar::Subordinate)));
            } else {
                prop_assert!(bars.contains(&None));
            }
        }
        if seating.by_subordinates { prop_assert!(seating.needed == 2); }
        if !seating.is_stuck() { prop_assert!(seating.seats.iter().filter(|seat| seat.behalf.is_none()).count() >= seating.needed && seating.needed >= 1); }
    }
}

#[test]
fn silence_is_never_a_yes() {
    use StageState::{Collapsed, Met, MetByAsking, PassedOn, Unanswered};
    for (states, yes) in [
        (&[Met, Met][..], true),
        (&[PassedOn, Met][..], true),
        (&[PassedOn, PassedOn, Met][..], true),
        (&[PassedOn][..], false),
        (&[Met, PassedOn][..], false),
        (&[PassedOn, PassedOn][..], false),
        (&[Met, PassedOn, Collapsed][..], false),
        (&[PassedOn, MetByAsking][..], false),
        (&[Unanswered, Met][..], false),
    ] {
        assert_eq!(approved(states), yes, "{states:?}");
    }
}

#[test]
fn a_stage_is_passed_on_only_where_somebody_decides_after_it() {
    let plain = || rule(ApproverRule::Manager, Quorum::Count(1));
    let passes = || StageRule {
        silence: Some(crate::policy::Silence {
            after: crate::calendar::WorkingSpan::Days(1),
            end: crate::policy::SilenceEnd::PassOn,
        }),
        ..plain()
    };
    let together = || StageRule {
        together: true,
        ..plain()
    };
    for (route, may) in [
        (vec![passes(), plain()], true),
        (vec![passes(), together(), plain()], true),
        (vec![passes(), passes(), plain()], true),
        (vec![passes()], false),
        (vec![passes(), together()], false),
        (vec![passes(), passes()], false),
    ] {
        assert_eq!(StageRule::may_pass_on(&route, 0), may, "{route:?}");
    }
}
