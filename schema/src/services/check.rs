//! What can only be seen when the whole tree is there: names that are used twice, names that nobody declared, numbers
//! that do not fit together.

use std::collections::BTreeMap;
use std::time::Duration;

use url::Url;
use wire::decision::{EventKind, Tier, Verdict};
use wire::ids::{McpServerId, RoleName};
use wire::limits::{NAME_BYTES_MAX, RECORD_TEXT_BYTES_MAX};
use wire::tool_name::split_prefixed;

use super::access::{Effect, Grant, Subjects};
use super::decode::{At, one_of};
use super::governance::{Algorithm, Class, Limit, LimitMode, Per, Price};
use super::identity::IdentityFile;
use super::mcp::{HttpTransport, McpFile, StdioTransport, Tools, Transport};
use super::results::Results;
use super::sinks::{SinkFile, SinkTarget};
use super::words::{Glob, Reference};
use super::{BUILTIN_SERVERS, Mark, Place, Problem, Services};

/// LIMIT: the name of a server is part of a file name, a URL and a tool prefix.
const SERVER_NAME_BYTES_MAX: usize = 64;

/// LIMIT: no call is worth waiting longer for.
const CALL_TIMEOUT_MAX: Duration = Duration::from_secs(86_400);

/// LIMIT: units of one budget; the limiter counts in 32 bits.
const COUNT_MAX: u64 = 1 << 31;

/// LIMIT: millionths of a dollar of one call; the limiter charges in 32 bits.
const PRICE_MAX: u64 = 4_000_000_000;

/// LIMIT: what the gateway holds of one answer to check it.
const RESULT_BYTES_MAX: u64 = 16 << 20;

/// What the methods of a grant are matched against: every method of both protocol eras that a client may send, and the
/// gateway's own words for what has no method (`stream/open`, `session/delete`, `response`).
const METHODS: [&str; 30] = [
    "initialize",
    "ping",
    "tools/list",
    "tools/call",
    "prompts/list",
    "prompts/get",
    "resources/list",
    "resources/read",
    "resources/templates/list",
    "resources/subscribe",
    "resources/unsubscribe",
    "completion/complete",
    "logging/setLevel",
    "server/discover",
    "subscriptions/listen",
    "tasks/get",
    "tasks/update",
    "tasks/cancel",
    "tasks/list",
    "tasks/result",
    "stream/open",
    "session/delete",
    "response",
    "notifications/initialized",
    "notifications/cancelled",
    "notifications/progress",
    "notifications/roots/list_changed",
    "notifications/tasks/status",
    "notifications/elicitation/complete",
    "notifications/message",
];

/// Those of them that have arguments to be judged.
const METHODS_WITH_ARGUMENTS: [&str; 6] =
    ["tools/call", "prompts/get", "resources/read", "resources/subscribe", "resources/unsubscribe", "completion/complete"];

/// LIMIT: what a denial can say; see `wire::record`.
const SCOPES_BYTES_MAX: usize = 256;

/// A server's name, which is the name of its file.
pub(super) fn server_name(stem: &str) -> Result<McpServerId, String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let fits = stem.bytes().next().is_some_and(plain)
        && stem.bytes().all(|byte| plain(byte) || byte == b'-' || byte == b'_')
        && stem.len() <= SERVER_NAME_BYTES_MAX
        // `server__tool` must fall apart at one place only.
        && !stem.contains("__")
        && !stem.ends_with('_');
    if !fits {
        return Err(format!(
            "`{stem}` is no server name: use 1 to {SERVER_NAME_BYTES_MAX} of `a-z`, `0-9`, `-` and single `_`, beginning with a letter or digit and not ending with `_`"
        ));
    }
    if BUILTIN_SERVERS.contains(&stem) {
        return Err(format!("`{stem}` is the name of a server that is always there; choose another"));
    }
    stem.parse().map_err(|error: wire::ids::IdError| error.to_string())
}

/// A sink's name: of a file here, and in metrics.
pub(super) fn sink_name(stem: &str) -> Result<(), String> {
    plain_name(stem, "a sink")
}

/// The name of an identity provider, which stands in addresses and audit rows.
pub(super) fn provider_name(stem: &str) -> Result<(), String> {
    plain_name(stem, "an identity provider")
}

