//! `/tasks`: what is to be done by hand, and one task with its instructions and the two words that end it.

mod one;

use axum::response::Response;
use domain::{
    Timestamp,
    task::{TaskCall, TaskState},
};
use leptos::prelude::*;
use workflow::views::tasks::{self, TaskItem, Tasks};

use super::kit;
use crate::{problem::Fault, ui::*, visit::Visit, words};

pub use one::{one, say};

/// The lists.
pub async fn show(visit: Visit) -> Result<Response, Fault> {
    let page = tasks::list(visit.workflow(), &visit.viewer).await?;
    visit
        .page_live("By hand", vec!["tasks".into()], move || list(page))
        .await
}

fn list(page: Tasks) -> impl IntoView {
    let now = page.now;
    let version = |items: &[TaskItem]| {
        kit::version(
            &items
                .iter()
                .map(|item| (item.id, item.state.as_str(), item.due_at < now))
                .collect::<Vec<_>>(),
        )
    };
    let rows = |items: &[TaskItem]| items.iter().map(|item| row(item, now)).collect_view();
    let mine_version = version(&page.mine);
    let mine = if page.mine.is_empty() {
        view! { <Empty sign=Sign::Check title="Nothing to do by hand" text="When access has to be given or taken away where no program reaches, it stands here."/> }.into_any()
    } else {
        let rows = rows(&page.mine);
        view! { <Rows>{rows}</Rows> }.into_any()
    };
    let others = page.sees_all.then(|| {
        let shown = version(&page.others);
        let body = if page.others.is_empty() {
            view! { <Empty sign=Sign::Check title="Nothing waits for others"/> }.into_any()
        } else {
            let rows = rows(&page.others);
            view! { <Rows>{rows}</Rows> }.into_any()
        };
        view! { <Card title="Waits for others" live="others" version=shown>{body}</Card> }
    });
    let done = (!page.done.is_empty()).then(|| {
        let rows = rows(&page.done);
        view! { <Card title="Done by you"><Rows>{rows}</Rows></Card> }
    });
    view! {
        <PageHead title="By hand" lead="Access that a person gives and takes away, because no program reaches it."/>
        <div class="stack stack-5">
            <Card title="Waits for you" live="mine" version=mine_version>{mine}</Card>
            {others}
            {done}
        </div>
    }
}

/// `Give Office badge to Johan Berg`.
fn title(item: &TaskItem) -> String {
    match item.call {
        TaskCall::Add => format!(
            "Give {} to {}",
            item.right,
            words::isolate(&item.person.name)
        ),
        TaskCall::Remove => format!(
            "Take {} away from {}",
            item.right,
            words::isolate(&item.person.name)
        ),
    }
}

fn badge(item: &TaskItem, now: Timestamp) -> impl IntoView + use<> {
    let (state, words) = match item.state {
        TaskState::Open if item.due_at <= now => (State::Attention, "overdue"),
        TaskState::Open => (State::Waiting, "waits"),
        TaskState::Cannot => (State::Attention, "cannot be done"),
        TaskState::Done => (State::Ready, "done"),
        TaskState::Dropped => (State::Ended, "not needed any more"),
    };
    view! { <Badge state=state words=words/> }
}

fn row(item: &TaskItem, now: Timestamp) -> impl IntoView + use<> {
    let privileged = item.privileged.then(|| view! { <Tag words="privileged"/> });
    let target = item.target.clone();
    let when = match &item.closed {
        Some((_, at)) if !item.state.is_live() => {
            let at = *at;
            view! { {target}" · "<Moment at=at now=now/> }.into_any()
        }
        _ => {
            let due = item.due_at;
            view! { {target}" · due "<Moment at=due now=now/> }.into_any()
        }
    };
    let href = format!("/tasks/{}", item.id);
    let (title, badge) = (title(item), badge(item, now).into_any());
    view! { <Row title=title detail=when href=href>{privileged}{badge}</Row> }
}
