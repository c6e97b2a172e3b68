//! What the name of an assignment promises about its value.
//!
//! *Lives on* one shard, on the stack; looks at names of bounded length.

use super::words::Words;

/// What kind of secret a name promises, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Promise {
    Password,
    /// `client_secret`, `api_token`, `access_key` …: a machine made it, so it looks random.
    Secret,
    /// A bare `key`, `auth` or `id`: only very random values count.
    Weak,
}

/// What follows the word in a name and makes the value public: `token_type`, `password_field` …
static PUBLIC_SUFFIXES: Words<195> = Words::new([
    "age",
    "algorithm",
    "algo",
    "alg",
    "arn",
    "array",
    "audience",
    "alias",
    "at",
    "button",
    "board",
    "bind",
    "binding",
    "bindings",
    "count",
    "class",
    "callback",
    "changed",
    "change",
    "confirmation",
    "column",
    "checksum",
    "code",
    "codes",
    "chain",
    "created",
    "config",
    "color",
    "client",
    "dir",
    "description",
    "desc",
    "disabled",
    "digest",
    "down",
    "date",
    "expiry",
    "expires",
    "expiration",
    "expire",
    "endpoint",
    "env",
    "error",
    "errors",
    "event",
    "enabled",
    "exists",
    "file",
    "files",
    "field",
    "fields",
    "format",
    "function",
    "func",
    "fn",
    "form",
    "fingerprint",
    "frame",
    "frames",
    "factory",
    "group",
    "groups",
    "generator",
    "hint",
    "help",
    "header",
    "handler",
    "host",
    "id",
    "ids",
    "index",
    "info",
    "input",
    "icon",
    "issuer",
    "interface",
    "kind",
    "len",
    "length",
    "label",
    "limit",
    "limits",
    "location",
    "link",
    "list",
    "manager",
    "mode",
    "metadata",
    "message",
    "msg",
    "method",
    "model",
    "map",
    "md5",
    "name",
    "names",
    "note",
    "notes",
    "owner",
    "ops",
    "options",
    "path",
    "paths",
    "pattern",
    "policy",
    "prompt",
    "placeholder",
    "provider",
    "param",
    "page",
    "press",
    "pair",
    "port",
    "params",
    "ref",
    "refs",
    "regex",
    "rules",
    "rule",
    "required",
    "reset",
    "resets",
    "row",
    "ring",
    "resolver",
    "request",
    "response",
    "size",
    "source",
    "store",
    "status",
    "strength",
    "schema",
    "set",
    "scope",
    "scopes",
    "subject",
    "sha256",
    "sha1",
    "stroke",
    "space",
    "stone",
    "selector",
    "server",
    "spec",
    "settings",
    "style",
    "service",
    "type",
    "types",
    "ttl",
    "title",
    "text",
    "template",
    "table",
    "thumbprint",
    "time",
    "timestamp",
    "url",
    "uri",
    "urls",
    "usage",
    "update",
    "up",
    "usages",
    "user",
    "username",
    "version",
    "var",
    "variable",
    "validator",
    "valid",
    "view",
    "management",
    "through",
    "incorrect",
    "variant",
    "variants",
    "accept",
    "mgr",
    "with",
    "encryption",
    "listener",
    "repository",
    "controller",
    "component",
    "dialog",
    "modal",
    "encoder",
    "hasher",
    "strategy",
    "exception",
    "value_from",
    "word",
    "words",
]);

/// Whether a provider's name ends in a word that makes the value public: `heroku_app_id`, `stripe_url`.
pub(in super::super) fn public_name(name: &[u8]) -> bool {
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
    PUBLIC_SUFFIXES.hold(last)
}

/// What a name says of a service's credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Told {
    /// It speaks of something else.
    Nothing,
    /// It is the service's name, perhaps with an environment's.
    Name,
    /// It says that the value is a credential.
    Credential,
}

/// What `name` says of the credential of the service that is named in it.
pub(in super::super) fn told(name: &[u8], service: &[u8]) -> Told {
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
        } else if !NEUTRAL.hold(word) {
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
static NEUTRAL: Words<30> = Words::new([
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
]);

/// Whether a word says that what it names is a credential: `key`, `access`, `private` …
pub(in super::super) fn credential_words(word: &[u8]) -> bool {
    static WORDS: Words<41> = Words::new([
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
    ]);
    WORDS.hold(word)
}

/// How much of a text from its start is words that announce a credential: `SECRET`, `accessKey`, `PRIVATE`.
pub(in super::super) fn announcement(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(length) = text.get(at..).and_then(announcing_word) {
        at += length;
        // The one mark that may stand between two of them.
        if text.get(at) == Some(&b'_') && text.get(at + 1).is_some_and(u8::is_ascii_alphabetic) {
            at += 1;
        }
    }
    // Not `keyboard`, `passive`, `PATH`: another case, a digit or a mark begins something else.
    match (at.checked_sub(1).and_then(|last| text.get(last)), text.get(at)) {
        (Some(last), Some(next)) if last.is_ascii_lowercase() && next.is_ascii_lowercase() => 0,
        (Some(last), Some(next)) if last.is_ascii_uppercase() && next.is_ascii_uppercase() => 0,
        _ => at,
    }
}

/// How long the one of them is that the text begins with.
fn announcing_word(text: &[u8]) -> Option<usize> {
    let words: &[&str] = match text.first()? | 0x20 {
        b'a' => &["authorization", "auth", "access", "api"],
        b'b' => &["bearer"],
        b'c' => &["credential"],
        b'k' => &["key"],
        b'p' => &["password", "private", "pass", "pat"],
        b's' => &["secret"],
        b't' => &["token"],
        _ => return None,
    };
    let begins = |word: &&&str| text.get(..word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word.as_bytes()));
    words.iter().find(begins).map(|word| word.len())
}

