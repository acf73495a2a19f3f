//! `/users`: reading people, their managers and sponsors, and changing accounts.

use std::collections::BTreeSet;

use rand::RngCore;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    call::{Answer, Answered, Call},
    expand::{self, Expand},
    licences,
    properties::USER,
    query, reference,
};
use crate::{directory::User, world::World};

/// What is shown without `$select`.
const DEFAULT: [&str; 11] = [
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "id",
];
/// Properties that take a permission of their own.
const LIFE_CYCLE: &str = "employeeLeaveDateTime";
const READ_LIFE_CYCLE: [&str; 2] = [
    "User-LifeCycleInfo.Read.All",
    "User-LifeCycleInfo.ReadWrite.All",
];

/// A user as Graph shows all of them.
pub(crate) fn whole(user: &User) -> Map<String, Value> {
    let Ok(Value::Object(mut whole)) = serde_json::to_value(user) else {
        unreachable!("a user is an object");
    };
    for sandbox_only in [
        "manager",
        "sponsors",
        "other",
        "foreignTid",
        "noOid",
        "overage",
    ] {
        whole.remove(sandbox_only);
    }
    whole.extend(user.other.clone());
    let alias = user
        .user_principal_name
        .split('@')
        .next()
        .unwrap_or_default();
    whole.entry("mailNickname").or_insert_with(|| json!(alias));
    whole.entry("businessPhones").or_insert_with(|| json!([]));
    whole
}

/// A user with the selected properties, as an entry of a collection of directory objects when `typed`.
pub(crate) fn show(
    whole: &Map<String, Value>,
    select: Option<&[String]>,
    typed: bool,
) -> Map<String, Value> {
    let mut shown = match select {
        Some(names) => query::pick(whole, names),
        None => query::pick(whole, &DEFAULT),
    };
    if typed {
        shown.insert("@odata.type".into(), json!("#microsoft.graph.user"));
    }
    shown
}

/// The selected properties of users; refuses what the client may not read.
pub(crate) fn selected(call: &Call<'_>) -> Result<Option<Vec<String>>, Answer> {
    let select = query::select(call, &USER, &[], "user")?;
    if let Some(names) = &select {
        may_read(call, names)?;
    }
    Ok(select)
}

/// Refuses properties that take a permission that the client lacks.
pub(crate) fn may_read(call: &Call<'_>, names: &[String]) -> Result<(), Answer> {
    if names.iter().any(|name| name == LIFE_CYCLE) && !call.may(&READ_LIFE_CYCLE) {
        return Err(Answer::denied());
    }
    Ok(())
}

pub(crate) fn find<'w>(world: &'w World, key: &str) -> Result<&'w User, Answer> {
    world.user(key).ok_or_else(|| Answer::not_found(key))
}

/// `GET /users`
pub(crate) fn list(call: &Call<'_>) -> Answered {
    let select = selected(call)?;
    let expand = Expand::parse(call, &["manager"])?;
    let world = call.shared.world();
    let ids: Vec<Uuid> = world.listed_users().map(|user| user.id).collect();
    query::page(
        call,
        "users",
        ids.into_iter(),
        |id| {
            let user = world.users.get(&id)?;
            let mut whole = whole(user);
            licences::put(call, &world, user, &mut whole);
            Some(whole)
        },
        |id, whole| {
            let mut shown = show(&whole, select.as_deref(), false);
            if let (Some(expand), Some(user)) = (&expand, world.users.get(&id)) {
                expand::manager(&world, user, expand, &mut shown);
            }
            Value::Object(shown)
        },
    )
}

/// `GET /users/{id}`
pub(crate) fn get(call: &Call<'_>, key: &str) -> Answered {
    let select = selected(call)?;
    let expand = Expand::parse(call, &["manager"])?;
    let world = call.shared.world();
    let user = find(&world, key)?;
    let mut whole = whole(user);
    licences::put(call, &world, user, &mut whole);
    let mut shown = show(&whole, select.as_deref(), false);
    shown.insert("@odata.context".into(), call.context("users/$entity"));
    if let Some(expand) = &expand {
        expand::manager(&world, user, expand, &mut shown);
    }
    Ok(Answer::ok(Value::Object(shown)))
}

/// `POST /users`
pub(crate) fn create(call: &Call<'_>) -> Answered {
    let mut body = call.object()?;
    for name in [
        "accountEnabled",
        "displayName",
        "mailNickname",
        "userPrincipalName",
        "passwordProfile",
    ] {
        if body.get(name).is_none_or(Value::is_null) {
            return Err(Answer::bad_request(
                "Request_BadRequest",
                &format!("A value is required for property '{name}' of resource 'User'."),
            ));
        }
    }
    // Passwords are nobody's business here.
    body.remove("passwordProfile");
    let mut bytes = [0; 16];
    rand::thread_rng().fill_bytes(&mut bytes);
    let user = User {
        id: uuid::Builder::from_random_bytes(bytes).into_uuid(),
        user_type: Some("Member".into()),
        created_date_time: Some(call.shared.clock.now()),
        ..User::default()
    };
    let user = merge(&user, body)?;
    let mut world = call.shared.world();
    let taken = world.users.values().any(|other| {
        other
            .user_principal_name
            .eq_ignore_ascii_case(&user.user_principal_name)
    });
    if taken {
        return Err(Answer::bad_request(
            "Request_BadRequest",
            "Another object with the same value for property userPrincipalName already exists.",
        ));
    }
    let mut shown = show(&whole(&user), None, false);
    shown.insert("@odata.context".into(), call.context("users/$entity"));
    world.put_user(user);
    Ok(Answer::created(Value::Object(shown)))
}

