//! Each row names the section that it holds to.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use super::*;
use crate::oauth::testing::client;

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const GOOD: &str = "client_id=c&response_type=code&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&state=s&code_challenge_method=S256\
                    &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn read_text(text: &str) -> Result<Request, Stop> {
    read(&Params::parse(text).unwrap(), &client(&["https://app.example/cb"]), |resource| resource == "https://gate", now())
}

fn code(text: &str) -> Code {
    match read_text(text) {
        Err(Stop::Client { redirect_uri, state, refusal }) => {
            assert_eq!((redirect_uri.as_str(), state.as_deref()), ("https://app.example/cb", Some("s")));
            refusal.code
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_plain_request() {
    let request = read_text(GOOD).unwrap();
    assert_eq!((request.challenge.as_str(), request.state.as_deref(), request.scopes), (CHALLENGE, Some("s"), None));
    assert!(request.resources.is_empty() && request.since.is_none());
}

/// OAuth 2.1 section 4.1.2.1, RFC 9700 section 4.1: an address that is not the client's is never answered.
#[test]
fn foreign_addresses_get_a_page() {
    for uri in [
        "https://evil.example/cb",
        "https://app.example/cb/..",
        "https://app.example/cb%3Fx=1",
        "https://app.example/cb%23",
        "javascript:x",
    ] {
        let text = GOOD.replace("https%3A%2F%2Fapp.example%2Fcb", uri);
        assert!(matches!(read_text(&text), Err(Stop::Page(_))), "{uri}");
    }
    let two = client(&["https://app.example/cb", "https://app.example/cb2"]);
    let text = GOOD.replace("&redirect_uri=https%3A%2F%2Fapp.example%2Fcb", "");
    assert!(matches!(read(&Params::parse(&text).unwrap(), &two, |_| true, now()), Err(Stop::Page(_))));
    assert_eq!(read_text(&text).unwrap().redirect_uri, "https://app.example/cb");
}

/// RFC 7636 section 4.4.1, OAuth 2.1 section 7.5: no downgrade of PKCE.
#[test]
fn no_challenge_no_code() {
    let without = |part: &str| GOOD.replace(part, "");
    let challenge = format!("&code_challenge={CHALLENGE}");
    assert_eq!(code(&without(&challenge)), Code::InvalidRequest);
    assert_eq!(code(&without("&code_challenge_method=S256")), Code::InvalidRequest);
    assert_eq!(code(&GOOD.replace("S256", "plain")), Code::InvalidRequest);
    assert_eq!(code(&GOOD.replace("S256", "s256")), Code::InvalidRequest);
    assert_eq!(code(&GOOD.replace(CHALLENGE, "short")), Code::InvalidRequest);
    assert_eq!(code(&GOOD.replace(CHALLENGE, &format!("{CHALLENGE}="))), Code::InvalidRequest);
}

/// OAuth 2.1 section 4.1.1, OpenID Connect Core section 3.1.2.1 and 6, RFC 8707 section 2.
#[test]
fn what_is_not_served_is_said_to_the_client() {
    assert_eq!(code(&GOOD.replace("response_type=code", "response_type=token")), Code::UnsupportedResponseType);
    assert_eq!(code(&GOOD.replace("response_type=code", "response_type=code+id_token")), Code::UnsupportedResponseType);
    assert_eq!(code(&GOOD.replace("&response_type=code", "")), Code::InvalidRequest);
    assert_eq!(code(&format!("{GOOD}&response_mode=fragment")), Code::InvalidRequest);
    assert_eq!(code(&format!("{GOOD}&request=x")), Code::RequestNotSupported);
    assert_eq!(code(&format!("{GOOD}&request_uri=https://evil.example")), Code::RequestUriNotSupported);
    assert_eq!(code(&format!("{GOOD}&resource=https://other")), Code::InvalidTarget);
    assert_eq!(code(&format!("{GOOD}&resource=https://gate&resource=https://other")), Code::InvalidTarget);
    assert_eq!(code(&format!("{GOOD}&prompt=none+login")), Code::InvalidRequest);
    assert_eq!(code(&format!("{GOOD}&prompt=create")), Code::InvalidRequest);
    assert_eq!(code(&format!("{GOOD}&max_age=-1")), Code::InvalidRequest);
    assert_eq!(code(&format!("{GOOD}&scope=a%22")), Code::InvalidScope);
    assert!(read_text(&format!("{GOOD}&response_mode=query&resource=https://gate&max_age=60")).is_ok());
}

#[test]
fn a_person_logs_in_and_agrees_first() {
    let all = ["tools:call".to_owned()];
    let resources = ["https://gate".to_owned()];
    let agreed = Some(Agreed { scopes: &all, resources: &resources });
    let step = |more: &str, logged_in, agreed| {
        next(&read_text(&format!("{GOOD}{more}")).unwrap(), logged_in, agreed, &all, "https://gate")
    };
    let long_ago = Some(now() - SignedDuration::from_hours(1));
    assert_eq!(step("", None, agreed), Step::LogIn { again: false });
    assert_eq!(step("&prompt=none", None, agreed), Step::Refuse(Code::LoginRequired));
    assert_eq!(step("", long_ago, None), Step::Ask);
    assert_eq!(step("", long_ago, agreed), Step::Grant);
    assert_eq!(step("&prompt=none", long_ago, None), Step::Refuse(Code::ConsentRequired));
    assert_eq!(step("&prompt=none", long_ago, agreed), Step::Grant);
    assert_eq!(step("&prompt=consent", long_ago, agreed), Step::Ask);
    assert_eq!(step("&prompt=login", long_ago, agreed), Step::LogIn { again: true });
    assert_eq!(step("&max_age=60", long_ago, agreed), Step::LogIn { again: true });
    assert_eq!(step("&max_age=7200", long_ago, agreed), Step::Grant);
    let nothing = Some(Agreed { scopes: &[], resources: &resources });
    assert_eq!(step("", long_ago, nothing), Step::Ask);
    let elsewhere = Some(Agreed { scopes: &all, resources: &[] });
    assert_eq!(step("", long_ago, elsewhere), Step::Ask);
}

#[test]
fn a_new_log_in_is_asked_for_once() {
    let params = Params::parse(&format!("{GOOD}&prompt=login+consent&max_age=0")).unwrap();
    let after = after_login(&params, now());
    assert_eq!((after.get("prompt"), after.get("max_age"), after.get("sp_since")), (Some("consent"), None, Some("1800000000")));
    let request = read(&after, &client(&["https://app.example/cb"]), |_| true, now()).unwrap();
    assert!(!request.prompt.login && request.since == Some(now()));
    assert_eq!(next(&request, Some(now()), None, &[], "https://gate"), Step::Ask);
}
