//! One right of one account: what should be, what is, why it is not, every call and every grant behind it.

use axum::{extract::Path, response::Response};
use domain::{AssignmentId, Timestamp, assignment::Phase};
use leptos::prelude::*;
use workflow::views::{
    HeldGrant,
    provisioning::{self, AssignmentPage, Unsettled},
    request::OperationView,
};

use super::{
    super::{kit, said},
    aim, needs_person, sentence,
};
use crate::{problem::Fault, ui::*, visit::Visit, words};

/// The page.
pub async fn show(visit: Visit, Path(assignment): Path<String>) -> Result<Response, Fault> {
    let id: AssignmentId = kit::id(&assignment)?;
    let one = provisioning::assignment(visit.workflow(), &visit.viewer, id).await?;
    let title = format!(
        "{} at {}",
        one.assignment.entitlement_name, one.assignment.target_name
    );
    let topics = vec![
        "provisioning".to_owned(),
        one.assignment.person.id.to_string(),
    ];
    visit.page_live(&title, topics, move || page(one)).await
}

pub(super) fn page(page: AssignmentPage) -> impl IntoView {
    let AssignmentPage {
        now,
        assignment,
        operations,
        grants,
        may_act,
    } = page;
    let crumbs = vec![
        crumb("Provisioner", "/provisioning"),
        here(assignment.entitlement_name.clone()),
    ];
    let (state, words) = said::phase(assignment.phase);
    let (target, account) = (assignment.target_name.clone(), address(&assignment.account));
    let lead = view! { {target}" · account "{account} }.into_any();
    let retry = may_act.then(|| view! { <PostButton action=format!("/provisioning/{}/retry", assignment.id) look=Look::Primary>"Try again"</PostButton> });
    let title = if assignment.phase == Phase::Settled {
        format!(
            "{} and {}",
            assignment.person.name, assignment.entitlement_name
        )
    } else {
        aim(&assignment)
    };
    let version = kit::version(&(
        assignment.phase.as_str(),
        assignment.observed.as_str(),
        assignment.attempts,
        operations.len(),
    ));
    view! {
        <PageHead title=title lead=lead crumbs=crumbs>
            <Badge state=state words=words/>{retry}
        </PageHead>
        <div class="stack stack-5" data-live="assignment" data-version=version>
            {explanation(&assignment, now)}
            <div class="two">
                {calls(operations, now)}
                <div class="stack stack-4">{stands(&assignment, now)}{behind(grants, now)}</div>
            </div>
        </div>
    }
}

fn explanation(one: &Unsettled, now: Timestamp) -> Option<AnyView> {
    let problem = one.problem.as_ref()?;
    let (what, fix) = (sentence(&problem.what, one), sentence(&problem.fix, one));
    let next = match (needs_person(one), one.next_at) {
        (true, _) => {
            "It is not tried again by itself: put it right, then press Try again.".into_any()
        }
        (false, Some(at)) => {
            view! { "It is tried again by itself "<Moment at=at now=now/>"." }.into_any()
        }
        (false, None) => "It is tried again by itself.".into_any(),
    };
    let said = one.said.clone().map(|said| view! { <p class="small">"The target said: "<span class="mono" dir="auto">{said}</span></p> });
    let quote = one.request_id.clone().map(|id| view! { <p class="small">"To quote to its support: "<span class="mono">{id}</span></p> });
    let tone = if needs_person(one) {
        Tone::Bad
    } else {
        Tone::Wait
    };
    Some(view! { <Note tone=tone title=what><p dir="auto">{fix}</p><p>{next}</p>{said}{quote}</Note> }.into_any())
}

