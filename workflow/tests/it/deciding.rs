//! Deciding: nobody on their own access by any path, one decision per slot, less time, and seats that fall back.

use chrono::Duration;
use domain::{
    Refusal,
    approval::Verdict,
    grant::GrantState,
    policy::{ApproverRule, Quorum, StageRule},
    refusal::DeciderBar,
    request::LineState,
};
use workflow::{Error, decide};

use crate::support::{
    ASTRID, ELIN, House, JOHAN, KARIN, MAYA, OLLE, TOMAS, hours, houses, person, policy, stage,
};

fn refused(result: workflow::Result<()>) -> Vec<Refusal> {
    result.expect_err("refused").refusals().to_vec()
}

#[tokio::test]
async fn nobody_decides_on_their_own_access() {
    for rule in [
        ApproverRule::Manager,
        ApproverRule::PackageOwner,
        ApproverRule::Security,
    ] {
        for house in houses(&policy(vec![stage(rule)])).await {
            for asker in [JOHAN, ASTRID, OLLE, ELIN] {
                let line = house
                    .line(
                        house
                            .ask(asker, hours(8), &format!("{asker}"))
                            .await
                            .unwrap(),
                    )
                    .await;
                let result = house.vote(asker, line.id, Verdict::Approve, None).await;
                assert_eq!(
                    refused(result),
                    [Refusal::MayNotDecide {
                        why: DeciderBar::Asker
                    }],
                    "{rule} {asker}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_stranger_is_told_that_there_is_no_such_thing() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let line = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        let result = house.vote(MAYA, line.id, Verdict::Approve, None).await;
        assert!(matches!(result, Err(Error::Missing)), "{result:?}");
    }
}

#[tokio::test]
async fn stages_want_different_people() {
    // The manager also owns the package.
    for house in houses(&policy(vec![
        stage(ApproverRule::Manager),
        stage(ApproverRule::PackageOwner),
    ]))
    .await
    {
        own(&house, ASTRID).await;
        let line = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        let second = house.vote(ASTRID, line.id, Verdict::Approve, None).await;
        assert!(!refused(second).is_empty());
        house
            .vote(OLLE, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(house.line(line.request_id).await.state, LineState::Approved);
    }
}

#[tokio::test]
async fn a_low_risk_policy_collapses_stages() {
    let mut collapsing = policy(vec![
        stage(ApproverRule::Manager),
        stage(ApproverRule::PackageOwner),
    ]);
    collapsing.collapse = true;
    for house in houses(&collapsing).await {
        own(&house, ASTRID).await;
        let line = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(house.line(line.request_id).await.state, LineState::Approved);
    }
}

#[tokio::test]
async fn two_deciders_at_once_give_one_decision_and_one_plain_conflict() {
    for house in houses(&policy(vec![stage(ApproverRule::Security)])).await {
        for round in 0..8 {
            let line = house
                .line(
                    house
                        .ask(MAYA, hours(1), &format!("r{round}"))
                        .await
                        .unwrap(),
                )
                .await;
            let open = house.open(line.id).await;
            let (one, other) = tokio::join!(
                house.vote_in(ELIN, open.clone(), Verdict::Approve, None),
                house.vote_in(TOMAS, open, Verdict::Deny, None),
            );
            assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
            let loser = if one.is_ok() { other } else { one };
            assert!(matches!(refused(loser)[..], [Refusal::WrongState { .. }]));
            let mut tx = house.workflow.store().read().await.unwrap();
            assert_eq!(tx.decisions(line.id).await.unwrap().len(), 1);
            drop(tx);
            house.pass(Duration::hours(1)).await;
        }
    }
}

#[tokio::test]
async fn a_quorum_of_two_needs_two() {
    let rule = StageRule::of(ApproverRule::Security, Quorum::Count(2));
    for house in houses(&policy(vec![rule])).await {
        let line = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        house
            .vote(ELIN, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(
            house.line(line.request_id).await.state,
            LineState::AwaitingApproval
        );
        assert_eq!(
            refused(house.vote(ELIN, line.id, Verdict::Approve, None).await),
            [Refusal::DecidedAlready]
        );
        house
            .vote(TOMAS, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(house.line(line.request_id).await.state, LineState::Approved);
    }
}

#[tokio::test]
async fn less_time_is_a_cap_that_later_stages_sign() {
    for house in houses(&policy(vec![
        stage(ApproverRule::Manager),
        stage(ApproverRule::Security),
    ]))
    .await
    {
        let line = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        let (_, before) = house.open(line.id).await;
        house
            .vote(ASTRID, line.id, Verdict::Approve, Some(2 * 3600))
            .await
            .unwrap();
        let (stage, now) = house.open(line.id).await;
        assert_ne!(before, now);
        let stale = decide::Vote {
            stage,
            verdict: Verdict::Approve,
            note: String::new(),
            cap_seconds: None,
            signed_hash: before,
        };
        let elin = house.viewer(ELIN).await;
        assert_eq!(
            refused(decide::decide(&house.workflow, &elin, stale).await),
            [Refusal::Changed]
        );
        house
            .vote(ELIN, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        let grant = house.grant_of(line.id).await;
        assert_eq!(grant.end_at.unwrap() - grant.valid_from, Duration::hours(2));
    }
}

#[tokio::test]
async fn more_than_was_asked_cannot_be_given_and_a_no_needs_a_reason() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let line = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        let longer = house
            .vote(ASTRID, line.id, Verdict::Approve, Some(9 * 3600))
            .await;
        assert_eq!(
            refused(longer),
            [Refusal::TooLongAsked {
                most_seconds: 8 * 3600
            }]
        );
        let (stage, signed_hash) = house.open(line.id).await;
        let silent = decide::Vote {
            stage,
            verdict: Verdict::Deny,
            note: "  ".into(),
            cap_seconds: None,
            signed_hash,
        };
        let astrid = house.viewer(ASTRID).await;
        assert!(matches!(
            refused(decide::decide(&house.workflow, &astrid, silent).await)[..],
            [Refusal::ReasonTooShort { .. }]
        ));
        house
            .vote(ASTRID, line.id, Verdict::Deny, None)
            .await
            .unwrap();
        assert_eq!(house.line(line.request_id).await.state, LineState::Denied);
    }
}

#[tokio::test]
async fn a_manager_who_leaves_falls_back_to_the_next_above() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let line = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        let now = house.now_literal();
        house
            .raw(&format!(
                "UPDATE persons SET state = 'left', left_at = {now} WHERE id = {}",
                house.id(person(ASTRID).0)
            ))
            .await
            .unwrap();
        let mut unit = house.workflow.unit().await.unwrap();
        workflow::route::reseat_for(&mut unit, person(ASTRID))
            .await
            .unwrap();
        unit.commit().await.unwrap();
        house
            .vote(KARIN, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(house.grant_of(line.id).await.state, GrantState::Active);
    }
}

#[tokio::test]
async fn when_nobody_is_left_the_line_is_held_and_never_approved() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        // Karin leads; everybody reports to her, and security has one member only.
        house
            .raw(&format!(
                "DELETE FROM portal_roles WHERE account_id = {}",
                house.id(crate::support::account(TOMAS).0)
            ))
            .await
            .unwrap();
        let line = house
            .line(house.ask(KARIN, hours(8), "a").await.unwrap())
            .await;
        assert_eq!(line.state, LineState::AwaitingApproval);
        let mut tx = house.workflow.store().read().await.unwrap();
        assert!(tx.stages(line.id).await.unwrap()[0].stuck);
        drop(tx);
        assert!(
            house
                .vote(ELIN, line.id, Verdict::Approve, None)
                .await
                .is_err()
        );
    }
}

#[tokio::test]
async fn for_the_head_two_of_security_decide_together() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let line = house
            .line(house.ask(KARIN, hours(8), "a").await.unwrap())
            .await;
        house
            .vote(ELIN, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(
            house.line(line.request_id).await.state,
            LineState::AwaitingApproval
        );
        house
            .vote(TOMAS, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(house.line(line.request_id).await.state, LineState::Approved);
        let mut tx = house.workflow.store().read().await.unwrap();
        assert!(tx.stages(line.id).await.unwrap()[0].by_subordinates);
    }
}

async fn own(house: &House, n: u128) {
    house
        .raw(&format!(
            "INSERT INTO package_owners (package_id, person_id) VALUES ({}, {})",
            house.id(house.package.0),
            house.id(person(n).0)
        ))
        .await
        .unwrap();
}
