//! The real binary, killed at random moments while many people ask and decide and much ends: nothing that was
//! acknowledged is lost or doubled, what is due is done, the target holds what it should, and the audit log is whole.

#[path = "town/mod.rs"]
mod town;

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};

use benches::{
    forms::{hidden, links},
    load::{self, Shot},
    portal::{self, Portal, Setup},
};
use domain::{
    person::AccountKey,
    request::{Length, Start, Window},
};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use sandbox::Running;
use store::{Engine, Options, Store, testing};
use uuid::Uuid;
use workflow::{
    Clock, Ids, Settings, Workflow, access, installation,
    requests::{self, NewAsk},
};

use town::{ASKED, ASKERS, HELD, MANAGER, SECURITY, TENANT, asked, asker, held};

/// How often the process is killed.
const KILLS: usize = 6;
/// The shortest time that one can ask for.
const LENGTH: chrono::Duration = chrono::Duration::minutes(15);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_loses_nothing_on_sqlite() {
    flood(Engine::Sqlite, 24_100).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_loses_nothing_on_postgresql() {
    flood(Engine::Postgres, 24_200).await;
}

/// What the portal said yes to.
#[derive(Default)]
struct Acknowledged {
    /// Keys of forms.
    asks: BTreeSet<String>,
    /// Stages, each with how often a yes to it was taken.
    decisions: BTreeMap<String, usize>,
    /// Answers that no caller should ever see.
    faults: Vec<String>,
}

type Shared = Arc<Mutex<Acknowledged>>;

fn acknowledged(shared: &Shared) -> std::sync::MutexGuard<'_, Acknowledged> {
    shared.lock().expect("nobody panics while holding it")
}

async fn flood(engine: Engine, base: u16) {
    let seed = u64::from(std::process::id());
    let folder = portal::folder(&format!("process-{engine:?}")).expect("it can be made");
    let url = format!("http://127.0.0.1:{}", free_port(base));
    let database = testing::url(engine).await;
    let sandbox = portal::sandbox(&url, TENANT, town::company())
        .await
        .expect("it starts");
    prepare(&database, &sandbox).await;
    let setup = Setup {
        binary: env!("CARGO_BIN_EXE_latchkey").into(),
        database: database.clone(),
        folder: folder.clone(),
        url,
        tenant: TENANT,
    };
    let mut portal = Portal::start(setup, sandbox).await.expect("it serves");

    let said = Shared::default();
    let tasks = crowd(&portal, &said).await;
    let mut chance = StdRng::seed_from_u64(seed);
    for _ in 0..KILLS {
        let pause = Duration::from_millis(chance.gen_range(200..1500));
        tokio::time::sleep(pause).await;
        portal.kill_and_start().await.expect("it serves again");
    }
    let calm = tokio::time::timeout(Duration::from_mins(3), calm(&database)).await;
    if calm.is_err() {
        let unrest = unrest(&database).await;
        let said = acknowledged(&said);
        panic!("seed {seed}: {unrest}; {:#?}", said.faults.first());
    }
    for task in tasks {
        task.abort();
    }

    let said = std::mem::take(&mut *acknowledged(&said));
    holds(&database, &portal, &said, seed).await;
    let verdict = Command::new(env!("CARGO_BIN_EXE_latchkey"))
        .args(["audit", "verify", "--database", &database])
        .arg("--key")
        .arg(folder.join("audit.pub"))
        .arg("--checkpoint")
        .arg(folder.join("checkpoint"))
        .output()
        .expect("it runs");
    assert!(verdict.status.success(), "seed {seed}: {verdict:?}");
    portal.stop().await.expect("it ends");
}

/// Below the ports that outgoing connections take.
fn free_port(base: u16) -> u16 {
    (base..base + 100)
        .find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("one of a hundred ports is free")
}

/// People, catalogue and what everybody holds, through the same doors as always, a quarter of an hour ago.
async fn prepare(database: &str, sandbox: &Running) {
    let store = Store::open(&Options::new(database))
        .await
        .expect("it opens");
    store.migrate().await.expect("it is new");
    let clock = Clock::simulated(Clock::system().now() - LENGTH + chrono::Duration::seconds(6));
    let settings = Settings {
        asks_per_ten_minutes: 1000,
        ..Settings::default()
    };
    let workflow = Workflow::new(store, clock.clone(), Ids::seeded(7), settings);
    installation::prepare(&workflow, installation::Mode::Production)
        .await
        .expect("it is new");
    town::fill(&workflow, sandbox).await;
    for package in 0..HELD {
        for person in 0..ASKERS {
            clock.move_to(clock.now() + chrono::Duration::milliseconds(250));
            hold(&workflow, asker(person), &format!("held-{package}")).await;
        }
    }
    workflow.store().close().await;
}

