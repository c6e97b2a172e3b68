//! A text with the set of bytes it holds. Nearly everything that detectors look for has a byte that most texts lack, so
//! that most searches end before they begin.
//!
//! Lives on the stack of one check.

use memchr::memmem;

/// A text and its bytes.
pub(super) struct Text<'t> {
    bytes: &'t [u8],
    held: [bool; 256],
}

impl<'t> Text<'t> {
    /// Reads the text once. Cost: some 0.4 ns a byte.
    pub(super) fn of(bytes: &'t [u8]) -> Self {
        let mut held = [false; 256];
        for byte in bytes {
            if let Some(slot) = held.get_mut(usize::from(*byte)) {
                *slot = true;
            }
        }
        Self { bytes, held }
    }

    pub(super) fn bytes(&self) -> &'t [u8] {
        self.bytes
    }

    pub(super) fn holds(&self, byte: u8) -> bool {
        self.held.get(usize::from(byte)).is_some_and(|held| *held)
    }

    /// Where `part` stands first.
    pub(super) fn find(&self, part: &[u8]) -> Option<usize> {
        if part.iter().all(|byte| self.holds(*byte)) { memmem::find(self.bytes, part) } else { None }
    }

    pub(super) fn has(&self, part: &[u8]) -> bool {
        self.find(part).is_some()
    }

    /// Whether a part in small letters stands anywhere, whatever the capitals.
    pub(super) fn has_folded(&self, part: &[u8]) -> bool {
        let [first, ..] = part else { return false };
        if !part.iter().all(|byte| self.holds(*byte) || self.holds(byte.to_ascii_uppercase())) {
            return false;
        }
        memchr::memchr2_iter(*first, first.to_ascii_uppercase(), self.bytes)
            .any(|at| self.bytes.get(at..at + part.len()).is_some_and(|head| head.eq_ignore_ascii_case(part)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_what_a_plain_search_finds(text in "[aAbB(){}]{0,12}", part in "[ab({]{1,3}") {
            let read = Text::of(text.as_bytes());
            prop_assert_eq!(read.find(part.as_bytes()), text.find(&part));
            prop_assert_eq!(read.has_folded(part.as_bytes()), text.to_lowercase().contains(&part));
        }
    }
}
