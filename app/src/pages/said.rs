//! The closed lists of the house in words for people: one place, so that every page says the same thing the same way.

use chrono::Duration;
use domain::{
    Timestamp,
    approval::Via,
    assignment::{Closed, Observed, Phase},
    audit::EventKind,
    grant::{End, EndReason, GrantSource, GrantState, Health},
    person::{AccountKind, PersonState, PortalRole},
    policy::{ApproverRule, SilenceEnd},
    request::{Length, LineState, Start, Window},
};
use workflow::views::{
    Capped, Deciders, HeldGrant, PersonTag, SeatView, StandingWord, request::StageView,
};

use crate::{ui::State, words};

/// The short number of a request: `AR-1042`.
pub fn number(number: i64) -> String {
    format!("AR-{number}")
}

/// A span in seconds, exactly.
pub fn seconds(seconds: i64) -> String {
    words::span(Duration::seconds(
        seconds.min(crate::spans::DAY * 365 * 1000),
    ))
}

/// A length as asked: `8 hours`, `until 2 December`, `no end`.
pub fn length(window: Window, now: Timestamp) -> String {
    match window.length {
        Length::Seconds(seconds) => self::seconds(seconds),
        Length::Until(at) => format!("until {}", words::moment(at, now)),
        Length::Permanent => "no end".into(),
    }
}

/// A length with its preposition: `for 8 hours`, `until 2 December`, `without an end`.
pub fn for_length(window: Window, now: Timestamp) -> String {
    match window.length {
        Length::Seconds(seconds) => format!("for {}", self::seconds(seconds)),
        Length::Until(at) => format!("until {}", words::moment(at, now)),
        Length::Permanent => "without an end".into(),
    }
}

/// A window whole: `for 8 hours, from 2 December`.
pub fn window(window: Window, now: Timestamp) -> String {
    match window.start {
        Start::OnActivation => for_length(window, now),
        Start::At(at) => format!(
            "{}, from {}",
            for_length(window, now),
            words::moment(at, now)
        ),
    }
}

/// An end: `until 2 December`, `no end`.
pub fn end(end: End, now: Timestamp) -> String {
    match end {
        End::At(at) => format!("until {}", words::moment(at, now)),
        End::Permanent => "no end".into(),
    }
}

/// A count that may be capped: `99+`.
pub fn capped(capped: Capped) -> String {
    format!(
        "{}{}",
        words::number(capped.count),
        if capped.more { "+" } else { "" }
    )
}

/// A capped count and its thing: `1 request`, `99+ requests`.
pub fn capped_count(capped: Capped, one: &str, many: &str) -> String {
    let thing = if capped.count == 1 && !capped.more {
        one
    } else {
        many
    };
    format!("{} {thing}", self::capped(capped))
}

/// Who decides in a stage.
pub const fn rule(rule: ApproverRule) -> &'static str {
    match rule {
        ApproverRule::Manager => "Manager",
        ApproverRule::ManagersManager => "Manager\u{2019}s manager",
        ApproverRule::Sponsor => "Sponsor",
        ApproverRule::PackageOwner => "Package owner",
        ApproverRule::EntitlementOwner => "Owner of the rights",
        ApproverRule::Security => "Security",
        ApproverRule::Role => "Portal role",
        ApproverRule::Group => "Member of a group",
        ApproverRule::Named => "Named approver",
    }
}

/// Who decides in a stage, with the name of the group whose members do, where it is known.
pub fn step(stage: ApproverRule, group: Option<&str>) -> String {
    match (stage, group) {
        (ApproverRule::Group, Some(name)) => format!("Member of {name}"),
        _ => rule(stage).to_owned(),
    }
}

/// The same inside a sentence; the group keeps the letters of its name.
pub fn step_inside(stage: ApproverRule, group: Option<&str>) -> String {
    match (stage, group) {
        (ApproverRule::Group, Some(name)) => format!("member of {name}"),
        _ => rule(stage).to_lowercase(),
    }
}

/// By which rule somebody is seated, inside a sentence: `as manager`.
pub const fn via(via: Via) -> &'static str {
    match via {
        Via::Manager => "manager",
        Via::ManagersManager => "manager\u{2019}s manager",
        Via::Sponsor => "sponsor",
        Via::PackageOwner => "package owner",
        Via::EntitlementOwner => "owner of a right in it",
        Via::Security => "security",
        Via::Role => "holder of a portal role",
        Via::Group => "member of the group",
        Via::Named => "named approver",
    }
}

