-- What operators keep beside accounts: API keys, and the names of tenants and departments. The compiler reads keys and
-- accounts into the snapshot; the path of a call never reads them here.

CREATE TABLE tenant (
    id text PRIMARY KEY CHECK (id <> '' AND octet_length(id) <= 256),
    name text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL
);

CREATE TABLE department (
    id text PRIMARY KEY CHECK (id <> '' AND octet_length(id) <= 256),
    tenant text REFERENCES tenant,
    name text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL
);

-- An erased account: its row stays, so that its id is never given to somebody else.
ALTER TABLE account ADD COLUMN erased_at timestamptz;

-- The key itself is shown once and kept nowhere; `hash` is keyed with a secret of the node.
CREATE TABLE api_key (
    id text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{16}$'),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    account text NOT NULL REFERENCES account ON DELETE CASCADE,
    name text NOT NULL DEFAULT '',
    agent text,
    -- The only roles of the account, scopes of these roles, and servers that it is good for; empty for all.
    roles text[] NOT NULL DEFAULT '{}',
    scopes text[] NOT NULL DEFAULT '{}',
    servers text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    revoked_by text
);
CREATE INDEX api_key_account ON api_key (account);

-- Gathered from the audit trail, which alone knows. Apart from the key, whose changes are announced.
CREATE TABLE api_key_use (
    key text PRIMARY KEY REFERENCES api_key ON DELETE CASCADE,
    last_used_at timestamptz NOT NULL
);

CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON api_key EXECUTE FUNCTION tell_policy_changed();
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON account EXECUTE FUNCTION tell_policy_changed();
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON account_role EXECUTE FUNCTION tell_policy_changed();
