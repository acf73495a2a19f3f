//! What things lie on: cards, rows, facts, notes, quotes, what changes, empty states.

use leptos::prelude::*;

use super::{Icon, Phrase, Sign, Tone, Words};

/// A titled surface. Inside: [`Rows`], [`Body`], or a [`super::Table`].
///
/// With `live` it is a region that refreshes by itself; see [`Region`].
#[component]
pub fn Card(
    /// The heading; none for a surface that the page's head names.
    #[prop(optional, into)]
    title: Words,
    /// What stands at the end of the heading: a link, a count.
    #[prop(optional)]
    aside: Option<AnyView>,
    /// The region's name, once per page.
    #[prop(optional, into)]
    live: Words,
    /// Changes when what is shown changes.
    #[prop(optional, into)]
    version: Words,
    /// What is said to screen readers when it comes in anew and differs: `Figma, editor: ready`.
    #[prop(optional, into)]
    said: Words,
    children: Children,
) -> impl IntoView {
    let head = title
        .0
        .clone()
        .map(|title| view! { <header><h2>{title}</h2>{aside}</header> });
    view! { <section class="card" aria-label=title.0 data-live=live.0 data-version=version.0 data-said=said.0>{head}{children()}</section> }
}

/// A region that refreshes by itself (see `islands::LiveRegion`) around whatever stands there. It takes no room of its own, so it is
/// also there while nothing is in it: what is not on the page cannot come. Put no island inside.
#[component]
pub fn Region(
    /// Its name, once per page.
    #[prop(into)]
    name: String,
    /// Changes when what is shown changes.
    #[prop(into)]
    version: String,
    /// What is said to screen readers when it comes in anew and differs.
    #[prop(optional, into)]
    said: Words,
    children: Children,
) -> impl IntoView {
    view! { <div class="region" data-live=name data-version=version data-said=said.0>{children()}</div> }
}

/// The padded inside of a card; its parts stand under each other.
#[component]
pub fn Body(children: Children) -> impl IntoView {
    view! { <div class="body stack stack-4">{children()}</div> }
}

/// A list of rows inside a card: each a [`Row`], or something else with `role="listitem"`.
#[component]
pub fn Rows(children: Children) -> impl IntoView {
    view! { <div class="rows" role="list">{children()}</div> }
}

/// One thing of a list: mark, title with a detail, and an end with badge or buttons. With `href` all of it leads there.
#[component]
pub fn Row(
    /// What it is.
    #[prop(into)]
    title: String,
    /// One more sentence.
    #[prop(optional, into)]
    detail: Phrase,
    /// Where it leads.
    #[prop(optional, into)]
    href: Words,
    /// Avatar, tile or icon at the start.
    #[prop(optional)]
    mark: Option<AnyView>,
    /// Badge, buttons, time at the end.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let class = if mark.is_some() { "row" } else { "row bare" };
    let title = match href.0 {
        Some(href) => view! { <a class="cover" href=href dir="auto">{title}</a> }.into_any(),
        None => view! { <span dir="auto">{title}</span> }.into_any(),
    };
    view! {
        <div class=class role="listitem">
            {mark}
            <div class="text"><h3>{title}</h3>{detail.0.map(|detail| view! { <p class="small dim"><bdi>{detail}</bdi></p> })}</div>
            {children.map(|children| view! { <div class="end">{children()}</div> })}
        </div>
    }
}

/// One name and its value in [`Facts`].
#[derive(Debug)]
pub struct Fact {
    name: String,
    value: AnyView,
}

/// A fact whose value is text.
pub fn fact(name: impl Into<String>, value: impl Into<String>) -> Fact {
    let value: String = value.into();
    Fact {
        name: name.into(),
        value: view! { <span dir="auto">{value}</span> }.into_any(),
    }
}

/// A fact whose value is a view: a link, a time, a badge.
pub fn fact_view(name: impl Into<String>, value: impl IntoView + 'static) -> Fact {
    Fact {
        name: name.into(),
        value: value.into_any(),
    }
}

