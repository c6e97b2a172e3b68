//! What a reply says, and whether it is what was expected.

use super::reply::{Reply, events};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Which replies are right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Expect {
    /// A JSON-RPC result from the tool
    Allow,
    /// A denial: a JSON-RPC error outside the reserved codes, or 403 or 429
    Deny,
    /// Either of these
    Any,
    /// The request's own body (from `sp-echo`)
    Echo,
    /// Any 2xx, whatever the body
    Ok,
}

/// What a reply turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The tool ran (or the echo came back, or the status is 2xx where no more is asked).
    Allowed,
    /// The gateway refused, with this JSON-RPC code; 403 and 429 without one count as their own code.
    Denied(i64),
    /// Something else, said in words that are the same for the same cause.
    Wrong(String),
}

/// What was asked, as far as the reply must fit it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) number: u64,
    pub(super) body: &'a [u8],
    /// The result must contain the number of the request: no reply reached the wrong caller.
    pub(super) echoed: bool,
}

#[derive(Deserialize)]
struct Message<'a> {
    id: Option<Id<'a>>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<Failure<'a>>,
    method: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Id<'a> {
    Number(u64),
    Text(#[serde(borrow)] Cow<'a, str>),
}

#[derive(Deserialize)]
struct Failure<'a> {
    code: i64,
    #[serde(borrow, default)]
    message: Cow<'a, str>,
}

/// The codes that JSON-RPC and MCP keep for protocol errors: such an error is not a decision.
const RESERVED: std::ops::RangeInclusive<i64> = -32768..=-32000;
// LIMIT: how much of a surprising body is quoted.
const QUOTED_MAX: usize = 200;

/// Judges a complete reply. A denial is a denial and a result a result, whatever was expected; [`Verdict::fits`] compares.
pub(super) fn judge(reply: &Reply<'_>, asked: Asked<'_>, expect: Expect) -> Verdict {
    match expect {
        Expect::Ok if (200..300).contains(&reply.status) => return Verdict::Allowed,
        Expect::Echo if reply.status == 200 && *reply.body == *asked.body => {
            return Verdict::Allowed;
        }
        Expect::Echo | Expect::Ok => {
            return wrong(reply.status, "not what was expected", &reply.body);
        }
        Expect::Allow | Expect::Deny | Expect::Any => {}
    }
    if reply.event_stream {
        for event in events(&reply.body) {
            match judge_message(reply.status, &event, asked) {
                Some(verdict) => return verdict,
                None => continue,
            }
        }
        return wrong(reply.status, "no reply in the event stream", &reply.body);
    }
    judge_message(reply.status, &reply.body, asked)
        .unwrap_or_else(|| wrong(reply.status, "neither result nor error", &reply.body))
}

/// Nothing for a message that is not a reply.
fn judge_message(status: u16, json: &[u8], asked: Asked<'_>) -> Option<Verdict> {
    let refused = status == 403 || status == 429;
    let message: Message<'_> = match serde_json::from_slice(json) {
        Ok(message) => message,
        Err(_) if refused => return Some(Verdict::Denied(i64::from(status))),
        // A stream may begin with an empty event.
        Err(_) if json.is_empty() && status == 200 => return None,
        Err(_) => return Some(wrong(status, "not JSON-RPC", json)),
    };
    if message.method.is_some() {
        return None;
    }
    match &message.id {
        Some(Id::Number(number)) if *number == asked.number => {}
        // A request refused before its body was read has no id.
        None if refused => {
            return Some(Verdict::Denied(message.error.map_or(i64::from(status), |error| error.code)));
        }
        Some(Id::Number(_)) => return Some(wrong(status, "the id of another request", &[])),
        Some(Id::Text(id)) => return Some(wrong(status, "an id never sent", id.as_bytes())),
        None => return Some(wrong(status, "no id", json)),
    }
    Some(match (message.result, message.error) {
        (Some(result), None) if status == 200 => judge_result(result.get(), asked),
        (None, Some(error)) if (status == 200 || refused) && !RESERVED.contains(&error.code) => Verdict::Denied(error.code),
        (None, Some(error)) => wrong(status, &format!("error {}", error.code), error.message.as_bytes()),
        _ => wrong(status, "neither result nor error", json),
    })
}

fn judge_result(result: &str, asked: Asked<'_>) -> Verdict {
    if asked.echoed && !result.contains(&asked.number.to_string()) {
        return wrong(200, "a result without the number of its request", &[]);
    }
    Verdict::Allowed
}

fn wrong(status: u16, what: &str, body: &[u8]) -> Verdict {
    let body = String::from_utf8_lossy(body.get(..QUOTED_MAX).unwrap_or(body));
    // Numbers of requests would make every surprise look like a new one.
    let mut digits = 0;
    let quoted: String = body
        .chars()
        .filter(|letter| !letter.is_control())
        .filter(|letter| {
            digits = if letter.is_ascii_digit() { digits + 1 } else { 0 };
            digits <= 6
        })
        .collect();
    let separator = if quoted.is_empty() { "" } else { ": " };
    Verdict::Wrong(format!("{status} {what}{separator}{quoted}"))
}

