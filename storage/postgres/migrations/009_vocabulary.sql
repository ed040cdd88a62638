-- Words that a practice or an author adds, and the terms that were frozen for a transcription.
CREATE TABLE vocabulary_terms (
    id          uuid PRIMARY KEY,
    practice_id uuid NOT NULL REFERENCES practices,
    author_id   uuid, -- NULL: of the whole practice
    text        text NOT NULL CHECK (text = btrim(text) AND length(text) BETWEEN 1 AND 120),
    says        text[] NOT NULL DEFAULT '{}' CHECK (cardinality(says) <= 5), -- spoken forms that differ from the spelling
    kind        text NOT NULL CHECK (kind <> ''),
    added_by    uuid, -- NULL: the operator, from the command line
    added_at    timestamptz NOT NULL DEFAULT now(),
    removed_by  uuid,
    removed_at  timestamptz,
    FOREIGN KEY (practice_id, author_id) REFERENCES people (practice_id, id),
    FOREIGN KEY (practice_id, added_by) REFERENCES people (practice_id, id),
    FOREIGN KEY (practice_id, removed_by) REFERENCES people (practice_id, id),
    CONSTRAINT vocabulary_removed_by_somebody_at_some_time CHECK (removed_at IS NOT NULL OR removed_by IS NULL)
);
-- A word stands once in a list; a word that was removed may be added again, as a new row.
CREATE UNIQUE INDEX vocabulary_live ON vocabulary_terms (practice_id, author_id, lower(text)) NULLS NOT DISTINCT WHERE removed_at IS NULL;
CALL protect('vocabulary_terms');
GRANT SELECT, INSERT, UPDATE (removed_at, removed_by) ON vocabulary_terms TO vesper_app;

-- A row is history: removing it marks it once, and nothing else ever changes or goes.
CREATE FUNCTION guard_term() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF OLD.removed_at IS NOT NULL THEN
        RAISE EXCEPTION 'a removed term does not change' USING ERRCODE = 'VS002';
    END IF;
    IF NEW.removed_at IS NULL OR (NEW.id, NEW.practice_id, NEW.author_id, NEW.text, NEW.says, NEW.kind, NEW.added_by, NEW.added_at)
        IS DISTINCT FROM (OLD.id, OLD.practice_id, OLD.author_id, OLD.text, OLD.says, OLD.kind, OLD.added_by, OLD.added_at) THEN
        RAISE EXCEPTION 'a term changes only by being removed' USING ERRCODE = 'VS002';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER guard_term BEFORE UPDATE ON vocabulary_terms FOR EACH ROW EXECUTE FUNCTION guard_term();
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON vocabulary_terms FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What a transcription expects to hear, frozen by its first run: names, drugs and problems of a patient among it. They
-- stand beside the job and not in it, because workers see jobs across practices and must see these inside one only; the
-- web server has no use for them.
CREATE TABLE job_terms (
    job_id       uuid PRIMARY KEY,
    practice_id  uuid NOT NULL,
    dictation_id uuid NOT NULL,
    terms        jsonb NOT NULL CHECK (jsonb_typeof(terms) = 'array'),
    frozen_at    timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (practice_id, dictation_id, job_id) REFERENCES jobs (practice_id, dictation_id, id)
);
CALL protect('job_terms');
CALL append_only('job_terms');
GRANT SELECT, INSERT ON job_terms TO vesper_worker;

---- create above / drop below ----

DROP TABLE job_terms;
DROP TABLE vocabulary_terms;
DROP FUNCTION guard_term();
