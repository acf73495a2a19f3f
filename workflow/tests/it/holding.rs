//! Holding: overlaps, extensions, giving back, last days, warnings.

use chrono::Duration;
use domain::{
    PackageId, PackageVersionId, Refusal,
    approval::Verdict,
    grant::{EndReason, GrantState},
    policy::ApproverRule,
    request::{Length, LineState, Start, Window},
};
use uuid::Uuid;
use workflow::{grants, requests};

use crate::support::{ASTRID, JOHAN, MAYA, account, hours, houses, person, policy, stage};

fn one_stage() -> domain::policy::Policy {
    policy(vec![stage(ApproverRule::Manager)])
}

#[tokio::test]
async fn of_two_ways_the_last_end_counts() {
    for house in houses(&one_stage()).await {
        let other = PackageId(Uuid::from_u128(0x2001));
        house
            .add_package(
                other,
                PackageVersionId(Uuid::from_u128(0x3001)),
                "Orders analyst",
                &one_stage(),
                &[house.entitlement],
            )
            .await;
        let short = house.held(JOHAN, hours(2), "a", &[ASTRID]).await;
        let request = house.ask_for(JOHAN, other, hours(5), "b").await.unwrap();
        let line = house.line(request).await;
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        house.pass(Duration::hours(2)).await;
        assert_eq!(
            house.grant_of(short.line_id.unwrap()).await.state,
            GrantState::Ended
        );
        assert!(
            house.desired(JOHAN, house.entitlement).await,
            "the other way still holds it"
        );
        house.pass(Duration::hours(3)).await;
        assert!(!house.desired(JOHAN, house.entitlement).await);
    }
}

#[tokio::test]
async fn a_shared_right_goes_when_both_ends_come_together() {
    for house in houses(&one_stage()).await {
        let other = PackageId(Uuid::from_u128(0x2001));
        house
            .add_package(
                other,
                PackageVersionId(Uuid::from_u128(0x3001)),
                "Orders analyst",
                &one_stage(),
                &[house.entitlement],
            )
            .await;
        house.held(JOHAN, hours(2), "a", &[ASTRID]).await;
        let line = house
            .line(house.ask_for(JOHAN, other, hours(2), "b").await.unwrap())
            .await;
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        house.pass(Duration::hours(2)).await;
        assert!(!house.desired(JOHAN, house.entitlement).await);
    }
}

#[tokio::test]
async fn an_extension_goes_on_without_a_gap_and_never_shortens() {
    for house in houses(&one_stage()).await {
        let grant = house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        let request = house.more(JOHAN, grant.id, 4, "b").await.unwrap();
        let line = house.line(request).await;
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        house.pass(Duration::hours(8)).await;
        let held = house.grant_of(grant.line_id.unwrap()).await;
        assert_eq!(held.state, GrantState::Active);
        assert_eq!(held.end_at.unwrap() - held.valid_from, Duration::hours(12));
        house.pass(Duration::hours(4)).await;
        assert_eq!(
            house.grant_of(grant.line_id.unwrap()).await.state,
            GrantState::Ended
        );
    }
}

#[tokio::test]
async fn a_pending_extension_never_holds_access_open() {
    for house in houses(&one_stage()).await {
        let grant = house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        let line = house
            .line(house.more(JOHAN, grant.id, 4, "b").await.unwrap())
            .await;
        house.pass(Duration::hours(8)).await;
        assert_eq!(
            house.grant_of(grant.line_id.unwrap()).await.state,
            GrantState::Ended
        );
        assert!(!house.desired(JOHAN, house.entitlement).await);
        // A later yes starts a new grant.
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(house.line(line.request_id).await.state, LineState::Approved);
        let new = house.grant_of(line.id).await;
        assert_eq!(new.state, GrantState::Active);
        assert_ne!(new.id, grant.id);
    }
}

#[tokio::test]
async fn an_extension_around_the_end_always_leaves_a_finite_end() {
    for house in houses(&one_stage()).await {
        for (round, offset) in [-1_i64, 0, 1].into_iter().enumerate() {
            let grant = house
                .held(MAYA, hours(1), &format!("g{round}"), &[ASTRID])
                .await;
            let line = house
                .line(
                    house
                        .more(MAYA, grant.id, 2, &format!("e{round}"))
                        .await
                        .unwrap(),
                )
                .await;
            house
                .clock
                .move_to(grant.end_at.unwrap() + Duration::seconds(offset));
            house
                .vote(ASTRID, line.id, Verdict::Approve, None)
                .await
                .unwrap();
            // The job of the end is late: the end has come all the same, and the yes starts a new grant.
            let old = house.grant_of(grant.line_id.unwrap()).await;
            let mut tx = house.workflow.store().read().await.unwrap();
            let new = tx.grant_of_line(line.id).await.unwrap();
            drop(tx);
            if offset < 0 {
                assert_eq!(old.state, GrantState::Active);
                assert_eq!(old.end_at.unwrap() - old.valid_from, Duration::hours(3));
                assert_eq!(new, None);
            } else {
                assert_eq!(
                    (old.end_at, old.end_reason),
                    (grant.end_at, Some(EndReason::Expired)),
                    "round {round}"
                );
                let new = new.expect("a new grant");
                assert_eq!(new.valid_from, house.clock.now());
                assert!(house.desired(MAYA, house.entitlement).await);
            }
            house.pass(Duration::zero()).await;
            house.pass(Duration::hours(4)).await;
            assert!(
                !house.desired(MAYA, house.entitlement).await,
                "round {round}"
            );
        }
    }
}

