-- What the policy compiler reads and operators write.

--! roles
SELECT name, scopes FROM role ORDER BY name;

--! put_role
INSERT INTO role (name, scopes, description, created_by) VALUES (:name, :scopes, :description, :by)
ON CONFLICT (name) DO UPDATE SET scopes = EXCLUDED.scopes, description = EXCLUDED.description;

--! grants
SELECT id, principal_kind, principal, server, tool, effect, scopes FROM access_grant
WHERE expires_at IS NULL OR expires_at > :now
ORDER BY id;

--! put_grant (expires_at?)
INSERT INTO access_grant (id, principal_kind, principal, server, tool, effect, scopes, expires_at, created_by)
VALUES (:id, :principal_kind, :principal, :server, :tool, :effect, :scopes, :expires_at, :by)
ON CONFLICT (principal_kind, principal, server, tool, effect) DO UPDATE SET scopes = EXCLUDED.scopes, expires_at = EXCLUDED.expires_at;

--! drop_grant
DELETE FROM access_grant WHERE id = :id;

--! revoke (expires_at?)
INSERT INTO revocation (kind, subject, issued_before, expires_at, reason, created_by)
VALUES (:kind, :subject, :issued_before, :expires_at, :reason, :by)
RETURNING epoch;

--! revocations
SELECT epoch, kind, subject, issued_before FROM revocation
WHERE expires_at IS NULL OR expires_at > :now
ORDER BY epoch;

--! ban (until?)
INSERT INTO ban (kind, subject, until, reason, created_by) VALUES (:kind, :subject, :until, :reason, :by)
ON CONFLICT (kind, subject) DO UPDATE SET until = EXCLUDED.until, reason = EXCLUDED.reason, created_by = EXCLUDED.created_by;

--! unban
DELETE FROM ban WHERE kind = :kind AND subject = :subject;

--! bans : (until?)
SELECT kind, subject, until FROM ban WHERE until IS NULL OR until > :now ORDER BY kind, subject;

--! next_generation
-- Takes the next number, whoever asks on whichever node.
INSERT INTO policy_generation (generation, checksum, node, published_by)
SELECT coalesce(max(generation), 0) + 1, :checksum, :node, :by FROM policy_generation
RETURNING generation;

--! latest_generation
SELECT generation, checksum, node, published_at, published_by FROM policy_generation ORDER BY generation DESC LIMIT 1;
