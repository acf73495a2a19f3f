//! Graph's answers, read leniently: error envelopes, waiting times, request ids.

use std::{fmt, time::Duration};

use chrono::DateTime;
use domain::Timestamp;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// A good answer (2xx).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body; null if there was none.
    pub body: Value,
    /// Graph's own id of the call, for Microsoft's support.
    pub request_id: Option<String>,
    /// Our id of the call.
    pub client_request_id: String,
}

/// What kind of failure it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No answer, or only part of one: whether the call had its effect is not known.
    Network,
    /// The token endpoint did not accept our credential, or Graph not our token: a matter of configuration.
    Credential,
    /// 403: a permission or a consent is missing, or the object is protected.
    Denied,
    /// 429: too many calls.
    Throttled,
    /// 5xx, 408.
    Server,
    /// 404.
    NotFound,
    /// 410: the place in a listing of changes is gone.
    Gone,
    /// 409 and 412.
    Conflict,
    /// Any other 4xx.
    Refused,
    /// An answer that Graph does not give: a redirect, a body that is no JSON, a next page elsewhere.
    Nonsense,
}

/// A call that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What kind of failure.
    pub kind: Kind,
    /// HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// Graph's codes, from the outermost to the most specific.
    pub codes: Vec<String>,
    /// Graph's text, or ours.
    pub message: String,
    /// How long Graph wants us to wait.
    pub retry_after: Option<Duration>,
    /// Graph's own id of the call.
    pub request_id: Option<String>,
    /// Our id of the call.
    pub client_request_id: Option<String>,
}

impl Error {
    /// A failure without an answer of Graph.
    pub(crate) fn plain(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            status: None,
            codes: Vec::new(),
            message: message.into(),
            retry_after: None,
            request_id: None,
            client_request_id: None,
        }
    }

    /// A listing whose pages lead nowhere.
    pub(crate) fn circular() -> Self {
        Self::plain(Kind::Nonsense, "a listing goes in circles or has no end")
    }

    /// An answer that is not what was asked for.
    pub(crate) fn unreadable(what: &str) -> Self {
        Self::plain(
            Kind::Nonsense,
            format!("{what} was answered with something else"),
        )
    }

    /// The outermost code, empty if there was none.
    pub fn code(&self) -> &str {
        self.codes.first().map_or("", String::as_str)
    }

    /// Whether Graph gave this code, at any depth; case does not count.
    pub fn has_code(&self, code: &str) -> bool {
        self.codes
            .iter()
            .any(|held| held.eq_ignore_ascii_case(code))
    }

    /// Whether the text holds these words; case does not count.
    pub fn says(&self, words: &str) -> bool {
        self.message.to_lowercase().contains(&words.to_lowercase())
    }

    /// Whether the same call may succeed later without anybody doing anything.
    pub const fn passes(&self) -> bool {
        matches!(
            self.kind,
            Kind::Network | Kind::Throttled | Kind::Server | Kind::Conflict
        )
    }

    /// Whether the place in a listing of changes has died, so that everything must be read again.
    pub fn wants_full_read(&self) -> bool {
        self.kind == Kind::Gone
            || self.has_code("syncStateNotFound")
            || self.has_code("syncStateInvalid")
            || self.has_code("resyncRequired")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(status) = self.status {
            write!(f, "{status} ")?;
        }
        if !self.code().is_empty() {
            write!(f, "{}: ", self.code())?;
        }
        f.write_str(&self.message)?;
        if let Some(id) = &self.request_id {
            write!(f, " (request-id {id})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// The error that an answer with this status is.
pub(crate) fn failed(status: u16, body: &Value, retry_after: Option<Duration>) -> Error {
    let (codes, message) = envelope(body);
    let kind = match status {
        401 => Kind::Credential,
        403 => Kind::Denied,
        404 => Kind::NotFound,
        408 | 500..=599 => Kind::Server,
        409 | 412 => Kind::Conflict,
        410 => Kind::Gone,
        429 => Kind::Throttled,
        400..=499 => Kind::Refused,
        _ => Kind::Nonsense,
    };
    Error {
        status: Some(status),
        codes,
        retry_after,
        message: if message.is_empty() {
            format!("answered {status} without a reason")
        } else {
            message
        },
        ..Error::plain(kind, "")
    }
}

/// Codes and text of an error body. Real ones vary: `message` may be an object with `value`, `innerError` may nest and
/// is spelled in two ways, and the token endpoint has its own shape.
fn envelope(body: &Value) -> (Vec<String>, String) {
    let error = &body["error"];
    if let Some(code) = error.as_str() {
        let text = body["error_description"].as_str().unwrap_or_default();
        return (vec![code.to_owned()], text.to_owned());
    }
    let message = error["message"]
        .as_str()
        .or_else(|| error["message"]["value"].as_str())
        .unwrap_or_default()
        .to_owned();
    let mut codes = Vec::new();
    let mut level = error;
    while let Some(object) = level.as_object() {
        codes.extend(level["code"].as_str().map(str::to_owned));
        match object
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("innererror"))
        {
            Some((_, inner)) if codes.len() < 8 => level = inner,
            _ => break,
        }
    }
    (codes, message)
}

/// How long to wait: seconds, also with a fraction, or an HTTP date.
pub(crate) fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        // A day is longer than anybody means; a negative or endless time is nonsense.
        return (0.0..=86_400.0)
            .contains(&seconds)
            .then(|| Duration::from_secs_f64(seconds));
    }
    let until = DateTime::parse_from_rfc2822(text).ok()?;
    (until.to_utc() - now)
        .to_std()
        .ok()
        .or(Some(Duration::ZERO))
}

pub(crate) fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn now() -> Timestamp {
        DateTime::parse_from_rfc3339("2026-03-02T10:00:00Z")
            .expect("a date")
            .to_utc()
    }

    #[test]
    fn waiting_times_come_in_three_spellings() {
        assert_eq!(retry_after("10", now()), Some(Duration::from_secs(10)));
        assert_eq!(
            retry_after(" 2.128 ", now()),
            Some(Duration::from_millis(2128))
        );
        assert_eq!(
            retry_after("Mon, 02 Mar 2026 10:00:30 GMT", now()),
            Some(Duration::from_secs(30))
        );
        assert_eq!(
            retry_after("Mon, 02 Mar 2026 09:00:00 GMT", now()),
            Some(Duration::ZERO)
        );
        for nonsense in ["", "soon", "-3", "NaN", "inf", "1e300"] {
            assert_eq!(retry_after(nonsense, now()), None, "{nonsense}");
        }
    }

    #[test]
    fn envelopes_are_read_as_they_come() {
        let error = failed(
            400,
            &json!({"error": {"code": "Request_BadRequest", "message": {"value": "Already there."},
                "innererror": {"code": "deeper", "innerError": {"code": "deepest"}}}}),
            None,
        );
        assert_eq!(error.kind, Kind::Refused);
        assert_eq!(error.codes, ["Request_BadRequest", "deeper", "deepest"]);
        assert!(error.says("already THERE"));
        let token = failed(
            401,
            &json!({"error": "invalid_client", "error_description": "AADSTS7000215: wrong"}),
            None,
        );
        assert_eq!(
            (token.kind, token.code()),
            (Kind::Credential, "invalid_client")
        );
        for odd in [Value::Null, json!("no"), json!({"error": 3}), json!([])] {
            assert_eq!(failed(503, &odd, None).kind, Kind::Server);
        }
    }
}
