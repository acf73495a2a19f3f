//! Reading what a package says about asking: for whom, by how many, which ticket, and its own questions.

use chrono::NaiveDate;
use domain::{
    asking::{Asking, ForOthers, Ticket},
    break_glass::BreakGlass,
    catalogue::{Question, read_span, say_span},
    policy::{DayLimit, Limits, QuestionKind},
};

use super::sheet::{At, Section, Sheet, quoted};
use crate::pattern;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Reads `for_others`, `most_holders` and `[package.ticket]`.
pub(super) fn read_asking(sheet: &mut Sheet, section: Section<'_>) -> Asking {
    let for_others = match sheet.maybe_text(section, "for_others") {
        None => ForOthers::Nobody,
        Some(said) => said.value.parse().unwrap_or_else(|_| {
            let words: Vec<&str> = ForOthers::ALL.iter().map(|word| word.as_str()).collect();
            sheet.fault(
                said.line,
                format!(
                    "`{}` does not say for whom one may ask: use one of {}",
                    said.value,
                    quoted(&words)
                ),
            );
            ForOthers::Nobody
        }),
    };
    let most_holders = sheet.maybe_number(section, "most_holders").and_then(|said| {
        let most = u32::try_from(said.value).ok().filter(|most| *most > 0);
        if most.is_none() {
            sheet.fault(
                said.line,
                "`most_holders` must be 1 or more: write how many people may hold it at once, or leave it out",
            );
        }
        most
    });
    Asking {
        for_others,
        most_holders,
        ticket: read_ticket(sheet, section),
        break_glass: read_break_glass(sheet, section),
    }
}

/// Reads `[package.break_glass]`.
fn read_break_glass(sheet: &mut Sheet, section: Section<'_>) -> Option<BreakGlass> {
    let section = sheet.section(section, "break_glass")?;
    sheet.only(section, &["uses_per_week"]);
    let uses_per_week = match sheet.maybe_number(section, "uses_per_week") {
        None => BreakGlass::USES,
        Some(said) => u32::try_from(said.value)
            .ok()
            .filter(|uses| *uses > 0)
            .unwrap_or_else(|| {
                sheet.fault(
                    said.line,
                    "`uses_per_week` must be 1 or more: write how often one person may use it within seven days",
                );
                BreakGlass::USES
            }),
    };
    Some(BreakGlass { uses_per_week })
}

/// What break-glass needs of the rest of its package, since nobody is asked before: `no_route` and `open_to_all` say how
/// the package is written.
pub(super) fn check_break_glass(
    sheet: &mut Sheet,
    section: Section<'_>,
    asking: &Asking,
    (no_route, open_to_all): (bool, bool),
    limits: Limits,
) {
    if asking.break_glass.is_none() {
        return;
    }
    let most = say_span(BreakGlass::LONGEST_SECONDS);
    let faults = [
        (!no_route, "nobody is asked before break-glass: write route = \"none\"".to_owned()),
        (
            open_to_all,
            "break-glass is not for everybody: say who may use it, as [[package.eligibility]]".to_owned(),
        ),
        (
            limits.longest_seconds > BreakGlass::LONGEST_SECONDS || limits.permanent,
            format!("break-glass is short: make `longest` at most {most}, and not permanent"),
        ),
        (
            asking.for_others != ForOthers::Nobody,
            "break-glass is for oneself: leave `for_others` out".to_owned(),
        ),
        (
            !asking.ticket.as_ref().is_some_and(|ticket| ticket.required),
            "break-glass needs a ticket to be reviewed by: add [package.ticket] with required = true".to_owned(),
        ),
    ];
    for (_, fault) in faults.into_iter().filter(|(so, _)| *so) {
        sheet.fault(section.line, fault);
    }
}

fn read_ticket(sheet: &mut Sheet, section: Section<'_>) -> Option<Ticket> {
    let section = sheet.section(section, "ticket")?;
    sheet.only(section, &["required", "pattern", "example", "url"]);
    let pattern = read_pattern(sheet, section);
    let url = sheet.maybe_text(section, "url");
    if let Some(url) = &url
        && !is_template(&url.value)
    {
        sheet.fault(
            url.line,
            "`url` is not a page of a ticket: write it as \"https://tickets.example.com/browse/{ticket}\", with {ticket} after the host and only once",
        );
    }
    Some(Ticket {
        required: sheet.flag(section, "required"),
        pattern,
        example: text(sheet.maybe_text(section, "example")),
        url: text(url),
    })
}

/// Whether the place of the reference lies behind the host of a page that is read over TLS.
fn is_template(url: &str) -> bool {
    let Some((host, path)) = url
        .strip_prefix("https://")
        .and_then(|rest| rest.split_once('/'))
    else {
        return false;
    };
    !host.is_empty()
        && host
            .chars()
            .all(|one| one.is_ascii_alphanumeric() || ".-:".contains(one))
        && path.matches(Ticket::PLACE).count() == 1
}

fn text(said: Option<At<String>>) -> String {
    said.map(|at| at.value).unwrap_or_default()
}

