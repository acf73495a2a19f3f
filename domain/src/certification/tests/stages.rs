//! What the stages and the second look promise, for any campaign.

use proptest::prelude::*;

use crate::certification::{
    Answer, LaterStage, Next, Passes, ReviewerRule, STAGES, Silence, Silent, Then, draw, drawn,
    goes_on, next, shares, silence, stands, then,
};

fn an_answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        Just(Answer::Keep),
        Just(Answer::Revoke),
        Just(Answer::Shorten)
    ]
}

fn later(days: &[i64]) -> Vec<LaterStage> {
    days.iter()
        .map(|days| LaterStage {
            reviewers: ReviewerRule::Security,
            named: None,
            days: *days,
        })
        .collect()
}

#[test]
fn stages_follow_one_another_and_then_the_second_look() {
    assert_eq!(next(1, 0, false), Next::Over);
    assert_eq!(next(1, 0, true), Next::Look);
    assert_eq!(next(1, 2, true), Next::Stage(0));
    assert_eq!(next(2, 2, true), Next::Stage(1));
    assert_eq!(next(3, 2, true), Next::Look);
    assert_eq!(next(4, 2, true), Next::Over);
    assert_eq!(then(1, 1, Silence::Keep), Then::GoesOn);
    assert_eq!(then(2, 1, Silence::Keep), Then::Settles(Silence::Keep));
    assert_eq!(then(3, 1, Silence::Keep), Then::Stands);
}

#[test]
fn each_stage_has_its_days_and_the_first_what_is_left() {
    assert_eq!(shares(14, &[]), Some(vec![14]));
    assert_eq!(shares(14, &later(&[5, 2])), Some(vec![7, 5, 2]));
    assert_eq!(shares(7, &later(&[5, 2])), None);
    assert_eq!(shares(14, &later(&[0])), None);
    assert_eq!(shares(14, &later(&[i64::MIN])), None);
    assert_eq!(shares(90, &later(&[1, 1, 1])), None);
}

#[test]
fn silence_stands_back_behind_a_word_against() {
    assert_eq!(stands(false, &[]), None);
    assert_eq!(stands(false, &[Some(Answer::Keep), None]), None);
    assert_eq!(
        stands(false, &[Some(Answer::Revoke), None]),
        Some(Answer::Revoke)
    );
    // A later yes has overruled it.
    assert_eq!(
        stands(false, &[Some(Answer::Revoke), Some(Answer::Keep)]),
        None
    );
    assert_eq!(stands(true, &[Some(Answer::Keep)]), Some(Answer::Keep));
}

/// How one item ends that each stage in turn is asked about, and the second look if there is one and it is drawn; with what
/// each said.
fn ends(
    said: &[Option<Answer>],
    looks: &[Option<Answer>],
    passes: Passes,
    rule: Silence,
) -> (Answer, Vec<Option<Answer>>) {
    let later = said.len() - 1;
    let mut before: Vec<Option<Answer>> = Vec::new();
    let mut stage = 1;
    loop {
        let looking = stage == said.len() + 1;
        let answer = if looking { looks[0] } else { said[stage - 1] };
        let follows = next(stage, later, !looks.is_empty());
        if matches!(follows, Next::Stage(_)) && goes_on(follows, passes, answer) {
            before.push(answer);
            stage += 1;
            continue;
        }
        let last = stage > later;
        let end = answer.or_else(|| last.then(|| stands(looking, &before)).flatten());
        let settled = match (end, silence(rule, false, false, true)) {
            (Some(end), _) => end,
            (None, Silent::Settled(answer)) => answer,
            (None, Silent::Escalates) => Answer::Revoke,
        };
        before.push(answer);
        if follows == Next::Look && goes_on(follows, passes, answer) {
            stage += 1;
            continue;
        }
        return (settled, before);
    }
}

proptest! {
    /// The last stage that answered decides; where none did, silence does. Nothing stays by silence against a word, and nothing
    /// that was taken away by the stages comes back by a second look.
    #[test]
    fn the_last_word_decides(
        said in proptest::collection::vec(proptest::option::of(an_answer()), 1..=STAGES),
        looks in proptest::collection::vec(proptest::option::of(an_answer()), 0..=1),
        all in any::<bool>(),
        rule in prop_oneof![Just(Silence::Keep), Just(Silence::Revoke), Just(Silence::Escalate)],
    ) {
        let passes = if all { Passes::All } else { Passes::Kept };
        let (end, asked) = ends(&said, &looks, passes, rule);
        prop_assert!(asked.len() <= said.len() + 1);
        let last = asked.iter().rev().find_map(|answer| *answer);
        let plain = silence(rule, false, false, true);
        match last {
            // Silence of the last stage after a yes means what the campaign says.
            Some(Answer::Keep) => prop_assert!(end == Answer::Keep || plain == Silent::Settled(end)),
            Some(against) => prop_assert_eq!(end, against),
            None => prop_assert_eq!(Silent::Settled(end), plain),
        }
        if let (Passes::Kept, Some(first)) = (passes, said.iter().flatten().find(|answer| **answer != Answer::Keep)) {
            // What was said no to is decided, and nobody is asked again.
            prop_assert_eq!(end, *first);
        }
        let (without, _) = ends(&said, &[], passes, rule);
        prop_assert!(without == Answer::Keep || end == without, "{without:?} became {end:?}");
    }

    /// Whatever is drawn: the share rounded up, the same in whatever order, and a larger share holds the smaller.
    #[test]
    fn lots_are_drawn_the_same_by_everybody(
        lots in proptest::collection::btree_map(any::<[u8; 32]>(), any::<u32>(), 0..40),
        percent in -5_i64..120,
        more in 0_i64..50,
        by in any::<usize>(),
    ) {
        let lots: Vec<_> = lots.into_iter().collect();
        let few = draw(percent, lots.clone());
        let share = percent.clamp(0, 100).unsigned_abs() as usize;
        prop_assert_eq!(few.len(), (lots.len() * share).div_ceil(100));
        prop_assert_eq!(few.len(), drawn(percent, lots.len()));
        let mut turned = lots.clone();
        let by = by % turned.len().max(1);
        turned.rotate_left(by);
        prop_assert_eq!(&draw(percent, turned), &few);
        let many = draw(percent + more, lots);
        prop_assert_eq!(&many[..few.len()], &few[..]);
    }

    /// The shares are all of the days.
    #[test]
    fn no_day_is_lost(days in -3_i64..100, parts in proptest::collection::vec(-2_i64..40, 0..4)) {
        if let Some(shares) = shares(days, &later(&parts)) {
            prop_assert_eq!(shares.iter().sum::<i64>(), days);
            prop_assert!(shares.iter().all(|share| *share >= 1) && shares.len() <= STAGES);
        }
    }
}
