//! My packages: what an owner owns, who holds it, what waits for the owner.

use domain::{
    GrantId, PackageId, RequestId, Timestamp,
    approval::Via,
    grant::{End, GrantSource, GrantState},
    person::PortalRole,
};
use serde::Serialize;
use store::views::catalog::CardRow;

use super::{Capped, Cursor, PackageTag, PersonTag, approvals::QueueItem, make, shell::CAP};
use crate::{Error, Result, Workflow, access::Viewer};

/// Holders on a page.
const PAGE: i64 = 50;

/// An owner's packages.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Owned {
    /// Now, for relative times.
    pub now: Timestamp,
    /// The packages, by name, at most 200.
    pub packages: Vec<OwnedPackage>,
    /// Decisions that wait for the viewer as an owner, oldest first, at most ten.
    pub decisions: Vec<QueueItem>,
}

/// One package that the viewer owns.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OwnedPackage {
    /// Which.
    pub package: PackageTag,
    /// What it is for.
    pub summary: String,
    /// Whether it is no longer offered.
    pub retired: bool,
    /// How many hold it.
    pub holders: Capped,
    /// How many requests for it wait.
    pub waiting: Capped,
}

/// A page of a package's holders, newest first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Holders {
    /// Now, for relative times.
    pub now: Timestamp,
    /// The package.
    pub package: PackageTag,
    /// Who holds it.
    pub items: Vec<Holder>,
    /// Where the next page begins.
    pub next: Option<Cursor>,
    /// How many hold it in all.
    pub holders: Capped,
    /// Whether the viewer may take it away from others.
    pub may_take_away: bool,
    /// Whether the viewer may hold it back, or let it go on.
    pub may_hold_back: bool,
}

/// Somebody who holds a package.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Holder {
    /// The grant.
    pub grant: GrantId,
    /// Who.
    pub person: PersonTag,
    /// Whether that is the viewer.
    pub me: bool,
    /// Department.
    pub department: String,
    /// Job title.
    pub job_title: String,
    /// Where it comes from.
    pub source: GrantSource,
    /// Where it stands.
    pub state: GrantState,
    /// Begins.
    pub from: Timestamp,
    /// Ends.
    pub end: End,
    /// When every target first confirmed it.
    pub ready_at: Option<Timestamp>,
    /// The request behind it, with its short number.
    pub request: Option<(RequestId, i64)>,
}

/// Reads the packages that the viewer owns.
pub async fn load(workflow: &Workflow, viewer: &Viewer) -> Result<Owned> {
    let mut tx = workflow.store().read().await?;
    let counts = tx.owned_by(viewer.id(), CAP + 1, 200).await?;
    let ids: Vec<PackageId> = counts.iter().map(|row| row.package_id).collect();
    let rows = tx.cards_by_ids(&ids).await?;
    let decisions = tx
        .queue(viewer.id(), Some(Via::PackageOwner), None, 10)
        .await?;
    let packages = rows
        .into_iter()
        .map(|row| {
            let count = counts.iter().find(|count| count.package_id == row.id);
            OwnedPackage {
                holders: Capped::of(count.map_or(0, |count| count.holders), CAP),
                waiting: Capped::of(count.map_or(0, |count| count.waiting), CAP),
                retired: !row.offered,
                package: tag(&row),
                summary: row.summary,
            }
        })
        .collect();
    Ok(Owned {
        now: workflow.clock().now(),
        packages,
        decisions: decisions.into_iter().map(QueueItem::from).collect(),
    })
}

fn tag(row: &CardRow) -> PackageTag {
    PackageTag {
        id: row.id,
        name: row.name.clone(),
        app: make::app_tag!(row),
        privileged: row.privileged,
    }
}

/// Reads a page of a package's holders, 50 long. For its owners, security and auditors; for anybody else there is none.
pub async fn holders(
    workflow: &Workflow,
    viewer: &Viewer,
    package: PackageId,
    after: Option<&Cursor>,
) -> Result<Holders> {
    let before = after
        .and_then(Cursor::time)
        .map(|(at, id)| (at, GrantId(id)));
    let mut tx = workflow.store().read().await?;
    let reads = viewer.has(PortalRole::Security) || viewer.has(PortalRole::Auditor);
    let owns = tx.owns(viewer.id(), package).await?;
    if !reads && !owns {
        return Err(Error::Missing);
    }
    let acts = !viewer.roles.iter().any(|role| role.runs_portal());
    let security = viewer.has(PortalRole::Security);
    let row = tx
        .cards_by_ids(&[package])
        .await?
        .pop()
        .ok_or(Error::Missing)?;
    let mut rows = tx.holders(package, before, PAGE + 1).await?;
    let count = tx.count_holders(package, CAP + 1).await?;
    let more = rows.len() > PAGE as usize;
    rows.truncate(PAGE as usize);
    Ok(Holders {
        now: workflow.clock().now(),
        may_take_away: acts && (owns || security),
        may_hold_back: acts && security,
        package: tag(&row),
        next: rows
            .last()
            .filter(|_| more)
            .map(|row| Cursor::by_time(row.valid_from, row.id.0)),
        items: rows
            .into_iter()
            .map(|row| Holder {
                grant: row.id,
                end: row.end(),
                me: row.person_id == viewer.id(),
                person: PersonTag::new(row.person_id, row.name),
                department: row.department,
                job_title: row.job_title,
                source: row.source,
                state: row.state,
                from: row.valid_from,
                ready_at: row.ready_at,
                request: row.request_id.zip(row.number),
            })
            .collect(),
        holders: Capped::of(count, CAP),
    })
}
