//! Finds personal data in text: mail addresses, telephone numbers, payment cards, bank accounts, and (in
//! [`national`]) the numbers that states give to people.
//!
//! Each is known by its form and, where it has one, by its check digits. One pass looks at the places where a word or a
//! number begins; work is linear, because whatever is read from one place on is of bounded length.

use std::ops::Range;

use wire::results::Class;

mod national;

/// LIMIT: longest mail address, RFC 5321 section 4.5.3.1.
const EMAIL_BYTES_MAX: usize = 254;
/// LIMIT: a run without a break that is longer than this is no text.
const BLOB_BYTES_MIN: usize = 128;
/// LIMIT: what stands this far before a number may say what it is.
const LABEL_BYTES_MAX: usize = 40;

/// Which classes to look for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Mail addresses.
    pub(super) email: bool,
    /// Telephone numbers.
    pub(super) phone: bool,
    /// Payment cards.
    pub(super) card: bool,
    /// Bank accounts.
    pub(super) iban: bool,
    /// Numbers of people.
    pub(super) national: bool,
}

impl Wanted {
    /// Whether there is anything to do.
    pub(super) fn any(self) -> bool {
        self.email || self.phone || self.card || self.iban || self.national
    }
}

/// Reports every find in `text`, in no order; finds of two classes may overlap. `label` is the name that the text stands
/// under, such as the key of a JSON member.
pub(super) fn find(wanted: Wanted, label: &str, text: &str, mut found: impl FnMut(Class, Range<usize>)) {
    let bytes = text.as_bytes();
    if wanted.email {
        for at in memchr::memchr_iter(b'@', bytes) {
            if let Some(range) = email(bytes, at) {
                found(Class::Email, range);
            }
        }
    }
    if !(wanted.phone || wanted.card || wanted.iban || wanted.national) {
        return;
    }
    let (mut inside, mut blob_until) = (false, 0);
    for (at, byte) in bytes.iter().enumerate() {
        let begins = !inside;
        inside = is_word(*byte);
        // A plus sign begins a telephone number, a bracket an area code.
        if !begins || !inside && !matches!(byte, b'+' | b'(') {
            continue;
        }
        let rest = bytes.get(at..).unwrap_or_default();
        if at >= blob_until {
            blob_until = at + blob(rest);
        }
        if at < blob_until {
            continue;
        }
        let mut report = |class, length: Option<usize>| {
            if let Some(length) = length {
                found(class, at..at + length);
            }
        };
        if wanted.card && byte.is_ascii_digit() {
            report(Class::Card, card(rest));
        }
        if wanted.iban && byte.is_ascii_alphabetic() {
            report(Class::Iban, iban(rest));
        }
        let context = Context { label, before: bytes.get(at.saturating_sub(LABEL_BYTES_MAX)..at).unwrap_or_default() };
        if wanted.phone {
            report(Class::Phone, phone(context, rest));
        }
        if wanted.national {
            report(Class::NationalId, national::find(context, rest));
        }
    }
}

/// How long a run of base64 that begins here is, if it is a long one: a picture holds every number by chance.
fn blob(text: &[u8]) -> usize {
    let belongs = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_');
    let head = text.get(..BLOB_BYTES_MIN).unwrap_or_default();
    let is_blob = head.iter().any(u8::is_ascii_lowercase)
        && head.iter().any(u8::is_ascii_uppercase)
        && head.iter().all(|byte| belongs(&byte));
    if is_blob { text.iter().take_while(belongs).count() } else { 0 }
}

/// What stands around a number and may say what it is.
#[derive(Clone, Copy)]
struct Context<'a> {
    label: &'a str,
    before: &'a [u8],
}

impl Context<'_> {
    /// Whether one of `words` (lower case) is the label's or stands shortly before.
    fn says(&self, words: &[&str]) -> bool {
        words.iter().any(|word| {
            let holds = |text: &[u8]| text.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()));
            holds(self.label.as_bytes()) || holds(self.before)
        })
    }
}

