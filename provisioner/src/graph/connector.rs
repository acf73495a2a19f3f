//! Membership of groups in Microsoft Entra ID, as a [`Connector`].
//!
//! Whether an account is a direct member is read from the account's side (`/users/{id}/memberOf`, cast to groups, by
//! pages): a person is in tens of groups, a group may have a hundred thousand members; the listing is of direct
//! memberships only, costs least of all reads, and is not answered from the search index, which lags most.
//! `checkMemberGroups` would count nested membership, which is not ours to confirm, and a single membership
//! (`/groups/{id}/members/{id}`) cannot be read at all.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::assignment::Observed;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, Error, Graph, Kind, Priority};
use crate::connector::{Connector, Evidence, Failure, Finding, Listing, Outcome, Place, Reply};

/// A listing of one person's groups with more pages than this is no such listing.
const MOST_PAGES: usize = 50;

/// A group that no tenant has: a write to it is refused with 403 if we may not write, with 404 if we may.
const NO_GROUP: Uuid = Uuid::from_u128(0x5f0c_2f0e_7b1d_4a6e_9c3b_1d2e_3f4a_5b6c);

/// Everything that is asked of Graph here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    /// The groups that an account is a direct member of.
    GroupsOf(Uuid),
    /// The people who are direct members.
    MembersOf(Uuid),
    /// Whether a group exists.
    Group(Uuid),
    /// Whether an account exists.
    User(Uuid),
    /// Make an account a member.
    Add { group: Uuid },
    /// End a membership.
    Remove { group: Uuid, user: Uuid },
}

/// Method and path of a call: the only place where they are put together. A DELETE always ends in `/$ref`, for without
/// it Graph deletes the account itself.
fn address(ask: Ask) -> (Method, String) {
    match ask {
        Ask::GroupsOf(user) => (
            Method::GET,
            format!("/users/{user}/memberOf/microsoft.graph.group?$select=id&$top=999"),
        ),
        Ask::MembersOf(group) => (
            Method::GET,
            format!("/groups/{group}/members/microsoft.graph.user?$select=id&$top=999"),
        ),
        Ask::Group(group) => (Method::GET, format!("/groups/{group}?$select=id")),
        Ask::User(user) => (Method::GET, format!("/users/{user}?$select=id")),
        Ask::Add { group } => (Method::POST, format!("/groups/{group}/members/$ref")),
        Ask::Remove { group, user } => (
            Method::DELETE,
            format!("/groups/{group}/members/{user}/$ref"),
        ),
    }
}

/// Group membership through Microsoft Graph.
#[derive(Clone, Debug)]
pub struct Groups {
    graph: Graph,
}

impl Groups {
    /// Over a client.
    pub const fn new(graph: Graph) -> Self {
        Self { graph }
    }

    async fn ask(&self, ask: Ask, body: Option<&Value>) -> Result<Answer, Error> {
        let (method, path) = address(ask);
        self.graph.call(method, &path, body, Priority::High).await
    }

    async fn memberships(&self, user: Uuid, group: Uuid) -> Result<(Observed, Answer), Error> {
        let mut answer = self.ask(Ask::GroupsOf(user), None).await?;
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
            answer = self.graph.get(next, Priority::High).await?;
        }
        Err(odd("a listing goes in circles", &answer))
    }

    /// 404 to a change does not say what is missing: the group, the account or the link.
    async fn what_is_missing(&self, group: Uuid, user: Uuid) -> Missing {
        match self.ask(Ask::Group(group), None).await {
            Err(error) if error.kind == Kind::NotFound => return Missing::Group,
            Err(error) => return Missing::Unknown(error),
            Ok(_) => {}
        }
        match self.ask(Ask::User(user), None).await {
            Err(error) if error.kind == Kind::NotFound => Missing::User,
            Err(error) => Missing::Unknown(error),
            Ok(_) => Missing::Link,
        }
    }
}

#[derive(Debug)]
enum Missing {
    Group,
    User,
    Link,
    Unknown(Error),
}

