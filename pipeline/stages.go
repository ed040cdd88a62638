package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"vesper/internal/access"
	"vesper/internal/crashpoint"
	"vesper/internal/fault"
	"vesper/notes"
	"vesper/notes/templates"
	"vesper/transcribe"
)

// transcribe turns the recording into an immutable transcript, saving each chunk as it comes, and makes the rendition
// for playback meanwhile.
func (w *Worker) transcribe(ctx context.Context, job Job) (uuid.UUID, error) {
	crashpoint.At("transcribe.claimed")
	dir, err := os.MkdirTemp(w.TempDir, "transcribe-*")
	if err != nil {
		return uuid.Nil, fault.Wrap(err, fault.Unavailable, "temp_unavailable", "The worker has no room for temporary files.")
	}
	defer os.RemoveAll(dir)
	defer w.Listener.transcribing()()
	arrived := w.takeArriving(ctx, job)
	ectx, cancel := context.WithCancel(ctx)
	settings := w.expecting(ectx, job)
	defer func() { cancel(); _, _ = settings() }() // also when the recording turns out unusable, nothing goes on behind
	original, err := w.fetch(ctx, job, filepath.Join(dir, "recording"))
	if err != nil {
		arrived.letGo()
		return uuid.Nil, err
	}
	t, err := w.heardEarly(ctx, job, arrived, original, dir)
	if errors.Is(err, errNotHeard) {
		t, err = w.hearWhole(ctx, job, settings, original, dir)
	}
	if err != nil {
		return uuid.Nil, err
	}
	if job.Settings, err = settings(); err != nil {
		return uuid.Nil, err
	}
	if !heard(t) {
		return uuid.Nil, fault.New(fault.Invalid, "no_speech", "No speech was heard in this recording. Check the microphone and dictate again.")
	}
	next, err := w.commitTranscript(ctx, job, original, t)
	if err == nil {
		w.measure(ctx, t)
	}
	return next, err
}

// hearWhole decodes and transcribes the recording from its beginning, but for the chunks that an earlier run has saved.
func (w *Worker) hearWhole(ctx context.Context, job Job, expecting func() (json.RawMessage, error), original Audio, dir string,
) (t transcribe.Transcript, err error) {
	sound, err := w.Recogniser.Decode(ctx, filepath.Join(dir, "recording"))
	if err != nil {
		return t, err
	}
	defer sound.Close()
	settings, err := expecting()
	if err != nil {
		return t, err
	}
	chunks, err := w.Store.Chunks(ctx, job.ID)
	if err != nil {
		return t, err
	}
	saved := make([][]byte, len(chunks))
	for i, c := range chunks {
		saved[i] = c
	}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(guarded(func() (err error) {
		t, err = w.Recogniser.Transcribe(gctx, sound, original.SHA256, settings, saved, func(n, total int, result []byte) error {
			crashpoint.At("chunk.before-save")
			defer crashpoint.At("chunk.after-save")
			if err := w.Store.SaveChunk(gctx, job.ID, job.LeaseToken, n, total, result); err != nil {
				return err
			}
			job.progress.saved.Store(true)
			if n < total && w.draining() {
				return errDraining
			}
			return nil
		})
		return err
	}))
	g.Go(guarded(func() error { return w.render(gctx, job, original, sound, filepath.Join(dir, "playback.wav")) }))
	err = g.Wait()
	return t, err
}

// measure adds the run to what is known of this worker's speed. Nothing depends on it but what people are told.
func (w *Worker) measure(ctx context.Context, t transcribe.Transcript) {
	seconds := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	if err := w.Store.MeasureRun(ctx, w.ID, seconds(t.Audio.Seconds), seconds(t.EngineSeconds)); err != nil {
		w.Log.WarnContext(ctx, "measure run", "err", err)
	}
}

// heard reports whether there is anything a note could be made of: words, or speech for a person to listen to.
func heard(t transcribe.Transcript) bool {
	if len(t.Words) > 0 {
		return true
	}
	for _, s := range t.Spans {
		if s.Kind == transcribe.SpanUnheard || s.Kind == transcribe.SpanStruck && s.Reason == transcribe.ReasonLoop {
			return true
		}
	}
	return false
}

// fetch copies the original from the object store and checks that it is what was received.
func (w *Worker) fetch(ctx context.Context, job Job, path string) (Audio, error) {
	var a Audio
	err := w.Store.InTx(ctx, job.PracticeID, func(ctx context.Context, tx Tx) (err error) {
		a, err = tx.AudioOf(ctx, job.DictationID, Original)
		return err
	})
	if err != nil {
		return a, err
	}
	r, err := w.Objects.Open(ctx, a)
	if err != nil {
		return a, err
	}
	defer r.Close()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return a, fmt.Errorf("make temporary recording: %w", err)
	}
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(f, sum), ctxReader{ctx, r})
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return a, fmt.Errorf("copy recording: %w", err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != a.SHA256 {
		return a, fault.New(fault.NotFound, "recording_damaged", "The stored recording is not the one that was received. An administrator must check the object store.")
	}
	return a, nil
}

