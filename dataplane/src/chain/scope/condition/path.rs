//! Whether a path lies within a folder, whoever reads it.
//!
//! A path is read as it stands and, where it has percent escapes, as each round of decoding leaves it; each of these
//! with backslashes as plain characters and as separators, and with capitals that matter and that do not. `.`, `..` and
//! empty parts are worked out in every reading. Only where all readings agree is there an answer. Symbolic links are the tool's business: nothing here touches a disk.

use arrayvec::ArrayVec;

use super::{Fault, has};

/// Longest path. LIMIT: PATH_MAX of Linux. Units: bytes.
pub(super) const PATH_BYTES_MAX: usize = 4096;

/// Deepest path. LIMIT: real ones stay below 20; the parts are kept on the stack.
pub(super) const PATH_PARTS_MAX: usize = 128;

/// How often a path may be percent-encoded. LIMIT: a proxy and a framework each decode once.
const ROUNDS_MAX: usize = 3;

/// A folder that was declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Root {
    absolute: bool,
    parts: Box<[Box<[u8]>]>,
}

type Decoded = ArrayVec<u8, PATH_BYTES_MAX>;
type Parts<'p> = ArrayVec<&'p [u8], PATH_PARTS_MAX>;

impl Root {
    /// Reads a folder; `None` when it is not one that paths can be compared with. Backslashes separate.
    pub(super) fn parse(text: &str) -> Option<Root> {
        let unfit = text.is_empty() || text.len() > PATH_BYTES_MAX || text.bytes().any(|b| b.is_ascii_control());
        if unfit || decode(text.as_bytes(), &mut Decoded::new()) {
            return None;
        }
        let mut parts = Parts::new();
        let absolute = resolve(text.as_bytes(), true, &mut parts).ok()?;
        Some(Root { absolute, parts: parts.iter().map(|part| Box::from(*part)).collect() })
    }

    fn contains(&self, parts: &[&[u8]], same: impl Fn(&[u8], &[u8]) -> bool) -> bool {
        self.parts.len() <= parts.len() && self.parts.iter().zip(parts).all(|(root, part)| same(root, part))
    }
}

/// Whether the path is one of the folders or lies in one.
pub(super) fn within(path: &str, roots: &[Root]) -> Result<bool, Fault> {
    if path.len() > PATH_BYTES_MAX {
        return Err(Fault::PathTooLong);
    }
    agreed(path.as_bytes(), roots, ROUNDS_MAX)
}

/// The answer for the path as it stands, if decoding it does not change the answer.
fn agreed(path: &[u8], roots: &[Root], rounds: usize) -> Result<bool, Fault> {
    let answer = read(path, roots)?;
    let mut decoded = Decoded::new();
    if !path.contains(&b'%') || !decode(path, &mut decoded) {
        return Ok(answer);
    }
    // What is not UTF-8 once decoded is read differently by everyone (`%c0%ae` was a dot to some).
    if rounds == 0 || std::str::from_utf8(&decoded).is_err() {
        return Err(Fault::PathUnreadable);
    }
    if agreed(&decoded, roots, rounds - 1)? == answer { Ok(answer) } else { Err(Fault::PathAmbiguous) }
}

/// One round of decoding, with backslashes both ways.
fn read(path: &[u8], roots: &[Root]) -> Result<bool, Fault> {
    if path.is_empty() || has(path, |byte| byte.is_ascii_control()) {
        return Err(Fault::PathUnreadable);
    }
    let answer = reading(path, false, roots)?;
    if path.contains(&b'\\') && reading(path, true, roots)? != answer {
        return Err(Fault::PathAmbiguous);
    }
    Ok(answer)
}

fn reading(path: &[u8], backslash: bool, roots: &[Root]) -> Result<bool, Fault> {
    let mut parts = Parts::new();
    let absolute = resolve(path, backslash, &mut parts)?;
    let mut alike = roots.iter().filter(|root| root.absolute == absolute);
    if alike.clone().any(|root| root.contains(&parts, |a, b| a == b || (is_drive(a) && a.eq_ignore_ascii_case(b)))) {
        return Ok(true);
    }
    if alike.any(|root| root.contains(&parts, <[u8]>::eq_ignore_ascii_case)) {
        return Err(Fault::PathAmbiguous);
    }
    // Where a relative path starts is not known here, so it may lie in an absolute folder, and the other way round.
    if roots.iter().any(|root| root.absolute != absolute) { Err(Fault::PathBase) } else { Ok(false) }
}

/// Works the path out into its parts, and says whether it is absolute.
fn resolve<'p>(path: &'p [u8], backslash: bool, parts: &mut Parts<'p>) -> Result<bool, Fault> {
    let separates = |b: &u8| *b == b'/' || (backslash && *b == b'\\');
    let drive = path.get(..2).is_some_and(is_drive);
    if path.first() == Some(&b'~') || (drive && !path.get(2).is_none_or(separates)) {
        // The home of whoever the tool runs as; the current folder of a drive.
        return Err(Fault::PathBase);
    }
    let absolute = drive || path.first().is_some_and(separates);
    for part in path.split(separates) {
        match part {
            b"" | b"." => {}
            b".." if parts.pop().is_some() || absolute => {}
            // Climbs out of where it starts, and may come back in.
            b".." => return Err(Fault::PathBase),
            // `...` and `.. ` are names to some systems and parents to others.
            part if part.iter().all(|b| matches!(b, b'.' | b' ')) => return Err(Fault::PathUnreadable),
            part => parts.try_push(part).map_err(|_| Fault::PathTooLong)?,
        }
    }
    Ok(absolute)
}

fn is_drive(part: &[u8]) -> bool {
    matches!(part, [letter, b':'] if letter.is_ascii_alphabetic())
}

/// Decodes percent escapes; whether there were any. The path has at most [`PATH_BYTES_MAX`].
fn decode(path: &[u8], into: &mut Decoded) -> bool {
    let mut any = false;
    let mut rest = path;
    while let Some((first, after)) = rest.split_first() {
        let escape = match (first, after) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        any |= escape.is_some();
        rest = if escape.is_some() { after.get(2..).unwrap_or(&[]) } else { after };
        if into.try_push(escape.unwrap_or(*first)).is_err() {
            break;
        }
    }
    any
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}
