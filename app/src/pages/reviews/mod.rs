//! `/reviews`: what waits for the reader's review, questions about their own access, and for security and auditors the
//! campaigns; one campaign, a worklist, an item, the report.

mod campaign;
mod draft;
mod item;
mod report;
mod said;
mod worklist;

use axum::{Form, extract::Path, response::Response};
use domain::{ItemId, certification::CampaignState};
use leptos::prelude::*;
use serde::Deserialize;
use workflow::{
    Error,
    reviews::{self as reviewing, Template},
    views::reviews::{self, CampaignItem, Question, Reviews, SmallItem, WorklistTag},
};

use super::{kit, parts::when};
use crate::{
    frame::About,
    problem::Fault,
    refusals,
    ui::*,
    visit::{Visit, done},
    words,
};

pub use campaign::{act, show as one};
pub use item::{act as answer, show as item};
pub use report::{csv, json_lines, show as report};
pub use worklist::{show as worklist, together};

/// The lists.
pub async fn show(visit: Visit) -> Result<Response, Fault> {
    let page = reviews::list(visit.workflow(), &visit.viewer).await?;
    visit
        .page_live("Reviews", vec!["reviews".into()], move || {
            list(page, &Typed::default(), None)
        })
        .await
}

/// What the forms of the list send.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Typed {
    /// What a new campaign begins with.
    #[serde(default)]
    template: String,
    /// An answer to a reviewer.
    #[serde(default)]
    reply: String,
}

/// Begins a draft.
pub async fn make(visit: Visit, Form(typed): Form<Typed>) -> Result<Response, Fault> {
    let template = typed.template.parse().unwrap_or(Template::Everything);
    let id = reviewing::make(visit.workflow(), &visit.viewer, template).await?;
    Ok(done(&format!("/reviews/{id}"), "drafted"))
}

