//! A fresh sign-in for one decision: what wants one, what counts as one, and that it is used once.

mod acts;

use chrono::Duration;
use domain::{
    FreshId, LineId, Refusal, StageId,
    approval::Verdict,
    policy::{ApproverRule, Limits, Policy, Quorum, RiskRule, StageRule},
    refusal::{BulkBar, FreshBar},
    request::LineState,
};
use store::requests::DecisionRow;
use workflow::{
    Error, bulk,
    decide::{self, Vote},
    fresh::{self, SignedInAgain},
    views,
};

use crate::support::{
    ASTRID, ELIN, House, JOHAN, KARIN, MAYA, TOMAS, account, hours, houses, person, policy, stage,
};

/// The package asks for it, whatever its risk.
fn stepped(route: Vec<StageRule>) -> Policy {
    Policy {
        risk: RiskRule {
            step_up: true,
            ..RiskRule::default()
        },
        ..policy(route)
    }
}

fn managers() -> Policy {
    stepped(vec![stage(ApproverRule::Manager)])
}

async fn asked(house: &House, n: u128) -> LineId {
    let request = house.ask(n, hours(8), "a").await.unwrap();
    house.line(request).await.id
}

async fn yes(house: &House, line: LineId, cap_seconds: Option<i64>) -> Vote {
    let (stage, signed_hash) = house.open(line).await;
    Vote {
        stage,
        verdict: Verdict::Approve,
        note: "Incident 7, agreed".into(),
        cap_seconds,
        signed_hash,
    }
}

async fn keep(house: &House, n: u128, vote: &Vote) -> FreshId {
    fresh::keep(&house.workflow, &house.viewer(n).await, vote.clone())
        .await
        .unwrap()
}

async fn carry_out(house: &House, n: u128, id: FreshId, signed_in: &SignedInAgain) -> Vec<Refusal> {
    fresh::carry_out(&house.workflow, &house.viewer(n).await, id, signed_in)
        .await
        .unwrap()
}

async fn votes(house: &House, line: LineId) -> Vec<DecisionRow> {
    let mut tx = house.workflow.store().read().await.unwrap();
    tx.decisions(line).await.unwrap()
}

async fn state(house: &House, line: LineId) -> LineState {
    let mut tx = house.workflow.store().read().await.unwrap();
    tx.line(line).await.unwrap().unwrap().state
}

async fn stage_wants_it(house: &House, line: LineId) -> bool {
    let mut tx = house.workflow.store().read().await.unwrap();
    tx.stages(line).await.unwrap()[0].fresh
}

#[tokio::test]
async fn a_yes_wants_one_on_every_path_and_a_no_does_not() {
    for house in houses(&managers()).await {
        let line = asked(&house, JOHAN).await;
        let vote = yes(&house, line, None).await;
        let astrid = house.viewer(ASTRID).await;
        let alone = decide::decide(&house.workflow, &astrid, vote.clone()).await;
        assert_eq!(
            alone.unwrap_err().refusals(),
            [Refusal::WantsFreshSignIn],
            "{:?}",
            house.engine
        );
        let queue = views::approvals::load(&house.workflow, &astrid, None)
            .await
            .unwrap();
        assert_eq!(queue.items[0].tick, None);
        let ticked = bulk::decide_together(&house.workflow, &astrid, vec![vote.clone()])
            .await
            .unwrap()
            .remove(0);
        let why = BulkBar::FreshSignIn;
        assert_eq!(
            ticked.result.unwrap_err().refusals(),
            [Refusal::NotInBulk { why }]
        );
        assert_eq!(votes(&house, line).await, []);
        let page = views::decision::load(&house.workflow, &astrid, vote.stage)
            .await
            .unwrap();
        assert!(page.fresh);
        let no = Vote {
            verdict: Verdict::Deny,
            ..vote
        };
        decide::decide(&house.workflow, &astrid, no).await.unwrap();
        assert_eq!(state(&house, line).await, LineState::Denied);
    }
}

#[tokio::test]
async fn what_is_privileged_wants_one_and_the_everyday_does_not() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let line = asked(&house, JOHAN).await;
        assert!(!stage_wants_it(&house, line).await);
        house
            .raw("UPDATE entitlements SET privileged = TRUE")
            .await
            .unwrap();
        let line = asked(&house, MAYA).await;
        assert!(stage_wants_it(&house, line).await);
    }
}

