package pipeline_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"vesper/internal/lexicon"
	"vesper/internal/testkit"
	"vesper/pipeline"
	"vesper/transcribe"
)

// chart is an EHR's record of every patient, as the test writes it.
type chart struct {
	mu     sync.Mutex
	asked  []string
	answer func(ctx context.Context) ([]lexicon.Term, error)
}

func (c *chart) Terms(ctx context.Context, ref string) ([]lexicon.Term, error) {
	c.mu.Lock()
	c.asked = append(c.asked, ref)
	answer := c.answer
	c.mu.Unlock()
	return answer(ctx)
}

func (c *chart) set(answer func(context.Context) ([]lexicon.Term, error)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer = answer
}

func says(terms ...lexicon.Term) func(context.Context) ([]lexicon.Term, error) {
	return func(context.Context) ([]lexicon.Term, error) { return terms, nil }
}

// expectations are the terms that each run of the engine was given.
func (w *world) expectations() (out [][]lexicon.Term) {
	w.Helper()
	w.engine.mu.Lock()
	defer w.engine.mu.Unlock()
	for _, raw := range w.engine.settings {
		// "model" of the world's settings is a plain word; of the rest, the recogniser's own type must read it
		var s struct {
			Terms []lexicon.Term `json:"terms"`
		}
		w.must(json.Unmarshal([]byte(raw), &s))
		out = append(out, s.Terms)
	}
	return out
}

func names(terms []lexicon.Term) string {
	var out []string
	for _, t := range terms {
		out = append(out, t.Text)
	}
	return strings.Join(out, "|")
}

func TestTheRecogniserExpectsThePatientsDrugsFirstThenTheAuthorsWordsThenThePractices(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	c := &chart{answer: says(
		lexicon.Term{Text: "atrial fibrillation", Kind: lexicon.Disease}, lexicon.Term{Text: "Zanterpel", Kind: lexicon.Brand, Weight: 0.9},
		lexicon.Term{Text: "zanterpel", Kind: lexicon.Generic}, lexicon.Term{Text: "the", Kind: lexicon.Brand}, lexicon.Term{Text: "\x00"},
	)}
	w.worker.Chart = c
	me := w.people["physician"].ID
	_, err := w.svc.AddTerm(ctx, w.as("physician"), pipeline.VocabularyTerm{AuthorID: &me, Text: "Bluebell sign", Kind: lexicon.Exam, Says: []string{"blue bell sign"}})
	w.must(err)
	_, err = w.svc.AddTerm(ctx, w.as("supervisor"), pipeline.VocabularyTerm{Text: "Larkspurine", Kind: lexicon.Generic})
	w.must(err)
	w.engine.edit(func(t *transcribe.Transcript) { t.Settings.Terms = []lexicon.Term{{Text: "Zanterpel"}} }) // as the real one says
	id := w.drafted()
	want := "Zanterpel|atrial fibrillation|" + canary + "|Lydia|Rivera|Bluebell sign|Larkspurine"
	got := w.expectations()
	if len(got) != 1 || strings.ReplaceAll(names(got[0]), "Ana|", "") != want {
		t.Fatalf("expected %v, want %s", got, want)
	}
	if c.asked[0] != w.patient.EHRRef {
		t.Errorf("asked for %q", c.asked[0])
	}
	var real transcribe.Settings
	raw := strings.Replace(w.engine.settings[0], `"recited"`, `{"name":"recited"}`, 1)
	if err := json.Unmarshal([]byte(raw), &real); err != nil || names(real.Terms) != names(got[0]) {
		t.Errorf("the recogniser reads %v, %v", real.Terms, err)
	}
	w.must(w.work.InTx(ctx, w.practice, func(ctx context.Context, tx pipeline.Tx) error {
		st, _, err := tx.TranscriptOf(ctx, id)
		if st.SettingsSHA != pipeline.SHA256([]byte(w.engine.settings[0])) {
			t.Error("the transcript does not name the settings that the engine worked with")
		}
		return err
	}))
	d, err := w.svc.Detail(ctx, w.as("supervisor"), id)
	w.must(err)
	h, err := w.svc.History(ctx, w.as("supervisor"), id)
	w.must(err)
	for _, shown := range []any{d, h.Jobs} {
		if raw, err := json.Marshal(shown); err != nil || strings.Contains(string(raw), "Zanterpel") {
			t.Errorf("what is expected is shown: %v", err)
		}
	}
	looks := 0
	for _, e := range w.events(id) {
		if e.Detail["result"] == "chart_read" {
			looks++
		}
	}
	if looks != 1 {
		t.Errorf("%d looks at the chart are on the record", looks)
	}
}

