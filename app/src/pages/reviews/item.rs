//! `/reviews/{campaign}/items/{item}`: one item with everything that is known of it, and the five answers.

use axum::{
    Form,
    extract::{Path, Query},
    http::StatusCode,
    response::Response,
};
use domain::{
    CampaignId, ItemId, Refusal,
    asking::ForOthers,
    certification::{Answer, ItemState, needs_reason},
};
use leptos::prelude::*;
use serde::Deserialize;
use std::collections::BTreeMap;
use workflow::{
    Error,
    reviews::{self as reviewing, Verdict},
    views::{
        colleagues,
        reviews::{self, ItemPage},
        search::FoundPerson,
    },
};

use super::{said, worklist};
use crate::{
    frame::About,
    pages::{kit, said as house},
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
    /// The answer that waits for its reason.
    answer: String,
}

/// What the forms of an item send.
#[derive(Clone, Debug, Default)]
pub(in crate::pages) struct Typed {
    word: String,
    version: i64,
    reason: String,
    until: String,
    search: String,
    to: String,
    note: String,
    question: String,
}

impl Typed {
    /// Out of the fields of its own form, or of the list's: there the version carries the item's id.
    fn read(item: ItemId, fields: &BTreeMap<String, String>) -> Self {
        let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
        let version = fields
            .get("version")
            .cloned()
            .unwrap_or_else(|| field(&format!("version-{item}")));
        // From the list the reason is meant for all that are ticked.
        let own = fields.contains_key("version");
        let reason = if own { field("reason") } else { String::new() };
        Self {
            word: field("word"),
            version: version.parse().unwrap_or(-1),
            reason,
            until: field("until"),
            search: field("search").chars().take(200).collect(),
            to: field("to"),
            note: field("note"),
            question: field("question"),
        }
    }
}

