package pipeline

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/audit"
	"vesper/internal/fault"
)

// Listener hears recordings while they still arrive, so that little is left to do when the last byte is here. It has the
// lowest rank of all work: it uses an engine only while no complete dictation is being transcribed or waits for it, and at
// most Slots uses at once. It is safe for concurrent use.
type Listener struct {
	Worker *Worker // whose stores, chart and lexicon it uses; its Recogniser must be a Hearer
	Parts  Parts
	Slots  int           // of the engine
	Every  time.Duration // how often it looks for uploads and for new parts

	mu      sync.Mutex
	live    map[uuid.UUID]*listening // by upload
	working int                      // transcriptions of this worker
	asked   time.Time                // when the queue was looked at last
	waiting bool                     // whether something waited then
	uses    chan struct{}
}

// NewListener makes the listener of a worker and tells the worker of it.
func NewListener(w *Worker, parts Parts, slots int) *Listener {
	l := &Listener{Worker: w, Parts: parts, Slots: max(1, slots), Every: listenEvery, live: map[uuid.UUID]*listening{}}
	l.uses = make(chan struct{}, max(1, l.Slots-1)) // a slot stays free for a dictation that is complete, if there are two
	w.Listener = l
	return l
}

// most is how many uploads are listened to at once. A recording grows in real time and is heard many times faster.
func (l *Listener) most() int { return 2 * l.Slots }

// Run listens until ctx ends, and returns when nothing uses the stores any more.
func (l *Listener) Run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	tick := time.NewTicker(l.Every)
	defer tick.Stop()
	for failing := false; ; {
		h, err := l.claim(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			l.Worker.Log.WarnContext(ctx, "cannot look for arriving uploads", "err", err)
		}
		failing = err != nil
		if h != nil {
			all.Go(func() { l.listen(h) })
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// claim takes up one upload, if there is one and room for it.
func (l *Listener) claim(ctx context.Context) (*listening, error) {
	l.mu.Lock()
	full := len(l.live) >= l.most()
	l.mu.Unlock()
	if full || ctx.Err() != nil {
		return nil, ctx.Err()
	}
	a, err := l.Worker.Store.ClaimArriving(ctx, l.Worker.Name)
	if err != nil || a == nil {
		return nil, err
	}
	h := newListening(ctx, l, *a)
	l.mu.Lock()
	l.live[a.ID] = h
	l.mu.Unlock()
	return h, nil
}

// listen hears one upload, to its end or until it is given up.
func (l *Listener) listen(h *listening) {
	err := guarded(h.run)()
	h.end(err)
	l.mu.Lock()
	if l.live[h.ID] == h {
		delete(l.live, h.ID)
	}
	l.mu.Unlock()
	l.settle(h, err)
}

// settle says what becomes of an upload that is not listened to any more. One that its dictation's transcription has taken
// is not ours to settle.
func (l *Listener) settle(h *listening, err error) {
	l.Worker.Log.Info("listened to an arriving upload", "upload", h.ID, "chunks", h.number, "code", code(err))
	if h.taken() || err == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	drop, pause := l.judge(h, err)
	serr := l.Worker.Store.ReleaseArriving(ctx, h.ID, h.LeaseToken, pause, code(err), drop)
	if serr == nil && drop {
		serr = l.Worker.Store.InTx(ctx, h.PracticeID, func(ctx context.Context, tx Tx) error {
			return tx.Audit(ctx, aboutUpload(h.Arriving, map[string]string{"result": "dropped", "code": code(err)}))
		})
	}
	if serr != nil {
		l.Worker.Log.Warn("settle an arriving upload", "upload", h.ID, "err", serr) // the lease runs out, or the keeper drops it
	}
}

// judge says whether an upload is given up for good, and else how long nobody takes it up again.
func (l *Listener) judge(h *listening, err error) (drop bool, pause time.Duration) {
	switch c := fault.As(err).Code; {
	case errors.Is(err, errIdle), errors.Is(err, context.Canceled), c == "arriving_fenced":
		return false, 0
	case c == "audio_corrupt", strings.HasPrefix(c, "engine_") && h.Attempt >= engineTries, c == "stage_panicked" && h.Attempt >= engineTries:
		return true, 0
	default:
		return !fault.Retryable(err), backoff(h.Attempt)
	}
}

// engineTries is how often an upload is taken up that breaks the engine.
const engineTries = 3

// local is what this worker hears of an upload, nil if it does not listen to it.
func (l *Listener) local(upload uuid.UUID) *listening {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.live[upload]
}

// transcribing counts a transcription of a complete dictation, until done is called. Listening steps back meanwhile.
func (l *Listener) transcribing() (done func()) {
	if l == nil {
		return func() {}
	}
	l.mu.Lock()
	l.working++
	l.mu.Unlock()
	return func() {
		l.mu.Lock()
		l.working--
		l.mu.Unlock()
	}
}

// transcribes says whether this worker transcribes a complete dictation.
func (l *Listener) transcribes() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.working > 0
}

// Times of stepping back.
const (
	queueAge  = 500 * time.Millisecond // how old a look at the queue may be
	stepAside = 250 * time.Millisecond // before looking again
)

// busy says whether complete dictations need the engine. If that cannot be told they are taken to do.
func (l *Listener) busy(ctx context.Context) bool {
	l.mu.Lock()
	working, fresh, waiting := l.working > 0, time.Since(l.asked) < queueAge, l.waiting
	l.mu.Unlock()
	if working || fresh {
		return working || waiting
	}
	waiting, err := l.Worker.Store.TranscriptionsWait(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked, l.waiting = time.Now(), waiting || err != nil
	return l.waiting
}

// aboutUpload is the event of something that the system did with an upload.
func aboutUpload(a Arriving, detail map[string]string) audit.Event {
	return event(access.SystemActor(a.PracticeID), access.Process, "upload", a.ID, "done", detail)
}
