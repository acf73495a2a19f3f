//! What somebody typed into the form for asking: read without judging, kept when the form comes back.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use domain::{
    Refusal, Timestamp,
    request::{Length, Start, Window},
};
use workflow::views::request_form::RequestForm;

use crate::{refusals, ui::Chosen};

/// The fields as they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// How long.
    pub length: Chosen,
    /// `now` or `later`.
    pub start: String,
    /// The moment of a later start, as the browser's field sends it, in UTC.
    pub start_at: String,
    /// The business reason.
    pub reason: String,
    /// Answers by question key.
    pub answers: BTreeMap<String, String>,
    /// Made with the form.
    pub key: String,
}

impl Typed {
    /// An untouched form.
    pub fn fresh(form: &RequestForm) -> Self {
        Self {
            length: Chosen::span(chrono::Duration::seconds(form.default_seconds)),
            start: "now".into(),
            key: form.key.clone(),
            ..Self::default()
        }
    }

    /// What came; a form without its key is given `key`.
    pub fn of(fields: Vec<(String, String)>, key: &str) -> Self {
        let mut typed = Self {
            start: "now".into(),
            key: key.to_owned(),
            ..Self::default()
        };
        for (name, value) in fields {
            match name.as_str() {
                "duration" => typed.length.choice = value,
                "duration_number" => typed.length.number = value,
                "duration_unit" => typed.length.unit = value,
                "start" => typed.start = value,
                "start_at" => typed.start_at = value,
                "reason" => typed.reason = value,
                "key" if !value.is_empty() && value.len() <= 64 => typed.key = value,
                _ => {
                    if let Some(question) = name.strip_prefix("answer-") {
                        typed.answers.insert(question.to_owned(), value);
                    }
                }
            }
        }
        typed
    }

    /// The window that was meant. What cannot be read is noted in `faults`, and stands in the window as something that every policy
    /// refuses, so that all other faults are found as well.
    pub fn window(&self, faults: &mut Faults) -> Window {
        let length = match self.length.read() {
            Ok(Some(span)) => Length::Seconds(span.num_seconds()),
            Ok(None) => Length::Permanent,
            Err(why) => {
                faults.add("length", why);
                Length::Seconds(0)
            }
        };
        let start = if self.start == "later" {
            moment(&self.start_at).map_or_else(
                || {
                    faults.add("start", "Say on which day and at what time.");
                    Start::At(Timestamp::MIN_UTC)
                },
                Start::At,
            )
        } else {
            Start::OnActivation
        };
        Window { start, length }
    }
}

/// A moment as `datetime-local` fields send it, in UTC.
fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .map(|at| at.and_utc())
}

/// What is wrong, by field; the empty field is the form as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults(BTreeMap<String, Vec<String>>);

impl Faults {
    /// Notes a fault.
    pub fn add(&mut self, field: impl Into<String>, why: impl Into<String>) {
        self.0.entry(field.into()).or_default().push(why.into());
    }

    /// Adds what the rules said, except about fields that could not even be read.
    pub fn refuse(&mut self, refusals: &[Refusal]) {
        let unread = self.clone();
        for refusal in refusals {
            let field = refusals::field(refusal);
            if field.is_empty() || unread.of(&field).is_none() {
                self.add(field, refusals::sentence(refusal));
            }
        }
    }

    /// What is wrong with a field, in one text.
    pub fn of(&self, field: &str) -> Option<String> {
        self.0.get(field).map(|all| all.join(" "))
    }

    /// What is wrong with no field in particular, and with fields that the form does not show.
    pub fn whole(&self, shown: &[String]) -> Vec<String> {
        self.0
            .iter()
            .filter(|(field, _)| !shown.contains(field))
            .flat_map(|(_, all)| all.clone())
            .collect()
    }

    /// Whether nothing is wrong.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(fields: &[(&str, &str)]) -> Typed {
        Typed::of(
            fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            "fresh",
        )
    }

    #[test]
    fn what_is_typed_becomes_a_window() {
        let mut faults = Faults::default();
        let window = typed(&[
            ("duration", "28800"),
            ("start", "later"),
            ("start_at", "2026-12-01T08:30"),
        ])
        .window(&mut faults);
        assert!(faults.is_empty());
        assert_eq!(window.length, Length::Seconds(28_800));
        assert_eq!(
            window.start,
            Start::At("2026-12-01T08:30:00Z".parse().expect("a moment"))
        );
    }

    #[test]
    fn what_cannot_be_read_is_said_beside_its_field_and_never_passes() {
        let mut faults = Faults::default();
        let window = typed(&[
            ("duration", "other"),
            ("duration_number", "many"),
            ("duration_unit", "3600"),
            ("start", "later"),
            ("start_at", "soon"),
        ])
        .window(&mut faults);
        assert_eq!(window.length, Length::Seconds(0));
        assert!(faults.of("length").is_some() && faults.of("start").is_some());
        faults.refuse(&[
            Refusal::TooShortAsked { least_seconds: 60 },
            Refusal::ReasonTooShort { least: 5 },
            Refusal::Retired,
        ]);
        assert_eq!(
            faults.of("length").as_deref(),
            Some("Say how many, as a number.")
        );
        assert!(faults.of("reason").is_some());
        assert_eq!(
            faults
                .whole(&["length".into(), "start".into(), "reason".into()])
                .len(),
            1
        );
    }

    #[test]
    fn answers_and_key_are_kept() {
        let form = typed(&[("answer-ticket", "INC-1"), ("key", "abc"), ("odd", "x")]);
        assert_eq!(
            form.answers.get("ticket").map(String::as_str),
            Some("INC-1")
        );
        assert_eq!(form.key, "abc");
        assert_eq!(typed(&[("key", "")]).key, "fresh");
    }
}
