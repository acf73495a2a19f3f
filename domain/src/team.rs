//! What somebody may learn of what others of their team hold, to ask for the same.

use crate::{PersonId, person::Person};

/// So many of a team hold what is called usual in it, at least: a smaller number would tell what a certain colleague has.
pub const FEWEST: i64 = 3;

/// Whether something is usual in a team of `team` people, of whom `holders` hold it: at least three, and at least half.
pub const fn usual(holders: i64, team: i64) -> bool {
    holders >= FEWEST && holders * 2 >= team
}

/// Whether `asker` may be proposed for `whom` what `colleague` holds: for themselves of somebody who has the same manager or
/// is below them; for somebody below them of somebody else below them. Whoever is above both is `above_whom` and
/// `above_colleague`.
///
/// What is proposed is then neither privileged nor under a control regime, and something that may be asked for anyway.
pub fn alike(
    asker: PersonId,
    whom: &Person,
    colleague: &Person,
    above_whom: bool,
    above_colleague: bool,
) -> bool {
    if colleague.id == whom.id || colleague.id == asker {
        return false;
    }
    if asker == whom.id {
        above_colleague || (whom.manager.is_some() && whom.manager == colleague.manager)
    } else {
        above_whom && above_colleague
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn id(n: u128) -> PersonId {
        PersonId(Uuid::from_u128(n))
    }

    fn person(n: u128, manager: Option<u128>) -> Person {
        Person {
            id: id(n),
            manager: manager.map(id),
            ..crate::request::tests::person("Orders")
        }
    }

    #[test]
    fn usual_is_three_and_half() {
        for (holders, team, is) in [
            (2, 2, false),
            (2, 3, false),
            (3, 3, true),
            (3, 6, true),
            (3, 7, false),
            (4, 7, true),
            (50, 101, false),
        ] {
            assert_eq!(usual(holders, team), is, "{holders} of {team}");
        }
    }

    #[test]
    fn one_looks_beside_oneself_and_below_never_above_or_elsewhere() {
        let (me, peer, other) = (person(1, Some(9)), person(2, Some(9)), person(3, Some(8)));
        let asker = me.id;
        assert!(alike(asker, &me, &peer, false, false));
        assert!(!alike(asker, &me, &other, false, false));
        assert!(!alike(asker, &me, &me, false, false));
        assert!(
            !alike(asker, &me, &person(9, None), false, false),
            "their manager"
        );
        // Without a manager one has no team: two heads of houses are no colleagues by that.
        assert!(!alike(
            id(4),
            &person(4, None),
            &person(5, None),
            false,
            false
        ));
        // Whoever leads somebody sees what they hold anyway.
        assert!(alike(id(9), &person(9, None), &peer, false, true));
        // For others only who is above both.
        assert!(alike(id(9), &me, &peer, true, true));
        assert!(!alike(id(2), &me, &person(3, Some(9)), false, false));
        assert!(!alike(id(9), &me, &other, true, false));
        assert!(
            !alike(id(9), &me, &person(9, None), true, false),
            "like themselves"
        );
    }
}
