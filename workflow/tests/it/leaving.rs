//! A leave: one transaction in which sessions end, requests withdraw, grants end and seats are filled anew.

use std::collections::BTreeSet;

use chrono::Duration;
use domain::{
    approval::Verdict,
    audit::Actor,
    grant::{EndReason, GrantState},
    person::PersonState,
    policy::ApproverRule,
    request::LineState,
};
use store::sessions::SessionRow;
use uuid::Uuid;
use workflow::{
    leave,
    people::{self, DirectoryUser, Seen},
};

use crate::support::{
    ASTRID, ELIN, House, JOHAN, KARIN, MAYA, OLLE, TOMAS, account, hours, houses, person, policy,
    stage, start,
};

async fn leave(house: &House, n: u128) {
    let mut unit = house.workflow.unit().await.unwrap();
    leave::leave(&mut unit, person(n), Actor::Portal, "disabled")
        .await
        .unwrap();
    unit.commit().await.unwrap();
}

async fn seats(house: &House, request: domain::RequestId) -> BTreeSet<domain::PersonId> {
    let line = house.line(request).await;
    let mut tx = house.workflow.store().read().await.unwrap();
    let seats = tx.seats_of_line(line.id).await.unwrap();
    seats.into_iter().map(|seat| seat.person_id).collect()
}

/// What the directory says of somebody of the house, as the house has them.
fn seen(n: u128, change: impl FnOnce(&mut DirectoryUser)) -> Seen {
    let mut user = DirectoryUser {
        object: Uuid::from_u128(0x9000 + n),
        name: format!("Person {n}"),
        department: "Orders".into(),
        employee_type: "employee".into(),
        user_type: "member".into(),
        enabled: true,
        tells_last_day: true,
        manager: Some(Uuid::from_u128(0x9000 + ASTRID)),
        ..DirectoryUser::default()
    };
    change(&mut user);
    Seen::User(Box::new(user))
}

#[tokio::test]
async fn everything_of_a_leaver_ends_at_once() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let grant = house.held(JOHAN, hours(8), "held", &[ASTRID]).await;
        assert!(house.desired(JOHAN, house.entitlement).await);
        let waiting = house.ask(MAYA, hours(8), "waiting").await.unwrap();
        let mut tx = house.workflow.store().begin().await.unwrap();
        let session = SessionRow {
            person_id: Some(person(JOHAN)),
            account_id: Some(account(JOHAN)),
            data: vec![],
            created_at: start(),
            seen_at: start(),
            expires_at: start() + Duration::hours(8),
        };
        tx.save_session(b"session", &session).await.unwrap();
        tx.commit().await.unwrap();

        leave(&house, JOHAN).await;
        leave(&house, MAYA).await;
        let mut tx = house.workflow.store().read().await.unwrap();
        assert_eq!(tx.session(b"session").await.unwrap(), None);
        let row = tx.person(person(JOHAN)).await.unwrap().unwrap();
        assert_eq!((row.state, row.left_at), (PersonState::Left, Some(start())));
        let ended = tx.grant(grant.id).await.unwrap().unwrap();
        assert_eq!(
            (ended.state, ended.end_reason, ended.ended_at),
            (GrantState::Ended, Some(EndReason::Leaver), Some(start()))
        );
        drop(tx);
        assert!(!house.desired(JOHAN, house.entitlement).await);
        assert_eq!(house.line(waiting).await.state, LineState::Withdrawn);
        // A second time changes nothing.
        let before = length(&house).await;
        leave(&house, JOHAN).await;
        assert_eq!(length(&house).await, before);
    }
}

async fn length(house: &House) -> i64 {
    let mut tx = house.workflow.store().read().await.unwrap();
    tx.audit_head().await.unwrap().seq
}

#[tokio::test]
async fn the_seats_of_a_leaver_fall_back() {
    let route = vec![stage(ApproverRule::Manager), stage(ApproverRule::Security)];
    for house in houses(&policy(route)).await {
        let request = house.ask(JOHAN, hours(8), "one").await.unwrap();
        assert_eq!(seats(&house, request).await, [person(ASTRID)].into());
        leave(&house, ASTRID).await;
        assert_eq!(seats(&house, request).await, [person(KARIN)].into());
        leave(&house, KARIN).await;
        assert_eq!(seats(&house, request).await, [person(OLLE)].into());
        let line = house.line(request).await;
        house
            .vote(OLLE, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(
            seats(&house, request).await,
            [person(ELIN), person(TOMAS)].into()
        );
        leave(&house, ELIN).await;
        assert_eq!(seats(&house, request).await, [person(TOMAS)].into());
        // Nobody is left: the line is held and seen, never approved.
        leave(&house, TOMAS).await;
        assert_eq!(seats(&house, request).await, BTreeSet::new());
        assert_eq!(house.line(request).await.state, LineState::AwaitingApproval);
    }
}

#[tokio::test]
async fn a_new_manager_is_seated() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let request = house.ask(JOHAN, hours(8), "one").await.unwrap();
        let olle = Some(Uuid::from_u128(0x9000 + OLLE));
        let moved = seen(JOHAN, |user| user.manager = olle);
        let tenant = Uuid::from_u128(9);
        people::apply_directory(&house.workflow, tenant, std::slice::from_ref(&moved))
            .await
            .unwrap();
        assert_eq!(seats(&house, request).await, [person(OLLE)].into());
        let again = people::apply_directory(&house.workflow, tenant, &[moved])
            .await
            .unwrap();
        assert_eq!(again, people::Applied::default());
    }
}

