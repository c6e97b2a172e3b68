//! The prefilter: finds every occurrence of a few thousand words in one pass at a cost of about one
//! cycle per byte, so that a clean document never meets a regular expression.
//!
//! *Lives on* all shards: immutable after compilation, shared by reference.
//!
//! A text is probed at every second byte only. Each probe hashes four case-folded bytes (a *gram*) into a
//! 256 KiB bitmap; because a word of five or more bytes holds two grams at neighbouring offsets, one of them
//! always falls on a probed position. Of a word's grams the rarest neighbouring pair is the one looked for,
//! so `password` costs nothing when a text is full of `pass`. Words of three and four bytes are completed with
//! every ASCII byte that may stand beside them (beside any other byte they may be missed). Unlike a trie automaton there is no load that waits for the load before it.

use hashbrown::HashMap;

/// log2 of the number of bits in the filter: 256 KiB. The part of it that one text touches is small.
const FILTER_BITS: u32 = 21;
/// log2 of the number of bits in the second filter: 128 KiB.
const CLOSE_BITS: u32 = 20;
/// Bytes of text that one block probes: four probes, two bytes apart.
pub(super) const BLOCK: usize = 8;
/// Bytes that must be readable at a block's start: the last probe reads bytes 6 to 9.
pub(super) const BLOCK_READ: usize = 10;
/// Blocks that are probed together, without a branch between them.
const SPAN_BLOCKS: usize = 8;
/// Bytes of text that one span probes.
pub(super) const SPAN: usize = SPAN_BLOCKS * BLOCK;
/// Bytes that must be readable at a span's start.
pub(super) const SPAN_READ: usize = SPAN + BLOCK_READ - BLOCK;

/// One word looked for, and what it leads to.
#[derive(Debug)]
pub(super) struct Word {
    /// Lower case unless `exact`.
    text: Box<[u8]>,
    /// Whether case matters.
    exact: bool,
    /// What the compiler wants to know again when the word is found.
    pub(super) payload: u32,
}

impl Word {
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    fn stands_at(&self, text: &[u8], at: usize) -> bool {
        match text.get(at..at + self.text.len()) {
            Some(found) if self.exact => *found == *self.text,
            Some(found) => found.eq_ignore_ascii_case(&self.text),
            None => false,
        }
    }
}

/// What may stand beside a short word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Edges {
    /// Any ASCII byte.
    Any,
    /// Before it no letter or digit (but those of a spelled `\n`), behind it only bytes of tokens.
    Token,
}

/// Where in which word a gram stands, and enough of the word to tell most texts from it without reading it.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    word: u32,
    /// Offset of the gram in the word; -1 when it begins one byte before it.
    offset: i8,
    /// Length, first and last byte of the word, the bytes folded.
    len: u8,
    first: u8,
    last: u8,
}

impl Place {
    /// Where the word begins if its ends stand around the gram at `at`.
    #[inline]
    fn start_in(self, text: &[u8], at: usize) -> Option<usize> {
        let start = at.checked_add_signed(-isize::from(self.offset))?;
        let first = *text.get(start)? | 0x20;
        let last = *text.get(start + usize::from(self.len).saturating_sub(1))? | 0x20;
        (first == self.first && last == self.last).then_some(start)
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    gram: u32,
    first: u32,
    len: u32,
    /// The only place of most grams, kept here so that it is read together with the gram.
    only: Place,
}

/// The compiled word list.
#[derive(Debug)]
pub(super) struct Grams {
    filter: Box<[u64; 1 << (FILTER_BITS - 6)]>,
    /// One gram in ten of any text is one of some word. With the next byte of the word, or the one before, it seldom is:
    /// this is asked before the slot, which is far away.
    close: Box<[u64; 1 << (CLOSE_BITS - 6)]>,
    slots: Box<[Slot]>,
    /// How far a hash is shifted to index `slots`: the high bits of a product are the well mixed ones.
    shift: u32,
    places: Box<[Place]>,
    words: Box<[Word]>,
}

const FOLD: u32 = 0x2020_2020;

/// The factor is that of some thousand under which the fewest of the commonest grams share a bit with one of ours.
/// Only the speed depends on it.
fn hash(gram: u32) -> u32 {
    gram.wrapping_mul(0x2E1C_FDD9)
}

/// What is known of a word beside the gram looked for.
#[derive(Debug, Clone, Copy)]
enum Beside {
    /// The byte behind it.
    After(u8),
    /// The byte before it, of words that end with the gram.
    Before(u8),
    /// Nothing: the word is no longer.
    Nothing,
}

impl Beside {
    fn of(word: &[u8], offset: i32) -> Beside {
        let at = |at: i32| usize::try_from(at).ok().and_then(|at| word.get(at)).copied();
        at(offset + 4).map(Beside::After).or_else(|| at(offset - 1).map(Beside::Before)).unwrap_or(Beside::Nothing)
    }

