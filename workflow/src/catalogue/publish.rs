//! Publishing an edition: everything in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    ApplicationId, CatalogueVersionId, EntitlementId, PackageId, PersonId, TargetId,
    audit::{Actor, Event, EventKind},
    catalogue::{Content, Difference, Package, Right},
    fresh::FreshAct,
};
use serde_json::json;
use store::catalogue::{
    ApplicationRow, CatalogueVersionRow, EntitlementRow, NewPackageVersion, PackageRow,
    VersionState,
};
use uuid::Uuid;

use super::{
    SourceFile, calendar, conflict,
    decide::steps_up,
    drafter,
    plan::{self, Plan},
};
use crate::{
    Error, Result, Unit, Workflow, assignments, fold::fold, people::again, requests, route,
};

/// What applying did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The files say what is published, or what waits already.
    Unchanged,
    /// The edition is in force.
    Published {
        /// Which.
        id: CatalogueVersionId,
        /// Its number.
        number: i64,
        /// What changed.
        plan: Plan,
    },
    /// The edition waits for a second person.
    Pending {
        /// Which.
        id: CatalogueVersionId,
        /// Its number.
        number: i64,
        /// What would change.
        plan: Plan,
    },
}

/// Publishes the files as a new edition, or leaves it pending if it widens. `drafter` is the person who hands it in, and who
/// cannot confirm it later; without one nothing that widens is taken, for there would be no first person to whom somebody
/// else is the second. What was pending before is superseded.
pub async fn apply(
    workflow: &Workflow,
    tenant: Uuid,
    files: &[SourceFile],
    drafter: Option<PersonId>,
) -> Result<Applied> {
    again(|| apply_once(workflow, tenant, files, drafter)).await
}

async fn apply_once(
    workflow: &Workflow,
    tenant: Uuid,
    files: &[SourceFile],
    drafter: Option<PersonId>,
) -> Result<Applied> {
    let mut unit = workflow.unit().await?;
    unit.tx.lock_catalogue().await?;
    let number = unit.tx.next_catalogue_number().await?;
    let now = unit.now;
    let compared = plan::compared(&mut unit.tx, now, tenant, files).await?;
    let waiting = unit.tx.pending_catalogues().await?;
    let content = serde_json::to_string(&compared.content)?;
    if compared.plan.difference.is_empty() && waiting.is_empty()
        || compared.plan.waits
            && waiting
                .iter()
                .any(|row| row.content == content && row.drafted_by.is_some())
    {
        return Ok(Applied::Unchanged);
    }
    if compared.plan.waits && drafter.is_none() {
        return Err(drafter::nobody());
    }
    for row in &waiting {
        supersede(&mut unit, row).await?;
        unit.record(
            drafter::sign(
                Event::new(EventKind::CatalogueRefused, now, Actor::Operator),
                drafter,
            )
            .about(row.id)
            .because("superseded by a later edition")
            .changing(
                json!({"state": row.state}),
                json!({"state": VersionState::Superseded}),
            ),
        );
    }
    if compared.plan.difference.is_empty() {
        // Applying what is published takes back what was waiting.
        unit.changed("catalogue");
        unit.commit().await?;
        return Ok(Applied::Unchanged);
    }
    let plan = compared.plan;
    let id: CatalogueVersionId = unit.new_id();
    let state = if plan.waits {
        VersionState::Pending
    } else {
        VersionState::Published
    };
    if !plan.waits
        && let Some(old) = &compared.published
    {
        supersede(&mut unit, old).await?;
    }
    let row = CatalogueVersionRow {
        id,
        number,
        state,
        drafted_by: drafter,
        file_hash: plan.file_hash.clone(),
        content,
        difference: serde_json::to_string(&plan.difference)?,
        widens: plan.difference.widens(),
        created_at: now,
        decided_by: None,
        decided_at: None,
    };
    unit.tx.insert_catalogue_version(&row).await?;
    let before = plan::content_of(compared.published.as_ref())?;
    if plan.waits && steps_up(&before, &compared.content) {
        unit.tx.want_fresh(FreshAct::Publish, id.0).await?;
    }
    let kind = if plan.waits {
        EventKind::CataloguePending
    } else {
        EventKind::CataloguePublished
    };
    let entered = event(kind, &unit, Actor::Operator, &row, &plan.difference);
    unit.record(drafter::sign(entered, drafter));
    if plan.waits {
        unit.changed("catalogue");
        unit.commit().await?;
        return Ok(Applied::Pending { id, number, plan });
    }
    publish(&mut unit, tenant, id, &before, &compared.content).await?;
    unit.commit().await?;
    Ok(Applied::Published { id, number, plan })
}

