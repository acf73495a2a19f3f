//! The clock of a waiting line: when it lapses, how it stands still while a question waits for its answer, how long an
//! approved one waits for its exception, and how often the asker may nudge those who decide.

use chrono::{DateTime, Datelike, Duration, NaiveDate, Utc, Weekday};

use crate::{Timestamp, words};

words! {
    /// What somebody said about a waiting line.
    pub enum RemarkKind {
        /// A decider asks back; the line's clock stands still.
        Question = "question",
        /// The asker or the beneficiary answers; the clock runs on.
        Answer = "answer",
        /// The asker or the beneficiary adds something unasked.
        Remark = "remark",
    }
}

/// The longest that a line's clock stands still, over all questions about it; then it runs on by itself.
pub const STANDS_MOST: Duration = Duration::days(14);

/// The longest that an approved line waits for its exception; then it lapses.
pub const EXCEPTION_MOST: Duration = Duration::days(14);

/// The most that one person may say about one line within a day.
pub const REMARKS_A_DAY: usize = 30;

/// The pending deadline of a line and what holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// When it lapses, not counting the question that is open.
    pub lapse_at: Timestamp,
    /// Since when a question waits for an answer.
    pub asked_back_at: Option<Timestamp>,
    /// How long earlier questions held the clock; `lapse_at` has it in already.
    pub stood: Duration,
    /// Since when all have said yes and it waits for its exception: that has a limit of its own.
    pub waits_since: Option<Timestamp>,
}

impl Pending {
    fn left(&self) -> Duration {
        (STANDS_MOST - self.stood).max(Duration::zero())
    }

    /// How long the clock has stood still for the open question by `now`.
    fn standing(&self, now: Timestamp) -> Duration {
        self.asked_back_at.map_or(Duration::zero(), |since| {
            (now - since).clamp(Duration::zero(), self.left())
        })
    }

    /// Until when the clock stands still if nobody answers; none while no question is open.
    pub fn stands_until(&self) -> Option<Timestamp> {
        Some(self.asked_back_at? + self.left())
    }

    /// Whether the clock stands still now.
    pub fn is_still(&self, now: Timestamp) -> bool {
        self.stands_until().is_some_and(|until| now < until)
    }

    /// When the line lapses if the open question were answered now.
    pub fn lapses_at(&self, now: Timestamp) -> Timestamp {
        match self.waits_since {
            Some(since) => since + EXCEPTION_MOST,
            None => self.lapse_at + self.standing(now),
        }
    }

    /// When the line lapses if nobody answers: the latest of all.
    pub fn latest(&self) -> Timestamp {
        match (self.waits_since, self.asked_back_at) {
            (Some(since), _) => since + EXCEPTION_MOST,
            (None, Some(_)) => self.lapse_at + self.left(),
            (None, None) => self.lapse_at,
        }
    }

    /// Whether nobody decided in time, or the exception did not come in time.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.lapses_at(now) <= now
    }

    /// A question is asked. A second one changes nothing about the clock.
    #[must_use]
    pub fn asked(self, now: Timestamp) -> Self {
        Self {
            asked_back_at: self.asked_back_at.or(Some(now)),
            ..self
        }
    }

    /// The open question is answered, or needs no answer any more: the clock runs on.
    #[must_use]
    pub fn answered(self, now: Timestamp) -> Self {
        Self {
            lapse_at: self.lapse_at + self.standing(now),
            asked_back_at: None,
            stood: self.stood + self.standing(now),
            ..self
        }
    }
}

/// Whether those who decide may be nudged now: once a business day. A weekend belongs to the Friday before it.
pub fn may_nudge(last: Option<Timestamp>, now: Timestamp) -> bool {
    last.is_none_or(|last| business_day(last) < business_day(now))
}

/// When they may be nudged again.
pub fn next_nudge(last: Timestamp) -> Timestamp {
    let mut day = business_day(last) + Duration::days(1);
    while business_day(at_midnight(day)) != day {
        day += Duration::days(1);
    }
    at_midnight(day)
}

fn at_midnight(day: NaiveDate) -> Timestamp {
    DateTime::<Utc>::from_naive_utc_and_offset(day.and_time(chrono::NaiveTime::MIN), Utc)
}

