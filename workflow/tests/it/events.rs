//! Small reviews by event, and removals of reviews that no target confirms, on both engines.

use std::collections::BTreeSet;

use chrono::Duration;
use domain::{
    CampaignId, GrantId, Refusal,
    certification::{Answer, CampaignState, ItemState, SignOffBar, Via},
    deadline::JobKind,
    grant::{EndReason, GrantSource, GrantState},
    policy::ApproverRule,
};
use store::{certification::CampaignItemRow, jobs::Priority};
use uuid::Uuid;
use workflow::{
    Error,
    reviews::{self, SmallReviews, Verdict},
    scans::{self, Begun, Holders, Told},
    views,
};

use crate::support::{
    ASTRID, ELIN, House, JOHAN, KARIN, MAYA, OLLE, TOMAS, hours, houses, houses_with, person,
    policy, stage,
};

async fn on() -> Vec<House> {
    let policy = policy(vec![stage(ApproverRule::Manager)]);
    houses_with(&policy, SmallReviews::ON).await
}

async fn say(house: &House, n: u128, item: &CampaignItemRow, answer: Answer) {
    let verdict = Verdict {
        item: item.id,
        version: item.version,
        answer,
        until: None,
        reason: "I looked at it".into(),
    };
    reviews::decide(&house.workflow, &house.viewer(n).await, &verdict)
        .await
        .unwrap();
}

async fn sign_off(house: &House, n: u128, id: CampaignId) -> workflow::Result<()> {
    let viewer = house.viewer(n).await;
    reviews::sign_off(&house.workflow, &viewer, id, "I looked at it", true).await
}

#[tokio::test]
async fn after_a_move_the_new_manager_is_asked_once_and_it_closes_by_itself() {
    for house in on().await {
        let grant = house.held(JOHAN, hours(700), "a", &[ASTRID]).await.id;
        // What ends before the review does is not asked about.
        house.held(MAYA, hours(24), "b", &[ASTRID]).await;
        house.moves(MAYA, "Sales", OLLE).await;
        house.moves(JOHAN, "Sales", OLLE).await;
        house.pass(Duration::minutes(59)).await;
        assert_eq!(house.small_reviews().await, vec![], "it settles first");
        house.pass(Duration::minutes(2)).await;
        let all = house.small_reviews().await;
        assert_eq!(all.len(), 1, "{all:?}");
        assert_eq!(
            all[0].said,
            "department Sales, before Orders; another manager"
        );
        let id = all[0].id;
        assert!(house.logged(id, "moved").await);
        let item = house.items(id).await.remove(0);
        assert_eq!(
            (item.grant_id, item.reviewer_id, item.via),
            (grant, Some(person(OLLE)), Some(Via::Manager))
        );
        assert_eq!(house.mails(OLLE, "review_needed").await, 1);

        // Another move while it is open asks whoever is manager then, and makes no second one.
        house.moves(JOHAN, "Sales", KARIN).await;
        house.pass(Duration::hours(1)).await;
        assert_eq!(house.small_reviews().await.len(), 1);
        let item = house.items(id).await.remove(0);
        assert_eq!(item.reviewer_id, Some(person(KARIN)));

        // An answer can be taken back for a day; then the review is over, without a second person.
        say(&house, KARIN, &item, Answer::Keep).await;
        house.pass(Duration::hours(23)).await;
        let item = house.items(id).await.remove(0);
        let karin = house.viewer(KARIN).await;
        reviews::undo(&house.workflow, &karin, item.id, item.version)
            .await
            .unwrap();
        house.pass(Duration::hours(2)).await;
        assert_eq!(house.small_reviews().await[0].state, CampaignState::Running);
        let item = house.items(id).await.remove(0);
        say(&house, KARIN, &item, Answer::Keep).await;
        house.pass(Duration::hours(25)).await;
        assert_eq!(house.small_reviews().await[0].state, CampaignState::Closed);
        assert_eq!(house.grant(grant).await.state, GrantState::Active);
        assert_eq!(house.mails(ELIN, "review_closed").await, 0);
        let signed = sign_off(&house, ELIN, id).await;
        assert!(
            matches!(signed, Err(Error::Refused(all)) if matches!(all[0], Refusal::WrongState { .. }))
        );
        let elin = house.viewer(ELIN).await;
        let report = views::reviews::report(&house.workflow, &elin, id).await;
        assert_eq!(report.unwrap().items.len(), 1, "its report is kept");

        // The next move is another event.
        house.moves(JOHAN, "Orders", ASTRID).await;
        house.pass(Duration::hours(1)).await;
        assert_eq!(house.small_reviews().await.len(), 2);
    }
}

