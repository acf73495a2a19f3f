mod quality;
mod stages;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{approval::Candidate, request::tests::now};

fn person(n: u128) -> PersonId {
    PersonId(Uuid::from_u128(n))
}

fn candidate(n: u128, above: &[u128]) -> Candidate {
    Candidate {
        person: person(n),
        active: true,
        runs_portal: false,
        above: above.iter().map(|n| person(*n)).collect(),
    }
}

#[test]
fn nobody_reviews_themselves_their_superiors_or_while_away() {
    assert_eq!(
        barred(&candidate(1, &[2]), person(1)),
        Some(ReviewerBar::Holder)
    );
    assert_eq!(
        barred(&candidate(1, &[2, 3]), person(3)),
        Some(ReviewerBar::Subordinate)
    );
    let away = Candidate {
        active: false,
        ..candidate(1, &[])
    };
    assert_eq!(barred(&away, person(9)), Some(ReviewerBar::Inactive));
    let operator = Candidate {
        runs_portal: true,
        ..candidate(1, &[])
    };
    assert_eq!(barred(&operator, person(9)), Some(ReviewerBar::RunsPortal));
    assert_eq!(barred(&candidate(2, &[3]), person(1)), None);
}

#[test]
fn whoever_has_the_least_gets_it_and_the_next_circle_when_the_first_is_full() {
    let (one, two, three) = (candidate(1, &[]), candidate(2, &[]), candidate(3, &[]));
    let tiers = [
        Tier {
            via: Via::PackageOwner,
            people: vec![&one, &two],
        },
        Tier {
            via: Via::Security,
            people: vec![&three],
        },
    ];
    let mut balance = Balance::new(Some(1));
    let mut given = Vec::new();
    for _ in 0..4 {
        given.push(assign(&mut balance, person(9), &tiers).expect("somebody may"));
    }
    assert_eq!(
        given,
        [
            (person(1), Via::PackageOwner),
            (person(2), Via::PackageOwner),
            (person(3), Via::Security),
            // All have the most: the first circle takes it all the same.
            (person(1), Via::PackageOwner),
        ]
    );
    assert_eq!(balance.of(person(1)), 2);
    // Owners review what others hold, never their own.
    let own = assign(&mut Balance::default(), person(1), &tiers);
    assert_eq!(own, Some((person(2), Via::PackageOwner)));
}

#[test]
fn silence_keeps_nothing_that_matters_and_escalates_once() {
    use Silent::{Escalates, Settled};
    assert_eq!(
        silence(Silence::Keep, false, false, false),
        Settled(Answer::Keep)
    );
    assert_eq!(
        silence(Silence::Keep, true, false, false),
        Settled(Answer::Revoke)
    );
    assert_eq!(
        silence(Silence::Keep, false, true, false),
        Settled(Answer::Revoke)
    );
    assert_eq!(
        silence(Silence::Revoke, false, false, false),
        Settled(Answer::Revoke)
    );
    assert_eq!(silence(Silence::Escalate, false, false, false), Escalates);
    assert_eq!(
        silence(Silence::Escalate, false, false, true),
        Settled(Answer::Revoke)
    );
}

#[test]
fn each_suggestion_has_its_reason() {
    let plain = Facts {
        held_days: 200,
        ends_in_days: Some(90),
        peers: Some((8, 9)),
        ..Facts::default()
    };
    let of = |facts: Facts| suggest(&facts);
    let few = Why::FewPeers {
        holding: 1,
        peers: 9,
    };
    assert_eq!(
        of(plain),
        (
            Suggestion::Keep,
            Why::Peers {
                holding: 8,
                peers: 9
            }
        )
    );
    assert_eq!(
        of(Facts {
            peers: Some((1, 9)),
            ..plain
        }),
        (Suggestion::Revoke, few)
    );
    assert_eq!(
        of(Facts {
            peers: Some((1, 9)),
            held_days: 10,
            ..plain
        }),
        (Suggestion::Look, few)
    );
    // Two colleagues say nothing.
    assert_eq!(
        of(Facts {
            peers: Some((0, 2)),
            ..plain
        })
        .0,
        Suggestion::Keep
    );
    assert_eq!(
        of(Facts {
            found: true,
            ..plain
        }),
        (Suggestion::Look, Why::Found)
    );
    assert_eq!(
        of(Facts {
            privileged: true,
            ends_in_days: None,
            ..plain
        }),
        (Suggestion::Look, Why::StandingPrivilege)
    );
    assert_eq!(
        of(Facts {
            breaks_rule: true,
            found: true,
            ..plain
        }),
        (Suggestion::Revoke, Why::BreaksRule)
    );
    assert_eq!(
        of(Facts {
            ends_in_days: Some(3),
            ..plain
        }),
        (Suggestion::Keep, Why::EndsSoon { days: 3 })
    );
    assert_eq!(of(Facts::default()), (Suggestion::Keep, Why::Nothing));
}

#[test]
fn a_reason_is_needed_against_a_suggestion_whatever_the_campaign_says() {
    for reasons in Reasons::ALL {
        assert!(needs_reason(*reasons, Answer::Keep, Suggestion::Revoke));
    }
    assert!(!needs_reason(
        Reasons::Against,
        Answer::Revoke,
        Suggestion::Keep
    ));
    assert!(needs_reason(
        Reasons::Removals,
        Answer::Shorten,
        Suggestion::Keep
    ));
    assert!(!needs_reason(
        Reasons::Removals,
        Answer::Keep,
        Suggestion::Look
    ));
    assert!(needs_reason(
        Reasons::Always,
        Answer::Keep,
        Suggestion::Keep
    ));
}

