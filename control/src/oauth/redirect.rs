//! Where browsers may be sent. Addresses are compared as texts, never normalized: what two readers could understand in
//! two ways is refused.
//!
//! Source: OAuth 2.1 sections 2.3, 4.1.3 and 8.4; RFC 8252 sections 7 and 8; RFC 9700 section 2.1.

use url::{Host, Url};

/// LIMIT: bytes of one address.
pub const BYTES_MAX: usize = 2048;

/// Schemes that run something, read something of this machine, or belong to browsers.
const SCHEMES_REFUSED: &[&str] = &[
    "javascript",
    "data",
    "vbscript",
    "file",
    "filesystem",
    "blob",
    "about",
    "view-source",
    "ws",
    "wss",
    "ftp",
    "mailto",
    "tel",
    "chrome",
    "chrome-extension",
    "moz-extension",
    "resource",
    "jar",
    "intent",
    "content",
];

/// Whether an address may be registered, and why not.
///
/// # Errors
/// A sentence for whoever registers.
pub fn check(uri: &str) -> Result<(), &'static str> {
    if uri.len() > BYTES_MAX {
        return Err("a redirect URI is too long");
    }
    if !uri.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')) {
        return Err("a redirect URI has characters that URIs do not have");
    }
    if uri.contains('#') {
        return Err("a redirect URI has a fragment");
    }
    let Ok(url) = Url::parse(uri) else { return Err("a redirect URI is not absolute") };
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a redirect URI names a user");
    }
    if uri.split(['?']).next().unwrap_or_default().split('/').any(is_dots) {
        return Err("a redirect URI has `.` or `..` in its path");
    }
    match url.scheme() {
        "https" if url.host().is_some() => Ok(()),
        "https" => Err("a redirect URI names no host"),
        "http" if is_loopback(&url) => Ok(()),
        "http" => Err("a redirect URI with http leads to another machine; use https"),
        scheme if SCHEMES_REFUSED.contains(&scheme) => Err("a redirect URI has a scheme that no application has"),
        _ => Ok(()),
    }
}

fn is_dots(part: &str) -> bool {
    let part = part.to_ascii_lowercase().replace("%2e", ".");
    part == "." || part == ".."
}

/// Whether it leads to the machine that the browser runs on.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip == std::net::Ipv4Addr::LOCALHOST,
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Whether all of them lead to programs of the person's machine.
pub fn are_local(uris: &[String]) -> bool {
    !uris.is_empty()
        && uris
            .iter()
            .all(|uri| Url::parse(uri).is_ok_and(|url| url.scheme() != "https" && (url.scheme() != "http" || is_loopback(&url))))
}

/// Whether `given` is one of those registered: letter for letter, but for the port of an address on this machine, which a
/// program only knows when it runs (RFC 8252 section 7.3).
pub fn is_registered(registered: &[String], given: &str) -> bool {
    given.len() <= BYTES_MAX && registered.iter().any(|uri| uri == given || is_same_but_port(uri, given))
}

fn is_same_but_port(registered: &str, given: &str) -> bool {
    match (loopback_parts(registered), loopback_parts(given)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

/// Host and what follows the port, of an `http` address on this machine.
fn loopback_parts(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    for host in ["127.0.0.1", "[::1]", "localhost"] {
        let Some(after) = rest.strip_prefix(host) else { continue };
        let after = match after.strip_prefix(':') {
            None => after,
            Some(with_port) => {
                let digits = with_port.bytes().take_while(u8::is_ascii_digit).count();
                let (port, after) = with_port.split_at(digits);
                port.parse::<u16>().ok().filter(|port| *port != 0 && digits <= 5)?;
                after
            }
        };
        return (after.is_empty() || after.starts_with('/') || after.starts_with('?')).then_some((host, after));
    }
    None
}

/// The address with parameters of ours behind its own.
pub fn with_params(uri: &str, pairs: &[(&str, &str)]) -> String {
    let sign = match uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("{uri}{sign}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_registered() {
        for uri in [
            "https://app.example/cb",
            "https://app.example:8443/cb?x=1",
            "http://127.0.0.1/callback",
            "http://127.0.0.1:3121/callback",
            "http://[::1]:1/",
            "http://localhost:3000/oauth",
            "cursor://anysphere.cursor-retrieval/oauth/user/callback",
            "com.example.app:/cb",
        ] {
            assert_eq!(check(uri), Ok(()), "{uri}");
        }
        for uri in [
            "http://app.example/cb",
            "http://127.0.0.2/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://localhost.evil.example/",
            "https://app.example/cb#x",
            "https://user@app.example/cb",
            "https://app.example/a/../b",
            "https://app.example/a/%2e%2E/b",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "/cb",
            "",
            "https://",
            "https://app.example/\ncb",
            "https://app.example\\@evil.example",
        ] {
            assert!(check(uri).is_err(), "{uri}");
        }
    }

    #[test]
    fn letter_for_letter() {
        let registered = ["https://app.example/cb".to_owned(), "http://127.0.0.1:3121/callback".to_owned()];
        for (given, ok) in [
            ("https://app.example/cb", true),
            ("http://127.0.0.1:3121/callback", true),
            ("http://127.0.0.1:9/callback", true),
            ("http://127.0.0.1/callback", true),
            ("http://localhost:3121/callback", false),
            ("http://127.0.0.1:3121/callback/..", false),
            ("http://127.0.0.1:3121/callback?x=1", false),
            ("http://127.0.0.1.evil.example:3121/callback", false),
            ("http://127.0.0.1:3121@evil.example/callback", false),
            ("http://127.0.0.1:/callback", false),
            ("http://127.0.0.1:99999/callback", false),
            ("http://127.0.0.1:0/callback", false),
            ("https://127.0.0.1:3121/callback", false),
            ("https://app.example/cb/", false),
            ("https://app.example/cb?x=1", false),
            ("https://app.example/CB", false),
            ("https://app.example:443/cb", false),
            ("https://APP.example/cb", false),
            ("https://app.example/cb#", false),
            ("https://evil.example/cb", false),
            ("", false),
        ] {
            assert_eq!(is_registered(&registered, given), ok, "{given}");
        }
    }

    #[test]
    fn parameters_come_behind_those_that_are_there() {
        assert_eq!(with_params("https://a/cb", &[("code", "x y")]), "https://a/cb?code=x+y");
        assert_eq!(with_params("https://a/cb?b=1", &[("code", "&")]), "https://a/cb?b=1&code=%26");
        assert!(are_local(&["http://localhost:1/".into(), "cursor://x".into()]));
        assert!(!are_local(&["http://localhost:1/".into(), "https://a/".into()]));
    }
}
