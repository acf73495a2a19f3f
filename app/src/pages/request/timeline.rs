//! From the steps of a line to the steps that people read.

use domain::{
    Timestamp,
    deadline::Warning,
    grant::{End, Health},
    request::{Length, LineState},
};
use leptos::prelude::*;
use workflow::views::{
    Mark, StandingWord, Vote,
    request::{LineView, RequestPage, What},
};

use super::{
    parts::{exception, talk, when},
    said, stage,
};
use crate::{
    spans,
    ui::{Moment, Phrase, Quote, Say, Stand, Step},
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
    let (title, detail) = said(one, line, found, say);
    let mut step = Step::new(stand, title).detail(detail);
    if let Some(at) = one.at {
        step = match say {
            Some(say) => step.when(view! { <Moment at=at now=now say=say/> }),
            None if at > now => step.when(when::moment(at, now)),
            // What is under way is told by how long it has been.
            None if matches!(stand, Stand::Now | Stand::Work) => {
                step.when(view! { "for "<Moment at=at now=now say=Say::For/> })
            }
            None => step.when(when::relative(at, now)),
        };
    }
    if let What::WaitsForException { until: Some(_) } = one.what {
        let links: Vec<AnyView> = line.wanted.iter().filter_map(exception::link).collect();
        if !links.is_empty() {
            step = step.extra(view! { <div class="btns">{links}</div> });
        }
    }
    if let What::Stage(stage) = &one.what {
        let notes: Vec<_> = stage
            .votes
            .iter()
            .filter(|vote| !vote.note.is_empty() || vote.cap_seconds.is_some())
            .cloned()
            .collect();
        let handed = stage.handed_on.iter().map(talk::handed_on).collect_view();
        if !notes.is_empty() || !stage.handed_on.is_empty() {
            let notes = notes.into_iter().map(note).collect_view();
            step = step.extra(view! { {handed}{notes} });
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

/// A title with one more sentence, or without.
pub(super) type Said = (String, Phrase);

pub(super) fn plain(title: impl Into<String>) -> Said {
    (title.into(), Phrase::default())
}

pub(super) fn with(title: impl Into<String>, detail: impl Into<Phrase>) -> Said {
    (title.into(), detail.into())
}

/// Title and one more sentence.
fn said(
    one: &workflow::views::request::Step,
    line: &LineView,
    found: &RequestPage,
    say: Option<Say>,
) -> Said {
    let ahead = one.mark == Mark::Ahead;
    let app = &line.package.app.name;
    match &one.what {
        What::Asked { .. } if found.mine => plain("You asked"),
        What::Asked { by, .. } => plain(format!("{} asked", by.name)),
        What::Checked { eligible, .. } => with("Checked", checked(eligible, line, found)),
        What::Stage(stage) => stage::said(stage),
        What::AskedBack { stands_until } => {
            let now = found.now;
            let whose = if found.mine {
                "Waits for your answer"
            } else {
                "Waits for an answer"
            };
            let until = stands_until.map(|at| {
                let at = view! { <Moment at=at now=now say=say.unwrap_or(Say::Moment)/> };
                view! { "The deadline stands still meanwhile, until "{at}" at most." }.into_any()
            });
            with(whose, until)
        }
        What::Nudged if found.mine => plain("You nudged them"),
        What::Nudged => plain(format!("{} nudged them", found.asker.name)),
        What::Approved { by_policy: true } => with(
            "Approved",
            "The policy gives this at once; nobody has to decide.",
        ),
        What::Approved { by_policy: false } if ahead => plain("All approved"),
        What::Approved { by_policy: false } => plain("Approved"),
        What::WaitsForException { until } => waits(*until, line, found, say),
        What::Closed {
            state,
            why: Some(why),
            ..
        } => with(words::sentence(said::line_state(*state)), why.clone()),
        What::Closed { state, by, .. } => {
            closed(*state, by.as_ref().map(|by| by.name.as_str()), found)
        }
        What::Extended { end } => {
            let now = found.now;
            let detail = end.and_then(End::at).map(|at| {
                let at = view! { <Moment at=at now=now say=say.unwrap_or(Say::Moment)/> };
                if ahead {
                    view! { "It ends "{at}" then." }.into_any()
                } else {
                    view! { "It ends "{at}" now." }.into_any()
                }
            });
            with("Extended", detail)
        }
        What::NothingGiven { why } => with("Nothing could be given", why.clone()),
        What::Starts if ahead => plain("Starts"),
        What::Starts => plain("Started"),
        What::SetUp {
            confirmed,
            of,
            attention,
        } => set_up(one.mark, *confirmed, *of, *attention, line),
        What::Ready if ahead => plain("Ready to use"),
        What::Ready => with("Ready", format!("{app} has confirmed it.")),
        What::Warned { warning } => {
            let span = match warning {
                Warning::Week => "7 days",
                Warning::Day => "1 day",
                Warning::Hour => "1 hour",
            };
            plain(if ahead {
                format!("A mail {span} before the end")
            } else {
                format!("Told {span} before the end")
            })
        }
        What::Ends { reason: None, .. } => plain(match (one.at, line.window.length) {
            (None, Length::Seconds(seconds)) => {
                format!("Ends by itself {} later", said::seconds(seconds))
            }
            _ => "Ends by itself".into(),
        }),
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
            let reason = words::sentence(said::end_reason(*reason));
            with("Ended", format!("{reason}{by}.{note}"))
        }
        What::Gone { health } => gone(one.mark, *health, app),
    }
}

/// What an approved line waits for that breaks a rule, from whom, and until when.
fn waits(until: Option<Timestamp>, line: &LineView, found: &RequestPage, say: Option<Say>) -> Said {
    let Some(until) = until else {
        return plain("Waited for an exception");
    };
    let mut sentences: Vec<String> = line.wanted.iter().map(exception::sentence).collect();
    if sentences.is_empty() {
        sentences.push("No rule stands against it any more; it is looked at again now.".into());
    }
    let sentences = sentences.join(" ");
    let until = view! { <Moment at=until now=found.now say=say.unwrap_or(Say::Moment)/> };
    let detail = view! { {sentences}" It is given as soon as the exception is in force; without that the request lapses "{until}"." };
    with("Waits for an exception", detail.into_any())
}

/// What the check found: that the conditions are met, not the conditions as if they were rules.
fn checked(eligible: &[String], line: &LineView, found: &RequestPage) -> String {
    let conditions: Vec<&str> = eligible
        .iter()
        .map(|one| one.trim().trim_end_matches('.'))
        .filter(|one| !one.is_empty())
        .collect();
    if conditions.is_empty() {
        return "Everybody may ask for this.".into();
    }
    let whose = if found.mine && line.beneficiary.id == found.asker.id {
        "You meet".into()
    } else {
        format!("{} meets", line.beneficiary.name)
    };
    format!("{whose} the conditions: {}.", conditions.join("; "))
}

fn gone(mark: Mark, health: Health, app: &str) -> Said {
    match (mark, health) {
        (_, Health::StillHeld) => with(
            "Ended here, still held another way",
            "Another grant gives the same right, so it stays.",
        ),
        (Mark::Ahead, _) => plain(format!("Removed, and confirmed by {app}")),
        (Mark::Done, _) => with(
            "Removed and confirmed",
            format!("{app} has confirmed that it is not there any more."),
        ),
        (Mark::Bad, _) => with(
            "Removing it is stuck",
            "Somebody has been told and looks at it.",
        ),
        (Mark::Now, _) => plain("Being removed"),
    }
}

fn closed(state: LineState, by: Option<&str>, found: &RequestPage) -> Said {
    match state {
        LineState::Denied => with(
            "Denied",
            found
                .mine
                .then_some("Nothing was set up. You may ask again, and say what has changed."),
        ),
        LineState::Cancelled => plain(match by {
            Some(_) if found.mine => "You took it back".into(),
            Some(name) => format!("Taken back by {name}"),
            None => "Taken back".into(),
        }),
        LineState::Lapsed => with(
            "Nobody decided in time",
            "The request lapsed; nothing was set up.",
        ),
        LineState::Superseded => with("Asked again", "A newer request took its place."),
        LineState::Withdrawn => with(
            "Withdrawn",
            "The person left, or the package is not offered any more.",
        ),
        LineState::Approved | LineState::AwaitingApproval => {
            plain(words::sentence(said::line_state(state)))
        }
    }
}

fn set_up(mark: Mark, confirmed: usize, of: usize, attention: bool, line: &LineView) -> Said {
    let app = &line.package.app.name;
    let looked_at = "Somebody has been told and looks at it.";
    match mark {
        Mark::Ahead => with(format!("Set up in {app}"), usual(of, line)),
        Mark::Done => plain(format!("Set up in {app}")),
        Mark::Bad => with(format!("Setting up in {app} is stuck"), looked_at),
        Mark::Now if attention => with(format!("Setting up in {app} needs attention"), looked_at),
        Mark::Now if line.standing.word == StandingWord::NotSwitchedOn => with(
            format!("Set up in {app} when it is switched on"),
            "The target takes no changes yet.",
        ),
        Mark::Now if line.standing.word == StandingWord::AfterRestore => with(
            format!("Setting up in {app} waits"),
            "The database was restored from a backup: an operator looks at what the targets hold first.",
        ),
        Mark::Now if of > 1 => with(
            format!("Being set up in {app}"),
            format!("{confirmed} of {of} rights confirmed."),
        ),
        Mark::Now => with(
            format!("Being set up in {app}"),
            "The application was asked; waiting until it confirms.",
        ),
    }
}

/// How much there is to set up, and how long that takes: `1 right, usually within 5 minutes.`
fn usual(of: usize, line: &LineView) -> Option<String> {
    let rights = words::count(
        i64::try_from(of).ok().filter(|of| *of > 0)?,
        "right",
        "rights",
    );
    let within = line
        .parts
        .iter()
        .map(|part| part.effective_within_seconds)
        .max()
        .filter(|seconds| *seconds > 0);
    Some(match within {
        Some(seconds) => format!(
            "{rights}, usually within {}.",
            spans::span(seconds.max(spans::MINUTE))
        ),
        None => format!("{rights}."),
    })
}
