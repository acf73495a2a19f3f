//! Keeps the newest signed checkpoint of the audit log in a file outside the database: at start, at stop, and at most a
//! minute after a change. Each is compared with the one before it first.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use domain::audit::Actor;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use workflow::{
    Workflow,
    audit::{self, Checkpoint, Signer, checkpoint, doubt, write_atomically},
    restores,
};

const EVERY: Duration = Duration::from_mins(1);

/// Writes checkpoints. One that was signed is the anchor of the next: over a log that contradicts it nothing is signed,
/// and its file stays as it is, for it is the proof.
#[derive(Clone, Debug)]
pub struct Keeper(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    workflow: Workflow,
    signer: Signer,
    path: PathBuf,
    signed: Mutex<Signed>,
}

/// What was signed last.
#[derive(Debug)]
enum Signed {
    /// Nothing yet.
    Nothing,
    /// This.
    Before(Checkpoint),
    /// What lies in the file cannot be read as ours: nothing is signed over it.
    Unreadable(String),
}

impl Keeper {
    /// Reads or makes the key and writes the public half beside it. Looks at the checkpoint that lies there.
    pub async fn open(workflow: Workflow, key: &Path, file: &Path) -> Result<Self, String> {
        let signer = Signer::load_or_create(key).map_err(|error| error.to_string())?;
        let public = key.with_extension("pub");
        write_atomically(&public, &format!("{}\n", signer.public()))
            .map_err(|error| format!("{}: {error}", public.display()))?;
        let signed = look_back(&workflow, &signer, file).await?;
        let keeper = Self(Arc::new(Inner {
            workflow,
            signer,
            path: file.to_owned(),
            signed: Mutex::new(signed),
        }));
        // Told at once, not with the first minute.
        let signed = keeper.0.signed.lock().await;
        if let Some(why) = keeper.contradiction(&signed).await? {
            keeper.tell(&signed, &why).await?;
        }
        drop(signed);
        Ok(keeper)
    }

    async fn contradiction(&self, signed: &Signed) -> Result<Option<String>, String> {
        match signed {
            Signed::Nothing => Ok(None),
            Signed::Unreadable(why) => Ok(Some(why.clone())),
            Signed::Before(old) => audit::contradiction(&self.0.workflow, old)
                .await
                .map_err(|error| error.to_string()),
        }
    }

