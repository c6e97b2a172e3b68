//! What operators declare under `services/`: read, checked as a whole, and handed on with the place of every part.
//!
//! A tree is either whole or refused with all its problems at once; nothing downstream meets a half-checked file.

pub mod access;
pub mod cases;
mod check;
mod condition;
mod decode;
pub mod governance;
pub mod identity;
pub mod json_schema;
pub mod mcp;
mod node;
pub mod profile;
pub mod results;
pub mod sinks;
#[cfg(test)]
mod tests;
pub mod words;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use wire::ids::{McpServerId, RoleName};

pub use self::decode::At;
pub use self::node::{Mark, Node, Value};

use self::access::{AccessFile, Grant, Role};
use self::governance::{Approvals, Audit, GovernanceFile, Limit, LimitMode, Price};
use self::identity::IdentityFile;
use self::mcp::McpFile;
use self::node::Fault;
use self::results::Results;
use self::sinks::SinkFile;

/// LIMIT: bytes of one file; a thousand grants fit.
pub const FILE_BYTES_MAX: u64 = 1 << 20;

/// LIMIT: files of one tree.
pub const FILES_MAX: usize = 4096;

/// LIMIT: problems of one tree that are reported.
pub const PROBLEMS_MAX: usize = 200;

/// Servers that are always there: `sp` carries the operator's commands, `claude-code` stands for the tools that Claude
/// Code has of its own and asks about through its hooks.
pub const BUILTIN_SERVERS: [&str; 2] = ["sp", "claude-code"];

/// The folders of a tree.
const FOLDERS: [&str; 5] = ["access", "governance", "identity", "mcp", "sinks"];

/// Something in the tree that is wrong: where, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, as it was reached.
    pub file: PathBuf,
    /// The line, from 1; 0 when the file as a whole is meant.
    pub line: u32,
    /// The column, from 1; 0 likewise.
    pub column: u32,
    /// What is wrong and what was expected.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        match (self.line, self.column) {
            (0, _) => write!(f, "{file}: {}", self.message),
            (line, column) => write!(f, "{file}:{line}:{column}: {}", self.message),
        }
    }
}

/// Where something stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file.
    pub file: Arc<Path>,
    /// The place in it.
    pub mark: Mark,
}

impl Place {
    /// Says that something is wrong here.
    pub fn problem(&self, message: impl Into<String>) -> Problem {
        self.problem_at(self.mark, message)
    }

    /// Says that something is wrong at another place of the same file.
    pub fn problem_at(&self, mark: Mark, message: impl Into<String>) -> Problem {
        Problem { file: self.file.to_path_buf(), line: mark.line, column: mark.column, message: message.into() }
    }
}

/// Something declared, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared<T> {
    /// Where.
    pub place: Place,
    /// What.
    pub what: T,
}

/// A block that another crate reads: kept as it was written, with the place of every part.
pub type Raw = Declared<Node>;

impl Raw {
    /// Reads it as a `T`.
    ///
    /// # Errors
    /// Every fault, with its place.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Vec<Problem>> {
        decode::decode(&self.what)
            .map_err(|faults| faults.into_iter().map(|fault| self.place.problem_at(fault.mark, fault.message)).collect())
    }

    /// Says that something is wrong where `needle` stands as a whole text or key, or with the block where it does not.
    pub fn problem_near(&self, needle: &str, message: impl Into<String>) -> Problem {
        self.place.problem_at(self.what.find(needle).unwrap_or(self.place.mark), message)
    }
}

/// A tree that holds together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Services {
    /// MCP servers by name.
    pub mcp: Vec<(McpServerId, Declared<McpFile>)>,
    /// Roles by name.
    pub roles: Vec<(RoleName, Declared<Role>)>,
    /// Grants, in the order of files and of their lines.
    pub grants: Vec<Declared<Grant>>,
    /// Limits, likewise.
    pub limits: Vec<Declared<Limit>>,
    /// What calls cost, likewise.
    pub prices: Vec<Declared<Price>>,
    /// The secret layer's block.
    pub secrets: Option<Raw>,
    /// The block list's block.
    pub blocklist: Option<Raw>,
    /// Obligations on results.
    pub results: Option<Declared<Results>>,
    /// Whether the policy as a whole refuses.
    pub mode: Option<Declared<LimitMode>>,
    /// What audit rows show.
    pub audit: Option<Declared<Audit>>,
    /// What happens to calls that a person must approve.
    pub approvals: Option<Declared<Approvals>>,
    /// Systems besides Postgres that get the audit trail, by name.
    pub sinks: Vec<(String, Declared<SinkFile>)>,
    /// OpenID providers whose people log in here, by name.
    pub identity: Vec<(String, Declared<IdentityFile>)>,
}

