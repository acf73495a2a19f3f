//! A document of the provider that is read over the network and remembered. One fetch at a time, however many wait for it;
//! while one is under way or has just failed, the copy at hand serves, also when it is old. A provider that does not answer
//! thus costs each sign-in a few seconds at most, and the next ones nothing.

use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration as StdDuration,
};

use chrono::Duration;
use domain::Timestamp;
use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use workflow::Clock;

use super::Failure;

/// Entra's advice for its documents.
const FRESH_FOR: Duration = Duration::hours(24);
/// After a failure the provider is left alone for so long.
const AFTER_FAILURE: Duration = Duration::seconds(30);
/// Longer than any provider takes that is well; much shorter than a page may take.
const PATIENCE: StdDuration = StdDuration::from_secs(5);

type Flight<T> = Shared<BoxFuture<'static, Result<T, Failure>>>;

/// A remembered document. Clones remember together.
#[derive(Debug)]
pub(super) struct Remembered<T>(Arc<Mutex<State<T>>>);

#[derive(Debug)]
struct State<T> {
    known: Option<(T, Timestamp)>,
    failed: Option<(Failure, Timestamp)>,
    flight: Option<Flight<T>>,
}

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(State {
            known: None,
            failed: None,
            flight: None,
        })))
    }
}

impl<T> Clone for Remembered<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Clone + Send + Sync + 'static> Remembered<T> {
    /// The document: the copy at hand if it is fresh, or while no new one can be had; else a new one.
    pub async fn get<F>(&self, clock: &Clock, read: impl FnOnce() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let flight = {
            let mut state = self.state();
            let now = clock.system_now();
            let old = match &state.known {
                Some((known, at)) if now - *at < FRESH_FOR => return Ok(known.clone()),
                Some((known, _)) => Some(known.clone()),
                None => None,
            };
            if let Some(failure) = state.just_failed(now) {
                return old.ok_or(failure);
            }
            let flight = self.fly(&mut state, clock, read);
            if let Some(old) = old {
                // It is renewed behind our back.
                return Ok(old);
            }
            flight
        };
        flight.await
    }

    /// Reads the document anew although the copy at hand is fresh, or waits for whoever does so already. Gives what is known
    /// then. `may` says whether a fetch may begin; it is not asked while one is under way.
    pub async fn renew<F>(
        &self,
        clock: &Clock,
        may: impl FnOnce() -> bool,
        read: impl FnOnce() -> F,
    ) -> Option<T>
    where
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let flight = {
            let mut state = self.state();
            let idle = state.flight.is_none() && state.just_failed(clock.system_now()).is_none();
            if idle && may() {
                Some(self.fly(&mut state, clock, read))
            } else {
                state.flight.clone()
            }
        };
        if let Some(flight) = flight {
            drop(flight.await);
        }
        self.state().known.as_ref().map(|(known, _)| known.clone())
    }

    /// Begins to fetch, or joins the fetch that is under way. A task of its own, so that nobody who gives up waiting takes it
    /// along.
    fn fly<F>(&self, state: &mut State<T>, clock: &Clock, read: impl FnOnce() -> F) -> Flight<T>
    where
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        if let Some(flight) = &state.flight {
            return flight.clone();
        }
        let (own, clock, reading) = (self.clone(), clock.clone(), read());
        let task = tokio::spawn(async move {
            // A panic in it must not leave a flight behind that never lands.
            let read = std::panic::AssertUnwindSafe(reading).catch_unwind();
            let answer = match tokio::time::timeout(PATIENCE, read).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(_)) => Err(Failure::Misconfigured("its answer made us panic".into())),
                Err(_) => Err(Failure::Unreachable(format!(
                    "no answer within {} seconds",
                    PATIENCE.as_secs()
                ))),
            };
            own.land(&answer, clock.system_now());
            answer
        });
        let flight = task
            .map(|landed| {
                landed
                    .unwrap_or_else(|_| Err(Failure::Unreachable("the portal is stopping".into())))
            })
            .boxed()
            .shared();
        state.flight = Some(flight.clone());
        flight
    }

    fn land(&self, answer: &Result<T, Failure>, now: Timestamp) {
        let mut state = self.state();
        state.flight = None;
        match answer {
            Ok(new) => {
                state.known = Some((new.clone(), now));
                state.failed = None;
            }
            Err(failure) => {
                tracing::warn!(?failure, "the provider could not be read");
                state.failed = Some((failure.clone(), now));
            }
        }
    }
}

