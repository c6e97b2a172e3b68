//! What becomes of a find: left alone by configuration, or noted with its rule, its place and its fingerprint.
//!
//! *Lives on* one shard; runs only where something was found, so it may allocate.

use std::fmt::Write as _;
use std::ops::Range;

use regex_automata::Input;
use simd_json::Node;

use super::super::compile::{Compiled, glob_matches};
use super::super::config::{AllowTarget, Mode};
use super::super::{Finding, SecretScanner, Side, Unscannable, checksum, judge};
use super::{FINDINGS_MAX, Frame, NOTED_MAX, Origin, Scan};

impl Scan<'_> {
    /// Records a secret unless the configuration leaves it alone.
    pub(super) fn found(&mut self, frame: &Frame, text: &[u8], rule: u32, whole: Range<usize>, secret: Range<usize>) {
        let scanner = self.scanner;
        let Some(compiled) = scanner.program.rules.get(rule as usize) else { return };
        if let Some(matched) = self.scratch.matched.get_mut(rule as usize) {
            *matched = (frame.epoch, whole.end);
        }
        let mode = match self.subject.side {
            Side::Arguments => compiled.arguments,
            Side::Results => compiled.results,
        };
        let Some(mode) = mode else { return };
        let value = &text[secret.clone()];
        if compiled.entropy > 0.0 && judge::entropy(value) < compiled.entropy {
            return;
        }
        if compiled.stop.iter().any(|s| value.windows(s.len()).any(|w| w.eq_ignore_ascii_case(s.as_bytes()))) {
            return;
        }
        let hash = blake3::keyed_hash(self.subject.key, value);
        let mut fingerprint = [0; 16];
        fingerprint.copy_from_slice(&hash.as_bytes()[..16]);
        let span = self.blanked(frame, secret.clone());
        if self.known(frame, rule, mode, &fingerprint, &span) {
            return;
        }
        let (pointer, in_key) = pointer_to(self.nodes, frame.node as usize, &[]);
        if self.allowed(compiled, text, &whole, value, &fingerprint, &pointer) {
            return;
        }
        if self.is_full(mode) {
            return;
        }
        let verified = checksum::verifies(&text[secret]);
        self.scratch.findings.push(Finding {
            rule,
            mode,
            pointer,
            in_key: in_key || frame.in_key,
            node: frame.node,
            span,
            fingerprint,
            verified,
        });
    }

    /// Whether the same was noted before: for what is to be blanked, in this very place, or in one within it whose
    /// bounds are known better.
    fn known(&self, frame: &Frame, rule: u32, mode: Mode, fingerprint: &[u8; 16], span: &Range<usize>) -> bool {
        self.scratch.findings.iter().any(|f| {
            f.rule == rule
                && f.fingerprint == *fingerprint
                && f.node == frame.node
                && (mode == Mode::Deny
                    || f.span.start <= span.start && span.end <= f.span.end
                    || span.start <= f.span.start && f.span.end <= span.end)
        })
    }

    /// Whether no more findings of this mode are kept. What cannot be blanked must not pass.
    fn is_full(&mut self, mode: Mode) -> bool {
        let kept = self.scratch.findings.iter().filter(|f| (f.mode == Mode::Deny) == (mode == Mode::Deny)).count();
        let full = kept >= if mode == Mode::Deny { FINDINGS_MAX } else { NOTED_MAX };
        if full && mode == Mode::Redact {
            self.failed = Some(Unscannable::Findings);
        }
        full
    }

    fn blanked(&self, frame: &Frame, secret: Range<usize>) -> Range<usize> {
        let length = if frame.across { usize::MAX } else { self.text_of(frame.node).len() };
        match &frame.origin {
            Origin::Shifted(by) => secret.start.saturating_sub(*by)..secret.end.saturating_sub(*by).min(length),
            Origin::Within(range) => range.start.min(length)..range.end.min(length),
        }
    }

    fn allowed(
        &self,
        compiled: &Compiled,
        text: &[u8],
        whole: &Range<usize>,
        value: &[u8],
        fingerprint: &[u8; 16],
        pointer: &str,
    ) -> bool {
        let program = &self.scanner.program;
        let excepted = program.exceptions.iter().any(|e| {
            (e.tool.is_empty() || glob_matches(&e.tool, self.subject.tool))
                && pointer_within(&e.pointer, pointer)
                && (e.rule.is_empty() || glob_matches(&e.rule, &compiled.id))
        });
        excepted
            || compiled.allow.iter().chain(std::iter::once(&program.allow)).any(|allow| {
                let target = match allow.target {
                    AllowTarget::Secret => value,
                    AllowTarget::Match => &text[whole.clone()],
                    AllowTarget::Line => line_of(text, whole),
                };
                allow.fingerprints.contains(fingerprint)
                    || allow.pointers.iter().any(|p| pointer_within(p, pointer))
                    || allow.stop_words.iter().any(|w| {
                        !w.is_empty() && value.windows(w.len()).any(|s| s.eq_ignore_ascii_case(w))
                    })
                    // Rare enough to make a cache of its own: no pool, no lock.
                    || allow.values.iter().any(|regex| {
                        regex.search_half_with(&mut regex.create_cache(), &Input::new(target)).is_some()
                    })
            })
    }
}

