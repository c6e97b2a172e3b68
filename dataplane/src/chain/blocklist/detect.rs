//! Which detectors look at a value, given its role; and where they report.
//!
//! Lives on all shards, immutable; buffers live in each shard's scratch.

use simd_json::Node;

use super::builtin::{BUILTIN_COUNT, Builtin};
use super::config::Mode;
use super::present::Marks;
use super::prompt::{self, Prompt};
use super::role::Role;
use super::shell::{self, Shell};
use super::sql::{self, Certainty};
use super::sql_lex::Token;
use super::{decode, markup, operation, path, payload, recipe, shell_code, shell_download, sqli, ssrf, written};

/// The mode of each builtin rule; `None` is off.
pub(super) type Modes = [Option<Mode>; BUILTIN_COUNT];

/// Keeps the strongest report of one value, the first of equals.
pub(super) struct Sink<'m> {
    modes: &'m Modes,
    found: &'m mut Option<(Builtin, Mode)>,
}

impl<'m> Sink<'m> {
    pub(super) fn new(modes: &'m Modes, found: &'m mut Option<(Builtin, Mode)>) -> Self {
        Self { modes, found }
    }

    /// How strict a rule is; `None` where it is off.
    pub(super) fn mode(&self, builtin: Builtin) -> Option<Mode> {
        self.modes.get(builtin as usize).copied().flatten()
    }

    pub(super) fn report(&mut self, builtin: Builtin) {
        if let Some(mode) = self.mode(builtin)
            && self.found.is_none_or(|(_, before)| mode > before)
        {
            *self.found = Some((builtin, mode));
        }
    }

    /// Whether nothing stronger can come.
    pub(super) fn is_final(&self) -> bool {
        self.found.is_some_and(|(_, mode)| mode == Mode::Deny)
    }
}

/// The arguments of a command given in pieces.
#[derive(Debug, Clone, Copy)]
pub(super) enum Words<'n> {
    /// Each string one word.
    List(&'n [Node<'n>]),
    /// Text that a shell would split.
    Text(&'n str),
}

/// Longest value of unknown use that is read as a payload. LIMIT: what is longer is a document.
const NEUTRAL_BYTES_MAX: usize = 4096;
/// Most line ends in a value of unknown use. LIMIT: what has more is a document.
const NEUTRAL_LINES_MAX: usize = 3;

/// Longest program that is read. LIMIT: what is longer is a file of source code.
const PROGRAM_BYTES_MAX: usize = 4096;

/// The compiled builtin detectors.
#[derive(Debug)]
pub(super) struct Detectors {
    shell: Shell,
    prompt: Prompt,
}

/// Buffers of all detectors on one shard.
#[derive(Debug)]
pub(super) struct Scratch {
    shell: shell::Scratch,
    prompt: prompt::Scratch,
    sql: sql::Scratch,
    tokens: Vec<Token>,
    bytes: Vec<u8>,
    hidden: Vec<u8>,
    script: String,
}

impl Scratch {
    pub(super) fn new() -> Self {
        Self {
            shell: shell::Scratch::new(),
            prompt: prompt::Scratch::default(),
            sql: sql::Scratch::default(),
            tokens: Vec::with_capacity(256),
            bytes: Vec::with_capacity(4096),
            hidden: Vec::with_capacity(4096),
            script: String::with_capacity(8192),
        }
    }
}

impl Detectors {
    pub(super) fn new() -> Self {
        Self { shell: Shell::new(), prompt: Prompt::new() }
    }

