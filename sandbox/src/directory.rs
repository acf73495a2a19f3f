//! What a tenant holds: people, groups, memberships, applications. The seed of a sandbox and its state file are made of
//! these types; they are built in code or read from JSON with the property names of Microsoft Graph.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

/// The content of one tenant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Directory {
    /// The organisation that the tenant belongs to.
    pub organization: Organization,
    /// The people, members and guests.
    pub users: Vec<User>,
    /// The groups, without their members.
    pub groups: Vec<Group>,
    /// Direct members per group: users or other groups.
    pub memberships: BTreeMap<Uuid, BTreeSet<Uuid>>,
    /// Enterprise applications with their app roles.
    pub service_principals: Vec<ServicePrincipal>,
    /// Who holds which app role.
    pub app_role_assignments: Vec<AppRoleAssignment>,
    /// What the tenant has bought.
    pub subscribed_skus: Vec<SubscribedSku>,
    /// Licences that users hold directly; those of groups stand with the groups.
    pub licences: BTreeMap<Uuid, BTreeSet<Uuid>>,
}

/// The organisation as `GET /organization` shows it; its id is the tenant id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Organization {
    /// Shown on the sign-in page.
    pub display_name: String,
    /// The default verified domain, for example `contoso.example`.
    pub domain: String,
    /// Two letters.
    pub country_letter_code: Option<String>,
}

impl Default for Organization {
    fn default() -> Self {
        Self {
            display_name: "Sample company".into(),
            domain: "sample.example".into(),
            country_letter_code: None,
        }
    }
}

/// A user with the properties that a directory mirror reads. Other Graph properties go to `other` under their own name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct User {
    /// The object id: `id` in Graph, `oid` in tokens.
    pub id: Uuid,
    /// Required of a user that signs in.
    pub user_principal_name: String,
    /// Required.
    pub display_name: String,
    pub given_name: Option<String>,
    pub surname: Option<String>,
    /// Mail address, not always the same as the user principal name.
    pub mail: Option<String>,
    /// The number that the personnel system gave.
    pub employee_id: Option<String>,
    /// For example `Employee`, `Contractor`.
    pub employee_type: Option<String>,
    /// First day.
    pub employee_hire_date: Option<DateTime<Utc>>,
    /// Last day; reading it takes the permission `User-LifeCycleInfo.Read.All`.
    pub employee_leave_date_time: Option<DateTime<Utc>>,
    /// `Member` or `Guest`.
    pub user_type: Option<String>,
    /// False refuses sign-in. JSON that does not say means true.
    #[serde(default = "yes")]
    pub account_enabled: bool,
    pub department: Option<String>,
    pub job_title: Option<String>,
    pub company_name: Option<String>,
    pub office_location: Option<String>,
    pub city: Option<String>,
    /// In words, for example `Germany`.
    pub country: Option<String>,
    /// Two letters.
    pub usage_location: Option<String>,
    /// When the account was made.
    pub created_date_time: Option<DateTime<Utc>>,
    /// Mastered in an on-premises directory: Graph refuses to change it.
    pub on_premises_sync_enabled: Option<bool>,
    /// Tokens issued before are void.
    pub sign_in_sessions_valid_from_date_time: Option<DateTime<Utc>>,
    /// The manager's object id.
    pub manager: Option<Uuid>,
    /// The sponsors' object ids (of guests and contractors).
    pub sponsors: Vec<Uuid>,
    /// Any other Graph property of a user, under its own name.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub other: Map<String, Value>,
    /// Only in the sandbox: the ID token carries this tenant instead, and Graph does not list the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub foreign_tid: Option<Uuid>,
    /// Only in the sandbox: the ID token carries no `oid`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub no_oid: bool,
    /// Only in the sandbox: the ID token carries the groups overage claims, however few groups there are.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub overage: bool,
}

fn yes() -> bool {
    true
}

