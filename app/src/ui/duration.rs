//! How long: a few good choices, any other span by number and unit, and for ever where that is allowed.

use chrono::{DateTime, Duration, NaiveDate, Utc};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    Choice, Phrase, Words, choice,
    field::{described, error_of, hint_of},
};
use crate::{
    islands::DurationPicker,
    spans::{self, DAY, HOUR, MINUTE},
};

/// What was chosen and typed in a [`DurationField`], as it came: kept when the form comes back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// Of the field `NAME`: seconds, `other`, or `permanent`.
    pub choice: String,
    /// Of the field `NAME_number`.
    pub number: String,
    /// Of the field `NAME_unit`: seconds of one.
    pub unit: String,
    /// Of the field `NAME_until`: a day, where the form offers one; `choice` is `until` then.
    #[serde(default)]
    pub until: String,
}

impl Chosen {
    /// A span that is chosen from the start.
    pub fn span(span: Duration) -> Self {
        Self {
            choice: span.num_seconds().to_string(),
            ..Self::default()
        }
    }

    /// What it means: a span, none for permanent, or a sentence about what is wrong with it.
    pub fn read(&self) -> Result<Option<Duration>, &'static str> {
        // Without the page's script nothing chooses "another time" for somebody who types one; neither of the two may win unseen.
        if self.choice != "other" && !self.number.trim().is_empty() {
            return Err(
                "You chose a time and typed another. Choose \u{201c}Another time\u{201d}, or empty its number.",
            );
        }
        if self.choice != "until" && !self.until.trim().is_empty() {
            return Err(
                "You chose a time and typed a day. Choose \u{201c}Until a day\u{201d}, or empty the day.",
            );
        }
        let seconds = match self.choice.as_str() {
            "permanent" => return Ok(None),
            "other" => {
                let number: f64 = self
                    .number
                    .trim()
                    .replace(',', ".")
                    .parse()
                    .map_err(|_| "Say how many, as a number.")?;
                let unit: i64 = self
                    .unit
                    .parse()
                    .ok()
                    .filter(|unit| [MINUTE, HOUR, DAY].contains(unit))
                    .ok_or("Choose minutes, hours or days.")?;
                // Anything that does not fit is too long for every policy; the rule says how long at most.
                (number * unit as f64).round() as i64
            }
            seconds => seconds.parse().map_err(|_| "Choose how long.")?,
        };
        if seconds <= 0 {
            return Err("Choose a time longer than nothing.");
        }
        Duration::try_seconds(seconds.min(100 * 365 * DAY))
            .map(Some)
            .ok_or("Choose how long.")
    }
}

/// A few good choices up to the longest allowed, the usual one among them.
pub fn quick(usual: Duration, longest: Duration) -> Vec<Duration> {
    let (usual, longest) = (usual.num_seconds(), longest.num_seconds());
    let ladder = [
        HOUR,
        4 * HOUR,
        8 * HOUR,
        DAY,
        3 * DAY,
        7 * DAY,
        14 * DAY,
        30 * DAY,
        90 * DAY,
        180 * DAY,
        365 * DAY,
    ];
    let below = ladder.iter().rev().filter(|step| **step < usual).take(1);
    let above = ladder
        .iter()
        .filter(|step| **step > usual && **step < longest)
        .take(1);
    let mut all: Vec<i64> = below
        .chain(above)
        .copied()
        .chain([usual, longest])
        .filter(|step| *step <= longest && *step > 0)
        .collect();
    all.sort_unstable();
    all.dedup();
    all.into_iter().map(Duration::seconds).collect()
}

