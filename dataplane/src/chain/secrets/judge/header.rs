//! Credentials that a scheme frames: in URLs, HTTP headers and PEM blocks.
//!
//! *Lives on* one shard, on the stack; every function has a bound of its own.

use super::value::{PLAIN_VALUES, contains_folded, entropy, made_up, makeup};
use super::words::Words;

/// Whether the credentials of a URL only stand where credentials will be.
pub(in super::super) fn url_placeholder(scheme: &[u8], user: &[u8], password: &[u8]) -> bool {
    // Of the schemes nobody runs a public service on, only real looking passwords count.
    static SCHEMES: Words<37> = Words::new([
        "http",
        "https",
        "ftp",
        "ftps",
        "sftp",
        "ssh",
        "postgres",
        "postgresql",
        "mysql",
        "mariadb",
        "mongodb",
        "srv",
        "redis",
        "rediss",
        "amqp",
        "amqps",
        "smtp",
        "smtps",
        "imap",
        "ldap",
        "ldaps",
        "mssql",
        "sqlserver",
        "oracle",
        "clickhouse",
        "cassandra",
        "couchdb",
        "nats",
        "mqtt",
        "mqtts",
        "git",
        "svn",
        "rabbitmq",
        "kafka",
        "jdbc",
        "snowflake",
        "redshift",
    ]);
    let known = SCHEMES.hold(scheme);
    if !known && PLAIN_VALUES.hold(password) {
        return true;
    }
    let template = |text: &[u8]| {
        text.iter().any(|b| matches!(b, b'{' | b'}' | b'<' | b'>' | b'(' | b')' | b'[' | b']' | b' '))
            || text.starts_with(b"$")
            || text.starts_with(b"%s")
            || text.starts_with(b":")
            || memchr::memmem::find(text, b"**").is_some()
    };
    template(user) && !user.starts_with(b"$")
        || template(password)
        || user == password
        || user.is_empty() && PLAIN_VALUES.hold(password)
        || password.windows(2).all(|w| w[0].eq_ignore_ascii_case(&w[1]))
        || [&b"example"[..], b"redacted", b"xxx", b"...", b"your", b"placeholder", b"changeme", b"anoncvs", b"anonymous"]
            .iter()
            .any(|w| contains_folded(password, w))
}

/// LIMIT: longest body of a key looked at.
pub(super) const KEY_BODY_MAX: usize = 16 * 1024;

/// Length of the body of a PEM key, behind the words `PRIVATE KEY`, up to its end mark if there is one; `None` when
/// what follows is no key but prose, dots or stars.
pub(in super::super) fn key_body(text: &[u8]) -> Option<usize> {
    let text = &text[..text.len().min(KEY_BODY_MAX)];
    let dashes = memchr::memmem::find(&text[..text.len().min(16)], b"-----")?;
    let mut at = dashes + 5;
    let (mut total, mut run, mut longest) = (0usize, 0usize, 0usize);
    let mut seen = [false; 128];
    while let Some(&byte) = text.get(at) {
        match byte {
            b'-' if text[at..].starts_with(b"-----") => break,
            b'\\' => {
                // An escape: its letter is none of the key's.
                at += 1;
                run = 0;
            }
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => {
                run += 1;
                total += 1;
                longest = longest.max(run);
                seen[byte as usize & 127] = true;
            }
            _ => run = 0,
        }
        at += 1;
        if total == 0 && at > dashes + 400 {
            return None;
        }
    }
    let kinds = seen.iter().filter(|s| **s).count();
    if total < 40 || longest < 24 || kinds < 12 {
        return None;
    }
    // An escape at the very end may have led beyond it.
    let at = at.min(text.len());
    let end = memchr::memmem::find(&text[at..text.len().min(at + 64)], b"KEY-----").map_or(at, |e| at + e + 8);
    Some(end)
}

/// Whether base64 decodes to `user:password`.
pub(in super::super) fn basic_credentials(value: &[u8]) -> bool {
    if value.len() < 8 || value.len() > 512 {
        return false;
    }
    let mut bytes = [0u8; 400];
    let mut have = 0;
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in value {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => break,
        };
        bits = bits << 6 | u32::from(digit);
        held += 6;
        if held >= 8 && have < bytes.len() {
            held -= 8;
            bytes[have] = (bits >> held) as u8;
            have += 1;
        }
    }
    let decoded = &bytes[..have];
    decoded.iter().all(|b| (0x20..0x7f).contains(b)) && decoded.iter().position(|b| *b == b':').is_some_and(|at| at + 3 < have)
}

/// Whether what follows `Bearer` is a token and not a word of prose.
pub(in super::super) fn bearer_token(value: &[u8], text: &[u8], word: usize) -> bool {
    let header = text[..word].iter().rev().take(3).any(|b| matches!(b, b':' | b'=' | b'"' | b'\'' | b'`'));
    let made = makeup(value);
    header && value.len() >= 15 && made.digit > 0 && made.lower + made.upper > 0 && entropy(value) >= 3.0 && !made_up(value)
}