impl<T> Remembered<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn just_failed(&self, now: Timestamp) -> Option<Failure> {
        let (failure, at) = self.failed.as_ref()?;
        (now - *at < AFTER_FAILURE).then(|| failure.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    struct Source {
        clock: Clock,
        calls: Arc<AtomicUsize>,
        kept: Remembered<usize>,
    }

    impl Source {
        fn new() -> Self {
            Self {
                clock: Clock::simulated(Timestamp::UNIX_EPOCH),
                calls: Arc::default(),
                kept: Remembered::default(),
            }
        }

        async fn get(&self, answers: bool) -> Result<usize, Failure> {
            let calls = Arc::clone(&self.calls);
            self.kept
                .get(&self.clock, || async move {
                    let call = calls.fetch_add(1, Ordering::SeqCst) + 1;
                    tokio::task::yield_now().await;
                    if answers {
                        Ok(call)
                    } else {
                        Err(Failure::Unreachable("it is down".into()))
                    }
                })
                .await
        }

        fn later(&self, by: Duration) {
            self.clock.move_to(self.clock.now() + by);
        }

        fn calls(&self) -> usize {
            self.calls.load(Ordering::SeqCst)
        }
    }

    #[tokio::test]
    async fn many_who_wait_are_one_fetch() {
        let source = Source::new();
        let all = futures::future::join_all((0..50).map(|_| source.get(true))).await;
        assert!(all.iter().all(|one| *one == Ok(1)), "{all:?}");
        assert_eq!(source.get(true).await, Ok(1));
        assert_eq!(source.calls(), 1);
    }

    #[tokio::test]
    async fn a_failure_is_remembered_for_half_a_minute() {
        let source = Source::new();
        for _ in 0..10 {
            assert!(source.get(false).await.is_err());
        }
        assert_eq!(source.calls(), 1);
        source.later(Duration::seconds(29));
        assert!(source.get(true).await.is_err());
        source.later(Duration::seconds(2));
        assert_eq!(source.get(true).await, Ok(2));
    }

    #[tokio::test]
    async fn an_old_copy_serves_while_no_new_one_can_be_had() {
        let source = Source::new();
        assert_eq!(source.get(true).await, Ok(1));
        source.later(FRESH_FOR);
        for _ in 0..10 {
            assert_eq!(source.get(false).await, Ok(1));
            tokio::task::yield_now().await;
        }
        assert_eq!(source.calls(), 2, "one try, then it is left alone");
        source.later(Duration::minutes(1));
        assert_eq!(
            source.get(true).await,
            Ok(1),
            "nobody waits for the new one"
        );
        while source.get(true).await != Ok(3) {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn whoever_gives_up_waiting_takes_nothing_along() {
        let source = Source::new();
        let given_up = source.get(true).now_or_never();
        assert!(given_up.is_none());
        assert_eq!(source.get(true).await, Ok(1));
        assert_eq!(source.calls(), 1);
    }

    #[tokio::test]
    async fn renewing_joins_a_fetch_and_begins_one_only_if_it_may() {
        let source = Source::new();
        let renew = |may: bool| {
            let calls = Arc::clone(&source.calls);
            source.kept.renew(
                &source.clock,
                move || may,
                || async move { Ok(calls.fetch_add(1, Ordering::SeqCst) + 1) },
            )
        };
        assert_eq!(renew(false).await, None);
        let (one, other) = futures::join!(renew(true), renew(false));
        assert_eq!((one, other), (Some(1), Some(1)));
        assert_eq!(renew(false).await, Some(1));
        assert_eq!(renew(true).await, Some(2));
    }
}
