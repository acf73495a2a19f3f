//! From the steps of a line to the steps that people read.

use domain::{
    approval::{StageState, Verdict},
    deadline::Warning,
    grant::{End, Health},
    request::LineState,
};
use leptos::prelude::*;
use workflow::views::{
    Mark, SeatView, Vote,
    request::{LineView, RequestPage, StageView, What},
};

use super::said;
use crate::{
    refusals, spans,
    ui::{Moment, Quote, Say, Stand, Step},
    words,
};

/// What happened and what will, in order, for the screen.
pub fn steps(line: &LineView, found: &RequestPage) -> Vec<Step> {
    line.steps
        .iter()
        .map(|one| step(one, line, found, None))
        .collect()
}

/// The same on paper: names instead of "you", and every moment in full.
pub fn on_paper(line: &LineView, found: &RequestPage) -> Vec<Step> {
    let found = RequestPage {
        mine: false,
        ..found.clone()
    };
    line.steps
        .iter()
        .map(|one| step(one, line, &found, Some(Say::Stamp)))
        .collect()
}

fn step(
    one: &workflow::views::request::Step,
    line: &LineView,
    found: &RequestPage,
    say: Option<Say>,
) -> Step {
    let now = found.now;
    let setting_up = matches!(one.what, What::SetUp { .. } | What::Gone { .. });
    let stand = match one.mark {
        Mark::Done => Stand::Done,
        Mark::Now if setting_up => Stand::Work,
        Mark::Now => Stand::Now,
        Mark::Ahead => Stand::Next,
        Mark::Bad => Stand::Bad,
    };
    let (title, detail) = said(one, line, found);
    let mut step = Step::new(stand, title).detail(detail);
    if let Some(at) = one.at {
        let say = say.unwrap_or(if at > now { Say::Moment } else { Say::Relative });
        step = step.when(view! { <Moment at=at now=now say=say/> });
    }
    if let What::Stage(stage) = &one.what {
        let notes: Vec<_> = stage
            .votes
            .iter()
            .filter(|vote| !vote.note.is_empty() || vote.cap_seconds.is_some())
            .cloned()
            .collect();
        if !notes.is_empty() {
            step = step.extra(notes.into_iter().map(note).collect_view());
        }
    }
    step
}

/// What somebody said with their vote.
fn note(vote: Vote) -> AnyView {
    let cap = vote.cap_seconds.map(|seconds| view! { <p class="small dim"><bdi>{vote.by.name.clone()}</bdi>" said yes for "{spans::span(seconds)}" at most."</p> });
    let words = (!vote.note.is_empty()).then(|| view! { <Quote words=vote.note.clone()/> });
    view! { <div class="stack">{cap}{words}</div> }.into_any()
}

/// Title and one more sentence.
fn said(
    one: &workflow::views::request::Step,
    line: &LineView,
    found: &RequestPage,
) -> (String, Option<String>) {
    let ahead = one.mark == Mark::Ahead;
    match &one.what {
        What::Asked { by, .. } => (
            if found.mine {
                "You asked".into()
            } else {
                format!("{} asked", by.name)
            },
            None,
        ),
        What::Checked { eligible, .. } => {
            let detail = if eligible.is_empty() {
                "Everybody may ask for this.".into()
            } else {
                refusals::sentences(eligible)
            };
            ("Checked against the rules".into(), Some(detail))
        }
        What::Stage(stage) => stage_said(stage),
        What::Approved { by_policy: true } => (
            "Approved".into(),
            Some("The policy gives this at once; nobody has to decide.".into()),
        ),
        What::Approved { by_policy: false } => (
            if ahead {
                "All approved".into()
            } else {
                "Approved".into()
            },
            None,
        ),
        What::Closed { state, by } => closed(*state, by.as_ref().map(|by| by.name.as_str()), found),
        What::Extended { end } => {
            let detail = end
                .and_then(End::at)
                .map(|at| format!("It ends {} now.", words::stamp(at)));
            (
                if ahead {
                    "More time is given".into()
                } else {
                    "More time given".into()
                },
                detail,
            )
        }
        What::NothingGiven => (
            "No time was left to give".into(),
            Some("It was approved after the time asked for had passed.".into()),
        ),
        What::Starts => (
            if ahead {
                "Starts".into()
            } else {
                "Started".into()
            },
            None,
        ),
        What::SetUp {
            confirmed,
            of,
            attention,
        } => set_up(one.mark, *confirmed, *of, *attention, line),
        What::Ready => (
            if ahead {
                "Ready to use".into()
            } else {
                "Ready".into()
            },
            (!ahead).then(|| "Read back from the application: it is there.".into()),
        ),
        What::Warned { warning } => {
            let span = match warning {
                Warning::Week => "7 days",
                Warning::Day => "1 day",
                Warning::Hour => "1 hour",
            };
            (
                if ahead {
                    format!("A mail {span} before the end")
                } else {
                    format!("Told {span} before the end")
                },
                None,
            )
        }
        What::Ends { reason: None, .. } => ("Ends by itself".into(), None),
        What::Ends {
            reason: Some(reason),
            by,
            note,
        } => {
            let by = by
                .as_ref()
                .map(|by| format!(" by {}", by.name))
                .unwrap_or_default();
            let note = note
                .as_ref()
                .map(|note| format!(" \u{201c}{note}\u{201d}"))
                .unwrap_or_default();
            (
                "Ended".into(),
                Some(format!(
                    "{}{by}.{note}",
                    words::sentence(said::end_reason(*reason))
                )),
            )
        }
        What::Gone { health } => match (one.mark, health) {
            (_, Health::StillHeld) => (
                "Ended here, still held another way".into(),
                Some("Another grant gives the same right, so it stays.".into()),
            ),
            (Mark::Ahead, _) => ("Removed, and read back as gone".into(), None),
            (Mark::Done, _) => (
                "Confirmed gone".into(),
                Some("Read back from the application: it is not there any more.".into()),
            ),
            (Mark::Bad, _) => (
                "Removing it is stuck".into(),
                Some("Somebody has been told and looks at it.".into()),
            ),
            (Mark::Now, _) => ("Being removed".into(), None),
        },
    }
}

