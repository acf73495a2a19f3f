//! What was asked of the sandbox: a ring of the last requests, for tests and for the curious.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard},
};

use chrono::{DateTime, Utc};
use serde::Serialize;

/// So many requests are remembered.
const KEPT: usize = 20_000;

/// One request and how it was answered.
#[derive(Clone, Debug, Serialize)]
pub struct LoggedRequest {
    /// System time of arrival.
    pub at: DateTime<Utc>,
    /// `GET`, `POST` ...
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The query, when there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The status, also of a reply that was lost.
    pub status: u16,
    /// What the client called its request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_request_id: Option<String>,
    /// Part of a batch.
    pub in_batch: bool,
    /// Names of the faults that struck it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<&'static str>,
    /// What is wrong with it beyond its status, for example a `DELETE` that would have deleted the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alarm: Option<String>,
}

#[derive(Debug, Default)]
pub(crate) struct RequestLog(Mutex<VecDeque<LoggedRequest>>);

impl RequestLog {
    fn lock(&self) -> MutexGuard<'_, VecDeque<LoggedRequest>> {
        self.0
            .lock()
            .expect("no code panics while it holds the log")
    }

    pub fn push(&self, request: LoggedRequest) {
        let mut log = self.lock();
        if log.len() == KEPT {
            log.pop_front();
        }
        log.push_back(request);
    }

    pub fn list(&self) -> Vec<LoggedRequest> {
        self.lock().iter().cloned().collect()
    }

    pub fn clear(&self) {
        self.lock().clear();
    }
}
