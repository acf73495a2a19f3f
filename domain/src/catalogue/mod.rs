//! The catalogue as the files say it: applications, entitlements, packages with their policies. Parsed and resolved by
//! `workflow`; here is what the parts mean, how two editions differ, and which differences need a second person.

mod calendar;
mod conflict;
mod difference;
mod manageable;
mod said;
mod span;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use conflict::{Conflict, Names};
pub use difference::{Change, ChangeKind, Difference, Facts, FieldChange, Thing, compare};
pub use manageable::{GroupFacts, manageable};
pub use span::{BadSpan, read_span, say_span};

pub use crate::policy::{ApproverRule, Attribute, Condition, Question};
use crate::{PersonId, calendar::Calendar, drift::Drift, person::PortalRole, policy::Policy};

/// The `kind` of the rights that are the portal's own powers.
pub const PORTAL_ROLE: &str = "portal_role";

/// The key of the target that is the portal's own database.
pub const PORTAL_TARGET: &str = "latchkey";

/// The lane of a right whose writes lock the account rather than an object of its own: each account is a lane then.
pub const ACCOUNT_LANE: &str = "account";

/// One edition of the whole catalogue, by key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// Applications.
    pub applications: BTreeMap<String, Application>,
    /// Entitlements.
    pub entitlements: BTreeMap<String, Entitlement>,
    /// Packages.
    pub packages: BTreeMap<String, Package>,
    /// What one person must not hold together.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub conflicts: BTreeMap<String, Conflict>,
    /// When people work, by their country as the directory writes it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub calendars: BTreeMap<String, Calendar>,
}

/// An application that people know by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// Name as people say it.
    pub name: String,
    /// What it is for, in a sentence.
    pub summary: String,
    /// Where it is opened; empty if it has no address.
    pub url: String,
    /// Two or three letters for its tile.
    pub initials: String,
    /// Which of the interface's tints its tile has.
    pub tint: String,
}

crate::words! {
    /// What a target speaks, and so which hands reach it.
    pub enum TargetKind {
        /// Microsoft Graph.
        Graph = "graph",
        /// SCIM 2.0 (RFC 7643, RFC 7644).
        Scim = "scim",
        /// LDAP version 3, Active Directory included.
        Ldap = "ldap",
        /// Signed calls of an address (Standard Webhooks).
        Webhook = "webhook",
        /// A person who does it.
        Manual = "manual",
    }
}

impl TargetKind {
    /// The word of an entitlement's `kind` column for what is named at such a target.
    pub const fn right(self) -> &'static str {
        match self {
            Self::Graph => "group",
            Self::Scim => "scim_group",
            Self::Ldap => "ldap_group",
            Self::Webhook => "webhook_right",
            Self::Manual => "manual_right",
        }
    }
}

/// The object at the target that a right stands for; known by immutable ids only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Right {
    /// Membership of an Entra group.
    Group {
        /// The group's object id.
        id: Uuid,
    },
    /// An app role of an enterprise application.
    AppRole {
        /// The role's id.
        role: Uuid,
        /// The service principal's object id.
        resource: Uuid,
    },
    /// A licence of the tenant.
    Licence {
        /// The id of what was bought (`skuId`).
        sku: Uuid,
    },
    /// Something at a target that the configuration names.
    At {
        /// The target's key.
        target: String,
        /// What the target speaks.
        kind: TargetKind,
        /// The target's own id: of a group, or the word that both sides agreed on.
        id: String,
    },
    /// A portal role: one of the portal's own powers.
    PortalRole {
        /// Which.
        role: PortalRole,
    },
}

impl Right {
    /// The word of the `kind` column.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Group { .. } => "group",
            Self::AppRole { .. } => "app_role",
            Self::Licence { .. } => "licence",
            Self::At { kind, .. } => kind.right(),
            Self::PortalRole { .. } => PORTAL_ROLE,
        }
    }

    /// The portal role that it is, if it is one.
    pub const fn portal_role(&self) -> Option<PortalRole> {
        match self {
            Self::PortalRole { role } => Some(*role),
            Self::Group { .. } | Self::AppRole { .. } | Self::Licence { .. } | Self::At { .. } => {
                None
            }
        }
    }

    /// The key of the target that the configuration names, or of the portal itself; none for the directory of the tenant.
    pub fn target(&self) -> Option<&str> {
        match self {
            Self::Group { .. } | Self::AppRole { .. } | Self::Licence { .. } => None,
            Self::At { target, .. } => Some(target),
            Self::PortalRole { .. } => Some(PORTAL_TARGET),
        }
    }

    /// The right of the tenant's directory that these words of an entitlement name, if they name one.
    pub fn of_directory(kind: &str, external_id: &str) -> Option<Self> {
        let id = |text: &str| Uuid::try_parse(text).ok();
        match kind {
            "group" => Some(Self::Group {
                id: id(external_id)?,
            }),
            "app_role" => {
                let (resource, role) = external_id.split_once('/')?;
                Some(Self::AppRole {
                    role: id(role)?,
                    resource: id(resource)?,
                })
            }
            "licence" => Some(Self::Licence {
                sku: id(external_id)?,
            }),
            _ => None,
        }
    }

    /// The target's own id: the group's, `resource/role`, the licence's, the portal role's word, or as the files say it.
    pub fn external_id(&self) -> String {
        match self {
            Self::Group { id } => id.to_string(),
            Self::AppRole { role, resource } => format!("{resource}/{role}"),
            Self::Licence { sku } => sku.to_string(),
            Self::At { id, .. } => id.clone(),
            Self::PortalRole { role } => role.to_string(),
        }
    }

    /// The object that a write locks at the target.
    pub fn lane(&self) -> String {
        match self {
            Self::Group { id } => format!("group:{id}"),
            Self::AppRole { resource, .. } => format!("app:{resource}"),
            Self::Licence { .. } => ACCOUNT_LANE.to_owned(),
            Self::At { target, id, .. } => format!("{target}:{id}"),
            Self::PortalRole { role } => format!("{PORTAL_ROLE}:{role}"),
        }
    }
}

