//! The states of a thing, the same words and shapes everywhere.

use leptos::prelude::*;

use super::Phrase;

/// Where a request, a grant or a piece of provisioning stands, as people see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Somebody must decide or answer.
    Waiting,
    /// Decided for.
    Approved,
    /// The target is being changed.
    SettingUp,
    /// Works at the target, read back.
    Ready,
    /// Works, and ends before long.
    EndsSoon,
    /// Over, given back, withdrawn, or lapsed.
    Ended,
    /// Somebody must look: it does not go on by itself.
    Attention,
    /// Decided against.
    Refused,
    /// Nothing to do with time or decisions: a plain remark.
    Plain,
}

impl State {
    /// All of them, for the gallery.
    pub const ALL: &'static [Self] = &[
        Self::Waiting,
        Self::Approved,
        Self::SettingUp,
        Self::Ready,
        Self::EndsSoon,
        Self::Ended,
        Self::Attention,
        Self::Refused,
        Self::Plain,
    ];

    /// The word that a badge shows unless the page has a better one.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::SettingUp => "being set up",
            Self::Ready => "ready",
            Self::EndsSoon => "ends soon",
            Self::Ended => "ended",
            Self::Attention => "needs attention",
            Self::Refused => "denied",
            Self::Plain => "",
        }
    }

    const fn class(self) -> &'static str {
        match self {
            Self::Waiting => "badge waiting",
            Self::Approved => "badge approved",
            Self::SettingUp => "badge setting-up",
            Self::Ready => "badge ready",
            Self::EndsSoon => "badge ends-soon",
            Self::Ended | Self::Plain => "badge",
            Self::Attention => "badge attention",
            Self::Refused => "badge refused",
        }
    }
}

/// A state as shape and word.
#[component]
pub fn Badge(
    /// The state: gives shape and colour.
    state: State,
    /// What to say instead of the state's own word, such as `waiting 12 min`.
    #[prop(optional, into)]
    words: Phrase,
) -> impl IntoView {
    let words = words.0.unwrap_or_else(|| state.word().into_any());
    view! { <span class=state.class()><span>{words}</span></span> }
}

/// How a remark is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// By the way.
    #[default]
    Plain,
    /// Done, or all is well.
    Good,
    /// Look twice.
    Wait,
    /// Under way.
    Work,
    /// Went wrong, or is dangerous.
    Bad,
}

impl Tone {
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Good => "good",
            Self::Wait => "wait",
            Self::Work => "work",
            Self::Bad => "bad",
        }
    }

    pub(crate) const fn sign(self) -> super::Sign {
        match self {
            Self::Plain => super::Sign::Info,
            Self::Good => super::Sign::Check,
            Self::Wait | Self::Bad => super::Sign::Warning,
            Self::Work => super::Sign::Refresh,
        }
    }
}
