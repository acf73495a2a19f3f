//! Fresh sign-ins: what waits for one, and what came of it.

use domain::{AccountId, FreshId, PersonId, StageId, Timestamp};

use crate::engine::{At, Error, Tx};

row! {
    /// A yes that waits for a fresh sign-in, as it was typed, or that had one.
    pub struct FreshRow {
        /// Its id.
        pub id: FreshId,
        /// In which stage.
        pub stage_id: StageId,
        /// Whose yes.
        pub person_id: PersonId,
        /// The account of their session.
        pub account_id: AccountId,
        /// For at most so many seconds, if they said less.
        pub cap_seconds: Option<i64>,
        /// What they wrote.
        pub note: String,
        /// What they sign off.
        pub signed_hash: String,
        /// The authentication context that is asked for, if one is configured.
        pub context: Option<String>,
        /// When it began to wait, by the system's clock.
        pub begun_at: Timestamp,
        /// When the person signed in, as the provider said.
        pub signed_in_at: Option<Timestamp>,
        /// When it counted, by the system's clock.
        pub proven_at: Option<Timestamp>,
        /// Why it did not, as JSON.
        pub refusals: Option<String>,
    }
}

impl Tx {
    /// Keeps a yes until its fresh sign-in.
    pub async fn insert_fresh(&mut self, row: &FreshRow) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO fresh_sign_ins (id, stage_id, person_id, account_id, cap_seconds, note, signed_hash, context, begun_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
            .bind(row.id.0).bind(row.stage_id.0).bind(row.person_id.0).bind(row.account_id.0).bind(row.cap_seconds)
            .bind(&row.note).bind(&row.signed_hash).bind(&row.context).bind(At(row.begun_at)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// What waits, or waited, under this id.
    pub async fn fresh(&mut self, id: FreshId) -> Result<Option<FreshRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT id, stage_id, person_id, account_id, cap_seconds, note, signed_hash, context, begun_at, signed_in_at,
               proven_at, refusals
             FROM fresh_sign_ins WHERE id = $1").bind(id.0).fetch_optional(c).await)?)
    }

    /// Lets a fresh sign-in count; in the transaction of its vote. False if it has an outcome already.
    pub async fn prove_fresh(
        &mut self,
        id: FreshId,
        signed_in_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let proven = on!(self, c => sqlx::query(
            "UPDATE fresh_sign_ins SET signed_in_at = $2, proven_at = $3
             WHERE id = $1 AND proven_at IS NULL AND refusals IS NULL")
            .bind(id.0).bind(At(signed_in_at)).bind(At(now)).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(proven == 1)
    }

    /// Says why it does not count, unless it has an outcome already.
    pub async fn refuse_fresh(&mut self, id: FreshId, refusals: &str) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "UPDATE fresh_sign_ins SET refusals = $2 WHERE id = $1 AND proven_at IS NULL AND refusals IS NULL")
            .bind(id.0).bind(refusals).execute(c).await.map(drop))?;
        Ok(())
    }
}
