//! Each row names the section that it holds to.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use super::*;
use crate::oauth::testing::client;

// RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn code() -> LockCode {
    LockCode {
        client: "c".into(),
        account: "ann".into(),
        session: "s".into(),
        redirect_uri: "https://app.example/cb".into(),
        code_challenge: CHALLENGE.into(),
        nonce: None,
        scopes: Vec::new(),
        resources: Vec::new(),
        authenticated_at: at(0),
        expires_at: at(60),
        family: None,
        used_at: None,
    }
}

const GOOD: Redeem<'_> = Redeem { client_id: "c", redirect_uri: Some("https://app.example/cb"), verifier: Some(VERIFIER) };

fn refused(result: Result<(), Spent>) -> Code {
    match result {
        Err(Spent::Refused(refusal)) => refusal.code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_code_is_for_who_asked_for_it() {
    assert_eq!(redeem(&code(), GOOD, at(1)), Ok(()));
    assert_eq!(redeem(&code(), Redeem { redirect_uri: None, ..GOOD }, at(1)), Ok(()), "OAuth 2.1 section 10.2");
    for (shown, why) in [
        (Redeem { client_id: "d", ..GOOD }, "RFC 9700 section 4.5: injected into another client"),
        (Redeem { redirect_uri: Some("https://app.example/cb/"), ..GOOD }, "OAuth 2.1 section 4.1.3"),
        (Redeem { verifier: None, ..GOOD }, "RFC 7636 section 4.6: no downgrade"),
        (Redeem { verifier: Some(CHALLENGE), ..GOOD }, "RFC 7636 section 7.2: the challenge is not the verifier"),
        (Redeem { verifier: Some(""), ..GOOD }, "RFC 7636 section 4.1"),
    ] {
        assert_eq!(refused(redeem(&code(), shown, at(1))), Code::InvalidGrant, "{why}");
    }
    assert_eq!(refused(redeem(&code(), GOOD, at(60))), Code::InvalidGrant);
}

/// OAuth 2.1 section 4.1.3: what a code led to ends when it is used again, whoever uses it.
#[test]
fn a_code_is_good_once() {
    let family = Some(Uuid::nil());
    let used = LockCode { used_at: Some(at(1)), family, ..code() };
    assert_eq!(redeem(&used, GOOD, at(2)), Err(Spent::Replayed(family)));
    assert_eq!(redeem(&used, Redeem { client_id: "d", verifier: None, ..GOOD }, at(200)), Err(Spent::Replayed(family)));
}

#[test]
fn verifiers() {
    assert!(verifier_holds(CHALLENGE, VERIFIER));
    for wrong in ["", "short", &VERIFIER.to_lowercase(), &format!("{VERIFIER}x"), &"a".repeat(129)] {
        assert!(!verifier_holds(CHALLENGE, wrong), "{wrong}");
    }
    // A digest of something too short to be a verifier is none (RFC 7636 section 4.1).
    let of_short = URL_SAFE_NO_PAD.encode(digest(&SHA256, b"abc"));
    assert!(!verifier_holds(&of_short, "abc"));
}

/// OAuth 2.1 section 4.3.1, RFC 9700 section 4.14.
#[test]
fn a_refresh_token_is_good_once() {
    let family = Family {
        id: Uuid::nil(),
        client: "c".into(),
        account: "ann".into(),
        session: None,
        scopes: Vec::new(),
        resources: Vec::new(),
        authenticated_at: at(0),
        expires_at: at(100),
        revoked_at: None,
    };
    let token = RefreshToken { family: family.id, expires_at: at(50), used_at: None };
    assert_eq!(refresh(&token, &family, "c", at(1)), Ok(()));
    let used = RefreshToken { used_at: Some(at(1)), ..token };
    assert_eq!(refresh(&used, &family, "c", at(2)), Err(Spent::Replayed(Some(family.id))));
    assert_eq!(refused(refresh(&used, &family, "d", at(2))), Code::InvalidGrant, "another client revokes nothing");
    assert_eq!(refused(refresh(&token, &family, "d", at(1))), Code::InvalidGrant);
    assert_eq!(refused(refresh(&token, &family, "c", at(50))), Code::InvalidGrant);
    let revoked = Family { revoked_at: Some(at(1)), ..family.clone() };
    assert_eq!(refused(refresh(&token, &revoked, "c", at(2))), Code::InvalidGrant);
    let old = RefreshToken { expires_at: at(500), ..token };
    assert_eq!(refused(refresh(&old, &family, "c", at(100))), Code::InvalidGrant);
}

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

#[test]
fn tokens_only_get_narrower() {
    let granted = texts(&["a", "b"]);
    assert_eq!(narrow_scopes(None, &granted, |_| true).unwrap(), granted);
    assert_eq!(narrow_scopes(None, &granted, |scope| scope == "b").unwrap(), texts(&["b"]), "what a role lost, its tokens lose");
    assert_eq!(narrow_scopes(Some(&texts(&["b"])), &granted, |_| true).unwrap(), texts(&["b"]));
    assert_eq!(narrow_scopes(Some(&texts(&["c"])), &granted, |_| true).unwrap_err().code, Code::InvalidScope);
    let (gate, files) = (texts(&["https://gate"]), texts(&["https://gate/files"]));
    assert_eq!(narrow_resources(Vec::new(), &files, "https://gate").unwrap(), files);
    assert_eq!(narrow_resources(files.clone(), &gate, "https://gate").unwrap(), files);
    assert_eq!(narrow_resources(gate, &files, "https://gate").unwrap_err().code, Code::InvalidTarget, "RFC 8707 section 2.2");
    assert_eq!(narrow_resources(texts(&["https://gate/git"]), &files, "https://gate").unwrap_err().code, Code::InvalidTarget);
}

fn account() -> Account {
    Account {
        id: "ann".into(),
        tier: wire::decision::Tier::User,
        name: "Ann".into(),
        email: Some("ann@example.com".into()),
        tenant: Some("acme".into()),
        department: None,
        roles: texts(&["developer"]),
        handle: Uuid::nil(),
    }
}

#[test]
fn claims_say_who_for_whom_and_no_more() {
    let (account, client) = (account(), client(&[]));
    let scopes = texts(&["openid", "email", "tools:call"]);
    let resources = texts(&["https://gate/files"]);
    let access = Access {
        issuer: "https://gate",
        account: &account,
        client: &client,
        scopes: &scopes,
        resources: &resources,
        session: "s",
        act: None,
        now: at(0),
        expires_at: at(3600),
    };
    let claims = access.claims();
    assert_eq!((claims.sub.as_str(), claims.scope.as_str(), claims.is_bound), ("ann", "openid email tools:call", true));
    assert_eq!(claims.aud, Audience::One("https://gate/files".into()), "RFC 9068 section 3: the audience is the resource");
    assert!(claims.agent.is_empty(), "a client that registers itself is no agent that grants could name");
    let id = id_claims(&access, LogIn { authenticated_at: at(-5), nonce: Some("n") }).unwrap();
    assert_eq!((&id["aud"], &id["nonce"], &id["email"]), (&json!("c"), &json!("n"), &json!("ann@example.com")));
    assert!(id.get("name").is_none() && id["auth_time"] == json!(1_799_999_995));
    let no_openid = texts(&["tools:call"]);
    assert!(id_claims(&Access { scopes: &no_openid, ..access }, LogIn { authenticated_at: at(0), nonce: None }).is_none());
}

/// RFC 8693 section 4.1.
#[test]
fn whoever_acts_stands_outside() {
    let (account, client) = (account(), client(&[]));
    let access = Access {
        issuer: "i",
        account: &account,
        client: &client,
        scopes: &[],
        resources: &[],
        session: "",
        act: None,
        now: at(0),
        expires_at: at(1),
    };
    let mut claims = access.claims();
    for (n, expect) in [(1, "a1"), (2, "a2 a1"), (3, "a3 a2 a1")] {
        claims.act = Some(act(&format!("a{n}"), &claims).unwrap());
        assert_eq!(claims.act_chain(), expect);
    }
    for n in 4..=8 {
        claims.act = Some(act(&format!("a{n}"), &claims).unwrap());
    }
    assert_eq!(act("a9", &claims).unwrap_err().code, Code::InvalidRequest);
}

/// RFC 8628 section 3.5.
#[test]
fn devices_wait() {
    let device = LockDevice {
        client: "c".into(),
        scopes: Vec::new(),
        resources: Vec::new(),
        state: "pending".into(),
        account: None,
        session: None,
        authenticated_at: None,
        expires_at: at(600),
        interval_s: 5,
        polled_at: None,
    };
    assert_eq!(poll(&device, "c", at(0)), Poll::Wait { interval_s: 5, code: Code::AuthorizationPending });
    let polled = LockDevice { polled_at: Some(at(10)), ..device.clone() };
    assert_eq!(poll(&polled, "c", at(11)), Poll::Wait { interval_s: 10, code: Code::SlowDown });
    assert_eq!(poll(&polled, "c", at(15)), Poll::Wait { interval_s: 5, code: Code::AuthorizationPending });
    let state = |state: &str, now| match poll(&LockDevice { state: state.into(), ..device.clone() }, "c", at(now)) {
        Poll::Refused(refusal) => Some(refusal.code),
        Poll::Ready => None,
        other => panic!("{other:?}"),
    };
    assert_eq!(state("approved", 1), None);
    assert_eq!(state("denied", 1), Some(Code::AccessDenied));
    assert_eq!(state("used", 1), Some(Code::InvalidGrant));
    assert_eq!(state("approved", 600), Some(Code::ExpiredToken));
    assert!(matches!(poll(&device, "d", at(1)), Poll::Refused(refusal) if refusal.code == Code::InvalidGrant));
}
