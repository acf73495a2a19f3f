//! The signature of the product: how much of a life has passed, and what is left.

use chrono::{DateTime, Duration, Utc};
use leptos::prelude::*;

use super::Words;
use crate::words;

/// A grant's life as a bar. Without an end it goes on; before its start it waits; after its end it is over.
#[component]
pub fn Life(
    /// When it began, or will begin.
    start: DateTime<Utc>,
    /// When it ends; none for permanent access.
    end: Option<DateTime<Utc>>,
    /// The time now.
    now: DateTime<Utc>,
) -> impl IntoView {
    let (class, left, bold, rest) = said(start, end, now);
    view! {
        <div class=class>
            <div class="track" aria-hidden="true"><span class=format!("left pct-{left}")></span></div>
            <div class="cap"><b>{bold}</b>{rest.map(|rest| view! { <span>{rest}</span> })}</div>
        </div>
    }
}

/// Class, percent, the words in bold, and the words beside them.
fn said(
    start: DateTime<Utc>,
    end: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> (&'static str, u8, String, Option<String>) {
    let Some(end) = end else {
        let rest = (start <= now).then(|| format!("for {} so far", words::about(now - start)));
        return ("life always", 0, "no end".into(), rest);
    };
    let whole = Some(format!("of {}", words::about(end - start)));
    if now < start {
        return (
            "life ahead",
            0,
            format!("starts {}", words::relative(start, now)),
            Some(format!("for {}", words::about(end - start))),
        );
    }
    if now >= end {
        return (
            "life over",
            0,
            format!("ended {}", words::relative(end, now)),
            whole,
        );
    }
    let left = words::percent_left(start, end, now);
    let class = if soon(start, end, now) {
        "life soon"
    } else {
        "life"
    };
    (
        class,
        left,
        format!("{} left", words::about(end - now)),
        whole,
    )
}

/// Whether an end is near: within a day, or the last tenth of a longer life (but never more than a week), or the last quarter of one that is shorter than two days.
pub fn soon(start: DateTime<Utc>, end: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    let (whole, left) = (end - start, end - now);
    if whole <= Duration::days(2) {
        return left * 4 <= whole;
    }
    left <= Duration::days(1).max((whole / 10).min(Duration::days(7)))
}

/// How much of a task is done.
#[component]
pub fn Progress(
    /// Done.
    done: u32,
    /// In all.
    of: u32,
    /// What to say beside it, such as `about 9 min left`.
    #[prop(optional, into)]
    rest: Words,
) -> impl IntoView {
    let percent = (u64::from(done.min(of)) * 100)
        .checked_div(u64::from(of))
        .unwrap_or(100);
    view! {
        <div class="life done">
            <div class="track" aria-hidden="true"><span class=format!("left pct-{percent}")></span></div>
            <div class="cap"><b>{format!("{} of {} done", words::number(done.into()), words::number(of.into()))}</b>{rest.0.map(|rest| view! { <span>{rest}</span> })}</div>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_says_what_is_left() {
        let now: DateTime<Utc> = "2026-11-21T10:00:00Z".parse().expect("a moment");
        let hours = Duration::hours;
        assert_eq!(
            said(now - hours(2), Some(now + hours(6)), now),
            ("life", 75, "6 h left".into(), Some("of 8 h".into()))
        );
        assert_eq!(
            said(now - hours(7), Some(now + hours(1)), now).0,
            "life soon"
        );
        assert_eq!(
            said(now - hours(24 * 360), Some(now + hours(24 * 5)), now).0,
            "life soon"
        );
        assert_eq!(
            said(now - hours(24 * 5), Some(now + hours(24 * 360)), now).0,
            "life"
        );
        assert_eq!(
            said(now + hours(1), Some(now + hours(9)), now).2,
            "starts in 1 h"
        );
        assert_eq!(
            said(now - hours(9), Some(now - hours(1)), now).2,
            "ended 1 h ago"
        );
        assert_eq!(said(now - hours(9), None, now).2, "no end");
    }
}
