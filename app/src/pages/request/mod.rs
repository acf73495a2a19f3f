//! `/requests/{id}`: one request, live: what was asked, who decides and since when, and what to do once it is ready.

mod evidence;
mod stage;
mod timeline;

use axum::{Form, extract::Path, http::StatusCode, response::Response};
use domain::{LineId, RequestId, request::Start};
use leptos::prelude::*;
use serde::Deserialize;
use workflow::{
    Error, conversation, requests,
    views::{
        StandingWord,
        request::{self, LineView, RequestPage},
    },
};

use super::{kit, parts, said};
use crate::{
    frame::About,
    problem::Fault,
    refusals, spans,
    ui::*,
    visit::{Visit, done},
    words,
};

/// The page.
pub async fn show(visit: Visit, Path(id): Path<String>) -> Result<Response, Fault> {
    let found = request::load(visit.workflow(), &visit.viewer, kit::id(&id)?).await?;
    let title = said::number(found.number);
    visit
        .page_live(&title, found.topics.clone(), move || page(&found))
        .await
}

/// The printable sheet.
pub async fn evidence(visit: Visit, Path(id): Path<String>) -> Result<Response, Fault> {
    let found = request::evidence(visit.workflow(), &visit.viewer, kit::id(&id)?).await?;
    let title = format!("{}, evidence", said::number(found.page.number));
    Ok(visit.sheet(&title, move || evidence::sheet(&found)))
}

/// Which line to take back.
#[derive(Debug, Default, Deserialize)]
pub struct TakeBack {
    /// The line's id.
    #[serde(default)]
    line: String,
}

/// Takes a line back.
pub async fn cancel(
    visit: Visit,
    Path(id): Path<String>,
    Form(form): Form<TakeBack>,
) -> Result<Response, Fault> {
    let found = request::load(visit.workflow(), &visit.viewer, kit::id(&id)?).await?;
    let line: LineId = kit::id(&form.line)?;
    if !found.lines.iter().any(|one| one.id == line) {
        return Err(Fault::missing());
    }
    requests::cancel(visit.workflow(), &visit.viewer, line).await?;
    Ok(done(&format!("/requests/{}", found.id), "cancelled"))
}

/// What somebody says about a waiting line.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Words {
    /// The line's id.
    #[serde(default)]
    line: String,
    /// The words.
    #[serde(default)]
    text: String,
}

/// What was said and what was wrong with it, beside the form of its line.
#[derive(Clone, Debug, Default)]
pub(super) struct Back {
    line: Option<LineId>,
    text: String,
    why: Option<String>,
}

/// Answers a question about a line, or adds something.
pub async fn answer(
    visit: Visit,
    Path(id): Path<String>,
    Form(form): Form<Words>,
) -> Result<Response, Fault> {
    let id: RequestId = kit::id(&id)?;
    let line = line_of(&visit, id, &form.line).await?;
    match conversation::answer(visit.workflow(), &visit.viewer, line, &form.text).await {
        Ok(()) => Ok(done(&format!("/requests/{id}"), "answered")),
        Err(Error::Refused(refusals)) => {
            let found = request::load(visit.workflow(), &visit.viewer, id).await?;
            let why = refusals.first().map(refusals::sentence);
            let title = kit::to_fix(1, &said::number(found.number));
            let back = Back {
                line: Some(line),
                text: form.text,
                why,
            };
            let about = About {
                topics: found.topics.clone(),
                ..About::default()
            };
            visit
                .framed(StatusCode::UNPROCESSABLE_ENTITY, &title, about, move || {
                    page_with(&found, &back)
                })
                .await
        }
        Err(error) => Err(error.into()),
    }
}

/// Nudges those who decide on a line.
pub async fn nudge(
    visit: Visit,
    Path(id): Path<String>,
    Form(form): Form<TakeBack>,
) -> Result<Response, Fault> {
    let id: RequestId = kit::id(&id)?;
    let line = line_of(&visit, id, &form.line).await?;
    conversation::nudge(visit.workflow(), &visit.viewer, line).await?;
    Ok(done(&format!("/requests/{id}"), "nudged"))
}

