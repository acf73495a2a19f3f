//! Which installation this is, starting and stopping it, and the trial's walking clock.

use domain::{
    InstallationId, Timestamp,
    audit::{Actor, Event, EventKind},
};
use serde_json::json;

use crate::{Error, Result, Workflow};

/// How an installation is used. Written into the database once, so that the trial's data never becomes real.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The sample company.
    Trial,
    /// The real thing.
    Production,
}

impl Mode {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trial => "trial",
            Self::Production => "production",
        }
    }
}

/// A start that was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    /// Which installation.
    pub installation: InstallationId,
    /// The how many-th start this is.
    pub starts: i64,
}

/// Makes the installation's identity if the database is new. Refuses a database of the other mode: `Error::Forbidden`.
pub async fn prepare(workflow: &Workflow, mode: Mode) -> Result<InstallationId> {
    let mut unit = workflow.unit().await?;
    let id = match unit.tx.installation().await? {
        Some(installation) if installation.mode != mode.as_str() => return Err(Error::Forbidden),
        Some(installation) => {
            workflow
                .clock()
                .restore_offset(installation.clock_offset_us);
            return Ok(installation.id);
        }
        None => unit.new_id(),
    };
    let now = unit.now;
    unit.tx.create_installation(id, mode.as_str(), now).await?;
    unit.commit().await?;
    Ok(id)
}

/// Counts a start of the process and logs it.
pub async fn start(workflow: &Workflow, version: &str) -> Result<Started> {
    let mut unit = workflow.unit().await?;
    let starts = unit.tx.count_start().await?;
    let installation = unit
        .tx
        .installation()
        .await?
        .ok_or_else(|| Error::internal("the installation was not prepared"))?
        .id;
    unit.record(
        Event::new(EventKind::Started, unit.now, Actor::Portal)
            .about(installation)
            .changing(
                json!({"starts": starts - 1}),
                json!({"starts": starts, "version": version}),
            ),
    );
    unit.commit().await?;
    Ok(Started {
        installation,
        starts,
    })
}

/// Remembers that the trial's clock is on its way to `instant`. The walk itself moves it; a process that ends on the way
/// finds itself at `instant` when it starts again, and does what is overdue first.
pub async fn remember_clock(workflow: &Workflow, instant: Timestamp) -> Result<()> {
    let ahead = instant - workflow.clock().system_now();
    let offset = ahead
        .num_microseconds()
        .unwrap_or(0)
        .max(workflow.clock().offset_us());
    let mut tx = workflow.store().begin().await?;
    tx.set_clock_offset(offset).await?;
    Ok(tx.commit().await?)
}

/// Logs that the trial's clock was moved from one instant to another.
pub async fn clock_skipped(workflow: &Workflow, from: Timestamp, to: Timestamp) -> Result<()> {
    let mut unit = workflow.unit().await?;
    unit.record(
        Event::new(EventKind::ClockMoved, unit.now, Actor::Operator)
            .because("trial")
            .changing(json!({"at": from}), json!({"at": to})),
    );
    unit.commit().await
}

/// Deletes sessions and sign-ins that are over. For the housekeeping job.
pub async fn forget_expired_sessions(workflow: &Workflow) -> Result<u64> {
    let mut tx = workflow.store().begin().await?;
    let gone = tx
        .delete_expired_sessions(workflow.clock().system_now())
        .await?;
    tx.commit().await?;
    Ok(gone)
}
