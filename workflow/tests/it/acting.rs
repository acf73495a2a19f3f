//! What people do with what is held: taking away, holding back, letting go on, giving all back, not renewing.

use chrono::Duration;
use domain::{
    EntitlementId, GrantId, PackageId, PackageVersionId, Refusal,
    approval::Verdict,
    grant::{EndReason, GrantState},
    hands::ActBar,
    policy::ApproverRule,
    request::{Length, Start, Window},
};
use uuid::Uuid;
use workflow::{Error, Result, grants};

use crate::support::{
    ASTRID, ELIN, House, JOHAN, KARIN, MAYA, OLLE, TOMAS, account, hours, houses, person, policy,
    stage,
};

const WHY: &str = "Not needed for this work";

fn one_stage() -> domain::policy::Policy {
    policy(vec![stage(ApproverRule::Manager)])
}

/// HR, besides their usual work.
async fn as_hr(house: &House, n: u128) {
    let now = house.now_literal();
    house.raw(&format!("INSERT INTO portal_roles (account_id, role, source, since) VALUES ({}, 'hr', 'directory', {now})",
        house.id(account(n).0))).await.unwrap();
}

async fn other_package(house: &House, content: &[EntitlementId]) -> PackageId {
    let other = PackageId(Uuid::from_u128(0x2001));
    house
        .add_package(
            other,
            PackageVersionId(Uuid::from_u128(0x3001)),
            "Orders analyst",
            &one_stage(),
            content,
        )
        .await;
    other
}

async fn revoke(house: &House, n: u128, grant: GrantId) -> Result<grants::Acted> {
    let viewer = house.viewer(n).await;
    grants::revoke(&house.workflow, &viewer, &[grant], WHY).await
}

async fn suspend(house: &House, n: u128, grant: GrantId) -> Result<grants::Acted> {
    let viewer = house.viewer(n).await;
    grants::suspend(&house.workflow, &viewer, &[grant], WHY).await
}

async fn resume(house: &House, n: u128, grant: GrantId) -> Result<grants::Acted> {
    let viewer = house.viewer(n).await;
    grants::resume(&house.workflow, &viewer, &[grant], WHY).await
}

fn barred<T: std::fmt::Debug>(result: Result<T>, wanted: ActBar) {
    let refusals = result.unwrap_err();
    assert_eq!(
        refusals.refusals(),
        [Refusal::MayNotAct { why: wanted }],
        "{refusals:?}"
    );
}

fn missing<T: std::fmt::Debug>(result: Result<T>) {
    assert!(matches!(result, Err(Error::Missing)), "{result:?}");
}

#[tokio::test]
async fn manager_owner_and_security_take_away_and_nobody_else() {
    for house in houses(&one_stage()).await {
        for (n, hand) in [(ASTRID, "a"), (KARIN, "b"), (OLLE, "c"), (ELIN, "d")] {
            let grant = house.held(JOHAN, hours(8), hand, &[ASTRID]).await;
            assert!(house.desired(JOHAN, house.entitlement).await);
            missing(revoke(&house, MAYA, grant.id).await);
            barred(revoke(&house, JOHAN, grant.id).await, ActBar::Own);
            revoke(&house, n, grant.id).await.unwrap();
            let ended = house.grant(grant.id).await;
            assert_eq!(
                (ended.state, ended.end_reason, ended.ended_by),
                (GrantState::Ended, Some(EndReason::Revoked), Some(person(n)))
            );
            assert_eq!(ended.end_note.as_deref(), Some(WHY));
            assert!(!house.desired(JOHAN, house.entitlement).await);
            assert!(house.logged(grant.id, "revoked").await);
            // Twice is refused with how it is now.
            assert!(matches!(
                revoke(&house, n, grant.id).await,
                Err(Error::Refused(_))
            ));
        }
    }
}

#[tokio::test]
async fn a_superior_is_out_of_reach_of_a_manager_but_not_of_the_owner() {
    for house in houses(&one_stage()).await {
        let grant = house.held(ASTRID, hours(8), "a", &[KARIN]).await;
        missing(revoke(&house, JOHAN, grant.id).await);
        // A circle in the directory makes each the other's superior.
        house
            .raw(&format!(
                "UPDATE persons SET manager_id = {} WHERE id = {}",
                house.id(person(JOHAN).0),
                house.id(person(ASTRID).0)
            ))
            .await
            .unwrap();
        barred(revoke(&house, JOHAN, grant.id).await, ActBar::Superior);
        house
            .raw(&format!(
                "UPDATE persons SET manager_id = {} WHERE id = {}",
                house.id(person(KARIN).0),
                house.id(person(OLLE).0)
            ))
            .await
            .unwrap();
        let karins = house.import(KARIN, house.entitlement).await;
        missing(revoke(&house, OLLE, karins).await);
        revoke(&house, OLLE, grant.id).await.unwrap();
    }
}

