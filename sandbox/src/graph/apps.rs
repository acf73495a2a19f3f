//! Enterprise applications, who holds their app roles, and the organisation.

use std::time::Duration;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    call::{Answer, Answered, Call},
    properties::SERVICE_PRINCIPAL,
    query, users,
};
use crate::{
    directory::{AppRoleAssignment, ServicePrincipal},
    world::{RoleError, World},
};

fn whole(call: &Call<'_>, app: &ServicePrincipal) -> Map<String, Value> {
    let Ok(Value::Object(mut whole)) = serde_json::to_value(app) else {
        unreachable!("a service principal is an object");
    };
    whole.insert("accountEnabled".into(), json!(true));
    whole.insert("appDisplayName".into(), json!(app.display_name));
    whole.insert("appOwnerOrganizationId".into(), json!(call.shared.tenant));
    whole.insert("servicePrincipalType".into(), json!("Application"));
    for name in ["servicePrincipalNames", "tags", "oauth2PermissionScopes"] {
        whole.insert(name.into(), json!([]));
    }
    whole
}

fn show(whole: Map<String, Value>, select: Option<&[String]>) -> Map<String, Value> {
    match select {
        Some(names) => query::pick(&whole, names),
        None => whole,
    }
}

fn find<'w>(world: &'w World, key: &str) -> Result<&'w ServicePrincipal, Answer> {
    let by_app_id = key.strip_prefix("appId=").map(|id| id.trim_matches('\''));
    let found = match by_app_id {
        Some(app_id) => world
            .service_principals
            .values()
            .find(|app| app.app_id == app_id),
        None => Uuid::parse_str(key)
            .ok()
            .and_then(|id| world.service_principals.get(&id)),
    };
    found.ok_or_else(|| Answer::not_found(key))
}

/// `GET /servicePrincipals`
pub(crate) fn list(call: &Call<'_>) -> Answered {
    let select = query::select(call, &SERVICE_PRINCIPAL, &[], "servicePrincipal")?;
    let world = call.shared.world();
    let ids: Vec<Uuid> = world.service_principals.keys().copied().collect();
    query::page(
        call,
        "servicePrincipals",
        ids.into_iter(),
        |id| {
            world
                .service_principals
                .get(&id)
                .map(|app| whole(call, app))
        },
        |_, whole| Value::Object(show(whole, select.as_deref())),
    )
}

/// `GET /servicePrincipals/{id}` and `GET /servicePrincipals(appId='...')`
pub(crate) fn get(call: &Call<'_>, key: &str) -> Answered {
    let select = query::select(call, &SERVICE_PRINCIPAL, &[], "servicePrincipal")?;
    let world = call.shared.world();
    let mut shown = show(whole(call, find(&world, key)?), select.as_deref());
    shown.insert(
        "@odata.context".into(),
        call.context("servicePrincipals/$entity"),
    );
    Ok(Answer::ok(Value::Object(shown)))
}

fn assignment(world: &World, held: &AppRoleAssignment) -> Map<String, Value> {
    let (kind, name) = match world.users.get(&held.principal_id) {
        Some(user) => ("User", user.display_name.as_str()),
        None => (
            "Group",
            world
                .groups
                .get(&held.principal_id)
                .map_or("", |group| group.display_name.as_str()),
        ),
    };
    let mut shown = Map::new();
    shown.insert("id".into(), json!(held.id));
    shown.insert("deletedDateTime".into(), Value::Null);
    shown.insert("appRoleId".into(), json!(held.app_role_id));
    shown.insert("createdDateTime".into(), json!(held.created_date_time));
    shown.insert("principalDisplayName".into(), json!(name));
    shown.insert("principalId".into(), json!(held.principal_id));
    shown.insert("principalType".into(), json!(kind));
    let resource = world
        .service_principals
        .get(&held.resource_id)
        .map(|app| app.display_name.as_str());
    shown.insert("resourceDisplayName".into(), json!(resource));
    shown.insert("resourceId".into(), json!(held.resource_id));
    shown
}

/// Assignments page by a key of their own, because their ids are opaque texts.
fn assignments(
    call: &Call<'_>,
    world: &World,
    wanted: impl Fn(&AppRoleAssignment) -> bool,
) -> Answered {
    let rows: Vec<&AppRoleAssignment> = world
        .assignments
        .iter()
        .filter(|held| wanted(held))
        // The links of deleted people and groups are not shown.
        .filter(|held| {
            world.users.contains_key(&held.principal_id)
                || world.groups.contains_key(&held.principal_id)
        })
        .collect();
    query::page(
        call,
        "appRoleAssignments",
        (1..=rows.len() as u128).map(Uuid::from_u128),
        |number| {
            rows.get((number.as_u128() - 1) as usize)
                .map(|held| assignment(world, held))
        },
        |_, whole| Value::Object(whole),
    )
}

