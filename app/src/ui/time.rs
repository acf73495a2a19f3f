//! Moments on a page: the words people use, the exact time for programs and on hover.

use chrono::{DateTime, Utc};
use leptos::prelude::*;

use crate::words;

/// How a moment is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Say {
    /// `12 min ago`, `in 3 days`.
    #[default]
    Relative,
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
        Say::Moment => words::moment(at, now),
        Say::Date => words::date(at),
        Say::Stamp => words::stamp(at),
        Say::Clock => at.format("%H:%M UTC").to_string(),
    };
    view! { <time datetime=words::machine(at) title=words::exact(at) data-say=say.word()>{said}</time> }
}
