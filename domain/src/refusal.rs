//! Why something was not done: stable codes with the facts as fields. Words for people are made where they are shown.

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    asking::ForOthers,
    break_glass::BreakGlassBar,
    certification::{ReviewerBar, SignOffBar},
    exception::ExceptionBar,
    person::PortalRole,
};

/// A refusal by a rule. It changes nothing, and says enough for the person to act on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Refusal {
    /// The reason is empty or too short.
    #[error("a reason of at least {least} characters is needed")]
    ReasonTooShort {
        /// Characters needed.
        least: usize,
    },
    /// The reason, a note or an answer is too long.
    #[error("{field} may have at most {most} characters")]
    TooLong {
        /// Which field.
        field: String,
        /// Characters allowed.
        most: usize,
    },
    /// A question of the package was not answered, or not validly.
    #[error("the question {question} needs an answer: {why}")]
    Answer {
        /// The question's key.
        question: String,
        /// What is wrong, in words.
        why: String,
    },
    /// Longer than the package allows.
    #[error("at most {most_seconds} s may be asked for")]
    TooLongAsked {
        /// The longest that may be asked for, in seconds.
        most_seconds: i64,
    },
    /// Zero, negative, or under the shortest useful span.
    #[error("at least {least_seconds} s must be asked for")]
    TooShortAsked {
        /// The shortest that may be asked for, in seconds.
        least_seconds: i64,
    },
    /// Permanent access was asked for where only timed access is offered.
    #[error("this package is never permanent")]
    NotPermanent,
    /// The start lies in the past, or too far ahead.
    #[error("the start must lie between now and {latest}")]
    BadStart {
        /// The latest start that may be asked for.
        latest: Timestamp,
    },
    /// The end lies before the start.
    #[error("the end must lie after the start")]
    EndBeforeStart,
    /// Eligibility says no; each entry is one unmet condition in words.
    #[error("not eligible")]
    NotEligible {
        /// Unmet conditions, in the words of the policy.
        because: Vec<String>,
    },
    /// The person holds the package already; they may extend it.
    #[error("already held")]
    AlreadyHeld,
    /// The same ask is waiting already.
    #[error("the same ask waits already")]
    AlreadyAsked,
    /// The asker may not ask for the one whom it is for.
    #[error("it may be asked for {scope} besides oneself")]
    NotForOthers {
        /// For whom one may ask.
        scope: ForOthers,
    },
    /// As many people hold it as may.
    #[error("all {most} seats are taken")]
    NoSeats {
        /// How many may hold it at once.
        most: u32,
    },
    /// The person has no account that access could go to.
    #[error("they have no account that may be used")]
    NoAccount,
    /// A request asks for nothing, or for too much at once.
    #[error("a request has one to {most} lines")]
    NoLines {
        /// Lines allowed.
        most: usize,
    },
    /// What stands against one line of a request.
    #[error("line {line}: {what}")]
    InLine {
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        what: Box<Refusal>,
    },
    /// The package is no longer offered.
    #[error("the package is retired")]
    Retired,
    /// Two portal roles are never effective together.
    #[error("{one} and {other} are never held together")]
    RolesExclude {
        /// The role that was asked for.
        one: PortalRole,
        /// The role that stands against it.
        other: PortalRole,
    },
    /// Nobody would be administrator any more.
    #[error("the last administrator stays one until there is another")]
    LastAdministrator,
    /// An entitlement of the package cannot be managed by us.
    #[error("{entitlement} cannot be managed: {why}")]
    NotManageable {
        /// Name of the entitlement.
        entitlement: String,
        /// Why not, in words.
        why: String,
    },
    /// More time would make it longer than it may be held without a break.
    #[error("it may be held until {latest} at most")]
    HeldTooLong {
        /// The longest that it may be held without a break, in seconds.
        most_seconds: i64,
        /// The latest end.
        latest: Timestamp,
    },
    /// The state does not allow this any more; says the state as it is now.
    #[error("not possible: it is {state} now")]
    WrongState {
        /// The state now.
        state: String,
    },
    /// The person may not decide here.
    #[error("you may not decide this: {why}")]
    MayNotDecide {
        /// The rule that says so.
        why: DeciderBar,
    },
    /// Whom the decision is to be handed on to may not take it.
    #[error("they may not take this over: {why}")]
    MayNotTakeOver {
        /// The rule that says so.
        why: TakeOverBar,
    },
    /// A yes to this counts only with a fresh sign-in.
    #[error("this wants a fresh sign-in")]
    WantsFreshSignIn,
    /// What was meant to be a fresh sign-in is none.
    #[error("the fresh sign-in does not count: {why}")]
    NoFreshSignIn {
        /// What is wrong with it.
        why: FreshBar,
    },
    /// Too risky, or too different, to be decided together with others.
    #[error("this is decided on its own page: {why}")]
    NotInBulk {
        /// What makes it so.
        why: BulkBar,
    },
    /// Those who decide were nudged today already.
    #[error("they were nudged already; again from {next}")]
    NudgedAlready {
        /// When they may be nudged again.
        next: Timestamp,
    },
    /// A question waits for the asker's answer, so nobody else is to be hurried.
    #[error("a question waits for an answer first")]
    AnswerFirst,
    /// The person may not take away, hold back or let go on here.
    #[error("you may not do this: {why}")]
    MayNotAct {
        /// The rule that says so.
        why: ActBar,
    },
    /// What is held back may not go on as things are.
    #[error("it may not go on")]
    MayNotGoOn {
        /// Why not, in words.
        because: Vec<String>,
    },
    /// The person decided in this stage already: one human is one vote.
    #[error("you have decided this already")]
    DecidedAlready,
    /// What was signed off is not what is there now.
    #[error("what you saw has changed since")]
    Changed,
    /// Too many in a short time.
    #[error("too many; try again in {after_seconds} s")]
    TooMany {
        /// Seconds to wait.
        after_seconds: i64,
    },
    /// Four eyes: the one who drafted may not confirm.
    #[error("somebody else must confirm this")]
    OwnDraft,
    /// A change of the catalogue was refused with faults in the files.
    #[error("the catalogue has faults")]
    Catalogue {
        /// Each fault with file, line and fix.
        faults: Vec<String>,
    },
    /// A text is empty or too short.
    #[error("{field} needs at least {least} characters")]
    TooShort {
        /// Which field.
        field: String,
        /// Characters needed.
        least: usize,
    },
    /// A number is out of what is allowed.
    #[error("{field} must lie between {least} and {most}")]
    OutOfRange {
        /// Which field.
        field: String,
        /// The least.
        least: i64,
        /// The most.
        most: i64,
    },
    /// Nobody was chosen to own the control, or somebody who cannot.
    #[error("the owner of the control must work here and not be the person")]
    ControlOwner,
    /// The person may not take part in an exception.
    #[error("you may not decide about this exception: {why}")]
    ExceptionBarred {
        /// The rule that says so.
        why: ExceptionBar,
    },
    /// A separation-of-duties rule is broken, and no exception covers it yet.
    #[error("the rule {rule} is broken and no exception covers it")]
    NeedsException {
        /// The rule's name.
        rule: String,
    },
    /// Break-glass is not for this.
    #[error("this is for an emergency: {why}")]
    BreakGlass {
        /// The rule that says so.
        why: BreakGlassBar,
    },
    /// The person may not review this.
    #[error("they may not review this: {why}")]
    ReviewBarred {
        /// The rule that says so.
        why: ReviewerBar,
    },
    /// The person may not sign the campaign off.
    #[error("you may not sign this off: {why}")]
    SignOffBarred {
        /// The rule that says so.
        why: SignOffBar,
    },
    /// What the sign-off has to take note of was not acknowledged.
    #[error("what is not covered must be acknowledged")]
    NotAcknowledged,
    /// Items are still open.
    #[error("{open} items are open")]
    StillOpen {
        /// How many.
        open: i64,
    },
    /// Nothing that is held fits the scope.
    #[error("nothing fits the scope")]
    NothingInScope,
    /// An answer for many at once does much: it must be confirmed.
    #[error("an answer for {items} items must be confirmed")]
    Confirm {
        /// How many.
        items: usize,
        /// Of those, how many give a privileged right.
        privileged: usize,
        /// How many are suggested to be answered otherwise.
        against: usize,
    },
    /// A shorter end must lie ahead, and before the end there is.
    #[error("the end must be earlier than the one there is")]
    NotShorter,
    /// Nobody stands in for themselves.
    #[error("nobody stands in for themselves")]
    OwnDeputy,
    /// Nobody who could stand in was chosen.
    #[error("nobody who could stand in was chosen")]
    NoDeputy,
    /// Longer than somebody may be stood in for.
    #[error("at most {most_days} days at a stretch")]
    DeputyTooLong {
        /// The longest, in days.
        most_days: i64,
    },
    /// As many as may stand in for one person at a time do so already.
    #[error("{most} people stand in for them already")]
    DeputiesMany {
        /// How many may.
        most: i64,
    },
    /// An extension may not shorten.
    #[error("an extension must end later than {end}")]
    NotAnExtension {
        /// Today's end.
        end: Timestamp,
    },
}

