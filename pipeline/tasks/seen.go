package tasks

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/hibiken/asynq"

	"vesper/internal/fault"
)

// Seen is a worker process that gave a sign of life to the queue within seconds.
type Seen struct {
	Host  string    `json:"host"`
	PID   int       `json:"pid"`
	Slots int       `json:"slots"`
	Since time.Time `json:"since"`
}

// Workers lists the worker processes that the queue has seen.
func Workers(url string) ([]Seen, error) {
	opt, err := options(url)
	if err != nil {
		return nil, err
	}
	i := asynq.NewInspector(opt)
	defer i.Close()
	servers, err := i.Servers()
	if err != nil {
		return nil, fault.Wrap(fmt.Errorf("list workers: %w", err), fault.Unavailable, "queue_unavailable",
			"The work queue cannot be reached. The work is safe and starts when it is back.")
	}
	var out []Seen
	for _, s := range servers {
		// A worker answers two pairs of queues, each by a server of its own; the one of the engine stands for it.
		if _, engine := s.Queues[heavyRoutine]; engine {
			out = append(out, Seen{Host: s.Host, PID: s.PID, Slots: s.Concurrency, Since: s.Started.UTC()})
		}
	}
	slices.SortFunc(out, func(a, b Seen) int { return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.PID, b.PID)) })
	return out, nil
}
