//! Deciding many at once: boxes beside what is plain, one press for all that are ticked, and what became of each.

use std::collections::BTreeMap;

use axum::{Form, http::StatusCode, response::Response};
use domain::{StageId, approval::Verdict, refusal::BulkBar};
use leptos::prelude::*;
use workflow::{
    Error,
    bulk::{self, Outcome},
    decide::Vote,
    views::{approvals as view, approvals::QueueItem, decision},
};

use super::page;
use crate::{frame::About, pages::kit, problem::Fault, refusals, ui::*, visit::Visit};

/// What the list shows of an earlier press of its buttons.
#[derive(Clone, Debug, Default)]
pub struct Back {
    /// What was ticked, with what was typed beside it.
    pub ticked: BTreeMap<StageId, String>,
    /// Whether reasons for a no are asked for.
    pub denying: bool,
    /// What is wrong with the form.
    pub form: Vec<String>,
    /// What is wrong beside a line.
    pub wrong: BTreeMap<StageId, String>,
    /// What became of each line.
    pub results: Vec<Became>,
}

/// What became of one line.
#[derive(Clone, Debug)]
pub struct Became {
    /// Whose and what: `Johan Nyberg, Figma`.
    about: String,
    /// The page that shows it.
    href: String,
    /// Whether the vote counts, or why not.
    result: Result<Verdict, String>,
}

/// Decides what is ticked, each by itself.
pub async fn together(
    visit: Visit,
    Form(fields): Form<BTreeMap<String, String>>,
) -> Result<Response, Fault> {
    let field = |name: &str, stage: StageId| {
        fields
            .get(&format!("{name}-{stage}"))
            .cloned()
            .unwrap_or_default()
    };
    let stages: Vec<StageId> = fields
        .keys()
        .filter_map(|name| name.strip_prefix("tick-")?.parse().ok())
        .collect();
    let verdict = match fields.get("verdict").map(String::as_str) {
        Some("approve") => Some(Verdict::Approve),
        Some("deny") => Some(Verdict::Deny),
        _ => None,
    };
    let mut back = Back {
        ticked: stages
            .iter()
            .map(|stage| (*stage, field("note", *stage)))
            .collect(),
        denying: verdict == Some(Verdict::Deny),
        ..Back::default()
    };
    let Some(verdict) = verdict.filter(|_| !stages.is_empty()) else {
        back.form
            .push("Tick what you want to decide, then press a button.".into());
        back.denying = false;
        return again(&visit, StatusCode::UNPROCESSABLE_ENTITY, back).await;
    };
    if verdict == Verdict::Deny {
        let short = |note: &String| note.trim().chars().count() < domain::request::REASON_LEAST;
        back.wrong = back
            .ticked
            .iter()
            .filter(|(_, note)| short(note))
            .map(|(stage, _)| (*stage, "Say why: they read it.".to_owned()))
            .collect();
        if !back.wrong.is_empty() {
            return again(&visit, StatusCode::UNPROCESSABLE_ENTITY, back).await;
        }
    }
    let votes = stages
        .iter()
        .map(|stage| Vote {
            stage: *stage,
            verdict,
            note: if verdict == Verdict::Deny {
                field("note", *stage)
            } else {
                String::new()
            },
            cap_seconds: None,
            signed_hash: field("signed", *stage),
        })
        .collect();
    let outcomes = match bulk::decide_together(visit.workflow(), &visit.viewer, votes).await {
        Ok(outcomes) => outcomes,
        Err(Error::Refused(_)) => {
            back.form
                .push(format!("Tick at most {} at a time.", bulk::MOST));
            return again(&visit, StatusCode::UNPROCESSABLE_ENTITY, back).await;
        }
        Err(error) => return Err(error.into()),
    };
    let any = outcomes.iter().any(|outcome| outcome.result.is_ok());
    let mut results = Vec::with_capacity(outcomes.len());
    for outcome in outcomes {
        results.push(became(&visit, outcome, verdict).await);
    }
    let status = if any {
        StatusCode::OK
    } else {
        StatusCode::CONFLICT
    };
    let back = Back {
        results,
        ..Back::default()
    };
    again(&visit, status, back).await
}

async fn became(visit: &Visit, outcome: Outcome, verdict: Verdict) -> Became {
    let stage = outcome.stage;
    let facts = decision::load(visit.workflow(), &visit.viewer, stage).await;
    let result = match outcome.result {
        Ok(()) => Ok(verdict),
        Err(Error::Refused(refusals)) => Err(refusals
            .iter()
            .map(refusals::sentence)
            .collect::<Vec<_>>()
            .join(" ")),
        Err(Error::Stale) => Err("Somebody else was first.".into()),
        Err(Error::Missing) => Err("There is nothing to decide for you.".into()),
        Err(_) => Err("That did not work; nothing was changed. Try again.".into()),
    };
    let about = facts.map_or_else(
        |_| "A request".to_owned(),
        |facts| format!("{}, {}", facts.beneficiary.person.name, facts.package.name),
    );
    Became {
        about,
        href: format!("/approvals/{stage}"),
        result,
    }
}

