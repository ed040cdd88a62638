---- tern: disable-tx ----
-- What keeps long lists quick; see 020 for the drops.

-- The newest of one state, however rare it is among the newest of all.
DROP INDEX CONCURRENTLY IF EXISTS dictations_state_newest;
CREATE INDEX CONCURRENTLY dictations_state_newest ON dictations (practice_id, state, received_at DESC, id);
-- Those rejected lately.
DROP INDEX CONCURRENTLY IF EXISTS dictations_rejected;
CREATE INDEX CONCURRENTLY dictations_rejected ON dictations (practice_id, updated_at DESC, id) WHERE state = 'rejected';

-- 020's search went through all names in their order when many matched, and read every match of a long word beside a short
-- one. Now each step is bounded. First come those whose name begins with one of the first words of the search, in order: their
-- index stops at the limit. Only when these are too few the index of trigrams is asked for all words at once, the short ones as
-- beginnings of words (which begin where trigrams say so, after a blank or a mark: else all rows would be read to refuse them),
-- and at most a thousand matches are read and sorted by name: who searches for that little types on.
CREATE OR REPLACE FUNCTION search_patients(words text[], lim int) RETURNS SETOF patients
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    SET jit = off SET work_mem = '32MB' SET enable_seqscan = off SET enable_indexscan = on SET enable_bitmapscan = on AS $$
DECLARE
    many     constant int := 1000; -- matches that are read
    near     constant int := 5000; -- names that begin with a word and are looked at for the other words
    heads    constant int := 4;    -- words that a name may begin with; nobody types more, and each costs a look
    practice uuid := public.current_practice();
    every    text := 'practice_id = $1';
    found    uuid[] := '{}';
    more     uuid[];
    word     text;
BEGIN
    IF practice IS NULL THEN
        RETURN;
    END IF;
    FOREACH word IN ARRAY words LOOP
        IF length(word) >= 3 THEN
            every := every || format(' AND search LIKE %L', '%' || regexp_replace(word, '([\\%_])', '\\\1', 'g') || '%');
        ELSE
            every := every || format(' AND search ~ %L', '(^|[ ,./''-])' || regexp_replace(word, '([^[:alnum:]])', '\\\1', 'g'));
        END IF;
    END LOOP;
    FOREACH word IN ARRAY words[:heads] LOOP
        EXIT WHEN cardinality(found) >= lim;
        EXECUTE format('SELECT coalesce(array_agg(id), ''{}'') FROM (SELECT id FROM ('
            'SELECT * FROM public.patients WHERE practice_id = $1 AND search COLLATE "C" LIKE %L ORDER BY search COLLATE "C", id LIMIT %s) b '
            'WHERE %s AND id <> ALL ($2) ORDER BY search COLLATE "C", id LIMIT $3) f',
            regexp_replace(word, '([\\%_])', '\\\1', 'g') || '%', near, every) INTO more USING practice, found, lim - cardinality(found);
        found := found || more;
    END LOOP;
    -- One or two letters alone count at the beginning of the whole name only.
    IF cardinality(found) < lim AND (cardinality(words) > 1 OR length(words[1]) >= 3) THEN
        PERFORM set_config('enable_indexscan', 'off', true);
        EXECUTE 'SELECT coalesce(array_agg(id), ''{}'') FROM (SELECT id FROM public.patients WHERE ' || every || ' AND id <> ALL ($2) LIMIT $3) f'
            INTO more USING practice, found, many;
        PERFORM set_config('enable_indexscan', 'on', true);
        SELECT found || coalesce(array_agg(id ORDER BY name, id), '{}') INTO found FROM public.patients WHERE id = ANY (more);
    END IF;
    RETURN QUERY SELECT p.* FROM unnest(found) WITH ORDINALITY f (id, place) JOIN public.patients p ON p.id = f.id ORDER BY f.place LIMIT lim;
END
$$;

---- create above / drop below ----

DROP INDEX dictations_rejected;
DROP INDEX dictations_state_newest;
