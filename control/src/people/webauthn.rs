//! WebAuthn Level 3, the relying party's side, without attestation: what an authenticator made is taken for what it is, a
//! key that somebody with this browser holds. Input in, answer out; challenges are kept and used up elsewhere.
//!
//! Passkeys only: user verification is always required, so that the device alone is not enough.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ciborium::Value;
use serde::{Deserialize, Serialize};
use url::Url;

/// LIMIT: bytes of what an authenticator says about a new key; certificates that nobody asked for may be in it.
const ATTESTATION_BYTES_MAX: usize = 32 << 10;

/// LIMIT: of a credential id (WebAuthn 4, "Credential ID").
pub const ID_BYTES_MAX: usize = 1023;

/// LIMIT: of what the browser collected.
const CLIENT_DATA_BYTES_MAX: usize = 4096;

/// COSE algorithms that are offered, the preferred first: EdDSA, ES256, RS256 (what Windows Hello has).
pub const ALGORITHMS: [i64; 3] = [-8, -7, -257];

const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const ATTESTED: u8 = 0x40;
const EXTENSIONS: u8 = 0x80;

/// Whom authenticators make keys for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// The relying party's id: the host.
    pub id: String,
    /// The only origin whose pages may ask.
    pub origin: String,
}

impl Party {
    /// Of the gateway at this URL; none where browsers have no passkeys: at an address instead of a name, and without
    /// HTTPS anywhere but on `localhost`.
    pub fn of(public_url: &str) -> Option<Party> {
        let url = Url::parse(public_url).ok()?;
        let url::Host::Domain(host) = url.host()? else { return None };
        let is_local = host == "localhost" || host.ends_with(".localhost");
        (url.scheme() == "https" || is_local).then(|| Party { id: host.to_owned(), origin: url.origin().ascii_serialization() })
    }
}

/// A key that was made for us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// What verifies its signatures.
    pub key: PublicKey,
    /// How often it was used, as far as it counts.
    pub counter: u32,
    /// Whether it may be synchronised to other devices; never changes.
    pub is_backup_eligible: bool,
    /// Whether it is.
    pub is_backed_up: bool,
    /// How the browser reaches it.
    pub transports: Vec<String>,
}

/// A public key. Values are base64url.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "alg")]
pub enum PublicKey {
    /// ECDSA on P-256 with SHA-256.
    ES256 {
        /// The uncompressed point.
        point: String,
    },
    /// Ed25519.
    EdDSA {
        /// The point.
        point: String,
    },
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256 {
        /// The modulus.
        n: String,
        /// The exponent.
        e: String,
    },
}

/// What a browser brings of a new key. Values are base64url.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Created {
    /// The credential's id.
    pub id: String,
    /// What the browser collected.
    #[serde(rename = "clientDataJSON")]
    pub client_data: String,
    /// What the authenticator says.
    pub attestation_object: String,
    /// How it can be reached.
    #[serde(default)]
    pub transports: Vec<String>,
}

/// What a browser brings of a key that signed. Values are base64url.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asserted {
    /// The credential's id.
    pub id: String,
    /// What the browser collected.
    #[serde(rename = "clientDataJSON")]
    pub client_data: String,
    /// What the authenticator signed besides.
    pub authenticator_data: String,
    /// The signature.
    pub signature: String,
    /// Whose key it says it is.
    pub user_handle: Option<String>,
}

/// Why what a browser brought counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It cannot be read.
    #[error("malformed")]
    Malformed,
    /// It is about something else: another ceremony, challenge, origin or relying party.
    #[error("for another ceremony")]
    Foreign,
    /// Nobody touched the device, or it did not check who.
    #[error("user not verified")]
    Unverified,
    /// A kind of key that was not asked for.
    #[error("algorithm not offered")]
    Algorithm,
    /// The signature does not verify.
    #[error("signature wrong")]
    Signature,
    /// It counts backwards: two devices have the key.
    #[error("counter went backwards")]
    Cloned,
}

fn decoded(text: &str, max: usize) -> Result<Vec<u8>, Refused> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Refused::Malformed)?;
    if bytes.len() > max { Err(Refused::Malformed) } else { Ok(bytes) }
}

