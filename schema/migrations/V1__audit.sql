-- The audit stream: one wide row per decision, outcome, log-in, command, job or policy change. Every field of the
-- journal's record has a column, so that a record's bytes can be made again from its row and its chain hash checked.
-- Absent texts and digests are null. Words are those of the decision vocabulary; a code without a word reads `#code`.

-- One row per shard of one data directory: two processes on one database never mix their streams.
CREATE TABLE stream (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    node uuid NOT NULL,
    shard integer NOT NULL CHECK (shard BETWEEN 0 AND 65535),
    -- The watermark: records up to this one are in audit_event, and the chain after it.
    seq bigint NOT NULL DEFAULT 0 CHECK (seq >= 0),
    chain bytea NOT NULL CHECK (octet_length(chain) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    shipped_at timestamptz,
    UNIQUE (node, shard)
);

CREATE TABLE audit_event (
    -- Fixed widths first: no padding between them.
    at timestamptz NOT NULL,
    seq bigint NOT NULL,
    generation bigint,
    retry_after_ms bigint,
    decide_ns bigint,
    args_bytes bigint,
    decision_seq bigint,
    reply_bytes bigint,
    duration_us bigint,
    redactions bigint,
    cost_microusd bigint,
    trace uuid,
    call uuid,
    stream_id integer NOT NULL REFERENCES stream,
    http_status integer,
    rpc_code integer,
    attempts smallint,
    chain bytea NOT NULL,
    kind text NOT NULL,
    -- Identity.
    user_id text,
    tenant text,
    department text,
    tier text,
    auth_method text,
    roles text,
    scopes text,
    token_id text,
    client text,
    act_for text,
    address text,
    -- Agent context.
    agent text,
    session text,
    mcp_session text,
    context text,
    task text,
    -- The call and its verdict.
    channel text,
    server text,
    tool text,
    method text,
    args_digest bytea,
    args_preview text,
    verdict text,
    layer text,
    reason text,
    rule text,
    evidence text,
    observed text,
    -- Its outcome.
    status text,
    upstream text,
    error text,
    -- Everything else.
    action text,
    subject text,
    detail text,
    PRIMARY KEY (stream_id, seq, at)
) PARTITION BY RANGE (at);

-- Time windows: rows arrive in order of time, so block ranges are enough and cost next to nothing.
CREATE INDEX audit_event_at ON audit_event USING brin (at) WITH (pages_per_range = 32, autosummarize = on);
-- One trace: the five questions about one call.
CREATE INDEX audit_event_trace ON audit_event (trace);

-- Append-only, whoever asks. The application role has no right to try either.
CREATE FUNCTION audit_event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit rows are append-only: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege', HINT = 'drop whole days with drop_partitions_before(day)';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_event FOR EACH ROW EXECUTE FUNCTION audit_event_is_append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON audit_event EXECUTE FUNCTION audit_event_is_append_only();

-- Makes the partitions of `days` days (UTC) from `first` on and says how many were missing. The new table is attached,
-- not created in place: that way neither readers nor other shippers wait.
CREATE FUNCTION ensure_partitions(first date, days integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    day date;
    name text;
    made integer := 0;
BEGIN
    IF days NOT BETWEEN 1 AND 400 THEN
        RAISE EXCEPTION 'days must be from 1 to 400, not %', days USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR day IN SELECT first + i FROM generate_series(0, days - 1) i LOOP
        name := 'audit_event_' || to_char(day, 'YYYYMMDD');
        CONTINUE WHEN to_regclass('public.' || name) IS NOT NULL;
        -- Two shippers may meet here; the second waits and finds the work done. Attaching takes this lock anyway; it
        -- stops neither readers nor writers.
        LOCK TABLE public.audit_event IN SHARE UPDATE EXCLUSIVE MODE;
        CONTINUE WHEN to_regclass('public.' || name) IS NOT NULL;
        EXECUTE format('CREATE TABLE public.%I (LIKE public.audit_event INCLUDING ALL)', name);
        EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.%I EXECUTE FUNCTION public.audit_event_is_append_only()', name);
        EXECUTE format('ALTER TABLE public.audit_event ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)', name, day::timestamptz, (day + 1)::timestamptz);
        made := made + 1;
    END LOOP;
    RETURN made;
END $$;

-- Retention: drops the days before `day` and says which. Not for the application role.
CREATE FUNCTION drop_partitions_before(day date) RETURNS SETOF date
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    name text;
    partition_day date;
BEGIN
    FOR name IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                WHERE i.inhparent = 'public.audit_event'::regclass AND c.relname ~ '^audit_event_[0-9]{8}$' ORDER BY 1 LOOP
        partition_day := to_date(right(name, 8), 'YYYYMMDD');
        CONTINUE WHEN partition_day >= day;
        EXECUTE format('DROP TABLE public.%I', name);
        RETURN NEXT partition_day;
    END LOOP;
END $$;
