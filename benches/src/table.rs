//! The table of pages and actions.

use std::{error::Error, time::Duration};

use reqwest::Client;
use store::Engine;
use tokio::process::Command;

use benches::{
    forms::{hidden, links},
    load::{self, Figures, Shot},
    portal::{self, Portal},
};

use crate::seed::{self, Kind, Size};

/// One measured row.
pub struct Row {
    name: &'static str,
    figures: Figures,
    sixteen: Option<(f64, f64)>,
}

/// One measured database.
pub struct Column {
    rows: Vec<Row>,
    resident: f64,
    started: f64,
}

const ROUNDS: usize = 200;
const SPAN: Duration = Duration::from_secs(3);

/// Seeds, starts, measures, stops.
pub async fn measure(engine: Engine, size: Size) -> Result<Column, Box<dyn Error>> {
    let name = format!("latchkey_bench_{}", size.times);
    let folder = portal::folder(&name)?;
    let database = portal::database(engine, &folder, &name).await?;
    println!("# {engine:?} {}x: seeding", size.times);
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_micros();
    seed::fill(
        &database,
        &seed::statements(engine, size, i64::try_from(now)?),
    )
    .await?;
    let mut rows = vec![Row {
        name: "bare handler, one indexed query",
        ..bare(&database).await?
    }];
    let portal = seed::start(&database, &folder, 31801, sandbox::Directory::default()).await?;
    let client = load::client();
    let asker = portal.sign_in(&client, seed::id(Kind::Object, 20)).await?;
    let manager = portal.sign_in(&client, seed::id(Kind::Object, 1)).await?;
    let auditor = portal.sign_in(&client, seed::id(Kind::Object, 6)).await?;
    let collector = portal.sign_in(&client, seed::id(Kind::Object, 30)).await?;
    let everything = portal
        .sign_in(&client, seed::id(Kind::Object, seed::EVERYTHING))
        .await?;
    collect(&client, &portal, &collector).await?;
    for (name, path, cookie) in pages(size, [&asker, &manager, &auditor, &collector, &everything]) {
        println!("# {name}");
        let shot = Shot {
            url: format!("{}{path}", portal.url),
            cookie: cookie.to_owned(),
            form: None,
        };
        rows.push(page(&client, portal.process, name, &shot).await?);
    }
    rows.extend(actions(&client, &portal).await?);
    let column = Column {
        rows,
        resident: portal.resident(),
        started: portal.started,
    };
    portal.stop().await?;
    Ok(column)
}

/// Puts five packages into somebody's cart.
async fn collect(client: &Client, portal: &Portal, cookie: &str) -> Result<(), Box<dyn Error>> {
    for package in 100..105 {
        let package = seed::id(Kind::Package, package).simple();
        let shot = Shot {
            url: format!("{}/request/add", portal.url),
            cookie: cookie.to_owned(),
            form: Some(vec![("package".into(), format!("pkg_{package}"))]),
        };
        let (status, body) = load::send(client, &shot).await?;
        if !status.is_redirection() {
            return Err(format!("the cart answered {status}: {body}").into());
        }
    }
    Ok(())
}

fn pages(
    size: Size,
    [asker, manager, auditor, collector, everything]: [&str; 5],
) -> Vec<(&'static str, String, &str)> {
    let stage = |n: i64| format!("stg_{}", seed::id(Kind::Stage, n).simple());
    // The thousandth page of the log: 25 entries on each.
    let deep = size.events() - 25_000;
    vec![
        ("shell, no data", "/signed-out".into(), ""),
        ("home", "/".into(), asker),
        ("catalogue", "/catalog".into(), asker),
        (
            "one package",
            format!("/catalog/pkg_{}", seed::id(Kind::Package, 3).simple()),
            asker,
        ),
        (
            "cart, 5 lines with their previews",
            "/request".into(),
            collector,
        ),
        ("inbox of a decider", "/approvals".into(), manager),
        (
            "inbox in which everything waits",
            "/approvals".into(),
            everything,
        ),
        (
            "one decision page",
            format!("/approvals/{}", stage(3)),
            manager,
        ),
        (
            "one request",
            format!("/requests/req_{}", seed::id(Kind::Request, 3).simple()),
            auditor,
        ),
        ("my access, what ends soon", "/access".into(), asker),
        ("audit, first page", "/audit".into(), auditor),
        (
            "audit, page 1,000",
            format!("/audit?before={deep}"),
            auditor,
        ),
        ("search", "/search?q=package%201".into(), asker),
    ]
}

async fn page(
    client: &Client,
    process: u32,
    name: &'static str,
    shot: &Shot,
) -> Result<Row, Box<dyn Error>> {
    load::one_by_one(client, process, &vec![shot.clone(); 20]).await?;
    let figures = load::one_by_one(client, process, &vec![shot.clone(); ROUNDS]).await?;
    let sixteen = Some(load::sixteen(client, shot, SPAN).await?);
    Ok(Row {
        name,
        figures,
        sixteen,
    })
}

