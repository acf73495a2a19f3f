//! Answers to a package's own questions: what each kind takes, and how an answer is said.

use chrono::{Duration, NaiveDate};

use crate::{
    PersonId, Timestamp,
    policy::{DayLimit, Question, QuestionKind},
    request::TEXT_MOST,
};

/// What is wrong with an answer, in words for whoever typed it. Patterns are for `workflow` to check, and whether a person is known.
pub fn fault(question: &Question, given: &str, now: Timestamp) -> Option<String> {
    let given = given.trim();
    if given.is_empty() {
        return question.required.then(|| "an answer is needed".to_owned());
    }
    if given.chars().count() > TEXT_MOST {
        return Some(format!("at most {TEXT_MOST} characters"));
    }
    match question.kind {
        QuestionKind::Text | QuestionKind::LongText => None,
        QuestionKind::Choice => (!question.choices.iter().any(|choice| choice == given))
            .then(|| "choose one of the answers offered".to_owned()),
        QuestionKind::YesNo => {
            (given != "yes" && given != "no").then(|| "choose yes or no".to_owned())
        }
        QuestionKind::Number => number_fault(question, given),
        QuestionKind::Date => date_fault(question, given, now),
        QuestionKind::Person => given
            .parse::<PersonId>()
            .is_err()
            .then(|| "choose somebody from the list".to_owned()),
    }
}

fn number_fault(question: &Question, given: &str) -> Option<String> {
    let Some(number) = read_number(given) else {
        return Some("write a number".to_owned());
    };
    // Whole limits of a form are far inside what a double holds exactly.
    let least = question.least.map(|least| least as f64);
    let most = question.most.map(|most| most as f64);
    if least.is_some_and(|least| number < least) || most.is_some_and(|most| number > most) {
        return Some(match (question.least, question.most) {
            (Some(least), Some(most)) => format!("write a number from {least} to {most}"),
            (Some(least), None) => format!("write a number of at least {least}"),
            (_, most) => format!("write a number of at most {}", most.unwrap_or_default()),
        });
    }
    None
}

/// A plain decimal number; a comma is taken for a point.
fn read_number(given: &str) -> Option<f64> {
    let plain = given.replace(',', ".");
    let digits = plain.strip_prefix('-').unwrap_or(&plain);
    let fits = !digits.is_empty()
        && digits.len() <= 18
        && digits.chars().all(|one| one.is_ascii_digit() || one == '.');
    fits.then(|| plain.parse().ok()).flatten()
}

fn date_fault(question: &Question, given: &str, now: Timestamp) -> Option<String> {
    let Ok(day) = given.parse::<NaiveDate>() else {
        return Some("write a day, as 2026-12-31".to_owned());
    };
    // "Today" is whatever day it is for somebody on earth: the form does not know where they are.
    let earliest = question
        .earliest
        .and_then(|limit| limit.on((now - Duration::hours(12)).date_naive()));
    let latest = question
        .latest
        .and_then(|limit| limit.on((now + Duration::hours(14)).date_naive()));
    if earliest.is_some_and(|earliest| day < earliest) {
        return earliest.map(|earliest| format!("not before {earliest}"));
    }
    if latest.is_some_and(|latest| day > latest) {
        return latest.map(|latest| format!("not after {latest}"));
    }
    None
}

impl DayLimit {
    /// The day that is meant, if today is `today`.
    pub fn on(self, today: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::On(day) => Some(day),
            Self::InDays(days) => today.checked_add_signed(Duration::try_days(days)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::request::tests::now;

    fn question(kind: QuestionKind) -> Question {
        Question {
            key: "q".into(),
            ask: "What?".into(),
            kind,
            ..Question::default()
        }
    }

    #[test]
    fn every_kind_takes_what_it_asks_for() {
        let taken = |kind, given: &str| fault(&question(kind), given, now()).is_none();
        assert!(taken(QuestionKind::Text, "anything"));
        assert!(taken(QuestionKind::LongText, "anything\nat all"));
        assert!(taken(QuestionKind::YesNo, "yes") && !taken(QuestionKind::YesNo, "perhaps"));
        assert!(taken(QuestionKind::Number, "12") && taken(QuestionKind::Number, "-1,5"));
        for wrong in ["twelve", "1e300", "NaN", "inf", "--1", "1.2.3", "."] {
            assert!(!taken(QuestionKind::Number, wrong), "{wrong}");
        }
        assert!(
            taken(QuestionKind::Date, "2026-02-28") && !taken(QuestionKind::Date, "2026-02-30")
        );
        let somebody = PersonId(uuid::Uuid::from_u128(7)).to_string();
        assert!(taken(QuestionKind::Person, &somebody) && !taken(QuestionKind::Person, "Maya"));
        assert!(!taken(QuestionKind::Choice, "none was offered"));
    }

    #[test]
    fn nothing_is_an_answer_unless_one_is_needed() {
        for kind in QuestionKind::ALL {
            let free = question(*kind);
            assert_eq!(fault(&free, "  ", now()), None);
            let needed = Question {
                required: true,
                ..free
            };
            assert!(fault(&needed, "  ", now()).is_some());
        }
    }

    #[test]
    fn days_are_held_to_their_limits_wherever_somebody_is() {
        // It is 00:30 in Greenwich on the 29th: still the 28th in New York.
        let soon = Question {
            earliest: Some(DayLimit::InDays(0)),
            latest: Some(DayLimit::On("2026-04-30".parse().expect("a day"))),
            ..question(QuestionKind::Date)
        };
        let taken = |day: &str| fault(&soon, day, now()).is_none();
        assert!(taken("2026-03-28") && taken("2026-03-29") && taken("2026-04-30"));
        assert!(!taken("2026-03-27") && !taken("2026-05-01"));
    }

    proptest! {
        /// Whatever number passes lies within the limits.
        #[test]
        fn numbers_that_pass_are_within(least in -50_i64..50, span in 0_i64..50, given in -200_i64..200) {
            let question = Question { least: Some(least), most: Some(least + span), ..question(QuestionKind::Number) };
            let passes = fault(&question, &given.to_string(), now()).is_none();
            prop_assert_eq!(passes, (least..=least + span).contains(&given));
        }
    }
}