impl User {
    /// An enabled member of the tenant.
    pub fn new(id: Uuid, display_name: &str, user_principal_name: &str) -> Self {
        Self {
            id,
            display_name: display_name.into(),
            user_principal_name: user_principal_name.into(),
            mail: Some(user_principal_name.into()),
            user_type: Some("Member".into()),
            account_enabled: true,
            ..Self::default()
        }
    }
}

/// A group with what a catalogue import has to read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Group {
    /// The object id.
    pub id: Uuid,
    /// Shown to people.
    pub display_name: String,
    pub description: Option<String>,
    pub mail: Option<String>,
    /// True without `Unified` in the types: mastered by Exchange, Graph refuses to change the members.
    pub mail_enabled: bool,
    pub mail_nickname: Option<String>,
    pub security_enabled: bool,
    /// `Unified`, `DynamicMembership`.
    pub group_types: Vec<String>,
    /// The rule of a dynamic group.
    pub membership_rule: Option<String>,
    /// Role-assignable: changing members takes `RoleManagement.ReadWrite.Directory` as well.
    pub is_assignable_to_role: Option<bool>,
    /// In a restricted administrative unit: changes are refused.
    pub is_management_restricted: Option<bool>,
    /// Mastered on premises: changes are refused.
    pub on_premises_sync_enabled: Option<bool>,
    /// `Team` for a group behind a team.
    pub resource_provisioning_options: Vec<String>,
    /// Licences that members get.
    pub assigned_licenses: Vec<Value>,
    pub visibility: Option<String>,
    pub created_date_time: Option<DateTime<Utc>>,
}

impl Group {
    /// A plain security group.
    pub fn new(id: Uuid, display_name: &str) -> Self {
        Self {
            id,
            display_name: display_name.into(),
            security_enabled: true,
            ..Self::default()
        }
    }
}

/// An enterprise application.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServicePrincipal {
    /// The object id of the service principal.
    pub id: Uuid,
    /// The application (client) id: the `id` of a [`crate::Client`] for the portal itself.
    pub app_id: String,
    pub display_name: String,
    /// Only who is assigned may sign in.
    pub app_role_assignment_required: bool,
    pub app_roles: Vec<AppRole>,
}

/// A role that an application declares.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AppRole {
    pub id: Uuid,
    /// What arrives in the `roles` claim.
    pub value: Option<String>,
    pub display_name: String,
    pub description: Option<String>,
    pub is_enabled: bool,
    /// `User`, `Application`.
    pub allowed_member_types: Vec<String>,
}

impl AppRole {
    /// An enabled role for users.
    pub fn new(id: Uuid, value: &str, display_name: &str) -> Self {
        Self {
            id,
            value: Some(value.into()),
            display_name: display_name.into(),
            description: None,
            is_enabled: true,
            allowed_member_types: vec!["User".into()],
        }
    }
}

/// A licence that the tenant has bought.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SubscribedSku {
    pub sku_id: Uuid,
    /// Its name, for example `ENTERPRISEPACK`.
    pub sku_part_number: String,
    /// `User` or `Company`.
    pub applies_to: String,
    /// `Enabled`, `Warning`, `Suspended`, `Deleted`, `LockedOut`.
    pub capability_status: String,
    /// How many were bought.
    pub seats: usize,
}

impl SubscribedSku {
    /// A licence for users that is paid for.
    pub fn new(sku_id: Uuid, sku_part_number: &str, seats: usize) -> Self {
        Self {
            sku_id,
            sku_part_number: sku_part_number.into(),
            applies_to: "User".into(),
            capability_status: "Enabled".into(),
            seats,
        }
    }
}

/// A user or a group that holds an app role.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AppRoleAssignment {
    /// Opaque; empty in a seed means: the sandbox makes one.
    pub id: String,
    /// An [`AppRole::id`], or the nil id for default access.
    pub app_role_id: Uuid,
    /// The user's or the group's object id.
    pub principal_id: Uuid,
    /// The [`ServicePrincipal::id`].
    pub resource_id: Uuid,
    pub created_date_time: Option<DateTime<Utc>>,
}