/// The event of an edition: hash and difference, without the names of people.
pub(super) fn event(
    kind: EventKind,
    unit: &Unit,
    actor: Actor,
    row: &CatalogueVersionRow,
    difference: &Difference,
) -> Event {
    let changes: Vec<_> = difference
        .changes
        .iter()
        .map(|change| {
            let fields: Vec<&str> = change.fields.iter().map(|field| field.field.as_str()).collect();
            json!({"kind": change.kind, "thing": change.thing, "key": change.key, "fields": fields, "widens": change.widens})
        })
        .collect();
    Event::new(kind, unit.now, actor).about(row.id).changing(
        serde_json::Value::Null,
        json!({"number": row.number, "state": row.state, "file_hash": row.file_hash, "difference": changes}),
    )
}

pub(super) async fn supersede(unit: &mut Unit, row: &CatalogueVersionRow) -> Result<()> {
    let now = unit.now;
    let moved = unit
        .tx
        .move_catalogue_version(row.id, row.state, VersionState::Superseded, None, now)
        .await?;
    if moved { Ok(()) } else { Err(Error::Stale) }
}

/// Brings the tables to what `after` says. The caller has entered the edition and holds the catalogue's lock.
pub(super) async fn publish(
    unit: &mut Unit,
    tenant: Uuid,
    edition: CatalogueVersionId,
    before: &Content,
    after: &Content,
) -> Result<()> {
    let fresh: TargetId = unit.new_id();
    let target = unit.tx.ensure_entra_target(fresh, tenant).await?;
    // Whoever is asking for a package or deciding on it is waited for; then persons are locked, before anything that a
    // request or a grant could decide differently.
    unit.tx.lock_packages().await?;
    let packages: BTreeMap<String, PackageRow> = unit
        .tx
        .packages()
        .await?
        .into_iter()
        .map(|row| (row.key.clone(), row))
        .collect();
    powers(unit, after).await?;
    let targets = targets(unit, target).await?;
    let known = right_ids(unit, &targets).await?;
    lock_touched(unit, &packages, &known, before, after).await?;
    let applications = save_applications(unit, after).await?;
    let rights = save_entitlements(unit, &targets, &applications, &known, after).await?;
    for (key, package) in &after.packages {
        let row = PackageToSave {
            key,
            package,
            was: before.packages.get(key),
            known: packages.get(key),
            gone: lost(before, after, key, &known),
        };
        save_package(unit, edition, &applications, &rights, (before, after), row).await?;
    }
    for (key, row) in &packages {
        if !after.packages.contains_key(key) && row.state != "retired" {
            retire(unit, row).await?;
        }
    }
    let by_right = after
        .entitlements
        .iter()
        .filter_map(|(key, one)| Some((one.right.clone(), *rights.get(key)?)))
        .collect();
    conflict::save(unit, edition, &by_right, after).await?;
    calendar::save(unit, edition, after).await?;
    unit.changed("catalogue");
    Ok(())
}

/// Makes the target of the portal's own powers when the files name the first.
async fn powers(unit: &mut Unit, after: &Content) -> Result<()> {
    let mut rights = after.entitlements.values().map(|one| &one.right);
    if rights.any(|right| right.portal_role().is_some()) {
        let fresh: TargetId = unit.new_id();
        unit.tx.ensure_portal_target(fresh).await?;
    }
    Ok(())
}

