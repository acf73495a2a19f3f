//! `/provisioning/targets/{target}`: one target, and everything that is not as it should be there; for one that is not switched on,
//! what switching it on would change.

use axum::{
    extract::{Path, Query},
    response::Response,
};
use domain::{TargetId, Timestamp, assignment::Closed};
use leptos::prelude::*;
use workflow::views::{
    Cursor,
    provisioning::{self, TargetPage, Unsettled},
};

use super::{
    super::{kit, said},
    Asked, targets,
};
use crate::{problem::Fault, ui::*, visit::Visit, words};

/// The page.
pub async fn show(
    visit: Visit,
    Path(target): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Fault> {
    let id: TargetId = kit::id(&target)?;
    let after = Some(asked.after).filter(|after| !after.is_empty());
    let cursor = after.as_deref().map(Cursor::from_text);
    let one = provisioning::target(visit.workflow(), &visit.viewer, id, cursor.as_ref()).await?;
    let may_act = visit.viewer.has(domain::person::PortalRole::Operator);
    let (title, topics) = (one.target.name.clone(), one.topics.clone());
    let later = cursor.is_some();
    visit
        .page_live(&title, topics, move || page(one, may_act, later))
        .await
}

pub(super) fn page(one: TargetPage, may_act: bool, later: bool) -> impl IntoView {
    let TargetPage {
        now,
        target,
        additions,
        removals,
        waiting,
        next,
        ..
    } = one;
    let name = target.name.clone();
    let address = format!("/provisioning/targets/{}", target.id);
    let crumbs = vec![crumb("Provisioner", "/provisioning"), here(name.clone())];
    let version = kit::version(
        &waiting
            .iter()
            .map(|one| {
                (
                    one.id,
                    one.attempts,
                    one.phase.as_str(),
                    one.observed.as_str(),
                )
            })
            .collect::<Vec<_>>(),
    );
    let (adds, removes) = (said::capped(additions), said::capped(removals));
    let lead = match target.closed {
        Some(Closed::Shadow) => format!(
            "Not switched on: nothing is written there. Switching it on would give {adds} and take away {removes}."
        ),
        Some(Closed::Restored) => format!(
            "Nothing is given there since the database was restored: {adds} to be given wait, {removes} to be taken away do not."
        ),
        None => format!(
            "{adds} to be given, {removes} to be taken away, until the target has confirmed them."
        ),
    };
    let first = later.then(|| address.clone());
    let next = next.map(|next| kit::address(&address, &[("after", next.as_str())]));
    let would = target.closed == Some(Closed::Shadow);
    let body = if waiting.is_empty() {
        view! { <Empty sign=Sign::Check title="Everything there is as it should be" text="What a grant wants and the target lacks, or the other way round, appears here."/> }.into_any()
    } else {
        list(waiting, would, now)
    };
    let heading = if would {
        "What switching it on would change"
    } else {
        "Not as it should be"
    };
    let card = targets::card(target, now, may_act, false).into_any();
    view! {
        <PageHead title=name lead=lead crumbs=crumbs/>
        <Card title=heading live="waiting" version=version>{body}</Card>
        <Pager previous=first next=next back="From the first" on="More of them"/>
        {card}
    }
}

fn list(waiting: Vec<Unsettled>, would: bool, now: Timestamp) -> AnyView {
    let rows = waiting
        .into_iter()
        .map(|one| row(one, would, now))
        .collect();
    let columns = vec![
        column("Person"),
        column("Right"),
        column(if would { "Would be" } else { "Should be" }),
        column("The target says"),
        column("Since"),
    ];
    view! { <Table label="What is not as it should be" columns=columns rows=rows/> }.into_any()
}

fn row(one: Unsettled, would: bool, now: Timestamp) -> Vec<AnyView> {
    let change = match (one.desired, would) {
        (true, true) => "given",
        (false, true) => "taken away",
        (true, false) => "there",
        (false, false) => "gone",
    };
    let who = words::isolate(&one.person.name);
    let (person, right) = (
        format!("/people/{}", one.person.id),
        format!("/provisioning/{}", one.id),
    );
    let since = one.since;
    vec![
        cell_view(view! { <a class="link" href=person dir="auto">{who}</a> }),
        cell_view(view! { <a class="link" href=right dir="auto">{one.entitlement_name}</a> }),
        cell(change),
        cell(said::observed(one.observed)),
        cell_view(view! { <Moment at=since now=now/> }),
    ]
}
