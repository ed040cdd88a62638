package transcribe

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
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
	// OnPlan gets, once, how many chunks there are and how many of them Resume already covers: before the first chunk, or,
	// when the recording still arrives, when it is complete. Never at the same time as OnChunk.
	OnPlan func(done, total int)
}

// Transcriber turns decoded audio into transcripts with one engine.
type Transcriber struct {
	Engine  Engine
	Lexicon *lexicon.Lexicon // what the second pass knows; nil: there is none
	Check   Engine           // a second model that listens for other risk words; nil: there is none
	Trace   func(Trace)      // sees each second pass; for fitting its judge
}

// engineTries is how often one call is made when the engine crashes or hangs under it.
const engineTries = 3

// run is the state of one recording.
type run struct {
	engine   Engine
	pcm      recording
	settings Settings
	hash     string
	clock    stopwatch
	shown    []string // words of the prompt
	lexicon  *lexicon.Lexicon
	check    Engine // nil: there is none
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
func (r *run) context() Context { return r.contextFor(r.engine) }

func (r *run) contextFor(e Engine) Context {
	c := Context{Language: r.settings.Language}
	if r.settings.Prompt != "" && r.settings.Prompt != NoPrompt {
		c.Prompt = e.Encode(" " + strings.TrimSpace(r.settings.Prompt))
	}
	return c
}

// Run transcribes a recording. It may still be arriving: chunks are then decoded, and handed out, as soon as nothing that
// follows can change them. The result is the same whether or not it was resumed, however the audio came, and however many
// slots the engine has, but for EngineSeconds. Audio.SHA256 is left for the caller, who knows the bytes.
func (t Transcriber) Run(ctx context.Context, pcm *audio.PCM, o RunOptions) (Transcript, error) {
	out, err := t.run(ctx, pcm, o)
	if err == nil {
		out.Audio.Warnings = pcm.Report().Warnings
	}
	return out, err
}

func (t Transcriber) run(ctx context.Context, pcm recording, o RunOptions) (Transcript, error) {
	if err := ctx.Err(); err != nil {
		return Transcript{}, err
	}
	r := &run{engine: t.Engine, pcm: pcm, settings: o.Settings.Freeze(t.Engine.Model()).known(t.Lexicon), trace: t.Trace}
	if have := t.Engine.Model(); have.SHA256 != r.settings.Model.SHA256 {
		return Transcript{}, fault.Wrap(fmt.Errorf("frozen %s %s, loaded %s %s", r.settings.Model.Name,
			r.settings.Model.SHA256, have.Name, have.SHA256), fault.Unavailable, "model_mismatch",
			"This dictation was queued for another speech model than the one that is loaded. Start a worker with that model, or queue it again.")
	}
	if err := r.checkedBy(t.Check); err != nil {
		return Transcript{}, err
	}
	// The terms are English, and so is what their sounds are compared with.
	if t.Lexicon != nil && r.settings.Vocabulary != NoVocabulary && r.settings.Language == "en" {
		r.lexicon = t.Lexicon.With(r.settings.Terms...)
	}
	if r.settings.Prompt != NoPrompt {
		for w := range strings.FieldsSeq(r.settings.Prompt) {
			r.shown = append(r.shown, normal(w))
		}
	}
	r.hash = r.settings.Hash()
	plan, results, err := r.hearAll(ctx, o)
	if err != nil {
		return Transcript{}, ended(ctx, err)
	}
	out := assemble(plan, results)
	out.Audio.Seconds = round3(seconds(plan.Samples))
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

// hearAll plans and decodes. A recording that is complete is planned first, so that all progress can be told; of one that
// still arrives each chunk is decoded as it becomes certain.
func (r *run) hearAll(ctx context.Context, o RunOptions) (Plan, []ChunkResult, error) {
	_, complete, err := r.pcm.Wait(ctx, 0)
	if err != nil {
		return Plan{}, nil, err
	}
	d := r.newDecoder(ctx, o)
	each := d.decode
	if complete {
		each = func(Chunk) error { return nil }
	}
	plan, err := r.planAll(d.ctx, each)
	if err == nil {
		d.planned(plan.Chunks)
		if complete {
			for _, c := range plan.Chunks {
				if err = d.decode(c); err != nil {
					break
				}
			}
		}
	}
	if waited := d.group.Wait(); waited != nil {
		err = waited // the cause; what the plan says is its consequence
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return Plan{}, nil, err
	}
	return plan, d.queue.all(), nil
}

// decoder decodes chunks as many at a time as the engine has slots, and delivers the results in order.
type decoder struct {
	run    *run
	ctx    context.Context
	group  *errgroup.Group
	queue  *inOrder
	onPlan func(done, total int)
	total  atomic.Int64 // 0: not known yet
}

func (r *run) newDecoder(ctx context.Context, o RunOptions) *decoder {
	d := &decoder{run: r, onPlan: o.OnPlan, queue: &inOrder{deliver: o.OnChunk, saved: map[int]ChunkResult{}}}
	for _, old := range o.Resume {
		if _, twice := d.queue.saved[old.Index]; !twice && old.Settings == r.hash {
			d.queue.saved[old.Index] = old
		}
	}
	d.group, d.ctx = errgroup.WithContext(ctx)
	d.group.SetLimit(max(1, r.engine.Slots()))
	return d
}

// planned takes note that these are all chunks there will be.
func (d *decoder) planned(chunks []Chunk) {
	d.total.Store(int64(len(chunks)))
	done := 0
	for _, c := range chunks {
		if old, ok := d.queue.saved[c.Index]; ok && fits(old, c) {
			done++
		}
	}
	if d.onPlan != nil {
		d.queue.alone(func() { d.onPlan(done, len(chunks)) })
	}
}

// decode starts on a chunk once a slot is free, unless it is saved. It is called for one chunk after another.
func (d *decoder) decode(c Chunk) error {
	if err := d.ctx.Err(); err != nil {
		return err
	}
	if old, ok := d.queue.saved[c.Index]; ok && fits(old, c) {
		return d.queue.put(old, true)
	}
	d.group.Go(func() error {
		if err := d.ctx.Err(); err != nil {
			return err
		}
		res, err := d.run.decodeChunk(d.ctx, c, int(d.total.Load()))
		if err != nil {
			return err
		}
		return d.queue.put(res, false)
	})
	return nil
}

// fits says that a saved result, made with these settings, belongs to this chunk.
func fits(old ChunkResult, c Chunk) bool {
	from, to := c.Span()
	return old.Start == round3(seconds(from)) && old.End == round3(seconds(to))
}

// inOrder holds results back until all before them are there.
type inOrder struct {
	saved   map[int]ChunkResult // from Resume, by index; not written to any more
	deliver func(ChunkResult) error

	mu      sync.Mutex
	results []*ChunkResult
	known   []bool // came from Resume
	next    int
	failed  error
}

// alone runs fn while no result is delivered.
func (q *inOrder) alone(fn func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	fn()
}

func (q *inOrder) put(res ChunkResult, known bool) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.results) <= res.Index {
		q.results, q.known = append(q.results, nil), append(q.known, false)
	}
	q.results[res.Index], q.known[res.Index] = &res, known
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

// all returns the results once every chunk has one.
func (q *inOrder) all() []ChunkResult {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := make([]ChunkResult, len(q.results))
	for i, res := range q.results {
		out[i] = *res
	}
	return out
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
