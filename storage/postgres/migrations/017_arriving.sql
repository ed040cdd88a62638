-- Recordings that still arrive: their parts, and what is heard of them so far.

SELECT 1; -- nothing yet

---- create above / drop below ----

SELECT 1; -- nothing yet
