// This file was generated with `cornucopia`. Do not modify.

#[derive(Debug)]
pub struct AddKeyParams<T1: crate::generated::StringSql, T2: crate::generated::BytesSql> {
    pub kid: T1,
    pub public_key: T2,
    pub node: uuid::Uuid,
}
#[derive(Debug)]
pub struct AddCheckpointParams<
    T1: crate::generated::BytesSql,
    T2: crate::generated::BytesSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::BytesSql,
> {
    pub node: uuid::Uuid,
    pub shard: i32,
    pub number: i64,
    pub at: jiff::Timestamp,
    pub seq: i64,
    pub chain: T1,
    pub previous: T2,
    pub kid: T3,
    pub signature: T4,
}
#[derive(Clone, Copy, Debug)]
pub struct LastCheckpointParams {
    pub node: uuid::Uuid,
    pub shard: i32,
}
#[derive(Clone, Copy, Debug)]
pub struct FirstSinceParams {
    pub id: i32,
    pub at: jiff::Timestamp,
}
#[derive(Clone, Copy, Debug)]
pub struct LastUntilParams {
    pub id: i32,
    pub at: jiff::Timestamp,
}
#[derive(Clone, Copy, Debug)]
pub struct ChainOfParams {
    pub id: i32,
    pub seq: i64,
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Keys {
    pub kid: String,
    pub public_key: Vec<u8>,
}
pub struct KeysBorrowed<'a> {
    pub kid: &'a str,
    pub public_key: &'a [u8],
}
impl<'a> From<KeysBorrowed<'a>> for Keys {
    fn from(KeysBorrowed { kid, public_key }: KeysBorrowed<'a>) -> Self {
        Self {
            kid: kid.into(),
            public_key: public_key.into(),
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct StoredCheckpoint {
    pub node: uuid::Uuid,
    pub shard: i32,
    pub number: i64,
    pub at: jiff::Timestamp,
    pub seq: i64,
    pub chain: Vec<u8>,
    pub previous: Vec<u8>,
    pub kid: String,
    pub signature: Vec<u8>,
}
pub struct StoredCheckpointBorrowed<'a> {
    pub node: uuid::Uuid,
    pub shard: i32,
    pub number: i64,
    pub at: jiff::Timestamp,
    pub seq: i64,
    pub chain: &'a [u8],
    pub previous: &'a [u8],
    pub kid: &'a str,
    pub signature: &'a [u8],
}
impl<'a> From<StoredCheckpointBorrowed<'a>> for StoredCheckpoint {
    fn from(
        StoredCheckpointBorrowed {
            node,
            shard,
            number,
            at,
            seq,
            chain,
            previous,
            kid,
            signature,
        }: StoredCheckpointBorrowed<'a>,
    ) -> Self {
        Self {
            node,
            shard,
            number,
            at,
            seq,
            chain: chain.into(),
            previous: previous.into(),
            kid: kid.into(),
            signature: signature.into(),
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Streams {
    pub id: i32,
    pub node: uuid::Uuid,
    pub shard: i32,
    pub seq: i64,
    pub chain: Vec<u8>,
}
pub struct StreamsBorrowed<'a> {
    pub id: i32,
    pub node: uuid::Uuid,
    pub shard: i32,
    pub seq: i64,
    pub chain: &'a [u8],
}
impl<'a> From<StreamsBorrowed<'a>> for Streams {
    fn from(
        StreamsBorrowed {
            id,
            node,
            shard,
            seq,
            chain,
        }: StreamsBorrowed<'a>,
    ) -> Self {
        Self {
            id,
            node,
            shard,
            seq,
            chain: chain.into(),
        }
    }
}
use crate::generated::client::async_::GenericClient;
use futures_util::{self, StreamExt, TryStreamExt};
pub struct KeysQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<KeysBorrowed, tokio_postgres::Error>,
    mapper: fn(KeysBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> KeysQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(KeysBorrowed) -> R) -> KeysQuery<'c, 'a, 's, C, R, N> {
        KeysQuery {
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
pub struct StoredCheckpointQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<StoredCheckpointBorrowed, tokio_postgres::Error>,
    mapper: fn(StoredCheckpointBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> StoredCheckpointQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(StoredCheckpointBorrowed) -> R,
    ) -> StoredCheckpointQuery<'c, 'a, 's, C, R, N> {
        StoredCheckpointQuery {
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
pub struct StreamsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<StreamsBorrowed, tokio_postgres::Error>,
    mapper: fn(StreamsBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> StreamsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(StreamsBorrowed) -> R) -> StreamsQuery<'c, 'a, 's, C, R, N> {
        StreamsQuery {
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
pub struct Optioni64Query<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<Option<i64>, tokio_postgres::Error>,
    mapper: fn(Option<i64>) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> Optioni64Query<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(Option<i64>) -> R) -> Optioni64Query<'c, 'a, 's, C, R, N> {
        Optioni64Query {
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
pub struct Vecu8Query<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<&[u8], tokio_postgres::Error>,
    mapper: fn(&[u8]) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> Vecu8Query<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(&[u8]) -> R) -> Vecu8Query<'c, 'a, 's, C, R, N> {
        Vecu8Query {
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
pub struct AddKeyStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn add_key() -> AddKeyStmt {
    AddKeyStmt(
        "INSERT INTO audit_key (kid, public_key, node) VALUES ($1, $2, $3) ON CONFLICT (kid) DO NOTHING",
        None,
    )
}
impl AddKeyStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<'c, 'a, 's, C: GenericClient, T1: crate::generated::StringSql, T2: crate::generated::BytesSql>(
        &'s self,
        client: &'c C,
        kid: &'a T1,
        public_key: &'a T2,
        node: &'a uuid::Uuid,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[kid, public_key, node]).await
    }
}
impl<'a, C: GenericClient + Send + Sync, T1: crate::generated::StringSql, T2: crate::generated::BytesSql>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        AddKeyParams<T1, T2>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for AddKeyStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a AddKeyParams<T1, T2>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(client, &params.kid, &params.public_key, &params.node))
    }
}
pub struct KeysStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn keys() -> KeysStmt {
    KeysStmt(
        "SELECT kid, public_key FROM audit_key ORDER BY added_at, kid",
        None,
    )
}
impl KeysStmt {
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
    ) -> KeysQuery<'c, 'a, 's, C, Keys, 0> {
        KeysQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<KeysBorrowed, tokio_postgres::Error> {
                Ok(KeysBorrowed {
                    kid: row.try_get(0)?,
                    public_key: row.try_get(1)?,
                })
            },
            mapper: |it| Keys::from(it),
        }
    }
}
pub struct AddCheckpointStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn add_checkpoint() -> AddCheckpointStmt {
    AddCheckpointStmt(
        "INSERT INTO audit_checkpoint (node, shard, number, at, seq, chain, previous, kid, signature) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (node, shard, number) DO NOTHING",
        None,
    )
}
impl AddCheckpointStmt {
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
        T2: crate::generated::BytesSql,
        T3: crate::generated::StringSql,
        T4: crate::generated::BytesSql,
    >(
        &'s self,
        client: &'c C,
        node: &'a uuid::Uuid,
        shard: &'a i32,
        number: &'a i64,
        at: &'a jiff::Timestamp,
        seq: &'a i64,
        chain: &'a T1,
        previous: &'a T2,
        kid: &'a T3,
        signature: &'a T4,
    ) -> Result<u64, tokio_postgres::Error> {
        client
            .execute(
                self.0,
                &[
                    node, shard, number, at, seq, chain, previous, kid, signature,
                ],
            )
            .await
    }
}
impl<
    'a,
    C: GenericClient + Send + Sync,
    T1: crate::generated::BytesSql,
    T2: crate::generated::BytesSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::BytesSql,
