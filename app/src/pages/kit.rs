//! The few things that many pages do with addresses: ids in paths, filters in queries, versions of live regions.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    str::FromStr,
};

use domain::Timestamp;

use crate::problem::Fault;

/// An id out of an address. What is none leads nowhere.
pub fn id<T: FromStr>(text: &str) -> Result<T, Fault> {
    text.parse().map_err(|_| Fault::missing())
}

/// What a live region carries so that it is put in anew only when it differs: changes with `shown`.
pub fn version(shown: &impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    shown.hash(&mut hasher);
    format!("{:x}", hasher.finish())
}

/// An address with a query of those pairs that say something.
pub fn address(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut out = path.to_owned();
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        out.push(if out.len() == path.len() { '?' } else { '&' });
        out.push_str(name);
        out.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
                out.push(char::from(byte));
            } else {
                out.extend(format!("%{byte:02X}").chars());
            }
        }
    }
    out
}

/// The title of a page that came back with faults: `Fix 2 things: Ask for Figma`, so that the tab says it, too.
pub fn to_fix(faults: usize, title: &str) -> String {
    format!(
        "Fix {}: {title}",
        crate::words::count(i64::try_from(faults).unwrap_or(i64::MAX), "thing", "things")
    )
}

/// The beginning of a day in UTC, from what a date field sends: `2026-11-21`.
pub fn day(text: &str) -> Option<Timestamp> {
    let day = chrono::NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok()?;
    Some(day.and_hms_opt(0, 0, 0)?.and_utc())
}

/// The end of a day in UTC: the beginning of the next.
pub fn day_over(text: &str) -> Option<Timestamp> {
    day(text)?.checked_add_days(chrono::Days::new(1))
}

/// What a date field shows for a moment.
pub fn day_field(at: Timestamp) -> String {
    at.format("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_carry_only_what_is_said_and_nothing_breaks_out() {
        assert_eq!(address("/audit", &[("kind", ""), ("about", "")]), "/audit");
        assert_eq!(
            address(
                "/audit",
                &[
                    ("kind", ""),
                    ("about", "AR-1&x=\"ö"),
                    ("from", "2026-11-21")
                ]
            ),
            "/audit?about=AR-1%26x%3D%22%C3%B6&from=2026-11-21"
        );
    }

    #[test]
    fn days_begin_and_end_in_utc() {
        let at = |text: &str| text.parse::<Timestamp>().ok();
        assert_eq!(day("2026-11-21"), at("2026-11-21T00:00:00Z"));
        assert_eq!(day_over("2026-12-31"), at("2027-01-01T00:00:00Z"));
        assert_eq!(day("21.11.2026"), None);
        assert_eq!(
            day_field(at("2026-11-21T23:59:00Z").expect("a moment")),
            "2026-11-21"
        );
    }
}
