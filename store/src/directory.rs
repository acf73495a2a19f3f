//! Where reading the directory stands, and the mass changes that wait for a human.

use domain::{HoldId, PersonId, Timestamp};
use uuid::Uuid;

use crate::engine::{At, Error, Tx};

domain::words! {
    /// Where a hold stands.
    pub enum HoldState {
        /// Nothing of it is applied.
        Waiting = "waiting",
        /// A human said that it is right; it was applied.
        Confirmed = "confirmed",
        /// A human said that it is wrong; it was not applied.
        Dismissed = "dismissed",
    }
}

row! {
    /// Where reading one tenant stands.
    pub struct DirectoryRow {
        /// Entra tenant id.
        pub tenant_id: Uuid,
        /// Where the next reading of changes begins; none means that everything must be read.
        pub delta_link: Option<String>,
        /// When everything was last read to its end.
        pub full_at: Option<Timestamp>,
        /// When changes were last read to their end.
        pub delta_at: Option<Timestamp>,
        /// How many people the last whole reading held.
        pub people: i64,
        /// What is wrong now, in words.
        pub problem: Option<String>,
        /// Since when.
        pub problem_at: Option<Timestamp>,
    }

    /// One mass change.
    pub struct HoldRow {
        /// Its id.
        pub id: HoldId,
        /// `mass_leave`.
        pub kind: String,
        /// Where it stands.
        pub state: HoldState,
        /// When it was placed.
        pub placed_at: Timestamp,
        /// How many people it is about.
        pub counted: i64,
        /// How many would have been applied without asking.
        pub allowed: i64,
        /// Printed ids of the people, separated by spaces.
        pub people: String,
        /// Who decided.
        pub decided_by: Option<PersonId>,
        /// When.
        pub decided_at: Option<Timestamp>,
    }
}

macro_rules! hold_columns {
    ($tail:literal) => {
        concat!(
            "SELECT id, kind, state, placed_at, counted, allowed, people, decided_by, decided_at FROM holds",
            $tail
        )
    };
}

impl Tx {
    /// Where reading this tenant stands, if it was ever read.
    pub async fn directory_state(&mut self, tenant: Uuid) -> Result<Option<DirectoryRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT tenant_id, delta_link, full_at, delta_at, people, problem, problem_at
             FROM directory_state WHERE tenant_id = $1").bind(tenant).fetch_optional(c).await)?)
    }

    /// Writes where reading a tenant stands.
    pub async fn save_directory_state(&mut self, row: &DirectoryRow) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO directory_state (tenant_id, delta_link, full_at, delta_at, people, problem, problem_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (tenant_id) DO UPDATE SET delta_link = excluded.delta_link, full_at = excluded.full_at,
               delta_at = excluded.delta_at, people = excluded.people, problem = excluded.problem,
               problem_at = excluded.problem_at")
            .bind(row.tenant_id).bind(&row.delta_link).bind(row.full_at.map(At)).bind(row.delta_at.map(At))
            .bind(row.people).bind(&row.problem).bind(row.problem_at.map(At)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// One hold.
    pub async fn hold(&mut self, id: HoldId) -> Result<Option<HoldRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(hold_columns!(" WHERE id = $1"))
            .bind(id.0).fetch_optional(c).await)?,
        )
    }

    /// The hold that waits, if one does.
    pub async fn waiting_hold(&mut self) -> Result<Option<HoldRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(hold_columns!(" WHERE state = 'waiting'"))
            .fetch_optional(c).await)?,
        )
    }

    /// The newest holds.
    pub async fn newest_holds(&mut self, limit: i64) -> Result<Vec<HoldRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(hold_columns!(" ORDER BY placed_at DESC, id DESC LIMIT $1"))
            .bind(limit).fetch_all(c).await)?,
        )
    }

    /// Adds a hold. The database refuses a second one that waits.
    pub async fn insert_hold(&mut self, row: &HoldRow) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO holds (id, kind, state, placed_at, counted, allowed, people, decided_by, decided_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
            .bind(row.id.0).bind(&row.kind).bind(row.state.as_str()).bind(At(row.placed_at)).bind(row.counted)
            .bind(row.allowed).bind(&row.people).bind(row.decided_by.map(|id| id.0))
            .bind(row.decided_at.map(At)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Writes whom a waiting hold is about now. False if it no longer waits.
    pub async fn widen_hold(&mut self, row: &HoldRow) -> Result<bool, Error> {
        let done = on!(self, c => sqlx::query(
            "UPDATE holds SET counted = $2, allowed = $3, people = $4 WHERE id = $1 AND state = 'waiting'")
            .bind(row.id.0).bind(row.counted).bind(row.allowed).bind(&row.people)
            .execute(c).await.map(|done| done.rows_affected()))?;
        Ok(done == 1)
    }

    /// Decides a hold that waits. False if somebody else was first.
    pub async fn decide_hold(
        &mut self,
        id: HoldId,
        state: HoldState,
        by: PersonId,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let done = on!(self, c => sqlx::query(
            "UPDATE holds SET state = $2, decided_by = $3, decided_at = $4 WHERE id = $1 AND state = 'waiting'")
            .bind(id.0).bind(state.as_str()).bind(by.0).bind(At(now))
            .execute(c).await.map(|done| done.rows_affected()))?;
        Ok(done == 1)
    }
}
