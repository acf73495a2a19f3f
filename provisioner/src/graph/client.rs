//! Calls on Graph, one request each.

use std::{sync::Arc, time::Duration};

use reqwest::{Method, Url, header::CONTENT_TYPE};
use serde_json::Value;
use tokio::sync::Mutex;
use uuid::Uuid;
use workflow::{Clock, Ids};

use super::{
    answer::{Answer, Error, Kind, failed, header, retry_after},
    token::{Credential, Token},
};

/// More than the largest page that Graph gives; a longer answer is not Graph's.
const LONGEST_BODY: usize = 64 << 20;
/// A listing with more pages than this goes in circles.
const MOST_PAGES: usize = 20_000;

/// Where Graph is and who we are there.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where tokens come from, without the tenant: `https://login.microsoftonline.com`.
    pub authority: String,
    /// Root of the API with its version: `https://graph.microsoft.com/v1.0`.
    pub base: String,
    /// What the token is for: `https://graph.microsoft.com/.default`.
    pub scope: String,
    /// Our tenant.
    pub tenant: Uuid,
    /// Client id of the provisioner's app registration.
    pub client_id: String,
    /// How we prove who we are.
    pub credential: Credential,
}

impl Options {
    /// The world-wide cloud.
    pub fn public(tenant: Uuid, client_id: impl Into<String>, credential: Credential) -> Self {
        Self {
            authority: "https://login.microsoftonline.com".into(),
            base: "https://graph.microsoft.com/v1.0".into(),
            scope: "https://graph.microsoft.com/.default".into(),
            tenant,
            client_id: client_id.into(),
            credential,
        }
    }
}

/// How urgent a call is when Graph has to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// What a person waits for, and leavers.
    High,
    /// Everything else.
    Normal,
    /// Reading the directory, scans.
    Low,
}

impl Priority {
    const fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
        }
    }
}

/// One page of a listing.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// What is on it; may be empty although there is a next page.
    pub values: Vec<Value>,
    /// Address of the next page.
    pub next: Option<String>,
    /// Address for reading what changes from now on; only on the last page of a listing of changes.
    pub delta: Option<String>,
}

/// Calls Graph. Cheap to clone; all clones share the token.
#[derive(Clone, Debug)]
pub struct Graph {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    http: reqwest::Client,
    clock: Clock,
    ids: Ids,
    options: Options,
    base: Url,
    token: Mutex<Option<Token>>,
}

impl Graph {
    /// Over a client of [`crate::http`]. Fails if the base is no address.
    pub fn new(
        http: reqwest::Client,
        clock: Clock,
        ids: Ids,
        options: Options,
    ) -> Result<Self, Error> {
        let base = Url::parse(options.base.trim_end_matches('/'))
            .map_err(|error| Error::plain(Kind::Nonsense, format!("{}: {error}", options.base)))?;
        Ok(Self {
            inner: Arc::new(Inner {
                http,
                clock,
                ids,
                options,
                base,
                token: Mutex::default(),
            }),
        })
    }

    /// The tenant.
    pub fn tenant(&self) -> Uuid {
        self.inner.options.tenant
    }

    /// The clock that tokens and waiting times follow.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// Root of the API with its version, without a slash at the end: for references in bodies.
    pub fn base(&self) -> &str {
        self.inner.options.base.trim_end_matches('/')
    }

    /// GET of a path below the base (`/users/…`, with its query) or of an address that Graph gave.
    pub async fn get(&self, path: &str, priority: Priority) -> Result<Answer, Error> {
        self.call(Method::GET, path, None, priority).await
    }

    /// POST with a JSON body.
    pub async fn post(
        &self,
        path: &str,
        body: &Value,
        priority: Priority,
    ) -> Result<Answer, Error> {
        self.call(Method::POST, path, Some(body), priority).await
    }

    /// PATCH with a JSON body.
    pub async fn patch(
        &self,
        path: &str,
        body: &Value,
        priority: Priority,
    ) -> Result<Answer, Error> {
        self.call(Method::PATCH, path, Some(body), priority).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str, priority: Priority) -> Result<Answer, Error> {
        self.call(Method::DELETE, path, None, priority).await
    }

    /// One page of a listing.
    pub async fn page(&self, path: &str, priority: Priority) -> Result<Page, Error> {
        let answer = self.get(path, priority).await?;
        let Value::Object(mut body) = answer.body else {
            return Err(nonsense("a page is no object", answer.request_id));
        };
        let Some(Value::Array(values)) = body.remove("value") else {
            return Err(nonsense("a page has no values", answer.request_id));
        };
        let mut link = |name: &str| match body.remove(name) {
            Some(Value::String(link)) => Some(link),
            _ => None,
        };
        Ok(Page {
            values,
            next: link("@odata.nextLink"),
            delta: link("@odata.deltaLink"),
        })
    }

    /// All pages of a listing. If one fails, nothing is given: half a listing looks like a whole one.
    pub async fn list(&self, path: &str, priority: Priority) -> Result<Vec<Value>, Error> {
        let mut all = Vec::new();
        let mut next = path.to_owned();
        for _ in 0..MOST_PAGES {
            let page = self.page(&next, priority).await?;
            all.extend(page.values);
            match page.next {
                None => return Ok(all),
                Some(link) if link == next => break,
                Some(link) => next = link,
            }
        }
        Err(Error::circular())
    }

