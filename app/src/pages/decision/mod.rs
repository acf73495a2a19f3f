//! `/approvals/{stage}`: the page on which somebody decides, and the form that does it.

mod facts;
mod history;
mod last;
pub(super) mod risk;
mod route;
#[cfg(test)]
mod tests;
mod verdict;

pub use facts::lead;
pub use last::{Last, last};

use axum::{
    Form,
    extract::{Path, Query},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use chrono::Duration;
use domain::{Refusal, StageId, approval::Verdict, request::LineState};
use leptos::prelude::*;
use serde::Deserialize;
use workflow::{
    Error, Workflow,
    access::Viewer,
    conversation,
    decide::{self, Vote},
    fresh::Act,
    views::decision::{self, DecisionPage},
};

use super::{approvals::asks, fresh, kit, parts, said};
use crate::{
    frame::About,
    problem::Fault,
    refusals,
    ui::*,
    visit::{Visit, done},
};

/// What the form sends: which button, and what was typed.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Typed {
    /// `approve`, `less`, `deny` or `ask`.
    #[serde(default)]
    verdict: String,
    /// What the decider wrote.
    #[serde(default)]
    note: String,
    /// What the page said is signed off.
    #[serde(default)]
    signed: String,
    /// For less: which length.
    #[serde(default)]
    less: String,
    /// For less: another length, its number.
    #[serde(default)]
    less_number: String,
    /// For less: another length, its unit.
    #[serde(default)]
    less_unit: String,
}

impl Typed {
    /// A yes that was kept while its decider signed in once more.
    fn kept(vote: Vote) -> Self {
        let chosen = vote
            .cap_seconds
            .map(|cap| Chosen::span(Duration::seconds(cap)));
        Self {
            verdict: if chosen.is_some() { "less" } else { "approve" }.to_owned(),
            note: vote.note,
            signed: vote.signed_hash,
            less: chosen.map(|chosen| chosen.choice).unwrap_or_default(),
            ..Self::default()
        }
    }

    fn chosen(&self) -> Chosen {
        Chosen {
            choice: self.less.clone(),
            number: self.less_number.clone(),
            unit: self.less_unit.clone(),
            until: String::new(),
        }
    }
}

/// What the address may say.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    /// What the last form did.
    #[serde(default)]
    done: String,
    /// The stage in which the reader has just voted.
    #[serde(default)]
    of: String,
    /// What the reader wanted to approve before they were asked to sign in once more.
    #[serde(default)]
    again: String,
}

/// What was typed and what was wrong with it, for the page that comes back.
#[derive(Clone, Debug, Default)]
struct Back {
    typed: Typed,
    note: Option<String>,
    less: Option<String>,
    form: Vec<String>,
}

impl Back {
    /// Sorts refusals beside their fields.
    fn of(typed: Typed, refusals: &[Refusal]) -> Self {
        let mut back = Self {
            typed,
            ..Self::default()
        };
        for refusal in refusals {
            let sentence = refusals::sentence(refusal);
            match refusals::field(refusal).as_str() {
                "reason" | "note" => back.note = Some(sentence),
                "length" => back.less = Some(sentence),
                _ => back.form.push(sentence),
            }
        }
        back
    }

    /// How many fields are wrong.
    fn faults(&self) -> usize {
        usize::from(self.note.is_some()) + usize::from(self.less.is_some())
    }
}