/// A line of this request that the reader may see.
async fn line_of(visit: &Visit, id: RequestId, line: &str) -> Result<LineId, Fault> {
    let found = request::load(visit.workflow(), &visit.viewer, id).await?;
    let line: LineId = kit::id(line)?;
    if found.lines.iter().any(|one| one.id == line) {
        Ok(line)
    } else {
        Err(Fault::missing())
    }
}

pub(super) fn page(found: &RequestPage) -> impl IntoView + use<> {
    page_with(found, &Back::default())
}

fn page_with(found: &RequestPage, back: &Back) -> impl IntoView + use<> {
    let number = said::number(found.number);
    let crumbs = if found.mine {
        vec![crumb("My requests", "/requests"), here(number.clone())]
    } else {
        vec![crumb("Home", "/"), here(number.clone())]
    };
    let title = match &found.lines[..] {
        [one] => one.package.name.clone(),
        _ => format!("Request {number}"),
    };
    let mark = match &found.lines[..] {
        [one] => parts::tile(&one.package.app, Size::Large),
        _ => ().into_any(),
    };
    let lead = lead(found);
    let several = found.lines.len() > 1;
    let lines = found
        .lines
        .iter()
        .map(|one| line(one, found, several, back))
        .collect_view();
    let print = format!("/requests/{}/evidence", found.id);
    view! {
        <PageHead title=title lead=lead crumbs=crumbs mark=mark><LinkButton href=print look=Look::Quiet>"For printing"</LinkButton></PageHead>
        {outcome(found)}{lines}
    }
}

/// How the lines of a request stand together, where there are several: some may be ready while others wait or were denied.
fn outcome(found: &RequestPage) -> Option<AnyView> {
    if found.lines.len() < 2 {
        return None;
    }
    let mut counts: Vec<(&str, i64)> = Vec::new();
    for line in &found.lines {
        let (state, word) = said::standing(line.standing.word);
        let word = if word.is_empty() { state.word() } else { word };
        match counts.iter_mut().find(|(known, _)| *known == word) {
            Some((_, count)) => *count += 1,
            None => counts.push((word, 1)),
        }
    }
    let said: Vec<String> = counts
        .iter()
        .map(|(word, count)| format!("{count} {word}"))
        .collect();
    let said = format!(
        "{}, each decided on its own: {}.",
        words::count(found.lines.len() as i64, "request", "requests"),
        words::list(&said, "and")
    );
    let version = kit::version(&said);
    Some(view! { <Region name="outcome" version=version said=said.clone()><p class="dim">{said.clone()}</p></Region> }.into_any())
}

fn lead(found: &RequestPage) -> AnyView {
    let who = if found.mine {
        "You".to_owned()
    } else {
        found.asker.name.clone()
    };
    // Of several, each says itself for whom it is.
    let whom = match &found.lines[..] {
        [one] if one.beneficiary.id != found.asker.id => {
            Some(format!(" for {}", one.beneficiary.name))
        }
        _ => None,
    };
    let number = said::number(found.number);
    let what = match &found.lines[..] {
        [one] if one.extends.is_some() => "to extend it ",
        _ => "",
    };
    let length = match &found.lines[..] {
        [one] => Some(view! { {parts::when::window(one.window, found.now)}", " }),
        _ => None,
    };
    let asked = parts::when::relative(found.at, found.now);
    view! { {number}" · "{who}" asked"{whom}" "{what}{length}{asked}"." }.into_any()
}

fn line(one: &LineView, found: &RequestPage, several: bool, back: &Back) -> AnyView {
    let now = found.now;
    let wanted: Vec<String> = one.wanted.iter().map(parts::exception::sentence).collect();
    let mut version = format!("{}-{}", found.version, one.standing.word);
    if !wanted.is_empty() {
        // An exception moves on without a change of the line.
        version = format!("{version}-{}", kit::version(&wanted));
    }
    let region = |what: &str| format!("{what}-{}", one.id);
    let name = if one.beneficiary.id == found.asker.id {
        one.package.name.clone()
    } else {
        format!("{} for {}", one.package.name, one.beneficiary.name)
    };
    let heading = several.then(|| view! { <h2 dir="auto">{name}</h2> });
    let aside = parts::standing_badge(&one.standing, now);
    let decide = one.may_decide.map(|stage| {
        view! { <Note tone=Tone::Wait title="This waits for you"><a class="link" href=format!("/approvals/{stage}")>"Look at it and decide"</a></Note> }
    });
    let (state, word) = said::standing(one.standing.word);
    let word = if word.is_empty() { state.word() } else { word };
    let said = format!("{}: {word}", one.package.name);
    let (steps, actions) = (timeline::steps(one, found), take_back(one, found));
    let ready = ready(one, found);
    let talk = talk(one, found, region("talk"), back);
    view! {
        <div class="stack stack-4">
            {heading}
            <Region name=region("next") version=version.clone()>{decide}{ready}</Region>
            {talk}
            <div class="two">
                <Card title="Where it stands" aside=aside live=region("line") version=version.clone() said=said><Body>
                    <Timeline steps=steps/>
                    {actions}
                </Body></Card>
                {asked(one, found, region("asked"), version)}
            </div>
        </div>
    }
    .into_any()
}