/// A target's key (none for the directory of the tenant), kind and the target's own id.
type RightKey = (Option<String>, String, String);
type RightIds = BTreeMap<RightKey, EntitlementRow>;
type Targets = BTreeMap<Option<String>, TargetId>;

/// The targets by key, the directory of the tenant without one.
async fn targets(unit: &mut Unit, directory: TargetId) -> Result<Targets> {
    let mut targets = Targets::from([(None, directory)]);
    for row in unit.tx.targets().await? {
        if row.id != directory {
            targets.insert(Some(row.key), row.id);
        }
    }
    Ok(targets)
}

async fn right_ids(unit: &mut Unit, targets: &Targets) -> Result<RightIds> {
    let mut known = RightIds::new();
    for (key, target) in targets {
        for row in unit.tx.entitlements(*target).await? {
            known.insert(
                (key.clone(), row.kind.clone(), row.external_id.clone()),
                row,
            );
        }
    }
    Ok(known)
}

fn right_key(right: &Right) -> RightKey {
    (
        right.target().map(str::to_owned),
        right.kind().to_owned(),
        right.external_id(),
    )
}

/// The ids of rights that the old edition of a package has and the new one has not.
fn lost(before: &Content, after: &Content, key: &str, rights: &RightIds) -> Vec<EntitlementId> {
    let (Some(old), Some(new)) = (before.packages.get(key), after.packages.get(key)) else {
        return Vec::new();
    };
    let (was, is): (BTreeSet<Right>, BTreeSet<Right>) = (before.rights(old), after.rights(new));
    was.difference(&is)
        .filter_map(|right| rights.get(&right_key(right)))
        .map(|row| row.id)
        .collect()
}

async fn lock_touched(
    unit: &mut Unit,
    packages: &BTreeMap<String, PackageRow>,
    rights: &RightIds,
    before: &Content,
    after: &Content,
) -> Result<()> {
    let mut people = Vec::new();
    for (key, row) in packages {
        if after.packages.contains_key(key) {
            let gone = lost(before, after, key, rights);
            people.extend(unit.tx.people_with_content(row.id, &gone).await?);
        } else {
            for line in unit.tx.waiting_lines_of_package(row.id).await? {
                people.extend(requests::both(&line));
            }
        }
    }
    people.sort_unstable();
    people.dedup();
    unit.tx.lock_persons(&people).await?;
    Ok(())
}

async fn save_applications(
    unit: &mut Unit,
    after: &Content,
) -> Result<BTreeMap<String, ApplicationId>> {
    let mut known: BTreeMap<String, ApplicationRow> = unit
        .tx
        .applications()
        .await?
        .into_iter()
        .map(|row| (row.key.clone(), row))
        .collect();
    let mut ids = BTreeMap::new();
    for (key, application) in &after.applications {
        let id = known
            .remove(key)
            .map_or_else(|| unit.new_id(), |row| row.id);
        ids.insert(key.clone(), id);
        unit.tx
            .save_application(&ApplicationRow {
                id,
                key: key.clone(),
                name: application.name.clone(),
                summary: application.summary.clone(),
                url: application.url.clone(),
                tint: application.tint.clone(),
                initials: application.initials.clone(),
                retired: false,
            })
            .await?;
    }
    for row in known.into_values().filter(|row| !row.retired) {
        unit.tx
            .save_application(&ApplicationRow {
                retired: true,
                ..row
            })
            .await?;
    }
    Ok(ids)
}

