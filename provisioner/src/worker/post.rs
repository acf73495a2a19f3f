//! Mails and posts: each is handed to the mail server or the chat, and what became of it is kept.

use std::{sync::Arc, time::Duration};

use domain::{MessageId, PostId, Timestamp, assignment::backoff, deadline::JobKind};
use store::{Tx, jobs::Job};
use tokio::time::Instant;
use workflow::{Result, chat::Chat};

use super::Inner;
use crate::{
    chat::Message,
    mailer::{Letter, NotSent},
};

/// One is tried so often (with the pauses in between, most of a day) before it is shown as failed.
const TRIES: i64 = 200;

/// What is left of the lease when one is given up: for recording what became of it.
const MARGIN: Duration = Duration::from_secs(5);

/// What goes out.
#[derive(Debug)]
enum Out {
    Mail(Letter),
    Post(PostId, Chat, Message),
}

/// Sends one mail or post. One that cannot be recorded as sent is sent again: twice is better than never. `since` is when the
/// lease was taken.
pub(super) async fn send(inner: Arc<Inner>, job: Job, since: Instant) {
    if let Err(error) = try_send(&inner, &job, since).await {
        tracing::error!(job = job.key, %error, "what became of a mail or post could not be recorded");
    }
}

async fn try_send(inner: &Inner, job: &Job, since: Instant) -> Result<()> {
    let workflow = &inner.workflow;
    let Some(out) = read(inner, job).await? else {
        return finish(inner, job).await;
    };
    // A server that takes the connection and never answers must not hold the way for good, nor for longer than the lease:
    // then somebody else would send it as well.
    let left = (inner.options.lease.saturating_sub(MARGIN)).saturating_sub(since.elapsed());
    let patience = inner.options.letter.min(left);
    let sent = tokio::time::timeout(patience, out.hand_over(inner))
        .await
        .unwrap_or_else(|_| {
            Err(NotSent {
                what: format!(
                    "The {} did not answer within {} seconds.",
                    out.server(),
                    patience.as_secs()
                ),
                permanent: false,
            })
        });
    let mut unit = workflow.unit().await?;
    let now = unit.now;
    match sent {
        Ok(()) => out.note(&mut unit.tx, "sent", None, Some(now)).await?,
        Err(problem) if problem.permanent || job.failures >= TRIES => {
            tracing::warn!(job = job.key, problem = problem.what, "it was given up");
            out.note(&mut unit.tx, "failed", Some(&problem.what), None)
                .await?;
        }
        Err(problem) => {
            let tries = u32::try_from(job.failures + 1).unwrap_or(u32::MAX);
            let due = now + backoff(tries, workflow.ids().jitter(), None);
            out.note(&mut unit.tx, "queued", Some(&problem.what), None)
                .await?;
            unit.tx.release_job(job, due, Some(&problem.what)).await?;
            return unit.commit().await;
        }
    }
    unit.tx.finish_job(job, now).await?;
    unit.commit().await
}

/// What the job stands for, unless it was sent or given up already.
async fn read(inner: &Inner, job: &Job) -> Result<Option<Out>> {
    let Some(id) = job.subject else {
        return Ok(None);
    };
    let public_url = &inner.workflow.settings().public_url;
    let mut tx = inner.workflow.store().read().await?;
    if job.kind == JobKind::Post {
        let row = tx.post(PostId(id)).await?;
        return Ok(row
            .filter(|row| row.state == "queued")
            .and_then(|row| Some((row.chat.parse::<Chat>().ok()?, row)))
            .map(|(chat, row)| {
                let message = Message {
                    title: row.title,
                    text: row.body,
                    link: format!("{public_url}{}", row.path),
                };
                Out::Post(row.id, chat, message)
            }));
    }
    let row = tx.message(MessageId(id)).await?;
    Ok(row.filter(|row| row.state == "queued").map(|row| {
        Out::Mail(Letter {
            id: row.id,
            address: row.address,
            name: row.name,
            subject: row.subject,
            text: row.body,
            link: row.path.map(|path| format!("{public_url}{path}")),
        })
    }))
}

impl Out {
    async fn hand_over(&self, inner: &Inner) -> std::result::Result<(), NotSent> {
        match self {
            Self::Mail(letter) if letter.address.is_empty() => Err(NotSent {
                what: "The directory knows no address.".into(),
                permanent: true,
            }),
            Self::Mail(letter) => inner.mailer.send(letter).await,
            Self::Post(_, chat, message) => inner.poster.post(*chat, message).await,
        }
    }

    /// Who takes it.
    const fn server(&self) -> &'static str {
        match self {
            Self::Mail(_) => "mail server",
            Self::Post(..) => "chat",
        }
    }

    async fn note(
        &self,
        tx: &mut Tx,
        state: &str,
        problem: Option<&str>,
        sent: Option<Timestamp>,
    ) -> Result<()> {
        match self {
            Self::Mail(letter) => tx.set_message(letter.id, state, problem, sent).await?,
            Self::Post(id, ..) => tx.set_post(*id, state, problem, sent).await?,
        }
        Ok(())
    }
}

async fn finish(inner: &Inner, job: &Job) -> Result<()> {
    let mut unit = inner.workflow.unit().await?;
    let now = unit.now;
    unit.tx.finish_job(job, now).await?;
    unit.commit().await
}
