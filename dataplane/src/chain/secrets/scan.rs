//! The scan itself: walks the strings of a JSON tape, looks twice where the filter says so, and undoes what
//! hides text, in steps of bounded length.
//!
//! *Lives on* one shard. Between two steps everything is in the [`ScanScratch`]; a scan that yields keeps its
//! scratch, so a shard that slices large bodies holds one scratch more for the calls that come meanwhile.

mod candidate;
mod finding;
mod frame;

use std::ops::Range;

use arrayvec::ArrayVec;
use miniz_oxide::DataFormat;
use miniz_oxide::inflate::stream::InflateState;
use regex_automata::meta;
use regex_automata::util::captures::Captures;
use simd_json::Node;

use super::assignment::Outcome;
use super::config::Mode;
use super::judge::Told;
use super::transform::{self, Code, Content, View};
use super::{Finding, SecretScanner, Subject, Unscannable, Verdict};

/// LIMIT: encodings undone one inside another.
const DEPTH: usize = 7;
/// LIMIT: nesting of the JSON value.
const NESTING: usize = 128;
/// LIMIT: findings kept that deny; one is enough.
const FINDINGS_MAX: usize = 32;
/// LIMIT: findings kept of the other modes; a text with more secrets to blank than this is refused.
pub(super) const NOTED_MAX: usize = 256;
/// LIMIT: longest token looked at; what is longer is a key block found by its header.
const TOKEN_MAX: usize = 1024;
/// LIMIT: work allowed for any text, and per byte of it, in bytes looked at. Real texts need at most 2 per byte.
const WORK_BASE: usize = 512 * 1024;
const WORK_PER_BYTE: usize = 8;
/// LIMIT: bytes that may come out of decoding, for any text and per byte of it.
const DERIVED_BASE: usize = 512 * 1024;
const DERIVED_PER_BYTE: usize = 6;
/// LIMIT: what a pattern without anchor sees around its keyword.
const SEARCH_BEFORE: usize = 1024;
const SEARCH_AFTER: usize = 4096;
/// LIMIT: longest text that counts as a name.
const NAME_TEXT_MAX: usize = 128;
/// Bytes of a plain scan between two looks at the budget.
const SLICE: usize = 16 * 1024;
/// A run of this many blocks without white space or quotes may be encoded text.
const RUN_BLOCKS: u32 = 3;

/// Where a frame's text is.
#[derive(Debug, Clone, Copy)]
enum Source {
    Node(u32),
    /// The buffer with the frame's own position on the stack.
    Buffer,
}

/// How a place in a frame's text maps to the string it came from.
#[derive(Debug, Clone)]
enum Origin {
    /// The same bytes, this many further on (negative: a name was put before them).
    Shifted(usize),
    /// Somewhere in this stretch.
    Within(Range<usize>),
}

#[derive(Debug, Clone)]
struct Decode {
    run: Range<usize>,
    at: usize,
    code: Code,
    content: Content,
    /// Whether the header of a compressed stream was read.
    begun: bool,
}

#[derive(Debug, Clone)]
enum Phase {
    Plain,
    Decoding(Decode),
    View { view: View, from: usize },
    Done,
}

#[derive(Debug, Clone)]
struct Frame {
    source: Source,
    node: u32,
    in_key: bool,
    /// The text is that of several strings, one after the other on the tape.
    across: bool,
    origin: Origin,
    phase: Phase,
    at: usize,
    run_blocks: u32,
    run_floor: usize,
    /// Names up to here were read already.
    names_until: usize,
    /// Whether a literal put together from parts was seen.
    joined: bool,
    /// Distinguishes texts in the stamps of searches.
    epoch: u32,
    views: Views,
}

/// Which views a frame may be looked at through: one that made it cannot change it again.
#[derive(Debug, Clone, Copy)]
enum Views {
    All,
    UnwrapOnly,
    None,
}

#[derive(Debug, Clone, Copy)]
struct Container {
    object: bool,
    /// Nodes still to come, keys included.
    left: usize,
    /// Key or element index of the current child.
    child: u32,
    /// The value of a `name` member that promises a secret in its sibling `value`.
    pair: Option<u32>,
    /// The last string of an array ended with a name that promises a secret.
    flag: Option<u32>,
}

