//! `/reviews/{campaign}/items`: the reader's list, by person or by right, and an answer for many at once.

use std::collections::BTreeMap;

use axum::{
    Form,
    extract::{Path, Query},
    http::StatusCode,
    response::Response,
};
use domain::{
    CampaignId, ItemId,
    certification::{Answer, CampaignState, ItemState, needs_reason},
};
use leptos::prelude::*;
use serde::Deserialize;
use workflow::{
    Error,
    reviews::{self as reviewing, Together},
    views::{
        Cursor,
        reviews::{self, ItemView, WorklistPage},
    },
};

use super::said;
use crate::{
    frame::About,
    islands::Worklist,
    pages::{kit, parts::when},
    problem::Fault,
    refusals,
    ui::*,
    visit::{Visit, done},
    words,
};

/// What the address says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// `right`, or by person.
    by: String,
    /// `done`, or what is open.
    show: String,
    /// Where the last page ended.
    after: String,
}

/// What an answer for many was, where it was not taken.
#[derive(Clone, Debug, Default)]
pub(super) struct Back {
    ticked: Vec<ItemId>,
    answer: Option<Answer>,
    reason: String,
    /// Whether it must be confirmed.
    confirm: bool,
    faults: Vec<String>,
}

async fn load(visit: &Visit, id: CampaignId, asked: &Asked) -> Result<WorklistPage, Fault> {
    let after = Some(asked.after.as_str())
        .filter(|after| !after.is_empty())
        .map(Cursor::from_text);
    let (by_right, open) = (asked.by == "right", asked.show != "done");
    Ok(reviews::worklist(
        visit.workflow(),
        &visit.viewer,
        id,
        by_right,
        open,
        after.as_ref(),
    )
    .await?)
}

