//! What the scope check promises, as rows and against a slow, obvious oracle.

#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use wire::decision::{Channel, Tier};
use wire::ids::ServerIx;
use wire::jsonrpc::Nodes;
use wire::snapshot::{self, Server, Snapshot, SnapshotBytes, Subject, Upstream};
use wire::token::{Audience, Claims};

use super::explain::{Says, explain};
use super::*;
use crate::identity::Principal;
use crate::policy::{NodeKeys, Policy};
use crate::upstream::Reach;

/// Thursday, 2026-01-01T12:00Z.
const NOON_US: u64 = 1_767_268_800_000_000;

fn server(name: &str, tools: &[&str], open: bool) -> Server {
    Server {
        name: name.to_owned(),
        upstream: Upstream::None,
        tools: tools.iter().enumerate().map(|(ix, tool)| ((*tool).to_owned(), ix as u32)).collect(),
        call_timeout_ms: 1,
        channel: Channel::Mcp.code(),
        open_tools: open,
    }
}

fn policy_of(grants: Vec<snapshot::Grant>) -> Snapshot {
    let servers = vec![
        server("files", &["read", "read_all", "write"], false),
        server("git", &["log", "read"], false),
        server("host", &[], true),
    ];
    let server_names = servers.iter().enumerate().map(|(ix, server)| (server.name.clone(), ix as u32)).collect();
    Snapshot { generation: 1, grants, servers, server_names, ..Snapshot::default() }
}

fn claims(user: &str, roles: &[&str], department: &str, scope: &str) -> Claims {
    Claims {
        iss: String::new(),
        aud: Audience::Many(Vec::new()),
        sub: user.to_owned(),
        exp: u64::MAX,
        iat: 0,
        nbf: None,
        jti: String::new(),
        client_id: String::new(),
        scope: scope.to_owned(),
        sid: String::new(),
        tenant: "acme".to_owned(),
        department: department.to_owned(),
        tier: Tier::User,
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        agent: "coder".to_owned(),
        act: None,
        is_bound: false,
    }
}

/// A grant from a line of words: `id effect servers tools methods scopes | when`, `-` for none.
fn grant(line: &str) -> snapshot::Grant {
    let (words, when) = line.split_once('|').unwrap_or((line, ""));
    let mut words = words.split_whitespace();
    let mut next = || words.next().unwrap();
    let (id, effect) = (next().to_owned(), if next() == "deny" { Effect::Deny } else { Effect::Allow });
    let mut list = || match next() {
        "-" => Vec::new(),
        list => list.split(',').map(str::to_owned).collect(),
    };
    let (servers, tools, methods, scopes) = (list(), list(), list(), list());
    snapshot::Grant { id, effect, subject: Subject::default(), servers, tools, methods, scopes, when: when.trim().to_owned() }
}

/// A call of a tool, or another method, of the server with this number.
fn call<'a>(server: u32, server_name: &'a str, (method, name): (&'a str, &'a str), arguments: Option<Nodes<'a, 'a>>) -> Call<'a> {
    Call {
        server: ServerIx(server),
        server_name,
        method,
        name,
        is_tool: method == "tools/call",
        channel: Channel::Mcp,
        arguments,
        beside: &[],
        waited: None,
    }
}

/// What the compiled grants say, in one word and the grant's id.
fn said(grants: &Grants, principal: &Principal, server: &str, method: &str, tool: &str, arguments: &str) -> String {
    let server_ix = ["files", "git", "host"].iter().position(|name| *name == server).unwrap() as u32;
    let membership = Membership::new(grants, principal);
    let mut bytes = arguments.as_bytes().to_vec();
    let tape = simd_json::to_tape(&mut bytes).unwrap();
    let call = call(server_ix, server, (method, tool), Some(&tape.0));
    let tool_ix = grants.tool(call.server, tool);
    if call.is_tool {
        let listed = membership.lists(grants, call.server, tool);
        let access = membership.access(grants, tool_ix, &call, NOON_US);
        assert!(listed || !access.may_be_given(), "{tool} of {server} can be called and is not listed");
    }
    word(membership.access(grants, tool_ix, &call, NOON_US))
}

