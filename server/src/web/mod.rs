//! The web half of the server: one router, and the layers that every request passes, outermost first:
//!
//! 1. `log`: request id, nonce, one log line
//! 2. `headers`: content security policy and its companions, `no-store`
//! 3. `problem`: the page of everything that went wrong, a panic included
//! 4. `host` (trial only): loopback names only, no forwarding headers
//! 5. time-out, then compression
//! 6. `origin`: no unsafe request from another site; `nul`: no text that is none
//! 7. `cookies`: only our own, under exactly their names
//! 8. `session`: who is asking, read anew from the database
//!
//! What a caller may do is not decided here but in `workflow`.

mod assets;
mod callbacks;
mod caller;
pub(crate) mod cookies;
mod events;
mod headers;
mod health;
mod host;
mod limit;
mod log;
mod nul;
mod origin;
mod problem;
mod session;

use std::{fmt, sync::Arc};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::StatusCode,
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tokio_util::sync::CancellationToken;
use tower_http::{CompressionLevel, compression::CompressionLayer};
use workflow::Workflow;

pub use assets::build_id;
pub use callbacks::Callbacks;
pub use caller::Caller;
pub use limit::Limiter;
pub use problem::Problem;

use crate::{
    sessions::{Kept, Sessions},
    sign_in::{self, Provider},
};

/// No form of ours is larger; a catalogue is applied from the command line.
const LARGEST_BODY: usize = 256 * 1024;

/// Which of the two ways the portal runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The sample company on loopback.
    Trial,
    /// The real thing.
    Production,
}

/// What the web half needs.
pub struct Parts {
    /// The use cases.
    pub workflow: Workflow,
    /// Who signs people in.
    pub provider: Provider,
    /// How sessions are kept.
    pub sessions: Sessions,
    /// What people type, without a slash at the end.
    pub public_url: String,
    /// Trial or production.
    pub mode: Mode,
    /// Proxies in front whose `X-Forwarded-For` is believed.
    pub trusted_proxies: usize,
    /// Sign-ins that one address may begin per minute.
    pub sign_ins_per_minute: u32,
    /// The secrets that receivers of webhooks sign with.
    pub callbacks: Callbacks,
    /// The trial's panel; none in production.
    pub trial: Option<Arc<dyn app::state::Trial>>,
    /// Cancelled when the process stops: streams end then.
    pub stop: CancellationToken,
}

/// What handlers and layers share. Cheap to clone.
#[derive(Clone)]
pub struct Portal(Arc<Inner>);

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts")
            .field("public_url", &self.public_url)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Portal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.parts.fmt(f)
    }
}

struct Inner {
    parts: Parts,
    pages: app::state::State,
    kept: Kept,
    policy: String,
    sign_in_limiter: Limiter,
    callback_limiter: Limiter,
    streams: events::Streams,
}

impl Portal {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Inner {
            pages: app::state::State {
                workflow: parts.workflow.clone(),
                assets: format!("/pkg/{}", build_id()).into(),
                trial: parts.trial.clone(),
            },
            kept: parts.sessions.store(parts.workflow.clone()),
            policy: headers::policy(&parts.provider.settings().authority),
            sign_in_limiter: Limiter::new(parts.sign_ins_per_minute),
            callback_limiter: Limiter::new(parts.sign_ins_per_minute),
            streams: events::Streams::default(),
            parts,
        }))
    }

    /// The use cases.
    pub fn workflow(&self) -> &Workflow {
        &self.0.parts.workflow
    }

    /// What the pages need.
    pub fn pages(&self) -> &app::state::State {
        &self.0.pages
    }

    /// Who signs people in.
    pub fn provider(&self) -> &Provider {
        &self.0.parts.provider
    }

    /// How sessions are kept.
    pub fn sessions(&self) -> &Sessions {
        &self.0.parts.sessions
    }

    /// The sessions themselves.
    pub fn kept(&self) -> &Kept {
        &self.0.kept
    }

    /// Who may begin a sign-in.
    pub fn sign_in_limiter(&self) -> &Limiter {
        &self.0.sign_in_limiter
    }

    /// Who may come back from a sign-in: as often as it may be begun.
    pub fn callback_limiter(&self) -> &Limiter {
        &self.0.callback_limiter
    }

    fn streams(&self) -> &events::Streams {
        &self.0.streams
    }

    fn parts(&self) -> &Parts {
        &self.0.parts
    }

    /// The page for a failure of ours: logged here once, never shown.
    pub fn failed(&self, caller: &Caller, error: workflow::Error) -> Response {
        let problem = match &error {
            workflow::Error::Unavailable(why) => {
                tracing::warn!(request.id = %caller.request_id, %why, "unavailable");
                Problem::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "The portal is busy",
                    "The database did not answer in time. Nothing was changed.",
                    "Try again in a moment.",
                )
            }
            other => {
                tracing::error!(request.id = %caller.request_id, error = %other, "failed");
                Problem::internal()
            }
        };
        problem.into_response()
    }
}

/// The whole router: `pages` with our own routes and all layers around them.
pub fn router(portal: Portal, pages: Router) -> Router {
    let own = Router::new()
        .route("/sign-in", get(sign_in::start))
        .route("/sign-in/again/{id}", get(sign_in::again))
        .route("/auth/callback", get(sign_in::callback))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/events", get(events::stream))
        .with_state(portal.clone());
    let bare = Router::new()
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/pkg/{build}/{file}", get(assets::file))
        .with_state(portal.clone());
    // For programs, which send neither cookie nor origin: what they sign is what counts.
    let programs = Router::new()
        .route("/callbacks/{target}", post(callbacks::take))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(portal.clone());
    let mut router = pages
        .merge(own)
        // Inside the session, so that the page of an address that leads nowhere knows who is lost.
        .fallback(missing)
        .layer(from_fn_with_state(portal.clone(), session::identify))
        .layer(portal.sessions().layer(portal.kept().clone()))
        .layer(from_fn_with_state(portal.clone(), cookies::keep_ours))
        .merge(bare)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(from_fn(nul::refuse))
        .layer(from_fn_with_state(portal.clone(), origin::check))
        .merge(programs)
        .layer(
            CompressionLayer::new()
                .br(true)
                .gzip(true)
                .quality(CompressionLevel::Precise(4)),
        )
        .layer(from_fn(log::time_out));
    if portal.parts().mode == Mode::Trial {
        router = router.layer(from_fn_with_state(portal.clone(), host::check));
    }
    router
        .layer(from_fn_with_state(portal.clone(), problem::show))
        .layer(from_fn_with_state(portal.clone(), headers::add))
        .layer(from_fn_with_state(portal, log::request))
}

async fn missing() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "There is no such page",
        "The address leads nowhere, or to something that you may not see.",
        "Check the address, or start from Home.",
    )
    .with_link("Home", "/")
}

async fn wrong_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "That does not work here",
        "The address exists, but not for this kind of request. Nothing was changed.",
        "Start from Home.",
    )
    .with_link("Home", "/")
}
