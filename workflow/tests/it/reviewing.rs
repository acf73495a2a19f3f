//! Access certifications, from making to the sealed report, on both engines.

use chrono::Duration;
use domain::{
    CampaignId, GrantId, PersonId, Refusal,
    audit::Actor,
    certification::{
        Answer, CampaignState, ItemState, Reasons, ReviewerRule, SignOffBar, Silence, Via,
        VoidCause,
    },
    grant::{EndReason, GrantState},
};
use sha2::{Digest, Sha256};
use store::certification::{CampaignItemRow, CampaignRow};
use workflow::{
    Error,
    reviews::{self, Draft, ReportFault, Template, Together, Verdict},
    views,
};

use crate::support::{
    ASTRID, ELIN, House, JOHAN, KARIN, MAYA, OLLE, TOMAS, hours, houses, person, policy, stage,
};
use domain::policy::ApproverRule;

/// Houses in which Johan and Maya hold the package for a month, and Johan a right found at the target.
pub async fn held() -> Vec<(House, [GrantId; 3])> {
    let mut all = Vec::new();
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let johan = house.held(JOHAN, hours(700), "a", &[ASTRID]).await.id;
        let maya = house.held(MAYA, hours(700), "b", &[ASTRID]).await.id;
        let found = house.import(JOHAN, house.entitlement).await;
        all.push((house, [johan, maya, found]));
    }
    all
}

pub fn draft() -> Draft {
    Draft {
        name: "Orders, autumn".into(),
        days: 7,
        ..Draft::of(Template::Everything)
    }
}

/// A campaign that Elin has made and started.
pub async fn started(house: &House, draft: &Draft) -> CampaignId {
    let elin = house.viewer(ELIN).await;
    let id = reviews::make(&house.workflow, &elin, Template::Everything)
        .await
        .unwrap();
    reviews::save(&house.workflow, &elin, id, draft)
        .await
        .unwrap();
    reviews::start(&house.workflow, &elin, id).await.unwrap();
    id
}

pub async fn campaign(house: &House, id: CampaignId) -> CampaignRow {
    let mut tx = house.workflow.store().read().await.unwrap();
    tx.campaign(id).await.unwrap().unwrap()
}

pub async fn items(house: &House, id: CampaignId) -> Vec<CampaignItemRow> {
    let mut tx = house.workflow.store().read().await.unwrap();
    tx.items_of_campaign(id, None, None, 100).await.unwrap()
}

/// The item about a grant.
pub async fn about(house: &House, id: CampaignId, grant: GrantId) -> CampaignItemRow {
    items(house, id)
        .await
        .into_iter()
        .find(|item| item.grant_id == grant)
        .expect("frozen")
}

pub async fn decide(
    house: &House,
    n: u128,
    item: &CampaignItemRow,
    answer: Answer,
) -> workflow::Result<()> {
    let verdict = Verdict {
        item: item.id,
        version: item.version,
        answer,
        until: Some(house.clock.now() + Duration::days(3)).filter(|_| answer == Answer::Shorten),
        reason: "I looked at it".into(),
    };
    reviews::decide(&house.workflow, &house.viewer(n).await, &verdict).await
}

pub fn refused(result: workflow::Result<()>) -> Refusal {
    match result {
        Err(Error::Refused(mut all)) => all.remove(0),
        other => panic!("it was not refused: {other:?}"),
    }
}

pub async fn sign_off(house: &House, n: u128, id: CampaignId, noted: bool) -> workflow::Result<()> {
    let viewer = house.viewer(n).await;
    reviews::sign_off(&house.workflow, &viewer, id, "I looked at it", noted).await
}

