//! The signature of the product: how much of a life has passed, and what is left.

use chrono::{DateTime, Utc};
use leptos::prelude::*;

use super::{Moment, Say, Words};
use crate::{spans, words};

/// How a life stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It has no end.
    Always,
    /// It has not begun.
    Ahead,
    /// It goes on, with this many percent left; near its end or not.
    Running(u8, bool),
    /// It is over.
    Over,
}

impl Stage {
    fn of(start: DateTime<Utc>, end: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Self {
        match end {
            None => Self::Always,
            Some(_) if now < start => Self::Ahead,
            Some(end) if now >= end => Self::Over,
            Some(end) => Self::Running(words::percent_left(start, end, now), soon(start, end, now)),
        }
    }
}

/// A grant's life as a bar. Without an end it goes on; before its start it waits; after its end it is over. Where the page's script
/// runs, `LocalTime` keeps bar and words true.
#[component]
pub fn Life(
    /// When it began, or will begin.
    start: DateTime<Utc>,
    /// When it ends; none for permanent access.
    end: Option<DateTime<Utc>>,
    /// The time now.
    now: DateTime<Utc>,
) -> impl IntoView {
    let stage = Stage::of(start, end, now);
    let (class, left) = match stage {
        Stage::Always => ("life always", 0),
        Stage::Ahead => ("life ahead", 0),
        Stage::Running(left, false) => ("life", left),
        Stage::Running(left, true) => ("life soon", left),
        Stage::Over => ("life over", 0),
    };
    let bold = match (stage, end) {
        (Stage::Ahead, _) => view! { "starts "<Moment at=start now=now/> }.into_any(),
        (Stage::Running(..), Some(end)) => {
            view! { <Moment at=end now=now say=Say::Left/> }.into_any()
        }
        (Stage::Over, Some(end)) => view! { "ended "<Moment at=end now=now/> }.into_any(),
        _ => "no end".into_any(),
    };
    let whole = end.map(|end| words::about(end - start));
    let rest = match (stage, whole) {
        (Stage::Ahead, Some(whole)) => Some(format!("for {whole}").into_any()),
        (_, Some(whole)) => Some(format!("of {whole}").into_any()),
        (_, None) => (start <= now)
            .then(|| view! { "for "<Moment at=start now=now say=Say::For/>" so far" }.into_any()),
    };
    let running = matches!(stage, Stage::Running(..))
        .then(|| Some(format!("{} {}", start.timestamp(), end?.timestamp())))
        .flatten();
    view! {
        <div class=class data-life=running>
            <div class="track" aria-hidden="true"><span class=format!("left pct-{left}")></span></div>
            <div class="cap"><b>{bold}</b>{rest.map(|rest| view! { <span>{rest}</span> })}</div>
        </div>
    }
}

/// Whether an end is near: within a day, or the last tenth of a longer life (but never more than a week), or the last quarter of one that is shorter than two days.
pub fn soon(start: DateTime<Utc>, end: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    spans::soon((end - start).num_seconds(), (end - now).num_seconds())
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
    use chrono::Duration;

    use super::*;
    use crate::render::{html, plain};

    #[test]
    fn a_life_says_what_is_left() {
        let now: DateTime<Utc> = "2026-11-21T10:00:00Z".parse().expect("a moment");
        let hours = Duration::hours;
        let stage = |from: i64, to: i64| Stage::of(now + hours(from), Some(now + hours(to)), now);
        assert_eq!(stage(-2, 6), Stage::Running(75, false));
        assert_eq!(stage(-7, 1), Stage::Running(13, true));
        assert_eq!(stage(-24 * 360, 24 * 5), Stage::Running(1, true));
        assert_eq!(stage(-24 * 5, 24 * 360), Stage::Running(99, false));
        assert_eq!(stage(1, 9), Stage::Ahead);
        assert_eq!(stage(-9, -1), Stage::Over);
        assert_eq!(Stage::of(now, None, now), Stage::Always);
    }

    #[test]
    fn a_life_is_said_in_words_beside_its_bar() {
        let now: DateTime<Utc> = "2026-11-21T10:00:00Z".parse().expect("a moment");
        let said = |from: i64, to: Option<i64>| {
            let (start, end) = (
                now + Duration::hours(from),
                to.map(|to| now + Duration::hours(to)),
            );
            plain(&html(move || view! { <Life start=start end=end now=now/> }))
        };
        assert_eq!(said(-2, Some(6)), "6 h left (21 Nov 2026, 16:00 UTC)of 8 h");
        assert!(said(1, Some(9)).starts_with("starts in 1 h"));
        assert!(said(1, Some(9)).ends_with("for 8 h"));
        assert!(said(-9, Some(-1)).starts_with("ended 1 h ago"));
        assert_eq!(
            said(-9, None),
            "no endfor 9 h (21 Nov 2026, 01:00 UTC) so far"
        );
        let end = Some(now + Duration::hours(6));
        let out = html(move || view! { <Life start=now end=end now=now/> });
        assert!(out.contains("data-life=\"1795255200 1795276800\""), "{out}");
    }
}
