//! The head of a page: where it is, what it is, what can be done with all of it.

use leptos::prelude::*;

use super::{Phrase, Words};

/// One step of the way to a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crumb {
    /// What it says.
    pub words: String,
    /// Where it leads; the last one leads nowhere.
    pub href: Option<String>,
}

/// A step that leads somewhere.
pub fn crumb(words: impl Into<String>, href: impl Into<String>) -> Crumb {
    Crumb {
        words: words.into(),
        href: Some(href.into()),
    }
}

/// The last step: where one is.
pub fn here(words: impl Into<String>) -> Crumb {
    Crumb {
        words: words.into(),
        href: None,
    }
}

/// The head of a page: crumbs, mark, the one `h1`, a sentence under it, and actions at the end.
#[component]
pub fn PageHead(
    /// The page's heading.
    #[prop(into)]
    title: String,
    /// A sentence that says what the page is for, or the facts that matter most.
    #[prop(optional, into)]
    lead: Phrase,
    /// For a sentence that changes while one looks: changes with it, and makes it the region `lead` (see [`super::Region`]).
    #[prop(optional, into)]
    version: Words,
    /// The way here.
    #[prop(optional)]
    crumbs: Vec<Crumb>,
    /// Avatar or tile.
    #[prop(optional)]
    mark: Option<AnyView>,
    /// Badge or buttons at the end.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let crumbs = (!crumbs.is_empty()).then(|| {
        let steps = crumbs
            .into_iter()
            .map(|crumb| match crumb.href {
                Some(href) => {
                    view! { <li><a href=href dir="auto">{crumb.words}</a></li> }.into_any()
                }
                None => {
                    view! { <li aria-current="page"><span dir="auto">{crumb.words}</span></li> }
                        .into_any()
                }
            })
            .collect_view();
        view! { <nav class="crumbs" aria-label="Where you are"><ol>{steps}</ol></nav> }
    });
    let live = version.is_some().then_some("lead");
    view! {
        <div class="pagehead">{crumbs}<div class="head">
            {mark}
            <div class="grow"><h1><bdi>{title}</bdi></h1>{lead.0.map(|lead| view! { <p class="dim" data-live=live data-version=version.0><bdi>{lead}</bdi></p> })}</div>
            {children.map(|children| view! { <div class="actions">{children()}</div> })}
        </div></div>
    }
}
