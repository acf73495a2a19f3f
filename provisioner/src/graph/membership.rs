//! Membership of groups.
//!
//! Whether an account is a direct member is read from the account's side (`/users/{id}/memberOf`, cast to groups, by
//! pages): a person is in tens of groups, a group may have a hundred thousand members; the listing is of direct
//! memberships only, costs least of all reads, and is not answered from the search index, which lags most.
//! `checkMemberGroups` would count nested membership, which is not ours to confirm, and a single membership
//! (`/groups/{id}/members/{id}`) cannot be read at all.

use std::time::Instant;

use domain::assignment::Observed;
use serde_json::json;
use uuid::Uuid;

use super::{
    Answer, Error, Graph, Kind, Priority,
    address::{Ask, call, list as list_all},
    connector::{MOST_PAGES, id_of},
    failure::{
        Needs, done, evidence, failed, later, never, no_account, odd, read_failure, refusal,
        write_failure,
    },
};
use crate::connector::{Evidence, Failure, Listing, Outcome, Place, Reply};

const READING: Needs = Needs {
    doing: "read memberships",
    fix: "Consent to User.Read.All and GroupMember.Read.All for the app registration.",
    everywhere: true,
    check: "Check the ids of the account and the group.",
};
const WRITING: Needs = Needs {
    doing: "change the members of the group",
    fix: "Consent to GroupMember.ReadWrite.All for the app registration. A group that can hold directory roles needs RoleManagement.ReadWrite.Directory besides; a group in a restricted administrative unit cannot be managed from here.",
    everywhere: false,
    check: "Check the ids of the account and the group.",
};

pub(super) async fn observe(graph: &Graph, place: &Place, group: Uuid, started: Instant) -> Reply {
    match memberships(graph, place.object_id, group).await {
        Ok((seen, answer)) => Reply::seen(
            seen,
            evidence(&answer, started, "direct groups of the account read"),
        ),
        Err(error) => not_there(&error, started)
            .unwrap_or_else(|| failed(&error, started, read_failure(&error, &READING))),
    }
}

/// The account does not exist, so it holds nothing.
pub(super) fn not_there(error: &Error, started: Instant) -> Option<Reply> {
    (error.kind == Kind::NotFound).then(|| {
        Reply::seen(
            Observed::Absent,
            Evidence {
                detail: format!("the account is not in the directory: {error}"),
                ..refusal(error, started)
            },
        )
    })
}

async fn memberships(graph: &Graph, user: Uuid, group: Uuid) -> Result<(Observed, Answer), Error> {
    let mut answer = call(graph, Ask::GroupsOf(user), None).await?;
    for _ in 0..MOST_PAGES {
        let Some(groups) = answer.body["value"].as_array() else {
            return Err(odd("a listing has no values", &answer));
        };
        if groups.iter().any(|held| id_of(held) == Some(group)) {
            return Ok((Observed::Present, answer));
        }
        let Some(next) = answer.body["@odata.nextLink"].as_str() else {
            return Ok((Observed::Absent, answer));
        };
        answer = graph.get(next, Priority::High).await?;
    }
    Err(odd("a listing goes in circles", &answer))
}

pub(super) async fn add(graph: &Graph, place: &Place, group: Uuid, started: Instant) -> Reply {
    let user = place.object_id;
    let body = json!({"@odata.id": format!("{}/directoryObjects/{user}", graph.base())});
    let error = match call(graph, Ask::Add { group }, Some(&body)).await {
        Ok(answer) => return done(Outcome::Done, evidence(&answer, started, "member added")),
        Err(error) => error,
    };
    if error.kind == Kind::Refused && error.says("added object references already exist") {
        return done(Outcome::Already, refusal(&error, started));
    }
    if error.kind == Kind::NotFound {
        let why = match what_is_missing(graph, group, user).await {
            Missing::Group => no_group(place),
            Missing::User => no_account(),
            Missing::Link => later(&error),
            Missing::Unknown(error) => read_failure(&error, &READING),
        };
        return failed(&error, started, why);
    }
    failed(&error, started, change_failure(&error, place))
}

pub(super) async fn remove(graph: &Graph, place: &Place, group: Uuid, started: Instant) -> Reply {
    let user = place.object_id;
    let error = match call(graph, Ask::Remove { group, user }, None).await {
        Ok(answer) => return done(Outcome::Done, evidence(&answer, started, "member removed")),
        Err(error) => error,
    };
    if error.kind == Kind::Refused && error.says("removed object references do not exist") {
        return done(Outcome::Already, refusal(&error, started));
    }
    if error.kind == Kind::NotFound {
        return match what_is_missing(graph, group, user).await {
            // Read back: the group is there, so the link is what is missing, with or without the account.
            Missing::Link | Missing::User => done(Outcome::Already, refusal(&error, started)),
            Missing::Group => failed(&error, started, no_group(place)),
            Missing::Unknown(unknown) => failed(&error, started, read_failure(&unknown, &READING)),
        };
    }
    failed(&error, started, change_failure(&error, place))
}

pub(super) async fn list(graph: &Graph, group: Uuid) -> Result<Listing, Failure> {
    match list_all(graph, Ask::MembersOf(group)).await {
        Ok(members) => Ok(Listing {
            holders: members
                .iter()
                .filter_map(|member| Some(id_of(member)?.to_string()))
                .collect(),
            ..Listing::default()
        }),
        Err(error) => Err(read_failure(&error, &READING)),
    }
}

#[derive(Debug)]
enum Missing {
    Group,
    User,
    Link,
    Unknown(Error),
}

/// 404 to a change does not say what is missing: the group, the account or the link.
async fn what_is_missing(graph: &Graph, group: Uuid, user: Uuid) -> Missing {
    match call(graph, Ask::Group(group), None).await {
        Err(error) if error.kind == Kind::NotFound => return Missing::Group,
        Err(error) => return Missing::Unknown(error),
        Ok(_) => {}
    }
    match call(graph, Ask::User(user), None).await {
        Err(error) if error.kind == Kind::NotFound => Missing::User,
        Err(error) => Missing::Unknown(error),
        Ok(_) => Missing::Link,
    }
}

fn no_group(place: &Place) -> Failure {
    never(
        format!("The group of {} is no longer in the directory.", place.name),
        "Restore the group there, or take the entitlement out of the catalogue.",
    )
}

fn change_failure(error: &Error, place: &Place) -> Failure {
    let name = &place.name;
    write_failure(error, &WRITING, name, |error| {
        Some(if error.says("mail-enabled") {
            never(
                format!("{name} is a mail-enabled group, which Microsoft Graph cannot change."),
                "Change its members in Exchange Online, or offer a security or Microsoft 365 group instead.",
            )
        } else if error.says("on-premises mastered") {
            never(
                format!(
                    "{name} is synchronised from the on-premises directory, which alone may change it."
                ),
                "Change its members there, or offer a group that lives in Entra ID instead.",
            )
        } else if error.says("dynamic") {
            never(
                format!("The members of {name} are computed by a rule."),
                "Change the rule or the attributes that it looks at, or take the entitlement out of the catalogue.",
            )
        } else {
            return None;
        })
    })
}
