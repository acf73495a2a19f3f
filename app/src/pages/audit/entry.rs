//! One entry of the log, whole: who, what, before and after, the text that was hashed, and its place in the chain.

use axum::{extract::Path, response::Response};
use leptos::prelude::*;
use serde_json::Value;
use workflow::views::{
    Name,
    audit::{self, EntryPage},
};

use super::{name, who};
use crate::{
    pages::{evidence::utc, kit, said},
    problem::Fault,
    ui::*,
    visit::Visit,
    words,
};

/// The page.
pub async fn show(visit: Visit, Path(seq): Path<String>) -> Result<Response, Fault> {
    let seq: i64 = kit::id(&seq)?;
    let entry = audit::entry(visit.workflow(), &visit.viewer, seq).await?;
    let title = format!("Entry {seq}: {}", said::event(&entry.entry.kind));
    visit.page(&title, move || page(entry)).await
}

pub(super) fn page(page: EntryPage) -> impl IntoView {
    let EntryPage {
        entry,
        canonical,
        previous_hash,
        whole,
        older,
        newer,
        ..
    } = page;
    let crumbs = vec![
        crumb("Audit log", "/audit"),
        here(format!("Entry {}", words::number(entry.seq))),
    ];
    let at = entry.at;
    let mut items = vec![fact_view("When", utc(at)), fact_view("By", who(&entry))];
    if let Some(behalf) = &entry.behalf {
        items.push(fact_view("For", name(behalf)));
    }
    if let Some(cause) = &entry.cause {
        items.push(fact_view("Because of", cause_view(cause)));
    }
    if let Some(policy) = &entry.policy {
        items.push(fact("Under policy", policy.clone()));
    }
    let subjects = entry
        .subjects
        .iter()
        .map(|subject| {
            let id = subject.id.clone();
            let all = kit::address("/audit", &[("about", &id)]);
            let label = format!("Everything about {id}");
            let detail = if subject.name.is_empty() { String::new() } else { id };
            view! { <Row title=if subject.name.is_empty() { subject.id.clone() } else { subject.name.clone() } detail=detail href=subject.path.clone()><a class="link small" href=all aria-label=label>"Its entries"</a></Row> }
        })
        .collect_view();
    let changes = changes(&entry.before, &entry.after);
    let changes = (!changes.is_empty())
        .then(|| view! { <Card title="What changed"><Body><Delta changes=changes/></Body></Card> });
    let seal = if whole {
        view! { <Note tone=Tone::Good title="The hash fits.">"It follows from this entry’s text and the hash before it."</Note> }.into_any()
    } else {
        view! { <Note tone=Tone::Bad title="The hash does not fit." alert=true>"This entry, or the one before it, is not what was written. Run “latchkey audit verify” on the server."</Note> }.into_any()
    };
    let hash = entry.hash.clone();
    let path = |seq: i64| format!("/audit/{seq}");
    view! {
        <PageHead title=said::event(&entry.kind) lead=format!("Entry {} of the audit log", words::number(entry.seq)) crumbs=crumbs/>
        <div class="two">
            <div class="stack stack-4">
                {changes}
                <Card title="About"><Rows>{subjects}</Rows></Card>
                <Card title="As it was hashed"><Body>
                    {seal}
                    <pre class="mono whitespace-pre-wrap" tabindex="0" aria-label="The entry’s text">{canonical}</pre>
                    <Facts items=vec![fact_view("Hash", view! { <span class="mono">{hash}</span> }), fact_view("Hash before it", view! { <span class="mono">{previous_hash}</span> })] left=true/>
                </Body></Card>
            </div>
            <Card title="Facts"><Body><Facts items=items left=true/></Body></Card>
        </div>
        <Pager previous=newer.map(path) next=older.map(path)/>
    }
}

/// A cause is an id or a short word of the house.
fn cause_view(cause: &Name) -> AnyView {
    if cause.path.is_some() || cause.id.contains('_') && !cause.name.is_empty() {
        return name(cause);
    }
    let words = cause.id.replace('_', " ");
    view! { <span dir="auto">{words}</span> }.into_any()
}

/// Key by key: what was, what is.
fn changes(before: &Value, after: &Value) -> Vec<Change> {
    let mut lines = Vec::new();
    let empty = serde_json::Map::new();
    match (before, after) {
        (Value::Object(_) | Value::Null, Value::Object(_) | Value::Null) => {
            let (was, is) = (
                before.as_object().unwrap_or(&empty),
                after.as_object().unwrap_or(&empty),
            );
            for (key, value) in was {
                if is.get(key) != Some(value) {
                    lines.push(Change::Minus(line(key, value)));
                }
                if let Some(new) = is.get(key) {
                    lines.push(if new == value {
                        Change::Same(line(key, value))
                    } else {
                        Change::Plus(line(key, new))
                    });
                }
            }
            lines.extend(
                is.iter()
                    .filter(|(key, _)| !was.contains_key(*key))
                    .map(|(key, value)| Change::Plus(line(key, value))),
            );
        }
        (before, after) => {
            for (value, change) in [
                (before, Change::Minus as fn(String) -> Change),
                (after, Change::Plus),
            ] {
                if !value.is_null() {
                    lines.push(change(plain(value)));
                }
            }
        }
    }
    lines
}

fn line(key: &str, value: &Value) -> String {
    format!("{}: {}", key.replace('_', " "), plain(value))
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "none".into(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.into(),
        Value::String(text) => text.clone(),
        Value::Array(all) if all.is_empty() => "none".into(),
        Value::Array(all) if all.iter().all(|one| !one.is_object() && !one.is_array()) => {
            all.iter().map(plain).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}
