//! Stages: who is asked one after another, what goes on to the next, and the second look at what was kept.
//!
//! A campaign has one to [`STAGES`] stages, each with its rule of reviewers and its days. What a stage said is kept, and the
//! last stage that answered decides. Silence passes an item on; the silence of the last stage means what the campaign says,
//! unless an earlier stage said that it should go: nothing is kept by silence against somebody's word. Afterwards security
//! looks again at a drawn share of what was kept, and a second answer can only take away.

use serde::{Deserialize, Serialize};

use super::{Answer, ReviewerRule, Silence};
use crate::{PersonId, words};

/// The most stages of a campaign.
pub const STAGES: usize = 3;
/// How many days a second look has.
pub const LOOK_DAYS: i64 = 5;
/// The percent of what was kept that a second look may draw; 0 for none.
pub const LOOKS: std::ops::RangeInclusive<i64> = 0..=100;

words! {
    /// Which answers of a stage go on to the next. What nobody answered always does.
    pub enum Passes {
        /// What was kept; what was said no to is decided.
        Kept = "kept",
        /// All of them.
        All = "all",
    }
}

/// A stage after the first, as a campaign says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaterStage {
    /// Who reviews.
    pub reviewers: ReviewerRule,
    /// The one who reviews where the rule names one; none for whoever the campaign names.
    pub named: Option<PersonId>,
    /// How many of the campaign's days are its.
    pub days: i64,
}

/// What comes after a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Next {
    /// Another stage: the first of the later ones is 0.
    Stage(usize),
    /// The second look.
    Look,
    /// Nothing.
    Over,
}

/// What comes after stage `stage`, counted from 1, of a campaign with `later` further stages.
pub const fn next(stage: usize, later: usize, second_look: bool) -> Next {
    if stage <= later {
        Next::Stage(stage.saturating_sub(1))
    } else if stage == later + 1 && second_look {
        Next::Look
    } else {
        Next::Over
    }
}

/// What becomes of what nobody answers until the deadline of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Then {
    /// The next stage is asked.
    GoesOn,
    /// What silence means in the campaign, unless an earlier stage said that it should go.
    Settles(Silence),
    /// The answer that was looked at again stands.
    Stands,
}

/// What silence does in stage `stage`, counted from 1, of a campaign with `later` further stages.
pub const fn then(stage: usize, later: usize, silence: Silence) -> Then {
    if stage <= later {
        Then::GoesOn
    } else if stage == later + 1 {
        Then::Settles(silence)
    } else {
        Then::Stands
    }
}

/// Whether an item goes on with what its stage said; none for silence. For a second look, whether it may be drawn.
pub const fn goes_on(next: Next, passes: Passes, said: Option<Answer>) -> bool {
    match next {
        Next::Stage(_) => {
            matches!(passes, Passes::All) || matches!(said, None | Some(Answer::Keep))
        }
        Next::Look => matches!(said, Some(Answer::Keep)),
        Next::Over => false,
    }
}

/// Which earlier answer stands where the last that was asked is silent: in a second look the one that it looked at, in the
/// last stage only one that takes something away. `said` is what the stages before said, in their order.
pub fn stands(second_look: bool, said: &[Option<Answer>]) -> Option<Answer> {
    let last = said.iter().rev().find_map(|answer| *answer)?;
    (second_look || last != Answer::Keep).then_some(last)
}

/// How many days each stage has, the first what the later ones leave; none if one would have less than a day.
pub fn shares(days: i64, later: &[LaterStage]) -> Option<Vec<i64>> {
    let rest = later
        .iter()
        .try_fold(days, |rest, stage| rest.checked_sub(stage.days))?;
    let all: Vec<i64> = std::iter::once(rest)
        .chain(later.iter().map(|stage| stage.days))
        .collect();
    (all.len() <= STAGES && all.iter().all(|days| *days >= 1)).then_some(all)
}

/// How many of `kept` a second look draws: the share, rounded up.
pub const fn drawn(percent: i64, kept: usize) -> usize {
    if percent <= 0 {
        return 0;
    }
    let percent = if percent > 100 {
        100
    } else {
        percent.unsigned_abs() as usize
    };
    (kept * percent).div_ceil(100)
}

/// Draws for a second look: those with the lowest lots. The same lots draw the same, in whatever order they come.
pub fn draw<T: Ord>(percent: i64, mut lots: Vec<([u8; 32], T)>) -> Vec<T> {
    lots.sort_unstable();
    let most = drawn(percent, lots.len());
    lots.truncate(most);
    lots.into_iter().map(|(_, what)| what).collect()
}