    /// Says so, and lets nothing be given any more: what was taken away since the backup would be given again.
    async fn tell(&self, signed: &Signed, why: &str) -> Result<(), String> {
        let file = self.0.path.display().to_string();
        tracing::error!(
            file,
            why,
            "the newest checkpoint contradicts the audit log: the database was restored or tampered with; nothing is signed"
        );
        doubt(&self.0.workflow, &file, why)
            .await
            .map_err(|error| error.to_string())?;
        if let Signed::Before(old) = signed {
            // The same checkpoint tells of the same restore, however often the portal starts over it.
            let proof = format!("checkpoint {} {}", old.size, BASE64.encode(&old.hash));
            let why = format!("the log contradicts the newest checkpoint, {why}");
            restores::note(&self.0.workflow, &proof, &why, Actor::Portal)
                .await
                .map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Writes a checkpoint if the log has grown since the last one, and only grown.
    pub async fn write(&self) -> Result<(), String> {
        let mut signed = self.0.signed.lock().await;
        if let Some(why) = self.contradiction(&signed).await? {
            self.tell(&signed, &why).await?;
            return Err(format!("nothing is signed over the proof: {why}"));
        }
        let now = checkpoint(&self.0.workflow)
            .await
            .map_err(|error| error.to_string())?;
        if matches!(&*signed, Signed::Before(old) if old.size == now.size && old.start == now.start)
        {
            return Ok(());
        }
        let path = &self.0.path;
        write_atomically(path, &self.0.signer.sign(&now))
            .map_err(|error| format!("{}: {error}", path.display()))?;
        tracing::info!(audit.entries = now.size, file = %path.display(), "checkpoint written");
        *signed = Signed::Before(now);
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

/// What an earlier checkpoint and the log as it stands cannot both be right about, if anything.
pub async fn contradiction(
    workflow: &Workflow,
    old: &Checkpoint,
    _now: &Checkpoint,
) -> Result<Option<String>, String> {
    audit::contradiction(workflow, old)
        .await
        .map_err(|error| error.to_string())
}

/// What lies in the file. A checkpoint of another installation is kept under another name: this log begins anew.
async fn look_back(workflow: &Workflow, signer: &Signer, path: &Path) -> Result<Signed, String> {
    let Ok(note) = std::fs::read_to_string(path) else {
        tracing::warn!(file = %path.display(), "there is no checkpoint yet: the audit log has no anchor outside the database");
        return Ok(Signed::Nothing);
    };
    let now = checkpoint(workflow)
        .await
        .map_err(|error| error.to_string())?;
    match Checkpoint::open(&note, &signer.public()) {
        Ok(old) if old.installation != now.installation => {
            let mut kept = path.as_os_str().to_owned();
            kept.push(format!(".before-start-{}", now.start));
            tracing::warn!(file = %path.display(), kept = %kept.display(), other = %old.installation,
                "the checkpoint is of another installation and kept under another name");
            std::fs::rename(path, &kept).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok(Signed::Nothing)
        }
        Ok(old) => Ok(Signed::Before(old)),
        Err(error) => Ok(Signed::Unreadable(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use domain::audit::{Actor, Event, EventKind};
    use store::{Engine, testing};
    use workflow::{Clock, Ids, Settings, installation};

    use super::*;

    struct World {
        workflow: Workflow,
        folder: PathBuf,
    }

    impl World {
        async fn new(name: &str) -> Self {
            let store = testing::store(Engine::Sqlite).await;
            let workflow =
                Workflow::new(store, Clock::system(), Ids::system(), Settings::default());
            installation::prepare(&workflow, installation::Mode::Production)
                .await
                .expect("a new database takes an identity");
            let folder =
                std::env::temp_dir().join(format!("latchkey-keeper-{name}-{}", std::process::id()));
            drop(fs::remove_dir_all(&folder));
            let world = Self { workflow, folder };
            world.log(5).await;
            world
        }

        async fn log(&self, entries: usize) {
            let mut unit = self.workflow.unit().await.expect("a unit begins");
            for _ in 0..entries {
                unit.record(Event::new(EventKind::SignedIn, unit.now, Actor::Operator));
            }
            unit.commit().await.expect("it commits");
        }

        /// What somebody with the database can do: fewer entries, and a head that fits them.
        async fn cut(&self, to: i64) {
            let store = self.workflow.store();
            for text in [
                "DROP TRIGGER audit_head_forward".to_owned(),
                "DROP TRIGGER audit_events_kept".to_owned(),
                "DROP TRIGGER audit_subjects_kept".to_owned(),
                format!("DELETE FROM audit_subjects WHERE seq > {to}"),
                format!("DELETE FROM audit_events WHERE seq > {to}"),
                format!(
                    "UPDATE audit_head SET seq = {to}, hash = (SELECT hash FROM audit_events WHERE seq = {to})"
                ),
            ] {
                testing::raw(store, &text)
                    .await
                    .expect("a database is defenceless");
            }
        }

        async fn open(&self) -> Keeper {
            Keeper::open(self.workflow.clone(), &self.key(), &self.file())
                .await
                .expect("the keeper opens")
        }

        fn key(&self) -> PathBuf {
            self.folder.join("audit.key")
        }

        fn file(&self) -> PathBuf {
            self.folder.join("newest")
        }

        fn note(&self) -> String {
            fs::read_to_string(self.file()).expect("there is a checkpoint")
        }

        fn signed(&self) -> i64 {
            Checkpoint::peek(&self.note())
                .expect("it is a checkpoint")
                .size
        }

        /// Entries that say that the log contradicts its checkpoint.
        async fn told(&self) -> usize {
            self.logged(EventKind::CheckpointContradicted).await
        }

        async fn logged(&self, kind: EventKind) -> usize {
            let mut tx = self.workflow.store().read().await.expect("it reads");
            let rows = tx.audit_after(0, 1000).await.expect("it reads");
            rows.iter().filter(|row| row.kind == kind.as_str()).count()
        }
    }

    #[tokio::test]
    async fn a_growing_log_is_signed_at_start_and_after_a_change() {
        let world = World::new("grows").await;
        let keeper = world.open().await;
        keeper.write().await.expect("it signs");
        assert_eq!(world.signed(), 5);
        world.log(3).await;
        keeper.write().await.expect("it signs");
        assert_eq!(world.signed(), 8);
        drop(keeper);
        world.log(1).await;
        world.open().await.write().await.expect("it signs");
        assert_eq!((world.signed(), world.told().await), (9, 0));
    }

    #[tokio::test]
    async fn a_log_that_was_cut_is_not_signed_over_the_proof() {
        let world = World::new("cut").await;
        let keeper = world.open().await;
        keeper.write().await.expect("it signs");
        let proof = world.note();
        world.cut(3).await;
        // Shorter at first, then longer than before: neither is the log that was signed.
        assert!(keeper.write().await.is_err());
        world.log(10).await;
        assert!(keeper.write().await.is_err(), "also at stop");
        assert_eq!(world.note(), proof);
        assert_eq!(world.told().await, 1, "told once, in the log itself");
        // Nor by the next start.
        drop(keeper);
        let again = world.open().await;
        assert!(again.write().await.is_err());
        assert_eq!(world.note(), proof);
        // Nothing is given from then on; the same proof says so once.
        assert_eq!(world.logged(EventKind::RestoreNoted).await, 1);
    }

    #[tokio::test]
    async fn a_checkpoint_that_was_tampered_with_is_kept() {
        let world = World::new("forged").await;
        world.open().await.write().await.expect("it signs");
        let forged = world.note().replacen("\n5\n", "\n3\n", 1);
        fs::write(world.file(), &forged).expect("it writes");
        let keeper = world.open().await;
        assert!(keeper.write().await.is_err());
        assert_eq!((world.note(), world.told().await), (forged, 1));
        assert_eq!(
            world.logged(EventKind::RestoreNoted).await,
            0,
            "a file that is not ours tells of no restore"
        );
        // A human looked and moved it away: a new anchor.
        fs::rename(world.file(), world.folder.join("looked-at")).expect("it moves");
        world.open().await.write().await.expect("it signs");
        assert_eq!(world.signed(), 6);
    }
}