#[tokio::test]
async fn a_campaign_from_making_to_the_sealed_report() {
    for (house, [johan, maya, found]) in held().await {
        let id = started(&house, &draft()).await;
        let row = campaign(&house, id).await;
        assert_eq!((row.state, row.population), (CampaignState::Running, 3));
        assert!(
            house
                .logged(id, row.population_hash.as_ref().unwrap())
                .await
        );
        for item in items(&house, id).await {
            assert_eq!(item.reviewer_id, Some(person(ASTRID)));
            assert_eq!(item.via, Some(Via::Manager));
        }

        let kept = about(&house, id, maya).await;
        decide(&house, ASTRID, &kept, Answer::Keep).await.unwrap();
        let gone = about(&house, id, johan).await;
        decide(&house, ASTRID, &gone, Answer::Revoke).await.unwrap();
        // A second answer needs the first taken back; that is possible for a day.
        let again = about(&house, id, johan).await;
        let twice = refused(decide(&house, ASTRID, &again, Answer::Keep).await);
        assert_eq!(twice, Refusal::Changed);
        let astrid = house.viewer(ASTRID).await;
        reviews::undo(&house.workflow, &astrid, again.id, again.version)
            .await
            .unwrap();
        let open = about(&house, id, johan).await;
        assert_eq!(open.state, ItemState::Open);
        decide(&house, ASTRID, &open, Answer::Revoke).await.unwrap();
        house.pass(Duration::hours(23)).await;
        assert_eq!(house.grant(johan).await.state, GrantState::Active);
        house.pass(Duration::hours(2)).await;
        let ended = house.grant(johan).await;
        assert_eq!(ended.end_reason, Some(EndReason::Review));
        assert_eq!(ended.ended_by, Some(person(ASTRID)));
        let late = about(&house, id, johan).await;
        let undone = reviews::undo(&house.workflow, &astrid, late.id, late.version).await;
        assert!(matches!(refused(undone), Refusal::WrongState { .. }));

        // Silence revokes what nobody answered, and the campaign closes by itself.
        let maker = refused(sign_off(&house, ELIN, id, true).await);
        assert!(matches!(maker, Refusal::WrongState { .. }));
        house.pass(Duration::days(7)).await;
        let silent = about(&house, id, found).await;
        assert_eq!(
            (silent.state, silent.answer, silent.decided_by),
            (ItemState::Defaulted, Some(Answer::Revoke), None)
        );
        assert_eq!(house.grant(found).await.end_reason, Some(EndReason::Review));
        assert_eq!(house.grant(maya).await.state, GrantState::Active);
        assert_eq!(campaign(&house, id).await.state, CampaignState::Closed);

        // Four eyes, and what is not covered is acknowledged.
        let why = SignOffBar::Maker;
        let maker = refused(sign_off(&house, ELIN, id, true).await);
        assert_eq!(maker, Refusal::SignOffBarred { why });
        let unread = refused(sign_off(&house, TOMAS, id, false).await);
        assert_eq!(unread, Refusal::NotAcknowledged);
        sign_off(&house, TOMAS, id, true).await.unwrap();
        sealed(&house, id).await;
    }
}

/// The report is what its hash says, the hash stands in the log, and nothing can change any more.
async fn sealed(house: &House, id: CampaignId) {
    let row = campaign(house, id).await;
    assert_eq!(row.state, CampaignState::SignedOff);
    let tomas = house.viewer(TOMAS).await;
    let (text, next) = views::reviews::json_lines(&house.workflow, &tomas, id, None)
        .await
        .unwrap();
    assert_eq!(next, None);
    let hash = row.report_hash.unwrap();
    assert_eq!(format!("{:x}", Sha256::digest(&text)), hash);
    assert!(house.logged(id, &hash).await);
    assert_eq!(text.lines().count(), 4);
    verified(house, id, &text, &hash).await;
    for change in [
        "UPDATE campaign_items SET answer = 'keep'",
        "UPDATE campaign_items SET reason = 'another'",
        "UPDATE campaigns SET report_hash = 'x'",
        "UPDATE campaigns SET state = 'running'",
        "DELETE FROM campaign_items",
        "DELETE FROM campaigns",
        "UPDATE campaign_acts SET note = 'another'",
        "DELETE FROM campaign_acts",
        "DELETE FROM campaign_targets",
    ] {
        let result = house.raw(change).await;
        assert!(
            matches!(result, Err(store::Error::Conflict(_))),
            "{:?}: {change}: {result:?}",
            house.engine
        );
    }
    // Security and auditors read it; a reviewer does not.
    let astrid = house.viewer(ASTRID).await;
    let read = views::reviews::report(&house.workflow, &astrid, id).await;
    assert!(matches!(read, Err(Error::Missing)));
}