/// What a shard keeps between calls. Sized once; a clean text allocates nothing.
pub struct ScanScratch {
    serial: u64,
    frames: ArrayVec<Frame, { DEPTH + 1 }>,
    buffers: [Vec<u8>; DEPTH + 1],
    containers: ArrayVec<Container, NESTING>,
    searches: Vec<(meta::Cache, Captures)>,
    /// Per search: the text and how far it was searched in it.
    stamps: Vec<(u32, usize)>,
    /// Per rule: the text and how far it has matched in it.
    matched: Vec<(u32, usize)>,
    inflater: Box<InflateState>,
    packed: Vec<u8>,
    findings: Vec<Finding>,
    epoch: u32,
}

impl ScanScratch {
    /// Makes a scratch that fits a scanner. Cost: a few hundred KiB, once per shard.
    #[must_use]
    pub fn new(scanner: &SecretScanner) -> ScanScratch {
        let mut scratch = ScanScratch {
            serial: 0,
            frames: ArrayVec::new(),
            buffers: std::array::from_fn(|_| Vec::with_capacity(transform::DECODED_MAX + transform::OVERLAP)),
            containers: ArrayVec::new(),
            searches: Vec::new(),
            stamps: Vec::new(),
            matched: Vec::new(),
            inflater: InflateState::new_boxed(DataFormat::Raw),
            packed: Vec::with_capacity(transform::WINDOW),
            findings: Vec::with_capacity(FINDINGS_MAX),
            epoch: 0,
        };
        scratch.fit(scanner);
        scratch
    }

    /// The findings of the last scan.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// After a reload the caches belong to patterns that are gone.
    fn fit(&mut self, scanner: &SecretScanner) {
        if self.serial == scanner.serial {
            return;
        }
        let program = &scanner.program;
        self.searches =
            program.searches.iter().map(|search| (search.regex.create_cache(), search.regex.create_captures())).collect();
        self.stamps = vec![(0, 0); program.searches.len()];
        self.matched = vec![(0, 0); program.rules.len()];
        self.serial = scanner.serial;
    }
}

/// A provider's name that was seen, and how far its secret may be.
#[derive(Debug, Clone, Copy)]
struct Provider {
    epoch: u32,
    rule: u32,
    shape: u32,
    until: usize,
}

/// A scan under way.
pub struct Scan<'a> {
    scanner: &'a SecretScanner,
    scratch: &'a mut ScanScratch,
    subject: Subject<'a>,
    nodes: &'a [Node<'a>],
    next: usize,
    work: usize,
    work_max: usize,
    derived: usize,
    derived_max: usize,
    decode: bool,
    failed: Option<Unscannable>,
    done: bool,
    /// The last object key that promises a secret.
    key: Option<u32>,
    /// Providers named a little before, whose secret may follow.
    providers: ArrayVec<Provider, 6>,
    last_read: Option<(u32, usize, Outcome)>,
    /// The last service's name that was looked at, the name around it, and what that says.
    last_told: Option<(u32, Range<usize>, Range<usize>, Told)>,
    /// Whether the string being scanned holds a word that names a secret or a provider.
    hit: bool,
}

