//! Numbers, spans and moments as people say them. Pure: whoever calls hands in the time.
//!
//! Moments are said in UTC here; the island `LocalTime` says them again in the reader's zone.

use chrono::{DateTime, Datelike, Duration, Timelike, Utc};

type Timestamp = DateTime<Utc>;

#[cfg(test)]
use crate::spans::{DAY, HOUR, MINUTE};
pub use crate::spans::{count, number};

/// A span as policies say it, exactly: `8 hours`, `30 days`, `3 months`, `1 year`.
pub fn span(span: Duration) -> String {
    crate::spans::span(span.num_seconds())
}

/// A name inside a sentence of ours. One that is written from right to left keeps its direction to itself (the isolates of
/// Unicode's UAX #9), or it would carry off what stands beside it; and a sentence that begins with it is still one of ours,
/// which the mark before it says, for `dir="auto"` looks into isolates.
pub fn isolate(name: &str) -> String {
    let to_the_left = |c: char| matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}');
    if name.contains(to_the_left) {
        format!("\u{200e}\u{2068}{name}\u{2069}")
    } else {
        name.to_owned()
    }
}

/// About how long, short enough for a badge: `12 min`, `6 h 12 min`, `11 days`, `3 months`.
pub fn about(span: Duration) -> String {
    crate::spans::about(span.num_seconds())
}

/// How long ago or how far ahead: `just now`, `12 min ago`, `in 3 days`.
pub fn relative(at: Timestamp, now: Timestamp) -> String {
    crate::spans::relative((now - at).num_seconds())
}

/// A moment as people say it: `today at 17:00 UTC`, `tomorrow at 09:00 UTC`, `2 December`, `20 February 2027`.
pub fn moment(at: Timestamp, now: Timestamp) -> String {
    let days = (at.date_naive() - now.date_naive()).num_days();
    let clock = format!("{:02}:{:02} UTC", at.hour(), at.minute());
    match days {
        0 => format!("today at {clock}"),
        1 => format!("tomorrow at {clock}"),
        -1 => format!("yesterday at {clock}"),
        _ => day(at, now),
    }
}

/// A day without its time; the year only where it is another one.
pub fn day(at: Timestamp, now: Timestamp) -> String {
    if at.year() == now.year() {
        at.format("%-d %B").to_string()
    } else {
        date(at)
    }
}

/// A whole date: `21 November 2026`.
pub fn date(at: Timestamp) -> String {
    at.format("%-d %B %Y").to_string()
}

/// Day and time, for tables: `21 Nov 2026, 10:02 UTC`.
pub fn stamp(at: Timestamp) -> String {
    at.format("%-d %b %Y, %H:%M UTC").to_string()
}

/// Nothing left to ask: `Saturday, 21 November 2026, 10:02:31 UTC`.
pub fn exact(at: Timestamp) -> String {
    at.format("%A, %-d %B %Y, %H:%M:%S UTC").to_string()
}

/// The moment for programs, to the second: what stands in a `datetime` attribute.
pub fn machine(at: Timestamp) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Names in a row: `Elin Berg`, `Elin Berg or Tomas Ek`, `A, B and C`.
pub fn list<S: AsRef<str>>(names: &[S], last: &str) -> String {
    match names {
        [] => String::new(),
        [one] => one.as_ref().into(),
        [first @ .., end] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} {last} {}", first.join(", "), end.as_ref())
        }
    }
}

/// Up to two letters that stand for a name: first and last word.
pub fn initials(name: &str) -> String {
    let mut words = name
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let first = words.next();
    let last = words.next_back();
    first
        .into_iter()
        .chain(last)
        .flat_map(char::to_uppercase)
        .collect()
}

/// A number under `kinds` that is always the same for the same text: which tint a person or an application has.
pub fn tint(text: &str, kinds: u32) -> u32 {
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    (hash >> 8) % kinds.max(1)
}

/// Percent of a life that is left, between 0 and 100.
pub fn percent_left(start: Timestamp, end: Timestamp, now: Timestamp) -> u8 {
    crate::spans::percent_left((end - start).num_seconds(), (end - now).num_seconds())
}