fn business_day(at: Timestamp) -> NaiveDate {
    let day = at.date_naive();
    match day.weekday() {
        Weekday::Sat => day - Duration::days(1),
        Weekday::Sun => day - Duration::days(2),
        _ => day,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::request::tests::now;

    fn fresh(pending: i64) -> Pending {
        Pending {
            lapse_at: now() + Duration::seconds(pending),
            asked_back_at: None,
            stood: Duration::zero(),
            waits_since: None,
        }
    }

    #[test]
    fn what_is_approved_waits_for_its_exception_for_fourteen_days_whatever_the_pending_limit() {
        for pending in [3600, 90 * 86_400] {
            let since = now() + Duration::seconds(3500);
            let waits = Pending {
                waits_since: Some(since),
                ..fresh(pending)
            };
            let until = since + Duration::days(14);
            assert!(!waits.is_over(until - Duration::microseconds(1)));
            assert!(waits.is_over(until));
            assert_eq!((waits.lapses_at(now()), waits.latest()), (until, until));
        }
    }

    #[test]
    fn a_question_holds_the_clock_and_its_answer_lets_it_run_on() {
        let hour = Duration::hours(1);
        let asked = fresh(7 * 86_400).asked(now() + hour);
        assert!(asked.is_still(now() + hour * 2));
        let answered = asked.answered(now() + hour * 25);
        assert_eq!(
            answered.lapse_at,
            now() + Duration::days(7) + Duration::days(1)
        );
        assert_eq!(answered.stood, Duration::days(1));
        assert!(!answered.is_still(now() + hour * 26));
    }

    #[test]
    fn nobody_answers_and_it_runs_on_by_itself() {
        let asked = fresh(86_400).asked(now());
        let until = now() + STANDS_MOST;
        assert!(!asked.is_over(until));
        assert!(!asked.is_still(until));
        assert!(!asked.is_over(until + Duration::seconds(86_399)));
        assert!(asked.is_over(until + Duration::days(1)));
        assert_eq!(asked.latest(), until + Duration::days(1));
    }

    #[test]
    fn a_nudge_each_business_day() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a moment");
        // 27 November 2026 is a Friday.
        let friday = at("2026-11-27T16:00:00Z");
        assert!(may_nudge(None, friday));
        assert!(!may_nudge(Some(friday), at("2026-11-27T23:00:00Z")));
        assert!(!may_nudge(Some(friday), at("2026-11-29T12:00:00Z")));
        assert!(may_nudge(Some(friday), at("2026-11-30T00:00:00Z")));
        assert_eq!(next_nudge(friday), at("2026-11-30T00:00:00Z"));
        assert_eq!(
            next_nudge(at("2026-11-25T10:00:00Z")),
            at("2026-11-26T00:00:00Z")
        );
    }

    proptest! {
        /// However often it is asked back and answered: a line lives at most its pending limit and fourteen days, never
        /// shorter than its limit, and once over it stays over.
        #[test]
        fn questions_never_hold_a_line_for_ever(
            pending in 60_i64..30 * 86_400,
            steps in proptest::collection::vec((any::<bool>(), 0_i64..10 * 86_400), 0..20),
        ) {
            let first = fresh(pending);
            let mut clock = first;
            let mut at = now();
            for (ask, later) in steps {
                at += Duration::seconds(later);
                if clock.is_over(at) {
                    // The application refuses both then; nothing brings it back.
                    prop_assert!(clock.is_over(at + Duration::days(1)));
                    break;
                }
                let before = clock;
                clock = if ask { clock.asked(at) } else { clock.answered(at) };
                prop_assert!(!clock.is_over(at), "neither question nor answer ends it");
                prop_assert!(clock.lapse_at >= before.lapse_at);
                prop_assert_eq!(clock.lapse_at - first.lapse_at, clock.stood);
                prop_assert!(clock.stood <= STANDS_MOST);
                prop_assert!(clock.latest() <= first.lapse_at + STANDS_MOST);
                prop_assert!(clock.lapses_at(at) <= clock.latest());
            }
            prop_assert!(clock.is_over(first.lapse_at + STANDS_MOST));
        }

        /// A nudge is possible exactly from the moment that is named.
        #[test]
        fn the_next_nudge_is_the_first_that_is_possible(minutes in 0_i64..20_000, later in 0_i64..20_000) {
            let last = now() + Duration::minutes(minutes);
            let then = last + Duration::minutes(later);
            prop_assert_eq!(may_nudge(Some(last), then), then >= next_nudge(last));
        }
    }
}