fn word(access: Access<'_>) -> String {
    let Access { reason, grant, lacks } = access;
    match (reason, lacks) {
        (Reason::Permitted, Lacks::Nothing) => format!("allowed {grant}"),
        (Reason::ScopeMissing, Lacks::Scopes(scopes)) => format!("step-up {grant} {}", scopes.join("+")),
        (Reason::GrantDenies, Lacks::Nothing) => format!("denied {grant}"),
        (Reason::ConditionFailed, Lacks::Condition(_)) => format!("failed {grant}"),
        (Reason::ConditionError, Lacks::Judgement { .. }) => format!("faulty {grant}"),
        (Reason::NotGranted, Lacks::Nothing) if grant.is_empty() => "not granted".to_owned(),
        (Reason::ToolUnknown, Lacks::Nothing) if grant.is_empty() => "tool unknown".to_owned(),
        (Reason::MethodUnknown, Lacks::Nothing) if grant.is_empty() => "method unknown".to_owned(),
        _ => panic!("no such answer: {access:?}"),
    }
}

fn check(lines: &[&str], rows: &[(&str, &str, &str)]) {
    let snapshot = policy_of(lines.iter().map(|line| grant(line)).collect());
    let grants = Grants::compile(&snapshot).unwrap();
    let ann = Principal::for_tests(claims("ann", &["dev"], "eng", "a b"));
    for (what, arguments, expect) in rows {
        let (server, what) = what.split_once(' ').unwrap();
        let (method, tool) = if what.contains('/') || what == "initialize" { (what, "") } else { ("tools/call", what) };
        assert_eq!(said(&grants, &ann, server, method, tool, arguments), *expect, "{lines:?} {server} {what} {arguments}");
    }
}

#[test]
fn deny_beats_allow_and_no_grant_means_no() {
    check(&[], &[("files read", "{}", "not granted"), ("files initialize", "{}", "not granted")]);
    check(
        &["all allow * - - -", "no deny files wr* - -"],
        &[
            ("files read", "{}", "allowed all"),
            ("files write", "{}", "denied no"),
            ("files nosuch", "{}", "tool unknown"),
            ("git log", "{}", "allowed all"),
            ("host Bash", "{}", "allowed all"),
            ("files prompts/get", "{}", "allowed all"),
            ("files no/such", "{}", "method unknown"),
        ],
    );
    check(
        &["whole allow files - - -", "off deny files - - -"],
        &[("files read", "{}", "denied off"), ("files tools/list", "{}", "denied off"), ("git log", "{}", "not granted")],
    );
}

#[test]
fn a_grant_gives_what_it_names() {
    check(
        &["reads allow files read* - -", "prompts allow git - prompts/* -"],
        &[
            ("files read", "{}", "allowed reads"),
            ("files read_all", "{}", "allowed reads"),
            ("files write", "{}", "not granted"),
            ("files tools/list", "{}", "allowed reads"),
            ("files notifications/odd", "{}", "allowed reads"),
            ("files resources/read", "{}", "not granted"),
            ("git prompts/get", "{}", "allowed prompts"),
            ("git log", "{}", "not granted"),
            ("git nosuch", "{}", "tool unknown"),
        ],
    );
    check(
        &["all allow files - - -", "quiet deny files - tools/list,notifications/* -"],
        &[
            ("files initialize", "{}", "allowed all"),
            ("files tools/list", "{}", "denied quiet"),
            ("files notifications/odd", "{}", "denied quiet"),
            ("files read", "{}", "allowed all"),
        ],
    );
}

#[test]
fn a_tool_is_named_by_its_own_and_by_its_prefixed_name() {
    check(
        &["one allow * files__read* - -"],
        &[
            ("files read_all", "{}", "allowed one"),
            ("git read", "{}", "not granted"),
            // It names nothing there, so it opens no session there either.
            ("git initialize", "{}", "not granted"),
            ("host files__read", "{}", "not granted"),
        ],
    );
    check(&["host allow host host__Bash - -"], &[("host Bash", "{}", "allowed host"), ("host Edit", "{}", "not granted")]);
}

