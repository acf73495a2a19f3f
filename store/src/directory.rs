//! Where reading the directory stands, and the mass changes that wait for a human.

use domain::{AccountId, HoldId, PersonId, Timestamp};
use sqlx::QueryBuilder;
use uuid::Uuid;

use crate::engine::{At, Engine, Error, Tx};

domain::words! {
    /// Why somebody is taken to have left.
    pub enum LeaveCause {
        /// The directory disabled the account.
        Disabled = "disabled",
        /// The directory deleted the account.
        Deleted = "deleted",
        /// Their last day is over.
        LastDay = "last_day",
    }
}

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
        /// Who decided.
        pub decided_by: Option<PersonId>,
        /// When.
        pub decided_at: Option<Timestamp>,
    }
}

row! {
    /// One person of a hold.
    pub struct HeldRow {
        /// Which hold.
        pub hold_id: HoldId,
        /// Who.
        pub person_id: PersonId,
        /// The account that the directory speaks of.
        pub account_id: AccountId,
        /// What the directory says.
        pub cause: LeaveCause,
        /// The last day that the directory gives.
        pub last_day_at: Option<Timestamp>,
        /// When it was applied.
        pub applied_at: Option<Timestamp>,
    }
}

row! {
    /// A hold as one finds it under its lock.
    pub struct LockedHoldRow {
        /// Where it stands.
        pub state: HoldState,
        /// Counts changes of whom it is about.
        pub version: i64,
        /// How many people would have been applied without asking.
        pub allowed: i64,
    }
}

macro_rules! hold_columns {
    ($tail:literal) => {
        concat!(
            "SELECT id, kind, state, placed_at, counted, allowed, decided_by, decided_at FROM holds",
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

    /// Locks a hold until commit: nobody is added to it or taken out, and nobody else decides it.
    pub async fn lock_hold(&mut self, id: HoldId) -> Result<Option<LockedHoldRow>, Error> {
        let text = match self.engine() {
            Engine::Sqlite => "SELECT state, version, allowed FROM holds WHERE id = $1",
            Engine::Postgres => {
                "SELECT state, version, allowed FROM holds WHERE id = $1 FOR UPDATE"
            }
        };
        Ok(on!(self, c => sqlx::query_as(text).bind(id.0).fetch_optional(c).await)?)
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
            "INSERT INTO holds (id, kind, state, placed_at, counted, allowed, decided_by, decided_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
            .bind(row.id.0).bind(&row.kind).bind(row.state.as_str()).bind(At(row.placed_at)).bind(row.counted)
            .bind(row.allowed).bind(row.decided_by.map(|id| id.0))
            .bind(row.decided_at.map(At)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Writes how many a waiting hold is about now, and that this is another list than before. False if it no longer
    /// waits.
    pub async fn recount_hold(
        &mut self,
        id: HoldId,
        counted: i64,
        allowed: i64,
    ) -> Result<bool, Error> {
        let done = on!(self, c => sqlx::query(
            "UPDATE holds SET counted = $2, allowed = $3, version = version + 1 WHERE id = $1 AND state = 'waiting'")
            .bind(id.0).bind(counted).bind(allowed).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(done == 1)
    }

    /// Adds people to a hold; who is in it already stays.
    pub async fn insert_hold_people(&mut self, rows: &[HeldRow]) -> Result<(), Error> {
        for chunk in rows.chunks(1000) {
            on!(self, c => {
                let mut query = QueryBuilder::new(
                    "INSERT INTO hold_people (hold_id, person_id, account_id, cause, last_day_at, applied_at) ");
                query.push_values(chunk, |mut tuple, row| {
                    tuple.push_bind(row.hold_id.0).push_bind(row.person_id.0).push_bind(row.account_id.0)
                        .push_bind(row.cause.as_str()).push_bind(row.last_day_at.map(At)).push_bind(row.applied_at.map(At));
                });
                query.push(" ON CONFLICT DO NOTHING");
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Whom a hold is about.
    pub async fn hold_people(&mut self, hold: HoldId) -> Result<Vec<HeldRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT hold_id, person_id, account_id, cause, last_day_at, applied_at FROM hold_people
             WHERE hold_id = $1 ORDER BY person_id").bind(hold.0).fetch_all(c).await)?)
    }

    /// Whom confirmed holds are about to whom nothing was applied yet: a stop came between.
    pub async fn unapplied_hold_people(&mut self) -> Result<Vec<HeldRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT p.hold_id, p.person_id, p.account_id, p.cause, p.last_day_at, p.applied_at FROM hold_people p
             JOIN holds h ON h.id = p.hold_id WHERE h.state = 'confirmed' AND p.applied_at IS NULL
             ORDER BY p.hold_id, p.person_id").fetch_all(c).await)?)
    }

    /// Takes a person out of a hold.
    pub async fn delete_hold_person(
        &mut self,
        hold: HoldId,
        person: PersonId,
    ) -> Result<(), Error> {
        on!(self, c => sqlx::query("DELETE FROM hold_people WHERE hold_id = $1 AND person_id = $2")
            .bind(hold.0).bind(person.0).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Notes that a hold's change was applied to a person.
    pub async fn mark_hold_applied(
        &mut self,
        hold: HoldId,
        person: PersonId,
        now: Timestamp,
    ) -> Result<(), Error> {
        on!(self, c => sqlx::query("UPDATE hold_people SET applied_at = $3 WHERE hold_id = $1 AND person_id = $2")
            .bind(hold.0).bind(person.0).bind(At(now)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// People who still count as working here although their last day is over.
    pub async fn people_past_last_day(
        &mut self,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<PersonId>, Error> {
        let ids: Vec<Uuid> = on!(self, c => sqlx::query_scalar(
            "SELECT id FROM persons WHERE state = 'active' AND last_day_at <= $1 ORDER BY last_day_at, id LIMIT $2")
            .bind(At(now)).bind(limit).fetch_all(c).await)?;
        Ok(ids.into_iter().map(PersonId).collect())
    }

    /// Dismisses a hold that waits and is about nobody any more. False if it is not like that.
    pub async fn dismiss_empty_hold(&mut self, id: HoldId, now: Timestamp) -> Result<bool, Error> {
        let done = on!(self, c => sqlx::query(
            "UPDATE holds SET state = 'dismissed', decided_at = $2 WHERE id = $1 AND state = 'waiting'
               AND NOT EXISTS (SELECT 1 FROM hold_people p WHERE p.hold_id = holds.id)")
            .bind(id.0).bind(At(now)).execute(c).await.map(|done| done.rows_affected()))?;
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
