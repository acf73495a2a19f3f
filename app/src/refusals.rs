//! Refusals in words for people: what is wrong and what would make it right.

use domain::{
    Refusal,
    asking::ForOthers,
    break_glass::BreakGlassBar,
    certification::{ReviewerBar, SignOffBar},
    exception::ExceptionBar,
    grant::GrantState,
    hands::ActBar,
    refusal::{BulkBar, DeciderBar, FreshBar, TakeOverBar},
    request::LineState,
};

use crate::{pages::said, spans, words};

/// The field of a form that a refusal belongs beside: `reason`, `length`, `start`, `note`, `cap`, or `answer-<key>`.
/// Empty for the form as a whole.
pub fn field(refusal: &Refusal) -> String {
    match refusal {
        Refusal::ReasonTooShort { .. } => "reason".into(),
        Refusal::TooLong { field, .. }
        | Refusal::TooShort { field, .. }
        | Refusal::OutOfRange { field, .. } => field.clone(),
        Refusal::ControlOwner => "control_owner".into(),
        Refusal::Answer { question, .. } => format!("answer-{question}"),
        Refusal::TooLongAsked { .. }
        | Refusal::TooShortAsked { .. }
        | Refusal::NotPermanent
        | Refusal::HeldTooLong { .. }
        | Refusal::EndBeforeStart
        | Refusal::NotAnExtension { .. } => "length".into(),
        Refusal::BadStart { .. } => "start".into(),
        Refusal::MayNotTakeOver { .. } | Refusal::ReviewBarred { .. } => "to".into(),
        Refusal::NotAcknowledged => "acknowledged".into(),
        Refusal::NotShorter => "until".into(),
        Refusal::BreakGlass {
            why: BreakGlassBar::NotConfirmed,
        }
        | Refusal::Confirm { .. } => "sure".into(),
        Refusal::InLine { what, .. } => field(what),
        Refusal::NotEligible { .. }
        | Refusal::NotForOthers { .. }
        | Refusal::NoSeats { .. }
        | Refusal::NoAccount
        | Refusal::NoLines { .. }
        | Refusal::AlreadyHeld
        | Refusal::AlreadyAsked
        | Refusal::Retired
        | Refusal::NotManageable { .. }
        | Refusal::RolesExclude { .. }
        | Refusal::LastAdministrator
        | Refusal::WrongState { .. }
        | Refusal::MayNotDecide { .. }
        | Refusal::MayNotAct { .. }
        | Refusal::MayNotGoOn { .. }
        | Refusal::DecidedAlready
        | Refusal::Changed
        | Refusal::TooMany { .. }
        | Refusal::OwnDraft
        | Refusal::ExceptionBarred { .. }
        | Refusal::NeedsException { .. }
        | Refusal::NotInBulk { .. }
        | Refusal::WantsFreshSignIn
        | Refusal::NoFreshSignIn { .. }
        | Refusal::NudgedAlready { .. }
        | Refusal::AnswerFirst
        | Refusal::BreakGlass { .. }
        | Refusal::SignOffBarred { .. }
        | Refusal::StillOpen { .. }
        | Refusal::NothingInScope
        | Refusal::OwnDeputy
        | Refusal::NoDeputy
        | Refusal::DeputyTooLong { .. }
        | Refusal::DeputiesMany { .. }
        | Refusal::Catalogue { .. } => String::new(),
    }
}

