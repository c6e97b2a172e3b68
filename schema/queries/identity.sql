-- Accounts, their credentials, sessions and keys.

--: Account(email?, tenant?, department?, disabled_at?, merged_into?)
--: Session(ended_at?)

--! account : Account
SELECT id, tier, name, email, tenant, department, handle, created_at, created_by, disabled_at, merged_into
FROM account WHERE id = :id;

--! account_by_login : Account
-- By id, or by the address of its mail.
SELECT id, tier, name, email, tenant, department, handle, created_at, created_by, disabled_at, merged_into
FROM account WHERE id = :login OR lower(email) = lower(:login) ORDER BY id <> :login LIMIT 1;

--! account_by_handle : Account
SELECT id, tier, name, email, tenant, department, handle, created_at, created_by, disabled_at, merged_into
FROM account WHERE handle = :handle;

--! accounts : Account
SELECT id, tier, name, email, tenant, department, handle, created_at, created_by, disabled_at, merged_into
FROM account ORDER BY id;

--! put_account (email?, tenant?, department?)
-- Nothing happens when the id is taken.
INSERT INTO account (id, tier, name, email, tenant, department, created_by)
VALUES (:id, :tier, :name, :email, :tenant, :department, :by) ON CONFLICT DO NOTHING;

--! update_account (email?, tenant?, department?)
UPDATE account SET tier = :tier, name = :name, email = :email, tenant = :tenant, department = :department WHERE id = :id;

--! disable_account
UPDATE account SET disabled_at = coalesce(disabled_at, :now) WHERE id = :id;

--! enable_account
UPDATE account SET disabled_at = NULL WHERE id = :id AND merged_into IS NULL;

--! administrators
SELECT count(*) FROM account WHERE tier = 'admin' AND disabled_at IS NULL;

--! account_roles
SELECT DISTINCT role FROM account_role WHERE account = :account ORDER BY role;

--! account_role_sources
SELECT role, source, created_at, created_by FROM account_role WHERE account = :account ORDER BY role, source;

--! put_account_role
INSERT INTO account_role (account, role, source, created_by) VALUES (:account, :role, :source, :by) ON CONFLICT DO NOTHING;

--! drop_account_role
DELETE FROM account_role WHERE account = :account AND role = :role AND source = :source;

--! drop_roles_of_source
DELETE FROM account_role WHERE account = :account AND source = :source AND NOT role = ANY(:keep);

--! federated_account
UPDATE federated_identity SET last_used_at = :now WHERE provider = :provider AND subject = :subject RETURNING account;

--! put_federated_identity
INSERT INTO federated_identity (provider, subject, account, last_used_at) VALUES (:provider, :subject, :account, :now);

--! federated_identities_of_provider
SELECT subject FROM federated_identity WHERE account = :account AND provider = :provider;

--! drop_federated_identity
DELETE FROM federated_identity WHERE account = :account AND provider = :provider AND subject = :subject;

--! federated_identities
SELECT provider, subject FROM federated_identity WHERE account = :account ORDER BY provider;

--! password
SELECT phc FROM password WHERE account = :account;

--! put_password
INSERT INTO password (account, phc, changed_at) VALUES (:account, :phc, :now)
ON CONFLICT (account) DO UPDATE SET phc = EXCLUDED.phc, changed_at = EXCLUDED.changed_at;

--! drop_password
DELETE FROM password WHERE account = :account;

--! passkeys : (last_used_at?)
SELECT id, name, credential, created_at, last_used_at FROM passkey WHERE account = :account ORDER BY created_at;

--! passkey : (last_used_at?)
SELECT account, name, credential, last_used_at FROM passkey WHERE id = :id;

--! passkey_of_handle
-- Whether an authenticator that says this handle may speak for the account: its own, or one that was merged into it.
SELECT EXISTS (SELECT FROM account WHERE handle = :handle AND (id = :account OR merged_into = :account));

--! rename_passkey
UPDATE passkey SET name = :name WHERE id = :id AND account = :account;

--! passkey_count
SELECT count(*) FROM passkey WHERE account = :account;

--! put_passkey
INSERT INTO passkey (id, account, name, credential) VALUES (:id, :account, :name, :credential) ON CONFLICT DO NOTHING;

--! use_passkey
UPDATE passkey SET credential = :credential, last_used_at = :now WHERE id = :id;

--! drop_passkey
DELETE FROM passkey WHERE id = :id AND account = :account;

--! drop_recovery_codes
DELETE FROM recovery_code WHERE account = :account;

--! put_recovery_code
INSERT INTO recovery_code (digest, account) VALUES (:digest, :account);

--! use_recovery_code
UPDATE recovery_code SET used_at = :now WHERE digest = :digest AND account = :account AND used_at IS NULL;

