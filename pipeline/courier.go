package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"

	"vesper/internal/crashpoint"
	"vesper/internal/fault"
)

// Sender takes one message to its receiver. It MUST hand on the message's ID, so that the receiver can tell that it has the
// message already: after a crash the same message is sent again. A fault that is not retryable gives the message up.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// Hooks says which addresses may be told and with which secret what they get is signed.
type Hooks interface {
	Check(url string) error
	Secret(webhook uuid.UUID) string
}

// How messages are sent. With the pauses of messagePause the attempts take about seven hours.
const (
	MessageLease        = time.Minute
	LongestMessagePause = time.Hour

	sendTime        = 20 * time.Second
	messageAttempts = 12
	courierEvery    = 2 * time.Second
	courierBatch    = 8
)

// Courier takes messages out of the house. Any number may run side by side.
type Courier struct {
	Store   MessageQueue
	Senders map[Channel]Sender // a channel without a sender gives its messages up, with a reason for the operator
	Log     *slog.Logger
	Watch   Watch // is told of each round; may be nil
}

// Run sends until ctx ends, each channel for itself so that a slow one does not hold up the other.
func (c *Courier) Run(ctx context.Context) {
	var channels sync.WaitGroup
	for _, ch := range []Channel{ByMail, ByWebhook} {
		channels.Go(func() { c.serve(ctx, ch) })
	}
	channels.Wait()
}

func (c *Courier) serve(ctx context.Context, ch Channel) {
	tick := time.NewTicker(courierEvery)
	defer tick.Stop()
	for {
		began := time.Now()
		n, err := c.Deliver(ctx, ch)
		if err != nil && ctx.Err() == nil {
			c.Log.WarnContext(ctx, "send messages", "channel", ch, "err", err)
		}
		watched(c.Watch, "send messages", began, err)
		if n == courierBatch && err == nil {
			continue // more may be waiting
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Deliver tries the messages of a channel that are due, a batch at most, and says how many those were.
func (c *Courier) Deliver(ctx context.Context, ch Channel) (int, error) {
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	claimed, err := c.Store.ClaimMessages(ctx, ch, courierBatch)
	if err != nil {
		return 0, err
	}
	var all sync.WaitGroup
	failed := make([]error, len(claimed))
	for i, m := range claimed {
		all.Go(func() { failed[i] = c.one(ctx, m) })
	}
	all.Wait()
	return len(claimed), errors.Join(failed...)
}

func (c *Courier) one(ctx context.Context, m Message) error {
	crashpoint.At("message.before-send")
	err := guarded(func() error { return c.send(ctx, m) })()
	crashpoint.At("message.after-send")
	stopping := ctx.Err() != nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	code := ""
	if err != nil {
		code = fault.As(err).Code
	}
	var serr error
	switch {
	case err == nil:
		serr = c.Store.EndMessage(ctx, m.ID, m.Token, "")
	case stopping:
		serr = c.Store.RetryMessage(ctx, m.ID, m.Token, 0, "stopped", true)
	case fault.Retryable(err) && m.Attempt < messageAttempts:
		c.Log.WarnContext(ctx, "message not sent, will be tried again", "message", m.ID, "channel", m.Channel, "attempt", m.Attempt, "code", code)
		serr = c.Store.RetryMessage(ctx, m.ID, m.Token, messagePause(m.Attempt), code, false)
	default:
		c.Log.ErrorContext(ctx, "message given up", "message", m.ID, "channel", m.Channel, "attempt", m.Attempt, "code", code)
		serr = c.Store.EndMessage(ctx, m.ID, m.Token, code)
	}
	if serr != nil { // it is claimed again when its lease is over
		return fmt.Errorf("settle message %s: %w", m.ID, serr)
	}
	return nil
}

func (c *Courier) send(ctx context.Context, m Message) error {
	sender := c.Senders[m.Channel]
	if sender == nil {
		return fault.New(fault.Invalid, string(m.Channel)+"_not_configured", "This way of telling people is not set up. Set it up and send the message again.")
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	return sender.Send(ctx, m)
}

// messagePause grows from five seconds to an hour, with jitter.
func messagePause(attempt int) time.Duration {
	d := 5 * time.Second
	for range attempt - 1 {
		if d = 3 * d; d >= LongestMessagePause {
			d = LongestMessagePause
			break
		}
	}
	return d/2 + rand.N(d/2+1)
}
