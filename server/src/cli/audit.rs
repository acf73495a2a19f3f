//! `latchkey audit verify` and `latchkey audit export`. Verifying needs neither the portal nor its configuration.

use std::{
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Subcommand, ValueEnum};
use domain::Timestamp;
use store::{Options, Store};
use workflow::audit::{Checkpoint, Export, Filter, Format, PublicKey, Verdict};

use crate::{config, out};

/// What can be done with the audit log.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Read the whole log, check every link, and compare it with signed checkpoints; name the first break.
    ///
    /// Ends with status 0 if the log is whole, 1 if it is broken, 2 if it could not be checked.
    Verify(VerifyArgs),
    /// Write the log to standard output.
    Export(ExportArgs),
}

/// What to verify, and with what.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Database to read (sqlite:<path> or postgres://…); without it the configured one.
    #[arg(long, value_name = "URL", conflicts_with = "file")]
    database: Option<String>,
    /// Export as JSON lines to read instead of a database.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Public key of the portal, as text or as a file that holds it.
    #[arg(long, value_name = "KEY", required_unless_present = "unsigned")]
    key: Option<String>,
    /// Signed checkpoint to compare with; may be given several times. Without one the configured file, if there is one,
    /// and those that were kept beside it (<file>.before-start-*).
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// Check the chain only, without any checkpoint: proves little, as a chain can be made anew.
    #[arg(long, conflicts_with_all = ["key", "checkpoint"])]
    unsigned: bool,
}

/// What to export.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Database to read; without it the configured one.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// In which form.
    #[arg(long, value_enum, default_value_t = ExportFormat::Jsonl)]
    format: ExportFormat,
    /// Only at or after this instant (as 2026-03-01T00:00:00Z).
    #[arg(long)]
    from: Option<Timestamp>,
    /// Only before this instant.
    #[arg(long)]
    until: Option<Timestamp>,
    /// Only entries of this kind, such as grant_ended.
    #[arg(long)]
    kind: Option<String>,
    /// Only entries about this id, such as gra_….
    #[arg(long)]
    subject: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ExportFormat {
    /// JSON lines; the whole log in this form can be verified.
    Jsonl,
    /// Comma-separated values, safe to open in a spreadsheet.
    Csv,
}

/// Runs the command.
pub async fn run(config: Option<&std::path::Path>, command: AuditCommand) -> ExitCode {
    let done = match command {
        AuditCommand::Verify(args) => verify(config, args).await,
        AuditCommand::Export(args) => export(config, args).await.map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|why| {
        out::note(format!("latchkey: {why}"));
        ExitCode::from(2)
    })
}

async fn verify(config: Option<&std::path::Path>, args: VerifyArgs) -> Result<ExitCode, String> {
    let Given {
        mut checkpoints,
        kept,
    } = match &args.key {
        Some(key) => given(config, &args, &public_key(key)?)?,
        None => Given::default(),
    };
    if let Some(path) = &args.file {
        let compared = checkpoints.len();
        let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let verdict = workflow::audit::verify_lines(BufReader::new(file), checkpoints)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        return Ok(tell(&verdict, compared));
    }
    let store = open(config, args.database.as_deref()).await?;
    let mut tx = store.read().await.map_err(|error| error.to_string())?;
    let installation = tx
        .installation()
        .await
        .map_err(|error| error.to_string())?
        .ok_or("the database holds no installation")?;
    drop(tx);
    if let Some(other) = checkpoints
        .iter()
        .find(|checkpoint| checkpoint.installation != installation.id)
    {
        return Err(format!(
            "the checkpoint is of {}, the database of {}",
            other.installation, installation.id
        ));
    }
    // One that was kept beside the newest may be of an installation that lay here before.
    let ours = |checkpoint: &Checkpoint| checkpoint.installation == installation.id;
    checkpoints.extend(kept.into_iter().filter(ours));
    let compared = checkpoints.len();
    let verdict = workflow::audit::verify_store(&store, checkpoints)
        .await
        .map_err(|error| error.to_string())?;
    Ok(tell(&verdict, compared))
}

