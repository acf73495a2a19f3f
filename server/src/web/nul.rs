//! No NUL in anything that comes in. No keyboard types one, PostgreSQL stores none, and what cuts a text short in one place
//! and not in another is a way around every check of it.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{LARGEST_BODY, Problem};

/// Refuses requests with a NUL in their address or form.
pub async fn refuse(request: Request, next: Next) -> Response {
    let query = request.uri().query().unwrap_or_default();
    if holds(request.uri().path().as_bytes()) || holds(query.as_bytes()) {
        return refused();
    }
    if !is_form(request.headers()) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, LARGEST_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    if holds(&bytes) {
        return refused();
    }
    next.run(Request::from_parts(parts, Body::from(bytes)))
        .await
}

fn is_form(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| {
        kind.as_bytes()
            .starts_with(b"application/x-www-form-urlencoded")
    })
}

/// As it is, or as addresses and forms encode it.
fn holds(text: &[u8]) -> bool {
    text.contains(&0) || text.windows(3).any(|three| three == b"%00")
}

fn refused() -> Response {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "That cannot be understood",
        "What was sent holds a character that no text holds. Nothing was changed.",
        "Go back to the page that you came from and try again.",
    )
    .with_link("Home", "/")
    .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_is_found_in_both_forms() {
        assert!(holds(b"q=a%00b"));
        assert!(holds(b"q=a\0b"));
        assert!(!holds(b"q=100%25&r=%0a00"));
    }
}
