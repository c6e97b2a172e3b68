-- What `sp infra logs` asks.

--: Event(trace?, call?, user_id?, tenant?, department?, tier?, agent?, session?, channel?, server?, tool?, method?, verdict?, layer?, reason?, rule?, evidence?, observed?, args_preview?, status?, duration_us?, error?, action?, subject?, detail?)

--! search (kind?, user?, agent?, server?, tool?, verdict?, layer?, rule?, text?) : Event
-- Newest first, within a window of time, before a place; a decision shows how its call ended. Outcomes are not listed
-- on their own unless asked for.
WITH page AS MATERIALIZED (
    SELECT e.* FROM audit_event e
    WHERE e.at >= :since AND e.at < :until
      AND (e.at, e.stream_id, e.seq) < (:before_at, :before_stream, :before_seq)
      AND CASE WHEN :kind::text IS NULL THEN e.kind <> 'outcome' ELSE e.kind = :kind END
      AND (:user::text IS NULL OR e.user_id = :user)
      AND (:agent::text IS NULL OR e.agent = :agent)
      AND (:server::text IS NULL OR e.server = :server)
      AND (:tool::text IS NULL OR e.tool = :tool)
      AND (:verdict::text IS NULL OR e.verdict = :verdict)
      AND (:layer::text IS NULL OR e.layer = :layer)
      AND (:rule::text IS NULL OR e.rule = :rule)
      AND (:text::text IS NULL OR strpos(lower(concat_ws(' ', e.user_id, e.agent, e.server, e.tool, e.method, e.rule, e.reason,
           e.evidence, e.observed, e.args_preview, e.error, e.action, e.subject, e.detail)), lower(:text)) > 0)
    ORDER BY e.at DESC, e.stream_id DESC, e.seq DESC
    LIMIT :max::integer)
SELECT e.at, e.stream_id, e.seq, e.kind, e.trace, e.call, e.user_id, e.tenant, e.department, e.tier, e.agent, e.session,
       e.channel, e.server, e.tool, e.method, e.verdict, e.layer, e.reason, e.rule, e.evidence, e.observed, e.args_preview,
       coalesce(e.status, o.status) AS status, coalesce(e.duration_us, o.duration_us) AS duration_us,
       coalesce(e.error, o.error) AS error, e.action, e.subject, e.detail
FROM page e
LEFT JOIN LATERAL (
    SELECT o.status, o.duration_us, o.error FROM audit_event o
    WHERE e.kind = 'decision' AND e.verdict = 'allow'
      AND o.trace = e.trace AND o.call = e.call AND o.kind = 'outcome' AND o.at >= e.at
    LIMIT 1) o ON true
ORDER BY e.at DESC, e.stream_id DESC, e.seq DESC;

--! follow : Event
-- What came after a place in each stream. A stream's rows are committed in its order, so that no row is passed over.
SELECT e.at, e.stream_id, e.seq, e.kind, e.trace, e.call, e.user_id, e.tenant, e.department, e.tier, e.agent, e.session,
       e.channel, e.server, e.tool, e.method, e.verdict, e.layer, e.reason, e.rule, e.evidence, e.observed, e.args_preview,
       e.status, e.duration_us, e.error, e.action, e.subject, e.detail
FROM unnest(:streams::integer[], :seqs::bigint[]) AS place (stream_id, seq)
CROSS JOIN LATERAL (
    SELECT * FROM audit_event a WHERE a.stream_id = place.stream_id AND a.seq > place.seq
    ORDER BY a.seq LIMIT :max::integer) e
ORDER BY e.at, e.stream_id, e.seq;

--: Call(call?, user_id?, tenant?, department?, tier?, auth_method?, roles?, scopes?, token_id?, client?, act_for?, address?, agent?, session?, mcp_session?, context?, task?, channel?, server?, tool?, method?, args_bytes?, args_digest?, args_preview?, verdict?, layer?, reason?, rule?, evidence?, observed?, generation?, retry_after_ms?, decide_ns?, outcome_seq?, ended_at?, upstream?, attempts?, duration_us?, status?, http_status?, rpc_code?, reply_bytes?, redactions?, cost_microusd?, error?)

--! calls_of_trace : Call
-- The five questions about each call of a trace: identity, agent context, permissions, execution, result.
SELECT d.at, d.stream_id, s.node, s.shard, d.seq, d.chain, d.trace, d.call,
       d.user_id, d.tenant, d.department, d.tier, d.auth_method, d.roles, d.scopes, d.token_id, d.client, d.act_for, d.address,
       d.agent, d.session, d.mcp_session, d.context, d.task,
       d.channel, d.server, d.tool, d.method, d.args_bytes, d.args_digest, d.args_preview,
       d.verdict, d.layer, d.reason, d.rule, d.evidence, d.observed, d.generation, d.retry_after_ms, d.decide_ns,
       o.seq AS outcome_seq, o.at AS ended_at, o.upstream, o.attempts, o.duration_us,
       o.status, o.http_status, o.rpc_code, o.reply_bytes, o.redactions, o.cost_microusd, o.error
FROM audit_event d
JOIN stream s ON s.id = d.stream_id
LEFT JOIN audit_event o ON d.verdict = 'allow' AND o.trace = d.trace AND o.call = d.call AND o.kind = 'outcome' AND o.at >= d.at
WHERE d.trace = :trace AND d.kind = 'decision'
ORDER BY d.at, d.stream_id, d.seq;

--! events_of_trace : Event
-- Everything else that a trace left: log-ins, policy changes and the like.
SELECT e.at, e.stream_id, e.seq, e.kind, e.trace, e.call, e.user_id, e.tenant, e.department, e.tier, e.agent, e.session,
       e.channel, e.server, e.tool, e.method, e.verdict, e.layer, e.reason, e.rule, e.evidence, e.observed, e.args_preview,
       e.status, e.duration_us, e.error, e.action, e.subject, e.detail
FROM audit_event e
WHERE e.trace = :trace AND e.kind NOT IN ('decision', 'outcome')
ORDER BY e.at, e.stream_id, e.seq;

--! first_day : (day?)
-- The oldest day that is kept.
SELECT min(to_date(right(c.relname, 8), 'YYYYMMDD')) AS day
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'audit_event'::regclass AND c.relname ~ '^audit_event_[0-9]{8}$';
