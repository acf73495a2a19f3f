//! My packages: what an owner owns, who holds it, what waits for the owner.

use domain::{
    GrantId, PackageId, RequestId, Timestamp,
    grant::{End, GrantSource, GrantState},
};
use serde::Serialize;

use super::{Capped, Cursor, PackageTag, PersonTag, approvals::QueueItem};
use crate::{Result, Workflow, access::Viewer};

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
}

/// Somebody who holds a package.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Holder {
    /// The grant.
    pub grant: GrantId,
    /// Who.
    pub person: PersonTag,
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
    let _ = (workflow, viewer);
    Err(super::common::soon())
}

/// Reads a page of a package's holders, 50 long. For its owners, security and auditors; for anybody else there is none.
pub async fn holders(
    workflow: &Workflow,
    viewer: &Viewer,
    package: PackageId,
    after: Option<&Cursor>,
) -> Result<Holders> {
    let _ = (workflow, viewer, package, after);
    Err(super::common::soon())
}
