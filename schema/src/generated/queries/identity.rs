// This file was generated with `cornucopia`. Do not modify.

#[derive(Debug)]
pub struct PutAccountParams<
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::StringSql,
    T5: crate::generated::StringSql,
    T6: crate::generated::StringSql,
    T7: crate::generated::StringSql,
> {
    pub id: T1,
    pub tier: T2,
    pub name: T3,
    pub email: Option<T4>,
    pub tenant: Option<T5>,
    pub department: Option<T6>,
    pub by: T7,
}
#[derive(Debug)]
pub struct UpdateAccountParams<
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::StringSql,
    T5: crate::generated::StringSql,
    T6: crate::generated::StringSql,
> {
    pub tier: T1,
    pub name: T2,
    pub email: Option<T3>,
    pub tenant: Option<T4>,
    pub department: Option<T5>,
    pub id: T6,
}
#[derive(Debug)]
pub struct DisableAccountParams<T1: crate::generated::StringSql> {
    pub now: jiff::Timestamp,
    pub id: T1,
}
#[derive(Debug)]
pub struct PutAccountRoleParams<
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::StringSql,
> {
    pub account: T1,
    pub role: T2,
    pub source: T3,
    pub by: T4,
}
#[derive(Debug)]
pub struct DropAccountRoleParams<T1: crate::generated::StringSql, T2: crate::generated::StringSql, T3: crate::generated::StringSql> {
    pub account: T1,
    pub role: T2,
    pub source: T3,
}
#[derive(Debug)]
pub struct DropRolesOfSourceParams<
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::ArraySql<Item = T3>,
> {
    pub account: T1,
    pub source: T2,
    pub keep: T4,
}
#[derive(Debug)]
pub struct FederatedAccountParams<T1: crate::generated::StringSql, T2: crate::generated::StringSql> {
    pub now: jiff::Timestamp,
    pub provider: T1,
    pub subject: T2,
}
#[derive(Debug)]
pub struct PutFederatedIdentityParams<
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
> {
    pub provider: T1,
    pub subject: T2,
    pub account: T3,
    pub now: jiff::Timestamp,
}
#[derive(Debug)]
pub struct FederatedIdentitiesOfProviderParams<T1: crate::generated::StringSql, T2: crate::generated::StringSql> {
    pub account: T1,
    pub provider: T2,
}
#[derive(Debug)]
pub struct DropFederatedIdentityParams<
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
> {
    pub account: T1,
    pub provider: T2,
    pub subject: T3,
}
#[derive(Debug)]
pub struct PutPasswordParams<T1: crate::generated::StringSql, T2: crate::generated::StringSql> {
    pub account: T1,
    pub phc: T2,
    pub now: jiff::Timestamp,
}
#[derive(Debug)]
pub struct PasskeyOfHandleParams<T1: crate::generated::StringSql> {
    pub handle: uuid::Uuid,
    pub account: T1,
}
#[derive(Debug)]
pub struct RenamePasskeyParams<T1: crate::generated::StringSql, T2: crate::generated::BytesSql, T3: crate::generated::StringSql> {
    pub name: T1,
    pub id: T2,
    pub account: T3,
}
#[derive(Debug)]
pub struct PutPasskeyParams<
    T1: crate::generated::BytesSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::JsonSql,
> {
    pub id: T1,
    pub account: T2,
    pub name: T3,
    pub credential: T4,
}
#[derive(Debug)]
pub struct UsePasskeyParams<T1: crate::generated::JsonSql, T2: crate::generated::BytesSql> {
    pub credential: T1,
    pub now: jiff::Timestamp,
    pub id: T2,
}
#[derive(Debug)]
pub struct DropPasskeyParams<T1: crate::generated::BytesSql, T2: crate::generated::StringSql> {
    pub id: T1,
    pub account: T2,
}
#[derive(Debug)]
pub struct PutRecoveryCodeParams<T1: crate::generated::BytesSql, T2: crate::generated::StringSql> {
    pub digest: T1,
    pub account: T2,
}
#[derive(Debug)]
pub struct UseRecoveryCodeParams<T1: crate::generated::BytesSql, T2: crate::generated::StringSql> {
    pub now: jiff::Timestamp,
    pub digest: T1,
    pub account: T2,
}
#[derive(Debug)]
pub struct PutLinkParams<
    T1: crate::generated::BytesSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::StringSql,
> {
    pub digest: T1,
    pub purpose: T2,
    pub account: Option<T3>,
    pub by: T4,
    pub expires_at: jiff::Timestamp,
}
#[derive(Debug)]
pub struct LinkParams<T1: crate::generated::BytesSql> {
    pub digest: T1,
    pub now: jiff::Timestamp,
}
#[derive(Debug)]
pub struct UseLinkParams<T1: crate::generated::BytesSql> {
    pub now: jiff::Timestamp,
    pub digest: T1,
}
#[derive(Debug)]
pub struct DropLinksParams<T1: crate::generated::StringSql, T2: crate::generated::StringSql> {
    pub purpose: T1,
    pub account: Option<T2>,
}
#[derive(Debug)]
pub struct AttemptsParams<T1: crate::generated::StringSql, T2: crate::generated::StringSql> {
    pub kind: T1,
    pub subject: T2,
}
#[derive(Debug)]
pub struct FailParams<T1: crate::generated::StringSql, T2: crate::generated::StringSql> {
    pub kind: T1,
    pub subject: T2,
    pub now: jiff::Timestamp,
    pub window_start: jiff::Timestamp,
    pub allowed: i32,
    pub lock_until: jiff::Timestamp,
}
#[derive(Debug)]
pub struct ForgiveParams<T1: crate::generated::StringSql, T2: crate::generated::StringSql> {
    pub kind: T1,
    pub subject: T2,
}
#[derive(Debug)]
pub struct PutSessionParams<
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::BytesSql,
    T4: crate::generated::StringSql,
    T5: crate::generated::StringSql,
    T6: crate::generated::StringSql,
> {
    pub id: T1,
    pub account: T2,
    pub digest: Option<T3>,
    pub method: T4,
    pub address: T5,
    pub user_agent: T6,
    pub now: jiff::Timestamp,
    pub expires_at: jiff::Timestamp,
}
#[derive(Debug)]
pub struct SessionByDigestParams<T1: crate::generated::BytesSql> {
    pub digest: T1,
    pub now: jiff::Timestamp,
}
#[derive(Debug)]
pub struct SessionsParams<T1: crate::generated::StringSql> {
    pub account: T1,
    pub now: jiff::Timestamp,
}
#[derive(Debug)]
pub struct SeenSessionParams<T1: crate::generated::StringSql> {
    pub now: jiff::Timestamp,
    pub id: T1,
}
#[derive(Debug)]
pub struct ProveSessionParams<
    T1: crate::generated::BytesSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::StringSql,
    T5: crate::generated::StringSql,
> {
    pub digest: T1,
    pub method: T2,
    pub address: T3,
    pub user_agent: T4,
    pub now: jiff::Timestamp,
    pub id: T5,
}
#[derive(Debug)]
pub struct EndSessionParams<T1: crate::generated::StringSql> {
    pub now: jiff::Timestamp,
    pub id: T1,
}
#[derive(Debug)]
pub struct EndSessionsParams<T1: crate::generated::StringSql> {
    pub now: jiff::Timestamp,
    pub account: T1,
}
#[derive(Debug)]
pub struct PutCeremonyParams<
    T1: crate::generated::BytesSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::JsonSql,
> {
    pub digest: T1,
    pub kind: T2,
    pub account: Option<T3>,
    pub state: T4,
    pub expires_at: jiff::Timestamp,
}
#[derive(Debug)]
pub struct TakeCeremonyParams<T1: crate::generated::BytesSql, T2: crate::generated::StringSql> {
    pub digest: T1,
    pub kind: T2,
    pub now: jiff::Timestamp,
}
#[derive(Debug)]
pub struct PutSigningKeyParams<
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::BytesSql,
    T4: crate::generated::BytesSql,
