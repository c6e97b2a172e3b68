//! Decides whether an assigned value is a secret: what its name promises, how random it looks, and whether it
//! is one of the many things people write where a secret will be (`changeme`, `${VAR}`, `<token>`, `get()`).
//!
//! *Lives on* one shard, on the stack; every function looks at a name and a value of bounded length.

mod header;
mod name;
mod password;
mod value;
mod words;

use std::ops::Range;

use super::assignment::{Assignment, Operator, Quoting};
pub(super) use header::{basic_credentials, bearer_token, key_body, url_placeholder};
use name::Promise;
pub(super) use name::{Told, announcement, credential_words, promise, public_name, told};
use password::password;
use value::{PLAIN_VALUES, contains_folded, makeup, random, same_words};
pub(super) use value::{announced_value, clearly_random, entropy, machine_made, placeholder, token_like, vendor_value};

/// Which of the generic rules a value breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Password,
    Secret,
    Nothing,
}

/// Judges one assignment, whose name promises a secret.
pub(super) fn judge(text: &[u8], found: &Assignment, promise: Promise) -> Verdict {
    let name = &text[found.name.clone()];
    let value = &text[found.value.clone()];
    if value.len() < 4 || value.len() >= super::assignment::VALUE_MAX {
        return Verdict::Nothing;
    }
    let verdict = promised(text, name, value, found, promise);
    // Few values come so far.
    let names_another = || is_method(text, name, found) || is_sibling(name, value) || is_part(text, &found.name);
    if verdict != Verdict::Nothing && names_another() { Verdict::Nothing } else { verdict }
}

/// What the value is by itself, under a name that promises that much.
fn promised(text: &[u8], name: &[u8], value: &[u8], found: &Assignment, promise: Promise) -> Verdict {
    match promise {
        Promise::Password => password(text, name, value, found),
        Promise::Secret if found.quoting == Quoting::Quoted && (chosen_secret(value) || compared(name, value, found)) => {
            Verdict::Secret
        }
        Promise::Secret if is_number(value) && found.quoting == Quoting::Quoted => Verdict::Secret,
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

/// A number too long to count anything.
fn is_number(value: &[u8]) -> bool {
    (30..=64).contains(&value.len()) && value.iter().all(u8::is_ascii_digit) && entropy(value) >= 2.8
}

/// `password.encode("latin1")`: a call of something the secret can do.
fn is_method(text: &[u8], name: &[u8], found: &Assignment) -> bool {
    found.operator == Operator::Argument
        && text.get(found.name.end) == Some(&b'(')
        && memchr::memrchr(b'.', name).is_some_and(|dot| name::promise(&name[dot + 1..]).is_none())
}

/// `checksum/secret: …`, `arn:aws:secretsmanager:…:secret:prod/db-x`, `"AWS::IAM::AccessKey": …`: part of a longer name.
fn is_part(text: &[u8], name: &Range<usize>) -> bool {
    let before = &text[name.start.saturating_sub(96)..name.start];
    if before.ends_with(b"::") && matches!(text.get(name.end), Some(b'"' | b'\'')) {
        return true;
    }
    let before =
        &before[before.iter().rposition(|b| b.is_ascii_whitespace() || matches!(b, b'"' | b'\'')).map_or(0, |at| at + 1)..];
    before.ends_with(b"checksum/") || before.starts_with(b"arn:")
}

/// `TlsKeyU8, TlsKeyU16`, `PrivateKey = openssl.PrivateKey`: a name given another that begins or ends as it does.
fn is_sibling(name: &[u8], value: &[u8]) -> bool {
    let same = |(a, b): &(&u8, &u8)| a.eq_ignore_ascii_case(b);
    let begin = name.iter().zip(value).take_while(same).count();
    let end = name.iter().rev().zip(value.iter().rev()).take_while(same).count();
    (10..name.len()).contains(&begin) || name.len() >= 10 && end == name.len()
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
        && !PLAIN_VALUES.hold(value)
        && !placeholder(value)
}

/// Whether what stands where a secret will be is a template or another's name: `{self.password}`, `__PASSWORD__`,
/// `password_here`, `password=password, …`.
pub(super) fn stands_in(value: &[u8]) -> bool {
    matches!(value, [b'{', .., b'}'] | [b'<', .., b'>'] | [b'_', b'_', .., b'_', b'_'])
        || value.ends_with(b"_here")
        || value.ends_with(b"-here")
        || matches!(value, b"password," | b"password)" | b"passwd," | b"passwd)" | b"pwd," | b"pwd)")
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
            Outcome::Assigned(found) => promise(&text.as_bytes()[found.name.clone()])
                .map_or(Verdict::Nothing, |promise| judge(text.as_bytes(), &found, promise)),
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