words! {
    /// Why somebody may not decide on a line.
    pub enum DeciderBar {
        /// They asked.
        Asker = "asker",
        /// It is for them.
        Beneficiary = "beneficiary",
        /// They stand in for the asker or the beneficiary now.
        StandsIn = "stands_in",
        /// They report, at some depth, to the asker or the beneficiary.
        Subordinate = "subordinate",
        /// They hold no seat in this stage.
        NoSeat = "no_seat",
        /// They decided an earlier stage, and this policy wants different people.
        DecidedEarlier = "decided_earlier",
        /// They no longer work here.
        Inactive = "inactive",
        /// They are administrator or operator, and who runs the portal decides nothing in it.
        RunsPortal = "runs_portal",
        /// They handed it on.
        HandedOn = "handed_on",
    }
}

words! {
    /// Why somebody may not take a decision over.
    pub enum TakeOverBar {
        /// They asked.
        Asker = "asker",
        /// It is for them.
        Beneficiary = "beneficiary",
        /// They report, at some depth, to the asker or the beneficiary.
        Subordinate = "subordinate",
        /// They decided an earlier stage, and this policy wants different people.
        DecidedEarlier = "decided_earlier",
        /// They no longer work here.
        Inactive = "inactive",
        /// They are administrator or operator.
        RunsPortal = "runs_portal",
        /// They may decide this already.
        Seated = "seated",
        /// The stage belongs to the owners of the package, and they own it not.
        NotOwner = "not_owner",
        /// The stage belongs to security, and they are not.
        NotSecurity = "not_security",
        /// The stage belongs to the members of a group, and they are not in it.
        NotMember = "not_member",
        /// It was handed on before: it goes back, not further.
        HandedOnBefore = "handed_on_before",
        /// Only people who report to the asker or the beneficiary are left, and two of security decide together.
        BySubordinates = "by_subordinates",
    }
}

