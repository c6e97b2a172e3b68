//! The question of the scope check, without conditions, asked of two engines that many gateways use: the same roles,
//! departments, servers and tools. Whoever answers otherwise than our grants do stops the bench.

#![allow(clippy::unwrap_used, reason = "a bench that cannot go on must stop")]

mod cedar;
#[allow(dead_code, reason = "the bench of the layers asks more of it")]
#[path = "../../../dataplane/benches/layers/estate.rs"]
mod estate;
mod rego;
#[path = "../../../dataplane/benches/layers/rounds.rs"]
mod rounds;

use std::hint::black_box;

use cedar::Cedar;
use estate::{Estate, NOW_US, PRINCIPALS, SERVERS, TOOLS_OF_SERVER, scattered, snapshot, tool_names};
use rego::Rego;
use rounds::{print, rounds};
use wire::decision::Reason;

/// What the tools of a grant begin with: of the globs that the estate has.
fn prefixes(glob: &str) -> Vec<&str> {
    match glob {
        "*" => vec![""],
        "tool_[0-2]*" => vec!["tool_0", "tool_1", "tool_2"],
        prefix => vec![prefix.trim_end_matches('*')],
    }
}

/// How many different questions are asked, in turn.
const QUESTIONS: usize = 10_000;

/// Who asks for what: principal, server, tool.
fn question(check: usize) -> (usize, usize, usize) {
    let check = check % QUESTIONS;
    (scattered(check ^ 0x5555, PRINCIPALS), scattered(check, SERVERS - 1), scattered(check >> 3, TOOLS_OF_SERVER))
}

fn main() {
    let (estate, snapshot) = (Estate::new(0), snapshot(1, 0));
    let standings: Vec<_> = estate.principals.iter().map(|principal| principal.standing(&estate.policy)).collect();
    let ours = |check: usize| {
        let (principal, server, tool) = question(check);
        let call = estate.call(server, tool, None);
        standings[principal].access(&estate.policy, &call, NOW_US).reason == Reason::Permitted
    };
    let cedar = Cedar::new(&snapshot, &tool_names());
    let of_cedar = |check: usize| {
        let (principal, server, tool) = question(check);
        cedar.allows(principal, server, tool)
    };
    let tools = tool_names();
    let in_words = |check: usize| {
        let (principal, server, tool) = question(check);
        (format!("user-{principal}"), format!("server-{server}"), tools[tool].clone())
    };
    let mut rego = Rego::new(&snapshot, (0..QUESTIONS).map(in_words).collect());

    // Also compiles what principals may do on each server, before anything is timed.
    let allowed = (0..QUESTIONS).filter(|check| ours(*check)).count();
    for check in 0..QUESTIONS {
        assert_eq!(of_cedar(check), ours(check), "cedar-policy and our grants differ: {:?}", in_words(check));
        assert_eq!(rego.allows(check), ours(check), "regorus and our grants differ: {:?}", in_words(check));
    }
    let title = format!("{} grants; {QUESTIONS} questions, {allowed} allowed", snapshot.grants.len() - 1);
    println!("\n{title:<64} {:>8} {:>8}", "best ns", "median");
    // In turns, so that what disturbs the machine disturbs all.
    let asked = |answer: bool| {
        black_box(answer);
        true
    };
    print("may this principal call this tool: sp", rounds(200, 20_000, |check| asked(ours(check))));
    print("the same: cedar-policy", rounds(20, 500, |check| asked(of_cedar(check))));
    print("the same: regorus, compiled for its virtual machine", rounds(20, 500, |check| asked(rego.allows(check))));
}
