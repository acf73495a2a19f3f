//! The keyboard: `/` searches, `g` and a letter goes, `?` (or whatever has `data-keys-open`) helps, a page's own keys lead to its buttons. All of it optional.

use leptos::prelude::*;

/// Once per page, in the frame. Keys of the page are on `data-key` (they focus a button or unfold a question, and never submit), ways
/// on `data-go`. Can be switched off in the help.
#[island]
pub fn Keys() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    alive::start();
}

#[cfg(feature = "hydrate")]
mod alive {
    use std::{cell::Cell, rc::Rc};

    use wasm_bindgen::JsCast;
    use web_sys::{
        Element, Event, HtmlDialogElement, HtmlElement, HtmlInputElement, KeyboardEvent,
    };

    use crate::islands::dom;

    /// The second key of `g` must come within this time.
    const CHORD: i32 = 1_200;
    const SWITCH: &str = "latchkey.keys";

    pub fn start() {
        let going = Rc::new(Cell::new(false));
        let document = dom::document();
        dom::on(&document, "keydown", move |event| {
            if let Ok(event) = event.dyn_into::<KeyboardEvent>() {
                pressed(&event, &going);
            }
        });
        dom::on(&document, "click", |event| {
            let clicked: Option<Element> = event.target().and_then(|it| it.dyn_into().ok());
            let asked = clicked
                .as_ref()
                .is_some_and(|it| it.closest("[data-keys-open]").ok().flatten().is_some());
            close_menus(clicked.as_ref().filter(|_| !asked));
            if asked {
                help();
            }
        });
        if let Some(switch) = switch() {
            switch.set_checked(on());
            dom::on(&switch.clone(), "change", move |_: Event| {
                if let Ok(Some(storage)) = dom::window().local_storage() {
                    drop(storage.set_item(SWITCH, if switch.checked() { "on" } else { "off" }));
                }
            });
        }
    }

    fn switch() -> Option<HtmlInputElement> {
        dom::first("[data-keys-switch]")?.dyn_into().ok()
    }

    fn on() -> bool {
        let stored = dom::window()
            .local_storage()
            .ok()
            .flatten()
            .and_then(|storage| storage.get_item(SWITCH).ok().flatten());
        stored.as_deref() != Some("off")
    }

    /// Whether keys belong to what has the focus.
    fn typing(event: &KeyboardEvent) -> bool {
        let Some(target) = event
            .target()
            .and_then(|target| target.dyn_into::<HtmlElement>().ok())
        else {
            return false;
        };
        let box_like = target.get_attribute("type").is_some_and(|kind| {
            matches!(kind.as_str(), "checkbox" | "radio" | "submit" | "button")
        });
        matches!(target.tag_name().as_str(), "TEXTAREA" | "SELECT")
            || (target.tag_name() == "INPUT" && !box_like)
            || target.is_content_editable()
    }

    fn pressed(event: &KeyboardEvent, going: &Rc<Cell<bool>>) {
        let key = event.key();
        if key == "Escape" {
            close_menus(None);
            return;
        }
        if event.ctrl_key()
            || event.meta_key()
            || event.alt_key()
            || event.is_composing()
            || typing(event)
        {
            return;
        }
        if key == "?" {
            help();
            return event.prevent_default();
        }
        if !on() || dom::first("dialog[open]").is_some() {
            return;
        }
        let key = key.to_ascii_lowercase();
        let safe = key.len() == 1 && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if going.take() {
            if safe
                && let Some(way) = dom::first(&format!("[data-go=\"{key}\"]"))
                    .and_then(|way| way.dyn_into::<HtmlElement>().ok())
            {
                event.prevent_default();
                way.click();
            }
            return;
        }
        match key.as_str() {
            "/" => {
                if let Some(search) = dom::first("[data-search]")
                    .and_then(|search| search.dyn_into::<HtmlInputElement>().ok())
                {
                    event.prevent_default();
                    drop(search.focus());
                    search.select();
                }
            }
            "g" => {
                going.set(true);
                let going = going.clone();
                dom::later(CHORD, move || going.set(false));
            }
            _ if safe => {
                if let Some(place) = dom::first(&format!("[data-key=\"{key}\"]"))
                    .and_then(|place| place.dyn_into::<HtmlElement>().ok())
                {
                    event.prevent_default();
                    reach(&place);
                }
            }
            _ => {}
        }
    }

    /// Unfolds a question and goes to its first field, or goes to a button; pressing it stays a step of its own.
    fn reach(place: &HtmlElement) {
        drop(place.focus());
        let Some(parent) = place
            .parent_element()
            .filter(|parent| parent.tag_name() == "DETAILS")
        else {
            return;
        };
        drop(parent.set_attribute("open", ""));
        let field = parent
            .query_selector(".inner :is(textarea, input:not([type=hidden]), select, button)")
            .ok()
            .flatten();
        if let Some(field) = field.and_then(|field| field.dyn_into::<HtmlElement>().ok()) {
            drop(field.focus());
        }
    }

    fn help() {
        if let Some(dialog) = dom::first("dialog[data-help]")
            .and_then(|dialog| dialog.dyn_into::<HtmlDialogElement>().ok())
        {
            if dialog.open() {
                dialog.close();
            } else {
                drop(dialog.show_modal());
            }
        }
    }

    /// Folds menus that a click was not in. The focus does not vanish with what had it: it goes to what unfolds the menu.
    fn close_menus(clicked: Option<&Element>) {
        for menu in dom::all("details.menu[open]") {
            if clicked.is_some_and(|clicked| menu.contains(Some(clicked))) {
                continue;
            }
            let focused = dom::document()
                .active_element()
                .is_some_and(|active| menu.contains(Some(&active)));
            drop(menu.remove_attribute("open"));
            if focused
                && let Some(summary) = menu
                    .first_element_child()
                    .and_then(|summary| summary.dyn_into::<HtmlElement>().ok())
            {
                drop(summary.focus());
            }
        }
    }
}
