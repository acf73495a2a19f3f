//! The package's own questions and its ticket, each as the field that fits its kind.

use std::collections::BTreeMap;

use chrono::Duration;
use domain::{
    PersonId, Timestamp,
    asking::Ticket,
    policy::{DayLimit, Question, QuestionKind},
    request::TEXT_MOST,
};
use leptos::prelude::*;
use workflow::{
    Workflow,
    access::Viewer,
    views::{colleagues, search::FoundPerson},
};

use super::typed::{Faults, Typed};
use crate::ui::*;

/// Whom the answers to questions about people may mean: those found by what was typed, and whoever was chosen.
pub type Picks = BTreeMap<String, Vec<FoundPerson>>;

/// Finds whom the answers may mean. Where somebody was looked for and nobody chosen, that is a fault beside the question.
pub async fn look_up(
    workflow: &Workflow,
    viewer: &Viewer,
    questions: &[Question],
    typed: &Typed,
    faults: &mut Faults,
) -> workflow::Result<Picks> {
    let mut picks = Picks::new();
    for question in questions {
        if question.kind != QuestionKind::Person {
            continue;
        }
        let chosen: Option<PersonId> = typed
            .answers
            .get(&question.key)
            .and_then(|text| text.parse().ok());
        let mut found = match chosen {
            Some(id) => colleagues::named(workflow, &[id]).await?,
            None => Vec::new(),
        };
        let wanted = typed
            .finds
            .get(&question.key)
            .map_or("", |text| text.trim());
        if !wanted.is_empty() {
            let all = colleagues::find(
                workflow,
                viewer,
                wanted,
                domain::asking::ForOthers::Colleagues,
            )
            .await?;
            let field = format!("answer-{}", question.key);
            if chosen.is_none() {
                faults.add(
                    field,
                    if all.is_empty() {
                        "Nobody of that name was found. Try a part of it."
                    } else {
                        "Choose whom you mean."
                    },
                );
            }
            found.extend(all.into_iter().filter(|one| Some(one.person.id) != chosen));
        }
        picks.insert(question.key.clone(), found);
    }
    Ok(picks)
}

/// The answers as they are meant. Where somebody was looked for and nobody chosen, the answer is one that the rules refuse, so that
/// nothing is sent without it and all other faults are found as well.
pub fn meant(typed: &Typed, picks: &Picks) -> BTreeMap<String, String> {
    let mut answers = typed.answers.clone();
    for key in picks.keys() {
        let looked = typed
            .finds
            .get(key)
            .is_some_and(|text| !text.trim().is_empty());
        if looked && answers.get(key).is_none_or(|text| text.trim().is_empty()) {
            answers.insert(key.clone(), "nobody was chosen".to_owned());
        }
    }
    answers
}

/// One question.
pub fn ask(
    question: &Question,
    typed: &Typed,
    faults: &Faults,
    picks: &Picks,
    now: Timestamp,
) -> AnyView {
    let name = format!("answer-{}", question.key);
    let value = typed.answers.get(&question.key).cloned();
    let error = faults.of(&name);
    let required = question.required;
    let label = question.ask.clone();
    let hint = (!question.help.is_empty()).then(|| question.help.clone());
    let hint = hint.map(|help| view! { <span dir="auto">{help}</span> }.into_any());
    let words = |all: &[String]| {
        all.iter()
            .map(|one| choice(one.clone(), one.clone()))
            .collect::<Vec<_>>()
    };
    match question.kind {
        QuestionKind::Text => view! { <TextField name=name label=label hint=hint value=value error=error required=required longest=TEXT_MOST as u32/> }.into_any(),
        QuestionKind::LongText => view! { <TextArea name=name label=label hint=hint value=value error=error required=required longest=TEXT_MOST as u32/> }.into_any(),
        QuestionKind::Choice if question.choices.len() <= 5 => {
            view! { <RadioCards name=name label=label hint=hint options=words(&question.choices) value=value error=error required=required/> }.into_any()
        }
        QuestionKind::Choice => view! { <Select name=name label=label hint=hint options=words(&question.choices) value=value error=error required=required none="Choose"/> }.into_any(),
        QuestionKind::YesNo => {
            let options = vec![choice("yes", "Yes"), choice("no", "No")];
            view! { <RadioCards name=name label=label hint=hint options=options value=value error=error required=required across=true/> }.into_any()
        }
        QuestionKind::Number => {
            let (min, max) = (question.least.map(|one| one.to_string()), question.most.map(|one| one.to_string()));
            view! { <TextField name=name label=label hint=hint kind="number" min=min max=max value=value error=error required=required/> }.into_any()
        }
        QuestionKind::Date => {
            let day = |limit: Option<DayLimit>, hours: i64| {
                limit
                    .and_then(|limit| limit.on((now + Duration::hours(hours)).date_naive()))
                    .map(|day| day.to_string())
            };
            // As wide as the rule: it is still yesterday, or tomorrow already, for somebody.
            let (min, max) = (day(question.earliest, -12), day(question.latest, 14));
            view! { <TextField name=name label=label hint=hint kind="date" min=min max=max value=value error=error required=required/> }.into_any()
        }
        QuestionKind::Person => person(question, typed, picks, hint, error),
    }
}

/// Somebody by name: what is typed is looked up when the form is sent, and the form comes back to choose from.
fn person(
    question: &Question,
    typed: &Typed,
    picks: &Picks,
    hint: Option<AnyView>,
    error: Option<String>,
) -> AnyView {
    let name = format!("answer-{}", question.key);
    let find = format!("find-{}", question.key);
    let wanted = typed.finds.get(&question.key).cloned();
    let found = picks.get(&question.key).cloned().unwrap_or_default();
    if found.is_empty() {
        let required = question.required;
        let label = question.ask.clone();
        let hint = hint.or_else(|| {
            Some(
                view! { "Type a part of the name; you choose the person in the next step." }
                    .into_any(),
            )
        });
        return view! { <TextField name=find label=label hint=hint value=wanted error=error required=required/> }.into_any();
    }
    let options = found.iter().map(option).collect();
    let value = typed.answers.get(&question.key).cloned();
    view! {
        <div class="stack stack-3">
            <RadioCards name=name label=question.ask.clone() hint=hint options=options value=value error=error required=question.required/>
            <TextField name=find label="Somebody else? Look for another name" value=wanted bare=true/>
        </div>
    }
    .into_any()
}

/// A person to choose, with what tells them apart.
pub fn option(found: &FoundPerson) -> Choice {
    let about: Vec<&str> = [found.job_title.as_str(), found.department.as_str()]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect();
    Choice {
        value: found.person.id.to_string(),
        label: found.person.name.clone(),
        detail: (!about.is_empty()).then(|| about.join(", ")),
    }
}

/// The field of a ticket.
pub fn ticket(ticket: &Ticket, typed: &Typed, faults: &Faults) -> AnyView {
    let name = format!("answer-{}", Ticket::KEY);
    let value = typed.answers.get(Ticket::KEY).cloned();
    let error = faults.of(&name);
    let hint = (!ticket.example.is_empty()).then(|| {
        let said = format!("Such as {}.", ticket.example);
        view! { <span dir="auto">{said}</span> }.into_any()
    });
    view! { <TextField name=name label=TICKET hint=hint value=value error=error required=ticket.required longest=Ticket::MOST as u32/> }
        .into_any()
}

/// What the ticket's field asks for.
pub const TICKET: &str = "Ticket";
