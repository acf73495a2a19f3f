//! Sessions on both engines: limits, ending, and what the database holds of them.

use axum::http::{StatusCode, header};
use chrono::Duration;
use domain::Timestamp;
use store::Engine;
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
    let twice = axum::http::Request::get("/whoami")
        .header(
            header::COOKIE,
            format!("__Host-latchkey=x; __Host-latchkey={}", signed.token),
        )
        .body(axum::body::Body::empty())
        .expect("it is a request");
    assert_eq!(signed.house.browser().send(twice).await.body, "nobody");
}