> {
    pub kid: T1,
    pub node: uuid::Uuid,
    pub algorithm: T2,
    pub public: T3,
    pub sealed: T4,
    pub signs_from: jiff::Timestamp,
    pub signs_until: jiff::Timestamp,
    pub verifies_until: jiff::Timestamp,
}
#[derive(Debug)]
pub struct RetireSigningKeyParams<T1: crate::generated::StringSql> {
    pub now: jiff::Timestamp,
    pub kid: T1,
}
#[derive(Debug)]
pub struct RevokeSigningKeysParams<T1: crate::generated::StringSql> {
    pub node: uuid::Uuid,
    pub kid: T1,
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Account {
    pub id: String,
    pub tier: String,
    pub name: String,
    pub email: Option<String>,
    pub tenant: Option<String>,
    pub department: Option<String>,
    pub handle: uuid::Uuid,
    pub created_at: jiff::Timestamp,
    pub created_by: String,
    pub disabled_at: Option<jiff::Timestamp>,
    pub merged_into: Option<String>,
}
pub struct AccountBorrowed<'a> {
    pub id: &'a str,
    pub tier: &'a str,
    pub name: &'a str,
    pub email: Option<&'a str>,
    pub tenant: Option<&'a str>,
    pub department: Option<&'a str>,
    pub handle: uuid::Uuid,
    pub created_at: jiff::Timestamp,
    pub created_by: &'a str,
    pub disabled_at: Option<jiff::Timestamp>,
    pub merged_into: Option<&'a str>,
}
impl<'a> From<AccountBorrowed<'a>> for Account {
    fn from(
        AccountBorrowed {
            id,
            tier,
            name,
            email,
            tenant,
            department,
            handle,
            created_at,
            created_by,
            disabled_at,
            merged_into,
        }: AccountBorrowed<'a>,
    ) -> Self {
        Self {
            id: id.into(),
            tier: tier.into(),
            name: name.into(),
            email: email.map(|v| v.into()),
            tenant: tenant.map(|v| v.into()),
            department: department.map(|v| v.into()),
            handle,
            created_at,
            created_by: created_by.into(),
            disabled_at,
            merged_into: merged_into.map(|v| v.into()),
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct AccountRoleSources {
    pub role: String,
    pub source: String,
    pub created_at: jiff::Timestamp,
    pub created_by: String,
}
pub struct AccountRoleSourcesBorrowed<'a> {
    pub role: &'a str,
    pub source: &'a str,
    pub created_at: jiff::Timestamp,
    pub created_by: &'a str,
}
impl<'a> From<AccountRoleSourcesBorrowed<'a>> for AccountRoleSources {
    fn from(
        AccountRoleSourcesBorrowed {
            role,
            source,
            created_at,
            created_by,
        }: AccountRoleSourcesBorrowed<'a>,
    ) -> Self {
        Self {
            role: role.into(),
            source: source.into(),
            created_at,
            created_by: created_by.into(),
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct FederatedIdentities {
    pub provider: String,
    pub subject: String,
}
pub struct FederatedIdentitiesBorrowed<'a> {
    pub provider: &'a str,
    pub subject: &'a str,
}
impl<'a> From<FederatedIdentitiesBorrowed<'a>> for FederatedIdentities {
    fn from(
        FederatedIdentitiesBorrowed { provider, subject }: FederatedIdentitiesBorrowed<'a>,
    ) -> Self {
        Self {
            provider: provider.into(),
            subject: subject.into(),
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Passkeys {
    pub id: Vec<u8>,
    pub name: String,
    pub credential: serde_json::Value,
    pub created_at: jiff::Timestamp,
    pub last_used_at: Option<jiff::Timestamp>,
}
pub struct PasskeysBorrowed<'a> {
    pub id: &'a [u8],
    pub name: &'a str,
    pub credential: postgres_types::Json<&'a serde_json::value::RawValue>,
    pub created_at: jiff::Timestamp,
    pub last_used_at: Option<jiff::Timestamp>,
}
impl<'a> From<PasskeysBorrowed<'a>> for Passkeys {
    fn from(
        PasskeysBorrowed {
            id,
            name,
            credential,
            created_at,
            last_used_at,
        }: PasskeysBorrowed<'a>,
    ) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            credential: serde_json::from_str(credential.0.get()).unwrap(),
            created_at,
            last_used_at,
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Passkey {
    pub account: String,
    pub name: String,
    pub credential: serde_json::Value,
    pub last_used_at: Option<jiff::Timestamp>,
}
pub struct PasskeyBorrowed<'a> {
    pub account: &'a str,
    pub name: &'a str,
    pub credential: postgres_types::Json<&'a serde_json::value::RawValue>,
    pub last_used_at: Option<jiff::Timestamp>,
}
impl<'a> From<PasskeyBorrowed<'a>> for Passkey {
    fn from(
        PasskeyBorrowed {
            account,
            name,
            credential,
            last_used_at,
        }: PasskeyBorrowed<'a>,
    ) -> Self {
        Self {
            account: account.into(),
            name: name.into(),
            credential: serde_json::from_str(credential.0.get()).unwrap(),
            last_used_at,
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Link {
    pub purpose: String,
    pub account: Option<String>,
}
pub struct LinkBorrowed<'a> {
    pub purpose: &'a str,
    pub account: Option<&'a str>,
}
impl<'a> From<LinkBorrowed<'a>> for Link {
    fn from(LinkBorrowed { purpose, account }: LinkBorrowed<'a>) -> Self {
        Self {
            purpose: purpose.into(),
            account: account.map(|v| v.into()),
        }
    }
}
#[derive(Debug, Clone, PartialEq, Copy, serde::Serialize)]
pub struct Attempts {
    pub failures: i32,
    pub first_at: jiff::Timestamp,
    pub last_at: jiff::Timestamp,
    pub locked_until: Option<jiff::Timestamp>,
}
#[derive(Debug, Clone, PartialEq, Copy, serde::Serialize)]
pub struct Fail {
    pub failures: i32,
    pub locked_until: Option<jiff::Timestamp>,
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct SessionByDigest {
    pub id: String,
    pub account: String,
    pub method: String,
    pub authenticated_at: jiff::Timestamp,
    pub expires_at: jiff::Timestamp,
    pub last_seen_at: jiff::Timestamp,
}
pub struct SessionByDigestBorrowed<'a> {
    pub id: &'a str,
    pub account: &'a str,
    pub method: &'a str,
    pub authenticated_at: jiff::Timestamp,
    pub expires_at: jiff::Timestamp,
    pub last_seen_at: jiff::Timestamp,
}
impl<'a> From<SessionByDigestBorrowed<'a>> for SessionByDigest {
    fn from(
        SessionByDigestBorrowed {
            id,
            account,
            method,
            authenticated_at,
            expires_at,
            last_seen_at,
        }: SessionByDigestBorrowed<'a>,
    ) -> Self {
        Self {
            id: id.into(),
            account: account.into(),
            method: method.into(),
            authenticated_at,
            expires_at,
            last_seen_at,
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Session {
    pub id: String,
    pub account: String,
    pub method: String,
    pub address: String,
    pub user_agent: String,
    pub created_at: jiff::Timestamp,
    pub authenticated_at: jiff::Timestamp,
    pub last_seen_at: jiff::Timestamp,
    pub expires_at: jiff::Timestamp,
    pub ended_at: Option<jiff::Timestamp>,
}
pub struct SessionBorrowed<'a> {
    pub id: &'a str,
    pub account: &'a str,
    pub method: &'a str,
    pub address: &'a str,
    pub user_agent: &'a str,
    pub created_at: jiff::Timestamp,
    pub authenticated_at: jiff::Timestamp,
    pub last_seen_at: jiff::Timestamp,
    pub expires_at: jiff::Timestamp,
    pub ended_at: Option<jiff::Timestamp>,
}
impl<'a> From<SessionBorrowed<'a>> for Session {
    fn from(
        SessionBorrowed {
            id,
            account,
            method,
            address,
            user_agent,
            created_at,
            authenticated_at,
            last_seen_at,
            expires_at,
            ended_at,
        }: SessionBorrowed<'a>,
    ) -> Self {
        Self {
            id: id.into(),
            account: account.into(),
            method: method.into(),
            address: address.into(),
            user_agent: user_agent.into(),
            created_at,
            authenticated_at,
            last_seen_at,
            expires_at,
            ended_at,
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct TakeCeremony {
    pub account: Option<String>,
    pub state: serde_json::Value,
}
pub struct TakeCeremonyBorrowed<'a> {
    pub account: Option<&'a str>,
    pub state: postgres_types::Json<&'a serde_json::value::RawValue>,
}
impl<'a> From<TakeCeremonyBorrowed<'a>> for TakeCeremony {
    fn from(TakeCeremonyBorrowed { account, state }: TakeCeremonyBorrowed<'a>) -> Self {
        Self {
            account: account.map(|v| v.into()),
            state: serde_json::from_str(state.0.get()).unwrap(),
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct SigningKeys {
    pub kid: String,
    pub node: uuid::Uuid,
    pub algorithm: String,
    pub public: Vec<u8>,
    pub sealed: Vec<u8>,
    pub signs_from: jiff::Timestamp,
    pub signs_until: jiff::Timestamp,
    pub verifies_until: jiff::Timestamp,
}
pub struct SigningKeysBorrowed<'a> {
    pub kid: &'a str,
    pub node: uuid::Uuid,
    pub algorithm: &'a str,
    pub public: &'a [u8],
    pub sealed: &'a [u8],
    pub signs_from: jiff::Timestamp,
    pub signs_until: jiff::Timestamp,
    pub verifies_until: jiff::Timestamp,
}
impl<'a> From<SigningKeysBorrowed<'a>> for SigningKeys {
    fn from(
        SigningKeysBorrowed {
            kid,
            node,
            algorithm,
            public,
            sealed,
            signs_from,
            signs_until,
            verifies_until,
        }: SigningKeysBorrowed<'a>,
    ) -> Self {
        Self {
            kid: kid.into(),
            node,
            algorithm: algorithm.into(),
            public: public.into(),
            sealed: sealed.into(),
            signs_from,
            signs_until,
            verifies_until,
        }
    }
}
use crate::generated::client::async_::GenericClient;
use futures_util::{self, StreamExt, TryStreamExt};
pub struct AccountQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<AccountBorrowed, tokio_postgres::Error>,
    mapper: fn(AccountBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> AccountQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(AccountBorrowed) -> R) -> AccountQuery<'c, 'a, 's, C, R, N> {
        AccountQuery {
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
pub struct StringQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<&str, tokio_postgres::Error>,
    mapper: fn(&str) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> StringQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(&str) -> R) -> StringQuery<'c, 'a, 's, C, R, N> {
        StringQuery {
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
pub struct AccountRoleSourcesQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor:
        fn(&tokio_postgres::Row) -> Result<AccountRoleSourcesBorrowed, tokio_postgres::Error>,
    mapper: fn(AccountRoleSourcesBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> AccountRoleSourcesQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(AccountRoleSourcesBorrowed) -> R,
    ) -> AccountRoleSourcesQuery<'c, 'a, 's, C, R, N> {
        AccountRoleSourcesQuery {
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
pub struct FederatedIdentitiesQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor:
        fn(&tokio_postgres::Row) -> Result<FederatedIdentitiesBorrowed, tokio_postgres::Error>,
    mapper: fn(FederatedIdentitiesBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> FederatedIdentitiesQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(FederatedIdentitiesBorrowed) -> R,
    ) -> FederatedIdentitiesQuery<'c, 'a, 's, C, R, N> {
        FederatedIdentitiesQuery {
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
pub struct PasskeysQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<PasskeysBorrowed, tokio_postgres::Error>,
    mapper: fn(PasskeysBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> PasskeysQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(PasskeysBorrowed) -> R) -> PasskeysQuery<'c, 'a, 's, C, R, N> {
        PasskeysQuery {
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
pub struct PasskeyQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<PasskeyBorrowed, tokio_postgres::Error>,
    mapper: fn(PasskeyBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> PasskeyQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(PasskeyBorrowed) -> R) -> PasskeyQuery<'c, 'a, 's, C, R, N> {
        PasskeyQuery {
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
pub struct LinkQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<LinkBorrowed, tokio_postgres::Error>,
    mapper: fn(LinkBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> LinkQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(LinkBorrowed) -> R) -> LinkQuery<'c, 'a, 's, C, R, N> {
        LinkQuery {
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
pub struct AttemptsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<Attempts, tokio_postgres::Error>,
    mapper: fn(Attempts) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> AttemptsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(Attempts) -> R) -> AttemptsQuery<'c, 'a, 's, C, R, N> {
        AttemptsQuery {
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
pub struct FailQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<Fail, tokio_postgres::Error>,
    mapper: fn(Fail) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> FailQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(Fail) -> R) -> FailQuery<'c, 'a, 's, C, R, N> {
        FailQuery {
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
pub struct SessionByDigestQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<SessionByDigestBorrowed, tokio_postgres::Error>,
    mapper: fn(SessionByDigestBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> SessionByDigestQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(SessionByDigestBorrowed) -> R,
    ) -> SessionByDigestQuery<'c, 'a, 's, C, R, N> {
        SessionByDigestQuery {
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
pub struct SessionQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<SessionBorrowed, tokio_postgres::Error>,
    mapper: fn(SessionBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> SessionQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(SessionBorrowed) -> R) -> SessionQuery<'c, 'a, 's, C, R, N> {
        SessionQuery {
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
pub struct TakeCeremonyQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<TakeCeremonyBorrowed, tokio_postgres::Error>,
    mapper: fn(TakeCeremonyBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> TakeCeremonyQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(TakeCeremonyBorrowed) -> R,
    ) -> TakeCeremonyQuery<'c, 'a, 's, C, R, N> {
        TakeCeremonyQuery {
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
pub struct SigningKeysQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<SigningKeysBorrowed, tokio_postgres::Error>,
    mapper: fn(SigningKeysBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> SigningKeysQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(SigningKeysBorrowed) -> R,
    ) -> SigningKeysQuery<'c, 'a, 's, C, R, N> {
        SigningKeysQuery {
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
pub struct AccountStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn account() -> AccountStmt {
    AccountStmt(
        "SELECT id, tier, name, email, tenant, department, handle, created_at, created_by, disabled_at, merged_into FROM account WHERE id = $1",
        None,
    )
}
impl AccountStmt {
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
    ) -> AccountQuery<'c, 'a, 's, C, Account, 1> {
        AccountQuery {
            client,
            params: [id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<AccountBorrowed, tokio_postgres::Error> {
                    Ok(AccountBorrowed {
                        id: row.try_get(0)?,
                        tier: row.try_get(1)?,
                        name: row.try_get(2)?,
                        email: row.try_get(3)?,
                        tenant: row.try_get(4)?,
                        department: row.try_get(5)?,
                        handle: row.try_get(6)?,
                        created_at: row.try_get(7)?,
                        created_by: row.try_get(8)?,
                        disabled_at: row.try_get(9)?,
                        merged_into: row.try_get(10)?,
                    })
                },
            mapper: |it| Account::from(it),
        }
    }
}
pub struct AccountByLoginStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn account_by_login() -> AccountByLoginStmt {
    AccountByLoginStmt(
        "SELECT id, tier, name, email, tenant, department, handle, created_at, created_by, disabled_at, merged_into FROM account WHERE id = $1 OR lower(email) = lower($1) ORDER BY id <> $1 LIMIT 1",
        None,
    )
}
impl AccountByLoginStmt {
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
        login: &'a T1,
    ) -> AccountQuery<'c, 'a, 's, C, Account, 1> {
        AccountQuery {
            client,
            params: [login],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<AccountBorrowed, tokio_postgres::Error> {
                    Ok(AccountBorrowed {
                        id: row.try_get(0)?,
                        tier: row.try_get(1)?,
                        name: row.try_get(2)?,
                        email: row.try_get(3)?,
                        tenant: row.try_get(4)?,
                        department: row.try_get(5)?,
                        handle: row.try_get(6)?,
                        created_at: row.try_get(7)?,
                        created_by: row.try_get(8)?,
                        disabled_at: row.try_get(9)?,
                        merged_into: row.try_get(10)?,
                    })
                },
            mapper: |it| Account::from(it),
        }
    }
}
pub struct AccountByHandleStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn account_by_handle() -> AccountByHandleStmt {
    AccountByHandleStmt(
        "SELECT id, tier, name, email, tenant, department, handle, created_at, created_by, disabled_at, merged_into FROM account WHERE handle = $1",
        None,
    )
}
impl AccountByHandleStmt {
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
        handle: &'a uuid::Uuid,
    ) -> AccountQuery<'c, 'a, 's, C, Account, 1> {
        AccountQuery {
            client,
            params: [handle],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<AccountBorrowed, tokio_postgres::Error> {
                    Ok(AccountBorrowed {
                        id: row.try_get(0)?,
                        tier: row.try_get(1)?,
                        name: row.try_get(2)?,
                        email: row.try_get(3)?,
                        tenant: row.try_get(4)?,
                        department: row.try_get(5)?,
                        handle: row.try_get(6)?,
                        created_at: row.try_get(7)?,
                        created_by: row.try_get(8)?,
                        disabled_at: row.try_get(9)?,
                        merged_into: row.try_get(10)?,
                    })
                },
            mapper: |it| Account::from(it),
        }
    }
}
pub struct AccountsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn accounts() -> AccountsStmt {
    AccountsStmt(
        "SELECT id, tier, name, email, tenant, department, handle, created_at, created_by, disabled_at, merged_into FROM account ORDER BY id",
        None,
    )
}
impl AccountsStmt {
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
    ) -> AccountQuery<'c, 'a, 's, C, Account, 0> {
        AccountQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<AccountBorrowed, tokio_postgres::Error> {
                    Ok(AccountBorrowed {
                        id: row.try_get(0)?,
                        tier: row.try_get(1)?,
                        name: row.try_get(2)?,
                        email: row.try_get(3)?,
                        tenant: row.try_get(4)?,
                        department: row.try_get(5)?,
                        handle: row.try_get(6)?,
                        created_at: row.try_get(7)?,
                        created_by: row.try_get(8)?,
                        disabled_at: row.try_get(9)?,
                        merged_into: row.try_get(10)?,
                    })
                },
            mapper: |it| Account::from(it),
        }
    }
}
pub struct PutAccountStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn put_account() -> PutAccountStmt {
    PutAccountStmt(
        "INSERT INTO account (id, tier, name, email, tenant, department, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        None,
    )
}
impl PutAccountStmt {
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
        T5: crate::generated::StringSql,
        T6: crate::generated::StringSql,
        T7: crate::generated::StringSql,
    >(
        &'s self,
        client: &'c C,
        id: &'a T1,
        tier: &'a T2,
        name: &'a T3,
        email: &'a Option<T4>,
        tenant: &'a Option<T5>,
        department: &'a Option<T6>,
        by: &'a T7,
    ) -> Result<u64, tokio_postgres::Error> {
        client
            .execute(self.0, &[id, tier, name, email, tenant, department, by])
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
    T5: crate::generated::StringSql,
    T6: crate::generated::StringSql,
    T7: crate::generated::StringSql,
>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        PutAccountParams<T1, T2, T3, T4, T5, T6, T7>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for PutAccountStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a PutAccountParams<T1, T2, T3, T4, T5, T6, T7>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(
            client,
            &params.id,
            &params.tier,
            &params.name,
            &params.email,
            &params.tenant,
            &params.department,
            &params.by,
        ))
    }
}
pub struct UpdateAccountStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn update_account() -> UpdateAccountStmt {
    UpdateAccountStmt(
        "UPDATE account SET tier = $1, name = $2, email = $3, tenant = $4, department = $5 WHERE id = $6",
        None,
    )
}
impl UpdateAccountStmt {
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
        T5: crate::generated::StringSql,
        T6: crate::generated::StringSql,
    >(
        &'s self,
        client: &'c C,
        tier: &'a T1,
        name: &'a T2,
        email: &'a Option<T3>,
        tenant: &'a Option<T4>,
        department: &'a Option<T5>,
        id: &'a T6,
    ) -> Result<u64, tokio_postgres::Error> {
        client
            .execute(self.0, &[tier, name, email, tenant, department, id])
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
    T5: crate::generated::StringSql,
    T6: crate::generated::StringSql,
>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        UpdateAccountParams<T1, T2, T3, T4, T5, T6>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for UpdateAccountStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a UpdateAccountParams<T1, T2, T3, T4, T5, T6>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(
            client,
            &params.tier,
            &params.name,
            &params.email,
            &params.tenant,
            &params.department,
            &params.id,
        ))
    }
}
pub struct DisableAccountStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn disable_account() -> DisableAccountStmt {
    DisableAccountStmt(
        "UPDATE account SET disabled_at = coalesce(disabled_at, $1) WHERE id = $2",
        None,
    )
}
impl DisableAccountStmt {
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
        DisableAccountParams<T1>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for DisableAccountStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a DisableAccountParams<T1>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.now, &params.id))
    }
}
pub struct EnableAccountStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn enable_account() -> EnableAccountStmt {
    EnableAccountStmt(
        "UPDATE account SET disabled_at = NULL WHERE id = $1 AND merged_into IS NULL",
        None,
    )
}
impl EnableAccountStmt {
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
pub struct AdministratorsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn administrators() -> AdministratorsStmt {
    AdministratorsStmt(
        "SELECT count(*) FROM account WHERE tier = 'admin' AND disabled_at IS NULL",
        None,
    )
}
impl AdministratorsStmt {
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
    ) -> I64Query<'c, 'a, 's, C, i64, 0> {
        I64Query {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
pub struct AccountRolesStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn account_roles() -> AccountRolesStmt {
    AccountRolesStmt(
        "SELECT DISTINCT role FROM account_role WHERE account = $1 ORDER BY role",
        None,
    )
}
impl AccountRolesStmt {
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
    ) -> StringQuery<'c, 'a, 's, C, String, 1> {
        StringQuery {
            client,
            params: [account],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it.into(),
        }
    }
}
pub struct AccountRoleSourcesStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn account_role_sources() -> AccountRoleSourcesStmt {
    AccountRoleSourcesStmt(
        "SELECT role, source, created_at, created_by FROM account_role WHERE account = $1 ORDER BY role, source",
        None,
    )
}
impl AccountRoleSourcesStmt {
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
    ) -> AccountRoleSourcesQuery<'c, 'a, 's, C, AccountRoleSources, 1> {
        AccountRoleSourcesQuery {
            client,
            params: [account],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |
                row: &tokio_postgres::Row,
            | -> Result<AccountRoleSourcesBorrowed, tokio_postgres::Error> {
                Ok(AccountRoleSourcesBorrowed {
                    role: row.try_get(0)?,
                    source: row.try_get(1)?,
                    created_at: row.try_get(2)?,
                    created_by: row.try_get(3)?,
                })
            },
            mapper: |it| AccountRoleSources::from(it),
        }
    }
}
pub struct PutAccountRoleStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn put_account_role() -> PutAccountRoleStmt {
    PutAccountRoleStmt(
        "INSERT INTO account_role (account, role, source, created_by) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        None,
    )
}
impl PutAccountRoleStmt {
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
    >(
        &'s self,
        client: &'c C,
        account: &'a T1,
        role: &'a T2,
        source: &'a T3,
        by: &'a T4,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[account, role, source, by]).await
    }
}
impl<
    'a,
    C: GenericClient + Send + Sync,
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::StringSql,
>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        PutAccountRoleParams<T1, T2, T3, T4>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for PutAccountRoleStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a PutAccountRoleParams<T1, T2, T3, T4>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(
            client,
            &params.account,
            &params.role,
            &params.source,
            &params.by,
        ))
    }
}
pub struct DropAccountRoleStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn drop_account_role() -> DropAccountRoleStmt {
    DropAccountRoleStmt(
        "DELETE FROM account_role WHERE account = $1 AND role = $2 AND source = $3",
        None,
    )
}
impl DropAccountRoleStmt {
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
        account: &'a T1,
        role: &'a T2,
        source: &'a T3,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[account, role, source]).await
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
        DropAccountRoleParams<T1, T2, T3>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for DropAccountRoleStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a DropAccountRoleParams<T1, T2, T3>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.account, &params.role, &params.source))
    }
}
pub struct DropRolesOfSourceStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn drop_roles_of_source() -> DropRolesOfSourceStmt {
    DropRolesOfSourceStmt(
        "DELETE FROM account_role WHERE account = $1 AND source = $2 AND NOT role = ANY($3)",
        None,
    )
}
impl DropRolesOfSourceStmt {
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
    >(
        &'s self,
        client: &'c C,
        account: &'a T1,
        source: &'a T2,
        keep: &'a T4,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[account, source, keep]).await
    }
}
impl<
    'a,
    C: GenericClient + Send + Sync,
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::ArraySql<Item = T3>,
>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        DropRolesOfSourceParams<T1, T2, T3, T4>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for DropRolesOfSourceStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a DropRolesOfSourceParams<T1, T2, T3, T4>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.account, &params.source, &params.keep))
    }
}
pub struct FederatedAccountStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn federated_account() -> FederatedAccountStmt {
    FederatedAccountStmt(
        "UPDATE federated_identity SET last_used_at = $1 WHERE provider = $2 AND subject = $3 RETURNING account",
        None,
    )
}
impl FederatedAccountStmt {
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
        now: &'a jiff::Timestamp,
        provider: &'a T1,
        subject: &'a T2,
    ) -> StringQuery<'c, 'a, 's, C, String, 3> {
        StringQuery {
            client,
            params: [now, provider, subject],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it.into(),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::generated::StringSql, T2: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        FederatedAccountParams<T1, T2>,
        StringQuery<'c, 'a, 's, C, String, 3>,
        C,
    > for FederatedAccountStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a FederatedAccountParams<T1, T2>,
    ) -> StringQuery<'c, 'a, 's, C, String, 3> {
        self.bind(client, &params.now, &params.provider, &params.subject)
    }
}
pub struct PutFederatedIdentityStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn put_federated_identity() -> PutFederatedIdentityStmt {
    PutFederatedIdentityStmt(
        "INSERT INTO federated_identity (provider, subject, account, last_used_at) VALUES ($1, $2, $3, $4)",
        None,
    )
}
impl PutFederatedIdentityStmt {
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
        provider: &'a T1,
        subject: &'a T2,
        account: &'a T3,
        now: &'a jiff::Timestamp,
    ) -> Result<u64, tokio_postgres::Error> {
        client
            .execute(self.0, &[provider, subject, account, now])
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
        PutFederatedIdentityParams<T1, T2, T3>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for PutFederatedIdentityStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a PutFederatedIdentityParams<T1, T2, T3>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(
            client,
            &params.provider,
            &params.subject,
            &params.account,
            &params.now,
        ))
    }
}
pub struct FederatedIdentitiesOfProviderStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn federated_identities_of_provider() -> FederatedIdentitiesOfProviderStmt {
    FederatedIdentitiesOfProviderStmt(
        "SELECT subject FROM federated_identity WHERE account = $1 AND provider = $2",
        None,
    )
}
impl FederatedIdentitiesOfProviderStmt {
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
        provider: &'a T2,
    ) -> StringQuery<'c, 'a, 's, C, String, 2> {
        StringQuery {
            client,
            params: [account, provider],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it.into(),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::generated::StringSql, T2: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        FederatedIdentitiesOfProviderParams<T1, T2>,
        StringQuery<'c, 'a, 's, C, String, 2>,
        C,
    > for FederatedIdentitiesOfProviderStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a FederatedIdentitiesOfProviderParams<T1, T2>,
    ) -> StringQuery<'c, 'a, 's, C, String, 2> {
        self.bind(client, &params.account, &params.provider)
    }
}
pub struct DropFederatedIdentityStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn drop_federated_identity() -> DropFederatedIdentityStmt {
    DropFederatedIdentityStmt(
        "DELETE FROM federated_identity WHERE account = $1 AND provider = $2 AND subject = $3",
        None,
    )
}
impl DropFederatedIdentityStmt {
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
        account: &'a T1,
        provider: &'a T2,
        subject: &'a T3,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[account, provider, subject]).await
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
        DropFederatedIdentityParams<T1, T2, T3>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for DropFederatedIdentityStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a DropFederatedIdentityParams<T1, T2, T3>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.account, &params.provider, &params.subject))
    }
}
pub struct FederatedIdentitiesStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn federated_identities() -> FederatedIdentitiesStmt {
    FederatedIdentitiesStmt(
        "SELECT provider, subject FROM federated_identity WHERE account = $1 ORDER BY provider",
        None,
    )
}
impl FederatedIdentitiesStmt {
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
    ) -> FederatedIdentitiesQuery<'c, 'a, 's, C, FederatedIdentities, 1> {
        FederatedIdentitiesQuery {
            client,
            params: [account],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |
                row: &tokio_postgres::Row,
            | -> Result<FederatedIdentitiesBorrowed, tokio_postgres::Error> {
                Ok(FederatedIdentitiesBorrowed {
                    provider: row.try_get(0)?,
                    subject: row.try_get(1)?,
                })
            },
            mapper: |it| FederatedIdentities::from(it),
        }
    }
}
pub struct PasswordStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn password() -> PasswordStmt {
    PasswordStmt("SELECT phc FROM password WHERE account = $1", None)
}
impl PasswordStmt {
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
    ) -> StringQuery<'c, 'a, 's, C, String, 1> {
        StringQuery {
            client,
            params: [account],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it.into(),
        }
    }
}
pub struct PutPasswordStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn put_password() -> PutPasswordStmt {
    PutPasswordStmt(
        "INSERT INTO password (account, phc, changed_at) VALUES ($1, $2, $3) ON CONFLICT (account) DO UPDATE SET phc = EXCLUDED.phc, changed_at = EXCLUDED.changed_at",
        None,
    )
}
impl PutPasswordStmt {
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
        phc: &'a T2,
        now: &'a jiff::Timestamp,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[account, phc, now]).await
    }
}
impl<'a, C: GenericClient + Send + Sync, T1: crate::generated::StringSql, T2: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        PutPasswordParams<T1, T2>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for PutPasswordStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a PutPasswordParams<T1, T2>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.account, &params.phc, &params.now))
    }
}
pub struct DropPasswordStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn drop_password() -> DropPasswordStmt {
    DropPasswordStmt("DELETE FROM password WHERE account = $1", None)
}
impl DropPasswordStmt {
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
        account: &'a T1,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[account]).await
    }
}
pub struct PasskeysStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn passkeys() -> PasskeysStmt {
    PasskeysStmt(
        "SELECT id, name, credential, created_at, last_used_at FROM passkey WHERE account = $1 ORDER BY created_at",
        None,
    )
}
impl PasskeysStmt {
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
    ) -> PasskeysQuery<'c, 'a, 's, C, Passkeys, 1> {
        PasskeysQuery {
            client,
            params: [account],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<PasskeysBorrowed, tokio_postgres::Error> {
                    Ok(PasskeysBorrowed {
                        id: row.try_get(0)?,
                        name: row.try_get(1)?,
                        credential: row.try_get(2)?,
                        created_at: row.try_get(3)?,
                        last_used_at: row.try_get(4)?,
                    })
                },
            mapper: |it| Passkeys::from(it),
        }
    }
}
pub struct PasskeyStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn passkey() -> PasskeyStmt {
    PasskeyStmt(
        "SELECT account, name, credential, last_used_at FROM passkey WHERE id = $1",
        None,
    )
}
impl PasskeyStmt {
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
        id: &'a T1,
    ) -> PasskeyQuery<'c, 'a, 's, C, Passkey, 1> {
        PasskeyQuery {
            client,
            params: [id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<PasskeyBorrowed, tokio_postgres::Error> {
                    Ok(PasskeyBorrowed {
                        account: row.try_get(0)?,
                        name: row.try_get(1)?,
                        credential: row.try_get(2)?,
                        last_used_at: row.try_get(3)?,
                    })
                },
            mapper: |it| Passkey::from(it),
        }
    }
}
pub struct PasskeyOfHandleStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn passkey_of_handle() -> PasskeyOfHandleStmt {
    PasskeyOfHandleStmt(
        "SELECT EXISTS (SELECT FROM account WHERE handle = $1 AND (id = $2 OR merged_into = $2))",
        None,
    )
}
impl PasskeyOfHandleStmt {
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
        handle: &'a uuid::Uuid,
        account: &'a T1,
    ) -> BoolQuery<'c, 'a, 's, C, bool, 2> {
        BoolQuery {
            client,
            params: [handle, account],
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
        PasskeyOfHandleParams<T1>,
        BoolQuery<'c, 'a, 's, C, bool, 2>,
        C,
    > for PasskeyOfHandleStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a PasskeyOfHandleParams<T1>,
    ) -> BoolQuery<'c, 'a, 's, C, bool, 2> {
        self.bind(client, &params.handle, &params.account)
    }
}
pub struct RenamePasskeyStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn rename_passkey() -> RenamePasskeyStmt {
    RenamePasskeyStmt(
        "UPDATE passkey SET name = $1 WHERE id = $2 AND account = $3",
        None,
    )
}
impl RenamePasskeyStmt {
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
        T2: crate::generated::BytesSql,
        T3: crate::generated::StringSql,
    >(
        &'s self,
        client: &'c C,
        name: &'a T1,
        id: &'a T2,
        account: &'a T3,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[name, id, account]).await
    }
}
impl<
    'a,
    C: GenericClient + Send + Sync,
    T1: crate::generated::StringSql,
    T2: crate::generated::BytesSql,
    T3: crate::generated::StringSql,