    /// Which bit of the second filter stands for it.
    #[inline]
    fn bit(self, gram: u32) -> u32 {
        let (kind, byte) = match self {
            Beside::After(byte) => (1, byte | 0x20),
            Beside::Before(byte) => (2, byte | 0x20),
            Beside::Nothing => (3, 0),
        };
        let key = u64::from(gram) | u64::from(byte) << 32 | kind << 40;
        (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - CLOSE_BITS)) as u32
    }
}

/// The commonest grams of source code, configuration and prose, folded, commonest first: 32 to a line.
/// Counted over public packages and manuals; only the speed depends on it, never what is found.
const COMMON: &[u8] = include_bytes!("common_grams.txt");

/// How common each common gram is: the higher the commoner.
fn commonness() -> HashMap<u32, u32> {
    let grams = COMMON.split(|b| *b == b'\n').flat_map(|line| line.chunks_exact(4)).filter_map(|g| <[u8; 4]>::try_from(g).ok());
    let known: Vec<u32> = grams.map(u32::from_le_bytes).collect();
    let count = u32::try_from(known.len()).unwrap_or(u32::MAX);
    known.into_iter().zip((0..count).map(|rank| (1 << 20) / (rank + 16))).collect()
}

impl Grams {
    /// Compiles words of 3 to 127 bytes; others are refused.
    pub(super) fn compile(list: impl IntoIterator<Item = (Vec<u8>, bool, Edges, u32)>) -> Result<Grams, Vec<u8>> {
        let common = commonness();
        let mut words = Vec::new();
        let mut by_gram: HashMap<u32, Vec<Place>> = HashMap::new();
        let mut close = Box::new([0_u64; 1 << (CLOSE_BITS - 6)]);
        for (text, exact, edges, payload) in list {
            if !(3..=127).contains(&text.len()) {
                return Err(text);
            }
            let text = if exact { text } else { text.to_ascii_lowercase() };
            let index = u32::try_from(words.len()).unwrap_or(u32::MAX);
            let (Ok(len), Some(&first), Some(&last)) = (u8::try_from(text.len()), text.first(), text.last()) else {
                return Err(text);
            };
            for (gram, offset) in grams_of(&text, edges, &common) {
                let bit = Beside::of(&text, offset).bit(gram);
                close[(bit >> 6) as usize] |= 1 << (bit & 63);
                let Ok(offset) = i8::try_from(offset) else { return Err(text) };
                let place = Place { word: index, offset, len, first: first | 0x20, last: last | 0x20 };
                by_gram.entry(gram).or_default().push(place);
            }
            words.push(Word { text: text.into(), exact, payload });
        }

        let mut filter = Box::new([0u64; 1 << (FILTER_BITS - 6)]);
        let size = (by_gram.len() * 2).next_power_of_two().max(64);
        let shift = 32 - size.trailing_zeros().min(31);
        let mut slots = vec![Slot::default(); size].into_boxed_slice();
        let mut places = Vec::new();
        let mut sorted: Vec<_> = by_gram.into_iter().collect();
        sorted.sort_by_key(|(gram, _)| *gram);
        for (gram, found) in sorted {
            let bit = hash(gram) >> (32 - FILTER_BITS);
            filter[(bit >> 6) as usize] |= 1 << (bit & 63);
            let mut at = (hash(gram) >> shift) as usize;
            while slots[at].len != 0 {
                at = (at + 1) & (size - 1);
            }
            let first = u32::try_from(places.len()).unwrap_or(u32::MAX);
            let only = found.first().copied().unwrap_or_default();
            slots[at] = Slot { gram, first, len: u32::try_from(found.len()).unwrap_or(u32::MAX), only };
            places.extend(found);
        }
        Ok(Grams { filter, close, slots, shift, places: places.into(), words: words.into() })
    }

