//! Words that may be missing: what components take for hints, errors, details.

use leptos::prelude::{AnyView, IntoAny};

/// Some text or none. Made from `&str`, `String`, or an `Option` of either; empty text counts as none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(pub Option<String>);

impl Words {
    /// Whether there is something to say.
    pub const fn is_some(&self) -> bool {
        self.0.is_some()
    }
}

impl From<&str> for Words {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<&String> for Words {
    fn from(text: &String) -> Self {
        text.clone().into()
    }
}

impl From<String> for Words {
    fn from(text: String) -> Self {
        Self(Some(text).filter(|text| !text.is_empty()))
    }
}

impl From<Option<String>> for Words {
    fn from(text: Option<String>) -> Self {
        text.map(Self::from).unwrap_or_default()
    }
}

impl From<Option<&str>> for Words {
    fn from(text: Option<&str>) -> Self {
        text.map(Self::from).unwrap_or_default()
    }
}

/// A line of text that may hold a moment or a link, or nothing. Made from all that [`Words`] are made from, or from a view.
#[derive(Debug, Default)]
pub struct Phrase(pub Option<AnyView>);

impl Phrase {
    /// Whether there is something to say.
    pub const fn is_some(&self) -> bool {
        self.0.is_some()
    }
}

impl From<Words> for Phrase {
    fn from(words: Words) -> Self {
        Self(words.0.map(IntoAny::into_any))
    }
}

impl From<AnyView> for Phrase {
    fn from(view: AnyView) -> Self {
        Self(Some(view))
    }
}

impl From<Option<AnyView>> for Phrase {
    fn from(view: Option<AnyView>) -> Self {
        Self(view)
    }
}

/// What makes words makes a phrase.
macro_rules! phrases {
    ($($text:ty),+) => {
        $(impl From<$text> for Phrase {
            fn from(text: $text) -> Self {
                Words::from(text).into()
            }
        })+
    };
}

phrases!(&str, &String, String, Option<String>, Option<&str>);
