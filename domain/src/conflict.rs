//! Separation of duties: what one person must not hold together, over all accounts and all ways of holding.
//!
//! A rule has two sides of rights. A package on a side stands for any of its rights; a right that would be on both sides
//! says nothing about either and is left out of both. Where a right comes from does not count: a request, a role, an import.

use std::collections::{BTreeMap, BTreeSet};

use crate::{ConflictId, EntitlementId, words};

words! {
    /// How bad it is that one person holds both sides.
    pub enum Severity {
        /// Worth knowing.
        Low = "low",
        /// Somebody could do harm unseen.
        High = "high",
        /// Somebody could do great harm unseen.
        Critical = "critical",
    }
}

words! {
    /// One of the two sides of a rule.
    pub enum Side {
        /// The first that the file names.
        Left = "left",
        /// The second.
        Right = "right",
    }
}

impl Side {
    /// The side across.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

/// One rule, with the rights of each side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Which.
    pub id: ConflictId,
    /// The side of each right that it speaks of. A right is on one side at most.
    pub sides: BTreeMap<EntitlementId, Side>,
}

/// A rule that is broken, or would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// The rule.
    pub rule: ConflictId,
    /// What is held, or would be, of each side.
    pub left: BTreeSet<EntitlementId>,
    /// See `left`.
    pub right: BTreeSet<EntitlementId>,
    /// Whether it is broken without what would be added.
    pub stands: bool,
}

impl Breach {
    /// The rights of one side.
    pub const fn side(&self, side: Side) -> &BTreeSet<EntitlementId> {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        }
    }

    /// How it could be resolved: giving up the side with fewer rights takes least away. Of equals the right one, which
    /// rules name second because it is the rarer power.
    pub fn cheapest(&self) -> Side {
        if self.left.len() < self.right.len() {
            Side::Left
        } else {
            Side::Right
        }
    }
}

/// The rules that somebody breaks who holds `held` and would get `added` as well: those that `added` has a part in, or, if
/// nothing is added, all that stand.
pub fn breaches(
    rules: &[Rule],
    held: &BTreeSet<EntitlementId>,
    added: &BTreeSet<EntitlementId>,
) -> Vec<Breach> {
    let mut found = Vec::new();
    for rule in rules {
        let of = |rights: &BTreeSet<EntitlementId>, side: Side| -> BTreeSet<EntitlementId> {
            rights
                .iter()
                .filter(|right| rule.sides.get(right) == Some(&side))
                .copied()
                .collect()
        };
        let held_on = |side| of(held, side);
        let stands = !held_on(Side::Left).is_empty() && !held_on(Side::Right).is_empty();
        let has_part = added.iter().any(|right| rule.sides.contains_key(right));
        if !added.is_empty() && !has_part {
            continue;
        }
        let all: BTreeSet<EntitlementId> = held.union(added).copied().collect();
        let (left, right) = (of(&all, Side::Left), of(&all, Side::Right));
        if !left.is_empty() && !right.is_empty() {
            found.push(Breach {
                rule: rule.id,
                left,
                right,
                stands,
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn right(n: u128) -> EntitlementId {
        EntitlementId(Uuid::from_u128(n))
    }

    fn rights(list: &[u128]) -> BTreeSet<EntitlementId> {
        list.iter().map(|n| right(*n)).collect()
    }

    fn rule(left: &[u128], other: &[u128]) -> Rule {
        let mut sides: BTreeMap<_, _> = left.iter().map(|n| (right(*n), Side::Left)).collect();
        sides.extend(other.iter().map(|n| (right(*n), Side::Right)));
        Rule {
            id: ConflictId(Uuid::from_u128(99)),
            sides,
        }
    }

    #[test]
    fn both_sides_together_break_it_and_one_alone_does_not() {
        let rules = [rule(&[1, 2], &[3])];
        assert!(breaches(&rules, &rights(&[1, 2]), &rights(&[])).is_empty());
        let found = breaches(&rules, &rights(&[2]), &rights(&[3]));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].left, rights(&[2]));
        assert_eq!(found[0].right, rights(&[3]));
        assert!(!found[0].stands);
        assert!(breaches(&rules, &rights(&[1, 3]), &rights(&[]))[0].stands);
    }

    #[test]
    fn what_is_added_without_a_part_in_it_is_not_blamed() {
        let rules = [rule(&[1], &[2])];
        assert!(breaches(&rules, &rights(&[1, 2]), &rights(&[7])).is_empty());
        let more = breaches(&rules, &rights(&[1, 2]), &rights(&[2]));
        assert!(more[0].stands);
    }

    fn some() -> impl Strategy<Value = BTreeSet<u128>> {
        proptest::collection::btree_set(1_u128..9, 0..5)
    }

    proptest! {
        /// Asking in two steps, in either order, is never less broken than asking at once: the last step sees it.
        #[test]
        fn the_order_of_asking_hides_nothing(left in some(), other in some(), one in some(), two in some()) {
            let other: BTreeSet<u128> = other.difference(&left).copied().collect();
            let listed = |set: &BTreeSet<u128>| set.iter().copied().collect::<Vec<_>>();
            let rules = [rule(&listed(&left), &listed(&other))];
            let (one, two) = (rights(&listed(&one)), rights(&listed(&two)));
            let both: BTreeSet<_> = one.union(&two).copied().collect();
            let whole = breaches(&rules, &BTreeSet::new(), &both);
            let none = BTreeSet::new();
            for (first, last) in [(&one, &two), (&two, &one)] {
                let before = breaches(&rules, first, &none);
                let after = breaches(&rules, first, last);
                prop_assert_eq!(!whole.is_empty(), !before.is_empty() || !after.is_empty());
            }
        }

        /// Giving up the proposed side resolves it.
        #[test]
        fn the_proposal_resolves_it(held in some()) {
            let rules = [rule(&[1, 2, 3], &[4, 5, 6])];
            let held: BTreeSet<_> = held.iter().map(|n| right(*n)).collect();
            for breach in breaches(&rules, &held, &BTreeSet::new()) {
                let left: BTreeSet<_> = held.difference(breach.side(breach.cheapest())).copied().collect();
                prop_assert!(breaches(&rules, &left, &BTreeSet::new()).is_empty());
            }
        }
    }
}