fn plain_name(stem: &str, what: &str) -> Result<(), String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    if (1..=SERVER_NAME_BYTES_MAX).contains(&stem.len()) && stem.bytes().all(plain) {
        return Ok(());
    }
    Err(format!("`{stem}` is no name for {what}: use 1 to {SERVER_NAME_BYTES_MAX} of `a-z`, `0-9`, `-` and `_`"))
}

/// Adds every problem of the tree as a whole.
pub(super) fn check(services: &Services, problems: &mut Vec<Problem>) {
    for (_, server) in &services.mcp {
        check_server(&server.what, &server.place, problems);
    }
    for (_, sink) in &services.sinks {
        check_sink(&sink.what, &sink.place, problems);
    }
    for (_, provider) in &services.identity {
        check_provider(services, &provider.what, &provider.place, problems);
    }
    check_twice(services, problems);
    for grant in &services.grants {
        check_grant(&Scope { services, place: &grant.place }, &grant.what, problems);
    }
    for limit in &services.limits {
        check_limit(&Scope { services, place: &limit.place }, &limit.what, problems);
    }
    for price in &services.prices {
        check_price(&Scope { services, place: &price.place }, &price.what, problems);
    }
    check_approvals(services, problems);
    if let Some(results) = &services.results {
        check_results(&Scope { services, place: &results.place }, &results.what, problems);
    }
    if let Some(audit) = &services.audit
        && let Some(bytes) = &audit.what.preview_bytes
        && bytes.value.0 > RECORD_TEXT_BYTES_MAX as u64
    {
        let message = format!("a row shows at most {} KiB of arguments", RECORD_TEXT_BYTES_MAX >> 10);
        problems.push(audit.place.problem_at(bytes.mark(), message));
    }
}

/// LIMIT: a connection that waits longer than this was forgotten by whoever opened it.
const APPROVAL_WAIT_MAX: Duration = Duration::from_secs(3600);

fn check_approvals(services: &Services, problems: &mut Vec<Problem>) {
    if let Some(approvals) = &services.approvals
        && let Some(wait) = &approvals.what.wait
        && wait.value.0 > APPROVAL_WAIT_MAX
    {
        problems.push(approvals.place.problem_at(wait.mark(), "a call waits for a person at most `1h`"));
    }
}

fn check_server(server: &McpFile, place: &Place, problems: &mut Vec<Problem>) {
    if let Some(timeout) = &server.call_timeout
        && timeout.value.0 > CALL_TIMEOUT_MAX
    {
        problems.push(place.problem_at(timeout.mark(), "a call may take at most `1d`"));
    }
    match &server.transport {
        Transport::Http(http) => check_http(http, place, problems),
        Transport::Stdio(stdio) => check_stdio(stdio, place, problems),
    }
    if let Tools::Only(names) = &server.tools {
        let mut seen = BTreeMap::new();
        for name in names {
            if name.value.is_empty() || name.value.len() > NAME_BYTES_MAX || name.value.chars().any(char::is_control) {
                problems.push(place.problem_at(name.mark(), format!("expected a tool name of 1 to {NAME_BYTES_MAX} bytes")));
            } else if seen.insert(name.value.as_str(), name.line).is_some() {
                problems.push(place.problem_at(name.mark(), format!("the tool `{}` stands here twice", name.value)));
            }
        }
        if names.is_empty() {
            problems.push(place.problem("`tools` is an empty list; name a tool, or write `discovered`"));
        }
    }
}

