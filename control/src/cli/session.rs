//! `sp admin session`: log-ins at gateways as they are kept on this machine, and which gateway commands mean. A log-in is bound
//! to its profile, its gateway and the issuer there. Its tokens are in the keyring where there is one, else in its file.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail, ensure};
use clap::{Arg, ArgAction, ArgMatches, Command};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::target::Target;
use super::{Exit, fail, keyring, local, table};
use crate::app::instance::{self, Instance};
use crate::disk;
use crate::profile::{self, Chosen, Named, Profile, What};

/// What the gateway of this machine is called.
const LOCAL: &str = "local";

/// What is kept of a log-in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Session {
    /// The profile it belongs to; empty for none.
    pub profile: String,
    /// The gateway it is for, and for no other.
    pub url: String,
    /// What that gateway calls itself.
    pub issuer: String,
    /// What it calls this program.
    pub client_id: String,
    /// Who is logged in.
    pub user: String,
    /// When the access token ends, in seconds since 1970.
    pub expires_at: u64,
    /// Its tokens; nothing where they are in the keyring.
    tokens: Option<Tokens>,
}

/// What a log-in gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// For calls.
    pub access_token: String,
    /// For the next access token.
    pub refresh_token: Option<String>,
}

/// Held while a log-in is renewed: a refresh token that two programs show ends the log-in (OAuth 2.1 section 4.3.1).
pub struct Renewing {
    _file: File,
}

/// Seconds since 1970.
pub fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn folder() -> anyhow::Result<PathBuf> {
    Ok(profile::home()?.join("sessions"))
}

/// What the log-in of this profile at this gateway is kept as.
fn key(profile: &str, url: &str) -> String {
    let hash = blake3::hash(format!("{profile}\n{url}").as_bytes()).to_hex();
    hash.get(..16).unwrap_or_default().to_owned()
}

fn place(profile: &str, url: &str) -> anyhow::Result<PathBuf> {
    Ok(folder()?.join(format!("{}.json", key(profile, url))))
}

impl Session {
    /// One that is kept nowhere yet.
    pub fn new(target: (&str, &str), issuer: &str, client_id: &str, user: &str, expires_at: u64) -> Session {
        let text = str::to_owned;
        let (profile, url) = (text(target.0), text(target.1));
        Session { profile, url, issuer: text(issuer), client_id: text(client_id), user: text(user), expires_at, tokens: None }
    }

    /// The log-in of this profile at this gateway.
    ///
    /// # Errors
    /// Its file cannot be read, or is open to others.
    pub fn read(profile: &str, url: &str) -> anyhow::Result<Option<Session>> {
        let session = open(&place(profile, url)?)?;
        Ok(session.filter(|session| session.profile == profile && session.url == url))
    }

    /// Its tokens.
    ///
    /// # Errors
    /// The keyring does not give them.
    pub async fn tokens(&self) -> anyhow::Result<Tokens> {
        match &self.tokens {
            Some(tokens) => Ok(tokens.clone()),
            None => {
                let text = keyring::get(&key(&self.profile, &self.url)).await?;
                serde_json::from_str(&text).context("what the keyring holds are no tokens; log in again")
            }
        }
    }

