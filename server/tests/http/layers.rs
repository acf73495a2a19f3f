//! What every request passes: headers, other sites, methods, sizes, hosts, panics.

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use server::web::Mode;

use crate::support::{House, Setup};

/// No provider is needed for these.
async fn house(mode: Mode) -> House {
    let setup = Setup {
        mode,
        ..Setup::default()
    };
    House::new("http://127.0.0.1:9", setup).await
}

#[tokio::test]
async fn every_answer_carries_the_headers() {
    let house = house(Mode::Production).await;
    let browser = house.browser();
    let mut nonces = Vec::new();
    for (path, status) in [
        ("/whoami", StatusCode::OK),
        ("/nowhere", StatusCode::NOT_FOUND),
        ("/panic", StatusCode::INTERNAL_SERVER_ERROR),
        ("/health/live", StatusCode::OK),
        ("/health/ready", StatusCode::OK),
        ("/sign-in", StatusCode::SERVICE_UNAVAILABLE),
        ("/auth/callback", StatusCode::BAD_REQUEST),
        ("/pkg/x/none.js", StatusCode::NOT_FOUND),
    ] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        let policy = answer.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "style-src 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action 'self' http://127.0.0.1:9",
            "'wasm-unsafe-eval'",
        ] {
            assert!(policy.contains(part), "{path}: {part} is not in {policy}");
        }
        assert!(
            !policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"),
            "{policy}"
        );
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("strict-transport-security", "max-age=31536000"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.header(name), value, "{path}: {name}");
        }
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
        assert!(answer.header("server").is_empty() && answer.header("x-powered-by").is_empty());
        nonces.push(policy.to_owned());
    }
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), 8, "every answer has a nonce of its own");
}

#[tokio::test]
async fn forms_of_other_sites_are_refused_and_change_nothing() {
    let house = house(Mode::Production).await;
    let browser = house.browser();
    browser.post("/echo", "a=1").await.expect(StatusCode::OK);
    for headers in [
        &[][..],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
    ] {
        for path in ["/echo", "/sign-out", "/nowhere"] {
            let mut request = Request::post(path);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let request = request.body(Body::from("a=1")).expect("it is a request");
            let answer = browser.send(request).await.expect(StatusCode::FORBIDDEN);
            assert!(
                answer.body.contains("did not come from the portal"),
                "{}",
                answer.body
            );
        }
    }
    let own = Request::post("/echo")
        .header("origin", crate::support::PUBLIC)
        .body(Body::from("a=1"))
        .expect("it is a request");
    browser.send(own).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn wrong_methods_are_told_so() {
    let house = house(Mode::Production).await;
    let browser = house.browser();
    browser
        .get("/sign-out")
        .await
        .expect(StatusCode::METHOD_NOT_ALLOWED);
    browser
        .get("/echo")
        .await
        .expect(StatusCode::METHOD_NOT_ALLOWED);
    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::TRACE] {
        let answer = browser.method(method.clone(), "/whoami").await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let house = house(Mode::Production).await;
    let browser = house.browser();
    let large = "x".repeat(300 * 1024);
    browser
        .post("/echo", &large)
        .await
        .expect(StatusCode::PAYLOAD_TOO_LARGE);
    browser
        .post("/echo", &large[..200 * 1024])
        .await
        .expect(StatusCode::OK);
}

#[tokio::test]
async fn the_trial_answers_only_to_its_own_machine() {
    let house = house(Mode::Trial).await;
    let browser = house.browser();
    let ask = |host: &'static str, more: Option<(&'static str, &'static str)>| {
        let mut request = Request::get("/whoami?x=1").header(header::HOST, host);
        if let Some((name, value)) = more {
            request = request.header(name, value);
        }
        let request = request.body(Body::empty()).expect("it is a request");
        let browser = browser.clone();
        async move { browser.send(request).await }
    };
    ask("127.0.0.1:3000", None).await.expect(StatusCode::OK);
    let moved = ask("localhost:3000", None)
        .await
        .expect(StatusCode::TEMPORARY_REDIRECT);
    assert!(
        moved.location().ends_with("/whoami?x=1"),
        "{}",
        moved.location()
    );
    for host in [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:3000",
        "[::1]",
        "10.0.0.1",
        "",
    ] {
        ask(host, None).await.expect(StatusCode::FORBIDDEN);
    }
    for name in [
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-forwarded-server",
        "x-forwarded-prefix",
        "cf-connecting-ip",
        "true-client-ip",
        "x-real-ip",
        "via",
    ] {
        ask("127.0.0.1:3000", Some((name, "1.2.3.4")))
            .await
            .expect(StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn readiness_ends_before_the_process_does() {
    let house = house(Mode::Production).await;
    let browser = house.browser();
    browser.get("/health/ready").await.expect(StatusCode::OK);
    house.stop.cancel();
    browser
        .get("/health/ready")
        .await
        .expect(StatusCode::SERVICE_UNAVAILABLE);
    browser.get("/health/live").await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_body_is_compressed_for_those_who_can_read_it() {
    let house = house(Mode::Production).await;
    let browser = house.browser();
    for (accepts, coding) in [("br, gzip", "br"), ("gzip", "gzip"), ("identity", "")] {
        let request = Request::post("/echo")
            .header("sec-fetch-site", "same-origin")
            .header(header::ACCEPT_ENCODING, accepts)
            .body(Body::from("x".repeat(10_000)))
            .expect("it is a request");
        let answer = browser.send(request).await.expect(StatusCode::OK);
        assert_eq!(answer.header("content-encoding"), coding);
    }
}
