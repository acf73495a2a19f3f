//! Rights that people give and take away by hand, through the worker: a wish waits for days without being a failure, access that
//! ends is gone only when somebody says so, and nobody says it of themselves.

use std::{sync::Arc, time::Duration};

use domain::{
    Refusal, TargetId,
    assignment::{Observed, Phase},
    grant::GrantState,
    person::PortalRole,
    task::{TaskCall, TaskState},
};
use provisioner::{
    by_hand::ByHand,
    connector::Connector,
    worker::{Options, Worker},
};
use store::{catalogue::EntitlementRow, tasks::TaskRow, testing};
use uuid::Uuid;
use workflow::{Error, tasks, views};

use crate::{
    fake,
    house::{House, TENANT, person, right, user},
};

/// Johan holds it, Olle owns it, Maya has nothing to do with it.
const JOHAN: usize = 0;
const OLLE: usize = 1;
const MAYA: usize = 2;

async fn badges(store: store::Store) -> (House, Worker) {
    let house = House::build(store, 1, 3, 1).await;
    let target = TargetId(Uuid::from_u128(0x4001));
    let mut unit = house.unit().await;
    unit.tx
        .configure_target(target, "facilities", "manual", "Facilities")
        .await
        .unwrap();
    let rows: Vec<EntitlementRow> = unit.tx.entitlements(house.target).await.unwrap();
    unit.commit().await.unwrap();
    let name = testing::literal(house.workflow.store().engine(), target.0);
    testing::raw(
        house.workflow.store(),
        &format!(
            "UPDATE entitlements SET target_id = {name}, kind = 'manual_right', external_id = 'office-badge',
               lane = 'facilities:office-badge', instructions = 'Programme a badge.', due_within_seconds = 172800,
               owner_id = {}",
            testing::literal(house.workflow.store().engine(), person(OLLE).0)
        ),
    )
    .await
    .unwrap();
    assert_eq!(rows.len(), 1);
    let worker = Worker::builder(house.workflow.clone(), Options::default())
        .connector("manual", Arc::new(ByHand::new(house.workflow.clone())))
        .build();
    (house, worker)
}

async fn walk(house: &House, worker: &Worker, ahead: chrono::Duration) {
    worker
        .walk(house.clock.now() + ahead, Duration::ZERO, &|_| ())
        .await
        .unwrap();
}

async fn live(house: &House) -> Option<TaskRow> {
    let assignment = house.assignment(JOHAN, 0).await.unwrap().id;
    let mut tx = house.workflow.store().read().await.unwrap();
    tx.live_task(assignment).await.unwrap()
}

async fn done(house: &House, who: usize, task: &TaskRow) -> workflow::Result<()> {
    tasks::done(
        &house.workflow,
        &house.viewer(who).await,
        task.id,
        "Badge 7",
    )
    .await
}

#[tokio::test]
async fn access_by_hand_comes_and_goes_by_somebodys_word() {
    for (_, store) in testing::stores().await {
        let (house, worker) = badges(store).await;
        let grant = house
            .give(JOHAN, &[0], Some(chrono::Duration::days(30)))
            .await;
        walk(&house, &worker, chrono::Duration::days(1)).await;
        let task = live(&house).await.expect("it waits for Olle");
        assert_eq!((task.call, task.state), (TaskCall::Add, TaskState::Open));
        let row = house.assignment(JOHAN, 0).await.unwrap();
        assert_eq!(
            (row.phase, row.attempts),
            (Phase::Settling, 0),
            "waiting is no failure"
        );
        assert!(house.grant(grant).await.ready_at.is_none());

        // Nobody confirms their own, and whoever has nothing to do with it finds no task.
        for stranger in [JOHAN, MAYA] {
            assert!(matches!(
                done(&house, stranger, &task).await,
                Err(Error::Missing)
            ));
            let viewer = house.viewer(stranger).await;
            assert!(matches!(
                views::tasks::one(&house.workflow, &viewer, task.id).await,
                Err(Error::Missing)
            ));
            let lists = views::tasks::list(&house.workflow, &viewer).await.unwrap();
            assert!(lists.mine.is_empty() && lists.others.is_empty());
        }
        let olle = house.viewer(OLLE).await;
        let refused = tasks::cannot(&house.workflow, &olle, task.id, "no").await;
        assert!(matches!(
            refused.unwrap_err().refusals(),
            [Refusal::ReasonTooShort { .. }]
        ));
        let lists = views::tasks::list(&house.workflow, &olle).await.unwrap();
        assert_eq!(lists.mine.len(), 1);
        let shell = views::shell::load(&house.workflow, &olle).await.unwrap();
        assert_eq!(shell.tasks.count, 1);

        // It cannot be done: a person must look. Then it can be done after all.
        tasks::cannot(&house.workflow, &olle, task.id, "There are no badges left")
            .await
            .unwrap();
        walk(&house, &worker, chrono::Duration::minutes(1)).await;
        let row = house.assignment(JOHAN, 0).await.unwrap();
        assert_eq!(row.phase, Phase::Attention);
        assert!(row.problem.unwrap().contains("no badges left"));
        done(&house, OLLE, &task).await.unwrap();
        walk(&house, &worker, chrono::Duration::minutes(1)).await;
        let row = house.assignment(JOHAN, 0).await.unwrap();
        assert_eq!(
            (row.observed, row.phase),
            (Observed::Present, Phase::Settled)
        );
        assert!(house.grant(grant).await.ready_at.is_some());
        assert!(matches!(
            done(&house, OLLE, &task).await.unwrap_err().refusals(),
            [Refusal::WrongState { .. }]
        ));

        // Its end is not its removal: somebody has to do that, is reminded, and the grant says so until then.
        walk(&house, &worker, chrono::Duration::days(34)).await;
        let ended = house.grant(grant).await;
        assert_eq!((ended.state, ended.gone_at), (GrantState::Ended, None));
        let task = live(&house).await.expect("it waits for Olle");
        assert_eq!(task.call, TaskCall::Remove);
        assert!(task.reminders >= 1, "{}", task.reminders);
        let row = house.assignment(JOHAN, 0).await.unwrap();
        assert_ne!(row.observed, Observed::Absent);
        done(&house, OLLE, &task).await.unwrap();
        walk(&house, &worker, chrono::Duration::minutes(2)).await;
        assert!(house.grant(grant).await.gone_at.is_some());
        assert!(live(&house).await.is_none());
    }
}