/// An auditor needs nothing but the report and the log.
async fn verified(house: &House, id: CampaignId, report: &str, hash: &str) {
    let query = store::audit::AuditQuery {
        subject: Some(id.to_string()),
        limit: 500,
        ..store::audit::AuditQuery::default()
    };
    let mut tx = house.workflow.store().read().await.unwrap();
    let rows = tx.audit_page(&query).await.unwrap();
    let log = rows.iter().fold(String::new(), |log, row| {
        log + &format!("{{\"hash\":\"00\",\"entry\":{}}}\n", row.entry)
    });
    let check = |report: &str, log: &str| {
        reviews::verify_report(report, log.as_bytes()).expect("it can be read")
    };
    let sealed = check(report, &log).expect("it is what was signed off");
    assert_eq!(
        (sealed.campaign, sealed.items, &*sealed.hash),
        (id, 3, hash)
    );
    let altered = report.replacen("\"revoke\"", "\"keep\"", 1);
    assert!(matches!(
        check(&altered, &log),
        Err(ReportFault::Differs { .. })
    ));
    assert!(matches!(
        check(report, ""),
        Err(ReportFault::NotSignedOff { .. })
    ));
    assert!(matches!(
        check("nonsense", &log),
        Err(ReportFault::Unreadable { line: 1 })
    ));
    // A forged hash in the log does not help where an item was left out.
    let short: String = report
        .lines()
        .take(3)
        .map(|line| line.to_owned() + "\n")
        .collect();
    let forged = log.replace(hash, &format!("{:x}", Sha256::digest(&short)));
    assert!(matches!(
        check(&short, &forged),
        Err(ReportFault::Population { .. })
    ));
}

#[tokio::test]
async fn nobody_reviews_their_own_access_or_that_of_somebody_above() {
    for house in houses(&policy(vec![stage(ApproverRule::Security)])).await {
        let olle = house.held(OLLE, hours(700), "a", &[ELIN]).await.id;
        let johan = house.held(JOHAN, hours(700), "b", &[ELIN]).await.id;
        // Everybody reports to Karin, so nobody can review what she holds.
        let karin = house.import(KARIN, house.entitlement).await;
        let rule = Draft {
            reviewers: ReviewerRule::PackageOwner,
            ..draft()
        };
        let id = started(&house, &rule).await;
        let of = async |grant| about(&house, id, grant).await.reviewer_id;
        assert_eq!(of(johan).await, Some(person(OLLE)));
        assert_eq!(of(olle).await, Some(person(KARIN)));
        assert_eq!(of(karin).await, None);

        let own = about(&house, id, olle).await;
        assert!(matches!(
            decide(&house, OLLE, &own, Answer::Keep).await,
            Err(Error::Missing)
        ));
        // Nor by handing it on, nor around the application.
        let item = about(&house, id, johan).await;
        let viewer = house.viewer(OLLE).await;
        let to = Some(person(JOHAN));
        let handed = reviews::hand_on(&house.workflow, &viewer, item.id, to, "").await;
        assert!(matches!(refused(handed), Refusal::ReviewBarred { .. }));
        let themselves = house.id(person(OLLE).0);
        for change in [
            format!(
                "UPDATE campaign_items SET reviewer_id = {themselves} WHERE person_id = {themselves}"
            ),
            format!(
                "UPDATE campaign_items SET state = 'decided', answer = 'keep', decided_by = {themselves}, decided_at = {} WHERE person_id = {themselves}",
                house.now_literal()
            ),
            "UPDATE campaign_items SET right_name = 'another'".into(),
            "UPDATE campaigns SET population = 99".into(),
            "UPDATE campaigns SET population_hash = 'x'".into(),
        ] {
            let result = house.raw(&change).await;
            assert!(
                matches!(result, Err(store::Error::Conflict(_))),
                "{change}: {result:?}"
            );
        }
        // What nobody may review is not approved by that.
        house.pass(Duration::days(8)).await;
        assert_eq!(house.grant(karin).await.end_reason, Some(EndReason::Review));
    }
}

#[tokio::test]
async fn what_changes_meanwhile_is_void_and_a_reviewer_who_leaves_is_replaced() {
    for (house, [johan, maya, _]) in held().await {
        let id = started(&house, &draft()).await;
        let viewer = house.viewer(MAYA).await;
        workflow::grants::give_back(&house.workflow, &viewer, maya)
            .await
            .unwrap();
        let item = about(&house, id, maya).await;
        assert_eq!(
            (item.state, item.void_cause),
            (ItemState::Void, Some(VoidCause::Ended))
        );
        assert!(house.logged(item.id, "review_settled").await);

        let mut unit = house.workflow.unit().await.unwrap();
        let cause = "test";
        workflow::leave::leave(&mut unit, person(ASTRID), Actor::Portal, cause)
            .await
            .unwrap();
        unit.commit().await.unwrap();
        let item = about(&house, id, johan).await;
        assert_eq!(
            (item.reviewer_id, item.via),
            (Some(person(KARIN)), Some(Via::Above))
        );
        decide(&house, KARIN, &item, Answer::Keep).await.unwrap();
    }
}

