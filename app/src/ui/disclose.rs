//! What is shown on demand, without JavaScript: details, questions before a step that takes something away.

use leptos::prelude::*;

use super::{Look, Words};

/// More to read, folded away.
#[component]
pub fn More(
    /// What unfolds it.
    #[prop(into)]
    summary: String,
    /// Unfolded from the start.
    #[prop(optional)]
    open: bool,
    children: Children,
) -> impl IntoView {
    view! { <details class="more" open=open><summary>{summary}</summary><div class="inner stack">{children()}</div></details> }
}

/// A button that unfolds a small form in place: a question before a step, a reason to give. It works as it is; nothing floats, so it
/// cannot hide what the question is about.
#[component]
pub fn Ask(
    /// What the button says.
    #[prop(into)]
    summary: String,
    /// How the button looks.
    #[prop(optional)]
    look: Look,
    /// Smaller, for rows.
    #[prop(optional)]
    small: bool,
    /// Unfolded from the start: after a fault in its form.
    #[prop(optional)]
    open: bool,
    /// The key that presses it on this page, such as `d`.
    #[prop(optional, into)]
    key: Words,
    children: Children,
) -> impl IntoView {
    let class = match (look, small) {
        (Look::Danger | Look::DangerSure, true) => "btn danger s",
        (Look::Danger | Look::DangerSure, false) => "btn danger",
        (Look::Primary, true) => "btn primary s",
        (Look::Primary, false) => "btn primary",
        (Look::Quiet, true) => "btn quiet s",
        (Look::Quiet, false) => "btn quiet",
        (Look::Plain, true) => "btn s",
        (Look::Plain, false) => "btn",
    };
    let hint = key
        .0
        .clone()
        .map(|key| view! { <kbd class="only-alive" aria-hidden="true">{key.to_uppercase()}</kbd> });
    view! { <details class="ask" open=open><summary class=class data-key=key.0>{summary}{hint}</summary><div class="inner">{children()}</div></details> }
}
