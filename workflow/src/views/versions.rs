//! Catalogue versions: what waits for a second person, and what was published.

use domain::{CatalogueVersionId, Timestamp, catalogue::Difference, person::PortalRole};
use serde::Serialize;
use store::views::versions::VersionRow;

use super::{Cursor, PersonTag};
use crate::{Error, Result, Workflow, access::Viewer};

/// Who confirms or refuses.
pub(super) const DECIDERS: &[PortalRole] = &[PortalRole::Administrator, PortalRole::CatalogueOwner];
/// Who may look.
const READERS: &[PortalRole] = &[
    PortalRole::Administrator,
    PortalRole::CatalogueOwner,
    PortalRole::Security,
    PortalRole::Auditor,
];
/// Versions on a page.
const PAGE: i64 = 20;

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
    /// The difference to the version before it, as it was recorded.
    pub difference: Difference,
    /// Whether it widens, and therefore needs a second person.
    pub widens: bool,
    /// When it was handed in.
    pub created_at: Timestamp,
    /// Who decided.
    pub decided_by: Option<PersonTag>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// Whether publishing it wants a fresh sign-in.
    pub fresh: bool,
    /// Whether the viewer may confirm or refuse it now: it waits, and they did not draft it.
    pub may_decide: bool,
}

/// Reads a page of the versions, 20 long. For administrators, catalogue owners, security and auditors.
pub async fn load(
    workflow: &Workflow,
    viewer: &Viewer,
    after: Option<&Cursor>,
) -> Result<Versions> {
    viewer.must_have(READERS)?;
    let before = after
        .and_then(Cursor::text)
        .and_then(|(number, _)| number.parse().ok());
    let mut tx = workflow.store().read().await?;
    let mut rows = tx.versions_page(before, PAGE + 1).await?;
    let more = rows.len() > PAGE as usize;
    rows.truncate(PAGE as usize);
    let next = rows
        .last()
        .filter(|_| more)
        .map(|row| Cursor::by_text(&row.number.to_string(), row.id.0));
    Ok(Versions {
        now: workflow.clock().now(),
        versions: rows.into_iter().map(|row| view(viewer, row)).collect(),
        next,
    })
}

/// Reads one version. For administrators, catalogue owners, security and auditors.
pub async fn one(
    workflow: &Workflow,
    viewer: &Viewer,
    id: CatalogueVersionId,
) -> Result<VersionView> {
    viewer.must_have(READERS)?;
    let mut tx = workflow.store().read().await?;
    let row = tx.named_version(id).await?.ok_or(Error::Missing)?;
    let fresh = tx
        .wants_fresh(domain::fresh::FreshAct::Publish, id.0)
        .await?;
    Ok(VersionView {
        fresh,
        ..view(viewer, row)
    })
}

fn view(viewer: &Viewer, row: VersionRow) -> VersionView {
    VersionView {
        may_decide: viewer.must_have(DECIDERS).is_ok()
            && row.state == "pending"
            && row.drafted_by != Some(viewer.id()),
        fresh: false,
        id: row.id,
        number: row.number,
        state: row.state,
        drafted_by: row
            .drafted_by
            .map(|by| PersonTag::new(by, row.drafted_by_name.unwrap_or_default())),
        file_hash: row.file_hash,
        // A version that is older than this way of writing it down shows none.
        difference: serde_json::from_str(&row.difference).unwrap_or_default(),
        widens: row.widens,
        created_at: row.created_at,
        decided_by: row
            .decided_by
            .map(|by| PersonTag::new(by, row.decided_by_name.unwrap_or_default())),
        decided_at: row.decided_at,
    }
}
