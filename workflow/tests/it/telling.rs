//! Mails about ends, and what the audit log says of grants.

use chrono::Duration;
use domain::{
    audit::EventKind,
    policy::{ApproverRule, Attribute, Condition},
    request::{Length, Start, Window},
    telling::{Delivery, Topic},
};
use store::audit::AuditQuery;
use workflow::{Error, Ids, Settings, Workflow, chat::Chat, telling, views::notifications};

use crate::support::{ASTRID, House, JOHAN, TOMAS, account, hours, houses, person, policy, stage};

fn later(days: i64, hours: i64) -> impl Fn(&House) -> Window {
    move |house| Window {
        start: Start::At(house.clock.now() + Duration::days(days)),
        length: Length::Seconds(hours * 3600),
    }
}

/// How many mails of a kind say this in their subject or text.
async fn mails(house: &House, kind: &str, says: &str) -> u64 {
    house
        .raw(&format!(
            "UPDATE messages SET problem = NULL WHERE kind = '{kind}' AND (subject LIKE '%{says}%' OR body LIKE '%{says}%')"
        ))
        .await
        .unwrap()
}

async fn logged(house: &House, kind: EventKind) -> Vec<serde_json::Value> {
    let mut tx = house.workflow.store().read().await.unwrap();
    let query = AuditQuery {
        kind: Some(kind.to_string()),
        limit: 100,
        ..AuditQuery::default()
    };
    let page = tx.audit_page(&query).await.unwrap();
    page.iter()
        .map(|row| serde_json::from_str(&row.entry).unwrap())
        .collect()
}

#[tokio::test]
async fn whoever_is_refused_at_the_start_is_told() {
    let mut orders = policy(vec![stage(ApproverRule::Manager)]);
    orders.eligibility = vec![Condition {
        attribute: Attribute::Department,
        any_of: vec!["Orders".into()],
        none_of: vec![],
        explain: "for people in Orders".into(),
    }];
    for house in houses(&orders).await {
        house.held(JOHAN, later(2, 8)(&house), "a", &[ASTRID]).await;
        house
            .raw("UPDATE persons SET department = 'Finance'")
            .await
            .unwrap();
        house.pass(Duration::days(2)).await;
        assert_eq!(mails(&house, "ended", "for people in Orders").await, 1);
        let ended = logged(&house, EventKind::GrantEnded).await;
        assert_eq!(ended[0]["policy"], house.version.to_string());
    }
}

#[tokio::test]
async fn an_end_beside_an_import_is_told_once() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let now = house.now_literal();
        house.held(JOHAN, hours(1), "a", &[ASTRID]).await;
        let import = house.id(uuid::Uuid::from_u128(0xabc));
        house.raw(&format!("INSERT INTO grants (id, person_id, account_id, source, state, valid_from, end_kind, created_at)
            VALUES ({import}, {}, {}, 'import', 'active', {now}, 'permanent', {now})", house.id(person(JOHAN).0), house.id(account(JOHAN).0))).await.unwrap();
        house.raw(&format!("INSERT INTO grant_entitlements (grant_id, entitlement_id, account_id) VALUES ({import}, {}, {})",
            house.id(house.entitlement.0), house.id(account(JOHAN).0))).await.unwrap();
        house.pass(Duration::hours(1)).await;
        for _ in 0..2 {
            house
                .raw("UPDATE assignments SET observed = 'present', phase = 'settled'")
                .await
                .unwrap();
            let mut unit = house.workflow.unit().await.unwrap();
            workflow::grants::refresh_health(&mut unit, &[(account(JOHAN), house.entitlement)])
                .await
                .unwrap();
            unit.commit().await.unwrap();
        }
        assert_eq!(mails(&house, "ended", "in another way").await, 1);
        assert_eq!(mails(&house, "ended", "confirmed").await, 0);
    }
}

#[tokio::test]
async fn a_late_warning_says_the_time_that_is_left_and_only_the_last_is_sent() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let window = Window {
            start: Start::OnActivation,
            length: Length::Seconds(20 * 86_400),
        };
        house.held(JOHAN, window, "a", &[ASTRID]).await;
        // Five days late.
        house.pass(Duration::days(18)).await;
        assert_eq!(mails(&house, "ends_soon", "in 2 days").await, 1);
        house
            .held(JOHAN, later(21, 24 * 9)(&house), "b", &[ASTRID])
            .await;
        // Everything was down until half an hour before the second end.
        house.pass(Duration::minutes((30 * 24 * 60) - 30)).await;
        assert_eq!(mails(&house, "ends_soon", "within the hour").await, 1);
        assert_eq!(mails(&house, "ends_soon", "").await, 2);
    }
}

#[tokio::test]
async fn a_late_week_is_not_said_when_a_day_is_due() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let window = Window {
            start: Start::OnActivation,
            length: Length::Seconds(20 * 86_400),
        };
        house.held(JOHAN, window, "a", &[ASTRID]).await;
        house.pass(Duration::hours(19 * 24 + 4)).await;
        assert_eq!(mails(&house, "ends_soon", "in 20 hours").await, 1);
        assert_eq!(mails(&house, "ends_soon", "").await, 1);
    }
}

