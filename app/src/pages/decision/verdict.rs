//! The buttons: approve, for less, deny with a reason; or why the reader may not decide.

use chrono::Duration;
use domain::{
    Refusal,
    request::{Length, LineState, Start},
};
use leptos::prelude::*;
use workflow::views::decision::DecisionPage;

use super::{super::said, Back, route};
use crate::{
    refusals,
    spans::{DAY, HOUR, MINUTE},
    ui::*,
    words,
};

/// The end of the card.
pub fn view(facts: &DecisionPage, back: Back) -> AnyView {
    if facts.refusal.is_some() || facts.via.is_none() || facts.state != LineState::AwaitingApproval
    {
        return closed(facts, &back);
    }
    let action = format!("/approvals/{}", facts.stage);
    let fields = vec![("signed", facts.to_sign.clone())];
    let approve = format!("Approve {}", gives(facts));
    let faults = (!back.form.is_empty())
        .then(|| view! { <div class="w-full"><Faults faults=back.form.clone()/></div> });
    let less = less(facts, &action, fields.clone(), &back);
    let denying = back.typed.verdict == "deny";
    let note = if denying {
        back.typed.note
    } else {
        String::new()
    };
    let note_error = if denying { back.note } else { None };
    view! {
        <div class="decide has-[details[open]]:static" role="group" aria-label="Decide">
            {faults}
            <form method="post" action=action.clone()>
                <Hidden fields=fields.clone()/>
                <Button look=Look::Primary name="verdict" value="approve" key="a">{approve}</Button>
            </form>
            {less}
            <span class="grow"></span>
            <Ask summary="Deny" look=Look::Danger key="d" open=denying>
                <form method="post" action=action class="stack stack-4">
                    <Hidden fields=fields/>
                    <TextArea name="note" label="Why not" hint="They read this. Say what would make it a yes." value=note error=note_error required=true shortest=5 longest=2000/>
                    <div class="btns"><Button look=Look::DangerSure name="verdict" value="deny">"Deny"</Button></div>
                </form>
            </Ask>
        </div>
    }
    .into_any()
}

/// What a plain yes would give: what was asked, or less if somebody before said less.
fn gives(facts: &DecisionPage) -> String {
    match (facts.window.length, facts.cap_so_far) {
        (Length::Seconds(asked), Some(cap)) if cap < asked => format!("for {}", said::seconds(cap)),
        (Length::Until(at), Some(cap)) if Duration::seconds(cap) < at - starts(facts) => {
            format!("for {}", said::seconds(cap))
        }
        (Length::Permanent, Some(cap)) => format!("for {}", said::seconds(cap)),
        _ => said::for_length(facts.window, facts.now),
    }
}

fn starts(facts: &DecisionPage) -> domain::Timestamp {
    match facts.window.start {
        Start::At(at) => at.max(facts.now),
        Start::OnActivation => facts.now,
    }
}

/// The longest that somebody may still choose.
fn longest(facts: &DecisionPage) -> i64 {
    let asked = match facts.window.length {
        Length::Seconds(asked) => asked,
        Length::Until(at) => (at - starts(facts)).num_seconds(),
        Length::Permanent => facts.limits.longest_seconds,
    };
    facts
        .cap_so_far
        .map_or(asked, |cap| cap.min(asked))
        .max(MINUTE)
}

/// For more time: when it ends without it, if it still goes on.
fn today(facts: &DecisionPage) -> Option<domain::Timestamp> {
    facts.extends.filter(|extended| !extended.ended)?.end.at()
}

