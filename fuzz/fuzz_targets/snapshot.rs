//! Any bytes as the tree of a snapshot, and any damage to one, under a checksum that holds: refused, or reads to its end.
#![no_main]

use std::collections::HashMap;
use std::sync::LazyLock;

use wire::snapshot::{Revoked, Server, Snapshot, SnapshotBytes, Tool, UnixUpstream, Upstream, fuzz_body};

static BODY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let names = |prefix: &str| (0..9).map(|n| (format!("{prefix}-{n}-with-a-long-name"), n)).collect::<HashMap<_, _>>();
    let upstream = Upstream::Unix(UnixUpstream { socket: "/run/files.sock".into(), path: "/mcp".into() });
    let server =
        Server { name: "files".into(), upstream, tools: names("tool"), call_timeout_ms: 1, channel: 1, open_tools: true };
    let networks = (0..40).map(|n| (format!("10.0.{n}.0/24"), n)).collect();
    let snapshot = Snapshot {
        servers: vec![server],
        tools: vec![Tool { server: 0, name: "read".into(), scopes_any: vec!["files".into()] }],
        server_names: names("server"),
        roles: HashMap::from([("reader".into(), vec!["files".into(), "more".into()])]),
        revoked: Revoked { networks, disabled: ["ann".into(), "bob".into()].into(), ..Revoked::default() },
        ..Snapshot::default()
    };
    SnapshotBytes::encode(&snapshot).unwrap().0.body().to_vec()
});

libfuzzer_sys::fuzz_target!(|input: (Vec<(u16, u8)>, &[u8])| {
    let (damage, bytes) = input;
    fuzz_body(bytes);
    let mut damaged = BODY.clone();
    for (at, with) in damage {
        let at = usize::from(at) % damaged.len();
        damaged[at] ^= with;
    }
    fuzz_body(&damaged);
});
