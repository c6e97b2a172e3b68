//! Sets of words that are asked in an instant, because most words asked about are in none.
//!
//! *Lives on* nothing: constants.

/// Words in small letters, asked in any case.
pub(in super::super) struct Words<const N: usize> {
    list: [&'static str; N],
    /// For each look of a word the number of the last word that has it, counted from one.
    last: [u8; LOOKS],
    /// For each word the number of the one before it of the same look.
    before: [u8; N],
}

/// How many looks of words are told apart.
const LOOKS: usize = 512;

impl<const N: usize> Words<N> {
    pub(in super::super) const fn new(list: [&'static str; N]) -> Words<N> {
        assert!(N < 256, "a word's number is one byte");
        let (mut last, mut before) = ([0; LOOKS], [0; N]);
        let mut at = 0;
        while at < N {
            let look = look(list[at].as_bytes());
            before[at] = last[look];
            at += 1;
            last[look] = at as u8;
        }
        Words { list, last, before }
    }

    /// Whether a word is one of them.
    pub(in super::super) fn hold(&self, word: &[u8]) -> bool {
        let mut number = usize::from(self.last[look(word)]);
        while let Some(at) = number.checked_sub(1) {
            if word.eq_ignore_ascii_case(self.list[at].as_bytes()) {
                return true;
            }
            number = usize::from(self.before[at]);
        }
        false
    }
}

/// What a word looks like from afar: its ends, whatever their case, and its length.
const fn look(word: &[u8]) -> usize {
    match word {
        [] => 0,
        [first, ..] => ((*first & 0x1f) as usize * 37 + (word[word.len() - 1] & 0x1f) as usize * 5 + word.len() * 101) % LOOKS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_its_words_in_any_case_and_no_other() {
        static WORDS: Words<4> = Words::new(["key", "api_key", "md5", "a"]);
        for word in ["key", "KEY", "Api_Key", "md5", "A"] {
            assert!(WORDS.hold(word.as_bytes()), "{word}");
        }
        for word in ["", "k", "kay", "keys", "md6", "api-key", "b"] {
            assert!(!WORDS.hold(word.as_bytes()), "{word}");
        }
    }
}
