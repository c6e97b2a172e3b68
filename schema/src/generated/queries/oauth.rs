// This file was generated with `cornucopia`. Do not modify.

#[derive(Debug)]
pub struct PutClientParams<
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::StringSql,
    T5: crate::generated::ArraySql<Item = T4>,
    T6: crate::generated::StringSql,
    T7: crate::generated::ArraySql<Item = T6>,
    T8: crate::generated::StringSql,
    T9: crate::generated::ArraySql<Item = T8>,
    T10: crate::generated::StringSql,
    T11: crate::generated::BytesSql,
    T12: crate::generated::JsonSql,
    T13: crate::generated::StringSql,
    T14: crate::generated::StringSql,
    T15: crate::generated::StringSql,
    T16: crate::generated::ArraySql<Item = T15>,
    T17: crate::generated::StringSql,
    T18: crate::generated::StringSql,
> {
    pub id: T1,
    pub origin: T2,
    pub name: T3,
    pub redirect_uris: T5,
    pub post_logout_redirect_uris: T7,
    pub grant_types: T9,
    pub auth_method: T10,
    pub secret_digest: Option<T11>,
    pub jwks: Option<T12>,
    pub application_type: T13,
    pub client_uri: Option<T14>,
    pub scopes: Option<T16>,
    pub account: Option<T17>,
    pub may_exchange: bool,
    pub may_introspect: bool,
    pub by: T18,
    pub stale_at: Option<jiff::Timestamp>,
}
#[derive(Debug)]
pub struct UsedClientParams<T1: crate::generated::StringSql> {
    pub now: jiff::Timestamp,
    pub id: T1,
    pub before: jiff::Timestamp,
}
#[derive(Debug)]
pub struct DisableClientParams<T1: crate::generated::StringSql> {
    pub now: jiff::Timestamp,
    pub id: T1,
}
#[derive(Debug)]
pub struct ConsentParams<T1: crate::generated::StringSql, T2: crate::generated::StringSql> {
    pub account: T1,
    pub client_id: T2,
}
#[derive(Debug)]
pub struct PutConsentParams<
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::ArraySql<Item = T3>,
    T5: crate::generated::StringSql,
    T6: crate::generated::ArraySql<Item = T5>,
> {
    pub account: T1,
    pub client_id: T2,
    pub scopes: T4,
    pub resources: T6,
    pub now: jiff::Timestamp,
}
#[derive(Debug)]
pub struct DropConsentParams<T1: crate::generated::StringSql, T2: crate::generated::StringSql> {
    pub account: T1,
    pub client_id: T2,
}
#[derive(Debug)]
pub struct PutCodeParams<
    T1: crate::generated::BytesSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::StringSql,
    T5: crate::generated::StringSql,
    T6: crate::generated::StringSql,
    T7: crate::generated::StringSql,
    T8: crate::generated::StringSql,
    T9: crate::generated::ArraySql<Item = T8>,
    T10: crate::generated::StringSql,
    T11: crate::generated::ArraySql<Item = T10>,
> {
    pub digest: T1,
    pub client_id: T2,
    pub account: T3,
    pub session: T4,
    pub redirect_uri: T5,
    pub code_challenge: T6,
    pub nonce: Option<T7>,
    pub scopes: T9,
    pub resources: T11,
    pub authenticated_at: jiff::Timestamp,
    pub expires_at: jiff::Timestamp,
}
#[derive(Debug)]
pub struct UseCodeParams<T1: crate::generated::BytesSql> {
    pub now: jiff::Timestamp,
    pub family: Option<uuid::Uuid>,
    pub digest: T1,
}
#[derive(Debug)]
pub struct PutFamilyParams<
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::StringSql,
    T5: crate::generated::ArraySql<Item = T4>,
    T6: crate::generated::StringSql,
    T7: crate::generated::ArraySql<Item = T6>,
> {
    pub id: uuid::Uuid,
    pub client_id: T1,
    pub account: T2,
    pub session: Option<T3>,
    pub scopes: T5,
    pub resources: T7,
    pub authenticated_at: jiff::Timestamp,
    pub now: jiff::Timestamp,
    pub expires_at: jiff::Timestamp,
}
#[derive(Debug)]
pub struct FamiliesOfClientParams<T1: crate::generated::StringSql, T2: crate::generated::StringSql> {
    pub account: T1,
    pub client_id: T2,
}
#[derive(Debug)]
pub struct RevokeFamilyParams<T1: crate::generated::StringSql> {
    pub now: jiff::Timestamp,
    pub why: T1,
    pub id: uuid::Uuid,
}
#[derive(Debug)]
pub struct PutRefreshTokenParams<T1: crate::generated::BytesSql> {
    pub digest: T1,
    pub family: uuid::Uuid,
    pub now: jiff::Timestamp,
    pub expires_at: jiff::Timestamp,
}
#[derive(Debug)]
pub struct UseRefreshTokenParams<T1: crate::generated::BytesSql> {
    pub now: jiff::Timestamp,
    pub digest: T1,
}
#[derive(Debug)]
pub struct PutAccessTokenParams<T1: crate::generated::StringSql, T2: crate::generated::StringSql, T3: crate::generated::StringSql> {
    pub jti: T1,
    pub family: Option<uuid::Uuid>,
    pub client_id: T2,
    pub account: T3,
    pub now: jiff::Timestamp,
    pub expires_at: jiff::Timestamp,
}
#[derive(Clone, Copy, Debug)]
pub struct RevokeAccessTokensParams {
    pub now: jiff::Timestamp,
    pub family: uuid::Uuid,
}
#[derive(Debug)]
pub struct RevokeAccessTokenParams<T1: crate::generated::StringSql> {
    pub now: jiff::Timestamp,
    pub jti: T1,
}
#[derive(Debug)]
pub struct PutDeviceAuthorizationParams<
    T1: crate::generated::BytesSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::StringSql,
    T5: crate::generated::ArraySql<Item = T4>,
    T6: crate::generated::StringSql,
    T7: crate::generated::ArraySql<Item = T6>,
    T8: crate::generated::StringSql,
> {
    pub digest: T1,
    pub user_code: T2,
    pub client_id: T3,
    pub scopes: T5,
    pub resources: T7,
    pub address: T8,
    pub now: jiff::Timestamp,
    pub expires_at: jiff::Timestamp,
    pub interval_s: i32,
}
#[derive(Debug)]
pub struct DeviceByUserCodeParams<T1: crate::generated::StringSql> {
    pub user_code: T1,
    pub now: jiff::Timestamp,
}
#[derive(Debug)]
pub struct AnswerDeviceParams<
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::StringSql,
    T5: crate::generated::ArraySql<Item = T4>,
    T6: crate::generated::BytesSql,
