//! Calls that say by name what is to be done and to what, and are no command: `{"operation":"DeleteBucket"}`,
//! `{"verb":"delete","resource":"namespace"}`, `{"action":"deleteMany","filter":{}}`.
//!
//! Pure functions over an object of the tape. A verb that takes away counts where what it takes is kept for a reason, or
//! where it takes all there is. One record, one message, one pod is everyday work.

use arrayvec::ArrayVec;
use simd_json::{Node, StaticNode};
use wire::jsonrpc::{Nodes, members};

use super::builtin::Builtin;
use super::shell_target::{self, Place};

/// Most words of a name that are read. LIMIT: no operation has more.
const WORDS_MAX: usize = 8;
/// Most bytes of a name. LIMIT: what is longer is a text.
const NAME_BYTES_MAX: usize = 64;

/// Most members of a call, and most nodes of it that are searched for a text. LIMIT: what has more is data.
const MEMBERS_MAX: usize = 64;
const NODES_MAX: usize = 256;

/// Verbs that take away.
const DELETES: &[&str] = &[
    "delete",
    "del",
    "destroy",
    "drop",
    "terminate",
    "purge",
    "truncate",
    "wipe",
    "remove",
    "erase",
    "deregister",
    "nuke",
    "obliterate",
    "prune",
    "uninstall",
    "decommission",
    "deprovision",
    "teardown",
    "deletecollection",
    "absent",
];

/// Words of operations that say nothing of what is taken.
const FILLERS: &[&str] = &[
    "begin",
    "kubectl",
    "k8s",
    "kubernetes",
    "argocd",
    "helm",
    "etcd",
    "terraform",
    "gcloud",
    "aws",
    "azure",
    "resource",
    "resources",
];

/// Verbs that take away only from what is in [`RESET`].
const RESETS: &[&str] = &["release", "format", "reset", "empty", "flush"];

/// Verbs that switch off.
const STOPS: &[&str] = &["disable", "stop", "suspend", "deactivate", "unprotect", "pause", "schedule"];

/// What is kept for a reason, by what may not be done to it; as a name ends, in the singular.
const KEPT: &[(Builtin, &[&str])] = &[
    (Builtin::CloudStorage, &["bucket", "blob container", "storage account", "file system", "filesystem", "file share"]),
    (Builtin::CloudAudit, &["trail", "detector", "log group", "audit log", "flow log", "log sink", "protection", "recorder"]),
    (
        Builtin::CloudDelete,
        &[
            "instance",
            "server",
            "vm",
            "machine",
            "droplet",
            "volume",
            "disk",
            "snapshot",
            "backup",
            "vault",
            "recovery point",
            "stack",
            "vpc",
            "network",
            "load balancer",
            "zone",
            "resource group",
            "node group",
            "scaling group",
            "project",
            "account",
            "tenant",
            "organization",
            "environment",
            "workspace",
            "app",
            "function",
            "distribution",
            "domain",
            "kms key",
            "key deletion",
            "key version",
            "key ring",
            "registry",
            "user pool",
            "file store",
            "image",
            "elastic ip",
        ],
    ),
    (
        Builtin::ClusterDelete,
        &[
            "namespace",
            "ns",
            "deployment",
            "statefulset",
            "stateful set",
            "daemonset",
            "pvc",
            "pv",
            "persistentvolumeclaim",
            "persistentvolume",
            "persistent volume claim",
            "crd",
            "customresourcedefinition",
            "resource definition",
            "role binding",
            "node",
            "node pool",
            "cluster",
            "cluster role",
            "clusterrole",
            "clusterrolebinding",
            "rolebinding",
        ],
    ),
    (Builtin::ShellPublish, &["repository", "repo", "package"]),
    (Builtin::SqlDrop, &["database", "db", "table", "schema", "keyspace", "tablespace"]),
    (Builtin::ShellData, &["collection", "index", "dataset", "warehouse", "data stream", "topic", "queue", "cache"]),
];

