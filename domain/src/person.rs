//! People, their accounts, and the portal roles that they hold.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{AccountId, PersonId, Timestamp, words};

words! {
    /// What an account is used for.
    pub enum AccountKind {
        /// The everyday identity.
        Normal = "normal",
        /// A second identity kept for privileged work.
        Admin = "admin",
        /// An identity homed in another organisation.
        Guest = "guest",
        /// Known from the directory only; never signed in.
        Directory = "directory",
    }
}

words! {
    /// Whether a person works here.
    pub enum PersonState {
        /// Works here.
        Active = "active",
        /// Has left; holds nothing and decides nothing.
        Left = "left",
    }
}

words! {
    /// The portal's own powers: rights of the catalogue, or app roles of the directory.
    pub enum PortalRole {
        /// Configures the portal and confirms catalogue versions; decides nothing.
        Administrator = "administrator",
        /// Sits in security stages, handles exceptions and certifications.
        Security = "security",
        /// Reads everything, changes nothing.
        Auditor = "auditor",
        /// Drafts and confirms the catalogue.
        CatalogueOwner = "catalogue_owner",
        /// Mends broken provisioning work; decides nothing.
        Operator = "operator",
        /// Handles joiners, movers and leavers.
        Hr = "hr",
    }
}

words! {
    /// Where a portal role comes from.
    pub enum RoleSource {
        /// The directory's app role assignments, refreshed at sign-in.
        Directory = "directory",
        /// The first administrator of the configuration.
        Configuration = "configuration",
        /// A grant that covers now.
        Grant = "grant",
    }
}

impl PortalRole {
    /// What people call the role.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Administrator => "Administrator",
            Self::Security => "Security",
            Self::Auditor => "Auditor",
            Self::CatalogueOwner => "Catalogue owner",
            Self::Operator => "Operator",
            Self::Hr => "HR",
        }
    }

    /// The `value` of the Entra app role that grants this portal role.
    pub const fn app_role(self) -> &'static str {
        match self {
            Self::Administrator => "Portal.Administrator",
            Self::Security => "Portal.Security",
            Self::Auditor => "Portal.Auditor",
            Self::CatalogueOwner => "Portal.CatalogueOwner",
            Self::Operator => "Portal.Operator",
            Self::Hr => "Portal.HR",
        }
    }

    /// The portal role that an Entra app role value grants, if it is one of ours.
    pub fn from_app_role(value: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|role| role.app_role() == value)
    }

    /// Whether the role runs the portal: its holders take no seat in any stage of approval.
    pub const fn runs_portal(self) -> bool {
        matches!(self, Self::Administrator | Self::Operator)
    }

    /// Whether the role may change anything besides the holder's own requests and access.
    pub const fn writes(self) -> bool {
        !matches!(self, Self::Auditor)
    }
}

/// The roles that count when somebody has been given `held`.
///
/// Administrator with security, operator with security, and auditor with any writing role are never effective
/// together (ISO 27001 A.5.3, separation of duties). Of an incompatible pair neither side is effective, so that nobody
/// gains by collecting; the second value lists the pairs, for a finding.
pub fn effective_roles(held: &[PortalRole]) -> (Vec<PortalRole>, Vec<(PortalRole, PortalRole)>) {
    let mut clashes = Vec::new();
    for (index, &one) in held.iter().enumerate() {
        for &other in &held[index + 1..] {
            if one != other && incompatible(one, other) {
                clashes.push((one.min(other), one.max(other)));
            }
        }
    }
    let mut effective: Vec<PortalRole> = held
        .iter()
        .copied()
        .filter(|role| !clashes.iter().any(|&(a, b)| a == *role || b == *role))
        .collect();
    effective.sort_unstable();
    effective.dedup();
    clashes.sort_unstable();
    clashes.dedup();
    (effective, clashes)
}

/// The first of the roles that somebody is to get that excludes one that they hold, or get beside it; with that one.
pub fn first_clash(gets: &[PortalRole], holds: &[PortalRole]) -> Option<(PortalRole, PortalRole)> {
    gets.iter().find_map(|&one| {
        let mut others = holds.iter().chain(gets);
        others
            .find(|other| incompatible(one, **other))
            .map(|&other| (one, other))
    })
}

/// Whether two roles are never effective together.
pub fn incompatible(one: PortalRole, other: PortalRole) -> bool {
    use PortalRole::{Administrator, Auditor, Operator, Security};
    matches!(
        (one, other),
        (Administrator | Operator, Security) | (Security, Administrator | Operator)
    ) || (one == Auditor && other.writes())
        || (other == Auditor && one.writes())
}

