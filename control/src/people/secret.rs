//! Random values that browsers and people keep, and what is stored of them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Error;

/// What domain the tokens of forms are derived in.
const CSRF: &str = "sp 2026-11-26 token of a form, from the cookie of its browser";

/// 256 random bits as text for a cookie, a link or a challenge.
///
/// # Errors
/// The machine has no randomness.
pub fn random() -> Result<String, Error> {
    Ok(URL_SAFE_NO_PAD.encode(bytes::<32>()?))
}

/// Random bytes.
///
/// # Errors
/// The machine has no randomness.
pub fn bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Error::Random)?;
    Ok(bytes)
}

/// What is stored of a secret that is too random to be guessed.
pub fn digest(secret: &str) -> [u8; 32] {
    *blake3::hash(secret.as_bytes()).as_bytes()
}

/// What a form carries to show that it came from a page of ours. Nobody without the cookie can make it, and the cookie
/// cannot be made from it.
pub fn csrf(cookie: &str) -> String {
    URL_SAFE_NO_PAD.encode(blake3::derive_key(CSRF, cookie.as_bytes()))
}
