//! My team: the people who report to me, and what each holds.

use domain::{Timestamp, person::PersonState};
use serde::Serialize;

use super::{Cursor, PersonTag};
use crate::{Result, Workflow, access::Viewer};

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
    let _ = (workflow, viewer, after);
    Err(super::common::soon())
}
