//! From the queue to work: what is due, what of it there is room for, and which work it makes.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use domain::{Timestamp, deadline::JobKind};
use store::{
    Engine,
    jobs::{Job, NewJob, Priority, PutBack},
};
use tokio::{
    sync::broadcast::error::RecvError,
    task::JoinError,
    time::{Instant, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;
use workflow::{Result, Workflow};

use super::{
    Inner, Moment, RECURRING, WORK,
    lane::{self, Item, Lane},
    post,
    recorder::Recorder,
    scan,
};

/// At most so many jobs are claimed together.
const BATCH: usize = 500;

/// At most so many mails are on their way at once.
const MAILS: usize = 8;

/// At most so many converge jobs are under way, waiting for their lane's turn included.
const CONVERGING: usize = 1000;

/// At most so many targets are scanned at once.
const SCANS: usize = 2;

/// So many additions are claimed for each call that a target takes at once.
const LANES_AHEAD: usize = 4;

/// Deadlines take a moment: an end that a dead process had claimed must not wait for the lease of a slow call.
const DEADLINE_LEASE: Duration = Duration::from_secs(15);

/// A deadline that could not be worked is tried again after so long.
const DEADLINE_AGAIN: chrono::Duration = chrono::Duration::seconds(5);

/// How often the targets are read while calls wait for them, and how often at most.
const GATES_EVERY: Duration = Duration::from_secs(1);
const GATES_NOT_WITHIN: Duration = Duration::from_millis(100);

/// Assignments whose rows could not be read are tried again after so long.
const READ_AGAIN: chrono::Duration = chrono::Duration::seconds(1);

const DEADLINES: [JobKind; 21] = [
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
];
const CONVERGE: [JobKind; 1] = [JobKind::Converge];
const MAIL: [JobKind; 2] = [JobKind::Mail, JobKind::Post];
const SCAN: [JobKind; 1] = [JobKind::TargetScan];

/// What is under way.
#[derive(Debug, Default)]
pub(super) struct Room {
    deadlines: usize,
    converging: usize,
    mails: usize,
    scans: usize,
    recurring: usize,
}

/// What a task was, for giving its room back.
#[derive(Clone, Copy, Debug)]
pub(super) enum Done {
    Deadlines,
    Converging(usize),
    Mail,
    Scan,
    Recurring,
}

/// One task's work.
#[derive(Debug)]
pub(super) enum Work {
    /// Deadlines, together in one or a few transactions.
    Deadlines(Vec<Job>),
    /// One lane.
    Lane(Lane),
    /// One mail or post, and when its lease was taken.
    Mail(Job, Instant),
    /// The scan of one target, and when its lease was taken.
    Scan(Job, Instant),
    /// One thing that comes round.
    Recurring(Job),
}

/// Kinds of work that share their room, with how much of it there is.
type Share = (&'static [JobKind], usize);

impl Room {
    /// What there is room for, by kinds, at a priority. Additions wait in the queue rather than in front of a target, so
    /// that a removal which comes due never stands behind many of them.
    fn shares(&self, priority: Priority, calls: usize) -> [Share; 5] {
        let converging = match priority {
            Priority::Removal => CONVERGING,
            Priority::Normal | Priority::Low | Priority::Background => calls * LANES_AHEAD,
        };
        [
            (&DEADLINES, if self.deadlines == 0 { BATCH } else { 0 }),
            (&CONVERGE, converging.saturating_sub(self.converging)),
            (&MAIL, MAILS.saturating_sub(self.mails)),
            (&SCAN, SCANS.saturating_sub(self.scans)),
            (&RECURRING, RECURRING.len().saturating_sub(self.recurring)),
        ]
    }

    /// The kinds that there is room for at some priority.
    fn kinds(&self, calls: usize) -> Vec<JobKind> {
        self.shares(Priority::Removal, calls)
            .into_iter()
            .filter(|(_, room)| *room > 0)
            .flat_map(|(kinds, _)| kinds.iter().copied())
            .collect()
    }

    pub fn took(&mut self, work: &Work) {
        match work {
            Work::Deadlines(_) => self.deadlines += 1,
            Work::Lane(lane) => self.converging += lane.items.len(),
            Work::Mail(..) => self.mails += 1,
            Work::Scan(..) => self.scans += 1,
            Work::Recurring(_) => self.recurring += 1,
        }
    }

    pub fn done(&mut self, done: std::result::Result<Done, JoinError>) {
        match done {
            Ok(Done::Deadlines) => self.deadlines = self.deadlines.saturating_sub(1),
            Ok(Done::Converging(jobs)) => self.converging = self.converging.saturating_sub(jobs),
            Ok(Done::Mail) => self.mails = self.mails.saturating_sub(1),
            Ok(Done::Scan) => self.scans = self.scans.saturating_sub(1),
            Ok(Done::Recurring) => self.recurring = self.recurring.saturating_sub(1),
            Err(error) => {
                // Which it was is not known any more; all room is given back. Its jobs are due again when their leases end.
                tracing::error!(%error, "a task of the worker ended badly");
                *self = Self::default();
            }
        }
    }
}

impl Work {
    pub async fn run(self, inner: Arc<Inner>, recorder: Recorder) -> Done {
        match self {
            Self::Deadlines(jobs) => {
                deadlines(&inner, jobs).await;
                Done::Deadlines
            }
            Self::Lane(lane) => {
                let jobs = lane.items.len();
                lane::work(inner, recorder, lane).await;
                Done::Converging(jobs)
            }
            Self::Mail(job, since) => {
                post::send(inner, job, since).await;
                Done::Mail
            }
            Self::Scan(job, since) => {
                scan::work(inner, job, since).await;
                Done::Scan
            }
            Self::Recurring(job) => {
                recur(&inner, &job).await;
                Done::Recurring
            }
        }
    }
}

/// At start: leases of a process that is gone run out at once where there is one process only, and what comes round is
/// in the queue.
pub(super) async fn begin(inner: &Inner) -> Result<()> {
    let mut unit = inner.workflow.unit().await?;
    let now = unit.now;
    if inner.workflow.store().engine() == Engine::Sqlite {
        unit.tx.drop_all_leases(now).await?;
    }
    let jobs: Vec<NewJob> = inner
        .recurring
        .keys()
        .map(|kind| NewJob {
            key: kind.to_string(),
            kind: *kind,
            subject: None,
            lane: None,
            priority: Priority::Background,
            due_at: now,
        })
        .collect();
    unit.enqueue(&jobs);
    unit.commit().await
}

/// Passes on what other replicas say.
pub(super) async fn listen(workflow: Workflow, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match workflow.store().listen().await {
            Ok(None) => return,
            Ok(Some(mut listener)) => {
                while let Ok(text) = tokio::select! {
                    () = stop.cancelled() => return,
                    heard = listener.next() => heard,
                } {
                    for topic in text.split_whitespace() {
                        workflow.hub().changed(topic);
                    }
                    workflow.hub().wake();
                }
            }
            Err(error) => {
                tracing::warn!(%error, "other replicas cannot be heard; the queue is polled");
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(2)) => {}
        }
    }
}

/// Takes over what operators and other replicas say of the targets while calls wait: a hold counts from the next call on,
/// not from the next claim.
pub(super) async fn watch(inner: Arc<Inner>, stop: CancellationToken) {
    let mut changes = inner.workflow.hub().listen();
    let mut round = tokio::time::interval(GATES_EVERY);
    round.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let heard = tokio::select! {
            () = stop.cancelled() => return,
            _ = round.tick() => true,
            heard = changes.recv() => match heard {
                Ok(topic) => matches!(&*topic, "provisioning" | "*"),
                Err(RecvError::Lagged(_)) => true,
                Err(RecvError::Closed) => return,
            },
        };
        if !heard || inner.gates.idle() {
            continue;
        }
        let targets = async { inner.workflow.store().read().await?.targets().await };
        match targets.await {
            Ok(targets) => inner.gates.learn(&targets),
            Err(error) => {
                tracing::warn!(%error, "the targets could not be read; they are read again");
            }
        }
        // Every answer of a target is such a change: not for each of them.
        tokio::time::sleep(GATES_NOT_WITHIN).await;
    }
}

/// The priorities at which something is due that there may be room for; asked without the writer's lock.
pub(super) async fn due(inner: &Inner, room: &Room) -> Result<Vec<Priority>> {
    due_of(inner, &room.kinds(inner.options.calls_per_target)).await
}

async fn due_of(inner: &Inner, kinds: &[JobKind]) -> Result<Vec<Priority>> {
    let mut tx = inner.workflow.store().read().await?;
    let dues = tx.next_due_of_each(kinds).await?;
    let now = inner.workflow.clock().now();
    Ok(dues
        .into_iter()
        .filter(|(_, due)| *due <= now)
        .map(|(priority, _)| priority)
        .collect())
}

async fn next_due(inner: &Inner, room: &Room) -> Result<Option<Timestamp>> {
    let kinds = room.kinds(inner.options.calls_per_target);
    Ok(inner
        .workflow
        .store()
        .read()
        .await?
        .next_due(&kinds)
        .await?)
}

/// How long there is nothing to do, at most the poll, spread so that replicas do not poll together.
pub(super) async fn sleep(inner: &Inner, room: &Room) -> Duration {
    let poll = inner
        .options
        .poll
        .mul_f64(0.75 + 0.5 * inner.workflow.ids().jitter());
    let Ok(Some(due)) = next_due(inner, room).await else {
        return poll;
    };
    let ahead = (due - inner.workflow.clock().now())
        .to_std()
        .unwrap_or_default();
    // Due, but its lane or another replica has it, or there is no room: soon again.
    let least = if ahead.is_zero() { 100 } else { 1 };
    ahead.max(Duration::from_millis(least)).min(poll)
}

/// What was claimed together. What needs no further reading is ready to begin.
#[derive(Debug)]
pub(super) struct Claimed {
    pub ready: Vec<Work>,
    converge: Vec<Job>,
    since: Instant,
}

/// Claims what is due at these priorities, removals first, as far as there is room.
pub(super) async fn claim(inner: &Inner, room: &Room, due: &[Priority]) -> Result<Claimed> {
    let calls = inner.options.calls_per_target;
    claim_shares(inner, due, |priority| room.shares(priority, calls)).await
}

/// As [`claim`], without what comes round by itself, and as if there was room for everything.
pub(super) async fn claim_work(inner: &Inner) -> Result<Claimed> {
    let due = due_of(inner, &WORK).await?;
    claim_shares(inner, &due, |_| {
        [
            (&DEADLINES[..], BATCH),
            (&CONVERGE, BATCH),
            (&MAIL, BATCH),
            (&SCAN, BATCH),
        ]
    })
    .await
}

async fn claim_shares<const N: usize>(
    inner: &Inner,
    due: &[Priority],
    shares: impl Fn(Priority) -> [Share; N],
) -> Result<Claimed> {
    let since = Instant::now();
    let mut jobs = Vec::new();
    if due
        .iter()
        .any(|priority| shares(*priority).iter().any(|(_, room)| *room > 0))
    {
        let now = inner.workflow.clock().now();
        let mut tx = inner.workflow.store().begin().await?;
        for &priority in due {
            for (kinds, room) in shares(priority) {
                let limit = room.min(BATCH - jobs.len());
                if limit == 0 {
                    continue;
                }
                let lease = if kinds == DEADLINES {
                    inner.options.lease.min(DEADLINE_LEASE)
                } else {
                    inner.options.lease
                };
                let until =
                    now + chrono::Duration::from_std(lease).unwrap_or(chrono::Duration::MAX);
                let limit = i64::try_from(limit).unwrap_or(i64::MAX);
                jobs.extend(
                    tx.claim_jobs(priority, kinds, now, until, inner.id, limit)
                        .await?,
                );
            }
        }
        tx.commit().await?;
        inner.seams.pass(Moment::Claimed).await;
    }
    Ok(sort(jobs, since))
}

fn sort(jobs: Vec<Job>, since: Instant) -> Claimed {
    let (mut deadlines, mut converge, mut ready) = (Vec::new(), Vec::new(), Vec::new());
    for job in jobs {
        match job.kind {
            JobKind::GrantStart
            | JobKind::GrantEnd
            | JobKind::GrantWarning
            | JobKind::Leave
            | JobKind::LineLapse
            | JobKind::Digest
            | JobKind::ExceptionEnd
            | JobKind::ExceptionWarning
            | JobKind::Attestation
            | JobKind::ReviewEnforce
            | JobKind::ReviewClose
            | JobKind::ReviewReminder
            | JobKind::ReviewRepeat
            | JobKind::ReviewEvent
            | JobKind::ReviewLate
            | JobKind::ConflictScan
            | JobKind::Deputy
            | JobKind::StageSilence
            | JobKind::StageEscalation
            | JobKind::StageReminder
            | JobKind::Task => deadlines.push(job),
            JobKind::Converge => converge.push(job),
            JobKind::Mail | JobKind::Post => ready.push(Work::Mail(job, since)),
            JobKind::TargetScan => ready.push(Work::Scan(job, since)),
            JobKind::DirectorySync
            | JobKind::Sweep
            | JobKind::Checkpoint
            | JobKind::Housekeeping => {
                ready.push(Work::Recurring(job));
            }
        }
    }
    if !deadlines.is_empty() {
        // Ends before starts: what must go, goes first.
        deadlines.sort_by(|one, two| {
            (one.kind != JobKind::GrantEnd, &one.key)
                .cmp(&(two.kind != JobKind::GrantEnd, &two.key))
        });
        ready.insert(0, Work::Deadlines(deadlines));
    }
    Claimed {
        ready,
        converge,
        since,
    }
}

/// Makes the claimed assignments into lanes. If what they need cannot be read they are put back, not left to their leases.
pub(super) async fn lanes(inner: &Inner, claimed: Claimed) -> Result<Vec<Work>> {
    let Claimed {
        converge, since, ..
    } = claimed;
    match read_lanes(inner, converge.clone(), since).await {
        Err(error) => {
            let now = inner.workflow.clock().now();
            let back: Vec<PutBack> = converge
                .into_iter()
                .map(|job| PutBack {
                    job,
                    due: now + READ_AGAIN,
                    problem: Some(error.to_string()),
                    priority: None,
                })
                .collect();
            let mut tx = inner.workflow.store().begin().await?;
            tx.put_back_jobs(&back, now).await?;
            tx.commit().await?;
            Err(error)
        }
        lanes => lanes,
    }
}

/// Reads what the claimed assignments need in one go and sorts them into lanes.
async fn read_lanes(inner: &Inner, mut jobs: Vec<Job>, since: Instant) -> Result<Vec<Work>> {
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    jobs.sort_by(|one, two| one.key.cmp(&two.key));
    let ids: Vec<_> = jobs
        .iter()
        .filter_map(|job| job.subject)
        .map(Into::into)
        .collect();
    let mut tx = inner.workflow.store().read().await?;
    let mut rows: BTreeMap<_, _> = tx
        .assignments(&ids)
        .await?
        .into_iter()
        .map(|row| (row.id.0, row))
        .collect();
    let mut places: BTreeMap<_, _> = tx
        .places(&ids)
        .await?
        .into_iter()
        .map(|place| (place.id.0, place))
        .collect();
    let targets = tx.targets().await?;
    drop(tx);
    inner.gates.learn(&targets);
    let mut lanes: BTreeMap<String, Lane> = BTreeMap::new();
    let mut orphans = Vec::new();
    for job in jobs {
        let found = job
            .subject
            .and_then(|id| rows.remove(&id).zip(places.remove(&id)));
        let Some((row, place)) = found else {
            orphans.push(job);
            continue;
        };
        let connector = targets
            .iter()
            .find(|target| target.id == row.target_id)
            .and_then(|target| inner.connector(target))
            .map(Arc::clone);
        lanes
            .entry(row.lane.clone())
            .or_insert_with(|| Lane {
                key: row.lane.clone(),
                items: Vec::new(),
                connector,
                since,
            })
            .items
            .push(Item { job, row, place });
    }
    for lane in lanes.values_mut() {
        // Within a lane, too, what must go goes first.
        lane.items.sort_by_key(|item| item.row.desired);
    }
    if !orphans.is_empty() {
        let mut tx = inner.workflow.store().begin().await?;
        tx.finish_jobs(&orphans, inner.workflow.clock().now())
            .await?;
        tx.commit().await?;
    }
    let mut lanes: Vec<Lane> = lanes.into_values().collect();
    lanes.sort_by_key(|lane| lane.items.iter().all(|item| item.row.desired));
    Ok(lanes.into_iter().map(Work::Lane).collect())
}

async fn deadlines(inner: &Inner, jobs: Vec<Job>) {
    let Err(error) = workflow::deadlines::run(&inner.workflow, &jobs).await else {
        return;
    };
    if jobs.len() == 1 {
        tracing::error!(%error, job = jobs[0].key, "a deadline could not be worked; it is tried again");
        let due = inner.workflow.clock().now() + DEADLINE_AGAIN;
        put_back(inner, &jobs[0], due, Some(&error.to_string())).await;
        return;
    }
    // One of them is in the way: the others must not wait for it.
    tracing::warn!(%error, deadlines = jobs.len(), "deadlines are worked one by one");
    for job in jobs {
        if let Err(error) =
            workflow::deadlines::run(&inner.workflow, std::slice::from_ref(&job)).await
        {
            tracing::error!(%error, job = job.key, "a deadline could not be worked; it is tried again");
            let due = inner.workflow.clock().now() + DEADLINE_AGAIN;
            put_back(inner, &job, due, Some(&error.to_string())).await;
        }
    }
}

async fn recur(inner: &Inner, job: &Job) {
    let Some((every, work)) = inner.recurring.get(&job.kind) else {
        // Another replica does it.
        let later = inner.workflow.clock().now() + chrono::Duration::minutes(5);
        put_back(inner, job, later, None).await;
        return;
    };
    let problem = work.run().await.err();
    if let Some(problem) = &problem {
        tracing::error!(
            job = job.key,
            problem,
            "recurring work failed; it comes round again"
        );
    }
    let every = chrono::Duration::from_std(*every).unwrap_or(chrono::Duration::days(1));
    put_back(
        inner,
        job,
        inner.workflow.clock().now() + every,
        problem.as_deref(),
    )
    .await;
}

async fn put_back(inner: &Inner, job: &Job, due: Timestamp, problem: Option<&str>) {
    let put = async {
        let mut tx = inner.workflow.store().begin().await?;
        tx.release_job(job, due, problem).await?;
        tx.commit().await
    };
    if let Err(error) = put.await {
        tracing::error!(job = job.key, %error, "a job could not be put back; it is due again when its lease ends");
    }
}
