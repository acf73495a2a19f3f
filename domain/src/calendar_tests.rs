use chrono::{DateTime, Duration};
use proptest::prelude::*;

use super::*;
use crate::Timestamp;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

fn sweden() -> Calendar {
    Calendar {
        zone: "Europe/Stockholm".into(),
        holidays: BTreeSet::from([
            NaiveDate::from_ymd_opt(2026, 12, 25).expect("a day"),
            NaiveDate::from_ymd_opt(2026, 12, 24).expect("a day"),
        ]),
        ..Calendar::default()
    }
}

#[test]
fn spans_are_read_and_said_as_people_write_them() {
    for (text, span) in [
        ("1 working day", Some(WorkingSpan::Days(1))),
        ("4 working hours", Some(WorkingSpan::Hours(4))),
        ("0 working days", None),
        ("101 working days", None),
        ("2 days", None),
        ("-1 working day", None),
        ("working day", None),
    ] {
        assert_eq!(read_working_span(text), span, "{text}");
        if let Some(span) = span {
            assert_eq!(span.to_string(), text);
        }
    }
}

#[test]
fn a_working_day_skips_the_weekend_and_holidays() {
    let day = WorkingSpan::Days(1);
    // Friday at two in the afternoon to Monday at two.
    assert_eq!(
        add_working(at("2026-11-27T13:00:00Z"), day, &sweden()),
        at("2026-11-30T13:00:00Z")
    );
    // The day before Christmas Eve to the Monday after.
    assert_eq!(
        add_working(at("2026-12-23T13:00:00Z"), day, &sweden()),
        at("2026-12-28T13:00:00Z")
    );
    // On a Saturday the clock begins on Monday morning.
    assert_eq!(
        add_working(at("2026-11-28T13:00:00Z"), day, &sweden()),
        at("2026-12-01T08:00:00Z")
    );
}

#[test]
fn working_hours_go_over_the_night() {
    let hours = WorkingSpan::Hours(4);
    assert_eq!(
        add_working(at("2026-11-26T14:00:00Z"), hours, &sweden()),
        at("2026-11-27T10:00:00Z")
    );
    // What is full at the end of a day is over when the next begins.
    assert_eq!(
        add_working(at("2026-11-26T12:00:00Z"), hours, &sweden()),
        at("2026-11-27T08:00:00Z")
    );
}

#[test]
fn nine_in_the_morning_stays_nine_when_the_clocks_are_set() {
    let day = WorkingSpan::Days(1);
    // From the Friday before the last Sunday of October: 9:00 is 7:00 in UTC before, and 8:00 after.
    assert_eq!(
        add_working(at("2026-10-23T07:00:00Z"), day, &sweden()),
        at("2026-10-26T08:00:00Z")
    );
    assert_eq!(
        add_working(at("2026-03-27T08:00:00Z"), day, &sweden()),
        at("2026-03-30T07:00:00Z")
    );
}

#[test]
fn the_leap_day_is_a_day() {
    // 28 February 2028 is a Monday.
    assert_eq!(
        add_working(
            at("2028-02-28T09:00:00Z"),
            WorkingSpan::Days(1),
            &Calendar::default()
        ),
        at("2028-02-29T09:00:00Z")
    );
}

#[test]
fn where_nobody_ever_works_time_passes_all_the_same() {
    let never = Calendar {
        weekend: Weekday::ALL.iter().copied().collect(),
        ..Calendar::default()
    };
    let nowhere = Calendar {
        zone: "Middle/Earth".into(),
        ..Calendar::default()
    };
    assert!(!known_zone(&nowhere.zone) && known_zone("Europe/Stockholm"));
    for calendar in [never, nowhere] {
        assert_eq!(
            add_working(at("2026-11-27T13:00:00Z"), WorkingSpan::Days(2), &calendar),
            at("2026-11-29T13:00:00Z")
        );
    }
}

fn calendars() -> impl Strategy<Value = Calendar> {
    let zones = [
        "Europe/Stockholm",
        "America/New_York",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "UTC",
    ];
    (
        0..zones.len(),
        proptest::collection::btree_set(0_usize..7, 0..6),
        0_u16..1400,
        1_u16..600,
        proptest::collection::btree_set(0_u64..700, 0..20),
    )
        .prop_map(move |(zone, weekend, begins, length, holidays)| Calendar {
            zone: zones[zone].into(),
            weekend: weekend.into_iter().map(|day| Weekday::ALL[day]).collect(),
            begins_minute: begins,
            ends_minute: (begins + length.max(2)).min(1439),
            holidays: holidays
                .into_iter()
                .filter_map(|days| {
                    NaiveDate::from_ymd_opt(2026, 1, 1)?.checked_add_days(chrono::Days::new(days))
                })
                .collect(),
        })
}

fn spans() -> impl Strategy<Value = WorkingSpan> {
    (1_u16..30, any::<bool>()).prop_map(|(count, days)| {
        if days {
            WorkingSpan::Days(count)
        } else {
            WorkingSpan::Hours(count)
        }
    })
}

