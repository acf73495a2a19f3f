//! How people want to be told, and when those who want it together get their day's mails.

use chrono::{Days, NaiveTime};

use crate::{Timestamp, words};

words! {
    /// What a mail is about, as people choose how they want to be told of it.
    pub enum Topic {
        /// What waits for one's own decision.
        Decisions = "decisions",
        /// What became of what one asked for, or of what was asked for one.
        Requests = "requests",
        /// One's own access: ready, ending, ended.
        Access = "access",
    }
}

words! {
    /// How somebody wants to be told of a topic.
    pub enum Delivery {
        /// A mail for each.
        AtOnce = "at_once",
        /// One mail a day with all of them.
        Daily = "daily",
        /// No mail; the pages say it.
        Never = "never",
    }
}

impl Topic {
    /// The topic of a kind of mail. One that has none is always told at once: something was taken away, or is wrong.
    pub fn of(kind: &str) -> Option<Self> {
        match kind {
            "decision_needed" | "review_needed" | "review_reminder" | "reminder" | "answered"
            | "nudged" | "handed_back" => Some(Self::Decisions),
            "decided" | "asked_for_you" | "waits" => Some(Self::Requests),
            "ready" | "ends_soon" | "ended" => Some(Self::Access),
            _ => None,
        }
    }

    /// Whether somebody may be told of it in this way. What waits for a decision waits for somebody else's sake.
    pub fn allows(self, delivery: Delivery) -> bool {
        !(self == Self::Decisions && delivery == Delivery::Never)
    }
}

/// The next instant after `now` at this time of day, in UTC.
pub fn next_digest(now: Timestamp, at: NaiveTime) -> Timestamp {
    let today = now.date_naive().and_time(at).and_utc();
    if today > now {
        today
    } else {
        today.checked_add_days(Days::new(1)).unwrap_or(today)
    }
}

#[cfg(test)]
mod tests {
    use chrono::Duration;
    use proptest::prelude::*;

    use super::*;
    use crate::request::tests::now;

    proptest! {
        /// A digest is never more than a day away, never now, and always at its time of day, in leap years as well.
        #[test]
        fn a_digest_comes_within_a_day(hours in 0_i64..20_000, seconds in 0_u32..86_400) {
            let now = now() + Duration::hours(hours);
            let at = NaiveTime::from_num_seconds_from_midnight_opt(seconds, 0).expect("within a day");
            let next = next_digest(now, at);
            prop_assert!(next > now && next - now <= Duration::days(1));
            prop_assert_eq!(next.time(), at);
        }
    }

    #[test]
    fn nobody_silences_what_waits_for_their_decision() {
        assert!(!Topic::Decisions.allows(Delivery::Never));
        assert!(Topic::Access.allows(Delivery::Never));
        assert_eq!(Topic::of("revoked"), None);
    }
}
