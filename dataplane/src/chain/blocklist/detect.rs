//! Which detectors look at a value, given its role; and where they report.
//!
//! Lives on all shards, immutable; buffers live in each shard's scratch.

use simd_json::Node;

use super::builtin::{BUILTIN_COUNT, Builtin};
use super::config::Mode;
use super::role::Role;
use super::shell::{self, Shell};

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

    pub(super) fn report(&mut self, builtin: Builtin) {
        if let Some(Some(mode)) = self.modes.get(builtin as usize)
            && self.found.is_none_or(|(_, before)| *mode > before)
        {
            *self.found = Some((builtin, *mode));
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

/// The compiled builtin detectors.
#[derive(Debug)]
pub(super) struct Detectors {
    shell: Shell,
}

/// Buffers of all detectors on one shard.
#[derive(Debug)]
pub(super) struct Scratch {
    shell: shell::Scratch,
}

impl Scratch {
    pub(super) fn new() -> Self {
        Self { shell: shell::Scratch::new() }
    }
}

impl Detectors {
    pub(super) fn new() -> Self {
        Self { shell: Shell::new() }
    }

    /// Looks at one string.
    pub(super) fn check_value(&self, scratch: &mut Scratch, sink: &mut Sink<'_>, role: Role, text: &str) {
        let role = if role == Role::Neutral && is_document(text) { Role::Content } else { role };
        match role {
            Role::Command => self.shell.check(&mut scratch.shell, sink, text, shell::Trust::Command),
            Role::Neutral => self.shell.check(&mut scratch.shell, sink, text, shell::Trust::Unknown),
            Role::Argv | Role::Sql | Role::Query | Role::Path | Role::Url | Role::Content => {}
        }
    }

    /// Looks at a command whose words come separately.
    pub(super) fn check_argv(&self, scratch: &mut Scratch, sink: &mut Sink<'_>, name: &str, words: Words<'_>) {
        self.shell.check_argv(&mut scratch.shell, sink, name, words);
    }

    /// Looks at text for a model.
    pub(super) fn check_text(&self, scratch: &mut Scratch, sink: &mut Sink<'_>, text: &str) {
        self.check_value(scratch, sink, Role::Content, text);
    }
}

fn is_document(text: &str) -> bool {
    text.len() > NEUTRAL_BYTES_MAX || memchr::memchr_iter(b'\n', text.as_bytes()).nth(NEUTRAL_LINES_MAX).is_some()
}
