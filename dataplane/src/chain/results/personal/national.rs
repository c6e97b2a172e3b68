//! Numbers that states give to people. A number without check digits, or with weak ones, counts only where a word says
//! what it is.

use super::{Context, ends, is_word, luhn};

/// A number that begins `text`; how many bytes it takes.
pub(super) fn find(context: Context<'_>, text: &[u8]) -> Option<usize> {
    let forms: &[Form] = match text.first()? {
        b'0'..=b'9' => NUMBERS,
        byte if byte.is_ascii_alphabetic() => WORDS,
        _ => return None,
    };
    forms.iter().find_map(|form| form.read(context, text))
}

/// How one kind of number is written and checked.
struct Form {
    /// `0` a digit, `A` a letter, `*` either, `-` one of ` -./`, `_` one of those or nothing, anything else itself.
    pattern: &'static str,
    /// Words of which one must say what it is; none where the number speaks for itself.
    words: &'static [&'static str],
    /// Whether the letters (upper case) and digits are such a number.
    check: fn(&[u8]) -> bool,
}

/// LIMIT: letters and digits of the longest form.
const SIGNS_MAX: usize = 18;

impl Form {
    fn read(&self, context: Context<'_>, text: &[u8]) -> Option<usize> {
        let mut signs = arrayvec::ArrayVec::<u8, SIGNS_MAX>::new();
        let mut at = 0;
        for wanted in self.pattern.bytes() {
            let byte = text.get(at).copied().unwrap_or(0);
            let is_mark = matches!(byte, b' ' | b'-' | b'.' | b'/');
            let fits = match wanted {
                b'0' => byte.is_ascii_digit(),
                b'A' => byte.is_ascii_alphabetic(),
                b'*' => byte.is_ascii_alphanumeric(),
                b'-' => is_mark,
                b'_' if !is_mark => continue,
                b'_' => true,
                sign => byte == sign,
            };
            if !fits {
                return None;
            }
            if byte.is_ascii_alphanumeric() {
                signs.try_push(byte.to_ascii_uppercase()).ok()?;
            }
            at += 1;
        }
        let rest = text.get(at..)?;
        let is_over =
            if signs.last().is_some_and(u8::is_ascii_digit) { ends(rest) } else { !rest.first().is_some_and(|b| is_word(*b)) };
        (is_over && (self.check)(&signs) && (self.words.is_empty() || context.says(self.words))).then_some(at)
    }
}

/// Those that begin with a digit.
const NUMBERS: &[Form] = &[
    Form { pattern: "000-00-0000", words: &[], check: us_ssn },
    Form { pattern: "000000000", words: &["ssn", "social security", "social_security"], check: us_ssn },
    Form { pattern: "00000000_A", words: &[], check: es_dni },
    Form { pattern: "0_00_00_00_000_000_00", words: &[], check: fr_nir },
    Form { pattern: "00_000_000_000", words: &["steuer", "idnr", "tax id", "tax_id", "taxid"], check: de_tax },
    Form { pattern: "000000000", words: &["bsn", "burgerservice"], check: nl_bsn },
    Form { pattern: "00000000000", words: &["pesel"], check: pl_pesel },
    Form { pattern: "000000-0000", words: &[], check: se_number },
    Form { pattern: "00000000-0000", words: &[], check: se_number },
    Form { pattern: "000000-0000", words: &["cpr", "personnummer"], check: dk_cpr },
    Form { pattern: "000000-000*", words: &[], check: fi_code },
    Form { pattern: "000000A000*", words: &["hetu", "henkil"], check: fi_code },
    Form { pattern: "000.000.000-00", words: &[], check: br_cpf },
    Form { pattern: "00000000000", words: &["cpf"], check: br_cpf },
    Form { pattern: "0000 0000 0000", words: &[], check: in_aadhaar },
    Form { pattern: "000000000000", words: &["aadhaar", "aadhar", "uidai"], check: in_aadhaar },
    Form { pattern: "000_000_000", words: &["social insurance", "sin:", "sin number", "assurance sociale"], check: ca_sin },
    Form { pattern: "00000000000000000*", words: &[], check: cn_id },
    Form { pattern: "000000-0000000", words: &[], check: kr_rrn },
    Form { pattern: "756.0000.0000.00", words: &[], check: ch_ahv },
    Form { pattern: "00.00.00-000.00", words: &[], check: be_number },
];

/// Those that begin with a letter.
const WORDS: &[Form] = &[
    Form { pattern: "AA_00_00_00_A", words: &[], check: gb_nino },
    Form { pattern: "A_0000000_A", words: &[], check: es_nie },
    Form { pattern: "AAAAAA00A00A000A", words: &[], check: it_code },
    Form { pattern: "AAAA000000AAAAAA*0", words: &[], check: mx_curp },
];

fn digit(sign: u8) -> u32 {
    u32::from(sign.wrapping_sub(b'0'))
}

/// The decimal number of some digits; `None` where one is not a digit.
fn number(signs: &[u8]) -> Option<u64> {
    signs.iter().try_fold(0, |value: u64, sign| sign.is_ascii_digit().then(|| value * 10 + u64::from(digit(*sign))))
}

