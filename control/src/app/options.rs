//! What the process is started with: the command line, and the profile for whatever it does not say.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use schema::services::profile::ProfileDurability;

use super::instance;
use crate::oauth::token;
use crate::profile::{Chosen, Profile};

/// How long journal segments stay after they are shipped.
const JOURNAL_KEEP: Duration = Duration::from_secs(3600);

/// Stands between AI agents and the tools they call: authenticates, checks, records, forwards.
#[derive(Debug, Parser)]
#[command(
    name = "sp-dataplane",
    version,
    about,
    after_help = "What is not said here, a profile says: --profile, else SP_PROFILE, else the active session where no --data-dir is given.\n\
                  SIGTERM drains and stops; SIGHUP reads --services and the certificate again."
)]
pub struct Args {
    /// The profile to run: a name, or a file
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Shards, each on a core of its own [default: the CPUs present]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub cores: Option<u16>,
    /// Where clients connect; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// Keys, journal, policy and the private Postgres [default: /var/lib/sp for root, else ~/.local/share/sp]
    #[arg(long, value_name = "DIR", env = "SP_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Your own PostgreSQL, 15 or newer [default: a private one in the data directory]
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// MCP servers, grants, limits and rules [default: services]
    #[arg(long, value_name = "DIR")]
    pub services: Option<PathBuf>,
    /// When a decision counts as recorded [default: written]
    #[arg(long, value_enum)]
    pub durability: Option<Durability>,
    /// The URL by which clients reach the gateway: issuer and audience of tokens [default: http(s)://localhost:PORT]
    #[arg(long, value_name = "URL", env = "SP_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// Serve clients with TLS: the certificate and those that issued it, as PEM; read again on SIGHUP
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's private key, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// How long journal segments stay after they are shipped, and how old one gets before another begins, in seconds [default: 3600]
    #[arg(long, value_name = "SECONDS", hide_short_help = true, value_parser = clap::value_parser!(u64).range(1..=86_400 * 30))]
    pub journal_keep: Option<u64>,
    /// How long access tokens live that the authorization server issues, in seconds [default: 3600]
    #[arg(long, value_name = "SECONDS", hide_short_help = true, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub access_token_life: Option<u64>,
    /// Log lines as JSON
    #[arg(long)]
    pub log_json: bool,
}

/// When a decision counts as recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Durability {
    /// Survives the death of the process; synced to the disk every 50 ms
    Written,
    /// Survives the death of the machine; every reply waits for the disk
    Synced,
}

/// What the process runs with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Which profile, and why it is the one; nothing where there is none.
    pub profile: Option<String>,
    /// How many shards; nothing for the CPUs present.
    pub cores: Option<u16>,
    /// Where clients connect.
    pub listen: SocketAddr,
    /// Keys, journal, policy and the private Postgres.
    pub data_dir: PathBuf,
    /// A PostgreSQL that is not ours.
    pub database_url: Option<String>,
    /// The tree.
    pub services: PathBuf,
    /// When a decision counts as recorded.
    pub durability: Durability,
    /// By which URL clients reach the gateway.
    pub public_url: Option<String>,
    /// Certificate and key.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// How long journal segments stay.
    pub journal_keep: Duration,
    /// How long access tokens live.
    pub access_token_life: Duration,
    /// Log lines as JSON.
    pub log_json: bool,
}

