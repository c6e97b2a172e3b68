-- Clients, and what was issued to them.

--: Client(secret_digest?, jwks?, client_uri?, scopes?, account?, last_used_at?, stale_at?, disabled_at?)
--: RefreshToken(used_at?)

--! client : Client
SELECT id, origin, name, redirect_uris, post_logout_redirect_uris, grant_types, auth_method, secret_digest, jwks,
    application_type, client_uri, scopes, account, may_exchange, may_introspect, created_at, created_by, last_used_at,
    stale_at, disabled_at
FROM oauth_client WHERE id = :id;

--! clients : Client
SELECT id, origin, name, redirect_uris, post_logout_redirect_uris, grant_types, auth_method, secret_digest, jwks,
    application_type, client_uri, scopes, account, may_exchange, may_introspect, created_at, created_by, last_used_at,
    stale_at, disabled_at
FROM oauth_client ORDER BY created_at, id;

--! put_client (secret_digest?, jwks?, client_uri?, scopes?, account?, stale_at?)
-- A document is read again from time to time, an operator may change what is his; what operators granted stays.
INSERT INTO oauth_client AS c (id, origin, name, redirect_uris, post_logout_redirect_uris, grant_types, auth_method, secret_digest, jwks,
    application_type, client_uri, scopes, account, may_exchange, may_introspect, created_by, stale_at)
VALUES (:id, :origin, :name, :redirect_uris, :post_logout_redirect_uris, :grant_types, :auth_method, :secret_digest, :jwks,
    :application_type, :client_uri, :scopes, :account, :may_exchange, :may_introspect, :by, :stale_at)
ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, redirect_uris = EXCLUDED.redirect_uris,
    post_logout_redirect_uris = EXCLUDED.post_logout_redirect_uris, grant_types = EXCLUDED.grant_types,
    auth_method = EXCLUDED.auth_method, secret_digest = EXCLUDED.secret_digest, jwks = EXCLUDED.jwks,
    application_type = EXCLUDED.application_type, client_uri = EXCLUDED.client_uri, stale_at = EXCLUDED.stale_at
WHERE c.origin = EXCLUDED.origin AND c.origin <> 'registered';

--! used_client
UPDATE oauth_client SET last_used_at = :now WHERE id = :id AND (last_used_at IS NULL OR last_used_at < :before);

--! disable_client
UPDATE oauth_client SET disabled_at = coalesce(disabled_at, :now) WHERE id = :id;

--! enable_client
UPDATE oauth_client SET disabled_at = NULL WHERE id = :id;

--! drop_client
DELETE FROM oauth_client WHERE id = :id;

--! registered_since
SELECT count(*) FROM oauth_client WHERE origin = 'registered' AND created_at > :since;

--! forget_unused_clients
-- Whoever registers and never comes back.
DELETE FROM oauth_client WHERE origin = 'registered' AND created_at < :before AND last_used_at IS NULL;

--! consent
SELECT scopes, resources, granted_at FROM consent WHERE account = :account AND client = :client_id;

--! consents
SELECT c.client, o.name, c.scopes, c.resources, c.granted_at FROM consent c JOIN oauth_client o ON o.id = c.client
WHERE c.account = :account ORDER BY c.granted_at DESC;

--! put_consent
-- Adds to what was agreed to before.
INSERT INTO consent AS c (account, client, scopes, resources, granted_at) VALUES (:account, :client_id, :scopes, :resources, :now)
ON CONFLICT (account, client) DO UPDATE SET
    scopes = ARRAY(SELECT DISTINCT unnest(c.scopes || EXCLUDED.scopes) ORDER BY 1),
    resources = ARRAY(SELECT DISTINCT unnest(c.resources || EXCLUDED.resources) ORDER BY 1),
    granted_at = EXCLUDED.granted_at;

--! drop_consent
DELETE FROM consent WHERE account = :account AND client = :client_id;

--! put_code (nonce?)
INSERT INTO authorization_code (digest, client, account, session, redirect_uri, code_challenge, nonce, scopes, resources,
    authenticated_at, expires_at)
VALUES (:digest, :client_id, :account, :session, :redirect_uri, :code_challenge, :nonce, :scopes, :resources, :authenticated_at,
    :expires_at);

--! lock_code : (nonce?, family?, used_at?)
-- Locked, so that of two that come at once one sees the other's family.
SELECT client, account, session, redirect_uri, code_challenge, nonce, scopes, resources, authenticated_at, expires_at, family,
    used_at
FROM authorization_code WHERE digest = :digest FOR UPDATE;

