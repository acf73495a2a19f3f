//! Moves seen in the directory: what no longer fits ends, at once or after a grace, and waiting asks are withdrawn.

use chrono::Duration;
use domain::{
    EntitlementId, PackageId, PackageVersionId,
    approval::Verdict,
    grant::{EndReason, GrantState},
    policy::{ApproverRule, Attribute, Condition, Policy},
    request::{Length, LineState, Start, Window},
};
use uuid::Uuid;

use crate::support::{ASTRID, JOHAN, KARIN, MAYA, OLLE, hours, houses, person, policy, stage};

fn only_orders() -> Policy {
    Policy {
        eligibility: vec![Condition {
            attribute: Attribute::Department,
            any_of: vec!["Orders".into()],
            none_of: vec![],
            explain: "for people in Orders".into(),
        }],
        ..policy(vec![stage(ApproverRule::Manager)])
    }
}

fn permanent() -> Window {
    Window {
        start: Start::OnActivation,
        length: Length::Permanent,
    }
}

#[tokio::test]
async fn what_no_longer_fits_ends_after_a_grace_and_holder_and_manager_are_told() {
    for house in houses(&only_orders()).await {
        let short = house.held(MAYA, hours(8), "m", &[ASTRID]).await;
        let grant = house.held(JOHAN, permanent(), "a", &[ASTRID]).await;
        let moved_at = house.clock.now();
        house.moves(JOHAN, "Sales", OLLE).await;
        let held = house.grant(grant.id).await;
        assert_eq!(held.state, GrantState::Active);
        assert_eq!(held.end_at, Some(moved_at + Duration::days(14)));
        assert!(house.logged(person(JOHAN), "person_moved").await);
        assert_eq!(
            (
                house.mails(JOHAN, "moved").await,
                house.mails(OLLE, "moved").await
            ),
            (1, 1)
        );
        // Back in time: nothing comes back by itself, and nothing is shortened twice.
        house.moves(JOHAN, "Orders", ASTRID).await;
        assert_eq!(house.grant(grant.id).await.end_at, held.end_at);
        house.pass(Duration::days(14)).await;
        assert_eq!(
            house.grant(grant.id).await.end_reason,
            Some(EndReason::Mover)
        );
        assert_eq!(
            house.grant(short.id).await.end_reason,
            Some(EndReason::Expired),
            "somebody else's is not touched"
        );
        assert!(!house.desired(JOHAN, house.entitlement).await);
    }
}

#[tokio::test]
async fn an_end_that_comes_sooner_stays_what_it_is() {
    for house in houses(&only_orders()).await {
        let grant = house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        house.moves(JOHAN, "Sales", ASTRID).await;
        assert_eq!(house.grant(grant.id).await.end_at, grant.end_at);
        house.pass(Duration::hours(8)).await;
        assert_eq!(
            house.grant(grant.id).await.end_reason,
            Some(EndReason::Expired)
        );
        assert_eq!(house.mails(JOHAN, "moved").await, 0);
    }
}

#[tokio::test]
async fn a_privileged_right_ends_at_once() {
    for house in houses(&only_orders()).await {
        house
            .raw("UPDATE entitlements SET privileged = TRUE")
            .await
            .unwrap();
        let grant = house.held(JOHAN, permanent(), "a", &[ASTRID]).await;
        house.moves(JOHAN, "Sales", ASTRID).await;
        let ended = house.grant(grant.id).await;
        assert_eq!(
            (ended.state, ended.end_reason, ended.end_note.as_deref()),
            (
                GrantState::Ended,
                Some(EndReason::Mover),
                Some("for people in Orders")
            )
        );
        assert!(!house.desired(JOHAN, house.entitlement).await);
    }
}

#[tokio::test]
async fn an_extension_that_somebody_decides_outlives_the_grace() {
    for house in houses(&only_orders()).await {
        let grant = house.held(JOHAN, permanent(), "a", &[ASTRID]).await;
        house.moves(JOHAN, "Sales", ASTRID).await;
        let refused = house.more(JOHAN, grant.id, 48, "b").await;
        assert!(refused.is_err(), "{refused:?}");
        house.moves(JOHAN, "Orders", ASTRID).await;
        let line = house
            .line(house.more(JOHAN, grant.id, 48, "c").await.unwrap())
            .await;
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        house.pass(Duration::days(14)).await;
        assert_eq!(house.grant(grant.id).await.state, GrantState::Active);
        house.pass(Duration::days(2)).await;
        assert_eq!(
            house.grant(grant.id).await.end_reason,
            Some(EndReason::Expired)
        );
    }
}

#[tokio::test]
async fn waiting_asks_that_no_longer_fit_are_withdrawn_and_the_others_seat_anew() {
    for house in houses(&only_orders()).await {
        let other = PackageId(Uuid::from_u128(0x2001));
        let right = EntitlementId(Uuid::from_u128(0x4001));
        house.add_entitlement(right, "sg-orders-tools").await;
        house
            .add_package(
                other,
                PackageVersionId(Uuid::from_u128(0x3001)),
                "For all",
                &policy(vec![stage(ApproverRule::Manager)]),
                &[right],
            )
            .await;
        let fitting = house.ask_for(JOHAN, other, hours(8), "b").await.unwrap();
        let gone = house.ask(JOHAN, hours(8), "a").await.unwrap();
        house.moves(JOHAN, "Sales", KARIN).await;
        assert_eq!(house.line(gone).await.state, LineState::Withdrawn);
        let line = house.line(fitting).await;
        assert_eq!(line.state, LineState::AwaitingApproval);
        house
            .vote(KARIN, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert!(house.logged(line.id, "approved").await);
    }
}

#[tokio::test]
async fn a_grant_that_is_held_back_or_begins_later_is_shortened_as_well() {
    for house in houses(&only_orders()).await {
        let later = Window {
            start: Start::At(house.clock.now() + Duration::days(20)),
            length: Length::Permanent,
        };
        let grant = house.held(JOHAN, later, "a", &[ASTRID]).await;
        house.moves(JOHAN, "Sales", ASTRID).await;
        // Nothing ends before it begins; at its start it is not eligible.
        assert_eq!(house.grant(grant.id).await.end_at, Some(grant.valid_from));
        house.pass(Duration::days(20)).await;
        assert_eq!(house.grant(grant.id).await.state, GrantState::Ended);
        assert!(!house.desired(JOHAN, house.entitlement).await);
    }
}
