package transcribe

import (
	"math"
	"slices"

	"vesper/transcribe/audio"
)

// The figures of splitting. They come from measurements on spoken dictations; see docs.
const (
	maxChunkSeconds = 28.0 // of 30 s that the model sees; fuller windows gave fewer errors than short ones
	minChunkSeconds = 4.0
	speechOn        = 0.5            // probability at which speech begins
	speechOff       = 0.35           // and below which it ends
	minPause        = 10             // frames (0.32 s) below speechOff that end a stretch of speech
	minSpeech       = 3              // frames (0.1 s); shorter is a click
	padSamples      = audio.Rate / 4 // of real pause kept on each side of speech
	guardRun        = 10             // frames (0.32 s): loud stretches at least this long are heard even if the detector says "no speech"
	guardAboveFloor = 12.0           // dB over the noise floor that counts as loud
	quietest        = -55.0          // dBFS; below it nothing counts as loud
	digitalSilence  = -75.0          // dBFS; below it the detector is not asked
	cutSmooth       = 3              // frames on each side when looking for the quietest point
	overlapSamples  = audio.Rate / 2 // on each side of a cut through running speech
)

// Region is a stretch of the recording, in samples. Loud says that only its energy, not the detector, speaks for speech.
type Region struct {
	From, To int
	Loud     bool
}

// Piece is a stretch of the recording that goes into a chunk.
type Piece struct{ From, To int }

// Chunk is what is decoded in one call: pieces of the recording with the long pauses between them left out.
type Chunk struct {
	Index   int
	Pieces  []Piece
	Overlap bool // the cut before it went through speech, so it repeats the end of the chunk before
}

// Plan is how a recording is cut. Speech regions are sorted and do not overlap; chunks are in order.
type Plan struct {
	Samples int
	Speech  []Region
	Chunks  []Chunk
}

// Split finds the speech and packs it into chunks that are cut in pauses. probs and loudness (dBFS) hold one value per
// frame. Speech that runs on for longer than a chunk is cut at its quietest point.
func Split(samples int, probs, loudness []float32, chunkSeconds float64) Plan {
	speech := findSpeech(probs, loudness, samples)
	p := Plan{Samples: samples, Speech: speech}
	var pk packer
	pk.limit = int(chunkSeconds * audio.Rate)
	pk.probs, pk.loudness = probs, loudness
	for _, piece := range padded(speech, samples) {
		pk.add(piece)
	}
	pk.close(false)
	p.Chunks = pk.chunks
	return p
}

// findSpeech is the detector's view with hysteresis, plus loud stretches that it missed.
func findSpeech(probs, loudness []float32, samples int) []Region {
	n := min(len(probs), len(loudness))
	heard := make([]bool, n)
	var out []Region
	for _, r := range hysteresis(probs[:n]) {
		out = append(out, Region{From: r[0] * FrameSamples, To: min(r[1]*FrameSamples, samples)})
		for i := r[0]; i < r[1]; i++ {
			heard[i] = true
		}
	}
	for _, r := range loudRuns(loudness[:n], heard) {
		out = append(out, Region{From: r[0] * FrameSamples, To: min(r[1]*FrameSamples, samples), Loud: true})
	}
	out = slices.DeleteFunc(out, func(r Region) bool { return r.From >= r.To })
	slices.SortFunc(out, func(a, b Region) int { return a.From - b.From })
	return out
}

func hysteresis(probs []float32) [][2]int {
	var out [][2]int
	start, last := -1, -1 // of the open region: its first frame, and its last frame above speechOff
	for i, p := range probs {
		switch {
		case start < 0 && p >= speechOn:
			start, last = i, i
			for start > 0 && probs[start-1] >= speechOff && (len(out) == 0 || start > out[len(out)-1][1]) {
				start--
			}
		case start >= 0 && p >= speechOff:
			last = i
		case start >= 0 && i-last >= minPause:
			out, start = appendRegion(out, start, last+1), -1
		}
	}
	if start >= 0 {
		out = appendRegion(out, start, last+1)
	}
	return out
}

func appendRegion(out [][2]int, from, to int) [][2]int {
	if to-from < minSpeech {
		return out
	}
	return append(out, [2]int{from, to})
}