/// What nobody resets or empties in passing.
const RESET: &[&str] = &["database", "db", "disk", "volume", "cluster", "schema", "bucket", "cache"];

/// What protects: a verb that switches off must not be used on it.
const PROTECTS: &[&str] = &[
    "logging",
    "log",
    "audit",
    "trail",
    "cloudtrail",
    "guardduty",
    "detector",
    "protection",
    "mfa",
    "firewall",
    "backup",
    "versioning",
    "encryption",
    "waf",
    "monitoring",
    "alarm",
    "defender",
    "antivirus",
    "recorder",
    "deletion",
];

/// Names of members that say of what kind the thing is.
const KINDS: &[&str] = &["resource", "kind", "type", "service", "object", "entity", "target", "resources", "scope"];

/// Whether a member of this name says what is to be done.
pub(super) fn is_operation(name: &str) -> bool {
    matches!(
        name,
        "action"
            | "operation"
            | "op"
            | "verb"
            | "method"
            | "function"
            | "command"
            | "subcommand"
            | "cmd"
            | "api"
            | "tool"
            | "mode"
            | "state"
    )
}

/// Whether a member of this name, switched on, deletes what it names: `delete_zone`, `dropDatabase`.
pub(super) fn is_switch(name: &str) -> bool {
    begins_deletion(name) && !one_of(singular(last_of(name)), &["cache", "image"])
}

/// Whether a name is a verb that takes away and what it takes: `delete_zone`.
fn begins_deletion(name: &str) -> bool {
    let words = words(name);
    words.len() > 1 && words.first().is_some_and(|verb| one_of(verb, DELETES))
}

/// Whether an object under this name is a call, or holds the values of one.
pub(super) fn holds_calls(name: &str) -> bool {
    is_nested(name)
        || matches!(
            name,
            "steps" | "actions" | "operations" | "calls" | "commands" | "tasks" | "requests" | "job" | "task" | "chain"
        )
}

/// Whether a member holds values of the call it is in.
fn is_nested(name: &str) -> bool {
    matches!(
        name,
        "params" | "parameters" | "input" | "inputs" | "options" | "args" | "arguments" | "body" | "request" | "payload"
    )
}

/// What the object at the front, whose operation is `name`, would do.
pub(super) fn check(object: Nodes<'_, '_>, name: &str) -> Option<Builtin> {
    let words = words(name);
    let (first, last) = (words.first().copied()?, words.last().copied()?);
    let call = Call { object };
    let takes = |word: &str| one_of(word, DELETES) || one_of(word, RESETS);
    let is_deletion = takes(first) || words.len() > 1 && (takes(last) || takes(second(&words)));
    let taken = || if is_deletion { call.deletes(&words) } else { call.stops(&words) };
    let found = call.changes(&words).or_else(taken)?;
    (!call.only_asks()).then_some(found)
}

/// An object of the tape.
#[derive(Clone, Copy)]
struct Call<'t, 'i> {
    object: Nodes<'t, 'i>,
}

impl<'t, 'i> Call<'t, 'i> {
    /// All of the object.
    fn nodes(self) -> Nodes<'t, 'i> {
        self.object.get(..wire::jsonrpc::span(self.object)).unwrap_or_default()
    }

    /// The members, and those of members that hold values of the call.
    fn values(self) -> impl Iterator<Item = (&'i str, Nodes<'t, 'i>)> {
        let all = members(self.object).flat_map(|(name, value)| {
            let inner = if is_nested(name) { value } else { &[] };
            std::iter::once((name, value)).chain(members(inner))
        });
        all.take(MEMBERS_MAX)
    }

