//! Assignments: what each account should hold at each target, what it does hold, and whose doing that is.
//!
//! Whatever changes a grant calls [`recompute`] in the same transaction. The provisioner claims the job, asks [`step`] or
//! [`advance`] what to do, does it outside any transaction, and reports to [`advance`], which says how to go on.
//! Operators use [`retry`], [`pause_target`] and [`resume_target`].

mod adopt;
mod advance;
mod astray;
mod moves;
mod operate;
mod powers;
mod report;

use std::collections::{BTreeMap, BTreeSet};

use chrono::Duration;
use domain::{
    AccountId, AssignmentId, EntitlementId, PersonId, Timestamp,
    assignment::{Claim, Observed, Origin, Phase, desired},
    audit::{Actor, Event, EventKind},
    deadline::JobKind,
    grant::GrantState,
};
use serde_json::json;
use store::{
    assignments::{AssignmentRow, ClaimRow, PairRow},
    jobs::{NewJob, Priority},
    people::AccountRow,
};

use crate::{Result, Unit, findings, grants};

pub use advance::advance;
pub(crate) use astray::{Withheld, ask_anew, keep_found, take_found, withhold};
pub use moves::{READS_MAY_LAG, WRITES_END_WITHIN, step};
pub(crate) use operate::wake_target;
pub use operate::{pause_target, resume_target, retry, sweep};
pub use report::{Call, Evidence, Failure, News, Next, Outcome, Problem, Report, TargetAccount};

/// What the target said so long ago at most is still true enough to call a new grant ready, or one that ends gone.
const FRESH: Duration = Duration::minutes(1);

/// A deleted account is seen to be deleted so late at most: when everybody is read, at night.
const SEEN_DELETED_WITHIN: Duration = Duration::days(1);

/// One (account, entitlement) pair.
pub type Pair = (AccountId, EntitlementId);

/// The key of the job that converges an assignment.
pub fn job_key(id: AssignmentId) -> String {
    format!("converge:{id}")
}

/// Works out anew what these pairs should be, after a change to grants in the same transaction; `cause` is the printed id
/// or the word that the audit log gives as the reason. Wakes the provisioner for those that changed.
///
/// The persons whose grants changed are locked already; the assignments are locked here, in id order.
pub async fn recompute(unit: &mut Unit, pairs: &[Pair], cause: &str) -> Result<()> {
    let pairs: Vec<Pair> = pairs
        .iter()
        .copied()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    for chunk in pairs.chunks(300) {
        recompute_chunk(unit, chunk, cause).await?;
    }
    Ok(())
}

async fn recompute_chunk(unit: &mut Unit, pairs: &[Pair], cause: &str) -> Result<()> {
    let mut known: BTreeMap<Pair, AssignmentRow> = unit
        .tx
        .lock_pairs(pairs)
        .await?
        .into_iter()
        .map(|row| ((row.account_id, row.entitlement_id), row))
        .collect();
    let (facts, claims) = unit.tx.wishes(pairs).await?;
    scan_concerned(unit, &facts);
    let claims = by_pair(claims);
    let (mut rows, mut jobs, mut unchanged) = (Vec::new(), Vec::new(), Vec::new());
    let mut due_at = BTreeMap::new();
    let mut powers = Vec::new();
    for fact in facts {
        let pair = (fact.account_id, fact.entitlement_id);
        let due = fact
            .not_before
            .map_or(unit.now, |not_before| not_before.max(unit.now));
        let (wanted, only_imports) =
            desired(claims.get(&pair).map_or(&[][..], Vec::as_slice), unit.now);
        if let Some(role) = fact.portal_role {
            let row = match known.remove(&pair) {
                Some(row) => row,
                None if !wanted => continue,
                None => new_row(unit, &fact),
            };
            powers.push((row, role, wanted, only_imports));
            continue;
        }
        let mut row = match known.remove(&pair) {
            Some(row)
                if row.desired == wanted
                    && row.only_imports == only_imports
                    && row.lane == fact.lane =>
            {
                if row.phase == Phase::Settled {
                    due_at.insert(row.id, due);
                    unchanged.push(row);
                }
                continue;
            }
            Some(mut row) => {
                if wanted && row.phase == Phase::Settled && observed_long_ago(&row, unit.now) {
                    row.observed = Observed::Unknown;
                }
                row
            }
            // Nobody wants it and nothing was ever done about it.
            None if !wanted => continue,
            None => new_row(unit, &fact),
        };
        row.lane.clone_from(&fact.lane);
        if set_desired(unit, &mut row, wanted, only_imports, cause) {
            row.next_at = Some(due);
            jobs.push(job(&row, due));
        }
        rows.push(row);
    }
    let mut fresh = Vec::new();
    for mut row in awaited(unit, unchanged).await? {
        if observed_long_ago(&row, unit.now) {
            let due = due_at.get(&row.id).copied().unwrap_or(unit.now);
            doubt(unit, &mut row, due);
            jobs.push(job(&row, due));
            rows.push(row);
        } else {
            fresh.push((row.account_id, row.entitlement_id));
        }
    }
    let mut evidence = Vec::new();
    for (mut row, role, wanted, only_imports) in powers {
        set_desired(unit, &mut row, wanted, only_imports, cause);
        evidence.extend(powers::converge(unit, &mut row, role, cause).await?);
        fresh.push((row.account_id, row.entitlement_id));
        rows.push(row);
    }
    unit.tx.save_assignments(&rows).await?;
    unit.tx.insert_operations(&evidence).await?;
    unit.enqueue(&jobs);
    // What another grant set up a moment ago is ready for this one, too; what was removed a moment ago is gone.
    if fresh.is_empty() {
        return Ok(());
    }
    grants::refresh_health(unit, &fresh).await
}

