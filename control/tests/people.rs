//! People and services: accounts, API keys, sessions and bans, and who may command what.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{
    ACCESS, Gateway, HttpClient, Upstream, client, echo_server, eventually, post, post_with, reason, tool_call,
};

/// Enough fresh connections to meet every shard.
const CONNECTIONS: usize = 12;

fn gateway(upstream: &Upstream) -> Gateway {
    let echo = echo_server(&upstream.url);
    let services = [("mcp/echo.yaml", echo.as_str()), ("access/access.yaml", ACCESS), ("governance/rules.yaml", "secrets: {}\n")];
    Gateway::start(&services, &["--cores", "2"])
}

fn json(gateway: &Gateway, args: &[&str]) -> Value {
    serde_json::from_str(&gateway.sp(&[&["--json"], args].concat())).unwrap()
}

/// Every shard gives this reason, at the first try.
async fn everywhere(gateway: &Gateway, credential: &str, wanted: &str) {
    for _ in 0..CONNECTIONS {
        let call = tool_call("echo", json!({"message": "x"}));
        assert_eq!(reason(&post(&gateway.endpoint("echo"), Some(credential), &call).await), wanted);
    }
}

/// A token that was issued after whatever was revoked: those of the same second are dead too.
async fn token_that_works(gateway: &Gateway, args: &[&str]) -> String {
    let call = tool_call("echo", json!({"message": "x"}));
    for _ in 0..100 {
        let token = gateway.token(args);
        if reason(&post(&gateway.endpoint("echo"), Some(&token), &call).await).is_empty() {
            return token;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no token works: {args:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_shut_out_is_so_when_the_command_answers() {
    let upstream = Upstream::start(&[]);
    let gateway = gateway(&upstream);
    let made = json(&gateway, &["admin", "users", "create", "ann", "--role", "developer", "--email", "ann@example.com"]);
    assert_eq!((&made["id"], &made["state"]), (&json!("ann"), &json!("enabled")));
    let ann = &["--user", "ann", "--role", "developer", "--session", "s-ann"];
    let token = gateway.token(ann);
    everywhere(&gateway, &token, "").await;

    gateway.sp(&["admin", "users", "disable", "ann"]);
    everywhere(&gateway, &token, "user_disabled").await;
    gateway.sp(&["admin", "users", "enable", "ann"]);
    everywhere(&gateway, &token, "token_revoked").await;

    let token = token_that_works(&gateway, ann).await;
    gateway.sp(&["admin", "sessions", "revoke", "s-ann"]);
    everywhere(&gateway, &token, "token_revoked").await;

    let token = token_that_works(&gateway, &["--user", "ann", "--role", "developer"]).await;
    gateway.sp(&["admin", "bans", "add", "user", "ann", "--until", "1d", "--reason", "test"]);
    everywhere(&gateway, &token, "banned").await;
    assert!(gateway.sp(&["admin", "bans", "list"]).contains("ann"));
    gateway.sp(&["admin", "bans", "remove", "user", "ann"]);
    everywhere(&gateway, &token, "").await;

    // Grants and roles of the database, the same way.
    let deny = json(&gateway, &["admin", "grants", "create", "deny", "user", "ann", "--server", "echo", "--tool", "ec*"]);
    everywhere(&gateway, &token, "grant_denies").await;
    gateway.sp(&["admin", "grants", "remove", deny["id"].as_str().unwrap()]);
    everywhere(&gateway, &token, "").await;

    // What an account may changes for the tokens it has: they stop, and the next ones say it anew.
    gateway.sp(&["admin", "roles", "create", "helper", "--scope", "help:out"]);
    gateway.sp(&["admin", "users", "update", "ann", "--add-role", "helper"]);
    everywhere(&gateway, &token, "token_revoked").await;
    assert_eq!(json(&gateway, &["admin", "users", "show", "ann"])["roles"], json!(["developer", "helper"]));

    // Ids are never given twice, and what is asked for must be there.
    gateway.sp(&["admin", "users", "delete", "ann"]);
    for (args, words) in [
        (&["admin", "users", "create", "ann"][..], "never given twice"),
        (&["admin", "users", "show", "ann"][..], "sp admin users list"),
        (&["admin", "users", "create", "bob", "--role", "nosuch"][..], "sp admin roles create nosuch"),
        (&["admin", "users", "create", "bob", "--department", "nosuch"][..], "sp admin departments create nosuch"),
        (&["admin", "grants", "create", "allow", "user", "bob", "--server", "["][..], "glob"),
        (&["admin", "bans", "add", "address", "10.0.0.0/99"][..], "192.0.2.0/24"),
        (&["admin", "bans", "remove", "user", "nobody"][..], "sp admin bans list"),
        (&["admin", "roles", "create", "developer"][..], "access.yaml"),
        (&["admin", "keys", "create", "--user", "nobody"][..], "sp admin users create nobody"),
    ] {
        let (code, _, err) = gateway.try_sp(args);
        assert_eq!(code, 1, "{args:?}: {err}");
        assert!(err.contains(words), "{args:?}: {err}");
    }
    assert_eq!(gateway.try_sp(&["admin", "users", "create", "a\nb"]).0, 2);
}

/// One connection to each shard, found by whose home is where: a connection stays on the shard of whoever spoke first on it.
pub async fn connection_for_each_shard(gateway: &Gateway, shards: usize) -> Vec<HttpClient> {
    let call = tool_call("echo", json!({"message": "x"}));
    let tokens = crate::harness::lines(&gateway.tokens("opener", "developer", 64));
    let mut clients = Vec::new();
    for token in &tokens {
        let client = client();
        assert_eq!(reason(&post_with(&client, &gateway.endpoint("echo"), Some(token), &call).await), "");
        clients.push(client);
    }
    gateway.wait_until_shipped();
    let sql =
        "SELECT DISTINCT ON (stream_id) stream_id, user_id FROM audit_event WHERE kind = 'decision' AND user_id LIKE 'opener-%'";
    let rows = gateway.postgres().await.query(sql, &[]).await.unwrap();
    assert_eq!(rows.len(), shards, "64 principals are at home on every shard");
    let number = |row: &tokio_postgres::Row| row.get::<_, &str>(1).strip_prefix("opener-").unwrap().parse::<usize>().unwrap();
    rows.iter().map(|row| clients[number(row) - 1].clone()).collect()
}

/// Calls on every connection, one call after the other, until it is refused: when the last call was sent that was carried out,
/// and when the first refusal came, the latest of all connections.
pub async fn call_until_refused(connections: &[HttpClient], url: &str, token: &str) -> (Instant, Instant) {
    let call = tool_call("echo", json!({"message": "x"}));
    let until_refused = async |connection: &HttpClient| {
        let mut last_allowed = Instant::now();
        loop {
            let sent = Instant::now();
            if reason(&post_with(connection, url, Some(token), &call).await).is_empty() {
                last_allowed = sent;
            } else {
                return (last_allowed, Instant::now());
            }
        }
    };
    let ends = futures_util::future::join_all(connections.iter().map(until_refused)).await;
    (ends.iter().map(|end| end.0).max().unwrap(), ends.iter().map(|end| end.1).max().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_shut_out_is_so_on_every_shard_within_200_ms() {
    const SHARDS: usize = 8;
    let upstream = Upstream::start(&[]);
    let echo = echo_server(&upstream.url);
    let services = [("mcp/echo.yaml", echo.as_str()), ("access/access.yaml", ACCESS), ("governance/rules.yaml", "secrets: {}\n")];
    let gateway = Gateway::start(&services, &["--cores", &SHARDS.to_string()]);
    let connections = connection_for_each_shard(&gateway, SHARDS).await;
    let operator = gateway.token(&["--user", "ops", "--role", "operator"]);
    for user in ["ann", "bob"] {
        gateway.sp(&["admin", "users", "create", user, "--role", "developer"]);
    }
    for (user, command) in [
        ("ann", tool_call("admin_users_disable", json!({ "user": "ann" }))),
        ("bob", tool_call("admin_sessions_revoke", json!({ "session": "s-bob" }))),
    ] {
        let session = format!("s-{user}");
        let token = token_that_works(&gateway, &["--user", user, "--role", "developer", "--session", &session]).await;
        let url = gateway.endpoint("echo");
        let caller = {
            let (connections, url, token) = (connections.clone(), url.clone(), token.clone());
            tokio::spawn(async move { call_until_refused(&connections, &url, &token).await })
        };
        tokio::time::sleep(Duration::from_millis(500)).await;
        let sent = Instant::now();
        let answer = post(&gateway.endpoint("sp"), Some(&operator), &command).await;
        let replied = Instant::now();
        assert_eq!(reason(&answer), "", "{answer:?}");
        let (last_allowed, refused) = caller.await.unwrap();
        let after = last_allowed.saturating_duration_since(replied);
        println!(
            "{user}: the command took {:?}; the last call that was carried out was sent {after:?} after its reply, the last first refusal came {:?} after it",
            replied - sent,
            refused.saturating_duration_since(replied)
        );
        assert!(after <= Duration::from_millis(200), "{user} was served {after:?} after the command's reply");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_key_is_as_good_as_a_token_and_no_better_than_its_user() {
    let upstream = Upstream::start(&[]);
    let gateway = gateway(&upstream);
    gateway.sp(&["admin", "users", "create", "robot", "--tier", "service", "--role", "developer"]);
    let make = |args: &[&str]| {
        let made = json(&gateway, &[&["admin", "keys", "create", "--user", "robot"], args].concat());
        (made["key"].as_str().unwrap().to_owned(), made["id"].as_str().unwrap().to_owned())
    };
    let (key, id) = make(&["--name", "nightly"]);
    assert!(key.starts_with(&format!("spk_{id}_")), "{key}");
    everywhere(&gateway, &key, "").await;

    // Less than its user: fewer scopes, fewer servers, an end. Never more.
    everywhere(&gateway, &make(&["--scope", "other:scope"]).0, "scope_missing").await;
    everywhere(&gateway, &make(&["--server", "elsewhere"]).0, "token_audience").await;
    let (code, _, err) = gateway.try_sp(&["admin", "keys", "create", "--user", "robot", "--role", "operator"]);
    assert!(code == 1 && err.contains("never more than its user"), "{err}");
    let (code, _, err) = gateway.try_sp(&["--token", &key, "admin", "users", "list"]);
    assert!(code == 3 && err.contains("scope_missing"), "{err}");
    let (short, _) = make(&["--expires", "1s"]);
    crate::harness::until_reason(&gateway.endpoint("echo"), &short, &tool_call("echo", json!({"message": "x"})), "token_expired")
        .await;

    // Guessing: an id that exists and one that does not are told apart by nobody.
    let zeros = "0".repeat(64);
    for wrong in [
        format!("spk_{id}_{zeros}"),
        format!("spk_{}_{zeros}", "0".repeat(16)),
        format!("{key}0"),
        key.replace(&key["spk_".len()..], &key["spk_".len()..].to_uppercase()),
        "spk_".into(),
    ] {
        everywhere(&gateway, &wrong, "key_unknown").await;
    }
    in_the_url_or_another_header_it_is_nothing(&gateway, &key).await;

    // The audit trail says how and with which key; the list says when.
    gateway.wait_until_shipped();
    let sql = "SELECT count(*), count(*) FILTER (WHERE user_id = 'robot' AND tier = 'service') FROM audit_event
        WHERE kind = 'decision' AND auth_method = 'api_key' AND token_id = $1 AND verdict = 'allow'";
    let row = gateway.postgres().await.query_one(sql, &[&id]).await.unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (CONNECTIONS as i64, CONNECTIONS as i64));
    let text: i64 = gateway
        .postgres()
        .await
        .query_one("SELECT count(*) FROM audit_event e WHERE strpos(e::text, $1) > 0", &[&&key[21..]])
        .await
        .unwrap()
        .get(0);
    assert_eq!(text, 0, "the key stands in the audit trail");
    let shown = json(&gateway, &["admin", "keys", "show", &id]);
    assert!(shown["last_used_at"].is_string() && shown["state"] == "live" && shown.get("key").is_none(), "{shown}");

    // Its user's fate is its own.
    gateway.sp(&["admin", "users", "disable", "robot"]);
    everywhere(&gateway, &key, "user_disabled").await;
    gateway.sp(&["admin", "users", "enable", "robot"]);
    everywhere(&gateway, &key, "").await;
    gateway.sp(&["admin", "keys", "revoke", &id]);
    everywhere(&gateway, &key, "key_unknown").await;
    assert_eq!(gateway.try_sp(&["admin", "keys", "revoke", &id]).0, 1);
}

/// What a credential gets at each door that takes bearer tokens: the reason of a refusal, or nothing.
async fn at_every_door(gateway: &Gateway, credential: &str) -> [String; 4] {
    let mut reasons = [const { String::new() }; 4];
    for (door, reason) in DOORS.iter().zip(&mut reasons) {
        *reason = at_door(gateway, door, credential).await;
    }
    reasons
}

/// By the channel that the audit trail knows them by.
const DOORS: [&str; 4] = ["mcp", "hook", "decide", "command"];

async fn at_door(gateway: &Gateway, door: &str, credential: &str) -> String {
    let asked = |path: &str| format!("{}/api/v1/{path}", gateway.url());
    let hook = json!({ "hook_event_name": "PreToolUse", "tool_name": "mcp__echo__echo", "tool_input": { "message": "x" } });
    let question = json!({ "server": "echo", "tool": "echo", "arguments": { "message": "x" } });
    let (url, body) = match door {
        "mcp" => (gateway.endpoint("echo"), tool_call("echo", json!({ "message": "x" }))),
        "hook" => (asked("hooks/govern"), hook.to_string()),
        "decide" => (asked("decide"), question.to_string()),
        _ => (gateway.endpoint("sp"), tool_call("admin_tenants_list", json!({}))),
    };
    let answer = post(&url, Some(credential), &body).await;
    match door {
        "hook" => {
            let output = &answer.body["hookSpecificOutput"];
            assert_eq!(answer.status, 200, "a hook is always answered: {answer:?}");
            match output["permissionDecision"].as_str() {
                Some("allow") => String::new(),
                Some("deny") => output["permissionDecisionReason"].as_str().unwrap().split(':').next().unwrap().to_owned(),
                _ => panic!("{answer:?}"),
            }
        }
        "decide" => match answer.body["decision"].as_str() {
            Some("allow") if answer.status == 200 => String::new(),
            Some("deny") if answer.status == 401 => answer.body["reason"].as_str().unwrap().to_owned(),
            _ => panic!("{answer:?}"),
        },
        _ => {
            let reason = reason(&answer);
            let status = match reason.as_str() {
                "" => 200,
                "scope_missing" => 403,
                _ => 401,
            };
            assert_eq!(answer.status, status, "{answer:?}");
            reason
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_key_is_taken_wherever_a_token_is() {
    let upstream = Upstream::start(&[]);
    let gateway = gateway(&upstream);
    gateway.sp(&["admin", "users", "create", "robot", "--tier", "service", "--role", "developer", "--role", "operator"]);
    let make = |args: &[&str]| {
        let made = json(&gateway, &[&["admin", "keys", "create", "--user", "robot"], args].concat());
        (made["key"].as_str().unwrap().to_owned(), made["id"].as_str().unwrap().to_owned())
    };
    let all = |reason: &str| std::array::from_fn(|_| reason.to_owned());
    let last_use = |id: &str| json(&gateway, &["admin", "keys", "show", id])["last_used_at"].clone();

    // A key for each door, so that each shows that it notes the use.
    for door in DOORS {
        let (key, id) = make(&["--name", door]);
        assert_eq!(last_use(&id), Value::Null, "{door}");
        assert_eq!(at_door(&gateway, door, &key).await, "", "{door}");
        gateway.wait_until_shipped();
        let used: jiff::Timestamp = last_use(&id).as_str().unwrap_or_else(|| panic!("{door} notes no use")).parse().unwrap();
        assert!(jiff::Timestamp::now().duration_since(used).as_secs() < 60, "{door}: {used}");
        let sql = "SELECT array_agg(DISTINCT channel || ' ' || verdict || ' ' || user_id) FROM audit_event
            WHERE kind = 'decision' AND auth_method = 'api_key' AND token_id = $1";
        let rows: Vec<String> = gateway.postgres().await.query_one(sql, &[&id]).await.unwrap().get(0);
        assert_eq!(rows, [format!("{door} allow robot")]);
    }

    let (key, id) = make(&["--name", "everywhere"]);
    assert_eq!(at_every_door(&gateway, &key).await, all(""));
    assert!(gateway.sp(&["--token", &key, "admin", "keys", "list"]).contains("everywhere"), "the command line takes it too");
    gateway.sp(&["admin", "keys", "revoke", &id]);
    assert_eq!(at_every_door(&gateway, &key).await, all("key_unknown"));
    let (code, _, err) = gateway.try_sp(&["--token", &key, "admin", "keys", "list"]);
    assert!(code == 3 && err.contains("ask for another"), "{err}");

    let (short, _) = make(&["--expires", "2s"]);
    let call = tool_call("echo", json!({"message": "x"}));
    crate::harness::until_reason(&gateway.endpoint("echo"), &short, &call, "token_expired").await;
    assert_eq!(at_every_door(&gateway, &short).await, all("token_expired"));

    // A scope less is a scope less at each of them, and nobody is logged out for it.
    let (narrow, _) = make(&["--scope", "tools:call"]);
    assert_eq!(at_every_door(&gateway, &narrow).await, ["", "", "", "scope_missing"]);
}

async fn in_the_url_or_another_header_it_is_nothing(gateway: &Gateway, key: &str) {
    use http_body_util::Full;
    let call = tool_call("echo", json!({"message": "x"}));
    let url = gateway.endpoint("echo");
    for (url, header, value) in [
        (format!("{url}?access_token={key}"), "x-nothing", String::new()),
        (format!("{url}?api_key={key}"), "x-nothing", String::new()),
        (url.clone(), "x-api-key", key.to_owned()),
        (url.clone(), "authorization", format!("Basic {key}")),
        (url.clone(), "authorization", key.to_owned()),
        (url.clone(), "cookie", format!("token={key}")),
    ] {
        let request = hyper::Request::post(&url)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header(header, &value)
            .body(Full::from(call.clone()))
            .unwrap();
        let status = client().request(request).await.unwrap().status();
        assert_eq!(status, 401, "{header}: {value}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_becomes_somebody_else_by_saying_so() {
    use base64::Engine as _;
    use http_body_util::{BodyExt as _, Full};
    let upstream = Upstream::start(&[]);
    let gateway = gateway(&upstream);
    // May call tools on every server, `sp` too; commands ask for a scope of their own.
    let token = gateway.token(&["--user", "ann", "--role", "developer"]);
    let admin = json!({ "iss": "x", "aud": "x", "sub": "root", "exp": 9_999_999_999_u64, "iat": 0, "jti": "x", "tier": "admin", "roles": ["operator"], "scope": "gateway:operate" });
    let forged = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(admin.to_string());
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "admin_users_create",
        "arguments": { "user": "mallory", "tier": "admin" },
        "_meta": { "tier": "admin", "roles": ["operator"], "sp-principal": forged },
    }});
    let request = hyper::Request::post(gateway.endpoint("sp"))
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("authorization", format!("Bearer {token}"))
        .header("sp-principal", &forged)
        .header("x-tier", "admin")
        .header("x-scopes", "gateway:operate")
        .body(Full::from(call.to_string()))
        .unwrap();
    let response = client().request(request).await.unwrap();
    assert_eq!(response.status(), 403);
    let challenge = response.headers()["www-authenticate"].to_str().unwrap().to_owned();
    assert!(challenge.contains("insufficient_scope") && challenge.contains("gateway:operate"), "{challenge}");
    let body: Value = serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap();
    assert_eq!(body["error"]["data"]["reason"], "scope_missing", "{body}");
    // The command line meets the same denial.
    let (code, _, err) = gateway.try_sp(&["--token", &token, "admin", "users", "create", "mallory", "--tier", "admin"]);
    assert!(code == 3 && err.contains("scope_missing"), "{err}");
    assert_eq!(gateway.try_sp(&["admin", "users", "show", "mallory"]).0, 1);

    // Tiers are kinds, not a ladder: an administrator without the scope has no more.
    let boss = gateway.token(&["--user", "boss", "--tier", "admin", "--role", "developer"]);
    let (code, _, err) = gateway.try_sp(&["--token", &boss, "admin", "users", "list"]);
    assert!(code == 3 && err.contains("scope_missing"), "{err}");

    // Who may call nothing of it sees nothing of it; an operator sees all.
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }).to_string();
    let seen = async |token: &str| -> Vec<String> {
        let answer = post(&gateway.endpoint("sp"), Some(token), &list).await;
        let tools = answer.body["result"]["tools"].as_array().unwrap_or_else(|| panic!("{answer:?}")).clone();
        tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(seen(&token).await, Vec::<String>::new());
    let operator = gateway.token(&["--user", "ops", "--role", "operator"]);
    let all = seen(&operator).await;
    assert!(all.contains(&"admin_users_create".to_owned()) && all.contains(&"infra_logs_search".to_owned()), "{all:?}");
    let reader = gateway.token(&["--user", "look", "--role", "operator", "--scope", "gateway:read"]);
    assert_eq!(seen(&reader).await, all);

    // An agent and a person leave the same row.
    let create = tool_call("admin_users_create", json!({ "user": "made-by-agent" }));
    let answer = post(&gateway.endpoint("sp"), Some(&operator), &create).await;
    assert_eq!(answer.body["result"]["structuredContent"]["id"], "made-by-agent", "{answer:?}");
    gateway.sp(&["--token", &operator, "admin", "users", "create", "made-by-person"]);
    gateway.wait_until_shipped();
    let sql =
        "SELECT count(*), count(DISTINCT (user_id, tier, roles, scopes, channel, server, tool, verdict, rule)), min(channel)
        FROM audit_event WHERE kind = 'decision' AND tool = 'admin_users_create' AND user_id = 'ops'";
    let row = gateway.postgres().await.query_one(sql, &[]).await.unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1), row.get::<_, &str>(2)), (2, 1, "command"));
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_see_and_change_what_there_is() {
    let limits = "secrets: {}\nlimits:\n  - { id: few, per: [principal], rate: 3/h, servers: [echo] }\n";
    let upstream = Upstream::start(&[]);
    let echo = echo_server(&upstream.url);
    let services = [("mcp/echo.yaml", echo.as_str()), ("access/access.yaml", ACCESS), ("governance/rules.yaml", limits)];
    let gateway = Gateway::start(&services, &["--cores", "2"]);
    // Pages.
    for n in 0..5 {
        gateway.sp(&["admin", "users", "create", &format!("u{n}")]);
    }
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let page = json(&gateway, &["admin", "users", "list", "--limit", "2", "--after", &after]);
        seen.extend(page["users"].as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => break,
        }
    }
    seen.retain(|id| id.starts_with('u'));
    assert_eq!(seen, ["u0", "u1", "u2", "u3", "u4"]);

    // Limits: used, given back.
    let ann = gateway.token(&["--user", "ann", "--role", "developer"]);
    let call = tool_call("echo", json!({"message": "x"}));
    for _ in 0..3 {
        assert_eq!(reason(&post(&gateway.endpoint("echo"), Some(&ann), &call).await), "");
    }
    assert_eq!(reason(&post(&gateway.endpoint("echo"), Some(&ann), &call).await), "rate_limited");
    let of = ["ann", "--server", "echo", "--tool", "echo", "--role", "developer"];
    let count = json(&gateway, &[&["admin", "limits", "show"], &of[..]].concat());
    assert_eq!((&count["counts"][0]["used"], &count["counts"][0]["of"]), (&json!(3), &json!(3)), "{count}");
    gateway.sp(&[&["admin", "limits", "reset"], &of[..]].concat());
    assert_eq!(reason(&post(&gateway.endpoint("echo"), Some(&ann), &call).await), "");

    // Everything else there is to look at answers, for people and as JSON.
    gateway.sp(&["admin", "tenants", "create", "acme"]);
    gateway.sp(&["admin", "departments", "create", "research", "--tenant", "acme"]);
    gateway.sp(&["admin", "users", "update", "u0", "--tenant", "acme", "--department", "research"]);
    assert_eq!(gateway.try_sp(&["admin", "tenants", "delete", "acme"]).0, 1);
    assert_eq!(json(&gateway, &["admin", "tenants", "show", "acme"])["departments"], 1);
    let shown = json(&gateway, &["admin", "departments", "show", "research"]);
    assert_eq!((&shown["tenant"], &shown["users"]), (&json!("acme"), &json!(1)));
    assert_eq!(json(&gateway, &["admin", "roles", "show", "developer"])["scopes"], json!(["tools:call"]));
    units_change(&gateway);
    for nobody in [
        &["admin", "tenants", "show", "nosuch"][..],
        &["admin", "departments", "show", "nosuch"],
        &["admin", "tenants", "update", "nosuch", "--name", "x"],
        &["admin", "departments", "update", "nosuch", "--name", "x"],
        &["admin", "roles", "show", "nosuch"],
    ] {
        assert_eq!(gateway.try_sp(nobody).0, 1, "{nobody:?}");
    }
    for args in [
        &["admin", "roles", "list"][..],
        &["admin", "grants", "list", "--principal", "developer"],
        &["admin", "tenants", "list"],
        &["admin", "departments", "list"],
        &["admin", "sessions", "list"],
        &["admin", "keys", "list", "--all"],
        &["admin", "limits", "list"],
        &["admin", "policy", "status"],
        &["admin", "config", "show"],
        &["admin", "config", "validate"],
        &["admin", "setup"],
        &["admin", "users", "list", "--department", "research"],
    ] {
        assert!(!gateway.sp(args).trim().is_empty(), "{args:?}");
        assert!(json(&gateway, args).is_object(), "{args:?}");
    }
    gateway.declare("access/access.yaml", &ACCESS.replace("effect: deny", "effekt: deny"));
    let (code, _, err) = gateway.try_sp(&["admin", "config", "validate"]);
    assert!(code == 1 && err.contains("access.yaml:") && err.contains("effekt"), "{err}");
    let help = gateway.sp(&["admin", "users", "create", "--help"]);
    assert!(help.contains("Example:") && help.contains("gateway:operate"), "{help}");

    // Without the database nothing is pretended.
    let processes = crate::outage::family(gateway.postmaster().as_raw());
    crate::outage::tell(&processes, nix::sys::signal::Signal::SIGSTOP);
    eventually("the database is seen to be away", || (crate::harness::readiness(&gateway)["status"] == "degraded").then_some(()));
    let (code, _, err) = gateway.try_sp(&["admin", "users", "disable", "u1"]);
    crate::outage::tell(&processes, nix::sys::signal::Signal::SIGCONT);
    assert!(code == 1 && err.contains("database"), "{err}");
}

/// What tenants and departments are called, and where a department belongs: `acme` has `research`, and `u0` is in both.
fn units_change(gateway: &Gateway) {
    let renamed = json(gateway, &["admin", "tenants", "update", "acme", "--name", "Acme Holding"]);
    assert_eq!((&renamed["name"], &renamed["users"], &renamed["departments"]), (&json!("Acme Holding"), &json!(1), &json!(1)));
    assert_eq!(json(gateway, &["admin", "tenants", "show", "acme"]), renamed);
    assert!(gateway.sp(&["admin", "tenants", "update", "acme", "--name", ""]).contains("acme"), "a name may be taken away");

    gateway.sp(&["admin", "tenants", "create", "globex"]);
    let of = |shown: &Value| (shown["name"].clone(), shown["tenant"].clone(), shown["users"].clone());
    let update = |args: &[&str]| of(&json(gateway, &[&["admin", "departments", "update", "research"], args].concat()));
    // What is not said stays.
    assert_eq!(update(&["--name", "R&D"]), (json!("R&D"), json!("acme"), json!(1)));
    assert_eq!(update(&["--tenant", "globex"]), (json!("R&D"), json!("globex"), json!(1)));
    assert_eq!(json(gateway, &["admin", "tenants", "show", "globex"])["departments"], 1);
    assert_eq!(json(gateway, &["admin", "users", "show", "u0"])["tenant"], "acme", "people are not moved along");
    assert_eq!(update(&["--no-tenant"]), (json!("R&D"), Value::Null, json!(1)));
    gateway.sp(&["admin", "tenants", "delete", "globex"]);
    for (args, code, words) in [
        (&["--tenant", "globex"][..], 1, "sp admin tenants create globex"),
        (&[], 1, "nothing to change"),
        (&["--tenant", "acme", "--no-tenant"], 2, "cannot be used with"),
    ] {
        let (is, _, err) = gateway.try_sp(&[&["admin", "departments", "update", "research"], args].concat());
        assert!(is == code && err.contains(words), "{args:?}: {is} {err}");
    }
    assert_eq!(update(&["--tenant", "acme"]), (json!("R&D"), json!("acme"), json!(1)));
    // Who may not operate may not rename.
    let ann = gateway.token(&["--user", "ann", "--role", "developer"]);
    assert_eq!(gateway.try_sp(&["--token", &ann, "admin", "tenants", "update", "acme", "--name", "x"]).0, 3);
}