/// What a provider says is believed, so it is reached by HTTPS, or on this machine; and roles that it gives exist.
fn check_provider(services: &Services, provider: &IdentityFile, place: &Place, problems: &mut Vec<Problem>) {
    let issuer = &provider.issuer;
    check_url(issuer, place, problems);
    let is_local = Url::parse(&issuer.value).is_ok_and(|url| matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")));
    if !is_local && !issuer.value.starts_with("https://") {
        problems.push(place.problem_at(issuer.mark(), "expected `https://…`: what it says about people is believed"));
    }
    if provider.client_id.value.trim().is_empty() {
        problems.push(place.problem_at(provider.client_id.mark(), "expected what the provider calls us"));
    }
    let groups = provider.groups.iter().flat_map(|groups| groups.roles.values().flatten());
    for role in groups.filter(|role| !services.roles.iter().any(|(name, _)| *name == role.value)) {
        problems.push(place.problem_at(role.mark(), format!("there is no role `{}`; declare it in `access/`", role.value)));
    }
}

fn check_sink(sink: &SinkFile, place: &Place, problems: &mut Vec<Problem>) {
    for (given, is_word, words) in [
        (
            &sink.only.kinds,
            (|word| EventKind::from_word(word).is_some()) as fn(&str) -> bool,
            EventKind::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>(),
        ),
        (&sink.only.verdicts, |word| Verdict::from_word(word).is_some(), Verdict::ALL.iter().map(|word| word.as_str()).collect()),
    ] {
        for word in given.iter().filter(|word| !is_word(&word.value)) {
            problems.push(place.problem_at(word.mark(), format!("`{}` is not {}", word.value, one_of(&words))));
        }
    }
    match &sink.to {
        SinkTarget::Splunk(to) => check_url(&to.url, place, problems),
        SinkTarget::Elastic(to) => check_url(&to.url, place, problems),
        SinkTarget::Datadog(to) => to.url.iter().for_each(|url| check_url(url, place, problems)),
        SinkTarget::Http(to) => {
            check_url(&to.url, place, problems);
            check_headers(&to.headers, place, problems);
        }
        SinkTarget::Otlp(to) => {
            check_url(&to.url, place, problems);
            check_headers(&to.headers, place, problems);
        }
        SinkTarget::Syslog(to) => {
            let fits = to
                .address
                .value
                .rsplit_once(':')
                .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0));
            if !fits {
                problems.push(place.problem_at(to.address.mark(), "expected `host:port`, such as `siem.example:6514`"));
            }
            if let Some(facility) = to.facility.filter(|facility| facility.value > 23) {
                problems.push(place.problem_at(facility.mark(), "a facility is a number from 0 to 23"));
            }
        }
        SinkTarget::File(to) => {
            if !std::path::Path::new(&to.path.value).is_absolute() || to.path.value.ends_with('/') {
                problems.push(place.problem_at(to.path.mark(), "expected the absolute path of a file"));
            }
            if let Some(size) = to.max_size.filter(|size| size.value.0 < 64 << 10) {
                problems.push(place.problem_at(size.mark(), "a file has at least `64KiB`"));
            }
            if let Some(keep) = to.keep.filter(|keep| keep.value > 1000) {
                problems.push(place.problem_at(keep.mark(), "at most 1000 older files are kept"));
            }
        }
    }
}

fn check_http(http: &HttpTransport, place: &Place, problems: &mut Vec<Problem>) {
    check_url(&http.url, place, problems);
    if let Some(ca) = &http.ca {
        if !ca.value.starts_with('/') {
            problems.push(place.problem_at(ca.mark(), "`ca` must be an absolute path of a PEM file"));
        } else if !http.url.value.starts_with("https://") {
            problems.push(place.problem_at(ca.mark(), "`ca` is for `https://` servers; this one is asked without TLS"));
        }
    }
    check_headers(&http.headers, place, problems);
}

fn check_url(given: &At<String>, place: &Place, problems: &mut Vec<Problem>) {
    let mut refuse = |message: String| problems.push(place.problem_at(given.mark(), message));
    match Url::parse(&given.value) {
        Err(error) => refuse(format!("not a URL: {error}; expected `http://host[:port]/path` or `https://…`")),
        Ok(url) => {
            if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
                refuse("expected `http://host[:port]/path` or `https://…`".to_owned());
            }
            if !url.username().is_empty() || url.password().is_some() {
                refuse("a URL must not carry credentials; use `headers` with `env:NAME`".to_owned());
            }
            if url.fragment().is_some() {
                refuse("an endpoint has no `#fragment`".to_owned());
            }
        }
    }
}

fn check_headers(headers: &BTreeMap<At<String>, Reference>, place: &Place, problems: &mut Vec<Problem>) {
    for name in headers.keys() {
        let lower = name.value.to_ascii_lowercase();
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.value.is_empty() || name.value.len() > 64 || !name.value.bytes().all(token) {
            problems.push(place.problem_at(name.mark(), format!("`{}` is not the name of a header", name.value)));
        } else if RESERVED_HEADERS.contains(&lower.as_str()) || lower.starts_with("mcp-") {
            problems.push(place.problem_at(name.mark(), format!("`{}` is set by the gateway itself; leave it out", name.value)));
        }
    }
}