/// Asks and decides through the forms, each once.
async fn actions(client: &Client, portal: &Portal) -> Result<Vec<Row>, Box<dyn Error>> {
    // Person 3 manages 31 to 40.
    let manager = portal.sign_in(client, seed::id(Kind::Object, 3)).await?;
    let mut asks = Vec::new();
    for person in 31..41 {
        let cookie = portal
            .sign_in(client, seed::id(Kind::Object, person))
            .await?;
        for package in 0..12 {
            let package = seed::id(Kind::Package, 100 + package).simple();
            asks.push(Shot {
                url: format!("{}/request/pkg_{package}", portal.url),
                cookie: cookie.clone(),
                form: Some(ask(&cookie, client, portal, &package.to_string()).await?),
            });
        }
    }
    println!("# submit");
    let submit = load::one_by_one(client, portal.process, &asks).await?;
    println!("# decide");
    let mut votes = Vec::new();
    let mut next = Some(format!("{}/approvals", portal.url));
    while let Some(url) = next.take() {
        let (_, html) = load::send(
            client,
            &Shot {
                url,
                cookie: manager.clone(),
                form: None,
            },
        )
        .await?;
        for path in links(&html, "/approvals/stg_") {
            let url = format!("{}{path}", portal.url);
            let (_, html) = load::send(
                client,
                &Shot {
                    url: url.clone(),
                    cookie: manager.clone(),
                    form: None,
                },
            )
            .await?;
            let Some(mut form) = hidden(&html) else {
                continue;
            };
            form.push(("verdict".into(), "approve".into()));
            votes.push(Shot {
                url,
                cookie: manager.clone(),
                form: Some(form),
            });
        }
        if votes.len() >= 100 {
            break;
        }
        next = links(&html, "/approvals?after=")
            .pop()
            .map(|path| format!("{}{path}", portal.url));
    }
    let decide = load::one_by_one(client, portal.process, &votes).await?;
    Ok(vec![
        Row {
            name: "submit a request",
            figures: submit,
            sixteen: None,
        },
        Row {
            name: "decide",
            figures: decide,
            sixteen: None,
        },
    ])
}

/// The form as the page gives it, filled in.
async fn ask(
    cookie: &str,
    client: &Client,
    portal: &Portal,
    package: &str,
) -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let url = format!("{}/request/pkg_{package}", portal.url);
    let (status, html) = load::send(
        client,
        &Shot {
            url,
            cookie: cookie.to_owned(),
            form: None,
        },
    )
    .await?;
    let mut form = hidden(&html).ok_or_else(|| format!("the form answered {status}"))?;
    form.push(("reason".into(), "A benchmark asks for this".into()));
    form.push(("duration".into(), "28800".into()));
    form.push(("start".into(), "now".into()));
    Ok(form)
}

async fn bare(database: &str) -> Result<Row, Box<dyn Error>> {
    let own = std::env::current_exe()?;
    let mut child = Command::new(own)
        .args(["bare", database, "31802"])
        .kill_on_drop(true)
        .spawn()?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let process = child.id().ok_or("the bare handler ended at once")?;
    let shot = Shot {
        url: "http://127.0.0.1:31802/".into(),
        cookie: String::new(),
        form: None,
    };
    let row = page(&load::client(), process, "", &shot).await?;
    child.kill().await?;
    Ok(row)
}

/// Prints a table for one engine: a group of columns for each size.
pub fn print(engine: Engine, columns: &[(i64, Column)]) {
    println!("\n### {engine:?}\n");
    print!("| what |");
    for (times, _) in columns {
        print!(" {times}×: CPU ms | p50 ms | p99 ms | 16 conn. req/s | p99 ms |");
    }
    println!();
    print!("| --- |");
    for _ in columns {
        print!(" ---: | ---: | ---: | ---: | ---: |");
    }
    println!();
    let Some((_, first)) = columns.first() else {
        return;
    };
    for (index, row) in first.rows.iter().enumerate() {
        print!("| {} |", row.name);
        for (_, column) in columns {
            let Row {
                figures, sixteen, ..
            } = &column.rows[index];
            print!(
                " {:.2} | {:.2} | {:.2} |",
                figures.cpu, figures.p50, figures.p99
            );
            match sixteen {
                Some((rate, p99)) => print!(" {rate:.0} | {p99:.1} |"),
                None => print!(" | |"),
            }
        }
        println!();
    }
    for (times, column) in columns {
        println!(
            "\n{times}×: start to ready {:.2} s, resident after load {:.0} MB",
            column.started, column.resident
        );
    }
}
