//! A limit of N admits N: whatever the number of shards, connections and principals on a connection.

use crate::harness::{ACCESS, Gateway, Upstream, echo_server, load, quick};

const LIMIT: &str =
    "limits:\n  - { id: hundred, per: [principal], servers: [echo], rate: 100/min }\nsecrets: {}\nblocklist: {}\n";

fn gateway(upstream: &Upstream, cores: &str) -> Gateway {
    let echo = echo_server(&upstream.url);
    Gateway::start(
        &[("mcp/echo.yaml", &echo), ("access/access.yaml", ACCESS), ("governance/rules.yaml", LIMIT)],
        &["--cores", cores],
    )
}

/// Units: MiB.
fn resident(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[test]
fn eight_shards_admit_a_hundred_of_each_of_five_hundred_principals() {
    let (principals, connections, seconds) = if quick() { (50, 200, "10") } else { (500, 2000, "60") };
    let upstream = Upstream::start(&[]);
    let gateway = gateway(&upstream, "8");
    let tokens = gateway.tokens("p", "developer", principals);
    let report = load(
        &[
            &gateway.endpoint("echo"),
            "--connections",
            &connections.to_string(),
            "--duration",
            seconds,
            "--expect",
            "any",
            "--timeout",
            "60",
            "--connect-timeout",
            "60",
            "--tokens",
            tokens.to_str().unwrap(),
        ],
        &[0],
    );
    let of = &report["principals"];
    println!("replies {} principals {of} resident {} MiB", report["sent"], resident(gateway.pid()));
    assert_eq!((of["allowed_min"].as_u64(), of["allowed_max"].as_u64()), (Some(100), Some(100)), "{report}");
    assert_eq!(report["unexpected"], 0, "{report}");
    assert!(resident(gateway.pid()) < 300, "{} MiB", resident(gateway.pid()));
}

#[test]
fn principals_that_share_connections_are_counted_one_by_one() {
    let upstream = Upstream::start(&[]);
    let gateway = gateway(&upstream, "4");
    let tokens = gateway.tokens("m", "developer", 20);
    let report = load(
        &[
            &gateway.endpoint("echo"),
            "--connections",
            "8",
            "--requests",
            "4000",
            "--mix",
            "--expect",
            "any",
            "--tokens",
            tokens.to_str().unwrap(),
        ],
        &[0],
    );
    let of = &report["principals"];
    assert_eq!((of["allowed_min"].as_u64(), of["allowed_max"].as_u64()), (Some(100), Some(100)), "{report}");
    let page = crate::harness::page(&gateway, "/metrics");
    let asked = page.lines().find_map(|line| line.strip_prefix("sp_mesh_charges_total ")).unwrap().parse::<u64>().unwrap();
    assert!(asked > 0, "no shard asked another");
}

#[test]
fn a_limit_survives_a_crash() {
    let upstream = Upstream::start(&[]);
    let mut gateway = gateway(&upstream, "2");
    let tokens = gateway.tokens("c", "developer", 3);
    let run = |gateway: &Gateway, requests: &str| {
        load(
            &[
                &gateway.endpoint("echo"),
                "--connections",
                "6",
                "--requests",
                requests,
                "--expect",
                "any",
                "--tokens",
                tokens.to_str().unwrap(),
            ],
            &[0],
        )
    };
    let before = run(&gateway, "150");
    let used = before["allowed"].as_u64().unwrap();
    assert!(before["principals"]["allowed_max"].as_u64().unwrap() <= 100, "{before}");
    gateway.kill();
    gateway.run();
    let after = run(&gateway, "1200");
    println!("before {used} after {}", after["allowed"]);
    assert_eq!(after["allowed"].as_u64(), Some(300 - used), "three principals have a hundred each: {after}");
}
