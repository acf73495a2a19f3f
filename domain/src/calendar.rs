//! Working time: which hours of which days people of a country work, and how far a span of working time reaches.
//!
//! The data is always there; counting needs the time zones, which the browser is spared (feature `calendar`).

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::words;

words! {
    /// A day of the week, as files say it.
    pub enum Weekday {
        /// Monday.
        Monday = "monday",
        /// Tuesday.
        Tuesday = "tuesday",
        /// Wednesday.
        Wednesday = "wednesday",
        /// Thursday.
        Thursday = "thursday",
        /// Friday.
        Friday = "friday",
        /// Saturday.
        Saturday = "saturday",
        /// Sunday.
        Sunday = "sunday",
    }
}

/// When people of one country work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// The time zone by its name in the database of IANA: `Europe/Stockholm`.
    pub zone: String,
    /// Days of the week on which nobody works.
    pub weekend: BTreeSet<Weekday>,
    /// Minutes after midnight at which a working day begins.
    pub begins_minute: u16,
    /// Minutes after midnight at which it ends.
    pub ends_minute: u16,
    /// Days on which nobody works.
    pub holidays: BTreeSet<NaiveDate>,
}

impl Default for Calendar {
    /// Monday to Friday, nine to five, in UTC: for countries without a calendar of their own.
    fn default() -> Self {
        Self {
            zone: "UTC".to_owned(),
            weekend: BTreeSet::from([Weekday::Saturday, Weekday::Sunday]),
            begins_minute: 9 * 60,
            ends_minute: 17 * 60,
            holidays: BTreeSet::new(),
        }
    }
}

impl Calendar {
    /// The working hours of a day: `09:00–17:00`.
    pub fn hours(&self) -> String {
        let time = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        format!("{}–{}", time(self.begins_minute), time(self.ends_minute))
    }

    /// What people call the time of its zone: `Stockholm time`, `UTC`.
    pub fn zone_name(&self) -> String {
        match self.zone.rsplit_once('/') {
            Some((_, city)) => format!("{} time", city.replace('_', " ")),
            None => self.zone.clone(),
        }
    }
}

/// A span of working time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkingSpan {
    /// So many working hours.
    Hours(u16),
    /// To the same hour so many working days later.
    Days(u16),
}

impl std::fmt::Display for WorkingSpan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (count, unit) = match self {
            Self::Hours(count) => (count, "hour"),
            Self::Days(count) => (count, "day"),
        };
        let many = if *count == 1 { "" } else { "s" };
        write!(f, "{count} working {unit}{many}")
    }
}

/// Reads `1 working day`, `4 working hours`; at most a hundred of either.
pub fn read_working_span(text: &str) -> Option<WorkingSpan> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [count, "working", unit] = words[..] else {
        return None;
    };
    let count: u16 = count
        .parse()
        .ok()
        .filter(|count| (1..=100).contains(count))?;
    match unit {
        "day" | "days" => Some(WorkingSpan::Days(count)),
        "hour" | "hours" => Some(WorkingSpan::Hours(count)),
        _ => None,
    }
}

#[cfg(feature = "calendar")]
pub use counting::{add_working, known_zone, said_in};

#[cfg(feature = "calendar")]
mod counting {
    use chrono::{
        DateTime, Datelike as _, Days, Duration, NaiveDate, NaiveTime, TimeZone as _, Utc,
    };
    use chrono_tz::Tz;

    use super::{Calendar, Weekday, WorkingSpan};
    use crate::Timestamp;

    /// How many days are looked through for the next one on which anybody works.
    const FURTHEST: u64 = 400;

    /// Whether there is a time zone of this name.
    pub fn known_zone(name: &str) -> bool {
        name.parse::<Tz>().is_ok()
    }

    /// The instant at which a span of working time is over that begins at `from`, or when work next begins. Always in
    /// working time. Of a calendar in which nobody works the span is counted in days and hours as they pass.
    pub fn add_working(from: Timestamp, span: WorkingSpan, calendar: &Calendar) -> Timestamp {
        counted(from, span, calendar).unwrap_or_else(|| match span {
            WorkingSpan::Hours(count) => from + Duration::hours(count.into()),
            WorkingSpan::Days(count) => from + Duration::days(count.into()),
        })
    }

    /// An instant by the clock of a calendar's zone: `Monday 30 November 09:00, Stockholm time`.
    pub fn said_in(at: Timestamp, calendar: &Calendar) -> String {
        let zone: Tz = calendar.zone.parse().unwrap_or(Tz::UTC);
        let local = at.with_timezone(&zone);
        format!(
            "{}, {}",
            local.format("%A %-d %B %H:%M"),
            calendar.zone_name()
        )
    }

    /// The working time of one day.
    #[derive(Clone, Copy)]
    struct Shift {
        date: NaiveDate,
        begins: Timestamp,
        ends: Timestamp,
    }

    fn counted(from: Timestamp, span: WorkingSpan, calendar: &Calendar) -> Option<Timestamp> {
        let zone: Tz = calendar.zone.parse().ok()?;
        // The day before may still be at work, where the clock of the zone is ahead.
        let day = from.with_timezone(&zone).date_naive();
        let mut shift = next(calendar, zone, day.checked_sub_days(Days::new(1))?)?;
        while shift.ends <= from {
            shift = next(calendar, zone, shift.date.succ_opt()?)?;
        }
        let mut at = from.max(shift.begins);
        match span {
            WorkingSpan::Days(count) => {
                let worked = at - shift.begins;
                for _ in 0..count {
                    shift = next(calendar, zone, shift.date.succ_opt()?)?;
                }
                Some((shift.begins + worked).min(shift.ends - Duration::seconds(1)))
            }
            WorkingSpan::Hours(count) => {
                let mut left = Duration::hours(count.into());
                while at + left >= shift.ends {
                    left -= shift.ends - at;
                    shift = next(calendar, zone, shift.date.succ_opt()?)?;
                    at = shift.begins;
                }
                Some(at + left)
            }
        }
    }

    /// The first shift on this day or after it.
    fn next(calendar: &Calendar, zone: Tz, from: NaiveDate) -> Option<Shift> {
        (0..FURTHEST)
            .filter_map(|ahead| from.checked_add_days(Days::new(ahead)))
            .find_map(|date| shift(calendar, zone, date))
    }

    /// The working time of a day; none where nobody works.
    fn shift(calendar: &Calendar, zone: Tz, date: NaiveDate) -> Option<Shift> {
        let weekday = Weekday::ALL[date.weekday().num_days_from_monday() as usize];
        if calendar.weekend.contains(&weekday) || calendar.holidays.contains(&date) {
            return None;
        }
        let begins = instant(zone, date, calendar.begins_minute)?;
        let ends = instant(zone, date, calendar.ends_minute)?;
        (begins + Duration::seconds(1) < ends).then_some(Shift { date, begins, ends })
    }

    /// A time of a day in a zone: the earlier of two where clocks are set back, the first that there is where they are set
    /// forward.
    fn instant(zone: Tz, date: NaiveDate, minute: u16) -> Option<DateTime<Utc>> {
        let midnight = date.and_time(NaiveTime::MIN);
        let mut local = midnight + Duration::minutes(minute.into());
        for _ in 0..100 {
            if let Some(at) = zone.from_local_datetime(&local).earliest() {
                return Some(at.with_timezone(&Utc));
            }
            local += Duration::minutes(15);
        }
        None
    }
}

#[cfg(all(test, feature = "calendar"))]
#[path = "calendar_tests.rs"]
mod tests;
