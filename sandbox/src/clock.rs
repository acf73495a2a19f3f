//! The sandbox's time: the system clock plus an offset that only grows, so that a trial can skip ahead. Tokens use the
//! system clock alone, because their readers do.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::SystemTime,
};

use chrono::{DateTime, Utc};

#[derive(Debug)]
pub(crate) struct Clock {
    offset: AtomicI64,
}

impl Clock {
    pub fn new(offset: i64) -> Self {
        Self {
            offset: AtomicI64::new(offset.max(0)),
        }
    }

    /// The system clock.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the sandbox's clock; it shares none with the portal"
    )]
    pub fn system() -> DateTime<Utc> {
        SystemTime::now().into()
    }

    /// The time in the directory.
    pub fn now(&self) -> DateTime<Utc> {
        Self::system() + chrono::Duration::microseconds(self.offset())
    }

    /// Microseconds ahead of the system clock.
    pub fn offset(&self) -> i64 {
        self.offset.load(Ordering::Relaxed)
    }

    /// Moves forward; a smaller offset changes nothing. Answers with the offset that holds.
    pub fn advance_to(&self, offset: i64) -> i64 {
        self.offset.fetch_max(offset, Ordering::Relaxed).max(offset)
    }
}
