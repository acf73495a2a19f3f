//! The table of pages and actions.

use std::{error::Error, time::Duration};

use reqwest::Client;
use store::Engine;
use tokio::process::Command;

use benches::{
    forms::{hidden, links},
    load::{self, Figures, Series, Shot},
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

/// A portal over a filled database, with those who are signed in.
struct Filled {
    size: Size,
    portal: Portal,
    asker: String,
    manager: String,
    auditor: String,
    collector: String,
    everything: String,
    rows: Vec<Row>,
}

/// Seeds and starts a portal for each size, measures them in turns, and stops them.
pub async fn measure(engine: Engine, sizes: &[Size]) -> Result<Vec<(i64, Column)>, Box<dyn Error>> {
    let client = load::client();
    let mut all = Vec::new();
    for (size, port) in sizes.iter().zip((31801_u16..).step_by(2)) {
        all.push(fill(engine, *size, port, &client).await?);
    }
    for one in &all {
        load::calm(one.portal.process).await;
    }
    let count = pages(&all[0]).len();
    for index in 0..count {
        let mut series = Vec::new();
        for one in &all {
            let (name, path, cookie) = pages(one).swap_remove(index);
            println!("# {name}");
            let shot = Shot {
                url: format!("{}{path}", one.portal.url),
                cookie,
                form: None,
            };
            series.push((name, one.portal.process, shot));
        }
        for (one, row) in all.iter_mut().zip(page(&client, &series).await?) {
            one.rows.push(row);
        }
    }
    actions(&client, &mut all).await?;
    let mut columns = Vec::new();
    for one in all {
        columns.push((
            one.size.times,
            Column {
                resident: one.portal.resident(),
                started: one.portal.started,
                rows: one.rows,
            },
        ));
        one.portal.stop().await?;
    }
    Ok(columns)
}

/// Seeds a database and starts a portal over it.
async fn fill(
    engine: Engine,
    size: Size,
    port: u16,
    client: &Client,
) -> Result<Filled, Box<dyn Error>> {
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
    let rows = vec![bare(&database, port + 1).await?];
    let portal = seed::start(&database, &folder, port, sandbox::Directory::default()).await?;
    let mut cookies = Vec::new();
    for person in [20, 1, 6, 30, seed::EVERYTHING] {
        cookies.push(
            portal
                .sign_in(client, seed::id(Kind::Object, person))
                .await?,
        );
    }
    let [asker, manager, auditor, collector, everything] =
        <[String; 5]>::try_from(cookies).map_err(|_| "five sign in")?;
    collect(client, &portal, &collector).await?;
    Ok(Filled {
        size,
        portal,
        asker,
        manager,
        auditor,
        collector,
        everything,
        rows,
    })
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

fn pages(one: &Filled) -> Vec<(&'static str, String, String)> {
    let stage = |n: i64| format!("stg_{}", seed::id(Kind::Stage, n).simple());
    let package = seed::id(Kind::Package, 3).simple();
    let request = seed::id(Kind::Request, 3).simple();
    // The thousandth page of the log: 25 entries on each.
    let deep = one.size.events() - 25_000;
    [
        ("shell, no data", "/signed-out".into(), ""),
        ("home", "/".into(), one.asker.as_str()),
        ("catalogue", "/catalog".into(), &one.asker),
        ("one package", format!("/catalog/pkg_{package}"), &one.asker),
        (
            "cart, 5 lines with their previews",
            "/request".into(),
            &one.collector,
        ),
        ("inbox of a decider", "/approvals".into(), &one.manager),
        (
            "inbox in which everything waits",
            "/approvals".into(),
            &one.everything,
        ),
        (
            "one decision page",
            format!("/approvals/{}", stage(3)),
            &one.manager,
        ),
        (
            "one request",
            format!("/requests/req_{request}"),
            &one.auditor,
        ),
        ("my access, what ends soon", "/access".into(), &one.asker),
        ("audit, first page", "/audit".into(), &one.auditor),
        (
            "audit, page 1,000",
            format!("/audit?before={deep}"),
            &one.auditor,
        ),
        ("search", "/search?q=package%201".into(), &one.asker),
    ]
    .map(|(name, path, cookie): (_, String, &str)| (name, path, cookie.to_owned()))
    .into()
}

/// One page at every size: in turns over one connection, then each from sixteen.
async fn page(
    client: &Client,
    series: &[(&'static str, u32, Shot)],
) -> Result<Vec<Row>, Box<dyn Error>> {
    let times = |count: usize| -> Vec<Series> {
        series
            .iter()
            .map(|(_, process, shot)| Series {
                process: *process,
                shots: vec![shot.clone(); count],
            })
            .collect()
    };
    load::in_turns(client, &times(20)).await?;
    let figures = load::in_turns(client, &times(ROUNDS)).await?;
    let mut rows = Vec::new();
    for ((name, _, shot), figures) in series.iter().zip(figures) {
        rows.push(Row {
            name,
            figures,
            sixteen: Some(load::sixteen(client, shot, SPAN).await?),
        });
    }
    Ok(rows)
}

/// Asks and decides through the forms, each once.
async fn actions(client: &Client, all: &mut [Filled]) -> Result<(), Box<dyn Error>> {
    let mut asks = Vec::new();
    for one in all.iter() {
        asks.push(Series {
            process: one.portal.process,
            shots: asked(client, &one.portal).await?,
        });
    }
    println!("# submit");
    let submit = load::in_turns(client, &asks).await?;
    let mut votes = Vec::new();
    for one in all.iter() {
        votes.push(Series {
            process: one.portal.process,
            shots: voted(client, &one.portal).await?,
        });
    }
    println!("# decide");
    let decide = load::in_turns(client, &votes).await?;
    for ((one, submit), decide) in all.iter_mut().zip(submit).zip(decide) {
        for (name, figures) in [("submit a request", submit), ("decide", decide)] {
            one.rows.push(Row {
                name,
                figures,
                sixteen: None,
            });
        }
    }
    Ok(())
}

/// A hundred and twenty asks: person 3 manages 31 to 40.
async fn asked(client: &Client, portal: &Portal) -> Result<Vec<Shot>, Box<dyn Error>> {
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
    Ok(asks)
}

/// A hundred decisions of the manager on them.
async fn voted(client: &Client, portal: &Portal) -> Result<Vec<Shot>, Box<dyn Error>> {
    let manager = portal.sign_in(client, seed::id(Kind::Object, 3)).await?;
    let read = async |url: String| {
        let shot = Shot {
            url,
            cookie: manager.clone(),
            form: None,
        };
        load::send(client, &shot).await.map(|(_, html)| html)
    };
    let mut votes = Vec::new();
    let mut next = Some(format!("{}/approvals", portal.url));
    while let Some(url) = next.take() {
        let html = read(url).await?;
        for path in links(&html, "/approvals/stg_") {
            let url = format!("{}{path}", portal.url);
            let Some(mut form) = hidden(&read(url.clone()).await?) else {
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
    Ok(votes)
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

/// The limit to compare with, over the same rows.
async fn bare(database: &str, port: u16) -> Result<Row, Box<dyn Error>> {
    let own = std::env::current_exe()?;
    let mut child = Command::new(own)
        .args(["bare", database, &port.to_string()])
        .kill_on_drop(true)
        .spawn()?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let process = child.id().ok_or("the bare handler ended at once")?;
    let shot = Shot {
        url: format!("http://127.0.0.1:{port}/"),
        cookie: String::new(),
        form: None,
    };
    let rows = page(
        &load::client(),
        &[("bare handler, one indexed query", process, shot)],
    )
    .await?;
    child.kill().await?;
    rows.into_iter().next().ok_or_else(|| "no row".into())
}

/// Prints a table for one engine: a group of columns for each size.
pub fn print(engine: Engine, columns: &[(i64, Column)]) {
    println!("\n### {engine:?}\n");
    print!("| what |");
    for (times, _) in columns {
        print!(" {times}×: CPU ms | p50 ms | p99 ms | 16 conn. req/s | p99 ms |");
    }
    let grows = columns.len() > 1;
    if grows {
        print!(" growth: CPU | p50 |");
    }
    println!();
    print!("| --- |");
    for _ in columns {
        print!(" ---: | ---: | ---: | ---: | ---: |");
    }
    if grows {
        print!(" ---: | ---: |");
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
        if let Some((_, last)) = columns.last().filter(|_| grows) {
            let (small, large) = (row.figures, last.rows[index].figures);
            print!(
                " {:.2} | {:.2} |",
                large.cpu / small.cpu,
                large.p50 / small.p50
            );
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
