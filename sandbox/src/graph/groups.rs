//! `/groups`: reading groups and their members, and changing members in the words of Entra.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    call::{Answer, Answered, Call},
    expand::{self, Expand},
    properties::{GROUP, USER},
    query, reference, users,
};
use crate::{
    directory::Group,
    world::{LinkError, World},
};

/// One `PATCH` adds so many members at most.
const LARGEST_BIND: usize = 20;
const BIND: &str = "members@odata.bind";

/// A group as Graph shows all of it.
pub(crate) fn whole(group: &Group) -> Map<String, Value> {
    let Ok(Value::Object(mut whole)) = serde_json::to_value(group) else {
        unreachable!("a group is an object");
    };
    for name in ["proxyAddresses", "resourceBehaviorOptions"] {
        whole.entry(name).or_insert_with(|| json!([]));
    }
    whole
}

fn show(whole: Map<String, Value>, select: Option<&[String]>, typed: bool) -> Map<String, Value> {
    let mut shown = match select {
        Some(names) => query::pick(&whole, names),
        None => whole,
    };
    if typed {
        shown.insert("@odata.type".into(), json!("#microsoft.graph.group"));
    }
    shown
}

/// A member, user or group, as an entry of a collection of directory objects.
pub(crate) fn principal(
    world: &World,
    id: Uuid,
    select: Option<&[String]>,
    typed: bool,
) -> Option<Value> {
    let shown = match world.users.get(&id) {
        Some(user) => users::show(&users::whole(user), select, typed),
        None => show(whole(world.groups.get(&id)?), select, typed),
    };
    Some(Value::Object(shown))
}

pub(crate) fn find<'w>(world: &'w World, key: &str) -> Result<&'w Group, Answer> {
    let id = Uuid::parse_str(key).ok();
    id.and_then(|id| world.groups.get(&id))
        .ok_or_else(|| Answer::not_found(key))
}

/// `GET /groups`
pub(crate) fn list(call: &Call<'_>) -> Answered {
    let select = query::select(call, &GROUP, &[], "group")?;
    let expand = Expand::parse(call, &["members"])?;
    let world = call.shared.world();
    let ids: Vec<Uuid> = world.groups.keys().copied().collect();
    query::page(
        call,
        "groups",
        ids.into_iter(),
        |id| world.groups.get(&id).map(whole),
        |id, whole| {
            let mut shown = show(whole, select.as_deref(), false);
            if let Some(expand) = &expand {
                expand::members(
                    &world,
                    &world.members(id, call.effects.lag),
                    expand,
                    &mut shown,
                );
            }
            Value::Object(shown)
        },
    )
}

/// `GET /groups/{id}`
pub(crate) fn get(call: &Call<'_>, key: &str) -> Answered {
    let select = query::select(call, &GROUP, &[], "group")?;
    let expand = Expand::parse(call, &["members"])?;
    let world = call.shared.world();
    let group = find(&world, key)?;
    let mut shown = show(whole(group), select.as_deref(), false);
    if let Some(expand) = &expand {
        expand::members(
            &world,
            &world.members(group.id, call.effects.lag),
            expand,
            &mut shown,
        );
    }
    shown.insert("@odata.context".into(), call.context("groups/$entity"));
    Ok(Answer::ok(Value::Object(shown)))
}

/// Which kind of member a listing was cast to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cast {
    Any,
    Users,
    Groups,
}

impl Cast {
    /// From a segment such as `microsoft.graph.user`.
    pub fn parse(segment: &str) -> Option<Self> {
        match segment {
            "microsoft.graph.user" => Some(Self::Users),
            "microsoft.graph.group" => Some(Self::Groups),
            _ => None,
        }
    }

    fn holds(self, world: &World, id: Uuid) -> bool {
        match self {
            Self::Any => true,
            Self::Users => world.users.contains_key(&id),
            Self::Groups => world.groups.contains_key(&id),
        }
    }
}

/// `GET /groups/{id}/members` and `.../transitiveMembers`, whole or cast.
pub(crate) fn members(call: &Call<'_>, key: &str, transitive: bool, cast: Cast) -> Answered {
    let world = call.shared.world();
    let group = find(&world, key)?.id;
    let lag = call.effects.lag;
    let ids = if transitive {
        world.transitive_members(group, lag)
    } else {
        world.members(group, lag)
    };
    principals(call, &world, ids, cast)
}

