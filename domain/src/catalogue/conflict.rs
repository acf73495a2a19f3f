//! Separation-of-duties rules as the files say them, and how two editions of one differ. Removing or weakening one needs a
//! second person: what it kept apart may then come together.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Content, Right, difference::Fields};
use crate::{PersonId, conflict::Severity};

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conflict {
    /// What it is called.
    pub name: String,
    /// Why one person must not hold both, in plain words.
    pub explain: String,
    /// How bad it is.
    pub severity: Severity,
    /// Its business owner: they accept what is tolerated, and see to the rest.
    pub owner: PersonId,
    /// One side.
    pub left: Names,
    /// The other.
    pub right: Names,
}

/// One side of a rule, by the keys that the file names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// Packages: any of their rights.
    pub packages: BTreeSet<String>,
    /// Rights.
    pub entitlements: BTreeSet<String>,
}

impl Names {
    fn words(&self) -> String {
        let said = self.packages.iter().chain(&self.entitlements);
        said.map(String::as_str).collect::<Vec<_>>().join(", ")
    }

    fn holds(&self, other: &Self) -> bool {
        self.packages.is_superset(&other.packages)
            && self.entitlements.is_superset(&other.entitlements)
    }
}

impl Content {
    /// The rights of both sides of a rule, without those that would be on both: they say nothing about either.
    pub fn sides(&self, conflict: &Conflict) -> (BTreeSet<Right>, BTreeSet<Right>) {
        let of = |names: &Names| -> BTreeSet<Right> {
            let packages = names
                .packages
                .iter()
                .filter_map(|key| self.packages.get(key));
            let mut rights: BTreeSet<Right> =
                packages.flat_map(|package| self.rights(package)).collect();
            rights.extend(
                names
                    .entitlements
                    .iter()
                    .filter_map(|key| self.entitlements.get(key))
                    .map(|one| one.right.clone()),
            );
            rights
        };
        let (left, right) = (of(&conflict.left), of(&conflict.right));
        (
            left.difference(&right).cloned().collect(),
            right.difference(&left).cloned().collect(),
        )
    }
}

/// What differs in a rule, field by field; `called` gives the name of its owner.
pub(super) fn fields(
    old: Option<&Conflict>,
    new: Option<&Conflict>,
    called: impl Fn(PersonId) -> String,
) -> Fields {
    let mut fields = Fields::default();
    let mut add = |field: &str, of: &dyn Fn(&Conflict) -> String| {
        fields.add(field, old.map(of), new.map(of));
    };
    add("name", &|c| c.name.clone());
    add("explain", &|c| c.explain.clone());
    add("severity", &|c| c.severity.to_string());
    add("owner", &|c| called(c.owner));
    add("left", &|c| c.left.words());
    add("right", &|c| c.right.words());
    fields
}

/// Why a change of a rule widens; empty if it does not.
pub(super) fn widens(old: Option<&Conflict>, new: Option<&Conflict>) -> Vec<String> {
    let mut why = Vec::new();
    match (old, new) {
        (Some(_), None) => why.push("what it kept apart may come together".to_owned()),
        (Some(old), Some(new)) => {
            if !new.left.holds(&old.left) || !new.right.holds(&old.right) {
                why.push("it keeps less apart".to_owned());
            }
            if new.severity < old.severity {
                why.push("a breach of it counts less".to_owned());
            }
            if new.owner != old.owner {
                why.push("somebody else accepts exceptions from it".to_owned());
            }
        }
        (None, _) => {}
    }
    why
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn names(packages: &[&str], entitlements: &[&str]) -> Names {
        Names {
            packages: packages.iter().map(ToString::to_string).collect(),
            entitlements: entitlements.iter().map(ToString::to_string).collect(),
        }
    }

    fn rule() -> Conflict {
        Conflict {
            name: "Prepare and approve".into(),
            explain: "Nobody releases what they prepared.".into(),
            severity: Severity::High,
            owner: PersonId(Uuid::from_u128(1)),
            left: names(&["prepare"], &["pay"]),
            right: names(&["approve"], &[]),
        }
    }

    #[test]
    fn taking_a_rule_away_or_weakening_it_widens_and_the_rest_does_not() {
        let old = rule();
        let weaker = |change: fn(&mut Conflict)| {
            let mut new = rule();
            change(&mut new);
            !widens(Some(&old), Some(&new)).is_empty()
        };
        assert!(!widens(Some(&old), None).is_empty());
        assert!(widens(None, Some(&old)).is_empty());
        assert!(weaker(|c| c.left.entitlements.clear()));
        assert!(weaker(|c| c.right = names(&["other"], &[])));
        assert!(weaker(|c| c.severity = Severity::Low));
        assert!(weaker(|c| c.owner = PersonId(Uuid::from_u128(2))));
        assert!(!weaker(|c| c.severity = Severity::Critical));
        assert!(!weaker(|c| {
            c.right.packages.insert("more".into());
        }));
        assert!(!weaker(|c| c.explain = "In other words.".into()));
    }
}
