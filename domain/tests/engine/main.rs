//! The approval engine against a model of it that shares no code with it: random policies, companies, decisions and
//! clocks. Each seed is one request from its submission to its end.
//!
//! `LATCHKEY_SEEDS` says how many seeds the slow simulations run, and these run five for each of them; `LATCHKEY_SEED`
//! repeats one. A new approver rule is one row of [`world::World::named_by`]; a new thing that can happen is one arm of
//! [`life::Life::step`].

mod clock;
mod life;
mod model;
mod world;

/// Random numbers that a seed repeats (SplitMix64).
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0xa076_1d64_78bd_642f))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not zero.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// True once in so many throws.
    pub fn once_in(&mut self, throws: usize) -> bool {
        self.below(throws) == 0
    }

    /// Some of the numbers below `end`.
    pub fn some_of(&mut self, end: usize, most: usize) -> Vec<usize> {
        let count = self.below(most + 1);
        let mut some: Vec<usize> = (0..count).map(|_| self.below(end)).collect();
        some.sort_unstable();
        some.dedup();
        some
    }
}

/// The seeds of this run, `usual` many where nothing else is said.
fn seeds(usual: u64) -> std::ops::RangeInclusive<u64> {
    let read = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    match read("LATCHKEY_SEED") {
        Some(seed) => seed..=seed,
        None => 1..=read("LATCHKEY_SEEDS").map_or(usual, |seeds| seeds.saturating_mul(5)),
    }
}

#[test]
fn simulation_of_the_approval_engine_agrees_with_the_model() {
    let mut seen = life::Seen::default();
    for seed in seeds(5_000) {
        life::run(seed, &mut seen);
    }
    if std::env::var_os("LATCHKEY_SEED").is_none() {
        // A simulation that never comes to these proves nothing about them.
        seen.must_have_happened();
    }
}

#[test]
fn simulation_of_the_clock_of_a_waiting_line_agrees_with_the_model() {
    for seed in seeds(5_000) {
        clock::run(seed);
    }
}
