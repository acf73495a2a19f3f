//! Silence: reminders in working time, then others as well, then the end; never a yes.

use chrono::{Datelike as _, Duration, Timelike as _, Weekday};
use domain::{
    approval::Verdict,
    audit::EventKind,
    calendar::WorkingSpan,
    policy::{ApproverRule, StageRule},
    request::LineState,
};
use store::audit::AuditQuery;

use crate::support::{ASTRID, House, JOHAN, KARIN, hours, houses, person, policy, stage};

/// From the start of the tests, in the night to a Sunday, to the morning after, before work begins.
const TO_MONDAY: Duration = Duration::hours(32);

/// How many reminders were written to somebody.
async fn reminders(house: &House, who: u128) -> u64 {
    house
        .raw(&format!(
            "UPDATE messages SET problem = NULL WHERE kind = 'reminder' AND person_id = {}",
            house.id(person(who).0)
        ))
        .await
        .unwrap()
}

async fn may_decide(house: &House, request: domain::RequestId) -> Vec<domain::PersonId> {
    let line = house.line(request).await;
    let mut tx = house.workflow.store().read().await.unwrap();
    let seats = tx.seats_of_line(line.id).await.unwrap();
    seats.into_iter().map(|seat| seat.person_id).collect()
}

#[tokio::test]
async fn whoever_can_decide_is_reminded_each_working_day_and_nobody_else() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        house.pass(TO_MONDAY).await;
        assert_eq!(house.clock.now().weekday(), Weekday::Mon);
        assert!(house.clock.now().hour() < 9, "before work begins");
        let request = house.ask(JOHAN, hours(8), "a").await.unwrap();
        house.pass(Duration::hours(20)).await;
        assert_eq!(reminders(&house, ASTRID).await, 0, "not at night");
        // Tuesday to Friday at nine, and nothing at the weekend.
        house.pass(Duration::hours(6)).await;
        assert_eq!(reminders(&house, ASTRID).await, 1);
        for _ in 0..5 {
            house.pass(Duration::days(1)).await;
        }
        assert_eq!(reminders(&house, ASTRID).await, 4);
        assert_eq!(reminders(&house, JOHAN).await, 0);
        assert_eq!(reminders(&house, KARIN).await, 0);
        assert_eq!(house.line(request).await.state, LineState::AwaitingApproval);
        let line = house.line(request).await;
        house
            .vote(ASTRID, line.id, Verdict::Deny, None)
            .await
            .unwrap();
        house.pass(Duration::days(4)).await;
        assert_eq!(
            reminders(&house, ASTRID).await,
            4,
            "not after it is decided"
        );
    }
}

#[tokio::test]
async fn while_the_asker_owes_an_answer_nobody_is_reminded_and_nothing_escalates() {
    let escalates = StageRule {
        escalate_after: Some(WorkingSpan::Days(1)),
        ..stage(ApproverRule::Manager)
    };
    for house in houses(&policy(vec![escalates])).await {
        let request = house.ask(JOHAN, hours(8), "a").await.unwrap();
        let line = house.line(request).await;
        let (open, _) = house.open(line.id).await;
        let astrid = house.viewer(ASTRID).await;
        workflow::conversation::ask_back(&house.workflow, &astrid, open, "Which order is it for?")
            .await
            .unwrap();
        for _ in 0..3 {
            house.pass(Duration::days(1)).await;
        }
        assert_eq!(reminders(&house, ASTRID).await, 0);
        assert_eq!(may_decide(&house, request).await, [person(ASTRID)]);
    }
}

#[tokio::test]
async fn after_a_silence_others_may_decide_as_well_and_silence_never_approves() {
    let escalates = StageRule {
        escalate_after: Some(WorkingSpan::Days(2)),
        ..stage(ApproverRule::Manager)
    };
    for house in houses(&policy(vec![escalates])).await {
        house.pass(TO_MONDAY).await;
        let request = house.ask(JOHAN, hours(8), "a").await.unwrap();
        assert_eq!(may_decide(&house, request).await, [person(ASTRID)]);
        house.pass(Duration::days(1)).await;
        assert_eq!(may_decide(&house, request).await, [person(ASTRID)]);
        house.pass(Duration::days(2)).await;
        let both = may_decide(&house, request).await;
        assert!(
            both.contains(&person(ASTRID)) && both.contains(&person(KARIN)),
            "{both:?}"
        );
        assert!(!both.contains(&person(JOHAN)));
        let line = house.line(request).await;
        assert_eq!(line.state, LineState::AwaitingApproval);
        let mut tx = house.workflow.store().read().await.unwrap();
        let query = AuditQuery {
            kind: Some(EventKind::StageEscalated.to_string()),
            limit: 10,
            ..AuditQuery::default()
        };
        assert_eq!(tx.audit_page(&query).await.unwrap().len(), 1, "once");
        drop(tx);
        // Seated anew for another reason, they stay.
        let mut unit = house.workflow.unit().await.unwrap();
        workflow::route::reseat_for(&mut unit, person(JOHAN))
            .await
            .unwrap();
        unit.commit().await.unwrap();
        assert_eq!(may_decide(&house, request).await.len(), both.len());
        let other = house.ask(JOHAN, hours(4), "b").await.unwrap();
        let again = house.line(other).await;
        assert_eq!(may_decide(&house, other).await, [person(ASTRID)]);
        house.pass(Duration::days(5)).await;
        house
            .vote(KARIN, again.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(house.line(other).await.state, LineState::Approved);
    }
}