/// Letters, digits, and every byte of a letter beyond ASCII.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Whether what follows a number does not belong to it: no letter or digit, and no decimals.
fn ends(rest: &[u8]) -> bool {
    match rest {
        [] => true,
        [byte, ..] if is_word(*byte) => false,
        [b'.' | b'-' | b'/', byte, ..] => !byte.is_ascii_digit(),
        _ => true,
    }
}

/// The address around the sign at `at`.
fn email(text: &[u8], at: usize) -> Option<Range<usize>> {
    let local = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~.-".contains(byte) || *byte >= 0x80;
    let head = text.get(at.saturating_sub(64)..at)?;
    let before = head.iter().rev().take_while(|byte| local(byte)).count();
    let mut start = at - before;
    // Punctuation before an address is not its own.
    while text.get(start..at).is_some_and(|head| head.first().is_some_and(|byte| byte.is_ascii_punctuation())) {
        start += 1;
    }
    // `git@host:path` is a place of a repository.
    if start == at || text.get(start..at) == Some(b"git") {
        return None;
    }
    let tail = text.get(at + 1..text.len().min(at + EMAIL_BYTES_MAX))?;
    let run =
        tail.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-') || **byte >= 0x80).count();
    let domain = tail.get(..run)?;
    let end = domain.iter().rposition(|byte| !matches!(byte, b'.' | b'-'))? + 1;
    let domain = domain.get(..end)?;
    let mut labels = domain.rsplit(|byte| *byte == b'.');
    let top = labels.next()?;
    let is_top = top.len() >= 2 && top.iter().all(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80) || top.starts_with(b"xn--");
    let names: usize = labels.try_fold(0, |count, label| (!label.is_empty()).then_some(count + 1))?;
    // `icon@2x.png` is a file.
    let is_file = FILE_ENDINGS.iter().any(|ending| top.eq_ignore_ascii_case(ending.as_bytes()));
    (is_top && names > 0 && !is_file).then_some(start..at + 1 + end)
}

/// Endings of files that are called `name@2x.png`.
const FILE_ENDINGS: [&str; 10] = ["png", "jpg", "jpeg", "gif", "webp", "svg", "css", "js", "ts", "json"];

/// Reads digits that stand alone or between single separators; how many bytes they take.
fn digits<const N: usize>(text: &[u8], separators: &[u8], out: &mut arrayvec::ArrayVec<u8, N>) -> usize {
    let mut at = 0;
    loop {
        match text.get(at..).unwrap_or_default() {
            [digit @ b'0'..=b'9', ..] if !out.is_full() => {
                out.push(digit - b'0');
                at += 1;
            }
            [separator, b'0'..=b'9', ..] if !out.is_empty() && separators.contains(separator) && !out.is_full() => at += 1,
            _ => return at,
        }
    }
}