/// Headers that frame a request or belong to the protocol.
const RESERVED_HEADERS: [&str; 11] = [
    "accept",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

fn check_stdio(stdio: &StdioTransport, place: &Place, problems: &mut Vec<Problem>) {
    if stdio.command.value.fill(|_| Some("x".to_owned())).is_ok_and(|command| command.is_empty()) {
        problems.push(place.problem_at(stdio.command.mark(), "`command` is empty; give the program that is the MCP server"));
    }
    if let Some(sessions) = &stdio.max_sessions
        && !(1..=10_000).contains(&sessions.value)
    {
        problems.push(place.problem_at(sessions.mark(), "1 to 10000 sessions are possible"));
    }
    if let Some(line) = &stdio.max_line
        && !(4 << 10..=1 << 30).contains(&line.value.0)
    {
        problems.push(place.problem_at(line.mark(), "a line of `4KiB` to `1GiB` is possible"));
    }
}

fn check_twice(services: &Services, problems: &mut Vec<Problem>) {
    fn among<'a>(kind: &str, names: impl Iterator<Item = (&'a str, Place)>, problems: &mut Vec<Problem>) {
        let mut first: BTreeMap<&str, Place> = BTreeMap::new();
        for (name, place) in names {
            match first.get(name) {
                Some(before) => problems.push(place.problem(format!(
                    "the {kind} `{name}` is already declared in `{}`, line {}; give each its own name",
                    before.file.display(),
                    before.mark.line
                ))),
                None => drop(first.insert(name, place)),
            }
        }
    }
    let id_place = |place: &Place, mark| Place { mark, ..place.clone() };
    among("role", services.roles.iter().map(|(name, role)| (name.as_str(), role.place.clone())), problems);
    let grants = services.grants.iter();
    among("grant", grants.map(|grant| (grant.what.id.value.as_str(), id_place(&grant.place, grant.what.id.mark()))), problems);
    let limits = services.limits.iter();
    among("limit", limits.map(|limit| (limit.what.id.value.as_str(), id_place(&limit.place, limit.what.id.mark()))), problems);
}

/// What the names in a declaration may refer to.
struct Scope<'a> {
    services: &'a Services,
    place: &'a Place,
}

type Globs = Option<At<Vec<At<Glob>>>>;

impl<'a> Scope<'a> {
    fn problem(&self, mark: Mark, message: impl Into<String>) -> Problem {
        self.place.problem_at(mark, message)
    }

    /// Declared servers, and what is known of their tools; then the ones that are always there.
    fn servers(&self) -> impl Iterator<Item = (&'a str, Option<&'a McpFile>)> {
        let declared = self.services.mcp.iter().map(|(name, server)| (name.as_str(), Some(&server.what)));
        declared.chain(BUILTIN_SERVERS.iter().map(|name| (*name, None)))
    }

    fn check_servers(&self, globs: &[At<Glob>], problems: &mut Vec<Problem>) {
        for glob in globs {
            if !self.servers().any(|(name, _)| glob.value.matches(name)) {
                let mut names: Vec<&str> = self.servers().map(|(name, _)| name).collect();
                names.sort_unstable();
                names.truncate(40);
                let message = format!("`{}` matches no server; there are {}", glob.value.as_str(), all_of(&names));
                problems.push(self.problem(glob.mark(), message));
            }
        }
    }

    /// A tool glob can only be judged where every server it speaks of has a list in its file.
    fn check_tools(&self, servers: &[At<Glob>], tools: &[At<Glob>], problems: &mut Vec<Problem>) {
        let is_server = |name: &str| self.servers().any(|(server, _)| server == name);
        let prefixed = |glob: &At<Glob>| split_prefixed(glob.value.as_str(), is_server).is_some();
        for glob in tools {
            if let Some((server, tool)) = split_prefixed(glob.value.as_str(), is_server) {
                self.check_prefixed(servers, glob, server, tool, problems);
            }
        }
        let mut known = Vec::new();
        for (name, file) in self.servers() {
            if !servers.is_empty() && !servers.iter().any(|glob| glob.value.matches(name)) {
                continue;
            }
            match file.map(|file| &file.tools) {
                Some(Tools::Only(names)) => known.extend(names.iter().map(|name| name.value.as_str())),
                _ => return,
            }
        }
        for glob in tools.iter().filter(|glob| !prefixed(glob)) {
            if !known.iter().any(|name| glob.value.matches(name)) {
                let message = format!("`{}` matches no tool of these servers; there are {}", glob.value.as_str(), all_of(&known));
                problems.push(self.problem(glob.mark(), message));
            }
        }
    }

