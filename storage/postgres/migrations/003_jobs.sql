-- Jobs: the intent to do one automatic stage. The row is the truth and the outbox at once (dispatch_no, dispatched_at);
-- the queue only rings. Rows are selected by state, never by "id > last", because commits are not in order of ids.
CREATE TABLE jobs (
    id            uuid PRIMARY KEY,
    practice_id   uuid NOT NULL,
    dictation_id  uuid NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('transcribe', 'draft', 'deliver')),
    priority      text NOT NULL CHECK (priority IN ('stat', 'routine')),
    input_sha256  text NOT NULL CHECK (input_sha256 ~ '^[0-9a-f]{64}$'),
    gen           int NOT NULL CHECK (gen >= 0),
    settings      jsonb NOT NULL,
    state         text NOT NULL CHECK (state IN ('queued', 'running', 'done', 'dead')),
    attempt       int NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    max_attempts  int NOT NULL CHECK (max_attempts > 0),
    run_after     timestamptz NOT NULL,
    due_at        timestamptz NOT NULL,
    dispatch_no   int NOT NULL DEFAULT 0,
    dispatched_at timestamptz,
    lease_token   uuid,
    lease_until   timestamptz,
    worker        text NOT NULL DEFAULT '',
    error_code    text NOT NULL DEFAULT '',
    created_at    timestamptz NOT NULL DEFAULT now(),
    finished_at   timestamptz,
    -- Ordering the same work twice is one job; a person who orders it again raises gen.
    UNIQUE (kind, dictation_id, input_sha256, gen),
    UNIQUE (practice_id, dictation_id, id),
    FOREIGN KEY (practice_id, dictation_id) REFERENCES dictations (practice_id, id),
    -- Exactly the running jobs have a lease: nothing can commit under a token that is not held.
    CONSTRAINT jobs_lease CHECK ((state = 'running') = (lease_token IS NOT NULL)
                             AND (state = 'running') = (lease_until IS NOT NULL)),
    CONSTRAINT jobs_finished CHECK ((state IN ('done', 'dead')) = (finished_at IS NOT NULL)),
    CONSTRAINT jobs_dead_has_reason CHECK (state <> 'dead' OR error_code <> '')
);
CREATE INDEX jobs_dispatch ON jobs ((priority <> 'stat'), due_at, id) WHERE state = 'queued';
CREATE INDEX jobs_reap ON jobs (lease_until) WHERE state = 'running';
CREATE INDEX jobs_of_dictation ON jobs (dictation_id, created_at, id);
CALL protect('jobs');
-- The relay, the reaper and the claim come before a practice is known. Inside a practice this policy is off, so that a
-- worker's transaction for one practice sees only that practice.
CREATE POLICY across_practices ON jobs TO vesper_worker
    USING (current_practice() IS NULL) WITH CHECK (current_practice() IS NULL);
GRANT SELECT, INSERT ON jobs TO vesper_app;
GRANT UPDATE (state, attempt, run_after, dispatch_no, dispatched_at, lease_token, lease_until, worker, error_code, finished_at)
    ON jobs TO vesper_app;

-- A job that is done or dead stays so; running it again is a new job.
CREATE FUNCTION guard_job() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.state <> 'queued' THEN
        RAISE EXCEPTION 'a job begins as queued' USING ERRCODE = 'VS002';
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.state IN ('done', 'dead') THEN
        RAISE EXCEPTION 'a finished job does not change' USING ERRCODE = 'VS002';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER guard_job BEFORE INSERT OR UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION guard_job();

-- What a run has done so far, chunk by chunk: a killed worker resumes at the next chunk.
CREATE TABLE job_chunks (
    job_id      uuid NOT NULL REFERENCES jobs,
    practice_id uuid NOT NULL REFERENCES practices,
    number      int NOT NULL CHECK (number >= 0),
    total       int NOT NULL CHECK (total > 0),
    result      jsonb NOT NULL,
    saved_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (job_id, number)
);
CALL protect('job_chunks');
CREATE POLICY across_practices ON job_chunks TO vesper_worker
    USING (current_practice() IS NULL) WITH CHECK (current_practice() IS NULL);
GRANT SELECT, INSERT ON job_chunks TO vesper_app;
CALL append_only('job_chunks');

-- Counts by state over all practices, for the doctor and for metrics: numbers only.
DO $$
BEGIN
    EXECUTE format('CREATE POLICY counts ON jobs FOR SELECT TO %I USING (true)', current_user);
END
$$;
CREATE FUNCTION queue_depth() RETURNS TABLE (state text, jobs bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    BEGIN ATOMIC
        SELECT j.state, count(*) FROM public.jobs j GROUP BY j.state;
    END;
REVOKE EXECUTE ON FUNCTION queue_depth() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION queue_depth() TO vesper_app;

---- create above / drop below ----

DROP FUNCTION queue_depth();
DROP TABLE job_chunks;
DROP TABLE jobs;
DROP FUNCTION guard_job();
