//! Assignments: what each account should hold at each target, what it does hold, and whose doing that is.
//!
//! Whatever changes a grant calls [`recompute`] in the same transaction. The provisioner claims the job, asks [`step`] or
//! [`advance`] what to do, does it outside any transaction, and reports to [`advance`], which says how to go on.
//! Operators use [`retry`], [`pause_target`] and [`resume_target`].

mod adopt;
mod advance;
mod moves;
mod operate;
mod report;

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    AccountId, AssignmentId, EntitlementId, Timestamp,
    assignment::{Claim, Observed, Phase, desired},
    audit::{Actor, Event, EventKind},
    deadline::JobKind,
};
use serde_json::json;
use store::{
    assignments::{AssignmentRow, PairRow},
    jobs::{NewJob, Priority},
};

use crate::{Result, Unit, grants};

pub use advance::advance;
pub use moves::{READS_MAY_LAG, step};
pub use operate::{pause_target, resume_target, retry, sweep};
pub use report::{Call, Evidence, Failure, News, Next, Outcome, Problem, Report};

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
    let facts = unit.tx.pairs(pairs).await?;
    let claims = claims_by_pair(unit, pairs).await?;
    let (mut rows, mut jobs, mut unchanged) = (Vec::new(), Vec::new(), Vec::new());
    for fact in facts {
        let pair = (fact.account_id, fact.entitlement_id);
        let (wanted, only_imports) =
            desired(claims.get(&pair).map_or(&[][..], Vec::as_slice), unit.now);
        let mut row = match known.remove(&pair) {
            Some(row)
                if row.desired == wanted
                    && row.only_imports == only_imports
                    && row.lane == fact.lane =>
            {
                if row.phase == Phase::Settled {
                    unchanged.push(pair);
                }
                continue;
            }
            Some(row) => row,
            // Nobody wants it and nothing was ever done about it.
            None if !wanted => continue,
            None => new_row(unit, &fact),
        };
        row.lane.clone_from(&fact.lane);
        if set_desired(unit, &mut row, wanted, only_imports, cause) {
            let due = fact
                .not_before
                .map_or(unit.now, |not_before| not_before.max(unit.now));
            row.next_at = Some(due);
            jobs.push(job(&row, due));
        }
        rows.push(row);
    }
    unit.tx.save_assignments(&rows).await?;
    unit.enqueue(&jobs);
    // What another grant set up already is ready for this one, too; what was removed already is gone.
    grants::refresh_health(unit, &unchanged).await
}

/// The claims of each pair, as the rules see them.
pub(crate) async fn claims_by_pair(
    unit: &mut Unit,
    pairs: &[Pair],
) -> Result<BTreeMap<Pair, Vec<Claim>>> {
    let mut claims: BTreeMap<Pair, Vec<Claim>> = BTreeMap::new();
    for row in unit.tx.claims(pairs).await? {
        claims
            .entry((row.account_id, row.entitlement_id))
            .or_default()
            .push(row.claim());
    }
    Ok(claims)
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
        priority: if row.desired {
            Priority::Normal
        } else {
            Priority::Removal
        },
        due_at,
    }
}
