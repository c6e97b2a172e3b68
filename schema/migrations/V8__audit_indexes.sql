-- What searches, exports and audits ask for. What each costs and saves stands in README.md, "Indexes"; what is not here
-- was measured too.

-- Newest first, oldest first, a page from anywhere.
CREATE INDEX audit_event_at_order ON audit_event (at);
-- What was refused: rare, so next to nothing to keep.
CREATE INDEX audit_event_refused ON audit_event (at) WHERE verdict <> 'allow';
-- What one user did.
CREATE INDEX audit_event_user ON audit_event (user_id, at) WHERE user_id IS NOT NULL;
-- One log-in session, one MCP session.
CREATE INDEX audit_event_session ON audit_event (session, at) WHERE session IS NOT NULL;
CREATE INDEX audit_event_mcp_session ON audit_event (mcp_session, at) WHERE mcp_session IS NOT NULL;
-- One call. A shard numbers its calls, so the calls of neighbouring rows are a few short stretches.
CREATE INDEX audit_event_call ON audit_event USING brin (call uuid_minmax_multi_ops) WITH (pages_per_range = 64, autosummarize = on);