#[tokio::test]
async fn it_is_decided_once_exactly_as_it_was_typed() {
    for house in houses(&managers()).await {
        let line = asked(&house, JOHAN).await;
        let vote = yes(&house, line, Some(3600)).await;
        let id = keep(&house, ASTRID, &vote).await;
        house.pass(Duration::minutes(2)).await;
        let again = house.again(ASTRID).await;
        assert_eq!(carry_out(&house, ASTRID, id, &again).await, []);
        let cast = votes(&house, line).await;
        assert_eq!(cast.len(), 1, "{:?}", house.engine);
        assert_eq!(
            (cast[0].fresh_id, cast[0].cap_seconds, cast[0].note.as_str()),
            (Some(id), Some(3600), "Incident 7, agreed")
        );
        assert_eq!(state(&house, line).await, LineState::Approved);
        assert!(house.logged(line, "\"context\":\"c1\"").await);
        assert!(house.logged(line, "\"signed_in_at\":").await);
        // The same proof again does nothing, for this line and for another.
        assert_eq!(carry_out(&house, ASTRID, id, &again).await, []);
        let other = asked(&house, MAYA).await;
        assert_eq!(votes(&house, line).await.len(), 1);
        assert_eq!(votes(&house, other).await.len(), 0);
    }
}

#[tokio::test]
async fn what_is_no_fresh_sign_in_decides_nothing_and_keeps_what_was_typed() {
    for house in houses(&managers()).await {
        let line = asked(&house, JOHAN).await;
        let vote = yes(&house, line, None).await;
        let good = house.again(ASTRID).await;
        let cases = [
            (FreshBar::OtherPerson, house.again(KARIN).await),
            (
                FreshBar::NotFresh,
                SignedInAgain {
                    at: good.at.map(|at| at - Duration::minutes(10)),
                    ..good.clone()
                },
            ),
            (
                FreshBar::NotFresh,
                SignedInAgain {
                    at: None,
                    ..good.clone()
                },
            ),
            (
                FreshBar::NotSatisfied,
                SignedInAgain {
                    contexts: vec!["c2".into()],
                    ..good.clone()
                },
            ),
        ];
        for (why, signed_in) in cases {
            let id = keep(&house, ASTRID, &vote).await;
            let stands = carry_out(&house, ASTRID, id, &signed_in).await;
            assert_eq!(stands, [Refusal::NoFreshSignIn { why }]);
            // The outcome is final: a good one afterwards is for another try.
            assert_eq!(carry_out(&house, ASTRID, id, &good).await, stands);
            let kept = fresh::kept(&house.workflow, &house.viewer(ASTRID).await, id)
                .await
                .unwrap();
            assert_eq!((kept.waits, kept.refusals), (false, stands));
            assert!(matches!(&kept.act, fresh::Act::Vote(kept) if kept.note == vote.note));
        }
        let late = keep(&house, ASTRID, &vote).await;
        house.pass(Duration::minutes(5)).await;
        let why = FreshBar::Late;
        let now = house.again(ASTRID).await;
        assert_eq!(
            carry_out(&house, ASTRID, late, &now).await,
            [Refusal::NoFreshSignIn { why }]
        );
        assert_eq!(votes(&house, line).await, []);
        assert_eq!(state(&house, line).await, LineState::AwaitingApproval);
    }
}

#[tokio::test]
async fn what_somebody_keeps_is_there_for_nobody_else() {
    for house in houses(&managers()).await {
        let line = asked(&house, JOHAN).await;
        let vote = yes(&house, line, None).await;
        let id = keep(&house, ASTRID, &vote).await;
        let karin = house.viewer(KARIN).await;
        let again = house.again(KARIN).await;
        assert!(matches!(
            fresh::carry_out(&house.workflow, &karin, id, &again).await,
            Err(Error::Missing)
        ));
        assert!(matches!(
            fresh::kept(&house.workflow, &karin, id).await,
            Err(Error::Missing)
        ));
        // Whoever may not decide keeps nothing.
        assert!(
            fresh::keep(&house.workflow, &house.viewer(JOHAN).await, vote.clone())
                .await
                .is_err()
        );
        assert_eq!(votes(&house, line).await, []);
    }
}

#[tokio::test]
async fn a_shortening_meanwhile_wants_another_look() {
    let two = StageRule::of(ApproverRule::Security, Quorum::Count(2));
    for house in houses(&stepped(vec![two])).await {
        let line = asked(&house, JOHAN).await;
        let vote = yes(&house, line, None).await;
        let id = keep(&house, ELIN, &vote).await;
        house
            .vote(TOMAS, line, Verdict::Approve, Some(3600))
            .await
            .unwrap();
        let again = house.again(ELIN).await;
        assert_eq!(
            carry_out(&house, ELIN, id, &again).await,
            [Refusal::Changed]
        );
        assert_eq!(votes(&house, line).await.len(), 1);
    }
}

