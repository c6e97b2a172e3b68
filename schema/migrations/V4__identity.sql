-- Who people, machines and clients are, and what they were given. The authorization server reads and writes it; the path
-- of a call never does: what a shard must know (keys, revocations) reaches it in the snapshot.
--
-- Secrets of every kind (cookies, codes, tokens, client secrets, links) are random, at least 80 bits, and stand here as
-- digests only, so that a copy of the database logs nobody in. Private keys are sealed with a key that the node keeps
-- outside of it.

-- A person or a machine account: the subject of tokens. The id is the `sub`, stands in audit rows and is never reused.
CREATE TABLE account (
    id text PRIMARY KEY CHECK (id <> '' AND octet_length(id) <= 256),
    tier text NOT NULL DEFAULT 'user' CHECK (tier IN ('admin', 'user', 'a2a', 'mcp', 'service')),
    name text NOT NULL DEFAULT '',
    email text,
    tenant text,
    department text,
    -- What an authenticator is told instead of the id (WebAuthn's user handle).
    handle uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    disabled_at timestamptz,
    -- The account that this one became part of; such an account is disabled too.
    merged_into text REFERENCES account
);
CREATE UNIQUE INDEX account_email ON account (lower(email));

-- `source` says who gave the role: `local`, or the identity provider that gives and takes it at every log-in.
CREATE TABLE account_role (
    account text NOT NULL REFERENCES account ON DELETE CASCADE,
    role text NOT NULL,
    source text NOT NULL DEFAULT 'local',
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    PRIMARY KEY (account, role, source)
);

-- The same person at an identity provider.
CREATE TABLE federated_identity (
    provider text NOT NULL,
    subject text NOT NULL,
    account text NOT NULL REFERENCES account ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    PRIMARY KEY (provider, subject)
);
CREATE INDEX federated_identity_account ON federated_identity (account);

CREATE TABLE password (
    account text PRIMARY KEY REFERENCES account ON DELETE CASCADE,
    -- Argon2id in PHC form.
    phc text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE passkey (
    id bytea PRIMARY KEY,
    account text NOT NULL REFERENCES account ON DELETE CASCADE,
    name text NOT NULL,
    credential jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz
);
CREATE INDEX passkey_account ON passkey (account);

CREATE TABLE recovery_code (
    digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    account text NOT NULL REFERENCES account ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at timestamptz
);
CREATE INDEX recovery_code_account ON recovery_code (account);

-- A link that makes the first administrator, or lets a person enrol a credential. Good once.
CREATE TABLE one_time_link (
    digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    purpose text NOT NULL CHECK (purpose IN ('first_admin', 'enrol')),
    -- Whose; nobody's while there is no administrator.
    account text REFERENCES account ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    CHECK ((purpose = 'first_admin') = (account IS NULL))
);

-- Failed attempts, by what was guessed at (`account`, `address`, `client` …).
CREATE TABLE attempt (
    kind text NOT NULL,
    subject text NOT NULL,
    failures integer NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    locked_until timestamptz,
    PRIMARY KEY (kind, subject)
);

-- A log-in of one person in one browser. Its id is the `sid` of tokens.
CREATE TABLE session (
    id text PRIMARY KEY CHECK (id <> ''),
    account text NOT NULL REFERENCES account ON DELETE CASCADE,
    -- Of the cookie's value; null where there is no browser.
    digest bytea UNIQUE CHECK (octet_length(digest) = 32),
    method text NOT NULL,
    address text NOT NULL DEFAULT '',
    user_agent text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    authenticated_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE INDEX session_account ON session (account);

-- What a browser has begun and must finish: a passkey ceremony, a log-in at an identity provider. Good once.
CREATE TABLE ceremony (
    digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    kind text NOT NULL,
    account text REFERENCES account ON DELETE CASCADE,
    state jsonb NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE TABLE oauth_client (
    id text PRIMARY KEY CHECK (id <> '' AND octet_length(id) <= 256),
    -- Registered by itself (RFC 7591), described by a document at its id, or made by an operator.
    origin text NOT NULL CHECK (origin IN ('registered', 'document', 'operator')),
    name text NOT NULL DEFAULT '',
    redirect_uris text[] NOT NULL DEFAULT '{}',
    post_logout_redirect_uris text[] NOT NULL DEFAULT '{}',
    grant_types text[] NOT NULL,
    auth_method text NOT NULL CHECK (auth_method IN ('none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt')),
    secret_digest bytea CHECK (octet_length(secret_digest) = 32),
    jwks jsonb,
    application_type text NOT NULL DEFAULT 'web' CHECK (application_type IN ('native', 'web')),
    client_uri text,
    -- The most it may ever get; null for whatever the person who agrees may give.
    scopes text[],
    -- Who it is when it acts for itself (client credentials).
    account text REFERENCES account ON DELETE CASCADE,
    -- May exchange tokens of others for tokens on their behalf (RFC 8693).
    may_exchange boolean NOT NULL DEFAULT false,
    -- May ask about tokens that were not issued to it (RFC 7662).
    may_introspect boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    last_used_at timestamptz,
    -- A document is read again after this.
    stale_at timestamptz,
    disabled_at timestamptz,
    CHECK ((auth_method LIKE 'client_secret%') = (secret_digest IS NOT NULL)),
    CHECK (auth_method <> 'private_key_jwt' OR jwks IS NOT NULL)
);

CREATE TABLE consent (
    account text NOT NULL REFERENCES account ON DELETE CASCADE,
    client text NOT NULL REFERENCES oauth_client ON DELETE CASCADE,
    scopes text[] NOT NULL,
    resources text[] NOT NULL,
    granted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, client)
);

-- Everything that one consent led to: revoked as a whole when a code or a refresh token is used twice.
CREATE TABLE token_family (
    id uuid PRIMARY KEY,
    client text NOT NULL REFERENCES oauth_client ON DELETE CASCADE,
    account text NOT NULL REFERENCES account ON DELETE CASCADE,
    session text REFERENCES session ON DELETE CASCADE,
    scopes text[] NOT NULL,
    resources text[] NOT NULL,
    authenticated_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    revoked_why text
);
CREATE INDEX token_family_account ON token_family (account);
CREATE INDEX token_family_session ON token_family (session);

CREATE TABLE authorization_code (
    digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    client text NOT NULL REFERENCES oauth_client ON DELETE CASCADE,
    account text NOT NULL REFERENCES account ON DELETE CASCADE,
    session text NOT NULL REFERENCES session ON DELETE CASCADE,
    redirect_uri text NOT NULL,
    code_challenge text NOT NULL,
    nonce text,
    scopes text[] NOT NULL,
    resources text[] NOT NULL,
    authenticated_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    -- What it was redeemed for; a second attempt revokes that.
    family uuid REFERENCES token_family ON DELETE CASCADE,
    used_at timestamptz
);

CREATE TABLE refresh_token (
    digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    family uuid NOT NULL REFERENCES token_family ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX refresh_token_family ON refresh_token (family);

-- Access tokens that may still be alive: for introspection, and so that what a family issued can be taken back.
CREATE TABLE access_token (
    jti text PRIMARY KEY,
    family uuid REFERENCES token_family ON DELETE CASCADE,
    client text NOT NULL,
    account text NOT NULL,
    issued_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX access_token_family ON access_token (family);

CREATE TABLE device_authorization (
    digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    user_code text NOT NULL UNIQUE,
    client text NOT NULL REFERENCES oauth_client ON DELETE CASCADE,
    scopes text[] NOT NULL,
    resources text[] NOT NULL,
    address text NOT NULL DEFAULT '',
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'approved', 'denied', 'used')),
    account text REFERENCES account ON DELETE CASCADE,
    session text REFERENCES session ON DELETE CASCADE,
    authenticated_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    interval_s integer NOT NULL,
    polled_at timestamptz
);

-- Assertions of clients, each good once.
CREATE TABLE client_assertion (
    digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    expires_at timestamptz NOT NULL
);

-- Keys that sign tokens. Every node signs with its own and seals it with its own secret; the public halves hold on all.
CREATE TABLE signing_key (
    kid text PRIMARY KEY,
    node uuid NOT NULL,
    algorithm text NOT NULL CHECK (algorithm IN ('EdDSA', 'ES256')),
    public bytea NOT NULL,
    sealed bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- Published from the beginning, signs from here, so that every shard knows it before it is used.
    signs_from timestamptz NOT NULL,
    signs_until timestamptz NOT NULL,
    verifies_until timestamptz NOT NULL,
    CHECK (signs_from < signs_until AND signs_until < verifies_until)
);
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON signing_key EXECUTE FUNCTION tell_policy_changed();
