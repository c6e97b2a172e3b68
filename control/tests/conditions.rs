//! Grants that look at the arguments of a call: what may be listed, what may be called, and what is said when not.

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::harness::{Gateway, Upstream, echo_server, post, tool_call};

const GRANTS: &str = r#"
roles:
  developer: { description: Works, scopes: [tools:call] }
  operator: { description: Operates, scopes: [gateway:operate] }
grants:
  - { id: operators-operate, effect: allow, subjects: { roles: [operator] }, servers: [sp] }
  - id: short-messages
    effect: allow
    subjects: { roles: [developer] }
    servers: ["*"]
    tools: [echo__echo]
    scopes: [tools:call]
    when:
      - { arg: /message, length: { max: 20 } }
      - any:
          - { arg: /path, exists: false }
          - { arg: /path, within: /srv/data }
  - id: not-the-metadata
    effect: deny
    servers: [echo]
    tools: ["*"]
    when: { all: [ { arg: /url, exists: true }, { arg: /url, cidr: 169.254.0.0/16 } ] }
  - id: adds-at-any-hour
    effect: allow
    subjects: { roles: [developer] }
    servers: [echo]
    tools: [add]
    when: { time: { from: "00:00", to: "24:00" } }
"#;

const LIMITS: &str = "limits:\n  - { id: few-adds, per: [principal], tools: [echo__add], rate: 1/min }\nsecrets: {}\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_judged_with_its_arguments_and_a_listing_without() {
    let upstream = Upstream::start(&[]);
    let echo = echo_server(&upstream.url);
    let services = [("mcp/echo.yaml", echo.as_str()), ("access/access.yaml", GRANTS), ("governance/rules.yaml", LIMITS)];
    let gateway = Gateway::start(&services, &["--cores", "2"]);
    let ann = gateway.token(&["--user", "ann", "--role", "developer"]);
    let endpoint = gateway.endpoint("echo");

    let listed = post(&endpoint, Some(&ann), r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#).await;
    let tools = listed.body["result"]["tools"].as_array().unwrap();
    let names: Vec<&str> = tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
    assert!(names.contains(&"echo") && names.contains(&"add"), "{names:?}");

    let long = "x".repeat(21);
    let rows = [
        (json!({"message": "hi"}), None),
        (json!({"message": "hi", "path": "/srv/data/a/b"}), None),
        (json!({"message": "hi", "url": "http://example.com/"}), Some(("condition_error", "not-the-metadata", "is a name"))),
        (json!({"message": long}), Some(("condition_failed", "short-messages", "length"))),
        (json!({"message": 7}), Some(("condition_error", "short-messages", "no length"))),
        (json!({}), Some(("condition_error", "short-messages", "missing"))),
        (json!({"message": "hi", "path": "/srv/data/../x"}), Some(("condition_failed", "short-messages", "within"))),
        (json!({"message": "hi", "url": "http://169.254.169.254/"}), Some(("grant_denies", "not-the-metadata", ""))),
    ];
    for (arguments, expect) in &rows {
        let answer = post(&endpoint, Some(&ann), &tool_call("echo", arguments.clone())).await;
        let Some((reason, rule, evidence)) = expect else {
            assert!(answer.body["result"].is_object(), "{arguments}: {answer:?}");
            continue;
        };
        let data = &answer.body["error"]["data"];
        assert_eq!(
            (answer.status, data["reason"].as_str(), data["rule"].as_str()),
            (StatusCode::FORBIDDEN, Some(*reason), Some(*rule)),
            "{arguments}: {answer:?}"
        );
        assert!(data["evidence"].as_str().unwrap_or_default().contains(evidence), "{answer:?}");
        assert!(!answer.body.to_string().contains(&long), "the argument came back: {answer:?}");
    }

    // The decision API and the hook know the tool by its prefixed names, and limits do too.
    let decide = |body: Value| {
        let (url, ann) = (format!("{}/api/v1/decide", gateway.url()), ann.clone());
        async move { post(&url, Some(&ann), &body.to_string()).await }
    };
    for (body, decision) in [
        (json!({"tool": "echo__echo", "arguments": {"message": "hi"}}), "allow"),
        (json!({"tool": "mcp__echo__echo", "arguments": {"message": long}}), "deny"),
        (json!({"server": "echo", "tool": "add", "arguments": {"a": 1, "b": 2}}), "allow"),
        (json!({"tool": "echo__add", "arguments": {"a": 1, "b": 2}}), "deny"),
    ] {
        let answer = decide(body.clone()).await;
        assert_eq!(answer.body["decision"], decision, "{body}: {answer:?}");
    }
    assert_eq!(decide(json!({"tool": "nosuch__echo"})).await.status, StatusCode::BAD_REQUEST);
    let hook = json!({"hook_event_name": "PreToolUse", "tool_name": "mcp__echo__echo", "tool_input": {"message": long}});
    let asked = post(&format!("{}/api/v1/hooks/govern", gateway.url()), Some(&ann), &hook.to_string()).await;
    assert_eq!(asked.body["hookSpecificOutput"]["permissionDecision"], "deny", "{asked:?}");

    // The auditor finds both reasons.
    gateway.wait_until_shipped();
    let found: Value = serde_json::from_str(&gateway.sp(&["--json", "infra", "logs", "search", "--layer", "scope"])).unwrap();
    for reason in ["condition_failed", "condition_error"] {
        let rows = found["events"].as_array().unwrap().iter().filter(|event| event["reason"] == reason);
        assert!(rows.count() >= 2, "{reason}: {found}");
    }
}

