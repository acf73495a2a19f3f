//! The filter of the log: as it was typed, what was meant by it, and its form.

use domain::audit::EventKind;
use leptos::prelude::*;
use serde::Deserialize;
use workflow::views::{
    audit::{self, AuditPage, Filter},
    search::FoundPerson,
};

use super::super::{kit, said};
use crate::{problem::Fault, ui::*, visit::Visit};

/// What the address says: the filter as it was typed.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    /// About what: a request's number or a printed id.
    #[serde(default)]
    pub(super) about: String,
    /// The word of a kind.
    #[serde(default)]
    pub(super) kind: String,
    /// Who did it: a name, or something with a printed id in it.
    #[serde(default)]
    pub(super) by: String,
    /// First day.
    #[serde(default)]
    pub(super) from: String,
    /// Last day.
    #[serde(default)]
    pub(super) until: String,
    /// Where the last page ended.
    #[serde(default)]
    pub(super) before: String,
    /// Whether to check the whole log.
    #[serde(default)]
    pub(super) check: String,
}

/// What is wrong with the filter: the field, and what to say beside it.
pub(super) type Faults = Vec<(&'static str, &'static str)>;

/// The filter as it was understood.
pub(super) struct Meant {
    /// What the log is asked for.
    pub(super) filter: Filter,
    /// What could not be read.
    pub(super) faults: Faults,
    /// Whom the name may mean.
    pub(super) people: Vec<FoundPerson>,
}

impl Asked {
    /// What was meant; names are looked up.
    pub(super) async fn meant(&self, visit: &Visit) -> Result<Meant, Fault> {
        let people = audit::meant(visit.workflow(), &visit.viewer, &self.by).await?;
        let (filter, faults) = self.filter(&people);
        Ok(Meant {
            filter,
            faults,
            people,
        })
    }

    /// The filter that it means, where `by` means one of `people`; and what of it could not be read, by field.
    pub(super) fn filter(&self, people: &[FoundPerson]) -> (Filter, Faults) {
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

    pub(super) fn address(&self, path: &str, more: &[(&str, &str)]) -> String {
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

    pub(super) fn is_empty(&self) -> bool {
        [&self.about, &self.kind, &self.by, &self.from, &self.until]
            .iter()
            .all(|text| text.trim().is_empty())
    }
}

/// The form; what could not be read is said beside its field.
pub(super) fn form(
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
