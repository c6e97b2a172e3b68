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
> {
    pub since: jiff::Timestamp,
    pub until: jiff::Timestamp,
    pub before_at: jiff::Timestamp,
    pub before_stream: i32,
    pub before_seq: i64,
    pub kind: Option<T1>,
    pub user: Option<T2>,
    pub agent: Option<T3>,
    pub server: Option<T4>,
    pub tool: Option<T5>,
    pub verdict: Option<T6>,
    pub layer: Option<T7>,
    pub rule: Option<T8>,
    pub text: Option<T9>,
    pub max: i32,
}
#[derive(Debug)]
pub struct FollowParams<T1: crate::generated::ArraySql<Item = i32>, T2: crate::generated::ArraySql<Item = i64>> {
    pub streams: T1,
    pub seqs: T2,
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
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Call {
    pub at: jiff::Timestamp,
    pub stream_id: i32,
    pub node: uuid::Uuid,
    pub shard: i32,
    pub seq: i64,
    pub chain: Vec<u8>,
    pub trace: uuid::Uuid,
    pub call: Option<uuid::Uuid>,
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
    pub args_bytes: Option<i64>,
    pub args_digest: Option<Vec<u8>>,
    pub args_preview: Option<String>,
    pub verdict: Option<String>,
    pub layer: Option<String>,
    pub reason: Option<String>,
    pub rule: Option<String>,
    pub evidence: Option<String>,
    pub observed: Option<String>,
    pub generation: Option<i64>,
    pub retry_after_ms: Option<i64>,
    pub decide_ns: Option<i64>,
    pub outcome_seq: Option<i64>,
    pub ended_at: Option<jiff::Timestamp>,
    pub upstream: Option<String>,
    pub attempts: Option<i16>,
    pub duration_us: Option<i64>,
    pub status: Option<String>,
    pub http_status: Option<i32>,
    pub rpc_code: Option<i32>,
    pub reply_bytes: Option<i64>,
    pub redactions: Option<i64>,
    pub cost_microusd: Option<i64>,
    pub error: Option<String>,
}
pub struct CallBorrowed<'a> {
    pub at: jiff::Timestamp,
    pub stream_id: i32,
    pub node: uuid::Uuid,
    pub shard: i32,
    pub seq: i64,
    pub chain: &'a [u8],
    pub trace: uuid::Uuid,
    pub call: Option<uuid::Uuid>,
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
    pub args_bytes: Option<i64>,
    pub args_digest: Option<&'a [u8]>,
    pub args_preview: Option<&'a str>,
    pub verdict: Option<&'a str>,
    pub layer: Option<&'a str>,
    pub reason: Option<&'a str>,
    pub rule: Option<&'a str>,
    pub evidence: Option<&'a str>,
    pub observed: Option<&'a str>,
    pub generation: Option<i64>,
    pub retry_after_ms: Option<i64>,
    pub decide_ns: Option<i64>,
    pub outcome_seq: Option<i64>,
    pub ended_at: Option<jiff::Timestamp>,
    pub upstream: Option<&'a str>,
    pub attempts: Option<i16>,
    pub duration_us: Option<i64>,
    pub status: Option<&'a str>,
    pub http_status: Option<i32>,
    pub rpc_code: Option<i32>,
    pub reply_bytes: Option<i64>,
    pub redactions: Option<i64>,
    pub cost_microusd: Option<i64>,
    pub error: Option<&'a str>,
}
impl<'a> From<CallBorrowed<'a>> for Call {
    fn from(
        CallBorrowed {
            at,
            stream_id,
            node,
            shard,
            seq,
            chain,
            trace,
            call,
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
            args_bytes,
            args_digest,
            args_preview,
            verdict,
            layer,
            reason,
            rule,
            evidence,
            observed,
            generation,
            retry_after_ms,
            decide_ns,
            outcome_seq,
            ended_at,
            upstream,
            attempts,
            duration_us,
            status,
            http_status,
            rpc_code,
            reply_bytes,
            redactions,
            cost_microusd,
            error,
        }: CallBorrowed<'a>,
    ) -> Self {
        Self {
            at,
            stream_id,
            node,
            shard,
            seq,
            chain: chain.into(),
            trace,
            call,
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
            args_bytes,
            args_digest: args_digest.map(|v| v.into()),
            args_preview: args_preview.map(|v| v.into()),
            verdict: verdict.map(|v| v.into()),
            layer: layer.map(|v| v.into()),
            reason: reason.map(|v| v.into()),
            rule: rule.map(|v| v.into()),
            evidence: evidence.map(|v| v.into()),
            observed: observed.map(|v| v.into()),
            generation,
            retry_after_ms,
            decide_ns,
            outcome_seq,
            ended_at,
            upstream: upstream.map(|v| v.into()),
            attempts,
            duration_us,
            status: status.map(|v| v.into()),
            http_status,
            rpc_code,
            reply_bytes,
            redactions,
            cost_microusd,
            error: error.map(|v| v.into()),
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
pub struct CallQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<CallBorrowed, tokio_postgres::Error>,
    mapper: fn(CallBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> CallQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(CallBorrowed) -> R) -> CallQuery<'c, 'a, 's, C, R, N> {
        CallQuery {
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
        "WITH page AS MATERIALIZED ( SELECT e.* FROM audit_event e WHERE e.at >= $1 AND e.at < $2 AND (e.at, e.stream_id, e.seq) < ($3, $4, $5) AND CASE WHEN $6::text IS NULL THEN e.kind <> 'outcome' ELSE e.kind = $6 END AND ($7::text IS NULL OR e.user_id = $7) AND ($8::text IS NULL OR e.agent = $8) AND ($9::text IS NULL OR e.server = $9) AND ($10::text IS NULL OR e.tool = $10) AND ($11::text IS NULL OR e.verdict = $11) AND ($12::text IS NULL OR e.layer = $12) AND ($13::text IS NULL OR e.rule = $13) AND ($14::text IS NULL OR strpos(lower(concat_ws(' ', e.user_id, e.agent, e.server, e.tool, e.method, e.rule, e.reason, e.evidence, e.observed, e.args_preview, e.error, e.action, e.subject, e.detail)), lower($14)) > 0) ORDER BY e.at DESC, e.stream_id DESC, e.seq DESC LIMIT $15::integer) SELECT e.at, e.stream_id, e.seq, e.kind, e.trace, e.call, e.user_id, e.tenant, e.department, e.tier, e.agent, e.session, e.channel, e.server, e.tool, e.method, e.verdict, e.layer, e.reason, e.rule, e.evidence, e.observed, e.args_preview, coalesce(e.status, o.status) AS status, coalesce(e.duration_us, o.duration_us) AS duration_us, coalesce(e.error, o.error) AS error, e.action, e.subject, e.detail FROM page e LEFT JOIN LATERAL ( SELECT o.status, o.duration_us, o.error FROM audit_event o WHERE e.kind = 'decision' AND e.verdict = 'allow' AND o.trace = e.trace AND o.call = e.call AND o.kind = 'outcome' AND o.at >= e.at LIMIT 1) o ON true ORDER BY e.at DESC, e.stream_id DESC, e.seq DESC",
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
        server: &'a Option<T4>,
        tool: &'a Option<T5>,
        verdict: &'a Option<T6>,
        layer: &'a Option<T7>,
        rule: &'a Option<T8>,
        text: &'a Option<T9>,
        max: &'a i32,
    ) -> EventQuery<'c, 'a, 's, C, Event, 15> {
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
>
    crate::generated::client::async_::Params<
        'c,
        'a,
        's,
        SearchParams<T1, T2, T3, T4, T5, T6, T7, T8, T9>,
        EventQuery<'c, 'a, 's, C, Event, 15>,
        C,
    > for SearchStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a SearchParams<T1, T2, T3, T4, T5, T6, T7, T8, T9>,
    ) -> EventQuery<'c, 'a, 's, C, Event, 15> {
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
pub struct CallsOfTraceStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn calls_of_trace() -> CallsOfTraceStmt {
    CallsOfTraceStmt(
        "SELECT d.at, d.stream_id, s.node, s.shard, d.seq, d.chain, d.trace, d.call, d.user_id, d.tenant, d.department, d.tier, d.auth_method, d.roles, d.scopes, d.token_id, d.client, d.act_for, d.address, d.agent, d.session, d.mcp_session, d.context, d.task, d.channel, d.server, d.tool, d.method, d.args_bytes, d.args_digest, d.args_preview, d.verdict, d.layer, d.reason, d.rule, d.evidence, d.observed, d.generation, d.retry_after_ms, d.decide_ns, o.seq AS outcome_seq, o.at AS ended_at, o.upstream, o.attempts, o.duration_us, o.status, o.http_status, o.rpc_code, o.reply_bytes, o.redactions, o.cost_microusd, o.error FROM audit_event d JOIN stream s ON s.id = d.stream_id LEFT JOIN audit_event o ON d.verdict = 'allow' AND o.trace = d.trace AND o.call = d.call AND o.kind = 'outcome' AND o.at >= d.at WHERE d.trace = $1 AND d.kind = 'decision' ORDER BY d.at, d.stream_id, d.seq",
        None,
    )
}
impl CallsOfTraceStmt {
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
        trace: &'a uuid::Uuid,
    ) -> CallQuery<'c, 'a, 's, C, Call, 1> {
        CallQuery {
            client,
            params: [trace],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<CallBorrowed, tokio_postgres::Error> {
                Ok(CallBorrowed {
                    at: row.try_get(0)?,
                    stream_id: row.try_get(1)?,
                    node: row.try_get(2)?,
                    shard: row.try_get(3)?,
                    seq: row.try_get(4)?,
                    chain: row.try_get(5)?,
                    trace: row.try_get(6)?,
                    call: row.try_get(7)?,
                    user_id: row.try_get(8)?,
                    tenant: row.try_get(9)?,
                    department: row.try_get(10)?,
                    tier: row.try_get(11)?,
                    auth_method: row.try_get(12)?,
                    roles: row.try_get(13)?,
                    scopes: row.try_get(14)?,
                    token_id: row.try_get(15)?,
                    client: row.try_get(16)?,
                    act_for: row.try_get(17)?,
                    address: row.try_get(18)?,
                    agent: row.try_get(19)?,
                    session: row.try_get(20)?,
                    mcp_session: row.try_get(21)?,
                    context: row.try_get(22)?,
                    task: row.try_get(23)?,
                    channel: row.try_get(24)?,
                    server: row.try_get(25)?,
                    tool: row.try_get(26)?,
                    method: row.try_get(27)?,
                    args_bytes: row.try_get(28)?,
                    args_digest: row.try_get(29)?,
                    args_preview: row.try_get(30)?,
                    verdict: row.try_get(31)?,
                    layer: row.try_get(32)?,
                    reason: row.try_get(33)?,
                    rule: row.try_get(34)?,
                    evidence: row.try_get(35)?,
                    observed: row.try_get(36)?,
                    generation: row.try_get(37)?,
                    retry_after_ms: row.try_get(38)?,
                    decide_ns: row.try_get(39)?,
                    outcome_seq: row.try_get(40)?,
                    ended_at: row.try_get(41)?,
                    upstream: row.try_get(42)?,
                    attempts: row.try_get(43)?,
                    duration_us: row.try_get(44)?,
                    status: row.try_get(45)?,
                    http_status: row.try_get(46)?,
                    rpc_code: row.try_get(47)?,
                    reply_bytes: row.try_get(48)?,
                    redactions: row.try_get(49)?,
                    cost_microusd: row.try_get(50)?,
                    error: row.try_get(51)?,
                })
            },
            mapper: |it| Call::from(it),
        }
    }
}
pub struct EventsOfTraceStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn events_of_trace() -> EventsOfTraceStmt {
    EventsOfTraceStmt(
        "SELECT e.at, e.stream_id, e.seq, e.kind, e.trace, e.call, e.user_id, e.tenant, e.department, e.tier, e.agent, e.session, e.channel, e.server, e.tool, e.method, e.verdict, e.layer, e.reason, e.rule, e.evidence, e.observed, e.args_preview, e.status, e.duration_us, e.error, e.action, e.subject, e.detail FROM audit_event e WHERE e.trace = $1 AND e.kind NOT IN ('decision', 'outcome') ORDER BY e.at, e.stream_id, e.seq",
        None,
    )
}
impl EventsOfTraceStmt {
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
        trace: &'a uuid::Uuid,
    ) -> EventQuery<'c, 'a, 's, C, Event, 1> {
        EventQuery {
            client,
            params: [trace],
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
