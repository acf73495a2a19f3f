//! A second person's word on an edition that widens.

use domain::{
    CatalogueVersionId, Refusal,
    audit::{Actor, Event, EventKind},
    catalogue::{Content, Right, compare},
    fresh::{FreshAct, Weight},
    person::PortalRole,
};
use serde_json::json;
use store::catalogue::{CatalogueVersionRow, VersionState};

use super::{drafter, plan, publish};
use crate::{
    Error, Result, Unit, Workflow,
    access::{self, Viewer},
    fresh::{self, Proof},
    people::again,
};

const DECIDERS: &[PortalRole] = &[PortalRole::Administrator, PortalRole::CatalogueOwner];

/// Publishes a waiting edition. Refused to whoever drafted it, if nobody knows who that was, and if the world has moved on so that it no longer holds.
///
/// One that wants a fresh sign-in is refused with [`Refusal::WantsFreshSignIn`]; it is published through [`crate::fresh`].
pub async fn confirm(workflow: &Workflow, viewer: &Viewer, id: CatalogueVersionId) -> Result<()> {
    by(workflow, viewer, id, None).await
}

/// As [`confirm`], with a fresh sign-in.
pub(crate) async fn by(
    workflow: &Workflow,
    viewer: &Viewer,
    id: CatalogueVersionId,
    fresh: Option<Proof>,
) -> Result<()> {
    again(|| confirm_once(workflow, viewer, id, fresh)).await
}

/// What somebody who may publish a waiting edition signs in for.
pub(crate) async fn asked(
    unit: &mut Unit,
    viewer: &Viewer,
    id: CatalogueVersionId,
) -> Result<String> {
    let row = waiting(unit, viewer, id).await?;
    if row.drafted_by.is_none() {
        return Err(drafter::nobody());
    }
    Ok(fresh::shown(FreshAct::Publish, id.0, &row.file_hash))
}

/// Whether publishing an edition wants a fresh sign-in: it adds, changes or removes a package that says so, or that holds a
/// privileged right, as it was or as it would be.
pub(super) fn steps_up(before: &Content, after: &Content) -> bool {
    let keys = before.packages.keys().chain(after.packages.keys());
    keys.into_iter().any(|key| {
        let weighs = |content: &Content| {
            content.packages.get(key).is_some_and(|package| {
                Weight {
                    privileged: content.privileged(package),
                    said: package.policy.risk.step_up,
                    ..Weight::default()
                }
                .wants_fresh()
            })
        };
        let same = match (before.packages.get(key), after.packages.get(key)) {
            (Some(was), Some(is)) => {
                was == is
                    && was.entitlements.iter().all(|right| {
                        before.entitlements.get(right) == after.entitlements.get(right)
                    })
            }
            _ => false,
        };
        !same && (weighs(before) || weighs(after))
    })
}

async fn confirm_once(
    workflow: &Workflow,
    viewer: &Viewer,
    id: CatalogueVersionId,
    fresh: Option<Proof>,
) -> Result<()> {
    let mut unit = workflow.unit().await?;
    let row = waiting(&mut unit, viewer, id).await?;
    if row.drafted_by.is_none() {
        return Err(drafter::nobody());
    }
    let published = unit.tx.published_catalogue().await?;
    let (before, after) = (
        plan::content_of(published.as_ref())?,
        plan::content_of(Some(&row))?,
    );
    still_holds(&mut unit, &before, &after).await?;
    let mut proven = None;
    if let Some(proof) = fresh {
        let act = FreshAct::Publish;
        proof
            .counts_for(&mut unit, act, id.0, &row.file_hash)
            .await?;
        unit.tx.use_fresh(act, id.0, proof.id).await?;
        proven = Some(proof.said(&mut unit).await?);
    } else if unit.tx.wants_fresh(FreshAct::Publish, id.0).await? {
        return Err(Refusal::WantsFreshSignIn.into());
    }
    if let Some(old) = &published {
        publish::supersede(&mut unit, old).await?;
    }
    let now = unit.now;
    let moved = unit
        .tx
        .move_catalogue_version(
            id,
            VersionState::Pending,
            VersionState::Published,
            Some(viewer.id()),
            now,
        )
        .await?;
    if !moved {
        return Err(Error::Stale);
    }
    let difference = compare(
        &before,
        &after,
        &plan::facts(
            &mut unit.tx,
            std::collections::BTreeMap::new(),
            &before,
            &after,
        )
        .await?,
    );
    let decided = CatalogueVersionRow {
        state: VersionState::Published,
        ..row
    };
    let mut event = publish::event(
        EventKind::CataloguePublished,
        &unit,
        Actor::Person(viewer.id()),
        &decided,
        &difference,
    );
    if let Some(proven) = proven {
        event.after["fresh_sign_in"] = proven;
    }
    unit.record(event.because("confirmed"));
    let tenant = tenant(&mut unit).await?;
    publish::publish(&mut unit, tenant, id, &before, &after).await?;
    unit.commit().await
}