/// The page.
pub async fn show(
    visit: Visit,
    Path((campaign, item)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Response, Fault> {
    let found = load(&visit, &campaign, &item).await?;
    let typed = Typed {
        word: asked.answer,
        ..Typed::default()
    };
    answer(&visit, found, typed, &[], vec![]).await
}

async fn load(visit: &Visit, campaign: &str, item: &str) -> Result<ItemPage, Fault> {
    let (campaign, item): (CampaignId, ItemId) = (kit::id(campaign)?, kit::id(item)?);
    let found = reviews::item(visit.workflow(), &visit.viewer, item).await?;
    if found.campaign != campaign {
        return Err(Fault::missing());
    }
    Ok(found)
}

async fn answer(
    visit: &Visit,
    found: ItemPage,
    typed: Typed,
    refused: &[Refusal],
    people: Vec<FoundPerson>,
) -> Result<Response, Fault> {
    let refused = refused.to_vec();
    let mut title = format!("{}: {}", found.item.person.name, found.item.right);
    let mut status = StatusCode::OK;
    if !refused.is_empty() {
        title = kit::to_fix(refused.len(), &title);
        status = StatusCode::UNPROCESSABLE_ENTITY;
    }
    visit
        .framed(status, &title, About::default(), move || {
            page(&found, &typed, &people, &refused)
        })
        .await
}

/// Answers, or takes an answer back, hands on, asks the holder.
pub async fn act(
    visit: Visit,
    Path((campaign, item)): Path<(String, String)>,
    Form(fields): Form<BTreeMap<String, String>>,
) -> Result<Response, Fault> {
    let (id, item): (CampaignId, ItemId) = (kit::id(&campaign)?, kit::id(&item)?);
    let typed = Typed::read(item, &fields);
    let (workflow, viewer) = (visit.workflow(), &visit.viewer);
    let list = format!("/reviews/{id}/items");
    let by = fields.get("by").map_or("", String::as_str);
    let result = match typed.word.as_str() {
        "find" => {
            let found = load(&visit, &campaign, &item.to_string()).await?;
            let people =
                colleagues::find(workflow, viewer, &typed.search, ForOthers::Colleagues).await?;
            return answer(&visit, found, typed, &[], people).await;
        }
        "undo" => reviewing::undo(workflow, viewer, item, typed.version)
            .await
            .map(|()| done(&list, "review-undone")),
        "hand_on" => reviewing::hand_on(workflow, viewer, item, typed.to.parse().ok(), &typed.note)
            .await
            .map(|()| done(&list, "handed_on")),
        "ask" => reviewing::ask(workflow, viewer, item, &typed.question)
            .await
            .map(|()| done(&list, "review-asked")),
        word => {
            let Ok(given) = word.parse::<Answer>() else {
                return Err(Fault::missing());
            };
            let verdict = Verdict {
                item,
                version: typed.version,
                answer: given,
                until: kit::day_over(&typed.until),
                reason: typed.reason.clone(),
            };
            reviewing::decide(workflow, viewer, &verdict)
                .await
                .map(|()| worklist::after(id, given, by))
        }
    };
    match result {
        Ok(answer) => Ok(answer),
        Err(Error::Refused(refused)) => {
            let found = load(&visit, &campaign, &item.to_string()).await?;
            answer(&visit, found, typed, &refused, vec![]).await
        }
        Err(error) => Err(error.into()),
    }
}

pub(in crate::pages) fn page(
    found: &ItemPage,
    typed: &Typed,
    people: &[FoundPerson],
    refused: &[Refusal],
) -> AnyView {
    let item = &found.item;
    let now = found.now;
    let list = format!("/reviews/{}/items", found.campaign);
    let crumbs = vec![
        crumb("Reviews", "/reviews"),
        crumb(found.campaign_name.clone(), list),
        here(item.person.name.clone()),
    ];
    let faults: Vec<String> = refused
        .iter()
        .filter(|refusal| {
            !matches!(
                refusals::field(refusal).as_str(),
                "reason" | "until" | "to" | "question" | "note"
            )
        })
        .map(refusals::sentence)
        .collect();
    let title = format!("{}: {}", words::isolate(&item.person.name), item.right);
    let lead = [item.job_title.as_str(), item.department.as_str()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(", ");
    let badge = if item.state == ItemState::Open {
        said::suggestion(item.suggestion)
    } else {
        said::item(item)
    };
    let answers = if found.may_answer {
        Some(answers(found, typed, people, refused))
    } else {
        given(found)
    };
    let mark = view! { <Avatar name=item.person.name.clone() size=Size::Large/> }.into_any();
    let why = said::why(item.why);
    let event = found.event.as_ref().map(|event| {
        let said = said::event(event, now);
        view! { <Note title="Why you are asked">{said}</Note> }.into_any()
    });
    let reply = (!item.question.is_empty()).then(|| {
        let reply = if item.reply.is_empty() {
            view! { <p class="dim">"No answer yet."</p> }.into_any()
        } else {
            view! { <Quote words=item.reply.clone()/> }.into_any()
        };
        let question = item.question.clone();
        view! { <Card title="Asked the holder"><Body><p dir="auto">{question}</p>{reply}</Body></Card> }
    });
    let earlier = earlier(found);
    let acts = (!found.acts.is_empty()).then(|| {
        let rows = found
            .acts
            .iter()
            .map(|act| {
                let by = act.by.clone().unwrap_or_else(|| "The portal".into());
                let to = act.to.clone().map(|to| format!(" to {to}"));
                let at = act.at;
                let detail = view! { {by}{to}", "<Moment at=at now=now/>{(!act.note.is_empty()).then(|| format!(": {}", act.note))} };
                view! { <Row title=said::act(act.act) detail=detail.into_any()/> }
            })
            .collect_view();
        view! { <Card title="What was done"><Rows>{rows}</Rows></Card> }
    });
    view! {
        <PageHead title=title lead=lead crumbs=crumbs mark=mark>{badge}</PageHead>
        <div class="two">
            <div class="stack stack-5">
                <Faults faults=faults/>
                {event}
                <Note title="Why this is suggested">{why}</Note>
                {earlier}
                {answers}
                {reply}
                {acts}
            </div>
            <div class="stack stack-5">{facts(found)}{opens(found)}</div>
        </div>
    }
    .into_any()
}

/// What the stages before said.
fn earlier(found: &ItemPage) -> Option<AnyView> {
    let (item, now) = (&found.item, found.now);
    let rows = item
        .said
        .iter()
        .map(|one| {
            let at = one.at;
            let until = one
                .until
                .map(|until| view! { ", until "<Moment at=until now=now/> });
            let why = (!one.reason.is_empty()).then(|| format!(": {}", one.reason));
            let detail = view! { <Moment at=at now=now/>{until}{why} };
            view! { <Row title=words::sentence(&said::earlier(one)) detail=detail.into_any()/> }
        })
        .collect_view();
    (!item.said.is_empty()).then(|| {
        view! { <Card title="What earlier stages said"><Rows>{rows}</Rows></Card> }.into_any()
    })
}

fn facts(found: &ItemPage) -> AnyView {
    let (item, now) = (&found.item, found.now);
    let from = item.from;
    let end = item.end;
    let mut facts = vec![
        fact(
            "How",
            item.request.map_or_else(
                || house::source(item.source).to_owned(),
                |number| format!("request {}", house::number(number)),
            ),
        ),
        fact_view("Since", view! { <Moment at=from now=now/> }),
        fact_view(
            "Ends",
            match end {
                Some(at) => view! { <Moment at=at now=now/> }.into_any(),
                None => "no end".into_any(),
            },
        ),
        fact("Last use", "unknown: the targets do not tell"),
        fact("Peers", said::peers(item)),
    ];
    if !found.asked_for.is_empty() {
        facts.push(fact("Asked for because", found.asked_for.clone()));
    }
    if !found.approvers.is_empty() {
        facts.push(fact("Approved by", found.approvers.join(", ")));
    }
    if !found.breaks.is_empty() {
        facts.push(fact("Breaks", found.breaks.join(", ")));
    }
    if let Some(earlier) = &found.earlier {
        let by = earlier.decider.clone().unwrap_or_else(|| "silence".into());
        let said = format!(
            "{} by {by} in {}, ",
            said::answered(earlier.answer),
            earlier.campaign
        );
        let at = earlier.at;
        facts.push(fact_view(
            "Last review",
            view! { <span dir="auto">{said}</span><Moment at=at now=now/> },
        ));
    }
    if let (Some(reviewer), Some(via)) = (&item.reviewer, item.via) {
        facts.push(fact(
            "Reviewed by",
            format!("{reviewer}, as {}", said::via(via)),
        ));
    }
    if let Some(stage) = said::stage(item.stage, found.stages) {
        facts.push(fact("Stage", stage));
    }
    let remains = if found.remains.is_empty() {
        "Nothing of it, as far as we know: it is held in no other way.".to_owned()
    } else {
        let ways: Vec<String> = found
            .remains
            .iter()
            .map(|(right, way)| format!("{right} through {way}"))
            .collect();
        format!("{}.", ways.join("; "))
    };
    facts.push(fact("Would remain if revoked", remains));
    view! { <Card title="What is known"><Body><Facts items=facts left=true/></Body></Card> }
        .into_any()
}

fn opens(found: &ItemPage) -> AnyView {
    let rows = found
        .opens
        .iter()
        .map(|(name, summary, target)| {
            let detail = if summary.is_empty() {
                target.clone()
            } else {
                format!("{summary} · {target}")
            };
            view! { <Row title=name.clone() detail=detail/> }
        })
        .collect_view();
    view! { <Card title="What it opens"><Rows>{rows}</Rows></Card> }.into_any()
}

/// What was answered, and how to take it back.
fn given(found: &ItemPage) -> Option<AnyView> {
    let (item, now) = (&found.item, found.now);
    if item.state == ItemState::Open {
        return None;
    }
    let by = item.decider.clone().unwrap_or_else(|| "By rule".into());
    let mut facts = Vec::new();
    if let Some(at) = item.decided_at {
        facts.push(fact_view(
            "Answered",
            view! { {by}", "<Moment at=at now=now/> },
        ));
    }
    if item.stood {
        let stands = "What was said before: nobody answered the last time";
        facts.push(fact("Stands", stands));
    }
    if !item.reason.is_empty() {
        facts.push(fact("Because", item.reason.clone()));
    }
    if let Some(at) = item.until {
        facts.push(fact_view("Stays until", view! { <Moment at=at now=now/> }));
    }
    if let Some(at) = item.enforced_at {
        facts.push(fact_view("Took effect", view! { <Moment at=at now=now/> }));
    } else if let Some(at) = item.enforce_at {
        facts.push(fact_view("Takes effect", view! { <Moment at=at now=now/> }));
    }
    if let Some(at) = found.gone_at {
        facts.push(fact_view(
            "Confirmed gone",
            view! { <Moment at=at now=now/> },
        ));
    }
    let undo = found.may_undo.then(|| {
        let action = format!("/reviews/{}/items/{}", found.campaign, item.id);
        let fields = vec![
            ("word", "undo".to_owned()),
            ("version", item.version.to_string()),
        ];
        view! { <div><PostButton action=action fields=fields>"Undo the answer"</PostButton></div> }
    });
    Some(
        view! { <Card title="The answer"><Body><Facts items=facts/>{undo}</Body></Card> }
            .into_any(),
    )
}

/// What is wrong beside a field of the form that was sent.
fn wrong(typed: &Typed, refused: &[Refusal], word: &str, field: &str) -> Option<String> {
    refused
        .iter()
        .find(|refusal| typed.word == word && refusals::field(refusal) == field)
        .map(refusals::sentence)
}

/// What was typed, if it was typed in this form.
fn typed_in(typed: &Typed, word: &str, text: &str) -> String {
    if typed.word == word {
        text.to_owned()
    } else {
        String::new()
    }
}

fn action(found: &ItemPage) -> String {
    format!("/reviews/{}/items/{}", found.campaign, found.item.id)
}

/// The five answers.
fn answers(
    found: &ItemPage,
    typed: &Typed,
    people: &[FoundPerson],
    refused: &[Refusal],
) -> AnyView {
    let error = wrong(typed, refused, "hand_on", "to");
    let buttons = view! {
        {plain(found, typed, refused, Answer::Keep)}
        {plain(found, typed, refused, Answer::Revoke)}
        {shorten(found, typed, refused)}
        {ask(found, typed, refused)}
        {hand_on(found, typed, people, error)}
    };
    view! {
        <Card title="Your answer"><div id="answer" class="decide" role="group" aria-label="Your answer">{buttons}</div></Card>
    }
    .into_any()
}

/// Keeping, or revoking.
fn plain(found: &ItemPage, typed: &Typed, refused: &[Refusal], answer: Answer) -> AnyView {
    let word = answer.to_string();
    let (words, look, sure, key) = match answer {
        Answer::Keep => ("Keep", Look::Primary, Look::Primary, "y"),
        Answer::Revoke | Answer::Shorten => ("Revoke", Look::Danger, Look::DangerSure, "n"),
    };
    let needed = needs_reason(found.reasons, answer, found.item.suggestion);
    let open = typed.word == word;
    let reason = typed_in(typed, &word, &typed.reason);
    let error = wrong(typed, refused, &word, "reason");
    let (id, action) = (format!("reason-{word}"), action(found));
    let fields = vec![("word", word), ("version", found.item.version.to_string())];
    view! {
        <Ask summary=words look=look open=open key=key>
            <form method="post" action=action class="stack stack-4">
                <Hidden fields=fields/>
                <TextArea name="reason" id=id label="Why" value=reason error=error required=needed longest=2000/>
                <div><Button look=sure>{words}</Button></div>
            </form>
        </Ask>
    }
    .into_any()
}

fn shorten(found: &ItemPage, typed: &Typed, refused: &[Refusal]) -> AnyView {
    let word = "shorten";
    let (until, reason) = (
        typed_in(typed, word, &typed.until),
        typed_in(typed, word, &typed.reason),
    );
    let (no_reason, no_until) = (
        wrong(typed, refused, word, "reason"),
        wrong(typed, refused, word, "until"),
    );
    let needed = needs_reason(found.reasons, Answer::Shorten, found.item.suggestion);
    let tomorrow = kit::day_field(found.now + chrono::Duration::days(1));
    let latest = found.item.end.map(kit::day_field);
    let (open, action) = (typed.word == word, action(found));
    let fields = vec![
        ("word", word.to_owned()),
        ("version", found.item.version.to_string()),
    ];
    view! {
        <Ask summary="Shorten" open=open key="s">
            <form method="post" action=action class="stack stack-4">
                <Hidden fields=fields/>
                <TextField name="until" label="Last day" kind="date" value=until min=tomorrow max=latest required=true error=no_until/>
                <TextArea name="reason" id="reason-shorten" label="Why" value=reason error=no_reason required=needed longest=2000/>
                <div><Button look=Look::Primary>"Shorten"</Button></div>
            </form>
        </Ask>
    }
    .into_any()
}

fn ask(found: &ItemPage, typed: &Typed, refused: &[Refusal]) -> AnyView {
    let word = "ask";
    let question = typed_in(typed, word, &typed.question);
    let error = wrong(typed, refused, word, "question");
    let (open, action) = (typed.word == word, action(found));
    let fields = vec![
        ("word", word.to_owned()),
        ("version", found.item.version.to_string()),
    ];
    view! {
        <Ask summary="Not sure" look=Look::Quiet open=open key="u">
            <form method="post" action=action class="stack stack-4">
                <Hidden fields=fields/>
                <TextArea name="question" label="Ask the holder" hint="It stays open. They get a mail and answer here." value=question error=error required=true shortest=5 longest=2000/>
                <div><Button look=Look::Primary>"Ask"</Button></div>
            </form>
        </Ask>
    }
    .into_any()
}

fn hand_on(
    found: &ItemPage,
    typed: &Typed,
    people: &[FoundPerson],
    error: Option<String>,
) -> AnyView {
    let action = action(found);
    let open = matches!(typed.word.as_str(), "hand_on" | "find");
    let (search, note) = if open {
        (typed.search.clone(), typed.note.clone())
    } else {
        (String::new(), String::new())
    };
    let holder = found.item.person.id;
    let options: Vec<Choice> = people
        .iter()
        .filter(|one| one.person.id != holder)
        .map(|one| Choice {
            value: one.person.id.to_string(),
            label: one.person.name.clone(),
            detail: Some(one.department.clone()),
        })
        .collect();
    let choose = if options.is_empty() {
        let error = error.map(|why| view! { <p class="error" id="to">{why}</p> });
        view! { <div class="stack stack-1"><p class="hint">"Type a name and press Find."</p>{error}</div> }.into_any()
    } else {
        let to = typed.to.clone();
        view! {
            <RadioCards name="to" label="To whom" options=options value=to error=error/>
            <TextArea name="note" label="What they should know" value=note longest=2000/>
            <div><button type="submit" class="btn primary" name="word" value="hand_on">"Hand it on"</button></div>
        }
        .into_any()
    };
    let version = found.item.version.to_string();
    view! {
        <Ask summary="Hand on" look=Look::Quiet open=open key="h">
            <form method="post" action=action class="stack stack-4">
                <Hidden fields=vec![("version", version)]/>
                <TextField name="search" label="Find a colleague by name" kind="search" bare=true value=search/>
                <div><button type="submit" class="btn" name="word" value="find" formnovalidate=true>"Find"</button></div>
                {choose}
            </form>
        </Ask>
    }
    .into_any()
}
