//! Which installation this is, how often it was started, and the trial's clock offset.

use domain::{InstallationId, Timestamp};

use crate::engine::{At, Error, Tx};

row! {
    /// The one row that identifies the database.
    pub struct Installation {
        /// Random id, made once.
        pub id: InstallationId,
        /// `trial` or `production`.
        pub mode: String,
        /// Starts of the process so far.
        pub starts: i64,
        /// How far the trial's clock runs ahead of the system's, in microseconds.
        pub clock_offset_us: i64,
        /// When the database was made.
        pub created_at: Timestamp,
    }
}

impl Tx {
    /// The installation, if the database has been made.
    pub async fn installation(&mut self) -> Result<Option<Installation>, Error> {
        Ok(
            on!(self, c => sqlx::query_as("SELECT id, mode, starts, clock_offset_us, created_at FROM installation")
            .fetch_optional(c).await)?,
        )
    }

    /// `trial` or `production`, if the database has been made; reads databases of every earlier version.
    pub async fn installation_mode(&mut self) -> Result<Option<String>, Error> {
        Ok(
            on!(self, c => sqlx::query_scalar("SELECT mode FROM installation")
            .fetch_optional(c).await)?,
        )
    }

    /// Makes the one row.
    pub async fn create_installation(
        &mut self,
        id: InstallationId,
        mode: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        on!(self, c => sqlx::query("INSERT INTO installation (id, mode, created_at) VALUES ($1, $2, $3)")
            .bind(id.0).bind(mode).bind(At(now)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Counts a start and gives the new count.
    pub async fn count_start(&mut self) -> Result<i64, Error> {
        Ok(
            on!(self, c => sqlx::query_scalar("UPDATE installation SET starts = starts + 1 RETURNING starts")
            .fetch_one(c).await)?,
        )
    }

    /// Moves the trial's clock forward; never back (the database refuses a negative offset, the caller a smaller one).
    pub async fn set_clock_offset(&mut self, micros: i64) -> Result<(), Error> {
        on!(self, c => sqlx::query("UPDATE installation SET clock_offset_us = $1").bind(micros).execute(c).await.map(drop))?;
        Ok(())
    }

    /// The next value of a counter: 1, 2, 3 … after where it stands.
    pub async fn count(&mut self, counter: &str) -> Result<i64, Error> {
        Ok(
            on!(self, c => sqlx::query_scalar("UPDATE counters SET value = value + 1 WHERE name = $1 RETURNING value")
            .bind(counter).fetch_one(c).await)?,
        )
    }
}
