//! Rolling out a policy: why a call is judged as it is, cases of a file, what another tree would have changed, and another
//! tree on live traffic.

use serde_json::{Value, json};

use crate::harness::{ACCESS, Gateway, Upstream, echo_server, eventually, post, reason, tool_call};

const RULES: &str = "
limits:
  - { id: ten, per: [principal], servers: [echo], rate: 10/h }
secrets: {}
blocklist: {}
audit: { preview_bytes: 512B }
";

/// As [`RULES`], but fewer calls, and one tool less for everybody.
const TIGHTER: &str = "
limits:
  - { id: three, per: [principal], servers: [echo], rate: 3/h }
secrets: {}
blocklist:
  rules:
    - { id: no-payroll, reason: payroll is elsewhere, tools: [echo], argument: { keys: [message], matcher: { contains: payroll } } }
audit: { preview_bytes: 512B }
";

fn gateway(upstream: &Upstream) -> Gateway {
    let echo = echo_server(&upstream.url);
    Gateway::start(
        &[("mcp/echo.yaml", &echo), ("access/access.yaml", ACCESS), ("governance/rules.yaml", RULES)],
        &["--cores", "2"],
    )
}

/// Another tree beside the one in force.
fn candidate(gateway: &Gateway, upstream: &Upstream, governance: &str, access: &str) -> String {
    let dir = gateway.path("candidate");
    for (path, text) in [
        ("mcp/echo.yaml", echo_server(&upstream.url).as_str()),
        ("access/access.yaml", access),
        ("governance/rules.yaml", governance),
    ] {
        let path = dir.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    dir.display().to_string()
}

fn json_of(gateway: &Gateway, args: &[&str]) -> Value {
    serde_json::from_str(&gateway.sp(&[&["--json"], args].concat())).unwrap()
}

async fn call(gateway: &Gateway, token: &str, tool: &str, arguments: Value) -> String {
    reason(&post(&gateway.endpoint("echo"), Some(token), &tool_call(tool, arguments)).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_layer_explains_itself() {
    let upstream = Upstream::start(&[]);
    let gateway = gateway(&upstream);
    let ann = gateway.token(&["--user", "ann", "--role", "developer"]);
    for _ in 0..10 {
        assert_eq!(call(&gateway, &ann, "echo", json!({ "message": "x" })).await, "");
    }
    let explain = |args: &[&str]| json_of(&gateway, &[&["admin", "policy", "explain"], args].concat());
    let layer = |says: &Value, name: &str| -> Value {
        let layers = says["layers"].as_array().unwrap();
        layers.iter().find(|layer| layer["layer"] == name).unwrap().clone()
    };

    let used_up = explain(&["--as", "ann", "echo", "echo", "--role", "developer"]);
    assert_eq!((&used_up["verdict"], &used_up["layer"], &used_up["rule"]), (&json!("deny"), &json!("rate"), &json!("ten")));
    assert_eq!(layer(&used_up, "rate")["limits"][0]["used"], 10, "{used_up}");
    assert_eq!(layer(&used_up, "scope")["rule"], "developers-call");

    let bob = explain(&["--as", "bob", "echo", "echo", "--role", "developer", "--arguments", r#"{"message":"x"}"#]);
    assert_eq!((&bob["verdict"], &bob["rule"]), (&json!("allow"), &json!("developers-call")), "{bob}");
    assert_eq!(layer(&bob, "rate")["limits"][0]["used"], 0, "asking costs nothing: {bob}");

    // What is blocked can be asked about, whoever asks is not blocked for it, and the row does not show it.
    let arguments = r#"{"command":"rm -rf / --no-preserve-root","token":"ghp_zQ8Kf3VbN1mXy7LdTw0RuJ5sHcEa2P4gIoB6"}"#;
    let both = explain(&["--as", "bob", "echo", "echo", "--role", "developer", "--arguments", arguments]);
    assert_eq!((&both["verdict"], &both["layer"]), (&json!("deny"), &json!("secrets")), "{both}");
    assert_eq!(layer(&both, "secrets")["findings"][0]["at"], "/token", "{both}");
    assert_eq!(layer(&both, "blocklist")["hit"]["at"], "/command", "the layer behind the one that decides speaks too: {both}");
    let others = explain(&["--as", "eve", "echo", "echo"]);
    assert_eq!((&others["verdict"], &others["reason"]), (&json!("deny"), &json!("not_granted")));
    let grants = layer(&others, "scope")["grants"].clone();
    assert!(
        grants.as_array().unwrap().iter().any(|grant| grant["grant"] == "developers-call" && grant["differs"] == "roles"),
        "{grants}"
    );
    let step_up = explain(&["--as", "vera", "echo", "echo", "--role", "visitor"]);
    assert_eq!(step_up["reason"], "scope_missing", "{step_up}");

    let text = gateway.sp(&["admin", "policy", "explain", "--as", "bob", "echo", "echo", "--role", "developer"]);
    assert!(
        text.starts_with("allow: permitted by `developers-call`") && text.contains("ten (window, enforce): costs 1"),
        "{text}"
    );
    gateway.wait_until_shipped();
    let row = gateway.postgres().await;
    let row = row
        .query_one("SELECT count(*) FROM audit_event WHERE tool = 'admin_policy_explain' AND args_preview IS NOT NULL", &[])
        .await
        .unwrap();
    assert_eq!(row.get::<_, i64>(0), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tree_is_compared_with_what_was_decided() {
    let upstream = Upstream::start(&[]);
    let gateway = gateway(&upstream);
    let (ann, bob) = (["--user", "ann", "--role", "developer"], ["--user", "bob", "--role", "developer"]);
    let (ann, bob) = (gateway.token(&ann), gateway.token(&bob));
    for _ in 0..5 {
        assert_eq!(call(&gateway, &ann, "echo", json!({ "message": "hello" })).await, "");
    }
    assert_eq!(call(&gateway, &bob, "echo", json!({ "message": "the payroll of May" })).await, "");
    assert_eq!(call(&gateway, &bob, "add", json!({ "a": 1, "b": 2 })).await, "");
    assert_eq!(call(&gateway, &bob, "echo", json!({ "message": "x".repeat(2000) })).await, "");
    let visitor = gateway.token(&["--user", "vera", "--role", "visitor"]);
    assert_eq!(call(&gateway, &visitor, "add", json!({ "a": 1, "b": 2 })).await, "scope_missing");
    gateway.wait_until_shipped();

    let of_echo = |changes: &Value| -> Vec<Value> {
        changes["changes"].as_array().unwrap().iter().filter(|change| change["server"] == "echo").cloned().collect()
    };
    let same = candidate(&gateway, &upstream, RULES, ACCESS);
    let nothing = json_of(&gateway, &["admin", "policy", "diff", &same]);
    assert_eq!((nothing["changed"].as_u64(), nothing["unjudged"].as_u64()), (Some(0), Some(0)), "{nothing}");

    let access = ACCESS.replace("scopes: [echo:visit]", "scopes: []");
    let tighter = candidate(&gateway, &upstream, TIGHTER, &access);
    let found = json_of(&gateway, &["admin", "policy", "diff", &tighter, "--last", "200"]);
    let changes = of_echo(&found);
    let by = |user: &str, rule: &str| changes.iter().filter(|change| change["user"] == user && change["rule"] == rule).count();
    assert_eq!(by("ann", "three"), 2, "five calls, three of which fit: {found}");
    assert_eq!(by("bob", "no-payroll"), 1, "{found}");
    assert_eq!(changes.len(), 3, "{found}");
    let why = found["by_reason_unjudged"].to_string();
    assert_eq!(found["unjudged"], 2, "{found}");
    assert!(why.contains("block list differ"), "of the long message only the beginning is kept: {found}");
    assert!(why.contains("grants would let it through now"), "of what grants refused no arguments are kept: {found}");
    let text = gateway.sp(&["admin", "policy", "diff", &tighter]);
    assert!(text.contains("3 changed, 2 unjudged") && text.contains("no-payroll"), "{text}");

    let fewer = ACCESS.replace("servers: [\"*\"], scopes: [tools:call]", "servers: [\"*\"], tools: [echo], scopes: [tools:call]");
    let fewer = candidate(&gateway, &upstream, RULES, &fewer);
    let found = json_of(&gateway, &["admin", "policy", "diff", &fewer]);
    assert_eq!(
        found["by_change"],
        json!([{ "change": "allow -> deny (not_granted)", "calls": 1 }]),
        "whatever its arguments: {found}"
    );

    let broken = candidate(&gateway, &upstream, "limits: [{ id: x }]\n", ACCESS);
    let (code, _, err) = gateway.try_sp(&["admin", "policy", "diff", &broken]);
    assert!(code != 0 && err.contains("problem"), "{code} {err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tree_is_tried_on_live_traffic() {
    let upstream = Upstream::start(&[]);
    let gateway = gateway(&upstream);
    let ann = gateway.token(&["--user", "ann", "--role", "developer"]);
    assert_eq!(json_of(&gateway, &["admin", "policy", "shadow", "status"])["on_trial"], false);
    let tree = candidate(&gateway, &upstream, TIGHTER, ACCESS);
    let started = json_of(&gateway, &["admin", "policy", "shadow", "start", &tree]);
    assert_eq!(started["on_trial"], true, "{started}");
    for _ in 0..5 {
        assert_eq!(call(&gateway, &ann, "add", json!({ "a": 1, "b": 2 })).await, "", "the candidate refuses nobody");
    }
    let bob = gateway.token(&["--user", "bob", "--role", "developer"]);
    assert_eq!(call(&gateway, &bob, "echo", json!({ "message": "payroll" })).await, "");
    assert_eq!(call(&gateway, &bob, "echo", json!({ "message": "hello" })).await, "");
    let eve = gateway.token(&["--user", "eve"]);
    assert_eq!(call(&gateway, &eve, "echo", json!({ "message": "hello" })).await, "not_granted");

    let status = eventually("the trial has judged them", || {
        let status = json_of(&gateway, &["admin", "policy", "shadow", "status"]);
        (status["differed"].as_u64()? >= 3).then_some(status)
    });
    assert_eq!(status["differed"], 3, "two calls too many and one of payroll: {status}");
    gateway.wait_until_shipped();
    let rows = json_of(&gateway, &["infra", "logs", "search", "--kind", "shadow"]);
    let rows = rows["events"].as_array().unwrap();
    assert_eq!(rows.len(), 3, "{rows:?}");
    for row in rows {
        let detail: Value = serde_json::from_str(row["detail"].as_str().unwrap()).unwrap();
        assert_eq!((&detail["was"]["verdict"], &detail["would_be"]["verdict"]), (&json!("allow"), &json!("deny")), "{detail}");
        let expected = if row["user_id"] == "ann" { "three" } else { "no-payroll" };
        assert_eq!(detail["would_be"]["rule"], expected, "{detail}");
        // The call itself and what the candidate says of it share a trace.
        let trail = json_of(&gateway, &["infra", "logs", "audit", row["trace"].as_str().unwrap()]);
        assert!(trail.to_string().contains("would_decide"), "{trail}");
    }
    let ended = json_of(&gateway, &["admin", "policy", "shadow", "stop"]);
    assert_eq!(ended["on_trial"], true);
    assert_eq!(call(&gateway, &ann, "echo", json!({ "message": "payroll" })).await, "");
    assert_eq!(json_of(&gateway, &["admin", "policy", "shadow", "status"])["on_trial"], false);
    gateway.wait_until_shipped();
    let rows = json_of(&gateway, &["infra", "logs", "search", "--kind", "shadow"]);
    assert_eq!(rows["events"].as_array().unwrap().len(), 3, "after its end nothing is tried");
}

#[test]
fn cases_of_a_file_are_judged_without_a_gateway() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    for (name, text) in [
        ("services/mcp/echo.yaml", echo_server("http://127.0.0.1:9/mcp").as_str()),
        ("services/access/access.yaml", ACCESS),
        ("services/governance/rules.yaml", TIGHTER),
        (
            "good.yaml",
            "cases:
  - name: developers call
    as: { user: ann, roles: [developer] }
    call: { server: echo, tool: echo, arguments: { message: hello } }
    expect: { verdict: allow, rule: developers-call }
  - name: not more than three times an hour
    as: { user: ann, roles: [developer] }
    call: { server: echo, tool: echo }
    times: 4
    expect: { verdict: deny, layer: rate, reason: rate_limited, rule: three }
  - name: visitors need a scope
    as: { user: vera, roles: [visitor] }
    call: { server: echo, tool: add }
    expect: { verdict: deny, reason: scope_missing }
  - name: payroll is elsewhere
    as: { user: ann, roles: [developer] }
    call: { server: echo, tool: echo, arguments: { message: the payroll } }
    expect: { verdict: deny, rule: no-payroll }
  - name: no secrets
    as: { user: ann, roles: [developer] }
    call: { server: echo, tool: echo, arguments: { message: ghp_zQ8Kf3VbN1mXy7LdTw0RuJ5sHcEa2P4gIoB6 } }
    expect: { verdict: deny, layer: secrets }
  - name: everybody who may call may list
    as: { user: ann, roles: [developer] }
    call: { server: echo, method: tools/list }
    expect: { verdict: allow }
",
        ),
        (
            "bad.yaml",
            "cases:
  - name: wrong on purpose
    as: { user: eve }
    call: { server: echo, tool: echo }
    expect: { verdict: allow }
",
        ),
        ("broken.yaml", "cases:\n  - name: x\n"),
    ] {
        std::fs::create_dir_all(path(name).parent().unwrap()).unwrap();
        std::fs::write(path(name), text).unwrap();
    }
    let test = |file: &str, json: bool| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sp"));
        command.args(["admin", "policy", "test"]).arg(path(file)).arg("--services").arg(path("services"));
        let output = command.args(json.then_some("--json")).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    };
    let (code, out, err) = test("good.yaml", false);
    assert_eq!(code, 0, "{out}{err}");
    assert_eq!(out.matches("ok ").count(), 6, "{out}");
    let (code, out, _) = test("bad.yaml", false);
    assert!(
        code == 1 && out.contains("FAILED  wrong on purpose") && out.contains("verdict is `deny`, not `allow`"),
        "{code} {out}"
    );
    let (code, out, _) = test("bad.yaml", true);
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &found["ok"], &found["cases"][0]["found"]["reason"]), (1, &json!(false), &json!("not_granted")));
    let (code, _, err) = test("broken.yaml", false);
    assert!(code == 1 && err.contains("broken.yaml:2:"), "{code} {err}");
}

/// Verdict, observed rules and preview of the newest decision about `echo`.
async fn newest(gateway: &Gateway) -> (String, String, Option<String>) {
    gateway.wait_until_shipped();
    let row = gateway.postgres().await;
    let row = row
        .query_one(
            "SELECT verdict, coalesce(observed, ''), args_preview FROM audit_event WHERE kind = 'decision' AND server = 'echo' AND method = 'tools/call' ORDER BY at DESC LIMIT 1",
            &[],
        )
        .await
        .unwrap();
    (row.get(0), row.get(1), row.get(2))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_observes_refuses_nothing_and_says_what_it_would() {
    let upstream = Upstream::start(&[]);
    let gateway = gateway(&upstream);
    gateway.declare("governance/mode.yaml", "mode: observe\n");
    gateway.sp(&["infra", "services", "reload"]);
    let eve = gateway.token(&["--user", "eve"]);
    assert_eq!(call(&gateway, &eve, "echo", json!({ "message": "hello" })).await, "");
    // Nothing has looked for secrets in it, so nothing of it is shown.
    assert_eq!(newest(&gateway).await, ("allow".into(), "not_granted".into(), None));
    let ann = gateway.token(&["--user", "ann", "--role", "developer"]);
    let secret = "ghp_zQ8Kf3VbN1mXy7LdTw0RuJ5sHcEa2P4gIoB6";
    assert_eq!(call(&gateway, &ann, "echo", json!({ "message": secret })).await, "");
    let (verdict, observed, preview) = newest(&gateway).await;
    assert_eq!((verdict.as_str(), preview), ("allow", None), "what would have been refused for a secret is not shown");
    assert!(observed.contains("github"), "{observed}");
    assert_eq!(call(&gateway, &ann, "none_such", json!({})).await, "tool_unknown", "nothing can give what is not there");
    let unknown = post(&gateway.endpoint("echo"), Some("not-a-token"), &tool_call("echo", json!({}))).await;
    assert_eq!(unknown.status.as_u16(), 401, "who calls is known whatever the mode");

    gateway.declare("governance/mode.yaml", "mode: enforce\n");
    let watched = format!(
        "{ACCESS}  - {{ id: no-echo, effect: deny, mode: observe, subjects: {{ users: [ann] }}, servers: [echo], tools: [echo], when: {{ arg: /message, prefix: he }} }}\n"
    );
    gateway.declare("access/access.yaml", &watched);
    gateway.sp(&["infra", "services", "reload"]);
    assert_eq!(call(&gateway, &eve, "echo", json!({ "message": "hello" })).await, "not_granted");
    for (message, observed) in [("hello", "no-echo"), ("other", "")] {
        assert_eq!(call(&gateway, &ann, "echo", json!({ "message": message })).await, "");
        assert_eq!(newest(&gateway).await.1, observed);
    }
    gateway.declare("access/access.yaml", &watched.replace("effect: deny, mode", "effect: allow, mode"));
    let (code, _, err) = gateway.try_sp(&["infra", "services", "reload"]);
    assert!(code != 0 && err.contains("problem"), "{code} {err}");
}
