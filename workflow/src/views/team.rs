//! My team: the people who report to me, and what each holds.

use chrono::Duration;
use domain::{
    GrantId, PersonId, RequestId, Timestamp,
    grant::{End, GrantSource, GrantState},
    person::PersonState,
};
use serde::Serialize;
use store::views::people::{HoldingRow, TeamGrantRow};

use super::{Cursor, PersonTag};
use crate::{Result, Workflow, access::Viewer};

/// People on a page.
const PAGE: i64 = 50;
/// Grants of each that are named; the others are counted, and stand on the person's page.
const NAMED: i64 = 20;

/// A page of direct reports, by name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Team {
    /// Now, for relative times.
    pub now: Timestamp,
    /// Those who report to the viewer.
    pub reports: Vec<Report>,
    /// Where the next page begins.
    pub next: Option<Cursor>,
    /// Whether the viewer may take away what they hold: not who runs the portal.
    pub may_take_away: bool,
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
    /// What they hold, soonest end first, without end last; at most 20.
    pub holds: Vec<Holds>,
    /// Whether somebody reports to them.
    pub leads: bool,
}

/// One grant of somebody, in a few words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Holds {
    /// Which.
    pub grant: GrantId,
    /// The package's name, or the right's for what was found at a target.
    pub name: String,
    /// Whether the package is privileged.
    pub privileged: bool,
    /// Where it comes from.
    pub source: GrantSource,
    /// Where it stands.
    pub state: GrantState,
    /// Ends.
    pub end: End,
    /// When every target first confirmed it.
    pub ready_at: Option<Timestamp>,
    /// The request behind it, with its short number.
    pub request: Option<(RequestId, i64)>,
}

impl From<&TeamGrantRow> for Holds {
    fn from(row: &TeamGrantRow) -> Self {
        Self {
            grant: row.id,
            name: row.name.clone(),
            privileged: row.privileged,
            source: row.source,
            state: row.state,
            end: row.end(),
            ready_at: row.ready_at,
            request: row.request_id.zip(row.number),
        }
    }
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
    let grants = tx.held_by_each(&ids, NAMED).await?;
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
                holds: grants
                    .iter()
                    .filter(|own| own.person_id == row.id)
                    .map(Holds::from)
                    .collect(),
                leads: row.leads,
            }
        })
        .collect();
    Ok(Team {
        now,
        reports,
        next,
        may_take_away: !viewer.roles.iter().any(|role| role.runs_portal()),
    })
}