    /// `server__tool`: the server must be one that is spoken of, and the tool one of its list, if it has one.
    fn check_prefixed(&self, servers: &[At<Glob>], glob: &At<Glob>, server: &str, tool: &str, problems: &mut Vec<Problem>) {
        if !servers.is_empty() && !servers.iter().any(|glob| glob.value.matches(server)) {
            let message = format!("`{}` names a tool of `{server}`, of which `servers` does not speak", glob.value.as_str());
            return problems.push(self.problem(glob.mark(), message));
        }
        let file = self.servers().find(|(name, _)| *name == server).and_then(|(_, file)| file);
        let (Some(Tools::Only(names)), Ok(tool)) = (file.map(|file| &file.tools), tool.parse::<Glob>()) else { return };
        if !names.iter().any(|name| tool.matches(&name.value)) {
            let known: Vec<&str> = names.iter().map(|name| name.value.as_str()).collect();
            let message = format!("`{}` matches no tool of `{server}`; there are {}", glob.value.as_str(), all_of(&known));
            problems.push(self.problem(glob.mark(), message));
        }
    }

    fn check_subjects(&self, subjects: &Subjects, problems: &mut Vec<Problem>) {
        if let Some(roles) = &subjects.roles {
            for role in &roles.value {
                if !self.services.roles.iter().any(|(name, _)| *name == role.value) {
                    let names: Vec<&str> = self.services.roles.iter().map(|(name, _)| RoleName::as_str(name)).collect();
                    let message = format!("no role is called `{}`; there are {}", role.value, all_of(&names));
                    problems.push(self.problem(role.mark(), message));
                }
            }
        }
        if let Some(tiers) = &subjects.tiers
            && tiers.value.contains(&Tier::Anonymous)
        {
            let message = "no token carries `anonymous`: whoever is not authenticated is refused before grants are asked";
            problems.push(self.problem(tiers.mark(), message));
        }
        for (name, place) in [
            ("tiers", empty(&subjects.tiers)),
            ("users", empty(&subjects.users)),
            ("roles", empty(&subjects.roles)),
            ("departments", empty(&subjects.departments)),
            ("tenants", empty(&subjects.tenants)),
            ("agents", empty(&subjects.agents)),
        ] {
            problems.extend(place.map(|mark| self.empty_list(name, mark)));
        }
    }

    fn check_not_empty(&self, name: &str, globs: &Globs, problems: &mut Vec<Problem>) {
        problems.extend(empty(globs).map(|mark| self.empty_list(name, mark)));
    }

    fn empty_list(&self, name: &str, mark: Mark) -> Problem {
        self.problem(mark, format!("`{name}` is an empty list, which could mean none or all; leave it out to mean all"))
    }
}

fn empty<T>(list: &Option<At<Vec<T>>>) -> Option<Mark> {
    list.as_ref().filter(|list| list.value.is_empty()).map(At::mark)
}

fn all_of(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { one_of(names).replace(" or ", " and ") }
}

fn items(globs: &Globs) -> &[At<Glob>] {
    globs.as_ref().map_or(&[], |globs| &globs.value)
}

fn check_grant(scope: &Scope<'_>, grant: &Grant, problems: &mut Vec<Problem>) {
    if let Some(mode) = grant.mode.as_ref().filter(|mode| mode.value == LimitMode::Observe && grant.effect == Effect::Allow) {
        problems.push(scope.problem(mode.mark(), "only a grant that denies can be observed; one that gives is left out instead"));
    }
    if grant.servers.value.is_empty() {
        problems.push(scope.problem(grant.servers.mark(), "`servers` is an empty list; write `[\"*\"]` to mean all"));
    }
    check_conditions(scope, grant, problems);
    if grant.effect == Effect::Deny && !grant.scopes.is_empty() {
        let message = "a denying grant holds whatever scopes a token carries; leave `scopes` out";
        problems.push(scope.problem(grant.id.mark(), message));
    }
    let scopes_bytes: usize = grant.scopes.iter().map(|scope| scope.as_str().len() + 1).sum();
    if scopes_bytes > SCOPES_BYTES_MAX {
        let message = format!("the scopes of one grant fit into {SCOPES_BYTES_MAX} bytes, so that a challenge can name them all");
        problems.push(scope.problem(grant.id.mark(), message));
    }
    scope.check_not_empty("tools", &grant.tools, problems);
    scope.check_not_empty("methods", &grant.methods, problems);
    scope.check_subjects(&grant.subjects, problems);
    scope.check_servers(&grant.servers.value, problems);
    scope.check_tools(&grant.servers.value, items(&grant.tools), problems);
    for method in items(&grant.methods) {
        if !METHODS.iter().any(|name| method.value.matches(name)) {
            let message =
                format!("`{}` matches no method of the protocol, such as `tools/call` or `tools/list`", method.value.as_str());
            problems.push(scope.problem(method.mark(), message));
        }
    }
    if let (Some(_), Some(methods)) = (&grant.tools, &grant.methods)
        && !methods.value.iter().any(|method| method.value.matches("tools/call"))
        && !methods.value.is_empty()
    {
        problems.push(
            scope.problem(
                methods.mark(),
                "a grant with `tools` speaks of `tools/call`; add it to `methods`, or leave `methods` out",
            ),
        );
    }
}

