package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"vesper/internal/client"
	"vesper/pipeline"
)

// dictations is the folder of recordings and recorded transcripts.
const dictations = "testdata/dictations"

// walkers are dictations under way at the same time in the flow.
const walkers = 12

// times gathers how long each step took, and when dictations arrived at the end.
type times struct {
	mu    sync.Mutex
	steps map[string][]time.Duration
	ids   []uuid.UUID
	ends  []time.Time
}

func (t *times) add(step string, d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.steps == nil {
		t.steps = map[string][]time.Duration{}
	}
	t.steps[step] = append(t.steps[step], d)
}

// timed runs one step and notes its time when it succeeds.
func (t *times) timed(step string, do func() error) error {
	began := time.Now()
	err := do()
	if err == nil {
		t.add(step, time.Since(began))
	}
	return err
}

func (t *times) arrived(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ids, t.ends = append(t.ids, uuid.MustParse(id)), append(t.ends, time.Now())
}

// runFlow lets a practice work for a while: each dictation is uploaded, transcribed (replayed), drafted, claimed, corrected,
// sent, signed and delivered. It reports dictations each minute, the time of each step, and whether memory stays flat.
func runFlow(ctx context.Context, o options, r *report) error {
	say("flow: a practice works for %s", o.flow)
	s, err := raise(ctx, "")
	if err != nil {
		return err
	}
	defer s.close()
	engine, err := newReplay(dictations)
	if err != nil {
		return err
	}
	if err := s.start(engine, 2); err != nil {
		return err
	}
	recordings, err := newClips(dictations, o.seed)
	if err != nil {
		return err
	}
	memory := watchMemory()
	t, began := &times{}, time.Now()
	err = s.practise(ctx, o, recordings, t)
	took := time.Since(began)
	grown := memory.stop()
	if err != nil {
		return err
	}
	if err := s.stages(ctx, t); err != nil {
		return err
	}
	return reportFlow(r, t, took, grown)
}

