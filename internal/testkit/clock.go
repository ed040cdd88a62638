package testkit

import (
	"sync"
	"testing"
	"time"
)

// Clock is a clock that stands still until it is moved.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that shows now.
func NewClock(now time.Time) *Clock { return &Clock{now: now} }

// Now is what the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock forward.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Set moves the clock to a time.
func (c *Clock) Set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

// Until asks again and again whether done holds, and fails the test when it does not within a time. what names the
// awaited event.
func Until(t testing.TB, within time.Duration, what string, done func() bool) {
	t.Helper()
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	ask := time.NewTicker(10 * time.Millisecond)
	defer ask.Stop()
	for !done() {
		select {
		case <-deadline.C:
			t.Fatalf("not within %s: %s", within, what)
		case <-ask.C:
		}
	}
}
