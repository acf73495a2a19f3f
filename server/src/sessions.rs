//! Sessions: a random number in a cookie, its hash in the database, who it is beside it. Who the person is allowed to be is
//! never kept here; it is read anew for every request.
//!
//! Four methods over `store`'s transactions instead of a session framework: a person's sessions must end together, being
//! seen is written at most once a minute, and two limits hold at once; a framework's one expiry fits none of that.

use axum::http::{HeaderMap, HeaderValue, header};
use chrono::Duration;
use domain::{AccountId, PersonId, Timestamp};
use serde::{Deserialize, Serialize};
use store::sessions::SessionRow;
use workflow::{Result, Workflow};

use crate::sign_in::{secret, sha256};

/// Being seen is written at most this often.
const SEEN_EVERY: Duration = Duration::minutes(1);
/// A sign-in may take this long.
pub const SIGN_IN_LIFE: Duration = Duration::minutes(10);

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

/// What a session keeps besides whose it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Saves the account picker at sign-out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_hint: Option<String>,
}

/// A session that holds now.
#[derive(Clone, Debug)]
pub struct Session {
    /// Hash of the secret.
    pub id: Vec<u8>,
    /// Whose.
    pub person: PersonId,
    /// With which account.
    pub account: AccountId,
    /// What it keeps.
    pub kept: Kept,
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

    /// A `Set-Cookie` for the session (until the browser closes; the server's limits are the shorter ones).
    pub fn set(&self, token: &str) -> HeaderValue {
        self.header(self.cookie(), token, None)
    }

    /// A `Set-Cookie` that binds a sign-in to this browser.
    pub fn set_sign_in(&self, token: &str) -> HeaderValue {
        self.header(
            self.sign_in_cookie(),
            token,
            Some(SIGN_IN_LIFE.num_seconds()),
        )
    }

    /// A `Set-Cookie` that removes a cookie.
    pub fn clear(&self, name: &str) -> HeaderValue {
        self.header(name, "", Some(0))
    }

    fn header(&self, name: &str, value: &str, max_age: Option<i64>) -> HeaderValue {
        let secure = if self.secure { "; Secure" } else { "" };
        let age = max_age.map_or_else(String::new, |age| format!("; Max-Age={age}"));
        // Lax, not Strict: the way back from the sign-in provider begins on another site.
        let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}");
        HeaderValue::from_str(&text).expect("names and base64url values are plain ASCII")
    }

    /// The session that the request's cookie opens, if it holds now. Notes that it was used, unless `quiet`.
    pub async fn load(
        &self,
        workflow: &Workflow,
        headers: &HeaderMap,
        quiet: bool,
    ) -> Result<Option<Session>> {
        let Some(token) = cookie(headers, self.cookie()) else {
            return Ok(None);
        };
        let id = sha256(token);
        let mut tx = workflow.store().read().await?;
        let row = tx.session(&id).await?;
        drop(tx);
        let now = workflow.clock().system_now();
        let Some(row) =
            row.filter(|row| now < row.expires_at && now < row.created_at + self.absolute)
        else {
            return Ok(None);
        };
        let (Some(person), Some(account)) = (row.person_id, row.account_id) else {
            return Ok(None);
        };
        if !quiet && now - row.seen_at >= SEEN_EVERY {
            let mut tx = workflow.store().begin().await?;
            tx.touch_session(&id, now, self.expiry(row.created_at, now))
                .await?;
            tx.commit().await?;
        }
        Ok(Some(Session {
            id,
            person,
            account,
            kept: serde_json::from_slice(&row.data).unwrap_or_default(),
        }))
    }

    /// Begins a session under a new secret and ends the one that the browser had: an id from before a sign-in is never
    /// valid after it. Gives the secret.
    pub async fn start(
        &self,
        workflow: &Workflow,
        headers: &HeaderMap,
        person: PersonId,
        account: AccountId,
        kept: &Kept,
    ) -> Result<String> {
        let token = secret();
        let now = workflow.clock().system_now();
        let mut tx = workflow.store().begin().await?;
        if let Some(old) = cookie(headers, self.cookie()) {
            tx.delete_session(&sha256(old)).await?;
        }
        let row = SessionRow {
            person_id: Some(person),
            account_id: Some(account),
            data: serde_json::to_vec(kept)?,
            created_at: now,
            seen_at: now,
            expires_at: self.expiry(now, now),
        };
        tx.save_session(&sha256(&token), &row).await?;
        tx.commit().await?;
        Ok(token)
    }

    /// Ends a session.
    pub async fn end(&self, workflow: &Workflow, id: &[u8]) -> Result<()> {
        let mut tx = workflow.store().begin().await?;
        tx.delete_session(id).await?;
        Ok(tx.commit().await?)
    }

    fn expiry(&self, created: Timestamp, now: Timestamp) -> Timestamp {
        (now + self.idle).min(created + self.absolute)
    }
}

/// The value of a cookie. Of two with one name the first counts, as in browsers' own order.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
        // Ours are 43 characters; anything longer is not worth hashing.
        .filter(|value| !value.is_empty() && value.len() <= 128)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(
            header::COOKIE,
            HeaderValue::from_static("xlatchkey-trial=1; latchkey-trial=2;latchkey-trial=3"),
        );
        assert_eq!(cookie(&headers, "latchkey-trial"), Some("2"));
        assert_eq!(cookie(&headers, "latchkey"), None);
    }

    #[test]
    fn a_production_cookie_is_bound_to_host_and_https() {
        let sessions = Sessions {
            secure: true,
            idle: Duration::minutes(45),
            absolute: Duration::hours(8),
        };
        assert_eq!(
            sessions.set("abc"),
            "__Host-latchkey=abc; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
    }
}
