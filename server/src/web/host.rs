//! The trial lets anybody be anybody, so it answers only to its own machine: names of loopback, and no proxy between.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{Portal, Problem};

/// Proxies and tunnels say so in one of these, or in a header that begins with `x-forwarded-`.
const FORWARDING: [&str; 7] = [
    "cf-connecting-ip",
    "cf-ray",
    "forwarded",
    "true-client-ip",
    "via",
    "x-client-ip",
    "x-real-ip",
];

fn forwarded(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| {
        name.as_str().starts_with("x-forwarded-") || FORWARDING.contains(&name.as_str())
    })
}

/// Refuses foreign names (DNS rebinding) and forwarded requests; sends `localhost` to the one address that cookies and
/// the sign-in provider know.
pub async fn check(State(portal): State<Portal>, request: Request, next: Next) -> Response {
    let refuse = |what: &str| {
        Problem::new(
            StatusCode::FORBIDDEN,
            "The trial is for this machine only",
            what,
            "Open the address that latchkey trial prints, on the machine that runs it.",
        )
        .into_response()
    };
    if forwarded(request.headers()) {
        return refuse("The request came through a proxy.");
    }
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|byte| byte.is_ascii_digit()) {
            name
        } else {
            host
        }
    });
    match name {
        "localhost" if matches!(*request.method(), Method::GET | Method::HEAD) => {
            let path = request
                .uri()
                .path_and_query()
                .map_or("/", |path| path.as_str());
            let address = format!("{}{path}", portal.parts().public_url);
            (
                StatusCode::TEMPORARY_REDIRECT,
                [(header::LOCATION, address)],
            )
                .into_response()
        }
        "127.0.0.1" | "localhost" => next.run(request).await,
        _ => refuse("The request was sent to another name."),
    }
}