#[tokio::test]
async fn silence_keeps_only_what_does_not_matter_and_says_so() {
    for (house, [johan, maya, _]) in held().await {
        let right = house.id(house.entitlement.0);
        let quiet = Draft {
            silence: Silence::Keep,
            repeat_months: 1,
            ..draft()
        };
        let id = started(&house, &quiet).await;
        house.pass(Duration::days(8)).await;
        let item = about(&house, id, johan).await;
        assert_eq!(
            (item.state, item.answer),
            (ItemState::Defaulted, Some(Answer::Keep))
        );
        assert_eq!(house.grant(johan).await.state, GrantState::Active);
        let tomas = house.viewer(TOMAS).await;
        let page = views::reviews::campaign(&house.workflow, &tomas, id)
            .await
            .unwrap();
        assert_eq!((page.tally.not_reviewed, page.tally.completion()), (3, 0));

        // It comes again by itself a month later; by then the right is privileged.
        house
            .raw(&format!(
                "UPDATE entitlements SET privileged = TRUE WHERE id = {right}"
            ))
            .await
            .unwrap();
        let more = house.more(MAYA, maya, 100, "more").await.unwrap();
        let line = house.line(more).await;
        let yes = domain::approval::Verdict::Approve;
        house.vote(ASTRID, line.id, yes, None).await.unwrap();
        house.pass(Duration::days(23)).await;
        let mut tx = house.workflow.store().read().await.unwrap();
        let running = tx.campaigns_page(false, 10).await.unwrap();
        drop(tx);
        let next = running
            .iter()
            .find(|row| row.id != id && row.state == CampaignState::Running)
            .expect("it came again");
        house.pass(Duration::days(8)).await;
        let privileged: Vec<_> = items(&house, next.id)
            .await
            .into_iter()
            .filter(|item| item.state == ItemState::Defaulted)
            .collect();
        assert!(!privileged.is_empty());
        for item in privileged {
            assert_eq!((item.privileged, item.answer), (true, Some(Answer::Revoke)));
        }
    }
}

#[tokio::test]
async fn what_nobody_answers_escalates_once() {
    for (house, [johan, ..]) in held().await {
        let loud = Draft {
            silence: Silence::Escalate,
            ..draft()
        };
        let id = started(&house, &loud).await;
        house.pass(Duration::days(7) + Duration::seconds(1)).await;
        let item = about(&house, id, johan).await;
        let security = [Some(person(ELIN)), Some(person(TOMAS))];
        assert!(security.contains(&item.reviewer_id), "{item:?}");
        assert_eq!(item.state, ItemState::Open);
        house.pass(Duration::days(7)).await;
        let item = about(&house, id, johan).await;
        assert_eq!(item.state, ItemState::Defaulted);
        assert_eq!(house.grant(johan).await.end_reason, Some(EndReason::Review));
    }
}

