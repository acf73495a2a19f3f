//! Sessions: tower-sessions' layer over our own store. The cookie holds a random id, the database its hash with the person
//! and account in columns of their own, so that all sessions of a person can end together. Who the person is allowed to be is
//! never kept here; it is read anew for every request.
//!
//! Both limits, without use and in any case, are judged here by the portal's own clock: a cookie's age proves nothing. Being
//! used is written at most once a minute, outside the audit.

use async_trait::async_trait;
use axum::http::HeaderValue;
use chrono::Duration;
use domain::{AccountId, PersonId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::sessions::SessionRow;
use tower_sessions::{
    Expiry, SessionManagerLayer, SessionStore,
    cookie::{SameSite, time::OffsetDateTime},
    session::{Id, Record},
    session_store::{Error, Result},
};
use workflow::Workflow;

use crate::sign_in::sha256;

/// Being used is written at most this often.
const SEEN_EVERY: Duration = Duration::minutes(1);
/// A sign-in may take this long.
pub const SIGN_IN_LIFE: Duration = Duration::minutes(10);
/// Under which key a session keeps [`Me`].
pub const ME: &str = "me";
/// Under which key a loaded session tells when it was last used, in microseconds since 1970. Never saved: it has a column.
const SEEN: &str = "seen";

/// How sessions are kept.
#[derive(Clone, Debug)]
pub struct Sessions {
    /// Whether cookies are for https only, with the `__Host-` prefix. False in the trial, which has no TLS.
    pub secure: bool,
    /// Without use.
    pub idle: Duration,
    /// In any case.
    pub absolute: Duration,
}

/// Whose session it is, with what it keeps besides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    /// The person.
    pub person: PersonId,
    /// The account that they signed in with.
    pub account: AccountId,
    /// Saves the account picker at sign-out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_hint: Option<String>,
}

impl Sessions {
    /// Name of the session's cookie.
    pub const fn cookie(&self) -> &'static str {
        if self.secure {
            "__Host-latchkey"
        } else {
            "latchkey-trial"
        }
    }

    /// Name of the cookie that binds a sign-in to a browser.
    pub const fn sign_in_cookie(&self) -> &'static str {
        if self.secure {
            "__Host-latchkey-signin"
        } else {
            "latchkey-trial-signin"
        }
    }

    /// A `Set-Cookie` that binds a sign-in to this browser.
    pub fn set_sign_in(&self, token: &str) -> HeaderValue {
        self.header(token, SIGN_IN_LIFE.num_seconds())
    }

    /// A `Set-Cookie` that forgets the sign-in.
    pub fn clear_sign_in(&self) -> HeaderValue {
        self.header("", 0)
    }

    fn header(&self, value: &str, age: i64) -> HeaderValue {
        let name = self.sign_in_cookie();
        let secure = if self.secure { "; Secure" } else { "" };
        let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}; Max-Age={age}");
        HeaderValue::from_str(&text).expect("names and base64url values are plain ASCII")
    }

    /// The layer that reads and writes the session's cookie.
    pub fn layer(&self, store: Kept) -> SessionManagerLayer<Kept> {
        SessionManagerLayer::new(store)
            .with_name(self.cookie())
            .with_path("/")
            .with_http_only(true)
            .with_secure(self.secure)
            // Not Strict: the way back from the sign-in provider begins on another site.
            .with_same_site(SameSite::Lax)
            // Until the browser closes; the server's own limits are the shorter ones.
            .with_expiry(Expiry::OnSessionEnd)
    }

    /// The store behind the layer.
    pub fn store(&self, workflow: Workflow) -> Kept {
        Kept {
            workflow,
            idle: self.idle,
            absolute: self.absolute,
        }
    }
}

/// The store over `workflow`'s database.
#[derive(Clone, Debug)]
pub struct Kept {
    workflow: Workflow,
    idle: Duration,
    absolute: Duration,
}

impl Kept {
    fn now(&self) -> Timestamp {
        self.workflow.clock().system_now()
    }

    fn expiry(&self, created: Timestamp, now: Timestamp) -> Timestamp {
        (now + self.idle).min(created + self.absolute)
    }

