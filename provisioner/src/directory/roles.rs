//! Portal roles: who holds the app roles of the portal's own enterprise application, directly or as a direct member of
//! a group (Entra does not descend into nested groups).

use std::collections::{BTreeMap, BTreeSet};

use domain::person::PortalRole;
use serde_json::Value;
use uuid::Uuid;

use super::{Error, map, read};
use crate::graph::Graph;

/// Who holds which portal role, by object id.
pub(super) async fn read(
    graph: &Graph,
    client_id: &str,
) -> Result<BTreeMap<Uuid, BTreeSet<PortalRole>>, Error> {
    let doing = "reading the portal's app roles";
    // A quote in the id would change the question.
    let filter = client_id.replace('\'', "''");
    let apps = read::list(
        graph,
        &format!("/servicePrincipals?$filter=appId%20eq%20'{filter}'&$select=id,appRoles"),
    )
    .await
    .map_err(Error::graph(doing))?;
    let Some((id, app)) = apps.first().and_then(|app| Some((map::object(app)?, app))) else {
        return Ok(BTreeMap::new());
    };
    let roles = by_id(app);
    let assigned = read::list(
        graph,
        &format!("/servicePrincipals/{id}/appRoleAssignedTo?$top=999"),
    )
    .await
    .map_err(Error::graph(doing))?;

    let mut held: BTreeMap<Uuid, BTreeSet<PortalRole>> = BTreeMap::new();
    let mut groups: BTreeMap<Uuid, BTreeSet<PortalRole>> = BTreeMap::new();
    for entry in &assigned {
        let uuid = |name: &str| Uuid::try_parse(entry[name].as_str()?).ok();
        let Some(role) = uuid("appRoleId").and_then(|id| roles.get(&id)) else {
            continue;
        };
        let holders = match entry["principalType"].as_str() {
            Some("User") => &mut held,
            Some("Group") => &mut groups,
            _ => continue,
        };
        if let Some(principal) = uuid("principalId") {
            holders.entry(principal).or_default().insert(*role);
        }
    }
    for (group, roles) in groups {
        let members = read::list(
            graph,
            &format!("/groups/{group}/members/microsoft.graph.user?$select=id&$top=999"),
        )
        .await
        .map_err(Error::graph(
            "reading the members of a group with portal roles",
        ))?;
        for member in members.iter().filter_map(map::object) {
            held.entry(member).or_default().extend(&roles);
        }
    }
    Ok(held)
}

/// The enabled app roles that are portal roles.
fn by_id(app: &Value) -> BTreeMap<Uuid, PortalRole> {
    app["appRoles"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|role| role["isEnabled"].as_bool() != Some(false))
        .filter_map(|role| {
            let value = PortalRole::from_app_role(role["value"].as_str()?)?;
            Some((map::object(role)?, value))
        })
        .collect()
}
