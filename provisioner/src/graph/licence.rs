//! Licences of the tenant, given to an account directly.
//!
//! A licence that comes through a group counts as held: giving it again would change nothing for the person, and it cannot be
//! taken from them but by taking them out of the group. When ours is over it stays as what was found there. Each way is an
//! entry of `licenseAssignmentStates`, which also says when the directory took an assignment and could not carry it out.

use std::time::Instant;

use domain::assignment::Observed;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Answer, Error, Graph, Kind,
    address::{Ask, call, list as list_all},
    connector::uuid_of,
    failure::{
        Needs, done, evidence, failed, never, no_account, odd, read_failure, refusal, write_failure,
    },
    membership::not_there,
};
use crate::connector::{Evidence, Failure, Listing, Outcome, Place, Reply};

const READING: Needs = Needs {
    doing: "read licences",
    fix: "Consent to User.Read.All and LicenseAssignment.ReadWrite.All for the app registration.",
    everywhere: false,
    check: "Check the ids of the account and the licence.",
};
const WRITING: Needs = Needs {
    doing: "give or take licences",
    fix: "Consent to LicenseAssignment.ReadWrite.All for the app registration.",
    everywhere: false,
    check: "Check the ids of the account and the licence.",
};

/// How an account holds a licence directly.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Direct {
    No,
    Works,
    /// The directory took the assignment and could not carry it out, for this.
    Broken(String),
}

/// The ways by which a licence reaches an account.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Ways {
    direct: Direct,
    /// A group that it comes through, where that works.
    through: Option<Uuid>,
}

impl Ways {
    /// Reads them from an account; none if it does not tell.
    fn read(account: &Value, licence: Uuid) -> Option<Self> {
        let mut ways = Self {
            direct: Direct::No,
            through: None,
        };
        let states = account["licenseAssignmentStates"].as_array()?;
        for state in states
            .iter()
            .filter(|state| uuid_of(state, "skuId") == Some(licence))
        {
            let broken = state["state"].as_str() == Some("Error");
            match uuid_of(state, "assignedByGroup") {
                Some(group) if !broken => ways.through = Some(group),
                Some(_) => {}
                None if broken => {
                    let error = state["error"].as_str().unwrap_or("Other");
                    ways.direct = Direct::Broken(error.to_owned());
                }
                None => ways.direct = Direct::Works,
            }
        }
        Some(ways)
    }

    fn held(&self) -> bool {
        self.direct == Direct::Works || self.through.is_some()
    }
}

struct Looked {
    ways: Ways,
    /// Whether a usage location is set.
    located: bool,
    answer: Answer,
}

async fn look(graph: &Graph, user: Uuid, licence: Uuid) -> Result<Looked, Error> {
    let answer = call(graph, Ask::LicencesOf(user), None).await?;
    let Some(ways) = Ways::read(&answer.body, licence) else {
        return Err(odd(
            "an account does not tell how it came by its licences",
            &answer,
        ));
    };
    let located = answer.body["usageLocation"]
        .as_str()
        .is_some_and(|code| !code.trim().is_empty());
    Ok(Looked {
        ways,
        located,
        answer,
    })
}

/// What people call a group; its id if that cannot be read.
async fn name_of(graph: &Graph, group: Uuid) -> String {
    let read = call(graph, Ask::Group(group), None).await;
    let name = read
        .ok()
        .and_then(|answer| Some(answer.body["displayName"].as_str()?.to_owned()));
    name.unwrap_or_else(|| group.to_string())
}

pub(super) async fn observe(
    graph: &Graph,
    place: &Place,
    licence: Uuid,
    started: Instant,
) -> Reply {
    let looked = match look(graph, place.object_id, licence).await {
        Ok(looked) => looked,
        Err(error) => {
            return not_there(&error, started)
                .unwrap_or_else(|| failed(&error, started, read_failure(&error, &READING)));
        }
    };
    let Looked { ways, answer, .. } = looked;
    let otherwise = ways.direct != Direct::Works && ways.through.is_some();
    let (seen, detail) = match (ways.direct, ways.through) {
        (Direct::Works, _) => (Observed::Present, "held directly".to_owned()),
        (_, Some(group)) => {
            let group = name_of(graph, group).await;
            (
                Observed::Present,
                format!("held through the group {group}, not directly"),
            )
        }
        (Direct::Broken(error), None) => {
            let (what, fix) = broken(&error);
            let detail = format!("assigned, with the error {error}");
            return done(
                Outcome::Failed(never(
                    format!("{} is assigned, but does not work: {what}.", place.name),
                    fix,
                )),
                evidence(&answer, started, detail),
            );
        }
        (Direct::No, None) => (Observed::Absent, "not held".to_owned()),
    };
    let evidence = Evidence {
        otherwise,
        ..evidence(&answer, started, detail)
    };
    Reply::seen(seen, evidence)
}