#[test]
fn scopes_are_asked_for_all_at_once_and_as_few_as_will_do() {
    check(
        &["much allow files read - a,c,d", "less allow files read - b,c", "other allow files write - c"],
        &[
            ("files read", "{}", "step-up less b+c"),
            ("files write", "{}", "step-up other c"),
            ("files tools/list", "{}", "step-up less b+c"),
        ],
    );
    check(&["have allow files read - a,b", "not allow files read - c"], &[("files read", "{}", "allowed have")]);
    // Stepping up would not help where the arguments are outside of what the grant gives.
    let lines = ["up allow files read - c | {\"arg\": \"/n\", \"le\": 5}"];
    check(
        &lines,
        &[
            ("files read", "{\"n\": 5}", "step-up up c"),
            ("files read", "{\"n\": 6}", "failed up"),
            ("files read", "{}", "faulty up"),
            ("files initialize", "{}", "step-up up c"),
        ],
    );
}

#[test]
fn conditions_are_judged_with_the_call_and_not_with_the_listing() {
    let small = "small allow files read - - | {\"arg\": \"/n\", \"le\": 5}";
    check(
        &[small],
        &[
            ("files read", "{\"n\": 5}", "allowed small"),
            ("files read", "{\"n\": 6}", "failed small"),
            ("files read", "{\"n\": \"5\"}", "faulty small"),
            ("files read", "{}", "faulty small"),
            ("files tools/list", "{}", "allowed small"),
            ("files write", "{}", "not granted"),
        ],
    );
    // Another grant may give what this one cannot be judged for; a fault is told before a failure.
    check(
        &[small, "text allow files read - - | {\"arg\": \"/t\", \"prefix\": \"x\"}"],
        &[
            ("files read", "{\"t\": \"xy\"}", "allowed text"),
            ("files read", "{\"n\": 6, \"t\": \"y\"}", "failed small"),
            ("files read", "{\"n\": 6}", "faulty text"),
        ],
    );
    // Who takes denies when it cannot be judged.
    check(
        &["all allow files - - -", "big deny files read - - | {\"arg\": \"/n\", \"gt\": 5}"],
        &[
            ("files read", "{\"n\": 5}", "allowed all"),
            ("files read", "{\"n\": 6}", "denied big"),
            ("files read", "{\"n\": \"6\"}", "faulty big"),
            ("files read", "{}", "faulty big"),
            ("files write", "{}", "allowed all"),
        ],
    );
    // The same on servers whose tools are not known.
    check(
        &["all allow host B* - -", "big deny host - tools/call - | {\"arg\": \"/n\", \"gt\": 5}"],
        &[
            ("host Bash", "{\"n\": 5}", "allowed all"),
            ("host Bash", "{\"n\": 6}", "denied big"),
            ("host Bash", "{}", "faulty big"),
            ("host Edit", "{\"n\": 5}", "not granted"),
        ],
    );
}

#[test]
fn the_time_of_day_counts_wherever_it_is_asked() {
    let day = r#"{"time": {"from": "08:00", "to": "18:00"}}"#;
    let night = r#"{"time": {"from": "18:00", "to": "08:00"}}"#;
    check(
        &[&format!("day allow files - - - | {day}")],
        &[("files read", "{}", "allowed day"), ("files resources/read", "{}", "allowed day")],
    );
    check(
        &[&format!("night allow files - - - | {night}")],
        &[
            ("files read", "{}", "failed night"),
            ("files resources/read", "{}", "failed night"),
            ("files initialize", "{}", "allowed night"),
        ],
    );
    check(
        &["all allow files - - -", &format!("day deny files - - - | {day}")],
        &[("files read", "{}", "denied day"), ("files initialize", "{}", "denied day")],
    );
}

#[test]
fn grants_are_for_whom_they_name() {
    let row = |subject: Subject| {
        let snapshot = policy_of(vec![snapshot::Grant { subject, ..grant("g allow files - - -") }]);
        let ann = Principal::for_tests(claims("ann", &["dev", "ops"], "eng", ""));
        said(&Grants::compile(&snapshot).unwrap(), &ann, "files", "tools/call", "read", "{}") == "allowed g"
    };
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert!(row(Subject::default()));
    for (mine, other) in [
        (
            Subject { users: names(&["bob", "ann"]), ..Subject::default() },
            Subject { users: names(&["bob"]), ..Subject::default() },
        ),
        (Subject { roles: names(&["ops"]), ..Subject::default() }, Subject { roles: names(&["qa"]), ..Subject::default() }),
        (
            Subject { departments: names(&["eng"]), ..Subject::default() },
            Subject { departments: names(&["hr"]), ..Subject::default() },
        ),
        (
            Subject { tenants: names(&["acme"]), ..Subject::default() },
            Subject { tenants: names(&["other"]), ..Subject::default() },
        ),
        (Subject { agents: names(&["coder"]), ..Subject::default() }, Subject { agents: names(&["bot"]), ..Subject::default() }),
        (
            Subject { tiers: 1 << Tier::User.code(), ..Subject::default() },
            Subject { tiers: 1 << Tier::Mcp.code(), ..Subject::default() },
        ),
    ] {
        assert!(row(mine.clone()), "{mine:?}");
        assert!(!row(other.clone()), "{other:?}");
        // Every list that is given must name it, whichever the grant is found by.
        let mut both = other;
        for (list, name) in [(&mut both.users, "ann"), (&mut both.roles, "dev")] {
            if list.is_empty() {
                list.push(name.to_owned());
            }
        }
        assert!(!row(both.clone()), "{both:?}");
    }
}

