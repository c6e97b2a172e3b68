-- What the policy compiler reads beside `policy.sql`, and what operators list and change.

--! live_grants : (expires_at?)
SELECT id, principal_kind, principal, server, tool, effect, scopes, expires_at FROM access_grant
WHERE expires_at IS NULL OR expires_at > :now
ORDER BY id;

--! disabled_accounts
SELECT id FROM account WHERE disabled_at IS NOT NULL;

--! live_keys : (tenant?, department?, agent?, expires_at?)
-- Those that expired lately too, so that whoever still uses one is told so.
SELECT k.id, k.hash, k.account, a.tier, a.tenant, a.department, k.agent, k.scopes, k.servers, k.created_at, k.expires_at,
    ARRAY(SELECT DISTINCT r.role FROM account_role r
          WHERE r.account = k.account AND (k.roles = '{}' OR r.role = ANY(k.roles)) ORDER BY 1) AS roles
FROM api_key k JOIN account a ON a.id = k.account
WHERE k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > :since);

--: User(email?, tenant?, department?, disabled_at?, merged_into?)

--! users (tenant?, department?, role?, text?) : User
SELECT a.id, a.tier, a.name, a.email, a.tenant, a.department, a.created_at, a.created_by, a.disabled_at, a.merged_into,
    ARRAY(SELECT DISTINCT r.role FROM account_role r WHERE r.account = a.id ORDER BY 1) AS roles
FROM account a
WHERE a.erased_at IS NULL AND a.id > :after
  AND (:tenant::text IS NULL OR a.tenant = :tenant)
  AND (:department::text IS NULL OR a.department = :department)
  AND (:role::text IS NULL OR EXISTS (SELECT FROM account_role r WHERE r.account = a.id AND r.role = :role))
  AND (:text::text IS NULL OR strpos(lower(concat_ws(' ', a.id, a.name, a.email)), lower(:text)) > 0)
ORDER BY a.id LIMIT :max::integer;

--! user : User
SELECT a.id, a.tier, a.name, a.email, a.tenant, a.department, a.created_at, a.created_by, a.disabled_at, a.merged_into,
    ARRAY(SELECT DISTINCT r.role FROM account_role r WHERE r.account = a.id ORDER BY 1) AS roles
FROM account a WHERE a.id = :id AND a.erased_at IS NULL;

--! user_credentials
SELECT (SELECT count(*) FROM passkey WHERE account = :id) AS passkeys,
    (SELECT count(*) FROM password WHERE account = :id) AS passwords,
    (SELECT count(*) FROM federated_identity WHERE account = :id) AS identities,
    (SELECT count(*) FROM session WHERE account = :id AND ended_at IS NULL AND expires_at > :now) AS sessions,
    (SELECT count(*) FROM api_key WHERE account = :id AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now)) AS keys;

--! other_administrators
SELECT count(*) FROM account WHERE tier = 'admin' AND disabled_at IS NULL AND id <> :id;

--! lock_accounts
-- Two operators who each disable the other's account take turns, so that one administrator is left.
SELECT pg_advisory_xact_lock(7368) IS NULL AS locked;

--! erase_account
UPDATE account SET name = '', email = NULL, tenant = NULL, department = NULL, disabled_at = coalesce(disabled_at, :now),
    erased_at = :now WHERE id = :id;

--! erase_credentials
WITH roles AS (DELETE FROM account_role WHERE account = :id),
    identities AS (DELETE FROM federated_identity WHERE account = :id),
    passwords AS (DELETE FROM password WHERE account = :id),
    passkeys AS (DELETE FROM passkey WHERE account = :id),
    codes AS (DELETE FROM recovery_code WHERE account = :id),
    links AS (DELETE FROM one_time_link WHERE account = :id),
    consents AS (DELETE FROM consent WHERE account = :id)
UPDATE api_key SET revoked_at = :now, revoked_by = :by WHERE account = :id AND revoked_at IS NULL;

--! merge_account
-- What proves who somebody is, and what was given, goes over; what both have stays once. Password and codes do not.
WITH roles AS (INSERT INTO account_role (account, role, source, created_by)
        SELECT :into, role, source, :by FROM account_role WHERE account = :id ON CONFLICT DO NOTHING),
    identities AS (UPDATE federated_identity SET account = :into WHERE account = :id),
    passkeys AS (UPDATE passkey SET account = :into WHERE account = :id),
    keys AS (UPDATE api_key SET account = :into WHERE account = :id)
UPDATE account SET merged_into = :into, disabled_at = coalesce(disabled_at, :now) WHERE id = :id;

--! end_families
UPDATE token_family SET revoked_at = :now, revoked_why = :why WHERE account = :account AND revoked_at IS NULL;

--! end_families_of_session
UPDATE token_family SET revoked_at = :now, revoked_why = :why WHERE session = :session AND revoked_at IS NULL;

--: SessionRow(ended_at?)

--! list_sessions (user?) : SessionRow
SELECT id, account, method, address, user_agent, created_at, last_seen_at, expires_at, ended_at FROM session
WHERE (:user::text IS NULL OR account = :user) AND (:ended::boolean OR (ended_at IS NULL AND expires_at > :now)) AND id > :after
ORDER BY id LIMIT :max::integer;

