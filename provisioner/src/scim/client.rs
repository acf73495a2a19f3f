//! Calling a SCIM server: one request, one answer, read leniently, and every failure told apart.

use std::{fmt, time::Duration};

use reqwest::{
    Method, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, ETAG, HeaderMap, IF_MATCH, RETRY_AFTER},
};
use serde_json::Value;

/// Larger than any group that a server gives in one piece, and small enough to hold.
const LARGEST_ANSWER: usize = 32 << 20;

/// A good answer (2xx).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body; null if there was none.
    pub body: Value,
    /// The version of the resource, as the header or `meta.version` says it.
    pub version: Option<String>,
    /// The server's own id of the call.
    pub request_id: Option<String>,
}

/// What kind of failure it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No answer, or only part of one: whether the call had its effect is not known.
    Network,
    /// 401: the token is not accepted.
    Credential,
    /// 403: the token may not do this.
    Denied,
    /// 404.
    NotFound,
    /// 409: it is there already.
    Taken,
    /// 412 and 428: the version is another by now, or has to be said.
    Version,
    /// 429.
    Throttled,
    /// 5xx but 501, and 408.
    Server,
    /// 405 and 501: the server does not do this at all.
    Unsupported,
    /// Any other 4xx.
    Refused,
    /// What is no SCIM: a redirect, a web page, a body that is no JSON.
    Nonsense,
}

/// A call that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What kind of failure.
    pub kind: Kind,
    /// HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// The server's text, or ours; never the token, never the address.
    pub detail: String,
    /// How long the server wants us to wait.
    pub retry_after: Option<Duration>,
    /// The server's own id of the call.
    pub request_id: Option<String>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "{status} {}", self.detail),
            None => f.write_str(&self.detail),
        }
    }
}

impl Error {
    pub(super) fn plain(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            status: None,
            detail: detail.into(),
            retry_after: None,
            request_id: None,
        }
    }
}

/// One SCIM server.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: String,
}

impl fmt::Debug for Client {
    /// Without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// With this client at this base address, without a slash at the end, and this bearer token.
    pub const fn new(http: reqwest::Client, base: String, token: String) -> Self {
        Self { http, base, token }
    }

    /// Reads something.
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, Error> {
        self.call(Method::GET, path, query, None, None).await
    }

    /// Calls once. `version` is the one that must still be there.
    ///
    /// # Errors
    /// Whatever is not 2xx, told apart by [`Kind`].
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
        version: Option<&str>,
    ) -> Result<Answer, Error> {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .query(query)
            .bearer_auth(&self.token)
            .header(ACCEPT, "application/scim+json, application/json");
        if let Some(body) = body {
            request = request
                .header(CONTENT_TYPE, "application/scim+json")
                .body(body.to_string());
        }
        if let Some(version) = version {
            request = request.header(IF_MATCH, version);
        }
        let lost = |error: reqwest::Error| {
            Error::plain(Kind::Network, format!("no answer: {}", error.without_url()))
        };
        let mut answer = request.send().await.map_err(lost)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(lost)? {
            if bytes.len() + chunk.len() > LARGEST_ANSWER {
                return Err(Error::plain(
                    Kind::Nonsense,
                    "the answer is too large to be read",
                ));
            }
            bytes.extend_from_slice(&chunk);
        }
        read(status, &headers, &bytes)
    }
}

fn read(status: StatusCode, headers: &HeaderMap, bytes: &[u8]) -> Result<Answer, Error> {
    let text = |name: &str| {
        let value = headers.get(name)?.to_str().ok()?;
        Some(value.chars().take(200).collect::<String>())
    };
    let request_id = text("x-request-id").or_else(|| text("request-id"));
    let body: Option<Value> = if bytes.is_empty() {
        Some(Value::Null)
    } else {
        serde_json::from_slice(bytes).ok()
    };
    if status.is_success() {
        let Some(body) = body else {
            return Err(Error {
                status: Some(status.as_u16()),
                request_id,
                ..Error::plain(
                    Kind::Nonsense,
                    "the answer is no JSON: is this the address of a SCIM server?",
                )
            });
        };
        let version =
            text(ETAG.as_str()).or_else(|| body["meta"]["version"].as_str().map(str::to_owned));
        return Ok(Answer {
            status: status.as_u16(),
            body,
            version,
            request_id,
        });
    }
    let kind = match status.as_u16() {
        401 => Kind::Credential,
        403 => Kind::Denied,
        404 => Kind::NotFound,
        405 | 501 => Kind::Unsupported,
        409 => Kind::Taken,
        412 | 428 => Kind::Version,
        429 => Kind::Throttled,
        _ if status.is_redirection() => Kind::Nonsense,
        code if status.is_client_error() && code != 408 => Kind::Refused,
        _ => Kind::Server,
    };
    let said = body
        .as_ref()
        .and_then(|body| body["detail"].as_str())
        .unwrap_or("without a word why");
    let detail: String = said.chars().take(300).collect();
    Err(Error {
        kind,
        status: Some(status.as_u16()),
        detail,
        retry_after: text(RETRY_AFTER.as_str()).and_then(|text| seconds(&text)),
        request_id,
    })
}

/// `Retry-After` in seconds, possibly fractional; at most an hour is believed. A date is not: clocks differ.
fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.trim().parse().ok()?;
    (seconds.is_finite() && seconds >= 0.0).then(|| Duration::from_secs_f64(seconds.min(3600.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Result<Answer, Error> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().expect("a header"));
        }
        read(
            StatusCode::from_u16(status).expect("a status"),
            &map,
            body.as_bytes(),
        )
    }

    #[test]
    fn answers_with_and_without_a_body_are_good_and_carry_their_version() {
        assert_eq!(answer(204, &[], "").expect("it is good").body, Value::Null);
        let body = r#"{"id":"7","meta":{"version":"W/\"a\""}}"#;
        let read = answer(200, &[], body).expect("it is good");
        assert_eq!(read.version.as_deref(), Some("W/\"a\""));
        let read = answer(200, &[("etag", "W/\"b\"")], body).expect("it is good");
        assert_eq!(read.version.as_deref(), Some("W/\"b\""));
    }

    #[test]
    fn failures_are_told_apart() {
        for (status, kind) in [
            (302, Kind::Nonsense),
            (400, Kind::Refused),
            (401, Kind::Credential),
            (403, Kind::Denied),
            (404, Kind::NotFound),
            (405, Kind::Unsupported),
            (409, Kind::Taken),
            (412, Kind::Version),
            (429, Kind::Throttled),
            (500, Kind::Server),
            (501, Kind::Unsupported),
        ] {
            assert_eq!(
                answer(status, &[], "").expect_err("it is bad").kind,
                kind,
                "{status}"
            );
        }
        let page = answer(200, &[], "<html>Sign in</html>").expect_err("it is a web page");
        assert_eq!(page.kind, Kind::Nonsense);
        let slow = answer(429, &[("retry-after", "2.5")], r#"{"detail":"slow down"}"#);
        let slow = slow.expect_err("it is bad");
        assert_eq!(slow.retry_after, Some(Duration::from_millis(2500)));
        assert_eq!(slow.to_string(), "429 slow down");
    }
}