/// One refusal as a sentence or two.
pub fn sentence(refusal: &Refusal) -> String {
    match refusal {
        Refusal::ReasonTooShort { least } => {
            format!("Say in a few words why: at least {least} characters.")
        }
        Refusal::TooShort { least, .. } => {
            format!("Say it in a few words: at least {least} characters.")
        }
        Refusal::RolesExclude { one, other } => format!(
            "{} and {} are never held together here. Whoever is to be {} gives {} back first.",
            one.name(),
            other.name(),
            one.name(),
            other.name()
        ),
        Refusal::LastAdministrator => {
            "Nobody would be administrator any more. Let somebody else become one first.".into()
        }
        Refusal::OutOfRange { least, most, .. } => format!("Choose between {least} and {most}."),
        Refusal::ControlOwner => {
            "Choose somebody who works here and whom the exception is not about.".into()
        }
        Refusal::BreakGlass { why } => break_glass(*why).into(),
        Refusal::ExceptionBarred { why } => exception_bar(*why).into(),
        Refusal::NeedsException { rule } => format!(
            "This breaks the rule “{rule}”. It can be approved once an exception covers it; propose one, or say no."
        ),
        Refusal::TooLong { most, .. } => format!("Make it shorter: at most {most} characters."),
        Refusal::Answer { why, .. } => format!("{}.", words::sentence(why)),
        Refusal::TooLongAsked { most_seconds } => {
            format!("At most {} is possible here.", spans::span(*most_seconds))
        }
        Refusal::TooShortAsked { least_seconds } => {
            format!("Ask for at least {}.", spans::span(*least_seconds))
        }
        Refusal::NotPermanent => {
            "This access always has an end. Choose how long you need it.".into()
        }
        Refusal::HeldTooLong {
            most_seconds,
            latest,
        } => format!(
            "You may hold this for {} without a break: until {} at most.",
            spans::span(*most_seconds),
            words::stamp(*latest)
        ),
        Refusal::BadStart { latest } => {
            format!("Choose a start between now and {}.", words::stamp(*latest))
        }
        Refusal::EndBeforeStart => "The end must lie after the start.".into(),
        Refusal::NotEligible { because } => format!(
            "You cannot ask for this as things are. {}",
            sentences(because)
        ),
        Refusal::AlreadyHeld => "You hold this already. Extend it in My access instead.".into(),
        Refusal::AlreadyAsked => "The same request is waiting already.".into(),
        Refusal::NotForOthers {
            scope: ForOthers::Reports,
        } => "You can ask for this for people who report to you. Others can ask for it themselves."
            .into(),
        Refusal::NotForOthers { .. } => {
            "This cannot be asked for on behalf of somebody else. They can ask for it themselves."
                .into()
        }
        Refusal::NoSeats { most } => {
            let people = if *most == 1 { "person" } else { "people" };
            format!(
                "At most {most} {people} may hold this at once, and as many do. Ask again when somebody gives it back."
            )
        }
        Refusal::NoAccount => "They have no account that this could be given to.".into(),
        Refusal::NoLines { most } => {
            format!("Choose at least one package, and at most {most} at once.")
        }
        Refusal::InLine { line, what } => format!("Line {line}: {}", sentence(what)),
        Refusal::Retired => "This package is no longer offered.".into(),
        Refusal::NotManageable { entitlement, why } => {
            format!(
                "The portal cannot set {entitlement}: {why}. The package's owner has to sort that out first."
            )
        }
        Refusal::WrongState { state } if state == "suspended" => {
            "It is held back now. More time can be asked for once it goes on.".into()
        }
        Refusal::WrongState { state } => format!(
            "It was decided or ended meanwhile: it is {} now.",
            state_now(state)
        ),
        Refusal::MayNotDecide { why } => bar(*why).into(),
        Refusal::MayNotTakeOver { why } => take_over(*why).into(),
        Refusal::NotInBulk { why } => format!("Decide it on its own page: {}.", bulk(*why)),
        Refusal::WantsFreshSignIn => {
            "Approving this takes a fresh sign-in. Decide it on its own page.".into()
        }
        Refusal::NoFreshSignIn { why } => {
            format!("{} Nothing was decided.", no_fresh_sign_in(*why))
        }
        Refusal::NudgedAlready { next } => format!(
            "You nudged them already. Again from {}.",
            words::stamp(*next)
        ),
        Refusal::AnswerFirst => "They asked you something; answer that first.".into(),
        Refusal::MayNotAct { why } => act_bar(*why).into(),
        Refusal::MayNotGoOn { because } => {
            format!("It cannot go on as things are. {}", sentences(because))
        }
        Refusal::DecidedAlready => "You have decided this already. One person has one vote.".into(),
        Refusal::Changed => {
            "What you saw has changed since you opened the page. Read it again, then decide.".into()
        }
        Refusal::TooMany { after_seconds } => {
            format!(
                "That was a lot in a short time. Try again in {}.",
                spans::about(*after_seconds)
            )
        }
        Refusal::OwnDraft => {
            "Somebody else has to confirm this: who drafts does not publish.".into()
        }
        Refusal::ReviewBarred { why } => review_bar(*why).into(),
        Refusal::SignOffBarred {
            why: SignOffBar::Maker,
        } => "You made this review, so somebody else of security signs it off.".into(),
        Refusal::SignOffBarred {
            why: SignOffBar::Reviewer,
        } => "The portal made this review and you answered in it, so somebody else of security signs it off.".into(),
        Refusal::SignOffBarred {
            why: SignOffBar::RunsPortal,
        } => "You run this portal, so somebody else signs it off.".into(),
        Refusal::NotAcknowledged => {
            "Say that you take note of what is not covered and not finished.".into()
        }
        Refusal::StillOpen { open } => format!(
            "{} still open.",
            words::count(*open, "item is", "items are")
        ),
        Refusal::NothingInScope => {
            "Nothing that is held now fits this. Widen what it looks at.".into()
        }
        Refusal::Confirm {
            items,
            privileged,
            against,
        } => {
            let count = |n: usize, one, many| words::count(n as i64, one, many);
            format!(
                "This answers for {}, of which {} privileged and {} against the suggestion. Say why, and that you mean it.",
                count(*items, "item", "items"),
                count(*privileged, "is", "are"),
                count(*against, "goes", "go"),
            )
        }
        Refusal::NotShorter => "Choose a day to come, before its end as it is now.".into(),
        Refusal::OwnDeputy => "Nobody stands in for themselves. Choose somebody else.".into(),
        Refusal::NoDeputy => "Choose somebody who works here and can stand in.".into(),
        Refusal::DeputyTooLong { most_days } => {
            format!("At most {most_days} days at a stretch. Choose an earlier end.")
        }
        Refusal::DeputiesMany { most } => {
            format!("{most} people stand in at that time already. End one of those first.")
        }
        Refusal::Catalogue { faults } => {
            format!("The catalogue files have faults: {}", faults.join("; "))
        }
        Refusal::NotAnExtension { end } => format!(
            "Choose a time after its current end, {}.",
            words::stamp(*end)
        ),
    }
}