/// `GET /users/{id}/memberOf` and `.../transitiveMemberOf`, whole or cast.
pub(crate) fn member_of(call: &Call<'_>, key: &str, transitive: bool, cast: Cast) -> Answered {
    let world = call.shared.world();
    let user = users::find(&world, key)?.id;
    let lag = call.effects.lag;
    let ids = if transitive {
        world.transitive_groups_of(user, lag)
    } else {
        world.groups_of(user, lag)
    };
    principals(call, &world, ids, cast)
}

fn principals(call: &Call<'_>, world: &World, ids: BTreeSet<Uuid>, cast: Cast) -> Answered {
    let known: Vec<&str> = USER.iter().chain(&GROUP).copied().collect();
    let select = query::select(call, &known, &[], "directoryObject")?;
    if let Some(names) = &select {
        users::may_read(call, names)?;
    }
    query::page(
        call,
        "directoryObjects",
        ids.into_iter().filter(|id| cast.holds(world, *id)),
        |id| match world.users.get(&id) {
            Some(user) => Some(users::whole(user)),
            None => world.groups.get(&id).map(whole),
        },
        |id, _| principal(world, id, select.as_deref(), cast == Cast::Any).unwrap_or_default(),
    )
}

/// Refuses a change of members that Entra refuses whoever asks.
fn changeable(call: &Call<'_>, group: &Group) -> Result<(), Answer> {
    if group.on_premises_sync_enabled == Some(true) {
        return Err(users::on_premises());
    }
    if group.mail_enabled && !group.group_types.iter().any(|kind| kind == "Unified") {
        return Err(Answer::bad_request(
            "Request_BadRequest",
            "Cannot Update a mail-enabled security groups and or distribution list.",
        ));
    }
    if group
        .group_types
        .iter()
        .any(|kind| kind == "DynamicMembership")
    {
        return Err(Answer::bad_request(
            "Request_BadRequest",
            "Members of a group with dynamic membership cannot be changed.",
        ));
    }
    let role_assignable = group.is_assignable_to_role == Some(true);
    if group.is_management_restricted == Some(true)
        || (role_assignable && !call.may(&["RoleManagement.ReadWrite.Directory"]))
    {
        return Err(Answer::denied());
    }
    Ok(())
}

fn already() -> Answer {
    Answer::bad_request(
        "Request_BadRequest",
        "One or more added object references already exist for the following modified properties: 'members'.",
    )
}

/// `POST /groups/{id}/members/$ref`
pub(crate) fn add_member(call: &Call<'_>, key: &str) -> Answered {
    let body = call.object()?;
    let member = reference::one(call, body.get("@odata.id"))?;
    let mut world = call.shared.world();
    let group = find(&world, key)?;
    changeable(call, group)?;
    let group = group.id;
    match world.add_member(group, member) {
        Ok(()) => Ok(Answer::no_content()),
        Err(LinkError::Already) => Err(already()),
        Err(_) => Err(Answer::not_found(member)),
    }
}

/// `DELETE /groups/{id}/members/{member}/$ref`
pub(crate) fn remove_member(call: &Call<'_>, key: &str, member: &str) -> Answered {
    let mut world = call.shared.world();
    let group = find(&world, key)?;
    changeable(call, group)?;
    let group = group.id;
    let removed =
        Uuid::parse_str(member).is_ok_and(|member| world.remove_member(group, member).is_ok());
    if removed {
        return Ok(Answer::no_content());
    }
    if call.effects.removed_reference_text {
        return Err(Answer::bad_request(
            "Request_BadRequest",
            "One or more removed object references do not exist for the following modified properties: 'members'.",
        ));
    }
    Err(Answer::not_found(member))
}

/// `DELETE /groups/{id}/members/{member}` without `/$ref`, which on the real Graph can delete the user.
pub(crate) fn dangerous_delete(call: &Call<'_>) -> Answered {
    let why = format!(
        "DELETE {} lacks /$ref: on Microsoft Graph it can delete the object itself",
        call.path
    );
    tracing::error!(
        path = call.path,
        "a DELETE of a member lacks /$ref and would delete the object itself"
    );
    Err(Answer::error(
        axum::http::StatusCode::METHOD_NOT_ALLOWED,
        "Sandbox_DangerousDelete",
        &why,
    )
    .alarm(why))
}

