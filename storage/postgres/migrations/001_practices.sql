-- Practices, their people and the references to patients and visits of the EHR.
--
-- Roles are made before the first migration (they belong to the cluster, not to this database): the owner of the
-- database runs migrations and owns everything; vesper_app is what the web server and the workers may do; vesper_worker
-- adds what workers do across practices. Nobody who serves requests owns a table or bypasses row-level security.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'vesper_app')
       OR NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'vesper_worker') THEN
        RAISE EXCEPTION 'the roles vesper_app and vesper_worker are missing: provision the database first';
    END IF;
END
$$;

GRANT USAGE ON SCHEMA public TO vesper_app;
GRANT SELECT ON schema_version TO vesper_app;

-- The practice of the present transaction, NULL outside one. It is set with set_config(..., true), so it ends with the
-- transaction and a pooled connection cannot carry it over. After a first use the setting reads as '', hence nullif.
CREATE FUNCTION current_practice() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('vesper.practice_id', true), '')::uuid;

-- protect turns on row-level security for a table with a practice_id. FORCE binds the owner too, so that a function
-- which runs as the owner sees nothing by accident.
CREATE PROCEDURE protect(tab regclass, col text DEFAULT 'practice_id')
    LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', tab);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', tab);
    EXECUTE format('CREATE POLICY own_practice ON %s TO vesper_app USING (%I = public.current_practice()) '
                   'WITH CHECK (%I = public.current_practice())', tab, col, col);
END
$$;
REVOKE EXECUTE ON PROCEDURE protect(regclass, text) FROM PUBLIC;

-- refuse_change stands before UPDATE, DELETE and TRUNCATE of append-only tables. Missing grants already stop the
-- application's roles; this stops the owner and a careless superuser as well.
CREATE FUNCTION refuse_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'VS001';
END
$$;

CREATE PROCEDURE append_only(tab regclass)
    LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %s '
                   'FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change()', tab);
END
$$;
REVOKE EXECUTE ON PROCEDURE append_only(regclass) FROM PUBLIC;

CREATE TABLE practices (
    id         uuid PRIMARY KEY,
    name       text NOT NULL CHECK (name <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (name)
);
CALL protect('practices', 'id');
GRANT SELECT, INSERT ON practices TO vesper_app;

-- Every table of a practice refers to others by (practice_id, id), so that a row cannot point into another practice
-- even if row-level security were off.
CREATE TABLE people (
    id            uuid PRIMARY KEY,
    practice_id   uuid NOT NULL REFERENCES practices,
    role          text NOT NULL CHECK (role IN ('physician', 'editor', 'supervisor', 'compliance', 'admin')),
    login         text NOT NULL CHECK (login <> '' AND login = btrim(login)),
    name          text NOT NULL CHECK (name <> ''),
    credential    text NOT NULL DEFAULT '',
    ehr_ref       text NOT NULL DEFAULT '', -- "Practitioner/p1"; '': the EHR does not know this person
    password_hash text NOT NULL CHECK (password_hash = '' OR password_hash LIKE '$argon2id$%'), -- '': no password sign-in
    disabled      boolean NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (practice_id, id)
);
-- Logins are unique across practices: at sign-in the practice is not known yet.
CREATE UNIQUE INDEX people_login ON people (lower(login));
CALL protect('people');
GRANT SELECT, INSERT ON people TO vesper_app;
GRANT UPDATE (disabled, password_hash) ON people TO vesper_app;

CREATE TABLE patients (
    id          uuid PRIMARY KEY,
    practice_id uuid NOT NULL REFERENCES practices,
    mrn         text NOT NULL CHECK (mrn <> ''),
    name        text NOT NULL CHECK (name <> ''),
    birth_date  date,
    sex         text NOT NULL DEFAULT '',
    ehr_ref     text NOT NULL DEFAULT '',
    search      text NOT NULL GENERATED ALWAYS AS (lower(name || ' ' || mrn)) STORED,
    UNIQUE (practice_id, id),
    UNIQUE (practice_id, mrn)
);
-- Lists come in this order, so a search stops at its limit.
CREATE INDEX patients_by_name ON patients (practice_id, name, id);
CALL protect('patients');
GRANT SELECT, INSERT ON patients TO vesper_app;

CREATE TABLE encounters (
    id          uuid PRIMARY KEY,
    practice_id uuid NOT NULL REFERENCES practices,
    patient_id  uuid NOT NULL,
    author_id   uuid NOT NULL,
    starts      timestamptz NOT NULL,
    title       text NOT NULL DEFAULT '',
    ehr_ref     text NOT NULL DEFAULT '',
    UNIQUE (practice_id, id),
    UNIQUE (practice_id, id, patient_id),
    FOREIGN KEY (practice_id, patient_id) REFERENCES patients (practice_id, id),
    FOREIGN KEY (practice_id, author_id) REFERENCES people (practice_id, id)
);
CREATE INDEX encounters_by_author ON encounters (practice_id, author_id, starts);
CREATE INDEX encounters_by_patient ON encounters (practice_id, patient_id);
CALL protect('encounters');
GRANT SELECT, INSERT ON encounters TO vesper_app;

-- What a practice changes about the built-in work types. Dictations name a work type by key without a foreign key,
-- because the built-in ones are part of the program.
CREATE TABLE work_types (
    practice_id      uuid NOT NULL REFERENCES practices,
    key              text NOT NULL CHECK (key <> ''),
    name             text NOT NULL CHECK (name <> ''),
    loinc            text NOT NULL DEFAULT '',
    turnaround_hours double precision NOT NULL CHECK (turnaround_hours > 0),
    PRIMARY KEY (practice_id, key)
);
CALL protect('work_types');
GRANT SELECT, INSERT, UPDATE (name, loinc, turnaround_hours) ON work_types TO vesper_app;

-- Before sign-in no practice is known. These two functions are the only way to look across practices with the
-- application's role: they run as the owner, whom the policies below let read, and return one account or names only.
DO $$
BEGIN
    EXECUTE format('CREATE POLICY sign_in ON people FOR SELECT TO %I USING (true)', current_user);
    EXECUTE format('CREATE POLICY names ON practices FOR SELECT TO %I USING (true)', current_user);
END
$$;

CREATE FUNCTION find_login(wanted text) RETURNS SETOF people
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    BEGIN ATOMIC
        SELECT * FROM public.people WHERE lower(login) = lower(wanted);
    END;
REVOKE EXECUTE ON FUNCTION find_login(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_login(text) TO vesper_app;

CREATE FUNCTION list_practices() RETURNS TABLE (id uuid, name text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    BEGIN ATOMIC
        SELECT p.id, p.name FROM public.practices p;
    END;
REVOKE EXECUTE ON FUNCTION list_practices() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION list_practices() TO vesper_app;

---- create above / drop below ----

DROP FUNCTION list_practices();
DROP FUNCTION find_login(text);
DROP TABLE work_types;
DROP TABLE encounters;
DROP TABLE patients;
DROP TABLE people;
DROP TABLE practices;
DROP PROCEDURE append_only(regclass);
DROP FUNCTION refuse_change();
DROP PROCEDURE protect(regclass, text);
DROP FUNCTION current_practice();
REVOKE SELECT ON schema_version FROM vesper_app;
REVOKE USAGE ON SCHEMA public FROM vesper_app;
