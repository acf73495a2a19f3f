//! Benchmarks of the running portal: the real binary, real sign-in, real pages, on both databases and at two sizes.
//!
//! `make bench` builds the release binary and runs this. Figures are printed as tables for `docs/performance.md`; quote
//! ratios taken in one run, not single times: machines differ and are noisy.

#![expect(
    clippy::print_stdout,
    reason = "the tables are what this program is for"
)]

mod bare;
mod reviews;
mod seed;
mod storm;
mod table;

use std::error::Error;

use store::Engine;

use crate::seed::Size;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| "a TLS provider is installed already")?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["bare", url, port] => bare::serve(url, port.parse()?).await,
        ["storm"] => storm::run(&engines()).await,
        ["reviews"] => reviews::run(&engines()).await,
        ["pages"] => pages(&[1, 10]).await,
        ["pages", times] => pages(&[times.parse()?]).await,
        [] => {
            pages(&[1, 10]).await?;
            storm::run(&engines()).await?;
            reviews::run(&engines()).await
        }
        _ => Err("usage: bench [pages [1|10] | storm | reviews]".into()),
    }
}

async fn pages(sizes: &[i64]) -> Result<(), Box<dyn Error>> {
    let sizes: Vec<Size> = sizes.iter().map(|&times| Size { times }).collect();
    for engine in engines() {
        table::print(engine, &table::measure(engine, &sizes).await?);
    }
    Ok(())
}

/// SQLite always; PostgreSQL where a server is named, and said so where not.
fn engines() -> Vec<Engine> {
    let mut engines = vec![Engine::Sqlite];
    if std::env::var("LATCHKEY_TEST_POSTGRES").is_ok() {
        engines.push(Engine::Postgres);
    } else {
        println!("LATCHKEY_TEST_POSTGRES names no server: PostgreSQL is left out.");
    }
    engines
}
