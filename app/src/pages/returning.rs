//! `/access/return`: everything that is the reader's to give back, what goes with it, asked once.

use axum::{Form, response::Response};
use domain::GrantId;
use leptos::prelude::*;
use workflow::{
    grants,
    views::change::{self, Act, Change},
};

use super::{parts, said};
use crate::{
    frame::About,
    problem::Fault,
    ui::*,
    visit::{Visit, done},
    words,
};

/// The page.
pub async fn show(visit: Visit) -> Result<Response, Fault> {
    let change = change::returning(visit.workflow(), &visit.viewer).await?;
    framed(&visit, axum::http::StatusCode::OK, change, vec![]).await
}

/// Gives back what was shown: what came to be held meanwhile stays.
pub async fn send(
    visit: Visit,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let ids: Vec<GrantId> = pairs
        .iter()
        .filter(|(name, _)| name == "grant")
        .filter_map(|(_, value)| value.parse().ok())
        .collect();
    if ids.is_empty() {
        let change = change::returning(visit.workflow(), &visit.viewer).await?;
        let fault = "Tick at least one.".to_owned();
        let status = axum::http::StatusCode::UNPROCESSABLE_ENTITY;
        return framed(&visit, status, change, vec![fault]).await;
    }
    grants::give_back_many(visit.workflow(), &visit.viewer, &ids).await?;
    Ok(done("/access", "returned-all"))
}

async fn framed(
    visit: &Visit,
    status: axum::http::StatusCode,
    change: Change,
    faults: Vec<String>,
) -> Result<Response, Fault> {
    let about = About {
        narrow: true,
        ..About::default()
    };
    visit
        .framed(status, "Give everything back", about, move || {
            page(&change, faults)
        })
        .await
}

pub(super) fn page(change: &Change, faults: Vec<String>) -> AnyView {
    let now = change.now;
    let crumbs = vec![crumb("My access", "/access"), here("Give back")];
    if change.effects.is_empty() {
        return view! {
            <PageHead title="Give everything back" crumbs=crumbs/>
            <Card title="What you hold"><Empty sign=Sign::Lock title="You hold nothing to give back" text="What you are given shows in My access."/></Card>
        }
        .into_any();
    }
    let falls: usize = change
        .effects
        .iter()
        .map(workflow::views::effect::Effect::falls)
        .sum();
    let lead = format!(
        "{} in {}: removed within minutes. To have one again you have to ask again.",
        words::count(falls as i64, "right", "rights"),
        words::count(change.effects.len() as i64, "package", "packages"),
    );
    let cards = change
        .effects
        .iter()
        .map(|effect| {
            let (state, state_words) = said::health(effect.grant.health);
            let badge = view! { <Badge state=state words=state_words/> }.into_any();
            let label = format!("Give back {}", effect.grant.name);
            let id = effect.grant.id.to_string();
            let until = parts::until(effect.grant.end, now);
            let rights = parts::effect::rights(effect, Act::TakeAway, now);
            view! {
                <Card title=effect.grant.name.clone() aside=badge>
                    <Body><Check name="grant" label=label value=id checked=true/><p class="small dim">{until}</p>{rights}</Body>
                </Card>
            }
        })
        .collect_view();
    view! {
        <PageHead title="Give everything back" lead=lead crumbs=crumbs/>
        <Faults faults=faults/>
        <form method="post" action="/access/return" class="fields">
            {cards}
            <div class="btns"><Button look=Look::DangerSure>"Give back what is ticked"</Button><LinkButton href="/access" look=Look::Quiet>"Not now"</LinkButton></div>
        </form>
    }
    .into_any()
}
