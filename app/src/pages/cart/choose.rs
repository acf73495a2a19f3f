//! Choosing people to ask for: found by a part of their name, ticked, sent by id.

use domain::asking::ForOthers;
use leptos::prelude::*;
use workflow::views::{cart::Choosing, search::FoundPerson};

use super::super::ask::question;
use crate::ui::*;

/// What the page is called.
pub fn title(choosing: &Choosing) -> String {
    format!("Ask for {} for others", choosing.name)
}

/// The page.
pub fn page(
    choosing: &Choosing,
    text: &str,
    found: &[FoundPerson],
    wrong: Option<&'static str>,
) -> impl IntoView + use<> {
    let package = choosing.package.to_string();
    let crumbs = vec![
        crumb("Catalogue", "/catalog"),
        crumb(choosing.name.clone(), format!("/catalog/{package}")),
        here("For others"),
    ];
    let lead = match choosing.scope {
        ForOthers::Nobody => "Everybody asks for this themselves.",
        ForOthers::Reports => "You can ask for this for people who report to you. They are told.",
        ForOthers::Colleagues => {
            "You can ask for this for everybody who works here. They are told."
        }
    };
    let wrong: Vec<String> = wrong.into_iter().map(Into::into).collect();
    let body = if choosing.scope == ForOthers::Nobody {
        let href = format!("/catalog/{package}");
        view! { <div class="btns"><LinkButton href=href>"Look at the package"</LinkButton></div> }
            .into_any()
    } else {
        let keep = vec![("package", package.clone())];
        let results = results(&package, text, found);
        view! {
            <SearchForm action="/request/people" label="A part of the name" value=text.to_owned() keep=keep still=true/>
            {results}
        }
        .into_any()
    };
    view! {
        <PageHead title=title(choosing) lead=lead crumbs=crumbs/>
        <Faults faults=wrong/>
        <div class="stack stack-4">{body}</div>
    }
}

fn results(package: &str, text: &str, found: &[FoundPerson]) -> Option<AnyView> {
    if text.trim().is_empty() {
        return None;
    }
    if found.is_empty() {
        return Some(
            view! { <Card title="People"><Empty sign=Sign::People title="Nobody found" text="Nobody of that name, or nobody whom you can ask for. Try a part of the name."/></Card> }
                .into_any(),
        );
    }
    let people = found
        .iter()
        .map(|one| {
            let one = question::option(one);
            let hint = one
                .detail
                .map(|detail| view! { <span dir="auto">{detail}</span> }.into_any());
            view! { <Check name="person" label=one.label value=one.value hint=hint/> }
        })
        .collect_view();
    let fields = vec![
        ("package", package.to_owned()),
        ("others", "yes".to_owned()),
    ];
    Some(
        view! {
            <form method="post" action="/request/add" class="fields">
                <Hidden fields=fields/>
                <fieldset class="field"><legend>"For whom?"</legend><div class="stack stack-3">{people}</div></fieldset>
                <div class="btns"><Button look=Look::Primary>"Add to cart"</Button><LinkButton href="/request" look=Look::Quiet>"Back to the cart"</LinkButton></div>
            </form>
        }
        .into_any(),
    )
}
