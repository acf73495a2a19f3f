//! Random grants that start, end, overlap, move and are given back, people who leave, a target with every fault, and a
//! worker that dies between any two effects: afterwards what is desired, what was observed and what the target holds
//! agree. `LATCHKEY_SEEDS` says how many seeds, `LATCHKEY_SEED` picks one to see again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

use chrono::Duration;
use domain::{
    GrantId, Timestamp,
    assignment::{Observed, Phase},
};
use provisioner::worker::{Moment, Options, Seam, WORK, Worker};
use rand::{Rng, SeedableRng, rngs::StdRng};
use store::{Engine, testing};
use tokio::sync::Notify;

use crate::{
    fake::{Fake, Faults, Link},
    house::{House, account, group, right, start, user},
};

const PEOPLE: usize = 4;
const RIGHTS: usize = 3;
const STEPS: usize = 200;

#[tokio::test]
async fn the_target_ends_as_decided_on_sqlite() {
    run(Engine::Sqlite).await;
}

#[tokio::test]
async fn the_target_ends_as_decided_on_postgres() {
    run(Engine::Postgres).await;
}

async fn run(engine: Engine) {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let seeds = match number("LATCHKEY_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("LATCHKEY_SEEDS").unwrap_or(50),
    };
    for seed in seeds {
        let done = tokio::spawn(async move { one(engine, seed).await }).await;
        assert!(
            done.is_ok(),
            "the simulation failed on {engine:?} with LATCHKEY_SEED={seed}"
        );
    }
}

/// What the test knows of one grant.
#[derive(Clone, Debug)]
struct Given {
    who: usize,
    what: BTreeSet<usize>,
    end: Option<Timestamp>,
    over: bool,
}

/// What should be, written down apart from the code under test.
#[derive(Debug, Default)]
struct Book {
    grants: BTreeMap<GrantId, Given>,
    /// Held before anything was written.
    found: BTreeSet<Link>,
    /// Pairs that were ever given.
    touched: BTreeSet<Link>,
    left: BTreeSet<usize>,
}

impl Book {
    fn given(&self, link: Link, now: Timestamp) -> bool {
        self.grants.values().any(|grant| {
            !grant.over
                && grant.end.is_none_or(|end| now < end)
                && user(grant.who) == link.1
                && grant.what.iter().any(|what| group(*what) == link.0)
        })
    }

    fn has_left(&self, link: Link) -> bool {
        self.left.iter().any(|who| user(*who) == link.1)
    }

    fn should_hold(&self, link: Link, now: Timestamp) -> bool {
        let found =
            self.found.contains(&link) && !(self.has_left(link) && self.touched.contains(&link));
        found || self.given(link, now)
    }

    /// Whether a write may be sent now.
    fn judge(&self, link: Link, present: bool, now: Timestamp) -> Result<(), String> {
        match present {
            true if !self.given(link, now) => Err("an addition that nobody wants is sent".into()),
            false if self.given(link, now) => {
                Err("a removal of what somebody wants is sent".into())
            }
            false if self.found.contains(&link) && !self.has_left(link) => {
                Err("what was there before us is removed".into())
            }
            _ => Ok(()),
        }
    }
}

/// Ends the worker after so many moments.
#[derive(Debug, Default)]
struct Killer {
    left: AtomicI64,
    killed: Notify,
}

impl Seam for Killer {
    fn stops(&self, _: Moment) -> bool {
        let stops = self.left.fetch_sub(1, Ordering::Relaxed) == 1;
        if stops {
            self.killed.notify_one();
        }
        stops
    }
}

struct Run {
    house: House,
    fake: Arc<Fake>,
    book: Arc<Mutex<Book>>,
    killer: Arc<Killer>,
    worker: Worker,
    rng: StdRng,
    /// What was said to be ready, and seen to be.
    ready: BTreeSet<(GrantId, Link)>,
    /// What was said to be gone, and seen to be.
    gone: BTreeSet<(GrantId, Link)>,
}

