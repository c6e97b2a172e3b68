//! A cluster on disk: where it lies, who runs it, with which programs and settings; making it, and starting its server.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio_postgres::Config;

use super::PostgresError;
use super::account::Account;
use super::binaries::{Binaries, Search};
use super::postmaster::{Postmaster, left_running};

/// LIMIT: `sun_path` holds 108 bytes with its terminating zero.
const SOCKET_PATH_MAX: usize = 107;
const SOCKET_NAME: &str = "/.s.PGSQL.5432";
/// The port is only part of the socket's name: nothing listens on TCP.
const PORT: u16 = 5432;
/// LIMIT: how much of a log an error message quotes.
const LOG_TAIL_BYTES: usize = 2_000;
/// LIMIT: a server that is there answers at once; this bounds a stopped (SIGSTOP) one.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The role that initdb makes: used to make the other two, and by nothing else.
pub(super) const SUPERUSER: &str = "postgres";
/// The role that owns the schema: migrations run as it.
pub(super) const OWNER: &str = "sp_owner";
/// The role that the gateway works as. It can add audit rows and cannot change or remove them.
pub(super) const APPLICATION: &str = "sp";
/// The database of the gateway.
pub(super) const DATABASE: &str = "sp";

/// How the private cluster of a data directory is reached while it runs; `None` when none does.
pub fn private_config(data_dir: &Path) -> Option<Config> {
    // Source: PostgreSQL, `src/include/utils/pidfile.h`: line 4 is the port, line 5 the directory of the socket.
    let text = std::fs::read_to_string(data_dir.join("postgres/postmaster.pid")).ok()?;
    let line = |number: usize| text.lines().nth(number).map(str::trim).filter(|line| !line.is_empty());
    let mut config = Config::new();
    config.host_path(line(4)?).port(line(3)?.parse().ok()?).user(APPLICATION).dbname(DATABASE).application_name("sp");
    Some(config)
}

/// What tells one cluster from another kind of cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// Survives power loss.
    Full,
    /// For tests: gone after power loss, and quick.
    None,
}

/// A prepared cluster: it exists on disk and can be started.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    pub(super) dir: PathBuf,
    socket_dir: PathBuf,
    log: PathBuf,
    binaries: Binaries,
    account: Account,
    durability: Durability,
}

impl Cluster {
    /// Finds or makes the cluster `<data_dir>/postgres`.
    pub(super) async fn prepare(data_dir: &Path, durability: Durability) -> Result<Cluster, PostgresError> {
        let data_dir = std::fs::canonicalize(data_dir).map_err(PostgresError::io("find", data_dir))?;
        let dir = data_dir.join("postgres");
        let account = Account::choose(&dir)?;
        account.check_reach(&data_dir)?;
        let existing = version_of(&dir)?;
        let binaries = Search::of_this_machine().find(existing).await?;
        account.check_reach(&binaries.dir)?;
        let socket_dir = choose_socket_dir(&data_dir, &account)?;
        let cluster = Cluster { log: data_dir.join("postgres.log"), dir, socket_dir, binaries, account, durability };
        if existing.is_none() {
            cluster.create(&data_dir).await?;
        }
        Ok(cluster)
    }

    /// The server that a killed predecessor left running here, if any. From now on this is about that server's socket.
    pub(super) fn adopt(&mut self) -> Result<Option<Postmaster>, PostgresError> {
        let Some((postmaster, lock)) = left_running(&self.dir, self.account.uid())? else {
            return Ok(None);
        };
        self.socket_dir = lock.socket_dir;
        Ok(Some(postmaster))
    }

    /// Starts a server. It is not ready yet.
    pub(super) fn spawn(&self) -> Result<Postmaster, PostgresError> {
        let log = std::fs::File::create(&self.log).map_err(PostgresError::io("create", &self.log))?;
        let program = self.binaries.program("postgres");
        let mut command = self.account.command(&program);
        command.arg("-D").arg(&self.dir).args(self.settings()).current_dir(&self.dir).stdout(Stdio::null()).stderr(log);
        let child = command.spawn().map_err(PostgresError::io("run", &program))?;
        Postmaster::of_child(child).map_err(PostgresError::io("watch", &program))
    }