// render stores the playback rendition, unless an earlier run left one: 16 kHz mono WAV, in which every browser can seek
// exactly. Its row is written at once: whatever becomes of this run, the object is known, and no later run makes another.
func (w *Worker) render(ctx context.Context, job Job, original Audio, sound Sound, path string) error {
	made, err := w.rendered(ctx, job)
	if err != nil || made {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("make playback file: %w", err)
	}
	defer f.Close()
	if err := sound.WriteWAV(ctx, f); err != nil {
		return err
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return fmt.Errorf("rewind playback file: %w", err)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	crashpoint.At("playback.before-put")
	o, err := w.Objects.Put(ctx, job.PracticeID, id, f, size)
	if err != nil {
		return err
	}
	crashpoint.At("playback.after-put")
	return w.keepPlayback(ctx, job, original, Audio{
		ID: id, PracticeID: job.PracticeID, DictationID: job.DictationID, Rendition: Playback, Key: o.Key, SHA256: o.SHA256, Size: o.Size,
		SealedKey: o.SealedKey, VersionID: o.VersionID, ContentType: "audio/wav", Filename: "playback.wav", Seconds: sound.Seconds(),
	})
}

// rendered says whether the dictation has a rendition for playback.
func (w *Worker) rendered(ctx context.Context, job Job) (made bool, err error) {
	err = w.Store.InTx(ctx, job.PracticeID, func(ctx context.Context, tx Tx) error {
		_, err := tx.AudioOf(ctx, job.DictationID, Playback)
		if made = err == nil; isNotFound(err) {
			return nil
		}
		return err
	})
	return made, err
}

// keepTime bounds the writing of the row of an object that stands.
const keepTime = 10 * time.Second

// keepPlayback writes the rendition's row. The object stands already, so what ended the run meanwhile does not end this.
func (w *Worker) keepPlayback(ctx context.Context, job Job, original, playback Audio) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer cancel()
	return w.Store.InTx(ctx, job.PracticeID, func(ctx context.Context, tx Tx) error {
		if _, err := tx.DictationForUpdate(ctx, job.DictationID); err != nil { // in the order of the other commits
			return err
		}
		if err := tx.HoldJob(ctx, job.ID, job.LeaseToken); err != nil {
			return err
		}
		if err := tx.SetAudioSeconds(ctx, original.ID, playback.Seconds); err != nil {
			return err
		}
		if err := tx.InsertAudio(ctx, playback); err != nil {
			return err
		}
		return tx.Audit(ctx, done(access.SystemActor(job.PracticeID), access.Process, job.DictationID, map[string]string{
			"job": string(job.Kind), "result": "rendered", "audio": playback.ID.String(), "sha256": playback.SHA256,
		}))
	})
}

func (w *Worker) commitTranscript(ctx context.Context, job Job, original Audio, t transcribe.Transcript) (uuid.UUID, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, err
	}
	var next uuid.UUID
	err = w.Store.InTx(ctx, job.PracticeID, func(ctx context.Context, tx Tx) error {
		d, err := tx.DictationForUpdate(ctx, job.DictationID)
		if err != nil {
			return err
		}
		if err := tx.FinishJob(ctx, job.ID, job.LeaseToken); err != nil {
			return err
		}
		if err := tx.DoneArriving(ctx, d.ID); err != nil {
			return err
		}
		st := StoredTranscript{ID: id, PracticeID: job.PracticeID, DictationID: d.ID, JobID: job.ID, SettingsSHA: SHA256(job.Settings)}
		if err := tx.InsertTranscript(ctx, st, t); err != nil {
			return err
		}
		if err := tx.Move(ctx, d.ID, Origins(Transcribed, access.System), Transcribed, ""); err != nil {
			return err
		}
		next, err = addDraftJobID(ctx, tx, d, id, original.SHA256)
		if err != nil {
			return err
		}
		defer crashpoint.At("transcript.before-commit")
		return tx.Audit(ctx, done(access.SystemActor(job.PracticeID), access.Process, d.ID, map[string]string{
			"job": string(job.Kind), "result": "transcribed", "transcript": id.String(), "model": t.Model.Name, "model_sha256": t.Model.SHA256,
			"settings_sha256": st.SettingsSHA, "audio_sha256": original.SHA256,
		}))
	})
	crashpoint.At("transcript.after-commit")
	return next, err
}

// draftSettings freezes what a draft depends on.
type draftSettings struct {
	Transcript uuid.UUID `json:"transcript"`
	WorkType   string    `json:"work_type"`
	Template   string    `json:"template"` // version of the template
	// Corrections are the decisions, approved for the author, that the draft is made with.
	Corrections []uuid.UUID `json:"corrections,omitempty"`
}

func addDraftJob(ctx context.Context, tx Tx, d Dictation, transcript uuid.UUID, input string) error {
	_, err := addDraftJobID(ctx, tx, d, transcript, input)
	return err
}

