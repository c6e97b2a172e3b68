// This file was generated with `cornucopia`. Do not modify.

#[derive(Debug)]
pub struct SummaryCountsParams<
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::StringSql,
    T5: crate::generated::StringSql,
    T6: crate::generated::StringSql,
    T7: crate::generated::StringSql,
    T8: crate::generated::StringSql,
    T9: crate::generated::StringSql,
    T10: crate::generated::StringSql,
> {
    pub since: jiff::Timestamp,
    pub step_s: f64,
    pub until: jiff::Timestamp,
    pub kind: Option<T1>,
    pub user: Option<T2>,
    pub agent: Option<T3>,
    pub session: Option<T4>,
    pub server: Option<T5>,
    pub tool: Option<T6>,
    pub verdict: Option<T7>,
    pub layer: Option<T8>,
    pub rule: Option<T9>,
    pub text: Option<T10>,
}
#[derive(Debug)]
pub struct SummaryUsersParams<
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::StringSql,
    T5: crate::generated::StringSql,
    T6: crate::generated::StringSql,
    T7: crate::generated::StringSql,
    T8: crate::generated::StringSql,
    T9: crate::generated::StringSql,
    T10: crate::generated::StringSql,
> {
    pub since: jiff::Timestamp,
    pub until: jiff::Timestamp,
    pub kind: Option<T1>,
    pub user: Option<T2>,
    pub agent: Option<T3>,
    pub session: Option<T4>,
    pub server: Option<T5>,
    pub tool: Option<T6>,
    pub verdict: Option<T7>,
    pub layer: Option<T8>,
    pub rule: Option<T9>,
    pub text: Option<T10>,
    pub top: i32,
}
#[derive(Debug)]
pub struct SummaryToolsParams<
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::StringSql,
    T5: crate::generated::StringSql,
    T6: crate::generated::StringSql,
    T7: crate::generated::StringSql,
    T8: crate::generated::StringSql,
    T9: crate::generated::StringSql,
    T10: crate::generated::StringSql,
> {
    pub since: jiff::Timestamp,
    pub until: jiff::Timestamp,
    pub kind: Option<T1>,
    pub user: Option<T2>,
    pub agent: Option<T3>,
    pub session: Option<T4>,
    pub server: Option<T5>,
    pub tool: Option<T6>,
    pub verdict: Option<T7>,
    pub layer: Option<T8>,
    pub rule: Option<T9>,
    pub text: Option<T10>,
    pub top: i32,
}
#[derive(Debug)]
pub struct SummaryLatencyParams<
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::StringSql,
    T5: crate::generated::StringSql,
    T6: crate::generated::StringSql,
    T7: crate::generated::StringSql,
    T8: crate::generated::StringSql,
    T9: crate::generated::StringSql,
    T10: crate::generated::StringSql,
> {
    pub since: jiff::Timestamp,
    pub until: jiff::Timestamp,
    pub kind: Option<T1>,
    pub user: Option<T2>,
    pub agent: Option<T3>,
    pub session: Option<T4>,
    pub server: Option<T5>,
    pub tool: Option<T6>,
    pub verdict: Option<T7>,
    pub layer: Option<T8>,
    pub rule: Option<T9>,
    pub text: Option<T10>,
}
#[derive(Debug)]
pub struct SummaryDecideParams<
    T1: crate::generated::StringSql,
    T2: crate::generated::StringSql,
    T3: crate::generated::StringSql,
    T4: crate::generated::StringSql,
    T5: crate::generated::StringSql,
    T6: crate::generated::StringSql,
    T7: crate::generated::StringSql,
    T8: crate::generated::StringSql,
    T9: crate::generated::StringSql,
    T10: crate::generated::StringSql,
