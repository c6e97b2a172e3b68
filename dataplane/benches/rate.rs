//! What one check of the rate layer costs in its shard, beside `governor`. Prints nanoseconds per check: the best and
//! the median of many short rounds, for the machine is rarely ours alone.
//!
//! Counted is what a call pays: working out the keys (`charges`) and charging them (`check_and_charge`). Time is an
//! argument that moves on by 1 µs a check, as it does in a shard.

#![allow(clippy::unwrap_used, reason = "a bench that cannot go on must stop")]
#![allow(clippy::print_stdout, reason = "that is what a bench is for")]

use std::hint::black_box;
use std::num::NonZeroU32;
use std::time::Instant;

use dataplane::chain::rate::{Charges, Dimension, KeySeed, Limits, Parts, RateState};
use governor::{Quota, RateLimiter};
use wire::snapshot::key_part::{PRINCIPAL, TENANT, TOOL};
use wire::snapshot::{Algorithm, CallClass, Limit, Subject};

const ROUNDS: usize = 300;
const CHECKS: u64 = 20_000;
/// Checks before the first round, which fill the table.
const WARM_UP: u64 = 3_000_000;
const SEED: KeySeed = KeySeed::new([5; 16]);
const START_US: u64 = 1_700_000_000_000_000;

fn main() {
    println!("{:<44} {:>8} {:>8}", "one shard, keys and charge", "best ns", "median");
    for keys in [1, 1_000, 1_000_000] {
        for limits in [1, 3] {
            shard(&format!("gcra, {limits} limit(s), {keys} key(s)"), keys, limits, Algorithm::Gcra);
        }
    }
    shard("window, 1 limit, 1 key", 1, 1, Algorithm::Window);
    refused("gcra, 1 limit, 1 key, refused");
    charge_alone("gcra, 1 limit, 1 key, key known");
    keys_alone("working out 1 key");
    println!("\n{:<44} {:>8} {:>8}", "governor, with its clock", "best ns", "median");
    let quota = Quota::per_second(NonZeroU32::MAX);
    let direct = RateLimiter::direct(quota);
    rounds("1 limit, no key", |_| direct.check().is_ok());
    for keys in [1, 1_000, 1_000_000] {
        let keyed = RateLimiter::keyed(quota);
        rounds(&format!("1 limit, {keys} key(s)"), |check| keyed.check_key(&nth(check, keys)).is_ok());
    }
}

/// Checks that are admitted: each key's pace is a little faster than its calls come.
fn shard(name: &str, keys: u64, limits: usize, algorithm: Algorithm) {
    let per_key = 4_000_000_000 / keys;
    let policy = [
        limit("each", PRINCIPAL, algorithm, per_key),
        limit("each-tool", PRINCIPAL | TOOL, algorithm, per_key),
        limit("all", TENANT, algorithm, 4_000_000_000),
    ];
    let policy = Limits::compile(&policy[..limits], SEED, |_| false).unwrap();
    let (set, costs) = (policy.for_subject(|_| true), policy.for_call("server", "tool"));
    let (mut state, mut charges) = (RateState::new(1 << 21), Charges::new());
    rounds(name, |check| {
        policy.charges(&set, &costs, &caller(nth(check, keys)), &mut charges).is_ok()
            && state.check_and_charge(&charges, START_US + check).is_ok()
    });
}

fn refused(name: &str) {
    let policy = Limits::compile(&[limit("each", PRINCIPAL, Algorithm::Gcra, 1)], SEED, |_| false).unwrap();
    let (set, costs) = (policy.for_subject(|_| true), policy.for_call("server", "tool"));
    let (mut state, mut charges) = (RateState::new(1 << 10), Charges::new());
    policy.charges(&set, &costs, &caller(1), &mut charges).unwrap();
    state.check_and_charge(&charges, START_US).unwrap();
    rounds(name, |check| {
        policy.charges(&set, &costs, &caller(1), &mut charges).is_ok()
            && state.check_and_charge(&charges, START_US + check).is_err()
    });
}

/// As the chain does it, which keeps the charges of a principal and tool.
fn charge_alone(name: &str) {
    let policy = Limits::compile(&[limit("each", PRINCIPAL, Algorithm::Gcra, 4_000_000_000)], SEED, |_| false).unwrap();
    let (set, costs) = (policy.for_subject(|_| true), policy.for_call("server", "tool"));
    let (mut state, mut charges) = (RateState::new(1 << 10), Charges::new());
    policy.charges(&set, &costs, &caller(1), &mut charges).unwrap();
    rounds(name, |check| state.check_and_charge(black_box(&charges), START_US + check).is_ok());
}

fn keys_alone(name: &str) {
    let policy = Limits::compile(&[limit("each", PRINCIPAL, Algorithm::Gcra, 1)], SEED, |_| false).unwrap();
    let (set, costs, mut charges) = (policy.for_subject(|_| true), policy.for_call("server", "tool"), Charges::new());
    rounds(name, |check| policy.charges(&set, &costs, &caller(check), black_box(&mut charges)).is_ok());
}

fn limit(id: &str, key: u16, algorithm: Algorithm, count: u64) -> Limit {
    let (id, subject) = (id.to_owned(), Subject::default());
    let (servers, tools, costs) = (Vec::new(), Vec::new(), Vec::new());
    let (period_us, class) = (3_600_000_000, CallClass::Calls);
    Limit { id, key, algorithm, count, period_us, burst: 0, class, subject, servers, tools, costs, observe: false }
}

fn caller(principal: u64) -> Parts {
    Parts::UNKNOWN.with(Dimension::Principal, principal).with(Dimension::Tool, 7).with(Dimension::Tenant, 9)
}

/// The keys in an order that no prefetcher guesses.
fn nth(check: u64, keys: u64) -> u64 {
    (check.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) % keys
}

/// Every round goes on where the last one ended, so that time never steps back.
fn rounds(name: &str, mut check: impl FnMut(u64) -> bool) {
    // As with other benches, an argument picks those whose names contain it; cargo adds `--bench`.
    if std::env::args().skip(1).any(|word| !word.starts_with("--") && !name.contains(&word)) {
        return;
    }
    let mut held = true;
    let mut run = |from: u64, count: u64| {
        let start = Instant::now();
        for i in from..from + count {
            held &= black_box(check(black_box(i)));
        }
        start.elapsed().as_nanos() as f64 / count as f64
    };
    run(0, WARM_UP);
    let mut ns: Vec<f64> = (0..ROUNDS as u64).map(|round| run(WARM_UP + round * CHECKS, CHECKS)).collect();
    assert!(held, "{name}: a check did not end as it should");
    ns.sort_by(f64::total_cmp);
    println!("{name:<44} {:>8.1} {:>8.1}", ns[0], ns[ROUNDS / 2]);
}
