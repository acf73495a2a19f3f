//! The buttons: approve, for less, deny with a reason; or why the reader may not decide.

use chrono::Duration;
use domain::{
    Refusal,
    request::{Length, LineState, Start},
};
use leptos::prelude::*;
use workflow::views::decision::DecisionPage;

use super::{
    super::{parts::when, said},
    Back, route,
};
use crate::{
    refusals,
    spans::{DAY, HOUR, MINUTE},
    ui::*,
};

/// The end of the card.
pub fn view(facts: &DecisionPage, back: Back) -> AnyView {
    if facts.refusal.is_some() || facts.via.is_none() || facts.state != LineState::AwaitingApproval
    {
        return closed(facts, &back);
    }
    let action = format!("/approvals/{}", facts.stage);
    let fields = vec![("signed", facts.to_sign.clone())];
    let faults = back.faults_of_fields();
    let faults = (!back.form.is_empty() || !faults.is_empty()).then(|| {
        view! { <div class="w-full"><Faults faults=back.form.clone() fields=faults/></div> }
    });
    let (gives, less) = (gives(facts), less(facts, &action, fields.clone(), &back));
    let note = |verdict: &str| {
        let this = back.typed.verdict == verdict;
        let note = if this {
            back.typed.note.clone()
        } else {
            String::new()
        };
        (note, back.note.clone().filter(|_| this))
    };
    let ((word, word_error), (why, why_error)) = (note("approve"), note("deny"));
    let (question, question_error) = note("ask");
    let ask = action.clone();
    let (asking, on) = (back.typed.verdict == "ask", hand_on(facts));
    let asked = facts.conversation.asked_back_at.is_some();
    let add = !word.is_empty();
    let denying = back.typed.verdict == "deny";
    let fresh = facts.fresh.then(|| {
        let why = if facts.contents.iter().any(|one| one.privileged) {
            "Approving asks you to sign in once more: this opens a privileged right. "
        } else {
            "Approving asks you to sign in once more: more depends on this than on most. "
        };
        view! { <p class="w-full small dim">{why}"What you type is kept meanwhile."</p> }
    });
    view! {
        <div class="decide has-[details[open]]:static" role="group" aria-label="Decide">
            {faults}
            {fresh}
            <form method="post" action=action.clone() class="yes">
                <Hidden fields=fields.clone()/>
                <Button look=Look::Primary name="verdict" value="approve" key="a">"Approve "{gives}</Button>
                <More summary="Add a word" open=add>
                    <TextArea id="word" name="note" label="A word to them" hint="They read it with your yes." longest=2000 value=word error=word_error/>
                </More>
            </form>
            {less}
            <Ask summary=if asked { "Ask again" } else { "Ask back" } key="b" open=asking>
                <form method="post" action=ask class="stack stack-4">
                    <TextArea id="question" name="note" label="Your question" hint="They get a mail and answer on their request. The deadline waits meanwhile, for 14 days at most." value=question error=question_error required=true shortest=5 longest=2000/>
                    <div class="btns"><Button look=Look::Primary name="verdict" value="ask">"Ask"</Button></div>
                </form>
            </Ask>
            {on}
            <span class="grow"></span>
            <Ask summary="Deny" look=Look::Danger key="d" open=denying>
                <form method="post" action=action class="stack stack-4">
                    <Hidden fields=fields/>
                    <TextArea name="note" label="Why not" hint="They read this. Say what would make it a yes." value=why error=why_error required=true shortest=5 longest=2000/>
                    <div class="btns"><Button look=Look::DangerSure name="verdict" value="deny">"Deny"</Button></div>
                </form>
            </Ask>
        </div>
    }
    .into_any()
}

/// The way to a colleague, or back to whom it came from.
fn hand_on(facts: &DecisionPage) -> AnyView {
    match &facts.handed_by {
        None => {
            let href = format!("/approvals/{}/hand-on", facts.stage);
            view! { <LinkButton href=href look=Look::Quiet>"Hand on"</LinkButton> }.into_any()
        }
        Some(from) => {
            let action = format!("/approvals/{}/hand-back", facts.stage);
            let words = format!("Give back to {}", from.name);
            view! { <PostButton action=action look=Look::Quiet>{words}</PostButton> }.into_any()
        }
    }
}

