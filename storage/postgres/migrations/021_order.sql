---- tern: disable-tx ----
-- The indexes of the order of work and of keeping, built concurrently: nobody waits for them, and what needs them is only
-- slower until they are there. See 020 for the drops.

-- Each author's work in order: the relay looks only at the heads. Partial: as large as the queue, not as the history.
DROP INDEX CONCURRENTLY IF EXISTS jobs_waiting;
CREATE INDEX CONCURRENTLY jobs_waiting ON jobs (kind, priority, author_id, due_at, id) WHERE state = 'queued';
-- Doorbells that were rung and not answered yet; a handful.
DROP INDEX CONCURRENTLY IF EXISTS jobs_rung;
CREATE INDEX CONCURRENTLY jobs_rung ON jobs (dispatched_at) WHERE state = 'queued' AND dispatched_at IS NOT NULL;
-- What jobs_waiting takes the place of.
DROP INDEX CONCURRENTLY IF EXISTS jobs_dispatch;

-- The check walks rows and objects side by side, in the order in which the object store lists names.
DROP INDEX CONCURRENTLY IF EXISTS audio_objects_by_key;
CREATE INDEX CONCURRENTLY audio_objects_by_key ON audio_objects (practice_id, key COLLATE "C");

---- create above / drop below ----

DROP INDEX audio_objects_by_key;
CREATE INDEX jobs_dispatch ON jobs ((priority <> 'stat'), due_at, id) WHERE state = 'queued';
DROP INDEX jobs_rung;
DROP INDEX jobs_waiting;
