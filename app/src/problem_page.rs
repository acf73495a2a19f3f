//! The page of a fault: what happened, that nothing was lost, what to do, and what to quote. It needs no frame and reads nothing, so it
//! can be shown whatever is broken.

use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use leptos::prelude::*;
use workflow::access::Viewer;

use crate::{
    render::{self, Head},
    state::{Nonce, Problem, RequestId, State},
    ui::{Body, Card, Facts, LinkButton, Look, More, PlainPage, SearchForm, fact, fact_view},
};

/// The whole answer, with the problem's status.
pub fn page(
    state: &State,
    viewer: Option<&Viewer>,
    nonce: &Nonce,
    reference: &RequestId,
    problem: &Problem,
) -> Response {
    let head = Head {
        title: problem.title.clone(),
        nonce: nonce.0.clone(),
        assets: state.assets.clone(),
    };
    let name = viewer.map(|viewer| viewer.person.name.clone());
    let (shown, reference) = (problem.clone(), reference.0.to_string());
    (
        problem.status,
        Html(render::document(&head, move || {
            view(shown, name, reference)
        })),
    )
        .into_response()
}

fn view(problem: Problem, name: Option<String>, reference: String) -> impl IntoView {
    let Problem {
        status,
        title,
        what,
        next,
        detail,
        link,
    } = problem;
    // Whoever followed an old address looks for the thing itself.
    let search = (status == StatusCode::NOT_FOUND && name.is_some()).then(|| {
        view! { <SearchForm action="/search" label="Search for access, people, requests" still=true/> }
    });
    let mut facts = vec![
        fact_view("Reference", view! { <span class="mono">{reference}</span> }),
        fact("Answer", status.as_str()),
    ];
    if let Some(name) = name {
        facts.push(fact("Signed in as", name));
    }
    view! {
        <PlainPage>
            <Card><Body>
                <h1><bdi>{title}</bdi></h1>
                <div class="stack"><p dir="auto">{what}</p><p dir="auto">{next}</p></div>
                {search}
                {link.map(|(label, href)| view! { <div class="btns"><LinkButton href=href look=Look::Primary>{label}</LinkButton></div> })}
                <More summary="For the service desk" open=status.is_server_error()>
                    <Facts items=facts/>
                    {detail.map(|detail| view! { <pre class="delta" tabindex="0" aria-label="Details">{detail}</pre> })}
                </More>
            </Body></Card>
        </PlainPage>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_says_what_to_do_and_what_to_quote() {
        let problem = Problem {
            status: StatusCode::NOT_FOUND,
            title: "There is nothing here".into(),
            what: "<script>".into(),
            next: "Check the address.".into(),
            detail: Some("line 1\nline 2".into()),
            link: Some(("Home".into(), "/".into())),
        };
        let stranger = problem.clone();
        let out = render::html(|| view(stranger, None, "r-123".into()));
        assert!(!out.contains("/search"), "{out}");
        let out = render::html(|| view(problem, Some("Maya Rao".into()), "r-123".into()));
        for part in [
            "<h1",
            "There is nothing here",
            "&lt;script&gt;",
            "Check the address.",
            "r-123",
            "Maya Rao",
            "line 2",
            "href=\"/\"",
            "action=\"/search\"",
        ] {
            assert!(out.contains(part), "{part} is missing in {out}");
        }
        assert!(
            !out.contains("leptos-island"),
            "a fault's page needs no script: {out}"
        );
    }
}
