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

/// One after another over one connection.
pub async fn one_by_one(
    client: &Client,
    process: u32,
    shots: &[Shot],
) -> Result<Figures, reqwest::Error> {
    let mut times = Vec::with_capacity(shots.len());
    let before = cpu(process);
    for shot in shots {
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
    let cpu = (cpu(process) - before) * 1000.0 / shots.len() as f64;
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1000.0;
    Ok(Figures {
        p50: at(0.5),
        p99: at(0.99),
        cpu,
    })
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
