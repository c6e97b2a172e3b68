// This file was generated with `cornucopia`. Do not modify.

#[derive(Debug)]
pub struct AddTombstoneParams<T1: crate::generated::BytesSql, T2: crate::generated::StringSql, T3: crate::generated::BytesSql> {
    pub id: uuid::Uuid,
    pub node: uuid::Uuid,
    pub shard: i32,
    pub day: jiff::civil::Date,
    pub at: jiff::Timestamp,
    pub gaps: T1,
    pub kid: T2,
    pub signature: T3,
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Days {
    pub name: String,
    pub day: jiff::civil::Date,
    pub is_detaching: bool,
    pub is_closed: bool,
}
pub struct DaysBorrowed<'a> {
    pub name: &'a str,
    pub day: jiff::civil::Date,
    pub is_detaching: bool,
    pub is_closed: bool,
}
impl<'a> From<DaysBorrowed<'a>> for Days {
    fn from(
        DaysBorrowed {
            name,
            day,
            is_detaching,
            is_closed,
        }: DaysBorrowed<'a>,
    ) -> Self {
        Self {
            name: name.into(),
            day,
            is_detaching,
            is_closed,
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct StoredTombstone {
    pub id: uuid::Uuid,
    pub node: uuid::Uuid,
    pub shard: i32,
    pub day: jiff::civil::Date,
    pub at: jiff::Timestamp,
    pub gaps: Vec<u8>,
    pub kid: String,
    pub signature: Vec<u8>,
}
pub struct StoredTombstoneBorrowed<'a> {
    pub id: uuid::Uuid,
    pub node: uuid::Uuid,
    pub shard: i32,
    pub day: jiff::civil::Date,
    pub at: jiff::Timestamp,
    pub gaps: &'a [u8],
    pub kid: &'a str,
    pub signature: &'a [u8],
}
impl<'a> From<StoredTombstoneBorrowed<'a>> for StoredTombstone {
    fn from(
        StoredTombstoneBorrowed {
            id,
            node,
            shard,
            day,
            at,
            gaps,
            kid,
            signature,
        }: StoredTombstoneBorrowed<'a>,
    ) -> Self {
        Self {
            id,
            node,
            shard,
            day,
            at,
            gaps: gaps.into(),
            kid: kid.into(),
            signature: signature.into(),
        }
    }
}
use crate::generated::client::async_::GenericClient;
use futures_util::{self, StreamExt, TryStreamExt};
pub struct DaysQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<DaysBorrowed, tokio_postgres::Error>,
    mapper: fn(DaysBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> DaysQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(DaysBorrowed) -> R) -> DaysQuery<'c, 'a, 's, C, R, N> {
        DaysQuery {
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
pub struct StoredTombstoneQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<StoredTombstoneBorrowed, tokio_postgres::Error>,
    mapper: fn(StoredTombstoneBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> StoredTombstoneQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(StoredTombstoneBorrowed) -> R,
    ) -> StoredTombstoneQuery<'c, 'a, 's, C, R, N> {
        StoredTombstoneQuery {
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
pub struct DaysStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn days() -> DaysStmt {
    DaysStmt(
        "SELECT c.relname::text AS name, to_date(right(c.relname, 8), 'YYYYMMDD') AS day, i.inhdetachpending AS is_detaching, EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.conname = 'closed') AS is_closed FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'public.audit_event'::regclass AND c.relname ~ '^audit_event_[0-9]{8}$' ORDER BY 2",
        None,
    )
}
impl DaysStmt {
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
    ) -> DaysQuery<'c, 'a, 's, C, Days, 0> {
        DaysQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<DaysBorrowed, tokio_postgres::Error> {
                Ok(DaysBorrowed {
                    name: row.try_get(0)?,
                    day: row.try_get(1)?,
                    is_detaching: row.try_get(2)?,
                    is_closed: row.try_get(3)?,
                })
            },
            mapper: |it| Days::from(it),
        }
    }
}
pub struct DetachedStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn detached() -> DetachedStmt {
    DetachedStmt(
        "SELECT c.relname::text AS name FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname ~ '^audit_event_[0-9]{8}$' AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid) AND EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.conname = 'closed') ORDER BY 1",
        None,
    )
}
impl DetachedStmt {
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
pub struct AddTombstoneStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn add_tombstone() -> AddTombstoneStmt {
    AddTombstoneStmt(
        "INSERT INTO audit_tombstone (id, node, shard, day, at, gaps, kid, signature) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        None,
    )
}
impl AddTombstoneStmt {
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
        T3: crate::generated::BytesSql,
    >(
        &'s self,
        client: &'c C,
        id: &'a uuid::Uuid,
        node: &'a uuid::Uuid,
        shard: &'a i32,
        day: &'a jiff::civil::Date,
        at: &'a jiff::Timestamp,
        gaps: &'a T1,
        kid: &'a T2,
        signature: &'a T3,
    ) -> Result<u64, tokio_postgres::Error> {
        client
            .execute(self.0, &[id, node, shard, day, at, gaps, kid, signature])
            .await
    }
}
impl<
    'a,
    C: GenericClient + Send + Sync,
    T1: crate::generated::BytesSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::BytesSql,
>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        AddTombstoneParams<T1, T2, T3>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for AddTombstoneStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a AddTombstoneParams<T1, T2, T3>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(
            client,
            &params.id,
            &params.node,
            &params.shard,
            &params.day,
            &params.at,
            &params.gaps,
            &params.kid,
            &params.signature,
        ))
    }
}
pub struct TombstonesStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn tombstones() -> TombstonesStmt {
    TombstonesStmt(
        "SELECT id, node, shard, day, at, gaps, kid, signature FROM audit_tombstone ORDER BY at, id",
        None,
    )
}
impl TombstonesStmt {
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
    ) -> StoredTombstoneQuery<'c, 'a, 's, C, StoredTombstone, 0> {
        StoredTombstoneQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |
                row: &tokio_postgres::Row,
            | -> Result<StoredTombstoneBorrowed, tokio_postgres::Error> {
                Ok(StoredTombstoneBorrowed {
                    id: row.try_get(0)?,
                    node: row.try_get(1)?,
                    shard: row.try_get(2)?,
                    day: row.try_get(3)?,
                    at: row.try_get(4)?,
                    gaps: row.try_get(5)?,
                    kid: row.try_get(6)?,
                    signature: row.try_get(7)?,
                })
            },
            mapper: |it| StoredTombstone::from(it),
        }
    }
}