#[tokio::test]
async fn a_reviewer_asks_hands_on_shortens_and_answers_for_many() {
    for (house, [johan, maya, found]) in held().await {
        let id = started(&house, &draft()).await;
        let workflow = &house.workflow;
        let astrid = house.viewer(ASTRID).await;
        let item = about(&house, id, found).await;
        reviews::ask(workflow, &astrid, item.id, "Do you need this?")
            .await
            .unwrap();
        let of_another =
            reviews::reply(workflow, &house.viewer(MAYA).await, item.id, "Yes, I do").await;
        assert!(matches!(of_another, Err(Error::Missing)));
        reviews::reply(
            workflow,
            &house.viewer(JOHAN).await,
            item.id,
            "No, I do not",
        )
        .await
        .unwrap();
        assert_eq!(about(&house, id, found).await.reply, "No, I do not");
        let to = Some(person(OLLE));
        reviews::hand_on(workflow, &astrid, item.id, to, "Yours, I think")
            .await
            .unwrap();
        let item = about(&house, id, found).await;
        assert!(matches!(
            decide(&house, ASTRID, &item, Answer::Keep).await,
            Err(Error::Missing)
        ));
        decide(&house, OLLE, &item, Answer::Revoke).await.unwrap();

        let item = about(&house, id, johan).await;
        let end = house.grant(johan).await.end_at;
        decide(&house, ASTRID, &item, Answer::Shorten)
            .await
            .unwrap();
        house.pass(Duration::hours(25)).await;
        assert!(house.grant(johan).await.end_at < end);

        // Against what is suggested, many at once ask whether it is meant.
        let item = about(&house, id, maya).await;
        let mut wanted = Together {
            items: vec![(item.id, item.version)],
            answer: Answer::Revoke,
            reason: String::new(),
            sure: false,
        };
        let asked = reviews::decide_together(workflow, &astrid, id, &wanted).await;
        assert!(matches!(
            refused(asked.map(|_| ())),
            Refusal::Confirm { items: 1, .. }
        ));
        wanted.sure = true;
        wanted.reason = "The project is over".into();
        let done = reviews::decide_together(workflow, &astrid, id, &wanted)
            .await
            .unwrap();
        assert_eq!((done.done, done.left), (1, 0));
        // All is answered: security closes it before its time.
        let tomas = house.viewer(TOMAS).await;
        reviews::close(workflow, &tomas, id).await.unwrap();
        house.pass(Duration::zero()).await;
        assert_eq!(house.grant(maya).await.end_reason, Some(EndReason::Review));
    }
}

#[tokio::test]
async fn a_reason_is_asked_for_where_it_is_needed() {
    for (house, [johan, ..]) in held().await {
        let strict = Draft {
            reasons: Reasons::Always,
            ..draft()
        };
        let id = started(&house, &strict).await;
        let item = about(&house, id, johan).await;
        let verdict = Verdict {
            item: item.id,
            version: item.version,
            answer: Answer::Keep,
            until: None,
            reason: "  ok ".into(),
        };
        let viewer = house.viewer(ASTRID).await;
        let short = refused(reviews::decide(&house.workflow, &viewer, &verdict).await);
        assert!(matches!(short, Refusal::TooShort { .. }), "{short:?}");
        // Makers and auditors see all; for a stranger there is nothing.
        let stranger = house.viewer(JOHAN).await;
        for missing in [
            views::reviews::campaign(&house.workflow, &stranger, id)
                .await
                .err(),
            views::reviews::item(&house.workflow, &stranger, item.id)
                .await
                .err(),
            reviews::start(&house.workflow, &stranger, id).await.err(),
            reviews::close(&house.workflow, &stranger, id).await.err(),
        ] {
            assert!(matches!(missing, Some(Error::Missing)), "{missing:?}");
        }
    }
}

#[tokio::test]
async fn handing_on_and_answering_at_once_do_not_both_count() {
    for (house, [johan, ..]) in held().await {
        for round in 0..4 {
            let id = started(&house, &draft()).await;
            let item = about(&house, id, johan).await;
            let astrid = house.viewer(ASTRID).await;
            let to = Some(person(OLLE));
            let (handed, decided) = tokio::join!(
                reviews::hand_on(&house.workflow, &astrid, item.id, to, ""),
                decide(&house, ASTRID, &item, Answer::Keep)
            );
            let after = about(&house, id, johan).await;
            let said = format!("round {round}: {handed:?} {decided:?} {after:?}");
            assert_eq!(
                u8::from(handed.is_ok()) + u8::from(decided.is_ok()),
                1,
                "{said}"
            );
            let by: Option<PersonId> = after.decided_by;
            if decided.is_ok() {
                assert_eq!(by, Some(person(ASTRID)), "{said}");
            } else {
                assert_eq!((by, after.reviewer_id), (None, to), "{said}");
            }
        }
    }
}

/// What the newest scan said of the right of the package.
async fn listed(house: &House, age: Duration, listed: i64, found: i64) {
    let right = house.id(house.entitlement.0);
    let at = house.literal(house.clock.now() - age);
    house.raw("DELETE FROM scanned_rights").await.unwrap();
    house
        .raw(&format!(
            "INSERT INTO scanned_rights (entitlement_id, scanned_at, listed, believed, given, vanished, changes, detail, listing_hash)
             VALUES ({right}, {at}, {listed}, {}, {found}, 0, {found}, '', 'abc')",
            listed - found
        ))
        .await
        .unwrap();
    for n in 0..found {
        house
            .raw(&format!(
                "INSERT INTO drift (entitlement_id, holder, found_at) VALUES ({right}, 'stranger {n}', {at})"
            ))
            .await
            .unwrap();
    }
}

