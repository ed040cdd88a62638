-- The record. An event commits with the action it records; a sequencer later gives it a place in a Merkle tree whose
-- signed checkpoints leave the database.
CREATE TABLE audit_events (
    id          uuid PRIMARY KEY,
    practice_id uuid NOT NULL REFERENCES practices,
    at          timestamptz NOT NULL,
    actor_id    uuid NOT NULL, -- all zeros for Vesper itself
    actor_role  text NOT NULL CHECK (actor_role <> ''),
    action      text NOT NULL CHECK (action <> ''),
    subject     text NOT NULL CHECK (subject <> ''),
    subject_id  uuid NOT NULL,
    outcome     text NOT NULL CHECK (outcome IN ('done', 'refused')),
    request_id  text NOT NULL DEFAULT '',
    detail      jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(detail) = 'object') -- ids, hashes, codes; no patient text
);
CREATE INDEX audit_events_subject ON audit_events (subject_id, at, id);
CREATE INDEX audit_events_practice ON audit_events (practice_id, at DESC, id DESC);
CALL protect('audit_events');
CALL append_only('audit_events');
CREATE POLICY across_practices ON audit_events FOR SELECT TO vesper_worker USING (current_practice() IS NULL);
GRANT SELECT, INSERT ON audit_events TO vesper_app;

-- Events that have no place in the tree yet: what makes the sequencer's look cheap however long the record grows. It is
-- filled by a trigger, so an event cannot be written past it.
CREATE TABLE audit_pending (
    at       timestamptz NOT NULL,
    event_id uuid NOT NULL REFERENCES audit_events,
    PRIMARY KEY (at, event_id)
);
GRANT SELECT, DELETE ON audit_pending TO vesper_worker;

CREATE FUNCTION note_pending() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO public.audit_pending (at, event_id) VALUES (NEW.at, NEW.id);
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION note_pending() FROM PUBLIC;
CREATE TRIGGER note_pending AFTER INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION note_pending();

-- The tree: one entry per event, the stored hashes (in the order of golang.org/x/mod/sumdb/tlog), the checkpoints.
CREATE TABLE audit_entries (
    seq      bigint PRIMARY KEY CHECK (seq >= 0),
    event_id uuid NOT NULL UNIQUE REFERENCES audit_events,
    leaf     bytea NOT NULL CHECK (length(leaf) = 32)
);
CREATE TABLE audit_hashes (
    idx  bigint PRIMARY KEY CHECK (idx >= 0),
    hash bytea NOT NULL CHECK (length(hash) = 32)
);
CREATE TABLE audit_checkpoints (
    size bigint PRIMARY KEY CHECK (size > 0),
    root bytea NOT NULL CHECK (length(root) = 32),
    note bytea NOT NULL,
    at   timestamptz NOT NULL DEFAULT now()
);
CALL append_only('audit_entries');
CALL append_only('audit_hashes');
CALL append_only('audit_checkpoints');
-- The tree spans all practices, so only workers build it.
GRANT SELECT, INSERT ON audit_entries, audit_hashes, audit_checkpoints TO vesper_worker;

-- Verifying needs the whole tree, whoever asks. These functions run as the owner, whom the policy lets read; they are
-- the only way for the web server to see more than one practice of the record, which holds ids and codes only.
DO $$
BEGIN
    EXECUTE format('CREATE POLICY verify ON audit_events FOR SELECT TO %I USING (true)', current_user);
END
$$;

CREATE FUNCTION audit_log(from_seq bigint, lim int)
    RETURNS TABLE (seq bigint, leaf bytea, id uuid, practice_id uuid, at timestamptz, actor_id uuid, actor_role text,
                   action text, subject text, subject_id uuid, outcome text, request_id text, detail jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    BEGIN ATOMIC
        -- A missing event still has its entry: the verifier then finds it.
        SELECT n.seq, n.leaf, e.id, e.practice_id, e.at, e.actor_id, e.actor_role, e.action, e.subject, e.subject_id,
               e.outcome, e.request_id, e.detail
        FROM public.audit_entries n LEFT JOIN public.audit_events e ON e.id = n.event_id
        WHERE n.seq >= from_seq ORDER BY n.seq LIMIT lim;
    END;

CREATE FUNCTION audit_checkpoint_notes() RETURNS SETOF bytea
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    BEGIN ATOMIC
        SELECT note FROM public.audit_checkpoints ORDER BY size;
    END;

-- Counted from the tables themselves, not from audit_pending: a deleted reminder must not hide an event.
CREATE FUNCTION audit_unsequenced(before timestamptz) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    BEGIN ATOMIC
        SELECT count(*) FROM public.audit_events e
        WHERE e.at < before AND NOT EXISTS (SELECT FROM public.audit_entries n WHERE n.event_id = e.id);
    END;

REVOKE EXECUTE ON FUNCTION audit_log(bigint, int), audit_checkpoint_notes(), audit_unsequenced(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_log(bigint, int), audit_checkpoint_notes(), audit_unsequenced(timestamptz) TO vesper_app;

---- create above / drop below ----

DROP FUNCTION audit_unsequenced(timestamptz);
DROP FUNCTION audit_checkpoint_notes();
DROP FUNCTION audit_log(bigint, int);
DROP TABLE audit_checkpoints;
DROP TABLE audit_hashes;
DROP TABLE audit_entries;
DROP TABLE audit_pending;
DROP TABLE audit_events;
DROP FUNCTION note_pending();
