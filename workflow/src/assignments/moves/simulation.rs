//! A thousand random lives of one assignment against a target with every fault, all of it pure: whatever is said to be
//! confirmed must be so and stay so, and in the end the target is as desired. `LATCHKEY_SEEDS` says how many lives,
//! `LATCHKEY_SEED` picks one.

use chrono::TimeZone;
use domain::{AccountId, AssignmentId, EntitlementId, PersonId, TargetId};
use rand::{Rng, SeedableRng, rngs::StdRng};
use uuid::Uuid;

use super::*;

const LIVES: u64 = 1000;
const STEPS: usize = 60;
/// Reads show at most so old a state.
const LAG: i64 = 12_000;
/// A write whose caller gave up takes effect so late at most; one whose caller died, as late as calls may take.
const LATE: i64 = 12_000;
const LATE_OF_THE_DEAD: i64 = 45_000;

/// What is there, written down apart from the code under test.
struct Target {
    there: bool,
    changes: Vec<(Timestamp, bool)>,
    late: Vec<(Timestamp, bool)>,
}

impl Target {
    fn catch_up(&mut self, now: Timestamp) {
        self.late.sort_unstable();
        while self.late.first().is_some_and(|(at, _)| *at <= now) {
            let (at, present) = self.late.remove(0);
            self.apply(at, present);
        }
    }

    fn apply(&mut self, at: Timestamp, present: bool) {
        if self.there != present {
            self.there = present;
            self.changes.push((at, present));
        }
    }

    fn as_of(&self, then: Timestamp) -> Observed {
        let since = self.changes.iter().rev().take_while(|(at, _)| *at > then);
        // Each change turns it round.
        if (since.count() % 2 == 0) == self.there {
            Observed::Present
        } else {
            Observed::Absent
        }
    }
}

struct Life {
    rng: StdRng,
    now: Timestamp,
    row: AssignmentRow,
    target: Target,
    faults: bool,
    due: Option<Timestamp>,
}

impl Life {
    fn new(seed: u64) -> Self {
        let now = chrono::Utc
            .timestamp_opt(1_800_000_000, 0)
            .single()
            .expect("an instant");
        Self {
            rng: StdRng::seed_from_u64(seed),
            now,
            row: AssignmentRow {
                id: AssignmentId(Uuid::nil()),
                account_id: AccountId(Uuid::nil()),
                person_id: PersonId(Uuid::nil()),
                entitlement_id: EntitlementId(Uuid::nil()),
                target_id: TargetId(Uuid::nil()),
                lane: String::new(),
                desired: true,
                only_imports: false,
                desired_since: now,
                observed: Observed::Unknown,
                observed_at: None,
                origin: None,
                phase: Phase::Due,
                settle_reads: 0,
                attempts: 0,
                next_at: None,
                problem: None,
                added_at: None,
                removed_at: None,
                updated_at: now,
                version: 0,
            },
            target: Target {
                there: false,
                changes: Vec::new(),
                late: Vec::new(),
            },
            faults: true,
            due: Some(now),
        }
    }

    fn pass(&mut self, millis: i64) {
        self.now += Duration::milliseconds(millis);
        self.target.catch_up(self.now);
    }

    fn turn_round(&mut self) {
        self.row.desired = !self.row.desired;
        self.row.settle_reads = 0;
        self.row.attempts = 0;
        self.row.problem = None;
        self.row.phase = Phase::Due;
        self.due = Some(self.now);
    }

