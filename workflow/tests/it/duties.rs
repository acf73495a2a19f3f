//! Separation of duties: what one person must not hold together, what stands, and what is tolerated for a time.

mod waits;

use chrono::Duration;
use domain::{
    ConflictId, EntitlementId, ExceptionId, LineId, PackageId, PackageVersionId, PersonId, Refusal,
    approval::Verdict,
    certification::CampaignState,
    conflict::Side,
    exception::{ExceptionEnd, ExceptionState},
    finding::{FindingKind, FindingState},
    grant::{EndReason, GrantState},
    policy::{ApproverRule, Policy, RiskRule},
    request::{Length, Start, Window},
};
use store::{Engine, exceptions::ExceptionRow, findings::FindingRow};
use uuid::Uuid;
use workflow::{
    Error, carts,
    exceptions::{self, Proposal, Word},
    findings, requests,
    reviews::SmallReviews,
    views::{
        cart,
        request_form::{self, Notice},
    },
};

use crate::support::{
    ASTRID, ELIN, House, JOHAN, KARIN, MAYA, OLLE, TOMAS, hours, houses, houses_with, person,
    policy, stage,
};

fn rule() -> ConflictId {
    ConflictId(Uuid::from_u128(0xc000))
}

fn other_package() -> PackageId {
    PackageId(Uuid::from_u128(0x2001))
}

fn other_right() -> EntitlementId {
    EntitlementId(Uuid::from_u128(0x4001))
}

/// Houses with a second package, and a rule against holding both. Olle owns the rule.
async fn apart() -> Vec<House> {
    apart_with(SmallReviews::OFF).await
}

async fn apart_with(small_reviews: SmallReviews) -> Vec<House> {
    let policy = policy(vec![stage(ApproverRule::Manager)]);
    let houses = houses_with(&policy, small_reviews).await;
    for house in &houses {
        house.add_entitlement(other_right(), "sg-payments").await;
        let version = PackageVersionId(Uuid::from_u128(0x3001));
        house
            .add_package(
                other_package(),
                version,
                "Payments",
                &policy,
                &[other_right()],
            )
            .await;
        lay_rule(house).await;
    }
    houses
}

async fn lay_rule(house: &House) {
    house
        .raw(&format!(
            "INSERT INTO conflicts (id, key, name, explain, severity, owner_id, catalogue_version_id)
             VALUES ({}, 'both', 'Prepare and pay', 'Nobody pays what they prepared.', 'high', {}, {})",
            house.id(rule().0),
            house.id(person(OLLE).0),
            house.id(Uuid::from_u128(0x7000))
        ))
        .await
        .unwrap();
    for (right, side) in [(house.entitlement, "left"), (other_right(), "right")] {
        house
            .raw(&format!(
                "INSERT INTO conflict_rights (conflict_id, entitlement_id, side) VALUES ({}, {}, '{side}')",
                house.id(rule().0),
                house.id(right.0)
            ))
            .await
            .unwrap();
    }
}

fn proposal() -> Proposal {
    Proposal {
        rule: rule(),
        person: person(JOHAN),
        reason: "He stands in for a colleague on leave".into(),
        control: "A second person reviews every payment".into(),
        control_owner: Some(person(MAYA)),
        cadence_days: 7,
        days: 60,
        falls: Side::Right,
    }
}

async fn propose(house: &House, n: u128) -> workflow::Result<ExceptionId> {
    exceptions::propose(&house.workflow, &house.viewer(n).await, &proposal()).await
}

async fn say(house: &House, n: u128, id: ExceptionId, word: Word) -> workflow::Result<()> {
    let viewer = house.viewer(n).await;
    exceptions::say(&house.workflow, &viewer, id, word, "I looked at it").await
}

/// An exception in force for Johan: Astrid proposed, Olle accepted, Elin confirmed.
async fn in_force(house: &House) -> ExceptionId {
    let id = propose(house, ASTRID).await.unwrap();
    say(house, OLLE, id, Word::Accept).await.unwrap();
    say(house, ELIN, id, Word::Confirm).await.unwrap();
    id
}

async fn exception(house: &House, id: ExceptionId) -> ExceptionRow {
    let mut tx = house.workflow.store().read().await.unwrap();
    tx.exception(id).await.unwrap().unwrap()
}

