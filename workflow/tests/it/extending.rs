//! More time, and a yes that comes late: what an approver's less means, how long something may be held without a break,
//! and what is looked at again.

use chrono::Duration;
use domain::{
    Refusal,
    approval::Verdict,
    grant::GrantState,
    policy::{ApproverRule, Attribute, Condition, Policy},
    request::{Length, LineState, Start, Window},
};

use crate::support::{ASTRID, ELIN, House, JOHAN, hours, houses, person, policy, stage};

fn one_stage() -> Policy {
    policy(vec![stage(ApproverRule::Manager)])
}

/// Only for the department that everybody of the house is in.
fn for_orders() -> Policy {
    Policy {
        eligibility: vec![Condition {
            attribute: Attribute::Department,
            any_of: vec!["Orders".into()],
            none_of: vec![],
            explain: "only for Orders".into(),
        }],
        ..one_stage()
    }
}

async fn moves_to(house: &House, n: u128, department: &str) {
    house
        .raw(&format!(
            "UPDATE persons SET department = '{department}' WHERE id = {}",
            house.id(person(n).0)
        ))
        .await
        .unwrap();
}

#[tokio::test]
async fn an_approvers_less_on_more_time_counts_from_the_decision() {
    for house in houses(&one_stage()).await {
        let grant = house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        house.pass(Duration::hours(2)).await;
        let decided = house.clock.now();
        let line = house
            .line(house.more(JOHAN, grant.id, 24, "b").await.unwrap())
            .await;
        house
            .vote(ASTRID, line.id, Verdict::Approve, Some(8 * 3600))
            .await
            .unwrap();
        let end = Some(decided + Duration::hours(8));
        assert_eq!(house.grant(grant.id).await.end_at, end);
        // What is not later than today's end changes nothing, and the log says so.
        let line = house
            .line(house.more(JOHAN, grant.id, 24, "c").await.unwrap())
            .await;
        house
            .vote(ASTRID, line.id, Verdict::Approve, Some(8 * 3600))
            .await
            .unwrap();
        assert_eq!(house.grant(grant.id).await.end_at, end);
        assert_eq!(house.line(line.request_id).await.state, LineState::Approved);
        assert!(house.logged(line.id, "it lasts as long already").await);
    }
}

#[tokio::test]
async fn each_less_on_more_time_counts_from_its_own_decision() {
    let two = policy(vec![
        stage(ApproverRule::Manager),
        stage(ApproverRule::Security),
    ]);
    for house in houses(&two).await {
        let grant = house.held(JOHAN, hours(8), "a", &[ASTRID, ELIN]).await;
        let line = house
            .line(house.more(JOHAN, grant.id, 48, "b").await.unwrap())
            .await;
        let first = house.clock.now();
        house
            .vote(ASTRID, line.id, Verdict::Approve, Some(12 * 3600))
            .await
            .unwrap();
        house.pass(Duration::hours(7)).await;
        house
            .vote(ELIN, line.id, Verdict::Approve, Some(10 * 3600))
            .await
            .unwrap();
        assert_eq!(
            house.grant(grant.id).await.end_at,
            Some(first + Duration::hours(12))
        );
    }
}

#[tokio::test]
async fn nothing_is_held_for_ever_by_asking_again() {
    let mut limited = one_stage();
    limited.limits.permanent = false;
    limited.limits.longest_seconds = 8 * 3600;
    limited.limits.continuous_seconds = 16 * 3600;
    for house in houses(&limited).await {
        let grant = house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        let latest = grant.valid_from + Duration::hours(16);
        let line = house
            .line(house.more(JOHAN, grant.id, 8, "b").await.unwrap())
            .await;
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(house.grant(grant.id).await.end_at, Some(latest));
        let refused = house.more(JOHAN, grant.id, 1, "c").await.unwrap_err();
        assert_eq!(
            refused.refusals(),
            [Refusal::HeldTooLong {
                most_seconds: 16 * 3600,
                latest,
            }]
        );
        let form = workflow::views::request_form::load_extension(
            &house.workflow,
            &house.viewer(JOHAN).await,
            grant.id,
        )
        .await
        .unwrap();
        assert_eq!(form.longest_seconds, 0);
        // After its end it may be asked for anew.
        house.pass(Duration::hours(16)).await;
        house.held(JOHAN, hours(8), "d", &[ASTRID]).await;
    }
}