fn part(signs: &[u8], from: usize, length: usize) -> u64 {
    signs.get(from..from + length).and_then(number).unwrap_or(0)
}

/// The sum of the digits times their weights.
fn weighted(signs: &[u8], weights: &[u32]) -> u32 {
    signs.iter().zip(weights).map(|(sign, weight)| digit(*sign) * weight).sum()
}

fn is_day(month: u64, day: u64) -> bool {
    (1..=12).contains(&month) && (1..=31).contains(&day)
}

fn us_ssn(signs: &[u8]) -> bool {
    let (area, group, serial) = (part(signs, 0, 3), part(signs, 3, 2), part(signs, 5, 4));
    area != 0 && area != 666 && area < 900 && group != 0 && serial != 0
}

fn spanish_letter(value: u64) -> u8 {
    b"TRWAGMYFPDXBNJZSQVHLCKE".get(usize::try_from(value % 23).unwrap_or(0)).copied().unwrap_or(0)
}

fn es_dni(signs: &[u8]) -> bool {
    signs.last() == Some(&spanish_letter(part(signs, 0, 8)))
}

fn es_nie(signs: &[u8]) -> bool {
    let Some(head) = signs.first().and_then(|sign| b"XYZ".iter().position(|letter| letter == sign)) else { return false };
    signs.last() == Some(&spanish_letter(head as u64 * 10_000_000 + part(signs, 1, 7)))
}

fn fr_nir(signs: &[u8]) -> bool {
    let month = part(signs, 3, 2);
    matches!(signs.first(), Some(b'1' | b'2'))
        && ((1..=12).contains(&month) || (20..=42).contains(&month) || (50..=99).contains(&month))
        && 97 - part(signs, 0, 13) % 97 == part(signs, 13, 2)
}

/// ISO 7064, mod 11,10.
fn de_tax(signs: &[u8]) -> bool {
    let Some((check, body)) = signs.split_last() else { return false };
    let product = body.iter().fold(10, |product, sign| match (digit(*sign) + product) % 10 {
        0 => 20 % 11,
        sum => sum * 2 % 11,
    });
    signs.first() != Some(&b'0') && (11 - product) % 10 == digit(*check)
}

fn nl_bsn(signs: &[u8]) -> bool {
    let Some((check, body)) = signs.split_last() else { return false };
    let sum = weighted(body, &[9, 8, 7, 6, 5, 4, 3, 2]);
    sum > 0 && sum % 11 == digit(*check)
}

fn pl_pesel(signs: &[u8]) -> bool {
    is_day(part(signs, 2, 2) % 20, part(signs, 4, 2)) && weighted(signs, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).is_multiple_of(10)
}

/// With or without the century.
fn se_number(signs: &[u8]) -> bool {
    let short = signs.get(signs.len().saturating_sub(10)..).unwrap_or_default();
    let digits: arrayvec::ArrayVec<u8, 10> = short.iter().map(|sign| sign.wrapping_sub(b'0')).take(10).collect();
    let century = signs.len() == 10 || matches!(part(signs, 0, 2), 18..=20);
    // Numbers of people without a fixed one add 60 to the day.
    century && is_day(part(short, 2, 2), part(short, 4, 2) % 60) && luhn(&digits)
}

fn dk_cpr(signs: &[u8]) -> bool {
    is_day(part(signs, 2, 2), part(signs, 0, 2))
}

fn fi_code(signs: &[u8]) -> bool {
    // The sign of the century may be a letter.
    let digits: arrayvec::ArrayVec<u8, SIGNS_MAX> =
        signs.iter().copied().enumerate().filter(|(at, sign)| *at != 6 || sign.is_ascii_digit()).map(|(_, sign)| sign).collect();
    let Some((check, body)) = digits.split_last() else { return false };
    let wanted = number(body).and_then(|value| b"0123456789ABCDEFHJKLMNPRSTUVWXY".get(usize::try_from(value % 31).ok()?));
    body.len() == 9 && is_day(part(&digits, 2, 2), part(&digits, 0, 2)) && wanted == Some(check)
}

fn br_cpf(signs: &[u8]) -> bool {
    let check = |length: usize| {
        let sum: u32 =
            signs.iter().take(length).zip((2..=length as u32 + 1).rev()).map(|(sign, weight)| digit(*sign) * weight).sum();
        let rest = sum * 10 % 11 % 10;
        signs.get(length).is_some_and(|sign| digit(*sign) == rest)
    };
    signs.iter().any(|sign| Some(sign) != signs.first()) && check(9) && check(10)
}

