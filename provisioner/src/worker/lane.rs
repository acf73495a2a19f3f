//! One lane: the writes to one object at a target, one after another.

use std::{pin::pin, sync::Arc, time::Duration};

use domain::{Timestamp, assignment::Step};
use store::{
    assignments::{AssignmentRow, PlaceRow},
    jobs::{Job, PutBack},
};
use tokio::time::Instant;
use workflow::assignments::{Call, Evidence, Failure, News, Next, Outcome, Report, step};

use super::{
    Inner, Moment,
    gates::{Pass, patience},
    recorder::Recorder,
};
use crate::connector::{Connector, Reply};

/// One job of a lane with what was read of it at the claim.
#[derive(Debug)]
pub(super) struct Item {
    pub job: Job,
    pub row: AssignmentRow,
    pub place: PlaceRow,
}

/// One lane's jobs, claimed together.
#[derive(Debug)]
pub(super) struct Lane {
    /// The object that the writes lock.
    pub key: String,
    pub items: Vec<Item>,
    /// The connector of its target; none if this process has none.
    pub connector: Option<Arc<dyn Connector>>,
    /// When the lease was taken, by the clock that never jumps.
    pub since: Instant,
}

/// Goes round so often under one lease before the job is put back for another.
const TURNS: usize = 12;

/// A lane at work on additions looks so often whether a removal waits for it.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// A write that waited for its turn longer than this is noted anew before it is sent.
const NOTED_ANEW_AFTER: Duration = Duration::from_secs(1);

/// Works the lane's jobs in order. Additions give way to a removal that falls due on the same object.
pub(super) async fn work(inner: Arc<Inner>, recorder: Recorder, lane: Lane) {
    let _busy = recorder.busy();
    let mut looked = lane.since;
    for (index, item) in lane.items.iter().enumerate() {
        if item.row.desired && looked.elapsed() >= LOOK_EVERY {
            looked = Instant::now();
            if removal_waits(&inner, &lane).await {
                give_way(&inner, &lane.items[index..]).await;
                return;
            }
        }
        if let Way::GiveWay = converge(&inner, &recorder, &lane, item).await {
            give_way(&inner, &lane.items[index + 1..]).await;
            return;
        }
    }
}

/// Whether a lane goes on with its next item.
enum Way {
    GoOn,
    GiveWay,
}

async fn removal_waits(inner: &Inner, lane: &Lane) -> bool {
    let waits = async {
        let mut tx = inner.workflow.store().read().await?;
        tx.removal_waits(&lane.key, inner.workflow.clock().now())
            .await
    };
    waits.await.unwrap_or_else(|error| {
        tracing::warn!(%error, lane = lane.key, "whether a removal waits could not be read");
        false
    })
}

/// Puts additions back, so that the lane is free for a removal; they follow it.
async fn give_way(inner: &Inner, items: &[Item]) {
    let now = inner.workflow.clock().now();
    let back: Vec<PutBack> = items
        .iter()
        .map(|item| PutBack {
            job: item.job.clone(),
            due: now,
            problem: None,
            priority: None,
        })
        .collect();
    let put = async {
        let mut tx = inner.workflow.store().begin().await?;
        tx.put_back_jobs(&back, now).await?;
        tx.commit().await
    };
    match put.await {
        Ok(()) => inner.workflow.hub().wake(),
        Err(error) => {
            tracing::error!(%error, jobs = back.len(), "jobs could not be put back; they are due again when their lease ends");
        }
    }
}

