package pipeline

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"vesper/internal/fault"
	"vesper/internal/lexicon"
	"vesper/transcribe"
)

// listening is one upload that this worker hears while it arrives. When its dictation is taken up by the same worker, the
// transcription takes it over as it is, and it reads the rest of the recording from the file that was received.
//
//	claimed ─▶ parts … parts ─┬─ take-over here: the file ─▶ whole ─▶ transcript
//	                          ├─ take-over elsewhere, lease lost: ended; what was heard is saved
//	                          └─ no bytes for long, unreadable: given back, or dropped
type listening struct {
	Arriving
	l      *Listener
	ctx    context.Context
	cancel context.CancelFunc
	number int // of the chunk saved last

	mu     sync.Mutex
	job    *Job          // that has taken it over
	path   string        // of the whole recording, from then on
	handed chan struct{} // closed then

	whole      chan Sound    // gets the sound when all of it is decoded
	done       chan struct{} // closed when all below is set
	transcript transcribe.Transcript
	err        error
}

// errIdle ends the listening to an upload that brings no bytes.
var errIdle = fault.New(fault.Unavailable, "arriving_idle", "This upload brings no bytes at the moment.")

// fencedWait is how long a listener that was fenced waits for the transcription that did it, if that is in this process.
const (
	fencedWait   = Lease
	handOverLook = 50 * time.Millisecond
)

func newListening(ctx context.Context, l *Listener, a Arriving) *listening {
	h := &listening{Arriving: a, l: l, number: a.Chunks, handed: make(chan struct{}), whole: make(chan Sound, 1), done: make(chan struct{})}
	h.ctx, h.cancel = context.WithCancel(ctx)
	return h
}

// run listens until the recording has ended, which it only does once it was taken over.
func (h *listening) run() error {
	hearer, ok := h.l.Worker.Recogniser.(Hearer)
	if !ok {
		return fault.New(fault.Unsupported, "arriving_unsupported", "This engine cannot listen while a recording arrives.")
	}
	beats := make(chan struct{})
	go func() { defer close(beats); h.heartbeat() }()
	defer func() { h.cancel(); <-beats }()
	settings, saved, err := h.begin()
	if err != nil {
		return err
	}
	h.transcript, err = hearer.Hear(h.ctx, &arrivingBody{h: h, active: time.Now()}, Hearing{
		Settings: settings, Saved: saved, Admit: h.admit, OnChunk: h.save, OnWhole: func(s Sound) { h.whole <- s },
	})
	return err
}

// end sets the outcome.
func (h *listening) end(err error) {
	h.cancel()
	h.err = err
	close(h.done)
}

// close ends it, whatever it does, and frees the sound if nobody has it. Only who has taken it over calls this.
func (h *listening) close() {
	h.cancel()
	<-h.done
	select {
	case s := <-h.whole:
		_ = s.Close()
	default:
	}
}

func (h *listening) heartbeat() {
	tick := time.NewTicker(LeaseRenewal)
	defer tick.Stop()
	for {
		select {
		case <-h.ctx.Done():
			return
		case <-h.handed:
			return // the job's lease counts from now on
		case <-tick.C:
			err := h.l.Worker.Store.BeatArriving(h.ctx, h.ID, h.LeaseToken)
			if fault.KindOf(err) == fault.Conflict && !h.awaitHandOver() {
				h.cancel()
				return
			}
		}
	}
}

// begin writes the event, freezes the terms to expect if no listener did before, and reads what was heard before.
func (h *listening) begin() (settings []byte, saved [][]byte, err error) {
	w := h.l.Worker
	var x expectation
	err = w.Store.InTx(h.ctx, h.PracticeID, func(ctx context.Context, tx Tx) (err error) {
		x = expectation{}
		if x.terms, x.frozen, err = tx.ArrivingTerms(ctx, h.ID); err != nil || x.frozen {
			return err
		}
		return x.read(ctx, tx, h.AuthorID, h.PatientID, h.EncounterID)
	})
	if err != nil {
		return nil, nil, err
	}
	detail := map[string]string{"result": "listening", "attempt": itoa(h.Attempt)}
	var terms []lexicon.Term
	if !x.frozen {
		chart, result := w.readChart(h.ctx, x.patient.EHRRef)
		terms = w.assemble(x, chart)
		if result != "" {
			detail["chart"], detail["terms"] = result, itoa(len(terms))
		}
	}
	err = w.Store.InTx(h.ctx, h.PracticeID, func(ctx context.Context, tx Tx) (err error) {
		if err := tx.FreezeArrivingTerms(ctx, h.ID, h.LeaseToken, terms); err != nil { // those that are there stay
			return err
		}
		if x.terms, _, err = tx.ArrivingTerms(ctx, h.ID); err != nil {
			return err
		}
		heard, err := tx.Heard(ctx, h.ID)
		if err != nil {
			return err
		}
		saved = make([][]byte, len(heard))
		for i, c := range heard {
			saved[i] = c
		}
		return tx.Audit(ctx, aboutUpload(h.Arriving, detail))
	})
	if err != nil {
		return nil, nil, err
	}
	h.number = len(saved)
	settings, err = withTerms(h.Settings, x.terms)
	return settings, saved, err
}