#[test]
fn much_at_once_is_asked_about() {
    let plain = (false, Suggestion::Keep);
    assert_eq!(friction(Answer::Keep, &[plain; MANY]), None);
    assert!(friction(Answer::Keep, &[plain; MANY + 1]).is_some());
    assert!(friction(Answer::Keep, &[(true, Suggestion::Keep)]).is_some());
    assert!(friction(Answer::Keep, &[(false, Suggestion::Revoke)]).is_some());
    assert!(friction(Answer::Revoke, &[plain]).is_some());
    assert_eq!(friction(Answer::Revoke, &[(false, Suggestion::Look)]), None);
}

#[test]
fn what_stays_takes_no_effect_and_the_rest_can_be_undone_for_a_day() {
    assert_eq!(takes_effect(Enforce::AtOnce, Answer::Keep, now()), None);
    assert_eq!(takes_effect(Enforce::AtClose, Answer::Revoke, now()), None);
    assert_eq!(
        takes_effect(Enforce::AtOnce, Answer::Shorten, now()),
        Some(now() + UNDO)
    );
}

#[test]
fn the_maker_does_not_sign_off() {
    assert_eq!(
        sign_off_bar(person(1), false, Some(person(1)), false),
        Some(SignOffBar::Maker)
    );
    assert_eq!(
        sign_off_bar(person(2), true, None, false),
        Some(SignOffBar::RunsPortal)
    );
    assert_eq!(sign_off_bar(person(2), false, Some(person(1)), true), None);
    // Nobody made it: whoever answered in it is no second person.
    assert_eq!(
        sign_off_bar(person(2), false, None, true),
        Some(SignOffBar::Reviewer)
    );
    assert_eq!(sign_off_bar(person(3), false, None, false), None);
}

/// People by number; each reports to some with smaller numbers.
fn company() -> impl Strategy<Value = Vec<Candidate>> {
    proptest::collection::vec(
        (
            any::<bool>(),
            any::<bool>(),
            proptest::collection::btree_set(0_u128..8, 0..3),
        ),
        2..9,
    )
    .prop_map(|people| {
        people
            .into_iter()
            .enumerate()
            .map(|(n, (active, runs_portal, above))| Candidate {
                person: person(n as u128),
                active,
                runs_portal,
                above: above.into_iter().map(person).collect(),
            })
            .collect()
    })
}

#[derive(Clone, Debug)]
enum Step {
    Answer(usize, Answer),
    Undo(usize),
    Ends(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let answer = prop_oneof![
        Just(Answer::Keep),
        Just(Answer::Revoke),
        Just(Answer::Shorten)
    ];
    let step = prop_oneof![
        (0_usize..20, answer).prop_map(|(item, answer)| Step::Answer(item, answer)),
        (0_usize..20).prop_map(Step::Undo),
        (0_usize..20).prop_map(Step::Ends),
    ];
    proptest::collection::vec(step, 0..60)
}

proptest! {
    /// Whoever is chosen may review, by any mixture of circles; and nobody is chosen only where nobody may.
    #[test]
    fn no_self_review(people in company(), holder in 0_u128..8, split in 0_usize..8, most in proptest::option::of(0_u32..3)) {
        let split = split.min(people.len());
        let tiers = [
            Tier { via: Via::Manager, people: people[..split].iter().collect() },
            Tier { via: Via::Security, people: people[split..].iter().collect() },
        ];
        let mut balance = Balance::new(most);
        for _ in 0..5 {
            let chosen = assign(&mut balance, person(holder), &tiers);
            let possible = people.iter().any(|one| barred(one, person(holder)).is_none());
            prop_assert_eq!(chosen.is_some(), possible);
            if let Some((chosen, _)) = chosen {
                let who = people.iter().find(|one| one.person == chosen).expect("one of them");
                prop_assert_eq!(barred(who, person(holder)), None);
            }
        }
    }

    /// Whatever reviewers do, at the end of the deadlines every frozen item has ended: decided, by silence, or void.
    #[test]
    fn every_frozen_item_ends(
        rights in proptest::collection::vec((any::<bool>(), any::<bool>()), 1..20),
        steps in steps(),
        rule in prop_oneof![Just(Silence::Keep), Just(Silence::Revoke), Just(Silence::Escalate)],
    ) {
        let mut items = vec![(ItemState::Open, None); rights.len()];
        for step in steps {
            match step {
                Step::Answer(item, answer) => {
                    if let Some(one @ (ItemState::Open, _)) = items.get_mut(item) {
                        *one = (ItemState::Decided, Some(answer));
                    }
                }
                Step::Undo(item) => {
                    if let Some(one @ (ItemState::Decided, _)) = items.get_mut(item) {
                        *one = (ItemState::Open, None);
                    }
                }
                Step::Ends(item) => {
                    if let Some(one @ (ItemState::Open, _)) = items.get_mut(item) {
                        *one = (ItemState::Void, None);
                    }
                }
            }
        }
        for escalated in [false, true] {
            for (item, (privileged, scoped)) in items.iter_mut().zip(&rights) {
                if item.0 != ItemState::Open {
                    continue;
                }
                if let Silent::Settled(answer) = silence(rule, *privileged, *scoped, escalated) {
                    *item = (ItemState::Defaulted, Some(answer));
                    prop_assert!(answer == Answer::Revoke || !(*privileged || *scoped));
                }
            }
        }
        let mut tally = Tally::default();
        for (state, answer) in &items {
            tally.add(*state, *answer, 1);
        }
        prop_assert!(tally.complete());
        prop_assert_eq!(tally.population(), items.len() as i64);
        prop_assert!((0..=100).contains(&tally.completion()));
        prop_assert!(tally.completion() < 100 || tally.not_reviewed + tally.silent == 0);
    }
}