/// What the name of an assignment promises about its value.
pub(in super::super) fn promise(name: &[u8]) -> Option<Promise> {
    let (needle, at) = promising_word(name)?;
    // The key of a web socket's handshake is public, and so is what says so of itself; a hash is none.
    let before = &name[..at];
    if needle == "key" && ["websocket-", "public", "public_", "public-", "signing"].iter().any(|word| ends_with(before, word))
        || ["hashed_", "hashed", "checksum_"].iter().any(|word| ends_with(before, word))
    {
        return None;
    }
    let tail = &name[at + needle.len()..];
    if !allows_secret(tail, needle) {
        return None;
    }
    match needle {
        "key" | "auth" if strong_key(&name[..at]) => Some(Promise::Secret),
        "key" | "auth" => tail.is_empty().then_some(Promise::Weak),
        // max_tokens, next_token and their like count or page.
        "token" if paging(&name[..at], tail) => None,
        "password" | "passwd" | "passphrase" | "passcode" | "pwd" | "pass" => Some(Promise::Password),
        _ => Some(Promise::Secret),
    }
}

/// What promises a secret, what says most first.
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

/// Which pairs of letters begin one of them, by five bits of each: most pairs of a name begin none.
static PAIRS: [bool; 1 << 10] = {
    let mut pairs = [false; 1 << 10];
    let mut at = 0;
    while at < WORDS.len() {
        let word = WORDS[at].as_bytes();
        pairs[pair(word[0], word[1])] = true;
        at += 1;
    }
    pairs
};

const fn pair(first: u8, second: u8) -> usize {
    ((first & 31) as usize) << 5 | (second & 31) as usize
}

/// The word of a name that says most, and the last place where it stands: the words are in the order of what they say.
fn promising_word(name: &[u8]) -> Option<(&'static str, usize)> {
    /// LIMIT: bytes of a name in which a word is looked for.
    const NAME_MAX: usize = 96;
    let mut best: Option<(usize, usize)> = None;
    let searched = &name[..name.len().min(NAME_MAX)];
    for (at, two) in searched.windows(2).enumerate().rev() {
        if !PAIRS[pair(two[0], two[1])] {
            continue;
        }
        // By its first two letters.
        let candidates: &[usize] = match [two[0] | 0x20, two[1] | 0x20] {
            [b'p', b'a'] => &[0, 1, 2, 3, 5],
            [b'p', b'w'] => &[4],
            [b'p', b's'] => &[6],
            [b'p', b'r'] => &[7],
            [b's', b'e'] => &[8],
            [b't', b'o'] => &[9],
            [b'a', b'p'] => &[10],
            [b'c', b'r'] => &[11],
            [b'a', b'u'] => &[12, 14],
            [b'k', b'e'] => &[13],
            _ => continue,
        };
        for &index in candidates {
            if best.is_some_and(|(known, _)| known <= index) {
                break;
            }
            let word = WORDS[index];
            let stands = searched.get(at..at + word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word.as_bytes()));
            if stands && (word != "pass" || is_pass(&name[..at], &name[at + 4..])) {
                best = Some((index, at));
                break;
            }
        }
    }
    best.map(|(index, at)| (WORDS[index], at))
}

fn ends_with(text: &[u8], end: &str) -> bool {
    text.len() >= end.len() && text[text.len() - end.len()..].eq_ignore_ascii_case(end.as_bytes())
}

/// `pass` is the word itself only at a word's end: not in `bypass`, `passed`, `minipass`, `passive`.
fn is_pass(before: &[u8], tail: &[u8]) -> bool {
    const BEFORE: &[&str] = &[
        "db", "user", "my", "root", "admin", "auth", "login", "smtp", "mail", "ftp", "http", "https", "proxy", "mysql", "sql",
        "pg", "key", "store", "wifi", "new", "old", "email", "ssh", "redis", "mongo", "ldap", "vpn", "app", "guest",
    ];
    let begins = !before.last().is_some_and(u8::is_ascii_alphabetic) || BEFORE.iter().any(|word| ends_with(before, word));
    begins && tail.first().is_none_or(|b| !b.is_ascii_lowercase())
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
        if PUBLIC_SUFFIXES.hold(word) {
            return false;
        }
        rest = &rest[run.max(1)..];
    }
    true
}

/// Whether what stands before `key` says that it opens something.
fn strong_key(before: &[u8]) -> bool {
    const OPENING: &[&str] = &[
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
    ];
    let trimmed = match before.last() {
        Some(b'_' | b'-' | b'.') => &before[..before.len() - 1],
        _ => before,
    };
    OPENING.iter().any(|word| ends_with(trimmed, word))
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
        .any(|word| ends_with(before, word))
}
