//! Checks the checksums some providers put into their tokens. A right one proves that a token was really
//! issued; a wrong one proves nothing, since samples and truncated tokens fail it: it never gates.
//!
//! *Lives on* one shard, on the stack; called for findings only.
//! Source: <https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/>

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Whether a token of a format with a checksum has the right one.
pub(super) fn verifies(token: &[u8]) -> bool {
    let body = match token.iter().position(|b| *b == b'_') {
        Some(at) if matches!(&token[..at], b"ghp" | b"gho" | b"ghu" | b"ghs" | b"ghr" | b"npm") => &token[at + 1..],
        _ => return false,
    };
    let Some(split) = body.len().checked_sub(6) else { return false };
    let (entropy, checksum) = body.split_at(split);
    base62(crc32(entropy)) == *checksum
}

fn base62(mut value: u32) -> [u8; 6] {
    let mut out = [b'0'; 6];
    for digit in out.iter_mut().rev() {
        *digit = BASE62[(value % 62) as usize];
        value /= 62;
    }
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |mut crc, byte| {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
        crc
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_a_real_checksum_from_a_made_up_one() {
        let entropy = b"0123456789abcdefghijABCDEFGHIJ";
        let mut token = b"ghp_".to_vec();
        token.extend_from_slice(entropy);
        token.extend_from_slice(&base62(crc32(entropy)));
        assert!(verifies(&token));
        token[5] ^= 1;
        assert!(!verifies(&token));
        assert!(!verifies(b"AKIA0123456789ABCDEF"));
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
