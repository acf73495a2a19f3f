//! `/provisioning`: how each target fares, what needs a person and why; `/provisioning/{assignment}`: one right with every call;
//! `/provisioning/targets/{target}`: one target with everything that waits there.

mod one;
mod restore;
mod scans;
mod stuck;
mod target;
mod targets;

use axum::{
    extract::{Path, Query},
    response::Response,
};
use domain::{AssignmentId, TargetId, Timestamp, assignment::Phase};
use leptos::prelude::*;
use serde::Deserialize;
use workflow::{
    assignments,
    views::{
        Cursor,
        provisioning::{self, Provisioning, Recent, Unsettled},
        stuck::{self as stuck_view, Stuck},
    },
};

use super::{kit, said};
use crate::{
    problem::Fault,
    ui::*,
    visit::{Visit, done},
    words,
};

pub use one::show as one;
pub use restore::reconcile;
pub use scans::{go_on, scan};
pub use stuck::{post_again, send_again};
pub use target::show as target;

/// What the address may say.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    /// Where the last page of the attention list ended.
    #[serde(default)]
    after: String,
}

/// The page.
pub async fn show(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Fault> {
    let after = Some(asked.after).filter(|after| !after.is_empty());
    let cursor = after.as_deref().map(Cursor::from_text);
    let all = provisioning::load(visit.workflow(), &visit.viewer, cursor.as_ref()).await?;
    let stuck = stuck_view::load(visit.workflow(), &visit.viewer).await?;
    let later = cursor.is_some();
    let topics = all.topics.clone();
    visit
        .page_live("Provisioner", topics, move || page(all, stuck, later))
        .await
}

/// Tries one assignment again.
pub async fn retry(visit: Visit, Path(assignment): Path<String>) -> Result<Response, Fault> {
    let id: AssignmentId = kit::id(&assignment)?;
    assignments::retry(visit.workflow(), &visit.viewer, id).await?;
    Ok(done(&format!("/provisioning/{id}"), "retried"))
}

/// Why a target is paused, for the audit log.
#[derive(Debug, Default, Deserialize)]
pub struct Why {
    #[serde(default)]
    why: String,
}

/// Holds a target.
pub async fn pause(
    visit: Visit,
    Path(target): Path<String>,
    axum::Form(why): axum::Form<Why>,
) -> Result<Response, Fault> {
    let id: TargetId = kit::id(&target)?;
    let why: String = why.why.trim().chars().take(500).collect();
    assignments::pause_target(visit.workflow(), &visit.viewer, id, &why).await?;
    Ok(done("/provisioning", "paused"))
}

/// Lets a target go on.
pub async fn resume(visit: Visit, Path(target): Path<String>) -> Result<Response, Fault> {
    let id: TargetId = kit::id(&target)?;
    assignments::resume_target(visit.workflow(), &visit.viewer, id).await?;
    Ok(done("/provisioning", "resumed"))
}

fn page(all: Provisioning, stuck: Stuck, later: bool) -> impl IntoView {
    let Provisioning {
        now,
        targets,
        attention,
        next,
        under_way,
        restore,
        stopped,
        recent,
        may_act,
        ..
    } = all;
    let next = next.map(|next| kit::address("/provisioning", &[("after", next.as_str())]));
    let first = later.then_some("/provisioning");
    let version = kit::version(
        &attention
            .iter()
            .map(|one| (one.id, one.attempts, one.phase.as_str()))
            .collect::<Vec<_>>(),
    );
    let attention = if attention.is_empty() {
        view! { <Empty sign=Sign::Check title="Nothing needs you" text="What cannot be set up or removed without a person appears here, with the reason and what to do."/> }.into_any()
    } else {
        let rows = attention
            .iter()
            .map(|one| row(one, now, may_act))
            .collect_view();
        view! { <Rows>{rows}</Rows> }.into_any()
    };
    view! {
        <PageHead title="Provisioner" lead="Every change at the targets, until it was read back."/>
        {restore::card(restore, now)}
        <Card title="Needs attention" live="attention" version=version>{attention}</Card>
        <Pager previous=first next=next back="From the first" on="More of them"/>
        {stuck::card(stuck)}
        {scans::card(stopped, now, may_act)}
        {under_way_card(under_way, now)}
        {targets::cards(targets, now, may_act)}
        {recent_card(recent, now)}
    }
}

/// What should become of it, in a few words: `Johan Nyberg should get sg-orders`.
pub(super) fn aim(one: &Unsettled) -> String {
    let verb = if one.desired {
        "should get"
    } else {
        "should lose"
    };
    format!(
        "{} {verb} {}",
        words::isolate(&one.person.name),
        one.entitlement_name
    )
}

/// A sentence about a right. A name is no word: one that begins with a name leaves it as it is written.
pub(super) fn sentence(text: &str, one: &Unsettled) -> String {
    let names = [&one.entitlement_name, &one.target_name, &one.account];
    let named = names
        .iter()
        .any(|name| !name.is_empty() && text.starts_with(name.as_str()));
    if named {
        text.to_owned()
    } else {
        words::sentence(text)
    }
}

/// What a target said is wrong, without its full stop.
fn plainly(what: &str, one: &Unsettled) -> String {
    sentence(what.trim_end_matches('.'), one)
}

/// What is wrong and since when.
fn trouble(one: &Unsettled, now: Timestamp) -> AnyView {
    let what = one.problem.as_ref().map_or_else(
        || "No explanation was recorded".into(),
        |problem| plainly(&problem.what, one),
    );
    let (since, tries) = (one.since, words::count(one.attempts, "try", "tries"));
    view! { {what}" · since "<Moment at=since now=now say=Say::Moment/>" · "{tries} }.into_any()
}

fn row(one: &Unsettled, now: Timestamp, may_act: bool) -> impl IntoView + use<> {
    let label = format!("Try again: {}", aim(one));
    let act = may_act.then(|| view! { <PostButton action=format!("/provisioning/{}/retry", one.id) small=true label=label>"Try again"</PostButton> });
    let privileged = one.privileged.then(|| view! { <Tag words="privileged"/> });
    let target = one.target_name.clone();
    view! {
        <Row title=aim(one) detail=trouble(one, now) href=format!("/provisioning/{}", one.id)>
            {privileged}<Tag words=target/>{act}
        </Row>
    }
}

fn under_way_card(under_way: Vec<Unsettled>, now: Timestamp) -> impl IntoView {
    let version = kit::version(
        &under_way
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
    let body = if under_way.is_empty() {
        view! { <Empty sign=Sign::Refresh title="All is as it should be" text="Changes that are on their way to a target appear here for the moment that they take."/> }.into_any()
    } else {
        let rows = under_way
            .into_iter()
            .map(|one| {
                let (state, words) = said::phase(one.phase);
                let since = one.since;
                let detail = match (&one.problem, one.next_at) {
                    (Some(problem), Some(next)) => {
                        let what = plainly(&problem.what, &one);
                        view! { {what}"; tried again "<Moment at=next now=now/> }.into_any()
                    }
                    (Some(problem), None) => plainly(&problem.what, &one).into_any(),
                    (None, _) => {
                        view! { "since "<Moment at=since now=now say=Say::Moment/> }.into_any()
                    }
                };
                let target = one.target_name.clone();
                view! {
                    <Row title=aim(&one) detail=detail href=format!("/provisioning/{}", one.id)>
                        <Tag words=target/><Badge state=state words=words/>
                    </Row>
                }
            })
            .collect_view();
        view! { <Rows>{rows}</Rows> }.into_any()
    };
    view! { <Card title="Under way" live="under-way" version=version>{body}</Card> }
}

/// The newest calls, folded away: who looks for one opens it, and everybody else is spared twenty rows.
fn recent_card(recent: Vec<Recent>, now: Timestamp) -> impl IntoView {
    let version = kit::version(&recent.first().map(|one| one.operation.id));
    let calls = (!recent.is_empty()).then(|| {
        let rows = recent
            .into_iter()
            .map(|one| {
                let call = one::call(&one.operation);
                let at = one.operation.at;
                let words = format!("{}, {}", words::isolate(&one.person.name), one.entitlement_name);
                vec![
                    cell_view(view! { <a class="link" href=format!("/provisioning/{}", one.assignment) dir="auto">{words}</a> }),
                    cell(one.target_name),
                    call,
                    cell_view(view! { <Moment at=at now=now/> }),
                    cell(format!("{} ms", words::number(one.operation.took_ms))),
                ]
            })
            .collect();
        let columns = vec![column("Right"), column("Target"), column("Call"), column("When"), numbers("Took")];
        view! { <More summary="Newest calls"><Card><Table label="Newest calls" columns=columns rows=rows/></Card></More> }
    });
    view! { <Region name="calls" version=version>{calls}</Region> }
}

/// Whether something waits for a person.
pub(super) fn needs_person(one: &Unsettled) -> bool {
    one.phase == Phase::Attention
}

#[cfg(test)]
mod tests;
