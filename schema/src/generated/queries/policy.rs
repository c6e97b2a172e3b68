// This file was generated with `cornucopia`. Do not modify.

#[derive(Debug)]
pub struct PutRoleParams<
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::ArraySql<Item = T2>,
    T4: crate::generated::StringSql,
    T5: crate::generated::StringSql,
> {
    pub name: T1,
    pub scopes: T3,
    pub description: T4,
    pub by: T5,
}
#[derive(Debug)]
pub struct PutGrantParams<
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
pub struct RevokeParams<
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::StringSql,
> {
    pub kind: T1,
    pub subject: T2,
    pub issued_before: jiff::Timestamp,
    pub expires_at: Option<jiff::Timestamp>,
    pub reason: T3,
    pub by: T4,
}
#[derive(Debug)]
pub struct BanParams<
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::StringSql,
> {
    pub kind: T1,
    pub subject: T2,
    pub until: Option<jiff::Timestamp>,
    pub reason: T3,
    pub by: T4,
}
#[derive(Debug)]
pub struct UnbanParams<T1: crate::generated::StringSql, T2: crate::generated::StringSql> {
    pub kind: T1,
    pub subject: T2,
}
#[derive(Debug)]
pub struct NextGenerationParams<T1: crate::generated::BytesSql, T2: crate::generated::StringSql> {
    pub checksum: T1,
    pub node: uuid::Uuid,
    pub by: T2,
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Roles {
    pub name: String,
    pub scopes: Vec<String>,
}
pub struct RolesBorrowed<'a> {
    pub name: &'a str,
    pub scopes: crate::generated::ArrayIterator<'a, &'a str>,
}
impl<'a> From<RolesBorrowed<'a>> for Roles {
    fn from(RolesBorrowed { name, scopes }: RolesBorrowed<'a>) -> Self {
        Self {
            name: name.into(),
            scopes: scopes.map(|v| v.into()).collect(),
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Grants {
    pub id: uuid::Uuid,
    pub principal_kind: String,
    pub principal: String,
    pub server: String,
    pub tool: String,
    pub effect: String,
    pub scopes: Vec<String>,
}
pub struct GrantsBorrowed<'a> {
    pub id: uuid::Uuid,
    pub principal_kind: &'a str,
    pub principal: &'a str,
    pub server: &'a str,
    pub tool: &'a str,
    pub effect: &'a str,
    pub scopes: crate::generated::ArrayIterator<'a, &'a str>,
}
impl<'a> From<GrantsBorrowed<'a>> for Grants {
    fn from(
        GrantsBorrowed {
            id,
            principal_kind,
            principal,
            server,
            tool,
            effect,
            scopes,
        }: GrantsBorrowed<'a>,
    ) -> Self {
        Self {
            id,
            principal_kind: principal_kind.into(),
            principal: principal.into(),
            server: server.into(),
            tool: tool.into(),
            effect: effect.into(),
            scopes: scopes.map(|v| v.into()).collect(),
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Revocations {
    pub epoch: i64,
    pub kind: String,
    pub subject: String,
    pub issued_before: jiff::Timestamp,
}
pub struct RevocationsBorrowed<'a> {
    pub epoch: i64,
    pub kind: &'a str,
    pub subject: &'a str,
    pub issued_before: jiff::Timestamp,
}
impl<'a> From<RevocationsBorrowed<'a>> for Revocations {
    fn from(
        RevocationsBorrowed {
            epoch,
            kind,
            subject,
            issued_before,
        }: RevocationsBorrowed<'a>,
    ) -> Self {
        Self {
            epoch,
            kind: kind.into(),
            subject: subject.into(),
            issued_before,
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Bans {
    pub kind: String,
    pub subject: String,
    pub until: Option<jiff::Timestamp>,
}
pub struct BansBorrowed<'a> {
    pub kind: &'a str,
    pub subject: &'a str,
    pub until: Option<jiff::Timestamp>,
}
impl<'a> From<BansBorrowed<'a>> for Bans {
    fn from(
        BansBorrowed {
            kind,
            subject,
            until,
        }: BansBorrowed<'a>,
    ) -> Self {
        Self {
            kind: kind.into(),
            subject: subject.into(),
            until,
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct LatestGeneration {
    pub generation: i64,
    pub checksum: Vec<u8>,
    pub node: uuid::Uuid,
    pub published_at: jiff::Timestamp,
    pub published_by: String,
}
pub struct LatestGenerationBorrowed<'a> {
    pub generation: i64,
    pub checksum: &'a [u8],
    pub node: uuid::Uuid,
    pub published_at: jiff::Timestamp,
    pub published_by: &'a str,
}
impl<'a> From<LatestGenerationBorrowed<'a>> for LatestGeneration {
    fn from(
        LatestGenerationBorrowed {
            generation,
            checksum,
            node,
            published_at,
            published_by,
        }: LatestGenerationBorrowed<'a>,
    ) -> Self {
        Self {
            generation,
            checksum: checksum.into(),
            node,
            published_at,
            published_by: published_by.into(),
        }
    }
}
use crate::generated::client::async_::GenericClient;
use futures_util::{self, StreamExt, TryStreamExt};
pub struct RolesQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<RolesBorrowed, tokio_postgres::Error>,
    mapper: fn(RolesBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> RolesQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(RolesBorrowed) -> R) -> RolesQuery<'c, 'a, 's, C, R, N> {
        RolesQuery {
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
pub struct GrantsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<GrantsBorrowed, tokio_postgres::Error>,
    mapper: fn(GrantsBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> GrantsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(GrantsBorrowed) -> R) -> GrantsQuery<'c, 'a, 's, C, R, N> {
        GrantsQuery {
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
pub struct RevocationsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<RevocationsBorrowed, tokio_postgres::Error>,
    mapper: fn(RevocationsBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> RevocationsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(RevocationsBorrowed) -> R,
    ) -> RevocationsQuery<'c, 'a, 's, C, R, N> {
        RevocationsQuery {
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
pub struct BansQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<BansBorrowed, tokio_postgres::Error>,
    mapper: fn(BansBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> BansQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(BansBorrowed) -> R) -> BansQuery<'c, 'a, 's, C, R, N> {
        BansQuery {
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
pub struct LatestGenerationQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<LatestGenerationBorrowed, tokio_postgres::Error>,
    mapper: fn(LatestGenerationBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> LatestGenerationQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(LatestGenerationBorrowed) -> R,
    ) -> LatestGenerationQuery<'c, 'a, 's, C, R, N> {
        LatestGenerationQuery {
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
pub struct RolesStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn roles() -> RolesStmt {
    RolesStmt("SELECT name, scopes FROM role ORDER BY name", None)
}
impl RolesStmt {
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
    ) -> RolesQuery<'c, 'a, 's, C, Roles, 0> {
        RolesQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<RolesBorrowed, tokio_postgres::Error> {
                Ok(RolesBorrowed {
                    name: row.try_get(0)?,
                    scopes: row.try_get(1)?,
                })
            },
            mapper: |it| Roles::from(it),
        }
    }
}
pub struct PutRoleStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn put_role() -> PutRoleStmt {
    PutRoleStmt(
        "INSERT INTO role (name, scopes, description, created_by) VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO UPDATE SET scopes = EXCLUDED.scopes, description = EXCLUDED.description",
        None,
    )
}
impl PutRoleStmt {
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
        T3: crate::generated::ArraySql<Item = T2>,
        T4: crate::generated::StringSql,
        T5: crate::generated::StringSql,
    >(
        &'s self,
        client: &'c C,
        name: &'a T1,
        scopes: &'a T3,
        description: &'a T4,
        by: &'a T5,
    ) -> Result<u64, tokio_postgres::Error> {
        client
            .execute(self.0, &[name, scopes, description, by])
            .await
    }
}
impl<
    'a,
    C: GenericClient + Send + Sync,
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::ArraySql<Item = T2>,
    T4: crate::generated::StringSql,
    T5: crate::generated::StringSql,
>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        PutRoleParams<T1, T2, T3, T4, T5>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for PutRoleStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a PutRoleParams<T1, T2, T3, T4, T5>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(
            client,
            &params.name,
            &params.scopes,
            &params.description,
            &params.by,
        ))
    }
}
pub struct GrantsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn grants() -> GrantsStmt {
    GrantsStmt(
        "SELECT id, principal_kind, principal, server, tool, effect, scopes FROM access_grant WHERE expires_at IS NULL OR expires_at > $1 ORDER BY id",
        None,
    )
}
impl GrantsStmt {
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
    ) -> GrantsQuery<'c, 'a, 's, C, Grants, 1> {
        GrantsQuery {
            client,
            params: [now],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<GrantsBorrowed, tokio_postgres::Error> {
                    Ok(GrantsBorrowed {
                        id: row.try_get(0)?,
                        principal_kind: row.try_get(1)?,
                        principal: row.try_get(2)?,
                        server: row.try_get(3)?,
                        tool: row.try_get(4)?,
                        effect: row.try_get(5)?,
                        scopes: row.try_get(6)?,
                    })
                },
            mapper: |it| Grants::from(it),
        }
    }
}
pub struct PutGrantStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn put_grant() -> PutGrantStmt {
    PutGrantStmt(
        "INSERT INTO access_grant (id, principal_kind, principal, server, tool, effect, scopes, expires_at, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (principal_kind, principal, server, tool, effect) DO UPDATE SET scopes = EXCLUDED.scopes, expires_at = EXCLUDED.expires_at",
        None,
    )
}
impl PutGrantStmt {
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
    ) -> Result<u64, tokio_postgres::Error> {
        client
            .execute(
                self.0,
                &[
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
    T5: crate::generated::StringSql,
    T6: crate::generated::StringSql,
    T7: crate::generated::ArraySql<Item = T6>,
    T8: crate::generated::StringSql,
>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        PutGrantParams<T1, T2, T3, T4, T5, T6, T7, T8>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for PutGrantStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a PutGrantParams<T1, T2, T3, T4, T5, T6, T7, T8>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(
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
        ))
    }
}
pub struct DropGrantStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn drop_grant() -> DropGrantStmt {
    DropGrantStmt("DELETE FROM access_grant WHERE id = $1", None)
}
impl DropGrantStmt {
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
        id: &'a uuid::Uuid,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[id]).await
    }
}
pub struct RevokeStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn revoke() -> RevokeStmt {
    RevokeStmt(
        "INSERT INTO revocation (kind, subject, issued_before, expires_at, reason, created_by) VALUES ($1, $2, $3, $4, $5, $6) RETURNING epoch",
        None,
    )
}
impl RevokeStmt {
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
    >(
        &'s self,
        client: &'c C,
        kind: &'a T1,
        subject: &'a T2,
        issued_before: &'a jiff::Timestamp,
        expires_at: &'a Option<jiff::Timestamp>,
        reason: &'a T3,
        by: &'a T4,
    ) -> I64Query<'c, 'a, 's, C, i64, 6> {
        I64Query {
            client,
            params: [kind, subject, issued_before, expires_at, reason, by],
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
>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        RevokeParams<T1, T2, T3, T4>,
        I64Query<'c, 'a, 's, C, i64, 6>,
        C,
    > for RevokeStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a RevokeParams<T1, T2, T3, T4>,
    ) -> I64Query<'c, 'a, 's, C, i64, 6> {
        self.bind(
            client,
            &params.kind,
            &params.subject,
            &params.issued_before,
            &params.expires_at,
            &params.reason,
            &params.by,
        )
    }
}
pub struct RevocationsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn revocations() -> RevocationsStmt {
    RevocationsStmt(
        "SELECT epoch, kind, subject, issued_before FROM revocation WHERE expires_at IS NULL OR expires_at > $1 ORDER BY epoch",
        None,
    )
}
impl RevocationsStmt {
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
    ) -> RevocationsQuery<'c, 'a, 's, C, Revocations, 1> {
        RevocationsQuery {
            client,
            params: [now],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<RevocationsBorrowed, tokio_postgres::Error> {
                    Ok(RevocationsBorrowed {
                        epoch: row.try_get(0)?,
                        kind: row.try_get(1)?,
                        subject: row.try_get(2)?,
                        issued_before: row.try_get(3)?,
                    })
                },
            mapper: |it| Revocations::from(it),
        }
    }
}
pub struct BanStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn ban() -> BanStmt {
    BanStmt(
        "INSERT INTO ban (kind, subject, until, reason, created_by) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (kind, subject) DO UPDATE SET until = EXCLUDED.until, reason = EXCLUDED.reason, created_by = EXCLUDED.created_by",
        None,
    )
}
impl BanStmt {
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
        kind: &'a T1,
        subject: &'a T2,
        until: &'a Option<jiff::Timestamp>,
        reason: &'a T3,
        by: &'a T4,
    ) -> Result<u64, tokio_postgres::Error> {
        client
            .execute(self.0, &[kind, subject, until, reason, by])
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
>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        BanParams<T1, T2, T3, T4>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for BanStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a BanParams<T1, T2, T3, T4>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(
            client,
            &params.kind,
            &params.subject,
            &params.until,
            &params.reason,
            &params.by,
        ))
    }
}
pub struct UnbanStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn unban() -> UnbanStmt {
    UnbanStmt("DELETE FROM ban WHERE kind = $1 AND subject = $2", None)
}
impl UnbanStmt {
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
        UnbanParams<T1, T2>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for UnbanStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a UnbanParams<T1, T2>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.kind, &params.subject))
    }
}
pub struct BansStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn bans() -> BansStmt {
    BansStmt(
        "SELECT kind, subject, until FROM ban WHERE until IS NULL OR until > $1 ORDER BY kind, subject",
        None,
    )
}
impl BansStmt {
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
    ) -> BansQuery<'c, 'a, 's, C, Bans, 1> {
        BansQuery {
            client,
            params: [now],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<BansBorrowed, tokio_postgres::Error> {
                Ok(BansBorrowed {
                    kind: row.try_get(0)?,
                    subject: row.try_get(1)?,
                    until: row.try_get(2)?,
                })
            },
            mapper: |it| Bans::from(it),
        }
    }
}
pub struct NextGenerationStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn next_generation() -> NextGenerationStmt {
    NextGenerationStmt(
        "INSERT INTO policy_generation (generation, checksum, node, published_by) SELECT coalesce(max(generation), 0) + 1, $1, $2, $3 FROM policy_generation RETURNING generation",
        None,
    )
}
impl NextGenerationStmt {
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
        checksum: &'a T1,
        node: &'a uuid::Uuid,
        by: &'a T2,
    ) -> I64Query<'c, 'a, 's, C, i64, 3> {
        I64Query {
            client,
            params: [checksum, node, by],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::generated::BytesSql, T2: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        NextGenerationParams<T1, T2>,
        I64Query<'c, 'a, 's, C, i64, 3>,
        C,
    > for NextGenerationStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a NextGenerationParams<T1, T2>,
    ) -> I64Query<'c, 'a, 's, C, i64, 3> {
        self.bind(client, &params.checksum, &params.node, &params.by)
    }
}
pub struct LatestGenerationStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn latest_generation() -> LatestGenerationStmt {
    LatestGenerationStmt(
        "SELECT generation, checksum, node, published_at, published_by FROM policy_generation ORDER BY generation DESC LIMIT 1",
        None,
    )
}
impl LatestGenerationStmt {
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
    ) -> LatestGenerationQuery<'c, 'a, 's, C, LatestGeneration, 0> {
        LatestGenerationQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |
                row: &tokio_postgres::Row,
            | -> Result<LatestGenerationBorrowed, tokio_postgres::Error> {
                Ok(LatestGenerationBorrowed {
                    generation: row.try_get(0)?,
                    checksum: row.try_get(1)?,
                    node: row.try_get(2)?,
                    published_at: row.try_get(3)?,
                    published_by: row.try_get(4)?,
                })
            },
            mapper: |it| LatestGeneration::from(it),
        }
    }
}
