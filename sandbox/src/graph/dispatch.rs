//! Which code answers which call, and which application permissions it takes.

use super::{
    apps,
    call::{Answer, Answered, Call},
    delta::{self, Set},
    groups::{self, Cast},
    licences, users,
};

const READ_USERS: [&str; 4] = [
    "User.Read.All",
    "User.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
const WRITE_USERS: [&str; 2] = ["User.ReadWrite.All", "Directory.ReadWrite.All"];
const REVOKE: [&str; 3] = [
    "User.RevokeSessions.All",
    "User.ReadWrite.All",
    "Directory.ReadWrite.All",
];
const DELETE_USERS: [&str; 2] = ["User.DeleteRestore.All", "User.ReadWrite.All"];
const READ_GROUPS: [&str; 6] = [
    "GroupMember.Read.All",
    "GroupMember.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
const WRITE_MEMBERS: [&str; 3] = [
    "GroupMember.ReadWrite.All",
    "Group.ReadWrite.All",
    "Directory.ReadWrite.All",
];
/// Of a user, `Application.Read.All` does not do.
const READ_ROLES_OF_USER: [&str; 3] = [
    "Directory.Read.All",
    "Directory.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
];
const ASSIGN_ROLES: [&str; 1] = ["AppRoleAssignment.ReadWrite.All"];
const READ_SKUS: [&str; 5] = [
    "LicenseAssignment.Read.All",
    "LicenseAssignment.ReadWrite.All",
    "Organization.Read.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
const ASSIGN_LICENCES: [&str; 3] = [
    "LicenseAssignment.ReadWrite.All",
    "User.ReadWrite.All",
    "Directory.ReadWrite.All",
];
const READ_APPS: [&str; 4] = [
    "Application.Read.All",
    "Application.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
/// The few properties of the organisation that are shown here are open to any reader of the directory.
const READ_ORGANIZATION: [&str; 7] = [
    "Organization.Read.All",
    "User.Read.All",
    "User.ReadWrite.All",
    "GroupMember.Read.All",
    "GroupMember.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

/// Answers one call.
pub(crate) fn dispatch(call: &Call<'_>) -> Answered {
    let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    // `set(key)` is another spelling of `set/key`.
    let spelled: Vec<&str> = match segments.split_first() {
        Some((first, rest)) => match first
            .strip_suffix(')')
            .and_then(|first| first.split_once('('))
        {
            Some((set, key)) if !key.is_empty() => [set, key.trim_matches('\'')]
                .into_iter()
                .chain(rest.iter().copied())
                .collect(),
            _ => segments.clone(),
        },
        None => Vec::new(),
    };
    match (call.method, spelled.as_slice()) {
        (method, ["users", rest @ ..]) => on_users(call, method, rest),
        (method, ["groups", rest @ ..]) => on_groups(call, method, rest),
        ("GET", ["servicePrincipals"]) => allowed(call, &READ_APPS, apps::list),
        ("GET", ["servicePrincipals", key]) => {
            allowed(call, &READ_APPS, |call| apps::get(call, key))
        }
        ("GET", ["servicePrincipals", key, "appRoleAssignedTo"]) => {
            allowed(call, &READ_APPS, |call| apps::assigned_to(call, key))
        }
        ("POST", ["servicePrincipals", key, "appRoleAssignedTo"]) => {
            allowed(call, &ASSIGN_ROLES, |call| apps::assign(call, key))
        }
        ("DELETE", ["servicePrincipals", key, "appRoleAssignedTo", id]) => {
            allowed(call, &ASSIGN_ROLES, |call| apps::unassign(call, key, id))
        }
        ("GET", ["subscribedSkus"]) => allowed(call, &READ_SKUS, |call| Ok(licences::list(call))),
        ("GET", ["subscribedSkus", key]) => {
            allowed(call, &READ_SKUS, |call| licences::get(call, key))
        }
        ("GET", ["organization"]) => allowed(call, &READ_ORGANIZATION, apps::organization),
        ("GET", ["directoryObjects", key]) => {
            allowed(call, &READ_USERS, |call| apps::directory_object(call, key))
        }
        _ => unknown(call),
    }
}

fn allowed(
    call: &Call<'_>,
    any_of: &[&str],
    answer: impl FnOnce(&Call<'_>) -> Answered,
) -> Answered {
    if call.may(any_of) {
        answer(call)
    } else {
        Err(Answer::denied())
    }
}

fn unknown(call: &Call<'_>) -> Answered {
    let last = call.segments.last().map_or("", String::as_str);
    Err(Answer::bad_request(
        "BadRequest",
        &format!("Resource not found for the segment '{last}'."),
    )
    .alarm(format!("the sandbox has no {} {}", call.method, call.path)))
}

fn on_users(call: &Call<'_>, method: &str, rest: &[&str]) -> Answered {
    match (method, rest) {
        ("GET", []) => allowed(call, &READ_USERS, users::list),
        ("POST", []) => allowed(call, &WRITE_USERS, users::create),
        ("GET", ["delta" | "delta()"]) => {
            allowed(call, &READ_USERS, |call| delta::answer(call, Set::Users))
        }
        ("GET", [key]) => allowed(call, &READ_USERS, |call| users::get(call, key)),
        // Each property has its own permission.
        ("PATCH", [key]) => users::change(call, key),
        ("DELETE", [key]) => allowed(call, &DELETE_USERS, |call| users::delete(call, key)),
        ("GET", [key, "manager"]) => allowed(call, &READ_USERS, |call| users::manager(call, key)),
        ("PUT", [key, "manager", "$ref"]) => {
            allowed(call, &WRITE_USERS, |call| users::set_manager(call, key))
        }
        ("DELETE", [key, "manager", "$ref"]) => {
            allowed(call, &WRITE_USERS, |call| users::remove_manager(call, key))
        }
        ("DELETE", [_, "manager"]) => groups::dangerous_delete(call),
        ("GET", [key, "sponsors"]) => allowed(call, &READ_USERS, |call| users::sponsors(call, key)),
        ("GET", [key, "directReports"]) => {
            allowed(call, &READ_USERS, |call| users::direct_reports(call, key))
        }
        (
            "GET",
            [
                key,
                relation @ ("memberOf" | "transitiveMemberOf"),
                cast @ ..,
            ],
        ) => {
            let transitive = *relation == "transitiveMemberOf";
            let Some(cast) = cast_of(cast) else {
                return unknown(call);
            };
            allowed(call, &READ_GROUPS, |call| {
                groups::member_of(call, key, transitive, cast)
            })
        }
        ("POST", [key, "checkMemberGroups"]) => allowed(call, &READ_GROUPS, |call| {
            groups::check_member_groups(call, key)
        }),
        ("POST", [key, "getMemberObjects" | "getMemberGroups"]) => {
            allowed(call, &READ_GROUPS, |call| groups::member_objects(call, key))
        }
        ("POST", [key, "revokeSignInSessions"]) => {
            allowed(call, &REVOKE, |call| users::revoke_sessions(call, key))
        }
        ("POST", [key, "assignLicense"]) => {
            allowed(call, &ASSIGN_LICENCES, |call| licences::assign(call, key))
        }
        ("GET", [key, "appRoleAssignments"]) => {
            allowed(call, &READ_ROLES_OF_USER, |call| apps::of_user(call, key))
        }
        _ => unknown(call),
    }
}

fn on_groups(call: &Call<'_>, method: &str, rest: &[&str]) -> Answered {
    match (method, rest) {
        ("GET", []) => allowed(call, &READ_GROUPS, groups::list),
        ("GET", ["delta" | "delta()"]) => {
            allowed(call, &READ_GROUPS, |call| delta::answer(call, Set::Groups))
        }
        ("GET", [key]) => allowed(call, &READ_GROUPS, |call| groups::get(call, key)),
        ("PATCH", [key]) => allowed(call, &WRITE_MEMBERS, |call| groups::change(call, key)),
        ("GET", [key, relation @ ("members" | "transitiveMembers"), cast @ ..]) => {
            let transitive = *relation == "transitiveMembers";
            let Some(cast) = cast_of(cast) else {
                return unknown(call);
            };
            allowed(call, &READ_GROUPS, |call| {
                groups::members(call, key, transitive, cast)
            })
        }
        ("POST", [key, "members", "$ref"]) => {
            allowed(call, &WRITE_MEMBERS, |call| groups::add_member(call, key))
        }
        ("DELETE", [key, "members", member, "$ref"]) => allowed(call, &WRITE_MEMBERS, |call| {
            groups::remove_member(call, key, member)
        }),
        ("DELETE", [_] | [_, "members"] | [_, "members", _]) => groups::dangerous_delete(call),
        _ => unknown(call),
    }
}

fn cast_of(segments: &[&str]) -> Option<Cast> {
    match segments {
        [] => Some(Cast::Any),
        [segment] => Cast::parse(segment),
        _ => None,
    }
}
