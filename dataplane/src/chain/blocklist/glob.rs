//! Globs over names, JSON pointers and whole strings.
//!
//! Lives on all shards, immutable. Matching keeps one way back per wildcard and never recurses.

use super::config::BlocklistConfigError;

/// Longest glob. LIMIT: matching costs at most text × pattern, so the pattern stays short.
const GLOB_BYTES_MAX: usize = 256;
/// Most globs in one list. LIMIT: each is tried in turn on the hot path.
const GLOBS_MAX: usize = 4096;

/// A list of globs of which one must match; an empty list matches everything.
#[derive(Debug, Default)]
pub(super) struct Globs(Vec<Glob>);

/// `*` any run (for pointers: within one segment), `**` any run, `?` one byte, `\` takes the next byte as it is.
#[derive(Debug)]
pub(super) struct Glob(Vec<Part>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Byte(u8),
    One,
    /// One byte that is not `/`.
    OneInSegment,
    /// Any run without `/`.
    Segment,
    Any,
}

/// What the globs of a list are matched against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// Names and strings: `*` crosses everything.
    Text,
    /// JSON pointers: `*` stays within a segment.
    Pointer,
}

impl Globs {
    pub(super) fn compile(rule: &str, field: &'static str, globs: &[String], over: Over) -> Result<Self, BlocklistConfigError> {
        if globs.len() > GLOBS_MAX {
            return Err(BlocklistConfigError::Rule {
                rule: rule.to_owned(),
                expected: format!("`{field}` has {} globs, expected at most {GLOBS_MAX}", globs.len()),
            });
        }
        let compiled: Result<Vec<_>, _> = globs.iter().map(|glob| Glob::compile(rule, field, glob, over)).collect();
        Ok(Self(compiled?))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|glob| glob.matches(text))
    }
}

impl Glob {
    pub(super) fn compile(rule: &str, field: &'static str, glob: &str, over: Over) -> Result<Self, BlocklistConfigError> {
        let fail = |expected| BlocklistConfigError::Glob { rule: rule.to_owned(), field, glob: glob.to_owned(), expected };
        if glob.is_empty() {
            return Err(fail("expected at least one character (leave the list empty to match everything)"));
        }
        if glob.len() > GLOB_BYTES_MAX {
            return Err(fail("expected at most 256 bytes"));
        }
        if over == Over::Pointer && !glob.starts_with(['/', '*']) {
            return Err(fail("expected a JSON pointer, which begins with `/` (or `**`)"));
        }
        let mut parts = Vec::with_capacity(glob.len());
        let mut bytes = glob.bytes().peekable();
        while let Some(byte) = bytes.next() {
            let part = match byte {
                b'\\' => Part::Byte(bytes.next().ok_or_else(|| fail("expected a character after `\\`"))?),
                b'?' if over == Over::Pointer => Part::OneInSegment,
                b'?' => Part::One,
                b'*' if bytes.next_if_eq(&b'*').is_some() => Part::Any,
                b'*' if over == Over::Pointer => Part::Segment,
                b'*' => Part::Any,
                other => Part::Byte(other),
            };
            if parts.last() != Some(&Part::Any) || part != Part::Any {
                parts.push(part);
            }
        }
        Ok(Self(parts))
    }

    /// Cost: at most text × pattern; linear for a single wildcard.
    pub(super) fn matches(&self, text: &str) -> bool {
        let (parts, text) = (self.0.as_slice(), text.as_bytes());
        let (mut at, mut pos) = (0, 0);
        // Where to go on when a later part fails: behind the last `*` and the last `**`.
        let mut segment: Option<(usize, usize)> = None;
        let mut any: Option<(usize, usize)> = None;
        loop {
            match (parts.get(at), text.get(pos)) {
                (None, None) => return true,
                (Some(Part::Any), _) => {
                    any = Some((at + 1, pos));
                    segment = None;
                    at += 1;
                    continue;
                }
                (Some(Part::Segment), _) => {
                    segment = Some((at + 1, pos));
                    at += 1;
                    continue;
                }
                (Some(Part::Byte(want)), Some(have)) if want == have => {
                    at += 1;
                    pos += 1;
                    continue;
                }
                (Some(Part::One), Some(_)) => {
                    at += 1;
                    pos += 1;
                    continue;
                }
                (Some(Part::OneInSegment), Some(have)) if *have != b'/' => {
                    at += 1;
                    pos += 1;
                    continue;
                }
                _ => {}
            }
            if let Some((back, from)) = segment
                && text.get(from).is_some_and(|byte| *byte != b'/')
            {
                segment = Some((back, from + 1));
                (at, pos) = (back, from + 1);
            } else if let Some((back, from)) = any
                && from < text.len()
            {
                any = Some((back, from + 1));
                segment = None;
                (at, pos) = (back, from + 1);
            } else {
                return false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed fixture should stop the test")]
    use super::*;
    use proptest::prelude::*;

    fn check(glob: &str, over: Over, text: &str, expect: bool) {
        let compiled = Glob::compile("rule", "tools", glob, over).unwrap();
        assert_eq!(compiled.matches(text), expect, "`{glob}` over `{text}`");
    }

    #[test]
    fn globs_match_names_and_pointers() {
        let rows = [
            ("*", Over::Text, "", true),
            ("delete_*", Over::Text, "delete_repo", true),
            ("delete_*", Over::Text, "undelete_repo", false),
            ("*_file*", Over::Text, "read_file_text", true),
            ("r?ad", Over::Text, "read", true),
            ("a*b*c", Over::Text, "a/b/xc", true),
            (r"a\*c", Over::Text, "abc", false),
            (r"a\*c", Over::Text, "a*c", true),
            ("/edits/*/path", Over::Pointer, "/edits/3/path", true),
            ("/edits/*/path", Over::Pointer, "/edits/3/4/path", false),
            ("/env/**", Over::Pointer, "/env/a/b", true),
            ("**/path", Over::Pointer, "/a/b/path", true),
            ("**/*/x*y", Over::Pointer, "/a/b/c/xay", true),
            ("/*/*", Over::Pointer, "/a", false),
        ];
        for (glob, over, text, expect) in rows {
            check(glob, over, text, expect);
        }
    }

    fn oracle(glob: &[u8], text: &[u8], pointer: bool) -> bool {
        match (glob, text) {
            ([], []) => true,
            ([b'*', b'*', rest @ ..], _) => (0..=text.len()).any(|cut| oracle(rest, &text[cut..], pointer)),
            ([b'*', rest @ ..], _) => (0..=text.len())
                .take_while(|cut| !pointer || !text[..*cut].contains(&b'/'))
                .any(|cut| oracle(rest, &text[cut..], pointer)),
            ([b'?', rest @ ..], [have, tail @ ..]) if !pointer || *have != b'/' => oracle(rest, tail, pointer),
            ([b'?', ..], _) => false,
            ([want, rest @ ..], [have, tail @ ..]) if want == have => oracle(rest, tail, pointer),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_obvious_matcher(glob in "/?[ab/*?]{1,8}", text in "[ab/]{0,10}", pointer: bool) {
            let over = if pointer { Over::Pointer } else { Over::Text };
            if let Ok(compiled) = Glob::compile("rule", "tools", &glob, over) {
                prop_assert_eq!(compiled.matches(&text), oracle(glob.as_bytes(), text.as_bytes(), pointer));
            }
        }
    }
}