#[test]
fn an_explanation_names_every_grant_and_no_value() {
    let lines = [
        "small allow files read - - | [{\"arg\": \"/n\", \"le\": 5}, {\"arg\": \"/t\", \"prefix\": \"x\"}]",
        "scoped allow files read - a,z",
        "git allow git - - -",
        "big deny files - tools/call - | {\"arg\": \"/n\", \"gt\": 9}",
    ];
    let mut grants: Vec<_> = lines.iter().map(|line| grant(line)).collect();
    grants.push(snapshot::Grant {
        subject: Subject { roles: vec!["qa".into()], ..Subject::default() },
        ..grant("others allow files - - -")
    });
    let (bytes, _) = SnapshotBytes::encode(&policy_of(grants)).unwrap();
    let node = NodeKeys { rates: [1; 16], digests: [2; 32], sessions: [3; 32], fingerprints: [4; 32], api_keys: [5; 32] };
    let policy = Policy::compile(bytes, &node, &Reach::default()).unwrap();
    let ann = Principal::of_claims(claims("ann", &["dev"], "eng", "a"), &policy);
    let mut text = br#"{"n": 7, "t": "hush-hush"}"#.to_vec();
    let tape = simd_json::to_tape(&mut text).unwrap();
    let call = Call { channel: Channel::Decide, ..call(0, "files", ("tools/call", "read"), Some(&tape.0)) };
    let explanation = explain(&policy, &ann, &call, NOON_US);
    assert_eq!(word(explanation.access), "step-up scoped a+z");
    let said: Vec<_> = explanation.considered.iter().map(|considered| (considered.grant, &considered.says)).collect();
    assert_eq!(said.iter().map(|(grant, _)| *grant).collect::<Vec<_>>(), ["small", "scoped", "big", "others"]);
    let Says::ConditionFailed { conditions } = said[0].1 else { panic!("{said:?}") };
    assert_eq!(conditions.iter().map(|judged| judged.holds).collect::<Vec<_>>(), [Ok(false), Ok(false)]);
    assert_eq!(*said[1].1, Says::ScopesMissing { missing: vec!["z"] });
    assert!(matches!(said[2].1, Says::ConditionFailed { .. }));
    assert_eq!(*said[3].1, Says::ForOthers { differs: "roles" });
    assert!(!format!("{explanation:?}").contains("hush"), "{explanation:?}");
}

/// What one grant of the random policies is made of.
#[derive(Debug, Clone)]
struct Made {
    deny: bool,
    subject: Subject,
    servers: Vec<&'static str>,
    tools: Vec<&'static str>,
    methods: Vec<&'static str>,
    scopes: Vec<&'static str>,
    /// `/n` at most this.
    le: Option<i64>,
}

fn some_of(of: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(prop::sample::select(of), 0..3)
}

fn made() -> impl Strategy<Value = Made> {
    let owned = |list: Vec<&'static str>| list.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let subject = (some_of(&["ann", "bob"]), some_of(&["dev", "qa"]), some_of(&["eng", "hr"])).prop_map(
        move |(users, roles, departments)| Subject {
            users: owned(users),
            roles: owned(roles),
            departments: owned(departments),
            ..Subject::default()
        },
    );
    let rare = |strategy| prop_oneof![2 => Just(Vec::new()), 1 => strategy];
    (
        prop::bool::weighted(0.3),
        prop_oneof![1 => Just(Subject::default()), 2 => subject],
        some_of(&["*", "files", "g?t", "host"]),
        some_of(&["*", "read", "read*", "files__*", "git__read", "?og", "Ba{sh,t}"]),
        rare(some_of(&["tools/call", "resources/*", "*", "tools/list"]).boxed()),
        rare(some_of(&["a", "b", "c"]).boxed()),
        prop::option::weighted(0.4, 0..4_i64),
    )
        .prop_map(|(deny, subject, servers, tools, methods, scopes, le)| Made {
            deny,
            subject,
            servers,
            tools,
            methods,
            scopes,
            le,
        })
}