    /// Looks at one string.
    pub(super) fn check_value(&self, scratch: &mut Scratch, sink: &mut Sink<'_>, role: Role, text: &str) {
        let role = match role {
            Role::Neutral if is_document(text) => self.role_of_document(text),
            Role::Code if text.len() > PROGRAM_BYTES_MAX => Role::Content,
            role => role,
        };
        let bytes = text.as_bytes();
        match role {
            Role::Command => {
                self.shell.check(&mut scratch.shell, sink, text, shell::Trust::Command);
                self.check_program(scratch, sink, text);
                if sql::is_statement(bytes) {
                    sql::check(&mut scratch.sql, sink, bytes, Certainty::Perhaps);
                }
            }
            Role::Sql => sql::check(&mut scratch.sql, sink, bytes, Certainty::Sql),
            Role::Query if sql::is_statement(bytes) => sql::check(&mut scratch.sql, sink, bytes, Certainty::Sql),
            Role::Path => {
                let marks = Marks::of(bytes);
                path::check(&mut scratch.bytes, sink, (bytes, marks), path::Use::Path);
                ssrf::check(&mut scratch.bytes, sink, bytes, ssrf::Use::Perhaps);
                payload::check_injected(&mut scratch.bytes, sink, (bytes, marks));
            }
            Role::Url => {
                ssrf::check(&mut scratch.bytes, sink, bytes, ssrf::Use::Url);
                path::check(&mut scratch.bytes, sink, (bytes, Marks::of(bytes)), path::Use::Perhaps);
                if markup::is_script_url(&mut scratch.bytes, bytes) {
                    sink.report(Builtin::MarkupUrl);
                }
            }
            Role::Query | Role::Neutral => {
                let is_mutation = bytes.trim_ascii_start().starts_with(b"mutation");
                if is_mutation && shell_download::mutation_deletes(bytes) {
                    sink.report(Builtin::CloudDelete);
                }
                // A query of GraphQL is neither a command nor SQL, though it looks like both.
                if role == Role::Neutral || !is_mutation {
                    self.check_unknown(scratch, sink, text);
                    self.check_program(scratch, sink, text);
                }
                self.prompt.check(&mut scratch.prompt, sink, bytes);
            }
            Role::Code => {
                self.shell.check_program(&mut scratch.shell, sink, text);
                if sql::is_statement(bytes) {
                    sql::check(&mut scratch.sql, sink, bytes, Certainty::Perhaps);
                }
                self.prompt.check(&mut scratch.prompt, sink, bytes);
            }
            Role::Content => {
                if recipe::is_manifest(text) {
                    written::check_manifest(&self.shell, (&mut scratch.shell, &mut scratch.script), sink, text);
                } else if shell::is_script(text) {
                    written::check_script(&self.shell, &mut scratch.shell, sink, text);
                }
                self.prompt.check(&mut scratch.prompt, sink, bytes);
            }
            Role::Argv => {}
        }
    }

    /// What a text of many lines is that nothing is said of: a command with a here-document and a program begin like none
    /// that people write to each other.
    fn role_of_document(&self, text: &str) -> Role {
        let first = text.lines().next().unwrap_or_default();
        if text.len() > PROGRAM_BYTES_MAX {
            Role::Content
        } else if first.contains("<<") && self.shell.is_command_line(first.as_bytes()) || shell::is_script(text) {
            Role::Command
        } else if shell_code::is_program(text.as_bytes())
            || sql::begins_statement(text.as_bytes())
            || self.shell.begins_script(text.as_bytes())
        {
            Role::Code
        } else {
            Role::Content
        }
    }

    /// A value that is not said to be a program, but begins and ends like one.
    fn check_program(&self, scratch: &mut Scratch, sink: &mut Sink<'_>, text: &str) {
        let bytes = text.trim_ascii_end().as_bytes();
        let ends = matches!(bytes.last(), Some(b')' | b';' | b'}' | b']'));
        if (ends || shell_code::is_program(bytes)) && !self.shell.is_command_line(bytes) {
            self.shell.check_program(&mut scratch.shell, sink, text);
        }
    }

