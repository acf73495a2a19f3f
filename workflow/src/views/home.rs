//! Home: what waits for me, what of mine ends soon, what I asked for and where it is.

use chrono::Duration;
use domain::Timestamp;
use serde::Serialize;

use super::{
    Capped, HeldGrant,
    approvals::QueueItem,
    conversation::{self, AskedBack},
    exceptions, make,
    requests::RequestItem,
    restore,
    shell::CAP,
};
use crate::{Error, Result, Workflow, access::Viewer};

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
    /// Questions about the viewer's requests that wait for their answer, at most five.
    pub answers: Vec<AskedBack>,
    /// The viewer's requests that are under way (waiting, scheduled, being set up, in need of attention), at most five.
    pub requests: Vec<RequestItem>,
    /// How many of the viewer's requests wait for decisions.
    pub requests_count: Capped,
    /// The viewer's access that ends next, at most four.
    pub ending: Vec<HeldGrant>,
    /// How many of the viewer's grants end within seven days.
    pub ends_soon: i64,
    /// How many grants the viewer holds.
    pub held: i64,
    /// How many exceptions wait for the viewer's word.
    pub exceptions: usize,
    /// How many items wait for the viewer's review.
    pub reviews: Capped,
    /// How many questions about the viewer's access wait for their answer.
    pub asked: usize,
    /// How many open findings the viewer sees to.
    pub findings: i64,
    /// Whether nothing is given at a target since the database was restored; for those who look after the provisioner.
    pub restored: bool,
}

/// Reads the first page.
pub async fn load(workflow: &Workflow, viewer: &Viewer) -> Result<Home> {
    let now = workflow.clock().now();
    let mut tx = workflow.store().read().await?;
    let me = tx.person(viewer.id()).await?.ok_or(Error::Missing)?;
    let counts = tx.shell(viewer.id(), CAP + 1, false, false, false).await?;
    let decisions = tx.queue(viewer.id(), None, None, 5).await?;
    let answers = conversation::asked_back(&mut tx, viewer.id(), 5).await?;
    let under_way = tx.items_under_way(viewer.id(), 5).await?;
    let requests = make::items(&mut tx, under_way).await?;
    let ending = tx.ending_of(viewer.id(), 4).await?;
    let ending = make::held(&mut tx, viewer, ending).await?;
    let count = tx.count_held(viewer.id(), now + Duration::days(7)).await?;
    let exceptions = exceptions::waiting_for(&mut tx, viewer, now).await?;
    let findings = tx.open_findings_owned(viewer.id()).await?;
    let restored = restore::waits(&mut tx, viewer).await?;
    let asked = tx.questions_for(viewer.id()).await?.len();
    Ok(Home {
        now,
        reviews: Capped::of(counts.reviews, CAP),
        asked,
        exceptions,
        findings,
        restored,
        given_name: if me.given_name.is_empty() {
            me.name
        } else {
            me.given_name
        },
        decisions: decisions.into_iter().map(QueueItem::from).collect(),
        decisions_count: Capped::of(counts.decisions, CAP),
        answers,
        requests,
        requests_count: Capped::of(counts.requests, CAP),
        ending,
        ends_soon: count.ending,
        held: count.held,
    })
}
