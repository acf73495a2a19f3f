//! The readings themselves.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;
use uuid::Uuid;
use workflow::{
    Workflow,
    people::{DirectoryUser, Seen},
};

use super::{Error, Objects, map};
use crate::graph::{self, Ask, Graph, Kind, Page, Priority};

/// Calls in one batch.
const BATCH: usize = 20;
/// How often something is asked that may pass by itself.
const TRIES: u32 = 5;
/// A wait is cut here; whoever wants us to wait longer is asked again at the next round.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How long an account may be known to us before every replica of the directory must know it.
const YOUNG: chrono::Duration = chrono::Duration::hours(1);

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub seen: Vec<Seen>,
    /// Where the next listing of changes begins.
    pub next: Option<String>,
    /// Whether everybody was read.
    pub whole: bool,
    pub doubts: Vec<String>,
}

/// A listing of changes, read as far as whom it names.
#[derive(Debug)]
pub(super) struct Changes {
    pub objects: Objects,
    /// Those among them that it calls removed.
    pub removed: Objects,
    pub next: String,
}

/// Does what may fail for a moment again, after the time that Graph asks for.
pub(crate) async fn patient<T, F>(mut ask: impl FnMut() -> F) -> Result<T, graph::Error>
where
    F: Future<Output = Result<T, graph::Error>>,
{
    let mut tries = 0;
    loop {
        match ask().await {
            Err(error) if error.passes() && tries + 1 < TRIES => {
                let wait = error
                    .retry_after
                    .unwrap_or(Duration::from_millis(500) * 2_u32.pow(tries));
                if wait > LONGEST_WAIT {
                    return Err(error);
                }
                tokio::time::sleep(wait).await;
                tries += 1;
            }
            other => return other,
        }
    }
}

pub(crate) async fn page(graph: &Graph, path: &str) -> Result<Page, graph::Error> {
    patient(|| graph.page(path, Priority::Low)).await
}

/// All pages; a page that fails for good fails the listing. One that fails for a moment is asked again by itself.
pub(crate) async fn list(graph: &Graph, path: &str) -> Result<Vec<Value>, graph::Error> {
    let mut all = Vec::new();
    let mut next = Some(path.to_owned());
    while let Some(address) = next {
        let page = page(graph, &address).await?;
        all.extend(page.values);
        if page.next.as_deref() == Some(address.as_str()) {
            return Err(graph::Error::circular());
        }
        next = page.next;
    }
    Ok(all)
}

/// Refuses a directory of another tenant.
pub(super) async fn check_tenant(graph: &Graph, wanted: Uuid) -> Result<(), Error> {
    let found = page(graph, "/organization?$select=id")
        .await
        .map_err(Error::graph("reading the organisation"))?;
    match found.values.first().and_then(|entry| entry["id"].as_str()) {
        Some(id) if Uuid::try_parse(id) == Ok(wanted) => Ok(()),
        other => Err(Error::WrongTenant {
            found: other.unwrap_or("unknown").into(),
            wanted,
        }),
    }
}

/// The usable accounts that are known.
#[derive(Debug, Default)]
pub(super) struct Known {
    all: Objects,
    /// Known for a while: that a replica has not heard of them yet is no reason for its saying that they are not there.
    settled: Objects,
}

/// Reads the usable accounts that are known.
pub(super) async fn known(workflow: &Workflow, tenant: Uuid) -> Result<Known, Error> {
    let young = workflow.clock().now() - YOUNG;
    let mut tx = workflow
        .store()
        .read()
        .await
        .map_err(workflow::Error::from)?;
    let mut known = Known::default();
    let mut after = None;
    loop {
        let rows = tx
            .accounts_after(tenant, after, 5_000)
            .await
            .map_err(workflow::Error::from)?;
        let Some(last) = rows.last() else {
            return Ok(known);
        };
        after = Some(last.id);
        known.all.extend(rows.iter().map(|row| row.object_id));
        known.settled.extend(
            rows.iter()
                .filter(|row| row.created_at <= young)
                .map(|row| row.object_id),
        );
    }
}

