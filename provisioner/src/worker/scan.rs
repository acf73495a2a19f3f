//! Scans: right after right is listed under one lease, and what the listings come to is handed over; a pass that outlives its
//! lease goes on under the next.

use std::{collections::BTreeSet, sync::Arc};

use domain::{
    AssignmentId, Timestamp,
    assignment::{Observed, backoff},
};
use store::{
    assignments::{PlaceRow, TargetRow},
    jobs::Job,
    scans::ScanRightRow,
};
use tokio::time::Instant;
use workflow::{
    Result,
    assignments::Failure,
    scans::{self, Begun, Holders, Told},
};

use super::{Inner, Moment, gates::patience};
use crate::connector::{Connector, Outcome};

/// A pass is tried again so often where its target does not answer, before it waits for the next one.
const TRIES: i64 = 12;

/// Scans one target as far as a lease lets it. `since` is when the lease was taken.
pub(super) async fn work(inner: Arc<Inner>, job: Job, since: Instant) {
    if let Err(error) = scan(&inner, &job, since).await {
        tracing::error!(job = job.key, %error, "a scan could not go on; it is tried again");
        let due = again(&inner, &job, None);
        if let Err(error) = scans::later(&inner.workflow, &job, due, Some(&error.to_string())).await
        {
            tracing::error!(job = job.key, %error, "a scan could not be put back; it is due again when its lease ends");
        }
    }
}

/// How a right's listing ended, for the pass.
enum Way {
    /// On with the next right.
    GoOn,
    /// The rest under another lease, or by somebody else.
    Pause,
    /// The target does not answer, or lets us read nothing.
    Broken(Failure),
}

async fn scan(inner: &Inner, job: &Job, since: Instant) -> Result<()> {
    let workflow = &inner.workflow;
    let Some((target, connector)) = reach(inner, job).await? else {
        let problem = "This process has no connector for the target. Set up its connection in the configuration and start again.";
        return scans::end(workflow, job, Some(problem)).await;
    };
    let rights = match scans::begin(workflow, job, connector.tenant()).await? {
        Begun::Over => return Ok(()),
        Begun::Later(at) => return scans::later(workflow, job, at, None).await,
        Begun::All => return scans::end(workflow, job, None).await,
        Begun::Rights(rights) => rights,
    };
    for right in rights {
        let way = match inner.gates.closed_until(target.id, workflow.clock().now()) {
            Some(_) => Way::Pause,
            None => one(inner, job, &target, connector.as_ref(), &right, since).await?,
        };
        match way {
            Way::GoOn => {}
            Way::Pause => break,
            Way::Broken(failure) => return broken(inner, job, &target, failure).await,
        }
    }
    // More rights may be left; the next claim sees.
    let now = workflow.clock().now();
    let due = inner.gates.closed_until(target.id, now).unwrap_or(now);
    scans::later(workflow, job, due, None).await
}

/// The target and its connector; none if there is none here.
async fn reach(inner: &Inner, job: &Job) -> Result<Option<(TargetRow, Arc<dyn Connector>)>> {
    let targets = inner.workflow.store().read().await?.targets().await?;
    inner.gates.learn(&targets);
    Ok(targets
        .into_iter()
        .find(|target| Some(target.id.0) == job.subject)
        .and_then(|target| {
            let connector = inner.connector(&target).map(Arc::clone)?;
            Some((target, connector))
        }))
}

