//! The worker itself: whole journeys, what it does first, what keeps it from a target, and several at once.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use domain::{
    assignment::{Observed, Origin, Phase},
    deadline::JobKind,
    grant::{GrantSource, GrantState},
    person::PortalRole,
};
use provisioner::{
    connector::{Connector, Failure, Finding, Listing, Outcome, Place, Reply},
    mailer::{Letter, Mailer, NotSent},
    worker::{Options, Recurring, WORK, Worker},
};
use sandbox::FaultKind;
use store::testing;
use tokio_util::sync::CancellationToken;
use workflow::{
    Clock, Error,
    assignments::{self, Problem},
};

use crate::{
    fake::{Fake, Faults},
    graph,
    house::{House, TENANT, group, person, user},
};

const NOT: Duration = Duration::ZERO;

/// A target in memory without faults; nobody judges.
fn well(house: &House, there: BTreeSet<(uuid::Uuid, uuid::Uuid)>) -> Arc<Fake> {
    Fake::new(
        house.clock.clone(),
        1,
        there,
        Faults::default(),
        Box::new(|_, _, _| Ok(())),
    )
}

fn worker(house: &House, connector: Arc<dyn Connector>) -> Worker {
    Worker::builder(house.workflow.clone(), Options::default())
        .connector("graph", connector)
        .build()
}

async fn walk(house: &House, worker: &Worker, ahead: chrono::Duration) {
    worker
        .walk(house.clock.now() + ahead, NOT, &|_| ())
        .await
        .unwrap();
}

/// Says what it is told to say, and keeps the order of calls.
#[derive(Debug, Default)]
struct Parrot {
    says: Mutex<Option<Outcome>>,
    calls: Mutex<Vec<String>>,
}

impl Parrot {
    fn say(&self, outcome: Option<Outcome>) {
        *self.says.lock().unwrap() = outcome;
    }

    fn reply(&self, call: &str, place: &Place, otherwise: Outcome) -> Reply {
        self.calls
            .lock()
            .unwrap()
            .push(format!("{call} {}", place.name));
        Reply::unasked(
            self.says.lock().unwrap().clone().unwrap_or(otherwise),
            "said",
        )
    }
}

#[async_trait]
impl Connector for Parrot {
    async fn observe(&self, place: &Place) -> Reply {
        self.reply("read", place, Outcome::Seen(Observed::Absent))
    }
    async fn ensure_present(&self, place: &Place) -> Reply {
        self.reply("add", place, Outcome::Done)
    }
    async fn ensure_absent(&self, place: &Place) -> Reply {
        self.reply("remove", place, Outcome::Done)
    }
    async fn list(&self, _: &str, _: &str) -> Result<Listing, Failure> {
        Ok(Listing::default())
    }
    async fn diagnose(&self) -> Vec<Finding> {
        Vec::new()
    }
}

#[tokio::test]
async fn access_comes_is_read_back_ends_and_is_read_back_as_gone() {
    for (_, store) in testing::stores().await {
        let house = House::build(store, 1, 1, 1).await;
        let fake = well(&house, BTreeSet::new());
        let worker = worker(&house, Arc::clone(&fake) as _);
        let id = house.give(0, &[0], Some(chrono::Duration::hours(8))).await;
        worker.drain().await.unwrap();
        let row = house.assignment(0, 0).await.unwrap();
        assert_eq!(
            (row.phase, row.origin),
            (Phase::Settling, Some(Origin::Ours))
        );
        assert_eq!(
            house.grant(id).await.ready_at,
            None,
            "accepted is not ready"
        );
        walk(&house, &worker, chrono::Duration::seconds(1)).await;
        assert!(house.grant(id).await.ready_at.is_some());
        assert!(fake.links().contains(&(group(0), user(0))));

        let end = house.grant(id).await.end_at.unwrap();
        walk(
            &house,
            &worker,
            end - house.clock.now() - chrono::Duration::milliseconds(1),
        )
        .await;
        assert!(
            fake.links().contains(&(group(0), user(0))),
            "not a moment too early"
        );
        walk(&house, &worker, chrono::Duration::milliseconds(1)).await;
        assert!(
            fake.links().is_empty(),
            "due and removed in the same second"
        );
        let row = house.grant(id).await;
        assert_eq!(
            (row.state, row.gone_at),
            (GrantState::Ended, None),
            "revoked is not gone"
        );
        walk(&house, &worker, chrono::Duration::seconds(1)).await;
        assert!(house.grant(id).await.gone_at.is_some());
        let row = house.assignment(0, 0).await.unwrap();
        assert_eq!(
            (row.phase, row.observed, row.origin),
            (Phase::Settled, Observed::Absent, None)
        );
        let mut tx = house.workflow.store().read().await.unwrap();
        let kinds: Vec<String> = tx
            .operations_of(row.id, 100)
            .await
            .unwrap()
            .into_iter()
            .rev()
            .map(|call| format!("{} {}", call.kind, call.outcome))
            .collect();
        assert_eq!(
            kinds,
            [
                "read absent",
                "add done",
                "read present",
                "remove done",
                "read absent"
            ]
        );
    }
}