/// A condition may only look at what is there when the grant is asked: calls have arguments, listings and sessions do not.
fn check_conditions(scope: &Scope<'_>, grant: &Grant, problems: &mut Vec<Problem>) {
    let conditions = match grant.read_conditions() {
        Ok(conditions) => conditions,
        Err(faults) => return problems.extend(faults.into_iter().map(|fault| scope.problem(fault.mark, fault.message))),
    };
    let looking = conditions.iter().position(|condition| condition.looks_at_arguments());
    let (Some(looking), None) = (looking, &grant.tools) else { return };
    let mark = grant.condition_mark(&(looking + 1).to_string()).unwrap_or(grant.id.mark());
    if grant.methods.is_none() {
        let message = "this condition looks at arguments, which listings and sessions do not have; \
                       name `tools` (`[\"*\"]` for all of them) or write `methods: [tools/call]`";
        problems.push(scope.problem(mark, message));
    }
    for method in items(&grant.methods) {
        let without = METHODS.iter().find(|name| method.value.matches(name) && !METHODS_WITH_ARGUMENTS.contains(name));
        if let Some(without) = without {
            let message = format!(
                "`{}` covers `{without}`, which has no arguments that a condition could look at; expected {}",
                method.value.as_str(),
                one_of(&METHODS_WITH_ARGUMENTS)
            );
            problems.push(scope.problem(method.mark(), message));
        }
    }
}

fn check_limit(scope: &Scope<'_>, limit: &Limit, problems: &mut Vec<Problem>) {
    let id = limit.id.mark();
    match (limit.algorithm, &limit.rate, &limit.count, &limit.period) {
        (Algorithm::Budget, None, None, Some(_)) if limit.amount.is_some() => {}
        (Algorithm::Budget, ..) => {
            problems.push(scope.problem(id, "a budget has an `amount` (such as `$50`) and a `period`, and nothing else"));
        }
        (Algorithm::Concurrency, None, Some(_), None) => {}
        (Algorithm::Concurrency, ..) => {
            problems.push(scope.problem(id, "a limit of concurrency has a `count` and nothing else: so many at once"));
        }
        (_, Some(_), None, None) | (_, None, Some(_), Some(_)) => {}
        _ => problems.push(scope.problem(id, "expected `rate` (such as `100/min`), or both `count` and `period`")),
    }
    let counts = [
        limit.rate.as_ref().map(|rate| (rate.mark(), rate.value.count)),
        limit.count.as_ref().map(|count| (count.mark(), count.value)),
        limit.burst.as_ref().map(|burst| (burst.mark(), burst.value)),
    ];
    for (mark, count) in counts.into_iter().flatten() {
        if !(1..=COUNT_MAX).contains(&count) {
            problems.push(scope.problem(mark, format!("`{count}` is out of range; 1 to {COUNT_MAX} are possible")));
        }
    }
    check_amount(scope, limit, problems);
    if let Some(burst) = &limit.burst
        && limit.algorithm != Algorithm::Gcra
    {
        problems.push(scope.problem(burst.mark(), "only `algorithm: gcra` has a `burst`"));
    }
    check_per(scope, limit, problems);
    scope.check_not_empty("servers", &limit.servers, problems);
    scope.check_not_empty("tools", &limit.tools, problems);
    scope.check_subjects(&limit.subjects, problems);
    scope.check_servers(items(&limit.servers), problems);
    scope.check_tools(items(&limit.servers), items(&limit.tools), problems);
    check_costs(scope, limit, problems);
}

