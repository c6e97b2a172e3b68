//! Profiles: one file for each gateway that somebody operates or commands. It says where the gateway is, what is shown to it, and
//! what it runs with. Secrets do not stand in it: they are read from the environment when they are needed.

use std::net::SocketAddr;
use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use super::decode::{self, At};
use super::node::{Mark, Node};
use super::words::{Period, Reference, Setting, Template};
use super::{Place, Problem};

/// LIMIT: shards of one process.
const CORES_MAX: u16 = 256;

/// LIMIT: how long segments of the journal stay, in seconds.
const JOURNAL_KEEP_S_MAX: u64 = 30 * 86_400;

/// LIMIT: how long an access token lives, in seconds; keys that signed one verify for an hour more.
const TOKEN_LIFE_S_MAX: u64 = 86_400;

/// A gateway: where it is, what is shown to it, and what it runs with. Paths count from the folder of this file.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Profile")]
pub struct ProfileFile {
    /// What it is for, in a sentence.
    #[serde(default)]
    pub description: Option<String>,
    /// Where commands go: `https://gateway.example`. Left out: to the gateway that runs from the data directory.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "uri"))]
    pub gateway: Option<At<String>>,
    /// The access token or API key of commands: `env:NAME`. Left out: that of the log-in, or one made with the key in the data
    /// directory.
    #[serde(default)]
    pub token: Option<Reference>,
    /// Keys, journal, policy and the private Postgres.
    #[serde(default)]
    pub data_dir: Option<String>,
    /// A PostgreSQL of your own: `env:NAME`, or a URL in which `${NAME}` stands for the password. Left out: a private one.
    #[serde(default)]
    #[schemars(with = "Option<Setting>")]
    pub database_url: Option<At<Setting>>,
    /// MCP servers, grants, limits and rules. Default: `services` where the process is started.
    #[serde(default)]
    pub services: Option<String>,
    /// Where clients connect. Default: `127.0.0.1:8080`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub listen: Option<At<SocketAddr>>,
    /// The URL by which clients reach the gateway: issuer and audience of tokens. Default: `http(s)://localhost:PORT`.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "uri"))]
    pub public_url: Option<At<String>>,
    /// Shards, each on a core of its own. Default: the CPUs present.
    #[serde(default)]
    #[schemars(range(min = 1, max = 256))]
    pub cores: Option<At<u16>>,
    /// When a decision counts as recorded. Default: `written`.
    #[serde(default)]
    pub durability: Option<ProfileDurability>,
    /// Clients are served with TLS. Left out: without.
    #[serde(default)]
    pub tls: Option<ProfileTls>,
    /// How long journal segments stay after they are shipped. Default: 1h.
    #[serde(default)]
    pub journal_keep: Option<At<Period>>,
    /// How long access tokens live that the authorization server issues. Default: 1h.
    #[serde(default)]
    pub access_token_life: Option<At<Period>>,
    /// Log lines are JSON. Default: false.
    #[serde(default)]
    pub log_json: Option<bool>,
}

/// When a decision counts as recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProfileDurability {
    /// Survives the death of the process; synced to the disk every 50 ms.
    Written,
    /// Survives the death of the machine; every reply waits for the disk.
    Synced,
}

/// What clients are shown.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileTls {
    /// The certificate and those that issued it, as PEM.
    pub cert: String,
    /// Its private key, as PEM.
    pub key: String,
}

/// Reads a profile.
///
/// # Errors
/// Every fault, with its line.
pub fn parse(file: &Path, text: &str) -> Result<ProfileFile, Vec<Problem>> {
    let place = Place { file: file.into(), mark: Mark::default() };
    let node = Node::parse(text).map_err(|fault| vec![place.problem_at(fault.mark, fault.message)])?;
    let profile: ProfileFile = decode::decode(&node)
        .map_err(|faults| faults.into_iter().map(|fault| place.problem_at(fault.mark, fault.message)).collect::<Vec<_>>())?;
    let mut problems = Vec::new();
    for url in [&profile.gateway, &profile.public_url].into_iter().flatten() {
        if !is_base(&url.value) {
            problems.push(place.problem_at(url.mark(), format!("`{}` must be like https://gateway.example", url.value)));
        }
    }
    if let Some(cores) = profile.cores.filter(|cores| !(1..=CORES_MAX).contains(&cores.value)) {
        problems.push(place.problem_at(cores.mark(), format!("1 to {CORES_MAX} cores are possible")));
    }
    if let Some(keep) = profile.journal_keep.filter(|keep| !(1..=JOURNAL_KEEP_S_MAX).contains(&keep.value.0.as_secs())) {
        problems.push(place.problem_at(keep.mark(), "from 1s to 30d are possible"));
    }
    if let Some(life) = profile.access_token_life.filter(|life| !(1..=TOKEN_LIFE_S_MAX).contains(&life.value.0.as_secs())) {
        problems.push(place.problem_at(life.mark(), "from 1s to 1d are possible"));
    }
    if let Some(At { value: Setting::Text(url), line, column }) = &profile.database_url
        && holds_password(url)
    {
        let mark = Mark { line: *line, column: *column };
        problems
            .push(place.problem_at(mark, "a password stands here; write `${NAME}` in its place, or `env:NAME` for all of it"));
    }
    if problems.is_empty() { Ok(profile) } else { Err(problems) }
}

