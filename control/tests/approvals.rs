//! A person's word on a call that waits for it: given, refused, withheld, too late, one's own.

use serde_json::{Value, json};

use crate::harness::{ACCESS, Answer, Gateway, Upstream, echo_server, eventually, post, tool_call};

const RULES: &str = "
secrets: {}
blocklist:
  rules:
    - { id: adds-need-a-person, reason: sums are serious, mode: ask, servers: [echo], tools: [add] }
limits:
  - { id: two-adds, per: [principal], tools: [add], rate: 2/h }
approvals: { wait: 90s }
";

fn gateway(upstream: &Upstream, rules: &str) -> Gateway {
    let echo = echo_server(&upstream.url);
    Gateway::start(
        &[("mcp/echo.yaml", &echo), ("access/access.yaml", ACCESS), ("governance/rules.yaml", rules)],
        &["--cores", "2"],
    )
}

/// A call that needs approval, on its way.
fn ask(gateway: &Gateway, token: &str) -> tokio::task::JoinHandle<Answer> {
    let (endpoint, token) = (gateway.endpoint("echo"), token.to_owned());
    tokio::spawn(async move { post(&endpoint, Some(&token), &tool_call("add", json!({"a": 20, "b": 22}))).await })
}

fn waiting(gateway: &Gateway) -> Vec<Value> {
    let list: Value = serde_json::from_str(&gateway.sp(&["--json", "admin", "approvals", "list"])).unwrap();
    list["waiting"].as_array().unwrap().clone()
}

fn one_waits(gateway: &Gateway) -> Value {
    eventually("one call waits", || waiting(gateway).into_iter().next())
}

fn id(waiting: &Value) -> &str {
    waiting["id"].as_str().unwrap()
}

fn reason(answer: &Answer) -> &str {
    answer.body["error"]["data"]["reason"].as_str().unwrap_or("none")
}

