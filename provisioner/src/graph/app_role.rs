//! App roles of enterprise applications, assigned to an account directly.
//!
//! A role may reach an account through a group as well: that assignment is the group's, so it is neither counted as held nor
//! taken away here, and a direct one beside it is allowed. Graph lists both from the account's side, told apart by the
//! principal. Graph names an assignment by an id of its own, which is looked up anew before each removal.

use std::time::Instant;

use domain::assignment::Observed;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Answer, Error, Graph, Kind, Priority,
    address::{Ask, call, list as list_all},
    connector::{MOST_PAGES, uuid_of},
    failure::{
        Needs, done, evidence, failed, later, never, no_account, odd, read_failure, refusal,
        write_failure,
    },
    membership::not_there,
};
use crate::connector::{Failure, Listing, Outcome, Place, Reply};

/// An app role, by its ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AppRole {
    /// The application: its service principal's object id.
    pub application: Uuid,
    /// The role.
    pub role: Uuid,
}

const READING: Needs = Needs {
    doing: "read who holds an app role",
    fix: "Consent to AppRoleAssignment.ReadWrite.All and Application.Read.All for the app registration.",
    everywhere: false,
    check: "Check the ids of the account, the application and the role.",
};
const WRITING: Needs = Needs {
    doing: "assign app roles",
    fix: "Consent to AppRoleAssignment.ReadWrite.All for the app registration, or assign the role to a group and offer that: whoever holds this permission may give any application any permission.",
    everywhere: false,
    check: "Check the ids of the account, the application and the role.",
};

/// What of a role reaches an account.
#[derive(Debug)]
struct Held {
    /// Ids of direct assignments.
    direct: Vec<String>,
    /// A group that it comes through.
    through: Option<String>,
    answer: Answer,
}

impl Held {
    /// What the evidence says of it.
    fn said(&self) -> String {
        let direct = if self.direct.is_empty() {
            "not assigned directly"
        } else {
            "assigned directly"
        };
        match &self.through {
            Some(group) => format!(
                "{direct}; it comes through the group {group} as well, which only that group's members and owners change"
            ),
            None => direct.to_owned(),
        }
    }
}

async fn held(graph: &Graph, user: Uuid, of: AppRole) -> Result<Held, Error> {
    let ask = Ask::RolesOf {
        user,
        application: of.application,
    };
    let mut answer = call(graph, ask, None).await?;
    let (mut direct, mut through) = (Vec::new(), None);
    for _ in 0..MOST_PAGES {
        let Some(entries) = answer.body["value"].as_array() else {
            return Err(odd("a listing has no values", &answer));
        };
        for entry in entries.iter().filter(|entry| is_of(entry, of)) {
            if uuid_of(entry, "principalId") == Some(user) {
                let Some(id) = entry["id"].as_str() else {
                    return Err(odd("an assignment has no id", &answer));
                };
                direct.push(id.to_owned());
            } else {
                let name = entry["principalDisplayName"].as_str().unwrap_or_default();
                through = Some(name.to_owned());
            }
        }
        let next = answer.body["@odata.nextLink"].as_str().map(str::to_owned);
        let Some(next) = next else {
            return Ok(Held {
                direct,
                through,
                answer,
            });
        };
        answer = graph.get(&next, Priority::High).await?;
    }
    Err(odd("a listing goes in circles", &answer))
}

fn is_of(entry: &Value, of: AppRole) -> bool {
    uuid_of(entry, "resourceId") == Some(of.application)
        && uuid_of(entry, "appRoleId") == Some(of.role)
}

pub(super) async fn observe(graph: &Graph, place: &Place, of: AppRole, started: Instant) -> Reply {
    match held(graph, place.object_id, of).await {
        Ok(held) => Reply::seen(
            if held.direct.is_empty() {
                Observed::Absent
            } else {
                Observed::Present
            },
            evidence(&held.answer, started, held.said()),
        ),
        Err(error) => not_there(&error, started)
            .unwrap_or_else(|| failed(&error, started, read_failure(&error, &READING))),
    }
}

