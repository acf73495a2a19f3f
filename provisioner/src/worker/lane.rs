//! One lane: the writes to one object at a target, one after another.

use std::{sync::Arc, time::Duration};

use domain::{Timestamp, assignment::Step};
use store::{
    assignments::{AssignmentRow, PlaceRow},
    jobs::Job,
};
use tokio::time::Instant;
use workflow::assignments::{Call, Evidence, Failure, News, Next, Outcome, Report, step};

use super::{Inner, Moment, gates::patience, recorder::Recorder};
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
    pub items: Vec<Item>,
    /// The connector of its target; none if this process has none.
    pub connector: Option<Arc<dyn Connector>>,
    /// When the lease was taken, by the clock that never jumps.
    pub since: Instant,
}

/// Goes round so often under one lease before the job is put back for another.
const TURNS: usize = 12;

/// Works the lane's jobs in order.
pub(super) async fn work(inner: Arc<Inner>, recorder: Recorder, lane: Lane) {
    let _busy = recorder.busy();
    for item in &lane.items {
        converge(&inner, &recorder, &lane, item).await;
    }
}

async fn converge(inner: &Inner, recorder: &Recorder, lane: &Lane, item: &Item) {
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
    for _ in 0..TURNS {
        let (call, until) = match next {
            Next::Rest | Next::Lost => return,
            Next::Read => (Call::Read, None),
            Next::Write { call, until } => (call, until),
        };
        let longest = lane
            .connector
            .as_ref()
            .map_or(Duration::ZERO, |connector| patience(connector.longest()));
        let pass = inner.gates.pass(target).await;
        let now = clock.now();
        // Checked directly before sending, by the clock that never jumps: the call must end before the lease does.
        if lane.since.elapsed() + longest >= inner.options.lease {
            drop(pass);
            report(inner, recorder, item, News::Blocked(now), None).await;
            return;
        }
        if let Some(closed) = inner.gates.closed_until(target, now) {
            drop(pass);
            report(inner, recorder, item, News::Blocked(closed), None).await;
            return;
        }
        if until.is_some_and(|until| now >= until) {
            // The grant ended a moment ago: what to do is asked anew.
            drop(pass);
            next = report(inner, recorder, item, News::Begun, None).await;
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
    }
    report(inner, recorder, item, News::Blocked(clock.now()), None).await;
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
