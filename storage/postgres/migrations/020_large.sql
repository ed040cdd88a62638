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

-- The beginning of a name, in order: a search for one or two letters stops at its limit.
DROP INDEX CONCURRENTLY IF EXISTS patients_by_beginning;
CREATE INDEX CONCURRENTLY patients_by_beginning ON patients (practice_id, search COLLATE "C", id);

-- Row-level security lets no pattern match into an index scan, because LIKE is not leakproof. So the search is a function
-- that runs as the owner, whom the policy lets read, and names the practice itself. Words of three letters and more are found
-- anywhere. Shorter ones are in too many names for that: beside a longer one they count at the beginning of a word, alone at
-- the beginning of the whole. The words are quoted into the statement so that each search is planned for its own words.
DROP POLICY IF EXISTS search ON patients;
DO $$
BEGIN
    EXECUTE format('CREATE POLICY search ON patients FOR SELECT TO %I USING (true)', current_user);
END
$$;

CREATE OR REPLACE FUNCTION search_patients(words text[], lim int) RETURNS SETOF patients
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    SET jit = off SET work_mem = '32MB' SET enable_seqscan = off SET enable_indexscan = on SET enable_bitmapscan = on AS $$
DECLARE
    many     constant int := 1000;
    practice uuid := public.current_practice();
    few      uuid[];
    found    text := 'SELECT * FROM public.patients WHERE practice_id = $1';
    ordered  text := 'name, id';
    begins   text := '';
    long     boolean := false;
    word     text;
    pattern  text;
BEGIN
    IF practice IS NULL THEN
        RETURN;
    END IF;
    FOREACH word IN ARRAY words LOOP
        pattern := replace(replace(replace(word, '\', '\\'), '%', '\%'), '_', '\_');
        IF length(word) >= 3 THEN
            long := true;
            found := found || format(' AND search LIKE %L', '%' || pattern || '%');
        ELSE
            begins := begins || format(' OR search COLLATE "C" LIKE %L', pattern || '%');
            IF cardinality(words) > 1 THEN
                found := found || format(' AND (search LIKE %L OR search LIKE %L)', pattern || '%', '% ' || pattern || '%');
            END IF;
        END IF;
    END LOOP;
    IF NOT long THEN
        found := found || ' AND (false' || begins || ')';
        IF cardinality(words) = 1 THEN
            ordered := 'search COLLATE "C", id'; -- as the index has it
        END IF;
    END IF;
    -- How many hold a longer word is not for the planner to guess, which takes a name that nobody has for one that is soon met:
    -- the index of trigrams is asked. Few are sorted; of many, the first come soon in the order of names.
    IF long THEN
        PERFORM set_config('enable_indexscan', 'off', true);
        EXECUTE 'SELECT coalesce(array_agg(id), ''{}'') FROM (' || found || ' LIMIT $2) f' INTO few USING practice, many + 1;
        PERFORM set_config('enable_indexscan', 'on', true);
        IF cardinality(few) <= many THEN
            RETURN QUERY SELECT * FROM public.patients WHERE id = ANY (few) ORDER BY name, id LIMIT lim;
            RETURN;
        END IF;
        PERFORM set_config('enable_bitmapscan', 'off', true);
    END IF;
    RETURN QUERY EXECUTE found || ' ORDER BY ' || ordered || ' LIMIT $2' USING practice, lim;
END
$$;
REVOKE EXECUTE ON FUNCTION search_patients(text[], int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_patients(text[], int) TO vesper_app;

---- create above / drop below ----

DROP FUNCTION search_patients(text[], int);
DROP POLICY search ON patients;
DROP INDEX patients_by_beginning;
DROP INDEX patients_search;
DROP EXTENSION pg_trgm;
DROP INDEX dictations_author_state;
