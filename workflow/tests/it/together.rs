//! Deciding many at once: each by itself and through the same rules; what is risky is refused by the server.

use chrono::Duration;
use domain::{
    PackageId, PackageVersionId, Refusal, StageId,
    approval::Verdict,
    policy::ApproverRule,
    refusal::{BulkBar, DeciderBar},
    request::LineState,
};
use uuid::Uuid;
use workflow::{bulk, decide::Vote, views};

use crate::support::{ASTRID, House, JOHAN, KARIN, MAYA, hours, houses, policy, stage};

async fn vote(house: &House, line: domain::LineId, verdict: Verdict, note: &str) -> Vote {
    let (stage, signed_hash) = house.open(line).await;
    Vote {
        stage,
        verdict,
        note: note.into(),
        cap_seconds: None,
        signed_hash,
    }
}

async fn together(house: &House, n: u128, votes: Vec<Vote>) -> Vec<(StageId, Vec<Refusal>)> {
    let viewer = house.viewer(n).await;
    bulk::decide_together(&house.workflow, &viewer, votes)
        .await
        .unwrap()
        .into_iter()
        .map(|one| {
            let refusals = match one.result {
                Ok(()) => vec![],
                Err(error) => error.refusals().to_vec(),
            };
            (one.stage, refusals)
        })
        .collect()
}

#[tokio::test]
async fn each_is_decided_by_itself() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let mut lines = Vec::new();
        for n in [JOHAN, MAYA, ASTRID] {
            let request = house.ask(n, hours(8), "a").await.unwrap();
            lines.push(house.line(request).await);
        }
        let astrid = house.viewer(ASTRID).await;
        let queue = views::approvals::load(&house.workflow, &astrid, None)
            .await
            .unwrap();
        assert_eq!(queue.items.len(), 2);
        let mut votes = Vec::new();
        for item in &queue.items {
            let vote = vote(&house, item.line, Verdict::Approve, "").await;
            assert_eq!(item.tick.as_ref(), Some(&vote.signed_hash));
            votes.push(vote);
        }
        // One with another hash, and one that is her own, beside one that is right.
        votes[0].signed_hash = "another".into();
        votes.push(vote(&house, lines[2].id, Verdict::Approve, "").await);
        let results = together(&house, ASTRID, votes).await;
        assert_eq!(results[0].1, [Refusal::Changed]);
        assert_eq!(results[1].1, []);
        assert_eq!(
            results[2].1,
            [Refusal::MayNotDecide {
                why: DeciderBar::Asker
            }]
        );
        let states = [
            house.line(lines[0].request_id).await.state,
            house.line(lines[1].request_id).await.state,
        ];
        assert!(states.contains(&LineState::Approved));
        assert!(states.contains(&LineState::AwaitingApproval));
    }
}

#[tokio::test]
async fn a_no_needs_a_reason_each() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let mut votes = Vec::new();
        for (n, note) in [(JOHAN, ""), (MAYA, "Not this month")] {
            let request = house.ask(n, hours(8), "a").await.unwrap();
            let line = house.line(request).await;
            votes.push(vote(&house, line.id, Verdict::Deny, note).await);
        }
        let results = together(&house, ASTRID, votes).await;
        assert!(matches!(results[0].1[..], [Refusal::ReasonTooShort { .. }]));
        assert_eq!(results[1].1, []);
    }
}

#[tokio::test]
async fn what_is_risky_has_no_box_and_is_refused_by_the_server() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        for (change, back, bar) in [
            (
                "UPDATE entitlements SET privileged = TRUE",
                "UPDATE entitlements SET privileged = FALSE",
                BulkBar::Privileged,
            ),
            (
                "UPDATE entitlements SET control_scope = 'SOX'",
                "UPDATE entitlements SET control_scope = NULL",
                BulkBar::ControlScope,
            ),
        ] {
            let request = house.ask(JOHAN, hours(8), &format!("{bar}")).await.unwrap();
            let line = house.line(request).await;
            house.raw(change).await.unwrap();
            let astrid = house.viewer(ASTRID).await;
            let queue = views::approvals::load(&house.workflow, &astrid, None)
                .await
                .unwrap();
            assert_eq!(queue.items[0].tick, None);
            let vote = vec![vote(&house, line.id, Verdict::Approve, "").await];
            let results = together(&house, ASTRID, vote).await;
            assert_eq!(results[0].1, [Refusal::NotInBulk { why: bar }]);
            assert!(!house.line(request).await.state.is_final());
            house.raw(back).await.unwrap();
        }
        // Asked again after a denial.
        let line = house
            .line(house.ask(JOHAN, hours(8), "c").await.unwrap())
            .await;
        house
            .vote(ASTRID, line.id, Verdict::Deny, None)
            .await
            .unwrap();
        let line = house
            .line(house.ask(JOHAN, hours(8), "d").await.unwrap())
            .await;
        let votes = vec![vote(&house, line.id, Verdict::Approve, "").await];
        let results = together(&house, ASTRID, votes).await;
        assert_eq!(
            results[0].1,
            [Refusal::NotInBulk {
                why: BulkBar::Denied
            }]
        );
        house.pass(Duration::minutes(1)).await;
    }
}

#[tokio::test]
async fn one_list_is_decided_by_one_rule() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let other = (
            PackageId(Uuid::from_u128(0x2001)),
            PackageVersionId(Uuid::from_u128(0x3001)),
        );
        house
            .add_package(
                other.0,
                other.1,
                "Another",
                &policy(vec![stage(ApproverRule::ManagersManager)]),
                &[house.entitlement],
            )
            .await;
        let as_manager = house
            .line(house.ask(ASTRID, hours(8), "a").await.unwrap())
            .await;
        let above = house
            .line(house.ask_for(JOHAN, other.0, hours(8), "b").await.unwrap())
            .await;
        let votes = vec![
            vote(&house, as_manager.id, Verdict::Approve, "").await,
            vote(&house, above.id, Verdict::Approve, "").await,
        ];
        let results = together(&house, KARIN, votes).await;
        assert_eq!(results[0].1, []);
        assert_eq!(
            results[1].1,
            [Refusal::NotInBulk {
                why: BulkBar::OtherRule
            }]
        );
    }
}
