//! `/`: what waits for me, what of mine ends soon, what I asked for and where it is; nothing else.

use axum::response::Response;
use domain::Timestamp;
use leptos::prelude::*;
use workflow::views::{
    HeldGrant,
    home::{self, Home},
};

use super::{approvals, kit, parts, said};
use crate::{problem::Fault, ui::*, visit::Visit, words};

/// The first page.
pub async fn show(visit: Visit) -> Result<Response, Fault> {
    let home = home::load(visit.workflow(), &visit.viewer).await?;
    visit.page("Home", move || page(home)).await
}

pub(super) fn page(home: Home) -> impl IntoView {
    let title = format!("Hello, {}", home.given_name);
    let next = home.ending.first().map(|grant| (grant.id, grant.end));
    let version = kit::version(&format!(
        "{:?}{:?}{}{next:?}{}{:?}",
        home.decisions_count,
        home.requests_count,
        home.ends_soon,
        home.exceptions,
        (home.findings, home.reviews, home.asked, home.restored)
    ));
    view! {
        <PageHead title=title lead=lead(&home) version=version/>
        <div class="two">
            <div class="stack stack-5">{answers(&home)}{decisions(&home)}{requests(&home)}</div>
            {access(&home)}
        </div>
    }
}

/// The state of things in a sentence or two.
fn lead(home: &Home) -> AnyView {
    let mut said = Vec::new();
    if home.restored {
        said.push(
            view! { <a class="link" href="/provisioning">"The database was restored"</a>": nothing is given until the targets were compared. " }
                .into_any(),
        );
    }
    let waits = |count: i64| if count == 1 { "waits" } else { "wait" };
    if home.decisions_count.count > 0 {
        let (count, verb) = (home.decisions_count, waits(home.decisions_count.count));
        let counted = said::capped_count(count, "decision", "decisions");
        said.push(format!("{counted} {verb} for you. ").into_any());
    }
    if !home.answers.is_empty() {
        let count = home.answers.len() as i64;
        let counted = words::count(count, "question", "questions");
        let verb = waits(count);
        said.push(format!("{counted} {verb} for your answer. ").into_any());
    }
    if home.requests_count.count > 0 {
        let (count, verb) = (home.requests_count, waits(home.requests_count.count));
        let counted = said::capped(count);
        said.push(format!("{counted} of your requests {verb} for a decision. ").into_any());
    }
    if let Some(grant) = home.ending.first().filter(|_| home.ends_soon > 0) {
        let name = grant.name.clone();
        said.push(match (home.ends_soon, grant.end.at()) {
            (1, Some(at)) => {
                view! { <bdi>{name}</bdi>" ends "{parts::when::relative(at, home.now)}". " }
                    .into_any()
            }
            (count, _) => {
                let rest = format!(
                    " and {} more end within seven days. ",
                    words::number(count - 1)
                );
                view! { <bdi>{name}</bdi>{rest} }.into_any()
            }
        });
    }
    if home.exceptions > 0 {
        let count = i64::try_from(home.exceptions).unwrap_or(i64::MAX);
        let (counted, verb) = (words::count(count, "exception", "exceptions"), waits(count));
        said.push(
            view! { <a class="link" href="/exceptions">{counted}</a>" "{verb}" for your word. " }
                .into_any(),
        );
    }
    if home.reviews.count > 0 {
        let counted = said::capped_count(home.reviews, "review", "reviews");
        let verb = waits(home.reviews.count);
        said.push(
            view! { <a class="link" href="/reviews">{counted}</a>" "{verb}" for you. " }.into_any(),
        );
    }
    if home.asked > 0 {
        let counted = words::count(home.asked as i64, "question", "questions");
        said.push(
            view! { <a class="link" href="/reviews">{counted}</a>" about your access to answer. " }
                .into_any(),
        );
    }
    if home.findings > 0 {
        let counted = words::count(home.findings, "finding", "findings");
        said.push(
            view! { <a class="link" href="/findings?whose=mine">{counted}</a>" to see to. " }
                .into_any(),
        );
    }
    if said.is_empty() {
        "Nothing waits for you.".into_any()
    } else {
        said.into_any()
    }
}

