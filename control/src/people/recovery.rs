//! Recovery codes: a sheet of ten, each good once, for whoever lost every passkey.

use schema::queries::identity;
use tokio_postgres::Transaction;

use super::{Error, secret};

/// LIMIT: how many a sheet has.
const COUNT: usize = 10;

/// Crockford's base 32: no letter looks like a digit.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// LIMIT: 80 bits, more than anybody can try against a stored digest.
const LETTERS: usize = 16;

/// A new sheet; the one before is good for nothing from now on.
pub(super) async fn renew(transaction: &Transaction<'_>, account: &str) -> Result<Vec<String>, Error> {
    identity::drop_recovery_codes().bind(transaction, &account).await?;
    let mut codes = Vec::with_capacity(COUNT);
    for _ in 0..COUNT {
        let code = code(secret::bytes::<LETTERS>()?);
        identity::put_recovery_code().bind(transaction, &&digest(account, &code)[..], &account).await?;
        codes.push(code);
    }
    Ok(codes)
}

fn code(bytes: [u8; LETTERS]) -> String {
    let letter = |byte: &u8| char::from(ALPHABET[usize::from(byte % 32)]);
    let letters: Vec<char> = bytes.iter().map(letter).collect();
    letters.chunks(4).map(|part| part.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

/// What is stored of a code, however it was typed.
pub(super) fn digest(account: &str, typed: &str) -> [u8; 32] {
    let letters = typed.chars().filter(char::is_ascii_alphanumeric).map(|letter| match letter.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    });
    let letters: String = letters.take(64).collect();
    secret::digest(&format!("recovery\0{account}\0{letters}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_however_they_are_typed() {
        let code = code([0, 1, 31, 10, 255, 32, 18, 20, 21, 22, 23, 24, 25, 26, 27, 28]);
        assert_eq!(code, "01ZA-Z0JM-NPQR-STVW");
        assert_eq!(digest("ann", &code), digest("ann", " oLza z0jm.npqr stvw "));
        assert_ne!(digest("ann", &code), digest("bob", &code));
    }
}
