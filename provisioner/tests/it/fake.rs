//! A target in memory with every fault that a real one has, and the book that a test keeps of what should be.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use chrono::Duration;
use domain::{
    AccountId, AssignmentId, EntitlementId, PersonId, TargetId, Timestamp, assignment::Observed,
};
use provisioner::connector::{
    Connector, Evidence, Failure, Finding, Listing, Outcome, Place, Reply,
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use uuid::Uuid;
use workflow::Clock;

/// A right in a group, for an account.
pub fn place(tenant: Uuid, object: Uuid) -> Place {
    Place {
        id: AssignmentId(Uuid::from_u128(1)),
        person_id: PersonId(Uuid::from_u128(2)),
        account_id: AccountId(Uuid::from_u128(3)),
        tenant_id: tenant,
        object_id: object,
        user_name: "johan.berg@contoso.example".into(),
        enabled: true,
        person_name: "Johan Berg".into(),
        given_name: "Johan".into(),
        mail: "johan.berg@contoso.example".into(),
        employee_id: "1003".into(),
        target_id: TargetId(Uuid::from_u128(4)),
        target_account: None,
        entitlement_id: EntitlementId(Uuid::from_u128(5)),
        desired_since: chrono::DateTime::UNIX_EPOCH,
        kind: "group".into(),
        external_id: Uuid::nil().to_string(),
        name: "Orders, read".into(),
        manageable: true,
        unmanageable_reason: None,
    }
}

/// A group and an account.
pub type Link = (Uuid, Uuid);

/// How often what goes wrong, in percent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    pub throttled: u32,
    pub server_error: u32,
    /// The write takes effect, the reply is lost.
    pub lost_reply: u32,
    /// No reply; the write takes effect later.
    pub late: u32,
    /// "It is so already", though it is not.
    pub wrong_already: u32,
    /// Reads show what was up to so many seconds ago.
    pub lag: i64,
}

impl Faults {
    pub const MANY: Self = Self {
        throttled: 10,
        server_error: 6,
        lost_reply: 8,
        late: 4,
        wrong_already: 4,
        lag: 12,
    };
}

/// Asked before a write takes effect: whether it may. The text says why not.
pub type Judge = dyn Fn(Link, bool, Timestamp) -> Result<(), String> + Send + Sync;

pub struct Fake {
    clock: Clock,
    state: Mutex<State>,
    judge: Box<Judge>,
}

struct State {
    rng: StdRng,
    faults: Faults,
    links: BTreeSet<Link>,
    /// Every change, oldest first, for reads that lag.
    changes: Vec<(Timestamp, Link, bool)>,
    /// Writes that take effect later.
    late: BTreeMap<(Timestamp, usize), (Link, bool)>,
    calls: usize,
    broken: Vec<String>,
    log: Vec<String>,
}

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fake")
    }
}

impl Fake {
    pub fn new(
        clock: Clock,
        seed: u64,
        there: BTreeSet<Link>,
        faults: Faults,
        judge: Box<Judge>,
    ) -> Arc<Self> {
        Arc::new(Self {
            clock,
            state: Mutex::new(State {
                rng: StdRng::seed_from_u64(seed),
                faults,
                links: there,
                changes: Vec::new(),
                late: BTreeMap::new(),
                calls: 0,
                broken: Vec::new(),
                log: Vec::new(),
            }),
            judge,
        })
    }

    pub fn set_faults(&self, faults: Faults) {
        self.state.lock().unwrap().faults = faults;
    }

    /// What the target holds now.
    pub fn links(&self) -> BTreeSet<Link> {
        let mut state = self.state.lock().unwrap();
        self.catch_up(&mut state);
        state.links.clone()
    }

    /// Somebody else adds a link, or a write of ours takes effect late.
    pub fn put(&self, link: Link) {
        Self::apply(
            &mut self.state.lock().unwrap(),
            link,
            true,
            self.clock.now(),
        );
    }

    /// Somebody else takes a link away.
    pub fn take(&self, link: Link) {
        Self::apply(
            &mut self.state.lock().unwrap(),
            link,
            false,
            self.clock.now(),
        );
    }

    /// Rules that were seen broken.
    pub fn broken(&self) -> Vec<String> {
        self.state.lock().unwrap().broken.clone()
    }