    /// A value whose use is unknown: each detector that knows an attack by its structure alone.
    fn check_unknown(&self, scratch: &mut Scratch, sink: &mut Sink<'_>, text: &str) {
        let bytes = text.as_bytes();
        let marks = Marks::of(bytes);
        if marks.is_plain() && path::is_spelled(bytes) {
            path::check(&mut scratch.bytes, sink, (bytes, marks), path::Use::Perhaps);
        }
        let mut hidden = std::mem::take(&mut scratch.hidden);
        if decode::base64(bytes, &mut hidden) {
            path::check(&mut scratch.bytes, sink, (&hidden, Marks::of(&hidden)), path::Use::Perhaps);
        }
        scratch.hidden = hidden;
        if marks.is_plain() && !marks.has(Marks::SPACE) {
            return;
        }
        self.shell.check(&mut scratch.shell, sink, text, shell::Trust::Unknown);
        if marks.is_plain() {
            sql::check(&mut scratch.sql, sink, bytes, Certainty::Perhaps);
            sqli::check(&mut scratch.tokens, sink, bytes);
            return;
        }
        if marks.has(Marks::SLASH | Marks::PERCENT | Marks::WIDE) {
            path::check(&mut scratch.bytes, sink, (bytes, marks), path::Use::Perhaps);
            ssrf::check(&mut scratch.bytes, sink, bytes, ssrf::Use::Perhaps);
        }
        let is_command = self.shell.is_command_line(bytes);
        if sql::is_statement(bytes) {
            sql::check(&mut scratch.sql, sink, bytes, Certainty::Perhaps);
        }
        if sql::begins_statement(bytes) {
            sqli::check_statement(&mut scratch.tokens, sink, bytes);
        } else if !is_command {
            sqli::check(&mut scratch.tokens, sink, bytes);
            if marks.has(Marks::WIDE) && !sink.is_final() {
                let mut folded = std::mem::take(&mut scratch.bytes);
                if decode::quotes(bytes, &mut folded) {
                    sqli::check(&mut scratch.tokens, sink, &folded);
                }
                scratch.bytes = folded;
            }
            if marks.has(Marks::PERCENT) && !sink.is_final() {
                let mut decoded = std::mem::take(&mut scratch.bytes);
                decode::percent(bytes, b"", &mut decoded);
                for byte in &mut decoded {
                    *byte = if *byte == b'+' { b' ' } else { *byte };
                }
                sqli::check(&mut scratch.tokens, sink, &decoded);
                scratch.bytes = decoded;
            }
        }
        markup::check(&mut scratch.bytes, sink, bytes);
        payload::check(&mut scratch.bytes, sink, bytes, is_command);
    }

    /// Looks at a command whose words come separately.
    pub(super) fn check_argv(&self, scratch: &mut Scratch, sink: &mut Sink<'_>, name: &str, words: Words<'_>) {
        self.shell.check_argv(&mut scratch.shell, sink, name, words);
    }

    /// Looks at a request that deletes.
    pub(super) fn check_delete(&self, sink: &mut Sink<'_>, url: &str) {
        shell_download::deletes(|parts| parts.iter().any(|part| memchr::memmem::find(url.as_bytes(), part).is_some()))
            .or_else(|| shell_download::names_hosted(url.as_bytes()).then_some(Builtin::CloudDelete))
            .into_iter()
            .for_each(|builtin| sink.report(builtin));
    }

    /// Looks at a file that would be written.
    pub(super) fn check_write(&self, scratch: &mut Scratch, sink: &mut Sink<'_>, path: &str, content: &str) {
        written::check(&self.shell, (&mut scratch.shell, &mut scratch.script), sink, path, content);
    }

    /// Looks at an object that says by name what is to be done.
    pub(super) fn check_operation(&self, sink: &mut Sink<'_>, object: &[Node<'_>], name: &str) {
        if let Some(found) = operation::check(object, name) {
            sink.report(found);
        }
    }

    /// Looks at text for a model.
    pub(super) fn check_text(&self, scratch: &mut Scratch, sink: &mut Sink<'_>, text: &str) {
        self.prompt.check(&mut scratch.prompt, sink, text.as_bytes());
    }
}

fn is_document(text: &str) -> bool {
    text.len() > NEUTRAL_BYTES_MAX || memchr::memchr_iter(b'\n', text.as_bytes()).nth(NEUTRAL_LINES_MAX).is_some()
}
