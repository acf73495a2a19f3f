//! What happens: the use cases. Each is one transaction, authorised, audited, and the only door to its effect; pages,
//! forms, command line, deadlines and worker all go through here.
//!
//! A use case reads like this: begin a [`Unit`] → hold the package that it is about, then lock what two callers could
//! decide differently (persons, then assignments, in id order) → read facts → ask `domain` → write → record events →
//! commit, which chains the audit log last and then wakes whoever waits.
//!
//! It owns the clock and the ids. It must not know HTTP, Leptos, connectors or configuration files.
//!
//! To add a use case: a function in the file named after its thing, taking a [`access::Viewer`] (or a capability made
//! from one) and plain values, returning plain values or [`Error`]; a test in `tests/` on both engines.

pub mod access;
pub mod approver_groups;
pub mod assignments;
pub mod audit;
mod break_glass;
pub mod bulk;
pub mod carts;
pub mod catalogue;
pub mod chat;
pub mod checks;
pub mod clock;
pub mod conflicts;
pub mod conversation;
pub mod deadlines;
pub mod decide;
pub mod deputies;
pub mod eligibility;
mod error;
pub mod exceptions;
pub mod findings;
pub mod fold;
pub mod fresh;
mod frozen;
pub mod grants;
pub mod hand_on;
pub mod holds;
mod hub;
pub mod installation;
pub mod kill_switch;
pub mod leave;
pub mod mail;
mod pattern;
pub mod people;
mod powers;
pub mod requests;
pub mod restores;
pub mod reviews;
pub mod roles;
pub mod route;
pub mod scans;
mod screening;
mod silence;
pub mod targets;
pub mod tasks;
pub mod telling;
pub mod traffic;
mod unit;
pub mod views;
mod waits;

use std::sync::Arc;

use chrono::{Duration, NaiveTime};
use domain::{drift::Limit, person::AccountKey, risk::Weights};

pub use clock::{Clock, Ids};
pub use error::{Error, Result};
pub use hub::Hub;
pub use store::Store;
pub use unit::Unit;

/// What the use cases need to know of the configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Public address of the portal, without a slash at the end; links in mail begin with it.
    pub public_url: String,
    /// Share of people that may leave in one directory read before a human must confirm, in percent.
    pub mass_leave_percent: u32,
    /// The same as a number; the larger of both holds.
    pub mass_leave_least: u32,
    /// Most requests that one person may submit in ten minutes.
    pub asks_per_ten_minutes: u32,
    /// The points of each part of an ask's risk, and from where on it is high.
    pub risk: Weights,
    /// How long what no longer fits is still held after a move, in days; privileged rights have no grace.
    pub mover_grace_days: u32,
    /// The account that is administrator by configuration, until the directory names others.
    pub first_administrator: Option<AccountKey>,
    /// The authentication context that a fresh sign-in must satisfy (Entra: `c1` …); none: the sign-in must only be new.
    pub step_up: Option<String>,
    /// When those who want one mail a day get it, in UTC.
    pub digest_at: NaiveTime,
    /// The chats that have a channel to post to.
    pub chats: Vec<chat::Chat>,
    /// How often each target is scanned for what was given or taken there by hand.
    pub scan_every: Duration,
    /// How much one scan may change about one right without an operator.
    pub scan_limit: Limit,
    /// What makes small reviews. Off unless it is said, as in the configuration.
    pub small_reviews: reviews::SmallReviews,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public_url: "http://127.0.0.1:3000".into(),
            mass_leave_percent: 2,
            mass_leave_least: 5,
            asks_per_ten_minutes: 30,
            risk: Weights::default(),
            mover_grace_days: 14,
            first_administrator: None,
            step_up: None,
            digest_at: NaiveTime::from_hms_opt(6, 0, 0).unwrap_or_default(),
            chats: Vec::new(),
            scan_every: Duration::days(1),
            scan_limit: Limit::default(),
            small_reviews: reviews::SmallReviews::OFF,
        }
    }
}

/// The door to everything that happens. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Workflow {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    clock: Clock,
    ids: Ids,
    hub: Hub,
    refusals: people::Refusals,
    doubts: audit::Doubts,
    traffic: traffic::Traffic,
    settings: Settings,
}

impl Workflow {
    /// Puts the use cases over a migrated store.
    pub fn new(store: Store, clock: Clock, ids: Ids, settings: Settings) -> Self {
        Self {
            inner: Arc::new(Inner {
                store,
                clock,
                ids,
                hub: Hub::default(),
                refusals: people::Refusals::default(),
                doubts: audit::Doubts::default(),
                traffic: traffic::Traffic::default(),
                settings,
            }),
        }
    }

    /// The store, for reading.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// Ids and chance.
    pub fn ids(&self) -> &Ids {
        &self.inner.ids
    }

    /// Who waits for changes.
    pub fn hub(&self) -> &Hub {
        &self.inner.hub
    }

    /// Anonymous refusals that wait to be written.
    pub(crate) fn refusals(&self) -> &people::Refusals {
        &self.inner.refusals
    }

    /// What contradicts the audit log.
    pub(crate) fn doubts(&self) -> &audit::Doubts {
        &self.inner.doubts
    }

    /// Who counts calls.
    pub(crate) fn traffic(&self) -> &traffic::Traffic {
        &self.inner.traffic
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Begins a unit of work: one transaction with its audit events.
    pub async fn unit(&self) -> Result<Unit> {
        Unit::begin(self.clone()).await
    }
}