#[tokio::test]
async fn who_runs_the_portal_takes_nothing_away() {
    for house in houses(&one_stage()).await {
        let grant = house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        let now = house.now_literal();
        house.raw(&format!("INSERT INTO portal_roles (account_id, role, source, since) VALUES ({}, 'operator', 'directory', {now})",
            house.id(account(ASTRID).0))).await.unwrap();
        barred(revoke(&house, ASTRID, grant.id).await, ActBar::RunsPortal);
        assert_eq!(house.grant(grant.id).await.state, GrantState::Active);
    }
}

#[tokio::test]
async fn a_reason_is_needed_and_all_or_none_go() {
    for house in houses(&one_stage()).await {
        let johans = house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        let karins = house.import(KARIN, house.entitlement).await;
        let astrid = house.viewer(ASTRID).await;
        let short = grants::revoke(&house.workflow, &astrid, &[johans.id], " no ").await;
        assert!(matches!(short, Err(Error::Refused(_))), "{short:?}");
        missing(grants::revoke(&house.workflow, &astrid, &[johans.id, karins], WHY).await);
        assert_eq!(house.grant(johans.id).await.state, GrantState::Active);
        missing(grants::revoke(&house.workflow, &astrid, &[], WHY).await);
        let elin = house.viewer(ELIN).await;
        let acted = grants::revoke(&house.workflow, &elin, &[johans.id, karins, karins], WHY)
            .await
            .unwrap();
        assert_eq!(acted.done.len(), 2);
        assert!(!house.desired(JOHAN, house.entitlement).await);
    }
}

#[tokio::test]
async fn another_way_keeps_the_right_that_is_taken_away() {
    for house in houses(&one_stage()).await {
        let other = other_package(&house, &[house.entitlement]).await;
        let grant = house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        let line = house
            .line(house.ask_for(JOHAN, other, hours(2), "b").await.unwrap())
            .await;
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        revoke(&house, ASTRID, grant.id).await.unwrap();
        assert!(house.desired(JOHAN, house.entitlement).await);
        suspend(&house, ELIN, house.grant_of(line.id).await.id)
            .await
            .unwrap();
        assert!(!house.desired(JOHAN, house.entitlement).await);
    }
}

#[tokio::test]
async fn what_is_held_back_opens_nothing_and_its_end_still_comes() {
    for house in houses(&one_stage()).await {
        let grant = house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        missing(suspend(&house, ASTRID, grant.id).await);
        missing(suspend(&house, JOHAN, grant.id).await);
        suspend(&house, ELIN, grant.id).await.unwrap();
        assert_eq!(house.grant(grant.id).await.state, GrantState::Suspended);
        assert!(!house.desired(JOHAN, house.entitlement).await);
        assert!(house.logged(grant.id, "security").await);
        // Twice says that it is held back already.
        assert!(matches!(
            suspend(&house, TOMAS, grant.id).await,
            Err(Error::Refused(_))
        ));
        house.pass(Duration::hours(1)).await;
        resume(&house, TOMAS, grant.id).await.unwrap();
        assert!(house.desired(JOHAN, house.entitlement).await);
        let held = house.grant(grant.id).await;
        assert_eq!(held.end_at, grant.end_at, "the end stays as it is");
        suspend(&house, ELIN, grant.id).await.unwrap();
        house.pass(Duration::hours(8)).await;
        let ended = house.grant(grant.id).await;
        assert_eq!(ended.end_reason, Some(EndReason::Expired));
        assert!(matches!(
            resume(&house, ELIN, grant.id).await,
            Err(Error::Refused(_))
        ));
        assert!(!house.desired(JOHAN, house.entitlement).await);
    }
}

#[tokio::test]
async fn an_end_that_has_come_is_an_end_also_while_its_job_is_late() {
    for house in houses(&one_stage()).await {
        let grant = house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        suspend(&house, ELIN, grant.id).await.unwrap();
        house.clock.move_to(grant.end_at.unwrap());
        for result in [
            resume(&house, ELIN, grant.id).await,
            suspend(&house, ELIN, grant.id).await,
            revoke(&house, ELIN, grant.id).await,
        ] {
            let error = result.unwrap_err();
            assert!(
                matches!(error.refusals(), [Refusal::WrongState { state }] if state == "ended"),
                "{error:?}"
            );
        }
        assert!(!house.desired(JOHAN, house.entitlement).await);
    }
}