// loudRuns finds stretches well above the noise floor that the detector did not call speech: it loses quiet or distant
// voices, and a lost sentence is worse than a wasted decode.
func loudRuns(loudness []float32, heard []bool) [][2]int {
	bar := max(noiseFloor(loudness)+guardAboveFloor, quietest)
	var out [][2]int
	start, last := -1, -1
	end := func() {
		if start >= 0 && last+1-start >= guardRun {
			out = append(out, [2]int{start, last + 1})
		}
		start = -1
	}
	for i, db := range loudness {
		switch loud := float64(db) >= bar; {
		case heard[i]:
			end()
		case loud && start < 0:
			start, last = i, i
		case loud:
			last = i
		case start >= 0 && i-last > cutSmooth:
			end()
		}
	}
	end()
	return out
}

// noiseFloor is the tenth percentile of the loudness of all frames that are not digital silence.
func noiseFloor(loudness []float32) float64 {
	var audible []float32
	for _, db := range loudness {
		if db > digitalSilence {
			audible = append(audible, db)
		}
	}
	if len(audible) == 0 {
		return 0
	}
	slices.Sort(audible)
	return float64(audible[len(audible)/10])
}

// padded widens the speech by a little real pause and joins what then touches.
func padded(speech []Region, samples int) []Piece {
	var out []Piece
	for _, r := range speech {
		p := Piece{max(0, r.From-padSamples), min(samples, r.To+padSamples)}
		if n := len(out); n > 0 && p.From <= out[n-1].To {
			out[n-1].To = max(out[n-1].To, p.To)
			continue
		}
		out = append(out, p)
	}
	return out
}

// packer fills chunks with pieces.
type packer struct {
	limit           int
	probs, loudness []float32
	chunks          []Chunk
	open            []Piece
	used            int
	overlap         bool // of the open chunk
}

func (k *packer) add(p Piece) {
	if k.used+p.To-p.From > k.limit && k.used > 0 {
		k.close(false)
	}
	for k.used+p.To-p.From > k.limit {
		at, running := k.quietestCut(p.From, k.limit-overlapSamples)
		lap := 0
		if running {
			lap = overlapSamples
		}
		k.push(Piece{p.From, at + lap})
		k.close(running)
		p.From = at - lap
	}
	k.push(p)
}

func (k *packer) push(p Piece) {
	k.open = append(k.open, p)
	k.used += p.To - p.From
}

// close ends the open chunk; running says that the cut goes through speech.
func (k *packer) close(running bool) {
	if len(k.open) > 0 {
		k.chunks = append(k.chunks, Chunk{Index: len(k.chunks), Pieces: k.open, Overlap: k.overlap})
	}
	k.open, k.used, k.overlap = nil, 0, running
}

// quietestCut looks in the second half of the window for the frame with the least speech around it; loudness breaks ties.
func (k *packer) quietestCut(from, window int) (at int, running bool) {
	lo, hi := (from+window/2)/FrameSamples+1, (from+window)/FrameSamples
	best, bestScore := hi, math.Inf(1)
	for i := lo; i < min(hi, len(k.probs)); i++ {
		if s := mean(k.probs, i) + (mean(k.loudness, i)+100)/1000; s < bestScore {
			best, bestScore = i, s
		}
	}
	running = best >= len(k.probs) || mean(k.probs, best) > speechOff
	return best * FrameSamples, running
}

func mean(v []float32, at int) float64 {
	lo, hi := max(0, at-cutSmooth), min(len(v), at+cutSmooth+1)
	if lo >= hi {
		return 0
	}
	var sum float64
	for _, x := range v[lo:hi] {
		sum += float64(x)
	}
	return sum / float64(hi-lo)
}

// Samples is the length of the chunk as decoded.
func (c Chunk) Samples() int {
	n := 0
	for _, p := range c.Pieces {
		n += p.To - p.From
	}
	return n
}

// Span returns where the chunk lies in the recording, in samples.
func (c Chunk) Span() (from, to int) { return c.Pieces[0].From, c.Pieces[len(c.Pieces)-1].To }

// At maps a second inside the chunk to a second of the recording. A moment on the seam of two pieces belongs to the
// earlier one when ends is true (an end of a word) and to the later one otherwise (a start).
func (c Chunk) At(second float64, ends bool) float64 {
	s := max(0, int(math.Round(second*audio.Rate)))
	for i, p := range c.Pieces {
		n := p.To - p.From
		if s < n || ends && s == n || i == len(c.Pieces)-1 {
			return float64(p.From+min(s, n)) / audio.Rate
		}
		s -= n
	}
	return 0
}
