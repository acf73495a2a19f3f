//! Who held what of an application at the end of a day, and how that agrees with the target.

use axum::{
    extract::Query,
    response::{IntoResponse, Redirect, Response},
};
use domain::{ApplicationId, Timestamp, grant::End};
use leptos::prelude::*;
use serde::Deserialize;
use serde_json::json;
use workflow::{
    audit::evidence_taken,
    views::{
        Cursor,
        evidence::{self, Evidence, Holding, Population, Reconciled},
    },
};

use super::{ROWS, TAKERS, applications, file, kit, made, said, segments, take_along, utc};
use crate::{problem::Fault, ui::*, visit::Visit, words};

/// What the address says.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    /// The printed id of an application.
    #[serde(default)]
    pub application: String,
    /// A day.
    #[serde(default)]
    pub day: String,
    /// Where the last page ended.
    #[serde(default)]
    pub after: String,
}

impl Asked {
    /// The application and the instant: the end of the day, or now on a day that is not over. None if nothing was asked yet.
    fn what(
        &self,
        now: Timestamp,
    ) -> Result<Option<(ApplicationId, Timestamp)>, (&'static str, &'static str)> {
        if self.application.is_empty() {
            return Ok(None);
        }
        let app = self
            .application
            .parse()
            .map_err(|_| ("application", "Choose an application."))?;
        let at = if self.day.trim().is_empty() {
            now
        } else {
            kit::day_over(&self.day).ok_or(("day", "Choose a day, such as 2026-11-21."))?
        };
        if kit::day(&self.day).is_some_and(|day| day > now) {
            return Err(("day", "That day has not come yet."));
        }
        Ok(Some((app, at.min(now))))
    }

