//! Choices that bytes determine.

use crate::dice::Dice;

/// Bytes that determine choices.
pub struct Choices<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Choices<'b> {
    pub fn of(bytes: &'b [u8]) -> Self {
        Choices { bytes, at: 0 }
    }

    /// A number below `sides`.
    pub fn below(&mut self, sides: u8) -> u8 {
        let byte = self.bytes.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        byte % sides
    }

    /// True once in `times` on average; never if the bytes have ended.
    pub fn once_in(&mut self, times: u8) -> bool {
        self.below(times) == times - 1
    }
}

/// As many bytes as a protocol and its setting need, from a seed.
pub fn bytes_of(seed: u64) -> Vec<u8> {
    let mut dice = Dice(seed);
    let mut bytes = Vec::new();
    while bytes.len() < 160 {
        bytes.extend(dice.next().to_le_bytes());
    }
    bytes
}