/// Has those looked at whose change a separation-of-duties rule speaks of.
fn scan_concerned(unit: &mut Unit, facts: &[PairRow]) {
    let people: BTreeSet<PersonId> = facts
        .iter()
        .filter(|fact| fact.ruled)
        .map(|fact| fact.person_id)
        .collect();
    for person in people {
        findings::scan_person(unit, person);
    }
}

/// Those of the settled assignments that a grant waits for: one to become ready, or one to be gone.
async fn awaited(unit: &mut Unit, settled: Vec<AssignmentRow>) -> Result<Vec<AssignmentRow>> {
    let pairs: Vec<Pair> = settled
        .iter()
        .map(|row| (row.account_id, row.entitlement_id))
        .collect();
    let waiting: BTreeSet<(AccountId, bool)> = unit
        .tx
        .grants_awaiting(&pairs)
        .await?
        .into_iter()
        .map(|grant| (grant.account_id, grant.state == GrantState::Active))
        .collect();
    Ok(settled
        .into_iter()
        .filter(|row| waiting.contains(&(row.account_id, row.desired)))
        .collect())
}

/// Whether what was last observed is too old to confirm anything new.
fn observed_long_ago(row: &AssignmentRow, now: Timestamp) -> bool {
    row.observed_at.is_none_or(|at| now - at > FRESH)
}

/// What was observed is not believed any more: the target is asked anew.
fn doubt(unit: &mut Unit, row: &mut AssignmentRow, due: Timestamp) {
    row.observed = Observed::Unknown;
    row.phase = Phase::Due;
    row.settle_reads = 0;
    row.next_at = Some(due);
    row.updated_at = unit.now;
    unit.changed(row.person_id);
    unit.changed("provisioning");
}

/// An account is back in the directory, or works again: whatever the target said of it meanwhile is asked anew, for an
/// account that is deleted looks as if it held nothing and brings its memberships back with it. The holder is locked.
pub(crate) async fn account_returned(unit: &mut Unit, account: &AccountRow) -> Result<()> {
    let ids = unit.tx.assignments_of_account(account.id).await?;
    for ids in ids.chunks(300) {
        let mut rows = unit.tx.lock_assignments(ids).await?;
        let pairs: Vec<Pair> = rows
            .iter()
            .map(|row| (row.account_id, row.entitlement_id))
            .collect();
        // This database forgets nothing meanwhile.
        let powers: BTreeSet<EntitlementId> = unit
            .tx
            .pairs(&pairs)
            .await?
            .into_iter()
            .filter(|fact| fact.portal_role.is_some())
            .map(|fact| fact.entitlement_id)
            .collect();
        rows.retain(|row| !powers.contains(&row.entitlement_id));
        let mut jobs = Vec::with_capacity(rows.len());
        for row in &mut rows {
            // Ours it stays when it was taken off an account that could no longer be asked.
            let unasked = account.deleted
                && row.added_at.is_some()
                && row.removed_at >= Some(account.updated_at - SEEN_DELETED_WITHIN);
            if row.origin.is_none() && unasked {
                row.origin = Some(Origin::Ours);
            }
            if row.phase == Phase::Settled {
                let now = unit.now;
                doubt(unit, row, now);
                jobs.push(job(row, now));
            } else {
                row.observed = Observed::Unknown;
            }
        }
        unit.tx.save_assignments(&rows).await?;
        unit.enqueue(&jobs);
    }
    Ok(())
}

