//! An access review of everything that is held: made, started, paged, answered, and settled by silence.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use sandbox::Directory;
use store::Engine;

use benches::{
    forms::{hidden, links},
    load::{self, Shot},
    portal,
};

use crate::seed::{self, Kind, Size};

/// What the draft says, so that pressing Start changes nothing in it.
const DRAFT: [(&str, &str); 8] = [
    ("name", "Everything"),
    ("reviewers", "security"),
    ("silence", "keep"),
    ("reasons", "against"),
    ("enforce", "at_close"),
    ("days", "14"),
    ("most_each", "10000"),
    ("repeat", "0"),
];

/// Runs the review on each engine.
pub async fn run(engines: &[Engine]) -> Result<(), Box<dyn Error>> {
    let size = Size { times: 1 };
    println!("\n### A review of {} grants\n", size.grants());
    println!(
        "| engine | items | draft with preview | start | campaign's page | a reviewer's page, p50 / p99 ms | one answer, p50 / p99 ms | settled by silence |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for &engine in engines {
        one(engine, size).await?;
    }
    Ok(())
}

async fn one(engine: Engine, size: Size) -> Result<(), Box<dyn Error>> {
    let folder = portal::folder("reviews")?;
    let database = portal::database(engine, &folder, "latchkey_bench_reviews").await?;
    let now = i64::try_from(std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_micros())?;
    seed::fill(&database, &seed::statements(engine, size, now)).await?;
    let portal = seed::start(&database, &folder, 31804, Directory::default()).await?;
    let client = load::client();
    let cookie = portal.sign_in(&client, seed::id(Kind::Object, 1)).await?;
    let get = |path: &str| Shot {
        url: format!("{}{path}", portal.url),
        cookie: cookie.clone(),
        form: None,
    };
    let post = |path: &str, fields: &[(&str, &str)]| Shot {
        form: Some(
            fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        ),
        ..get(path)
    };
    load::send(&client, &post("/reviews", &[("template", "everything")])).await?;
    let (_, list) = load::send(&client, &get("/reviews")).await?;
    let campaign = links(&list, "/reviews/cmp_").remove(0);
    let mut save = DRAFT.to_vec();
    save.push(("word", "save"));
    load::send(&client, &post(&campaign, &save)).await?;
    let draft = timed(&client, &get(&campaign)).await?;
    let mut start = DRAFT.to_vec();
    start.push(("word", "start"));
    let started = timed(&client, &post(&campaign, &start)).await?;
    let items = portal::count(&database, "SELECT COUNT(*) FROM campaign_items").await?;
    let whole = timed(&client, &get(&campaign)).await?;

    let own = format!("{campaign}/items");
    let pages = load::one_by_one(&client, portal.process, &vec![get(&own); 100]).await?;
    let mut answers = Vec::new();
    let (_, page) = load::send(&client, &get(&own)).await?;
    for item in links(&page, &format!("{own}/itm_")).into_iter().take(40) {
        let item = item.split('?').next().unwrap_or_default().to_owned();
        let (_, shown) = load::send(&client, &get(&item)).await?;
        let version = hidden(&shown)
            .unwrap_or_default()
            .into_iter()
            .find(|(name, _)| name == "version")
            .map(|(_, value)| value)
            .unwrap_or_default();
        let reason = "In daily use, asked around";
        let fields = [
            ("word", "keep"),
            ("version", version.as_str()),
            ("reason", reason),
        ];
        answers.push(post(&item, &fields));
    }
    let answered = load::one_by_one(&client, portal.process, &answers).await?;

    // Its deadline comes now.
    let words = match engine {
        Engine::Sqlite => "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
        Engine::Postgres => "now()",
    };
    let due = [
        format!("UPDATE campaigns SET due_at = {words} WHERE state = 'running'"),
        format!("UPDATE jobs SET due_at = {words} WHERE kind = 'review_close'"),
    ];
    let begun = Instant::now();
    seed::fill(&database, &due).await?;
    while portal::count(
        &database,
        "SELECT COUNT(*) FROM campaigns WHERE state = 'closed'",
    )
    .await?
        == 0
    {
        if begun.elapsed() > Duration::from_mins(15) {
            return Err("not closed after 15 minutes".into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!(
        "| {engine:?} | {items} | {:.0} ms | {:.1} s | {:.0} ms | {:.1} / {:.1} | {:.1} / {:.1} | {:.1} s |",
        draft.as_secs_f64() * 1000.0,
        started.as_secs_f64(),
        whole.as_secs_f64() * 1000.0,
        pages.p50,
        pages.p99,
        answered.p50,
        answered.p99,
        begun.elapsed().as_secs_f64(),
    );
    portal.stop().await
}

async fn timed(client: &reqwest::Client, shot: &Shot) -> Result<Duration, Box<dyn Error>> {
    let begun = Instant::now();
    let (status, body) = load::send(client, shot).await?;
    if !status.is_success() && !status.is_redirection() {
        let text: String = body.chars().take(400).collect();
        return Err(format!("{} answered {status}: {text}", shot.url).into());
    }
    Ok(begun.elapsed())
}
