//! `latchkey plan` and `latchkey apply`.

use std::path::{Path, PathBuf};

use clap::Args;
use domain::Refusal;
use uuid::Uuid;
use workflow::{
    Error,
    catalogue::{self, Applied, SourceFile},
};

use crate::{config, house, out, serve, telemetry};

/// What to compare.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Folder with the catalogue's files; without it the configured one.
    folder: Option<PathBuf>,
}

/// What to publish.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// Folder with the catalogue's files; without it the configured one.
    folder: Option<PathBuf>,
    /// Object id of the account of whoever hands this in. Needed for a version that widens access: somebody else confirms it.
    #[arg(long, env = "LATCHKEY_BY", value_name = "OBJECT ID")]
    by: Option<Uuid>,
}

/// Compares, and changes nothing.
pub async fn plan(config: Option<&Path>, args: PlanArgs) -> Result<(), String> {
    let ready = Ready::new(config, args.folder, Change::Nothing).await?;
    let plan = catalogue::plan(&ready.workflow, ready.tenant, &ready.files)
        .await
        .map_err(|error| explain(&error))?;
    out::line(plan.to_string().trim_end());
    Ok(())
}

/// Publishes, or leaves it to a second person.
pub async fn apply(config: Option<&Path>, args: ApplyArgs) -> Result<(), String> {
    let ready = Ready::new(config, args.folder, Change::All).await?;
    let drafter = match args.by {
        Some(object) => Some(
            catalogue::drafter(&ready.workflow, ready.tenant, object)
                .await
                .map_err(|error| explain(&error))?,
        ),
        None => None,
    };
    // What Entra holds now, so that a group that was just made is no fault in the files.
    ready.target.import_rights(&ready.workflow).await?;
    let applied = catalogue::apply(&ready.workflow, ready.tenant, &ready.files, drafter)
        .await
        .map_err(|error| explain(&error))?;
    match applied {
        Applied::Unchanged => out::line("Nothing differs from what is published."),
        Applied::Published { number, plan, .. } => {
            out::line(plan.to_string().trim_end());
            out::line(format!("Published as version {number}."));
        }
        Applied::Pending { number, plan, .. } => {
            out::line(plan.to_string().trim_end());
            out::line(format!(
                "Version {number} widens access, so it waits: another administrator or catalogue owner confirms it in the portal."
            ));
        }
    }
    Ok(())
}

/// What a command may do to the database.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Nothing,
    All,
}

struct Ready {
    workflow: workflow::Workflow,
    target: house::Target,
    tenant: Uuid,
    files: Vec<SourceFile>,
}

impl Ready {
    async fn new(
        config: Option<&Path>,
        folder: Option<PathBuf>,
        change: Change,
    ) -> Result<Self, String> {
        let config = config::load(config).map_err(|faults| {
            let faults: Vec<String> = faults.iter().map(|fault| format!("\n  {fault}")).collect();
            format!("the configuration is not complete:{}", faults.concat())
        })?;
        telemetry::start(&config.log.filter, config.log.format);
        let folder = folder
            .or_else(|| config.catalogue.folder.clone())
            .ok_or("name a folder, or set catalogue.folder")?;
        let files = catalogue::read_folder(&folder)
            .map_err(|error| format!("{}: {error}", folder.display()))?;
        if files.is_empty() {
            return Err(format!("{} holds no .toml file", folder.display()));
        }
        let workflow = match change {
            Change::All => serve::workflow(&config).await?,
            Change::Nothing => serve::workflow_as_it_is(&config)
                .await
                .map_err(|error| error.to_string())?,
        };
        let target = house::Target::new(
            &workflow,
            serve::graph_options(&config)?,
            config.sign_in.client_id.clone(),
            config.graph.switches,
            config.directory.every.to_std().unwrap_or_default(),
        )?;
        Ok(Self {
            tenant: target.tenant(),
            workflow,
            target,
            files,
        })
    }
}

fn explain(error: &Error) -> String {
    let faults: Vec<&str> = error
        .refusals()
        .iter()
        .flat_map(|refusal| match refusal {
            Refusal::Catalogue { faults } => faults.iter().map(String::as_str).collect(),
            _ => Vec::new(),
        })
        .collect();
    if faults.is_empty() {
        return error.to_string();
    }
    format!("nothing was changed:\n  {}", faults.join("\n  "))
}