    fn texts(self, named: impl Fn(&str) -> bool) -> impl Iterator<Item = &'i str> {
        self.values().filter(move |(name, _)| named(name)).filter_map(|(_, value)| match value.first() {
            Some(Node::String(text)) => Some(*text),
            _ => None,
        })
    }

    /// What kinds of things are spoken of.
    fn kinds(self) -> impl Iterator<Item = &'i str> {
        self.texts(|name| one_of(last_of(name), KINDS))
    }

    fn is(self, names: &[&str], wanted: bool) -> bool {
        self.values().any(|(name, value)| {
            let is_wanted = matches!(value.first(), Some(Node::Static(StaticNode::Bool(is))) if *is == wanted);
            is_wanted && one_of(&joined(name), names)
        })
    }

    /// A dry run, or a search for what others did.
    fn only_asks(self) -> bool {
        let asks = ["dryrun", "preview", "simulate", "whatif", "planonly", "checkonly", "noop"];
        let searches = ["since", "until", "starttime", "endtime", "cursor", "timestamp", "effect"];
        self.is(&asks, true) || self.values().any(|(name, _)| one_of(&joined(name), &searches))
    }

    /// Whether an array of the call has one of these words.
    fn has_flag(self, flags: &[&str]) -> bool {
        self.values().any(|(_, value)| match value.split_first() {
            Some((Node::Array { len, .. }, items)) => {
                items.iter().take(*len).any(|item| matches!(item, Node::String(text) if flags.contains(text)))
            }
            Some((Node::String(text), _)) => flags.contains(text),
            _ => false,
        })
    }

    /// Takes away what is kept for a reason, or all there is.
    fn deletes(self, words: &[&str]) -> Option<Builtin> {
        let first = words.first().copied().unwrap_or_default();
        let is_mild = one_of(first, RESETS);
        let nouns = words.iter().copied().filter(|word| ![DELETES, RESETS, FILLERS].iter().any(|list| one_of(word, list)));
        let nouns: ArrayVec<&str, WORDS_MAX> = nouns.collect();
        if let Some(last) = nouns.last().copied() {
            if one_of(last, &["directory", "dir", "folder", "tree", "path", "files"]) && self.is_broad() {
                return Some(Builtin::ShellDelete);
            }
            if one_of(last, &["many", "all", "bulk"]) {
                return (!self.is_bounded()).then_some(Builtin::ShellData);
            }
            let found = kept(&nouns).filter(|_| !is_mild || one_of(singular(last), RESET));
            return found.or_else(|| self.takes_all().then_some(Builtin::ShellData));
        }
        for kind in self.kinds() {
            let kind = self::words(kind);
            if matches!(kind.as_slice(), [all] if one_of(all, &["all", "everything"])) {
                return Some(Builtin::ShellData);
            }
            if let Some(found) = kept(&kind).filter(|_| !is_mild) {
                return Some(found);
            }
        }
        if self.is_broad() {
            return Some(Builtin::ShellDelete);
        }
        if one_of(first, &["deletecollection"]) {
            return Some(Builtin::ClusterDelete);
        }
        if self.takes_all() || one_of(first, &["nuke", "obliterate"]) {
            return Some(Builtin::ShellData);
        }
        let unasked = ["autoapprove", "force", "skippreview", "yes"];
        if one_of(first, &["destroy"]) && (self.is(&unasked, true) || self.has_flag(&["-auto-approve"])) {
            return Some(Builtin::ClusterDestroy);
        }
        // `{"verb":"delete","clusters":["a","b"]}`
        let lists = |(name, value): (&str, Nodes<'_, '_>)| {
            let is_list = matches!(value.first(), Some(Node::Array { len: 2.., .. }));
            if is_list { kept(&self::words(name)) } else { None }
        };
        if let Some(found) = self.values().find_map(lists).filter(|_| !is_mild) {
            return Some(found);
        }
        let drops = one_of(first, &["drop", "truncate", "purge", "wipe"])
            && self.values().any(|(name, _)| {
                let things = ["collection", "table", "database", "queue", "index", "project", "repo", "repository", "bucket"];
                one_of(singular(last_of(name)), &things)
            });
        if drops {
            return Some(Builtin::ShellData);
        }
        let releases =
            one_of(first, &["uninstall"]) && self.values().any(|(name, _)| one_of(last_of(name), &["release", "chart"]));
        releases.then_some(Builtin::ClusterDelete)
    }

    /// Whether it says that all there is goes.
    fn takes_all(self) -> bool {
        let all = ["all", "allnamespaces", "includesubgroups", "allchildren", "prefix", "fromkey"];
        let is_met = |text: &str| matches!(joined(text).as_str(), "" | "1" | "true" | "all") || text.replace(' ', "") == "1=1";
        // `{"delete_backups":"all"}`
        let names_all = |text: &str| matches!(text, "all" | "*");
        self.is(&all, true)
            || self.texts(|name| one_of(last_of(name), &["where", "filter", "condition"])).any(is_met)
            || self.texts(begins_deletion).any(names_all)
    }

    /// Whether one of its texts is a device that holds data.
    fn has_device(self) -> bool {
        let is_device = |path: &str| path.starts_with("/dev/") && shell_target::place(path.as_bytes()) == Place::Device;
        self.nodes().iter().take(NODES_MAX).any(|node| matches!(node, Node::String(text) if is_device(text)))
    }

    /// Switches off what protects.
    fn stops(self, words: &[&str]) -> Option<Builtin> {
        let protects = |word: &str| one_of(singular(word), PROTECTS);
        let stops = match words {
            [verb, ..] if one_of(verb, &["unprotect"]) => true,
            [verb, rest @ ..] if one_of(verb, STOPS) && rest.iter().any(|word| one_of(word, &["mfa"])) => true,
            [verb] if one_of(verb, STOPS) => self.kinds().any(|kind| protects(last_of(kind))),
            [verb, .., last] if one_of(verb, STOPS) => protects(last),
            _ => false,
        };
        stops.then_some(Builtin::CloudAudit)
    }

    /// Whether a path is meant that is more than a project's own.
    fn is_broad(self) -> bool {
        let names = ["path", "paths", "directory", "dir", "folder", "target"];
        let is_broad = |node: &Node<'_>| match node {
            Node::String(path) => !matches!(shell_target::place(path.as_bytes()), Place::Elsewhere | Place::Ordinary),
            _ => false,
        };
        self.values().filter(|(name, _)| one_of(last_of(name), &names)).any(|(_, value)| value.iter().any(is_broad))
    }

    /// Whether something says which of many are meant.
    fn is_bounded(self) -> bool {
        self.values().any(|(name, value)| {
            let says = one_of(last_of(name), &["filter", "query", "where", "selector", "criteria", "match", "condition", "ids"]);
            let is_empty = matches!(
                value.first(),
                Some(Node::Object { len: 0, .. } | Node::Static(StaticNode::Null) | Node::String("" | "*"))
            );
            // `{"_id":{"$exists":true}}` is met by all.
            let is_met = matches!(
                value,
                [Node::Object { len: 1, .. }, _, Node::Object { len: 1, .. }, Node::String("$exists" | "$ne"), Node::Static(_)]
            );
            says && !is_empty && !is_met
        })
    }

    /// What takes nothing away by its name, but by how it is asked for.
    fn changes(self, words: &[&str]) -> Option<Builtin> {
        let is = |word: &str| words.iter().any(|own| own.eq_ignore_ascii_case(word));
        let forced = self.is(&["force", "forced", "forcepush", "hard"], true) || self.has_flag(&["--force", "-f", "--mirror"]);
        if ["mkfs", "format", "erase", "wipe", "write", "zero", "dd"].iter().any(|verb| is(verb)) && self.has_device() {
            return Some(Builtin::ShellDisk);
        }
        let moves_ref = is("update") && is("ref") || is("patch") && self.names_path("/git/refs/");
        if moves_ref && forced {
            return Some(Builtin::GitPush);
        }
        let is_refs = ["ref", "refs", "branches", "tags"].iter().any(|noun| is(noun));
        let are_shared =
            || ["/main", "/master", "/*"].iter().any(|end| self.has_text(end)) || self.has_flag(&["main", "master", "*"]);
        if is("delete") && is_refs && are_shared() {
            return Some(Builtin::GitPush);
        }
        let sets_all =
            || self.values().any(|(name, value)| name == "where" && matches!(value.first(), Some(Node::Object { len: 0, .. })));
        if is("update") && words.len() == 1 && sets_all() {
            return Some(Builtin::ShellData);
        }
        if is("close") && is("account") && words.len() == 2 {
            return Some(Builtin::CloudDelete);
        }
        if is("push") && (forced || is("force")) && !self.has_flag(&["--force-with-lease"]) && words.len() <= 3 {
            return Some(Builtin::GitPush);
        }
        let hard = self.texts(|name| one_of(last_of(name), &["mode", "type"])).any(|mode| mode == "hard");
        if is("reset") && (hard || forced || self.has_flag(&["--hard"])) || is("clean") && forced {
            return Some(Builtin::GitReset);
        }
        if is("apply") && self.is(&["destroy"], true) {
            return Some(Builtin::ClusterDestroy);
        }
        if words.len() == 2 && is("update") && is("many") && !self.is_bounded() {
            return Some(Builtin::ShellData);
        }
        let none = |(name, value): (&str, Nodes<'_, '_>)| {
            let is_count = one_of(last_of(name), &["replicas", "capacity", "size", "count"]);
            is_count && matches!(value.first(), Some(Node::Static(StaticNode::I64(0) | StaticNode::U64(0))))
        };
        if is("scale") && self.values().any(none) {
            return Some(Builtin::ClusterStop);
        }
        let changes = ["modify", "update", "set", "patch", "configure", "put"].iter().any(|verb| is(verb));
        let unprotected = ["deletionprotection", "enabledeletionprotection", "terminationprotection", "disableapitermination"];
        let is_off = |name: &str| one_of(last_of(name), PROTECTS) || one_of(last_of(name), &["scanning"]);
        if changes && self.texts(is_off).any(|value| one_of(value, &["disabled", "off"])) {
            return Some(Builtin::CloudAudit);
        }
        if changes && self.is(&unprotected, false) || is("versioning") && self.has_text("Suspended") {
            return Some(Builtin::CloudAudit);
        }
        if is("lifecycle") && self.expires_at_once() {
            return Some(Builtin::CloudStorage);
        }
        if is("post") && self.names_path("/_delete_by_query") && self.has_text("match_all") {
            return Some(Builtin::ShellData);
        }
        let opens = is("authorize") && is("ingress") && (self.has_text("0.0.0.0/0") || self.has_text("::/0"));
        let admits = (is("attach") || is("put")) && is("policy") && self.has_text("AdministratorAccess");
        (opens || admits).then_some(Builtin::CloudAccess)
    }

    /// Whether a request goes to a path with this in it.
    fn names_path(self, part: &str) -> bool {
        self.texts(|name| one_of(last_of(name), &["path", "url", "endpoint", "uri"])).any(|path| path.contains(part))
    }

    /// The same as [`expires_at_once`], where the rules are objects.
    fn expires_at_once(self) -> bool {
        let nodes = self.nodes();
        let mut pairs = nodes.windows(2).take(NODES_MAX);
        let is_short = |value: &Node<'_>| matches!(value, Node::Static(StaticNode::I64(0 | 1) | StaticNode::U64(0 | 1)));
        let expires = nodes.windows(4).take(NODES_MAX).any(|four| {
            matches!(four, [Node::String("Expiration"), Node::Object { .. }, Node::String("Days"), days] if is_short(days))
        });
        expires && !pairs.any(|two| matches!(two, [Node::String("Prefix"), Node::String(prefix)] if !prefix.is_empty()))
    }

    /// Whether a text anywhere in the object ends so.
    fn has_text(self, end: &str) -> bool {
        self.nodes().iter().take(NODES_MAX).any(|node| matches!(node, Node::String(text) if text.ends_with(end)))
    }
}

