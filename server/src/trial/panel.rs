//! What the trial's page can do: let time pass, and switch the sandbox's faults.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use app::state::{FaultState, Trial};
use async_trait::async_trait;
use domain::{Timestamp, deadline::JobKind};
use provisioner::worker::{Recurring, Worker};
use sandbox::{FaultKind, Lost, Running};
use tokio::sync::Mutex as AsyncMutex;
use workflow::{Error, Result, Workflow, installation};

use crate::checkpoints::Keeper;

/// At most so much at once: a walk of a year would make people wait.
const LONGEST_SKIP: chrono::Duration = chrono::Duration::days(90);
/// The sandbox's own times (lag, Retry-After) follow the system's clock: at each stop they get a moment to pass.
const PACE: Duration = Duration::from_millis(5);
/// While reads lag they need more of it.
const PACE_WITH_LAG: Duration = Duration::from_millis(300);

/// One switch.
struct Switch {
    key: &'static str,
    label: &'static str,
    explain: &'static str,
    fault: fn() -> FaultKind,
}

const SWITCHES: &[Switch] = &[
    Switch {
        key: "throttle",
        label: "Too many requests",
        explain: "Every second call is answered with 429 and Retry-After of two seconds, as Graph does when it is busy.",
        fault: || FaultKind::Throttle {
            every: Some(2),
            percent: None,
            retry_after: Some(2.0),
        },
    },
    Switch {
        key: "server_error",
        label: "Server errors",
        explain: "Half of all calls fail with 503; the provisioner tries again, later and later.",
        fault: || FaultKind::ServerError {
            percent: 50.0,
            status: 503,
            retry_after: None,
        },
    },
    Switch {
        key: "lost_reply",
        label: "Lost replies",
        explain: "Every write is done, but its answer gets lost; reading back finds out.",
        fault: || FaultKind::LostReply {
            percent: 100.0,
            how: Lost::Close,
        },
    },
    Switch {
        key: "lag",
        label: "Late reads",
        explain: "Memberships are shown as they were three seconds ago, so a change is settling for a while.",
        fault: || FaultKind::Lag { ms: 3000 },
    },
    Switch {
        key: "slow",
        label: "Slow answers",
        explain: "Every call takes a second and a half.",
        fault: || FaultKind::Slow { ms: 1500 },
    },
    Switch {
        key: "deny",
        label: "Permission taken away",
        explain: "Graph refuses the provisioner's permission; work waits for a human and is named on the provisioner's page.",
        fault: || FaultKind::Deny,
    },
    Switch {
        key: "down",
        label: "Everything down",
        explain: "Sign-in and Graph answer with 503 until this is switched off.",
        fault: || FaultKind::Down,
    },
];

/// The panel.
pub struct Panel {
    workflow: Workflow,
    worker: Worker,
    reader: Arc<dyn Recurring>,
    keeper: Keeper,
    sandbox: Arc<Running>,
    on: Mutex<BTreeSet<&'static str>>,
    /// One skip at a time.
    walking: AsyncMutex<()>,
}

impl Panel {
    /// A panel with every fault off.
    pub fn new(
        workflow: Workflow,
        worker: Worker,
        reader: Arc<dyn Recurring>,
        keeper: Keeper,
        sandbox: Arc<Running>,
    ) -> Self {
        Self {
            workflow,
            worker,
            reader,
            keeper,
            sandbox,
            on: Mutex::default(),
            walking: AsyncMutex::default(),
        }
    }

    async fn walk(&self, to: Timestamp) -> Result<Timestamp> {
        let from = self.workflow.clock().now();
        // Kept first: a process that ends on the way finds itself late afterwards, and does the overdue first.
        installation::remember_clock(&self.workflow, to).await?;
        let clock = self.workflow.clock().clone();
        let sandbox = self.sandbox.clone();
        let moved = move |_: Timestamp| {
            sandbox.set_offset(clock.offset_us());
        };
        let lags = self
            .on
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains("lag");
        let pace = if lags { PACE_WITH_LAG } else { PACE };
        self.worker.walk(to, pace, &moved).await?;
        installation::clock_skipped(&self.workflow, from, to).await?;
        // Once per skip, not once per step.
        if let Err(why) = self.reader.run().await {
            tracing::warn!(%why, "the directory could not be read after the skip");
        }
        if let Err(why) = self.keeper.write().await {
            tracing::warn!(%why, "no checkpoint after the skip");
        }
        self.workflow.hub().changed("*");
        Ok(self.workflow.clock().now())
    }
}

#[async_trait]
impl Trial for Panel {
    async fn skip(&self, ahead: chrono::Duration) -> Result<Timestamp> {
        let _alone = self.walking.lock().await;
        let ahead = ahead.clamp(chrono::Duration::zero(), LONGEST_SKIP);
        self.walk(self.workflow.clock().now() + ahead).await
    }

    async fn skip_to_next(&self) -> Result<Timestamp> {
        let _alone = self.walking.lock().await;
        let now = self.workflow.clock().now();
        let noticed = [
            JobKind::GrantStart,
            JobKind::GrantEnd,
            JobKind::GrantWarning,
            JobKind::LineLapse,
        ];
        let mut tx = self.workflow.store().read().await?;
        let next = tx.next_due(&noticed).await?;
        drop(tx);
        match next {
            // A moment after it, so that the page shows it as done.
            Some(next) => {
                let to = next.max(now) + chrono::Duration::seconds(1);
                self.walk(to.min(now + LONGEST_SKIP)).await
            }
            None => Ok(now),
        }
    }

    async fn faults(&self) -> Result<Vec<FaultState>> {
        let on = self.on.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(SWITCHES
            .iter()
            .map(|switch| FaultState {
                key: switch.key.into(),
                label: switch.label.into(),
                explain: switch.explain.into(),
                on: on.contains(switch.key),
            })
            .collect())
    }

    async fn set_fault(&self, key: &str, on: bool) -> Result<()> {
        let switch = SWITCHES
            .iter()
            .find(|switch| switch.key == key)
            .ok_or(Error::Missing)?;
        let mut active = self.on.lock().unwrap_or_else(PoisonError::into_inner);
        if on {
            active.insert(switch.key);
        } else {
            active.remove(switch.key);
        }
        let faults = SWITCHES
            .iter()
            .filter(|switch| active.contains(switch.key))
            .map(|switch| (switch.fault)().into())
            .collect();
        self.sandbox.faults().set(faults);
        Ok(())
    }
}
