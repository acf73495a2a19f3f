//! Moments on a page: the words people use, the exact time for programs, on hover, and for those who listen.

use chrono::{DateTime, Utc};
use leptos::prelude::*;

use crate::words;

/// How a moment is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Say {
    /// `12 min ago`, `in 3 days`.
    #[default]
    Relative,
    /// `12 min`: how long it has been so, after words such as `waiting` or `for`.
    For,
    /// `6 h left`.
    Left,
    /// `today at 17:00`, `2 December`.
    Moment,
    /// `21 November 2026`.
    Date,
    /// `21 Nov 2026, 10:02`: for tables and evidence.
    Stamp,
    /// `17:00`: beside the steps of one day.
    Clock,
}

impl Say {
    const fn word(self) -> &'static str {
        match self {
            Self::Relative => "relative",
            Self::For => "for",
            Self::Left => "left",
            Self::Moment => "moment",
            Self::Date => "date",
            Self::Stamp => "stamp",
            Self::Clock => "clock",
        }
    }
}

/// A moment. Said in UTC; where the page's script runs, `LocalTime` says it again in the reader's zone and keeps relative words fresh.
#[component]
pub fn Moment(
    /// The moment.
    at: DateTime<Utc>,
    /// The time now.
    now: DateTime<Utc>,
    /// How to say it.
    #[prop(optional)]
    say: Say,
) -> impl IntoView {
    let said = match say {
        Say::Relative => words::relative(at, now),
        Say::For => words::about(now - at),
        Say::Left => format!("{} left", words::about(at - now)),
        Say::Moment => words::moment(at, now),
        Say::Date => words::date(at),
        Say::Stamp => words::stamp(at),
        Say::Clock => at.format("%H:%M UTC").to_string(),
    };
    // A hint under the pointer reaches neither keyboards nor screen readers, so what is said roughly is also there in full.
    let whole = (say != Say::Stamp)
        .then(|| view! { <span class="sr">{format!(" ({})", words::stamp(at))}</span> });
    view! { <time datetime=words::machine(at) title=words::exact(at) data-say=say.word()>{said}{whole}</time> }
}