fn stands(one: &Unsettled, now: Timestamp) -> impl IntoView + use<> {
    let should = if one.desired {
        "be there"
    } else {
        "not be there"
    };
    let (since, observed_at) = (one.since, one.observed_at);
    let observed = said::observed(one.observed);
    let who = one.person.name.clone();
    let href = format!("/people/{}", one.person.id);
    let items = vec![
        fact_view(
            "Person",
            view! { <a class="link" href=href dir="auto">{who}</a> },
        ),
        fact("Should", should),
        fact_view("Since", view! { <Moment at=since now=now say=Say::Stamp/> }),
        fact("The target says", observed),
        match observed_at {
            Some(at) => fact_view("Read", view! { <Moment at=at now=now say=Say::Stamp/> }),
            None => fact("Read", "not yet"),
        },
        fact("Failures in a row", words::number(one.attempts)),
    ];
    view! { <Card title="How it stands"><Body><Facts items=items/></Body></Card> }
}

fn behind(grants: Vec<HeldGrant>, now: Timestamp) -> impl IntoView {
    let body = if grants.is_empty() {
        view! { <Body><p class="small dim">"No grant wants it: it was found at the target, or it is being cleaned up."</p></Body> }.into_any()
    } else {
        let rows = grants
            .into_iter()
            .map(|grant| {
                let (state, words) = said::held(&grant);
                let end = if grant.over.is_some() { "over".to_owned() } else { said::end(grant.end, now) };
                let href = grant.why.as_ref().map(|why| format!("/requests/{}", why.request));
                let detail = format!("{}, {end}", said::source(grant.source));
                view! { <Row title=grant.name detail=detail href=href><Badge state=state words=words/></Row> }
            })
            .collect_view();
        view! { <Rows>{rows}</Rows> }.into_any()
    };
    view! { <Card title="Grants behind it">{body}</Card> }
}

fn calls(operations: Vec<OperationView>, now: Timestamp) -> impl IntoView {
    if operations.is_empty() {
        return view! { <Card title="Calls"><Empty sign=Sign::Log title="Not called yet" text="Every call at the target is kept here as evidence, with what it answered."/></Card> }.into_any();
    }
    let steps = operations
        .into_iter()
        .map(|operation| {
            let stand = match operation.outcome.as_str() {
                "present" | "absent" | "done" | "already" => Stand::Done,
                "later" | "pending" => Stand::Work,
                _ => Stand::Bad,
            };
            let at = operation.at;
            let mut step = Step::new(stand, call_words(&operation))
                .when(view! { <Moment at=at now=now say=Say::Stamp/> });
            if !operation.detail.is_empty() {
                step = step.detail(operation.detail.clone());
            }
            step.extra(ids(&operation))
        })
        .collect();
    view! { <Card title="Calls, newest first"><Body><Timeline steps=steps/></Body></Card> }
        .into_any()
}

fn ids(operation: &OperationView) -> impl IntoView + use<> {
    let status = operation.status.map(|status| format!("HTTP {status} · "));
    let took = format!("{} ms", words::number(operation.took_ms));
    let theirs = operation
        .request_id
        .clone()
        .map(|id| view! { <br/>"their id "<span class="mono">{id}</span> });
    let ours = operation
        .client_request_id
        .clone()
        .map(|id| view! { <br/>"our id "<span class="mono">{id}</span> });
    view! { <p class="small dimmer">{status}{took}{theirs}{ours}</p> }
}

/// A call in words: `Read: there`, `Added: done`.
fn call_words(operation: &OperationView) -> String {
    let did = match operation.kind.as_str() {
        "read" => "Read",
        "add" => "Add",
        "remove" => "Remove",
        other => other,
    };
    let came = match operation.outcome.as_str() {
        "present" => "it is there",
        "absent" => "it is not there",
        "done" => "accepted",
        "already" => "was so already",
        "later" => "not now, try later",
        "pending" => "taken on, not done yet",
        "never" => "refused for good",
        "misconfigured" => "the connection is not set up right",
        other => other,
    };
    format!("{did}: {came}")
}

/// A call as a cell of a table.
pub(super) fn call(operation: &OperationView) -> AnyView {
    cell(call_words(operation))
}
