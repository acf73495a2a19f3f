//! A grant: the right of one account to one package over `[valid_from, end)`.

use chrono::Duration;
use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    request::{Length, Start, Window},
    words,
};

/// The end of access, as its own type: never an absent or zero time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Ends at this instant; access is not valid at it.
    At(Timestamp),
    /// Ends only by an act of somebody.
    Permanent,
}

impl End {
    /// The earlier of two ends.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        match (self, other) {
            (Self::At(one), Self::At(two)) => Self::At(one.min(two)),
            (Self::At(one), Self::Permanent) | (Self::Permanent, Self::At(one)) => Self::At(one),
            (Self::Permanent, Self::Permanent) => Self::Permanent,
        }
    }

    /// Whether access is over at `now`.
    pub fn passed(self, now: Timestamp) -> bool {
        match self {
            Self::At(at) => at <= now,
            Self::Permanent => false,
        }
    }

    /// The instant, if there is one.
    pub const fn at(self) -> Option<Timestamp> {
        match self {
            Self::At(at) => Some(at),
            Self::Permanent => None,
        }
    }
}

words! {
    /// Where a grant stands.
    pub enum GrantState {
        /// Approved; begins later.
        Scheduled = "scheduled",
        /// Covers now.
        Active = "active",
        /// Held back; gives nothing while suspended, and its end still comes.
        Suspended = "suspended",
        /// Over, for good.
        Ended = "ended",
    }
}

impl GrantState {
    /// Whether the grant may move to `next`. The database has the same rule as a trigger.
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Scheduled => matches!(next, Self::Active | Self::Ended),
            Self::Active => matches!(next, Self::Suspended | Self::Ended),
            Self::Suspended => matches!(next, Self::Active | Self::Ended),
            Self::Ended => false,
        }
    }
}

words! {
    /// Why a grant is held back. Whoever may let it go on follows from it.
    pub enum SuspendCause {
        /// Security wants it so.
        Security = "security",
        /// The holder is away for a while; HR says so.
        Absence = "absence",
        /// The holder as a whole is held back.
        KillSwitch = "kill_switch",
    }
}

words! {
    /// Where a grant comes from.
    pub enum GrantSource {
        /// A decided request line.
        Request = "request",
        /// A birthright role.
        Role = "role",
        /// A rule.
        Rule = "rule",
        /// Found at the target; not approved here.
        Import = "import",
        /// Break-glass.
        BreakGlass = "break_glass",
    }
}

words! {
    /// Why a grant ended.
    pub enum EndReason {
        /// Its time was up.
        Expired = "expired",
        /// The holder gave it back.
        Returned = "returned",
        /// Somebody took it away.
        Revoked = "revoked",
        /// A certification said no.
        Review = "review",
        /// The holder moved.
        Mover = "mover",
        /// The holder left.
        Leaver = "leaver",
        /// Another grant took its place.
        Superseded = "superseded",
        /// The exception that it stood on ended.
        ExceptionEnded = "exception_ended",
    }
}

words! {
    /// What a person is told of a grant: its state together with what the targets say.
    pub enum Health {
        /// Begins later.
        Scheduled = "scheduled",
        /// Approved, not yet confirmed at every target.
        BeingSetUp = "being_set_up",
        /// Confirmed at every target.
        Ready = "ready",
        /// Held back.
        Suspended = "suspended",
        /// Something is stuck and somebody must look.
        Attention = "attention",
        /// Over, not yet confirmed as removed everywhere.
        BeingRemoved = "being_removed",
        /// Over, and read back as gone everywhere.
        Gone = "gone",
        /// Over, but another grant or an import holds the same right.
        StillHeld = "still_held",
    }
}

/// What health needs to know of one assignment that the grant contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Whether any grant wants it now.
    pub desired: bool,
    /// What the target last told us.
    pub observed: crate::assignment::Observed,
    /// Whether it is stuck.
    pub attention: bool,
}

/// A grant's health, from its state and its assignments. Approved is not ready, and ended is not gone, until the
/// target has been read back.
pub fn health(state: GrantState, parts: &[Part]) -> Health {
    use crate::assignment::Observed;
    match state {
        GrantState::Scheduled => Health::Scheduled,
        GrantState::Suspended => Health::Suspended,
        GrantState::Active if parts.iter().any(|part| part.attention) => Health::Attention,
        GrantState::Active if parts.iter().all(|part| part.observed == Observed::Present) => {
            Health::Ready
        }
        GrantState::Active => Health::BeingSetUp,
        GrantState::Ended if parts.iter().any(|part| part.attention && !part.desired) => {
            Health::Attention
        }
        GrantState::Ended
            if parts
                .iter()
                .any(|part| !part.desired && part.observed != Observed::Absent) =>
        {
            Health::BeingRemoved
        }
        GrantState::Ended if parts.iter().any(|part| part.desired) => Health::StillHeld,
        GrantState::Ended => Health::Gone,
    }
}

