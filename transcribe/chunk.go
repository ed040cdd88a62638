package transcribe

import (
	"context"
	"fmt"
	"strings"
)

// ChunkResult is what came of one chunk. It is handed out as soon as it is final, to be saved; given back in
// RunOptions.Resume it is not decoded again.
type ChunkResult struct {
	Index        int     `json:"index"`
	Total        int     `json:"total"`    // chunks in this recording, for progress; 0 while it is not known
	Settings     string  `json:"settings"` // hash of the settings it was made with
	Start        float64 `json:"start"`    // of the chunk in the recording, seconds
	End          float64 `json:"end"`
	Words        []Word  `json:"words"`
	Struck       []Span  `json:"struck,omitempty"`
	Doubts       []Doubt `json:"doubts,omitempty"` // repairs among them
	NoSpeechProb float64 `json:"no_speech_prob"`
	AvgLogProb   float64 `json:"avg_log_prob"`
	Attempts     int     `json:"attempts"`
	Again        int     `json:"again,omitempty"`   // stretches listened to again because they had no words
	Trouble      string  `json:"trouble,omitempty"` // what no attempt could mend
	Seconds      float64 `json:"seconds"`           // spent in the engine
}

// segment is a stretch of a chunk that was decoded on its own, and what was heard in it.
type segment struct {
	from, to int // samples of the chunk
	Decoding
	noSpeech float64
	doubts   []risky     // and repairs
	rivals   [][]reading // of each token that was decoded; none if that is not known
}

// attempt is one way to decode a chunk, and what came of it.
type attempt struct {
	segments []segment
	evidence
	trouble string
	again   int // times that gaps were listened to
}

// decodeChunk decodes a chunk and settles it, from the start again when the engine fails under it.
func (r *run) decodeChunk(ctx context.Context, c Chunk, total int) (ChunkResult, error) {
	samples, err := r.read(c.Pieces...)
	if err != nil {
		return ChunkResult{}, err
	}
	res, err := call(ctx, r, func(ctx context.Context) (ChunkResult, error) { return r.hearChunk(ctx, c, even(samples, c)) })
	if err != nil {
		return ChunkResult{}, fmt.Errorf("decode chunk %d of %d: %w", c.Index+1, total, err)
	}
	res.Total = total
	return res, nil
}

// hearChunk decodes a chunk, and again in other ways while the guards object. The first attempt without trouble wins; when
// there is none, the most probable text that is not a loop.
func (r *run) hearChunk(ctx context.Context, c Chunk, samples []float32) (ChunkResult, error) {
	e := &ear{engine: r.engine, context: r.context(), samples: samples}
	defer e.close()
	speech, loudOnly := c.speechIn()
	var tried []attempt
	for n, step := range ladder {
		if n == 1 { // whatever went wrong, the model may have leant on what it was shown
			e.context.Prompt = nil
		}
		a, err := step(ctx, r, e, c)
		if err != nil {
			return ChunkResult{}, err
		}
		if a == nil {
			continue
		}
		a.evidence = gather(a.segments)
		a.speech, a.loudOnly = speech, loudOnly
		a.shown = r.shown
		a.trouble = a.evidence.trouble()
		tried = append(tried, *a)
		if a.trouble == "" || a.overNoise() {
			break
		}
	}
	best := choose(tried)
	if err := r.finish(ctx, e, &best); err != nil {
		return ChunkResult{}, err
	}
	if err := r.fill(ctx, e, c, &best); err != nil {
		return ChunkResult{}, err
	}
	if best.trouble == ReasonTooFew && best.evidence.trouble() == "" { // the closer look found them
		best.trouble = ""
	}
	edges(best.words, c, samples)
	res := r.settle(c, best)
	res.Attempts, res.Again, res.Seconds, res.Trouble = len(tried), best.again, e.total(), best.trouble
	return res, nil
}