/// `PATCH /groups/{id}`: new members, all or none, or properties.
pub(crate) fn change(call: &Call<'_>, key: &str) -> Answered {
    let mut body = call.object()?;
    let members = body
        .remove(BIND)
        .map(|members| reference::many(call, &members))
        .transpose()?
        .unwrap_or_default();
    if !body.is_empty() && !call.may(&["Group.ReadWrite.All", "Directory.ReadWrite.All"]) {
        return Err(Answer::denied());
    }
    if members.len() > LARGEST_BIND {
        return Err(Answer::bad_request(
            "Request_BadRequest",
            &format!("The number of references in '{BIND}' exceeds the limit of {LARGEST_BIND}."),
        ));
    }
    let mut world = call.shared.world();
    let group = find(&world, key)?;
    if !members.is_empty() {
        changeable(call, group)?;
    }
    let changed = merge(group, body)?;
    let group = group.id;
    let present = world.members(group, std::time::Duration::ZERO);
    let mut fresh = BTreeSet::new();
    for member in members {
        if !world.users.contains_key(&member) && !world.groups.contains_key(&member) {
            return Err(Answer::not_found(member));
        }
        if present.contains(&member) || !fresh.insert(member) {
            return Err(already());
        }
    }
    for member in fresh {
        world
            .add_member(group, member)
            .expect("group and member are there, and not linked");
    }
    if let Some(changed) = changed {
        world.put_group(changed);
    }
    Ok(Answer::no_content())
}

/// The group with the properties of a body put in; `None` when there are none.
fn merge(group: &Group, body: Map<String, Value>) -> Result<Option<Group>, Answer> {
    if body.is_empty() {
        return Ok(None);
    }
    let mut whole = whole(group);
    for (name, value) in body {
        if name == "id" || !whole.contains_key(&name) {
            return Err(Answer::bad_request(
                "Request_BadRequest",
                &format!("Invalid property '{name}'."),
            ));
        }
        whole.insert(name, value);
    }
    serde_json::from_value(Value::Object(whole))
        .map(Some)
        .map_err(|error| {
            Answer::bad_request(
                "Request_BadRequest",
                &format!("Invalid value specified for a property: {error}."),
            )
        })
}

/// `POST /users/{id}/checkMemberGroups`: which of up to 20 groups, through any nesting.
pub(crate) fn check_member_groups(call: &Call<'_>, key: &str) -> Answered {
    let body = call.object()?;
    let asked: Option<Vec<&str>> = body
        .get("groupIds")
        .and_then(Value::as_array)
        .and_then(|ids| ids.iter().map(Value::as_str).collect());
    let Some(asked) = asked.filter(|asked| asked.len() <= 20) else {
        return Err(Answer::bad_request(
            "Request_BadRequest",
            "'groupIds' must be a list of at most 20 ids.",
        ));
    };
    let world = call.shared.world();
    let user = users::find(&world, key)?.id;
    let held = world.transitive_groups_of(user, call.effects.lag);
    let of_them: Vec<&str> = asked
        .into_iter()
        .filter(|id| Uuid::parse_str(id).is_ok_and(|id| held.contains(&id)))
        .collect();
    Ok(Answer::ok(
        json!({ "@odata.context": call.context("Collection(Edm.String)"), "value": of_them }),
    ))
}

/// `POST /users/{id}/getMemberObjects` and `getMemberGroups`: all groups, through any nesting.
pub(crate) fn member_objects(call: &Call<'_>, key: &str) -> Answered {
    let body = call.object()?;
    let security_only = body.get("securityEnabledOnly").and_then(Value::as_bool) == Some(true);
    let world = call.shared.world();
    let user = users::find(&world, key)?.id;
    let held = world.transitive_groups_of(user, call.effects.lag);
    let kept: Vec<Uuid> = held
        .into_iter()
        .filter(|id| !security_only || world.groups[id].security_enabled)
        .collect();
    Ok(Answer::ok(
        json!({ "@odata.context": call.context("Collection(Edm.String)"), "value": kept }),
    ))
}