#[tokio::test]
async fn what_was_never_confirmed_is_taken_away_all_the_same() {
    for (_, store) in testing::stores().await {
        let (house, worker) = badges(store).await;
        let grant = house
            .give(JOHAN, &[0], Some(chrono::Duration::hours(2)))
            .await;
        walk(&house, &worker, chrono::Duration::hours(30)).await;
        // Olle may have given it without saying so.
        let task = live(&house).await.expect("somebody has to look");
        assert_eq!(task.call, TaskCall::Remove);
        assert!(house.grant(grant).await.gone_at.is_none());

        // It is wanted again before anybody has looked: what was to be taken away is to be given.
        let again = house
            .give(JOHAN, &[0], Some(chrono::Duration::days(9)))
            .await;
        walk(&house, &worker, chrono::Duration::minutes(2)).await;
        let task = live(&house).await.expect("it waits for Olle");
        assert_eq!(task.call, TaskCall::Add);
        assert!(house.grant(again).await.ready_at.is_none());
        done(&house, OLLE, &task).await.unwrap();
        walk(&house, &worker, chrono::Duration::minutes(2)).await;
        assert!(house.grant(again).await.ready_at.is_some());
    }
}

#[tokio::test]
async fn asking_twice_makes_one_task_and_who_owns_the_right_leaves_it_to_others() {
    for (_, store) in testing::stores().await {
        let (house, worker) = badges(store).await;
        house.give(JOHAN, &[0], None).await;
        walk(&house, &worker, chrono::Duration::minutes(1)).await;
        let first = live(&house).await.unwrap();
        let hands = ByHand::new(house.workflow.clone());
        let row = house.assignment(JOHAN, 0).await.unwrap();
        let place = provisioner::connector::Place {
            id: row.id,
            person_id: row.person_id,
            entitlement_id: right(0),
            ..fake::place(TENANT, user(JOHAN))
        };
        for _ in 0..2 {
            hands.ensure_present(&place).await;
        }
        assert_eq!(live(&house).await.unwrap().id, first.id);
        assert!(hands.diagnose().await.iter().all(|finding| finding.fine));

        // Olle asks for it himself: an operator has to do it.
        house.give(OLLE, &[0], None).await;
        walk(&house, &worker, chrono::Duration::minutes(1)).await;
        let own = house.assignment(OLLE, 0).await.unwrap().id;
        let own = house
            .workflow
            .store()
            .read()
            .await
            .unwrap()
            .live_task(own)
            .await;
        let own = own.unwrap().expect("it waits");
        assert!(matches!(
            done(&house, OLLE, &own).await,
            Err(Error::Missing)
        ));
        let engine = house.workflow.store().engine();
        testing::raw(
            house.workflow.store(),
            &format!(
                "INSERT INTO portal_roles (account_id, role, source, since) VALUES ({}, 'operator', 'directory', {})",
                testing::literal(engine, crate::house::account(MAYA).0),
                match engine {
                    store::Engine::Sqlite => "0",
                    store::Engine::Postgres => "now()",
                }
            ),
        )
        .await
        .unwrap();
        let mut maya = house.viewer(MAYA).await;
        maya.roles = vec![PortalRole::Operator];
        tasks::done(&house.workflow, &maya, own.id, "")
            .await
            .unwrap();
    }
}
