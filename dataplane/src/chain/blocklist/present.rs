//! Which bytes a text holds: by kind, or each. Nearly everything that detectors look for has a byte that most texts lack,
//! so that most searches end before they begin.
//!
//! Lives on the stack of one check.

use memchr::memmem;

/// Which kinds of bytes a text has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks(u16);

impl Marks {
    /// A space or a tab.
    pub(super) const SPACE: u16 = 1;
    /// A slash, a backslash or a colon.
    pub(super) const SLASH: u16 = 1 << 1;
    pub(super) const PERCENT: u16 = 1 << 2;
    /// A byte of a character that is not ASCII.
    pub(super) const WIDE: u16 = 1 << 3;
    /// The letter that begins the digits of a byte.
    pub(super) const X: u16 = 1 << 4;
    /// What no plain path has.
    pub(super) const ODD: u16 = 1 << 5;
    /// What ends a file's name where something else reads on.
    pub(super) const CUT: u16 = 1 << 6;
    /// What a shell reads as more than a word.
    pub(super) const BREAK: u16 = 1 << 7;
    /// No byte of names and numbers, nor any of `SPACE`, `SLASH`, `PERCENT` and `WIDE`.
    pub(super) const OTHER: u16 = 1 << 8;

    /// Reads the text once. Cost: some 0.3 ns a byte.
    pub(super) fn of(text: &[u8]) -> Self {
        let mut marks = 0;
        for byte in text {
            marks |= MARKS[usize::from(*byte)];
        }
        Self(marks)
    }

    /// Where the first byte of these kinds stands.
    pub(super) fn position(text: &[u8], any: u16) -> Option<usize> {
        text.iter().position(|byte| MARKS[usize::from(*byte)] & any != 0)
    }

    pub(super) fn has(self, any: u16) -> bool {
        self.0 & any != 0
    }

    /// Letters, digits, spaces and the marks of names and numbers.
    pub(super) fn is_plain(self) -> bool {
        !self.has(Self::SLASH | Self::PERCENT | Self::WIDE | Self::OTHER)
    }

    /// Whether nothing in the text, which these are of, is percent-encoded or spelled.
    pub(super) fn is_literal(self, text: &[u8]) -> bool {
        let behind_zero = |at: usize| at.checked_sub(1).and_then(|before| text.get(before)) == Some(&b'0');
        let is_spelled = || self.has(Self::X) && memchr::memchr2_iter(b'x', b'X', text).any(behind_zero);
        !self.has(Self::PERCENT | Self::WIDE) && !is_spelled()
    }
}

static MARKS: [u16; 256] = {
    let mut marks = [0; 256];
    let mut at = 0;
    while at < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "the loop ends at 256")]
        let byte = at as u8;
        marks[at] = match byte {
            b' ' | b'\t' => Marks::SPACE,
            b'/' | b'\\' | b':' => Marks::SLASH,
            b'%' => Marks::PERCENT,
            0x80.. => Marks::WIDE,
            b'x' | b'X' => Marks::X,
            _ if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b',' | b'@') => 0,
            _ => Marks::OTHER,
        };
        if matches!(byte, b'\\' | 0 | b' ' | b'\n' | b'<') {
            marks[at] |= Marks::ODD;
        }
        if matches!(byte, b'?' | b'#' | b'%' | b'|' | b'"' | b'\'' | b'>' | b'&' | b';') {
            marks[at] |= Marks::CUT;
        }
        if matches!(byte, b';' | b'|' | b'&' | b'`' | b'\n' | b'\r' | b'$' | b'\\' | b'(' | b'<' | b':' | b'=') {
            marks[at] |= Marks::BREAK;
        }
        at += 1;
    }
    marks
};

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
