//! Calls that say by name what is to be done and to what, and are no command: `{"operation":"DeleteBucket"}`,
//! `{"verb":"delete","resource":"namespace"}`, `{"action":"deleteMany","filter":{}}`.
//!
//! Pure functions over an object of the tape. A verb that takes away counts where what it takes is kept for a reason, or
//! where it takes all there is. One record, one message, one pod is everyday work.

mod name;

use simd_json::{Node, StaticNode};
use wire::jsonrpc::{Nodes, members};

use self::name::{
    CONTEXT, Deletion, ENDS, GUARDS, KINDS, LISTED, LOOKS, MASS, PEOPLE, PROTECTS, RESET, SMALL, STOPS, UNTELLING,
    holds_settings, is_nested, joined, kept, last_of, means_all, one_of, singular, without_id, words,
};
use super::builtin::Builtin;
use super::shell_target::{self, Place};

pub(super) use self::name::{Name, holds_calls, is_lifecycle, is_protection, is_request_method, may_name, takes_kept};

/// Most members of a call, and most nodes of it that are searched for a text. LIMIT: what has more is data.
const MEMBERS_MAX: usize = 64;
const NODES_MAX: usize = 256;

/// What the object at the front, whose operation is `name`, would do.
pub(super) fn check(object: Nodes<'_, '_>, name: &str) -> Option<Builtin> {
    let words = words(name);
    let call = Call { object };
    // Anything may be called something; a call has arguments too.
    if call.is_only_called(name) && !name.contains('.') {
        return None;
    }
    let taken = || match Deletion::of(&words) {
        Some(deletion) => call.deletes(&deletion),
        None => call.stops(&words).or_else(|| call.ends(&words)),
    };
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
            let inner = if is_nested(name) || holds_settings(name) { value } else { &[] };
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

    /// The text is what something is called, and no call's name: that has arguments beside it.
    fn is_only_called(self, text: &str) -> bool {
        let is_name = |(name, value): (&str, Nodes<'_, '_>)| {
            name == "name" && matches!(value.first(), Some(Node::String(own)) if std::ptr::eq(*own, text))
        };
        members(self.object).any(is_name)
            && !members(self.object).any(|(name, value)| is_nested(name) && matches!(value.first(), Some(Node::Object { .. })))
    }

    /// A dry run, or a search for what others did.
    fn only_asks(self) -> bool {
        let asks = ["dryrun", "preview", "simulate", "whatif", "planonly", "checkonly", "validateonly", "noop"];
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
    fn deletes(self, deletion: &Deletion<'_>) -> Option<Builtin> {
        let Deletion { nouns, is_mass, .. } = deletion;
        let is_mild = deletion.is_mild();
        if let Some(last) = nouns.last().copied() {
            if one_of(last, &["directory", "dir", "folder", "tree", "path", "file", "files"]) && self.is_broad() {
                return Some(Builtin::ShellDelete);
            }
            // Some of what is kept for speed.
            if one_of(singular(last), &["cache"])
                && self.values().any(|(_, value)| matches!(value.first(), Some(Node::Array { .. })))
            {
                return None;
            }
            let found = kept(nouns).or_else(|| self.kind_of(last));
            let found = found.filter(|_| !is_mild || one_of(singular(last), RESET));
            // A filter says of people only which of many.
            if one_of(last, PEOPLE) && !deletion.is(&["remove"]) && !self.names_each() {
                return Some(Builtin::ShellData);
            }
            let is_small = one_of(singular(last), SMALL);
            let takes_many = || (*is_mass && !is_small && !self.is_bounded()) || self.takes_all();
            return found.or_else(|| takes_many().then_some(Builtin::ShellData)).or_else(|| self.lists_kept());
        }
        if *is_mass && !self.is_bounded() {
            return Some(Builtin::ShellData);
        }
        self.deletes_what_members_say(deletion)
    }

    /// The same where the name of the operation does not say what is taken.
    fn deletes_what_members_say(self, deletion: &Deletion<'_>) -> Option<Builtin> {
        let is_mild = deletion.is_mild();
        for kind in self.kinds() {
            let kind = words(kind);
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
        if deletion.is(&["deletecollection"]) {
            return Some(Builtin::ClusterDelete);
        }
        if self.takes_all() || deletion.is(&["nuke", "obliterate"]) {
            return Some(Builtin::ShellData);
        }
        let unasked = ["autoapprove", "autoapply", "force", "skippreview", "yes"];
        if deletion.is(&["destroy"]) && (self.is(&unasked, true) || self.has_flag(&["-auto-approve"])) {
            return Some(Builtin::ClusterDestroy);
        }
        if let Some(found) = self.lists_kept().filter(|_| !is_mild) {
            return Some(found);
        }
        let drops = deletion.is(&["drop", "truncate", "purge", "wipe"])
            && self.values().any(|(name, _)| {
                let things = ["collection", "table", "database", "queue", "index", "project", "repo", "repository", "bucket"];
                one_of(singular(last_of(name)), &things)
            });
        if drops {
            return Some(Builtin::ShellData);
        }
        let releases = deletion.is(&["uninstall"]) && self.values().any(|(name, _)| one_of(last_of(name), &["release", "chart"]));
        let is_certain = deletion.is(&["delete", "destroy", "terminate", "erase", "decommission", "deprovision", "teardown"]);
        let subject = || self.only_subject().filter(|_| is_certain);
        if releases { Some(Builtin::ClusterDelete) } else { subject() }
    }

    /// `{"verb":"delete","clusters":["a","b"]}`, `{"resources":["namespace/a","namespace/b"]}`.
    fn lists_kept(self) -> Option<Builtin> {
        self.values().find_map(|(name, value)| {
            let Some(Node::Array { len: len @ 2.., .. }) = value.first() else { return None };
            let thing = without_id(name);
            let is_listed = *len > 2 && thing.last().is_some_and(|last| one_of(singular(last), LISTED));
            let kind = match value.get(1) {
                Some(Node::String(first)) if one_of(last_of(name), KINDS) => first.split_once('/').map(|(kind, _)| words(kind)),
                _ => None,
            };
            kept(&thing).or_else(|| kind.and_then(|kind| kept(&kind))).or(is_listed.then_some(Builtin::ShellData))
        })
    }

    /// What the member is kept for whose name ends with what the operation takes: `{"action":"group_delete","resource_group":…}`.
    fn kind_of(self, noun: &str) -> Option<Builtin> {
        let says = |(name, value): (&str, Nodes<'_, '_>)| {
            let name = without_id(name);
            let is_it = name.len() > 1 && name.last().is_some_and(|last| singular(last).eq_ignore_ascii_case(singular(noun)));
            (is_it && matches!(value.first(), Some(Node::String(_)))).then(|| kept(&name)).flatten()
        };
        self.values().find_map(says)
    }

    /// What the one member is kept for that says which thing is meant: `{"op":"destroy","dataset":"tank/vm"}`, but not
    /// `{"op":"delete","table":"orders","id":7}`.
    fn only_subject(self) -> Option<Builtin> {
        let names_one = |value: Nodes<'_, '_>| match value.first() {
            Some(Node::String(text)) => !text.is_empty(),
            Some(Node::Static(StaticNode::Bool(_) | StaticNode::Null)) | None => false,
            Some(_) => true,
        };
        let says_something_else = |name: &str| {
            Name::of(name).is_operation() || is_nested(name) || holds_settings(name) || one_of(last_of(name), CONTEXT)
        };
        let says_which = |name: &str, value| name.eq_ignore_ascii_case("name") || names_one(value) && !says_something_else(name);
        let mut subjects = self.values().filter(|(name, value)| says_which(name, value));
        let (name, _) = subjects.next()?;
        kept(&without_id(name)).filter(|_| subjects.next().is_none())
    }

    /// Whether it says that all there is goes.
    fn takes_all(self) -> bool {
        let all = ["all", "allnamespaces", "allversions", "includesubgroups", "allchildren", "deleteall", "prefix", "fromkey"];
        let selects = ["where", "filter", "condition", "formula", "prefix"];
        let is_met = |text: &str| matches!(joined(text).as_str(), "" | "1" | "true" | "all") || text.replace(' ', "") == "1=1";
        self.is(&all, true)
            || self.values().any(|(name, value)| {
                let is_selection = one_of(last_of(name), &selects);
                let is_name = !one_of(last_of(name), UNTELLING);
                match value.split_first() {
                    Some((Node::String(""), _)) if one_of(name, &["key", "path"]) => true,
                    Some((Node::String(text), _)) => is_name && means_all(text) || is_selection && is_met(text),
                    Some((Node::Array { len, .. }, items)) => {
                        is_name && items.iter().take(*len).any(|item| matches!(item, Node::String(text) if means_all(text)))
                    }
                    Some((Node::Object { len: 0, .. }, _)) => is_selection,
                    _ => false,
                }
            })
    }

    /// Whether one of its texts is a device that holds data.
    fn has_device(self) -> bool {
        let is_device = |path: &str| path.starts_with("/dev/") && shell_target::place(path.as_bytes()) == Place::Device;
        self.nodes().iter().take(NODES_MAX).any(|node| matches!(node, Node::String(text) if is_device(text)))
    }

    /// Ends all there is of something that goes on: `{"action":"cancel_all_subscriptions"}`.
    fn ends(self, words: &[&str]) -> Option<Builtin> {
        let ends = words.iter().take(3).any(|word| one_of(word, ENDS));
        let is_small = words.iter().any(|word| one_of(singular(word), SMALL));
        let is_mass = || words.iter().any(|word| one_of(word, MASS)) && !self.is_bounded();
        (ends && !is_small && (is_mass() || self.takes_all())).then_some(Builtin::ShellData)
    }

    /// Switches off what protects.
    fn stops(self, words: &[&str]) -> Option<Builtin> {
        let at = words.iter().position(|word| one_of(word, STOPS))?;
        let verb = words.get(at).copied()?;
        if words.iter().take(at).any(|word| one_of(word, LOOKS)) {
            return None;
        }
        let (before, after) = (words.get(..at).unwrap_or_default(), words.get(at + 1..).unwrap_or_default());
        let is = |noun: &str| before.iter().chain(after).any(|word| singular(word).eq_ignore_ascii_case(noun));
        let protects = |word: &str| one_of(singular(word), PROTECTS);
        let stops = match after.last().or(before.last()) {
            _ if one_of(verb, &["unprotect"]) => true,
            _ if one_of(verb, &["schedule"]) => is("deletion"),
            None => self.kinds().any(|kind| protects(last_of(kind))),
            Some(last) => is("mfa") || protects(last),
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

    /// Whether the call says of each of them that it is meant.
    fn names_each(self) -> bool {
        let names = ["id", "ids", "email", "emails", "key", "keys", "name", "names"];
        self.values().any(|(name, value)| {
            let says =
                one_of(last_of(name), &names) && !without_id(name).iter().any(|word| one_of(word, &["org", "team", "group"]));
            says && matches!(value.first(), Some(Node::Array { .. } | Node::String(_) | Node::Static(_)))
        })
    }

    /// Whether something says which of many are meant.
    fn is_bounded(self) -> bool {
        self.values().any(|(name, value)| {
            let says = one_of(last_of(name), &["filter", "query", "where", "selector", "criteria", "match", "condition", "ids"]);
            let is_empty =
                matches!(value.first(), Some(Node::Object { len: 0, .. } | Node::Static(StaticNode::Null) | Node::String("")));
            let is_all = matches!(value.first(), Some(Node::String(text)) if means_all(text))
                || matches!(value, [Node::Object { .. } | Node::Array { .. }, .., Node::String(text)] if means_all(text));
            // `{"_id":{"$exists":true}}` is met by all.
            let is_met = matches!(
                value,
                [Node::Object { len: 1, .. }, _, Node::Object { len: 1, .. }, Node::String("$exists" | "$ne"), Node::Static(_)]
            );
            says && !is_empty && !is_all && !is_met
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
        let is_refs = ["ref", "refs", "branch", "branches", "tags"].iter().any(|noun| is(noun));
        if is("delete") && is_refs && self.names_shared_branch() {
            return Some(Builtin::GitPush);
        }
        let sets_all =
            || self.values().any(|(name, value)| name == "where" && matches!(value.first(), Some(Node::Object { len: 0, .. })));
        if is("update") && words.len() == 1 && sets_all() {
            return Some(Builtin::ShellData);
        }
        if is("flushall") || is("flushdb") {
            return Some(Builtin::ShellData);
        }
        let changes = ["modify", "update", "set", "patch", "configure", "put", "edit", "change"].iter().any(|verb| is(verb));
        let is_repository = || self.names_path("/repos/") || is("repository") || is("repo");
        if changes && is_repository() && self.is_made_public() {
            return Some(Builtin::CloudAccess);
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
        let scales = is("scale") || is("scaling") || is("resize") || is("set") && (is("size") || is("capacity"));
        if scales && self.counts_none() || is("drain") && self.takes_all() {
            return Some(Builtin::ClusterStop);
        }
        let is_off = |name: &str| one_of(last_of(name), PROTECTS) || one_of(last_of(name), &["scanning"]);
        if changes && (self.texts(is_off).any(|value| one_of(value, &["disabled", "off"])) || self.lowers_a_guard()) {
            return Some(Builtin::CloudAudit);
        }
        let unprotects = || {
            let is_off = |value: Nodes<'_, '_>| matches!(value.first(), Some(Node::Static(StaticNode::Bool(false))));
            self.values().any(|(name, value)| name::is_protection(name) && is_off(value))
        };
        if (changes || is("protection")) && unprotects() || is("versioning") && self.has_text("Suspended") {
            return Some(Builtin::CloudAudit);
        }
        if is("lifecycle") && self.expires_at_once() {
            return Some(Builtin::CloudStorage);
        }
        if is("post") && self.names_path("/_delete_by_query") && self.has_text("match_all") {
            return Some(Builtin::ShellData);
        }
        let opens = is("authorize") && is("ingress") && (self.has_text("0.0.0.0/0") || self.has_text("::/0"));
        let admits = ["attach", "put", "create", "add", "assign"].iter().any(|verb| is(verb))
            && ["policy", "role", "user", "access", "key", "member"].iter().any(|noun| is(noun))
            && (self.has_text("AdministratorAccess") || self.has_text("Global Administrator"));
        (opens || admits).then_some(Builtin::CloudAccess)
    }

    /// Whether it is about a branch that others build on.
    fn names_shared_branch(self) -> bool {
        ["/main", "/master", "/*"].iter().any(|end| self.has_text(end)) || self.has_flag(&["main", "master", "production", "*"])
    }

    /// `{"private":false}`, `{"visibility":"public"}`.
    fn is_made_public(self) -> bool {
        self.is(&["private"], false) || self.texts(|name| last_of(name) == "visibility").any(|to| to == "public")
    }

    /// Whether it leaves none of what runs: `{"patch":{"spec":{"replicas":0}}}`.
    fn counts_none(self) -> bool {
        let is_count = |name: &str| {
            let words = words(name);
            let least = words.first().is_some_and(|word| one_of(word, &["min", "minimum"]));
            !least && words.last().is_some_and(|last| one_of(last, &["replicas", "capacity", "size", "count", "desired"]))
        };
        self.nodes().windows(2).take(NODES_MAX).any(
            |two| matches!(two, [Node::String(name), Node::Static(StaticNode::I64(0) | StaticNode::U64(0))] if is_count(name)),
        )
    }

    /// `{"audit_logging":false}`, `{"firewall":{"enabled":false}}`.
    fn lowers_a_guard(self) -> bool {
        let is_guard = |name: &str| words(name).iter().any(|word| one_of(singular(word), GUARDS));
        let is_off = |value: &StaticNode| *value == StaticNode::Bool(false);
        let nodes = self.nodes().get(..NODES_MAX.min(self.nodes().len())).unwrap_or_default();
        nodes.windows(2).any(|two| matches!(two, [Node::String(name), Node::Static(value)] if is_off(value) && is_guard(name)))
            || nodes.windows(4).any(|four| match four {
                [Node::String(name), Node::Object { .. }, Node::String("enabled"), Node::Static(value)] => {
                    is_off(value) && is_guard(name)
                }
                _ => false,
            })
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
            matches!(four, [Node::String("Expiration" | "expiration"), Node::Object { .. }, Node::String("Days" | "days"), days] if is_short(days))
        });
        let names_some =
            |two: &[Node<'_>]| matches!(two, [Node::String("Prefix" | "prefix"), Node::String(prefix)] if !prefix.is_empty());
        expires && !pairs.any(names_some)
    }

    /// Whether a text anywhere in the object ends so.
    fn has_text(self, end: &str) -> bool {
        self.nodes().iter().take(NODES_MAX).any(|node| matches!(node, Node::String(text) if text.ends_with(end)))
    }
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
            (r#"{"method":"delete","path":"/subscriptions/7/resourceGroups/core","apiType":"azure"}"#, Some("cloud.delete")),
            (r#"{"method":"delete","path":"/me/messages/7","apiType":"graph"}"#, None),
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
            (r#"{"lifecycle":{"rules":[{"prefix":"","expiration":{"days":1}}]},"bucket":"b"}"#, Some("cloud.storage-delete")),
            // Names in the spelling of any service.
            (r#"{"action":"tenants.bulk_delete","tenant_ids":"all"}"#, Some("cloud.delete")),
            (r#"{"action":"KMS.ScheduleKeyDeletion","input":{"KeyId":"k"}}"#, Some("cloud.audit-off")),
            (r#"{"action":"KMS.CancelKeyDeletion","input":{"KeyId":"k"}}"#, None),
            (r#"{"Operation":"cloudformation:DeleteStack","StackName":"net"}"#, Some("cloud.delete")),
            (r#"{"Operation":"cloudformation:DescribeStacks","StackName":"net"}"#, None),
            (r#"{"action":"az_group_delete","resource_group":"rg"}"#, Some("cloud.delete")),
            (r#"{"eks_operation":"DeleteCluster","clusterName":"c"}"#, Some("cluster.delete")),
            (r#"{"tool":"helm_uninstall","release":"ingress"}"#, Some("cluster.delete")),
            (r#"{"tool":"helm_get_values","release":"ingress"}"#, None),
            // An object under the name of a service, or of the operation itself.
            (r#"{"vercel":{"action":"deleteProject","idOrName":"shop"}}"#, Some("cloud.delete")),
            (r#"{"efs":{"DeleteFileSystem":{"FileSystemId":"fs-1"}}}"#, Some("cloud.storage-delete")),
            (r#"{"trigger":{"action":"deleteProject"},"notify":"ops"}"#, None),
            (r#"{"auth_can_i":{"verb":"delete","resource":"namespaces"}}"#, None),
            (r#"{"properties":{"delete_bucket":{"type":"string"}}}"#, None),
            (r#"{"service":{"actions":{"DeleteStack":{"about":"x"}}}}"#, None),
            (r#"{"examples":{"DeleteStack":[{"about":"x"}]}}"#, None),
            (r#"{"operations":{"A":{},"B":{},"C":{},"D":{},"E":{},"F":{},"G":{},"H":{},"DeleteStack":{"input":{}}}}"#, None),
            (r#"{"name":"delete_pvc","arguments":{"namespace":"db"}}"#, Some("cluster.delete")),
            (r#"{"name":"delete_pvc","schedule":"daily"}"#, None),
            // What one member, or every member of a list, says of what is taken.
            (r#"{"zfs":{"op":"destroy","dataset":"tank/vm"}}"#, Some("shell.data-store")),
            (r#"{"op":"delete","table":"orders","id":7}"#, None),
            (r#"{"vm_ids":[101,102],"action":"destroy"}"#, Some("cloud.delete")),
            (r#"{"verb":"delete","resources":["namespace/a","namespace/b"]}"#, Some("cluster.delete")),
            (r#"{"action":"admin.users.remove","user_ids":["a","b","c"]}"#, Some("shell.data-store")),
            (r#"{"action":"admin.users.remove","user_ids":["a"]}"#, None),
            (r#"{"op":"delete_records","table":"contacts","filterByFormula":"TRUE()"}"#, Some("shell.data-store")),
            (r#"{"action":"waf.rules.delete","rule_ids":["*"]}"#, Some("shell.data-store")),
            (r#"{"action":"bulk_delete_issues","jql":"project = OPS"}"#, Some("shell.data-store")),
            (r#"{"action":"cancel_all_jobs","queue":"x"}"#, Some("shell.data-store")),
            (r#"{"action":"remove_all_labels","issue":7}"#, None),
            (r#"{"tool":"kubectl_scale","patch":{"spec":{"replicas":0}}}"#, Some("cluster.stop")),
            (r#"{"tool":"update_org","policies":{"audit_logging":false}}"#, Some("cloud.audit-off")),
            (r#"{"tool":"update_org","policies":{"dark_mode":false}}"#, None),
            (r#"{"run":{"is-destroy":true,"auto-apply":true},"tool":"create_run"}"#, Some("cluster.destroy")),
            (r#"{"run":{"is-destroy":false},"tool":"create_run"}"#, None),
            (r#"{"httpMethod":"DELETE","endpoint":"https://api.example.com/v4/zones/7"}"#, Some("cloud.delete")),
            (r#"{"verb":"GET","url":"https://api.example.com/v4/zones/7"}"#, None),
            // Whatever the member is called that holds it.
            (r#"{"operator":"DeleteNamespace","temporal_namespace":"orders"}"#, Some("cluster.delete")),
            (r#"{"branch":"delete_namespace","base":"main"}"#, None),
            (r#"{"eventName":"DeleteNamespace","count":20}"#, None),
            (r#"{"cosmos":{"deleteDatabase":"orders"}}"#, Some("sql.drop")),
            (r#"{"hcloud":{"resource":"volumes","delete":["a","b"]}}"#, Some("cloud.delete")),
            (r#"{"disk":"/dev/nvme0n1","operation":"wipe","method":"dod"}"#, Some("shell.disk-wipe")),
            (r#"{"okta":{"op":"delete_users","filter":{"status":"ACTIVE"}}}"#, Some("shell.data-store")),
            (r#"{"okta":{"op":"delete_users","user_ids":["a"]}}"#, None),
            (r#"{"database":"shop","modify":{"deletionProtection":false}}"#, Some("cloud.audit-off")),
            (r#"{"database":"shop","modify":{"deletionProtection":true}}"#, None),
            (r#"{"fn":"fs.rm","paths":["/etc","/home"]}"#, Some("shell.recursive-delete")),
            (r#"{"redis":["FLUSHALL","ASYNC"]}"#, Some("shell.data-store")),
            (r#"{"operation":"flushall"}"#, Some("shell.data-store")),
            (r#"{"action":"drop_object","object_type":"DATABASE","database_name":"A"}"#, Some("sql.drop")),
            (r#"{"action":"delete_object","bucket":"b","key":"k"}"#, None),
            (r#"{"method":"PATCH","path":"/repos/acme/core","body":{"private":false}}"#, Some("cloud.access")),
            (r#"{"method":"PATCH","path":"/repos/acme/core","body":{"private":true}}"#, None),
            (r#"{"action":"create_repository","name":"demo","private":false}"#, None),
            (r#"{"action":"create_issue","title":"Drop AdministratorAccess"}"#, None),
            (r#"{"action":"release","version":"1.2.0"}"#, None),
            (r#"{"action":"reset","form":"signup"}"#, None),
        ];
        for (json, expect) in rows {
            assert_eq!(check_value(json).as_deref(), expect, "{json}");
        }
    }
}
