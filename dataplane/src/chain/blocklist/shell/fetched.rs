//! Files that a text fetches, and then runs.
//!
//! Lives on all shards; part of the analysis in [`super`].

use super::super::shell_code;
use super::super::shell_lex::{Redirect, Span};
use super::{Run, is_shell};

/// What was fetched last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fetched {
    /// The file, or the directory of a clone.
    path: Span,
    /// It came from a host that does not show who it is, or went where programs do not belong.
    is_odd: bool,
}

impl Run<'_, '_> {
    /// Remembers where a download or a clone goes.
    pub(super) fn remember_fetched(&mut self, name: &[u8], args: usize) {
        let path = match name {
            b"curl" | b"wget" | b"aria2c" | b"fetch" | b"iwr" | b"invoke-webrequest" => self.downloaded(name, args),
            b"git" if self.word(args) == b"clone" => {
                let is_url = |index: &usize| self.word(*index).windows(3).any(|part| part == b"://");
                let directory = (args..self.count()).find(is_url).and_then(|url| self.span(url + 1));
                directory.filter(|path| is_temporary(self.lexer.bytes(*path)))
            }
            _ => return,
        };
        let is_plain = self.args(args).any(|arg| arg.starts_with(b"http://"));
        if let Some(path) = path {
            self.fetched = Some(Fetched { path, is_odd: is_plain || is_temporary(self.lexer.bytes(path)) });
        }
    }

    /// The file that a download is written to.
    fn downloaded(&self, name: &[u8], args: usize) -> Option<Span> {
        let to = self.lexer.redirects.iter().find(|(kind, _)| *kind == Redirect::Write);
        if let Some((_, word)) = to {
            return Some(word.text);
        }
        let names_file = |arg: &[u8]| match arg {
            b"--output" | b"--output-document" | b"--out" => true,
            [b'-', b'-', ..] => false,
            [b'-', .., last] if arg.is_ascii() => {
                *last == b'o' && name != b"wget" || *last == b'O' && name == b"wget" || arg.eq_ignore_ascii_case(b"-outfile")
            }
            _ => false,
        };
        if let Some(flag) = (args..self.count()).find(|index| names_file(self.word(*index))) {
            return self.span(flag + 1).filter(|path| self.lexer.bytes(*path) != b"-");
        }
        // Named as at the other end.
        let keeps_name =
            name == b"wget" || self.args(args).any(|arg| arg == b"--remote-name" || arg.starts_with(b"-") && arg.contains(&b'O'));
        let url = (args..self.count()).find(|index| memchr::memmem::find(self.word(*index), b"://").is_some())?;
        let slash = memchr::memrchr(b'/', self.word(url))?;
        let Span { start, end } = self.span(url)?;
        keeps_name.then_some(Span { start: start + u32::try_from(slash).ok()? + 1, end })
    }

    fn span(&self, index: usize) -> Option<Span> {
        self.lexer.words.get(index).map(|word| word.text)
    }

    /// Whether a command runs a program that nobody has looked at: one that is hidden where everybody may write, or fetched
    /// before.
    pub(super) fn runs_unseen(&self, name: &[u8], at: usize) -> bool {
        let hides = |directory: Span| is_planted(self.lexer.bytes(directory)) && self.word(at).starts_with(b"./");
        is_planted(self.word(at)) || self.directory.is_some_and(hides) || self.runs_fetched(name, at)
    }

    fn runs_fetched(&self, name: &[u8], at: usize) -> bool {
        let Some(Fetched { path, is_odd }) = self.fetched else { return false };
        let path = plain(self.lexer.bytes(path));
        let is_it = |word: &[u8]| match plain(word).strip_prefix(path) {
            Some(rest) => !path.is_empty() && (rest.is_empty() || rest.starts_with(b"/")),
            None => false,
        };
        let inside = |directory: Span| self.lexer.bytes(directory) == path && self.word(at).starts_with(b"./");
        let interprets = is_shell(name) || matches!(name, b"source" | b".") || shell_code::language(name).is_some();
        let runs = is_odd && (is_it(self.word(at)) || self.directory.is_some_and(inside))
            || interprets && self.operands(at + 1).next().is_some_and(|first| is_it(first) && first != b"get-pip.py");
        let looks = [b"sha256sum".as_slice(), b"shasum", b"sha512sum", b"gpg --verify", b"cosign verify", b"minisign"];
        runs && !looks.iter().any(|part| self.says(part))
    }
}

fn plain(path: &[u8]) -> &[u8] {
    path.strip_prefix(b"./").or_else(|| path.strip_prefix(b".\\")).unwrap_or(path)
}

/// Where everybody may write.
const TEMPORARY: [&[u8]; 3] = [b"/tmp/", b"/var/tmp/", b"/dev/shm/"];

fn is_temporary(path: &[u8]) -> bool {
    let windows: [&[u8]; 2] = [b"$env:TEMP", b"C:\\Windows\\Temp\\"];
    TEMPORARY.iter().chain(&windows).any(|start| path.starts_with(start))
}

/// A program that is hidden in a directory where everybody may write.
pub(super) fn is_planted(path: &[u8]) -> bool {
    let named = TEMPORARY.iter().find_map(|start| path.strip_prefix(*start));
    named.is_some_and(|name| matches!(name, [b'.', next, ..] if next.is_ascii_alphanumeric()))
}
