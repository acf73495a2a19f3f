//! `/requests`: what I asked for, newest first, and where each stands.

use axum::{extract::Query, response::Response};
use leptos::prelude::*;
use serde::Deserialize;
use workflow::views::{
    Cursor,
    requests::{self, Requests},
};

use super::{kit, parts};
use crate::{problem::Fault, ui::*, visit::Visit};

/// What the address may say.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    /// `waiting`, or all.
    #[serde(default)]
    show: String,
    /// Where the last page ended.
    #[serde(default)]
    after: String,
}

/// The list.
pub async fn show(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Fault> {
    let waiting = asked.show == "waiting";
    let after = Some(&asked.after)
        .filter(|after| !after.is_empty())
        .map(|after| Cursor::from_text(after));
    let list = requests::load(visit.workflow(), &visit.viewer, waiting, after.as_ref()).await?;
    let later = after.is_some();
    visit
        .page("My requests", move || page(&list, waiting, later))
        .await
}

pub(super) fn page(list: &Requests, waiting: bool, later: bool) -> impl IntoView + use<> {
    let path = if waiting {
        "/requests?show=waiting"
    } else {
        "/requests"
    };
    let segments = vec![
        Segment {
            words: "All".into(),
            href: "/requests".into(),
            current: !waiting,
        },
        Segment {
            words: "Waiting".into(),
            href: "/requests?show=waiting".into(),
            current: waiting,
        },
    ];
    let version = kit::version(&format!("{:?}", list.items));
    let show = if waiting { "waiting" } else { "" };
    let next = list
        .next
        .as_ref()
        .map(|next| kit::address("/requests", &[("show", show), ("after", next.as_str())]));
    let previous = later.then_some(path);
    let body = if list.items.is_empty() {
        let (title, text) = if waiting {
            ("Nothing waits", "Everything that you asked for is decided.")
        } else {
            (
                "You have not asked for anything yet",
                "Find what you need in the catalogue; asking takes a minute. You then see here who decides and when it is ready.",
            )
        };
        view! { <Empty sign=Sign::Request title=title text=text><LinkButton href="/catalog">"Look in the catalogue"</LinkButton></Empty> }.into_any()
    } else {
        let rows = list
            .items
            .iter()
            .map(|item| parts::request_row(item, list.now))
            .collect_view();
        view! { <Rows>{rows}</Rows> }.into_any()
    };
    view! {
        <PageHead title="My requests" lead="What you asked for, the newest first."><Segments label="Which requests" items=segments/></PageHead>
        <Card title="Requests" live="requests" version=version>{body}</Card>
        <Pager previous=previous next=next back="From the newest" on="Older"/>
    }
}
