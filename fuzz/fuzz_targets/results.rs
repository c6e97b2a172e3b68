//! Any bytes as what a tool returned, everything looked for: ends; what leaves is JSON, and has nothing more to take out.
#![no_main]

use std::cell::RefCell;
use std::sync::LazyLock;

use dataplane::chain::blocklist::{Blocklist, BlocklistConfig};
use dataplane::chain::results::{Checked, Obligations, Origin, Rules, Scratch, check, check_plain};
use dataplane::chain::secrets::{SecretScanner, SecretsConfig};
use futures_lite::future::block_on;
use wire::results::{Class, Duty, Results};

static SECRETS: LazyLock<SecretScanner> = LazyLock::new(|| SecretScanner::compile(&SecretsConfig::default()).unwrap());
static BLOCKLIST: LazyLock<Blocklist> = LazyLock::new(|| Blocklist::compile(&BlocklistConfig::default()).unwrap());
static OBLIGATIONS: LazyLock<Obligations> = LazyLock::new(|| {
    let duties = Class::ALL.map(|class| (class, Duty::Redact)).to_vec();
    Obligations::compile(&Results { duties, ..Results::default() }).unwrap()
});

fn rules() -> Rules<'static> {
    Rules { secrets: &SECRETS, blocklist: &BLOCKLIST, key: &[7; 32] }
}

thread_local!(static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::new(rules())));

libfuzzer_sys::fuzz_target!(|input: (bool, &[u8])| {
    let (is_listing, message) = input;
    let duties = OBLIGATIONS.of("s", "t");
    let origin = Origin { server: "s", tool: "t", is_listing };
    SCRATCH.with_borrow_mut(|scratch| {
        if let Checked::Changed { mut message, .. } = block_on(check(rules(), &duties, origin, scratch, message, async || {})) {
            let again = block_on(check(rules(), &duties, origin, scratch, &message, async || {}));
            assert!(matches!(again, Checked::Unchanged), "{again:?}");
            assert!(simd_json::to_tape(&mut message).is_ok());
        }
        drop(block_on(check_plain(rules(), &duties, origin, scratch, message, async || {})));
    });
});