/// The check of Verhoeff.
fn in_aadhaar(signs: &[u8]) -> bool {
    const MULTIPLY: [[usize; 10]; 10] = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
        [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
        [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
        [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
        [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
        [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
        [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
        [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
        [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
    ];
    const PERMUTE: [[usize; 10]; 8] = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
        [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
        [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
        [9, 4, 5, 3, 1, 2, 6, 8, 7, 0],
        [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
        [2, 7, 9, 3, 8, 0, 6, 4, 1, 5],
        [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
    ];
    let check = signs.iter().rev().enumerate().try_fold(0_usize, |check, (place, sign)| {
        let digit = usize::try_from(digit(*sign)).ok()?;
        MULTIPLY.get(check)?.get(*PERMUTE.get(place % 8)?.get(digit)?).copied()
    });
    matches!(signs.first(), Some(b'2'..=b'9')) && check == Some(0)
}

fn ca_sin(signs: &[u8]) -> bool {
    let digits: arrayvec::ArrayVec<u8, SIGNS_MAX> = signs.iter().map(|sign| sign.wrapping_sub(b'0')).collect();
    !matches!(signs.first(), Some(b'0' | b'8')) && luhn(&digits)
}

/// ISO 7064, mod 11-2.
fn cn_id(signs: &[u8]) -> bool {
    let sum = weighted(signs, &[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
    let wanted = b"10X98765432".get(usize::try_from(sum % 11).unwrap_or(0));
    matches!(part(signs, 6, 2), 18..=20) && is_day(part(signs, 10, 2), part(signs, 12, 2)) && signs.last() == wanted
}

fn kr_rrn(signs: &[u8]) -> bool {
    is_day(part(signs, 2, 2), part(signs, 4, 2)) && matches!(signs.get(6), Some(b'1'..=b'8'))
}

/// EAN-13.
fn ch_ahv(signs: &[u8]) -> bool {
    weighted(signs, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]).is_multiple_of(10)
}

fn be_number(signs: &[u8]) -> bool {
    let body = part(signs, 0, 9);
    let check = part(signs, 9, 2);
    part(signs, 2, 2) <= 12 && part(signs, 4, 2) <= 31 && (97 - body % 97 == check || 97 - (2_000_000_000 + body) % 97 == check)
}

fn gb_nino(signs: &[u8]) -> bool {
    let (Some(first), Some(second), Some(last)) = (signs.first(), signs.get(1), signs.last()) else { return false };
    let prefix = [*first, *second];
    !b"DFIQUV".contains(first)
        && !b"DFIOQUV".contains(second)
        && ![b"BG", b"GB", b"NK", b"KN", b"TN", b"NT", b"ZZ"].contains(&&prefix)
        && (b'A'..=b'D').contains(last)
}

fn it_code(signs: &[u8]) -> bool {
    // What a sign at an odd place (from one) counts, by its place in the alphabet or its digit.
    const ODD: [u32; 26] = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let Some((check, body)) = signs.split_last() else { return false };
    let sum: u32 = body
        .iter()
        .enumerate()
        .map(|(place, sign)| {
            let value = u32::from(if sign.is_ascii_digit() { sign - b'0' } else { sign.wrapping_sub(b'A') });
            if place % 2 == 0 { ODD.get(value as usize).copied().unwrap_or(0) } else { value }
        })
        .sum();
    u32::from(check.wrapping_sub(b'A')) == sum % 26
}

fn mx_curp(signs: &[u8]) -> bool {
    matches!(signs.get(1), Some(b'A' | b'E' | b'I' | b'O' | b'U' | b'X'))
        && is_day(part(signs, 6, 2), part(signs, 8, 2))
        && matches!(signs.get(10), Some(b'H' | b'M' | b'X'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn length(label: &str, text: &str) -> Option<usize> {
        find(Context { label, before: b"" }, text.as_bytes())
    }

    #[test]
    fn numbers_of_people_are_found_by_form_and_check() {
        for text in [
            "536-90-4399",
            "12345678Z",
            "X1234567L",
            "1 85 05 78 006 084 91",
            "811218-9876",
            "19811218-9876",
            "131052-308T",
            "529.982.247-25",
            "2341 2341 2346",
            "11010519491231002X",
            "900101-1234567",
            "756.9217.0769.85",
            "85.07.30-033.28",
            "AB 12 34 56 C",
            "RSSMRA85T10A562S",
            "HEGG560427MVZRRL04",
        ] {
            assert_eq!(length("", text), Some(text.len()), "{text}");
        }
    }

    #[test]
    fn weak_numbers_need_a_word() {
        for (label, text) in [
            ("ssn", "536904399"),
            ("steuer_id", "86095742719"),
            ("bsn", "111222333"),
            ("pesel", "44051401359"),
            ("cpf", "52998224725"),
            ("cpr", "150273-1112"),
            ("social insurance number", "046 454 286"),
        ] {
            let expect = if label.starts_with("social") { None } else { Some(text.len()) };
            assert_eq!(length(label, text), expect, "{text}");
            assert_eq!(length("", text), None, "{text}");
        }
        assert_eq!(length("social insurance number", "130 692 544"), Some(11));
    }

    #[test]
    fn wrong_checks_are_other_numbers() {
        for text in [
            "666-12-3456",
            "12345678A",
            "811218-9875",
            "529.982.247-26",
            "2341 2341 2345",
            "RSSMRA85T10A562T",
            "BG123456A",
            "20261126-0450",
        ] {
            assert_eq!(length("", text), None, "{text}");
        }
    }
}
