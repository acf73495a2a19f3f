//! Lengths, windows and ends with the moments in them: said in the reader's zone and kept fresh where the page's script runs. The
//! same as plain text, for paper and for labels, is in [`super::super::said`].

use domain::{
    Timestamp,
    grant::End,
    request::{Length, Start, Window},
};
use leptos::prelude::*;

use super::super::said;
use crate::ui::*;

/// A moment: `today at 17:00`, `2 December`.
pub fn moment(at: Timestamp, now: Timestamp) -> AnyView {
    view! { <Moment at=at now=now say=Say::Moment/> }.into_any()
}

/// How long ago, or how far ahead: `12 min ago`, `in 3 days`.
pub fn relative(at: Timestamp, now: Timestamp) -> AnyView {
    view! { <Moment at=at now=now/> }.into_any()
}

/// A length as asked: `8 hours`, `until 2 December`, `no end`.
pub fn length(window: Window, now: Timestamp) -> AnyView {
    match window.length {
        Length::Until(at) => view! { "until "{moment(at, now)} }.into_any(),
        Length::Seconds(_) | Length::Permanent => said::length(window, now).into_any(),
    }
}

/// A length with its preposition: `for 8 hours`, `until 2 December`, `without an end`.
pub fn for_length(window: Window, now: Timestamp) -> AnyView {
    match window.length {
        Length::Until(at) => view! { "until "{moment(at, now)} }.into_any(),
        Length::Seconds(_) | Length::Permanent => said::for_length(window, now).into_any(),
    }
}

/// A window whole: `for 8 hours, from 2 December`.
pub fn window(window: Window, now: Timestamp) -> AnyView {
    let length = for_length(window, now);
    match window.start {
        Start::OnActivation => length,
        Start::At(at) => view! { {length}", from "{moment(at, now)} }.into_any(),
    }
}

/// An end: `until 2 December`, `no end`.
pub fn end(end: End, now: Timestamp) -> AnyView {
    match end {
        End::At(at) => view! { "until "{moment(at, now)} }.into_any(),
        End::Permanent => "no end".into_any(),
    }
}