async fn converge(inner: &Inner, recorder: &Recorder, lane: &Lane, item: &Item) -> Way {
    let clock = inner.workflow.clock();
    let target = item.row.target_id;
    let mut next = if step(&item.row) == Step::Read
        && inner.gates.closed_until(target, clock.now()).is_none()
    {
        Next::Read
    } else if let Some(until) = inner.gates.closed_until(target, clock.now()) {
        report(inner, recorder, item, News::Blocked(until), None).await
    } else {
        report(inner, recorder, item, News::Begun, None).await
    };
    let mut answered = Instant::now();
    let longest = lane
        .connector
        .as_ref()
        .map_or(Duration::ZERO, |connector| patience(connector.longest()));
    for _ in 0..TURNS {
        if matches!(next, Next::Rest | Next::Lost) {
            return Way::GoOn;
        }
        let Some(pass) = turn(inner, lane, item, next).await else {
            report(inner, recorder, item, News::Blocked(clock.now()), None).await;
            return Way::GiveWay;
        };
        if let Next::Write { call, .. } = next
            && answered.elapsed() > NOTED_ANEW_AFTER
        {
            // Reads are doubted from when a write was noted, so that must not lie long before it is sent. The turn is
            // kept meanwhile.
            next = report(inner, recorder, item, News::Waited(call), None).await;
        }
        let (call, until) = match next {
            Next::Rest | Next::Lost => return Way::GoOn,
            Next::Read => (Call::Read, None),
            Next::Write { call, until } => (call, until),
        };
        let now = clock.now();
        // Checked directly before sending, by the clock that never jumps: the call must end before the lease does.
        if lane.since.elapsed() + longest >= inner.options.lease {
            drop(pass);
            report(inner, recorder, item, News::Blocked(now), None).await;
            return Way::GoOn;
        }
        if let Some(closed) = inner.gates.closed_until(target, now) {
            drop(pass);
            report(inner, recorder, item, News::Blocked(closed), None).await;
            return Way::GoOn;
        }
        if until.is_some_and(|until| now >= until) {
            // The grant ended a moment ago: what to do is asked anew.
            drop(pass);
            next = report(inner, recorder, item, News::Begun, None).await;
            answered = Instant::now();
            continue;
        }
        inner.seams.pass(Moment::Calling).await;
        let reply = match &lane.connector {
            Some(connector) => send(connector.as_ref(), call, &item.place, longest).await,
            None => no_connector(),
        };
        inner.seams.pass(Moment::Called).await;
        drop(pass);
        let not_before = inner.gates.note(target, &reply.outcome, clock.now());
        let news = News::Called {
            call,
            at: now,
            outcome: reply.outcome,
            evidence: reply.evidence,
        };
        next = report(inner, recorder, item, news, not_before).await;
        answered = Instant::now();
    }
    report(inner, recorder, item, News::Blocked(clock.now()), None).await;
    Way::GoOn
}

/// Waits for the item's turn at its target; none if it is an addition and a removal waits for the lane meanwhile.
async fn turn(inner: &Inner, lane: &Lane, item: &Item, next: Next) -> Option<Pass> {
    let removal = !item.row.desired
        || matches!(
            next,
            Next::Write {
                call: Call::Remove,
                ..
            }
        );
    let mut pass = pin!(inner.gates.pass(item.row.target_id, removal));
    loop {
        if let Ok(pass) = tokio::time::timeout(LOOK_EVERY, &mut pass).await {
            return Some(pass);
        }
        if !removal && removal_waits(inner, lane).await {
            return None;
        }
    }
}

async fn report(
    inner: &Inner,
    recorder: &Recorder,
    item: &Item,
    news: News,
    not_before: Option<Timestamp>,
) -> Next {
    let report = Report {
        job: item.job.clone(),
        assignment: item.row.id,
        person: item.row.person_id,
        news,
        not_before,
    };
    let next = recorder.report(report).await;
    tracing::debug!(assignment = %item.row.id, attempt = item.job.attempt, ?next, worker = %inner.id, "assignment moved");
    next
}

async fn send(connector: &dyn Connector, call: Call, place: &PlaceRow, longest: Duration) -> Reply {
    let started = Instant::now();
    let sending = async {
        match call {
            Call::Read => connector.observe(place).await,
            Call::Add => connector.ensure_present(place).await,
            Call::Remove => connector.ensure_absent(place).await,
        }
    };
    let mut reply = tokio::time::timeout(longest, sending)
        .await
        .unwrap_or_else(|_| Reply {
            outcome: Outcome::Failed(Failure::Later {
                after: None,
                throttled: false,
                why: format!("there was no answer within {} seconds", longest.as_secs()),
            }),
            evidence: Evidence {
                detail: "no answer in time".into(),
                ..Evidence::default()
            },
        });
    if reply.evidence.took.is_zero() {
        reply.evidence.took = started.elapsed();
    }
    reply
}

fn no_connector() -> Reply {
    Reply::unasked(
        Outcome::Failed(Failure::Misconfigured {
            what: "This process has no connector for the target.".into(),
            fix: "Set up the target's connection in the configuration and start again.".into(),
            everywhere: false,
        }),
        "no connector",
    )
}
