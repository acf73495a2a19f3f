//! Everything that must happen at a time, as kinds of durable work, and which warnings a grant gets.

use chrono::Duration;

use crate::{Timestamp, grant::End, words};

words! {
    /// What a job does. A timer is a job that is due later.
    pub enum JobKind {
        /// A grant's start.
        GrantStart = "grant_start",
        /// A grant's end.
        GrantEnd = "grant_end",
        /// A warning before a grant's end.
        GrantWarning = "grant_warning",
        /// A person's last day is over.
        Leave = "leave",
        /// A line waited too long.
        LineLapse = "line_lapse",
        /// A person, or everybody, to be looked at for broken rules and what else stands.
        ConflictScan = "conflict_scan",
        /// An exception's end.
        ExceptionEnd = "exception_end",
        /// A warning before an exception's end.
        ExceptionWarning = "exception_warning",
        /// The owner of a control has to attest.
        Attestation = "attestation",
        /// What reviewers said no to is to be taken away.
        ReviewEnforce = "review_enforce",
        /// A campaign's deadline.
        ReviewClose = "review_close",
        /// Reviewers are reminded.
        ReviewReminder = "review_reminder",
        /// A campaign comes again.
        ReviewRepeat = "review_repeat",
        /// Something has happened that a small review is made of.
        ReviewEvent = "review_event",
        /// What a review took away should be confirmed by the targets by now.
        ReviewLate = "review_late",
        /// Somebody begins or ceases to stand in for somebody else.
        Deputy = "deputy",
        /// Whoever does something by hand is reminded.
        Task = "task",
        /// An assignment whose desired and observed states may differ.
        Converge = "converge",
        /// A target is to be scanned for what was given or taken there by hand.
        TargetScan = "target_scan",
        /// Whoever can decide is reminded.
        StageReminder = "stage_reminder",
        /// Nobody answered: others may decide as well.
        StageEscalation = "stage_escalation",
        /// Nobody answered: the stage's silence ends.
        StageSilence = "stage_silence",
        /// A mail to send.
        Mail = "mail",
        /// The day's mails of somebody who wants them together.
        Digest = "digest",
        /// A post to a channel of a chat.
        Post = "post",
        /// Read the directory.
        DirectorySync = "directory_sync",
        /// Enqueue unsettled assignments that have no job.
        Sweep = "sweep",
        /// Sign the head of the audit log and write it outside.
        Checkpoint = "checkpoint",
        /// Delete what has outlived its keeping: sessions, sign-in states, drafts.
        Housekeeping = "housekeeping",
    }
}

words! {
    /// The warnings before a grant ends.
    pub enum Warning {
        /// Seven days before.
        Week = "7d",
        /// One day before.
        Day = "1d",
        /// One hour before.
        Hour = "1h",
    }
}

impl Warning {
    /// How long before the end it is due.
    pub fn lead(self) -> Duration {
        match self {
            Self::Week => Duration::days(7),
            Self::Day => Duration::days(1),
            Self::Hour => Duration::hours(1),
        }
    }
}

/// The warnings that a grant over `[from, end)` gets, with their instants: those that lie after its start by at
/// least as long as they lie before its end, so that an eight-hour grant is not warned of when it begins.
pub fn warnings(from: Timestamp, end: End) -> Vec<(Warning, Timestamp)> {
    let End::At(end) = end else { return Vec::new() };
    Warning::ALL
        .iter()
        .map(|&warning| (warning, end - warning.lead()))
        .filter(|&(warning, at)| at - from >= warning.lead())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::tests::now;

    #[test]
    fn only_the_warnings_that_fit_are_given() {
        let kinds = |length: Duration| {
            warnings(now(), End::At(now() + length))
                .into_iter()
                .map(|(kind, _)| kind)
                .collect::<Vec<_>>()
        };
        assert_eq!(kinds(Duration::minutes(90)), vec![]);
        assert_eq!(kinds(Duration::hours(8)), vec![Warning::Hour]);
        assert_eq!(kinds(Duration::days(5)), vec![Warning::Day, Warning::Hour]);
        assert_eq!(
            kinds(Duration::days(30)),
            vec![Warning::Week, Warning::Day, Warning::Hour]
        );
        assert!(warnings(now(), End::Permanent).is_empty());
    }
}