> {
    pub state: T1,
    pub account: Option<T2>,
    pub session: Option<T3>,
    pub authenticated_at: Option<jiff::Timestamp>,
    pub scopes: T5,
    pub digest: T6,
    pub now: jiff::Timestamp,
}
#[derive(Debug)]
pub struct PolledDeviceParams<T1: crate::generated::BytesSql> {
    pub now: jiff::Timestamp,
    pub interval_s: i32,
    pub digest: T1,
}
#[derive(Debug)]
pub struct PutAssertionParams<T1: crate::generated::BytesSql> {
    pub digest: T1,
    pub expires_at: jiff::Timestamp,
}
#[derive(Debug)]
pub struct RevokedSinceParams<T1: crate::generated::StringSql, T2: crate::generated::StringSql> {
    pub issued_at: jiff::Timestamp,
    pub account: T1,
    pub session: T2,
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Client {
    pub id: String,
    pub origin: String,
    pub name: String,
    pub redirect_uris: Vec<String>,
    pub post_logout_redirect_uris: Vec<String>,
    pub grant_types: Vec<String>,
    pub auth_method: String,
    pub secret_digest: Option<Vec<u8>>,
    pub jwks: Option<serde_json::Value>,
    pub application_type: String,
    pub client_uri: Option<String>,
    pub scopes: Option<Vec<String>>,
    pub account: Option<String>,
    pub may_exchange: bool,
    pub may_introspect: bool,
    pub created_at: jiff::Timestamp,
    pub created_by: String,
    pub last_used_at: Option<jiff::Timestamp>,
    pub stale_at: Option<jiff::Timestamp>,
    pub disabled_at: Option<jiff::Timestamp>,
}
pub struct ClientBorrowed<'a> {
    pub id: &'a str,
    pub origin: &'a str,
    pub name: &'a str,
    pub redirect_uris: crate::generated::ArrayIterator<'a, &'a str>,
    pub post_logout_redirect_uris: crate::generated::ArrayIterator<'a, &'a str>,
    pub grant_types: crate::generated::ArrayIterator<'a, &'a str>,
    pub auth_method: &'a str,
    pub secret_digest: Option<&'a [u8]>,
    pub jwks: Option<postgres_types::Json<&'a serde_json::value::RawValue>>,
    pub application_type: &'a str,
    pub client_uri: Option<&'a str>,
    pub scopes: Option<crate::generated::ArrayIterator<'a, &'a str>>,
    pub account: Option<&'a str>,
    pub may_exchange: bool,
    pub may_introspect: bool,
    pub created_at: jiff::Timestamp,
    pub created_by: &'a str,
    pub last_used_at: Option<jiff::Timestamp>,
    pub stale_at: Option<jiff::Timestamp>,
    pub disabled_at: Option<jiff::Timestamp>,
}
impl<'a> From<ClientBorrowed<'a>> for Client {
    fn from(
        ClientBorrowed {
            id,
            origin,
            name,
            redirect_uris,
            post_logout_redirect_uris,
            grant_types,
            auth_method,
            secret_digest,
            jwks,
            application_type,
            client_uri,
            scopes,
            account,
            may_exchange,
            may_introspect,
            created_at,
            created_by,
            last_used_at,
            stale_at,
            disabled_at,
        }: ClientBorrowed<'a>,
    ) -> Self {
        Self {
            id: id.into(),
            origin: origin.into(),
            name: name.into(),
            redirect_uris: redirect_uris.map(|v| v.into()).collect(),
            post_logout_redirect_uris: post_logout_redirect_uris.map(|v| v.into()).collect(),
            grant_types: grant_types.map(|v| v.into()).collect(),
            auth_method: auth_method.into(),
            secret_digest: secret_digest.map(|v| v.into()),
            jwks: jwks.map(|v| serde_json::from_str(v.0.get()).unwrap()),
            application_type: application_type.into(),
            client_uri: client_uri.map(|v| v.into()),
            scopes: scopes.map(|v| v.map(|v| v.into()).collect()),
            account: account.map(|v| v.into()),
            may_exchange,
            may_introspect,
            created_at,
            created_by: created_by.into(),
            last_used_at,
            stale_at,
            disabled_at,
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Consent {
    pub scopes: Vec<String>,
    pub resources: Vec<String>,
    pub granted_at: jiff::Timestamp,
}
pub struct ConsentBorrowed<'a> {
    pub scopes: crate::generated::ArrayIterator<'a, &'a str>,
    pub resources: crate::generated::ArrayIterator<'a, &'a str>,
    pub granted_at: jiff::Timestamp,
}
impl<'a> From<ConsentBorrowed<'a>> for Consent {
    fn from(
        ConsentBorrowed {
            scopes,
            resources,
            granted_at,
        }: ConsentBorrowed<'a>,
    ) -> Self {
        Self {
            scopes: scopes.map(|v| v.into()).collect(),
            resources: resources.map(|v| v.into()).collect(),
            granted_at,
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Consents {
    pub client: String,
    pub name: String,
    pub scopes: Vec<String>,
    pub resources: Vec<String>,
    pub granted_at: jiff::Timestamp,
}
pub struct ConsentsBorrowed<'a> {
    pub client: &'a str,
    pub name: &'a str,
    pub scopes: crate::generated::ArrayIterator<'a, &'a str>,
    pub resources: crate::generated::ArrayIterator<'a, &'a str>,
    pub granted_at: jiff::Timestamp,
}
impl<'a> From<ConsentsBorrowed<'a>> for Consents {
    fn from(
        ConsentsBorrowed {
            client,
            name,
            scopes,
            resources,
            granted_at,
        }: ConsentsBorrowed<'a>,
    ) -> Self {
        Self {
            client: client.into(),
            name: name.into(),
            scopes: scopes.map(|v| v.into()).collect(),
            resources: resources.map(|v| v.into()).collect(),
            granted_at,
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct LockCode {
    pub client: String,
    pub account: String,
    pub session: String,
    pub redirect_uri: String,
    pub code_challenge: String,
    pub nonce: Option<String>,
    pub scopes: Vec<String>,
    pub resources: Vec<String>,
    pub authenticated_at: jiff::Timestamp,
    pub expires_at: jiff::Timestamp,
    pub family: Option<uuid::Uuid>,
    pub used_at: Option<jiff::Timestamp>,
}
pub struct LockCodeBorrowed<'a> {
    pub client: &'a str,
    pub account: &'a str,
    pub session: &'a str,
    pub redirect_uri: &'a str,
    pub code_challenge: &'a str,
    pub nonce: Option<&'a str>,
    pub scopes: crate::generated::ArrayIterator<'a, &'a str>,
    pub resources: crate::generated::ArrayIterator<'a, &'a str>,
    pub authenticated_at: jiff::Timestamp,
    pub expires_at: jiff::Timestamp,
    pub family: Option<uuid::Uuid>,
    pub used_at: Option<jiff::Timestamp>,
}
impl<'a> From<LockCodeBorrowed<'a>> for LockCode {
    fn from(
        LockCodeBorrowed {
            client,
            account,
            session,
            redirect_uri,
            code_challenge,
            nonce,
            scopes,
            resources,
            authenticated_at,
            expires_at,
            family,
            used_at,
        }: LockCodeBorrowed<'a>,
    ) -> Self {
        Self {
            client: client.into(),
            account: account.into(),
            session: session.into(),
            redirect_uri: redirect_uri.into(),
            code_challenge: code_challenge.into(),
            nonce: nonce.map(|v| v.into()),
            scopes: scopes.map(|v| v.into()).collect(),
            resources: resources.map(|v| v.into()).collect(),
            authenticated_at,
            expires_at,
            family,
            used_at,
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Family {
    pub id: uuid::Uuid,
    pub client: String,
    pub account: String,
    pub session: Option<String>,
    pub scopes: Vec<String>,
    pub resources: Vec<String>,
    pub authenticated_at: jiff::Timestamp,
    pub expires_at: jiff::Timestamp,
    pub revoked_at: Option<jiff::Timestamp>,
}
pub struct FamilyBorrowed<'a> {
    pub id: uuid::Uuid,
    pub client: &'a str,
    pub account: &'a str,
    pub session: Option<&'a str>,
    pub scopes: crate::generated::ArrayIterator<'a, &'a str>,
    pub resources: crate::generated::ArrayIterator<'a, &'a str>,
    pub authenticated_at: jiff::Timestamp,
    pub expires_at: jiff::Timestamp,
    pub revoked_at: Option<jiff::Timestamp>,
}
impl<'a> From<FamilyBorrowed<'a>> for Family {
    fn from(
        FamilyBorrowed {
            id,
            client,
            account,
            session,
            scopes,
            resources,
            authenticated_at,
            expires_at,
            revoked_at,
        }: FamilyBorrowed<'a>,
    ) -> Self {
        Self {
            id,
            client: client.into(),
            account: account.into(),
            session: session.map(|v| v.into()),
            scopes: scopes.map(|v| v.into()).collect(),
            resources: resources.map(|v| v.into()).collect(),
            authenticated_at,
            expires_at,
            revoked_at,
        }
    }
}
#[derive(Debug, Clone, PartialEq, Copy, serde::Serialize)]
pub struct RefreshToken {
    pub family: uuid::Uuid,
    pub expires_at: jiff::Timestamp,
    pub used_at: Option<jiff::Timestamp>,
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct AccessToken {
    pub family: Option<uuid::Uuid>,
    pub client: String,
    pub account: String,
    pub expires_at: jiff::Timestamp,
    pub revoked_at: Option<jiff::Timestamp>,
}
pub struct AccessTokenBorrowed<'a> {
    pub family: Option<uuid::Uuid>,
    pub client: &'a str,
    pub account: &'a str,
    pub expires_at: jiff::Timestamp,
    pub revoked_at: Option<jiff::Timestamp>,
}
impl<'a> From<AccessTokenBorrowed<'a>> for AccessToken {
    fn from(
        AccessTokenBorrowed {
            family,
            client,
            account,
            expires_at,
            revoked_at,
        }: AccessTokenBorrowed<'a>,
    ) -> Self {
        Self {
            family,
            client: client.into(),
            account: account.into(),
            expires_at,
            revoked_at,
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct RevokeAccessTokens {
    pub jti: String,
    pub expires_at: jiff::Timestamp,
}
pub struct RevokeAccessTokensBorrowed<'a> {
    pub jti: &'a str,
    pub expires_at: jiff::Timestamp,
}
impl<'a> From<RevokeAccessTokensBorrowed<'a>> for RevokeAccessTokens {
    fn from(
        RevokeAccessTokensBorrowed { jti, expires_at }: RevokeAccessTokensBorrowed<'a>,
    ) -> Self {
        Self {
            jti: jti.into(),
            expires_at,
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct DeviceByUserCode {
    pub digest: Vec<u8>,
    pub client: String,
    pub scopes: Vec<String>,
    pub resources: Vec<String>,
    pub address: String,
    pub created_at: jiff::Timestamp,
}
pub struct DeviceByUserCodeBorrowed<'a> {
    pub digest: &'a [u8],
    pub client: &'a str,
    pub scopes: crate::generated::ArrayIterator<'a, &'a str>,
    pub resources: crate::generated::ArrayIterator<'a, &'a str>,
    pub address: &'a str,
    pub created_at: jiff::Timestamp,
}
impl<'a> From<DeviceByUserCodeBorrowed<'a>> for DeviceByUserCode {
    fn from(
        DeviceByUserCodeBorrowed {
            digest,
            client,
            scopes,
            resources,
            address,
            created_at,
        }: DeviceByUserCodeBorrowed<'a>,
    ) -> Self {
        Self {
            digest: digest.into(),
            client: client.into(),
            scopes: scopes.map(|v| v.into()).collect(),
            resources: resources.map(|v| v.into()).collect(),
            address: address.into(),
            created_at,
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct LockDevice {
    pub client: String,
    pub scopes: Vec<String>,
    pub resources: Vec<String>,
    pub state: String,
    pub account: Option<String>,
    pub session: Option<String>,
    pub authenticated_at: Option<jiff::Timestamp>,
    pub expires_at: jiff::Timestamp,
    pub interval_s: i32,
    pub polled_at: Option<jiff::Timestamp>,
}
pub struct LockDeviceBorrowed<'a> {
    pub client: &'a str,
    pub scopes: crate::generated::ArrayIterator<'a, &'a str>,
    pub resources: crate::generated::ArrayIterator<'a, &'a str>,
    pub state: &'a str,
    pub account: Option<&'a str>,
    pub session: Option<&'a str>,
    pub authenticated_at: Option<jiff::Timestamp>,
    pub expires_at: jiff::Timestamp,
    pub interval_s: i32,
    pub polled_at: Option<jiff::Timestamp>,
}
impl<'a> From<LockDeviceBorrowed<'a>> for LockDevice {
    fn from(
        LockDeviceBorrowed {
            client,
            scopes,
            resources,
            state,
            account,
            session,
            authenticated_at,
            expires_at,
            interval_s,
            polled_at,
        }: LockDeviceBorrowed<'a>,
    ) -> Self {
        Self {
            client: client.into(),
            scopes: scopes.map(|v| v.into()).collect(),
            resources: resources.map(|v| v.into()).collect(),
            state: state.into(),
            account: account.map(|v| v.into()),
            session: session.map(|v| v.into()),
            authenticated_at,
            expires_at,
            interval_s,
            polled_at,
        }
    }
}
use crate::generated::client::async_::GenericClient;
use futures_util::{self, StreamExt, TryStreamExt};
pub struct ClientQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ClientBorrowed, tokio_postgres::Error>,
    mapper: fn(ClientBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ClientQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ClientBorrowed) -> R) -> ClientQuery<'c, 'a, 's, C, R, N> {
        ClientQuery {
            client: self.client,
            params: self.params,
            query: self.query,
            cached: self.cached,
            extractor: self.extractor,
            mapper,
        }
    }
    pub async fn one(self) -> Result<T, tokio_postgres::Error> {
        let row =
            crate::generated::client::async_::one(self.client, self.query, &self.params, self.cached).await?;
        Ok((self.mapper)((self.extractor)(&row)?))
    }
    pub async fn all(self) -> Result<Vec<T>, tokio_postgres::Error> {
        self.iter().await?.try_collect().await
    }
    pub async fn opt(self) -> Result<Option<T>, tokio_postgres::Error> {
        let opt_row =
            crate::generated::client::async_::opt(self.client, self.query, &self.params, self.cached).await?;
        Ok(opt_row
            .map(|row| {
                let extracted = (self.extractor)(&row)?;
                Ok((self.mapper)(extracted))
            })
            .transpose()?)
    }
    pub async fn iter(
        self,
    ) -> Result<
        impl futures_util::Stream<Item = Result<T, tokio_postgres::Error>> + 'c,
        tokio_postgres::Error,
    > {
        let stream = crate::generated::client::async_::raw(
            self.client,
            self.query,
            crate::generated::slice_iter(&self.params),
            self.cached,
        )
        .await?;
        let mapped = stream
            .map(move |res| {
                res.and_then(|row| {
                    let extracted = (self.extractor)(&row)?;
                    Ok((self.mapper)(extracted))
                })
            })
            .into_stream();
        Ok(mapped)
    }
}
pub struct I64Query<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<i64, tokio_postgres::Error>,
    mapper: fn(i64) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> I64Query<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(i64) -> R) -> I64Query<'c, 'a, 's, C, R, N> {
        I64Query {
            client: self.client,
            params: self.params,
            query: self.query,
            cached: self.cached,
            extractor: self.extractor,
            mapper,
        }
    }
    pub async fn one(self) -> Result<T, tokio_postgres::Error> {
        let row =
            crate::generated::client::async_::one(self.client, self.query, &self.params, self.cached).await?;
        Ok((self.mapper)((self.extractor)(&row)?))
    }
    pub async fn all(self) -> Result<Vec<T>, tokio_postgres::Error> {
        self.iter().await?.try_collect().await
    }
    pub async fn opt(self) -> Result<Option<T>, tokio_postgres::Error> {
        let opt_row =
            crate::generated::client::async_::opt(self.client, self.query, &self.params, self.cached).await?;
        Ok(opt_row
            .map(|row| {
                let extracted = (self.extractor)(&row)?;
                Ok((self.mapper)(extracted))
            })
            .transpose()?)
    }
    pub async fn iter(
        self,
    ) -> Result<
        impl futures_util::Stream<Item = Result<T, tokio_postgres::Error>> + 'c,
        tokio_postgres::Error,
    > {
        let stream = crate::generated::client::async_::raw(
            self.client,
            self.query,
            crate::generated::slice_iter(&self.params),
            self.cached,
        )
        .await?;
        let mapped = stream
            .map(move |res| {
                res.and_then(|row| {
                    let extracted = (self.extractor)(&row)?;
                    Ok((self.mapper)(extracted))
                })
            })
            .into_stream();
        Ok(mapped)
    }
}
pub struct ConsentQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ConsentBorrowed, tokio_postgres::Error>,
    mapper: fn(ConsentBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ConsentQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ConsentBorrowed) -> R) -> ConsentQuery<'c, 'a, 's, C, R, N> {
        ConsentQuery {
            client: self.client,
            params: self.params,
            query: self.query,
            cached: self.cached,
            extractor: self.extractor,
            mapper,
        }
    }
    pub async fn one(self) -> Result<T, tokio_postgres::Error> {
        let row =
            crate::generated::client::async_::one(self.client, self.query, &self.params, self.cached).await?;
        Ok((self.mapper)((self.extractor)(&row)?))
    }
    pub async fn all(self) -> Result<Vec<T>, tokio_postgres::Error> {
        self.iter().await?.try_collect().await
    }
    pub async fn opt(self) -> Result<Option<T>, tokio_postgres::Error> {
        let opt_row =
            crate::generated::client::async_::opt(self.client, self.query, &self.params, self.cached).await?;
        Ok(opt_row
            .map(|row| {
                let extracted = (self.extractor)(&row)?;
                Ok((self.mapper)(extracted))
            })
            .transpose()?)
    }
    pub async fn iter(
        self,
    ) -> Result<
        impl futures_util::Stream<Item = Result<T, tokio_postgres::Error>> + 'c,
        tokio_postgres::Error,
    > {
        let stream = crate::generated::client::async_::raw(
            self.client,
            self.query,
            crate::generated::slice_iter(&self.params),
            self.cached,
        )
        .await?;
        let mapped = stream
            .map(move |res| {
                res.and_then(|row| {
                    let extracted = (self.extractor)(&row)?;
                    Ok((self.mapper)(extracted))
                })
            })
            .into_stream();
        Ok(mapped)
    }
}
pub struct ConsentsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ConsentsBorrowed, tokio_postgres::Error>,
    mapper: fn(ConsentsBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ConsentsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ConsentsBorrowed) -> R) -> ConsentsQuery<'c, 'a, 's, C, R, N> {
        ConsentsQuery {
            client: self.client,
            params: self.params,
            query: self.query,
            cached: self.cached,
            extractor: self.extractor,
            mapper,
        }
    }
    pub async fn one(self) -> Result<T, tokio_postgres::Error> {
        let row =
            crate::generated::client::async_::one(self.client, self.query, &self.params, self.cached).await?;
        Ok((self.mapper)((self.extractor)(&row)?))
    }
    pub async fn all(self) -> Result<Vec<T>, tokio_postgres::Error> {
        self.iter().await?.try_collect().await
    }
    pub async fn opt(self) -> Result<Option<T>, tokio_postgres::Error> {
        let opt_row =
            crate::generated::client::async_::opt(self.client, self.query, &self.params, self.cached).await?;
        Ok(opt_row
            .map(|row| {
                let extracted = (self.extractor)(&row)?;
                Ok((self.mapper)(extracted))
            })
            .transpose()?)
    }
    pub async fn iter(
        self,
    ) -> Result<
        impl futures_util::Stream<Item = Result<T, tokio_postgres::Error>> + 'c,
        tokio_postgres::Error,
    > {
        let stream = crate::generated::client::async_::raw(
            self.client,
            self.query,
            crate::generated::slice_iter(&self.params),
            self.cached,
        )
        .await?;
        let mapped = stream
            .map(move |res| {
                res.and_then(|row| {
                    let extracted = (self.extractor)(&row)?;
                    Ok((self.mapper)(extracted))
                })
            })
            .into_stream();
        Ok(mapped)
    }
}
pub struct LockCodeQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<LockCodeBorrowed, tokio_postgres::Error>,
    mapper: fn(LockCodeBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> LockCodeQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(LockCodeBorrowed) -> R) -> LockCodeQuery<'c, 'a, 's, C, R, N> {
        LockCodeQuery {
            client: self.client,
            params: self.params,
            query: self.query,
            cached: self.cached,
            extractor: self.extractor,
            mapper,
        }
    }
    pub async fn one(self) -> Result<T, tokio_postgres::Error> {
        let row =
            crate::generated::client::async_::one(self.client, self.query, &self.params, self.cached).await?;
        Ok((self.mapper)((self.extractor)(&row)?))
    }
    pub async fn all(self) -> Result<Vec<T>, tokio_postgres::Error> {
        self.iter().await?.try_collect().await
    }
    pub async fn opt(self) -> Result<Option<T>, tokio_postgres::Error> {
        let opt_row =
            crate::generated::client::async_::opt(self.client, self.query, &self.params, self.cached).await?;
        Ok(opt_row
            .map(|row| {
                let extracted = (self.extractor)(&row)?;
                Ok((self.mapper)(extracted))
            })
            .transpose()?)
    }
    pub async fn iter(
        self,
    ) -> Result<
        impl futures_util::Stream<Item = Result<T, tokio_postgres::Error>> + 'c,
        tokio_postgres::Error,
    > {
        let stream = crate::generated::client::async_::raw(
            self.client,
            self.query,
            crate::generated::slice_iter(&self.params),
            self.cached,
        )
        .await?;
        let mapped = stream
            .map(move |res| {
                res.and_then(|row| {
                    let extracted = (self.extractor)(&row)?;
                    Ok((self.mapper)(extracted))
                })
            })
            .into_stream();
        Ok(mapped)
    }
}
pub struct FamilyQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<FamilyBorrowed, tokio_postgres::Error>,
    mapper: fn(FamilyBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> FamilyQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(FamilyBorrowed) -> R) -> FamilyQuery<'c, 'a, 's, C, R, N> {
        FamilyQuery {
            client: self.client,
            params: self.params,
            query: self.query,
            cached: self.cached,
            extractor: self.extractor,
            mapper,
        }
    }
    pub async fn one(self) -> Result<T, tokio_postgres::Error> {
        let row =
            crate::generated::client::async_::one(self.client, self.query, &self.params, self.cached).await?;
        Ok((self.mapper)((self.extractor)(&row)?))
    }
    pub async fn all(self) -> Result<Vec<T>, tokio_postgres::Error> {
        self.iter().await?.try_collect().await
    }
    pub async fn opt(self) -> Result<Option<T>, tokio_postgres::Error> {
        let opt_row =
            crate::generated::client::async_::opt(self.client, self.query, &self.params, self.cached).await?;
        Ok(opt_row
            .map(|row| {
                let extracted = (self.extractor)(&row)?;
                Ok((self.mapper)(extracted))
            })
            .transpose()?)
    }
    pub async fn iter(
        self,
    ) -> Result<
        impl futures_util::Stream<Item = Result<T, tokio_postgres::Error>> + 'c,
        tokio_postgres::Error,
    > {
        let stream = crate::generated::client::async_::raw(
            self.client,
            self.query,
            crate::generated::slice_iter(&self.params),
            self.cached,
        )
        .await?;
        let mapped = stream
            .map(move |res| {
                res.and_then(|row| {
                    let extracted = (self.extractor)(&row)?;
                    Ok((self.mapper)(extracted))
                })
            })
            .into_stream();
        Ok(mapped)
    }
}
pub struct UuidUuidQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<uuid::Uuid, tokio_postgres::Error>,
    mapper: fn(uuid::Uuid) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> UuidUuidQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(uuid::Uuid) -> R) -> UuidUuidQuery<'c, 'a, 's, C, R, N> {
        UuidUuidQuery {
            client: self.client,
            params: self.params,
            query: self.query,
            cached: self.cached,
            extractor: self.extractor,
            mapper,
        }
    }
    pub async fn one(self) -> Result<T, tokio_postgres::Error> {
        let row =
            crate::generated::client::async_::one(self.client, self.query, &self.params, self.cached).await?;
        Ok((self.mapper)((self.extractor)(&row)?))
    }
    pub async fn all(self) -> Result<Vec<T>, tokio_postgres::Error> {
        self.iter().await?.try_collect().await
    }
    pub async fn opt(self) -> Result<Option<T>, tokio_postgres::Error> {
        let opt_row =
            crate::generated::client::async_::opt(self.client, self.query, &self.params, self.cached).await?;
        Ok(opt_row
            .map(|row| {
                let extracted = (self.extractor)(&row)?;
                Ok((self.mapper)(extracted))
            })
            .transpose()?)
    }
    pub async fn iter(
        self,
    ) -> Result<
        impl futures_util::Stream<Item = Result<T, tokio_postgres::Error>> + 'c,
        tokio_postgres::Error,
    > {
        let stream = crate::generated::client::async_::raw(
            self.client,
            self.query,
            crate::generated::slice_iter(&self.params),
            self.cached,
        )
        .await?;
        let mapped = stream
            .map(move |res| {
                res.and_then(|row| {
                    let extracted = (self.extractor)(&row)?;
                    Ok((self.mapper)(extracted))
                })
            })
            .into_stream();
        Ok(mapped)
    }
}
pub struct RefreshTokenQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<RefreshToken, tokio_postgres::Error>,
    mapper: fn(RefreshToken) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> RefreshTokenQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(RefreshToken) -> R) -> RefreshTokenQuery<'c, 'a, 's, C, R, N> {
        RefreshTokenQuery {
            client: self.client,
            params: self.params,
            query: self.query,
            cached: self.cached,
            extractor: self.extractor,
            mapper,
        }
    }
    pub async fn one(self) -> Result<T, tokio_postgres::Error> {
        let row =
            crate::generated::client::async_::one(self.client, self.query, &self.params, self.cached).await?;
        Ok((self.mapper)((self.extractor)(&row)?))
    }
    pub async fn all(self) -> Result<Vec<T>, tokio_postgres::Error> {
        self.iter().await?.try_collect().await
    }
    pub async fn opt(self) -> Result<Option<T>, tokio_postgres::Error> {
        let opt_row =
            crate::generated::client::async_::opt(self.client, self.query, &self.params, self.cached).await?;
        Ok(opt_row
            .map(|row| {
                let extracted = (self.extractor)(&row)?;
                Ok((self.mapper)(extracted))
            })
            .transpose()?)
    }
    pub async fn iter(
        self,
    ) -> Result<
        impl futures_util::Stream<Item = Result<T, tokio_postgres::Error>> + 'c,
        tokio_postgres::Error,
    > {
        let stream = crate::generated::client::async_::raw(
            self.client,
            self.query,
            crate::generated::slice_iter(&self.params),
            self.cached,
        )
        .await?;
        let mapped = stream
            .map(move |res| {
                res.and_then(|row| {
                    let extracted = (self.extractor)(&row)?;
                    Ok((self.mapper)(extracted))
                })
            })
            .into_stream();
        Ok(mapped)
    }
}
pub struct AccessTokenQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<AccessTokenBorrowed, tokio_postgres::Error>,
    mapper: fn(AccessTokenBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> AccessTokenQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(AccessTokenBorrowed) -> R,
    ) -> AccessTokenQuery<'c, 'a, 's, C, R, N> {
        AccessTokenQuery {
            client: self.client,
            params: self.params,
            query: self.query,
            cached: self.cached,
            extractor: self.extractor,
            mapper,
        }
    }
    pub async fn one(self) -> Result<T, tokio_postgres::Error> {
        let row =
            crate::generated::client::async_::one(self.client, self.query, &self.params, self.cached).await?;
        Ok((self.mapper)((self.extractor)(&row)?))
    }
    pub async fn all(self) -> Result<Vec<T>, tokio_postgres::Error> {
        self.iter().await?.try_collect().await
    }
    pub async fn opt(self) -> Result<Option<T>, tokio_postgres::Error> {
        let opt_row =
            crate::generated::client::async_::opt(self.client, self.query, &self.params, self.cached).await?;
        Ok(opt_row
            .map(|row| {
                let extracted = (self.extractor)(&row)?;
                Ok((self.mapper)(extracted))
            })
            .transpose()?)
    }
    pub async fn iter(
        self,
    ) -> Result<
        impl futures_util::Stream<Item = Result<T, tokio_postgres::Error>> + 'c,
        tokio_postgres::Error,
    > {
        let stream = crate::generated::client::async_::raw(
            self.client,
            self.query,
            crate::generated::slice_iter(&self.params),
            self.cached,
        )
        .await?;
        let mapped = stream
            .map(move |res| {
                res.and_then(|row| {
                    let extracted = (self.extractor)(&row)?;
                    Ok((self.mapper)(extracted))
                })
            })
            .into_stream();
        Ok(mapped)
    }
}
pub struct RevokeAccessTokensQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor:
        fn(&tokio_postgres::Row) -> Result<RevokeAccessTokensBorrowed, tokio_postgres::Error>,
    mapper: fn(RevokeAccessTokensBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> RevokeAccessTokensQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(RevokeAccessTokensBorrowed) -> R,
    ) -> RevokeAccessTokensQuery<'c, 'a, 's, C, R, N> {
        RevokeAccessTokensQuery {
            client: self.client,
            params: self.params,
            query: self.query,
            cached: self.cached,
            extractor: self.extractor,
            mapper,
        }
    }
    pub async fn one(self) -> Result<T, tokio_postgres::Error> {
        let row =
            crate::generated::client::async_::one(self.client, self.query, &self.params, self.cached).await?;
        Ok((self.mapper)((self.extractor)(&row)?))
    }
    pub async fn all(self) -> Result<Vec<T>, tokio_postgres::Error> {
        self.iter().await?.try_collect().await
    }
    pub async fn opt(self) -> Result<Option<T>, tokio_postgres::Error> {
        let opt_row =
            crate::generated::client::async_::opt(self.client, self.query, &self.params, self.cached).await?;
        Ok(opt_row
            .map(|row| {
                let extracted = (self.extractor)(&row)?;
                Ok((self.mapper)(extracted))
            })
            .transpose()?)
    }
    pub async fn iter(
        self,
    ) -> Result<
        impl futures_util::Stream<Item = Result<T, tokio_postgres::Error>> + 'c,
        tokio_postgres::Error,
    > {
        let stream = crate::generated::client::async_::raw(
            self.client,
            self.query,
            crate::generated::slice_iter(&self.params),
            self.cached,
        )
        .await?;
        let mapped = stream
            .map(move |res| {
                res.and_then(|row| {
                    let extracted = (self.extractor)(&row)?;
                    Ok((self.mapper)(extracted))
                })
            })
            .into_stream();
        Ok(mapped)
    }
}
pub struct JiffTimestampQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<jiff::Timestamp, tokio_postgres::Error>,
    mapper: fn(jiff::Timestamp) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> JiffTimestampQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(jiff::Timestamp) -> R,
    ) -> JiffTimestampQuery<'c, 'a, 's, C, R, N> {
        JiffTimestampQuery {
            client: self.client,
            params: self.params,
            query: self.query,
            cached: self.cached,
            extractor: self.extractor,
            mapper,
        }
    }
    pub async fn one(self) -> Result<T, tokio_postgres::Error> {
        let row =
            crate::generated::client::async_::one(self.client, self.query, &self.params, self.cached).await?;
        Ok((self.mapper)((self.extractor)(&row)?))
    }
    pub async fn all(self) -> Result<Vec<T>, tokio_postgres::Error> {
        self.iter().await?.try_collect().await
    }
    pub async fn opt(self) -> Result<Option<T>, tokio_postgres::Error> {
        let opt_row =
            crate::generated::client::async_::opt(self.client, self.query, &self.params, self.cached).await?;
        Ok(opt_row
            .map(|row| {
                let extracted = (self.extractor)(&row)?;
                Ok((self.mapper)(extracted))
            })
            .transpose()?)
    }
    pub async fn iter(
        self,
    ) -> Result<
        impl futures_util::Stream<Item = Result<T, tokio_postgres::Error>> + 'c,
        tokio_postgres::Error,
    > {
        let stream = crate::generated::client::async_::raw(
            self.client,
            self.query,
            crate::generated::slice_iter(&self.params),
            self.cached,
        )
        .await?;
        let mapped = stream
            .map(move |res| {
                res.and_then(|row| {
                    let extracted = (self.extractor)(&row)?;
                    Ok((self.mapper)(extracted))
                })
            })
            .into_stream();
        Ok(mapped)
    }
}
pub struct DeviceByUserCodeQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<DeviceByUserCodeBorrowed, tokio_postgres::Error>,
    mapper: fn(DeviceByUserCodeBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> DeviceByUserCodeQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(DeviceByUserCodeBorrowed) -> R,
    ) -> DeviceByUserCodeQuery<'c, 'a, 's, C, R, N> {
        DeviceByUserCodeQuery {
            client: self.client,
            params: self.params,
            query: self.query,
            cached: self.cached,
            extractor: self.extractor,
            mapper,
        }
    }
    pub async fn one(self) -> Result<T, tokio_postgres::Error> {
        let row =
            crate::generated::client::async_::one(self.client, self.query, &self.params, self.cached).await?;
        Ok((self.mapper)((self.extractor)(&row)?))
    }
    pub async fn all(self) -> Result<Vec<T>, tokio_postgres::Error> {
        self.iter().await?.try_collect().await
    }
    pub async fn opt(self) -> Result<Option<T>, tokio_postgres::Error> {
        let opt_row =
            crate::generated::client::async_::opt(self.client, self.query, &self.params, self.cached).await?;
        Ok(opt_row
            .map(|row| {
                let extracted = (self.extractor)(&row)?;
                Ok((self.mapper)(extracted))
            })
            .transpose()?)
    }
    pub async fn iter(
        self,
    ) -> Result<
        impl futures_util::Stream<Item = Result<T, tokio_postgres::Error>> + 'c,
        tokio_postgres::Error,
    > {
        let stream = crate::generated::client::async_::raw(
            self.client,
            self.query,
            crate::generated::slice_iter(&self.params),
            self.cached,
        )
        .await?;
        let mapped = stream
            .map(move |res| {
                res.and_then(|row| {
                    let extracted = (self.extractor)(&row)?;
                    Ok((self.mapper)(extracted))
                })
            })
            .into_stream();
        Ok(mapped)
    }
}
pub struct LockDeviceQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<LockDeviceBorrowed, tokio_postgres::Error>,
    mapper: fn(LockDeviceBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> LockDeviceQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(LockDeviceBorrowed) -> R,
    ) -> LockDeviceQuery<'c, 'a, 's, C, R, N> {
        LockDeviceQuery {
            client: self.client,
            params: self.params,
            query: self.query,
            cached: self.cached,
            extractor: self.extractor,
            mapper,
        }
    }
    pub async fn one(self) -> Result<T, tokio_postgres::Error> {
        let row =
            crate::generated::client::async_::one(self.client, self.query, &self.params, self.cached).await?;
        Ok((self.mapper)((self.extractor)(&row)?))
    }
    pub async fn all(self) -> Result<Vec<T>, tokio_postgres::Error> {
        self.iter().await?.try_collect().await
    }
    pub async fn opt(self) -> Result<Option<T>, tokio_postgres::Error> {
        let opt_row =
            crate::generated::client::async_::opt(self.client, self.query, &self.params, self.cached).await?;
        Ok(opt_row
            .map(|row| {
                let extracted = (self.extractor)(&row)?;
                Ok((self.mapper)(extracted))
            })
            .transpose()?)
    }
    pub async fn iter(
        self,
    ) -> Result<
        impl futures_util::Stream<Item = Result<T, tokio_postgres::Error>> + 'c,
        tokio_postgres::Error,
    > {
        let stream = crate::generated::client::async_::raw(
            self.client,
            self.query,
            crate::generated::slice_iter(&self.params),
            self.cached,
        )
        .await?;
        let mapped = stream
            .map(move |res| {
                res.and_then(|row| {
                    let extracted = (self.extractor)(&row)?;
                    Ok((self.mapper)(extracted))
                })
            })
            .into_stream();
        Ok(mapped)
    }
}
pub struct BoolQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<bool, tokio_postgres::Error>,
    mapper: fn(bool) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> BoolQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(bool) -> R) -> BoolQuery<'c, 'a, 's, C, R, N> {
        BoolQuery {
            client: self.client,
            params: self.params,
            query: self.query,
            cached: self.cached,
            extractor: self.extractor,
            mapper,
        }
    }
    pub async fn one(self) -> Result<T, tokio_postgres::Error> {
        let row =
            crate::generated::client::async_::one(self.client, self.query, &self.params, self.cached).await?;
        Ok((self.mapper)((self.extractor)(&row)?))
    }
    pub async fn all(self) -> Result<Vec<T>, tokio_postgres::Error> {
        self.iter().await?.try_collect().await
    }
    pub async fn opt(self) -> Result<Option<T>, tokio_postgres::Error> {
        let opt_row =
            crate::generated::client::async_::opt(self.client, self.query, &self.params, self.cached).await?;
        Ok(opt_row
            .map(|row| {
                let extracted = (self.extractor)(&row)?;
                Ok((self.mapper)(extracted))
            })
            .transpose()?)
    }
    pub async fn iter(
        self,
    ) -> Result<
        impl futures_util::Stream<Item = Result<T, tokio_postgres::Error>> + 'c,
        tokio_postgres::Error,
    > {
        let stream = crate::generated::client::async_::raw(
            self.client,
            self.query,
            crate::generated::slice_iter(&self.params),
            self.cached,
        )
        .await?;
        let mapped = stream
            .map(move |res| {
                res.and_then(|row| {
                    let extracted = (self.extractor)(&row)?;
                    Ok((self.mapper)(extracted))
                })
            })
            .into_stream();
        Ok(mapped)
    }
}
pub struct ClientStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn client() -> ClientStmt {
    ClientStmt(
        "SELECT id, origin, name, redirect_uris, post_logout_redirect_uris, grant_types, auth_method, secret_digest, jwks, application_type, client_uri, scopes, account, may_exchange, may_introspect, created_at, created_by, last_used_at, stale_at, disabled_at FROM oauth_client WHERE id = $1",
        None,
    )
}
impl ClientStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::generated::StringSql>(
        &'s self,
        client: &'c C,
        id: &'a T1,
    ) -> ClientQuery<'c, 'a, 's, C, Client, 1> {
        ClientQuery {
            client,
            params: [id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<ClientBorrowed, tokio_postgres::Error> {
                    Ok(ClientBorrowed {
                        id: row.try_get(0)?,
                        origin: row.try_get(1)?,
                        name: row.try_get(2)?,
                        redirect_uris: row.try_get(3)?,
                        post_logout_redirect_uris: row.try_get(4)?,
                        grant_types: row.try_get(5)?,
                        auth_method: row.try_get(6)?,
                        secret_digest: row.try_get(7)?,
                        jwks: row.try_get(8)?,
                        application_type: row.try_get(9)?,
                        client_uri: row.try_get(10)?,
                        scopes: row.try_get(11)?,
                        account: row.try_get(12)?,
                        may_exchange: row.try_get(13)?,
                        may_introspect: row.try_get(14)?,
                        created_at: row.try_get(15)?,
                        created_by: row.try_get(16)?,
                        last_used_at: row.try_get(17)?,
                        stale_at: row.try_get(18)?,
                        disabled_at: row.try_get(19)?,
                    })
                },
            mapper: |it| Client::from(it),
        }
    }
}
pub struct ClientsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn clients() -> ClientsStmt {
    ClientsStmt(
        "SELECT id, origin, name, redirect_uris, post_logout_redirect_uris, grant_types, auth_method, secret_digest, jwks, application_type, client_uri, scopes, account, may_exchange, may_introspect, created_at, created_by, last_used_at, stale_at, disabled_at FROM oauth_client ORDER BY created_at, id",
        None,
    )
}
impl ClientsStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
    ) -> ClientQuery<'c, 'a, 's, C, Client, 0> {
        ClientQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<ClientBorrowed, tokio_postgres::Error> {
                    Ok(ClientBorrowed {
                        id: row.try_get(0)?,
                        origin: row.try_get(1)?,
                        name: row.try_get(2)?,
                        redirect_uris: row.try_get(3)?,
                        post_logout_redirect_uris: row.try_get(4)?,
                        grant_types: row.try_get(5)?,
                        auth_method: row.try_get(6)?,
                        secret_digest: row.try_get(7)?,
                        jwks: row.try_get(8)?,
                        application_type: row.try_get(9)?,
                        client_uri: row.try_get(10)?,
                        scopes: row.try_get(11)?,
                        account: row.try_get(12)?,
                        may_exchange: row.try_get(13)?,
                        may_introspect: row.try_get(14)?,
                        created_at: row.try_get(15)?,
                        created_by: row.try_get(16)?,
                        last_used_at: row.try_get(17)?,
                        stale_at: row.try_get(18)?,
                        disabled_at: row.try_get(19)?,
                    })
                },
            mapper: |it| Client::from(it),
        }
    }
}
pub struct PutClientStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn put_client() -> PutClientStmt {
    PutClientStmt(
        "INSERT INTO oauth_client AS c (id, origin, name, redirect_uris, post_logout_redirect_uris, grant_types, auth_method, secret_digest, jwks, application_type, client_uri, scopes, account, may_exchange, may_introspect, created_by, stale_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, redirect_uris = EXCLUDED.redirect_uris, post_logout_redirect_uris = EXCLUDED.post_logout_redirect_uris, grant_types = EXCLUDED.grant_types, auth_method = EXCLUDED.auth_method, secret_digest = EXCLUDED.secret_digest, jwks = EXCLUDED.jwks, application_type = EXCLUDED.application_type, client_uri = EXCLUDED.client_uri, stale_at = EXCLUDED.stale_at WHERE c.origin = EXCLUDED.origin AND c.origin <> 'registered'",
        None,
    )
}
impl PutClientStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<
        'c,
        'a,
        's,
        C: GenericClient,
        T1: crate::generated::StringSql,
        T2: crate::generated::StringSql,
        T3: crate::generated::StringSql,
        T4: crate::generated::StringSql,
        T5: crate::generated::ArraySql<Item = T4>,
        T6: crate::generated::StringSql,
        T7: crate::generated::ArraySql<Item = T6>,
        T8: crate::generated::StringSql,
        T9: crate::generated::ArraySql<Item = T8>,
        T10: crate::generated::StringSql,
        T11: crate::generated::BytesSql,
        T12: crate::generated::JsonSql,
        T13: crate::generated::StringSql,
        T14: crate::generated::StringSql,
        T15: crate::generated::StringSql,
        T16: crate::generated::ArraySql<Item = T15>,
        T17: crate::generated::StringSql,
        T18: crate::generated::StringSql,
    >(
        &'s self,
        client: &'c C,
        id: &'a T1,
        origin: &'a T2,
        name: &'a T3,
        redirect_uris: &'a T5,
        post_logout_redirect_uris: &'a T7,
        grant_types: &'a T9,
        auth_method: &'a T10,
        secret_digest: &'a Option<T11>,
        jwks: &'a Option<T12>,
        application_type: &'a T13,
        client_uri: &'a Option<T14>,
        scopes: &'a Option<T16>,
        account: &'a Option<T17>,
        may_exchange: &'a bool,
        may_introspect: &'a bool,
        by: &'a T18,
        stale_at: &'a Option<jiff::Timestamp>,
    ) -> Result<u64, tokio_postgres::Error> {
        client
            .execute(
                self.0,
                &[
                    id,
                    origin,
                    name,
                    redirect_uris,
                    post_logout_redirect_uris,
                    grant_types,
                    auth_method,
                    secret_digest,
                    jwks,
                    application_type,
                    client_uri,
                    scopes,
                    account,
                    may_exchange,
                    may_introspect,
                    by,
                    stale_at,
                ],
            )
            .await
    }
}
impl<
    'a,
    C: GenericClient + Send + Sync,
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::StringSql,
    T5: crate::generated::ArraySql<Item = T4>,
    T6: crate::generated::StringSql,
    T7: crate::generated::ArraySql<Item = T6>,
    T8: crate::generated::StringSql,
    T9: crate::generated::ArraySql<Item = T8>,
    T10: crate::generated::StringSql,
    T11: crate::generated::BytesSql,
    T12: crate::generated::JsonSql,
    T13: crate::generated::StringSql,
    T14: crate::generated::StringSql,
    T15: crate::generated::StringSql,
    T16: crate::generated::ArraySql<Item = T15>,
    T17: crate::generated::StringSql,
    T18: crate::generated::StringSql,
