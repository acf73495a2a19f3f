//! The clock of a waiting line, counted second by second.

use chrono::{DateTime, Duration, Utc};
use domain::waiting::{Pending, STANDS_MOST};

use crate::Dice;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + second, 0).expect("within the calendar")
}

/// A line that waits: how long it has run and stood, in seconds.
struct Counted {
    now: i64,
    ran: i64,
    stood: i64,
    asked: bool,
}

/// Questions, answers and time at random, until the line lapses.
pub fn run(seed: u64) {
    let mut dice = Dice::new(seed);
    let limit = 1 + dice.below(3_000) as i64;
    // The model counts hours, so that fourteen days are few steps.
    let most = STANDS_MOST.num_hours();
    let hour = |count: i64| at(count * 3600);
    let mut pending = Pending {
        lapse_at: hour(limit),
        asked_back_at: None,
        stood: Duration::zero(),
        waits_since: None,
    };
    let mut counted = Counted {
        now: 0,
        ran: 0,
        stood: 0,
        asked: false,
    };
    for _ in 0..30 {
        match dice.below(4) {
            0 => {
                pending = pending.asked(hour(counted.now));
                counted.asked = true;
            }
            1 => {
                pending = pending.answered(hour(counted.now));
                counted.asked = false;
            }
            _ => {
                for _ in 0..=dice.below(200) {
                    counted.now += 1;
                    if counted.asked && counted.stood < most {
                        counted.stood += 1;
                    } else {
                        counted.ran += 1;
                    }
                }
            }
        }
        let over = counted.ran >= limit;
        let now = hour(counted.now);
        assert_eq!(pending.is_over(now), over, "seed {seed}, {pending:?}");
        let stands = counted.asked && counted.stood < most;
        assert_eq!(pending.is_still(now), stands, "seed {seed}, {pending:?}");
        if over {
            return;
        }
        let left = limit - counted.ran;
        assert_eq!(
            pending.lapses_at(now),
            hour(counted.now + left),
            "seed {seed}"
        );
    }
}
