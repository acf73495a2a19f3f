//! Keeps what people write until it is sent: a page that is left, or a session that is over, takes no text along.
//!
//! In the tab's own storage, under the person, the page and the field; gone with the tab, with signing out, and once a form went
//! through.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlTextAreaElement, Storage};

use super::dom;

const BEGIN: &str = "latchkey.draft ";
/// The page whose form was sent last.
const SENT: &str = "latchkey.sent";

fn storage() -> Option<Storage> {
    dom::window().session_storage().ok().flatten()
}

fn path() -> String {
    dom::window().location().pathname().unwrap_or_default()
}

/// Under which all drafts of a page lie.
fn of_page(person: &str, path: &str) -> String {
    format!("{BEGIN}{person} {path} ")
}

/// Begins for this page and person; `done` where a form led here that went through.
pub fn start(person: &str, done: bool) {
    let Some(storage) = storage() else {
        return;
    };
    if done && let Ok(Some(sent)) = storage.get_item(SENT) {
        forget(&storage, &of_page(person, &sent));
    }
    drop(storage.remove_item(SENT));
    let mine = of_page(person, &path());
    for field in dom::all("textarea[name]") {
        if let Ok(field) = field.dyn_into::<HtmlTextAreaElement>()
            && field.value().is_empty()
            && let Ok(Some(draft)) = storage.get_item(&format!("{mine}{}", field.id()))
        {
            field.set_value(&draft);
        }
    }
    let document = dom::document();
    dom::on(&document, "input", {
        let storage = storage.clone();
        move |event| {
            let field: Option<HtmlTextAreaElement> =
                event.target().and_then(|field| field.dyn_into().ok());
            let Some(field) = field else {
                return;
            };
            let key = format!("{mine}{}", field.id());
            // Full or forbidden storage only means that nothing is kept.
            drop(if field.value().is_empty() {
                storage.remove_item(&key)
            } else {
                storage.set_item(&key, &field.value())
            });
        }
    });
    dom::on(&document, "submit", move |event| {
        let form: Option<Element> = event.target().and_then(|form| form.dyn_into().ok());
        let action = form.and_then(|form| form.get_attribute("action"));
        if action.as_deref() == Some("/sign-out") {
            forget(&storage, BEGIN);
        } else {
            drop(storage.set_item(SENT, &path()));
        }
    });
}

/// Removes everything that begins so.
fn forget(storage: &Storage, begin: &str) {
    let count = storage.length().unwrap_or_default();
    let keys: Vec<String> = (0..count)
        .filter_map(|place| storage.key(place).ok().flatten())
        .filter(|key| key.starts_with(begin))
        .collect();
    for key in keys {
        drop(storage.remove_item(&key));
    }
}
