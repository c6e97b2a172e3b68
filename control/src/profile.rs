//! Which gateway is meant. A profile says where one is and what it runs with; who names none means the session that was chosen
//! last (`sp admin session switch`), and who chose none means the gateway of this machine.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use schema::services::profile::ProfileFile;
use schema::services::words::{Reference, Setting};
use serde::{Deserialize, Serialize};

use crate::disk;

/// LIMIT: bytes of a profile.
const PROFILE_BYTES_MAX: u64 = 64 << 10;

/// The file that holds what was switched to.
const ACTIVE: &str = "active.json";

/// Why a gateway is the one that is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Case {
    /// `--profile` says so.
    Flag,
    /// `SP_PROFILE` says so.
    Environment,
    /// It was switched to.
    Session,
    /// Nothing says anything.
    Bootstrap,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Case::Flag => "--profile",
            Case::Environment => "SP_PROFILE",
            Case::Session => "the active session",
            Case::Bootstrap => "the default of this machine",
        })
    }
}

/// How a gateway is named on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Named {
    /// By a profile's name or file.
    Profile(String),
    /// By its URL alone.
    Gateway(String),
}

/// The gateway that is meant, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// Why.
    pub case: Case,
    /// Which.
    pub what: What,
}

/// A gateway.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// That of a profile.
    Profile(Box<Profile>),
    /// The one at this URL.
    Gateway(String),
    /// The one of this machine, with everything by default.
    Local,
}

/// The four cases, in this order.
fn pick(flag: Option<&str>, environment: Option<&str>, active: Option<Named>) -> (Case, Option<Named>) {
    let profile = |name: &str| Some(Named::Profile(name.to_owned()));
    match (flag, environment.filter(|name| !name.is_empty()), active) {
        (Some(name), _, _) => (Case::Flag, profile(name)),
        (None, Some(name), _) => (Case::Environment, profile(name)),
        (None, None, Some(active)) => (Case::Session, Some(active)),
        (None, None, None) => (Case::Bootstrap, None),
    }
}

impl Chosen {
    /// The gateway that is meant: by `--profile`, else by `SP_PROFILE`, else by the active session, else that of this machine.
    ///
    /// # Errors
    /// The profile is not there, or does not hold together: every fault with its file and line.
    pub fn of(flag: Option<&str>) -> anyhow::Result<Chosen> {
        Chosen::by(flag, active()?)
    }

    /// The same for a command line that says itself where the gateway is: the active session is not asked.
    ///
    /// # Errors
    /// As [`Chosen::of`].
    pub fn without_session(flag: Option<&str>) -> anyhow::Result<Chosen> {
        Chosen::by(flag, None)
    }

    fn by(flag: Option<&str>, active: Option<Named>) -> anyhow::Result<Chosen> {
        let environment = std::env::var("SP_PROFILE").ok();
        let (case, named) = pick(flag, environment.as_deref(), active);
        let what = match named {
            Some(Named::Profile(name)) => {
                What::Profile(Box::new(Profile::read(&name).with_context(|| format!("{case} names the profile `{name}`"))?))
            }
            Some(Named::Gateway(url)) => What::Gateway(url),
            None => What::Local,
        };
        Ok(Chosen { case, what })
    }

    /// The profile, where one is meant.
    pub fn profile(&self) -> Option<&Profile> {
        match &self.what {
            What::Profile(profile) => Some(profile),
            What::Gateway(_) | What::Local => None,
        }
    }
}

/// A profile that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// What it is called: the name of its file where all profiles lie, its path elsewhere.
    pub name: String,
    /// Its file.
    pub file: PathBuf,
    /// What stands in it.
    pub settings: ProfileFile,
}

impl Profile {
    /// Reads the profile of this name, or in this file: what has a `/` in it or ends in `.yaml` is a file.
    ///
    /// # Errors
    /// It is not there, or does not hold together.
    pub fn read(name: &str) -> anyhow::Result<Profile> {
        let is_file = name.contains('/') || name.ends_with(".yaml");
        let file = if is_file { PathBuf::from(name) } else { folder()?.join(format!("{name}.yaml")) };
        let file = file.canonicalize().with_context(|| missing(&file))?;
        let size = file.metadata()?.len();
        if size > PROFILE_BYTES_MAX {
            bail!("`{}` is larger than {} KiB", file.display(), PROFILE_BYTES_MAX >> 10);
        }
        let text = std::fs::read_to_string(&file).with_context(|| format!("`{}` cannot be read", file.display()))?;
        let settings = schema::services::profile::parse(&file, &text).map_err(|problems| {
            let lines: Vec<String> = problems.iter().map(|problem| format!("\n  {problem}")).collect();
            anyhow::anyhow!("it does not hold together:{}", lines.concat())
        })?;
        let name = if is_file { file.display().to_string() } else { name.to_owned() };
        Ok(Profile { name, file, settings })
    }