fn check_amount(scope: &Scope<'_>, limit: &Limit, problems: &mut Vec<Problem>) {
    let is_budget = limit.algorithm == Algorithm::Budget;
    if let Some(amount) = limit.amount.as_ref().filter(|amount| !is_budget || amount.value.0 == 0) {
        let message = if is_budget { "a budget of nothing admits nothing" } else { "only `algorithm: budget` has an `amount`" };
        problems.push(scope.problem(amount.mark(), message));
    }
    if is_budget && limit.class != Class::Calls {
        problems.push(scope.problem(limit.id.mark(), "only calls cost money; leave `class` out"));
    }
    if let Some(cost) = limit.costs.first().filter(|_| is_budget) {
        problems.push(scope.problem(cost.tool.mark(), "what a budget is charged with stands in `prices`; leave `costs` out"));
    }
}

fn check_price(scope: &Scope<'_>, price: &Price, problems: &mut Vec<Problem>) {
    scope.check_not_empty("servers", &price.servers, problems);
    scope.check_not_empty("tools", &price.tools, problems);
    scope.check_servers(items(&price.servers), problems);
    scope.check_tools(items(&price.servers), items(&price.tools), problems);
    if price.call.value.0 > PRICE_MAX {
        problems.push(scope.problem(price.call.mark(), "a call costs at most `$4000`"));
    }
}

fn check_results(scope: &Scope<'_>, results: &Results, problems: &mut Vec<Problem>) {
    let sizes = results.exceptions.iter().map(|exception| &exception.value.size_max).chain([&results.size_max]);
    for size in sizes.flatten().filter(|size| !(1 << 10..=RESULT_BYTES_MAX).contains(&size.value.0)) {
        problems.push(scope.problem(size.mark(), "a size of `1KiB` to `16MiB` is possible"));
    }
    for at in &results.exceptions {
        let exception = &at.value;
        if exception.servers.is_none() && exception.tools.is_none() {
            let message = "expected `servers` or `tools`: an exception for everything is the rule; change the duty itself";
            problems.push(scope.problem(at.mark(), message));
        }
        scope.check_not_empty("servers", &exception.servers, problems);
        scope.check_not_empty("tools", &exception.tools, problems);
        problems.extend(empty(&exception.classes).map(|mark| scope.empty_list("classes", mark)));
        scope.check_servers(items(&exception.servers), problems);
        scope.check_tools(items(&exception.servers), items(&exception.tools), problems);
    }
}

fn check_per(scope: &Scope<'_>, limit: &Limit, problems: &mut Vec<Problem>) {
    let per = &limit.per.value;
    if per.is_empty() {
        problems.push(scope.problem(limit.per.mark(), "`per` is an empty list; write `[global]` for one budget of all"));
    }
    if per.contains(&Per::Global) && per.len() > 1 {
        problems.push(scope.problem(limit.per.mark(), "`global` is one budget of all and stands alone"));
    }
    if limit.class == Class::Listings && (per.contains(&Per::Tool) || limit.tools.is_some()) {
        problems.push(scope.problem(limit.per.mark(), "a limit of `listings` cannot count by tool; listings have none"));
    }
    let names_what = per.contains(&Per::Tool) || per.contains(&Per::Server) || limit.tools.is_some() || limit.servers.is_some();
    if limit.class == Class::Denials && names_what {
        let message = "a limit of `denials` counts whatever is refused to somebody; it cannot tell servers or tools apart";
        problems.push(scope.problem(limit.per.mark(), message));
    }
    if limit.class == Class::Denials && limit.algorithm == Algorithm::Concurrency {
        problems.push(scope.problem(limit.per.mark(), "denials are over at once; count them with `rate`"));
    }
}

fn check_costs(scope: &Scope<'_>, limit: &Limit, problems: &mut Vec<Problem>) {
    let most = [
        limit.burst.as_ref().map(|at| at.value),
        limit.rate.as_ref().map(|at| at.value.count),
        limit.count.as_ref().map(|at| at.value),
    ];
    let most = most.into_iter().flatten().next().unwrap_or(COUNT_MAX);
    for cost in &limit.costs {
        if limit.class != Class::Calls {
            problems.push(scope.problem(cost.tool.mark(), "only limits of `calls` have costs per tool"));
        }
        if u64::from(cost.units.value) > most {
            let message = format!("a call that costs {} never fits into {most}", cost.units.value);
            problems.push(scope.problem(cost.units.mark(), message));
        }
    }
}
