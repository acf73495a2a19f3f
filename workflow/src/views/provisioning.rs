//! The provisioner: what is under way, what needs attention and why, how each target fares.

use std::collections::BTreeMap;

use domain::{
    AssignmentId, EntitlementId, TargetId, Timestamp,
    assignment::{Closed, Observed, Phase},
    drift::Stop,
    person::PortalRole,
};
use serde::Serialize;
use store::Tx;
use store::views::{
    provisioning::{RecentRow, TargetHealthRow, UnsettledRow},
    scans::{ScanHealthRow, StoppedScanRow},
};

use super::{
    Capped, Cursor, PersonTag, make,
    request::OperationView,
    restore::{self, Restore},
};
use crate::{
    Error, Result, Workflow,
    access::Viewer,
    assignments::Problem,
    scans,
    traffic::{self, Calls},
};

/// Who may look.
pub(super) const READERS: &[PortalRole] = &[
    PortalRole::Operator,
    PortalRole::Administrator,
    PortalRole::Security,
    PortalRole::Auditor,
];
/// Assignments on a page.
const PAGE: i64 = 30;
/// Stopped scans on the page.
const STOPPED: i64 = 50;
/// Where counting a target's work stops.
const COUNTED: i64 = 999;

/// The provisioner's page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Provisioning {
    /// Now, for relative times.
    pub now: Timestamp,
    /// The targets with their health.
    pub targets: Vec<TargetView>,
    /// What needs attention, longest first.
    pub attention: Vec<Unsettled>,
    /// Where the next page of it begins.
    pub next: Option<Cursor>,
    /// What is under way and needs nobody, longest first, at most ten.
    pub under_way: Vec<Unsettled>,
    /// What is to be looked at since the database was restored, while something waits for it.
    pub restore: Option<Restore>,
    /// What the newest scans left alone, longest first, at most 50.
    pub stopped: Vec<StoppedScan>,
    /// The newest calls at targets, at most 20.
    pub recent: Vec<Recent>,
    /// Whether the viewer may retry, pause and resume: operators.
    pub may_act: bool,
    /// What to listen to for changes.
    pub topics: Vec<String>,
}

/// A target and how it fares.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TargetView {
    /// Which.
    pub id: TargetId,
    /// Its name.
    pub name: String,
    /// `graph`.
    pub kind: String,
    /// Whether a person paused it.
    pub paused: bool,
    /// Not to be called before, as it asked itself.
    pub not_before: Option<Timestamp>,
    /// What is wrong now, in words.
    pub problem: Option<String>,
    /// Since when.
    pub problem_at: Option<Timestamp>,
    /// When a call last succeeded.
    pub succeeded_at: Option<Timestamp>,
    /// Changes that wait to be sent.
    pub due: Capped,
    /// Changes that were sent and wait to be confirmed.
    pub settling: Capped,
    /// Changes that need a person.
    pub attention: Capped,
    /// How long the oldest unsettled change has waited, since this instant.
    pub oldest: Option<Timestamp>,
    /// How it was scanned, if its connector can list.
    pub scan: Option<ScanView>,
    /// Why changes there wait, if they do.
    pub closed: Option<Closed>,
    /// The calls of this process that are under way there, if it makes any.
    pub calls: Option<Calls>,
}

/// How a target was scanned for what was given or taken there by hand.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ScanView {
    /// When the newest scan began.
    pub begun_at: Option<Timestamp>,
    /// When it ended; none while it is under way.
    pub ended_at: Option<Timestamp>,
    /// Why it could not be done.
    pub problem: Option<String>,
    /// Rights that were compared.
    pub rights: i64,
    /// Accounts that hold one without a grant.
    pub given: i64,
    /// What was taken away out of band.
    pub vanished: i64,
    /// When the next one is due.
    pub next_at: Option<Timestamp>,
}

/// A right that the newest scan left alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StoppedScan {
    /// Which.
    pub right: EntitlementId,
    /// Its name.
    pub name: String,
    /// The target's name.
    pub target_name: String,
    /// When it was scanned.
    pub at: Timestamp,
    /// Why it was left alone.
    pub why: Stop,
    /// Whom the target listed.
    pub listed: i64,
    /// Who holds it as far as the portal knows.
    pub believed: i64,
    /// Who held it without a grant.
    pub given: i64,
    /// From whom it was gone.
    pub vanished: i64,
    /// How much would have changed.
    pub changes: i64,
    /// What the target said.
    pub detail: String,
    /// Whether an operator let it go on already.
    pub goes_on: bool,
}