/// Questions and answers, with the form for whoever may say something.
fn talk(one: &LineView, found: &RequestPage, live: String, back: &Back) -> AnyView {
    let asked = one.conversation.asked_back_at.is_some();
    let form = one.may_answer.then(|| {
        let this = back.line == Some(one.id);
        let (text, why) = if this {
            (back.text.clone(), back.why.clone())
        } else {
            (String::new(), None)
        };
        let id = format!("answer-{}", one.id);
        let action = format!("/requests/{}/answer", found.id);
        let fields = vec![("line", one.id.to_string())];
        let (label, button, look) = if asked {
            ("Your answer", "Answer", Look::Primary)
        } else {
            ("Add something", "Send", Look::Plain)
        };
        let open = this && why.is_some();
        let form = view! {
            <form method="post" action=action class="stack stack-3">
                <Hidden fields=fields/>
                <TextArea id=id name="text" label=label hint="Those who decide read it. What you asked for stays as it is." value=text error=why required=true shortest=5 longest=2000/>
                <div class="btns"><Button look=look>{button}</Button></div>
            </form>
        };
        if asked {
            form.into_any()
        } else {
            view! { <More summary="Add something for those who decide" open=open>{form}</More> }.into_any()
        }
    });
    parts::talk::card(&one.conversation, found.now, live, form)
}

/// What to do once it is there, and what to do if it is not.
fn ready(one: &LineView, found: &RequestPage) -> Option<AnyView> {
    let mine = found.mine || one.may_give_back;
    if !mine {
        return None;
    }
    let app = one.package.app.name.clone();
    match one.standing.word {
        StandingWord::Ready => {
            let open = parts::open(&one.package, Look::Primary);
            let bites = one.parts.iter().map(|part| part.effective_within_seconds).max().unwrap_or_default();
            let wait = if bites > 60 { format!("Wait a little: {app} may need up to {} to notice.", spans::span(bites)) } else { format!("Wait a minute: {app} has to notice.") };
            let again = format!("Sign out of {app} and in again, with {}.", one.account);
            let help = format!("If it still does not work, tell the service desk {}. They see here what the application answered.", said::number(found.number));
            Some(
                view! {
                    <Note tone=Tone::Good title="It is ready">
                        <div class="stack stack-3">
                            <div class="btns">{open}<LinkButton href="/access" look=Look::Quiet>"See it in My access"</LinkButton></div>
                            <More summary="It does not work yet?">
                                <ol class="stack list-decimal ps-5">
                                    <li dir="auto">{again}</li>
                                    <li dir="auto">{wait}</li>
                                    <li>{help}</li>
                                </ol>
                            </More>
                        </div>
                    </Note>
                }
                .into_any(),
            )
        }
        StandingWord::NotSwitchedOn => Some(
            view! { <Note tone=Tone::Wait title="Not switched on yet">"It was decided, and will be made so when the target is switched on. You do not have to do anything, and nothing has to be asked again."</Note> }.into_any(),
        ),
        StandingWord::AfterRestore => Some(
            view! { <Note tone=Tone::Wait title="It waits for an operator">"It was approved. The database was restored from a backup, so nothing is given until somebody has compared what the targets hold. You do not have to do anything, and nothing has to be asked again."</Note> }.into_any(),
        ),
        StandingWord::Attention => Some(
            view! { <Note tone=Tone::Wait title="Setting it up is stuck">"It was approved. Somebody has been told and looks at it; you do not have to do anything, and nothing has to be asked again."</Note> }.into_any(),
        ),
        _ => None,
    }
}