/// What a name of words, the last of which counts most, is kept for.
fn kept(words: &[&str]) -> Option<Builtin> {
    let ends_so = |name: &&str| {
        let mut have = words.iter().rev();
        name.split(' ').rev().enumerate().all(|(back, want)| {
            have.next().is_some_and(|word| want.eq_ignore_ascii_case(if back == 0 { singular(word) } else { word }))
        })
    };
    KEPT.iter().find(|(_, names)| names.iter().any(ends_so)).map(|(builtin, _)| *builtin)
}

fn one_of(word: &str, list: &[&str]) -> bool {
    list.iter().any(|one| word.eq_ignore_ascii_case(one))
}

fn second<'n>(words: &[&'n str]) -> &'n str {
    words.get(1).copied().unwrap_or_default()
}

fn singular(word: &str) -> &str {
    match word.strip_suffix("ies") {
        Some("repositor") => "repository",
        Some("registr") => "registry",
        _ => word.strip_suffix('s').filter(|one| !one.ends_with('s') && one.len() > 1).unwrap_or(word),
    }
}

fn last_of(name: &str) -> &str {
    words(name).last().copied().unwrap_or_default()
}

/// A name in small letters without what separates its words.
fn joined(name: &str) -> arrayvec::ArrayString<NAME_BYTES_MAX> {
    let mut joined = arrayvec::ArrayString::new();
    for letter in name.chars().filter(char::is_ascii_alphanumeric) {
        if joined.try_push(letter.to_ascii_lowercase()).is_err() {
            break;
        }
    }
    joined
}

