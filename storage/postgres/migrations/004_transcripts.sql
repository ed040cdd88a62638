-- Transcripts: the immutable result of one engine run. Words and spans are rows, so that "which words come from this
-- stretch of audio" is a query.
CREATE TABLE transcripts (
    id             uuid PRIMARY KEY,
    practice_id    uuid NOT NULL,
    dictation_id   uuid NOT NULL,
    job_id         uuid NOT NULL UNIQUE, -- one run, one transcript: a late worker cannot add a second
    settings_sha   text NOT NULL,
    audio_sha256   text NOT NULL,
    audio_seconds  double precision NOT NULL CHECK (audio_seconds >= 0),
    model_name     text NOT NULL,
    model_sha256   text NOT NULL,
    engine_seconds double precision NOT NULL CHECK (engine_seconds >= 0),
    text           text NOT NULL,
    at             timestamptz NOT NULL,
    UNIQUE (practice_id, id),
    FOREIGN KEY (practice_id, dictation_id) REFERENCES dictations (practice_id, id),
    FOREIGN KEY (practice_id, dictation_id, job_id) REFERENCES jobs (practice_id, dictation_id, id)
);
CREATE INDEX transcripts_newest ON transcripts (dictation_id, at DESC, id DESC);

CREATE TABLE transcript_words (
    transcript_id uuid NOT NULL,
    practice_id   uuid NOT NULL,
    ord           int NOT NULL CHECK (ord >= 0),
    text          text NOT NULL,
    t0            double precision NOT NULL, -- seconds from the start of the recording
    t1            double precision NOT NULL CHECK (t1 >= t0),
    confidence    double precision NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    PRIMARY KEY (transcript_id, ord),
    FOREIGN KEY (practice_id, transcript_id) REFERENCES transcripts (practice_id, id)
);

CREATE TABLE transcript_spans (
    transcript_id uuid NOT NULL,
    practice_id   uuid NOT NULL,
    ord           int NOT NULL CHECK (ord >= 0),
    t0            double precision NOT NULL,
    t1            double precision NOT NULL CHECK (t1 >= t0),
    kind          text NOT NULL CHECK (kind IN ('words', 'silence', 'unheard', 'struck')),
    reason        text NOT NULL DEFAULT '',
    text          text NOT NULL DEFAULT '',
    PRIMARY KEY (transcript_id, ord),
    FOREIGN KEY (practice_id, transcript_id) REFERENCES transcripts (practice_id, id)
);

CALL protect('transcripts');
CALL protect('transcript_words');
CALL protect('transcript_spans');
CALL append_only('transcripts');
CALL append_only('transcript_words');
CALL append_only('transcript_spans');
GRANT SELECT, INSERT ON transcripts, transcript_words, transcript_spans TO vesper_app;

---- create above / drop below ----

DROP TABLE transcript_spans;
DROP TABLE transcript_words;
DROP TABLE transcripts;