/// Somebody who may decide: `Elin Berg`, or `Elin Berg for Astrid Lindqvist` if they stand in.
pub fn seat(seat: &SeatView) -> String {
    seat.behalf.as_ref().map_or_else(
        || seat.person.name.clone(),
        |whom| format!("{} for {}", seat.person.name, whom.name),
    )
}

/// Why access ended, after `ended`: `its time was up`.
pub const fn end_reason(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Expired => "its time was up",
        EndReason::Returned => "given back",
        EndReason::Revoked => "taken away",
        EndReason::Review => "ended by a review",
        EndReason::Mover => "changed job",
        EndReason::Leaver => "left the company",
        EndReason::Superseded => "replaced",
        EndReason::ExceptionEnded => "its exception ended",
    }
}

/// Where a grant comes from.
pub const fn source(source: GrantSource) -> &'static str {
    match source {
        GrantSource::Request => "asked for",
        GrantSource::Role => "by role",
        GrantSource::Rule => "by rule",
        GrantSource::Import => "there before this portal, not asked for here",
        GrantSource::BreakGlass => "emergency access",
    }
}

/// A grant's state with its targets.
pub const fn health(health: Health) -> (State, &'static str) {
    match health {
        Health::Scheduled => (State::Approved, "starts later"),
        Health::BeingSetUp => (State::SettingUp, "being set up"),
        Health::Ready => (State::Ready, "ready"),
        Health::Suspended => (State::Attention, "held back"),
        Health::Attention => (State::Attention, "needs attention"),
        Health::BeingRemoved => (State::SettingUp, "being removed"),
        Health::Gone => (State::Ended, "ended, confirmed gone"),
        Health::StillHeld => (State::Ended, "ended, still held another way"),
    }
}

/// A grant's state with its targets, where a target may be one that takes no changes yet.
pub fn held(grant: &HeldGrant) -> (State, &'static str) {
    let closed = grant
        .parts
        .iter()
        .filter_map(|part| part.at_target.as_ref())
        .find_map(|at| at.closed);
    match (grant.health, closed) {
        (Health::BeingSetUp, Some(Closed::Shadow)) => (State::Approved, "made when switched on"),
        (Health::BeingSetUp, Some(Closed::Restored)) => (State::Waiting, "waits after a restore"),
        (Health::BeingRemoved, Some(Closed::Shadow)) => (State::Ended, "removed when switched on"),
        (health_now, _) => health(health_now),
    }
}

/// A grant's own state, where its targets are not shown.
pub const fn grant_state(state: GrantState) -> (State, &'static str) {
    match state {
        GrantState::Scheduled => (State::Approved, "starts later"),
        GrantState::Active => (State::Ready, "held"),
        GrantState::Suspended => (State::Attention, "held back"),
        GrantState::Ended => (State::Ended, "ended"),
    }
}

/// Where something that was asked for stands.
pub const fn standing(word: StandingWord) -> (State, &'static str) {
    match word {
        StandingWord::Waiting => (State::Waiting, "waiting"),
        StandingWord::Stuck => (State::Attention, "nobody can decide"),
        StandingWord::WaitsForException => (State::Waiting, "waits for an exception"),
        StandingWord::Scheduled => (State::Approved, "starts later"),
        StandingWord::BeingSetUp => (State::SettingUp, "being set up"),
        StandingWord::NotSwitchedOn => (State::Approved, "made when switched on"),
        StandingWord::AfterRestore => (State::Waiting, "waits after a restore"),
        StandingWord::Ready => (State::Ready, "ready"),
        StandingWord::Suspended => (State::Attention, "held back"),
        StandingWord::Attention => (State::Attention, "needs attention"),
        StandingWord::Extended => (State::Approved, "extended"),
        StandingWord::NothingGiven => (State::Ended, "nothing could be given"),
        StandingWord::BeingRemoved => (State::SettingUp, "being removed"),
        StandingWord::Ended => (State::Ended, "ended"),
        StandingWord::StillHeld => (State::Ended, "ended, still held another way"),
        StandingWord::Denied => (State::Refused, "denied"),
        StandingWord::Cancelled => (State::Ended, "taken back"),
        StandingWord::Lapsed => (State::Ended, "lapsed"),
        StandingWord::Superseded => (State::Ended, "asked again"),
        StandingWord::Withdrawn => (State::Ended, "withdrawn"),
    }
}

