//! Time, ids and chance as values that tests control. The only place that asks the system for any of them.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, Ordering},
};

use domain::Timestamp;
use rand::{Rng, SeedableRng, rngs::StdRng};
use uuid::Uuid;

/// What time it is. Cheap to clone; all clones agree.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The system's clock, plus an offset that only the trial moves, forward only.
    System {
        /// Microseconds ahead of the system's clock.
        offset_us: Arc<AtomicI64>,
    },
    /// A clock that stands until a test moves it.
    Simulated {
        /// Microseconds since 1970.
        now_us: Arc<AtomicI64>,
    },
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::System {
            offset_us: Arc::default(),
        }
    }

    /// A clock that stands at `now`.
    pub fn simulated(now: Timestamp) -> Self {
        Self::Simulated {
            now_us: Arc::new(AtomicI64::new(now.timestamp_micros())),
        }
    }

    /// Now, in whole microseconds, as the rules see it.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System { offset_us } => {
                from_micros(system_micros() + offset_us.load(Ordering::SeqCst))
            }
            Self::Simulated { now_us } => from_micros(now_us.load(Ordering::SeqCst)),
        }
    }

    /// Now without the trial's offset: for sessions, tokens and leases, which follow the real world.
    pub fn system_now(&self) -> Timestamp {
        match self {
            Self::System { .. } => from_micros(system_micros()),
            Self::Simulated { now_us } => from_micros(now_us.load(Ordering::SeqCst)),
        }
    }

    /// Moves to `now` if that is later; a clock never goes back by our hand. Gives the offset from the system's clock in
    /// microseconds (for a simulated clock, its own position).
    pub fn move_to(&self, now: Timestamp) -> i64 {
        match self {
            Self::System { offset_us } => {
                let wanted = now.timestamp_micros() - system_micros();
                offset_us.fetch_max(wanted, Ordering::SeqCst).max(wanted)
            }
            Self::Simulated { now_us } => {
                let wanted = now.timestamp_micros();
                now_us.fetch_max(wanted, Ordering::SeqCst).max(wanted)
            }
        }
    }

    /// Sets the offset that the database remembers, at start.
    pub fn restore_offset(&self, micros: i64) {
        if let Self::System { offset_us } = self {
            offset_us.fetch_max(micros, Ordering::SeqCst);
        }
    }

    /// How far ahead of the system's clock this one runs, in microseconds; 0 outside the trial.
    pub fn offset_us(&self) -> i64 {
        match self {
            Self::System { offset_us } => offset_us.load(Ordering::SeqCst),
            Self::Simulated { .. } => 0,
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the clock that everybody else is handed"
)]
fn system_micros() -> i64 {
    chrono::Utc::now().timestamp_micros()
}

fn from_micros(micros: i64) -> Timestamp {
    Timestamp::from_timestamp_micros(micros).unwrap_or(Timestamp::MAX_UTC)
}

/// New ids and jitter.
#[derive(Clone, Debug)]
pub struct Ids {
    rng: Arc<Mutex<StdRng>>,
}

impl Ids {
    /// From the system's randomness.
    pub fn system() -> Self {
        Self {
            rng: Arc::new(Mutex::new(StdRng::from_entropy())),
        }
    }

    /// The same ids for the same seed and the same clock.
    pub fn seeded(seed: u64) -> Self {
        Self {
            rng: Arc::new(Mutex::new(StdRng::seed_from_u64(seed))),
        }
    }

    /// A new UUIDv7 (RFC 9562) at `now`, as any of the typed ids.
    pub fn new_id<T: From<Uuid>>(&self, now: Timestamp) -> T {
        let mut random = [0_u8; 10];
        self.fill(&mut random);
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &random)
            .into_uuid()
            .into()
    }

    /// A number in `[0, 1)` to spread retries with.
    pub fn jitter(&self) -> f64 {
        self.rng().r#gen()
    }

    /// Fills with random bytes. Not for secrets: those come from the system directly.
    pub fn fill(&self, bytes: &mut [u8]) {
        self.rng().fill(bytes);
    }

    fn rng(&self) -> std::sync::MutexGuard<'_, StdRng> {
        self.rng
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
