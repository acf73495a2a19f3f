//! An exception: a breach of one rule by one person that is tolerated for a time, because somebody watches over it.
//!
//! Whoever proposes it, the rule's business owner who accepts it, and the member of security who confirms it are three
//! people, none of them the person, none below them. The owner of the control attests each period; silence ends it.

use chrono::Duration;

use crate::{PersonId, Timestamp, approval::Candidate, words};

words! {
    /// Where an exception stands.
    pub enum ExceptionState {
        /// Waits for the rule's business owner.
        Proposed = "proposed",
        /// Waits for security.
        Accepted = "accepted",
        /// Tolerated now.
        Live = "live",
        /// Over, or never begun.
        Ended = "ended",
    }
}

words! {
    /// Why an exception ended.
    pub enum ExceptionEnd {
        /// The business owner or security said no, or it was taken back.
        Refused = "refused",
        /// Its time was up.
        Expired = "expired",
        /// Somebody ended it early.
        Revoked = "revoked",
        /// The owner of the control did not attest.
        MissedAttestation = "missed_attestation",
        /// Another one took its place.
        Renewed = "renewed",
        /// The person left.
        PersonLeft = "person_left",
    }
}

impl ExceptionEnd {
    /// Whether the side that the exception names falls with it.
    pub const fn takes_access(self) -> bool {
        matches!(
            self,
            Self::Expired | Self::Revoked | Self::MissedAttestation | Self::PersonLeft
        )
    }
}

words! {
    /// Why somebody may not take part in an exception.
    pub enum ExceptionBar {
        /// It is about them.
        Person = "person",
        /// They report, at some depth, to the person.
        Subordinate = "subordinate",
        /// They proposed it.
        Proposer = "proposer",
        /// They accepted it.
        Acceptor = "acceptor",
        /// They no longer work here.
        Inactive = "inactive",
        /// They run the portal.
        RunsPortal = "runs_portal",
    }
}

/// The longest that an exception lives.
pub const LONGEST: Duration = Duration::days(180);
/// How long after a missed attestation it ends.
pub const GRACE: Duration = Duration::days(7);
/// The warnings before its end, in days.
pub const WARNINGS: [i64; 2] = [14, 3];
/// The periods that a control may be attested in, in days.
pub const CADENCES: [i64; 3] = [7, 14, 30];

/// Who has had a part in an exception so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parties {
    /// Whom it is about.
    pub person: PersonId,
    /// Who proposed it.
    pub proposer: PersonId,
    /// Who accepted it, if somebody did.
    pub acceptor: Option<PersonId>,
}

/// Why `candidate` may neither accept nor confirm, if so.
pub fn bar(candidate: &Candidate, parties: &Parties) -> Option<ExceptionBar> {
    if !candidate.active {
        Some(ExceptionBar::Inactive)
    } else if candidate.person == parties.person {
        Some(ExceptionBar::Person)
    } else if candidate.runs_portal {
        Some(ExceptionBar::RunsPortal)
    } else if candidate.person == parties.proposer {
        Some(ExceptionBar::Proposer)
    } else if Some(candidate.person) == parties.acceptor {
        Some(ExceptionBar::Acceptor)
    } else if candidate.above.contains(&parties.person) {
        Some(ExceptionBar::Subordinate)
    } else {
        None
    }
}

/// Who accepts: the business owner, or, if they may not, the nearest above them who may. `chain` begins with the owner.
pub fn acceptor(chain: &[Candidate], parties: &Parties) -> Option<PersonId> {
    chain
        .iter()
        .find(|candidate| bar(candidate, parties).is_none())
        .map(|candidate| candidate.person)
}

/// When the next attestation is due, one period after `from`; at the end there is nothing left to attest.
pub fn next_attestation(from: Timestamp, cadence_seconds: i64, end: Timestamp) -> Timestamp {
    crate::grant::plus(from, cadence_seconds).min(end)
}

/// What a missed attestation leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    /// It is not due yet: look again then.
    NotYet(Timestamp),
    /// Say so, and look again when the grace is over.
    Escalate(Timestamp),
    /// The grace is over.
    End,
}

/// Where an exception stands whose attestation was due at `due` and whose miss was told at `told`.
pub fn missed(due: Timestamp, told: Option<Timestamp>, now: Timestamp) -> Missed {
    match told {
        _ if now < due => Missed::NotYet(due),
        None => Missed::Escalate(now + GRACE),
        Some(told) if now < told + GRACE => Missed::NotYet(told + GRACE),
        Some(_) => Missed::End,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::request::tests::now;

    fn id(n: u128) -> PersonId {
        PersonId(Uuid::from_u128(n))
    }

    fn candidate(n: u128, above: &[u128]) -> Candidate {
        Candidate {
            person: id(n),
            active: true,
            runs_portal: false,
            above: above.iter().map(|n| id(*n)).collect(),
        }
    }

    #[test]
    fn an_owner_who_may_not_is_replaced_by_the_nearest_above_who_may() {
        let parties = Parties {
            person: id(1),
            proposer: id(2),
            acceptor: None,
        };
        let chain = [candidate(2, &[1, 3]), candidate(1, &[3]), candidate(3, &[])];
        assert_eq!(acceptor(&chain, &parties), Some(id(3)));
        assert_eq!(
            bar(&candidate(9, &[8, 1]), &parties),
            Some(ExceptionBar::Subordinate)
        );
    }

    #[test]
    fn a_miss_is_told_once_and_ends_it_after_the_grace() {
        let due = now();
        assert_eq!(
            missed(due, None, due - Duration::hours(1)),
            Missed::NotYet(due)
        );
        assert_eq!(missed(due, None, due), Missed::Escalate(due + GRACE));
        let told = due + Duration::hours(2);
        assert_eq!(
            missed(due, Some(told), due + Duration::days(6)),
            Missed::NotYet(told + GRACE)
        );
        assert_eq!(missed(due, Some(told), told + GRACE), Missed::End);
    }

    proptest! {
        /// Whoever may accept and whoever may then confirm are two, neither the person, the proposer, nor below the person.
        #[test]
        fn three_hands(person in 1_u128..6, proposer in 1_u128..6, chain in proptest::collection::vec((1_u128..6, proptest::collection::vec(1_u128..6, 0..3)), 1..5)) {
            let candidates: Vec<Candidate> = chain.iter().map(|(n, above)| candidate(*n, above)).collect();
            let parties = Parties { person: id(person), proposer: id(proposer), acceptor: None };
            if let Some(first) = acceptor(&candidates, &parties) {
                prop_assert!(first != id(person) && first != id(proposer));
                let then = Parties { acceptor: Some(first), ..parties };
                for second in candidates.iter().filter(|one| bar(one, &then).is_none()) {
                    prop_assert!(second.person != first && second.person != id(person) && second.person != id(proposer));
                    prop_assert!(!second.above.contains(&id(person)));
                }
            }
        }
    }
}
