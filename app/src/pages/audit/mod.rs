//! `/audit`: search and page the log, check that it is whole, take it along as a file; `/audit/{seq}`: one entry whole.

mod entry;
mod export;
mod filter;
#[cfg(test)]
mod tests;

use axum::{extract::Query, response::Response};
use domain::person::PortalRole;
use leptos::prelude::*;
use workflow::{
    audit::{Verdict, verify_store},
    views::{
        Entry, Name,
        audit::{self, AuditPage},
    },
};

use super::{evidence::utc, kit, said};
use crate::{problem::Fault, ui::*, visit::Visit, words};

pub use entry::show as entry;
pub use export::{csv, json_lines};
use filter::{Asked, Meant};

/// Who may take the log along.
const EXPORTERS: &[PortalRole] = &[PortalRole::Auditor, PortalRole::Security];

/// The page.
pub async fn show(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Fault> {
    let meant = asked.meant(&visit).await?;
    let log = audit::load(visit.workflow(), &visit.viewer, &meant.filter).await?;
    // Reads the whole log: only when asked for, and only by those who may read it anyway.
    let verdict = if asked.check.is_empty() {
        None
    } else {
        Some(verify_store(visit.workflow().store(), Vec::new()).await?)
    };
    let exports = visit.viewer.must_have(EXPORTERS).is_ok();
    visit
        .page("Audit log", move || {
            page(log, asked, meant, verdict, exports)
        })
        .await
}

fn page(
    log: AuditPage,
    asked: Asked,
    meant: Meant,
    verdict: Option<Verdict>,
    exports: bool,
) -> impl IntoView {
    let Meant { faults, people, .. } = meant;
    let older = log
        .next
        .filter(|_| faults.is_empty())
        .map(|before| asked.address("/audit", &[("before", &before.to_string())]));
    let newest = (!asked.before.is_empty()).then(|| asked.address("/audit", &[]));
    let lead = format!(
        "{}, chained: nothing can be changed or taken out unnoticed.",
        words::count(log.length, "entry", "entries")
    );
    let check = asked.address("/audit", &[("check", "1")]);
    // A file of a filter that cannot be read would be of something else.
    let files = (exports && faults.is_empty()).then(|| {
        let (lines, csv) = (asked.address("/audit/export.jsonl", &[]), asked.address("/audit/export.csv", &[]));
        view! { <div class="btns no-print"><LinkButton href=lines small=true><Icon sign=Sign::Download/>"JSON lines"</LinkButton><LinkButton href=csv small=true><Icon sign=Sign::Download/>"CSV"</LinkButton></div> }.into_any()
    });
    let body = if !faults.is_empty() {
        view! { <Empty sign=Sign::Warning title="The filter cannot be read" text="See what is said beside its fields."/> }.into_any()
    } else if log.entries.is_empty() {
        let text = if asked.is_empty() {
            "Everything that happens in the portal is written here."
        } else {
            "Widen the filter: fewer words, more days."
        };
        view! { <Empty sign=Sign::Log title="No entries" text=text/> }.into_any()
    } else {
        table(&log)
    };
    let title = if asked.is_empty() {
        "Newest entries"
    } else {
        "Entries that match"
    };
    view! {
        <PageHead title="Audit log" lead=lead><LinkButton href=check>"Check the whole log"</LinkButton></PageHead>
        {verdict.map(|verdict| verdict_note(&verdict))}
        {filter::form(&asked, &log, &faults, &people)}
        <Card title=title aside=files.unwrap_or_else(|| ().into_any())>{body}</Card>
        <Pager previous=newest next=older back="Newest"/>
    }
}

fn verdict_note(verdict: &Verdict) -> AnyView {
    match &verdict.broken {
        None => {
            let words = format!(
                "{} read, each fits the one before it. To compare it with the signed checkpoints outside the database, run “latchkey audit verify” on the server.",
                words::count(verdict.entries, "entry", "entries")
            );
            view! { <Note tone=Tone::Good title="The log is whole.">{words}</Note> }.into_any()
        }
        Some(broken) => {
            let href = format!("/audit/{}", broken.seq);
            let why = words::sentence(&broken.why);
            let title = format!(
                "The log is broken at entry {}: {}.",
                words::number(broken.seq),
                broken.tampering
            );
            view! { <Note tone=Tone::Bad title=title alert=true>{why}" "<a class="link" href=href>"See the entry"</a></Note> }.into_any()
        }
    }
}

fn table(log: &AuditPage) -> AnyView {
    let rows = log
        .entries
        .iter()
        .map(|entry| {
            let (at, href) = (entry.at, format!("/audit/{}", entry.seq));
            let (what, label) = (
                said::event(&entry.kind),
                format!("Entry {}: {}", entry.seq, said::event(&entry.kind)),
            );
            vec![
                cell_view(view! { <a class="link" href=href aria-label=label>{what}</a> }),
                cell_view(who(entry)),
                cell_view(subjects(&entry.subjects)),
                utc(at),
                cell(words::number(entry.seq)),
            ]
        })
        .collect();
    let columns = vec![
        column("What"),
        column("By"),
        column("About"),
        column("When"),
        numbers("Entry"),
    ];
    view! { <Table label="Entries of the audit log" columns=columns rows=rows/> }.into_any()
}

/// Who did it, with on whose behalf.
fn who(entry: &Entry) -> impl IntoView + use<> {
    let actor = entry
        .actor_name
        .as_ref()
        .map_or_else(|| said::actor(&entry.actor).into_any(), name);
    view! { <span>{actor}</span> }
}

/// A name that leads to its page, if it has one; else to what the log says about it.
fn name(name: &Name) -> AnyView {
    let words = if name.name.is_empty() {
        name.id.clone()
    } else {
        name.name.clone()
    };
    let href = name
        .path
        .clone()
        .unwrap_or_else(|| kit::address("/audit", &[("about", &name.id)]));
    view! { <a class="link inline-block py-0.5" href=href dir="auto">{words}</a> }.into_any()
}

/// What it is about: those with a name first, at most three.
fn subjects(subjects: &[Name]) -> impl IntoView + use<> {
    let mut named: Vec<&Name> = subjects
        .iter()
        .filter(|name| !name.name.is_empty())
        .collect();
    if named.is_empty() {
        named = subjects.iter().take(1).collect();
    }
    let shown = named
        .iter()
        .take(3)
        .map(|one| view! { <li>{name(one)}</li> })
        .collect_view();
    view! { <ul class="stack stack-1">{shown}</ul> }
}
