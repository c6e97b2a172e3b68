//! Against an authenticator of our own, which says what it is told to say.

#![allow(clippy::unwrap_used, reason = "tests")]

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use proptest::prelude::*;
use serde_json::json;

use super::*;

const ORIGIN: &str = "http://localhost:8080";

fn party() -> Party {
    Party::of(ORIGIN).unwrap()
}

enum Key {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

struct Authenticator {
    key: Key,
    id: Vec<u8>,
    flags: u8,
    counter: u32,
    party: String,
}

fn number(number: i64) -> Value {
    Value::Integer(number.into())
}

impl Authenticator {
    fn p256() -> Authenticator {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        Authenticator::new(Key::P256(key))
    }

    fn new(key: Key) -> Authenticator {
        Authenticator { key, id: vec![7; 20], flags: USER_PRESENT | USER_VERIFIED, counter: 1, party: "localhost".into() }
    }

    fn cose(&self) -> Vec<u8> {
        let map = match &self.key {
            Key::P256(key) => {
                let point = key.public_key().as_ref();
                let (x, y) = (Value::Bytes(point[1..33].to_vec()), Value::Bytes(point[33..].to_vec()));
                vec![(number(1), number(2)), (number(3), number(-7)), (number(-1), number(1)), (number(-2), x), (number(-3), y)]
            }
            Key::Ed25519(key) => {
                let x = Value::Bytes(key.public_key().as_ref().to_vec());
                vec![(number(1), number(1)), (number(3), number(-8)), (number(-1), number(6)), (number(-2), x)]
            }
        };
        let mut bytes = Vec::new();
        ciborium::into_writer(&Value::Map(map), &mut bytes).unwrap();
        bytes
    }

    fn data(&self, attested: bool) -> Vec<u8> {
        let mut data = digest(&SHA256, self.party.as_bytes()).as_ref().to_vec();
        data.push(self.flags | if attested { ATTESTED } else { 0 });
        data.extend(self.counter.to_be_bytes());
        if attested {
            data.extend([0; 16]);
            data.extend((self.id.len() as u16).to_be_bytes());
            data.extend(&self.id);
            data.extend(self.cose());
        }
        data
    }

    fn create(&self, client_data: &str) -> Created {
        let object = Value::Map(vec![
            (Value::Text("fmt".into()), Value::Text("none".into())),
            (Value::Text("attStmt".into()), Value::Map(vec![])),
            (Value::Text("authData".into()), Value::Bytes(self.data(true))),
        ]);
        let mut bytes = Vec::new();
        ciborium::into_writer(&object, &mut bytes).unwrap();
        Created {
            id: URL_SAFE_NO_PAD.encode(&self.id),
            client_data: URL_SAFE_NO_PAD.encode(client_data),
            attestation_object: URL_SAFE_NO_PAD.encode(bytes),
            transports: vec!["internal".into(), "<b>".into()],
        }
    }

