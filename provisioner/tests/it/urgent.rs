//! What must not wait: removals behind additions, and everything behind a mail server that hangs; in real time, with the
//! worker's own loop against a slow target.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use domain::{GrantId, assignment::Observed, person::PortalRole};
use provisioner::{
    connector::{Connector, Failure, Finding, Listing, Outcome, Place, Reply},
    mailer::{Letter, Mailer, NotSent},
    worker::{Options, Worker},
};
use store::{Engine, testing};
use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;
use workflow::{
    Clock, assignments,
    mail::{self, Mail},
};

use crate::house::{House, person};

/// A target that takes its time.
#[derive(Debug)]
struct Slow {
    takes: Duration,
    links: Mutex<BTreeSet<(String, uuid::Uuid)>>,
    calls: Mutex<Vec<(Instant, &'static str)>>,
}

impl Slow {
    fn new(takes: Duration) -> Arc<Self> {
        Arc::new(Self {
            takes,
            links: Mutex::default(),
            calls: Mutex::default(),
        })
    }

    async fn call(&self, call: &'static str) {
        self.calls.lock().unwrap().push((Instant::now(), call));
        tokio::time::sleep(self.takes).await;
    }

    fn count(&self, call: &str) -> usize {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|(_, made)| *made == call).count()
    }

    /// When the first removal was sent.
    fn removed(&self) -> Option<Instant> {
        let calls = self.calls.lock().unwrap();
        calls
            .iter()
            .find(|(_, call)| *call == "remove")
            .map(|(at, _)| *at)
    }
}

#[async_trait]
impl Connector for Slow {
    async fn observe(&self, place: &Place) -> Reply {
        self.call("read").await;
        let held = (place.external_id.clone(), place.object_id);
        let there = self.links.lock().unwrap().contains(&held);
        let seen = if there {
            Observed::Present
        } else {
            Observed::Absent
        };
        Reply::unasked(Outcome::Seen(seen), "said")
    }
    async fn ensure_present(&self, place: &Place) -> Reply {
        self.call("add").await;
        let held = (place.external_id.clone(), place.object_id);
        self.links.lock().unwrap().insert(held);
        Reply::unasked(Outcome::Done, "said")
    }
    async fn ensure_absent(&self, place: &Place) -> Reply {
        self.call("remove").await;
        let held = (place.external_id.clone(), place.object_id);
        self.links.lock().unwrap().remove(&held);
        Reply::unasked(Outcome::Done, "said")
    }
    async fn list(&self, _: &str, _: &str) -> Result<Listing, Failure> {
        Ok(Listing::default())
    }
    async fn diagnose(&self) -> Vec<Finding> {
        Vec::new()
    }
}

/// A worker's loop that ends with the test.
struct Running {
    stop: CancellationToken,
    ended: JoinHandle<workflow::Result<()>>,
}

impl Running {
    fn start(worker: &Worker) -> Self {
        let stop = CancellationToken::new();
        let ended = tokio::spawn({
            let (worker, stop) = (worker.clone(), stop.clone());
            async move { worker.run(stop).await }
        });
        Self { stop, ended }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.ended.await.unwrap().unwrap();
    }
}

fn options(calls_per_target: usize) -> Options {
    Options {
        calls_per_target,
        grace: Duration::from_secs(1),
        ..Options::default()
    }
}

async fn house(people: usize, rights: usize) -> House {
    let store = testing::store(Engine::Sqlite).await;
    House::with_clock(store, 1, people, rights, Clock::system()).await
}

