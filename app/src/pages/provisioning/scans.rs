//! Scans: how the newest one over a target went, what was left alone and why, and the buttons that begin one or let it go on.

use axum::{extract::Path, response::Response};
use domain::{EntitlementId, TargetId, Timestamp, drift::Stop};
use leptos::prelude::*;
use serde::Deserialize;
use workflow::{
    scans,
    views::provisioning::{ScanView, StoppedScan, TargetView},
};

use super::super::kit;
use crate::{
    problem::Fault,
    ui::*,
    visit::{Visit, done},
    words,
};

/// Has a target scanned now.
pub async fn scan(visit: Visit, Path(target): Path<String>) -> Result<Response, Fault> {
    let id: TargetId = kit::id(&target)?;
    scans::ask(visit.workflow(), &visit.viewer, id).await?;
    Ok(done("/provisioning", "scanning"))
}

/// How much the page showed.
#[derive(Debug, Default, Deserialize)]
pub struct Seen {
    #[serde(default)]
    changes: i64,
}

/// Says that it is so: the next scan goes on.
pub async fn go_on(
    visit: Visit,
    Path(right): Path<String>,
    axum::Form(seen): axum::Form<Seen>,
) -> Result<Response, Fault> {
    let id: EntitlementId = kit::id(&right)?;
    scans::go_on(visit.workflow(), &visit.viewer, id, seen.changes).await?;
    Ok(done("/provisioning", "scanning"))
}

/// What a target's card says of its scans.
pub(super) fn facts(scan: &ScanView, now: Timestamp) -> Vec<Fact> {
    let last = match (scan.begun_at, scan.ended_at) {
        (None, _) => fact("Last scan", "not yet"),
        (Some(at), None) => fact_view(
            "Scan under way",
            view! { "since "<Moment at=at now=now say=Say::Moment/> },
        ),
        (Some(_), Some(at)) => fact_view("Last scan", view! { <Moment at=at now=now/> }),
    };
    let mut facts = vec![last];
    if scan.begun_at.is_some() {
        facts.push(fact(
            "Scan compared",
            words::count(scan.rights, "right", "rights"),
        ));
        facts.push(fact("Given outside Latchkey", words::number(scan.given)));
        facts.push(fact("Taken outside Latchkey", words::number(scan.vanished)));
    }
    if let Some(at) = scan.next_at {
        facts.push(fact_view("Next scan", view! { <Moment at=at now=now/> }));
    }
    facts
}

/// Why the newest scan of a target could not be done.
pub(super) fn problem(scan: &ScanView) -> Option<AnyView> {
    let problem = scan.problem.clone()?;
    Some(
        view! { <Note tone=Tone::Bad title="The last scan could not be done">{problem}</Note> }
            .into_any(),
    )
}

/// The button that begins a scan, where it may.
pub(super) fn button(target: &TargetView) -> Option<AnyView> {
    target.scan.as_ref().filter(|_| !target.paused)?;
    let action = format!("/provisioning/targets/{}/scan", target.id);
    let label = format!("Scan {} now", target.name);
    Some(
        view! { <PostButton action=action small=true label=label>"Scan now"</PostButton> }
            .into_any(),
    )
}

/// What scans left alone, each with its reason.
pub(super) fn card(stopped: Vec<StoppedScan>, now: Timestamp, may_act: bool) -> AnyView {
    let version = kit::version(
        &stopped
            .iter()
            .map(|one| (one.right, one.at, one.goes_on))
            .collect::<Vec<_>>(),
    );
    let any = !stopped.is_empty();
    let rows = stopped
        .into_iter()
        .map(|one| row(one, now, may_act))
        .collect_view()
        .into_any();
    let body = view! {
        <Body><p>"Nothing was changed about these rights. Look at the target. What stays as it is, is looked at again by the next scan."</p></Body>
        <Rows>{rows}</Rows>
    }
    .into_any();
    let card = any.then(|| view! { <Card title="Scans that stopped">{body}</Card> });
    view! { <Region name="scans" version=version>{card}</Region> }.into_any()
}

fn why(one: &StoppedScan) -> String {
    let holders = words::count(one.believed, "holder", "holders");
    match one.why {
        Stop::Empty => format!("The target lists nobody, and Latchkey knows of {holders}."),
        Stop::NotWhole => {
            "The listing lacks somebody whom a direct read shows, so it is not believed.".to_owned()
        }
        Stop::TooMany => format!(
            "{} would change: {} given outside Latchkey, {} gone, of {holders}. That is more than a scan changes by itself.",
            words::number(one.changes),
            words::number(one.given),
            words::number(one.vanished),
        ),
        Stop::Unread => one.detail.clone(),
    }
}

fn row(one: StoppedScan, now: Timestamp, may_act: bool) -> AnyView {
    let at = one.at;
    let said = why(&one);
    let detail = view! { {said}" · "<Moment at=at now=now/> }.into_any();
    let act = if one.goes_on {
        Some(view! { <Badge state=State::SettingUp words="goes on"/> }.into_any())
    } else {
        (may_act && one.why.may_go_on()).then(|| {
            let action = format!("/provisioning/scans/{}/go-on", one.right);
            let fields = vec![("changes", one.changes.to_string())];
            let label = format!("Go on with {}", one.name);
            view! { <PostButton action=action fields=fields small=true label=label>"Go on"</PostButton> }.into_any()
        })
    };
    view! {
        <Row title=one.name detail=detail><Tag words=one.target_name/>{act}</Row>
    }
    .into_any()
}
