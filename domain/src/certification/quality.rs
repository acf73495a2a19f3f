//! How a campaign was reviewed, in aggregate: how quickly, how much together, by how many without a single no. It says where
//! to look closer, and nothing about anybody: who answers quickly may have looked before.

use std::collections::BTreeMap;

use chrono::Duration;

use crate::{PersonId, Timestamp};

/// More than this between two answers of one reviewer is a pause, and says nothing about the answer after it.
pub const PAUSE: Duration = Duration::minutes(10);
/// An answer within this of the one before can hardly have been thought about.
pub const HASTY: Duration = Duration::seconds(5);
/// From so many answers on it says something that a reviewer kept all.
pub const ENOUGH: usize = 10;

/// One answer of a reviewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given {
    /// Who gave it.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// Whether together with others.
    pub together: bool,
    /// Whether it keeps.
    pub kept: bool,
}

/// How a campaign was reviewed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quality {
    /// How many reviewers have answered anything.
    pub reviewers: usize,
    /// How many answers there are.
    pub answers: usize,
    /// How many of them were given together with others.
    pub together: usize,
    /// How many of the reviewers with at least [`ENOUGH`] answers kept everything.
    pub keep_all: usize,
    /// How many answers have a time: given alone, and no pause before them.
    pub timed: usize,
    /// How many of those were [`HASTY`].
    pub hasty: usize,
    /// Half of those took at most so many seconds.
    pub median_seconds: Option<i64>,
}

/// Looks at all answers of a campaign, in any order. The time of an answer is that since the same reviewer's answer before: the
/// server knows when an answer came, and not how long somebody looked.
pub fn quality(given: &[Given]) -> Quality {
    let mut of: BTreeMap<PersonId, Vec<&Given>> = BTreeMap::new();
    for one in given {
        of.entry(one.by).or_default().push(one);
    }
    let mut times = Vec::new();
    let mut keep_all = 0;
    for answers in of.values_mut() {
        answers.sort_by_key(|one| one.at);
        keep_all += usize::from(answers.len() >= ENOUGH && answers.iter().all(|one| one.kept));
        for (before, one) in answers.iter().zip(answers.iter().skip(1)) {
            let took = one.at - before.at;
            if !one.together && took <= PAUSE {
                times.push(took);
            }
        }
    }
    times.sort_unstable();
    Quality {
        reviewers: of.len(),
        answers: given.len(),
        together: given.iter().filter(|one| one.together).count(),
        keep_all,
        timed: times.len(),
        hasty: times.iter().filter(|took| **took <= HASTY).count(),
        median_seconds: times
            .get(times.len().saturating_sub(1) / 2)
            .map(Duration::num_seconds),
    }
}
