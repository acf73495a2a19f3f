//! My team: the people who report to me, and what each holds.

use chrono::Duration;
use domain::{PersonId, Timestamp, person::PersonState};
use serde::Serialize;
use store::views::people::HoldingRow;

use super::{Cursor, PersonTag};
use crate::{Result, Workflow, access::Viewer};

/// People on a page.
const PAGE: i64 = 50;

/// A page of direct reports, by name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Team {
    /// Now, for relative times.
    pub now: Timestamp,
    /// Those who report to the viewer.
    pub reports: Vec<Report>,
    /// Where the next page begins.
    pub next: Option<Cursor>,
}

/// One who reports to the viewer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Who.
    pub person: PersonTag,
    /// Job title.
    pub job_title: String,
    /// Department.
    pub department: String,
    /// Office.
    pub office: String,
    /// `employee`, `contractor`, …
    pub employee_type: String,
    /// Works here or has left.
    pub state: PersonState,
    /// First working day.
    pub hired_at: Option<Timestamp>,
    /// End of the last working day.
    pub last_day_at: Option<Timestamp>,
    /// How many grants they hold.
    pub held: i64,
    /// How many of those end within seven days.
    pub ending_soon: i64,
    /// How many of those are privileged.
    pub privileged: i64,
    /// How many were found at targets and not approved here.
    pub found: i64,
    /// How many are not confirmed at the targets yet.
    pub not_ready: i64,
    /// How many of their requests wait.
    pub waiting: i64,
    /// When the next of their grants ends.
    pub next_end: Option<Timestamp>,
    /// Whether somebody reports to them.
    pub leads: bool,
}

/// Reads a page of the viewer's direct reports, 50 long.
pub async fn load(workflow: &Workflow, viewer: &Viewer, after: Option<&Cursor>) -> Result<Team> {
    let now = workflow.clock().now();
    let after = after.and_then(Cursor::text);
    let mut tx = workflow.store().read().await?;
    let mut rows = tx
        .reports_of(
            viewer.id(),
            after
                .as_ref()
                .map(|(key, id)| (key.as_str(), PersonId(*id))),
            PAGE + 1,
        )
        .await?;
    let more = rows.len() > PAGE as usize;
    rows.truncate(PAGE as usize);
    let ids: Vec<PersonId> = rows.iter().map(|row| row.id).collect();
    let holdings = tx.holdings(&ids, now + Duration::days(7)).await?;
    let waiting = tx.waiting_for(&ids).await?;
    let next = rows
        .last()
        .filter(|_| more)
        .map(|row| Cursor::by_text(&row.search_key, row.id.0));
    let reports = rows
        .into_iter()
        .map(|row| {
            let own = holdings.iter().find(|own| own.person_id == row.id);
            let count = |what: fn(&HoldingRow) -> i64| own.map_or(0, what);
            Report {
                person: PersonTag::new(row.id, row.name),
                job_title: row.job_title,
                department: row.department,
                office: row.office,
                employee_type: row.employee_type,
                state: row.state,
                hired_at: row.hired_at,
                last_day_at: row.last_day_at,
                held: count(|own| own.held),
                ending_soon: count(|own| own.ending_soon),
                privileged: count(|own| own.privileged),
                found: count(|own| own.found),
                not_ready: count(|own| own.not_ready),
                waiting: waiting
                    .iter()
                    .find(|own| own.person_id == row.id)
                    .map_or(0, |own| own.waiting),
                next_end: own.and_then(|own| own.next_end),
                leads: row.leads,
            }
        })
        .collect();
    Ok(Team { now, reports, next })
}
