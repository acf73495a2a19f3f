//! What of the viewer ends soon and may be held longer: for asking for more time of several at once.

use chrono::Duration;
use domain::{Timestamp, policy::SHORTEST_SECONDS};
use serde::Serialize;

use super::{HeldGrant, make};
use crate::{Result, Workflow, access::Viewer, requests};

/// What ends within this is offered.
const SOON: Duration = Duration::days(30);
/// The most on the page.
const MOST: usize = 50;

/// The page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Renewals {
    /// Now, for relative times.
    pub now: Timestamp,
    /// Sent back with the form, so that the same form sent many times asks once for each.
    pub key: String,
    /// What ends within 30 days, soonest first, at most 50.
    pub items: Vec<Renewal>,
}

/// One grant that ends soon.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Renewal {
    /// The grant.
    pub grant: HeldGrant,
    /// How many seconds more would be asked for: what is usual for the package, as far as the limits leave it.
    pub more_seconds: i64,
    /// The end if it is approved; none if it cannot be extended.
    pub until: Option<Timestamp>,
}

/// Reads what ends soon.
pub async fn load(workflow: &Workflow, viewer: &Viewer) -> Result<Renewals> {
    let now = workflow.clock().now();
    let mut tx = workflow.store().read().await?;
    let mut rows = tx.ending_of(viewer.id(), 200).await?;
    rows.retain(|row| {
        row.package_id.is_some() && row.end_at.is_some_and(|end| end > now && end - now <= SOON)
    });
    let grants = make::held(&mut tx, viewer, rows).await?;
    let mut items = Vec::new();
    for grant in grants {
        if !grant.may_extend || grant.extension.is_some() || items.len() == MOST {
            continue;
        }
        let (Some(package), Some(end)) = (&grant.package, grant.end.at()) else {
            continue;
        };
        let Some(offer) = tx.offer(package.id).await? else {
            continue;
        };
        let limits = requests::policy_of(&offer)?.limits;
        let mut more = limits.default_seconds.min(limits.longest_seconds);
        let latest = [limits.latest_end(grant.from), viewer.person.last_day_at];
        for latest in latest.into_iter().flatten() {
            more = more.min((latest - end).num_seconds());
        }
        items.push(Renewal {
            more_seconds: more,
            until: (more >= SHORTEST_SECONDS).then(|| end + Duration::seconds(more)),
            grant,
        });
    }
    Ok(Renewals {
        now,
        key: workflow
            .ids()
            .new_id::<uuid::Uuid>(now)
            .simple()
            .to_string(),
        items,
    })
}
