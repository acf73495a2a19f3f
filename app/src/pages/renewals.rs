//! `/access/extend`: more time for several at once: tick, one reason, an outcome for each.

use std::collections::{BTreeMap, BTreeSet};

use axum::{Form, extract::Query, http::StatusCode, response::Response};
use domain::{
    GrantId, Refusal,
    request::{REASON_LEAST, TEXT_MOST},
};
use leptos::prelude::*;
use workflow::{
    grants::{self, Renewed},
    views::renewals::{self, Renewal, Renewals},
};

use super::{kit, parts};
use crate::{
    frame::About,
    problem::Fault,
    refusals, spans,
    ui::*,
    visit::{Visit, done},
    words,
};

const WHY: &str = "Why do you need them longer?";
const TITLE: &str = "Ask for more time";

/// What was ticked and typed, and what came of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Typed {
    ticked: BTreeSet<GrantId>,
    reason: String,
    key: String,
    /// What is wrong with one of them.
    wrong: BTreeMap<GrantId, String>,
    /// What is wrong with the reason.
    reason_fault: Option<String>,
    /// What is wrong as a whole.
    whole: Vec<String>,
    /// How many were asked for.
    asked: usize,
}

impl Typed {
    fn of(pairs: &[(String, String)]) -> Self {
        let mut typed = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "grant" => typed.ticked.extend(value.parse::<GrantId>().ok()),
                "reason" => typed.reason.clone_from(value),
                "key" if !value.is_empty() && value.len() <= 64 => typed.key.clone_from(value),
                _ => {}
            }
        }
        typed
    }
}

/// The page; what the address names is ticked.
pub async fn show(
    visit: Visit,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let typed = Typed {
        reason: String::new(),
        key: String::new(),
        ..Typed::of(&pairs)
    };
    let renewals = renewals::load(visit.workflow(), &visit.viewer).await?;
    framed(&visit, StatusCode::OK, renewals, typed).await
}

/// Asks for each that is ticked.
pub async fn send(
    visit: Visit,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let mut typed = Typed::of(&pairs);
    if typed.ticked.is_empty() {
        typed.whole.push("Tick at least one.".into());
        return again(&visit, typed).await;
    }
    if typed.key.is_empty() {
        typed.key = renewals::load(visit.workflow(), &visit.viewer).await?.key;
    }
    let ids: Vec<GrantId> = typed.ticked.iter().copied().collect();
    let (workflow, viewer) = (visit.workflow(), &visit.viewer);
    let outcomes = grants::renew(workflow, viewer, &ids, &typed.reason, &typed.key).await?;
    for (id, outcome) in outcomes {
        match outcome {
            Renewed::Asked(_) => {
                typed.asked += 1;
                typed.ticked.remove(&id);
            }
            Renewed::Refused(refused) => note(&mut typed, id, &refused),
        }
    }
    if typed.wrong.is_empty() && typed.reason_fault.is_none() {
        return Ok(done("/requests", "renewed"));
    }
    again(&visit, typed).await
}

fn note(typed: &mut Typed, id: GrantId, refused: &[Refusal]) {
    let (own, others): (Vec<_>, Vec<_>) = refused
        .iter()
        .partition(|refusal| refusals::field(refusal) == "reason");
    if let Some(refusal) = own.first() {
        typed.reason_fault = Some(refusals::sentence(refusal));
    }
    if !others.is_empty() {
        let said: Vec<String> = others.into_iter().map(refusals::sentence).collect();
        typed.wrong.insert(id, said.join(" "));
    }
}

async fn again(visit: &Visit, typed: Typed) -> Result<Response, Fault> {
    let renewals = renewals::load(visit.workflow(), &visit.viewer).await?;
    framed(visit, StatusCode::UNPROCESSABLE_ENTITY, renewals, typed).await
}

