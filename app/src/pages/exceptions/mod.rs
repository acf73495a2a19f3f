//! `/exceptions`: what waits for whom, the register of what is tolerated, one of them, and the form that proposes one.

mod form;
mod one;

use axum::response::Response;
use leptos::prelude::*;
use workflow::views::{
    exceptions::{self, ExceptionItem, Exceptions, Waiting, WaitsFor},
    waits::WaitingLine,
};

use super::{duties, kit, parts, said};
use crate::{problem::Fault, ui::*, visit::Visit, words};

pub use form::{form, send};
pub use one::{one, say};

/// The lists.
pub async fn show(visit: Visit) -> Result<Response, Fault> {
    let page = exceptions::list(visit.workflow(), &visit.viewer).await?;
    visit
        .page_live("Exceptions", vec!["exceptions".into()], move || list(page))
        .await
}

fn list(page: Exceptions) -> impl IntoView {
    let now = page.now;
    let version = |items: &[ExceptionItem]| {
        kit::version(
            &items
                .iter()
                .map(|item| (item.id, item.state.as_str(), item.attest_by, item.missed_at))
                .collect::<Vec<_>>(),
        )
    };
    let rows = |items: &[ExceptionItem]| {
        items
            .iter()
            .map(|item| duties::exception_row(item, now))
            .collect_view()
    };
    let mine = if page.mine.is_empty() {
        view! { <Empty sign=Sign::Check title="Nothing waits for you" text="When an exception needs your word, it stands here."/> }.into_any()
    } else {
        let rows = page.mine.iter().map(waiting).collect_view();
        view! { <Rows>{rows}</Rows> }.into_any()
    };
    let mine_version = kit::version(
        &page
            .mine
            .iter()
            .map(|one| (one.item.id, one.item.state.as_str()))
            .collect::<Vec<_>>(),
    );
    let others = (!page.waiting.is_empty()).then(|| {
        let (shown, rows) = (version(&page.waiting), rows(&page.waiting));
        view! { <Card title="Waits for others" live="others" version=shown><Rows>{rows}</Rows></Card> }
    });
    let wanted = (!page.wanted.is_empty()).then(|| {
        let shown = kit::version(
            &page
                .wanted
                .iter()
                .map(|one| (one.line, one.wanted.rule))
                .collect::<Vec<_>>(),
        );
        let rows = page
            .wanted
            .iter()
            .map(|one| waiting_line(one, now))
            .collect_view();
        view! { <Card title="Approved, and no exception is proposed" live="wanted" version=shown><Rows>{rows}</Rows></Card> }.into_any()
    });
    let live = if page.live.is_empty() {
        view! { <Empty sign=Sign::Shield title="Nothing is tolerated" text="An exception in force stands here with its control, the next attestation and its end."/> }.into_any()
    } else {
        let rows = rows(&page.live);
        view! { <Rows>{rows}</Rows> }.into_any()
    };
    let over = (!page.over.is_empty()).then(|| {
        let rows = rows(&page.over);
        view! { <Card title="Over"><Rows>{rows}</Rows></Card> }
    });
    let live_version = version(&page.live);
    let lead = if page.sees_all {
        "Broken rules that are tolerated for a time, because somebody watches over them."
    } else {
        "The exceptions that you have a part in."
    };
    view! {
        <PageHead title="Exceptions" lead=lead/>
        <div class="stack stack-5">
            <Card title="Waits for you" live="mine" version=mine_version>{mine}</Card>
            {wanted}
            {others}
            <Card title="In force" live="live" version=live_version>{live}</Card>
            {over}
        </div>
    }
}

/// An approved request that waits for an exception that nobody has proposed.
fn waiting_line(one: &WaitingLine, now: domain::Timestamp) -> AnyView {
    let title = format!("{}: {}", words::isolate(&one.person.name), one.wanted.name);
    let request = format!("{}, {}", said::number(one.number), one.package);
    let request = match one.request {
        Some(id) => {
            let href = format!("/requests/{id}");
            view! { <a class="link" href=href dir="auto">{request}</a> }.into_any()
        }
        None => request.into_any(),
    };
    let (since, until) = (one.since, one.until);
    let detail = view! { {request}" · waits for "<Moment at=since now=now say=Say::For/>" · lapses "<Moment at=until now=now say=Say::Moment/> }.into_any();
    let severity = one.wanted.severity;
    let link = parts::exception::link(&one.wanted);
    view! { <Row title=title detail=detail>{duties::severity(severity)}{link}</Row> }.into_any()
}

fn waiting(one: &Waiting) -> impl IntoView + use<> {
    let (words, button) = match one.word {
        WaitsFor::Acceptance => ("accept it for the business, or say no", "Decide"),
        WaitsFor::Confirmation => ("confirm it for security, or say no", "Decide"),
        WaitsFor::Attestation => ("attest its control", "Attest"),
    };
    let title = format!(
        "{}: {}",
        words::isolate(&one.item.person.name),
        one.item.rule_name
    );
    let detail = format!("{} · {words}", duties::number(one.item.number));
    let href = format!("/exceptions/{}", one.item.id);
    let label = format!("{button}: {}", duties::number(one.item.number));
    let severity = one.item.severity;
    view! {
        <Row title=title detail=detail>{duties::severity(severity)}<LinkButton href=href small=true label=label>{button}</LinkButton></Row>
    }
}