/// The check of ISO/IEC 7812-1.
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit) * 2) {
            (0, _) => u32::from(*digit),
            (_, twice) if twice > 9 => twice - 9,
            (_, twice) => twice,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Prefixes of issuers, first to last, with the lengths of their numbers, first to last.
const ISSUERS: [(u32, u32, usize, usize); 15] = [
    (400_000, 499_999, 13, 19), // Visa
    (510_000, 559_999, 16, 16), // Mastercard
    (222_100, 272_099, 16, 16), // Mastercard
    (340_000, 349_999, 15, 15), // American Express
    (370_000, 379_999, 15, 15),
    (300_000, 305_999, 14, 19), // Diners Club
    (360_000, 369_999, 14, 19),
    (380_000, 399_999, 14, 19),
    (352_800, 358_999, 16, 19), // JCB
    (601_100, 601_199, 16, 19), // Discover
    (644_000, 659_999, 16, 19), // Discover, RuPay
    (620_000, 629_999, 16, 19), // UnionPay
    (500_000, 509_999, 13, 19), // Maestro, Elo, RuPay
    (560_000, 589_999, 13, 19), // Maestro
    (220_000, 220_499, 16, 19), // Mir
];

/// A card number, alone or in groups.
fn card(text: &[u8]) -> Option<usize> {
    let mut number = arrayvec::ArrayVec::<u8, 20>::new();
    let length = digits(text, b" -", &mut number);
    let prefix = number.iter().take(6).fold(0, |prefix, digit| prefix * 10 + u32::from(*digit));
    let issued = ISSUERS.iter().any(|(first, last, shortest, longest)| {
        (*first..=*last).contains(&prefix) && (*shortest..=*longest).contains(&number.len())
    });
    (issued && luhn(&number) && ends(text.get(length..)?)).then_some(length)
}

/// Length of the account numbers of each country (the IBAN registry of SWIFT).
const IBAN_LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// An international bank account number (ISO 13616), alone or in groups.
fn iban(text: &[u8]) -> Option<usize> {
    let country = text.first_chunk::<2>()?.map(|byte| byte.to_ascii_uppercase());
    if !text.get(2..4)?.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let (_, wanted) = IBAN_LENGTHS.iter().find(|(name, _)| **name == country)?;
    let mut number = arrayvec::ArrayVec::<u8, 34>::new();
    let mut length = 0;
    while number.len() < *wanted {
        match text.get(length..)? {
            [byte, ..] if byte.is_ascii_alphanumeric() => {
                number.push(byte.to_ascii_uppercase());
                length += 1;
            }
            [b' ' | b'-', byte, ..] if byte.is_ascii_alphanumeric() => length += 1,
            _ => return None,
        }
    }
    let (head, account) = number.split_at_checked(4)?;
    let rest = account.iter().chain(head).fold(0_u32, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        letter => (rest * 100 + u32::from(letter - b'A') + 10) % 97,
    });
    (rest == 1 && text.get(length).is_none_or(|byte| !is_word(*byte))).then_some(length)
}

/// Words that say that a number is a telephone's.
const PHONE_WORDS: [&str; 8] = ["phone", "mobile", "tel:", "tel.", "telefon", "handy", "whatsapp", "fax"];

/// A telephone number: international (E.164), North American, or any where a word says so.
fn phone(context: Context<'_>, text: &[u8]) -> Option<usize> {
    let mut number = arrayvec::ArrayVec::<u8, 16>::new();
    if let Some(rest) = text.strip_prefix(b"+") {
        let length = 1 + phone_digits(rest, &mut number);
        let is_number = (8..=15).contains(&number.len()) && number.first() != Some(&0);
        return (is_number && ends(text.get(length..)?)).then_some(length);
    }
    let length = phone_digits(text, &mut number);
    if !ends(text.get(length..)?) {
        return None;
    }
    let written = text.get(..length)?;
    let national = match number.as_slice() {
        [1, rest @ ..] if rest.len() == 10 => rest,
        all => all,
    };
    // `(415) 555-2671`, `415-555-2671`, `415.555.2671`: area and exchange never begin with 0 or 1.
    let is_north_american = matches!(national, [2..=9, _, _, 2..=9, _, _, _, _, _, _])
        && written.iter().filter(|byte| matches!(byte, b'-' | b'.' | b')')).count() >= 2;
    let is_said = (7..=15).contains(&number.len()) && (context.says(&PHONE_WORDS) || says_tel(context.label));
    (is_north_american || is_said).then_some(length)
}

fn says_tel(label: &str) -> bool {
    label
        .split(|letter: char| !letter.is_ascii_alphabetic())
        .any(|word| word.eq_ignore_ascii_case("tel") || word.eq_ignore_ascii_case("cell"))
}

