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
    response::Response,
};
use domain::{Refusal, StageId, approval::Verdict, request::LineState};
use leptos::prelude::*;
use serde::Deserialize;
use workflow::{
    Error, conversation,
    decide::{self, Vote},
    views::decision::{self, DecisionPage},
};

use super::{approvals::asks, kit, parts, said};
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
    answer(&visit, facts, None, last).await
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
    match decide::decide(visit.workflow(), &visit.viewer, vote).await {
        Ok(()) => Ok(next(&visit, stage, verdict).await),
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

/// On to the next decision that waits, or to the queue if none does.
async fn next(visit: &Visit, stage: StageId, verdict: Verdict) -> Response {
    let next = decision::load(visit.workflow(), &visit.viewer, stage)
        .await
        .ok()
        .and_then(|facts| facts.next);
    let path = next.map_or_else(
        || "/approvals".to_owned(),
        |stage| format!("/approvals/{stage}"),
    );
    done(
        &kit::address(&path, &[("of", &stage.to_string())]),
        if verdict == Verdict::Deny {
            "denied"
        } else {
            "approved"
        },
    )
}

/// The page again, as it stands now, with what was typed.
async fn again(visit: &Visit, stage: StageId, back: Back) -> Result<Response, Fault> {
    let facts = decision::load(visit.workflow(), &visit.viewer, stage).await?;
    answer(visit, facts, Some(back), None).await
}

async fn answer(
    visit: &Visit,
    facts: DecisionPage,
    back: Option<Back>,
    last: Option<Last>,
) -> Result<Response, Fault> {
    let title = match back.as_ref().map_or(0, Back::faults) {
        0 => title(&facts),
        faults => kit::to_fix(faults, &title(&facts)),
    };
    let topics = facts.topics.clone();
    // A fault of what was typed is the form's; any other means that the world went on without the reader.
    let status = match &back {
        None => StatusCode::OK,
        Some(back) if back.form.is_empty() || facts.refusal.is_none() => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Some(_) => StatusCode::CONFLICT,
    };
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
    let badge = (facts.state != LineState::AwaitingApproval).then(|| {
        let state = match facts.state {
            LineState::Approved => State::Approved,
            LineState::Denied => State::Refused,
            _ => State::Ended,
        };
        view! { <Badge state=state words=said::line_state(facts.state)/> }
    });
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
