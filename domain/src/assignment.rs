//! An assignment: one (account, entitlement) pair, what it should be and what the target says it is.
//!
//! The provisioner is level-triggered: [`next_step`] looks at where the assignment stands and says the one thing to do
//! now. Doing it twice is harmless, and after any crash the same function gives the way on.

use chrono::Duration;
use serde::{Deserialize, Serialize};

use crate::{Timestamp, words};

words! {
    /// What the target last told us.
    pub enum Observed {
        /// Never asked, or not trusted any more.
        Unknown = "unknown",
        /// The right is there.
        Present = "present",
        /// The right is not there.
        Absent = "absent",
    }
}

words! {
    /// Whose the right is, decided before our first write and never by a retry.
    pub enum Origin {
        /// The target said absent before our first write.
        Ours = "ours",
        /// It was there before we wrote anything.
        Found = "found",
    }
}

words! {
    /// Where converging stands.
    pub enum Phase {
        /// Desired and observed agree.
        Settled = "settled",
        /// They may differ; a job works on it.
        Due = "due",
        /// A write was accepted; a read must agree.
        Settling = "settling",
        /// Stuck; a person must look.
        Attention = "attention",
    }
}

words! {
    /// Why what should be changed at a whole target waits. Reads go on.
    pub enum Closed {
        /// The database was restored from a backup: what was taken away since would be given again, so nothing is given until
        /// the target was compared. Removals go on.
        Restored = "restored",
        /// The target is not switched on yet: nothing is written there.
        Shadow = "shadow",
    }
}

impl Closed {
    /// Whether a step waits for it.
    pub const fn keeps(self, step: Step) -> bool {
        match (self, step) {
            (_, Step::Rest | Step::Read) | (Self::Restored, Step::Remove) => false,
            (_, Step::Add) | (Self::Shadow, Step::Remove) => true,
        }
    }
}

/// The state of an assignment that [`next_step`] looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Whether at least one unsuspended grant that contains the entitlement covers now.
    pub desired: bool,
    /// Whether the only grants that cover now are imports.
    pub only_imports: bool,
    /// What the target last told us.
    pub observed: Observed,
    /// Whose the right is, once known.
    pub origin: Option<Origin>,
    /// Whether a write was accepted and no read has agreed yet.
    pub settling: bool,
}

/// The one thing to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing: desired and observed agree.
    Rest,
    /// Ask the target what is there.
    Read,
    /// Add the right at the target.
    Add,
    /// Remove the right at the target.
    Remove,
}

/// Says what to do now. Adding needs an origin, so the first step on a new assignment is always a read; a removal needs
/// none, for a right that must go is removed whoever gave it.
pub fn next_step(standing: Standing) -> Step {
    if standing.settling || standing.observed == Observed::Unknown {
        return Step::Read;
    }
    match (standing.desired, standing.observed) {
        (true, Observed::Present) | (false, Observed::Absent) => Step::Rest,
        (true, Observed::Absent) if standing.origin.is_none() => Step::Read,
        (true, Observed::Absent) if standing.only_imports => Step::Rest,
        (true, Observed::Absent) => Step::Add,
        (false, Observed::Present) => Step::Remove,
        (_, Observed::Unknown) => Step::Read,
    }
}

/// What a read before our first write says of the origin.
///
/// Once known it stays until the right has been confirmed absent while nobody wants it (`desired` false): a retry,
/// "already a member", a lost reply, a stale read or a crash never turns `ours` into `found`.
pub fn origin_after_read(before: Option<Origin>, seen: Observed, desired: bool) -> Option<Origin> {
    match (before, seen) {
        (_, Observed::Absent) if !desired => None,
        (Some(origin), _) => Some(origin),
        (None, Observed::Present) => Some(Origin::Found),
        (None, Observed::Absent) => Some(Origin::Ours),
        (None, Observed::Unknown) => None,
    }
}

/// When to read again after a write was accepted: 0.5, 1, 2, 4, 8, then every 15 s (Graph reads are eventually
/// consistent). `reads` is how many reads have not agreed yet.
pub fn settle_delay(reads: u32) -> Duration {
    match reads {
        0 => Duration::milliseconds(500),
        1..=4 => Duration::seconds(1 << (reads - 1)),
        _ => Duration::seconds(15),
    }
}

/// How many reads may disagree after one accepted write before we write again: with [`settle_delay`] about a minute.
pub const SETTLE_READS: u32 = 8;

/// How many attempts may fail before an assignment needs a person; retries go on all the same.
pub const ATTEMPTS_BEFORE_ATTENTION: u32 = 6;

/// When to try again after `attempts` failures: 1 s doubling to 5 minutes, spread by `jitter` in `[0, 1)` over half of
/// it. The target's own `Retry-After` wins if it is longer.
pub fn backoff(attempts: u32, jitter: f64, retry_after: Option<Duration>) -> Duration {
    let base = (1_i64 << attempts.saturating_sub(1).min(9)).min(300) * 1000;
    let spread = (base as f64 * (0.5 + 0.5 * jitter.clamp(0.0, 1.0))) as i64;
    let own = Duration::milliseconds(spread.max(250));
    retry_after.map_or(own, |asked| own.max(asked))
}

/// What a grant contributes to the desired state of its assignments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Begins.
    pub from: Timestamp,
    /// Ends.
    pub end: crate::grant::End,
    /// Whether it is suspended or over.
    pub counts: bool,
    /// Whether it is an import.
    pub import: bool,
    /// Whether somebody here held it back and let it go on: an import that was removed by us is put back by us.
    pub resumed: bool,
}

