-- `:application` is replaced by the quoted role. What is not granted here the gateway cannot do: above all, change or
-- remove audit rows.
GRANT USAGE ON SCHEMA public TO :application;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM :application;
GRANT SELECT, INSERT ON audit_event TO :application;
GRANT SELECT, INSERT ON audit_checkpoint, audit_key TO :application;
GRANT SELECT ON audit_tombstone TO :application;
GRANT SELECT, INSERT, UPDATE ON stream TO :application;
GRANT SELECT, INSERT, UPDATE, DELETE ON role, access_grant, ban TO :application;
GRANT SELECT, INSERT, DELETE ON revocation TO :application;
GRANT SELECT, INSERT, UPDATE, DELETE ON tenant, department, api_key, api_key_use TO :application;
GRANT SELECT, INSERT ON policy_generation TO :application;
REVOKE ALL ON FUNCTION ensure_partitions(date, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_partitions(date, integer) TO :application;
GRANT SELECT, INSERT, UPDATE, DELETE ON account, account_role, federated_identity, password, passkey, recovery_code, one_time_link,
    attempt, session, ceremony, oauth_client, consent, token_family, authorization_code, refresh_token, access_token,
    device_authorization, client_assertion, signing_key TO :application;
