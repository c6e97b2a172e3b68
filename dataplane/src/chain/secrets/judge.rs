//! Decides whether an assigned value is a secret: what its name promises, how random it looks, and whether it
//! is one of the many things people write where a secret will be (`changeme`, `${VAR}`, `<token>`, `get()`).
//!
//! *Lives on* one shard, on the stack; every function looks at a name and a value of bounded length.

use std::ops::Range;

use super::assignment::{Assignment, Operator, Quoting};

/// What kind of secret a name promises, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Promise {
    Password,
    /// `client_secret`, `api_token`, `access_key` …: a machine made it, so it looks random.
    Secret,
    /// A bare `key`, `auth` or `id`: only very random values count.
    Weak,
}

/// Which of the generic rules a value breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Password,
    Secret,
    Nothing,
}

/// What follows the word in a name and makes the value public: `token_type`, `password_field`, `key_id` …
const PUBLIC_SUFFIXES: &[&str] = &[
    "id",
    "ids",
    "name",
    "names",
    "type",
    "types",
    "url",
    "uri",
    "urls",
    "path",
    "paths",
    "file",
    "files",
    "ref",
    "refs",
    "len",
    "length",
    "size",
    "count",
    "field",
    "fields",
    "label",
    "hint",
    "expiry",
    "expires",
    "expiration",
    "expire",
    "ttl",
    "age",
    "regex",
    "pattern",
    "policy",
    "prompt",
    "placeholder",
    "help",
    "title",
    "text",
    "class",
    "algorithm",
    "algo",
    "alg",
    "provider",
    "endpoint",
    "index",
    "limit",
    "limits",
    "usage",
    "source",
    "manager",
    "store",
    "format",
    "version",
    "status",
    "kind",
    "mode",
    "env",
    "var",
    "variable",
    "header",
    "param",
    "arn",
    "dir",
    "location",
    "info",
    "metadata",
    "description",
    "desc",
    "message",
    "msg",
    "error",
    "errors",
    "event",
    "method",
    "handler",
    "callback",
    "function",
    "func",
    "fn",
    "validator",
    "strength",
    "rules",
    "rule",
    "required",
    "enabled",
    "disabled",
    "valid",
    "exists",
    "changed",
    "reset",
    "resets",
    "change",
    "update",
    "confirmation",
    "input",
    "form",
    "view",
    "page",
    "link",
    "button",
    "icon",
    "template",
    "model",
    "schema",
    "table",
    "column",
    "row",
    "map",
    "list",
    "array",
    "set",
    "group",
    "groups",
    "scope",
    "scopes",
    "audience",
    "issuer",
    "subject",
    "alias",
    "fingerprint",
    "checksum",
    "digest",
    "sha256",
    "sha1",
    "md5",
    "thumbprint",
    "code",
    "codes",
    "press",
    "down",
    "up",
    "board",
    "word",
    "words",
    "stroke",
    "frame",
    "frames",
    "space",
    "ring",
    "chain",
    "bind",
    "binding",
    "bindings",
    "stone",
    "note",
    "notes",
    "pair",
    "usages",
    "selector",
    "server",
    "host",
    "port",
    "user",
    "username",
    "owner",
    "date",
    "time",
    "created",
    "timestamp",
    "at",
    "ops",
    "spec",
    "config",
    "options",
    "settings",
    "style",
    "color",
    "value_from",
    "resolver",
    "service",
    "client",
    "request",
    "response",
    "interface",
    "param",
    "params",
    "generator",
    "factory",
];

/// Words that stand where a secret will be. A value is a placeholder when it contains one.
const PLACEHOLDERS: &[&str] = &[
    "example",
    "changeme",
    "change_me",
    "change-me",
    "change.me",
    "placeholder",
    "redacted",
    "replace",
    "insert",
    "your_",
    "your-",
    "your ",
    "yourpass",
    "yourkey",
    "yoursecret",
    "yourtoken",
    "yourapi",
    "my_secret",
    "mysecret",
    "my-secret",
    "dummy",
    "sample",
    "todo",
    "fixme",
    "foobar",
    "foo_bar",
    "xxxx",
    "****",
    "....",
    "____",
    "----",
    "0000000000",
    "1234567890",
    "abcdefgh",
    "not-a-",
    "not_a_",
    "notasecret",
    "fake",
    "undefined",
    "lorem",
    "<",
    "${",
    "#{",
    "{{",
    "%(",
    "$(",
    "{0}",
    "%s",
    "&lt;",
    "…",
    "such-as",
    "e.g.",
    "secret_here",
    "key_here",
    "token_here",
    "here>",
    "_here",
    "-here",
    "secrets.",
    "process.env",
    "os.environ",
    "getenv",
    "system.get",
    "vault:",
    "arn:aws",
    "https://",
    "http://",
    "sha256:",
    "projects/",
    "test_",
    "test-",
    "testtest",
    "unused",
    "invalid",
    "encrypted",
    "hidden",
    "masked",
    "removed",
    "omitted",
    "tbd",
    "sensitive",
    "qwerty",
    "asdf",
];