async fn open_findings(house: &House) -> Vec<FindingRow> {
    house.pass(Duration::zero()).await;
    let mut tx = house.workflow.store().read().await.unwrap();
    tx.open_findings_of(&[person(JOHAN)]).await.unwrap()
}

/// Johan asks for the other package, and Astrid says yes; whether there is a grant of it.
async fn asks_for_the_other(house: &House, key: &str) -> bool {
    let request = house
        .ask_for(JOHAN, other_package(), hours(8), key)
        .await
        .unwrap();
    let line = house.line(request).await;
    approve(house, line.id).await;
    let mut tx = house.workflow.store().read().await.unwrap();
    tx.grant_of_line(line.id).await.unwrap().is_some()
}

/// Astrid says yes, and Elin for security where the line breaks a rule. Gives how many stages there were.
async fn approve(house: &House, line: LineId) -> usize {
    house
        .vote(ASTRID, line, Verdict::Approve, None)
        .await
        .unwrap();
    let mut tx = house.workflow.store().read().await.unwrap();
    let stages = tx.stages(line).await.unwrap();
    drop(tx);
    if stages.len() > 1 {
        house
            .vote(ELIN, line, Verdict::Approve, None)
            .await
            .unwrap();
    }
    stages.len()
}

#[tokio::test]
async fn of_two_sides_one_is_given_and_the_log_says_why_not_the_other() {
    for house in apart().await {
        house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        let request = house
            .ask_for(JOHAN, other_package(), hours(8), "b")
            .await
            .unwrap();
        let line = house.line(request).await;
        // Security looks as well, for a rule is broken.
        assert_eq!(approve(&house, line.id).await, 2);
        assert!(house.logged(line.id, "adds_security").await);
        let mut tx = house.workflow.store().read().await.unwrap();
        assert!(tx.grant_of_line(line.id).await.unwrap().is_none());
        drop(tx);
        assert!(house.logged(line.id, "Prepare and pay").await);
        assert!(!house.desired(JOHAN, other_right()).await);
    }
}

#[tokio::test]
async fn an_import_counts_and_what_is_over_does_not() {
    for house in apart().await {
        let import = house.import(JOHAN, house.entitlement).await;
        assert!(!asks_for_the_other(&house, "a").await);
        house
            .raw(&format!(
                "UPDATE grants SET state = 'ended', ended_at = {}, end_reason = 'revoked' WHERE id = {}",
                house.now_literal(),
                house.id(import.0)
            ))
            .await
            .unwrap();
        assert!(asks_for_the_other(&house, "b").await);
    }
}

#[tokio::test]
async fn one_after_the_other_is_no_conflict_and_a_start_looks_again() {
    for house in apart().await {
        house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        // It begins when the first is over.
        let later = Window {
            start: Start::At(house.clock.now() + Duration::hours(9)),
            ..hours(8)
        };
        let request = house
            .ask_for(JOHAN, other_package(), later, "b")
            .await
            .unwrap();
        let line = house.line(request).await;
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        let scheduled = house.grant_of(line.id).await;
        assert_eq!(scheduled.state, GrantState::Scheduled);
        // Meanwhile the first right is found at the target as well, without an end.
        house.import(JOHAN, house.entitlement).await;
        house.pass(Duration::hours(10)).await;
        let over = house.grant(scheduled.id).await;
        assert_eq!(over.end_reason, Some(EndReason::Revoked));
        assert!(house.logged(scheduled.id, "Prepare and pay").await);
    }
}

#[tokio::test]
async fn two_sides_approved_in_the_same_instant_give_one() {
    let house = apart()
        .await
        .into_iter()
        .find(|house| house.engine == Engine::Postgres)
        .unwrap();
    for round in 0..8 {
        // Asked while there was no rule, so that neither has a stage of security.
        house
            .raw("UPDATE conflicts SET retired = TRUE")
            .await
            .unwrap();
        let one = house
            .line(
                house
                    .ask(JOHAN, hours(1), &format!("a{round}"))
                    .await
                    .unwrap(),
            )
            .await;
        let other = house
            .line(
                house
                    .ask_for(JOHAN, other_package(), hours(1), &format!("b{round}"))
                    .await
                    .unwrap(),
            )
            .await;
        house
            .raw("UPDATE conflicts SET retired = FALSE")
            .await
            .unwrap();
        let (first, second) = (house.open(one.id).await, house.open(other.id).await);
        let (yes, too) = tokio::join!(
            house.vote_in(ASTRID, first, Verdict::Approve, None),
            house.vote_in(ASTRID, second, Verdict::Approve, None)
        );
        yes.unwrap();
        too.unwrap();
        let mut tx = house.workflow.store().read().await.unwrap();
        let mut waits = Vec::new();
        for line in [one.id, other.id] {
            if tx.grant_of_line(line).await.unwrap().is_none() {
                waits.push(line);
            }
        }
        drop(tx);
        assert_eq!(waits.len(), 1, "round {round}");
        // The other waits for an exception, and would be given when the first is over.
        let johan = house.viewer(JOHAN).await;
        requests::cancel(&house.workflow, &johan, waits[0])
            .await
            .unwrap();
        house.pass(Duration::hours(2)).await;
    }
}