/// One file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path below the tree: `mcp/time.yaml`.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// Reads and checks the tree at `dir`.
///
/// # Errors
/// Every problem that was found, sorted by file and line. Nothing of the tree may be used.
pub fn load(dir: &Path) -> Result<Services, Vec<Problem>> {
    let mut problems = Vec::new();
    let files = read_tree(dir, &mut problems);
    let read = parse(dir, &files);
    if problems.is_empty() {
        return read;
    }
    problems.extend(read.err().unwrap_or_default());
    Err(sorted(problems))
}

/// Checks a tree that was read before; `dir` is where its files are said to stand.
///
/// # Errors
/// As [`load`].
pub fn parse(dir: &Path, files: &[SourceFile]) -> Result<Services, Vec<Problem>> {
    let mut services = Services::default();
    let mut problems = Vec::new();
    for file in files {
        let place = Place { file: dir.join(&file.path).into(), mark: Mark::default() };
        services.add_file(file, &place, &mut problems);
    }
    // References into a file that could not be read would only repeat its problem in other words.
    if problems.is_empty() {
        check::check(&services, &mut problems);
    }
    if problems.is_empty() { Ok(services) } else { Err(sorted(problems)) }
}

fn sorted(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    problems.dedup();
    problems.truncate(PROBLEMS_MAX);
    problems
}

impl Services {
    fn add_file(&mut self, file: &SourceFile, place: &Place, problems: &mut Vec<Problem>) {
        let node = match Node::parse(&file.text) {
            Ok(node) => node,
            Err(fault) => return problems.push(place.problem_at(fault.mark, fault.message)),
        };
        let folder = file.path.parent().and_then(Path::to_str).unwrap_or_default();
        let added = match folder {
            "mcp" => decode::decode(&node).map(|server| self.add_mcp(file, place, server, problems)),
            "access" => decode::decode(&node).map(|access| self.add_access(place, access)),
            "governance" => decode::decode(&node).map(|governance| self.add_governance(place, governance, problems)),
            "identity" => decode::decode(&node).map(|provider| self.add_provider(file, place, provider, problems)),
            "sinks" => decode::decode(&node).map(|sink| self.add_sink(file, place, sink, problems)),
            _ => {
                problems.push(place.problem(format!("expected a file in {}", decode::one_of(&FOLDERS))));
                Ok(())
            }
        };
        let faults: Vec<Fault> = added.err().unwrap_or_default();
        problems.extend(faults.into_iter().map(|fault| place.problem_at(fault.mark, fault.message)));
    }

    fn add_mcp(&mut self, file: &SourceFile, place: &Place, server: McpFile, problems: &mut Vec<Problem>) {
        let stem = file.path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        match check::server_name(stem) {
            Ok(name) => self.mcp.push((name, Declared { place: place.clone(), what: server })),
            Err(message) => problems.push(place.problem(message)),
        }
    }

    fn add_sink(&mut self, file: &SourceFile, place: &Place, sink: SinkFile, problems: &mut Vec<Problem>) {
        let stem = file.path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        match check::sink_name(stem) {
            Ok(()) => self.sinks.push((stem.to_owned(), Declared { place: place.clone(), what: sink })),
            Err(message) => problems.push(place.problem(message)),
        }
    }

    fn add_provider(&mut self, file: &SourceFile, place: &Place, provider: IdentityFile, problems: &mut Vec<Problem>) {
        let stem = file.path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        match check::provider_name(stem) {
            Ok(()) => self.identity.push((stem.to_owned(), Declared { place: place.clone(), what: provider })),
            Err(message) => problems.push(place.problem(message)),
        }
    }

    fn add_access(&mut self, place: &Place, access: AccessFile) {
        for (name, role) in access.roles {
            let place = Place { mark: name.mark(), ..place.clone() };
            self.roles.push((name.value, Declared { place, what: role }));
        }
        self.grants.extend(access.grants.into_iter().map(|grant| declared(place, grant)));
    }

