//! Mass changes that wait for a human.

use domain::{HoldId, Timestamp, person::PortalRole};
use serde::Serialize;
use store::directory::HoldState;

use super::PersonTag;
use crate::{Result, Workflow, access::Viewer};

/// Who confirms or dismisses.
pub(super) const DECIDERS: &[PortalRole] = &[PortalRole::Hr, PortalRole::Administrator];
/// Who may look.
const READERS: &[PortalRole] = &[
    PortalRole::Hr,
    PortalRole::Administrator,
    PortalRole::Security,
    PortalRole::Auditor,
];

/// The newest holds, those that wait first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Holds {
    /// Now, for relative times.
    pub now: Timestamp,
    /// The holds, at most 20.
    pub holds: Vec<HoldView>,
}

/// One mass change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HoldView {
    /// Which.
    pub id: HoldId,
    /// `mass_leave`.
    pub kind: String,
    /// `waiting`, `confirmed` or `dismissed`.
    pub state: String,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// Counts changes of whom it is about: one decides about what one saw.
    pub version: i64,
    /// How many people it is about.
    pub counted: i64,
    /// How many would have been applied without asking.
    pub allowed: i64,
    /// Whom it is about, at most 100, by name.
    pub people: Vec<HeldPerson>,
    /// Whether the viewer may confirm or dismiss it now: it waits, and they are not among those it is about.
    pub may_decide: bool,
    /// Who decided.
    pub decided_by: Option<PersonTag>,
    /// When.
    pub decided_at: Option<Timestamp>,
}

/// Somebody whom a hold is about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HeldPerson {
    /// Who.
    pub person: PersonTag,
    /// Department.
    pub department: String,
    /// Their last day, if that is what the directory says; until then they stay.
    pub last_day_at: Option<Timestamp>,
    /// How many grants they hold: what would end.
    pub grants: i64,
}

/// Reads the holds. For HR, security, administrators and auditors (who only read).
pub async fn load(workflow: &Workflow, viewer: &Viewer) -> Result<Holds> {
    viewer.must_have(READERS)?;
    let mut tx = workflow.store().read().await?;
    let rows = tx.named_holds(20).await?;
    let ids: Vec<HoldId> = rows.iter().map(|row| row.id).collect();
    let people = tx.held_people(&ids, 100).await?;
    let decides = viewer.must_have(DECIDERS).is_ok();
    let holds = rows
        .into_iter()
        .map(|row| {
            let own = || people.iter().filter(|one| one.hold_id == row.id);
            HoldView {
                may_decide: decides
                    && row.state == HoldState::Waiting
                    && !own().any(|one| one.person_id == viewer.id()),
                people: own()
                    .map(|one| HeldPerson {
                        person: PersonTag::new(one.person_id, one.name.clone()),
                        department: one.department.clone(),
                        last_day_at: one.last_day_at,
                        grants: one.grants,
                    })
                    .collect(),
                id: row.id,
                kind: row.kind,
                state: row.state.to_string(),
                placed_at: row.placed_at,
                version: row.version,
                counted: row.counted,
                allowed: row.allowed,
                decided_by: row
                    .decided_by
                    .map(|by| PersonTag::new(by, row.decided_by_name.unwrap_or_default())),
                decided_at: row.decided_at,
            }
        })
        .collect();
    Ok(Holds {
        now: workflow.clock().now(),
        holds,
    })
}
