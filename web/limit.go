package web

import (
	"container/list"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"vesper/internal/fault"
)

const codeRateLimited = "rate_limited"

// limiter grants attempts per key. It remembers at most size keys and forgets the one unused for longest, so that an
// attacker cannot fill the memory with names.
type limiter struct {
	mu    sync.Mutex
	every rate.Limit
	burst int
	size  int
	order *list.List // of *bucket, most recently used first
	byKey map[string]*list.Element
}

type bucket struct {
	key string
	lim *rate.Limiter
}

func newLimiter(burst int, refill time.Duration, size int) *limiter {
	return &limiter{every: rate.Every(refill), burst: burst, size: size, order: list.New(), byKey: map[string]*list.Element{}}
}

func (l *limiter) bucket(key string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.byKey[key]; ok {
		l.order.MoveToFront(e)
		return e.Value.(*bucket).lim //nolint:forcetypeassert // the list holds nothing else
	}
	if l.order.Len() >= l.size {
		oldest := l.order.Back()
		l.order.Remove(oldest)
		delete(l.byKey, oldest.Value.(*bucket).key) //nolint:forcetypeassert // the list holds nothing else
	}
	b := &bucket{key: key, lim: rate.NewLimiter(l.every, l.burst)}
	l.byKey[key] = l.order.PushFront(b)
	return b.lim
}

// take uses one attempt. It returns how to give it back (success is not an attack), or how long to wait.
func (l *limiter) take(key string, now time.Time) (giveBack func(), wait time.Duration) {
	r := l.bucket(key).ReserveN(now, 1)
	if d := r.DelayFrom(now); d > 0 {
		r.CancelAt(now)
		return func() {}, d
	}
	return func() { r.CancelAt(now) }, 0
}

// gate is a set of limiters that must all grant an attempt.
type gate []gated

type gated struct {
	limiter *limiter
	key     string
}

// pass takes one attempt from each limiter. The fault says when to come back.
func (g gate) pass() (giveBack func(), err error) {
	now := time.Now()
	var back []func()
	undo := func() {
		for _, f := range back {
			f()
		}
	}
	for _, e := range g {
		f, wait := e.limiter.take(e.key, now)
		if wait > 0 {
			undo()
			return nil, &fault.Error{
				Kind: fault.Unavailable, Code: codeRateLimited, RetryAfter: wait,
				Public: "Too many attempts. Wait a little, then try again.",
			}
		}
		back = append(back, f)
	}
	return undo, nil
}

// clientIP is the address that attempts are counted for. Behind a proxy of the house it is the last entry that the
// proxy added; otherwise clients could name any address. IPv6 addresses count by their /64, which one customer owns.
func clientIP(r *http.Request, behindProxy bool) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if behindProxy {
		if all := r.Header.Values("X-Forwarded-For"); len(all) > 0 {
			last := all[len(all)-1]
			host = strings.TrimSpace(last[strings.LastIndex(last, ",")+1:])
		}
	}
	ip := net.ParseIP(host)
	if ip == nil {
		return "unknown"
	}
	if ip.To4() == nil {
		return ip.Mask(net.CIDRMask(64, 128)).String()
	}
	return ip.String()
}
