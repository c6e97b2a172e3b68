//! What a value looks like: made by a machine, chosen by a person, or standing where a secret will be.
//!
//! *Lives on* one shard, on the stack; looks at values of bounded length.

use super::super::assignment::VALUE_MAX;
use super::words::Words;

/// Words that stand where a secret will be. A value is a placeholder when it contains one.
pub(super) const PLACEHOLDERS: &[&str] = &[
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
    "0102030405",
    "foobar",
    "foo_bar",
    "xxxx",
    "****",
    "....",
    "____",
    "----",
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
    "unused",
    "invalid",
    "encrypted",
    "hidden",
    "masked",
    "removed",
    "omitted",
    "tbd",
    "sensitive",
];

/// What somebody types who needs some letters. No password; but a provider's documents show such keys, and people use them.
const TYPED: &[&str] = &["0000000000", "1234567890", "abcdefgh", "test_", "test-", "testtest"];

/// Whole values that are no secret though their name says so.
pub(super) static PLAIN_VALUES: Words<97> = Words::new([
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
    "incorrect",
    "scram-sha-256",
    "scram-sha-512",
    "sha-256",
    "sha-512",
    "sha256",
    "sha512",
    "hmac-sha256",
    "bcrypt",
    "argon2",
    "argon2id",
    "pbkdf2",
    "md5",
]);

/// Whether a value of a provider's shape is more than a word of that length.
pub(in super::super) fn machine_made(value: &[u8]) -> bool {
    let made = makeup(value);
    // Without a digit only what changes its kind of letter all the time, or has one kind alone.
    let no_name = made.turns * 3 >= value.len() || made.upper + made.special == 0;
    (made.digit > 0 && made.lower + made.upper > 0 && made.turns * 8 >= value.len() && entropy(value) >= 2.6
        || value.len() >= 40 && no_name && entropy(value) >= 4.2)
        && !is_path(value, &made)
        && !placeholder(value)
}

/// Whether a value is random enough for a rule that knows little more of it than its length.
pub(in super::super) fn clearly_random(value: &[u8]) -> bool {
    random(value, false) && !placeholder(value) && !same_words(value) && !value.starts_with(b"//")
}

/// Whether a value may be the credential of a service whose credentials have no form of their own. `told`: the name
/// says that it is one.
pub(in super::super) fn vendor_value(value: &[u8], told: bool) -> bool {
    if value.len() < if told { 10 } else { 16 } || value.len() >= VALUE_MAX {
        return false;
    }
    let made = makeup(value);
    let plain = made.code == 0
        && made.special * 4 <= value.len()
        && !value.contains(&b'@')
        && !is_version(value)
        && !value.starts_with(b"/")
        && !value.starts_with(b"./");
    if !plain {
        return false;
    }
    let letters = made.lower + made.upper;
    let bits = entropy(value);
    let mixed = made.lower >= 2 && made.upper >= 2;
    let random = made.digit >= 2 && letters >= 2 && made.turns * 7 >= value.len() && bits >= 2.8
        || value.len() >= 24 && mixed && made.turns * 4 >= value.len() && bits >= 3.8
        || told && mixed && made.digit >= 1 && made.turns * 4 >= value.len() && bits >= 3.0
        || told && made.digit == value.len() && (15..=30).contains(&value.len()) && bits >= 2.5;
    random && !placeholder(value) && !same_words(value)
}

/// Whether what follows a service's name, and `told` a word such as `token`, is its credential: no word, no version, no path.
pub(in super::super) fn announced_value(value: &[u8], told: bool) -> bool {
    let made = makeup(value);
    let letters = made.lower + made.upper;
    if value.len() < if told { 10 } else { 20 }
        || value.len() >= VALUE_MAX
        || made.code > 0
        || made.special * 4 > value.len()
        || is_version(value)
        || is_path(value, &made)
        || placeholder(value)
        || same_words(value)
    {
        return false;
    }
    // Of words joined by marks none is made by a machine.
    let mixed = |part: &[u8]| {
        let made = makeup(part);
        // A word with a number behind it, such as `python311`, is short.
        part.len() >= 6 && made.digit >= 2 && made.lower + made.upper >= 2 && (made.turns >= 2 || part.len() >= 12)
    };
    let has_mixed = value.split(|b| !b.is_ascii_alphanumeric()).any(mixed);
    let bits = entropy(value);
    let random = has_mixed && made.digit >= 2 && letters >= 2 && bits >= 2.8;
    if told {
        random
            || is_uuid(value)
            || letters == 0 && made.special == 0 && value.len() >= 20 && bits >= 2.5
            || made.special == 0 && value.len() >= 16 && (runs_on(value) || made.hex == value.len() && bits >= 2.2)
    } else {
        is_uuid(value) || random && made.special == 0 && made.digit >= 4 && letters >= 4
    }
}

