//! Whether we can change who is in a group.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A group as the directory describes it, with everything that decides whether we can change its members.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GroupFacts {
    /// Object id.
    pub id: Uuid,
    /// Name as shown.
    pub display_name: String,
    /// Description.
    pub description: String,
    /// Mail address, if it has one.
    pub mail: Option<String>,
    /// Whether it receives mail.
    pub mail_enabled: bool,
    /// Whether it can guard access.
    pub security_enabled: bool,
    /// `Unified`, `DynamicMembership`.
    pub group_types: Vec<String>,
    /// The rule of a dynamic group.
    pub membership_rule: Option<String>,
    /// Whether directory roles may be given to it.
    pub assignable_to_role: bool,
    /// Whether it lies in a restricted administrative unit.
    pub management_restricted: bool,
    /// Whether it is mastered in an on-premises directory.
    pub on_premises_synced: bool,
    /// `Team` for a group behind a team.
    pub resource_provisioning_options: Vec<String>,
    /// How many licences its members get.
    pub licences: u32,
}

impl GroupFacts {
    fn is(&self, kind: &str) -> bool {
        self.group_types.iter().any(|known| known == kind)
    }
}

/// Whether membership of the group can be lent and taken back through Graph, or why not, in words.
pub fn manageable(group: &GroupFacts) -> Result<(), String> {
    let why = if group.is("DynamicMembership") {
        "its members are computed by a rule, so nobody can be added or removed one by one"
    } else if group.on_premises_synced {
        "it is mastered in the on-premises directory and has to be changed there"
    } else if group.mail_enabled && !group.is("Unified") {
        "it is a distribution list or mail-enabled group, which Exchange masters"
    } else if group.management_restricted {
        "it lies in a restricted administrative unit"
    } else if group.assignable_to_role {
        "directory roles may be given to it, so changing it takes a permission that could take over the tenant"
    } else if !group.security_enabled && !group.is("Unified") {
        "it is neither a security group nor a Microsoft 365 group"
    } else {
        return Ok(());
    };
    Err(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_manageable_or_say_why_not() {
        let plain = || GroupFacts {
            security_enabled: true,
            ..GroupFacts::default()
        };
        let table: Vec<(&str, GroupFacts, Option<&str>)> = vec![
            ("security", plain(), None),
            (
                "behind a team",
                GroupFacts {
                    mail_enabled: true,
                    security_enabled: false,
                    group_types: vec!["Unified".into()],
                    resource_provisioning_options: vec!["Team".into()],
                    ..plain()
                },
                None,
            ),
            (
                "with licences",
                GroupFacts {
                    licences: 2,
                    ..plain()
                },
                None,
            ),
            (
                "dynamic",
                GroupFacts {
                    group_types: vec!["DynamicMembership".into()],
                    membership_rule: Some("user.department -eq \"Sales\"".into()),
                    ..plain()
                },
                Some("computed by a rule"),
            ),
            (
                "dynamic team",
                GroupFacts {
                    group_types: vec!["Unified".into(), "DynamicMembership".into()],
                    ..plain()
                },
                Some("computed by a rule"),
            ),
            (
                "synced",
                GroupFacts {
                    on_premises_synced: true,
                    ..plain()
                },
                Some("on-premises"),
            ),
            (
                "mail-enabled security",
                GroupFacts {
                    mail_enabled: true,
                    ..plain()
                },
                Some("Exchange"),
            ),
            (
                "distribution list",
                GroupFacts {
                    mail_enabled: true,
                    security_enabled: false,
                    ..plain()
                },
                Some("Exchange"),
            ),
            (
                "restricted",
                GroupFacts {
                    management_restricted: true,
                    ..plain()
                },
                Some("restricted"),
            ),
            (
                "role-assignable",
                GroupFacts {
                    assignable_to_role: true,
                    ..plain()
                },
                Some("take over"),
            ),
            ("neither", GroupFacts::default(), Some("neither")),
        ];
        for (name, group, why) in table {
            match (manageable(&group), why) {
                (Ok(()), None) => {}
                (Err(said), Some(part)) => assert!(said.contains(part), "{name}: {said}"),
                (got, wanted) => panic!("{name}: {got:?}, expected {wanted:?}"),
            }
        }
    }
}
