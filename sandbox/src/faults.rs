//! Faults on demand: what a real directory does on a bad day, switched in code or at `/sandbox/faults`.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One switched-on fault: what goes wrong, and for which calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// Only calls about this group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Uuid>,
    /// Only calls whose path begins so, for example `/v1.0/groups`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_prefix: Option<String>,
    /// Only these methods; empty: those that the kind is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// Strikes this many more times, then never again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls: Option<u64>,
    /// How often it has struck; set by the sandbox.
    #[serde(default)]
    pub hits: u64,
    /// How many calls it has looked at; set by the sandbox.
    #[serde(default)]
    pub seen: u64,
}

/// What can go wrong. In JSON the field `kind` names it in snake case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// 429 with `Retry-After`; inside a batch each inner call on its own.
    Throttle {
        /// Every n-th call; 1 is all of them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        every: Option<u64>,
        /// Or this share of calls, 0 to 100.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        percent: Option<f64>,
        /// Seconds, possibly fractional; `None` leaves the header out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<f64>,
    },
    /// 500, 502, 503 or 504 before anything is done.
    ServerError {
        /// Share of calls, 0 to 100.
        #[serde(default = "always")]
        percent: f64,
        /// The status.
        #[serde(default = "unavailable")]
        status: u16,
        /// Seconds in `Retry-After`, possibly fractional.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<f64>,
    },
    /// 409 `Directory_ConcurrencyViolation` before anything is done (writes).
    Conflict {
        /// Share of calls, 0 to 100.
        #[serde(default = "always")]
        percent: f64,
    },
    /// Waits before it works.
    Slow {
        /// Milliseconds.
        ms: u64,
    },
    /// A write is done, its answer is lost.
    LostReply {
        /// Share of calls, 0 to 100.
        #[serde(default = "always")]
        percent: f64,
        /// What the client sees instead.
        #[serde(default)]
        how: Lost,
    },
    /// Reads of memberships show them as they were so long ago.
    Lag {
        /// Milliseconds.
        ms: u64,
    },
    /// 503 for everything, sign-in too.
    Down,
    /// `GET /organization` names another tenant.
    WrongTenant {
        /// Its id.
        id: Uuid,
    },
    /// Listings are empty, with status 200.
    EmptyListing,
    /// Listings end early, without a next link.
    TruncatedListing {
        /// How many entries stay.
        keep: usize,
    },
    /// 403 `Authorization_RequestDenied`.
    Deny,
    /// 401 `InvalidAuthenticationToken`, as when a token was revoked.
    TokenExpired,
    /// Delta tokens are refused with 410.
    DeltaExpired,
    /// Sign-ins do not satisfy the authentication context that they are asked for.
    ContextUnsatisfied,
    /// Licences that are held directly read as in error.
    LicenceError {
        /// Which: `CountViolation`, for example.
        error: String,
    },
    /// Removing a member that is none says 400 "One or more removed object references do not exist" instead of 404.
    RemovedReferenceText,
}

/// How a lost reply looks to the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lost {
    /// The connection closes without a byte.
    #[default]
    Close,
    /// 504 from a gateway.
    GatewayTimeout,
}

fn always() -> f64 {
    100.0
}

fn unavailable() -> u16 {
    503
}

impl From<FaultKind> for Fault {
    fn from(kind: FaultKind) -> Self {
        Self {
            kind,
            group: None,
            path_prefix: None,
            methods: Vec::new(),
            calls: None,
            hits: 0,
            seen: 0,
        }
    }
}

impl Fault {
    /// Only calls about this group.
    #[must_use]
    pub fn group(mut self, id: Uuid) -> Self {
        self.group = Some(id);
        self
    }

    /// Only calls whose path begins so, for example `/v1.0/users`.
    #[must_use]
    pub fn path_prefix(mut self, prefix: &str) -> Self {
        self.path_prefix = Some(prefix.into());
        self
    }

    /// Only calls with this method; may be repeated.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.methods.push(method.to_ascii_uppercase());
        self
    }

    /// Only the next `calls` calls that it applies to.
    #[must_use]
    pub fn calls(mut self, calls: u64) -> Self {
        self.calls = Some(calls);
        self
    }
}

/// A handle on the faults of a running sandbox; clones share them.
#[derive(Clone, Debug)]
pub struct Faults {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    list: Vec<Fault>,
    chance: StdRng,
}

