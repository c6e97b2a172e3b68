//! Undoes what hides a secret from a plain search: escapes, percent and HTML encoding, base64, hex, gzip,
//! invisible and full-width characters, string concatenation and wrapped lines.
//!
//! *Lives on* one shard. Every transformation works on a bounded window of its source and appends to a
//! buffer whose size was fixed when the shard started; a longer source is given in overlapping windows.

use std::ops::Range;

/// LIMIT: source bytes one window may span; keeps a step well under 200 µs.
pub(super) const WINDOW: usize = 8 * 1024;
/// LIMIT: bytes two windows of one source share, so that a secret on their border is whole in one of them.
pub(super) const OVERLAP: usize = 1024;
/// LIMIT: bytes a window may decode to; nothing but gzip grows, and that is bounded by its own window.
pub(super) const DECODED_MAX: usize = 3 * WINDOW;
/// Text kept around an escape, because a name may stand before it and the rest of a token after it.
const AROUND: usize = 160;
/// Shortest run that is tried as base64 or hexadecimal.
pub(super) const RUN_MIN: usize = 20;

/// Bytes that are looked at together where most are the same.
const AT_ONCE: usize = 64;

/// A view of a whole text, taken where the text shows that it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// Invisible characters removed, full-width letters made ASCII.
    Fold,
    /// Percent, HTML, JSON and source-code escapes.
    Unescape,
    /// `"a" + "b"` made `"ab"`.
    Join,
    /// Words cut by a back-slash at the end of a line.
    Continue,
    /// Hard-wrapped lines put together.
    Unwrap,
}

impl View {
    pub(super) const fn next(self) -> Option<View> {
        match self {
            View::Fold => Some(View::Unescape),
            View::Unescape => Some(View::Join),
            View::Join => Some(View::Continue),
            View::Continue => Some(View::Unwrap),
            View::Unwrap => None,
        }
    }
}

/// Whether a short text has a byte that any view looks for. Cost: no call, and some bytes at once.
pub(super) fn may_change(text: &[u8]) -> bool {
    let hides = |byte: &u8| (*byte >= 0x80) | (*byte == b'%') | (*byte == b'&') | (*byte == b'\\') | (*byte == b'\n');
    text.iter().fold(0, |any, byte| any | u8::from(hides(byte))) != 0
}

/// Whether this view would change anything of `text`.
pub(super) fn changes(view: View, text: &[u8]) -> bool {
    match view {
        View::Fold => next_invisible(text, 0).is_some(),
        View::Unescape => next_escape(text, 0).is_some(),
        View::Join => next_joint(text, 0).is_some(),
        View::Continue => next_continuation(text, 0).is_some(),
        View::Unwrap => !text.is_empty() && hard_wrapped(text),
    }
}

/// The next part of `text` at or after `from` that this view would change, with some text around it.
pub(super) fn window(view: View, text: &[u8], from: usize) -> Option<Range<usize>> {
    match view {
        View::Fold => clustered(text, from, next_invisible),
        View::Unescape => clustered(text, from, next_escape),
        View::Join => clustered(text, from, next_joint),
        View::Continue => clustered(text, from, next_continuation),
        View::Unwrap => (from < text.len() && (from > 0 || hard_wrapped(text))).then(|| from..(from + WINDOW).min(text.len())),
    }
}

/// Marks that stand close together share one window.
fn clustered(text: &[u8], from: usize, next: fn(&[u8], usize) -> Option<Range<usize>>) -> Option<Range<usize>> {
    let first = next(text, from)?;
    let start = boundary(text, first.start.saturating_sub(AROUND).max(from.min(first.start)));
    let limit = start + WINDOW - AROUND;
    let mut end = first.end;
    while let Some(more) = next(text, end) {
        if more.start > end + AROUND || more.end > limit {
            break;
        }
        end = more.end;
    }
    Some(start..(end + AROUND).min(text.len()))
}

/// Moves a cut back to the start of a UTF-8 character.
fn boundary(text: &[u8], mut at: usize) -> usize {
    while at > 0 && text.get(at).is_some_and(|b| b & 0xc0 == 0x80) {
        at -= 1;
    }
    at
}