fn read_pattern(sheet: &mut Sheet, section: Section<'_>) -> String {
    let Some(said) = sheet.maybe_text(section, "pattern") else {
        return String::new();
    };
    if let Err(why) = pattern::check(&said.value) {
        sheet.fault(
            said.line,
            format!("`pattern` is not a regular expression: {why}: write it as \"INC-[0-9]+\""),
        );
    }
    said.value
}

/// Reads each `[[package.question]]`.
pub(super) fn read_questions(sheet: &mut Sheet, section: Section<'_>) -> Vec<Question> {
    let mut questions: Vec<Question> = Vec::new();
    for section in sheet.sections(section, "question") {
        sheet.only(
            section,
            &[
                "key", "ask", "kind", "choices", "required", "help", "pattern", "least", "most",
                "earliest", "latest",
            ],
        );
        let key = sheet.text(section, "key", "\"customer\"");
        let ask = sheet.text(section, "ask", "\"For which customer is this?\"");
        let question = read_question(sheet, section);
        let (Some(key), Some(ask)) = (key, ask) else {
            continue;
        };
        if !key.value.starts_with(|one: char| one.is_ascii_lowercase()) {
            sheet.fault(
                key.line,
                "the key of a question begins with a small letter: write it as \"customer\"",
            );
        }
        if questions.iter().any(|question| question.key == key.value) {
            sheet.fault(
                key.line,
                format!(
                    "the question `{}` stands twice in this package: give one another key",
                    key.value
                ),
            );
        }
        questions.push(Question {
            key: key.value,
            ask: ask.value,
            ..question
        });
    }
    questions
}

/// What a question says besides its key and its words.
fn read_question(sheet: &mut Sheet, section: Section<'_>) -> Question {
    let choices: Vec<String> = sheet
        .texts(section, "choices")
        .into_iter()
        .map(|at| at.value)
        .collect();
    if choices.len() == 1 {
        sheet.fault(
            section.line,
            "`choices` offers only one answer: offer at least two, or leave it out for free text",
        );
    }
    let kind = read_kind(sheet, section, !choices.is_empty());
    let question = Question {
        kind,
        choices,
        required: sheet.flag(section, "required"),
        help: text(sheet.maybe_text(section, "help")),
        pattern: read_pattern(sheet, section),
        least: sheet.maybe_number(section, "least").map(|at| at.value),
        most: sheet.maybe_number(section, "most").map(|at| at.value),
        earliest: read_day(sheet, section, "earliest"),
        latest: read_day(sheet, section, "latest"),
        ..Question::default()
    };
    let fits = [
        (
            question.pattern.is_empty() || kind == QuestionKind::Text,
            "`pattern` goes with kind = \"text\"",
        ),
        (
            (question.least.is_none() && question.most.is_none()) || kind == QuestionKind::Number,
            "`least` and `most` go with kind = \"number\"",
        ),
        (
            (question.earliest.is_none() && question.latest.is_none())
                || kind == QuestionKind::Date,
            "`earliest` and `latest` go with kind = \"date\"",
        ),
        (
            question.choices.is_empty() == (kind != QuestionKind::Choice),
            "`choices` go with kind = \"choice\", and only with it",
        ),
    ];
    for (_, what) in fits.iter().filter(|(fits, _)| !fits) {
        sheet.fault(
            section.line,
            format!("{what}: change the kind, or take them out"),
        );
    }
    if let (Some(least), Some(most)) = (question.least, question.most)
        && least > most
    {
        sheet.fault(
            section.line,
            format!("`least` is {least} but `most` is {most}: no number would fit"),
        );
    }
    question
}

fn read_kind(sheet: &mut Sheet, section: Section<'_>, choices: bool) -> QuestionKind {
    let Some(said) = sheet.maybe_text(section, "kind") else {
        return if choices {
            QuestionKind::Choice
        } else {
            QuestionKind::Text
        };
    };
    said.value.parse().unwrap_or_else(|_| {
        let words: Vec<&str> = QuestionKind::ALL.iter().map(|word| word.as_str()).collect();
        sheet.fault(
            said.line,
            format!(
                "`{}` is not a kind of question: use one of {}",
                said.value,
                quoted(&words)
            ),
        );
        if choices {
            QuestionKind::Choice
        } else {
            QuestionKind::Text
        }
    })
}

/// A day: `today`, `30 days` from now, or a date.
fn read_day(sheet: &mut Sheet, section: Section<'_>, key: &str) -> Option<DayLimit> {
    let said = sheet.maybe_text(section, key)?;
    if said.value == "today" {
        return Some(DayLimit::InDays(0));
    }
    if let Ok(day) = said.value.parse::<NaiveDate>() {
        return Some(DayLimit::On(day));
    }
    if let Ok(seconds) = read_span(&said.value)
        && seconds % DAY == 0
    {
        return Some(DayLimit::InDays(seconds / DAY));
    }
    sheet.fault(
        said.line,
        format!("`{key}` is not a day: write \"today\", \"30 days\" or \"2026-12-31\""),
    );
    None
}