/// Whole values that are no secret though their name says so.
const PLAIN_VALUES: &[&str] = &[
    "password",
    "passwd",
    "pass",
    "pwd",
    "secret",
    "token",
    "key",
    "apikey",
    "api_key",
    "api-key",
    "string",
    "str",
    "text",
    "none",
    "null",
    "nil",
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "empty",
    "test",
    "tests",
    "testing",
    "default",
    "value",
    "values",
    "required",
    "optional",
    "object",
    "bytes",
    "number",
    "integer",
    "boolean",
    "any",
    "foo",
    "bar",
    "baz",
    "username",
    "user",
    "admin",
    "root",
    "login",
    "email",
    "name",
    "hidden",
    "basic",
    "bearer",
    "auto",
    "unknown",
    "unset",
    "self",
    "this",
    "void",
    "input",
    "type",
    "data",
    "field",
    "optional[str]",
    "env",
    "enter",
    "inherit",
    "prompt",
    "always",
    "never",
    "disabled",
    "enabled",
    "passphrase",
    "credentials",
    "credential",
    "auth",
    "authorization",
    "access",
    "public",
    "private",
    "shared",
    "static",
    "const",
    "let",
    "var",
    "hash",
    "salt",
];

/// Whether a provider's name ends in a word that makes the value public: `heroku_app_id`, `stripe_url`.
pub(super) fn public_name(name: &[u8]) -> bool {
    let end = name.iter().rposition(|b| b.is_ascii_alphanumeric()).map_or(0, |at| at + 1);
    let name = &name[..end];
    let mut start = end;
    while start > 0 && name[start - 1].is_ascii_alphanumeric() {
        start -= 1;
        // A word also begins where a capital follows a small letter.
        if start > 0 && name[start].is_ascii_uppercase() && name[start - 1].is_ascii_lowercase() {
            break;
        }
    }
    let last = &name[start..];
    PUBLIC_SUFFIXES.iter().any(|s| last.eq_ignore_ascii_case(s.as_bytes()))
}

/// Whether a value of a provider's shape is more than a word of that length.
pub(super) fn machine_made(value: &[u8]) -> bool {
    let made = makeup(value);
    (made.digit > 0 && made.lower + made.upper > 0 && made.turns * 8 >= value.len() && entropy(value) >= 2.6
        || value.len() >= 40 && entropy(value) >= 4.2)
        && !placeholder(value)
}

/// Whether a value is random enough for a rule that knows little more of it than its length.
pub(super) fn clearly_random(value: &[u8]) -> bool {
    random(value, false) && !placeholder(value) && !same_words(value) && !value.starts_with(b"//")
}

/// What a name says of a service's credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// It speaks of something else.
    Nothing,
    /// It is the service's name, perhaps with an environment's.
    Name,
    /// It says that the value is a credential.
    Credential,
}

/// What `name` says of the credential of the service that is named in it.
pub(super) fn told(name: &[u8], service: &[u8]) -> Told {
    if public_name(name) {
        return Told::Nothing;
    }
    if promise(name).is_some() {
        return Told::Credential;
    }
    let Some(at) = (0..=name.len() - service.len().min(name.len()))
        .find(|at| name.get(*at..at + service.len()).is_some_and(|part| part.eq_ignore_ascii_case(service)))
    else {
        return Told::Nothing;
    };
    let (before, after) = (&name[..at], &name[at + service.len()..]);
    let mut told = Told::Name;
    for word in words_of(before).chain(words_of(after)) {
        if credential_words(word) {
            told = Told::Credential;
        } else if !NEUTRAL.iter().any(|neutral| word.eq_ignore_ascii_case(neutral.as_bytes())) {
            return Told::Nothing;
        }
    }
    told
}

/// The words of a name, cut at marks and where a capital follows a small letter. Numbers are none.
fn words_of(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + name.get(from..)?.iter().position(u8::is_ascii_alphabetic)?;
        let mut end = start + 1;
        while name.get(end).is_some_and(u8::is_ascii_alphabetic)
            && !(name[end].is_ascii_uppercase() && name[end - 1].is_ascii_lowercase())
        {
            end += 1;
        }
        from = end;
        Some(&name[start..end])
    })
}

/// Words beside a service's name that leave open what the value is.
const NEUTRAL: &[&str] = &[
    "my",
    "the",
    "a",
    "new",
    "default",
    "env",
    "prod",
    "production",
    "dev",
    "development",
    "test",
    "testing",
    "staging",
    "stage",
    "live",
    "sandbox",
    "react",
    "next",
    "vite",
    "v",
    "config",
    "io",
    "com",
    "app",
    "web",
    "cloud",
    "main",
    "http",
    "rest",
    "v",
];

