-- Fills a practice with notes as years would: mostly delivered ones, the newest still on their way. Variables: notes (how many),
-- practice (its id). Runs as superuser; constraints and triggers are off while it runs, because all of it is generated.
\set ON_ERROR_STOP on
SET session_replication_role = replica;
SET synchronous_commit = off;
SET maintenance_work_mem = '512MB';
SET work_mem = '64MB';

-- One id for each kind of row and number: in the order in which rows were made, as UUIDv7 are.
CREATE FUNCTION pg_temp.id(kind int, i bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT (lpad(to_hex(kind), 4, '0') || lpad(to_hex(i), 12, '0') || '8000000000000000')::uuid $$;

-- Indexes are dropped and built again at the end: that is how a dump is loaded, too.
CREATE TEMP TABLE dropped AS
    SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition
    FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid
    WHERE c.oid IS NULL AND i.indrelid IN ('dictations'::regclass, 'notes'::regclass, 'audio_objects'::regclass, 'jobs'::regclass,
        'state_changes'::regclass, 'audit_events'::regclass, 'patients'::regclass);
SELECT format('DROP INDEX %s', name) FROM dropped \gexec

CREATE TEMP TABLE physicians AS
    SELECT row_number() OVER (ORDER BY login) - 1 AS n, id FROM people WHERE practice_id = :'practice' AND role = 'physician';

\echo patients
-- One in a hundred has the same last name; the others' are rare.
INSERT INTO patients (id, practice_id, mrn, name, birth_date, sex, ehr_ref)
SELECT pg_temp.id(1, i), :'practice', 'L-' || lpad(i::text, 8, '0'),
       CASE WHEN i % 100 = 0 THEN 'Smith' ELSE initcap(translate(md5('s' || i % 200003), '0123456789', 'aeioulnrst')::varchar(9)) END || ', ' ||
       (ARRAY['Ann', 'Bela', 'Cora', 'Dion', 'Ewa', 'Finn', 'Gus', 'Hana', 'Ivo', 'Jun', 'Kai', 'Lou', 'Mina', 'Nils', 'Oona', 'Pia'])[1 + (i + i / 100) % 16],
       date '1930-01-01' + (i * 37 % 32000)::int, CASE i % 2 WHEN 0 THEN 'female' ELSE 'male' END, 'Patient/l' || i
FROM generate_series(1, greatest(1000, :notes / 5)::bigint) i;

\echo dictations
-- Of the newest thousand, every second one waits for an editor, one in ten for its author, one in fifty has failed.
INSERT INTO dictations (id, practice_id, author_id, patient_id, audio_id, work_type, priority, state, reason, client_key, received_at, due_at, updated_at)
SELECT pg_temp.id(2, i), :'practice', p.id, pg_temp.id(1, 1 + i * 7919 % greatest(1000, :notes / 5)), pg_temp.id(3, i),
       (ARRAY['progress', 'hp', 'consult', 'discharge'])[1 + i % 4], CASE WHEN i % 40 = 0 THEN 'stat' ELSE 'routine' END,
       CASE WHEN i <= :notes - 1000 THEN CASE WHEN i % 200 = 0 THEN 'rejected' ELSE 'delivered' END
            WHEN i % 2 = 0 THEN 'drafted' WHEN i % 10 = 1 THEN 'awaiting_signature' WHEN i % 50 = 3 THEN 'failed' ELSE 'delivered' END,
       '', '', t, t + interval '1 day', t + interval '3 hours'
FROM generate_series(1, :notes::bigint) i
CROSS JOIN LATERAL (SELECT now() - make_interval(secs => (:notes - i) * 20.0) AS t) at
JOIN physicians p ON p.n = i * 31 % (SELECT count(*) FROM physicians);

\echo recordings
INSERT INTO audio_objects (id, practice_id, dictation_id, author_id, rendition, key, sha256, size, sealed_key, filename, seconds, created_at)
SELECT pg_temp.id(3, i), :'practice', pg_temp.id(2, i), p.id, 'original', 'audio/' || md5('k' || i), md5('a' || i) || md5('b' || i), 340000 + i % 1000,
       '\x00'::bytea, 'clip.mp3', 113, now()
FROM generate_series(1, :notes::bigint) i JOIN physicians p ON p.n = i * 31 % (SELECT count(*) FROM physicians);

\echo notes
INSERT INTO notes (id, practice_id, dictation_id, work_type, latest, created_at)
SELECT pg_temp.id(4, i), :'practice', pg_temp.id(2, i), 'progress', CASE WHEN i > :notes - least(100000, :notes / 10) THEN 3 ELSE 1 END, now()
FROM generate_series(1, :notes::bigint) i;

\echo versions
INSERT INTO note_versions (id, practice_id, note_id, number, kind, document, content_hash, by_id, at)
SELECT pg_temp.id(4 + v, i), :'practice', pg_temp.id(4, i), v, CASE v WHEN 1 THEN 'draft' ELSE 'edit' END,
       jsonb_build_object('work_type', 'progress', 'sections', jsonb_build_array(jsonb_build_object('key', 'subjective', 'heading', 'Subjective', 'runs',
           jsonb_build_array(jsonb_build_object('text', 'Follow-up number ' || i || '. Feels well and denies chest pain.', 'source',
               jsonb_build_object('kind', 'speech', 'start', 0, 'end', 4)))))),
       md5('h' || i || v), CASE v WHEN 1 THEN NULL ELSE (SELECT id FROM physicians WHERE n = 0) END, now()
FROM generate_series(1, :notes::bigint) i CROSS JOIN generate_series(1, 3) v WHERE v = 1 OR i > :notes - least(100000, :notes / 10);

\echo jobs
INSERT INTO jobs (id, practice_id, dictation_id, kind, priority, input_sha256, gen, settings, state, attempt, max_attempts, run_after, due_at, created_at, finished_at)
SELECT pg_temp.id(8, i), :'practice', pg_temp.id(2, i), 'transcribe', 'routine', md5('a' || i) || md5('b' || i), 0, '{}', 'done', 1, 5, now(), now(), now(), now()
FROM generate_series(1, :notes::bigint) i;

\echo changes of state
INSERT INTO state_changes (practice_id, dictation_id, at, from_state, to_state, reason)
SELECT :'practice', pg_temp.id(2, i), now(), s.f, s.t, ''
FROM generate_series(1, :notes::bigint) i CROSS JOIN (VALUES ('received', 'queued'), ('queued', 'transcribed'), ('transcribed', 'drafted')) s (f, t)
WHERE s.f = 'received' OR i > :notes - least(100000, :notes / 10);

\echo events
INSERT INTO audit_events (id, practice_id, at, actor_id, actor_role, action, subject, subject_id, outcome, detail)
SELECT pg_temp.id(8 + v, i), :'practice', now() - make_interval(secs => (:notes - i) * 20.0), (SELECT id FROM physicians WHERE n = 0), 'physician',
       CASE v WHEN 1 THEN 'dictation.submit' ELSE 'dictation.view' END, 'dictation', pg_temp.id(2, i), 'done', '{}'
FROM generate_series(1, :notes::bigint) i CROSS JOIN generate_series(1, 12) v WHERE v = 1 OR i > :notes - least(100000, :notes / 10);

\echo indexes
SELECT definition FROM dropped \gexec
SET session_replication_role = origin;
VACUUM (ANALYZE) patients, dictations, audio_objects, notes, note_versions, jobs, state_changes, audit_events;

-- The next run finds it done.
CREATE TABLE load_filled ();