    /// Keeps it, whole or not at all, and never readable by others, not even for a moment.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn keep(&mut self, tokens: Tokens) -> anyhow::Result<()> {
        let path = place(&self.profile, &self.url)?;
        let dir = folder()?;
        disk::private_folder(&dir).with_context(|| format!("`{}` cannot be made", dir.display()))?;
        let text = serde_json::to_string(&tokens)?;
        let label = format!("sp: {} at {}", self.user, self.url);
        self.tokens = match keyring::is_there() && keyring::put(&key(&self.profile, &self.url), &label, &text).await.is_ok() {
            true => None,
            false => Some(tokens),
        };
        disk::replace(&path, &serde_json::to_vec(self)?).with_context(|| format!("`{}` cannot be written", path.display()))
    }

    /// Forgets it, and that commands mean it.
    ///
    /// # Errors
    /// The file or the keyring refuses.
    pub async fn forget(&self) -> anyhow::Result<()> {
        disk::remove(&place(&self.profile, &self.url)?)?;
        if profile::active()?.is_some_and(|active| active == self.named()) {
            profile::activate(None)?;
        }
        if self.tokens.is_none() { keyring::forget(&key(&self.profile, &self.url)).await } else { Ok(()) }
    }

    /// Waits until nobody else renews it.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn renewing(&self) -> anyhow::Result<Renewing> {
        let path = place(&self.profile, &self.url)?.with_extension("lock");
        let file = File::options().write(true).create(true).truncate(false).open(&path);
        let file = file.with_context(|| format!("`{}` cannot be made", path.display()))?;
        file.lock()?;
        Ok(Renewing { _file: file })
    }

    /// How it is switched to.
    pub fn named(&self) -> Named {
        match self.profile.as_str() {
            "" => Named::Gateway(self.url.clone()),
            profile => Named::Profile(profile.to_owned()),
        }
    }

    fn kept_in(&self) -> &'static str {
        if self.tokens.is_some() { "file" } else { "keyring" }
    }
}

fn open(path: &Path) -> anyhow::Result<Option<Session>> {
    use std::os::unix::fs::MetadataExt as _;
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("`{}` cannot be read", path.display())),
    };
    let mode = path.metadata()?.mode() & 0o777;
    ensure!(mode & 0o077 == 0, "`{}` is open to others (mode {mode:03o}); run `chmod 600 {}`", path.display(), path.display());
    Ok(Some(serde_json::from_slice(&text).with_context(|| format!("`{}` is damaged; log in again", path.display()))?))
}

/// Every log-in that is kept here.
fn all() -> anyhow::Result<Vec<Session>> {
    let entries = match std::fs::read_dir(folder()?) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut sessions = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            sessions.extend(open(&path)?);
        }
    }
    sessions.sort_by(|a, b| (&a.profile, &a.url).cmp(&(&b.profile, &b.url)));
    Ok(sessions)
}

/// `sp admin session …`.
pub fn commands() -> [Command; 4] {
    let switch = Command::new("switch")
        .about("Choose the gateway that commands mean from now on")
        .arg(
            Arg::new("to")
                .value_name("PROFILE|URL")
                .required_unless_present("local")
                .help("A profile, or a gateway you logged in to"),
        )
        .arg(Arg::new("local").long("local").action(ArgAction::SetTrue).conflicts_with("to").help("The gateway of this machine"))
        .after_help("Example:\n  sp admin session switch prod");
    [
        Command::new("list").about("List gateways: profiles, log-ins, and the one of this machine"),
        switch,
        Command::new("show").about("Show which gateway commands mean, why, and who you are there"),
        local::token_command(),
    ]
}

/// Carries out `sp admin session list`, `switch` and `show`.
pub fn run(what: &str, matches: &ArgMatches) -> Exit {
    let done = match what {
        "list" => list(),
        "switch" => switch(matches.get_one::<String>("to").map(String::as_str)),
        _ => show(matches),
    };
    let value = match done {
        Ok(value) => value,
        Err(error) => return fail(Exit::Failure, format!("{error:#}")),
    };
    let mut out = std::io::stdout().lock();
    super::finished(match (matches.get_flag("json"), value["sessions"].as_array()) {
        (true, _) => writeln!(out, "{value}"),
        (false, Some(rows)) => {
            write!(out, "{}", table::of(&["active", "name", "gateway", "user", "expires_at", "kept_in"], rows))
        }
        (false, None) => table::record(&value, &mut out),
    })
}

