-- Which older programs may go on working with this schema, so that old and new processes run side by side while a
-- cluster is upgraded. A program knows the schema of its own version; it works with a newer one as long as that version is
-- at least this number. A migration that takes away or changes the meaning of something that older programs use raises it
-- to its own number, in the same transaction; its way down sets it back:
--
--     UPDATE schema_compat SET oldest_program = 21;
CREATE TABLE schema_compat (
    one            boolean PRIMARY KEY DEFAULT true CHECK (one),
    oldest_program int NOT NULL CHECK (oldest_program > 0)
);
-- Programs before this one want exactly their own version anyway.
INSERT INTO schema_compat (oldest_program) VALUES (18);
GRANT SELECT ON schema_compat TO vesper_app;

---- create above / drop below ----

DROP TABLE schema_compat;