/// Appends the view of `source` to `out`.
pub(super) fn apply(view: View, source: &[u8], out: &mut Vec<u8>) {
    match view {
        View::Fold => fold(source, out),
        View::Unescape => unescape(source, out),
        View::Join => join(source, out),
        View::Continue => unwrap_continued(source, out),
        View::Unwrap => unwrap_lines(source, out),
    }
}

// --- invisible and full-width characters ---

/// What a non-ASCII character is folded to: `Some(None)` removes it, `None` leaves it.
fn folded(text: &[u8], at: usize) -> Option<(usize, Option<u8>)> {
    match *text.get(at..)? {
        [0xc2, 0xad, ..] | [0xcd, 0x8f, ..] => Some((2, None)),
        [0xe2, 0x80, 0x8b..=0x8f | 0xaa..=0xae, ..]
        | [0xe2, 0x81, 0xa0..=0xaf, ..]
        | [0xef, 0xbb, 0xbf, ..]
        | [0xef, 0xb8, 0x80..=0x8f, ..]
        | [0xe1, 0xa0, 0x8e, ..] => Some((3, None)),
        [0xef, 0xbc, low @ 0x81..=0xbf, ..] => Some((3, Some(low - 0x60))),
        [0xef, 0xbd, low @ 0x80..=0x9e, ..] => Some((3, Some(low - 0x20))),
        [0xe3, 0x80, 0x80, ..] => Some((3, Some(b' '))),
        [0xf3, 0xa0, 0x80 | 0x81, _, ..] => Some((4, None)),
        // Mathematical letters and digits: bold, italic, sans-serif, monospace …
        [0xf0, 0x9d, 0x90..=0x9f, _, ..] => {
            let low = u32::from(text[at + 2] & 0x3f) << 6 | u32::from(text[at + 3] & 0x3f);
            let point = 0x1d000 + low;
            match point {
                0x1d400..=0x1d6a3 => {
                    let index = (point - 0x1d400) % 52;
                    let base = if index < 26 { b'A' } else { b'a' - 26 };
                    Some((4, Some(base + u8::try_from(index).ok()?)))
                }
                0x1d7ce..=0x1d7ff => Some((4, Some(b'0' + u8::try_from((point - 0x1d7ce) % 10).ok()?))),
                _ => None,
            }
        }
        _ => None,
    }
}

fn next_invisible(text: &[u8], from: usize) -> Option<Range<usize>> {
    let mut at = from;
    loop {
        at += position_of_lead(text.get(at..)?)?;
        if let Some((length, _)) = folded(text, at) {
            return Some(at..at + length);
        }
        at += 1;
    }
}

/// The first byte that begins a character beyond ASCII. Looks at many bytes at once.
fn position_of_lead(text: &[u8]) -> Option<usize> {
    let begins = |byte: &u8| *byte >= 0xc2;
    let plain = text.chunks(AT_ONCE).take_while(|part| part.iter().fold(0, |any, byte| any | u8::from(begins(byte))) == 0);
    let from = (plain.count() * AT_ONCE).min(text.len());
    text[from..].iter().position(begins).map(|at| from + at)
}

