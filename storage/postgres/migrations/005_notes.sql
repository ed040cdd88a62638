-- Notes: append-only versions of a document, and who holds the note for editing.
CREATE TABLE notes (
    id           uuid PRIMARY KEY,
    practice_id  uuid NOT NULL,
    dictation_id uuid NOT NULL UNIQUE,
    parent_id    uuid,
    work_type    text NOT NULL,
    latest       int NOT NULL DEFAULT 0 CHECK (latest >= 0), -- number of the newest version; the guard against lost updates
    created_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (practice_id, id),
    FOREIGN KEY (practice_id, dictation_id) REFERENCES dictations (practice_id, id),
    FOREIGN KEY (practice_id, parent_id) REFERENCES notes (practice_id, id)
);
CREATE INDEX notes_addenda ON notes (parent_id) WHERE parent_id IS NOT NULL;
CALL protect('notes');
GRANT SELECT, INSERT, UPDATE (latest, work_type) ON notes TO vesper_app;

CREATE TABLE note_versions (
    id           uuid PRIMARY KEY,
    practice_id  uuid NOT NULL,
    note_id      uuid NOT NULL,
    number       int NOT NULL CHECK (number > 0),
    kind         text NOT NULL CHECK (kind IN ('draft', 'edit', 'addendum')),
    document     jsonb NOT NULL,
    content_hash text NOT NULL CHECK (content_hash <> ''),
    by_id        uuid,
    at           timestamptz NOT NULL,
    -- Blanks and flags that nobody settled, kept beside the document so that a list need not open documents.
    obstacles    int NOT NULL GENERATED ALWAYS AS (
        CASE WHEN jsonb_typeof(document -> 'blanks') = 'array' THEN jsonb_array_length(document -> 'blanks') ELSE 0 END +
        CASE WHEN jsonb_typeof(document -> 'flags') = 'array' THEN jsonb_array_length(jsonb_path_query_array(document,
            '$.flags[*] ? (!exists(@.settled) || @.settled == null)')) ELSE 0 END) STORED,
    UNIQUE (note_id, number),
    FOREIGN KEY (practice_id, note_id) REFERENCES notes (practice_id, id),
    FOREIGN KEY (practice_id, by_id) REFERENCES people (practice_id, id),
    -- Every word has a source: what no person wrote comes from the engine.
    CONSTRAINT note_versions_has_author CHECK (kind = 'draft' OR by_id IS NOT NULL)
);
CALL protect('note_versions');
CALL append_only('note_versions');
GRANT SELECT, INSERT ON note_versions TO vesper_app;

-- Claims are history: a row per hold. At most one per dictation has not ended.
CREATE TABLE claims (
    id           uuid PRIMARY KEY,
    practice_id  uuid NOT NULL,
    dictation_id uuid NOT NULL,
    person_id    uuid NOT NULL,
    token        uuid NOT NULL,
    since        timestamptz NOT NULL,
    until        timestamptz NOT NULL,
    ended_at     timestamptz,
    end_reason   text NOT NULL DEFAULT '',
    FOREIGN KEY (practice_id, dictation_id) REFERENCES dictations (practice_id, id),
    FOREIGN KEY (practice_id, person_id) REFERENCES people (practice_id, id),
    CONSTRAINT claims_ended_has_reason CHECK ((ended_at IS NULL) = (end_reason = ''))
);
CREATE UNIQUE INDEX claims_live ON claims (dictation_id) WHERE ended_at IS NULL;
CREATE INDEX claims_history ON claims (dictation_id, since);
CALL protect('claims');
GRANT SELECT, INSERT, UPDATE (until, ended_at, end_reason) ON claims TO vesper_app;

---- create above / drop below ----

DROP TABLE claims;
DROP TABLE note_versions;
DROP TABLE notes;