#[tokio::test]
async fn whoever_answered_in_what_the_portal_made_does_not_sign_it_off() {
    for house in on().await {
        house
            .raw("UPDATE entitlements SET privileged = TRUE")
            .await
            .unwrap();
        house.held(JOHAN, hours(700), "a", &[ASTRID]).await;
        house.moves(JOHAN, "Sales", ELIN).await;
        house.pass(Duration::hours(1)).await;
        let id = house.small_reviews().await[0].id;
        let item = house.items(id).await.remove(0);
        assert_eq!(item.reviewer_id, Some(person(ELIN)));
        say(&house, ELIN, &item, Answer::Keep).await;
        house.pass(Duration::hours(25)).await;
        assert_eq!(house.small_reviews().await[0].state, CampaignState::Closed);

        let elin = house.viewer(ELIN).await;
        let page = views::reviews::campaign(&house.workflow, &elin, id).await;
        assert_eq!(page.unwrap().barred, Some(SignOffBar::Reviewer));
        let signed = sign_off(&house, ELIN, id).await;
        assert!(
            matches!(signed, Err(Error::Refused(all)) if matches!(all[0], Refusal::SignOffBarred { .. }))
        );
        // Nor does a hand at the database.
        let by_hand = house
            .raw(&format!(
                "UPDATE campaigns SET state = 'signed_off', signed_by = {}, signed_at = {}, report_hash = 'x' WHERE id = {}",
                house.id(person(ELIN).0),
                house.now_literal(),
                house.id(id.0)
            ))
            .await;
        assert!(by_hand.is_err(), "{by_hand:?}");
        sign_off(&house, TOMAS, id).await.unwrap();
    }
}

#[tokio::test]
async fn silence_after_a_move_ends_it_and_what_is_privileged_is_signed_off() {
    for house in on().await {
        house
            .raw("UPDATE entitlements SET privileged = TRUE")
            .await
            .unwrap();
        let grant = house.held(JOHAN, hours(700), "a", &[ASTRID]).await.id;
        house.moves(JOHAN, "Sales", ASTRID).await;
        house.pass(Duration::hours(1)).await;
        let id = house.small_reviews().await[0].id;
        house.pass(Duration::days(14)).await;
        let ended = house.grant(grant).await;
        assert_eq!(ended.end_reason, Some(EndReason::Review));
        let item = house.items(id).await.remove(0);
        assert_eq!(item.state, ItemState::Defaulted);
        assert_eq!(house.mails(ELIN, "review_closed").await, 1);
        sign_off(&house, ELIN, id).await.unwrap();
        let row = house.small_reviews().await.remove(0);
        assert_eq!(
            (row.state, row.privileged),
            (CampaignState::SignedOff, true)
        );
    }
}

#[tokio::test]
async fn a_move_of_somebody_who_holds_nothing_and_one_that_is_switched_off_make_none() {
    let quiet = houses(&policy(vec![stage(ApproverRule::Manager)])).await;
    for house in &quiet {
        house.held(JOHAN, hours(700), "a", &[ASTRID]).await;
        house.moves(JOHAN, "Sales", OLLE).await;
        house.pass(Duration::hours(1)).await;
        assert_eq!(house.small_reviews().await, vec![]);
    }
    for house in on().await {
        house.moves(MAYA, "Sales", OLLE).await;
        house.pass(Duration::hours(1)).await;
        assert_eq!(house.small_reviews().await, vec![]);
        // It is over, so that the next move counts.
        house.held(MAYA, hours(700), "b", &[OLLE]).await;
        house.moves(MAYA, "Orders", ASTRID).await;
        house.pass(Duration::hours(1)).await;
        assert_eq!(house.small_reviews().await.len(), 1);
        // What made it is fixed, whatever the code does.
        for change in [
            "UPDATE small_reviews SET said = 'nothing'",
            "UPDATE small_reviews SET over_at = NULL",
            "DELETE FROM small_reviews",
        ] {
            let result = house.raw(change).await;
            assert!(
                matches!(result, Err(store::Error::Conflict(_))),
                "{change}: {result:?}"
            );
        }
    }
}

