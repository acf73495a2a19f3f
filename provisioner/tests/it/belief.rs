//! What a read may be believed to say, and when it must be asked anew: late writes, rights that were held before, and
//! accounts that come back.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::Duration as Span;
use domain::{
    assignment::{Observed, Phase},
    deadline::JobKind,
};
use provisioner::{
    connector::{Connector, Failure, Finding, Listing, Outcome, Place, Reply},
    worker::{Moment, Options, Seam, Worker},
};
use store::{
    Engine,
    jobs::{Job, Priority},
    testing,
};
use tokio::sync::Mutex;
use uuid::Uuid;
use workflow::{
    Clock,
    assignments::{self, News, Next, Report, WRITES_END_WITHIN},
    people::{self, DirectoryUser, Seen},
};

use crate::{
    fake::{Fake, Faults},
    graph,
    house::{House, TENANT, account, group, person, right, user},
};

fn well(house: &House) -> Arc<Fake> {
    Fake::new(
        house.clock.clone(),
        1,
        BTreeSet::new(),
        Faults::default(),
        Box::new(|_, _, _| Ok(())),
    )
}

fn worker(house: &House, connector: Arc<dyn Connector>) -> Worker {
    Worker::builder(house.workflow.clone(), Options::default())
        .connector("graph", connector)
        .build()
}

async fn walk(house: &House, worker: &Worker, ahead: Span) {
    worker
        .walk(house.clock.now() + ahead, Duration::ZERO, &|_| ())
        .await
        .unwrap();
}

/// Keeps how old the note of a write was when it was sent.
struct Noted {
    house: Mutex<Option<Arc<House>>>,
    ages: Mutex<Vec<Span>>,
}

impl std::fmt::Debug for Noted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Noted")
    }
}

#[async_trait]
impl Connector for Noted {
    async fn observe(&self, _: &Place) -> Reply {
        tokio::time::sleep(Duration::from_millis(400)).await;
        Reply::unasked(Outcome::Seen(Observed::Absent), "said")
    }
    async fn ensure_present(&self, place: &Place) -> Reply {
        let house = self.house.lock().await.clone().unwrap();
        let now = house.clock.now();
        let mut tx = house.workflow.store().read().await.unwrap();
        let row = tx.assignment(place.id).await.unwrap().unwrap();
        drop(tx);
        let noted = row.added_at.unwrap() - WRITES_END_WITHIN;
        self.ages.lock().await.push(now - noted);
        tokio::time::sleep(Duration::from_millis(400)).await;
        Reply::unasked(Outcome::Done, "said")
    }
    async fn ensure_absent(&self, _: &Place) -> Reply {
        Reply::unasked(Outcome::Done, "said")
    }
    async fn list(&self, _: &str, _: &str) -> Result<Listing, Failure> {
        Ok(Listing::default())
    }
    async fn diagnose(&self) -> Vec<Finding> {
        Vec::new()
    }
}

#[tokio::test]
async fn a_write_that_waits_for_its_turn_is_noted_when_it_is_sent() {
    let store = testing::store(Engine::Sqlite).await;
    let house = Arc::new(House::with_clock(store, 1, 1, 12, Clock::system()).await);
    let rights: Vec<usize> = (0..12).collect();
    house.give(0, &rights, None).await;
    let noted = Arc::new(Noted {
        house: Mutex::new(Some(Arc::clone(&house))),
        ages: Mutex::default(),
    });
    let options = Options {
        calls_per_target: 2,
        ..Options::default()
    };
    let worker = Worker::builder(house.workflow.clone(), options)
        .connector("graph", Arc::clone(&noted) as _)
        .build();
    worker.drain().await.unwrap();
    let ages = noted.ages.lock().await.clone();
    // Twelve lanes, two calls at once: the last write waits for two seconds and more.
    assert_eq!(ages.len(), 12);
    assert!(
        ages.iter().all(|age| *age < Span::milliseconds(1300)),
        "{ages:?}"
    );
}

/// Ends the worker at a moment.
#[derive(Debug)]
struct EndsAt(Moment, tokio::sync::Notify);

impl Seam for EndsAt {
    fn stops(&self, moment: Moment) -> bool {
        let stops = moment == self.0;
        if stops {
            self.1.notify_one();
        }
        stops
    }
}

/// The worker dies at a moment; what it was doing is left as it is.
async fn die(house: &House, connector: Arc<dyn Connector>, moment: Moment) {
    let seam = Arc::new(EndsAt(moment, tokio::sync::Notify::new()));
    let options = Options {
        calls_per_target: 1,
        ..Options::default()
    };
    let doomed = Worker::builder(house.workflow.clone(), options)
        .connector("graph", connector)
        .seam(Arc::clone(&seam) as _)
        .build();
    tokio::select! {
        () = seam.1.notified() => {}
        done = doomed.drain() => panic!("it lives: {done:?}"),
    }
}

