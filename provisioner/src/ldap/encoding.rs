//! How Active Directory writes times, ids and long lists, and how days stand in `shadowExpire`.

use chrono::{DateTime, TimeDelta};
use domain::Timestamp;
use uuid::Uuid;

/// From 1 January 1601 to 1 January 1970, in units of 100 nanoseconds (MS-DTYP, section 2.3.3).
const EPOCH: i64 = 116_444_736_000_000_000;
/// "Never" of `accountExpires`, besides 0 (MS-ADA1, section 2.1).
pub(super) const NEVER: i64 = i64::MAX;

/// A time as a FILETIME: units of 100 nanoseconds since 1601, as `accountExpires` has it.
pub fn filetime(at: Timestamp) -> i64 {
    at.timestamp_micros()
        .saturating_mul(10)
        .saturating_add(EPOCH)
}

/// The time that a FILETIME is; none for "never", and for what no time can be.
pub fn from_filetime(value: i64) -> Option<Timestamp> {
    if matches!(value, 0 | NEVER) {
        return None;
    }
    DateTime::from_timestamp_micros(value.checked_sub(EPOCH)?.div_euclid(10))
}

/// The id that the 16 bytes of an `objectGUID` are: its first three groups stand least byte first (MS-DTYP, section 2.3.4).
pub fn guid(bytes: &[u8]) -> Option<Uuid> {
    Some(Uuid::from_bytes_le(bytes.try_into().ok()?))
}

/// The first day since 1970 that begins when or after this time comes. An account with it in `shadowExpire` is never closed too
/// early, and at most a day too late.
pub fn shadow_days(at: Timestamp) -> i64 {
    let day = TimeDelta::days(1).num_microseconds().unwrap_or(i64::MAX);
    let micros = at.timestamp_micros();
    micros.div_euclid(day) + i64::from(micros.rem_euclid(day) != 0)
}

/// A stretch of a long attribute, as its name tells: `member;range=0-1499`, or `member;range=1500-*` for the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stretch {
    /// More follows from this index on.
    Until(u64),
    /// That was the last.
    Last,
}

/// Reads the name of a returned attribute (MS-ADTS, section 3.1.1.3.1.3.3); none if it is not a stretch of `attribute`.
pub(super) fn stretch(returned: &str, attribute: &str) -> Option<Stretch> {
    let (name, option) = returned.split_once(';')?;
    let range = option.to_ascii_lowercase();
    let (_, end) = range.strip_prefix("range=")?.split_once('-')?;
    if !name.eq_ignore_ascii_case(attribute) {
        return None;
    }
    match end {
        "*" => Some(Stretch::Last),
        end => Some(Stretch::Until(end.parse::<u64>().ok()?.checked_add(1)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("it is a time")
    }

    /// The Unix epoch, and the value of Microsoft's article "How to convert date/time attributes in Active Directory to
    /// standard time format".
    #[test]
    fn a_filetime_counts_from_1601() {
        assert_eq!(
            filetime(at("1970-01-01T00:00:00Z")),
            116_444_736_000_000_000
        );
        assert_eq!(filetime(at("1601-01-01T00:00:00Z")), 0);
        let published = at("2007-06-24T05:57:54.296875Z");
        assert_eq!(filetime(published), 128_271_382_742_968_750);
        assert_eq!(from_filetime(128_271_382_742_968_750), Some(published));
        assert_eq!(from_filetime(0), None);
        assert_eq!(from_filetime(i64::MAX), None);
        assert_eq!(from_filetime(i64::MIN), None);
    }

    /// The `schemaIDGUID` of the class `user`, as Microsoft's schema writes it both ways (MS-ADSC).
    #[test]
    fn a_guid_stands_least_byte_first() {
        let bytes = [
            0xba, 0x7a, 0x96, 0xbf, 0xe6, 0x0d, 0xd0, 0x11, 0xa2, 0x85, 0x00, 0xaa, 0x00, 0x30,
            0x49, 0xe2,
        ];
        let read = guid(&bytes).expect("it has 16 bytes");
        assert_eq!(read.to_string(), "bf967aba-0de6-11d0-a285-00aa003049e2");
        assert_eq!(read.to_bytes_le(), bytes);
        assert_eq!(guid(&bytes[1..]), None);
    }

    #[test]
    fn a_day_is_never_too_early() {
        assert_eq!(shadow_days(at("1970-01-02T00:00:00Z")), 1);
        assert_eq!(shadow_days(at("1970-01-02T00:00:01Z")), 2);
        assert_eq!(shadow_days(at("2026-11-27T17:00:00Z")), 20_785);
    }

    #[test]
    fn stretches_follow_one_another() {
        assert_eq!(
            stretch("member;range=0-1499", "member"),
            Some(Stretch::Until(1500))
        );
        assert_eq!(
            stretch("Member;Range=1500-*", "member"),
            Some(Stretch::Last)
        );
        assert_eq!(stretch("member", "member"), None);
        assert_eq!(stretch("memberOf;range=0-1499", "member"), None);
        assert_eq!(stretch("member;range=0-x", "member"), None);
    }
}