/// A scan lists Maya, to whom nobody here gave the right; the catalogue says that it becomes an import.
async fn scanned(house: &House) -> GrantId {
    house
        .raw(&format!(
            "UPDATE entitlements SET drift = 'adopt', application_id = {}, owner_id = {}",
            house.id(Uuid::from_u128(0x6000)),
            house.id(person(OLLE).0)
        ))
        .await
        .unwrap();
    scans::arm(&house.workflow).await.unwrap();
    house.pass(Duration::days(1)).await;
    let now = house.clock.now();
    let mut tx = house.workflow.store().begin().await.unwrap();
    let kinds = [JobKind::TargetScan];
    let lease = now + Duration::seconds(60);
    let background = Priority::Background;
    let mut jobs = tx
        .claim_jobs(background, &kinds, now, lease, Uuid::nil(), 10)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let job = jobs.remove(0);
    let Begun::Rights(rights) = scans::begin(&house.workflow, &job, None).await.unwrap() else {
        panic!("there is a right to scan")
    };
    let told = Told::Listing {
        asked: now,
        holders: Holders {
            direct: BTreeSet::from([Uuid::from_u128(0x9000 + MAYA).to_string()]),
            ..Holders::default()
        },
        gone: BTreeSet::new(),
        lacks: false,
    };
    assert!(
        scans::record(&house.workflow, &job, &rights[0], &told)
            .await
            .unwrap()
    );
    scans::end(&house.workflow, &job, None).await.unwrap();
    let mut tx = house.workflow.store().read().await.unwrap();
    let grants = tx.live_grants_of_person(person(MAYA)).await.unwrap();
    let found = grants.iter().find(|one| one.source == GrantSource::Import);
    found.expect("it became an import").id
}

#[tokio::test]
async fn what_a_scan_found_goes_to_the_owner_of_the_right_and_a_removal_that_nobody_confirms_is_told_once()
 {
    for house in on().await {
        let grant = scanned(&house).await;
        house.pass(Duration::zero()).await;
        let all = house.small_reviews().await;
        assert_eq!(all.len(), 1, "{all:?}");
        let id = all[0].id;
        assert_eq!(all[0].said, "sg-prod-orders-ro");
        let item = house.items(id).await.remove(0);
        assert_eq!(
            (item.grant_id, item.reviewer_id, item.via),
            (grant, Some(person(OLLE)), Some(Via::EntitlementOwner))
        );
        say(&house, OLLE, &item, Answer::Revoke).await;
        house.pass(Duration::hours(24)).await;
        assert_eq!(house.grant(grant).await.end_reason, Some(EndReason::Review));
        house.pass(Duration::hours(23)).await;
        let late = async |n| house.mails(n, "removal_late").await;
        assert_eq!((late(ELIN).await, late(OLLE).await), (0, 0));
        // Nobody read the target back: security and the owner are told, whoever held it is not.
        house.pass(Duration::hours(1)).await;
        assert!(house.logged(item.id, "removal_late").await);
        house.pass(Duration::days(3)).await;
        for (n, told) in [(ELIN, 1), (TOMAS, 1), (OLLE, 1), (MAYA, 0)] {
            assert_eq!(late(n).await, told, "person {n}");
        }
        let elin = house.viewer(ELIN).await;
        let page = views::reviews::campaign(&house.workflow, &elin, id)
            .await
            .unwrap();
        assert_eq!((page.enforced.told, page.enforced.overdue), (1, 1));
    }
}

#[tokio::test]
async fn a_removal_that_is_confirmed_in_time_is_not_told_of() {
    for house in on().await {
        let grant = scanned(&house).await;
        house.pass(Duration::zero()).await;
        let id = house.small_reviews().await[0].id;
        let item = house.items(id).await.remove(0);
        say(&house, OLLE, &item, Answer::Revoke).await;
        house.pass(Duration::hours(24)).await;
        house
            .raw(&format!(
                "UPDATE grants SET gone_at = {} WHERE id = {}",
                house.now_literal(),
                house.id(grant.0)
            ))
            .await
            .unwrap();
        house.pass(Duration::days(2)).await;
        assert_eq!(house.mails(ELIN, "removal_late").await, 0);
    }
}
