//! What commands print, for whoever reads it: text, listings, credentials.
//!
//! Lives on all shards; part of the analysis in [`super`].

use super::super::builtin::Builtin;
use super::super::shell_download;
use super::super::shell_lex::{Redirect, Span};
use super::super::shell_target::{self as target, Place};
use super::super::{sql, written};
use super::fetched::is_planted;
use super::{Flow, Reader, Run};

impl Run<'_, '_> {
    /// What a command reads: what was piped into it, or a here-string.
    pub(super) fn given(&self, input: Flow) -> Flow {
        let text = self.lexer.redirects.iter().find(|(kind, _)| *kind == Redirect::HereString);
        match text {
            Some((_, word)) if input == Flow::Nothing && word.substitution == Span::default() => Flow::Literal(word.text),
            _ => input,
        }
    }

    /// What reaches a shell through its input.
    pub(super) fn piped(&mut self, input: Flow) {
        match input {
            Flow::Download => self.report(Builtin::ShellRemoteCode),
            Flow::Decoded => self.report(Builtin::ShellEncodedCode),
            Flow::Socket => self.report(Builtin::ShellReverse),
            Flow::Literal(text) => self.lexer.push_unit(text, self.depth + 1, self.windows),
            Flow::Nothing | Flow::BroadList | Flow::Secret | Flow::Session => {}
        }
    }

    /// `echo`, `printf`, `cat` and their kin.
    pub(super) fn prints(&mut self, name: &[u8], args: usize) -> Flow {
        if matches!(name, b"echo" | b"printf") {
            let has_format = name == b"printf" && args + 1 < self.count() && self.word(args).contains(&b'%');
            let text = if has_format { self.formatted(args) } else { self.lexer.join(args) };
            let escapes = name == b"printf" || self.word(args).starts_with(b"-e");
            return Flow::Literal(if escapes { self.lexer.unescape(text) } else { text });
        }
        let reads_socket = self
            .lexer
            .redirects
            .iter()
            .any(|(kind, word)| *kind == Redirect::Read && self.lexer.bytes(word.text).starts_with(b"/dev/tcp"));
        if reads_socket {
            return Flow::Socket;
        }
        if self.operands(args).any(shell_download::is_secret_file) {
            return Flow::Secret;
        }
        Flow::Nothing
    }

    /// `printf '%s %s' rm -rf`: the words where the format has them, the others behind them.
    fn formatted(&mut self, args: usize) -> Span {
        let format = self.lexer.words.get(args).map(|word| word.text).unwrap_or_default();
        let start = self.lexer.end();
        let (mut at, mut next) = (format.start, args + 1);
        while at < format.end {
            let here = Span { start: at, end: format.end };
            let length = match self.lexer.bytes(here) {
                [b'%', b's' | b'b' | b'q' | b'd', ..] if next < self.count() => {
                    let word = self.lexer.words.get(next).map(|word| word.text).unwrap_or_default();
                    self.lexer.copy(word);
                    next += 1;
                    2
                }
                _ => {
                    self.lexer.copy(Span { start: at, end: at + 1 });
                    1
                }
            };
            at += length;
        }
        for index in next..self.count() {
            let word = self.lexer.words.get(index).map(|word| word.text).unwrap_or_default();
            self.lexer.write(b" ");
            self.lexer.copy(word);
        }
        Span { start, end: self.lexer.end() }
    }

    /// A listing of a broad directory, for whoever removes what it names.
    pub(super) fn lists(&mut self, args: usize) -> Flow {
        let broad = |path: &[u8]| match target::place(path) {
            Place::Root | Place::Home => true,
            Place::System => path.ends_with(b"/*") || path.ends_with(b"/*/") || path.starts_with(b"\\\\"),
            Place::Elsewhere => self.windows && path.get(1) == Some(&b':') && self.says(b"ecurse"),
            // `$drive.Root`
            _ => path == b".git" || self.windows && path.ends_with(b".Root"),
        };
        if self.operands(args).any(broad) { Flow::BroadList } else { Flow::Nothing }
    }

    /// `printf … > .git/hooks/post-checkout`, `cat > /etc/cron.daily/x <<EOF`: what is written there is run.
    pub(super) fn writes_script(&mut self, output: Flow) {
        let runs = self.lexer.redirects.iter().any(|(kind, word)| {
            let path = self.lexer.bytes(word.text);
            matches!(kind, Redirect::Write | Redirect::Append) && (written::is_run(path) || is_planted(path))
        });
        if runs {
            self.piped(output);
            if self.reader == Reader::Nobody {
                self.reader = Reader::Shell;
            }
        }
    }

    /// `mysql -e "SELECT CONCAT('DROP TABLE ', name) …" | mysql`: what a query answers, where it is statements.
    pub(super) fn answers(&mut self, args: usize) -> Flow {
        for index in args..self.count() {
            let Some(word) = self.lexer.words.get(index).copied().filter(|word| word.quoted) else { continue };
            let statements = sql::printed(self.sql, self.lexer.bytes(word.text));
            if sql::is_statement(statements) {
                let start = self.lexer.end();
                self.lexer.write(statements);
                return Flow::Literal(Span { start, end: self.lexer.end() });
            }
        }
        Flow::Nothing
    }

    /// What is fed to `kubectl`, and what it prints.
    pub(super) fn kubectl(&mut self, args: usize, input: Flow) -> Flow {
        self.removes_listed(args);
        if self.args(args).any(|arg| matches!(arg, b"-" | b"-f-" | b"--filename=-" | b"/dev/stdin")) {
            self.reader = Reader::Cluster;
            // From a host that does not show who it is.
            if input == Flow::Download && self.says(b"http://") {
                self.report(Builtin::ShellRemoteCode);
            }
        }
        self.gets(args)
    }

    /// `kubectl get pv`: the kind of what it lists, which is what a command is fed that deletes what is listed.
    fn gets(&self, args: usize) -> Flow {
        let mut words = (args..self.count()).filter(|index| !self.word(*index).starts_with(b"-"));
        let Some(get) = words.next().filter(|get| self.word(*get) == b"get") else { return Flow::Nothing };
        let kind = (get + 1..self.count()).find(|index| !self.word(*index).starts_with(b"-"));
        let Some(kind) = kind.and_then(|kind| self.lexer.words.get(kind)) else { return Flow::Nothing };
        if self.lexer.bytes(kind.text).starts_with(b"secret") { Flow::Secret } else { Flow::Literal(kind.text) }
    }

    /// `docker rm -f $(docker ps -aq)`: everything a listing names.
    pub(super) fn removes_listed(&mut self, args: usize) {
        let removes = self.operands(args).take(2).any(|word| matches!(word, b"rm" | b"rmi" | b"kill" | b"stop" | b"delete"));
        let listed = (args..self.count()).any(|index| {
            self.lexer.words.get(index).is_some_and(|word| {
                let text = self.lexer.bytes(word.substitution);
                [b" ps ".as_slice(), b" images", b" ls ", b" get ", b" ps"]
                    .iter()
                    .any(|part| memchr::memmem::find(text, part).is_some())
            })
        });
        if removes && listed {
            self.report(Builtin::ClusterPrune);
        }
    }
}