#[tokio::test]
async fn what_was_held_before_outlives_a_timed_grant_but_not_a_leave() {
    for (_, store) in testing::stores().await {
        let house = House::build(store, 1, 2, 1).await;
        let there = BTreeSet::from([(group(0), user(0)), (group(0), user(1))]);
        let fake = well(&house, there.clone());
        let worker = worker(&house, Arc::clone(&fake) as _);
        let ids = [
            house.give(0, &[0], Some(chrono::Duration::hours(1))).await,
            // Ends before the first read.
            house
                .give(1, &[0], Some(chrono::Duration::milliseconds(1)))
                .await,
        ];
        house
            .clock
            .move_to(house.clock.now() + chrono::Duration::milliseconds(2));
        walk(&house, &worker, chrono::Duration::hours(2)).await;
        assert_eq!(fake.links(), there);
        for (who, id) in ids.into_iter().enumerate() {
            assert_eq!(
                house.assignment(who, 0).await.unwrap().origin,
                Some(Origin::Found)
            );
            let row = house.grant(id).await;
            assert!(
                row.ended_at.is_some() && row.gone_at.is_none(),
                "ended, still held"
            );
            let mut tx = house.workflow.store().read().await.unwrap();
            let live = tx.live_grants_of_person(person(who)).await.unwrap();
            assert_eq!(
                live.iter().map(|grant| grant.source).collect::<Vec<_>>(),
                [GrantSource::Import]
            );
        }
        house.leave(0).await;
        walk(&house, &worker, chrono::Duration::hours(1)).await;
        assert_eq!(fake.links(), BTreeSet::from([(group(0), user(1))]));
        assert!(house.grant(ids[0]).await.gone_at.is_some());
    }
}

#[tokio::test]
async fn removals_come_first() {
    let house = House::build(testing::store(store::Engine::Sqlite).await, 1, 1, 12).await;
    let fake = well(&house, BTreeSet::new());
    let ending = house.give(0, &[11], None).await;
    let first = worker(&house, fake as _);
    walk(&house, &first, chrono::Duration::seconds(40)).await;
    assert!(house.grant(ending).await.ready_at.is_some());
    for right in 0..11 {
        house.give(0, &[right], None).await;
    }
    house
        .clock
        .move_to(house.clock.now() + chrono::Duration::seconds(1));
    house.give_back(0, ending).await;
    let parrot = Arc::<Parrot>::default();
    let options = Options {
        calls_per_target: 1,
        ..Options::default()
    };
    let second = Worker::builder(house.workflow.clone(), options)
        .connector("graph", Arc::clone(&parrot) as _)
        .build();
    second.drain().await.unwrap();
    // The additions were due first, and still the removal is what is sent first.
    assert_eq!(parrot.calls.lock().unwrap()[0], "remove Right 11");
}

