//! Every change of access in a period, counted by kind.

use axum::{
    extract::Query,
    response::{IntoResponse, Redirect, Response},
};
use domain::{ApplicationId, Timestamp};
use leptos::prelude::*;
use serde::Deserialize;
use serde_json::json;
use workflow::{
    audit::evidence_taken,
    views::{
        ChangeKind, Cursor,
        evidence::{self, Change as Happened, Changes, Evidence},
    },
};

use super::{ROWS, TAKERS, applications, file, kit, made, said, segments, take_along, utc};
use crate::{problem::Fault, ui::*, visit::Visit, words};

/// What the address says.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    /// The printed id of an application; empty for all.
    #[serde(default)]
    pub application: String,
    /// First day.
    #[serde(default)]
    pub from: String,
    /// Last day.
    #[serde(default)]
    pub until: String,
    /// Where the last page ended.
    #[serde(default)]
    pub after: String,
}

type Fields = (Option<ApplicationId>, Timestamp, Timestamp);

impl Asked {
    /// Application and period; none if nothing was asked yet.
    fn what(&self) -> Result<Option<Fields>, (&'static str, &'static str)> {
        if self.from.is_empty() && self.until.is_empty() {
            return Ok(None);
        }
        let app = if self.application.is_empty() {
            None
        } else {
            Some(
                self.application
                    .parse()
                    .map_err(|_| ("application", "Choose an application."))?,
            )
        };
        let from = kit::day(&self.from).ok_or(("from", "Choose a day, such as 2026-11-01."))?;
        let until =
            kit::day_over(&self.until).ok_or(("until", "Choose a day, such as 2026-11-21."))?;
        if from >= until {
            return Err(("until", "The last day lies before the first."));
        }
        Ok(Some((app, from, until)))
    }

