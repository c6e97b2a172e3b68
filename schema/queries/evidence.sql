-- Checkpoints, and what `verify` asks besides the rows themselves.

--: StoredCheckpoint()

--! add_key
INSERT INTO audit_key (kid, public_key, node) VALUES (:kid, :public_key, :node) ON CONFLICT (kid) DO NOTHING;

--! keys
SELECT kid, public_key FROM audit_key ORDER BY added_at, kid;

--! add_checkpoint
-- None is added when one with this number exists.
INSERT INTO audit_checkpoint (node, shard, number, at, seq, chain, previous, kid, signature)
VALUES (:node, :shard, :number, :at, :seq, :chain, :previous, :kid, :signature)
ON CONFLICT (node, shard, number) DO NOTHING;

--! last_checkpoint : StoredCheckpoint
SELECT node, shard, number, at, seq, chain, previous, kid, signature
FROM audit_checkpoint WHERE node = :node AND shard = :shard ORDER BY number DESC LIMIT 1;

--! checkpoints : StoredCheckpoint
SELECT node, shard, number, at, seq, chain, previous, kid, signature FROM audit_checkpoint ORDER BY node, shard, number;

--! streams
SELECT id, node, shard, seq, chain FROM stream ORDER BY id;

--! first_since : (seq?)
SELECT min(seq) AS seq FROM audit_event WHERE stream_id = :id AND at >= :at;

--! last_until : (seq?)
SELECT max(seq) AS seq FROM audit_event WHERE stream_id = :id AND at <= :at;

--! chain_of
SELECT chain FROM audit_event WHERE stream_id = :id AND seq = :seq ORDER BY at LIMIT 1;

--! stream_ids
-- The streams that rows claim to be of, without reading all rows: from each number to the next larger one.
WITH RECURSIVE found AS (
    (SELECT stream_id FROM audit_event ORDER BY stream_id LIMIT 1)
    UNION ALL
    SELECT (SELECT e.stream_id FROM audit_event e WHERE e.stream_id > f.stream_id ORDER BY e.stream_id LIMIT 1)
    FROM found f WHERE f.stream_id IS NOT NULL
)
SELECT stream_id AS id FROM found WHERE stream_id IS NOT NULL;
