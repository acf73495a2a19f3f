//! More people than the house has, a target that answers, and what several tests look at.

use chrono::Duration;
use domain::{
    RequestId, Timestamp,
    approval::Verdict,
    policy::{ApproverRule, Attribute, Condition, Policy, Question},
};
use store::Engine;
use uuid::Uuid;
use workflow::{Unit, grants};

use crate::support::{ASTRID, ELIN, House, JOHAN, account, hours, houses, person, policy, stage};

/// An auditor, an operator, HR, an administrator, and a stranger without any role or tie.
pub const AUDITOR: u128 = 20;
pub const OPERATOR: u128 = 21;
pub const HR: u128 = 22;
pub const ADMIN: u128 = 23;
pub const STRANGER: u128 = 24;

/// Manager, then security; one question.
pub fn two_stages() -> Policy {
    Policy {
        eligibility: vec![Condition {
            attribute: Attribute::Department,
            any_of: vec!["Orders".into()],
            none_of: vec![],
            explain: "for people in Orders".into(),
        }],
        questions: vec![Question {
            key: "ticket".into(),
            ask: "Which ticket?".into(),
            ..Question::default()
        }],
        ..policy(vec![
            stage(ApproverRule::Manager),
            stage(ApproverRule::Security),
        ])
    }
}

/// The house with the people above, on each engine.
pub async fn worlds() -> Vec<House> {
    let mut worlds = Vec::new();
    for house in houses(&two_stages()).await {
        add_people(&house).await;
        worlds.push(house);
    }
    worlds
}

async fn add_people(house: &House) {
    let now = house.now_literal();
    for (n, name, role) in [
        (AUDITOR, "Ann Auditor", Some("auditor")),
        (OPERATOR, "Oskar Operator", Some("operator")),
        (HR, "Hanna Hr", Some("hr")),
        (ADMIN, "Adam Admin", Some("administrator")),
        (STRANGER, "Sven Stranger", None),
    ] {
        house.raw(&format!(
            "INSERT INTO persons (id, name, mail, department, employee_type, state, search_key, created_at, updated_at)
             VALUES ({}, '{name}', 'p{n}@contoso.example', 'Office', 'employee', 'active', '{}', {now}, {now})",
            house.id(person(n).0), name.to_lowercase())).await.unwrap();
        house.raw(&format!(
            "INSERT INTO accounts (id, person_id, tenant_id, object_id, kind, user_name, enabled, deleted, created_at, updated_at)
             VALUES ({}, {}, {}, {}, 'normal', 'p{n}', TRUE, FALSE, {now}, {now})",
            house.id(account(n).0), house.id(person(n).0), house.id(Uuid::from_u128(9)), house.id(Uuid::from_u128(0x9000 + n))))
            .await.unwrap();
        if let Some(role) = role {
            house.raw(&format!("INSERT INTO portal_roles (account_id, role, source, since) VALUES ({}, '{role}', 'directory', {now})",
                house.id(account(n).0))).await.unwrap();
        }
    }
    house
        .raw("UPDATE persons SET search_key = LOWER(name) WHERE search_key = ''")
        .await
        .unwrap();
    house.raw("UPDATE packages SET search_key = 'production database, read orders postgres olle strom https://orders.contoso.example/db sg-prod-orders-ro'").await.unwrap();
}

/// An instant for a statement.
pub fn at(house: &House, at: Timestamp) -> String {
    match house.engine {
        Engine::Sqlite => at.timestamp_micros().to_string(),
        Engine::Postgres => format!("'{}'", at.to_rfc3339()),
    }
}

/// The target answers for somebody's account: the assignment settles, and grants become ready or gone.
pub async fn answers(house: &House, n: u128, observed: &str) {
    let now = house.now_literal();
    house.raw(&format!(
        "UPDATE assignments SET observed = '{observed}', observed_at = {now}, phase = 'settled', origin = 'ours', version = version + 1 WHERE account_id = {}",
        house.id(account(n).0))).await.unwrap();
    let assignment = {
        let mut tx = house.workflow.store().begin().await.unwrap();
        tx.lock_pairs(&[(account(n), house.entitlement)])
            .await
            .unwrap()
            .remove(0)
            .id
    };
    let kind = if observed == "present" {
        "add"
    } else {
        "remove"
    };
    for (kind, outcome, id) in [(kind, "done", 1_u128), ("read", observed, 2)] {
        let id = Uuid::from_u128(
            u128::from(house.clock.now().timestamp_micros() as u64) << 64 | id << 32 | n,
        );
        house.raw(&format!(
            "INSERT INTO operations (id, assignment_id, kind, outcome, status, request_id, detail, at, took_us)
             VALUES ({}, {}, '{kind}', '{outcome}', 204, 'graph-1', 'No Content', {now}, 120000)",
            house.id(id), house.id(assignment.0))).await.unwrap();
    }
    let mut unit: Unit = house.workflow.unit().await.unwrap();
    grants::refresh_health(&mut unit, &[(account(n), house.entitlement)])
        .await
        .unwrap();
    unit.commit().await.unwrap();
}

/// Johan asks for eight hours, and both stages say yes.
pub async fn approved(house: &House, key: &str) -> RequestId {
    let request = house.ask(JOHAN, hours(8), key).await.unwrap();
    let line = house.line(request).await;
    house.pass(Duration::minutes(12)).await;
    house
        .vote(ASTRID, line.id, Verdict::Approve, None)
        .await
        .unwrap();
    house
        .vote(ELIN, line.id, Verdict::Approve, Some(2 * 3600))
        .await
        .unwrap();
    request
}
