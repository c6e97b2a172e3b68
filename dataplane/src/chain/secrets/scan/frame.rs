//! What is done with one text: the filter over its blocks, the views that undo what hides, and decoding.
//!
//! *Lives on* one shard, as steps of a [`Scan`].

use std::ops::Range;

use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZFlush};

use super::super::Unscannable;
use super::super::grams::{self, BLOCK, BLOCK_READ, SPAN, SPAN_READ};
use super::super::transform::{self, Code, Content, View};
use super::{Decode, Frame, Origin, Phase, RUN_BLOCKS, SLICE, Scan, ScanScratch, Source, Views};

/// Bytes of the blocks that show a run.
const PIECE: usize = RUN_BLOCKS as usize * BLOCK;
/// So short a text is asked at once for what any view looks for.
const SHORT: usize = 64;

impl<'a> Scan<'a> {
    /// Goes on with the topmost frame for about `budget` bytes; answers what was spent.
    pub(super) fn run_frame(&mut self, budget: usize) -> usize {
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

    /// Whether nothing in a text too short for an encoded run deserves a second look: then it needs no frame.
    pub(super) fn is_idle(&self, text: &[u8]) -> bool {
        let program = &self.scanner.program;
        let looks = program.grams.may_hold(text) || self.decode && transform::may_change(text);
        !looks && program.always.is_empty()
    }

    /// The first look: every block of the text through the filter.
    pub(super) fn plain(&mut self, frame: &mut Frame, text: &[u8], budget: usize) -> usize {
        let scanner = self.scanner;
        let grams = &scanner.program.grams;
        let from = frame.at;
        let until = text.len().min(from.saturating_add(budget));
        for &(rule, search) in &scanner.program.always {
            self.search(frame, text, rule, search, from, until);
        }
        let work_stop = self.work + 2 * SLICE;
        let mut stopped = false;
        while !stopped && frame.at < until {
            let at = frame.at;
            let Some(span) = text.get(at..).and_then(<[u8]>::first_chunk::<SPAN_READ>) else { break };
            let unbroken = grams::unbroken(span);
            let mut mask = grams.probe_span(span);
            let ends = run_ends(frame.run_blocks, unbroken);
            frame.run_blocks = if unbroken == u8::MAX { frame.run_blocks + 8 } else { unbroken.leading_ones() };
            frame.at = at + SPAN;
            if ends != 0
                && self.decode
                && frame.at > frame.run_floor
                && let Some(end) = self.runs_in(frame, text, at, ends)
            {
                mask &= u32::MAX >> (32 - (end - at) / 2);
                frame.at = end;
                frame.run_blocks = RUN_BLOCKS;
                stopped = true;
            }
            if mask != 0 {
                self.candidates(frame, text, at, mask.into());
                stopped |= self.work > work_stop;
            }
        }
        stopped = stopped || self.blocks(frame, text, until, work_stop);
        if !stopped && frame.at + BLOCK_READ > text.len() {
            self.tail_block(frame, text);
            if self.decode
                && (1..RUN_BLOCKS).contains(&frame.run_blocks)
                && text.len() > frame.run_floor
                && text.len() >= transform::RUN_MIN
            {
                self.encoded_run(frame, text, text.len().saturating_sub(transform::RUN_MIN / 2));
                frame.run_floor = text.len();
            }
        }
        if matches!(frame.phase, Phase::Plain) && frame.at >= text.len() {
            frame.phase = self.first_view(frame, text);
        }
        self.work += frame.at - from;
        frame.at - from + 8
    }

    /// Looks at the runs of which a piece ends with a block of `ends`, counted from `from` to where the frame stands; answers
    /// where the block ends that showed encoded text.
    #[cold]
    fn runs_in(&mut self, frame: &mut Frame, text: &[u8], from: usize, mut ends: u8) -> Option<usize> {
        while ends != 0 {
            let block = ends.trailing_zeros();
            let at = from + block as usize * BLOCK;
            let end = at + BLOCK;
            ends &= ends - 1;
            if end <= frame.run_floor {
                continue;
            }
            if !transform::may_be_run(&text[at..end]) {
                // The pieces that hold this block are none.
                ends &= !(0b110 << block);
                frame.run_blocks = frame.run_blocks.min(((frame.at - end) / BLOCK) as u32);
            } else if transform::may_be_encoded(&text[end.saturating_sub(PIECE)..end]) && self.encoded_run(frame, text, at) {
                return Some(end);
            }
        }
        None
    }

    /// Blocks one by one, as far as whole ones go: the end of a text. Answers whether to stop here, for what was found in
    /// them.
    fn blocks(&mut self, frame: &mut Frame, text: &[u8], until: usize, work_stop: usize) -> bool {
        let scanner = self.scanner;
        while frame.at < until
            && let Some(block) = text.get(frame.at..).and_then(<[u8]>::first_chunk::<BLOCK_READ>)
        {
            let at = frame.at;
            let mask = scanner.program.grams.probe(block);
            frame.run_blocks = if grams::is_unbroken(grams::padded(block, 0)) { frame.run_blocks + 1 } else { 0 };
            frame.at = at + BLOCK;
            if mask != 0 {
                self.candidates(frame, text, at, mask);
                if self.work > work_stop {
                    return true;
                }
            }
            let ends_piece = frame.run_blocks >= RUN_BLOCKS && frame.at > frame.run_floor && self.decode;
            if ends_piece && self.runs_in(frame, text, at, 1).is_some() {
                return true;
            }
        }
        false
    }

    /// The last bytes of a text, as if NULs followed.
    fn tail_block(&mut self, frame: &mut Frame, text: &[u8]) {
        for at in (frame.at..text.len()).step_by(BLOCK) {
            let mask = self.scanner.program.grams.probe_padded(text, at);
            if mask != 0 {
                self.candidates(frame, text, at, mask);
            }
        }
        frame.at = text.len();
    }

    /// The first view that would change the text, which for most texts is none.
    fn first_view(&self, frame: &Frame, text: &[u8]) -> Phase {
        let first = match frame.views {
            _ if !self.decode => return Phase::Done,
            // Joints are looked for where one was seen.
            _ if text.len() < SHORT && !frame.joined && !transform::may_change(text) => return Phase::Done,
            Views::None => return Phase::Done,
            Views::UnwrapOnly => View::Unwrap,
            Views::All if text.is_ascii() => View::Unescape,
            Views::All => View::Fold,
        };
        let mut view = Some(first);
        while let Some(here) = view {
            if (here != View::Join || frame.joined) && transform::changes(here, text) {
                return Phase::View { view: here, from: 0 };
            }
            view = here.next();
        }
        Phase::Done
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
        Some(Frame { across: frame.across, ..self.frame(Source::Buffer, frame.node, frame.in_key, origin, views) })
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
        Some(Frame { across: frame.across, ..self.frame(Source::Buffer, frame.node, frame.in_key, origin, Views::All) })
    }
}

/// Which of a span's unbroken blocks end a piece of [`RUN_BLOCKS`] of them, those before the span counted.
#[inline]
fn run_ends(before: u32, unbroken: u8) -> u8 {
    let before = [0b00, 0b10, 0b11][before.min(2) as usize];
    let blocks = u32::from(unbroken) << 2 | before;
    (blocks & blocks >> 1 & blocks >> 2) as u8
}

fn within(origin: &Origin, range: Range<usize>) -> Origin {
    match origin {
        Origin::Shifted(by) => Origin::Within(range.start.saturating_sub(*by)..range.end.saturating_sub(*by)),
        Origin::Within(outer) => Origin::Within(outer.clone()),
    }
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