/// The answer by the words of the documentation: all grants, one after the other.
fn oracle(all: &[Made], claims: &Claims, server: &str, method: &str, tool: &str, n: Option<i64>) -> String {
    let glob = |glob: &str, text: &str| match glob {
        "*" => true,
        "g?t" => text == "git",
        "?og" => text.chars().count() == 3 && text.ends_with("og"),
        "read*" => text.starts_with("read"),
        "resources/*" => text.starts_with("resources/"),
        "Ba{sh,t}" => text == "Bash" || text == "Bat",
        plain => plain == text,
    };
    let any = |globs: &[&str], text: &str| globs.is_empty() || globs.iter().any(|pattern| glob(pattern, text));
    let tool_named = |globs: &[&str]| {
        globs.is_empty()
            || globs.iter().any(|pattern| match *pattern {
                "files__*" => server == "files",
                "git__read" => server == "git" && tool == "read",
                pattern => glob(pattern, tool),
            })
    };
    let of = |list: &[String], value: &str| list.is_empty() || list.iter().any(|entry| entry == value);
    let held = |made: &Made| made.scopes.iter().filter(|scope| !claims.scope.split(' ').any(|held| held == **scope)).count();
    let speaks = |made: &&(usize, &Made)| {
        let made = made.1;
        of(&made.subject.users, &claims.sub)
            && of(&made.subject.departments, &claims.department)
            && (made.subject.roles.is_empty() || made.subject.roles.iter().any(|role| claims.roles.contains(role)))
            && any(&made.servers, server)
            && if method == "tools/call" {
                any(&made.methods, method) && tool_named(&made.tools)
            } else {
                made.tools.is_empty() && any(&made.methods, method)
            }
    };
    let numbered: Vec<(usize, &Made)> = all.iter().enumerate().collect();
    let speaking: Vec<&(usize, &Made)> = numbered.iter().filter(speaks).collect();
    let holds = |made: &Made| made.le.map_or(Ok(true), |le| n.map(|n| n <= le).ok_or(()));
    let denying = |sure: bool| speaking.iter().filter(move |(_, made)| made.deny && made.le.is_none() == sure);
    if let Some((ix, _)) = denying(true).next() {
        return format!("denied g{ix}");
    }
    if speaking.iter().all(|(_, made)| made.deny) {
        return "not granted".to_owned();
    }
    for (ix, made) in denying(false) {
        match holds(made) {
            Ok(true) => return format!("denied g{ix}"),
            Ok(false) => {}
            Err(()) => return format!("faulty g{ix}"),
        }
    }
    let giving: Vec<&&(usize, &Made)> = speaking.iter().filter(|(_, made)| !made.deny).collect();
    let mut ordered = giving.clone();
    // What asks for nothing comes before what must be asked.
    let asks = |made: &Made| made.le.is_some() || !made.scopes.is_empty();
    ordered.sort_by_key(|(_, made)| (held(made), held(made) == 0 && asks(made)));
    for (ix, made) in &ordered {
        if holds(made) == Ok(true) {
            let scopes = made.scopes.join("+");
            return if held(made) == 0 { format!("allowed g{ix}") } else { format!("step-up g{ix} {scopes}") };
        }
    }
    let first = |wanted: Result<bool, ()>| ordered.iter().find(|(_, made)| holds(made) == wanted).map(|(ix, _)| ix);
    match (first(Err(())), first(Ok(false))) {
        (Some(ix), _) => format!("faulty g{ix}"),
        (None, Some(ix)) => format!("failed g{ix}"),
        (None, None) => "not granted".to_owned(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn the_compiled_grants_say_what_the_written_ones_do(
        all in prop::collection::vec(made(), 0..12),
        user in prop::sample::select(&["ann", "bob", "eve"][..]),
        roles in some_of(&["dev", "qa"]),
        scope in prop::sample::select(&["", "a", "a b", "a b c"][..]),
        n in prop::option::of(0..5_i64),
    ) {
        let written = all.iter().enumerate().map(|(ix, made)| {
            let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
            snapshot::Grant {
                id: format!("g{ix}"),
                effect: if made.deny { Effect::Deny } else { Effect::Allow },
                subject: made.subject.clone(),
                servers: owned(&made.servers),
                tools: owned(&made.tools),
                methods: owned(&made.methods),
                scopes: owned(&made.scopes),
                when: made.le.map(|le| format!(r#"{{"arg": "/n", "le": {le}}}"#)).unwrap_or_default(),
            }
        });
        let grants = Grants::compile(&policy_of(written.collect())).unwrap();
        let claims = claims(user, &roles, "eng", scope);
        let principal = Principal::for_tests(claims.clone());
        let arguments = n.map_or_else(|| "{}".to_owned(), |n| format!(r#"{{"n": {n}}}"#));
        for (server, method, tool) in [
            ("files", "tools/call", "read"), ("files", "tools/call", "read_all"), ("files", "tools/call", "write"),
            ("git", "tools/call", "log"), ("git", "tools/call", "read"), ("host", "tools/call", "Bash"),
            ("host", "tools/call", "dog"), ("files", "resources/read", ""), ("host", "prompts/get", ""),
        ] {
            let found = said(&grants, &principal, server, method, tool, &arguments);
            let expect = oracle(&all, &claims, server, method, tool, n);
            prop_assert_eq!(found, expect, "{} {} {}", server, method, tool);
        }
    }
}

#[test]
fn whoever_has_grants_like_anothers_is_told_of_their_own() {
    let of_user = |n: usize| {
        let subject = Subject { users: vec![format!("u{n}")], ..Subject::default() };
        let lines = [
            format!("g{n} allow files read - - | {{\"arg\": \"/n\", \"le\": 5}}"),
            format!("w{n} allow * w* - -"),
            format!("d{n} deny git log - -"),
        ];
        lines.map(|line| snapshot::Grant { subject: subject.clone(), ..grant(&line) })
    };
    let grants = Grants::compile(&policy_of((0..50).flat_map(of_user).collect())).unwrap();
    for n in 0..50 {
        let user = Principal::for_tests(claims(&format!("u{n}"), &[], "eng", ""));
        let said = |server, tool, arguments| said(&grants, &user, server, "tools/call", tool, arguments);
        assert_eq!(said("files", "read", "{\"n\": 5}"), format!("allowed g{n}"));
        assert_eq!(said("files", "read", "{\"n\": 6}"), format!("failed g{n}"));
        assert_eq!(said("files", "write", "{}"), format!("allowed w{n}"));
        assert_eq!(said("host", "word", "{}"), format!("allowed w{n}"));
        assert_eq!(said("git", "log", "{}"), format!("denied d{n}"));
    }
}

/// Whoever is in many groups, on more servers than are told apart at a glance.
#[test]
fn every_group_of_a_principal_is_heard_on_every_server() {
    let servers: Vec<Server> = (0..40).map(|n| server(&format!("s{n}"), &["read", "write"], false)).collect();
    let server_names = servers.iter().zip(0..).map(|(server, ix)| (server.name.clone(), ix)).collect();
    // Role n reads on every server whose number it divides, and keeps everybody from writing on one.
    let of_role = |n: usize| {
        let read: Vec<String> = (0..40).step_by(n).map(|server| format!("s{server}")).collect();
        let lines = [format!("g{n} allow {} read - -", read.join(",")), format!("d{n} deny s{} write - -", 40 - n)];
        lines.map(|line| {
            let subject = Subject { roles: vec![format!("r{n}")], ..Subject::default() };
            snapshot::Grant { subject, ..grant(&line) }
        })
    };
    let mut grants: Vec<_> = (1..=20).flat_map(of_role).collect();
    let subject = Subject { roles: vec!["writer".to_owned()], ..Subject::default() };
    grants.push(snapshot::Grant { subject, ..grant("w allow * write - -") });
    let snapshot = Snapshot { generation: 1, grants, servers, server_names, ..Snapshot::default() };
    let grants = Grants::compile(&snapshot).unwrap();
    for first in 1..=20_usize {
        for held in [0, 1, 7, 8, 9, 20] {
            let numbers: Vec<usize> = (first..=20).take(held).collect();
            let mut roles: Vec<String> = numbers.iter().map(|n| format!("r{n}")).collect();
            roles.push("writer".to_owned());
            let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
            let membership = Membership::new(&grants, &Principal::for_tests(claims("ann", &roles, "eng", "")));
            for ix in 0..40 {
                let word = |tool: u32| {
                    let called = ("tools/call", ["read", "write"][tool as usize]);
                    let call = call(ix as u32, &snapshot.servers[ix].name, called, None);
                    word(membership.access(&grants, Some(tool), &call, NOON_US))
                };
                let reads = numbers.iter().find(|n| ix.is_multiple_of(**n));
                assert_eq!(word(0), reads.map_or("not granted".to_owned(), |n| format!("allowed g{n}")));
                let kept = numbers.iter().find(|n| ix == 40 - **n);
                assert_eq!(word(1), kept.map_or("allowed w".to_owned(), |n| format!("denied d{n}")));
            }
        }
    }
}

/// A server whose tools fill blocks and pages, and grants that say so much of them that no block holds it.
#[test]
fn large_servers_and_many_grants_read_the_same() {
    let names: Vec<String> = (0..150).map(|tool| format!("t{tool:03}")).collect();
    let tools: Vec<&str> = names.iter().map(String::as_str).collect();
    let servers: Vec<Server> = (0..20).map(|n| server(&format!("s{n}"), &tools, false)).collect();
    let server_names = servers.iter().zip(0..).map(|(server, ix)| (server.name.clone(), ix)).collect();
    // Every tool by a grant of its own, some taken; of the last server one half by one grant, and of one tool very many.
    let one = |n: usize| {
        let effect = if n.is_multiple_of(7) { "deny" } else { "allow" };
        let when = if n.is_multiple_of(5) { r#" | {"arg": "/n", "le": 5}"# } else { "" };
        let mut grant = grant(&format!("g{n} {effect} s{} {} - -{when}", n % 19, names[n % 150]));
        grant.subject.roles = vec![format!("r{}", n % 2)];
        grant
    };
    let mut grants: Vec<_> = (0..19 * 150).map(one).collect();
    grants.push(grant("half allow s19 t0[0-6]* - -"));
    let many = |n: usize| {
        grant(&format!(
            "m{n} allow s19 t149 - {} | {{\"arg\": \"/n\", \"eq\": {n}}}",
            if n.is_multiple_of(3) { "z" } else { "-" }
        ))
    };
    grants.extend((0..100).map(many));
    let snapshot = Snapshot { generation: 1, grants, servers, server_names, ..Snapshot::default() };
    let grants = Grants::compile(&snapshot).unwrap();
    let ask = |roles: &[&str], server: usize, tool: usize, n: usize| {
        let membership = Membership::new(&grants, &Principal::for_tests(claims("ann", roles, "eng", "")));
        let mut text = format!("{{\"n\": {n}}}").into_bytes();
        let tape = simd_json::to_tape(&mut text).unwrap();
        let call = call(server as u32, &snapshot.servers[server].name, ("tools/call", tools[tool]), Some(&tape.0));
        word(membership.access(&grants, grants.tool(call.server, call.name), &call, NOON_US))
    };
    for n in 0..19 * 150 {
        let expect = match (n % 7, n % 5) {
            (0, 0) => "not granted".to_owned(),
            (0, _) => format!("denied g{n}"),
            _ => format!("allowed g{n}"),
        };
        assert_eq!(ask(&[["r0", "r1"][n % 2]], n % 19, n % 150, 3), expect, "{n}");
        let judged = !n.is_multiple_of(7) && n.is_multiple_of(5);
        assert!(!judged || ask(&["r0", "r1"], n % 19, n % 150, 6) == format!("failed g{n}"), "{n}");
        assert_eq!(ask(&[["r1", "r0"][n % 2]], n % 19, n % 150, 3), "not granted", "{n}");
    }
    for tool in 0..149 {
        assert_eq!(ask(&[], 19, tool, 0), if tool < 70 { "allowed half" } else { "not granted" }, "{tool}");
    }
    for n in 0..100_usize {
        let expect = if n.is_multiple_of(3) { format!("step-up m{n} z") } else { format!("allowed m{n}") };
        assert_eq!(ask(&[], 19, 149, n), expect);
    }
    assert_eq!(ask(&[], 19, 149, 100), "failed m1");
}
