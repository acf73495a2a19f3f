//! Reading the directory: people, managers, sponsors, portal roles and the groups whose members decide, from Microsoft Graph into the portal.
//!
//! Everything once a night, and between that what changed. A listing of changes is believed in one thing only: whom to
//! look at. Each of them is then read directly, so that order, replays and partial entries do not matter. Nobody is
//! taken away because a listing lacks them: a deletion needs a direct read that says that there is no such user.
//!
//! What is read is handed to `workflow`, which knows what it means (leaves, holds, caps, seats).

mod groups;
mod map;
pub(crate) mod read;
mod roles;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{Days, NaiveTime};
use domain::Timestamp;
use store::directory::DirectoryRow;
use tokio::{sync::Mutex, time::Instant};
use uuid::Uuid;
use workflow::{
    Workflow,
    people::{self, Applied, Seen},
};

use crate::{graph, graph::Graph, worker::Recurring};
use read::Reading;

/// How often to look for changes.
pub const EVERY: Duration = Duration::from_mins(2);

/// When everything is read anew, by the clock of the rules (UTC).
const NIGHTLY: NaiveTime = NaiveTime::from_hms_opt(2, 0, 0).expect("two o'clock is a time");

/// More changed people than this are read quicker all together.
const MOST_CHANGES: usize = 2_000;

/// What to read.
#[derive(Clone, Debug)]
pub struct Options {
    /// The only tenant whose people are taken.
    pub tenant: Uuid,
    /// Client id of the portal's own app registration, whose app roles are the portal roles; none leaves roles to
    /// sign-in.
    pub portal_client_id: Option<String>,
}

/// How much was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Everybody.
    Full,
    /// Whoever changed.
    Changes,
}

/// What a reading did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How much was read.
    pub extent: Extent,
    /// How many users were seen.
    pub seen: usize,
    /// What came of them.
    pub applied: Applied,
    /// Accounts whose portal roles changed.
    pub roles_changed: usize,
    /// Groups whose members decide that have other members than before.
    pub groups_changed: usize,
    /// What was not believed or could not be read, in words; the rest was applied.
    pub doubts: Vec<String>,
}

/// Why nothing, or not everything, was read. What was applied before stays: every part is whole.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Graph did not answer as it should.
    #[error("{doing}: {error}")]
    Graph {
        /// What was being read.
        doing: &'static str,
        /// What went wrong.
        error: graph::Error,
    },
    /// Graph speaks of another tenant than the configured one.
    #[error("the directory belongs to tenant {found}, not to {wanted}: nothing was read")]
    WrongTenant {
        /// The tenant that answered.
        found: String,
        /// The configured one.
        wanted: Uuid,
    },
    /// The portal could not apply what was read.
    #[error(transparent)]
    Workflow(#[from] workflow::Error),
}

impl Error {
    /// How long Graph asked not to be called.
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Graph { error, .. } => error.retry_after,
            Self::WrongTenant { .. } | Self::Workflow(_) => None,
        }
    }

    fn graph(doing: &'static str) -> impl FnOnce(graph::Error) -> Self {
        move |error| Self::Graph { doing, error }
    }
}

/// Reads the directory once: everything if it was never read, if the night has passed since, or if the place in the
/// listing of changes has died; else what changed. Keeps what went wrong beside where reading stands.
pub async fn run(workflow: &Workflow, graph: &Graph, options: &Options) -> Result<Outcome, Error> {
    let state = people::directory_state(workflow, options.tenant)
        .await?
        .unwrap_or_else(|| blank(options.tenant));
    let done = attempt(workflow, graph, options, state.clone()).await;
    if let Err(error) = &done {
        // The place in the listing stays: nothing that was not applied may be skipped.
        let kept = people::directory_state(workflow, options.tenant)
            .await?
            .unwrap_or(state);
        let row = troubled(kept, workflow.clock().now(), &[error.to_string()]);
        people::save_directory_state(workflow, &row).await?;
    }
    done
}

async fn attempt(
    workflow: &Workflow,
    graph: &Graph,
    options: &Options,
    state: DirectoryRow,
) -> Result<Outcome, Error> {
    let now = workflow.clock().now();
    read::check_tenant(graph, options.tenant).await?;
    let known = read::known(workflow, options.tenant).await?;

    let changes = match &state.delta_link {
        Some(link) if !night_passed(state.full_at, now) => read::changes(graph, link).await?,
        _ => None,
    };
    let (extent, mut reading) = match changes {
        Some(changes) if changes.objects.len() <= MOST_CHANGES => {
            let reading = Reading {
                next: Some(changes.next),
                ..read::each(graph, changes.objects, &changes.removed, &known).await?
            };
            (Extent::Changes, reading)
        }
        _ => (Extent::Full, read::everybody(graph, &known).await?),
    };
    read::sponsors(graph, &mut reading).await?;

    let applied = people::apply_directory(workflow, options.tenant, &reading.seen).await?;
    let mut doubts = reading.doubts.clone();
    let mut roles_changed = 0;
    if let Some(client_id) = &options.portal_client_id {
        let held = roles::read(graph, client_id).await?;
        let read = workflow::roles::apply_directory(workflow, options.tenant, &held).await?;
        roles_changed = read.changed;
        doubts.extend(read.doubted);
    }
    let groups = groups::run(workflow, graph, options.tenant).await?;
    doubts.extend(groups.doubts);
    people::save_directory_state(workflow, &after(state, now, extent, &reading, &doubts)).await?;
    Ok(Outcome {
        extent,
        seen: reading.seen.len(),
        applied,
        roles_changed,
        groups_changed: groups.changed,
        doubts,
    })
}

