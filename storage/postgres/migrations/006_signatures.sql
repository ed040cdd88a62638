-- Signatures over exact bytes, and deliveries that cannot exist without one.
CREATE TABLE signatures (
    id               uuid PRIMARY KEY,
    practice_id      uuid NOT NULL,
    note_id          uuid NOT NULL UNIQUE, -- a change after signing is an addendum: a new note
    version          int NOT NULL,
    signer_id        uuid NOT NULL,
    signer_name      text NOT NULL CHECK (signer_name <> ''),
    credential       text NOT NULL,
    meaning          text NOT NULL CHECK (meaning <> ''),
    method           text NOT NULL CHECK (method <> ''),
    signed_at        timestamptz NOT NULL,
    canonical        bytea NOT NULL,
    canonical_sha256 text NOT NULL,
    text             bytea NOT NULL,
    text_sha256      text NOT NULL,
    CONSTRAINT signatures_canonical_hash CHECK (canonical_sha256 = encode(sha256(canonical), 'hex')),
    CONSTRAINT signatures_text_hash CHECK (text_sha256 = encode(sha256(text), 'hex')),
    UNIQUE (id, text_sha256),
    UNIQUE (practice_id, note_id, id),
    FOREIGN KEY (practice_id, note_id) REFERENCES notes (practice_id, id),
    FOREIGN KEY (note_id, version) REFERENCES note_versions (note_id, number),
    FOREIGN KEY (practice_id, signer_id) REFERENCES people (practice_id, id)
);
CALL protect('signatures');
CALL append_only('signatures');
GRANT SELECT, INSERT ON signatures TO vesper_app;

-- guard_signature: the author signs, the newest version, while the dictation waits for it. The note's row is locked, so
-- that no version can slip in between.
CREATE FUNCTION guard_signature() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    newest int;
    author uuid;
    stage  text;
BEGIN
    SELECT n.latest, d.author_id, d.state INTO newest, author, stage
    FROM notes n JOIN dictations d ON d.id = n.dictation_id WHERE n.id = NEW.note_id FOR UPDATE OF n;
    IF newest IS DISTINCT FROM NEW.version THEN
        RAISE EXCEPTION 'only the newest version can be signed' USING ERRCODE = 'VS005';
    END IF;
    IF author IS DISTINCT FROM NEW.signer_id THEN
        RAISE EXCEPTION 'only the author of a dictation signs its note' USING ERRCODE = 'VS003';
    END IF;
    IF stage IS DISTINCT FROM 'awaiting_signature' THEN
        RAISE EXCEPTION 'a dictation that is % cannot be signed', stage USING ERRCODE = 'VS002';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER guard_signature BEFORE INSERT ON signatures FOR EACH ROW EXECUTE FUNCTION guard_signature();

-- guard_version: versions follow each other without a gap, and none comes after the signature.
CREATE FUNCTION guard_version() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    newest int;
BEGIN
    SELECT latest INTO newest FROM notes WHERE id = NEW.note_id FOR UPDATE;
    IF newest IS DISTINCT FROM NEW.number THEN -- the writer raises latest first, which is what makes two writers meet
        RAISE EXCEPTION 'version % does not follow', NEW.number USING ERRCODE = 'VS005';
    END IF;
    IF EXISTS (SELECT FROM signatures WHERE note_id = NEW.note_id) THEN
        RAISE EXCEPTION 'a signed note does not change' USING ERRCODE = 'VS004';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER guard_version BEFORE INSERT ON note_versions FOR EACH ROW EXECUTE FUNCTION guard_version();

-- A delivery quotes the signature and the hash it covers: without a signature over these bytes there is no row to quote.
CREATE TABLE deliveries (
    id               uuid PRIMARY KEY,
    practice_id      uuid NOT NULL,
    note_id          uuid NOT NULL,
    signature_id     uuid NOT NULL,
    text_sha256      text NOT NULL,
    target           text NOT NULL CHECK (target <> ''),
    state            text NOT NULL CHECK (state IN ('pending', 'sending', 'unknown', 'delivered', 'rejected')),
    ehr_id           text NOT NULL DEFAULT '',
    ehr_version      text NOT NULL DEFAULT '',
    read_back_sha256 text NOT NULL DEFAULT '',
    error_code       text NOT NULL DEFAULT '',
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    UNIQUE (signature_id, target),
    CONSTRAINT deliveries_signed_bytes FOREIGN KEY (signature_id, text_sha256) REFERENCES signatures (id, text_sha256),
    CONSTRAINT deliveries_signed_note FOREIGN KEY (practice_id, note_id, signature_id) REFERENCES signatures (practice_id, note_id, id),
    -- Delivered means: it stands there, was read back, and is the signed bytes.
    CONSTRAINT deliveries_read_back CHECK (state <> 'delivered' OR (ehr_id <> '' AND read_back_sha256 = text_sha256))
);
CREATE INDEX deliveries_of_note ON deliveries (note_id, created_at);
CALL protect('deliveries');
GRANT SELECT, INSERT ON deliveries TO vesper_app;
GRANT UPDATE (state, ehr_id, ehr_version, read_back_sha256, error_code, updated_at) ON deliveries TO vesper_app;

CREATE FUNCTION guard_delivery() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.state = 'delivered' AND NEW.state <> 'delivered' THEN
            RAISE EXCEPTION 'what is delivered stays delivered' USING ERRCODE = 'VS002';
        END IF;
        RETURN NEW;
    END IF;
    IF NOT EXISTS (SELECT FROM notes n JOIN dictations d ON d.id = n.dictation_id
                   WHERE n.id = NEW.note_id AND d.state IN ('signed', 'delivered')) THEN
        RAISE EXCEPTION 'only a signed note is delivered' USING ERRCODE = 'VS003';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER guard_delivery BEFORE INSERT OR UPDATE ON deliveries FOR EACH ROW EXECUTE FUNCTION guard_delivery();

-- guard_signed: the words "signed" and "delivered" on a dictation need the rows that prove them.
CREATE FUNCTION guard_signed() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF NEW.state = 'signed' AND NOT EXISTS (
        SELECT FROM signatures s JOIN notes n ON n.id = s.note_id WHERE n.dictation_id = NEW.id) THEN
        RAISE EXCEPTION 'there is no signature' USING ERRCODE = 'VS003';
    END IF;
    IF NEW.state = 'delivered' AND NOT EXISTS (
        SELECT FROM deliveries v JOIN notes n ON n.id = v.note_id WHERE n.dictation_id = NEW.id AND v.state = 'delivered') THEN
        RAISE EXCEPTION 'there is no delivery' USING ERRCODE = 'VS003';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER guard_signed BEFORE UPDATE OF state ON dictations
    FOR EACH ROW WHEN (NEW.state IN ('signed', 'delivered') AND NEW.state <> OLD.state) EXECUTE FUNCTION guard_signed();

---- create above / drop below ----

DROP TRIGGER guard_signed ON dictations;
DROP FUNCTION guard_signed();
DROP TABLE deliveries;
DROP FUNCTION guard_delivery();
DROP TRIGGER guard_version ON note_versions;
DROP FUNCTION guard_version();
DROP TABLE signatures;
DROP FUNCTION guard_signature();