func TestARetryExpectsWhatTheFirstRunExpectedAndANewOrderLooksAgain(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	c := &chart{answer: says(lexicon.Term{Text: "Zanterpel", Kind: lexicon.Brand})}
	w.worker.Chart = c
	broken := true
	w.engine.set(func(_ context.Context, n int) error {
		if n == 3 && broken {
			return unavailable()
		}
		return nil
	})
	id := w.submit()
	w.drain()
	c.set(says(lexicon.Term{Text: "Larkspurine", Kind: lexicon.Brand}))
	_, err := w.svc.AddTerm(ctx, w.as("supervisor"), pipeline.VocabularyTerm{Text: "Bluebell sign"})
	w.must(err)
	w.hurry()
	w.drain()
	got := w.expectations()
	if len(got) != 2 || names(got[0]) != names(got[1]) || w.engine.settings[0] != w.engine.settings[1] || len(c.asked) != 1 {
		t.Fatalf("runs expected %v; the chart was read %d times", got, len(c.asked))
	}
	if _, resumed := w.engine.history(); resumed[1] != 2 {
		t.Errorf("the second run took up %v chunks", resumed)
	}
	for w.dictation(id).State != pipeline.Failed {
		w.hurry()
		w.drain()
	}
	broken = false
	w.must(w.svc.Retry(ctx, w.as("supervisor"), id, "Mended."))
	w.drain()
	w.wantState(id, pipeline.Drafted)
	if got = w.expectations(); !strings.Contains(names(got[len(got)-1]), "Larkspurine") || strings.Contains(names(got[len(got)-1]), "Zanterpel") {
		t.Errorf("ordered again, it expected %s", names(got[len(got)-1]))
	}
}

func TestWhatAnOlderVersionBeganGoesOnWithoutTerms(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := &chart{answer: says(lexicon.Term{Text: "Zanterpel", Kind: lexicon.Brand})}
	w.worker.Chart = c
	broken := true
	w.engine.set(func(_ context.Context, n int) error {
		if n == 3 && broken {
			broken = false
			return unavailable()
		}
		return nil
	})
	id := w.submit()
	w.drain()
	testkit.Exec(t, w.admin, `BEGIN; SET LOCAL session_replication_role = replica; DELETE FROM job_terms; COMMIT`)
	w.hurry()
	w.drain()
	w.wantState(id, pipeline.Drafted)
	if got := w.expectations(); len(got) != 2 || len(got[1]) != 0 || len(c.asked) != 1 {
		t.Errorf("expected %v, the chart was read %d times", got, len(c.asked))
	}
}

func TestADictationWithoutAPatientAsksNobodyAndExpectsTheAuthorsName(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := &chart{answer: says(lexicon.Term{Text: "Zanterpel", Kind: lexicon.Brand})}
	w.worker.Chart = c
	w.drafted(func(s *pipeline.Submission) { s.EncounterID = nil })
	if got := w.expectations(); len(c.asked) != 0 || !strings.Contains(names(got[0]), "Rivera") || strings.Contains(names(got[0]), canary) {
		t.Errorf("asked %v, expected %v", c.asked, got)
	}
}