/// Writes what the files say of the rights. A right that they no longer name keeps its application, for the history.
async fn save_entitlements(
    unit: &mut Unit,
    targets: &Targets,
    applications: &BTreeMap<String, ApplicationId>,
    known: &RightIds,
    after: &Content,
) -> Result<BTreeMap<String, EntitlementId>> {
    let named: BTreeMap<RightKey, &str> = after
        .entitlements
        .iter()
        .map(|(key, one)| (right_key(&one.right), key.as_str()))
        .collect();
    // Keys are unique: whoever loses one gives it up before another takes it.
    let freed: Vec<EntitlementRow> = known
        .iter()
        .filter(|(id, row)| named.get(*id).is_none_or(|key| *key != row.key))
        .map(|((target, kind, external), row)| {
            let own = own_key(kind, external);
            let own = match target {
                Some(target) => format!("{target}:{own}"),
                None => own,
            };
            (own, row)
        })
        .filter(|(own, row)| row.key != *own)
        .map(|(key, row)| EntitlementRow { key, ..row.clone() })
        .collect();
    unit.tx.save_entitlements(&freed).await?;
    let mut ids = BTreeMap::new();
    let mut rows = Vec::new();
    for (key, one) in &after.entitlements {
        let right = right_key(&one.right);
        let target_id = *targets
            .get(&right.0)
            .ok_or_else(|| Error::internal(format!("entitlement {key} has no target")))?;
        let row = known.get(&right);
        let id = row.map_or_else(|| unit.new_id(), |row| row.id);
        ids.insert(key.clone(), id);
        rows.push(EntitlementRow {
            id,
            key: key.clone(),
            target_id,
            application_id: applications.get(&one.application).copied(),
            kind: one.right.kind().to_owned(),
            external_id: one.right.external_id(),
            name: one.name.clone(),
            summary: one.summary.clone(),
            lane: one.right.lane(),
            privileged: one.privileged,
            control_scope: one.control_scope.clone(),
            manageable: row.is_none_or(|row| row.manageable),
            unmanageable_reason: row.and_then(|row| row.unmanageable_reason.clone()),
            effective_within_seconds: one.effective_within_seconds,
            owner_id: one.owner,
            drift: one.drift,
            instructions: one.instructions.clone(),
            due_within_seconds: one.due_within_seconds,
            facts: row.map(|row| row.facts.clone()).unwrap_or_default(),
        });
    }
    unit.tx.save_entitlements(&rows).await?;
    Ok(ids)
}

/// The key of a right that no file names.
pub(super) fn own_key(kind: &str, external: &str) -> String {
    format!("{kind}:{external}")
}

struct PackageToSave<'a> {
    key: &'a str,
    package: &'a Package,
    was: Option<&'a Package>,
    known: Option<&'a PackageRow>,
    gone: Vec<EntitlementId>,
}

async fn save_package(
    unit: &mut Unit,
    edition: CatalogueVersionId,
    applications: &BTreeMap<String, ApplicationId>,
    rights: &BTreeMap<String, EntitlementId>,
    (before, after): (&Content, &Content),
    PackageToSave {
        key,
        package,
        was,
        known,
        gone,
    }: PackageToSave<'_>,
) -> Result<()> {
    let now = unit.now;
    let id: PackageId = known.map_or_else(|| unit.new_id(), |row| row.id);
    let application = *applications
        .get(&package.application)
        .ok_or_else(|| Error::internal(format!("package {key} has no application")))?;
    let name = after
        .applications
        .get(&package.application)
        .map_or("", |one| one.name.as_str());
    let mut row = PackageRow {
        id,
        key: key.to_owned(),
        application_id: application,
        name: package.name.clone(),
        summary: package.summary.clone(),
        state: "offered".to_owned(),
        version_id: known.and_then(|row| row.version_id),
        privileged: after.privileged(package),
        control_scope: after.control_scope(package),
        default_seconds: package.policy.limits.default_seconds,
        longest_seconds: package.policy.limits.longest_seconds,
        permanent: package.policy.limits.permanent,
        search_key: search_key(unit, after, package, name).await?,
        updated_at: now,
    };
    let same_deciders =
        was.is_some_and(|old| before.right_owners(old) == after.right_owners(package));
    let same_edition = was.is_some_and(|old| {
        old.policy == package.policy
            && old.opens == package.opens
            && before.rights(old) == after.rights(package)
    });
    if same_edition
        && known.is_some_and(|known| {
            PackageRow {
                updated_at: now,
                ..known.clone()
            } == row
        })
    {
        return set_owners(unit, id, package, was, same_deciders).await;
    }
    // The package first: its editions refer to it.
    unit.tx.save_package(&row).await?;
    if !same_edition || row.version_id.is_none() {
        let version = NewPackageVersion {
            id: unit.new_id(),
            package: id,
            number: unit.tx.last_package_number(id).await? + 1,
            catalogue: edition,
            policy: serde_json::to_string(&package.policy)?,
            opens: serde_json::to_string(&package.opens)?,
            content: package
                .entitlements
                .iter()
                .filter_map(|key| rights.get(key).copied())
                .collect(),
        };
        unit.tx.insert_package_version(&version, now).await?;
        row.version_id = Some(version.id);
        unit.tx.save_package(&row).await?;
    }
    set_owners(unit, id, package, was, same_deciders).await?;
    if let Some(known) = known {
        narrow(unit, edition, known.id, &gone).await?;
    }
    Ok(())
}

