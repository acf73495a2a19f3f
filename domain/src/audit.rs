//! The words of the audit log. An entry names actor, on whose behalf, cause, policy version, before and after; it holds
//! person ids and never names, so that erasing a person does not break the chain.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{PersonId, Timestamp, words};

words! {
    /// What happened.
    pub enum EventKind {
        /// Somebody signed in.
        SignedIn = "signed_in",
        /// A sign-in was refused.
        SignInRefused = "sign_in_refused",
        /// Refusals of anonymous callers, summed over a minute.
        RefusalsSummed = "refusals_summed",
        /// Somebody signed out.
        SignedOut = "signed_out",
        /// All sessions of a person were ended.
        SessionsEnded = "sessions_ended",
        /// A person became known.
        PersonAdded = "person_added",
        /// A person's attributes changed.
        PersonChanged = "person_changed",
        /// A person left.
        PersonLeft = "person_left",
        /// An account became known.
        AccountAdded = "account_added",
        /// An account was enabled, disabled or deleted.
        AccountChanged = "account_changed",
        /// A portal role was given or taken.
        RolesChanged = "roles_changed",
        /// A mass change waits for a human.
        HoldPlaced = "hold_placed",
        /// A mass change was confirmed or dismissed.
        HoldDecided = "hold_decided",
        /// A catalogue version was published, or waits.
        CataloguePublished = "catalogue_published",
        /// A catalogue version that widens waits for a second person.
        CataloguePending = "catalogue_pending",
        /// A waiting catalogue version was refused.
        CatalogueRefused = "catalogue_refused",
        /// Rights at the target became known or changed.
        RightsImported = "rights_imported",
        /// A new catalogue version took rights out of a held package.
        GrantNarrowed = "grant_narrowed",
        /// A line was submitted.
        LineSubmitted = "line_submitted",
        /// A line was screened.
        LineScreened = "line_screened",
        /// A stage opened.
        StageOpened = "stage_opened",
        /// Nobody answered in time: others may decide as well.
        StageEscalated = "stage_escalated",
        /// Nobody answered in time: the stage is passed on, or the line denied.
        StageUnanswered = "stage_unanswered",
        /// A stage's seats were worked out anew.
        StageReseated = "stage_reseated",
        /// Somebody decided.
        LineDecided = "line_decided",
        /// A decider asked back; the line's clock stands still.
        LineAskedBack = "line_asked_back",
        /// A question was answered, or something was added to a waiting line.
        LineAnswered = "line_answered",
        /// A question needed no answer any more; the line's clock runs on.
        LineResumed = "line_resumed",
        /// Others than before are in a group whose members decide.
        GroupMembersChanged = "group_members_changed",
        /// Somebody gave their seat to a colleague.
        SeatHandedOn = "seat_handed_on",
        /// A colleague gave the seat back.
        SeatHandedBack = "seat_handed_back",
        /// The asker nudged those who decide.
        LineNudged = "line_nudged",
        /// Somebody was to stand in for somebody else.
        DeputyMade = "deputy_made",
        /// Somebody stands in from now on, or no longer does.
        DeputyChanged = "deputy_changed",
        /// All said yes to a line, and it waits for its exception.
        LineWaits = "line_waits",
        /// A line reached an end.
        LineEnded = "line_ended",
        /// A grant was made.
        GrantMade = "grant_made",
        /// A grant began.
        GrantStarted = "grant_started",
        /// A grant got another end.
        GrantExtended = "grant_extended",
        /// A grant got an earlier end: the last day of whoever holds it.
        GrantShortened = "grant_shortened",
        /// A grant was suspended or resumed.
        GrantSuspended = "grant_suspended",
        /// The holder said whether a grant is to be renewed.
        RenewalSet = "renewal_set",
        /// A person moved: another manager, department or employment.
        PersonMoved = "person_moved",
        /// A person was held back, or let go on.
        PersonSuspended = "person_suspended",
        /// A grant ended.
        GrantEnded = "grant_ended",
        /// An assignment's desired state changed.
        AssignmentDesired = "assignment_desired",
        /// A target was read.
        AssignmentObserved = "assignment_observed",
        /// An assignment needs a person.
        AssignmentAttention = "assignment_attention",
        /// An operator asked for another try.
        AssignmentRetried = "assignment_retried",
        /// A target was paused or resumed.
        TargetChanged = "target_changed",
        /// A target was scanned, or a right there with something to show for it.
        TargetScanned = "target_scanned",
        /// An operator had a target scanned, or let a scan go on.
        ScanAsked = "scan_asked",
        /// The database was restored from a backup: nothing is given until the targets were compared.
        RestoreNoted = "restore_noted",
        /// An operator looked at what the targets hold after a restore, and let them be written again.
        RestoreReconciled = "restore_reconciled",
        /// Somebody has to do something by hand.
        TaskOpened = "task_opened",
        /// What had to be done by hand is done, cannot be done, or is needed no longer.
        TaskClosed = "task_closed",
        /// A target was made from the configuration, or named anew.
        TargetConfigured = "target_configured",
        /// An operator had a mail sent again that was given up.
        MailRetried = "mail_retried",
        /// An operator had a post sent again that was given up.
        PostRetried = "post_retried",
        /// Somebody said how they want to be told.
        NotificationsChanged = "notifications_changed",
        /// Something that stands was found, or found to be different.
        FindingChanged = "finding_changed",
        /// An exception was proposed.
        ExceptionProposed = "exception_proposed",
        /// An exception was accepted or confirmed.
        ExceptionDecided = "exception_decided",
        /// The owner of a control attested, or missed it.
        ExceptionAttested = "exception_attested",
        /// An exception ended.
        ExceptionEnded = "exception_ended",
        /// A campaign was drafted, or its draft changed.
        CampaignMade = "campaign_made",
        /// A campaign was started, closed or given up.
        CampaignMoved = "campaign_moved",
        /// A campaign was signed off and its report sealed.
        CampaignSignedOff = "campaign_signed_off",
        /// A reviewer answered for an item, or took the answer back.
        ReviewDecided = "review_decided",
        /// Somebody else reviews an item.
        ReviewHandedOn = "review_handed_on",
        /// A reviewer asked the holder of an item, or the holder answered.
        ReviewAsked = "review_asked",
        /// An item was settled without a reviewer: by silence, or because there is nothing to review any more.
        ReviewSettled = "review_settled",
        /// A target had not confirmed in time what a review took away.
        RemovalLate = "removal_late",
        /// Reviewers were reminded.
        ReviewersReminded = "reviewers_reminded",
        /// The trial's clock was moved.
        ClockMoved = "clock_moved",
        /// The installation started.
        Started = "started",
        /// The head was signed and written outside.
        CheckpointMade = "checkpoint_made",
        /// The log contradicts what was signed before.
        CheckpointContradicted = "checkpoint_contradicted",
        /// Somebody took the log or evidence along as a file.
        EvidenceTaken = "evidence_taken",
    }
}

