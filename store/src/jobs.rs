//! One queue: outbox, timer and schedule. A key has one row; a timer is a job that is due later.
//!
//! A claimed job is due again when its lease ends, so a crash loses nothing. `attempt` fences: whoever lost the lease
//! can no longer finish. `wanted` counts enqueues, also while the job runs: finishing deletes the row only if nobody
//! asked again meanwhile.

use domain::{Timestamp, deadline::JobKind};
use sqlx::QueryBuilder;
use uuid::Uuid;

use crate::{
    audit::AuditHead,
    engine::{At, Engine, Error, Tx},
};

/// What is worked first. Within one priority, what is due longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Ends of access and removals.
    Removal = 0,
    /// What a person waits for.
    Normal = 1,
    /// Mail, warnings.
    Low = 2,
    /// Reading the directory, sweeps, checkpoints.
    Background = 3,
}

impl Priority {
    /// All, in the order of work.
    pub const ALL: [Self; 4] = [Self::Removal, Self::Normal, Self::Low, Self::Background];
}

/// A job to enqueue.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// Unique: names the kind and the thing.
    pub key: String,
    /// What it does.
    pub kind: JobKind,
    /// The row that it stands for.
    pub subject: Option<Uuid>,
    /// The object that the work locks; jobs of one lane run one after another.
    pub lane: Option<String>,
    /// Order of work.
    pub priority: Priority,
    /// When.
    pub due_at: Timestamp,
}

row! {
    /// A claimed job.
    pub struct Job {
        /// Its key.
        pub key: String,
        /// What it does.
        pub kind: JobKind,
        /// The row that it stands for.
        pub subject: Option<Uuid>,
        /// The object that the work locks.
        pub lane: Option<String>,
        /// Fence: finishing needs the same attempt.
        pub attempt: i64,
        /// How often it was asked for, as of the claim.
        pub wanted: i64,
        /// Failures in a row.
        pub failures: i64,
    }
}

/// A claimed job to put back.
#[derive(Clone, Debug)]
pub struct PutBack {
    /// The job.
    pub job: Job,
    /// When it is due again.
    pub due: Timestamp,
    /// What is wrong, if it counts as a failure.
    pub problem: Option<String>,
    /// Its place in the order of work from now on, if that is another one: what the job is for may have turned round since
    /// it was enqueued.
    pub priority: Option<Priority>,
}

/// The most jobs of one statement.
const CHUNK: usize = 500;

/// Enqueues jobs, all in one.
macro_rules! write_jobs {
    ($query:ident, $jobs:expr) => {{
        $query.push("INSERT INTO jobs (key, kind, subject, lane, priority, due_at) ");
        $query.push_values($jobs, |mut tuple, job| {
            tuple
                .push_bind(job.key.clone())
                .push_bind(job.kind.as_str())
                .push_bind(job.subject)
                .push_bind(job.lane.clone())
                .push_bind(job.priority as i64)
                .push_bind(At(job.due_at));
        });
        $query.push(
            " ON CONFLICT (key) DO UPDATE SET wanted = jobs.wanted + 1,
               priority = CASE WHEN excluded.priority < jobs.priority THEN excluded.priority ELSE jobs.priority END,
               due_at = CASE WHEN jobs.leased_by IS NULL AND excluded.due_at < jobs.due_at
                 THEN excluded.due_at ELSE jobs.due_at END",
        );
    }};
}