/// Whether it is the address of a gateway: http or https, without credentials and whatever follows a path.
fn is_base(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| {
        let has_more =
            url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some();
        matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.is_empty()) && !has_more
    })
}

/// Whether a connection string holds a password that does not come from the environment as a whole.
fn holds_password(url: &Template) -> bool {
    // What comes from the environment is this character and nothing else.
    let filled = url.fill(|_| Some("\u{1}".to_owned())).unwrap_or_default();
    let of_user = filled.split_once("://").and_then(|(_, rest)| rest.split('/').next()?.rsplit_once('@'));
    let of_user = of_user.and_then(|(user, _)| user.split_once(':')).map(|(_, password)| password);
    let named = filled.split_once("password=").map(|(_, rest)| rest.split(['&', ' ']).next().unwrap_or_default());
    // `${NAME:-otherwise}` would be one that stands here, too.
    let has_otherwise = of_user.or(named).is_some() && url.fill(|_| None).is_ok_and(|text| text != filled);
    has_otherwise || of_user.into_iter().chain(named).any(|password| password != "\u{1}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn messages(text: &str) -> Vec<String> {
        parse(Path::new("p.yaml"), text).err().unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_profile_is_read() {
        let text = "gateway: https://gate.example\ntoken: env:TOKEN\ndata_dir: data\ndatabase_url: postgres://sp:${PW}@db/sp\n\
                    services: ../services\nlisten: 127.0.0.1:9000\npublic_url: http://localhost:9000\ncores: 8\ndurability: synced\n\
                    tls: { cert: c.pem, key: k.pem }\njournal_keep: 2h\nlog_json: true\n";
        let profile = parse(Path::new("p.yaml"), text).unwrap();
        assert_eq!(profile.listen.unwrap().value.port(), 9000);
        assert_eq!(profile.durability, Some(ProfileDurability::Synced));
        assert!(parse(Path::new("p.yaml"), "{}").is_ok());
    }

    #[test]
    fn faults_have_lines_and_secrets_do_not_stand_there() {
        for (text, line, mentions) in [
            ("description: x\ngatway: http://a\n", 2, "`gatway` is not known here"),
            ("gateway: gate.example\n", 1, "must be like"),
            ("gateway: https://gate.example/?a=b\n", 1, "must be like"),
            ("\ncores: 0\n", 2, "1 to 256"),
            ("cores: many\n", 1, "expected"),
            ("listen: localhost\n", 1, "socket address"),
            ("durability: maybe\n", 1, "written"),
            ("journal_keep: 31d\n", 1, "30d"),
            ("token: spk_0123456789abcdef_0\n", 1, "env:NAME"),
            ("tls: { cert: c.pem }\n", 1, "`key` is missing"),
            ("database_url: postgres://sp:hunter2@db/sp\n", 1, "password"),
            ("database_url: postgres://sp:${PW:-hunter2}@db/sp\n", 1, "password"),
            ("database_url: postgres://db/sp?user=a&password=hunter2\n", 1, "password"),
            ("database_url: host=db password=hunter2\n", 1, "password"),
        ] {
            let found = messages(text);
            let place = format!("p.yaml:{line}:");
            assert!(found.iter().any(|found| found.starts_with(&place) && found.contains(mentions)), "{text}: {found:?}");
            assert!(!found.concat().contains("hunter2"), "{found:?}");
        }
        for good in ["env:DATABASE_URL", "postgres://sp:${PW}@db/sp", "postgres:///sp?host=/run/postgresql", "host=db user=sp"] {
            assert_eq!(messages(&format!("database_url: {good}\n")), Vec::<String>::new(), "{good}");
        }
    }
}
