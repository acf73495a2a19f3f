//! Which rights exist in the directory, and whether we can manage them.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    EntitlementId, TargetId,
    audit::{Actor, Event, EventKind},
    catalogue::{GroupFacts, Right, manageable},
    drift::Drift,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::catalogue::EntitlementRow;
use uuid::Uuid;

use super::publish::own_key;
use crate::{Result, Unit, Workflow};

/// An app role of an enterprise application, as the directory describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppRoleFacts {
    /// The service principal's object id.
    pub resource: Uuid,
    /// The role's id.
    pub role: Uuid,
    /// The application's name.
    pub application: String,
    /// The role's name.
    pub name: String,
    /// What it means.
    pub description: String,
    /// Whether it is one of this portal's own roles.
    pub of_portal: bool,
}

/// A licence that the tenant has bought. How many seats are left changes too often to be kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LicenceFacts {
    /// The id of what was bought.
    pub sku: Uuid,
    /// Its name, for example `ENTERPRISEPACK`.
    pub part_number: String,
    /// `User` or `Company`.
    pub applies_to: String,
    /// `Enabled`, `Warning`, `Suspended`, `Deleted`, `LockedOut`.
    pub status: String,
}

/// What was read from the directory.
#[derive(Clone, Debug, Default)]
pub struct Imported {
    /// Groups.
    pub groups: Vec<GroupFacts>,
    /// App roles.
    pub app_roles: Vec<AppRoleFacts>,
    /// Whether the configuration lets them be given.
    pub app_roles_on: bool,
    /// Licences; none if the configuration does not let them be given, and so not be read either.
    pub licences: Option<Vec<LicenceFacts>>,
    /// Whether this is everything that there is: a right that is missing from it may then be gone.
    pub whole: bool,
    /// Rights that are missing from it and that a direct read did not find either: see [`unlisted`].
    pub gone: BTreeSet<Right>,
}

/// What importing changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportOutcome {
    /// Rights that were not known.
    pub added: usize,
    /// Rights that are different now.
    pub changed: usize,
    /// Known rights that a whole listing lacks. Those that a direct read did not find either are marked as gone.
    pub missing: usize,
    /// Whether so many were missing that the listing is not believed: nothing was marked as gone.
    pub unbelieved: bool,
}

/// Why app roles are known but not lent.
const APP_ROLES_OFF: &str = "it is an app role, and giving those is off in the configuration (graph.app_roles), for it takes AppRoleAssignment.ReadWrite.All, which could take over the tenant";
/// Why the portal's own app roles are not lent as such.
const OF_PORTAL: &str = "it is a role of this portal, which is offered as `portal_role`";
/// Why licences are known but not lent.
const LICENCES_OFF: &str =
    "it is a licence, and giving those is off in the configuration (graph.licences)";
/// Why a right that vanished is not lent.
pub(super) const GONE: &str = "it is no longer in the directory";

/// The rights that a whole listing lacks although they are known and can be lent: to be read directly before anybody takes
/// them for gone. None if they are so many that the listing is not believed.
pub async fn unlisted(
    workflow: &Workflow,
    tenant: Uuid,
    imported: &Imported,
) -> Result<Vec<Right>> {
    let mut tx = workflow.store().read().await?;
    let Some(target) = tx.entra_target(tenant).await? else {
        return Ok(Vec::new());
    };
    let known = tx.entitlements(target).await?;
    let listed: BTreeSet<Right> = found(imported)?
        .into_iter()
        .map(|found| found.right)
        .collect();
    let missing: Vec<Right> = known
        .iter()
        .filter(|row| row.manageable && imported.read(row))
        .filter_map(|row| Right::of_directory(&row.kind, &row.external_id))
        .filter(|right| !listed.contains(right))
        .collect();
    if missing.len() > believed(known.len()) {
        return Ok(Vec::new());
    }
    Ok(missing)
}

impl Imported {
    /// Whether rights of this kind were read at all.
    fn read(&self, row: &EntitlementRow) -> bool {
        row.kind != LICENCE || self.licences.is_some()
    }
}

/// The kind of right that is not read while it is off.
const LICENCE: &str = "licence";

/// How many of the known rights a listing may lack and still be believed.
fn believed(known: usize) -> usize {
    5.max(known / 50)
}

