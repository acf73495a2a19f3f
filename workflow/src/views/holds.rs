//! Mass changes that wait for a human.

use domain::{HoldId, Timestamp};
use serde::Serialize;

use super::PersonTag;
use crate::{Result, Workflow, access::Viewer};

/// The newest holds, those that wait first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Holds {
    /// Now, for relative times.
    pub now: Timestamp,
    /// The holds, at most 20.
    pub holds: Vec<HoldView>,
    /// Whether the viewer may confirm or dismiss.
    pub may_decide: bool,
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
    /// How many people it is about.
    pub counted: i64,
    /// How many would have been applied without asking.
    pub allowed: i64,
    /// Whom it is about, at most 100, by name, with department.
    pub people: Vec<(PersonTag, String)>,
    /// How many grants they hold: what would end.
    pub grants: i64,
    /// Who decided.
    pub decided_by: Option<PersonTag>,
    /// When.
    pub decided_at: Option<Timestamp>,
}

/// Reads the holds. For HR, security, administrators and auditors (who only read).
pub async fn load(workflow: &Workflow, viewer: &Viewer) -> Result<Holds> {
    let _ = (workflow, viewer);
    Err(super::common::soon())
}