func addDraftJobID(ctx context.Context, tx Tx, d Dictation, transcript uuid.UUID, input string) (uuid.UUID, error) {
	tpl, err := templates.Find(d.WorkType)
	if err != nil {
		return uuid.Nil, err
	}
	decided, err := tx.Corrections(ctx, d.AuthorID)
	if err != nil {
		return uuid.Nil, err
	}
	settings, err := json.Marshal(draftSettings{
		Transcript: transcript, WorkType: tpl.Key, Template: templateVersion(tpl), Corrections: approved(decided),
	})
	if err != nil {
		return uuid.Nil, fmt.Errorf("encode draft settings: %w", err)
	}
	gen, err := tx.NextGen(ctx, d.ID, DraftJob)
	if err != nil {
		return uuid.Nil, err
	}
	return tx.AddJob(ctx, Job{
		PracticeID: d.PracticeID, DictationID: d.ID, Kind: DraftJob, Priority: d.Priority, InputSHA256: input, Gen: gen,
		Settings: settings, MaxAttempts: 5, DueAt: d.DueAt,
	})
}

// draft turns the transcript into the first version of the note.
func (w *Worker) draft(ctx context.Context, job Job) (uuid.UUID, error) {
	crashpoint.At("draft.claimed")
	var set draftSettings
	if err := json.Unmarshal(job.Settings, &set); err != nil {
		return uuid.Nil, fault.Wrap(err, fault.Invalid, "job_settings", "The job's settings cannot be read. Order the stage again.")
	}
	tpl, err := templates.Find(set.WorkType)
	if err != nil {
		return uuid.Nil, err
	}
	var st StoredTranscript
	var t transcribe.Transcript
	var d Dictation
	var patient notes.Patient
	var blocks []TextBlock
	var learned []notes.Correction
	err = w.Store.InTx(ctx, job.PracticeID, func(ctx context.Context, tx Tx) (err error) {
		if d, err = tx.Dictation(ctx, job.DictationID); err != nil {
			return err
		}
		st, t, err = tx.Transcript(ctx, set.Transcript) // the one the job was ordered for, though a newer may stand beside it
		if err != nil {
			return err
		}
		if learned, err = approvedFor(ctx, tx, set.Corrections); err != nil {
			return err
		}
		if patient, err = patientFacts(ctx, tx, d, st); err != nil {
			return err
		}
		blocks, err = tx.TextBlocks(ctx, d.AuthorID, job.CreatedAt) // a retry finds the same ones
		return err
	})
	if err != nil {
		return uuid.Nil, err
	}
	if st.DictationID != job.DictationID {
		return uuid.Nil, fault.New(fault.Invalid, "job_settings", "The job's settings name the transcript of another dictation. Order the stage again.")
	}
	doc, err := notes.Draft(t, tpl, notes.Options{
		Dictated: d.ReceivedAt.Local(), Patient: patient, Blocks: spokenBlocks(blocks), Corrections: learned, Style: w.Style,
	})
	if err != nil {
		return uuid.Nil, err
	}
	return uuid.Nil, w.commitDraft(ctx, job, tpl, doc)
}

func (w *Worker) commitDraft(ctx context.Context, job Job, tpl templates.Template, doc notes.Document) error {
	defer crashpoint.At("draft.after-commit")
	return w.Store.InTx(ctx, job.PracticeID, func(ctx context.Context, tx Tx) error {
		d, err := tx.DictationForUpdate(ctx, job.DictationID)
		if err != nil {
			return err
		}
		if err := tx.FinishJob(ctx, job.ID, job.LeaseToken); err != nil {
			return err
		}
		n, err := noteFor(ctx, tx, d)
		if err != nil {
			return err
		}
		v, err := tx.InsertVersion(ctx, Version{
			NoteID: n.ID, Number: n.Latest + 1, Kind: EngineDraft, Document: doc, ContentHash: notes.ContentHash(doc), ByName: "Vesper",
		})
		if err != nil {
			return err
		}
		if err := tx.Move(ctx, d.ID, Origins(Drafted, access.System), Drafted, ""); err != nil {
			return err
		}
		defer crashpoint.At("draft.before-commit")
		return tx.Audit(ctx, done(access.SystemActor(job.PracticeID), access.Process, d.ID, map[string]string{
			"job": string(job.Kind), "result": "drafted", "version": itoa(v.Number), "content_sha256": v.ContentHash,
			"template": tpl.Key, "template_version": templateVersion(tpl), "style": w.Style.OrDefault().Name, "corrections": strings.Join(notes.LearnedIn(doc), " "),
		}))
	})
}

// noteFor returns the dictation's note, making it if this is the first draft.
func noteFor(ctx context.Context, tx Tx, d Dictation) (Note, error) {
	n, err := tx.NoteOf(ctx, d.ID)
	if !isNotFound(err) {
		return n, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return n, err
	}
	n = Note{ID: id, PracticeID: d.PracticeID, DictationID: d.ID, WorkType: d.WorkType}
	return n, tx.InsertNote(ctx, n)
}

// templateVersion names the template's content, so that a draft says exactly what shaped it.
func templateVersion(tpl templates.Template) string {
	raw, err := json.Marshal(tpl)
	if err != nil {
		return "" // a template is plain data; this cannot happen
	}
	return SHA256(raw)[:12]
}
