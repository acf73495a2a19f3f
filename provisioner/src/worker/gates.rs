//! What keeps calls from a target: an operator's hold, its own wish for patience, or a row of failures.

use std::{
    collections::HashMap,
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use domain::{TargetId, Timestamp};
use store::assignments::TargetRow;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use workflow::{
    assignments::{Failure, Outcome},
    traffic::{Calls, Counts},
};

/// So many failures in a row that have to do with the target as a whole close it for a while.
const FAILURES_TO_CLOSE: u32 = 5;

/// So long the database may not know of what a lane has learnt.
const NOT_YET_KNOWN: Duration = Duration::from_secs(1);

/// No call is waited for longer, whatever its connector says: what a read may be believed after a write whose answer
/// nobody heard counts on it ([`workflow::assignments::WRITES_END_WITHIN`], less the wait before sending and a margin).
const LONGEST_CALL: Duration = Duration::from_secs(55);

/// How long a held target is left alone before it is looked at again.
const HELD: chrono::Duration = chrono::Duration::seconds(60);

/// Of so many calls at once one is kept for removals, so that they never stand behind additions.
const ONE_KEPT_OF: usize = 4;

/// The gates of all targets, shared by the lanes of one worker.
#[derive(Debug)]
pub(crate) struct Gates {
    lanes: usize,
    targets: Mutex<HashMap<TargetId, Gate>>,
    /// Calls that wait or are under way.
    calls: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct Gate {
    paused: bool,
    not_before: Option<Timestamp>,
    /// When we learnt of it ourselves; the database may not know yet.
    noted: Option<Instant>,
    failures: u32,
    ways: Ways,
}

/// What a call must have before it is made.
#[derive(Clone, Debug)]
struct Ways {
    /// As many as may be made at once.
    many: Arc<Semaphore>,
    /// Fewer: additions need one of these as well, the others are for removals.
    additions: Arc<Semaphore>,
    /// While the target fails, one at a time.
    one: Arc<Semaphore>,
    /// Told when the target is back.
    mended: Arc<Notify>,
}

/// The right to make one call.
#[derive(Debug)]
pub(crate) struct Pass {
    _counted: Counted,
    _many: OwnedSemaphorePermit,
    _addition: Option<OwnedSemaphorePermit>,
    _one: Option<OwnedSemaphorePermit>,
}

/// One call that waits or is under way.
#[derive(Debug)]
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Gates {
    /// Lets `lanes` calls through to each target at once.
    pub fn new(lanes: usize) -> Self {
        Self {
            lanes: lanes.max(1),
            targets: Mutex::default(),
            calls: Arc::default(),
        }
    }

    fn with<T>(&self, target: TargetId, act: impl FnOnce(&mut Gate) -> T) -> T {
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        act(targets.entry(target).or_insert_with(|| Gate {
            paused: false,
            not_before: None,
            noted: None,
            failures: 0,
            ways: Ways {
                many: Arc::new(Semaphore::new(self.lanes)),
                additions: Arc::new(Semaphore::new(self.lanes - self.lanes / ONE_KEPT_OF)),
                one: Arc::new(Semaphore::new(1)),
                mended: Arc::default(),
            },
        }))
    }

    /// Whether no call waits or is under way.
    pub fn idle(&self) -> bool {
        self.calls.load(Ordering::Relaxed) == 0
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

    /// Waits for a turn. Removals have ways of their own. After failures only one call at a time goes through, to see
    /// whether the target is back.
    pub async fn pass(&self, target: TargetId, removal: bool) -> Pass {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let counted = Counted(Arc::clone(&self.calls));
        let ways = self.with(target, |gate| gate.ways.clone());
        let one = self.probe(target, &ways).await;
        let addition = if removal {
            None
        } else {
            Some(permit(ways.additions).await)
        };
        Pass {
            _counted: counted,
            _many: permit(ways.many).await,
            _addition: addition,
            _one: one,
        }
    }

    /// While the target fails: the right to be the one call that finds out. None as soon as another has found it well.
    async fn probe(&self, target: TargetId, ways: &Ways) -> Option<OwnedSemaphorePermit> {
        loop {
            let mut mended = pin!(ways.mended.notified());
            mended.as_mut().enable();
            if !self.fails(target) {
                return None;
            }
            tokio::select! {
                one = permit(Arc::clone(&ways.one)) => return self.fails(target).then_some(one),
                () = mended => {}
            }
        }
    }

    fn fails(&self, target: TargetId) -> bool {
        self.with(target, |gate| gate.failures >= FAILURES_TO_CLOSE)
    }

    /// Learns from a call. Gives from when on the target may be called again, if it closes now.
    pub fn note(&self, target: TargetId, outcome: &Outcome, now: Timestamp) -> Option<Timestamp> {
        self.with(target, |gate| {
            let wait = match outcome {
                Outcome::Seen(_) | Outcome::Done | Outcome::Already | Outcome::Pending { .. } => {
                    // A wish for patience stays: this call was sent before it.
                    if gate.failures >= FAILURES_TO_CLOSE {
                        gate.ways.mended.notify_waiters();
                    }
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
                Outcome::Failed(Failure::Later { after, .. }) => {
                    gate.failures += 1;
                    let ours = gate
                        .failures
                        .checked_sub(FAILURES_TO_CLOSE)
                        .map(|over| chrono::Duration::seconds(1 << over.min(6)));
                    // A target that is down and says for how long means all calls, as one that is busy does.
                    ours.max(*after)?
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

impl Counts for Gates {
    fn calls(&self, target: TargetId) -> Calls {
        let free = self.with(target, |gate| gate.ways.many.available_permits());
        Calls {
            under_way: self.lanes.saturating_sub(free),
            most: self.lanes,
        }
    }
}

async fn permit(of: Arc<Semaphore>) -> OwnedSemaphorePermit {
    of.acquire_owned()
        .await
        .expect("the semaphore is never closed")
}

/// A little more than `longest`, after which a call is given up.
pub(crate) fn patience(longest: Duration) -> Duration {
    (longest + Duration::from_secs(1)).min(LONGEST_CALL)
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use domain::assignment::Observed;
    use uuid::Uuid;

    use super::*;

    const TARGET: TargetId = TargetId(Uuid::nil());

    fn now() -> Timestamp {
        chrono::Utc
            .timestamp_opt(1_800_000_000, 0)
            .single()
            .expect("an instant")
    }

    fn down(after: Option<chrono::Duration>) -> Outcome {
        Outcome::Failed(Failure::Later {
            after,
            throttled: false,
            why: "503".into(),
        })
    }

    async fn soon<T>(waits: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout(Duration::from_millis(50), waits)
            .await
            .ok()
    }

    #[tokio::test]
    async fn removals_have_ways_of_their_own() {
        let gates = Gates::new(4);
        let mut additions = Vec::new();
        while let Some(pass) = soon(gates.pass(TARGET, false)).await {
            additions.push(pass);
        }
        assert_eq!(additions.len(), 3);
        let removal = soon(gates.pass(TARGET, true)).await;
        assert!(removal.is_some());
        assert!(
            soon(gates.pass(TARGET, true)).await.is_none(),
            "four at once"
        );
        assert!(!gates.idle());
        let calls = gates.calls(TARGET);
        assert_eq!((calls.under_way, calls.most), (4, 4));
        drop((additions, removal));
        assert_eq!(gates.calls(TARGET).under_way, 0);
        assert!(gates.idle());
        assert!(soon(Gates::new(1).pass(TARGET, false)).await.is_some());
    }

    #[tokio::test]
    async fn who_waited_for_a_probe_goes_with_all_others_when_the_target_is_back() {
        let gates = Arc::new(Gates::new(4));
        for _ in 0..FAILURES_TO_CLOSE {
            gates.note(TARGET, &down(None), now());
        }
        let probe = gates.pass(TARGET, false).await;
        let others: Vec<_> = (0..2)
            .map(|_| {
                let gates = Arc::clone(&gates);
                tokio::spawn(async move { gates.pass(TARGET, false).await })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(others.iter().all(|other| !other.is_finished()));
        // The probe is still under way: it is another call that succeeds, or this one that has not let go yet.
        gates.note(TARGET, &Outcome::Seen(Observed::Present), now());
        let mut passes = Vec::new();
        for other in others {
            passes.push(soon(other).await.expect("it waits no longer"));
        }
        drop((probe, passes));
    }

    #[test]
    fn a_target_that_is_down_and_says_for_how_long_is_left_alone() {
        let gates = Gates::new(4);
        assert_eq!(gates.note(TARGET, &down(None), now()), None);
        let wait = chrono::Duration::seconds(90);
        assert_eq!(
            gates.note(TARGET, &down(Some(wait)), now()),
            Some(now() + wait)
        );
        assert_eq!(gates.closed_until(TARGET, now()), Some(now() + wait));
    }
}