#[tokio::test]
async fn a_finding_stands_while_both_are_held_and_its_owner_resolves_it() {
    for house in apart().await {
        house.import(JOHAN, other_right()).await;
        house
            .raw("UPDATE conflicts SET retired = TRUE")
            .await
            .unwrap();
        let held = house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        house
            .raw("UPDATE conflicts SET retired = FALSE")
            .await
            .unwrap();
        findings::arm_daily(&house.workflow).await.unwrap();
        house.pass(Duration::hours(2)).await;
        assert!(open_findings(&house).await.is_empty());
        // Found when everybody is looked at, at midnight.
        house
            .raw(&format!(
                "UPDATE grants SET end_at = {} WHERE id = {}",
                match house.engine {
                    Engine::Sqlite => "end_at + 172800000000",
                    Engine::Postgres => "end_at + INTERVAL '2 days'",
                },
                house.id(held.id.0)
            ))
            .await
            .unwrap();
        house.pass(Duration::hours(24)).await;
        let found = open_findings(&house).await;
        let kinds: Vec<FindingKind> = found.iter().map(|row| row.kind).collect();
        assert!(kinds.contains(&FindingKind::Conflict), "{kinds:?}");
        assert!(kinds.contains(&FindingKind::Import), "{kinds:?}");
        let conflict = found
            .iter()
            .find(|row| row.kind == FindingKind::Conflict)
            .unwrap();
        assert_eq!(conflict.owner_id, Some(person(OLLE)));
        assert!(house.logged(conflict.id, "finding_changed").await);

        let (johan, olle) = (house.viewer(JOHAN).await, house.viewer(OLLE).await);
        let nobody = findings::being_removed(&house.workflow, &johan, conflict.id, "not me").await;
        assert!(matches!(nobody, Err(Error::Missing)), "{nobody:?}");
        findings::being_removed(&house.workflow, &olle, conflict.id, "by Friday")
            .await
            .unwrap();
        let note = "He pays no more";
        findings::take_away(&house.workflow, &olle, conflict.id, Some(Side::Right), note)
            .await
            .unwrap();
        assert!(open_findings(&house).await.is_empty());
        let mut tx = house.workflow.store().read().await.unwrap();
        let closed = tx.finding(conflict.id).await.unwrap().unwrap();
        assert_eq!(closed.state, FindingState::Closed);
        drop(tx);
        assert_eq!(house.grant(held.id).await.state, GrantState::Active);
    }
}

#[tokio::test]
async fn an_exception_goes_through_three_hands_and_its_end_takes_the_side_it_names() {
    for house in apart().await {
        let stays = house.held(JOHAN, hours(24 * 29), "a", &[ASTRID]).await;
        let id = propose(&house, ASTRID).await.unwrap();
        // Not whom it is about, not who proposed it, not security before the business, not somebody without a part.
        for n in [JOHAN, ASTRID, ELIN, MAYA, KARIN] {
            assert!(say(&house, n, id, Word::Accept).await.is_err(), "{n}");
        }
        assert!(say(&house, ELIN, id, Word::Confirm).await.is_err());
        say(&house, OLLE, id, Word::Accept).await.unwrap();
        for n in [JOHAN, ASTRID, OLLE, MAYA, KARIN] {
            assert!(say(&house, n, id, Word::Confirm).await.is_err(), "{n}");
        }
        say(&house, ELIN, id, Word::Confirm).await.unwrap();
        assert_eq!(exception(&house, id).await.state, ExceptionState::Live);

        // For longer than the exception lives.
        let request = house
            .ask_for(JOHAN, other_package(), hours(24 * 29), "c")
            .await
            .unwrap();
        let line = house.line(request).await;
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        let falls = house.grant_of(line.id).await;
        let found = open_findings(&house).await;
        assert_eq!(found[0].state, FindingState::Excepted, "{found:?}");

        say(&house, TOMAS, id, Word::Revoke).await.unwrap();
        assert_eq!(
            house.grant(falls.id).await.end_reason,
            Some(EndReason::ExceptionEnded)
        );
        assert!(!house.desired(JOHAN, other_right()).await);
        assert_eq!(house.grant(stays.id).await.state, GrantState::Active);
        assert!(open_findings(&house).await.is_empty());
    }
}

