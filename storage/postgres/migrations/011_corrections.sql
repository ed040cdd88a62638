-- Corrections that editors made again and again in an author's notes, and what a supervisor decided about them. An approved one
-- is made in the author's next drafts; a dismissed one is not suggested again. Undoing a decision ends it.
CREATE TABLE corrections (
    id          uuid PRIMARY KEY,
    practice_id uuid NOT NULL REFERENCES practices,
    author_id   uuid NOT NULL,
    heard       text NOT NULL CHECK (heard = btrim(heard) AND length(heard) BETWEEN 1 AND 200),   -- as the drafts had it
    written     text NOT NULL CHECK (written = btrim(written) AND length(written) BETWEEN 1 AND 200), -- as the editors wrote it
    notes       int  NOT NULL CHECK (notes > 0), -- in how many notes, when it was decided
    decision    text NOT NULL CHECK (decision IN ('approved', 'dismissed')),
    decided_by  uuid NOT NULL,
    decided_at  timestamptz NOT NULL DEFAULT now(),
    undone_by   uuid,
    undone_at   timestamptz,
    FOREIGN KEY (practice_id, author_id) REFERENCES people (practice_id, id),
    FOREIGN KEY (practice_id, decided_by) REFERENCES people (practice_id, id),
    FOREIGN KEY (practice_id, undone_by) REFERENCES people (practice_id, id),
    CONSTRAINT corrections_undone_by_somebody CHECK ((undone_at IS NULL) = (undone_by IS NULL))
);
-- The same words have one decision at a time.
CREATE UNIQUE INDEX corrections_live ON corrections (practice_id, author_id, lower(heard), lower(written)) WHERE undone_at IS NULL;
-- What was heard is written in one way only.
CREATE UNIQUE INDEX corrections_one_way ON corrections (practice_id, author_id, lower(heard)) WHERE undone_at IS NULL AND decision = 'approved';
CALL protect('corrections');
GRANT SELECT, INSERT, UPDATE (undone_at, undone_by) ON corrections TO vesper_app;

-- A decision is history: undoing it marks it once, and nothing else ever changes or goes.
CREATE FUNCTION guard_correction() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF OLD.undone_at IS NOT NULL THEN
        RAISE EXCEPTION 'an undone decision does not change' USING ERRCODE = 'VS002';
    END IF;
    IF NEW.undone_at IS NULL OR
        (NEW.id, NEW.practice_id, NEW.author_id, NEW.heard, NEW.written, NEW.notes, NEW.decision, NEW.decided_by, NEW.decided_at)
        IS DISTINCT FROM (OLD.id, OLD.practice_id, OLD.author_id, OLD.heard, OLD.written, OLD.notes, OLD.decision, OLD.decided_by, OLD.decided_at) THEN
        RAISE EXCEPTION 'a decision changes only by being undone' USING ERRCODE = 'VS002';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER guard_correction BEFORE UPDATE ON corrections FOR EACH ROW EXECUTE FUNCTION guard_correction();
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON corrections FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

---- create above / drop below ----

DROP TABLE corrections;
DROP FUNCTION guard_correction();