>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        PutClientParams<
            T1,
            T2,
            T3,
            T4,
            T5,
            T6,
            T7,
            T8,
            T9,
            T10,
            T11,
            T12,
            T13,
            T14,
            T15,
            T16,
            T17,
            T18,
        >,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for PutClientStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a PutClientParams<
            T1,
            T2,
            T3,
            T4,
            T5,
            T6,
            T7,
            T8,
            T9,
            T10,
            T11,
            T12,
            T13,
            T14,
            T15,
            T16,
            T17,
            T18,
        >,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(
            client,
            &params.id,
            &params.origin,
            &params.name,
            &params.redirect_uris,
            &params.post_logout_redirect_uris,
            &params.grant_types,
            &params.auth_method,
            &params.secret_digest,
            &params.jwks,
            &params.application_type,
            &params.client_uri,
            &params.scopes,
            &params.account,
            &params.may_exchange,
            &params.may_introspect,
            &params.by,
            &params.stale_at,
        ))
    }
}
pub struct UsedClientStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn used_client() -> UsedClientStmt {
    UsedClientStmt(
        "UPDATE oauth_client SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $3)",
        None,
    )
}
impl UsedClientStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<'c, 'a, 's, C: GenericClient, T1: crate::generated::StringSql>(
        &'s self,
        client: &'c C,
        now: &'a jiff::Timestamp,
        id: &'a T1,
        before: &'a jiff::Timestamp,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[now, id, before]).await
    }
}
impl<'a, C: GenericClient + Send + Sync, T1: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        UsedClientParams<T1>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for UsedClientStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a UsedClientParams<T1>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.now, &params.id, &params.before))
    }
}
pub struct DisableClientStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn disable_client() -> DisableClientStmt {
    DisableClientStmt(
        "UPDATE oauth_client SET disabled_at = coalesce(disabled_at, $1) WHERE id = $2",
        None,
    )
}
impl DisableClientStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<'c, 'a, 's, C: GenericClient, T1: crate::generated::StringSql>(
        &'s self,
        client: &'c C,
        now: &'a jiff::Timestamp,
        id: &'a T1,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[now, id]).await
    }
}
impl<'a, C: GenericClient + Send + Sync, T1: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        DisableClientParams<T1>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for DisableClientStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a DisableClientParams<T1>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.now, &params.id))
    }
}
pub struct EnableClientStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn enable_client() -> EnableClientStmt {
    EnableClientStmt(
        "UPDATE oauth_client SET disabled_at = NULL WHERE id = $1",
        None,
    )
}
impl EnableClientStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<'c, 'a, 's, C: GenericClient, T1: crate::generated::StringSql>(
        &'s self,
        client: &'c C,
        id: &'a T1,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[id]).await
    }
}
pub struct DropClientStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn drop_client() -> DropClientStmt {
    DropClientStmt("DELETE FROM oauth_client WHERE id = $1", None)
}
impl DropClientStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<'c, 'a, 's, C: GenericClient, T1: crate::generated::StringSql>(
        &'s self,
        client: &'c C,
        id: &'a T1,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[id]).await
    }
}
pub struct RegisteredSinceStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn registered_since() -> RegisteredSinceStmt {
    RegisteredSinceStmt(
        "SELECT count(*) FROM oauth_client WHERE origin = 'registered' AND created_at > $1",
        None,
    )
}
impl RegisteredSinceStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        since: &'a jiff::Timestamp,
    ) -> I64Query<'c, 'a, 's, C, i64, 1> {
        I64Query {
            client,
            params: [since],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
pub struct ForgetUnusedClientsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn forget_unused_clients() -> ForgetUnusedClientsStmt {
    ForgetUnusedClientsStmt(
        "DELETE FROM oauth_client WHERE origin = 'registered' AND created_at < $1 AND last_used_at IS NULL",
        None,
    )
}
impl ForgetUnusedClientsStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        before: &'a jiff::Timestamp,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[before]).await
    }
}
pub struct ConsentStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn consent() -> ConsentStmt {
    ConsentStmt(
        "SELECT scopes, resources, granted_at FROM consent WHERE account = $1 AND client = $2",
        None,
    )
}
impl ConsentStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::generated::StringSql, T2: crate::generated::StringSql>(
        &'s self,
        client: &'c C,
        account: &'a T1,
        client_id: &'a T2,
    ) -> ConsentQuery<'c, 'a, 's, C, Consent, 2> {
        ConsentQuery {
            client,
            params: [account, client_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<ConsentBorrowed, tokio_postgres::Error> {
                    Ok(ConsentBorrowed {
                        scopes: row.try_get(0)?,
                        resources: row.try_get(1)?,
                        granted_at: row.try_get(2)?,
                    })
                },
            mapper: |it| Consent::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::generated::StringSql, T2: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        ConsentParams<T1, T2>,
        ConsentQuery<'c, 'a, 's, C, Consent, 2>,
        C,
    > for ConsentStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ConsentParams<T1, T2>,
    ) -> ConsentQuery<'c, 'a, 's, C, Consent, 2> {
        self.bind(client, &params.account, &params.client_id)
    }
}
pub struct ConsentsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn consents() -> ConsentsStmt {
    ConsentsStmt(
        "SELECT c.client, o.name, c.scopes, c.resources, c.granted_at FROM consent c JOIN oauth_client o ON o.id = c.client WHERE c.account = $1 ORDER BY c.granted_at DESC",
        None,
    )
}
impl ConsentsStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::generated::StringSql>(
        &'s self,
        client: &'c C,
        account: &'a T1,
    ) -> ConsentsQuery<'c, 'a, 's, C, Consents, 1> {
        ConsentsQuery {
            client,
            params: [account],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<ConsentsBorrowed, tokio_postgres::Error> {
                    Ok(ConsentsBorrowed {
                        client: row.try_get(0)?,
                        name: row.try_get(1)?,
                        scopes: row.try_get(2)?,
                        resources: row.try_get(3)?,
                        granted_at: row.try_get(4)?,
                    })
                },
            mapper: |it| Consents::from(it),
        }
    }
}
pub struct PutConsentStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn put_consent() -> PutConsentStmt {
    PutConsentStmt(
        "INSERT INTO consent AS c (account, client, scopes, resources, granted_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (account, client) DO UPDATE SET scopes = ARRAY(SELECT DISTINCT unnest(c.scopes || EXCLUDED.scopes) ORDER BY 1), resources = ARRAY(SELECT DISTINCT unnest(c.resources || EXCLUDED.resources) ORDER BY 1), granted_at = EXCLUDED.granted_at",
        None,
    )
}
impl PutConsentStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<
        'c,
        'a,
        's,
        C: GenericClient,
        T1: crate::generated::StringSql,
        T2: crate::generated::StringSql,
        T3: crate::generated::StringSql,
        T4: crate::generated::ArraySql<Item = T3>,
        T5: crate::generated::StringSql,
        T6: crate::generated::ArraySql<Item = T5>,
    >(
        &'s self,
        client: &'c C,
        account: &'a T1,
        client_id: &'a T2,
        scopes: &'a T4,
        resources: &'a T6,
        now: &'a jiff::Timestamp,
    ) -> Result<u64, tokio_postgres::Error> {
        client
            .execute(self.0, &[account, client_id, scopes, resources, now])
            .await
    }
}
impl<
    'a,
    C: GenericClient + Send + Sync,
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::ArraySql<Item = T3>,
    T5: crate::generated::StringSql,
    T6: crate::generated::ArraySql<Item = T5>,
