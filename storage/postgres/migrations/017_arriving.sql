-- Recordings that still arrive: their parts, and what is heard of them so far.

---- create above / drop below ----

-- nothing
