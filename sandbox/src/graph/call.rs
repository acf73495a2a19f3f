//! One call on Graph and its answer, free of HTTP types so that a batch can make them too.

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{config::Client, faults::Effects, running::Shared, uri};

/// A request as it came, whole or as part of a batch.
#[derive(Debug)]
pub(crate) struct Asked {
    pub method: String,
    /// Below `/v1.0`, for example `/users`, still encoded.
    pub path: String,
    pub query: String,
    /// `Prefer`.
    pub prefer: Option<String>,
    /// Whether `ConsistencyLevel: eventual` was sent.
    pub eventual: bool,
    /// Whether the body was declared as JSON.
    pub json: bool,
    pub body: Vec<u8>,
    pub client_request_id: Option<String>,
    pub in_batch: bool,
}

/// An authorised request on its way to the code that answers it.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub shared: &'a Shared,
    pub client: &'a Client,
    pub method: &'a str,
    pub path: &'a str,
    pub segments: Vec<String>,
    pub query: Vec<(String, String)>,
    pub prefer: Option<&'a str>,
    pub eventual: bool,
    pub json: bool,
    pub body: &'a [u8],
    pub effects: &'a Effects,
}

impl<'a> Call<'a> {
    pub fn new(
        shared: &'a Shared,
        client: &'a Client,
        asked: &'a Asked,
        effects: &'a Effects,
    ) -> Self {
        Self {
            shared,
            client,
            method: &asked.method,
            path: &asked.path,
            segments: uri::segments(&asked.path),
            query: uri::pairs(&asked.query),
            prefer: asked.prefer.as_deref(),
            eventual: asked.eventual,
            json: asked.json,
            body: &asked.body,
            effects,
        }
    }

    /// A query option such as `$top`.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether the client was granted one of these application permissions.
    pub fn may(&self, any_of: &[&str]) -> bool {
        self.client
            .permissions
            .iter()
            .any(|held| any_of.contains(&held.as_str()))
    }

    /// The body as a JSON object.
    pub fn object(&self) -> Result<serde_json::Map<String, Value>, Answer> {
        if !self.json {
            return Err(Answer::bad_request(
                "BadRequest",
                "Write requests (excluding DELETE) must contain the Content-Type header declaration.",
            ));
        }
        match serde_json::from_slice(self.body) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => Err(Answer::bad_request(
                "BadRequest",
                "Unable to read JSON request payload. A JSON object is expected.",
            )),
            Err(_) => Err(Answer::bad_request(
                "BadRequest",
                "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.",
            )),
        }
    }

    /// `{base}/v1.0`.
    pub fn root(&self) -> String {
        format!("{}/v1.0", self.shared.base)
    }

    /// `@odata.context` of an answer.
    pub fn context(&self, what: &str) -> Value {
        json!(format!("{}/$metadata#{what}", self.root()))
    }
}

/// An answer before ids and dates are put into it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: Vec<(&'static str, String)>,
    pub body: Option<Value>,
    /// Code and message of an error.
    pub error: Option<Box<(String, String)>>,
    /// For the request log: what is dangerous about the call.
    pub alarm: Option<Box<str>>,
}

impl Answer {
    fn plain(status: StatusCode) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: None,
            error: None,
            alarm: None,
        }
    }

    pub fn ok(body: Value) -> Self {
        Self {
            body: Some(body),
            ..Self::plain(StatusCode::OK)
        }
    }

    pub fn created(body: Value) -> Self {
        Self {
            body: Some(body),
            ..Self::plain(StatusCode::CREATED)
        }
    }

    pub fn no_content() -> Self {
        Self::plain(StatusCode::NO_CONTENT)
    }

    pub fn error(status: StatusCode, code: &str, message: &str) -> Self {
        Self {
            error: Some(Box::new((code.into(), message.into()))),
            ..Self::plain(status)
        }
    }

    pub fn bad_request(code: &str, message: &str) -> Self {
        Self::error(StatusCode::BAD_REQUEST, code, message)
    }

    /// 404 in the words of Entra.
    pub fn not_found(resource: impl std::fmt::Display) -> Self {
        Self::error(
            StatusCode::NOT_FOUND,
            "Request_ResourceNotFound",
            &format!(
                "Resource '{resource}' does not exist or one of its queried reference-property objects are not present."
            ),
        )
    }

    /// 403 in the words of Entra.
    pub fn denied() -> Self {
        Self::error(
            StatusCode::FORBIDDEN,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        )
    }

    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    #[must_use]
    pub fn alarm(mut self, why: impl Into<Box<str>>) -> Self {
        self.alarm = Some(why.into());
        self
    }

    /// The body, with the error envelope filled in.
    pub fn take_body(
        &mut self,
        request_id: Uuid,
        client_request_id: Option<&str>,
        now: DateTime<Utc>,
    ) -> Option<Value> {
        let Some(error) = self.error.take() else {
            return self.body.take();
        };
        let (code, message) = *error;
        let request_id = request_id.to_string();
        Some(json!({
            "error": {
                "code": code,
                "message": message,
                "innerError": {
                    "date": now.format("%Y-%m-%dT%H:%M:%S").to_string(),
                    "request-id": request_id,
                    "client-request-id": client_request_id.unwrap_or(&request_id),
                }
            }
        }))
    }
}

/// An answer, or the error that is one.
pub(crate) type Answered = Result<Answer, Answer>;