>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        PutConsentParams<T1, T2, T3, T4, T5, T6>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for PutConsentStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a PutConsentParams<T1, T2, T3, T4, T5, T6>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(
            client,
            &params.account,
            &params.client_id,
            &params.scopes,
            &params.resources,
            &params.now,
        ))
    }
}
pub struct DropConsentStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn drop_consent() -> DropConsentStmt {
    DropConsentStmt(
        "DELETE FROM consent WHERE account = $1 AND client = $2",
        None,
    )
}
impl DropConsentStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<'c, 'a, 's, C: GenericClient, T1: crate::generated::StringSql, T2: crate::generated::StringSql>(
        &'s self,
        client: &'c C,
        account: &'a T1,
        client_id: &'a T2,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[account, client_id]).await
    }
}
impl<'a, C: GenericClient + Send + Sync, T1: crate::generated::StringSql, T2: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        DropConsentParams<T1, T2>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for DropConsentStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a DropConsentParams<T1, T2>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.account, &params.client_id))
    }
}
pub struct PutCodeStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn put_code() -> PutCodeStmt {
    PutCodeStmt(
        "INSERT INTO authorization_code (digest, client, account, session, redirect_uri, code_challenge, nonce, scopes, resources, authenticated_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        None,
    )
}
impl PutCodeStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<
        'c,
        'a,
        's,
        C: GenericClient,
        T1: crate::generated::BytesSql,
        T2: crate::generated::StringSql,
        T3: crate::generated::StringSql,
        T4: crate::generated::StringSql,
        T5: crate::generated::StringSql,
        T6: crate::generated::StringSql,
        T7: crate::generated::StringSql,
        T8: crate::generated::StringSql,
        T9: crate::generated::ArraySql<Item = T8>,
        T10: crate::generated::StringSql,
        T11: crate::generated::ArraySql<Item = T10>,
    >(
        &'s self,
        client: &'c C,
        digest: &'a T1,
        client_id: &'a T2,
        account: &'a T3,
        session: &'a T4,
        redirect_uri: &'a T5,
        code_challenge: &'a T6,
        nonce: &'a Option<T7>,
        scopes: &'a T9,
        resources: &'a T11,
        authenticated_at: &'a jiff::Timestamp,
        expires_at: &'a jiff::Timestamp,
    ) -> Result<u64, tokio_postgres::Error> {
        client
            .execute(
                self.0,
                &[
                    digest,
                    client_id,
                    account,
                    session,
                    redirect_uri,
                    code_challenge,
                    nonce,
                    scopes,
                    resources,
                    authenticated_at,
                    expires_at,
                ],
            )
            .await
    }
}
impl<
    'a,
    C: GenericClient + Send + Sync,
    T1: crate::generated::BytesSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::StringSql,
    T5: crate::generated::StringSql,
    T6: crate::generated::StringSql,
    T7: crate::generated::StringSql,
    T8: crate::generated::StringSql,
    T9: crate::generated::ArraySql<Item = T8>,
    T10: crate::generated::StringSql,
    T11: crate::generated::ArraySql<Item = T10>,