    #[inline]
    fn bit(&self, gram: u32) -> u64 {
        let bit = hash(gram) >> (32 - FILTER_BITS);
        // The shift leaves FILTER_BITS bits, so the masked index is always inside the array.
        (self.filter[(bit >> 6) as usize & ((1 << (FILTER_BITS - 6)) - 1)] >> (bit & 63)) & 1
    }

    /// Probes a block whole. Bit `n` of the answer: something may stand at byte `2 n`.
    #[inline]
    pub(super) fn probe(&self, block: &[u8; BLOCK_READ]) -> u64 {
        let (even, odd) = (block.first_chunk::<8>(), block.last_chunk::<8>());
        self.probe_words(even.map_or(0, |bytes| u64::from_le_bytes(*bytes)), odd.map_or(0, |bytes| u64::from_le_bytes(*bytes)))
    }

    /// The same for eight blocks: bit `n` for byte `2 n`.
    #[inline]
    pub(super) fn probe_span(&self, span: &[u8; SPAN_READ]) -> u32 {
        (0..SPAN_BLOCKS).fold(0, |mask, block| {
            let bits = self.probe_words(word_at(span, block * BLOCK), word_at(span, block * BLOCK + 2));
            mask | (bits as u32) << (4 * block)
        })
    }

    /// The same for the block at `at`, as if NULs stood behind the text.
    #[inline]
    pub(super) fn probe_padded(&self, text: &[u8], at: usize) -> u64 {
        let even = padded(text, at);
        self.probe_words(even, if at + BLOCK < text.len() { padded(text, at + 2) } else { even >> 16 })
    }

    #[inline]
    fn probe_words(&self, even: u64, odd: u64) -> u64 {
        const FOLDS: u64 = (FOLD as u64) << 32 | FOLD as u64;
        let (even, odd) = (even | FOLDS, odd | FOLDS);
        self.bit(even as u32) | self.bit(odd as u32) << 1 | self.bit((even >> 32) as u32) << 2 | self.bit((odd >> 32) as u32) << 3
    }

    /// The gram at `at`, folded, when it has beside it what it has in one of its words. Bytes beyond the text count as NUL.
    #[inline]
    fn close_gram(&self, text: &[u8], at: usize) -> Option<u32> {
        // One byte more on either side.
        let around = match at.checked_sub(1).and_then(|from| text.get(from..)).and_then(<[u8]>::first_chunk::<8>) {
            Some(eight) => u64::from_le_bytes(*eight),
            None => padded_around(text, at),
        };
        let (before, gram, after) = (around as u8, (around >> 8) as u32 | FOLD, (around >> 40) as u8);
        let close = [Beside::After(after), Beside::Before(before), Beside::Nothing].into_iter().any(|beside| {
            let bit = beside.bit(gram);
            self.close[(bit >> 6) as usize & ((1 << (CLOSE_BITS - 6)) - 1)] >> (bit & 63) & 1 == 1
        });
        close.then_some(gram)
    }