pub(super) async fn assign(graph: &Graph, place: &Place, of: AppRole, started: Instant) -> Reply {
    let body = json!({
        "principalId": place.object_id, "resourceId": of.application, "appRoleId": of.role,
    });
    let ask = Ask::Assign {
        application: of.application,
    };
    let error = match call(graph, ask, Some(&body)).await {
        Ok(answer) => {
            return done(
                Outcome::Done,
                evidence(&answer, started, "app role assigned"),
            );
        }
        Err(error) => error,
    };
    let already = error.has_code("Request_MultipleObjectsWithSameKeyValue")
        || error.says("already exists on the object")
        || error.says("EntitlementGrant entry already exists");
    if error.kind == Kind::Refused && already {
        return done(Outcome::Already, refusal(&error, started));
    }
    if error.kind == Kind::NotFound {
        let why = what_is_missing(graph, place, of, &error).await;
        return failed(&error, started, why);
    }
    failed(&error, started, change_failure(&error, place))
}

/// 404 to an assignment does not say what is missing: the application or the account.
async fn what_is_missing(graph: &Graph, place: &Place, of: AppRole, error: &Error) -> Failure {
    for (ask, missing) in [
        (Ask::Application(of.application), no_application(place)),
        (Ask::User(place.object_id), no_account()),
    ] {
        match call(graph, ask, None).await {
            Err(error) if error.kind == Kind::NotFound => return missing,
            Err(error) => return read_failure(&error, &READING),
            Ok(_) => {}
        }
    }
    later(error)
}

pub(super) async fn unassign(graph: &Graph, place: &Place, of: AppRole, started: Instant) -> Reply {
    let held = match held(graph, place.object_id, of).await {
        Ok(held) => held,
        Err(error) if error.kind == Kind::NotFound => {
            return done(Outcome::Already, refusal(&error, started));
        }
        Err(error) => return failed(&error, started, read_failure(&error, &READING)),
    };
    let mut ended = None;
    for assignment in &held.direct {
        let ask = Ask::Unassign {
            application: of.application,
            assignment,
        };
        match call(graph, ask, None).await {
            Ok(answer) => ended = Some(answer),
            // Somebody else was faster.
            Err(error) if error.kind == Kind::NotFound => {}
            Err(error) => return failed(&error, started, change_failure(&error, place)),
        }
    }
    match ended {
        Some(answer) => {
            let detail = match &held.through {
                Some(group) => format!(
                    "direct assignment ended; the role still comes through the group {group}, which is not taken away from here"
                ),
                None => "direct assignment ended".to_owned(),
            };
            done(Outcome::Done, evidence(&answer, started, detail))
        }
        None => done(
            Outcome::Already,
            evidence(&held.answer, started, held.said()),
        ),
    }
}

/// The people whom it is assigned to directly; groups are not looked into.
pub(super) async fn list(graph: &Graph, of: AppRole) -> Result<Listing, Failure> {
    let entries = list_all(graph, Ask::AssignedTo(of.application))
        .await
        .map_err(|error| read_failure(&error, &READING))?;
    Ok(Listing {
        holders: entries
            .iter()
            .filter(|entry| is_of(entry, of) && entry["principalType"].as_str() == Some("User"))
            .filter_map(|entry| Some(uuid_of(entry, "principalId")?.to_string()))
            .collect(),
        ..Listing::default()
    })
}

fn no_application(place: &Place) -> Failure {
    never(
        format!(
            "The application of {} is no longer in the directory.",
            place.name
        ),
        "Restore the enterprise application there, or take the entitlement out of the catalogue.",
    )
}

fn change_failure(error: &Error, place: &Place) -> Failure {
    write_failure(error, &WRITING, &place.name, |error| {
        error.says("was not found on application").then(|| {
            never(
                format!("The application no longer declares the role of {}, or has switched it off.", place.name),
                "Declare the role anew in the app registration and correct its id in the catalogue, or take the entitlement out of it.",
            )
        })
    })
}
