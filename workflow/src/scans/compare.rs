//! One listing against what is believed: who was given a right out of band, from whom it vanished, and whom to ask for first.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    AccountId, AssignmentId, PersonId, Timestamp,
    assignment::{Observed, Phase},
    drift::{Belief, Counted, Drift, Limit, Stop, Verdict, stops, verdict},
};
use store::{
    Tx,
    assignments::{PlaceRow, TargetRow},
    scans::{BelievedRow, DriftRow, ScanRightRow},
};
use uuid::Uuid;

use crate::{Error, Result, Workflow};

/// Assignments read at a time.
const PAGE: i64 = 1000;

/// Whom a target lists, by its own ids of accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holders {
    /// Those who hold the right itself.
    pub direct: BTreeSet<String>,
    /// Those who hold it by another way only: through a group, for a licence. It has not vanished there, and nobody gave it
    /// past the portal.
    pub otherwise: BTreeSet<String>,
}

/// Somebody who holds a right that no grant explains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Given {
    /// The target's own id.
    pub holder: String,
    /// The account and whose it is, if it is one of ours.
    pub known: Option<(AccountId, PersonId)>,
}

/// What a listing comes to.
#[derive(Debug, Default)]
pub(super) struct Compared {
    pub listed: usize,
    pub believed: usize,
    pub given: Vec<Given>,
    pub vanished: Vec<BelievedRow>,
    pub returned: Vec<BelievedRow>,
    /// What an earlier pass found and this one does not, or which a grant explains by now.
    pub over: Vec<DriftRow>,
    /// What would change.
    pub changes: usize,
}

impl Compared {
    /// Why nothing is to be changed, if a person must look first.
    pub fn stops(&self, limit: Limit, allowed: i64) -> Option<Stop> {
        let counted = Counted {
            listed: self.listed,
            believed: self.believed,
            changes: self.changes,
        };
        stops(counted, limit, usize::try_from(allowed).unwrap_or(0))
    }

    /// Everybody whom it concerns.
    pub fn people(&self) -> BTreeSet<PersonId> {
        let given = self.given.iter().filter_map(|one| one.known);
        let rows = self.vanished.iter().chain(&self.returned);
        given
            .map(|(_, person)| person)
            .chain(rows.map(|row| row.person_id))
            .chain(self.over.iter().filter_map(|row| row.person_id))
            .collect()
    }
}

/// Says whom to ask for directly before [`super::record`] believes that a listing lacks them; nobody if it stops anyway.
pub async fn look(
    workflow: &Workflow,
    right: &ScanRightRow,
    asked: Timestamp,
    holders: &Holders,
) -> Result<Vec<PlaceRow>> {
    let mut tx = workflow.store().read().await?;
    let target = tx.target(right.target_id).await?.ok_or(Error::Missing)?;
    let compared = compare(&mut tx, &target, right, asked, holders).await?;
    let allowed = tx.scanned(right.id).await?.map_or(0, |row| row.allowed);
    let stopped = compared
        .stops(workflow.settings().scan_limit, allowed)
        .is_some();
    if stopped || compared.vanished.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<AssignmentId> = compared.vanished.iter().map(|row| row.id).collect();
    let mut places = Vec::with_capacity(ids.len());
    for ids in ids.chunks(300) {
        places.extend(tx.places(ids).await?);
    }
    Ok(places)
}

pub(super) async fn compare(
    tx: &mut Tx,
    target: &TargetRow,
    right: &ScanRightRow,
    asked: Timestamp,
    holders: &Holders,
) -> Result<Compared> {
    let by_object = matches!(target.kind.as_str(), "graph" | "webhook");
    let mut compared = Compared {
        listed: holders.direct.len(),
        ..Compared::default()
    };
    // Ids are compared as they are kept: a target may write them in other letters.
    let mut left: BTreeMap<String, String> = holders
        .direct
        .iter()
        .map(|holder| (holder.to_lowercase(), holder.clone()))
        .collect();
    let otherwise: BTreeSet<String> = holders
        .otherwise
        .iter()
        .map(|holder| holder.to_lowercase())
        .collect();
    let mut after = AssignmentId(Uuid::nil());
    loop {
        let rows = tx.believed(right.id, after, PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        for row in rows {
            let id = if by_object {
                Some(row.object_id.to_string())
            } else {
                row.target_account.as_ref().map(|id| id.to_lowercase())
            };
            let believed = believed(&row, target.restored_at);
            compared.believed += usize::from(row.desired && row.observed == Observed::Present);
            let Some(id) = id else {
                // Whose account it is there is not known yet: nothing can be said of it.
                continue;
            };
            let listed = left.remove(&id);
            let held = listed.is_some() || otherwise.contains(&id);
            match (verdict(held, Some(believed), asked), listed) {
                (Verdict::Given, Some(holder)) => compared.given.push(Given {
                    holder,
                    known: Some((row.account_id, row.person_id)),
                }),
                (Verdict::Vanished, _) => compared.vanished.push(row),
                (Verdict::Returned, _) => compared.returned.push(row),
                (Verdict::Agrees | Verdict::Later | Verdict::Given, _) => {}
            }
        }
    }
    let accounts = accounts(tx, target, by_object, &left).await?;
    compared
        .given
        .extend(left.into_iter().map(|(id, holder)| Given {
            known: accounts.get(&id).copied(),
            holder,
        }));
    let now: BTreeSet<&str> = compared
        .given
        .iter()
        .map(|one| one.holder.as_str())
        .collect();
    let before = tx.drift_of(right.id).await?;
    let known: BTreeSet<String> = before.iter().map(|row| row.holder.clone()).collect();
    // What is known and only reported is no change any more; what would be kept or taken away now is one.
    let acts = match right.drift {
        Drift::Report => false,
        Drift::Adopt => !right.privileged && right.control_scope.is_none(),
        Drift::Repair => true,
    };
    let changed = |one: &&Given| !known.contains(&one.holder) || (acts && one.known.is_some());
    let fresh = compared.given.iter().filter(changed).count();
    compared.over = before
        .into_iter()
        .filter(|row| !now.contains(row.holder.as_str()))
        .collect();
    compared.changes = fresh + compared.vanished.len();
    Ok(compared)
}

/// What is believed of one account. What was written or wanted before the database was restored keeps nobody from looking: it
/// may be long ago by now.
fn believed(row: &BelievedRow, restored_at: Option<Timestamp>) -> Belief {
    let wrote = row.added_at.max(row.removed_at);
    let touched = wrote.max(Some(row.desired_since));
    Belief {
        wanted: row.desired,
        observed: row.observed,
        read_at: row.observed_at,
        settled: row.phase == Phase::Settled,
        touched_at: touched.filter(|at| restored_at.is_none_or(|since| *at >= since)),
        withheld: row.withheld,
    }
}

/// The accounts of ours among what a target lists, by its own ids in small letters.
async fn accounts(
    tx: &mut Tx,
    target: &TargetRow,
    by_object: bool,
    listed: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, (AccountId, PersonId)>> {
    let rows = if by_object {
        let ids: Vec<Uuid> = listed
            .keys()
            .filter_map(|id| Uuid::parse_str(id).ok())
            .collect();
        tx.accounts_by_object(target.tenant_id, &ids).await?
    } else {
        let ids: Vec<String> = listed.values().cloned().collect();
        tx.accounts_at_target(target.id, &ids).await?
    };
    Ok(rows
        .into_iter()
        .map(|row| {
            let id = row
                .target_account
                .map_or_else(|| row.object_id.to_string(), |id| id.to_lowercase());
            (id, (row.account_id, row.person_id))
        })
        .collect())
}
