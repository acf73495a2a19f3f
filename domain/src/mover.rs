//! A move: another manager, department or employment. What was asked for under the old place is tested again; what is no
//! longer fitting ends after a grace, or at once.

use chrono::Duration;

use crate::{Timestamp, grant::End, person::Person, policy::Attribute};

/// The longest grace there is, in days.
pub const LONGEST_GRACE_DAYS: u32 = 30;

/// What of a person's place is different.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Move {
    /// Another manager.
    pub manager: bool,
    /// Another department.
    pub department: bool,
    /// Another kind of employment.
    pub employment: bool,
    /// Something else that eligibility may look at: country, office, company, job title, member or guest.
    pub other: bool,
}

impl Move {
    /// Compares a person with what they become.
    pub fn between(before: &Person, after: &Person) -> Self {
        let differs = |attribute: Attribute| attribute.of(before) != attribute.of(after);
        Self {
            // A first manager is none that was left: whoever was just hired did not move.
            manager: before.manager.is_some() && before.manager != after.manager,
            department: differs(Attribute::Department),
            employment: differs(Attribute::EmployeeType),
            other: Attribute::ALL.iter().any(|&attribute| {
                !matches!(attribute, Attribute::Department | Attribute::EmployeeType)
                    && differs(attribute)
            }),
        }
    }

    /// Whether it is a move as people understand it.
    pub const fn is_move(self) -> bool {
        self.manager || self.department || self.employment
    }

    /// Whether what is held must be tested again.
    pub const fn tests_again(self) -> bool {
        self.is_move() || self.other
    }
}

/// What becomes of a requested grant after a move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It stays as it is.
    Stays,
    /// It ends at this instant, for these reasons in the policy's words. Now or before means at once.
    Ends(Timestamp, Vec<String>),
}

/// The fate of a grant over `[from, end)` whose policy no longer means its holder, `because` of this; none: it still does. A privileged right has no grace. An end is
/// never moved later.
pub fn fate(
    because: Vec<String>,
    (from, end): (Timestamp, End),
    privileged: bool,
    grace_days: u32,
    now: Timestamp,
) -> Fate {
    if because.is_empty() {
        return Fate::Stays;
    }
    let grace = Duration::days(i64::from(grace_days.min(LONGEST_GRACE_DAYS)));
    let at = if privileged {
        now
    } else {
        // What would begin later ends as it begins.
        now.checked_add_signed(grace)
            .unwrap_or(Timestamp::MAX_UTC)
            .max(from)
    };
    match end {
        End::At(end) if end <= at => Fate::Stays,
        End::At(_) | End::Permanent => Fate::Ends(at, because),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::request::tests::{now, person};

    #[test]
    fn a_move_is_seen_by_what_differs() {
        let before = person("Orders");
        let named = |change: fn(&mut Person)| {
            let mut after = before.clone();
            change(&mut after);
            Move::between(&before, &after)
        };
        assert!(!named(|_| ()).tests_again());
        assert!(!named(|after| after.name = "Jo Nyberg".into()).tests_again());
        assert!(named(|after| after.department = "Sales".into()).is_move());
        assert!(named(|after| after.employee_type = "contractor".into()).is_move());
        let office = named(|after| after.office = "Malmö".into());
        assert!(office.tests_again() && !office.is_move());
    }

    #[test]
    fn grace_is_for_what_is_not_privileged_and_never_lengthens() {
        let held = (now() - Duration::days(3), End::Permanent);
        let fate =
            |held, privileged| fate(vec!["only for Orders".into()], held, privileged, 14, now());
        let because = vec!["only for Orders".to_owned()];
        assert_eq!(
            fate(held, false),
            Fate::Ends(now() + Duration::days(14), because.clone())
        );
        assert_eq!(fate(held, true), Fate::Ends(now(), because));
        assert_eq!(
            fate((held.0, End::At(now() + Duration::days(2))), false),
            Fate::Stays
        );
    }

    proptest! {
        /// Whatever the numbers: the end only comes earlier, at most 30 days from now (or as it begins), and only for whom the
        /// policy no longer means.
        #[test]
        fn a_move_only_ever_shortens(from in -400_i64..400, length in proptest::option::of(1_i64..800), privileged in any::<bool>(), grace in 0_u32..400, fits in any::<bool>()) {
            let from = now() + Duration::days(from);
            let end = length.map_or(End::Permanent, |days| End::At(from + Duration::days(days)));
            let because = if fits { vec![] } else { vec!["only for Orders".to_owned()] };
            match fate(because, (from, end), privileged, grace, now()) {
                Fate::Stays => prop_assert!(fits || end.passed((now() + Duration::days(30)).max(from))),
                Fate::Ends(at, because) => {
                    prop_assert!(!fits && !because.is_empty());
                    prop_assert!(!end.passed(at));
                    prop_assert!(at <= (now() + Duration::days(30)).max(from));
                    if privileged { prop_assert!(at <= now()); }
                }
            }
        }
    }
}