/// A campaign that everybody kept everything in, closed.
async fn kept(house: &House) -> CampaignId {
    let id = started(house, &draft()).await;
    for item in items(house, id).await {
        decide(house, ASTRID, &item, Answer::Keep).await.unwrap();
    }
    let elin = house.viewer(ELIN).await;
    reviews::close(&house.workflow, &elin, id).await.unwrap();
    id
}

#[tokio::test]
async fn a_target_is_covered_only_by_a_whole_listing_of_the_last_day() {
    for (house, _) in held().await {
        listed(&house, Duration::hours(24), 3, 0).await;
        let id = kept(&house).await;
        let tomas = house.viewer(TOMAS).await;
        let page = views::reviews::campaign(&house.workflow, &tomas, id)
            .await
            .unwrap();
        let [target] = &page.coverage[..] else {
            panic!("one target: {:?}", page.coverage)
        };
        assert!(target.listed_at.is_some() && !page.must_acknowledge);
        assert_eq!((target.counts.listed, target.counts.difference()), (3, 0));
        sign_off(&house, TOMAS, id, false).await.unwrap();

        // The listing is sealed: who alters it in the report is found out, whatever the log is made to say.
        let (text, _) = views::reviews::json_lines(&house.workflow, &tomas, id, None)
            .await
            .unwrap();
        let query = store::audit::AuditQuery {
            subject: Some(id.to_string()),
            limit: 500,
            ..store::audit::AuditQuery::default()
        };
        let mut tx = house.workflow.store().read().await.unwrap();
        let rows = tx.audit_page(&query).await.unwrap();
        drop(tx);
        let log = rows.iter().fold(String::new(), |log, row| {
            log + &format!("{{\"hash\":\"00\",\"entry\":{}}}\n", row.entry)
        });
        let check = |report: &str, log: &str| {
            reviews::verify_report(report, log.as_bytes()).expect("it can be read")
        };
        assert!(check(&text, &log).is_ok());
        let altered = text.replace(
            "\"listed\":3,\"believed\":3,\"found\":0",
            "\"listed\":4,\"believed\":3,\"found\":1",
        );
        assert_ne!(altered, text);
        let forged = log.replace(
            &format!("{:x}", Sha256::digest(&text)),
            &format!("{:x}", Sha256::digest(&altered)),
        );
        assert!(matches!(
            check(&altered, &forged),
            Err(ReportFault::Population { .. })
        ));
        for change in [
            "UPDATE campaign_listings SET listed = 9",
            "DELETE FROM campaign_listings",
        ] {
            let result = house.raw(change).await;
            assert!(
                matches!(result, Err(store::Error::Conflict(_))),
                "{change}: {result:?}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_not_covered_or_was_given_by_nobody_here_must_be_acknowledged() {
    for (house, _) in held().await {
        let drafted = reviews::make(
            &house.workflow,
            &house.viewer(ELIN).await,
            Template::Everything,
        )
        .await
        .unwrap();
        // A second too old, a listing that stopped, and somebody to whom nobody here gave it.
        for (age, stopped, found) in [
            (Duration::hours(24) + Duration::seconds(1), false, 0),
            (Duration::hours(1), true, 0),
            (Duration::hours(1), false, 1),
        ] {
            listed(&house, age, 3 + found, found).await;
            if stopped {
                house
                    .raw("UPDATE scanned_rights SET stopped = 'too_many'")
                    .await
                    .unwrap();
            }
            // The draft says so before it starts.
            let right = format!(
                "UPDATE entitlements SET application_id = {}",
                house.id(uuid::Uuid::from_u128(0x6000))
            );
            house.raw(&right).await.unwrap();
            let tomas = house.viewer(TOMAS).await;
            let page = views::reviews::campaign(&house.workflow, &tomas, drafted)
                .await
                .unwrap();
            let shown = &page.preview.unwrap().listed[0];
            assert_eq!(shown.listed_at.is_some(), found > 0);
            let id = kept(&house).await;
            let unread = refused(sign_off(&house, TOMAS, id, false).await);
            assert_eq!(unread, Refusal::NotAcknowledged, "{age} {stopped} {found}");
            sign_off(&house, TOMAS, id, true).await.unwrap();
        }
    }
}
