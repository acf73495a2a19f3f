//! Choices that follow from the seed alone.

/// A stream of numbers (SplitMix64).
#[derive(Clone, Debug)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, and without, `most`; 0 if that is not positive.
    pub(super) fn up_to(&mut self, most: i64) -> i64 {
        u64::try_from(most)
            .ok()
            .filter(|most| *most > 0)
            .map_or(0, |most| (self.next() % most) as i64)
    }

    /// True in so many of a hundred cases.
    pub(super) fn in_hundred(&mut self, cases: i64) -> bool {
        self.up_to(100) < cases
    }

    /// One of several, which must not be empty.
    pub(super) fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.up_to(of.len() as i64) as usize]
    }
}