fn list() -> anyhow::Result<Value> {
    let active = profile::active()?;
    let sessions = all()?;
    let mark = |named: Option<&Named>| if named == active.as_ref() { "*" } else { "" };
    let here = Instance::read(&instance::default_data_dir()).ok();
    let mut rows = vec![json!({ "active": mark(None), "name": LOCAL, "gateway": here.map(|here| here.url) })];
    for name in profile::profiles()? {
        let named = Named::Profile(name.clone());
        if sessions.iter().any(|session| session.named() == named) {
            continue;
        }
        // A broken profile is listed too: `switch` and `show` say what is wrong with it.
        let gateway = Profile::read(&name).ok().and_then(|profile| profile.gateway().map(str::to_owned));
        rows.push(json!({ "active": mark(Some(&named)), "name": name, "gateway": gateway }));
    }
    rows.extend(sessions.iter().map(|session| {
        let named = session.named();
        let name = match &named {
            Named::Profile(name) | Named::Gateway(name) => name.clone(),
        };
        json!({
            "active": mark(Some(&named)), "name": name, "gateway": session.url, "issuer": session.issuer, "user": session.user,
            "expires_at": moment(session.expires_at), "kept_in": session.kept_in(),
        })
    }));
    Ok(json!({ "sessions": rows }))
}

fn moment(second: u64) -> Option<String> {
    let second = i64::try_from(second).ok()?;
    jiff::Timestamp::from_second(second).ok().map(|at| at.to_string())
}

fn switch(to: Option<&str>) -> anyhow::Result<Value> {
    let named = match to.map(|to| to.trim_end_matches('/')) {
        None => None,
        Some(url) if url.starts_with("http://") || url.starts_with("https://") => {
            let Some(session) = Session::read("", url)? else {
                bail!("nobody is logged in at {url}; run `sp cloud auth login --url {url}`")
            };
            Some(session.named())
        }
        Some(name) => Some(Named::Profile(Profile::read(name)?.name)),
    };
    profile::activate(named.as_ref())?;
    let what = named.map(|named| match named {
        Named::Profile(name) | Named::Gateway(name) => name,
    });
    Ok(json!({ "active": what.as_deref().unwrap_or(LOCAL) }))
}

fn show(matches: &ArgMatches) -> anyhow::Result<Value> {
    let target = Target::of(matches)?;
    let Chosen { case, what } = &target.chosen;
    let address = target.address().ok();
    let url = address.as_ref().map(|address| address.url.clone());
    let session = match &target.url {
        Some(url) => Session::read(target.profile(), url)?,
        None => None,
    };
    let mut shown = json!({
        "case": case,
        "because": case.to_string(),
        "name": match what {
            What::Profile(profile) => profile.name.as_str(),
            What::Gateway(url) => url,
            What::Local => LOCAL,
        },
        "profile": target.chosen.profile().map(|profile| profile.file.display().to_string()),
        "gateway": url,
        "data_dir": target.data_dir.display().to_string(),
    });
    let who = if matches.get_one::<String>("token").is_some() {
        json!({ "credential": "--token or SP_TOKEN" })
    } else if target.chosen.profile().is_some_and(|profile| profile.settings.token.is_some()) {
        json!({ "credential": "the token of the profile" })
    } else if let Some(session) = session.filter(|_| address.as_ref().is_some_and(|address| !address.is_ours)) {
        json!({
            "credential": "log-in", "user": session.user, "issuer": session.issuer, "kept_in": session.kept_in(),
            "expires_at": moment(session.expires_at), "expires_in_s": session.expires_at.saturating_sub(now_s()),
        })
    } else if address.is_some_and(|address| address.is_ours) {
        json!({
            "credential": "made for each command with the key in the data directory", "user": local::operator(),
            "issuer": Instance::read(&target.data_dir).ok().map(|here| here.issuer),
            "expires_in_s": local::OWN_TOKEN_LIFE.as_secs(),
        })
    } else {
        json!({ "credential": "none: run `sp cloud auth login`" })
    };
    if let (Value::Object(shown), Value::Object(who)) = (&mut shown, who) {
        shown.extend(who);
    }
    Ok(shown)
}