/// What a call is about, for the choice of faults.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub group: Option<Uuid>,
    pub graph: bool,
    /// It carries a delta or page token.
    pub delta_token: bool,
}

impl Subject<'_> {
    fn is_write(&self) -> bool {
        self.method != "GET"
    }

    /// The envelope of a batch; throttling and the like are for what is in it.
    fn is_batch(&self) -> bool {
        self.path == "/v1.0/$batch"
    }

    /// Calls that read memberships, whichever end they start from.
    fn reads_memberships(&self) -> bool {
        const SEGMENTS: [&str; 6] = [
            "members",
            "transitiveMembers",
            "memberOf",
            "transitiveMemberOf",
            "checkMemberGroups",
            "getMember",
        ];
        let question = self.path.ends_with("checkMemberGroups") || self.path.contains("getMember");
        (question || self.method == "GET") && SEGMENTS.iter().any(|word| self.path.contains(word))
    }

    /// Calls that answer with a collection.
    fn lists(&self) -> bool {
        const LAST: [&str; 9] = [
            "users",
            "groups",
            "delta",
            "members",
            "transitiveMembers",
            "microsoft.graph.user",
            "servicePrincipals",
            "appRoleAssignedTo",
            "memberOf",
        ];
        let last = self
            .path
            .trim_end_matches("()")
            .rsplit('/')
            .next()
            .unwrap_or_default();
        self.method == "GET" && LAST.contains(&last)
    }
}

/// What the faults do to one call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Effects {
    pub slow: Duration,
    pub refuse: Option<Refusal>,
    pub lost: Option<Lost>,
    pub lag: Duration,
    pub wrong_tenant: Option<Uuid>,
    pub keep: Option<usize>,
    pub delta_expired: bool,
    pub removed_reference_text: bool,
    pub context_unsatisfied: bool,
    pub licence_error: Option<String>,
    /// Names of the faults that struck, for the request log.
    pub names: Vec<&'static str>,
}

/// A call that is refused before anything is done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Refusal {
    Throttle(Option<f64>),
    Status(u16, Option<f64>),
    Conflict,
    Deny,
    TokenExpired,
    Down,
}

impl Faults {
    pub(crate) fn new(chance: u64) -> Self {
        Self {
            inner: Arc::new(Mutex::new(Inner {
                list: Vec::new(),
                chance: StdRng::seed_from_u64(chance),
            })),
        }
    }

    /// Replaces all faults.
    pub fn set(&self, faults: Vec<Fault>) {
        self.lock().list = faults;
    }

    /// Switches one more fault on.
    pub fn add(&self, fault: impl Into<Fault>) {
        self.lock().list.push(fault.into());
    }

    /// Switches all faults off.
    pub fn clear(&self) {
        self.lock().list.clear();
    }

    /// The faults with their counters, spent ones included.
    pub fn list(&self) -> Vec<Fault> {
        self.lock().list.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner
            .lock()
            .expect("no code panics while it holds the faults")
    }

    /// Decides what happens to a call and counts it.
    pub(crate) fn strike(&self, subject: &Subject<'_>) -> Effects {
        let mut effects = Effects::default();
        let mut inner = self.lock();
        let Inner { list, chance } = &mut *inner;
        for fault in list.iter_mut().filter(|fault| applies(fault, subject)) {
            fault.seen += 1;
            if hits(fault, chance) {
                fault.hits += 1;
                fault.calls = fault.calls.map(|left| left.saturating_sub(1));
                effects.names.push(name(&fault.kind));
                add_effect(&mut effects, &fault.kind);
            }
        }
        effects
    }
}