#[tokio::test]
async fn whoever_may_hold_it_for_ever_may_go_on() {
    let mut limited = one_stage();
    limited.limits.longest_seconds = 8 * 3600;
    limited.limits.continuous_seconds = 8 * 3600;
    for house in houses(&limited).await {
        let grant = house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        house.more(JOHAN, grant.id, 8, "b").await.unwrap();
    }
}

#[tokio::test]
async fn more_time_is_given_only_to_who_is_still_eligible() {
    for house in houses(&for_orders()).await {
        let grant = house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        let line = house
            .line(house.more(JOHAN, grant.id, 8, "b").await.unwrap())
            .await;
        moves_to(&house, JOHAN, "Payments").await;
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(house.line(line.request_id).await.state, LineState::Approved);
        assert_eq!(house.grant(grant.id).await.end_at, grant.end_at);
        assert!(house.logged(line.id, "only for Orders").await);
    }
}

#[tokio::test]
async fn a_start_that_passed_while_the_ask_waited_is_checked_at_the_yes() {
    for house in houses(&for_orders()).await {
        let window = Window {
            start: Start::At(house.clock.now() + Duration::hours(1)),
            length: Length::Seconds(8 * 3600),
        };
        let line = house
            .line(house.ask(JOHAN, window, "a").await.unwrap())
            .await;
        house.pass(Duration::hours(2)).await;
        moves_to(&house, JOHAN, "Payments").await;
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(house.line(line.request_id).await.state, LineState::Approved);
        let mut tx = house.workflow.store().read().await.unwrap();
        assert_eq!(tx.grant_of_line(line.id).await.unwrap(), None);
        drop(tx);
        assert!(house.logged(line.id, "only for Orders").await);
    }
}

#[tokio::test]
async fn more_time_is_not_asked_for_what_is_over() {
    for house in houses(&one_stage()).await {
        let grant = house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        // The end has come, its job is late.
        house.clock.move_to(grant.end_at.unwrap());
        assert_eq!(house.grant(grant.id).await.state, GrantState::Active);
        let refused = house.more(JOHAN, grant.id, 4, "b").await.unwrap_err();
        assert!(matches!(refused.refusals(), [Refusal::WrongState { .. }]));
    }
}

#[tokio::test]
async fn a_vote_after_the_pending_deadline_does_not_count() {
    for house in houses(&one_stage()).await {
        let line = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        // The deadline has come, its job is late.
        house.clock.move_to(line.lapse_at);
        let late = house.vote(ASTRID, line.id, Verdict::Approve, None).await;
        let lapsed = Refusal::WrongState {
            state: LineState::Lapsed.to_string(),
        };
        assert_eq!(late.unwrap_err().refusals(), std::slice::from_ref(&lapsed));
        assert_eq!(house.line(line.request_id).await.state, LineState::Lapsed);
        let mut tx = house.workflow.store().read().await.unwrap();
        assert!(tx.decisions(line.id).await.unwrap().is_empty());
        drop(tx);
        // Nor does taking it back, and the job that comes after finds nothing to do.
        let line = house
            .line(house.ask(JOHAN, hours(8), "b").await.unwrap())
            .await;
        house.clock.move_to(line.lapse_at);
        let johan = house.viewer(JOHAN).await;
        let late = workflow::requests::cancel(&house.workflow, &johan, line.id).await;
        assert_eq!(late.unwrap_err().refusals(), [lapsed]);
        house.pass(Duration::zero()).await;
        assert_eq!(house.line(line.request_id).await.state, LineState::Lapsed);
    }
}
