//! The blocks that only the data plane understands, and the last word on a snapshot: what the shards need is compiled
//! from it here, and what that refuses is told where the operator wrote it.

use std::path::{Path, PathBuf};

use dataplane::chain::blocklist::{BlocklistConfig, BlocklistConfigError};
use dataplane::chain::secrets::gitleaks::rules_from_toml;
use dataplane::chain::secrets::{Rule, SecretsConfig, SecretsConfigError};
use dataplane::policy::{NodeKeys, Policy, PolicyError};
use dataplane::upstream::Reach;
use schema::services::words::Size;
use schema::services::{At, Problem, Raw, Services, results};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wire::snapshot::SnapshotBytes;

/// The secret layer's block as JSON; empty where there is none.
pub(super) fn secrets(services: &Services, problems: &mut Vec<Problem>) -> String {
    let Some(block) = services.secrets.as_ref() else { return String::new() };
    as_json::<SecretsConfig>(Some(block), problems, |config, problems| {
        for path in std::mem::take(&mut config.gitleaks) {
            match gitleaks(block, &path) {
                Ok(rules) => config.rules.extend(rules),
                Err(message) => problems.push(near(block, &[&path], &message)),
            }
        }
    })
}

/// The rules of a gitleaks file that stands beside the file of the block.
fn gitleaks(block: &Raw, path: &str) -> Result<Vec<Rule>, String> {
    let file = block.place.file.parent().unwrap_or(Path::new("")).join(path);
    let told = |error: &dyn std::fmt::Display| format!("`{}`: {error}", file.display());
    let bytes = std::fs::metadata(&file).map_err(|error| told(&error))?.len();
    if bytes > GITLEAKS_BYTES_MAX {
        return Err(told(&format!("{bytes} bytes are more than the {GITLEAKS_BYTES_MAX} of a gitleaks file; split it")));
    }
    let text = std::fs::read_to_string(&file).map_err(|error| told(&error))?;
    rules_from_toml(&text).map_err(|error| told(&error))
}

/// LIMIT: five times the rules that gitleaks ships.
const GITLEAKS_BYTES_MAX: u64 = 1 << 20;

/// The block list's block as JSON; empty where there is none.
pub(super) fn blocklist(services: &Services, problems: &mut Vec<Problem>) -> String {
    as_json::<BlocklistConfig>(services.blocklist.as_ref(), problems, |_, _| {})
}

/// The obligations on results; the usual ones where nothing is declared.
pub(super) fn results(services: &Services) -> wire::results::Results {
    use wire::results::Class as C;
    let Some(results) = services.results.as_ref().map(|declared| &declared.what) else { return Default::default() };
    let pii = &results.pii;
    let declared = [
        (C::Secrets, results.secrets),
        (C::Injection, results.injection),
        (C::Descriptions, results.descriptions),
        (C::Email, pii.email),
        (C::Phone, pii.phone),
        (C::Card, pii.card),
        (C::Iban, pii.iban),
        (C::NationalId, pii.national_id),
    ];
    let size = |size: &Option<At<Size>>| size.as_ref().map_or(0, |size| size.value.0);
    wire::results::Results {
        duties: declared.into_iter().filter_map(|(class, declared)| Some((class, duty(declared?)))).collect(),
        bytes_max: size(&results.size_max),
        exceptions: results
            .exceptions
            .iter()
            .map(|exception| &exception.value)
            .map(|exception| wire::results::Exception {
                servers: super::texts_or_none(&exception.servers),
                tools: super::texts_or_none(&exception.tools),
                classes: exception.classes.iter().flat_map(|classes| &classes.value).map(|class| self::class(*class)).collect(),
                duty: exception.duty.map(duty).or(exception.size_max.is_none().then_some(wire::results::Duty::Off)),
                bytes_max: size(&exception.size_max),
            })
            .collect(),
    }
}

fn duty(duty: results::Duty) -> wire::results::Duty {
    match duty {
        results::Duty::Off => wire::results::Duty::Off,
        results::Duty::Tag => wire::results::Duty::Tag,
        results::Duty::Redact => wire::results::Duty::Redact,
        results::Duty::Deny => wire::results::Duty::Deny,
    }
}

fn class(class: results::Class) -> wire::results::Class {
    match class {
        results::Class::Secrets => wire::results::Class::Secrets,
        results::Class::Injection => wire::results::Class::Injection,
        results::Class::Descriptions => wire::results::Class::Descriptions,
        results::Class::Email => wire::results::Class::Email,
        results::Class::Phone => wire::results::Class::Phone,
        results::Class::Card => wire::results::Class::Card,
        results::Class::Iban => wire::results::Class::Iban,
        results::Class::NationalId => wire::results::Class::NationalId,
    }
}