--! clients_of_session
SELECT f.client, c.name, f.scopes, f.created_at, f.expires_at FROM token_family f JOIN oauth_client c ON c.id = f.client
WHERE f.session = :session AND f.revoked_at IS NULL ORDER BY f.created_at;

--! stored_roles
SELECT name, scopes, description, created_at, created_by,
    (SELECT count(DISTINCT r.account) FROM account_role r WHERE r.role = role.name) AS users
FROM role ORDER BY name;

--! holders
SELECT role, count(DISTINCT account) AS users FROM account_role GROUP BY role ORDER BY role;

--! drop_role
DELETE FROM role WHERE name = :name;

--! stored_grants : (expires_at?)
SELECT id, principal_kind, principal, server, tool, effect, scopes, expires_at, created_at, created_by FROM access_grant
ORDER BY created_at, id;

--! upsert_grant (expires_at?)
INSERT INTO access_grant (id, principal_kind, principal, server, tool, effect, scopes, expires_at, created_by)
VALUES (:id, :principal_kind, :principal, :server, :tool, :effect, :scopes, :expires_at, :by)
ON CONFLICT (principal_kind, principal, server, tool, effect)
DO UPDATE SET scopes = EXCLUDED.scopes, expires_at = EXCLUDED.expires_at RETURNING id;

--! stored_bans : (until?)
SELECT kind, subject, until, reason, created_at, created_by FROM ban WHERE until IS NULL OR until > :now ORDER BY kind, subject;

--! put_tenant
INSERT INTO tenant (id, name, created_by) VALUES (:id, :name, :by) ON CONFLICT DO NOTHING;

--! update_tenant
UPDATE tenant SET name = :name WHERE id = :id;

--! drop_tenant
DELETE FROM tenant WHERE id = :id;

--! tenants
SELECT id, name, created_at, created_by,
    (SELECT count(*) FROM account a WHERE a.tenant = tenant.id) AS users,
    (SELECT count(*) FROM department d WHERE d.tenant = tenant.id) AS departments
FROM tenant ORDER BY id;

--! put_department (tenant?)
INSERT INTO department (id, tenant, name, created_by) VALUES (:id, :tenant, :name, :by) ON CONFLICT DO NOTHING;

--! update_department (tenant?, name?)
-- What is not said stays; a department leaves its tenant only where that is said.
UPDATE department SET name = coalesce(:name, name), tenant = CASE WHEN :leave::boolean THEN NULL ELSE coalesce(:tenant, tenant) END
WHERE id = :id;

--! drop_department
DELETE FROM department WHERE id = :id;

--! departments : (tenant?)
SELECT id, tenant, name, created_at, created_by, (SELECT count(*) FROM account a WHERE a.department = department.id) AS users
FROM department ORDER BY id;

--! put_key (agent?, expires_at?)
INSERT INTO api_key (id, hash, account, name, agent, roles, scopes, servers, created_by, expires_at)
VALUES (:id, :hash, :account, :name, :agent, :roles, :scopes, :servers, :by, :expires_at);

--: KeyRow(agent?, expires_at?, revoked_at?, revoked_by?, last_used_at?)

--! list_keys (user?) : KeyRow
SELECT k.id, k.account, k.name, k.agent, k.roles, k.scopes, k.servers, k.created_at, k.created_by, k.expires_at, k.revoked_at,
    k.revoked_by, u.last_used_at
FROM api_key k LEFT JOIN api_key_use u ON u.key = k.id
WHERE (:user::text IS NULL OR k.account = :user) AND (:dead::boolean OR (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > :now)))
  AND k.id > :after
ORDER BY k.id LIMIT :max::integer;

--! key : KeyRow
SELECT k.id, k.account, k.name, k.agent, k.roles, k.scopes, k.servers, k.created_at, k.created_by, k.expires_at, k.revoked_at,
    k.revoked_by, u.last_used_at
FROM api_key k LEFT JOIN api_key_use u ON u.key = k.id WHERE k.id = :id;

--! revoke_key
UPDATE api_key SET revoked_at = :now, revoked_by = :by WHERE id = :id AND revoked_at IS NULL;

--! note_key_use
-- From an hour before the last use that is known: rows of other nodes may arrive late.
INSERT INTO api_key_use AS u (key, last_used_at)
SELECT k.id, max(e.at) FROM audit_event e JOIN api_key k ON k.id = e.token_id
WHERE e.kind = 'decision' AND e.auth_method = 'api_key'
  AND e.at >= coalesce((SELECT max(last_used_at) - interval '1 hour' FROM api_key_use), (SELECT min(created_at) FROM api_key), now())
GROUP BY k.id
ON CONFLICT (key) DO UPDATE SET last_used_at = greatest(u.last_used_at, EXCLUDED.last_used_at)
WHERE u.last_used_at < EXCLUDED.last_used_at;

--! account_counts
SELECT (SELECT count(*) FROM account WHERE erased_at IS NULL) AS users,
    (SELECT count(*) FROM account WHERE tier = 'admin' AND disabled_at IS NULL) AS administrators,
    (SELECT count(*) FROM api_key WHERE revoked_at IS NULL) AS keys,
    (SELECT count(*) FROM oauth_client WHERE disabled_at IS NULL) AS clients;
