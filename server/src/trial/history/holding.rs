//! What people do with what is held: something is held back, something taken away, something not to be renewed.

use chrono::Duration;
use sandbox::company;
use workflow::grants;

use super::{Past, actors::Actors};

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// Held back.
    HoldBack,
    /// Taken away.
    TakeAway,
    /// The holder does not want it renewed.
    DoNotRenew,
}

/// Something that somebody does with what somebody holds.
#[derive(Debug)]
pub(super) struct Handled {
    by: &'static str,
    whose: &'static str,
    package: &'static str,
    what: What,
    reason: &'static str,
}

/// How long before today, and what.
pub(super) const HANDLED: &[(Duration, Handled)] = &[
    (
        Duration::hours(53),
        Handled {
            by: "elin.berg",
            whose: "liam.oconnor",
            package: "github-developer",
            what: What::HoldBack,
            reason: "His laptop was left on a train; until it is found or wiped",
        },
    ),
    (
        Duration::hours(75),
        Handled {
            by: "elin.berg",
            whose: "erik.sandberg",
            package: "analytics-explore",
            what: What::TakeAway,
            reason: "The report on returns is done, and he says that he needs it no longer",
        },
    ),
    (
        Duration::hours(26),
        Handled {
            by: "johan.nyberg",
            whose: "johan.nyberg",
            package: "vpn-abroad",
            what: What::DoNotRenew,
            reason: "",
        },
    ),
];

/// Does it.
pub(super) async fn handle(
    past: &Past<'_>,
    actors: &Actors,
    handled: &Handled,
) -> workflow::Result<()> {
    let known = |user| {
        actors
            .person(company::user(user))
            .ok_or(workflow::Error::Missing)
    };
    let package = actors
        .offer(handled.package)
        .ok_or(workflow::Error::Missing)?
        .id;
    let mut tx = past.workflow.store().read().await?;
    let grant = tx
        .live_grants_of_person(known(handled.whose)?)
        .await?
        .into_iter()
        .find(|grant| grant.package_id == Some(package))
        .ok_or(workflow::Error::Missing)?
        .id;
    drop(tx);
    let viewer = actors.viewer(past.workflow, known(handled.by)?).await?;
    match handled.what {
        What::HoldBack => grants::suspend(past.workflow, &viewer, &[grant], handled.reason)
            .await
            .map(drop),
        What::TakeAway => grants::revoke(past.workflow, &viewer, &[grant], handled.reason)
            .await
            .map(drop),
        What::DoNotRenew => grants::set_renewal(past.workflow, &viewer, grant, false).await,
    }
}
