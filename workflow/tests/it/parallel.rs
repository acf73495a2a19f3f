//! Stages that open together: in any order, different people, and the line goes on once.

use domain::{
    StageId,
    approval::{StageState, Verdict},
    policy::{ApproverRule, StageRule},
    request::LineState,
};
use store::requests::{LineRow, StageRow};
use workflow::decide;

use crate::support::{
    ASTRID, ELIN, House, JOHAN, KARIN, OLLE, hours, houses, person, policy, stage,
};

fn together(approvers: ApproverRule) -> StageRule {
    StageRule {
        together: true,
        ..stage(approvers)
    }
}

async fn stages(house: &House, line: &LineRow) -> Vec<StageRow> {
    let mut tx = house.workflow.store().read().await.unwrap();
    tx.stages(line.id).await.unwrap()
}

/// A stage of the line with what its decider signs now.
async fn sign(house: &House, line: &LineRow, position: usize) -> (StageId, String) {
    let stage = stages(house, line).await[position].id;
    let mut tx = house.workflow.store().read().await.unwrap();
    let decisions = tx.decisions(line.id).await.unwrap();
    let row = tx.line(line.id).await.unwrap().unwrap();
    (stage, decide::to_sign(&row, &decisions))
}

async fn states(house: &House, line: &LineRow) -> Vec<StageState> {
    stages(house, line)
        .await
        .iter()
        .map(|stage| stage.state)
        .collect()
}

#[tokio::test]
async fn they_are_decided_in_any_order_and_what_follows_waits_for_all() {
    use StageState::{Met, Open, Waiting};
    let route = policy(vec![
        stage(ApproverRule::Manager),
        together(ApproverRule::PackageOwner),
        stage(ApproverRule::Security),
    ]);
    for house in houses(&route).await {
        let line = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        assert_eq!(states(&house, &line).await, [Open, Open, Waiting]);
        let owner = sign(&house, &line, 1).await;
        house
            .vote_in(OLLE, owner, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(states(&house, &line).await, [Open, Met, Waiting]);
        let manager = sign(&house, &line, 0).await;
        house
            .vote_in(ASTRID, manager, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(states(&house, &line).await, [Met, Met, Open]);
        house
            .vote(ELIN, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(house.line(line.request_id).await.state, LineState::Approved);
    }
}

#[tokio::test]
async fn one_no_ends_the_line_and_the_other_stage_with_it() {
    let route = policy(vec![
        stage(ApproverRule::Manager),
        together(ApproverRule::PackageOwner),
    ]);
    for house in houses(&route).await {
        let line = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        let (manager, owner) = (sign(&house, &line, 0).await, sign(&house, &line, 1).await);
        house
            .vote_in(OLLE, owner, Verdict::Deny, None)
            .await
            .unwrap();
        assert_eq!(
            states(&house, &line).await,
            [StageState::Closed, StageState::Denied]
        );
        house
            .vote_in(ASTRID, manager, Verdict::Approve, None)
            .await
            .unwrap_err();
        assert_eq!(house.line(line.request_id).await.state, LineState::Denied);
    }
}

#[tokio::test]
async fn one_human_does_not_give_two_stages_that_are_open_together() {
    let route = policy(vec![
        stage(ApproverRule::Manager),
        together(ApproverRule::PackageOwner),
    ]);
    for house in houses(&route).await {
        // Astrid is Johan's manager and owns the package, too.
        house
            .raw(&format!(
                "INSERT INTO package_owners (package_id, person_id) VALUES ({}, {})",
                house.id(house.package.0),
                house.id(person(ASTRID).0)
            ))
            .await
            .unwrap();
        let line = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        let manager = sign(&house, &line, 0).await;
        house
            .vote_in(ASTRID, manager, Verdict::Approve, None)
            .await
            .unwrap();
        let owner = sign(&house, &line, 1).await;
        house
            .vote_in(ASTRID, owner.clone(), Verdict::Approve, None)
            .await
            .unwrap_err();
        house
            .vote_in(OLLE, owner, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(house.line(line.request_id).await.state, LineState::Approved);
    }
}

#[tokio::test]
async fn a_stage_whose_only_decider_voted_in_the_other_falls_back() {
    let route = policy(vec![
        stage(ApproverRule::Manager),
        together(ApproverRule::Manager),
    ]);
    for house in houses(&route).await {
        let line = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        let first = sign(&house, &line, 0).await;
        house
            .vote_in(ASTRID, first, Verdict::Approve, None)
            .await
            .unwrap();
        assert!(stages(&house, &line).await[1].fallback);
        let second = sign(&house, &line, 1).await;
        house
            .vote_in(KARIN, second, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(house.line(line.request_id).await.state, LineState::Approved);
    }
}

#[tokio::test]
async fn two_who_decide_both_stages_in_the_same_instant_finish_the_line_once() {
    let route = policy(vec![
        stage(ApproverRule::Manager),
        together(ApproverRule::PackageOwner),
    ]);
    for house in houses(&route).await {
        for round in 0..5 {
            let key = format!("r{round}");
            let line = house
                .line(house.ask(JOHAN, hours(1), &key).await.unwrap())
                .await;
            let (manager, owner) = (sign(&house, &line, 0).await, sign(&house, &line, 1).await);
            let (one, other) = tokio::join!(
                house.vote_in(ASTRID, manager, Verdict::Approve, None),
                house.vote_in(OLLE, owner, Verdict::Approve, None)
            );
            one.unwrap();
            other.unwrap();
            assert_eq!(house.line(line.request_id).await.state, LineState::Approved);
            let grant = house.grant_of(line.id).await;
            workflow::grants::give_back(&house.workflow, &house.viewer(JOHAN).await, grant.id)
                .await
                .unwrap();
        }
    }
}
