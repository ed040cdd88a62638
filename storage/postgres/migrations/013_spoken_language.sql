-- What is spoken in the recordings of a practice or of one of its authors. The newest row counts; an empty language goes
-- back to what stands above it.
CREATE TABLE spoken_languages (
    id          uuid PRIMARY KEY,
    practice_id uuid NOT NULL REFERENCES practices,
    author_id   uuid, -- NULL: the whole practice
    language    text NOT NULL CHECK (language ~ '^([a-z]{2,3}|auto)?$'),
    set_by      uuid NOT NULL,
    set_at      timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (practice_id, author_id) REFERENCES people (practice_id, id),
    FOREIGN KEY (practice_id, set_by) REFERENCES people (practice_id, id)
);
CREATE INDEX spoken_languages_newest ON spoken_languages (practice_id, author_id, id);
CALL protect('spoken_languages');
GRANT SELECT, INSERT ON spoken_languages TO vesper_app;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON spoken_languages FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

---- create above / drop below ----

DROP TABLE spoken_languages;
