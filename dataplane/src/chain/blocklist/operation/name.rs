//! The names of operations and of the members of a call, and what their words say.
//!
//! Pure functions over names in any spelling: `deleteDBInstance`, `delete_bucket`, `tenants.bulk_delete`.

use arrayvec::ArrayVec;

use super::super::builtin::Builtin;

/// Most words of a name that are read. LIMIT: no operation has more.
pub(super) const WORDS_MAX: usize = 8;
/// Most bytes of a name. LIMIT: what is longer is a text.
const NAME_BYTES_MAX: usize = 64;

/// Verbs that take away.
const DELETES: &[&str] = &[
    "delete",
    "del",
    "rm",
    "rmtree",
    "unlink",
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

/// Words of operations that say nothing of what is taken: whose it is, and in what manner.
const FILLERS: &[&str] = &[
    "begin",
    "start",
    "request",
    "async",
    "batch",
    "and",
    "is",
    "force",
    "forced",
    "hard",
    "permanent",
    "permanently",
    "recursive",
    "recursively",
    "cascade",
    "now",
    "kubectl",
    "k8s",
    "kubernetes",
    "argocd",
    "helm",
    "etcd",
    "terraform",
    "tofu",
    "gcloud",
    "gcp",
    "aws",
    "azure",
    "az",
    "zfs",
    "api",
    "admin",
    "fs",
    "os",
    "shutil",
    "task",
    "org",
    "gdpr",
    "resource",
    "resources",
    "object",
];

/// Words that say that many are meant.
pub(super) const MASS: &[&str] = &["bulk", "all", "many", "every", "mass", "everything"];

/// Verbs before another that only look at what it does, or take it back.
pub(super) const LOOKS: &[&str] = &[
    "list", "get", "describe", "show", "search", "find", "count", "check", "can", "validate", "preview", "plan", "detect",
    "lookup", "cancel", "undo", "restore", "recover", "create", "add", "enable", "test",
];

/// Verbs that take away only from what is in [`RESET`].
const RESETS: &[&str] = &["release", "format", "reset", "empty", "flush"];

/// Verbs that switch off.
pub(super) const STOPS: &[&str] = &["disable", "stop", "suspend", "deactivate", "unprotect", "pause", "schedule"];

/// What is said or set in passing, and may go all at once.
pub(super) const SMALL: &[&str] =
    &["label", "comment", "reaction", "breakpoint", "filter", "highlight", "cookie", "notification", "listener"];

/// What is kept for a reason, by what may not be done to it; as a name ends, in the singular.
const KEPT: &[(Builtin, &[&str])] = &[
    (Builtin::CloudStorage, &["bucket", "blob container", "storage account", "file system", "filesystem", "file share"]),
    (
        Builtin::CloudAudit,
        &["trail", "detector", "log group", "audit log", "sensor", "flow log", "log sink", "protection", "recorder"],
    ),
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
            "site",
            "mailbox",
            "drive",
            "pool",
            "vmid",
            "realm",
            "guild",
            "audience",
            "datastore",
            "share",
            "secrets engine",
            "application",
            "secret",
            "catalog",
            "space",
            "keyvault",
        ],
    ),
    (Builtin::CloudAccess, &["access block"]),
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
            "nodegroup",
        ],
    ),
    (Builtin::ShellPublish, &["repository", "repo", "package"]),
    (Builtin::SqlDrop, &["database", "db", "table", "schema", "keyspace", "tablespace"]),
    (
        Builtin::ShellData,
        &["collection", "index", "dataset", "warehouse", "data stream", "topic", "queue", "cache", "vhost", "partition"],
    ),
];

/// What nobody resets or empties in passing.
pub(super) const RESET: &[&str] = &["database", "db", "disk", "volume", "cluster", "schema", "bucket", "cache", "domain"];

