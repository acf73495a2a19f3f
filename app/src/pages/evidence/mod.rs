//! `/evidence`: who held what of an application on a day, and what changed in a period, as pages that print and as files.

mod changes;
pub(super) mod file;
mod population;
#[cfg(test)]
mod tests;

use domain::{Timestamp, person::PortalRole};
use leptos::prelude::*;
use workflow::views::AppTag;

use super::{kit, said};
use crate::{ui::*, words};

pub use changes::{csv as changes_csv, show as changes};
pub use population::{csv as population_csv, show};

/// Who may take evidence along: they are told apart before anything else is looked at.
const TAKERS: &[PortalRole] = &[PortalRole::Auditor, PortalRole::Security];
/// Rows on a page; a file holds all.
const ROWS: i64 = 100;

fn segments(current: &str) -> impl IntoView + use<> {
    let segment = |words: &str, href: &str| Segment {
        words: words.into(),
        href: href.into(),
        current: href == current,
    };
    let items = vec![
        segment("Who held what", "/evidence"),
        segment("What changed", "/evidence/changes"),
    ];
    view! { <div class="no-print"><Segments label="Kinds of evidence" items=items/></div> }
}

fn applications(all: &[AppTag]) -> Vec<Choice> {
    all.iter()
        .map(|app| choice(app.id.to_string(), app.name.clone()))
        .collect()
}

/// How it was made: what makes a page evidence and not just a list.
fn made(query: String, read_at: Timestamp, head: &(i64, String)) -> impl IntoView + use<> {
    let (entry, hash) = (format!("entry {}, ", words::number(head.0)), head.1.clone());
    let items = vec![
        fact("How it was worked out", query),
        fact("Read at", words::exact(read_at)),
        fact_view(
            "The log then ended with",
            view! { <span>{entry}<span class="mono">{hash}</span></span> },
        ),
    ];
    view! { <Card title="How this was made"><Body><Facts items=items left=true/></Body></Card> }
}

/// A moment in UTC, whatever the reader's zone: evidence says the same to everybody.
pub(super) fn utc(at: Timestamp) -> AnyView {
    view! { <time datetime=words::machine(at) title=words::exact(at)>{words::stamp(at)}</time> }
        .into_any()
}

/// How much of it is on this page, which goes on paper with it; and a button for the file.
fn take_along(href: String, here: usize, all: i64, later: bool) -> impl IntoView {
    let here = i64::try_from(here).unwrap_or(i64::MAX);
    let extent = if here >= all {
        match all {
            0 => "There are no rows. This page prints as evidence.".to_owned(),
            1 => "The only row is on this page, which prints as evidence.".into(),
            _ => format!(
                "All {} rows are on this page, which prints as evidence.",
                words::number(all)
            ),
        }
    } else if later {
        format!(
            "{} of {} rows are on this page; the file has all.",
            words::number(here),
            words::number(all)
        )
    } else {
        format!(
            "Rows 1\u{2013}{} of {} are on this page; the file has all.",
            words::number(here),
            words::number(all)
        )
    };
    view! {
        <p class="small dim">{extent}</p>
        <div class="btns no-print"><LinkButton href=href><Icon sign=Sign::Download/>"CSV of all rows"</LinkButton></div>
    }
}
