-- Keeping: how long recordings are kept, what must not go, what went, and what a check of the object store found.

-- A rendition for playback can be made again from the original, and then stands elsewhere. An original never changes, but
-- for the version that a restoration finds it under: that is for a login that no policy binds, which Vesper's are not.
GRANT UPDATE (key, sha256, size, sealed_key, version_id) ON audio_objects TO vesper_worker;
CREATE FUNCTION guard_audio() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF OLD.rendition = 'original' AND (row_security_active(TG_RELID)
        OR (OLD.key, OLD.sha256, OLD.size, OLD.sealed_key) IS DISTINCT FROM (NEW.key, NEW.sha256, NEW.size, NEW.sealed_key)) THEN
        RAISE EXCEPTION 'an original recording never changes' USING ERRCODE = 'VS001';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER guard_audio BEFORE UPDATE ON audio_objects FOR EACH ROW
    WHEN (OLD.key IS DISTINCT FROM NEW.key OR OLD.sha256 IS DISTINCT FROM NEW.sha256 OR OLD.size IS DISTINCT FROM NEW.size
          OR OLD.sealed_key IS DISTINCT FROM NEW.sealed_key OR OLD.version_id IS DISTINCT FROM NEW.version_id)
    EXECUTE FUNCTION guard_audio();

-- How long a practice keeps recordings, by work type; '' is for every type without a rule of its own. The highest
-- version stands; the others are history. NULL days: kept for ever. Fewer than 30 days cannot be asked for.
CREATE TABLE retention_rules (
    id            uuid PRIMARY KEY,
    practice_id   uuid NOT NULL REFERENCES practices,
    work_type     text NOT NULL,
    version       int NOT NULL CHECK (version > 0),
    original_days int CHECK (original_days BETWEEN 30 AND 36500), -- after the delivery of the signed note
    playback_days int CHECK (playback_days BETWEEN 30 AND 36500), -- after the delivery of the signed note
    rejected_days int CHECK (rejected_days BETWEEN 30 AND 36500), -- after the rejection; both renditions
    reason        text NOT NULL CHECK (reason = btrim(reason) AND length(reason) BETWEEN 1 AND 500),
    set_by        uuid NOT NULL,
    set_at        timestamptz NOT NULL DEFAULT now(),
    UNIQUE (practice_id, work_type, version),
    UNIQUE (practice_id, id),
    FOREIGN KEY (practice_id, set_by) REFERENCES people (practice_id, id)
);
CALL protect('retention_rules');
CALL append_only('retention_rules');
GRANT SELECT, INSERT ON retention_rules TO vesper_app;

-- What must not go, whatever the rules say: one dictation, all of a patient or all of an author.
CREATE TABLE legal_holds (
    id           uuid PRIMARY KEY,
    practice_id  uuid NOT NULL REFERENCES practices,
    dictation_id uuid,
    patient_id   uuid,
    author_id    uuid,
    reason       text NOT NULL CHECK (reason = btrim(reason) AND length(reason) BETWEEN 1 AND 500),
    set_by       uuid NOT NULL,
    set_at       timestamptz NOT NULL DEFAULT now(),
    lifted_by    uuid,
    lifted_at    timestamptz,
    lift_reason  text CHECK (lift_reason = btrim(lift_reason) AND length(lift_reason) BETWEEN 1 AND 500),
    CONSTRAINT legal_holds_one_scope CHECK (num_nonnulls(dictation_id, patient_id, author_id) = 1),
    CONSTRAINT legal_holds_lifted CHECK (num_nulls(lifted_by, lifted_at, lift_reason) IN (0, 3)),
    FOREIGN KEY (practice_id, dictation_id) REFERENCES dictations (practice_id, id),
    FOREIGN KEY (practice_id, patient_id) REFERENCES patients (practice_id, id),
    FOREIGN KEY (practice_id, author_id) REFERENCES people (practice_id, id),
    FOREIGN KEY (practice_id, set_by) REFERENCES people (practice_id, id),
    FOREIGN KEY (practice_id, lifted_by) REFERENCES people (practice_id, id)
);
CREATE UNIQUE INDEX legal_holds_live ON legal_holds (practice_id, coalesce(dictation_id, patient_id, author_id)) WHERE lifted_at IS NULL;
CREATE INDEX legal_holds_newest ON legal_holds (practice_id, set_at DESC, id DESC);
CALL protect('legal_holds');
GRANT SELECT, INSERT, UPDATE (lifted_by, lifted_at, lift_reason) ON legal_holds TO vesper_app;
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON legal_holds FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- lock_keeping lets holds and purges of one practice meet: whoever comes second sees what the first has written.
CREATE FUNCTION lock_keeping(practice uuid) RETURNS void
    LANGUAGE sql SET search_path = pg_catalog
    RETURN pg_advisory_xact_lock(hashtextextended('vesper keeping ' || practice::text, 0));