--! use_code (family?)
UPDATE authorization_code SET used_at = :now, family = :family WHERE digest = :digest;

--! put_family (session?)
INSERT INTO token_family (id, client, account, session, scopes, resources, authenticated_at, created_at, expires_at)
VALUES (:id, :client_id, :account, :session, :scopes, :resources, :authenticated_at, :now, :expires_at);

--! family : (session?, revoked_at?)
SELECT id, client, account, session, scopes, resources, authenticated_at, expires_at, revoked_at FROM token_family WHERE id = :id;

--! families_of_session
SELECT id FROM token_family WHERE session = :session AND revoked_at IS NULL;

--! families_of_client
SELECT id FROM token_family WHERE account = :account AND client = :client_id AND revoked_at IS NULL;

--! revoke_family
UPDATE token_family SET revoked_at = :now, revoked_why = :why WHERE id = :id AND revoked_at IS NULL;

--! put_refresh_token
INSERT INTO refresh_token (digest, family, created_at, expires_at) VALUES (:digest, :family, :now, :expires_at);

--! lock_refresh_token : RefreshToken
SELECT family, expires_at, used_at FROM refresh_token WHERE digest = :digest FOR UPDATE;

--! refresh_token : RefreshToken
SELECT family, expires_at, used_at FROM refresh_token WHERE digest = :digest;

--! use_refresh_token
UPDATE refresh_token SET used_at = :now WHERE digest = :digest;

--! put_access_token (family?)
INSERT INTO access_token (jti, family, client, account, issued_at, expires_at) VALUES (:jti, :family, :client_id, :account, :now, :expires_at);

--! access_token : (family?, revoked_at?)
SELECT family, client, account, expires_at, revoked_at FROM access_token WHERE jti = :jti;

--! revoke_access_tokens
UPDATE access_token SET revoked_at = :now WHERE family = :family AND revoked_at IS NULL AND expires_at > :now RETURNING jti, expires_at;

--! revoke_access_token
UPDATE access_token SET revoked_at = :now WHERE jti = :jti AND revoked_at IS NULL RETURNING expires_at;

--! put_device_authorization
INSERT INTO device_authorization (digest, user_code, client, scopes, resources, address, created_at, expires_at, interval_s)
VALUES (:digest, :user_code, :client_id, :scopes, :resources, :address, :now, :expires_at, :interval_s) ON CONFLICT DO NOTHING;

--! device_by_user_code
SELECT digest, client, scopes, resources, address, created_at FROM device_authorization
WHERE user_code = :user_code AND state = 'pending' AND expires_at > :now;

--! answer_device (account?, session?, authenticated_at?)
-- With what is given of what was asked for.
UPDATE device_authorization SET state = :state, account = :account, session = :session, authenticated_at = :authenticated_at,
    scopes = :scopes
WHERE digest = :digest AND state = 'pending' AND expires_at > :now;

--! lock_device : (account?, session?, authenticated_at?, polled_at?)
SELECT client, scopes, resources, state, account, session, authenticated_at, expires_at, interval_s, polled_at
FROM device_authorization WHERE digest = :digest FOR UPDATE;

--! polled_device
UPDATE device_authorization SET polled_at = :now, interval_s = :interval_s WHERE digest = :digest;

--! use_device
UPDATE device_authorization SET state = 'used' WHERE digest = :digest;

--! put_assertion
INSERT INTO client_assertion (digest, expires_at) VALUES (:digest, :expires_at) ON CONFLICT DO NOTHING;

--! revoked_since
-- Whether a token of this session or user, issued at `issued_at`, was taken back.
SELECT EXISTS (SELECT FROM revocation WHERE issued_before >= :issued_at
    AND ((kind = 'user' AND subject = :account) OR (kind = 'session' AND subject = :session)));

--! forget_expired
-- What nobody can use any more.
WITH codes AS (DELETE FROM authorization_code WHERE expires_at < :before),
    tokens AS (DELETE FROM access_token WHERE expires_at < :before),
    refreshes AS (DELETE FROM refresh_token WHERE expires_at < :before),
    families AS (DELETE FROM token_family WHERE expires_at < :before),
    devices AS (DELETE FROM device_authorization WHERE expires_at < :before),
    assertions AS (DELETE FROM client_assertion WHERE expires_at < :before),
    ceremonies AS (DELETE FROM ceremony WHERE expires_at < :before),
    links AS (DELETE FROM one_time_link WHERE expires_at < :before),
    attempts AS (DELETE FROM attempt WHERE last_at < :before AND (locked_until IS NULL OR locked_until < :before))
DELETE FROM session WHERE expires_at < :before;
