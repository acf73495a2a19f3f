//! Sends requests over kept-alive connections and measures what they cost the server's process.

use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode, header};

/// One kind of request.
#[derive(Clone, Debug)]
pub struct Shot {
    /// Address.
    pub url: String,
    /// Cookie of whoever is signed in.
    pub cookie: String,
    /// A form to post; none for a page.
    pub form: Option<Vec<(String, String)>>,
}

/// What one row of the table measured.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Median over one connection, in milliseconds.
    pub p50: f64,
    /// 99th percentile over one connection, in milliseconds.
    pub p99: f64,
    /// The server's CPU per request, in milliseconds.
    pub cpu: f64,
}

/// A client that keeps one connection for each request under way and follows nothing.
pub fn client() -> Client {
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(32)
        .tcp_nodelay(true)
        .timeout(Duration::from_mins(1))
        .build()
        .expect("a client without TLS roots of its own")
}

/// Sends one and reads the whole answer.
pub async fn send(client: &Client, shot: &Shot) -> Result<(StatusCode, String), reqwest::Error> {
    let request = match &shot.form {
        None => client.get(&shot.url),
        Some(form) => client
            .post(&shot.url)
            .header("sec-fetch-site", "same-origin")
            .form(form),
    };
    let response = request.header(header::COOKIE, &shot.cookie).send().await?;
    let status = response.status();
    Ok((status, response.text().await?))
}

/// What is sent to one server.
#[derive(Clone, Debug)]
pub struct Series {
    /// The server's process.
    pub process: u32,
    /// What is sent, one after another over one connection.
    pub shots: Vec<Shot>,
}

/// How many requests go to one server before the next one's turn.
const TURN: usize = 10;

/// Sends each server its requests, one after another, in turns: whatever else the machine does meanwhile happens to all of them.
pub async fn in_turns(client: &Client, all: &[Series]) -> Result<Vec<Figures>, reqwest::Error> {
    let mut times = vec![Vec::new(); all.len()];
    let before: Vec<f64> = all.iter().map(|one| cpu(one.process)).collect();
    let longest = all.iter().map(|one| one.shots.len()).max().unwrap_or(0);
    for turn in (0..longest).step_by(TURN) {
        for (one, times) in all.iter().zip(&mut times) {
            for shot in one.shots.iter().skip(turn).take(TURN) {
                let start = Instant::now();
                let (status, body) = send(client, shot).await?;
                times.push(start.elapsed());
                assert!(
                    status.is_success() || status.is_redirection(),
                    "{} answered {status}: {}",
                    shot.url,
                    body.chars().take(600).collect::<String>()
                );
            }
        }
    }
    Ok(all
        .iter()
        .zip(before)
        .zip(times)
        .map(|((one, before), times)| Figures::of(times, (cpu(one.process) - before) * 1000.0))
        .collect())
}

/// One after another over one connection.
pub async fn one_by_one(
    client: &Client,
    process: u32,
    shots: &[Shot],
) -> Result<Figures, reqwest::Error> {
    let series = Series {
        process,
        shots: shots.to_vec(),
    };
    Ok(in_turns(client, &[series]).await?[0])
}

impl Figures {
    /// Of what each request took, and the processor's milliseconds for all of them.
    fn of(mut times: Vec<Duration>, cpu: f64) -> Self {
        times.sort_unstable();
        let last = times.len().saturating_sub(1) as f64;
        let at = |share: f64| {
            times
                .get((last * share) as usize)
                .map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0)
        };
        Self {
            p50: at(0.5),
            p99: at(0.99),
            cpu: cpu / times.len() as f64,
        }
    }
}

/// The same request from 16 connections for a while: requests per second, and the 99th percentile in milliseconds.
pub async fn sixteen(
    client: &Client,
    shot: &Shot,
    span: Duration,
) -> Result<(f64, f64), reqwest::Error> {
    let start = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..16 {
        let (client, shot) = (client.clone(), shot.clone());
        tasks.push(tokio::spawn(async move {
            let mut times = Vec::new();
            while start.elapsed() < span {
                let one = Instant::now();
                send(&client, &shot).await?;
                times.push(one.elapsed());
            }
            Ok::<_, reqwest::Error>(times)
        }));
    }
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.expect("a task that does not panic")?);
    }
    let took = start.elapsed().as_secs_f64();
    times.sort_unstable();
    let p99 = times[(times.len() - 1) * 99 / 100].as_secs_f64() * 1000.0;
    Ok((times.len() as f64 / took, p99))
}

/// Waits until a process has done what it does after its start: less than a twentieth of a processor for two seconds.
///
/// # Panics
/// If it is not calm within ten minutes.
pub async fn calm(process: u32) {
    const SPAN: Duration = Duration::from_secs(2);
    let begun = Instant::now();
    loop {
        let before = cpu(process);
        tokio::time::sleep(SPAN).await;
        if cpu(process) - before < SPAN.as_secs_f64() / 20.0 {
            return;
        }
        assert!(
            begun.elapsed() < Duration::from_mins(10),
            "the portal does not come to rest"
        );
    }
}

/// CPU seconds that a process has used, from `/proc` (100 ticks a second on Linux).
pub fn cpu(process: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let after = text.rsplit(')').next().unwrap_or_default();
    let fields: Vec<&str> = after.split_whitespace().collect();
    let tick = |index: usize| {
        fields
            .get(index)
            .and_then(|field| field.parse::<f64>().ok())
            .unwrap_or(0.0)
    };
    (tick(11) + tick(12)) / 100.0
}

/// Resident memory of a process, in megabytes.
pub fn resident(process: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    text.lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok())
        .unwrap_or(0.0)
        / 1024.0
}
