//! The cart: what somebody is about to ask for, kept on the server until they send it.
//!
//! A working paper of one person. It opens nothing and nobody else reads it, so it is not audited; what is sent is
//! ([`crate::requests::submit`]), and everything is looked at then. Here only what could never be sent is refused.

use chrono::Duration;
use domain::{DraftLineId, PackageId, PersonId, Refusal, break_glass::BreakGlassBar};
use store::{
    drafts::{DraftLineRow, DraftRow},
    people::PersonRow,
};

use crate::{
    Error, Result, Unit, Workflow,
    access::Viewer,
    people::again,
    requests::{LINES_MOST, policy_of},
    screening,
};

/// How long an untouched draft is kept.
const KEPT: Duration = Duration::days(90);

/// Puts a package into the viewer's cart, once for each of these people. What is in it already stays as it is.
pub async fn add(
    workflow: &Workflow,
    viewer: &Viewer,
    package: PackageId,
    people: &[PersonId],
) -> Result<()> {
    again(|| add_once(workflow, viewer, package, people)).await
}

async fn add_once(
    workflow: &Workflow,
    viewer: &Viewer,
    package: PackageId,
    people: &[PersonId],
) -> Result<()> {
    let mut unit = workflow.unit().await?;
    unit.tx.lock_persons(&[viewer.id()]).await?;
    let offer = unit.tx.offer(package).await?.ok_or(Error::Missing)?;
    if offer.state != "offered" {
        return Err(Refusal::Retired.into());
    }
    let policy = policy_of(&offer)?;
    if policy.asking.break_glass.is_some() {
        let why = BreakGlassBar::NotWithOthers;
        return Err(Refusal::BreakGlass { why }.into());
    }
    for person in people {
        let known = unit.tx.person(*person).await?.map(PersonRow::into_domain);
        if !known.is_some_and(|person| person.works_at(unit.now)) {
            return Err(Error::Missing);
        }
        if let Some(refusal) = screening::scope(&mut unit.tx, &policy, viewer.id(), *person).await?
        {
            return Err(refusal.into());
        }
    }
    let draft = open(&mut unit, viewer.id()).await?;
    let now = unit.now;
    for person in people {
        let line = DraftLineRow {
            id: unit.new_id(),
            draft_id: draft.id,
            package_id: package,
            beneficiary_id: *person,
            typed: String::new(),
            created_at: now,
        };
        unit.tx.insert_draft_line(&line).await?;
    }
    let lines = unit.tx.count_draft_lines(viewer.id()).await?;
    if lines.unsigned_abs() as usize > LINES_MOST {
        return Err(Refusal::NoLines { most: LINES_MOST }.into());
    }
    unit.tx.touch_draft(draft.id, &draft.reason, now).await?;
    unit.changed(viewer.id());
    unit.commit().await
}

/// What became of one of several packages.
#[derive(Debug)]
pub struct Outcome {
    /// Which.
    pub package: PackageId,
    /// What it is called.
    pub name: String,
    /// Whether it is in the cart, or why not.
    pub result: Result<()>,
}

/// Puts several packages into the viewer's cart for one person, each in its own transaction: one that is refused does not
/// stop the others. Missing where one of them is not known at all.
pub async fn add_several(
    workflow: &Workflow,
    viewer: &Viewer,
    packages: &[PackageId],
    whom: PersonId,
) -> Result<Vec<Outcome>> {
    if packages.len() > LINES_MOST {
        return Err(Refusal::NoLines { most: LINES_MOST }.into());
    }
    let mut outcomes = Vec::with_capacity(packages.len());
    for package in packages {
        let offer = workflow.store().read().await?.offer(*package).await?;
        let name = offer.ok_or(Error::Missing)?.name;
        let result = match add(workflow, viewer, *package, &[whom]).await {
            Ok(()) => Ok(()),
            Err(Error::Refused(refusals)) => Err(Error::Refused(refusals)),
            Err(error) => return Err(error),
        };
        outcomes.push(Outcome {
            package: *package,
            name,
            result,
        });
    }
    Ok(outcomes)
}

/// The viewer's draft; begun if there is none.
async fn open(unit: &mut Unit, person: PersonId) -> Result<DraftRow> {
    if let Some(draft) = unit.tx.draft_of(person).await? {
        return Ok(draft);
    }
    let draft = DraftRow {
        id: unit.new_id(),
        person_id: person,
        reason: String::new(),
        created_at: unit.now,
        updated_at: unit.now,
    };
    unit.tx.insert_draft(&draft).await?;
    Ok(draft)
}

/// Keeps what was typed for a line, as it was typed.
pub async fn keep(
    workflow: &Workflow,
    viewer: &Viewer,
    line: DraftLineId,
    typed: &str,
) -> Result<()> {
    change(workflow, viewer, line, Some(typed)).await
}

/// Takes a line out of the viewer's cart.
pub async fn remove(workflow: &Workflow, viewer: &Viewer, line: DraftLineId) -> Result<()> {
    change(workflow, viewer, line, None).await
}

async fn change(
    workflow: &Workflow,
    viewer: &Viewer,
    line: DraftLineId,
    typed: Option<&str>,
) -> Result<()> {
    let mut unit = workflow.unit().await?;
    unit.tx.lock_persons(&[viewer.id()]).await?;
    let row = unit
        .tx
        .draft_line(viewer.id(), line)
        .await?
        .ok_or(Error::Missing)?;
    match typed {
        Some(typed) => unit.tx.update_draft_line(row.id, typed).await?,
        None => unit.tx.delete_draft_line(row.id).await?,
    }
    if let Some(draft) = unit.tx.draft_of(viewer.id()).await? {
        let now = unit.now;
        unit.tx.touch_draft(draft.id, &draft.reason, now).await?;
    }
    unit.changed(viewer.id());
    unit.commit().await
}

/// Keeps the reason for all lines that have none of their own.
pub async fn keep_reason(workflow: &Workflow, viewer: &Viewer, reason: &str) -> Result<()> {
    let mut unit = workflow.unit().await?;
    unit.tx.lock_persons(&[viewer.id()]).await?;
    let Some(draft) = unit.tx.draft_of(viewer.id()).await? else {
        return Ok(());
    };
    let now = unit.now;
    unit.tx.touch_draft(draft.id, reason, now).await?;
    unit.commit().await
}

/// Deletes drafts that nobody touched for long. For the housekeeping job.
pub async fn forget_stale(workflow: &Workflow) -> Result<u64> {
    let mut tx = workflow.store().begin().await?;
    let before = workflow.clock().now() - KEPT;
    let gone = tx.delete_stale_drafts(before).await?;
    tx.commit().await?;
    Ok(gone)
}