>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        RenamePasskeyParams<T1, T2, T3>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for RenamePasskeyStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a RenamePasskeyParams<T1, T2, T3>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.name, &params.id, &params.account))
    }
}
pub struct PasskeyCountStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn passkey_count() -> PasskeyCountStmt {
    PasskeyCountStmt("SELECT count(*) FROM passkey WHERE account = $1", None)
}
impl PasskeyCountStmt {
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
    ) -> I64Query<'c, 'a, 's, C, i64, 1> {
        I64Query {
            client,
            params: [account],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
pub struct PutPasskeyStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn put_passkey() -> PutPasskeyStmt {
    PutPasskeyStmt(
        "INSERT INTO passkey (id, account, name, credential) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        None,
    )
}
impl PutPasskeyStmt {
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
        T4: crate::generated::JsonSql,
    >(
        &'s self,
        client: &'c C,
        id: &'a T1,
        account: &'a T2,
        name: &'a T3,
        credential: &'a T4,
    ) -> Result<u64, tokio_postgres::Error> {
        client
            .execute(self.0, &[id, account, name, credential])
            .await
    }
}
impl<
    'a,
    C: GenericClient + Send + Sync,
    T1: crate::generated::BytesSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::JsonSql,
>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        PutPasskeyParams<T1, T2, T3, T4>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for PutPasskeyStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a PutPasskeyParams<T1, T2, T3, T4>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(
            client,
            &params.id,
            &params.account,
            &params.name,
            &params.credential,
        ))
    }
}
pub struct UsePasskeyStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn use_passkey() -> UsePasskeyStmt {
    UsePasskeyStmt(
        "UPDATE passkey SET credential = $1, last_used_at = $2 WHERE id = $3",
        None,
    )
}
impl UsePasskeyStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<'c, 'a, 's, C: GenericClient, T1: crate::generated::JsonSql, T2: crate::generated::BytesSql>(
        &'s self,
        client: &'c C,
        credential: &'a T1,
        now: &'a jiff::Timestamp,
        id: &'a T2,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[credential, now, id]).await
    }
}
impl<'a, C: GenericClient + Send + Sync, T1: crate::generated::JsonSql, T2: crate::generated::BytesSql>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        UsePasskeyParams<T1, T2>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for UsePasskeyStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a UsePasskeyParams<T1, T2>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.credential, &params.now, &params.id))
    }
}
pub struct DropPasskeyStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn drop_passkey() -> DropPasskeyStmt {
    DropPasskeyStmt("DELETE FROM passkey WHERE id = $1 AND account = $2", None)
}
impl DropPasskeyStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<'c, 'a, 's, C: GenericClient, T1: crate::generated::BytesSql, T2: crate::generated::StringSql>(
        &'s self,
        client: &'c C,
        id: &'a T1,
        account: &'a T2,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[id, account]).await
    }
}
impl<'a, C: GenericClient + Send + Sync, T1: crate::generated::BytesSql, T2: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        DropPasskeyParams<T1, T2>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for DropPasskeyStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a DropPasskeyParams<T1, T2>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.id, &params.account))
    }
}
pub struct DropRecoveryCodesStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn drop_recovery_codes() -> DropRecoveryCodesStmt {
    DropRecoveryCodesStmt("DELETE FROM recovery_code WHERE account = $1", None)
}
impl DropRecoveryCodesStmt {
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
        account: &'a T1,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[account]).await
    }
}
pub struct PutRecoveryCodeStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn put_recovery_code() -> PutRecoveryCodeStmt {
    PutRecoveryCodeStmt(
        "INSERT INTO recovery_code (digest, account) VALUES ($1, $2)",
        None,
    )
}
impl PutRecoveryCodeStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<'c, 'a, 's, C: GenericClient, T1: crate::generated::BytesSql, T2: crate::generated::StringSql>(
        &'s self,
        client: &'c C,
        digest: &'a T1,
        account: &'a T2,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[digest, account]).await
    }
}
impl<'a, C: GenericClient + Send + Sync, T1: crate::generated::BytesSql, T2: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        PutRecoveryCodeParams<T1, T2>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for PutRecoveryCodeStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a PutRecoveryCodeParams<T1, T2>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.digest, &params.account))
    }
}
pub struct UseRecoveryCodeStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn use_recovery_code() -> UseRecoveryCodeStmt {
    UseRecoveryCodeStmt(
        "UPDATE recovery_code SET used_at = $1 WHERE digest = $2 AND account = $3 AND used_at IS NULL",
        None,
    )
}
impl UseRecoveryCodeStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<'c, 'a, 's, C: GenericClient, T1: crate::generated::BytesSql, T2: crate::generated::StringSql>(
        &'s self,
        client: &'c C,
        now: &'a jiff::Timestamp,
        digest: &'a T1,
        account: &'a T2,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[now, digest, account]).await
    }
}
impl<'a, C: GenericClient + Send + Sync, T1: crate::generated::BytesSql, T2: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        UseRecoveryCodeParams<T1, T2>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for UseRecoveryCodeStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a UseRecoveryCodeParams<T1, T2>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.now, &params.digest, &params.account))
    }
}
pub struct RecoveryCodesLeftStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn recovery_codes_left() -> RecoveryCodesLeftStmt {
    RecoveryCodesLeftStmt(
        "SELECT count(*) FROM recovery_code WHERE account = $1 AND used_at IS NULL",
        None,
    )
}
impl RecoveryCodesLeftStmt {
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
    ) -> I64Query<'c, 'a, 's, C, i64, 1> {
        I64Query {
            client,
            params: [account],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
pub struct PutLinkStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn put_link() -> PutLinkStmt {
    PutLinkStmt(
        "INSERT INTO one_time_link (digest, purpose, account, created_by, expires_at) VALUES ($1, $2, $3, $4, $5)",
        None,
    )
}
impl PutLinkStmt {
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
    >(
        &'s self,
        client: &'c C,
        digest: &'a T1,
        purpose: &'a T2,
        account: &'a Option<T3>,
        by: &'a T4,
        expires_at: &'a jiff::Timestamp,
    ) -> Result<u64, tokio_postgres::Error> {
        client
            .execute(self.0, &[digest, purpose, account, by, expires_at])
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
>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        PutLinkParams<T1, T2, T3, T4>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for PutLinkStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a PutLinkParams<T1, T2, T3, T4>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(
            client,
            &params.digest,
            &params.purpose,
            &params.account,
            &params.by,
            &params.expires_at,
        ))
    }
}
pub struct LinkStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn link() -> LinkStmt {
    LinkStmt(
        "SELECT purpose, account FROM one_time_link WHERE digest = $1 AND used_at IS NULL AND expires_at > $2",
        None,
    )
}
impl LinkStmt {
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
        now: &'a jiff::Timestamp,
    ) -> LinkQuery<'c, 'a, 's, C, Link, 2> {
        LinkQuery {
            client,
            params: [digest, now],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<LinkBorrowed, tokio_postgres::Error> {
                Ok(LinkBorrowed {
                    purpose: row.try_get(0)?,
                    account: row.try_get(1)?,
                })
            },
            mapper: |it| Link::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::generated::BytesSql>
    crate::generated::client::async_::Params<'c, 'a, 's, LinkParams<T1>, LinkQuery<'c, 'a, 's, C, Link, 2>, C>
    for LinkStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a LinkParams<T1>,
    ) -> LinkQuery<'c, 'a, 's, C, Link, 2> {
        self.bind(client, &params.digest, &params.now)
    }
}
pub struct UseLinkStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn use_link() -> UseLinkStmt {
    UseLinkStmt(
        "UPDATE one_time_link SET used_at = $1 WHERE digest = $2 AND used_at IS NULL AND expires_at > $1",
        None,
    )
}
impl UseLinkStmt {
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
        UseLinkParams<T1>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for UseLinkStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a UseLinkParams<T1>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.now, &params.digest))
    }
}
pub struct DropLinksStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn drop_links() -> DropLinksStmt {
    DropLinksStmt(
        "DELETE FROM one_time_link WHERE purpose = $1 AND account IS NOT DISTINCT FROM $2",
        None,
    )
}
impl DropLinksStmt {
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
        purpose: &'a T1,
        account: &'a Option<T2>,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[purpose, account]).await
    }
}
impl<'a, C: GenericClient + Send + Sync, T1: crate::generated::StringSql, T2: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        DropLinksParams<T1, T2>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for DropLinksStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a DropLinksParams<T1, T2>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.purpose, &params.account))
    }
}
pub struct AttemptsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn attempts() -> AttemptsStmt {
    AttemptsStmt(
        "SELECT failures, first_at, last_at, locked_until FROM attempt WHERE kind = $1 AND subject = $2",
        None,
    )
}
impl AttemptsStmt {
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
        kind: &'a T1,
        subject: &'a T2,
    ) -> AttemptsQuery<'c, 'a, 's, C, Attempts, 2> {
        AttemptsQuery {
            client,
            params: [kind, subject],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<Attempts, tokio_postgres::Error> {
                Ok(Attempts {
                    failures: row.try_get(0)?,
                    first_at: row.try_get(1)?,
                    last_at: row.try_get(2)?,
                    locked_until: row.try_get(3)?,
                })
            },
            mapper: |it| Attempts::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::generated::StringSql, T2: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        AttemptsParams<T1, T2>,
        AttemptsQuery<'c, 'a, 's, C, Attempts, 2>,
        C,
    > for AttemptsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a AttemptsParams<T1, T2>,
    ) -> AttemptsQuery<'c, 'a, 's, C, Attempts, 2> {
        self.bind(client, &params.kind, &params.subject)
    }
}
pub struct FailStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn fail() -> FailStmt {
    FailStmt(
        "INSERT INTO attempt AS a (kind, subject, failures, first_at, last_at) VALUES ($1, $2, 1, $3, $3) ON CONFLICT (kind, subject) DO UPDATE SET failures = CASE WHEN a.first_at < $4 THEN 1 ELSE a.failures + 1 END, first_at = CASE WHEN a.first_at < $4 THEN EXCLUDED.first_at ELSE a.first_at END, last_at = EXCLUDED.last_at, locked_until = CASE WHEN a.first_at >= $4 AND a.failures + 1 >= $5 THEN $6 ELSE a.locked_until END RETURNING failures, locked_until",
        None,
    )
}
impl FailStmt {
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
        kind: &'a T1,
        subject: &'a T2,
        now: &'a jiff::Timestamp,
        window_start: &'a jiff::Timestamp,
        allowed: &'a i32,
        lock_until: &'a jiff::Timestamp,
    ) -> FailQuery<'c, 'a, 's, C, Fail, 6> {
        FailQuery {
            client,
            params: [kind, subject, now, window_start, allowed, lock_until],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<Fail, tokio_postgres::Error> {
                Ok(Fail {
                    failures: row.try_get(0)?,
                    locked_until: row.try_get(1)?,
                })
            },
            mapper: |it| Fail::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::generated::StringSql, T2: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        FailParams<T1, T2>,
        FailQuery<'c, 'a, 's, C, Fail, 6>,
        C,
    > for FailStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a FailParams<T1, T2>,
    ) -> FailQuery<'c, 'a, 's, C, Fail, 6> {
        self.bind(
            client,
            &params.kind,
            &params.subject,
            &params.now,
            &params.window_start,
            &params.allowed,
            &params.lock_until,
        )
    }
}
pub struct ForgiveStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn forgive() -> ForgiveStmt {
    ForgiveStmt("DELETE FROM attempt WHERE kind = $1 AND subject = $2", None)
}
impl ForgiveStmt {
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
        kind: &'a T1,
        subject: &'a T2,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[kind, subject]).await
    }
}
impl<'a, C: GenericClient + Send + Sync, T1: crate::generated::StringSql, T2: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        ForgiveParams<T1, T2>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for ForgiveStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a ForgiveParams<T1, T2>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.kind, &params.subject))
    }
}
pub struct PutSessionStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn put_session() -> PutSessionStmt {
    PutSessionStmt(
        "INSERT INTO session (id, account, digest, method, address, user_agent, created_at, authenticated_at, last_seen_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $7, $8)",
        None,
    )
}
impl PutSessionStmt {
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
        T3: crate::generated::BytesSql,
        T4: crate::generated::StringSql,
        T5: crate::generated::StringSql,
        T6: crate::generated::StringSql,
    >(
        &'s self,
        client: &'c C,
        id: &'a T1,
        account: &'a T2,
        digest: &'a Option<T3>,
        method: &'a T4,
        address: &'a T5,
        user_agent: &'a T6,
        now: &'a jiff::Timestamp,
        expires_at: &'a jiff::Timestamp,
    ) -> Result<u64, tokio_postgres::Error> {
        client
            .execute(
                self.0,
                &[
                    id, account, digest, method, address, user_agent, now, expires_at,
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
    T3: crate::generated::BytesSql,
    T4: crate::generated::StringSql,
    T5: crate::generated::StringSql,
    T6: crate::generated::StringSql,
>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        PutSessionParams<T1, T2, T3, T4, T5, T6>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for PutSessionStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a PutSessionParams<T1, T2, T3, T4, T5, T6>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(
            client,
            &params.id,
            &params.account,
            &params.digest,
            &params.method,
            &params.address,
            &params.user_agent,
            &params.now,
            &params.expires_at,
        ))
    }
}
pub struct SessionByDigestStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn session_by_digest() -> SessionByDigestStmt {
    SessionByDigestStmt(
        "SELECT s.id, s.account, s.method, s.authenticated_at, s.expires_at, s.last_seen_at FROM session s JOIN account a ON a.id = s.account WHERE s.digest = $1 AND s.ended_at IS NULL AND s.expires_at > $2 AND a.disabled_at IS NULL",
        None,
    )
}
impl SessionByDigestStmt {
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
        now: &'a jiff::Timestamp,
    ) -> SessionByDigestQuery<'c, 'a, 's, C, SessionByDigest, 2> {
        SessionByDigestQuery {
            client,
            params: [digest, now],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |
                row: &tokio_postgres::Row,
            | -> Result<SessionByDigestBorrowed, tokio_postgres::Error> {
                Ok(SessionByDigestBorrowed {
                    id: row.try_get(0)?,
                    account: row.try_get(1)?,
                    method: row.try_get(2)?,
                    authenticated_at: row.try_get(3)?,
                    expires_at: row.try_get(4)?,
                    last_seen_at: row.try_get(5)?,
                })
            },
            mapper: |it| SessionByDigest::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::generated::BytesSql>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        SessionByDigestParams<T1>,
        SessionByDigestQuery<'c, 'a, 's, C, SessionByDigest, 2>,
        C,
    > for SessionByDigestStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a SessionByDigestParams<T1>,
    ) -> SessionByDigestQuery<'c, 'a, 's, C, SessionByDigest, 2> {
        self.bind(client, &params.digest, &params.now)
    }
}
pub struct SessionStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn session() -> SessionStmt {
    SessionStmt(
        "SELECT id, account, method, address, user_agent, created_at, authenticated_at, last_seen_at, expires_at, ended_at FROM session WHERE id = $1",
        None,
    )
}
impl SessionStmt {
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
    ) -> SessionQuery<'c, 'a, 's, C, Session, 1> {
        SessionQuery {
            client,
            params: [id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<SessionBorrowed, tokio_postgres::Error> {
                    Ok(SessionBorrowed {
                        id: row.try_get(0)?,
                        account: row.try_get(1)?,
                        method: row.try_get(2)?,
                        address: row.try_get(3)?,
                        user_agent: row.try_get(4)?,
                        created_at: row.try_get(5)?,
                        authenticated_at: row.try_get(6)?,
                        last_seen_at: row.try_get(7)?,
                        expires_at: row.try_get(8)?,
                        ended_at: row.try_get(9)?,
                    })
                },
            mapper: |it| Session::from(it),
        }
    }
}
pub struct SessionsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn sessions() -> SessionsStmt {
    SessionsStmt(
        "SELECT id, account, method, address, user_agent, created_at, authenticated_at, last_seen_at, expires_at, ended_at FROM session WHERE account = $1 AND ended_at IS NULL AND expires_at > $2 ORDER BY created_at DESC",
        None,
    )
}
impl SessionsStmt {
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
        now: &'a jiff::Timestamp,
    ) -> SessionQuery<'c, 'a, 's, C, Session, 2> {
        SessionQuery {
            client,
            params: [account, now],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<SessionBorrowed, tokio_postgres::Error> {
                    Ok(SessionBorrowed {
                        id: row.try_get(0)?,
                        account: row.try_get(1)?,
                        method: row.try_get(2)?,
                        address: row.try_get(3)?,
                        user_agent: row.try_get(4)?,
                        created_at: row.try_get(5)?,
                        authenticated_at: row.try_get(6)?,
                        last_seen_at: row.try_get(7)?,
                        expires_at: row.try_get(8)?,
                        ended_at: row.try_get(9)?,
                    })
                },
            mapper: |it| Session::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        SessionsParams<T1>,
        SessionQuery<'c, 'a, 's, C, Session, 2>,
        C,
    > for SessionsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a SessionsParams<T1>,
    ) -> SessionQuery<'c, 'a, 's, C, Session, 2> {
        self.bind(client, &params.account, &params.now)
    }
}
pub struct SeenSessionStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn seen_session() -> SeenSessionStmt {
    SeenSessionStmt("UPDATE session SET last_seen_at = $1 WHERE id = $2", None)
}
impl SeenSessionStmt {
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
        SeenSessionParams<T1>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for SeenSessionStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a SeenSessionParams<T1>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.now, &params.id))
    }
}
pub struct ProveSessionStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn prove_session() -> ProveSessionStmt {
    ProveSessionStmt(
        "UPDATE session SET digest = $1, method = $2, address = $3, user_agent = $4, authenticated_at = $5, last_seen_at = $5 WHERE id = $6 AND ended_at IS NULL",
        None,
    )
}
impl ProveSessionStmt {
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
    >(
        &'s self,
        client: &'c C,
        digest: &'a T1,
        method: &'a T2,
        address: &'a T3,
        user_agent: &'a T4,
        now: &'a jiff::Timestamp,
        id: &'a T5,
    ) -> Result<u64, tokio_postgres::Error> {
        client
            .execute(self.0, &[digest, method, address, user_agent, now, id])
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
>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        ProveSessionParams<T1, T2, T3, T4, T5>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for ProveSessionStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a ProveSessionParams<T1, T2, T3, T4, T5>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(
            client,
            &params.digest,
            &params.method,
            &params.address,
            &params.user_agent,
            &params.now,
            &params.id,
        ))
    }
}
pub struct EndSessionStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn end_session() -> EndSessionStmt {
    EndSessionStmt(
        "UPDATE session SET ended_at = $1 WHERE id = $2 AND ended_at IS NULL",
        None,
    )
}
impl EndSessionStmt {
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
        EndSessionParams<T1>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for EndSessionStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a EndSessionParams<T1>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.now, &params.id))
    }
}
pub struct EndSessionsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn end_sessions() -> EndSessionsStmt {
    EndSessionsStmt(
        "UPDATE session SET ended_at = $1 WHERE account = $2 AND ended_at IS NULL RETURNING id",
        None,
    )
}
impl EndSessionsStmt {
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
        account: &'a T1,
    ) -> StringQuery<'c, 'a, 's, C, String, 2> {
        StringQuery {
            client,
            params: [now, account],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it.into(),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        EndSessionsParams<T1>,
        StringQuery<'c, 'a, 's, C, String, 2>,
        C,
    > for EndSessionsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a EndSessionsParams<T1>,
    ) -> StringQuery<'c, 'a, 's, C, String, 2> {
        self.bind(client, &params.now, &params.account)
    }
}
pub struct PutCeremonyStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn put_ceremony() -> PutCeremonyStmt {
    PutCeremonyStmt(
        "INSERT INTO ceremony (digest, kind, account, state, expires_at) VALUES ($1, $2, $3, $4, $5)",
        None,
    )
}
impl PutCeremonyStmt {
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
        T4: crate::generated::JsonSql,
    >(
        &'s self,
        client: &'c C,
        digest: &'a T1,
        kind: &'a T2,
        account: &'a Option<T3>,
        state: &'a T4,
        expires_at: &'a jiff::Timestamp,
    ) -> Result<u64, tokio_postgres::Error> {
        client
            .execute(self.0, &[digest, kind, account, state, expires_at])
            .await
    }
}
impl<
    'a,
    C: GenericClient + Send + Sync,
    T1: crate::generated::BytesSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::JsonSql,
