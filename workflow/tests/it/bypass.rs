//! Going around the application: what the database itself refuses, on both engines.

use domain::policy::ApproverRule;
use uuid::Uuid;

use crate::support::{ASTRID, House, JOHAN, account, hours, houses, person, policy, stage};

async fn refuses(house: &House, text: &str) {
    let result = house.raw(text).await;
    assert!(
        matches!(result, Err(store::Error::Conflict(_))),
        "{:?} let through: {text}: {result:?}",
        house.engine
    );
}

#[tokio::test]
async fn votes() {
    for house in houses(&policy(vec![
        stage(ApproverRule::Manager),
        stage(ApproverRule::Security),
    ]))
    .await
    {
        let line = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        let (open, _) = house.open(line.id).await;
        let stages = {
            let mut tx = house.workflow.store().read().await.unwrap();
            tx.stages(line.id).await.unwrap()
        };
        let vote = |stage: Uuid, decider: Uuid| {
            format!(
                "INSERT INTO decisions (id, stage_id, line_id, decider_id, verdict, via, note, signed_hash, decided_at)
                 VALUES ({}, {}, {}, {}, 'approve', 'manager', '', 'x', {})",
                house.id(Uuid::from_u128(0xd00d)), house.id(stage), house.id(line.id.0), house.id(decider), house.now_literal())
        };
        refuses(&house, &vote(open.0, person(JOHAN).0)).await;
        refuses(&house, &vote(stages[1].id.0, person(ASTRID).0)).await;
        house.raw(&vote(open.0, person(ASTRID).0)).await.unwrap();
        refuses(&house, "UPDATE decisions SET verdict = 'deny'").await;
        refuses(&house, "DELETE FROM decisions").await;
        refuses(&house, "UPDATE stages SET rule = '{}'").await;
        refuses(&house, "DELETE FROM stages").await;
        refuses(&house, "UPDATE lines SET reason = 'another'").await;
        refuses(
            &house,
            &format!(
                "UPDATE lines SET beneficiary_id = {}",
                house.id(person(ASTRID).0)
            ),
        )
        .await;
    }
}

#[tokio::test]
async fn states() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let grant = house.held(JOHAN, hours(1), "a", &[ASTRID]).await;
        let now = house.now_literal();
        refuses(
            &house,
            &format!(
                "UPDATE lines SET state = 'awaiting_approval', ended_at = NULL WHERE id = {}",
                house.id(grant.line_id.unwrap().0)
            ),
        )
        .await;
        refuses(&house, "UPDATE grants SET end_at = NULL").await;
        refuses(&house, "UPDATE grants SET end_kind = 'permanent'").await;
        refuses(&house, "UPDATE grants SET state = 'scheduled'").await;
        refuses(&house, "UPDATE grants SET state = 'ended'").await;
        refuses(
            &house,
            &format!(
                "UPDATE grants SET person_id = {}",
                house.id(person(ASTRID).0)
            ),
        )
        .await;
        refuses(&house, "DELETE FROM grants").await;
        house
            .raw(&format!(
                "UPDATE grants SET state = 'ended', ended_at = {now}, end_reason = 'revoked'"
            ))
            .await
            .unwrap();
        refuses(
            &house,
            "UPDATE grants SET state = 'active', ended_at = NULL, end_reason = NULL",
        )
        .await;
        refuses(&house, "UPDATE grants SET end_reason = 'expired'").await;
        assert_eq!(grant.account_id, account(JOHAN));
    }
}

#[tokio::test]
async fn the_audit_log() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        house.ask(JOHAN, hours(1), "a").await.unwrap();
        refuses(&house, "UPDATE audit_events SET entry = 'x' WHERE seq = 1").await;
        refuses(&house, "DELETE FROM audit_events WHERE seq = 1").await;
        refuses(&house, "DELETE FROM audit_subjects").await;
        refuses(&house, "UPDATE package_versions SET policy = '{}'").await;
    }
}
