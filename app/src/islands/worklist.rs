//! The keyboard of a worklist: `j` and `k` move from item to item, `y` keeps, `n` revokes, `s` and `e` open the item. All of it optional:
//! each key presses what stands there anyway.

use leptos::prelude::*;

/// Once on the page, after the list. Items are on `data-item`, their buttons on `data-press`, the way to all of an item is its cover.
#[island]
pub fn Worklist() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    alive::start();
}

#[cfg(feature = "hydrate")]
mod alive {
    use wasm_bindgen::JsCast;
    use web_sys::{Element, HtmlElement, KeyboardEvent};

    use crate::islands::dom;

    pub fn start() {
        dom::on(&dom::document(), "keydown", |event| {
            if let Ok(event) = event.dyn_into::<KeyboardEvent>() {
                pressed(&event);
            }
        });
    }

    /// Whether keys belong to what has the focus, or to something that lies over the page.
    fn busy(event: &KeyboardEvent) -> bool {
        let typing = event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok())
            .is_some_and(|target| {
                matches!(target.tag_name().as_str(), "TEXTAREA" | "SELECT")
                    || (target.tag_name() == "INPUT"
                        && target.get_attribute("type").as_deref() != Some("checkbox"))
            });
        typing
            || event.ctrl_key()
            || event.meta_key()
            || event.alt_key()
            || event.is_composing()
            || dom::first("dialog[open]").is_some()
    }

    fn pressed(event: &KeyboardEvent) {
        if busy(event) {
            return;
        }
        let items = dom::all("[data-item]");
        let focused = dom::document().active_element();
        let here = items
            .iter()
            .position(|item| focused.as_ref().is_some_and(|it| item.contains(Some(it))));
        let wanted = match (event.key().to_ascii_lowercase().as_str(), here) {
            ("j", None) => Some(0),
            ("j", Some(here)) => Some(here + 1),
            ("k", Some(here)) => here.checked_sub(1),
            ("y", Some(here)) => return press(event, &items[here], "[data-press=\"y\"]"),
            ("n", Some(here)) => return press(event, &items[here], "[data-press=\"n\"]"),
            ("s" | "e", Some(here)) => return press(event, &items[here], ".cover"),
            _ => None,
        };
        let next = wanted.and_then(|place| items.get(place));
        if let Some(next) = next.and_then(|item| item.dyn_ref::<HtmlElement>()) {
            event.prevent_default();
            drop(next.focus());
        }
    }

    fn press(event: &KeyboardEvent, item: &Element, what: &str) {
        let button = item.query_selector(what).ok().flatten();
        if let Some(button) = button.and_then(|button| button.dyn_into::<HtmlElement>().ok()) {
            event.prevent_default();
            button.click();
        }
    }
}