/// Asks how long, and says when that ends where the page's script runs: after `from`, or after the start that the same form asks for
/// (see `islands::StartPicker`), or if it were ready now. The first choice has the field's name for its id. Sends `NAME`, `NAME_number`, `NAME_unit` and `NAME_until`: collect them in [`Chosen`]. Contains an island.
#[component]
pub fn DurationField(
    /// The form's field.
    #[prop(into)]
    name: String,
    /// What it asks for.
    #[prop(into)]
    label: String,
    /// Good choices; see [`quick`].
    quick: Vec<Duration>,
    /// The longest allowed.
    longest: Duration,
    /// Whether it may be permanent.
    #[prop(optional)]
    permanent: bool,
    /// The latest day that may be chosen instead of a length; none where only lengths are offered.
    #[prop(optional_no_strip)]
    latest_day: Option<NaiveDate>,
    /// What it is counted from, where that is known.
    #[prop(optional_no_strip)]
    from: Option<DateTime<Utc>>,
    /// What was chosen.
    chosen: Chosen,
    /// Helps to choose.
    #[prop(optional, into)]
    hint: Phrase,
    /// What is wrong.
    #[prop(optional, into)]
    error: Words,
) -> impl IntoView {
    let mut options: Vec<Choice> = quick
        .iter()
        .map(|span| {
            choice(
                span.num_seconds().to_string(),
                spans::span(span.num_seconds()),
            )
        })
        .collect();
    if permanent {
        options.push(choice("permanent", "No end"));
    }
    // A choice that is not among the offered ones is kept as another span.
    let known = chosen.choice.is_empty()
        || chosen.choice == "other"
        || (chosen.choice == "until" && latest_day.is_some())
        || options.iter().any(|option| option.value == chosen.choice);
    let (number, unit) = match chosen.choice.parse::<i64>() {
        Ok(seconds) if !known => whole(seconds),
        // The number stays empty until somebody types one, so that it is never mistaken for what they mean.
        _ if chosen.unit.is_empty() => {
            let (_, unit) = whole(quick.first().map_or(HOUR, Duration::num_seconds));
            (chosen.number.clone(), unit)
        }
        _ => (chosen.number.clone(), chosen.unit.clone()),
    };
    let day = latest_day.map(|latest| {
        let (typed, checked) = (chosen.until.clone(), known && chosen.choice == "until");
        let wrong = (error.is_some() && checked).then_some("true");
        view! {
            <div class="choice">
                <input type="radio" name=name.clone() id=format!("{name}-until") value="until" checked=checked/>
                <div class="stack">
                    <label for=format!("{name}-until")>"Until a day, that day included"</label>
                    <input class="input auto" type="date" name=format!("{name}_until") value=typed max=latest.to_string() aria-label="Which day" aria-invalid=wrong autocomplete="off"/>
                </div>
            </div>
        }
    });
    let chosen = if known { chosen.choice } else { "other".into() };
    let cards = options
        .into_iter()
        .enumerate()
        .map(|(place, option)| {
            let checked = option.value == chosen;
            let id = (place == 0).then(|| name.clone());
            view! { <label class="choice"><input type="radio" id=id name=name.clone() value=option.value checked=checked required/><span>{option.label}</span></label> }
        })
        .collect_view();
    let units = [(MINUTE, "minutes"), (HOUR, "hours"), (DAY, "days")]
        .map(|(seconds, words)| view! { <option value=seconds.to_string() selected=unit == seconds.to_string()>{words}</option> })
        .collect_view();
    let described = described(&name, &hint, &error);
    let wrong = error.is_some().then_some("true");
    let longest_seconds = longest.num_seconds();
    let from = from.map(|from| from.timestamp_millis().to_string());
    view! {
        <fieldset class="field picker" role="radiogroup" data-duration=name.clone() data-shortest=(15 * MINUTE).min(longest_seconds).to_string() data-longest=longest_seconds.to_string() data-from=from
            aria-invalid=wrong aria-describedby=described>
            <legend>{label}</legend>
            {hint_of(&name, hint)}
            <div class="choices across">{cards}</div>
            <div class="choice">
                <input type="radio" name=name.clone() id=format!("{name}-other") value="other" checked=chosen == "other"/>
                <div class="stack">
                    <label for=format!("{name}-other")>"Another time, up to "{spans::span(longest_seconds)}</label>
                    <div class="line2">
                        <input class="input short" type="number" inputmode="decimal" min="0" step="any" name=format!("{name}_number") value=number aria-label="How many" aria-invalid=wrong.filter(|_| chosen == "other") autocomplete="off"/>
                        <select class="input auto" name=format!("{name}_unit") aria-label="Unit">{units}</select>
                    </div>
                    <input class="only-alive" type="range" min="0" max="100" step="0.5" data-slide aria-label="How long"/>
                </div>
            </div>
            {day}
            <p class="hint" data-ends aria-live="polite"></p>
            {error_of(&name, error)}
            <DurationPicker name=name.clone()/>
        </fieldset>
    }
}

/// Seconds in the largest unit that is whole: number and unit.
fn whole(seconds: i64) -> (String, String) {
    let unit = [DAY, HOUR, MINUTE]
        .into_iter()
        .find(|unit| seconds % unit == 0)
        .unwrap_or(MINUTE);
    ((seconds / unit).to_string(), unit.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(choice: &str, number: &str, unit: &str) -> Chosen {
        Chosen {
            choice: choice.into(),
            number: number.into(),
            unit: unit.into(),
            until: String::new(),
        }
    }

    #[test]
    fn what_is_chosen_is_read() {
        assert_eq!(chosen("28800", "", "").read(), Ok(Some(Duration::hours(8))));
        assert_eq!(chosen("permanent", "", "").read(), Ok(None));
        assert_eq!(
            chosen("other", "1.5", "3600").read(),
            Ok(Some(Duration::minutes(90)))
        );
        assert_eq!(
            chosen("other", "1,5", "3600").read(),
            Ok(Some(Duration::minutes(90)))
        );
        for wrong in [
            chosen("", "", ""),
            chosen("other", "x", "3600"),
            chosen("other", "1", "7"),
            chosen("other", "-3", "3600"),
            chosen("0", "", ""),
            chosen("other", "nan", "60"),
        ] {
            assert!(wrong.read().is_err(), "{wrong:?}");
        }
        // A quick choice and a typed number contradict each other; spaces are no number.
        assert!(chosen("28800", "3", "3600").read().is_err());
        assert!(chosen("permanent", "3", "86400").read().is_err());
        assert_eq!(
            chosen("28800", " ", "3600").read(),
            Ok(Some(Duration::hours(8)))
        );
        // Absurd numbers become absurdly long, not wrong.
        assert!(chosen("other", "1e300", "86400").read().is_ok());
        assert!(chosen("99999999999999999", "", "").read().is_ok());
    }

    #[test]
    fn quick_choices_hold_the_usual_and_the_longest() {
        let hours = |list: Vec<Duration>| list.iter().map(Duration::num_hours).collect::<Vec<_>>();
        assert_eq!(
            hours(quick(Duration::hours(8), Duration::hours(24))),
            [4, 8, 24]
        );
        assert_eq!(hours(quick(Duration::hours(1), Duration::hours(1))), [1]);
        assert_eq!(
            hours(quick(Duration::days(30), Duration::days(365))),
            [14 * 24, 30 * 24, 90 * 24, 365 * 24]
        );
    }
}