fn fold(source: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(&byte) = source.get(at) {
        match if byte >= 0xc2 { folded(source, at) } else { None } {
            Some((length, to)) => {
                out.extend(to);
                at += length;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
}

// --- escapes ---

/// What a hexadecimal digit stands for; 16 for what is none.
const HEX: [u8; 256] = {
    let mut table = [16; 256];
    let mut digit = 0;
    while digit < 16 {
        table[b"0123456789abcdef"[digit as usize] as usize] = digit;
        table[b"0123456789ABCDEF"[digit as usize] as usize] = digit;
        digit += 1;
    }
    table
};

#[inline]
fn hex_value(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0u32, |sum, digit| {
        let digit = HEX[usize::from(*digit)];
        (digit < 16).then_some(sum << 4 | u32::from(digit))
    })
}

/// One escape at `at`: its length and the character it stands for.
fn escape_at(text: &[u8], at: usize) -> Option<(usize, u32)> {
    let rest = text.get(at..)?;
    match *rest {
        [b'%', a, b, ..] => Some((3, hex_value(&[a, b])?)),
        [b'&', b'#', b'x' | b'X', ..] => entity(rest, 3, 16),
        [b'&', b'#', ..] => entity(rest, 2, 10),
        [b'&', ..] => named_entity(rest),
        [b'\\', b'u', b'{', ..] => {
            let end = rest.iter().take(10).position(|b| *b == b'}')?;
            Some((end + 1, hex_value(rest.get(3..end)?)?))
        }
        [b'\\', b'u', a, b, c, d, ..] => Some((6, hex_value(&[a, b, c, d])?)),
        [b'\\', b'U', a, b, c, d, e, f, g, h, ..] => Some((10, hex_value(&[a, b, c, d, e, f, g, h])?)),
        [b'\\', b'x', a, b, ..] => Some((4, hex_value(&[a, b])?)),
        [b'\\', a @ b'0'..=b'1', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => {
            Some((4, u32::from(a - b'0') << 6 | u32::from(b - b'0') << 3 | u32::from(c - b'0')))
        }
        [b'\\', b'n', ..] => Some((2, 0x0a)),
        [b'\\', b'r', ..] => Some((2, 0x0d)),
        [b'\\', b't', ..] => Some((2, 0x09)),
        [b'\\', c @ (b'"' | b'\'' | b'\\' | b'/' | b'`'), ..] => Some((2, u32::from(c))),
        _ => None,
    }
}

fn entity(rest: &[u8], from: usize, radix: u32) -> Option<(usize, u32)> {
    // Eight digits of any radix up to 16 fit.
    let (mut digits, mut value) = (0, 0u32);
    for byte in rest.get(from..)?.iter().take(8) {
        let digit = u32::from(HEX[usize::from(*byte)]);
        if digit >= radix {
            break;
        }
        value = value.wrapping_mul(radix).wrapping_add(digit);
        digits += 1;
    }
    if digits == 0 {
        return None;
    }
    let semicolon = usize::from(rest.get(from + digits) == Some(&b';'));
    Some((from + digits + semicolon, value))
}

fn named_entity(rest: &[u8]) -> Option<(usize, u32)> {
    const NAMES: &[(&[u8], u8)] = &[
        (b"&quot;", b'"'),
        (b"&apos;", b'\''),
        (b"&amp;", b'&'),
        (b"&lt;", b'<'),
        (b"&gt;", b'>'),
        (b"&nbsp;", b' '),
        (b"&equals;", b'='),
        (b"&lowbar;", b'_'),
        (b"&hyphen;", b'-'),
        (b"&dash;", b'-'),
        (b"&colon;", b':'),
        (b"&period;", b'.'),
        (b"&sol;", b'/'),
        (b"&plus;", b'+'),
        (b"&num;", b'#'),
        (b"&NewLine;", b'\n'),
        (b"&Tab;", b'\t'),
        (b"&comma;", b','),
        (b"&excl;", b'!'),
        (b"&dollar;", b'$'),
        (b"&percnt;", b'%'),
        (b"&commat;", b'@'),
        (b"&semi;", b';'),
        (b"&lpar;", b'('),
        (b"&rpar;", b')'),
    ];
    NAMES.iter().find(|(name, _)| rest.starts_with(name)).map(|(name, to)| (name.len(), u32::from(*to)))
}

/// The next escape that a decoding would be worth it for; `\n` alone is not.
fn next_escape(text: &[u8], from: usize) -> Option<Range<usize>> {
    let mut at = from;
    loop {
        at += memchr::memchr3(b'%', b'&', b'\\', text.get(at..)?)?;
        if let Some((length, point)) = escape_at(text, at)
            && !(text[at] == b'\\' && length == 2 && matches!(point, 0x0a | 0x0d | 0x09 | 0x27 | 0x60))
        {
            return Some(at..at + length);
        }
        at += 1;
    }
}

fn unescape(source: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(&byte) = source.get(at) {
        if matches!(byte, b'%' | b'&' | b'\\')
            && let Some((length, point)) = escape_at(source, at)
        {
            push_char(point, byte == b'%' || byte == b'\\' && length == 4, out);
            at += length;
        } else {
            out.push(byte);
            at += 1;
        }
    }
}

/// `raw`: the escape stands for a byte, not for a character.
fn push_char(point: u32, raw: bool, out: &mut Vec<u8>) {
    match (u8::try_from(point), char::from_u32(point)) {
        (Ok(byte), _) if raw || byte < 0x80 => out.push(byte),
        (_, Some(char)) => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        (_, None) => {}
    }
}

// --- concatenated strings ---

/// Whether a joint begins with the quote at `at`.
pub(super) fn is_joint(text: &[u8], at: usize) -> bool {
    joint_at(text, at).is_some()
}

/// A joint begins at the quote that closes one literal and ends behind the one that opens the next.
fn joint_at(text: &[u8], at: usize) -> Option<usize> {
    let quote = |b: &u8| matches!(b, b'"' | b'\'' | b'`');
    let mut to = at + 1;
    // Most quotes are followed by neither white space nor an operator.
    if !matches!(text.get(to), Some(b' ' | b'\t' | b'\n' | b'\r' | b'+' | b'.' | b'&' | b'~' | b'^' | b'\\' | b'|' | b'<')) {
        return None;
    }
    let white = |to: &mut usize| {
        let from = *to;
        while *to - from < 80 && matches!(text.get(*to), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            *to += 1;
        }
        *to > from
    };
    let mut linked = white(&mut to) && memchr::memchr(b'\n', &text[at..to]).is_some();
    match *text.get(to..)? {
        [b'+' | b'.' | b'&' | b'~' | b'^', ..] => {
            to += 1;
            linked = true;
        }
        [b'\\', b'\n', ..] | [b'|', b'|', ..] | [b'<', b'<', ..] => {
            to += 2;
            linked = true;
        }
        _ => {}
    }
    white(&mut to);
    if matches!(text.get(to), Some(b'f' | b'b' | b'r' | b'u' | b'@')) && text.get(to + 1).is_some_and(quote) {
        to += 1;
    }
    (linked && text.get(to).is_some_and(quote)).then_some(to + 1)
}

fn next_joint(text: &[u8], from: usize) -> Option<Range<usize>> {
    let mut at = from;
    loop {
        at += memchr::memchr3(b'"', b'\'', b'`', text.get(at..)?)?;
        if let Some(end) = joint_at(text, at) {
            return Some(at..end);
        }
        at += 1;
    }
}

/// A line cut by a back-slash in the middle of a word; shells have a blank before it where it is none.
fn continued_at(text: &[u8], at: usize) -> Option<usize> {
    let end = match *text.get(at..)? {
        [b'\\', b'\n', ..] => at + 2,
        [b'\\', b'\r', b'\n', ..] => at + 3,
        _ => return None,
    };
    let inside = at > 0 && is_run(text[at - 1]) && text.get(end).is_some_and(|b| is_run(*b));
    inside.then_some(end)
}

fn next_continuation(text: &[u8], from: usize) -> Option<Range<usize>> {
    let mut at = from;
    loop {
        at += memchr::memchr(b'\\', text.get(at..)?)?;
        if let Some(end) = continued_at(text, at) {
            return Some(at..end);
        }
        at += 1;
    }
}

fn join(source: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(&byte) = source.get(at) {
        if matches!(byte, b'"' | b'\'' | b'`')
            && let Some(end) = joint_at(source, at)
        {
            at = end;
        } else {
            out.push(byte);
            at += 1;
        }
    }
}

// --- wrapped lines ---

/// Whether many lines have the length of the longest, as text cut at a column has; source code seldom has two.
fn hard_wrapped(text: &[u8]) -> bool {
    const LINES: usize = 48;
    let (mut longest, mut full, mut count) = (0, 0, 0);
    let mut from = 0;
    for at in memchr::memchr_iter(b'\n', text).take(LINES) {
        let length = at - from;
        if length > longest {
            (longest, full) = (length, 0);
        }
        full += usize::from(length == longest);
        count += 1;
        from = at + 1;
    }
    let rest = if count < LINES { text.len() - from } else { 0 };
    count > 0 && (4..=200).contains(&longest) && rest <= longest && (full * 4 >= count && full > 1 || count <= 3)
}

fn unwrap_lines(source: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(&byte) = source.get(at) {
        match byte {
            b'\n' | b'\r' => {
                if out.last() == Some(&b'\\') {
                    out.pop();
                }
                at += 1;
                while matches!(source.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
                    at += 1;
                }
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
}

fn unwrap_continued(source: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(&byte) = source.get(at) {
        match if byte == b'\\' { continued_at(source, at) } else { None } {
            Some(end) => at = end,
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
}

// --- base64, hexadecimal ---

/// How a run of token characters is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    /// `skip`: characters before the first whole group of four.
    Base64 {
        skip: usize,
    },
    Hex,
}

/// What a run decodes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Text,
    Utf16Le,
    Utf16Be,
    /// A gzip or zlib stream.
    Deflated {
        zlib: bool,
    },
}

fn is_run(byte: u8) -> bool {
    RUN_BYTES[usize::from(byte)]
}

/// Bytes of base64, hexadecimal and their like.
const RUN_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
        byte += 1;
    }
    table
};

/// Whether every byte could be one of base64 or hexadecimal. Looks at many at once, without the table.
#[inline]
pub(super) fn may_be_run(bytes: &[u8]) -> bool {
    // `/` stands right before the digits.
    let letter = |byte: u8| (byte | 0x20).wrapping_sub(b'a') < 26;
    let mark = |byte: u8| (byte.wrapping_sub(b'/') < 11) | (byte == b'+') | (byte == b'-') | (byte == b'_');
    bytes.iter().fold(true, |all, byte| all & (letter(*byte) | mark(*byte)))
}

/// Bytes of a run that are looked at together.
const RUN_AT_ONCE: usize = 16;

/// How many bytes from the start could be of a run.
fn run_length(bytes: &[u8]) -> usize {
    let whole = bytes.chunks_exact(RUN_AT_ONCE).take_while(|part| may_be_run(part)).count() * RUN_AT_ONCE;
    whole + bytes[whole..].iter().take_while(|b| is_run(**b)).count()
}

/// How many bytes before the end could be of a run.
fn run_length_back(bytes: &[u8]) -> usize {
    let whole = bytes.rchunks_exact(RUN_AT_ONCE).take_while(|part| may_be_run(part)).count() * RUN_AT_ONCE;
    whole + bytes[..bytes.len() - whole].iter().rev().take_while(|b| is_run(**b)).count()
}

/// Whether some bytes within a run could be of [`sniff`]'s codes: base64 has capitals, and hexadecimal no other letters.
#[inline]
pub(super) fn may_be_encoded(bytes: &[u8]) -> bool {
    let capital = |byte: u8| byte.wrapping_sub(b'A') < 26;
    let digit = |byte: u8| is_hex(byte) | (byte == b'x');
    bytes.iter().fold(false, |any, byte| any | capital(*byte)) || bytes.iter().fold(true, |all, byte| all & digit(*byte))
}

#[inline]
fn is_hex(byte: u8) -> bool {
    (byte.wrapping_sub(b'0') < 10) | ((byte | 0x20).wrapping_sub(b'a') < 6)
}

fn all_hex(bytes: &[u8]) -> bool {
    bytes.chunks(RUN_AT_ONCE).all(|part| part.iter().fold(true, |all, byte| all & is_hex(*byte)))
}

/// The run of base64 characters around `at`, across the line breaks of wrapped base64.
pub(super) fn run_around(text: &[u8], at: usize, floor: usize) -> Range<usize> {
    let mut start = at - run_length_back(&text[floor.min(at)..at]);
    if start > 0 && start < at && text[start - 1] == b'\\' && matches!(text[start], b'n' | b'r' | b't') {
        start += 1;
    }
    let mut end = at;
    let mut line = start;
    loop {
        end += run_length(&text[end..]);
        if matches!(text.get(end), Some(b'\n' | b'\r' | b'\\')) && end - line >= 32 {
            let white = wrap_len(text, end);
            let more =
                text.get(end + white..).unwrap_or_default().iter().take(8).take_while(|b| is_run(**b) || **b == b'=').count();
            if white == 0 || more == 0 {
                break;
            }
            end += white;
            line = end;
        } else {
            break;
        }
    }
    start..end.max(at)
}

/// Length of a line break, spelled or real, with the indentation after it.
fn wrap_len(text: &[u8], at: usize) -> usize {
    let mut to = at;
    loop {
        match *text.get(to..).unwrap_or_default() {
            [b'\n' | b'\r', ..] => to += 1,
            [b' ' | b'\t', ..] if to > at && to - at < 24 => to += 1,
            [b'\\', b'n' | b'r' | b'\n', ..] => to += 2,
            _ => return to - at,
        }
    }
}

/// What a character of base64 stands for; 64 for what is none.
const SEXTETS: [u8; 256] = {
    let mut table = [64; 256];
    let mut value = 0;
    while value < 64 {
        table[b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[value as usize] as usize] = value;
        value += 1;
    }
    table[b'-' as usize] = 62;
    table[b'_' as usize] = 63;
    table
};

/// The value of a digit of base64 or hexadecimal, and its width in bits.
#[inline]
fn digit(code: Code, byte: u8) -> Option<(u32, u32)> {
    let (value, width) = match code {
        Code::Base64 { .. } => (SEXTETS[usize::from(byte)], 6),
        Code::Hex => (HEX[usize::from(byte)], 4),
    };
    (value >> width == 0).then_some((u32::from(value), width))
}

/// Decodes what it can of a run, skipping line breaks; stops after `limit` bytes. Answers the source used.
pub(super) fn decode(code: Code, run: &[u8], out: &mut Vec<u8>, limit: usize) -> usize {
    let (mut bits, mut have) = (0u32, 0u32);
    let full = out.len() + limit;
    let mut at = match code {
        Code::Base64 { skip } => skip,
        Code::Hex => 0,
    };
    while let Some(&byte) = run.get(at) {
        match digit(code, byte) {
            Some((value, width)) => {
                at += 1;
                bits = bits << width | value;
                have += width;
                if have >= 8 {
                    have -= 8;
                    out.push((bits >> have) as u8);
                    if have == 0 && out.len() >= full {
                        return at;
                    }
                }
            }
            None => {
                let wrap = wrap_len(run, at);
                if wrap == 0 {
                    return run.len();
                }
                at += wrap;
            }
        }
    }
    at
}

/// Tells how a run is encoded and what is in it, from samples of its start and middle.
pub(super) fn sniff(run: &[u8]) -> Option<(Code, Content)> {
    if run.len() < RUN_MIN {
        return None;
    }
    let hex = run.strip_prefix(b"0x").unwrap_or(run);
    if hex.len() >= RUN_MIN && all_hex(&hex[..hex.len().min(64)]) {
        return probe(Code::Hex, hex).map(|content| (Code::Hex, content));
    }
    let mut head = [0; 32];
    head.iter_mut().zip(run).for_each(|(to, from)| *to = *from);
    let capitals = head.iter().fold(0, |count, byte| count + u8::from(byte.is_ascii_uppercase()));
    let cased = capitals > 1 && head.iter().fold(false, |any, byte| any | byte.is_ascii_lowercase());
    if !cased {
        return None;
    }
    for skip in 0..4 {
        let code = Code::Base64 { skip };
        if let Some(content) = probe(code, run) {
            return Some((code, content));
        }
    }
    // Something unlike base64 may stand before it in the same run.
    if run.len() >= 96 {
        for skip in 0..4 {
            if let Some(content) = probe(Code::Base64 { skip }, &run[64..]) {
                return Some((Code::Base64 { skip }, content));
            }
        }
    }
    None
}

/// Most runs are random: a few bytes tell, and only then more of them are looked at.
fn probe(code: Code, run: &[u8]) -> Option<Content> {
    if !may_begin(code, run) {
        return None;
    }
    match code {
        Code::Base64 { .. } => sample(code, run, 16).and_then(|_| sample(code, run, 36)),
        Code::Hex => sample(code, run, 16).and_then(|_| sample(code, run, 64)),
    }
}

/// Whether what the first characters of a run stand for can begin any [`Content`].
fn may_begin(code: Code, run: &[u8]) -> bool {
    let mut bytes = [0; 6];
    let (run, length) = match code {
        Code::Base64 { skip } => (run.get(skip..), 6),
        Code::Hex => (Some(run), 4),
    };
    let Some(head) = run.and_then(<[u8]>::first_chunk::<8>) else { return false };
    let width = length as u32;
    let bits = head.iter().fold(0, |bits, digit| {
        let value = if width == 6 { SEXTETS[usize::from(*digit)] } else { HEX[usize::from(*digit)] };
        bits << width | u64::from(value)
    });
    bytes.copy_from_slice(&(bits << (16 + 8 * (6 - length))).to_be_bytes()[..6]);
    let bytes = &bytes[..length];
    match bytes[0] {
        // Compressed streams, and marks of the byte order.
        0x1f | 0x78 | 0xef | 0xfe | 0xff => true,
        // UTF-16.
        0 => bytes.chunks_exact(2).all(|pair| pair[0] == 0 && is_text(pair[1])),
        first if !is_text(first) && first < 0xc2 => false,
        _ if bytes[1] == 0 => bytes.chunks_exact(2).all(|pair| is_text(pair[0]) && pair[1] == 0),
        _ => {
            bytes.iter().all(|byte| is_text(*byte) || *byte >= 0x80)
                && std::str::from_utf8(bytes).err().is_none_or(|error| error.error_len().is_none())
        }
    }
}

fn is_text(byte: u8) -> bool {
    matches!(byte, 0x20..=0x7e | b'\n' | b'\r' | b'\t')
}

/// What some characters of a run stand for, as far as it can be anything. Most runs are names and random, and soon show a
/// byte that no text has, whatever its encoding.
fn sample(code: Code, run: &[u8], chars: usize) -> Option<Content> {
    let mut bytes = [0u8; 32];
    let mut have = 0;
    let (mut bits, mut held) = (0u32, 0u32);
    let skip = if let Code::Base64 { skip } = code { skip } else { 0 };
    for byte in run.iter().skip(skip).take(chars) {
        let Some((value, width)) = digit(code, *byte) else { break };
        bits = bits << width | value;
        held += width;
        if held >= 8 && have < bytes.len() {
            held -= 8;
            let byte = (bits >> held) as u8;
            bytes[have] = byte;
            have += 1;
            // Compressed streams begin with 0x1f or 0x78.
            if is_control(byte) && !matches!(bytes[0], 0x1f | 0x78) {
                return None;
            }
        }
    }
    content(&bytes[..have])
}

fn is_control(byte: u8) -> bool {
    byte != 0 && byte < 0x20 && !matches!(byte, b'\n' | b'\r' | b'\t') || byte == 0x7f
}

fn content(bytes: &[u8]) -> Option<Content> {
    if bytes.len() < 8 {
        return None;
    }
    match *bytes {
        [0x1f, 0x8b, 8, ..] => return Some(Content::Deflated { zlib: false }),
        [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] if !bytes.iter().all(u8::is_ascii) => {
            return Some(Content::Deflated { zlib: true });
        }
        _ => {}
    }
    let text = |b: &u8| is_text(*b);
    let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    if bytes.iter().all(text) {
        return Some(Content::Text);
    }
    let pairs = |first: usize| bytes.chunks_exact(2).all(|pair| text(&pair[first]) && pair[1 - first] == 0);
    let (le, be) = match bytes {
        [0xff, 0xfe, rest @ ..] => (rest.chunks_exact(2).all(|p| text(&p[0]) && p[1] == 0), false),
        [0xfe, 0xff, rest @ ..] => (false, rest.chunks_exact(2).all(|p| text(&p[1]) && p[0] == 0)),
        _ => (pairs(0), pairs(1)),
    };
    if le {
        return Some(Content::Utf16Le);
    }
    if be {
        return Some(Content::Utf16Be);
    }
    // UTF-8 prose: few controls, and letters beyond ASCII come in sequences.
    let high = bytes.iter().filter(|b| **b >= 0x80).count();
    let odd = bytes.iter().filter(|b| **b < 0x80 && !text(b)).count();
    (odd == 0 && high > 0 && high * 2 <= bytes.len() && std::str::from_utf8(&bytes[..bytes.len() - 4]).is_ok())
        .then_some(Content::Text)
}

/// Takes the zero bytes out of decoded UTF-16, in place from `from` on.
pub(super) fn narrow(out: &mut Vec<u8>, from: usize) {
    let mut to = from;
    for at in from..out.len() {
        if out[at] != 0 && out[at] < 0x80 {
            out[to] = out[at];
            to += 1;
        }
    }
    out.truncate(to);
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;

    fn check(view: View, source: &str, expect: &str) {
        let found = window(view, source.as_bytes(), 0);
        assert!(found.is_some(), "{source} shows no need of {view:?}");
        let mut out = Vec::new();
        apply(view, source.as_bytes(), &mut out);
        assert_eq!(String::from_utf8_lossy(&out), expect);
    }

    #[test]
    fn undoes_views() {
        for (view, source, expect) in [
            (View::Fold, "gh\u{200b}p\u{ad}_ab", "ghp_ab"),
            (View::Fold, "ｇｈｐ＿ＡＢ９", "ghp_AB9"),
            (View::Unescape, "%67%68p_", "ghp_"),
            (View::Unescape, "&#103;&#x68;p&lowbar;", "ghp_"),
            (View::Unescape, "\\u0067\\x68p\\137", "ghp_"),
            (View::Unescape, "{\\\"a\\\": \\\"b\\n\\\"}", "{\"a\": \"b\n\"}"),
            (View::Join, "x = \"ghp_\" + \"abc\"", "x = \"ghp_abc\""),
            (View::Join, "x = 'ghp_' +\n    'abc' . 'd'", "x = 'ghp_abcd'"),
            (View::Join, "(\"ghp_\"\n \"abc\")", "(\"ghp_abc\")"),
            (View::Unwrap, "ghp_abcd\nefghijkl\nmn", "ghp_abcdefghijklmn"),
            (View::Continue, "a \\\nb ghp_ab\\\ncd", "a \\\nb ghp_abcd"),
        ] {
            check(view, source, expect);
        }
    }

    #[test]
    fn leaves_plain_text_alone() {
        for (view, source) in [
            (View::Fold, "naïve – text"),
            (View::Unescape, "100 % of R&D\\n"),
            (View::Join, "a(\"b\", \"c\")"),
            (View::Unwrap, "one\ntwo words\nthree\nfour\nx"),
        ] {
            assert_eq!(window(view, source.as_bytes(), 0), None, "{source}");
        }
    }

    #[test]
    fn sniffs_and_decodes_runs() {
        let plain = b"token = ghp_0123456789abcdefghij";
        let engine = base64::engine::general_purpose::STANDARD;
        let wide: Vec<u8> = plain.iter().flat_map(|b| [*b, 0]).collect();
        for (encoded, content) in [
            (engine.encode(plain), Content::Text),
            (engine.encode(&wide), Content::Utf16Le),
            (plain.iter().map(|b| format!("{b:02x}")).collect(), Content::Text),
        ] {
            let run = encoded.as_bytes();
            let found = sniff(run);
            assert_eq!(found.map(|f| f.1), Some(content), "{encoded}");
            let mut out = Vec::new();
            if let Some((code, kind)) = found {
                decode(code, run, &mut out, 4096);
                if kind != Content::Text {
                    narrow(&mut out, 0);
                }
            }
            assert_eq!(out, plain);
        }
    }

    proptest::proptest! {
        #[test]
        fn decodes_what_base64_encodes(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let text = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&bytes);
            let mut out = Vec::new();
            decode(Code::Base64 { skip: 0 }, text.as_bytes(), &mut out, 4096);
            proptest::prop_assert_eq!(out, bytes);
        }
    }
}
