-- Keeping: retention, legal holds, purges, findings of the file check.

SELECT 1; -- nothing yet

---- create above / drop below ----

SELECT 1; -- nothing yet
