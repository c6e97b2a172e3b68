-- What operators change at run time. The compiler reads it together with services/ into the snapshot; the path of a
-- call never reads it.

CREATE TABLE role (
    name text PRIMARY KEY,
    scopes text[] NOT NULL DEFAULT '{}',
    description text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL
);

-- `grant` is a reserved word.
CREATE TABLE access_grant (
    id uuid PRIMARY KEY,
    principal_kind text NOT NULL CHECK (principal_kind IN ('user', 'role', 'department', 'tenant', 'agent')),
    principal text NOT NULL,
    server text NOT NULL,
    tool text NOT NULL DEFAULT '*',
    effect text NOT NULL CHECK (effect IN ('allow', 'deny')),
    scopes text[] NOT NULL DEFAULT '{}',
    expires_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    UNIQUE (principal_kind, principal, server, tool, effect)
);

-- Tokens of a subject issued before `issued_before` are void. `epoch` grows with every row: a cache that has seen the
-- highest one has seen them all. A row may go when the last token it voids has expired.
CREATE TABLE revocation (
    epoch bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('user', 'session', 'token')),
    subject text NOT NULL,
    issued_before timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    reason text NOT NULL DEFAULT '',
    created_by text NOT NULL
);
CREATE INDEX revocation_subject ON revocation (kind, subject);

CREATE TABLE ban (
    kind text NOT NULL CHECK (kind IN ('user', 'address')),
    subject text NOT NULL,
    until timestamptz,
    reason text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    PRIMARY KEY (kind, subject)
);

-- The snapshots that came into force, on whichever node.
CREATE TABLE policy_generation (
    generation bigint PRIMARY KEY CHECK (generation > 0),
    checksum bytea NOT NULL CHECK (octet_length(checksum) = 32),
    node uuid NOT NULL,
    published_at timestamptz NOT NULL DEFAULT now(),
    published_by text NOT NULL
);

-- Every node hears of a change at once; polling is the fallback.
CREATE FUNCTION tell_policy_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('sp_policy', TG_TABLE_NAME);
    RETURN NULL;
END $$;
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON role EXECUTE FUNCTION tell_policy_changed();
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON access_grant EXECUTE FUNCTION tell_policy_changed();
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON revocation EXECUTE FUNCTION tell_policy_changed();
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON ban EXECUTE FUNCTION tell_policy_changed();
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON policy_generation EXECUTE FUNCTION tell_policy_changed();