/// Whether any claim covers `now`, and whether only imports do.
pub fn desired(claims: &[Claim], now: Timestamp) -> (bool, bool) {
    let mut covering = claims
        .iter()
        .filter(|claim| claim.counts && claim.from <= now && !claim.end.passed(now))
        .peekable();
    let any = covering.peek().is_some();
    (
        any,
        any && covering.all(|claim| claim.import && !claim.resumed),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{grant::End, request::tests::now};

    fn standing(desired: bool, observed: Observed, origin: Option<Origin>) -> Standing {
        Standing {
            desired,
            only_imports: false,
            observed,
            origin,
            settling: false,
        }
    }

    #[test]
    fn the_first_step_is_a_read_and_origin_is_known_before_a_write() {
        assert_eq!(
            next_step(standing(true, Observed::Unknown, None)),
            Step::Read
        );
        assert_eq!(
            next_step(standing(true, Observed::Absent, None)),
            Step::Read
        );
        assert_eq!(
            next_step(standing(true, Observed::Absent, Some(Origin::Ours))),
            Step::Add
        );
    }

    #[test]
    fn what_nobody_wants_is_removed_whoever_gave_it() {
        for origin in [None, Some(Origin::Ours), Some(Origin::Found)] {
            assert_eq!(
                next_step(standing(false, Observed::Present, origin)),
                Step::Remove
            );
        }
    }

    #[test]
    fn after_a_restore_nothing_is_given_and_a_target_that_is_not_switched_on_is_not_written() {
        for closed in Closed::ALL.iter().copied() {
            assert!(closed.keeps(Step::Add));
            assert!(!closed.keeps(Step::Read) && !closed.keeps(Step::Rest));
            assert_eq!(closed.keeps(Step::Remove), closed == Closed::Shadow);
        }
    }

    #[test]
    fn a_vanished_import_is_not_put_back() {
        let vanished = Standing {
            desired: true,
            only_imports: true,
            observed: Observed::Absent,
            origin: Some(Origin::Found),
            settling: false,
        };
        assert_eq!(next_step(vanished), Step::Rest);
    }

    #[test]
    fn settling_waits_0_5_1_2_4_8_15() {
        let delays: Vec<i64> = (0..7)
            .map(|reads| settle_delay(reads).num_milliseconds())
            .collect();
        assert_eq!(delays, vec![500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
    }

    #[test]
    fn retry_after_wins_when_longer() {
        assert_eq!(
            backoff(1, 0.0, Some(Duration::seconds(30))),
            Duration::seconds(30)
        );
        assert!(backoff(3, 0.5, Some(Duration::milliseconds(1))) > Duration::seconds(1));
        assert!(backoff(60, 1.0, None) <= Duration::seconds(300));
    }

    #[test]
    fn an_import_that_was_held_back_and_goes_on_is_put_back_like_one_of_ours() {
        let claim = |counts, resumed| Claim {
            from: now(),
            end: End::Permanent,
            counts,
            import: true,
            resumed,
        };
        assert_eq!(desired(&[claim(true, false)], now()), (true, true));
        assert_eq!(desired(&[claim(false, false)], now()), (false, false));
        assert_eq!(desired(&[claim(true, true)], now()), (true, false));
    }

    proptest! {
        /// Overlapping grants: desired is true exactly while at least one covers now.
        #[test]
        fn desired_is_the_union_of_what_covers(spans in proptest::collection::vec((0_i64..100, 1_i64..100, any::<bool>(), any::<bool>()), 0..6), at in 0_i64..220) {
            let t = |minutes: i64| now() + Duration::minutes(minutes);
            let claims: Vec<Claim> = spans.iter().map(|&(from, length, counts, import)| Claim { from: t(from), end: End::At(t(from + length)), counts, import, resumed: false }).collect();
            let expected: Vec<bool> = spans.iter().filter(|&&(from, length, counts, _)| counts && from <= at && at < from + length).map(|s| s.3).collect();
            let (any, only_imports) = desired(&claims, t(at));
            prop_assert_eq!(any, !expected.is_empty());
            prop_assert_eq!(only_imports, !expected.is_empty() && expected.iter().all(|import| *import));
        }

        /// Against a target that answers truly, the steps end at rest with observed equal to desired, in a few moves.
        #[test]
        fn steps_converge(want in any::<bool>(), there in any::<bool>(), lag in 0_u32..4) {
            let mut there = there;
            let mut visible = there;
            let mut unseen = 0;
            let mut s = standing(want, Observed::Unknown, None);
            for _ in 0..40 {
                match next_step(s) {
                    Step::Rest => break,
                    Step::Read => {
                        if unseen == 0 { visible = there } else { unseen -= 1 }
                        let seen = if visible { Observed::Present } else { Observed::Absent };
                        s.origin = origin_after_read(s.origin, seen, s.desired);
                        if s.settling { s.settling = (seen == Observed::Present) != s.desired; }
                        s.observed = seen;
                    }
                    Step::Add => { prop_assert!(s.origin.is_some()); there = true; unseen = lag; s.settling = true; }
                    Step::Remove => { there = false; unseen = lag; s.settling = true; }
                }
            }
            prop_assert_eq!(next_step(s), Step::Rest);
            prop_assert_eq!(there, want);
        }
    }
}
