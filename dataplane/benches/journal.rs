//! What an append costs, and how fast a stream is read back. One shard, one second per line, a decision of some 620 bytes
//! with one rate cell, in the directory that `SP_BENCH_DIR` names or the system's temporary one.
//!
//! CPU is that of the whole process: the shard, its keeper and the kernel's workers. The first three loads are closed: each
//! appender appends again as soon as it was answered. `paced` appends one record every 50 µs, as a shard with 20 k
//! decisions a second does, and shows what a call waits.

#![allow(clippy::unwrap_used, reason = "a bench that cannot go on must stop")]
#![allow(clippy::print_stdout, reason = "that is what a bench is for")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use dataplane::journal::reader::Tail;
use dataplane::journal::recovery::recover;
use dataplane::journal::segment::stream_dir;
use dataplane::journal::{Durability, Journal, JournalConfig, StreamPosition};
use glommio::{LocalExecutorBuilder, Placement};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use wire::decision::{AuthMethod, Channel, Tier, Verdict};
use wire::frame::RateCell;
use wire::ids::{NodeId, SeqNo};
use wire::record::{AgentContext, Decision, Identity, Record};

const NODE: NodeId = NodeId([1; 16]);
const RUN: Duration = Duration::from_secs(1);
const CELL: RateCell = RateCell { key: 7, state: [8, 9] };

fn main() {
    let base = std::env::var_os("SP_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from).join("sp-bench-journal");
    let _ = std::fs::remove_dir_all(&base);
    println!(
        "{:<28} {:>10} {:>9} {:>9} {:>9} {:>9} {:>10}",
        "", "appends/s", "p50 us", "p99 us", "p99.9 us", "max us", "cpu us/app"
    );
    for (durability, word) in [(Durability::Written, "written"), (Durability::Synced, "synced")] {
        for appenders in [1, 64, 512] {
            line(&base, &format!("{word}, {appenders} appenders"), durability, appenders, None);
        }
    }
    line(&base, "written, paced 20 k/s", Durability::Written, 1, Some(Duration::from_micros(50)));
    read_back(&base);
    let _ = std::fs::remove_dir_all(&base);
}

fn line(base: &Path, name: &str, durability: Durability, appenders: usize, pace: Option<Duration>) {
    let dir = base.join(name.replace([' ', ','], "-"));
    let place = Placement::Unbound;
    let run = move || async move {
        // A budget that the bench does not reach.
        let config = JournalConfig { durability, bytes_max: 64 << 30, ..JournalConfig::default() };
        let journal = Journal::open(&dir, NODE, 0, StreamPosition::genesis(NODE, 0), config).await.unwrap();
        let (cpu, begun) = (cpu(), Instant::now());
        let tasks: Vec<_> =
            (0..appenders).map(|_| glommio::spawn_local(append_for(journal.clone(), begun + RUN, pace))).collect();
        let mut waits = Vec::new();
        for task in tasks {
            waits.extend(task.await);
        }
        let (elapsed, cpu) = (begun.elapsed(), self::cpu() - cpu);
        journal.close().await.unwrap();
        (waits, elapsed, cpu)
    };
    let (mut waits, elapsed, cpu) = LocalExecutorBuilder::new(place).spawn(run).unwrap().join().unwrap();
    waits.sort_unstable();
    let at = |part: f64| f64::from(waits[((waits.len() - 1) as f64 * part) as usize]) / 1e3;
    println!(
        "{name:<28} {:>10.0} {:>9.1} {:>9.1} {:>9.1} {:>9.1} {:>10.2}",
        waits.len() as f64 / elapsed.as_secs_f64(),
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0),
        cpu.as_secs_f64() * 1e6 / waits.len() as f64,
    );
}

/// How long each append took, in nanoseconds.
async fn append_for(journal: Journal, end: Instant, pace: Option<Duration>) -> Vec<u32> {
    let mut waits = Vec::with_capacity(1 << 16);
    let mut call = 0;
    let mut due = Instant::now();
    loop {
        if let Some(pace) = pace {
            due += pace;
            while Instant::now() < due {
                glommio::executor().yield_now().await;
            }
        }
        call += 1;
        let from = if pace.is_some() { due } else { Instant::now() };
        journal.append(&record(call), &[CELL]).await.unwrap();
        let now = Instant::now();
        waits.push(u32::try_from((now - from).as_nanos()).unwrap_or(u32::MAX));
        if now >= end {
            return waits;
        }
    }
}

fn read_back(base: &Path) {
    let dir = base.join("written--64-appenders");
    let stream = stream_dir(&dir, 0);
    let mut begun = (Instant::now(), cpu());
    let recovered = recover(&dir, NODE, &|_| {}).unwrap().remove(0);
    let report = |what: &str, begun: (Instant, Duration)| {
        let (mib, records) = (recovered.bytes as f64 / f64::from(1 << 20), recovered.record_count as f64);
        let (seconds, cpu) = (begun.0.elapsed().as_secs_f64(), (cpu() - begun.1).as_secs_f64());
        println!(
            "{what:<28} {:>10.0} records/s {:>6.0} MiB/s, {:.0} MiB per CPU second",
            records / seconds,
            mib / seconds,
            mib / cpu
        );
    };
    report("recover, one stream", begun);
    begun = (Instant::now(), cpu());
    let mut tail = Tail::new(&stream, NODE, 0, StreamPosition::genesis(NODE, 0));
    let mut bytes = 0;
    while tail.position().seq < recovered.position.seq {
        let batch = tail.read(SeqNo(u64::MAX).min(recovered.position.seq)).unwrap();
        bytes += batch.frames().map(|frame| frame.record.len()).sum::<usize>();
    }
    assert!(bytes > 0);
    report("tail, one stream", begun);
}

fn cpu() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
    Duration::from_micros((usage.user_time().num_microseconds() + usage.system_time().num_microseconds()) as u64)
}

fn record(call: u64) -> Record<'static> {
    Record::Decision(Decision {
        at_us: 1_700_000_000_000_000 + call,
        trace: u128::from(call).to_le_bytes(),
        call: u128::from(call).to_be_bytes(),
        identity: Identity {
            user: "alice@example.org",
            tenant: "acme",
            department: "platform",
            tier: Tier::User.code(),
            auth_method: AuthMethod::AccessToken.code(),
            roles: "developer reader",
            scopes: "files:read git:read",
            token_id: "0192f0c1-6d3a-7f2e-9c1a-3f1f5a0e7b11",
            client: "claude-code",
            act_for: "",
            address: "192.0.2.17",
        },
        agent: AgentContext {
            agent: "claude-code",
            session: "0192f0c1-6d3a",
            mcp_session: "00112233aabbccdd",
            ..AgentContext::default()
        },
        channel: Channel::Mcp.code(),
        server: "files",
        tool: "read_text_file",
        method: "tools/call",
        args_digest: [9; 32],
        args_bytes: 120,
        args_preview: r#"{"path":"/srv/projects/readme.md","head":40}"#,
        verdict: Verdict::Allow.code(),
        layer: 0,
        reason: 0,
        rule: "developers-read",
        evidence: "",
        observed: "",
        generation: 12,
        retry_after_ms: 0,
        decide_ns: 2_300,
    })
}