/// An assignment whose desired and observed states may differ.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unsettled {
    /// Which.
    pub id: AssignmentId,
    /// Whose.
    pub person: PersonTag,
    /// The sign-in name of the account; a label.
    pub account: String,
    /// The right.
    pub entitlement: EntitlementId,
    /// Its name at the target.
    pub entitlement_name: String,
    /// Whether it is privileged.
    pub privileged: bool,
    /// The target.
    pub target: TargetId,
    /// Its name.
    pub target_name: String,
    /// Whether it should be there.
    pub desired: bool,
    /// Since when.
    pub since: Timestamp,
    /// What the target last told us.
    pub observed: Observed,
    /// When it told us.
    pub observed_at: Option<Timestamp>,
    /// Where converging stands.
    pub phase: Phase,
    /// Failures in a row.
    pub attempts: i64,
    /// What is wrong and what to do.
    pub problem: Option<Problem>,
    /// When it is tried again.
    pub next_at: Option<Timestamp>,
    /// The target's own id of the last call, to quote to its support.
    pub request_id: Option<String>,
    /// What the target said to it.
    pub said: Option<String>,
}

/// One call at a target, for the list of the newest.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recent {
    /// The call.
    pub operation: OperationView,
    /// The assignment.
    pub assignment: AssignmentId,
    /// Whose.
    pub person: PersonTag,
    /// The right's name.
    pub entitlement_name: String,
    /// The target's name.
    pub target_name: String,
}

/// One assignment whole: what should be, what is, every call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AssignmentPage {
    /// Now, for relative times.
    pub now: Timestamp,
    /// The assignment.
    pub assignment: Unsettled,
    /// The calls, newest first, at most 100.
    pub operations: Vec<OperationView>,
    /// The grants that want it or wanted it, newest first, at most 20.
    pub grants: Vec<super::HeldGrant>,
    /// Whether the viewer may retry.
    pub may_act: bool,
}

/// Reads the provisioner's page. For operators, administrators, security and auditors.
pub async fn load(
    workflow: &Workflow,
    viewer: &Viewer,
    after: Option<&Cursor>,
) -> Result<Provisioning> {
    viewer.must_have(READERS)?;
    let after = after
        .and_then(Cursor::time)
        .map(|(at, id)| (at, AssignmentId(id)));
    let mut tx = workflow.store().read().await?;
    let restore = restore::load(&mut tx, viewer).await?;
    let targets = tx.target_health(COUNTED + 1).await?;
    let mut attention = tx.attention(after, PAGE + 1).await?;
    let mut under_way = Vec::new();
    // One statement for each target: there are few, and one that stands still must not hide the others.
    for target in targets.iter().take(20) {
        if target.due + target.settling > 0 {
            under_way.extend(tx.under_way(target.id, 10).await?);
        }
    }
    under_way.sort_by_key(|row| (row.desired_since, row.id));
    under_way.truncate(10);
    let recent = tx.recent_calls(20).await?;
    let mut scanned = scans_of(&mut tx).await?;
    let stopped = tx.stopped_scans(STOPPED).await?;
    let more = attention.len() > PAGE as usize;
    attention.truncate(PAGE as usize);
    Ok(Provisioning {
        now: workflow.clock().now(),
        restore,
        targets: targets
            .into_iter()
            .map(|row| TargetView::of(workflow, row, &mut scanned))
            .collect(),
        stopped: stopped.into_iter().map(StoppedScan::from).collect(),
        next: attention
            .last()
            .filter(|_| more)
            .map(|row| Cursor::by_time(row.desired_since, row.id.0)),
        attention: attention.into_iter().map(Unsettled::from).collect(),
        under_way: under_way.into_iter().map(Unsettled::from).collect(),
        recent: recent.into_iter().map(Recent::from).collect(),
        may_act: viewer.has(PortalRole::Operator),
        topics: vec!["provisioning".to_owned()],
    })
}

/// Reads one assignment. For operators, administrators, security and auditors.
pub async fn assignment(
    workflow: &Workflow,
    viewer: &Viewer,
    id: AssignmentId,
) -> Result<AssignmentPage> {
    viewer.must_have(READERS)?;
    let mut tx = workflow.store().read().await?;
    let row = tx.named_assignment(id).await?.ok_or(Error::Missing)?;
    let calls = tx.newest_calls(id, 100).await?;
    let grants = tx
        .held_of_pair(row.account_id, row.entitlement_id, 20)
        .await?;
    Ok(AssignmentPage {
        now: workflow.clock().now(),
        operations: calls
            .into_iter()
            .map(|call| OperationView::of(call, true))
            .collect(),
        grants: make::held(&mut tx, viewer, grants).await?,
        may_act: viewer.has(PortalRole::Operator) && row.phase != Phase::Settled,
        assignment: Unsettled::from(row),
    })
}

async fn scans_of(tx: &mut Tx) -> Result<BTreeMap<TargetId, ScanView>> {
    let rows = tx.scan_health().await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.target_id, ScanView::from(row)))
        .collect())
}

