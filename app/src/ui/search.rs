//! Searching: one form that leads to a list, and refreshes the list while one types on its page.

use leptos::prelude::*;

use super::{Icon, Key, Sign, Words};
use crate::islands::SearchBox;

/// A search form. On the page at `action`, if that has a region `data-live="results"`, results refresh while one types; say how many
/// there are in the region's `data-said`. Contains an island unless it is `still`.
#[component]
pub fn SearchForm(
    /// The list's address.
    #[prop(into)]
    action: String,
    /// What is searched for.
    #[prop(into)]
    label: String,
    /// What was typed.
    #[prop(optional, into)]
    value: Words,
    /// Other fields to keep: filters.
    #[prop(optional)]
    keep: Vec<(&'static str, String)>,
    /// The one that `/` leads to.
    #[prop(optional)]
    main: bool,
    /// Without the island: for pages that must not need any.
    #[prop(optional)]
    still: bool,
) -> impl IntoView {
    let alive = (!still).then(|| view! { <SearchBox action=action.clone()/> });
    let named = label.clone();
    view! {
        <form class="search" role="search" aria-label=named action=action method="get">
            <Icon sign=Sign::Search/>
            <input type="search" name="q" value=value.0 placeholder=label.clone() aria-label=label autocomplete="off" maxlength="2000" dir="auto" data-search=main.then_some("")/>
            <super::Hidden fields=keep/>
            {main.then(|| view! { <Key key="/"/> })}
            {alive}
        </form>
    }
}