/// Lets somebody ask for what needs nobody's yes.
async fn hold(workflow: &Workflow, object: Uuid, package: &str) {
    let mut tx = workflow.store().read().await.expect("it opens");
    let account = tx
        .account_by_key(AccountKey {
            tenant: TENANT,
            object,
        })
        .await
        .expect("it works")
        .expect("the directory was read");
    drop(tx);
    let package = town::package(workflow, package).await;
    let viewer = access::viewer(workflow, account.person_id, account.id)
        .await
        .expect("it works")
        .expect("they work here");
    let ask = NewAsk {
        confirmed: false,
        package,
        window: Window {
            start: Start::OnActivation,
            length: Length::Seconds(LENGTH.num_seconds()),
        },
        reason: "For the next quarter of an hour".into(),
        answers: BTreeMap::new(),
        key: format!("{object} {package}"),
    };
    requests::ask(workflow, &viewer, ask)
        .await
        .expect("nobody has to decide");
}

/// Signs everybody in and lets them go on until they are stopped.
async fn crowd(portal: &Portal, said: &Shared) -> Vec<tokio::task::JoinHandle<()>> {
    let client = load::client();
    let mut tasks = Vec::new();
    for n in 0..ASKERS {
        let cookie = portal.sign_in(&client, asker(n)).await.expect("they may");
        tasks.push(tokio::spawn(ask(portal.url.clone(), cookie, said.clone())));
    }
    for decider in [MANAGER, SECURITY[0], SECURITY[1]] {
        let cookie = portal.sign_in(&client, decider).await.expect("they may");
        tasks.push(tokio::spawn(decide(
            portal.url.clone(),
            cookie,
            said.clone(),
        )));
    }
    tasks
}

