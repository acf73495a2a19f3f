//! Who stands in for somebody: beside them, within every exclusion, from the first instant to the last, and one voice.

use chrono::Duration;
use domain::{
    DeputyId, Refusal,
    approval::Verdict,
    deputy::Scope,
    policy::{ApproverRule, Quorum, StageRule},
    refusal::DeciderBar,
    request::LineState,
};
use store::requests::SeatRow;
use workflow::{
    Error,
    deputies::{self, NewDeputy},
};

use crate::support::{
    ASTRID, ELIN, House, JOHAN, KARIN, MAYA, OLLE, TOMAS, hours, houses, person, policy, stage,
};

async fn arrange(
    house: &House,
    by: u128,
    (of, who): (u128, u128),
    (from, length): (i64, i64),
) -> workflow::Result<DeputyId> {
    let from = house.clock.now() + Duration::hours(from);
    let new = NewDeputy {
        person: person(of),
        deputy: Some(person(who)),
        from,
        until: from + Duration::hours(length),
        scope: Scope::Everything,
    };
    deputies::arrange(&house.workflow, &house.viewer(by).await, new).await
}

async fn seats(house: &House, line: domain::LineId) -> Vec<SeatRow> {
    let mut tx = house.workflow.store().read().await.unwrap();
    tx.seats_of_line(line).await.unwrap()
}

/// Who sits, and for whom.
async fn sitting(house: &House, line: domain::LineId) -> Vec<(u128, Option<u128>)> {
    seats(house, line)
        .await
        .iter()
        .map(|seat| {
            (
                seat.person_id.0.as_u128(),
                seat.for_id.map(|id| id.0.as_u128()),
            )
        })
        .collect()
}

#[tokio::test]
async fn a_deputy_decides_and_the_record_says_for_whom() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let waiting = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        let id = arrange(&house, ASTRID, (ASTRID, OLLE), (0, 48))
            .await
            .unwrap();
        // What waited before is theirs as well.
        assert_eq!(
            sitting(&house, waiting.id).await,
            [(ASTRID, None), (OLLE, Some(ASTRID))]
        );
        house
            .vote(OLLE, waiting.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(
            house.line(waiting.request_id).await.state,
            LineState::Approved
        );
        let mut tx = house.workflow.store().read().await.unwrap();
        let vote = tx.decisions(waiting.id).await.unwrap().remove(0);
        drop(tx);
        assert_eq!(
            (vote.decider_id, vote.for_id),
            (person(OLLE), Some(person(ASTRID)))
        );
        assert!(
            house
                .logged(waiting.id, &format!("\"behalf\":\"{}\"", person(ASTRID)))
                .await
        );
        assert!(house.logged(id, "deputy_made").await);
    }
}

#[tokio::test]
async fn beginning_and_end_are_deadlines_that_seat_anew() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        arrange(&house, ASTRID, (ASTRID, OLLE), (24, 24))
            .await
            .unwrap();
        let line = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        assert_eq!(sitting(&house, line.id).await, [(ASTRID, None)]);
        assert_eq!(
            house
                .vote(OLLE, line.id, Verdict::Approve, None)
                .await
                .unwrap_err()
                .to_string(),
            Error::Missing.to_string()
        );
        house.pass(Duration::hours(24)).await;
        assert_eq!(sitting(&house, line.id).await.len(), 2);
        // Its end has come, with the job late: the vote does not count all the same.
        house.clock.move_to(house.clock.now() + Duration::hours(24));
        house
            .vote(OLLE, line.id, Verdict::Approve, None)
            .await
            .unwrap_err();
        house.pass(Duration::zero()).await;
        assert_eq!(sitting(&house, line.id).await, [(ASTRID, None)]);
    }
}

#[tokio::test]
async fn after_an_outage_over_both_ends_nobody_stands_in() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let id = arrange(&house, ASTRID, (ASTRID, OLLE), (24, 24))
            .await
            .unwrap();
        let line = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        house.pass(Duration::hours(100)).await;
        assert_eq!(sitting(&house, line.id).await, [(ASTRID, None)]);
        assert!(house.logged(id, "\"over\"").await);
        assert!(!house.logged(id, "\"begun\"").await);
    }
}

