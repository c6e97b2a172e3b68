//! From a declaration to the exact command line, environment and identity of a child: nothing of ours leaks into it.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::unistd::{Uid, User};

use super::config::StdioServer;

/// The environment variable that marks every process we are the ancestor of, whatever it does to its process group.
pub(super) const MARK: &str = "SP_SUPERVISED";

const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Everything needed to start children of one server, resolved once.
#[derive(Clone, Debug)]
pub(super) struct Launch {
    pub(super) program: PathBuf,
    pub(super) args: Vec<String>,
    pub(super) env: Vec<(String, OsString)>,
    pub(super) cwd: PathBuf,
    pub(super) user: Option<Account>,
    pub(super) limits: super::ChildLimits,
}

/// The unprivileged identity of a child.
#[derive(Clone, Copy, Debug)]
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// Why a child cannot even be started.
#[derive(Debug, thiserror::Error)]
pub(super) enum LaunchError {
    #[error("command `{command}` not found in `{path}`: install it, give its full path, or declare PATH in `env`")]
    NotFound { command: String, path: String },
    #[error("command `{0}` is not an executable file")]
    NotExecutable(String),
    #[error("working directory `{0}` is not a directory")]
    Cwd(PathBuf),
    #[error("user `{0}` does not exist on this machine: create it or change `user`")]
    NoSuchUser(String),
    #[error("cannot run as user `{0}`: only root can start processes of another user")]
    NotRoot(String),
    #[error("cannot look up user `{user}`")]
    Lookup { user: String, source: nix::errno::Errno },
    #[error("cannot start a process")]
    Spawn(#[from] std::io::Error),
    #[error("the supervisor is stopping")]
    Stopping,
}

impl LaunchError {
    /// The message with its causes, for a state that operators read.
    pub(super) fn in_full(&self) -> String {
        match std::error::Error::source(self) {
            Some(source) => format!("{self}: {source}"),
            None => self.to_string(),
        }
    }
}

/// Resolves the declaration against this machine.
pub(super) fn resolve(config: &StdioServer) -> Result<Launch, LaunchError> {
    let account = config.user.as_deref().map(account).transpose()?;
    let own = User::from_uid(Uid::effective()).ok().flatten();
    let home = account.as_ref().map(|(_, home)| home.clone()).or(own.map(|user| user.dir));
    let home = home.filter(|dir| dir.is_dir()).unwrap_or_else(|| PathBuf::from("/"));

    let mut env: Vec<(String, OsString)> =
        vec![("PATH".into(), DEFAULT_PATH.into()), ("HOME".into(), home.into_os_string()), ("LANG".into(), "C.UTF-8".into())];
    env.retain(|(key, _)| !config.env.contains_key(key));
    env.extend(config.env.iter().map(|(key, value)| (key.clone(), value.into())));

    let path = config.env.get("PATH").map_or(DEFAULT_PATH, String::as_str);
    let cwd = config.cwd.clone().unwrap_or_else(|| PathBuf::from("/"));
    if !cwd.is_dir() {
        return Err(LaunchError::Cwd(cwd));
    }
    Ok(Launch {
        program: find(&config.command, path, &cwd)?,
        args: config.args.clone(),
        env,
        cwd,
        user: account.map(|(account, _)| account),
        limits: config.limits,
    })
}

fn account(user: &str) -> Result<(Account, PathBuf), LaunchError> {
    let found = match user.parse::<u32>() {
        Ok(uid) => User::from_uid(Uid::from_raw(uid)),
        Err(_) => User::from_name(user),
    };
    let found = found
        .map_err(|source| LaunchError::Lookup { user: user.to_owned(), source })?
        .ok_or_else(|| LaunchError::NoSuchUser(user.to_owned()))?;
    if found.uid != Uid::effective() && !Uid::effective().is_root() {
        return Err(LaunchError::NotRoot(user.to_owned()));
    }
    Ok((Account { uid: found.uid.as_raw(), gid: found.gid.as_raw() }, found.dir))
}

fn find(command: &str, path: &str, cwd: &Path) -> Result<PathBuf, LaunchError> {
    let executable = |file: &Path| file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0);
    if command.contains('/') {
        let file = cwd.join(command);
        return match (file.exists(), executable(&file)) {
            (_, true) => Ok(file),
            (true, false) => Err(LaunchError::NotExecutable(command.to_owned())),
            (false, false) => Err(LaunchError::NotFound { command: command.to_owned(), path: cwd.display().to_string() }),
        };
    }
    std::env::split_paths(path)
        .map(|dir| dir.join(command))
        .find(|file| executable(file))
        .ok_or_else(|| LaunchError::NotFound { command: command.to_owned(), path: path.to_owned() })
}
