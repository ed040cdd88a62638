-- Indexes for practices with millions of notes.

---- create above / drop below ----

-- nothing