/// Who or what did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// A person, by id.
    Person(PersonId),
    /// The portal itself: a deadline, a rule, a directory read.
    Portal,
    /// The provisioner.
    Provisioner,
    /// Somebody at the command line of the machine.
    Operator,
    /// A caller without a session.
    Anonymous,
}

/// One entry, before it is chained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// On whose behalf, if not their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behalf: Option<PersonId>,
    /// What it is about, as printed ids: the line, grant, assignment, person … Searchable.
    pub subjects: Vec<String>,
    /// What caused it, as a printed id or a short word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The policy version that applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The state before.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub before: Value,
    /// The state after.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub after: Value,
}

impl Event {
    /// A new entry with nothing but what it must have.
    pub fn new(kind: EventKind, at: Timestamp, actor: Actor) -> Self {
        Self {
            kind,
            at,
            actor,
            behalf: None,
            subjects: Vec::new(),
            cause: None,
            policy: None,
            before: Value::Null,
            after: Value::Null,
        }
    }

    /// Adds what it is about.
    #[must_use]
    pub fn about(mut self, subject: impl ToString) -> Self {
        self.subjects.push(subject.to_string());
        self
    }

    /// Says what caused it.
    #[must_use]
    pub fn because(mut self, cause: impl ToString) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// Says on whose behalf it was done.
    #[must_use]
    pub fn for_person(mut self, person: PersonId) -> Self {
        self.behalf = Some(person);
        self
    }

    /// Says which policy version applied.
    #[must_use]
    pub fn under(mut self, policy: impl ToString) -> Self {
        self.policy = Some(policy.to_string());
        self
    }

    /// Says the states before and after.
    #[must_use]
    pub fn changing(mut self, before: Value, after: Value) -> Self {
        self.before = before;
        self.after = after;
        self
    }

    /// The canonical text that is hashed: one line of JSON with the sequence number first. `serde_json` keeps field
    /// order and sorts map keys, so the same event always gives the same text.
    pub fn canonical(&self, seq: i64) -> String {
        #[derive(Serialize)]
        struct Entry<'a> {
            seq: i64,
            #[serde(flatten)]
            event: &'a Event,
        }
        serde_json::to_string(&Entry { seq, event: self })
            .expect("an event holds nothing that JSON cannot")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::request::tests::now;

    #[test]
    fn the_canonical_text_is_one_line_and_reads_back() {
        let event = Event::new(EventKind::GrantEnded, now(), Actor::Portal)
            .about("gra_1")
            .because("expired")
            .changing(
                json!({"state": "active"}),
                json!({"state": "ended", "note": "a\nb"}),
            );
        let text = event.canonical(7);
        assert!(text.starts_with("{\"seq\":7,"), "{text}");
        assert!(!text.contains('\n'));
        assert_eq!(
            serde_json::from_str::<Event>(&text).expect("it is an event"),
            event
        );
        assert_eq!(event.canonical(7), text);
    }
}