    /// The row, if the session holds now.
    async fn row(&self, id: &Id) -> std::result::Result<Option<SessionRow>, store::Error> {
        let mut tx = self.workflow.store().read().await?;
        let row = tx.session(&hash(id)).await?;
        let now = self.now();
        Ok(row.filter(|row| now < row.expires_at && now < row.created_at + self.absolute))
    }

    /// Whose session it is, if it holds now; for whoever must not count as using it.
    pub async fn look(&self, id: &Id) -> std::result::Result<Option<Me>, store::Error> {
        let row = self.row(id).await?;
        Ok(row.and_then(|row| {
            let data: serde_json::Map<String, Value> = serde_json::from_slice(&row.data).ok()?;
            serde_json::from_value(data.get(ME)?.clone()).ok()
        }))
    }

    /// Notes that the session is used now, unless that was noted within the last minute.
    pub async fn touch(
        &self,
        session: &tower_sessions::Session,
    ) -> std::result::Result<(), workflow::Error> {
        let (Some(id), Ok(Some(seen))) = (session.id(), session.get::<i64>(SEEN).await) else {
            return Ok(());
        };
        let now = self.now();
        if now.timestamp_micros() - seen < SEEN_EVERY.num_microseconds().unwrap_or(0) {
            return Ok(());
        }
        let mut tx = self.workflow.store().begin().await?;
        if let Some(row) = tx.session(&hash(&id)).await? {
            tx.touch_session(&hash(&id), now, self.expiry(row.created_at, now))
                .await?;
        }
        Ok(tx.commit().await?)
    }

    async fn write(&self, record: &Record, fresh: bool) -> Result<bool> {
        let now = self.now();
        let mut data = record.data.clone();
        data.remove(SEEN);
        let me: Option<Me> = data
            .get(ME)
            .and_then(|me| serde_json::from_value(me.clone()).ok());
        let text = serde_json::to_vec(&data).map_err(|error| Error::Encode(error.to_string()))?;
        let id = hash(&record.id);
        let mut tx = self.workflow.store().begin().await.map_err(failed)?;
        let known = tx.session(&id).await.map_err(failed)?;
        if fresh && known.is_some() {
            return Ok(false);
        }
        // The first instant of a session bounds it, however often it is saved.
        let created = known.map_or(now, |row| row.created_at);
        let row = SessionRow {
            person_id: me.as_ref().map(|me| me.person),
            account_id: me.as_ref().map(|me| me.account),
            data: text,
            created_at: created,
            seen_at: now,
            expires_at: self.expiry(created, now),
        };
        tx.save_session(&id, &row).await.map_err(failed)?;
        tx.commit().await.map_err(failed)?;
        Ok(true)
    }
}

#[async_trait]
impl SessionStore for Kept {
    async fn create(&self, record: &mut Record) -> Result<()> {
        // Two equal numbers of 128 random bits are no case to plan for, but an honest answer costs nothing.
        while !self.write(record, true).await? {
            record.id = Id::default();
        }
        Ok(())
    }

    async fn save(&self, record: &Record) -> Result<()> {
        self.write(record, false).await.map(drop)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let Some(row) = self.row(id).await.map_err(failed)? else {
            return Ok(None);
        };
        let mut data: std::collections::HashMap<String, Value> =
            serde_json::from_slice(&row.data).map_err(|error| Error::Decode(error.to_string()))?;
        data.insert(SEEN.into(), row.seen_at.timestamp_micros().into());
        let expiry_date = OffsetDateTime::from_unix_timestamp(row.expires_at.timestamp())
            .map_err(|error| Error::Decode(error.to_string()))?;
        Ok(Some(Record {
            id: *id,
            data,
            expiry_date,
        }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        let mut tx = self.workflow.store().begin().await.map_err(failed)?;
        tx.delete_session(&hash(id)).await.map_err(failed)?;
        tx.commit().await.map_err(failed)
    }
}

/// What is kept of an id: a copy of the database opens nothing.
fn hash(id: &Id) -> Vec<u8> {
    sha256(&id.to_string())
}

fn failed(error: store::Error) -> Error {
    Error::Backend(error.to_string())
}
