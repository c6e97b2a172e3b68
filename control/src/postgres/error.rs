//! What can go wrong with PostgreSQL, one variant per thing the operator does next.

use std::io;
use std::path::PathBuf;

/// Why PostgreSQL could not be found, prepared, started or asked.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// No usable server binaries: install a package.
    #[error(
        "no PostgreSQL {wanted} server binaries found{rejected}; install them (Debian and Ubuntu: `apt install postgresql`, \
         Fedora: `dnf install postgresql-server`, macOS: `brew install postgresql@17`), point SP_POSTGRES_BIN at a directory \
         with `postgres` and `initdb`, or pass --database-url"
    )]
    NotInstalled {
        /// The version that was looked for, such as `15 or newer`.
        wanted: String,
        /// What was found and could not be used, empty or starting with a blank.
        rejected: String,
    },

    /// `SP_POSTGRES_BIN` names a directory that cannot be used.
    #[error("SP_POSTGRES_BIN names `{}`, which {problem}", dir.display())]
    BadBinaries {
        /// The directory named.
        dir: PathBuf,
        /// What is wrong with it.
        problem: String,
    },

    /// We are root and there is no account to run the server as.
    #[error(
        "PostgreSQL refuses to run as root, and there is neither a user `postgres` nor a user `nobody` to run it as; create one \
         (`useradd --system postgres`), start sp as another user, or pass --database-url"
    )]
    NoAccount,

    /// The account that the server runs as has no name.
    #[error("user id {uid} has no name in /etc/passwd, which PostgreSQL needs; add an entry or pass --database-url")]
    NamelessAccount {
        /// The user id.
        uid: u32,
    },

    /// The cluster belongs to another user.
    #[error(
        "the cluster in `{}` belongs to user id {owner} and this process runs as user id {us}; start as that user or as root",
        dir.display()
    )]
    ForeignCluster {
        /// The cluster's directory.
        dir: PathBuf,
        /// Who owns it.
        owner: u32,
        /// Who we are.
        us: u32,
    },

    /// The unprivileged account cannot get to the data directory or the binaries.
    #[error(
        "user `{account}`, which runs PostgreSQL because this process is root, may not enter `{}`; run `chmod o+x {}`, or choose \
         a --data-dir that it can reach",
        dir.display(), dir.display()
    )]
    Unreachable {
        /// The account that was chosen.
        account: String,
        /// The first directory on the way that refuses it.
        dir: PathBuf,
    },

    /// The directory where the cluster should be holds something else.
    #[error("`{}` exists but is not a PostgreSQL cluster; move it away or choose another --data-dir", dir.display())]
    NotACluster {
        /// The directory.
        dir: PathBuf,
    },

    /// Another server runs on the same cluster and it is not one we may adopt.
    #[error(
        "process {pid} already serves the cluster in `{}` and does not look like a server of ours; stop it first",
        dir.display()
    )]
    Occupied {
        /// The cluster's directory.
        dir: PathBuf,
        /// The process named in its lock file.
        pid: u32,
    },

    /// No directory is short and private enough for the Unix socket.
    #[error("no private directory with a path short enough for a Unix socket: `{}` is too long and {problem}", wanted.display())]
    NoSocketDir {
        /// Where the socket should have been.
        wanted: PathBuf,
        /// Why no other place would do.
        problem: String,
    },

    /// `initdb` or the server ended at once.
    #[error("`{program}` failed ({status}); its last words:\n{output}")]
    Failed {
        /// The program.
        program: &'static str,
        /// How it ended.
        status: String,
        /// The end of what it wrote.
        output: String,
    },

    /// The server did not accept connections in time.
    #[error("PostgreSQL did not accept connections within {seconds} s; see `{}`; its last words:\n{output}", log.display())]
    NotReady {
        /// How long we waited.
        seconds: u64,
        /// Its log.
        log: PathBuf,
        /// The end of its log.
        output: String,
    },

    /// A file or process operation failed.
    #[error("could not {action} `{}`", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },

    /// The database URL cannot be read or used.
    #[error("database URL: {problem}")]
    Url {
        /// What is wrong with it. Never the URL itself, which may hold a password.
        problem: String,
    },

    /// The server answered with an error, or the connection broke.
    #[error("could not {action}")]
    Query {
        /// What was tried, as a verb.
        action: &'static str,
        /// Why it failed.
        #[source]
        source: tokio_postgres::Error,
    },

    /// What came is not what the protocol says.
    #[error("the database server does not send rows as PostgreSQL's binary COPY does; connect to PostgreSQL itself")]
    Copy,

    /// No connection could be had from the pool.
    #[error("could not get a database connection")]
    Pool(#[source] deadpool_postgres::PoolError),

    /// The schema could not be brought up to date.
    #[error("could not bring the database schema up to date")]
    Migrate(#[source] schema::migrations::MigrateError),
}

impl PostgresError {
    /// For `map_err` on file operations.
    pub(crate) fn io<'a>(action: &'static str, path: &'a std::path::Path) -> impl FnOnce(io::Error) -> PostgresError + 'a {
        move |source| PostgresError::Io { action, path: path.to_owned(), source }
    }

    /// For `map_err` on queries.
    pub(crate) fn query(action: &'static str) -> impl FnOnce(tokio_postgres::Error) -> PostgresError {
        move |source| PostgresError::Query { action, source }
    }
}

/// An error with its causes, for a log line.
pub(crate) fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