#[test]
fn a_condition_that_cannot_be_judged_never_comes_into_force() {
    for (when, line, mentions) in [
        ("{ arg: /path, within: '../x' }", 7, "`../x` is not a folder"),
        ("[{ arg: /a, is: string }, { any: [{ arg: /n, le: 5 }, { arg: /h, cidr: 10.0.0.1/8 }] }]", 7, "is not a network"),
        ("{ arg: path, eq: x }", 7, "JSON pointer"),
        ("{ arg: /path, eq: x, ne: y }", 7, "exactly one"),
        ("{ arg: /path, nosuch: x }", 7, "`nosuch` is not known here"),
        ("{ claim: department, eq: x }", 7, "`claim` is not known here"),
    ] {
        let text = format!("grants:\n  - id: g\n    effect: allow\n    servers: [sp]\n    tools: [x]\n    when:\n      {when}\n");
        let mut gateway = Gateway::new(&[("access/a.yaml", &text)], &["--cores", "1"]);
        let (code, err) = gateway.refused();
        assert!(code == 2 && err.contains(&format!("access/a.yaml:{line}:")) && err.contains(mentions), "{when}: {err}");
        let (code, _, err) = gateway.try_sp(&["check", gateway.path("services").to_str().unwrap()]);
        assert!(code == 1 && err.contains(&format!("access/a.yaml:{line}:")) && err.contains(mentions), "{when}: {err}");
    }
}

#[test]
fn cedar_policies_become_grants_or_are_refused_with_their_line() {
    let gateway = Gateway::new(&[], &[]);
    let file = gateway.path("policies.cedar");
    let good = "@id(\"read\")\npermit (principal in Role::\"developer\", action == Action::\"tools/call\", resource == Tool::\"sp__x\")\n\
                when { context.arguments.n <= 5 && context.arguments.path like \"/srv/*\" };\n";
    std::fs::write(&file, good).unwrap();
    let (code, yaml, err) = gateway.try_sp(&["admin", "policy", "import", "cedar", file.to_str().unwrap()]);
    assert_eq!(code, 0, "{err}");
    std::fs::create_dir_all(gateway.path("services/access")).unwrap();
    std::fs::write(gateway.path("services/access/cedar.yaml"), &yaml).unwrap();
    std::fs::write(gateway.path("services/access/roles.yaml"), "roles: { developer: {} }\n").unwrap();
    let (code, _, err) = gateway.try_sp(&["check", gateway.path("services").to_str().unwrap()]);
    assert_eq!(code, 0, "{yaml}\n{err}");

    std::fs::write(&file, format!("{good}\npermit (principal is User, action, resource);\n")).unwrap();
    let (code, yaml, err) = gateway.try_sp(&["admin", "policy", "import", "cedar", file.to_str().unwrap()]);
    assert!(code == 1 && yaml.is_empty() && err.contains("policies.cedar:5:9: `principal is …`"), "{err}");
}
