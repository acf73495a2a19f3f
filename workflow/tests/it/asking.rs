//! Asking: the same form twice, the same ask again, taking it back, and nobody deciding.

use chrono::Duration;
use domain::{
    Refusal,
    approval::Verdict,
    grant::{EndReason, GrantState},
    policy::ApproverRule,
    request::{Length, LineState, Start, Window},
};
use workflow::Error;

use crate::support::{ASTRID, ELIN, JOHAN, MAYA, hours, houses, policy, stage};

#[tokio::test]
async fn from_ask_to_end() {
    for house in houses(&policy(vec![
        stage(ApproverRule::Manager),
        stage(ApproverRule::Security),
    ]))
    .await
    {
        let grant = house.held(JOHAN, hours(8), "a", &[ASTRID, ELIN]).await;
        assert_eq!(grant.state, GrantState::Active);
        assert_eq!(grant.end_at.unwrap() - grant.valid_from, Duration::hours(8));
        assert!(house.desired(JOHAN, house.entitlement).await);
        house.pass(Duration::hours(8) - Duration::seconds(1)).await;
        assert_eq!(
            house.grant_of(grant.line_id.unwrap()).await.state,
            GrantState::Active
        );
        house.pass(Duration::seconds(1)).await;
        let ended = house.grant_of(grant.line_id.unwrap()).await;
        assert_eq!(
            (ended.state, ended.end_reason),
            (GrantState::Ended, Some(EndReason::Expired))
        );
        assert!(
            ended.gone_at.is_none(),
            "not gone until the target was read"
        );
        assert!(!house.desired(JOHAN, house.entitlement).await);
        let mut tx = house.workflow.store().read().await.unwrap();
        assert!(tx.audit_head().await.unwrap().seq > 8);
    }
}

#[tokio::test]
async fn fifty_identical_posts_are_one_request() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let asks: Vec<_> = (0..50)
            .map(|_| house.ask(JOHAN, hours(8), "same"))
            .collect();
        let mut made = Vec::new();
        for ask in futures_join(asks).await {
            made.push(ask.unwrap());
        }
        made.dedup();
        assert_eq!(made.len(), 1);
    }
}

#[tokio::test]
async fn the_same_ask_again_supersedes_the_waiting_one() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let first = house.ask(JOHAN, hours(8), "a").await.unwrap();
        let second = house.ask(JOHAN, hours(4), "b").await.unwrap();
        assert_eq!(house.line(first).await.state, LineState::Superseded);
        assert_eq!(house.line(second).await.state, LineState::AwaitingApproval);
    }
}

#[tokio::test]
async fn nobody_decides_and_the_line_lapses() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let request = house.ask(JOHAN, hours(8), "a").await.unwrap();
        house.pass(Duration::days(7)).await;
        let line = house.line(request).await;
        assert_eq!(line.state, LineState::Lapsed);
        let mut tx = house.workflow.store().read().await.unwrap();
        assert!(
            tx.seats_of_line(line.id).await.unwrap().is_empty(),
            "no seat outlives the line"
        );
    }
}

#[tokio::test]
async fn only_the_asker_takes_it_back() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let line = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        let stranger = house.viewer(MAYA).await;
        let refused = workflow::requests::cancel(&house.workflow, &stranger, line.id)
            .await
            .unwrap_err();
        assert!(matches!(refused, Error::Missing));
        let asker = house.viewer(JOHAN).await;
        workflow::requests::cancel(&house.workflow, &asker, line.id)
            .await
            .unwrap();
        assert_eq!(
            house.line(line.request_id).await.state,
            LineState::Cancelled
        );
        let again = workflow::requests::cancel(&house.workflow, &asker, line.id)
            .await
            .unwrap_err();
        assert!(matches!(again.refusals(), [Refusal::WrongState { .. }]));
    }
}

#[tokio::test]
async fn a_future_start_waits_and_checks_again() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let window = Window {
            start: Start::At(house.clock.now() + Duration::hours(5)),
            length: Length::Seconds(3600),
        };
        let grant = house.held(JOHAN, window, "a", &[ASTRID]).await;
        assert_eq!(grant.state, GrantState::Scheduled);
        assert!(!house.desired(JOHAN, house.entitlement).await);
        house.pass(Duration::hours(5)).await;
        assert!(house.desired(JOHAN, house.entitlement).await);
        house.pass(Duration::hours(1)).await;
        assert!(!house.desired(JOHAN, house.entitlement).await);
    }
}

#[tokio::test]
async fn a_route_without_stages_is_approved_by_its_policy() {
    for house in houses(&policy(vec![])).await {
        let line = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        assert_eq!(line.state, LineState::Approved);
        assert_eq!(house.grant_of(line.id).await.state, GrantState::Active);
    }
}

#[tokio::test]
async fn taking_back_and_approving_at_once_have_one_winner() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        for round in 0..8 {
            let line = house
                .line(
                    house
                        .ask(MAYA, hours(1), &format!("r{round}"))
                        .await
                        .unwrap(),
                )
                .await;
            let asker = house.viewer(MAYA).await;
            let open = house.open(line.id).await;
            let (cancelled, approved) = tokio::join!(
                workflow::requests::cancel(&house.workflow, &asker, line.id),
                house.vote_in(ASTRID, open, Verdict::Approve, None),
            );
            assert!(
                cancelled.is_ok() != approved.is_ok(),
                "{cancelled:?} {approved:?}"
            );
            if approved.is_ok() {
                house.pass(Duration::hours(1)).await;
            }
        }
    }
}

/// Runs futures together on this task.
async fn futures_join<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut pinned: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = pinned.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        let mut all = true;
        for (future, slot) in pinned.iter_mut().zip(&mut done) {
            if slot.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *slot = Some(value),
                    std::task::Poll::Pending => all = false,
                }
            }
        }
        if all {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    done.into_iter().map(|value| value.unwrap()).collect()
}

#[tokio::test]
async fn what_is_forbidden_in_cedar_is_refused_in_its_own_words_and_checked_again_at_the_end() {
    let mut orders = policy(vec![stage(ApproverRule::Manager)]);
    orders.cedar = r#"
        @explain("Only for people in Orders.")
        forbid (principal, action, resource) when { principal.department != "orders" && context.for_self };
    "#
    .into();
    for house in houses(&orders).await {
        let request = house.ask(JOHAN, hours(8), "a").await.unwrap();
        house
            .raw("UPDATE persons SET department = 'Finance'")
            .await
            .unwrap();
        let refused = house.ask(MAYA, hours(8), "b").await.unwrap_err();
        let because = vec!["Only for people in Orders.".to_owned()];
        assert_eq!(refused.refusals(), [Refusal::NotEligible { because }]);
        // Who moved while the ask waited gets nothing, though it is approved.
        let line = house.line(request).await;
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(house.line(request).await.state, LineState::Approved);
        let mut tx = house.workflow.store().read().await.unwrap();
        assert!(tx.grant_of_line(line.id).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn rules_that_cannot_be_read_forbid_it_to_everybody() {
    let mut orders = policy(vec![stage(ApproverRule::Manager)]);
    orders.cedar = "forbid (principal, action".into();
    for house in houses(&orders).await {
        let refused = house.ask(JOHAN, hours(8), "a").await.unwrap_err();
        let because = vec![domain::eligibility::FAILED.to_owned()];
        assert_eq!(refused.refusals(), [Refusal::NotEligible { because }]);
    }
}
