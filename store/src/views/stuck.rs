//! What was given up or fails again and again, outside of assignments: mails and jobs. The directory's own troubles stand
//! beside where its reading stands.

use domain::{MessageId, PersonId, Timestamp, deadline::JobKind};

use crate::{
    directory::DirectoryRow,
    engine::{Error, Tx},
};

row! {
    /// A mail that was not sent, and why.
    pub struct MailProblemRow {
        /// Which.
        pub id: MessageId,
        /// To whom.
        pub person_id: PersonId,
        /// Their name.
        pub person_name: String,
        /// The subject line.
        pub subject: String,
        /// `queued` while it is tried again, `failed` when it was given up.
        pub state: String,
        /// What the mail server said.
        pub problem: String,
        /// When it was written.
        pub created_at: Timestamp,
    }

    /// A job that fails, and why.
    pub struct JobProblemRow {
        /// Its key.
        pub key: String,
        /// What it does.
        pub kind: JobKind,
        /// Failures in a row.
        pub failures: i64,
        /// What went wrong last.
        pub problem: Option<String>,
        /// When it is tried again.
        pub due_at: Timestamp,
    }
}

impl Tx {
    /// Mails that were not sent because of something, newest first.
    pub async fn mail_problems(&mut self, limit: i64) -> Result<Vec<MailProblemRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT m.id, m.person_id, p.name AS person_name, m.subject, m.state, m.problem, m.created_at
             FROM messages m JOIN persons p ON p.id = m.person_id
             WHERE m.problem IS NOT NULL ORDER BY m.created_at DESC, m.id DESC LIMIT $1")
            .bind(limit).fetch_all(c).await)?)
    }

    /// Jobs that fail, but for assignments, mails and posts, which are listed by themselves; those that fail longest first.
    pub async fn job_problems(&mut self, limit: i64) -> Result<Vec<JobProblemRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT key, kind, failures, problem, due_at FROM jobs
             WHERE failures > 0 AND kind <> 'converge' AND kind <> 'mail' AND kind <> 'post' ORDER BY failures DESC, key LIMIT $1")
            .bind(limit).fetch_all(c).await)?)
    }

    /// Where reading the directory stands, of each tenant that something is wrong with.
    pub async fn directory_problems(&mut self) -> Result<Vec<DirectoryRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT tenant_id, delta_link, full_at, delta_at, people, problem, problem_at
             FROM directory_state WHERE problem IS NOT NULL ORDER BY tenant_id").fetch_all(c).await)?)
    }
}
