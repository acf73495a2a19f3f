//! `/catalog`: find a package by name, synonym, owner, address or a pasted "access denied", and see at a glance what it is.

use axum::{
    extract::Query,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use domain::ApplicationId;
use leptos::prelude::*;
use serde::Deserialize;
use workflow::views::{
    Cursor,
    catalog::{self, Card as Offer, Catalog, Filter},
    search,
};

use super::{cart, kit, parts, said};
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
    /// `everyday`, `privileged`, or both.
    #[serde(default)]
    risk: String,
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
            privileged: match self.risk.as_str() {
                "privileged" => Some(true),
                "everyday" => Some(false),
                _ => None,
            },
            after: Some(&self.after)
                .filter(|after| !after.is_empty())
                .map(|after| Cursor::from_text(after)),
        }
    }

    fn narrowed(&self) -> bool {
        let filter = self.filter();
        !filter.text.is_empty()
            || filter.application.is_some()
            || filter.at_least_seconds.is_some()
            || filter.privileged.is_some()
    }

    /// Whether a request's number was typed, such as `AR-1042`.
    fn is_number(&self) -> bool {
        let text = self.q.trim();
        text.get(..3)
            .is_some_and(|prefix| prefix.eq_ignore_ascii_case("AR-"))
            && text[3..].parse::<u32>().is_ok()
    }
}

/// The catalogue; a whole request number leads to the request at once.
pub async fn show(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Fault> {
    if asked.is_number() {
        let found = search::load(visit.workflow(), &visit.viewer, &asked.q).await?;
        if let Some(request) = found.exactly {
            return Ok(Redirect::to(&format!("/requests/{request}")).into_response());
        }
    }
    let found = catalog::load(visit.workflow(), &visit.viewer, &asked.filter()).await?;
    let about = About {
        query: asked.q.clone(),
        topics: vec!["catalogue".into()],
        ..About::default()
    };
    visit
        .framed(StatusCode::OK, "Catalogue", about, move || {
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
    let risks = vec![
        choice("everyday", "Everyday"),
        choice("privileged", "Privileged"),
    ];
    view! {
        <form method="get" action="/catalog" class="grid grid-cols-2 gap-3 items-end sm:flex sm:flex-wrap" aria-label="Filter the catalogue" data-filter="">
            {(!asked.q.is_empty()).then(|| view! { <Hidden fields=vec![("q", asked.q.clone())]/> })}
            <div class="sm:min-w-48"><Select name="app" label="Application" options=applications value=asked.app.clone() none="Any"/></div>
            <div class="sm:min-w-40"><Select name="length" label="I need it for" options=lengths value=asked.length.clone() none="Any length"/></div>
            <div class="sm:min-w-40"><Select name="risk" label="Kind" options=risks value=asked.risk.clone() none="Any"/></div>
            <div class="btns only-still"><Button>"Filter"</Button></div>
        </form>
    }
    .into_any()
}

/// What was found; put in anew while one types.
fn results(found: &Catalog, asked: &Asked) -> AnyView {
    let version = kit::version(&format!(
        "{:?}{:?}{:?}{:?}",
        (&found.cards, &found.usual),
        found.recent,
        found.like_you,
        found.next
    ));
    let count = format!(
        "{}{}",
        words::number(found.cards.len() as i64),
        if found.next.is_some() { "+" } else { "" }
    );
    let said = match (found.cards.len(), asked.narrowed()) {
        (0, _) => "Nothing fits".to_owned(),
        (1, _) if found.next.is_none() => "1 package".into(),
        _ => format!("{count} packages"),
    };
    let suggested =
        !found.recent.is_empty() || !found.usual.is_empty() || !found.like_you.is_empty();
    let title = match (asked.narrowed(), suggested) {
        (true, _) if found.cards.is_empty() => said.clone(),
        (true, _) if found.pasted => format!("Best guesses, {said}"),
        (true, _) => format!("Found, {said}"),
        (false, false) => "All packages".into(),
        (false, true) => "Everything else".into(),
    };
    let clear = (asked.narrowed() && !found.cards.is_empty())
        .then(|| view! { <a class="link small" href="/catalog">"Show everything"</a> });
    let recent = section("recent", "Recently used", &found.recent);
    let usual = cart::like::in_catalogue(&found.usual);
    let nearby = section("like-you", "People like you have", &found.like_you);
    // What is suggested above is not said twice.
    let rest: Vec<_> = found
        .cards
        .iter()
        .filter(|card| {
            let same = |above: &Offer| above.id == card.id;
            !found.recent.iter().chain(&found.usual).any(same) && !found.like_you.iter().any(same)
        })
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
                ("risk", &asked.risk),
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
            {recent}{usual}{nearby}
            <section class="stack stack-3" aria-labelledby="found"><div class="bar wrap"><h2 id="found">{title}</h2>{clear}</div>{pasted}{body}{beyond}</section>
            <Pager previous=previous next=next back="From the first" on="More packages"/>
        </div>
    }
    .into_any()
}

/// Suggestions under a heading; nothing where there are none.
fn section(id: &'static str, title: &'static str, cards: &[Offer]) -> Option<AnyView> {
    (!cards.is_empty()).then(|| {
        view! { <section class="stack stack-3" aria-labelledby=id><h2 id=id>{title}</h2>{parts::cards(cards)}</section> }
            .into_any()
    })
}

fn nothing(asked: &Asked) -> AnyView {
    if asked.narrowed() {
        view! {
            <Card><Empty sign=Sign::Search title="No package is like that" text="Try fewer words, the application\u{2019}s name, or paste its address or its \u{201c}access denied\u{201d} text.">
                <LinkButton href="/catalog">"Show everything"</LinkButton>
            </Empty></Card>
        }
        .into_any()
    } else {
        view! { <Card><Empty sign=Sign::Catalogue title="The catalogue is empty" text="Packages appear here as soon as somebody publishes the catalogue."/></Card> }.into_any()
    }
}

#[cfg(test)]
mod tests {
    use super::Asked;

    fn asked(q: &str) -> Asked {
        Asked {
            q: q.into(),
            ..Asked::default()
        }
    }

    #[test]
    fn a_requests_number_is_told_from_words() {
        for number in ["AR-1042", " ar-7 "] {
            assert!(asked(number).is_number(), "{number}");
        }
        for words in ["", "AR-", "AR-x", "1042", "ARC-1", "åär-1"] {
            assert!(!asked(words).is_number(), "{words}");
        }
    }

    #[test]
    fn each_filter_narrows() {
        assert!(!Asked::default().narrowed());
        for (risk, privileged) in [
            ("privileged", Some(true)),
            ("everyday", Some(false)),
            ("x", None),
        ] {
            let asked = Asked {
                risk: risk.into(),
                ..Asked::default()
            };
            assert_eq!(asked.filter().privileged, privileged);
            assert_eq!(asked.narrowed(), privileged.is_some());
        }
    }
}
