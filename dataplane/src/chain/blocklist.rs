//! The third layer: what must not be asked of a tool, whoever asks.
//!
//! Lives on all shards, immutable inside the snapshot; each shard owns a [`BlockScratch`]. The layer
//! understands values by their structure: a command is tokenised like a shell would, SQL is lexed,
//! paths and URLs are normalised before they are judged. What a value is for follows from the
//! names of its key and tool, so that documents and source code are not read as commands.

mod bans;
mod builtin;
mod config;
mod decode;
mod detect;
mod glob;
mod markup;
mod operation;
mod operator;
mod path;
mod payload;
mod present;
mod prompt;
mod prompt_fold;
mod prompt_terms;
mod recipe;
mod role;
mod shell;
mod shell_code;
mod shell_download;
mod shell_lex;
mod shell_table;
mod shell_target;
mod sql;
mod sql_lex;
mod sqli;
mod ssrf;
mod walk;
mod written;

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use hashbrown::HashMap;
use regex_automata::meta;
use simd_json::Node;

pub use builtin::Pack;
pub use config::{
    ArgumentRule, BanConfig, BlocklistConfig, BlocklistConfigError, Exception, Matcher, Mode, OperatorRule, PackMode, Severity,
};

pub(crate) use bans::Bans;
pub use bans::is_network;
use builtin::{BUILTIN_COUNT, BUILTINS, Builtin, PACKS};
use detect::{Detectors, Modes, Sink};
use operator::{Compiled, Detect, Detector, Silence};
use role::Role;
use walk::{Frame, NO_NODE, Visit, Walk};

/// The call a check is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target<'a> {
    /// The upstream server's name.
    pub server: &'a str,
    /// The tool's canonical name; empty for methods without a tool.
    pub tool: &'a str,
    /// The JSON-RPC method.
    pub method: &'a str,
}

/// The position of a rule in [`Blocklist::rule`]: builtin rules first, then the operator's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RuleIndex(pub u32);

/// The strongest rule that matched a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// Which rule.
    pub rule: RuleIndex,
    /// What to do about it.
    pub mode: Mode,
    node: u32,
}

impl Hit {
    /// Writes the JSON pointer of the argument that matched; empty when the call itself did.
    ///
    /// Cost: one walk over the tape; call it for the record, not for the verdict.
    pub fn write_pointer(&self, nodes: &[Node<'_>], out: &mut String) {
        out.clear();
        if self.node != NO_NODE {
            walk::write_pointer(nodes, self.node, out);
        }
    }
}

/// What a rule says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleInfo {
    /// The id, `pack.name` for builtin rules.
    pub id: Box<str>,
    /// Why it refuses, as the caller reads it.
    pub reason: Box<str>,
    /// How bad a hit is.
    pub severity: Severity,
    /// Entry of the OWASP Top 10 for agentic applications, or empty.
    pub owasp: Box<str>,
    /// The builtin pack and its version; `None` for the operator's rules.
    pub pack: Option<(Pack, u32)>,
}

/// The compiled blocklist.
#[derive(Debug)]
pub struct Blocklist {
    identity: u64,
    rules: Vec<RuleInfo>,
    modes: Modes,
    operator: Vec<(Mode, Compiled)>,
    silences: Vec<Silence>,
    regexes: Vec<meta::Regex>,
    detectors: Detectors,
    bans: Bans,
    needs_pointer: bool,
}

/// What one shard keeps between checks so that a check allocates nothing.
#[derive(Debug)]
pub struct BlockScratch {
    blocklist: u64,
    frames: Vec<Frame>,
    pointer: String,
    active: Vec<u32>,
    caches: Vec<meta::Cache>,
    detect: detect::Scratch,
}

/// Tells blocklists apart, so that a scratch notices a reload.
static NEXT_IDENTITY: AtomicU64 = AtomicU64::new(1);

/// Where a value stands, for rules and exceptions that look at it.
#[derive(Clone, Copy)]
struct Place<'a> {
    target: Target<'a>,
    pointer: &'a str,
    key: &'a str,
    node: u32,
}

