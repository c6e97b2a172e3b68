//! Any text as a token, and any header and payload under a signature that holds or does not: only what a key signed for this
//! gateway and this time is taken.
#![no_main]

use std::sync::LazyLock;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dataplane::identity::verify::{CLOCK_LEEWAY_S, Key, verify};
use wire::snapshot::KeyAlgorithm;

const NOW_S: u64 = 1_800_000_000;
const HEADER: &str = r#"{"alg":"EdDSA","typ":"at+jwt","kid":"k"}"#;

static PAIR: LazyLock<Ed25519KeyPair> = LazyLock::new(|| Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap());
static KEYS: LazyLock<[Key; 1]> = LazyLock::new(|| [Key::new("k", KeyAlgorithm::EdDsa, PAIR.public_key().as_ref()).unwrap()]);

libfuzzer_sys::fuzz_target!(|input: (bool, &str, &str)| {
    let (has_header, header, payload) = input;
    assert!(verify(payload, &*KEYS, "https://gate", NOW_S).is_err(), "nobody signed it");
    let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
    let signed = format!("{}.{}", encode(if has_header { header } else { HEADER }.as_bytes()), encode(payload.as_bytes()));
    let forged = format!("{signed}.{}", encode(&[0; 64]));
    assert!(verify(&forged, &*KEYS, "https://gate", NOW_S).is_err(), "nobody signed it");
    let token = format!("{signed}.{}", encode(PAIR.sign(signed.as_bytes()).as_ref()));
    if let Ok(claims) = verify(&token, &*KEYS, "https://gate", NOW_S) {
        assert_eq!(claims.iss, "https://gate");
        assert!(claims.exp > NOW_S && claims.iat <= NOW_S + CLOCK_LEEWAY_S && !claims.sub.is_empty(), "{claims:?}");
        assert!(claims.act_chain().len() <= payload.len());
    }
});