impl Back {
    /// What is wrong with the fields of the form that was sent, with the ids that lead there.
    fn faults_of_fields(&self) -> Vec<FieldFault> {
        let fault = |id: &str, label: &str, why: Option<&String>| {
            why.map(|why| FieldFault {
                id: id.into(),
                label: label.into(),
                why: why.clone(),
            })
        };
        let (id, label) = match self.typed.verdict.as_str() {
            "deny" => ("note", "Why not"),
            "less" => ("less-note", "A word to them"),
            "ask" => ("question", "Your question"),
            _ => ("word", "A word to them"),
        };
        fault("less", "How long instead", self.less.as_ref())
            .into_iter()
            .chain(fault(id, label, self.note.as_ref()))
            .collect()
    }
}

/// What a plain yes would give: what was asked, or less if somebody before said less.
fn gives(facts: &DecisionPage) -> AnyView {
    let capped = facts.cap_so_far.filter(|cap| match facts.window.length {
        Length::Seconds(asked) => *cap < asked,
        Length::Until(at) => Duration::seconds(*cap) < at - starts(facts),
        Length::Permanent => true,
    });
    match capped {
        Some(cap) => format!("for {}", said::seconds(cap)).into_any(),
        None => when::for_length(facts.window, facts.now),
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
            "They can ask to extend it before it ends.".into_any(),
        ),
        Some(end) => {
            let left = (end - facts.now).num_seconds();
            let quick = shorter(longest)
                .into_iter()
                .filter(|span| span.num_seconds() > left)
                .collect();
            (
                quick,
                view! { "Counted from now. It ends "{when::moment(end, facts.now)}" as it is; less than that changes nothing." }.into_any(),
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
                <DurationField name="less" label="How long instead" quick=quick longest=Duration::seconds(longest) chosen=chosen hint=hint error=error/>
                <TextArea id="less-note" name="note" label="A word to them" longest=2000 value=note error=note_error/>
                <div class="btns"><Button look=Look::Primary name="verdict" value="less">"Approve for less"</Button></div>
            </form>
        </Ask>
    }
}

/// Nothing to decide here: why, how it stands, and the way on.
fn closed(facts: &DecisionPage, back: &Back) -> AnyView {
    let stands = route::newest(facts).map(|vote| {
        let said = route::said_vote(vote);
        view! { " "<bdi>{said}</bdi>" "{when::relative(vote.at, facts.now)}"." }
    });
    let why = facts
        .refusal
        .as_ref()
        .filter(|refusal| **refusal != Refusal::DecidedAlready)
        .map(refusals::sentence);
    let tried = !back.typed.verdict.is_empty();
    let title = match &facts.refusal {
        Some(Refusal::DecidedAlready) => "You have decided this.".to_owned(),
        _ if facts.waits_since.is_some() => {
            "All have said yes. It waits for an exception.".to_owned()
        }
        _ if facts.state == LineState::AwaitingApproval && !tried => "Not yours to decide.".into(),
        Some(Refusal::MayNotDecide { .. }) => "Not yours to decide.".into(),
        _ if tried => "Somebody was faster; your decision was not needed.".into(),
        _ => format!("This is {}.", said::line_state(facts.state)),
    };
    let typed = (tried && !back.typed.note.is_empty()).then(|| {
        let note = back.typed.note.clone();
        view! { <p class="small dim">"What you wrote, to copy if you still need it:"</p><Quote words=note/> }
    });
    let next = facts.next.map(|stage| view! { <LinkButton href=format!("/approvals/{stage}") look=Look::Primary>"Next decision"</LinkButton> });
    let tone = if tried { Tone::Wait } else { Tone::Plain };
    view! {
        <div class="body stack stack-4">
            <Note tone=tone title=title alert=tried>{why}{stands}</Note>
            {typed}
            <div class="btns">{next}<LinkButton href="/approvals">"All decisions"</LinkButton></div>
        </div>
    }
    .into_any()
}
