// This file was generated with `cornucopia`. Do not modify.

#[derive(Debug)]
pub struct ClaimParams<T1: crate::generated::BytesSql> {
    pub node: uuid::Uuid,
    pub shard: i32,
    pub genesis: T1,
}
#[derive(Debug)]
pub struct AdvanceParams<T1: crate::generated::BytesSql> {
    pub new_seq: i64,
    pub chain: T1,
    pub id: i32,
    pub old_seq: i64,
}
#[derive(Clone, Copy, Debug)]
pub struct EnsurePartitionsParams {
    pub first: jiff::civil::Date,
    pub days: i32,
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Claim {
    pub id: i32,
    pub seq: i64,
    pub chain: Vec<u8>,
}
pub struct ClaimBorrowed<'a> {
    pub id: i32,
    pub seq: i64,
    pub chain: &'a [u8],
}
impl<'a> From<ClaimBorrowed<'a>> for Claim {
    fn from(ClaimBorrowed { id, seq, chain }: ClaimBorrowed<'a>) -> Self {
        Self {
            id,
            seq,
            chain: chain.into(),
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Watermark {
    pub seq: i64,
    pub chain: Vec<u8>,
}
pub struct WatermarkBorrowed<'a> {
    pub seq: i64,
    pub chain: &'a [u8],
}
impl<'a> From<WatermarkBorrowed<'a>> for Watermark {
    fn from(WatermarkBorrowed { seq, chain }: WatermarkBorrowed<'a>) -> Self {
        Self {
            seq,
            chain: chain.into(),
        }
    }
}
#[derive(Debug, Clone, PartialEq, Copy, serde::Serialize)]
pub struct Watermarks {
    pub id: i32,
    pub node: uuid::Uuid,
    pub shard: i32,
    pub seq: i64,
}
use crate::generated::client::async_::GenericClient;
use futures_util::{self, StreamExt, TryStreamExt};
pub struct ClaimQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<ClaimBorrowed, tokio_postgres::Error>,
    mapper: fn(ClaimBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> ClaimQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(ClaimBorrowed) -> R) -> ClaimQuery<'c, 'a, 's, C, R, N> {
        ClaimQuery {
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
pub struct WatermarkQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<WatermarkBorrowed, tokio_postgres::Error>,
    mapper: fn(WatermarkBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> WatermarkQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(WatermarkBorrowed) -> R) -> WatermarkQuery<'c, 'a, 's, C, R, N> {
        WatermarkQuery {
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
pub struct I32Query<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<i32, tokio_postgres::Error>,
    mapper: fn(i32) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> I32Query<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(i32) -> R) -> I32Query<'c, 'a, 's, C, R, N> {
        I32Query {
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
pub struct WatermarksQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<Watermarks, tokio_postgres::Error>,
    mapper: fn(Watermarks) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> WatermarksQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(Watermarks) -> R) -> WatermarksQuery<'c, 'a, 's, C, R, N> {
        WatermarksQuery {
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
pub struct ClaimStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn claim() -> ClaimStmt {
    ClaimStmt(
        "INSERT INTO stream (node, shard, chain) VALUES ($1, $2, $3) ON CONFLICT (node, shard) DO UPDATE SET shard = EXCLUDED.shard RETURNING id, seq, chain",
        None,
    )
}
impl ClaimStmt {
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
        node: &'a uuid::Uuid,
        shard: &'a i32,
        genesis: &'a T1,
    ) -> ClaimQuery<'c, 'a, 's, C, Claim, 3> {
        ClaimQuery {
            client,
            params: [node, shard, genesis],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<ClaimBorrowed, tokio_postgres::Error> {
                Ok(ClaimBorrowed {
                    id: row.try_get(0)?,
                    seq: row.try_get(1)?,
                    chain: row.try_get(2)?,
                })
            },
            mapper: |it| Claim::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::generated::BytesSql>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        ClaimParams<T1>,
        ClaimQuery<'c, 'a, 's, C, Claim, 3>,
        C,
    > for ClaimStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ClaimParams<T1>,
    ) -> ClaimQuery<'c, 'a, 's, C, Claim, 3> {
        self.bind(client, &params.node, &params.shard, &params.genesis)
    }
}
pub struct WatermarkStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn watermark() -> WatermarkStmt {
    WatermarkStmt("SELECT seq, chain FROM stream WHERE id = $1", None)
}
impl WatermarkStmt {
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
        id: &'a i32,
    ) -> WatermarkQuery<'c, 'a, 's, C, Watermark, 1> {
        WatermarkQuery {
            client,
            params: [id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<WatermarkBorrowed, tokio_postgres::Error> {
                    Ok(WatermarkBorrowed {
                        seq: row.try_get(0)?,
                        chain: row.try_get(1)?,
                    })
                },
            mapper: |it| Watermark::from(it),
        }
    }
}
pub struct AdvanceStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn advance() -> AdvanceStmt {
    AdvanceStmt(
        "UPDATE stream SET seq = $1, chain = $2, shipped_at = now() WHERE id = $3 AND seq = $4",
        None,
    )
}
impl AdvanceStmt {
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
        new_seq: &'a i64,
        chain: &'a T1,
        id: &'a i32,
        old_seq: &'a i64,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[new_seq, chain, id, old_seq]).await
    }
}
impl<'a, C: GenericClient + Send + Sync, T1: crate::generated::BytesSql>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        AdvanceParams<T1>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for AdvanceStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a AdvanceParams<T1>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(
            client,
            &params.new_seq,
            &params.chain,
            &params.id,
            &params.old_seq,
        ))
    }
}
pub struct EnsurePartitionsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn ensure_partitions() -> EnsurePartitionsStmt {
    EnsurePartitionsStmt(
        "SELECT ensure_partitions($1::date, $2::integer) AS made",
        None,
    )
}
impl EnsurePartitionsStmt {
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
        first: &'a jiff::civil::Date,
        days: &'a i32,
    ) -> I32Query<'c, 'a, 's, C, i32, 2> {
        I32Query {
            client,
            params: [first, days],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        EnsurePartitionsParams,
        I32Query<'c, 'a, 's, C, i32, 2>,
        C,
    > for EnsurePartitionsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a EnsurePartitionsParams,
    ) -> I32Query<'c, 'a, 's, C, i32, 2> {
        self.bind(client, &params.first, &params.days)
    }
}
pub struct WatermarksStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn watermarks() -> WatermarksStmt {
    WatermarksStmt("SELECT id, node, shard, seq FROM stream ORDER BY id", None)
}
impl WatermarksStmt {
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
    ) -> WatermarksQuery<'c, 'a, 's, C, Watermarks, 0> {
        WatermarksQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<Watermarks, tokio_postgres::Error> {
                Ok(Watermarks {
                    id: row.try_get(0)?,
                    node: row.try_get(1)?,
                    shard: row.try_get(2)?,
                    seq: row.try_get(3)?,
                })
            },
            mapper: |it| Watermarks::from(it),
        }
    }
}
