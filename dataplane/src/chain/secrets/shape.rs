//! What a provider's credential looks like: an automaton that begins where a word was found.
//!
//! *Lives on* all shards: immutable after compilation, shared by reference.

use hashbrown::HashSet;
use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::util::primitives::StateID;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};

use super::compile::PATTERN_BYTES;

/// A compiled shape: anchored, ASCII, fully built, so that nothing is left to do, and no memory to find, at scan time.
#[derive(Debug)]
pub(super) struct Shape {
    dfa: dense::DFA<Vec<u32>>,
    /// Where the automaton begins, when that does not depend on what stands before.
    start: Option<StateID>,
    /// How many token characters every match begins with at least.
    least: usize,
}

impl Shape {
    pub(super) fn compile(pattern: &str) -> Result<Shape, Box<dense::BuildError>> {
        let dfa = dense::Builder::new()
            .configure(
                dense::Config::new()
                    .start_kind(StartKind::Anchored)
                    .dfa_size_limit(Some(PATTERN_BYTES))
                    .determinize_size_limit(Some(PATTERN_BYTES)),
            )
            .syntax(syntax::Config::new().unicode(false).utf8(false))
            .thompson(thompson::Config::new().utf8(false).which_captures(WhichCaptures::None))
            .build(pattern)?;
        let start = dfa.universal_start_state(Anchored::Yes);
        let least = start.map_or(0, |start| least_run(&dfa, start));
        Ok(Shape { dfa, start, least })
    }

    /// How many token characters every match begins with at least.
    pub(super) fn least(&self) -> usize {
        self.least
    }

    /// Where the match that begins at `start` ends, and how many bytes were looked at. No match reaches beyond `end`.
    pub(super) fn longest(&self, text: &[u8], start: usize, end: usize) -> (Option<usize>, usize) {
        let range = text.get(start..end).unwrap_or_default();
        if let Some(broken) = range.iter().take(self.least).position(|b| !is_token(*b)) {
            return (None, broken);
        }
        let begin = || self.dfa.start_state_forward(&Input::new(text).range(start..end).anchored(Anchored::Yes)).ok();
        let Some(mut state) = self.start.or_else(begin) else { return (None, 0) };
        let mut found = None;
        // A match is known one byte late.
        for (at, byte) in range.iter().enumerate() {
            state = self.dfa.next_state(state, *byte);
            if self.dfa.is_special_state(state) {
                if self.dfa.is_match_state(state) {
                    found = Some(start + at);
                } else if self.dfa.is_dead_state(state) || self.dfa.is_quit_state(state) {
                    return (found, at + 1);
                }
            }
        }
        let state = text.get(end).map_or_else(|| self.dfa.next_eoi_state(state), |next| self.dfa.next_state(state, *next));
        if self.dfa.is_match_state(state) {
            found = Some(end);
        }
        (found, range.len())
    }

    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.dfa.memory_usage()
    }
}

/// The shortest run of token characters that brings an automaton to a match, or to where it takes another character.
fn least_run(dfa: &dense::DFA<Vec<u32>>, start: StateID) -> usize {
    /// LIMIT: longer runs are not told apart.
    const LONGEST: usize = 128;
    let mut seen = HashSet::new();
    let mut states = vec![start];
    for run in 0..LONGEST {
        let mut next = Vec::new();
        for state in states {
            if dfa.is_match_state(dfa.next_eoi_state(state)) {
                return run;
            }
            for unit in dfa.byte_classes().representatives(0..=255) {
                let Some(byte) = unit.as_u8() else { continue };
                let after = dfa.next_state(state, byte);
                if dfa.is_dead_state(after) {
                    continue;
                }
                if !is_token(byte) || dfa.is_match_state(after) {
                    return run;
                }
                if seen.insert(after) {
                    next.push(after);
                }
            }
        }
        if next.is_empty() {
            return 0;
        }
        states = next;
    }
    LONGEST
}

/// Bytes that credentials are made of.
pub(super) fn is_token(byte: u8) -> bool {
    TOKEN_BYTES[usize::from(byte)]
}

const TOKEN_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'~' | b'+' | b'/' | b'=');
        byte += 1;
    }
    table
};

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn a_match_begins_with_at_least_so_many_token_characters() {
        for (pattern, least) in [
            ("ghp_[A-Za-z0-9]{36}", 40),
            ("[a-f0-9]{32}|[a-f0-9]{40}", 32),
            ("key: ?[a-z]{8}", 3),
            ("(?:sk|pk)_(?:live|test)_[a-z]{4,}", 12),
            (r"[a-z]{4}\b", 4),
            ("[^ ]{20}", 0),
            ("[a-z]*", 0),
        ] {
            assert_eq!(Shape::compile(pattern).unwrap().least(), least, "{pattern}");
        }
    }

    proptest::proptest! {
        #[test]
        fn matches_what_the_library_matches(
            pattern in proptest::sample::select(vec![
                "ab[ab]{2,5}", "(?:a|ab)(?:c|bcd)", "a+?b", r"\ba[a-c]{3}\b", "a[^ ]{0,3}c?", "(?i)ab{2}", "a", "a*", "abc$",
            ]),
            text in "[abcAB 1_]{0,12}",
            start in 0..12_usize,
            cut in 0..12_usize,
        ) {
            let start = start.min(text.len());
            let end = cut.clamp(start, text.len());
            let shape = Shape::compile(pattern).unwrap();
            let input = Input::new(text.as_bytes()).range(start..end).anchored(Anchored::Yes);
            let found = shape.dfa.try_search_fwd(&input).unwrap().map(|half| half.offset());
            proptest::prop_assert_eq!(shape.longest(text.as_bytes(), start, end).0, found);
        }
    }
}