    /// What an address says of it, without the page of the list.
    fn pairs(&self) -> [(&'static str, &str); 3] {
        [
            ("application", &self.application),
            ("from", &self.from),
            ("until", &self.until),
        ]
    }
}

/// The page.
pub async fn show(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Fault> {
    let offered = evidence::load(visit.workflow(), &visit.viewer).await?;
    let cursor = Some(asked.after.as_str())
        .filter(|after| !after.is_empty())
        .map(Cursor::from_text);
    let (found, fault) = match asked.what() {
        Ok(Some((app, from, until))) => (
            Some(
                evidence::changes(
                    visit.workflow(),
                    &visit.viewer,
                    app,
                    from,
                    until,
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
        .page("Evidence of changes", move || {
            page(offered, asked, found, fault)
        })
        .await
}

/// All rows as a file.
pub async fn csv(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Fault> {
    visit.viewer.must_have(TAKERS)?;
    let Ok(Some((app, from, until))) = asked.what() else {
        // The page says beside its fields what is wrong.
        return Ok(
            Redirect::to(&kit::address("/evidence/changes", &asked.pairs())).into_response(),
        );
    };
    let what = json!({"file": "changes", "application": app, "from": from, "until": until});
    evidence_taken(visit.workflow(), &visit.viewer, what).await?;
    let name = format!(
        "latchkey-changes-{}-{}.csv",
        kit::day_field(from),
        kit::day_field(until - chrono::Duration::seconds(1))
    );
    let (workflow, viewer) = (visit.workflow().clone(), visit.viewer.clone());
    Ok(file::stream(&name, None, move |after: Option<Cursor>| {
        let (workflow, viewer) = (workflow.clone(), viewer.clone());
        async move {
            let page =
                evidence::changes(&workflow, &viewer, app, from, until, after.as_ref(), 1000)
                    .await?;
            let head = [
                "change",
                "at",
                "person",
                "name",
                "package",
                "subject",
                "reason",
                "by",
                "by_name",
                "request",
                "confirmed_at",
            ];
            let mut text = if after.is_none() {
                file::line(&head)
            } else {
                String::new()
            };
            page.rows.iter().for_each(|row| text.push_str(&line(row)));
            Ok((text, page.next.map(Some)))
        }
    }))
}

fn line(row: &Happened) -> String {
    file::line(&[
        row.kind.to_string(),
        file::moment(Some(row.at)),
        row.person.id.clone(),
        row.person.name.clone(),
        row.package.clone().unwrap_or_default(),
        row.subject.clone(),
        row.reason
            .map(|reason| reason.to_string())
            .unwrap_or_default(),
        row.by.as_ref().map(|by| by.id.clone()).unwrap_or_default(),
        row.by
            .as_ref()
            .map(|by| by.name.clone())
            .unwrap_or_default(),
        row.request
            .map(|(_, number)| said::number(number))
            .unwrap_or_default(),
        file::moment(row.confirmed_at),
    ])
}

/// A kind as badge and word.
const fn kind(kind: ChangeKind) -> (State, &'static str) {
    match kind {
        ChangeKind::Granted => (State::Approved, "began"),
        ChangeKind::Extended => (State::Approved, "extended"),
        ChangeKind::Ended => (State::Ended, "ended"),
        ChangeKind::Denied => (State::Refused, "denied"),
        ChangeKind::Lapsed => (State::Ended, "lapsed"),
        ChangeKind::Cancelled => (State::Ended, "taken back"),
        ChangeKind::Superseded => (State::Ended, "asked again"),
        ChangeKind::Withdrawn => (State::Ended, "withdrawn"),
    }
}

/// A kind where nothing beside it says whether access or a request is meant.
fn counted(kind: ChangeKind) -> String {
    let what = match kind {
        ChangeKind::Granted | ChangeKind::Extended | ChangeKind::Ended => "Access",
        ChangeKind::Denied
        | ChangeKind::Lapsed
        | ChangeKind::Cancelled
        | ChangeKind::Superseded
        | ChangeKind::Withdrawn => "Request",
    };
    format!("{what} {}", self::kind(kind).1)
}

pub(super) fn page(
    offered: Evidence,
    asked: Asked,
    found: Option<Changes>,
    fault: Option<(&'static str, &'static str)>,
) -> impl IntoView {
    let today = kit::day_field(offered.now);
    let fresh = asked.from.is_empty() && asked.until.is_empty();
    let month = kit::day_field(offered.now - chrono::Duration::days(30));
    let (from, until) = if fresh {
        (month, today.clone())
    } else {
        (asked.from.clone(), asked.until.clone())
    };
    let said = |field: &str| {
        fault
            .filter(|(name, _)| *name == field)
            .map(|(_, words)| words)
    };
    let (app_fault, from_fault, until_fault) = (said("application"), said("from"), said("until"));
    let options = applications(&offered.applications);
    let application = asked.application.clone();
    let result = match found {
        Some(found) => shown(found, &asked).into_any(),
        None => view! { <Card title="What changed"><Empty sign=Sign::Evidence title="Choose a period" text="You get every change of access in it, counted by kind, with who decided and when the target confirmed it."/></Card> }.into_any(),
    };
    view! {
        <PageHead title="Evidence of changes" lead="Every change of access in a period, counted, with how it was worked out."/>
        {segments("/evidence/changes")}
        <form class="card no-print" method="get" action="/evidence/changes">
            <div class="body stack stack-4">
                <div class="grid gap-4 items-end sm:grid-cols-3">
                    <Select name="application" label="Application" options=options value=application none="All applications" error=app_fault/>
                    <TextField name="from" label="From" hint="A day in UTC" kind="date" value=from max=today.clone() error=from_fault required=true/>
                    <TextField name="until" label="Until" hint="A day in UTC, all of it" kind="date" value=until max=today error=until_fault required=true/>
                </div>
                <div class="btns"><Button look=Look::Primary>"Show what changed"</Button></div>
            </div>
        </form>
        {result}
    }
}

fn shown(found: Changes, asked: &Asked) -> impl IntoView + use<> {
    let Changes {
        application,
        from,
        until,
        read_at,
        query,
        counts,
        rows,
        next,
        head,
    } = found;
    let pairs = asked.pairs();
    let csv = kit::address("/evidence/changes.csv", &pairs);
    let first = (!asked.after.is_empty()).then(|| kit::address("/evidence/changes", &pairs));
    let next = next.map(|next| {
        kit::address(
            "/evidence/changes",
            &[pairs[0], pairs[1], pairs[2], ("after", next.as_str())],
        )
    });
    let whose = application.map_or_else(|| "All applications".to_owned(), |app| app.name);
    let total: i64 = counts.iter().map(|(_, count)| count).sum();
    let period = format!(
        "{}, from {} to {}",
        words::count(total, "change", "changes"),
        words::date(from),
        words::date(until - chrono::Duration::seconds(1))
    );
    let counts = counts
        .into_iter()
        .map(|(what, count)| fact(counted(what), words::number(count)))
        .collect();
    let along = take_along(csv, rows.len(), total, !asked.after.is_empty());
    let body = if rows.is_empty() {
        view! { <Empty sign=Sign::Evidence title="Nothing changed then"/> }.into_any()
    } else {
        let rows = rows.iter().map(cells).collect();
        let columns = vec![
            column("Change"),
            column("Person"),
            column("What"),
            column("When"),
            column("By"),
            column("Confirmed"),
        ];
        view! { <Table label=period.clone() columns=columns rows=rows/> }.into_any()
    };
    view! {
        <Card title=format!("{whose}: what changed")>
            <Body><p><b>{period}</b></p><div class="max-w-md"><Facts items=counts/></div>{along}</Body>
            {body}
        </Card>
        <Pager previous=first next=next back="Newest" on="Older"/>
        {made(query, read_at, &head)}
    }
}

fn cells(row: &Happened) -> Vec<AnyView> {
    let (state, words) = kind(row.kind);
    let why = row.reason.map(said::end_reason).unwrap_or_default();
    let (at, confirmed) = (row.at, row.confirmed_at);
    let package = row
        .package
        .clone()
        .unwrap_or_else(|| "found at the target".into());
    let request = row.request.map(|(request, number)| {
        let (href, number) = (format!("/requests/{request}"), said::number(number));
        view! { <a class="link small" href=href>{number}</a> }
    });
    let by = row
        .by
        .as_ref()
        .map_or_else(|| "by itself".to_owned(), |by| by.name.clone());
    let (person, href) = (row.person.name.clone(), row.person.path.clone());
    let person = match href {
        Some(href) => view! { <a class="link" href=href dir="auto">{person}</a> }.into_any(),
        None => cell(person),
    };
    vec![
        cell_view(
            view! { <div class="stack stack-1"><span><Badge state=state words=words/></span><span class="small dim">{why}</span></div> },
        ),
        person,
        cell_view(
            view! { <div class="stack stack-1"><span dir="auto">{package}</span>{request}</div> },
        ),
        utc(at),
        cell(by),
        match confirmed {
            Some(at) => utc(at),
            None => cell_view(view! { <span class="dimmer">"–"</span> }),
        },
    ]
}