/// Whether a word says that what it names is a credential: `key`, `access`, `private` …
pub(super) fn credential_words(word: &[u8]) -> bool {
    const WORDS: &[&str] = &[
        "key",
        "keys",
        "token",
        "tokens",
        "secret",
        "secrets",
        "access",
        "private",
        "api",
        "apikey",
        "apitoken",
        "auth",
        "pat",
        "password",
        "pass",
        "passwd",
        "pwd",
        "credential",
        "credentials",
        "creds",
        "bearer",
        "oauth",
        "jwt",
        "license",
        "webhook",
        "authorization",
        "accesskey",
        "secretkey",
        "accesstoken",
        "rest",
        "personal",
        "admin",
        "master",
        "api_key",
        "api_token",
        "access_token",
        "access_key",
        "secret_key",
        "auth_token",
        "client_secret",
        "private_key",
    ];
    WORDS.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
}

/// Whether a value may be the credential of a service whose credentials have no form of their own.
pub(super) fn vendor_value(value: &[u8], least: usize) -> bool {
    if value.len() < least || value.len() >= super::assignment::VALUE_MAX {
        return false;
    }
    let made = makeup(value);
    let letters = made.lower + made.upper;
    let random = made.digit >= 2 && letters >= 2 && made.turns * 7 >= value.len() && entropy(value) >= 2.8
        || value.len() >= 24 && made.lower > 3 && made.upper > 3 && made.turns * 4 >= value.len() && entropy(value) >= 3.8;
    random
        && made.code == 0
        && made.special * 4 <= value.len()
        && !value.contains(&b'@')
        && !is_version(value)
        && !value.starts_with(b"/")
        && !value.starts_with(b"./")
        && !placeholder(value)
        && !same_words(value)
}

/// Whether a value looks like a token even where only a blank stands before it: no digest, no id of a commit.
pub(super) fn token_like(value: &[u8]) -> bool {
    let made = makeup(value);
    value.len() >= 20 && made.hex < value.len() && made.special * 8 <= value.len() && made.digit >= 3 && entropy(value) >= 3.2
}

/// `1.2.3-rc.1`, `v2.0.0+build5`, a date.
fn is_version(value: &[u8]) -> bool {
    let value = value.strip_prefix(b"v").unwrap_or(value);
    let digits = value.iter().take_while(|b| b.is_ascii_digit()).count();
    digits > 0
        && digits <= 4
        && matches!(value.get(digits), Some(b'.' | b'-'))
        && value.get(digits + 1).is_some_and(u8::is_ascii_digit)
        && value.iter().filter(|b| matches!(b, b'.' | b'-')).count() >= 2
        && !is_uuid(value)
}

/// What the name of an assignment promises about its value.
pub(super) fn promise(name: &[u8]) -> Option<Promise> {
    let mut folded = [0u8; 96];
    let length = name.len().min(folded.len());
    let folded = &mut folded[..length];
    folded.copy_from_slice(&name[..length]);
    folded.make_ascii_lowercase();
    let folded = &*folded;
    let (needle, at) = promising_word(name, folded)?;
    let tail = &name[at + needle.len()..];
    if !allows_secret(tail, needle) {
        return None;
    }
    match needle {
        "key" | "auth" if strong_key(&folded[..at]) => Some(Promise::Secret),
        "key" | "auth" => tail.is_empty().then_some(Promise::Weak),
        // max_tokens, next_token and their like count or page.
        "token" if paging(&folded[..at], tail) => None,
        "password" | "passwd" | "passphrase" | "passcode" | "pwd" | "pass" => Some(Promise::Password),
        _ => Some(Promise::Secret),
    }
}

/// The word of a name that says most, and the last place where it stands: the words are in the order of what they say.
fn promising_word(name: &[u8], folded: &[u8]) -> Option<(&'static str, usize)> {
    const WORDS: [&str; 15] = [
        "password",
        "passwd",
        "passphrase",
        "passcode",
        "pwd",
        "pass",
        "psk",
        "presharedkey",
        "secret",
        "token",
        "apikey",
        "credential",
        "authorization",
        "key",
        "auth",
    ];
    let mut best: Option<(usize, usize)> = None;
    for at in (0..folded.len()).rev() {
        let candidates = match folded[at] {
            b'p' => 0..8,
            b's' => 8..9,
            b't' => 9..10,
            b'a' => 10..15,
            b'c' => 11..12,
            b'k' => 13..14,
            _ => continue,
        };
        for index in candidates {
            if best.is_some_and(|(known, _)| known <= index) {
                break;
            }
            let word = WORDS[index];
            let stands = folded[at..].starts_with(word.as_bytes());
            if stands && (word != "pass" || is_pass(folded, at, &name[at + 4..])) {
                best = Some((index, at));
                break;
            }
        }
    }
    best.map(|(index, at)| (WORDS[index], at))
}

