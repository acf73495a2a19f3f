//! A finding: something that stands and that somebody must look at, with an owner and a due date.

use chrono::Duration;

use crate::{Timestamp, conflict::Severity, words};

words! {
    /// What was found.
    pub enum FindingKind {
        /// One person holds both sides of a rule.
        Conflict = "conflict",
        /// A right that nobody approved here: it was found at the target.
        Import = "import",
        /// A right of an account that nobody uses any more.
        Orphan = "orphan",
        /// A privileged right without an end.
        StandingPrivilege = "standing_privilege",
        /// Portal roles that are never effective together, or one that was given outside Latchkey.
        RoleChange = "role_change",
        /// Break-glass was used: somebody else says afterwards whether rightly.
        BreakGlass = "break_glass",
        /// A right that somebody gave at the target, and that no grant explains.
        OutOfBand = "out_of_band",
        /// A right that a grant wants was taken away at the target, and is not put back by itself.
        Vanished = "vanished",
    }
}

words! {
    /// Where a finding stands.
    pub enum FindingState {
        /// Nobody has done anything about it yet.
        Open = "open",
        /// Its owner says that it is being removed.
        BeingRemoved = "being_removed",
        /// An exception covers it.
        Excepted = "excepted",
        /// It no longer stands.
        Closed = "closed",
    }
}

/// How long somebody is administrator by configuration before it is a finding: while a house is set up nobody could
/// approve the first administrator.
pub const BOOTSTRAPPING: Duration = Duration::days(30);

/// When a finding is due that was opened at `opened`.
pub fn due(kind: FindingKind, severity: Option<Severity>, opened: Timestamp) -> Timestamp {
    let days =
        match (kind, severity) {
            (_, Some(Severity::Critical))
            | (FindingKind::RoleChange | FindingKind::Vanished, None) => 7,
            (_, Some(Severity::High))
            | (FindingKind::Orphan | FindingKind::Conflict | FindingKind::OutOfBand, None) => 14,
            (_, Some(Severity::Low))
            | (FindingKind::Import | FindingKind::StandingPrivilege, None) => 30,
            // In working days it is less; this is what holds where no calendar is at hand.
            (FindingKind::BreakGlass, None) => 2,
        };
    opened + Duration::days(days)
}

/// What becomes of a finding that stands as `state`, now that one looks again.
pub fn seen_again(state: FindingState, covered: bool) -> FindingState {
    match (state, covered) {
        (FindingState::Closed, _) => FindingState::Closed,
        (_, true) => FindingState::Excepted,
        (FindingState::Excepted, false) => FindingState::Open,
        (state, false) => state,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::tests::now;

    #[test]
    fn what_is_worse_is_due_sooner() {
        let due = |severity| due(FindingKind::Conflict, Some(severity), now());
        assert!(due(Severity::Critical) < due(Severity::High));
        assert!(due(Severity::High) < due(Severity::Low));
    }

    #[test]
    fn an_exception_covers_while_it_lives_and_no_longer() {
        assert_eq!(seen_again(FindingState::Open, true), FindingState::Excepted);
        assert_eq!(
            seen_again(FindingState::Excepted, false),
            FindingState::Open
        );
        assert_eq!(
            seen_again(FindingState::BeingRemoved, false),
            FindingState::BeingRemoved
        );
        assert_eq!(seen_again(FindingState::Closed, true), FindingState::Closed);
    }
}