>
    crate::generated::client::async_::Params<
        'a,
        'a,
        'a,
        AddCheckpointParams<T1, T2, T3, T4>,
        std::pin::Pin<
            Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
        >,
        C,
    > for AddCheckpointStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a AddCheckpointParams<T1, T2, T3, T4>,
    ) -> std::pin::Pin<
        Box<dyn futures_util::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>,
    > {
        Box::pin(self.bind(
            client,
            &params.node,
            &params.shard,
            &params.number,
            &params.at,
            &params.seq,
            &params.chain,
            &params.previous,
            &params.kid,
            &params.signature,
        ))
    }
}
pub struct LastCheckpointStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn last_checkpoint() -> LastCheckpointStmt {
    LastCheckpointStmt(
        "SELECT node, shard, number, at, seq, chain, previous, kid, signature FROM audit_checkpoint WHERE node = $1 AND shard = $2 ORDER BY number DESC LIMIT 1",
        None,
    )
}
impl LastCheckpointStmt {
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
        node: &'a uuid::Uuid,
        shard: &'a i32,
    ) -> StoredCheckpointQuery<'c, 'a, 's, C, StoredCheckpoint, 2> {
        StoredCheckpointQuery {
            client,
            params: [node, shard],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |
                row: &tokio_postgres::Row,
            | -> Result<StoredCheckpointBorrowed, tokio_postgres::Error> {
                Ok(StoredCheckpointBorrowed {
                    node: row.try_get(0)?,
                    shard: row.try_get(1)?,
                    number: row.try_get(2)?,
                    at: row.try_get(3)?,
                    seq: row.try_get(4)?,
                    chain: row.try_get(5)?,
                    previous: row.try_get(6)?,
                    kid: row.try_get(7)?,
                    signature: row.try_get(8)?,
                })
            },
            mapper: |it| StoredCheckpoint::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        LastCheckpointParams,
        StoredCheckpointQuery<'c, 'a, 's, C, StoredCheckpoint, 2>,
        C,
    > for LastCheckpointStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a LastCheckpointParams,
    ) -> StoredCheckpointQuery<'c, 'a, 's, C, StoredCheckpoint, 2> {
        self.bind(client, &params.node, &params.shard)
    }
}
pub struct CheckpointsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn checkpoints() -> CheckpointsStmt {
    CheckpointsStmt(
        "SELECT node, shard, number, at, seq, chain, previous, kid, signature FROM audit_checkpoint ORDER BY node, shard, number",
        None,
    )
}
impl CheckpointsStmt {
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
    ) -> StoredCheckpointQuery<'c, 'a, 's, C, StoredCheckpoint, 0> {
        StoredCheckpointQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |
                row: &tokio_postgres::Row,
            | -> Result<StoredCheckpointBorrowed, tokio_postgres::Error> {
                Ok(StoredCheckpointBorrowed {
                    node: row.try_get(0)?,
                    shard: row.try_get(1)?,
                    number: row.try_get(2)?,
                    at: row.try_get(3)?,
                    seq: row.try_get(4)?,
                    chain: row.try_get(5)?,
                    previous: row.try_get(6)?,
                    kid: row.try_get(7)?,
                    signature: row.try_get(8)?,
                })
            },
            mapper: |it| StoredCheckpoint::from(it),
        }
    }
}
pub struct StreamsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn streams() -> StreamsStmt {
    StreamsStmt(
        "SELECT id, node, shard, seq, chain FROM stream ORDER BY id",
        None,
    )
}
impl StreamsStmt {
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
    ) -> StreamsQuery<'c, 'a, 's, C, Streams, 0> {
        StreamsQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<StreamsBorrowed, tokio_postgres::Error> {
                    Ok(StreamsBorrowed {
                        id: row.try_get(0)?,
                        node: row.try_get(1)?,
                        shard: row.try_get(2)?,
                        seq: row.try_get(3)?,
                        chain: row.try_get(4)?,
                    })
                },
            mapper: |it| Streams::from(it),
        }
    }
}
pub struct FirstSinceStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn first_since() -> FirstSinceStmt {
    FirstSinceStmt(
        "SELECT min(seq) AS seq FROM audit_event WHERE stream_id = $1 AND at >= $2",
        None,
    )
}
impl FirstSinceStmt {
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
        at: &'a jiff::Timestamp,
    ) -> Optioni64Query<'c, 'a, 's, C, Option<i64>, 2> {
        Optioni64Query {
            client,
            params: [id, at],
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
        FirstSinceParams,
        Optioni64Query<'c, 'a, 's, C, Option<i64>, 2>,
        C,
    > for FirstSinceStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a FirstSinceParams,
    ) -> Optioni64Query<'c, 'a, 's, C, Option<i64>, 2> {
        self.bind(client, &params.id, &params.at)
    }
}
pub struct LastUntilStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn last_until() -> LastUntilStmt {
    LastUntilStmt(
        "SELECT max(seq) AS seq FROM audit_event WHERE stream_id = $1 AND at <= $2",
        None,
    )
}
impl LastUntilStmt {
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
        at: &'a jiff::Timestamp,
    ) -> Optioni64Query<'c, 'a, 's, C, Option<i64>, 2> {
        Optioni64Query {
            client,
            params: [id, at],
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
        LastUntilParams,
        Optioni64Query<'c, 'a, 's, C, Option<i64>, 2>,
        C,
    > for LastUntilStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a LastUntilParams,
    ) -> Optioni64Query<'c, 'a, 's, C, Option<i64>, 2> {
        self.bind(client, &params.id, &params.at)
    }
}
pub struct ChainOfStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn chain_of() -> ChainOfStmt {
    ChainOfStmt(
        "SELECT chain FROM audit_event WHERE stream_id = $1 AND seq = $2 ORDER BY at LIMIT 1",
        None,
    )
}
impl ChainOfStmt {
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
        seq: &'a i64,
    ) -> Vecu8Query<'c, 'a, 's, C, Vec<u8>, 2> {
        Vecu8Query {
            client,
            params: [id, seq],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it.into(),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        ChainOfParams,
        Vecu8Query<'c, 'a, 's, C, Vec<u8>, 2>,
        C,
    > for ChainOfStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ChainOfParams,
    ) -> Vecu8Query<'c, 'a, 's, C, Vec<u8>, 2> {
        self.bind(client, &params.id, &params.seq)
    }
}
pub struct StreamIdsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn stream_ids() -> StreamIdsStmt {
    StreamIdsStmt(
        "WITH RECURSIVE found AS ( (SELECT stream_id FROM audit_event ORDER BY stream_id LIMIT 1) UNION ALL SELECT (SELECT e.stream_id FROM audit_event e WHERE e.stream_id > f.stream_id ORDER BY e.stream_id LIMIT 1) FROM found f WHERE f.stream_id IS NOT NULL ) SELECT stream_id AS id FROM found WHERE stream_id IS NOT NULL",
        None,
    )
}
impl StreamIdsStmt {
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
    ) -> I32Query<'c, 'a, 's, C, i32, 0> {
        I32Query {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
