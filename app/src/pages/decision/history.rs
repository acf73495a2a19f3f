//! What came before, what the person holds of the application, and what exactly is signed off.

use domain::{grant::End, request::Start};
use leptos::prelude::*;
use workflow::views::{decision::DecisionPage, history::EarlierAsk};

use super::super::{parts::when, said};
use crate::{ui::*, words};

/// What the person holds of this application now, and would hold then.
pub fn application(facts: &DecisionPage) -> impl IntoView + use<> {
    let now = facts.now;
    let held: Vec<AnyView> = facts
        .application
        .iter()
        .map(|one| {
            let until = match (one.found, one.end) {
                (true, _) => ", found there, not approved here".into_any(),
                (false, End::Permanent) => ", without end".into_any(),
                (false, End::At(at)) => view! { ", until "{when::moment(at, now)} }.into_any(),
            };
            let name = one.name.clone();
            view! { <li><bdi>{name}</bdi>{until}</li> }.into_any()
        })
        .collect();
    let this = facts.package.name.clone();
    let known = facts
        .application
        .iter()
        .any(|one| !one.found && one.name == this);
    let then = if known {
        view! { "the same, and "<bdi>{this}</bdi>" "{when::for_length(facts.window, now)} }
            .into_any()
    } else if held.is_empty() {
        view! { <bdi>{this}</bdi>" alone" }.into_any()
    } else {
        view! { "the same, and "<bdi>{this}</bdi>" besides" }.into_any()
    };
    let before = if held.is_empty() {
        "nothing".into_any()
    } else {
        view! { <ul>{held}</ul> }.into_any()
    };
    let app = facts.package.app.name.clone();
    view! {
        <div class="stack"><h2 dir="auto">{format!("In {app}")}</h2>
            <Facts items=vec![fact_view("Holds now", before), fact_view("Would hold then", then)] left=true/></div>
    }
}

/// Earlier asks with what became of them, and the time held in all.
pub fn card(facts: &DecisionPage) -> impl IntoView + use<> {
    let history = &facts.history;
    let now = facts.now;
    let total = match history.grants {
        0 => "They have never held it.".to_owned(),
        grants => format!(
            "Held {}, for {} in all.",
            match grants {
                1 => "once".to_owned(),
                2 => "twice".into(),
                grants => format!("{} times", words::number(grants)),
            },
            words::about(chrono::Duration::seconds(history.held_seconds))
        ),
    };
    let rows = history
        .asks
        .iter()
        .map(|ask| earlier(ask, now))
        .collect_view();
    let rows = (!history.asks.is_empty()).then(|| view! { <Rows>{rows}</Rows> });
    view! { <Card title="Their history with it"><Body><p class="small dim">{total}</p></Body>{rows}</Card> }
}

fn earlier(ask: &EarlierAsk, now: domain::Timestamp) -> AnyView {
    let what = match ask.kind {
        domain::request::LineKind::New => "Asked",
        domain::request::LineKind::Extension => "Asked for more time",
    };
    let state = said::line_state(ask.state);
    let title = format!("{what}: {state}");
    let denied = ask.denied.as_ref().map(|(by, note)| {
        let (by, note) = (by.name.clone(), note.clone());
        view! { ", by "<bdi>{by}</bdi>": \u{201c}"<bdi>{note}</bdi>"\u{201d}" }
    });
    let detail =
        view! { {said::number(ask.number)}" · "{when::relative(ask.at, now)}{denied} }.into_any();
    view! { <Row title=title detail=detail href=format!("/requests/{}", ask.request)/> }.into_any()
}

/// Everything that the hash covers, spelled out.
pub fn covers(facts: &DecisionPage) -> impl IntoView + use<> {
    let now = facts.now;
    let start = match facts.window.start {
        Start::OnActivation => fact("From", "as soon as it is approved"),
        Start::At(at) => fact_view("From", view! { <Moment at=at now=now say=Say::Stamp/> }),
    };
    let mut items = vec![
        fact("Person", facts.beneficiary.person.name.clone()),
        fact_view("Account", address(&facts.account)),
        fact(
            "Package",
            format!("{}, edition {}", facts.package.name, facts.edition),
        ),
        fact(
            "Rules",
            format!(
                "those of edition {}, whatever is changed later",
                facts.edition
            ),
        ),
        start,
        fact_view("How long", when::length(facts.window, now)),
        fact("Reason", facts.reason.clone()),
    ];
    for answer in &facts.answers {
        items.push(fact(answer.ask.clone(), answer.answer.clone()));
    }
    if let Some(cap) = facts.cap_so_far {
        items.push(fact("At most", said::seconds(cap)));
    }
    items.push(fact_view(
        "SHA-256",
        view! { <code class="mono break-all">{facts.to_sign.clone()}</code> },
    ));
    view! { <More summary="What you sign off, in full"><Facts items=items left=true/><p class="small dim">"If any of it changes, your decision does not count for what it became. Questions and answers are not part of it."</p></More> }
}
