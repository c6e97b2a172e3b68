//! The rules operators write: compiled globs over the call, and one matcher over an argument.
//!
//! Lives on all shards, immutable; the regex caches live in each shard's scratch.

use memchr::memmem;
use regex_automata::{Input, meta};

use super::builtin::{Builtin, PACKS, Pack};
use super::config::{ArgumentRule, BlocklistConfigError, Exception, Matcher, OperatorRule};
use super::glob::{Glob, Globs, Over};
use super::{BUILTINS, Target};

/// Most operator rules. LIMIT: each is tried in turn on the hot path.
const RULES_MAX: usize = 4096;
/// Largest compiled regex. LIMIT: every shard holds a cache of the same order per rule.
const REGEX_BYTES_MAX: usize = 1 << 20;
/// Lazy-DFA cache of one regex on one shard. LIMIT: rules × shards × this is memory.
const REGEX_CACHE_BYTES_MAX: usize = 256 << 10;

/// The conditions of a rule or an exception on the call itself.
#[derive(Debug, Default)]
pub(super) struct Scope {
    servers: Globs,
    tools: Globs,
    methods: Globs,
}

impl Scope {
    fn matches(&self, target: Target<'_>) -> bool {
        self.tools.matches(target.tool) && self.servers.matches(target.server) && self.methods.matches(target.method)
    }

    fn is_empty(&self) -> bool {
        self.tools.is_empty() && self.servers.is_empty() && self.methods.is_empty()
    }
}

/// One compiled operator rule.
#[derive(Debug)]
pub(super) struct Compiled {
    scope: Scope,
    argument: Option<Argument>,
}

#[derive(Debug)]
struct Argument {
    pointers: Globs,
    keys: Globs,
    matcher: Option<Match>,
}

#[derive(Debug)]
enum Match {
    /// The index of its cache in the shard's scratch.
    Regex(Box<meta::Regex>, usize),
    Contains(Box<memmem::Finder<'static>>),
    Glob(Glob),
    Detector(Detector),
}

/// A builtin detector that an operator aimed at an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detector {
    Pack(Pack),
    Rule(Builtin, Pack),
}

/// What a matcher needs from its caller: the detectors, which live above this module.
pub(super) trait Detect {
    /// Whether the detector finds something in `text`.
    fn detect(&mut self, detector: Detector, text: &str) -> bool;
}

impl Compiled {
    /// Checks and compiles the rules; `regexes` collects what each shard needs a cache for.
    pub(super) fn compile_all(rules: &[OperatorRule], regexes: &mut Vec<meta::Regex>) -> Result<Vec<Self>, BlocklistConfigError> {
        if rules.len() > RULES_MAX {
            return Err(BlocklistConfigError::Rule {
                rule: "*".to_owned(),
                expected: format!("there are {} rules, expected at most {RULES_MAX}", rules.len()),
            });
        }
        let mut seen = hashbrown::HashSet::with_capacity(rules.len());
        let mut compiled = Vec::with_capacity(rules.len());
        for (index, rule) in rules.iter().enumerate() {
            let fail = |expected: &str| BlocklistConfigError::Rule {
                rule: if rule.id.is_empty() { format!("#{index}") } else { rule.id.clone() },
                expected: expected.to_owned(),
            };
            if rule.id.trim().is_empty() {
                return Err(fail("expected an `id`"));
            }
            if rule.reason.trim().is_empty() {
                return Err(fail("expected a `reason` that tells the caller what is wrong"));
            }
            if Builtin::by_id(&rule.id).is_some() || !seen.insert(rule.id.as_str()) {
                return Err(BlocklistConfigError::Duplicate { rule: rule.id.clone() });
            }
            check_owasp(rule)?;
            let scope = Scope {
                servers: Globs::compile(&rule.id, "servers", &rule.servers, Over::Text)?,
                tools: Globs::compile(&rule.id, "tools", &rule.tools, Over::Text)?,
                methods: Globs::compile(&rule.id, "methods", &rule.methods, Over::Text)?,
            };
            let argument = rule.argument.as_ref().map(|argument| Argument::compile(&rule.id, argument, regexes)).transpose()?;
            if scope.is_empty() && argument.is_none() {
                return Err(fail("expected a condition (`servers`, `tools`, `methods` or `argument`): it would stop every call"));
            }
            compiled.push(Self { scope, argument });
        }
        Ok(compiled)
    }

    pub(super) fn matches_target(&self, target: Target<'_>) -> bool {
        self.scope.matches(target)
    }

    pub(super) fn looks_at_arguments(&self) -> bool {
        self.argument.is_some()
    }

    pub(super) fn needs_pointer(&self) -> bool {
        self.argument.as_ref().is_some_and(|argument| !argument.pointers.is_empty())
    }

    /// Whether the argument condition holds for one string.
    pub(super) fn matches_value(
        &self,
        caches: &mut [meta::Cache],
        detect: &mut impl Detect,
        pointer: &str,
        key: &str,
        text: &str,
    ) -> bool {
        let Some(argument) = &self.argument else { return false };
        if !argument.keys.matches(key) || !argument.pointers.matches(pointer) {
            return false;
        }
        match &argument.matcher {
            None => true,
            Some(Match::Regex(regex, cache)) => caches
                .get_mut(*cache)
                .is_some_and(|cache| regex.search_half_with(cache, &Input::new(text).earliest(true)).is_some()),
            Some(Match::Contains(finder)) => finder.find(text.as_bytes()).is_some(),
            Some(Match::Glob(glob)) => glob.matches(text),
            Some(Match::Detector(detector)) => detect.detect(*detector, text),
        }
    }
}

