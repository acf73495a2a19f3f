//! What a connector is: the hands at one target. It acts, reads and explains; it decides nothing and keeps nothing.
//!
//! To add a connector: implement [`Connector`] in a folder named after what the target speaks, classify every answer of the
//! target into [`Failure`], say in [`Evidence::account`] which account of the target an [`Place`] is once a call has found that
//! out, make it in `server/src/targets.rs` from the target's section of the configuration, and have it pass the suite of
//! `tests/it/contract.rs` against a peer of the target.

use std::{collections::BTreeSet, fmt, time::Duration};

use async_trait::async_trait;
use domain::assignment::Observed;
pub use store::assignments::PlaceRow as Place;
use uuid::Uuid;
pub use workflow::assignments::{Evidence, Failure, Outcome, TargetAccount};

/// How one call ended, with what is kept of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// How it ended.
    pub outcome: Outcome,
    /// What is kept of it.
    pub evidence: Evidence,
}

impl Reply {
    /// A reply without evidence of a call, for what is known without asking.
    pub fn unasked(outcome: Outcome, detail: impl Into<String>) -> Self {
        Self {
            outcome,
            evidence: Evidence {
                detail: detail.into(),
                ..Evidence::default()
            },
        }
    }

    /// A read that told this.
    pub fn seen(observed: Observed, evidence: Evidence) -> Self {
        Self {
            outcome: Outcome::Seen(observed),
            evidence,
        }
    }
}

/// Everybody who holds a right directly, as the target lists them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The target's own ids of accounts: object ids in the directory, what [`Place::target_account`] keeps elsewhere.
    pub holders: BTreeSet<String>,
    /// Those who hold it by another way only, where [`Connector::observe`] counts that: it is not missing there, and nobody
    /// gave it past us.
    pub otherwise: BTreeSet<String>,
}

/// One thing that `doctor` says of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether it is as it should be.
    pub fine: bool,
    /// What was looked at and found.
    pub what: String,
    /// What to do, if it is not fine.
    pub fix: String,
}

/// The hands at one target. Every call is idempotent, and returns within [`Connector::longest`].
#[async_trait]
pub trait Connector: Send + Sync + fmt::Debug {
    /// Asks whether the account holds the right: directly, unless the target counts another way as the same.
    async fn observe(&self, place: &Place) -> Reply;

    /// Adds the right. "Already there" is [`Outcome::Already`].
    async fn ensure_present(&self, place: &Place) -> Reply;

    /// Removes the right. "Not there" is [`Outcome::Already`], once it is clear that the link is what is missing.
    async fn ensure_absent(&self, place: &Place) -> Reply;

    /// Lists everybody who holds a right directly.
    async fn list(&self, kind: &str, external_id: &str) -> Result<Listing, Failure>;

    /// The tenant that is reached, where a target has one: what was read from another is compared with nothing.
    fn tenant(&self) -> Option<Uuid> {
        None
    }

    /// Looks whether the target can be reached and lets us do our work.
    async fn diagnose(&self) -> Vec<Finding>;

    /// How long one call may take at most, all of its requests together. A lease outlives it.
    fn longest(&self) -> Duration {
        Duration::from_secs(20)
    }
}
