//! MCP session ids that carry whose they are: the upstream's id and a keyed digest over it, the principal and the
//! server. Any shard can check one; nothing is stored. A session is never a proof of identity, only bound to one.
//! Lives on: all shards; it has no state.

use base64::Engine as _;
use http::{HeaderMap, HeaderName, HeaderValue};
use wire::ids::TraceId;
use wire::token::Claims;

/// Tells the control plane who calls. Shards strip it from what clients send.
pub const PRINCIPAL_HEADER: HeaderName = HeaderName::from_static("sp-principal");

fn mac(key: &[u8; 32], upstreams: &str, claims: &Claims, server: &str) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new_keyed(key);
    for part in [upstreams, &claims.tenant, &claims.sub, &claims.agent, server] {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    let mut mac = [0; 16];
    mac.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    mac
}

fn hex(bytes: &[u8; 16]) -> String {
    TraceId(*bytes).to_string()
}

/// The id the client gets for the upstream's session.
pub fn bind(key: &[u8; 32], upstreams: &str, claims: &Claims, server: &str) -> String {
    format!("{upstreams}.{}", hex(&mac(key, upstreams, claims, server)))
}

/// The upstream's session id, when the client's id was made for this principal and server.
pub fn unbind<'a>(key: &[u8; 32], bound: &'a str, claims: &Claims, server: &str) -> Option<&'a str> {
    let (upstreams, given) = bound.rsplit_once('.')?;
    let given: TraceId = given.parse().ok()?;
    // `blake3::Hash` compares in constant time.
    let pad = |mac: [u8; 16]| blake3::Hash::from_bytes([mac, [0; 16]].concat().try_into().unwrap_or([0; 32]));
    (pad(given.0) == pad(mac(key, upstreams, claims, server))).then_some(upstreams)
}

/// What the audit row says of a session: enough to group by, useless as a credential.
pub fn digest(bound: &str) -> String {
    blake3::hash(bound.as_bytes()).to_hex()[..16].to_owned()
}

/// Says in the request to the control plane who calls and in which trace.
pub fn introduce(headers: &mut HeaderMap, claims: &Claims, trace: TraceId) {
    let json = serde_json::to_vec(claims).unwrap_or_default();
    let encoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json);
    if let (Ok(principal), Ok(trace)) = (HeaderValue::from_str(&encoded), HeaderValue::from_str(&trace.to_string())) {
        headers.insert(PRINCIPAL_HEADER, principal);
        headers.insert(crate::http::TRACE_HEADER, trace);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Principal;

    #[test]
    fn a_session_is_bound_to_its_principal_and_server() {
        let mut claims = Principal::anonymous().claims;
        claims.sub = "ann".into();
        let bound = bind(&[1; 32], "up.stream", &claims, "files");
        assert_eq!(unbind(&[1; 32], &bound, &claims, "files"), Some("up.stream"));
        assert_eq!(unbind(&[1; 32], &bound, &claims, "other"), None);
        assert_eq!(unbind(&[2; 32], &bound, &claims, "files"), None);
        assert_eq!(unbind(&[1; 32], "up.stream", &claims, "files"), None);
        claims.sub = "bob".into();
        assert_eq!(unbind(&[1; 32], &bound, &claims, "files"), None);
    }
}