impl Verdict {
    /// Whether this is what was expected.
    pub(super) fn fits(&self, expect: Expect) -> bool {
        match self {
            Self::Allowed => expect != Expect::Deny,
            Self::Denied(_) => matches!(expect, Expect::Deny | Expect::Any),
            Self::Wrong(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, event_stream: bool, body: &str) -> Reply<'_> {
        let body = Cow::Borrowed(body.as_bytes());
        Reply { status, event_stream, session: None, trace: None, last: false, body }
    }

    const ASKED: Asked<'static> = Asked { number: 7, body: b"{}", echoed: false };

    #[test]
    fn json_replies() {
        let check = |status: u16, body: &str, expect: &str| {
            let verdict = judge(&reply(status, false, body), ASKED, Expect::Any);
            let found = match &verdict {
                Verdict::Allowed => "allowed".to_owned(),
                Verdict::Denied(code) => format!("denied {code}"),
                Verdict::Wrong(why) => why.clone(),
            };
            assert_eq!(found, expect, "{status} {body}");
            assert_eq!(verdict.fits(Expect::Any), !matches!(verdict, Verdict::Wrong(_)));
        };
        check(200, r#"{"jsonrpc":"2.0","id":7,"result":{}}"#, "allowed");
        check(200, r#"{"id":8,"result":{}}"#, "200 the id of another request");
        check(200, r#"{"id":"7","result":{}}"#, "200 an id never sent: 7");
        check(200, r#"{"result":{}}"#, r#"200 no id: {"result":{}}"#);
        check(200, r#"{"id":7,"error":{"code":-31001,"message":"x"}}"#, "denied -31001");
        check(200, r#"{"id":7,"error":{"code":-32601,"message":"no method"}}"#, "200 error -32601: no method");
        check(403, r#"{"id":7,"error":{"code":-31000,"message":"x"}}"#, "denied -31000");
        check(403, r#"{"error":{"code":-31000,"message":"x"}}"#, "denied -31000");
        check(403, "", "denied 403");
        check(429, "slow down", "denied 429");
        check(401, "", "401 not JSON-RPC");
        check(401, r#"{"error":"x"}"#, r#"401 not JSON-RPC: {"error":"x"}"#);
        check(502, r#"{"id":7,"error":{"code":1,"message":"gone"}}"#, "502 error 1: gone");
        check(500, r#"{"id":7,"result":{}}"#, r#"500 neither result nor error: {"id":7,"result":{}}"#);
        check(
            200,
            r#"{"id":7,"result":{},"error":{"code":1}}"#,
            r#"200 neither result nor error: {"id":7,"result":{},"error":{"code":1}}"#,
        );
        check(200, "id 123456789012 is 100000000000", "200 not JSON-RPC: id 123456 is 100000");
    }

    #[test]
    fn event_streams() {
        let check =
            |body: &str, expect: Verdict| assert_eq!(judge(&reply(200, true, body), ASKED, Expect::Any), expect, "{body:?}");
        check("data: {\"id\":7,\"result\":{}}\n\n", Verdict::Allowed);
        check(
            "data:\n\ndata: {\"method\":\"notifications/message\",\"params\":{}}\n\ndata: {\"id\":7,\"result\":{}}\n\n",
            Verdict::Allowed,
        );
        check("data: {\"id\":7,\"error\":{\"code\":1,\"message\":\"\"}}\n\n", Verdict::Denied(1));
        check(": x\n\n", Verdict::Wrong("200 no reply in the event stream: : x".into()));
    }

    #[test]
    fn expectations() {
        let check = |verdict: Verdict, fits: [bool; 3]| {
            assert_eq!([Expect::Allow, Expect::Deny, Expect::Any].map(|expect| verdict.fits(expect)), fits, "{verdict:?}");
        };
        check(Verdict::Allowed, [true, false, true]);
        check(Verdict::Denied(1), [false, true, true]);
        check(Verdict::Wrong(String::new()), [false, false, false]);
        let echo = |body: &str| judge(&reply(200, false, body), ASKED, Expect::Echo);
        assert_eq!(echo("{}"), Verdict::Allowed);
        assert!(matches!(echo("{ }"), Verdict::Wrong(_)));
        let asked = Asked { echoed: true, ..ASKED };
        assert_eq!(judge(&reply(200, false, r#"{"id":7,"result":{"t":"n7"}}"#), asked, Expect::Allow), Verdict::Allowed);
        assert!(matches!(judge(&reply(200, false, r#"{"id":7,"result":{}}"#), asked, Expect::Allow), Verdict::Wrong(_)));
    }
}