/// Questions about the reader's requests: nothing goes on before they are answered.
fn answers(home: &Home) -> AnyView {
    let version = kit::version(&format!("{:?}", home.answers));
    let card = (!home.answers.is_empty()).then(|| {
        let now = home.now;
        let rows = home
            .answers
            .iter()
            .map(|one| {
                let detail = view! { {said::number(one.number)}" · asked "{parts::when::relative(one.since, now)} }.into_any();
                view! { <Row title=one.package.clone() detail=detail href=format!("/requests/{}", one.request)><Badge state=State::Waiting words="your answer"/></Row> }
            })
            .collect_view();
        view! { <Card title="Answers wait for you"><Rows>{rows}</Rows></Card> }
    });
    view! { <Region name="answers" version=version>{card}</Region> }.into_any()
}

fn decisions(home: &Home) -> AnyView {
    let version = kit::version(&format!("{:?}{:?}", home.decisions, home.decisions_count));
    let card = (!home.decisions.is_empty()).then(|| {
        let rows = home
            .decisions
            .iter()
            .map(|item| approvals::row(item, home.now))
            .collect_view();
        let all = format!(
            "All {}",
            said::capped_count(home.decisions_count, "decision", "decisions")
        );
        let aside = view! { <a class="link small" href="/approvals">{all}</a> }.into_any();
        view! { <Card title="Waiting for you" aside=aside><Rows>{rows}</Rows></Card> }
    });
    view! { <Region name="decisions" version=version>{card}</Region> }.into_any()
}

fn requests(home: &Home) -> AnyView {
    let version = kit::version(&format!("{:?}", home.requests));
    let aside = view! { <a class="link small" href="/requests">"All your requests"</a> }.into_any();
    let body = if home.requests.is_empty() {
        view! {
            <Empty sign=Sign::Request title="Nothing on its way" text="When you ask for access, you see here who decides and when it is ready.">
                <LinkButton href="/catalog">"Look in the catalogue"</LinkButton>
            </Empty>
        }
        .into_any()
    } else {
        let rows = home
            .requests
            .iter()
            .map(|item| parts::request_row(item, home.now))
            .collect_view();
        view! { <Rows>{rows}</Rows> }.into_any()
    };
    view! { <Card title="Your requests" aside=aside live="requests" version=version>{body}</Card> }
        .into_any()
}

fn access(home: &Home) -> AnyView {
    let now = home.now;
    let version = kit::version(&format!("{:?}{}", home.ending, home.held));
    let aside = view! { <span class="small dimmer num">{words::number(home.held)}" held"</span> }
        .into_any();
    let rest = home.held - home.ending.len() as i64;
    let body = if home.held == 0 {
        view! {
            <Empty sign=Sign::Lock title="You hold nothing yet" text="What you are given shows here with its life: how much has passed and what is left."/>
        }
        .into_any()
    } else {
        let rows = home
            .ending
            .iter()
            .map(|grant| one(grant, now))
            .collect_view();
        let more = if rest > 0 {
            format!("All your access, {} more", words::number(rest))
        } else {
            "All your access".into()
        };
        view! { <Rows>{rows}<div role="listitem"><a class="link small" href="/access">{more}</a></div></Rows> }
            .into_any()
    };
    view! { <Card title="Your access" aside=aside live="access" version=version>{body}</Card> }
        .into_any()
}

fn one(grant: &HeldGrant, now: Timestamp) -> AnyView {
    let extend = grant.may_extend.then(|| {
        let label = format!("Extend {}", grant.name);
        let look = if parts::ends_soon(grant, now) { Look::Plain } else { Look::Quiet };
        view! { <LinkButton href=format!("/access/{}/extend", grant.id) small=true look=look label=label>"Extend"</LinkButton> }
    });
    view! {
        <div class="stack" role="listitem">
            <div class="bar"><div class="grow"><h3 dir="auto">{grant.name.clone()}</h3><p class="small dim">{parts::until(grant.end, now)}</p></div>{extend}</div>
            {parts::life(grant, now)}
        </div>
    }
    .into_any()
}
