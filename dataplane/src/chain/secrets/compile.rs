//! Turns a configuration into a scanner: every mistake is found here, off the shards, before anything runs.
//!
//! *Lives on* the control plane; what it makes is immutable and shared by all shards.

use hashbrown::{HashMap, HashSet};
use regex_automata::meta;
use regex_automata::util::syntax;

use super::config::{Allow, AllowTarget, Mode, Rule, RuleMode, SecretsConfig, SecretsConfigError, Switch};
use super::grams::{Edges, Grams};
use super::rules::{self, Builtin, How};
use super::shape::Shape;

/// LIMIT: rules of one scanner; a finding's rule is an index.
const RULES_MAX: usize = 4096;
/// LIMIT: exceptions; each is looked at for each finding.
const EXCEPTIONS_MAX: usize = 1024;
/// LIMIT: memory of one pattern's automaton.
pub(super) const PATTERN_BYTES: usize = 4 << 20;

/// A rule as the scanner keeps it.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) id: String,
    pub(super) description: String,
    pub(super) arguments: Option<Mode>,
    pub(super) results: Option<Mode>,
    pub(super) entropy: f32,
    /// A context rule: gives way to a rule that names the provider.
    pub(super) generic: bool,
    /// Words that, inside the secret, make it an example.
    pub(super) stop: &'static [&'static str],
    pub(super) allow: Vec<CompiledAllow>,
}

#[derive(Debug)]
pub(super) struct CompiledAllow {
    pub(super) values: Vec<meta::Regex>,
    pub(super) target: AllowTarget,
    pub(super) stop_words: Vec<Box<[u8]>>,
    pub(super) fingerprints: Vec<[u8; 16]>,
    pub(super) pointers: Vec<String>,
}

#[derive(Debug)]
pub(super) struct CompiledException {
    pub(super) tool: String,
    pub(super) pointer: String,
    pub(super) rule: String,
}

/// What a found word asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) rule: u32,
    pub(super) confirm: Confirm,
}

/// How a candidate is confirmed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Confirm {
    /// An automaton anchored where the word begins.
    Shape { shape: u32, how: How },
    /// A pattern searched around the word (operator rules), or everywhere when it has no keyword.
    Search { search: u32 },
    /// A random value assigned to the name of a service; `bare` when the name alone will do.
    Vendor { bare: bool },
    /// One of the hand-written context rules.
    Context(rules::Context),
}

/// A pattern searched for, and the group that is the secret.
#[derive(Debug)]
pub(super) struct Search {
    pub(super) regex: meta::Regex,
    pub(super) group: usize,
}

/// Everything that does not change while calls are scanned.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) rules: Vec<Compiled>,
    pub(super) grams: Grams,
    /// Per word payload: its targets.
    pub(super) targets: Vec<Box<[Target]>>,
    pub(super) shapes: Vec<Shape>,
    pub(super) searches: Vec<Search>,
    /// Searches without keywords, with their rule.
    pub(super) always: Vec<(u32, u32)>,
    pub(super) allow: CompiledAllow,
    pub(super) exceptions: Vec<CompiledException>,
}

#[derive(Default)]
struct Builder {
    rules: Vec<Compiled>,
    words: HashMap<(Vec<u8>, bool, Edges), Vec<Target>>,
    shapes: Vec<Shape>,
    by_pattern: HashMap<String, u32>,
    searches: Vec<Search>,
    always: Vec<(u32, u32)>,
}

pub(super) fn compile(config: &SecretsConfig) -> Result<Program, SecretsConfigError> {
    let mut builder = Builder::default();
    let mut ids = HashSet::new();
    if config.builtin {
        for (index, context) in rules::CONTEXT_RULES.iter().enumerate() {
            ids.insert(context.0.to_owned());
            builder.push_rule(config, context.0, context.1, 0.0, true, &[], Vec::new());
            debug_assert_eq!(index + 1, builder.rules.len());
        }
        for (word, context) in rules::CONTEXT_WORDS {
            let target = Target { rule: context.rule(), confirm: Confirm::Context(*context) };
            builder.words.entry((word.as_bytes().to_vec(), false, Edges::Any)).or_default().push(target);
        }
        for builtin in rules::all() {
            ids.insert(builtin.id.to_owned());
            builder.builtin(config, builtin)?;
        }
    }
    if config.builtin {
        for (names, bare) in [(rules::vendors::DISTINCT, true), (rules::vendors::ORDINARY, false)] {
            for name in names {
                ids.insert(builder.vendor(config, name, bare));
            }
        }
    }
    for (at, rule) in config.rules.iter().enumerate() {
        if rule.id.is_empty() {
            return Err(SecretsConfigError::NoId { number: at + 1 });
        }
        if !ids.insert(rule.id.clone()) {
            return Err(SecretsConfigError::Twice { rule: rule.id.clone() });
        }
        builder.operator(config, rule)?;
    }
    too_many("rules", builder.rules.len(), RULES_MAX)?;
    too_many("exceptions", config.exceptions.len(), EXCEPTIONS_MAX)?;
    check_names(config, &ids)?;
    builder.finish(config)
}

