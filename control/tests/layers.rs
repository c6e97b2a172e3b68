//! One call allowed, and one denied by each layer, with what the client sees and what the auditor finds.

use dataplane::chain::blocklist::Pack;
use hyper::StatusCode;
use serde_json::json;

use crate::harness::{ACCESS, Gateway, Upstream, echo_server, post, tool_call};

const LIMITS: &str = "limits:\n  - { id: few-adds, per: [principal], tools: [add], rate: 2/min }\nsecrets: {}\nblocklist: {}\n";

fn gateway(upstream: &Upstream) -> Gateway {
    let echo = echo_server(&upstream.url);
    Gateway::start(
        &[("mcp/echo.yaml", &echo), ("access/access.yaml", ACCESS), ("governance/rules.yaml", LIMITS)],
        &["--cores", "2"],
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn each_layer_denies_and_says_so() {
    let upstream = Upstream::start(&[]);
    let gateway = gateway(&upstream);
    let ann = gateway.token(&["--user", "ann", "--role", "developer"]);
    let endpoint = gateway.endpoint("echo");
    let call = |token: &str, tool: &str, arguments| {
        let (endpoint, token, body) = (endpoint.clone(), token.to_owned(), tool_call(tool, arguments));
        async move { post(&endpoint, Some(&token), &body).await }
    };

    let allowed = call(&ann, "echo", json!({"message": "hi"})).await;
    assert_eq!(allowed.body["result"]["content"][0]["text"], "hi", "{allowed:?}");
    let trace = allowed.headers["sp-trace-id"].to_str().unwrap().to_owned();

    // Scope: no grant, a grant that denies, a scope that is missing. The challenge names what to ask for.
    let stranger = gateway.token(&["--user", "eve"]);
    let sales = gateway.token(&["--user", "sam", "--role", "developer", "--department", "sales"]);
    let visitor = gateway.token(&["--user", "vic", "--role", "visitor"]);
    for (token, tool, reason, challenge) in [
        (&stranger, "echo", "not_granted", "error=\"insufficient_scope\""),
        (&sales, "add", "grant_denies", "error=\"insufficient_scope\""),
        (&visitor, "echo", "scope_missing", "scope=\"echo:visit\""),
    ] {
        let denied = call(token, tool, json!({"message": "x", "a": 1, "b": 2})).await;
        assert_eq!(
            (denied.status, denied.body["error"]["data"]["reason"].as_str()),
            (StatusCode::FORBIDDEN, Some(reason)),
            "{denied:?}"
        );
        assert!(denied.headers["www-authenticate"].to_str().unwrap().contains(challenge), "{denied:?}");
    }

    // The other layers answer in JSON-RPC, with a code outside the reserved ranges.
    let secret = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
    let rows = [
        ("echo", json!({"message": format!("token {secret}")}), "secrets", "secret_found"),
        ("echo", json!({"message": "x", "command": "rm -fr /"}), "blocklist", "blocked"),
    ];
    for (tool, arguments, layer, reason) in rows {
        let denied = call(&ann, tool, arguments).await;
        let error = &denied.body["error"];
        assert_eq!((denied.status, error["data"]["layer"].as_str()), (StatusCode::OK, Some(layer)), "{denied:?}");
        assert_eq!(error["data"]["reason"], reason);
        assert!(error["code"].as_i64().unwrap() > 0 && error["data"]["rule"].is_string(), "{denied:?}");
        if layer == "blocklist" {
            let reason = "at `/command`: deletes a root, system, home or working directory";
            let evidence = format!("{reason} (critical, OWASP ASI02, pack shell v{})", Pack::Shell.version());
            assert_eq!(error["data"]["evidence"], evidence, "{denied:?}");
        }
        assert!(!denied.body.to_string().contains(secret), "the secret came back");
    }
    for n in 0..3 {
        let answer = call(&ann, "add", json!({"a": 1, "b": 2})).await;
        match n {
            0 | 1 => assert!(answer.body["result"].is_object(), "{answer:?}"),
            _ => {
                assert_eq!(answer.body["error"]["data"]["rule"], "few-adds", "{answer:?}");
                assert!(answer.body["error"]["data"]["retry_after_ms"].as_u64().unwrap() > 1000);
                assert!(answer.headers.contains_key("retry-after"));
            }
        }
    }

    // A tool that is not there, a server that is not there, a method that is not known.
    assert_eq!(call(&ann, "nosuch", json!({})).await.body["error"]["code"], -32602);
    let nowhere = post(&gateway.endpoint("nowhere"), Some(&ann), &tool_call("x", json!({}))).await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
    let unknown = post(&endpoint, Some(&ann), r#"{"jsonrpc":"2.0","id":1,"method":"nosuch/method"}"#).await;
    assert_eq!(unknown.body["error"]["code"], -32601);

    // The auditor finds each of them, and one call in full.
    gateway.wait_until_shipped();
    for (filter, value, at_least) in
        [("--layer", "scope", 4), ("--layer", "secrets", 1), ("--layer", "blocklist", 1), ("--layer", "rate", 1)]
    {
        let found: serde_json::Value =
            serde_json::from_str(&gateway.sp(&["--json", "infra", "logs", "search", filter, value])).unwrap();
        assert!(found["events"].as_array().unwrap().len() >= at_least, "{filter} {value}: {found}");
        assert!(!found.to_string().contains(secret), "the secret is in the audit trail");
    }
    let audit: serde_json::Value = serde_json::from_str(&gateway.sp(&["--json", "infra", "logs", "audit", &trace])).unwrap();
    let call = &audit["calls"][0];
    assert_eq!(call["identity"]["user"], "ann");
    let scope = call["permissions"]["layers"].as_array().unwrap().iter().find(|layer| layer["layer"] == "scope").unwrap();
    assert_eq!(scope, &json!({"layer": "scope", "verdict": "pass", "rule": "developers-call"}), "{audit}");
    assert_eq!(call["result"]["status"], "ok");
    let text = gateway.sp(&["infra", "logs", "audit", &trace]);
    let order = ["1 identity", "2 agent context", "3 permissions", "4 tool execution", "5 result"].map(|title| text.find(title));
    assert!(order.iter().all(Option::is_some) && order.is_sorted(), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_do_not_hold_are_refused_and_recorded() {
    let upstream = Upstream::start(&[]);
    let gateway = gateway(&upstream);
    let good = gateway.token(&["--user", "ann", "--role", "developer"]);
    let other = gateway.token(&["--user", "ann", "--role", "developer", "--server", "other"]);
    let short = gateway.token(&["--user", "ann", "--role", "developer", "--ttl", "1"]);
    let mut parts: Vec<&str> = good.split('.').collect();
    let none = base64("{\"alg\":\"none\",\"typ\":\"at+jwt\"}");
    let unsigned = format!("{none}.{}.", parts[1]);
    let flipped = parts[2].replace(['A', 'B'], "C");
    parts[2] = &flipped;
    let forged = if parts.join(".") == good { format!("{good}x") } else { parts.join(".") };
    std::thread::sleep(std::time::Duration::from_millis(2100));
    let rows = [
        (None, "token_missing"),
        (Some("nonsense".to_owned()), "token_malformed"),
        (Some(unsigned), "token_"),
        (Some(forged), "token_"),
        (Some(short), "token_expired"),
        (Some(other), "token_audience"),
    ];
    let call = tool_call("echo", json!({"message": "x"}));
    for (token, reason) in rows {
        let answer = post(&gateway.endpoint("echo"), token.as_deref(), &call).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{reason}: {answer:?}");
        let challenge = answer.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.starts_with("Bearer ") && challenge.contains("resource_metadata="), "{challenge}");
        assert!(answer.body["error"]["data"]["reason"].as_str().unwrap().starts_with(reason), "{reason}: {answer:?}");
    }
    gateway.wait_until_shipped();
    let found: serde_json::Value =
        serde_json::from_str(&gateway.sp(&["--json", "infra", "logs", "search", "--layer", "identity"])).unwrap();
    assert_eq!(found["events"].as_array().unwrap().len(), 6, "{found}");
    let metadata = post_get(&gateway, "/.well-known/oauth-protected-resource/api/v1/mcp/echo/mcp");
    assert!(metadata.contains("/api/v1/mcp/echo/mcp") && metadata.contains("authorization_servers"), "{metadata}");
    assert!(post_get(&gateway, "/.well-known/jwks.json").contains("Ed25519"));
}

fn post_get(gateway: &Gateway, path: &str) -> String {
    crate::harness::page(gateway, path)
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}

#[tokio::test(flavor = "multi_thread")]
async fn hooks_and_questions_go_through_the_same_chain() {
    let upstream = Upstream::start(&[]);
    let gateway = gateway(&upstream);
    let ann = gateway.token(&["--user", "ann", "--role", "developer"]);
    let hook = |event: &str, tool: &str, input: serde_json::Value| {
        json!({"hook_event_name": event, "tool_name": tool, "tool_input": input}).to_string()
    };
    let url = format!("{}/api/v1/hooks/govern", gateway.url());
    for (token, body, decision, word) in [
        (Some(&ann), hook("PreToolUse", "Bash", json!({"command": "ls -l"})), "allow", "permitted"),
        (Some(&ann), hook("PreToolUse", "Bash", json!({"command": "rm -rf /"})), "deny", "blocked"),
        (Some(&ann), hook("PreToolUse", "mcp__echo__nosuch", json!({})), "deny", "tool_unknown"),
        (Some(&ann), hook("SomethingNew", "Bash", json!({})), "deny", "event_unknown"),
        (Some(&ann), "not json".to_owned(), "deny", "request_malformed"),
        (None, hook("PreToolUse", "Bash", json!({"command": "ls"})), "deny", "token_missing"),
    ] {
        let answer = post(&url, token.map(String::as_str), &body).await;
        let output = &answer.body["hookSpecificOutput"];
        assert_eq!(
            (answer.status, output["permissionDecision"].as_str()),
            (StatusCode::OK, Some(decision)),
            "{body}: {answer:?}"
        );
        assert!(output["permissionDecisionReason"].as_str().unwrap().contains(word), "{body}: {answer:?}");
        assert_eq!(output["hookEventName"], "PreToolUse");
    }
    let url = format!("{}/api/v1/decide", gateway.url());
    let yes = post(&url, Some(&ann), r#"{"server":"echo","tool":"echo","arguments":{"message":"x"}}"#).await;
    assert_eq!((yes.status, yes.body["decision"].as_str()), (StatusCode::OK, Some("allow")), "{yes:?}");
    let no = post(&url, Some(&ann), r#"{"server":"echo","tool":"echo","arguments":{"command":"mkfs.ext4 /dev/sda"}}"#).await;
    assert_eq!((no.body["decision"].as_str(), no.body["layer"].as_str()), (Some("deny"), Some("blocklist")), "{no:?}");
    assert_eq!(post(&url, Some(&ann), r#"{"tool":"echo"}"#).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(post(&url, None, r#"{"server":"echo","tool":"echo"}"#).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_belongs_to_the_principal_that_opened_it() {
    let upstream = Upstream::start(&["--require-session"]);
    let gateway = gateway(&upstream);
    let ann = gateway.token(&["--user", "ann", "--role", "developer"]);
    let bob = gateway.token(&["--user", "bob", "--role", "developer"]);
    let initialize = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}});
    let opened = post(&gateway.endpoint("echo"), Some(&ann), &initialize.to_string()).await;
    let session = opened.headers["mcp-session-id"].to_str().unwrap().to_owned();
    for (token, status) in [(&ann, StatusCode::OK), (&bob, StatusCode::NOT_FOUND)] {
        let request = hyper::Request::post(gateway.endpoint("echo"))
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {token}"))
            .header("mcp-session-id", &session)
            .body(http_body_util::Full::from(tool_call("echo", json!({"message": "x"}))))
            .unwrap();
        assert_eq!(crate::harness::client().request(request).await.unwrap().status(), status);
    }
    let list = post(&gateway.endpoint("echo"), Some(&ann), r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#).await;
    assert_ne!(list.status, StatusCode::INTERNAL_SERVER_ERROR);
}