fn line_of<'t>(text: &'t [u8], at: &Range<usize>) -> &'t [u8] {
    let start = memchr::memrchr(b'\n', &text[..at.start]).map_or(0, |n| n + 1);
    let end = memchr::memchr(b'\n', &text[at.end..]).map_or(text.len(), |n| at.end + n);
    &text[start.max(at.start.saturating_sub(4096))..end.min(at.end + 4096)]
}

fn pointer_within(prefix: &str, pointer: &str) -> bool {
    pointer.strip_prefix(prefix).is_some_and(|rest| prefix.is_empty() || rest.is_empty() || rest.starts_with('/'))
}

/// Of findings in the same place one is kept: a provider's rather than a context rule's, the first rather than the
/// second. It then covers both.
pub(super) fn prefer_named(scanner: &SecretScanner, findings: &mut Vec<Finding>) {
    let generic = |f: &Finding| scanner.program.rules.get(f.rule as usize).is_some_and(|r| r.generic);
    let mut at = 0;
    while at < findings.len() {
        let here = findings[at].clone();
        let better = findings.iter().enumerate().position(|(index, f)| {
            index != at
                && f.node == here.node
                && f.mode == here.mode
                && f.span.start < here.span.end
                && here.span.start < f.span.end
                && match (generic(f), generic(&here)) {
                    (false, true) => true,
                    (true, false) => false,
                    _ => index < at,
                }
        });
        match better {
            Some(index) => {
                let kept = &mut findings[index].span;
                *kept = kept.start.min(here.span.start)..kept.end.max(here.span.end);
                findings.remove(at);
            }
            None => at += 1,
        }
    }
}

/// A secret that is a key of an object is part of the pointers to what it holds: there its number stands instead.
pub(super) fn hide_keys(nodes: &[Node<'_>], findings: &mut [Finding]) {
    if findings.iter().any(|f| f.in_key) {
        let keys: Vec<u32> = findings.iter().filter(|f| f.in_key).map(|f| f.node).collect();
        for finding in findings {
            (finding.pointer, _) = pointer_to(nodes, finding.node as usize, &keys);
        }
    }
}

/// The JSON pointer to a string on the tape, and whether the string is the last key of it. Keys that are `hidden`
/// are told by their place in the object.
fn pointer_to(nodes: &[Node<'_>], target: usize, hidden: &[u32]) -> (String, bool) {
    struct Open<'n> {
        object: bool,
        left: usize,
        index: usize,
        key: &'n str,
        hidden: bool,
    }
    let mut path: Vec<Open<'_>> = Vec::new();
    let mut in_key = false;
    for (at, node) in nodes.iter().enumerate().take(target + 1) {
        while path.last().is_some_and(|open| open.left == 0) {
            path.pop();
        }
        in_key = false;
        if let Some(open) = path.last_mut() {
            open.left -= 1;
            if open.object && open.left % 2 == 1 {
                in_key = true;
                open.index = open.index.wrapping_add(1);
                open.hidden = hidden.iter().any(|key| *key as usize == at);
                if let Node::String(text) = node {
                    open.key = text;
                }
            } else if !open.object {
                open.index = open.index.wrapping_add(1);
            }
        }
        if at == target {
            break;
        }
        match node {
            Node::Object { len, .. } => {
                path.push(Open { object: true, left: len * 2, index: usize::MAX, key: "", hidden: false })
            }
            Node::Array { len, .. } => path.push(Open { object: false, left: *len, index: usize::MAX, key: "", hidden: false }),
            Node::String(_) | Node::Static(_) => {}
        }
    }
    let mut pointer = String::new();
    for open in &path {
        pointer.push('/');
        if open.hidden {
            let _ = write!(pointer, "[key {}]", open.index);
        } else if open.object {
            pointer.push_str(&open.key.replace('~', "~0").replace('/', "~1"));
        } else {
            pointer.push_str(&open.index.to_string());
        }
    }
    (pointer, in_key)
}