#[tokio::test]
async fn a_target_that_asks_for_patience_is_left_alone_until_then() {
    for (_, store) in testing::stores().await {
        let house = House::build(store, 1, 1, 5).await;
        let parrot = Arc::<Parrot>::default();
        let after = Some(chrono::Duration::milliseconds(2500));
        parrot.say(Some(Outcome::Failed(Failure::Later {
            after,
            throttled: true,
            why: "429".into(),
        })));
        let options = Options {
            calls_per_target: 1,
            ..Options::default()
        };
        let worker = Worker::builder(house.workflow.clone(), options)
            .connector("graph", Arc::clone(&parrot) as _)
            .build();
        house.give(0, &[0, 1, 2, 3, 4], None).await;
        worker.drain().await.unwrap();
        assert_eq!(
            parrot.calls.lock().unwrap().len(),
            1,
            "one answer closes the target for all"
        );
        parrot.say(None);
        walk(&house, &worker, chrono::Duration::milliseconds(2400)).await;
        assert_eq!(parrot.calls.lock().unwrap().len(), 1);
        let mut tx = house.workflow.store().read().await.unwrap();
        assert!(
            tx.target(house.target)
                .await
                .unwrap()
                .unwrap()
                .problem
                .is_some()
        );
        drop(tx);
        walk(&house, &worker, chrono::Duration::milliseconds(1200)).await;
        assert!(parrot.calls.lock().unwrap().len() > 5);
        let mut tx = house.workflow.store().read().await.unwrap();
        assert!(
            tx.target(house.target)
                .await
                .unwrap()
                .unwrap()
                .problem
                .is_none()
        );
    }
}

#[tokio::test]
async fn giving_up_is_seen_explained_and_retried() {
    for (_, store) in testing::stores().await {
        let house = House::build(store, 1, 1, 1).await;
        let parrot = Arc::<Parrot>::default();
        let worker = worker(&house, Arc::clone(&parrot) as _);
        parrot.say(Some(Outcome::Failed(Failure::Later {
            after: None,
            throttled: false,
            why: "503".into(),
        })));
        let id = house.give(0, &[0], None).await;
        walk(&house, &worker, chrono::Duration::minutes(5)).await;
        let row = house.assignment(0, 0).await.unwrap();
        assert_eq!(row.phase, Phase::Attention);
        let problem = Problem::read(row.problem.as_deref().unwrap()).unwrap();
        assert!(
            problem.attempts >= 6 && problem.what.contains("503") && !problem.fix.is_empty(),
            "{problem:?}"
        );
        let calls = parrot.calls.lock().unwrap().len();
        walk(&house, &worker, chrono::Duration::minutes(30)).await;
        assert!(
            parrot.calls.lock().unwrap().len() > calls,
            "it goes on trying"
        );

        parrot.say(Some(Outcome::Failed(Failure::Never {
            why: "It is synchronised.".into(),
            fix: "Go there.".into(),
        })));
        walk(&house, &worker, chrono::Duration::minutes(30)).await;
        let row = house.assignment(0, 0).await.unwrap();
        assert!(
            row.problem
                .as_deref()
                .unwrap()
                .contains("It is synchronised.")
        );

        let mut viewer = house.viewer(0).await;
        assert!(matches!(
            assignments::retry(&house.workflow, &viewer, row.id).await,
            Err(Error::Forbidden)
        ));
        viewer.roles = vec![PortalRole::Operator];
        let fake = well(&house, BTreeSet::new());
        let mended = self::worker(&house, fake as _);
        assignments::retry(&house.workflow, &viewer, row.id)
            .await
            .unwrap();
        mended.drain().await.unwrap();
        walk(&house, &mended, chrono::Duration::seconds(1)).await;
        let row = house.assignment(0, 0).await.unwrap();
        assert_eq!(
            (row.phase, row.problem, row.attempts),
            (Phase::Settled, None, 0)
        );
        assert!(house.grant(id).await.ready_at.is_some());
        assert!(matches!(
            assignments::retry(&house.workflow, &viewer, row.id).await,
            Err(Error::Stale)
        ));
    }
}

/// How often somebody asked for another try, by the log.
async fn retries(house: &House) -> usize {
    let mut tx = house.workflow.store().read().await.unwrap();
    let rows = tx.audit_after(0, 10_000).await.unwrap();
    rows.iter()
        .filter(|row| row.kind == "assignment_retried")
        .count()
}

