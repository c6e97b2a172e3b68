//! Any heads of a request: what gets past the edge can be read in one way only.
#![no_main]

use dataplane::http::{KnownHosts, bearer, check_edge};
use dataplane::limits::BODY_BYTES_MAX;
use http::{HeaderMap, Request, Version};
use url::Url;

fn texts<'h>(headers: &'h HeaderMap, name: &str) -> Vec<&'h str> {
    headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("")).collect()
}

libfuzzer_sys::fuzz_target!(|input: (bool, &str)| {
    let version = if input.0 { Version::HTTP_2 } else { Version::HTTP_11 };
    let mut request = Request::builder().version(version).uri("http://localhost/x");
    for (name, value) in input.1.lines().filter_map(|line| line.split_once(':')) {
        request = request.header(name, value.trim());
    }
    let Ok(request) = request.body(()) else { return };
    let known = KnownHosts(vec!["localhost".into(), "127.0.0.1".into(), "[::1]".into(), "gate.example".into()]);
    let is_known = |url: Url| url.host_str().is_some_and(|host| known.0.iter().any(|known| known.eq_ignore_ascii_case(host)));
    if check_edge(&request, &known).is_err() {
        return;
    }
    let of = |name| texts(request.headers(), name);
    let (hosts, lengths, encodings) = (of("host"), of("content-length"), of("transfer-encoding"));
    assert!(hosts.len() == 1 || (hosts.is_empty() && version == Version::HTTP_2), "{hosts:?}");
    assert!(hosts.iter().all(|host| Url::parse(&format!("http://{host}/")).map_or(true, is_known)), "{hosts:?}");
    // Pages that browsers load from somewhere else; apps have schemes of their own.
    let mut pages =
        of("origin").into_iter().filter_map(|origin| Url::parse(origin).ok()).filter(|url| url.scheme().starts_with("http"));
    assert!(pages.all(is_known), "{:?}", of("origin"));
    assert!(lengths.len() + encodings.len() <= 1, "{lengths:?} {encodings:?}");
    assert!(lengths.iter().all(|length| length.parse().is_ok_and(|length: usize| length <= BODY_BYTES_MAX)), "{lengths:?}");
    assert!(encodings.iter().all(|encoding| encoding.eq_ignore_ascii_case("chunked")), "{encodings:?}");
    assert!(of("authorization").len() <= 1 && bearer(request.headers()).is_none_or(|token| !token.starts_with(' ')));
});
