//! Programs in other languages: what they would do themselves, the commands they start and the statements they send.
//!
//! Lives on all shards; part of the analysis in [`super`].

use super::super::builtin::Builtin;
use super::super::recipe::{self, Form};
use super::super::shell_code::{self, Acts};
use super::super::shell_download;
use super::super::shell_lex::Span;
use super::super::sql::{self, Certainty};
use super::{Flow, Reader, Run};

/// Most strings of one program that are read. LIMIT: what has more is a program that a person reads.
const STRINGS_MAX: usize = 64;

impl Run<'_, '_> {
    /// An interpreter that is called.
    pub(super) fn language(&mut self, language: shell_code::Language, name: &[u8], args: usize, input: Flow) {
        let inline = language.inline_flags().iter().find_map(|flag| self.option_value(args, *flag));
        if language == shell_code::Language::Awk || inline.is_some() {
            let at = inline.unwrap_or(args);
            let Some(word) = self.lexer.words.get(at).copied() else { return };
            self.program(word.text, word.substitution != Span::default());
            return;
        }
        let reads_input = self.operands(args).next().is_none_or(|arg| arg == b"-");
        if reads_input {
            self.reader = Reader::Program;
            match input {
                Flow::Download => self.report(Builtin::ShellRemoteCode),
                Flow::Decoded => self.report(Builtin::ShellEncodedCode),
                Flow::Literal(code) => self.program(code, false),
                _ => {}
            }
        }
        let first = self.lexer.words.get(args).map_or(Span::default(), |word| word.substitution);
        if first != Span::default() && shell_download::kind(self.lexer.bytes(first)) == Flow::Download {
            self.report(Builtin::ShellRemoteCode);
        }
        // `deno eval 'program'`.
        if self.word(args) == b"eval" {
            self.evaluates(args + 1);
        }
        self.table(name, args);
    }

    /// `rails runner 'program'`, `wp eval 'program'`.
    pub(super) fn evaluates(&mut self, args: usize) {
        for index in args..self.count() {
            if let Some(word) = self.lexer.words.get(index).copied().filter(|word| word.quoted) {
                self.program(word.text, false);
            }
        }
    }

    /// A whole program. What a substitution leaves open is not held against it.
    pub(super) fn program(&mut self, code: Span, substituted: bool) {
        let text = self.lexer.bytes(code);
        let acts = Acts::of(text, &self.shell.bare);
        if let Some(found) = shell_code::inline(text, acts, substituted) {
            self.report(found);
        }
        let text = self.lexer.bytes(code);
        let (starts, sends) = (acts.starts_processes(text), acts.sends_statements(text));
        // What is kept in memory is gone anyhow.
        let sends = sends && memchr::memmem::find(text, b":memory:").is_none();
        if starts || sends {
            self.strings(code, starts);
        }
    }

    /// Reads the strings of code as commands, or as statements. What the code joins is joined: lists of words, and sums.
    fn strings(&mut self, code: Span, are_commands: bool) {
        let mut at = 0;
        let mut begun: Option<u32> = None;
        for _ in 0..STRINGS_MAX {
            let text = self.lexer.bytes(code);
            let Some((from, to)) = shell_code::next_string(text, at) else { break };
            let between = text.get(at..from.saturating_sub(1)).unwrap_or_default();
            let joint = shell_code::joint(between);
            at = to + 1;
            match joint.filter(|_| begun.is_some()) {
                Some(joint) => self.lexer.write(joint),
                None => {
                    self.string(begun, are_commands);
                    begun = Some(self.lexer.end());
                }
            }
            let offset = |position: usize| code.start + u32::try_from(position).unwrap_or(0);
            self.lexer.copy(Span { start: offset(from), end: offset(to) });
        }
        self.string(begun, are_commands);
    }

    /// One string, which was written to the end of the arena.
    fn string(&mut self, begun: Option<u32>, is_command: bool) {
        let Some(start) = begun else { return };
        let span = Span { start, end: self.lexer.end() };
        if is_command {
            self.is_command = true;
            self.lexer.push_unit(span, self.depth + 1, self.windows);
        }
        let text = self.lexer.bytes(span);
        if sql::is_statement(text) {
            sql::check(self.sql, self.sink, text, Certainty::Sql);
        }
    }

    /// A here-document that the last command read.
    pub(super) fn feed_reader(&mut self, body: Span) {
        match self.reader {
            Reader::Nobody => {}
            Reader::Shell => self.lexer.push_unit(body, self.depth + 1, self.windows),
            Reader::Database => sql::check(self.sql, self.sink, self.lexer.bytes(body), Certainty::Sql),
            Reader::Program => self.program(body, false),
            Reader::Cluster => self.manifest(body),
        }
    }

    /// What the pods of a manifest run.
    fn manifest(&mut self, body: Span) {
        let Ok(manifest) = str::from_utf8(self.lexer.bytes(body)) else { return };
        if recipe::opens_cluster(manifest) {
            self.sink.report(Builtin::ShellAccount);
        }
        self.text.clear();
        recipe::write_commands(Form::Yaml, manifest, self.text);
        let start = self.lexer.end();
        self.lexer.write(self.text.as_bytes());
        self.lexer.push_unit(Span { start, end: self.lexer.end() }, self.depth + 1, self.windows);
    }
}