/// What protects: a verb that switches off must not be used on it.
pub(super) const PROTECTS: &[&str] = &[
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

/// What protects, and is never switched off in passing whatever it belongs to.
pub(super) const GUARDS: &[&str] = &[
    "audit",
    "mfa",
    "firewall",
    "waf",
    "versioning",
    "encryption",
    "guardduty",
    "cloudtrail",
    "defender",
    "antivirus",
    "retention",
];

/// Names of members that say where a thing is and not which.
pub(super) const CONTEXT: &[&str] = &[
    "region",
    "location",
    "provider",
    "profile",
    "context",
    "kubeconfig",
    "reason",
    "message",
    "comment",
    "note",
    "url",
    "endpoint",
    "addr",
    "address",
    "actor",
    "owner",
    "org",
    "organization",
    "account",
    "subscription",
    "env",
    "environment",
    "tool",
    "timeout",
    "cascade",
    "policy",
    "confirm",
    "host",
    "point",
    "mode",
];

/// What may go one by one, and not in a list.
pub(super) const LISTED: &[&str] = &["user", "account", "channel", "conversation", "service", "mailbox", "group", "secret"];

/// Whom an organization looks after.
pub(super) const PEOPLE: &[&str] = &["users", "members", "customers", "accounts", "employees", "contacts", "devices"];

/// Verbs that end what goes on: of all there is, nobody does so in passing.
pub(super) const ENDS: &[&str] =
    &["cancel", "archive", "deactivate", "mute", "silence", "suspend", "disable", "stop", "kill", "shutdown"];

/// Members whose value may be all there is, and say nothing of what is taken.
pub(super) const UNTELLING: &[&str] =
    &["fields", "columns", "select", "include", "origin", "origins", "event", "events", "type", "types", "permissions", "scope"];

/// Names of members that say of what kind the thing is.
pub(super) const KINDS: &[&str] = &["resource", "kind", "type", "service", "object", "entity", "target", "resources", "scope"];

/// What members are called that say what is to be done: `action`, `graphqlOperation`, `function_name`.
const STRONG: &[&str] = &[
    "action",
    "operation",
    "op",
    "verb",
    "method",
    "function",
    "fn",
    "func",
    "command",
    "subcommand",
    "cmd",
    "cmdlet",
    "api",
    "call",
    "rpc",
    "intent",
    "do",
];

/// What members are called that say what is to be done only where none says it better.
const WEAK: &[&str] = &["tool", "mode", "state", "endpoint"];

/// What members are called that hold names of things, and of no operation.
const HOLD_NAMES: &[&str] = &[
    "name",
    "title",
    "branch",
    "ref",
    "tag",
    "tags",
    "file",
    "path",
    "text",
    "body",
    "q",
    "scope",
    "scopes",
    "role",
    "description",
    "summary",
    "comment",
    "note",
    "id",
    "key",
    "metric",
    "topic",
    "source",
    "search",
    "pattern",
    "grep",
    "keyword",
    "status",
    "url",
    "content",
    "value",
    "feature",
    "flag",
    "column",
    "field",
    "table",
    "class",
    "module",
    "doc",
    "page",
    "cell",
    "prompt",
    "queue",
    "job",
    "workflow",
    "pipeline",
    "suite",
    "subject",
    "issue",
    "project",
    "repo",
    "repository",
    "kind",
    "type",
];

/// What objects are called that only tell of calls: what others did, what is looked for, what is watched.
const TALES: &[&str] = &[
    "event",
    "log",
    "entry",
    "record",
    "filter",
    "trigger",
    "match",
    "where",
    "query",
    "when",
    "rule",
    "monitor",
    "alert",
    "webhook",
    "message",
    "context",
    "example",
    "expected",
    "test",
    "condition",
    "detail",
    "history",
    "permission",
    "statement",
    "policy",
    "properties",
    "policies",
    "entries",
    "queries",
    "schema",
    "annotation",
    "metadata",
    "label",
    "state",
    "previous",
    "last",
];

/// A name and its words, which are found once for all that is asked of it.
pub(in super::super) struct Name<'n> {
    text: &'n str,
    words: ArrayVec<&'n str, WORDS_MAX>,
}

impl<'n> Name<'n> {
    pub(in super::super) fn of(text: &'n str) -> Name<'n> {
        Name { text, words: words(text) }
    }

    fn last(&self) -> &'n str {
        self.words.last().copied().unwrap_or_default()
    }