/// `GET /servicePrincipals/{id}/appRoleAssignedTo`
pub(crate) fn assigned_to(call: &Call<'_>, key: &str) -> Answered {
    let world = call.shared.world();
    let resource = find(&world, key)?.id;
    assignments(call, &world, |held| held.resource_id == resource)
}

/// `GET /users/{id}/appRoleAssignments`: the direct ones, and those of groups that the user is a direct member of.
pub(crate) fn of_user(call: &Call<'_>, key: &str) -> Answered {
    let world = call.shared.world();
    let user = users::find(&world, key)?.id;
    let groups = world.groups_of(user, Duration::ZERO);
    assignments(call, &world, |held| {
        held.principal_id == user || groups.contains(&held.principal_id)
    })
}

/// `POST /servicePrincipals/{id}/appRoleAssignedTo`
pub(crate) fn assign(call: &Call<'_>, key: &str) -> Answered {
    let body = call.object()?;
    let id = |name: &str| {
        let text = body.get(name).and_then(Value::as_str);
        text.and_then(|text| Uuid::parse_str(text).ok())
            .ok_or_else(|| {
                Answer::bad_request(
                    "Request_BadRequest",
                    &format!(
                        "A value is required for property '{name}' of resource 'AppRoleAssignment'."
                    ),
                )
            })
    };
    let (principal, resource, role) = (id("principalId")?, id("resourceId")?, id("appRoleId")?);
    let now = call.shared.clock.now();
    let mut world = call.shared.world();
    if find(&world, key)?.id != resource {
        return Err(Answer::bad_request(
            "Request_BadRequest",
            "The resource of the assignment is not the one of the address.",
        ));
    }
    match world.assign_role(resource, principal, role, now) {
        Ok(made) => {
            let mut shown = assignment(&world, &made);
            shown.insert(
                "@odata.context".into(),
                call.context("appRoleAssignments/$entity"),
            );
            Ok(Answer::created(Value::Object(shown)))
        }
        Err(RoleError::Already) => Err(Answer::bad_request(
            "Request_BadRequest",
            "Permission being assigned already exists on the object",
        )),
        Err(RoleError::NoRole) => Err(Answer::bad_request(
            "Request_BadRequest",
            "Permission being assigned was not found on application",
        )),
        Err(RoleError::Missing) => Err(Answer::not_found(principal)),
    }
}

/// `DELETE /servicePrincipals/{id}/appRoleAssignedTo/{assignment}`
pub(crate) fn unassign(call: &Call<'_>, key: &str, id: &str) -> Answered {
    let mut world = call.shared.world();
    let resource = find(&world, key)?.id;
    if world.unassign_role(resource, id) {
        Ok(Answer::no_content())
    } else {
        Err(Answer::not_found(id))
    }
}

/// `GET /organization`
pub(crate) fn organization(call: &Call<'_>) -> Answered {
    let world = call.shared.world();
    let organization = &world.organization;
    let mut whole = Map::new();
    whole.insert(
        "id".into(),
        json!(call.effects.wrong_tenant.unwrap_or(call.shared.tenant)),
    );
    whole.insert("displayName".into(), json!(organization.display_name));
    whole.insert(
        "countryLetterCode".into(),
        json!(organization.country_letter_code),
    );
    whole.insert("tenantType".into(), json!("AAD"));
    let domain = json!({
        "name": organization.domain,
        "type": "Managed",
        "isDefault": true,
        "isInitial": true,
        "capabilities": "Email, OfficeCommunicationsOnline",
    });
    whole.insert("verifiedDomains".into(), json!([domain]));
    let known: Vec<&str> = whole.keys().map(String::as_str).collect();
    let select = query::select(call, &known, &[], "organization")?;
    let shown = match &select {
        Some(names) => query::pick(&whole, names),
        None => whole.clone(),
    };
    Ok(Answer::ok(
        json!({ "@odata.context": call.context("organization"), "value": [shown] }),
    ))
}

/// `GET /directoryObjects/{id}`: a user, a group or an application, with its type.
pub(crate) fn directory_object(call: &Call<'_>, key: &str) -> Answered {
    let world = call.shared.world();
    let id = Uuid::parse_str(key).map_err(|_| Answer::not_found(key))?;
    let shown = super::groups::principal(&world, id, None, true).or_else(|| {
        let mut whole = whole(call, world.service_principals.get(&id)?);
        whole.insert(
            "@odata.type".into(),
            json!("#microsoft.graph.servicePrincipal"),
        );
        Some(Value::Object(whole))
    });
    shown.map(Answer::ok).ok_or_else(|| Answer::not_found(key))
}
