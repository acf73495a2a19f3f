//! The targets that the configuration names, besides the directory of the tenant, and what the receivers of webhooks say.

use chrono::Duration;
use domain::{
    AssignmentId, Refusal, TargetId,
    assignment::Closed,
    audit::{Actor, Event, EventKind},
    catalogue::TargetKind,
};
use serde_json::json;
use store::assignments::OperationRow;
use uuid::Uuid;

use crate::{
    Error, Result, Workflow,
    assignments::{self, Call},
};

/// So long a message that was taken is remembered: much longer than its timestamp is believed.
const REMEMBERED: Duration = Duration::days(1);

/// One target of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configured {
    /// Its key, by which the catalogue's files name it; stays the same for ever.
    pub key: String,
    /// What it speaks.
    pub kind: TargetKind,
    /// What people call it.
    pub name: String,
    /// Whether it is only looked at: nothing is written there.
    pub shadow: bool,
}

/// Brings the table of targets to what the configuration says. A target that it no longer names keeps its row, for its rights
/// may still have to be taken away: without a connector they need attention. What waits for one that is switched on is due at once.
///
/// # Errors
/// [`Refusal::Catalogue`] if a key is that of a target of another kind: what was given there could not be taken away by it.
pub async fn configure(workflow: &Workflow, targets: &[Configured]) -> Result<()> {
    if targets.is_empty() {
        return Ok(());
    }
    let mut unit = workflow.unit().await?;
    let known = unit.tx.targets().await?;
    let mut faults = Vec::new();
    let mut switched_on = Vec::new();
    for target in targets {
        let before = known.iter().find(|row| row.key == target.key);
        if let Some(other) = before.filter(|row| row.kind != target.kind.as_str()) {
            faults.push(format!(
                "the target `{}` is of kind {} already: give the one of kind {} another key",
                target.key, other.kind, target.kind
            ));
            continue;
        }
        let fresh: TargetId = unit.new_id();
        let id = before.map_or(fresh, |row| row.id);
        let changed = unit
            .tx
            .configure_target(id, &target.key, target.kind.as_str(), &target.name)
            .await?;
        let switched = unit.tx.set_target_shadow(id, target.shadow).await?;
        if switched && !target.shadow {
            switched_on.push(id);
        }
        if changed || switched {
            unit.record(
                Event::new(EventKind::TargetConfigured, unit.now, Actor::Operator)
                    .about(id)
                    .changing(
                        json!(before.map(|row| &row.kind)),
                        json!({"key": target.key, "kind": target.kind, "shadow": target.shadow}),
                    ),
            );
            unit.changed("provisioning");
        }
    }
    if !faults.is_empty() {
        return Err(Refusal::Catalogue { faults }.into());
    }
    unit.commit().await?;
    for id in switched_on {
        assignments::wake_target(workflow, id).await?;
    }
    Ok(())
}

/// As [`configure`], for the directory of the tenant, which is a target without being named as one.
pub async fn configure_directory(workflow: &Workflow, tenant: Uuid, shadow: bool) -> Result<()> {
    let mut unit = workflow.unit().await?;
    let known = unit.tx.entra_target(tenant).await?;
    let id = match known {
        Some(id) => id,
        // Made with the first reading, which must not find it switched on.
        None if shadow => {
            let fresh = unit.new_id();
            unit.tx.ensure_entra_target(fresh, tenant).await?
        }
        None => return Ok(()),
    };
    if !unit.tx.set_target_shadow(id, shadow).await? {
        return Ok(());
    }
    unit.record(
        Event::new(EventKind::TargetConfigured, unit.now, Actor::Operator)
            .about(id)
            .changing(json!({"shadow": !shadow}), json!({"shadow": shadow})),
    );
    unit.changed("provisioning");
    unit.commit().await?;
    if shadow {
        return Ok(());
    }
    assignments::wake_target(workflow, id).await
}

/// The targets at which changes wait as a whole, by name, and why.
pub async fn closed(workflow: &Workflow) -> Result<Vec<(String, Closed)>> {
    let mut tx = workflow.store().read().await?;
    let closed = tx.closed_targets().await?;
    let targets = tx.targets().await?;
    Ok(targets
        .into_iter()
        .filter_map(|target| {
            let row = closed.iter().find(|row| row.target_id == target.id)?;
            Some((target.name, row.closed))
        })
        .collect())
}

/// What the receiver of a webhook says of a wish that it had taken on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    /// The id of its message.
    pub message: String,
    /// The assignment that the wish was for.
    pub assignment: AssignmentId,
    /// What was wished for.
    pub call: Call,
    /// Whether it is fulfilled.
    pub done: bool,
    /// What it has to say.
    pub detail: String,
}

/// Takes what a receiver says, whose signature was looked at: keeps it as evidence, and has the target read at once, for a word is
/// no read. False if the same message was taken before; then nothing happens.
///
/// # Errors
/// [`Error::Missing`] if the wish is not of this target.
pub async fn called_back(workflow: &Workflow, target: &str, callback: Callback) -> Result<bool> {
    let mut unit = workflow.unit().await?;
    let now = unit.now;
    let row = unit
        .tx
        .assignment(callback.assignment)
        .await?
        .ok_or(Error::Missing)?;
    let known = unit.tx.target(row.target_id).await?.ok_or(Error::Missing)?;
    if known.key != target {
        return Err(Error::Missing);
    }
    if !unit
        .tx
        .insert_callback(known.id, &callback.message, now)
        .await?
    {
        return Ok(false);
    }
    let detail: String = callback.detail.chars().take(900).collect();
    let operation = OperationRow {
        id: unit.new_id(),
        assignment_id: row.id,
        kind: callback.call.to_string(),
        outcome: if callback.done { "done" } else { "never" }.to_owned(),
        status: None,
        request_id: Some(callback.message),
        client_request_id: None,
        detail: format!("called back: {detail}"),
        at: now,
        took_us: 0,
    };
    unit.tx.insert_operations(&[operation]).await?;
    unit.enqueue(&[assignments::job(&row, now)]);
    unit.changed("provisioning");
    unit.commit().await?;
    Ok(true)
}

/// Forgets messages whose timestamps are refused by now. Gives how many.
pub async fn forget_callbacks(workflow: &Workflow) -> Result<u64> {
    let mut unit = workflow.unit().await?;
    let before = unit.now - REMEMBERED;
    let gone = unit.tx.forget_callbacks(before).await?;
    unit.commit().await?;
    Ok(gone)
}