--! recovery_codes_left
SELECT count(*) FROM recovery_code WHERE account = :account AND used_at IS NULL;

--! put_link (account?)
INSERT INTO one_time_link (digest, purpose, account, created_by, expires_at) VALUES (:digest, :purpose, :account, :by, :expires_at);

--! link : (account?)
SELECT purpose, account FROM one_time_link WHERE digest = :digest AND used_at IS NULL AND expires_at > :now;

--! use_link
UPDATE one_time_link SET used_at = :now WHERE digest = :digest AND used_at IS NULL AND expires_at > :now;

--! drop_links (account?)
DELETE FROM one_time_link WHERE purpose = :purpose AND account IS NOT DISTINCT FROM :account;

--! attempts : (locked_until?)
SELECT failures, first_at, last_at, locked_until FROM attempt WHERE kind = :kind AND subject = :subject;

--! fail : (locked_until?)
-- Counts a failure, in a window that begins with the first, and locks for `lock_s` once there are `allowed` of them.
INSERT INTO attempt AS a (kind, subject, failures, first_at, last_at) VALUES (:kind, :subject, 1, :now, :now)
ON CONFLICT (kind, subject) DO UPDATE SET
    failures = CASE WHEN a.first_at < :window_start THEN 1 ELSE a.failures + 1 END,
    first_at = CASE WHEN a.first_at < :window_start THEN EXCLUDED.first_at ELSE a.first_at END,
    last_at = EXCLUDED.last_at,
    locked_until = CASE WHEN a.first_at >= :window_start AND a.failures + 1 >= :allowed THEN :lock_until ELSE a.locked_until END
RETURNING failures, locked_until;

--! forgive
DELETE FROM attempt WHERE kind = :kind AND subject = :subject;

--! put_session (digest?)
INSERT INTO session (id, account, digest, method, address, user_agent, created_at, authenticated_at, last_seen_at, expires_at)
VALUES (:id, :account, :digest, :method, :address, :user_agent, :now, :now, :now, :expires_at);

--! session_by_digest
SELECT s.id, s.account, s.method, s.authenticated_at, s.expires_at, s.last_seen_at FROM session s JOIN account a ON a.id = s.account
WHERE s.digest = :digest AND s.ended_at IS NULL AND s.expires_at > :now AND a.disabled_at IS NULL;

--! session : Session
SELECT id, account, method, address, user_agent, created_at, authenticated_at, last_seen_at, expires_at, ended_at
FROM session WHERE id = :id;

--! sessions : Session
-- Those that are alive.
SELECT id, account, method, address, user_agent, created_at, authenticated_at, last_seen_at, expires_at, ended_at
FROM session WHERE account = :account AND ended_at IS NULL AND expires_at > :now ORDER BY created_at DESC;

--! seen_session
UPDATE session SET last_seen_at = :now WHERE id = :id;

--! prove_session
-- The same log-in under another cookie: who was there has proved again who they are.
UPDATE session SET digest = :digest, method = :method, address = :address, user_agent = :user_agent, authenticated_at = :now,
    last_seen_at = :now WHERE id = :id AND ended_at IS NULL;

--! end_session
UPDATE session SET ended_at = :now WHERE id = :id AND ended_at IS NULL;

--! end_sessions
UPDATE session SET ended_at = :now WHERE account = :account AND ended_at IS NULL RETURNING id;

--! put_ceremony (account?)
INSERT INTO ceremony (digest, kind, account, state, expires_at) VALUES (:digest, :kind, :account, :state, :expires_at);

--! take_ceremony : (account?)
DELETE FROM ceremony WHERE digest = :digest AND kind = :kind AND expires_at > :now RETURNING account, state;

--! signing_keys
SELECT kid, node, algorithm, public, sealed, signs_from, signs_until, verifies_until FROM signing_key
WHERE verifies_until > :now ORDER BY signs_from, kid;

--! put_signing_key
INSERT INTO signing_key (kid, node, algorithm, public, sealed, signs_from, signs_until, verifies_until)
VALUES (:kid, :node, :algorithm, :public, :sealed, :signs_from, :signs_until, :verifies_until);

--! retire_signing_key
-- Nothing is signed with it from now on; what was signed before goes on to verify.
UPDATE signing_key SET signs_until = greatest(signs_from + interval '1 microsecond', :now) WHERE kid = :kid AND signs_until > :now;

--! revoke_signing_keys
-- Whatever they signed is refused from the next policy on, on every node; the one that signs now stays.
DELETE FROM signing_key WHERE node = :node AND kid <> :kid;

--! forget_signing_keys
DELETE FROM signing_key WHERE verifies_until <= :now;