#[tokio::test]
async fn a_retry_does_not_shorten_the_patience_that_a_target_asked_for() {
    for (_, store) in testing::stores().await {
        let house = House::build(store, 1, 1, 1).await;
        let parrot = Arc::<Parrot>::default();
        let worker = worker(&house, Arc::clone(&parrot) as _);
        let mut viewer = house.viewer(0).await;
        viewer.roles = vec![PortalRole::Operator];
        parrot.say(Some(Outcome::Failed(Failure::Later {
            after: Some(chrono::Duration::minutes(20)),
            throttled: true,
            why: "429".into(),
        })));
        house.give(0, &[0], None).await;
        walk(&house, &worker, chrono::Duration::seconds(5)).await;
        let closed = async || {
            let mut tx = house.workflow.store().read().await.unwrap();
            tx.target(house.target).await.unwrap().unwrap().not_before
        };
        let (before, row) = (closed().await, house.assignment(0, 0).await.unwrap());
        assert!(before.is_some_and(|at| at > house.clock.now()));
        // Nothing has gone wrong with it: pressing the button again and again writes nothing and calls nobody.
        for _ in 0..3 {
            assignments::retry(&house.workflow, &viewer, row.id)
                .await
                .unwrap();
        }
        assert_eq!(retries(&house).await, 0);
        // Something has, but the target still asks for patience.
        let at = row.id.0;
        let problem = serde_json::json!({"what": "w", "fix": "f", "call": "add", "attempts": 6, "since": house.clock.now()});
        let raw = format!(
            "UPDATE assignments SET phase = 'attention', attempts = 6, problem = '{problem}' WHERE id = {}",
            testing::literal(house.workflow.store().engine(), at)
        );
        testing::raw(house.workflow.store(), &raw).await.unwrap();
        let calls = parrot.calls.lock().unwrap().len();
        assignments::retry(&house.workflow, &viewer, row.id)
            .await
            .unwrap();
        assert_eq!(retries(&house).await, 1);
        assert_eq!(closed().await, before);
        walk(&house, &worker, chrono::Duration::minutes(19)).await;
        assert_eq!(parrot.calls.lock().unwrap().len(), calls);
        parrot.say(None);
        walk(&house, &worker, chrono::Duration::minutes(2)).await;
        assert!(parrot.calls.lock().unwrap().len() > calls);
    }
}

#[tokio::test]
async fn a_retry_after_mending_a_wrong_set_up_waits_for_nobody() {
    for (_, store) in testing::stores().await {
        let house = House::build(store, 1, 1, 1).await;
        let parrot = Arc::<Parrot>::default();
        let wrong = worker(&house, Arc::clone(&parrot) as _);
        let mut viewer = house.viewer(0).await;
        viewer.roles = vec![PortalRole::Operator];
        parrot.say(Some(Outcome::Failed(Failure::Misconfigured {
            what: "The permission is missing.".into(),
            fix: "Grant it.".into(),
            everywhere: true,
        })));
        house.give(0, &[0], None).await;
        walk(&house, &wrong, chrono::Duration::seconds(5)).await;
        let row = house.assignment(0, 0).await.unwrap();
        assert_eq!(row.phase, Phase::Attention);
        let mended = worker(&house, well(&house, BTreeSet::new()) as _);
        assignments::retry(&house.workflow, &viewer, row.id)
            .await
            .unwrap();
        walk(&house, &mended, chrono::Duration::seconds(30)).await;
        let row = house.assignment(0, 0).await.unwrap();
        assert_eq!(row.phase, Phase::Settled);
    }
}

#[tokio::test]
async fn a_held_target_gets_nothing_until_it_is_let_go() {
    for (_, store) in testing::stores().await {
        let house = House::build(store, 1, 1, 1).await;
        let parrot = Arc::<Parrot>::default();
        let worker = worker(&house, Arc::clone(&parrot) as _);
        let mut viewer = house.viewer(0).await;
        viewer.roles = vec![PortalRole::Operator];
        assignments::pause_target(&house.workflow, &viewer, house.target, "maintenance")
            .await
            .unwrap();
        house.give(0, &[0], None).await;
        walk(&house, &worker, chrono::Duration::hours(1)).await;
        assert!(parrot.calls.lock().unwrap().is_empty());
        assignments::resume_target(&house.workflow, &viewer, house.target)
            .await
            .unwrap();
        worker.drain().await.unwrap();
        assert_eq!(
            *parrot.calls.lock().unwrap(),
            ["read Right 0", "add Right 0"]
        );
    }
}