fn events(gateway: &Gateway, kind: &str) -> Vec<Value> {
    gateway.wait_until_shipped();
    let found: Value = serde_json::from_str(&gateway.sp(&["--json", "infra", "logs", "search", "--kind", kind])).unwrap();
    found["events"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_decides_about_a_call_that_waits() {
    let upstream = Upstream::start(&[]);
    let gateway = gateway(&upstream, RULES);
    let ann = gateway.token(&["--user", "ann", "--role", "developer,operator"]);

    // Approved by somebody else: it is made, and who approved stands in its row.
    let call = ask(&gateway, &ann);
    let shown = one_waits(&gateway);
    assert_eq!((shown["user"].as_str(), shown["tool"].as_str()), (Some("ann"), Some("add")), "{shown}");
    assert!(shown["arguments"].as_str().unwrap().contains("22") && shown["rule"] == "adds-need-a-person", "{shown}");
    let (code, _, err) = gateway.try_sp(&["admin", "approvals", "approve", id(&shown), "--token", &ann]);
    assert!(code == 1 && err.contains("their own call"), "{code} {err}");
    let agent = gateway.token(&["--user", "bob", "--role", "operator", "--agent", "helper"]);
    let (code, _, err) = gateway.try_sp(&["admin", "approvals", "approve", id(&shown), "--token", &agent]);
    assert!(code == 1 && err.contains("a person must approve"), "{code} {err}");
    let bob = gateway.token(&["--user", "bob", "--role", "operator"]);
    gateway.sp(&["admin", "approvals", "approve", id(&shown), "--comment", "looks right", "--token", &bob]);
    let answer = call.await.unwrap();
    assert!(answer.body["result"]["content"][0]["text"].as_str().is_some_and(|text| text.contains("42")), "{answer:?}");
    let trace = answer.headers["sp-trace-id"].to_str().unwrap().to_owned();

    // Once is once.
    let (code, _, err) = gateway.try_sp(&["admin", "approvals", "approve", id(&shown), "--token", &bob]);
    assert!(code == 1 && err.contains("no call of this id waits"), "{code} {err}");

    // Refused, with the reason that was given.
    let call = ask(&gateway, &ann);
    let second = one_waits(&gateway);
    gateway.sp(&["admin", "approvals", "deny", id(&second), "--comment", "not on a Friday", "--token", &ann]);
    let answer = call.await.unwrap();
    assert_eq!(reason(&answer), "approval_denied", "{answer:?}");
    assert!(answer.body["error"]["data"]["evidence"].as_str().unwrap().contains("not on a Friday"), "{answer:?}");

    // The client goes away: the question is withdrawn.
    let call = ask(&gateway, &ann);
    let third = one_waits(&gateway);
    call.abort();
    eventually("the question is withdrawn", || waiting(&gateway).is_empty().then_some(()));
    let (code, _, _) = gateway.try_sp(&["admin", "approvals", "approve", id(&third), "--token", &bob]);
    assert_eq!(code, 1);

    // Approved, but by now the limit is reached: a person's word does not lift limits. Waiting has cost none of it.
    for expect in ["none", "rate_limited"] {
        let call = ask(&gateway, &ann);
        gateway.sp(&["admin", "approvals", "approve", id(&one_waits(&gateway)), "--token", &bob]);
        assert_eq!(reason(&call.await.unwrap()), expect);
    }

    // Nobody answers in time.
    gateway.declare("governance/rules.yaml", &RULES.replace("90s", "300ms"));
    gateway.sp(&["infra", "services", "reload"]);
    assert_eq!(reason(&ask(&gateway, &ann).await.unwrap()), "approval_timeout");

    // The auditor finds the question, the answer and the call under one trace.
    let answers = events(&gateway, "approval");
    let said: Vec<(&str, &str)> =
        answers.iter().rev().map(|event| (event["action"].as_str().unwrap(), event["user_id"].as_str().unwrap())).collect();
    assert_eq!(said, [("approve", "bob"), ("deny", "ann"), ("withdraw", "ann"), ("approve", "bob"), ("approve", "bob")]);
    let audit: Value = serde_json::from_str(&gateway.sp(&["--json", "infra", "logs", "audit", &trace])).unwrap();
    let verdicts: Vec<&str> =
        audit["calls"].as_array().unwrap().iter().map(|call| call["permissions"]["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["ask", "allow"], "{audit}");
    let allowed = &audit["calls"][1];
    assert_eq!(allowed["permissions"]["evidence"], "approved by `bob`", "{audit}");
    assert_eq!((allowed["result"]["status"].as_str(), &audit["calls"][0]["result"]), (Some("ok"), &Value::Null), "{audit}");
    assert_eq!((&audit["events"][0]["action"], &audit["events"][0]["user"]), (&json!("approve"), &json!("bob")), "{audit}");
    assert!(audit["events"][0]["detail"].as_str().unwrap().contains("looks right"), "{audit}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_refuses_what_waits_and_policy_may_trust_people_with_themselves() {
    let upstream = Upstream::start(&[]);
    let mut gateway = gateway(&upstream, &RULES.replace("90s", "90s, self_approval: true"));
    let ann = gateway.token(&["--user", "ann", "--role", "developer,operator"]);
    let call = ask(&gateway, &ann);
    gateway.sp(&["admin", "approvals", "approve", id(&one_waits(&gateway)), "--token", &ann]);
    assert_eq!(reason(&call.await.unwrap()), "none");

    let call = ask(&gateway, &ann);
    let shown = one_waits(&gateway);
    gateway.stop();
    let answer = call.await.unwrap();
    assert_eq!((answer.status.as_u16(), reason(&answer)), (503, "draining"), "{answer:?}");
    assert!(answer.body["error"]["data"]["evidence"].as_str().unwrap().contains("stopped while the call waited"), "{answer:?}");
    gateway.run();
    let (code, _, err) = gateway.try_sp(&["admin", "approvals", "approve", id(&shown)]);
    assert!(code == 1 && err.contains("restarted"), "{code} {err}");
    let denied: Vec<Value> = events(&gateway, "decision").into_iter().filter(|event| event["reason"] == "draining").collect();
    assert_eq!(denied.len(), 1, "{denied:?}");
    // The hook of an agent asks its own user instead.
    let hook = json!({"hook_event_name": "PreToolUse", "tool_name": "mcp__echo__add", "tool_input": {"a": 1, "b": 2}});
    let answer = post(&format!("{}/api/v1/hooks/govern", gateway.url()), Some(&ann), &hook.to_string()).await;
    assert_eq!(answer.body["hookSpecificOutput"]["permissionDecision"], "ask", "{answer:?}");
    assert!(waiting(&gateway).is_empty());
}
