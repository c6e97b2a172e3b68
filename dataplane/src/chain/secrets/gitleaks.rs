//! Reads a gitleaks configuration as it is, so that teams keep the rules they already have.
//!
//! *Lives on* the control plane. Understood: `[[rules]]` with `id`, `description`, `regex`, `secretGroup`,
//! `entropy`, `keywords`, `[[rules.allowlists]]`/`[rules.allowlist]` with `regexes`, `regexTarget` and
//! `stopwords`. What speaks of files and commits (`path`, `paths`, `commits`) has no counterpart in a tool call:
//! rules without a `regex` are left out, other such conditions are ignored.
//! Source: <https://github.com/gitleaks/gitleaks#configuration>

use serde::Deserialize;

use super::config::{Allow, AllowTarget, Rule, SecretsConfigError};

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    rules: Vec<FileRule>,
    #[serde(default)]
    allowlist: Option<FileAllow>,
    #[serde(default)]
    allowlists: Vec<FileAllow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FileRule {
    #[serde(default)]
    id: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    regex: String,
    #[serde(default)]
    secret_group: usize,
    #[serde(default)]
    entropy: f32,
    #[serde(default)]
    keywords: Vec<String>,
    #[serde(default)]
    allowlist: Option<FileAllow>,
    #[serde(default)]
    allowlists: Vec<FileAllow>,
}

#[derive(Deserialize, Clone)]
#[serde(rename_all = "camelCase")]
struct FileAllow {
    #[serde(default)]
    condition: String,
    #[serde(default)]
    regex_target: String,
    #[serde(default)]
    regexes: Vec<String>,
    #[serde(default)]
    stopwords: Vec<String>,
    #[serde(default)]
    paths: Vec<String>,
    #[serde(default)]
    commits: Vec<String>,
    #[serde(default)]
    target_rules: Vec<String>,
}

impl FileAllow {
    fn allow(&self) -> Option<Allow> {
        // With `AND`, a condition on files that cannot hold here makes the whole list never apply.
        let file_bound = !self.paths.is_empty() || !self.commits.is_empty();
        if self.condition.eq_ignore_ascii_case("and") && file_bound {
            return None;
        }
        Some(Allow {
            values: self.regexes.iter().map(|r| from_go(r)).collect(),
            target: match self.regex_target.as_str() {
                "match" => AllowTarget::Match,
                "line" => AllowTarget::Line,
                _ => AllowTarget::Secret,
            },
            stop_words: self.stopwords.clone(),
            ..Allow::default()
        })
    }
}

/// The rules of a gitleaks TOML file, its global allow-lists added to each rule they are for.
///
/// # Errors
/// [`SecretsConfigError::Gitleaks`] with the parser's line and column.
pub fn rules_from_toml(text: &str) -> Result<Vec<Rule>, SecretsConfigError> {
    let file: File = toml::from_str(text).map_err(|error| SecretsConfigError::Gitleaks { reason: error.to_string() })?;
    let global: Vec<&FileAllow> = file.allowlist.iter().chain(&file.allowlists).collect();
    Ok(file
        .rules
        .iter()
        .filter(|rule| !rule.regex.is_empty())
        .map(|rule| Rule {
            // The file's ids are its own business: many are those of the built-in pack.
            id: format!("gitleaks/{}", rule.id),
            description: rule.description.clone(),
            regex: from_go(&rule.regex),
            keywords: filterable(&rule.keywords),
            entropy: rule.entropy,
            secret_group: rule.secret_group,
            allow: rule
                .allowlist
                .iter()
                .chain(&rule.allowlists)
                .chain(global.iter().copied().filter(|g| g.target_rules.is_empty() || g.target_rules.contains(&rule.id)))
                .filter_map(FileAllow::allow)
                .collect(),
        })
        .collect())
}

/// The keywords, or none when one of them is too short to be looked for: then the rule runs over every string.
fn filterable(keywords: &[String]) -> Vec<String> {
    if keywords.iter().all(|word| (3..=127).contains(&word.len())) { keywords.to_vec() } else { Vec::new() }
}