    /// What happened to a link, for a failing seed.
    pub fn story(&self, link: Link) -> String {
        let state = self.state.lock().unwrap();
        let name = format!("{link:?}");
        state
            .log
            .iter()
            .filter(|line| line.contains(&name))
            .cloned()
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn catch_up(&self, state: &mut State) {
        let now = self.clock.now();
        while let Some(entry) = state.late.first_entry() {
            let (at, _) = *entry.key();
            if at > now {
                break;
            }
            let (link, present) = entry.remove();
            Self::apply(state, link, present, at);
        }
    }

    fn apply(state: &mut State, link: Link, present: bool, at: Timestamp) {
        let changed = if present {
            state.links.insert(link)
        } else {
            state.links.remove(&link)
        };
        state
            .log
            .push(format!("{at} {link:?} present={present} changed={changed}"));
        if changed {
            state.changes.push((at, link, present));
        }
    }

    fn refused(state: &mut State) -> Option<Reply> {
        let dice = state.rng.gen_range(0..100);
        let faults = state.faults;
        if dice < faults.throttled {
            let millis = state.rng.gen_range(100..5000);
            return Some(failed(Failure::Later {
                after: Some(Duration::milliseconds(millis)),
                throttled: true,
                why: "429".into(),
            }));
        }
        (dice < faults.throttled + faults.server_error).then(|| failed(sorry("503")))
    }

    fn write(&self, place: &Place, present: bool) -> Reply {
        let link = (place.external_id.parse().unwrap(), place.object_id);
        let now = self.clock.now();
        let mut state = self.state.lock().unwrap();
        self.catch_up(&mut state);
        state.calls += 1;
        if let Err(why) = (self.judge)(link, present, now) {
            state
                .broken
                .push(format!("{now} {link:?} present={present}: {why}"));
        }
        if let Some(refused) = Self::refused(&mut state) {
            state
                .log
                .push(format!("{now} {link:?} present={present} refused"));
            return refused;
        }
        let faults = state.faults;
        let dice = state.rng.gen_range(0..100);
        if dice < faults.wrong_already {
            state
                .log
                .push(format!("{now} {link:?} present={present} wrongly already"));
            return replied(Outcome::Already);
        }
        if dice < faults.wrong_already + faults.late {
            let at = now + Duration::milliseconds(state.rng.gen_range(1..12_000));
            let calls = state.calls;
            state.late.insert((at, calls), (link, present));
            state
                .log
                .push(format!("{now} {link:?} present={present} late at {at}"));
            return failed(sorry("no reply"));
        }
        let already = state.links.contains(&link) == present;
        Self::apply(&mut state, link, present, now);
        if dice < faults.wrong_already + faults.late + faults.lost_reply {
            return failed(sorry("reply lost"));
        }
        replied(if already {
            Outcome::Already
        } else {
            Outcome::Done
        })
    }
}

fn sorry(why: &str) -> Failure {
    Failure::Later {
        after: None,
        throttled: false,
        why: why.into(),
    }
}

fn failed(failure: Failure) -> Reply {
    replied(Outcome::Failed(failure))
}

fn replied(outcome: Outcome) -> Reply {
    Reply {
        outcome,
        evidence: Evidence::default(),
    }
}

#[async_trait]
impl Connector for Fake {
    async fn observe(&self, place: &Place) -> Reply {
        let link: Link = (place.external_id.parse().unwrap(), place.object_id);
        let mut state = self.state.lock().unwrap();
        self.catch_up(&mut state);
        state.calls += 1;
        if let Some(refused) = Self::refused(&mut state) {
            return refused;
        }
        let lag = state.faults.lag;
        let behind = Duration::milliseconds(if lag > 0 {
            state.rng.gen_range(0..lag * 1000)
        } else {
            0
        });
        let now = self.clock.now();
        let mut seen = state.links.contains(&link);
        for (at, changed, present) in state.changes.iter().rev() {
            if *at + behind <= now {
                break;
            }
            if *changed == link {
                seen = !present;
            }
        }
        state
            .log
            .push(format!("{now} {link:?} read {seen}, {behind} behind"));
        replied(Outcome::Seen(if seen {
            Observed::Present
        } else {
            Observed::Absent
        }))
    }

    async fn ensure_present(&self, place: &Place) -> Reply {
        self.write(place, true)
    }

    async fn ensure_absent(&self, place: &Place) -> Reply {
        self.write(place, false)
    }

    async fn list(&self, _: &str, external_id: &str) -> Result<Listing, Failure> {
        let group: Uuid = external_id.parse().unwrap();
        Ok(Listing {
            holders: self
                .links()
                .into_iter()
                .filter(|link| link.0 == group)
                .map(|link| link.1.to_string())
                .collect(),
            ..Listing::default()
        })
    }

    async fn diagnose(&self) -> Vec<Finding> {
        Vec::new()
    }

    fn longest(&self) -> std::time::Duration {
        std::time::Duration::from_secs(5)
    }
}