impl Blocklist {
    /// Compiles a configuration. Slow (milliseconds): never on a shard.
    ///
    /// # Errors
    /// Names the rule and what was expected; the operator mends the configuration.
    pub fn compile(config: &BlocklistConfig) -> Result<Self, BlocklistConfigError> {
        let modes = builtin_modes(config)?;
        let mut regexes = Vec::new();
        let compiled = Compiled::compile_all(&config.rules, &mut regexes)?;
        let silences = Silence::compile_all(&config.exceptions)?;
        let mut rules: Vec<RuleInfo> = BUILTINS
            .iter()
            .map(|(_, rule)| RuleInfo {
                id: rule.id.into(),
                reason: rule.reason.into(),
                severity: rule.severity,
                owasp: rule.owasp.into(),
                pack: Some((rule.pack, rule.pack.version())),
            })
            .collect();
        rules.extend(config.rules.iter().map(|rule| RuleInfo {
            id: rule.id.as_str().into(),
            reason: rule.reason.as_str().into(),
            severity: rule.severity,
            owasp: rule.owasp.as_deref().unwrap_or_default().into(),
            pack: None,
        }));
        let operator: Vec<_> = config.rules.iter().map(|rule| rule.mode).zip(compiled).collect();
        let needs_pointer = operator.iter().any(|(_, rule)| rule.needs_pointer()) || silences.iter().any(Silence::needs_pointer);
        Ok(Self {
            identity: NEXT_IDENTITY.fetch_add(1, Ordering::Relaxed),
            rules,
            modes,
            operator,
            silences,
            regexes,
            detectors: Detectors::new(),
            bans: Bans::compile(&config.bans)?,
            needs_pointer,
        })
    }

    /// A scratch for one shard. A scratch of an older blocklist also works: it fits itself at its next check.
    pub fn scratch(&self) -> BlockScratch {
        BlockScratch {
            blocklist: self.identity,
            frames: Vec::with_capacity(64),
            pointer: String::with_capacity(256),
            active: Vec::with_capacity(self.operator.len()),
            caches: self.regexes.iter().map(meta::Regex::create_cache).collect(),
            detect: detect::Scratch::new(),
        }
    }

    /// What stands behind a hit.
    pub fn rule(&self, index: RuleIndex) -> Option<&RuleInfo> {
        self.rules.get(usize::try_from(index.0).ok()?)
    }

    /// Every rule, builtin ones first.
    pub fn rules(&self) -> &[RuleInfo] {
        &self.rules
    }

    /// Whether this user, or the network it comes from, may not call anything.
    pub fn is_banned(&self, user: &str, ip: Option<IpAddr>) -> bool {
        self.bans.matches(user, ip)
    }