CREATE FUNCTION guard_hold() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM lock_keeping(NEW.practice_id);
        RETURN NEW;
    END IF;
    IF OLD.lifted_at IS NOT NULL OR NEW.lifted_at IS NULL OR
        (NEW.id, NEW.practice_id, NEW.dictation_id, NEW.patient_id, NEW.author_id, NEW.reason, NEW.set_by, NEW.set_at)
        IS DISTINCT FROM (OLD.id, OLD.practice_id, OLD.dictation_id, OLD.patient_id, OLD.author_id, OLD.reason, OLD.set_by, OLD.set_at) THEN
        RAISE EXCEPTION 'a hold changes only by being lifted, once' USING ERRCODE = 'VS002';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER guard_hold BEFORE INSERT OR UPDATE ON legal_holds FOR EACH ROW EXECUTE FUNCTION guard_hold();

CREATE FUNCTION is_held(d dictations) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public
    BEGIN ATOMIC
        SELECT EXISTS (SELECT FROM public.legal_holds h WHERE h.practice_id = d.practice_id AND h.lifted_at IS NULL
            AND coalesce(h.dictation_id, h.patient_id, h.author_id) IN (d.id, d.patient_id, d.author_id));
    END;

-- finally_at is when a dictation was delivered or rejected, the last time; NULL in every other state.
CREATE FUNCTION finally_at(d dictations) RETURNS timestamptz
    LANGUAGE sql STABLE SET search_path = pg_catalog, public
    BEGIN ATOMIC
        SELECT max(c.at) FROM public.state_changes c
        WHERE c.dictation_id = d.id AND d.state IN ('delivered', 'rejected') AND c.to_state = d.state AND c.from_state <> c.to_state;
    END;

-- The intent to purge a recording, written before anything is deleted.
--
--   intended ─▶ started ─▶ done (with its tombstone)
--      ▲  ▲ └──────┤ └─▶ dropped: held meanwhile, or the rule changed
--      │  └────────┘ the store refused: locked
--      └ dropped, when it is due again
CREATE TABLE purges (
    audio_id     uuid PRIMARY KEY,
    practice_id  uuid NOT NULL,
    dictation_id uuid NOT NULL,
    rule_id      uuid NOT NULL,
    state        text NOT NULL CHECK (state IN ('intended', 'started', 'done', 'dropped')),
    code         text NOT NULL DEFAULT '', -- why it waits or was dropped
    try_after    timestamptz NOT NULL DEFAULT now(),
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (practice_id, audio_id, dictation_id) REFERENCES audio_objects (practice_id, id, dictation_id),
    FOREIGN KEY (practice_id, rule_id) REFERENCES retention_rules (practice_id, id)
);
CREATE INDEX purges_due ON purges (practice_id, try_after, audio_id) WHERE state IN ('intended', 'started');
CALL protect('purges');
GRANT SELECT ON purges TO vesper_app;
GRANT INSERT, UPDATE (rule_id, state, code, try_after, updated_at) ON purges TO vesper_worker;
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON purges FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- purge_refusal says why a recording must not go under a rule, '' when it may. The program decides the same
-- (keeping.Judge); this is the wall behind it.
CREATE FUNCTION purge_refusal(audio uuid, rule uuid) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public AS $$
DECLARE
    a audio_objects;
    d dictations;
    r retention_rules;
    days int;