    /// A path that stands in it.
    pub fn path(&self, path: &str) -> PathBuf {
        self.file.parent().unwrap_or(Path::new(".")).join(path)
    }

    /// Its data directory.
    pub fn data_dir(&self) -> Option<PathBuf> {
        self.settings.data_dir.as_deref().map(|dir| self.path(dir))
    }

    /// Where commands go.
    pub fn gateway(&self) -> Option<&str> {
        self.settings.gateway.as_ref().map(|url| url.value.trim_end_matches('/'))
    }

    /// What commands show.
    ///
    /// # Errors
    /// The variable that holds it is not set.
    pub fn token(&self) -> anyhow::Result<Option<String>> {
        self.settings.token.as_ref().map(|reference| self.secret(reference)).transpose()
    }

    /// The database.
    ///
    /// # Errors
    /// A variable that it needs is not set.
    pub fn database_url(&self) -> anyhow::Result<Option<String>> {
        match self.settings.database_url.as_ref().map(|url| &url.value) {
            None => Ok(None),
            Some(Setting::Reference(reference)) => self.secret(reference).map(Some),
            Some(Setting::Text(text)) => text.fill(variable).map(Some).map_err(|name| self.unset(name)),
        }
    }

    fn secret(&self, reference: &Reference) -> anyhow::Result<String> {
        variable(reference.name()).ok_or_else(|| self.unset(reference.name()))
    }

    fn unset(&self, name: &str) -> anyhow::Error {
        anyhow::anyhow!("`{}` needs the environment variable {name}, which is not set", self.file.display())
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn missing(file: &Path) -> String {
    match profiles().unwrap_or_default().as_slice() {
        [] => format!("there is no `{}`", file.display()),
        names => format!("there is no `{}`; there are: {}", file.display(), names.join(", ")),
    }
}

/// Where what is the user's own is kept: `$XDG_CONFIG_HOME/sp`, else `~/.config/sp`.
///
/// # Errors
/// Neither variable is set, as in a service of the system; profiles are files by their path there.
pub fn home() -> anyhow::Result<PathBuf> {
    let base = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let base = base.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")));
    Ok(base.context("neither XDG_CONFIG_HOME nor HOME says where settings are kept")?.join("sp"))
}

fn folder() -> anyhow::Result<PathBuf> {
    Ok(home()?.join("profiles"))
}

/// The names of the profiles that lie where all of them do.
///
/// # Errors
/// The folder cannot be read.
pub fn profiles() -> anyhow::Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder()?) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let name = |entry: std::fs::DirEntry| entry.file_name().to_str()?.strip_suffix(".yaml").map(str::to_owned);
    let mut names: Vec<String> = entries.filter_map(|entry| name(entry.ok()?)).collect();
    names.sort();
    Ok(names)
}

/// What was switched to, if anything was.
///
/// # Errors
/// The file cannot be read, or is damaged.
pub fn active() -> anyhow::Result<Option<Named>> {
    let Ok(home) = home() else { return Ok(None) };
    let file = home.join(ACTIVE);
    match std::fs::read(&file) {
        Ok(text) => Ok(Some(serde_json::from_slice(&text).with_context(|| {
            format!("`{}` is damaged; run `sp admin session switch` once more, or delete it", file.display())
        })?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("`{}` cannot be read", file.display())),
    }
}

/// Switches to another gateway; nothing is that of this machine.
///
/// # Errors
/// The file cannot be written.
pub fn activate(named: Option<&Named>) -> anyhow::Result<()> {
    let home = home()?;
    let file = home.join(ACTIVE);
    match named {
        Some(named) => {
            disk::private_folder(&home)?;
            disk::replace(&file, &serde_json::to_vec(named)?)
        }
        None => disk::remove(&file),
    }
    .with_context(|| format!("`{}` cannot be written", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_cases_come_in_order() {
        let profile = |name: &str| Some(Named::Profile(name.to_owned()));
        let there = || Some(Named::Gateway("https://gate.example".to_owned()));
        for (flag, environment, active, case, named) in [
            (Some("a"), Some("b"), there(), Case::Flag, profile("a")),
            (Some("a"), None, None, Case::Flag, profile("a")),
            (None, Some("b"), there(), Case::Environment, profile("b")),
            (None, Some(""), there(), Case::Session, there()),
            (None, None, profile("c"), Case::Session, profile("c")),
            (None, None, None, Case::Bootstrap, None),
        ] {
            assert_eq!(pick(flag, environment, active), (case, named));
        }
    }
}
