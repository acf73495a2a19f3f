//! Proposing an exception, and proposing it anew.

use chrono::Duration;
use domain::{
    ConflictId, ExceptionId, PersonId, Refusal,
    audit::{Actor, Event, EventKind},
    conflict::Side,
    exception::{CADENCES, ExceptionState, LONGEST},
    fresh::FreshAct,
    person::PortalRole,
    request::{REASON_LEAST, TEXT_MOST},
};
use serde_json::json;
use store::{Tx, conflicts::ConflictRow, exceptions::ExceptionRow};

use super::{about, acceptor_of, due};
use crate::{Error, Result, Unit, Workflow, access::Viewer, fresh, mail, people::again};

/// What somebody proposes.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// From which rule.
    pub rule: ConflictId,
    /// For whom.
    pub person: PersonId,
    /// Why it is needed.
    pub reason: String,
    /// What is done instead of keeping the sides apart.
    pub control: String,
    /// Who answers for that; none if nobody was chosen.
    pub control_owner: Option<PersonId>,
    /// How often they attest, in days.
    pub cadence_days: i64,
    /// For how many days.
    pub days: i64,
    /// Which side falls at its end.
    pub falls: Side,
}

/// Whether somebody may propose an exception from a rule for a person: themselves, whoever is above them, the rule's
/// business owner, security, and whoever decides as security on what is asked for them.
pub async fn may_propose(
    tx: &mut Tx,
    viewer: &Viewer,
    rule: &ConflictRow,
    person: PersonId,
) -> Result<bool> {
    let me = viewer.id();
    if me == person || rule.owner_id == me || viewer.has(PortalRole::Security) {
        return Ok(true);
    }
    let above = tx.managers_above(&[person]).await?;
    Ok(above.iter().any(|row| row.above_id == me) || tx.sits_as_security_over(me, person).await?)
}

/// Proposes an exception. A live one for the same is renewed by it: a new decision that shows how often that was done.
pub async fn propose(
    workflow: &Workflow,
    viewer: &Viewer,
    proposal: &Proposal,
) -> Result<ExceptionId> {
    again(|| propose_once(workflow, viewer, proposal)).await
}

async fn propose_once(
    workflow: &Workflow,
    viewer: &Viewer,
    proposal: &Proposal,
) -> Result<ExceptionId> {
    let mut unit = workflow.unit().await?;
    unit.tx.lock_persons(&[proposal.person]).await?;
    let rule = unit
        .tx
        .conflict(proposal.rule)
        .await?
        .filter(|rule| !rule.retired)
        .ok_or(Error::Missing)?;
    if !may_propose(&mut unit.tx, viewer, &rule, proposal.person).await? {
        return Err(Error::Missing);
    }
    let (renewals, waits) = before(&mut unit, proposal).await?;
    let mut refusals = Vec::new();
    if waits {
        refusals.push(Refusal::AlreadyAsked);
    }
    let control_owner = faults(&mut unit, proposal, &mut refusals).await?;
    let (Some(control_owner_id), []) = (control_owner, &refusals[..]) else {
        return Err(Error::Refused(refusals));
    };
    let now = unit.now;
    let row = ExceptionRow {
        id: unit.new_id(),
        number: unit.tx.count("exception").await?,
        conflict_id: proposal.rule,
        person_id: proposal.person,
        proposed_by: viewer.id(),
        proposed_at: now,
        reason: proposal.reason.trim().to_owned(),
        control: proposal.control.trim().to_owned(),
        control_owner_id,
        cadence_seconds: proposal.cadence_days * 86_400,
        falls: proposal.falls,
        renewals,
        state: ExceptionState::Proposed,
        ends_at: now + Duration::days(proposal.days),
        accepted_by: None,
        accepted_at: None,
        confirmed_by: None,
        confirmed_at: None,
        attest_by: None,
        missed_at: None,
        ended_at: None,
        end_reason: None,
        ended_by: None,
        end_note: String::new(),
        version: 0,
    };
    unit.tx.insert_exception(&row).await?;
    // Fixed now: what is privileged later changes nothing about what waits already.
    let rights: Vec<_> = unit
        .tx
        .conflict_rights(&[row.conflict_id])
        .await?
        .into_iter()
        .map(|right| right.entitlement_id)
        .collect();
    if fresh::weighs(&mut unit.tx, &rights).await? {
        unit.tx.want_fresh(FreshAct::Accept, row.id.0).await?;
    }
    unit.record(
        Event::new(
            EventKind::ExceptionProposed,
            now,
            Actor::Person(viewer.id()),
        )
        .about(row.id)
        .about(row.person_id)
        .about(row.conflict_id)
        .for_person(row.person_id)
        .changing(
            serde_json::Value::Null,
            json!({
                "state": row.state, "ends_at": row.ends_at, "control_owner": row.control_owner_id,
                "cadence_seconds": row.cadence_seconds, "falls": row.falls, "renewals": row.renewals,
            }),
        ),
    );
    due::arm_proposal(&mut unit, &row);
    unit.changed("exceptions");
    if let Some(acceptor) = acceptor_of(&mut unit.tx, now, &row, &rule).await? {
        let mail = about(
            &mut unit,
            &row,
            &rule,
            "exception_waits",
            "An exception waits for you",
            &format!("Reason: {}", row.reason),
        )
        .await?;
        mail::queue(&mut unit, acceptor, &format!("accept:{}", row.id), &mail);
    }
    let id = row.id;
    unit.commit().await?;
    Ok(id)
}

/// How often it would be renewed with this one, and whether another proposal waits.
async fn before(unit: &mut Unit, proposal: &Proposal) -> Result<(i64, bool)> {
    let (mut renewals, mut waits) = (0, false);
    for row in unit.tx.open_exceptions_of(&[proposal.person]).await? {
        if row.conflict_id != proposal.rule {
            continue;
        }
        if row.state == ExceptionState::Live {
            renewals = row.renewals + 1;
        } else {
            waits = true;
        }
    }
    Ok((renewals, waits))
}

/// Everything that is wrong with a proposal, and the owner of the control if they can be.
async fn faults(
    unit: &mut Unit,
    proposal: &Proposal,
    refusals: &mut Vec<Refusal>,
) -> Result<Option<PersonId>> {
    for (field, text) in [("reason", &proposal.reason), ("control", &proposal.control)] {
        let length = text.trim().chars().count();
        if length < REASON_LEAST {
            refusals.push(Refusal::TooShort {
                field: field.into(),
                least: REASON_LEAST,
            });
        }
        if length > TEXT_MOST {
            refusals.push(Refusal::TooLong {
                field: field.into(),
                most: TEXT_MOST,
            });
        }
    }
    if !CADENCES.contains(&proposal.cadence_days) {
        refusals.push(Refusal::OutOfRange {
            field: "cadence".into(),
            least: CADENCES[0],
            most: CADENCES[CADENCES.len() - 1],
        });
    }
    if !(1..=LONGEST.num_days()).contains(&proposal.days) {
        refusals.push(Refusal::OutOfRange {
            field: "days".into(),
            least: 1,
            most: LONGEST.num_days(),
        });
    }
    let now = unit.now;
    let owner = match proposal.control_owner {
        Some(id) if id != proposal.person => unit.tx.person(id).await?,
        _ => None,
    };
    let owner = owner
        .map(store::people::PersonRow::into_domain)
        .filter(|person| person.works_at(now))
        .map(|person| person.id);
    if owner.is_none() {
        refusals.push(Refusal::ControlOwner);
    }
    Ok(owner)
}