BEGIN
    SELECT * INTO a FROM audio_objects WHERE id = audio;
    SELECT * INTO d FROM dictations WHERE id = a.dictation_id;
    SELECT * INTO r FROM retention_rules x WHERE x.practice_id = d.practice_id AND x.work_type IN (d.work_type, '')
        ORDER BY (x.work_type = '') , x.version DESC LIMIT 1;
    days := CASE WHEN d.state = 'rejected' THEN r.rejected_days
                 WHEN d.state = 'delivered' AND a.rendition = 'original' THEN r.original_days
                 WHEN d.state = 'delivered' THEN r.playback_days END;
    RETURN CASE
        WHEN d.state IS NULL OR d.state NOT IN ('delivered', 'rejected') THEN 'not_final'
        WHEN d.state = 'delivered' AND NOT EXISTS (
            SELECT FROM signatures s JOIN notes n ON n.id = s.note_id WHERE n.dictation_id = d.id) THEN 'not_signed'
        WHEN is_held(d) THEN 'held'
        WHEN r.id IS DISTINCT FROM rule THEN 'rule_changed'
        WHEN days IS NULL THEN 'kept_for_ever'
        WHEN r.set_at > now() - interval '7 days' THEN 'rule_young'
        WHEN coalesce(finally_at(d) > now() - make_interval(days => days), true) THEN 'not_due'
        ELSE '' END;
END
$$;

CREATE FUNCTION guard_purge() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    refusal text;
BEGIN
    PERFORM lock_keeping(NEW.practice_id);
    IF (TG_OP = 'INSERT' AND NEW.state <> 'intended')
       OR (TG_OP = 'UPDATE' AND (OLD.state, NEW.state) NOT IN (('intended', 'intended'), ('intended', 'started'), ('intended', 'dropped'),
           ('started', 'started'), ('started', 'intended'), ('started', 'dropped'), ('started', 'done'), ('dropped', 'intended'))) THEN
        RAISE EXCEPTION 'a purge cannot become %', NEW.state USING ERRCODE = 'VS002';
    END IF;
    IF NEW.state = 'started' OR TG_OP = 'INSERT' OR (OLD.state = 'dropped' AND NEW.state = 'intended') THEN
        refusal := purge_refusal(NEW.audio_id, NEW.rule_id);
        IF refusal <> '' THEN
            RAISE EXCEPTION 'a recording must not be purged: %', refusal USING ERRCODE = 'VS006', HINT = refusal;
        END IF;
    END IF;
    IF NEW.state = 'done' AND NOT EXISTS (SELECT FROM tombstones WHERE audio_id = NEW.audio_id) THEN
        RAISE EXCEPTION 'a purge leaves a tombstone' USING ERRCODE = 'VS006', HINT = 'no_tombstone';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER guard_purge BEFORE INSERT OR UPDATE ON purges FOR EACH ROW EXECUTE FUNCTION guard_purge();

-- What was rejected can be ordered again, unless its recording is going or gone.
CREATE FUNCTION guard_revival() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    PERFORM lock_keeping(NEW.practice_id);
    IF EXISTS (SELECT FROM purges WHERE audio_id = NEW.audio_id AND state IN ('started', 'done')) THEN
        RAISE EXCEPTION 'the recording was purged' USING ERRCODE = 'VS007';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER guard_revival BEFORE UPDATE OF state ON dictations FOR EACH ROW
    WHEN (OLD.state = 'rejected' AND NEW.state <> 'rejected') EXECUTE FUNCTION guard_revival();

