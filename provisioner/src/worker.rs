//! The worker: takes due jobs from the one queue and does them, removals first.
//!
//! It sleeps until the earliest job falls due, is woken when an earlier one is written, and looks by itself every few
//! seconds, for waking is a hint and the database the truth. Several workers on one PostgreSQL share the queue; leases
//! and attempts keep them apart. It never waits on a job: what must happen later is a due time.

mod gates;
mod lane;
mod post;
mod queue;
mod recorder;
mod scan;
mod walk;

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::deadline::JobKind;
use store::assignments::TargetRow;
use tokio::{sync::RwLock, task::JoinSet};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use workflow::{Result, Workflow, traffic};

use self::{gates::Gates, recorder::Recorder};
use crate::{
    chat::{NoChat, Poster},
    connector::Connector,
    mailer::{Mailer, NoMail},
};

/// What a person may wait for: ends, starts, provisioning, mail.
pub const WORK: [JobKind; 25] = [
    JobKind::GrantEnd,
    JobKind::Leave,
    JobKind::GrantStart,
    JobKind::GrantWarning,
    JobKind::LineLapse,
    JobKind::Digest,
    JobKind::ExceptionEnd,
    JobKind::ExceptionWarning,
    JobKind::Attestation,
    JobKind::ReviewEnforce,
    JobKind::ReviewClose,
    JobKind::ReviewReminder,
    JobKind::ReviewRepeat,
    JobKind::ReviewEvent,
    JobKind::ReviewLate,
    JobKind::ConflictScan,
    JobKind::Deputy,
    JobKind::StageSilence,
    JobKind::StageEscalation,
    JobKind::StageReminder,
    JobKind::Task,
    JobKind::Converge,
    JobKind::Mail,
    JobKind::Post,
    JobKind::TargetScan,
];

/// What comes round by itself.
pub const RECURRING: [JobKind; 4] = [
    JobKind::DirectorySync,
    JobKind::Sweep,
    JobKind::Checkpoint,
    JobKind::Housekeeping,
];

/// How a worker works.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Calls at once to one target.
    pub calls_per_target: usize,
    /// How long a claimed job is ours.
    pub lease: Duration,
    /// How often the queue is looked at when nothing wakes the worker.
    pub poll: Duration,
    /// How long work under way may take to end when the worker is stopped.
    pub grace: Duration,
    /// How long handing over one mail may take. Ends before the lease does.
    pub letter: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            calls_per_target: 16,
            lease: Duration::from_mins(2),
            poll: Duration::from_secs(5),
            grace: Duration::from_secs(25),
            letter: Duration::from_mins(1),
        }
    }
}

/// Work that comes round by itself: reading the directory, checkpoints, housekeeping.
#[async_trait]
pub trait Recurring: Send + Sync + fmt::Debug {
    /// Does it once. An error is kept with the job and shown; the next round comes all the same.
    async fn run(&self) -> std::result::Result<(), String>;
}

/// Where a test may end the process: between any two effects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Jobs were claimed.
    Claimed,
    /// A call is about to be sent.
    Calling,
    /// A call returned.
    Called,
    /// A report is about to be committed.
    Recording,
    /// A report was committed; the lane does not know yet.
    Recorded,
}

/// A test's hand on a worker.
pub trait Seam: Send + Sync + fmt::Debug {
    /// Whether the worker goes no further than here.
    fn stops(&self, moment: Moment) -> bool;
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Seams(Option<Arc<dyn Seam>>);

impl Seams {
    /// Goes on, or never returns.
    pub async fn pass(&self, moment: Moment) {
        if self.0.as_ref().is_some_and(|seam| seam.stops(moment)) {
            std::future::pending::<()>().await;
        }
    }
}

#[derive(Debug)]
pub(crate) struct Inner {
    workflow: Workflow,
    /// By the target's kind.
    connectors: BTreeMap<String, Arc<dyn Connector>>,
    /// By the target's key.
    targets: BTreeMap<String, Arc<dyn Connector>>,
    mailer: Arc<dyn Mailer>,
    poster: Arc<dyn Poster>,
    recurring: BTreeMap<JobKind, (Duration, Arc<dyn Recurring>)>,
    options: Options,
    seams: Seams,
    gates: Arc<Gates>,
    id: Uuid,
    /// Held shared by work under way, and alone by whoever moves the clock.
    turn: Arc<RwLock<()>>,
}

impl Inner {
    /// The hands at a target: its own, or those of its kind.
    fn connector(&self, target: &TargetRow) -> Option<&Arc<dyn Connector>> {
        let own = self.targets.get(&target.key);
        own.or_else(|| self.connectors.get(&target.kind))
    }
}

/// Takes due jobs and does them. Cheap to clone; the clones are one worker.
#[derive(Clone, Debug)]
pub struct Worker {
    inner: Arc<Inner>,
}

/// Puts a worker together.
#[derive(Debug)]
pub struct Builder {
    inner: Inner,
}

impl Worker {
    /// Begins with a worker that has no connectors, sends no mail, and has nothing that recurs but the sweep.
    pub fn builder(workflow: Workflow, options: Options) -> Builder {
        let id = workflow.ids().new_id(workflow.clock().system_now());
        let sweep = Arc::new(Sweep(workflow.clone()));
        Builder {
            inner: Inner {
                workflow,
                connectors: BTreeMap::new(),
                targets: BTreeMap::new(),
                mailer: Arc::new(NoMail),
                poster: Arc::new(NoChat),
                recurring: BTreeMap::from([(
                    JobKind::Sweep,
                    (Duration::from_mins(1), sweep as Arc<dyn Recurring>),
                )]),
                options,
                seams: Seams::default(),
                gates: Arc::new(Gates::new(options.calls_per_target)),
                id,
                turn: Arc::default(),
            },
        }
    }