// hostileChart draws what an EHR could answer at its worst.
func hostileChart(t *rapid.T) func(context.Context) ([]lexicon.Term, error) {
	term := rapid.Custom(func(t *rapid.T) lexicon.Term {
		return lexicon.Term{
			Text: rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"Zanterpel", "\x00\xff", "", "the", strings.Repeat("x", 5000)})).Draw(t, "text"),
			Kind: lexicon.Kind(rapid.SampledFrom([]string{"brand", "", "nonsense", "\x00"}).Draw(t, "kind")),
			Says: rapid.SliceOfN(rapid.String(), 0, 9).Draw(t, "says"), Weight: rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), -3, 0.3}).Draw(t, "weight"),
		}
	})
	terms := rapid.SliceOfN(term, 0, 80).Draw(t, "terms")
	switch rapid.SampledFrom([]string{"junk", "junk", "junk", "error", "panic"}).Draw(t, "chart") {
	case "error":
		return func(context.Context) ([]lexicon.Term, error) { return terms, errors.New("refused " + canary) }
	case "panic":
		return func(context.Context) ([]lexicon.Term, error) { panic(canary) }
	default:
		return says(terms...)
	}
}

func TestAChartThatFailsOrAnswersJunkNeverFailsADictation(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := &chart{}
	w.worker.Chart = c
	tries := 0
	rapid.Check(t, func(rt *rapid.T) {
		if tries++; tries > 25 { // each is a dictation on real services
			return
		}
		c.set(hostileChart(rt))
		id := w.submit()
		w.drain()
		if d := w.dictation(id); d.State != pipeline.Drafted {
			rt.Fatalf("the dictation is %s: %s", d.State, d.Reason)
		}
		got := w.expectations()
		last := got[len(got)-1]
		if len(last) > 60 || !strings.Contains(names(last), "Rivera") {
			rt.Fatalf("%d terms expected: %s", len(last), names(last))
		}
		for _, term := range last {
			if !term.Kind.Known() || term.Weight < 0 || term.Weight > 1 || len(term.Text) > 120 || len(lexicon.Sounds(term.Text)) == 0 {
				rt.Fatalf("junk is expected: %+v", term)
			}
		}
	})
	if strings.Contains(w.logs.String(), canary) || strings.Contains(w.logs.String(), "Zanterpel") {
		t.Error("the log tells what stands in a chart")
	}
}

func TestAChartThatHangsDelaysADictationByItsBoundOnly(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ended := make(chan struct{})
	defer close(ended)
	w.worker.Chart = &chart{answer: func(context.Context) ([]lexicon.Term, error) { <-ended; return nil, nil }} // heeds nothing
	id := w.drafted()
	found := false
	for _, e := range w.events(id) {
		found = found || e.Detail["result"] == "chart_unread" && e.Detail["code"] == "ehr_slow"
	}
	if !found {
		t.Error("the record does not say that the chart was not read")
	}
}

func TestALateWorkerDoesNotFreezeTerms(t *testing.T) {
	t.Parallel()
	w := setup(t)
	release, reading := make(chan struct{}), make(chan struct{}, 1)
	w.worker.Chart = &chart{answer: func(context.Context) ([]lexicon.Term, error) {
		reading <- struct{}{}
		<-release
		return []lexicon.Term{{Text: "Larkspurine", Kind: lexicon.Brand}}, nil
	}}
	id := w.submit()
	bell := w.bells()[0]
	late := make(chan error, 1)
	go func() { late <- w.worker.Do(context.Background(), bell) }()
	<-reading
	w.expireLeases()
	second := w.newWorker("worker-2", w.worker.Log)
	second.Chart = &chart{answer: says(lexicon.Term{Text: "Zanterpel", Kind: lexicon.Brand})}
	w.must(second.Do(context.Background(), bell))
	close(release)
	w.must(<-late)
	w.wantState(id, pipeline.Drafted)
	if rows := testkit.Column[string](t, w.admin, `SELECT terms::text FROM job_terms`); len(rows) != 1 || !strings.Contains(rows[0], "Zanterpel") || strings.Contains(rows[0], "Larkspurine") {
		t.Errorf("frozen: %v", rows)
	}
}