    /// How to connect as `role`.
    pub(super) fn config(&self, role: &str, database: &str) -> Config {
        let mut config = Config::new();
        config
            .host_path(&self.socket_dir)
            .port(PORT)
            .user(role)
            .dbname(database)
            .application_name("sp")
            .connect_timeout(CONNECT_TIMEOUT)
            .ssl_mode(tokio_postgres::config::SslMode::Disable);
        config
    }

    pub(super) fn url(&self, role: &str, database: &str) -> String {
        let start = format!("postgresql:///{database}?");
        let query_from = start.len();
        let mut url = url::form_urlencoded::Serializer::for_suffix(start, query_from);
        url.append_pair("host", &self.socket_dir.to_string_lossy());
        url.append_pair("port", &PORT.to_string()).append_pair("user", role);
        // libpq reads `+` as itself, not as a blank.
        url.finish().replace('+', "%20")
    }

    /// Where the server writes before its own log is open.
    pub(super) fn log(&self) -> &Path {
        &self.log
    }

    /// The end of what the server last wrote.
    pub(super) fn last_words(&self) -> String {
        let newest = std::fs::read_dir(self.dir.join("log"))
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .max();
        let read = |path: &Path| std::fs::read(path).map(|bytes| tail(&bytes)).unwrap_or_default();
        format!("{}{}", read(&self.log), newest.map(|(_, path)| read(&path)).unwrap_or_default())
    }

    /// Runs initdb under a name of its own and renames when all is there, so that an interrupted run leaves nothing that
    /// looks like a cluster, and an initdb that outlived its killed parent writes into nothing of ours.
    async fn create(&self, data_dir: &Path) -> Result<(), PostgresError> {
        tracing::info!(dir = %self.dir.display(), version = self.binaries.major, user = %self.account.name, "creating a private PostgreSQL cluster");
        remove_leftovers(data_dir);
        let unfinished = data_dir.join(format!("{UNFINISHED_PREFIX}{}", std::process::id()));
        self.account.own_dir(&unfinished)?;
        // C.UTF-8 sorts by code point and is the same on every machine that has it; C is the fallback that always exists.
        let outcome = match self.initdb(&unfinished, "C.UTF-8").await {
            Err(PostgresError::Failed { output, .. }) if output.contains("locale") => self.initdb(&unfinished, "C").await,
            outcome => outcome,
        };
        outcome?;
        let us = nix::unistd::User::from_uid(nix::unistd::Uid::effective()).ok().flatten().map(|user| user.name);
        self.write_access_rules(&unfinished, us.as_deref())?;
        std::fs::rename(&unfinished, &self.dir).map_err(PostgresError::io("put in place", &self.dir))?;
        std::fs::File::open(data_dir).and_then(|dir| dir.sync_all()).map_err(PostgresError::io("sync", data_dir))
    }

    async fn initdb(&self, dir: &Path, locale: &str) -> Result<(), PostgresError> {
        let program = self.binaries.program("initdb");
        let mut command = self.account.command(&program);
        command.arg("-D").arg(dir).args(["-U", SUPERUSER, "-E", "UTF8", "-A", "peer", "--no-instructions"]);
        command.arg(format!("--locale={locale}")).current_dir(dir).env("LC_ALL", "C").env_remove("LANGUAGE");
        if self.durability == Durability::None {
            command.arg("--no-sync");
        }
        let output = tokio::process::Command::from(command).output().await.map_err(PostgresError::io("run", &program))?;
        if output.status.success() {
            return Ok(());
        }
        let output_text = format!("{}{}", tail(&output.stdout), tail(&output.stderr));
        Err(PostgresError::Failed { program: "initdb", status: output.status.to_string(), output: output_text })
    }

