//! Request ids, one log line per request, and the time-out.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Extension,
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{HeaderValue, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tracing::Instrument;
use workflow::access::Viewer;

use super::{Caller, Portal, Problem, caller};
use crate::sign_in::secret;

/// Pages take milliseconds; what takes so long is stuck.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who asked, as an inner layer found out; carried outwards for the log line and for the frame of error pages.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The person, if one is signed in.
    pub viewer: Option<Arc<Viewer>>,
}

/// The outermost layer.
pub async fn request(State(portal): State<Portal>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|info| info.0);
    // Twelve characters are enough to find a line again.
    let request_id: Arc<str> = secret()[..12].into();
    let caller = Caller {
        address: caller::address(peer, request.headers(), portal.parts().trusted_proxies),
        request_id: request_id.clone(),
        nonce: secret().into(),
    };
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let extensions = request.extensions_mut();
    extensions.insert(app::state::Nonce(caller.nonce.clone()));
    extensions.insert(app::state::RequestId(request_id.clone()));
    extensions.insert(caller);
    let span = tracing::debug_span!("request", request.id = %request_id);
    let mut response = next.run(request).instrument(span).await;
    let person = response
        .extensions()
        .get::<Found>()
        .and_then(|found| found.viewer.as_ref())
        .map(|viewer| viewer.id().to_string());
    let route = route.as_ref().map_or("-", MatchedPath::as_str);
    let status = response.status().as_u16();
    let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    if route.starts_with("/pkg/") || route.starts_with("/health/") {
        tracing::debug!(http.method = %method, http.route = route, http.status = status, duration.us = micros, request.id = %request_id, "request");
    } else {
        tracing::info!(http.method = %method, http.route = route, http.status = status, duration.us = micros, person = person.as_deref(), request.id = %request_id, "request");
    }
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("x-request-id", id);
    }
    response
}

/// Answers 503 when a page takes too long. Streams begin to answer at once and are not cut.
pub async fn time_out(
    Extension(caller): Extension<Caller>,
    request: Request,
    next: Next,
) -> Response {
    if let Ok(response) = tokio::time::timeout(PATIENCE, next.run(request)).await {
        return response;
    }
    tracing::error!(request.id = %caller.request_id, "a request took too long");
    Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "That took too long",
                "The portal could not answer in time. If you sent a form, look whether it took effect before you send it again.",
                "Try again in a moment.",
            )
            .into_response()
}