/// The words of a name such as `deleteDBInstance`, `delete_bucket`, `Microsoft.Compute/virtualMachines`.
fn words(name: &str) -> ArrayVec<&str, WORDS_MAX> {
    let mut words = ArrayVec::new();
    let bytes = name.as_bytes();
    // A command line is no name.
    if name.len() > NAME_BYTES_MAX || memchr::memchr(b' ', bytes).is_some() {
        return words;
    }
    let is = |at: Option<usize>, kind: fn(&u8) -> bool| at.and_then(|at| bytes.get(at)).is_some_and(kind);
    let mut start = 0;
    for at in 0..=bytes.len() {
        let separates = !is(Some(at), u8::is_ascii_alphanumeric);
        let begins = is(Some(at), u8::is_ascii_uppercase)
            && (!is(at.checked_sub(1), u8::is_ascii_uppercase) || is(Some(at + 1), u8::is_ascii_lowercase));
        if separates || begins {
            if let Some(word) = name.get(start..at).filter(|word| !word.is_empty())
                && words.try_push(word).is_err()
            {
                break;
            }
            start = at + usize::from(separates);
        }
    }
    words
}

/// Whether the rules of a bucket's lifecycle let everything in it go within a day.
pub(super) fn expires_at_once(rules: &[u8]) -> bool {
    let behind = |name: &[u8], from: usize| memchr::memmem::find(rules.get(from..)?, name).map(|at| from + at + name.len());
    let value =
        |from: usize| rules.get(from..).unwrap_or_default().trim_ascii_start().strip_prefix(b":").map(<[u8]>::trim_ascii_start);
    let days = behind(b"\"Expiration\"", 0).and_then(|at| behind(b"\"Days\"", at)).and_then(value).unwrap_or_default();
    let is_short = matches!(days, [b'0' | b'1', next, ..] if !next.is_ascii_digit());
    let prefix = behind(b"\"Prefix\"", 0).and_then(value);
    is_short && prefix.is_none_or(|prefix| prefix.starts_with(b"\"\""))
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_value;
    use super::words;

    #[test]
    fn names_are_split_into_words() {
        let rows: [(&str, &[&str]); 5] = [
            ("deleteDBInstance", &["delete", "DB", "Instance"]),
            ("delete_bucket", &["delete", "bucket"]),
            ("Microsoft.Compute/virtualMachines", &["Microsoft", "Compute", "virtual", "Machines"]),
            ("FLUSHALL", &["FLUSHALL"]),
            ("löschen", &["l", "schen"]),
        ];
        for (name, expect) in rows {
            assert_eq!(words(name).as_slice(), expect, "{name}");
        }
    }

    #[test]
    fn operations_are_judged_by_what_they_take_away() {
        let rows = [
            (r#"{"operation":"DeleteBucket","bucket":"prod-data"}"#, Some("cloud.storage-delete")),
            (r#"{"action":"delete_bucket_tagging","bucket":"prod-data"}"#, None),
            (r#"{"service":"ec2","operation":"TerminateInstances","parameters":{"InstanceIds":["i-1"]}}"#, Some("cloud.delete")),
            (r#"{"service":"ec2","operation":"TerminateInstances","parameters":{"DryRun":true}}"#, None),
            (r#"{"service":"rds","operation":"deleteDBInstance","dry_run":true}"#, None),
            (r#"{"service":"cloudtrail","action":"StopLogging","params":{"Name":"main"}}"#, Some("cloud.audit-off")),
            (r#"{"verb":"delete","resource":"namespace","name":"prod"}"#, Some("cluster.delete")),
            (r#"{"verb":"delete","resource":"pod","name":"web-1"}"#, None),
            (r#"{"collection":"users","operation":"deleteMany","filter":{}}"#, Some("shell.data-store")),
            (r#"{"collection":"users","operation":"deleteMany","filter":{"plan":"trial"}}"#, None),
            (r#"{"collection":"users","operation":"deleteOne","filter":{"_id":1}}"#, None),
            (r#"{"operation":"drop","collection":"orders"}"#, Some("shell.data-store")),
            (r#"{"operation":"push","remote":"origin","branch":"main","force":true}"#, Some("git.force-push")),
            (r#"{"operation":"push","remote":"origin","flags":["--force"]}"#, Some("git.force-push")),
            (r#"{"operation":"push","remote":"origin","branch":"topic"}"#, None),
            (r#"{"operation":"reset","mode":"hard","ref":"HEAD~3"}"#, Some("git.discard")),
            (r#"{"operation":"reset","mode":"soft","ref":"HEAD~1"}"#, None),
            (r#"{"action":"delete","path":"/var/lib/postgresql","recursive":true}"#, Some("shell.recursive-delete")),
            (r#"{"action":"delete","path":"build/old.txt"}"#, None),
            (r#"{"command":"destroy","auto_approve":true,"dir":"infra"}"#, Some("cluster.destroy")),
            (r#"{"action":"scale","kind":"deployment","name":"api","replicas":0}"#, Some("cluster.stop")),
            (r#"{"action":"scale","kind":"deployment","name":"api","replicas":3}"#, None),
            (r#"{"steps":[{"action":"drop_database","database":"shop"}]}"#, Some("sql.drop")),
            (r#"{"events":[{"action":"drop_database","database":"shop"}]}"#, None),
            (r#"{"action":"DeleteBucket","since":"2026-01-01"}"#, None),
            (r#"{"action":"delete_comment","id":7}"#, None),
            (r#"{"operation":"ModifyDBInstance","parameters":{"DeletionProtection":false}}"#, Some("cloud.audit-off")),
            (r#"{"action":"disable","target":"firewall"}"#, Some("cloud.audit-off")),
            (r#"{"action":"disable","target":"dark-mode"}"#, None),
            (r#"{"collection":"a","operation":"deleteMany","filter":{"_id":{"$exists":true}}}"#, Some("shell.data-store")),
            (r#"{"action":"delete","kind":"CustomResourceDefinition","name":"x"}"#, Some("cluster.delete")),
            (r#"{"action":"destroy","workspace":"prod","auto_approve":true,"tool":"terraform"}"#, Some("cluster.destroy")),
            (r#"{"params":{"tool":"kubectl","subcommand":"delete","resource":"statefulset"}}"#, Some("cluster.delete")),
            (r#"{"action":"remove_directory","target":"/","recursive":true}"#, Some("shell.recursive-delete")),
            (r#"{"operation":"delete","paths":["/home","/srv"]}"#, Some("shell.recursive-delete")),
            (r#"{"operation":"delete","paths":["build","dist/a.js"]}"#, None),
            (r#"{"method":"DELETE","path":"/api/v1/namespaces/payments"}"#, Some("shell.data-store")),
            (r#"{"method":"DELETE","path":"/api/v1/namespaces/payments/pods/web-1"}"#, None),
            (r#"{"method":"DELETE","path":"/notes/7"}"#, None),
            (r#"{"method":"DELETE","path":"/repos/acme/api"}"#, Some("cloud.delete")),
            (r#"{"method":"DELETE","path":"/repos/acme/api/issues/7/lock"}"#, None),
            (r#"{"database":"shop","command":{"dropDatabase":1}}"#, Some("sql.drop")),
            (r#"{"zone":"Z1","delete_zone":true}"#, Some("cloud.delete")),
            (r#"{"pull":7,"method":"squash","delete_branch":true}"#, None),
            (r#"{"tables":["users","payments"],"mode":"truncate"}"#, Some("sql.drop")),
            (r#"{"delete_backups":"all","retention_days":0}"#, Some("cloud.delete")),
            (r#"{"delete_branches":["main","develop"],"remote":"origin"}"#, Some("git.force-push")),
            (r#"{"delete_branches":["topic/a"],"remote":"origin"}"#, None),
            (r#"{"remove_labels":["bug"],"issue":7}"#, None),
            (r#"{"tool":"kubectl_delete","resourceType":"namespace","name":"prod"}"#, Some("cluster.delete")),
            (r#"{"tool":"kubectl_delete","resourceType":"pod","name":"web-1"}"#, None),
            (r#"{"operation":"mkfs","device":"/dev/sda1"}"#, Some("shell.disk-wipe")),
            (r#"{"table":"accounts","action":"update","set":{"balance":0},"where":{}}"#, Some("shell.data-store")),
            (r#"{"table":"accounts","action":"update","set":{"balance":0},"where":{"id":7}}"#, None),
            (r#"{"table":"patients","where":"1 = 1","action":"delete"}"#, Some("shell.data-store")),
            (r#"{"table":"patients","where":"id = 7","action":"delete"}"#, None),
            (r#"{"resource":"volumesnapshots","operation":"delete","all":true}"#, Some("shell.data-store")),
            (r#"{"file":{"path":"/home","state":"absent"}}"#, Some("shell.recursive-delete")),
            (r#"{"file":{"path":"build/x","state":"absent"}}"#, None),
            (r#"{"tool":"update_ref","ref":"refs/heads/main","force":true}"#, Some("git.force-push")),
            (r#"{"tool":"update_security","secret_scanning":"disabled"}"#, Some("cloud.audit-off")),
            (r#"{"commands":[["kubectl","get","ns"],["kubectl","delete","ns","orders"]]}"#, Some("cluster.delete")),
            (r#"{"steps":[{"git":["push","--force","origin"]}]}"#, Some("git.force-push")),
            (r#"{"steps":[{"git":["push","origin"]}]}"#, None),
            (
                r#"{"operation":"PutBucketLifecycleConfiguration","rules":[{"Expiration":{"Days":1},"Filter":{"Prefix":""}}]}"#,
                Some("cloud.storage-delete"),
            ),
            (r#"{"operation":"PutBucketLifecycleConfiguration","rules":[{"Expiration":{"Days":90}}]}"#, None),
            (r#"{"action":"release","version":"1.2.0"}"#, None),
            (r#"{"action":"reset","form":"signup"}"#, None),
        ];
        for (json, expect) in rows {
            assert_eq!(check_value(json).as_deref(), expect, "{json}");
        }
    }
}
