-- Days that leave.

--: StoredTombstone()

--! days
-- The days that have a partition; `is_closed` where its tombstones are written and it is about to go.
SELECT c.relname::text AS name, to_date(right(c.relname, 8), 'YYYYMMDD') AS day, i.inhdetachpending AS is_detaching,
    EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.conname = 'closed') AS is_closed
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'public.audit_event'::regclass AND c.relname ~ '^audit_event_[0-9]{8}$'
ORDER BY 2;

--! detached
-- Days that are no partition any more and have not been dropped yet.
SELECT c.relname::text AS name FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname ~ '^audit_event_[0-9]{8}$'
  AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid)
  AND EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.conname = 'closed')
ORDER BY 1;

--! add_tombstone
INSERT INTO audit_tombstone (id, node, shard, day, at, gaps, kid, signature)
VALUES (:id, :node, :shard, :day, :at, :gaps, :kid, :signature);

--! tombstones : StoredTombstone
SELECT id, node, shard, day, at, gaps, kid, signature FROM audit_tombstone ORDER BY at, id;