// practise keeps the walkers going until the time is over.
func (s *stand) practise(ctx context.Context, o options, recordings *clips, t *times) error {
	dir, err := os.MkdirTemp("", "vesper-load-clips-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	end := time.Now().Add(o.flow)
	g, ctx := errgroup.WithContext(ctx)
	for i := range walkers {
		author, err := s.login(ctx, fmt.Sprintf("dr%d", i%physicians), phone(i))
		if err != nil {
			return err
		}
		editor, err := s.login(ctx, fmt.Sprintf("vma%d", i%editors), phone(1000+i))
		if err != nil {
			return err
		}
		g.Go(func() error {
			for n := i; time.Now().Before(end); n += walkers {
				path, err := recordings.file(dir)
				if err != nil {
					return err
				}
				if err := s.walk(ctx, author, editor, path, n, t); err != nil {
					return err
				}
				if err := os.Remove(path); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// walk takes one dictation the whole way.
func (s *stand) walk(ctx context.Context, author, editor *client.Client, recording string, n int, t *times) error {
	var got client.Receipt
	err := t.timed("upload to receipt", func() (err error) {
		got, err = author.Submit(ctx, recording, client.Submission{Patient: s.patients[n%len(s.patients)].MRN, WorkType: "consult"})
		return err
	})
	if err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	if _, err := author.Await(ctx, got.ID, "drafted"); err != nil {
		return err
	}
	if err := review(ctx, editor, got.ID, t); err != nil {
		return fmt.Errorf("review: %w", err)
	}
	if err := sign(ctx, author, got.ID, t); err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	if _, err := author.Await(ctx, got.ID, "delivered"); err != nil {
		return err
	}
	t.arrived(got.ID)
	return nil
}

// seen is what an editor and a signer read of a note.
type seen struct {
	ContentHash string `json:"content_hash"`
	Version     struct {
		Number   int `json:"number"`
		Document struct {
			Sections []struct {
				Key  string                  `json:"key"`
				Runs []struct{ Text string } `json:"runs"`
			} `json:"sections"`
			Flags []struct {
				ID       string `json:"id"`
				Severity string `json:"severity"`
				Settled  *struct{}
			} `json:"flags"`
		} `json:"document"`
	} `json:"version"`
}

// gap is a blank in the text, which an editor listens to and fills.
var gap = regexp.MustCompile(`\[blank[^\]]*\]`)

// review claims, corrects one section, settles what blocks the signature and sends.
func review(ctx context.Context, editor *client.Client, id string, t *times) error {
	path := "/api/v1/dictations/" + id
	if err := t.timed("claim", func() error { return editor.Do(ctx, "POST", path+"/claim", map[string]string{}, nil) }); err != nil {
		return err
	}
	var d seen
	if err := t.timed("open note", func() error { return editor.Do(ctx, "GET", path, nil, &d) }); err != nil {
		return err
	}
	type section struct {
		Key  string `json:"key"`
		Text string `json:"text"`
	}
	var sections []section
	for _, sec := range d.Version.Document.Sections {
		text := ""
		for _, run := range sec.Runs {
			text += run.Text
		}
		text = gap.ReplaceAllString(text, "unchanged")
		if text == "" {
			text = "None dictated." // an editor fills in what a kind of note must have
		}
		sections = append(sections, section{sec.Key, text})
	}
	sections[len(sections)-1].Text += " Reviewed against the recording."
	var v struct {
		Number   int `json:"number"`
		Document struct {
			Flags []struct {
				ID      string    `json:"id"`
				Settled *struct{} `json:"settled"`
			} `json:"flags"`
		} `json:"document"`
	}
	err := t.timed("save version", func() error {
		return editor.Do(ctx, "PUT", path+"/note", map[string]any{"base": d.Version.Number, "sections": sections}, &v)
	})
	if err != nil {
		return err
	}
	flags := v.Document.Flags
	for _, f := range flags {
		if f.Settled != nil {
			continue
		}
		err := editor.Do(ctx, "POST", path+"/flags/"+f.ID+"/settle", map[string]any{"base": v.Number, "how": "heard as written"}, &v)
		if err != nil {
			return err
		}
	}
	return t.timed("send", func() error { return editor.Do(ctx, "POST", path+"/send", map[string]any{"version": v.Number}, nil) })
}

// sign reads the preview and signs exactly what it showed.
func sign(ctx context.Context, author *client.Client, id string, t *times) error {
	path := "/api/v1/dictations/" + id
	var d seen
	if err := author.Do(ctx, "GET", path+"/signature-preview", nil, &d); err != nil {
		return err
	}
	return t.timed("sign", func() error {
		return author.Do(ctx, "POST", path+"/signature", map[string]any{
			"version": d.Version.Number, "content_hash": d.ContentHash, "password": password,
		}, nil)
	})
}

// stages adds the times of the automatic stages, which the database knows best.
func (s *stand) stages(ctx context.Context, t *times) error {
	for _, id := range t.ids {
		var moves []pipeline.StateChange
		var d pipeline.Dictation
		err := s.serve.InTx(ctx, s.practice, func(ctx context.Context, tx pipeline.Tx) (err error) {
			if d, err = tx.Dictation(ctx, id); err != nil {
				return err
			}
			moves, err = tx.Moves(ctx, id)
			return err
		})
		if err != nil {
			return err
		}
		at := map[pipeline.State]time.Time{pipeline.Received: d.ReceivedAt}
		for _, m := range moves {
			at[m.To] = m.At
		}
		t.add("receipt to transcript", at[pipeline.Transcribed].Sub(d.ReceivedAt))
		t.add("transcript to draft", at[pipeline.Drafted].Sub(at[pipeline.Transcribed]))
		t.add("signature to EHR, read back", at[pipeline.Delivered].Sub(at[pipeline.Signed]))
	}
	return nil
}

// order is how the steps are listed.
var order = []string{
	"upload to receipt", "receipt to transcript", "transcript to draft", "claim", "open note", "save version", "send", "sign",
	"signature to EHR, read back",
}

func reportFlow(r *report, t *times, took time.Duration, grown growth) error {
	if len(t.ids) == 0 {
		return errors.New("no dictation came through in the time")
	}
	tab := tableOf("step", "n", "p50", "p95", "p99", "max")
	for _, step := range order {
		tab.spread(step, t.steps[step])
	}
	for _, step := range slices.Sorted(maps.Keys(t.steps)) {
		if !slices.Contains(order, step) {
			tab.spread(step, t.steps[step])
		}
	}
	prose := fmt.Sprintf("A practice of %d physicians and %d editors works for %s with %d dictations of two minutes under way at a time; the engine "+
		"costs nothing, recordings are decoded for real: **%.0f dictations a minute** through all stages, %d in all. Memory of server, worker and clients "+
		"together: %s.", physicians, editors, took.Round(time.Second), walkers, float64(len(t.ids))/took.Minutes(), len(t.ids), grown)
	r.section("Through all stages", prose, tab)
	r.plots["load-memory.svg"] = plot("Resident memory of server, worker and clients", "minutes", "MB", curve{"resident", grown.points})
	r.plots["load-flow.svg"] = plot("Dictations delivered", "minutes", "dictations", curve{"delivered", arrivals(t.ends, took)})
	return nil
}

// arrivals is the count over time.
func arrivals(ends []time.Time, took time.Duration) [][2]float64 {
	sorted := slices.SortedFunc(slices.Values(ends), time.Time.Compare)
	began := sorted[len(sorted)-1].Add(-took)
	out := [][2]float64{{0, 0}}
	for i, e := range sorted {
		if i%max(1, len(sorted)/200) == 0 || i == len(sorted)-1 {
			out = append(out, [2]float64{e.Sub(began).Minutes(), float64(i + 1)})
		}
	}
	return out
}