/// A few shorter lengths, the longest of them last.
pub fn shorter(longest: i64) -> Vec<Duration> {
    const LADDER: [i64; 15] = [
        5 * MINUTE,
        15 * MINUTE,
        30 * MINUTE,
        HOUR,
        2 * HOUR,
        4 * HOUR,
        8 * HOUR,
        DAY,
        3 * DAY,
        7 * DAY,
        14 * DAY,
        30 * DAY,
        90 * DAY,
        180 * DAY,
        365 * DAY,
    ];
    let below: Vec<i64> = LADDER.into_iter().filter(|step| *step < longest).collect();
    let few = below.len().saturating_sub(3);
    if below.is_empty() {
        vec![Duration::seconds(longest)]
    } else {
        below[few..]
            .iter()
            .copied()
            .map(Duration::seconds)
            .collect()
    }
}

fn less(
    facts: &DecisionPage,
    action: &str,
    fields: Vec<(&'static str, String)>,
    back: &Back,
) -> impl IntoView + use<> {
    let longest = longest(facts);
    let (quick, hint) = match today(facts) {
        None => (
            shorter(longest),
            "They can ask for more time before it ends.".to_owned(),
        ),
        Some(end) => {
            let left = (end - facts.now).num_seconds();
            let quick = shorter(longest)
                .into_iter()
                .filter(|span| span.num_seconds() > left)
                .collect();
            (
                quick,
                format!(
                    "Counted from now. It ends {} as it is; less than that changes nothing.",
                    words::moment(end, facts.now)
                ),
            )
        }
    };
    let open = back.typed.verdict == "less";
    let chosen = if open {
        back.typed.chosen()
    } else {
        quick.last().copied().map(Chosen::span).unwrap_or_default()
    };
    let action = action.to_owned();
    let (note, error) = (
        if open {
            back.typed.note.clone()
        } else {
            String::new()
        },
        back.less.clone(),
    );
    let note_error = if open { back.note.clone() } else { None };
    view! {
        <Ask summary="For less" key="l" open=open>
            <form method="post" action=action class="stack stack-4">
                <Hidden fields=fields/>
                <DurationField name="less" label="How long instead" quick=quick longest=Duration::seconds(longest) chosen=chosen error=error/>
                <p class="hint small dim">{hint}</p>
                <TextArea id="less-note" name="note" label="A word to them" longest=2000 value=note error=note_error/>
                <div class="btns"><Button look=Look::Primary name="verdict" value="less">"Approve for less"</Button></div>
            </form>
        </Ask>
    }
}

/// Nothing to decide here: why, how it stands, and the way on.
fn closed(facts: &DecisionPage, back: &Back) -> AnyView {
    let stands = route::newest(facts).map(|vote| {
        format!(
            "{} {}.",
            route::said_vote(vote),
            words::relative(vote.at, facts.now)
        )
    });
    let why = facts
        .refusal
        .as_ref()
        .filter(|refusal| **refusal != Refusal::DecidedAlready)
        .map(refusals::sentence);
    let tried = !back.typed.verdict.is_empty();
    let title = match &facts.refusal {
        Some(Refusal::DecidedAlready) => "You have decided this.".to_owned(),
        _ if facts.state == LineState::AwaitingApproval && !tried => "Not yours to decide.".into(),
        Some(Refusal::MayNotDecide { .. }) => "Not yours to decide.".into(),
        _ if tried => "Somebody was faster; your decision was not needed.".into(),
        _ => format!("This is {}.", said::line_state(facts.state)),
    };
    let typed = (tried && !back.typed.note.is_empty()).then(|| {
        let note = back.typed.note.clone();
        view! { <p class="small dim">"What you wrote, to copy if you still need it:"</p><Quote words=note/> }
    });
    let words = [why, stands]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ");
    let next = facts.next.map(|stage| view! { <LinkButton href=format!("/approvals/{stage}") look=Look::Primary>"Next decision"</LinkButton> });
    let tone = if tried { Tone::Wait } else { Tone::Plain };
    view! {
        <div class="body stack stack-4">
            <Note tone=tone title=title alert=tried>{words}</Note>
            {typed}
            <div class="btns">{next}<LinkButton href="/approvals">"All decisions"</LinkButton></div>
        </div>
    }
    .into_any()
}
