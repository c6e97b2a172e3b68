-- What `sp infra logs` asks.

--: Event(trace?, call?, user_id?, tenant?, department?, tier?, agent?, session?, channel?, server?, tool?, method?, verdict?, layer?, reason?, rule?, evidence?, observed?, args_preview?, status?, duration_us?, error?, action?, subject?, detail?)

--! search (kind?, user?, agent?, session?, server?, tool?, verdict?, layer?, rule?, text?) : Event
-- Newest first, within a window of time, before a place; a decision shows how its call ended. Outcomes are not listed
-- on their own unless asked for.
WITH page AS MATERIALIZED (
    SELECT e.* FROM audit_event e
    WHERE e.at >= :since AND e.at < :until
      AND (e.at, e.stream_id, e.seq) < (:before_at, :before_stream, :before_seq)
      AND CASE WHEN :kind::text IS NULL THEN e.kind <> 'outcome' ELSE e.kind = :kind END
      AND (:user::text IS NULL OR e.user_id = :user)
      AND (:agent::text IS NULL OR e.agent = :agent)
      AND (:session::text IS NULL OR e.session = :session)
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

--! places_at
-- Where each stream was at a moment: before its first event since then, at its end where there is none.
SELECT s.id, coalesce((
    SELECT e.seq - 1 FROM audit_event e WHERE e.stream_id = s.id AND e.at >= :since ORDER BY e.at, e.seq LIMIT 1), s.seq) AS seq
FROM stream s
ORDER BY s.id;

--: Row(generation?, retry_after_ms?, decide_ns?, args_bytes?, decision_seq?, reply_bytes?, duration_us?, redactions?, cost_microusd?, trace?, call?, http_status?, rpc_code?, attempts?, user_id?, tenant?, department?, tier?, auth_method?, roles?, scopes?, token_id?, client?, act_for?, address?, agent?, session?, mcp_session?, context?, task?, channel?, server?, tool?, method?, args_digest?, args_preview?, verdict?, layer?, reason?, rule?, evidence?, observed?, status?, upstream?, error?, action?, subject?, detail?)

--! trail (trace?, call?, session?, mcp_session?, node?, shard?, seq?) : Row
-- The five questions, in the order of time: every row of the traces that an id names, be it a trace, a call, a session, an
-- MCP session or one event. Who acted, in which surroundings, by what right stands in a decision; what was done and how
-- it ended in its outcome, which has the same call; log-ins, jobs, policy changes and the like are rows of their own.
WITH named AS MATERIALIZED (
    SELECT e.trace FROM audit_event e WHERE e.trace = :trace
    UNION SELECT e.trace FROM audit_event e WHERE e.call = :call
    UNION (SELECT e.trace FROM audit_event e WHERE e.session = :session ORDER BY e.at LIMIT :max::integer)
    UNION (SELECT e.trace FROM audit_event e WHERE e.mcp_session = :mcp_session ORDER BY e.at LIMIT :max::integer)
    UNION SELECT e.trace FROM audit_event e
          WHERE e.stream_id = (SELECT id FROM stream WHERE node = :node AND shard = :shard) AND e.seq = :seq),
found AS MATERIALIZED (
    SELECT e.* FROM named JOIN audit_event e ON e.trace = named.trace
    UNION ALL
    -- What belongs to no request has no trace.
    SELECT e.* FROM audit_event e
    WHERE e.stream_id = (SELECT id FROM stream WHERE node = :node AND shard = :shard) AND e.seq = :seq AND e.trace IS NULL
    ORDER BY at, stream_id, seq LIMIT :max::integer)
SELECT s.node, s.shard,
       e.at, e.seq, e.generation, e.retry_after_ms, e.decide_ns, e.args_bytes, e.decision_seq, e.reply_bytes,
       e.duration_us, e.redactions, e.cost_microusd, e.trace, e.call, e.stream_id, e.http_status, e.rpc_code, e.attempts,
       e.chain, e.kind, e.user_id, e.tenant, e.department, e.tier, e.auth_method, e.roles, e.scopes, e.token_id, e.client,
       e.act_for, e.address, e.agent, e.session, e.mcp_session, e.context, e.task, e.channel, e.server, e.tool, e.method,
       e.args_digest, e.args_preview, e.verdict, e.layer, e.reason, e.rule, e.evidence, e.observed, e.status, e.upstream,
       e.error, e.action, e.subject, e.detail
FROM found e JOIN stream s ON s.id = e.stream_id
ORDER BY e.at, e.stream_id, e.seq;

--! of_stream : Row
-- What a sink missed that was away for longer than the journal keeps: behind a place of one stream, in its order.
SELECT s.node, s.shard,
       e.at, e.seq, e.generation, e.retry_after_ms, e.decide_ns, e.args_bytes, e.decision_seq, e.reply_bytes,
       e.duration_us, e.redactions, e.cost_microusd, e.trace, e.call, e.stream_id, e.http_status, e.rpc_code, e.attempts,
       e.chain, e.kind, e.user_id, e.tenant, e.department, e.tier, e.auth_method, e.roles, e.scopes, e.token_id, e.client,
       e.act_for, e.address, e.agent, e.session, e.mcp_session, e.context, e.task, e.channel, e.server, e.tool, e.method,
       e.args_digest, e.args_preview, e.verdict, e.layer, e.reason, e.rule, e.evidence, e.observed, e.status, e.upstream,
       e.error, e.action, e.subject, e.detail
FROM stream s
CROSS JOIN LATERAL (
    SELECT a.* FROM audit_event a WHERE a.stream_id = s.id AND a.seq > :after ORDER BY a.seq LIMIT :max::integer) e
WHERE s.node = :node AND s.shard = :shard
ORDER BY e.seq;

--! export (kind?, user?, agent?, session?, server?, tool?, verdict?, layer?, rule?, text?) : Row
-- Oldest first, behind a place: each event by itself, outcomes too.
WITH page AS MATERIALIZED (
    SELECT e.* FROM audit_event e
    WHERE e.at >= :since AND e.at < :until
      AND (e.at, e.stream_id, e.seq) > (:after_at, :after_stream, :after_seq)
      AND (:kind::text IS NULL OR e.kind = :kind)
      AND (:user::text IS NULL OR e.user_id = :user)
      AND (:agent::text IS NULL OR e.agent = :agent)
      AND (:session::text IS NULL OR e.session = :session)
      AND (:server::text IS NULL OR e.server = :server)
      AND (:tool::text IS NULL OR e.tool = :tool)
      AND (:verdict::text IS NULL OR e.verdict = :verdict)
      AND (:layer::text IS NULL OR e.layer = :layer)
      AND (:rule::text IS NULL OR e.rule = :rule)
      AND (:text::text IS NULL OR strpos(lower(concat_ws(' ', e.user_id, e.agent, e.server, e.tool, e.method, e.rule, e.reason,
           e.evidence, e.observed, e.args_preview, e.error, e.action, e.subject, e.detail)), lower(:text)) > 0)
    ORDER BY e.at, e.stream_id, e.seq
    LIMIT :max::integer)
SELECT s.node, s.shard,
       e.at, e.seq, e.generation, e.retry_after_ms, e.decide_ns, e.args_bytes, e.decision_seq, e.reply_bytes,
       e.duration_us, e.redactions, e.cost_microusd, e.trace, e.call, e.stream_id, e.http_status, e.rpc_code, e.attempts,
       e.chain, e.kind, e.user_id, e.tenant, e.department, e.tier, e.auth_method, e.roles, e.scopes, e.token_id, e.client,
       e.act_for, e.address, e.agent, e.session, e.mcp_session, e.context, e.task, e.channel, e.server, e.tool, e.method,
       e.args_digest, e.args_preview, e.verdict, e.layer, e.reason, e.rule, e.evidence, e.observed, e.status, e.upstream,
       e.error, e.action, e.subject, e.detail
FROM page e JOIN stream s ON s.id = e.stream_id
ORDER BY e.at, e.stream_id, e.seq;

--! first_day : (day?)
-- The oldest day that is kept.
SELECT min(to_date(right(c.relname, 8), 'YYYYMMDD')) AS day
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'audit_event'::regclass AND c.relname ~ '^audit_event_[0-9]{8}$';
