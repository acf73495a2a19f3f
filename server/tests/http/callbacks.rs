//! What receivers of webhooks say: signed, once, about their own target, and never believed without a read.

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use chrono::Duration;
use domain::{
    AssignmentId, EntitlementId, TargetId, Timestamp,
    assignment::{Observed, Phase},
    deadline::JobKind,
};
use provisioner::webhook::{Secret, sign};
use server::web::Callbacks;
use store::{assignments::AssignmentRow, catalogue::EntitlementRow};
use uuid::Uuid;

use crate::support::{House, Setup};

const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ASSIGNMENT: AssignmentId = AssignmentId(Uuid::from_u128(0xa51));

fn secret() -> Secret {
    Secret::read(KEY).expect("it is one")
}

/// A portal with one assignment behind the webhook `doors`, and another webhook.
async fn house() -> House {
    let callbacks: Callbacks = ["doors", "other"]
        .map(|key| (key.to_owned(), secret()))
        .into();
    let setup = Setup {
        callbacks,
        ..Setup::default()
    };
    let house = House::new("http://127.0.0.1:9", setup).await;
    let (person, _) = house.session(Uuid::from_u128(0x100), &[]).await;
    let (target, right) = (
        TargetId(Uuid::from_u128(0x301)),
        EntitlementId(Uuid::from_u128(0x401)),
    );
    let mut unit = house.workflow.unit().await.expect("the database works");
    let now = unit.now;
    let account = unit
        .tx
        .accounts_of(person)
        .await
        .expect("it can be read")
        .remove(0);
    unit.tx
        .configure_target(target, "doors", "webhook", "Doors")
        .await
        .expect("it is new");
    unit.tx
        .save_entitlements(&[EntitlementRow {
            id: right,
            key: "door-admin".into(),
            target_id: target,
            application_id: None,
            kind: "webhook_right".into(),
            external_id: "admin".into(),
            name: "Door administration".into(),
            summary: String::new(),
            lane: "doors:admin".into(),
            privileged: false,
            control_scope: None,
            manageable: true,
            unmanageable_reason: None,
            effective_within_seconds: 0,
            owner_id: None,
            drift: domain::drift::Drift::Report,
            instructions: String::new(),
            due_within_seconds: 0,
            facts: String::new(),
        }])
        .await
        .expect("it is new");
    unit.tx
        .save_assignments(&[AssignmentRow {
            id: ASSIGNMENT,
            account_id: account.id,
            person_id: person,
            entitlement_id: right,
            target_id: target,
            lane: "doors:admin".into(),
            desired: true,
            only_imports: false,
            desired_since: now,
            observed: Observed::Unknown,
            observed_at: None,
            origin: None,
            phase: Phase::Settling,
            settle_reads: 0,
            attempts: 0,
            next_at: None,
            problem: None,
            added_at: Some(now),
            removed_at: None,
            updated_at: now,
            version: 0,
        }])
        .await
        .expect("it is new");
    unit.commit().await.expect("the database works");
    house
}

/// Sends a message to a target's address, signed as of `at`.
async fn send(house: &House, target: &str, id: &str, at: Timestamp, body: &str) -> StatusCode {
    let signature = sign(&secret(), id, at, body.as_bytes());
    let request = Request::post(format!("/callbacks/{target}"))
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", at.timestamp().to_string())
        .header("webhook-signature", signature)
        .body(Body::from(body.to_owned()))
        .expect("it is a request");
    let answer = house.browser().send(request).await;
    assert!(answer.header("set-cookie").is_empty());
    answer.status
}

async fn heard(house: &House) -> usize {
    let mut tx = house.workflow.store().read().await.expect("it opens");
    let calls = tx.operations_of(ASSIGNMENT, 10).await;
    calls.expect("it can be read").len()
}

#[tokio::test]
async fn a_receiver_is_heard_once_and_what_it_says_is_read_back() {
    let house = house().await;
    let now = house.workflow.clock().now();
    let body = format!(
        r#"{{"type":"access.done","data":{{"wish":"{ASSIGNMENT}.add.1","detail":"badge 7"}}}}"#
    );
    for late in [-310, 310] {
        let at = now + Duration::seconds(late);
        assert_eq!(
            send(&house, "doors", "m1", at, &body).await,
            StatusCode::BAD_REQUEST
        );
    }
    assert_eq!(
        send(&house, "nothing", "m1", now, &body).await,
        StatusCode::BAD_REQUEST
    );
    // One target's receiver says nothing of another's.
    assert_eq!(
        send(&house, "other", "m1", now, &body).await,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    for nonsense in ["", "{}", r#"{"type":"access.done","data":{"wish":"x"}}"#] {
        assert_eq!(
            send(&house, "doors", "m2", now, nonsense).await,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{nonsense}"
        );
    }
    let unsigned = Request::post("/callbacks/doors")
        .body(Body::from(body.clone()))
        .expect("it is a request");
    assert_eq!(
        house.browser().send(unsigned).await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(heard(&house).await, 0);

    for _ in 0..2 {
        assert_eq!(
            send(&house, "doors", "m1", now, &body).await,
            StatusCode::OK
        );
    }
    assert_eq!(heard(&house).await, 1, "once for each message");
    let mut tx = house.workflow.store().read().await.expect("it opens");
    let row = tx
        .assignment(ASSIGNMENT)
        .await
        .expect("it can be read")
        .expect("it is there");
    assert_eq!(
        (row.observed, row.phase),
        (Observed::Unknown, Phase::Settling),
        "a word is no read"
    );
    let due = tx
        .next_due(&[JobKind::Converge])
        .await
        .expect("it can be read");
    assert!(due.is_some_and(|due| due <= house.workflow.clock().now()));
}
