-- Indexes for practices with millions of notes.

SELECT 1; -- nothing yet

---- create above / drop below ----

SELECT 1; -- nothing yet