    /// The word that tells what a member is: the last but for `name` and its kin.
    fn told_by(&self) -> &'n str {
        match self.words.as_slice() {
            [.., word, last] if one_of(last, &["name", "type", "id"]) => word,
            _ => self.last(),
        }
    }

    /// Whether a member of this name says what is to be done: `action`, `graphqlOperation`, `tool_name`.
    pub(in super::super) fn is_operation(&self) -> bool {
        self.says_weakly() || one_of(self.told_by(), STRONG)
    }

    /// Whether a member says what is to be done only where none says it better: `{"tool":"terraform","action":"destroy"}`.
    pub(in super::super) fn says_weakly(&self) -> bool {
        self.text == "name" || one_of(self.told_by(), WEAK)
    }

    /// Whether a member of this name may hold an operation, though its name does not say so: `{"operator":"DeleteNamespace"}`.
    pub(in super::super) fn may_hold_operation(&self) -> bool {
        !one_of(self.last(), HOLD_NAMES) && !self.tells_of_calls()
    }

    /// Whether an object under this name only tells of a call: what others did, what is looked for, what is watched.
    pub(in super::super) fn tells_of_calls(&self) -> bool {
        self.words.iter().any(|word| one_of(word, LOOKS)) || one_of(self.last(), TALES) || one_of(singular(self.last()), TALES)
    }

    /// Whether the name of an operation says that something is taken away.
    pub(in super::super) fn is_deletion(&self) -> bool {
        Deletion::of(&self.words).is_some()
    }

    /// Whether it is a deletion, and says of what: `{"DeleteFileSystem":{…}}`.
    pub(in super::super) fn is_deletion_of(&self) -> bool {
        self.words.len() > 1 && self.is_deletion()
    }

    /// Whether it is an operation that takes away what is kept: `DeleteNamespace`, `drop_keyspace`.
    pub(in super::super) fn takes_kept(&self) -> bool {
        let takes = |deletion: Deletion<'_>| !deletion.is_mild() && kept(&deletion.nouns).is_some();
        self.words.len() > 1 && is_identifier(self.text) && Deletion::of(&self.words).is_some_and(takes)
    }

    /// Whether a member is called like the verb of a deletion: `{"resource":"volumes","delete":["a","b"]}`.
    pub(in super::super) fn is_verb(&self) -> bool {
        one_of(self.text, DELETES)
    }

    /// Whether a member of this name, switched on, deletes what it names: `delete_zone`, `dropDatabase`.
    pub(in super::super) fn is_switch(&self) -> bool {
        let is_deletion = self.words.len() > 1 && self.words.first().is_some_and(|verb| one_of(verb, DELETES));
        is_deletion && !one_of(singular(self.last()), &["cache", "image"]) || joined(self.text).as_str() == "isdestroy"
    }
}

/// Whether a text may be the name of something. A command line is none.
pub(in super::super) fn may_name(text: &str) -> bool {
    text.len() <= NAME_BYTES_MAX && memchr::memchr(b' ', text.as_bytes()).is_none()
}

/// Whether a text is the name of an operation that takes away what is kept; see [`Name::takes_kept`].
pub(in super::super) fn takes_kept(text: &str) -> bool {
    is_identifier(text) && Name::of(text).takes_kept()
}

fn is_identifier(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether switching a member of this name off takes away what keeps a thing from being deleted.
pub(in super::super) fn is_protection(name: &str) -> bool {
    let protections = [
        "deletionprotection",
        "enabledeletionprotection",
        "terminationprotection",
        "enableterminationprotection",
        "disableapitermination",
    ];
    one_of(&joined(name), &protections)
}

/// Whether a member says by which method a request is made.
pub(in super::super) fn is_request_method(name: &str) -> bool {
    matches!(joined(name).as_str(), "method" | "verb" | "httpmethod" | "httpverb" | "requestmethod")
}

/// Whether a member of this name holds rules by which things go by themselves.
pub(in super::super) fn is_lifecycle(name: &str) -> bool {
    name.starts_with("lifecycle") || name.starts_with("Lifecycle")
}

/// Whether the objects of a list under this name are calls.
pub(in super::super) fn holds_calls(name: &str) -> bool {
    is_nested(name)
        || matches!(
            name,
            "steps" | "actions" | "operations" | "calls" | "commands" | "tasks" | "requests" | "job" | "task" | "chain" | "batch"
        )
}

/// Whether a member holds values of the call it is in.
pub(super) fn is_nested(name: &str) -> bool {
    matches!(
        name,
        "params"
            | "parameters"
            | "input"
            | "inputs"
            | "options"
            | "args"
            | "arguments"
            | "kwargs"
            | "body"
            | "request"
            | "payload"
    )
}

/// Whether a member holds what the call sets.
pub(super) fn holds_settings(name: &str) -> bool {
    let names = ["flags", "settings", "config", "configuration", "policies", "policy", "properties", "security", "spec", "patch"];
    one_of(name, &names)
}

/// What the name of an operation says of a deletion.
pub(super) struct Deletion<'n> {
    verb: &'n str,
    /// What is taken, as far as the name says: whose it is first.
    pub(super) nouns: ArrayVec<&'n str, WORDS_MAX>,
    /// Many are meant.
    pub(super) is_mass: bool,
}

