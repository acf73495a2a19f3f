//! Two at once on the same access, on both engines: whoever is first, what was taken away stays away and an end is an end.

use domain::{approval::Verdict, grant::EndReason, policy::ApproverRule};
use workflow::{
    Error, grants,
    kill_switch::{self, Holdings},
};

use crate::support::{ASTRID, ELIN, House, JOHAN, OLLE, hours, houses, person, policy, stage};

/// A house on each engine: on SQLite the two come one after the other, on PostgreSQL side by side.
async fn both() -> Vec<House> {
    houses(&policy(vec![stage(ApproverRule::Manager)])).await
}

const WHY: &str = "Not needed for this work";

#[tokio::test]
async fn taking_away_and_extending_at_once_end_with_nothing_held() {
    for house in both().await {
        let grant = house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        let line = house
            .line(house.more(JOHAN, grant.id, 4, "b").await.unwrap())
            .await;
        let owner = house.viewer(OLLE).await;
        let ids = [grant.id];
        let (extended, revoked) = tokio::join!(
            house.vote(ASTRID, line.id, Verdict::Approve, None),
            grants::revoke(&house.workflow, &owner, &ids, WHY)
        );
        revoked.unwrap();
        extended.unwrap();
        let ended = house.grant(grant.id).await;
        assert_eq!(ended.end_reason, Some(EndReason::Revoked));
        // Whichever was first: the grant that was taken away is over, and what a yes gives after it is a grant of its own.
        let mut tx = house.workflow.store().read().await.unwrap();
        let live = tx.live_grants_of_person(person(JOHAN)).await.unwrap();
        drop(tx);
        assert!(live.iter().all(|one| one.line_id == Some(line.id)));
        assert_eq!(
            house.desired(JOHAN, house.entitlement).await,
            !live.is_empty()
        );
    }
}

#[tokio::test]
async fn holding_back_and_the_end_at_once_end_it() {
    for house in both().await {
        let grant = house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        let elin = house.viewer(ELIN).await;
        let ids = [grant.id];
        house
            .clock
            .move_to(grant.end_at.unwrap() - chrono::Duration::milliseconds(1));
        let (held, ()) = tokio::join!(
            grants::suspend(&house.workflow, &elin, &ids, WHY),
            house.pass(chrono::Duration::milliseconds(1))
        );
        assert!(matches!(held, Ok(_) | Err(Error::Refused(_))), "{held:?}");
        house.pass(chrono::Duration::zero()).await;
        let ended = house.grant(grant.id).await;
        assert_eq!(ended.end_reason, Some(EndReason::Expired));
        assert!(!house.desired(JOHAN, house.entitlement).await);
    }
}

#[tokio::test]
async fn the_kill_switch_and_a_yes_at_once_leave_nothing_open() {
    for house in both().await {
        let line = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        let open = house.open(line.id).await;
        let elin = house.viewer(ELIN).await;
        let (voted, stopped) = tokio::join!(
            house.vote_in(ASTRID, open, Verdict::Approve, None),
            kill_switch::stop(
                &house.workflow,
                &elin,
                person(JOHAN),
                Holdings::HeldBack,
                WHY
            )
        );
        stopped.unwrap();
        assert!(
            matches!(voted, Ok(()) | Err(Error::Refused(_))),
            "{voted:?}"
        );
        assert!(house.line(line.request_id).await.state.is_final());
        assert!(!house.desired(JOHAN, house.entitlement).await);
    }
}

#[tokio::test]
async fn giving_all_back_and_an_end_at_once_end_each_once() {
    for house in both().await {
        let grant = house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        let johan = house.viewer(JOHAN).await;
        let ids = [grant.id];
        house
            .clock
            .move_to(grant.end_at.unwrap() - chrono::Duration::milliseconds(1));
        let (back, ()) = tokio::join!(
            grants::give_back_many(&house.workflow, &johan, &ids),
            house.pass(chrono::Duration::milliseconds(1))
        );
        assert!(matches!(back, Ok(_) | Err(Error::Refused(_))), "{back:?}");
        let ended = house.grant(grant.id).await;
        let wanted = if back.is_ok() {
            EndReason::Returned
        } else {
            EndReason::Expired
        };
        assert_eq!(ended.end_reason, Some(wanted));
        assert!(!house.desired(JOHAN, house.entitlement).await);
    }
}
