//! What a SCIM server's answers mean, and what is sent to it of a person.

use std::time::Instant;

use serde_json::Value;

use super::client::{Answer, Error, Kind};
use crate::connector::{Evidence, Failure, Finding, Outcome, Place, Reply, TargetAccount};

/// An account as the server has it.
pub(super) struct Account {
    pub id: String,
    pub user_name: String,
    pub body: Value,
    pub version: Option<String>,
}

impl Account {
    pub fn of(body: Value, version: Option<String>) -> Result<Self, Error> {
        let Some(id) = body["id"].as_str().filter(|id| !id.is_empty()) else {
            return Err(Error::plain(Kind::Nonsense, "an account has no id"));
        };
        Ok(Self {
            id: id.to_owned(),
            user_name: body["userName"].as_str().unwrap_or_default().to_owned(),
            version: version.or_else(|| body["meta"]["version"].as_str().map(str::to_owned)),
            body,
        })
    }
}

/// Why nothing could be done: the server's own failure, or one that needs a person.
pub(super) enum Stop {
    Failed(Error),
    Person { why: String, fix: String },
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

pub(super) fn settle(done: Result<Reply, Stop>, started: Instant) -> Reply {
    match done {
        Ok(reply) => reply,
        Err(Stop::Person { why, fix }) => Reply {
            outcome: Outcome::Failed(Failure::Never { why, fix }),
            evidence: Evidence {
                took: started.elapsed(),
                detail: "needs a person".into(),
                ..Evidence::default()
            },
        },
        Err(Stop::Failed(error)) => Reply {
            outcome: Outcome::Failed(failure(&error)),
            evidence: refusal(&error, started),
        },
    }
}

pub(super) fn no_group(place: &Place) -> Stop {
    Stop::Person {
        why: format!("The group of {} is not at the target.", place.name),
        fix: "Restore it there, or correct its id in the catalogue.".into(),
    }
}

/// What an answer means for whoever has to mend it.
pub(super) fn failure(error: &Error) -> Failure {
    let later = |throttled: bool| Failure::Later {
        after: error
            .retry_after
            .and_then(|after| chrono::Duration::from_std(after).ok())
            .or_else(|| throttled.then(|| chrono::Duration::seconds(10))),
        throttled,
        why: error.to_string(),
    };
    match error.kind {
        Kind::Throttled => later(true),
        Kind::Network | Kind::Server | Kind::Version | Kind::Taken => later(false),
        Kind::Credential => Failure::Misconfigured {
            what: format!("The SCIM server does not accept our token: {error}"),
            fix: "Make a new one there and put it into the target's secret file.".into(),
            everywhere: true,
        },
        Kind::Denied => Failure::Misconfigured {
            what: format!("The SCIM server does not let us do this: {error}"),
            fix: "Let our token read and change accounts and groups there.".into(),
            everywhere: false,
        },
        Kind::Nonsense => Failure::Misconfigured {
            what: format!("What answers is no SCIM server: {error}"),
            fix: "Check the target's address; a redirect or a web page often means a wrong path or an expired plan.".into(),
            everywhere: true,
        },
        Kind::NotFound | Kind::Unsupported | Kind::Refused => Failure::Never {
            why: format!("The SCIM server refused it: {error}"),
            fix: "Look at what it says; correct the group's id, or the account at the target.".into(),
        },
    }
}

pub(super) fn finding(what: &str, error: &Error) -> Finding {
    let fix = match failure(error) {
        Failure::Never { fix, .. } | Failure::Misconfigured { fix, .. } => fix,
        Failure::Later { .. } => {
            "Look whether the server is up and reachable from here.".to_owned()
        }
    };
    Finding {
        fine: false,
        what: format!("{what}: no. {error}"),
        fix,
    }
}

pub(super) fn evidence(
    answer: &Answer,
    started: Instant,
    detail: &str,
    account: Option<&Account>,
) -> Evidence {
    Evidence {
        status: Some(answer.status),
        request_id: answer.request_id.clone(),
        client_request_id: None,
        detail: detail.to_owned(),
        took: started.elapsed(),
        account: account.map(|account| {
            Box::new(TargetAccount {
                id: account.id.clone(),
                user_name: account.user_name.clone(),
            })
        }),
        otherwise: false,
    }
}

pub(super) fn refusal(error: &Error, started: Instant) -> Evidence {
    Evidence {
        status: error.status,
        request_id: error.request_id.clone(),
        client_request_id: None,
        detail: error.to_string(),
        took: started.elapsed(),
        account: None,
        otherwise: false,
    }
}

/// The ids of a group's members.
pub(super) fn members(group: &Value) -> impl Iterator<Item = &str> {
    group["members"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|member| member["value"].as_str())
}

/// Where a server keeps resources of a type, below its base address.
pub(super) fn endpoint(types: &Value, name: &str) -> Option<String> {
    let listed = types["Resources"].as_array().or_else(|| types.as_array())?;
    let found = listed
        .iter()
        .find(|one| one["name"] == name || one["id"] == name)?;
    let path = found["endpoint"].as_str()?;
    // Relative to the base, whatever the server thinks that is; never another host.
    let last = path.trim_end_matches('/').rsplit('/').next()?;
    let plain = last.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (plain && !last.is_empty()).then(|| format!("/{last}"))
}

/// An id as one segment of a path: it is the server's, and may hold anything.
pub(super) fn segment(id: &str) -> String {
    let mut out = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.extend(format!("%{byte:02X}").chars());
        }
    }
    if out.bytes().all(|byte| byte == b'.') {
        out = out.replace('.', "%2E");
    }
    out
}

pub(super) fn given(place: &Place) -> &str {
    if place.given_name.is_empty() {
        place
            .person_name
            .split_whitespace()
            .next()
            .unwrap_or_default()
    } else {
        &place.given_name
    }
}

pub(super) fn family(place: &Place) -> String {
    let rest = place
        .person_name
        .strip_prefix(given(place))
        .unwrap_or(&place.person_name)
        .trim();
    if rest.is_empty() {
        place.person_name.clone()
    } else {
        rest.to_owned()
    }
}

pub(super) fn mail(place: &Place) -> &str {
    if place.mail.is_empty() {
        &place.user_name
    } else {
        &place.mail
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_id_is_one_segment_whatever_it_holds() {
        assert_eq!(segment("2819c223-7f76"), "2819c223-7f76");
        assert_eq!(segment("../Users?x=1#"), "..%2FUsers%3Fx%3D1%23");
        assert_eq!(segment(".."), "%2E%2E");
    }

    #[test]
    fn an_endpoint_never_leads_elsewhere() {
        let types = |endpoint: &str| json!({"Resources": [{"name": "User", "endpoint": endpoint}]});
        assert_eq!(
            endpoint(&types("/Users"), "User").as_deref(),
            Some("/Users")
        );
        assert_eq!(
            endpoint(&types("https://evil.example/v2/People"), "User").as_deref(),
            Some("/People")
        );
        assert_eq!(endpoint(&types("/?x=1"), "User"), None);
        assert_eq!(endpoint(&Value::Null, "User"), None);
    }
}
