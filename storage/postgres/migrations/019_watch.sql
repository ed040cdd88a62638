-- What operators watch: functions that count without showing anything of a patient, and the trace that each piece of work
-- belongs to.

-- The W3C trace context of the transaction that wrote the row: what a later step of the same dictation continues or points
-- back to. The store sets vesper.trace_parent for the transaction, so that no statement has to name the column. Tables may be
-- large: columns without a value cost nothing, and NOT VALID spares the look at rows that cannot hold any.
ALTER TABLE jobs ADD COLUMN trace_parent text DEFAULT nullif(current_setting('vesper.trace_parent', true), '');
ALTER TABLE dictations ADD COLUMN trace_parent text DEFAULT nullif(current_setting('vesper.trace_parent', true), '');
ALTER TABLE jobs ADD CONSTRAINT jobs_trace_parent
    CHECK (trace_parent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$') NOT VALID;
ALTER TABLE dictations ADD CONSTRAINT dictations_trace_parent
    CHECK (trace_parent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$') NOT VALID;

-- Counting must stay quick however long the history grows. It begins at the dictations that are not through, which the
-- index of the work list finds by practice and state, and goes on from them by key: no table is read as a whole, and no
-- further index is needed.

-- The functions run as the owner, whom these policies let read. They return numbers and codes only.
DO $$
BEGIN
    EXECUTE format('CREATE POLICY watched ON dictations FOR SELECT TO %I USING (true)', current_user);
    EXECUTE format('CREATE POLICY watched ON deliveries FOR SELECT TO %I USING (true)', current_user);
    EXECUTE format('CREATE POLICY watched ON notes FOR SELECT TO %I USING (true)', current_user);
    EXECUTE format('CREATE POLICY watched ON claims FOR SELECT TO %I USING (true)', current_user);
END
$$;

-- watch_pulse is how things stand: one row for each number, under the name of what it counts, with up to two labels.
--   queue, queue_due, queue_age (kind, priority)   jobs that wait; those whose time has come; seconds the oldest of them waits
--   relay_lag ()                                   seconds the oldest due job waits for its first doorbell
--   leases (kind, live or expired)                 jobs that are worked on, and those whose worker fell silent
--   dead (kind, code)                              dictations that a person must look at, by the code of what failed last
--   open, open_age (state, priority)               dictations that are not through, and the age of the oldest in seconds
--   turnaround (priority, used)                    those that wait for a signature in the end, by used share of their time
--   unattended ()                                  dictations that nothing moves along: there must be none
--   deliveries, delivery_age (state)               signed notes that are not in the EHR, and the age of the oldest in seconds
--   claims (live or expired)                       notes that an editor holds
--   audit_pending, audit_lag ()                    events that have no place in the tree yet; age of the oldest in seconds
CREATE FUNCTION watch_pulse() RETURNS TABLE (measure text, a text, b text, value double precision)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    -- From row to row by index, whatever old statistics say of how much is under way.
    SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
    BEGIN ATOMIC
        WITH under_way AS MATERIALIZED (
            SELECT d.id, d.state, d.priority, extract(epoch FROM now() - d.received_at) AS age,
                   extract(epoch FROM now() - d.received_at) / greatest(1, extract(epoch FROM d.due_at - d.received_at)) AS used
            FROM public.practices p
            CROSS JOIN LATERAL (
                SELECT x.id, x.state, x.priority, x.received_at, x.due_at FROM public.dictations x
                WHERE x.practice_id = p.id AND x.state IN ('received', 'queued', 'transcribed', 'drafted', 'in_review',
                    'awaiting_signature', 'signed', 'failed')) d),
        waiting AS (
            SELECT j.kind, j.priority, count(*) AS n, count(*) FILTER (WHERE j.run_after <= now()) AS due,
                   max(extract(epoch FROM now() - j.run_after)) FILTER (WHERE j.run_after <= now()) AS age
            FROM public.jobs j WHERE j.state = 'queued' GROUP BY 1, 2),
        open AS (
            SELECT u.state, u.priority, count(*) AS n, max(u.age) AS age FROM under_way u GROUP BY 1, 2),
        sent AS (
            SELECT v.state, count(*) AS n, max(extract(epoch FROM now() - v.created_at)) AS age
            FROM under_way u
            CROSS JOIN LATERAL (SELECT x.state, x.created_at FROM public.notes n JOIN public.deliveries x ON x.note_id = n.id
                                WHERE n.dictation_id = u.id AND x.state <> 'delivered') v
            WHERE u.state = 'signed' GROUP BY 1)
        SELECT 'queue', kind, priority, n::float8 FROM waiting
        UNION ALL SELECT 'queue_due', kind, priority, due::float8 FROM waiting
        UNION ALL SELECT 'queue_age', kind, priority, coalesce(age, 0)::float8 FROM waiting
        UNION ALL SELECT 'relay_lag', '', '', coalesce(max(extract(epoch FROM now() - j.run_after)), 0)::float8
            FROM public.jobs j WHERE j.state = 'queued' AND j.run_after <= now() AND j.dispatched_at IS NULL
        UNION ALL SELECT 'leases', j.kind, CASE WHEN j.lease_until < now() THEN 'expired' ELSE 'live' END, count(*)::float8
            FROM public.jobs j WHERE j.state = 'running' GROUP BY 2, 3
        UNION ALL SELECT 'dead', j.kind, j.error_code, count(*)::float8
            FROM under_way d
            CROSS JOIN LATERAL (SELECT x.kind, x.state, x.error_code FROM public.jobs x WHERE x.dictation_id = d.id
                                ORDER BY x.created_at DESC, x.id DESC LIMIT 1) j
            WHERE d.state IN ('failed', 'signed') AND j.state = 'dead' GROUP BY 2, 3
        UNION ALL SELECT 'open', state, priority, n::float8 FROM open
        UNION ALL SELECT 'open_age', state, priority, age::float8 FROM open
        UNION ALL SELECT 'turnaround', priority,
                CASE WHEN used < 0.5 THEN '0-50' WHEN used < 0.8 THEN '50-80' WHEN used < 1 THEN '80-100' ELSE 'over' END, count(*)::float8
            FROM under_way WHERE state <> 'signed' GROUP BY 2, 3
        UNION ALL SELECT 'unattended', '', '', count(*)::float8
            FROM under_way d
            WHERE d.state IN ('received', 'queued', 'transcribed', 'signed')
              AND NOT EXISTS (
                  SELECT FROM public.jobs j WHERE j.dictation_id = d.id AND j.state IN ('queued', 'running')
                  AND j.kind = CASE d.state WHEN 'transcribed' THEN 'draft' WHEN 'signed' THEN 'deliver' ELSE 'transcribe' END)
              AND NOT (d.state = 'signed' AND 'dead' IS NOT DISTINCT FROM (
                  SELECT j.state FROM public.jobs j WHERE j.dictation_id = d.id AND j.kind = 'deliver'
                  ORDER BY j.gen DESC, j.created_at DESC LIMIT 1))
        UNION ALL SELECT 'deliveries', state, '', n::float8 FROM sent
        UNION ALL SELECT 'delivery_age', state, '', age::float8 FROM sent
        UNION ALL SELECT 'claims', CASE WHEN c.until < now() THEN 'expired' ELSE 'live' END, '', count(*)::float8
            FROM public.claims c WHERE c.ended_at IS NULL GROUP BY 2
        UNION ALL SELECT 'audit_pending', '', '', count(*)::float8 FROM public.audit_pending
        UNION ALL SELECT 'audit_lag', '', '', coalesce(extract(epoch FROM now() - min(p.at)), 0)::float8 FROM public.audit_pending p;
    END;

-- watch_running lists what is worked on now, the longest silent first: the worker's name, and for how long it may stay silent.
CREATE FUNCTION watch_running(lim int)
    RETURNS TABLE (id uuid, kind text, priority text, attempt int, worker text, lease_left double precision)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    BEGIN ATOMIC
        SELECT j.id, j.kind, j.priority, j.attempt, j.worker, extract(epoch FROM j.lease_until - now())::float8
        FROM public.jobs j WHERE j.state = 'running' ORDER BY j.lease_until, j.id LIMIT lim;
    END;

REVOKE EXECUTE ON FUNCTION watch_pulse(), watch_running(int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION watch_pulse(), watch_running(int) TO vesper_app;

---- create above / drop below ----

DROP FUNCTION watch_running(int);
DROP FUNCTION watch_pulse();
DROP POLICY watched ON claims;
DROP POLICY watched ON notes;
DROP POLICY watched ON deliveries;
DROP POLICY watched ON dictations;
ALTER TABLE dictations DROP COLUMN trace_parent;
ALTER TABLE jobs DROP COLUMN trace_parent;
