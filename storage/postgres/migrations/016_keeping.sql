-- Keeping: retention, legal holds, purges, findings of the file check.

---- create above / drop below ----

-- nothing