    /// Peer authentication through a map: the kernel vouches that the client is us (or root), whatever the modes of the
    /// socket's directory become.
    fn write_access_rules(&self, dir: &Path, us: Option<&str>) -> Result<(), PostgresError> {
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let mut users = vec!["root", &self.account.name];
        users.extend(us);
        users.sort_unstable();
        users.dedup();
        let mut ident = String::from("# map  system user  database role\n");
        for user in users {
            for role in [SUPERUSER, OWNER, APPLICATION] {
                ident.push_str(&format!("sp {} {role}\n", quoted(user)));
            }
        }
        for (name, text) in [("pg_hba.conf", "local all all peer map=sp\n".to_owned()), ("pg_ident.conf", ident)] {
            // The files are there, owned by the server's account; writing keeps owner and mode.
            let path = dir.join(name);
            std::fs::write(&path, text).map_err(PostgresError::io("write", &path))?;
        }
        Ok(())
    }

    fn settings(&self) -> Vec<std::ffi::OsString> {
        let mut sockets = std::ffi::OsString::from("unix_socket_directories=\"");
        sockets.push(OsStr::from_bytes(
            &self.socket_dir.as_os_str().as_bytes().split(|b| *b == b'"').collect::<Vec<_>>().join(&b"\"\""[..]),
        ));
        sockets.push("\"");
        let mut settings = vec![sockets];
        let mut set = |setting: &str| settings.push(setting.into());
        for setting in [
            "listen_addresses=",
            "port=5432",
            "unix_socket_permissions=0700",
            // The pool, the shipper, the operator's psql.
            "max_connections=40",
            "shared_buffers=64MB",
            "max_wal_size=1GB",
            // A commit would wait while a new segment is filled with zeros: at 20,000 rows/s that is once a second.
            "wal_init_zero=off",
            "max_parallel_workers_per_gather=0",
            "jit=off",
            "timezone=UTC",
            "log_timezone=UTC",
            "lc_messages=C",
            // A weekday's log replaces that of a week ago, so that logs are bounded.
            "logging_collector=on",
            "log_directory=log",
            "log_filename=postgresql-%a.log",
            "log_truncate_on_rotation=on",
            "log_rotation_age=1d",
            "log_rotation_size=0",
            "log_checkpoints=off",
            "cluster_name=sp",
        ] {
            set(setting);
        }
        if self.durability == Durability::None {
            for setting in ["fsync=off", "full_page_writes=off", "logging_collector=off", "max_connections=100"] {
                set(setting);
            }
        }
        settings.into_iter().flat_map(|setting| [std::ffi::OsString::from("-c"), setting]).collect()
    }

    /// The command line that serves this cluster, for a watcher that starts it itself.
    pub(super) fn serve_command(&self) -> Vec<std::ffi::OsString> {
        let mut line = vec![self.binaries.program("postgres").into_os_string(), "-D".into(), self.dir.clone().into_os_string()];
        line.extend(self.settings());
        line
    }

    pub(super) fn account(&self) -> &Account {
        &self.account
    }
}

const UNFINISHED_PREFIX: &str = "postgres.unfinished-";