#[async_trait]
impl Connector for Groups {
    async fn observe(&self, place: &Place) -> Reply {
        let started = Instant::now();
        let group = match group_of(place) {
            Ok(group) => group,
            Err(reply) => return *reply,
        };
        match self.memberships(place.object_id, group).await {
            Ok((seen, answer)) => Reply::seen(
                seen,
                evidence(&answer, started, "direct groups of the account read"),
            ),
            // The account does not exist, so it is in no group.
            Err(error) if error.kind == Kind::NotFound => Reply::seen(
                Observed::Absent,
                Evidence {
                    detail: format!("the account is not in the directory: {error}"),
                    ..refusal(&error, started)
                },
            ),
            Err(error) => failure(&error, started, read_failure(&error)),
        }
    }

    async fn ensure_present(&self, place: &Place) -> Reply {
        let started = Instant::now();
        let group = match writable(place) {
            Ok(group) => group,
            Err(reply) => return *reply,
        };
        let user = place.object_id;
        let body = json!({"@odata.id": format!("{}/directoryObjects/{user}", self.graph.base())});
        let error = match self.ask(Ask::Add { group }, Some(&body)).await {
            Ok(answer) => return done(Outcome::Done, evidence(&answer, started, "member added")),
            Err(error) => error,
        };
        if error.kind == Kind::Refused && error.says("added object references already exist") {
            return done(Outcome::Already, refusal(&error, started));
        }
        if error.kind == Kind::NotFound {
            let why = match self.what_is_missing(group, user).await {
                Missing::Group => no_group(place),
                Missing::User => Failure::Never {
                    why: "The account is no longer in the directory.".into(),
                    fix: "Restore the account there, or end this access.".into(),
                },
                Missing::Link => later(&error),
                Missing::Unknown(error) => read_failure(&error),
            };
            return failure(&error, started, why);
        }
        failure(&error, started, write_failure(&error, place))
    }

    async fn ensure_absent(&self, place: &Place) -> Reply {
        let started = Instant::now();
        // Tried also where the last import says that nobody can write to the group: what it says may be old or wrong, and
        // a right that is due to go must not stay for want of a call. Graph says no soon enough.
        let group = match group_of(place) {
            Ok(group) => group,
            Err(reply) => return *reply,
        };
        let user = place.object_id;
        let error = match self.ask(Ask::Remove { group, user }, None).await {
            Ok(answer) => return done(Outcome::Done, evidence(&answer, started, "member removed")),
            Err(error) => error,
        };
        if error.kind == Kind::Refused && error.says("removed object references do not exist") {
            return done(Outcome::Already, refusal(&error, started));
        }
        if error.kind == Kind::NotFound {
            return match self.what_is_missing(group, user).await {
                // Read back: the group is there, so the link is what is missing, with or without the account.
                Missing::Link | Missing::User => done(Outcome::Already, refusal(&error, started)),
                Missing::Group => failure(&error, started, no_group(place)),
                Missing::Unknown(unknown) => failure(&error, started, read_failure(&unknown)),
            };
        }
        failure(&error, started, write_failure(&error, place))
    }

    async fn list(&self, kind: &str, external_id: &str) -> Result<Listing, Failure> {
        let group = group_id(kind, external_id).map_err(|failure| *failure)?;
        let (_, path) = address(Ask::MembersOf(group));
        match self.graph.list(&path, Priority::Low).await {
            Ok(members) => Ok(Listing {
                holders: members
                    .iter()
                    .filter_map(|member| Some(id_of(member)?.to_string()))
                    .collect(),
            }),
            Err(error) => Err(read_failure(&error)),
        }
    }

    fn tenant(&self) -> Option<Uuid> {
        Some(self.graph.tenant())
    }

    async fn diagnose(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let reads = [
            (
                "Accounts can be read",
                "/users?$select=id&$top=1",
                "User.Read.All",
            ),
            (
                "Groups can be read",
                "/groups?$select=id&$top=1",
                "GroupMember.Read.All",
            ),
        ];
        for (what, path, permission) in reads {
            findings.push(match self.graph.get(path, Priority::High).await {
                Ok(_) => Finding {
                    fine: true,
                    what: format!("{what}."),
                    fix: String::new(),
                },
                Err(error) => finding(what, &error, permission),
            });
        }
        let body =
            json!({"@odata.id": format!("{}/directoryObjects/{NO_GROUP}", self.graph.base())});
        let what = "Members of groups can be changed";
        findings.push(
            match self.ask(Ask::Add { group: NO_GROUP }, Some(&body)).await {
                Err(error) if error.kind != Kind::NotFound => {
                    finding(what, &error, "GroupMember.ReadWrite.All")
                }
                Ok(_) | Err(_) => Finding {
                    fine: true,
                    what: format!("{what}."),
                    fix: String::new(),
                },
            },
        );
        findings
    }

