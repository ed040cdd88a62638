-- Dictations and their recordings.
CREATE TABLE dictations (
    id           uuid PRIMARY KEY,
    practice_id  uuid NOT NULL REFERENCES practices,
    author_id    uuid NOT NULL,
    patient_id   uuid,
    encounter_id uuid,
    audio_id     uuid,
    parent_id    uuid,
    work_type    text NOT NULL DEFAULT '',
    priority     text NOT NULL CHECK (priority IN ('stat', 'routine')),
    state        text NOT NULL CHECK (state IN ('received', 'queued', 'transcribed', 'drafted', 'in_review',
                     'awaiting_signature', 'signed', 'delivered', 'rejected', 'failed')),
    reason       text NOT NULL DEFAULT '',
    client_key   text NOT NULL DEFAULT '',
    received_at  timestamptz NOT NULL,
    due_at       timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL DEFAULT now(),
    -- A dictation is a recording; only an addendum is typed, and it adds to another dictation's note.
    CONSTRAINT dictations_audio_or_parent CHECK ((audio_id IS NULL) = (parent_id IS NOT NULL)),
    CONSTRAINT dictations_visit_has_patient CHECK (encounter_id IS NULL OR patient_id IS NOT NULL),
    UNIQUE (practice_id, id),
    FOREIGN KEY (practice_id, author_id) REFERENCES people (practice_id, id),
    FOREIGN KEY (practice_id, patient_id) REFERENCES patients (practice_id, id),
    -- The visit must be a visit of the bound patient: a note filed on another patient's visit is a hazard.
    FOREIGN KEY (practice_id, encounter_id, patient_id) REFERENCES encounters (practice_id, id, patient_id),
    FOREIGN KEY (practice_id, parent_id) REFERENCES dictations (practice_id, id)
);
-- The client's idempotency key: sending again finds the first dictation.
CREATE UNIQUE INDEX dictations_client_key ON dictations (author_id, client_key) WHERE client_key <> '';
-- Lists: the order of work within states, an author's own, and the newest.
CREATE INDEX dictations_work ON dictations (practice_id, state, (priority <> 'stat'), due_at, id);
CREATE INDEX dictations_author ON dictations (practice_id, author_id, received_at DESC, id);
CREATE INDEX dictations_newest ON dictations (practice_id, received_at DESC, id);
CREATE INDEX dictations_addenda ON dictations (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX dictations_patient ON dictations (practice_id, patient_id) WHERE patient_id IS NOT NULL;
-- What workers must move along; small, because dictations leave these states quickly.
CREATE INDEX dictations_by_workers ON dictations (state) WHERE state IN ('received', 'queued', 'transcribed', 'signed');
CALL protect('dictations');
-- Outside a practice a worker may look for dictations that nothing moves along any more.
CREATE POLICY across_practices ON dictations FOR SELECT TO vesper_worker USING (current_practice() IS NULL);
GRANT SELECT, INSERT ON dictations TO vesper_app;
GRANT UPDATE (state, reason, patient_id, encounter_id, work_type, priority, due_at, updated_at) ON dictations TO vesper_app;

-- A recording in the object store. It carries the author so that "one author, same bytes" is one unique key.
CREATE TABLE audio_objects (
    id           uuid PRIMARY KEY,
    practice_id  uuid NOT NULL,
    dictation_id uuid NOT NULL,
    author_id    uuid NOT NULL,
    rendition    text NOT NULL CHECK (rendition IN ('original', 'playback')),
    key          text NOT NULL CHECK (key <> ''),
    sha256       text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    size         bigint NOT NULL CHECK (size > 0),
    sealed_key   bytea NOT NULL,
    version_id   text NOT NULL DEFAULT '',
    content_type text NOT NULL DEFAULT '',
    filename     text NOT NULL DEFAULT '',
    seconds      double precision NOT NULL DEFAULT 0 CHECK (seconds >= 0),
    created_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (practice_id, id, dictation_id),
    UNIQUE (dictation_id, rendition),
    FOREIGN KEY (practice_id, dictation_id) REFERENCES dictations (practice_id, id),
    FOREIGN KEY (practice_id, author_id) REFERENCES people (practice_id, id)
);
-- The same bytes from the same author are the same dictation.
CREATE UNIQUE INDEX audio_objects_same_bytes ON audio_objects (practice_id, author_id, sha256) WHERE rendition = 'original';
CALL protect('audio_objects');
GRANT SELECT, INSERT ON audio_objects TO vesper_app;
GRANT UPDATE (seconds) ON audio_objects TO vesper_app;

-- "Received" is said after commit, and a commit without the recording's row fails here. Deferred, because the two rows
-- point at each other.
ALTER TABLE dictations ADD CONSTRAINT dictations_audio FOREIGN KEY (practice_id, audio_id, id)
    REFERENCES audio_objects (practice_id, id, dictation_id) DEFERRABLE INITIALLY DEFERRED;

-- The table of transitions, the same as in the program (a test compares them).
CREATE TABLE dictation_moves (
    from_state text NOT NULL,
    to_state   text NOT NULL,
    PRIMARY KEY (from_state, to_state)
);
INSERT INTO dictation_moves VALUES
    ('received', 'queued'), ('queued', 'transcribed'), ('transcribed', 'drafted'), ('drafted', 'in_review'),
    ('in_review', 'drafted'), ('in_review', 'awaiting_signature'), ('awaiting_signature', 'drafted'),
    ('awaiting_signature', 'signed'), ('signed', 'delivered'),
    ('received', 'rejected'), ('queued', 'rejected'), ('in_review', 'rejected'), ('failed', 'rejected'),
    ('received', 'failed'), ('queued', 'failed'), ('transcribed', 'failed'),
    ('failed', 'queued'), ('failed', 'transcribed'), ('rejected', 'queued');
CALL append_only('dictation_moves');
GRANT SELECT ON dictation_moves TO vesper_app;

-- guard_dictation refuses a state that cannot follow, and a change of patient, visit or work type after the signature.
CREATE FUNCTION guard_dictation() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        -- An addendum has no audio to work on: it starts as a draft, or waits for its author's signature.
        IF NEW.state = 'received' OR (NEW.parent_id IS NOT NULL AND NEW.state IN ('drafted', 'awaiting_signature')) THEN
            NULL;
        ELSE
            RAISE EXCEPTION 'a dictation cannot begin as %', NEW.state USING ERRCODE = 'VS002';
        END IF;
        IF NEW.parent_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM dictations WHERE id = NEW.parent_id AND state IN ('signed', 'delivered')) THEN
            RAISE EXCEPTION 'an addendum needs a signed note' USING ERRCODE = 'VS003';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.state <> OLD.state AND NOT EXISTS (
        SELECT FROM dictation_moves WHERE from_state = OLD.state AND to_state = NEW.state) THEN
        RAISE EXCEPTION 'a dictation cannot go from % to %', OLD.state, NEW.state USING ERRCODE = 'VS002';
    END IF;
    IF OLD.state IN ('signed', 'delivered')
       AND (NEW.patient_id, NEW.encounter_id, NEW.work_type) IS DISTINCT FROM (OLD.patient_id, OLD.encounter_id, OLD.work_type) THEN
        RAISE EXCEPTION 'a signed dictation keeps its patient, visit and work type' USING ERRCODE = 'VS004';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER guard_dictation BEFORE INSERT OR UPDATE ON dictations
    FOR EACH ROW EXECUTE FUNCTION guard_dictation();

