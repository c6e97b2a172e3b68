//! What each layer of the chain costs by itself and all of them together, on an estate of 1,000 tools and 10,000
//! principals and calls of 0.1 to 64 KB as agents make them; then what a policy of 100,000 grants costs to put into force,
//! and what each principal pays for it on the first call. `governor` answers the comparable question beside it.
//!
//! The machine is rarely ours alone: printed is the best of many short rounds. Allocations are counted, and must be none.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a bench that cannot go on must stop")]
#![allow(clippy::print_stdout, reason = "that is what a bench is for")]

mod calls;
mod estate;
mod rounds;

use std::hint::black_box;
use std::num::NonZeroU32;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use dataplane::chain::blocklist::{Blocklist, BlocklistConfig, Target};
use dataplane::chain::rate::RateState;
use dataplane::chain::secrets::{ScanScratch, SecretScanner, SecretsConfig, Side, Subject};
use dataplane::chain::{Scratch, decide};
use dataplane::policy::Policy;
use dataplane::upstream::Reach;
use governor::{Quota, RateLimiter};
use simd_json::Node;
use wire::snapshot::{Snapshot, SnapshotBytes};

use estate::{
    CONDITIONAL_SERVER, Estate, NOW_US, PRINCIPALS, SERVERS, TOOLS_OF_SERVER, node_keys, on_one_shard, scattered, snapshot,
};
use rounds::{print, rounds};

const SIZES: [usize; 6] = [100, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10];

fn main() {
    let estate = Estate::new(0);
    // `cargo bench … -- 1024` looks at calls of that size alone, kind by kind.
    if let Some(bytes) = std::env::args().find_map(|word| word.parse().ok()) {
        return kinds(&estate, bytes);
    }
    println!("{:<64} {:>8} {:>8}", "1,000 tools, 10,000 principals", "best ns", "median");
    let anywhere = |check: usize| (scattered(check, SERVERS - 1), scattered(check >> 3, TOOLS_OF_SERVER));
    scope("what asking alone costs: part of the next three rows", &estate, anywhere, None, Asked::Nothing);
    scope("may this principal call this tool, no conditions", &estate, anywhere, None, Asked::ByName);
    scope("the same where the number of the tool is known", &estate, anywhere, None, Asked::ByNumber);
    let mut text = calls::of_size(100).remove(0);
    let tape = simd_json::to_tape(&mut text).unwrap();
    let judged = |check: usize| (CONDITIONAL_SERVER, scattered(check, TOOLS_OF_SERVER));
    scope("the same with three conditions: path, number, host", &estate, judged, Some(&tape.0), Asked::ByName);
    let limiter = RateLimiter::keyed(Quota::per_second(NonZeroU32::MAX));
    print(
        "one more call under a limit: governor, keyed",
        rounds(200, 20_000, |check| limiter.check_key(&scattered(check, PRINCIPALS)).is_ok()),
    );
    let mut charging = estate.charging();
    print("one more call under two limits", rounds(200, 20_000, &mut charging));

    if std::env::args().any(|word| word == "scope") {
        return;
    }

    println!("\nbest ns of each layer, and decide() whole\n");
    println!("{:>7} {:>7} {:>9} {:>9} {:>9} {:>9} {:>7}", "bytes", "scope", "secrets", "blocklist", "p50", "p99", "allocs");
    for bytes in SIZES {
        of_size(&estate, bytes);
    }
    for grants in [1_000, 100_000] {
        reload(grants);
    }
    reload_while_deciding(100_000);
}

/// How a tool is asked about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// Not at all: a call is made, and somebody who makes it is chosen.
    Nothing,
    /// As a call names it.
    ByName,
    /// As the chain does once it has found the name: it needs the number for the limits too.
    ByNumber,
}

