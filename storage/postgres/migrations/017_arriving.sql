-- Recordings that still arrive: their parts, and what is heard of them so far. All of it is a head start and none of it is
-- history: nothing depends on these rows, and they go when the dictation is transcribed or the upload is given up.
--
--   open ──▶ received ──▶ taken ──▶ done        a dictation came of it; its transcription takes over what was heard
--     └─────────┴───────────┴─────▶ dropped     given up: withdrawn, silent for long, not to be decoded
--
-- The parts of a closed one are removed first; the row itself stays a while, so that a part which was on its way to the
-- object store meanwhile is found and removed too.
CREATE TABLE arriving (
    id           uuid PRIMARY KEY, -- of the upload
    practice_id  uuid NOT NULL REFERENCES practices,
    author_id    uuid NOT NULL,
    patient_id   uuid,
    encounter_id uuid,
    settings     jsonb NOT NULL,
    state        text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'received', 'taken', 'done', 'dropped')),
    parts        int NOT NULL DEFAULT 0 CHECK (parts >= 0),
    bytes        bigint NOT NULL DEFAULT 0 CHECK (bytes >= 0), -- that stand in parts
    chunks       int NOT NULL DEFAULT 0 CHECK (chunks >= 0),
    heard        double precision NOT NULL DEFAULT 0 CHECK (heard >= 0), -- seconds
    dictation_id uuid,
    code         text NOT NULL DEFAULT '', -- why it was dropped, or the last trouble
    attempt      int NOT NULL DEFAULT 0,
    run_after    timestamptz NOT NULL DEFAULT now(),
    lease_token  uuid,
    lease_until  timestamptz,
    worker       text NOT NULL DEFAULT '',
    began_at     timestamptz NOT NULL DEFAULT now(),
    active_at    timestamptz NOT NULL DEFAULT now(), -- when bytes came last
    closed_at    timestamptz,
    purged_at    timestamptz,
    UNIQUE (practice_id, id),
    FOREIGN KEY (practice_id, author_id) REFERENCES people (practice_id, id),
    FOREIGN KEY (practice_id, patient_id) REFERENCES patients (practice_id, id),
    FOREIGN KEY (practice_id, encounter_id) REFERENCES encounters (practice_id, id),
    FOREIGN KEY (practice_id, dictation_id) REFERENCES dictations (practice_id, id),
    CONSTRAINT arriving_lease CHECK ((lease_token IS NULL) = (lease_until IS NULL)),
    CONSTRAINT arriving_leased_while_heard CHECK (lease_token IS NULL OR state IN ('open', 'received')),
    CONSTRAINT arriving_closed CHECK ((state IN ('done', 'dropped')) = (closed_at IS NOT NULL)),
    CONSTRAINT arriving_became CHECK ((state IN ('received', 'taken', 'done')) <= (dictation_id IS NOT NULL))
);
CREATE INDEX arriving_open ON arriving (began_at, id) WHERE state = 'open';
CREATE INDEX arriving_closed ON arriving (closed_at) WHERE closed_at IS NOT NULL;
CREATE UNIQUE INDEX arriving_of_dictation ON arriving (dictation_id) WHERE dictation_id IS NOT NULL;
CALL protect('arriving');
-- Workers look for what arrives before a practice is known; they see ids, settings and times.
CREATE POLICY across_practices ON arriving TO vesper_worker
    USING (current_practice() IS NULL) WITH CHECK (current_practice() IS NULL);
GRANT SELECT, INSERT ON arriving TO vesper_app;
GRANT UPDATE (state, parts, bytes, dictation_id, code, lease_token, lease_until, active_at, closed_at) ON arriving TO vesper_app;
GRANT UPDATE (chunks, heard, attempt, run_after, worker, purged_at), DELETE ON arriving TO vesper_worker;

-- Encrypted pieces of the upload in the object store. The row is there before the object, so that whoever compares the two
-- knows every object; a row that is not ready has none, or one that is not whole.
CREATE TABLE arriving_parts (
    upload_id    uuid NOT NULL,
    practice_id  uuid NOT NULL,
    number       int NOT NULL CHECK (number >= 0),
    byte_offset  bigint NOT NULL CHECK (byte_offset >= 0),
    size         bigint NOT NULL CHECK (size > 0),
    key          text NOT NULL UNIQUE CHECK (key <> ''),
    sealed_key   bytea NOT NULL,
    sha256       text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    ready        boolean NOT NULL DEFAULT false,
    PRIMARY KEY (upload_id, number),
    FOREIGN KEY (practice_id, upload_id) REFERENCES arriving (practice_id, id)
);
CALL protect('arriving_parts');
GRANT SELECT, INSERT, UPDATE (byte_offset, size, sealed_key, sha256, ready) ON arriving_parts TO vesper_app;
GRANT DELETE ON arriving_parts TO vesper_worker;

-- What was heard, chunk by chunk, and what the listening expects to hear. The web server has no use for either.
CREATE TABLE arriving_chunks (
    upload_id   uuid NOT NULL,
    practice_id uuid NOT NULL,
    number      int NOT NULL CHECK (number > 0),
    result      jsonb NOT NULL,
    PRIMARY KEY (upload_id, number),
    FOREIGN KEY (practice_id, upload_id) REFERENCES arriving (practice_id, id)
);
CALL protect('arriving_chunks');
GRANT SELECT, INSERT, DELETE ON arriving_chunks TO vesper_worker;

CREATE TABLE arriving_terms (
    upload_id   uuid PRIMARY KEY,
    practice_id uuid NOT NULL,
    terms       jsonb NOT NULL CHECK (jsonb_typeof(terms) = 'array'),
    FOREIGN KEY (practice_id, upload_id) REFERENCES arriving (practice_id, id)
);
CALL protect('arriving_terms');
GRANT SELECT, INSERT, DELETE ON arriving_terms TO vesper_worker;

---- create above / drop below ----

DROP TABLE arriving_terms;
DROP TABLE arriving_chunks;
DROP TABLE arriving_parts;
DROP TABLE arriving;