/// The list.
pub async fn show(
    visit: Visit,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Fault> {
    let id: CampaignId = kit::id(&id)?;
    let found = load(&visit, id, &asked).await?;
    let title = found.name.clone();
    visit
        .page(&title, move || page(found, &asked, &Back::default()))
        .await
}

/// Answers for all that are ticked.
pub async fn together(
    visit: Visit,
    Path(id): Path<String>,
    Form(fields): Form<BTreeMap<String, String>>,
) -> Result<Response, Fault> {
    let id: CampaignId = kit::id(&id)?;
    let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
    let items: Vec<(ItemId, i64)> = fields
        .keys()
        .filter_map(|name| name.strip_prefix("tick-")?.parse::<ItemId>().ok())
        .map(|item| {
            let version = field(&format!("version-{item}")).parse().unwrap_or(-1);
            (item, version)
        })
        .collect();
    let answer = match field("answer").as_str() {
        "keep" => Some(Answer::Keep),
        "revoke" => Some(Answer::Revoke),
        _ => None,
    };
    let asked = Asked {
        by: field("by"),
        after: field("after"),
        ..Asked::default()
    };
    let mut back = Back {
        ticked: items.iter().map(|(item, _)| *item).collect(),
        answer,
        reason: field("reason"),
        ..Back::default()
    };
    let Some(answer) = answer.filter(|_| !items.is_empty()) else {
        back.faults
            .push("Tick what you want to answer for, then press a button under the list.".into());
        return again(&visit, id, asked, back).await;
    };
    let wanted = Together {
        items,
        answer,
        reason: back.reason.clone(),
        sure: field("sure") == "on",
    };
    match reviewing::decide_together(visit.workflow(), &visit.viewer, id, &wanted).await {
        Ok(_) => {
            let by = [("by", asked.by.as_str())];
            let here = kit::address(&format!("/reviews/{id}/items"), &by);
            Ok(done(&here, "reviewed"))
        }
        Err(Error::Refused(refused)) => {
            back.confirm = true;
            back.faults = refused.iter().map(refusals::sentence).collect();
            again(&visit, id, asked, back).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn again(visit: &Visit, id: CampaignId, asked: Asked, back: Back) -> Result<Response, Fault> {
    let found = load(visit, id, &asked).await?;
    let title = kit::to_fix(back.faults.len(), &found.name);
    visit
        .framed(
            StatusCode::UNPROCESSABLE_ENTITY,
            &title,
            About::default(),
            move || page(found, &asked, &back),
        )
        .await
}

pub(in crate::pages) fn page(
    found: WorklistPage,
    asked: &Asked,
    back: &Back,
) -> impl IntoView + use<> {
    let here = format!("/reviews/{}/items", found.id);
    let crumbs = if found.sees_all {
        vec![
            crumb("Reviews", "/reviews"),
            crumb(found.name.clone(), format!("/reviews/{}", found.id)),
            self::here("Your items"),
        ]
    } else {
        vec![crumb("Reviews", "/reviews"), self::here(found.name.clone())]
    };
    let all = found.open + found.answered;
    let label = format!("{} of {all} done", found.answered);
    let gauge = said::gauge(found.answered * 100 / all.max(1), label.clone());
    let left = (found.open > 0).then(|| {
        view! { <span class="small dim keep">{format!("about {} min left", found.minutes)}</span> }
    });
    let stage = said::stage(found.stage, found.stages)
        .map(|stage| view! { <Badge state=State::Plain words=stage/> });
    let lead = if found.state == CampaignState::Running {
        said::deadline(found.due_at, found.then, found.now)
    } else {
        "This review is over; nothing can be changed any more.".into_any()
    };
    let segment = |words: &str, by: &str, show: &str| Segment {
        words: words.into(),
        href: kit::address(&here, &[("by", by), ("show", show)]),
        current: asked.by == by && asked.show == show,
    };
    let views = vec![
        segment("By person", "", ""),
        segment("By right", "right", ""),
        segment("Answered", "", "done"),
    ];
    let keys = [
        ("J K", "move"),
        ("Y", "keep"),
        ("N", "revoke"),
        ("S", "shorten"),
        ("E", "explain"),
    ]
    .into_iter()
    .map(|(key, does)| view! { <span class="keep only-alive"><Key key=key/>" "{does}</span> })
    .collect_view();
    let next = found.next.as_ref().map(|next| {
        kit::address(
            &here,
            &[
                ("by", &asked.by),
                ("show", &asked.show),
                ("after", next.as_str()),
            ],
        )
    });
    let body = if found.items.is_empty() {
        let (title, text) = if asked.show == "done" {
            (
                "Nothing answered yet",
                "What you answer stands here, and can be undone until it takes effect.",
            )
        } else {
            (
                "All done",
                "Everything that you were asked about has an answer. Thank you.",
            )
        };
        view! { <Empty sign=Sign::Check title=title text=text/> }.into_any()
    } else {
        items(&found, asked, back)
    };
    let about = found.event.as_ref().map(|event| event.about.as_str());
    let title = said::title(&found.name, about);
    let event = found.event.as_ref().map(|event| {
        let said = said::event(event, found.now);
        view! { <Note title="Why you are asked">{said}</Note> }.into_any()
    });
    let faults = back.faults.clone();
    view! {
        <PageHead title=title lead=lead crumbs=crumbs>
            <div class="stack stack-1 goal">{gauge}<div class="bar wrap"><b class="small num">{label}</b>{left}{stage}</div></div>
        </PageHead>
        <div class="stack stack-5">
            <Faults faults=faults/>
            {event}
            <section class="card">
                <h2 class="sr">"Items"</h2>
                <header><Segments label="Which items" items=views/><span class="bar wrap small dim">{keys}</span></header>
                {body}
            </section>
            <Pager next=next on="More"/>
            <Worklist/>
        </div>
    }
}

fn items(found: &WorklistPage, asked: &Asked, back: &Back) -> AnyView {
    let running = found.state == CampaignState::Running;
    let open = running && asked.show != "done";
    let rows = found
        .items
        .iter()
        .map(|item| row(found, item, open, back))
        .collect_view();
    if !open {
        return view! { <Rows>{rows}</Rows> }.into_any();
    }
    let action = format!("/reviews/{}/items", found.id);
    let confirm = back.confirm.then(|| {
        view! { <Check name="sure" label="I mean all that are ticked" required=false/> }
    });
    let reason = back.reason.clone();
    let kept = vec![("by", asked.by.clone()), ("after", asked.after.clone())];
    let keep = if back.answer == Some(Answer::Keep) {
        Look::Primary
    } else {
        Look::Plain
    };
    let revoke = if back.answer == Some(Answer::Revoke) {
        Look::DangerSure
    } else {
        Look::Danger
    };
    view! {
        <form method="post" action=action>
            // Enter in a box answers nothing.
            <button type="submit" class="sr" tabindex="-1" aria-hidden="true" name="answer" value="none">"Nothing"</button>
            <Hidden fields=kept/>
            <Rows>{rows}</Rows>
            <Body>
                <TextArea name="reason" label="Why, for all that are ticked" value=reason longest=2000/>
                {confirm}
                <div class="btns">
                    <Button name="answer" value="keep" look=keep>"Keep the ticked"</Button>
                    <Button name="answer" value="revoke" look=revoke>"Revoke the ticked"</Button>
                </div>
                <p class="small dim">"Where that is much, privileged, or against what is suggested, you are asked whether you mean it."</p>
            </Body>
        </form>
    }
    .into_any()
}

fn row(found: &WorklistPage, item: &ItemView, open: bool, back: &Back) -> impl IntoView + use<> {
    let now = found.now;
    let href = format!("/reviews/{}/items/{}", found.id, item.id);
    let title = format!("{} · {}", words::isolate(&item.person.name), item.right);
    let avatar = view! { <Avatar name=item.person.name.clone()/> };
    let tick = open.then(|| {
        let label = format!("Tick: {title}");
        let (tick, version) = (format!("tick-{}", item.id), format!("version-{}", item.id));
        let checked = back.ticked.contains(&item.id);
        view! {
            <span class="tick">
                <input type="checkbox" id=tick.clone() name=tick checked=checked aria-label=label/>
                <input type="hidden" name=version value=item.version.to_string()/>
            </span>
        }
    });
    let mark = view! { <span class="bar">{tick}{avatar}</span> }.into_any();
    let marks: Vec<String> = [
        Some(said::got(item, now)),
        item.privileged.then(|| "privileged".to_owned()),
        item.control_scope.clone(),
        (!item.question.is_empty()).then(|| {
            if item.reply.is_empty() {
                "asked, no answer yet".to_owned()
            } else {
                "the holder answered".to_owned()
            }
        }),
    ]
    .into_iter()
    .flatten()
    .chain(item.said.iter().map(said::earlier))
    .collect();
    let detail = format!("{}. {}", marks.join(" · "), said::why(item.why));
    let id = item.id.to_string();
    let end = if open {
        let peers = said::peers(item);
        let answers = [Answer::Keep, Answer::Revoke]
            .into_iter()
            .map(|answer| button(found, item, answer, &href))
            .collect_view();
        view! { <span class="num keep">{peers}</span>{said::suggestion(item.suggestion)}{answers} }
            .into_any()
    } else {
        let undone = item
            .enforce_at
            .filter(|_| item.state == ItemState::Decided && item.enforced_at.is_none())
            .filter(|_| item.stage == found.stage)
            .map(|at| view! { "can be undone until "{when::moment(at, now)} });
        view! { {undone}{said::item(item)} }.into_any()
    };
    view! {
        <div id=id role="listitem" class="row" data-item=open.then_some("") tabindex=open.then_some("-1")>
            {mark}
            <div class="text"><h3><a class="cover" href=href dir="auto">{title}</a></h3><p class="small dim"><bdi>{detail}</bdi></p></div>
            <div class="end">{end}</div>
        </div>
    }
}

/// The button of one answer: at once where no reason is needed, otherwise the way to where it is given.
fn button(found: &WorklistPage, item: &ItemView, answer: Answer, href: &str) -> AnyView {
    let (words, class, key) = match answer {
        Answer::Keep => ("Keep", "btn s", "y"),
        Answer::Revoke | Answer::Shorten => ("Revoke", "btn danger s", "n"),
    };
    let label = format!("{words}: {}, {}", item.person.name, item.right);
    if needs_reason(found.reasons, answer, item.suggestion) {
        let to = format!("{href}?answer={answer}#answer");
        return view! { <a class=class href=to aria-label=label data-press=key>{words}</a> }
            .into_any();
    }
    view! {
        <button type="submit" class=class formaction=href.to_owned() name="word" value=answer.to_string() aria-label=label data-press=key>{words}</button>
    }
    .into_any()
}

/// What is said after one answer, for the list that it leads back to.
pub(super) fn after(campaign: CampaignId, answer: Answer, by: &str) -> Response {
    let said = match answer {
        Answer::Keep => "review-kept",
        Answer::Revoke | Answer::Shorten => "review-revoked",
    };
    let here = kit::address(&format!("/reviews/{campaign}/items"), &[("by", by)]);
    done(&here, said)
}
