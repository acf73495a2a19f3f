//! `/search`: packages, requests and people at once.

use axum::{
    extract::Query,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;
use workflow::views::search::{self, Found};

use super::{kit, parts};
use crate::{frame::About, problem::Fault, ui::*, visit::Visit, words};

/// What the address may say.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    /// What was typed.
    #[serde(default)]
    q: String,
}

/// What was found; a whole request number leads to the request at once.
pub async fn show(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Fault> {
    let text: String = asked.q.chars().take(2000).collect();
    let found = search::load(visit.workflow(), &visit.viewer, &text).await?;
    if let Some(request) = found.exactly {
        return Ok(Redirect::to(&format!("/requests/{request}")).into_response());
    }
    let about = About {
        query: text,
        ..About::default()
    };
    visit
        .framed(StatusCode::OK, "Search", about, move || page(&found))
        .await
}

pub(super) fn page(found: &Found) -> impl IntoView + use<> {
    let packages = (!found.packages.is_empty()).then(|| {
        let more = kit::address("/catalog", &[("q", &found.text)]);
        view! {
            <section class="stack stack-3" aria-labelledby="packages"><h2 id="packages">"Packages"</h2>{parts::cards(&found.packages)}
                <p class="small"><a class="link" href=more>"All that fit, in the catalogue"</a></p></section>
        }
    });
    let requests = (!found.requests.is_empty()).then(|| {
        let rows = found
            .requests
            .iter()
            .map(|item| parts::request_row(item, found.now))
            .collect_view();
        view! { <Card title="Requests"><Rows>{rows}</Rows></Card> }
    });
    let people = (!found.people.is_empty()).then(|| {
        let rows = found
            .people
            .iter()
            .map(|one| {
                let mark = view! { <Avatar name=one.person.name.clone()/> }.into_any();
                let detail = [one.job_title.as_str(), one.department.as_str()].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
                view! { <Row title=one.person.name.clone() detail=detail href=format!("/people/{}", one.person.id) mark=mark/> }
            })
            .collect_view();
        view! { <Card title="People"><Rows>{rows}</Rows></Card> }
    });
    let count = found.packages.len() + found.requests.len() + found.people.len();
    let said = words::count(count as i64, "result", "results");
    let version = kit::version(&format!("{found:?}"));
    let nothing = (packages.is_none() && requests.is_none() && people.is_none()).then(|| {
        if found.text.is_empty() {
            view! { <Card title="Results"><Empty sign=Sign::Search title="What are you looking for?" text="Type the name of an application or package, a request\u{2019}s number such as AR-1042, or paste an \u{201c}access denied\u{201d} text."/></Card> }.into_any()
        } else {
            view! { <Card title="Results"><Empty sign=Sign::Search title="Nothing found" text="Try fewer words, or look through the whole catalogue."><LinkButton href="/catalog">"Look in the catalogue"</LinkButton></Empty></Card> }.into_any()
        }
    });
    view! {
        <PageHead title="Search"/>
        <div class="stack stack-5" data-live="results" data-version=version data-said=said>{packages}{requests}{people}{nothing}</div>
    }
}