impl<'n> Deletion<'n> {
    pub(super) fn of(words: &[&'n str]) -> Option<Deletion<'n>> {
        let at = words.iter().position(|word| one_of(word, DELETES)).or_else(|| {
            let ends = [0, words.len().saturating_sub(1)];
            ends.into_iter().find(|at| words.get(*at).is_some_and(|word| one_of(word, RESETS)))
        })?;
        if words.iter().take(at).any(|word| one_of(word, LOOKS)) {
            return None;
        }
        let says_what = |word: &&str| ![DELETES, RESETS, FILLERS, MASS].iter().any(|list| one_of(word, list));
        Some(Deletion {
            verb: words.get(at).copied()?,
            nouns: words.iter().copied().filter(says_what).collect(),
            is_mass: words.iter().any(|word| one_of(word, MASS)),
        })
    }

    pub(super) fn is(&self, verbs: &[&str]) -> bool {
        one_of(self.verb, verbs)
    }

    /// It takes away only from some things.
    pub(super) fn is_mild(&self) -> bool {
        self.is(RESETS)
    }
}

/// What a name of words, the last of which counts most, is kept for.
pub(super) fn kept(words: &[&str]) -> Option<Builtin> {
    let ends_so = |name: &&str| {
        let mut have = words.iter().rev();
        name.split(' ').rev().enumerate().all(|(back, want)| {
            have.next().is_some_and(|word| want.eq_ignore_ascii_case(if back == 0 { singular(word) } else { word }))
        })
    };
    KEPT.iter().find(|(_, names)| names.iter().any(ends_so)).map(|(builtin, _)| *builtin)
}

/// Whether a text selects all there is.
pub(super) fn means_all(text: &str) -> bool {
    matches!(text, "all" | "ALL" | "*" | ".*" | "**" | "%" | "_all" | "^.*$" | "TRUE()")
}

/// The words of a member's name but for those that say that it identifies: `StackName`, `vm_ids`.
pub(super) fn without_id(name: &str) -> ArrayVec<&str, WORDS_MAX> {
    let mut words = words(name);
    let ends = ["id", "ids", "name", "names", "key", "keys", "arn", "arns", "identifier", "identifiers", "uuid", "slug"];
    while words.last().is_some_and(|word| one_of(word, &ends)) {
        words.pop();
    }
    words
}

pub(super) fn one_of(word: &str, list: &[&str]) -> bool {
    list.iter().any(|one| word.eq_ignore_ascii_case(one))
}

pub(super) fn singular(word: &str) -> &str {
    if word.eq_ignore_ascii_case("indices") {
        return "index";
    }
    match word.strip_suffix("ies") {
        Some("repositor") => "repository",
        Some("registr") => "registry",
        _ => word.strip_suffix('s').filter(|one| !one.ends_with('s') && one.len() > 1).unwrap_or(word),
    }
}

pub(super) fn last_of(name: &str) -> &str {
    Name::of(name).last()
}

/// A name in small letters without what separates its words.
pub(super) fn joined(name: &str) -> arrayvec::ArrayString<NAME_BYTES_MAX> {
    let mut joined = arrayvec::ArrayString::new();
    for letter in name.chars().filter(char::is_ascii_alphanumeric) {
        if joined.try_push(letter.to_ascii_lowercase()).is_err() {
            break;
        }
    }
    joined
}

/// The words of a name such as `deleteDBInstance`, `delete_bucket`, `Microsoft.Compute/virtualMachines`.
pub(super) fn words(name: &str) -> ArrayVec<&str, WORDS_MAX> {
    let mut words = ArrayVec::new();
    let bytes = name.as_bytes();
    if !may_name(name) {
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

#[cfg(test)]
mod tests {
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
}