#[tokio::test]
async fn what_is_logged_of_a_grant_names_its_edition_and_nobody_acts_for_the_beneficiary() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        house.held(JOHAN, later(1, 8)(&house), "a", &[ASTRID]).await;
        house.pass(Duration::days(1)).await;
        let last = house.clock.now() + Duration::hours(2);
        let literal = match house.engine {
            store::Engine::Sqlite => last.timestamp_micros().to_string(),
            store::Engine::Postgres => format!("'{}'", last.to_rfc3339()),
        };
        house
            .raw(&format!("UPDATE persons SET last_day_at = {literal}"))
            .await
            .unwrap();
        let mut unit = house.workflow.unit().await.unwrap();
        workflow::grants::cap_for_person(&mut unit, person(JOHAN))
            .await
            .unwrap();
        unit.commit().await.unwrap();
        house.pass(Duration::hours(2)).await;
        for kind in [
            EventKind::GrantStarted,
            EventKind::GrantShortened,
            EventKind::GrantEnded,
        ] {
            let events = logged(&house, kind).await;
            assert_eq!(events.len(), 1, "{kind}");
            assert_eq!(events[0]["policy"], house.version.to_string(), "{kind}");
        }
        assert!(logged(&house, EventKind::GrantExtended).await.is_empty());
        let decided = logged(&house, EventKind::LineDecided).await;
        assert!(
            decided[0]
                .get("behalf")
                .is_none_or(serde_json::Value::is_null)
        );
    }
}

/// How many mails to somebody are in a state.
async fn in_state(house: &House, who: u128, state: &str) -> u64 {
    house
        .raw(&format!(
            "UPDATE messages SET problem = NULL WHERE state = '{state}' AND person_id = {}",
            house.id(person(who).0)
        ))
        .await
        .unwrap()
}

#[tokio::test]
async fn whoever_wants_one_mail_a_day_gets_one_a_day() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let johan = house.viewer(JOHAN).await;
        let daily = [
            (Topic::Requests, Delivery::Daily),
            (Topic::Access, Delivery::Daily),
        ];
        telling::choose(&house.workflow, &johan, &daily)
            .await
            .unwrap();
        house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        assert_eq!(in_state(&house, JOHAN, "queued").await, 0);
        assert_eq!(in_state(&house, JOHAN, "gathered").await, 1);
        // The one who decides did not choose, and was told at once.
        assert_eq!(in_state(&house, ASTRID, "queued").await, 1);
        let page = notifications::load(&house.workflow, &johan).await.unwrap();
        house.clock.move_to(page.next_digest);
        house.pass(Duration::zero()).await;
        assert_eq!(
            mails(&house, "digest", "Production database, read").await,
            1
        );
        assert_eq!(in_state(&house, JOHAN, "queued").await, 1);
        // Nothing new, no mail; and what stood in one does not stand in the next.
        let before = mails(&house, "digest", "").await;
        house.pass(Duration::days(1)).await;
        let after = mails(&house, "digest", "").await;
        assert!(after <= before + 1, "{before} and {after}");
        house.pass(Duration::days(3)).await;
        assert_eq!(mails(&house, "digest", "").await, after);
        assert_eq!(
            logged(&house, EventKind::NotificationsChanged).await.len(),
            1
        );
    }
}

#[tokio::test]
async fn what_nobody_wants_is_kept_and_not_sent_and_decisions_are_always_told() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let (johan, astrid) = (house.viewer(JOHAN).await, house.viewer(ASTRID).await);
        let never = [(Topic::Requests, Delivery::Never)];
        telling::choose(&house.workflow, &johan, &never)
            .await
            .unwrap();
        let silent = [(Topic::Decisions, Delivery::Never)];
        let refused = telling::choose(&house.workflow, &astrid, &silent).await;
        assert!(matches!(refused, Err(Error::Missing)), "{refused:?}");
        let around = house
            .raw(&format!(
                "INSERT INTO notification_settings (person_id, topic, delivery) VALUES ({}, 'decisions', 'never')",
                house.id(person(ASTRID).0)
            ))
            .await;
        assert!(
            matches!(around, Err(store::Error::Conflict(_))),
            "{around:?}"
        );
        house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        assert_eq!(in_state(&house, JOHAN, "unwanted").await, 1);
        assert_eq!(in_state(&house, ASTRID, "queued").await, 1);
        house.pass(Duration::days(2)).await;
        assert_eq!(mails(&house, "digest", "").await, 0);
    }
}

#[tokio::test]
async fn a_channel_is_told_once_what_waits_for_security() {
    for mut house in houses(&policy(vec![stage(ApproverRule::Security)])).await {
        let settings = Settings {
            chats: vec![Chat::Teams, Chat::Slack],
            ..Settings::default()
        };
        let store = house.workflow.store().clone();
        house.workflow = Workflow::new(store, house.clock.clone(), Ids::seeded(8), settings);
        house.ask(JOHAN, hours(8), "a").await.unwrap();
        let posts =
            |says: &str| format!("UPDATE posts SET problem = NULL WHERE title LIKE '%{says}%'");
        let told = house
            .raw(&posts(
                "for security: Production database, read for Johan Nyberg",
            ))
            .await;
        assert_eq!(told.unwrap(), 2, "one for each chat");
        // Somebody of security leaves: those who are left are seated anew, and the channel knows already.
        let mut unit = house.workflow.unit().await.unwrap();
        workflow::route::reseat_for(&mut unit, person(TOMAS))
            .await
            .unwrap();
        unit.commit().await.unwrap();
        assert_eq!(house.raw(&posts("")).await.unwrap(), 2);
    }
}
