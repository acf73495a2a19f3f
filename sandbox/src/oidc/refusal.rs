//! Errors of sign-in, in Entra's form: an OAuth error with an `AADSTS` code, trace and correlation ids, and the time.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use serde_json::json;

use super::random_id;
use crate::clock::Clock;

/// Why sign-in does not go on.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub error: &'static str,
    pub code: u32,
    pub message: String,
    trace: String,
    correlation: String,
    at: DateTime<Utc>,
}

impl Refusal {
    pub fn new(error: &'static str, code: u32, message: impl Into<String>) -> Self {
        Self {
            error,
            code,
            message: message.into(),
            trace: random_id().to_string(),
            correlation: random_id().to_string(),
            at: Clock::system(),
        }
    }

    /// As in `error_description`.
    pub fn description(&self) -> String {
        format!(
            "AADSTS{}: {} Trace ID: {} Correlation ID: {} Timestamp: {}",
            self.code,
            self.message,
            self.trace,
            self.correlation,
            self.timestamp()
        )
    }

    pub fn correlation(&self) -> &str {
        &self.correlation
    }

    pub fn timestamp(&self) -> String {
        self.at.format("%Y-%m-%d %H:%M:%SZ").to_string()
    }

    /// The answer of the token endpoint.
    pub fn json(&self, base: &str) -> Response {
        let status = if self.error == "invalid_client" {
            StatusCode::UNAUTHORIZED
        } else {
            StatusCode::BAD_REQUEST
        };
        let body = json!({
            "error": self.error,
            "error_description": self.description(),
            "error_codes": [self.code],
            "timestamp": self.timestamp(),
            "trace_id": self.trace,
            "correlation_id": self.correlation,
            "error_uri": format!("{base}/error?code={}", self.code),
        });
        (
            status,
            [("cache-control", "no-store"), ("pragma", "no-cache")],
            Json(body),
        )
            .into_response()
    }

    pub fn missing(parameter: &str) -> Self {
        Self::new(
            "invalid_request",
            900_144,
            format!("The request body must contain the following parameter: '{parameter}'."),
        )
    }

    pub fn unknown_tenant(name: &str) -> Self {
        Self::new(
            "invalid_request",
            90_002,
            format!(
                "Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."
            ),
        )
    }

    pub fn unknown_client(id: &str, organization: &str) -> Self {
        Self::new(
            "unauthorized_client",
            700_016,
            format!(
                "Application with identifier '{id}' was not found in the directory '{organization}'."
            ),
        )
    }
}
