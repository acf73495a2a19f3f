//! What somebody typed into the form for asking: read without judging, kept when the form comes back.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use domain::{
    Refusal, Timestamp,
    request::{Length, Start, Window},
};
use serde::{Deserialize, Serialize};
use workflow::views::request_form::RequestForm;

use super::super::kit;
use crate::{
    refusals,
    ui::{Chosen, FieldFault},
};

/// The fields as they came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Typed {
    /// How long.
    pub length: Chosen,
    /// `now` or `later`.
    pub start: String,
    /// The moment of a later start, as the browser's field sends it, in UTC. Where the page's script runs, the field speaks the reader's
    /// clock and `start_utc` brings the same moment in UTC.
    pub start_at: String,
    /// The business reason.
    pub reason: String,
    /// Answers by question key.
    pub answers: BTreeMap<String, String>,
    /// Names that were looked for, by the key of the question about a person.
    pub finds: BTreeMap<String, String>,
    /// `yes` where the person said that they know what follows.
    pub sure: String,
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
        let mut start_utc = String::new();
        for (name, value) in fields {
            match name.as_str() {
                "duration" => typed.length.choice = value,
                "duration_number" => typed.length.number = value,
                "duration_unit" => typed.length.unit = value,
                "duration_until" => typed.length.until = value,
                "start" => typed.start = value,
                "start_at" => typed.start_at = value,
                "start_utc" => start_utc = value,
                "reason" => typed.reason = value,
                "sure" => typed.sure = value,
                "key" if !value.is_empty() && value.len() <= 64 => typed.key = value,
                _ => {
                    if let Some(question) = name.strip_prefix("answer-") {
                        typed.answers.insert(question.to_owned(), value);
                    } else if let Some(question) = name.strip_prefix("find-") {
                        typed.finds.insert(question.to_owned(), value);
                    }
                }
            }
        }
        if !start_utc.is_empty() {
            typed.start_at = start_utc;
        }
        typed
    }

    /// The window that was meant. What cannot be read is noted in `faults`, and stands in the window as something that every policy
    /// refuses, so that all other faults are found as well.
    pub fn window(&self, faults: &mut Faults) -> Window {
        let length = if self.length.choice == "until" {
            kit::day_over(&self.length.until).map_or_else(
                || {
                    faults.add("length", "Say until which day.");
                    Length::Seconds(0)
                },
                Length::Until,
            )
        } else {
            match self.length.read() {
                Ok(Some(span)) => Length::Seconds(span.num_seconds()),
                Ok(None) => Length::Permanent,
                Err(why) => {
                    faults.add("length", why);
                    Length::Seconds(0)
                }
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
        } else if self.start_at.trim().is_empty() {
            Start::OnActivation
        } else {
            // Neither of the two may be lost unseen.
            faults.add(
                "start",
                "You typed a day although it should start at once. Choose \u{201c}Later\u{201d}, or empty the day.",
            );
            Start::At(Timestamp::MIN_UTC)
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

/// A field that a form shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// As refusals call it.
    pub field: String,
    /// The id on the page that leads there.
    pub id: String,
    /// What it asks for.
    pub label: String,
}

impl Shown {
    /// A field whose refusals, id and label are these.
    pub fn new(field: impl Into<String>, id: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            id: id.into(),
            label: label.into(),
        }
    }
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
    pub fn whole(&self, shown: &[Shown]) -> Vec<String> {
        self.0
            .iter()
            .filter(|(field, _)| !shown.iter().any(|one| one.field == **field))
            .flat_map(|(_, all)| all.clone())
            .collect()
    }

    /// What is wrong with the fields that the form shows, in their order.
    pub fn of_fields(&self, shown: &[Shown]) -> Vec<FieldFault> {
        shown
            .iter()
            .filter_map(|one| {
                Some(FieldFault {
                    id: one.id.clone(),
                    label: one.label.clone(),
                    why: self.of(&one.field)?,
                })
            })
            .collect()
    }

    /// How many things are wrong, each field counted once.
    pub fn count(&self) -> usize {
        self.0
            .iter()
            .map(|(field, all)| if field.is_empty() { all.len() } else { 1 })
            .sum()
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
        assert_eq!(faults.count(), 0);
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
        let shown =
            ["length", "start", "reason"].map(|field| Shown::new(field, "id", "What it asks for"));
        assert_eq!(faults.whole(&shown).len(), 1);
        assert_eq!(faults.of_fields(&shown).len(), 3);
        assert_eq!(faults.count(), 4);
    }

    #[test]
    fn the_reader_s_clock_comes_as_utc_and_a_day_is_never_lost() {
        let mut faults = Faults::default();
        let both = typed(&[
            ("duration", "28800"),
            ("start", "later"),
            ("start_at", "2026-12-01T09:30"),
            ("start_utc", "2026-12-01T08:30"),
        ]);
        assert_eq!(
            both.window(&mut faults).start,
            Start::At("2026-12-01T08:30:00Z".parse().expect("a moment"))
        );
        assert_eq!(both.start_at, "2026-12-01T08:30", "shown again in UTC");
        assert_eq!(faults.count(), 0);
        let day = typed(&[
            ("duration", "28800"),
            ("start", "now"),
            ("start_at", "2026-12-01T09:30"),
            ("start_utc", ""),
        ]);
        assert_eq!(
            day.window(&mut faults).start,
            Start::At(Timestamp::MIN_UTC),
            "refused, not dropped"
        );
        assert!(faults.of("start").is_some());
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
