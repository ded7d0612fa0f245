//! A deterministic generator of pseudo-random numbers, for unit tests.

/// The generator, by its state.
pub(in crate::judgement) struct Lot(pub(in crate::judgement) u64);

impl Lot {
    /// A number less than `below`.
    pub(in crate::judgement) fn draw(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
        (self.0 >> 33) % below
    }

    /// The same, as an index.
    pub(in crate::judgement) fn index(&mut self, below: u64) -> usize {
        usize::try_from(self.draw(below)).expect("what is drawn is an index")
    }

    /// The same, in 32 bits.
    pub(in crate::judgement) fn number(&mut self, below: u64) -> u32 {
        u32::try_from(self.draw(below)).expect("what is drawn has at most 31 bits")
    }
}