/// The queue as it stands now, with what was ticked and what became of it.
async fn again(visit: &Visit, status: StatusCode, back: Back) -> Result<Response, Fault> {
    let queue = view::load(visit.workflow(), &visit.viewer, None).await?;
    let stuck = view::stuck(visit.workflow(), &visit.viewer).await?;
    let title = match back.form.len() + back.wrong.len() {
        0 => "Decisions".to_owned(),
        faults => kit::to_fix(faults, "Decisions"),
    };
    visit
        .framed(status, &title, About::default(), move || {
            page(queue, stuck, None, false, &back)
        })
        .await
}

/// What became of each line, above the list.
pub fn results(back: &Back) -> Option<AnyView> {
    let items = back
        .results
        .iter()
        .map(|one| {
            let (about, href) = (one.about.clone(), one.href.clone());
            let said = match &one.result {
                Ok(Verdict::Approve) => "Approved: ".to_owned(),
                Ok(Verdict::Deny) => "Denied: ".to_owned(),
                Err(_) => "Not decided: ".to_owned(),
            };
            let why = one.result.as_ref().err().map(|why| format!(" {why}"));
            view! { <li>{said}<a class="link" href=href dir="auto">{about}</a>"."{why}</li> }
        })
        .collect_view();
    let good = back.results.iter().all(|one| one.result.is_ok());
    let tone = if good { Tone::Good } else { Tone::Wait };
    (!back.results.is_empty()).then(|| {
        view! { <div class="flash" role="status"><Note tone=tone title="What became of them"><ul class="stack stack-1">{items}</ul></Note></div> }
            .into_any()
    })
}

/// The box beside a line that is plain enough; room for one where others have it.
pub fn tick(item: &QueueItem, label: &str, back: &Back) -> AnyView {
    let Some(signed) = item.tick.clone() else {
        return view! { <span class="tick"></span> }.into_any();
    };
    let (id, hidden) = (
        format!("tick-{}", item.stage),
        format!("signed-{}", item.stage),
    );
    let checked = back.ticked.contains_key(&item.stage);
    let label = format!("Tick: {label}");
    view! {
        <span class="tick">
            <input type="checkbox" id=id.clone() name=id checked=checked aria-label=label/>
            <input type="hidden" name=hidden value=signed/>
        </span>
    }
    .into_any()
}

/// Where a reason is asked for, under a ticked line.
pub fn reason(item: &QueueItem, back: &Back) -> Option<AnyView> {
    let note = back
        .ticked
        .get(&item.stage)
        .filter(|_| back.denying && item.tick.is_some())?
        .clone();
    let name = format!("note-{}", item.stage);
    let label = format!("Why not, for {}", item.beneficiary.name);
    let error = back.wrong.get(&item.stage).cloned();
    Some(view! {
        <div role="listitem"><TextArea name=name label=label value=note error=error required=true shortest=5 longest=2000/></div>
    }
    .into_any())
}

/// The buttons under the list.
pub fn buttons(back: &Back) -> AnyView {
    let kept: Vec<&str> = [BulkBar::Privileged, BulkBar::Extension, BulkBar::Denied]
        .into_iter()
        .map(refusals::bulk)
        .collect();
    let why = format!(
        "What has no box is decided on its own page: {}, or for another such reason.",
        kept.join(", ")
    );
    let buttons = if back.denying {
        view! { <Button look=Look::DangerSure name="verdict" value="deny">"Deny for these reasons"</Button><LinkButton href="/approvals" look=Look::Quiet>"Do not"</LinkButton> }
            .into_any()
    } else {
        view! { <Button look=Look::Primary name="verdict" value="approve">"Approve the ticked"</Button><Button look=Look::Danger name="verdict" value="deny">"Deny the ticked"</Button> }
            .into_any()
    };
    view! { <Body><div class="btns">{buttons}</div><p class="small dim">{why}</p></Body> }
        .into_any()
}

/// What is wrong with the form, above it.
pub fn faults(back: &Back, items: &[QueueItem]) -> Option<AnyView> {
    let fields: Vec<FieldFault> = items
        .iter()
        .filter_map(|item| {
            Some(FieldFault {
                id: format!("note-{}", item.stage),
                label: item.beneficiary.name.clone(),
                why: back.wrong.get(&item.stage)?.clone(),
            })
        })
        .collect();
    let any = !back.form.is_empty() || !fields.is_empty();
    let form = back.form.clone();
    any.then(|| view! { <Faults faults=form fields=fields/> }.into_any())
}
