-- Which older programs may go on working with this schema, for rolling upgrades.

SELECT 1; -- nothing yet

---- create above / drop below ----

SELECT 1; -- nothing yet