/// A credential's id as bytes.
///
/// # Errors
/// It is none.
pub fn id(text: &str) -> Result<Vec<u8>, Refused> {
    decoded(text, ID_BYTES_MAX).and_then(|id| if id.is_empty() { Err(Refused::Malformed) } else { Ok(id) })
}

/// WebAuthn 7.1, "Registering a New Credential". The id and what is to be kept.
///
/// # Errors
/// Nothing may be kept.
pub fn register(party: &Party, challenge: &str, created: &Created) -> Result<(Vec<u8>, Credential), Refused> {
    let client_data = decoded(&created.client_data, CLIENT_DATA_BYTES_MAX)?;
    check_client_data(&client_data, "webauthn.create", challenge, &party.origin)?;
    let object = decoded(&created.attestation_object, ATTESTATION_BYTES_MAX)?;
    let object: Value = ciborium::from_reader(&object[..]).map_err(|_| Refused::Malformed)?;
    // None was asked for, so the statement proves nothing that we rely on.
    let data = member(&object, "authData").and_then(Value::as_bytes).ok_or(Refused::Malformed)?;
    let data = AuthenticatorData::read(data)?;
    data.check(party)?;
    let attested = data.attested.ok_or(Refused::Malformed)?;
    if attested.id != id(&created.id)? {
        return Err(Refused::Malformed);
    }
    let mut transports: Vec<String> = created.transports.iter().filter(|text| is_transport(text)).cloned().collect();
    transports.truncate(8);
    let credential = Credential {
        key: attested.key,
        counter: data.counter,
        is_backup_eligible: data.flags & BACKUP_ELIGIBLE != 0,
        is_backed_up: data.flags & BACKED_UP != 0,
        transports,
    };
    Ok((attested.id, credential))
}

fn is_transport(text: &str) -> bool {
    matches!(text, "usb" | "nfc" | "ble" | "smart-card" | "hybrid" | "internal")
}

/// WebAuthn 7.2, "Verifying an Authentication Assertion". The credential as it is to be kept from now on.
///
/// # Errors
/// Nobody is logged in.
pub fn verify(party: &Party, challenge: &str, known: &Credential, asserted: &Asserted) -> Result<Credential, Refused> {
    let client_data = decoded(&asserted.client_data, CLIENT_DATA_BYTES_MAX)?;
    check_client_data(&client_data, "webauthn.get", challenge, &party.origin)?;
    let authenticator_data = decoded(&asserted.authenticator_data, ATTESTATION_BYTES_MAX)?;
    let data = AuthenticatorData::read(&authenticator_data)?;
    data.check(party)?;
    if known.is_backup_eligible != (data.flags & BACKUP_ELIGIBLE != 0) {
        return Err(Refused::Foreign);
    }
    let signed = [&authenticator_data[..], digest(&SHA256, &client_data).as_ref()].concat();
    known.key.verify(&signed, &decoded(&asserted.signature, ATTESTATION_BYTES_MAX)?)?;
    if (known.counter != 0 || data.counter != 0) && data.counter <= known.counter {
        return Err(Refused::Cloned);
    }
    Ok(Credential { counter: data.counter, is_backed_up: data.flags & BACKED_UP != 0, ..known.clone() })
}

/// What the browser says it did, where, and for which challenge.
fn check_client_data(bytes: &[u8], kind: &str, challenge: &str, origin: &str) -> Result<(), Refused> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct ClientData {
        #[serde(rename = "type")]
        kind: String,
        challenge: String,
        origin: String,
        #[serde(default)]
        cross_origin: bool,
    }
    let data: ClientData = serde_json::from_slice(bytes).map_err(|_| Refused::Malformed)?;
    let is_ours = data.kind == kind && data.challenge == challenge && data.origin == origin && !data.cross_origin;
    if is_ours { Ok(()) } else { Err(Refused::Foreign) }
}

struct Attested {
    id: Vec<u8>,
    key: PublicKey,
}

/// WebAuthn 6.1, "Authenticator Data".
struct AuthenticatorData<'a> {
    party_hash: &'a [u8],
    flags: u8,
    counter: u32,
    attested: Option<Attested>,
}

