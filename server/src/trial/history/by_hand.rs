//! What people of the year do by hand: every few days whoever sees to it has done what waited for them.

use chrono::Duration;
use domain::Timestamp;
use sandbox::company;
use workflow::{tasks, views};

use super::{Act, Past, actors::Actors};

/// Who sees to what is done by hand.
const BY: &str = "olle.strom";
/// How often they look.
const EVERY: Duration = Duration::days(2);
/// What was asked for since then still waits for them.
const LEFT: Duration = Duration::hours(30);

/// When they look.
pub(super) fn acts(from: Timestamp, until: Timestamp) -> Vec<(Timestamp, Act)> {
    let mut acts = Vec::new();
    let mut at = from + EVERY;
    while at < until - LEFT {
        acts.push((at, Act::ByHand));
        at += EVERY;
    }
    acts
}

/// Does what waits.
pub(super) async fn look(past: &Past<'_>, actors: &Actors) -> workflow::Result<()> {
    let person = actors
        .person(company::user(BY))
        .ok_or(workflow::Error::Missing)?;
    let viewer = actors.viewer(past.workflow, person).await?;
    for task in views::tasks::list(past.workflow, &viewer).await?.mine {
        tasks::done(
            past.workflow,
            &viewer,
            task.id,
            "Badge noted at the front desk",
        )
        .await?;
    }
    Ok(())
}