    /// Checks one call: its names, and every string of its arguments.
    ///
    /// Returns the strongest hit, the first of equals. Cost: linear in the arguments; about a
    /// microsecond per clean kilobyte.
    pub fn check(&self, scratch: &mut BlockScratch, target: Target<'_>, nodes: &[Node<'_>]) -> Option<Hit> {
        self.fit(scratch);
        let BlockScratch { frames, pointer, active, caches, detect, .. } = scratch;
        let mut best = None;
        active.clear();
        for (index, (mode, rule)) in (0_u32..).zip(&self.operator) {
            if !rule.matches_target(target) {
                continue;
            }
            if rule.looks_at_arguments() {
                active.push(index);
            } else {
                let place = Place { target, pointer: "", key: "", node: NO_NODE };
                self.raise(&mut best, BUILTIN_COUNT + to_usize(index), *mode, place);
            }
        }
        let mut walk = Walk::new(frames, self.needs_pointer.then_some(pointer), target.tool);
        while !is_final(best)
            && let Some(visit) = walk.next(nodes)
        {
            let place = |node, key| Place { target, pointer: walk.pointer(), key: string_at(nodes, key), node };
            match visit {
                Visit::Value { node, key, role } => {
                    let text = string_at(nodes, node);
                    let place = place(node, key);
                    self.run_builtin(&mut best, place, |modes, found| {
                        self.detectors.check_value(detect, &mut Sink::new(modes, found), role, text);
                    });
                    for index in active.iter() {
                        let Some((mode, rule)) = self.operator.get(to_usize(*index)) else { continue };
                        let mut run = RunDetector { detectors: &self.detectors, scratch: detect };
                        if rule.matches_value(caches, &mut run, place.pointer, place.key, text) {
                            self.raise(&mut best, BUILTIN_COUNT + to_usize(*index), *mode, place);
                        }
                    }
                }
                Visit::Delete { url } => {
                    self.run_builtin(&mut best, place(url, NO_NODE), |modes, found| {
                        self.detectors.check_delete(&mut Sink::new(modes, found), string_at(nodes, url));
                    });
                }
                Visit::Write { path, content } => {
                    self.run_builtin(&mut best, place(content, NO_NODE), |modes, found| {
                        let (path, content) = (string_at(nodes, path), string_at(nodes, content));
                        self.detectors.check_write(detect, &mut Sink::new(modes, found), path, content);
                    });
                }
                Visit::Operation { object, operation } => {
                    self.run_builtin(&mut best, place(operation, NO_NODE), |modes, found| {
                        let object = nodes.get(to_usize(object)..).unwrap_or_default();
                        self.detectors.check_operation(&mut Sink::new(modes, found), object, string_at(nodes, operation));
                    });
                }
                Visit::Argv { command, argv } => {
                    let name = string_at(nodes, command);
                    let node = if command == NO_NODE { argv } else { command };
                    self.run_builtin(&mut best, place(node, NO_NODE), |modes, found| {
                        let words = words_at(nodes, argv);
                        self.detectors.check_argv(detect, &mut Sink::new(modes, found), name, words);
                    });
                }
            }
        }
        best
    }

    /// Checks text that comes back from a tool, or a tool's own description, for orders to the model. `target` is what
    /// was called, for exceptions.
    pub fn check_text(&self, scratch: &mut BlockScratch, target: Target<'_>, text: &str) -> Option<Hit> {
        self.fit(scratch);
        let mut best = None;
        let place = Place { target, pointer: "", key: "", node: NO_NODE };
        self.run_builtin(&mut best, place, |modes, found| {
            self.detectors.check_text(&mut scratch.detect, &mut Sink::new(modes, found), text);
        });
        best
    }

    /// Runs builtin detectors until they find nothing that an exception does not silence.
    fn run_builtin(&self, best: &mut Option<Hit>, place: Place<'_>, mut run: impl FnMut(&Modes, &mut Option<(Builtin, Mode)>)) {
        let mut found = None;
        run(&self.modes, &mut found);
        let Some((mut builtin, mut mode)) = found else { return };
        if !self.silences.is_empty() {
            let mut modes = self.modes;
            while self.is_silenced(builtin as usize, place) {
                if let Some(slot) = modes.get_mut(builtin as usize) {
                    *slot = None;
                }
                let mut next = None;
                run(&modes, &mut next);
                let Some(again) = next else { return };
                (builtin, mode) = again;
            }
        }
        self.raise(best, builtin as usize, mode, place);
    }

    fn raise(&self, best: &mut Option<Hit>, rule: usize, mode: Mode, place: Place<'_>) {
        if best.is_some_and(|hit| hit.mode >= mode) || self.is_silenced(rule, place) {
            return;
        }
        let index = u32::try_from(rule).unwrap_or(u32::MAX);
        *best = Some(Hit { rule: RuleIndex(index), mode, node: place.node });
    }

    fn is_silenced(&self, rule: usize, place: Place<'_>) -> bool {
        let Some(info) = self.rules.get(rule) else { return false };
        self.silences.iter().any(|silence| silence.matches(&info.id, place.target, place.pointer))
    }

    fn fit(&self, scratch: &mut BlockScratch) {
        if scratch.blocklist != self.identity {
            scratch.blocklist = self.identity;
            scratch.caches = self.regexes.iter().map(meta::Regex::create_cache).collect();
        }
    }
}