async fn set_owners(
    unit: &mut Unit,
    id: PackageId,
    package: &Package,
    was: Option<&Package>,
    same_right_owners: bool,
) -> Result<()> {
    let same = was.is_some_and(|old| old.owners == package.owners);
    if same && same_right_owners {
        return Ok(());
    }
    if !same {
        let owners: Vec<PersonId> = package.owners.iter().copied().collect();
        unit.tx.set_owners(id, &owners).await?;
    }
    route::reseat_package(unit, id).await
}

/// A removal reaches all holders at once.
async fn narrow(
    unit: &mut Unit,
    edition: CatalogueVersionId,
    package: PackageId,
    gone: &[EntitlementId],
) -> Result<()> {
    let dropped = unit.tx.content_to_drop(package, gone).await?;
    if dropped.is_empty() {
        return Ok(());
    }
    let now = unit.now;
    let mut pairs = Vec::with_capacity(dropped.len());
    for row in &dropped {
        unit.tx
            .drop_content(row.grant_id, row.entitlement_id, now)
            .await?;
        unit.record(
            Event::new(EventKind::GrantNarrowed, now, Actor::Portal)
                .about(row.grant_id)
                .about(row.person_id)
                .about(row.entitlement_id)
                .because(edition)
                .changing(
                    json!({"entitlement": row.entitlement_id}),
                    serde_json::Value::Null,
                ),
        );
        unit.changed(row.person_id);
        pairs.push((row.account_id, row.entitlement_id));
    }
    pairs.sort_unstable();
    pairs.dedup();
    assignments::recompute(unit, &pairs, "catalogue").await
}

/// What search compares with: names, synonyms, what it is for, who owns it, where it is opened, what it is at the target.
async fn search_key(
    unit: &mut Unit,
    content: &Content,
    package: &Package,
    application: &str,
) -> Result<String> {
    let owners: Vec<PersonId> = package.owners.iter().copied().collect();
    let mut words = vec![package.name.clone(), application.to_owned()];
    words.extend(package.synonyms.iter().cloned());
    words.push(package.summary.clone());
    words.extend(
        unit.tx
            .persons(&owners)
            .await?
            .into_iter()
            .map(|person| person.name),
    );
    words.extend(
        content
            .applications
            .get(&package.application)
            .map(|one| one.url.clone()),
    );
    words.extend(
        package
            .entitlements
            .iter()
            .filter_map(|key| content.entitlements.get(key))
            .map(|one| one.name.clone()),
    );
    Ok(fold(&words.join(" ")))
}

async fn retire(unit: &mut Unit, row: &PackageRow) -> Result<()> {
    let retired = PackageRow {
        state: "retired".to_owned(),
        updated_at: unit.now,
        ..row.clone()
    };
    unit.tx.save_package(&retired).await?;
    requests::withdraw_of_package(unit, row.id, "package retired").await
}
