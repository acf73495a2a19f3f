//! Mails: each is handed to the mail server, and what became of it is kept.

use std::{sync::Arc, time::Duration};

use domain::{MessageId, assignment::backoff};
use store::jobs::Job;
use tokio::time::Instant;
use workflow::Result;

use super::Inner;
use crate::mailer::{Letter, NotSent};

/// A mail is tried so often (with the pauses in between, most of a day) before it is shown as failed.
const TRIES: i64 = 200;

/// What is left of the lease when a mail is given up: for recording what became of it.
const MARGIN: Duration = Duration::from_secs(5);

/// Sends one mail. A mail that cannot be recorded as sent is sent again: twice is better than never. `since` is when the
/// lease was taken.
pub(super) async fn send(inner: Arc<Inner>, job: Job, since: Instant) {
    if let Err(error) = try_send(&inner, &job, since).await {
        tracing::error!(job = job.key, %error, "what became of a mail could not be recorded");
    }
}

async fn try_send(inner: &Inner, job: &Job, since: Instant) -> Result<()> {
    let workflow = &inner.workflow;
    let id = job.subject.map(MessageId);
    let message = match id {
        Some(id) => workflow.store().read().await?.message(id).await?,
        None => None,
    };
    let Some(message) = message.filter(|message| message.state == "queued") else {
        return finish(inner, job).await;
    };
    let letter = Letter {
        id: message.id,
        address: message.address,
        name: message.name,
        subject: message.subject,
        body: message.body,
    };
    let sent = if letter.address.is_empty() {
        Err(NotSent {
            what: "The directory knows no address.".into(),
            permanent: true,
        })
    } else {
        // A mail server that takes the connection and never answers must not hold the way for good, nor for longer than
        // the lease: then somebody else would send the mail as well.
        let left = (inner.options.lease.saturating_sub(MARGIN)).saturating_sub(since.elapsed());
        let patience = inner.options.letter.min(left);
        tokio::time::timeout(patience, inner.mailer.send(&letter))
            .await
            .unwrap_or_else(|_| {
                Err(NotSent {
                    what: format!(
                        "The mail server did not answer within {} seconds.",
                        patience.as_secs()
                    ),
                    permanent: false,
                })
            })
    };
    let mut unit = workflow.unit().await?;
    let now = unit.now;
    match sent {
        Ok(()) => {
            unit.tx
                .set_message(message.id, "sent", None, Some(now))
                .await?;
        }
        Err(problem) if problem.permanent || job.failures >= TRIES => {
            tracing::warn!(message = %message.id, problem = problem.what, "a mail was given up");
            unit.tx
                .set_message(message.id, "failed", Some(&problem.what), None)
                .await?;
        }
        Err(problem) => {
            let tries = u32::try_from(job.failures + 1).unwrap_or(u32::MAX);
            let due = now + backoff(tries, workflow.ids().jitter(), None);
            unit.tx
                .set_message(message.id, "queued", Some(&problem.what), None)
                .await?;
            unit.tx.release_job(job, due, Some(&problem.what)).await?;
            return unit.commit().await;
        }
    }
    unit.tx.finish_job(job, now).await?;
    unit.commit().await
}

async fn finish(inner: &Inner, job: &Job) -> Result<()> {
    let mut unit = inner.workflow.unit().await?;
    let now = unit.now;
    unit.tx.finish_job(job, now).await?;
    unit.commit().await
}