/// Lists one right, asks directly for whom the listing lacks, and hands over what it comes to.
async fn one(
    inner: &Inner,
    job: &Job,
    target: &TargetRow,
    connector: &dyn Connector,
    right: &ScanRightRow,
    since: Instant,
) -> Result<Way> {
    let workflow = &inner.workflow;
    let lease = inner.options.lease;
    let pass = inner.gates.pass(target.id, false).await;
    // A listing gets most of a lease: what is left of this one must be enough for it, and for handing over.
    if since.elapsed() >= lease / 4 {
        return Ok(Way::Pause);
    }
    inner.seams.pass(Moment::Calling).await;
    let asked = workflow.clock().now();
    let listing =
        tokio::time::timeout(lease / 2, connector.list(&right.kind, &right.external_id)).await;
    inner.seams.pass(Moment::Called).await;
    drop(pass);
    let told = match listing {
        Ok(Ok(listing)) => {
            let now = workflow.clock().now();
            inner.gates.note(target.id, &Outcome::Done, now);
            let holders = Holders {
                direct: listing.holders,
                otherwise: listing.otherwise,
            };
            let places = scans::look(workflow, right, asked, &holders).await?;
            let Some((gone, lacks)) = missed(inner, target, connector, places, since).await else {
                return Ok(Way::Pause);
            };
            Told::Listing {
                asked,
                holders,
                gone,
                lacks,
            }
        }
        Ok(Err(Failure::Never { why, fix })) => Told::Nothing(format!("{why} {fix}")),
        Ok(Err(Failure::Misconfigured {
            what,
            fix,
            everywhere: false,
        })) => Told::Nothing(format!("{what} {fix}")),
        Ok(Err(failure)) => return Ok(Way::Broken(failure)),
        Err(_) => Told::Nothing(format!(
            "It was not listed within {} seconds.",
            (lease / 2).as_secs()
        )),
    };
    inner.seams.pass(Moment::Recording).await;
    let goes_on = scans::record(workflow, job, right, &told).await?;
    inner.seams.pass(Moment::Recorded).await;
    Ok(if goes_on { Way::GoOn } else { Way::Pause })
}

/// Asks directly for those whom a listing lacks: who is indeed gone, and whether somebody is there. None if the lease does not
/// last for it. Who cannot be asked for counts as neither.
async fn missed(
    inner: &Inner,
    target: &TargetRow,
    connector: &dyn Connector,
    places: Vec<PlaceRow>,
    since: Instant,
) -> Option<(BTreeSet<AssignmentId>, bool)> {
    let mut gone = BTreeSet::new();
    let longest = patience(connector.longest());
    for place in places {
        let pass = inner.gates.pass(target.id, false).await;
        if since.elapsed() + longest >= inner.options.lease {
            return None;
        }
        let reply = tokio::time::timeout(longest, connector.observe(&place)).await;
        drop(pass);
        match reply.map(|reply| reply.outcome) {
            Ok(Outcome::Seen(Observed::Absent)) => {
                gone.insert(place.id);
            }
            Ok(Outcome::Seen(Observed::Present)) => return Some((gone, true)),
            Ok(_) | Err(_) => {}
        }
    }
    Some((gone, false))
}

/// The target cannot be listed now: the pass goes on later, and is given up until the next one if that does not help.
async fn broken(inner: &Inner, job: &Job, target: &TargetRow, failure: Failure) -> Result<()> {
    let now = inner.workflow.clock().now();
    let closed = inner
        .gates
        .note(target.id, &Outcome::Failed(failure.clone()), now);
    let (why, after, hopeless) = match failure {
        Failure::Later { after, why, .. } => (why, after, job.failures >= TRIES),
        Failure::Never { why, fix } => (format!("{why} {fix}"), None, true),
        Failure::Misconfigured { what, fix, .. } => (format!("{what} {fix}"), None, true),
    };
    if hopeless {
        return scans::end(&inner.workflow, job, Some(&why)).await;
    }
    let due = again(inner, job, after).max(closed.unwrap_or(now));
    scans::later(&inner.workflow, job, due, Some(&why)).await
}

/// When it is tried again after so many failures.
fn again(inner: &Inner, job: &Job, after: Option<chrono::Duration>) -> Timestamp {
    let tries = u32::try_from(job.failures + 1).unwrap_or(u32::MAX);
    let workflow = &inner.workflow;
    workflow.clock().now() + backoff(tries, workflow.ids().jitter(), after)
}