/// Whom the listing of changes names since `link`. None if the place in the listing has died.
pub(super) async fn changes(graph: &Graph, link: &str) -> Result<Option<Changes>, Error> {
    let (mut objects, mut removed) = (Objects::new(), Objects::new());
    let mut address = link.to_owned();
    loop {
        let page = match page(graph, &address).await {
            Ok(page) => page,
            // A permission that was taken away since: a whole reading finds out what may still be read.
            Err(error) if error.wants_full_read() || error.kind == Kind::Denied => {
                tracing::info!(%error, "the listing of changes cannot be followed from here");
                return Ok(None);
            }
            Err(error) => {
                return Err(Error::Graph {
                    doing: "reading changes of users",
                    error,
                });
            }
        };
        for entry in &page.values {
            let Some(object) = map::object(entry) else {
                continue;
            };
            objects.insert(object);
            if !entry["@removed"].is_null() {
                removed.insert(object);
            }
        }
        match (page.next, page.delta) {
            (Some(next), _) if next != address => address = next,
            (None, Some(next)) => {
                return Ok(Some(Changes {
                    objects,
                    removed,
                    next,
                }));
            }
            _ => {
                return Err(Error::Graph {
                    doing: "reading changes of users",
                    error: graph::Error::circular(),
                });
            }
        }
    }
}

/// Reads each of these users directly. Who is not there is gone, if we knew them for a while or the listing of changes
/// calls them `removed`.
pub(super) async fn each(
    graph: &Graph,
    objects: Objects,
    removed: &Objects,
    known: &Known,
) -> Result<Reading, Error> {
    let mut reading = Reading::default();
    let objects: Vec<Uuid> = objects.into_iter().collect();
    let mut with_last_day = true;
    for chunk in objects.chunks(BATCH) {
        let paths = |last_day: bool| {
            chunk
                .iter()
                .map(|object| format!("/users/{object}?{}", select(last_day)))
                .collect::<Vec<_>>()
        };
        let mut answers = together(graph, &paths(with_last_day))
            .await
            .map_err(Error::graph("reading users"))?;
        let denied = |answer: &Result<Value, graph::Error>| {
            answer
                .as_ref()
                .is_err_and(|error| error.kind == Kind::Denied)
        };
        if with_last_day && answers.iter().all(denied) {
            with_last_day = false;
            answers = together(graph, &paths(false))
                .await
                .map_err(Error::graph("reading users"))?;
        }
        for (object, answer) in chunk.iter().zip(answers) {
            match answer {
                Ok(entry) => match map::user(&entry, with_last_day) {
                    Some(user) if user.object == *object => {
                        reading.seen.push(Seen::User(Box::new(user)));
                    }
                    _ => {
                        return Err(Error::Graph {
                            doing: "reading users",
                            error: graph::Error::unreadable("a user"),
                        });
                    }
                },
                Err(error) if error.kind == Kind::NotFound => {
                    if known.settled.contains(object) || removed.contains(object) {
                        reading.seen.push(Seen::Gone(*object));
                    }
                }
                Err(error) => {
                    return Err(Error::Graph {
                        doing: "reading users",
                        error,
                    });
                }
            }
        }
    }
    if !with_last_day {
        reading.doubts.push(no_last_day());
    }
    Ok(reading)
}

/// Reads everybody. Those whom we know and the listing lacks are read directly, unless they are so many that the listing
/// itself cannot be whole.
pub(super) async fn everybody(graph: &Graph, known: &Known) -> Result<Reading, Error> {
    let mut with_last_day = true;
    // The place comes first: what changes during the listing is read again afterwards.
    let mut next = latest(graph, with_last_day).await;
    if matches!(&next, Err(error) if error.kind == Kind::Denied) {
        with_last_day = false;
        next = latest(graph, with_last_day).await;
    }
    let next = next.map_err(Error::graph("finding the place in the listing of changes"))?;
    let entries = list(graph, &format!("/users?{}&$top=999", select(with_last_day)))
        .await
        .map_err(Error::graph("listing users"))?;
    let mut users: BTreeMap<Uuid, DirectoryUser> = BTreeMap::new();
    for entry in &entries {
        if let Some(user) = map::user(entry, with_last_day) {
            users.insert(user.object, user);
        }
    }
    let mut reading = Reading {
        next: Some(next),
        whole: true,
        ..Reading::default()
    };
    if !with_last_day {
        reading.doubts.push(no_last_day());
    }
    let missing: Objects = known
        .all
        .iter()
        .filter(|object| !users.contains_key(object))
        .copied()
        .collect();
    let listed = users.len();
    reading.seen = users
        .into_values()
        .map(|user| Seen::User(Box::new(user)))
        .collect();
    if listed == 0 || missing.len() > 20.max(known.all.len() / 10) {
        reading.whole = false;
        reading.doubts.push(format!(
            "the directory listed {listed} users and lacks {} of {} that are known; nobody was removed",
            missing.len(),
            known.all.len()
        ));
    } else if !missing.is_empty() {
        let found = each(graph, missing, &Objects::new(), known).await?;
        reading.seen.extend(found.seen);
    }
    Ok(reading)
}

