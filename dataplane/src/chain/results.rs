//! Obligations on results: what has to be done about secrets, personal data and orders to the model in what a tool
//! returns, before any of it leaves.
//! Lives on: all shards, immutable; each check owns a [`Scratch`].
//!
//! INVARIANT: what leaves is what was checked. A message that had something taken out of it is checked again, and goes
//! only when nothing more has to be taken out; what cannot be checked does not go.

mod check;
mod duties;
mod personal;
mod tags;
#[cfg(test)]
mod tests;
mod text;

use std::ops::Range;

use super::Denial;
use super::blocklist::{BlockScratch, Blocklist};
use super::secrets::{ScanScratch, SecretScanner};

pub use check::{check, check_plain};
pub use duties::{Duties, Obligations, ObligationsError};

/// The rules of the layers whose finds oblige.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// Finds secrets.
    pub secrets: &'a SecretScanner,
    /// Finds orders to the model.
    pub blocklist: &'a Blocklist,
    /// Key of the fingerprints.
    pub key: &'a [u8; 32],
}

/// Where a message comes from, for exceptions; and what it answers.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The server.
    pub server: &'a str,
    /// The tool; empty where none was called.
    pub tool: &'a str,
    /// It answers `tools/list`.
    pub is_listing: bool,
}

/// What one check needs of memory; kept for the next.
pub struct Scratch {
    secrets: ScanScratch,
    blocklist: BlockScratch,
    places: Vec<Range<usize>>,
}

impl Scratch {
    /// Buffers that fit these rules. Those of older rules fit themselves.
    pub fn new(rules: Rules<'_>) -> Scratch {
        Scratch { secrets: ScanScratch::new(rules.secrets), blocklist: rules.blocklist.scratch(), places: Vec::new() }
    }
}

/// What became of a message.
#[derive(Debug)]
pub enum Checked {
    /// Nothing has to be changed.
    Unchanged,
    /// This leaves instead.
    Changed {
        /// Valid JSON, as the message was.
        message: Vec<u8>,
        /// How many stretches were taken out.
        redactions: u32,
    },
    /// Nothing of it leaves.
    Denied(Box<Denial>),
}