/// Whether anybody works at this instant, worked out from the local clock alone.
fn works(calendar: &Calendar, at: Timestamp) -> bool {
    use chrono::{Datelike as _, Timelike as _};
    let zone: chrono_tz::Tz = calendar.zone.parse().expect("a zone");
    let local: DateTime<chrono_tz::Tz> = at.with_timezone(&zone);
    let weekday = Weekday::ALL[local.weekday().num_days_from_monday() as usize];
    let minute = u16::try_from(local.hour() * 60 + local.minute()).expect("within a day");
    !calendar.weekend.contains(&weekday)
        && !calendar.holidays.contains(&local.date_naive())
        && (calendar.begins_minute..calendar.ends_minute).contains(&minute)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Later is never earlier, the result lies after the beginning and in working time, and more is not sooner.
    #[test]
    fn working_time_is_monotone_and_never_outside(
        calendar in calendars(), span in spans(),
        start in 1_767_225_600_i64..1_860_000_000, later in 0_i64..400_000,
    ) {
        let from = DateTime::from_timestamp(start, 0).expect("a moment");
        let first = add_working(from, span, &calendar);
        let second = add_working(from + Duration::seconds(later), span, &calendar);
        prop_assert!(first > from);
        prop_assert!(second >= first);
        // Where clocks are set within the working hours of a night the wall clock says otherwise for an hour.
        let zone: chrono_tz::Tz = calendar.zone.parse().expect("a zone");
        let offset = |at: Timestamp| {
            use chrono::Offset as _;
            at.with_timezone(&zone).offset().fix()
        };
        let calm = offset(first - Duration::hours(26)) == offset(first + Duration::hours(26));
        if calm && calendar.begins_minute + 2 < calendar.ends_minute {
            prop_assert!(works(&calendar, first), "{first} is not in {calendar:?}");
        }
        let more = match span {
            WorkingSpan::Hours(count) => WorkingSpan::Hours(count + 1),
            WorkingSpan::Days(count) => WorkingSpan::Days(count + 1),
        };
        prop_assert!(add_working(from, more, &calendar) >= first);
    }
}

#[test]
fn zones_on_both_halves_of_the_earth_keep_their_morning() {
    // The Friday before the clocks are set, at ten there, and the Monday after, at ten there.
    for (zone, from, to) in [
        (
            "America/New_York",
            "2026-03-06T15:00:00Z",
            "2026-03-09T14:00:00Z",
        ),
        (
            "America/New_York",
            "2026-10-30T14:00:00Z",
            "2026-11-02T15:00:00Z",
        ),
        (
            "Europe/Dublin",
            "2026-03-27T10:00:00Z",
            "2026-03-30T09:00:00Z",
        ),
        (
            "Europe/Warsaw",
            "2026-10-23T08:00:00Z",
            "2026-10-26T09:00:00Z",
        ),
        // In the south the seasons, and with them the clocks, go the other way; on Lord Howe by half an hour.
        (
            "Australia/Sydney",
            "2026-04-02T23:00:00Z",
            "2026-04-06T00:00:00Z",
        ),
        (
            "Australia/Lord_Howe",
            "2026-10-01T23:30:00Z",
            "2026-10-04T23:00:00Z",
        ),
        (
            "Asia/Kolkata",
            "2026-03-27T04:30:00Z",
            "2026-03-30T04:30:00Z",
        ),
    ] {
        let calendar = Calendar {
            zone: zone.into(),
            ..Calendar::default()
        };
        assert_eq!(
            add_working(at(from), WorkingSpan::Days(1), &calendar),
            at(to),
            "{zone}"
        );
    }
}

#[test]
fn over_the_turn_of_the_year_holidays_of_both_years_count() {
    let holidays = [
        "2026-12-24",
        "2026-12-25",
        "2026-12-31",
        "2027-01-01",
        "2027-01-06",
    ];
    let calendar = Calendar {
        holidays: holidays
            .iter()
            .map(|day| day.parse().expect("a day"))
            .collect(),
        ..sweden()
    };
    // From Wednesday the 30th: Thursday and Friday are holidays, Monday, Tuesday, then Thursday.
    assert_eq!(
        add_working(at("2026-12-30T10:00:00Z"), WorkingSpan::Days(3), &calendar),
        at("2027-01-07T10:00:00Z")
    );
}

#[test]
fn a_year_without_a_leap_day_goes_from_february_to_march() {
    let day = WorkingSpan::Days(1);
    for (from, to) in [
        ("2027-02-26T09:00:00Z", "2027-03-01T09:00:00Z"),
        ("2028-02-29T09:00:00Z", "2028-03-01T09:00:00Z"),
        ("2100-02-26T09:00:00Z", "2100-03-01T09:00:00Z"),
    ] {
        assert_eq!(add_working(at(from), day, &Calendar::default()), at(to));
    }
}
