package transcribe

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"vesper/internal/fault"
	"vesper/internal/lexicon"
	"vesper/transcribe/audio"
)

// RunOptions is how one recording is transcribed.
type RunOptions struct {
	Settings Settings
	// Resume holds results that an earlier, interrupted run handed out. Those that fit this recording and these settings
	// are taken over; the others are ignored.
	Resume []ChunkResult
	// OnChunk gets each new result, in order of the recording, one call at a time, as soon as it and all before it are
	// final. Results from Resume are not handed out again. An error stops the run and is returned.
	OnChunk func(ChunkResult) error
	// OnPlan gets, once, how many chunks there are and how many of them Resume already covers.
	OnPlan func(done, total int)
}

// Transcriber turns decoded audio into transcripts with one engine.
type Transcriber struct {
	Engine  Engine
	Lexicon *lexicon.Lexicon // what the second pass knows; nil: there is none
	Trace   func(Trace)      // sees each second pass; for fitting its judge
}

// engineTries is how often one call is made when the engine crashes or hangs under it.
const engineTries = 3

// run is the state of one recording.
type run struct {
	engine   Engine
	pcm      *audio.PCM
	settings Settings
	hash     string
	plan     Plan
	clock    stopwatch
	mask     []int // tokens that no attempt may write
	lexicon  *lexicon.Lexicon
	trace    func(Trace)
}

// firstBeams is greedy where a second pass follows, which searches more widely and is held against the first.
func (r *run) firstBeams() int {
	if r.lexicon != nil {
		return 1
	}
	return r.settings.Beams
}

// context is what the model is told before it listens.
func (r *run) context() Context {
	c := Context{Language: r.settings.Language}
	if r.settings.Prompt != "" && r.settings.Prompt != NoPrompt {
		c.Prompt = r.engine.Encode(" " + strings.TrimSpace(r.settings.Prompt))
	}
	return c
}

// Run transcribes a recording. The result is the same whether or not it was resumed, and however many slots the engine has,
// but for EngineSeconds. Audio.SHA256 is left for the caller, who knows the bytes.
func (t Transcriber) Run(ctx context.Context, pcm *audio.PCM, o RunOptions) (Transcript, error) {
	if err := ctx.Err(); err != nil {
		return Transcript{}, err
	}
	r := &run{engine: t.Engine, pcm: pcm, settings: o.Settings.Freeze(t.Engine.Model()).known(t.Lexicon), trace: t.Trace}
	if have := t.Engine.Model(); have.SHA256 != r.settings.Model.SHA256 {
		return Transcript{}, fault.Wrap(fmt.Errorf("frozen %s %s, loaded %s %s", r.settings.Model.Name,
			r.settings.Model.SHA256, have.Name, have.SHA256), fault.Unavailable, "model_mismatch",
			"This dictation was queued for another speech model than the one that is loaded. Start a worker with that model, or queue it again.")
	}
	if t.Lexicon != nil && r.settings.Vocabulary != NoVocabulary {
		r.lexicon = t.Lexicon.With(r.settings.Terms...)
	}
	r.hash = r.settings.Hash()
	probs, loudness, err := r.listen(ctx)
	if err != nil {
		return Transcript{}, ended(ctx, err)
	}
	r.plan = Split(pcm.Samples(), probs, loudness, r.settings.ChunkSeconds)
	results, err := r.decodeAll(ctx, o)
	if err != nil {
		return Transcript{}, ended(ctx, err)
	}
	out := assemble(r.plan, results)
	out.Audio.Seconds = round3(pcm.Seconds())
	out.Model, out.Settings = r.settings.Model, r.settings
	out.EngineSeconds = round3(r.clock.total().Seconds())
	return out, nil
}

// ended makes sure that a cancelled run says so, whatever failed first because of it.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// decodeAll fills one result per chunk, as many at a time as the engine has slots, and delivers them in order.
func (r *run) decodeAll(ctx context.Context, o RunOptions) ([]ChunkResult, error) {
	chunks := r.plan.Chunks
	q := &inOrder{deliver: o.OnChunk, results: make([]*ChunkResult, len(chunks)), known: make([]bool, len(chunks))}
	done := 0
	for _, old := range o.Resume {
		if i := old.Index; i >= 0 && i < len(chunks) && !q.known[i] && r.fits(old, chunks[i]) {
			q.results[i], q.known[i] = &old, true
			done++
		}
	}
	if o.OnPlan != nil {
		o.OnPlan(done, len(chunks))
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, r.engine.Slots()))
	for i, c := range chunks {
		if q.known[i] {
			continue
		}
		if gctx.Err() != nil {
			break
		}
		g.Go(func() error {
			if err := gctx.Err(); err != nil {
				return err
			}
			res, err := r.decodeChunk(gctx, c, len(chunks))
			if err != nil {
				return err
			}
			return q.put(res)
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out := make([]ChunkResult, len(chunks))
	for i, res := range q.results {
		out[i] = *res
	}
	return out, nil
}

// fits says that a saved result belongs to this chunk of this recording under these settings.
func (r *run) fits(old ChunkResult, c Chunk) bool {
	from, to := c.Span()
	return old.Settings == r.hash && old.Start == round3(seconds(from)) && old.End == round3(seconds(to))
}

// inOrder holds results back until all before them are there.
type inOrder struct {
	mu      sync.Mutex
	deliver func(ChunkResult) error
	results []*ChunkResult
	known   []bool // came from Resume
	next    int
	failed  error
}

func (q *inOrder) put(res ChunkResult) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.results[res.Index] = &res
	for q.failed == nil && q.next < len(q.results) && q.results[q.next] != nil {
		if !q.known[q.next] && q.deliver != nil {
			if err := q.deliver(*q.results[q.next]); err != nil {
				q.failed = fmt.Errorf("save chunk %d: %w", q.next, err)
			}
		}
		q.next++
	}
	return q.failed
}

// call makes one engine call and repeats it when the engine itself, not the input, failed.
func call[T any](ctx context.Context, r *run, do func(context.Context) (T, error)) (T, error) {
	var out T
	var err error
	for range engineTries {
		stop := r.clock.start()
		out, err = do(ctx)
		stop()
		if err == nil || ctx.Err() != nil || !engineFailed(err) {
			break
		}
	}
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return out, err
}

func engineFailed(err error) bool {
	var f *fault.Error
	return errors.As(err, &f) && f.Kind == fault.Unavailable
}

// stopwatch adds up the wall time in which at least one call was under way.
type stopwatch struct {
	mu    sync.Mutex
	busy  int
	since time.Time
	sum   time.Duration
}

func (s *stopwatch) start() (stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy == 0 {
		s.since = time.Now()
	}
	s.busy++
	return s.stop
}

func (s *stopwatch) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy--; s.busy == 0 {
		s.sum += time.Since(s.since)
	}
}

func (s *stopwatch) total() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sum
}