#[tokio::test]
async fn a_change_while_a_call_is_under_way_is_not_lost() {
    /// Gives the grant back while the addition is under way.
    #[derive(Debug)]
    struct Meanwhile {
        fake: Arc<Fake>,
        act: tokio::sync::mpsc::Sender<()>,
        done: tokio::sync::Mutex<tokio::sync::mpsc::Receiver<()>>,
    }
    #[async_trait]
    impl Connector for Meanwhile {
        async fn observe(&self, place: &Place) -> Reply {
            self.fake.observe(place).await
        }
        async fn ensure_present(&self, place: &Place) -> Reply {
            self.act.send(()).await.unwrap();
            self.done.lock().await.recv().await.unwrap();
            self.fake.ensure_present(place).await
        }
        async fn ensure_absent(&self, place: &Place) -> Reply {
            self.fake.ensure_absent(place).await
        }
        async fn list(&self, kind: &str, id: &str) -> Result<Listing, Failure> {
            self.fake.list(kind, id).await
        }
        async fn diagnose(&self) -> Vec<Finding> {
            Vec::new()
        }
    }
    for (_, store) in testing::stores().await {
        let house = House::build(store, 1, 1, 1).await;
        let fake = well(&house, BTreeSet::new());
        let (act, mut acting) = tokio::sync::mpsc::channel(1);
        let (finish, done) = tokio::sync::mpsc::channel(1);
        let slow = Meanwhile {
            fake: Arc::clone(&fake),
            act,
            done: tokio::sync::Mutex::new(done),
        };
        let worker = worker(&house, Arc::new(slow));
        let id = house.give(0, &[0], None).await;
        let giving_back = async {
            acting.recv().await.unwrap();
            house.give_back(0, id).await;
            finish.send(()).await.unwrap();
        };
        let (drained, ()) = tokio::join!(worker.drain(), giving_back);
        drained.unwrap();
        assert!(
            fake.links().is_empty(),
            "removed at once, without waiting for a read"
        );
        assert_eq!(
            house.grant(id).await.gone_at,
            None,
            "a read so soon may be stale"
        );
        walk(&house, &worker, chrono::Duration::minutes(1)).await;
        assert!(house.grant(id).await.gone_at.is_some());
    }
}

#[tokio::test]
async fn two_workers_share_one_queue() {
    let house = House::build(testing::store(store::Engine::Postgres).await, 1, 30, 6).await;
    let fake = well(&house, BTreeSet::new());
    for who in 0..30 {
        house
            .give(who, &[0, 1, 2, 3, 4, 5], Some(chrono::Duration::hours(1)))
            .await;
    }
    let (one, two) = (
        worker(&house, Arc::clone(&fake) as _),
        worker(&house, Arc::clone(&fake) as _),
    );
    let both = || async {
        let (first, second) = tokio::join!(Box::pin(one.drain()), Box::pin(two.drain()));
        (first.unwrap(), second.unwrap())
    };
    Box::pin(both()).await;
    house
        .clock
        .move_to(house.clock.now() + chrono::Duration::seconds(1));
    Box::pin(both()).await;
    assert_eq!(fake.links().len(), 180);
    house
        .clock
        .move_to(house.clock.now() + chrono::Duration::hours(1));
    Box::pin(both()).await;
    assert!(fake.links().is_empty());
    house
        .clock
        .move_to(house.clock.now() + chrono::Duration::seconds(1));
    Box::pin(both()).await;
    assert_eq!(
        house.next_due(&[JobKind::Converge]).await,
        None,
        "everything is settled"
    );
}

/// Takes letters, or refuses them.
#[derive(Debug, Default)]
struct Mailbox {
    taken: Mutex<Vec<Letter>>,
    refuses: Mutex<Option<NotSent>>,
}

