//! What `keys` promises, as rows and properties.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::os::unix::fs::PermissionsExt;

use super::*;

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn the_first_start_makes_keys_and_the_next_finds_them() {
    let data = tempfile::tempdir().unwrap();
    let first = Keys::open(data.path()).unwrap();
    let second = Keys::open(data.path()).unwrap();
    assert_eq!(first.signing.public(), second.signing.public());
    assert_eq!(first.signing.kid().len(), 16);
    assert_eq!(first.node, second.node);
    assert_eq!(first.secret.subkey(Purpose::AuditDigest), second.secret.subkey(Purpose::AuditDigest));
    assert_ne!(first.secret.subkey(Purpose::AuditDigest), first.secret.subkey(Purpose::SessionBinding));
    let dir = data.path().join("keys");
    assert_eq!(mode(&dir), 0o700);
    for name in [SIGNING, SECRET, NODE] {
        assert_eq!(mode(&dir.join(name)), 0o600, "{name}");
    }
    assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 3);

    let other = tempfile::tempdir().unwrap();
    let other = Keys::open(other.path()).unwrap();
    assert_ne!(other.signing.public(), first.signing.public());
    assert_ne!(other.node, first.node);
}

#[test]
fn what_others_may_read_is_refused_with_the_remedy() {
    for (name, open, wanted) in [
        ("", 0o755, "chmod 700"),
        ("", 0o710, "chmod 700"),
        (SIGNING, 0o644, "chmod 600"),
        (SECRET, 0o640, "chmod 600"),
        (NODE, 0o604, "chmod 600"),
    ] {
        let data = tempfile::tempdir().unwrap();
        Keys::open(data.path()).unwrap();
        let path = data.path().join("keys").join(name);
        chmod(&path, open);
        let error = Keys::open(data.path()).err().unwrap().to_string();
        assert!(error.contains(wanted) && error.contains("keys"), "{name}: {error}");
        chmod(&path, if name.is_empty() { 0o700 } else { 0o600 });
        Keys::open(data.path()).unwrap();
    }
}

#[test]
fn what_is_no_key_is_refused_and_kept() {
    for (name, content) in [
        (SIGNING, "x".repeat(83)),
        (SIGNING, String::new()),
        (SECRET, "short".into()),
        (SECRET, "x".repeat(33)),
        (NODE, "zz".into()),
    ] {
        let data = tempfile::tempdir().unwrap();
        Keys::open(data.path()).unwrap();
        let path = data.path().join("keys").join(name);
        std::fs::write(&path, &content).unwrap();
        let error = Keys::open(data.path()).err().unwrap().to_string();
        assert!(error.contains("does not hold") && error.contains(name), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
    }
    let data = tempfile::tempdir().unwrap();
    Keys::open(data.path()).unwrap();
    let path = data.path().join("keys").join(SIGNING);
    let elsewhere = data.path().join("elsewhere");
    std::fs::rename(&path, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
    assert!(matches!(Keys::open(data.path()), Err(KeyError::Io { .. })), "a link is not followed");
    let missing = data.path().join("nowhere");
    assert!(matches!(Keys::open(&missing), Err(KeyError::Io { .. })));
}

#[test]
fn an_interrupted_first_start_is_finished_by_the_next() {
    let data = tempfile::tempdir().unwrap();
    Keys::open(data.path()).unwrap();
    let dir = data.path().join("keys");
    std::fs::remove_file(dir.join(SECRET)).unwrap();
    std::fs::write(dir.join("node.secret.new"), "half").unwrap();
    Keys::open(data.path()).unwrap();
    assert_eq!(std::fs::read(dir.join(SECRET)).unwrap().len(), 32);
    assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 3);
}

#[test]
fn names_and_key_sets_are_as_the_standards_have_them() {
    // RFC 8037 appendix A.3.
    let public = URL_SAFE_NO_PAD.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
    assert_eq!(thumbprint(&public), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    let key = SigningKey::generate().unwrap();
    let ec = VerifyKey { kid: "ec".into(), algorithm: KeyAlgorithm::Es256, public: [&[4; 33][..], &[5; 32]].concat() };
    let set = jwks(&[key.verify_key(), ec]);
    assert_eq!(set["keys"][0]["kid"], key.kid());
    assert_eq!(set["keys"][0]["crv"], "Ed25519");
    assert_eq!(set["keys"][1]["y"], URL_SAFE_NO_PAD.encode([5; 32]));
    let parsed: jsonwebtoken::jwk::JwkSet = serde_json::from_value(set).unwrap();
    assert_eq!(parsed.keys.len(), 2);
    assert!(!format!("{key:?}").contains("pkcs8"));
}

#[test]
fn signatures_verify() {
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
    let key = SigningKey::generate().unwrap();
    let signature = key.sign(b"checkpoint");
    let public = UnparsedPublicKey::new(&ED25519, key.public());
    assert!(public.verify(b"checkpoint", &signature).is_ok());
    assert!(public.verify(b"checkpoinT", &signature).is_err());
}