// ladder is the order of attempts. A step returns nil when it does not apply.
var ladder = []func(context.Context, *run, *ear, Chunk) (*attempt, error){
	func(ctx context.Context, r *run, e *ear, _ Chunk) (*attempt, error) {
		return e.try(ctx, DecodeOptions{Beams: r.firstBeams()})
	},
	func(ctx context.Context, _ *run, e *ear, _ Chunk) (*attempt, error) {
		return e.try(ctx, DecodeOptions{Timestamps: true})
	},
	tryHalves,
	func(ctx context.Context, _ *run, e *ear, _ Chunk) (*attempt, error) {
		return e.try(ctx, DecodeOptions{Temperature: 0.2})
	},
	func(ctx context.Context, _ *run, e *ear, _ Chunk) (*attempt, error) {
		return e.try(ctx, DecodeOptions{Temperature: 0.4})
	},
}

// tryHalves decodes the two sides of the longest seam near the middle on their own: a loop rarely survives a new start.
func tryHalves(ctx context.Context, r *run, e *ear, c Chunk) (*attempt, error) {
	at := c.middleSeam()
	if at <= 0 {
		return nil, nil
	}
	o := DecodeOptions{Beams: r.firstBeams()}
	left, err := e.decode(ctx, 0, at, o)
	if err != nil {
		return nil, err
	}
	right, err := e.decode(ctx, at, len(e.samples), o)
	if err != nil {
		return nil, err
	}
	return &attempt{segments: []segment{left, right}}, nil
}

// finish makes the chosen attempt as good as it gets and finds out when each word was spoken.
func (r *run) finish(ctx context.Context, e *ear, a *attempt) error {
	for i := range a.segments {
		s := &a.segments[i]
		if len(s.Tokens) == 0 {
			continue
		}
		if err := e.to(ctx, s.from, s.to); err != nil {
			return err
		}
		if err := r.examine(ctx, e, s); err != nil {
			return err
		}
		ends, err := e.hearing.Align(ctx, e.context, s.IDs())
		if err != nil {
			return err
		}
		for k := range s.Tokens {
			s.Tokens[k].End = ends[k] + alignLag
		}
	}
	old := a.evidence
	a.evidence = gather(a.segments)
	a.speech, a.loudOnly, a.shown = old.speech, old.loudOnly, old.shown
	return nil
}

// gather joins what was heard in the segments.
func gather(segments []segment) evidence {
	out := evidence{noSpeech: 1, ended: true}
	var sum float64
	var n int
	for _, s := range segments {
		shift, around := seconds(s.from), s.AvgLogProb()
		for _, w := range assembleWords(s.Tokens, seconds(s.to-s.from)) {
			for _, d := range s.doubts {
				if d.from < w.to && w.from < d.to {
					w.doubts = append(w.doubts, d)
				}
			}
			w.around = around
			w.after, w.start, w.end, w.until = w.after+shift, w.start+shift, w.end+shift, w.until+shift
			out.words = append(out.words, w)
		}
		out.noSpeech = min(out.noSpeech, s.noSpeech)
		out.ended = out.ended && s.Ended
		for _, t := range s.Tokens {
			sum, n = sum+t.LogP, n+1
		}
	}
	out.logp = sum / float64(max(1, n))
	return out
}

// middleSeam is the seam between pieces that lies nearest to the middle of the chunk, in chunk samples; 0 if there is none.
func (c Chunk) middleSeam() int {
	best, at, half := 0, 0, c.Samples()/2
	for _, p := range c.Pieces[:len(c.Pieces)-1] {
		at += p.To - p.From
		if best == 0 || abs(at-half) < abs(best-half) {
			best = at
		}
	}
	return best
}

func abs(n int) int { return max(n, -n) }

func choose(tried []attempt) attempt {
	best := tried[0]
	for _, a := range tried[1:] {
		switch {
		case best.trouble == "":
		case a.trouble == "",
			best.trouble == ReasonLoop && a.trouble != ReasonLoop,
			(best.trouble == ReasonLoop) == (a.trouble == ReasonLoop) && len(a.words) > 0 && a.logp > best.logp:
			best = a
		}
	}
	return best
}

