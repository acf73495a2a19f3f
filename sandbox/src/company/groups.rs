//! The company's groups: those behind the catalogue, those that nobody can ask for, and who is in them already.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use uuid::Uuid;

use super::{DOMAIN, group, people::Staff, user};
use crate::directory::{Group, User};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    description: String,
    /// The rule of a dynamic group.
    rule: Option<String>,
    #[serde(default)]
    synced: bool,
    #[serde(default)]
    mail: bool,
    #[serde(default)]
    security: bool,
    #[serde(default)]
    assignable: bool,
    #[serde(default)]
    restricted: bool,
    #[serde(default)]
    team: bool,
}

/// Who was put into a group by hand, before there was a portal: group and user names.
const BY_HAND: &[(&str, &[&str])] = &[
    (
        "sg-jira-read-all",
        &["johan.nyberg", "viktor.nystrom", "sara.blom"],
    ),
    ("sg-sap-ledger-read", &["gunilla.akesson", "magnus.fors"]),
    (
        "sg-sap-payment-approve",
        &["gunilla.akesson", "lars.eklund"],
    ),
    ("sg-salesforce-users", &["layla.haddad", "marcus.weber"]),
    (
        "sg-github-developers",
        &["erik.sandberg", "amelie.laurent", "yael.cohen"],
    ),
    ("sg-figma-editors", &["mette.dahl", "maya.rao"]),
    ("sg-prod-orders-ro", &["viktor.nystrom"]),
    (
        "sg-legacy-crm",
        &["marcus.weber", "layla.haddad", "siobhan.walsh"],
    ),
    (
        "ad-fileshare-finance",
        &["gunilla.akesson", "fredrik.sjoberg"],
    ),
    (
        "rau-executives",
        &["ingrid.solberg", "david.hassan", "karin.holm"],
    ),
    (
        "Team Orders",
        &["astrid.lindqvist", "johan.nyberg", "maya.rao"],
    ),
];

/// So many project groups that a token cannot name all of a member's: Entra stops at 200.
const PROJECTS: usize = 214;

/// All groups and who is in them.
pub(super) fn groups(staff: &[Staff]) -> (Vec<Group>, BTreeMap<Uuid, BTreeSet<Uuid>>) {
    let entries: Vec<Entry> = serde_json::from_str(include_str!("../../company/groups.json"))
        .expect("the company's files are part of this crate and tested");
    let mut memberships: BTreeMap<Uuid, BTreeSet<Uuid>> = BTreeMap::new();
    let mut groups: Vec<Group> = entries
        .iter()
        .map(|entry| {
            if let Some(rule) = &entry.rule {
                let members = staff
                    .iter()
                    .map(|one| &one.user)
                    .filter(|user| computed(rule, user));
                memberships.insert(group(&entry.name), members.map(|user| user.id).collect());
            }
            make(entry)
        })
        .collect();
    for (name, members) in BY_HAND {
        let members = members.iter().map(|name| user(name)).collect();
        memberships.insert(group(name), members);
    }
    let badges = staff
        .iter()
        .map(|one| &one.user)
        .filter(|user| user.account_enabled && user.foreign_tid.is_none() && !user.no_oid);
    memberships.insert(
        group("sg-office-badges"),
        badges.map(|user| user.id).collect(),
    );
    for number in 1..=PROJECTS {
        let name = format!("prj-{number:03}");
        let mut project = Group::new(group(&name), &name);
        project.description = Some("A customer project that is closed.".into());
        memberships.insert(project.id, BTreeSet::from([user("guest.menon")]));
        groups.push(project);
    }
    (groups, memberships)
}

fn make(entry: &Entry) -> Group {
    let mut made = Group::new(group(&entry.name), &entry.name);
    made.description = Some(entry.description.clone());
    if let Some(rule) = &entry.rule {
        made.group_types = vec!["DynamicMembership".into()];
        made.membership_rule = Some(rule.clone());
    }
    if entry.team {
        made.group_types = vec!["Unified".into()];
        made.resource_provisioning_options = vec!["Team".into()];
        made.visibility = Some("Private".into());
    }
    if entry.mail || entry.team {
        let nickname = entry.name.to_lowercase().replace(' ', "-");
        made.mail = Some(format!("{nickname}@{DOMAIN}"));
        made.mail_nickname = Some(nickname);
        made.mail_enabled = true;
        made.security_enabled = entry.security;
    }
    made.on_premises_sync_enabled = entry.synced.then_some(true);
    made.is_assignable_to_role = entry.assignable.then_some(true);
    made.is_management_restricted = entry.restricted.then_some(true);
    made
}

/// What Entra would compute of the company's three rules.
fn computed(rule: &str, user: &User) -> bool {
    if user.foreign_tid.is_some() || user.no_oid {
        return false;
    }
    let value = rule.split('"').nth(1).unwrap_or_default();
    if rule.starts_with("user.employeeType") {
        user.employee_type.as_deref() == Some(value)
    } else {
        user.country.as_deref() == Some(value)
    }
}