    /// One job's turn, as a lane does it; a process that dies leaves the row as it was noted.
    fn work(&mut self) {
        self.due = None;
        let mut moved = proceed(&mut self.row, self.now, Bounds::default());
        for _ in 0..12 {
            self.check(&moved);
            moved = match moved.next {
                Next::Rest | Next::Lost => {
                    self.due = moved.due;
                    return;
                }
                Next::Read => {
                    let asked = self.now;
                    let behind = if self.faults {
                        self.rng.gen_range(0..LAG)
                    } else {
                        0
                    };
                    let shown = self.target.as_of(asked - Duration::milliseconds(behind));
                    let takes = self.rng.gen_range(0..2000);
                    self.pass(takes);
                    seen(&mut self.row, shown, asked, self.now, Bounds::default())
                }
                Next::Write { call, .. } => {
                    if let Some(moved) = self.write(call) {
                        moved
                    } else {
                        self.due = Some(self.now);
                        return;
                    }
                }
            };
        }
        self.due = Some(self.now);
    }

    /// A write, as it may go; none if the process died of it.
    fn write(&mut self, call: Call) -> Option<Move> {
        let present = call == Call::Add;
        let sent = self.now;
        let dice = if self.faults {
            self.rng.gen_range(0..100)
        } else {
            99
        };
        let late = |life: &mut Self, longest: i64| {
            let at = life.now + Duration::milliseconds(life.rng.gen_range(1..longest));
            life.target.late.push((at, present));
        };
        match dice {
            // Died before it was sent, after it took effect, or with it under way.
            0..4 => return None,
            4..8 => {
                self.target.apply(self.now, present);
                return None;
            }
            8..12 => {
                late(self, LATE_OF_THE_DEAD);
                return None;
            }
            12..18 => late(self, LATE),
            18..24 => self.target.apply(self.now, present),
            24..30 => {}
            _ => {
                self.target.apply(self.now, present);
                let takes = self.rng.gen_range(0..2000);
                self.pass(takes);
                answered(&mut self.row, call, sent, self.now);
                return Some(accepted(&mut self.row, self.now, Bounds::default(), call));
            }
        }
        let takes = self.rng.gen_range(0..2000);
        self.pass(takes);
        answered(&mut self.row, call, sent, self.now);
        let failure = Failure::Later {
            after: None,
            throttled: false,
            why: "no answer".into(),
        };
        let evidence = Evidence::default();
        Some(failed(
            &mut self.row,
            call,
            &failure,
            &evidence,
            self.now,
            0.5,
        ))
    }

    /// What is confirmed is so, and nothing of ours is on its way that would change it.
    fn check(&self, moved: &Move) {
        if moved.confirmed {
            let present = self.row.observed == Observed::Present;
            assert_eq!(present, self.target.there, "{:?}", self.row);
            assert!(
                self.target.late.iter().all(|(_, late)| *late == present),
                "a write is on its way: {:?} {:?}",
                self.target.late,
                self.row
            );
        }
    }

    fn live(&mut self) {
        for _ in 0..STEPS {
            match self.rng.gen_range(0..10) {
                0..2 => self.turn_round(),
                2..5 => {
                    let ahead = self.rng.gen_range(1..30_000);
                    self.pass(ahead);
                }
                5..7 => {
                    let ahead = self
                        .due
                        .map_or(0, |due| (due - self.now).num_milliseconds());
                    self.pass(ahead.max(0) + 1);
                    self.work();
                }
                _ => {
                    if self.due.is_some_and(|due| due <= self.now) {
                        self.work();
                    }
                }
            }
        }
        // The target becomes well again.
        self.faults = false;
        for _ in 0..500 {
            let Some(due) = self.due else { break };
            self.pass((due - self.now).num_milliseconds().max(0) + 1);
            self.work();
        }
        assert_eq!(self.due, None, "it never rests: {:?}", self.row);
        self.pass(LATE_OF_THE_DEAD);
        assert_eq!(self.target.there, self.row.desired, "{:?}", self.row);
        assert_eq!(self.row.phase, Phase::Settled);
    }
}

#[test]
fn simulation_of_one_assignment() {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let seeds = match number("LATCHKEY_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("LATCHKEY_SEEDS").unwrap_or(0).max(LIVES),
    };
    for seed in seeds {
        let lived = std::panic::catch_unwind(|| Life::new(seed).live());
        assert!(lived.is_ok(), "repeat with LATCHKEY_SEED={seed}");
    }
}
