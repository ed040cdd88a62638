package watch

import (
	"context"
	"errors"
	"math/rand/v2"
	"syscall"
	"time"

	"vesper/internal/fault"
)

// file is what is known of one recording in the folder.
type file struct {
	number int
	name   string
	sight  sight
	looks  int       // equal ones so far
	since  time.Time // of the first of them
	turns  int       // looks since it was first seen

	ready  bool // settled, with its fields known
	fields Fields
	busy   bool
	tries  int
	after  time.Time // not before
	held   error     // a person has to do something; it is tried again now and then all the same
	told   string    // what was told of it last, so that nothing is told twice
	sum    string    // of its content, once it has been read
}

// patientTurns bounds how long a run that is to end waits for a recording that goes on changing.
const patientTurns = 5

// stuck says that a run that is to end should not wait for this one: it still grows, looks half-written, or fails again
// and again.
func (f *file) stuck(w *watcher) bool {
	return f.held != nil || f.tries >= lastTries || !f.ready && !f.busy && (f.turns > patientTurns*w.Looks || f.looks > w.Looks)
}

// lookAgain compares the folder with the table.
func (w *watcher) lookAgain() error {
	found, err := w.look()
	if err != nil {
		return err
	}
	now := w.Now()
	for name, s := range found {
		f := w.files[name]
		if f == nil {
			w.seen++
			f = &file{number: w.seen, name: name}
			w.files[name] = f
		}
		if f.busy {
			continue // whether it changed is looked at when it has been sent
		}
		f.turns++
		if f.looks == 0 || !f.sight.equal(s) {
			*f = file{number: f.number, name: name, turns: f.turns, told: f.told, sight: s, looks: 1, since: now}
			continue
		}
		f.looks++
		if f.held != nil {
			if now.Before(f.after) {
				continue
			}
			f.held = nil // the server or its people may have changed their mind
		}
		if !f.ready && f.looks >= w.Looks {
			w.settle(f, now)
		}
	}
	for name, f := range w.files {
		if _, here := found[name]; !here && !f.busy {
			delete(w.files, name)
		}
	}
	return nil
}

// settle decides whether a recording that no longer changes can be sent.
func (w *watcher) settle(f *file, now time.Time) {
	if now.Sub(f.since) < w.Patience {
		src, size, err := open(w.path(f.name))
		if err != nil {
			w.tell(f, Unreadable, "it cannot be opened yet")
			return
		}
		fine := whole(src, size)
		src.Close()
		if !fine {
			w.tell(f, Unfinished, "it looks half-written; waiting for the rest")
			return
		}
	}
	beside, err := w.beside(f.sight)
	if err == nil {
		f.fields, err = w.rules.fieldsOf(f.name, beside)
	}
	if err != nil {
		w.hold(f, err)
		return
	}
	f.ready = true
}

// dispatch starts uploads of what is ready, urgent ones first, then by age.
func (w *watcher) dispatch(ctx context.Context) {
	now := w.Now()
	for w.busy < w.Parallel && ctx.Err() == nil && !now.Before(w.pausedUntil) {
		var next *file
		for _, f := range w.files {
			if f.ready && !f.busy && !now.Before(f.after) && (next == nil || f.before(next)) {
				next = f
			}
		}
		if next == nil {
			return
		}
		next.busy = true
		w.busy++
		job := *next // the goroutine must not share what the table changes
		go func() { w.outcomes <- w.send(ctx, job) }()
	}
}

func (f *file) before(o *file) bool {
	if a, b := f.fields.Priority == "stat", o.fields.Priority == "stat"; a != b {
		return a
	}
	if f.tries != o.tries {
		return f.tries < o.tries
	}
	if !f.sight.time.Equal(o.sight.time) {
		return f.sight.time.Before(o.sight.time)
	}
	return f.name < o.name
}

// outcome is what came of one upload.
type outcome struct {
	file      file
	end       ending
	duplicate bool
	err       error
}

type ending int

const (
	sent     ending = iota // received and moved
	unusable               // moved to the rejected ones
	changed                // it is not what it was: look at it anew
	failed                 // err says why
)

// apply takes an outcome into the table. An error ends the run.
func (w *watcher) apply(o outcome) error {
	w.busy--
	f := w.files[o.file.name]
	if f == nil {
		f = &o.file
	}
	f.busy, f.sum = false, o.file.sum
	if o.end != failed {
		w.failures = 0
	}
	switch o.end {
	case sent:
		w.result.Received++
		if o.duplicate {
			w.result.Duplicates++
		}
		delete(w.files, f.name)
	case unusable:
		w.result.Rejected++
		delete(w.files, f.name)
	case changed:
		f.looks, f.ready = 0, false
	case failed:
		return w.fail(f, o.err)
	}
	return nil
}

// fail decides what a failed upload means: for the run, for all uploads, or for this one.
func (w *watcher) fail(f *file, err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	fa := fault.As(err)
	if needsPerson(err) {
		return err
	}
	f.tries++
	switch {
	case !fault.Retryable(err) && fa.Kind != fault.Unauthenticated: // a session that ends again at once is a matter of time
		w.hold(f, err)
	case fa.Kind == fault.Unavailable && fa.Code != "upload_busy" && fa.Code != "upload_stalled" && fa.Code != codeStays:
		// The server as a whole: nothing is gained by trying the next recording at once.
		w.failures++
		w.lastFailure = err
		pause := fa.RetryAfter
		if pause == 0 {
			pause = w.backOff(w.failures)
		} else if fa.Code == "rate_limited" {
			w.failures = 0 // it answers
		}
		pause += time.Duration(rand.Int64N(int64(pause)/4 + 1)) //nolint:gosec // jitter
		w.pausedUntil = w.Now().Add(pause)
		w.tell(f, Waiting, fa.Public)
	default:
		f.after = w.Now().Add(w.backOff(f.tries))
		w.tell(f, Waiting, fa.Public)
	}
	return nil
}

// hold keeps a recording until its pause is over, somebody changes it, or the program is started again.
func (w *watcher) hold(f *file, err error) {
	f.held, f.ready, f.after = err, false, w.Now().Add(w.Hold)
	w.tell(f, Held, fault.As(err).Public)
}

// backOff is the pause after the nth failure in a row.
func (w *watcher) backOff(n int) time.Duration {
	return min(60*w.Pause, w.Pause<<min(max(n-1, 0), 6))
}

func isReadOnly(err error) bool { return errors.Is(err, syscall.EROFS) }
