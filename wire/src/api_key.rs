//! API keys as they are written: `spk_<id>_<secret>`. The id is public and names the key in lists and audit rows; the
//! whole text is the credential. What is stored is its keyed hash, which says nothing without the key of the hash.

use crate::ids::ApiKeyId;

/// What every key begins with, so that people and scanners know one when they see it.
pub const PREFIX: &str = "spk_";

/// Hex digits of the id.
pub const ID_DIGITS: usize = 16;

/// Hex digits of the secret: 256 bits, which nobody guesses.
pub const SECRET_DIGITS: usize = 64;

/// Bytes of a key.
pub const KEY_BYTES: usize = PREFIX.len() + ID_DIGITS + 1 + SECRET_DIGITS;

/// The id of a key. `None` for what is not written exactly as a key is: each has one spelling.
pub fn id_of(text: &str) -> Option<&str> {
    if text.len() != KEY_BYTES {
        return None;
    }
    let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
    (id.len() == ID_DIGITS && secret.len() == SECRET_DIGITS && is_hex(id) && is_hex(secret)).then_some(id)
}

/// Whether a text is lower-case hex digits alone.
pub fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Writes a key out of random bytes.
pub fn write(id: [u8; ID_DIGITS / 2], secret: &[u8; SECRET_DIGITS / 2]) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("{PREFIX}{}_{}", hex(&id), hex(secret))
}

/// The id of a key that was written here.
///
/// # Errors
/// The text is not a key.
pub fn parse_id(text: &str) -> Result<ApiKeyId, crate::ids::IdError> {
    id_of(text).unwrap_or_default().parse()
}

/// What is stored of a key. `blake3::Hash` compares in constant time.
pub fn hash(key: &[u8; 32], text: &str) -> blake3::Hash {
    blake3::keyed_hash(key, text.as_bytes())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_written_and_in_no_other_way() {
        let text = write([0xab; 8], &[0x01; 32]);
        assert_eq!(id_of(&text), Some("abababababababab"));
        assert_eq!(parse_id(&text).unwrap().as_str(), "abababababababab");
        assert_eq!(text.len(), KEY_BYTES);
        let no = |text: &str| assert_eq!(id_of(text), None, "{text}");
        for cut in 0..text.len() {
            no(&text[..cut]);
        }
        no(&text.to_uppercase());
        no(&text.replace("ab", "aB"));
        no(&text.replace('_', "-"));
        no(&format!("{text}0"));
        no(&format!(" {text}"));
        no(&text.replacen("ab", "_b", 1));
        no(&format!("spk_{}_{}", "é".repeat(8), "0".repeat(64)));
        no("");
    }

    #[test]
    fn a_hash_says_nothing_without_its_key() {
        let text = write([1; 8], &[2; 32]);
        assert_eq!(hash(&[3; 32], &text), hash(&[3; 32], &text));
        assert_ne!(hash(&[3; 32], &text), hash(&[4; 32], &text));
        assert_ne!(hash(&[3; 32], &text), hash(&[3; 32], &write([1; 8], &[3; 32])));
    }
}
