//! What `condition` promises, as rows and properties.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::cmp::Ordering;

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Thursday, 2026-01-01T12:00Z.
const NOON_US: u64 = 1_767_268_800_000_000;

fn judge(condition: &str, arguments: &str, now_us: u64) -> Result<bool, Fault> {
    let source: ConditionSource = serde_json::from_str(condition).unwrap_or_else(|e| panic!("{condition}: {e}"));
    let compiled = Condition::compile(&source).unwrap_or_else(|e| panic!("{condition}: {e}: {}", e.wrong));
    let mut bytes = arguments.as_bytes().to_vec();
    let tape = simd_json::to_tape(&mut bytes).unwrap_or_else(|e| panic!("{arguments}: {e}"));
    compiled.holds(&tape.0, now_us)
}

fn check(condition: &str, arguments: &str, expect: Result<bool, Fault>) {
    assert_eq!(judge(condition, arguments, NOON_US), expect, "{condition} on {arguments}");
}

/// One question of one argument `v`.
fn check_value(question: &str, value: &str, expect: Result<bool, Fault>) {
    check(&format!(r#"{{"arg": "/v", {question}}}"#), &format!(r#"{{"v": {value}}}"#), expect);
}

#[test]
fn values_are_compared_by_type() {
    use Fault::{Missing, NoLength, NotNumber, NotText, OtherType};
    for (question, value, expect) in [
        (r#""eq": "a""#, r#""a""#, Ok(true)),
        (r#""eq": "a""#, r#""A""#, Ok(false)),
        (r#""eq": "5""#, "5", Err(OtherType)),
        (r#""eq": 5"#, "5", Ok(true)),
        (r#""eq": 5"#, "5.0", Ok(true)),
        (r#""eq": 5"#, "5e0", Ok(true)),
        (r#""eq": 0.5"#, "0.5", Ok(true)),
        (r#""eq": true"#, "true", Ok(true)),
        (r#""eq": true"#, "1", Err(OtherType)),
        (r#""eq": 1"#, "null", Err(OtherType)),
        (r#""eq": 1"#, "[1]", Err(OtherType)),
        (r#""ne": "a""#, r#""b""#, Ok(true)),
        (r#""ne": "a""#, r#""a""#, Ok(false)),
        (r#""ne": "a""#, "1", Err(OtherType)),
        (r#""in": ["GET", "HEAD", 7]"#, r#""HEAD""#, Ok(true)),
        (r#""in": ["GET", "HEAD", 7]"#, "7", Ok(true)),
        (r#""in": ["GET", "HEAD", 7]"#, "8", Ok(false)),
        (r#""in": ["GET", "HEAD", 7]"#, "true", Err(OtherType)),
        (r#""not_in": ["PUT"]"#, r#""GET""#, Ok(true)),
        (r#""not_in": ["PUT"]"#, r#""PUT""#, Ok(false)),
        (r#""not_in": ["PUT"]"#, "{}", Err(OtherType)),
        (r#""lt": 5"#, "4", Ok(true)),
        (r#""lt": 5"#, "5", Ok(false)),
        (r#""le": 5"#, "5", Ok(true)),
        (r#""le": 5"#, "5.1", Ok(false)),
        (r#""gt": 5"#, "5", Ok(false)),
        (r#""gt": 5"#, "5.1", Ok(true)),
        (r#""ge": 5"#, "5", Ok(true)),
        (r#""ge": -5"#, "-6", Ok(false)),
        (r#""le": 5"#, r#""4""#, Err(NotNumber)),
        (r#""le": 18446744073709551615"#, "18446744073709551615", Ok(true)),
        (r#""lt": 9007199254740993"#, "9007199254740992.0", Ok(true)),
        (r#""prefix": "ab""#, r#""abc""#, Ok(true)),
        (r#""prefix": ["x", "ab"]"#, r#""abc""#, Ok(true)),
        (r#""prefix": "ab""#, r#""cab""#, Ok(false)),
        (r#""prefix": "ab""#, "1", Err(NotText)),
        (r#""suffix": ".md""#, r#""a.md""#, Ok(true)),
        (r#""suffix": [".md", ".txt"]"#, r#""a.exe""#, Ok(false)),
        (r#""glob": "a*c""#, r#""abc""#, Ok(true)),
        (r#""glob": ["x?", "a*c"]"#, r#""abd""#, Ok(false)),
        (r#""glob": "*""#, "null", Err(NotText)),
        (r#""length": {"max": 3}"#, r#""äöü""#, Ok(true)),
        (r#""length": {"max": 3}"#, r#""abcd""#, Ok(false)),
        (r#""length": {"min": 1}"#, r#""""#, Ok(false)),
        (r#""length": {"min": 1, "max": 2}"#, "[1, [2, 3]]", Ok(true)),
        (r#""length": {"min": 1, "max": 2}"#, r#"{"a": {"b": 1}}"#, Ok(true)),
        (r#""length": {"max": 2}"#, "22", Err(NoLength)),
        (r#""is": "null""#, "null", Ok(true)),
        (r#""is": "boolean""#, "false", Ok(true)),
        (r#""is": "integer""#, "5.0", Ok(true)),
        (r#""is": "integer""#, "5.5", Ok(false)),
        (r#""is": "number""#, "5.5", Ok(true)),
        (r#""is": "string""#, "5", Ok(false)),
        (r#""is": "array""#, "[]", Ok(true)),
        (r#""is": "object""#, "[]", Ok(false)),
        (r#""exists": true"#, "null", Ok(true)),
        (r#""exists": false"#, "null", Ok(false)),
    ] {
        check_value(question, value, expect);
    }
    for question in [r#""eq": 1"#, r#""ne": 1"#, r#""le": 1"#, r#""glob": "*""#, r#""is": "null""#, r#""length": {"max": 1}"#] {
        check(&format!(r#"{{"arg": "/v", {question}}}"#), r#"{"w": 1}"#, Err(Missing));
    }
}

#[test]
fn pointers_find_their_way() {
    let arguments = r#"{"a": {"b": [10, {"c": 1}, [2, 3]]}, "x/y": 4, "m~n": 5, "": 6, "0": 7, "list": [1, 2, 3],
        "rows": [{"id": 1}, {"id": 2}], "none": [], "*": 8}"#;
    let holds = |question: &str, expect| check(question, arguments, expect);
    for (pointer, value) in
        [("/a/b/0", 10), ("/a/b/1/c", 1), ("/a/b/2/1", 3), ("/x~1y", 4), ("/m~0n", 5), ("/", 6), ("/0", 7), ("/list/2", 3)]
    {
        holds(&format!(r#"{{"arg": "{pointer}", "eq": {value}}}"#), Ok(true));
    }
    for pointer in ["/a/x", "/a/b/3", "/a/b/01", "/a/b/-", "/a/b/c", "/list/1/z", "/x"] {
        holds(&format!(r#"{{"arg": "{pointer}", "eq": 1}}"#), Err(Fault::Missing));
        holds(&format!(r#"{{"arg": "{pointer}", "exists": false}}"#), Ok(true));
    }
    holds(r#"{"arg": "", "is": "object"}"#, Ok(true));
    for (question, expect) in [
        (r#""arg": "/list/*", "le": 3"#, Ok(true)),
        (r#""arg": "/list/*", "le": 2"#, Ok(false)),
        (r#""arg": "/list/*", "items": "some", "eq": 2"#, Ok(true)),
        (r#""arg": "/list/*", "items": "some", "eq": 9"#, Ok(false)),
        (r#""arg": "/list/*", "items": "every", "eq": "x""#, Err(Fault::OtherType)),
        (r#""arg": "/rows/*/id", "le": 2"#, Ok(true)),
        (r#""arg": "/rows/*/id", "items": "some", "gt": 2"#, Ok(false)),
        (r#""arg": "/rows/*/name", "eq": "x""#, Err(Fault::Missing)),
        (r#""arg": "/none/*", "eq": 1"#, Ok(true)),
        (r#""arg": "/none/*", "items": "some", "eq": 1"#, Ok(false)),
        (r#""arg": "/a/*", "eq": 1"#, Err(Fault::NotArray)),
    ] {
        holds(&format!("{{{question}}}"), expect);
    }
    check(r#"{"arg": "/m/*/*", "gt": 0}"#, r#"{"m": [[1, 2], [], [3]]}"#, Ok(true));
    check(r#"{"arg": "/m/*/*", "gt": 1}"#, r#"{"m": [[2, 3], [1]]}"#, Ok(false));
    check(r#"{"arg": "/m/*/*", "items": "some", "eq": 3}"#, r#"{"m": [[1, 2], [], [3]]}"#, Ok(true));
}

#[test]
fn a_path_is_within_a_folder_however_it_is_written() {
    use Fault::{PathAmbiguous, PathBase, PathTooLong, PathUnreadable};
    let deep = format!("/{}", "a/".repeat(200));
    let long = format!("/srv/data/{}", "a".repeat(5000));
    for (path, expect) in [
        ("/srv/data", Ok(true)),
        ("/srv/data/", Ok(true)),
        ("/srv/data/a/b.txt", Ok(true)),
        ("//srv//data/./a", Ok(true)),
        ("/srv/data/../data/a", Ok(true)),
        ("/../srv/data/a", Ok(true)),
        ("/srv/data/100%", Ok(true)),
        ("/srv/data/100%25", Ok(true)),
        ("/srv/data/a%20b", Ok(true)),
        ("/srv/data/ä", Ok(true)),
        ("/srv/data/..a", Ok(true)),
        ("/tmp/x", Ok(true)),
        ("/srv/database", Ok(false)),
        ("/srv", Ok(false)),
        ("/", Ok(false)),
        ("/srv/data/../x", Ok(false)),
        ("/srv/data/a/../../..", Ok(false)),
        ("/etc/passwd", Ok(false)),
        ("/srv/data/%2e%2e/x", Err(PathAmbiguous)),
        ("/srv/data/..%2fx", Err(PathAmbiguous)),
        ("/srv/data/%252e%252e/x", Err(PathAmbiguous)),
        ("/srv/data/..\\\\x", Err(PathAmbiguous)),
        ("/srv/data/..%5cx", Err(PathAmbiguous)),
        ("/etc/..%2fsrv/data", Err(PathAmbiguous)),
        ("/srv/Data/x", Err(PathAmbiguous)),
        ("/srv/data/%25252525", Err(PathUnreadable)),
        ("/srv/data/%c0%ae%c0%ae/x", Err(PathUnreadable)),
        ("/srv/data/a%00b", Err(PathUnreadable)),
        ("/srv/data/a\\u0000b", Err(PathUnreadable)),
        ("/srv/data/...", Err(PathUnreadable)),
        ("/srv/data/.. /x", Err(PathUnreadable)),
        ("", Err(PathUnreadable)),
        ("a/b", Err(PathBase)),
        ("../srv/data/a", Err(PathBase)),
        ("~/a", Err(PathBase)),
        ("file:///srv/data/a", Err(PathBase)),
        ("C:/x", Ok(false)),
        ("C:x", Err(PathBase)),
        (&deep, Err(PathTooLong)),
        (&long, Err(PathTooLong)),
    ] {
        check_value(r#""within": ["/srv/data", "/tmp/"]"#, &format!("\"{path}\""), expect);
    }
    for (path, expect) in [
        ("docs", Ok(true)),
        ("docs/a", Ok(true)),
        ("./docs//a", Ok(true)),
        ("x/../docs/a", Ok(true)),
        ("src/a", Ok(false)),
        ("docs/../src", Ok(false)),
        ("docs/../../docs", Err(PathBase)),
        ("/docs/a", Err(PathBase)),
    ] {
        check_value(r#""within": "docs""#, &format!("\"{path}\""), expect);
    }
    for (path, expect) in [
        ("C:/data/a", Ok(true)),
        ("c:/data/a", Ok(true)),
        ("C:\\\\data\\\\a", Err(PathBase)),
        ("D:/data", Ok(false)),
        ("/data", Ok(false)),
    ] {
        check_value(r#""within": "C:\\data""#, &format!("\"{path}\""), expect);
    }
    check_value(r#""within": ".""#, r#""a/b""#, Ok(true));
    check_value(r#""within": "/""#, r#""/a/b""#, Ok(true));
}

#[test]
fn the_host_of_a_url_is_what_everyone_takes_it_for() {
    use Fault::{AddressOdd, NotAddress, UrlCredentials, UrlUnreadable};
    let hosts = r#""host": ["api.example.com", "*.example.org", "192.0.2.1", "2001:db8::1"]"#;
    for (url, expect) in [
        ("https://api.example.com", Ok(true)),
        ("https://API.Example.COM:8443/a?b#c", Ok(true)),
        ("https://api.example.com./a", Ok(true)),
        ("ftp://api.example.com", Ok(true)),
        ("api.example.com", Ok(true)),
        ("api.example.com:443", Ok(true)),
        ("https://a.b.example.org", Ok(true)),
        ("https://example.org", Ok(false)),
        ("https://evilexample.org", Ok(false)),
        ("https://api.example.com.evil.net", Ok(false)),
        ("https://evil.net/api.example.com", Ok(false)),
        ("https://evil.net?api.example.com", Ok(false)),
        ("https://evil.net#api.example.com", Ok(false)),
        ("http://192.0.2.1/", Ok(true)),
        ("http://[2001:db8::1]:80/", Ok(true)),
        ("http://[::ffff:192.0.2.1]/", Ok(true)),
        ("http://192.0.2.2/", Ok(false)),
        ("https://api.example.com@evil.net", Err(UrlCredentials)),
        ("https://u:p@api.example.com", Err(UrlCredentials)),
        ("https://evil.net\\\\@api.example.com", Err(UrlUnreadable)),
        ("https:\\\\\\\\api.example.com", Err(UrlUnreadable)),
        ("https:/api.example.com", Err(UrlUnreadable)),
        ("https:api.example.com", Err(UrlUnreadable)),
        ("//api.example.com", Err(UrlUnreadable)),
        ("https:///api.example.com", Err(UrlUnreadable)),
        ("https://api.example.com ", Err(UrlUnreadable)),
        ("https://api.exa\\tmple.com", Err(UrlUnreadable)),
        ("https://api%2eexample.com", Err(UrlUnreadable)),
        ("https://äpi.example.com", Err(UrlUnreadable)),
        ("https://api..example.com", Err(UrlUnreadable)),
        ("https://api.example.com:port", Err(UrlUnreadable)),
        ("https://api.example.com:99999", Err(UrlUnreadable)),
        ("https://[2001:db8::1", Err(UrlUnreadable)),
        ("https://[192.0.2.1]", Err(UrlUnreadable)),
        ("", Err(UrlUnreadable)),
        ("http://3221225985/", Err(AddressOdd)),
        ("http://0300.0.2.1/", Err(AddressOdd)),
        ("http://0xc0.0.2.1/", Err(AddressOdd)),
        ("http://192.0.513/", Err(AddressOdd)),
        ("http://evil.0x1/", Err(AddressOdd)),
    ] {
        check_value(hosts, &format!("\"{url}\""), expect);
    }
    let networks = r#""cidr": ["10.0.0.0/8", "192.0.2.7", "fd00::/8"]"#;
    for (url, expect) in [
        ("http://10.255.0.1/", Ok(true)),
        ("http://11.0.0.1/", Ok(false)),
        ("192.0.2.7", Ok(true)),
        ("192.0.2.8", Ok(false)),
        ("fd12::1", Ok(true)),
        ("http://[fd12::1]/", Ok(true)),
        ("fe80::1", Ok(false)),
        ("::ffff:10.0.0.1", Ok(true)),
        ("http://localhost/", Err(NotAddress)),
        ("http://0x0a000001/", Err(AddressOdd)),
    ] {
        check_value(networks, &format!("\"{url}\""), expect);
    }
    check_value(r#""cidr": "0.0.0.0/0""#, r#""203.0.113.9""#, Ok(true));
    check_value(r#""cidr": "::/0""#, r#""203.0.113.9""#, Ok(false));
}

#[test]
fn a_window_of_the_day_opens_and_closes() {
    const HOUR_US: u64 = 3_600_000_000;
    let midnight_us = NOON_US - 12 * HOUR_US;
    for (time, hour, expect) in [
        (r#"{"from": "09:00", "to": "17:00"}"#, 8, false),
        (r#"{"from": "09:00", "to": "17:00"}"#, 9, true),
        (r#"{"from": "09:00", "to": "17:00"}"#, 16, true),
        (r#"{"from": "09:00", "to": "17:00"}"#, 17, false),
        (r#"{"from": "09:00", "to": "17:00", "utc_offset": "+02:00"}"#, 7, true),
        (r#"{"from": "09:00", "to": "17:00", "utc_offset": "+02:00"}"#, 15, false),
        (r#"{"from": "09:00", "to": "17:00", "utc_offset": "-05:30"}"#, 14, false),
        (r#"{"from": "09:00", "to": "17:00", "utc_offset": "-05:30"}"#, 15, true),
        (r#"{"from": "00:00", "to": "24:00", "days": ["thu"]}"#, 0, true),
        (r#"{"from": "00:00", "to": "24:00", "days": ["thu"]}"#, 23, true),
        (r#"{"from": "00:00", "to": "24:00", "days": ["thu"]}"#, 24, false),
        (r#"{"from": "00:00", "to": "24:00", "days": ["mon", "fri"]}"#, 12, false),
        (r#"{"from": "00:00", "to": "24:00", "days": ["mon", "fri"]}"#, 24, true),
        (r#"{"from": "22:00", "to": "06:00", "days": ["thu"]}"#, 23, true),
        (r#"{"from": "22:00", "to": "06:00", "days": ["thu"]}"#, 29, true),
        (r#"{"from": "22:00", "to": "06:00", "days": ["thu"]}"#, 30, false),
        (r#"{"from": "22:00", "to": "06:00", "days": ["thu"]}"#, 5, false),
        (r#"{"from": "12:00", "to": "12:00"}"#, 3, true),
    ] {
        let condition = format!(r#"{{"time": {time}}}"#);
        assert_eq!(judge(&condition, "{}", midnight_us + hour * HOUR_US), Ok(expect), "{condition} at {hour}");
    }
}

#[test]
fn conditions_are_judged_in_their_order() {
    let yes = r#"{"arg": "/n", "eq": 1}"#;
    let no = r#"{"arg": "/n", "eq": 2}"#;
    let faulty = r#"{"arg": "/x", "eq": 1}"#;
    for (condition, expect) in [
        (format!(r#"{{"all": [{yes}, {yes}]}}"#), Ok(true)),
        (format!(r#"{{"all": [{yes}, {no}, {faulty}]}}"#), Ok(false)),
        (format!(r#"{{"all": [{yes}, {faulty}, {no}]}}"#), Err(Fault::Missing)),
        (format!(r#"{{"any": [{no}, {yes}, {faulty}]}}"#), Ok(true)),
        (format!(r#"{{"any": [{faulty}, {yes}]}}"#), Err(Fault::Missing)),
        (format!(r#"{{"any": [{no}, {no}]}}"#), Ok(false)),
        (format!(r#"{{"not": {yes}}}"#), Ok(false)),
        (format!(r#"{{"not": {no}}}"#), Ok(true)),
        (format!(r#"{{"not": {faulty}}}"#), Err(Fault::Missing)),
        (r#"{"any": [{"arg": "/x", "exists": false}, {"arg": "/x", "le": 9}]}"#.to_owned(), Ok(true)),
    ] {
        check(&condition, r#"{"n": 1}"#, expect);
    }
}

#[test]
fn all_conditions_of_a_grant_must_hold_and_the_first_that_does_not_is_named() {
    let json = r#"[{"arg": "/path", "within": "/srv"}, {"arg": "/n", "le": 9}]"#;
    let conditions = Conditions::from_json(json).unwrap();
    let judge = |arguments: &str| {
        let mut bytes = arguments.as_bytes().to_vec();
        let tape = simd_json::to_tape(&mut bytes).unwrap();
        conditions.check(Some(&tape.0), NOON_US)
    };
    let (within, most) = (r#"{"arg":"/path","within":"/srv"}"#, r#"{"arg":"/n","le":9}"#);
    assert_eq!(judge(r#"{"path": "/srv/a", "n": 9}"#), Ok(()));
    assert_eq!(judge(r#"{"path": "/etc/a", "n": 10}"#), Err(Unmet::Failed { condition: within }));
    assert_eq!(judge(r#"{"path": "/srv/a", "n": 10}"#), Err(Unmet::Failed { condition: most }));
    assert_eq!(judge(r#"{"path": "/srv/a"}"#), Err(Unmet::Faulty { condition: most, fault: Fault::Missing }));
    assert_eq!(conditions.check(None, NOON_US), Err(Unmet::Faulty { condition: within, fault: Fault::Missing }));
    assert!(Conditions::from_json("").unwrap().is_empty());
    assert!(Conditions::from_json(r#"{"arg": "/n", "exists": false}"#).unwrap().check(None, NOON_US).is_ok());
}

#[test]
fn what_is_not_a_condition_is_said_so() {
    let nine = (0..9).fold(r#"{"arg": "/n", "eq": 1}"#.to_owned(), |inner, _| format!(r#"{{"not": {inner}}}"#));
    let many = json!(vec![json!({"arg": "/n", "eq": 1}); 65]).to_string();
    let values = json!({"arg": "/n", "in": vec![1; 257]}).to_string();
    for (json, place, says) in [
        ("[", "1", "EOF while parsing"),
        (r#"{"arg": "/n", "equals": 1}"#, "1", "unknown field `equals`, expected one of `arg`"),
        (r#"[{"arg": "/n", "eq": 1}, {"arg": "/n"}]"#, "2", "expected exactly one of eq, ne"),
        (r#"{"arg": "/n", "eq": 1, "lt": 2}"#, "1", "found eq and lt"),
        (r#"{"eq": 1}"#, "1", "add `arg` with a JSON pointer"),
        (r#"{"arg": "/n", "all": [{"arg": "/n", "eq": 1}]}"#, "1", "remove `arg`"),
        (r#"{"arg": "n", "eq": 1}"#, "1", "`n` is not a JSON pointer"),
        (r#"{"arg": "/n~2", "eq": 1}"#, "1", "`/n~2` is not a JSON pointer"),
        (r#"{"arg": "/n", "items": "some", "eq": 1}"#, "1", "`items` belongs to an `arg` with a `*`"),
        (r#"{"arg": "/n/*", "exists": true}"#, "1", "`exists` is asked of one argument"),
        (r#"{"arg": "/n", "lt": "5"}"#, "1", "`lt` compares numbers"),
        (r#"{"arg": "/n", "in": []}"#, "1", "`in` is empty"),
        (r#"{"arg": "/n", "prefix": ""}"#, "1", "`prefix` is empty"),
        (r#"{"arg": "/n", "glob": ["a", "[b"]}"#, "1", "`[b` is not a glob"),
        (r#"{"arg": "/n", "within": "~/data"}"#, "1", "`~/data` is not a folder"),
        (r#"{"arg": "/n", "within": "../data"}"#, "1", "`../data` is not a folder"),
        (r#"{"arg": "/n", "within": "/da%2fta"}"#, "1", "`/da%2fta` is not a folder"),
        (r#"{"arg": "/n", "host": "https://example.com"}"#, "1", "`https://example.com` is not a host"),
        (r#"{"arg": "/n", "host": "a.*.com"}"#, "1", "`a.*.com` is not a host"),
        (r#"{"arg": "/n", "cidr": "10.0.0.1/8"}"#, "1", "`10.0.0.1/8` is not a network"),
        (r#"{"arg": "/n", "cidr": "10.0.0.0/33"}"#, "1", "`10.0.0.0/33` is not a network"),
        (r#"{"arg": "/n", "cidr": "::ffff:10.0.0.0/104"}"#, "1", "is not a network"),
        (r#"{"arg": "/n", "length": {}}"#, "1", "`length` needs"),
        (r#"{"arg": "/n", "length": {"min": 2, "max": 1}}"#, "1", "`min` must not be above"),
        (r#"{"arg": "/n", "is": "int"}"#, "1", "unknown variant `int`"),
        (r#"{"time": {"from": "9:00", "to": "17:00"}}"#, "1", "`9:00` is not a time of day"),
        (r#"{"time": {"from": "09:00", "to": "24:01"}}"#, "1", "`24:01` is not a time of day"),
        (r#"{"time": {"from": "24:00", "to": "01:00"}}"#, "1", "`24:00` is not a time of day"),
        (r#"{"time": {"from": "09:00", "to": "10:00", "utc_offset": "CET"}}"#, "1", "`CET` is not an offset"),
        (r#"{"time": {"from": "09:00", "to": "10:00", "days": []}}"#, "1", "`days` is empty"),
        (r#"{"any": []}"#, "1", "`any` is empty"),
        (r#"{"any": [{"arg": "/n", "eq": 1}, {"not": {"arg": "/n"}}]}"#, "1.any.2.not", "expected exactly one of"),
        (&nine, "1.not.not.not.not.not.not.not.not", "more than 8 deep"),
        (&many, "65", "at most 64 conditions"),
        (&values, "1", "more than 256 values"),
    ] {
        let error = Conditions::from_json(json).unwrap_err();
        assert_eq!(error.place, place, "{json}: {}", error.wrong);
        assert!(error.wrong.to_string().contains(says), "{json}: {}", error.wrong);
    }
}

/// A path worked out the slow way, by text.
fn resolved(path: &str) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    path.starts_with('/').then_some(parts)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn plain_paths_are_within_as_worked_out_by_hand(path in "(/(a|b|c|\\.|\\.\\.|)){1,8}", root in "(/(a|b|c)){1,3}") {
        let expect = resolved(&path).unwrap().starts_with(&resolved(&root).unwrap());
        let found = judge(&json!({"arg": "/v", "within": root}).to_string(), &json!({"v": path}).to_string(), 0);
        prop_assert_eq!(found, Ok(expect));
    }

    #[test]
    fn an_encoded_path_is_never_judged_otherwise_than_the_plain_one(path in "(/(a|b|\\.|\\.\\.)){1,6}", which: u64, rounds in 1..3_usize) {
        let plain = judge(r#"{"arg": "/v", "within": "/a"}"#, &json!({"v": path}).to_string(), 0);
        let mut written = path;
        for _ in 0..rounds {
            let encode = |(i, b): (usize, u8)| if which >> (i % 64) & 1 == 1 { format!("%{b:02x}") } else { char::from(b).to_string() };
            written = written.bytes().enumerate().map(encode).collect();
        }
        match judge(r#"{"arg": "/v", "within": "/a"}"#, &json!({"v": written}).to_string(), 0) {
            Ok(answer) => prop_assert_eq!(Ok(answer), plain),
            Err(fault) => prop_assert!(matches!(fault, Fault::PathAmbiguous | Fault::PathBase | Fault::PathUnreadable)),
        }
    }

    #[test]
    fn what_we_take_for_the_host_the_url_crate_does_too(
        scheme in "(https?|ftp|ws)", text in r"[a-c01x@:/?#%\[\]\\. -]{0,4}(a\.b|10\.0\.0\.1|0x7f\.1|\[::1\]|a|1)[a-c01x@:/?#%\[\]\\. -]{0,6}",
    ) {
        let written = format!("{scheme}://{text}");
        let Ok(host) = host::read(&written) else { return Ok(()) };
        let theirs = url::Url::parse(&written);
        // What they refuse nobody connects to.
        if let Ok(url) = theirs {
            let same = match (host, url.host()) {
                (host::Host::Name(ours), Some(url::Host::Domain(theirs))) => theirs.trim_end_matches('.').eq_ignore_ascii_case(ours),
                (host::Host::Address(ours), Some(url::Host::Ipv4(theirs))) => ours == theirs,
                (host::Host::Address(ours), Some(url::Host::Ipv6(theirs))) => ours == std::net::IpAddr::V6(theirs).to_canonical(),
                _ => false,
            };
            prop_assert!(same, "{}: {:?} and {:?}", written, host, url.host());
        }
    }

    #[test]
    fn numbers_are_compared_exactly(a: i64, b: i64, near in -3..4_i64, quarters in -8_000_000_000_000_000_i64..8_000_000_000_000_000) {
        let float = quarters as f64 / 4.0;
        let order = |a: Number, b: Number| a.cmp(b);
        prop_assert_eq!(order(Number::Whole(a.into()), Number::Whole(b.into())), a.cmp(&b));
        for whole in [a, quarters / 4 + near] {
            let expect = (i128::from(whole) * 4).cmp(&i128::from(quarters));
            prop_assert_eq!(order(Number::Whole(whole.into()), Number::Float(float)), expect);
            prop_assert_eq!(order(Number::Float(float), Number::Whole(whole.into())), expect.reverse());
        }
        // A float of any size against the whole number it was made of, which it may have rounded.
        let rounded = a as f64;
        prop_assert_eq!(order(Number::Whole(rounded as i128), Number::Float(rounded)), Ordering::Equal);
        prop_assert_eq!(order(Number::Whole(a.into()), Number::Float(rounded)), i128::from(a).cmp(&(rounded as i128)));
    }

    #[test]
    fn no_text_panics(text: String, path in r"[./\\%~a2eE5cC:f ]{0,40}", url in r"[a:/@\[\]0x1.%# -]{0,30}") {
        for value in [&text, &path, &url] {
            let _ = (Pointer::parse(value), Root::parse(value), HostPattern::parse(value), Network::parse(value));
            let _ = (host::read(value), Conditions::from_json(value));
            let roots = [Root::parse("/a").unwrap(), Root::parse("b").unwrap()];
            let _ = path::within(value, &roots);
        }
    }

    #[test]
    fn no_condition_and_no_arguments_panic(
        question in "(eq|ne|lt|le|in|prefix|glob|within|host|cidr|length|is|exists)",
        value in r#"(1|"a"|"/a"|\["a", 1\]|\{"max": 3\}|true|"\*"|"10\.0\.0\.0/8"|"string")"#,
        arg in r"(/[a01*]){0,3}",
        arguments in r#"(\{"a": \[(1|"a"|\{"0": null\}|\[\]|\["1"\]|-1\.5e3|true)\], "0": "(/a/\.\./b|a\.b|)"\}|\[1, \[2\]\]|"a"|null)"#,
    ) {
        let Ok(source) = serde_json::from_str::<ConditionSource>(&format!(r#"{{"arg": "{arg}", "{question}": {value}}}"#)) else { return Ok(()) };
        if let Ok(condition) = Condition::compile(&source) {
            let mut bytes = arguments.into_bytes();
            let tape = simd_json::to_tape(&mut bytes).unwrap();
            let _ = condition.holds(&tape.0, NOON_US);
            // As written, it means the same again.
            prop_assert_eq!(serde_json::from_str::<ConditionSource>(&source.to_string()).unwrap(), source);
        }
    }
}
