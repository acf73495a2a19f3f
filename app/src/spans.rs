//! Spans in seconds as people say them: shared by pages on the server and the islands in the browser, so without a calendar library.

/// Seconds of a minute.
pub const MINUTE: i64 = 60;
/// Seconds of an hour.
pub const HOUR: i64 = 60 * MINUTE;
/// Seconds of a day.
pub const DAY: i64 = 24 * HOUR;

/// The months.
pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// The days of the week, from Sunday.
pub const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// A number with commas between thousands: `12,480`.
pub fn number(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if n < 0 {
        out.push('\u{2212}');
    }
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number and its thing: `1 package`, `40 packages`.
pub fn count(n: i64, one: &str, many: &str) -> String {
    format!("{} {}", number(n), if n == 1 { one } else { many })
}

/// A span as policies say it, exactly: `8 hours`, `30 days`, `3 months`, `1 year`.
pub fn span(seconds: i64) -> String {
    let days = seconds / DAY;
    if seconds < MINUTE {
        return count(seconds, "second", "seconds");
    }
    if seconds % DAY == 0 && seconds > 2 * DAY {
        if days % 365 == 0 {
            return count(days / 365, "year", "years");
        }
        if days >= 60 {
            // What people call months: a twelfth of a year, a day or two either way.
            let months = (days * 12 + 182) / 365;
            let exact = days % 30 == 0 || ((months * 365) / 12 - days).abs() <= 2;
            if exact && months < 24 {
                return count(months, "month", "months");
            }
        }
        return count(days, "day", "days");
    }
    if seconds % HOUR == 0 && seconds <= 2 * DAY {
        return count(seconds / HOUR, "hour", "hours");
    }
    if seconds < 2 * HOUR {
        return count(seconds / MINUTE, "minute", "minutes");
    }
    if seconds < 2 * DAY {
        return format!("{} h {} min", seconds / HOUR, seconds % HOUR / MINUTE);
    }
    match seconds % DAY / HOUR {
        0 => count(days, "day", "days"),
        hours => format!("{} {hours} h", count(days, "day", "days")),
    }
}

/// About how long, short enough for a badge: `12 min`, `6 h 12 min`, `11 days`, `3 months`.
pub fn about(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let days = (seconds + DAY / 2) / DAY;
    if seconds < MINUTE {
        "less than a minute".into()
    } else if seconds < HOUR {
        format!("{} min", seconds / MINUTE)
    } else if seconds < 10 * HOUR {
        match seconds % HOUR / MINUTE {
            0 => format!("{} h", seconds / HOUR),
            minutes => format!("{} h {minutes} min", seconds / HOUR),
        }
    } else if seconds < 2 * DAY {
        format!("{} h", seconds / HOUR)
    } else if days < 60 {
        count(days, "day", "days")
    } else if days < 365 * 2 {
        count((days * 12 + 182) / 365, "month", "months")
    } else {
        count((days + 182) / 365, "year", "years")
    }
}

/// How long ago, or how far ahead where negative: `just now`, `12 min ago`, `in 3 days`.
pub fn relative(passed: i64) -> String {
    if passed.abs() < MINUTE {
        "just now".into()
    } else if passed > 0 {
        format!("{} ago", about(passed))
    } else {
        format!("in {}", about(-passed))
    }
}

/// Percent of a life of `whole` seconds that is left, between 0 and 100.
pub fn percent_left(whole: i64, left: i64) -> u8 {
    let whole = whole.max(1);
    let left = left.clamp(0, whole);
    // Between 0 and 100 by the clamp.
    u8::try_from((left * 100 + whole / 2) / whole).unwrap_or(100)
}

/// Whether an end is near: within a day, or the last tenth of a longer life (but never more than a week), or the last quarter of
/// one that is shorter than two days.
pub fn soon(whole: i64, left: i64) -> bool {
    if whole <= 2 * DAY {
        return left * 4 <= whole;
    }
    left <= DAY.max((whole / 10).min(7 * DAY))
}
