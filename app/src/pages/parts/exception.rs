//! The exception that an ask waits for, in words: how far it is, whose word is next by name, and the way to it.

use domain::exception::ExceptionState;
use leptos::prelude::*;
use workflow::views::waits::Wanted;

use super::super::duties;
use crate::{ui::*, words};

/// How far it is, and whose word is next.
pub fn said(wanted: &Wanted) -> String {
    let names: Vec<&str> = wanted.next.iter().map(|one| one.name.as_str()).collect();
    let Some(proposed) = &wanted.proposed else {
        let who = words::list(&[&names[..], &["security"]].concat(), "or");
        return format!("No exception is proposed yet; {who} can propose one.");
    };
    let number = duties::number(proposed.number);
    let who = words::list(&names, "or");
    match (proposed.state, names.is_empty()) {
        (ExceptionState::Proposed, false) => {
            format!("{number} waits for {who}, who accepts it for the business.")
        }
        (ExceptionState::Proposed, true) => {
            format!("{number} waits for the business, and nobody is left who may accept it.")
        }
        (_, false) => format!("{number} is accepted and waits for security: {who}."),
        (_, true) => {
            format!("{number} is accepted, and nobody of security is left who may confirm it.")
        }
    }
}

/// The rule that is broken, and how far its exception is.
pub fn sentence(wanted: &Wanted) -> String {
    let held = if wanted.held.is_empty() {
        "With what is held already".to_owned()
    } else {
        format!("With {}", words::list(&wanted.held, "and"))
    };
    format!(
        "{held} it breaks the rule “{}”. {}",
        wanted.name,
        said(wanted)
    )
}

/// The way to the exception, or to the form that proposes it; nothing if the reader has neither.
pub fn link(wanted: &Wanted) -> Option<AnyView> {
    match &wanted.proposed {
        Some(proposed) if proposed.seen => {
            let href = format!("/exceptions/{}", proposed.id);
            let words = format!("See {}", duties::number(proposed.number));
            Some(view! { <LinkButton href=href small=true>{words}</LinkButton> }.into_any())
        }
        None if wanted.may_propose => {
            let href = format!("/exceptions/new/{}/{}", wanted.rule, wanted.person);
            let label = format!("Propose an exception from {}", wanted.name);
            Some(
                view! { <LinkButton href=href small=true label=label>"Propose an exception"</LinkButton> }
                    .into_any(),
            )
        }
        Some(_) | None => None,
    }
}

/// What is proposed, for those who decide: why, the control and who answers for it, its end and what falls then.
pub fn facts(wanted: &Wanted, now: domain::Timestamp) -> Option<AnyView> {
    let proposed = wanted.proposed.as_ref()?;
    let owner = format!(
        "{}, attested every {} days",
        proposed.control_owner.name, proposed.cadence_days
    );
    let items = vec![
        fact("Why", proposed.reason.clone()),
        fact("Control", proposed.control.clone()),
        fact("Owner of the control", owner),
        fact_view("Ends", view! { <Moment at=proposed.ends_at now=now/> }),
        fact("Taken away at its end", proposed.falls.join(", ")),
    ];
    Some(view! { <Facts items=items/> }.into_any())
}