    fn get(&self, client_data: &str) -> Asserted {
        let data = self.data(false);
        let signed = [&data[..], digest(&SHA256, client_data.as_bytes()).as_ref()].concat();
        let signature = match &self.key {
            Key::P256(key) => key.sign(&SystemRandom::new(), &signed).unwrap().as_ref().to_vec(),
            Key::Ed25519(key) => key.sign(&signed).as_ref().to_vec(),
        };
        Asserted {
            id: URL_SAFE_NO_PAD.encode(&self.id),
            client_data: URL_SAFE_NO_PAD.encode(client_data),
            authenticator_data: URL_SAFE_NO_PAD.encode(data),
            signature: URL_SAFE_NO_PAD.encode(signature),
            user_handle: None,
        }
    }
}

fn says(kind: &str, challenge: &str, origin: &str) -> String {
    json!({ "type": kind, "challenge": challenge, "origin": origin, "crossOrigin": false }).to_string()
}

fn registered(authenticator: &Authenticator) -> Credential {
    let (id, credential) = register(&party(), "c1", &authenticator.create(&says("webauthn.create", "c1", ORIGIN))).unwrap();
    assert_eq!(id, authenticator.id);
    credential
}

#[test]
fn a_key_that_was_made_here_logs_in_here() {
    for mut authenticator in [Authenticator::p256(), Authenticator::new(Key::Ed25519(Ed25519KeyPair::generate().unwrap()))] {
        let known = registered(&authenticator);
        assert_eq!(known.transports, ["internal"]);
        let stored = serde_json::to_value(&known).unwrap();
        let known: Credential = serde_json::from_value(stored).unwrap();
        authenticator.counter = 2;
        let get = authenticator.get(&says("webauthn.get", "c2", ORIGIN));
        let after = verify(&party(), "c2", &known, &get).unwrap();
        assert_eq!(after.counter, 2);
        // The same again is a replay: of the challenge, and of the counter.
        assert_eq!(verify(&party(), "c3", &known, &get), Err(Refused::Foreign));
        assert_eq!(verify(&party(), "c2", &after, &get), Err(Refused::Cloned));
    }
}

#[test]
fn what_is_for_somebody_else_counts_for_nothing() {
    let authenticator = Authenticator::p256();
    let known = registered(&authenticator);
    let check = |get: Asserted, expect: Refused| assert_eq!(verify(&party(), "c", &known, &get), Err(expect));
    let moved = |change: &dyn Fn(&mut Authenticator)| {
        let mut other = Authenticator::p256();
        other.counter = 2;
        change(&mut other);
        other.get(&says("webauthn.get", "c", ORIGIN))
    };
    check(authenticator.get(&says("webauthn.create", "c", ORIGIN)), Refused::Foreign);
    check(authenticator.get(&says("webauthn.get", "other", ORIGIN)), Refused::Foreign);
    check(authenticator.get(&says("webauthn.get", "c", "http://localhost:9999")), Refused::Foreign);
    check(authenticator.get(&says("webauthn.get", "c", "https://localhost.evil.example")), Refused::Foreign);
    check(moved(&|other| other.party = "evil.example".into()), Refused::Foreign);
    check(moved(&|other| other.flags = USER_PRESENT), Refused::Unverified);
    check(moved(&|other| other.flags = USER_VERIFIED), Refused::Unverified);
    check(moved(&|_| ()), Refused::Signature);
    let framed = json!({ "type": "webauthn.get", "challenge": "c", "origin": ORIGIN, "crossOrigin": true }).to_string();
    check(authenticator.get(&framed), Refused::Foreign);
    let create = authenticator.create(&says("webauthn.create", "other", ORIGIN));
    assert_eq!(register(&party(), "c", &create).unwrap_err(), Refused::Foreign);
    let mut mixed = authenticator.create(&says("webauthn.create", "c", ORIGIN));
    mixed.id = URL_SAFE_NO_PAD.encode([8; 20]);
    assert_eq!(register(&party(), "c", &mixed).unwrap_err(), Refused::Malformed);
}

#[test]
fn passkeys_are_where_browsers_have_them() {
    for (url, expect) in [
        ("https://gate.example", Some(("gate.example", "https://gate.example"))),
        ("https://gate.example:8443/sp", Some(("gate.example", "https://gate.example:8443"))),
        ("http://localhost:8080", Some(("localhost", "http://localhost:8080"))),
        ("http://gate.example", None),
        ("http://127.0.0.1:8080", None),
        ("https://192.0.2.1", None),
    ] {
        let party = Party::of(url);
        assert_eq!(party.as_ref().map(|party| (party.id.as_str(), party.origin.as_str())), expect, "{url}");
    }
}

proptest! {
    /// Whatever a browser brings, the answer is a refusal and nothing else.
    #[test]
    fn nonsense_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let text = URL_SAFE_NO_PAD.encode(&bytes);
        let client_data = URL_SAFE_NO_PAD.encode(says("webauthn.create", "c", ORIGIN));
        let created = Created { id: text.clone(), client_data, attestation_object: text, transports: vec![] };
        prop_assert!(register(&party(), "c", &created).is_err());
        prop_assert!(AuthenticatorData::read(&bytes).is_err() || bytes.len() >= 37);
    }
}