fn closed(state: LineState, by: Option<&str>, found: &RequestPage) -> (String, Option<String>) {
    match state {
        LineState::Denied => (
            "Denied".into(),
            Some("Nothing was set up. You may ask again, and say what has changed.".into())
                .filter(|_| found.mine),
        ),
        LineState::Cancelled => (
            match by {
                Some(_) if found.mine => "You took it back".into(),
                Some(name) => format!("Taken back by {name}"),
                None => "Taken back".into(),
            },
            None,
        ),
        LineState::Lapsed => (
            "Nobody decided in time".into(),
            Some("The request lapsed; nothing was set up.".into()),
        ),
        LineState::Superseded => (
            "Asked again".into(),
            Some("A newer request took its place.".into()),
        ),
        LineState::Withdrawn => (
            "Withdrawn".into(),
            Some("The person left, or the package is not offered any more.".into()),
        ),
        LineState::Approved | LineState::AwaitingApproval => {
            (words::sentence(said::line_state(state)), None)
        }
    }
}

fn set_up(
    mark: Mark,
    confirmed: usize,
    of: usize,
    attention: bool,
    line: &LineView,
) -> (String, Option<String>) {
    let app = &line.package.app.name;
    match mark {
        Mark::Ahead | Mark::Done => (format!("Set up in {app}"), None),
        Mark::Bad => (
            format!("Setting up in {app} is stuck"),
            Some("Somebody has been told and looks at it.".into()),
        ),
        Mark::Now if attention => (
            format!("Setting up in {app} needs attention"),
            Some("Somebody has been told and looks at it.".into()),
        ),
        Mark::Now if of > 1 => (
            format!("Being set up in {app}"),
            Some(format!("{confirmed} of {of} rights confirmed.")),
        ),
        Mark::Now => (
            format!("Being set up in {app}"),
            Some("Asked the application; waiting until it says that it is there.".into()),
        ),
    }
}

fn names(seats: &[SeatView], last: &str) -> String {
    let people: Vec<_> = seats
        .iter()
        .take(4)
        .map(|seat| seat.person.clone())
        .collect();
    let more = seats.len() - people.len();
    said::people(&people, more as i64, last)
}

fn stage_said(stage: &StageView) -> (String, Option<String>) {
    let rule = said::rule(stage.rule);
    let voters = |verdict| {
        let names: Vec<&str> = stage
            .votes
            .iter()
            .filter(|vote| vote.verdict == verdict)
            .map(|vote| vote.by.name.as_str())
            .collect();
        words::list(&names, "and")
    };
    match stage.state {
        StageState::Open if stage.stuck => (
            format!("{rule} decides"),
            Some("Nobody can decide this right now. Security has been told.".into()),
        ),
        StageState::Open => {
            let mut detail = format!("{} can decide.", names(&stage.seats, "or"));
            let yes = voters(Verdict::Approve);
            if !yes.is_empty() {
                detail = format!(
                    "{yes} said yes. {} still to come: {}.",
                    stage.needed - stage.votes.len() as i64,
                    names(&stage.seats, "or")
                );
            } else if stage.needed > 1 {
                detail = format!(
                    "{} of these must say yes: {}.",
                    stage.needed,
                    names(&stage.seats, "and")
                );
            }
            if stage.fallback {
                detail.push_str(" They stand in, because nobody in the first place can.");
            }
            (format!("{rule} decides"), Some(detail))
        }
        StageState::Waiting => {
            let who = names(&stage.seats, "or");
            (
                format!("{rule} decides"),
                (!who.is_empty()).then(|| format!("Then {who} can decide.")),
            )
        }
        StageState::Met => {
            let by = if stage.by_subordinates {
                " (decided by people who report to the asker)"
            } else {
                ""
            };
            (
                format!("{rule} said yes"),
                Some(format!("{}{by}", voters(Verdict::Approve))),
            )
        }
        StageState::MetByAsking => (
            format!("{rule}: yes by asking"),
            Some("Whoever asked is the one who decides here.".into()),
        ),
        StageState::Collapsed => (
            format!("{rule}: counted already"),
            Some("The same person said yes in an earlier step.".into()),
        ),
        StageState::Denied => (format!("{rule} said no"), Some(voters(Verdict::Deny))),
        StageState::Closed => (format!("{rule}: not needed any more"), None),
    }
}
