//! What makes the audit log evidence: signed checkpoints kept outside the database, verification that names the first
//! break, and export.
//!
//! The chain itself is made where a [`Unit`](crate::Unit) commits. A chain proves only that nobody changed a part of it
//! without changing the rest; a checkpoint that lies elsewhere, signed, proves that the rest was not changed either.

mod anchor;
mod checkpoint;
mod export;
mod taken;
mod verify;

pub(crate) use anchor::Doubts;
pub use anchor::{Doubt, contradiction, doubt, doubted};
pub use checkpoint::{Checkpoint, NoteError, PublicKey, Signer, SignerError, write_atomically};
pub use export::{Export, Filter, Format, csv_cell};
pub use taken::{evidence_taken, take};
pub use verify::{Break, Tampering, Verdict, Verifier, verify_lines, verify_store};

use crate::{Result, Workflow};

/// The checkpoint for the log as it stands. Read without a lock: it is true for the moment of the reading.
pub async fn checkpoint(workflow: &Workflow) -> Result<Checkpoint> {
    let mut tx = workflow.store().read().await?;
    let installation = tx
        .installation()
        .await?
        .ok_or_else(|| crate::Error::internal("the database has no installation row"))?;
    let head = tx.audit_head().await?;
    Ok(Checkpoint {
        installation: installation.id,
        start: installation.starts,
        size: head.seq,
        hash: head.hash,
        at: workflow.clock().now(),
    })
}
