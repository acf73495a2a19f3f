//! Small reviews: something has happened, and what somebody holds from before it is asked about, in a review of its own.
//!
//! It is an ordinary campaign but for its beginning and its end: the portal makes it by these rules, and it closes by itself
//! once everything has an answer that can no longer be taken back. A second person signs it off only where something
//! privileged was in it.
//!
//! Break-glass makes none: each use is looked at afterwards by somebody else anyway, and is over by then.

use super::{ItemState, ReviewerRule, Silence, UNDO};
use crate::{Timestamp, grant::GrantSource, words};

words! {
    /// What made a small review.
    pub enum Cause {
        /// Somebody has another manager, department or kind of employment.
        Moved = "moved",
        /// An exception ends soon, and with it the side that it names falls.
        ExceptionEnds = "exception_ends",
        /// A right was found at a target that nobody here gave.
        Found = "found",
    }
}

impl Cause {
    /// What such a review is called. It names nobody: whose it is stands beside it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Moved => "After a move",
            Self::ExceptionEnds => "Before an exception ends",
            Self::Found => "Found at a target",
        }
    }

    /// Who reviews: the manager as they are now, the business owner of the rule, the owner of the right.
    pub const fn reviewers(self) -> ReviewerRule {
        match self {
            Self::Moved => ReviewerRule::Manager,
            Self::ExceptionEnds => ReviewerRule::Named,
            Self::Found => ReviewerRule::EntitlementOwner,
        }
    }

    /// What silence means. Before the end of an exception it takes nothing away: the end itself does.
    pub const fn silence(self) -> Silence {
        match self {
            Self::Moved => Silence::Revoke,
            Self::ExceptionEnds | Self::Found => Silence::Escalate,
        }
    }

    /// Whether something that is held is asked about: after a move what was asked for or found, as what rules give follows
    /// them by itself; and never what ends before the review does.
    pub fn asks(self, source: GrantSource, end: Option<Timestamp>, due: Timestamp) -> bool {
        let fits = match self {
            Self::Moved => matches!(source, GrantSource::Request | GrantSource::Import),
            Self::ExceptionEnds => true,
            Self::Found => source == GrantSource::Import,
        };
        fits && end.is_none_or(|end| end > due)
    }
}

/// Whether a second person signs a review off: always, but for a small one in which nothing was privileged.
pub const fn wants_sign_off(small: bool, privileged: bool) -> bool {
    !small || privileged
}

/// From when on a small review closes by itself, from each item's state and when it ended: nothing is open, and no answer can
/// be taken back any more.
pub fn closes_from(
    items: impl IntoIterator<Item = (ItemState, Option<Timestamp>)>,
) -> Option<Timestamp> {
    let mut from = None;
    for (state, ended) in items {
        let over = match state {
            ItemState::Open => return None,
            ItemState::Decided => ended? + UNDO,
            ItemState::Defaulted | ItemState::Void => ended?,
        };
        from = from.max(Some(over));
    }
    from
}

#[cfg(test)]
mod tests {
    use chrono::Duration;

    use super::*;
    use crate::request::tests::now;

    #[test]
    fn it_closes_a_day_after_the_last_answer_and_never_while_something_is_open() {
        let at = |hours| Some(now() + Duration::hours(hours));
        let kept = (ItemState::Decided, at(1));
        let void = (ItemState::Void, at(3));
        assert_eq!(closes_from([kept, void]), at(25));
        assert_eq!(closes_from([void]), at(3));
        assert_eq!(closes_from([kept, (ItemState::Open, None)]), None);
    }

    #[test]
    fn what_rules_give_or_ends_by_itself_is_not_asked_about() {
        let due = now() + Duration::days(14);
        let asks = |cause: Cause, source, end| cause.asks(source, end, due);
        assert!(asks(Cause::Moved, GrantSource::Request, None));
        assert!(asks(
            Cause::Moved,
            GrantSource::Import,
            Some(due + Duration::seconds(1))
        ));
        assert!(!asks(Cause::Moved, GrantSource::Request, Some(due)));
        assert!(!asks(Cause::Moved, GrantSource::Role, None));
        assert!(!asks(Cause::Moved, GrantSource::BreakGlass, None));
        assert!(!asks(Cause::Found, GrantSource::Request, None));
    }

    #[test]
    fn only_a_small_review_without_anything_privileged_needs_no_second_person() {
        assert!(wants_sign_off(false, false) && wants_sign_off(false, true));
        assert!(wants_sign_off(true, true) && !wants_sign_off(true, false));
    }
}
