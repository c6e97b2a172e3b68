//! What the fuzz targets ask of the rules: any text in, and an answer that holds to what the rules promise.

use jiff::Timestamp;
use schema::queries::oauth::Client;

use super::authorize::{self, Stop};
use super::params::Params;
use super::{client_auth, redirect, register, testing};

fn client() -> Client {
    testing::client(&["https://app.example/cb", "http://127.0.0.1/callback"])
}

/// An authorization request: nobody is ever sent to an address that is not the client's.
pub fn authorize(text: &str) {
    let Ok(params) = Params::parse(text) else { return };
    let client = client();
    let address = match authorize::read(&params, &client, |resource| resource.starts_with("https://gate"), Timestamp::UNIX_EPOCH)
    {
        Ok(request) => {
            assert!(authorize::is_challenge(&request.challenge));
            request.redirect_uri
        }
        Err(Stop::Client { redirect_uri, .. }) => redirect_uri,
        Err(Stop::Page(_)) => return,
    };
    assert!(redirect::is_registered(&client.redirect_uris, &address), "{address}");
    let sent = url::Url::parse(&redirect::with_params(&address, &[("code", "c")]));
    assert!(sent.is_ok_and(|url| matches!(url.host_str(), Some("app.example" | "127.0.0.1"))), "{address}");
}

/// A token request, the Authorization header on its first line: nobody becomes a client with a secret without it.
pub fn token(text: &str) {
    let (header, form) = text.split_once('\n').unwrap_or(("", text));
    let Ok(params) = Params::parse(form) else { return };
    let Ok(shown) = client_auth::read((!header.is_empty()).then_some(header), &params) else { return };
    let digest = crate::people::secret::digest("a secret that no input has");
    let client = Client { auth_method: "client_secret_basic".into(), secret_digest: Some(digest.to_vec()), ..client() };
    assert!(client_auth::verify(Some(&client), &shown, &["https://gate"], Timestamp::UNIX_EPOCH).is_err());
}

/// A registration: whatever is taken leads only where clients may lead.
pub fn registration(bytes: &[u8]) {
    for taken in [register::read(bytes), register::read_document("https://app.example/c", bytes)].into_iter().flatten() {
        assert!(taken.redirect_uris.iter().all(|uri| redirect::check(uri).is_ok()));
        assert!(taken.grant_types.iter().all(|grant| register::GRANTS.contains(&grant.as_str())));
        assert!(!taken.name.chars().any(char::is_control));
    }
}
