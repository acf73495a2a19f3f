//! Home: what waits for me, what of mine ends soon, what I asked for and where it is.

use domain::Timestamp;
use serde::Serialize;

use super::{Capped, HeldGrant, approvals::QueueItem, requests::RequestItem};
use crate::{Result, Workflow, access::Viewer};

/// The first page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Home {
    /// Now, for relative times.
    pub now: Timestamp,
    /// The name to greet with.
    pub given_name: String,
    /// The oldest decisions that wait for the viewer, at most five.
    pub decisions: Vec<QueueItem>,
    /// How many wait in all.
    pub decisions_count: Capped,
    /// The viewer's requests that are under way (waiting, scheduled, being set up, in need of attention), at most five.
    pub requests: Vec<RequestItem>,
    /// How many wait in all.
    pub requests_count: Capped,
    /// The viewer's access that ends next, at most four; without the parts at the targets.
    pub ending: Vec<HeldGrant>,
    /// How many of the viewer's grants end within seven days.
    pub ends_soon: i64,
    /// How many grants the viewer holds.
    pub held: i64,
}

/// Reads the first page.
pub async fn load(workflow: &Workflow, viewer: &Viewer) -> Result<Home> {
    let _ = (workflow, viewer);
    Err(super::common::soon())
}