/// Digits with the marks that people write between them; how many bytes they take.
fn phone_digits(text: &[u8], out: &mut arrayvec::ArrayVec<u8, 16>) -> usize {
    let (mut at, mut end, mut marks) = (0, 0, 0);
    let mut open = false;
    while let Some(byte) = text.get(at) {
        match byte {
            b'0'..=b'9' if !out.is_full() => {
                out.push(byte - b'0');
                marks = 0;
                end = at + 1;
            }
            b'(' if !open => {
                open = true;
                marks += 1;
            }
            b')' if open => {
                open = false;
                marks += 1;
            }
            b' ' | b'-' | b'.' | b'/' if !out.is_empty() => marks += 1,
            _ => break,
        }
        // `) ` and ` (`, `) - `, but no more.
        if marks > 3 {
            break;
        }
        at += 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Wanted = Wanted { email: true, phone: true, card: true, iban: true, national: true };

    fn found(label: &str, text: &str) -> Vec<(Class, String)> {
        let mut finds = Vec::new();
        find(ALL, label, text, |class, range| finds.push((class, text[range].to_owned())));
        finds.sort();
        finds
    }

    #[test]
    fn personal_data_are_found() {
        for (text, class, what) in [
            ("write to ann.o'neil+x@mail.example.co.uk.", Class::Email, "ann.o'neil+x@mail.example.co.uk"),
            ("<mailto:jörg@bücher.example>", Class::Email, "mailto:jörg@bücher.example"),
            ("\"a@b.example\"", Class::Email, "a@b.example"),
            ("card 4111 1111 1111 1111 exp", Class::Card, "4111 1111 1111 1111"),
            ("5555-5555-5555-4444", Class::Card, "5555-5555-5555-4444"),
            ("378282246310005", Class::Card, "378282246310005"),
            ("6011000990139424.", Class::Card, "6011000990139424"),
            ("to DE89 3704 0044 0532 0130 00 today", Class::Iban, "DE89 3704 0044 0532 0130 00"),
            ("GB82WEST12345698765432", Class::Iban, "GB82WEST12345698765432"),
            ("no9386011117947", Class::Iban, "no9386011117947"),
            ("call +49 (0)30 901820, please", Class::Phone, "+49 (0)30 901820"),
            ("+14155552671", Class::Phone, "+14155552671"),
            ("(415) 555-2671", Class::Phone, "(415) 555-2671"),
            ("415.555.2671", Class::Phone, "415.555.2671"),
            ("1-415-555-2671", Class::Phone, "1-415-555-2671"),
            ("mobile: 0171 1234567", Class::Phone, "0171 1234567"),
        ] {
            let finds = found("text", text);
            let what = what.strip_prefix("mailto:").unwrap_or(what);
            assert!(finds.contains(&(class, what.to_owned())), "{text}: {finds:?}");
        }
        assert_eq!(found("phone_number", "0301234567"), [(Class::Phone, "0301234567".to_owned())]);
    }

    #[test]
    fn other_numbers_and_words_are_left_alone() {
        for text in [
            "",
            "@",
            "a@b",
            "icon@2x.png",
            "npm i @scope/pkg@1.2.3",
            "git@github.com:o/r.git",
            "4111111111111112",
            "order 1234567812345670",
            "4111111111111111234",
            "2026-11-26T04:50:49.123456789Z",
            "1764132649123",
            "192.168.100.200",
            "v415.555.26711",
            "DE89370400440532013001",
            "0x4111111111111111",
            "DE89",
            "3.141592653589793",
            "555-2671",
            "10.1000/182-555-2671",
            "+1",
            "1 + 2345678",
            "550e8400-e29b-41d4-a716-446655440000",
            "lines 100-200, 300-4000",
        ] {
            assert_eq!(found("text", text), [], "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_gives_ranges_of_it(label in ".{0,12}", text in "[-+(). /@a-zA-Z0-9ä€]{0,80}") {
            find(ALL, &label, &text, |_, range| assert!(text.get(range.clone()).is_some_and(|part| !part.is_empty()), "{range:?}"));
        }
    }
}