/// `pass` is the word itself only at a word's end: not in `bypass`, `passed`, `minipass`, `passive`.
fn is_pass(name: &[u8], at: usize, tail: &[u8]) -> bool {
    const BEFORE: &[&str] = &[
        "db", "user", "my", "root", "admin", "auth", "login", "smtp", "mail", "ftp", "http", "https", "proxy", "mysql", "sql",
        "pg", "key", "store", "wifi", "new", "old", "email", "ssh", "redis", "mongo", "ldap", "vpn", "app", "guest",
    ];
    let before = at == 0 || !name[at - 1].is_ascii_lowercase() || BEFORE.iter().any(|word| name[..at].ends_with(word.as_bytes()));
    before && tail.first().is_none_or(|b| !b.is_ascii_lowercase())
}

/// Whether what follows the word leaves it a secret: nothing, a number, an environment, `key` …
fn allows_secret(tail: &[u8], needle: &str) -> bool {
    let mut rest = tail;
    // tokens, passwords, keys: a list, and `tokenizer`, `keyboard`, `authority` are other words.
    if let Some(first) = rest.first()
        && first.is_ascii_lowercase()
        && needle != "pwd"
    {
        let run = rest.iter().take_while(|b| b.is_ascii_lowercase()).count();
        let word = &rest[..run];
        if !matches!(
            word,
            b"s" | b"key" | b"keys" | b"token" | b"value" | b"string" | b"str" | b"hash" | b"enc" | b"b64" | b"base64"
        ) {
            return false;
        }
        rest = &rest[run..];
    }
    while !rest.is_empty() {
        let skip = rest.iter().take_while(|b| !b.is_ascii_alphanumeric()).count();
        rest = &rest[skip..];
        if rest.is_empty() {
            break;
        }
        // One word: an upper-case run, or a letter and the lower-case ones after it.
        let upper = rest.iter().take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit()).count();
        let run = if upper > 1 {
            upper
        } else {
            upper + rest[upper..].iter().take_while(|b| b.is_ascii_lowercase() || b.is_ascii_digit()).count()
        };
        let word = &rest[..run.max(1)];
        if PUBLIC_SUFFIXES.iter().any(|s| word.eq_ignore_ascii_case(s.as_bytes())) {
            return false;
        }
        rest = &rest[run.max(1)..];
    }
    true
}

/// Whether what stands before `key` says that it opens something.
fn strong_key(before: &[u8]) -> bool {
    let trimmed = match before.last() {
        Some(b'_' | b'-' | b'.') => &before[..before.len() - 1],
        _ => before,
    };
    [
        "api",
        "access",
        "secret",
        "private",
        "auth",
        "account",
        "master",
        "encryption",
        "signing",
        "encrypt",
        "sign",
        "app",
        "application",
        "consumer",
        "service",
        "admin",
        "deploy",
        "license",
        "write",
        "read",
        "ingest",
        "client",
        "storage",
        "shared",
        "session",
        "jwt",
        "hmac",
        "token",
        "cipher",
        "aes",
        "stream",
        "sdk",
        "web",
        "server",
        "subscription",
        "integration",
        "project",
        "bot",
        "live",
        "prod",
        "test",
        "sandbox",
        "rest",
        "host",
    ]
    .iter()
    .any(|word| trimmed.ends_with(word.as_bytes()))
}

fn paging(before: &[u8], tail: &[u8]) -> bool {
    tail.first() == Some(&b's')
        || [
            "max_",
            "max",
            "min_",
            "next",
            "next_",
            "page",
            "page_",
            "continuation",
            "continuation_",
            "sync_",
            "cancel",
            "cancellation",
            "num_",
            "total_",
            "cursor_",
            "idempotency_",
        ]
        .iter()
        .any(|word| before.ends_with(word.as_bytes()))
}

/// Shannon entropy in bits per byte.
pub(super) fn entropy(value: &[u8]) -> f32 {
    let mut counts = [0u16; 256];
    for &byte in value {
        counts[byte as usize] = counts[byte as usize].saturating_add(1);
    }
    let total = value.len() as f32;
    let mut bits = 0.0;
    for &byte in value {
        let count = counts[byte as usize];
        if count > 0 {
            let share = f32::from(count) / total;
            bits -= share * share.log2();
            counts[byte as usize] = 0;
        }
    }
    bits
}

#[derive(Default)]
struct Makeup {
    lower: usize,
    upper: usize,
    digit: usize,
    hex: usize,
    special: usize,
    /// Bytes that stand in code and prose and seldom in tokens.
    code: usize,
    /// Changes between letters of a case, digits and the rest: words change seldom.
    turns: usize,
}

