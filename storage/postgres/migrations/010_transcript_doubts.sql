-- What a transcript doubts (places that could be read in two ways, and terms put right) and what the recording itself warned of.
-- Transcripts made before have none.
ALTER TABLE transcripts
    ADD COLUMN doubts   jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(doubts) = 'array'),
    ADD COLUMN warnings jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(warnings) = 'array');

---- create above / drop below ----

ALTER TABLE transcripts DROP COLUMN doubts, DROP COLUMN warnings;