/// Phrases of a policy as sentences, each with one full stop.
pub fn sentences<S: AsRef<str>>(phrases: &[S]) -> String {
    let said: Vec<String> = phrases
        .iter()
        .map(|phrase| phrase.as_ref().trim().trim_end_matches('.'))
        .filter(|phrase| !phrase.is_empty())
        .map(|phrase| format!("{}.", words::sentence(phrase)))
        .collect();
    said.join(" ")
}

/// The word of a line's or a grant's state, as people say it.
fn state_now(state: &str) -> String {
    if let Ok(state) = state.parse::<LineState>() {
        return said::line_state(state).into();
    }
    state.parse::<GrantState>().map_or_else(
        |_| state.replace('_', " "),
        |state| said::grant_state(state).1.into(),
    )
}

fn exception_bar(why: ExceptionBar) -> &'static str {
    match why {
        ExceptionBar::Person => "This exception is about you, so somebody else decides.",
        ExceptionBar::Subordinate => {
            "You report to the person whom it is about, so somebody else decides."
        }
        ExceptionBar::Proposer => "You proposed this, so somebody else decides.",
        ExceptionBar::Acceptor => {
            "You accepted this for the business, so somebody else confirms it."
        }
        ExceptionBar::Inactive => "Your account is not active.",
        ExceptionBar::RunsPortal => {
            "You run this portal, so somebody else decides about exceptions."
        }
    }
}

/// Why somebody may not review something.
pub const fn review_bar(why: ReviewerBar) -> &'static str {
    match why {
        ReviewerBar::Holder => "It is their own access.",
        ReviewerBar::Subordinate => "They report to whoever holds it.",
        ReviewerBar::Inactive => "They are not active here.",
        ReviewerBar::RunsPortal => "They run this portal and decide nothing in it.",
        ReviewerBar::Answered => "They were asked about it in an earlier stage.",
        ReviewerBar::NotSecurity => "A second look is for somebody of security.",
    }
}

fn act_bar(why: ActBar) -> &'static str {
    match why {
        ActBar::Own => {
            "This is about your own access, so somebody else does it. What you no longer need you give back in My access."
        }
        ActBar::Superior => {
            "You report to this person, so it is for the package\u{2019}s owner or security."
        }
        ActBar::RunsPortal => "You run this portal, so somebody else decides about access.",
    }
}