/// The page.
pub async fn show(
    visit: Visit,
    Path(stage): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Fault> {
    let stage: StageId = kit::id(&stage)?;
    let facts = decision::load(visit.workflow(), &visit.viewer, stage).await?;
    let last = last(&visit, &asked.done, &asked.of).await;
    let back = kept(&visit, stage, &asked.again).await?;
    answer(&visit, StatusCode::OK, facts, back, last).await
}

/// What was typed before a fresh sign-in that came to nothing, if the address names one of the reader's.
async fn kept(visit: &Visit, stage: StageId, again: &str) -> Result<Option<Back>, Fault> {
    let back = fresh::kept(visit, again)
        .await?
        .and_then(|kept| match kept.act {
            Act::Vote(vote) if vote.stage == stage => {
                Some(Back::of(Typed::kept(vote), &kept.refusals))
            }
            _ => None,
        });
    Ok(back)
}

/// The vote.
pub async fn post(
    visit: Visit,
    Path(stage): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Fault> {
    let stage: StageId = kit::id(&stage)?;
    if typed.verdict == "ask" {
        return ask_back(&visit, stage, typed).await;
    }
    let (verdict, cap_seconds) = match typed.verdict.as_str() {
        "deny" => (Verdict::Deny, None),
        "less" => match typed.chosen().read() {
            Ok(Some(span)) => (Verdict::Approve, Some(span.num_seconds())),
            Ok(None) => {
                return again(
                    &visit,
                    stage,
                    Back {
                        typed,
                        less: Some("Choose how long.".into()),
                        ..Back::default()
                    },
                )
                .await;
            }
            Err(fault) => {
                return again(
                    &visit,
                    stage,
                    Back {
                        typed,
                        less: Some(fault.into()),
                        ..Back::default()
                    },
                )
                .await;
            }
        },
        "approve" => (Verdict::Approve, None),
        _ => {
            return again(
                &visit,
                stage,
                Back {
                    typed,
                    form: vec!["Choose one of the buttons.".into()],
                    ..Back::default()
                },
            )
            .await;
        }
    };
    let vote = Vote {
        stage,
        verdict,
        note: typed.note.clone(),
        cap_seconds,
        signed_hash: typed.signed.clone(),
    };
    match decide::decide(visit.workflow(), &visit.viewer, vote.clone()).await {
        Ok(()) => {
            let onward = onward(visit.workflow(), &visit.viewer, stage, verdict).await;
            Ok(Redirect::to(&onward).into_response())
        }
        Err(Error::Refused(refusals)) if refusals == [Refusal::WantsFreshSignIn] => {
            fresh::leave(&visit, vote.into()).await
        }
        Err(Error::Refused(refusals)) => again(&visit, stage, Back::of(typed, &refusals)).await,
        Err(Error::Stale) => {
            again(
                &visit,
                stage,
                Back {
                    typed,
                    form: vec!["Somebody else was first.".into()],
                    ..Back::default()
                },
            )
            .await
        }
        Err(error) => Err(error.into()),
    }
}

/// A question instead of a vote.
async fn ask_back(visit: &Visit, stage: StageId, typed: Typed) -> Result<Response, Fault> {
    match conversation::ask_back(visit.workflow(), &visit.viewer, stage, &typed.note).await {
        Ok(()) => Ok(done(&format!("/approvals/{stage}"), "asked_back")),
        Err(Error::Refused(refusals)) => again(visit, stage, Back::of(typed, &refusals)).await,
        Err(error) => Err(error.into()),
    }
}

/// Where somebody goes who has just voted: to the next decision that waits for them, or to the queue if none does.
pub async fn onward(
    workflow: &Workflow,
    viewer: &Viewer,
    stage: StageId,
    verdict: Verdict,
) -> String {
    let next = decision::load(workflow, viewer, stage)
        .await
        .ok()
        .and_then(|facts| facts.next);
    let path = next.map_or_else(
        || "/approvals".to_owned(),
        |stage| format!("/approvals/{stage}"),
    );
    let done = match verdict {
        Verdict::Deny => "denied",
        Verdict::Approve => "approved",
    };
    kit::address(&path, &[("of", &stage.to_string()), ("done", done)])
}

/// The page again, as it stands now, with what was typed.
async fn again(visit: &Visit, stage: StageId, back: Back) -> Result<Response, Fault> {
    let facts = decision::load(visit.workflow(), &visit.viewer, stage).await?;
    // A fault of what was typed is the form's; any other means that the world went on without the reader.
    let status = if back.form.is_empty() || facts.refusal.is_none() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::CONFLICT
    };
    answer(visit, status, facts, Some(back), None).await
}

async fn answer(
    visit: &Visit,
    status: StatusCode,
    facts: DecisionPage,
    back: Option<Back>,
    last: Option<Last>,
) -> Result<Response, Fault> {
    let title = match back.as_ref().map_or(0, Back::faults) {
        0 => title(&facts),
        faults => kit::to_fix(faults, &title(&facts)),
    };
    let topics = facts.topics.clone();
    let back = back.unwrap_or_default();
    let about = About {
        topics,
        ..About::default()
    };
    visit
        .framed(status, &title, about, move || page(facts, back, last))
        .await
}

fn title(facts: &DecisionPage) -> String {
    let whom = &facts.beneficiary.person;
    asks(
        &facts.asker.name,
        (facts.asker.id != whom.id).then_some(whom.name.as_str()),
        facts.kind,
        &facts.package.name,
    )
}

fn page(facts: DecisionPage, back: Back, last: Option<Last>) -> impl IntoView {
    let place = match facts.position {
        Some(position) => format!("{position} of {}", said::capped(facts.waiting)),
        None => said::number(facts.number),
    };
    let crumbs = vec![crumb("Decisions", "/approvals"), here(place)];
    let name = facts.beneficiary.person.name.clone();
    let mark = view! { <Avatar name=name size=Size::Large/> }.into_any();
    let badge = if facts.waits_since.is_some() {
        Some((State::Waiting, "waits for an exception"))
    } else {
        let state = match facts.state {
            LineState::AwaitingApproval => None,
            LineState::Approved => Some(State::Approved),
            LineState::Denied => Some(State::Refused),
            _ => Some(State::Ended),
        };
        state.map(|state| (state, said::line_state(facts.state)))
    };
    let badge = badge.map(|(state, words)| view! { <Badge state=state words=words/> });
    view! {
        {last.map(|last| last.view(true))}
        <PageHead title=title(&facts) lead=facts::lead(&facts.beneficiary) crumbs=crumbs mark=mark>{badge}</PageHead>
        <div class="two">
            <section class="card" aria-label="What is asked">
                <div class="body stack stack-4">{facts::view(&facts)}</div>
                {verdict::view(&facts, back)}
            </section>
            <div class="stack stack-4">
                {risk::rules(&facts)}
                {route::card(&facts)}
                {risk::card(&facts)}
                {parts::talk::card(&facts.conversation, facts.now, "talk".into(), None)}
                {history::card(&facts)}
                {facts::beside(&facts)}
                {facts::signed(&facts)}
                {history::covers(&facts)}
            </div>
        </div>
    }
}