/// `PATCH /users/{id}`
pub(crate) fn change(call: &Call<'_>, key: &str) -> Answered {
    let body = call.object()?;
    for name in body.keys() {
        let enough: &[&str] = match name.as_str() {
            "accountEnabled" => &[
                "User.EnableDisableAccount.All",
                "User.ReadWrite.All",
                "Directory.ReadWrite.All",
            ],
            LIFE_CYCLE => &["User-LifeCycleInfo.ReadWrite.All"],
            _ => &["User.ReadWrite.All", "Directory.ReadWrite.All"],
        };
        if !call.may(enough) {
            return Err(Answer::denied());
        }
    }
    let mut world = call.shared.world();
    let user = find(&world, key)?;
    if user.on_premises_sync_enabled == Some(true) {
        return Err(on_premises());
    }
    let user = merge(user, body)?;
    world.put_user(user);
    Ok(Answer::no_content())
}

/// The refusal of changes to what an on-premises directory masters.
pub(crate) fn on_premises() -> Answer {
    Answer::bad_request(
        "Request_BadRequest",
        "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.",
    )
}

/// The user with the properties of a body put in.
fn merge(user: &User, body: Map<String, Value>) -> Result<User, Answer> {
    let Ok(Value::Object(mut whole)) = serde_json::to_value(user) else {
        unreachable!("a user is an object");
    };
    let mut other = user.other.clone();
    for (name, value) in body {
        if !USER.contains(&name.as_str()) || name == "id" {
            return Err(Answer::bad_request(
                "Request_BadRequest",
                &format!("Invalid property '{name}'."),
            ));
        }
        if whole.contains_key(&name) {
            whole.insert(name, value);
        } else {
            other.insert(name, value);
        }
    }
    whole.insert("other".into(), Value::Object(other));
    serde_json::from_value(Value::Object(whole)).map_err(|error| {
        Answer::bad_request(
            "Request_BadRequest",
            &format!("Invalid value specified for a property: {error}."),
        )
    })
}

/// `DELETE /users/{id}`
pub(crate) fn delete(call: &Call<'_>, key: &str) -> Answered {
    let mut world = call.shared.world();
    let id = find(&world, key)?.id;
    world.delete_user(id);
    Ok(Answer::no_content())
}

/// `GET /users/{id}/manager`
pub(crate) fn manager(call: &Call<'_>, key: &str) -> Answered {
    let select = selected(call)?;
    let world = call.shared.world();
    let manager = find(&world, key)?
        .manager
        .and_then(|id| world.users.get(&id));
    let manager = manager.ok_or_else(|| Answer::not_found("manager"))?;
    let mut shown = show(&whole(manager), select.as_deref(), true);
    shown.insert(
        "@odata.context".into(),
        call.context("directoryObjects/$entity"),
    );
    Ok(Answer::ok(Value::Object(shown)))
}

/// `PUT /users/{id}/manager/$ref`
pub(crate) fn set_manager(call: &Call<'_>, key: &str) -> Answered {
    let body = call.object()?;
    let manager = reference::one(call, body.get("@odata.id"))?;
    let mut world = call.shared.world();
    if world.user(&manager.to_string()).is_none() {
        return Err(Answer::not_found(manager));
    }
    let mut user = find(&world, key)?.clone();
    user.manager = Some(manager);
    world.put_user(user);
    Ok(Answer::no_content())
}

/// `DELETE /users/{id}/manager/$ref`
pub(crate) fn remove_manager(call: &Call<'_>, key: &str) -> Answered {
    let mut world = call.shared.world();
    let mut user = find(&world, key)?.clone();
    if user.manager.take().is_none() {
        return Err(Answer::not_found("manager"));
    }
    world.put_user(user);
    Ok(Answer::no_content())
}

/// `GET /users/{id}/sponsors`
pub(crate) fn sponsors(call: &Call<'_>, key: &str) -> Answered {
    let world = call.shared.world();
    let ids: BTreeSet<Uuid> = find(&world, key)?.sponsors.iter().copied().collect();
    people(call, &world, ids)
}

/// `GET /users/{id}/directReports`
pub(crate) fn direct_reports(call: &Call<'_>, key: &str) -> Answered {
    let world = call.shared.world();
    let id = find(&world, key)?.id;
    let ids = world
        .listed_users()
        .filter(|user| user.manager == Some(id))
        .map(|user| user.id)
        .collect();
    people(call, &world, ids)
}

fn people(call: &Call<'_>, world: &World, ids: BTreeSet<Uuid>) -> Answered {
    let select = selected(call)?;
    query::page(
        call,
        "directoryObjects",
        ids.into_iter(),
        |id| world.users.get(&id).map(whole),
        |_, whole| Value::Object(show(&whole, select.as_deref(), true)),
    )
}

/// `POST /users/{id}/revokeSignInSessions`
pub(crate) fn revoke_sessions(call: &Call<'_>, key: &str) -> Answered {
    let mut world = call.shared.world();
    let id = find(&world, key)?.id;
    world.revoke_sessions(id, call.shared.clock.now());
    Ok(Answer::ok(
        json!({ "@odata.context": call.context("Edm.Boolean"), "value": true }),
    ))
}