fn makeup(value: &[u8]) -> Makeup {
    let mut made = Makeup::default();
    let mut last = 0u8;
    for &byte in value {
        let class = match byte {
            b'a'..=b'z' => {
                made.lower += 1;
                1
            }
            b'A'..=b'Z' => {
                made.upper += 1;
                2
            }
            b'0'..=b'9' => {
                made.digit += 1;
                3
            }
            b'(' | b')' | b'{' | b'}' | b'[' | b']' | b'<' | b'>' | b';' | b',' | b' ' | b'"' | b'\'' | b'|' | b'\\' => {
                made.code += 1;
                made.special += 1;
                4
            }
            _ => {
                made.special += 1;
                4
            }
        };
        if byte.is_ascii_hexdigit() {
            made.hex += 1;
        }
        made.turns += usize::from(class != last && last != 0);
        last = class;
    }
    made
}

/// Whether a value looks made by a machine.
fn random(value: &[u8], weak: bool) -> bool {
    let length = value.len();
    if !(if weak { 24 } else { 15 }..=super::assignment::VALUE_MAX).contains(&length) {
        return false;
    }
    let made = makeup(value);
    if made.code > 0 || made.special * 4 > length {
        return false;
    }
    let bits = entropy(value);
    if made.hex == length {
        // Only letters or only digits spell words and numbers.
        return length >= 16 && made.digit > 0 && made.digit < length && bits >= 2.5;
    }
    if weak && value.iter().any(|b| matches!(b, b'.' | b':' | b'/' | b'@' | b'$')) && value.last() != Some(&b'=') {
        return false;
    }
    let body = &value[..value.iter().rposition(|&b| b != b'=').map_or(0, |at| at + 1)];
    let token = body.iter().all(|b| {
        b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+' | b'/' | b'.' | b'~' | b':' | b'=' | b'!' | b'$' | b'@')
    });
    if !token {
        return false;
    }
    if is_uuid(value) {
        return !weak && bits > 2.5;
    }
    let cases = usize::from(made.lower > 0) + usize::from(made.upper > 0) + usize::from(made.digit > 0);
    let floor = if weak { 3.6 } else { 3.0 };
    bits >= floor && cases >= 2 && made.digit > 0 && made.turns * 7 >= length && (!weak || made.digit >= 2)
        || bits >= 4.0 && cases == 2 && length >= 32 && made.turns * 3 >= length
        || !weak && length >= 40 && cases >= 1 && bits >= 3.8 && made.special == 0 && words_in(value) == 0
}

/// A rough count of English-like stretches: a vowel every few letters is in both, so look for common words.
fn words_in(value: &[u8]) -> usize {
    ["the", "ing", "tion", "name", "key", "test", "user", "pass", "file", "data", "code", "token"]
        .iter()
        .filter(|word| contains_folded(value, word.as_bytes()))
        .count()
}

/// `8-4-4-4-12` hexadecimal digits.
pub(super) fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

fn contains_folded(value: &[u8], needle: &[u8]) -> bool {
    let Some(&first) = needle.first() else { return false };
    let mut from = 0;
    while let Some(at) = memchr::memchr2(first, first.to_ascii_uppercase(), value.get(from..).unwrap_or_default()) {
        let here = from + at;
        match value.get(here..here + needle.len()) {
            Some(found) if found.eq_ignore_ascii_case(needle) => return true,
            Some(_) => from = here + 1,
            None => return false,
        }
    }
    false
}

/// Whether a value only stands where a secret will be.
pub(super) fn placeholder(value: &[u8]) -> bool {
    if value.windows(2).all(|w| w[0] == w[1]) {
        return true;
    }
    if PLACEHOLDERS.iter().any(|p| contains_folded(value, p.as_bytes())) {
        return true;
    }
    matches!(value.first(), Some(b'$' | b'%' | b'<' | b'{' | b'[' | b'(' | b'*' | b'!'))
        && value.iter().skip(1).all(|b| {
            b.is_ascii_alphanumeric()
                || matches!(b, b'_' | b'-' | b'.' | b'}' | b']' | b')' | b'>' | b'%' | b'*' | b':' | b' ' | b'{')
        })
}

/// Judges one assignment.
pub(super) fn judge(text: &[u8], found: &Assignment, extra: &dyn Fn(&[u8]) -> bool) -> Verdict {
    let name = &text[found.name.clone()];
    let value = &text[found.value.clone()];
    let Some(promise) = promise(name) else { return Verdict::Nothing };
    if value.len() < 4 || value.len() >= super::assignment::VALUE_MAX || extra(value) {
        return Verdict::Nothing;
    }
    match promise {
        Promise::Password => password(text, name, value, found),
        Promise::Secret if found.quoting == Quoting::Quoted && (chosen_secret(value) || compared(name, value, found)) => {
            Verdict::Secret
        }
        Promise::Secret | Promise::Weak => {
            let bound = matches!(
                found.operator,
                Operator::Equals | Operator::Colon | Operator::Markup | Operator::Argument | Operator::Compare
            ) || found.scheme
                || found.operator == Operator::Space && (name.starts_with(b"-") || found.quoting == Quoting::Quoted);
            if bound && random(value, promise == Promise::Weak) && !placeholder(value) && !same_words(value) {
                Verdict::Secret
            } else {
                Verdict::Nothing
            }
        }
    }
}

