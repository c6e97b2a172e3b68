//! Which gateway a command line means, and what is shown to it.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::ArgMatches;

use crate::app::instance::{self, Instance};
use crate::profile::{Chosen, What};

/// The gateway that a command line means.
pub struct Target {
    /// Which one, and why.
    pub chosen: Chosen,
    /// Its URL; nothing for the gateway that runs from the data directory.
    pub url: Option<String>,
    /// The data directory of a gateway on this machine.
    pub data_dir: PathBuf,
}

/// Where a gateway answers.
pub struct Address {
    /// Its URL, without a slash at the end.
    pub url: String,
    /// Whether it is the gateway of the data directory, whose key makes tokens for it.
    pub is_ours: bool,
}

impl Target {
    /// What flags and variables say, else the profile, else what is usual. Where `--url` or `--data-dir` name a gateway, the
    /// active session is not asked.
    ///
    /// # Errors
    /// The profile cannot be used.
    pub fn of(matches: &ArgMatches) -> anyhow::Result<Target> {
        let text = |name: &str| matches.get_one::<String>(name).map(|text| text.trim_end_matches('/').to_owned());
        let (url, data_dir) = (text("url"), matches.get_one::<PathBuf>("data-dir").cloned());
        let flag = matches.get_one::<String>("profile").map(String::as_str);
        let is_named = url.is_some() || data_dir.is_some();
        let chosen = if is_named { Chosen::without_session(flag) } else { Chosen::of(flag) }?;
        let url = url.or_else(|| match &chosen.what {
            What::Profile(profile) => profile.gateway().map(str::to_owned),
            What::Gateway(url) => Some(url.clone()),
            What::Local => None,
        });
        let data_dir = data_dir.or_else(|| chosen.profile()?.data_dir()).unwrap_or_else(instance::default_data_dir);
        Ok(Target { chosen, url, data_dir })
    }

    /// Where it answers.
    ///
    /// # Errors
    /// No URL is known, and no gateway has run from the data directory.
    pub fn address(&self) -> anyhow::Result<Address> {
        let local = Instance::read(&self.data_dir);
        match &self.url {
            Some(url) => {
                let is_ours = local.is_ok_and(|known| is_same_origin(url, &known.url) || is_same_origin(url, &known.issuer));
                Ok(Address { url: url.clone(), is_ours })
            }
            None => Ok(Address { url: local?.url, is_ours: true }),
        }
    }

    /// The URL under which people log in there.
    ///
    /// # Errors
    /// As [`Target::address`].
    pub fn login_url(&self) -> anyhow::Result<String> {
        match &self.url {
            Some(url) => Ok(url.clone()),
            None => Ok(Instance::read(&self.data_dir).context("name the gateway with --url or --profile")?.issuer),
        }
    }

    /// The name of its profile; empty where there is none.
    pub fn profile(&self) -> &str {
        self.chosen.profile().map_or("", |profile| &profile.name)
    }
}

/// Whether two addresses are of the same gateway.
fn is_same_origin(a: &str, b: &str) -> bool {
    match (url::Url::parse(a), url::Url::parse(b)) {
        (Ok(a), Ok(b)) => a.origin().is_tuple() && a.origin() == b.origin(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_is_known_by_its_origin() {
        for (a, b, same) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/", true),
            ("http://localhost:8080", "http://127.0.0.1:8080", false),
            ("http://127.0.0.1:8080@evil.example", "http://127.0.0.1:8080", false),
            ("https://gate.example", "https://gate.example:443", true),
            ("nonsense", "nonsense", false),
        ] {
            assert_eq!(is_same_origin(a, b), same, "{a} {b}");
        }
    }
}
