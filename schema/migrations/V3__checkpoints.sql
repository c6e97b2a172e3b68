-- What the gateway signs about its streams. A row says: up to record `seq`, the stream is what leads to `chain`. The chain
-- alone shows that rows fit together; whoever can write here could make another one that does, but not its signature.
CREATE TABLE audit_checkpoint (
    node uuid NOT NULL,
    shard integer NOT NULL CHECK (shard BETWEEN 0 AND 65535),
    -- Counts the checkpoints of the stream, from 1. One that is missing was removed, or lost in a failover.
    number bigint NOT NULL CHECK (number > 0),
    at timestamptz NOT NULL,
    seq bigint NOT NULL CHECK (seq > 0),
    chain bytea NOT NULL CHECK (octet_length(chain) = 32),
    -- The digest of the one before; zeros for the first.
    previous bytea NOT NULL CHECK (octet_length(previous) = 32),
    kid text NOT NULL,
    signature bytea NOT NULL CHECK (octet_length(signature) = 64),
    PRIMARY KEY (node, shard, number)
);

-- The public keys, for convenience: who does not trust the database brings his own copy.
CREATE TABLE audit_key (
    kid text PRIMARY KEY,
    public_key bytea NOT NULL CHECK (octet_length(public_key) = 32),
    node uuid NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now()
);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_checkpoint FOR EACH ROW EXECUTE FUNCTION audit_event_is_append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON audit_checkpoint EXECUTE FUNCTION audit_event_is_append_only();
