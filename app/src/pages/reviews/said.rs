//! The words and marks of reviews: one place, so that list, item and report say the same.

use domain::{
    Timestamp,
    certification::{
        Act, Answer, CampaignState, Cause, Enforce, ItemState, Passes, Proof, Reasons,
        ReviewerRule, Silence, Suggestion, Then, Via, VoidCause, Why,
    },
};
use leptos::prelude::*;
use workflow::views::reviews::{EventView, ItemView, SaidView, Settings};

use crate::{
    pages::{parts::when, said},
    ui::*,
    words,
};

/// The short number of a campaign.
pub fn number(number: i64) -> String {
    format!("CR-{number}")
}

/// Where a campaign stands, as a badge.
pub fn campaign(state: CampaignState) -> AnyView {
    let (mark, words) = match state {
        CampaignState::Draft => (State::Plain, "draft"),
        CampaignState::Running => (State::SettingUp, "running"),
        CampaignState::Closed => (State::Waiting, "to be signed off"),
        CampaignState::SignedOff => (State::Approved, "signed off"),
        CampaignState::Cancelled => (State::Ended, "given up"),
    };
    view! { <Badge state=mark words=words/> }.into_any()
}

/// Where a small review stands, as a badge: one that nobody has to sign off is done when it has closed.
pub fn small(state: CampaignState, signed_off: bool) -> AnyView {
    if state == CampaignState::Closed && !signed_off {
        return view! { <Badge state=State::Approved words="done"/> }.into_any();
    }
    campaign(state)
}

/// What a review is called, with whose access or which right it is about, for a small one.
pub fn title(name: &str, about: Option<&str>) -> String {
    match about {
        Some(about) if !about.is_empty() => format!("{name}: {}", words::isolate(about)),
        _ => name.to_owned(),
    }
}

/// What happened that a review is made of, and when.
pub fn event(event: &EventView, now: Timestamp) -> AnyView {
    let at = event.at;
    let who = event
        .person
        .as_ref()
        .map_or_else(|| "somebody".to_owned(), |tag| words::isolate(&tag.name));
    let said = event.said.clone();
    match event.cause {
        Cause::Moved => view! { {who}" moved "<Moment at=at now=now/>": "{said}". Does what was asked for before the move still fit?" }.into_any(),
        Cause::ExceptionEnds => view! { "Of "{who}": "{said}". Is it still needed? If so, an exception has to be proposed anew in time." }.into_any(),
        Cause::Found => view! { "“"{said}"” was found at its target "<Moment at=at now=now/>", with people to whom nobody here gave it." }.into_any(),
    }
}

/// What is suggested, as a badge.
pub fn suggestion(suggestion: Suggestion) -> AnyView {
    let (mark, words) = match suggestion {
        Suggestion::Keep => (State::Ready, "suggests keep"),
        Suggestion::Look => (State::Waiting, "look closer"),
        Suggestion::Revoke => (State::Refused, "suggests revoke"),
    };
    view! { <Badge state=mark words=words/> }.into_any()
}

/// Why it is suggested, a sentence.
pub fn why(why: Why) -> String {
    match why {
        Why::BreaksRule => {
            "With this, a rule of separated duties is broken, and no exception covers that.".into()
        }
        Why::Found => "It was found at the target; nobody asked for it here.".into(),
        Why::StandingPrivilege => "It is privileged and has no end.".into(),
        Why::FewPeers { holding: 0, peers } => {
            format!("None of {peers} colleagues of the same manager hold it.")
        }
        Why::FewPeers { holding, peers } => {
            format!("Only {holding} of {peers} colleagues of the same manager hold it.")
        }
        Why::EndsSoon { days } => format!(
            "It ends by itself in {}.",
            words::count(days.max(0), "day", "days")
        ),
        Why::Peers { holding, peers } => {
            format!("{holding} of {peers} colleagues of the same manager hold it, too.")
        }
        Why::Nothing => "Nothing that we know speaks against it.".into(),
    }
}