fn too_many(what: &'static str, count: usize, max: usize) -> Result<(), SecretsConfigError> {
    if count > max { Err(SecretsConfigError::TooMany { what, count, max }) } else { Ok(()) }
}

/// Every id and glob of the configuration must mean some rule, else a typing error would switch nothing off.
fn check_names(config: &SecretsConfig, ids: &HashSet<String>) -> Result<(), SecretsConfigError> {
    let known = |glob: &str| ids.iter().any(|id| glob_matches(glob, id));
    for glob in config.modes.keys() {
        if !known(glob) {
            return Err(SecretsConfigError::UnknownRule { place: "modes", rule: glob.clone() });
        }
    }
    for exception in &config.exceptions {
        if !exception.rule.is_empty() && !known(&exception.rule) {
            return Err(SecretsConfigError::UnknownRule { place: "exceptions", rule: exception.rule.clone() });
        }
        check_pointer("exceptions", &exception.pointer)?;
    }
    Ok(())
}

fn check_pointer(place: &'static str, pointer: &str) -> Result<(), SecretsConfigError> {
    if pointer.is_empty() || pointer.starts_with('/') {
        Ok(())
    } else {
        Err(SecretsConfigError::Pointer { place, pointer: pointer.to_owned() })
    }
}

/// `*` stands for any text, every other character for itself.
pub(super) fn glob_matches(glob: &str, text: &str) -> bool {
    let (mut glob, mut text) = (glob.as_bytes(), text.as_bytes());
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        match (glob.first(), text.first()) {
            (Some(b'*'), _) => {
                glob = &glob[1..];
                retry = Some((glob, text));
            }
            (Some(g), Some(t)) if g == t => {
                glob = &glob[1..];
                text = &text[1..];
            }
            (None, None) => return true,
            _ => match retry {
                Some((after, from)) if !from.is_empty() => {
                    glob = after;
                    text = &from[1..];
                    retry = Some((after, text));
                }
                _ => return false,
            },
        }
    }
}

impl Builder {
    #[allow(clippy::too_many_arguments, reason = "one row of the table, spelled out")]
    fn push_rule(
        &mut self,
        config: &SecretsConfig,
        id: &str,
        description: &str,
        entropy: f32,
        generic: bool,
        stop: &'static [&'static str],
        allow: Vec<CompiledAllow>,
    ) -> u32 {
        let chosen = config
            .modes
            .iter()
            .filter(|(glob, _)| glob_matches(glob, id))
            .max_by_key(|(glob, _)| glob.len())
            .map(|(_, mode)| *mode);
        let side = |default: Mode, pick: fn(RuleMode) -> Switch| match chosen {
            Some(mode) => pick(mode).mode(),
            None => Some(default),
        };
        let arguments = side(config.arguments.mode, |mode| match mode {
            RuleMode::Both(switch) | RuleMode::Each { arguments: switch, .. } => switch,
        });
        let results = side(config.results.mode, |mode| match mode {
            RuleMode::Both(switch) | RuleMode::Each { results: switch, .. } => switch,
        });
        self.rules.push(Compiled {
            id: id.to_owned(),
            description: description.to_owned(),
            arguments,
            results,
            entropy,
            generic,
            stop,
            allow,
        });
        u32::try_from(self.rules.len() - 1).unwrap_or(u32::MAX)
    }

    fn builtin(&mut self, config: &SecretsConfig, builtin: &'static Builtin) -> Result<(), SecretsConfigError> {
        let rule = self.push_rule(config, builtin.id, builtin.name, builtin.entropy, false, builtin.stop, Vec::new());
        let shape = self.shape(builtin.id, builtin.shape)?;
        let target = Target { rule, confirm: Confirm::Shape { shape, how: builtin.how } };
        for word in builtin.words {
            let exact = matches!(builtin.how, How::Token | How::Run);
            let edges = if builtin.how == How::Token { Edges::Token } else { Edges::Any };
            let text = if exact { word.as_bytes().to_vec() } else { word.to_ascii_lowercase().into_bytes() };
            self.words.entry((text, exact, edges)).or_default().push(target);
        }
        Ok(())
    }

    /// The rule of a service: its id says whose the credential is.
    fn vendor(&mut self, config: &SecretsConfig, name: &str, bare: bool) -> String {
        let id = format!("{}-credential", name.replace(['.', '_'], "-"));
        let rule = self.push_rule(config, &id, &format!("credential of {name}"), 0.0, true, &[], Vec::new());
        let target = Target { rule, confirm: Confirm::Vendor { bare } };
        self.words.entry((name.as_bytes().to_vec(), false, Edges::Any)).or_default().push(target);
        id
    }

    fn operator(&mut self, config: &SecretsConfig, rule: &Rule) -> Result<(), SecretsConfigError> {
        let allow = rule.allow.iter().map(|a| compile_allow(&rule.id, a)).collect::<Result<Vec<_>, _>>()?;
        let index = self.push_rule(config, &rule.id, &rule.description, rule.entropy, false, &[], allow);
        let regex = pattern(&rule.id, &rule.regex)?;
        let groups = regex.captures_len() - 1;
        if rule.secret_group > groups {
            return Err(SecretsConfigError::Group { rule: rule.id.clone(), group: rule.secret_group, have: groups });
        }
        let group = if rule.secret_group == 0 { usize::from(groups > 0) } else { rule.secret_group };
        let search = u32::try_from(self.searches.len()).unwrap_or(u32::MAX);
        self.searches.push(Search { regex, group });
        if rule.keywords.is_empty() {
            self.always.push((index, search));
        }
        for keyword in &rule.keywords {
            if !(3..=127).contains(&keyword.len()) {
                return Err(SecretsConfigError::Keyword { rule: rule.id.clone(), keyword: keyword.clone() });
            }
            let key = (keyword.to_ascii_lowercase().into_bytes(), false, Edges::Any);
            let target = Target { rule: index, confirm: Confirm::Search { search } };
            self.words.entry(key).or_default().push(target);
        }
        Ok(())
    }

    /// Equal shapes are compiled once: many providers use 32 hexadecimal digits.
    fn shape(&mut self, rule: &str, pattern: &str) -> Result<u32, SecretsConfigError> {
        if let Some(known) = self.by_pattern.get(pattern) {
            return Ok(*known);
        }
        let shape = compiled(rule, pattern)?;
        let index = u32::try_from(self.shapes.len()).unwrap_or(u32::MAX);
        self.shapes.push(shape);
        self.by_pattern.insert(pattern.to_owned(), index);
        Ok(index)
    }

    fn finish(self, config: &SecretsConfig) -> Result<Program, SecretsConfigError> {
        let mut words: Vec<_> = self.words.into_iter().collect();
        words.sort_by(|a, b| a.0.cmp(&b.0));
        let mut targets = Vec::with_capacity(words.len());
        let mut list = Vec::with_capacity(words.len());
        for ((text, exact, edges), found) in words {
            list.push((text, exact, edges, u32::try_from(targets.len()).unwrap_or(u32::MAX)));
            targets.push(found.into_boxed_slice());
        }
        let grams = Grams::compile(list).map_err(|word| SecretsConfigError::Keyword {
            rule: "*".to_owned(),
            keyword: String::from_utf8_lossy(&word).into_owned(),
        })?;
        Ok(Program {
            rules: self.rules,
            grams,
            targets,
            shapes: self.shapes,
            searches: self.searches,
            always: self.always,
            allow: compile_allow("*", &config.allow)?,
            exceptions: config
                .exceptions
                .iter()
                .map(|e| CompiledException { tool: e.tool.clone(), pointer: e.pointer.clone(), rule: e.rule.clone() })
                .collect(),
        })
    }
}

