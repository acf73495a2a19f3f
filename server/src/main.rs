//! The binary `latchkey`.

use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    Box::pin(server::cli::Cli::parse().run()).await
}