/// A secret chosen to hold every kind of character.
fn chosen_secret(value: &[u8]) -> bool {
    let made = makeup(value);
    value.len() >= 16
        && made.lower > 0
        && made.upper > 0
        && made.digit > 0
        && made.special >= 3
        && made.turns * 2 >= value.len()
        && entropy(value) >= 4.2
        && !value.contains(&b' ')
        && !["a-z", "0-9", "\\w", "\\d", "://", "${", "%s", "()"].iter().any(|w| contains_folded(value, w.as_bytes()))
}

/// `if secret != "open-sesame"`: a literal that is compared with a secret is one.
fn compared(name: &[u8], value: &[u8], found: &Assignment) -> bool {
    found.operator == Operator::Compare
        && contains_folded(name, b"secret")
        && value.len() >= 6
        && !value.contains(&b' ')
        && !PLAIN_VALUES.iter().any(|p| value.eq_ignore_ascii_case(p.as_bytes()))
        && !placeholder(value)
}

/// `ACCESS_TOKEN_URL = ASANA_TOKEN_EXCHANGE_URL`: a name given another name.
fn same_words(value: &[u8]) -> bool {
    let made = makeup(value);
    // SHOUTED_NAMES and dotted.paths of plain words are code.
    value.windows(2).any(|w| w == b"::")
        || made.digit == 0 && (made.lower == 0 || made.upper == 0) && made.special > 0
        || value.contains(&b'.')
            && made.digit <= 2
            && value.split(|b| *b == b'.').all(|part| part.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_'))
            && made.turns < 12
}

fn password(text: &[u8], name: &[u8], value: &[u8], found: &Assignment) -> Verdict {
    let trimmed = value.strip_suffix(b",").unwrap_or(value);
    let made = makeup(trimmed);
    // `pass "x" to it`: prose and calls; only a setting's full word is followed by nothing but its value.
    let loose = found.operator == Operator::Space && !name.starts_with(b"-");
    if loose && (!name.eq_ignore_ascii_case(b"password") || text.get(found.value.start.wrapping_sub(1)) == Some(&b'`')) {
        return Verdict::Nothing;
    }
    let strong = match found.quoting {
        Quoting::Quoted => {
            quoted_password(trimmed, &made) || word_password(trimmed, &made, found) || beside_user(text, trimmed, found)
        }
        Quoting::Bare | Quoting::Element => bare_password(trimmed, &made, found, name) || env_password(text, trimmed, found),
    };
    let plain = |value: &[u8]| PLAIN_VALUES.iter().any(|p| value.eq_ignore_ascii_case(p.as_bytes())) || placeholder(value);
    if strong && !value.eq_ignore_ascii_case(name) && !plain(trimmed) { Verdict::Password } else { Verdict::Nothing }
}

/// `password = "thisismypassword"`: one lower-case word, long enough not to be one of the language.
fn word_password(value: &[u8], made: &Makeup, found: &Assignment) -> bool {
    made.lower == value.len() && (10..=40).contains(&value.len()) && found.operator != Operator::Argument
        || found.operator == Operator::Compare && value.len() >= 6 && made.lower + made.digit == value.len()
}

/// A password literal right after the name of its user.
fn beside_user(text: &[u8], value: &[u8], found: &Assignment) -> bool {
    if value.len() < 6 || !matches!(found.operator, Operator::Equals | Operator::Colon) {
        return false;
    }
    let before = &text[found.name.start.saturating_sub(120)..found.name.start];
    ["user", "login", "account"].iter().any(|word| {
        let mut from = 0;
        while let Some(at) =
            before.get(from..).and_then(|rest| rest.windows(word.len()).position(|w| w.eq_ignore_ascii_case(word.as_bytes())))
        {
            let after = &before[from + at + word.len()..];
            // An assignment of a literal, not a mention.
            let skip = after
                .iter()
                .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'"' | b'\'' | b' ' | b'\\'))
                .count();
            let op = after.get(skip).copied();
            let literal = after.get(skip + 1..).unwrap_or_default().iter().find(|b| !matches!(b, b' ' | b'>' | b'=' | b'\\'));
            if matches!(op, Some(b'=' | b':')) && matches!(literal, Some(b'"' | b'\'' | b'`')) {
                return true;
            }
            from += at + word.len();
        }
        false
    })
}

