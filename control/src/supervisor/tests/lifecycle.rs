//! Starting, changing and stopping, and what children are given of this machine.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn tools_are_discovered_and_discovered_again() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tools");
    let bench = Bench::with("ok", |server| {
        server.env.insert("TOOLS_FILE".into(), file.to_str().unwrap().into());
    })
    .await;
    let state = bench.healthy().await;
    let names = |state: &ServerState| state.tools.iter().map(|tool| tool.name.to_string()).collect::<Vec<_>>();
    assert_eq!(names(&state), ["echo", "slow", "die"]);
    assert_eq!(state.protocol_version.as_deref(), Some("2025-11-25"));
    assert_eq!(state.eras, Eras { legacy: true, modern: false });
    assert_eq!(state.server_info.unwrap().get(), r#"{"name":"misbehaving","version":"1"}"#);
    assert_eq!(state.tools[0].description.as_deref(), Some("does echo"));
    assert_eq!(state.tools[0].input_schema.get(), r#"{"type":"object"}"#);

    std::fs::write(&file, "extra").unwrap();
    let client = bench.client().open().await;
    client.text("change-tools", json!({})).await;
    let changed = bench.wait_for("a fourth tool", |state| state.tools.len() == 4).await;
    assert_eq!(changed.tools[0].digest, state.tools[0].digest);
    std::fs::write(&file, "extra more").unwrap();
    bench.supervisor.restart("bad").await.unwrap();
    bench.wait_for("a fifth tool", |state| state.tools.len() == 5).await;
    assert!(matches!(bench.supervisor.restart("none").await, Err(SupervisorError::Unknown(name)) if name == "none"));
    bench.stop().await;
}

#[tokio::test]
async fn a_spare_child_is_ready_for_the_next_session() {
    let bench = Bench::with("ok", |_| ()).await;
    bench.healthy().await;
    let run_dir = &bench.supervisor.run_dir;
    // The child that told its tools may be alone for a moment, before it ends and a spare takes its place.
    let (mut spare, mut looks) = (Vec::new(), 0);
    let mut spare_alone = || {
        let now = processes_of(run_dir);
        looks = if now.len() == 1 && now == spare { looks + 1 } else { 0 };
        spare = now;
        looks == 30
    };
    eventually("with a spare alone", &mut spare_alone).await;
    let client = bench.client().open().await;
    let first: u32 = client.text("pid", json!({})).await.parse().unwrap();
    assert_eq!(spare, [first]);
    client.delete().await;
    eventually("with another spare", || processes_of(run_dir).iter().all(|&pid| pid != first)).await;
    let second: u32 = bench.client().open().await.text("pid", json!({})).await.parse().unwrap();
    assert_ne!(first, second, "no state of one session reaches another");
    bench.stop().await;
}

#[tokio::test]
async fn sessions_are_counted_and_expire() {
    let bench = Bench::with("ok", |server| {
        server.max_sessions = 2;
        server.idle_ttl = Duration::from_millis(400);
    })
    .await;
    let (one, two) = (bench.client().open().await, bench.client().open().await);
    assert_ne!(one.session, two.session);
    let listening = one.get(None).await;
    let reply = bench.client().initialize().await;
    assert!(reply.headers.contains_key("retry-after"));
    assert!(reply.error(503).await.contains("all of its 2 sessions in use"));
    // Only the session nobody listens to is idle.
    bench.wait_for("one session", |state| state.sessions == 1).await;
    assert_eq!(two.call("echo", json!({})).await.status, 404);
    assert_eq!(one.text("echo", json!({})).await, "{}");
    drop(listening);
    bench.wait_for("no session", |state| state.sessions == 0).await;
    let mut again = bench.client();
    while again.initialize().await.status != 200 {}
    bench.stop().await;
}

#[tokio::test]
async fn a_child_sees_only_what_was_declared() {
    let bench = Bench::with("ok", |server| {
        server.env.insert("DECLARED".into(), "yes".into());
        server.limits.open_files = Some(333);
        server.limits.memory_bytes = Some(1 << 30);
        server.cwd = Some("/tmp".into());
    })
    .await;
    let client = bench.client().open().await;
    let seen: Value = serde_json::from_str(&client.text("environment", json!({})).await).unwrap();
    let mut names: Vec<_> = seen["env"].as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["DECLARED", "HOME", "LANG", "PATH", "SP_SUPERVISED"]);
    assert_eq!(seen["cwd"], "/tmp");
    let open = seen["open"].as_array().unwrap();
    let beyond: Vec<_> = open.iter().filter(|fd| !fd.as_str().unwrap().starts_with(['0', '1', '2'])).collect();
    assert!(beyond.iter().all(|fd| fd.as_str().unwrap().contains("/proc/")), "{beyond:?}");
    let limits = seen["limits"].as_str().unwrap();
    let limit = |name: &str| {
        limits.lines().find(|line| line.starts_with(name)).unwrap().split_whitespace().rev().nth(1).unwrap().to_owned()
    };
    assert_eq!(
        (limit("Max open files"), limit("Max data size"), limit("Max core file size")),
        ("333".into(), "1073741824".into(), "0".into())
    );
    let status = seen["status"].as_str().unwrap();
    assert!(status.contains("NoNewPrivs:\t1"), "{status}");
    bench.stop().await;
}

