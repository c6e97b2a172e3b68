//! A file here: one event a line, synced after each batch, followed by another when it is large enough.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use schema::services::sinks::SinkFormat;

use super::config::line;
use super::target::SendError;
use crate::logs::event::AuditEvent;

pub(super) struct RotatingFile {
    path: PathBuf,
    format: SinkFormat,
    bytes_max: u64,
    keep: u16,
}

impl RotatingFile {
    pub(super) fn new(path: PathBuf, format: SinkFormat, bytes_max: u64, keep: u16) -> RotatingFile {
        RotatingFile { path, format, bytes_max, keep }
    }

    pub(super) async fn send(&self, events: &[AuditEvent]) -> Result<(), SendError> {
        let lines: String = events.iter().map(|event| line(self.format, event) + "\n").collect();
        let (path, bytes_max, keep) = (self.path.clone(), self.bytes_max, self.keep);
        let written = tokio::task::spawn_blocking(move || append(&path, lines.as_bytes(), bytes_max, keep)).await;
        let written = written.map_err(|_| SendError::later("writing was cut off"))?;
        written.map_err(|error| SendError::later(format!("`{}` cannot be written: {error}", self.path.display())))
    }
}

/// Opened anew each time: whoever moves the file away for good finds the next events in a new one.
fn append(path: &Path, lines: &[u8], bytes_max: u64, keep: u16) -> io::Result<()> {
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir)?;
    }
    let mut file = open(path)?;
    let mut end = cut_torn_line(&mut file)?;
    if end > 0 && end + lines.len() as u64 > bytes_max {
        drop(file);
        rotate(path, keep)?;
        (file, end) = (open(path)?, 0);
    }
    let written = file.write_all(lines).and_then(|()| file.sync_data());
    if written.is_err() {
        // Half a batch would come twice, and half a line never be read.
        let _ = file.set_len(end);
    }
    written
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)
}

/// A crash may have left half a line; its events come again whole. Returns where the file ends.
fn cut_torn_line(file: &mut File) -> io::Result<u64> {
    const STEP: u64 = 64 << 10;
    let end = file.seek(SeekFrom::End(0))?;
    let mut from = end;
    while from > 0 {
        let start = from.saturating_sub(STEP);
        let mut bytes = vec![0; (from - start) as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut bytes)?;
        if let Some(newline) = bytes.iter().rposition(|byte| *byte == b'\n') {
            from = start + newline as u64 + 1;
            break;
        }
        from = start;
    }
    if from < end {
        file.set_len(from)?;
    }
    Ok(from)
}

/// `path` becomes `path.1`, that becomes `path.2`, and the last is deleted.
fn rotate(path: &Path, keep: u16) -> io::Result<()> {
    let older = |n: u16| {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{n}"));
        path.with_file_name(name)
    };
    let ignore_missing = |done: io::Result<()>| match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    };
    if keep == 0 {
        return ignore_missing(std::fs::remove_file(path));
    }
    for n in (1..keep).rev() {
        ignore_missing(std::fs::rename(older(n), older(n + 1)))?;
    }
    ignore_missing(std::fs::rename(path, older(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_follow_each_other_and_half_a_line_is_cut() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/audit.jsonl");
        let read = |name: &str| std::fs::read_to_string(path.with_file_name(name)).unwrap_or_default();
        for line in ["one\n", "two\n", "three\n", "four\n", "five\n"] {
            append(&path, line.as_bytes(), 10, 2).unwrap();
        }
        assert_eq!(read("audit.jsonl.2"), "one\ntwo\n");
        assert_eq!(read("audit.jsonl.1"), "three\n");
        assert_eq!(read("audit.jsonl"), "four\nfive\n");
    }

    #[test]
    fn what_a_crash_left_is_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.jsonl");
        std::fs::write(&path, format!("whole\n{}", "x".repeat(200_000))).unwrap();
        append(&path, b"next\n", 1 << 20, 1).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "whole\nnext\n");
        std::fs::write(&path, "only half").unwrap();
        append(&path, b"next\n", 1 << 20, 1).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "next\n");
    }
}