/// Rewrites the few spellings that Go's RE2 takes and Rust's regex does not.
fn from_go(pattern: &str) -> String {
    let bytes: Vec<char> = pattern.chars().collect();
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut at = 0;
    let mut class = false;
    while at < bytes.len() {
        let here = bytes[at];
        let next = bytes.get(at + 1).copied();
        match (here, next) {
            ('\\', Some('Q')) => {
                at += 2;
                while at < bytes.len() && !(bytes[at] == '\\' && bytes.get(at + 1) == Some(&'E')) {
                    if !bytes[at].is_alphanumeric() {
                        out.push('\\');
                    }
                    out.push(bytes[at]);
                    at += 1;
                }
                at += 2;
                continue;
            }
            ('\\', Some(escaped)) => {
                // Letters that mean something keep their back-slash; needless ones before others go.
                let keeps = escaped.is_ascii_punctuation() || "dDwWsSbBAzpPnrtfvaxu0123456789".contains(escaped);
                if keeps && escaped != '_' && escaped != '"' && escaped != '\'' && escaped != '`' {
                    out.push('\\');
                }
                out.push(escaped);
                at += 2;
                continue;
            }
            ('[', Some(':')) if class => {
                let end = bytes[at..].iter().position(|c| *c == ']').map_or(bytes.len(), |e| at + e + 1);
                out.extend(&bytes[at..end]);
                at = end;
                continue;
            }
            ('[', _) if class => out.push_str("\\["),
            ('[', _) => {
                class = true;
                out.push('[');
                if next == Some('^') {
                    out.push('^');
                    at += 1;
                }
                // A bracket that comes first in a class is a literal.
                if bytes.get(at + 1) == Some(&']') {
                    out.push_str("\\]");
                    at += 1;
                }
            }
            (']', _) if class => {
                class = false;
                out.push(']');
            }
            ('&', Some('&')) | ('~', Some('~')) | ('-', Some('-')) if class => {
                out.push('\\');
                out.push(here);
            }
            ('{', _) if !class && !is_repetition(&bytes[at..]) => out.push_str("\\{"),
            _ => out.push(here),
        }
        at += 1;
    }
    out
}

fn is_repetition(rest: &[char]) -> bool {
    let inner: Vec<char> = rest.iter().skip(1).take_while(|c| **c != '}').copied().collect();
    rest.contains(&'}')
        && inner.first().is_some_and(char::is_ascii_digit)
        && inner.iter().all(|c| c.is_ascii_digit() || *c == ',')
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn reads_a_file_as_it_is() {
        let rules = rules_from_toml(
            r#"
title = "mine"
[extend]
useDefault = true
[allowlist]
paths = ['''\.lock$''']
regexes = ['''EXAMPLE$''']
[[rules]]
id = "acme"
description = "Acme key"
regex = '''(?i)acme[\w.-]{0,20}=\s?["']?([a-f0-9]{32})'''
secretGroup = 1
entropy = 3.5
keywords = ["acme"]
tags = ["key"]
[[rules.allowlists]]
regexTarget = "line"
regexes = ["harmless"]
stopwords = ["dummy"]
[[rules]]
id = "file-only"
path = '''\.p12$'''
"#,
        )
        .unwrap();
        assert_eq!(rules.len(), 1);
        assert_eq!((rules[0].id.as_str(), rules[0].secret_group, rules[0].entropy), ("gitleaks/acme", 1, 3.5));
        assert_eq!(rules[0].allow.len(), 2);
        assert_eq!(rules[0].allow[0].target, AllowTarget::Line);
    }

    #[test]
    fn translates_go_syntax() {
        for (go, rust) in [
            (r"a{b}", r"a\{b}"),
            (r"a{2,3}", r"a{2,3}"),
            (r"[[a-z]", r"[\[a-z]"),
            (r"[[:alnum:]_]", r"[[:alnum:]_]"),
            (r"\Qa.b\E+", r"a\.b+"),
            (r"[&&]", r"[\&&]"),
            (r#"\"x\_"#, r#""x_"#),
        ] {
            assert_eq!(from_go(go), rust);
        }
    }

    #[test]
    fn says_where_a_file_is_wrong() {
        let error = rules_from_toml("[[rules]\nid = 1").unwrap_err().to_string();
        assert!(error.contains("line 1"), "{error}");
    }
}