#[async_trait]
impl Mailer for Mailbox {
    async fn send(&self, letter: &Letter) -> Result<(), NotSent> {
        if let Some(problem) = self.refuses.lock().unwrap().clone() {
            return Err(problem);
        }
        self.taken.lock().unwrap().push(letter.clone());
        Ok(())
    }
}

#[tokio::test]
async fn mails_are_sent_once_and_kept_until_they_are() {
    for (_, store) in testing::stores().await {
        let house = House::build(store, 1, 1, 1).await;
        let mut unit = house.unit().await;
        let mut row = unit.tx.person(person(0)).await.unwrap().unwrap();
        row.mail = "johan@contoso.example".into();
        unit.tx.update_person(&row).await.unwrap();
        unit.commit().await.unwrap();
        let mailbox = Arc::<Mailbox>::default();
        *mailbox.refuses.lock().unwrap() = Some(NotSent {
            what: "421 busy".into(),
            permanent: false,
        });
        let fake = well(&house, BTreeSet::new());
        let worker = Worker::builder(house.workflow.clone(), Options::default())
            .connector("graph", fake as _)
            .mailer(Arc::clone(&mailbox) as _)
            .build();
        house.give(0, &[0], None).await;
        walk(&house, &worker, chrono::Duration::seconds(10)).await;
        assert!(mailbox.taken.lock().unwrap().is_empty());
        *mailbox.refuses.lock().unwrap() = None;
        walk(&house, &worker, chrono::Duration::minutes(10)).await;
        let taken = mailbox.taken.lock().unwrap().clone();
        assert_eq!(taken.len(), 1, "{taken:?}");
        assert_eq!(taken[0].address, "johan@contoso.example");
        assert_eq!(house.next_due(&WORK).await, None);
    }
}

#[derive(Debug, Default)]
struct Rounds(Mutex<usize>);

#[async_trait]
impl Recurring for Rounds {
    async fn run(&self) -> Result<(), String> {
        *self.0.lock().unwrap() += 1;
        Err("always".into())
    }
}

/// The whole thing in real time: the worker's own loop, over HTTP, against the sandbox whose reads lag.
#[tokio::test]
async fn the_loop_wakes_works_and_stops() {
    for (_, store) in testing::stores().await {
        let house = House::with_clock(store, 1, 1, 1, Clock::system()).await;
        assert_eq!(
            TENANT,
            house
                .workflow
                .store()
                .read()
                .await
                .unwrap()
                .target(house.target)
                .await
                .unwrap()
                .unwrap()
                .tenant_id
                .unwrap()
        );
        let (sandbox, groups) = graph::target(1, 1).await;
        sandbox.fail(FaultKind::Lag { ms: 300 });
        let rounds = Arc::<Rounds>::default();
        let worker = Worker::builder(
            house.workflow.clone(),
            Options {
                poll: Duration::from_mins(1),
                ..Options::default()
            },
        )
        .connector("graph", groups)
        .every(
            JobKind::DirectorySync,
            Duration::from_millis(200),
            Arc::clone(&rounds) as _,
        )
        .build();
        let stop = CancellationToken::new();
        let running = tokio::spawn({
            let (worker, stop) = (worker.clone(), stop.clone());
            async move { worker.run(stop).await }
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
        let id = house
            .give(0, &[0], Some(chrono::Duration::seconds(4)))
            .await;
        let end = house.grant(id).await.end_at.unwrap();
        until("ready", || async {
            house.grant(id).await.ready_at.is_some()
        })
        .await;
        assert!(house.clock.now() < end, "ready before its end");
        assert!(sandbox.members(group(0)).contains(&user(0)));
        until("removed", || async {
            !sandbox.members(group(0)).contains(&user(0))
        })
        .await;
        assert!(house.clock.now() >= end, "not before its end");
        stop.cancel();
        tokio::time::timeout(Duration::from_secs(10), running)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        assert!(
            *rounds.0.lock().unwrap() > 2,
            "what recurs comes round, also when it fails"
        );
        // Another process goes on where this one stopped; a removal so soon after the addition is believed late.
        assert_eq!(house.grant(id).await.state, GrantState::Ended);
    }
}

async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    for _ in 0..1500 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never {what}");
}
