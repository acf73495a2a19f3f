//! One recorder for a worker: commits what the lanes report together, for one commit at a time is what an audited
//! database can do.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use workflow::{
    Error, Result, Workflow,
    assignments::{self, Next, Report},
};

use super::{Moment, Seams};

/// At most so many reports in one transaction.
const MOST: usize = 200;

/// At most so long a report waits for company.
const LONGEST: Duration = Duration::from_millis(20);

/// A busy database is tried so often before the lane hears of it.
const TRIES: u32 = 5;

type Waiting = (Report, oneshot::Sender<Next>);

/// The lanes' end of the recorder. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    reports: mpsc::Sender<Waiting>,
    /// Lanes that are at work and may report soon.
    busy: Arc<AtomicUsize>,
}

/// Counts a lane as at work while it lives.
#[derive(Debug)]
pub(crate) struct Busy(Arc<AtomicUsize>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Recorder {
    /// A recorder and its work, which ends when the last lane has gone.
    pub fn new(workflow: Workflow, seams: Seams) -> (Self, impl Future<Output = ()> + Send) {
        let (sender, receiver) = mpsc::channel(MOST);
        let busy = Arc::<AtomicUsize>::default();
        let work = record(workflow, seams, receiver, Arc::clone(&busy));
        (
            Self {
                reports: sender,
                busy,
            },
            work,
        )
    }

    /// Says that a lane begins to work.
    pub fn busy(&self) -> Busy {
        self.busy.fetch_add(1, Ordering::Relaxed);
        Busy(Arc::clone(&self.busy))
    }

    /// Records a report and says how to go on. [`Next::Lost`] if it could not be recorded: the lease runs out and
    /// whoever comes next begins with a read.
    pub async fn report(&self, report: Report) -> Next {
        let (answer, answered) = oneshot::channel();
        if self.reports.send((report, answer)).await.is_err() {
            return Next::Lost;
        }
        answered.await.unwrap_or(Next::Lost)
    }
}

async fn record(
    workflow: Workflow,
    seams: Seams,
    mut reports: mpsc::Receiver<Waiting>,
    busy: Arc<AtomicUsize>,
) {
    while let Some(first) = reports.recv().await {
        let mut batch = vec![first];
        let until = Instant::now() + LONGEST;
        while batch.len() < MOST {
            if let Ok(more) = reports.try_recv() {
                batch.push(more);
            } else if batch.len() >= busy.load(Ordering::Relaxed) {
                // Everybody who is at work waits for this commit.
                break;
            } else {
                match tokio::time::timeout_at(until, reports.recv()).await {
                    Ok(Some(more)) => batch.push(more),
                    Ok(None) | Err(_) => break,
                }
            }
        }
        commit(&workflow, &seams, batch).await;
    }
}

async fn commit(workflow: &Workflow, seams: &Seams, batch: Vec<Waiting>) {
    let (reports, answers): (Vec<Report>, Vec<_>) = batch.into_iter().unzip();
    match advance(workflow, seams, &reports).await {
        Ok(next) => {
            seams.pass(Moment::Recorded).await;
            for (answer, next) in answers.into_iter().zip(next) {
                // A lane that was given up does not listen.
                let _ = answer.send(next);
            }
        }
        Err(error) if reports.len() > 1 => {
            // One of them cannot be recorded: the others must not wait for it.
            tracing::warn!(%error, reports = reports.len(), "reports are recorded one by one");
            for (report, answer) in reports.into_iter().zip(answers) {
                let next = match advance(workflow, seams, std::slice::from_ref(&report)).await {
                    Ok(next) => next.first().copied().unwrap_or(Next::Lost),
                    Err(error) => lost(&report, &error),
                };
                let _ = answer.send(next);
            }
        }
        Err(error) => {
            for (report, answer) in reports.iter().zip(answers) {
                let _ = answer.send(lost(report, &error));
            }
        }
    }
}

fn lost(report: &Report, error: &Error) -> Next {
    tracing::error!(
        assignment = %report.assignment, job = report.job.key, %error,
        "a report could not be recorded; its job is due again when the lease ends"
    );
    Next::Lost
}

async fn advance(workflow: &Workflow, seams: &Seams, reports: &[Report]) -> Result<Vec<Next>> {
    let mut tries = 0;
    loop {
        let done = advance_once(workflow, seams, reports).await;
        match done {
            Err(Error::Unavailable(why)) if tries < TRIES => {
                tries += 1;
                tracing::debug!(why, tries, "the database was busy");
                tokio::time::sleep(Duration::from_millis(10 << tries)).await;
            }
            done => return done,
        }
    }
}

async fn advance_once(workflow: &Workflow, seams: &Seams, reports: &[Report]) -> Result<Vec<Next>> {
    let mut unit = workflow.unit().await?;
    let next = assignments::advance(&mut unit, reports).await?;
    seams.pass(Moment::Recording).await;
    unit.commit().await?;
    Ok(next)
}
