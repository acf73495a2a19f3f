//! What was given up, or fails again and again, outside of assignments: mails, posts, deadlines and what comes round, the
//! reading of the directory, and a log that contradicts its checkpoint. Giving up is never only a line in a log.

use domain::{MessageId, PostId, Timestamp, deadline::JobKind, person::PortalRole};
use serde::Serialize;

use super::{PersonTag, provisioning::READERS};
use crate::{
    Result, Workflow,
    access::Viewer,
    audit::{self, Doubt},
    chat::Chat,
};

/// Mails, posts and jobs shown, of each.
const MOST: i64 = 10;

/// What is stuck.
#[derive(Clone, Debug, PartialEq)]
pub struct Stuck {
    /// Now, for relative times.
    pub now: Timestamp,
    /// What in the audit log contradicts its checkpoint.
    pub doubt: Option<Doubt>,
    /// What is wrong with reading the directory, and since when.
    pub directory: Vec<(String, Option<Timestamp>)>,
    /// Jobs that fail.
    pub jobs: Vec<StuckJob>,
    /// Mails that were not sent.
    pub mails: Vec<StuckMail>,
    /// Posts that were not sent.
    pub posts: Vec<StuckPost>,
    /// Whether the viewer may have a mail sent again: operators.
    pub may_act: bool,
}

impl Stuck {
    /// Whether there is nothing to show.
    pub const fn is_empty(&self) -> bool {
        self.doubt.is_none()
            && self.directory.is_empty()
            && self.jobs.is_empty()
            && self.mails.is_empty()
            && self.posts.is_empty()
    }
}

/// A job that fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StuckJob {
    /// Names it.
    pub key: String,
    /// What it does.
    pub kind: JobKind,
    /// Failures in a row.
    pub failures: i64,
    /// What went wrong last.
    pub problem: String,
    /// When it is tried again.
    pub next_at: Timestamp,
}

/// A mail that was not sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StuckMail {
    /// Which.
    pub id: MessageId,
    /// To whom.
    pub person: PersonTag,
    /// The subject line.
    pub subject: String,
    /// Whether it was given up; else it is tried again by itself.
    pub failed: bool,
    /// What the mail server said.
    pub problem: String,
    /// When it was written.
    pub written_at: Timestamp,
}

/// A post to a chat that was not sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StuckPost {
    /// Which.
    pub id: PostId,
    /// Which chat.
    pub chat: Option<Chat>,
    /// What it says first.
    pub title: String,
    /// Whether it was given up; else it is tried again by itself.
    pub failed: bool,
    /// What the chat said.
    pub problem: String,
    /// When it was written.
    pub written_at: Timestamp,
}

/// Reads what is stuck. For operators, administrators, security and auditors.
pub async fn load(workflow: &Workflow, viewer: &Viewer) -> Result<Stuck> {
    viewer.must_have(READERS)?;
    let mut tx = workflow.store().read().await?;
    let directory = tx.directory_problems().await?;
    let jobs = tx.job_problems(MOST).await?;
    let mails = tx.mail_problems(MOST).await?;
    let posts = tx.post_problems(MOST).await?;
    Ok(Stuck {
        now: workflow.clock().now(),
        doubt: audit::doubted(workflow, viewer),
        directory: directory
            .into_iter()
            .map(|row| (row.problem.unwrap_or_default(), row.problem_at))
            .collect(),
        jobs: jobs
            .into_iter()
            .map(|row| StuckJob {
                key: row.key,
                kind: row.kind,
                failures: row.failures,
                problem: row.problem.unwrap_or_default(),
                next_at: row.due_at,
            })
            .collect(),
        mails: mails
            .into_iter()
            .map(|row| StuckMail {
                id: row.id,
                person: PersonTag::new(row.person_id, row.person_name),
                subject: row.subject,
                failed: row.state == "failed",
                problem: row.problem,
                written_at: row.created_at,
            })
            .collect(),
        posts: posts
            .into_iter()
            .map(|row| StuckPost {
                id: row.id,
                chat: row.chat.parse().ok(),
                title: row.title,
                failed: row.state == "failed",
                problem: row.problem.unwrap_or_default(),
                written_at: row.created_at,
            })
            .collect(),
        may_act: viewer.has(PortalRole::Operator),
    })
}