>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        PutCodeParams<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for PutCodeStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a PutCodeParams<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(
            client,
            &params.digest,
            &params.client_id,
            &params.account,
            &params.session,
            &params.redirect_uri,
            &params.code_challenge,
            &params.nonce,
            &params.scopes,
            &params.resources,
            &params.authenticated_at,
            &params.expires_at,
        ))
    }
}
pub struct LockCodeStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn lock_code() -> LockCodeStmt {
    LockCodeStmt(
        "SELECT client, account, session, redirect_uri, code_challenge, nonce, scopes, resources, authenticated_at, expires_at, family, used_at FROM authorization_code WHERE digest = $1 FOR UPDATE",
        None,
    )
}
impl LockCodeStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::generated::BytesSql>(
        &'s self,
        client: &'c C,
        digest: &'a T1,
    ) -> LockCodeQuery<'c, 'a, 's, C, LockCode, 1> {
        LockCodeQuery {
            client,
            params: [digest],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<LockCodeBorrowed, tokio_postgres::Error> {
                    Ok(LockCodeBorrowed {
                        client: row.try_get(0)?,
                        account: row.try_get(1)?,
                        session: row.try_get(2)?,
                        redirect_uri: row.try_get(3)?,
                        code_challenge: row.try_get(4)?,
                        nonce: row.try_get(5)?,
                        scopes: row.try_get(6)?,
                        resources: row.try_get(7)?,
                        authenticated_at: row.try_get(8)?,
                        expires_at: row.try_get(9)?,
                        family: row.try_get(10)?,
                        used_at: row.try_get(11)?,
                    })
                },
            mapper: |it| LockCode::from(it),
        }
    }
}
pub struct UseCodeStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn use_code() -> UseCodeStmt {
    UseCodeStmt(
        "UPDATE authorization_code SET used_at = $1, family = $2 WHERE digest = $3",
        None,
    )
}
impl UseCodeStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<'c, 'a, 's, C: GenericClient, T1: crate::generated::BytesSql>(
        &'s self,
        client: &'c C,
        now: &'a jiff::Timestamp,
        family: &'a Option<uuid::Uuid>,
        digest: &'a T1,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[now, family, digest]).await
    }
}
impl<'a, C: GenericClient + Send + Sync, T1: crate::generated::BytesSql>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        UseCodeParams<T1>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for UseCodeStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a UseCodeParams<T1>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.now, &params.family, &params.digest))
    }
}
pub struct PutFamilyStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn put_family() -> PutFamilyStmt {
    PutFamilyStmt(
        "INSERT INTO token_family (id, client, account, session, scopes, resources, authenticated_at, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        None,
    )
}
impl PutFamilyStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<
        'c,
        'a,
        's,
        C: GenericClient,
        T1: crate::generated::StringSql,
        T2: crate::generated::StringSql,
        T3: crate::generated::StringSql,
        T4: crate::generated::StringSql,
        T5: crate::generated::ArraySql<Item = T4>,
        T6: crate::generated::StringSql,
        T7: crate::generated::ArraySql<Item = T6>,
    >(
        &'s self,
        client: &'c C,
        id: &'a uuid::Uuid,
        client_id: &'a T1,
        account: &'a T2,
        session: &'a Option<T3>,
        scopes: &'a T5,
        resources: &'a T7,
        authenticated_at: &'a jiff::Timestamp,
        now: &'a jiff::Timestamp,
        expires_at: &'a jiff::Timestamp,
    ) -> Result<u64, tokio_postgres::Error> {
        client
            .execute(
                self.0,
                &[
                    id,
                    client_id,
                    account,
                    session,
                    scopes,
                    resources,
                    authenticated_at,
                    now,
                    expires_at,
                ],
            )
            .await
    }
}
impl<
    'a,
    C: GenericClient + Send + Sync,
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::StringSql,
    T5: crate::generated::ArraySql<Item = T4>,
    T6: crate::generated::StringSql,
    T7: crate::generated::ArraySql<Item = T6>,