// speechIn is how long the detector hears speech in a chunk; loudOnly when it hears none.
func (c Chunk) speechIn() (secs float64, loudOnly bool) {
	for _, s := range c.Speech {
		if !s.Loud {
			secs += seconds(s.To - s.From)
		}
	}
	return secs, secs == 0
}

// settle places the words of the chosen attempt in the recording and strikes what the guards reject. Struck text is kept,
// with the reason, so that a person can bring it back.
func (r *run) settle(c Chunk, a attempt) ChunkResult {
	from, to := c.Span()
	res := ChunkResult{
		Index: c.Index, Settings: r.hash, Start: round3(seconds(from)), End: round3(seconds(to)),
		NoSpeechProb: round4(a.noSpeech), AvgLogProb: round4(a.logp), Words: []Word{},
	}
	why := verdicts(a, func(w rawWord) float64 {
		return c.voiced(c.At(w.start, false), c.At(w.until, true))
	})
	strikeNoise(c, a.words, why)
	var struck []Word
	strike := func(reason string) {
		if len(struck) > 0 {
			res.Struck = append(res.Struck, Span{
				Start: struck[0].Start, End: max(struck[0].End, struck[len(struck)-1].End), Kind: SpanStruck,
				Reason: reason, Text: joinWords(struck),
			})
		}
		struck = nil
	}
	for i, raw := range a.words {
		w := place(raw, c)
		w.Confidence = round4(r.confidence(a.words, i))
		if i > 0 && why[i] != why[i-1] {
			strike(why[i-1])
		}
		if why[i] == "" {
			res.Words = append(res.Words, w)
			res.Doubts = addDoubts(res.Doubts, res.Words, raw.doubts)
		} else {
			struck = append(struck, w)
		}
	}
	if n := len(why); n > 0 {
		strike(why[n-1])
	}
	pullBack(res.Words)
	spread(res.Words)
	reach(res.Words, c.Speech)
	separate(res.Words)
	return res
}

// voiced is how many seconds of speech the detector hears between two moments.
func (c Chunk) voiced(start, end float64) (length float64) {
	for _, s := range c.Speech {
		if lo, hi := max(start, seconds(s.From)), min(end, seconds(s.To)); hi > lo && !s.Loud {
			length += hi - lo
		}
	}
	return length
}

// verdicts gives each word the reason to strike it, or "".
func verdicts(a attempt, speechUnder func(rawWord) float64) []string {
	why := make([]string, len(a.words))
	if a.overNoise() {
		for i := range why {
			why[i] = ReasonNonSpeech
		}
		return why
	}
	for i, note := range soundNotes(a.words) {
		if note {
			why[i] = ReasonNonSpeech
		}
	}
	for i, recited := range leaked(normals(a.words), a.shown) {
		if recited {
			why[i] = ReasonPrompt
		}
	}
	strikeLoops(a, why)
	strikePhantoms(a.words, why, speechUnder)
	return why
}

func strikeLoops(a attempt, why []string) {
	words := normals(a.words)
	for at := 0; at < len(words); {
		from, to, ok := findLoop(words[at:])
		if !ok {
			return
		}
		for i := at + from; i < at+to; i++ {
			why[i] = ReasonLoop
		}
		at += to
	}
}

func strikePhantoms(words []rawWord, why []string, speechUnder func(rawWord) float64) {
	for from, i := 0, 0; i < len(words); i++ {
		if i+1 < len(words) && !strings.ContainsAny(words[i].text[len(words[i].text)-1:], ".?!") {
			continue
		}
		under := 0.0
		for _, w := range words[from : i+1] {
			under += speechUnder(w)
		}
		if isPhantom(words[from:i+1], under) {
			for j := from; j <= i; j++ {
				if why[j] == "" {
					why[j] = ReasonPhantom
				}
			}
		}
		from = i + 1
	}
}
