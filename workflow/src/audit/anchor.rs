//! Whether the log has only grown since a checkpoint was signed, and what is told if not.

use std::sync::{Mutex, PoisonError};

use domain::{
    Timestamp,
    audit::{Actor, Event, EventKind},
    person::PortalRole,
};
use serde_json::{Value, json};

use super::Checkpoint;
use crate::{Error, Result, Workflow, access::Viewer};

/// The log contradicts the newest checkpoint: it was restored from a backup, or tampered with. Nothing is signed over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// What does not fit, in words.
    pub why: String,
    /// Where the checkpoint lies that proves it.
    pub file: String,
    /// Since when it is known.
    pub since: Timestamp,
}

/// What the keeper of checkpoints found, for pages to show.
#[derive(Debug, Default)]
pub(crate) struct Doubts(Mutex<Option<Doubt>>);

/// Who is told.
const READERS: &[PortalRole] = &[
    PortalRole::Administrator,
    PortalRole::Operator,
    PortalRole::Security,
    PortalRole::Auditor,
];

/// What in the log as it stands now contradicts a checkpoint that was signed before; none if it has only grown since.
pub async fn contradiction(workflow: &Workflow, old: &Checkpoint) -> Result<Option<String>> {
    let mut tx = workflow.store().read().await?;
    let installation = tx
        .installation()
        .await?
        .ok_or_else(|| Error::internal("the database has no installation row"))?;
    if installation.id != old.installation {
        return Ok(Some(format!(
            "it is of {}, the database of {}",
            old.installation, installation.id
        )));
    }
    let head = tx.audit_head().await?;
    if old.size > head.seq {
        return Ok(Some(format!(
            "it counts {} entries, the log {}: the database was restored from a backup, or entries are missing",
            old.size, head.seq
        )));
    }
    // The head itself must be an entry, or it could name a length that the log does not have.
    for (seq, hash) in [(old.size, &old.hash), (head.seq, &head.hash)] {
        let entry = if seq == 0 {
            None
        } else {
            tx.audit_after(seq - 1, 1).await?.pop()
        };
        let fits = entry.is_some_and(|entry| entry.seq == seq && entry.hash == *hash);
        if seq != 0 && !fits {
            return Ok(Some(format!("entry {seq} is missing or another one now")));
        }
    }
    Ok(None)
}

/// Notes that the log contradicts a checkpoint: in the log itself, once, and for the pages of this process.
pub async fn doubt(workflow: &Workflow, file: &str, why: &str) -> Result<()> {
    let known = workflow
        .doubts()
        .0
        .lock()
        .is_ok_and(|doubt| doubt.is_some());
    if known {
        return Ok(());
    }
    let mut unit = workflow.unit().await?;
    let since = unit.now;
    unit.record(
        Event::new(EventKind::CheckpointContradicted, since, Actor::Portal)
            .because("checkpoint")
            .changing(Value::Null, json!({"why": why, "file": file})),
    );
    unit.changed("provisioning");
    *workflow
        .doubts()
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner) = Some(Doubt {
        why: why.to_owned(),
        file: file.to_owned(),
        since,
    });
    unit.commit().await
}

/// What is known to contradict the log, for those who look after it; none for everybody else.
pub fn doubted(workflow: &Workflow, viewer: &Viewer) -> Option<Doubt> {
    viewer.must_have(READERS).ok()?;
    workflow
        .doubts()
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}