>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        PutFamilyParams<T1, T2, T3, T4, T5, T6, T7>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for PutFamilyStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a PutFamilyParams<T1, T2, T3, T4, T5, T6, T7>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(
            client,
            &params.id,
            &params.client_id,
            &params.account,
            &params.session,
            &params.scopes,
            &params.resources,
            &params.authenticated_at,
            &params.now,
            &params.expires_at,
        ))
    }
}
pub struct FamilyStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn family() -> FamilyStmt {
    FamilyStmt(
        "SELECT id, client, account, session, scopes, resources, authenticated_at, expires_at, revoked_at FROM token_family WHERE id = $1",
        None,
    )
}
impl FamilyStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        id: &'a uuid::Uuid,
    ) -> FamilyQuery<'c, 'a, 's, C, Family, 1> {
        FamilyQuery {
            client,
            params: [id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<FamilyBorrowed, tokio_postgres::Error> {
                    Ok(FamilyBorrowed {
                        id: row.try_get(0)?,
                        client: row.try_get(1)?,
                        account: row.try_get(2)?,
                        session: row.try_get(3)?,
                        scopes: row.try_get(4)?,
                        resources: row.try_get(5)?,
                        authenticated_at: row.try_get(6)?,
                        expires_at: row.try_get(7)?,
                        revoked_at: row.try_get(8)?,
                    })
                },
            mapper: |it| Family::from(it),
        }
    }
}
pub struct FamiliesOfSessionStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn families_of_session() -> FamiliesOfSessionStmt {
    FamiliesOfSessionStmt(
        "SELECT id FROM token_family WHERE session = $1 AND revoked_at IS NULL",
        None,
    )
}
impl FamiliesOfSessionStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::generated::StringSql>(
        &'s self,
        client: &'c C,
        session: &'a T1,
    ) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 1> {
        UuidUuidQuery {
            client,
            params: [session],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
pub struct FamiliesOfClientStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn families_of_client() -> FamiliesOfClientStmt {
    FamiliesOfClientStmt(
        "SELECT id FROM token_family WHERE account = $1 AND client = $2 AND revoked_at IS NULL",
        None,
    )
}
impl FamiliesOfClientStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::generated::StringSql, T2: crate::generated::StringSql>(
        &'s self,
        client: &'c C,
        account: &'a T1,
        client_id: &'a T2,
    ) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 2> {
        UuidUuidQuery {
            client,
            params: [account, client_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::generated::StringSql, T2: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        FamiliesOfClientParams<T1, T2>,
        UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 2>,
        C,
    > for FamiliesOfClientStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a FamiliesOfClientParams<T1, T2>,
    ) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 2> {
        self.bind(client, &params.account, &params.client_id)
    }
}
pub struct RevokeFamilyStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn revoke_family() -> RevokeFamilyStmt {
    RevokeFamilyStmt(
        "UPDATE token_family SET revoked_at = $1, revoked_why = $2 WHERE id = $3 AND revoked_at IS NULL",
        None,
    )
}
impl RevokeFamilyStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<'c, 'a, 's, C: GenericClient, T1: crate::generated::StringSql>(
        &'s self,
        client: &'c C,
        now: &'a jiff::Timestamp,
        why: &'a T1,
        id: &'a uuid::Uuid,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[now, why, id]).await
    }
}
impl<'a, C: GenericClient + Send + Sync, T1: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        RevokeFamilyParams<T1>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for RevokeFamilyStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a RevokeFamilyParams<T1>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.now, &params.why, &params.id))
    }
}
pub struct PutRefreshTokenStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn put_refresh_token() -> PutRefreshTokenStmt {
    PutRefreshTokenStmt(
        "INSERT INTO refresh_token (digest, family, created_at, expires_at) VALUES ($1, $2, $3, $4)",
        None,
    )
}
impl PutRefreshTokenStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<'c, 'a, 's, C: GenericClient, T1: crate::generated::BytesSql>(
        &'s self,
        client: &'c C,
        digest: &'a T1,
        family: &'a uuid::Uuid,
        now: &'a jiff::Timestamp,
        expires_at: &'a jiff::Timestamp,
    ) -> Result<u64, tokio_postgres::Error> {
        client
            .execute(self.0, &[digest, family, now, expires_at])
            .await
    }
}
impl<'a, C: GenericClient + Send + Sync, T1: crate::generated::BytesSql>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        PutRefreshTokenParams<T1>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for PutRefreshTokenStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a PutRefreshTokenParams<T1>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(
            client,
            &params.digest,
            &params.family,
            &params.now,
            &params.expires_at,
        ))
    }
}
pub struct LockRefreshTokenStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn lock_refresh_token() -> LockRefreshTokenStmt {
    LockRefreshTokenStmt(
        "SELECT family, expires_at, used_at FROM refresh_token WHERE digest = $1 FOR UPDATE",
        None,
    )
}
impl LockRefreshTokenStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::generated::BytesSql>(
        &'s self,
        client: &'c C,
        digest: &'a T1,
    ) -> RefreshTokenQuery<'c, 'a, 's, C, RefreshToken, 1> {
        RefreshTokenQuery {
            client,
            params: [digest],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<RefreshToken, tokio_postgres::Error> {
                Ok(RefreshToken {
                    family: row.try_get(0)?,
                    expires_at: row.try_get(1)?,
                    used_at: row.try_get(2)?,
                })
            },
            mapper: |it| RefreshToken::from(it),
        }
    }
}
pub struct RefreshTokenStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn refresh_token() -> RefreshTokenStmt {
    RefreshTokenStmt(
        "SELECT family, expires_at, used_at FROM refresh_token WHERE digest = $1",
        None,
    )
}
impl RefreshTokenStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::generated::BytesSql>(
        &'s self,
        client: &'c C,
        digest: &'a T1,
    ) -> RefreshTokenQuery<'c, 'a, 's, C, RefreshToken, 1> {
        RefreshTokenQuery {
            client,
            params: [digest],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<RefreshToken, tokio_postgres::Error> {
                Ok(RefreshToken {
                    family: row.try_get(0)?,
                    expires_at: row.try_get(1)?,
                    used_at: row.try_get(2)?,
                })
            },
            mapper: |it| RefreshToken::from(it),
        }
    }
}
pub struct UseRefreshTokenStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn use_refresh_token() -> UseRefreshTokenStmt {
    UseRefreshTokenStmt(
        "UPDATE refresh_token SET used_at = $1 WHERE digest = $2",
        None,
    )
}
impl UseRefreshTokenStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<'c, 'a, 's, C: GenericClient, T1: crate::generated::BytesSql>(
        &'s self,
        client: &'c C,
        now: &'a jiff::Timestamp,
        digest: &'a T1,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[now, digest]).await
    }
}
impl<'a, C: GenericClient + Send + Sync, T1: crate::generated::BytesSql>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        UseRefreshTokenParams<T1>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for UseRefreshTokenStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a UseRefreshTokenParams<T1>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.now, &params.digest))
    }
}
pub struct PutAccessTokenStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn put_access_token() -> PutAccessTokenStmt {
    PutAccessTokenStmt(
        "INSERT INTO access_token (jti, family, client, account, issued_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)",
        None,
    )
}
impl PutAccessTokenStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<
        'c,
        'a,
        's,
        C: GenericClient,
        T1: crate::generated::StringSql,
        T2: crate::generated::StringSql,
        T3: crate::generated::StringSql,
    >(
        &'s self,
        client: &'c C,
        jti: &'a T1,
        family: &'a Option<uuid::Uuid>,
        client_id: &'a T2,
        account: &'a T3,
        now: &'a jiff::Timestamp,
        expires_at: &'a jiff::Timestamp,
    ) -> Result<u64, tokio_postgres::Error> {
        client
            .execute(self.0, &[jti, family, client_id, account, now, expires_at])
            .await
    }
}
impl<
    'a,
    C: GenericClient + Send + Sync,
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        PutAccessTokenParams<T1, T2, T3>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for PutAccessTokenStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a PutAccessTokenParams<T1, T2, T3>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(
            client,
            &params.jti,
            &params.family,
            &params.client_id,
            &params.account,
            &params.now,
            &params.expires_at,
        ))
    }
}
pub struct AccessTokenStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn access_token() -> AccessTokenStmt {
    AccessTokenStmt(
        "SELECT family, client, account, expires_at, revoked_at FROM access_token WHERE jti = $1",
        None,
    )
}
impl AccessTokenStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::generated::StringSql>(
        &'s self,
        client: &'c C,
        jti: &'a T1,
    ) -> AccessTokenQuery<'c, 'a, 's, C, AccessToken, 1> {
        AccessTokenQuery {
            client,
            params: [jti],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<AccessTokenBorrowed, tokio_postgres::Error> {
                    Ok(AccessTokenBorrowed {
                        family: row.try_get(0)?,
                        client: row.try_get(1)?,
                        account: row.try_get(2)?,
                        expires_at: row.try_get(3)?,
                        revoked_at: row.try_get(4)?,
                    })
                },
            mapper: |it| AccessToken::from(it),
        }
    }
}
pub struct RevokeAccessTokensStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn revoke_access_tokens() -> RevokeAccessTokensStmt {
    RevokeAccessTokensStmt(
        "UPDATE access_token SET revoked_at = $1 WHERE family = $2 AND revoked_at IS NULL AND expires_at > $1 RETURNING jti, expires_at",
        None,
    )
}
impl RevokeAccessTokensStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        now: &'a jiff::Timestamp,
        family: &'a uuid::Uuid,
    ) -> RevokeAccessTokensQuery<'c, 'a, 's, C, RevokeAccessTokens, 2> {
        RevokeAccessTokensQuery {
            client,
            params: [now, family],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |
                row: &tokio_postgres::Row,
            | -> Result<RevokeAccessTokensBorrowed, tokio_postgres::Error> {
                Ok(RevokeAccessTokensBorrowed {
                    jti: row.try_get(0)?,
                    expires_at: row.try_get(1)?,
                })
            },
            mapper: |it| RevokeAccessTokens::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        RevokeAccessTokensParams,
        RevokeAccessTokensQuery<'c, 'a, 's, C, RevokeAccessTokens, 2>,
        C,
    > for RevokeAccessTokensStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a RevokeAccessTokensParams,
    ) -> RevokeAccessTokensQuery<'c, 'a, 's, C, RevokeAccessTokens, 2> {
        self.bind(client, &params.now, &params.family)
    }
}
pub struct RevokeAccessTokenStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn revoke_access_token() -> RevokeAccessTokenStmt {
    RevokeAccessTokenStmt(
        "UPDATE access_token SET revoked_at = $1 WHERE jti = $2 AND revoked_at IS NULL RETURNING expires_at",
        None,
    )
}
impl RevokeAccessTokenStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::generated::StringSql>(
        &'s self,
        client: &'c C,
        now: &'a jiff::Timestamp,
        jti: &'a T1,
    ) -> JiffTimestampQuery<'c, 'a, 's, C, jiff::Timestamp, 2> {
        JiffTimestampQuery {
            client,
            params: [now, jti],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        RevokeAccessTokenParams<T1>,
        JiffTimestampQuery<'c, 'a, 's, C, jiff::Timestamp, 2>,
        C,
    > for RevokeAccessTokenStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a RevokeAccessTokenParams<T1>,
    ) -> JiffTimestampQuery<'c, 'a, 's, C, jiff::Timestamp, 2> {
        self.bind(client, &params.now, &params.jti)
    }
}
pub struct PutDeviceAuthorizationStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn put_device_authorization() -> PutDeviceAuthorizationStmt {
    PutDeviceAuthorizationStmt(
        "INSERT INTO device_authorization (digest, user_code, client, scopes, resources, address, created_at, expires_at, interval_s) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
        None,
    )
}
impl PutDeviceAuthorizationStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<
        'c,
        'a,
        's,
        C: GenericClient,
        T1: crate::generated::BytesSql,
        T2: crate::generated::StringSql,
        T3: crate::generated::StringSql,
        T4: crate::generated::StringSql,
        T5: crate::generated::ArraySql<Item = T4>,
        T6: crate::generated::StringSql,
        T7: crate::generated::ArraySql<Item = T6>,
        T8: crate::generated::StringSql,
    >(
        &'s self,
        client: &'c C,
        digest: &'a T1,
        user_code: &'a T2,
        client_id: &'a T3,
        scopes: &'a T5,
        resources: &'a T7,
        address: &'a T8,
        now: &'a jiff::Timestamp,
        expires_at: &'a jiff::Timestamp,
        interval_s: &'a i32,
    ) -> Result<u64, tokio_postgres::Error> {
        client
            .execute(
                self.0,
                &[
                    digest, user_code, client_id, scopes, resources, address, now, expires_at,
                    interval_s,
                ],
            )
            .await
    }
}
impl<
    'a,
    C: GenericClient + Send + Sync,
    T1: crate::generated::BytesSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::StringSql,
    T5: crate::generated::ArraySql<Item = T4>,
    T6: crate::generated::StringSql,
    T7: crate::generated::ArraySql<Item = T6>,
    T8: crate::generated::StringSql,
