//! Drift: what a target lists of one right, against what the portal believes. Pure; `workflow::scans` acts on it.

use chrono::Duration;

use crate::{Timestamp, assignment::Observed, words};

words! {
    /// What becomes of a right that somebody gave out of band, as the catalogue's file says it. What vanished is put back
    /// once, whichever it is.
    #[derive(Default)]
    pub enum Drift {
        /// It is a finding, and nothing is changed.
        #[default]
        Report = "report",
        /// It becomes an import; a finding where it is privileged or under a control scope.
        Adopt = "adopt",
        /// It is taken away.
        Repair = "repair",
    }
}

words! {
    /// Why a scan changed nothing about a right.
    pub enum Stop {
        /// The target lists nobody, although several people hold the right.
        Empty = "empty",
        /// The listing lacks somebody whom a direct read shows.
        NotWhole = "not_whole",
        /// More would change than is allowed without a person.
        TooMany = "too_many",
        /// The target did not list it.
        Unread = "unread",
    }
}

impl Stop {
    /// Whether a person can say that it is so, and let the next scan go on.
    pub const fn may_go_on(self) -> bool {
        matches!(self, Self::Empty | Self::TooMany)
    }
}

/// What was written at the target, or wanted anew, so shortly before a listing is left for the next scan: a target may show
/// for a while what was before, and what is seen within an hour of a write of ours counts as ours.
pub const QUIET: Duration = Duration::hours(1);

/// From so many believed holders on, a listing without any is not believed.
const SEVERAL: usize = 2;

/// How much one scan may change about one right without a person: the larger of a number and a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The number.
    pub least: u32,
    /// The share of the holders, in percent.
    pub percent: u32,
}

impl Default for Limit {
    fn default() -> Self {
        Self {
            least: 10,
            percent: 20,
        }
    }
}

impl Limit {
    /// Whether so many changes go without a person where so many hold the right.
    pub fn allows(self, changes: usize, holders: usize) -> bool {
        changes <= (holders * self.percent as usize / 100).max(self.least as usize)
    }
}

/// What the portal believes of one account and the right, where it has an assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Belief {
    /// Whether a grant wants it there.
    pub wanted: bool,
    /// What the target last told.
    pub observed: Observed,
    /// When it was asked that.
    pub read_at: Option<Timestamp>,
    /// Whether nothing is under way.
    pub settled: bool,
    /// When it was last written, or wanted otherwise than before.
    pub touched_at: Option<Timestamp>,
    /// Whether it vanished, and is not put back until somebody says so.
    pub withheld: bool,
}

/// What a listing says of one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is as the portal believes.
    Agrees,
    /// Too much is going on to say.
    Later,
    /// The right is there and no grant explains it.
    Given,
    /// A grant wants it, it was there, and it is not any more.
    Vanished,
    /// It is there again, as a grant wants it.
    Returned,
}

/// Compares a listing that was asked for at `asked` with what is believed of one account.
pub fn verdict(listed: bool, belief: Option<Belief>, asked: Timestamp) -> Verdict {
    let Some(belief) = belief else {
        return if listed {
            Verdict::Given
        } else {
            Verdict::Agrees
        };
    };
    if belief.withheld {
        return if listed {
            Verdict::Returned
        } else {
            Verdict::Agrees
        };
    }
    let touched = belief.touched_at.is_some_and(|at| asked - at < QUIET);
    if !belief.settled || touched || belief.read_at.is_some_and(|at| at > asked) {
        return Verdict::Later;
    }
    match (belief.wanted, listed, belief.observed) {
        (true, true, Observed::Present) | (true, false, Observed::Absent) | (false, false, _) => {
            Verdict::Agrees
        }
        (true, true, Observed::Absent | Observed::Unknown) => Verdict::Returned,
        (true, false, Observed::Present | Observed::Unknown) => Verdict::Vanished,
        (false, true, _) => Verdict::Given,
    }
}

/// What one scan of one right counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Whom the target lists.
    pub listed: usize,
    /// Who holds it as far as the portal knows.
    pub believed: usize,
    /// What would change: what was given out of band and was not known before, and what vanished.
    pub changes: usize,
}

/// Why nothing is to be changed, if a person must look first. `allowed` is how many changes a person let through.
pub fn stops(counted: Counted, limit: Limit, allowed: usize) -> Option<Stop> {
    if counted.changes <= allowed {
        return None;
    }
    if counted.listed == 0 && counted.believed >= SEVERAL {
        return Some(Stop::Empty);
    }
    let holders = counted.listed.max(counted.believed);
    (!limit.allows(counted.changes, holders)).then_some(Stop::TooMany)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::tests::now;

    fn held() -> Belief {
        Belief {
            wanted: true,
            observed: Observed::Present,
            read_at: Some(now() - Duration::days(1)),
            settled: true,
            touched_at: Some(now() - Duration::days(1)),
            withheld: false,
        }
    }

    #[test]
    fn what_nobody_explains_was_given_and_what_is_missing_vanished() {
        assert_eq!(verdict(true, None, now()), Verdict::Given);
        assert_eq!(verdict(false, None, now()), Verdict::Agrees);
        assert_eq!(verdict(true, Some(held()), now()), Verdict::Agrees);
        assert_eq!(verdict(false, Some(held()), now()), Verdict::Vanished);
        let over = Belief {
            wanted: false,
            observed: Observed::Absent,
            ..held()
        };
        assert_eq!(verdict(true, Some(over), now()), Verdict::Given);
        assert_eq!(verdict(false, Some(over), now()), Verdict::Agrees);
    }

    #[test]
    fn what_is_under_way_is_left_for_the_next_scan() {
        let moments = [
            Belief {
                settled: false,
                ..held()
            },
            Belief {
                touched_at: Some(now() - Duration::minutes(59)),
                ..held()
            },
            Belief {
                read_at: Some(now() + Duration::seconds(1)),
                ..held()
            },
        ];
        for belief in moments {
            assert_eq!(verdict(false, Some(belief), now()), Verdict::Later);
        }
    }

    #[test]
    fn what_is_withheld_stays_so_until_it_is_there_again() {
        let withheld = Belief {
            withheld: true,
            settled: false,
            observed: Observed::Absent,
            ..held()
        };
        assert_eq!(verdict(false, Some(withheld), now()), Verdict::Agrees);
        assert_eq!(verdict(true, Some(withheld), now()), Verdict::Returned);
    }

    #[test]
    fn an_empty_listing_and_many_changes_wait_for_a_person() {
        let counted = |listed, believed, changes| Counted {
            listed,
            believed,
            changes,
        };
        let limit = Limit::default();
        assert_eq!(stops(counted(0, 2, 2), limit, 0), Some(Stop::Empty));
        assert_eq!(stops(counted(0, 1, 1), limit, 0), None);
        assert_eq!(stops(counted(10, 0, 10), limit, 0), None);
        assert_eq!(stops(counted(11, 0, 11), limit, 0), Some(Stop::TooMany));
        assert_eq!(stops(counted(100, 100, 20), limit, 0), None);
        assert_eq!(stops(counted(100, 100, 21), limit, 0), Some(Stop::TooMany));
        // Somebody let so many through, and no more.
        assert_eq!(stops(counted(100, 100, 21), limit, 21), None);
        assert_eq!(stops(counted(100, 100, 22), limit, 21), Some(Stop::TooMany));
    }
}
