//! Break-glass: access that nobody has to approve first, because waiting would do more harm. Short, loud, for oneself, and
//! looked at by somebody else afterwards.

use chrono::Duration;
use serde::{Deserialize, Serialize};

use crate::{Timestamp, words};

/// What a policy says about break-glass. A package that says it is given without asking anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakGlass {
    /// How often one person may use it within [`BreakGlass::SPAN_DAYS`].
    pub uses_per_week: u32,
}

impl BreakGlass {
    /// The longest that it may last, in seconds. The database holds every grant to it as well.
    pub const LONGEST_SECONDS: i64 = 86_400;
    /// How often, where the file does not say.
    pub const USES: u32 = 3;
    /// The days over which uses are counted.
    pub const SPAN_DAYS: i64 = 7;
    /// Working days within which a use is reviewed.
    pub const REVIEW_DAYS: u32 = 2;

    /// From when on uses are counted.
    pub fn counted_since(now: Timestamp) -> Timestamp {
        now - Duration::days(Self::SPAN_DAYS)
    }
}

words! {
    /// Why somebody may not use break-glass as they meant to.
    pub enum BreakGlassBar {
        /// Only for oneself.
        NotForOthers = "not_for_others",
        /// It is never one of several lines, and never in a cart.
        NotWithOthers = "not_with_others",
        /// It begins at once or not at all.
        NotLater = "not_later",
        /// The person did not say that they know what follows.
        NotConfirmed = "not_confirmed",
        /// It is never made longer.
        NotLonger = "not_longer",
        /// As often as one may within a week.
        Spent = "spent",
        /// An earlier use is not reviewed although it is due.
        NotReviewed = "not_reviewed",
        /// With what is held it breaks a rule, and no exception covers it.
        BreaksRule = "breaks_rule",
    }
}

words! {
    /// What somebody else says of a use afterwards.
    pub enum Conclusion {
        /// It was an emergency, and was used for that.
        Justified = "justified",
        /// It was not, or not only.
        NotJustified = "not_justified",
    }
}

/// One use as it is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    /// The asker is the beneficiary.
    pub own: bool,
    /// It is the only line, and comes from no cart.
    pub alone: bool,
    /// It is to begin at once.
    pub at_once: bool,
    /// The person said that they know what follows.
    pub confirmed: bool,
    /// They hold it now.
    pub held: bool,
    /// Their uses since [`BreakGlass::counted_since`].
    pub uses: u32,
    /// A review of an earlier use by them is overdue.
    pub overdue: bool,
    /// A rule would be broken, and no exception covers it.
    pub breaks: bool,
}

/// Everything that stands against this use.
pub fn bars(rule: BreakGlass, meant: Use) -> Vec<BreakGlassBar> {
    [
        (!meant.own, BreakGlassBar::NotForOthers),
        (!meant.alone, BreakGlassBar::NotWithOthers),
        (!meant.at_once, BreakGlassBar::NotLater),
        (meant.held, BreakGlassBar::NotLonger),
        (meant.uses >= rule.uses_per_week, BreakGlassBar::Spent),
        (meant.overdue, BreakGlassBar::NotReviewed),
        (meant.breaks, BreakGlassBar::BreaksRule),
        (!meant.confirmed, BreakGlassBar::NotConfirmed),
    ]
    .into_iter()
    .filter_map(|(so, bar)| so.then_some(bar))
    .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fine() -> Use {
        Use {
            own: true,
            alone: true,
            at_once: true,
            confirmed: true,
            held: false,
            uses: 0,
            overdue: false,
            breaks: false,
        }
    }

    #[test]
    fn an_emergency_of_ones_own_passes() {
        assert_eq!(bars(BreakGlass { uses_per_week: 1 }, fine()), vec![]);
    }

    proptest! {
        /// Whatever is wrong is said, all of it, and nothing else.
        #[test]
        fn everything_wrong_is_said(own: bool, alone: bool, at_once: bool, confirmed: bool, held: bool, uses in 0_u32..6, most in 1_u32..5, overdue: bool, breaks: bool) {
            let meant = Use { own, alone, at_once, confirmed, held, uses, overdue, breaks };
            let said = bars(BreakGlass { uses_per_week: most }, meant);
            prop_assert_eq!(said.contains(&BreakGlassBar::NotForOthers), !own);
            prop_assert_eq!(said.contains(&BreakGlassBar::NotWithOthers), !alone);
            prop_assert_eq!(said.contains(&BreakGlassBar::NotLater), !at_once);
            prop_assert_eq!(said.contains(&BreakGlassBar::NotConfirmed), !confirmed);
            prop_assert_eq!(said.contains(&BreakGlassBar::NotLonger), held);
            prop_assert_eq!(said.contains(&BreakGlassBar::Spent), uses >= most);
            prop_assert_eq!(said.contains(&BreakGlassBar::NotReviewed), overdue);
            prop_assert_eq!(said.contains(&BreakGlassBar::BreaksRule), breaks);
            prop_assert_eq!(said.is_empty(), own && alone && at_once && confirmed && !held && uses < most && !overdue && !breaks);
        }
    }
}
