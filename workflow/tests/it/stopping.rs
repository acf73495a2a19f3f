//! The kill switch for a person.

use chrono::Duration;
use domain::{
    Refusal,
    approval::Verdict,
    grant::{EndReason, GrantState},
    hands::ActBar,
    policy::ApproverRule,
    request::{Length, LineState, Start, Window},
};
use store::sessions::SessionRow;
use uuid::Uuid;
use workflow::{
    Error, access, grants,
    kill_switch::{self, Holdings},
    people::{SignIn, SignInRefusal, SignedIn, sign_in},
};

use crate::support::{
    ASTRID, ELIN, House, JOHAN, KARIN, MAYA, TOMAS, account, hours, houses, person, policy, stage,
    start,
};

const WHY: &str = "Password found on a forum";

async fn stop(house: &House, by: u128, n: u128, holdings: Holdings) -> workflow::Result<()> {
    let viewer = house.viewer(by).await;
    kill_switch::stop(&house.workflow, &viewer, person(n), holdings, WHY).await
}

async fn session(house: &House, n: u128) {
    let mut tx = house.workflow.store().begin().await.unwrap();
    let session = SessionRow {
        person_id: Some(person(n)),
        account_id: Some(account(n)),
        data: vec![],
        created_at: start(),
        seen_at: start(),
        expires_at: start() + Duration::hours(8),
    };
    tx.save_session(b"session", &session).await.unwrap();
    tx.commit().await.unwrap();
}

async fn seats(house: &House, request: domain::RequestId) -> Vec<domain::PersonId> {
    let line = house.line(request).await;
    let mut tx = house.workflow.store().read().await.unwrap();
    let seats = tx.seats_of_line(line.id).await.unwrap();
    seats.into_iter().map(|seat| seat.person_id).collect()
}

#[tokio::test]
async fn everything_of_a_person_stops_at_once_and_goes_on_when_it_is_let() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let held = house.held(ASTRID, hours(8), "a", &[KARIN]).await;
        let found = house.import(ASTRID, house.entitlement).await;
        let johans = house.ask(JOHAN, hours(8), "b").await.unwrap();
        assert_eq!(seats(&house, johans).await, [person(ASTRID)]);
        let waiting = house.more(ASTRID, held.id, 2, "c").await.unwrap();
        session(&house, ASTRID).await;

        stop(&house, ELIN, ASTRID, Holdings::HeldBack)
            .await
            .unwrap();
        for id in [held.id, found] {
            assert_eq!(house.grant(id).await.state, GrantState::Suspended);
        }
        assert!(!house.desired(ASTRID, house.entitlement).await);
        assert_eq!(house.line(waiting).await.state, LineState::Withdrawn);
        assert_eq!(seats(&house, johans).await, [person(KARIN)]);
        let mut tx = house.workflow.store().read().await.unwrap();
        assert_eq!(tx.session(b"session").await.unwrap(), None);
        drop(tx);
        assert!(house.logged(person(ASTRID), "person_suspended").await);
        let seen = access::viewer(&house.workflow, person(ASTRID), account(ASTRID)).await;
        assert_eq!(seen.unwrap(), None, "no page is for them");
        let token = SignedIn {
            tenant: Uuid::from_u128(9),
            object: Uuid::from_u128(0x9000 + ASTRID),
            name: "Astrid Lindqvist".into(),
            user_name: String::new(),
            mail: None,
            roles: None,
            guest: false,
        };
        assert_eq!(
            sign_in(&house.workflow, token).await.unwrap(),
            SignIn::Refused(SignInRefusal::Stopped)
        );

        // While they are stopped nothing of theirs goes on.
        let elin = house.viewer(ELIN).await;
        let wf = &house.workflow;
        let early = grants::resume(wf, &elin, &[held.id], "Cleared").await;
        assert!(matches!(early, Err(Error::Refused(_))), "{early:?}");

        kill_switch::let_go_on(wf, &elin, person(ASTRID), "It was a mistake")
            .await
            .unwrap();
        assert_eq!(seats(&house, johans).await, [person(ASTRID)]);
        assert_eq!(house.grant(held.id).await.state, GrantState::Suspended);
        grants::resume(wf, &elin, &[held.id], "Cleared")
            .await
            .unwrap();
        assert!(house.desired(ASTRID, house.entitlement).await);
        house.viewer(ASTRID).await;
    }
}

#[tokio::test]
async fn or_it_ends_for_good() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let held = house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        let found = house.import(JOHAN, house.entitlement).await;
        stop(&house, ELIN, JOHAN, Holdings::HeldBack).await.unwrap();
        // Held back first, ended after: what is held back may still end.
        stop(&house, TOMAS, JOHAN, Holdings::End).await.unwrap();
        for id in [held.id, found] {
            let ended = house.grant(id).await;
            assert_eq!(ended.end_reason, Some(EndReason::Revoked));
        }
        let again = stop(&house, ELIN, JOHAN, Holdings::HeldBack).await;
        assert!(matches!(again, Err(Error::Refused(_))), "{again:?}");
    }
}

#[tokio::test]
async fn only_security_stops_and_never_itself() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        for n in [KARIN, ASTRID, MAYA] {
            let result = stop(&house, n, JOHAN, Holdings::End).await;
            assert!(matches!(result, Err(Error::Forbidden)), "{result:?}");
        }
        let own = stop(&house, ELIN, ELIN, Holdings::End).await.unwrap_err();
        assert_eq!(own.refusals(), [Refusal::MayNotAct { why: ActBar::Own }]);
        let nobody = stop(&house, ELIN, 99, Holdings::End).await;
        assert!(matches!(nobody, Err(Error::Missing)), "{nobody:?}");
        // Security is stopped by security: one of two is left to decide.
        stop(&house, ELIN, TOMAS, Holdings::End).await.unwrap();
    }
}

#[tokio::test]
async fn what_begins_while_its_holder_is_stopped_is_held_back() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let later = Window {
            start: Start::At(house.clock.now() + Duration::hours(2)),
            length: Length::Seconds(8 * 3600),
        };
        let grant = house.held(JOHAN, later, "a", &[ASTRID]).await;
        stop(&house, ELIN, JOHAN, Holdings::HeldBack).await.unwrap();
        assert_eq!(house.grant(grant.id).await.state, GrantState::Scheduled);
        house.pass(Duration::hours(2)).await;
        assert_eq!(house.grant(grant.id).await.state, GrantState::Suspended);
        assert!(!house.desired(JOHAN, house.entitlement).await);
        house.pass(Duration::hours(8)).await;
        assert_eq!(
            house.grant(grant.id).await.end_reason,
            Some(EndReason::Expired)
        );
    }
}

#[tokio::test]
async fn a_late_yes_gives_a_stopped_person_nothing() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let request = house.ask(JOHAN, hours(8), "a").await.unwrap();
        let line = house.line(request).await;
        let open = house.open(line.id).await;
        stop(&house, ELIN, JOHAN, Holdings::End).await.unwrap();
        let vote = house.vote_in(ASTRID, open, Verdict::Approve, None).await;
        assert!(matches!(vote, Err(Error::Refused(_))), "{vote:?}");
        assert!(!house.desired(JOHAN, house.entitlement).await);
    }
}
