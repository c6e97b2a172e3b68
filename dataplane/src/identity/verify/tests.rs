//! Good tokens, and every bad one that is known to have fooled somebody.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use aws_lc_rs::encoding::AsBigEndian;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use aws_lc_rs::{digest, hmac};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::LazyLock;

use super::*;

const NOW_S: u64 = 1_800_000_000;
const ISSUER: &str = "https://gate.example";

struct Rig {
    ed: Ed25519KeyPair,
    ec: EcdsaKeyPair,
    keys: Vec<Key>,
}

static RIG: LazyLock<Rig> = LazyLock::new(|| {
    let ed = Ed25519KeyPair::generate().unwrap();
    let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let keys = vec![
        Key::new("ed-1", KeyAlgorithm::EdDsa, ed.public_key().as_ref()).unwrap(),
        Key::new("ec-1", KeyAlgorithm::Es256, ec.public_key().as_ref()).unwrap(),
    ];
    Rig { ed, ec, keys }
});

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": ISSUER, "sub": "ada", "exp": NOW_S + 600, "iat": NOW_S - 5, "jti": "t-1", "tier": "user",
        "scope": "tools:call tools:list", "roles": ["developer"], "sid": "s-1", "tenant": "acme", "department": "R&D", "agent": "claude",
    })
}

fn with(changes: &[(&str, Value)]) -> String {
    let mut claims = claims();
    for (name, value) in changes {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(*name);
        } else {
            claims[*name] = value.clone();
        }
    }
    claims.to_string()
}

/// Signs with the Ed25519 key, whatever the header says.
fn signed(header: &str, payload: &str) -> String {
    let text = format!("{}.{}", b64(header), b64(payload));
    let signature = RIG.ed.sign(text.as_bytes());
    format!("{text}.{}", b64(signature.as_ref()))
}

fn signed_ec(header: &str, payload: &str) -> String {
    let text = format!("{}.{}", b64(header), b64(payload));
    let signature = RIG.ec.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
    format!("{text}.{}", b64(signature.as_ref()))
}

fn macced(header: &str, payload: &str, secret: &[u8]) -> String {
    let text = format!("{}.{}", b64(header), b64(payload));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), text.as_bytes());
    format!("{text}.{}", b64(tag.as_ref()))
}

const ED: &str = r#"{"alg":"EdDSA","typ":"at+jwt","kid":"ed-1"}"#;
const EC: &str = r#"{"alg":"ES256","typ":"at+jwt","kid":"ec-1"}"#;

fn check(what: &str, token: &str, expect: Result<(), Reason>) {
    assert_eq!(verify(token, &RIG.keys, ISSUER, NOW_S).map(drop), expect, "{what}: {token}");
}