#[tokio::test]
async fn an_addition_whose_answer_nobody_heard_is_doubted_as_long_as_it_may_take() {
    for (_, store) in testing::stores().await {
        let house = House::build(store, 1, 1, 1).await;
        // Died with the addition under way: it takes effect 50 seconds later.
        let id = house.give(0, &[0], None).await;
        // The first call, a read, is let through; the second is the addition.
        let fake = well(&house);
        let first = worker(&house, Arc::clone(&fake) as _);
        let mut unit = house.unit().await;
        let now = unit.now;
        let jobs = unit
            .tx
            .claim_jobs(
                Priority::Normal,
                &[JobKind::Converge],
                now,
                now + Span::minutes(2),
                Uuid::from_u128(1),
                1,
            )
            .await
            .unwrap();
        unit.commit().await.unwrap();
        let row = house.assignment(0, 0).await.unwrap();
        let read = News::Called {
            call: assignments::Call::Read,
            at: now,
            outcome: Outcome::Seen(Observed::Absent),
            evidence: assignments::Evidence::default(),
        };
        let next = advance(&house, &[report(&jobs[0], &row, read)]).await;
        assert!(matches!(next[0], Next::Write { .. }));
        let sent = house.clock.now();
        house.clock.move_to(sent + Span::seconds(1));
        house.give_back(0, id).await;
        // A new process, on the same database, reads before the addition took effect.
        drop_leases(&house).await;
        walk(&house, &first, Span::seconds(45)).await;
        assert_eq!(house.grant(id).await.gone_at, None, "it may still come");
        fake.put((group(0), user(0)));
        walk(&house, &first, Span::minutes(2)).await;
        assert!(fake.links().is_empty(), "it came late, and was undone");
        assert!(house.grant(id).await.gone_at.is_some());
    }
}

fn report(job: &Job, row: &store::assignments::AssignmentRow, news: News) -> Report {
    Report {
        job: job.clone(),
        assignment: row.id,
        person: row.person_id,
        news,
        not_before: None,
    }
}

async fn advance(house: &House, reports: &[Report]) -> Vec<Next> {
    let mut unit = house.unit().await;
    let next = assignments::advance(&mut unit, reports).await.unwrap();
    unit.commit().await.unwrap();
    next
}

async fn drop_leases(house: &House) {
    let mut unit = house.unit().await;
    let now = unit.now;
    unit.tx.drop_all_leases(now).await.unwrap();
    unit.commit().await.unwrap();
}

async fn claim(house: &House, priority: Priority, worker: u128) -> Vec<Job> {
    let mut unit = house.unit().await;
    let now = unit.now;
    let jobs = unit
        .tx
        .claim_jobs(
            priority,
            &[JobKind::Converge],
            now,
            now + Span::seconds(1),
            Uuid::from_u128(worker),
            10,
        )
        .await
        .unwrap();
    unit.commit().await.unwrap();
    jobs
}

#[tokio::test]
async fn of_two_attempts_in_one_batch_only_the_holder_counts() {
    for (_, store) in testing::stores().await {
        let house = House::build(store, 1, 1, 1).await;
        house.give(0, &[0], None).await;
        let stale = claim(&house, Priority::Normal, 1).await.remove(0);
        house.clock.move_to(house.clock.now() + Span::seconds(2));
        let current = claim(&house, Priority::Normal, 2).await.remove(0);
        assert_eq!(stale.key, current.key);
        let row = house.assignment(0, 0).await.unwrap();
        let next = advance(
            &house,
            &[
                report(&stale, &row, News::Begun),
                report(&current, &row, News::Begun),
            ],
        )
        .await;
        assert_eq!(next, [Next::Lost, Next::Read]);
    }
}

#[tokio::test]
async fn what_the_clock_made_a_removal_is_put_back_as_one() {
    for (_, store) in testing::stores().await {
        let house = House::build(store, 1, 1, 1).await;
        house.give(0, &[0], Some(Span::seconds(1))).await;
        let job = claim(&house, Priority::Normal, 1).await.remove(0);
        // Its end comes while the target asks for patience, and before the end's own deadline is worked.
        house.clock.move_to(house.clock.now() + Span::seconds(1));
        let row = house.assignment(0, 0).await.unwrap();
        let later = house.clock.now() + Span::seconds(5);
        advance(&house, &[report(&job, &row, News::Blocked(later))]).await;
        let mut tx = house.workflow.store().read().await.unwrap();
        let dues = tx.next_due_of_each(&[JobKind::Converge]).await.unwrap();
        assert_eq!(dues, [(Priority::Removal, later)]);
    }
}