async fn one(engine: Engine, seed: u64) {
    let house = House::build(testing::store(engine).await, seed, PEOPLE, RIGHTS).await;
    let mut rng = StdRng::seed_from_u64(seed);
    let mut found = BTreeSet::new();
    for who in 0..PEOPLE {
        for what in 0..RIGHTS {
            if rng.gen_bool(0.25) {
                found.insert((group(what), user(who)));
            }
        }
    }
    let book = Arc::new(Mutex::new(Book {
        found: found.clone(),
        ..Book::default()
    }));
    let judge = Arc::clone(&book);
    let fake = Fake::new(
        house.clock.clone(),
        seed,
        found,
        Faults::MANY,
        Box::new(move |link, present, now| judge.lock().unwrap().judge(link, present, now)),
    );
    let killer = Arc::<Killer>::default();
    let worker = worker(&house, &fake, &killer);
    let mut run = Run {
        house,
        fake,
        book,
        killer,
        worker,
        rng,
        ready: BTreeSet::new(),
        gone: BTreeSet::new(),
    };
    for _ in 0..STEPS {
        run.step().await;
    }
    run.come_to_rest().await;
    run.check().await;
}

/// A fresh process: it knows nothing of the one before it.
fn worker(house: &House, fake: &Arc<Fake>, killer: &Arc<Killer>) -> Worker {
    let options = Options {
        calls_per_target: 1,
        ..Options::default()
    };
    Worker::builder(house.workflow.clone(), options)
        .connector("graph", Arc::clone(fake) as _)
        .seam(Arc::clone(killer) as _)
        .build()
}

impl Run {
    async fn step(&mut self) {
        let now = self.house.clock.now();
        match self.rng.gen_range(0..100) {
            0..20 => self.give().await,
            20..28 => self.give_back(now).await,
            28..34 => self.move_end(now).await,
            34..35 => self.leave().await,
            35..40 => {
                // A job is lost.
                let (who, what) = (self.rng.gen_range(0..PEOPLE), self.rng.gen_range(0..RIGHTS));
                if let Some(row) = self.house.assignment(who, what).await {
                    let mut unit = self.house.unit().await;
                    unit.tx
                        .cancel_job(&workflow::assignments::job_key(row.id))
                        .await
                        .unwrap();
                    unit.commit().await.unwrap();
                }
            }
            40..43 => {
                workflow::assignments::sweep(&self.house.workflow)
                    .await
                    .unwrap();
            }
            43..70 => {
                let ahead = Duration::milliseconds(self.rng.gen_range(1..20_000));
                self.house.clock.move_to(now + ahead);
            }
            70..76 => {
                if let Some(due) = self.house.next_due(&WORK).await {
                    self.house.clock.move_to(due);
                }
            }
            76..86 => {
                let moments = self.rng.gen_range(1..12);
                self.work(moments).await;
            }
            _ => self.work(0).await,
        }
        let broken = self.fake.broken();
        assert!(broken.is_empty(), "{broken:#?}");
    }

    /// Lets the worker do what is due; it is killed after so many moments, if more than none.
    async fn work(&mut self, moments: i64) {
        self.killer.left.store(moments, Ordering::Relaxed);
        let died = tokio::select! {
            biased;
            () = self.killer.killed.notified() => true,
            done = self.worker.drain() => { done.unwrap(); false }
        };
        self.killer.left.store(0, Ordering::Relaxed);
        if died {
            self.worker = worker(&self.house, &self.fake, &self.killer);
        }
        self.believe().await;
    }

    /// Whatever the portal newly says is ready or gone must be so at the target.
    async fn believe(&mut self) {
        let now = self.house.clock.now();
        let ids: Vec<GrantId> = self.book.lock().unwrap().grants.keys().copied().collect();
        let mut tx = self.house.workflow.store().read().await.unwrap();
        let rows = tx.grants_by_ids(&ids).await.unwrap();
        drop(tx);
        let held = self.fake.links();
        let book = self.book.lock().unwrap();
        for row in rows {
            let given = &book.grants[&row.id];
            for link in given
                .what
                .iter()
                .map(|what| (group(*what), user(given.who)))
            {
                let story = || format!("{row:?}\n{}", self.fake.story(link));
                if row.ready_at.is_some()
                    && self.ready.insert((row.id, link))
                    && book.given(link, now)
                {
                    assert!(held.contains(&link), "ready, and not there: {}", story());
                }
                if row.gone_at.is_some()
                    && self.gone.insert((row.id, link))
                    && !book.should_hold(link, now)
                {
                    assert!(!held.contains(&link), "gone, and still there: {}", story());
                }
            }
        }
    }