fn as_json<T: DeserializeOwned + Serialize>(
    block: Option<&Raw>,
    problems: &mut Vec<Problem>,
    complete: impl FnOnce(&mut T, &mut Vec<Problem>),
) -> String {
    let Some(block) = block else { return String::new() };
    let decoded = block.decode::<T>().map(|mut config| {
        complete(&mut config, problems);
        config
    });
    match decoded {
        Ok(config) => serde_json::to_string(&config).unwrap_or_else(|error| {
            problems.push(block.place.problem(error.to_string()));
            String::new()
        }),
        Err(found) => {
            problems.extend(found);
            String::new()
        }
    }
}

/// Compiles what the shards need; what did not change since `before` is taken from there. Cost: tens of milliseconds
/// where the rules of a layer changed; never on a shard.
///
/// # Errors
/// What the data plane refuses, told where it was declared. The policy that runs goes on.
pub fn make_ready(
    services: &Services,
    bytes: SnapshotBytes,
    node: &NodeKeys,
    reach: &Reach,
    before: Option<&Policy>,
) -> Result<Policy, Vec<Problem>> {
    Policy::compile_after(before, bytes, node, reach).map_err(|error| vec![explain(services, &error)])
}

fn explain(services: &Services, error: &PolicyError) -> Problem {
    let message = chain_of(error);
    let found = match error {
        PolicyError::Grants(error) => {
            let grant = services.grants.iter().find(|declared| declared.what.id.value.as_str() == error.grant);
            grant.map(|grant| grant.place.problem(message.clone()))
        }
        PolicyError::Limits(error) => {
            let limit = services.limits.iter().find(|declared| declared.what.id.value.as_str() == error.limit);
            limit.map(|limit| limit.place.problem(message.clone()))
        }
        PolicyError::Upstream { server, .. } => {
            let server = services.mcp.iter().find(|(name, _)| name.as_str() == server);
            server.map(|(_, server)| server.place.problem(message.clone()))
        }
        PolicyError::Secrets(error) => services.secrets.as_ref().map(|raw| near(raw, &secrets_words(error), &message)),
        PolicyError::Blocklist(error) => services.blocklist.as_ref().map(|raw| near(raw, &blocklist_words(error), &message)),
        PolicyError::Results(_) => services.results.as_ref().map(|results| results.place.problem(message.clone())),
        PolicyError::Snapshot(_) | PolicyError::Key(_) | PolicyError::Config { .. } => None,
    };
    found.unwrap_or_else(|| Problem { file: PathBuf::new(), line: 0, column: 0, message })
}

/// An error and its sources, each after a colon.
fn chain_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let next = error.to_string();
        if !text.ends_with(&next) {
            text = format!("{text}: {next}");
        }
        source = error.source();
    }
    text
}

/// The most telling word that stands in the block, or the block itself.
fn near(raw: &Raw, words: &[&str], message: &str) -> Problem {
    let word = words.iter().find(|word| !word.is_empty() && raw.what.find(word).is_some());
    raw.problem_near(word.copied().unwrap_or_default(), message)
}

fn secrets_words(error: &SecretsConfigError) -> Vec<&str> {
    match error {
        SecretsConfigError::Pattern { rule, pattern, .. } => vec![pattern, rule],
        SecretsConfigError::Keyword { rule, keyword } => vec![keyword, rule],
        SecretsConfigError::Fingerprint { rule, fingerprint } => vec![fingerprint, rule],
        SecretsConfigError::Pointer { pointer, place } => vec![pointer, place],
        SecretsConfigError::UnknownRule { rule, .. }
        | SecretsConfigError::Twice { rule }
        | SecretsConfigError::Group { rule, .. } => vec![rule],
        _ => Vec::new(),
    }
}

fn blocklist_words(error: &BlocklistConfigError) -> Vec<&str> {
    match error {
        BlocklistConfigError::UnknownPack { pack, .. } => vec![pack],
        BlocklistConfigError::UnknownBuiltin { rule }
        | BlocklistConfigError::Duplicate { rule }
        | BlocklistConfigError::Rule { rule, .. } => vec![rule],
        BlocklistConfigError::Glob { rule, glob, .. } => vec![glob, rule],
        BlocklistConfigError::Regex { rule, pattern, .. } => vec![pattern, rule],
        BlocklistConfigError::Detector { rule, detector, .. } => vec![detector, rule],
        BlocklistConfigError::Owasp { rule, owasp } => vec![owasp, rule],
        BlocklistConfigError::Cidr { cidr } => vec![cidr],
        BlocklistConfigError::EmptyUser => vec!["users"],
    }
}
