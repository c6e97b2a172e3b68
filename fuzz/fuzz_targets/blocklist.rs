//! Any text under any key, of any tool, and any JSON as arguments: is judged, ends, and the place of a hit can be written.
#![no_main]

use std::cell::RefCell;
use std::sync::LazyLock;

use dataplane::chain::blocklist::{BlockScratch, Blocklist, BlocklistConfig, Target};
use simd_json::Node;

static BLOCKLIST: LazyLock<Blocklist> = LazyLock::new(|| Blocklist::compile(&BlocklistConfig::default()).unwrap());

thread_local!(static SCRATCH: RefCell<BlockScratch> = RefCell::new(BLOCKLIST.scratch()));

const KEYS: [&str; 8] = ["input", "command", "sql", "query", "path", "url", "content", "args"];

fn check(tool: &str, nodes: &[Node<'_>]) {
    let target = Target { server: "s", tool, method: "tools/call" };
    SCRATCH.with_borrow_mut(|scratch| {
        let hit = BLOCKLIST.check(scratch, target, nodes);
        if let Some(hit) = hit {
            hit.write_pointer(nodes, &mut String::new());
        }
    });
}

libfuzzer_sys::fuzz_target!(|input: (u8, &str, &str)| {
    let (key, tool, text) = input;
    let key = KEYS[usize::from(key) % KEYS.len()];
    check(tool, &[Node::Object { len: 1, count: 2 }, Node::String(key), Node::String(text)]);
    SCRATCH.with_borrow_mut(|scratch| drop(BLOCKLIST.check_text(scratch, Target { server: "", tool, method: "" }, text)));
    let mut bytes = text.as_bytes().to_vec();
    if let Ok(tape) = simd_json::to_tape(&mut bytes) {
        check(tool, &tape.0);
    }
});
