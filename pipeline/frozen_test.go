package pipeline_test

import (
	"context"
	"testing"

	"vesper/internal/testkit"
	"vesper/pipeline"
)

// A second transcript may come to stand beside the one that a draft was ordered for; the draft is still made of its own.
func TestADraftIsMadeOfTheTranscriptItWasOrderedFor(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.transcribed()
	job := newID().String()
	testkit.Exec(t, w.admin, `BEGIN; SET LOCAL session_replication_role = replica; -- a job begins as queued; this one is past
		INSERT INTO jobs (id, practice_id, dictation_id, kind, priority, input_sha256, gen, settings, state, max_attempts, run_after, due_at, finished_at)
		SELECT '`+job+`', practice_id, dictation_id, kind, priority, input_sha256, gen + 1, settings, 'done', max_attempts, run_after, due_at, now()
		FROM jobs WHERE kind = 'transcribe' AND dictation_id = '`+id.String()+`';
		INSERT INTO transcripts (id, practice_id, dictation_id, job_id, settings_sha, audio_sha256, audio_seconds, model_name, model_sha256, engine_seconds, text, at)
		SELECT gen_random_uuid(), practice_id, dictation_id, '`+job+`', settings_sha, audio_sha256, audio_seconds, model_name, model_sha256, engine_seconds, '', at + interval '1 minute'
		FROM transcripts WHERE dictation_id = '`+id.String()+`'; COMMIT`)
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		_, newest, err := tx.TranscriptOf(ctx, id)
		if len(newest.Words) != 0 {
			t.Fatal("the newest transcript is still the first")
		}
		return err
	})
	w.hurry()
	w.drain()
	w.wantState(id, pipeline.Drafted)
	words := 0
	for _, s := range w.newest(id).Document.Sections {
		words += len(s.Text())
	}
	if words == 0 {
		t.Error("the draft is made of the newer transcript, which has no words")
	}
}
