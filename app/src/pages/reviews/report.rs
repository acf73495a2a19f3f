//! `/reviews/{campaign}/report`: the report as a page that prints, as comma-separated values, and as the sealed JSON lines.

use axum::{
    extract::Path,
    http::{HeaderValue, header},
    response::Response,
};
use domain::{
    CampaignId, ItemId,
    certification::{CampaignState, ItemState},
};
use leptos::prelude::*;
use serde_json::json;
use workflow::{
    audit::evidence_taken,
    views::reviews::{self, Report, ReportItem},
};

use super::{campaign, said};
use crate::{
    pages::{
        evidence::{file, utc},
        kit, said as house,
    },
    problem::Fault,
    ui::*,
    visit::Visit,
    words,
};

/// The page.
pub async fn show(visit: Visit, Path(id): Path<String>) -> Result<Response, Fault> {
    let id: CampaignId = kit::id(&id)?;
    let found = reviews::report(visit.workflow(), &visit.viewer, id).await?;
    let title = format!("Report: {}", found.campaign.name);
    visit.page(&title, move || page(&found)).await
}

/// Everything as comma-separated values, with names as they are now.
pub async fn csv(visit: Visit, Path(id): Path<String>) -> Result<Response, Fault> {
    let id: CampaignId = kit::id(&id)?;
    let found = reviews::report(visit.workflow(), &visit.viewer, id).await?;
    let what = json!({"file": "review", "campaign": id, "form": "csv"});
    evidence_taken(visit.workflow(), &visit.viewer, what).await?;
    let name = format!("latchkey-review-{}.csv", found.campaign.number);
    let (workflow, viewer) = (visit.workflow().clone(), visit.viewer.clone());
    Ok(file::stream(&name, None, move |after: Option<ItemId>| {
        let (workflow, viewer) = (workflow.clone(), viewer.clone());
        async move {
            let (items, next) = reviews::report_page(&workflow, &viewer, id, after, 1_000).await?;
            let mut text = if after.is_none() {
                file::line(HEAD)
            } else {
                String::new()
            };
            for item in &items {
                text.push_str(&line(item));
            }
            Ok((text, next.map(Some)))
        }
    }))
}

/// The sealed report, byte for byte.
pub async fn json_lines(visit: Visit, Path(id): Path<String>) -> Result<Response, Fault> {
    let id: CampaignId = kit::id(&id)?;
    let found = reviews::report(visit.workflow(), &visit.viewer, id).await?;
    if found.campaign.state != CampaignState::SignedOff {
        return Err(Fault::missing());
    }
    let what = json!({"file": "review", "campaign": id, "form": "json lines"});
    evidence_taken(visit.workflow(), &visit.viewer, what).await?;
    let name = format!("latchkey-review-{}.jsonl", found.campaign.number);
    let (workflow, viewer) = (visit.workflow().clone(), visit.viewer.clone());
    let mut response = file::stream(&name, None, move |after: Option<ItemId>| {
        let (workflow, viewer) = (workflow.clone(), viewer.clone());
        async move {
            let (text, next) = reviews::json_lines(&workflow, &viewer, id, after).await?;
            Ok((text, next.map(Some)))
        }
    });
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-ndjson"),
    );
    Ok(response)
}

const HEAD: &[&str] = &[
    "item",
    "grant",
    "person",
    "name",
    "department",
    "right",
    "source",
    "privileged",
    "control_scope",
    "from",
    "end",
    "suggestion",
    "reviewer",
    "entitled_as",
    "state",
    "answer",
    "until",
    "reason",
    "decided_by",
    "decided_at",
    "together",
    "stage",
    "earlier_stages",
    "stood",
    "took_effect_at",
    "proof",
    "confirmed_at",
];

fn line(row: &ReportItem) -> String {
    let item = &row.item;
    let earlier: Vec<String> = item
        .said
        .iter()
        .map(|one| format!("{} ({})", said::earlier(one), file::moment(Some(one.at))))
        .collect();
    file::line(&[
        item.id.to_string(),
        row.grant.clone(),
        item.person.id.to_string(),
        item.person.name.clone(),
        item.department.clone(),
        item.right.clone(),
        item.source.to_string(),
        item.privileged.to_string(),
        item.control_scope.clone().unwrap_or_default(),
        file::moment(Some(item.from)),
        item.end
            .map_or_else(|| "permanent".into(), |end| file::moment(Some(end))),
        item.suggestion.to_string(),
        item.reviewer.clone().unwrap_or_default(),
        item.via.map(|via| via.to_string()).unwrap_or_default(),
        item.state.to_string(),
        item.answer.map(|one| one.to_string()).unwrap_or_default(),
        file::moment(item.until),
        item.reason.clone(),
        item.decider.clone().unwrap_or_default(),
        file::moment(item.decided_at),
        item.together.to_string(),
        item.stage.to_string(),
        earlier.join("; "),
        item.stood.to_string(),
        file::moment(item.enforced_at),
        row.proof.map(|one| one.to_string()).unwrap_or_default(),
        file::moment(row.confirmed_at),
    ])
}