fn is_final(best: Option<Hit>) -> bool {
    best.is_some_and(|hit| hit.mode == Mode::Deny)
}

fn to_usize(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

fn string_at<'n>(nodes: &'n [Node<'n>], node: u32) -> &'n str {
    match nodes.get(to_usize(node)) {
        Some(Node::String(text)) => text,
        _ => "",
    }
}

/// The words under an argv node: the strings of an array, or one string.
fn words_at<'n>(nodes: &'n [Node<'n>], node: u32) -> detect::Words<'n> {
    let at = to_usize(node);
    match nodes.get(at) {
        Some(Node::Array { len, .. }) => {
            let rest = nodes.get(at + 1..).unwrap_or_default();
            detect::Words::List(rest.get(..*len).unwrap_or(rest))
        }
        _ => detect::Words::Text(string_at(nodes, node)),
    }
}

/// Lets an operator rule use the builtin detectors, in their own modes.
struct RunDetector<'a> {
    detectors: &'a Detectors,
    scratch: &'a mut detect::Scratch,
}

impl Detect for RunDetector<'_> {
    fn detect(&mut self, detector: Detector, text: &str) -> bool {
        let mut modes: Modes = [None; BUILTIN_COUNT];
        for ((builtin, rule), slot) in BUILTINS.iter().zip(modes.iter_mut()) {
            let wanted = match detector {
                Detector::Pack(pack) => rule.pack == pack,
                Detector::Rule(one, _) => *builtin == one,
            };
            *slot = wanted.then_some(rule.mode);
        }
        let mut found = None;
        let role = match detector.pack() {
            Pack::Shell | Pack::Git | Pack::Cloud | Pack::Cluster => Role::Command,
            Pack::Sql => Role::Sql,
            Pack::Path => Role::Path,
            Pack::Ssrf => Role::Url,
            Pack::Injection | Pack::Markup => Role::Neutral,
            Pack::Prompt => Role::Content,
        };
        self.detectors.check_value(self.scratch, &mut Sink::new(&modes, &mut found), role, text);
        found.is_some()
    }
}

/// The mode of every builtin rule after packs and overrides; `None` is off.
fn builtin_modes(config: &BlocklistConfig) -> Result<Modes, BlocklistConfigError> {
    let mut packs: HashMap<Pack, PackMode> = PACKS.iter().map(|(pack, _, _)| (*pack, PackMode::Deny)).collect();
    for (name, mode) in &config.packs {
        let pack = Pack::by_name(name)
            .ok_or_else(|| BlocklistConfigError::UnknownPack { pack: name.clone(), expected: operator::pack_names() })?;
        packs.insert(pack, *mode);
    }
    let mut modes: Modes = [None; BUILTIN_COUNT];
    for ((_, rule), slot) in BUILTINS.iter().zip(modes.iter_mut()) {
        *slot = match packs.get(&rule.pack) {
            None | Some(PackMode::Off) => None,
            Some(PackMode::Observe) => Some(Mode::Observe),
            Some(PackMode::Ask) => Some(rule.mode.min(Mode::Ask)),
            Some(PackMode::Deny) => Some(rule.mode),
        };
    }
    for (id, mode) in &config.overrides {
        let builtin = Builtin::by_id(id).ok_or_else(|| BlocklistConfigError::UnknownBuiltin { rule: id.clone() })?;
        if let Some(slot) = modes.get_mut(builtin as usize) {
            *slot = match mode {
                PackMode::Off => None,
                PackMode::Observe => Some(Mode::Observe),
                PackMode::Ask => Some(Mode::Ask),
                PackMode::Deny => Some(Mode::Deny),
            };
        }
    }
    Ok(modes)
}

#[cfg(test)]
mod tests;