/// Names and values under each other.
#[component]
pub fn Facts(
    /// What to say, in order.
    items: Vec<Fact>,
    /// Values stand at the start instead of the end: for long ones.
    #[prop(optional)]
    left: bool,
) -> impl IntoView {
    let items = items
        .into_iter()
        .map(|Fact { name, value }| view! { <dt>{name}</dt><dd>{value}</dd> })
        .collect_view();
    view! { <dl class=if left { "facts left" } else { "facts" }>{items}</dl> }
}

/// A remark that must not be missed, with an icon that says how it is meant.
#[component]
pub fn Note(
    /// How it is meant.
    #[prop(optional)]
    tone: Tone,
    /// The short form, in bold.
    #[prop(optional, into)]
    title: Phrase,
    /// The page arrives at it, and screen readers say it: for what became of a form.
    #[prop(optional)]
    alert: bool,
    children: Children,
) -> impl IntoView {
    view! {
        <div class=format!("note {}", tone.class()) role=alert.then_some("alert") tabindex=alert.then_some("-1") autofocus=alert>
            <Icon sign=tone.sign()/>
            <div class="words">{title.0.map(|title| view! { <b>{title}</b> })}<div>{children()}</div></div>
        </div>
    }
}

/// What a person wrote, as they wrote it.
#[component]
pub fn Quote(
    /// Their words.
    #[prop(into)]
    words: String,
) -> impl IntoView {
    view! { <blockquote class="quote" dir="auto">{words}</blockquote> }
}

/// One line of [`Delta`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Comes.
    Plus(String),
    /// Goes.
    Minus(String),
    /// Stays, or a remark.
    Same(String),
}

/// One line of a difference whose words hold more than text.
#[derive(Debug)]
pub struct DeltaLine {
    class: &'static str,
    said: &'static str,
    words: Phrase,
}

impl DeltaLine {
    /// What comes.
    pub fn plus(words: impl Into<Phrase>) -> Self {
        Self {
            class: "plus",
            said: "Adds: ",
            words: words.into(),
        }
    }

    /// What goes.
    pub fn minus(words: impl Into<Phrase>) -> Self {
        Self {
            class: "minus",
            said: "Removes: ",
            words: words.into(),
        }
    }

    /// What stays, or a remark.
    pub fn same(words: impl Into<Phrase>) -> Self {
        Self {
            class: "dim",
            said: "",
            words: words.into(),
        }
    }
}

impl From<Change> for DeltaLine {
    fn from(change: Change) -> Self {
        match change {
            Change::Plus(words) => Self::plus(words),
            Change::Minus(words) => Self::minus(words),
            Change::Same(words) => Self::same(words),
        }
    }
}

/// What changes, line by line; plus and minus are said to screen readers.
#[component]
pub fn Delta(
    /// The lines.
    changes: Vec<Change>,
) -> impl IntoView {
    let lines = changes.into_iter().map(DeltaLine::from).collect();
    view! { <DeltaLines lines=lines/> }
}

/// A [`Delta`] whose lines may hold moments.
#[component]
pub fn DeltaLines(
    /// The lines.
    lines: Vec<DeltaLine>,
) -> impl IntoView {
    let lines = lines
        .into_iter()
        .map(|DeltaLine { class, said, words }| {
            view! { <li class=class><span class="sr">{said}</span><span dir="auto">{words.0}</span></li> }
        })
        .collect_view();
    view! { <ul class="delta">{lines}</ul> }
}

/// Nothing here yet: says why, and what to do.
#[component]
pub fn Empty(
    /// A picture of what would be here.
    #[prop(default = Sign::Info)]
    sign: Sign,
    /// What is not here.
    #[prop(into)]
    title: String,
    /// Why, and what would bring it here.
    #[prop(optional, into)]
    text: Words,
    /// Buttons.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="empty">
            <Icon sign=sign/><h3>{title}</h3>{text.0.map(|text| view! { <p>{text}</p> })}
            {children.map(|children| view! { <div class="actions">{children()}</div> })}
        </div>
    }
}
