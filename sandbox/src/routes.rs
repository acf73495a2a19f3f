//! The one router: sign-in, Graph, and the sandbox's own switches.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};

use crate::{
    admin,
    clock::Clock,
    faults::{Refusal, Subject},
    graph,
    log::LoggedRequest,
    oidc,
    running::Shared,
};

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    let sign_in = Router::new()
        .route(
            "/{tenant}/v2.0/.well-known/openid-configuration",
            get(oidc::discovery),
        )
        .route("/{tenant}/discovery/v2.0/keys", get(oidc::keys))
        .route("/{tenant}/oauth2/v2.0/authorize", get(oidc::authorize))
        .route("/{tenant}/oauth2/v2.0/token", post(oidc::token))
        .route("/{tenant}/oauth2/v2.0/logout", get(oidc::logout))
        .route("/oidc/userinfo", get(oidc::user_info))
        .layer(middleware::from_fn_with_state(
            shared.clone(),
            around_sign_in,
        ));
    Router::new()
        .route("/", get(front))
        .route("/v1.0/{*rest}", any(graph::handle))
        .merge(sign_in)
        .merge(admin::router())
        .fallback(nothing)
        // Around everything: a page elsewhere that made its own name point here (DNS rebinding) could sign in as anybody.
        .layer(middleware::from_fn(admin::only_this_machine))
        .with_state(shared)
}

async fn front(State(shared): State<Arc<Shared>>) -> Response {
    oidc::front_page(&shared)
}

async fn nothing() -> Response {
    oidc::error_page(
        StatusCode::NOT_FOUND,
        "There is nothing here",
        "The sandbox does not know this address.",
    )
}

/// Faults and the request log of everything that is not Graph.
async fn around_sign_in(
    State(shared): State<Arc<Shared>>,
    mut request: Request,
    next: Next,
) -> Response {
    let at = Clock::system();
    let method = request.method().as_str().to_owned();
    let path = request.uri().path().to_owned();
    let effects = shared.faults.strike(&Subject {
        method: &method,
        path: &path,
        group: None,
        graph: false,
        delta_token: false,
    });
    if !effects.slow.is_zero() {
        tokio::time::sleep(effects.slow).await;
    }
    request.extensions_mut().insert(effects.clone());
    let response = match effects.refuse {
        Some(Refusal::Throttle(retry_after)) => {
            let mut response = StatusCode::TOO_MANY_REQUESTS.into_response();
            let seconds = retry_after.and_then(|seconds| seconds.to_string().parse().ok());
            if let Some(seconds) = seconds {
                response.headers_mut().insert("retry-after", seconds);
            }
            response
        }
        Some(Refusal::Status(status, _)) => StatusCode::from_u16(status)
            .unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
            .into_response(),
        Some(_) => oidc::error_page(
            StatusCode::SERVICE_UNAVAILABLE,
            "The service is unavailable",
            "The sandbox was told to be down.",
        ),
        None => next.run(request).await,
    };
    shared.log.push(LoggedRequest {
        at,
        method,
        path,
        // The query holds codes and states.
        query: None,
        status: response.status().as_u16(),
        client_request_id: None,
        in_batch: false,
        faults: effects.names,
        alarm: None,
    });
    response
}