pub(in crate::pages) fn page(found: &Report) -> AnyView {
    let campaign = &found.campaign;
    let number = said::number(campaign.number);
    let crumbs = vec![
        crumb("Reviews", "/reviews"),
        crumb(campaign.name.clone(), format!("/reviews/{}", campaign.id)),
        here("Report"),
    ];
    let sealed = campaign.state == CampaignState::SignedOff;
    let lead = if sealed {
        format!(
            "{number}. Sealed: its hash stands in the audit log, and the JSON lines can be checked against it without this portal."
        )
    } else if campaign
        .event
        .as_ref()
        .is_some_and(|event| !event.signed_off)
    {
        format!(
            "{number}. A small review without anything privileged: it is kept as it is, and nobody signs it off."
        )
    } else {
        format!("{number}. Not signed off yet; it can still change.")
    };
    let base = format!("/reviews/{}/report", campaign.id);
    let lines = sealed.then(|| {
        let href = format!("{base}.jsonl");
        view! { <LinkButton href=href>"JSON lines, sealed"</LinkButton> }
    });
    let signed = campaign.signed.as_ref().map(|(by, at, note)| {
        let mut facts = vec![
            fact("Signed off by", by.name.clone()),
            fact_view("When", utc(*at)),
        ];
        if !note.is_empty() {
            facts.push(fact("They wrote", note.clone()));
        }
        if let Some(maker) = &campaign.maker {
            facts.push(fact("Made by", maker.name.clone()));
        }
        view! { <Card title="Sign-off"><Body><Facts items=facts left=true/></Body></Card> }
    });
    let rows = found.items.iter().map(row).collect();
    let columns = vec![
        column("Person and right"),
        column("Held"),
        column("Reviewer"),
        column("Answer"),
        column("What became of it"),
    ];
    let extent = format!(
        "The first {} of {}; the files have all.",
        words::number(found.items.len() as i64),
        words::count(campaign.tally.population(), "item", "items")
    );
    let more = found
        .more
        .then(|| view! { <Body><p class="small dim">{extent}</p></Body> });
    view! {
        <PageHead title=format!("Report: {}", campaign.name) lead=lead crumbs=crumbs>
            <span class="btns no-print"><LinkButton href=format!("{base}.csv")>"CSV"</LinkButton>{lines}</span>
        </PageHead>
        <div class="stack stack-5">
            {campaign::tally(&campaign.tally)}
            {signed}
            {campaign::settings(campaign)}
            {campaign::coverage(campaign)}
            {campaign::enforced(campaign)}
            {campaign::looked(campaign)}
            <section class="card long" aria-label="Every item"><header><h2>"Every item"</h2></header><Table label="Every item" columns=columns rows=rows/>{more}</section>
        </div>
    }
    .into_any()
}

fn row(row: &ReportItem) -> Vec<AnyView> {
    let item = &row.item;
    let (name, right) = (item.person.name.clone(), item.right.clone());
    let marks: Vec<String> = [
        item.privileged.then(|| "privileged".to_owned()),
        item.control_scope.clone(),
    ]
    .into_iter()
    .flatten()
    .collect();
    let how = item
        .request
        .map_or_else(|| house::source(item.source).to_owned(), house::number);
    let reviewer = match (&item.reviewer, item.via) {
        (Some(reviewer), Some(via)) => format!("{reviewer}, {}", said::via(via)),
        _ => "nobody could".to_owned(),
    };
    let decided = item.decided_at.map(utc);
    let by = item.decider.clone();
    let reason = item.reason.clone();
    let earlier = item
        .said
        .iter()
        .map(|one| view! { <span class="small dim" dir="auto">{words::sentence(&said::earlier(one))}</span> })
        .collect_view();
    let stood = item
        .stood
        .then(|| view! { <span class="small dim">"Stands: nobody answered the last time"</span> });
    let became = match (item.state, row.proof) {
        (ItemState::Void, _) => said::void(item.void).to_owned(),
        (_, Some(proof)) => said::proof(proof).to_owned(),
        _ if item.enforced_at.is_some() => "ended".to_owned(),
        _ if item.enforce_at.is_some() => "to be taken away".to_owned(),
        _ => "stays".to_owned(),
    };
    let confirmed = row.confirmed_at.map(utc);
    let from = utc(item.from);
    vec![
        cell_view(
            view! { <div class="stack stack-1"><span dir="auto">{name}</span><span class="small dim" dir="auto">{right}</span><span class="small dim">{marks.join(" · ")}</span></div> },
        ),
        cell_view(
            view! { <div class="stack stack-1"><span>{how}</span><span class="small dim">"since "{from}</span></div> },
        ),
        cell(reviewer),
        cell_view(
            view! { <div class="stack stack-1"><span>{said::item(item)}</span><span class="small dim" dir="auto">{by}" "{decided}</span><span class="small dim" dir="auto">{reason}</span>{earlier}{stood}</div> },
        ),
        cell_view(
            view! { <div class="stack stack-1"><span>{became}</span><span class="small dim">{confirmed}</span></div> },
        ),
    ]
}