>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        PutDeviceAuthorizationParams<T1, T2, T3, T4, T5, T6, T7, T8>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for PutDeviceAuthorizationStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a PutDeviceAuthorizationParams<T1, T2, T3, T4, T5, T6, T7, T8>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(
            client,
            &params.digest,
            &params.user_code,
            &params.client_id,
            &params.scopes,
            &params.resources,
            &params.address,
            &params.now,
            &params.expires_at,
            &params.interval_s,
        ))
    }
}
pub struct DeviceByUserCodeStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn device_by_user_code() -> DeviceByUserCodeStmt {
    DeviceByUserCodeStmt(
        "SELECT digest, client, scopes, resources, address, created_at FROM device_authorization WHERE user_code = $1 AND state = 'pending' AND expires_at > $2",
        None,
    )
}
impl DeviceByUserCodeStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::generated::StringSql>(
        &'s self,
        client: &'c C,
        user_code: &'a T1,
        now: &'a jiff::Timestamp,
    ) -> DeviceByUserCodeQuery<'c, 'a, 's, C, DeviceByUserCode, 2> {
        DeviceByUserCodeQuery {
            client,
            params: [user_code, now],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |
                row: &tokio_postgres::Row,
            | -> Result<DeviceByUserCodeBorrowed, tokio_postgres::Error> {
                Ok(DeviceByUserCodeBorrowed {
                    digest: row.try_get(0)?,
                    client: row.try_get(1)?,
                    scopes: row.try_get(2)?,
                    resources: row.try_get(3)?,
                    address: row.try_get(4)?,
                    created_at: row.try_get(5)?,
                })
            },
            mapper: |it| DeviceByUserCode::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        DeviceByUserCodeParams<T1>,
        DeviceByUserCodeQuery<'c, 'a, 's, C, DeviceByUserCode, 2>,
        C,
    > for DeviceByUserCodeStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a DeviceByUserCodeParams<T1>,
    ) -> DeviceByUserCodeQuery<'c, 'a, 's, C, DeviceByUserCode, 2> {
        self.bind(client, &params.user_code, &params.now)
    }
}
pub struct AnswerDeviceStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn answer_device() -> AnswerDeviceStmt {
    AnswerDeviceStmt(
        "UPDATE device_authorization SET state = $1, account = $2, session = $3, authenticated_at = $4, scopes = $5 WHERE digest = $6 AND state = 'pending' AND expires_at > $7",
        None,
    )
}
impl AnswerDeviceStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<
        'c,
        'a,
        's,
        C: GenericClient,
        T1: crate::generated::StringSql,
        T2: crate::generated::StringSql,
        T3: crate::generated::StringSql,
        T4: crate::generated::StringSql,
        T5: crate::generated::ArraySql<Item = T4>,
        T6: crate::generated::BytesSql,
    >(
        &'s self,
        client: &'c C,
        state: &'a T1,
        account: &'a Option<T2>,
        session: &'a Option<T3>,
        authenticated_at: &'a Option<jiff::Timestamp>,
        scopes: &'a T5,
        digest: &'a T6,
        now: &'a jiff::Timestamp,
    ) -> Result<u64, tokio_postgres::Error> {
        client
            .execute(
                self.0,
                &[
                    state,
                    account,
                    session,
                    authenticated_at,
                    scopes,
                    digest,
                    now,
                ],
            )
            .await
    }
}
impl<
    'a,
    C: GenericClient + Send + Sync,
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::StringSql,
    T5: crate::generated::ArraySql<Item = T4>,
    T6: crate::generated::BytesSql,