    fn longest(&self) -> Duration {
        Duration::from_secs(45)
    }
}

/// The group that a place names, or why there is none.
fn group_of(place: &Place) -> Result<Uuid, Box<Reply>> {
    group_id(&place.kind, &place.external_id)
        .map_err(|failure| Box::new(Reply::unasked(Outcome::Failed(*failure), "not asked")))
}

fn group_id(kind: &str, external_id: &str) -> Result<Uuid, Box<Failure>> {
    if kind != "group" {
        return Err(Box::new(Failure::Never {
            why: "Latchkey does not assign app roles: whoever may do so may give any application any permission.".into(),
            fix: "Assign the app role to a group, and offer membership of that group instead.".into(),
        }));
    }
    Uuid::parse_str(external_id).map_err(|_| {
        Box::new(Failure::Never {
            why: format!("{external_id:?} is not the object id of a group."),
            fix: "Correct the entitlement's id in the catalogue.".into(),
        })
    })
}

/// The group to add to, unless it is known that nobody may through Graph.
fn writable(place: &Place) -> Result<Uuid, Box<Reply>> {
    if place.manageable {
        return group_of(place);
    }
    let reason = place
        .unmanageable_reason
        .as_deref()
        .unwrap_or("no reason is known");
    Err(Box::new(Reply::unasked(
        Outcome::Failed(Failure::Never {
            why: format!(
                "Membership of {} cannot be changed through Microsoft Graph: {reason}",
                place.name
            ),
            fix: "Change it by hand where it is managed; the portal sees the change by itself."
                .into(),
        }),
        "not asked",
    )))
}

fn no_group(place: &Place) -> Failure {
    Failure::Never {
        why: format!("The group of {} is no longer in the directory.", place.name),
        fix: "Restore the group there, or take the entitlement out of the catalogue.".into(),
    }
}

fn later(error: &Error) -> Failure {
    Failure::Later {
        after: error
            .retry_after
            .and_then(|after| chrono::Duration::from_std(after).ok())
            // Throttled without a word how long: the bucket of writes fills over minutes.
            .or_else(|| (error.kind == Kind::Throttled).then(|| chrono::Duration::seconds(10))),
        throttled: error.kind == Kind::Throttled,
        why: error.to_string(),
    }
}

/// What an answer means that has to do with the whole connection.
fn connection_failure(error: &Error) -> Option<Failure> {
    match error.kind {
        Kind::Network | Kind::Throttled | Kind::Server | Kind::Conflict | Kind::Gone | Kind::Nonsense => Some(later(error)),
        Kind::Credential => Some(Failure::Misconfigured {
            what: format!("Microsoft Entra does not accept our credential: {error}"),
            fix: "Check tenant, client id and secret or certificate of the app registration; it may have expired.".into(),
            everywhere: true,
        }),
        Kind::Denied | Kind::NotFound | Kind::Refused => None,
    }
}

fn read_failure(error: &Error) -> Failure {
    connection_failure(error).unwrap_or_else(|| match error.kind {
        Kind::Denied => Failure::Misconfigured {
            what: format!("Microsoft Graph does not let us read memberships: {error}"),
            fix: "Consent to User.Read.All and GroupMember.Read.All for the app registration."
                .into(),
            everywhere: true,
        },
        _ => Failure::Never {
            why: format!("Microsoft Graph refused to read the membership: {error}"),
            fix: "Check the ids of the account and the group.".into(),
        },
    })
}

