//! One package: what is inside and its policy in plain data, with who would decide for the viewer.

use domain::{
    GrantId, PackageId, PackageVersionId, Timestamp,
    policy::{Limits, Question},
};
use serde::Serialize;

use super::{Condition, EntitlementTag, HeldGrant, PersonTag, StagePreview, Vote, catalog::Card};
use crate::{Result, Workflow, access::Viewer};

/// A package's page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PackagePage {
    /// Now, for relative times.
    pub now: Timestamp,
    /// What its card says.
    pub card: Card,
    /// Whether it is no longer offered; then it is shown to those who hold or held it, to owners and to readers of everything.
    pub retired: bool,
    /// The edition shown.
    pub version: PackageVersionId,
    /// The edition's number: what approvers sign off as policy version.
    pub edition: i64,
    /// What it opens, line by line, in plain words.
    pub opens: Vec<String>,
    /// What it contains.
    pub contents: Vec<EntitlementTag>,
    /// Who may have it, and whether the viewer meets each condition.
    pub eligibility: Vec<Condition>,
    /// Who would decide for the viewer, stage by stage, if they asked now. Empty: approved by policy at once.
    pub stages: Vec<StagePreview>,
    /// Whether one person may decide several stages.
    pub collapse: bool,
    /// Lengths and windows.
    pub limits: Limits,
    /// The package's own questions.
    pub questions: Vec<Question>,
    /// Who owns it.
    pub owners: Vec<PersonTag>,
    /// How many hold it now; for its owners, security and auditors.
    pub holders: Option<super::Capped>,
    /// What the viewer holds of it.
    pub mine: Option<HeldGrant>,
    /// The latest denial of it for the viewer, unless a later ask was approved.
    pub denied: Option<Vote>,
    /// Whether the form would take an ask: offered, eligible, manageable, not already held without an end.
    pub may_ask: bool,
    /// The viewer's grant to ask more time for, if that is the way.
    pub may_extend: Option<GrantId>,
}

/// Reads a package.
pub async fn load(workflow: &Workflow, viewer: &Viewer, id: PackageId) -> Result<PackagePage> {
    let _ = (workflow, viewer, id);
    Err(super::common::soon())
}
