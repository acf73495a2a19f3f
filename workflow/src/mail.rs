//! Mail: each event once to each right person, queued in the transaction that caused it and sent later by the worker.

use domain::{MessageId, PersonId, deadline::JobKind};
use store::jobs::{NewJob, Priority};

use crate::{Result, Unit};

/// What a mail says. Plain text; the link leads to the page and never decides by itself.
#[derive(Clone, Debug)]
pub struct Mail {
    /// What it is about, for keeping apart: `decision_needed`, `decided`, `ready`, `ends_soon`, `ended`.
    pub kind: &'static str,
    /// The subject line.
    pub subject: String,
    /// What happened and what to do.
    pub text: String,
    /// The page to look at, from `/`.
    pub path: String,
}

/// Queues a mail to a person unless the same event (`key`) was mailed to them already.
pub async fn queue(unit: &mut Unit, person: PersonId, key: &str, mail: &Mail) -> Result<()> {
    let id: MessageId = unit.new_id();
    let public_url = unit.workflow().settings().public_url.clone();
    let body = format!(
        "{}\n\n{public_url}{}\n\nYou get this because Latchkey keeps you up to date about access. Nothing is decided by opening the link.\n",
        mail.text, mail.path
    );
    let key = format!("{key}:{person}");
    let now = unit.now;
    if unit
        .tx
        .insert_message(id, &key, person, mail.kind, &mail.subject, &body, now)
        .await?
    {
        unit.enqueue(&[NewJob {
            key: format!("mail:{id}"),
            kind: JobKind::Mail,
            subject: Some(id.0),
            lane: None,
            priority: Priority::Low,
            due_at: now,
        }])
        .await?;
    }
    Ok(())
}