#[tokio::test]
async fn an_end_that_a_dead_process_had_claimed_comes_soon() {
    let house = House::build(testing::store(Engine::Postgres).await, 1, 1, 1).await;
    let fake = well(&house);
    let living = worker(&house, Arc::clone(&fake) as _);
    let id = house.give(0, &[0], Some(Span::minutes(5))).await;
    walk(&house, &living, Span::minutes(4)).await;
    assert!(house.grant(id).await.ready_at.is_some());
    house.clock.move_to(house.clock.now() + Span::minutes(1));
    die(&house, Arc::clone(&fake) as _, Moment::Claimed).await;
    walk(&house, &living, Span::seconds(16)).await;
    assert!(house.grant(id).await.ended_at.is_some());
    assert!(fake.links().is_empty());
}

#[tokio::test]
async fn a_new_grant_of_what_is_held_is_ready_after_a_read() {
    for (_, store) in testing::stores().await {
        let house = House::build(store, 1, 1, 1).await;
        let fake = well(&house);
        let worker = worker(&house, Arc::clone(&fake) as _);
        house.give(0, &[0], None).await;
        walk(&house, &worker, Span::minutes(1)).await;
        // Somebody takes it away at the target; nobody has looked since.
        walk(&house, &worker, Span::days(30)).await;
        fake.take((group(0), user(0)));
        let second = house.give(0, &[0], Some(Span::days(1))).await;
        let row = house.grant(second).await;
        assert_eq!(row.ready_at, None, "an old observation confirms nothing");
        worker.drain().await.unwrap();
        assert_eq!(house.grant(second).await.ready_at, None);
        walk(&house, &worker, Span::seconds(10)).await;
        assert!(house.grant(second).await.ready_at.is_some());
        assert!(fake.links().contains(&(group(0), user(0))));
        // What was read a moment ago needs no second read.
        let third = house.give(0, &[0], Some(Span::days(1))).await;
        assert!(house.grant(third).await.ready_at.is_some());
    }
}

#[tokio::test]
async fn an_account_that_comes_back_does_not_bring_its_rights_back() {
    for (_, store) in testing::stores().await {
        let house = House::build(store, 1, 1, 2).await;
        let (sandbox, groups) = graph::target(1, 2).await;
        let worker = worker(&house, groups);
        let id = house.give(0, &[0], None).await;
        // Ends by itself in the hour in which nobody knows of the deletion yet.
        let timed = house.give(0, &[1], Some(Span::minutes(30))).await;
        walk(&house, &worker, Span::minutes(1)).await;
        assert!(house.grant(id).await.ready_at.is_some());
        let account_of = sandbox
            .directory()
            .users
            .into_iter()
            .find(|one| one.id == user(0))
            .unwrap();

        sandbox.delete_user(user(0));
        walk(&house, &worker, Span::hours(1)).await;
        assert!(house.grant(timed).await.ended_at.is_some());
        tell(&house, Seen::Gone(user(0))).await;
        walk(&house, &worker, Span::hours(1)).await;
        assert!(house.grant(id).await.ended_at.is_some());

        // Restored within the thirty days, with all of its memberships.
        sandbox.put_user(account_of);
        assert!(sandbox.members(group(0)).contains(&user(0)));
        house.clock.move_to(house.clock.now() + Span::days(3));
        let back = DirectoryUser {
            object: user(0),
            name: "Person 0".into(),
            user_name: "person0@contoso.example".into(),
            user_type: "member".into(),
            enabled: true,
            ..DirectoryUser::default()
        };
        tell(&house, Seen::User(Box::new(back))).await;
        walk(&house, &worker, Span::minutes(2)).await;
        for what in 0..2 {
            assert!(
                !sandbox.members(group(what)).contains(&user(0)),
                "right {what}"
            );
            let row = house.assignment(0, what).await.unwrap();
            assert_eq!(
                (row.phase, row.observed, row.desired),
                (Phase::Settled, Observed::Absent, false)
            );
            assert_eq!(
                (row.account_id, row.entitlement_id),
                (account(0), right(what))
            );
        }
        assert_eq!(house.viewer(0).await.id(), person(0));
    }
}

async fn tell(house: &House, seen: Seen) {
    people::apply_directory(&house.workflow, TENANT, &[seen])
        .await
        .unwrap();
}
