//! Helps to say how long: a slider over the allowed range, and when access would end by the reader's clock.

use leptos::prelude::*;

/// Beside the fields that `ui::DurationField` draws; they work as they are.
#[island]
pub fn DurationPicker(
    /// The name of the form's field.
    name: String,
) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    alive::start(name);
    #[cfg(not(feature = "hydrate"))]
    let _ = name;
}

#[cfg(feature = "hydrate")]
mod alive {
    // Numbers go through the browser's own functions: Rust's for floating point would be a tenth of the WebAssembly.
    use js_sys::{Date, Math};
    use wasm_bindgen::JsCast;
    use web_sys::{Element, HtmlElement, HtmlInputElement, HtmlSelectElement};

    use crate::{
        islands::{dom, start, time::weekday},
        spans::{self, DAY, HOUR, MINUTE},
    };

    #[derive(Clone)]
    struct Picker {
        root: Element,
        name: String,
        shortest: i64,
        longest: i64,
    }

    pub fn start(name: String) {
        let Some(root) = dom::first(&format!("[data-duration=\"{name}\"]")) else {
            return;
        };
        let number = |attribute: &str| {
            root.get_attribute(attribute)
                .and_then(|text| text.parse::<i64>().ok())
        };
        let (Some(shortest), Some(longest)) = (number("data-shortest"), number("data-longest"))
        else {
            return;
        };
        let picker = Picker {
            root: root.clone(),
            name,
            shortest: shortest.max(1),
            longest: longest.max(1),
        };
        // Once every island is awake: the portal's clock and a later start come from others.
        dom::later(0, {
            let picker = picker.clone();
            move || picker.show()
        });
        dom::on(&root, "input", {
            let picker = picker.clone();
            move |event| picker.changed(event.target().and_then(|target| target.dyn_into().ok()))
        });
        // The start that the form asks for moves the end, too.
        if let Ok(Some(form)) = root.closest("form") {
            dom::on(&form, "input", {
                let picker = picker.clone();
                move |_| picker.show()
            });
        }
        dom::every(20_000, move || picker.show());
    }

    impl Picker {
        fn input(&self, selector: &str) -> Option<HtmlInputElement> {
            self.root
                .query_selector(selector)
                .ok()
                .flatten()?
                .dyn_into()
                .ok()
        }

        fn number(&self) -> Option<HtmlInputElement> {
            self.input(&format!("input[name=\"{}_number\"]", self.name))
        }

        fn unit(&self) -> Option<HtmlSelectElement> {
            self.root
                .query_selector("select")
                .ok()
                .flatten()?
                .dyn_into()
                .ok()
        }

        /// The seconds chosen: of the radio, or of number and unit.
        fn seconds(&self) -> Option<i64> {
            let chosen = self.input("input[type=\"radio\"]:checked")?.value();
            if chosen != "other" {
                return chosen.parse().ok();
            }
            let unit: i64 = self.unit()?.value().parse().ok()?;
            let number = self.number()?.value_as_number();
            number
                .is_finite()
                .then(|| Math::round(number * unit as f64) as i64)
        }

        fn changed(&self, by: Option<HtmlElement>) {
            // Whoever chooses a day means a day; whoever chooses anything else means no day.
            let day = by
                .as_ref()
                .is_some_and(|by| by.get_attribute("type").as_deref() == Some("date"));
            if let Some(field) = self.input("input[type=\"date\"]") {
                if !day {
                    let until = by
                        .as_ref()
                        .is_some_and(|by| by.get_attribute("value").as_deref() == Some("until"));
                    if !until {
                        field.set_value("");
                    }
                } else if let Some(until) = self.input("input[value=\"until\"]") {
                    until.set_checked(true);
                    if let Some(number) = self.number() {
                        number.set_value("");
                    }
                }
            }
            let quick = by.as_ref().is_some_and(|by| {
                by.get_attribute("type").as_deref() == Some("radio")
                    && by.get_attribute("value").as_deref() != Some("other")
            });
            // What was typed does not count any more; the server would take it for a contradiction.
            if quick && let Some(number) = self.number() {
                number.set_value("");
            }
            let slid = by.as_ref().is_some_and(|by| by.has_attribute("data-slide"));
            let typed = by.as_ref().is_some_and(|by| {
                by.tag_name() == "SELECT" || by.get_attribute("type").as_deref() == Some("number")
            });
            if (slid || typed)
                && let Some(other) = self.input("input[value=\"other\"]")
            {
                other.set_checked(true);
            }
            if slid && let Some(slide) = self.input("[data-slide]") {
                self.set(self.of_share(slide.value_as_number()));
            }
            self.show();
        }

        /// Writes seconds into number and unit, in the largest unit that is whole.
        fn set(&self, seconds: i64) {
            let (Some(number), Some(unit)) = (self.number(), self.unit()) else {
                return;
            };
            let size = [DAY, HOUR, MINUTE]
                .into_iter()
                .find(|size| seconds % size == 0)
                .unwrap_or(MINUTE);
            number.set_value_as_number((seconds / size) as f64);
            unit.set_value(&size.to_string());
        }

        /// How much longer the longest is than the shortest; the slider's way is its logarithm, finer where spans are short.
        fn stretch(&self) -> f64 {
            self.longest as f64 / self.shortest as f64
        }

        /// The span at a place of the slider, rounded as people would say it.
        fn of_share(&self, share: f64) -> i64 {
            let raw =
                Math::round(self.shortest as f64 * Math::pow(self.stretch(), share / 100.0)) as i64;
            let step = if raw < 2 * HOUR {
                15 * MINUTE
            } else if raw < 2 * DAY {
                HOUR
            } else {
                DAY
            };
            ((raw + step / 2) / step * step).clamp(self.shortest.min(self.longest), self.longest)
        }

        /// When it begins, if that is known: where it is counted from, or the later start of the same form.
        fn start(&self) -> Option<f64> {
            let from = self.root.get_attribute("data-from");
            let from = from.and_then(|from| from.parse::<i64>().ok());
            from.map(|from| from as f64).or_else(start::chosen)
        }

        fn show(&self) {
            let seconds = self.seconds();
            if let (Some(slide), Some(seconds)) = (self.input("[data-slide]"), seconds) {
                let passed = seconds.max(self.shortest) as f64 / self.shortest as f64;
                slide.set_value_as_number(Math::log(passed) / Math::log(self.stretch()) * 100.0);
                drop(slide.set_attribute("aria-valuetext", &spans::span(seconds)));
            }
            let words = match seconds {
                Some(seconds) if seconds > self.longest => format!(
                    "Longer than the {} that are allowed.",
                    spans::span(self.longest)
                ),
                Some(seconds) if seconds > 0 => {
                    let (start, now) = (self.start(), dom::portal_now());
                    let end = start.unwrap_or(now) + seconds as f64 * 1000.0;
                    let end = weekday(&Date::new(&end.into()), &Date::new(&now.into()));
                    let how = if start.is_some() {
                        "It"
                    } else {
                        "If it were ready now, it"
                    };
                    format!("{}. {how} would end on {end}.", spans::span(seconds))
                }
                _ => String::new(),
            };
            if let Some(place) = self.root.query_selector("[data-ends]").ok().flatten() {
                place.set_text_content(Some(&words));
            }
        }
    }
}