#[tokio::test]
async fn only_they_or_their_manager_arrange_it_and_both_sides_may_end_it() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let line = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        for other in [OLLE, JOHAN] {
            let refused = arrange(&house, other, (ASTRID, OLLE), (0, 8)).await;
            assert!(matches!(refused, Err(Error::Missing)), "{refused:?}");
        }
        let id = arrange(&house, KARIN, (ASTRID, OLLE), (0, 8))
            .await
            .unwrap();
        let stranger = house.viewer(MAYA).await;
        assert!(matches!(
            deputies::end(&house.workflow, &stranger, id).await,
            Err(Error::Missing)
        ));
        deputies::end(&house.workflow, &house.viewer(OLLE).await, id)
            .await
            .unwrap();
        assert_eq!(sitting(&house, line.id).await, [(ASTRID, None)]);
        let twice = deputies::end(&house.workflow, &house.viewer(OLLE).await, id).await;
        assert!(matches!(
            twice.unwrap_err().refusals(),
            [Refusal::WrongState { .. }]
        ));
        let own = arrange(&house, ASTRID, (ASTRID, ASTRID), (0, 8)).await;
        assert_eq!(own.unwrap_err().refusals(), [Refusal::OwnDeputy]);
        let long = arrange(&house, ASTRID, (ASTRID, OLLE), (0, 61 * 24)).await;
        assert_eq!(
            long.unwrap_err().refusals(),
            [Refusal::DeputyTooLong { most_days: 60 }]
        );
    }
}

#[tokio::test]
async fn whoever_stands_in_for_the_asker_decides_nothing_of_theirs() {
    let route = policy(vec![stage(ApproverRule::PackageOwner)]);
    for house in houses(&route).await {
        // Olle owns the package, and stands in for Maya, who asks for it.
        arrange(&house, MAYA, (MAYA, OLLE), (0, 8)).await.unwrap();
        let line = house
            .line(house.ask(MAYA, hours(8), "a").await.unwrap())
            .await;
        assert!(
            !sitting(&house, line.id)
                .await
                .iter()
                .any(|seat| seat.0 == OLLE)
        );
        let refused = house.vote(OLLE, line.id, Verdict::Approve, None).await;
        assert_eq!(
            refused.unwrap_err().refusals(),
            [Refusal::MayNotDecide {
                why: DeciderBar::StandsIn
            }]
        );
        // A deputyship that begins while it waits takes the seat away, too.
        let other = house
            .line(house.ask(JOHAN, hours(8), "b").await.unwrap())
            .await;
        assert_eq!(sitting(&house, other.id).await, [(OLLE, None)]);
        arrange(&house, JOHAN, (JOHAN, OLLE), (0, 8)).await.unwrap();
        assert!(
            !sitting(&house, other.id)
                .await
                .iter()
                .any(|seat| seat.0 == OLLE)
        );
    }
}

#[tokio::test]
async fn their_own_yes_and_that_of_their_deputy_are_one() {
    let two = StageRule {
        named: vec![person(ASTRID), person(KARIN)],
        ..StageRule::of(ApproverRule::Named, Quorum::Count(2))
    };
    for house in houses(&policy(vec![two])).await {
        let maya = house
            .line(house.ask(ELIN, hours(8), "a").await.unwrap())
            .await;
        arrange(&house, ASTRID, (ASTRID, OLLE), (0, 48))
            .await
            .unwrap();
        house
            .vote(OLLE, maya.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(
            house.line(maya.request_id).await.state,
            LineState::AwaitingApproval
        );
        // Whose voice was given has no seat any more; whoever gave it does not vote twice.
        assert!(
            !sitting(&house, maya.id)
                .await
                .iter()
                .any(|seat| seat.0 == ASTRID)
        );
        house
            .vote(ASTRID, maya.id, Verdict::Approve, None)
            .await
            .unwrap_err();
        assert_eq!(
            house
                .vote(OLLE, maya.id, Verdict::Approve, None)
                .await
                .unwrap_err()
                .refusals(),
            [Refusal::DecidedAlready]
        );
        house
            .vote(KARIN, maya.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(house.line(maya.request_id).await.state, LineState::Approved);
    }
}

#[tokio::test]
async fn a_scope_limits_what_is_decided_for_somebody() {
    let route = policy(vec![
        stage(ApproverRule::Manager),
        stage(ApproverRule::Security),
    ]);
    for house in houses(&route).await {
        let from = house.clock.now();
        let elsewhere = NewDeputy {
            person: person(ASTRID),
            deputy: Some(person(OLLE)),
            from,
            until: from + Duration::hours(8),
            scope: Scope::Rule(ApproverRule::Sponsor),
        };
        let astrid = house.viewer(ASTRID).await;
        deputies::arrange(&house.workflow, &astrid, elsewhere)
            .await
            .unwrap();
        let line = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        assert_eq!(sitting(&house, line.id).await, [(ASTRID, None)]);
        let here = NewDeputy {
            deputy: Some(person(TOMAS)),
            scope: Scope::Application(domain::ApplicationId(uuid::Uuid::from_u128(0x6000))),
            ..elsewhere
        };
        deputies::arrange(&house.workflow, &astrid, here)
            .await
            .unwrap();
        assert_eq!(
            sitting(&house, line.id).await,
            [(ASTRID, None), (TOMAS, Some(ASTRID))]
        );
        // Tomas decided for Astrid; security's yes must come from another human.
        house
            .vote(TOMAS, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(sitting(&house, line.id).await, [(ELIN, None)]);
        house
            .vote(ELIN, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(house.line(line.request_id).await.state, LineState::Approved);
    }
}
