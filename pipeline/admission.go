package pipeline

import (
	"context"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
)

// QueueState is what people are told of the queue for the engine.
type QueueState struct {
	Workload
	Wait      time.Duration // of one more routine recording of whoever asks
	WaitKnown bool          // false while no speed was measured or no engine is there
	Accepting bool          // routine recordings are taken
}

// Queue says how much waits for the engine and how long one more routine recording of the actor would wait. Numbers only.
func (s *Service) Queue(ctx context.Context, actor access.Actor) (QueueState, error) {
	load, err := s.Store.Workload(ctx, turnOf(actor))
	if err != nil {
		return QueueState{}, err
	}
	out := QueueState{Workload: load, Accepting: s.roomIn(load) == nil}
	out.Wait, out.WaitKnown = load.Wait(load.Ahead)
	return out, nil
}

// turnOf is the author whose work waits in line with what the actor would send.
func turnOf(actor access.Actor) uuid.UUID {
	if actor.Role == access.Physician {
		return actor.ID
	}
	return uuid.Nil
}

// Admit says whether another recording may come in now. Stat always may; routine ones are put off while more wait than the
// configured bound. It is asked before the first byte: what was begun is taken.
func (s *Service) Admit(ctx context.Context, p Priority) error {
	if s.QueueLimit <= 0 || p == Stat {
		return nil
	}
	load, err := s.Store.Workload(ctx, uuid.Nil)
	if err != nil {
		return err
	}
	return s.roomIn(load)
}

// Bounds of what a client that comes too early is told.
const (
	soonestReturn = 15 * time.Second
	latestReturn  = 10 * time.Minute
)

func (s *Service) roomIn(load Workload) error {
	over := load.Routine - s.QueueLimit + 1
	if s.QueueLimit <= 0 || over <= 0 {
		return nil
	}
	wait, _ := load.Wait(over) // 0 when nobody knows
	return &fault.Error{
		Kind: fault.Unavailable, Code: "queue_full", RetryAfter: min(max(wait, soonestReturn), latestReturn),
		Public: "More recordings wait than can be worked off soon. Keep yours; it is taken in a few minutes. STAT recordings are taken at once.",
	}
}

// forecast adds to a receipt how long the recording will wait that is about to join the queue. Nothing depends on it: where it cannot be told, it is not.
func (s *Service) forecast(ctx context.Context, d Dictation, r *Receipt) {
	load, err := s.Store.Workload(ctx, d.AuthorID)
	if err != nil {
		s.Log.WarnContext(ctx, "read workload", "err", err)
		return
	}
	ahead := load.Ahead
	if d.Priority == Stat {
		ahead = load.Stat
	}
	r.Wait, r.WaitKnown = load.Wait(ahead)
}