#[tokio::test]
async fn a_child_can_be_somebody_else() {
    if !nix::unistd::Uid::effective().is_root() {
        println!("skipped: needs root");
        return;
    }
    // The program must be readable for that user, which the directory of the tests may not be.
    let dir = tempfile::Builder::new()
        .prefix("sp-other-user")
        .permissions(PermissionsExt::from_mode(0o755))
        .tempdir_in("/tmp")
        .unwrap();
    let program = dir.path().join("server");
    std::fs::copy(misbehaving_program(), &program).unwrap();
    let bench = Bench::with("ok", |server| {
        server.command = program.to_str().unwrap().into();
        server.user = Some("nobody".into());
        server.limits.processes = Some(100);
    })
    .await;
    let client = bench.client().open().await;
    let seen: Value = serde_json::from_str(&client.text("environment", json!({})).await).unwrap();
    let status = seen["status"].as_str().unwrap();
    let line =
        |name: &str| status.lines().find(|line| line.starts_with(name)).unwrap().split_whitespace().skip(1).collect::<Vec<_>>();
    assert_eq!(line("Uid:"), ["65534"; 4]);
    assert_eq!(line("Groups:"), Vec::<&str>::new());
    assert_eq!(line("CapEff:"), ["0000000000000000"]);
    let limits = seen["limits"].as_str().unwrap();
    assert!(limits.lines().any(|line| line.starts_with("Max processes             100 ")), "{limits}");
    bench.stop().await;

    let bench = Bench::with("ok", |server| server.user = Some("nobody-at-all".into())).await;
    let state = bench.wait_for("unhealthy", |state| matches!(state.health, Health::Unhealthy(_))).await;
    assert!(state.health.to_string().contains("user `nobody-at-all` does not exist"));
    bench.stop().await;
}

#[tokio::test]
async fn sockets_are_ours_alone_and_gone_at_the_end() {
    let bench = Bench::with("ok", |_| ()).await;
    let socket = bench.supervisor.socket("bad");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&socket), mode(socket.parent().unwrap())), (0o600, 0o700));
    bench.supervisor.stop(Duration::from_secs(5)).await;
    assert!(!socket.exists());
    assert_eq!(bench.supervisor.states().borrow().len(), 0);
    assert!(matches!(bench.supervisor.apply(Servers::default()).await, Err(SupervisorError::Stopped)));
    eventually("without zombies", || zombies().is_empty()).await;
}

