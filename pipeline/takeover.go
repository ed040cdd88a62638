package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/transcribe"
)

// takeover is what a transcription finds of the time when its recording still arrived. A nil one is valid: there is nothing.
type takeover struct {
	Arriving
	local *listening // that goes on in this process
}

// errNotHeard says that the recording has to be heard in the ordinary way.
var errNotHeard = errors.New("not heard while it arrived")

// takeArriving fences whoever listens to the upload that became this job's dictation, and freezes for the job the terms
// that the listening expected, so that what was heard is what the job would hear. It only does so where the job has the
// same settings, author, patient and visit. Whatever goes wrong here costs time and nothing else.
func (w *Worker) takeArriving(ctx context.Context, job Job) *takeover {
	var t *takeover
	err := w.Store.InTx(ctx, job.PracticeID, func(ctx context.Context, tx Tx) error {
		t = nil
		a, err := tx.TakeArriving(ctx, job.DictationID)
		if err != nil || a == nil {
			return err
		}
		t = &takeover{Arriving: *a, local: w.Listener.local(a.ID)}
		d, err := tx.Dictation(ctx, job.DictationID)
		if err != nil {
			return err
		}
		terms, frozen, err := tx.ArrivingTerms(ctx, a.ID)
		if err != nil {
			return err
		}
		if !frozen || !sameContext(*a, d) || string(a.Settings) != string(job.Settings) {
			t.Settings = nil // of no use
			return nil
		}
		if err := tx.FreezeTerms(ctx, job.ID, job.LeaseToken, terms); err != nil {
			return err
		}
		if kept, _, err := tx.FrozenTerms(ctx, job.ID); err != nil || !reflect.DeepEqual(kept, terms) {
			t.Settings = nil // an earlier run of this job has frozen others
			return err
		}
		return nil
	})
	if err != nil {
		w.Log.WarnContext(ctx, "take over what was heard of an upload", "job", job.ID, "err", err)
		t.letGo()
		return nil
	}
	if t != nil && t.Settings == nil {
		t.letGo()
		return nil
	}
	return t
}

// sameContext says whether the listening expected what the dictation's transcription would.
func sameContext(a Arriving, d Dictation) bool {
	same := func(a, b *uuid.UUID) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }
	return a.AuthorID == d.AuthorID && same(a.PatientID, d.PatientID) && same(a.EncounterID, d.EncounterID)
}

// letGo ends a listening that is not taken over.
func (t *takeover) letGo() {
	if t != nil && t.local != nil {
		t.local.cancel()
	}
}

// heardEarly lets the listening that goes on in this process come to its end, and returns what it heard. errNotHeard means
// that there is none or that it failed; what was heard of it so far is saved with the job then.
func (w *Worker) heardEarly(ctx context.Context, job Job, taken *takeover, original Audio, dir string,
) (t transcribe.Transcript, err error) {
	if taken == nil {
		return t, errNotHeard
	}
	path := filepath.Join(dir, "recording")
	n, err := w.adopt(ctx, job, *taken, path)
	if err != nil {
		w.Log.WarnContext(ctx, "adopt what was heard of an upload", "job", job.ID, "err", err)
	}
	if err != nil || taken.local == nil {
		taken.letGo()
		return t, errNotHeard
	}
	h := taken.local
	h.handOver(job, path)
	defer h.close()
	g, gctx := errgroup.WithContext(ctx)
	g.Go(guarded(func() error {
		select {
		case <-gctx.Done():
			return gctx.Err()
		case <-h.done:
			t = h.transcript
			return h.err
		}
	}))
	g.Go(guarded(func() error { return w.renderWhole(gctx, job, original, h, dir) }))
	if err := g.Wait(); err != nil {
		if ctx.Err() != nil {
			return t, ctx.Err()
		}
		w.Log.WarnContext(ctx, "listening broke off; the recording is heard in the ordinary way", "job", job.ID, "code", code(err), "chunks", n)
		return t, errNotHeard
	}
	t.Audio.SHA256 = original.SHA256
	return t, nil
}

// renderWhole makes the rendition for playback as soon as all is decoded. The sound is freed when nobody listens any more.
func (w *Worker) renderWhole(ctx context.Context, job Job, original Audio, h *listening, dir string) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case sound := <-h.whole:
		defer func() { h.whole <- sound }() // back, for close
		return w.render(ctx, job, original, sound, filepath.Join(dir, "playback-early.wav"))
	}
}

// adopt compares the parts that were heard with the recording that was received, and makes the heard chunks the job's own.
func (w *Worker) adopt(ctx context.Context, job Job, taken takeover, path string) (n int, err error) {
	var parts []ArrivingPart
	err = w.Store.InTx(ctx, job.PracticeID, func(ctx context.Context, tx Tx) (err error) {
		parts, err = tx.ArrivingParts(ctx, taken.ID, 0)
		return err
	})
	if err != nil {
		return 0, err
	}
	if err := beginning(path, parts); err != nil {
		return 0, err
	}
	err = w.Store.InTx(ctx, job.PracticeID, func(ctx context.Context, tx Tx) error {
		if n, err = tx.AdoptHeard(ctx, taken.ID, job.ID, job.LeaseToken); err != nil {
			return err
		}
		return tx.Audit(ctx, done(access.SystemActor(job.PracticeID), access.Process, job.DictationID, map[string]string{
			"job": string(job.Kind), "result": "heard_early", "upload": taken.ID.String(), "chunks": itoa(n),
		}))
	})
	return n, err
}

// beginning checks that the parts, one after the other, are how the file begins.
func beginning(path string, parts []ArrivingPart) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open received recording: %w", err)
	}
	defer f.Close()
	slices.SortFunc(parts, func(a, b ArrivingPart) int { return a.Number - b.Number })
	for i, p := range parts {
		sum := sha256.New()
		if _, err := io.CopyN(sum, f, p.Size); err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read received recording: %w", err)
		}
		if p.Number != i || hex.EncodeToString(sum.Sum(nil)) != p.SHA256 {
			return fault.New(fault.Invalid, "arriving_differs", "What was heard while it arrived is not what was received.")
		}
	}
	return nil
}