pub(super) async fn give(graph: &Graph, place: &Place, licence: Uuid, started: Instant) -> Reply {
    let looked = match look(graph, place.object_id, licence).await {
        Ok(looked) => looked,
        Err(error) => return failed(&error, started, account_failure(&error)),
    };
    let ask = |failure| {
        done(
            Outcome::Failed(failure),
            evidence(&looked.answer, started, "not asked"),
        )
    };
    if looked.ways.held() {
        let detail = match (&looked.ways.direct, looked.ways.through) {
            (Direct::Works, _) | (_, None) => "held directly already".to_owned(),
            (_, Some(group)) => format!(
                "held already, through the group {}",
                name_of(graph, group).await
            ),
        };
        return done(Outcome::Already, evidence(&looked.answer, started, detail));
    }
    if !looked.located {
        return ask(no_location());
    }
    match call(graph, Ask::Bought, None).await {
        Ok(answer) => {
            if let Some(failure) = no_seat(&answer.body, place, licence) {
                return ask(failure);
            }
        }
        Err(error) => return failed(&error, started, read_failure(&error, &READING)),
    }
    // Whoever holds it already never comes here: the plans that somebody switched off there stay off.
    let body = json!({
        "addLicenses": [{"skuId": licence, "disabledPlans": []}], "removeLicenses": [],
    });
    let user = place.object_id;
    match call(graph, Ask::License { user }, Some(&body)).await {
        Ok(answer) => done(Outcome::Done, evidence(&answer, started, "licence given")),
        Err(error) => failed(&error, started, change_failure(&error, place)),
    }
}

pub(super) async fn take(graph: &Graph, place: &Place, licence: Uuid, started: Instant) -> Reply {
    let user = place.object_id;
    let looked = match look(graph, user, licence).await {
        Ok(looked) => looked,
        // A deleted account holds no seat.
        Err(error) if error.kind == Kind::NotFound => {
            return done(Outcome::Already, refusal(&error, started));
        }
        Err(error) => return failed(&error, started, read_failure(&error, &READING)),
    };
    if looked.ways.direct == Direct::No {
        return match looked.ways.through {
            None => done(
                Outcome::Already,
                evidence(&looked.answer, started, "not held"),
            ),
            Some(group) => {
                let group = name_of(graph, group).await;
                done(
                    Outcome::Failed(inherited(place, &group)),
                    evidence(&looked.answer, started, "not asked"),
                )
            }
        };
    }
    let body = json!({"addLicenses": [], "removeLicenses": [licence]});
    let error = match call(graph, Ask::License { user }, Some(&body)).await {
        Ok(answer) => {
            return done(Outcome::Done, evidence(&answer, started, "licence taken"));
        }
        Err(error) => error,
    };
    if error.kind == Kind::Refused && error.says("does not have a corresponding license") {
        return done(Outcome::Already, refusal(&error, started));
    }
    failed(&error, started, change_failure(&error, place))
}

/// Those who hold it directly, and those whom it reaches through a group only.
pub(super) async fn list(graph: &Graph, licence: Uuid) -> Result<Listing, Failure> {
    let reading = |error: Error| read_failure(&error, &READING);
    // Nobody holds what was never bought: an empty listing must not look like one of a licence that nobody has.
    let bought = call(graph, Ask::Bought, None).await.map_err(reading)?;
    if bought_as(&bought.body, licence).is_none() {
        return Err(never(
            format!("The tenant has no licence {licence}."),
            "Correct the licence's id in the catalogue, or take the entitlement out of it.",
        ));
    }
    let accounts = list_all(graph, Ask::HoldersOf { licence })
        .await
        .map_err(reading)?;
    let mut listing = Listing::default();
    for account in &accounts {
        let (Some(id), Some(ways)) = (uuid_of(account, "id"), Ways::read(account, licence)) else {
            return Err(reading(Error::unreadable("a listing of holders")));
        };
        if ways.direct != Direct::No {
            listing.holders.insert(id.to_string());
        } else if ways.through.is_some() {
            listing.otherwise.insert(id.to_string());
        }
    }
    Ok(listing)
}

fn bought_as(skus: &Value, licence: Uuid) -> Option<&Value> {
    let mut skus = skus["value"].as_array().into_iter().flatten();
    skus.find(|sku| uuid_of(sku, "skuId") == Some(licence))
}

