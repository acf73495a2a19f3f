//! `latchkey review verify`: the sealed report of an access review against the audit log. Needs neither the portal nor its
//! configuration.

use std::{fs::File, io::BufReader, path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};
use workflow::reviews::verify_report;

use crate::out;

/// What can be done with reviews.
#[derive(Debug, Subcommand)]
pub enum ReviewCommand {
    /// Compare a sealed report (JSON lines) with an export of the audit log.
    ///
    /// Ends with status 0 if the report is what was signed off, 1 if it is not, 2 if it could not be checked. Check the log
    /// itself with `latchkey audit verify`.
    Verify(VerifyArgs),
}

/// What to compare.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The report, as the portal gives it.
    #[arg(value_name = "REPORT")]
    report: PathBuf,
    /// Export of the audit log as JSON lines.
    #[arg(long, value_name = "FILE")]
    log: PathBuf,
}

/// Runs the command.
pub fn run(command: ReviewCommand) -> ExitCode {
    let ReviewCommand::Verify(args) = command;
    match verify(&args) {
        Ok(code) => code,
        Err(why) => {
            out::note(format!("latchkey: {why}"));
            ExitCode::from(2)
        }
    }
}

fn verify(args: &VerifyArgs) -> Result<ExitCode, String> {
    let failed = |path: &PathBuf, error: std::io::Error| format!("{}: {error}", path.display());
    let report =
        std::fs::read_to_string(&args.report).map_err(|error| failed(&args.report, error))?;
    let log = File::open(&args.log).map_err(|error| failed(&args.log, error))?;
    let verdict =
        verify_report(&report, BufReader::new(log)).map_err(|error| failed(&args.log, error))?;
    match verdict {
        Ok(sealed) => {
            out::line(format!(
                "The report is what was signed off: {}, {} items, SHA-256 {}.",
                sealed.campaign, sealed.items, sealed.hash
            ));
            Ok(ExitCode::SUCCESS)
        }
        Err(fault) => {
            out::line(format!("BROKEN: {fault}"));
            Ok(ExitCode::FAILURE)
        }
    }
}
