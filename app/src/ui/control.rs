//! What people press: buttons, links that look like buttons, one-button forms, choices in a row, pages of a list.

use leptos::prelude::*;

use super::Words;

/// How a button looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Look {
    /// One of several things to do.
    #[default]
    Plain,
    /// The thing to do; one per page.
    Primary,
    /// Takes something away.
    Danger,
    /// Takes something away, and this press does it.
    DangerSure,
    /// Possible, not suggested.
    Quiet,
}

fn class(look: Look, small: bool) -> String {
    let look = match look {
        Look::Plain => "btn",
        Look::Primary => "btn primary",
        Look::Danger => "btn danger",
        Look::DangerSure => "btn danger sure",
        Look::Quiet => "btn quiet",
    };
    format!("{look}{}", if small { " s" } else { "" })
}

/// A button that submits the form around it; `name` and `value` say which one was pressed.
#[component]
pub fn Button(
    /// How it looks.
    #[prop(optional)]
    look: Look,
    /// Smaller, for rows.
    #[prop(optional)]
    small: bool,
    /// Name of the form's field that this press sets.
    #[prop(optional, into)]
    name: Words,
    /// The field's value.
    #[prop(optional, into)]
    value: Words,
    /// The key that presses it on this page (see `islands::Keys`), such as `a`.
    #[prop(optional, into)]
    key: Words,
    /// What screen readers say, where the words alone are ambiguous in a list.
    #[prop(optional, into)]
    label: Words,
    children: Children,
) -> impl IntoView {
    let hint = key
        .0
        .clone()
        .map(|key| view! { <kbd class="only-alive" aria-hidden="true">{key.to_uppercase()}</kbd> });
    view! {
        <button type="submit" class=class(look, small) name=name.0 value=value.0 data-key=key.0 aria-label=label.0>{children()}{hint}</button>
    }
}

/// A link that looks like a button.
#[component]
pub fn LinkButton(
    /// Where it leads.
    #[prop(into)]
    href: String,
    /// How it looks.
    #[prop(optional)]
    look: Look,
    /// Smaller, for rows.
    #[prop(optional)]
    small: bool,
    /// What screen readers say, where the words alone are ambiguous in a list.
    #[prop(optional, into)]
    label: Words,
    children: Children,
) -> impl IntoView {
    view! { <a class=class(look, small) href=href aria-label=label.0>{children()}</a> }
}

/// A form that is one button: posts `fields` to `action`.
#[component]
pub fn PostButton(
    /// Where it posts to.
    #[prop(into)]
    action: String,
    /// Hidden fields.
    #[prop(optional)]
    fields: Vec<(&'static str, String)>,
    /// How it looks.
    #[prop(optional)]
    look: Look,
    /// Smaller, for rows.
    #[prop(optional)]
    small: bool,
    /// What screen readers say, where the words alone are ambiguous in a list.
    #[prop(optional, into)]
    label: Words,
    children: Children,
) -> impl IntoView {
    view! {
        <form method="post" action=action><Hidden fields=fields/><Button look=look small=small label=label>{children()}</Button></form>
    }
}

/// Hidden fields of a form.
#[component]
pub fn Hidden(
    /// Names and values.
    fields: Vec<(&'static str, String)>,
) -> impl IntoView {
    fields
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value/> })
        .collect_view()
}

/// One of several views of the same page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// What it says.
    pub words: String,
    /// Where it leads.
    pub href: String,
    /// Whether it is the one shown.
    pub current: bool,
}

/// Views of the same page beside each other.
#[component]
pub fn Segments(
    /// What they choose, for screen readers.
    #[prop(into)]
    label: String,
    /// The views.
    items: Vec<Segment>,
) -> impl IntoView {
    let items = items
        .into_iter()
        .map(|item| view! { <a href=item.href aria-current=item.current.then_some("true")>{item.words}</a> })
        .collect_view();
    view! { <nav class="seg" aria-label=label>{items}</nav> }
}

/// The ways on in a list that comes in pages. Nothing where all is shown.
#[component]
pub fn Pager(
    /// Address of what comes before.
    #[prop(optional, into)]
    previous: Words,
    /// Address of what comes after.
    #[prop(optional, into)]
    next: Words,
    /// The words of the way back.
    #[prop(default = "Newer".into(), into)]
    back: String,
    /// The words of the way on.
    #[prop(default = "Older".into(), into)]
    on: String,
) -> impl IntoView {
    (previous.is_some() || next.is_some()).then(|| {
        view! {
            <nav class="pager" aria-label="Pages of this list">
                <span>{previous.0.map(|href| view! { <a class="btn s" rel="prev" href=href>{back}</a> })}</span>
                <span>{next.0.map(|href| view! { <a class="btn s" rel="next" href=href>{on}</a> })}</span>
            </nav>
        }
    })
}