/// One person holds one right, confirmed.
async fn held(house: &House, slow: &Arc<Slow>, right: usize) -> GrantId {
    let held = house.give(0, &[right], None).await;
    let worker = Worker::builder(house.workflow.clone(), options(4))
        .connector("graph", Arc::clone(slow) as _)
        .build();
    while house.grant(held).await.ready_at.is_none() {
        worker.drain().await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    slow.calls.lock().unwrap().clear();
    held
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..1500 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never {what}");
}

#[tokio::test]
async fn a_removal_does_not_wait_behind_additions_to_other_groups() {
    let house = house(1, 81).await;
    let slow = Slow::new(Duration::from_millis(150));
    let ending = held(&house, &slow, 80).await;
    let worker = Worker::builder(house.workflow.clone(), options(4))
        .connector("graph", Arc::clone(&slow) as _)
        .build();
    for right in 0..80 {
        house.give(0, &[right], None).await;
    }
    let running = Running::start(&worker);
    until("under way", || slow.count("add") > 2).await;
    let due = Instant::now();
    house.give_back(0, ending).await;
    until("removed", || slow.removed().is_some()).await;
    let waited = slow.removed().unwrap() - due;
    // 160 calls, four at once, would have been six seconds.
    assert!(waited < Duration::from_millis(1500), "{waited:?}");
    running.stop().await;
}

#[tokio::test]
async fn a_removal_does_not_wait_behind_additions_to_the_same_group() {
    let house = house(30, 1).await;
    let slow = Slow::new(Duration::from_millis(100));
    let ending = held(&house, &slow, 0).await;
    for who in 1..30 {
        house.give(who, &[0], None).await;
    }
    let worker = Worker::builder(house.workflow.clone(), options(4))
        .connector("graph", Arc::clone(&slow) as _)
        .build();
    let running = Running::start(&worker);
    until("under way", || slow.count("add") > 1).await;
    let due = Instant::now();
    house.give_back(0, ending).await;
    until("removed", || slow.removed().is_some()).await;
    let waited = slow.removed().unwrap() - due;
    // 29 people, a read and an addition each, one after another, would have been nearly six seconds.
    assert!(waited < Duration::from_millis(1500), "{waited:?}");
    until("everybody was added", || slow.count("add") >= 29).await;
    running.stop().await;
}

#[tokio::test]
async fn a_hold_counts_from_the_next_call_on() {
    let house = house(40, 1).await;
    let slow = Slow::new(Duration::from_millis(100));
    for who in 0..40 {
        house.give(who, &[0], None).await;
    }
    let worker = Worker::builder(house.workflow.clone(), options(4))
        .connector("graph", Arc::clone(&slow) as _)
        .build();
    let running = Running::start(&worker);
    until("under way", || slow.count("add") > 1).await;
    let mut viewer = house.viewer(0).await;
    viewer.roles = vec![PortalRole::Operator];
    assignments::pause_target(&house.workflow, &viewer, house.target, "maintenance")
        .await
        .unwrap();
    // Not only from the next claim on: one claim took all forty.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let calls = slow.calls.lock().unwrap().len();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(slow.calls.lock().unwrap().len(), calls);
    assert!(calls < 40, "{calls}");
    running.stop().await;
}

/// A mail server that is slow, or takes the connection and never answers.
#[derive(Debug, Default)]
struct Post {
    hangs: bool,
    under_way: AtomicUsize,
    most: AtomicUsize,
    taken: AtomicUsize,
}

#[async_trait]
impl Mailer for Post {
    async fn send(&self, letter: &Letter) -> Result<(), NotSent> {
        let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        if self.hangs && letter.address.starts_with("p0@") {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        self.taken.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

async fn mailed(post: Post, people: usize, options: Options) -> (House, Arc<Post>, Running) {
    let house = house(people, 1).await;
    let mut unit = house.unit().await;
    for who in 0..people {
        let mut row = unit.tx.person(person(who)).await.unwrap().unwrap();
        row.mail = format!("p{who}@contoso.example");
        unit.tx.update_person(&row).await.unwrap();
    }
    for who in 0..people {
        let mail = Mail {
            kind: "ready",
            subject: "Ready: Orders".into(),
            text: "It is ready.".into(),
            path: "/access".into(),
        };
        mail::queue(&mut unit, person(who), "ready", &mail);
    }
    unit.commit().await.unwrap();
    let post = Arc::new(post);
    let worker = Worker::builder(house.workflow.clone(), options)
        .mailer(Arc::clone(&post) as _)
        .build();
    let running = Running::start(&worker);
    (house, post, running)
}

#[tokio::test]
async fn no_more_mails_are_on_their_way_than_a_mail_server_bears() {
    let (_house, post, running) = mailed(Post::default(), 60, options(16)).await;
    until("sent", || post.taken.load(Ordering::SeqCst) == 60).await;
    let most = post.most.load(Ordering::SeqCst);
    assert!(most <= 8, "{most} at once");
    running.stop().await;
}

#[tokio::test]
async fn a_mail_server_that_hangs_holds_up_neither_others_nor_the_same_mail_for_good() {
    let post = Post {
        hangs: true,
        ..Post::default()
    };
    let patient = Options {
        letter: Duration::from_millis(200),
        ..options(16)
    };
    let (house, post, running) = mailed(post, 12, patient).await;
    until("the others are sent", || {
        post.taken.load(Ordering::SeqCst) == 11
    })
    .await;
    // The one that hung is given up and tried again.
    let mut problem = None;
    for _ in 0..200 {
        let mut tx = house.workflow.store().read().await.unwrap();
        problem = tx.mail_problems(10).await.unwrap().pop();
        drop(tx);
        if problem.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let problem = problem.expect("it is noted").problem;
    assert!(problem.contains("did not answer"), "{problem}");
    running.stop().await;
}