#[tokio::test]
async fn hr_holds_back_for_an_absence_and_lets_go_on_only_that() {
    for house in houses(&one_stage()).await {
        as_hr(&house, OLLE).await;
        let grant = house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        suspend(&house, OLLE, grant.id).await.unwrap();
        resume(&house, OLLE, grant.id).await.unwrap();
        assert!(house.desired(JOHAN, house.entitlement).await);
        suspend(&house, OLLE, grant.id).await.unwrap();
        // Security's word is the stronger one.
        suspend(&house, ELIN, grant.id).await.unwrap();
        let refused = resume(&house, OLLE, grant.id).await.unwrap_err();
        assert!(
            matches!(refused.refusals(), [Refusal::MayNotGoOn { .. }]),
            "{refused:?}"
        );
        assert!(!house.desired(JOHAN, house.entitlement).await);
        // And HR does not hold back what they hold themselves.
        let own = house.held(OLLE, hours(8), "b", &[KARIN]).await;
        barred(suspend(&house, OLLE, own.id).await, ActBar::Own);
    }
}

#[tokio::test]
async fn nobody_goes_on_who_may_no_longer_hold_it() {
    let only_orders = domain::policy::Policy {
        eligibility: vec![domain::policy::Condition {
            attribute: domain::policy::Attribute::Department,
            any_of: vec!["Orders".into()],
            none_of: vec![],
            explain: "for people in Orders".into(),
        }],
        ..one_stage()
    };
    for house in houses(&only_orders).await {
        let grant = house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        suspend(&house, ELIN, grant.id).await.unwrap();
        house
            .raw(&format!(
                "UPDATE persons SET department = 'Sales' WHERE id = {}",
                house.id(person(JOHAN).0)
            ))
            .await
            .unwrap();
        let refused = resume(&house, ELIN, grant.id).await.unwrap_err();
        assert_eq!(
            refused.refusals(),
            [Refusal::MayNotGoOn {
                because: vec!["for people in Orders".into()]
            }]
        );
        assert_eq!(house.grant(grant.id).await.state, GrantState::Suspended);
    }
}

#[tokio::test]
async fn what_was_found_at_the_target_is_put_back_after_it_was_held_back() {
    for house in houses(&one_stage()).await {
        let found = house.import(JOHAN, house.entitlement).await;
        suspend(&house, ELIN, found).await.unwrap();
        resume(&house, ELIN, found).await.unwrap();
        let mut tx = house.workflow.store().begin().await.unwrap();
        let row = tx
            .lock_pairs(&[(account(JOHAN), house.entitlement)])
            .await
            .unwrap()
            .remove(0);
        assert!(row.desired && !row.only_imports);
    }
}

#[tokio::test]
async fn all_that_is_theirs_is_given_back_at_once() {
    for house in houses(&one_stage()).await {
        let other = other_package(&house, &[house.entitlement]).await;
        let one = house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        let line = house
            .line(house.ask_for(JOHAN, other, hours(2), "b").await.unwrap())
            .await;
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        let two = house.grant_of(line.id).await;
        let found = house.import(JOHAN, house.entitlement).await;
        let (johan, maya) = (house.viewer(JOHAN).await, house.viewer(MAYA).await);
        let both = [one.id, two.id];
        missing(grants::give_back_many(&house.workflow, &maya, &both).await);
        missing(grants::give_back_many(&house.workflow, &johan, &[one.id, found]).await);
        // One of them ends a moment before: the other is given back all the same.
        house.clock.move_to(two.end_at.unwrap());
        let acted = grants::give_back_many(&house.workflow, &johan, &both)
            .await
            .unwrap();
        assert_eq!(acted.done, [one.id]);
        let reason = |grant: store::grants::GrantRow| grant.end_reason;
        assert_eq!(reason(house.grant(one.id).await), Some(EndReason::Returned));
        assert_eq!(reason(house.grant(two.id).await), Some(EndReason::Expired));
        assert_eq!(house.grant(found).await.state, GrantState::Active);
    }
}

async fn warnings(house: &House) -> u64 {
    house
        .raw("UPDATE messages SET kind = kind WHERE kind = 'ends_soon'")
        .await
        .unwrap()
}

