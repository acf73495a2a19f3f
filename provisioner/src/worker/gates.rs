//! What keeps calls from a target: an operator's hold, its own wish for patience, or a row of failures.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use domain::{TargetId, Timestamp};
use store::assignments::TargetRow;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use workflow::assignments::{Failure, Outcome};

/// So many failures in a row that have to do with the target as a whole close it for a while.
const FAILURES_TO_CLOSE: u32 = 5;

/// So long the database may not know of what a lane has learnt.
const NOT_YET_KNOWN: Duration = Duration::from_secs(1);

/// How long a held target is left alone before it is looked at again.
const HELD: chrono::Duration = chrono::Duration::seconds(60);

/// The gates of all targets, shared by the lanes of one worker.
#[derive(Debug)]
pub(crate) struct Gates {
    lanes: usize,
    targets: Mutex<HashMap<TargetId, Gate>>,
}

#[derive(Debug)]
struct Gate {
    paused: bool,
    not_before: Option<Timestamp>,
    /// When we learnt of it ourselves; the database may not know yet.
    noted: Option<Instant>,
    failures: u32,
    many: Arc<Semaphore>,
    one: Arc<Semaphore>,
}

/// The right to make one call.
#[derive(Debug)]
pub(crate) struct Pass {
    _many: OwnedSemaphorePermit,
    _one: Option<OwnedSemaphorePermit>,
}

impl Gates {
    /// Lets `lanes` calls through to each target at once.
    pub fn new(lanes: usize) -> Self {
        Self {
            lanes: lanes.max(1),
            targets: Mutex::default(),
        }
    }

    fn with<T>(&self, target: TargetId, act: impl FnOnce(&mut Gate) -> T) -> T {
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        act(targets.entry(target).or_insert_with(|| Gate {
            paused: false,
            not_before: None,
            noted: None,
            failures: 0,
            many: Arc::new(Semaphore::new(self.lanes)),
            one: Arc::new(Semaphore::new(1)),
        }))
    }

    /// Takes over what the database says, which other replicas and operators write, too.
    pub fn learn(&self, rows: &[TargetRow]) {
        for row in rows {
            self.with(row.id, |gate| {
                gate.paused = row.paused;
                let fresh = gate
                    .noted
                    .is_some_and(|noted| noted.elapsed() < NOT_YET_KNOWN);
                if !fresh || row.not_before > gate.not_before {
                    gate.not_before = row.not_before;
                }
            });
        }
    }

    /// Until when the target is closed, if it is.
    pub fn closed_until(&self, target: TargetId, now: Timestamp) -> Option<Timestamp> {
        self.with(target, |gate| {
            if gate.paused {
                return Some(now + HELD);
            }
            gate.not_before.filter(|not_before| *not_before > now)
        })
    }

    /// Waits for a turn. After failures only one call at a time goes through, to see whether the target is back.
    pub async fn pass(&self, target: TargetId) -> Pass {
        let (many, one) = self.with(target, |gate| {
            let probing = gate.failures >= FAILURES_TO_CLOSE;
            (
                Arc::clone(&gate.many),
                probing.then(|| Arc::clone(&gate.one)),
            )
        });
        // Neither semaphore is ever closed.
        let one = match one {
            Some(one) => one.acquire_owned().await.ok(),
            None => None,
        };
        let many = many
            .acquire_owned()
            .await
            .expect("the semaphore is never closed");
        Pass {
            _many: many,
            _one: one,
        }
    }

    /// Learns from a call. Gives from when on the target may be called again, if it closes now.
    pub fn note(&self, target: TargetId, outcome: &Outcome, now: Timestamp) -> Option<Timestamp> {
        self.with(target, |gate| {
            let wait = match outcome {
                Outcome::Seen(_) | Outcome::Done | Outcome::Already => {
                    // A wish for patience stays: this call was sent before it.
                    gate.failures = 0;
                    return None;
                }
                // It has to do with one right or account.
                Outcome::Failed(
                    Failure::Never { .. }
                    | Failure::Misconfigured {
                        everywhere: false, ..
                    },
                ) => return None,
                Outcome::Failed(Failure::Misconfigured { .. }) => {
                    gate.failures = gate.failures.max(FAILURES_TO_CLOSE);
                    chrono::Duration::minutes(5)
                }
                Outcome::Failed(Failure::Later {
                    after: Some(after),
                    throttled: true,
                    ..
                }) => *after,
                Outcome::Failed(Failure::Later { .. }) => {
                    gate.failures += 1;
                    let over = gate.failures.checked_sub(FAILURES_TO_CLOSE)?;
                    chrono::Duration::seconds(1 << over.min(6))
                }
            };
            let until = gate
                .not_before
                .map_or(now + wait, |known| known.max(now + wait));
            gate.not_before = Some(until);
            gate.noted = Some(Instant::now());
            Some(until)
        })
    }
}

/// A little more than `longest`, after which a call is given up.
pub(crate) fn patience(longest: Duration) -> Duration {
    longest + Duration::from_secs(1)
}