fn blank(tenant: Uuid) -> DirectoryRow {
    DirectoryRow {
        tenant_id: tenant,
        delta_link: None,
        full_at: None,
        delta_at: None,
        people: 0,
        problem: None,
        problem_at: None,
    }
}

fn after(
    mut state: DirectoryRow,
    now: Timestamp,
    extent: Extent,
    reading: &Reading,
    doubts: &[String],
) -> DirectoryRow {
    state.delta_link.clone_from(&reading.next);
    state.delta_at = Some(now);
    if extent == Extent::Full {
        state.people = i64::try_from(reading.users()).unwrap_or(i64::MAX);
        // A listing that was not believed is no whole reading: the next one tries again.
        if reading.whole {
            state.full_at = Some(now);
        } else {
            state.delta_link = None;
        }
    }
    troubled(state, now, doubts)
}

fn troubled(mut state: DirectoryRow, now: Timestamp, problems: &[String]) -> DirectoryRow {
    let problem = (!problems.is_empty()).then(|| problems.join("; "));
    if problem.is_none() {
        state.problem_at = None;
    } else if state.problem.is_none() {
        state.problem_at = Some(now);
    }
    state.problem = problem;
    state
}

/// Whether two o'clock has passed since everything was last read.
fn night_passed(full_at: Option<Timestamp>, now: Timestamp) -> bool {
    let Some(full_at) = full_at else { return true };
    let today = now.date_naive().and_time(NIGHTLY).and_utc();
    let latest = if today <= now {
        today
    } else {
        today - Days::new(1)
    };
    full_at < latest
}

impl Reading {
    fn users(&self) -> usize {
        self.seen
            .iter()
            .filter(|one| matches!(one, Seen::User(_)))
            .count()
    }
}

/// The reading that comes round by itself, every [`EVERY`].
#[derive(Debug)]
pub struct Reader {
    workflow: Workflow,
    graph: Graph,
    options: Options,
    /// A first reading may take longer than a round: the next one then does nothing. Holds until when Graph asked not to
    /// be called; a round before that does nothing either.
    turn: Mutex<Option<Instant>>,
}

impl Reader {
    /// Reads with these options.
    pub fn new(workflow: Workflow, graph: Graph, options: Options) -> Arc<Self> {
        Arc::new(Self {
            workflow,
            graph,
            options,
            turn: Mutex::default(),
        })
    }
}

#[async_trait]
impl Recurring for Reader {
    async fn run(&self) -> Result<(), String> {
        let Ok(mut not_before) = self.turn.try_lock() else {
            return Ok(());
        };
        if not_before.is_some_and(|at| Instant::now() < at) {
            return Ok(());
        }
        *not_before = None;
        match run(&self.workflow, &self.graph, &self.options).await {
            Ok(outcome) => {
                // Doubts stand beside where reading stands, for people to see; the round itself was done.
                if !outcome.doubts.is_empty() {
                    tracing::warn!(doubts = ?outcome.doubts, "the directory was read with doubts");
                }
                tracing::debug!(?outcome, "the directory was read");
                Ok(())
            }
            Err(error) => {
                *not_before = error.retry_after().map(|wait| Instant::now() + wait);
                Err(error.to_string())
            }
        }
    }
}

/// Object ids, each once, in order.
type Objects = BTreeSet<Uuid>;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        chrono::DateTime::parse_from_rfc3339(text)
            .expect("a date")
            .to_utc()
    }

    #[test]
    fn everything_is_read_once_a_night() {
        let evening = Some(at("2026-03-01T22:00:00Z"));
        assert!(night_passed(None, at("2026-03-01T22:00:00Z")));
        assert!(!night_passed(evening, at("2026-03-02T01:59:59Z")));
        assert!(night_passed(evening, at("2026-03-02T02:00:00Z")));
        assert!(!night_passed(
            Some(at("2026-03-02T02:00:00Z")),
            at("2026-03-02T23:00:00Z")
        ));
        assert!(night_passed(evening, at("2026-03-09T01:00:00Z")));
    }
}
