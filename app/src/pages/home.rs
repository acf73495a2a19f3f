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
    let lead = lead(&home);
    let deciding = (!home.decisions.is_empty()).then(|| decisions(&home));
    view! {
        <PageHead title=title lead=lead/>
        <div class="two">
            <div class="stack stack-5">{deciding}{requests(&home)}</div>
            {access(&home)}
        </div>
    }
}

/// The state of things in a sentence or two.
fn lead(home: &Home) -> String {
    let mut said = Vec::new();
    if home.decisions_count.count > 0 {
        let verb = if home.decisions_count.count == 1 {
            "waits"
        } else {
            "wait"
        };
        said.push(format!(
            "{} {verb} for you.",
            said::capped_count(home.decisions_count, "decision", "decisions")
        ));
    }
    if home.requests_count.count > 0 {
        let verb = if home.requests_count.count == 1 {
            "waits"
        } else {
            "wait"
        };
        said.push(format!(
            "{} of your requests {verb} for a decision.",
            said::capped(home.requests_count)
        ));
    }
    if home.ends_soon > 0 {
        let what = if home.ends_soon == 1 {
            "1 thing that you hold ends".into()
        } else {
            format!("{} things that you hold end", words::number(home.ends_soon))
        };
        said.push(format!("{what} within seven days."));
    }
    if said.is_empty() {
        "Nothing waits for you.".into()
    } else {
        said.join(" ")
    }
}

fn decisions(home: &Home) -> AnyView {
    let version = kit::version(&format!("{:?}", home.decisions));
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
    view! { <Card title="Waiting for you" aside=aside live="decisions" version=version><Rows>{rows}</Rows></Card> }.into_any()
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
        view! { <Rows>{rows}<div><a class="link small" href="/access">{more}</a></div></Rows> }
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
        <div class="stack">
            <div class="bar"><div class="grow"><h3 dir="auto">{grant.name.clone()}</h3><p class="small dim">{parts::until(grant.end, now)}</p></div>{extend}</div>
            {parts::life(grant, now)}
        </div>
    }
    .into_any()
}