/// Best effort: what cannot be removed is in nobody's way.
fn remove_leftovers(data_dir: &Path) {
    for entry in std::fs::read_dir(data_dir).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(UNFINISHED_PREFIX)) {
            tracing::info!(dir = %entry.path().display(), "removing an unfinished PostgreSQL cluster");
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// The major version of the cluster in `dir`, `None` when there is no such directory or it is empty.
fn version_of(dir: &Path) -> Result<Option<u32>, PostgresError> {
    let not_a_cluster = || PostgresError::NotACluster { dir: dir.to_owned() };
    match std::fs::read_to_string(dir.join("PG_VERSION")) {
        Ok(text) => text.trim().parse().map(Some).map_err(|_| not_a_cluster()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !dir.exists() => Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(not_a_cluster()),
        Err(error) => Err(PostgresError::io("read the version of", dir)(error)),
    }
}

/// `<data_dir>/postgres.run`, or a private directory in a short place when that path is too long for a socket.
fn choose_socket_dir(data_dir: &Path, account: &Account) -> Result<PathBuf, PostgresError> {
    let wanted = data_dir.join("postgres.run");
    if fits_socket(&wanted) {
        account.own_dir(&wanted)?;
        return Ok(wanted);
    }
    // The name follows from the data directory, so that a restart finds the same socket.
    let name = format!("sp-pg-{}", &blake3::hash(data_dir.as_os_str().as_bytes()).to_hex()[..16]);
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let mut problem = String::from("there is no other place");
    for place in runtime.into_iter().chain(["/run", "/tmp"].map(PathBuf::from)).filter(|place| place.is_absolute()) {
        let dir = place.join(&name);
        if !fits_socket(&dir) || account.check_reach(&place).is_err() {
            continue;
        }
        match own_private_dir(&dir, account) {
            Ok(()) => return Ok(dir),
            Err(error) => problem = error,
        }
    }
    Err(PostgresError::NoSocketDir { wanted, problem })
}

fn fits_socket(dir: &Path) -> bool {
    dir.as_os_str().len() + SOCKET_NAME.len() <= SOCKET_PATH_MAX
}

/// As [`Account::own_dir`], in a place where others may have put something under our name first.
fn own_private_dir(dir: &Path, account: &Account) -> Result<(), String> {
    if let Ok(meta) = std::fs::symlink_metadata(dir)
        && !(meta.is_dir() && meta.uid() == account.uid())
    {
        return Err(format!("`{}` is not ours", dir.display()));
    }
    account.own_dir(dir).map_err(|error| format!("`{}` cannot be made: {error}", dir.display()))
}

fn tail(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(LOG_TAIL_BYTES)..]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_paths_get_a_short_socket_that_stays_the_same() {
        let tmp = tempfile::tempdir().unwrap();
        std::fs::set_permissions(tmp.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let account = Account::choose(&tmp.path().join("postgres")).unwrap();

        let near = choose_socket_dir(tmp.path(), &account).unwrap();
        assert_eq!(near, tmp.path().join("postgres.run"));

        let long = tmp.path().join("d".repeat(120));
        std::fs::create_dir(&long).unwrap();
        let far = choose_socket_dir(&long, &account).unwrap();
        assert!(fits_socket(&far) && !far.starts_with(&long), "{far:?}");
        assert_eq!(choose_socket_dir(&long, &account).unwrap(), far);
        let meta = std::fs::metadata(&far).unwrap();
        assert_eq!((meta.mode() & 0o777, meta.uid()), (0o700, account.uid()));
        std::fs::remove_dir(&far).unwrap();

        // Somebody else was there first.
        let _ = std::os::unix::fs::symlink("/etc", &far);
        let elsewhere = choose_socket_dir(&long, &account);
        std::fs::remove_file(&far).unwrap();
        assert!(elsewhere.as_ref().is_ok_and(|dir| *dir != far) || elsewhere.is_err(), "{elsewhere:?}");
        if let Ok(dir) = elsewhere {
            std::fs::remove_dir(dir).unwrap();
        }
    }

    #[test]
    fn versions() {
        let tmp = tempfile::tempdir().unwrap();
        let check = |setup: Option<&str>, want: Option<Option<u32>>| {
            let dir = tmp.path().join("postgres");
            let _ = std::fs::remove_dir_all(&dir);
            if let Some(text) = setup {
                std::fs::create_dir(&dir).unwrap();
                if !text.is_empty() {
                    std::fs::write(dir.join("PG_VERSION"), text).unwrap();
                }
            }
            assert_eq!(version_of(&dir).ok(), want, "{setup:?}");
        };
        check(None, Some(None));
        check(Some("15\n"), Some(Some(15)));
        check(Some("9.6\n"), None);
        check(Some(""), None);
    }
}
