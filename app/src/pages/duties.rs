//! The words and marks that rules, findings and exceptions share.

use domain::{
    Timestamp,
    conflict::{Severity, Side},
    exception::{ExceptionEnd, ExceptionState},
    finding::{FindingKind, FindingState},
};
use leptos::prelude::*;
use workflow::views::exceptions::ExceptionItem;

use crate::{ui::*, words};

/// How bad a breach is, as a badge.
pub fn severity(severity: Severity) -> AnyView {
    let state = match severity {
        Severity::Low => State::Plain,
        Severity::High => State::Waiting,
        Severity::Critical => State::Attention,
    };
    view! { <Badge state=state words=severity_word(severity)/> }.into_any()
}

/// How bad, as a word.
pub const fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "low",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

/// What was found.
pub const fn kind(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::Conflict => "Rule broken",
        FindingKind::Import => "Not approved here",
        FindingKind::Orphan => "On an account that is not in use",
        FindingKind::StandingPrivilege => "Privileged without an end",
        FindingKind::RoleChange => "Portal-role change",
        FindingKind::BreakGlass => "Break-glass used",
        FindingKind::OutOfBand => "Given outside Latchkey",
        FindingKind::Vanished => "Taken away outside Latchkey",
    }
}

/// Where a finding stands, as a badge.
pub fn standing(state: FindingState) -> AnyView {
    let (mark, words) = match state {
        FindingState::Open => (State::Attention, "open"),
        FindingState::BeingRemoved => (State::SettingUp, "being removed"),
        FindingState::Excepted => (State::Approved, "excepted"),
        FindingState::Closed => (State::Ended, "closed"),
    };
    view! { <Badge state=mark words=words/> }.into_any()
}

/// Where an exception stands, as a badge.
pub fn exception_state(state: ExceptionState) -> AnyView {
    let (mark, words) = match state {
        ExceptionState::Proposed => (State::Waiting, "waits for the business"),
        ExceptionState::Accepted => (State::Waiting, "waits for security"),
        ExceptionState::Live => (State::Approved, "in force"),
        ExceptionState::Ended => (State::Ended, "over"),
    };
    view! { <Badge state=mark words=words/> }.into_any()
}

/// Why an exception ended.
pub const fn exception_end(end: ExceptionEnd) -> &'static str {
    match end {
        ExceptionEnd::Refused => "refused",
        ExceptionEnd::Expired => "its time was up",
        ExceptionEnd::Revoked => "ended early",
        ExceptionEnd::MissedAttestation => "its control was not attested",
        ExceptionEnd::Renewed => "renewed",
        ExceptionEnd::PersonLeft => "the person left",
    }
}

/// One of the two sides, in words.
pub const fn side(side: Side) -> &'static str {
    match side {
        Side::Left => "the first side",
        Side::Right => "the second side",
    }
}

/// The short number of an exception.
pub fn number(number: i64) -> String {
    format!("EX-{number}")
}

/// One exception in a list: which, whose, its control, and the instant that matters next.
pub fn exception_row(item: &ExceptionItem, now: Timestamp) -> AnyView {
    let (state, href) = (item.state, format!("/exceptions/{}", item.id));
    let (ends, proposed, proposer) = (item.ends_at, item.proposed_at, item.proposer.name.clone());
    let title = format!("{}: {}", words::isolate(&item.person.name), item.rule_name);
    let control = format!(
        "{} · control: {} ({})",
        number(item.number),
        item.control,
        item.control_owner.name
    );
    let renewed = (item.renewals > 0).then(|| {
        let times = if item.renewals == 1 {
            "renewed once".to_owned()
        } else {
            format!("renewed {} times", item.renewals)
        };
        view! { " · "{times} }
    });
    let when = match (item.state, item.ended) {
        (_, Some((at, why))) => {
            let why = exception_end(why);
            view! { " · over "<Moment at=at now=now/>", "{why} }.into_any()
        }
        (ExceptionState::Live, None) => {
            let attest = item.attest_by.filter(|due| *due < item.ends_at).map(|due| {
                view! { " · attestation due "<Moment at=due now=now/> }
            });
            view! { " · ends "<Moment at=ends now=now/>{attest} }.into_any()
        }
        (_, None) => {
            view! { " · proposed "<Moment at=proposed now=now/>" by "{proposer} }.into_any()
        }
    };
    let detail = view! { {control}{renewed}{when} }.into_any();
    let missed = item
        .missed_at
        .filter(|_| item.state == ExceptionState::Live)
        .map(|_| view! { <Badge state=State::Attention words="attestation missing"/> });
    view! {
        <Row title=title detail=detail href=href>{missed}{exception_state(state)}</Row>
    }
    .into_any()
}
