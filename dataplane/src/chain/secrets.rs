//! The secrets layer: finds credentials in the arguments of a call before a tool sees them, and in results
//! before an agent does.
//!
//! *Lives on* all shards: a [`SecretScanner`] is compiled off the shards and shared; each shard owns its
//! [`ScanScratch`], where everything that changes while scanning is kept (decode buffers, regex caches).
//!
//! One pass over each decoded string asks a filter of a few thousand words whether anything in it deserves a
//! second look (`grams`); only then a pattern anchored at the word is tried (`rules`, `shape`), or the assignment
//! around it read and judged (`assignment`, `judge`). Where a string shows that it hides something — escapes,
//! base64, invisible characters, concatenation — it is undone into a buffer and scanned again (`transform`),
//! to a bounded depth. When a bound is exceeded the answer is [`Verdict::Unscannable`], which denies.

mod assignment;
mod checksum;
mod compile;
mod config;
pub mod gitleaks;
mod grams;
mod judge;
mod redact;
mod rules;
mod scan;
mod shape;
mod transform;

#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

pub use config::{Allow, AllowTarget, Exception, Mode, Rule, RuleMode, SecretsConfig, SecretsConfigError, SideConfig, Switch};
pub use redact::{Blanks, Redacted, Shown};
pub use scan::{Scan, ScanScratch};

use simd_json::Node;

/// The direction in which a text travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Arguments on their way to a tool.
    Arguments,
    /// A result on its way back.
    Results,
}

/// What a scan needs to know of the call it is part of.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Which settings apply.
    pub side: Side,
    /// Name of the tool, for exceptions.
    pub tool: &'a str,
    /// Key of the fingerprints: findings of one installation compare, those of two do not.
    pub key: &'a [u8; 32],
}

/// A secret that was found; never the secret itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Index of the rule, see [`SecretScanner::rule`].
    pub rule: u32,
    /// What the configuration wants done.
    pub mode: Mode,
    /// Where in the arguments (RFC 6901); empty for the whole value or plain text.
    pub pointer: String,
    /// Whether the finding is in the object key that the pointer ends with, not in its value.
    pub in_key: bool,
    /// Index of the string on the tape; 0 for plain text.
    pub node: u32,
    /// Bytes of that (decoded) string to blank; what is beyond its end stands in the strings that follow on the tape.
    /// For a secret that was encoded: the encoded stretch.
    pub span: Range<usize>,
    /// Keyed BLAKE3 of the secret: the same secret has the same fingerprint wherever it appears.
    pub fingerprint: [u8; 16],
    /// Whether a checksum inside the token is right: then it is certainly no sample.
    pub verified: bool,
}

/// Why a text could not be scanned to its end. Each of them denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unscannable {
    /// Encodings are nested deeper than is undone.
    Depth,
    /// Too many candidates for the size of the text.
    Work,
    /// Decoded text is much larger than the text itself.
    Expansion,
    /// JSON is nested deeper than is followed.
    Nesting,
    /// More secrets are to be blanked than are kept track of.
    Findings,
}

/// The answer for one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was found.
    Clean,
    /// Something was found, nothing that denies; see [`ScanScratch::findings`].
    Noted,
    /// The finding with this index denies.
    Denied(usize),
    /// The text could not be scanned; denies.
    Unscannable(Unscannable),
}

/// A rule's name and what it finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleInfo<'a> {
    /// As in configuration and audit rows.
    pub id: &'a str,
    /// For people.
    pub description: &'a str,
}

/// The compiled rules. Immutable; shared by all shards.
#[derive(Debug)]
pub struct SecretScanner {
    program: compile::Program,
    arguments: SideConfig,
    results: SideConfig,
    /// Tells a scratch that it was made for another scanner.
    serial: u64,
}

static SERIAL: AtomicU64 = AtomicU64::new(1);

impl SecretScanner {
    /// Compiles a configuration. Cost: tens of milliseconds; never on a shard.
    ///
    /// # Errors
    /// Names the rule and what was expected; nothing of a wrong configuration runs.
    pub fn compile(config: &SecretsConfig) -> Result<SecretScanner, SecretsConfigError> {
        Ok(SecretScanner {
            program: compile::compile(config)?,
            arguments: config.arguments.clone(),
            results: config.results.clone(),
            serial: SERIAL.fetch_add(1, Ordering::Relaxed),
        })
    }

    /// The rule with this index.
    #[must_use]
    pub fn rule(&self, index: u32) -> Option<RuleInfo<'_>> {
        let rule = self.program.rules.get(index as usize)?;
        Some(RuleInfo { id: &rule.id, description: &rule.description })
    }

    /// Every rule, in the order of indexes.
    pub fn rules(&self) -> impl Iterator<Item = RuleInfo<'_>> {
        self.program.rules.iter().map(|rule| RuleInfo { id: &rule.id, description: &rule.description })
    }

    /// Scans the tape of a JSON value to its end. Cost: about 1 ns per byte of clean text.
    pub fn scan(&self, scratch: &mut ScanScratch, subject: Subject<'_>, nodes: &[Node<'_>]) -> Verdict {
        self.start(scratch, subject, nodes).finish()
    }

    /// Scans plain text to its end.
    pub fn scan_text(&self, scratch: &mut ScanScratch, subject: Subject<'_>, text: &str) -> Verdict {
        self.start(scratch, subject, &[Node::String(text)]).finish()
    }

    /// Begins a scan that goes on in steps, so that a shard can serve others between two of them.
    pub fn start<'a>(&'a self, scratch: &'a mut ScanScratch, subject: Subject<'a>, nodes: &'a [Node<'a>]) -> Scan<'a> {
        Scan::new(self, scratch, subject, nodes)
    }

    fn side(&self, side: Side) -> &SideConfig {
        match side {
            Side::Arguments => &self.arguments,
            Side::Results => &self.results,
        }
    }
}