#[tokio::test]
async fn a_deadline_that_comes_meanwhile_counts() {
    let base = managers();
    let limits = Limits {
        pending_seconds: 120,
        ..base.limits
    };
    for house in houses(&Policy { limits, ..base }).await {
        let line = asked(&house, JOHAN).await;
        let vote = yes(&house, line, None).await;
        let id = keep(&house, ASTRID, &vote).await;
        // The deadline's job is late.
        house
            .clock
            .move_to(house.clock.now() + Duration::minutes(3));
        let again = house.again(ASTRID).await;
        let stands = carry_out(&house, ASTRID, id, &again).await;
        assert!(
            matches!(&stands[..], [Refusal::WrongState { .. }]),
            "{stands:?}"
        );
        assert_eq!(votes(&house, line).await, []);
        assert_eq!(state(&house, line).await, LineState::Lapsed);
    }
}

#[tokio::test]
async fn two_who_come_back_at_once_are_one_vote() {
    for house in houses(&managers()).await {
        let line = asked(&house, JOHAN).await;
        let vote = yes(&house, line, None).await;
        let id = keep(&house, ASTRID, &vote).await;
        let (astrid, again) = (house.viewer(ASTRID).await, house.again(ASTRID).await);
        let once = || fresh::carry_out(&house.workflow, &astrid, id, &again);
        let (one, other) = tokio::join!(once(), once());
        assert!(one.is_ok() || other.is_ok(), "{one:?} {other:?}");
        assert_eq!(votes(&house, line).await.len(), 1, "{:?}", house.engine);
        assert_eq!(state(&house, line).await, LineState::Approved);
    }
}

/// A yes of Astrid's for what was signed, with this fresh sign-in, around the application.
fn forged(
    house: &House,
    stage: StageId,
    line: LineId,
    hash: &str,
    fresh: Option<FreshId>,
) -> String {
    let fresh = fresh.map_or("NULL".into(), |id| house.id(id.0));
    format!(
        "INSERT INTO decisions (id, stage_id, line_id, decider_id, slot, verdict, via, note, signed_hash, decided_at, fresh_id)
         VALUES ({}, {}, {}, {}, 1, 'approve', 'manager', '', '{hash}', {}, {fresh})",
        house.id(stage.0),
        house.id(stage.0),
        house.id(line.0),
        house.id(person(ASTRID).0),
        house.now_literal(),
    )
}

#[tokio::test]
async fn the_database_refuses_a_yes_without_its_own_proof() {
    for house in houses(&managers()).await {
        let refuses = async |text: String| {
            assert!(
                house.raw(&text).await.is_err(),
                "{:?} takes {text}",
                house.engine
            );
        };
        let (line, other) = (asked(&house, JOHAN).await, asked(&house, MAYA).await);
        let (vote, elsewhere) = (
            yes(&house, line, None).await,
            yes(&house, other, None).await,
        );
        let (stage, hash) = (vote.stage, vote.signed_hash.clone());
        refuses(forged(&house, stage, line, &hash, None)).await;
        refuses("UPDATE stages SET fresh = FALSE".into()).await;
        // One that waits proves nothing, nor does one of another line, or for what was signed before.
        let id = keep(&house, ASTRID, &vote).await;
        refuses(forged(&house, stage, line, &hash, Some(id))).await;
        let foreign = keep(&house, ASTRID, &elsewhere).await;
        let prove = |id: FreshId| {
            format!(
                "UPDATE fresh_sign_ins SET proven_at = begun_at, signed_in_at = begun_at WHERE id = {}",
                house.id(id.0)
            )
        };
        house.raw(&prove(foreign)).await.unwrap();
        refuses(forged(&house, stage, line, &hash, Some(foreign))).await;
        house.raw(&prove(id)).await.unwrap();
        refuses(forged(&house, stage, line, "another", Some(id))).await;
        // What was proven stays.
        for change in [
            "proven_at = NULL, signed_in_at = NULL",
            "note = 'x'",
            "refusals = '[]'",
        ] {
            refuses(format!("UPDATE fresh_sign_ins SET {change}")).await;
        }
        refuses("DELETE FROM fresh_sign_ins".into()).await;
        house
            .raw(&forged(&house, stage, line, &hash, Some(id)))
            .await
            .unwrap();
        // Once.
        refuses(forged(
            &house,
            elsewhere.stage,
            other,
            &elsewhere.signed_hash,
            Some(id),
        ))
        .await;
    }
}

#[tokio::test]
async fn the_account_of_the_session_is_the_one_that_signs_in() {
    for house in houses(&managers()).await {
        let line = asked(&house, JOHAN).await;
        let vote = yes(&house, line, None).await;
        let id = keep(&house, ASTRID, &vote).await;
        let mut other = house.viewer(ASTRID).await;
        other.account = account(KARIN);
        let again = house.again(KARIN).await;
        let stands = fresh::carry_out(&house.workflow, &other, id, &again)
            .await
            .unwrap();
        let why = FreshBar::OtherPerson;
        assert_eq!(stands, [Refusal::NoFreshSignIn { why }]);
        assert_eq!(votes(&house, line).await, []);
    }
}