/// A line's own state, inside a sentence: `it is … now`.
pub const fn line_state(state: LineState) -> &'static str {
    match state {
        LineState::AwaitingApproval => "waiting",
        LineState::Approved => "approved",
        LineState::Denied => "denied",
        LineState::Cancelled => "taken back",
        LineState::Lapsed => "lapsed",
        LineState::Superseded => "asked again",
        LineState::Withdrawn => "withdrawn",
    }
}

/// What a target said.
pub const fn observed(observed: Observed) -> &'static str {
    match observed {
        Observed::Unknown => "not read yet",
        Observed::Present => "there",
        Observed::Absent => "not there",
    }
}

/// Where converging stands.
pub const fn phase(phase: Phase) -> (State, &'static str) {
    match phase {
        Phase::Settled => (State::Ready, "confirmed"),
        Phase::Due => (State::SettingUp, "to be sent"),
        Phase::Settling => (State::SettingUp, "being confirmed"),
        Phase::Attention => (State::Attention, "needs attention"),
    }
}

/// A portal role.
pub const fn role(role: PortalRole) -> &'static str {
    role.name()
}

/// What an account is used for.
pub const fn account_kind(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::Normal => "everyday work",
        AccountKind::Admin => "administration",
        AccountKind::Guest => "guest",
        AccountKind::Directory => "directory only",
    }
}

/// Whether somebody works here.
pub const fn person_state(state: PersonState) -> &'static str {
    match state {
        PersonState::Active => "works here",
        PersonState::Left => "has left",
    }
}

/// Names of those who can decide: `Elin Berg or Tomas Ek`, `… or 3 others`.
pub fn deciders(deciders: &Deciders) -> String {
    people(&deciders.who, deciders.more, "or")
}

/// Names with how many more: `A, B or 3 others`.
pub fn people(who: &[PersonTag], more: i64, last: &str) -> String {
    let mut names: Vec<String> = who.iter().map(|person| person.name.clone()).collect();
    if more > 0 {
        names.push(words::count(more, "other", "others"));
    }
    words::list(&names, last)
}

/// What an entry of the audit log says, from the word that it carries; the word itself where it is of another version.
pub fn event(kind: &str) -> String {
    kind.parse::<EventKind>().map_or_else(
        |_| words::sentence(&kind.replace('_', " ")),
        |kind| event_kind(kind).to_owned(),
    )
}