/// One target whole: how it fares, and all that is not as it should be there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TargetPage {
    /// Now, for relative times.
    pub now: Timestamp,
    /// The target.
    pub target: TargetView,
    /// What should be there and is not known to be.
    pub additions: Capped,
    /// What should not be there and is not known to be gone.
    pub removals: Capped,
    /// Both, longest first.
    pub waiting: Vec<Unsettled>,
    /// Where the next page of it begins.
    pub next: Option<Cursor>,
    /// What to listen to for changes.
    pub topics: Vec<String>,
}

/// Reads one target. For operators, administrators, security and auditors.
pub async fn target(
    workflow: &Workflow,
    viewer: &Viewer,
    id: TargetId,
    after: Option<&Cursor>,
) -> Result<TargetPage> {
    viewer.must_have(READERS)?;
    let after = after
        .and_then(Cursor::time)
        .map(|(at, id)| (at, AssignmentId(id)));
    let mut tx = workflow.store().read().await?;
    let rows = tx.target_health(COUNTED + 1).await?;
    let row = rows.into_iter().find(|row| row.id == id);
    let row = row.ok_or(Error::Missing)?;
    let mut waiting = tx.waiting_at(id, after, PAGE + 1).await?;
    let counts = tx.count_waiting_at(id, COUNTED + 1).await?;
    let mut scanned = scans_of(&mut tx).await?;
    let more = waiting.len() > PAGE as usize;
    waiting.truncate(PAGE as usize);
    Ok(TargetPage {
        now: workflow.clock().now(),
        target: TargetView::of(workflow, row, &mut scanned),
        additions: Capped::of(counts.additions, COUNTED),
        removals: Capped::of(counts.removals, COUNTED),
        next: waiting
            .last()
            .filter(|_| more)
            .map(|row| Cursor::by_time(row.desired_since, row.id.0)),
        waiting: waiting.into_iter().map(Unsettled::from).collect(),
        topics: vec!["provisioning".to_owned()],
    })
}

impl TargetView {
    fn of(
        workflow: &Workflow,
        row: TargetHealthRow,
        scanned: &mut BTreeMap<TargetId, ScanView>,
    ) -> Self {
        let listed = scans::KINDS.contains(&row.kind.as_str());
        Self {
            calls: traffic::calls(workflow, row.id),
            scan: scanned.remove(&row.id).filter(|_| listed),
            id: row.id,
            name: row.name,
            kind: row.kind,
            paused: row.paused,
            not_before: row.not_before,
            problem: row.problem,
            problem_at: row.problem_at,
            succeeded_at: row.succeeded_at,
            due: Capped::of(row.due, COUNTED),
            settling: Capped::of(row.settling, COUNTED),
            attention: Capped::of(row.attention, COUNTED),
            oldest: row.oldest,
            closed: row.closed,
        }
    }
}

impl From<ScanHealthRow> for ScanView {
    fn from(row: ScanHealthRow) -> Self {
        Self {
            begun_at: row.begun_at,
            ended_at: row.ended_at,
            problem: row.problem,
            rights: row.rights,
            given: row.given,
            vanished: row.vanished,
            next_at: row.next_at,
        }
    }
}

impl From<StoppedScanRow> for StoppedScan {
    fn from(row: StoppedScanRow) -> Self {
        Self {
            right: row.entitlement_id,
            name: row.name,
            target_name: row.target_name,
            at: row.scanned_at,
            why: row.stopped,
            listed: row.listed,
            believed: row.believed,
            given: row.given,
            vanished: row.vanished,
            changes: row.changes,
            detail: row.detail,
            goes_on: row.allowed > 0,
        }
    }
}

impl From<UnsettledRow> for Unsettled {
    fn from(row: UnsettledRow) -> Self {
        Self {
            id: row.id,
            person: PersonTag::new(row.person_id, row.person_name),
            account: row.account_name,
            entitlement: row.entitlement_id,
            entitlement_name: row.entitlement_name,
            privileged: row.privileged,
            target: row.target_id,
            target_name: row.target_name,
            desired: row.desired,
            since: row.desired_since,
            observed: row.observed,
            observed_at: row.observed_at,
            phase: row.phase,
            attempts: row.attempts,
            problem: row.problem.as_deref().and_then(Problem::read),
            next_at: row.next_at,
            request_id: row.call_request_id,
            said: row.call_detail.filter(|said| !said.is_empty()),
        }
    }
}

impl From<RecentRow> for Recent {
    fn from(row: RecentRow) -> Self {
        Self {
            operation: OperationView {
                id: row.id,
                kind: row.kind,
                outcome: row.outcome,
                status: row.status,
                request_id: row.request_id,
                client_request_id: row.client_request_id,
                detail: row.detail,
                at: row.at,
                took_ms: row.took_us / 1000,
            },
            assignment: row.assignment_id,
            person: PersonTag::new(row.person_id, row.person_name),
            entitlement_name: row.entitlement_name,
            target_name: row.target_name,
        }
    }
}
