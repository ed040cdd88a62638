package client

import (
	"context"
	"math/rand/v2"
	"time"

	"vesper/internal/fault"
)

// Patience of a client whose recording is put off: how often it comes again, and how long it waits at most each time,
// whatever the server asks for.
const (
	comeBacks   = 30
	longestWait = 10 * time.Minute
)

// putOff are the codes of a server that works and has no room now. One that is broken, or whose disk is full, is told to the
// person at once.
var putOff = map[string]bool{"queue_full": true, "spool_busy": true, "rate_limited": true, "uploads_unfinished": true}

// patiently repeats an act that the server puts off, each time after the pause that it asked for and a little more, so that
// those who were put off together do not come back together.
func (c *Client) patiently(ctx context.Context, act func() error) error {
	for try := 1; ; try++ {
		err := act()
		f := fault.As(err)
		if err == nil || !putOff[f.Code] || f.RetryAfter <= 0 || try == comeBacks {
			return err
		}
		pause := min(f.RetryAfter, longestWait)
		pause += rand.N(pause/4 + 1)
		if c.OnWait != nil {
			c.OnWait(pause, f)
		}
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			t.Stop()
			return err
		case <-t.C:
		}
	}
}
