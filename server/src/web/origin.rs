//! No unsafe request from another site: `Sec-Fetch-Site` where the browser sends it, else `Origin` against our own address.
//!
//! Like Go 1.25's `CrossOriginProtection`, with one difference: a request with neither header is refused. Every browser of
//! this decade sends one of them with a POST, and programs are not served here.

use axum::{
    Extension,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{Caller, Portal, Problem};

/// Refuses unsafe requests that did not come from our own pages.
pub async fn check(
    State(portal): State<Portal>,
    Extension(caller): Extension<Caller>,
    request: Request,
    next: Next,
) -> Response {
    if own(
        request.method(),
        request.headers(),
        &portal.parts().public_url,
    ) {
        return next.run(request).await;
    }
    tracing::warn!(request.id = %caller.request_id, http.method = %request.method(), "refused a request from another site");
    Problem::new(
        StatusCode::FORBIDDEN,
        "This did not come from the portal",
        "The form was sent from another site, so nothing was changed.",
        "Open the page in the portal and send the form from there.",
    )
    .with_link("Home", "/")
    .into_response()
}

fn own(method: &Method, headers: &HeaderMap, public_url: &str) -> bool {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return true;
    }
    let text =
        |name: header::HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    match text(header::HeaderName::from_static("sec-fetch-site")) {
        // `none`: typed or from a bookmark, which no other site can cause.
        Some(site) => site == "same-origin" || site == "none",
        None => text(header::ORIGIN).is_some_and(|origin| origin == public_url),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_may_change_anything() {
        let passes = |method: Method, pairs: &[(&'static str, &'static str)]| {
            let headers = pairs
                .iter()
                .map(|(name, value)| {
                    (
                        header::HeaderName::from_static(name),
                        header::HeaderValue::from_static(value),
                    )
                })
                .collect();
            own(&method, &headers, "https://access.example.com")
        };
        let (site, origin) = ("sec-fetch-site", "origin");
        assert!(passes(Method::GET, &[(site, "cross-site")]));
        assert!(passes(Method::POST, &[(site, "same-origin")]));
        assert!(passes(Method::POST, &[(site, "none")]));
        assert!(passes(
            Method::POST,
            &[(origin, "https://access.example.com")]
        ));
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            for headers in [
                &[][..],
                &[(site, "cross-site")],
                &[(site, "same-site")],
                &[(site, "")],
                &[(site, "cross-site"), (origin, "https://access.example.com")],
                &[(origin, "null")],
                &[(origin, "https://evil.example")],
                &[(origin, "http://access.example.com")],
                &[(origin, "https://access.example.com.evil.example")],
            ] {
                assert!(!passes(method.clone(), headers), "{method} {headers:?}");
            }
        }
    }
}
