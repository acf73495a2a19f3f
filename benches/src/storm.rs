//! Ten thousand grants that end in the same second, while somebody reads the catalogue.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use reqwest::Method;
use sandbox::{Directory, Group, User};
use store::Engine;

use benches::{
    load::{self, Shot},
    portal,
};

use crate::seed::{self, GROUPS, Kind, MEMBERS, Size};

/// Seconds from seeding to the instant at which everything ends.
const AHEAD: i64 = 45;

/// Runs the storm on each engine.
pub async fn run(engines: &[Engine]) -> Result<(), Box<dyn Error>> {
    println!(
        "\n### {} grants that end in the same second\n",
        GROUPS * MEMBERS
    );
    println!(
        "| engine | all ended after | first removal sent | last removal sent | all read back as gone | resident MB | catalogue p50 / p99 ms meanwhile |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    for &engine in engines {
        one(engine).await?;
    }
    Ok(())
}

async fn one(engine: Engine) -> Result<(), Box<dyn Error>> {
    let folder = portal::folder("storm")?;
    let database = portal::database(engine, &folder, "latchkey_bench_storm").await?;
    let size = Size { times: 1 };
    let now = i64::try_from(std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_micros())?;
    seed::fill(&database, &seed::statements(engine, size, now)).await?;
    let seeded = i64::try_from(std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_micros())?;
    seed::fill(&database, &seed::storm(engine, seeded, AHEAD)).await?;
    let portal = seed::start(&database, &folder, 31803, directory()).await?;
    let client = load::client();
    let reader = portal.sign_in(&client, seed::id(Kind::Object, 20)).await?;
    let shot = Shot {
        url: format!("{}/catalog", portal.url),
        cookie: reader,
        form: None,
    };
    let due = seeded + AHEAD * 1_000_000;
    while i64::try_from(std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_micros())? < due {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    portal.sandbox.clear_requests();
    let begun = Instant::now();
    let (mut ended, mut gone, mut times) = (None, None, Vec::new());
    while gone.is_none() {
        if begun.elapsed() > Duration::from_mins(15) {
            return Err("not all were gone after 15 minutes".into());
        }
        let one = Instant::now();
        load::send(&client, &shot).await?;
        times.push(one.elapsed());
        tokio::time::sleep(Duration::from_millis(50)).await;
        let (still, unsettled) = left(&database).await?;
        if still == 0 && ended.is_none() {
            ended = Some(begun.elapsed());
        }
        if still == 0 && unsettled == 0 {
            gone = Some(begun.elapsed());
        }
    }
    let removals: Vec<f64> = portal
        .sandbox
        .requests()
        .into_iter()
        .filter(|request| request.method == Method::DELETE.as_str())
        .map(|request| (request.at.timestamp_micros() - due) as f64 / 1_000_000.0)
        .collect();
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1000.0;
    println!(
        "| {engine:?} | {:.1} s | {:.2} s | {:.1} s | {:.1} s | {:.0} | {:.1} / {:.1} |",
        ended.unwrap_or_default().as_secs_f64(),
        removals.first().copied().unwrap_or(f64::NAN),
        removals.last().copied().unwrap_or(f64::NAN),
        gone.unwrap_or_default().as_secs_f64(),
        portal.resident(),
        at(50),
        at(99),
    );
    let left: usize = (0..GROUPS)
        .map(|n| portal.sandbox.members(seed::storm_group(n)).len())
        .sum();
    if left > 0 {
        return Err(format!("{left} memberships are still there").into());
    }
    portal.stop().await
}

/// Ends of the storm that are still due, and assignments that are not settled.
async fn left(database: &str) -> Result<(i64, i64), sqlx::Error> {
    const ENDS: &str = "SELECT COUNT(*) FROM jobs WHERE key LIKE 'end:storm%'";
    const UNSETTLED: &str = "SELECT COUNT(*) FROM assignments WHERE phase <> 'settled'";
    Ok((
        portal::count(database, ENDS).await?,
        portal::count(database, UNSETTLED).await?,
    ))
}

fn directory() -> Directory {
    let mut directory = Directory::default();
    for n in 64..MEMBERS {
        directory.users.push(User::new(
            seed::id(Kind::Object, n),
            &format!("Person {n}"),
            &format!("p{n}@contoso.example"),
        ));
    }
    for n in 0..GROUPS {
        let group = seed::storm_group(n);
        directory
            .groups
            .push(Group::new(group, &format!("Storm {n}")));
        directory.memberships.insert(
            group,
            (0..MEMBERS)
                .map(|person| seed::id(Kind::Object, person))
                .collect(),
        );
    }
    directory
}
