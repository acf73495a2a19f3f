//! `/notifications`: how the viewer wants to be told, and whether mails reach them.

use domain::{
    Timestamp,
    telling::{Delivery, Topic},
};

use crate::{Result, Workflow, access::Viewer, telling};

/// The page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notifications {
    /// Now, for relative times.
    pub now: Timestamp,
    /// The address that the directory says; empty for none.
    pub address: String,
    /// What is chosen for each topic.
    pub choices: Vec<(Topic, Delivery)>,
    /// When the day's mail goes out next.
    pub next_digest: Timestamp,
    /// What the mail server said, if the newest mail did not get through, and when that was written.
    pub undelivered: Option<(String, Timestamp)>,
}

/// Reads it.
pub async fn load(workflow: &Workflow, viewer: &Viewer) -> Result<Notifications> {
    let now = workflow.clock().now();
    let mut tx = workflow.store().read().await?;
    let address = tx
        .person(viewer.id())
        .await?
        .map(|person| person.mail)
        .unwrap_or_default();
    let undelivered = tx.undelivered(viewer.id()).await?;
    Ok(Notifications {
        now,
        address,
        choices: telling::of(&mut tx, viewer.id()).await?,
        next_digest: domain::telling::next_digest(now, workflow.settings().digest_at),
        undelivered: undelivered.map(|row| (row.problem, row.created_at)),
    })
}