#[tokio::test]
async fn what_is_not_to_be_renewed_is_not_warned_of() {
    for house in houses(&one_stage()).await {
        let grant = house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        let (johan, maya) = (house.viewer(JOHAN).await, house.viewer(MAYA).await);
        let wf = &house.workflow;
        missing(grants::set_renewal(wf, &maya, grant.id, false).await);
        grants::set_renewal(wf, &johan, grant.id, false)
            .await
            .unwrap();
        grants::set_renewal(wf, &johan, grant.id, false)
            .await
            .unwrap();
        assert!(house.logged(grant.id, "renewal_set").await);
        house.pass(Duration::hours(7)).await;
        assert_eq!(warnings(&house).await, 0);
        // An extension that is decided means that it is to last: it is warned of again.
        let line = house
            .line(house.more(JOHAN, grant.id, 4, "b").await.unwrap())
            .await;
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        house.pass(Duration::hours(4)).await;
        assert_eq!(warnings(&house).await, 1);
    }
}

#[tokio::test]
async fn the_mark_may_be_taken_back() {
    for house in houses(&one_stage()).await {
        let grant = house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        let johan = house.viewer(JOHAN).await;
        for renew in [false, true] {
            grants::set_renewal(&house.workflow, &johan, grant.id, renew)
                .await
                .unwrap();
        }
        house.pass(Duration::hours(7)).await;
        assert_eq!(warnings(&house).await, 1);
    }
}

#[tokio::test]
async fn what_is_held_back_is_not_warned_of_and_shortened_by_a_last_day_like_all() {
    for house in houses(&one_stage()).await {
        let grant = house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        suspend(&house, ELIN, grant.id).await.unwrap();
        let later = Window {
            start: Start::At(house.clock.now() + Duration::hours(2)),
            length: Length::Permanent,
        };
        let other = other_package(&house, &[house.entitlement]).await;
        let line = house
            .line(house.ask_for(JOHAN, other, later, "b").await.unwrap())
            .await;
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        let scheduled = house.grant_of(line.id).await;
        let last = house.clock.now() + Duration::hours(7);
        let at = match house.engine {
            store::Engine::Sqlite => last.timestamp_micros().to_string(),
            store::Engine::Postgres => format!("'{}'", last.to_rfc3339()),
        };
        house
            .raw(&format!(
                "UPDATE persons SET last_day_at = {at} WHERE id = {}",
                house.id(person(JOHAN).0)
            ))
            .await
            .unwrap();
        let mut unit = house.workflow.unit().await.unwrap();
        grants::cap_for_person(&mut unit, person(JOHAN))
            .await
            .unwrap();
        unit.commit().await.unwrap();
        for id in [grant.id, scheduled.id] {
            assert_eq!(house.grant(id).await.end_at, Some(last));
        }
        house.pass(Duration::hours(6)).await;
        assert_eq!(warnings(&house).await, 1, "of the one that is open");
        house.pass(Duration::hours(1)).await;
        for id in [grant.id, scheduled.id] {
            assert_eq!(house.grant(id).await.state, GrantState::Ended);
        }
        assert!(!house.desired(JOHAN, house.entitlement).await);
    }
}

#[tokio::test]
async fn several_are_renewed_at_once_each_with_its_own_outcome() {
    for house in houses(&one_stage()).await {
        let one = house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        let other = other_package(&house, &[house.entitlement]).await;
        let line = house
            .line(house.ask_for(JOHAN, other, hours(2), "b").await.unwrap())
            .await;
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        let two = house.grant_of(line.id).await;
        house
            .raw(&format!(
                "UPDATE packages SET state = 'retired' WHERE id = {}",
                house.id(other.0)
            ))
            .await
            .unwrap();
        let johan = house.viewer(JOHAN).await;
        let wf = &house.workflow;
        let ids = [one.id, two.id];
        let outcomes = grants::renew(wf, &johan, &ids, "Not finished yet", "k")
            .await
            .unwrap();
        let grants::Renewed::Asked(request) = &outcomes[0].1 else {
            panic!("{outcomes:?}")
        };
        assert!(matches!(outcomes[1].1, grants::Renewed::Refused(_)));
        // The same form again asks nothing anew.
        let again = grants::renew(wf, &johan, &ids, "Not finished yet", "k")
            .await
            .unwrap();
        assert_eq!(again[0].1, grants::Renewed::Asked(*request));
        let line = house.line(*request).await;
        assert_eq!(line.extends_grant_id, Some(one.id));
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        let end = house.grant(one.id).await.end_at.unwrap();
        assert_eq!(end, one.end_at.unwrap() + Duration::hours(8));
        let maya = house.viewer(MAYA).await;
        missing(grants::renew(wf, &maya, &ids, "Not finished yet", "m").await);
    }
}