    /// One call. A token that Graph no longer knows is fetched anew, once.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        priority: Priority,
    ) -> Result<Answer, Error> {
        let url = self.address(path)?;
        let token = self.token().await?;
        match self.send(&method, &url, body, priority, &token).await {
            Err(error) if error.status == Some(401) => {
                self.forget(&token).await;
                let token = self.token().await?;
                self.send(&method, &url, body, priority, &token).await
            }
            other => other,
        }
    }

    /// The whole address of a path, or of an address that Graph gave: which must be Graph's own, because the token
    /// travels with the call.
    fn address(&self, path: &str) -> Result<Url, Error> {
        if path.starts_with('/') {
            let text = format!("{}{path}", self.base());
            return Url::parse(&text)
                .map_err(|error| Error::plain(Kind::Nonsense, format!("{path}: {error}")));
        }
        let url = Url::parse(path)
            .map_err(|error| Error::plain(Kind::Nonsense, format!("{path}: {error}")))?;
        if url.origin() == self.inner.base.origin() {
            Ok(url)
        } else {
            Err(Error::plain(
                Kind::Nonsense,
                format!(
                    "a link leads to {}, which is not {}",
                    url.origin().ascii_serialization(),
                    self.inner.base.origin().ascii_serialization()
                ),
            ))
        }
    }

    async fn send(
        &self,
        method: &Method,
        url: &Url,
        body: Option<&Value>,
        priority: Priority,
        token: &Token,
    ) -> Result<Answer, Error> {
        let now = self.inner.clock.system_now();
        let id: Uuid = self.inner.ids.new_id(now);
        let mut request = self
            .inner
            .http
            .request(method.clone(), url.clone())
            .bearer_auth(&token.value)
            .header("client-request-id", id.to_string())
            .header("x-ms-throttle-priority", priority.as_str());
        if let Some(body) = body {
            request = request
                .header(CONTENT_TYPE, "application/json")
                .body(body.to_string());
        }
        let done = self.receive(request).await;
        done.map(|answer| Answer {
            client_request_id: id.to_string(),
            ..answer
        })
        .map_err(|error| Error {
            client_request_id: Some(id.to_string()),
            ..error
        })
    }

    async fn receive(&self, request: reqwest::RequestBuilder) -> Result<Answer, Error> {
        let mut response = request.send().await.map_err(network)?;
        let status = response.status().as_u16();
        let request_id = header(response.headers(), "request-id");
        let wait = header(response.headers(), "retry-after")
            .and_then(|text| retry_after(&text, self.inner.clock.system_now()));
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| Error {
            status: Some(status),
            request_id: request_id.clone(),
            ..network(error)
        })? {
            if bytes.len() + chunk.len() > LONGEST_BODY {
                return Err(nonsense("an answer is too long", request_id));
            }
            bytes.extend_from_slice(&chunk);
        }
        let parsed = if bytes.is_empty() {
            Ok(Value::Null)
        } else {
            serde_json::from_slice(&bytes)
        };
        if (200..300).contains(&status) {
            let body = parsed.map_err(|_| nonsense("an answer is no JSON", request_id.clone()))?;
            return Ok(Answer {
                status,
                body,
                request_id,
                client_request_id: String::new(),
            });
        }
        // A gateway between us may answer in HTML: then the status says it all.
        let body = parsed.unwrap_or(Value::Null);
        Err(Error {
            request_id,
            ..failed(status, &body, wait)
        })
    }

    async fn token(&self) -> Result<Token, Error> {
        let mut held = self.inner.token.lock().await;
        let now = self.inner.clock.system_now();
        if let Some(token) = held.as_ref().filter(|token| token.fresh(now)) {
            return Ok(token.clone());
        }
        let token = self.fetch_token().await?;
        *held = Some(token.clone());
        Ok(token)
    }

    /// Drops the token if it is still this one.
    async fn forget(&self, token: &Token) {
        let mut held = self.inner.token.lock().await;
        if held
            .as_ref()
            .is_some_and(|held| Arc::ptr_eq(&held.value, &token.value))
        {
            *held = None;
        }
    }

    async fn fetch_token(&self) -> Result<Token, Error> {
        let options = &self.inner.options;
        let endpoint = format!(
            "{}/{}/oauth2/v2.0/token",
            options.authority.trim_end_matches('/'),
            options.tenant
        );
        let now = self.inner.clock.system_now();
        let mut fields = options
            .credential
            .fields(
                &options.client_id,
                &endpoint,
                now,
                self.inner.ids.new_id(now),
            )
            .map_err(|error| Error::plain(Kind::Credential, error.to_string()))?;
        fields.push(("grant_type", "client_credentials".into()));
        fields.push(("scope", options.scope.clone()));
        let request = self.inner.http.post(&endpoint).form(&fields);
        let answer = self
            .receive(request)
            .await
            .map_err(|error| match error.kind {
                // Nothing but our own configuration is wrong with a request for a token that is refused.
                Kind::Refused | Kind::Denied | Kind::NotFound => Error {
                    kind: Kind::Credential,
                    ..error
                },
                _ => error,
            })?;
        let value = answer.body["access_token"]
            .as_str()
            .ok_or_else(|| nonsense("the token endpoint gave no token", None))?;
        let seconds = answer.body["expires_in"]
            .as_i64()
            .or_else(|| answer.body["expires_in"].as_str()?.parse().ok())
            .unwrap_or(3600);
        Ok(Token::new(value, now, seconds))
    }

    /// How long a call may take at most: fetching a token, twice, and the call, twice.
    pub const fn longest(timeout: Duration) -> Duration {
        timeout.saturating_mul(4)
    }
}

fn nonsense(what: &str, request_id: Option<String>) -> Error {
    Error {
        request_id,
        ..Error::plain(Kind::Nonsense, what)
    }
}

fn network(error: reqwest::Error) -> Error {
    // The address may hold a token of a listing; it says nothing that helps.
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    Error::plain(Kind::Network, text)
}