/// Why nobody can be given one more, if so.
fn no_seat(skus: &Value, place: &Place, licence: Uuid) -> Option<Failure> {
    let name = &place.name;
    let Some(sku) = bought_as(skus, licence) else {
        return Some(never(
            format!("The tenant no longer has the licence {name}."),
            "Buy it again, or take the entitlement out of the catalogue.",
        ));
    };
    let seats = sku["prepaidUnits"]["enabled"].as_i64().unwrap_or(0);
    let taken = sku["consumedUnits"].as_i64().unwrap_or(0);
    match sku["capabilityStatus"].as_str() {
        Some("Suspended" | "Deleted" | "LockedOut") => Some(never(
            format!("The subscription of {name} has run out, so nobody can be given it."),
            "Renew the subscription; it is tried again by itself.",
        )),
        _ if taken >= seats => Some(never(
            format!("There is no free seat of {name}: {taken} of {seats} are taken."),
            "Buy seats, or take the licence from somebody who does not need it; it is tried again by itself.",
        )),
        _ => None,
    }
}

fn no_location() -> Failure {
    never(
        "The account has no usage location, or one in which the licence is not offered; without it Microsoft gives no licence.",
        "Set the usage location of the account in Entra ID (Properties, two-letter country); it is tried again by itself.",
    )
}

fn inherited(place: &Place, group: &str) -> Failure {
    never(
        format!(
            "{} comes to the account through the group {group}, so it cannot be taken from the account alone.",
            place.name
        ),
        "Take the account out of that group, or the licence from the group; the portal sees the change by itself.",
    )
}

/// What an error of an assignment means, and what to do.
fn broken(error: &str) -> (String, &'static str) {
    let (what, fix) = match error {
        "CountViolation" => (
            "there is no free seat",
            "Buy seats, or take the licence from somebody who does not need it.",
        ),
        "MutuallyExclusiveViolation" => (
            "it conflicts with another licence of the account",
            "Take the other licence away, or switch off the services in it that conflict.",
        ),
        "DependencyViolation" => (
            "a service in it needs another one that the account does not have",
            "Give the licence that it builds on first.",
        ),
        "ProhibitedInUsageLocationViolation" => (
            "a service in it is not offered in the account's usage location",
            "Correct the account's usage location, or switch that service off.",
        ),
        "UniquenessViolation" => (
            "another account has the same address",
            "Correct the addresses of the two accounts.",
        ),
        other => {
            return (
                format!("the directory says {other}"),
                "Look at the account's licences in the Microsoft 365 admin centre.",
            );
        }
    };
    (what.to_owned(), fix)
}

fn account_failure(error: &Error) -> Failure {
    if error.kind == Kind::NotFound {
        no_account()
    } else {
        read_failure(error, &READING)
    }
}

fn change_failure(error: &Error, place: &Place) -> Failure {
    if error.kind == Kind::NotFound {
        return no_account();
    }
    let name = &place.name;
    write_failure(error, &WRITING, name, |error| {
        Some(if error.says("usage location") {
            no_location()
        } else if error.says("available licenses") {
            never(
                format!("There is no free seat of {name}."),
                "Buy seats, or take the licence from somebody who does not need it; it is tried again by itself.",
            )
        } else if error.says("inherited from a group") {
            inherited(place, "that the account is in")
        } else if error.says("conflicting service plans") || error.says("mutually exclusive") {
            let (what, fix) = broken("MutuallyExclusiveViolation");
            never(format!("{name} cannot be given: {what}."), fix)
        } else if error.says("depend") {
            let (what, fix) = broken("DependencyViolation");
            never(format!("{name} cannot be given or taken: {what}."), fix)
        } else {
            return None;
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ways_by_which_a_licence_came_are_told_apart() {
        let (ours, other, group) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
        let state = |sku: Uuid, group: Option<Uuid>, state: &str, error: &str| json!({"skuId": sku, "assignedByGroup": group, "state": state, "error": error});
        let read = |states: Value| {
            Ways::read(&json!({"licenseAssignmentStates": states}), ours).expect("it tells")
        };
        let none = Ways {
            direct: Direct::No,
            through: None,
        };
        assert_eq!(read(json!([])), none);
        assert_eq!(read(json!([state(other, None, "Active", "None")])), none);
        let direct = read(json!([state(ours, None, "ActiveWithError", "None")]));
        assert_eq!(direct.direct, Direct::Works);
        let through = read(json!([state(ours, Some(group), "Active", "None")]));
        assert!(through.held() && through.direct == Direct::No);
        let stuck = read(json!([state(ours, Some(group), "Error", "CountViolation")]));
        assert_eq!(
            stuck, none,
            "a group's licence that found no seat is not held"
        );
        let broken = read(json!([state(ours, None, "Error", "DependencyViolation")]));
        assert!(!broken.held());
        assert_eq!(broken.direct, Direct::Broken("DependencyViolation".into()));
        assert_eq!(Ways::read(&json!({"id": ours}), ours), None);
    }
}