/// An answer, after a name: `kept`.
pub const fn answered(answer: Answer) -> &'static str {
    match answer {
        Answer::Keep => "kept",
        Answer::Revoke => "revoked",
        Answer::Shorten => "shortened",
    }
}

/// Where an item stands, as a badge.
pub fn item(item: &ItemView) -> AnyView {
    let (mark, words) = match (item.state, item.answer) {
        (ItemState::Decided, Some(Answer::Keep)) => (State::Approved, "kept"),
        (ItemState::Decided, Some(Answer::Shorten)) => (State::EndsSoon, "shortened"),
        (ItemState::Decided, _) => (State::Refused, "revoked"),
        (ItemState::Defaulted, Some(Answer::Keep)) => (State::Attention, "not reviewed"),
        (ItemState::Defaulted, _) => (State::Refused, "revoked by silence"),
        (ItemState::Void, _) => (State::Ended, void(item.void)),
        (ItemState::Open, _) => (State::Waiting, "open"),
    };
    view! { <Badge state=mark words=words/> }.into_any()
}

/// Why an item is void.
pub const fn void(cause: Option<VoidCause>) -> &'static str {
    match cause {
        Some(VoidCause::Cancelled) => "review given up",
        Some(VoidCause::Ended) | None => "ended meanwhile",
    }
}

/// By what right somebody reviews.
pub const fn via(via: Via) -> &'static str {
    match via {
        Via::Manager => "manager",
        Via::Above => "manager\u{2019}s manager",
        Via::PackageOwner => "owner of the package",
        Via::EntitlementOwner => "owner of the right",
        Via::Security => "security",
        Via::Named => "named in the review",
        Via::HandedOn => "handed on by a colleague",
    }
}

/// Who reviews, by rule.
pub const fn rule(rule: ReviewerRule) -> &'static str {
    match rule {
        ReviewerRule::Manager => "The manager of whoever holds it",
        ReviewerRule::PackageOwner => "An owner of the package",
        ReviewerRule::EntitlementOwner => "The owner of the right",
        ReviewerRule::Security => "Security",
        ReviewerRule::Named => "Somebody named",
    }
}

/// What silence means.
pub const fn silence(silence: Silence) -> &'static str {
    match silence {
        Silence::Revoke => "It is taken away",
        Silence::Escalate => "Security gets it for seven days, then it is taken away",
        Silence::Keep => "It stays, and is reported as not reviewed",
    }
}

/// Which answers go on to the next stage.
pub const fn passes(passes: Passes) -> &'static str {
    match passes {
        Passes::Kept => "What was kept; what was said no to is decided",
        Passes::All => "Everything; the last stage that answers decides",
    }
}

/// Which stage, of how many: `stage 2 of 3`, or the second look. Nothing where there is one only.
pub fn stage(stage: i64, stages: i64) -> Option<String> {
    if stage > stages {
        Some("second look".into())
    } else {
        (stages > 1).then(|| format!("stage {stage} of {stages}"))
    }
}

/// What a stage that is over said: `stage 1: kept by Maya`.
pub fn earlier(one: &SaidView) -> String {
    let stage = one.stage;
    match (one.answer, &one.by, &one.reviewer) {
        (Some(answer), Some(by), _) => format!("stage {stage}: {} by {by}", answered(answer)),
        (_, _, Some(reviewer)) => format!("stage {stage}: no answer from {reviewer}"),
        _ => format!("stage {stage}: nobody could be asked"),
    }
}

/// When reasons are needed.
pub const fn reasons(reasons: Reasons) -> &'static str {
    match reasons {
        Reasons::Against => "Only to keep what should go",
        Reasons::Removals => "For whatever takes something away",
        Reasons::Always => "Always",
    }
}