/// One concrete right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entitlement {
    /// Key of its application.
    pub application: String,
    /// What it is at the target.
    pub right: Right,
    /// Its name at the target.
    pub name: String,
    /// What holding it means, in a sentence.
    pub summary: String,
    /// Whether it gives power over others' data or systems.
    pub privileged: bool,
    /// A control regime that it falls under, such as `SOX` or `GDPR`.
    pub control_scope: Option<String>,
    /// How long it takes to bite, both ways, in seconds.
    pub effective_within_seconds: i64,
    /// Who decides on findings about it, and does it where it is done by hand.
    pub owner: Option<PersonId>,
    /// What becomes of it where somebody gives it out of band.
    #[serde(default, skip_serializing_if = "is_report")]
    pub drift: Drift,
    /// What whoever does it by hand has to do; empty where a program does it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub instructions: String,
    /// Within which time it is to be done by hand, in seconds; zero where a program does it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub due_within_seconds: i64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn is_report(drift: &Drift) -> bool {
    *drift == Drift::Report
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
const fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// What people ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Key of its application.
    pub application: String,
    /// Name as people say it.
    pub name: String,
    /// What it is for, in a sentence.
    pub summary: String,
    /// What it opens, in plain words, one sentence each.
    pub opens: Vec<String>,
    /// Keys of its entitlements.
    pub entitlements: BTreeSet<String>,
    /// Who owns it.
    pub owners: BTreeSet<PersonId>,
    /// Other words that people search with.
    pub synonyms: Vec<String>,
    /// Who may ask, for how long, who decides.
    pub policy: Policy,
}

impl Content {
    /// The rights of a package; entitlements that are not defined give none.
    pub fn rights(&self, package: &Package) -> BTreeSet<Right> {
        package
            .entitlements
            .iter()
            .filter_map(|key| self.entitlements.get(key))
            .map(|entitlement| entitlement.right.clone())
            .collect()
    }

    /// The owners of a package's rights.
    pub fn right_owners(&self, package: &Package) -> BTreeSet<PersonId> {
        package
            .entitlements
            .iter()
            .filter_map(|key| self.entitlements.get(key)?.owner)
            .collect()
    }

    /// The rights of all packages.
    pub fn offered(&self) -> BTreeSet<Right> {
        self.packages
            .values()
            .flat_map(|package| self.rights(package))
            .collect()
    }

    /// Whether any entitlement of a package is privileged.
    pub fn privileged(&self, package: &Package) -> bool {
        self.parts(package).any(|part| part.privileged)
    }

    /// The control regimes that a package falls under, by comma; none if there are none.
    pub fn control_scope(&self, package: &Package) -> Option<String> {
        let scopes: BTreeSet<&str> = self
            .parts(package)
            .filter_map(|part| part.control_scope.as_deref())
            .collect();
        if scopes.is_empty() {
            None
        } else {
            Some(scopes.into_iter().collect::<Vec<_>>().join(", "))
        }
    }

    fn parts<'a>(&'a self, package: &'a Package) -> impl Iterator<Item = &'a Entitlement> {
        package
            .entitlements
            .iter()
            .filter_map(|key| self.entitlements.get(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_of_the_directory_is_found_again_by_its_words() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        for right in [
            Right::Group { id: one },
            Right::AppRole {
                role: one,
                resource: two,
            },
            Right::Licence { sku: one },
        ] {
            assert_eq!(
                Right::of_directory(right.kind(), &right.external_id()),
                Some(right)
            );
        }
        for (kind, id) in [
            ("group", ""),
            ("group", "../users/1"),
            ("app_role", "00000000-0000-0000-0000-000000000001"),
            ("app_role", "../x/00000000-0000-0000-0000-000000000001"),
            ("licence", "ENTERPRISEPACK"),
            ("portal_role", "auditor"),
        ] {
            assert_eq!(Right::of_directory(kind, id), None, "{kind} {id}");
        }
    }
}
