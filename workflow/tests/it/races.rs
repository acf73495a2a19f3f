//! What only PostgreSQL can get wrong: transactions that hold their locks the other way round.

use chrono::Duration;
use domain::{LineId, PackageId, PackageVersionId, approval::Verdict, policy::ApproverRule};
use store::{
    Engine, Tx,
    jobs::{Job, Priority},
};
use uuid::Uuid;
use workflow::{
    conversation, deadlines, grants,
    hand_on::{self, NewHandOn},
    requests,
};

use crate::support::{
    ASTRID, House, JOHAN, KARIN, MAYA, OLLE, account, hours, houses, person, policy, stage,
    until_waiting,
};

async fn postgres() -> House {
    houses(&policy(vec![stage(ApproverRule::Manager)]))
        .await
        .into_iter()
        .find(|house| house.engine == Engine::Postgres)
        .unwrap()
}

/// Somebody else who holds `first` of what the work needs next, and then wants a person whom the work has locked.
async fn crosses(house: &House, mut first: Tx, n: u128) -> Result<(), store::Error> {
    until_waiting(house.workflow.store(), 1).await;
    // Of two that wait for each other PostgreSQL stops the one that has waited for a second first: the work.
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    first.lock_persons(&[person(n)]).await
}

#[tokio::test]
async fn deciding_asking_and_giving_back_are_tried_again_after_a_deadlock() {
    let house = postgres().await;
    let line = house
        .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
        .await;
    let mut first = house.workflow.store().begin().await.unwrap();
    first.lock_line(line.id).await.unwrap();
    let (decided, crossed) = tokio::join!(
        house.vote(ASTRID, line.id, Verdict::Approve, None),
        crosses(&house, first, ASTRID)
    );
    decided.unwrap();
    unless_the_victim(crossed);

    let mut first = house.workflow.store().begin().await.unwrap();
    first.count("request").await.unwrap();
    let (asked, crossed) =
        tokio::join!(house.ask(MAYA, hours(8), "b"), crosses(&house, first, MAYA));
    asked.unwrap();
    unless_the_victim(crossed);

    let grant = house.grant_of(line.id).await;
    let mut first = house.workflow.store().begin().await.unwrap();
    first
        .lock_pairs(&[(account(JOHAN), house.entitlement)])
        .await
        .unwrap();
    let johan = house.viewer(JOHAN).await;
    let (given, crossed) = tokio::join!(
        grants::give_back(&house.workflow, &johan, grant.id),
        crosses(&house, first, JOHAN)
    );
    given.unwrap();
    unless_the_victim(crossed);
}

/// Which of two transactions a deadlock ends is the engine's choice: mostly the one that has waited longer, which is ours.
fn unless_the_victim(crossed: Result<(), store::Error>) {
    assert!(
        matches!(crossed, Ok(()) | Err(store::Error::Busy(_))),
        "{crossed:?}"
    );
}

#[tokio::test]
async fn lapses_lock_all_their_people_at_once_and_in_order() {
    let house = postgres().await;
    // The line with the smaller id is of the person with the larger one.
    let mut lines = Vec::new();
    for n in [MAYA, JOHAN] {
        let request = house.ask(n, hours(8), "a").await.unwrap();
        lines.push(house.line(request).await);
        house
            .clock
            .move_to(house.clock.now() + chrono::Duration::seconds(1));
    }
    let ids: Vec<LineId> = lines.iter().map(|line| line.id).collect();
    assert!(ids.is_sorted(), "{ids:?}");
    house.clock.move_to(lines[1].lapse_at);
    let now = house.clock.now();
    let mut tx = house.workflow.store().begin().await.unwrap();
    let jobs: Vec<Job> = tx
        .claim_jobs(
            Priority::Normal,
            deadlines::KINDS,
            now,
            now + chrono::Duration::seconds(60),
            Uuid::nil(),
            100,
        )
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(jobs.len(), 2);
    // As everybody else: persons in id order.
    let mut first = house.workflow.store().begin().await.unwrap();
    first.lock_persons(&[person(JOHAN)]).await.unwrap();
    let other = async {
        until_waiting(house.workflow.store(), 1).await;
        first.lock_persons(&[person(KARIN), person(MAYA)]).await?;
        first.commit().await
    };
    let (lapsed, other) = tokio::join!(deadlines::run(&house.workflow, &jobs), other);
    other.unwrap();
    lapsed.unwrap();
    for line in lines {
        assert!(house.line(line.request_id).await.state.is_final());
    }
}

