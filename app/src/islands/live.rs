//! Keeps the marked regions of a page fresh: listens for changes, fetches the same page, and puts in what is newer.
//!
//! An event says only that something changed, never what; what a person may see is decided again when the page is fetched. Regions may
//! lie inside regions: the outer one changes with which there are, the inner ones with what each shows, so that somebody who is busy
//! in one row keeps only that row as it is.

use leptos::prelude::*;

/// Once per page, in the frame. Regions carry `data-live` (a name, once per page) and `data-version`, and hold no islands; what is in
/// `data-said` is said to screen readers where it differs. Also keeps what is written until it is sent.
#[island]
pub fn LiveRegion(
    /// What to listen to, with commas between; first the person who looks.
    topics: String,
) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    alive::start(&topics);
    #[cfg(not(feature = "hydrate"))]
    let _ = topics;
    view! { <span class="sr" aria-live="polite" data-live-said></span> }
}

#[cfg(feature = "hydrate")]
mod alive {
    use std::{cell::RefCell, rc::Rc};

    use wasm_bindgen::JsValue;
    use web_sys::{Document, EventSource, UrlSearchParams};

    use crate::islands::{dom, drafts};

    /// After so many failures in a row the page asks by itself instead of listening.
    const PATIENCE: u32 = 3;
    const POLL: i32 = 15_000;
    /// After so many pages in a row that could not be had, nothing is asked for until the reader comes back.
    const ENOUGH: u32 = 8;
    /// Changes that come together are fetched together.
    const GATHER: i32 = 120;

    #[derive(Default)]
    struct Ear {
        address: String,
        source: Option<EventSource>,
        failures: u32,
        gathering: bool,
        polling: bool,
        /// Pages in a row that could not be had.
        missed: u32,
        /// Something newer could not be put in because somebody was busy there.
        postponed: bool,
    }

    type Shared = Rc<RefCell<Ear>>;

    pub fn start(topics: &str) {
        let ear = Shared::default();
        ear.borrow_mut().address =
            format!("/events?topics={}", js_sys::encode_uri_component(topics));
        listen(&ear);
        let person = topics.split(',').next().unwrap_or_default();
        drafts::start(person, forget_notice());
        let document = dom::document();
        dom::on(&document, "visibilitychange", {
            let ear = ear.clone();
            move |_| {
                if dom::document().hidden() {
                    hush(&ear);
                } else {
                    {
                        let mut ear = ear.borrow_mut();
                        ear.failures = 0;
                        ear.missed = 0;
                    }
                    listen(&ear);
                    refresh_soon(&ear);
                }
            }
        });
        dom::on(&document, "focusout", {
            let ear = ear.clone();
            move |_| {
                if std::mem::take(&mut ear.borrow_mut().postponed) {
                    refresh_soon(&ear);
                }
            }
        });
        // A page that is going away must not hold one of the browser's few connections.
        dom::on(&dom::window(), "pagehide", move |_| hush(&ear));
    }

    /// What the last form did was said once; coming back to this address must not say it again. Tells whether one did something.
    fn forget_notice() -> bool {
        let location = dom::window().location();
        let (Ok(path), Ok(search)) = (location.pathname(), location.search()) else {
            return false;
        };
        let Ok(query) = UrlSearchParams::new_with_str(&search) else {
            return false;
        };
        let done = query.has("done");
        if done && let Ok(history) = dom::window().history() {
            query.delete("done");
            query.delete("of");
            let rest = String::from(query.to_string());
            let address = if rest.is_empty() {
                path
            } else {
                format!("{path}?{rest}")
            };
            drop(history.replace_state_with_url(&JsValue::NULL, "", Some(&address)));
        }
        done
    }

    fn hush(ear: &Shared) {
        if let Some(source) = ear.borrow_mut().source.take() {
            source.close();
        }
    }

    fn listen(ear: &Shared) {
        hush(ear);
        let Ok(source) = EventSource::new(&ear.borrow().address) else {
            return;
        };
        dom::on(&source, "changed", {
            let ear = ear.clone();
            move |_| refresh_soon(&ear)
        });
        dom::on(&source, "open", {
            let ear = ear.clone();
            move |_| ear.borrow_mut().failures = 0
        });
        dom::on(&source, "error", {
            let ear = ear.clone();
            move |_| {
                ear.borrow_mut().failures += 1;
                if ear.borrow().failures >= PATIENCE {
                    hush(&ear);
                    poll(&ear);
                } else if ear
                    .borrow()
                    .source
                    .as_ref()
                    .is_some_and(|source| source.ready_state() == EventSource::CLOSED)
                {
                    // The browser has given up (the answer was not a stream); it was not one of its own reconnections.
                    let ear = ear.clone();
                    dom::later(2_000, move || listen(&ear));
                }
            }
        });
        ear.borrow_mut().source = Some(source);
    }

    fn poll(ear: &Shared) {
        if std::mem::replace(&mut ear.borrow_mut().polling, true) {
            return;
        }
        let ear = ear.clone();
        dom::every(POLL, move || {
            let missed = ear.borrow().missed;
            if !dom::document().hidden() && ear.borrow().source.is_none() && missed < ENOUGH {
                refresh_soon(&ear);
            }
        });
    }

    fn refresh_soon(ear: &Shared) {
        if std::mem::replace(&mut ear.borrow_mut().gathering, true) {
            return;
        }
        let ear = ear.clone();
        dom::later(GATHER, move || {
            leptos::task::spawn_local(async move {
                ear.borrow_mut().gathering = false;
                let Ok(address) = dom::window().location().href() else {
                    return;
                };
                match dom::page(&address).await {
                    Some(fresh) => {
                        let waits = swap(&fresh);
                        let mut ear = ear.borrow_mut();
                        ear.missed = 0;
                        ear.postponed |= waits;
                    }
                    // Signed out, or gone: the reader finds out with the next step; asking on for ever would only make noise.
                    None => ear.borrow_mut().missed += 1,
                }
            });
        });
    }

    /// Puts in what is newer; tells whether something had to wait.
    fn swap(fresh: &Document) -> bool {
        let mut waits = false;
        let mut swapped = false;
        let mut said = Vec::new();
        for old in dom::all("[data-live]") {
            // It went with a region around it.
            if !old.is_connected() {
                continue;
            }
            let Some(name) = old.get_attribute("data-live") else {
                continue;
            };
            let Ok(Some(new)) = fresh.query_selector(&format!("[data-live=\"{name}\"]")) else {
                continue;
            };
            if new.get_attribute("data-version") == old.get_attribute("data-version") {
                continue;
            }
            if dom::busy(&old) {
                waits = true;
                continue;
            }
            if name != "nav" && name != "nav-phone" {
                drop(new.set_attribute("data-fresh", ""));
            }
            dom::keep_open(&old, &new);
            let words = new.get_attribute("data-said");
            if words != old.get_attribute("data-said") {
                said.extend(words);
            }
            swapped |= old.replace_with_with_node_1(&new).is_ok();
        }
        if let Some(place) = dom::first("[data-live-said]").filter(|_| !said.is_empty()) {
            place.set_text_content(Some(&said.join(". ")));
        }
        if swapped {
            dom::say_swapped();
        }
        waits
    }
}