>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        AnswerDeviceParams<T1, T2, T3, T4, T5, T6>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for AnswerDeviceStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a AnswerDeviceParams<T1, T2, T3, T4, T5, T6>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(
            client,
            &params.state,
            &params.account,
            &params.session,
            &params.authenticated_at,
            &params.scopes,
            &params.digest,
            &params.now,
        ))
    }
}
pub struct LockDeviceStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn lock_device() -> LockDeviceStmt {
    LockDeviceStmt(
        "SELECT client, scopes, resources, state, account, session, authenticated_at, expires_at, interval_s, polled_at FROM device_authorization WHERE digest = $1 FOR UPDATE",
        None,
    )
}
impl LockDeviceStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::generated::BytesSql>(
        &'s self,
        client: &'c C,
        digest: &'a T1,
    ) -> LockDeviceQuery<'c, 'a, 's, C, LockDevice, 1> {
        LockDeviceQuery {
            client,
            params: [digest],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<LockDeviceBorrowed, tokio_postgres::Error> {
                    Ok(LockDeviceBorrowed {
                        client: row.try_get(0)?,
                        scopes: row.try_get(1)?,
                        resources: row.try_get(2)?,
                        state: row.try_get(3)?,
                        account: row.try_get(4)?,
                        session: row.try_get(5)?,
                        authenticated_at: row.try_get(6)?,
                        expires_at: row.try_get(7)?,
                        interval_s: row.try_get(8)?,
                        polled_at: row.try_get(9)?,
                    })
                },
            mapper: |it| LockDevice::from(it),
        }
    }
}
pub struct PolledDeviceStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn polled_device() -> PolledDeviceStmt {
    PolledDeviceStmt(
        "UPDATE device_authorization SET polled_at = $1, interval_s = $2 WHERE digest = $3",
        None,
    )
}
impl PolledDeviceStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<'c, 'a, 's, C: GenericClient, T1: crate::generated::BytesSql>(
        &'s self,
        client: &'c C,
        now: &'a jiff::Timestamp,
        interval_s: &'a i32,
        digest: &'a T1,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[now, interval_s, digest]).await
    }
}
impl<'a, C: GenericClient + Send + Sync, T1: crate::generated::BytesSql>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        PolledDeviceParams<T1>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for PolledDeviceStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a PolledDeviceParams<T1>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.now, &params.interval_s, &params.digest))
    }
}
pub struct UseDeviceStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn use_device() -> UseDeviceStmt {
    UseDeviceStmt(
        "UPDATE device_authorization SET state = 'used' WHERE digest = $1",
        None,
    )
}
impl UseDeviceStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<'c, 'a, 's, C: GenericClient, T1: crate::generated::BytesSql>(
        &'s self,
        client: &'c C,
        digest: &'a T1,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[digest]).await
    }
}
pub struct PutAssertionStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn put_assertion() -> PutAssertionStmt {
    PutAssertionStmt(
        "INSERT INTO client_assertion (digest, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        None,
    )
}
impl PutAssertionStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<'c, 'a, 's, C: GenericClient, T1: crate::generated::BytesSql>(
        &'s self,
        client: &'c C,
        digest: &'a T1,
        expires_at: &'a jiff::Timestamp,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[digest, expires_at]).await
    }
}
impl<'a, C: GenericClient + Send + Sync, T1: crate::generated::BytesSql>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        PutAssertionParams<T1>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for PutAssertionStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a PutAssertionParams<T1>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.digest, &params.expires_at))
    }
}
pub struct RevokedSinceStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn revoked_since() -> RevokedSinceStmt {
    RevokedSinceStmt(
        "SELECT EXISTS (SELECT FROM revocation WHERE issued_before >= $1 AND ((kind = 'user' AND subject = $2) OR (kind = 'session' AND subject = $3)))",
        None,
    )
}
impl RevokedSinceStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::generated::StringSql, T2: crate::generated::StringSql>(
        &'s self,
        client: &'c C,
        issued_at: &'a jiff::Timestamp,
        account: &'a T1,
        session: &'a T2,
    ) -> BoolQuery<'c, 'a, 's, C, bool, 3> {
        BoolQuery {
            client,
            params: [issued_at, account, session],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::generated::StringSql, T2: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        RevokedSinceParams<T1, T2>,
        BoolQuery<'c, 'a, 's, C, bool, 3>,
        C,
    > for RevokedSinceStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a RevokedSinceParams<T1, T2>,
    ) -> BoolQuery<'c, 'a, 's, C, bool, 3> {
        self.bind(client, &params.issued_at, &params.account, &params.session)
    }
}
pub struct ForgetExpiredStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn forget_expired() -> ForgetExpiredStmt {
    ForgetExpiredStmt(
        "WITH codes AS (DELETE FROM authorization_code WHERE expires_at < $1), tokens AS (DELETE FROM access_token WHERE expires_at < $1), refreshes AS (DELETE FROM refresh_token WHERE expires_at < $1), families AS (DELETE FROM token_family WHERE expires_at < $1), devices AS (DELETE FROM device_authorization WHERE expires_at < $1), assertions AS (DELETE FROM client_assertion WHERE expires_at < $1), ceremonies AS (DELETE FROM ceremony WHERE expires_at < $1), links AS (DELETE FROM one_time_link WHERE expires_at < $1), attempts AS (DELETE FROM attempt WHERE last_at < $1 AND (locked_until IS NULL OR locked_until < $1)) DELETE FROM session WHERE expires_at < $1",
        None,
    )
}
impl ForgetExpiredStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        before: &'a jiff::Timestamp,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[before]).await
    }
}