-- What became of each dictation and why. The row of the dictation holds the newest reason only; here every one stays,
-- also that of a step that leaves the state as it is, as when a delivery failed or a person ordered it again.
CREATE TABLE state_changes (
    practice_id  uuid NOT NULL,
    dictation_id uuid NOT NULL,
    ord          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    from_state   text NOT NULL,
    to_state     text NOT NULL,
    reason       text NOT NULL,
    FOREIGN KEY (practice_id, dictation_id) REFERENCES dictations (practice_id, id)
);
CREATE INDEX state_changes_of_dictation ON state_changes (dictation_id, ord);
CALL protect('state_changes');
CALL append_only('state_changes');
GRANT SELECT ON state_changes TO vesper_app;

-- The trigger writes as the owner, whom the policy lets: the application's roles cannot add a row of their own, nor take
-- a step past it.
DO $$
BEGIN
    EXECUTE format('CREATE POLICY written_by_trigger ON state_changes FOR INSERT TO %I WITH CHECK (true)', current_user);
END
$$;
CREATE FUNCTION note_state_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO public.state_changes (practice_id, dictation_id, from_state, to_state, reason)
    VALUES (NEW.practice_id, NEW.id, OLD.state, NEW.state, NEW.reason);
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION note_state_change() FROM PUBLIC;
CREATE TRIGGER note_state_change AFTER UPDATE OF state, reason ON dictations
    FOR EACH ROW WHEN ((OLD.state, OLD.reason) IS DISTINCT FROM (NEW.state, NEW.reason)) EXECUTE FUNCTION note_state_change();

---- create above / drop below ----

ALTER TABLE dictations DROP CONSTRAINT dictations_audio;
DROP TABLE dictation_moves;
DROP TABLE state_changes;
DROP TABLE audio_objects;
DROP TABLE dictations;
DROP FUNCTION note_state_change();
DROP FUNCTION guard_dictation();