#[tokio::test]
async fn a_control_that_nobody_attests_ends_the_exception_after_a_week_of_grace() {
    for house in apart().await {
        let id = in_force(&house).await;
        house.pass(Duration::days(6)).await;
        say(&house, MAYA, id, Word::Attest).await.unwrap();
        assert!(say(&house, JOHAN, id, Word::Attest).await.is_err());
        house.pass(Duration::days(6)).await;
        assert_eq!(exception(&house, id).await.missed_at, None);
        house.pass(Duration::days(2)).await;
        assert!(exception(&house, id).await.missed_at.is_some());
        assert_eq!(exception(&house, id).await.state, ExceptionState::Live);
        house.pass(Duration::days(8)).await;
        let over = exception(&house, id).await;
        assert_eq!(over.end_reason, Some(ExceptionEnd::MissedAttestation));
        assert!(house.logged(id, "missed_attestation").await);
    }
}

#[tokio::test]
async fn a_renewal_counts_and_takes_nothing_and_an_expiry_takes() {
    for house in apart().await {
        let first = in_force(&house).await;
        assert!(asks_for_the_other(&house, "a").await);
        let second = in_force(&house).await;
        assert_eq!(
            exception(&house, first).await.end_reason,
            Some(ExceptionEnd::Renewed)
        );
        assert_eq!(exception(&house, second).await.renewals, 1);
        let waiting = propose(&house, ASTRID).await.unwrap();
        let twice = propose(&house, ASTRID).await.unwrap_err();
        assert_eq!(twice.refusals(), [Refusal::AlreadyAsked]);
        say(&house, ASTRID, waiting, Word::Refuse).await.unwrap();
        for _ in 0..9 {
            house.pass(Duration::days(6)).await;
            say(&house, MAYA, second, Word::Attest).await.unwrap();
        }
        house.pass(Duration::days(7)).await;
        assert_eq!(
            exception(&house, second).await.end_reason,
            Some(ExceptionEnd::Expired)
        );
    }
}

#[tokio::test]
async fn a_proposal_says_everything_that_is_wrong_at_once() {
    for house in apart().await {
        let bad = Proposal {
            reason: "x".into(),
            control: String::new(),
            control_owner: Some(person(JOHAN)),
            cadence_days: 3,
            days: 181,
            ..proposal()
        };
        let astrid = house.viewer(ASTRID).await;
        let said = exceptions::propose(&house.workflow, &astrid, &bad)
            .await
            .unwrap_err();
        assert_eq!(said.refusals().len(), 5, "{said:?}");
        let stranger = propose(&house, MAYA).await;
        assert!(matches!(stranger, Err(Error::Missing)), "{stranger:?}");
    }
}

#[tokio::test]
async fn whoever_leaves_leaves_no_exception_behind() {
    for house in apart().await {
        let id = in_force(&house).await;
        assert!(asks_for_the_other(&house, "a").await);
        let mut unit = house.workflow.unit().await.unwrap();
        let cause = "test";
        workflow::leave::leave(
            &mut unit,
            person(JOHAN),
            domain::audit::Actor::Portal,
            cause,
        )
        .await
        .unwrap();
        unit.commit().await.unwrap();
        house.pass(Duration::zero()).await;
        assert_eq!(
            exception(&house, id).await.end_reason,
            Some(ExceptionEnd::PersonLeft)
        );
    }
}

