//! Handing on: a colleague decides instead, passes every exclusion, and is the only one; it falls back when they go.

use domain::{
    Refusal,
    approval::Verdict,
    policy::ApproverRule,
    refusal::{DeciderBar, TakeOverBar},
    request::LineState,
};
use workflow::{
    Error,
    hand_on::{self, NewHandOn},
    views,
};

use crate::support::{
    ASTRID, ELIN, House, JOHAN, KARIN, MAYA, OLLE, TOMAS, hours, houses, person, policy, stage,
};

async fn hand(house: &House, from: u128, line: domain::LineId, to: u128) -> workflow::Result<()> {
    let (stage, _) = house.open(line).await;
    let what = NewHandOn {
        stage,
        to: person(to),
        reason: "I am on leave".into(),
    };
    hand_on::hand_on(&house.workflow, &house.viewer(from).await, what).await
}

async fn asked(house: &House, n: u128, key: &str) -> store::requests::LineRow {
    house.line(house.ask(n, hours(8), key).await.unwrap()).await
}

fn take_over(result: workflow::Result<()>) -> TakeOverBar {
    match result.expect_err("refused").refusals() {
        [Refusal::MayNotTakeOver { why }] => *why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_colleague_decides_and_whoever_handed_it_on_does_not() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let line = asked(&house, JOHAN, "a").await;
        hand(&house, ASTRID, line.id, OLLE).await.unwrap();
        assert!(house.logged(line.id, "seat_handed_on").await);
        let gone = house.vote(ASTRID, line.id, Verdict::Approve, None).await;
        assert_eq!(
            gone.unwrap_err().refusals(),
            [Refusal::MayNotDecide {
                why: DeciderBar::HandedOn
            }]
        );
        let (stage, _) = house.open(line.id).await;
        let astrid = house.viewer(ASTRID).await;
        let page = views::decision::load(&house.workflow, &astrid, stage)
            .await
            .unwrap();
        assert_eq!(
            page.refusal,
            Some(Refusal::MayNotDecide {
                why: DeciderBar::HandedOn
            })
        );
        let olle = house.viewer(OLLE).await;
        let page = views::decision::load(&house.workflow, &olle, stage)
            .await
            .unwrap();
        assert_eq!(page.handed_by.map(|from| from.id), Some(person(ASTRID)));
        house
            .vote(OLLE, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(house.line(line.request_id).await.state, LineState::Approved);
    }
}

#[tokio::test]
async fn every_exclusion_holds_for_the_colleague() {
    for house in houses(&policy(vec![
        stage(ApproverRule::Manager),
        stage(ApproverRule::PackageOwner),
    ]))
    .await
    {
        let line = asked(&house, JOHAN, "a").await;
        assert_eq!(
            take_over(hand(&house, ASTRID, line.id, JOHAN).await),
            TakeOverBar::Asker
        );
        assert_eq!(
            take_over(hand(&house, ASTRID, line.id, ASTRID).await),
            TakeOverBar::Seated
        );
        assert_eq!(
            take_over(hand(&house, ASTRID, line.id, 99).await),
            TakeOverBar::Inactive
        );
        // Nobody hands on what is not theirs, and a stranger learns nothing.
        let stranger = hand(&house, MAYA, line.id, OLLE).await;
        assert!(matches!(stranger, Err(Error::Missing)), "{stranger:?}");
        let own = hand(&house, JOHAN, line.id, OLLE).await;
        assert!(own.is_err());
        // The manager decided; the owner cannot give the second step to them, nor to who owns nothing.
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(
            take_over(hand(&house, OLLE, line.id, ASTRID).await),
            TakeOverBar::DecidedEarlier
        );
        assert_eq!(
            take_over(hand(&house, OLLE, line.id, KARIN).await),
            TakeOverBar::NotOwner
        );
        // Astrid's ask: Johan and Maya report to her.
        let line = asked(&house, ASTRID, "b").await;
        assert_eq!(
            take_over(hand(&house, KARIN, line.id, MAYA).await),
            TakeOverBar::Subordinate
        );
    }
}

#[tokio::test]
async fn it_goes_back_but_never_further() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let line = asked(&house, JOHAN, "a").await;
        hand(&house, ASTRID, line.id, OLLE).await.unwrap();
        assert_eq!(
            take_over(hand(&house, OLLE, line.id, ELIN).await),
            TakeOverBar::HandedOnBefore
        );
        let (stage, _) = house.open(line.id).await;
        let astrid = house.viewer(ASTRID).await;
        assert!(
            hand_on::hand_back(&house.workflow, &astrid, stage)
                .await
                .is_err()
        );
        let olle = house.viewer(OLLE).await;
        hand_on::hand_back(&house.workflow, &olle, stage)
            .await
            .unwrap();
        let late = house.vote(OLLE, line.id, Verdict::Approve, None).await;
        assert!(late.is_err());
        // Back with whom it belongs to, who may hand it on to somebody else.
        hand(&house, ASTRID, line.id, TOMAS).await.unwrap();
        house
            .vote(TOMAS, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(house.line(line.request_id).await.state, LineState::Approved);
    }
}

#[tokio::test]
async fn it_falls_back_to_the_rule_when_the_colleague_leaves() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let line = asked(&house, JOHAN, "a").await;
        hand(&house, ASTRID, line.id, OLLE).await.unwrap();
        let now = house.now_literal();
        house
            .raw(&format!(
                "UPDATE persons SET state = 'left', left_at = {now} WHERE id = {}",
                house.id(person(OLLE).0)
            ))
            .await
            .unwrap();
        let mut unit = house.workflow.unit().await.unwrap();
        workflow::route::reseat_for(&mut unit, person(OLLE))
            .await
            .unwrap();
        unit.commit().await.unwrap();
        // Hers again; and she may hand it on once more.
        hand(&house, ASTRID, line.id, TOMAS).await.unwrap();
        house
            .vote(TOMAS, line.id, Verdict::Deny, None)
            .await
            .unwrap();
        assert_eq!(house.line(line.request_id).await.state, LineState::Denied);
    }
}

#[tokio::test]
async fn the_page_finds_people_and_says_who_may_not() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        house
            .raw("UPDATE persons SET search_key = LOWER(name)")
            .await
            .unwrap();
        let line = asked(&house, JOHAN, "a").await;
        let (stage, _) = house.open(line.id).await;
        let astrid = house.viewer(ASTRID).await;
        let find = async |text: &str| {
            views::hand_on::load(&house.workflow, &astrid, stage, text, None)
                .await
                .unwrap()
                .found
        };
        assert_eq!(find("elin").await[0].bar, None);
        assert_eq!(find("Johan").await[0].bar, Some(TakeOverBar::Asker));
        assert!(find("").await.is_empty());
        let maya = house.viewer(MAYA).await;
        let result = views::hand_on::load(&house.workflow, &maya, stage, "elin", None).await;
        assert!(matches!(result, Err(Error::Missing)));
    }
}
