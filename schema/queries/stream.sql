-- Streams and their watermarks: what the shipper needs besides COPY.

--! claim
-- The stream of one shard of one data directory, made at the first time.
INSERT INTO stream (node, shard, chain) VALUES (:node, :shard, :genesis)
ON CONFLICT (node, shard) DO UPDATE SET shard = EXCLUDED.shard
RETURNING id, seq, chain;

--! watermark
SELECT seq, chain FROM stream WHERE id = :id;

--! advance
-- Moves the watermark, if nobody else did: no row means that another shipper was here.
UPDATE stream SET seq = :new_seq, chain = :chain, shipped_at = now() WHERE id = :id AND seq = :old_seq;

--! ensure_partitions
SELECT ensure_partitions(:first::date, :days::integer) AS made;

--! watermarks
SELECT id, node, shard, seq FROM stream ORDER BY id;

--! unfinished : (trace?, call?)
-- Calls that were forwarded and have no outcome: after a crash, recovery completes them as `unknown`.
SELECT d.seq, d.at, d.trace, d.call
FROM audit_event d
WHERE d.stream_id = :id AND d.at >= :since AND d.kind = 'decision' AND d.verdict = 'allow'
  AND d.channel IN ('mcp', 'command', 'a2a', 'job')
  AND NOT EXISTS (
      SELECT 1 FROM audit_event o
      WHERE o.stream_id = :id AND o.at >= :since AND o.kind = 'outcome' AND o.decision_seq = d.seq)
ORDER BY d.seq
LIMIT :max::integer;