    /// Whether any word may stand in a text, probed whole: what a short text is asked before anything else.
    pub(super) fn may_hold(&self, text: &[u8]) -> bool {
        (0..text.len()).step_by(BLOCK).any(|block| {
            let mut mask = self.probe_padded(text, block);
            while mask != 0 {
                let at = block + 2 * mask.trailing_zeros() as usize;
                mask &= mask - 1;
                if self.close_gram(text, at).is_some() {
                    return true;
                }
            }
            false
        })
    }

    /// Calls `found(word, start)` for every word whose gram stands at `at`.
    /// Bytes beyond the end count as NUL, so a word at the very end is found too.
    #[inline]
    pub(super) fn words_at(&self, text: &[u8], at: usize, mut found: impl FnMut(&Word, usize)) {
        let Some(gram) = self.close_gram(text, at) else { return };
        let mut visit = |place: Place| {
            if let Some(start) = place.start_in(text, at) {
                let word = &self.words[place.word as usize];
                if word.stands_at(text, start) {
                    found(word, start);
                }
            }
        };
        let mut slot = (hash(gram) >> self.shift) as usize;
        loop {
            let here = &self.slots[slot];
            if here.len == 0 {
                return;
            }
            if here.gram == gram {
                if here.len == 1 {
                    return visit(here.only);
                }
                let first = here.first as usize;
                return self.places[first..first + here.len as usize].iter().copied().for_each(visit);
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
    }
}

/// Eight bytes of a span.
#[inline]
fn word_at(span: &[u8; SPAN_READ], at: usize) -> u64 {
    span.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |eight| u64::from_le_bytes(*eight))
}

/// Which blocks of a span have no byte below `+`: no white space, quote, parenthesis.
#[inline]
pub(super) fn unbroken(span: &[u8; SPAN_READ]) -> u8 {
    (0..SPAN_BLOCKS).fold(0, |mask, block| mask | u8::from(is_unbroken(word_at(span, block * BLOCK))) << block)
}

/// Whether none of eight bytes is below `+`.
#[inline]
pub(super) fn is_unbroken(word: u64) -> bool {
    const LOW: u64 = 0x2b * (u64::MAX / 255);
    const HIGH: u64 = 0x80 * (u64::MAX / 255);
    word.wrapping_sub(LOW) & !word & HIGH == 0
}

/// Eight bytes at `at`, NULs where the text has none. Put together in registers: bytes written one by one and read as a
/// word are waited for.
#[inline]
pub(super) fn padded(text: &[u8], at: usize) -> u64 {
    let rest = text.get(at..).unwrap_or_default();
    if let Some(eight) = rest.first_chunk::<8>() {
        return u64::from_le_bytes(*eight);
    }
    if let (Some(first), Some(last)) = (rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
        let shift = 8 * (rest.len() as u32 - 4);
        return u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << shift;
    }
    rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// The byte before `at` and seven from there on: NUL for what the text has not.
#[cold]
fn padded_around(text: &[u8], at: usize) -> u64 {
    let before = at.checked_sub(1).and_then(|at| text.get(at)).copied().unwrap_or(0);
    padded(text, at) << 8 | u64::from(before)
}

/// The grams under which a word is filed: two neighbouring ones, so that one of them is probed.
fn grams_of(word: &[u8], edges: Edges, common: &HashMap<u32, u32>) -> Vec<(u32, i32)> {
    let fold = |bytes: [u8; 4]| u32::from_le_bytes(bytes) | FOLD;
    // Bytes as they are after folding; before the start and behind the end of a text it reads as NUL.
    let all = || (0x20u8..0x40).chain(0x60..0x80);
    let before =
        move || all().filter(move |b| edges == Edges::Any || !b.is_ascii_alphanumeric() || matches!(b, b'n' | b'r' | b't'));
    let after = move || {
        let token = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'/' | b'+' | b'$' | b'=' | 0x7f);
        all().filter(move |b| edges == Edges::Any || token(b))
    };
    match *word {
        [a, b, c] => after().map(|n| (fold([a, b, c, n]), 0)).chain(before().map(|n| (fold([n, a, b, c]), -1))).collect(),
        [a, b, c, d] => {
            let behind: Vec<_> = after().map(|n| (fold([b, c, d, n]), 1)).collect();
            let ahead: Vec<_> = before().map(|n| (fold([n, a, b, c]), -1)).collect();
            let cost = |grams: &[(u32, i32)]| grams.iter().map(|(gram, _)| common.get(gram).copied().unwrap_or(0)).sum::<u32>();
            // A token goes on behind its prefix, whatever stands before it.
            let rarer = if edges == Edges::Any && cost(&ahead) < cost(&behind) { ahead } else { behind };
            std::iter::once((fold([a, b, c, d]), 0)).chain(rarer).collect()
        }
        _ => {
            let cost = |at: usize| -> u32 {
                let gram = |at: usize| word.get(at..at + 4).and_then(|g| <[u8; 4]>::try_from(g).ok()).map_or(0, fold);
                // Of grams that are not common at all, those of letters alone are the likelier ones.
                let letters = word[at..at + 5].iter().filter(|b| b.is_ascii_alphabetic() || **b == b' ').count();
                let own = |at: usize| common.get(&gram(at)).copied().unwrap_or(0);
                (own(at) + own(at + 1)) * 8 + u32::try_from(letters).unwrap_or(0)
            };
            let best = (0..=word.len() - 5).min_by_key(|&at| cost(at)).unwrap_or(0);
            [best, best + 1]
                .into_iter()
                .filter_map(|at| {
                    let four: [u8; 4] = word.get(at..at + 4)?.try_into().ok()?;
                    Some((fold(four), i32::try_from(at).ok()?))
                })
                .collect()
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    /// Every word start, found the slow and obvious way.
    fn oracle(words: &[&str], text: &[u8]) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        for (index, word) in words.iter().enumerate() {
            for at in 0..text.len() {
                if text.get(at..at + word.len()).is_some_and(|t| t.eq_ignore_ascii_case(word.as_bytes())) {
                    found.push((at, index));
                }
            }
        }
        found.sort_unstable();
        found
    }

    fn all(grams: &Grams, text: &[u8]) -> Vec<(usize, usize)> {
        let mut padded = text.to_vec();
        padded.resize(text.len() + BLOCK_READ + BLOCK, 0);
        let mut found = Vec::new();
        for at in (0..text.len()).step_by(BLOCK) {
            let block: &[u8; BLOCK_READ] = padded[at..at + BLOCK_READ].try_into().unwrap();
            let mut mask = grams.probe(block);
            while mask != 0 {
                let n = mask.trailing_zeros() as usize;
                mask &= mask - 1;
                grams.words_at(text, at + 2 * n, |word, start| found.push((start, word.payload as usize)));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    #[test]
    fn what_is_missing_reads_as_nul() {
        let text = *b"abcdefghijklm";
        for at in 0..20 {
            let mut eight = [0; 8];
            text.iter().skip(at).zip(&mut eight).for_each(|(from, to)| *to = *from);
            assert_eq!(padded(&text, at), u64::from_le_bytes(eight), "at {at}");
        }
    }

    proptest::proptest! {
        #[test]
        fn finds_what_a_naive_search_finds(pieces in proptest::collection::vec("(ghp_|password|PassWord|key|pwd|tok|token|[a-z_ ]{0,5}|[A-Z-]{0,3})", 0..24)) {
            let words = ["ghp_", "password", "key", "pwd", "token"];
            let grams = Grams::compile(
                words.iter().enumerate().map(|(i, w)| (w.as_bytes().to_vec(), false, Edges::Any, u32::try_from(i).unwrap())),
            ).unwrap();
            let text = pieces.concat();
            proptest::prop_assert_eq!(all(&grams, text.as_bytes()), oracle(&words, text.as_bytes()));
        }
    }
}
