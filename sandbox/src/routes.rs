//! The one router: sign-in, Graph, and the sandbox's own switches.

use std::sync::Arc;

use axum::Router;

use crate::running::Shared;

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new().with_state(shared)
}
