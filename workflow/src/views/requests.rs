//! My requests.

use domain::{
    GrantId, LineId, RequestId, Timestamp,
    request::{LineKind, Window},
};
use serde::Serialize;

use super::{Cursor, PackageTag, PersonTag, Standing, make};
use crate::{Result, Workflow, access::Viewer};

/// Lines on a page.
const PAGE: i64 = 30;

/// A page of requests, newest first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Requests {
    /// Now, for relative times.
    pub now: Timestamp,
    /// The lines.
    pub items: Vec<RequestItem>,
    /// Where the next page begins.
    pub next: Option<Cursor>,
}

/// One line in a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RequestItem {
    /// The request.
    pub request: RequestId,
    /// The line.
    pub line: LineId,
    /// The short number (`AR-1042`).
    pub number: i64,
    /// Something new or more time.
    pub kind: LineKind,
    /// What is asked for.
    pub package: PackageTag,
    /// Who asked.
    pub asker: PersonTag,
    /// For whom.
    pub beneficiary: PersonTag,
    /// Start and length, as asked.
    pub window: Window,
    /// The business reason.
    pub reason: String,
    /// When it was asked.
    pub submitted_at: Timestamp,
    /// Where it stands.
    pub standing: Standing,
    /// Who said no, if somebody did.
    pub denied_by: Option<PersonTag>,
    /// The grant that it led to.
    pub grant: Option<GrantId>,
}

/// Reads a page of what the viewer asked for, or what others asked for them; 30 lines long.
pub async fn load(
    workflow: &Workflow,
    viewer: &Viewer,
    only_waiting: bool,
    after: Option<&Cursor>,
) -> Result<Requests> {
    let before = after
        .and_then(Cursor::time)
        .map(|(at, id)| (at, LineId(id)));
    let mut tx = workflow.store().read().await?;
    let mut rows = tx
        .items_of(viewer.id(), only_waiting, before, PAGE + 1)
        .await?;
    rows.extend(
        tx.items_for(viewer.id(), only_waiting, before, PAGE + 1)
            .await?,
    );
    rows.sort_by_key(|row| std::cmp::Reverse((row.submitted_at, row.id)));
    let more = rows.len() > PAGE as usize;
    rows.truncate(PAGE as usize);
    let next = rows
        .last()
        .filter(|_| more)
        .map(|row| Cursor::by_time(row.submitted_at, row.id.0));
    Ok(Requests {
        now: workflow.clock().now(),
        items: make::items(&mut tx, rows).await?,
        next,
    })
}
