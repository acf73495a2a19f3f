//! Rights that were there before us: each becomes a grant of its own, an import, so that the end of a timed grant beside
//! it does not take them away.

use domain::{
    AccountId, EntitlementId, GrantId, PersonId,
    assignment::Claim,
    audit::{Actor, Event, EventKind},
    grant::{End, EndReason, GrantSource, GrantState},
};
use serde_json::json;
use store::{assignments::AssignmentRow, grants::GrantRow};

use super::about;
use crate::{Result, Unit, reviews};

/// Makes an import of a right that the first read found at the target, unless what asked for its removal takes imports
/// away, too (leave, revoke, review, move). Gives the new grant's claim.
///
/// It has no end, also where a last day is known: the leave ends it then, and a last day that moves later costs nothing.
pub(super) async fn adopt_found(
    unit: &mut Unit,
    row: &AssignmentRow,
    claims: &[Claim],
) -> Result<Option<Claim>> {
    if claims.iter().any(|claim| claim.import && claim.counts) || !may_stay(unit, row).await? {
        return Ok(None);
    }
    let now = unit.now;
    let id = import(unit, row.person_id, row.account_id, row.entitlement_id).await?;
    unit.record(
        about(Event::new(EventKind::GrantMade, now, Actor::Provisioner), row)
            .about(id)
            .because(row.id)
            .changing(
                serde_json::Value::Null,
                json!({"source": GrantSource::Import, "end": End::Permanent, "note": "found at the target before anything was written"}),
            ),
    );
    Ok(Some(Claim {
        from: now,
        end: End::Permanent,
        counts: true,
        import: true,
        resumed: false,
    }))
}

/// Makes an import, without end, and without an event of its own.
pub(super) async fn import(
    unit: &mut Unit,
    person: PersonId,
    account: AccountId,
    right: EntitlementId,
) -> Result<GrantId> {
    let now = unit.now;
    let grant = GrantRow {
        id: unit.new_id(),
        person_id: person,
        account_id: account,
        package_id: None,
        package_version_id: None,
        line_id: None,
        source: GrantSource::Import,
        state: GrantState::Active,
        valid_from: now,
        end_at: None,
        ready_at: Some(now),
        ended_at: None,
        end_reason: None,
        ended_by: None,
        end_note: None,
        gone_at: None,
        version: 0,
        created_at: now,
    };
    unit.tx.insert_grant(&grant, &[right]).await?;
    reviews::small::found(unit, right).await?;
    unit.changed(person);
    Ok(grant.id)
}

async fn may_stay(unit: &mut Unit, row: &AssignmentRow) -> Result<bool> {
    let now = unit.now;
    let works = unit
        .tx
        .person(row.person_id)
        .await?
        .is_some_and(|person| person.into_domain().works_at(now));
    let usable = unit
        .tx
        .account(row.account_id)
        .await?
        .is_some_and(|account| account.usable());
    if !works || !usable {
        return Ok(false);
    }
    if row.desired {
        return Ok(true);
    }
    // The timed grant ended before its first read.
    let ended = unit
        .tx
        .last_ended_grant(row.account_id, row.entitlement_id)
        .await?;
    Ok(ended.is_some_and(|grant| match grant.end_reason {
        Some(
            EndReason::Expired
            | EndReason::Returned
            | EndReason::Superseded
            | EndReason::ExceptionEnded,
        ) => true,
        Some(EndReason::Revoked | EndReason::Review | EndReason::Mover | EndReason::Leaver)
        | None => false,
    }))
}