fn tell(verdict: &Verdict, compared: usize) -> ExitCode {
    if let Some(broken) = &verdict.broken {
        out::line(format!(
            "BROKEN at entry {}: {} ({})",
            broken.seq, broken.why, broken.tampering
        ));
        out::line(format!(
            "{} entries before it are whole.",
            verdict.entries.min(broken.seq - 1)
        ));
        return ExitCode::FAILURE;
    }
    out::line(format!("The log is whole: {} entries.", verdict.entries));
    match compared {
        0 => out::line(
            "No checkpoint was compared: a chain that was made anew from the start would look the same.",
        ),
        1 => out::line("It agrees with 1 signed checkpoint."),
        more => out::line(format!("It agrees with {more} signed checkpoints.")),
    }
    ExitCode::SUCCESS
}

fn public_key(given: &str) -> Result<PublicKey, String> {
    let text = std::fs::read_to_string(given).unwrap_or_else(|_| given.to_owned());
    text.parse()
        .map_err(|error| format!("--key: {error}, and there is no such file"))
}

/// The checkpoints to compare with.
#[derive(Default)]
struct Given {
    checkpoints: Vec<Checkpoint>,
    /// Those that were kept beside the configured file.
    kept: Vec<Checkpoint>,
}

fn given(
    config: Option<&std::path::Path>,
    args: &VerifyArgs,
    key: &PublicKey,
) -> Result<Given, String> {
    let mut paths = args.checkpoint.clone();
    let mut kept = Vec::new();
    // Only a check of the configured database may take the configured file: another database has another one.
    if paths.is_empty()
        && args.file.is_none()
        && args.database.is_none()
        && let Ok(config) = config::load(config)
    {
        kept = kept_beside(&config.audit.checkpoint_file);
        paths.push(config.audit.checkpoint_file);
    }
    let read = |path: &PathBuf| {
        let at = path.display();
        let note = std::fs::read_to_string(path).map_err(|error| format!("{at}: {error}"))?;
        Checkpoint::open(&note, key).map_err(|error| format!("{at}: {error}"))
    };
    Ok(Given {
        checkpoints: paths.iter().map(read).collect::<Result<_, _>>()?,
        kept: kept.iter().map(read).collect::<Result<_, _>>()?,
    })
}

/// Checkpoints that an earlier start, or somebody who looked at them, kept beside the newest.
fn kept_beside(file: &Path) -> Vec<PathBuf> {
    let (Some(name), Some(folder)) = (file.file_name(), file.parent()) else {
        return Vec::new();
    };
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let start = format!("{}.before-start-", name.to_string_lossy());
    let mut kept: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(&start))
        })
        .collect();
    kept.sort();
    kept
}

async fn export(config: Option<&std::path::Path>, args: ExportArgs) -> Result<(), String> {
    let store = open(config, args.database.as_deref()).await?;
    let filter = Filter {
        from: args.from,
        until: args.until,
        kind: args.kind,
        subject: args.subject,
    };
    let format = match args.format {
        ExportFormat::Jsonl => Format::JsonLines,
        ExportFormat::Csv => Format::Csv,
    };
    let mut export = Export::new(store, filter, format);
    while let Some(text) = export.next().await.map_err(|error| error.to_string())? {
        if !out::text(&text) {
            break;
        }
    }
    Ok(())
}

async fn open(config: Option<&std::path::Path>, url: Option<&str>) -> Result<Store, String> {
    let url = match url {
        Some(url) => url.to_owned(),
        None => config::load(config)
            .map_err(|faults| {
                let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
                format!(
                    "name a --database, or complete the configuration: {}",
                    faults.join("; ")
                )
            })?
            .database
            .url
            .expose()
            .to_owned(),
    };
    if let Some(path) = url.strip_prefix("sqlite:")
        && !std::path::Path::new(path.trim_start_matches("//")).exists()
    {
        return Err(format!("there is no database {path}"));
    }
    Store::open(&Options::new(url))
        .await
        .map_err(|error| error.to_string())
}
