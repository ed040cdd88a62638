package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"vesper/internal/access"
	"vesper/pipeline"
)

// runQueue fills the queue while nobody works, nine tenths of it by one author, then starts the workers, and lets urgent
// dictations and single notes of other authors come in. It reports how long each waited until its transcript.
func runQueue(ctx context.Context, o options, r *report) error {
	say("queue: %d dictations wait", o.queued)
	s, err := raise(ctx, "")
	if err != nil {
		return err
	}
	defer s.close()
	engine, err := newReplay(dictations)
	if err != nil {
		return err
	}
	recordings, err := newClips(dictations, o.seed+1)
	if err != nil {
		return err
	}
	filled := time.Now()
	if err := s.fill(ctx, recordings, o.queued); err != nil {
		return err
	}
	say("queue: filled in %s", time.Since(filled).Round(time.Second))
	if err := s.start(engine, 2); err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(o.seed, 2))
	var urgent, single []uuid.UUID
	for i := range 20 {
		pause := time.Duration(200+random.IntN(800)) * time.Millisecond
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause): // a client's own pace, not a wait for anything
		}
		id, err := s.submit(ctx, recordings, fmt.Sprintf("dr%d", 1+i%(physicians-1)), pipeline.Stat)
		if err != nil {
			return err
		}
		urgent = append(urgent, id)
		if id, err = s.submit(ctx, recordings, fmt.Sprintf("dr%d", 1+(i+7)%(physicians-1)), pipeline.Routine); err != nil {
			return err
		}
		single = append(single, id)
	}
	stat, statDone, err := s.waited(ctx, urgent)
	if err != nil {
		return err
	}
	fair, fairDone, err := s.waited(ctx, single)
	if err != nil {
		return err
	}
	left, err := s.work.QueueDepth(ctx)
	if err != nil {
		return err
	}
	t := tableOf("who", "n", "p50", "p95", "p99", "max")
	t.spread("urgent: receipt until its transcript", stat)
	t.spread("urgent: receipt until its draft", statDone)
	t.spread("another author's single note: receipt until its transcript", fair)
	t.spread("another author's single note: receipt until its draft", fairDone)
	r.section("Urgent ones before thousands", fmt.Sprintf("%d dictations of two minutes wait, nine tenths of them of one author, when workers with two slots start "+
		"and 20 urgent and 20 routine dictations of other authors come in. When the last of these was drafted, %d still waited.",
		o.queued, left[pipeline.JobQueued]), t)
	return nil
}

// fill submits n dictations, nine tenths by the first physician.
func (s *stand) fill(ctx context.Context, recordings *clips, n int) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(4)
	for i := range n {
		author := "dr0"
		if i%10 == 9 {
			author = fmt.Sprintf("dr%d", 1+i/10%(physicians-1))
		}
		g.Go(func() error {
			_, err := s.submit(ctx, recordings, author, pipeline.Routine)
			return err
		})
		if i%1000 == 999 {
			say("queue: %d", i+1)
		}
	}
	return g.Wait()
}

// submit takes a recording in past HTTP, which is measured elsewhere.
func (s *stand) submit(ctx context.Context, recordings *clips, login string, p pipeline.Priority) (uuid.UUID, error) {
	who := s.people[login]
	actor := access.Actor{ID: who.ID, PracticeID: s.practice, Role: access.Physician, Name: who.Name}
	got, err := s.svc.Submit(ctx, actor, pipeline.Submission{
		AuthorID: who.ID, WorkType: "consult", Priority: p, Filename: "clip.mp3", ContentType: "audio/mpeg", Body: bytes.NewReader(recordings.next()),
		PatientID: &s.patients[0].ID,
	})
	return got.DictationID, err
}

// waited waits until all are drafted and tells how long each waited for its transcript, and for its draft.
func (s *stand) waited(ctx context.Context, ids []uuid.UUID) (transcribed, drafted []time.Duration, err error) {
	for _, id := range ids {
		for {
			var d pipeline.Dictation
			var moves []pipeline.StateChange
			err := s.serve.InTx(ctx, s.practice, func(ctx context.Context, tx pipeline.Tx) (err error) {
				if d, err = tx.Dictation(ctx, id); err != nil {
					return err
				}
				moves, err = tx.Moves(ctx, id)
				return err
			})
			if err != nil {
				return nil, nil, err
			}
			i := slices.IndexFunc(moves, func(m pipeline.StateChange) bool { return m.To == pipeline.Drafted })
			if d.State == pipeline.Failed || d.State == pipeline.Rejected {
				return nil, nil, fmt.Errorf("a dictation is %s: %s", d.State, d.Reason)
			}
			if i >= 0 {
				t := slices.IndexFunc(moves, func(m pipeline.StateChange) bool { return m.To == pipeline.Transcribed })
				transcribed, drafted = append(transcribed, moves[t].At.Sub(d.ReceivedAt)), append(drafted, moves[i].At.Sub(d.ReceivedAt))
				break
			}
			select {
			case <-ctx.Done():
				return nil, nil, ctx.Err()
			case <-time.After(50 * time.Millisecond):
			}
		}
	}
	return transcribed, drafted, nil
}
