//! The blocks that only the data plane understands, and the last word on a snapshot: what the shards need is compiled
//! from it here, and what that refuses is told where the operator wrote it.

use std::path::PathBuf;

use dataplane::chain::blocklist::{BlocklistConfig, BlocklistConfigError};
use dataplane::chain::secrets::{SecretsConfig, SecretsConfigError};
use dataplane::policy::{NodeKeys, Policy, PolicyError};
use dataplane::upstream::Reach;
use schema::services::{Problem, Raw, Services};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wire::snapshot::SnapshotBytes;

/// The secret layer's block as JSON; empty where there is none.
pub(super) fn secrets(services: &Services, problems: &mut Vec<Problem>) -> String {
    as_json::<SecretsConfig>(services.secrets.as_ref(), problems)
}

/// The block list's block as JSON; empty where there is none.
pub(super) fn blocklist(services: &Services, problems: &mut Vec<Problem>) -> String {
    as_json::<BlocklistConfig>(services.blocklist.as_ref(), problems)
}

fn as_json<T: DeserializeOwned + Serialize>(block: Option<&Raw>, problems: &mut Vec<Problem>) -> String {
    let Some(block) = block else { return String::new() };
    match block.decode::<T>() {
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

/// Compiles what the shards need. Cost: tens of milliseconds; never on a shard.
///
/// # Errors
/// What the data plane refuses, told where it was declared. The policy that runs goes on.
pub fn make_ready(services: &Services, bytes: SnapshotBytes, node: &NodeKeys, reach: &Reach) -> Result<Policy, Vec<Problem>> {
    Policy::compile(bytes, node, reach).map_err(|error| vec![explain(services, &error)])
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
