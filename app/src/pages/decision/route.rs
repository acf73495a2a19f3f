//! Who decides, who has decided, and what they said.

use domain::{
    PersonId,
    approval::{StageState, Verdict},
};
use leptos::prelude::*;
use workflow::views::{Vote, decision::DecisionPage, request::StageView};

use super::super::{kit, parts, said};
use crate::{ui::*, words};

/// The route as a line of steps. Refreshes by itself.
pub fn card(facts: &DecisionPage) -> impl IntoView + use<> {
    let mine = facts.via.is_some().then_some(facts.stage);
    let version = kit::version(&(
        facts.state.as_str(),
        facts
            .route
            .iter()
            .map(|stage| {
                (
                    stage.state.as_str(),
                    stage.votes.len(),
                    stage
                        .seats
                        .iter()
                        .map(|seat| seat.person.id)
                        .collect::<Vec<PersonId>>(),
                )
            })
            .collect::<Vec<_>>(),
    ));
    let steps = facts
        .route
        .iter()
        .map(|stage| step(stage, mine == Some(stage.id), facts))
        .collect();
    view! { <Card title="Route" live="route" version=version><Body><Timeline steps=steps/></Body></Card> }
}

fn step(stage: &StageView, mine: bool, facts: &DecisionPage) -> Step {
    let stand = match stage.state {
        StageState::Met | StageState::MetByAsking | StageState::Collapsed => Stand::Done,
        StageState::Open if stage.stuck => Stand::Bad,
        StageState::Open => Stand::Now,
        StageState::Waiting => Stand::Next,
        StageState::Denied | StageState::Unanswered => Stand::Bad,
        StageState::Closed | StageState::PassedOn => Stand::Off,
    };
    let inside = said::step_inside(stage.rule, stage.group.as_deref());
    let behalf = facts.behalf.as_ref().filter(|_| mine);
    let title = match behalf {
        Some(whom) if stage.state == StageState::Open => {
            format!("You for {}, {inside}", whom.name)
        }
        None if mine && stage.state == StageState::Open => {
            format!("You, {inside}")
        }
        _ => said::step(stage.rule, stage.group.as_deref()),
    };
    let mut said = detail(stage, mine);
    let silence = said::silence(stage);
    if stage.state == StageState::Open && !silence.is_empty() {
        said = format!("{}. {silence}", said.trim_end_matches('.'));
    }
    let mut step = Step::new(stand, title).detail(said);
    let at = match stage.state {
        StageState::Waiting => None,
        StageState::Open => stage.opened_at,
        _ => stage.closed_at,
    };
    if let Some(at) = at {
        let now = facts.now;
        step = if stage.state == StageState::Open {
            step.when(view! { "for "<Moment at=at now=now say=Say::For/> })
        } else {
            step.when(view! { <Moment at=at now=now/> })
        };
    }
    let handed = stage
        .handed_on
        .iter()
        .map(parts::talk::handed_on)
        .collect_view();
    if !stage.votes.is_empty() || !stage.handed_on.is_empty() {
        let votes = stage.votes.iter().map(vote).collect_view();
        step = step.extra(view! { <div class="stack">{handed}{votes}</div> });
    }
    step
}

fn detail(stage: &StageView, mine: bool) -> String {
    let mut all: Vec<String> = stage.seats.iter().take(4).map(said::seat).collect();
    let more = stage.seats.len().saturating_sub(all.len());
    if more > 0 {
        all.push(format!("{more} more"));
    }
    let who = words::list(&all, "or");
    let needed = if stage.needed > 1 {
        format!("; {} must say yes", stage.needed)
    } else {
        String::new()
    };
    let fallback = if stage.by_subordinates {
        "; only people who report to them are left, so two of them decide"
    } else if stage.fallback && !stage.stuck {
        "; nobody whom the rule names can decide"
    } else if stage.escalated {
        "; more people by now, because nobody answered"
    } else {
        ""
    };
    match stage.state {
        StageState::MetByAsking => "asked for it, so has said yes".into(),
        StageState::Collapsed => "decided an earlier step already".into(),
        StageState::Open if stage.stuck => {
            "Nobody can decide this now. Security and operators see it.".into()
        }
        StageState::Open if mine && stage.seats.len() == 1 => format!("only you{needed}{fallback}"),
        StageState::Open | StageState::Waiting => {
            let together = if stage.together {
                "; at the same time as the step before"
            } else {
                ""
            };
            format!("{who}{needed}{fallback}{together}")
        }
        StageState::PassedOn => "nobody answered in time, so the next step decides".into(),
        StageState::Unanswered => "nobody answered in time".into(),
        StageState::Met | StageState::Denied | StageState::Closed => String::new(),
    }
}

fn vote(vote: &Vote) -> impl IntoView + use<> {
    let note = (!vote.note.is_empty()).then(|| view! { <Quote words=vote.note.clone()/> });
    view! { <p class="small dim" dir="auto">{said_vote(vote)}</p>{note} }
}

/// One vote in words: `Elin Berg approved, for at most 4 hours`.
pub fn said_vote(vote: &Vote) -> String {
    let did = match vote.verdict {
        Verdict::Approve => "approved",
        Verdict::Deny => "denied",
    };
    let cap = vote
        .cap_seconds
        .map(|cap| format!(", for at most {}", said::seconds(cap)))
        .unwrap_or_default();
    let behalf = vote
        .behalf
        .as_ref()
        .map(|whom| format!(" for {}", whom.name))
        .unwrap_or_default();
    let fresh = if vote.fresh_at.is_some() {
        ", after a fresh sign-in"
    } else {
        ""
    };
    format!("{} {did}{behalf}{cap}{fresh}", vote.by.name)
}

/// The newest vote of all, with when it was cast: how it stands now, for somebody who was not first.
pub fn newest(facts: &DecisionPage) -> Option<&Vote> {
    facts
        .route
        .iter()
        .flat_map(|stage| &stage.votes)
        .max_by_key(|vote| vote.at)
}