#[tokio::test]
async fn changes_touch_only_what_changed() {
    let (kept, changed, removed) = (misbehaving("kept", "ok"), misbehaving("changed", "ok"), misbehaving("removed", "ok"));
    let bench = Bench::start(vec![kept.clone(), changed.clone(), removed]).await;
    let sessions = [bench.client_of("kept").open().await, bench.client_of("changed").open().await];
    let gone = bench.client_of("removed").open().await;
    let gone_pid: u32 = gone.text("pid", json!({})).await.parse().unwrap();

    let mut changed = changed;
    changed.env.insert("NEW".into(), "1".into());
    let servers = Servers { stdio: vec![kept, changed, misbehaving("new", "ok")], http: vec![] };
    let applied = bench.supervisor.apply(servers.clone()).await.unwrap();
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let expect = Applied {
        started: names(&["new"]),
        restarted: names(&["changed"]),
        stopped: names(&["removed"]),
        untouched: names(&["kept"]),
    };
    assert_eq!(applied, expect);
    assert_eq!(sessions[0].text("echo", json!({})).await, "{}");
    assert_eq!(sessions[1].call("echo", json!({})).await.status, 404);
    assert!(!is_alive(gone_pid) && !bench.supervisor.socket("removed").exists());
    let fresh = bench.client_of("changed").open().await;
    let seen: Value = serde_json::from_str(&fresh.text("environment", json!({})).await).unwrap();
    assert_eq!(seen["env"]["NEW"], "1");
    assert_eq!(bench.client_of("new").open().await.text("echo", json!({})).await, "{}");
    assert_eq!(bench.supervisor.states().borrow().keys().collect::<Vec<_>>(), ["changed", "kept", "new"]);

    let mut wrong = servers;
    wrong.stdio[0].name = "Kept".into();
    assert!(matches!(bench.supervisor.apply(wrong).await, Err(SupervisorError::Config(ConfigError::Name(_)))));
    assert_eq!(sessions[0].text("echo", json!({})).await, "{}", "a wrong declaration changes nothing");
    bench.stop().await;
}

#[tokio::test]
async fn stopping_lets_calls_finish_and_takes_no_longer_than_allowed() {
    let bench = Bench::with("ok", |_| ()).await;
    let client = bench.client().open().await;
    let call = client.call("slow", json!({"ms": 600})).await;
    let stuck_bench = Bench::with("ok", |_| ()).await;
    let stuck = stuck_bench.client().open().await.call("never", json!({})).await;
    let (answer, stuck) = tokio::join!(
        async {
            let (answer, ()) = tokio::join!(call.answer(), bench.stop());
            answer
        },
        async {
            let began = std::time::Instant::now();
            let (answer, ()) = tokio::join!(stuck.answer(), stuck_bench.supervisor.stop(Duration::from_millis(300)));
            assert!(began.elapsed() < Duration::from_secs(5));
            answer
        }
    );
    assert!(answer["result"].is_object(), "{answer}");
    assert_eq!(stuck["error"]["message"], "MCP server `bad` was stopped");
}

#[tokio::test]
async fn a_dropped_supervisor_takes_its_children_along() {
    let bench = Bench::with("ok", |_| ()).await;
    bench.healthy().await;
    let client = bench.client().open().await;
    let pid: u32 = client.text("pid", json!({})).await.parse().unwrap();
    let waiting = client.call("never", json!({})).await;
    let run_dir = bench.supervisor.run_dir.clone();
    eventually("with a spare", || processes_of(&run_dir).len() == 2).await;
    let Bench { supervisor, _dir } = bench;
    drop(supervisor);
    assert_eq!(waiting.answer().await["error"]["message"], "MCP server `bad` was stopped");
    eventually("gone", || !is_alive(pid) && processes_of(&run_dir).is_empty()).await;
}

#[tokio::test]
async fn a_child_that_will_not_end_is_killed() {
    let mut server = StdioServer::new("bad", "sh");
    server.args = vec!["-c".into(), "trap '' TERM; echo $$ >&2; while :; do sleep 1; done".into()];
    server.stop_grace = Duration::from_millis(200);
    server.start_timeout = Duration::from_secs(2);
    server.backoff.crash_loop = 1;
    let bench = Bench::start(vec![server]).await;
    let state = bench.wait_for("unhealthy or waiting", |state| state.health != Health::Starting).await;
    let text = state.health.to_string();
    let pid: u32 = text.rsplit(' ').next().unwrap().parse().unwrap_or_else(|_| panic!("{text}"));
    eventually("killed", || !is_alive(pid)).await;
    bench.stop().await;
}