/// The place in the listing of changes as it is now.
async fn latest(graph: &Graph, with_last_day: bool) -> Result<String, graph::Error> {
    let mut address = format!(
        "/users/delta?$deltatoken=latest&$select={},manager",
        properties(with_last_day)
    );
    loop {
        let page = page(graph, &address).await?;
        match (page.delta, page.next) {
            (Some(link), _) => return Ok(link),
            (None, Some(next)) if next != address => address = next,
            _ => return Err(graph::Error::circular()),
        }
    }
}

/// Reads the sponsors of everybody who is not an employee. Where that is not allowed, those known stay.
pub(super) async fn sponsors(graph: &Graph, reading: &mut Reading) -> Result<(), Error> {
    let mut wanting: Vec<&mut DirectoryUser> = reading
        .seen
        .iter_mut()
        .filter_map(|one| match one {
            Seen::User(user) => Some(&mut **user),
            Seen::Gone(_) => None,
        })
        .filter(|user| {
            user.enabled
                && (user.user_type == "guest"
                    || !matches!(user.employee_type.as_str(), "" | "employee"))
        })
        .collect();
    for chunk in wanting.chunks_mut(BATCH) {
        let paths: Vec<String> = chunk
            .iter()
            .map(|user| format!("/users/{}/sponsors?$select=id", user.object))
            .collect();
        let answers = together(graph, &paths)
            .await
            .map_err(Error::graph("reading sponsors"))?;
        for (user, answer) in chunk.iter_mut().zip(answers) {
            match answer {
                Ok(body) => {
                    user.sponsors = body["value"]
                        .as_array()
                        .map(|list| list.iter().filter_map(map::object).collect());
                }
                // Deleted since, or the permission is missing.
                Err(error) if matches!(error.kind, Kind::NotFound | Kind::Denied) => {}
                Err(error) => {
                    return Err(Error::Graph {
                        doing: "reading sponsors",
                        error,
                    });
                }
            }
        }
    }
    Ok(())
}

/// Up to twenty GETs in one call; those that may pass are asked again.
async fn together(
    graph: &Graph,
    paths: &[String],
) -> Result<Vec<Result<Value, graph::Error>>, graph::Error> {
    let mut answers: Vec<Option<Result<Value, graph::Error>>> = vec![None; paths.len()];
    let mut tries = 0;
    loop {
        let open: Vec<usize> = (0..paths.len())
            .filter(|index| !matches!(&answers[*index], Some(answer) if settled(answer)))
            .collect();
        if open.is_empty() || tries == TRIES {
            break;
        }
        if tries > 0 {
            let asked = open
                .iter()
                .filter_map(|index| match &answers[*index] {
                    Some(Err(error)) => error.retry_after,
                    _ => None,
                })
                .max();
            let wait = asked.unwrap_or(Duration::from_millis(250) * 2_u32.pow(tries));
            if wait > LONGEST_WAIT {
                // Never early: what is missing is asked in a later round.
                break;
            }
            tokio::time::sleep(wait).await;
        }
        let asks: Vec<Ask> = open.iter().map(|index| Ask::get(&paths[*index])).collect();
        let done = patient(|| graph.batch(&asks, Priority::Low)).await?;
        for (index, answer) in open.into_iter().zip(done) {
            answers[index] = Some(answer.map(|answer| answer.body));
        }
        tries += 1;
    }
    Ok(answers.into_iter().flatten().collect())
}

fn settled(answer: &Result<Value, graph::Error>) -> bool {
    answer.as_ref().err().is_none_or(|error| !error.passes())
}

fn properties(with_last_day: bool) -> String {
    if with_last_day {
        format!("{},{}", map::SELECT, map::LAST_DAY)
    } else {
        map::SELECT.into()
    }
}

fn select(with_last_day: bool) -> String {
    format!(
        "$select={}&$expand=manager($select=id)",
        properties(with_last_day)
    )
}

fn no_last_day() -> String {
    format!(
        "last days ({}) cannot be read and stay as they are known: the permission User-LifeCycleInfo.Read.All is missing",
        map::LAST_DAY
    )
}
