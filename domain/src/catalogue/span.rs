//! Lengths of time as people write and say them: `8 hours`, `30 days`, `1 day 12 hours`.

/// Names of units with their seconds, longest first. A month is 30 days and a year 365: a length, not a date.
const UNITS: &[(&str, i64)] = &[
    ("year", 365 * 86_400),
    ("month", 30 * 86_400),
    ("week", 7 * 86_400),
    ("day", 86_400),
    ("hour", 3600),
    ("minute", 60),
];

/// A length of time that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a length of time")]
pub struct BadSpan {
    /// What stood there.
    pub text: String,
}

/// Reads a length of time into seconds. Zero, negative and unbelievably long (over 100 years) lengths are refused.
pub fn read_span(text: &str) -> Result<i64, BadSpan> {
    let bad = || BadSpan {
        text: text.to_owned(),
    };
    let mut words = text.split_whitespace();
    let mut seconds = 0_i64;
    while let Some(count) = words.next() {
        let count: i64 = count.parse().map_err(|_| bad())?;
        let unit = words.next().ok_or_else(bad)?;
        let unit = unit.strip_suffix('s').unwrap_or(unit);
        let (_, each) = UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .ok_or_else(bad)?;
        if count <= 0 {
            return Err(bad());
        }
        seconds = count
            .checked_mul(*each)
            .and_then(|more| seconds.checked_add(more))
            .filter(|sum| *sum <= 100 * 365 * 86_400)
            .ok_or_else(bad)?;
    }
    if seconds > 0 { Ok(seconds) } else { Err(bad()) }
}

/// Says a length of time in the fewest words that are exact: `8 hours`, `30 days`, `1 year`, `90 minutes`.
pub fn say_span(seconds: i64) -> String {
    let (unit, each) = UNITS
        .iter()
        .filter(|(name, _)| !matches!(*name, "month" | "week"))
        .find(|(_, each)| seconds >= *each && seconds % each == 0)
        .copied()
        .unwrap_or(("second", 1));
    let count = seconds / each;
    if count == 1 {
        format!("1 {unit}")
    } else {
        format!("{count} {unit}s")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_read() {
        assert_eq!(read_span("8 hours"), Ok(8 * 3600));
        assert_eq!(read_span("1 day 12 hours"), Ok(36 * 3600));
        assert_eq!(read_span("6 months"), Ok(180 * 86_400));
        assert_eq!(read_span(" 1  year "), Ok(365 * 86_400));
        for bad in [
            "",
            "8",
            "hours",
            "8hours",
            "-1 day",
            "0 days",
            "8 fortnights",
            "1.5 days",
            "9999999999999 years",
            "101 years",
        ] {
            assert!(read_span(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        /// What is said can be read, and is the same.
        #[test]
        fn what_is_said_is_read_back(minutes in 1_i64..5_000_000) {
            prop_assert_eq!(read_span(&say_span(minutes * 60)), Ok(minutes * 60));
        }
    }
}
