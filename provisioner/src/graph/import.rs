//! Reading which groups and app roles there are, for the catalogue: what can be lent, and what cannot and why.

use domain::catalogue::GroupFacts;
use serde_json::Value;
use uuid::Uuid;
use workflow::{
    Workflow,
    catalogue::{self, AppRoleFacts, ImportOutcome, Imported},
};

use super::{Error, Graph, Kind, Priority};
use crate::directory::read::{self, patient};

/// Everything that decides whether a group's members can be changed.
const GROUP: &str = "id,displayName,description,mail,mailEnabled,securityEnabled,groupTypes,\
membershipRule,isAssignableToRole,isManagementRestricted,onPremisesSyncEnabled,resourceProvisioningOptions,\
assignedLicenses";
/// Enterprise applications with the roles that they declare.
const APPLICATIONS: &str = "/servicePrincipals?$select=id,displayName,appRoles&$top=999";

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Graph did not answer as it should.
    #[error("{doing}: {error}")]
    Graph {
        /// What was being read.
        doing: &'static str,
        /// What went wrong.
        error: Error,
    },
    /// The portal could not store what was read.
    #[error(transparent)]
    Workflow(#[from] workflow::Error),
}

/// Reads all groups and app roles and stores them as rights. Half a listing is never stored.
pub async fn run(
    workflow: &Workflow,
    graph: &Graph,
    tenant: Uuid,
) -> Result<ImportOutcome, ImportError> {
    let all = format!("/groups?$select={GROUP}&$top=999");
    let groups = list(graph, "reading the groups", &all).await?;
    let applications = list(graph, "reading the enterprise applications", APPLICATIONS).await?;
    let mut imported = Imported {
        groups: groups.iter().filter_map(group).collect(),
        app_roles: applications.iter().flat_map(roles).collect(),
        whole: true,
        ..Imported::default()
    };
    for missing in catalogue::unlisted(workflow, tenant, &imported).await? {
        let path = format!("/groups/{missing}?$select={GROUP}");
        match patient(|| graph.get(&path, Priority::Low)).await {
            // A listing may lag behind, or lose somebody between two pages.
            Ok(answer) => imported.groups.extend(group(&answer.body)),
            Err(error) if error.kind == Kind::NotFound => {
                imported.gone.insert(missing);
            }
            Err(error) => {
                return Err(ImportError::Graph {
                    doing: "reading a group that the listing lacks",
                    error,
                });
            }
        }
    }
    Ok(catalogue::import(workflow, tenant, imported).await?)
}

async fn list(graph: &Graph, doing: &'static str, path: &str) -> Result<Vec<Value>, ImportError> {
    read::list(graph, path)
        .await
        .map_err(|error| ImportError::Graph { doing, error })
}

fn id(entry: &Value, name: &str) -> Option<Uuid> {
    Uuid::try_parse(entry[name].as_str()?).ok()
}

fn text(entry: &Value, name: &str) -> String {
    entry[name].as_str().unwrap_or_default().trim().to_owned()
}

fn texts(entry: &Value, name: &str) -> Vec<String> {
    let items = entry[name].as_array().into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// One group; none without an id.
fn group(entry: &Value) -> Option<GroupFacts> {
    let yes = |name: &str| entry[name].as_bool().unwrap_or(false);
    let some = |name: &str| Some(text(entry, name)).filter(|text| !text.is_empty());
    Some(GroupFacts {
        id: id(entry, "id")?,
        display_name: text(entry, "displayName"),
        description: text(entry, "description"),
        mail: some("mail"),
        mail_enabled: yes("mailEnabled"),
        security_enabled: yes("securityEnabled"),
        group_types: texts(entry, "groupTypes"),
        membership_rule: some("membershipRule"),
        assignable_to_role: yes("isAssignableToRole"),
        management_restricted: yes("isManagementRestricted"),
        on_premises_synced: yes("onPremisesSyncEnabled"),
        resource_provisioning_options: texts(entry, "resourceProvisioningOptions"),
        licences: entry["assignedLicenses"]
            .as_array()
            .map_or(0, |list| u32::try_from(list.len()).unwrap_or(u32::MAX)),
    })
}

/// The enabled roles of an application that people may hold.
fn roles(application: &Value) -> Vec<AppRoleFacts> {
    let Some(resource) = id(application, "id") else {
        return Vec::new();
    };
    let roles = application["appRoles"].as_array().into_iter().flatten();
    roles
        .filter(|role| role["isEnabled"].as_bool() != Some(false))
        .filter(|role| {
            texts(role, "allowedMemberTypes")
                .iter()
                .any(|kind| kind == "User")
        })
        .filter_map(|role| {
            Some(AppRoleFacts {
                resource,
                role: id(role, "id")?,
                application: text(application, "displayName"),
                name: text(role, "displayName"),
                description: text(role, "description"),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_group_is_read_with_what_decides_whether_it_can_be_lent() {
        let entry = json!({
            "id": "00000000-0000-0000-0000-000000000001", "displayName": "Team", "description": null,
            "mailEnabled": true, "securityEnabled": false, "groupTypes": ["Unified"], "mail": "team@x.example",
            "onPremisesSyncEnabled": null, "isAssignableToRole": null, "assignedLicenses": [{"skuId": "1"}],
        });
        let read = group(&entry).expect("it has an id");
        assert_eq!(
            (read.mail_enabled, read.licences, read.on_premises_synced),
            (true, 1, false)
        );
        assert_eq!(domain::catalogue::manageable(&read), Ok(()));
        assert_eq!(group(&json!({"displayName": "No id"})), None);
    }

    #[test]
    fn only_enabled_roles_for_people_are_read() {
        let role = |enabled: bool, kind: &str| json!({"id": "00000000-0000-0000-0000-000000000002", "isEnabled": enabled, "allowedMemberTypes": [kind], "displayName": "User"});
        let entry = json!({
            "id": "00000000-0000-0000-0000-000000000001", "displayName": "Expenses",
            "appRoles": [role(true, "User"), role(false, "User"), role(true, "Application")],
        });
        assert_eq!(roles(&entry).len(), 1);
    }
}
