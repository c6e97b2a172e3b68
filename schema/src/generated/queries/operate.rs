// This file was generated with `cornucopia`. Do not modify.

#[derive(Debug)]
pub struct UsersParams<
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::StringSql,
    T5: crate::generated::StringSql,
> {
    pub after: T1,
    pub tenant: Option<T2>,
    pub department: Option<T3>,
    pub role: Option<T4>,
    pub text: Option<T5>,
    pub max: i32,
}
#[derive(Debug)]
pub struct UserCredentialsParams<T1: crate::generated::StringSql> {
    pub id: T1,
    pub now: jiff::Timestamp,
}
#[derive(Debug)]
pub struct EraseAccountParams<T1: crate::generated::StringSql> {
    pub now: jiff::Timestamp,
    pub id: T1,
}
#[derive(Debug)]
pub struct EraseCredentialsParams<T1: crate::generated::StringSql, T2: crate::generated::StringSql> {
    pub id: T1,
    pub now: jiff::Timestamp,
    pub by: T2,
}
#[derive(Debug)]
pub struct MergeAccountParams<T1: crate::generated::StringSql, T2: crate::generated::StringSql, T3: crate::generated::StringSql> {
    pub into: T1,
    pub by: T2,
    pub id: T3,
    pub now: jiff::Timestamp,
}
#[derive(Debug)]
pub struct EndFamiliesParams<T1: crate::generated::StringSql, T2: crate::generated::StringSql> {
    pub now: jiff::Timestamp,
    pub why: T1,
    pub account: T2,
}
#[derive(Debug)]
pub struct EndFamiliesOfSessionParams<T1: crate::generated::StringSql, T2: crate::generated::StringSql> {
    pub now: jiff::Timestamp,
    pub why: T1,
    pub session: T2,
}
#[derive(Debug)]
pub struct ListSessionsParams<T1: crate::generated::StringSql, T2: crate::generated::StringSql> {
    pub user: Option<T1>,
    pub ended: bool,
    pub now: jiff::Timestamp,
    pub after: T2,
    pub max: i32,
}
#[derive(Debug)]
pub struct UpsertGrantParams<
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::StringSql,
    T5: crate::generated::StringSql,
    T6: crate::generated::StringSql,
    T7: crate::generated::ArraySql<Item = T6>,
    T8: crate::generated::StringSql,
> {
    pub id: uuid::Uuid,
    pub principal_kind: T1,
    pub principal: T2,
    pub server: T3,
    pub tool: T4,
    pub effect: T5,
    pub scopes: T7,
    pub expires_at: Option<jiff::Timestamp>,
    pub by: T8,
}
#[derive(Debug)]
pub struct PutTenantParams<T1: crate::generated::StringSql, T2: crate::generated::StringSql, T3: crate::generated::StringSql> {
    pub id: T1,
    pub name: T2,
    pub by: T3,
}
#[derive(Debug)]
pub struct UpdateTenantParams<T1: crate::generated::StringSql, T2: crate::generated::StringSql> {
    pub name: T1,
    pub id: T2,
}
#[derive(Debug)]
pub struct PutDepartmentParams<
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::StringSql,
> {
    pub id: T1,
    pub tenant: Option<T2>,
    pub name: T3,
    pub by: T4,
}
#[derive(Debug)]
pub struct UpdateDepartmentParams<T1: crate::generated::StringSql, T2: crate::generated::StringSql, T3: crate::generated::StringSql>
{
    pub name: Option<T1>,
    pub leave: bool,
    pub tenant: Option<T2>,
    pub id: T3,
}
#[derive(Debug)]
pub struct PutKeyParams<
    T1: crate::generated::StringSql,
    T2: crate::generated::BytesSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::StringSql,
    T5: crate::generated::StringSql,
    T6: crate::generated::StringSql,
    T7: crate::generated::ArraySql<Item = T6>,
    T8: crate::generated::StringSql,
    T9: crate::generated::ArraySql<Item = T8>,
    T10: crate::generated::StringSql,
    T11: crate::generated::ArraySql<Item = T10>,
    T12: crate::generated::StringSql,
