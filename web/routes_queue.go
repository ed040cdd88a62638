package web

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/pipeline"
)

// WorkQueue tells how much waits for the engine, and whether more may come in. Admit is asked before the first byte of a
// recording; its fault says when to come back.
type WorkQueue interface {
	Queue(ctx context.Context, actor access.Actor) (pipeline.QueueState, error)
	Admit(ctx context.Context, p pipeline.Priority) error
}

// Orderer stops automatic work and orders it anew, with a reason.
type Orderer interface {
	Cancel(ctx context.Context, actor access.Actor, id uuid.UUID, reason string) error
	Rerun(ctx context.Context, actor access.Actor, id uuid.UUID, stage pipeline.JobKind, reason string) error
}

type queueOutput struct {
	Body struct {
		Waiting struct {
			Stat    int `json:"stat"`
			Routine int `json:"routine"`
		} `json:"waiting" doc:"Recordings that wait for the speech engine"`
		Running      int                 `json:"running" doc:"Recordings that the engine works on"`
		Drafts       int                 `json:"drafts" doc:"Drafts that wait"`
		Deliveries   int                 `json:"deliveries" doc:"Deliveries that wait, or rest before their next attempt"`
		OldestAt     optional[time.Time] `json:"oldest_at" doc:"When the work that waits longest was ordered"`
		Workers      int                 `json:"workers"`
		Slots        int                 `json:"slots" doc:"Engine calls at once, of all workers"`
		Speed        optional[float64]   `json:"speed" doc:"Seconds of recordings that one slot works off in a second, measured; null before the first"`
		ExpectedWait optional[int]       `json:"expected_wait" doc:"Seconds until the engine would hear one more routine recording of yours; null while it cannot be told"`
		Accepting    bool                `json:"accepting" doc:"False while routine recordings are put off; STAT is always taken"`
		Text         string              `json:"text" doc:"The wait in words, for people; empty when there is nothing to tell"`
	}
}

type rerunInput struct {
	ByID
	Body struct {
		Stage  string `json:"stage" enum:"transcribe,draft,deliver" doc:"Where to begin anew"`
		Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"In plain words, without the patient's data"`
	}
}

func (s *Server) mountQueue() {
	const tag = "queue"
	add(s, operation(http.MethodGet, "/v1/queue", tag, "get-queue", "How much waits for the speech engine, and for how long"), s.queue)
	add(s, step("cancel", tag, "Stop the automatic work on a dictation"), s.cancel)
	add(s, step("rerun", tag, "Order a stage anew; earlier results stay"), s.rerun)
}

func (s *Server) queue(ctx context.Context, a access.Actor, _ *struct{}) (*queueOutput, error) {
	q, err := s.svc.Queue(ctx, a)
	if err != nil {
		return nil, err
	}
	out := &queueOutput{}
	b := &out.Body
	b.Waiting.Stat, b.Waiting.Routine, b.Running, b.Drafts, b.Deliveries = q.Stat, q.Routine, q.Running, q.Drafts, q.Deliveries
	b.Workers, b.Slots, b.Accepting, b.Text = q.Workers, q.Slots, q.Accepting, q.Words()
	if !q.Oldest.IsZero() {
		b.OldestAt = some(stamp(q.Oldest))
	}
	if speed := q.Speed(); speed > 0 {
		b.Speed = some(speed)
	}
	if q.WaitKnown {
		b.ExpectedWait = some(int(q.Wait.Seconds()))
	}
	return out, nil
}

func (s *Server) cancel(ctx context.Context, a access.Actor, in *reasonInput) (*nothing, error) {
	return nil, s.svc.Cancel(ctx, a, in.ID, in.Body.Reason)
}

func (s *Server) rerun(ctx context.Context, a access.Actor, in *rerunInput) (*nothing, error) {
	return nil, s.svc.Rerun(ctx, a, in.ID, pipeline.JobKind(in.Body.Stage), in.Body.Reason)
}

// spoolFullPause is when a client comes again whose recording found no room in the spool: uploads end within minutes.
const spoolFullPause = 30 * time.Second

// takesMore puts routine recordings off while too much waits or too many bytes are in the spool. Stat passes until the disk
// itself is full.
func (s *Server) takesMore(ctx context.Context, p pipeline.Priority) error {
	if err := s.svc.Admit(ctx, p); err != nil {
		return err
	}
	if s.cfg.SpoolLimit <= 0 || p == pipeline.Stat {
		return nil
	}
	used, err := bytesIn(s.cfg.SpoolDir)
	if err != nil {
		return spoolFault(err)
	}
	if used <= s.cfg.SpoolLimit {
		return nil
	}
	return &fault.Error{
		Kind: fault.Unavailable, Code: "spool_busy", RetryAfter: spoolFullPause,
		Public: "The server is busy taking other recordings. Keep yours; it is taken in a few minutes. STAT recordings are taken at once.",
	}
}

// bytesIn is the size of the files that lie in a folder.
func bytesIn(dir string) (int64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, fmt.Errorf("read spool folder: %w", err)
	}
	var total int64
	for _, e := range entries {
		if info, err := e.Info(); err == nil { // one that went meanwhile takes no room
			total += info.Size()
		}
	}
	return total, nil
}