fn compiled(rule: &str, pattern: &str) -> Result<Shape, SecretsConfigError> {
    Shape::compile(pattern).map_err(|error| SecretsConfigError::Pattern {
        rule: rule.to_owned(),
        pattern: pattern.to_owned(),
        reason: reason_of(&error),
    })
}

#[cfg(test)]
pub(super) fn check_shape(rule: &str, pattern: &str) -> Result<(), SecretsConfigError> {
    compiled(rule, pattern).map(|shape| assert!(shape.memory() < 512 << 10, "{rule}: {} bytes", shape.memory()))
}

fn reason_of(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string().replace('\n', " ")
}

/// A searched pattern: ASCII classes first, Unicode where the pattern needs it.
fn pattern(rule: &str, text: &str) -> Result<meta::Regex, SecretsConfigError> {
    let build = |unicode: bool| {
        meta::Builder::new()
            .configure(meta::Config::new().utf8_empty(false).nfa_size_limit(Some(PATTERN_BYTES)).hybrid_cache_capacity(256 << 10))
            .syntax(syntax::Config::new().unicode(unicode).utf8(false))
            .build(text)
    };
    build(false).or_else(|_| build(true)).map_err(|error| SecretsConfigError::Pattern {
        rule: rule.to_owned(),
        pattern: text.to_owned(),
        reason: reason_of(&error),
    })
}

fn compile_allow(rule: &str, allow: &Allow) -> Result<CompiledAllow, SecretsConfigError> {
    for pointer in &allow.pointers {
        check_pointer("allow.pointers", pointer)?;
    }
    Ok(CompiledAllow {
        values: allow.values.iter().map(|v| pattern(rule, v)).collect::<Result<_, _>>()?,
        target: allow.target,
        stop_words: allow.stop_words.iter().map(|w| w.to_ascii_lowercase().into_bytes().into()).collect(),
        fingerprints: allow
            .fingerprints
            .iter()
            .map(|text| {
                parse_fingerprint(text)
                    .ok_or_else(|| SecretsConfigError::Fingerprint { rule: rule.to_owned(), fingerprint: text.clone() })
            })
            .collect::<Result<_, _>>()?,
        pointers: allow.pointers.clone(),
    })
}

fn parse_fingerprint(text: &str) -> Option<[u8; 16]> {
    let bytes = text.as_bytes();
    if bytes.len() != 32 {
        return None;
    }
    let mut out = [0; 16];
    for (to, pair) in out.iter_mut().zip(bytes.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *to = u8::try_from(high << 4 | low).ok()?;
    }
    Some(out)
}
