//! Sessions on both engines: limits, ending, and what the database holds of them.

use axum::{
    body::Body,
    http::{HeaderValue, Method, Request, StatusCode, header},
};
use chrono::Duration;
use domain::Timestamp;
use store::Engine;
use tower::ServiceExt;
use uuid::Uuid;
use workflow::Clock;

use crate::support::{House, Setup};

fn now() -> Timestamp {
    Timestamp::from_timestamp(1_772_000_000, 0).expect("it is a time")
}

struct Signed {
    house: House,
    token: String,
    person: domain::PersonId,
}

async fn signed_in(engine: Engine) -> Signed {
    let setup = Setup {
        engine,
        clock: Clock::simulated(now()),
        ..Setup::default()
    };
    let house = House::new("http://127.0.0.1:9", setup).await;
    let (person, token) = house.session(Uuid::from_u128(0xa), &[]).await;
    Signed {
        house,
        token,
        person,
    }
}

impl Signed {
    async fn who(&self) -> String {
        let browser = self.house.browser();
        browser.set_cookie("__Host-latchkey", &self.token);
        browser.get("/whoami").await.expect(StatusCode::OK).body
    }

    fn at(&self, after: Duration) {
        self.house.workflow.clock().move_to(now() + after);
    }
}

const BOTH: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];

#[tokio::test]
async fn a_session_ends_after_three_quarters_of_an_hour_without_use() {
    for engine in BOTH {
        let signed = signed_in(engine).await;
        for minutes in [40, 80, 120] {
            signed.at(Duration::minutes(minutes));
            assert_eq!(signed.who().await, "Anna Ask []", "{engine:?} {minutes}");
        }
        signed.at(Duration::minutes(166));
        assert_eq!(signed.who().await, "nobody", "{engine:?}");
    }
}

#[tokio::test]
async fn a_session_ends_after_eight_hours_in_any_case() {
    for engine in BOTH {
        let signed = signed_in(engine).await;
        for minutes in (30..480).step_by(30) {
            signed.at(Duration::minutes(minutes));
            assert_eq!(signed.who().await, "Anna Ask []", "{engine:?} {minutes}");
        }
        signed.at(Duration::minutes(480));
        assert_eq!(signed.who().await, "nobody", "{engine:?}");
    }
}

#[tokio::test]
async fn all_sessions_of_a_person_end_together_and_nobody_elses() {
    for engine in BOTH {
        let signed = signed_in(engine).await;
        let (_, other) = signed.house.session(Uuid::from_u128(0xb), &[]).await;
        let mut tx = signed
            .house
            .workflow
            .store()
            .begin()
            .await
            .expect("it opens");
        tx.delete_sessions_of(signed.person)
            .await
            .expect("it works");
        tx.commit().await.expect("it works");
        assert_eq!(signed.who().await, "nobody", "{engine:?}");
        let theirs = signed.house.browser();
        theirs.set_cookie("__Host-latchkey", &other);
        assert_ne!(theirs.get("/whoami").await.body, "nobody", "{engine:?}");
    }
}

#[tokio::test]
async fn the_database_holds_no_cookie() {
    let signed = signed_in(Engine::Sqlite).await;
    let mut tx = signed
        .house
        .workflow
        .store()
        .read()
        .await
        .expect("it opens");
    let by_token = tx.session(signed.token.as_bytes()).await.expect("it works");
    assert!(by_token.is_none());
    let hash = server::sign_in::sha256(&signed.token);
    assert!(tx.session(&hash).await.expect("it works").is_some());
}

