//! `/evidence`: who held what of an application on a day, and what changed in a period, as pages that print and as files.

mod changes;
mod file;
mod population;
#[cfg(test)]
mod tests;

use domain::Timestamp;
use leptos::prelude::*;
use workflow::views::AppTag;

use super::{kit, said};
use crate::{ui::*, words};

pub use changes::{csv as changes_csv, show as changes};
pub use population::{csv as population_csv, show};

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
fn utc(at: Timestamp) -> AnyView {
    view! { <time datetime=words::machine(at) title=words::exact(at)>{words::stamp(at)}</time> }
        .into_any()
}

/// A button for the file, and the hint that the page prints.
fn take_along(href: String) -> impl IntoView {
    view! { <div class="btns no-print"><LinkButton href=href><Icon sign=Sign::Download/>"CSV of all rows"</LinkButton><span class="small dim">"This page prints as evidence."</span></div> }
}
