//! The command line.

mod audit;
mod catalogue;
mod doctor;
mod review;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{
    config::{self, Config, Layers, LogFormat},
    out, telemetry,
};

/// Latchkey: people ask for access, the right people decide, and a provisioner makes the targets match, with proof.
#[derive(Debug, Parser)]
#[command(name = "latchkey", version, max_term_width = 100)]
pub struct Cli {
    /// Configuration file (TOML); `latchkey config default` prints all settings with their meaning.
    #[arg(long, global = true, env = "LATCHKEY_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a sample company with a sandbox for Entra ID and Graph, on this machine only; needs no configuration.
    ///
    /// Everything lives in one folder. The first start makes it; later starts go on where the last one ended.
    Trial(crate::trial::TrialArgs),
    /// Serve the portal: web pages, provisioner and timers. Brings the database to this version first.
    Serve,
    /// Bring the database to this version and stop.
    Migrate,
    /// Say that the database was restored from a backup: nothing is given at any target until all were compared.
    ///
    /// The portal finds that out by itself where the newest checkpoint lies outside of what was restored. Say it before the first
    /// start otherwise.
    Restored,
    /// Publish the catalogue files of a folder as a new version. One that widens access waits for a second person.
    Apply(catalogue::ApplyArgs),
    /// Compare the catalogue files of a folder with what is published, and change nothing.
    Plan(catalogue::PlanArgs),
    /// Check sign-in, Graph and its permissions, database, clock, mail and checkpoints; name what to mend.
    Doctor,
    /// Check or export the audit log.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Check the report of an access review.
    #[command(subcommand)]
    Review(review::ReviewCommand),
    /// Check or show the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Name every fault of the configuration. Ends with status 1 if there is one.
    Check,
    /// Print the settings in force and where each comes from; secrets are masked.
    Show,
    /// Print the annotated defaults, as a file to begin with.
    Default,
}

impl Cli {
    /// Runs the command and gives the process's status.
    pub async fn run(self) -> ExitCode {
        let file = self.config.as_deref();
        let done = match self.command {
            Command::Trial(args) => {
                telemetry::start(&args.log, LogFormat::Auto);
                crate::trial::run(args).await
            }
            Command::Serve => match load(file) {
                Ok(config) => crate::serve::run(&config).await,
                Err(code) => return code,
            },
            Command::Migrate => match load(file) {
                Ok(config) => crate::serve::migrate(&config).await,
                Err(code) => return code,
            },
            Command::Restored => match load(file) {
                Ok(config) => crate::serve::restored(&config).await,
                Err(code) => return code,
            },
            Command::Apply(args) => catalogue::apply(file, args).await,
            Command::Plan(args) => catalogue::plan(file, args).await,
            Command::Doctor => match load(file) {
                Ok(config) => return doctor::run(&config).await,
                Err(code) => return code,
            },
            Command::Audit(command) => return audit::run(file, command).await,
            Command::Review(command) => return review::run(command),
            Command::Config(command) => return config_command(file, command),
        };
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                out::note(format!("latchkey: {error}"));
                ExitCode::FAILURE
            }
        }
    }
}

/// Reads the configuration and begins logging as it says; prints every fault otherwise.
fn load(file: Option<&std::path::Path>) -> Result<Config, ExitCode> {
    match config::load(file) {
        Ok(config) => {
            telemetry::start(&config.log.filter, config.log.format);
            Ok(config)
        }
        Err(faults) => {
            print_faults(&faults);
            Err(ExitCode::FAILURE)
        }
    }
}

fn print_faults(faults: &[config::Fault]) {
    out::note("latchkey: the configuration is not complete:");
    for fault in faults {
        out::note(format!("  {fault}"));
    }
    out::note("`latchkey config default` prints all settings with their meaning.");
}

fn config_command(file: Option<&std::path::Path>, command: ConfigCommand) -> ExitCode {
    match command {
        ConfigCommand::Default => {
            out::text(config::DEFAULTS);
            ExitCode::SUCCESS
        }
        ConfigCommand::Show => {
            let (layers, faults) = Layers::read(file, std::env::vars_os());
            out::text(&layers.show());
            if faults.is_empty() {
                return ExitCode::SUCCESS;
            }
            // What is shown lacks whatever could not be read.
            print_faults(&faults);
            ExitCode::FAILURE
        }
        ConfigCommand::Check => match config::load(file) {
            Ok(_) => {
                out::line("The configuration is complete.");
                ExitCode::SUCCESS
            }
            Err(faults) => {
                print_faults(&faults);
                ExitCode::FAILURE
            }
        },
    }
}