#[tokio::test]
async fn made_up_cookies_open_nothing() {
    let signed = signed_in(Engine::Sqlite).await;
    let long = "x".repeat(5000);
    for token in [
        "",
        "x",
        "../../etc/passwd",
        "' OR 1=1 --",
        &long,
        &signed.token[1..],
    ] {
        let browser = signed.house.browser();
        if !token.is_empty() {
            browser.set_cookie("__Host-latchkey", token);
        }
        assert_eq!(browser.get("/whoami").await.body, "nobody", "{token:?}");
    }
    // A cookie without the prefix does not count: another host of the domain could have set it.
    let browser = signed.house.browser();
    browser.set_cookie("latchkey-trial", &signed.token);
    assert_eq!(browser.get("/whoami").await.body, "nobody");
    // Nor does a name that only becomes ours when it is decoded or trimmed, nor one of two.
    let token = &signed.token;
    for line in [
        format!("__Host%2Dlatchkey={token}"),
        format!("\u{a0}__Host-latchkey={token}"),
        format!("x=1;\u{2003}__Host-latchkey={token}"),
        format!("__Host-latchkey\u{a0}={token}"),
        format!("__Host-latchkey=x; __Host-latchkey={token}"),
        format!("__Host-latchkey={token}; __Host-latchkey={token}"),
        format!("__Host-latchkey=%7F; \u{a0}=\u{ff}; __Host-latchkey={token}"),
    ] {
        assert_eq!(who_with(&signed, line.as_bytes()).await, "nobody", "{line}");
    }
    // Whatever else another host of the domain plants takes nothing away from ours.
    for line in [
        format!("__Host-latchkey={token}; __Host%2Dlatchkey=planted"),
        format!("__Host-latchkey={token}; \u{a0}__Host-latchkey=planted"),
    ] {
        assert_eq!(
            who_with(&signed, line.as_bytes()).await,
            "Anna Ask []",
            "{line}"
        );
    }
}

/// Who is asking, with this line of cookies.
async fn who_with(signed: &Signed, cookies: &[u8]) -> String {
    let cookies = HeaderValue::from_bytes(cookies).expect("it can be sent");
    let request = Request::get("/whoami")
        .header(header::COOKIE, cookies)
        .body(Body::empty())
        .expect("it is a request");
    signed.house.browser().send(request).await.body
}

/// A page that follows what it heard: its own fetch, with the header that the live island sends.
async fn refreshed(signed: &Signed, method: Method) -> String {
    let browser = signed.house.browser();
    browser.set_cookie("__Host-latchkey", &signed.token);
    let request = Request::builder()
        .method(method)
        .uri("/whoami")
        .header("sec-fetch-site", "same-origin")
        .header("x-latchkey-refresh", "1")
        .body(Body::empty())
        .expect("it is a request");
    browser.send(request).await.expect(StatusCode::OK).body
}

#[tokio::test]
async fn an_open_page_does_not_keep_a_session_alive() {
    let signed = signed_in(Engine::Sqlite).await;
    for minutes in [20, 40] {
        signed.at(Duration::minutes(minutes));
        assert_eq!(refreshed(&signed, Method::GET).await, "Anna Ask []");
    }
    for minutes in [80, 120] {
        signed.at(Duration::minutes(minutes));
        assert_eq!(refreshed(&signed, Method::GET).await, "nobody", "{minutes}");
    }
}

#[tokio::test]
async fn a_form_counts_as_somebody_whatever_it_says_of_itself() {
    let signed = signed_in(Engine::Sqlite).await;
    for minutes in [40, 80, 120] {
        signed.at(Duration::minutes(minutes));
        let answer = refreshed(&signed, Method::POST).await;
        assert_eq!(answer, "Anna Ask []", "{minutes}");
    }
}

#[tokio::test]
async fn a_session_may_listen_so_often_and_no_more() {
    let signed = signed_in(Engine::Sqlite).await;
    let listen = async || {
        let request = Request::get("/events?topics=catalogue")
            .header(header::COOKIE, format!("__Host-latchkey={}", signed.token))
            .body(Body::empty())
            .expect("it is a request");
        let answered = signed.house.router.clone().oneshot(request).await;
        answered.expect("a router answers always")
    };
    let mut open = Vec::new();
    for _ in 0..8 {
        let stream = listen().await;
        assert_eq!(stream.status(), StatusCode::OK);
        open.push(stream);
    }
    assert_eq!(listen().await.status(), StatusCode::TOO_MANY_REQUESTS);
    drop(open.pop());
    assert_eq!(listen().await.status(), StatusCode::OK);
}
