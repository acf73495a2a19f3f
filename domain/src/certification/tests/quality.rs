//! What is said of how a campaign was reviewed.

use chrono::Duration;
use proptest::prelude::*;
use uuid::Uuid;

use crate::{
    PersonId,
    certification::{ENOUGH, Given, quality},
    request::tests::now,
};

fn given(by: u128, seconds: i64, together: bool, kept: bool) -> Given {
    Given {
        by: PersonId(Uuid::from_u128(by)),
        at: now() + Duration::seconds(seconds),
        together,
        kept,
    }
}

#[test]
fn an_answer_takes_the_time_since_the_one_before_and_a_pause_says_nothing() {
    let found = quality(&[
        given(1, 0, false, true),
        given(1, 4, false, true),
        given(1, 64, false, false),
        // A night lies between.
        given(1, 50_000, false, true),
        // Somebody else, a second later.
        given(2, 50_001, false, true),
        // Two together have no time of their own.
        given(1, 50_020, true, true),
        given(1, 50_020, true, true),
    ]);
    assert_eq!((found.reviewers, found.answers, found.together), (2, 7, 2));
    assert_eq!((found.timed, found.hasty), (2, 1));
    assert_eq!(found.median_seconds, Some(4));
    assert_eq!(quality(&[]).median_seconds, None);
}

#[test]
fn who_keeps_everything_counts_from_ten_on() {
    let all = |count: i64, last: bool| -> Vec<Given> {
        (0..count)
            .map(|n| given(1, n * 60, false, last || n + 1 < count))
            .collect()
    };
    let enough = i64::try_from(ENOUGH).expect("it is small");
    assert_eq!(quality(&all(enough, true)).keep_all, 1);
    assert_eq!(quality(&all(enough, false)).keep_all, 0);
    assert_eq!(quality(&all(enough - 1, true)).keep_all, 0);
}

proptest! {
    /// The same in whatever order the answers come, and no part is more than the whole.
    #[test]
    fn order_says_nothing(
        answers in proptest::collection::vec((0_u128..4, 0_i64..100_000, any::<bool>(), any::<bool>()), 0..40),
        by in any::<usize>(),
    ) {
        let mut all: Vec<Given> = answers.iter().map(|(by, at, together, kept)| given(*by, *at, *together, *kept)).collect();
        // At the same instant nobody can say which came first.
        all.sort_by_key(|one| (one.by, one.at));
        all.dedup_by_key(|one| (one.by, one.at));
        let found = quality(&all);
        let by = by % all.len().max(1);
        all.rotate_left(by);
        prop_assert_eq!(quality(&all), found);
        prop_assert!(found.hasty <= found.timed && found.timed + found.together <= found.answers);
        prop_assert!(found.keep_all <= found.reviewers && found.reviewers <= found.answers);
        prop_assert_eq!(found.median_seconds.is_some(), found.timed > 0);
    }
}
