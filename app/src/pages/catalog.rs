//! `/catalog`: find a package by name, synonym, owner, address or a pasted "access denied", and see at a glance what it is.

use axum::{extract::Query, response::Response};
use domain::ApplicationId;
use leptos::prelude::*;
use serde::Deserialize;
use workflow::views::{
    Cursor,
    catalog::{self, Catalog, Filter},
};

use super::{kit, parts, said};
use crate::{frame::About, problem::Fault, ui::*, visit::Visit, words};

/// What the address may say.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    /// What was typed.
    #[serde(default)]
    q: String,
    /// Only this application.
    #[serde(default)]
    app: String,
    /// Only what may be held for so many seconds.
    #[serde(default)]
    length: String,
    /// Where the last page ended.
    #[serde(default)]
    after: String,
}

impl Asked {
    fn filter(&self) -> Filter {
        Filter {
            text: self.q.trim().chars().take(2000).collect(),
            application: self.app.parse::<ApplicationId>().ok(),
            at_least_seconds: self.length.parse().ok().filter(|seconds| *seconds > 0),
            privileged: None,
            after: Some(&self.after)
                .filter(|after| !after.is_empty())
                .map(|after| Cursor::from_text(after)),
        }
    }

    fn narrowed(&self) -> bool {
        let filter = self.filter();
        !filter.text.is_empty() || filter.application.is_some() || filter.at_least_seconds.is_some()
    }
}

/// The catalogue.
pub async fn show(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Fault> {
    let found = catalog::load(visit.workflow(), &visit.viewer, &asked.filter()).await?;
    let about = About {
        query: asked.q.clone(),
        topics: vec!["catalogue".into()],
        ..About::default()
    };
    visit
        .framed(axum::http::StatusCode::OK, "Catalogue", about, move || {
            page(&found, &asked)
        })
        .await
}

pub(super) fn page(found: &Catalog, asked: &Asked) -> impl IntoView + use<> {
    let lead = format!(
        "{}. Each says what it opens, for how long, and how soon it is usually ready.",
        said::capped_count(found.offered, "package", "packages")
    );
    view! { <PageHead title="Catalogue" lead=lead/>{filters(found, asked)}{results(found, asked)} }
}

fn filters(found: &Catalog, asked: &Asked) -> AnyView {
    let applications = found
        .applications
        .iter()
        .map(|app| choice(app.id.to_string(), app.name.clone()))
        .collect();
    let lengths = [
        ("604800", "a week"),
        ("2592000", "a month"),
        ("15552000", "half a year"),
        ("31536000", "a year"),
    ]
    .map(|(seconds, words)| choice(seconds, format!("{words} or longer")))
    .to_vec();
    let clear = asked
        .narrowed()
        .then(|| view! { <a class="btn quiet" href="/catalog">"Show everything"</a> });
    view! {
        <form method="get" action="/catalog" class="bar wrap items-end" aria-label="Filter the catalogue">
            {(!asked.q.is_empty()).then(|| view! { <Hidden fields=vec![("q", asked.q.clone())]/> })}
            <div class="min-w-48"><Select name="app" label="Application" options=applications value=asked.app.clone() none="Any"/></div>
            <div class="min-w-40"><Select name="length" label="Needed for" options=lengths value=asked.length.clone() none="Any time"/></div>
            <div class="btns"><Button>"Filter"</Button>{clear}</div>
        </form>
    }
    .into_any()
}

/// What was found; put in anew while one types.
fn results(found: &Catalog, asked: &Asked) -> AnyView {
    let version = kit::version(&format!(
        "{:?}{:?}{:?}",
        found.cards, found.like_you, found.next
    ));
    let count = format!(
        "{}{}",
        words::number(found.cards.len() as i64),
        if found.next.is_some() { "+" } else { "" }
    );
    let said = match (found.cards.len(), asked.narrowed()) {
        (0, _) => "Nothing fits".to_owned(),
        (1, _) => "1 package".into(),
        _ => format!("{count} packages"),
    };
    let title = match (asked.narrowed(), found.like_you.is_empty()) {
        (true, _) if found.pasted => "Best guesses",
        (true, _) => "Found",
        (false, true) => "All packages",
        (false, false) => "Everything else",
    };
    let nearby = (!found.like_you.is_empty()).then(|| {
        view! { <section class="stack stack-3" aria-labelledby="like-you"><h2 id="like-you">"People like you have"</h2>{parts::cards(&found.like_you)}</section> }
    });
    // What is suggested above is not said twice.
    let rest: Vec<_> = found
        .cards
        .iter()
        .filter(|card| !found.like_you.iter().any(|above| above.id == card.id))
        .cloned()
        .collect();
    let body = if found.cards.is_empty() {
        nothing(asked)
    } else {
        parts::cards(&rest)
    };
    let pairs = |after: &str| {
        kit::address(
            "/catalog",
            &[
                ("q", &asked.q),
                ("app", &asked.app),
                ("length", &asked.length),
                ("after", after),
            ],
        )
    };
    let next = found.next.as_ref().map(|next| pairs(next.as_str()));
    let previous = (!asked.after.is_empty()).then(|| pairs(""));
    let pasted = (found.pasted && !found.cards.is_empty()).then(|| {
        view! { <p class="small dim">"No package has all of these words, so these fit best, the closest first."</p> }
    });
    let beyond = (!asked.q.trim().is_empty()).then(|| {
        let href = kit::address("/search", &[("q", asked.q.trim())]);
        view! { <p class="small dim"><a class="link" href=href>"Look among requests and people, too"</a></p> }
    });
    view! {
        <div class="stack stack-5" data-live="results" data-version=version data-said=said.clone()>
            {nearby}
            <section class="stack stack-3" aria-labelledby="found"><h2 id="found">{title}</h2>{pasted}{body}{beyond}</section>
            <Pager previous=previous next=next back="From the first" on="More packages"/>
        </div>
    }
    .into_any()
}

fn nothing(asked: &Asked) -> AnyView {
    if asked.narrowed() {
        view! {
            <Card><Empty sign=Sign::Search title="Nothing fits" text="Try fewer words, the application\u{2019}s name, or paste its address or its \u{201c}access denied\u{201d} text.">
                <LinkButton href="/catalog">"Show everything"</LinkButton>
            </Empty></Card>
        }
        .into_any()
    } else {
        view! { <Card><Empty sign=Sign::Catalogue title="The catalogue is empty" text="Packages appear here as soon as somebody publishes the catalogue."/></Card> }.into_any()
    }
}