/// Every check asks for another principal and another tool; those that are denied count too.
fn scope(name: &str, estate: &Estate, tool_of: impl Fn(usize) -> (usize, usize), arguments: Option<&[Node<'_>]>, asked: Asked) {
    let standings: Vec<_> = estate.principals.iter().map(|principal| principal.standing(&estate.policy)).collect();
    let ask = |check: usize| {
        let (server, tool) = tool_of(check);
        let call = estate.call(server, tool, arguments);
        let standing = &standings[scattered(check ^ 0x5555, PRINCIPALS)];
        let access = match asked {
            Asked::Nothing => {
                black_box((standing, &call));
                return true;
            }
            Asked::ByName => standing.access(&estate.policy, black_box(&call), NOW_US),
            // Tools are numbered in the order of their names.
            Asked::ByNumber => standing.access_to(&estate.policy, Some(tool as u32), black_box(&call), NOW_US),
        };
        let _ = black_box(access);
        true
    };
    // What principals may do on each server is compiled before anything is timed.
    (0..PRINCIPALS * 40).for_each(|check| assert!(ask(check)));
    print(name, rounds(200, 20_000, ask));
}

fn of_size(estate: &Estate, bytes: usize) {
    let mut texts = calls::of_size(bytes);
    let tapes: Vec<_> = texts.iter_mut().map(|text| simd_json::to_tape(text).unwrap()).collect();
    let nodes = |check: usize| tapes[check % tapes.len()].0.as_slice();
    let checks = (400_000 / (bytes + 1000)).max(8);
    let standing = |check: usize| estate.principals[scattered(check, PRINCIPALS)].standing(&estate.policy);
    let call = |check: usize| estate.call(CONDITIONAL_SERVER, scattered(check, TOOLS_OF_SERVER), Some(nodes(check)));
    let (scope, _) = rounds(40, checks, |check| {
        black_box(standing(check).access(&estate.policy, &call(check), NOW_US));
        true
    });
    let secrets = SecretScanner::compile(&SecretsConfig::default()).unwrap();
    let mut scan = ScanScratch::new(&secrets);
    let (scanned, _) = rounds(40, checks, |check| {
        let subject = Subject { side: Side::Arguments, tool: "tool", key: &[7; 32] };
        black_box(secrets.scan(&mut scan, subject, black_box(nodes(check))));
        true
    });
    let blocklist = Blocklist::compile(&BlocklistConfig::default()).unwrap();
    let mut block = blocklist.scratch();
    let (blocked, _) = rounds(40, checks, |check| {
        let target = Target { server: "server", tool: "tool", method: "tools/call" };
        black_box(blocklist.check(&mut block, target, black_box(nodes(check))));
        true
    });

    let (mut scratch, mut rates, mut now_us) = (Scratch::new(&estate.policy), RateState::new(1 << 18), NOW_US);
    let mut decided = |check: usize| {
        now_us += 10;
        let (standing, call) = (standing(check), call(check));
        let started = Instant::now();
        let decided = black_box(decide(&estate.policy, &mut scratch, &mut rates, &standing, &call, now_us));
        let ns = started.elapsed().as_nanos() as u64;
        assert!(decided.is_ok(), "a call of the workload is denied: {:?}", decided.err());
        ns
    };
    let (mut p50, mut p99) = (u64::MAX, u64::MAX);
    for round in 0..40 {
        let mut ns: Vec<u64> = (0..checks.max(200)).map(|check| decided(round * 1000 + check)).collect();
        ns.sort_unstable();
        p50 = p50.min(ns[ns.len() / 2]);
        p99 = p99.min(ns[ns.len() * 99 / 100]);
    }
    let allocations = allocation_counter::measure(|| (0..100).for_each(|check| assert!(decided(check) > 0))).count_total;
    println!("{bytes:>7} {scope:>7.0} {scanned:>9.0} {blocked:>9.0} {p50:>9} {p99:>9} {allocations:>7}");
}

/// What each kind of call of one size costs: best of many short rounds.
fn kinds(estate: &Estate, bytes: usize) {
    println!("{:>10} {:>9} {:>9} {:>9}", "kind", "secrets", "blocklist", "decide");
    let secrets = SecretScanner::compile(&SecretsConfig::default()).unwrap();
    let blocklist = Blocklist::compile(&BlocklistConfig::default()).unwrap();
    let (mut scan, mut block) = (ScanScratch::new(&secrets), blocklist.scratch());
    let (mut scratch, mut rates, mut now_us) = (Scratch::new(&estate.policy), RateState::new(1 << 18), NOW_US);
    let standing = estate.principals[0].standing(&estate.policy);
    let named = |kind: &str| std::env::args().any(|word| word == kind);
    let any_named = calls::KINDS.iter().any(|kind| named(kind));
    for (kind, mut text) in calls::KINDS.iter().zip(calls::of_size(bytes)) {
        if any_named && !named(kind) {
            continue;
        }
        let tape = simd_json::to_tape(&mut text).unwrap();
        let nodes = tape.0.as_slice();
        let (scanned, _) = rounds(400, 100, |_| {
            let subject = Subject { side: Side::Arguments, tool: "tool", key: &[7; 32] };
            black_box(secrets.scan(&mut scan, subject, black_box(nodes)));
            true
        });
        let (blocked, _) = rounds(400, 100, |_| {
            let target = Target { server: "server", tool: "tool", method: "tools/call" };
            black_box(blocklist.check(&mut block, target, black_box(nodes)));
            true
        });
        let call = estate.call(CONDITIONAL_SERVER, 7, Some(nodes));
        let (decided, _) = rounds(400, 100, |_| {
            now_us += 10;
            decide(&estate.policy, &mut scratch, &mut rates, &standing, &call, now_us).is_ok()
        });
        println!("{kind:>10} {scanned:>9.0} {blocked:>9.0} {decided:>9.0}");
    }
}

/// A policy with so many grants for single users, beside those of the estate. Each part is the best of three.
fn reload(grants: usize) {
    let names = Estate::new(0);
    let (mut encode, mut compile, mut first) = (Duration::MAX, Duration::MAX, [u64::MAX; 3]);
    for round in 0..3 {
        let snapshot = snapshot(2 + round, grants);
        let started = Instant::now();
        let bytes = encoded(&snapshot);
        encode = encode.min(started.elapsed());
        let started = Instant::now();
        let policy = Policy::compile(bytes, &node_keys(), &Reach::default()).unwrap();
        compile = compile.min(started.elapsed());
        let mut ns: Vec<u64> = on_one_shard(&policy)
            .iter()
            .enumerate()
            .map(|(n, principal)| {
                let call = names.call(scattered(n, SERVERS - 1), n % TOOLS_OF_SERVER, None);
                let started = Instant::now();
                black_box(principal.standing(&policy).access(&policy, &call, NOW_US));
                started.elapsed().as_nanos() as u64
            })
            .collect();
        ns.sort_unstable();
        for (best, at) in first.iter_mut().zip([PRINCIPALS / 2, PRINCIPALS * 999 / 1000, PRINCIPALS - 1]) {
            *best = (*best).min(ns[at]);
        }
    }
    let [p50, p999, max] = first.map(|ns| ns as f64 / 1000.0);
    println!(
        "\n{grants} more grants: encode {encode:.1?}, compile {compile:.1?}; first calls of {PRINCIPALS} principals: p50 {p50:.1} µs, p99.9 {p999:.1} µs, max {max:.1} µs"
    );
}

/// The same policy put into force while a shard decides one call after the other: what calls
/// take until it is swapped in, and those of two seconds after, in which everybody calls again.
fn reload_while_deciding(grants: usize) {
    let names = Estate::new(0);
    let first = Arc::new(Policy::compile(encoded(&snapshot(2, 0)), &node_keys(), &Reach::default()).unwrap());
    let (begin, begins) = mpsc::channel::<()>();
    let (publish, published) = mpsc::channel::<Arc<Policy>>();
    let (before, next) = (Arc::clone(&first), snapshot(3, grants));
    let control = std::thread::spawn(move || {
        begins.recv().unwrap();
        let started = Instant::now();
        let policy = Policy::compile_after(Some(&before), encoded(&next), &node_keys(), &Reach::default()).unwrap();
        let took = started.elapsed();
        publish.send(Arc::new(policy)).unwrap();
        took
    });
    let principals = on_one_shard(&first);
    let (mut policy, mut scratch, mut rates) = (Arc::clone(&first), Scratch::new(&first), RateState::new(1 << 18));
    let mut texts = calls::of_size(100);
    let tapes: Vec<_> = texts.iter_mut().map(|text| simd_json::to_tape(text).unwrap()).collect();
    // LIMIT: so many calls are made before anything is compiled.
    const BEFORE: usize = 100_000;
    // Calls before the swap and after it, in nanoseconds.
    let mut ns = [Vec::with_capacity(4_000_000), Vec::with_capacity(4_000_000)];
    let begun = Instant::now();
    let mut swapped = None;
    for check in 0.. {
        let started = Instant::now();
        if swapped.is_some_and(|at: Instant| at.elapsed() > Duration::from_secs(2)) {
            break;
        }
        if ns[0].len() == BEFORE {
            begin.send(()).unwrap();
        }
        // The old one is kept until nobody decides by it, so that no shard takes it apart.
        if let Ok(next) = published.try_recv() {
            policy = next;
            swapped = Some(started);
        }
        let nodes = tapes[check % tapes.len()].0.as_slice();
        let call = names.call(CONDITIONAL_SERVER, scattered(check, TOOLS_OF_SERVER), Some(nodes));
        let standing = principals[scattered(check, PRINCIPALS)].standing(&policy);
        let now_us = NOW_US + begun.elapsed().as_micros() as u64;
        assert!(decide(&policy, &mut scratch, &mut rates, &standing, &call, now_us).is_ok());
        ns[usize::from(swapped.is_some())].push(started.elapsed().as_nanos() as u64);
    }
    let took = control.join().unwrap();
    println!("\n{grants} more grants while a shard decides: encoded, compiled and swapped in {took:.1?}");
    for (when, ns) in ["until the swap", "from it on"].iter().zip(&mut ns) {
        ns.sort_unstable();
        let at = |share: f64| ns[((ns.len() - 1) as f64 * share) as usize] as f64 / 1000.0;
        println!(
            "{when:>17}: {} calls, p50 {:.1} µs, p99 {:.1} µs, p99.9 {:.1} µs, max {:.1} µs",
            ns.len(),
            at(0.5),
            at(0.99),
            at(0.999),
            at(1.0)
        );
    }
}

fn encoded(snapshot: &Snapshot) -> SnapshotBytes {
    SnapshotBytes::encode(snapshot).unwrap().0
}