/// Answers a question about one's own access.
pub async fn reply(
    visit: Visit,
    Path(item): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Fault> {
    let item: ItemId = kit::id(&item)?;
    match reviewing::reply(visit.workflow(), &visit.viewer, item, &typed.reply).await {
        Ok(()) => Ok(done("/reviews", "replied")),
        Err(Error::Refused(refused)) => {
            let page = reviews::list(visit.workflow(), &visit.viewer).await?;
            let why: Vec<String> = refused.iter().map(refusals::sentence).collect();
            let title = kit::to_fix(why.len(), "Reviews");
            visit
                .framed(
                    axum::http::StatusCode::UNPROCESSABLE_ENTITY,
                    &title,
                    About::default(),
                    move || list(page, &typed, Some((item, why.join(" ")))),
                )
                .await
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) fn list(
    page: Reviews,
    typed: &Typed,
    wrong: Option<(ItemId, String)>,
) -> impl IntoView + use<> {
    let now = page.now;
    let questions = questions(&page.questions, typed, wrong);
    let version = kit::version(&format!("{:?}", page.mine));
    let mine = if page.mine.is_empty() {
        view! { <Empty sign=Sign::Check title="Nothing waits for your review" text="When somebody wants to know whether access may stay, it waits here and you get a mail."/> }.into_any()
    } else {
        let rows = page.mine.iter().map(|one| mine(one, now)).collect_view();
        view! { <Rows>{rows}</Rows> }.into_any()
    };
    let make = page.may_make.then(templates);
    let small = smalls(&page.small, now);
    let campaigns = page.campaigns.map(|(live, over)| {
        let shown = kit::version(&format!("{live:?}"));
        let rows = live.iter().map(|one| campaign(one, now)).collect_view();
        let live = if live.is_empty() {
            view! { <Empty sign=Sign::Evidence title="No review is running" text="A review freezes what is held, asks those who know, takes away what nobody wants to keep, and ends in a sealed report."/> }.into_any()
        } else {
            view! { <Rows>{rows}</Rows> }.into_any()
        };
        let rows = over.iter().map(|one| campaign(one, now)).collect_view();
        let over = (!over.is_empty()).then(|| view! { <Card title="Over"><Rows>{rows}</Rows></Card> });
        view! { <Card title="All reviews" live="campaigns" version=shown>{live}</Card>{over} }
    });
    view! {
        <PageHead title="Reviews" lead="Whether access that somebody holds may stay."/>
        <div class="stack stack-5">
            {questions}
            <Card title="Waits for you" live="mine" version=version>{mine}</Card>
            {make}
            {campaigns}
            {small}
        </div>
    }
}

fn mine(one: &WorklistTag, now: domain::Timestamp) -> impl IntoView + use<> {
    let all = one.open + one.answered;
    let said = format!("{} of {all} done", one.answered);
    let gauge = said::gauge(one.answered * 100 / all.max(1), said.clone());
    let detail = said::deadline(one.due_at, one.then, now);
    let href = format!("/reviews/{}/items", one.id);
    let words = if one.open == 0 {
        "all done".to_owned()
    } else {
        format!("{} open", words::number(one.open))
    };
    let state = if one.open == 0 {
        State::Approved
    } else {
        State::Waiting
    };
    let title = said::title(&one.name, one.about.as_deref());
    view! { <Row title=title detail=detail href=href>{gauge}<span class="num">{said}</span><Badge state=state words=words/></Row> }
}

fn questions(all: &[Question], typed: &Typed, wrong: Option<(ItemId, String)>) -> Option<AnyView> {
    let rows = all
        .iter()
        .map(|one| {
            let fault = wrong.as_ref().filter(|(item, _)| *item == one.item);
            let (value, error) = match fault {
                Some((_, why)) => (typed.reply.clone(), Some(why.clone())),
                None => (String::new(), None),
            };
            let action = format!("/reviews/questions/{}", one.item);
            let title = format!("{} asks about your access to {}", one.reviewer, one.right);
            let id = format!("reply-{}", one.item);
            let label = format!("Your answer about {}", one.right);
            view! {
                <div class="stack stack-3" role="listitem">
                    <h3 dir="auto">{title}</h3><Quote words=one.question.clone()/>
                    <form method="post" action=action class="stack stack-3">
                        <TextArea name="reply" id=id label=label value=value error=error required=true shortest=5 longest=2000/>
                        <div><Button look=Look::Primary>"Send the answer"</Button></div>
                    </form>
                </div>
            }
        })
        .collect_view();
    (!all.is_empty()).then(|| {
        view! { <Card title="Questions about your access"><Rows>{rows}</Rows></Card> }.into_any()
    })
}

/// The buttons that begin a draft.
fn templates() -> AnyView {
    let of = |template: Template, words: &'static str, look: Look| {
        let fields = vec![("template", template.to_string())];
        view! { <PostButton action="/reviews" fields=fields look=look>{words}</PostButton> }
    };
    view! {
        <Card title="Begin a review"><Body>
            <p class="dim small">"Each begins as a draft: you say what it looks at, see how much that is and who would get it, and then start it."</p>
            <div class="btns">
                {of(Template::Everything, "Everything, by managers", Look::Primary)}
                {of(Template::Privileged, "Privileged access, each quarter", Look::Plain)}
                {of(Template::Found, "Found at the targets", Look::Plain)}
                {of(Template::External, "Contractors, each quarter", Look::Plain)}
            </div>
        </Body></Card>
    }
    .into_any()
}

/// Small reviews, which begin and end by themselves.
fn smalls(all: &[SmallItem], now: domain::Timestamp) -> Option<AnyView> {
    (!all.is_empty()).then(|| {
        let shown = kit::version(&format!("{all:?}"));
        let rows = all.iter().map(|one| small(one, now)).collect_view();
        view! {
            <Card title="Small reviews, by event" live="small" version=shown>
                <Body><p class="dim small">"Made by the portal when somebody moves, an exception is about to end, or a right is found at a target. They close by themselves; only what was privileged is signed off."</p></Body>
                <Rows>{rows}</Rows>
            </Card>
        }
        .into_any()
    })
}

fn small(one: &SmallItem, now: domain::Timestamp) -> impl IntoView + use<> {
    let number = said::number(one.number);
    let title = said::title(one.cause.title(), Some(&one.about));
    let items = words::count(one.population, "item", "items");
    let detail = match (one.state, one.due_at, one.closed_at) {
        (CampaignState::Running, Some(due), _) => {
            view! { {number}" · "{words::number(one.open)}" of "{items}" open until "{when::moment(due, now)} }.into_any()
        }
        (_, _, Some(at)) => view! { {number}" · "{items}" · "{when::moment(at, now)} }.into_any(),
        _ => view! { {number}" · "{items} }.into_any(),
    };
    let href = format!("/reviews/{}", one.id);
    let badge = said::small(one.state, one.signed_off);
    view! { <Row title=title detail=detail href=href>{badge}</Row> }
}

fn campaign(one: &CampaignItem, now: domain::Timestamp) -> impl IntoView + use<> {
    let number = said::number(one.number);
    let by = if one.maker.is_empty() {
        "begun by the portal".to_owned()
    } else {
        format!("by {}", one.maker)
    };
    let detail = match (one.state, one.due_at, one.signed_at.or(one.closed_at)) {
        (CampaignState::Running, Some(due), _) => {
            let open = words::count(one.open, "item", "items");
            view! { {number}" · "{open}" of "{words::number(one.population)}" open until "{when::moment(due, now)} }.into_any()
        }
        (_, _, Some(at)) => {
            view! { {number}" · "{words::count(one.population, "item", "items")}" · "{when::moment(at, now)} }.into_any()
        }
        _ => view! { {number}" · "{by}", "{when::moment(one.made_at, now)} }.into_any(),
    };
    let (href, badge) = (format!("/reviews/{}", one.id), said::campaign(one.state));
    view! { <Row title=one.name.clone() detail=detail href=href>{badge}</Row> }
}

#[cfg(test)]
mod tests;
