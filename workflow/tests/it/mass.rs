//! Mass changes of the directory: what waits for a human, and what the human says it is about.

use chrono::Duration;
use domain::{Timestamp, audit::EventKind, person::PersonState, policy::ApproverRule};
use store::{
    audit::AuditQuery,
    directory::{HoldState, LeaveCause},
};
use uuid::Uuid;
use workflow::{
    Error, holds,
    people::{self, DirectoryUser, Seen},
    views::{self, holds::HoldView},
};

use crate::support::{
    ASTRID, ELIN, House, JOHAN, KARIN, MAYA, OLLE, TOMAS, account, hours, houses, person, policy,
    stage, start,
};

const SIX: [u128; 6] = [ASTRID, JOHAN, MAYA, OLLE, ELIN, TOMAS];

fn seen(n: u128, change: impl FnOnce(&mut DirectoryUser)) -> Seen {
    let mut user = DirectoryUser {
        object: Uuid::from_u128(0x9000 + n),
        name: format!("Person {n}"),
        department: "Orders".into(),
        employee_type: "employee".into(),
        user_type: "member".into(),
        enabled: true,
        tells_last_day: true,
        manager: (n != KARIN)
            .then(|| Uuid::from_u128(0x9000 + if n < OLLE { ASTRID } else { KARIN })),
        ..DirectoryUser::default()
    };
    change(&mut user);
    Seen::User(Box::new(user))
}

async fn reads(house: &House, seen: &[Seen]) -> people::Applied {
    people::apply_directory(&house.workflow, Uuid::from_u128(9), seen)
        .await
        .unwrap()
}

/// The hold that waits, as its page shows it.
async fn waiting(house: &House) -> Option<HoldView> {
    let shown = views::holds::load(&house.workflow, &house.viewer(KARIN).await)
        .await
        .unwrap();
    shown.holds.into_iter().find(|hold| hold.state == "waiting")
}

async fn hr(house: &House) {
    house
        .raw(&format!(
            "INSERT INTO portal_roles (account_id, role, source, since) VALUES ({}, 'hr', 'directory', {})",
            house.id(account(KARIN).0), house.now_literal()
        ))
        .await
        .unwrap();
}

async fn last_day(house: &House, n: u128) -> Option<Timestamp> {
    let mut tx = house.workflow.store().read().await.unwrap();
    tx.person(person(n)).await.unwrap().unwrap().last_day_at
}

#[tokio::test]
async fn one_confirms_what_one_saw() {
    for house in houses(&policy(vec![])).await {
        hr(&house).await;
        let karin = house.viewer(KARIN).await;
        let all: Vec<Seen> = SIX.map(|n| seen(n, |user| user.enabled = false)).into();
        assert_eq!(reads(&house, &all).await.held, 6);
        let shown = waiting(&house).await.expect("one waits");
        // Meanwhile the list has changed.
        reads(&house, &[seen(MAYA, |_| ())]).await;
        let confirmed = holds::confirm(&house.workflow, &karin, shown.id, shown.version).await;
        assert!(matches!(confirmed, Err(Error::Stale)), "{confirmed:?}");
        let dismissed = holds::dismiss(&house.workflow, &karin, shown.id, shown.version).await;
        assert!(matches!(dismissed, Err(Error::Stale)), "{dismissed:?}");
        let now = waiting(&house).await.expect("one waits");
        assert_eq!(now.counted, 5);
        assert_eq!(
            holds::confirm(&house.workflow, &karin, now.id, now.version)
                .await
                .unwrap(),
            5
        );
        let mut tx = house.workflow.store().read().await.unwrap();
        let maya = tx.person(person(MAYA)).await.unwrap().unwrap();
        assert_eq!(maya.state, PersonState::Active);
    }
}

#[tokio::test]
async fn a_hold_about_nobody_is_dismissed() {
    for house in houses(&policy(vec![])).await {
        hr(&house).await;
        let gone: Vec<Seen> = SIX.map(|n| seen(n, |user| user.enabled = false)).into();
        let back: Vec<Seen> = SIX.map(|n| seen(n, |_| ())).into();
        reads(&house, &gone).await;
        let hold = waiting(&house).await.expect("one waits");
        assert_eq!(reads(&house, &back).await.held, 0);
        assert_eq!(waiting(&house).await, None);
        let mut tx = house.workflow.store().read().await.unwrap();
        let over = tx.hold(hold.id).await.unwrap().unwrap();
        assert_eq!((over.state, over.decided_by), (HoldState::Dismissed, None));
        assert!(over.decided_at.is_some());
        drop(tx);
        // The next time it is a hold of its own.
        reads(&house, &gone).await;
        assert_ne!(waiting(&house).await.expect("one waits").id, hold.id);
    }
}