#[tokio::test]
async fn a_holder_gives_back_and_nobody_else_does() {
    for house in houses(&one_stage()).await {
        let grant = house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        let stranger = house.viewer(MAYA).await;
        assert!(matches!(
            grants::give_back(&house.workflow, &stranger, grant.id).await,
            Err(workflow::Error::Missing)
        ));
        let holder = house.viewer(JOHAN).await;
        grants::give_back(&house.workflow, &holder, grant.id)
            .await
            .unwrap();
        let ended = house.grant_of(grant.line_id.unwrap()).await;
        assert_eq!(
            (ended.end_reason, ended.ended_by),
            (Some(EndReason::Returned), Some(person(JOHAN)))
        );
        assert!(!house.desired(JOHAN, house.entitlement).await);
        let again = grants::give_back(&house.workflow, &holder, grant.id)
            .await
            .unwrap_err();
        assert!(matches!(again.refusals(), [Refusal::WrongState { .. }]));
    }
}

#[tokio::test]
async fn the_last_day_caps_what_is_asked_and_what_is_held() {
    for house in houses(&one_stage()).await {
        let grant = house
            .held(
                JOHAN,
                Window {
                    start: Start::OnActivation,
                    length: Length::Permanent,
                },
                "a",
                &[ASTRID],
            )
            .await;
        assert!(grant.end_at.is_none());
        let last = house.clock.now() + Duration::hours(3);
        let literal = match house.engine {
            store::Engine::Sqlite => last.timestamp_micros().to_string(),
            store::Engine::Postgres => format!("'{}'", last.to_rfc3339()),
        };
        house
            .raw(&format!(
                "UPDATE persons SET last_day_at = {literal} WHERE id = {}",
                house.id(person(JOHAN).0)
            ))
            .await
            .unwrap();
        let mut unit = house.workflow.unit().await.unwrap();
        unit.tx.lock_persons(&[person(JOHAN)]).await.unwrap();
        grants::cap_for_person(&mut unit, person(JOHAN))
            .await
            .unwrap();
        unit.commit().await.unwrap();
        assert_eq!(
            house.grant_of(grant.line_id.unwrap()).await.end_at,
            Some(last)
        );
        house.pass(Duration::hours(3)).await;
        assert!(!house.desired(JOHAN, house.entitlement).await);
    }
}

#[tokio::test]
async fn warnings_are_mailed_once_each() {
    for house in houses(&one_stage()).await {
        let window = Window {
            start: Start::OnActivation,
            length: Length::Seconds(20 * 86_400),
        };
        house.held(JOHAN, window, "a", &[ASTRID]).await;
        house.pass(Duration::days(13)).await;
        house.pass(Duration::days(6)).await;
        house.pass(Duration::hours(23)).await;
        let sent = house
            .raw("UPDATE messages SET state = 'sent' WHERE kind = 'ends_soon'")
            .await
            .unwrap();
        assert_eq!(sent, 3);
    }
}

#[tokio::test]
async fn a_leave_ends_everything_at_once() {
    for house in houses(&one_stage()).await {
        let grant = house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        let waiting = house
            .line(house.more(JOHAN, grant.id, 4, "b").await.unwrap())
            .await;
        let mut unit = house.workflow.unit().await.unwrap();
        unit.tx.lock_persons(&[person(JOHAN)]).await.unwrap();
        requests::withdraw_of_person(&mut unit, person(JOHAN), "left")
            .await
            .unwrap();
        grants::end_all_of_person(&mut unit, person(JOHAN), EndReason::Leaver)
            .await
            .unwrap();
        unit.commit().await.unwrap();
        assert_eq!(
            house.line(waiting.request_id).await.state,
            LineState::Withdrawn
        );
        assert_eq!(
            house.grant_of(grant.line_id.unwrap()).await.end_reason,
            Some(EndReason::Leaver)
        );
        assert!(!house.desired(JOHAN, house.entitlement).await);
        assert_eq!(account(JOHAN), grant.account_id);
    }
}
