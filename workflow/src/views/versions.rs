//! Catalogue versions: what waits for a second person, and what was published.

use domain::{CatalogueVersionId, Timestamp};
use serde::Serialize;

use super::{Cursor, PersonTag};
use crate::{Result, Workflow, access::Viewer};

/// The versions, newest first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Versions {
    /// Now, for relative times.
    pub now: Timestamp,
    /// The versions.
    pub versions: Vec<VersionView>,
    /// Where the next page begins.
    pub next: Option<Cursor>,
}

/// One version.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VersionView {
    /// Which.
    pub id: CatalogueVersionId,
    /// From 1.
    pub number: i64,
    /// `pending`, `published`, `superseded` or `refused`.
    pub state: String,
    /// Who drafted it; none for the command line.
    pub drafted_by: Option<PersonTag>,
    /// SHA-256 of the files, hex.
    pub file_hash: String,
    /// The difference to the version before it, as it was recorded: JSON or lines of text.
    pub difference: String,
    /// Whether it widens, and therefore needs a second person.
    pub widens: bool,
    /// When it was handed in.
    pub created_at: Timestamp,
    /// Who decided.
    pub decided_by: Option<PersonTag>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// Whether the viewer may confirm or refuse it now: it waits, and they did not draft it.
    pub may_decide: bool,
}

/// Reads a page of the versions, 20 long. For administrators, catalogue owners, security and auditors.
pub async fn load(
    workflow: &Workflow,
    viewer: &Viewer,
    after: Option<&Cursor>,
) -> Result<Versions> {
    let _ = (workflow, viewer, after);
    Err(super::common::soon())
}

/// Reads one version. For administrators, catalogue owners, security and auditors.
pub async fn one(
    workflow: &Workflow,
    viewer: &Viewer,
    id: CatalogueVersionId,
) -> Result<VersionView> {
    let _ = (workflow, viewer, id);
    Err(super::common::soon())
}
