//! My access: what I hold, why, since, until, and how it stands at the targets.

use chrono::Duration;
use domain::{PersonId, Timestamp, grant::GrantSource};
use serde::Serialize;
use store::Tx;

use super::{HeldGrant, make};
use crate::{Result, Workflow, access::Viewer};

/// How long what has ended is shown.
const LATELY: Duration = Duration::days(30);

/// What somebody holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Access {
    /// Now, for relative times and life bars.
    pub now: Timestamp,
    /// What is held or begins later, soonest end first, those without an end last; at most 500.
    pub held: Vec<HeldGrant>,
    /// What was found at the targets and not approved here.
    pub found: Vec<HeldGrant>,
    /// What ended within the last 30 days, latest first, at most 100.
    pub ended: Vec<HeldGrant>,
    /// The last working day, which ends everything.
    pub last_day_at: Option<Timestamp>,
}

/// Reads what the viewer holds.
pub async fn load(workflow: &Workflow, viewer: &Viewer) -> Result<Access> {
    let now = workflow.clock().now();
    let mut tx = workflow.store().read().await?;
    let (held, found, ended) = of_person(&mut tx, viewer, viewer.id(), now).await?;
    Ok(Access {
        now,
        held,
        found,
        ended,
        last_day_at: viewer.person.last_day_at,
    })
}

/// What a person holds, what was found at targets, and what ended lately.
pub(super) async fn of_person(
    tx: &mut Tx,
    viewer: &Viewer,
    person: PersonId,
    now: Timestamp,
) -> Result<(Vec<HeldGrant>, Vec<HeldGrant>, Vec<HeldGrant>)> {
    let mut rows = tx.held_by(person, 500).await?;
    let live = rows.len();
    rows.extend(tx.ended_of(person, now - LATELY, 100).await?);
    let mut all = make::held(tx, viewer, rows).await?;
    let ended = all.split_off(live);
    let (found, held) = all
        .into_iter()
        .partition(|grant| grant.source == GrantSource::Import);
    Ok((held, found, ended))
}