impl Options {
    /// What the command line says, else the profile, else what is usual.
    ///
    /// # Errors
    /// The profile cannot be used.
    pub fn of(args: Args) -> anyhow::Result<Options> {
        let flag = args.profile.as_deref();
        // Whoever says where the data lies says which gateway this is.
        let chosen = if args.data_dir.is_some() { Chosen::without_session(flag) } else { Chosen::of(flag) }?;
        let mut options = Options::usual();
        if let Some(profile) = chosen.profile() {
            options.apply(profile, args.database_url.is_none())?;
            options.profile = Some(format!("{} ({})", profile.name, chosen.case));
        }
        Ok(Options {
            profile: options.profile,
            cores: args.cores.or(options.cores),
            listen: args.listen.unwrap_or(options.listen),
            data_dir: args.data_dir.unwrap_or(options.data_dir),
            database_url: args.database_url.or(options.database_url),
            services: args.services.unwrap_or(options.services),
            durability: args.durability.unwrap_or(options.durability),
            public_url: args.public_url.or(options.public_url),
            tls: args.tls_cert.zip(args.tls_key).or(options.tls),
            journal_keep: args.journal_keep.map_or(options.journal_keep, Duration::from_secs),
            access_token_life: args.access_token_life.map_or(options.access_token_life, Duration::from_secs),
            log_json: args.log_json || options.log_json,
        })
    }

    fn usual() -> Options {
        Options {
            profile: None,
            cores: None,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            data_dir: instance::default_data_dir(),
            database_url: None,
            services: PathBuf::from("services"),
            durability: Durability::Written,
            public_url: None,
            tls: None,
            journal_keep: JOURNAL_KEEP,
            access_token_life: token::ACCESS_LIFE,
            log_json: false,
        }
    }

    fn apply(&mut self, profile: &Profile, needs_database: bool) -> anyhow::Result<()> {
        let of = &profile.settings;
        if needs_database {
            self.database_url = profile.database_url()?;
        }
        self.cores = of.cores.map(|cores| cores.value);
        self.listen = of.listen.map_or(self.listen, |listen| listen.value);
        self.data_dir = profile.data_dir().unwrap_or_else(|| self.data_dir.clone());
        self.services = of.services.as_deref().map_or_else(|| self.services.clone(), |dir| profile.path(dir));
        self.durability = match of.durability {
            Some(ProfileDurability::Synced) => Durability::Synced,
            Some(ProfileDurability::Written) | None => Durability::Written,
        };
        self.public_url = of.public_url.as_ref().map(|url| url.value.clone());
        self.tls = of.tls.as_ref().map(|tls| (profile.path(&tls.cert), profile.path(&tls.key)));
        self.journal_keep = of.journal_keep.map_or(self.journal_keep, |keep| keep.value.0);
        self.access_token_life = of.access_token_life.map_or(self.access_token_life, |life| life.value.0);
        self.log_json = of.log_json.unwrap_or(false);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_beats_the_profile_and_the_profile_what_is_usual() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("here.yaml");
        let text = "listen: 127.0.0.1:9000\ncores: 3\ndata_dir: data\nservices: tree\ndurability: synced\n\
                    tls: { cert: c.pem, key: k.pem }\njournal_keep: 2h\ndatabase_url: postgres://db/sp\n";
        std::fs::write(&file, text).unwrap();
        let of = |more: &[&str]| {
            let args = [&["sp-dataplane", "--profile", file.to_str().unwrap()], more].concat();
            Options::of(Args::try_parse_from(args).unwrap()).unwrap()
        };
        let folder = file.canonicalize().unwrap().parent().unwrap().to_path_buf();
        let options = of(&[]);
        assert_eq!((options.cores, options.listen.port(), options.durability), (Some(3), 9000, Durability::Synced));
        assert_eq!((options.data_dir, options.services), (folder.join("data"), folder.join("tree")));
        assert_eq!(options.tls, Some((folder.join("c.pem"), folder.join("k.pem"))));
        assert!(options.profile.is_some_and(|profile| profile.ends_with("here.yaml (--profile)")));
        let options = of(&["--cores", "1", "--listen", "127.0.0.1:0", "--data-dir", "d", "--durability", "written"]);
        assert_eq!((options.cores, options.listen.port(), options.durability), (Some(1), 0, Durability::Written));
        assert_eq!((options.data_dir, options.journal_keep), (PathBuf::from("d"), Duration::from_secs(7200)));
    }
}