/// Sends until there is an answer: what a person does whose page did not come.
async fn insist(shot: &Shot, said: &Shared) -> (reqwest::StatusCode, String) {
    let client = load::client();
    loop {
        match load::send(&client, shot).await {
            Ok((status, body)) => {
                if status.is_server_error() {
                    let text: String = body.chars().take(300).collect();
                    acknowledged(said)
                        .faults
                        .push(format!("{} {status} {text}", shot.url));
                }
                return (status, body);
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// One person asks for everything, one after another; each form until it is taken.
async fn ask(url: String, cookie: String, said: Shared) {
    let page = |path: &str| Shot {
        url: format!("{url}{path}"),
        cookie: cookie.clone(),
        form: None,
    };
    let (_, catalogue) = insist(&page("/catalog?q=asked"), &said).await;
    for path in links(&catalogue, "/catalog/pkg_") {
        let form_path = path.replace("/catalog/", "/request/");
        let (_, html) = insist(&page(&form_path), &said).await;
        let Some(mut form) = hidden(&html) else {
            acknowledged(&said)
                .faults
                .push(format!("{form_path} holds no form"));
            return;
        };
        let key = form
            .iter()
            .find(|(name, _)| name == "key")
            .map(|(_, value)| value.clone())
            .unwrap_or_default();
        for (name, value) in [
            ("reason", "During the flood"),
            ("duration", "86400"),
            ("start", "now"),
        ] {
            form.push((name.into(), value.into()));
        }
        let shot = Shot {
            form: Some(form),
            ..page(&form_path)
        };
        let (status, body) = insist(&shot, &said).await;
        if status.is_redirection() {
            acknowledged(&said).asks.insert(key);
        } else {
            let text: String = body.chars().take(300).collect();
            acknowledged(&said)
                .faults
                .push(format!("{form_path} {status} {text}"));
        }
    }
}

/// One person says yes to whatever waits for them, for ever.
async fn decide(url: String, cookie: String, said: Shared) {
    let page = |path: &str| Shot {
        url: format!("{url}{path}"),
        cookie: cookie.clone(),
        form: None,
    };
    loop {
        let (_, queue) = insist(&page("/approvals"), &said).await;
        let stages = links(&queue, "/approvals/stg_");
        if stages.is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        for path in stages {
            let (_, html) = insist(&page(&path), &said).await;
            // Without a form somebody else was quicker.
            let Some(mut form) = hidden(&html) else {
                continue;
            };
            form.push(("verdict".into(), "approve".into()));
            let shot = Shot {
                form: Some(form),
                ..page(&path)
            };
            let (status, body) = insist(&shot, &said).await;
            if !status.is_redirection() && status != reqwest::StatusCode::CONFLICT {
                acknowledged(&said)
                    .faults
                    .push(format!("{path} {status} {body}"));
            }
            if status.is_redirection() {
                let stage = path.trim_start_matches("/approvals/").to_owned();
                *acknowledged(&said).decisions.entry(stage).or_default() += 1;
            }
        }
    }
}

const WAITING: &str = "SELECT COUNT(*) FROM lines WHERE state = 'awaiting_approval'";
const GRANTED: &str = "SELECT COUNT(*) FROM grants WHERE line_id IS NOT NULL";
const UNSETTLED: &str = "SELECT COUNT(*) FROM assignments WHERE phase <> 'settled'";
const NOT_GONE: &str = "SELECT COUNT(*) FROM grants g JOIN packages p ON p.id = g.package_id
    WHERE p.key LIKE 'held-%' AND (g.state <> 'ended' OR g.gone_at IS NULL)";
const NOT_READY: &str = "SELECT COUNT(*) FROM grants WHERE state = 'active' AND ready_at IS NULL";
const ALL: i64 = (ASKERS * (ASKED + HELD)) as i64;

/// Waits until everything that was begun has come to its end.
async fn calm(database: &str) {
    loop {
        tokio::time::sleep(Duration::from_millis(300)).await;
        if count(database, GRANTED).await == ALL
            && count(database, WAITING).await == 0
            && count(database, NOT_GONE).await == 0
            && count(database, NOT_READY).await == 0
            && count(database, UNSETTLED).await == 0
        {
            return;
        }
    }
}

/// What keeps [`calm`] waiting, in words.
async fn unrest(database: &str) -> String {
    format!(
        "{} of {ALL} granted, {} wait, {} not gone, {} not ready, {} not settled",
        count(database, GRANTED).await,
        count(database, WAITING).await,
        count(database, NOT_GONE).await,
        count(database, NOT_READY).await,
        count(database, UNSETTLED).await,
    )
}

async fn count(database: &str, text: &str) -> i64 {
    portal::count(database, text)
        .await
        .expect("the database answers")
}

/// Holds database and target against what was said.
async fn holds(database: &str, portal: &Portal, said: &Acknowledged, seed: u64) {
    assert!(said.faults.is_empty(), "seed {seed}: {:#?}", said.faults);
    assert_eq!(said.asks.len() as u128, ASKERS * ASKED, "seed {seed}");
    for key in &said.asks {
        let text = format!("SELECT COUNT(*) FROM requests WHERE idempotency_key = '{key}'");
        assert_eq!(count(database, &text).await, 1, "seed {seed}: {key}");
    }
    for (stage, times) in &said.decisions {
        assert_eq!(*times, 1, "seed {seed}: {stage} was decided twice");
        let hex = stage.trim_start_matches("stg_");
        let id = if database.starts_with("sqlite:") {
            format!("x'{hex}'")
        } else {
            format!("'{hex}'")
        };
        let text = format!("SELECT COUNT(*) FROM decisions WHERE stage_id = {id}");
        assert_eq!(count(database, &text).await, 1, "seed {seed}: {stage}");
    }
    let decisions = count(database, "SELECT COUNT(*) FROM decisions").await;
    let logged = count(
        database,
        "SELECT COUNT(*) FROM audit_events WHERE kind = 'line_decided'",
    )
    .await;
    assert_eq!(decisions, (ASKERS * ASKED * 2) as i64, "seed {seed}");
    assert_eq!(logged, decisions, "seed {seed}");
    let early = "SELECT COUNT(*) FROM grants WHERE ended_at < end_at";
    assert_eq!(count(database, early).await, 0, "seed {seed}");
    // A lease that a killed process held runs out first; nothing waits longer than that.
    let late = if database.starts_with("sqlite:") {
        "SELECT COUNT(*) FROM grants WHERE ended_at > end_at + 30000000"
    } else {
        "SELECT COUNT(*) FROM grants WHERE ended_at > end_at + INTERVAL '30 seconds'"
    };
    assert_eq!(count(database, late).await, 0, "seed {seed}");
    let everybody: BTreeSet<Uuid> = (0..ASKERS).map(asker).collect();
    for group in (0..ASKED).map(asked) {
        assert_eq!(portal.sandbox.members(group), everybody, "seed {seed}");
    }
    for group in (0..HELD).map(held) {
        assert!(portal.sandbox.members(group).is_empty(), "seed {seed}");
    }
}
