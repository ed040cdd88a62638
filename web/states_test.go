package web_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/notes"
	"vesper/pipeline"
	"vesper/transcribe"
)

// drafted puts a dictation of the physician with a note into the database, in the state in which editors find it.
func (w *world) drafted() uuid.UUID {
	w.Helper()
	return w.recorded(draft)
}

// recorded puts a dictation of the physician with its recording there, then goes on with it in the same transaction.
func (w *world) recorded(then func(context.Context, pipeline.Tx, pipeline.Dictation) error) uuid.UUID {
	w.Helper()
	now := time.Now().UTC().Truncate(time.Microsecond)
	audioID := newID()
	sum := sha256.Sum256(audioID[:])
	d := pipeline.Dictation{
		ID: newID(), PracticeID: w.practice, AuthorID: w.people["physician"].ID, PatientID: &w.patient.ID, AudioID: &audioID,
		WorkType: "progress", Priority: pipeline.Routine, State: pipeline.Received, ReceivedAt: now, DueAt: now.Add(time.Hour),
	}
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		if err := tx.InsertDictation(ctx, d); err != nil {
			return err
		}
		if err := tx.InsertAudio(ctx, pipeline.Audio{
			ID: audioID, PracticeID: w.practice, DictationID: d.ID, Rendition: pipeline.Original,
			Key: "k/" + d.ID.String(), SHA256: hex.EncodeToString(sum[:]), Size: 12, SealedKey: []byte{1}, ContentType: "audio/wav",
		}); err != nil {
			return err
		}
		return then(ctx, tx, d)
	})
	return d.ID
}

// draft brings a received dictation to drafted.
func draft(ctx context.Context, tx pipeline.Tx, d pipeline.Dictation) error {
	note := pipeline.Note{ID: newID(), PracticeID: d.PracticeID, DictationID: d.ID, WorkType: d.WorkType}
	hash := sha256.Sum256(d.AudioID[:])
	sum := hex.EncodeToString(hash[:])
	job, err := tx.AddJob(ctx, pipeline.Job{DictationID: d.ID, Kind: pipeline.TranscribeJob, InputSHA256: sum})
	if err != nil {
		return err
	}
	if err := tx.Move(ctx, d.ID, []pipeline.State{pipeline.Received}, pipeline.Queued, ""); err != nil {
		return err
	}
	if err := tx.InsertTranscript(ctx, pipeline.StoredTranscript{DictationID: d.ID, JobID: job}, speech(sum)); err != nil {
		return err
	}
	if err := tx.Move(ctx, d.ID, []pipeline.State{pipeline.Queued}, pipeline.Transcribed, ""); err != nil {
		return err
	}
	if err := tx.InsertNote(ctx, note); err != nil {
		return err
	}
	doc := document("He feels well today.")
	if _, err := tx.InsertVersion(ctx, pipeline.Version{NoteID: note.ID, Number: 1, Kind: pipeline.EngineDraft, Document: doc, ContentHash: notes.ContentHash(doc)}); err != nil {
		return err
	}
	return tx.Move(ctx, d.ID, []pipeline.State{pipeline.Transcribed}, pipeline.Drafted, "")
}

func document(text string) notes.Document {
	said := notes.Source{Kind: notes.FromSpeech, Start: 0.1, End: 0.9, Confidence: 0.9}
	var sections []notes.Section
	for _, k := range [][2]string{{"subjective", "Subjective"}, {"objective", "Objective"}, {"assessment", "Assessment"}, {"plan", "Plan"}} {
		sections = append(sections, notes.Section{Key: k[0], Heading: k[1], Runs: []notes.Run{{Text: text, Source: said}}})
	}
	return notes.Document{WorkType: "progress", Sections: sections}
}

func speech(sum string) transcribe.Transcript {
	return transcribe.Transcript{
		Audio: transcribe.AudioFacts{SHA256: sum, Seconds: 1}, Model: transcribe.ModelFacts{Name: "base", SHA256: sum}, Text: "He feels well today.",
		Words: []transcribe.Word{
			{Text: "He", Start: 0.1, End: 0.2, Confidence: 0.9},
			{Text: "feels", Start: 0.2, End: 0.4, Confidence: 0.9},
			{Text: "well", Start: 0.4, End: 0.6, Confidence: 0.9},
			{Text: "today.", Start: 0.6, End: 0.9, Confidence: 0.9},
		},
		Spans: []transcribe.Span{{Start: 0, End: 0.9, Kind: transcribe.SpanWords}, {Start: 0.9, End: 1, Kind: transcribe.SpanSilence}},
	}
}

// inReview is a drafted dictation that the editor has claimed.
func (w *world) inReview() uuid.UUID {
	w.Helper()
	id := w.drafted()
	_, err := w.svc.Claim(context.Background(), w.actor("editor"), id)
	w.must(err)
	return id
}

// awaiting is one that the editor has sent to the physician.
func (w *world) awaiting() uuid.UUID {
	w.Helper()
	id := w.inReview()
	w.must(w.svc.Send(context.Background(), w.actor("editor"), id, 1))
	return id
}

// failed is one whose automatic part cannot go on.
func (w *world) failed() uuid.UUID {
	w.Helper()
	return w.recorded(func(ctx context.Context, tx pipeline.Tx, d pipeline.Dictation) error {
		return tx.Move(ctx, d.ID, []pipeline.State{pipeline.Received}, pipeline.Failed, "The engine stopped.")
	})
}

func (w *world) actor(role string) access.Actor { return w.people[role].Actor() }