    async fn give(&mut self) {
        let who = self.rng.gen_range(0..PEOPLE);
        if self.book.lock().unwrap().left.contains(&who) {
            return;
        }
        let mut what = BTreeSet::from([self.rng.gen_range(0..RIGHTS)]);
        if self.rng.gen_bool(0.3) {
            what.insert(self.rng.gen_range(0..RIGHTS));
        }
        let length = match self.rng.gen_range(0..10) {
            0 => None,
            1..4 => Some(Duration::milliseconds(self.rng.gen_range(1..2000))),
            _ => Some(Duration::milliseconds(self.rng.gen_range(1..300_000))),
        };
        let rights: Vec<usize> = what.iter().copied().collect();
        let id = self.house.give(who, &rights, length).await;
        let end = length.map(|length| self.house.clock.now() + length);
        let mut book = self.book.lock().unwrap();
        book.touched
            .extend(rights.iter().map(|what| (group(*what), user(who))));
        book.grants.insert(
            id,
            Given {
                who,
                what,
                end,
                over: false,
            },
        );
    }

    /// One grant that is not over, chosen by chance.
    fn pick(&mut self, now: Timestamp) -> Option<(GrantId, Given)> {
        let book = self.book.lock().unwrap();
        let live: Vec<_> = book
            .grants
            .iter()
            .filter(|(_, grant)| !grant.over && grant.end.is_none_or(|end| now < end))
            .map(|(id, grant)| (*id, grant.clone()))
            .collect();
        drop(book);
        (!live.is_empty()).then(|| live[self.rng.gen_range(0..live.len())].clone())
    }

    async fn give_back(&mut self, now: Timestamp) {
        let Some((id, grant)) = self.pick(now) else {
            return;
        };
        self.house.give_back(grant.who, id).await;
        self.book.lock().unwrap().grants.get_mut(&id).unwrap().over = true;
    }

    async fn move_end(&mut self, now: Timestamp) {
        let Some((id, grant)) = self.pick(now) else {
            return;
        };
        let end = now + Duration::milliseconds(self.rng.gen_range(1..200_000));
        self.house.move_end(grant.who, id, end).await;
        self.book.lock().unwrap().grants.get_mut(&id).unwrap().end = Some(end);
    }

    async fn leave(&mut self) {
        let who = self.rng.gen_range(0..PEOPLE);
        self.house.leave(who).await;
        let mut book = self.book.lock().unwrap();
        book.left.insert(who);
        for grant in book.grants.values_mut().filter(|grant| grant.who == who) {
            grant.over = true;
        }
    }

    /// The target becomes well again; everything that is due within an hour is done.
    async fn come_to_rest(&mut self) {
        self.fake.set_faults(Faults::default());
        workflow::assignments::sweep(&self.house.workflow)
            .await
            .unwrap();
        let until = self.house.clock.now() + Duration::hours(1);
        self.worker
            .walk(until, std::time::Duration::ZERO, &|_| ())
            .await
            .unwrap();
    }

    async fn check(&mut self) {
        let now = self.house.clock.now();
        assert!(now > start());
        let held = self.fake.links();
        for who in 0..PEOPLE {
            for what in 0..RIGHTS {
                let link = (group(what), user(who));
                let (should, does) = (
                    self.book.lock().unwrap().should_hold(link, now),
                    held.contains(&link),
                );
                let row = self.house.assignment(who, what).await;
                let story = || format!("{row:#?}\n{}", self.fake.story(link));
                assert_eq!(does, should, "person {who} right {what}: {}", story());
                let Some(row) = &row else { continue };
                assert_eq!(row.phase, Phase::Settled, "{}", story());
                assert_eq!(row.desired, should, "{}", story());
                assert_eq!(row.observed == Observed::Present, does, "{}", story());
                assert_ne!(row.observed, Observed::Unknown, "{}", story());
                assert_eq!(
                    (row.account_id, row.entitlement_id),
                    (account(who), right(what))
                );
            }
        }
        let ids: Vec<(GrantId, Given)> = self
            .book
            .lock()
            .unwrap()
            .grants
            .iter()
            .map(|(id, grant)| (*id, grant.clone()))
            .collect();
        for (id, given) in ids {
            let row = self.house.grant(id).await;
            let over = given.over || given.end.is_some_and(|end| end <= now);
            assert_eq!(row.ended_at.is_some(), over, "{row:?}");
            let held = given
                .what
                .iter()
                .any(|what| held.contains(&(group(*what), user(given.who))));
            if over {
                assert!(held || row.gone_at.is_some(), "gone was not said: {row:?}");
            } else {
                assert!(row.ready_at.is_some(), "ready was not said: {row:?}");
            }
        }
        let verdict = workflow::audit::verify_store(self.house.workflow.store(), vec![])
            .await
            .unwrap();
        assert!(verdict.broken.is_none(), "the audit log is not whole");
    }
}
