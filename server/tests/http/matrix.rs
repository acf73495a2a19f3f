//! Every route × every role, generated from the one table that also builds the router: who gets in, who is sent to sign
//! in, who is told that it is not for them; and that nothing a caller can put into an address or a form breaks a page.

use std::collections::BTreeSet;

use app::routes::{Route, Who, routes};
use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use domain::person::PortalRole;
use uuid::Uuid;

use crate::support::{Answer, Browser, House, Setup};

/// A signed-in person for no role and for each role, and somebody without a session.
async fn callers(house: &House) -> Vec<(Option<Vec<PortalRole>>, Browser)> {
    let mut callers = vec![(None, house.browser())];
    let employee = house.signed_in(Uuid::from_u128(0x100), &[]).await;
    callers.push((Some(Vec::new()), employee));
    for (index, role) in PortalRole::ALL.iter().enumerate() {
        let object = Uuid::from_u128(0x200 + index as u128);
        callers.push((Some(vec![*role]), house.signed_in(object, &[*role]).await));
    }
    callers
}

/// The route's path with something in place of its variable parts.
fn path(route: &Route, value: impl Fn(&str) -> String) -> String {
    let mut path = String::new();
    for part in route.path.split_inclusive('/') {
        let (part, slash) = match part.strip_suffix('/') {
            Some(part) => (part, "/"),
            None => (part, ""),
        };
        match part
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
        {
            Some(name) => path.push_str(&value(name)),
            None => path.push_str(part),
        }
        path.push_str(slash);
    }
    path
}

/// A well-formed id of nothing that exists. Which kind a route wants is its own business: all kinds are tried.
fn ids() -> Vec<String> {
    let nothing = Uuid::from_u128(0xdead).simple().to_string();
    [
        "req", "lin", "dfl", "stg", "gra", "pkg", "per", "asg", "hld", "cat", "app", "ent", "tgt",
        "msg", "pst", "cft", "exc", "fnd", "dpt", "tsk", "cmp", "itm",
    ]
    .iter()
    .map(|prefix| format!("{prefix}_{nothing}"))
    // Entries of the log are counted.
    .chain(["9999".to_owned()])
    .collect()
}

async fn ask(browser: &Browser, route: &Route, path: &str, body: &str) -> Answer {
    if route.method == "GET" {
        browser.get(path).await
    } else {
        browser.post(path, body).await
    }
}

#[tokio::test]
async fn every_route_admits_whom_its_row_names_and_nobody_else() {
    let house = House::new("http://127.0.0.1:9", Setup::default()).await;
    let callers = callers(&house).await;
    for route in routes() {
        // Who was told that this is not for them: that must have been asked before whether the thing exists.
        let mut forbidden = BTreeSet::new();
        for id in ids() {
            let path = path(route, |_| id.clone());
            for (caller, (roles, browser)) in callers.iter().enumerate() {
                let answer = ask(browser, route, &path, "").await;
                let status = answer.status;
                let said = format!("{} {path} for {roles:?}: {status}", route.method);
                assert!(!status.is_server_error(), "{said}: {}", answer.body);
                let turned_away =
                    status == StatusCode::UNAUTHORIZED || answer.location().starts_with("/sign-in");
                match (roles, route.who) {
                    (_, Who::Anyone) | (Some(_), Who::SignedIn | Who::Party) => {
                        assert!(!turned_away && status != StatusCode::FORBIDDEN, "{said}");
                    }
                    (None, _) => assert!(turned_away, "{said}"),
                    (Some(held), Who::Roles(wanted)) => {
                        assert!(!turned_away, "{said}");
                        let admitted = held.iter().any(|role| wanted.contains(role));
                        if admitted {
                            assert_ne!(status, StatusCode::FORBIDDEN, "{said}");
                        } else {
                            // Nothing exists under an id of another kind, whoever asks.
                            assert!(
                                matches!(status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND),
                                "{said}"
                            );
                            if status == StatusCode::FORBIDDEN {
                                forbidden.insert(caller);
                            }
                        }
                    }
                }
            }
            if !route.path.contains('{') {
                break;
            }
        }
        if let Who::Roles(wanted) = route.who {
            for (caller, (roles, _)) in callers.iter().enumerate() {
                let Some(held) = roles else { continue };
                assert_eq!(
                    forbidden.contains(&caller),
                    !held.iter().any(|role| wanted.contains(role)),
                    "{} {} for {held:?}",
                    route.method,
                    route.path
                );
            }
        }
    }
}

#[tokio::test]
async fn no_address_answers_another_method() {
    let house = House::new("http://127.0.0.1:9", Setup::default()).await;
    let callers = callers(&house).await;
    let (_, employee) = &callers[1];
    let id = format!("req_{}", Uuid::from_u128(0xdead).simple());
    for route in routes() {
        let path = path(route, |_| id.clone());
        let mut others = vec!["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"];
        let has = |method: &str| {
            routes()
                .iter()
                .any(|other| other.path == route.path && other.method == method)
        };
        if !has("POST") {
            others.push("POST");
        }
        for other in others {
            let method = Method::from_bytes(other.as_bytes()).expect("it is a word");
            let answer = employee.method(method, &path).await;
            assert_eq!(
                answer.status,
                StatusCode::METHOD_NOT_ALLOWED,
                "{other} {path}"
            );
        }
        if has("GET") {
            let head = employee.method(Method::HEAD, &path).await;
            assert!(head.body.is_empty(), "HEAD {path}");
        }
    }
}