/// The immutable key of an Entra account: tenant and object id, never an e-mail or a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AccountKey {
    /// Entra tenant id (`tid`).
    pub tenant: Uuid,
    /// Entra object id (`oid`), equal to Graph's `user.id`.
    pub object: Uuid,
}

/// What rules need to know of a person. Labels (name, mail) are for people to read, never for deciding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Our id.
    pub id: PersonId,
    /// Name as shown.
    pub name: String,
    /// Works here or has left.
    pub state: PersonState,
    /// Department, as the directory says.
    pub department: String,
    /// Job title.
    pub job_title: String,
    /// Country, two letters (ISO 3166-1).
    pub country: String,
    /// Office.
    pub office: String,
    /// Company (legal entity).
    pub company: String,
    /// `employee`, `contractor`, … as the directory says; lower case.
    pub employee_type: String,
    /// Entra's `userType`: `member` or `guest`.
    pub user_type: String,
    /// Who they report to.
    pub manager: Option<PersonId>,
    /// End of the last working day; caps every grant.
    pub last_day_at: Option<Timestamp>,
    /// Whether the kill switch holds them back: they act nowhere and hold nothing until they may go on.
    #[serde(default)]
    pub suspended: bool,
}

impl Person {
    /// Whether the person may act or hold anything at `now`.
    pub fn works_at(&self, now: Timestamp) -> bool {
        !self.suspended
            && self.state == PersonState::Active
            && self.last_day_at.is_none_or(|last| now < last)
    }

    /// Whether the person is an employee; others have a sponsor as their default approver.
    pub fn is_employee(&self) -> bool {
        self.user_type != "guest"
            && (self.employee_type.is_empty() || self.employee_type == "employee")
    }
}

/// The account that a grant goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Our id.
    pub id: AccountId,
    /// Whose it is.
    pub person: PersonId,
    /// Tenant and object id.
    pub key: AccountKey,
    /// Whether the directory lets it sign in.
    pub enabled: bool,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_incompatible_pair_makes_neither_side_effective() {
        let (effective, clashes) = effective_roles(&[
            PortalRole::Security,
            PortalRole::Operator,
            PortalRole::CatalogueOwner,
        ]);
        assert_eq!(effective, vec![PortalRole::CatalogueOwner]);
        assert_eq!(clashes, vec![(PortalRole::Security, PortalRole::Operator)]);
    }

    #[test]
    fn an_auditor_who_may_write_is_neither() {
        for &role in PortalRole::ALL.iter().filter(|role| role.writes()) {
            let (effective, clashes) = effective_roles(&[PortalRole::Auditor, role]);
            assert!(effective.is_empty(), "auditor with {role}");
            assert_eq!(clashes.len(), 1);
        }
    }

    #[test]
    fn harmless_combinations_stay() {
        let (effective, clashes) =
            effective_roles(&[PortalRole::Administrator, PortalRole::CatalogueOwner]);
        assert_eq!(effective.len(), 2);
        assert!(clashes.is_empty());
    }

    fn roles() -> impl Strategy<Value = Vec<PortalRole>> {
        proptest::collection::vec(proptest::sample::select(PortalRole::ALL), 0..6)
    }

    proptest! {
        /// Whatever is held from however many sources: no pair that excludes itself is ever effective.
        #[test]
        fn no_pair_is_effective_together(held in roles()) {
            let (effective, _) = effective_roles(&held);
            for one in &effective {
                prop_assert!(held.contains(one));
                for other in &effective {
                    prop_assert!(!incompatible(*one, *other), "{one} with {other}");
                }
            }
        }

        /// A role that clashes with nothing may be added, and then all are effective that were; one that clashes may not.
        #[test]
        fn a_role_is_refused_exactly_when_it_would_cost_one(held in roles(), gets in roles()) {
            let (before, clashes) = effective_roles(&held);
            prop_assume!(clashes.is_empty());
            let mut both = held.clone();
            both.extend(&gets);
            let (after, made) = effective_roles(&both);
            prop_assert_eq!(first_clash(&gets, &held).is_some(), !made.is_empty());
            if made.is_empty() {
                prop_assert!(before.iter().all(|role| after.contains(role)));
            }
        }

        /// Which of two is named first makes no difference.
        #[test]
        fn exclusion_is_mutual(one in proptest::sample::select(PortalRole::ALL), other in proptest::sample::select(PortalRole::ALL)) {
            prop_assert_eq!(incompatible(one, other), incompatible(other, one));
            prop_assert!(!incompatible(one, one));
        }
    }

    #[test]
    fn app_roles_round_trip() {
        for &role in PortalRole::ALL {
            assert_eq!(PortalRole::from_app_role(role.app_role()), Some(role));
        }
        assert_eq!(PortalRole::from_app_role("Portal.User"), None);
    }
}