fn bar(why: DeciderBar) -> &'static str {
    match why {
        DeciderBar::Asker => "You asked for this yourself, so somebody else decides.",
        DeciderBar::Beneficiary => "This is for you, so somebody else decides.",
        DeciderBar::StandsIn => {
            "You stand in for somebody who asked for this or gets it, so somebody else decides."
        }
        DeciderBar::Subordinate => {
            "You report to the person whom this is for, so somebody else decides."
        }
        DeciderBar::NoSeat => "You are not among those who decide this.",
        DeciderBar::DecidedEarlier => {
            "You decided an earlier step; this policy wants different people."
        }
        DeciderBar::Inactive => "Your account is not active.",
        DeciderBar::RunsPortal => "You run this portal, so somebody else decides about access.",
        DeciderBar::HandedOn => "You handed this on; your colleague decides.",
    }
}

/// Why somebody may not take a decision over, for a list of people and beside the field.
pub fn take_over(why: TakeOverBar) -> &'static str {
    match why {
        TakeOverBar::Asker => "They asked for this themselves.",
        TakeOverBar::Beneficiary => "It is for them.",
        TakeOverBar::Subordinate => "They report to the person whom this is for.",
        TakeOverBar::DecidedEarlier => "They decided an earlier step of it.",
        TakeOverBar::Inactive => "They are not active here.",
        TakeOverBar::RunsPortal => "They run this portal and decide nothing in it.",
        TakeOverBar::Seated => "They can decide this already.",
        TakeOverBar::NotOwner => "Only owners of the package decide this step.",
        TakeOverBar::NotSecurity => "Only members of security decide this step.",
        TakeOverBar::NotMember => "Only members of the group decide this step.",
        TakeOverBar::HandedOnBefore => {
            "It was handed on once; it can go back, but not to somebody else."
        }
        TakeOverBar::BySubordinates => {
            "Only two members of security are left to decide this together."
        }
    }
}

fn no_fresh_sign_in(why: FreshBar) -> &'static str {
    match why {
        FreshBar::Cancelled => "You came back without signing in, or the sign-in was refused.",
        FreshBar::Unreachable => "The sign-in does not answer now. Try again in a while.",
        FreshBar::OtherPerson => {
            "Another account signed in than the one that you use here. Approve again with your own."
        }
        FreshBar::NotSatisfied => {
            "The sign-in is not strong enough for a decision like this. Try again; if it stays so, ask your service desk."
        }
        FreshBar::NotFresh => "That was an earlier sign-in and not a new one. Try again.",
        FreshBar::Late => "The sign-in took longer than five minutes. Try again.",
        FreshBar::SessionOver => "Your session here ended before you came back. Try again.",
    }
}

/// Why a line is not ticked in a list: the end of a sentence.
pub const fn bulk(why: BulkBar) -> &'static str {
    match why {
        BulkBar::Privileged => "it is privileged",
        BulkBar::FreshSignIn => "approving it takes a fresh sign-in",
        BulkBar::ControlScope => "it is under a control scope",
        BulkBar::Extension => "it asks for more time",
        BulkBar::Permanent => "it asks for access without end",
        BulkBar::Denied => "it was denied before",
        BulkBar::AskedBack => "a question waits for an answer",
        BulkBar::OtherRule => "another rule lets you decide it than the others",
    }
}

const fn break_glass(why: BreakGlassBar) -> &'static str {
    match why {
        BreakGlassBar::NotForOthers => {
            "Break-glass is for oneself. They open it themselves, or somebody else on call does."
        }
        BreakGlassBar::NotWithOthers => {
            "Break-glass is opened by itself, from its own page, never from the cart."
        }
        BreakGlassBar::NotLater => "Break-glass begins at once.",
        BreakGlassBar::NotConfirmed => "Tick that you know what follows.",
        BreakGlassBar::NotLonger => {
            "Break-glass is never made longer. After its end you can open it again, and that is reviewed as well."
        }
        BreakGlassBar::Spent => {
            "You have used it as often as one may within a week. Ask somebody else on call, or for the ordinary access."
        }
        BreakGlassBar::NotReviewed => {
            "An earlier use of yours waits for its review, and that is overdue. Ask the package\u{2019}s owner or security to review it."
        }
        BreakGlassBar::BreaksRule => {
            "With what you hold already it breaks a rule, and no exception covers it. Somebody else on call has to open it."
        }
    }
}
