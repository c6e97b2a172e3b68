// This file was generated with `cornucopia`. Do not modify.

#[derive(Debug)]
pub struct SearchParams<
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
    pub before_at: jiff::Timestamp,
    pub before_stream: i32,
    pub before_seq: i64,
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
    pub max: i32,
}
#[derive(Debug)]
pub struct FollowParams<T1: crate::generated::ArraySql<Item = i32>, T2: crate::generated::ArraySql<Item = i64>> {
    pub streams: T1,
    pub seqs: T2,
    pub max: i32,
}
#[derive(Debug)]
pub struct TrailParams<T1: crate::generated::StringSql, T2: crate::generated::StringSql> {
    pub trace: Option<uuid::Uuid>,
    pub call: Option<uuid::Uuid>,
    pub session: Option<T1>,
    pub max: i32,
    pub mcp_session: Option<T2>,
    pub node: Option<uuid::Uuid>,
    pub shard: Option<i32>,
    pub seq: Option<i64>,
}
#[derive(Clone, Copy, Debug)]
pub struct OfStreamParams {
    pub after: i64,
    pub max: i32,
    pub node: uuid::Uuid,
    pub shard: i32,
}
#[derive(Debug)]
pub struct ExportParams<
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
    pub after_at: jiff::Timestamp,
    pub after_stream: i32,
    pub after_seq: i64,
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
    pub max: i32,
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Event {
    pub at: jiff::Timestamp,
    pub stream_id: i32,
    pub seq: i64,
    pub kind: String,
    pub trace: Option<uuid::Uuid>,
    pub call: Option<uuid::Uuid>,
    pub user_id: Option<String>,
    pub tenant: Option<String>,
    pub department: Option<String>,
    pub tier: Option<String>,
    pub agent: Option<String>,
    pub session: Option<String>,
    pub channel: Option<String>,
    pub server: Option<String>,
    pub tool: Option<String>,
    pub method: Option<String>,
    pub verdict: Option<String>,
    pub layer: Option<String>,
    pub reason: Option<String>,
    pub rule: Option<String>,
    pub evidence: Option<String>,
    pub observed: Option<String>,
    pub args_preview: Option<String>,
    pub status: Option<String>,
    pub duration_us: Option<i64>,
    pub error: Option<String>,
    pub action: Option<String>,
    pub subject: Option<String>,
    pub detail: Option<String>,
}
pub struct EventBorrowed<'a> {
    pub at: jiff::Timestamp,
    pub stream_id: i32,
    pub seq: i64,
    pub kind: &'a str,
    pub trace: Option<uuid::Uuid>,
    pub call: Option<uuid::Uuid>,
    pub user_id: Option<&'a str>,
    pub tenant: Option<&'a str>,
    pub department: Option<&'a str>,
    pub tier: Option<&'a str>,
    pub agent: Option<&'a str>,
    pub session: Option<&'a str>,
    pub channel: Option<&'a str>,
    pub server: Option<&'a str>,
    pub tool: Option<&'a str>,
    pub method: Option<&'a str>,
    pub verdict: Option<&'a str>,
    pub layer: Option<&'a str>,
    pub reason: Option<&'a str>,
    pub rule: Option<&'a str>,
    pub evidence: Option<&'a str>,
    pub observed: Option<&'a str>,
    pub args_preview: Option<&'a str>,
    pub status: Option<&'a str>,
    pub duration_us: Option<i64>,
    pub error: Option<&'a str>,
    pub action: Option<&'a str>,
    pub subject: Option<&'a str>,
    pub detail: Option<&'a str>,
}
impl<'a> From<EventBorrowed<'a>> for Event {
    fn from(
        EventBorrowed {
            at,
            stream_id,
            seq,
            kind,
            trace,
            call,
            user_id,
            tenant,
            department,
            tier,
            agent,
            session,
            channel,
            server,
            tool,
            method,
            verdict,
            layer,
            reason,
            rule,
            evidence,
            observed,
            args_preview,
            status,
            duration_us,
            error,
            action,
            subject,
            detail,
        }: EventBorrowed<'a>,
    ) -> Self {
        Self {
            at,
            stream_id,
            seq,
            kind: kind.into(),
            trace,
            call,
            user_id: user_id.map(|v| v.into()),
            tenant: tenant.map(|v| v.into()),
            department: department.map(|v| v.into()),
            tier: tier.map(|v| v.into()),
            agent: agent.map(|v| v.into()),
            session: session.map(|v| v.into()),
            channel: channel.map(|v| v.into()),
            server: server.map(|v| v.into()),
            tool: tool.map(|v| v.into()),
            method: method.map(|v| v.into()),
            verdict: verdict.map(|v| v.into()),
            layer: layer.map(|v| v.into()),
            reason: reason.map(|v| v.into()),
            rule: rule.map(|v| v.into()),
            evidence: evidence.map(|v| v.into()),
            observed: observed.map(|v| v.into()),
            args_preview: args_preview.map(|v| v.into()),
            status: status.map(|v| v.into()),
            duration_us,
            error: error.map(|v| v.into()),
            action: action.map(|v| v.into()),
            subject: subject.map(|v| v.into()),
            detail: detail.map(|v| v.into()),
        }
    }
}
#[derive(Debug, Clone, PartialEq, Copy, serde::Serialize)]
pub struct PlacesAt {
    pub id: i32,
    pub seq: i64,
}
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Row {
    pub node: uuid::Uuid,
    pub shard: i32,
    pub at: jiff::Timestamp,
    pub seq: i64,
    pub generation: Option<i64>,
    pub retry_after_ms: Option<i64>,
    pub decide_ns: Option<i64>,
    pub args_bytes: Option<i64>,
    pub decision_seq: Option<i64>,
    pub reply_bytes: Option<i64>,
    pub duration_us: Option<i64>,
    pub redactions: Option<i64>,
    pub cost_microusd: Option<i64>,
    pub trace: Option<uuid::Uuid>,
    pub call: Option<uuid::Uuid>,
    pub stream_id: i32,
    pub http_status: Option<i32>,
    pub rpc_code: Option<i32>,
    pub attempts: Option<i16>,
    pub chain: Vec<u8>,
    pub kind: String,
    pub user_id: Option<String>,
    pub tenant: Option<String>,
    pub department: Option<String>,
    pub tier: Option<String>,
    pub auth_method: Option<String>,
    pub roles: Option<String>,
    pub scopes: Option<String>,
    pub token_id: Option<String>,
    pub client: Option<String>,
    pub act_for: Option<String>,
    pub address: Option<String>,
    pub agent: Option<String>,
    pub session: Option<String>,
    pub mcp_session: Option<String>,
    pub context: Option<String>,
    pub task: Option<String>,
    pub channel: Option<String>,
    pub server: Option<String>,
    pub tool: Option<String>,
    pub method: Option<String>,
    pub args_digest: Option<Vec<u8>>,
    pub args_preview: Option<String>,
    pub verdict: Option<String>,
    pub layer: Option<String>,
    pub reason: Option<String>,
    pub rule: Option<String>,
    pub evidence: Option<String>,
    pub observed: Option<String>,
    pub status: Option<String>,
    pub upstream: Option<String>,
    pub error: Option<String>,
    pub action: Option<String>,
    pub subject: Option<String>,
    pub detail: Option<String>,
}
pub struct RowBorrowed<'a> {
    pub node: uuid::Uuid,
    pub shard: i32,
    pub at: jiff::Timestamp,
    pub seq: i64,
    pub generation: Option<i64>,
    pub retry_after_ms: Option<i64>,
    pub decide_ns: Option<i64>,
    pub args_bytes: Option<i64>,
    pub decision_seq: Option<i64>,
    pub reply_bytes: Option<i64>,
    pub duration_us: Option<i64>,
    pub redactions: Option<i64>,
    pub cost_microusd: Option<i64>,
    pub trace: Option<uuid::Uuid>,
    pub call: Option<uuid::Uuid>,
    pub stream_id: i32,
    pub http_status: Option<i32>,
    pub rpc_code: Option<i32>,
    pub attempts: Option<i16>,
    pub chain: &'a [u8],
    pub kind: &'a str,
    pub user_id: Option<&'a str>,
    pub tenant: Option<&'a str>,
    pub department: Option<&'a str>,
    pub tier: Option<&'a str>,
    pub auth_method: Option<&'a str>,
    pub roles: Option<&'a str>,
    pub scopes: Option<&'a str>,
    pub token_id: Option<&'a str>,
    pub client: Option<&'a str>,
    pub act_for: Option<&'a str>,
    pub address: Option<&'a str>,
    pub agent: Option<&'a str>,
    pub session: Option<&'a str>,
    pub mcp_session: Option<&'a str>,
    pub context: Option<&'a str>,
    pub task: Option<&'a str>,
    pub channel: Option<&'a str>,
    pub server: Option<&'a str>,
    pub tool: Option<&'a str>,
    pub method: Option<&'a str>,
    pub args_digest: Option<&'a [u8]>,
    pub args_preview: Option<&'a str>,
    pub verdict: Option<&'a str>,
    pub layer: Option<&'a str>,
    pub reason: Option<&'a str>,
    pub rule: Option<&'a str>,
    pub evidence: Option<&'a str>,
    pub observed: Option<&'a str>,
    pub status: Option<&'a str>,
    pub upstream: Option<&'a str>,
    pub error: Option<&'a str>,
    pub action: Option<&'a str>,
    pub subject: Option<&'a str>,
    pub detail: Option<&'a str>,
}
impl<'a> From<RowBorrowed<'a>> for Row {
    fn from(
        RowBorrowed {
            node,
            shard,
            at,
            seq,
            generation,
            retry_after_ms,
            decide_ns,
            args_bytes,
            decision_seq,
            reply_bytes,
            duration_us,
            redactions,
            cost_microusd,
            trace,
            call,
            stream_id,
            http_status,
            rpc_code,
            attempts,
            chain,
            kind,
            user_id,
            tenant,
            department,
            tier,
            auth_method,
            roles,
            scopes,
            token_id,
            client,
            act_for,
            address,
            agent,
            session,
            mcp_session,
            context,
            task,
            channel,
            server,
            tool,
            method,
            args_digest,
            args_preview,
            verdict,
            layer,
            reason,
            rule,
            evidence,
            observed,
            status,
            upstream,
            error,
            action,
            subject,
            detail,
        }: RowBorrowed<'a>,
    ) -> Self {
        Self {
            node,
            shard,
            at,
            seq,
            generation,
            retry_after_ms,
            decide_ns,
            args_bytes,
            decision_seq,
            reply_bytes,
            duration_us,
            redactions,
            cost_microusd,
            trace,
            call,
            stream_id,
            http_status,
            rpc_code,
            attempts,
            chain: chain.into(),
            kind: kind.into(),
            user_id: user_id.map(|v| v.into()),
            tenant: tenant.map(|v| v.into()),
            department: department.map(|v| v.into()),
            tier: tier.map(|v| v.into()),
            auth_method: auth_method.map(|v| v.into()),
            roles: roles.map(|v| v.into()),
            scopes: scopes.map(|v| v.into()),
            token_id: token_id.map(|v| v.into()),
            client: client.map(|v| v.into()),
            act_for: act_for.map(|v| v.into()),
            address: address.map(|v| v.into()),
            agent: agent.map(|v| v.into()),
            session: session.map(|v| v.into()),
            mcp_session: mcp_session.map(|v| v.into()),
            context: context.map(|v| v.into()),
            task: task.map(|v| v.into()),
            channel: channel.map(|v| v.into()),
            server: server.map(|v| v.into()),
            tool: tool.map(|v| v.into()),
            method: method.map(|v| v.into()),
            args_digest: args_digest.map(|v| v.into()),
            args_preview: args_preview.map(|v| v.into()),
            verdict: verdict.map(|v| v.into()),
            layer: layer.map(|v| v.into()),
            reason: reason.map(|v| v.into()),
            rule: rule.map(|v| v.into()),
            evidence: evidence.map(|v| v.into()),
            observed: observed.map(|v| v.into()),
            status: status.map(|v| v.into()),
            upstream: upstream.map(|v| v.into()),
            error: error.map(|v| v.into()),
            action: action.map(|v| v.into()),
            subject: subject.map(|v| v.into()),
            detail: detail.map(|v| v.into()),
        }
    }
}
use crate::generated::client::async_::GenericClient;
use futures_util::{self, StreamExt, TryStreamExt};
pub struct EventQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<EventBorrowed, tokio_postgres::Error>,
    mapper: fn(EventBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> EventQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(EventBorrowed) -> R) -> EventQuery<'c, 'a, 's, C, R, N> {
        EventQuery {
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
pub struct PlacesAtQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<PlacesAt, tokio_postgres::Error>,
    mapper: fn(PlacesAt) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> PlacesAtQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(PlacesAt) -> R) -> PlacesAtQuery<'c, 'a, 's, C, R, N> {
        PlacesAtQuery {
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
pub struct RowQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<RowBorrowed, tokio_postgres::Error>,
    mapper: fn(RowBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> RowQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(RowBorrowed) -> R) -> RowQuery<'c, 'a, 's, C, R, N> {
        RowQuery {
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
pub struct OptionjiffCivilDateQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<Option<jiff::civil::Date>, tokio_postgres::Error>,
    mapper: fn(Option<jiff::civil::Date>) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> OptionjiffCivilDateQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(Option<jiff::civil::Date>) -> R,
    ) -> OptionjiffCivilDateQuery<'c, 'a, 's, C, R, N> {
        OptionjiffCivilDateQuery {
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
pub struct SearchStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn search() -> SearchStmt {
    SearchStmt(
        "WITH page AS MATERIALIZED ( SELECT e.* FROM audit_event e WHERE e.at >= $1 AND e.at < $2 AND (e.at, e.stream_id, e.seq) < ($3, $4, $5) AND CASE WHEN $6::text IS NULL THEN e.kind <> 'outcome' ELSE e.kind = $6 END AND ($7::text IS NULL OR e.user_id = $7) AND ($8::text IS NULL OR e.agent = $8) AND ($9::text IS NULL OR e.session = $9) AND ($10::text IS NULL OR e.server = $10) AND ($11::text IS NULL OR e.tool = $11) AND ($12::text IS NULL OR e.verdict = $12) AND ($13::text IS NULL OR e.layer = $13) AND ($14::text IS NULL OR e.rule = $14) AND ($15::text IS NULL OR strpos(lower(concat_ws(' ', e.user_id, e.agent, e.server, e.tool, e.method, e.rule, e.reason, e.evidence, e.observed, e.args_preview, e.error, e.action, e.subject, e.detail)), lower($15)) > 0) ORDER BY e.at DESC, e.stream_id DESC, e.seq DESC LIMIT $16::integer) SELECT e.at, e.stream_id, e.seq, e.kind, e.trace, e.call, e.user_id, e.tenant, e.department, e.tier, e.agent, e.session, e.channel, e.server, e.tool, e.method, e.verdict, e.layer, e.reason, e.rule, e.evidence, e.observed, e.args_preview, coalesce(e.status, o.status) AS status, coalesce(e.duration_us, o.duration_us) AS duration_us, coalesce(e.error, o.error) AS error, e.action, e.subject, e.detail FROM page e LEFT JOIN LATERAL ( SELECT o.status, o.duration_us, o.error FROM audit_event o WHERE e.kind = 'decision' AND e.verdict = 'allow' AND o.trace = e.trace AND o.call = e.call AND o.kind = 'outcome' AND o.at >= e.at LIMIT 1) o ON true ORDER BY e.at DESC, e.stream_id DESC, e.seq DESC",
        None,
    )
}
impl SearchStmt {
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
        before_at: &'a jiff::Timestamp,
        before_stream: &'a i32,
        before_seq: &'a i64,
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
        max: &'a i32,
    ) -> EventQuery<'c, 'a, 's, C, Event, 16> {
        EventQuery {
            client,
            params: [
                since,
                until,
                before_at,
                before_stream,
                before_seq,
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
                max,
            ],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<EventBorrowed, tokio_postgres::Error> {
                Ok(EventBorrowed {
                    at: row.try_get(0)?,
                    stream_id: row.try_get(1)?,
                    seq: row.try_get(2)?,
                    kind: row.try_get(3)?,
                    trace: row.try_get(4)?,
                    call: row.try_get(5)?,
                    user_id: row.try_get(6)?,
                    tenant: row.try_get(7)?,
                    department: row.try_get(8)?,
                    tier: row.try_get(9)?,
                    agent: row.try_get(10)?,
                    session: row.try_get(11)?,
                    channel: row.try_get(12)?,
                    server: row.try_get(13)?,
                    tool: row.try_get(14)?,
                    method: row.try_get(15)?,
                    verdict: row.try_get(16)?,
                    layer: row.try_get(17)?,
                    reason: row.try_get(18)?,
                    rule: row.try_get(19)?,
                    evidence: row.try_get(20)?,
                    observed: row.try_get(21)?,
                    args_preview: row.try_get(22)?,
                    status: row.try_get(23)?,
                    duration_us: row.try_get(24)?,
                    error: row.try_get(25)?,
                    action: row.try_get(26)?,
                    subject: row.try_get(27)?,
                    detail: row.try_get(28)?,
                })
            },
            mapper: |it| Event::from(it),
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
        SearchParams<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10>,
        EventQuery<'c, 'a, 's, C, Event, 16>,
        C,
    > for SearchStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a SearchParams<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10>,
    ) -> EventQuery<'c, 'a, 's, C, Event, 16> {
        self.bind(
            client,
            &params.since,
            &params.until,
            &params.before_at,
            &params.before_stream,
            &params.before_seq,
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
            &params.max,
        )
    }
}
pub struct FollowStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn follow() -> FollowStmt {
    FollowStmt(
        "SELECT e.at, e.stream_id, e.seq, e.kind, e.trace, e.call, e.user_id, e.tenant, e.department, e.tier, e.agent, e.session, e.channel, e.server, e.tool, e.method, e.verdict, e.layer, e.reason, e.rule, e.evidence, e.observed, e.args_preview, e.status, e.duration_us, e.error, e.action, e.subject, e.detail FROM unnest($1::integer[], $2::bigint[]) AS place (stream_id, seq) CROSS JOIN LATERAL ( SELECT * FROM audit_event a WHERE a.stream_id = place.stream_id AND a.seq > place.seq ORDER BY a.seq LIMIT $3::integer) e ORDER BY e.at, e.stream_id, e.seq",
        None,
    )
}
impl FollowStmt {
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
        T1: crate::generated::ArraySql<Item = i32>,
        T2: crate::generated::ArraySql<Item = i64>,
    >(
        &'s self,
        client: &'c C,
        streams: &'a T1,
        seqs: &'a T2,
        max: &'a i32,
    ) -> EventQuery<'c, 'a, 's, C, Event, 3> {
        EventQuery {
            client,
            params: [streams, seqs, max],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<EventBorrowed, tokio_postgres::Error> {
                Ok(EventBorrowed {
                    at: row.try_get(0)?,
                    stream_id: row.try_get(1)?,
                    seq: row.try_get(2)?,
                    kind: row.try_get(3)?,
                    trace: row.try_get(4)?,
                    call: row.try_get(5)?,
                    user_id: row.try_get(6)?,
                    tenant: row.try_get(7)?,
                    department: row.try_get(8)?,
                    tier: row.try_get(9)?,
                    agent: row.try_get(10)?,
                    session: row.try_get(11)?,
                    channel: row.try_get(12)?,
                    server: row.try_get(13)?,
                    tool: row.try_get(14)?,
                    method: row.try_get(15)?,
                    verdict: row.try_get(16)?,
                    layer: row.try_get(17)?,
                    reason: row.try_get(18)?,
                    rule: row.try_get(19)?,
                    evidence: row.try_get(20)?,
                    observed: row.try_get(21)?,
                    args_preview: row.try_get(22)?,
                    status: row.try_get(23)?,
                    duration_us: row.try_get(24)?,
                    error: row.try_get(25)?,
                    action: row.try_get(26)?,
                    subject: row.try_get(27)?,
                    detail: row.try_get(28)?,
                })
            },
            mapper: |it| Event::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::generated::ArraySql<Item = i32>, T2: crate::generated::ArraySql<Item = i64>>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        FollowParams<T1, T2>,
        EventQuery<'c, 'a, 's, C, Event, 3>,
        C,
    > for FollowStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a FollowParams<T1, T2>,
    ) -> EventQuery<'c, 'a, 's, C, Event, 3> {
        self.bind(client, &params.streams, &params.seqs, &params.max)
    }
}
pub struct PlacesAtStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn places_at() -> PlacesAtStmt {
    PlacesAtStmt(
        "SELECT s.id, coalesce(( SELECT e.seq - 1 FROM audit_event e WHERE e.stream_id = s.id AND e.at >= $1 ORDER BY e.at, e.seq LIMIT 1), s.seq) AS seq FROM stream s ORDER BY s.id",
        None,
    )
}
impl PlacesAtStmt {
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
    ) -> PlacesAtQuery<'c, 'a, 's, C, PlacesAt, 1> {
        PlacesAtQuery {
            client,
            params: [since],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<PlacesAt, tokio_postgres::Error> {
                Ok(PlacesAt {
                    id: row.try_get(0)?,
                    seq: row.try_get(1)?,
                })
            },
            mapper: |it| PlacesAt::from(it),
        }
    }
}
pub struct TrailStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn trail() -> TrailStmt {
    TrailStmt(
        "WITH named AS MATERIALIZED ( SELECT e.trace FROM audit_event e WHERE e.trace = $1 UNION SELECT e.trace FROM audit_event e WHERE e.call = $2 UNION (SELECT e.trace FROM audit_event e WHERE e.session = $3 ORDER BY e.at LIMIT $4::integer) UNION (SELECT e.trace FROM audit_event e WHERE e.mcp_session = $5 ORDER BY e.at LIMIT $4::integer) UNION SELECT e.trace FROM audit_event e WHERE e.stream_id = (SELECT id FROM stream WHERE node = $6 AND shard = $7) AND e.seq = $8), found AS MATERIALIZED ( SELECT e.* FROM named JOIN audit_event e ON e.trace = named.trace UNION ALL SELECT e.* FROM audit_event e WHERE e.stream_id = (SELECT id FROM stream WHERE node = $6 AND shard = $7) AND e.seq = $8 AND e.trace IS NULL ORDER BY at, stream_id, seq LIMIT $4::integer) SELECT s.node, s.shard, e.at, e.seq, e.generation, e.retry_after_ms, e.decide_ns, e.args_bytes, e.decision_seq, e.reply_bytes, e.duration_us, e.redactions, e.cost_microusd, e.trace, e.call, e.stream_id, e.http_status, e.rpc_code, e.attempts, e.chain, e.kind, e.user_id, e.tenant, e.department, e.tier, e.auth_method, e.roles, e.scopes, e.token_id, e.client, e.act_for, e.address, e.agent, e.session, e.mcp_session, e.context, e.task, e.channel, e.server, e.tool, e.method, e.args_digest, e.args_preview, e.verdict, e.layer, e.reason, e.rule, e.evidence, e.observed, e.status, e.upstream, e.error, e.action, e.subject, e.detail FROM found e JOIN stream s ON s.id = e.stream_id ORDER BY e.at, e.stream_id, e.seq",
        None,
    )
}
impl TrailStmt {
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
        trace: &'a Option<uuid::Uuid>,
        call: &'a Option<uuid::Uuid>,
        session: &'a Option<T1>,
        max: &'a i32,
        mcp_session: &'a Option<T2>,
        node: &'a Option<uuid::Uuid>,
        shard: &'a Option<i32>,
        seq: &'a Option<i64>,
    ) -> RowQuery<'c, 'a, 's, C, Row, 8> {
        RowQuery {
            client,
            params: [trace, call, session, max, mcp_session, node, shard, seq],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<RowBorrowed, tokio_postgres::Error> {
                Ok(RowBorrowed {
                    node: row.try_get(0)?,
                    shard: row.try_get(1)?,
                    at: row.try_get(2)?,
                    seq: row.try_get(3)?,
                    generation: row.try_get(4)?,
                    retry_after_ms: row.try_get(5)?,
                    decide_ns: row.try_get(6)?,
                    args_bytes: row.try_get(7)?,
                    decision_seq: row.try_get(8)?,
                    reply_bytes: row.try_get(9)?,
                    duration_us: row.try_get(10)?,
                    redactions: row.try_get(11)?,
                    cost_microusd: row.try_get(12)?,
                    trace: row.try_get(13)?,
                    call: row.try_get(14)?,
                    stream_id: row.try_get(15)?,
                    http_status: row.try_get(16)?,
                    rpc_code: row.try_get(17)?,
                    attempts: row.try_get(18)?,
                    chain: row.try_get(19)?,
                    kind: row.try_get(20)?,
                    user_id: row.try_get(21)?,
                    tenant: row.try_get(22)?,
                    department: row.try_get(23)?,
                    tier: row.try_get(24)?,
                    auth_method: row.try_get(25)?,
                    roles: row.try_get(26)?,
                    scopes: row.try_get(27)?,
                    token_id: row.try_get(28)?,
                    client: row.try_get(29)?,
                    act_for: row.try_get(30)?,
                    address: row.try_get(31)?,
                    agent: row.try_get(32)?,
                    session: row.try_get(33)?,
                    mcp_session: row.try_get(34)?,
                    context: row.try_get(35)?,
                    task: row.try_get(36)?,
                    channel: row.try_get(37)?,
                    server: row.try_get(38)?,
                    tool: row.try_get(39)?,
                    method: row.try_get(40)?,
                    args_digest: row.try_get(41)?,
                    args_preview: row.try_get(42)?,
                    verdict: row.try_get(43)?,
                    layer: row.try_get(44)?,
                    reason: row.try_get(45)?,
                    rule: row.try_get(46)?,
                    evidence: row.try_get(47)?,
                    observed: row.try_get(48)?,
                    status: row.try_get(49)?,
                    upstream: row.try_get(50)?,
                    error: row.try_get(51)?,
                    action: row.try_get(52)?,
                    subject: row.try_get(53)?,
                    detail: row.try_get(54)?,
                })
            },
            mapper: |it| Row::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::generated::StringSql, T2: crate::generated::StringSql>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        TrailParams<T1, T2>,
        RowQuery<'c, 'a, 's, C, Row, 8>,
        C,
    > for TrailStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a TrailParams<T1, T2>,
    ) -> RowQuery<'c, 'a, 's, C, Row, 8> {
        self.bind(
            client,
            &params.trace,
            &params.call,
            &params.session,
            &params.max,
            &params.mcp_session,
            &params.node,
            &params.shard,
            &params.seq,
        )
    }
}
pub struct OfStreamStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn of_stream() -> OfStreamStmt {
    OfStreamStmt(
        "SELECT s.node, s.shard, e.at, e.seq, e.generation, e.retry_after_ms, e.decide_ns, e.args_bytes, e.decision_seq, e.reply_bytes, e.duration_us, e.redactions, e.cost_microusd, e.trace, e.call, e.stream_id, e.http_status, e.rpc_code, e.attempts, e.chain, e.kind, e.user_id, e.tenant, e.department, e.tier, e.auth_method, e.roles, e.scopes, e.token_id, e.client, e.act_for, e.address, e.agent, e.session, e.mcp_session, e.context, e.task, e.channel, e.server, e.tool, e.method, e.args_digest, e.args_preview, e.verdict, e.layer, e.reason, e.rule, e.evidence, e.observed, e.status, e.upstream, e.error, e.action, e.subject, e.detail FROM stream s CROSS JOIN LATERAL ( SELECT a.* FROM audit_event a WHERE a.stream_id = s.id AND a.seq > $1 ORDER BY a.seq LIMIT $2::integer) e WHERE s.node = $3 AND s.shard = $4 ORDER BY e.seq",
        None,
    )
}
impl OfStreamStmt {
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
        after: &'a i64,
        max: &'a i32,
        node: &'a uuid::Uuid,
        shard: &'a i32,
    ) -> RowQuery<'c, 'a, 's, C, Row, 4> {
        RowQuery {
            client,
            params: [after, max, node, shard],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<RowBorrowed, tokio_postgres::Error> {
                Ok(RowBorrowed {
                    node: row.try_get(0)?,
                    shard: row.try_get(1)?,
                    at: row.try_get(2)?,
                    seq: row.try_get(3)?,
                    generation: row.try_get(4)?,
                    retry_after_ms: row.try_get(5)?,
                    decide_ns: row.try_get(6)?,
                    args_bytes: row.try_get(7)?,
                    decision_seq: row.try_get(8)?,
                    reply_bytes: row.try_get(9)?,
                    duration_us: row.try_get(10)?,
                    redactions: row.try_get(11)?,
                    cost_microusd: row.try_get(12)?,
                    trace: row.try_get(13)?,
                    call: row.try_get(14)?,
                    stream_id: row.try_get(15)?,
                    http_status: row.try_get(16)?,
                    rpc_code: row.try_get(17)?,
                    attempts: row.try_get(18)?,
                    chain: row.try_get(19)?,
                    kind: row.try_get(20)?,
                    user_id: row.try_get(21)?,
                    tenant: row.try_get(22)?,
                    department: row.try_get(23)?,
                    tier: row.try_get(24)?,
                    auth_method: row.try_get(25)?,
                    roles: row.try_get(26)?,
                    scopes: row.try_get(27)?,
                    token_id: row.try_get(28)?,
                    client: row.try_get(29)?,
                    act_for: row.try_get(30)?,
                    address: row.try_get(31)?,
                    agent: row.try_get(32)?,
                    session: row.try_get(33)?,
                    mcp_session: row.try_get(34)?,
                    context: row.try_get(35)?,
                    task: row.try_get(36)?,
                    channel: row.try_get(37)?,
                    server: row.try_get(38)?,
                    tool: row.try_get(39)?,
                    method: row.try_get(40)?,
                    args_digest: row.try_get(41)?,
                    args_preview: row.try_get(42)?,
                    verdict: row.try_get(43)?,
                    layer: row.try_get(44)?,
                    reason: row.try_get(45)?,
                    rule: row.try_get(46)?,
                    evidence: row.try_get(47)?,
                    observed: row.try_get(48)?,
                    status: row.try_get(49)?,
                    upstream: row.try_get(50)?,
                    error: row.try_get(51)?,
                    action: row.try_get(52)?,
                    subject: row.try_get(53)?,
                    detail: row.try_get(54)?,
                })
            },
            mapper: |it| Row::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient>
    crate::generated::client::async_::Params<'c, 'a, 's, OfStreamParams, RowQuery<'c, 'a, 's, C, Row, 4>, C>
    for OfStreamStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a OfStreamParams,
    ) -> RowQuery<'c, 'a, 's, C, Row, 4> {
        self.bind(
            client,
            &params.after,
            &params.max,
            &params.node,
            &params.shard,
        )
    }
}
pub struct ExportStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn export() -> ExportStmt {
    ExportStmt(
        "WITH page AS MATERIALIZED ( SELECT e.* FROM audit_event e WHERE e.at >= $1 AND e.at < $2 AND (e.at, e.stream_id, e.seq) > ($3, $4, $5) AND ($6::text IS NULL OR e.kind = $6) AND ($7::text IS NULL OR e.user_id = $7) AND ($8::text IS NULL OR e.agent = $8) AND ($9::text IS NULL OR e.session = $9) AND ($10::text IS NULL OR e.server = $10) AND ($11::text IS NULL OR e.tool = $11) AND ($12::text IS NULL OR e.verdict = $12) AND ($13::text IS NULL OR e.layer = $13) AND ($14::text IS NULL OR e.rule = $14) AND ($15::text IS NULL OR strpos(lower(concat_ws(' ', e.user_id, e.agent, e.server, e.tool, e.method, e.rule, e.reason, e.evidence, e.observed, e.args_preview, e.error, e.action, e.subject, e.detail)), lower($15)) > 0) ORDER BY e.at, e.stream_id, e.seq LIMIT $16::integer) SELECT s.node, s.shard, e.at, e.seq, e.generation, e.retry_after_ms, e.decide_ns, e.args_bytes, e.decision_seq, e.reply_bytes, e.duration_us, e.redactions, e.cost_microusd, e.trace, e.call, e.stream_id, e.http_status, e.rpc_code, e.attempts, e.chain, e.kind, e.user_id, e.tenant, e.department, e.tier, e.auth_method, e.roles, e.scopes, e.token_id, e.client, e.act_for, e.address, e.agent, e.session, e.mcp_session, e.context, e.task, e.channel, e.server, e.tool, e.method, e.args_digest, e.args_preview, e.verdict, e.layer, e.reason, e.rule, e.evidence, e.observed, e.status, e.upstream, e.error, e.action, e.subject, e.detail FROM page e JOIN stream s ON s.id = e.stream_id ORDER BY e.at, e.stream_id, e.seq",
        None,
    )
}
impl ExportStmt {
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
        after_at: &'a jiff::Timestamp,
        after_stream: &'a i32,
        after_seq: &'a i64,
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
        max: &'a i32,
    ) -> RowQuery<'c, 'a, 's, C, Row, 16> {
        RowQuery {
            client,
            params: [
                since,
                until,
                after_at,
                after_stream,
                after_seq,
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
                max,
            ],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<RowBorrowed, tokio_postgres::Error> {
                Ok(RowBorrowed {
                    node: row.try_get(0)?,
                    shard: row.try_get(1)?,
                    at: row.try_get(2)?,
                    seq: row.try_get(3)?,
                    generation: row.try_get(4)?,
                    retry_after_ms: row.try_get(5)?,
                    decide_ns: row.try_get(6)?,
                    args_bytes: row.try_get(7)?,
                    decision_seq: row.try_get(8)?,
                    reply_bytes: row.try_get(9)?,
                    duration_us: row.try_get(10)?,
                    redactions: row.try_get(11)?,
                    cost_microusd: row.try_get(12)?,
                    trace: row.try_get(13)?,
                    call: row.try_get(14)?,
                    stream_id: row.try_get(15)?,
                    http_status: row.try_get(16)?,
                    rpc_code: row.try_get(17)?,
                    attempts: row.try_get(18)?,
                    chain: row.try_get(19)?,
                    kind: row.try_get(20)?,
                    user_id: row.try_get(21)?,
                    tenant: row.try_get(22)?,
                    department: row.try_get(23)?,
                    tier: row.try_get(24)?,
                    auth_method: row.try_get(25)?,
                    roles: row.try_get(26)?,
                    scopes: row.try_get(27)?,
                    token_id: row.try_get(28)?,
                    client: row.try_get(29)?,
                    act_for: row.try_get(30)?,
                    address: row.try_get(31)?,
                    agent: row.try_get(32)?,
                    session: row.try_get(33)?,
                    mcp_session: row.try_get(34)?,
                    context: row.try_get(35)?,
                    task: row.try_get(36)?,
                    channel: row.try_get(37)?,
                    server: row.try_get(38)?,
                    tool: row.try_get(39)?,
                    method: row.try_get(40)?,
                    args_digest: row.try_get(41)?,
                    args_preview: row.try_get(42)?,
                    verdict: row.try_get(43)?,
                    layer: row.try_get(44)?,
                    reason: row.try_get(45)?,
                    rule: row.try_get(46)?,
                    evidence: row.try_get(47)?,
                    observed: row.try_get(48)?,
                    status: row.try_get(49)?,
                    upstream: row.try_get(50)?,
                    error: row.try_get(51)?,
                    action: row.try_get(52)?,
                    subject: row.try_get(53)?,
                    detail: row.try_get(54)?,
                })
            },
            mapper: |it| Row::from(it),
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
        ExportParams<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10>,
        RowQuery<'c, 'a, 's, C, Row, 16>,
        C,
    > for ExportStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ExportParams<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10>,
    ) -> RowQuery<'c, 'a, 's, C, Row, 16> {
        self.bind(
            client,
            &params.since,
            &params.until,
            &params.after_at,
            &params.after_stream,
            &params.after_seq,
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
            &params.max,
        )
    }
}
pub struct FirstDayStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn first_day() -> FirstDayStmt {
    FirstDayStmt(
        "SELECT min(to_date(right(c.relname, 8), 'YYYYMMDD')) AS day FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'audit_event'::regclass AND c.relname ~ '^audit_event_[0-9]{8}$'",
        None,
    )
}
impl FirstDayStmt {
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
    ) -> OptionjiffCivilDateQuery<'c, 'a, 's, C, Option<jiff::civil::Date>, 0> {
        OptionjiffCivilDateQuery {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