> {
    pub id: T1,
    pub hash: T2,
    pub account: T3,
    pub name: T4,
    pub agent: Option<T5>,
    pub roles: T7,
    pub scopes: T9,
    pub servers: T11,
    pub by: T12,
    pub expires_at: Option<jiff::Timestamp>,
}
#[derive(Debug)]
pub struct ListKeysParams<T1: crate::generated::StringSql, T2: crate::generated::StringSql> {
    pub user: Option<T1>,
    pub dead: bool,
    pub now: jiff::Timestamp,
    pub after: T2,
    pub max: i32,
}
#[derive(Debug)]
pub struct RevokeKeyParams<T1: crate::generated::StringSql, T2: crate::generated::StringSql> {
    pub now: jiff::Timestamp,
    pub by: T1,
    pub id: T2,
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct LiveGrants {
    pub id: uuid::Uuid,
    pub principal_kind: String,
    pub principal: String,
    pub server: String,
    pub tool: String,
    pub effect: String,
    pub scopes: Vec<String>,
    pub expires_at: Option<jiff::Timestamp>,
}
pub struct LiveGrantsBorrowed<'a> {
    pub id: uuid::Uuid,
    pub principal_kind: &'a str,
    pub principal: &'a str,
    pub server: &'a str,
    pub tool: &'a str,
    pub effect: &'a str,
    pub scopes: crate::generated::ArrayIterator<'a, &'a str>,
    pub expires_at: Option<jiff::Timestamp>,
}
impl<'a> From<LiveGrantsBorrowed<'a>> for LiveGrants {
    fn from(
        LiveGrantsBorrowed {
            id,
            principal_kind,
            principal,
            server,
            tool,
            effect,
            scopes,
            expires_at,
        }: LiveGrantsBorrowed<'a>,
    ) -> Self {
        Self {
            id,
            principal_kind: principal_kind.into(),
            principal: principal.into(),
            server: server.into(),
            tool: tool.into(),
            effect: effect.into(),
            scopes: scopes.map(|v| v.into()).collect(),
            expires_at,
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct LiveKeys {
    pub id: String,
    pub hash: Vec<u8>,
    pub account: String,
    pub tier: String,
    pub tenant: Option<String>,
    pub department: Option<String>,
    pub agent: Option<String>,
    pub scopes: Vec<String>,
    pub servers: Vec<String>,
    pub created_at: jiff::Timestamp,
    pub expires_at: Option<jiff::Timestamp>,
    pub roles: Vec<String>,
}
pub struct LiveKeysBorrowed<'a> {
    pub id: &'a str,
    pub hash: &'a [u8],
    pub account: &'a str,
    pub tier: &'a str,
    pub tenant: Option<&'a str>,
    pub department: Option<&'a str>,
    pub agent: Option<&'a str>,
    pub scopes: crate::generated::ArrayIterator<'a, &'a str>,
    pub servers: crate::generated::ArrayIterator<'a, &'a str>,
    pub created_at: jiff::Timestamp,
    pub expires_at: Option<jiff::Timestamp>,
    pub roles: crate::generated::ArrayIterator<'a, &'a str>,
}
impl<'a> From<LiveKeysBorrowed<'a>> for LiveKeys {
    fn from(
        LiveKeysBorrowed {
            id,
            hash,
            account,
            tier,
            tenant,
            department,
            agent,
            scopes,
            servers,
            created_at,
            expires_at,
            roles,
        }: LiveKeysBorrowed<'a>,
    ) -> Self {
        Self {
            id: id.into(),
            hash: hash.into(),
            account: account.into(),
            tier: tier.into(),
            tenant: tenant.map(|v| v.into()),
            department: department.map(|v| v.into()),
            agent: agent.map(|v| v.into()),
            scopes: scopes.map(|v| v.into()).collect(),
            servers: servers.map(|v| v.into()).collect(),
            created_at,
            expires_at,
            roles: roles.map(|v| v.into()).collect(),
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct User {
    pub id: String,
    pub tier: String,
    pub name: String,
    pub email: Option<String>,
    pub tenant: Option<String>,
    pub department: Option<String>,
    pub created_at: jiff::Timestamp,
    pub created_by: String,
    pub disabled_at: Option<jiff::Timestamp>,
    pub merged_into: Option<String>,
    pub roles: Vec<String>,
}
pub struct UserBorrowed<'a> {
    pub id: &'a str,
    pub tier: &'a str,
    pub name: &'a str,
    pub email: Option<&'a str>,
    pub tenant: Option<&'a str>,
    pub department: Option<&'a str>,
    pub created_at: jiff::Timestamp,
    pub created_by: &'a str,
    pub disabled_at: Option<jiff::Timestamp>,
    pub merged_into: Option<&'a str>,
    pub roles: crate::generated::ArrayIterator<'a, &'a str>,
}
impl<'a> From<UserBorrowed<'a>> for User {
    fn from(
        UserBorrowed {
            id,
            tier,
            name,
            email,
            tenant,
            department,
            created_at,
            created_by,
            disabled_at,
            merged_into,
            roles,
        }: UserBorrowed<'a>,
    ) -> Self {
        Self {
            id: id.into(),
            tier: tier.into(),
            name: name.into(),
            email: email.map(|v| v.into()),
            tenant: tenant.map(|v| v.into()),
            department: department.map(|v| v.into()),
            created_at,
            created_by: created_by.into(),
            disabled_at,
            merged_into: merged_into.map(|v| v.into()),
            roles: roles.map(|v| v.into()).collect(),
        }
    }
}
#[derive(Debug, Clone, PartialEq, Copy, serde::Serialize)]
pub struct UserCredentials {
    pub passkeys: i64,
    pub passwords: i64,
    pub identities: i64,
    pub sessions: i64,
    pub keys: i64,
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct SessionRow {
    pub id: String,
    pub account: String,
    pub method: String,
    pub address: String,
    pub user_agent: String,
    pub created_at: jiff::Timestamp,
    pub last_seen_at: jiff::Timestamp,
    pub expires_at: jiff::Timestamp,
    pub ended_at: Option<jiff::Timestamp>,
}
pub struct SessionRowBorrowed<'a> {
    pub id: &'a str,
    pub account: &'a str,
    pub method: &'a str,
    pub address: &'a str,
    pub user_agent: &'a str,
    pub created_at: jiff::Timestamp,
    pub last_seen_at: jiff::Timestamp,
    pub expires_at: jiff::Timestamp,
    pub ended_at: Option<jiff::Timestamp>,
}
impl<'a> From<SessionRowBorrowed<'a>> for SessionRow {
    fn from(
        SessionRowBorrowed {
            id,
            account,
            method,
            address,
            user_agent,
            created_at,
            last_seen_at,
            expires_at,
            ended_at,
        }: SessionRowBorrowed<'a>,
    ) -> Self {
        Self {
            id: id.into(),
            account: account.into(),
            method: method.into(),
            address: address.into(),
            user_agent: user_agent.into(),
            created_at,
            last_seen_at,
            expires_at,
            ended_at,
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ClientsOfSession {
    pub client: String,
    pub name: String,
    pub scopes: Vec<String>,
    pub created_at: jiff::Timestamp,
    pub expires_at: jiff::Timestamp,
}
pub struct ClientsOfSessionBorrowed<'a> {
    pub client: &'a str,
    pub name: &'a str,
    pub scopes: crate::generated::ArrayIterator<'a, &'a str>,
    pub created_at: jiff::Timestamp,
    pub expires_at: jiff::Timestamp,
}
impl<'a> From<ClientsOfSessionBorrowed<'a>> for ClientsOfSession {
    fn from(
        ClientsOfSessionBorrowed {
            client,
            name,
            scopes,
            created_at,
            expires_at,
        }: ClientsOfSessionBorrowed<'a>,
    ) -> Self {
        Self {
            client: client.into(),
            name: name.into(),
            scopes: scopes.map(|v| v.into()).collect(),
            created_at,
            expires_at,
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct StoredRoles {
    pub name: String,
    pub scopes: Vec<String>,
    pub description: String,
    pub created_at: jiff::Timestamp,
    pub created_by: String,
    pub users: i64,
}
pub struct StoredRolesBorrowed<'a> {
    pub name: &'a str,
    pub scopes: crate::generated::ArrayIterator<'a, &'a str>,
    pub description: &'a str,
    pub created_at: jiff::Timestamp,
    pub created_by: &'a str,
    pub users: i64,
}
impl<'a> From<StoredRolesBorrowed<'a>> for StoredRoles {
    fn from(
        StoredRolesBorrowed {
            name,
            scopes,
            description,
            created_at,
            created_by,
            users,
        }: StoredRolesBorrowed<'a>,
    ) -> Self {
        Self {
            name: name.into(),
            scopes: scopes.map(|v| v.into()).collect(),
            description: description.into(),
            created_at,
            created_by: created_by.into(),
            users,
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Holders {
    pub role: String,
    pub users: i64,
}
pub struct HoldersBorrowed<'a> {
    pub role: &'a str,
    pub users: i64,
}
impl<'a> From<HoldersBorrowed<'a>> for Holders {
    fn from(HoldersBorrowed { role, users }: HoldersBorrowed<'a>) -> Self {
        Self {
            role: role.into(),
            users,
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct StoredGrants {
    pub id: uuid::Uuid,
    pub principal_kind: String,
    pub principal: String,
    pub server: String,
    pub tool: String,
    pub effect: String,
    pub scopes: Vec<String>,
    pub expires_at: Option<jiff::Timestamp>,
    pub created_at: jiff::Timestamp,
    pub created_by: String,
}
pub struct StoredGrantsBorrowed<'a> {
    pub id: uuid::Uuid,
    pub principal_kind: &'a str,
    pub principal: &'a str,
    pub server: &'a str,
    pub tool: &'a str,
    pub effect: &'a str,
    pub scopes: crate::generated::ArrayIterator<'a, &'a str>,
    pub expires_at: Option<jiff::Timestamp>,
    pub created_at: jiff::Timestamp,
    pub created_by: &'a str,
}
impl<'a> From<StoredGrantsBorrowed<'a>> for StoredGrants {
    fn from(
        StoredGrantsBorrowed {
            id,
            principal_kind,
            principal,
            server,
            tool,
            effect,
            scopes,
            expires_at,
            created_at,
            created_by,
        }: StoredGrantsBorrowed<'a>,
    ) -> Self {
        Self {
            id,
            principal_kind: principal_kind.into(),
            principal: principal.into(),
            server: server.into(),
            tool: tool.into(),
            effect: effect.into(),
            scopes: scopes.map(|v| v.into()).collect(),
            expires_at,
            created_at,
            created_by: created_by.into(),
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct StoredBans {
    pub kind: String,
    pub subject: String,
    pub until: Option<jiff::Timestamp>,
    pub reason: String,
    pub created_at: jiff::Timestamp,
    pub created_by: String,
}
pub struct StoredBansBorrowed<'a> {
    pub kind: &'a str,
    pub subject: &'a str,
    pub until: Option<jiff::Timestamp>,
    pub reason: &'a str,
    pub created_at: jiff::Timestamp,
    pub created_by: &'a str,
}
impl<'a> From<StoredBansBorrowed<'a>> for StoredBans {
    fn from(
        StoredBansBorrowed {
            kind,
            subject,
            until,
            reason,
            created_at,
            created_by,
        }: StoredBansBorrowed<'a>,
    ) -> Self {
        Self {
            kind: kind.into(),
            subject: subject.into(),
            until,
            reason: reason.into(),
            created_at,
            created_by: created_by.into(),
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Tenants {
    pub id: String,
    pub name: String,
    pub created_at: jiff::Timestamp,
    pub created_by: String,
    pub users: i64,
    pub departments: i64,
}
pub struct TenantsBorrowed<'a> {
    pub id: &'a str,
    pub name: &'a str,
    pub created_at: jiff::Timestamp,
    pub created_by: &'a str,
    pub users: i64,
    pub departments: i64,
}
impl<'a> From<TenantsBorrowed<'a>> for Tenants {
    fn from(
        TenantsBorrowed {
            id,
            name,
            created_at,
            created_by,
            users,
            departments,
        }: TenantsBorrowed<'a>,
    ) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            created_at,
            created_by: created_by.into(),
            users,
            departments,
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Departments {
    pub id: String,
    pub tenant: Option<String>,
    pub name: String,
    pub created_at: jiff::Timestamp,
    pub created_by: String,
    pub users: i64,
}
pub struct DepartmentsBorrowed<'a> {
    pub id: &'a str,
    pub tenant: Option<&'a str>,
    pub name: &'a str,
    pub created_at: jiff::Timestamp,
    pub created_by: &'a str,
    pub users: i64,
}
impl<'a> From<DepartmentsBorrowed<'a>> for Departments {
    fn from(
        DepartmentsBorrowed {
            id,
            tenant,
            name,
            created_at,
            created_by,
            users,
        }: DepartmentsBorrowed<'a>,
    ) -> Self {
        Self {
            id: id.into(),
            tenant: tenant.map(|v| v.into()),
            name: name.into(),
            created_at,
            created_by: created_by.into(),
            users,
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct KeyRow {
    pub id: String,
    pub account: String,
    pub name: String,
    pub agent: Option<String>,
    pub roles: Vec<String>,
    pub scopes: Vec<String>,
    pub servers: Vec<String>,
    pub created_at: jiff::Timestamp,
    pub created_by: String,
    pub expires_at: Option<jiff::Timestamp>,
    pub revoked_at: Option<jiff::Timestamp>,
    pub revoked_by: Option<String>,
    pub last_used_at: Option<jiff::Timestamp>,
}
pub struct KeyRowBorrowed<'a> {
    pub id: &'a str,
    pub account: &'a str,
    pub name: &'a str,
    pub agent: Option<&'a str>,
    pub roles: crate::generated::ArrayIterator<'a, &'a str>,
    pub scopes: crate::generated::ArrayIterator<'a, &'a str>,
    pub servers: crate::generated::ArrayIterator<'a, &'a str>,
    pub created_at: jiff::Timestamp,
    pub created_by: &'a str,
    pub expires_at: Option<jiff::Timestamp>,
    pub revoked_at: Option<jiff::Timestamp>,
    pub revoked_by: Option<&'a str>,
    pub last_used_at: Option<jiff::Timestamp>,
}
impl<'a> From<KeyRowBorrowed<'a>> for KeyRow {
    fn from(
        KeyRowBorrowed {
            id,
            account,
            name,
            agent,
            roles,
            scopes,
            servers,
            created_at,
            created_by,
            expires_at,
            revoked_at,
            revoked_by,
            last_used_at,
        }: KeyRowBorrowed<'a>,
    ) -> Self {
        Self {
            id: id.into(),
            account: account.into(),
            name: name.into(),
            agent: agent.map(|v| v.into()),
            roles: roles.map(|v| v.into()).collect(),
            scopes: scopes.map(|v| v.into()).collect(),
            servers: servers.map(|v| v.into()).collect(),
            created_at,
            created_by: created_by.into(),
            expires_at,
            revoked_at,
            revoked_by: revoked_by.map(|v| v.into()),
            last_used_at,
        }
    }
}
#[derive(Debug, Clone, PartialEq, Copy, serde::Serialize)]
pub struct AccountCounts {
    pub users: i64,
    pub administrators: i64,
    pub keys: i64,
    pub clients: i64,
}
use crate::generated::client::async_::GenericClient;
use futures_util::{self, StreamExt, TryStreamExt};
pub struct LiveGrantsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<LiveGrantsBorrowed, tokio_postgres::Error>,
    mapper: fn(LiveGrantsBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> LiveGrantsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(LiveGrantsBorrowed) -> R,
    ) -> LiveGrantsQuery<'c, 'a, 's, C, R, N> {
        LiveGrantsQuery {
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
pub struct LiveKeysQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<LiveKeysBorrowed, tokio_postgres::Error>,
    mapper: fn(LiveKeysBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> LiveKeysQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(LiveKeysBorrowed) -> R) -> LiveKeysQuery<'c, 'a, 's, C, R, N> {
        LiveKeysQuery {
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
pub struct UserQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<UserBorrowed, tokio_postgres::Error>,
    mapper: fn(UserBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> UserQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(UserBorrowed) -> R) -> UserQuery<'c, 'a, 's, C, R, N> {
        UserQuery {
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
pub struct UserCredentialsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<UserCredentials, tokio_postgres::Error>,
    mapper: fn(UserCredentials) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> UserCredentialsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(UserCredentials) -> R,
    ) -> UserCredentialsQuery<'c, 'a, 's, C, R, N> {
        UserCredentialsQuery {
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
pub struct SessionRowQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<SessionRowBorrowed, tokio_postgres::Error>,
    mapper: fn(SessionRowBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> SessionRowQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(SessionRowBorrowed) -> R,
    ) -> SessionRowQuery<'c, 'a, 's, C, R, N> {
        SessionRowQuery {
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
pub struct ClientsOfSessionQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ClientsOfSessionBorrowed, tokio_postgres::Error>,
    mapper: fn(ClientsOfSessionBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ClientsOfSessionQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(ClientsOfSessionBorrowed) -> R,
    ) -> ClientsOfSessionQuery<'c, 'a, 's, C, R, N> {
        ClientsOfSessionQuery {
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
pub struct StoredRolesQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<StoredRolesBorrowed, tokio_postgres::Error>,
    mapper: fn(StoredRolesBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> StoredRolesQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(StoredRolesBorrowed) -> R,
    ) -> StoredRolesQuery<'c, 'a, 's, C, R, N> {
        StoredRolesQuery {
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
pub struct HoldersQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<HoldersBorrowed, tokio_postgres::Error>,
    mapper: fn(HoldersBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> HoldersQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(HoldersBorrowed) -> R) -> HoldersQuery<'c, 'a, 's, C, R, N> {
        HoldersQuery {
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
pub struct StoredGrantsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<StoredGrantsBorrowed, tokio_postgres::Error>,
    mapper: fn(StoredGrantsBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> StoredGrantsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(StoredGrantsBorrowed) -> R,
    ) -> StoredGrantsQuery<'c, 'a, 's, C, R, N> {
        StoredGrantsQuery {
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
pub struct StoredBansQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<StoredBansBorrowed, tokio_postgres::Error>,
    mapper: fn(StoredBansBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> StoredBansQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(StoredBansBorrowed) -> R,
    ) -> StoredBansQuery<'c, 'a, 's, C, R, N> {
        StoredBansQuery {
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
pub struct TenantsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<TenantsBorrowed, tokio_postgres::Error>,
    mapper: fn(TenantsBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> TenantsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(TenantsBorrowed) -> R) -> TenantsQuery<'c, 'a, 's, C, R, N> {
        TenantsQuery {
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
pub struct DepartmentsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<DepartmentsBorrowed, tokio_postgres::Error>,
    mapper: fn(DepartmentsBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> DepartmentsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(DepartmentsBorrowed) -> R,
    ) -> DepartmentsQuery<'c, 'a, 's, C, R, N> {
        DepartmentsQuery {
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
pub struct KeyRowQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<KeyRowBorrowed, tokio_postgres::Error>,
    mapper: fn(KeyRowBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> KeyRowQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(KeyRowBorrowed) -> R) -> KeyRowQuery<'c, 'a, 's, C, R, N> {
        KeyRowQuery {
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
pub struct AccountCountsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<AccountCounts, tokio_postgres::Error>,
    mapper: fn(AccountCounts) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> AccountCountsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(AccountCounts) -> R) -> AccountCountsQuery<'c, 'a, 's, C, R, N> {
        AccountCountsQuery {
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
pub struct LiveGrantsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn live_grants() -> LiveGrantsStmt {
    LiveGrantsStmt(
        "SELECT id, principal_kind, principal, server, tool, effect, scopes, expires_at FROM access_grant WHERE expires_at IS NULL OR expires_at > $1 ORDER BY id",
        None,
    )
}
impl LiveGrantsStmt {
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
    ) -> LiveGrantsQuery<'c, 'a, 's, C, LiveGrants, 1> {
        LiveGrantsQuery {
            client,
            params: [now],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<LiveGrantsBorrowed, tokio_postgres::Error> {
                    Ok(LiveGrantsBorrowed {
                        id: row.try_get(0)?,
                        principal_kind: row.try_get(1)?,
                        principal: row.try_get(2)?,
                        server: row.try_get(3)?,
                        tool: row.try_get(4)?,
                        effect: row.try_get(5)?,
                        scopes: row.try_get(6)?,
                        expires_at: row.try_get(7)?,
                    })
                },
            mapper: |it| LiveGrants::from(it),
        }
    }
}
pub struct DisabledAccountsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn disabled_accounts() -> DisabledAccountsStmt {
    DisabledAccountsStmt("SELECT id FROM account WHERE disabled_at IS NOT NULL", None)
}
impl DisabledAccountsStmt {
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
    ) -> StringQuery<'c, 'a, 's, C, String, 0> {
        StringQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it.into(),
        }
    }
}
pub struct LiveKeysStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn live_keys() -> LiveKeysStmt {
    LiveKeysStmt(
        "SELECT k.id, k.hash, k.account, a.tier, a.tenant, a.department, k.agent, k.scopes, k.servers, k.created_at, k.expires_at, ARRAY(SELECT DISTINCT r.role FROM account_role r WHERE r.account = k.account AND (k.roles = '{}' OR r.role = ANY(k.roles)) ORDER BY 1) AS roles FROM api_key k JOIN account a ON a.id = k.account WHERE k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $1)",
        None,
    )
}
impl LiveKeysStmt {
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
    ) -> LiveKeysQuery<'c, 'a, 's, C, LiveKeys, 1> {
        LiveKeysQuery {
            client,
            params: [since],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<LiveKeysBorrowed, tokio_postgres::Error> {
                    Ok(LiveKeysBorrowed {
                        id: row.try_get(0)?,
                        hash: row.try_get(1)?,
                        account: row.try_get(2)?,
                        tier: row.try_get(3)?,
                        tenant: row.try_get(4)?,
                        department: row.try_get(5)?,
                        agent: row.try_get(6)?,
                        scopes: row.try_get(7)?,
                        servers: row.try_get(8)?,
                        created_at: row.try_get(9)?,
                        expires_at: row.try_get(10)?,
                        roles: row.try_get(11)?,
                    })
                },
            mapper: |it| LiveKeys::from(it),
        }
    }
}
pub struct UsersStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn users() -> UsersStmt {
    UsersStmt(
        "SELECT a.id, a.tier, a.name, a.email, a.tenant, a.department, a.created_at, a.created_by, a.disabled_at, a.merged_into, ARRAY(SELECT DISTINCT r.role FROM account_role r WHERE r.account = a.id ORDER BY 1) AS roles FROM account a WHERE a.erased_at IS NULL AND a.id > $1 AND ($2::text IS NULL OR a.tenant = $2) AND ($3::text IS NULL OR a.department = $3) AND ($4::text IS NULL OR EXISTS (SELECT FROM account_role r WHERE r.account = a.id AND r.role = $4)) AND ($5::text IS NULL OR strpos(lower(concat_ws(' ', a.id, a.name, a.email)), lower($5)) > 0) ORDER BY a.id LIMIT $6::integer",
        None,
    )
}
impl UsersStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<
        'c,
        'a,
        's,
        C: GenericClient,
        T1: crate::generated::StringSql,
        T2: crate::generated::StringSql,
        T3: crate::generated::StringSql,
        T4: crate::generated::StringSql,
        T5: crate::generated::StringSql,
    >(
        &'s self,
        client: &'c C,
        after: &'a T1,
        tenant: &'a Option<T2>,
        department: &'a Option<T3>,
        role: &'a Option<T4>,
        text: &'a Option<T5>,
        max: &'a i32,
    ) -> UserQuery<'c, 'a, 's, C, User, 6> {
        UserQuery {
            client,
            params: [after, tenant, department, role, text, max],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<UserBorrowed, tokio_postgres::Error> {
                Ok(UserBorrowed {
                    id: row.try_get(0)?,
                    tier: row.try_get(1)?,
                    name: row.try_get(2)?,
                    email: row.try_get(3)?,
                    tenant: row.try_get(4)?,
                    department: row.try_get(5)?,
                    created_at: row.try_get(6)?,
                    created_by: row.try_get(7)?,
                    disabled_at: row.try_get(8)?,
                    merged_into: row.try_get(9)?,
                    roles: row.try_get(10)?,
                })
            },
            mapper: |it| User::from(it),
        }
    }
}
impl<
    'c,
    'a,
    's,
    C: GenericClient,
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::StringSql,
    T5: crate::generated::StringSql,
>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        UsersParams<T1, T2, T3, T4, T5>,
        UserQuery<'c, 'a, 's, C, User, 6>,
        C,
    > for UsersStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a UsersParams<T1, T2, T3, T4, T5>,
    ) -> UserQuery<'c, 'a, 's, C, User, 6> {
        self.bind(
            client,
            &params.after,
            &params.tenant,
            &params.department,
            &params.role,
            &params.text,
            &params.max,
        )
    }
}
pub struct UserStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn user() -> UserStmt {
    UserStmt(
        "SELECT a.id, a.tier, a.name, a.email, a.tenant, a.department, a.created_at, a.created_by, a.disabled_at, a.merged_into, ARRAY(SELECT DISTINCT r.role FROM account_role r WHERE r.account = a.id ORDER BY 1) AS roles FROM account a WHERE a.id = $1 AND a.erased_at IS NULL",
        None,
    )
}
impl UserStmt {
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
    ) -> UserQuery<'c, 'a, 's, C, User, 1> {
        UserQuery {
            client,
            params: [id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<UserBorrowed, tokio_postgres::Error> {
                Ok(UserBorrowed {
                    id: row.try_get(0)?,
                    tier: row.try_get(1)?,
                    name: row.try_get(2)?,
                    email: row.try_get(3)?,
                    tenant: row.try_get(4)?,
                    department: row.try_get(5)?,
                    created_at: row.try_get(6)?,
                    created_by: row.try_get(7)?,
                    disabled_at: row.try_get(8)?,
                    merged_into: row.try_get(9)?,
                    roles: row.try_get(10)?,
                })
            },
            mapper: |it| User::from(it),
        }
    }
}
pub struct UserCredentialsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn user_credentials() -> UserCredentialsStmt {
    UserCredentialsStmt(
        "SELECT (SELECT count(*) FROM passkey WHERE account = $1) AS passkeys, (SELECT count(*) FROM password WHERE account = $1) AS passwords, (SELECT count(*) FROM federated_identity WHERE account = $1) AS identities, (SELECT count(*) FROM session WHERE account = $1 AND ended_at IS NULL AND expires_at > $2) AS sessions, (SELECT count(*) FROM api_key WHERE account = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)) AS keys",
        None,
    )
}
impl UserCredentialsStmt {
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
        now: &'a jiff::Timestamp,
    ) -> UserCredentialsQuery<'c, 'a, 's, C, UserCredentials, 2> {
        UserCredentialsQuery {
            client,
            params: [id, now],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<UserCredentials, tokio_postgres::Error> {
                    Ok(UserCredentials {
                        passkeys: row.try_get(0)?,
                        passwords: row.try_get(1)?,
                        identities: row.try_get(2)?,
                        sessions: row.try_get(3)?,
                        keys: row.try_get(4)?,
                    })
                },
            mapper: |it| UserCredentials::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        UserCredentialsParams<T1>,
        UserCredentialsQuery<'c, 'a, 's, C, UserCredentials, 2>,
        C,
    > for UserCredentialsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a UserCredentialsParams<T1>,
    ) -> UserCredentialsQuery<'c, 'a, 's, C, UserCredentials, 2> {
        self.bind(client, &params.id, &params.now)
    }
}
pub struct OtherAdministratorsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn other_administrators() -> OtherAdministratorsStmt {
    OtherAdministratorsStmt(
        "SELECT count(*) FROM account WHERE tier = 'admin' AND disabled_at IS NULL AND id <> $1",
        None,
    )
}
impl OtherAdministratorsStmt {
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
    ) -> I64Query<'c, 'a, 's, C, i64, 1> {
        I64Query {
            client,
            params: [id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
pub struct LockAccountsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn lock_accounts() -> LockAccountsStmt {
    LockAccountsStmt("SELECT pg_advisory_xact_lock(7368) IS NULL AS locked", None)
}
impl LockAccountsStmt {
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
    ) -> BoolQuery<'c, 'a, 's, C, bool, 0> {
        BoolQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
pub struct EraseAccountStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn erase_account() -> EraseAccountStmt {
    EraseAccountStmt(
        "UPDATE account SET name = '', email = NULL, tenant = NULL, department = NULL, disabled_at = coalesce(disabled_at, $1), erased_at = $1 WHERE id = $2",
        None,
    )
}
impl EraseAccountStmt {
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
        EraseAccountParams<T1>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for EraseAccountStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a EraseAccountParams<T1>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.now, &params.id))
    }
}
pub struct EraseCredentialsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn erase_credentials() -> EraseCredentialsStmt {
    EraseCredentialsStmt(
        "WITH roles AS (DELETE FROM account_role WHERE account = $1), identities AS (DELETE FROM federated_identity WHERE account = $1), passwords AS (DELETE FROM password WHERE account = $1), passkeys AS (DELETE FROM passkey WHERE account = $1), codes AS (DELETE FROM recovery_code WHERE account = $1), links AS (DELETE FROM one_time_link WHERE account = $1), consents AS (DELETE FROM consent WHERE account = $1) UPDATE api_key SET revoked_at = $2, revoked_by = $3 WHERE account = $1 AND revoked_at IS NULL",
        None,
    )
}
impl EraseCredentialsStmt {
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
        id: &'a T1,
        now: &'a jiff::Timestamp,
        by: &'a T2,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[id, now, by]).await
    }
}
impl<'a, C: GenericClient + Send + Sync, T1: crate::generated::StringSql, T2: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        EraseCredentialsParams<T1, T2>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for EraseCredentialsStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a EraseCredentialsParams<T1, T2>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.id, &params.now, &params.by))
    }
}
pub struct MergeAccountStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn merge_account() -> MergeAccountStmt {
    MergeAccountStmt(
        "WITH roles AS (INSERT INTO account_role (account, role, source, created_by) SELECT $1, role, source, $2 FROM account_role WHERE account = $3 ON CONFLICT DO NOTHING), identities AS (UPDATE federated_identity SET account = $1 WHERE account = $3), passkeys AS (UPDATE passkey SET account = $1 WHERE account = $3), keys AS (UPDATE api_key SET account = $1 WHERE account = $3) UPDATE account SET merged_into = $1, disabled_at = coalesce(disabled_at, $4) WHERE id = $3",
        None,
    )
}
impl MergeAccountStmt {
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
        into: &'a T1,
        by: &'a T2,
        id: &'a T3,
        now: &'a jiff::Timestamp,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[into, by, id, now]).await
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
        MergeAccountParams<T1, T2, T3>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for MergeAccountStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a MergeAccountParams<T1, T2, T3>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.into, &params.by, &params.id, &params.now))
    }
}
pub struct EndFamiliesStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn end_families() -> EndFamiliesStmt {
    EndFamiliesStmt(
        "UPDATE token_family SET revoked_at = $1, revoked_why = $2 WHERE account = $3 AND revoked_at IS NULL",
        None,
    )
}
impl EndFamiliesStmt {
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
        now: &'a jiff::Timestamp,
        why: &'a T1,
        account: &'a T2,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[now, why, account]).await
    }
}
impl<'a, C: GenericClient + Send + Sync, T1: crate::generated::StringSql, T2: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        EndFamiliesParams<T1, T2>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for EndFamiliesStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a EndFamiliesParams<T1, T2>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.now, &params.why, &params.account))
    }
}
pub struct EndFamiliesOfSessionStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn end_families_of_session() -> EndFamiliesOfSessionStmt {
    EndFamiliesOfSessionStmt(
        "UPDATE token_family SET revoked_at = $1, revoked_why = $2 WHERE session = $3 AND revoked_at IS NULL",
        None,
    )
}
impl EndFamiliesOfSessionStmt {
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
        now: &'a jiff::Timestamp,
        why: &'a T1,
        session: &'a T2,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[now, why, session]).await
    }
}
impl<'a, C: GenericClient + Send + Sync, T1: crate::generated::StringSql, T2: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        EndFamiliesOfSessionParams<T1, T2>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for EndFamiliesOfSessionStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a EndFamiliesOfSessionParams<T1, T2>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.now, &params.why, &params.session))
    }
}
pub struct ListSessionsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_sessions() -> ListSessionsStmt {
    ListSessionsStmt(
        "SELECT id, account, method, address, user_agent, created_at, last_seen_at, expires_at, ended_at FROM session WHERE ($1::text IS NULL OR account = $1) AND ($2::boolean OR (ended_at IS NULL AND expires_at > $3)) AND id > $4 ORDER BY id LIMIT $5::integer",
        None,
    )
}
impl ListSessionsStmt {
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
        user: &'a Option<T1>,
        ended: &'a bool,
        now: &'a jiff::Timestamp,
        after: &'a T2,
        max: &'a i32,
    ) -> SessionRowQuery<'c, 'a, 's, C, SessionRow, 5> {
        SessionRowQuery {
            client,
            params: [user, ended, now, after, max],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<SessionRowBorrowed, tokio_postgres::Error> {
                    Ok(SessionRowBorrowed {
                        id: row.try_get(0)?,
                        account: row.try_get(1)?,
                        method: row.try_get(2)?,
                        address: row.try_get(3)?,
                        user_agent: row.try_get(4)?,
                        created_at: row.try_get(5)?,
                        last_seen_at: row.try_get(6)?,
                        expires_at: row.try_get(7)?,
                        ended_at: row.try_get(8)?,
                    })
                },
            mapper: |it| SessionRow::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::generated::StringSql, T2: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        ListSessionsParams<T1, T2>,
        SessionRowQuery<'c, 'a, 's, C, SessionRow, 5>,
        C,
    > for ListSessionsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListSessionsParams<T1, T2>,
    ) -> SessionRowQuery<'c, 'a, 's, C, SessionRow, 5> {
        self.bind(
            client,
            &params.user,
            &params.ended,
            &params.now,
            &params.after,
            &params.max,
        )
    }
}
pub struct ClientsOfSessionStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn clients_of_session() -> ClientsOfSessionStmt {
    ClientsOfSessionStmt(
        "SELECT f.client, c.name, f.scopes, f.created_at, f.expires_at FROM token_family f JOIN oauth_client c ON c.id = f.client WHERE f.session = $1 AND f.revoked_at IS NULL ORDER BY f.created_at",
        None,
    )
}
impl ClientsOfSessionStmt {
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
    ) -> ClientsOfSessionQuery<'c, 'a, 's, C, ClientsOfSession, 1> {
        ClientsOfSessionQuery {
            client,
            params: [session],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |
                row: &tokio_postgres::Row,
            | -> Result<ClientsOfSessionBorrowed, tokio_postgres::Error> {
                Ok(ClientsOfSessionBorrowed {
                    client: row.try_get(0)?,
                    name: row.try_get(1)?,
                    scopes: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                    expires_at: row.try_get(4)?,
                })
            },
            mapper: |it| ClientsOfSession::from(it),
        }
    }
}
pub struct StoredRolesStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn stored_roles() -> StoredRolesStmt {
    StoredRolesStmt(
        "SELECT name, scopes, description, created_at, created_by, (SELECT count(DISTINCT r.account) FROM account_role r WHERE r.role = role.name) AS users FROM role ORDER BY name",
        None,
    )
}
impl StoredRolesStmt {
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
    ) -> StoredRolesQuery<'c, 'a, 's, C, StoredRoles, 0> {
        StoredRolesQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<StoredRolesBorrowed, tokio_postgres::Error> {
                    Ok(StoredRolesBorrowed {
                        name: row.try_get(0)?,
                        scopes: row.try_get(1)?,
                        description: row.try_get(2)?,
                        created_at: row.try_get(3)?,
                        created_by: row.try_get(4)?,
                        users: row.try_get(5)?,
                    })
                },
            mapper: |it| StoredRoles::from(it),
        }
    }
}
pub struct HoldersStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn holders() -> HoldersStmt {
    HoldersStmt(
        "SELECT role, count(DISTINCT account) AS users FROM account_role GROUP BY role ORDER BY role",
        None,
    )
}
impl HoldersStmt {
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
    ) -> HoldersQuery<'c, 'a, 's, C, Holders, 0> {
        HoldersQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<HoldersBorrowed, tokio_postgres::Error> {
                    Ok(HoldersBorrowed {
                        role: row.try_get(0)?,
                        users: row.try_get(1)?,
                    })
                },
            mapper: |it| Holders::from(it),
        }
    }
}
pub struct DropRoleStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn drop_role() -> DropRoleStmt {
    DropRoleStmt("DELETE FROM role WHERE name = $1", None)
}
impl DropRoleStmt {
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
        name: &'a T1,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[name]).await
    }
}
pub struct StoredGrantsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn stored_grants() -> StoredGrantsStmt {
    StoredGrantsStmt(
        "SELECT id, principal_kind, principal, server, tool, effect, scopes, expires_at, created_at, created_by FROM access_grant ORDER BY created_at, id",
        None,
    )
}
impl StoredGrantsStmt {
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
    ) -> StoredGrantsQuery<'c, 'a, 's, C, StoredGrants, 0> {
        StoredGrantsQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<StoredGrantsBorrowed, tokio_postgres::Error> {
                    Ok(StoredGrantsBorrowed {
                        id: row.try_get(0)?,
                        principal_kind: row.try_get(1)?,
                        principal: row.try_get(2)?,
                        server: row.try_get(3)?,
                        tool: row.try_get(4)?,
                        effect: row.try_get(5)?,
                        scopes: row.try_get(6)?,
                        expires_at: row.try_get(7)?,
                        created_at: row.try_get(8)?,
                        created_by: row.try_get(9)?,
                    })
                },
            mapper: |it| StoredGrants::from(it),
        }
    }
}
pub struct UpsertGrantStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn upsert_grant() -> UpsertGrantStmt {
    UpsertGrantStmt(
        "INSERT INTO access_grant (id, principal_kind, principal, server, tool, effect, scopes, expires_at, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (principal_kind, principal, server, tool, effect) DO UPDATE SET scopes = EXCLUDED.scopes, expires_at = EXCLUDED.expires_at RETURNING id",
        None,
    )
}
impl UpsertGrantStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<
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
        T7: crate::generated::ArraySql<Item = T6>,
        T8: crate::generated::StringSql,
    >(
        &'s self,
        client: &'c C,
        id: &'a uuid::Uuid,
        principal_kind: &'a T1,
        principal: &'a T2,
        server: &'a T3,
        tool: &'a T4,
        effect: &'a T5,
        scopes: &'a T7,
        expires_at: &'a Option<jiff::Timestamp>,
        by: &'a T8,
    ) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 9> {
        UuidUuidQuery {
            client,
            params: [
                id,
                principal_kind,
                principal,
                server,
                tool,
                effect,
                scopes,
                expires_at,
                by,
            ],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<
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
    T7: crate::generated::ArraySql<Item = T6>,
    T8: crate::generated::StringSql,
>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        UpsertGrantParams<T1, T2, T3, T4, T5, T6, T7, T8>,
        UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 9>,
        C,
    > for UpsertGrantStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a UpsertGrantParams<T1, T2, T3, T4, T5, T6, T7, T8>,
    ) -> UuidUuidQuery<'c, 'a, 's, C, uuid::Uuid, 9> {
        self.bind(
            client,
            &params.id,
            &params.principal_kind,
            &params.principal,
            &params.server,
            &params.tool,
            &params.effect,
            &params.scopes,
            &params.expires_at,
            &params.by,
        )
    }
}
pub struct StoredBansStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn stored_bans() -> StoredBansStmt {
    StoredBansStmt(
        "SELECT kind, subject, until, reason, created_at, created_by FROM ban WHERE until IS NULL OR until > $1 ORDER BY kind, subject",
        None,
    )
}
impl StoredBansStmt {
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
    ) -> StoredBansQuery<'c, 'a, 's, C, StoredBans, 1> {
        StoredBansQuery {
            client,
            params: [now],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<StoredBansBorrowed, tokio_postgres::Error> {
                    Ok(StoredBansBorrowed {
                        kind: row.try_get(0)?,
                        subject: row.try_get(1)?,
                        until: row.try_get(2)?,
                        reason: row.try_get(3)?,
                        created_at: row.try_get(4)?,
                        created_by: row.try_get(5)?,
                    })
                },
            mapper: |it| StoredBans::from(it),
        }
    }
}
pub struct PutTenantStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn put_tenant() -> PutTenantStmt {
    PutTenantStmt(
        "INSERT INTO tenant (id, name, created_by) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        None,
    )
}
impl PutTenantStmt {
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
        id: &'a T1,
        name: &'a T2,
        by: &'a T3,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[id, name, by]).await
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
        PutTenantParams<T1, T2, T3>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for PutTenantStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a PutTenantParams<T1, T2, T3>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.id, &params.name, &params.by))
    }
}
pub struct UpdateTenantStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn update_tenant() -> UpdateTenantStmt {
    UpdateTenantStmt("UPDATE tenant SET name = $1 WHERE id = $2", None)
}
impl UpdateTenantStmt {
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
        name: &'a T1,
        id: &'a T2,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[name, id]).await
    }
}
impl<'a, C: GenericClient + Send + Sync, T1: crate::generated::StringSql, T2: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        UpdateTenantParams<T1, T2>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for UpdateTenantStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a UpdateTenantParams<T1, T2>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.name, &params.id))
    }
}
pub struct DropTenantStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn drop_tenant() -> DropTenantStmt {
    DropTenantStmt("DELETE FROM tenant WHERE id = $1", None)
}
impl DropTenantStmt {
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
pub struct TenantsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn tenants() -> TenantsStmt {
    TenantsStmt(
        "SELECT id, name, created_at, created_by, (SELECT count(*) FROM account a WHERE a.tenant = tenant.id) AS users, (SELECT count(*) FROM department d WHERE d.tenant = tenant.id) AS departments FROM tenant ORDER BY id",
        None,
    )
}
impl TenantsStmt {
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
    ) -> TenantsQuery<'c, 'a, 's, C, Tenants, 0> {
        TenantsQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<TenantsBorrowed, tokio_postgres::Error> {
                    Ok(TenantsBorrowed {
                        id: row.try_get(0)?,
                        name: row.try_get(1)?,
                        created_at: row.try_get(2)?,
                        created_by: row.try_get(3)?,
                        users: row.try_get(4)?,
                        departments: row.try_get(5)?,
                    })
                },
            mapper: |it| Tenants::from(it),
        }
    }
}
pub struct PutDepartmentStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn put_department() -> PutDepartmentStmt {
    PutDepartmentStmt(
        "INSERT INTO department (id, tenant, name, created_by) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        None,
    )
}
impl PutDepartmentStmt {
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
        id: &'a T1,
        tenant: &'a Option<T2>,
        name: &'a T3,
        by: &'a T4,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[id, tenant, name, by]).await
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
        PutDepartmentParams<T1, T2, T3, T4>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for PutDepartmentStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a PutDepartmentParams<T1, T2, T3, T4>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.id, &params.tenant, &params.name, &params.by))
    }
}
pub struct UpdateDepartmentStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn update_department() -> UpdateDepartmentStmt {
    UpdateDepartmentStmt(
        "UPDATE department SET name = coalesce($1, name), tenant = CASE WHEN $2::boolean THEN NULL ELSE coalesce($3, tenant) END WHERE id = $4",
        None,
    )
}
impl UpdateDepartmentStmt {
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
        name: &'a Option<T1>,
        leave: &'a bool,
        tenant: &'a Option<T2>,
        id: &'a T3,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[name, leave, tenant, id]).await
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
        UpdateDepartmentParams<T1, T2, T3>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for UpdateDepartmentStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a UpdateDepartmentParams<T1, T2, T3>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(
            client,
            &params.name,
            &params.leave,
            &params.tenant,
            &params.id,
        ))
    }
}
pub struct DropDepartmentStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn drop_department() -> DropDepartmentStmt {
    DropDepartmentStmt("DELETE FROM department WHERE id = $1", None)
}
impl DropDepartmentStmt {
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
pub struct DepartmentsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn departments() -> DepartmentsStmt {
    DepartmentsStmt(
        "SELECT id, tenant, name, created_at, created_by, (SELECT count(*) FROM account a WHERE a.department = department.id) AS users FROM department ORDER BY id",
        None,
    )
}
impl DepartmentsStmt {
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
    ) -> DepartmentsQuery<'c, 'a, 's, C, Departments, 0> {
        DepartmentsQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<DepartmentsBorrowed, tokio_postgres::Error> {
                    Ok(DepartmentsBorrowed {
                        id: row.try_get(0)?,
                        tenant: row.try_get(1)?,
                        name: row.try_get(2)?,
                        created_at: row.try_get(3)?,
                        created_by: row.try_get(4)?,
                        users: row.try_get(5)?,
                    })
                },
            mapper: |it| Departments::from(it),
        }
    }
}
pub struct PutKeyStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn put_key() -> PutKeyStmt {
    PutKeyStmt(
        "INSERT INTO api_key (id, hash, account, name, agent, roles, scopes, servers, created_by, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        None,
    )
}
impl PutKeyStmt {
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
        T4: crate::generated::StringSql,
        T5: crate::generated::StringSql,
        T6: crate::generated::StringSql,
        T7: crate::generated::ArraySql<Item = T6>,
        T8: crate::generated::StringSql,
        T9: crate::generated::ArraySql<Item = T8>,
        T10: crate::generated::StringSql,
        T11: crate::generated::ArraySql<Item = T10>,
        T12: crate::generated::StringSql,
    >(
        &'s self,
        client: &'c C,
        id: &'a T1,
        hash: &'a T2,
        account: &'a T3,
        name: &'a T4,
        agent: &'a Option<T5>,
        roles: &'a T7,
        scopes: &'a T9,
        servers: &'a T11,
        by: &'a T12,
        expires_at: &'a Option<jiff::Timestamp>,
    ) -> Result<u64, tokio_postgres::Error> {
        client
            .execute(
                self.0,
                &[
                    id, hash, account, name, agent, roles, scopes, servers, by, expires_at,
                ],
            )
            .await
    }
}
impl<
    'a,
    C: GenericClient + Send + Sync,
    T1: crate::generated::StringSql,
    T2: crate::generated::BytesSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::StringSql,
    T5: crate::generated::StringSql,
    T6: crate::generated::StringSql,
    T7: crate::generated::ArraySql<Item = T6>,
    T8: crate::generated::StringSql,
    T9: crate::generated::ArraySql<Item = T8>,
    T10: crate::generated::StringSql,
    T11: crate::generated::ArraySql<Item = T10>,
    T12: crate::generated::StringSql,
