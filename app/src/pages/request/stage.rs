//! A stage of the route in words: who decides, who has, who need not.

use domain::approval::{StageState, Verdict};
use workflow::views::{SeatView, Vote, request::StageView};

use super::{
    said,
    timeline::{Said, plain, with},
};
use crate::words;

fn names(seats: &[SeatView], last: &str) -> String {
    let mut names: Vec<String> = seats.iter().take(4).map(said::seat).collect();
    let more = seats.len() - names.len();
    if more > 0 {
        names.push(words::count(more as i64, "other", "others"));
    }
    words::list(&names, last)
}

/// Who gave their seat to whom: ` Handed on by Astrid Lindqvist.`
fn handed(stage: &StageView) -> String {
    let names: Vec<&str> = stage
        .seats
        .iter()
        .filter_map(|seat| Some(stage.handed_by(seat.person.id)?.name.as_str()))
        .collect();
    if names.is_empty() {
        return String::new();
    }
    format!(" Handed on by {}.", words::list(&names, "and"))
}

/// A voter, and who handed the decision on to them.
fn voter(stage: &StageView, vote: &Vote) -> String {
    let name = &vote.by.name;
    match (stage.handed_by(vote.by.id), &vote.behalf) {
        (Some(from), _) => format!("{name} (handed on by {})", from.name),
        (None, Some(whom)) => format!("{name} for {}", whom.name),
        (None, None) => name.clone(),
    }
}

/// Title and one more sentence of a stage.
pub fn said(stage: &StageView) -> Said {
    let rule = said::step(stage.rule, stage.group.as_deref());
    let voters = |verdict| {
        let names: Vec<String> = stage
            .votes
            .iter()
            .filter(|vote| vote.verdict == verdict)
            .map(|vote| voter(stage, vote))
            .collect();
        words::list(&names, "and")
    };
    match stage.state {
        StageState::Open if stage.stuck => with(
            format!("{rule} decides"),
            "Nobody can decide this right now. Security has been told.",
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
            detail.push_str(&handed(stage));
            if stage.fallback {
                detail.push_str(" They stand in, because nobody in the first place can.");
            } else if stage.escalated {
                detail.push_str(" More people may decide by now, because nobody answered.");
            }
            let silence = said::silence(stage);
            if !silence.is_empty() {
                detail.push(' ');
                detail.push_str(&silence);
            }
            with(format!("{rule} decides"), detail)
        }
        StageState::Waiting => {
            let who = names(&stage.seats, "or");
            with(
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
            with(
                format!("{rule} said yes"),
                format!("{}{by}", voters(Verdict::Approve)),
            )
        }
        StageState::MetByAsking => with(
            format!("{rule}: no decision needed"),
            "Whoever asked is the one who decides here.",
        ),
        StageState::Collapsed => with(
            format!("{rule}: no decision needed"),
            "The same person said yes in an earlier step.",
        ),
        StageState::Denied => with(format!("{rule} said no"), voters(Verdict::Deny)),
        StageState::PassedOn => with(
            format!("{rule} did not answer"),
            "Nobody decided here in time. The next step decides.",
        ),
        StageState::Unanswered => with(
            format!("{rule} did not answer"),
            "Nobody decided in time, and without an answer this package is denied. You may ask again.",
        ),
        StageState::Closed => plain(format!("{rule}: not needed any more")),
    }
}