#[test]
fn children_and_strays_do_not_outlive_a_killed_parent() {
    if std::env::var_os("SP_TEST_VICTIM").is_some() {
        return victim();
    }
    let dir = tempfile::tempdir().unwrap();
    let mut victim = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "supervisor::tests::lifecycle::children_and_strays_do_not_outlive_a_killed_parent", "--nocapture"])
        .env("SP_TEST_VICTIM", dir.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let report = dir.path().join("pids");
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while !report.exists() {
        assert!(std::time::Instant::now() < deadline && victim.try_wait().unwrap().is_none(), "the victim did not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    let pids: Vec<u32> = serde_json::from_str(&std::fs::read_to_string(&report).unwrap()).unwrap();
    assert!(pids.iter().all(|&pid| is_alive(pid)));
    victim.kill().unwrap();
    victim.wait().unwrap();
    let (children, strays) = pids.split_at(2);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        eventually("children gone", || !children.iter().any(|&pid| is_alive(pid))).await;
        assert!(strays.iter().any(|&pid| is_alive(pid)), "what left its group is still there");
        // The next start with the same directory finds it.
        let next = Supervisor::start(Servers::default(), dir.path().join("run")).await.unwrap();
        eventually("strays gone", || !strays.iter().any(|&pid| is_alive(pid))).await;
        next.stop(Duration::ZERO).await;
    });
}

/// Runs in the process that is killed: one child that ends with its input, one that does not, and their swarm.
fn victim() {
    let dir = PathBuf::from(std::env::var_os("SP_TEST_VICTIM").unwrap());
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let servers = Servers { stdio: vec![misbehaving("bad", "ok")], http: vec![] };
        let supervisor = Supervisor::start(servers, dir.join("run")).await.unwrap();
        let (good, deaf) =
            (Client::new(supervisor.socket("bad")).open().await, Client::new(supervisor.socket("bad")).open().await);
        let mut pids: Vec<u32> = Vec::new();
        for client in [&good, &deaf] {
            pids.push(client.text("pid", json!({})).await.parse().unwrap());
        }
        pids.extend(serde_json::from_str::<Vec<u32>>(&good.text("swarm", json!({"processes": 4})).await).unwrap());
        let _deaf = deaf.call("deaf", json!({})).await;
        std::fs::write(dir.join("pids.new"), json!(pids).to_string()).unwrap();
        std::fs::rename(dir.join("pids.new"), dir.join("pids")).unwrap();
        std::future::pending::<()>().await;
    });
}

#[tokio::test]
async fn an_http_server_is_watched() {
    let bench = Bench::with("ok", |_| ()).await;
    bench.healthy().await;
    // Our own socket, reached by TCP, is the HTTP server.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let socket = bench.supervisor.socket("bad");
    let bridge = tokio::spawn(async move {
        loop {
            let (mut near, _) = listener.accept().await.unwrap();
            let mut far = tokio::net::UnixStream::connect(&socket).await.unwrap();
            tokio::spawn(async move { drop(tokio::io::copy_bidirectional(&mut near, &mut far).await) });
        }
    });
    let mut watched = HttpServer::new("remote", format!("http://{address}/mcp"));
    watched.probe_interval = Duration::from_millis(50);
    watched.backoff = Backoff { first: Duration::from_millis(20), max: Duration::from_millis(50), crash_loop: 2 };
    let servers = Servers { stdio: vec![misbehaving("bad", "ok")], http: vec![watched] };
    let applied = bench.supervisor.apply(servers).await.unwrap();
    assert_eq!((applied.started, applied.untouched), (vec!["remote".to_owned()], vec!["bad".to_owned()]));
    let state = bench.wait_for_server("remote", "healthy", |state| state.health == Health::Healthy).await;
    assert_eq!((state.tools.len(), state.eras), (3, Eras { legacy: true, modern: false }));
    bridge.abort();
    let state = bench.wait_for_server("remote", "unhealthy", |state| matches!(state.health, Health::Unhealthy(_))).await;
    assert!(state.health.to_string().contains("cannot reach it"), "{}", state.health);
    assert_eq!(state.tools.len(), 3, "what was known stays known");
    bench.stop().await;
}
