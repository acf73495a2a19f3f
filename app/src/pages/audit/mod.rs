//! `/audit`: search and page the log, check that it is whole, take it along as a file; `/audit/{seq}`: one entry whole.

mod entry;
mod export;
#[cfg(test)]
mod tests;

use axum::{extract::Query, response::Response};
use domain::{audit::EventKind, person::PortalRole};
use leptos::prelude::*;
use serde::Deserialize;
use workflow::{
    audit::{Verdict, verify_store},
    views::{
        Entry, Name,
        audit::{self, AuditPage, Filter},
        search::FoundPerson,
    },
};

use super::{evidence::utc, kit, said};
use crate::{problem::Fault, ui::*, visit::Visit, words};

pub use entry::show as entry;
pub use export::{csv, json_lines};

/// Who may take the log along.
const EXPORTERS: &[PortalRole] = &[PortalRole::Auditor, PortalRole::Security];

/// What the address says: the filter as it was typed.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    /// About what: a request's number or a printed id.
    #[serde(default)]
    about: String,
    /// The word of a kind.
    #[serde(default)]
    kind: String,
    /// Who did it: a name, or something with a printed id in it.
    #[serde(default)]
    by: String,
    /// First day.
    #[serde(default)]
    from: String,
    /// Last day.
    #[serde(default)]
    until: String,
    /// Where the last page ended.
    #[serde(default)]
    before: String,
    /// Whether to check the whole log.
    #[serde(default)]
    check: String,
}

/// What is wrong with the filter: the field, and what to say beside it.
type Faults = Vec<(&'static str, &'static str)>;

/// The filter as it was understood.
struct Meant {
    filter: Filter,
    faults: Faults,
    /// Whom the name may mean.
    people: Vec<FoundPerson>,
}

impl Asked {
    /// What was meant; names are looked up.
    async fn meant(&self, visit: &Visit) -> Result<Meant, Fault> {
        let people = audit::meant(visit.workflow(), &visit.viewer, &self.by).await?;
        let (filter, faults) = self.filter(&people);
        Ok(Meant {
            filter,
            faults,
            people,
        })
    }

    /// The filter that it means, where `by` means one of `people`; and what of it could not be read, by field.
    fn filter(&self, people: &[FoundPerson]) -> (Filter, Faults) {
        let mut faults = Vec::new();
        let given = |text: &str| !text.trim().is_empty();
        let mut filter = Filter {
            subject: given(&self.about).then(|| self.about.trim().to_owned()),
            kind: self.kind.parse::<EventKind>().ok(),
            actor: None,
            from: kit::day(&self.from),
            until: kit::day_over(&self.until),
            before: self.before.parse().ok(),
        };
        match people {
            [one] => filter.actor = Some(one.person.id),
            _ if !given(&self.by) => {}
            [] => faults.push((
                "by",
                "Nobody has that name. Try a part of it, or their mail.",
            )),
            _ => faults.push(("by", "Several people fit. Choose one of them below.")),
        }
        if given(&self.from) && filter.from.is_none() {
            faults.push(("from", "Choose a day, such as 2026-11-21."));
        }
        if given(&self.until) && filter.until.is_none() {
            faults.push(("until", "Choose a day, such as 2026-11-21."));
        }
        if let (Some(from), Some(until)) = (filter.from, filter.until)
            && from >= until
        {
            faults.push(("until", "The last day lies before the first."));
        }
        if !faults.is_empty() {
            // A filter that was mistyped must not look like one that found nothing.
            filter.before = None;
        }
        (filter, faults)
    }

    fn address(&self, path: &str, more: &[(&str, &str)]) -> String {
        let mut pairs = vec![
            ("about", self.about.as_str()),
            ("kind", self.kind.as_str()),
            ("by", self.by.as_str()),
            ("from", self.from.as_str()),
            ("until", self.until.as_str()),
        ];
        pairs.extend_from_slice(more);
        kit::address(path, &pairs)
    }

    fn is_empty(&self) -> bool {
        [&self.about, &self.kind, &self.by, &self.from, &self.until]
            .iter()
            .all(|text| text.trim().is_empty())
    }
}

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
        {filter_form(&asked, &log, &faults, &people)}
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

fn filter_form(
    asked: &Asked,
    log: &AuditPage,
    faults: &[(&'static str, &'static str)],
    people: &[FoundPerson],
) -> impl IntoView + use<> {
    let fault = |field: &str| {
        faults
            .iter()
            .find(|(name, _)| *name == field)
            .map(|(_, words)| *words)
    };
    let mut kinds: Vec<Choice> = log
        .kinds
        .iter()
        .map(|kind| choice(kind.as_str(), said::event_kind(*kind)))
        .collect();
    kinds.sort_by(|one, other| one.label.cmp(&other.label));
    let Asked {
        about,
        kind,
        by,
        from,
        until,
        ..
    } = asked.clone();
    let (by_fault, from_fault, until_fault) = (fault("by"), fault("from"), fault("until"));
    let candidates = (people.len() > 1).then(|| candidates(asked, people));
    let clear = (!asked.is_empty())
        .then(|| view! { <LinkButton href="/audit" look=Look::Quiet>"Show all"</LinkButton> });
    view! {
        <search class="card no-print" aria-label="Filter the log">
            <form class="body stack stack-4" method="get" action="/audit">
                <div class="grid gap-4 items-start sm:grid-cols-2 lg:grid-cols-3">
                    <TextField name="about" label="About" hint="AR-1042, or any id" value=about longest=80/>
                    <Select name="kind" label="What happened" hint="One kind of entry" options=kinds value=kind none="Anything"/>
                    <TextField name="by" label="By" hint="A name, or an id" value=by error=by_fault longest=200/>
                    <TextField name="from" label="From" hint="A day in UTC" kind="date" value=from error=from_fault/>
                    <TextField name="until" label="Until" hint="A day in UTC, all of it" kind="date" value=until error=until_fault/>
                </div>
                {candidates}
                <div class="btns"><Button look=Look::Primary>"Filter"</Button>{clear}</div>
            </form>
        </search>
    }
}

/// Whom the name may mean: each leads to the same filter with that person in it.
fn candidates(asked: &Asked, people: &[FoundPerson]) -> impl IntoView + use<> {
    let rows = people
        .iter()
        .map(|one| {
            let by = format!("{}, {}", one.person.name, one.person.id);
            let href = Asked { by, ..asked.clone() }.address("/audit", &[]);
            let detail = [one.job_title.as_str(), one.department.as_str()]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(", ");
            let name = one.person.name.clone();
            view! { <li><a class="link inline-block py-0.5" href=href dir="auto">{name}</a>" "<span class="small dim" dir="auto">{detail}</span></li> }
        })
        .collect_view();
    view! { <div class="stack"><p class="small dim" id="which">"Who is meant?"</p><ul class="stack stack-1" aria-labelledby="which">{rows}</ul></div> }
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
