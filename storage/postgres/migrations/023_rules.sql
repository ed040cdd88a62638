-- Rules that give a note to an editor, and lateness without what waits for the physician.

-- A note that is offered to one editor first. Nobody is shut out by it for long: after `until` it is a note like any other, and
-- supervisors may take it at any time. A row ends when somebody takes the note, or another row takes its place.
CREATE TABLE assignments (
    id            uuid PRIMARY KEY,
    practice_id   uuid NOT NULL,
    dictation_id  uuid NOT NULL,
    person_id     uuid NOT NULL,
    escalation_id uuid NOT NULL,
    since         timestamptz NOT NULL DEFAULT now(),
    until         timestamptz NOT NULL,
    ended_at      timestamptz,
    end_reason    text NOT NULL DEFAULT '',
    FOREIGN KEY (practice_id, dictation_id) REFERENCES dictations (practice_id, id),
    FOREIGN KEY (practice_id, person_id) REFERENCES people (practice_id, id),
    FOREIGN KEY (practice_id, escalation_id) REFERENCES escalations (practice_id, id),
    CONSTRAINT assignments_ended_has_reason CHECK ((ended_at IS NULL) = (end_reason = ''))
);
CREATE UNIQUE INDEX assignments_live ON assignments (dictation_id) WHERE ended_at IS NULL;
CREATE INDEX assignments_of_person ON assignments (practice_id, person_id, until) WHERE ended_at IS NULL;
CALL protect('assignments');
GRANT SELECT, INSERT, UPDATE (ended_at, end_reason) ON assignments TO vesper_app;
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON assignments FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- watch_turnaround counts what waits for a signature in the end: by the used share of its time in per cent, or 'waiting' while
-- the physician has it. That time is not the practice's, and moves the due time on when the note comes back; until then the due
-- time says nothing. It takes the place of the measure turnaround of watch_pulse, and reads as little (see 019).
CREATE FUNCTION watch_turnaround() RETURNS TABLE (priority text, used text, dictations bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
    BEGIN ATOMIC
        SELECT d.priority,
               CASE WHEN d.state = 'awaiting_signature' THEN 'waiting' WHEN d.share < 0.5 THEN '0-50' WHEN d.share < 0.8 THEN '50-80'
                    WHEN d.share < 1 THEN '80-100' ELSE 'over' END AS used,
               count(*)
        FROM public.practices p
        CROSS JOIN LATERAL (
            SELECT x.state, x.priority,
                   extract(epoch FROM now() - x.received_at) / greatest(1, extract(epoch FROM x.due_at - x.received_at)) AS share
            FROM public.dictations x
            WHERE x.practice_id = p.id AND x.state IN ('received', 'queued', 'transcribed', 'drafted', 'in_review', 'awaiting_signature', 'failed')) d
        GROUP BY 1, 2;
    END;
REVOKE EXECUTE ON FUNCTION watch_turnaround() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION watch_turnaround() TO vesper_app;

---- create above / drop below ----

DROP FUNCTION watch_turnaround();
DROP TABLE assignments;