-- What is left of a purged recording. note is the statement signed with the key of the audit log.
CREATE TABLE tombstones (
    audio_id     uuid PRIMARY KEY,
    practice_id  uuid NOT NULL,
    dictation_id uuid NOT NULL,
    rendition    text NOT NULL,
    sha256       text NOT NULL,
    size         bigint NOT NULL,
    seconds      double precision NOT NULL,
    rule_id      uuid NOT NULL,
    work_type    text NOT NULL, -- of the rule
    rule_version int NOT NULL,
    purged_at    timestamptz NOT NULL,
    note         bytea NOT NULL,
    FOREIGN KEY (practice_id, audio_id, dictation_id) REFERENCES audio_objects (practice_id, id, dictation_id),
    FOREIGN KEY (practice_id, rule_id) REFERENCES retention_rules (practice_id, id)
);
CREATE INDEX tombstones_newest ON tombstones (practice_id, purged_at DESC, audio_id DESC);
CREATE INDEX tombstones_of_dictation ON tombstones (dictation_id);
CALL protect('tombstones');
CALL append_only('tombstones');
GRANT SELECT ON tombstones TO vesper_app;
GRANT INSERT ON tombstones TO vesper_worker;

-- A tombstone stands only where a purge was started, and says what the recording's row says.
CREATE FUNCTION guard_tombstone() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM purges p JOIN audio_objects a ON a.id = p.audio_id
        WHERE p.audio_id = NEW.audio_id AND p.state = 'started' AND p.rule_id = NEW.rule_id
          AND (a.dictation_id, a.rendition, a.sha256, a.size) = (NEW.dictation_id, NEW.rendition, NEW.sha256, NEW.size)) THEN
        RAISE EXCEPTION 'a tombstone needs a purge under way' USING ERRCODE = 'VS006', HINT = 'not_started';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER guard_tombstone BEFORE INSERT ON tombstones FOR EACH ROW EXECUTE FUNCTION guard_tombstone();

