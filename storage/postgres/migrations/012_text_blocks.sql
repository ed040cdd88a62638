-- Texts that an author has written and approved, inserted by name while dictating ("insert my normal heart exam"). Only the
-- author adds to the own list: the row is the approval, and a draft names it as the source of the words.
CREATE TABLE text_blocks (
    id          uuid PRIMARY KEY,
    practice_id uuid NOT NULL REFERENCES practices,
    author_id   uuid NOT NULL,
    name        text NOT NULL CHECK (name = btrim(name) AND length(name) BETWEEN 2 AND 60),
    also        text[] NOT NULL DEFAULT '{}' CHECK (cardinality(also) <= 5), -- other names
    text        text NOT NULL CHECK (length(text) BETWEEN 1 AND 8000),
    added_at    timestamptz NOT NULL DEFAULT now(),
    removed_at  timestamptz,
    FOREIGN KEY (practice_id, author_id) REFERENCES people (practice_id, id)
);
-- A name stands once in an author's list; a changed text is a new row.
CREATE UNIQUE INDEX text_blocks_live ON text_blocks (practice_id, author_id, lower(name)) WHERE removed_at IS NULL;
CALL protect('text_blocks');
GRANT SELECT, INSERT, UPDATE (removed_at) ON text_blocks TO vesper_app;

-- A row is history: notes point at it, so it is retired once, and nothing else ever changes or goes.
CREATE FUNCTION guard_text_block() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF OLD.removed_at IS NOT NULL THEN
        RAISE EXCEPTION 'a retired text does not change' USING ERRCODE = 'VS002';
    END IF;
    IF NEW.removed_at IS NULL OR (NEW.id, NEW.practice_id, NEW.author_id, NEW.name, NEW.also, NEW.text, NEW.added_at)
        IS DISTINCT FROM (OLD.id, OLD.practice_id, OLD.author_id, OLD.name, OLD.also, OLD.text, OLD.added_at) THEN
        RAISE EXCEPTION 'a text changes only by being retired' USING ERRCODE = 'VS002';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER guard_text_block BEFORE UPDATE ON text_blocks FOR EACH ROW EXECUTE FUNCTION guard_text_block();
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON text_blocks FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

---- create above / drop below ----

DROP TABLE text_blocks;
DROP FUNCTION guard_text_block();
