//! The queue of decisions.

use std::collections::BTreeMap;

use domain::{
    LineId, RequestId, StageId, Timestamp,
    approval::Via,
    bulk::bulk_bar,
    person::PortalRole,
    policy::ApproverRule,
    request::{LineKind, Window},
};
use serde::Serialize;
use store::views::approvals::TickedRow;

use super::{Capped, Cursor, PackageTag, PersonTag, make, requests::RequestItem, shell::CAP};
use crate::{Result, Workflow, access::Viewer, frozen::capped};

/// Decisions on a page.
const PAGE: i64 = 30;

/// A page of the queue, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Queue {
    /// Now, for relative times.
    pub now: Timestamp,
    /// What waits.
    pub items: Vec<QueueItem>,
    /// Where the next page begins.
    pub next: Option<Cursor>,
    /// How many wait in all.
    pub waiting: Capped,
}

/// One decision that waits for the viewer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueueItem {
    /// The stage: its page is `/approvals/{stage}`.
    pub stage: StageId,
    /// The line.
    pub line: LineId,
    /// The request.
    pub request: RequestId,
    /// The short number (`AR-1042`).
    pub number: i64,
    /// Something new or more time.
    pub kind: LineKind,
    /// Who asked.
    pub asker: PersonTag,
    /// For whom.
    pub beneficiary: PersonTag,
    /// What is asked for.
    pub package: PackageTag,
    /// Start and length, as asked.
    pub window: Window,
    /// The business reason.
    pub reason: String,
    /// Waits for the viewer since.
    pub since: Timestamp,
    /// When it lapses, not counting a question that is open.
    pub lapse_at: Timestamp,
    /// Whether a question about it waits for an answer.
    pub asked_back: bool,
    /// What is signed off, whole, if it is plain enough to be ticked and decided together with others.
    pub tick: Option<String>,
    /// The stage's rule.
    pub rule: ApproverRule,
    /// By which rule the viewer is seated.
    pub via: Via,
}

/// Reads a page of the queue, 30 decisions long.
pub async fn load(workflow: &Workflow, viewer: &Viewer, after: Option<&Cursor>) -> Result<Queue> {
    let after = after
        .and_then(Cursor::time)
        .map(|(at, id)| (at, StageId(id)));
    let mut tx = workflow.store().read().await?;
    let mut rows = tx.queue(viewer.id(), None, after, PAGE + 1).await?;
    let waiting = tx.count_queue(viewer.id(), CAP + 1).await?;
    let more = rows.len() > PAGE as usize;
    rows.truncate(PAGE as usize);
    let stages: Vec<StageId> = rows.iter().map(|row| row.stage_id).collect();
    let ticks = ticks(&tx.ticked(&stages).await?);
    Ok(Queue {
        now: workflow.clock().now(),
        next: rows
            .last()
            .filter(|_| more)
            .map(|row| Cursor::by_time(row.opened_at, row.stage_id.0)),
        items: rows
            .into_iter()
            .map(|row| QueueItem {
                tick: ticks.get(&row.stage_id).cloned(),
                ..QueueItem::from(row)
            })
            .collect(),
        waiting: Capped::of(waiting, CAP),
    })
}

/// What may be ticked, with what is signed off: of what is plain enough, all by the rule of which there is most.
fn ticks(rows: &[TickedRow]) -> BTreeMap<StageId, String> {
    let plain: Vec<&TickedRow> = rows
        .iter()
        .filter(|row| bulk_bar(&row.ticked(), row.approvers).is_none())
        .collect();
    let by_rule = |rule: ApproverRule| plain.iter().filter(|row| row.approvers == rule).count();
    let Some(rule) = ApproverRule::ALL
        .iter()
        .copied()
        .max_by_key(|rule| by_rule(*rule))
    else {
        return BTreeMap::new();
    };
    plain
        .iter()
        .filter(|row| row.approvers == rule)
        .map(|row| (row.stage_id, capped(&row.frozen_hash, row.cap_seconds)))
        .collect()
}

/// The requests that nobody can decide, longest first, at most 30. For security, who see to it that somebody can; empty
/// for anybody else.
pub async fn stuck(workflow: &Workflow, viewer: &Viewer) -> Result<Vec<RequestItem>> {
    if !viewer.has(PortalRole::Security) {
        return Ok(Vec::new());
    }
    let mut tx = workflow.store().read().await?;
    let rows = tx.stuck_items(PAGE).await?;
    make::items(&mut tx, rows).await
}