-- What was asked of the object store beyond keeping: until when an object is locked, and whether it is under legal hold.
CREATE TABLE audio_locks (
    audio_id     uuid PRIMARY KEY REFERENCES audio_objects,
    practice_id  uuid NOT NULL REFERENCES practices,
    locked_until timestamptz,
    held         boolean NOT NULL DEFAULT false,
    updated_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX audio_locks_held ON audio_locks (practice_id, audio_id) WHERE held;
CALL protect('audio_locks');
GRANT SELECT ON audio_locks TO vesper_app;
GRANT INSERT, UPDATE (locked_until, held, updated_at) ON audio_locks TO vesper_worker;

-- What a check found. A finding stands until a later check finds it mended; a person may settle it with a note.
CREATE TABLE keep_findings (
    id           uuid PRIMARY KEY,
    practice_id  uuid REFERENCES practices, -- NULL: it concerns the whole installation
    kind         text NOT NULL CHECK (kind IN ('object_missing', 'version_missing', 'wrong_size', 'damaged', 'undecryptable',
                     'orphan', 'delete_marker', 'purged_present', 'playback_missing', 'checkpoint_missing', 'checkpoint_differs',
                     'checkpoint_unknown')),
    key          text NOT NULL CHECK (key <> ''),
    version_id   text NOT NULL DEFAULT '',
    audio_id     uuid,
    dictation_id uuid,
    first_seen   timestamptz NOT NULL DEFAULT now(),
    last_seen    timestamptz NOT NULL DEFAULT now(),
    mended_at    timestamptz,
    settled_by   uuid REFERENCES people,
    settled_at   timestamptz,
    settled_note text CHECK (settled_note = btrim(settled_note) AND length(settled_note) BETWEEN 1 AND 500),
    CONSTRAINT keep_findings_settled CHECK (num_nulls(settled_by, settled_at, settled_note) IN (0, 3))
);
CREATE UNIQUE INDEX keep_findings_live ON keep_findings (kind, key, version_id) WHERE mended_at IS NULL;
CREATE INDEX keep_findings_open ON keep_findings (practice_id, first_seen, id) WHERE mended_at IS NULL;
CALL protect('keep_findings');
CREATE POLICY everybodys ON keep_findings TO vesper_app USING (practice_id IS NULL AND current_practice() IS NOT NULL)
    WITH CHECK (practice_id IS NULL AND current_practice() IS NOT NULL);
CREATE POLICY across_practices ON keep_findings TO vesper_worker
    USING (current_practice() IS NULL) WITH CHECK (current_practice() IS NULL);
GRANT SELECT, UPDATE (settled_by, settled_at, settled_note) ON keep_findings TO vesper_app;
GRANT INSERT, UPDATE (last_seen, mended_at) ON keep_findings TO vesper_worker;
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON keep_findings FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION guard_finding() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF OLD.mended_at IS NOT NULL OR (OLD.settled_at IS NOT NULL
        AND (NEW.settled_by, NEW.settled_at, NEW.settled_note) IS DISTINCT FROM (OLD.settled_by, OLD.settled_at, OLD.settled_note)) THEN
        RAISE EXCEPTION 'a finding that is mended or settled does not change' USING ERRCODE = 'VS002';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER guard_finding BEFORE UPDATE ON keep_findings FOR EACH ROW EXECUTE FUNCTION guard_finding();

-- The runs of the check: numbers, and how far the present one has come.
CREATE TABLE keep_runs (
    id          uuid PRIMARY KEY,
    mode        text NOT NULL CHECK (mode IN ('quick', 'deep', 'rolling')),
    started_by  text NOT NULL CHECK (started_by IN ('keeper', 'operator')),
    started_at  timestamptz NOT NULL DEFAULT now(),
    saved_at    timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    place       text NOT NULL DEFAULT '', -- the last name that was dealt with
    objects     bigint NOT NULL DEFAULT 0,
    bytes       bigint NOT NULL DEFAULT 0, -- read and compared
    found       bigint NOT NULL DEFAULT 0
);
CREATE INDEX keep_runs_newest ON keep_runs (mode, started_at DESC);
GRANT SELECT ON keep_runs TO vesper_app;
GRANT INSERT, UPDATE (saved_at, finished_at, place, objects, bytes, found) ON keep_runs TO vesper_worker;

-- Numbers over all practices, for metrics.
DO $$
BEGIN
    EXECUTE format('CREATE POLICY counts ON keep_findings FOR SELECT TO %I USING (true)', current_user);
    EXECUTE format('CREATE POLICY counts ON purges FOR SELECT TO %I USING (true)', current_user);
END
$$;
CREATE FUNCTION keeping_counts() RETURNS TABLE (what text, label text, n bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    BEGIN ATOMIC
        SELECT CASE WHEN f.settled_at IS NULL THEN 'open' ELSE 'settled' END, f.kind, count(*)
        FROM public.keep_findings f WHERE f.mended_at IS NULL GROUP BY 1, 2
        UNION ALL
        SELECT 'purge', CASE WHEN p.code = '' THEN 'due' ELSE p.code END, count(*)
        FROM public.purges p WHERE p.state IN ('intended', 'started') GROUP BY 2;
    END;
REVOKE EXECUTE ON FUNCTION keeping_counts() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION keeping_counts() TO vesper_app;

---- create above / drop below ----

DROP FUNCTION keeping_counts();
DROP TABLE keep_runs;
DROP TABLE keep_findings;
DROP TABLE audio_locks;
DROP TABLE tombstones;
DROP TABLE purges;
DROP TRIGGER guard_revival ON dictations;
DROP FUNCTION guard_revival();
DROP FUNCTION purge_refusal(uuid, uuid);
DROP FUNCTION finally_at(dictations);
DROP FUNCTION is_held(dictations);
DROP TABLE legal_holds;
DROP TABLE retention_rules;
DROP FUNCTION guard_finding();
DROP FUNCTION guard_tombstone();
DROP FUNCTION guard_purge();
DROP FUNCTION guard_hold();
DROP FUNCTION lock_keeping(uuid);
DROP TRIGGER guard_audio ON audio_objects;
DROP FUNCTION guard_audio();
REVOKE UPDATE (key, sha256, size, sealed_key, version_id) ON audio_objects FROM vesper_worker;