#[tokio::test]
async fn no_other_spelling_of_an_address_opens_it() {
    let house = House::new("http://127.0.0.1:9", Setup::default()).await;
    let callers = callers(&house).await;
    let guarded = routes().iter().filter(|route| {
        route.method == "GET" && matches!(route.who, Who::Roles(_)) && !route.path.contains('{')
    });
    for route in guarded {
        let path = route.path;
        let bare = path.trim_start_matches('/');
        for spelling in [
            format!("//{bare}"),
            format!("{path}/"),
            format!("/./{bare}"),
            format!("/x/../{bare}"),
            format!("/{}", bare.to_uppercase()),
            format!("{path};x"),
            format!("{path}%00"),
            format!("{path}%2f"),
            format!("/%2e/{bare}"),
            format!("{path}.css"),
            format!("{path}%20"),
        ] {
            for (roles, browser) in callers.iter().take(2) {
                let answer = browser.get(&spelling).await;
                assert!(
                    !answer.status.is_success() && !answer.status.is_server_error(),
                    "{spelling} for {roles:?}: {}",
                    answer.status
                );
            }
        }
    }
}

#[tokio::test]
async fn no_address_and_no_form_breaks_a_page() {
    let house = House::new("http://127.0.0.1:9", Setup::default()).await;
    let callers = callers(&house).await;
    let (_, employee) = &callers[1];
    let hostile = [
        "x",
        "..",
        "%2e%2e%2f",
        "%00",
        "%ff",
        "'%20OR%201=1--",
        "%3Cscript%3E",
        "req_",
        "req_zz",
        "-1",
        "9223372036854775808",
        "%F0%9F%92%A9",
    ];
    let bodies = [
        "",
        "%",
        "%ff=%fe",
        "a=1&a=2",
        "=&=&",
        "reason=%00",
        "length=99999999999999999999",
        "{\"a\":1}",
    ];
    let queries = [
        "",
        "?after=nonsense",
        "?after=%ff",
        "?q=%00%27%22%3C",
        "?page=-1&limit=99999999999999999999",
    ];
    for route in routes() {
        for value in hostile {
            let path = path(route, |_| value.to_owned());
            let tails: &[&str] = if route.method == "GET" {
                &queries
            } else {
                &bodies
            };
            for tail in tails {
                let answer = if route.method == "GET" {
                    employee.get(&format!("{path}{tail}")).await
                } else {
                    employee.post(&path, tail).await
                };
                assert!(
                    !answer.status.is_server_error(),
                    "{} {path} {tail:?}: {} {}",
                    route.method,
                    answer.status,
                    answer.body
                );
                assert!(!answer.body.contains("<script>alert"), "{path} {tail}");
            }
            if !route.path.contains('{') {
                break;
            }
        }
    }
}

#[tokio::test]
async fn no_form_is_taken_from_another_site_or_by_another_method() {
    let house = House::new("http://127.0.0.1:9", Setup::default()).await;
    let callers = callers(&house).await;
    let id = format!("req_{}", Uuid::from_u128(0xdead).simple());
    for route in routes() {
        let path = path(route, |_| id.clone());
        for (_, browser) in &callers {
            for (name, value) in [
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-site", "same-site"),
                ("origin", "https://evil.example"),
            ] {
                let request = Request::post(&path)
                    .header(name, value)
                    .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(Body::from("a=1"))
                    .expect("it is a request");
                let answer = browser.send(request).await;
                assert_eq!(
                    answer.status,
                    StatusCode::FORBIDDEN,
                    "{path} {name}: {value}"
                );
            }
        }
        // A form's effect is never had by a link.
        let posts_only = route.method == "POST"
            && !routes()
                .iter()
                .any(|other| other.path == route.path && other.method == "GET");
        if posts_only {
            let answer = callers[1].1.get(&path).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        }
    }
}

#[tokio::test]
async fn pages_are_not_kept_by_caches_and_name_no_secret() {
    let house = House::new("http://127.0.0.1:9", Setup::default()).await;
    let callers = callers(&house).await;
    for route in routes()
        .iter()
        .filter(|route| route.method == "GET" && !route.path.contains('{'))
    {
        for (_, browser) in &callers {
            let answer = browser.get(route.path).await;
            assert_eq!(answer.header("cache-control"), "no-store", "{}", route.path);
            assert!(
                !answer.body.contains(" style="),
                "{} has an inline style",
                route.path
            );
            assert!(
                !answer.body.contains(" onclick="),
                "{} has an inline handler",
                route.path
            );
            for secret in ["portal-web-secret", "sqlite:", "postgres://"] {
                assert!(!answer.body.contains(secret), "{}", route.path);
            }
        }
    }
}