/// The claims of each pair, as the rules see them.
pub(crate) async fn claims_by_pair(
    unit: &mut Unit,
    pairs: &[Pair],
) -> Result<BTreeMap<Pair, Vec<Claim>>> {
    Ok(by_pair(unit.tx.claims(pairs).await?))
}

fn by_pair(rows: Vec<ClaimRow>) -> BTreeMap<Pair, Vec<Claim>> {
    let mut claims: BTreeMap<Pair, Vec<Claim>> = BTreeMap::new();
    for row in rows {
        claims
            .entry((row.account_id, row.entitlement_id))
            .or_default()
            .push(row.claim());
    }
    claims
}

fn new_row(unit: &Unit, fact: &PairRow) -> AssignmentRow {
    AssignmentRow {
        id: unit.new_id(),
        account_id: fact.account_id,
        person_id: fact.person_id,
        entitlement_id: fact.entitlement_id,
        target_id: fact.target_id,
        lane: fact.lane.clone(),
        desired: false,
        only_imports: false,
        desired_since: unit.now,
        observed: Observed::Unknown,
        observed_at: None,
        origin: None,
        phase: Phase::Settled,
        settle_reads: 0,
        attempts: 0,
        next_at: None,
        problem: None,
        added_at: None,
        removed_at: None,
        updated_at: unit.now,
        version: 0,
    }
}

/// Sets what an assignment should be. True if there is something to do about it now.
pub(crate) fn set_desired(
    unit: &mut Unit,
    row: &mut AssignmentRow,
    wanted: bool,
    only_imports: bool,
    cause: &str,
) -> bool {
    let before = (row.desired, row.only_imports);
    if before == (wanted, only_imports) {
        return false;
    }
    let turned = row.desired != wanted;
    row.desired = wanted;
    row.only_imports = only_imports;
    row.updated_at = unit.now;
    if turned {
        row.desired_since = unit.now;
        row.settle_reads = 0;
        row.attempts = 0;
        row.problem = None;
    }
    // A write that was accepted keeps its word: what was observed before it stays unknown until a read agrees.
    row.phase = Phase::Due;
    unit.record(
        about(
            Event::new(EventKind::AssignmentDesired, unit.now, Actor::Portal),
            row,
        )
        .because(cause)
        .changing(
            json!({"desired": before.0, "only_imports": before.1}),
            json!({"desired": wanted, "only_imports": only_imports}),
        ),
    );
    unit.changed(row.person_id);
    unit.changed("provisioning");
    true
}

/// Names an assignment in an audit event by everything that one may look it up by.
pub(crate) fn about(event: Event, row: &AssignmentRow) -> Event {
    event
        .about(row.id)
        .about(row.person_id)
        .about(row.account_id)
        .about(row.entitlement_id)
        .about(row.target_id)
}

/// The job that converges an assignment. A right that must go comes before one that is waited for.
pub(crate) fn job(row: &AssignmentRow, due_at: Timestamp) -> NewJob {
    NewJob {
        key: job_key(row.id),
        kind: JobKind::Converge,
        subject: Some(row.id.0),
        lane: Some(row.lane.clone()),
        priority: priority(row),
        due_at,
    }
}

/// The place of an assignment's job in the order of work.
fn priority(row: &AssignmentRow) -> Priority {
    if row.desired {
        Priority::Normal
    } else {
        Priority::Removal
    }
}