#[tokio::test]
async fn many_earlier_last_days_wait_as_many_leaves_do() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        hr(&house).await;
        let held = house.held(JOHAN, hours(24 * 20), "a", &[ASTRID]).await;
        let soon = start() + Duration::days(3);
        let ends = |n: u128| seen(n, |user| user.last_day_at = Some(soon));
        let all: Vec<Seen> = SIX.map(ends).into();
        let done = reads(&house, &all).await;
        assert_eq!((done.held, done.left), (6, 0), "{:?}", house.engine);
        // The same again, or of some of them only, changes nothing; nor do they count as being at work.
        assert_eq!(reads(&house, &all).await.held, 6);
        assert_eq!(reads(&house, &all[..2]).await.held, 6);
        assert_eq!(last_day(&house, JOHAN).await, None);
        let mut tx = house.workflow.store().read().await.unwrap();
        let grant = tx.grant(held.id).await.unwrap().unwrap();
        assert_eq!(grant.end_at, held.end_at);
        drop(tx);
        // Another day for one of them, and none at all for another.
        let later = start() + Duration::days(5);
        let shown = waiting(&house).await.expect("one waits");
        let moved = [
            seen(JOHAN, |user| user.last_day_at = Some(later)),
            seen(TOMAS, |_| ()),
        ];
        assert_eq!(reads(&house, &moved).await.held, 5);
        assert!(waiting(&house).await.expect("one waits").version > shown.version);
        let karin = house.viewer(KARIN).await;
        let hold = waiting(&house).await.expect("one waits");
        let done = holds::confirm(&house.workflow, &karin, hold.id, hold.version)
            .await
            .unwrap();
        assert_eq!(done, 5);
        assert_eq!(last_day(&house, JOHAN).await, Some(later));
        assert_eq!(last_day(&house, MAYA).await, Some(soon));
        assert_eq!(last_day(&house, TOMAS).await, None);
        let mut tx = house.workflow.store().read().await.unwrap();
        let grant = tx.grant(held.id).await.unwrap().unwrap();
        assert_eq!(grant.end_at, Some(later));
        let maya = tx.person(person(MAYA)).await.unwrap().unwrap();
        assert_eq!(maya.state, PersonState::Active, "until the day");
    }
}

#[tokio::test]
async fn few_earlier_last_days_are_applied_and_logged() {
    for house in houses(&policy(vec![])).await {
        let soon = start() + Duration::days(3);
        let over = start() - Duration::days(1);
        let done = reads(
            &house,
            &[
                seen(JOHAN, |user| user.last_day_at = Some(soon)),
                seen(MAYA, |user| user.last_day_at = Some(over)),
            ],
        )
        .await;
        assert_eq!((done.left, done.held), (1, 0));
        assert_eq!(last_day(&house, JOHAN).await, Some(soon));
        assert_eq!(last_day(&house, MAYA).await, Some(over));
        let mut tx = house.workflow.store().read().await.unwrap();
        for (n, at) in [(JOHAN, soon), (MAYA, over)] {
            let query = AuditQuery {
                subject: Some(person(n).to_string()),
                kind: Some(EventKind::PersonChanged.to_string()),
                limit: 10,
                ..AuditQuery::default()
            };
            let logged = tx.audit_page(&query).await.unwrap();
            let entry: serde_json::Value = logged
                .iter()
                .map(|row| serde_json::from_str::<serde_json::Value>(&row.entry).unwrap())
                .find(|entry| entry["after"].get("last_day_at").is_some())
                .expect("a last day is not changed without a word");
            assert_eq!(entry["before"]["last_day_at"], serde_json::Value::Null);
            assert_eq!(entry["after"]["last_day_at"], serde_json::json!(at));
            assert_eq!(entry["cause"], LeaveCause::LastDay.as_str());
        }
    }
}
