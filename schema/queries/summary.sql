-- What `sp infra logs summary` adds up: the same filter each time, over the same time.

--! summary_counts (kind?, user?, agent?, session?, server?, tool?, verdict?, layer?, rule?, text?)
-- How many of each kind and verdict in each step of the time.
SELECT floor(extract(epoch FROM e.at - :since) / :step_s::double precision)::integer AS step, e.kind, coalesce(e.verdict, '') AS verdict,
       coalesce(e.layer, '') AS layer, coalesce(e.reason, '') AS reason, count(*) AS events
FROM audit_event e
WHERE e.at >= :since AND e.at < :until
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
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5;

--! summary_users (kind?, user?, agent?, session?, server?, tool?, verdict?, layer?, rule?, text?)
-- Who acted most.
SELECT coalesce(e.user_id, '') AS user_id, count(*) AS events, count(*) FILTER (WHERE e.verdict <> 'allow') AS refused
FROM audit_event e
WHERE e.at >= :since AND e.at < :until
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
GROUP BY 1
ORDER BY 2 DESC, 1 LIMIT :top::integer;

--! summary_tools (kind?, user?, agent?, session?, server?, tool?, verdict?, layer?, rule?, text?)
-- What was called most.
SELECT e.server AS server, coalesce(e.tool, e.method, '') AS tool, count(*) AS events,
       count(*) FILTER (WHERE e.verdict <> 'allow') AS refused
FROM audit_event e
WHERE e.at >= :since AND e.at < :until
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
      AND e.server IS NOT NULL
GROUP BY 1, 2
ORDER BY 3 DESC, 1, 2 LIMIT :top::integer;

--! summary_latency (kind?, user?, agent?, session?, server?, tool?, verdict?, layer?, rule?, text?) : (status?)
-- How long calls took and how they ended: how many in each of the steps of a hundredth of their natural logarithm.
SELECT o.status, round(100 * ln(greatest(o.duration_us, 1)::double precision))::integer AS step, count(*) AS calls
FROM audit_event e
JOIN audit_event o ON o.stream_id = e.stream_id AND o.decision_seq = e.seq AND o.kind = 'outcome' AND o.at >= :since
WHERE e.at >= :since AND e.at < :until
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
GROUP BY 1, 2
ORDER BY 1, 2;

--! summary_decide (kind?, user?, agent?, session?, server?, tool?, verdict?, layer?, rule?, text?)
-- How long deciding took, in the same steps of nanoseconds.
SELECT round(100 * ln(greatest(e.decide_ns, 1)::double precision))::integer AS step, count(*) AS calls
FROM audit_event e
WHERE e.at >= :since AND e.at < :until
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
      AND e.decide_ns IS NOT NULL
GROUP BY 1
ORDER BY 1;
