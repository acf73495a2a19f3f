//! Reading which groups, app roles and licences there are, for the catalogue: what can be lent, and what cannot and why.

use domain::{
    catalogue::{GroupFacts, Right},
    person::PortalRole,
};
use serde_json::Value;
use uuid::Uuid;
use workflow::{
    Workflow,
    catalogue::{self, AppRoleFacts, ImportOutcome, Imported, LicenceFacts},
};

use super::{Error, Graph, Kind, Priority, Switches, connector::uuid_of};
use crate::directory::read::{self, patient};

/// Everything that decides whether a group's members can be changed.
const GROUP: &str = "id,displayName,description,mail,mailEnabled,securityEnabled,groupTypes,\
membershipRule,isAssignableToRole,isManagementRestricted,onPremisesSyncEnabled,resourceProvisioningOptions,\
assignedLicenses";
/// Enterprise applications with the roles that they declare.
const APPLICATION: &str = "id,appId,displayName,appRoles";

/// What is read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The tenant.
    pub tenant: Uuid,
    /// Client id of the portal's own app registration, whose app roles are the portal roles.
    pub portal_client_id: Option<String>,
    /// What may be given.
    pub switches: Switches,
}

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

/// Reads all groups and app roles, and licences where they may be given, and stores them as rights. Half a listing is never
/// stored.
pub async fn run(
    workflow: &Workflow,
    graph: &Graph,
    options: &Options,
) -> Result<ImportOutcome, ImportError> {
    let tenant = options.tenant;
    let portal = options.portal_client_id.as_deref();
    let all = format!("/groups?$select={GROUP}&$top=999");
    let groups = list(graph, "reading the groups", &all).await?;
    let all = format!("/servicePrincipals?$select={APPLICATION}&$top=999");
    let applications = list(graph, "reading the enterprise applications", &all).await?;
    let licences = if options.switches.licences {
        let skus = list(graph, "reading the licences", "/subscribedSkus").await?;
        Some(skus.iter().filter_map(licence).collect())
    } else {
        None
    };
    let mut imported = Imported {
        groups: groups.iter().filter_map(group).collect(),
        app_roles: applications
            .iter()
            .flat_map(|application| roles(application, portal))
            .collect(),
        app_roles_on: options.switches.app_roles,
        licences,
        whole: true,
        ..Imported::default()
    };
    for missing in catalogue::unlisted(workflow, tenant, &imported).await? {
        let Some(path) = direct(&missing, tenant) else {
            continue;
        };
        match patient(|| graph.get(&path, Priority::Low)).await {
            // A listing may lag behind, or lose somebody between two pages.
            Ok(answer) if take(&mut imported, &missing, &answer.body, portal) => {}
            // An application that is there without the role says as much as one that is not there.
            Ok(_) => {
                imported.gone.insert(missing);
            }
            Err(error) if error.kind == Kind::NotFound => {
                imported.gone.insert(missing);
            }
            Err(error) => {
                return Err(ImportError::Graph {
                    doing: "reading a right that the listing lacks",
                    error,
                });
            }
        }
    }
    Ok(catalogue::import(workflow, tenant, imported).await?)
}

/// Where a right of the directory is read by itself.
fn direct(right: &Right, tenant: Uuid) -> Option<String> {
    match right {
        Right::Group { id } => Some(format!("/groups/{id}?$select={GROUP}")),
        Right::AppRole { resource, .. } => Some(format!(
            "/servicePrincipals/{resource}?$select={APPLICATION}"
        )),
        Right::Licence { sku } => Some(format!("/subscribedSkus/{tenant}_{sku}")),
        Right::At { .. } | Right::PortalRole { .. } => None,
    }
}

/// Takes what a direct read found. False if the right is not in it.
fn take(imported: &mut Imported, right: &Right, body: &Value, portal: Option<&str>) -> bool {
    match right {
        Right::Group { .. } => {
            let read = group(body);
            let there = read.is_some();
            imported.groups.extend(read);
            there
        }
        Right::AppRole { role, .. } => {
            let read = roles(body, portal)
                .into_iter()
                .find(|read| read.role == *role);
            let there = read.is_some();
            imported.app_roles.extend(read);
            there
        }
        Right::Licence { .. } => {
            let read = licence(body);
            let there = read.is_some();
            imported.licences.get_or_insert_default().extend(read);
            there
        }
        Right::At { .. } | Right::PortalRole { .. } => false,
    }
}

async fn list(graph: &Graph, doing: &'static str, path: &str) -> Result<Vec<Value>, ImportError> {
    read::list(graph, path)
        .await
        .map_err(|error| ImportError::Graph { doing, error })
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
        id: uuid_of(entry, "id")?,
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

/// One licence; none without an id.
fn licence(entry: &Value) -> Option<LicenceFacts> {
    Some(LicenceFacts {
        sku: uuid_of(entry, "skuId")?,
        part_number: text(entry, "skuPartNumber"),
        applies_to: text(entry, "appliesTo"),
        status: text(entry, "capabilityStatus"),
    })
}

/// The enabled roles of an application that people may hold.
fn roles(application: &Value, portal: Option<&str>) -> Vec<AppRoleFacts> {
    let Some(resource) = uuid_of(application, "id") else {
        return Vec::new();
    };
    let app_id = application["appId"].as_str();
    let ours =
        portal.is_some_and(|portal| app_id.is_some_and(|id| id.eq_ignore_ascii_case(portal)));
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
                role: uuid_of(role, "id")?,
                application: text(application, "displayName"),
                name: text(role, "displayName"),
                description: text(role, "description"),
                of_portal: ours
                    && role["value"]
                        .as_str()
                        .is_some_and(|value| PortalRole::from_app_role(value).is_some()),
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
        let role = |enabled: bool, kind: &str| json!({"id": "00000000-0000-0000-0000-000000000002", "isEnabled": enabled, "allowedMemberTypes": [kind], "displayName": "User", "value": "Portal.Security"});
        let entry = json!({
            "id": "00000000-0000-0000-0000-000000000001", "displayName": "Expenses", "appId": "expenses",
            "appRoles": [role(true, "User"), role(false, "User"), role(true, "Application")],
        });
        let read = roles(&entry, Some("portal"));
        assert_eq!(read.len(), 1);
        assert!(!read[0].of_portal, "only the portal's own are powers");
        assert!(roles(&entry, Some("Expenses"))[0].of_portal);
    }
}
