//! Servers other people wrote, when they are installed: below `SP_CONFORMANCE_DIR` or `~/.cache/sp-conformance`.

use serde_json::json;

use super::*;

fn installed() -> Option<PathBuf> {
    let dir = std::env::var_os("SP_CONFORMANCE_DIR").map(PathBuf::from);
    let dir = dir.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/sp-conformance")));
    dir.filter(|dir| dir.is_dir())
}

/// One server: its tools, and one call with what its answer contains.
async fn check(name: &str, mut server: StdioServer, tools: usize, tool: &str, arguments: serde_json::Value, expect: &str) {
    let missing = [&server.command, server.args.first().unwrap()]
        .into_iter()
        .find(|file| file.starts_with('/') && !Path::new(file).exists());
    if let Some(missing) = missing {
        println!("skipped {name}: no {missing}");
        return;
    }
    // A busy machine takes its time to start an interpreter.
    server.start_timeout = Duration::from_secs(100);
    let bench = Bench::start(vec![server]).await;
    let state = bench.wait_for_server(name, "healthy", |state| state.health == Health::Healthy).await;
    assert_eq!(state.tools.len(), tools, "{:?}", state.tools.iter().map(|tool| &tool.name).collect::<Vec<_>>());
    assert!(state.tools.iter().any(|known| &*known.name == tool));
    let (one, two) = tokio::join!(bench.client_of(name).open(), bench.client_of(name).open());
    for client in [&one, &two] {
        let answer = client.call(tool, arguments.clone()).await.answer().await;
        assert!(answer["result"]["content"].to_string().contains(expect), "{answer}");
    }
    let pinged = one.post(&json!({"jsonrpc": "2.0", "id": "p", "method": "ping"})).await.answer().await;
    assert_eq!(pinged, json!({"jsonrpc": "2.0", "id": "p", "result": {}}));
    assert_eq!(one.delete().await, 204);
    assert_eq!(two.delete().await, 204);
    let began = std::time::Instant::now();
    bench.stop().await;
    assert!(began.elapsed() < Duration::from_secs(5), "{name} took {:?} to stop", began.elapsed());
    println!("{name}: {tools} tools");
}

fn node(dir: &Path, name: &str, package: &str, arguments: &[&str]) -> StdioServer {
    let mut server = StdioServer::new(name, dir.join("npm/node_modules/node/bin/node").to_str().unwrap());
    let script = dir.join("npm/node_modules/@modelcontextprotocol").join(package).join("dist/index.js");
    server.args = std::iter::once(script.to_str().unwrap()).chain(arguments.iter().copied()).map(str::to_owned).collect();
    server
}

#[tokio::test]
async fn everything() {
    let Some(dir) = installed() else {
        return println!("skipped: nothing installed");
    };
    let server = node(&dir, "everything", "server-everything", &["stdio"]);
    // Two more than a client gets that can neither answer questions nor show roots.
    check("everything", server, 16, "echo", json!({"message": "hello"}), "Echo: hello").await;
}

#[tokio::test]
async fn filesystem() {
    let Some(dir) = installed() else {
        return println!("skipped: nothing installed");
    };
    let files = tempfile::tempdir().unwrap();
    std::fs::write(files.path().join("a.txt"), "inside").unwrap();
    let server = node(&dir, "filesystem", "server-filesystem", &[files.path().to_str().unwrap()]);
    let path = files.path().join("a.txt");
    check("filesystem", server, 14, "read_text_file", json!({"path": path}), "inside").await;
}

#[tokio::test]
async fn memory() {
    let Some(dir) = installed() else {
        return println!("skipped: nothing installed");
    };
    let files = tempfile::tempdir().unwrap();
    let mut server = node(&dir, "memory", "server-memory", &[]);
    server.env.insert("MEMORY_FILE_PATH".into(), files.path().join("m.json").to_str().unwrap().into());
    // A JavaScript engine reserves far more than it uses; a limit of what it uses must not stop it.
    server.limits.memory_bytes = Some(1 << 30);
    check("memory", server, 9, "read_graph", json!({}), "entities").await;
}

#[tokio::test]
async fn sequential_thinking() {
    let Some(dir) = installed() else {
        return println!("skipped: nothing installed");
    };
    let server = node(&dir, "sequential-thinking", "server-sequential-thinking", &[]);
    let thought = json!({"thought": "t", "nextThoughtNeeded": false, "thoughtNumber": 1, "totalThoughts": 1});
    check("sequential-thinking", server, 1, "sequentialthinking", thought, "thoughtHistoryLength").await;
}

#[tokio::test]
async fn git() {
    let Some(dir) = installed() else {
        return println!("skipped: nothing installed");
    };
    let repository = tempfile::tempdir().unwrap();
    let made = std::process::Command::new("git").args(["init", "-q"]).current_dir(repository.path()).status();
    if !made.is_ok_and(|status| status.success()) {
        return println!("skipped: no git");
    }
    let path = repository.path().to_str().unwrap();
    let mut server = StdioServer::new("git", dir.join("py/v/bin/mcp-server-git").to_str().unwrap());
    server.args = vec!["--repository".into(), path.into()];
    check("git", server, 12, "git_status", json!({"repo_path": path}), "No commits yet").await;
}

#[tokio::test]
async fn time() {
    let Some(dir) = installed() else {
        return println!("skipped: nothing installed");
    };
    let mut server = StdioServer::new("time", dir.join("py/v/bin/mcp-server-time").to_str().unwrap());
    server.args = vec!["--local-timezone".into(), "UTC".into()];
    check("time", server, 2, "get_current_time", json!({"timezone": "UTC"}), "UTC").await;
}

#[tokio::test]
async fn sqlite() {
    let Some(dir) = installed() else {
        return println!("skipped: nothing installed");
    };
    let files = tempfile::tempdir().unwrap();
    let mut server = StdioServer::new("sqlite", dir.join("py/v1/bin/mcp-server-sqlite").to_str().unwrap());
    server.args = vec!["--db-path".into(), files.path().join("t.db").to_str().unwrap().into()];
    check("sqlite", server, 6, "list_tables", json!({}), "[]").await;
}
