//! More time for several grants at once: each asked for by itself, each with its own outcome.

use domain::{GrantId, Refusal, RequestId, grant::GrantState};

use crate::{
    Error, Result, Workflow,
    access::Viewer,
    requests::{self, MoreTime},
    views::renewals,
};

/// What became of one of several asks for more time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Renewed {
    /// It was asked for.
    Asked(RequestId),
    /// Rules said no.
    Refused(Vec<Refusal>),
}

/// Asks for more time on each of these grants, as much as is usual for its package and the limits leave. With the same `key`
/// again, what was asked for already stays asked for once.
pub async fn renew(
    workflow: &Workflow,
    viewer: &Viewer,
    ids: &[GrantId],
    reason: &str,
    key: &str,
) -> Result<Vec<(GrantId, Renewed)>> {
    let soon = renewals::load(workflow, viewer).await?;
    let mut outcomes = Vec::with_capacity(ids.len());
    for &id in ids {
        let own_key = format!("{key}:{id}");
        let Some(item) = soon.items.iter().find(|item| item.grant.id == id) else {
            outcomes.push((id, asked_before(workflow, viewer, id, &own_key).await?));
            continue;
        };
        let ask = MoreTime {
            grant: id,
            seconds: Some(item.more_seconds),
            reason: reason.to_owned(),
            key: own_key,
        };
        outcomes.push((
            id,
            match requests::extend(workflow, viewer, ask).await {
                Ok(request) => Renewed::Asked(request),
                Err(Error::Refused(refusals)) => Renewed::Refused(refusals),
                Err(error) => return Err(error),
            },
        ));
    }
    Ok(outcomes)
}

/// Of a grant that is not among those that may be renewed: the request that this very form made, or that it is over.
async fn asked_before(
    workflow: &Workflow,
    viewer: &Viewer,
    id: GrantId,
    key: &str,
) -> Result<Renewed> {
    let mut tx = workflow.store().read().await?;
    let grant = tx
        .grant(id)
        .await?
        .filter(|grant| grant.person_id == viewer.id())
        .ok_or(Error::Missing)?;
    let now = workflow.clock().now();
    if let Some(known) = tx.asked_before(viewer.id(), key, now).await?.known {
        return Ok(Renewed::Asked(known));
    }
    if let Some(package) = grant.package_id {
        let offer = tx.offer(package).await?;
        if offer.is_none_or(|offer| offer.state != "offered") {
            return Ok(Renewed::Refused(vec![Refusal::Retired]));
        }
    }
    let state = if grant.end().passed(now) {
        GrantState::Ended
    } else {
        grant.state
    };
    Ok(Renewed::Refused(vec![Refusal::WrongState {
        state: state.to_string(),
    }]))
}