// save keeps one chunk: for whoever listens next, or for the job that has taken over.
func (h *listening) save(total int, heard float64, result []byte) error {
	h.number++
	if job, _ := h.takenBy(); job == nil {
		err := h.l.Worker.Store.InTx(h.ctx, h.PracticeID, func(ctx context.Context, tx Tx) error {
			return tx.SaveHeard(ctx, h.ID, h.LeaseToken, h.number, heard, result)
		})
		if fault.KindOf(err) != fault.Conflict || !h.awaitHandOver() {
			return err
		}
	}
	job, _ := h.takenBy()
	err := h.l.Worker.Store.SaveChunk(h.ctx, job.ID, job.LeaseToken, h.number, max(total, h.number), result)
	if err == nil && job.progress != nil {
		job.progress.saved.Store(true)
	}
	return err
}

// admit waits until the engine may be used: freely by a transcription that has taken over, else only while no complete
// dictation needs it, and by few at once.
func (h *listening) admit(ctx context.Context) (release func(), err error) {
	for {
		if h.taken() {
			return func() {}, ctx.Err()
		}
		if !h.l.busy(ctx) {
			select {
			case h.l.uses <- struct{}{}:
				return sync.OnceFunc(func() { <-h.l.uses }), nil
			case <-h.handed:
				continue
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		select {
		case <-h.handed:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(stepAside):
		}
	}
}

// handOver gives it to the job, with the file that was received.
func (h *listening) handOver(job Job, path string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.job == nil {
		h.job, h.path = &job, path
		close(h.handed)
	}
}

func (h *listening) takenBy() (*Job, string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.job, h.path
}

func (h *listening) taken() bool {
	job, _ := h.takenBy()
	return job != nil
}

// awaitHandOver waits for the transcription that has fenced this listener, if that can be one of this worker's, and says
// whether it has taken over.
func (h *listening) awaitHandOver() bool {
	for until := time.Now().Add(fencedWait); h.l.transcribes() && time.Now().Before(until); {
		select {
		case <-h.handed:
			return true
		case <-h.ctx.Done():
			return false
		case <-time.After(handOverLook):
		}
	}
	return h.taken()
}

// arrivingBody reads the parts as they come, and the rest from the file once there is one.
type arrivingBody struct {
	h      *listening
	next   int   // part
	at     int64 // byte
	queue  []ArrivingPart
	rest   []byte
	file   *os.File
	active time.Time
}

// Read implements io.Reader. Only one goroutine reads.
func (b *arrivingBody) Read(p []byte) (int, error) {
	for len(b.rest) == 0 {
		if b.file != nil {
			return b.file.Read(p)
		}
		if err := b.more(); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// more gets the next part, or opens the file at its place, or waits.
func (b *arrivingBody) more() error {
	w := b.h.l.Worker
	if job, path := b.h.takenBy(); job != nil {
		return b.open(path)
	}
	if len(b.queue) == 0 {
		err := w.Store.InTx(b.h.ctx, b.h.PracticeID, func(ctx context.Context, tx Tx) (err error) {
			b.queue, err = tx.ArrivingParts(ctx, b.h.ID, b.next)
			return err
		})
		if err != nil {
			return err
		}
	}
	if len(b.queue) == 0 {
		return b.wait()
	}
	part := b.queue[0]
	if part.Number != b.next || part.Offset != b.at {
		return fault.New(fault.Invalid, "arriving_gap", "A piece of the upload is missing.")
	}
	plain, err := b.h.l.Parts.GetPart(b.h.ctx, part)
	if err != nil {
		return err
	}
	b.queue, b.rest, b.active = b.queue[1:], plain, time.Now()
	b.next, b.at = b.next+1, b.at+int64(len(plain))
	return nil
}

func (b *arrivingBody) open(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open received recording: %w", err)
	}
	context.AfterFunc(b.h.ctx, func() { _ = f.Close() })
	if _, err := f.Seek(b.at, io.SeekStart); err != nil {
		return fmt.Errorf("open received recording: %w", err)
	}
	b.file = f
	return nil
}

func (b *arrivingBody) wait() error {
	if time.Since(b.active) > listenIdle {
		return errIdle
	}
	select {
	case <-b.h.ctx.Done():
		return b.h.ctx.Err()
	case <-b.h.handed:
	case <-time.After(b.h.l.Every):
	}
	return nil
}