>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        PutCeremonyParams<T1, T2, T3, T4>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for PutCeremonyStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a PutCeremonyParams<T1, T2, T3, T4>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(
            client,
            &params.digest,
            &params.kind,
            &params.account,
            &params.state,
            &params.expires_at,
        ))
    }
}
pub struct TakeCeremonyStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn take_ceremony() -> TakeCeremonyStmt {
    TakeCeremonyStmt(
        "DELETE FROM ceremony WHERE digest = $1 AND kind = $2 AND expires_at > $3 RETURNING account, state",
        None,
    )
}
impl TakeCeremonyStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::generated::BytesSql, T2: crate::generated::StringSql>(
        &'s self,
        client: &'c C,
        digest: &'a T1,
        kind: &'a T2,
        now: &'a jiff::Timestamp,
    ) -> TakeCeremonyQuery<'c, 'a, 's, C, TakeCeremony, 3> {
        TakeCeremonyQuery {
            client,
            params: [digest, kind, now],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<TakeCeremonyBorrowed, tokio_postgres::Error> {
                    Ok(TakeCeremonyBorrowed {
                        account: row.try_get(0)?,
                        state: row.try_get(1)?,
                    })
                },
            mapper: |it| TakeCeremony::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::generated::BytesSql, T2: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        TakeCeremonyParams<T1, T2>,
        TakeCeremonyQuery<'c, 'a, 's, C, TakeCeremony, 3>,
        C,
    > for TakeCeremonyStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a TakeCeremonyParams<T1, T2>,
    ) -> TakeCeremonyQuery<'c, 'a, 's, C, TakeCeremony, 3> {
        self.bind(client, &params.digest, &params.kind, &params.now)
    }
}
pub struct SigningKeysStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn signing_keys() -> SigningKeysStmt {
    SigningKeysStmt(
        "SELECT kid, node, algorithm, public, sealed, signs_from, signs_until, verifies_until FROM signing_key WHERE verifies_until > $1 ORDER BY signs_from, kid",
        None,
    )
}
impl SigningKeysStmt {
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
    ) -> SigningKeysQuery<'c, 'a, 's, C, SigningKeys, 1> {
        SigningKeysQuery {
            client,
            params: [now],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<SigningKeysBorrowed, tokio_postgres::Error> {
                    Ok(SigningKeysBorrowed {
                        kid: row.try_get(0)?,
                        node: row.try_get(1)?,
                        algorithm: row.try_get(2)?,
                        public: row.try_get(3)?,
                        sealed: row.try_get(4)?,
                        signs_from: row.try_get(5)?,
                        signs_until: row.try_get(6)?,
                        verifies_until: row.try_get(7)?,
                    })
                },
            mapper: |it| SigningKeys::from(it),
        }
    }
}
pub struct PutSigningKeyStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn put_signing_key() -> PutSigningKeyStmt {
    PutSigningKeyStmt(
        "INSERT INTO signing_key (kid, node, algorithm, public, sealed, signs_from, signs_until, verifies_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        None,
    )
}
impl PutSigningKeyStmt {
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
        T3: crate::generated::BytesSql,
        T4: crate::generated::BytesSql,
    >(
        &'s self,
        client: &'c C,
        kid: &'a T1,
        node: &'a uuid::Uuid,
        algorithm: &'a T2,
        public: &'a T3,
        sealed: &'a T4,
        signs_from: &'a jiff::Timestamp,
        signs_until: &'a jiff::Timestamp,
        verifies_until: &'a jiff::Timestamp,
    ) -> Result<u64, tokio_postgres::Error> {
        client
            .execute(
                self.0,
                &[
                    kid,
                    node,
                    algorithm,
                    public,
                    sealed,
                    signs_from,
                    signs_until,
                    verifies_until,
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
    T3: crate::generated::BytesSql,
    T4: crate::generated::BytesSql,
>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        PutSigningKeyParams<T1, T2, T3, T4>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for PutSigningKeyStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a PutSigningKeyParams<T1, T2, T3, T4>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(
            client,
            &params.kid,
            &params.node,
            &params.algorithm,
            &params.public,
            &params.sealed,
            &params.signs_from,
            &params.signs_until,
            &params.verifies_until,
        ))
    }
}
pub struct RetireSigningKeyStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn retire_signing_key() -> RetireSigningKeyStmt {
    RetireSigningKeyStmt(
        "UPDATE signing_key SET signs_until = greatest(signs_from + interval '1 microsecond', $1) WHERE kid = $2 AND signs_until > $1",
        None,
    )
}
impl RetireSigningKeyStmt {
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
        kid: &'a T1,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[now, kid]).await
    }
}
impl<'a, C: GenericClient + Send + Sync, T1: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        RetireSigningKeyParams<T1>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for RetireSigningKeyStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a RetireSigningKeyParams<T1>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.now, &params.kid))
    }
}
pub struct RevokeSigningKeysStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn revoke_signing_keys() -> RevokeSigningKeysStmt {
    RevokeSigningKeysStmt(
        "DELETE FROM signing_key WHERE node = $1 AND kid <> $2",
        None,
    )
}
impl RevokeSigningKeysStmt {
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
        node: &'a uuid::Uuid,
        kid: &'a T1,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[node, kid]).await
    }
}
impl<'a, C: GenericClient + Send + Sync, T1: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        RevokeSigningKeysParams<T1>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for RevokeSigningKeysStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a RevokeSigningKeysParams<T1>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.node, &params.kid))
    }
}
pub struct ForgetSigningKeysStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn forget_signing_keys() -> ForgetSigningKeysStmt {
    ForgetSigningKeysStmt("DELETE FROM signing_key WHERE verifies_until <= $1", None)
}
impl ForgetSigningKeysStmt {
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
        now: &'a jiff::Timestamp,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[now]).await
    }
}
