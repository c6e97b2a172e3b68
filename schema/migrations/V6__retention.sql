-- Retention: days leave as whole partitions, and a signed tombstone stays that says which records they held and how the
-- chain goes on behind them, so that verification still closes.

-- One row per stream and day that rows were removed from.
CREATE TABLE audit_tombstone (
    id uuid PRIMARY KEY,
    node uuid NOT NULL,
    shard integer NOT NULL CHECK (shard BETWEEN 0 AND 65535),
    day date NOT NULL,
    at timestamptz NOT NULL,
    -- Runs of records that are gone, 48 bytes each: first and last number (little-endian), the chain after the last one.
    gaps bytea NOT NULL CHECK (octet_length(gaps) > 0 AND octet_length(gaps) % 48 = 0),
    kid text NOT NULL,
    signature bytea NOT NULL CHECK (octet_length(signature) = 64)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_tombstone FOR EACH ROW EXECUTE FUNCTION audit_event_is_append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON audit_tombstone EXECUTE FUNCTION audit_event_is_append_only();

-- The shipper only writes rows of streams that it has claimed, and streams are never deleted; the check costs a look-up
-- per row, and makes every day that leaves lock the table of streams.
ALTER TABLE audit_event DROP CONSTRAINT audit_event_stream_id_fkey;

-- It left no tombstone.
DROP FUNCTION drop_partitions_before(date);
CREATE OR REPLACE FUNCTION audit_event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit rows are append-only: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege', HINT = 'whole days leave by retention: services/governance, audit.retention';
END $$;
