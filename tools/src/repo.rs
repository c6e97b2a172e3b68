//! Where the repository is and which files belong to it.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the repository: the nearest parent of the working directory whose `Cargo.toml` declares a workspace.
///
/// # Errors
/// Run the command from inside the repository.
pub fn root() -> Result<PathBuf> {
    let start = std::env::current_dir().context("read the working directory")?;
    for dir in start.ancestors() {
        let manifest = dir.join("Cargo.toml");
        if manifest.is_file() && std::fs::read_to_string(&manifest)?.contains("[workspace]") {
            return Ok(dir.to_path_buf());
        }
    }
    bail!("no workspace above `{}`: run this inside the repository", start.display())
}

/// Every file that is committed or would be (untracked but not ignored), as paths relative to `root`.
///
/// # Errors
/// `git` must be installed and `root` must be a working tree.
pub fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root)
        .output()
        .context("run `git ls-files`; is git installed?")?;
    if !output.status.success() {
        bail!("`git ls-files` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let listing = String::from_utf8(output.stdout).context("a file name is not UTF-8: rename it")?;
    let mut files: Vec<PathBuf> = listing
        .split_terminator('\0')
        .map(PathBuf::from)
        // A file deleted in the working tree is still in the index until it is committed.
        .filter(|path| root.join(path).is_file())
        .collect();
    files.sort();
    files.dedup();
    Ok(files)
}
