//! A fresh sign-in for what is no vote: a word about an exception, an edition of the catalogue, the kill switch.

use domain::{ConflictId, ExceptionId, conflict::Side, exception::ExceptionState};
use uuid::Uuid;
use workflow::{
    exceptions::{self, Proposal, Word},
    fresh::Act,
    kill_switch::{self, Holdings},
};

use super::*;
use crate::support::OLLE;

const WHY: &str = "Seen in an incident";

fn rule() -> ConflictId {
    ConflictId(Uuid::from_u128(0xc000))
}

/// A rule with the package's right on one side; Olle owns it.
async fn lay_rule(house: &House) {
    let other = domain::EntitlementId(Uuid::from_u128(0x4001));
    house.add_entitlement(other, "sg-other").await;
    house
        .raw(&format!(
            "INSERT INTO conflicts (id, key, name, explain, severity, owner_id, catalogue_version_id)
             VALUES ({}, 'both', 'Prepare and pay', 'Nobody does both.', 'high', {}, {})",
            house.id(rule().0),
            house.id(person(OLLE).0),
            house.id(Uuid::from_u128(0x7000))
        ))
        .await
        .unwrap();
    for (right, side) in [(house.entitlement, "left"), (other, "right")] {
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

async fn proposed(house: &House) -> ExceptionId {
    let proposal = Proposal {
        rule: rule(),
        person: person(JOHAN),
        reason: "He stands in for a colleague".into(),
        control: "A second person looks at all of it".into(),
        control_owner: Some(person(MAYA)),
        cadence_days: 7,
        days: 60,
        falls: Side::Right,
    };
    exceptions::propose(&house.workflow, &house.viewer(ASTRID).await, &proposal)
        .await
        .unwrap()
}

async fn say(house: &House, n: u128, id: ExceptionId, word: Word) -> workflow::Result<()> {
    exceptions::say(&house.workflow, &house.viewer(n).await, id, word, WHY).await
}

async fn stands(house: &House, id: ExceptionId) -> ExceptionState {
    let mut tx = house.workflow.store().read().await.unwrap();
    tx.exception(id).await.unwrap().unwrap().state
}

fn wants(result: workflow::Result<()>) {
    assert_eq!(result.unwrap_err().refusals(), [Refusal::WantsFreshSignIn]);
}

async fn keep_act(house: &House, n: u128, act: Act) -> FreshId {
    fresh::keep(&house.workflow, &house.viewer(n).await, act)
        .await
        .unwrap()
}

fn word(exception: ExceptionId, word: Word) -> Act {
    Act::Say {
        exception,
        word,
        note: WHY.into(),
    }
}

#[tokio::test]
async fn an_exception_is_accepted_and_confirmed_with_one_each() {
    for house in houses(&managers()).await {
        lay_rule(&house).await;
        let id = proposed(&house).await;
        wants(say(&house, OLLE, id, Word::Accept).await);
        // Whoever may not say it is not sent away to sign in.
        let maya = say(&house, MAYA, id, Word::Accept).await;
        assert!(matches!(maya, Err(Error::Missing)), "{maya:?}");
        let olle = keep_act(&house, OLLE, word(id, Word::Accept)).await;
        // Of somebody else it counts for nothing, and ends it.
        let elin = house.again(ELIN).await;
        let why = FreshBar::OtherPerson;
        assert_eq!(
            carry_out(&house, OLLE, olle, &elin).await,
            [Refusal::NoFreshSignIn { why }]
        );
        assert_eq!(stands(&house, id).await, ExceptionState::Proposed);
        let olle = keep_act(&house, OLLE, word(id, Word::Accept)).await;
        let again = house.again(OLLE).await;
        assert_eq!(carry_out(&house, OLLE, olle, &again).await, []);
        assert_eq!(stands(&house, id).await, ExceptionState::Accepted);
        assert!(house.logged(id, "\"fresh_sign_in\":").await);

        wants(say(&house, ELIN, id, Word::Confirm).await);
        let elin = keep_act(&house, ELIN, word(id, Word::Confirm)).await;
        let again = house.again(ELIN).await;
        assert_eq!(carry_out(&house, ELIN, elin, &again).await, []);
        assert_eq!(stands(&house, id).await, ExceptionState::Live);
        // Once: the same again does nothing, and a no never wants one.
        assert_eq!(carry_out(&house, ELIN, elin, &again).await, []);
        say(&house, TOMAS, id, Word::Revoke).await.unwrap();
        assert_eq!(stands(&house, id).await, ExceptionState::Ended);
    }
}

#[tokio::test]
async fn what_moved_on_meanwhile_is_not_said() {
    for house in houses(&managers()).await {
        lay_rule(&house).await;
        let id = proposed(&house).await;
        let olle = keep_act(&house, OLLE, word(id, Word::Accept)).await;
        say(&house, ASTRID, id, Word::Refuse).await.unwrap();
        let again = house.again(OLLE).await;
        let stands_against = carry_out(&house, OLLE, olle, &again).await;
        assert!(
            matches!(stands_against[..], [Refusal::WrongState { .. }]),
            "{stands_against:?}"
        );
        assert_eq!(stands(&house, id).await, ExceptionState::Ended);
    }
}

#[tokio::test]
async fn stopping_who_holds_what_matters_wants_one_and_the_everyday_does_not() {
    for house in houses(&managers()).await {
        let elin = house.viewer(ELIN).await;
        let stop = async |n: u128| {
            let held = Holdings::HeldBack;
            kill_switch::stop(&house.workflow, &elin, person(n), held, WHY).await
        };
        stop(MAYA).await.unwrap();
        house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        wants(stop(JOHAN).await);
        let act = |holdings| Act::Stop {
            person: person(JOHAN),
            holdings,
            reason: WHY.into(),
        };
        let stranger = fresh::keep(
            &house.workflow,
            &house.viewer(ASTRID).await,
            act(Holdings::HeldBack),
        )
        .await;
        assert!(matches!(stranger, Err(Error::Forbidden)), "{stranger:?}");
        let id = keep_act(&house, ELIN, act(Holdings::HeldBack)).await;
        let kept = fresh::kept(&house.workflow, &elin, id).await.unwrap();
        assert!(matches!(kept.act, Act::Stop { reason, .. } if reason == WHY));
        let again = house.again(ELIN).await;
        assert_eq!(carry_out(&house, ELIN, id, &again).await, []);
        let mut tx = house.workflow.store().read().await.unwrap();
        assert!(tx.held_back(person(JOHAN)).await.unwrap().is_some());
        drop(tx);
        assert!(house.logged(person(JOHAN), "\"fresh_sign_in\":").await);
    }
}

#[tokio::test]
async fn the_database_takes_no_other_proof() {
    for house in houses(&managers()).await {
        lay_rule(&house).await;
        let id = proposed(&house).await;
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
        let accept = |more: &str| {
            format!(
                "UPDATE exceptions SET state = 'accepted', accepted_by = {}, accepted_at = {now}{more} WHERE id = {key}",
                house.id(person(OLLE).0)
            )
        };
        refused(accept("")).await;
        refused(format!(
            "UPDATE exceptions SET fresh = FALSE WHERE id = {key}"
        ))
        .await;
        // One that has not counted, and one that counted for somebody else's stop.
        let open = keep_act(&house, OLLE, word(id, Word::Accept)).await;
        refused(accept(&format!(
            ", accepted_fresh_id = {}",
            house.id(open.0)
        )))
        .await;
        house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        let stop = Act::Stop {
            person: person(JOHAN),
            holdings: Holdings::HeldBack,
            reason: WHY.into(),
        };
        let stopped = keep_act(&house, ELIN, stop).await;
        let again = house.again(ELIN).await;
        assert_eq!(carry_out(&house, ELIN, stopped, &again).await, []);
        refused(accept(&format!(
            ", accepted_fresh_id = {}",
            house.id(stopped.0)
        )))
        .await;
        refused(format!(
            "UPDATE fresh_sign_ins SET act = 'confirm', subject_id = {key} WHERE id = {}",
            house.id(open.0)
        ))
        .await;
        refused(format!(
            "UPDATE persons SET suspended_fresh_id = {} WHERE id = {}",
            house.id(open.0),
            house.id(person(JOHAN).0)
        ))
        .await;
        refused(format!(
            "UPDATE persons SET suspended_at = {now}, suspended_by = {}, suspended_fresh_id = {} WHERE id = {}",
            house.id(person(TOMAS).0),
            house.id(stopped.0),
            house.id(person(MAYA).0)
        ))
        .await;
    }
}
