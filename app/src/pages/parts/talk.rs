//! The conversation about a waiting line, as a card: what was asked back, what was answered, and whether the clock waits.

use domain::{Timestamp, waiting::RemarkKind};
use leptos::prelude::*;
use workflow::views::conversation::{Conversation, HandedOn, Said};

use super::{super::kit, when};
use crate::ui::*;

/// What was said, oldest first; `rest` stands under it, such as a form. None where nothing was said and nothing can be.
pub fn card(talk: &Conversation, now: Timestamp, live: String, rest: Option<AnyView>) -> AnyView {
    let version = kit::version(&format!("{talk:?}"));
    let empty = talk.said.is_empty() && rest.is_none();
    let inner = (!empty).then(|| {
        let said = list(talk, now);
        let still = still(talk, now);
        view! { <Card title="Questions and answers"><Body>{still}{said}{rest}</Body></Card> }
    });
    view! { <Region name=live version=version>{inner}</Region> }.into_any()
}

/// Whether the deadline waits, and until when.
pub fn still(talk: &Conversation, now: Timestamp) -> Option<AnyView> {
    let since = talk.asked_back_at?;
    let until = talk.stands_until.map_or_else(
        || "The deadline runs on.".into_any(),
        |until| {
            view! { "The deadline waits for it, until "{when::moment(until, now)}" at most." }
                .into_any()
        },
    );
    Some(view! { <p class="small dim">"A question has waited for an answer for "<Moment at=since now=now say=Say::For/>". "{until}</p> }.into_any())
}

/// The remarks themselves.
pub fn list(talk: &Conversation, now: Timestamp) -> Option<AnyView> {
    let items = talk.said.iter().map(|one| item(one, now)).collect_view();
    (!talk.said.is_empty()).then(|| view! { <ol class="stack stack-3">{items}</ol> }.into_any())
}

fn item(one: &Said, now: Timestamp) -> impl IntoView + use<> {
    let did = match one.kind {
        RemarkKind::Question => "asked",
        RemarkKind::Answer => "answered",
        RemarkKind::Remark => "added",
    };
    let (name, text) = (one.by.name.clone(), one.text.clone());
    view! {
        <li class="stack stack-1">
            <p class="small dim"><bdi>{name}</bdi>" "{did}" "{when::relative(one.at, now)}</p>
            <Quote words=text/>
        </li>
    }
}

/// `Handed on by Astrid Lindqvist to Maya Rao: on leave.`
pub fn handed_on(one: &HandedOn) -> AnyView {
    let (from, to, reason) = (
        one.from.name.clone(),
        one.to.name.clone(),
        one.reason.clone(),
    );
    let back = one.returned_at.map(|_| " It was given back.");
    view! { <p class="small dim">"Handed on by "<bdi>{from}</bdi>" to "<bdi>{to}</bdi>": "<bdi>{reason}</bdi>"."{back}</p> }.into_any()
}