async fn framed(
    visit: &Visit,
    status: StatusCode,
    renewals: Renewals,
    typed: Typed,
) -> Result<Response, Fault> {
    let faults = typed.wrong.len() + typed.whole.len() + usize::from(typed.reason_fault.is_some());
    let title = if faults > 0 {
        kit::to_fix(faults, TITLE)
    } else {
        TITLE.to_owned()
    };
    let about = About {
        narrow: true,
        ..About::default()
    };
    visit
        .framed(status, &title, about, move || page(&renewals, &typed))
        .await
}

pub(super) fn page(renewals: &Renewals, typed: &Typed) -> AnyView {
    let crumbs = vec![crumb("My access", "/access"), here("More time")];
    let asked = (typed.asked > 0).then(|| {
        let said = format!(
            "{} asked for. What is ticked below was not.",
            words::count(typed.asked as i64, "is", "are")
        );
        view! { <Note tone=Tone::Good title="Part of it went through"><span>{said}" "<a class="link" href="/requests">"See your requests"</a></span></Note> }
    });
    if renewals.items.is_empty() {
        return view! {
            <PageHead title=TITLE crumbs=crumbs/>
            {asked}
            <Card title="Ends within 30 days"><Empty sign=Sign::Clock title="Nothing of yours ends soon" text="What ends within 30 days and may be extended shows here, to ask for more time of several at once."/></Card>
        }
        .into_any();
    }
    let rows = renewals
        .items
        .iter()
        .map(|item| row(item, renewals, typed))
        .collect_view();
    let fields = typed
        .reason_fault
        .iter()
        .map(|why| FieldFault {
            id: "reason".into(),
            label: WHY.into(),
            why: why.clone(),
        })
        .chain(typed.wrong.iter().map(|(id, why)| {
            let name = renewals
                .items
                .iter()
                .find(|item| item.grant.id == *id)
                .map(|item| item.grant.name.clone());
            FieldFault {
                id: format!("grant-{id}"),
                label: name.unwrap_or_else(|| "One of them".into()),
                why: why.clone(),
            }
        }))
        .collect();
    let key = if typed.key.is_empty() {
        renewals.key.clone()
    } else {
        typed.key.clone()
    };
    view! {
        <PageHead title=TITLE lead="Each is asked for by itself, for as long as is usual for it. Whoever decides on it decides alone." crumbs=crumbs/>
        {asked}
        <Faults faults=typed.whole.clone() fields=fields/>
        <form method="post" action="/access/extend" class="fields">
            <Hidden fields=vec![("key", key)]/>
            <Card title="Ends within 30 days"><Body>{rows}</Body></Card>
            <TextArea name="reason" label=WHY hint="One reason for all that are ticked. Those who decide read it, and it stays on record." required=true
                shortest=REASON_LEAST as u32 longest=TEXT_MOST as u32 value=typed.reason.clone() error=typed.reason_fault.clone()/>
            <div class="btns"><Button look=Look::Primary>"Ask for what is ticked"</Button><LinkButton href="/access" look=Look::Quiet>"Not now"</LinkButton></div>
        </form>
    }
    .into_any()
}

fn row(item: &Renewal, renewals: &Renewals, typed: &Typed) -> AnyView {
    let (grant, now) = (&item.grant, renewals.now);
    let id = grant.id;
    let Some(until) = item.until else {
        let name = grant.name.clone();
        let ends = parts::until(grant.end, now);
        return view! {
            <div class="stack stack-1"><b dir="auto">{name}</b><p class="small dim">{ends}". It cannot be held longer without a break; after its end you may ask for it anew."</p></div>
        }
        .into_any();
    };
    let more = spans::span(item.more_seconds);
    let ends = parts::until(grant.end, now);
    let hint =
        view! { {ends}"; "{more}" more would be until "<Moment at=until now=now say=Say::Moment/> }
            .into_any();
    let checked = typed.ticked.contains(&id);
    let error = typed.wrong.get(&id).cloned();
    view! { <Check name="grant" label=grant.name.clone() value=id.to_string() checked=checked hint=hint error=error/> }.into_any()
}
