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

---- create above / drop below ----

DROP TABLE assignments;
