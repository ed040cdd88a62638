-- Which older programs may go on working with this schema, for rolling upgrades.

---- create above / drop below ----

-- nothing