/// Stores which rights exist. What the files say of a right (name, summary, key) stays theirs.
///
/// A whole listing that lacks more than a few of the known rights is not believed: an empty or truncated answer must not
/// take the catalogue apart. Nor is one that lacks a single right, before a direct read agrees.
pub async fn import(
    workflow: &Workflow,
    tenant: Uuid,
    imported: Imported,
) -> Result<ImportOutcome> {
    let mut unit = workflow.unit().await?;
    unit.tx.lock_catalogue().await?;
    let fresh: TargetId = unit.new_id();
    let target = unit.tx.ensure_entra_target(fresh, tenant).await?;
    let known: BTreeMap<(String, String), EntitlementRow> = unit
        .tx
        .entitlements(target)
        .await?
        .into_iter()
        .map(|row| ((row.kind.clone(), row.external_id.clone()), row))
        .collect();
    let mut outcome = ImportOutcome::default();
    let mut seen = BTreeSet::new();
    let mut rows = Vec::new();
    for found in found(&imported)? {
        let id = (found.right.kind().to_owned(), found.right.external_id());
        if !seen.insert(id.clone()) {
            continue;
        }
        let row = found.row(&unit, target, known.get(&id));
        match known.get(&id) {
            None => outcome.added += 1,
            Some(old) if *old != row => outcome.changed += 1,
            Some(_) => continue,
        }
        rows.push(row);
    }
    if imported.whole {
        let gone: Vec<&EntitlementRow> = known
            .iter()
            .filter(|(id, row)| !seen.contains(*id) && row.manageable && imported.read(row))
            .map(|(_, row)| row)
            .collect();
        outcome.missing = gone.len();
        outcome.unbelieved = gone.len() > believed(known.len());
        if !outcome.unbelieved {
            let confirmed = |row: &&EntitlementRow| {
                Right::of_directory(&row.kind, &row.external_id)
                    .is_some_and(|right| imported.gone.contains(&right))
            };
            rows.extend(
                gone.into_iter()
                    .filter(confirmed)
                    .map(|row| EntitlementRow {
                        manageable: false,
                        unmanageable_reason: Some(GONE.to_owned()),
                        ..row.clone()
                    }),
            );
        }
    }
    let switched_off: Vec<EntitlementRow> = known
        .values()
        .filter(|row| row.manageable && !imported.read(row))
        .map(|row| EntitlementRow {
            manageable: false,
            unmanageable_reason: Some(LICENCES_OFF.to_owned()),
            ..row.clone()
        })
        .collect();
    outcome.changed += switched_off.len();
    rows.extend(switched_off);
    if rows.is_empty() {
        // The target may be new.
        unit.commit().await?;
        return Ok(outcome);
    }
    unit.tx.save_entitlements(&rows).await?;
    record(&mut unit, &rows, &known, outcome);
    unit.changed("catalogue");
    unit.commit().await?;
    Ok(outcome)
}

fn record(
    unit: &mut Unit,
    rows: &[EntitlementRow],
    known: &BTreeMap<(String, String), EntitlementRow>,
    outcome: ImportOutcome,
) {
    let mut event = Event::new(EventKind::RightsImported, unit.now, Actor::Portal);
    // The rights whose standing changed are named one by one; new ones are counted.
    let mut changed = Vec::new();
    for row in rows {
        let old = known.get(&(row.kind.clone(), row.external_id.clone()));
        if let Some(old) = old.filter(|old| old.manageable != row.manageable) {
            event = event.about(row.id);
            changed.push(json!({
                "entitlement": row.id, "manageable": row.manageable, "was": old.manageable, "why": row.unmanageable_reason,
            }));
        }
    }
    let after = json!({"added": outcome.added, "changed": outcome.changed, "missing": outcome.missing, "standing": changed});
    unit.record(event.changing(serde_json::Value::Null, after));
}

/// One right as it was found.
struct Found {
    right: Right,
    name: String,
    summary: String,
    manageable: std::result::Result<(), String>,
    facts: String,
}

fn found(imported: &Imported) -> Result<Vec<Found>> {
    let mut all = Vec::with_capacity(imported.groups.len() + imported.app_roles.len());
    for group in &imported.groups {
        all.push(Found {
            right: Right::Group { id: group.id },
            name: group.display_name.clone(),
            summary: group.description.clone(),
            manageable: manageable(group),
            facts: serde_json::to_string(group)?,
        });
    }
    for role in &imported.app_roles {
        all.push(Found {
            right: Right::AppRole {
                role: role.role,
                resource: role.resource,
            },
            name: format!("{}: {}", role.application, role.name),
            summary: role.description.clone(),
            manageable: if role.of_portal {
                Err(OF_PORTAL.to_owned())
            } else if imported.app_roles_on {
                Ok(())
            } else {
                Err(APP_ROLES_OFF.to_owned())
            },
            facts: serde_json::to_string(role)?,
        });
    }
    for licence in imported.licences.iter().flatten() {
        all.push(Found {
            right: Right::Licence { sku: licence.sku },
            name: licence.part_number.clone(),
            summary: String::new(),
            manageable: licence_manageable(licence),
            facts: serde_json::to_string(licence)?,
        });
    }
    Ok(all)
}

fn licence_manageable(licence: &LicenceFacts) -> std::result::Result<(), String> {
    if licence.applies_to == "Company" {
        Err("it is a licence of the whole company, which nobody holds by themselves".to_owned())
    } else if matches!(
        licence.status.as_str(),
        "Suspended" | "Deleted" | "LockedOut"
    ) {
        Err("its subscription has run out".to_owned())
    } else {
        Ok(())
    }
}

impl Found {
    fn row(self, unit: &Unit, target: TargetId, known: Option<&EntitlementRow>) -> EntitlementRow {
        let own = own_key(self.right.kind(), &self.right.external_id());
        let manageable = self.manageable.is_ok();
        let unmanageable_reason = self.manageable.err();
        match known {
            Some(row) => {
                // A right that the files name keeps their words.
                let ours = row.key != own;
                EntitlementRow {
                    name: if ours { row.name.clone() } else { self.name },
                    summary: if ours {
                        row.summary.clone()
                    } else {
                        self.summary
                    },
                    manageable,
                    unmanageable_reason,
                    facts: self.facts,
                    ..row.clone()
                }
            }
            None => EntitlementRow {
                id: unit.new_id::<EntitlementId>(),
                key: own,
                target_id: target,
                application_id: None,
                kind: self.right.kind().to_owned(),
                external_id: self.right.external_id(),
                name: self.name,
                summary: self.summary,
                lane: self.right.lane(),
                privileged: false,
                control_scope: None,
                manageable,
                unmanageable_reason,
                effective_within_seconds: 0,
                owner_id: None,
                drift: Drift::Report,
                instructions: String::new(),
                due_within_seconds: 0,
                facts: self.facts,
            },
        }
    }
}