    /// Works until `stop`, then lets what is under way end, for at most the grace. What is left is due again when its
    /// lease ends.
    pub async fn run(&self, stop: CancellationToken) -> Result<()> {
        queue::begin(&self.inner).await?;
        let ears = [
            tokio::spawn(queue::listen(self.inner.workflow.clone(), stop.clone())),
            tokio::spawn(queue::watch(Arc::clone(&self.inner), stop.clone())),
        ];
        let (recorder, recording) =
            Recorder::new(self.inner.workflow.clone(), self.inner.seams.clone());
        let recording = tokio::spawn(recording);
        let mut tasks = JoinSet::new();
        let mut room = queue::Room::default();
        while !stop.is_cancelled() {
            let taken = match self.take(&mut tasks, &mut room, &recorder).await {
                Ok(taken) => taken,
                Err(error) => {
                    tracing::error!(%error, "the queue could not be read; it is tried again");
                    0
                }
            };
            if taken == 0 {
                self.wait(&mut tasks, &mut room, &stop).await;
            }
            while let Some(done) = tasks.try_join_next() {
                room.done(done);
            }
        }
        let ended = tokio::time::timeout(self.inner.options.grace, async {
            while let Some(done) = tasks.join_next().await {
                room.done(done);
            }
        });
        if ended.await.is_err() {
            tracing::warn!(
                tasks = tasks.len(),
                "work under way was left; it is due again when its leases end"
            );
        }
        tasks.abort_all();
        drop(recorder);
        drop(recording.await);
        for ear in ears {
            ear.abort();
        }
        Ok(())
    }

    /// Claims what is due and starts it, each with a share of the turn.
    async fn take(
        &self,
        tasks: &mut JoinSet<queue::Done>,
        room: &mut queue::Room,
        recorder: &Recorder,
    ) -> Result<usize> {
        let turn = Arc::new(Arc::clone(&self.inner.turn).read_owned().await);
        let due = queue::due(&self.inner, room).await?;
        if due.is_empty() {
            return Ok(0);
        }
        let mut claimed = queue::claim(&self.inner, room, &due).await?;
        let mut count = 0;
        let mut start = |taken: Vec<queue::Work>| {
            count += taken.len();
            for work in taken {
                room.took(&work);
                let (inner, recorder, turn) =
                    (Arc::clone(&self.inner), recorder.clone(), Arc::clone(&turn));
                tasks.spawn(async move {
                    let done = work.run(inner, recorder).await;
                    drop(turn);
                    done
                });
            }
        };
        // Ends above all: they do not wait for what the others need to be read.
        start(std::mem::take(&mut claimed.ready));
        start(queue::lanes(&self.inner, claimed).await?);
        Ok(count)
    }

    async fn wait(
        &self,
        tasks: &mut JoinSet<queue::Done>,
        room: &mut queue::Room,
        stop: &CancellationToken,
    ) {
        let sleep = queue::sleep(&self.inner, room).await;
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.inner.workflow.hub().woken() => {}
            () = tokio::time::sleep(sleep) => {}
            Some(done) = tasks.join_next(), if !tasks.is_empty() => room.done(done),
        }
    }
}

impl Builder {
    /// The hands at every target of a kind (`graph`) that has none of its own.
    #[must_use]
    pub fn connector(mut self, kind: &str, connector: Arc<dyn Connector>) -> Self {
        self.inner.connectors.insert(kind.to_owned(), connector);
        self
    }

    /// The hands at the one target with this key.
    #[must_use]
    pub fn target(mut self, key: &str, connector: Arc<dyn Connector>) -> Self {
        self.inner.targets.insert(key.to_owned(), connector);
        self
    }

    /// The way out for mails.
    #[must_use]
    pub fn mailer(mut self, mailer: Arc<dyn Mailer>) -> Self {
        self.inner.mailer = mailer;
        self
    }

    /// The way out for posts.
    #[must_use]
    pub fn poster(mut self, poster: Arc<dyn Poster>) -> Self {
        self.inner.poster = poster;
        self
    }

    /// Work that comes round by itself.
    #[must_use]
    pub fn every(mut self, kind: JobKind, every: Duration, work: Arc<dyn Recurring>) -> Self {
        self.inner.recurring.insert(kind, (every, work));
        self
    }

    /// A test's hand on the worker.
    #[must_use]
    pub fn seam(mut self, seam: Arc<dyn Seam>) -> Self {
        self.inner.seams = Seams(Some(seam));
        self
    }

    /// The worker.
    pub fn build(self) -> Worker {
        let gates: Arc<Gates> = Arc::clone(&self.inner.gates);
        traffic::count(&self.inner.workflow, gates);
        Worker {
            inner: Arc::new(self.inner),
        }
    }
}

/// Enqueues unsettled assignments that no job works on.
#[derive(Debug)]
struct Sweep(Workflow);

#[async_trait]
impl Recurring for Sweep {
    async fn run(&self) -> std::result::Result<(), String> {
        match workflow::assignments::sweep(&self.0).await {
            Ok(0) => Ok(()),
            Ok(found) => {
                tracing::warn!(found, "unsettled assignments had no job; they have one now");
                Ok(())
            }
            Err(error) => Err(error.to_string()),
        }
    }
}