> {
    pub since: jiff::Timestamp,
    pub until: jiff::Timestamp,
    pub kind: Option<T1>,
    pub user: Option<T2>,
    pub agent: Option<T3>,
    pub session: Option<T4>,
    pub server: Option<T5>,
    pub tool: Option<T6>,
    pub verdict: Option<T7>,
    pub layer: Option<T8>,
    pub rule: Option<T9>,
    pub text: Option<T10>,
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct SummaryCounts {
    pub step: i32,
    pub kind: String,
    pub verdict: String,
    pub layer: String,
    pub reason: String,
    pub events: i64,
}
pub struct SummaryCountsBorrowed<'a> {
    pub step: i32,
    pub kind: &'a str,
    pub verdict: &'a str,
    pub layer: &'a str,
    pub reason: &'a str,
    pub events: i64,
}
impl<'a> From<SummaryCountsBorrowed<'a>> for SummaryCounts {
    fn from(
        SummaryCountsBorrowed {
            step,
            kind,
            verdict,
            layer,
            reason,
            events,
        }: SummaryCountsBorrowed<'a>,
    ) -> Self {
        Self {
            step,
            kind: kind.into(),
            verdict: verdict.into(),
            layer: layer.into(),
            reason: reason.into(),
            events,
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct SummaryUsers {
    pub user_id: String,
    pub events: i64,
    pub refused: i64,
}
pub struct SummaryUsersBorrowed<'a> {
    pub user_id: &'a str,
    pub events: i64,
    pub refused: i64,
}
impl<'a> From<SummaryUsersBorrowed<'a>> for SummaryUsers {
    fn from(
        SummaryUsersBorrowed {
            user_id,
            events,
            refused,
        }: SummaryUsersBorrowed<'a>,
    ) -> Self {
        Self {
            user_id: user_id.into(),
            events,
            refused,
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct SummaryTools {
    pub server: String,
    pub tool: String,
    pub events: i64,
    pub refused: i64,
}
pub struct SummaryToolsBorrowed<'a> {
    pub server: &'a str,
    pub tool: &'a str,
    pub events: i64,
    pub refused: i64,
}
impl<'a> From<SummaryToolsBorrowed<'a>> for SummaryTools {
    fn from(
        SummaryToolsBorrowed {
            server,
            tool,
            events,
            refused,
        }: SummaryToolsBorrowed<'a>,
    ) -> Self {
        Self {
            server: server.into(),
            tool: tool.into(),
            events,
            refused,
        }
    }
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct SummaryLatency {
    pub status: Option<String>,
    pub step: i32,
    pub calls: i64,
}
pub struct SummaryLatencyBorrowed<'a> {
    pub status: Option<&'a str>,
    pub step: i32,
    pub calls: i64,
}
impl<'a> From<SummaryLatencyBorrowed<'a>> for SummaryLatency {
    fn from(
        SummaryLatencyBorrowed {
            status,
            step,
            calls,
        }: SummaryLatencyBorrowed<'a>,
    ) -> Self {
        Self {
            status: status.map(|v| v.into()),
            step,
            calls,
        }
    }
}
#[derive(Debug, Clone, PartialEq, Copy, serde::Serialize)]
pub struct SummaryDecide {
    pub step: i32,
    pub calls: i64,
}
use crate::generated::client::async_::GenericClient;
use futures_util::{self, StreamExt, TryStreamExt};
pub struct SummaryCountsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<SummaryCountsBorrowed, tokio_postgres::Error>,
    mapper: fn(SummaryCountsBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> SummaryCountsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(SummaryCountsBorrowed) -> R,
    ) -> SummaryCountsQuery<'c, 'a, 's, C, R, N> {
        SummaryCountsQuery {
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
pub struct SummaryUsersQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<SummaryUsersBorrowed, tokio_postgres::Error>,
    mapper: fn(SummaryUsersBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> SummaryUsersQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(SummaryUsersBorrowed) -> R,
    ) -> SummaryUsersQuery<'c, 'a, 's, C, R, N> {
        SummaryUsersQuery {
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
pub struct SummaryToolsQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<SummaryToolsBorrowed, tokio_postgres::Error>,
    mapper: fn(SummaryToolsBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> SummaryToolsQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(SummaryToolsBorrowed) -> R,
    ) -> SummaryToolsQuery<'c, 'a, 's, C, R, N> {
        SummaryToolsQuery {
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
pub struct SummaryLatencyQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<SummaryLatencyBorrowed, tokio_postgres::Error>,
    mapper: fn(SummaryLatencyBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> SummaryLatencyQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(SummaryLatencyBorrowed) -> R,
    ) -> SummaryLatencyQuery<'c, 'a, 's, C, R, N> {
        SummaryLatencyQuery {
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
pub struct SummaryDecideQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<SummaryDecide, tokio_postgres::Error>,
    mapper: fn(SummaryDecide) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> SummaryDecideQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(SummaryDecide) -> R) -> SummaryDecideQuery<'c, 'a, 's, C, R, N> {
        SummaryDecideQuery {
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
pub struct SummaryCountsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn summary_counts() -> SummaryCountsStmt {
    SummaryCountsStmt(
        "SELECT floor(extract(epoch FROM e.at - $1) / $2::double precision)::integer AS step, e.kind, coalesce(e.verdict, '') AS verdict, coalesce(e.layer, '') AS layer, coalesce(e.reason, '') AS reason, count(*) AS events FROM audit_event e WHERE e.at >= $1 AND e.at < $3 AND CASE WHEN $4::text IS NULL THEN e.kind <> 'outcome' ELSE e.kind = $4 END AND ($5::text IS NULL OR e.user_id = $5) AND ($6::text IS NULL OR e.agent = $6) AND ($7::text IS NULL OR e.session = $7) AND ($8::text IS NULL OR e.server = $8) AND ($9::text IS NULL OR e.tool = $9) AND ($10::text IS NULL OR e.verdict = $10) AND ($11::text IS NULL OR e.layer = $11) AND ($12::text IS NULL OR e.rule = $12) AND ($13::text IS NULL OR strpos(lower(concat_ws(' ', e.user_id, e.agent, e.server, e.tool, e.method, e.rule, e.reason, e.evidence, e.observed, e.args_preview, e.error, e.action, e.subject, e.detail)), lower($13)) > 0) GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5",
        None,
    )
}
impl SummaryCountsStmt {
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
        T7: crate::generated::StringSql,
        T8: crate::generated::StringSql,
        T9: crate::generated::StringSql,
        T10: crate::generated::StringSql,
    >(
        &'s self,
        client: &'c C,
        since: &'a jiff::Timestamp,
        step_s: &'a f64,
        until: &'a jiff::Timestamp,
        kind: &'a Option<T1>,
        user: &'a Option<T2>,
        agent: &'a Option<T3>,
        session: &'a Option<T4>,
        server: &'a Option<T5>,
        tool: &'a Option<T6>,
        verdict: &'a Option<T7>,
        layer: &'a Option<T8>,
        rule: &'a Option<T9>,
        text: &'a Option<T10>,
    ) -> SummaryCountsQuery<'c, 'a, 's, C, SummaryCounts, 13> {
        SummaryCountsQuery {
            client,
            params: [
                since, step_s, until, kind, user, agent, session, server, tool, verdict, layer,
                rule, text,
            ],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<SummaryCountsBorrowed, tokio_postgres::Error> {
                    Ok(SummaryCountsBorrowed {
                        step: row.try_get(0)?,
                        kind: row.try_get(1)?,
                        verdict: row.try_get(2)?,
                        layer: row.try_get(3)?,
                        reason: row.try_get(4)?,
                        events: row.try_get(5)?,
                    })
                },
            mapper: |it| SummaryCounts::from(it),
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
    T7: crate::generated::StringSql,
    T8: crate::generated::StringSql,
    T9: crate::generated::StringSql,
    T10: crate::generated::StringSql,
>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        SummaryCountsParams<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10>,
        SummaryCountsQuery<'c, 'a, 's, C, SummaryCounts, 13>,
        C,
    > for SummaryCountsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a SummaryCountsParams<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10>,
    ) -> SummaryCountsQuery<'c, 'a, 's, C, SummaryCounts, 13> {
        self.bind(
            client,
            &params.since,
            &params.step_s,
            &params.until,
            &params.kind,
            &params.user,
            &params.agent,
            &params.session,
            &params.server,
            &params.tool,
            &params.verdict,
            &params.layer,
            &params.rule,
            &params.text,
        )
    }
}
pub struct SummaryUsersStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn summary_users() -> SummaryUsersStmt {
    SummaryUsersStmt(
        "SELECT coalesce(e.user_id, '') AS user_id, count(*) AS events, count(*) FILTER (WHERE e.verdict <> 'allow') AS refused FROM audit_event e WHERE e.at >= $1 AND e.at < $2 AND CASE WHEN $3::text IS NULL THEN e.kind <> 'outcome' ELSE e.kind = $3 END AND ($4::text IS NULL OR e.user_id = $4) AND ($5::text IS NULL OR e.agent = $5) AND ($6::text IS NULL OR e.session = $6) AND ($7::text IS NULL OR e.server = $7) AND ($8::text IS NULL OR e.tool = $8) AND ($9::text IS NULL OR e.verdict = $9) AND ($10::text IS NULL OR e.layer = $10) AND ($11::text IS NULL OR e.rule = $11) AND ($12::text IS NULL OR strpos(lower(concat_ws(' ', e.user_id, e.agent, e.server, e.tool, e.method, e.rule, e.reason, e.evidence, e.observed, e.args_preview, e.error, e.action, e.subject, e.detail)), lower($12)) > 0) GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT $13::integer",
        None,
    )
}
impl SummaryUsersStmt {
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
        T7: crate::generated::StringSql,
        T8: crate::generated::StringSql,
        T9: crate::generated::StringSql,
        T10: crate::generated::StringSql,
    >(
        &'s self,
        client: &'c C,
        since: &'a jiff::Timestamp,
        until: &'a jiff::Timestamp,
        kind: &'a Option<T1>,
        user: &'a Option<T2>,
        agent: &'a Option<T3>,
        session: &'a Option<T4>,
        server: &'a Option<T5>,
        tool: &'a Option<T6>,
        verdict: &'a Option<T7>,
        layer: &'a Option<T8>,
        rule: &'a Option<T9>,
        text: &'a Option<T10>,
        top: &'a i32,
    ) -> SummaryUsersQuery<'c, 'a, 's, C, SummaryUsers, 13> {
        SummaryUsersQuery {
            client,
            params: [
                since, until, kind, user, agent, session, server, tool, verdict, layer, rule, text,
                top,
            ],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<SummaryUsersBorrowed, tokio_postgres::Error> {
                    Ok(SummaryUsersBorrowed {
                        user_id: row.try_get(0)?,
                        events: row.try_get(1)?,
                        refused: row.try_get(2)?,
                    })
                },
            mapper: |it| SummaryUsers::from(it),
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
    T7: crate::generated::StringSql,
    T8: crate::generated::StringSql,
    T9: crate::generated::StringSql,
    T10: crate::generated::StringSql,
>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        SummaryUsersParams<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10>,
        SummaryUsersQuery<'c, 'a, 's, C, SummaryUsers, 13>,
        C,
    > for SummaryUsersStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a SummaryUsersParams<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10>,
    ) -> SummaryUsersQuery<'c, 'a, 's, C, SummaryUsers, 13> {
        self.bind(
            client,
            &params.since,
            &params.until,
            &params.kind,
            &params.user,
            &params.agent,
            &params.session,
            &params.server,
            &params.tool,
            &params.verdict,
            &params.layer,
            &params.rule,
            &params.text,
            &params.top,
        )
    }
}
pub struct SummaryToolsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn summary_tools() -> SummaryToolsStmt {
    SummaryToolsStmt(
        "SELECT e.server AS server, coalesce(e.tool, e.method, '') AS tool, count(*) AS events, count(*) FILTER (WHERE e.verdict <> 'allow') AS refused FROM audit_event e WHERE e.at >= $1 AND e.at < $2 AND CASE WHEN $3::text IS NULL THEN e.kind <> 'outcome' ELSE e.kind = $3 END AND ($4::text IS NULL OR e.user_id = $4) AND ($5::text IS NULL OR e.agent = $5) AND ($6::text IS NULL OR e.session = $6) AND ($7::text IS NULL OR e.server = $7) AND ($8::text IS NULL OR e.tool = $8) AND ($9::text IS NULL OR e.verdict = $9) AND ($10::text IS NULL OR e.layer = $10) AND ($11::text IS NULL OR e.rule = $11) AND ($12::text IS NULL OR strpos(lower(concat_ws(' ', e.user_id, e.agent, e.server, e.tool, e.method, e.rule, e.reason, e.evidence, e.observed, e.args_preview, e.error, e.action, e.subject, e.detail)), lower($12)) > 0) AND e.server IS NOT NULL GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT $13::integer",
        None,
    )
}
impl SummaryToolsStmt {
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
        T7: crate::generated::StringSql,
        T8: crate::generated::StringSql,
        T9: crate::generated::StringSql,
        T10: crate::generated::StringSql,
    >(
        &'s self,
        client: &'c C,
        since: &'a jiff::Timestamp,
        until: &'a jiff::Timestamp,
        kind: &'a Option<T1>,
        user: &'a Option<T2>,
        agent: &'a Option<T3>,
        session: &'a Option<T4>,
        server: &'a Option<T5>,
        tool: &'a Option<T6>,
        verdict: &'a Option<T7>,
        layer: &'a Option<T8>,
        rule: &'a Option<T9>,
        text: &'a Option<T10>,
        top: &'a i32,
    ) -> SummaryToolsQuery<'c, 'a, 's, C, SummaryTools, 13> {
        SummaryToolsQuery {
            client,
            params: [
                since, until, kind, user, agent, session, server, tool, verdict, layer, rule, text,
                top,
            ],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<SummaryToolsBorrowed, tokio_postgres::Error> {
                    Ok(SummaryToolsBorrowed {
                        server: row.try_get(0)?,
                        tool: row.try_get(1)?,
                        events: row.try_get(2)?,
                        refused: row.try_get(3)?,
                    })
                },
            mapper: |it| SummaryTools::from(it),
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
    T7: crate::generated::StringSql,
    T8: crate::generated::StringSql,
    T9: crate::generated::StringSql,
    T10: crate::generated::StringSql,
>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        SummaryToolsParams<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10>,
        SummaryToolsQuery<'c, 'a, 's, C, SummaryTools, 13>,
        C,
    > for SummaryToolsStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a SummaryToolsParams<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10>,
    ) -> SummaryToolsQuery<'c, 'a, 's, C, SummaryTools, 13> {
        self.bind(
            client,
            &params.since,
            &params.until,
            &params.kind,
            &params.user,
            &params.agent,
            &params.session,
            &params.server,
            &params.tool,
            &params.verdict,
            &params.layer,
            &params.rule,
            &params.text,
            &params.top,
        )
    }
}
pub struct SummaryLatencyStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn summary_latency() -> SummaryLatencyStmt {
    SummaryLatencyStmt(
        "SELECT o.status, round(100 * ln(greatest(o.duration_us, 1)::double precision))::integer AS step, count(*) AS calls FROM audit_event e JOIN audit_event o ON o.stream_id = e.stream_id AND o.decision_seq = e.seq AND o.kind = 'outcome' AND o.at >= $1 WHERE e.at >= $1 AND e.at < $2 AND CASE WHEN $3::text IS NULL THEN e.kind <> 'outcome' ELSE e.kind = $3 END AND ($4::text IS NULL OR e.user_id = $4) AND ($5::text IS NULL OR e.agent = $5) AND ($6::text IS NULL OR e.session = $6) AND ($7::text IS NULL OR e.server = $7) AND ($8::text IS NULL OR e.tool = $8) AND ($9::text IS NULL OR e.verdict = $9) AND ($10::text IS NULL OR e.layer = $10) AND ($11::text IS NULL OR e.rule = $11) AND ($12::text IS NULL OR strpos(lower(concat_ws(' ', e.user_id, e.agent, e.server, e.tool, e.method, e.rule, e.reason, e.evidence, e.observed, e.args_preview, e.error, e.action, e.subject, e.detail)), lower($12)) > 0) GROUP BY 1, 2 ORDER BY 1, 2",
        None,
    )
}
impl SummaryLatencyStmt {
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
        T7: crate::generated::StringSql,
        T8: crate::generated::StringSql,
        T9: crate::generated::StringSql,
        T10: crate::generated::StringSql,
    >(
        &'s self,
        client: &'c C,
        since: &'a jiff::Timestamp,
        until: &'a jiff::Timestamp,
        kind: &'a Option<T1>,
        user: &'a Option<T2>,
        agent: &'a Option<T3>,
        session: &'a Option<T4>,
        server: &'a Option<T5>,
        tool: &'a Option<T6>,
        verdict: &'a Option<T7>,
        layer: &'a Option<T8>,
        rule: &'a Option<T9>,
        text: &'a Option<T10>,
    ) -> SummaryLatencyQuery<'c, 'a, 's, C, SummaryLatency, 12> {
        SummaryLatencyQuery {
            client,
            params: [
                since,
                until,
                kind,
                user,
                agent,
                session,
                server,
                tool,
                verdict,
                layer,
                rule,
                text,
            ],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |
                row: &tokio_postgres::Row,
            | -> Result<SummaryLatencyBorrowed, tokio_postgres::Error> {
                Ok(SummaryLatencyBorrowed {
                    status: row.try_get(0)?,
                    step: row.try_get(1)?,
                    calls: row.try_get(2)?,
                })
            },
            mapper: |it| SummaryLatency::from(it),
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
    T7: crate::generated::StringSql,
    T8: crate::generated::StringSql,
    T9: crate::generated::StringSql,
    T10: crate::generated::StringSql,
>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        SummaryLatencyParams<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10>,
        SummaryLatencyQuery<'c, 'a, 's, C, SummaryLatency, 12>,
        C,
    > for SummaryLatencyStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a SummaryLatencyParams<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10>,
    ) -> SummaryLatencyQuery<'c, 'a, 's, C, SummaryLatency, 12> {
        self.bind(
            client,
            &params.since,
            &params.until,
            &params.kind,
            &params.user,
            &params.agent,
            &params.session,
            &params.server,
            &params.tool,
            &params.verdict,
            &params.layer,
            &params.rule,
            &params.text,
        )
    }
}
pub struct SummaryDecideStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn summary_decide() -> SummaryDecideStmt {
    SummaryDecideStmt(
        "SELECT round(100 * ln(greatest(e.decide_ns, 1)::double precision))::integer AS step, count(*) AS calls FROM audit_event e WHERE e.at >= $1 AND e.at < $2 AND CASE WHEN $3::text IS NULL THEN e.kind <> 'outcome' ELSE e.kind = $3 END AND ($4::text IS NULL OR e.user_id = $4) AND ($5::text IS NULL OR e.agent = $5) AND ($6::text IS NULL OR e.session = $6) AND ($7::text IS NULL OR e.server = $7) AND ($8::text IS NULL OR e.tool = $8) AND ($9::text IS NULL OR e.verdict = $9) AND ($10::text IS NULL OR e.layer = $10) AND ($11::text IS NULL OR e.rule = $11) AND ($12::text IS NULL OR strpos(lower(concat_ws(' ', e.user_id, e.agent, e.server, e.tool, e.method, e.rule, e.reason, e.evidence, e.observed, e.args_preview, e.error, e.action, e.subject, e.detail)), lower($12)) > 0) AND e.decide_ns IS NOT NULL GROUP BY 1 ORDER BY 1",
        None,
    )
}
impl SummaryDecideStmt {
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
        T7: crate::generated::StringSql,
        T8: crate::generated::StringSql,
        T9: crate::generated::StringSql,
        T10: crate::generated::StringSql,
    >(
        &'s self,
        client: &'c C,
        since: &'a jiff::Timestamp,
        until: &'a jiff::Timestamp,
        kind: &'a Option<T1>,
        user: &'a Option<T2>,
        agent: &'a Option<T3>,
        session: &'a Option<T4>,
        server: &'a Option<T5>,
        tool: &'a Option<T6>,
        verdict: &'a Option<T7>,
        layer: &'a Option<T8>,
        rule: &'a Option<T9>,
        text: &'a Option<T10>,
    ) -> SummaryDecideQuery<'c, 'a, 's, C, SummaryDecide, 12> {
        SummaryDecideQuery {
            client,
            params: [
                since, until, kind, user, agent, session, server, tool, verdict, layer, rule, text,
            ],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<SummaryDecide, tokio_postgres::Error> {
                Ok(SummaryDecide {
                    step: row.try_get(0)?,
                    calls: row.try_get(1)?,
                })
            },
            mapper: |it| SummaryDecide::from(it),
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
    T7: crate::generated::StringSql,
    T8: crate::generated::StringSql,
    T9: crate::generated::StringSql,
    T10: crate::generated::StringSql,
>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        SummaryDecideParams<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10>,
        SummaryDecideQuery<'c, 'a, 's, C, SummaryDecide, 12>,
        C,
    > for SummaryDecideStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a SummaryDecideParams<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10>,
    ) -> SummaryDecideQuery<'c, 'a, 's, C, SummaryDecide, 12> {
        self.bind(
            client,
            &params.since,
            &params.until,
            &params.kind,
            &params.user,
            &params.agent,
            &params.session,
            &params.server,
            &params.tool,
            &params.verdict,
            &params.layer,
            &params.rule,
            &params.text,
        )
    }
}
