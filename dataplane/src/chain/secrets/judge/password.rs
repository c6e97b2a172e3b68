//! Whether a value under a password's name is a password, and not code, prose or a placeholder.
//!
//! *Lives on* one shard, on the stack; looks at values of bounded length.

use super::super::assignment::{Assignment, Operator, Quoting};
use super::Verdict;
use super::value::{Makeup, PLAIN_VALUES, is_shouted, made_up, makeup};

pub(super) fn password(text: &[u8], name: &[u8], value: &[u8], found: &Assignment) -> Verdict {
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
    // `.pass("x")`, `should_pass("x")`: what a test lets pass.
    if found.operator == Operator::Argument && text.get(found.name.end) == Some(&b'(') && is_verb(name) {
        return Verdict::Nothing;
    }
    // `getpass("Password: ")` asks for one.
    let asked = trimmed.trim_ascii_end();
    let asked = asked.strip_suffix(b":").or_else(|| asked.strip_suffix(b"?")).unwrap_or(trimmed);
    let plain = |value: &[u8]| PLAIN_VALUES.hold(value) || PLAIN_VALUES.hold(asked) || made_up(value) || is_shouted(value, &made);
    // `url.password`: what is somewhere else.
    let is_member = || {
        found.quoting == Quoting::Bare && memchr::memrchr(b'.', trimmed).is_some_and(|dot| PLAIN_VALUES.hold(&trimmed[dot + 1..]))
    };
    if strong && !value.eq_ignore_ascii_case(name) && !plain(trimmed) && !is_member() {
        Verdict::Password
    } else {
        Verdict::Nothing
    }
}

/// Whether the name of a function says `pass` and no longer word for a password.
fn is_verb(name: &[u8]) -> bool {
    !["password", "passwd", "passphrase", "passcode", "pwd"].iter().any(|word| super::contains_folded(name, word.as_bytes()))
}

/// `password = "thisismypassword"`: one lower-case word, long enough not to be one of the language.
pub(super) fn word_password(value: &[u8], made: &Makeup, found: &Assignment) -> bool {
    made.lower == value.len() && (10..=40).contains(&value.len()) && found.operator != Operator::Argument
        || found.operator == Operator::Compare && value.len() >= 6 && made.lower + made.digit == value.len()
}

/// A password literal right after the name of its user.
pub(super) fn beside_user(text: &[u8], value: &[u8], found: &Assignment) -> bool {
    // `"password": "Passwort"` beside `"login": "Anmelden"` is what a page says.
    let is_label =
        value.first().is_some_and(u8::is_ascii_uppercase) && value[1..].iter().all(|b| b.is_ascii_lowercase() || !b.is_ascii());
    if is_label || value.len() < 6 || !matches!(found.operator, Operator::Equals | Operator::Colon) {
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
pub(super) fn env_password(text: &[u8], value: &[u8], found: &Assignment) -> bool {
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
pub(super) fn quoted_password(value: &[u8], made: &Makeup) -> bool {
    if value.len() < 6 || value.len() > 128 || value.contains(&b'\n') {
        return false;
    }
    let spaces = value.iter().filter(|b| **b == b' ').count();
    if spaces > 0 || matches!(value.first(), Some(b'/' | b'.' | b'#' | b'-' | b'$' | b'@' | b':')) {
        return false;
    }
    // `auth.wrongPassword`, `javax.net.ssl.keyStorePassword`, `required|min:8`: names of something.
    let is_name = |mark: u8| {
        value.contains(&mark)
            && value.split(|b| *b == mark).all(|part| {
                part.first().is_some_and(u8::is_ascii_alphabetic)
                    && part.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':'))
            })
    };
    if is_name(b'.') && (made.digit == 0 || value.iter().filter(|b| **b == b'.').count() >= 3) || is_name(b'|') {
        return false;
    }
    // An address, an object identifier, a version.
    if made.lower + made.upper == 0 && value.contains(&b'.') && value.iter().all(|b| b.is_ascii_digit() || *b == b'.') {
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
pub(super) fn plain_phrase(value: &[u8]) -> bool {
    value.iter().all(|b| {
        b.is_ascii_alphabetic() || matches!(b, b'_' | b'-' | b'.' | b'/' | b' ' | b':' | b'%' | b'\'' | b',' | b'?' | b'!')
    })
}

pub(super) fn bare_password(value: &[u8], made: &Makeup, found: &Assignment, name: &[u8]) -> bool {
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
pub(super) fn identifier(value: &[u8], made: &Makeup) -> bool {
    made.digit <= 2
        && value.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
        && (made.upper == 0 && value.iter().any(|b| matches!(b, b'.' | b'_'))
            || made.lower == 0 && value.contains(&b'_')
            || value.len() < 8)
}
