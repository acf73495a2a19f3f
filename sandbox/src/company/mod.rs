//! The sample company, Nordhamn: about 300 people in several countries, their groups, and a catalogue over thirteen
//! applications. The data lies in `sandbox/company/`; here it becomes a [`Directory`], the same for the same seed and day.
//!
//! The people of `cast.json` have fixed places and object ids, so that the catalogue's files can name them; the rest of
//! each team of `teams.json` is made from the names of `places.json` and the seed.

mod chance;
mod groups;
mod people;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    config::Featured,
    directory::{AppRole, AppRoleAssignment, Directory, Organization, ServicePrincipal},
};

/// The company's mail domain.
pub const DOMAIN: &str = "nordhamn.example";
/// The portal's application (client) id in the company's tenant.
pub const PORTAL_CLIENT_ID: &str = "4a7c1f0e-2b55-4d0c-9d3b-5f2f6a1c7e10";
/// The provisioner's application (client) id.
pub const PROVISIONER_CLIENT_ID: &str = "b81d6a52-77f4-4c3e-8f39-0c6d2e94a511";

/// The company's tenant id.
pub fn tenant() -> Uuid {
    object("tenant", DOMAIN)
}

/// The object id of a person of `cast.json`, by user name such as `astrid.lindqvist`.
pub fn user(name: &str) -> Uuid {
    object("user", name)
}

/// The object id of a group by its name.
pub fn group(name: &str) -> Uuid {
    object("group", name)
}

/// Object ids follow from names alone, so that files can hold them; they look like Entra's.
fn object(kind: &str, key: &str) -> Uuid {
    let digest = Sha256::digest(format!("nordhamn/{kind}/{key}"));
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// Somebody to be in the trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Persona {
    /// User name, as in `cast.json`.
    pub user: &'static str,
    /// What they come to do.
    pub label: &'static str,
}

/// Who the sign-in page offers first.
pub const PERSONAS: &[Persona] = &[
    Persona {
        user: "johan.nyberg",
        label: "Employee",
    },
    Persona {
        user: "astrid.lindqvist",
        label: "Manager",
    },
    Persona {
        user: "olle.strom",
        label: "Package owner",
    },
    Persona {
        user: "elin.berg",
        label: "Security",
    },
    Persona {
        user: "tomas.ek",
        label: "Security",
    },
    Persona {
        user: "piotr.zielinski",
        label: "Operator",
    },
    Persona {
        user: "helena.virtanen",
        label: "Auditor",
    },
    Persona {
        user: "rosa.fernandez",
        label: "HR",
    },
    Persona {
        user: "nils.aberg",
        label: "Administrator",
    },
    Persona {
        user: "freja.madsen",
        label: "Catalogue owner",
    },
    Persona {
        user: "liam.oconnor",
        label: "Contractor",
    },
];

/// The personas as the sandbox's sign-in page takes them.
pub fn featured() -> Vec<Featured> {
    PERSONAS
        .iter()
        .map(|persona| Featured {
            oid: user(persona.user),
            label: persona.label.to_owned(),
        })
        .collect()
}

/// The catalogue's files: path and text.
pub fn catalogue() -> Vec<(&'static str, &'static str)> {
    macro_rules! files {
        ($($name:literal),+ $(,)?) => {
            vec![$((
                concat!("sandbox/company/applications/", $name, ".toml"),
                include_str!(concat!("../../company/applications/", $name, ".toml")),
            )),+]
        };
    }
    files![
        "analytics",
        "azure",
        "calendars",
        "conflicts",
        "facilities",
        "figma",
        "github",
        "heron",
        "jira",
        "latchkey",
        "network",
        "orders",
        "salesforce",
        "sap",
        "sentinel",
        "warehouse",
    ]
}

/// The portal's app roles: value and name.
const PORTAL_ROLES: &[(&str, &str)] = &[
    ("Portal.Administrator", "Administrator"),
    ("Portal.Security", "Security"),
    ("Portal.Auditor", "Auditor"),
    ("Portal.CatalogueOwner", "Catalogue owner"),
    ("Portal.Operator", "Operator"),
    ("Portal.HR", "HR"),
];

/// The whole tenant on `today`: hire dates are fixed, last days lie around today.
pub fn directory(seed: u64, today: DateTime<Utc>) -> Directory {
    let staff = people::staff(seed, today);
    let (groups, memberships) = groups::groups(&staff);
    let portal = ServicePrincipal {
        id: object("application", "latchkey"),
        app_id: PORTAL_CLIENT_ID.to_owned(),
        display_name: "Latchkey".to_owned(),
        app_role_assignment_required: false,
        app_roles: PORTAL_ROLES
            .iter()
            .map(|(value, name)| AppRole::new(object("app-role", value), value, name))
            .collect(),
    };
    let expenses = ServicePrincipal {
        id: object("application", "expenses"),
        app_id: object("client", "expenses").to_string(),
        display_name: "Expenses".to_owned(),
        app_role_assignment_required: true,
        app_roles: vec![
            AppRole::new(object("app-role", "Expenses.User"), "Expenses.User", "User"),
            AppRole::new(
                object("app-role", "Expenses.Approver"),
                "Expenses.Approver",
                "Approver",
            ),
        ],
    };
    let app_role_assignments = staff
        .iter()
        .flat_map(|one| {
            let principal_id = one.user.id;
            one.roles.iter().map(move |value| AppRoleAssignment {
                id: String::new(),
                app_role_id: object("app-role", value),
                principal_id,
                resource_id: object("application", "latchkey"),
                created_date_time: None,
            })
        })
        .collect();
    Directory {
        organization: Organization {
            display_name: "Nordhamn".to_owned(),
            domain: DOMAIN.to_owned(),
            country_letter_code: Some("SE".to_owned()),
        },
        users: staff.into_iter().map(|one| one.user).collect(),
        groups,
        memberships,
        service_principals: vec![portal, expenses],
        app_role_assignments,
        ..Directory::default()
    }
}

#[cfg(test)]
mod tests;
