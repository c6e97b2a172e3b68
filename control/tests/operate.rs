//! What an operator does: check, reload, look.

use serde_json::{Value, json};

use crate::harness::{ACCESS, Gateway, OPERATORS, Upstream, echo_server, eventually, page, post, tool_call};

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_takes_effect_and_a_broken_file_does_not() {
    let upstream = Upstream::start(&[]);
    let echo = echo_server(&upstream.url);
    let services = [("mcp/echo.yaml", echo.as_str()), ("access/access.yaml", ACCESS), ("governance/rules.yaml", "secrets: {}\n")];
    let gateway = Gateway::start(&services, &["--cores", "2"]);
    let ann = gateway.token(&["--user", "ann", "--role", "developer"]);
    let endpoint = gateway.endpoint("echo");
    let call = tool_call("echo", json!({"message": "x"}));
    assert!(post(&endpoint, Some(&ann), &call).await.body["result"].is_object());

    let broken = ACCESS.replace("effect: deny", "effekt: deny");
    gateway.declare("access/access.yaml", &broken);
    let (code, _, err) = gateway.try_sp(&["infra", "services", "reload"]);
    assert_eq!(code, 1, "{err}");
    let line = broken.lines().position(|line| line.contains("effekt")).unwrap() + 1;
    assert!(err.contains(&format!("access.yaml:{line}:")) && err.contains("effekt"), "{err}");
    assert!(post(&endpoint, Some(&ann), &call).await.body["result"].is_object(), "the running policy was lost");

    gateway.declare(
        "access/access.yaml",
        &ACCESS
            .replace("roles: [developer]", "roles: [nobody]")
            .replace("roles:\n", "roles:\n  nobody: { description: x, scopes: [] }\n"),
    );
    gateway.sp(&["infra", "services", "reload"]);
    let denied = post(&endpoint, Some(&ann), &call).await;
    assert_eq!(denied.body["error"]["data"]["reason"], "not_granted", "{denied:?}");

    gateway.wait_until_shipped();
    let changes: Value =
        serde_json::from_str(&gateway.sp(&["--json", "infra", "logs", "search", "--kind", "policy_change"])).unwrap();
    let actions: Vec<&str> = changes["events"].as_array().unwrap().iter().filter_map(|event| event["action"].as_str()).collect();
    assert!(actions.contains(&"refuse") && actions.contains(&"publish"), "{changes}");
}

#[test]
fn commands_are_tools_under_the_same_rules() {
    let access = ("access/access.yaml", OPERATORS);
    let gateway = Gateway::start(&[access, ("governance/rules.yaml", "secrets: {}\n")], &["--cores", "1"]);
    let list: Value = serde_json::from_str(&gateway.sp(&["--json", "infra", "services", "list"])).unwrap();
    assert_eq!(list["servers"][0]["name"], "sp");
    // A developer's token gets the same denial from the command line as an agent would.
    let ann = gateway.token(&["--user", "ann"]);
    let (code, _, err) = gateway.try_sp(&["infra", "services", "list", "--token", &ann]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("not_granted") && err.contains("trace"), "{err}");
    let (code, _, err) = gateway.try_sp(&["infra", "services", "list", "--url", "http://127.0.0.1:1", "--token", &ann]);
    assert_eq!(code, 4, "{err}");
    // The operator's token is for this gateway, and is sent to no other.
    let (code, _, err) = gateway.try_sp(&["infra", "services", "list", "--url", "http://127.0.0.1:1"]);
    assert!(code == 3 && err.contains("cloud auth login"), "{err}");
    let (code, _, _) = gateway.try_sp(&["infra", "nosuch"]);
    assert_eq!(code, 2);
    let metrics = page(&gateway, "/metrics");
    assert!(metrics.contains("# TYPE sp_decisions_total counter") && metrics.contains("sp_shards 1"), "{metrics}");
    assert!(gateway.sp(&["completion", "bash"]).contains("complete"));
}

#[test]
fn the_stream_shows_what_happens() {
    let gateway =
        Gateway::start(&[("access/access.yaml", OPERATORS), ("governance/rules.yaml", "secrets: {}\n")], &["--cores", "1"]);
    let mut stream = std::process::Command::new(env!("CARGO_BIN_EXE_sp"))
        .args(["--json", "infra", "logs", "stream", "--user", "root"])
        .env("SP_DATA_DIR", gateway.data_dir())
        .env("USER", "root")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let out = std::io::BufReader::new(stream.stdout.take().unwrap());
    let (sender, lines) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in std::io::BufRead::lines(out).map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    let found = eventually("the stream shows a command", || {
        std::process::Command::new(env!("CARGO_BIN_EXE_sp"))
            .args(["infra", "services", "list"])
            .env("SP_DATA_DIR", gateway.data_dir())
            .env("USER", "root")
            .output()
            .unwrap();
        lines.try_iter().find(|line| line.contains("infra_services_list"))
    });
    assert!(found.contains("\"verdict\":\"allow\""), "{found}");
    stream.kill().unwrap();
    stream.wait().unwrap();
}
