//! The scan itself: walks the strings of a JSON tape, looks twice where the filter says so, and undoes what
//! hides text, in steps of bounded length.
//!
//! *Lives on* one shard. Between two steps everything is in the [`ScanScratch`]; a scan that yields keeps its
//! scratch, so a shard that slices large bodies holds one scratch more for the calls that come meanwhile.

use std::ops::Range;

use arrayvec::ArrayVec;
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZFlush};
use regex_automata::util::captures::Captures;
use regex_automata::{Anchored, Input, dfa::Automaton, meta};
use simd_json::Node;

use super::assignment::{self, Outcome, Quoting};
use super::compile::{Confirm, Search, Target};
use super::config::{AllowTarget, Mode};
use super::grams::{BLOCK, BLOCK_READ};
use super::judge;
use super::rules::{Context, GENERIC_PASSWORD, GENERIC_SECRET, How, NEAR};
use super::transform::{self, Code, Content, View};
use super::{Finding, SecretScanner, Side, Subject, Unscannable, Verdict};

/// LIMIT: encodings undone one inside another.
const DEPTH: usize = 7;
/// LIMIT: nesting of the JSON value.
const NESTING: usize = 128;
/// LIMIT: findings kept; findings that only observe never take the last places.
const FINDINGS_MAX: usize = 32;
const NOTED_MAX: usize = 16;
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
            if self.work > self.work_max {
                self.failed = Some(Unscannable::Work);
            } else if self.derived > self.derived_max {
                self.failed = Some(Unscannable::Expansion);
            } else if self.scratch.frames.is_empty() {
                spent += self.walk();
            } else {
                spent += self.run_frame(budget - spent);
            }
        }
        Some(self.verdict())
    }

    fn verdict(&mut self) -> Verdict {
        prefer_named(self.scanner, &mut self.scratch.findings);
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
        if text.len() >= 3 {
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
        let frame = self.frame(Source::Buffer, node, false, Origin::Within(0..usize::MAX), Views::UnwrapOnly);
        self.scratch.frames.push(frame);
    }

    fn text_of(&self, node: u32) -> &'a str {
        match self.nodes.get(node as usize) {
            Some(Node::String(text)) => text,
            _ => "",
        }
    }

    // --- frames ---

    /// Goes on with the topmost frame for about `budget` bytes; answers what was spent.
    fn run_frame(&mut self, budget: usize) -> usize {
        let top = self.scratch.frames.len().saturating_sub(1);
        let Some(mut frame) = self.scratch.frames.pop() else { return 0 };
        let taken = match frame.source {
            Source::Node(_) => Vec::new(),
            Source::Buffer => std::mem::take(&mut self.scratch.buffers[top]),
        };
        let text: &[u8] = match frame.source {
            Source::Node(node) => self.text_of(node).as_bytes(),
            Source::Buffer => &taken,
        };
        let mut child = None;
        let spent = match frame.phase.clone() {
            Phase::Plain => self.plain(&mut frame, text, budget.min(SLICE)),
            Phase::Decoding(decode) => {
                child = self.decode_more(&mut frame, decode, text, top);
                transform::WINDOW
            }
            Phase::View { view, from } => {
                child = self.look_through(&mut frame, view, from, text, top);
                64
            }
            Phase::Done => 0,
        };
        if matches!(frame.source, Source::Buffer) {
            self.scratch.buffers[top] = taken;
        }
        if !matches!(frame.phase, Phase::Done) || child.is_some() {
            self.scratch.frames.push(frame);
        }
        if let Some(child) = child
            && self.scratch.frames.try_push(child).is_err()
        {
            self.failed = Some(Unscannable::Depth);
        }
        spent
    }

    /// The first look: every block of the text through the filter.
    fn plain(&mut self, frame: &mut Frame, text: &[u8], budget: usize) -> usize {
        let scanner = self.scanner;
        let grams = &scanner.program.grams;
        let from = frame.at;
        let until = text.len().min(from.saturating_add(budget));
        for &(rule, search) in &scanner.program.always {
            self.search(frame, text, rule, search, from, until);
        }
        let mut at = from;
        let mut run_blocks = frame.run_blocks;
        while at + BLOCK_READ <= text.len() && at < until {
            let Some(block) = text.get(at..at + BLOCK_READ).and_then(|b| b.first_chunk::<BLOCK_READ>()) else { break };
            let mask = grams.probe(block);
            run_blocks = if breaks_run(block) { 0 } else { run_blocks + 1 };
            if mask != 0 {
                self.candidates(frame, text, at, mask);
            }
            at += BLOCK;
            if run_blocks >= RUN_BLOCKS && at > frame.run_floor && self.decode {
                if !transform::may_be_run(&block[..BLOCK]) {
                    run_blocks = 0;
                } else if self.encoded_run(frame, text, at - BLOCK) {
                    break;
                }
            }
        }
        if !matches!(frame.phase, Phase::Decoding(_)) && at + BLOCK_READ > text.len() {
            at = self.tail_block(frame, text, at);
            if self.decode
                && run_blocks > 0
                && text.len() > frame.run_floor
                && run_blocks < RUN_BLOCKS
                && text.len() >= transform::RUN_MIN
            {
                self.encoded_run(frame, text, text.len().saturating_sub(transform::RUN_MIN / 2));
                frame.run_floor = text.len();
            }
        }
        frame.at = at;
        frame.run_blocks = run_blocks;
        if matches!(frame.phase, Phase::Plain) && at >= text.len() {
            frame.phase = self.first_view(frame, text);
        }
        self.work += at - from;
        at - from + 8
    }

    /// The last bytes of a text, as if NULs followed.
    fn tail_block(&mut self, frame: &mut Frame, text: &[u8], mut at: usize) -> usize {
        while at < text.len() {
            let mut block = [0u8; BLOCK_READ];
            for (to, from) in block.iter_mut().zip(&text[at..]) {
                *to = *from;
            }
            let mask = self.scanner.program.grams.probe(&block);
            if mask != 0 {
                self.candidates(frame, text, at, mask);
            }
            at += BLOCK;
        }
        text.len()
    }

    fn first_view(&self, frame: &Frame, text: &[u8]) -> Phase {
        match frame.views {
            _ if !self.decode => Phase::Done,
            Views::None => Phase::Done,
            Views::UnwrapOnly => Phase::View { view: View::Unwrap, from: 0 },
            Views::All if text.is_ascii() => Phase::View { view: View::Unescape, from: 0 },
            Views::All => Phase::View { view: View::Fold, from: 0 },
        }
    }

    /// Makes the next window of a view into a buffer of its own.
    fn look_through(&mut self, frame: &mut Frame, view: View, from: usize, text: &[u8], top: usize) -> Option<Frame> {
        let window = if view == View::Join && !frame.joined { None } else { transform::window(view, text, from) };
        let Some(window) = window else {
            frame.phase = view.next().map_or(Phase::Done, |view| Phase::View { view, from: 0 });
            return None;
        };
        let next = if window.end >= text.len() {
            text.len()
        } else {
            window.end.saturating_sub(if window.len() > transform::WINDOW / 2 { transform::OVERLAP } else { 160 })
        };
        frame.phase = Phase::View { view, from: next.max(from + 1) };
        let source = &text[window.clone()];
        let Some(buffer) = self.scratch.buffers.get_mut(top + 1) else {
            self.failed = Some(Unscannable::Depth);
            return None;
        };
        buffer.clear();
        transform::apply(view, source, buffer);
        if buffer.as_slice() == source {
            return None;
        }
        self.derived += buffer.len();
        let views = match view {
            View::Fold | View::Unescape => Views::All,
            View::Join | View::Continue => Views::UnwrapOnly,
            View::Unwrap => Views::None,
        };
        let origin = within(&frame.origin, window);
        Some(self.frame(Source::Buffer, frame.node, frame.in_key, origin, views))
    }

    /// Looks whether the run of token characters around `at` is encoded text.
    fn encoded_run(&mut self, frame: &mut Frame, text: &[u8], at: usize) -> bool {
        let run = transform::run_around(text, at, frame.run_floor);
        frame.run_floor = run.end.max(at + 1);
        if run.len() < transform::RUN_MIN {
            return false;
        }
        self.work += 64;
        let Some((code, content)) = transform::sniff(&text[run.clone()]) else { return false };
        let start = run.start + if code == Code::Hex && text[run.clone()].starts_with(b"0x") { 2 } else { 0 };
        frame.phase = Phase::Decoding(Decode { at: start, run: start..run.end, code, content, begun: false });
        true
    }

    /// Decodes the next part of a run into a buffer of its own.
    fn decode_more(&mut self, frame: &mut Frame, mut decode: Decode, text: &[u8], top: usize) -> Option<Frame> {
        frame.phase = Phase::Plain;
        let ScanScratch { buffers, packed, inflater, .. } = &mut *self.scratch;
        let Some(buffer) = buffers.get_mut(top + 1) else {
            self.failed = Some(Unscannable::Depth);
            return None;
        };
        // The end of the part before is kept: a secret may lie across the border.
        let keep = if decode.begun { buffer.len().min(transform::OVERLAP) } else { 0 };
        buffer.drain(..buffer.len() - keep);
        let run = &text[decode.at..decode.run.end];
        let code = match decode.code {
            Code::Base64 { .. } if decode.begun => Code::Base64 { skip: 0 },
            code => code,
        };
        match decode.content {
            Content::Text | Content::Utf16Le | Content::Utf16Be => {
                decode.at += transform::decode(code, run, buffer, transform::WINDOW);
                if decode.content != Content::Text {
                    transform::narrow(buffer, keep);
                }
            }
            Content::Deflated { zlib } => {
                packed.clear();
                let used = transform::decode(code, run, packed, transform::WINDOW / 2);
                let ended = inflate_more(inflater, packed, buffer, &decode, zlib);
                decode.at = if ended { decode.run.end } else { decode.at + used };
            }
        }
        decode.begun = true;
        self.derived += buffer.len() - keep;
        let origin = within(&frame.origin, decode.run.clone());
        if decode.at < decode.run.end {
            frame.phase = Phase::Decoding(decode);
        }
        if self.scratch.buffers[top + 1].len() == keep {
            return None;
        }
        Some(self.frame(Source::Buffer, frame.node, frame.in_key, origin, Views::All))
    }

    // --- candidates ---

    fn candidates(&mut self, frame: &mut Frame, text: &[u8], block: usize, mut mask: u64) {
        let scanner = self.scanner;
        while mask != 0 {
            let probe = block + 2 * mask.trailing_zeros() as usize;
            mask &= mask - 1;
            scanner.program.grams.words_at(text, probe, |word, start| {
                let targets = scanner.program.targets.get(word.payload as usize).map_or(&[][..], |t| t);
                for target in targets {
                    self.confirm(frame, text, start..start + word.len(), *target);
                }
            });
        }
    }

    fn confirm(&mut self, frame: &mut Frame, text: &[u8], word: Range<usize>, target: Target) {
        self.work += 12;
        self.hit |= match target.confirm {
            Confirm::Context(context) => context == Context::Assignment,
            Confirm::Shape { how, .. } => matches!(how, How::Named | How::Near),
            Confirm::Search { .. } => true,
        };
        match target.confirm {
            Confirm::Shape { shape, how } => self.shape(frame, text, word, target.rule, shape, how),
            Confirm::Search { search } => self.search(frame, text, target.rule, search, word.start, word.end),
            Confirm::Context(Context::Assignment) => self.assignment(frame, text, word),
            Confirm::Context(Context::Url) => self.url(frame, text, word),
            Confirm::Context(Context::PrivateKey) => self.private_key(frame, text, word),
            Confirm::Context(Context::Joint) => frame.joined = true,
            Confirm::Context(context) => self.header(frame, text, word, context),
        }
    }

    /// The end of what `shape` matches from `start` on.
    fn matches(&mut self, text: &[u8], start: usize, shape: u32) -> Option<usize> {
        let dfa = self.scanner.program.shapes.get(shape as usize)?;
        let end = text.len().min(start + TOKEN_MAX);
        let input = Input::new(text).range(start..end).anchored(Anchored::Yes);
        let found = dfa.try_search_fwd(&input).ok().flatten().map(|m| m.offset());
        // What a failed attempt looked at is not known; the token it began in is a fair guess.
        let looked = found.unwrap_or_else(|| start + text[start..end].iter().take_while(|b| is_token(**b)).count());
        self.work += looked - start;
        found
    }

    fn shape(&mut self, frame: &Frame, text: &[u8], word: Range<usize>, rule: u32, shape: u32, how: How) {
        if self.scratch.matched.get(rule as usize).is_some_and(|m| m.0 == frame.epoch && word.start < m.1) {
            return;
        }
        let span = match how {
            How::Token => self.token_at(text, word.start, shape, true),
            How::Tail => self.matches(text, word.start, shape).map(|end| tail_of(text, word.start..end)),
            How::Run => {
                let floor = word.start.saturating_sub(160);
                let mut start = word.start;
                while start > floor && is_token(text[start - 1]) {
                    start -= 1;
                }
                self.token_at(text, start, shape, false).filter(|span| span.end >= word.end).or_else(|| {
                    // The run may begin with a name: try behind each of its marks.
                    (start..word.start)
                        .filter(|at| !text[*at].is_ascii_alphanumeric())
                        .find_map(|at| self.token_at(text, at + 1, shape, false).filter(|span| span.end >= word.end))
                })
            }
            How::Named => self.named(frame, text, word.clone(), shape, rule),
            How::Near => self.near(text, word.clone(), shape),
        };
        if let Some(span) = span {
            self.found(frame, text, rule, span.clone(), span);
        }
    }

    /// A token that begins at `start` and is bounded on both sides.
    fn token_at(&mut self, text: &[u8], start: usize, shape: u32, check_left: bool) -> Option<Range<usize>> {
        if check_left && start > 0 && text[start - 1].is_ascii_alphanumeric() && !after_escape(text, start) {
            return None;
        }
        let end = self.matches(text, start, shape)?;
        let closed = text.get(end).is_none_or(|b| !b.is_ascii_alphanumeric()) || !text[end - 1].is_ascii_alphanumeric();
        closed.then_some(start..end)
    }

    /// The value assigned to a provider's name.
    fn named(&mut self, frame: &Frame, text: &[u8], word: Range<usize>, shape: u32, rule: u32) -> Option<Range<usize>> {
        // The table says how much a shape tells by itself: see `Builtin::entropy`.
        let bits = self.scanner.program.rules.get(rule as usize).map_or(0.0, |r| r.entropy);
        let (lenient, broad) = (bits < 0.0, bits >= 2.8);
        if let Outcome::Assigned(found) = self.read(frame, text, word.clone()) {
            let name = &text[found.name.clone()];
            let bound = lenient || found.operator != assignment::Operator::Space || name.starts_with(b"-") || found.scheme;
            let apt =
                bound && (lenient || !judge::public_name(name)) && (!broad || judge::names_secret(name, &text[word.clone()]));
            if apt
                && let Some(span) = self.token_at(text, found.value.start, shape, false)
                && apt_value(&text[span.clone()], lenient, broad)
            {
                return Some(span);
            }
        }
        // `heroku login --key x`, `curl -H "X-Token: …" https://api.provider`: it may follow a word of secrets.
        if !broad {
            if self.providers.is_full() {
                self.providers.remove(0);
            }
            self.providers.push(Provider { epoch: frame.epoch, rule, shape, until: word.end + NEAR });
        }
        None
    }

    /// Tries the providers named shortly before a word such as `token`.
    fn after_provider(&mut self, frame: &Frame, text: &[u8], word: &Range<usize>) {
        if self.providers.is_empty() || text.get(word.end).is_some_and(u8::is_ascii_lowercase) {
            return;
        }
        let providers = std::mem::take(&mut self.providers);
        for provider in &providers {
            if provider.epoch != frame.epoch || word.end >= provider.until {
                continue;
            }
            let lenient = self.scanner.program.rules.get(provider.rule as usize).is_some_and(|r| r.entropy < 0.0);
            self.work += NEAR;
            let span = self.runs(text, word.end..text.len().min(provider.until), provider.shape);
            if let Some(span) = span.filter(|span| apt_value(&text[span.clone()], lenient, false)) {
                self.found(frame, text, provider.rule, span.clone(), span);
            }
        }
        self.providers = providers;
        self.providers.retain(|p| p.epoch == frame.epoch && word.end < p.until);
    }

    /// Reads an assignment once, however many rules ask for it.
    fn read(&mut self, frame: &Frame, text: &[u8], word: Range<usize>) -> Outcome {
        if let Some((epoch, at, outcome)) = &self.last_read
            && (*epoch, *at) == (frame.epoch, word.start)
        {
            return outcome.clone();
        }
        let outcome = assignment::read(text, word.clone());
        self.last_read = Some((frame.epoch, word.start, outcome.clone()));
        outcome
    }

    fn near(&mut self, text: &[u8], word: Range<usize>, shape: u32) -> Option<Range<usize>> {
        let end = text.len().min(word.end + NEAR);
        let start = word.start.saturating_sub(NEAR);
        self.runs(text, word.end..end, shape).or_else(|| self.runs(text, start..word.start, shape))
    }

    /// The first run of token characters in a range that is all of the shape.
    fn runs(&mut self, text: &[u8], range: Range<usize>, shape: u32) -> Option<Range<usize>> {
        let mut at = range.start;
        while at < range.end {
            let begins = is_token(text[at]) && (at == 0 || !text[at - 1].is_ascii_alphanumeric() || after_escape(text, at));
            if begins && let Some(span) = self.token_at(text, at, shape, false) {
                return Some(span);
            }
            at += 1;
        }
        None
    }

    /// An operator's pattern around its keyword, or around a slice when it has none.
    fn search(&mut self, frame: &Frame, text: &[u8], rule: u32, search: u32, start: usize, end: usize) {
        let scanner = self.scanner;
        let Some(pattern) = scanner.program.searches.get(search as usize) else { return };
        let stamp = self.scratch.stamps.get(search as usize).copied().unwrap_or_default();
        let searched = if stamp.0 == frame.epoch { stamp.1 } else { 0 };
        if stamp.0 == frame.epoch && end <= searched {
            return;
        }
        let mut from = start.saturating_sub(SEARCH_BEFORE);
        let until = text.len().min(end + SEARCH_AFTER);
        if let Some(stamp) = self.scratch.stamps.get_mut(search as usize) {
            *stamp = (frame.epoch, until);
        }
        self.work += until - from;
        for _ in 0..FINDINGS_MAX {
            let Some((whole, secret)) = search_once(self.scratch, pattern, search, text, from..until) else { return };
            from = whole.end.max(whole.start + 1);
            self.found(frame, text, rule, whole, secret);
        }
    }

    /// `name = value` around a word such as `token`.
    fn assignment(&mut self, frame: &mut Frame, text: &[u8], word: Range<usize>) {
        self.after_provider(frame, text, &word);
        if word.start < frame.names_until {
            return;
        }
        match self.read(frame, text, word) {
            Outcome::Assigned(found) => {
                frame.names_until = found.name.end;
                self.work += 24;
                let rule = match judge::judge(text, &found, &|_| false) {
                    judge::Verdict::Password => GENERIC_PASSWORD,
                    judge::Verdict::Secret => GENERIC_SECRET,
                    judge::Verdict::Nothing => return,
                };
                let span = judge::span(&found);
                if found.quoting == Quoting::Bare
                    && !at_line_or_flag(text, found.name.start)
                    && rule == GENERIC_PASSWORD
                    && found.operator == assignment::Operator::Colon
                    && text[..found.name.start].ends_with(b" ")
                {
                    // Prose with a colon in it.
                    let line = text[..found.name.start].iter().rev().take_while(|b| **b == b' ').count();
                    if line == 1 && !judge::placeholder(&text[span.clone()]) && judge::entropy(&text[span.clone()]) < 2.5 {
                        return;
                    }
                }
                self.found(frame, text, rule, span.clone(), span);
            }
            Outcome::AtEnd { name } | Outcome::Nothing { name } => frame.names_until = name.end,
        }
    }

    /// `scheme://user:password@host`.
    fn url(&mut self, frame: &Frame, text: &[u8], word: Range<usize>) {
        let end = text.len().min(word.end + 256);
        let rest = &text[word.end..end];
        let stop = rest
            .iter()
            .position(|b| matches!(b, b' ' | b'\n' | b'\r' | b'\t' | b'"' | b'\'' | b'`' | b'<' | b'>' | b'\\' | b'|'))
            .unwrap_or(rest.len());
        let authority = &rest[..stop];
        let slash = authority.iter().position(|b| matches!(b, b'/' | b'?' | b'#')).unwrap_or(authority.len());
        // A password may hold `/`, `?` or `#` unescaped when an `@` comes after them.
        let Some(at) = memchr::memrchr(b'@', &authority[..slash]) else { return };
        let Some(colon) = memchr::memchr(b':', &authority[..at]) else { return };
        let before = &text[word.start.saturating_sub(16)..word.start];
        let scheme = &before[before.iter().rposition(|b| !b.is_ascii_alphanumeric()).map_or(0, |n| n + 1)..];
        let (user, password) = (&authority[..colon], &authority[colon + 1..at]);
        self.work += 32;
        if password.len() < 3 || judge::url_placeholder(scheme, user, password) {
            return;
        }
        let start = word.end + colon + 1;
        self.found(frame, text, Context::Url.rule(), start..start + password.len(), start..start + password.len());
    }

    /// `-----BEGIN … PRIVATE KEY-----` with a body, however its lines are written.
    fn private_key(&mut self, frame: &Frame, text: &[u8], word: Range<usize>) {
        let before = &text[word.start.saturating_sub(48)..word.start];
        let Some(begin) = memchr::memmem::rfind(before, b"-----BEGIN ") else { return };
        let Some(body) = judge::key_body(&text[word.end..]) else { return };
        let start = word.start - (before.len() - begin);
        self.work += body;
        self.found(frame, text, Context::PrivateKey.rule(), start..word.end + body, start..word.end + body);
    }

    /// `Basic …` and `Bearer …`.
    fn header(&mut self, frame: &Frame, text: &[u8], word: Range<usize>, context: Context) {
        let rest = text.get(word.end..text.len().min(word.end + TOKEN_MAX)).unwrap_or_default();
        let length = rest
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'-' | b'_' | b'.' | b'~' | b'!'))
            .count();
        let value = &rest[..length];
        let genuine = match context {
            Context::Basic => judge::basic_credentials(value),
            _ => judge::bearer_token(value, text, word.start),
        };
        if genuine {
            let span = word.end..word.end + length;
            self.found(frame, text, context.rule(), span.clone(), span);
        }
    }

    // --- findings ---

    /// Records a secret unless the configuration leaves it alone.
    fn found(&mut self, frame: &Frame, text: &[u8], rule: u32, whole: Range<usize>, secret: Range<usize>) {
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
        let findings = &self.scratch.findings;
        let noted = findings.iter().filter(|f| f.mode != Mode::Deny).count();
        if findings.len() >= FINDINGS_MAX || mode != Mode::Deny && noted >= NOTED_MAX {
            return;
        }
        if findings.iter().any(|f| f.rule == rule && f.fingerprint == fingerprint && f.node == frame.node) {
            return;
        }
        let (pointer, in_key) = pointer_to(self.nodes, frame.node as usize);
        if self.allowed(compiled, text, &whole, value, &fingerprint, &pointer) {
            return;
        }
        let span = self.blanked(frame, secret.clone());
        let verified = super::checksum::verifies(&text[secret]);
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

    fn blanked(&self, frame: &Frame, secret: Range<usize>) -> Range<usize> {
        let length = self.text_of(frame.node).len();
        match &frame.origin {
            Origin::Shifted(by) => secret.start.saturating_sub(*by)..secret.end.saturating_sub(*by).min(length),
            Origin::Within(range) => range.start.min(length)..range.end.min(length),
        }
    }

    fn allowed(
        &self,
        compiled: &super::compile::Compiled,
        text: &[u8],
        whole: &Range<usize>,
        value: &[u8],
        fingerprint: &[u8; 16],
        pointer: &str,
    ) -> bool {
        let program = &self.scanner.program;
        let excepted = program.exceptions.iter().any(|e| {
            (e.tool.is_empty() || super::compile::glob_matches(&e.tool, self.subject.tool))
                && pointer_within(&e.pointer, pointer)
                && (e.rule.is_empty() || super::compile::glob_matches(&e.rule, &compiled.id))
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

fn apt_value(value: &[u8], lenient: bool, broad: bool) -> bool {
    lenient || if broad { judge::clearly_random(value) } else { judge::machine_made(value) }
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

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'~' | b'+' | b'/' | b'=')
}

/// `\n` and `\t` spelled out stand before `start`: the letter is no part of a word.
fn after_escape(text: &[u8], start: usize) -> bool {
    start >= 2 && text[start - 2] == b'\\' && matches!(text[start - 1], b'n' | b'r' | b't')
}

/// No byte below `+`: no white space, quote, parenthesis, comma-like mark in eight bytes.
#[inline]
fn breaks_run(block: &[u8; BLOCK_READ]) -> bool {
    const LOW: u64 = 0x2b * (u64::MAX / 255);
    const HIGH: u64 = 0x80 * (u64::MAX / 255);
    let word = u64::from_le_bytes([block[0], block[1], block[2], block[3], block[4], block[5], block[6], block[7]]);
    word.wrapping_sub(LOW) & !word & HIGH != 0
}

/// The secret at the end of a match: its last stretch without white space and quotes.
fn tail_of(text: &[u8], whole: Range<usize>) -> Range<usize> {
    let cut = |b: &u8| matches!(b, b' ' | b'\t' | b'\n' | b'"' | b'\'' | b'`' | b'=' | b':' | b'>' | b',' | b'(');
    let matched = &text[whole.clone()];
    let end =
        matched.iter().rposition(|b| !matches!(b, b' ' | b'"' | b'\'' | b'\n' | b'<' | b')')).map_or(matched.len(), |at| at + 1);
    let start = matched[..end.saturating_sub(1)].iter().rposition(cut).map_or(0, |at| at + 1);
    whole.start + start..whole.start + end
}

fn at_line_or_flag(text: &[u8], at: usize) -> bool {
    at == 0 || matches!(text[at - 1], b'\n' | b'-' | b'"' | b'\'' | b'`' | b'$' | b'{' | b',' | b'\t')
}

fn within(origin: &Origin, range: Range<usize>) -> Origin {
    match origin {
        Origin::Shifted(by) => Origin::Within(range.start.saturating_sub(*by)..range.end.saturating_sub(*by)),
        Origin::Within(outer) => Origin::Within(outer.clone()),
    }
}

fn search_once(
    scratch: &mut ScanScratch,
    pattern: &Search,
    search: u32,
    text: &[u8],
    range: Range<usize>,
) -> Option<(Range<usize>, Range<usize>)> {
    if range.is_empty() {
        return None;
    }
    let (cache, captures) = scratch.searches.get_mut(search as usize)?;
    pattern.regex.search_captures_with(cache, &Input::new(text).range(range), captures);
    let whole = captures.get_match()?.range();
    let secret = captures.get_group(pattern.group).map_or_else(|| whole.clone(), |span| span.range());
    Some((whole, secret))
}

/// Inflates what was decoded; answers whether the stream is over.
fn inflate_more(state: &mut InflateState, packed: &[u8], out: &mut Vec<u8>, decode: &Decode, zlib: bool) -> bool {
    let mut input = packed;
    if !decode.begun {
        state.reset(if zlib { DataFormat::Zlib } else { DataFormat::Raw });
        if !zlib {
            let Some(body) = gzip_header(packed).and_then(|length| packed.get(length..)) else { return true };
            input = body;
        }
    }
    let mut part = [0u8; 4096];
    // LIMIT: a window; the rest of a bomb is dropped with the stream, and what came out was scanned.
    while out.len() + part.len() <= transform::DECODED_MAX {
        let result = inflate(state, input, &mut part, MZFlush::None);
        out.extend_from_slice(&part[..result.bytes_written]);
        input = &input[result.bytes_consumed..];
        match result.status {
            Ok(miniz_oxide::MZStatus::Ok) if result.bytes_written > 0 || result.bytes_consumed > 0 => {}
            Ok(miniz_oxide::MZStatus::Ok) => return false,
            _ => return true,
        }
    }
    false
}

/// Length of a gzip header (RFC 1952).
fn gzip_header(bytes: &[u8]) -> Option<usize> {
    let flags = *bytes.get(3)?;
    let mut at = 10;
    if flags & 4 != 0 {
        at += 2 + usize::from(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            at += memchr::memchr(0, bytes.get(at..)?)? + 1;
        }
    }
    Some(if flags & 2 != 0 { at + 2 } else { at })
}

fn line_of<'t>(text: &'t [u8], at: &Range<usize>) -> &'t [u8] {
    let start = memchr::memrchr(b'\n', &text[..at.start]).map_or(0, |n| n + 1);
    let end = memchr::memchr(b'\n', &text[at.end..]).map_or(text.len(), |n| at.end + n);
    &text[start.max(at.start.saturating_sub(4096))..end.min(at.end + 4096)]
}

fn pointer_within(prefix: &str, pointer: &str) -> bool {
    pointer.strip_prefix(prefix).is_some_and(|rest| prefix.is_empty() || rest.is_empty() || rest.starts_with('/'))
}

/// A finding of a context rule gives way to one of a provider's rule in the same place.
fn prefer_named(scanner: &SecretScanner, findings: &mut Vec<Finding>) {
    let generic = |f: &Finding| scanner.program.rules.get(f.rule as usize).is_some_and(|r| r.generic);
    let named: ArrayVec<(u32, Range<usize>, Mode), FINDINGS_MAX> =
        findings.iter().filter(|f| !generic(f)).map(|f| (f.node, f.span.clone(), f.mode)).collect();
    findings.retain(|f| {
        !generic(f)
            || !named.iter().any(|(node, span, mode)| {
                *node == f.node && span.start < f.span.end && f.span.start < span.end && *mode == f.mode
            })
    });
}

/// The JSON pointer to a string on the tape, and whether the string is the last key of it.
fn pointer_to(nodes: &[Node<'_>], target: usize) -> (String, bool) {
    struct Open<'n> {
        object: bool,
        left: usize,
        index: usize,
        key: &'n str,
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
            Node::Object { len, .. } => path.push(Open { object: true, left: len * 2, index: 0, key: "" }),
            Node::Array { len, .. } => path.push(Open { object: false, left: *len, index: usize::MAX, key: "" }),
            Node::String(_) | Node::Static(_) => {}
        }
    }
    let mut pointer = String::new();
    for open in &path {
        pointer.push('/');
        if open.object {
            pointer.push_str(&open.key.replace('~', "~0").replace('/', "~1"));
        } else {
            pointer.push_str(&open.index.to_string());
        }
    }
    (pointer, in_key)
}
