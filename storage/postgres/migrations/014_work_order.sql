-- The order of work: stat first, then fair across authors, by due time; cancelling, quarantine, and what workers can take.

-- Whose work it is, copied from the dictation so that the relay can be fair without reading dictations. Work that an
-- older version queued belongs to nobody and shares one turn.
ALTER TABLE jobs ADD COLUMN author_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
-- How often in a row a run broke down, or its worker vanished with it, without one more chunk saved.
ALTER TABLE jobs ADD COLUMN crashes int NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD CONSTRAINT jobs_crashes_check CHECK (crashes >= 0) NOT VALID;
GRANT UPDATE (priority, due_at, crashes) ON jobs TO vesper_app;

-- Start-time fair queueing: an author's turn is one more than that of the author's last job that was rung. Of the authors
-- with work, the one with the earliest turn goes first; who was away starts at the present turn, not in the past.
CREATE TABLE author_turns (
    kind        text NOT NULL CHECK (kind IN ('transcribe', 'draft', 'deliver')),
    author_id   uuid NOT NULL,
    practice_id uuid NOT NULL REFERENCES practices,
    turn        bigint NOT NULL CHECK (turn > 0),
    PRIMARY KEY (kind, author_id, practice_id)
);
CREATE INDEX author_turns_latest ON author_turns (kind, turn DESC);
CALL protect('author_turns');
CREATE POLICY across_practices ON author_turns TO vesper_worker
    USING (current_practice() IS NULL) WITH CHECK (current_practice() IS NULL);
GRANT SELECT, INSERT, UPDATE (turn) ON author_turns TO vesper_worker;

-- The workers: how many jobs of each sort one takes at once, and how fast its engine was of late (sums that fade, so that
-- the newest runs count most). Numbers of machines, not of a practice.
CREATE TABLE workers (
    id             uuid PRIMARY KEY,
    name           text NOT NULL,
    seen_at        timestamptz NOT NULL DEFAULT now(),
    slots          int NOT NULL CHECK (slots >= 0),  -- engine calls at once
    transcriptions int NOT NULL CHECK (transcriptions >= 0),
    drafts         int NOT NULL CHECK (drafts >= 0),
    deliveries     int NOT NULL CHECK (deliveries >= 0),
    runs           double precision NOT NULL DEFAULT 0,
    audio_seconds  double precision NOT NULL DEFAULT 0,
    engine_seconds double precision NOT NULL DEFAULT 0
);
CREATE INDEX workers_seen ON workers (seen_at);
GRANT SELECT, INSERT, UPDATE ON workers TO vesper_worker;

-- What waits and how fast it goes, in numbers only, for whoever may ask. ahead is what would be served before one more
-- routine recording of the author: everything stat, what the author has waiting, and of each other author as many as the
-- turns until then.
DO $$
BEGIN
    EXECUTE format('CREATE POLICY turns ON author_turns FOR SELECT TO %I USING (true)', current_user);
END
$$;
CREATE FUNCTION workload(author uuid DEFAULT '00000000-0000-0000-0000-000000000000')
    RETURNS TABLE (stat bigint, routine bigint, drafts bigint, deliveries bigint, running bigint, oldest_at timestamptz,
                   ahead bigint, slots bigint, workers bigint, runs double precision, audio_seconds double precision,
                   engine_seconds double precision)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    BEGIN ATOMIC
        WITH mine AS (
            SELECT count(*) AS n FROM public.jobs
            WHERE state = 'queued' AND kind = 'transcribe' AND priority = 'routine' AND author_id = author),
        waiting AS (
            SELECT kind, priority, author_id, count(*) AS n, min(id::text) AS first FROM public.jobs
            WHERE state = 'queued' GROUP BY kind, priority, author_id),
        depth AS (
            SELECT coalesce(sum(n) FILTER (WHERE kind = 'transcribe' AND priority = 'stat'), 0)::bigint AS stat,
                   coalesce(sum(n) FILTER (WHERE kind = 'transcribe' AND priority = 'routine'), 0)::bigint AS routine,
                   coalesce(sum(n) FILTER (WHERE kind = 'draft'), 0)::bigint AS drafts,
                   coalesce(sum(n) FILTER (WHERE kind = 'deliver'), 0)::bigint AS deliveries,
                   coalesce(sum(CASE WHEN author_id = author THEN n ELSE least(n, (SELECT n FROM mine) + 1) END)
                            FILTER (WHERE kind = 'transcribe' AND priority = 'routine'), 0)::bigint AS behind,
                   min(first)::uuid AS first
            FROM waiting),
        live AS (
            SELECT count(*) AS n, coalesce(sum(slots), 0)::bigint AS slots FROM public.workers
            WHERE seen_at > now() - interval '20 seconds'),
        measured AS (
            SELECT coalesce(sum(runs), 0) AS runs, coalesce(sum(audio_seconds), 0) AS audio, coalesce(sum(engine_seconds), 0) AS engine
            FROM public.workers WHERE seen_at > now() - interval '7 days')
        SELECT d.stat, d.routine, d.drafts, d.deliveries,
               (SELECT count(*) FROM public.jobs WHERE state = 'running' AND kind = 'transcribe'),
               (SELECT created_at FROM public.jobs WHERE id = d.first),
               d.stat + d.behind, l.slots, l.n, m.runs, m.audio, m.engine
        FROM depth d, live l, measured m;
    END;
REVOKE EXECUTE ON FUNCTION workload(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION workload(uuid) TO vesper_app;

-- Work is ordered again from every stage before the signature: the recording is transcribed anew, or the note is drafted
-- anew from its transcript. What people wrote stays: the new draft is a version after theirs.
INSERT INTO dictation_moves VALUES
    ('transcribed', 'queued'), ('drafted', 'queued'), ('in_review', 'queued'), ('awaiting_signature', 'queued'),
    ('drafted', 'transcribed'), ('in_review', 'transcribed'), ('awaiting_signature', 'transcribed'), ('rejected', 'transcribed');

---- create above / drop below ----

DROP FUNCTION workload(uuid);
DROP TABLE workers;
DROP TABLE author_turns;
REVOKE UPDATE (priority, due_at, crashes) ON jobs FROM vesper_app;
ALTER TABLE jobs DROP COLUMN crashes;
ALTER TABLE jobs DROP COLUMN author_id;
ALTER TABLE dictation_moves DISABLE TRIGGER append_only;
DELETE FROM dictation_moves WHERE (from_state, to_state) IN (
    ('transcribed', 'queued'), ('drafted', 'queued'), ('in_review', 'queued'), ('awaiting_signature', 'queued'),
    ('drafted', 'transcribed'), ('in_review', 'transcribed'), ('awaiting_signature', 'transcribed'), ('rejected', 'transcribed'));
ALTER TABLE dictation_moves ENABLE TRIGGER append_only;
