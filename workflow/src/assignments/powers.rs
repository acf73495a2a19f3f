//! Assignments of the portal's own powers. Their target is this database: what is desired is written, read back and kept as
//! evidence in the transaction that changed the grants, so that a role counts exactly while a grant covers now.

use std::collections::BTreeSet;

use domain::{
    assignment::{Observed, Origin, Phase},
    audit::{Actor, Event, EventKind},
    person::{PortalRole, incompatible},
};
use serde_json::json;
use store::{
    assignments::{AssignmentRow, OperationRow},
    roles::{RoleRow, RoleSource},
};

use super::{
    about,
    report::{Call, Problem},
};
use crate::{Result, Unit, roles};

/// Makes an account's role by grant what its assignment says. Gives the evidence, to be kept once the row is saved.
///
/// A role is not written beside one that excludes it, whatever source that comes from: the assignment waits for attention
/// and is looked at again when the other role goes. The holder is locked.
pub(super) async fn converge(
    unit: &mut Unit,
    row: &mut AssignmentRow,
    role: PortalRole,
    cause: &str,
) -> Result<Vec<OperationRow>> {
    let now = unit.now;
    let before = unit.tx.roles_of_person(row.person_id).await?;
    let present = |rows: &[RoleRow], row: &AssignmentRow| {
        rows.iter().any(|one| {
            one.account_id == row.account_id && one.role == role && one.source == RoleSource::Grant
        })
    };
    let against = before
        .iter()
        .find(|one| incompatible(one.role, role))
        .map(|one| one.role);
    let call = match (row.desired, present(&before, row)) {
        (true, false) if against.is_none() => Some(Call::Add),
        (false, true) => Some(Call::Remove),
        _ => None,
    };
    let was = roles::effective(unit, row.person_id).await?;
    let mut evidence = Vec::with_capacity(2);
    match call {
        Some(Call::Add) => {
            unit.tx
                .insert_role(row.account_id, role, RoleSource::Grant, now)
                .await?;
            row.added_at = Some(now);
            evidence.push(operation(unit, row, Call::Add, "done"));
        }
        Some(Call::Remove) => {
            unit.tx
                .delete_role(row.account_id, role, RoleSource::Grant)
                .await?;
            row.removed_at = Some(now);
            evidence.push(operation(unit, row, Call::Remove, "done"));
        }
        Some(Call::Read) | None => {}
    }
    let after = unit.tx.roles_of_person(row.person_id).await?;
    let seen = if present(&after, row) {
        Observed::Present
    } else {
        Observed::Absent
    };
    let observed_before = row.observed_at.map(|_| row.observed);
    evidence.push(operation(unit, row, Call::Read, seen.as_str()));
    row.observed = seen;
    row.observed_at = Some(now);
    row.origin = (seen == Observed::Present).then_some(Origin::Ours);
    row.settle_reads = 0;
    row.next_at = None;
    row.updated_at = now;
    settle(unit, row, role, against);
    if observed_before != Some(seen) {
        unit.record(
            about(
                Event::new(EventKind::AssignmentObserved, now, Actor::Portal),
                row,
            )
            .because(row.id)
            .changing(
                json!({"observed": observed_before}),
                json!({"observed": seen, "origin": row.origin, "read": now}),
            ),
        );
    }
    if call.is_some() {
        let change = roles::Changed {
            person: row.person_id,
            account: row.account_id,
            before: of_account(&before, row),
            after: of_account(&after, row),
            was,
        };
        roles::changed(unit, change, cause).await?;
    }
    unit.changed("provisioning");
    Ok(evidence)
}

fn of_account(rows: &[RoleRow], row: &AssignmentRow) -> BTreeSet<PortalRole> {
    rows.iter()
        .filter(|one| one.account_id == row.account_id)
        .map(|one| one.role)
        .collect()
}

/// Says where the assignment stands now that it was read: settled, or in need of a person.
fn settle(unit: &mut Unit, row: &mut AssignmentRow, role: PortalRole, against: Option<PortalRole>) {
    let now = unit.now;
    let (Observed::Absent, true, Some(other)) = (row.observed, row.desired, against) else {
        row.phase = Phase::Settled;
        row.attempts = 0;
        row.problem = None;
        return;
    };
    let known = row.phase == Phase::Attention;
    row.phase = Phase::Attention;
    row.attempts += 1;
    let since = row.problem.as_deref().and_then(Problem::read);
    let problem = Problem {
        what: format!(
            "{} is never held together with {}, which this person holds.",
            role.name(),
            other.name()
        ),
        fix: format!(
            "Take {} away where it comes from, or end this grant.",
            other.name()
        ),
        call: Call::Add,
        status: None,
        request_id: None,
        attempts: row.attempts,
        since: since.map_or(now, |problem| problem.since),
    };
    row.problem = serde_json::to_string(&problem).ok();
    if !known {
        unit.record(
            about(
                Event::new(EventKind::AssignmentAttention, now, Actor::Portal),
                row,
            )
            .because(row.id)
            .changing(serde_json::Value::Null, json!({"problem": problem})),
        );
    }
}

fn operation(unit: &Unit, row: &AssignmentRow, call: Call, outcome: &str) -> OperationRow {
    OperationRow {
        id: unit.new_id(),
        assignment_id: row.id,
        kind: call.to_string(),
        outcome: outcome.to_owned(),
        status: None,
        request_id: None,
        client_request_id: None,
        detail: "the roles that this portal keeps".to_owned(),
        at: unit.now,
        took_us: 0,
    }
}