#[tokio::test]
async fn the_database_keeps_the_hands_apart_whatever_the_code_does() {
    for house in apart().await {
        let id = propose(&house, ASTRID).await.unwrap();
        let key = house.id(id.0);
        let now = house.now_literal();
        let refused = async |text: String| {
            let result = house.raw(&text).await;
            assert!(
                matches!(result, Err(store::Error::Conflict(_))),
                "{:?} let through: {text}: {result:?}",
                house.engine
            );
        };
        let accept = |n: u128| {
            format!(
                "UPDATE exceptions SET state = 'accepted', accepted_by = {}, accepted_at = {now} WHERE id = {key}",
                house.id(person(n).0)
            )
        };
        let confirm = |n: u128| {
            format!(
                "UPDATE exceptions SET state = 'live', confirmed_by = {}, confirmed_at = {now}, attest_by = ends_at WHERE id = {key}",
                house.id(person(n).0)
            )
        };
        let attest = |n: u128, as_id: u128| {
            format!(
                "INSERT INTO attestations (id, exception_id, by_id, text, due_at, attested_at) VALUES ({}, {key}, {}, 'looked at', {now}, {now})",
                house.id(Uuid::from_u128(as_id)),
                house.id(person(n).0)
            )
        };
        // Not the person, not the proposer; not live before it was accepted.
        refused(accept(JOHAN)).await;
        refused(accept(ASTRID)).await;
        refused(confirm(ELIN)).await;
        refused(attest(MAYA, 0xa1)).await;
        assert_eq!(house.raw(&accept(OLLE)).await.unwrap(), 1);
        for n in [JOHAN, ASTRID, OLLE] {
            refused(confirm(n)).await;
        }
        assert_eq!(house.raw(&confirm(ELIN)).await.unwrap(), 1);
        refused(attest(JOHAN, 0xa2)).await;
        refused(attest(ELIN, 0xa3)).await;
        assert_eq!(house.raw(&attest(MAYA, 0xa4)).await.unwrap(), 1);
        refused("UPDATE attestations SET text = 'something else'".into()).await;
        refused("DELETE FROM attestations".into()).await;
        refused(format!(
            "UPDATE exceptions SET control_owner_id = {} WHERE id = {key}",
            house.id(person(TOMAS).0)
        ))
        .await;
        refused(format!(
            "UPDATE exceptions SET accepted_by = {} WHERE id = {key}",
            house.id(person(KARIN).0)
        ))
        .await;
        let longer = match house.engine {
            Engine::Sqlite => "ends_at + 1",
            Engine::Postgres => "ends_at + INTERVAL '1 day'",
        };
        refused(format!(
            "UPDATE exceptions SET ends_at = {longer} WHERE id = {key}"
        ))
        .await;
        refused("DELETE FROM exceptions".into()).await;
        refused("DELETE FROM conflicts".into()).await;
        let over = format!(
            "UPDATE exceptions SET state = 'ended', ended_at = {now}, end_reason = 'revoked' WHERE id = {key}"
        );
        assert_eq!(house.raw(&over).await.unwrap(), 1);
        refused(format!("UPDATE exceptions SET state = 'live', ended_at = NULL, end_reason = NULL WHERE id = {key}")).await;
        refused(attest(MAYA, 0xa5)).await;
    }
}

#[tokio::test]
async fn a_finding_is_never_rewritten() {
    for house in apart().await {
        house.import(JOHAN, house.entitlement).await;
        findings::arm_daily(&house.workflow).await.unwrap();
        house.pass(Duration::hours(30)).await;
        let found = open_findings(&house).await;
        assert_eq!(found.len(), 1, "{found:?}");
        let key = house.id(found[0].id.0);
        for text in [
            "DELETE FROM findings".to_owned(),
            format!("UPDATE findings SET due_at = opened_at WHERE id = {key}"),
            format!("UPDATE findings SET state = 'excepted' WHERE id = {key}"),
            format!("UPDATE findings SET kind = 'orphan' WHERE id = {key}"),
        ] {
            let result = house.raw(&text).await;
            assert!(
                matches!(result, Err(store::Error::Conflict(_))),
                "{:?} let through: {text}: {result:?}",
                house.engine
            );
        }
    }
}