impl<'a> Scan<'a> {
    pub(super) fn new(
        scanner: &'a SecretScanner,
        scratch: &'a mut ScanScratch,
        subject: Subject<'a>,
        nodes: &'a [Node<'a>],
    ) -> Scan<'a> {
        scratch.fit(scanner);
        scratch.frames.clear();
        scratch.containers.clear();
        scratch.findings.clear();
        let side = scanner.side(subject.side);
        Scan {
            scanner,
            scratch,
            subject,
            nodes,
            next: 0,
            work: 0,
            work_max: WORK_BASE,
            derived: 0,
            derived_max: DERIVED_BASE,
            decode: side.decode,
            failed: None,
            done: !side.enabled,
            key: None,
            hit: false,
            providers: ArrayVec::new(),
            last_read: None,
            last_told: None,
        }
    }

    /// Scans to the end.
    pub fn finish(mut self) -> Verdict {
        loop {
            if let Some(verdict) = self.step(usize::MAX) {
                return verdict;
            }
        }
    }

    /// Scans about `budget` bytes more; answers when the scan is over. 64 KiB take well under 200 µs.
    pub fn step(&mut self, budget: usize) -> Option<Verdict> {
        let mut spent = 0;
        while !self.done && self.failed.is_none() {
            if spent >= budget {
                return None;
            }
            let worked = self.work;
            let read = if self.work > self.work_max {
                self.failed = Some(Unscannable::Work);
                0
            } else if self.derived > self.derived_max {
                self.failed = Some(Unscannable::Expansion);
                0
            } else if self.scratch.frames.is_empty() {
                self.walk()
            } else {
                self.run_frame(budget - spent)
            };
            // What looking twice costs counts too, so that a step over hostile text is as short as any other.
            spent += read.max(self.work - worked);
        }
        Some(self.verdict())
    }

    fn verdict(&mut self) -> Verdict {
        finding::prefer_named(self.scanner, &mut self.scratch.findings);
        finding::hide_keys(self.nodes, &mut self.scratch.findings);
        if let Some(at) = self.scratch.findings.iter().position(|f| f.mode == Mode::Deny) {
            return Verdict::Denied(at);
        }
        match self.failed {
            Some(why) => Verdict::Unscannable(why),
            None if self.scratch.findings.is_empty() => Verdict::Clean,
            None => Verdict::Noted,
        }
    }

    // --- the tape ---

    /// Takes the next node; pushes a frame for what needs a longer look.
    fn walk(&mut self) -> usize {
        while self.scratch.containers.last().is_some_and(|c| c.left == 0) {
            self.scratch.containers.pop();
        }
        let Some(node) = self.nodes.get(self.next) else {
            self.done = true;
            return 0;
        };
        let index = self.next;
        self.next += 1;
        let mut in_key = false;
        if let Some(parent) = self.scratch.containers.last_mut() {
            parent.left -= 1;
            in_key = parent.object && parent.left % 2 == 1;
            if in_key || !parent.object {
                parent.child = if parent.object { index32(index) } else { parent.child.wrapping_add(1) };
            }
        }
        match node {
            Node::String(text) => {
                self.string(index, text, in_key);
                text.len() + 8
            }
            Node::Object { len, .. } => self.enter(true, len * 2),
            Node::Array { len, count } => {
                let cost = self.enter(false, *len);
                if *len > 1 && len == count {
                    self.split_across(index, *len);
                }
                cost
            }
            Node::Static(_) => 4,
        }
    }

    fn enter(&mut self, object: bool, left: usize) -> usize {
        let container = Container { object, left, child: u32::MAX, pair: None, flag: None };
        if self.scratch.containers.try_push(container).is_err() {
            self.failed = Some(Unscannable::Nesting);
        }
        8
    }

    /// Scans a string; what takes longer than a slice, or hides something, is left on the stack.
    fn string(&mut self, index: usize, text: &'a str, in_key: bool) {
        self.work_max = self.work_max.saturating_add(text.len().saturating_mul(WORK_PER_BYTE));
        self.derived_max = self.derived_max.saturating_add(text.len().saturating_mul(DERIVED_PER_BYTE));
        if !in_key {
            self.in_context(index, text);
        }
        self.hit = false;
        // No word that is looked for is shorter.
        if text.len() >= 3 && (text.len() >= transform::RUN_MIN || !self.is_idle(text.as_bytes())) {
            let node = index32(index);
            let mut frame = self.frame(Source::Node(node), node, in_key, Origin::Shifted(0), Views::All);
            self.plain(&mut frame, text.as_bytes(), SLICE);
            if !matches!(frame.phase, Phase::Done) {
                self.scratch.frames.push(frame);
            }
        }
        self.promise(index, text, in_key);
    }

    /// Remembers that a name promises a secret in the value to come.
    fn promise(&mut self, index: usize, text: &str, in_key: bool) {
        let hit = self.hit && text.len() <= NAME_TEXT_MAX;
        if in_key {
            self.key = hit.then(|| index32(index));
            return;
        }
        let Some(parent) = self.scratch.containers.last().copied() else { return };
        let (mut pair, mut flag) = (parent.pair, None);
        if !parent.object {
            flag = (hit && text.starts_with('-') || matches!(text, "-p" | "-u")).then(|| index32(index));
        } else if hit
            && matches!(
                self.text_of(parent.child),
                "name" | "key" | "Name" | "Key" | "field" | "id" | "header" | "variable" | "parameter"
            )
        {
            pair = Some(index32(index));
        }
        if let Some(parent) = self.scratch.containers.last_mut() {
            (parent.pair, parent.flag) = (pair, flag);
        }
    }

    fn frame(&mut self, source: Source, node: u32, in_key: bool, origin: Origin, views: Views) -> Frame {
        self.scratch.epoch = self.scratch.epoch.wrapping_add(1);
        Frame {
            source,
            node,
            in_key,
            across: false,
            origin,
            phase: Phase::Plain,
            at: 0,
            run_blocks: 0,
            run_floor: 0,
            names_until: 0,
            joined: false,
            epoch: self.scratch.epoch,
            views,
        }
    }

    /// A value whose name stands elsewhere (its key, a sibling `name`, the flag before it) is scanned once more
    /// behind that name.
    fn in_context(&mut self, index: usize, text: &str) {
        let Some(parent) = self.scratch.containers.last().copied() else { return };
        let name = if !parent.object {
            parent.flag.map(|flag| (flag, &b" "[..]))
        } else if self.key == Some(parent.child) {
            Some((parent.child, &b"\": "[..]))
        } else {
            let key = self.text_of(parent.child);
            parent
                .pair
                .filter(|_| matches!(key, "value" | "Value" | "val" | "default" | "defaultValue" | "content" | "data"))
                .map(|pair| (pair, &b"\": "[..]))
        };
        let Some((name, between)) = name else { return };
        let name = self.text_of(name);
        let name = &name[..floor_boundary(name, NAME_TEXT_MAX)];
        let value = &text[..floor_boundary(text, transform::WINDOW)];
        let buffer = &mut self.scratch.buffers[0];
        buffer.clear();
        buffer.extend_from_slice(name.as_bytes());
        buffer.extend_from_slice(between);
        let quote = [b'"', b'\'', b'`'].into_iter().find(|q| !value.as_bytes().contains(q)).unwrap_or(b'"');
        buffer.push(quote);
        let before = buffer.len();
        buffer.extend_from_slice(value.as_bytes());
        buffer.push(quote);
        let frame = self.frame(Source::Buffer, index32(index), false, Origin::Shifted(before), Views::None);
        self.scratch.frames.push(frame);
        self.drain();
    }

    /// Runs what is on the stack now, whatever the budget: only for texts of one window.
    fn drain(&mut self) {
        while !self.scratch.frames.is_empty() && self.failed.is_none() {
            self.run_frame(usize::MAX);
        }
    }

    /// The strings of an array put together: a secret may be split across them.
    fn split_across(&mut self, array: usize, len: usize) {
        let mut size = 0;
        for node in self.nodes.iter().skip(array + 1).take(len) {
            let Node::String(text) = node else { return };
            size += text.len();
        }
        if !(16..=transform::DECODED_MAX).contains(&size) {
            return;
        }
        let Some(buffer) = self.scratch.buffers.first_mut() else { return };
        buffer.clear();
        for node in self.nodes.iter().skip(array + 1).take(len) {
            if let Node::String(text) = node {
                buffer.extend_from_slice(text.as_bytes());
            }
        }
        let node = index32(array + 1);
        let frame = Frame { across: true, ..self.frame(Source::Buffer, node, false, Origin::Shifted(0), Views::UnwrapOnly) };
        self.scratch.frames.push(frame);
    }

    fn text_of(&self, node: u32) -> &'a str {
        match self.nodes.get(node as usize) {
            Some(Node::String(text)) => text,
            _ => "",
        }
    }
}

fn index32(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

fn floor_boundary(text: &str, max: usize) -> usize {
    let mut at = text.len().min(max);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