    fn add_governance(&mut self, place: &Place, governance: GovernanceFile, problems: &mut Vec<Problem>) {
        self.limits.extend(governance.limits.into_iter().map(|limit| declared(place, limit)));
        self.prices.extend(governance.prices.into_iter().map(|price| declared(place, price)));
        for (name, block, slot) in
            [("secrets", governance.secrets, &mut self.secrets), ("blocklist", governance.blocklist, &mut self.blocklist)]
        {
            let Some(node) = block else { continue };
            let place = Place { mark: node.mark, ..place.clone() };
            match slot {
                Some(first) => problems.push(twice(&place, name, &first.place)),
                None => *slot = Some(Declared { place, what: node }),
            }
        }
        once(place, "results", governance.results, &mut self.results, problems);
        once(place, "mode", governance.mode, &mut self.mode, problems);
        once(place, "audit", governance.audit, &mut self.audit, problems);
        once(place, "approvals", governance.approvals, &mut self.approvals, problems);
    }
}

/// Keeps a block that may stand in one file only.
fn once<T>(place: &Place, name: &str, block: Option<At<T>>, slot: &mut Option<Declared<T>>, problems: &mut Vec<Problem>) {
    let Some(block) = block.map(|block| declared(place, block)) else { return };
    match slot {
        Some(first) => problems.push(twice(&block.place, name, &first.place)),
        None => *slot = Some(block),
    }
}

fn declared<T>(place: &Place, at: At<T>) -> Declared<T> {
    Declared { place: Place { mark: at.mark(), ..place.clone() }, what: at.value }
}

fn twice(place: &Place, name: &str, first: &Place) -> Problem {
    place.problem(format!("`{name}` already stands in `{}`, line {}; keep one of them", first.file.display(), first.mark.line))
}

/// Reads every file that belongs to the tree, in the order of names, so that two machines see the same tree.
fn read_tree(dir: &Path, problems: &mut Vec<Problem>) -> Vec<SourceFile> {
    let mut files = Vec::new();
    for entry in list(dir, problems) {
        let name = entry.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if is_aside(&name) {
            continue;
        }
        if !entry.is_dir() || !FOLDERS.contains(&name.as_str()) {
            problems.push(whole(&entry, format!("expected the folders {} here", decode::one_of(&FOLDERS))));
            continue;
        }
        for path in list(&entry, problems) {
            let file = path.file_name().and_then(|file| file.to_str()).unwrap_or_default().to_owned();
            if is_aside(&file) {
                continue;
            }
            if files.len() >= FILES_MAX {
                problems.push(whole(&path, format!("a tree has at most {FILES_MAX} files; this one is too many")));
                return files;
            }
            match read_file(&path) {
                Ok(text) => files.push(SourceFile { path: Path::new(&name).join(file), text }),
                Err(message) => problems.push(whole(&path, message)),
            }
        }
    }
    files
}

fn read_file(path: &Path) -> Result<String, String> {
    use std::io::Read;

    if path.extension().and_then(|extension| extension.to_str()) != Some("yaml") {
        return Err("expected a file that ends in `.yaml`".to_owned());
    }
    let unreadable = |error: std::io::Error| format!("cannot be read: {error}");
    let file = std::fs::File::open(path).map_err(unreadable)?;
    if !file.metadata().map_err(unreadable)?.is_file() {
        return Err("expected a file".to_owned());
    }
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("is larger than {} KiB; split it", FILE_BYTES_MAX >> 10));
    }
    String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())
}

fn list(dir: &Path, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).and_then(|entries| {
        entries.take(FILES_MAX + 1).map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()
    });
    match entries {
        Ok(mut paths) => {
            paths.sort();
            paths
        }
        Err(error) => {
            problems.push(whole(dir, format!("cannot be read: {error}; expected a folder with {}", decode::one_of(&FOLDERS))));
            Vec::new()
        }
    }
}

/// Files that may lie beside declarations: hidden ones and what editors leave, and notes for people.
fn is_aside(name: &str) -> bool {
    name.starts_with('.') || name.ends_with('~') || name == "README.md"
}

fn whole(path: &Path, message: String) -> Problem {
    Problem { file: path.to_path_buf(), line: 0, column: 0, message }
}