/// `DB_PASS=whiteduke` at the start of a line, nothing around the equals sign: an env or ini file.
fn env_password(text: &[u8], value: &[u8], found: &Assignment) -> bool {
    if found.operator != Operator::Equals || found.value.start != found.name.end + 1 || !(6..=64).contains(&value.len()) {
        return false;
    }
    let line = memchr::memrchr(b'\n', &text[..found.name.start]).map_or(0, |at| at + 1);
    let lead = &text[line..found.name.start];
    let lead = lead.iter().position(|b| !matches!(b, b' ' | b'\t' | b'#' | b'-' | b';' | b'/')).map_or(&[][..], |at| &lead[at..]);
    let plain = lead.is_empty()
        || lead.eq_ignore_ascii_case(b"export ")
        || lead.eq_ignore_ascii_case(b"set ")
        || lead.eq_ignore_ascii_case(b"env ");
    let rest = text.get(found.value.end..).and_then(<[u8]>::first);
    plain
        && matches!(rest, None | Some(b'\n' | b'\r' | b' ' | b'"' | b'\\' | b';'))
        && value
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'!' | b'@' | b'#' | b'%' | b'^' | b'+' | b'-' | b'.'))
        && value.first().is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_')
}

/// A quoted string under a password's name: not a sentence, not a path, not a single plain word.
fn quoted_password(value: &[u8], made: &Makeup) -> bool {
    if value.len() < 6 || value.len() > 128 || value.contains(&b'\n') {
        return false;
    }
    let spaces = value.iter().filter(|b| **b == b' ').count();
    if spaces > 0 || matches!(value.first(), Some(b'/' | b'.' | b'#' | b'-' | b'$' | b'@' | b':')) {
        return false;
    }
    if value.windows(2).any(|w| matches!(w, b"()" | b"::" | b"->" | b"\\n" | b"${" | b"#{" | b"</")) {
        return false;
    }
    let kinds =
        usize::from(made.lower > 0) + usize::from(made.upper > 0) + usize::from(made.digit > 0) + usize::from(made.special > 0);
    made.digit > 0 && kinds >= 2 || kinds >= 3 || made.special > 0 && kinds >= 2 && !plain_phrase(value)
}

/// `forgot_password`, `db-creds`: words joined by one kind of mark.
fn plain_phrase(value: &[u8]) -> bool {
    value.iter().all(|b| {
        b.is_ascii_alphabetic() || matches!(b, b'_' | b'-' | b'.' | b'/' | b' ' | b':' | b'%' | b'\'' | b',' | b'?' | b'!')
    })
}

fn bare_password(value: &[u8], made: &Makeup, found: &Assignment, name: &[u8]) -> bool {
    if value.len() < 6 || value.len() > 128 || !value.is_ascii() {
        return false;
    }
    // 4010u32, 100px, 30s, 1.2.3
    let tail = value.iter().position(|b| !b.is_ascii_digit() && *b != b'.' && *b != b'_').unwrap_or(value.len());
    if tail > 0 && value.len() - tail <= 5 && made.special <= 3 {
        return false;
    }
    if value.iter().any(|b| matches!(b, b'(' | b')' | b'{' | b'}' | b'[' | b']' | b'<' | b'>' | b'\\' | b'|'))
        || value.windows(2).any(|w| matches!(w, b"::" | b"->" | b"&&"))
    {
        return false;
    }
    if matches!(value.first(), Some(b'$' | b'/' | b'.' | b'-' | b'@' | b'&' | b'*' | b'%' | b'=' | b'~')) {
        return false;
    }
    match found.operator {
        Operator::Equals | Operator::Colon | Operator::Markup => {}
        Operator::Space if name.starts_with(b"--") || name == b"password" => {}
        _ => return false,
    }
    made.digit > 0 && (made.lower > 0 || made.upper > 0) && !identifier(value, made)
        || made.special > 0 && made.lower + made.upper > 0 && made.digit > 0
        || found.quoting == Quoting::Element && made.digit > 0
}

/// `utf8`, `password1`, `self.password2`, `argon2id`: a name from code with a number in it.
fn identifier(value: &[u8], made: &Makeup) -> bool {
    made.digit <= 2
        && value.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
        && (made.upper == 0 && value.iter().any(|b| matches!(b, b'.' | b'_'))
            || made.lower == 0 && value.contains(&b'_')
            || value.len() < 8)
}

