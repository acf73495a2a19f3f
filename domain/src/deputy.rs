//! Standing in for somebody who is away: for how long, for what, and who may say so.

use chrono::Duration;

use crate::{
    ApplicationId, PersonId, Refusal, Timestamp, approval::Via, person::Person,
    policy::ApproverRule,
};

/// The longest that somebody may be stood in for at a stretch.
pub const LONGEST_DAYS: i64 = 60;

/// How far ahead it may begin.
pub const FURTHEST_DAYS: i64 = 366;

/// What a deputy stands in for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything that the other would decide.
    Everything,
    /// What is asked for of one application.
    Application(ApplicationId),
    /// What the other would decide by one rule: as manager, say, and not as named approver.
    Rule(ApproverRule),
}

impl Scope {
    /// Its columns: the application, and the rule.
    pub fn columns(self) -> (Option<ApplicationId>, Option<ApproverRule>) {
        match self {
            Self::Everything => (None, None),
            Self::Application(application) => (Some(application), None),
            Self::Rule(rule) => (None, Some(rule)),
        }
    }
}

/// A deputyship that somebody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// From.
    pub from: Timestamp,
    /// Until.
    pub until: Timestamp,
    /// What for.
    pub scope: Scope,
}

/// Whether `by` may say who stands in for `person`, or end it: they themselves, or their manager.
pub fn may_arrange(by: PersonId, person: &Person) -> bool {
    by == person.id || person.manager == Some(by)
}

/// Everything that is wrong with a wanted deputyship, at once.
pub fn faults(
    wanted: Wanted,
    person: &Person,
    deputy: Option<&Person>,
    now: Timestamp,
) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    match deputy {
        Some(deputy) if deputy.id == person.id => refusals.push(Refusal::OwnDeputy),
        Some(deputy) if deputy.works_at(now) => {}
        Some(_) | None => refusals.push(Refusal::NoDeputy),
    }
    let latest = now + Duration::days(FURTHEST_DAYS);
    if wanted.from > latest {
        refusals.push(Refusal::BadStart { latest });
    }
    if wanted.until <= wanted.from || wanted.until <= now {
        refusals.push(Refusal::EndBeforeStart);
    } else if wanted.until - wanted.from > Duration::days(LONGEST_DAYS) {
        refusals.push(Refusal::DeputyTooLong {
            most_days: LONGEST_DAYS,
        });
    }
    if let Scope::Rule(rule) = wanted.scope
        && !Via::by(rule).by_deputy()
    {
        refusals.push(Refusal::NoDeputy);
    }
    refusals
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::request::tests::{now, person};

    fn wanted(from: i64, hours: i64) -> Wanted {
        let from = now() + Duration::hours(from);
        Wanted {
            from,
            until: from + Duration::hours(hours),
            scope: Scope::Everything,
        }
    }

    fn other() -> Person {
        Person {
            id: PersonId(Uuid::from_u128(77)),
            ..person("Finance")
        }
    }

    #[test]
    fn only_they_or_their_manager_may_say_who_stands_in() {
        let manager = PersonId(Uuid::from_u128(78));
        let someone = Person {
            manager: Some(manager),
            ..person("Finance")
        };
        assert!(may_arrange(someone.id, &someone));
        assert!(may_arrange(manager, &someone));
        assert!(!may_arrange(other().id, &someone));
    }

    #[test]
    fn a_deputy_is_somebody_else_who_works_here() {
        let (one, other) = (person("Finance"), other());
        assert_eq!(faults(wanted(0, 8), &one, Some(&other), now()), vec![]);
        assert_eq!(
            faults(wanted(0, 8), &one, Some(&one), now()),
            vec![Refusal::OwnDeputy]
        );
        assert_eq!(
            faults(wanted(0, 8), &one, None, now()),
            vec![Refusal::NoDeputy]
        );
        let gone = Person {
            last_day_at: Some(now()),
            ..other
        };
        assert_eq!(
            faults(wanted(0, 8), &one, Some(&gone), now()),
            vec![Refusal::NoDeputy]
        );
    }

    proptest! {
        /// What is let through lies ahead, is at most sixty days long, and never ends before it begins.
        #[test]
        fn what_is_let_through_is_within_the_limits(from in -3000_i64..12_000, hours in -100_i64..2000) {
            let wanted = wanted(from, hours);
            let sound = wanted.until > wanted.from
                && wanted.until > now()
                && wanted.until - wanted.from <= Duration::days(60)
                && wanted.from <= now() + Duration::days(366);
            let (one, other) = (person("Finance"), other());
            prop_assert_eq!(faults(wanted, &one, Some(&other), now()).is_empty(), sound);
        }
    }
}
