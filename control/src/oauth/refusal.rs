//! The answers "no" of the protocols: a code that clients know, and a sentence for whoever reads their logs.

use std::borrow::Cow;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::people;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        /// Why not, as clients understand it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// The word on the wire.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Code::$name => $word,)*
                }
            }
        }
    };
}

codes! {
    /// OAuth 2.1 section 4.1.2.1: the request makes no sense.
    InvalidRequest = "invalid_request";
    /// Section 3.2.4: the client did not prove who it is.
    InvalidClient = "invalid_client";
    /// Section 3.2.4: the code or token is not good, or not for this client.
    InvalidGrant = "invalid_grant";
    /// Section 3.2.4: not for this client.
    UnauthorizedClient = "unauthorized_client";
    /// Section 3.2.4: no such grant type.
    UnsupportedGrantType = "unsupported_grant_type";
    /// Section 4.1.2.1: only codes are given.
    UnsupportedResponseType = "unsupported_response_type";
    /// Section 4.1.2.1: nothing of what was asked for can be given.
    InvalidScope = "invalid_scope";
    /// RFC 8707 section 2: no such resource here.
    InvalidTarget = "invalid_target";
    /// Section 4.1.2.1: the person said no.
    AccessDenied = "access_denied";
    /// OpenID Connect Core section 3.1.2.6: nobody is logged in, and no page may be shown.
    LoginRequired = "login_required";
    /// The same: nobody has agreed yet.
    ConsentRequired = "consent_required";
    /// OpenID Connect Core section 6: no request objects.
    RequestNotSupported = "request_not_supported";
    /// The same, by reference.
    RequestUriNotSupported = "request_uri_not_supported";
    /// Section 4.1.2.1: come again.
    TemporarilyUnavailable = "temporarily_unavailable";
    /// RFC 8628 section 3.5: nobody has answered yet.
    AuthorizationPending = "authorization_pending";
    /// RFC 8628 section 3.5: not so often.
    SlowDown = "slow_down";
    /// RFC 8628 section 3.5: nobody answered in time.
    ExpiredToken = "expired_token";
    /// RFC 7591 section 3.2.2.
    InvalidRedirectUri = "invalid_redirect_uri";
    /// RFC 7591 section 3.2.2.
    InvalidClientMetadata = "invalid_client_metadata";
    /// RFC 6750 section 3.1.
    InvalidToken = "invalid_token";
    /// RFC 6750 section 3.1.
    InsufficientScope = "insufficient_scope";
    /// Too many wrong attempts; come again later.
    TooManyAttempts = "too_many_attempts";
}

/// An answer "no".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {why}", code.word())]
pub struct Refusal {
    /// For the client.
    pub code: Code,
    /// For people.
    pub why: Cow<'static, str>,
}

impl Refusal {
    /// Says no.
    pub fn new(code: Code, why: impl Into<Cow<'static, str>>) -> Refusal {
        Refusal { code, why: why.into() }
    }

    fn status(&self) -> StatusCode {
        match self.code {
            Code::InvalidClient | Code::InvalidToken => StatusCode::UNAUTHORIZED,
            Code::InsufficientScope => StatusCode::FORBIDDEN,
            Code::TooManyAttempts => StatusCode::TOO_MANY_REQUESTS,
            Code::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.code.word(), "error_description": self.why });
        let mut response = (self.status(), no_store(), Json(body)).into_response();
        let challenge = match self.code {
            // OAuth 2.1 section 3.2.4.
            Code::InvalidClient => Some("Basic realm=\"sp\", charset=\"UTF-8\"".to_owned()),
            Code::InvalidToken | Code::InsufficientScope => Some(format!(
                "Bearer error=\"{}\", error_description=\"{}\"",
                self.code.word(),
                super::params::printable(&self.why)
            )),
            _ => None,
        };
        if let Some(value) = challenge.and_then(|text| HeaderValue::from_str(&text).ok()) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        if self.code == Code::TooManyAttempts {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
        }
        response
    }
}

/// What says that an answer is for one reader, once.
pub fn no_store() -> [(header::HeaderName, HeaderValue); 2] {
    [(header::CACHE_CONTROL, HeaderValue::from_static("no-store")), (header::PRAGMA, HeaderValue::from_static("no-cache"))]
}

/// Why an endpoint did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Something it needs does not work.
    #[error(transparent)]
    Broken(#[from] people::Error),
    /// No token can be signed.
    #[error("no token can be signed: {0}")]
    Sign(String),
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Error {
        Error::Broken(error.into())
    }
}

impl Error {
    /// What the client is told.
    pub fn refusal(self) -> Refusal {
        match self {
            Error::Refused(refusal) => refusal,
            broken => {
                tracing::error!(error = %broken, "the authorization server could not answer");
                Refusal::new(Code::TemporarilyUnavailable, "the gateway cannot do this at the moment; try again")
            }
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        self.refusal().into_response()
    }
}