#[tokio::test]
async fn an_earlier_last_day_cuts_every_grant_and_a_later_one_gives_nothing_back() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let grant = house.held(JOHAN, hours(8), "held", &[ASTRID]).await;
        let tenant = Uuid::from_u128(9);
        for (hour, end) in [(20, 8), (3, 3), (6, 3)] {
            let last = seen(JOHAN, |user| {
                user.last_day_at = Some(start() + Duration::hours(hour));
            });
            people::apply_directory(&house.workflow, tenant, &[last])
                .await
                .unwrap();
            let mut tx = house.workflow.store().read().await.unwrap();
            let held = tx.grant(grant.id).await.unwrap().unwrap();
            assert_eq!(held.end_at, Some(start() + Duration::hours(end)), "{hour}");
        }
        house.pass(Duration::hours(3)).await;
        assert!(!house.desired(JOHAN, house.entitlement).await);
    }
}

#[tokio::test]
async fn whoever_returns_starts_with_nothing() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let grant = house.held(JOHAN, hours(8), "held", &[ASTRID]).await;
        let tenant = Uuid::from_u128(9);
        for (enabled, left, returned) in [(false, 1, 0), (false, 0, 0), (true, 0, 1), (true, 0, 0)]
        {
            let done = people::apply_directory(
                &house.workflow,
                tenant,
                &[seen(JOHAN, |user| user.enabled = enabled)],
            )
            .await
            .unwrap();
            assert_eq!((done.left, done.returned), (left, returned));
        }
        assert!(house.viewer(JOHAN).await.person.works_at(start()));
        let mut tx = house.workflow.store().read().await.unwrap();
        assert_eq!(
            tx.grant(grant.id).await.unwrap().unwrap().state,
            GrantState::Ended
        );
        drop(tx);
        assert!(!house.desired(JOHAN, house.entitlement).await);
    }
}

#[tokio::test]
async fn a_failure_in_the_middle_of_a_leave_leaves_everything_as_it_was() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let grant = house.held(JOHAN, hours(8), "held", &[ASTRID]).await;
        let before = length(&house).await;
        let mut unit = house.workflow.unit().await.unwrap();
        leave::leave(&mut unit, person(JOHAN), Actor::Portal, "disabled")
            .await
            .unwrap();
        // The process ends before the commit.
        drop(unit);
        let mut tx = house.workflow.store().read().await.unwrap();
        let row = tx.person(person(JOHAN)).await.unwrap().unwrap();
        assert_eq!(row.state, PersonState::Active);
        assert_eq!(
            tx.grant(grant.id).await.unwrap().unwrap().state,
            GrantState::Active
        );
        drop(tx);
        assert_eq!(length(&house).await, before);
    }
}

async fn has_last_day(house: &House, n: u128, hour: i64) {
    let last = seen(n, |user| {
        user.last_day_at = Some(start() + Duration::hours(hour));
    });
    people::apply_directory(&house.workflow, Uuid::from_u128(9), &[last])
        .await
        .unwrap();
}

async fn state(house: &House, n: u128) -> PersonState {
    let mut tx = house.workflow.store().read().await.unwrap();
    tx.person(person(n)).await.unwrap().unwrap().state
}

#[tokio::test]
async fn a_last_day_is_a_deadline_of_its_own() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let waiting = house.ask(MAYA, hours(8), "waiting").await.unwrap();
        // A last day that moves later takes the deadline with it; nobody reads the directory when it comes.
        for (hour, left) in [(3, 2), (6, 3)] {
            has_last_day(&house, MAYA, hour).await;
            house.pass(Duration::hours(left)).await;
            assert_eq!(state(&house, MAYA).await, PersonState::Active, "{hour}");
        }
        assert_eq!(house.line(waiting).await.state, LineState::AwaitingApproval);
        house.pass(Duration::hours(1)).await;
        assert_eq!(state(&house, MAYA).await, PersonState::Left);
        assert_eq!(house.line(waiting).await.state, LineState::Withdrawn);
        // Somebody who is known with a last day from the beginning.
        let newcomer = 77;
        has_last_day(&house, newcomer, 8).await;
        let mut tx = house.workflow.store().read().await.unwrap();
        let account = tx
            .accounts_by_objects(Uuid::from_u128(9), &[Uuid::from_u128(0x9000 + newcomer)])
            .await
            .unwrap()
            .remove(0);
        drop(tx);
        house.pass(Duration::hours(3)).await;
        let mut tx = house.workflow.store().read().await.unwrap();
        let row = tx.person(account.person_id).await.unwrap().unwrap();
        assert_eq!(row.state, PersonState::Left);
    }
}

#[tokio::test]
async fn what_was_found_ends_with_the_leave_and_not_before() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let held = house.held(JOHAN, hours(8), "held", &[ASTRID]).await;
        let found = house.import(JOHAN, house.entitlement).await;
        has_last_day(&house, JOHAN, 3).await;
        assert_eq!(
            house.grant(held.id).await.end_at,
            Some(start() + Duration::hours(3))
        );
        assert_eq!(house.grant(found).await.end_at, None);
        // They stay on: what we gave is cut all the same, what was there before is not ours to take.
        has_last_day(&house, JOHAN, 6).await;
        house.pass(Duration::hours(3)).await;
        assert_eq!(house.grant(held.id).await.state, GrantState::Ended);
        assert_eq!(house.grant(found).await.state, GrantState::Active);
        assert!(house.desired(JOHAN, house.entitlement).await);
        house.pass(Duration::hours(3)).await;
        let over = house.grant(found).await;
        assert_eq!(
            (over.state, over.end_reason),
            (GrantState::Ended, Some(EndReason::Leaver))
        );
        assert!(!house.desired(JOHAN, house.entitlement).await);
    }
}
