//! Search as you type: a form that works as it is, and refreshes its results while one types.

use leptos::prelude::*;

/// Beside a `ui::SearchForm` on the page that shows its results: what is typed refreshes the region `results`, and the address with it.
/// So does what is chosen in the page's filters, the form with `data-filter`.
#[island]
pub fn SearchBox(
    /// The address that the form leads to; the behaviour is only for the page at that address.
    action: String,
) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    alive::start(action);
    #[cfg(not(feature = "hydrate"))]
    let _ = action;
    view! { <span class="sr" aria-live="polite" data-search-said></span> }
}

#[cfg(feature = "hydrate")]
mod alive {
    use std::{cell::Cell, rc::Rc};

    use wasm_bindgen::{JsCast, JsValue};
    use web_sys::{HtmlFormElement, HtmlInputElement, HtmlSelectElement, UrlSearchParams};

    use crate::islands::dom;

    /// One types on within this time.
    const PAUSE: i32 = 160;

    pub fn start(action: String) {
        let here = dom::window().location().pathname().unwrap_or_default();
        if here != action || dom::first("[data-live=\"results\"]").is_none() {
            return;
        }
        let Some(form) = dom::first(&format!("form[role=\"search\"][action=\"{action}\"]"))
            .and_then(|form| form.dyn_into::<HtmlFormElement>().ok())
        else {
            return;
        };
        let turn = Rc::new(Cell::new(0_u32));
        let refresh = {
            let form = form.clone();
            move || {
                turn.set(turn.get() + 1);
                let (mine, turn, form, action) =
                    (turn.get(), turn.clone(), form.clone(), action.clone());
                dom::later(PAUSE, move || {
                    if turn.get() == mine {
                        leptos::task::spawn_local(async move {
                            show(&form, &action, || turn.get() == mine).await;
                        });
                    }
                });
            }
        };
        if let Some(filter) = dom::first("form[data-filter]") {
            let refresh = refresh.clone();
            dom::on(&filter, "change", move |_| refresh());
        }
        dom::on(&form, "input", move |_| refresh());
    }

    async fn show(form: &HtmlFormElement, action: &str, still: impl Fn() -> bool) {
        let address = address(form, action);
        let Some(fresh) = dom::page(&address).await else {
            return;
        };
        // Something newer was typed while this was under way.
        if !still() {
            return;
        }
        let (Some(old), Ok(Some(new))) = (
            dom::first("[data-live=\"results\"]"),
            fresh.query_selector("[data-live=\"results\"]"),
        ) else {
            return;
        };
        tell_others(form);
        let said = new.get_attribute("data-said");
        drop(old.replace_with_with_node_1(&new));
        if let Ok(history) = dom::window().history() {
            drop(history.replace_state_with_url(&JsValue::NULL, "", Some(&address)));
        }
        if let Some(place) = dom::first("[data-search-said]") {
            place.set_text_content(said.as_deref());
        }
        dom::say_swapped();
    }

    /// The address that the form leads to, with what the page's filters say, from the first page.
    fn address(form: &HtmlFormElement, action: &str) -> String {
        let search = dom::window().location().search().unwrap_or_default();
        let Ok(query) = UrlSearchParams::new_with_str(&search) else {
            return action.to_owned();
        };
        query.delete("after");
        let fields = form.elements();
        for field in (0..fields.length())
            .filter_map(|place| fields.item(place)?.dyn_into::<HtmlInputElement>().ok())
        {
            say(&query, &field.name(), &field.value());
        }
        for field in dom::all("form[data-filter] select")
            .into_iter()
            .filter_map(|field| field.dyn_into::<HtmlSelectElement>().ok())
        {
            say(&query, &field.name(), &field.value());
        }
        let query = String::from(query.to_string());
        if query.is_empty() {
            action.to_owned()
        } else {
            format!("{action}?{query}")
        }
    }

    fn say(query: &UrlSearchParams, name: &str, value: &str) {
        if value.is_empty() {
            query.delete(name);
        } else if !name.is_empty() {
            query.set(name, value);
        }
    }

    /// Other forms of the page, such as filters, go on with what was typed.
    fn tell_others(form: &HtmlFormElement) {
        let Some(typed) = form
            .query_selector("input[name=\"q\"]")
            .ok()
            .flatten()
            .and_then(|typed| typed.dyn_into::<HtmlInputElement>().ok())
        else {
            return;
        };
        for other in dom::all("input[type=\"hidden\"][name=\"q\"]") {
            drop(other.set_attribute("value", &typed.value()));
        }
    }
}
