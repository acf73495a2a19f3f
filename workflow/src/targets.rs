//! The targets that the configuration names, besides the directory of the tenant.

use domain::{
    Refusal, TargetId,
    audit::{Actor, Event, EventKind},
    catalogue::TargetKind,
};
use serde_json::json;

use crate::{Result, Workflow};

/// One target of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configured {
    /// Its key, by which the catalogue's files name it; stays the same for ever.
    pub key: String,
    /// What it speaks.
    pub kind: TargetKind,
    /// What people call it.
    pub name: String,
}

/// Brings the table of targets to what the configuration says. A target that it no longer names keeps its row, for its rights
/// may still have to be taken away: without a connector they need attention.
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
        if changed {
            unit.record(
                Event::new(EventKind::TargetConfigured, unit.now, Actor::Operator)
                    .about(id)
                    .changing(
                        json!(before.map(|row| &row.kind)),
                        json!({"key": target.key, "kind": target.kind}),
                    ),
            );
            unit.changed("provisioning");
        }
    }
    if !faults.is_empty() {
        return Err(Refusal::Catalogue { faults }.into());
    }
    unit.commit().await
}
