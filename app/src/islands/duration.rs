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
    use js_sys::Date;
    use wasm_bindgen::JsCast;
    use web_sys::{Element, HtmlElement, HtmlInputElement, HtmlSelectElement};

    use crate::{islands::dom, spans};

    #[derive(Clone)]
    struct Picker {
        root: Element,
        name: String,
        shortest: f64,
        longest: f64,
    }

    pub fn start(name: String) {
        let Some(root) = dom::first(&format!("[data-duration=\"{name}\"]")) else {
            return;
        };
        let number = |attribute: &str| root.get_attribute(attribute).and_then(|text| text.parse::<f64>().ok());
        let (Some(shortest), Some(longest)) = (number("data-shortest"), number("data-longest")) else {
            return;
        };
        let picker = Picker { root: root.clone(), name, shortest, longest };
        picker.show();
        dom::on(&root, "input", {
            let picker = picker.clone();
            move |event| picker.changed(event.target().and_then(|target| target.dyn_into().ok()))
        });
        dom::every(20_000, move || picker.show());
    }

    impl Picker {
        fn input(&self, selector: &str) -> Option<HtmlInputElement> {
            self.root.query_selector(selector).ok().flatten()?.dyn_into().ok()
        }

        fn named(&self, end: &str) -> Option<HtmlInputElement> {
            self.input(&format!("input[name=\"{}{end}\"]", self.name))
        }

        fn unit(&self) -> Option<HtmlSelectElement> {
            self.root.query_selector("select").ok().flatten()?.dyn_into().ok()
        }

        /// The seconds chosen: of the radio, or of number and unit.
        fn seconds(&self) -> Option<f64> {
            let chosen = self.input("input[type=\"radio\"]:checked")?.value();
            if chosen != "other" {
                return chosen.parse().ok();
            }
            let unit: f64 = self.unit()?.value().parse().ok()?;
            Some(self.named("_number")?.value().parse::<f64>().ok()? * unit)
        }

        fn changed(&self, by: Option<HtmlElement>) {
            let slid = by.as_ref().is_some_and(|by| by.has_attribute("data-slide"));
            let typed = by.as_ref().is_some_and(|by| by.tag_name() == "SELECT" || by.get_attribute("type").as_deref() == Some("number"));
            if (slid || typed)
                && let Some(other) = self.input("input[value=\"other\"]")
            {
                other.set_checked(true);
            }
            if slid && let Some(slide) = self.input("[data-slide]") {
                self.set(self.of_share(slide.value().parse().unwrap_or_default()));
            }
            self.show();
        }

        /// Writes seconds into number and unit, in the largest unit that is whole.
        fn set(&self, seconds: f64) {
            let (Some(number), Some(unit)) = (self.named("_number"), self.unit()) else {
                return;
            };
            let size = [86_400.0, 3_600.0, 60.0].into_iter().find(|size| seconds % size == 0.0).unwrap_or(60.0);
            number.set_value(&(seconds / size).to_string());
            unit.set_value(&size.to_string());
        }

        /// The slider is finer where spans are short: its way is the logarithm of the span, rounded as people would say it.
        fn of_share(&self, share: f64) -> f64 {
            let raw = self.shortest * (self.longest / self.shortest).powf(share / 100.0);
            let step = if raw < 7_200.0 { 900.0 } else if raw < 172_800.0 { 3_600.0 } else { 86_400.0 };
            ((raw / step).round() * step).clamp(self.shortest, self.longest)
        }

        fn show(&self) {
            let seconds = self.seconds();
            if let (Some(slide), Some(seconds)) = (self.input("[data-slide]"), seconds) {
                let share = (seconds.max(self.shortest) / self.shortest).ln() / (self.longest / self.shortest).ln() * 100.0;
                slide.set_value(&share.to_string());
                drop(slide.set_attribute("aria-valuetext", &spans::span(seconds as i64)));
            }
            let words = match seconds {
                Some(seconds) if seconds > self.longest => format!("Longer than the {} that are allowed.", spans::span(self.longest as i64)),
                Some(seconds) if seconds > 0.0 => {
                    let end = Date::new(&(dom::portal_now() + seconds * 1000.0).into());
                    format!("{}. If it were ready now, it would end {}.", spans::span(seconds as i64), super::super::time::weekday(&end))
                }
                _ => String::new(),
            };
            if let Some(place) = self.root.query_selector("[data-ends]").ok().flatten() {
                place.set_text_content(Some(&words));
            }
        }
    }
}
