//! `cargo x tidy`: the rules of the house that the compiler and clippy do not know, checked by a tested program.
//!
//! Each finding names the file, what is wrong, and what to write instead.

mod arrows;
mod bans;
mod names;
mod source;
mod words;

use crate::metadata::Metadata;
use crate::repo;
use anyhow::{Context, Result, bail};
use source::Ratchet;
use std::fmt;
use std::path::{Path, PathBuf};

/// Options of `cargo x tidy`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Accept what is too long now as the new limit; a review sees the change
    #[arg(long)]
    write_ratchet: bool,
}

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
pub fn run(args: &Args) -> Result<()> {
    let root = repo::root()?;
    let files = repo::files(&root)?;
    let metadata = Metadata::load(&root)?;

    let mut findings = arrows::check(&metadata);
    findings.extend(arrows::check_runtime(&root)?);
    findings.extend(names::check(&files));
    findings.extend(names::check_readmes(metadata.members(), &files));
    findings.extend(bans::check(std::fs::read_to_string(root.join(bans::FILE)).ok().as_deref()));
    findings.extend(check_texts(&root, &files, args.write_ratchet)?);

    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("{} finding(s)", findings.len());
    }
    println!("tidy: {} crates, {} files, nothing to report", metadata.members().count(), files.len());
    Ok(())
}

/// The checks that read each file.
fn check_texts(root: &Path, files: &[PathBuf], write_ratchet: bool) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut long = Vec::new();
    for file in files {
        let bytes = std::fs::read(root.join(file)).with_context(|| format!("read `{}`", file.display()))?;
        // Pictures and other bytes have no words.
        let Ok(text) = String::from_utf8(bytes) else { continue };
        findings.extend(words::check(file, &text));
        if file.extension().is_some_and(|extension| extension == "rs") {
            let inspected = source::inspect(file, &text);
            findings.extend(inspected.findings);
            long.extend(inspected.long);
        }
    }
    let ratchet = root.join(source::RATCHET);
    if write_ratchet {
        std::fs::write(&ratchet, Ratchet::write(&long)).with_context(|| format!("write `{}`", ratchet.display()))?;
    }
    let text = std::fs::read_to_string(&ratchet).with_context(|| format!("read `{}`", ratchet.display()))?;
    findings.extend(Ratchet::parse(&text)?.check(&long));
    Ok(findings)
}