#[tokio::test]
async fn a_right_that_two_grants_give_goes_when_both_end_in_two_transactions_at_once() {
    for _ in 0..10 {
        let house = postgres().await;
        let other = (
            PackageId(Uuid::from_u128(0x2001)),
            PackageVersionId(Uuid::from_u128(0x3001)),
        );
        house
            .add_package(
                other.0,
                other.1,
                "Another way to the same right",
                &policy(vec![stage(ApproverRule::Manager)]),
                &[house.entitlement],
            )
            .await;
        let mut held = Vec::new();
        for (package, key) in [(house.package, "a"), (other.0, "b")] {
            let request = house.ask_for(JOHAN, package, hours(8), key).await.unwrap();
            let line = house.line(request).await;
            house
                .vote(ASTRID, line.id, Verdict::Approve, None)
                .await
                .unwrap();
            held.push(house.grant_of(line.id).await.id);
        }
        assert!(house.desired(JOHAN, house.entitlement).await);
        let johan = house.viewer(JOHAN).await;
        let (one, two) = tokio::join!(
            grants::give_back(&house.workflow, &johan, held[0]),
            grants::give_back(&house.workflow, &johan, held[1])
        );
        one.unwrap();
        two.unwrap();
        // Each saw the other's grant still there, or did not: either way nothing keeps the right alive.
        assert!(!house.desired(JOHAN, house.entitlement).await);
    }
}

#[tokio::test]
async fn approving_and_handing_on_at_once_gives_one_of_both() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        for round in 0..6 {
            let key = format!("r{round}");
            let line = house
                .line(house.ask(JOHAN, hours(1), &key).await.unwrap())
                .await;
            let open = house.open(line.id).await;
            let what = NewHandOn {
                stage: open.0,
                to: person(OLLE),
                reason: "I am on leave".into(),
            };
            let astrid = house.viewer(ASTRID).await;
            let (voted, handed) = tokio::join!(
                house.vote_in(ASTRID, open, Verdict::Approve, None),
                hand_on::hand_on(&house.workflow, &astrid, what)
            );
            assert!(voted.is_ok() != handed.is_ok(), "{voted:?} {handed:?}");
            let after = house.line(line.request_id).await;
            assert_eq!(after.state.is_final(), voted.is_ok());
            if handed.is_ok() {
                house
                    .vote(OLLE, line.id, Verdict::Approve, None)
                    .await
                    .unwrap();
            }
            house.pass(Duration::hours(1)).await;
        }
    }
}

#[tokio::test]
async fn asking_back_and_lapsing_at_once_never_revives_a_line() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        for (round, early) in [(0, 0), (1, 1), (2, 0), (3, 1)] {
            let key = format!("r{round}");
            let line = house
                .line(house.ask(JOHAN, hours(1), &key).await.unwrap())
                .await;
            let (open, _) = house.open(line.id).await;
            house
                .clock
                .move_to(line.lapse_at - Duration::seconds(early));
            let astrid = house.viewer(ASTRID).await;
            let (asked, ()) = tokio::join!(
                conversation::ask_back(&house.workflow, &astrid, open, "Which incident is it?"),
                house.pass(Duration::zero())
            );
            let after = house.line(line.request_id).await;
            // In time it holds the line; at the very instant, and later, the line is over.
            assert_eq!(asked.is_ok(), early == 1, "{asked:?}");
            assert_eq!(after.state.is_final(), early == 0);
            if early == 1 {
                let johan = house.viewer(JOHAN).await;
                requests::cancel(&house.workflow, &johan, line.id)
                    .await
                    .unwrap();
            }
        }
    }
}

#[tokio::test]
async fn approving_and_cancelling_at_once_gives_one_of_both() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        for round in 0..6 {
            let key = format!("r{round}");
            let line = house
                .line(house.ask(JOHAN, hours(1), &key).await.unwrap())
                .await;
            let open = house.open(line.id).await;
            let johan = house.viewer(JOHAN).await;
            let (voted, cancelled) = tokio::join!(
                house.vote_in(ASTRID, open, Verdict::Approve, None),
                requests::cancel(&house.workflow, &johan, line.id)
            );
            assert!(
                voted.is_ok() != cancelled.is_ok(),
                "{voted:?} {cancelled:?}"
            );
            house.pass(Duration::hours(1)).await;
        }
    }
}
