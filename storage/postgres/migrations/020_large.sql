---- tern: disable-tx ----
-- What keeps lists, counts and searches quick for practices with millions of notes. Indexes of tables that may be large are
-- built concurrently, outside of a transaction: nobody waits for them. A build that was cut short leaves an index that is no
-- good; it is dropped first, so that the step can be repeated.
DROP INDEX CONCURRENTLY IF EXISTS dictations_author_state;
CREATE INDEX CONCURRENTLY dictations_author_state ON dictations (practice_id, author_id, state);

-- Part of a name or record number, anywhere in it.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
DROP INDEX CONCURRENTLY IF EXISTS patients_search;
CREATE INDEX CONCURRENTLY patients_search ON patients USING gin (search gin_trgm_ops);

-- Row-level security lets no pattern match into an index scan, because LIKE is not leakproof. So the search is a function
-- that runs as the owner, whom the policy lets read, and names the practice itself. Words of three letters and more are found
-- anywhere, shorter ones at the beginning of a word: that is what the index can find. The words are quoted into the statement
-- so that each search is planned for its own words.
DROP POLICY IF EXISTS search ON patients;
DO $$
BEGIN
    EXECUTE format('CREATE POLICY search ON patients FOR SELECT TO %I USING (true)', current_user);
END
$$;

CREATE OR REPLACE FUNCTION search_patients(words text[], lim int) RETURNS SETOF patients
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    practice uuid := public.current_practice();
    found    text := 'SELECT * FROM public.patients WHERE practice_id = $1';
    word     text;
    pattern  text;
BEGIN
    IF practice IS NULL THEN
        RETURN;
    END IF;
    FOREACH word IN ARRAY words LOOP
        pattern := replace(replace(replace(word, '\', '\\'), '%', '\%'), '_', '\_');
        IF length(word) >= 3 THEN
            found := found || format(' AND search LIKE %L', '%' || pattern || '%');
        ELSE
            found := found || format(' AND (search LIKE %L OR search LIKE %L)', pattern || '%', '% ' || pattern || '%');
        END IF;
    END LOOP;
    RETURN QUERY EXECUTE found || ' ORDER BY name, id LIMIT $2' USING practice, lim;
END
$$;
REVOKE EXECUTE ON FUNCTION search_patients(text[], int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_patients(text[], int) TO vesper_app;

---- create above / drop below ----

DROP FUNCTION search_patients(text[], int);
DROP POLICY search ON patients;
DROP INDEX patients_search;
DROP EXTENSION pg_trgm;
DROP INDEX dictations_author_state;
