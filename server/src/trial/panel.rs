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
use tokio::{sync::Mutex as AsyncMutex, task::AbortHandle};
use workflow::{Error, Result, Workflow, installation};

use crate::checkpoints::Keeper;

/// At most so much at once: a walk of a year would make people wait.
const LONGEST_SKIP: chrono::Duration = chrono::Duration::days(90);
/// The sandbox's own times (lag, Retry-After) follow the system's clock: at each stop they get a moment to pass.
const PACE: Duration = Duration::from_millis(5);
/// A page waits so long for a skip: shorter than pages may take. After it the skip goes on, and the page says what time it
/// is by then.
const PATIENCE: Duration = Duration::from_secs(20);
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
        key: "weak_sign_in",
        label: "Weak sign-ins",
        explain: "Fresh sign-ins do not satisfy the authentication context that a decision of high risk asks for; nothing is decided.",
        fault: || FaultKind::ContextUnsatisfied,
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
    inner: Arc<Inner>,
    on: Mutex<BTreeSet<&'static str>>,
    /// The walk under way, which ends with the panel.
    under_way: Mutex<Option<AbortHandle>>,
}

/// What a walk needs, also after the page that asked for it has been answered.
struct Inner {
    workflow: Workflow,
    worker: Worker,
    reader: Arc<dyn Recurring>,
    keeper: Keeper,
    sandbox: Arc<Running>,
    /// One skip at a time.
    walking: AsyncMutex<()>,
}

impl Drop for Panel {
    fn drop(&mut self) {
        let under_way = self.under_way.get_mut();
        if let Some(walk) = under_way.unwrap_or_else(PoisonError::into_inner) {
            walk.abort();
        }
    }
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
            inner: Arc::new(Inner {
                workflow,
                worker,
                reader,
                keeper,
                sandbox,
                walking: AsyncMutex::default(),
            }),
            on: Mutex::default(),
            under_way: Mutex::default(),
        }
    }

    /// Walks in a task of its own, so that a page which stops waiting does not cut it. Gives the new now, or the instant
    /// that a long walk has come to: it goes on.
    async fn walk(&self, to: To) -> Result<Timestamp> {
        let lags = self
            .on
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains("lag");
        let pace = if lags { PACE_WITH_LAG } else { PACE };
        let inner = Arc::clone(&self.inner);
        let mut walk = tokio::spawn(async move {
            let walked = inner.walk(to, pace).await;
            if let Err(error) = &walked {
                tracing::error!(%error, "a skip ended on the way");
            }
            walked
        });
        *self
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(walk.abort_handle());
        match tokio::time::timeout(PATIENCE, &mut walk).await {
            Ok(Ok(walked)) => walked,
            Ok(Err(ended)) => Err(Error::internal(ended.to_string())),
            Err(_) => Ok(self.inner.workflow.clock().now()),
        }
    }
}

/// How far to walk.
#[derive(Clone, Copy, Debug)]
enum To {
    /// So much ahead.
    Ahead(chrono::Duration),
    /// To the next deadline that somebody would notice.
    Next,
}

impl Inner {
    async fn walk(&self, to: To, pace: Duration) -> Result<Timestamp> {
        let _alone = self.walking.lock().await;
        let from = self.workflow.clock().now();
        let to = match to {
            To::Ahead(ahead) => from + ahead.clamp(chrono::Duration::zero(), LONGEST_SKIP),
            To::Next => match self.next().await? {
                // A moment after it, so that the page shows it as done.
                Some(next) => {
                    (next.max(from) + chrono::Duration::seconds(1)).min(from + LONGEST_SKIP)
                }
                None => return Ok(from),
            },
        };
        // Kept first: a process that ends on the way finds itself late afterwards, and does the overdue first.
        installation::remember_clock(&self.workflow, to).await?;
        let clock = self.workflow.clock().clone();
        let sandbox = self.sandbox.clone();
        let moved = move |_: Timestamp| {
            sandbox.set_offset(clock.offset_us());
        };
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

    async fn next(&self) -> Result<Option<Timestamp>> {
        let noticed = [
            JobKind::GrantStart,
            JobKind::GrantEnd,
            JobKind::GrantWarning,
            JobKind::LineLapse,
            JobKind::Deputy,
            JobKind::StageSilence,
            JobKind::StageEscalation,
            JobKind::Task,
            JobKind::Leave,
            JobKind::Digest,
            JobKind::ExceptionEnd,
            JobKind::Attestation,
            JobKind::ReviewClose,
            JobKind::ReviewRepeat,
            JobKind::ReviewEvent,
            JobKind::ReviewLate,
        ];
        let mut tx = self.workflow.store().read().await?;
        Ok(tx.next_due(&noticed).await?)
    }
}

#[async_trait]
impl Trial for Panel {
    async fn skip(&self, ahead: chrono::Duration) -> Result<Timestamp> {
        self.walk(To::Ahead(ahead)).await
    }

    async fn skip_to_next(&self) -> Result<Timestamp> {
        self.walk(To::Next).await
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
        self.inner.sandbox.faults().set(faults);
        Ok(())
    }
}