fn applies(fault: &Fault, subject: &Subject<'_>) -> bool {
    if fault.calls == Some(0)
        || fault
            .group
            .is_some_and(|group| subject.group != Some(group))
        || fault
            .path_prefix
            .as_ref()
            .is_some_and(|prefix| !subject.path.starts_with(prefix.as_str()))
        || (!fault.methods.is_empty()
            && !fault
                .methods
                .iter()
                .any(|method| method.eq_ignore_ascii_case(subject.method)))
    {
        return false;
    }
    match fault.kind {
        FaultKind::Down | FaultKind::Slow { .. } => true,
        // A path that was named is meant, even outside Graph.
        FaultKind::ServerError { .. } => subject.graph || fault.path_prefix.is_some(),
        FaultKind::Throttle { .. } => {
            (subject.graph || fault.path_prefix.is_some()) && !subject.is_batch()
        }
        FaultKind::TokenExpired => subject.graph,
        FaultKind::Deny => subject.graph && !subject.is_batch(),
        FaultKind::Conflict { .. } if subject.is_batch() => false,
        FaultKind::Conflict { .. } | FaultKind::LostReply { .. } => {
            subject.graph && subject.is_write() && !subject.reads_memberships()
        }
        FaultKind::Lag { .. } => subject.graph && subject.reads_memberships(),
        FaultKind::WrongTenant { .. } => subject.graph && subject.path.contains("/organization"),
        FaultKind::EmptyListing | FaultKind::TruncatedListing { .. } => {
            subject.graph && subject.lists()
        }
        FaultKind::DeltaExpired => {
            subject.graph && subject.delta_token && subject.path.contains("/delta")
        }
        FaultKind::RemovedReferenceText => subject.graph && subject.method == "DELETE",
        FaultKind::LicenceError { .. } => subject.graph && subject.path.contains("/users"),
        FaultKind::ContextUnsatisfied => !subject.graph && subject.path.ends_with("/authorize"),
    }
}

fn hits(fault: &Fault, chance: &mut StdRng) -> bool {
    let by_percent = |percent: f64, chance: &mut StdRng| chance.gen_range(0.0..100.0) < percent;
    match &fault.kind {
        FaultKind::Throttle {
            every: Some(every), ..
        } => fault.seen.is_multiple_of((*every).max(1)),
        FaultKind::Throttle {
            percent: Some(percent),
            ..
        }
        | FaultKind::ServerError { percent, .. }
        | FaultKind::Conflict { percent }
        | FaultKind::LostReply { percent, .. } => by_percent(*percent, chance),
        _ => true,
    }
}

fn add_effect(effects: &mut Effects, kind: &FaultKind) {
    let refusal = match kind {
        FaultKind::Throttle { retry_after, .. } => Some(Refusal::Throttle(*retry_after)),
        FaultKind::ServerError {
            status,
            retry_after,
            ..
        } => Some(Refusal::Status(*status, *retry_after)),
        FaultKind::Conflict { .. } => Some(Refusal::Conflict),
        FaultKind::Down => Some(Refusal::Down),
        FaultKind::Deny => Some(Refusal::Deny),
        FaultKind::TokenExpired => Some(Refusal::TokenExpired),
        FaultKind::Slow { ms } => {
            effects.slow += Duration::from_millis(*ms);
            None
        }
        FaultKind::LostReply { how, .. } => {
            effects.lost = Some(*how);
            None
        }
        FaultKind::Lag { ms } => {
            effects.lag = effects.lag.max(Duration::from_millis(*ms));
            None
        }
        FaultKind::WrongTenant { id } => {
            effects.wrong_tenant = Some(*id);
            None
        }
        FaultKind::EmptyListing => {
            effects.keep = Some(0);
            None
        }
        FaultKind::TruncatedListing { keep } => {
            effects.keep = Some(effects.keep.map_or(*keep, |other| other.min(*keep)));
            None
        }
        FaultKind::DeltaExpired => {
            effects.delta_expired = true;
            None
        }
        FaultKind::RemovedReferenceText => {
            effects.removed_reference_text = true;
            None
        }
        FaultKind::LicenceError { error } => {
            effects.licence_error = Some(error.clone());
            None
        }
        FaultKind::ContextUnsatisfied => {
            effects.context_unsatisfied = true;
            None
        }
    };
    if effects.refuse.is_none() {
        effects.refuse = refusal;
    }
}

fn name(kind: &FaultKind) -> &'static str {
    match kind {
        FaultKind::Throttle { .. } => "throttle",
        FaultKind::ServerError { .. } => "server_error",
        FaultKind::Conflict { .. } => "conflict",
        FaultKind::Slow { .. } => "slow",
        FaultKind::LostReply { .. } => "lost_reply",
        FaultKind::Lag { .. } => "lag",
        FaultKind::Down => "down",
        FaultKind::WrongTenant { .. } => "wrong_tenant",
        FaultKind::EmptyListing => "empty_listing",
        FaultKind::TruncatedListing { .. } => "truncated_listing",
        FaultKind::Deny => "deny",
        FaultKind::TokenExpired => "token_expired",
        FaultKind::DeltaExpired => "delta_expired",
        FaultKind::RemovedReferenceText => "removed_reference_text",
        FaultKind::LicenceError { .. } => "licence_error",
        FaultKind::ContextUnsatisfied => "context_unsatisfied",
    }
}