#[test]
fn good_tokens_give_their_claims() {
    let claims = verify(&signed(ED, &claims().to_string()), &RIG.keys, ISSUER, NOW_S).unwrap();
    assert_eq!((claims.sub.as_str(), claims.jti.as_str(), claims.tier), ("ada", "t-1", wire::decision::Tier::User));
    assert_eq!(claims.scope, "tools:call tools:list");
    let rows = [
        ("ES256", signed_ec(EC, &with(&[]))),
        ("typ JWT", signed(r#"{"alg":"EdDSA","typ":"JWT","kid":"ed-1"}"#, &with(&[]))),
        ("typ as a media type", signed(r#"{"alg":"EdDSA","typ":"application/at+JWT","kid":"ed-1"}"#, &with(&[]))),
        ("several audiences", signed(ED, &with(&[("aud", json!(["a", "b"]))]))),
        (
            "no scope, session, tenant",
            signed(ED, &with(&[("scope", Value::Null), ("sid", Value::Null), ("tenant", Value::Null)])),
        ),
        ("a claim that we do not know", signed(ED, &with(&[("locale", json!({"a": [1, 2]}))]))),
        ("last second", signed(ED, &with(&[("exp", json!(NOW_S + 1))]))),
        ("issued by a clock that runs ahead", signed(ED, &with(&[("iat", json!(NOW_S + 30)), ("nbf", json!(NOW_S + 30))]))),
        ("delegation", signed(ED, &with(&[("act", json!({"sub": "claude", "act": {"sub": "cron"}}))]))),
    ];
    for (what, token) in rows {
        check(what, &token, Ok(()));
    }
}

#[test]
fn bad_tokens_have_a_reason() {
    let good = signed(ED, &with(&[]));
    let (text, signature) = good.rsplit_once('.').unwrap();
    let (header, payload) = text.split_once('.').unwrap();
    let ed_public = RIG.ed.public_key().as_ref();
    let ed_jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": b64(ed_public)});
    let header_with = |member: &str, value: Value| {
        let mut header: Value = serde_json::from_str(ED).unwrap();
        header[member] = value;
        header.to_string()
    };
    // The signature's bits beyond its last whole byte, set: another spelling of the same bytes.
    let respelled = {
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let last = alphabet.find(signature.chars().last().unwrap()).unwrap();
        format!("{text}.{}{}", &signature[..signature.len() - 1], alphabet.chars().nth(last | 1).unwrap())
    };
    use Reason::*;
    let rows = [
        ("nothing", String::new(), TokenMissing),
        ("a word", "hunter2".into(), TokenMalformed),
        ("two parts", text.to_owned(), TokenMalformed),
        ("four parts", format!("{good}.{signature}"), TokenMalformed),
        ("five parts, as encrypted tokens have", format!("{good}.a.b"), TokenMalformed),
        ("dots", "...".into(), TokenMalformed),
        ("empty parts", "..".into(), TokenMalformed),
        ("huge", format!("{text}.{}", "A".repeat(TOKEN_BYTES_MAX)), TokenMalformed),
        ("padding", format!("{text}.{signature}=="), TokenMalformed),
        ("standard alphabet", format!("{header}.{payload}.{}", "+/".repeat(43)), TokenMalformed),
        ("trailing white space", format!("{good} "), TokenMalformed),
        ("trailing line", format!("{good}\n"), TokenMalformed),
        ("another spelling of the signature", respelled, TokenMalformed),
        ("text beyond ASCII", format!("{good}ä"), TokenMalformed),
        ("none", format!("{}.{payload}.", b64(r#"{"alg":"none","typ":"at+jwt"}"#)), TokenAlgorithm),
        ("None", format!("{}.{payload}.", b64(r#"{"alg":"NoNe","typ":"at+jwt","kid":"ed-1"}"#)), TokenAlgorithm),
        ("none with a signature", signed(r#"{"alg":"none","typ":"at+jwt","kid":"ed-1"}"#, &with(&[])), TokenAlgorithm),
        (
            "HS256 with the public key",
            macced(r#"{"alg":"HS256","typ":"at+jwt","kid":"ed-1"}"#, &with(&[]), ed_public),
            TokenAlgorithm,
        ),
        ("HS256 called EdDSA", macced(ED, &with(&[]), ed_public), TokenSignature),
        ("RS256", signed(r#"{"alg":"RS256","typ":"at+jwt","kid":"ed-1"}"#, &with(&[])), TokenAlgorithm),
        ("eddsa", signed(r#"{"alg":"eddsa","typ":"at+jwt","kid":"ed-1"}"#, &with(&[])), TokenAlgorithm),
        ("the other key's algorithm", signed(r#"{"alg":"ES256","typ":"at+jwt","kid":"ed-1"}"#, &with(&[])), TokenAlgorithm),
        ("the other curve", signed(EC, &with(&[])), TokenSignature),
        ("no alg", signed(r#"{"typ":"at+jwt","kid":"ed-1"}"#, &with(&[])), TokenMalformed),
        ("alg is a list", signed(r#"{"alg":["EdDSA"],"typ":"at+jwt","kid":"ed-1"}"#, &with(&[])), TokenMalformed),
        ("alg twice", signed(r#"{"alg":"EdDSA","alg":"none","typ":"at+jwt","kid":"ed-1"}"#, &with(&[])), TokenMalformed),
        ("kid twice", signed(r#"{"alg":"EdDSA","typ":"at+jwt","kid":"x","kid":"ed-1"}"#, &with(&[])), TokenMalformed),
        ("no kid", signed(r#"{"alg":"EdDSA","typ":"at+jwt"}"#, &with(&[])), TokenKeyUnknown),
        ("empty kid", signed(&header_with("kid", json!("")), &with(&[])), TokenKeyUnknown),
        ("unknown kid", signed(&header_with("kid", json!("ed-2")), &with(&[])), TokenKeyUnknown),
        ("kid as a path", signed(&header_with("kid", json!("../../dev/null")), &with(&[])), TokenKeyUnknown),
        ("kid as a query", signed(&header_with("kid", json!("x' UNION SELECT 'k")), &with(&[])), TokenKeyUnknown),
        ("kid with a NUL", signed(&header_with("kid", json!("ed-1\u{0}")), &with(&[])), TokenKeyUnknown),
        ("kid is a number", signed(&header_with("kid", json!(1)), &with(&[])), TokenMalformed),
        ("a key in the header", signed(&header_with("jwk", ed_jwk), &with(&[])), TokenMalformed),
        ("the address of a key", signed(&header_with("jku", json!("https://evil.example/jwks")), &with(&[])), TokenMalformed),
        ("a certificate", signed(&header_with("x5c", json!(["MIIB"])), &with(&[])), TokenMalformed),
        ("crit", signed(&header_with("crit", json!(["exp"])), &with(&[])), TokenMalformed),
        ("b64", signed(&header_with("b64", json!(false)), &with(&[])), TokenMalformed),
        ("an ID token's type", signed(r#"{"alg":"EdDSA","typ":"id_token","kid":"ed-1"}"#, &with(&[])), TokenMalformed),
        ("a refresh token's type", signed(r#"{"alg":"EdDSA","typ":"rt+jwt","kid":"ed-1"}"#, &with(&[])), TokenMalformed),
        ("no type", signed(r#"{"alg":"EdDSA","kid":"ed-1"}"#, &with(&[])), TokenMalformed),
        ("header is a list", signed("[]", &with(&[])), TokenMalformed),
        ("header goes on", signed(&format!("{ED}{{}}"), &with(&[])), TokenMalformed),
        ("header is not JSON", signed("alg=EdDSA", &with(&[])), TokenMalformed),
        ("header of another token", format!("{}.{payload}.{signature}", b64(EC)), TokenSignature),
        ("payload of another token", format!("{header}.{}.{signature}", b64(with(&[("sub", json!("eve"))]))), TokenSignature),
        ("no signature", format!("{text}."), TokenSignature),
        ("short signature", format!("{text}.{}", b64([0; 63])), TokenSignature),
        ("a signature of zeros", format!("{text}.{}", b64([0; 64])), TokenSignature),
        ("an ECDSA signature of zeros", format!("{}.{payload}.{}", b64(EC), b64([0; 64])), TokenSignature),
        ("payload is not JSON", signed(ED, "sub=ada"), TokenMalformed),
        ("payload is a list", signed(ED, "[]"), TokenMalformed),
        ("payload goes on", signed(ED, &format!("{}{{}}", with(&[]))), TokenMalformed),
        ("sub twice", signed(ED, &with(&[]).replacen('{', r#"{"sub":"eve","#, 1)), TokenMalformed),
        ("an unknown claim twice", signed(ED, &with(&[]).replacen('{', r#"{"x":1,"x":2,"#, 1)), TokenMalformed),
        ("sub twice, once escaped", signed(ED, &with(&[]).replacen('{', r#"{"s\u0075b":"eve","#, 1)), TokenMalformed),
        (
            "too many claims",
            signed(
                ED,
                &with(&[]).replacen('{', &format!("{{{}", (0..80).map(|n| format!("\"x{n}\":1,")).collect::<String>()), 1),
            ),
            TokenMalformed,
        ),
        ("expired", signed(ED, &with(&[("exp", json!(NOW_S - 1))])), TokenExpired),
        ("expires now", signed(ED, &with(&[("exp", json!(NOW_S))])), TokenExpired),
        ("never expires", signed(ED, &with(&[("exp", Value::Null)])), TokenMalformed),
        ("exp as text", signed(ED, &with(&[("exp", json!("9999999999"))])), TokenMalformed),
        ("exp below zero", signed(ED, &with(&[("exp", json!(-1))])), TokenMalformed),
        ("exp beyond numbers", signed(ED, &with(&[]).replace(&(NOW_S + 600).to_string(), "1e400")), TokenMalformed),
        ("not yet valid", signed(ED, &with(&[("nbf", json!(NOW_S + 31))])), TokenNotYetValid),
        ("issued tomorrow", signed(ED, &with(&[("iat", json!(NOW_S + 86_400))])), TokenNotYetValid),
        ("no iat", signed(ED, &with(&[("iat", Value::Null)])), TokenMalformed),
        ("another issuer", signed(ED, &with(&[("iss", json!("https://evil.example"))])), TokenIssuer),
        ("issuer with a slash", signed(ED, &with(&[("iss", json!("https://gate.example/"))])), TokenIssuer),
        ("no issuer", signed(ED, &with(&[("iss", Value::Null)])), TokenMalformed),
        ("no audience", signed(ED, &with(&[("aud", Value::Null)])), TokenMalformed),
        ("audience is a number", signed(ED, &with(&[("aud", json!(7))])), TokenMalformed),
        ("too many audiences", signed(ED, &with(&[("aud", json!(vec!["a"; 129]))])), TokenMalformed),
        ("no subject", signed(ED, &with(&[("sub", Value::Null)])), TokenMalformed),
        ("empty subject", signed(ED, &with(&[("sub", json!(""))])), TokenMalformed),
        ("subject with a line break", signed(ED, &with(&[("sub", json!("ada\nadmin"))])), TokenMalformed),
        ("long subject", signed(ED, &with(&[("sub", json!("a".repeat(257)))])), TokenMalformed),
        ("no token id", signed(ED, &with(&[("jti", Value::Null)])), TokenMalformed),
        ("unknown tier", signed(ED, &with(&[("tier", json!("root"))])), TokenMalformed),
        ("no tier", signed(ED, &with(&[("tier", Value::Null)])), TokenMalformed),
        ("a role that is no name", signed(ED, &with(&[("roles", json!(["Dev Ops"]))])), TokenMalformed),
        ("a scope with a quote", signed(ED, &with(&[("scope", json!("a \"b"))])), TokenMalformed),
        ("scope as a list", signed(ED, &with(&[("scope", json!(["a"]))])), TokenMalformed),
        ("an actor without a name", signed(ED, &with(&[("act", json!({"sub": ""}))])), TokenMalformed),
        (
            "a chain of actors without end",
            signed(
                ED,
                &with(&[]).replacen('{', &format!("{{\"act\":{}{},", "{\"sub\":\"a\",\"act\":".repeat(150), "}".repeat(150)), 1),
            ),
            TokenMalformed,
        ),
    ];
    for (what, token, reason) in rows {
        check(what, &token, Err(reason));
    }
}

#[test]
fn a_key_must_be_one() {
    let x = RIG.ec.private_key().as_be_bytes().unwrap();
    let digest = digest::digest(&digest::SHA256, x.as_ref());
    let compressed = [&[2u8][..], digest.as_ref()].concat();
    let rows: [(&str, KeyAlgorithm, &[u8]); 5] = [
        ("", KeyAlgorithm::EdDsa, &[1; 32]),
        ("k", KeyAlgorithm::EdDsa, &[1; 31]),
        ("k", KeyAlgorithm::Es256, &[1; 65]),
        ("k", KeyAlgorithm::Es256, &compressed),
        ("k", KeyAlgorithm::EdDsa, RIG.ec.public_key().as_ref()),
    ];
    for (kid, algorithm, public) in rows {
        assert!(Key::new(kid, algorithm, public).is_err());
    }
    // A point that lies on no curve verifies nothing.
    let keys = [Key::new("ed-1", KeyAlgorithm::EdDsa, &[0xff; 32]).unwrap()];
    assert_eq!(verify(&signed(ED, &with(&[])), &keys, ISSUER, NOW_S), Err(Reason::TokenSignature));
    assert_eq!(verify(&signed(ED, &with(&[])), &[], ISSUER, NOW_S), Err(Reason::TokenKeyUnknown));
}

proptest! {
    #[test]
    fn one_changed_byte_spoils_a_token(at in 0usize..400, to in any::<char>()) {
        let good = signed(ED, &with(&[]));
        let mut letters: Vec<char> = good.chars().collect();
        let at = at % letters.len();
        prop_assume!(letters[at] != to);
        letters[at] = to;
        let changed: String = letters.into_iter().collect();
        prop_assert!(verify(&changed, &RIG.keys, ISSUER, NOW_S).is_err());
    }

    #[test]
    fn any_text_is_refused_without_a_panic(header in ".{0,60}", payload in ".{0,60}", token in "[A-Za-z0-9_.=-]{0,80}") {
        prop_assert!(verify(&token, &RIG.keys, ISSUER, NOW_S).is_err());
        prop_assert!(verify(&signed(&header, &payload), &RIG.keys, ISSUER, NOW_S).is_err());
        prop_assert!(verify(&signed(ED, &payload), &RIG.keys, ISSUER, NOW_S).is_err());
    }
}