/// What an entry of the audit log says.
pub const fn event_kind(kind: EventKind) -> &'static str {
    match kind {
        EventKind::SignedIn => "Signed in",
        EventKind::SignInRefused => "Sign-in refused",
        EventKind::RefusalsSummed => "Anonymous sign-ins refused, summed",
        EventKind::SignedOut => "Signed out",
        EventKind::SessionsEnded => "All sessions ended",
        EventKind::PersonAdded => "Person became known",
        EventKind::PersonChanged => "Person changed",
        EventKind::PersonLeft => "Person left",
        EventKind::AccountAdded => "Account became known",
        EventKind::AccountChanged => "Account changed",
        EventKind::RolesChanged => "Portal role changed",
        EventKind::HoldPlaced => "Mass change held",
        EventKind::HoldDecided => "Mass change decided",
        EventKind::CataloguePublished => "Catalogue published",
        EventKind::CataloguePending => "Catalogue waits for a second person",
        EventKind::CatalogueRefused => "Catalogue version refused",
        EventKind::RightsImported => "Rights read from the target",
        EventKind::GrantNarrowed => "Grant narrowed by a new catalogue version",
        EventKind::LineSubmitted => "Access asked for",
        EventKind::LineScreened => "Request checked",
        EventKind::StageOpened => "Decision opened",
        EventKind::StageReseated => "Deciders worked out anew",
        EventKind::LineDecided => "Decided",
        EventKind::LineAskedBack => "Asked back",
        EventKind::LineAnswered => "Answered",
        EventKind::LineResumed => "Question needs no answer any more",
        EventKind::GroupMembersChanged => "Members of an approvers\u{2019} group changed",
        EventKind::SeatHandedOn => "Decision handed on",
        EventKind::SeatHandedBack => "Decision handed back",
        EventKind::LineNudged => "Deciders nudged",
        EventKind::LineWaits => "Approved, waits for an exception",
        EventKind::LineEnded => "Request closed",
        EventKind::DeputyMade => "Deputy named",
        EventKind::DeputyChanged => "Deputy began or ended",
        EventKind::GrantMade => "Grant made",
        EventKind::GrantStarted => "Grant began",
        EventKind::GrantExtended => "Grant extended",
        EventKind::GrantShortened => "Grant shortened",
        EventKind::GrantSuspended => "Grant held back or let go on",
        EventKind::RenewalSet => "Marked whether to be renewed",
        EventKind::PersonMoved => "Person moved",
        EventKind::PersonSuspended => "Person stopped or let go on",
        EventKind::GrantEnded => "Grant ended",
        EventKind::AssignmentDesired => "Right wanted or no longer wanted",
        EventKind::AssignmentObserved => "Target read",
        EventKind::AssignmentAttention => "Right needs attention",
        EventKind::AssignmentRetried => "Tried again by an operator",
        EventKind::TargetChanged => "Target paused or resumed",
        EventKind::TargetScanned => "Target scanned",
        EventKind::ScanAsked => "Scan asked for",
        EventKind::RestoreNoted => "Restored from a backup",
        EventKind::RestoreReconciled => "Targets go on after a restore",
        EventKind::TargetConfigured => "Target set up",
        EventKind::TaskOpened => "To be done by hand",
        EventKind::TaskClosed => "Said to be done by hand",
        EventKind::FindingChanged => "Finding opened or moved on",
        EventKind::ExceptionProposed => "Exception proposed",
        EventKind::ExceptionDecided => "Exception decided",
        EventKind::ExceptionAttested => "Control attested, or its attestation missed",
        EventKind::ExceptionEnded => "Exception ended",
        EventKind::CampaignMade => "Review drafted or its draft changed",
        EventKind::CampaignMoved => "Review started, closed or given up",
        EventKind::CampaignSignedOff => "Review signed off and sealed",
        EventKind::ReviewDecided => "Reviewed, or the answer taken back",
        EventKind::ReviewHandedOn => "Somebody else reviews it",
        EventKind::ReviewAsked => "Reviewer asked, or the holder answered",
        EventKind::ReviewSettled => "Settled without a reviewer",
        EventKind::RemovalLate => "What a review took away is not confirmed in time",
        EventKind::ReviewersReminded => "Reviewers reminded",
        EventKind::ClockMoved => "Trial clock moved",
        EventKind::Started => "Installation started",
        EventKind::MailRetried => "Mail sent again",
        EventKind::StageUnanswered => "Step without an answer",
        EventKind::StageEscalated => "Step escalated",
        EventKind::PostRetried => "Post to a chat sent again",
        EventKind::NotificationsChanged => "Notifications chosen",
        EventKind::CheckpointContradicted => "The log contradicts its checkpoint",
        EventKind::CheckpointMade => "Checkpoint signed",
        EventKind::EvidenceTaken => "Taken along as a file",
    }
}

/// Who or what did it, where it was no person.
pub fn actor(actor: &str) -> String {
    match actor {
        "portal" => "The portal",
        "provisioner" => "The provisioner",
        "operator" => "The command line",
        "anonymous" => "Somebody without a session",
        "person" => "A person",
        other => other,
    }
    .into()
}

/// What follows where nobody answers in an open step, and when.
pub fn silence(stage: &StageView) -> String {
    let mut said = Vec::new();
    if let Some(at) = &stage.reminded {
        said.push(format!("Reminded on {at}."));
    }
    if let Some(silence) = stage.silence {
        let end = match silence.end {
            SilenceEnd::Lapse => "the request lapses",
            SilenceEnd::Deny => "the request is denied",
            SilenceEnd::PassOn => "the next step decides",
        };
        said.push(stage.silence_ends.as_ref().map_or_else(
            || format!("Without an answer for {}, {end}.", silence.after),
            |at| format!("Without an answer by {at}, {end}."),
        ));
    }
    said.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_event_has_words_of_its_own() {
        let mut said: Vec<&str> = EventKind::ALL
            .iter()
            .map(|kind| event_kind(*kind))
            .collect();
        said.sort_unstable();
        said.dedup();
        assert_eq!(said.len(), EventKind::ALL.len());
        assert_eq!(event("of_tomorrow"), "Of tomorrow");
    }

    #[test]
    fn windows_are_said_as_people_say_them() {
        let now: Timestamp = "2026-11-21T10:00:00Z".parse().expect("a moment");
        let asked = |start, length| window(Window { start, length }, now);
        assert_eq!(
            asked(Start::OnActivation, Length::Seconds(8 * 3600)),
            "for 8 hours"
        );
        assert_eq!(
            asked(Start::At(now + Duration::days(11)), Length::Permanent),
            "without an end, from 2 December"
        );
        // An absurd length is said, not a crash.
        assert!(asked(Start::OnActivation, Length::Seconds(i64::MAX)).starts_with("for "));
    }
}
