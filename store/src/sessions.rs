//! Server-side sessions and sign-ins under way. Keys are hashes: a copy of these tables opens nothing.

use chrono::Duration;
use domain::{AccountId, FreshId, PersonId, Timestamp};

use crate::engine::{At, Error, Tx};

row! {
    /// One session.
    pub struct SessionRow {
        /// Whose it is, once signed in.
        pub person_id: Option<PersonId>,
        /// With which account.
        pub account_id: Option<AccountId>,
        /// What the session layer keeps.
        pub data: Vec<u8>,
        /// When it began; bounds it absolutely.
        pub created_at: Timestamp,
        /// When it was last used, at most a minute old.
        pub seen_at: Timestamp,
        /// When it ends if nothing extends it.
        pub expires_at: Timestamp,
    }

    /// One sign-in under way.
    pub struct SignInRow {
        /// Hash of the secret in the browser's own cookie.
        pub browser_hash: Vec<u8>,
        /// What the ID token must echo.
        pub nonce: String,
        /// PKCE verifier (RFC 7636).
        pub verifier: String,
        /// Where to go afterwards: a path of ours.
        pub return_to: String,
        /// When it is too late.
        pub expires_at: Timestamp,
        /// What waits for it, if it is a fresh one for a decision.
        pub fresh_id: Option<FreshId>,
        /// Hash of the session that such a one was begun in.
        pub session_hash: Option<Vec<u8>>,
    }
}

impl Tx {
    /// The session under this hash, if there is one; expiry is the caller's to judge.
    pub async fn session(&mut self, id: &[u8]) -> Result<Option<SessionRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT person_id, account_id, data, created_at, seen_at, expires_at FROM sessions WHERE id = $1")
            .bind(id).fetch_optional(c).await)?)
    }

    /// Writes a session, new or changed. `created_at` of an existing one stays.
    pub async fn save_session(&mut self, id: &[u8], session: &SessionRow) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO sessions (id, person_id, account_id, data, created_at, seen_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (id) DO UPDATE SET person_id = excluded.person_id, account_id = excluded.account_id,
               data = excluded.data, seen_at = excluded.seen_at, expires_at = excluded.expires_at")
            .bind(id).bind(session.person_id.map(|id| id.0)).bind(session.account_id.map(|id| id.0))
            .bind(&session.data).bind(At(session.created_at)).bind(At(session.seen_at)).bind(At(session.expires_at))
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Notes that a session was used.
    pub async fn touch_session(
        &mut self,
        id: &[u8],
        seen: Timestamp,
        expires: Timestamp,
    ) -> Result<(), Error> {
        on!(self, c => sqlx::query("UPDATE sessions SET seen_at = $2, expires_at = $3 WHERE id = $1")
            .bind(id).bind(At(seen)).bind(At(expires)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Ends one session.
    pub async fn delete_session(&mut self, id: &[u8]) -> Result<(), Error> {
        on!(self, c => sqlx::query("DELETE FROM sessions WHERE id = $1").bind(id).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Ends all sessions of a person and says how many there were.
    pub async fn delete_sessions_of(&mut self, person: PersonId) -> Result<u64, Error> {
        Ok(
            on!(self, c => sqlx::query("DELETE FROM sessions WHERE person_id = $1")
            .bind(person.0).execute(c).await.map(|done| done.rows_affected()))?,
        )
    }

    /// Deletes sessions and sign-ins that are over, and an hour later what waited for one in vain.
    pub async fn delete_expired_sessions(&mut self, now: Timestamp) -> Result<u64, Error> {
        let sessions = on!(self, c => sqlx::query("DELETE FROM sessions WHERE expires_at <= $1")
            .bind(At(now)).execute(c).await.map(|done| done.rows_affected()))?;
        let sign_ins = on!(self, c => sqlx::query("DELETE FROM sign_ins WHERE expires_at <= $1")
            .bind(At(now)).execute(c).await.map(|done| done.rows_affected()))?;
        let fresh = on!(self, c => sqlx::query("DELETE FROM fresh_sign_ins WHERE proven_at IS NULL AND begun_at <= $1")
            .bind(At(now - Duration::hours(1))).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(sessions + sign_ins + fresh)
    }

    /// Keeps a sign-in under way, by the hash of its state.
    pub async fn save_sign_in(&mut self, state_hash: &[u8], row: &SignInRow) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO sign_ins (state_hash, browser_hash, nonce, verifier, return_to, expires_at, fresh_id, session_hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
            .bind(state_hash).bind(&row.browser_hash).bind(&row.nonce).bind(&row.verifier).bind(&row.return_to)
            .bind(At(row.expires_at)).bind(row.fresh_id.map(|id| id.0)).bind(&row.session_hash).execute(c).await.map(drop))?;
        Ok(())
    }

    /// A sign-in under way, left where it is.
    pub async fn sign_in(&mut self, state_hash: &[u8]) -> Result<Option<SignInRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT browser_hash, nonce, verifier, return_to, expires_at, fresh_id, session_hash FROM sign_ins WHERE state_hash = $1")
            .bind(state_hash).fetch_optional(c).await)?)
    }

    /// Takes a sign-in out: the second call with the same state finds nothing.
    pub async fn take_sign_in(&mut self, state_hash: &[u8]) -> Result<Option<SignInRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "DELETE FROM sign_ins WHERE state_hash = $1 RETURNING browser_hash, nonce, verifier, return_to, expires_at,
               fresh_id, session_hash")
            .bind(state_hash).fetch_optional(c).await)?)
    }
}