/// Whether a value has a stretch of the alphabet, in either direction: no word has, and no name.
fn runs_on(value: &[u8]) -> bool {
    let run = |step: i16| {
        let mut length = 1;
        value.windows(2).any(|two| {
            length = if i16::from(two[1]) - i16::from(two[0]) == step { length + 1 } else { 1 };
            length >= 8
        })
    };
    run(1) || run(-1)
}

/// Whether a value looks like a token even where only a blank stands before it: no digest, no id of a commit.
pub(in super::super) fn token_like(value: &[u8]) -> bool {
    let made = makeup(value);
    value.len() >= 20 && made.hex < value.len() && made.special * 8 <= value.len() && made.digit >= 3 && entropy(value) >= 3.2
}

/// `crypto/fips/aes_gcm_x86_64`: what a machine makes has capitals, too, where it has slashes.
fn is_path(value: &[u8], made: &Makeup) -> bool {
    made.upper == 0 && made.lower > 0 && value.contains(&b'/')
}

/// `1.2.3-rc.1`, `v2.0.0+build5`, a date.
pub(super) fn is_version(value: &[u8]) -> bool {
    let value = value.strip_prefix(b"v").unwrap_or(value);
    let digits = value.iter().take_while(|b| b.is_ascii_digit()).count();
    digits > 0
        && digits <= 4
        && matches!(value.get(digits), Some(b'.' | b'-'))
        && value.get(digits + 1).is_some_and(u8::is_ascii_digit)
        && value.iter().filter(|b| matches!(b, b'.' | b'-')).count() >= 2
        && !is_uuid(value)
}

/// Shannon entropy in bits per byte.
pub(in super::super) fn entropy(value: &[u8]) -> f32 {
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
pub(super) struct Makeup {
    pub(super) lower: usize,
    pub(super) upper: usize,
    pub(super) digit: usize,
    pub(super) hex: usize,
    pub(super) special: usize,
    /// Bytes that stand in code and prose and seldom in tokens.
    pub(super) code: usize,
    /// Changes between letters of a case, digits and the rest: words change seldom.
    pub(super) turns: usize,
}

pub(super) fn makeup(value: &[u8]) -> Makeup {
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
pub(super) fn random(value: &[u8], weak: bool) -> bool {
    let length = value.len();
    if !(if weak { 24..=256 } else { 15..=VALUE_MAX }).contains(&length) {
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
pub(super) fn words_in(value: &[u8]) -> usize {
    ["the", "ing", "tion", "name", "key", "test", "user", "pass", "file", "data", "code", "token"]
        .iter()
        .filter(|word| contains_folded(value, word.as_bytes()))
        .count()
}

/// `8-4-4-4-12` hexadecimal digits.
pub(in super::super) fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

pub(super) fn contains_folded(value: &[u8], needle: &[u8]) -> bool {
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
pub(in super::super) fn placeholder(value: &[u8]) -> bool {
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

/// `AES_128_KEY`: a constant's name.
pub(super) fn is_shouted(value: &[u8], made: &Makeup) -> bool {
    made.lower == 0 && value.contains(&b'_') && made.digit * 3 <= value.len() && made.upper * 2 >= value.len()
}

/// `public_exponent=65537`.
fn is_keyword_argument(value: &[u8]) -> bool {
    memchr::memchr(b'=', value).is_some_and(|at| {
        at >= 3
            && value.get(at + 1).is_some_and(|next| *next != b'=')
            && value[..at].iter().all(|b| b.is_ascii_lowercase() || *b == b'_')
    })
}

/// Whether a value only stands where a secret will be, or was typed along the keys.
pub(in super::super) fn made_up(value: &[u8]) -> bool {
    placeholder(value) || TYPED.iter().any(|typed| contains_folded(value, typed.as_bytes()))
}

/// `ACCESS_TOKEN_URL = ASANA_TOKEN_EXCHANGE_URL`: a name given another name.
pub(super) fn same_words(value: &[u8]) -> bool {
    let made = makeup(value);
    // SHOUTED_NAMES_2 and dotted.paths of plain words are code, and so are `self.x` and `name=65537`.
    value.windows(2).any(|w| w == b"::")
        || is_shouted(value, &made)
        || [b"self.".as_slice(), b"this.", b"cls."].iter().any(|head| value.starts_with(head))
        || is_keyword_argument(value)
        || made.digit == 0 && (made.lower == 0 || made.upper == 0) && made.special > 0
        || value.contains(&b'.')
            && made.digit <= 2
            && value.split(|b| *b == b'.').all(|part| part.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_'))
            && made.turns < 12
}