/// Whether the credentials of a URL only stand where credentials will be.
pub(super) fn url_placeholder(scheme: &[u8], user: &[u8], password: &[u8]) -> bool {
    // Of the schemes nobody runs a public service on, only real looking passwords count.
    const SCHEMES: &[&str] = &[
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
    ];
    let known = SCHEMES.iter().any(|s| scheme.eq_ignore_ascii_case(s.as_bytes()));
    if !known && PLAIN_VALUES.iter().any(|p| password.eq_ignore_ascii_case(p.as_bytes())) {
        return true;
    }
    let template = |text: &[u8]| {
        text.iter().any(|b| matches!(b, b'{' | b'}' | b'<' | b'>' | b'$' | b'(' | b')' | b'[' | b']' | b'*' | b' '))
            || text.starts_with(b"%s")
            || text.starts_with(b":")
    };
    template(user) && !user.starts_with(b"$")
        || template(password)
        || user == password
        || password.windows(2).all(|w| w[0].eq_ignore_ascii_case(&w[1]))
        || [&b"example"[..], b"redacted", b"xxx", b"...", b"your", b"placeholder", b"changeme"]
            .iter()
            .any(|w| contains_folded(password, w))
}

/// LIMIT: longest body of a key looked at.
const KEY_BODY_MAX: usize = 16 * 1024;

/// Length of the body of a PEM key, behind the words `PRIVATE KEY`, up to its end mark if there is one; `None` when
/// what follows is no key but prose, dots or stars.
pub(super) fn key_body(text: &[u8]) -> Option<usize> {
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
    let end = memchr::memmem::find(&text[at..text.len().min(at + 64)], b"KEY-----").map_or(at, |e| at + e + 8);
    Some(end)
}

/// Whether base64 decodes to `user:password`.
pub(super) fn basic_credentials(value: &[u8]) -> bool {
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
pub(super) fn bearer_token(value: &[u8], text: &[u8], word: usize) -> bool {
    let header = text[..word].iter().rev().take(3).any(|b| matches!(b, b':' | b'=' | b'"' | b'\'' | b'`'));
    let made = makeup(value);
    header && value.len() >= 15 && made.digit > 0 && made.lower + made.upper > 0 && entropy(value) >= 3.0 && !placeholder(value)
}

/// The span a finding of this assignment redacts.
pub(super) fn span(found: &Assignment) -> Range<usize> {
    found.value.clone()
}

#[cfg(test)]
mod tests {
    use super::super::assignment::{Outcome, read};
    use super::*;

    fn check(text: &str, word: &str, expect: Verdict) {
        let at = text.to_ascii_lowercase().find(word).unwrap_or_default();
        let verdict = match read(text.as_bytes(), at..at + word.len()) {
            Outcome::Assigned(found) => judge(text.as_bytes(), &found, &|_| false),
            Outcome::AtEnd { .. } | Outcome::Nothing { .. } => Verdict::Nothing,
        };
        assert_eq!(verdict, expect, "in {text}");
    }

    #[test]
    fn finds_secrets_by_their_name() {
        for (text, word, verdict) in [
            ("API_KEY = \"951bc382db9abad29c68634761dd6e19\"", "key", Verdict::Secret),
            ("client_secret: GN.7Q~4AkLZBNEbz4Jxlm~O5G6SsyFxYg6zNR", "secret", Verdict::Secret),
            ("password = \"4ian1234\"", "pass", Verdict::Password),
            ("DB_PASS=Tr0ub4dor&3", "pass", Verdict::Password),
            ("\"vm_password\": \"Pass123!@#\"", "pass", Verdict::Password),
            ("export secret_key=2Tm6cdsRVBTL9hRCmR6MRDTpMLFS4I", "secret", Verdict::Secret),
        ] {
            check(text, word, verdict);
        }
    }

    #[test]
    fn leaves_placeholders_and_code_alone() {
        for (text, word) in [
            ("password: ${DB_PASSWORD}", "pass"),
            ("password=********", "pass"),
            ("password: REDACTED", "pass"),
            ("token = os.environ['GITHUB_TOKEN']", "token"),
            ("api_key: <YOUR_API_KEY>", "key"),
            ("apiKey: 'xxxxxxxxxxxxxxxxxxxxxxxx'", "key"),
            ("max_tokens: 4096", "token"),
            ("tokenizer: cl100k_base_for_models_0123456789", "token"),
            ("password_hash_algorithm: argon2id", "pass"),
            ("passwd = getpass.getpass()", "pass"),
            ("if token == expected_token:", "token"),
            ("client_secret = getSecret('prod/oauth')", "secret"),
            ("AWS_SECRET_ACCESS_KEY={{ vault_aws_secret }}", "secret"),
            ("bypass = \"abc123DEF456\"", "pass"),
            ("password = \"password\"", "pass"),
            ("pub const MD_PASSWORD: u32 = 4010u32", "pass"),
            ("\"minipass\": \"^7.0.3\"", "pass"),
            ("For hosts, pass `iframe.contentWindow`", "pass"),
            ("#define FIPS_KEY_STRING \"f4556650ac31d35461610bac4ed81b1a\"", "key"),
            ("type TokenStream2 = proc_macro2::TokenStream;", "token"),
            ("passwordField = \"form1-password2\"", "pass"),
        ] {
            check(text, word, Verdict::Nothing);
        }
    }
}
