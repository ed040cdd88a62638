-- Server-side sessions of the web. The token itself is never stored: who reads this table cannot use it to sign in.
-- They exist before a practice is known, hence no row-level security; they hold ids, no patient text.
CREATE TABLE sessions (
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    data       bytea NOT NULL,
    expiry     timestamptz NOT NULL,
    person_id  uuid REFERENCES people -- so that disabling a person ends that person's sessions at once
);
CREATE INDEX sessions_expiry ON sessions (expiry);
CREATE INDEX sessions_person ON sessions (person_id) WHERE person_id IS NOT NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON sessions TO vesper_app;

---- create above / drop below ----

DROP TABLE sessions;
