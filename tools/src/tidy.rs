//! `cargo x tidy`: the rules of the house that the compiler and clippy do not know, checked by a tested program.
//!
//! Each finding names the file, what is wrong, and what to write instead.

mod arrows;

use crate::metadata::Metadata;
use crate::repo;
use anyhow::{Result, bail};
use std::fmt;

/// Options of `cargo x tidy`.
#[derive(clap::Args, Debug)]
pub struct Args {}

/// One broken rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file (and line) or crate it is about.
    pub at: String,
    /// What is wrong and what to do instead.
    pub message: String,
}

impl Finding {
    fn new(at: impl Into<String>, message: impl Into<String>) -> Self {
        Self { at: at.into(), message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.message)
    }
}

/// Runs every check and prints the findings.
///
/// # Errors
/// There are findings, or the repository cannot be read.
pub fn run(_args: &Args) -> Result<()> {
    let root = repo::root()?;
    let metadata = Metadata::load(&root)?;
    let mut findings = arrows::check(&metadata);
    findings.extend(arrows::check_runtime(&root)?);

    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("{} finding(s)", findings.len());
    }
    println!("tidy: {} crates, nothing to report", metadata.members().count());
    Ok(())
}