/// Says no to a waiting edition. Nothing of it takes effect.
pub async fn refuse(workflow: &Workflow, viewer: &Viewer, id: CatalogueVersionId) -> Result<()> {
    let mut unit = workflow.unit().await?;
    let row = waiting(&mut unit, viewer, id).await?;
    let now = unit.now;
    let moved = unit
        .tx
        .move_catalogue_version(
            id,
            VersionState::Pending,
            VersionState::Refused,
            Some(viewer.id()),
            now,
        )
        .await?;
    if !moved {
        return Err(Error::Stale);
    }
    unit.record(
        Event::new(EventKind::CatalogueRefused, now, Actor::Person(viewer.id()))
            .about(id)
            .because("refused")
            .changing(
                json!({"state": row.state}),
                json!({"state": VersionState::Refused, "file_hash": row.file_hash}),
            ),
    );
    unit.changed("catalogue");
    unit.commit().await
}

/// The waiting edition, if the viewer may decide on it now. Takes the catalogue's lock.
async fn waiting(
    unit: &mut Unit,
    viewer: &Viewer,
    id: CatalogueVersionId,
) -> Result<CatalogueVersionRow> {
    unit.tx.lock_catalogue().await?;
    // Read again under the lock: the role may have been taken since the page was opened.
    let now = unit.now;
    let viewer = access::viewer_in(&mut unit.tx, now, viewer.id(), viewer.account)
        .await?
        .ok_or(Error::Forbidden)?;
    viewer.must_have(DECIDERS)?;
    let row = unit.tx.catalogue_version(id).await?.ok_or(Error::Missing)?;
    if row.state != VersionState::Pending {
        return Err(Refusal::WrongState {
            state: row.state.to_string(),
        }
        .into());
    }
    if row.drafted_by == Some(viewer.id()) {
        return Err(Refusal::OwnDraft.into());
    }
    Ok(row)
}

/// Owners and named approvers still work here, and what would be offered newly can be managed.
async fn still_holds(unit: &mut Unit, before: &Content, after: &Content) -> Result<()> {
    let mut people: Vec<_> = plan::people_of(after).collect();
    people.sort_unstable();
    people.dedup();
    let mut faults: Vec<String> = Vec::new();
    for person in unit.tx.persons(&people).await? {
        let person = person.into_domain();
        if !person.works_at(unit.now) {
            faults.push(format!(
                "{} no longer works here: apply the files again with somebody else",
                person.name
            ));
        }
    }
    let tenant = tenant(unit).await?;
    let Some(target) = unit.tx.entra_target(tenant).await? else {
        return Err(Error::Stale);
    };
    let rows = unit.tx.entitlements(target).await?;
    let targets = unit.tx.targets().await?;
    let offered = before.offered();
    for package in after.packages.values() {
        for right in after.rights(package).difference(&offered) {
            if let Right::At { target, kind, .. } = right {
                let there = targets
                    .iter()
                    .any(|row| row.key == *target && row.kind == kind.as_str());
                if !there {
                    faults.push(format!(
                        "{}: the target {target} is not configured any more",
                        package.name
                    ));
                }
                continue;
            }
            let row = rows
                .iter()
                .find(|row| row.kind == right.kind() && row.external_id == right.external_id());
            if let Some(row) = row.filter(|row| !row.manageable) {
                let why = row
                    .unmanageable_reason
                    .as_deref()
                    .unwrap_or("the directory does not let us");
                faults.push(format!(
                    "{}: {} cannot be lent any more: {why}",
                    package.name, row.name
                ));
            }
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    Err(Refusal::Catalogue { faults }.into())
}

async fn tenant(unit: &mut Unit) -> Result<uuid::Uuid> {
    let targets = unit.tx.targets().await?;
    targets
        .into_iter()
        .find_map(|target| target.tenant_id)
        .ok_or(Error::Stale)
}
