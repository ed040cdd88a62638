package web

import (
	"context"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	tus "github.com/tus/tusd/v2/pkg/handler"

	"vesper/internal/access"
	"vesper/internal/fault"
)

// heardHeader says on the answers of a resumable upload how many seconds of it were heard so far.
const heardHeader = "Vesper-Heard"

// When an unfinished upload is given to the workers: short or fast ones are not, and cost nothing.
const (
	listenAfter = 10 * time.Second // since its first bytes
	listenBytes = 128 << 10        // that are here: about twenty seconds of a browser's recording
	listenStep  = 48 << 10         // new ones that are worth a piece
	listenPause = 10 * time.Second // after which fewer are, too
	listenTick  = time.Second      // how often a request that brings bytes is looked at
	arriveTime  = 30 * time.Second // for giving away what is new
	arrivalAge  = time.Hour        // after which an upload that was not touched is forgotten here
)

// arrivals gives the workers what stands of unfinished uploads, beside the requests that bring it. Whatever fails here costs
// a head start and nothing else, so it is never told to the sender.
type arrivals struct {
	u     *uploads
	after time.Duration
	least int64

	mu      sync.Mutex
	known   map[string]*arrival
	running sync.WaitGroup
}

// arrival is what is known of one unfinished upload.
type arrival struct {
	first, last time.Time // bytes seen, bytes given away
	given       int64
	heard       time.Duration
	busy        bool // one goroutine gives away at a time
	over        bool // nobody listens to it any more
}

func newArrivals(u *uploads, c Config) *arrivals {
	a := &arrivals{u: u, after: c.ListenAfter, least: c.ListenBytes, known: map[string]*arrival{}}
	if a.after == 0 {
		a.after = listenAfter
	}
	if a.least == 0 {
		a.least = listenBytes
	}
	return a
}

// during watches a request that brings bytes, until the caller says that it is over.
func (a *arrivals) during(actor access.Actor, info tus.FileInfo) (over func()) {
	if a.of(info.ID).over {
		return func() {}
	}
	ended := make(chan struct{})
	a.running.Go(func() {
		tick := time.NewTicker(listenTick)
		defer tick.Stop()
		for {
			select {
			case <-ended:
				a.give(actor, info)
				return
			case <-tick.C:
				a.give(actor, info)
			}
		}
	})
	return sync.OnceFunc(func() { close(ended) })
}

// of is a copy of what is known of an upload; a new one begins to be known.
func (a *arrivals) of(id string) arrival {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	for old, k := range a.known {
		if now.Sub(k.first) > arrivalAge && now.Sub(k.last) > arrivalAge {
			delete(a.known, old)
		}
	}
	if a.known[id] == nil {
		a.known[id] = &arrival{first: now}
	}
	return *a.known[id]
}

// give gives away what is new of an upload, if it is worth it.
func (a *arrivals) give(actor access.Actor, info tus.FileInfo) {
	f, err := os.Open(a.u.path(info.ID))
	if err != nil {
		return // received or withdrawn meanwhile
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || !a.begin(info.ID, st.Size()) {
		return
	}
	sub, err := submission(info.MetaData, actor)
	if err == nil {
		sub.Upload, err = uuid.Parse(info.ID)
	}
	var heard time.Duration
	if err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), arriveTime)
		defer cancel()
		heard, err = a.u.server.svc.Arrive(ctx, actor, sub, f, st.Size())
	}
	a.end(info.ID, st.Size(), heard, err)
}

// begin says whether so many bytes are worth giving away now, and keeps others from doing it.
func (a *arrivals) begin(id string, size int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	k := a.known[id]
	if k == nil || k.busy || k.over || size < a.least || time.Since(k.first) < a.after {
		return false
	}
	if size-k.given < min(listenStep, a.least) && time.Since(k.last) < listenPause {
		return false // after the pause it is done for few bytes, and for none: the answer says how far it is heard
	}
	k.busy, k.last = true, time.Now()
	return true
}

func (a *arrivals) end(id string, size int64, heard time.Duration, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	k := a.known[id]
	if k == nil {
		return
	}
	k.busy, k.heard = false, max(k.heard, heard)
	switch {
	case err == nil:
		k.given = size
	case !fault.Retryable(err):
		k.over = true
	}
	if err != nil && fault.KindOf(err) != fault.Conflict {
		a.u.log.Info("arriving upload not given to the workers", "upload", id, "code", fault.As(err).Code)
	}
}

// heard is how many seconds of an upload were heard, "" for none.
func (a *arrivals) heard(id string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if k := a.known[id]; k != nil && k.heard > 0 {
		return strconv.Itoa(int(k.heard.Seconds()))
	}
	return ""
}

// forget ends it: the upload is received or gone.
func (a *arrivals) forget(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.known, id)
}

// withdraw tells the workers that the sender gave the upload up.
func (a *arrivals) withdraw(ctx context.Context, actor access.Actor, info tus.FileInfo) {
	a.forget(info.ID)
	sub, err := submission(info.MetaData, actor)
	if err == nil {
		sub.Upload, err = uuid.Parse(info.ID)
	}
	if err == nil {
		err = a.u.server.svc.Withdraw(context.WithoutCancel(ctx), actor, sub)
	}
	if err != nil {
		a.u.log.InfoContext(ctx, "arriving upload not withdrawn; it will be given up by itself", "upload", info.ID, "code", fault.As(err).Code)
	}
}

// wait returns when nothing is being given away any more.
func (a *arrivals) wait() { a.running.Wait() }