    /// What an address says of it, without the page of the list.
    fn pairs(&self) -> [(&'static str, &str); 2] {
        [("application", &self.application), ("day", &self.day)]
    }
}

/// The page.
pub async fn show(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Fault> {
    let offered = evidence::load(visit.workflow(), &visit.viewer).await?;
    let cursor = Some(asked.after.as_str())
        .filter(|after| !after.is_empty())
        .map(Cursor::from_text);
    let (found, fault) = match asked.what(visit.now()) {
        Ok(Some((app, at))) => (
            Some(
                evidence::population(
                    visit.workflow(),
                    &visit.viewer,
                    app,
                    at,
                    cursor.as_ref(),
                    ROWS,
                )
                .await?,
            ),
            None,
        ),
        Ok(None) => (None, None),
        Err(fault) => (None, Some(fault)),
    };
    visit
        .page("Evidence", move || page(offered, asked, found, fault))
        .await
}

/// All rows as a file.
pub async fn csv(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Fault> {
    visit.viewer.must_have(TAKERS)?;
    let Ok(Some((app, at))) = asked.what(visit.now()) else {
        // The page says beside its fields what is wrong.
        return Ok(Redirect::to(&kit::address("/evidence", &asked.pairs())).into_response());
    };
    let what = json!({"file": "holdings", "application": app, "at": at});
    evidence_taken(visit.workflow(), &visit.viewer, what).await?;
    let name = format!(
        "latchkey-holdings-{}.csv",
        kit::day_field(at - chrono::Duration::seconds(1))
    );
    let (workflow, viewer) = (visit.workflow().clone(), visit.viewer.clone());
    Ok(file::stream(&name, None, move |after: Option<Cursor>| {
        let (workflow, viewer) = (workflow.clone(), viewer.clone());
        async move {
            let page =
                evidence::population(&workflow, &viewer, app, at, after.as_ref(), 1000).await?;
            let mut text = if after.is_none() {
                file::line(HEAD)
            } else {
                String::new()
            };
            page.rows.iter().for_each(|row| text.push_str(&line(row)));
            Ok((text, page.next.map(Some)))
        }
    }))
}

const HEAD: &[&str] = &[
    "person",
    "name",
    "department",
    "account",
    "package",
    "entitlement",
    "target",
    "grant",
    "source",
    "from",
    "end",
    "ended_at",
    "end_reason",
    "ready_at",
    "gone_at",
    "request",
    "approvers",
    "observed",
    "observed_at",
    "origin",
];

fn line(row: &Holding) -> String {
    file::line(&[
        row.person.to_string(),
        row.name.clone(),
        row.department.clone(),
        row.account.clone(),
        row.package.clone().unwrap_or_default(),
        row.entitlement.clone(),
        row.target.clone(),
        row.grant.to_string(),
        row.source.to_string(),
        file::moment(Some(row.from)),
        match row.end {
            End::At(at) => file::moment(Some(at)),
            End::Permanent => "permanent".into(),
        },
        file::moment(row.ended_at),
        row.end_reason
            .map(|reason| reason.to_string())
            .unwrap_or_default(),
        file::moment(row.ready_at),
        file::moment(row.gone_at),
        row.request
            .map(|(_, number)| said::number(number))
            .unwrap_or_default(),
        row.approvers.join("; "),
        row.observed.to_string(),
        file::moment(row.observed_at),
        row.origin
            .map(|origin| origin.to_string())
            .unwrap_or_default(),
    ])
}

pub(super) fn page(
    offered: Evidence,
    asked: Asked,
    found: Option<Population>,
    fault: Option<(&'static str, &'static str)>,
) -> impl IntoView {
    let now = offered.now;
    let day = if asked.day.is_empty() && asked.application.is_empty() {
        kit::day_field(now)
    } else {
        asked.day.clone()
    };
    let said = |field: &str| {
        fault
            .filter(|(name, _)| *name == field)
            .map(|(_, words)| words)
    };
    let (app_fault, day_fault) = (said("application"), said("day"));
    let options = applications(&offered.applications);
    let (application, latest) = (asked.application.clone(), kit::day_field(now));
    let result = match found {
        Some(found) => shown(found, &asked).into_any(),
        None => view! { <Card title="Who held what"><Empty sign=Sign::Evidence title="Choose an application and a day" text="You get everybody who held something of it at the end of that day, why, who approved, and whether the target agrees."/></Card> }.into_any(),
    };
    view! {
        <PageHead title="Evidence" lead="Who held what, on any day, with how it was worked out."/>
        {segments("/evidence")}
        <form class="card no-print" method="get" action="/evidence">
            <div class="body stack stack-4">
                <div class="grid gap-4 items-end sm:grid-cols-2">
                    <Select name="application" label="Application" options=options value=application error=app_fault required=true/>
                    <TextField name="day" label="At the end of" hint="In UTC; today means now" kind="date" value=day max=latest error=day_fault required=true/>
                </div>
                <div class="btns"><Button look=Look::Primary>"Show who held what"</Button></div>
            </div>
        </form>
        {result}
    }
}

fn shown(found: Population, asked: &Asked) -> impl IntoView + use<> {
    let Population {
        application,
        at,
        read_at,
        query,
        rows,
        next,
        count,
        people,
        reconciled,
        head,
    } = found;
    let pairs = asked.pairs();
    let csv = kit::address("/evidence/population.csv", &pairs);
    let first = (!asked.after.is_empty()).then(|| kit::address("/evidence", &pairs));
    let next =
        next.map(|next| kit::address("/evidence", &[pairs[0], pairs[1], ("after", next.as_str())]));
    let counted = format!(
        "{} by {}, {}",
        words::count(count, "holding", "holdings"),
        words::count(people, "person", "people"),
        words::exact(at)
    );
    let along = take_along(csv, rows.len(), count, !asked.after.is_empty());
    let body = if rows.is_empty() {
        view! { <Empty sign=Sign::Evidence title="Nobody held anything of it then"/> }.into_any()
    } else {
        let rows = rows.iter().map(cells).collect();
        let columns = vec![
            column("Person"),
            column("Right"),
            column("From, until"),
            column("Why"),
            column("Target says now"),
        ];
        view! { <Table label=counted.clone() columns=columns rows=rows/> }.into_any()
    };
    view! {
        <Card title=format!("{}: who held what", application.name)>
            <Body><p><b>{counted}</b></p>{along}</Body>
            {body}
        </Card>
        <Pager previous=first next=next back="From the first" on="More rows"/>
        {agrees(&application.name, reconciled)}
        {made(query, read_at, &head)}
    }
}

fn agrees(application: &str, found: Reconciled) -> impl IntoView + use<> {
    let Reconciled {
        desired,
        present,
        missing,
        surplus,
        oldest_read,
        newest_read,
    } = found;
    let (tone, title) = if missing + surplus == 0 {
        (Tone::Good, "The targets agree.")
    } else {
        (Tone::Wait, "The targets do not agree everywhere.")
    };
    let read = match (oldest_read, newest_read) {
        (Some(oldest), Some(newest)) => format!(
            " Read between {} and {}.",
            words::stamp(oldest),
            words::stamp(newest)
        ),
        _ => String::new(),
    };
    let words = format!(
        "Of {} that should be there for {application} now, {} confirmed by the target and {} not there or not known; {} there that should not be.{read}",
        words::count(desired, "right", "rights"),
        words::count(present, "is", "are"),
        words::number(missing),
        words::count(surplus, "is", "are"),
    );
    view! { <Note tone=tone title=title>{words}</Note> }
}

fn cells(row: &Holding) -> Vec<AnyView> {
    let end = match (row.ended_at, row.end) {
        (Some(ended), _) => format!("ended {}", words::stamp(ended)),
        (None, End::At(end)) => words::stamp(end),
        (None, End::Permanent) => "no end".into(),
    };
    let why = match row.request {
        Some((request, number)) => {
            let (href, number) = (format!("/requests/{request}"), said::number(number));
            let yes = if row.approvers.is_empty() {
                "by policy".to_owned()
            } else {
                row.approvers.join(", ")
            };
            view! { <div class="stack stack-1"><a class="link" href=href>{number}</a><span class="small dim" dir="auto">{yes}</span></div> }.into_any()
        }
        None => cell(said::source(row.source)),
    };
    let package = row
        .package
        .clone()
        .unwrap_or_else(|| "found at the target".into());
    let (entitlement, from) = (row.entitlement.clone(), row.from);
    let observed = said::observed(row.observed);
    let read = row
        .observed_at
        .map(|read| view! { <span class="small dim">{utc(read)}</span> });
    vec![
        cell_view(
            view! { <Who name=row.name.clone() detail=format!("{} · {}", row.account, row.department) href=format!("/people/{}", row.person)/> },
        ),
        cell_view(
            view! { <div class="stack stack-1"><span dir="auto">{entitlement}</span><span class="small dim" dir="auto">{package}</span></div> },
        ),
        cell_view(
            view! { <div class="stack stack-1">{utc(from)}<span class="small dim">{end}</span></div> },
        ),
        why,
        cell_view(view! { <div class="stack stack-1"><span>{observed}</span>{read}</div> }),
    ]
}
