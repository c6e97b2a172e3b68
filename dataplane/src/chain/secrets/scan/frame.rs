//! What is done with one text: the filter over its blocks, the views that undo what hides, and decoding.
//!
//! *Lives on* one shard, as steps of a [`Scan`].

use std::ops::Range;

use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZFlush};

use super::super::Unscannable;
use super::super::grams::{BLOCK, BLOCK_READ};
use super::super::transform::{self, Code, Content, View};
use super::{Decode, Frame, Origin, Phase, RUN_BLOCKS, SLICE, Scan, ScanScratch, Source, Views};

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
        let mut mask = 0;
        let mut hides = false;
        for at in (0..text.len()).step_by(BLOCK) {
            mask |= program.grams.probe_padded(text, at);
        }
        for byte in text {
            hides |= (*byte >= 0x80) | (*byte == b'%') | (*byte == b'&') | (*byte == b'\\') | (*byte == b'\n');
        }
        mask == 0 && !(hides && self.decode) && program.always.is_empty()
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
        let mut at = from;
        let work_stop = self.work + 2 * SLICE;
        let mut run_blocks = frame.run_blocks;
        while at + BLOCK_READ <= text.len() && at < until {
            let Some(block) = text.get(at..at + BLOCK_READ).and_then(|b| b.first_chunk::<BLOCK_READ>()) else { break };
            let mask = grams.probe(block);
            run_blocks = if breaks_run(block) { 0 } else { run_blocks + 1 };
            at += BLOCK;
            if mask != 0 {
                self.candidates(frame, text, at - BLOCK, mask);
                if self.work > work_stop {
                    break;
                }
            }
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
            let mask = self.scanner.program.grams.probe_padded(text, at);
            if mask != 0 {
                self.candidates(frame, text, at, mask);
            }
            at += BLOCK;
        }
        text.len()
    }

    /// The first view that would change the text, which for most texts is none.
    fn first_view(&self, frame: &Frame, text: &[u8]) -> Phase {
        let first = match frame.views {
            _ if !self.decode => return Phase::Done,
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

/// No byte below `+`: no white space, quote, parenthesis, comma-like mark in eight bytes.
#[inline]
fn breaks_run(block: &[u8; BLOCK_READ]) -> bool {
    const LOW: u64 = 0x2b * (u64::MAX / 255);
    const HIGH: u64 = 0x80 * (u64::MAX / 255);
    let word = u64::from_le_bytes([block[0], block[1], block[2], block[3], block[4], block[5], block[6], block[7]]);
    word.wrapping_sub(LOW) & !word & HIGH != 0
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