/// When answers take effect.
pub const fn enforce(enforce: Enforce) -> &'static str {
    match enforce {
        Enforce::AtOnce => "A day after each answer, while it can still be undone",
        Enforce::AtClose => "When the review closes",
    }
}

/// How it stood with a removal.
pub const fn proof(proof: Proof) -> &'static str {
    match proof {
        Proof::Done => "confirmed",
        Proof::Pending => "not confirmed",
        Proof::StillHeld => "still held another way",
    }
}

/// Something that was done to an item.
pub const fn act(act: Act) -> &'static str {
    match act {
        Act::Keep => "Kept",
        Act::Revoke => "Revoked",
        Act::Shorten => "Shortened",
        Act::Undo => "Took the answer back",
        Act::HandOn => "Handed on",
        Act::NotSure => "Asked the holder",
        Act::Answered => "The holder answered",
        Act::Replaced => "Somebody else reviews it",
        Act::NextStage => "Went to the next stage",
    }
}

/// How often it comes again.
pub fn repeat(months: i64) -> String {
    match months {
        0 => "Once".into(),
        1 => "Every month".into(),
        12 => "Every year".into(),
        _ => format!("Every {months} months"),
    }
}

/// What a campaign looks at, in a sentence.
pub fn scope(settings: &Settings) -> String {
    let scope = &settings.scope;
    let mut parts = Vec::new();
    if scope.privileged {
        parts.push("privileged".to_owned());
    }
    if !scope.control_scope.is_empty() {
        parts.push(format!("under {}", scope.control_scope));
    }
    if let Some(package) = &settings.package {
        parts.push(format!("in {package}"));
    } else if let Some(application) = &settings.application {
        parts.push(format!("in {application}"));
    }
    if let Some(source) = scope.source {
        parts.push(said::source(source).to_owned());
    }
    if let Some(right) = &settings.right {
        parts.push(format!("with the right {right}"));
    }
    if let Some(person) = &settings.person {
        parts.push(format!("of {person}"));
    }
    if !scope.department.is_empty() {
        parts.push(format!("in the department {}", scope.department));
    }
    if !scope.employee_type.is_empty() {
        parts.push(format!("of people of the kind {}", scope.employee_type));
    }
    if parts.is_empty() {
        "Everything that is held".into()
    } else {
        format!("What is held: {}", parts.join(", "))
    }
}

/// How and when something was got: `request AR-0912 · 2 months`.
pub fn got(item: &ItemView, now: Timestamp) -> String {
    let how = item.request.map_or_else(
        || said::source(item.source).to_owned(),
        |request| format!("request {}", said::number(request)),
    );
    format!("{how} · for {}", words::about(now - item.from))
}

/// How many colleagues hold it, in a few words; that it is not known, where it is not.
pub fn peers(item: &ItemView) -> String {
    match item.peers {
        Some((holding, peers)) if peers > 0 => format!("{holding} of {peers} peers"),
        _ => "peers unknown".into(),
    }
}

/// A bar of so many percent, with its words for those who do not see it.
pub fn gauge(percent: i64, label: String) -> AnyView {
    let class = format!("pct-{}", percent.clamp(0, 100));
    view! { <span class="gauge" role="img" aria-label=label><i class=class></i></span> }.into_any()
}

/// Until when a stage of a campaign runs, and what then happens.
pub fn deadline(due: Option<Timestamp>, then: Then, now: Timestamp) -> AnyView {
    let Some(due) = due else {
        return "It has not started.".into_any();
    };
    let then = match then {
        Then::GoesOn => "goes on to the next stage.",
        Then::Settles(Silence::Revoke) => "is taken away.",
        Then::Settles(Silence::Escalate) => "goes to security.",
        Then::Settles(Silence::Keep) => {
            "stays, if it is neither privileged nor under a control scope."
        }
        Then::Stands => "stays as it was answered before.",
    };
    view! { "Open until "{when::moment(due, now)}". What nobody answers "{then} }.into_any()
}
