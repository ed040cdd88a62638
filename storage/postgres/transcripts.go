package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/pipeline"
	"vesper/transcribe"
)

// InsertTranscript writes the transcript with its words and spans, each set in one statement (COPY does not work under
// row-level security).
func (t *tx) InsertTranscript(ctx context.Context, st pipeline.StoredTranscript, tr transcribe.Transcript) error {
	id, err := newID(st.ID)
	if err != nil {
		return err
	}
	practice := t.own(st.PracticeID)
	_, err = t.Exec(ctx, `
		INSERT INTO transcripts (id, practice_id, dictation_id, job_id, settings_sha, audio_sha256, audio_seconds,
			model_name, model_sha256, engine_seconds, text, at, doubts, warnings)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, coalesce($12::timestamptz, now()), $13, $14)`,
		id, practice, st.DictationID, st.JobID, st.SettingsSHA, tr.Audio.SHA256, tr.Audio.Seconds,
		tr.Model.Name, tr.Model.SHA256, tr.EngineSeconds, tr.Text, orNull(st.At),
		notNil(tr.Doubts), notNil(tr.Audio.Warnings))
	if err != nil {
		return wrap("insert transcript", err)
	}
	if err := t.insertWords(ctx, practice, id, tr.Words); err != nil {
		return err
	}
	return t.insertSpans(ctx, practice, id, tr.Spans)
}

// notNil makes an empty list an empty JSON array.
func notNil[T any](v []T) []T {
	if v == nil {
		return []T{}
	}
	return v
}

func (t *tx) insertWords(ctx context.Context, practice, id uuid.UUID, words []transcribe.Word) error {
	n := len(words)
	text, t0, t1, conf := make([]string, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for i, w := range words {
		text[i], t0[i], t1[i], conf[i] = w.Text, w.Start, w.End, w.Confidence
	}
	_, err := t.Exec(ctx, `
		INSERT INTO transcript_words (transcript_id, practice_id, ord, text, t0, t1, confidence)
		SELECT $1, $2, w.ord - 1, w.text, w.t0, w.t1, w.confidence
		FROM unnest($3::text[], $4::float8[], $5::float8[], $6::float8[]) WITH ORDINALITY AS w (text, t0, t1, confidence, ord)`,
		id, practice, text, t0, t1, conf)
	return wrap("insert words", err)
}

func (t *tx) insertSpans(ctx context.Context, practice, id uuid.UUID, spans []transcribe.Span) error {
	n := len(spans)
	t0, t1 := make([]float64, n), make([]float64, n)
	kind, reason, text := make([]string, n), make([]string, n), make([]string, n)
	for i, s := range spans {
		t0[i], t1[i], kind[i], reason[i], text[i] = s.Start, s.End, string(s.Kind), s.Reason, s.Text
	}
	_, err := t.Exec(ctx, `
		INSERT INTO transcript_spans (transcript_id, practice_id, ord, t0, t1, kind, reason, text)
		SELECT $1, $2, s.ord - 1, s.t0, s.t1, s.kind, s.reason, s.text
		FROM unnest($3::float8[], $4::float8[], $5::text[], $6::text[], $7::text[]) WITH ORDINALITY AS s (t0, t1, kind, reason, text, ord)`,
		id, practice, t0, t1, kind, reason, text)
	return wrap("insert spans", err)
}

func (t *tx) TranscriptOf(ctx context.Context, dictation uuid.UUID) (pipeline.StoredTranscript, transcribe.Transcript, error) {
	return t.transcript(ctx, `dictation_id = $1 ORDER BY at DESC, id DESC LIMIT 1`, dictation)
}

func (t *tx) Transcript(ctx context.Context, id uuid.UUID) (pipeline.StoredTranscript, transcribe.Transcript, error) {
	return t.transcript(ctx, `id = $1`, id)
}

// transcript reads the one transcript that a condition chooses.
func (t *tx) transcript(ctx context.Context, where string, arg uuid.UUID) (pipeline.StoredTranscript, transcribe.Transcript, error) {
	var st pipeline.StoredTranscript
	var tr transcribe.Transcript
	err := t.QueryRow(ctx, `
		SELECT id, practice_id, dictation_id, job_id, settings_sha, at, audio_sha256, audio_seconds, model_name, model_sha256,
		       engine_seconds, text, doubts, warnings
		FROM transcripts WHERE `+where, arg).
		Scan(&st.ID, &st.PracticeID, &st.DictationID, &st.JobID, &st.SettingsSHA, &st.At, &tr.Audio.SHA256, &tr.Audio.Seconds,
			&tr.Model.Name, &tr.Model.SHA256, &tr.EngineSeconds, &tr.Text, &tr.Doubts, &tr.Audio.Warnings)
	if err != nil {
		return st, tr, wrap("read transcript", err)
	}
	st.At = st.At.UTC()
	tr.Words, err = list(ctx, t, "read words", scanWord, `
		SELECT text, t0, t1, confidence FROM transcript_words WHERE transcript_id = $1 ORDER BY ord`, st.ID)
	if err != nil {
		return st, tr, err
	}
	tr.Spans, err = list(ctx, t, "read spans", scanSpan, `
		SELECT t0, t1, kind, reason, text FROM transcript_spans WHERE transcript_id = $1 ORDER BY ord`, st.ID)
	return st, tr, err
}

func scanWord(row pgx.CollectableRow) (w transcribe.Word, err error) {
	err = row.Scan(&w.Text, &w.Start, &w.End, &w.Confidence)
	return w, err
}

func scanSpan(row pgx.CollectableRow) (s transcribe.Span, err error) {
	err = row.Scan(&s.Start, &s.End, &s.Kind, &s.Reason, &s.Text)
	return s, err
}