/// One limit on the end of access, with the word that explains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "limit", rename_all = "snake_case")]
pub enum Cap {
    /// The longest span of the package, in seconds from activation.
    Package {
        /// Seconds.
        seconds: i64,
    },
    /// An approver said less, in seconds from activation.
    Approver {
        /// Seconds.
        seconds: i64,
    },
    /// An approver of more time said less, counted from their decision: an end, not a length.
    ApproverUntil {
        /// The latest end.
        at: Timestamp,
    },
    /// The longest that the package may be held without a break.
    Continuous {
        /// The latest end.
        at: Timestamp,
    },
    /// The person's last day.
    LastDay {
        /// The end of that day.
        at: Timestamp,
    },
}

/// When a window becomes access: the asked start, but never before the decision.
pub fn activation(window: Window, decided: Timestamp) -> Timestamp {
    match window.start {
        Start::OnActivation => decided,
        Start::At(at) => at.max(decided),
    }
}

/// The end of access over `window` that begins at `from`: of all limits, the shortest wins.
///
/// Counted from activation, not from submission. The result may lie at or before `from` (the person's last day has
/// passed): then there is nothing to grant.
pub fn settle_end(window: Window, from: Timestamp, caps: &[Cap]) -> End {
    let asked = match window.length {
        Length::Seconds(seconds) => End::At(plus(from, seconds)),
        Length::Until(at) => End::At(at),
        Length::Permanent => End::Permanent,
    };
    caps.iter().fold(asked, |end, cap| {
        end.min(match *cap {
            Cap::Package { seconds } | Cap::Approver { seconds } => End::At(plus(from, seconds)),
            Cap::ApproverUntil { at } | Cap::Continuous { at } | Cap::LastDay { at } => End::At(at),
        })
    })
}

/// `from` plus `seconds`, held at the edge of the calendar instead of overflowing, and never before `from`.
pub fn plus(from: Timestamp, seconds: i64) -> Timestamp {
    Duration::try_seconds(seconds.max(0))
        .and_then(|span| from.checked_add_signed(span))
        .unwrap_or(Timestamp::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{assignment::Observed, request::tests::now};

    #[test]
    fn of_all_limits_the_shortest_wins() {
        let window = Window {
            start: Start::OnActivation,
            length: Length::Seconds(8 * 3600),
        };
        let end = settle_end(
            window,
            now(),
            &[
                Cap::Package { seconds: 24 * 3600 },
                Cap::Approver { seconds: 2 * 3600 },
                Cap::LastDay {
                    at: now() + Duration::hours(5),
                },
            ],
        );
        assert_eq!(end, End::At(now() + Duration::hours(2)));
    }

    #[test]
    fn a_huge_length_never_becomes_no_end() {
        let window = Window {
            start: Start::OnActivation,
            length: Length::Seconds(i64::MAX),
        };
        assert_eq!(settle_end(window, now(), &[]), End::At(Timestamp::MAX_UTC));
    }

    #[test]
    fn ready_and_gone_need_the_target_to_say_so() {
        let part = |desired, observed| Part {
            desired,
            observed,
            attention: false,
        };
        let active = |parts: &[Part]| health(GrantState::Active, parts);
        let ended = |parts: &[Part]| health(GrantState::Ended, parts);
        assert_eq!(active(&[part(true, Observed::Unknown)]), Health::BeingSetUp);
        assert_eq!(
            active(&[part(true, Observed::Present), part(true, Observed::Absent)]),
            Health::BeingSetUp
        );
        assert_eq!(active(&[part(true, Observed::Present)]), Health::Ready);
        assert_eq!(
            ended(&[part(false, Observed::Present)]),
            Health::BeingRemoved
        );
        assert_eq!(
            ended(&[part(false, Observed::Unknown)]),
            Health::BeingRemoved
        );
        assert_eq!(ended(&[part(false, Observed::Absent)]), Health::Gone);
        assert_eq!(ended(&[part(true, Observed::Present)]), Health::StillHeld);
    }

    proptest! {
        /// A timed ask always gets a finite end that no cap outlives, whatever the numbers.
        #[test]
        fn a_timed_ask_gets_a_finite_end(seconds in any::<i64>(), package in 1_i64..10_000_000, approver in proptest::option::of(1_i64..10_000_000), last in proptest::option::of(-1000_i64..10_000_000)) {
            let window = Window { start: Start::OnActivation, length: Length::Seconds(seconds) };
            let mut caps = vec![Cap::Package { seconds: package }];
            caps.extend(approver.map(|seconds| Cap::Approver { seconds }));
            caps.extend(last.map(|offset| Cap::LastDay { at: now() + Duration::seconds(offset) }));
            let end = settle_end(window, now(), &caps);
            let End::At(at) = end else { return Err(TestCaseError::fail("no end")) };
            prop_assert!(at <= now() + Duration::seconds(package));
            if let Some(seconds) = approver { prop_assert!(at <= now() + Duration::seconds(seconds)); }
            if let Some(offset) = last { prop_assert!(at <= now() + Duration::seconds(offset)); }
        }

        /// A permanent ask under any cap is not permanent.
        #[test]
        fn any_cap_makes_permanent_finite(package in 1_i64..10_000_000) {
            let window = Window { start: Start::OnActivation, length: Length::Permanent };
            let end = settle_end(window, now(), &[Cap::Package { seconds: package }]);
            prop_assert!(end.at().is_some());
        }
    }
}