#[tokio::test]
async fn low_risk_passes_by_policy_and_a_broken_rule_never_does() {
    for house in houses(&Policy {
        risk: RiskRule {
            auto_approve_below: Some(60),
            ..RiskRule::default()
        },
        ..policy(vec![stage(ApproverRule::Manager)])
    })
    .await
    {
        house.add_entitlement(other_right(), "sg-payments").await;
        lay_rule(&house).await;
        let request = house.ask(JOHAN, hours(8), "a").await.unwrap();
        let line = house.line(request).await;
        assert_eq!(house.grant_of(line.id).await.state, GrantState::Active);
        assert!(house.logged(line.id, "by_policy").await);
        house.import(MAYA, other_right()).await;
        let request = house.ask(MAYA, hours(8), "b").await.unwrap();
        let line = house.line(request).await;
        assert_eq!(approve(&house, line.id).await, 2);
        let mut tx = house.workflow.store().read().await.unwrap();
        assert!(tx.grant_of_line(line.id).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn two_asks_in_flight_know_of_each_other() {
    for house in apart().await {
        house.ask(JOHAN, hours(8), "a").await.unwrap();
        let viewer = house.viewer(JOHAN).await;
        let form = request_form::load(&house.workflow, &viewer, other_package())
            .await
            .unwrap();
        assert!(form.adds_security, "security decides as well");
        assert!(form.notices.iter().any(|notice| matches!(
            notice,
            Notice::Breaks { clash } if clash.held.is_empty() && clash.asked.len() == 1
        )));
        // Sent all the same, it waits for security too; the first is told of the second where it is decided.
        let second = house
            .ask_for(JOHAN, other_package(), hours(8), "b")
            .await
            .unwrap();
        let second = house.line(second).await;
        let mut tx = house.workflow.store().read().await.unwrap();
        let stages = tx.stages(second.id).await.unwrap();
        assert_eq!(
            stages
                .iter()
                .map(|stage| stage.approvers)
                .collect::<Vec<_>>(),
            [ApproverRule::Manager, ApproverRule::Security]
        );
    }
}

#[tokio::test]
async fn two_lines_of_a_cart_that_exclude_each_other_say_so() {
    for house in apart().await {
        let viewer = house.viewer(JOHAN).await;
        for package in [house.package, other_package()] {
            carts::add(&house.workflow, &viewer, package, &[person(JOHAN)])
                .await
                .unwrap();
        }
        let cart = cart::load(&house.workflow, &viewer).await.unwrap();
        for (line, other) in [(0, 1), (1, 0)] {
            let form = cart.lines[line].form.as_ref().unwrap();
            assert!(form.notices.iter().any(|notice| matches!(
                notice,
                Notice::BreaksTogether { other: name, .. } if *name == cart.lines[other].name
            )));
        }
    }
}

#[tokio::test]
async fn what_falls_with_an_exception_is_reviewed_once_before_it_ends() {
    for house in apart_with(SmallReviews::ON).await {
        let wanted = Proposal {
            cadence_days: 30,
            ..proposal()
        };
        let viewer = house.viewer(ASTRID).await;
        let id = exceptions::propose(&house.workflow, &viewer, &wanted)
            .await
            .unwrap();
        say(&house, OLLE, id, Word::Accept).await.unwrap();
        say(&house, ELIN, id, Word::Confirm).await.unwrap();
        let falls = house.import(JOHAN, other_right()).await;
        let lasting = Window {
            start: Start::OnActivation,
            length: Length::Permanent,
        };
        house.held(JOHAN, lasting, "left", &[ASTRID]).await;
        house.pass(Duration::days(29)).await;
        say(&house, MAYA, id, Word::Attest).await.unwrap();
        assert_eq!(house.small_reviews().await, vec![]);
        house.pass(Duration::days(17)).await;
        let ends_at = exception(&house, id).await.ends_at;
        let all = house.small_reviews().await;
        let [one] = &all[..] else {
            panic!("one for the event: {all:?}")
        };
        assert!(one.said.contains("Prepare and pay"), "{}", one.said);
        assert!(one.due_at.is_some_and(|due| due < ends_at));
        let items = house.items(one.id).await;
        assert_eq!(items.len(), 1, "only the side that falls: {items:?}");
        assert_eq!(items[0].grant_id, falls);
        assert_eq!(items[0].reviewer_id, Some(person(OLLE)));

        // The second warning makes no second one, and silence takes nothing before the end does.
        house.pass(Duration::days(12)).await;
        assert_eq!(house.small_reviews().await.len(), 1);
        house.pass(Duration::days(1)).await;
        assert_eq!(house.grant(falls).await.state, GrantState::Active);
        house.pass(Duration::days(1)).await;
        let ended = house.grant(falls).await;
        assert_eq!(ended.end_reason, Some(EndReason::ExceptionEnded));
        let over = house.small_reviews().await;
        assert_eq!(over[0].state, CampaignState::Closed, "nothing is left");
    }
}