impl Argument {
    fn compile(rule: &str, argument: &ArgumentRule, regexes: &mut Vec<meta::Regex>) -> Result<Self, BlocklistConfigError> {
        let pointers = Globs::compile(rule, "argument.pointers", &argument.pointers, Over::Pointer)?;
        let keys = Globs::compile(rule, "argument.keys", &argument.keys, Over::Text)?;
        let matcher = argument.matcher.as_ref().map(|matcher| Match::compile(rule, matcher, regexes)).transpose()?;
        if pointers.is_empty() && keys.is_empty() && matcher.is_none() {
            return Err(BlocklistConfigError::Rule {
                rule: rule.to_owned(),
                expected: "expected `pointers`, `keys` or `matcher` in `argument`".to_owned(),
            });
        }
        Ok(Self { pointers, keys, matcher })
    }
}

impl Match {
    fn compile(rule: &str, matcher: &Matcher, regexes: &mut Vec<meta::Regex>) -> Result<Self, BlocklistConfigError> {
        Ok(match matcher {
            Matcher::Regex(pattern) => {
                let config =
                    meta::Config::new().nfa_size_limit(Some(REGEX_BYTES_MAX)).hybrid_cache_capacity(REGEX_CACHE_BYTES_MAX);
                let regex =
                    meta::Builder::new().configure(config).build(pattern).map_err(|error| BlocklistConfigError::Regex {
                        rule: rule.to_owned(),
                        pattern: pattern.clone(),
                        reason: error.syntax_error().map_or_else(|| error.to_string(), std::string::ToString::to_string),
                    })?;
                regexes.push(regex.clone());
                Self::Regex(Box::new(regex), regexes.len() - 1)
            }
            Matcher::Contains(part) if part.is_empty() => {
                return Err(BlocklistConfigError::Rule {
                    rule: rule.to_owned(),
                    expected: "expected text in `contains`".to_owned(),
                });
            }
            Matcher::Contains(part) => Self::Contains(Box::new(memmem::Finder::new(part).into_owned())),
            Matcher::Glob(glob) => Self::Glob(Glob::compile(rule, "argument.matcher.glob", glob, Over::Text)?),
            Matcher::Detector(name) => Self::Detector(Detector::by_name(name).ok_or_else(|| BlocklistConfigError::Detector {
                rule: rule.to_owned(),
                detector: name.clone(),
                expected: pack_names(),
            })?),
        })
    }
}

impl Detector {
    fn by_name(name: &str) -> Option<Self> {
        if let Some(pack) = Pack::by_name(name) {
            return Some(Self::Pack(pack));
        }
        let builtin = Builtin::by_id(name)?;
        BUILTINS.get(builtin as usize).map(|(_, rule)| Self::Rule(builtin, rule.pack))
    }

    /// The pack whose detectors have to run.
    pub(super) fn pack(self) -> Pack {
        match self {
            Self::Pack(pack) | Self::Rule(_, pack) => pack,
        }
    }
}

/// The names of all packs, for messages.
pub(super) fn pack_names() -> String {
    let names: Vec<_> = PACKS.iter().map(|(_, name, _)| *name).collect();
    names.join(", ")
}

fn check_owasp(rule: &OperatorRule) -> Result<(), BlocklistConfigError> {
    let Some(owasp) = &rule.owasp else { return Ok(()) };
    let number = owasp.strip_prefix("ASI").filter(|digits| digits.len() == 2);
    match number.and_then(|digits| digits.parse::<u8>().ok()) {
        Some(1..=10) => Ok(()),
        _ => Err(BlocklistConfigError::Owasp { rule: rule.id.clone(), owasp: owasp.clone() }),
    }
}

/// A compiled exception.
#[derive(Debug)]
pub(super) struct Silence {
    rules: Globs,
    scope: Scope,
    pointers: Globs,
}

impl Silence {
    pub(super) fn compile_all(exceptions: &[Exception]) -> Result<Vec<Self>, BlocklistConfigError> {
        let mut silences = Vec::with_capacity(exceptions.len());
        for (index, exception) in exceptions.iter().enumerate() {
            let name = format!("exception #{index}");
            if exception.rules.is_empty() {
                return Err(BlocklistConfigError::Rule {
                    rule: name,
                    expected: "expected `rules` to name at least one rule".to_owned(),
                });
            }
            silences.push(Self {
                rules: Globs::compile(&name, "rules", &exception.rules, Over::Text)?,
                scope: Scope {
                    servers: Globs::compile(&name, "servers", &exception.servers, Over::Text)?,
                    tools: Globs::compile(&name, "tools", &exception.tools, Over::Text)?,
                    methods: Globs::default(),
                },
                pointers: Globs::compile(&name, "pointers", &exception.pointers, Over::Pointer)?,
            });
        }
        Ok(silences)
    }

    pub(super) fn matches(&self, rule: &str, target: Target<'_>, pointer: &str) -> bool {
        self.rules.matches(rule) && self.scope.matches(target) && self.pointers.matches(pointer)
    }

    pub(super) fn needs_pointer(&self) -> bool {
        !self.pointers.is_empty()
    }
}