impl Tx {
    /// Enqueues, as [`Tx::enqueue`] does, and then locks the head of the audit log, as [`Tx::lock_audit_head`] does: the last
    /// two things of most transactions.
    pub async fn enqueue_and_lock_audit_head(
        &mut self,
        jobs: &[NewJob],
    ) -> Result<AuditHead, Error> {
        if self.engine() == Engine::Sqlite || jobs.is_empty() || jobs.len() > CHUNK {
            self.enqueue(jobs).await?;
            return self.lock_audit_head().await;
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(Engine::Postgres.first());
            write_jobs!(query, jobs);
            // Who counts what is enqueued comes after it: the head stays the last lock.
            query.push(" RETURNING 1) SELECT seq, hash FROM audit_head WHERE (SELECT COUNT(*) FROM first) > 0 FOR UPDATE");
            query.build_query_as().fetch_one(c).await
        })?)
    }

    /// Enqueues. An existing key is asked for once more, and pulled forward if the new instant is earlier, unless it is
    /// running: then it is due again at once when it finishes.
    pub async fn enqueue(&mut self, jobs: &[NewJob]) -> Result<(), Error> {
        for chunk in jobs.chunks(CHUNK) {
            on!(self, c => {
                let mut query = QueryBuilder::new("");
                write_jobs!(query, chunk);
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Takes up to `limit` due jobs of one priority, none whose lane is being worked on. Of one lane several may be
    /// taken together; the worker does them one after another under this lease.
    pub async fn claim_jobs(
        &mut self,
        priority: Priority,
        kinds: &[JobKind],
        now: Timestamp,
        lease_until: Timestamp,
        worker: Uuid,
        limit: i64,
    ) -> Result<Vec<Job>, Error> {
        self.lock_claims().await?;
        let lock = self.skip_locked();
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new("UPDATE jobs SET attempt = attempt + 1, leased_by = ");
            query.push_bind(worker).push(", leased_until = ").push_bind(At(lease_until)).push(", due_at = ")
                .push_bind(At(lease_until))
                .push(" WHERE key IN (SELECT j.key FROM jobs j WHERE j.priority = ").push_bind(priority as i64)
                .push(" AND j.due_at <= ").push_bind(At(now)).push(" AND j.kind IN (");
            let mut list = query.separated(", ");
            for kind in kinds {
                list.push_bind(kind.as_str());
            }
            query.push(") AND (j.lane IS NULL OR NOT EXISTS (SELECT 1 FROM jobs b WHERE b.lane = j.lane AND b.leased_until > ")
                .push_bind(At(now)).push(")) ORDER BY j.due_at, j.key LIMIT ").push_bind(limit).push(lock)
                .push(") RETURNING key, kind, subject, lane, attempt, wanted, failures");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// Finishes a job: gone if nobody asked again since the claim, due at once otherwise. False if the lease was lost.
    pub async fn finish_job(&mut self, job: &Job, now: Timestamp) -> Result<bool, Error> {
        let gone = on!(self, c => sqlx::query("DELETE FROM jobs WHERE key = $1 AND attempt = $2 AND wanted = $3")
            .bind(&job.key).bind(job.attempt).bind(job.wanted).execute(c).await.map(|done| done.rows_affected()))?;
        if gone == 1 {
            return Ok(true);
        }
        self.release_job(job, now, None).await
    }

    /// Finishes many jobs in few statements, as [`Tx::finish_job`] does one.
    pub async fn finish_jobs(&mut self, jobs: &[Job], now: Timestamp) -> Result<(), Error> {
        for chunk in jobs.chunks(300) {
            on!(self, c => {
                let mut query = QueryBuilder::new("DELETE FROM jobs WHERE (key, attempt, wanted) IN (VALUES ");
                for (index, job) in chunk.iter().enumerate() {
                    query.push(if index == 0 { "(" } else { ", (" }).push_bind(job.key.clone()).push(", ")
                        .push_bind(job.attempt).push(", ").push_bind(job.wanted).push(")");
                }
                query.push(")");
                query.build().execute(c).await.map(drop)
            })?;
            // What was asked for again meanwhile is due at once.
            on!(self, c => {
                let mut query = QueryBuilder::new("UPDATE jobs SET leased_until = NULL, leased_by = NULL, failures = 0, due_at = ");
                query.push_bind(At(now)).push(" WHERE (key, attempt) IN (VALUES ");
                for (index, job) in chunk.iter().enumerate() {
                    query.push(if index == 0 { "(" } else { ", (" }).push_bind(job.key.clone()).push(", ")
                        .push_bind(job.attempt).push(")");
                }
                query.push(")");
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Puts a job back, due at `due`. With a problem it counts as a failure. False if the lease was lost.
    pub async fn release_job(
        &mut self,
        job: &Job,
        due: Timestamp,
        problem: Option<&str>,
    ) -> Result<bool, Error> {
        let text = "UPDATE jobs SET leased_until = NULL, leased_by = NULL, due_at = $3, problem = $4,
            failures = CASE WHEN $5 = 1 THEN failures + 1 ELSE 0 END WHERE key = $1 AND attempt = $2";
        let put = on!(self, c => sqlx::query(text).bind(&job.key).bind(job.attempt).bind(At(due)).bind(problem)
            .bind(i64::from(problem.is_some())).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(put == 1)
    }

    /// Whether a job's lease is still held by this attempt.
    pub async fn holds_job(&mut self, job: &Job) -> Result<bool, Error> {
        let count: i64 = on!(self, c => sqlx::query_scalar("SELECT COUNT(*) FROM jobs WHERE key = $1 AND attempt = $2")
            .bind(&job.key).bind(job.attempt).fetch_one(c).await)?;
        Ok(count == 1)
    }

    /// Key and attempt of those jobs whose lease is still held by that attempt. A key may stand among `jobs` with several
    /// attempts, of which at most one holds.
    pub async fn held_jobs(&mut self, jobs: &[Job]) -> Result<Vec<(String, i64)>, Error> {
        let mut held = Vec::with_capacity(jobs.len());
        for chunk in jobs.chunks(300) {
            let found: Vec<(String, i64)> = on!(self, c => {
                let mut query = QueryBuilder::new("SELECT key, attempt FROM jobs WHERE (key, attempt) IN (VALUES ");
                for (index, job) in chunk.iter().enumerate() {
                    query.push(if index == 0 { "(" } else { ", (" }).push_bind(job.key.clone()).push(", ")
                        .push_bind(job.attempt).push(")");
                }
                query.push(")");
                query.build_query_as().fetch_all(c).await
            })?;
            held.extend(found);
        }
        Ok(held)
    }

    /// Puts jobs back in few statements, as [`Tx::release_job`] does one; what was asked for again since the claim is due
    /// at once.
    pub async fn put_back_jobs(&mut self, jobs: &[PutBack], now: Timestamp) -> Result<(), Error> {
        for chunk in jobs.chunks(300) {
            on!(self, c => {
                let mut query = QueryBuilder::new(
                    "UPDATE jobs SET leased_until = NULL, leased_by = NULL, problem = v.column5, priority = COALESCE(v.column6, jobs.priority),
                       failures = CASE WHEN v.column5 IS NULL THEN 0 ELSE jobs.failures + 1 END,
                       due_at = CASE WHEN jobs.wanted = v.column3 THEN v.column4 ELSE ");
                query.push_bind(At(now)).push(" END FROM (");
                query.push_values(chunk, |mut tuple, back| {
                    tuple.push_bind(back.job.key.clone()).push_bind(back.job.attempt).push_bind(back.job.wanted)
                        .push_bind(At(back.due)).push_bind(back.problem.clone()).push_bind(back.priority.map(|priority| priority as i64));
                });
                query.push(") AS v WHERE jobs.key = v.column1 AND jobs.attempt = v.column2");
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Removes a job that nothing stands behind any more, unless it is running.
    pub async fn cancel_job(&mut self, key: &str) -> Result<(), Error> {
        on!(self, c => sqlx::query("DELETE FROM jobs WHERE key = $1 AND leased_by IS NULL")
            .bind(key).execute(c).await.map(drop))?;
        Ok(())
    }

    /// When the job of this key falls due, if there is one.
    pub async fn job_due(&mut self, key: &str) -> Result<Option<Timestamp>, Error> {
        let due: Option<At> = on!(self, c => sqlx::query_scalar("SELECT due_at FROM jobs WHERE key = $1")
            .bind(key).fetch_optional(c).await)?;
        Ok(due.map(|At(due)| due))
    }

    /// When the next job of each priority falls due, of the kinds given; priorities without one are left out.
    pub async fn next_due_of_each(
        &mut self,
        kinds: &[JobKind],
    ) -> Result<Vec<(Priority, Timestamp)>, Error> {
        let mut dues = Vec::with_capacity(Priority::ALL.len());
        for priority in Priority::ALL {
            let due: Option<At> = on!(self, c => {
                let mut query = QueryBuilder::new("SELECT due_at FROM jobs WHERE priority = ");
                query.push_bind(priority as i64).push(" AND kind IN (");
                let mut list = query.separated(", ");
                for kind in kinds {
                    list.push_bind(kind.as_str());
                }
                query.push(") ORDER BY due_at LIMIT 1");
                query.build_query_scalar().fetch_optional(c).await
            })?;
            dues.extend(due.map(|At(due)| (priority, due)));
        }
        Ok(dues)
    }

    /// When the next job falls due, of the kinds given.
    pub async fn next_due(&mut self, kinds: &[JobKind]) -> Result<Option<Timestamp>, Error> {
        let dues = self.next_due_of_each(kinds).await?;
        Ok(dues.into_iter().map(|(_, due)| due).min())
    }

    /// Whether a removal is due on a lane that somebody works on.
    pub async fn removal_waits(&mut self, lane: &str, now: Timestamp) -> Result<bool, Error> {
        let found: Option<i64> = on!(self, c => sqlx::query_scalar(
            "SELECT CAST(1 AS BIGINT) FROM jobs WHERE priority = $1 AND due_at <= $2 AND lane = $3
               AND (leased_until IS NULL OR leased_until <= $2) LIMIT 1")
            .bind(Priority::Removal as i64).bind(At(now)).bind(lane).fetch_optional(c).await)?;
        Ok(found.is_some())
    }

    /// Lets every lease of a worker that is known to be gone run out now. Called at start with SQLite, where there is
    /// one process.
    pub async fn drop_all_leases(&mut self, now: Timestamp) -> Result<u64, Error> {
        Ok(on!(self, c => sqlx::query(
            "UPDATE jobs SET leased_until = NULL, leased_by = NULL, due_at = $1 WHERE leased_by IS NOT NULL")
            .bind(At(now)).execute(c).await.map(|done| done.rows_affected()))?)
    }
}