/// The first letter made large: for a sentence that begins with a name of a state.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// At most so many characters, with an ellipsis where something was cut.
pub fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.into();
    }
    let mut out: String = text.chars().take(most.saturating_sub(1)).collect();
    out.truncate(out.trim_end().len());
    out.push('…');
    out
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a moment")
    }

    #[test]
    fn only_what_is_written_from_right_to_left_is_isolated() {
        for name in ["Ada Berg", "Siân O’Connor", "Łukasz Żak"] {
            assert_eq!(isolate(name), name);
        }
        for name in ["יעל כהן", "ليلى حداد"] {
            assert_eq!(isolate(name), format!("\u{200e}\u{2068}{name}\u{2069}"));
        }
    }

    #[test]
    fn numbers_are_grouped_and_things_agree_with_them() {
        assert_eq!(number(0), "0");
        assert_eq!(number(999), "999");
        assert_eq!(number(1_000), "1,000");
        assert_eq!(number(-1_234_567), "\u{2212}1,234,567");
        assert_eq!(count(1, "package", "packages"), "1 package");
        assert_eq!(count(40, "package", "packages"), "40 packages");
    }

    #[test]
    fn spans_are_said_as_policies_say_them() {
        for (seconds, words) in [
            (30, "30 seconds"),
            (15 * MINUTE, "15 minutes"),
            (HOUR, "1 hour"),
            (90 * MINUTE, "90 minutes"),
            (8 * HOUR, "8 hours"),
            (DAY, "24 hours"),
            (2 * DAY, "48 hours"),
            (2 * HOUR + 5 * MINUTE, "2 h 5 min"),
            (5 * DAY, "5 days"),
            (5 * DAY + 3 * HOUR, "5 days 3 h"),
            (30 * DAY, "30 days"),
            (45 * DAY, "45 days"),
            (90 * DAY, "3 months"),
            (100 * DAY, "100 days"),
            (180 * DAY, "6 months"),
            (182 * DAY, "6 months"),
            (365 * DAY, "1 year"),
            (730 * DAY, "2 years"),
        ] {
            assert_eq!(span(Duration::seconds(seconds)), words);
        }
    }

    #[test]
    fn what_is_left_is_said_roughly() {
        for (seconds, words) in [
            (-5, "less than a minute"),
            (59, "less than a minute"),
            (12 * MINUTE, "12 min"),
            (3 * HOUR, "3 h"),
            (6 * HOUR + 12 * MINUTE, "6 h 12 min"),
            (31 * HOUR, "31 h"),
            (11 * DAY, "11 days"),
            (91 * DAY, "3 months"),
            (800 * DAY, "2 years"),
        ] {
            assert_eq!(about(Duration::seconds(seconds)), words);
        }
    }

    #[test]
    fn moments_are_said_near_and_far() {
        let now = at("2026-11-21T10:02:31Z");
        assert_eq!(relative(at("2026-11-21T10:02:00Z"), now), "just now");
        assert_eq!(relative(at("2026-11-21T09:50:31Z"), now), "12 min ago");
        assert_eq!(relative(at("2026-11-24T10:02:31Z"), now), "in 3 days");
        assert_eq!(
            moment(at("2026-11-21T17:00:00Z"), now),
            "today at 17:00 UTC"
        );
        assert_eq!(
            moment(at("2026-11-22T00:00:00Z"), now),
            "tomorrow at 00:00 UTC"
        );
        assert_eq!(
            moment(at("2026-11-20T23:59:59Z"), now),
            "yesterday at 23:59 UTC"
        );
        assert_eq!(moment(at("2026-12-02T17:00:00Z"), now), "2 December");
        assert_eq!(moment(at("2027-02-20T17:00:00Z"), now), "20 February 2027");
        assert_eq!(exact(now), "Saturday, 21 November 2026, 10:02:31 UTC");
        assert_eq!(machine(now), "2026-11-21T10:02:31Z");
    }

    #[test]
    fn names_become_lists_and_initials() {
        assert_eq!(list::<&str>(&[], "or"), "");
        assert_eq!(list(&["Elin Berg"], "or"), "Elin Berg");
        assert_eq!(
            list(&["Elin Berg", "Tomas Ek"], "or"),
            "Elin Berg or Tomas Ek"
        );
        assert_eq!(list(&["A", "B", "C"], "and"), "A, B and C");
        assert_eq!(initials("Astrid Lindqvist"), "AL");
        assert_eq!(initials("  maría  de la   Cruz "), "MC");
        assert_eq!(initials("王小明"), "王");
        assert_eq!(initials(""), "");
    }

    #[test]
    fn tints_stay_and_are_bounded() {
        assert_eq!(tint("Figma", 10), tint("Figma", 10));
        assert!((0..200).all(|n| tint(&n.to_string(), 6) < 6));
        assert!((0..200).any(|n| tint(&n.to_string(), 6) == 5));
    }

    #[test]
    fn a_life_is_a_share_between_nothing_and_all() {
        let start = Utc.timestamp_opt(0, 0).single().expect("the epoch");
        let end = start + Duration::hours(10);
        assert_eq!(percent_left(start, end, start - Duration::hours(1)), 100);
        assert_eq!(percent_left(start, end, start + Duration::hours(4)), 60);
        assert_eq!(percent_left(start, end, end + Duration::hours(4)), 0);
        assert_eq!(percent_left(start, start, start), 0);
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(cut("åäö", 3), "åäö");
        assert_eq!(cut("åäö åäö", 5), "åäö…");
        assert_eq!(sentence("being set up"), "Being set up");
    }
}