fn write_failure(error: &Error, place: &Place) -> Failure {
    if let Some(failure) = connection_failure(error) {
        return failure;
    }
    let name = &place.name;
    if error.kind == Kind::Denied {
        return Failure::Misconfigured {
            what: format!("Microsoft Graph does not let us change members of {name}: {error}"),
            fix: "Consent to GroupMember.ReadWrite.All for the app registration. A group that can hold directory roles needs RoleManagement.ReadWrite.Directory besides; a group in a restricted administrative unit cannot be managed from here.".into(),
            everywhere: false,
        };
    }
    // The code is the same for all of these; only the text tells them apart.
    let (why, fix) = if error.says("not a valid reference update") {
        return later(error);
    } else if error.says("mail-enabled") {
        (
            format!("{name} is a mail-enabled group, which Microsoft Graph cannot change."),
            "Change its members in Exchange Online, or offer a security or Microsoft 365 group instead.",
        )
    } else if error.says("on-premises mastered") {
        (
            format!(
                "{name} is synchronised from the on-premises directory, which alone may change it."
            ),
            "Change its members there, or offer a group that lives in Entra ID instead.",
        )
    } else if error.says("dynamic") {
        (
            format!("The members of {name} are computed by a rule."),
            "Change the rule or the attributes that it looks at, or take the entitlement out of the catalogue.",
        )
    } else {
        (
            format!("Microsoft Graph refused the change of {name}: {error}"),
            "Read what it says, mend it at the target, and try again.",
        )
    };
    Failure::Never {
        why,
        fix: fix.into(),
    }
}

fn finding(what: &str, error: &Error, permission: &str) -> Finding {
    let fix = match error.kind {
        Kind::Denied => format!("Consent to {permission} for the app registration."),
        Kind::Credential => {
            "Check tenant, client id and secret or certificate of the app registration.".into()
        }
        _ => "Check the address of Microsoft Graph and the way there.".into(),
    };
    Finding {
        fine: false,
        what: format!("{what}: no. {error}"),
        fix,
    }
}

fn id_of(value: &Value) -> Option<Uuid> {
    value["id"].as_str().and_then(|id| Uuid::parse_str(id).ok())
}

fn odd(what: &str, answer: &Answer) -> Error {
    Error {
        request_id: answer.request_id.clone(),
        client_request_id: Some(answer.client_request_id.clone()),
        ..Error::plain(Kind::Nonsense, what)
    }
}

fn evidence(answer: &Answer, started: Instant, detail: &str) -> Evidence {
    Evidence {
        status: Some(answer.status),
        request_id: answer.request_id.clone(),
        client_request_id: Some(answer.client_request_id.clone()),
        detail: detail.to_owned(),
        account: None,
        took: started.elapsed(),
    }
}

fn refusal(error: &Error, started: Instant) -> Evidence {
    Evidence {
        status: error.status,
        request_id: error.request_id.clone(),
        client_request_id: error.client_request_id.clone(),
        detail: error.to_string(),
        account: None,
        took: started.elapsed(),
    }
}

const fn done(outcome: Outcome, evidence: Evidence) -> Reply {
    Reply { outcome, evidence }
}

fn failure(error: &Error, started: Instant, failure: Failure) -> Reply {
    Reply {
        outcome: Outcome::Failed(failure),
        evidence: refusal(error, started),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delete_never_lacks_ref() {
        let (group, user) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let asks = [
            Ask::GroupsOf(user),
            Ask::MembersOf(group),
            Ask::Group(group),
            Ask::User(user),
            Ask::Add { group },
            Ask::Remove { group, user },
        ];
        for ask in asks {
            let (method, path) = address(ask);
            assert!(
                path.starts_with("/groups/") || path.starts_with("/users/"),
                "{path}"
            );
            assert!(
                method != Method::DELETE || path.ends_with("/$ref"),
                "{path}"
            );
            assert!(method == Method::GET || path.ends_with("/$ref"), "{path}");
        }
        assert_eq!(
            address(Ask::Remove { group, user }),
            (
                Method::DELETE,
                format!("/groups/{group}/members/{user}/$ref")
            )
        );
    }

    #[test]
    fn what_is_no_group_is_never_asked_for() {
        for (kind, id) in [
            ("group", "../users/1"),
            ("group", ""),
            ("app_role", "00000000-0000-0000-0000-000000000001"),
        ] {
            assert!(
                matches!(group_id(kind, id), Err(failure) if matches!(*failure, Failure::Never { .. }))
            );
        }
    }
}
