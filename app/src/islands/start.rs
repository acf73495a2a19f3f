//! Helps to say from when: the field for a later start speaks the reader's clock instead of UTC.

use leptos::prelude::*;

/// Beside the fields `start` (`now` or `later`), `start_at` (a moment in UTC, as it is without this) and the hidden `start_utc`,
/// which wins where it is filled. The words of `[data-zone]` say whose clock counts.
#[island]
pub fn StartPicker() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    alive::start();
}

#[cfg(feature = "hydrate")]
mod alive {
    use js_sys::{Date, Object, Reflect};
    use wasm_bindgen::JsCast;
    use web_sys::HtmlInputElement;

    use crate::islands::dom;

    fn input(selector: &str) -> Option<HtmlInputElement> {
        dom::first(selector)?.dyn_into().ok()
    }

    pub fn start() {
        let (Some(field), Some(sent)) = (
            input("input[name=\"start_at\"]"),
            input("input[name=\"start_utc\"]"),
        ) else {
            return;
        };
        for name in ["min", "max"] {
            if let Some(local) = field.get_attribute(name).and_then(|utc| local(&utc)) {
                drop(field.set_attribute(name, &local));
            }
        }
        if let Some(local) = local(&field.value()) {
            sent.set_value(&field.value());
            field.set_value(&local);
        }
        if let Some(place) = dom::first("[data-zone]") {
            place.set_text_content(Some(&format!("Your time ({}).", zone())));
        }
        dom::on(&field.clone(), "input", {
            let sent = sent.clone();
            move |_| {
                sent.set_value(&utc(&field.value()).unwrap_or_default());
                if let Some(later) = input("input[name=\"start\"][value=\"later\"]") {
                    later.set_checked(true);
                }
            }
        });
        // Whoever chooses "as soon as it is approved" after all means it.
        if let Some(now) = input("input[name=\"start\"][value=\"now\"]") {
            dom::on(&now, "input", move |_| {
                sent.set_value("");
                if let Some(field) = input("input[name=\"start_at\"]") {
                    field.set_value("");
                }
            });
        }
    }

    /// The later start that the form says now, in milliseconds.
    pub fn chosen() -> Option<f64> {
        input("input[name=\"start\"][value=\"later\"]")?
            .checked()
            .then(|| input("input[name=\"start_utc\"]"))?
            .and_then(|sent| moment(&format!("{}Z", sent.value())))
    }

    fn moment(text: &str) -> Option<f64> {
        Some(Date::parse(text)).filter(|at| at.is_finite())
    }

    /// `2026-12-01T08:30` in UTC as the same moment by the reader's clock.
    fn local(utc: &str) -> Option<String> {
        let at = moment(&format!("{utc}Z"))?;
        let offset = Date::new(&at.into()).get_timezone_offset() * 60_000.0;
        minutes(at - offset)
    }

    /// And back.
    fn utc(local: &str) -> Option<String> {
        minutes(moment(local)?)
    }

    /// A moment in UTC to the minute, as the field wants it.
    fn minutes(at: f64) -> Option<String> {
        let text = String::from(Date::new(&at.into()).to_iso_string());
        text.get(..16).map(ToOwned::to_owned)
    }

    /// `CET`, as the browser calls it.
    fn zone() -> String {
        let options = Object::new();
        drop(Reflect::set(
            &options,
            &"timeZoneName".into(),
            &"short".into(),
        ));
        let date = Date::new(&dom::portal_now().into());
        let said = String::from(date.to_locale_string("en-GB", &options));
        said.rsplit(' ').next().unwrap_or_default().to_owned()
    }
}

#[cfg(feature = "hydrate")]
pub(super) use alive::chosen;