>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        PutKeyParams<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for PutKeyStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a PutKeyParams<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(
            client,
            &params.id,
            &params.hash,
            &params.account,
            &params.name,
            &params.agent,
            &params.roles,
            &params.scopes,
            &params.servers,
            &params.by,
            &params.expires_at,
        ))
    }
}
pub struct ListKeysStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_keys() -> ListKeysStmt {
    ListKeysStmt(
        "SELECT k.id, k.account, k.name, k.agent, k.roles, k.scopes, k.servers, k.created_at, k.created_by, k.expires_at, k.revoked_at, k.revoked_by, u.last_used_at FROM api_key k LEFT JOIN api_key_use u ON u.key = k.id WHERE ($1::text IS NULL OR k.account = $1) AND ($2::boolean OR (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $3))) AND k.id > $4 ORDER BY k.id LIMIT $5::integer",
        None,
    )
}
impl ListKeysStmt {
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
        user: &'a Option<T1>,
        dead: &'a bool,
        now: &'a jiff::Timestamp,
        after: &'a T2,
        max: &'a i32,
    ) -> KeyRowQuery<'c, 'a, 's, C, KeyRow, 5> {
        KeyRowQuery {
            client,
            params: [user, dead, now, after, max],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<KeyRowBorrowed, tokio_postgres::Error> {
                    Ok(KeyRowBorrowed {
                        id: row.try_get(0)?,
                        account: row.try_get(1)?,
                        name: row.try_get(2)?,
                        agent: row.try_get(3)?,
                        roles: row.try_get(4)?,
                        scopes: row.try_get(5)?,
                        servers: row.try_get(6)?,
                        created_at: row.try_get(7)?,
                        created_by: row.try_get(8)?,
                        expires_at: row.try_get(9)?,
                        revoked_at: row.try_get(10)?,
                        revoked_by: row.try_get(11)?,
                        last_used_at: row.try_get(12)?,
                    })
                },
            mapper: |it| KeyRow::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::generated::StringSql, T2: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        ListKeysParams<T1, T2>,
        KeyRowQuery<'c, 'a, 's, C, KeyRow, 5>,
        C,
    > for ListKeysStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListKeysParams<T1, T2>,
    ) -> KeyRowQuery<'c, 'a, 's, C, KeyRow, 5> {
        self.bind(
            client,
            &params.user,
            &params.dead,
            &params.now,
            &params.after,
            &params.max,
        )
    }
}
pub struct KeyStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn key() -> KeyStmt {
    KeyStmt(
        "SELECT k.id, k.account, k.name, k.agent, k.roles, k.scopes, k.servers, k.created_at, k.created_by, k.expires_at, k.revoked_at, k.revoked_by, u.last_used_at FROM api_key k LEFT JOIN api_key_use u ON u.key = k.id WHERE k.id = $1",
        None,
    )
}
impl KeyStmt {
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
    ) -> KeyRowQuery<'c, 'a, 's, C, KeyRow, 1> {
        KeyRowQuery {
            client,
            params: [id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<KeyRowBorrowed, tokio_postgres::Error> {
                    Ok(KeyRowBorrowed {
                        id: row.try_get(0)?,
                        account: row.try_get(1)?,
                        name: row.try_get(2)?,
                        agent: row.try_get(3)?,
                        roles: row.try_get(4)?,
                        scopes: row.try_get(5)?,
                        servers: row.try_get(6)?,
                        created_at: row.try_get(7)?,
                        created_by: row.try_get(8)?,
                        expires_at: row.try_get(9)?,
                        revoked_at: row.try_get(10)?,
                        revoked_by: row.try_get(11)?,
                        last_used_at: row.try_get(12)?,
                    })
                },
            mapper: |it| KeyRow::from(it),
        }
    }
}
pub struct RevokeKeyStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn revoke_key() -> RevokeKeyStmt {
    RevokeKeyStmt(
        "UPDATE api_key SET revoked_at = $1, revoked_by = $2 WHERE id = $3 AND revoked_at IS NULL",
        None,
    )
}
impl RevokeKeyStmt {
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
        now: &'a jiff::Timestamp,
        by: &'a T1,
        id: &'a T2,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[now, by, id]).await
    }
}
impl<'a, C: GenericClient + Send + Sync, T1: crate::generated::StringSql, T2: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        RevokeKeyParams<T1, T2>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for RevokeKeyStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a RevokeKeyParams<T1, T2>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.now, &params.by, &params.id))
    }
}
pub struct NoteKeyUseStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn note_key_use() -> NoteKeyUseStmt {
    NoteKeyUseStmt(
        "INSERT INTO api_key_use AS u (key, last_used_at) SELECT k.id, max(e.at) FROM audit_event e JOIN api_key k ON k.id = e.token_id WHERE e.kind = 'decision' AND e.auth_method = 'api_key' AND e.at >= coalesce((SELECT max(last_used_at) - interval '1 hour' FROM api_key_use), (SELECT min(created_at) FROM api_key), now()) GROUP BY k.id ON CONFLICT (key) DO UPDATE SET last_used_at = greatest(u.last_used_at, EXCLUDED.last_used_at) WHERE u.last_used_at < EXCLUDED.last_used_at",
        None,
    )
}
impl NoteKeyUseStmt {
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
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[]).await
    }
}
pub struct AccountCountsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn account_counts() -> AccountCountsStmt {
    AccountCountsStmt(
        "SELECT (SELECT count(*) FROM account WHERE erased_at IS NULL) AS users, (SELECT count(*) FROM account WHERE tier = 'admin' AND disabled_at IS NULL) AS administrators, (SELECT count(*) FROM api_key WHERE revoked_at IS NULL) AS keys, (SELECT count(*) FROM oauth_client WHERE disabled_at IS NULL) AS clients",
        None,
    )
}
impl AccountCountsStmt {
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
    ) -> AccountCountsQuery<'c, 'a, 's, C, AccountCounts, 0> {
        AccountCountsQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<AccountCounts, tokio_postgres::Error> {
                Ok(AccountCounts {
                    users: row.try_get(0)?,
                    administrators: row.try_get(1)?,
                    keys: row.try_get(2)?,
                    clients: row.try_get(3)?,
                })
            },
            mapper: |it| AccountCounts::from(it),
        }
    }
}
