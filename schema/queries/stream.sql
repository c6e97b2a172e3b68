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
