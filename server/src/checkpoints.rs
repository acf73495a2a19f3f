//! Keeps the newest signed checkpoint of the audit log in a file outside the database: at start, at stop, and at most a
//! minute after a change.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use workflow::{
    Workflow,
    audit::{Checkpoint, Signer, checkpoint, write_atomically},
};

const EVERY: Duration = Duration::from_mins(1);

/// Writes checkpoints.
#[derive(Clone, Debug)]
pub struct Keeper(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    workflow: Workflow,
    signer: Signer,
    path: PathBuf,
    /// Size of the log when the file was last written.
    written: Mutex<Option<i64>>,
}

impl Keeper {
    /// Reads or makes the key and writes the public half beside it. Looks at the checkpoint that lies there: one that
    /// contradicts the log is kept under another name, for it is the proof that entries are missing.
    pub async fn open(workflow: Workflow, key: &Path, file: &Path) -> Result<Self, String> {
        let signer = Signer::load_or_create(key).map_err(|error| error.to_string())?;
        let public = key.with_extension("pub");
        write_atomically(&public, &format!("{}\n", signer.public()))
            .map_err(|error| format!("{}: {error}", public.display()))?;
        let keeper = Self(Arc::new(Inner {
            workflow,
            signer,
            path: file.to_owned(),
            written: Mutex::default(),
        }));
        keeper.look_back().await?;
        Ok(keeper)
    }

    async fn look_back(&self) -> Result<(), String> {
        let Inner {
            workflow,
            signer,
            path,
            ..
        } = &*self.0;
        let Ok(note) = std::fs::read_to_string(path) else {
            tracing::warn!(file = %path.display(), "there is no checkpoint yet: the audit log has no anchor outside the database");
            return Ok(());
        };
        let found = Checkpoint::open(&note, &signer.public());
        let now = checkpoint(workflow)
            .await
            .map_err(|error| error.to_string())?;
        let doubt = match found {
            Ok(old) if old.installation != now.installation => {
                Some("it is of another installation".to_owned())
            }
            Ok(old) => contradiction(workflow, &old, &now).await?,
            Err(error) => Some(error.to_string()),
        };
        if let Some(doubt) = doubt {
            let mut kept = path.as_os_str().to_owned();
            kept.push(format!(".before-start-{}", now.start));
            tracing::error!(file = %path.display(), kept = %kept.display(), why = doubt,
                "the last checkpoint contradicts the audit log: the database was restored or tampered with");
            std::fs::rename(path, &kept).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(())
    }

    /// Writes a checkpoint if the log has grown since the last one.
    pub async fn write(&self) -> Result<(), String> {
        let mut written = self.0.written.lock().await;
        let now = checkpoint(&self.0.workflow)
            .await
            .map_err(|error| error.to_string())?;
        if *written == Some(now.size) {
            return Ok(());
        }
        let path = &self.0.path;
        write_atomically(path, &self.0.signer.sign(&now))
            .map_err(|error| format!("{}: {error}", path.display()))?;
        tracing::info!(audit.entries = now.size, file = %path.display(), "checkpoint written");
        *written = Some(now.size);
        Ok(())
    }

    /// Writes now, each minute, and when `stop` says so.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            if let Err(why) = self.write().await {
                tracing::error!(%why, "the checkpoint could not be written");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }
}

/// What an earlier checkpoint of the same installation and the log of today cannot both be right about, if anything.
pub async fn contradiction(
    workflow: &Workflow,
    old: &Checkpoint,
    now: &Checkpoint,
) -> Result<Option<String>, String> {
    if old.size > now.size {
        return Ok(Some(format!(
            "it counts {} entries, the log {}",
            old.size, now.size
        )));
    }
    if old.size == 0 {
        return Ok(None);
    }
    let failed = |error: store::Error| error.to_string();
    let mut tx = workflow.store().read().await.map_err(failed)?;
    let rows = tx.audit_after(old.size - 1, 1).await.map_err(failed)?;
    Ok(match rows.first() {
        Some(row) if row.seq == old.size && row.hash == old.hash => None,
        _ => Some(format!("entry {} is another one now", old.size)),
    })
}