fn take_back(one: &LineView, found: &RequestPage) -> Option<AnyView> {
    let cancel = one.may_cancel.then(|| {
        let action = format!("/requests/{}/cancel", found.id);
        let fields = vec![("line", one.id.to_string())];
        view! {
            <Ask summary="Take the request back" small=true>
                <p>"Nothing more has to be decided then, and nothing is set up. You can ask again at any time."</p>
                <PostButton action=action fields=fields look=Look::DangerSure small=true>"Take it back now"</PostButton>
            </Ask>
        }
    });
    let nudge = one.may_nudge.then(|| {
        let action = format!("/requests/{}/nudge", found.id);
        let fields = vec![("line", one.id.to_string())];
        view! { <PostButton action=action fields=fields small=true>"Nudge those who decide"</PostButton> }
    });
    let more = one.grant.filter(|_| one.may_extend).map(|grant| {
        view! { <LinkButton href=format!("/access/{grant}/extend") small=true>"Extend"</LinkButton> }
    });
    let back = one.grant.filter(|_| one.may_give_back).map(|grant| view! { <LinkButton href=format!("/access#{grant}") small=true look=Look::Quiet>"Give back"</LinkButton> });
    let again = matches!(one.standing.word, StandingWord::Denied | StandingWord::Lapsed | StandingWord::Cancelled | StandingWord::Ended | StandingWord::NothingGiven | StandingWord::Withdrawn)
        .then(|| found.mine.then(|| view! { <LinkButton href=format!("/request/{}", one.package.id) small=true>"Ask again"</LinkButton> }));
    if cancel.is_none()
        && nudge.is_none()
        && more.is_none()
        && back.is_none()
        && again.as_ref().and_then(Option::as_ref).is_none()
    {
        return None;
    }
    Some(
        view! { <div class="bar wrap items-start">{cancel}{nudge}{more}{back}{again}</div> }
            .into_any(),
    )
}

fn asked(one: &LineView, found: &RequestPage, live: String, version: String) -> AnyView {
    let now = found.now;
    let mut items = vec![
        fact_view(
            "Package",
            view! { <a class="link" href=format!("/catalog/{}", one.package.id) dir="auto">{one.package.name.clone()}</a> },
        ),
        fact("Application", one.package.app.name.clone()),
        fact_view("Account", address(&one.account)),
        fact_view("How long", parts::when::length(one.window, now)),
    ];
    match one.window.start {
        Start::OnActivation => items.push(fact("From", "as soon as approved")),
        Start::At(at) => items.push(fact_view(
            "From",
            view! { <Moment at=at now=now say=Say::Stamp/> },
        )),
    }
    if matches!(
        one.standing.word,
        StandingWord::Waiting | StandingWord::Stuck | StandingWord::WaitsForException
    ) {
        items.push(fact_view(
            "Lapses",
            view! { <Moment at=one.lapse_at now=now say=Say::Moment/> },
        ));
    }
    let owners: Vec<&str> = one.owners.iter().map(|owner| owner.name.as_str()).collect();
    if !owners.is_empty() {
        items.push(fact("Owned by", words::list(&owners, "and")));
    }
    let answers = one
        .answers
        .iter()
        .map(|answer| {
            let said = parts::answer(answer);
            view! { <div class="stack stack-1"><p class="small dim" dir="auto">{answer.ask.clone()}</p><p dir="auto">{said}</p></div> }
        })
        .collect_view();
    let opens = one
        .opens
        .iter()
        .map(|line| view! { <li dir="auto">{line.clone()}</li> })
        .collect_view();
    let opens = (!one.opens.is_empty()).then(|| view! { <More summary="What it opens"><ul class="stack list-disc ps-5">{opens}</ul></More> });
    let reason = one.reason.clone();
    view! {
        <Card title="What was asked" live=live version=version><Body>
            <Quote words=reason/>
            <Facts items=items left=true/>
            {answers}{opens}
        </Body></Card>
    }
    .into_any()
}

/// The evidence sheet, for tests.
#[cfg(test)]
pub fn evidence_page(found: &request::RequestEvidence) -> AnyView {
    evidence::sheet(found).into_any()
}
