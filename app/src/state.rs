//! What the server hands to the pages, and the seams that it fills.

use std::{fmt, sync::Arc};

use axum::http::StatusCode;
use domain::Timestamp;
use workflow::Workflow;

/// Shared by all pages. Cheap to clone.
#[derive(Clone)]
pub struct State {
    /// The use cases.
    pub workflow: Workflow,
    /// Where the site's files lie, such as `/pkg/0a1b2c`, without a slash at the end.
    pub assets: Arc<str>,
    /// The trial's panel; none in production.
    pub trial: Option<Arc<dyn Trial>>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("assets", &self.assets)
            .field("trial", &self.trial.is_some())
            .finish_non_exhaustive()
    }
}

/// The nonce of this answer's content security policy. A request extension.
#[derive(Clone, Debug)]
pub struct Nonce(pub Arc<str>);

/// The id that an error page asks to quote. A request extension.
#[derive(Clone, Debug)]
pub struct RequestId(pub Arc<str>);

/// Something that went wrong, for a page of its own. A response extension: the outermost layer of the pages makes the
/// document, so that handlers and `server` refuse in the same look.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The status of the answer.
    pub status: StatusCode,
    /// What happened, in a few words.
    pub title: String,
    /// What happened, and that nothing was lost.
    pub what: String,
    /// What to do now.
    pub next: String,
    /// Text to copy for the service desk.
    pub detail: Option<String>,
    /// Where to go: label and address.
    pub link: Option<(String, String)>,
}

/// One fault of the sandbox that the trial's panel can switch.
#[derive(Clone, Debug)]
pub struct FaultState {
    /// Stable key.
    pub key: String,
    /// A few words.
    pub label: String,
    /// What one will see.
    pub explain: String,
    /// Whether it is on.
    pub on: bool,
}

/// What the trial's panel can do. Only `latchkey trial` fills it.
#[async_trait::async_trait]
pub trait Trial: Send + Sync {
    /// Lets time pass, stopping at every deadline on the way. Gives the new now.
    async fn skip(&self, ahead: chrono::Duration) -> workflow::Result<Timestamp>;
    /// Lets time pass until the next deadline that somebody would notice.
    async fn skip_to_next(&self) -> workflow::Result<Timestamp>;
    /// The faults of the sandbox.
    async fn faults(&self) -> workflow::Result<Vec<FaultState>>;
    /// Switches one fault.
    async fn set_fault(&self, key: &str, on: bool) -> workflow::Result<()>;
}
