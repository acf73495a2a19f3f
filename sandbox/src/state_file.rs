//! The directory in a file, so that memberships survive a restart: written whole beside the old one and renamed over
//! it, at most once in a while.

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    running::Shared,
    world::{Saved, World},
};

const VERSION: u32 = 1;
/// Changes are written at most this often.
const PAUSE: Duration = Duration::from_millis(500);

/// Reads the file; `None` when there is none yet.
pub(crate) fn load(path: &Path, tenant: Uuid) -> Result<Option<Saved>, String> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let saved: Saved =
        serde_json::from_slice(&bytes).map_err(|error| format!("is not readable: {error}"))?;
    if saved.version != VERSION {
        return Err(format!("has version {}, not {VERSION}", saved.version));
    }
    if saved.tenant != tenant {
        return Err(format!("belongs to tenant {}, not {tenant}", saved.tenant));
    }
    Ok(Some(saved))
}

#[derive(Clone, Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
}

impl StateFile {
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Writes the state now and after changes until `stop`, and then once more.
    pub async fn keep(self, shared: Arc<Shared>, stop: CancellationToken) {
        let mut pending = true;
        loop {
            let last = stop.is_cancelled();
            let began = Instant::now();
            pending |= shared.world().take_dirty();
            if pending {
                let (file, shared) = (self.clone(), shared.clone());
                let written = tokio::task::spawn_blocking(move || {
                    let bytes = encode(&shared.world(), shared.tenant)?;
                    file.write(&bytes)
                })
                .await;
                match written.map_err(std::io::Error::other).flatten() {
                    Ok(()) => pending = false,
                    Err(error) => {
                        tracing::error!(path = %self.path.display(), %error, "the sandbox's state was not written");
                    }
                }
            }
            if last {
                return;
            }
            // A large directory takes long to write; most of the time stays for those who use it.
            tokio::select! {
                () = tokio::time::sleep(PAUSE.max(began.elapsed() * 10)) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    fn write(&self, bytes: &[u8]) -> std::io::Result<()> {
        let beside = self.path.with_extension("new");
        let mut file = std::fs::File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, &self.path)
    }
}

fn encode(world: &World, tenant: Uuid) -> std::io::Result<Vec<u8>> {
    let saved = Saved {
        version: VERSION,
        tenant,
        directory: world.directory(),
        journal: world.journal.clone(),
    };
    Ok(serde_json::to_vec(&saved)?)
}
