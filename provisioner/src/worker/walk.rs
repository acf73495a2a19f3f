//! Doing everything that is due until it is quiet: for tests, and for the trial, whose clock walks from one due time to
//! the next so that nothing looks late.

use std::{sync::Arc, time::Duration};

use domain::Timestamp;
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;
use workflow::{Error, Result};

use super::{WORK, Worker, queue, recorder::Recorder};

/// How far the clock walks at a time while a lane is leased to somebody who is gone.
const LEASED: chrono::Duration = chrono::Duration::seconds(1);

impl Worker {
    /// Does what is due, what comes due at the same instant by it included, and returns when nothing is due. What comes
    /// round by itself is left out. The worker's own loop waits meanwhile. Gives how many pieces of work were done.
    ///
    /// Dropped, it ends like a process that is killed: what was under way is due again when its leases end.
    pub async fn drain(&self) -> Result<usize> {
        let _turn = Arc::clone(&self.inner.turn).write_owned().await;
        self.drain_alone().await
    }

    /// Walks the clock to `to`: next due time, drain, next. `moved` hears every instant before the work at it begins;
    /// `pace` is how long it waits at each for a target whose own time does not walk along.
    pub async fn walk(
        &self,
        to: Timestamp,
        pace: Duration,
        moved: &(dyn Fn(Timestamp) + Send + Sync),
    ) -> Result<()> {
        let _turn = Arc::clone(&self.inner.turn).write_owned().await;
        let clock = self.inner.workflow.clock();
        loop {
            self.drain_alone().await?;
            let due = self
                .inner
                .workflow
                .store()
                .read()
                .await?
                .next_due(&WORK)
                .await?;
            let now = clock.now();
            let next = match due {
                // Due, and yet not done: its lane is still leased to a worker that is gone.
                Some(due) if due <= now => (now + LEASED).min(to),
                due => due.map_or(to, |due| due.min(to)),
            };
            let last = due.is_none_or(|due| due > to) || now >= to;
            clock.move_to(next);
            moved(next);
            if last {
                return self.drain_alone().await.map(drop);
            }
            if !pace.is_zero() {
                tokio::time::sleep(pace).await;
            }
        }
    }

    async fn drain_alone(&self) -> Result<usize> {
        let (recorder, recording) =
            Recorder::new(self.inner.workflow.clone(), self.inner.seams.clone());
        let recording = AbortOnDropHandle::new(tokio::spawn(recording));
        let mut done = 0;
        loop {
            let mut claimed = queue::claim_work(&self.inner).await?;
            let mut taken = std::mem::take(&mut claimed.ready);
            taken.extend(queue::lanes(&self.inner, claimed).await?);
            if taken.is_empty() {
                break;
            }
            done += taken.len();
            let mut tasks = JoinSet::new();
            for work in taken {
                if self.inner.options.calls_per_target == 1 {
                    // One thing after another, so that a seed gives the same run every time.
                    work.run(Arc::clone(&self.inner), recorder.clone()).await;
                } else {
                    tasks.spawn(work.run(Arc::clone(&self.inner), recorder.clone()));
                }
            }
            while let Some(ended) = tasks.join_next().await {
                ended.map_err(|error| Error::internal(error.to_string()))?;
            }
        }
        drop(recorder);
        drop(recording.await);
        Ok(done)
    }
}