impl<'a> AuthenticatorData<'a> {
    fn read(bytes: &'a [u8]) -> Result<AuthenticatorData<'a>, Refused> {
        let (party_hash, rest) = bytes.split_at_checked(32).ok_or(Refused::Malformed)?;
        let (&flags, rest) = rest.split_first().ok_or(Refused::Malformed)?;
        let (counter, mut rest) = rest.split_first_chunk::<4>().ok_or(Refused::Malformed)?;
        let attested = if flags & ATTESTED == 0 { None } else { Some(Attested::read(&mut rest)?) };
        if flags & EXTENSIONS != 0 {
            let extensions: Value = ciborium::from_reader(&mut rest).map_err(|_| Refused::Malformed)?;
            extensions.as_map().ok_or(Refused::Malformed)?;
        }
        if !rest.is_empty() || (flags & BACKED_UP != 0 && flags & BACKUP_ELIGIBLE == 0) {
            return Err(Refused::Malformed);
        }
        Ok(AuthenticatorData { party_hash, flags, counter: u32::from_be_bytes(*counter), attested })
    }

    fn check(&self, party: &Party) -> Result<(), Refused> {
        if self.party_hash != digest(&SHA256, party.id.as_bytes()).as_ref() {
            return Err(Refused::Foreign);
        }
        if self.flags & USER_PRESENT == 0 || self.flags & USER_VERIFIED == 0 {
            return Err(Refused::Unverified);
        }
        Ok(())
    }
}

impl Attested {
    fn read(rest: &mut &[u8]) -> Result<Attested, Refused> {
        let (_model, after) = rest.split_at_checked(16).ok_or(Refused::Malformed)?;
        let (length, after) = after.split_first_chunk::<2>().ok_or(Refused::Malformed)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (id, mut after) = after.split_at_checked(length).ok_or(Refused::Malformed)?;
        let key: Value = ciborium::from_reader(&mut after).map_err(|_| Refused::Malformed)?;
        *rest = after;
        Ok(Attested { id: id.to_vec(), key: PublicKey::read(&key)? })
    }
}

/// The value of a map under a text.
fn member<'a>(map: &'a Value, name: &str) -> Option<&'a Value> {
    map.as_map()?.iter().find(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value)
}

impl PublicKey {
    /// RFC 9052 and 9053: a COSE key.
    fn read(key: &Value) -> Result<PublicKey, Refused> {
        let at = |label: i64| {
            let number = |value: &Value| value.as_integer().and_then(|number| i64::try_from(number).ok());
            key.as_map()?.iter().find(|(name, _)| number(name) == Some(label)).map(|(_, value)| value)
        };
        let number = |label| at(label).and_then(Value::as_integer).and_then(|number| i64::try_from(number).ok());
        let bytes = |label| at(label).and_then(Value::as_bytes).ok_or(Refused::Malformed);
        match (number(1), number(3), number(-1)) {
            (Some(2), Some(-7), Some(1)) => {
                let (x, y) = (bytes(-2)?, bytes(-3)?);
                if x.len() != 32 || y.len() != 32 {
                    return Err(Refused::Malformed);
                }
                Ok(PublicKey::ES256 { point: URL_SAFE_NO_PAD.encode([&[4], &x[..], &y[..]].concat()) })
            }
            (Some(1), Some(-8), Some(6)) => {
                let x = bytes(-2)?;
                if x.len() != 32 { Err(Refused::Malformed) } else { Ok(PublicKey::EdDSA { point: URL_SAFE_NO_PAD.encode(x) }) }
            }
            (Some(3), Some(-257), _) => {
                Ok(PublicKey::RS256 { n: URL_SAFE_NO_PAD.encode(bytes(-1)?), e: URL_SAFE_NO_PAD.encode(bytes(-2)?) })
            }
            (Some(_), Some(_), _) => Err(Refused::Algorithm),
            _ => Err(Refused::Malformed),
        }
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Refused> {
        let bytes = |text: &str| decoded(text, ATTESTATION_BYTES_MAX);
        let outcome = match self {
            PublicKey::ES256 { point } => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, bytes(point)?).verify(message, signature)
            }
            PublicKey::EdDSA { point } => UnparsedPublicKey::new(&ED25519, bytes(point)?).verify(message, signature),
            PublicKey::RS256 { n, e } => {
                RsaPublicKeyComponents { n: bytes(n)?, e: bytes(e)? }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
        };
        outcome.map_err(|_| Refused::Signature)
    }
}

#[cfg(test)]
mod tests;
