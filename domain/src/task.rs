//! What people do by hand at a target that no program reaches: who does it, and what their word is worth.

use std::collections::BTreeSet;

use crate::{PersonId, assignment::Observed, words};

words! {
    /// What has to be done.
    pub enum TaskCall {
        /// Give it.
        Add = "add",
        /// Take it away.
        Remove = "remove",
    }
}

words! {
    /// Where a task stands.
    pub enum TaskState {
        /// It waits for somebody.
        Open = "open",
        /// Somebody said that it cannot be done; it can still be done later.
        Cannot = "cannot",
        /// Somebody said that they did it.
        Done = "done",
        /// Nobody needs it any more.
        Dropped = "dropped",
    }
}

impl TaskState {
    /// Whether it still asks for something to be done.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Open | Self::Cannot)
    }
}

/// Who does it: the right's owner, else the owners of the packages that hold it, else the operators. Never the one whose
/// access it is: nobody confirms their own.
///
/// Each list is of people who work here; the first that is not empty without the beneficiary counts.
pub fn doers(
    beneficiary: PersonId,
    right_owner: Option<PersonId>,
    package_owners: &[PersonId],
    operators: &[PersonId],
) -> BTreeSet<PersonId> {
    let owner: Vec<PersonId> = right_owner.into_iter().collect();
    [&owner[..], package_owners, operators]
        .into_iter()
        .map(|people| {
            people
                .iter()
                .copied()
                .filter(|person| *person != beneficiary)
                .collect::<BTreeSet<_>>()
        })
        .find(|people| !people.is_empty())
        .unwrap_or_default()
}

/// What is believed to be at the target: the newest word, but what waits to be taken away is there until somebody says that it
/// is gone, and what waits to be given is not there yet. Without any word nothing is there.
pub const fn believed(live: Option<TaskCall>, said: Option<bool>) -> Observed {
    match (live, said) {
        (Some(TaskCall::Remove), _) | (None, Some(true)) => Observed::Present,
        (Some(TaskCall::Add), _) | (None, Some(false) | None) => Observed::Absent,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn person(n: u8) -> PersonId {
        PersonId(Uuid::from_u128(u128::from(n)))
    }

    #[test]
    fn the_rights_owner_does_it_unless_it_is_their_own() {
        let [owner, other, operator] = [1, 2, 3].map(person);
        assert_eq!(
            doers(other, Some(owner), &[other], &[operator]),
            [owner].into()
        );
        assert_eq!(
            doers(owner, Some(owner), &[owner, other], &[operator]),
            [other].into()
        );
        assert_eq!(
            doers(owner, Some(owner), &[owner], &[operator]),
            [operator].into()
        );
        assert!(doers(owner, Some(owner), &[], &[owner]).is_empty());
    }

    #[test]
    fn what_waits_to_be_taken_away_is_there_whatever_was_said_before() {
        for said in [None, Some(false), Some(true)] {
            assert_eq!(believed(Some(TaskCall::Remove), said), Observed::Present);
            assert_eq!(believed(Some(TaskCall::Add), said), Observed::Absent);
        }
        assert_eq!(believed(None, Some(true)), Observed::Present);
        assert_eq!(believed(None, None), Observed::Absent);
    }

    proptest! {
        /// Whoever is named and however: nobody does what is for themselves.
        #[test]
        fn nobody_does_it_for_themselves(me in 0_u8..4, owner in proptest::option::of(0_u8..4), packages in proptest::collection::vec(0_u8..4, 0..4), operators in proptest::collection::vec(0_u8..4, 0..4)) {
            let people = |numbers: &[u8]| numbers.iter().copied().map(person).collect::<Vec<_>>();
            let found = doers(person(me), owner.map(person), &people(&packages), &people(&operators));
            prop_assert!(!found.contains(&person(me)));
            let anybody = owner.iter().chain(&packages).chain(&operators).any(|one| *one != me);
            prop_assert_eq!(found.is_empty(), !anybody);
        }
    }
}