words! {
    /// Why a sign-in does not count as the fresh one that a decision wants.
    pub enum FreshBar {
        /// The person turned back, or the provider refused them.
        Cancelled = "cancelled",
        /// The provider did not answer.
        Unreachable = "unreachable",
        /// Another account signed in.
        OtherPerson = "other_person",
        /// The authentication context that was asked for is not satisfied.
        NotSatisfied = "not_satisfied",
        /// It is an earlier sign-in.
        NotFresh = "not_fresh",
        /// It came too late.
        Late = "late",
        /// The session that it was for is over.
        SessionOver = "session_over",
    }
}

words! {
    /// Why a line is not decided together with others.
    pub enum BulkBar {
        /// A yes wants a fresh sign-in.
        FreshSignIn = "fresh_sign_in",
        /// It gives a privileged right.
        Privileged = "privileged",
        /// It gives a right under a control scope.
        ControlScope = "control_scope",
        /// It asks for more time.
        Extension = "extension",
        /// It asks for access without end.
        Permanent = "permanent",
        /// The same was denied before.
        Denied = "denied",
        /// A question about it waits for an answer.
        AskedBack = "asked_back",
        /// Another rule lets the person decide here than for the first of them.
        OtherRule = "other_rule",
    }
}

use crate::{hands::ActBar, words};
