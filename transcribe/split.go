package transcribe

import (
	"math"

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
	softReach       = 31             // frames (1 s) above speechOff, before it begins, that speech takes with it
	padSamples      = audio.Rate / 4 // of real pause kept on each side of speech
	guardRun        = 10             // frames (0.32 s): loud stretches at least this long are heard even if the detector says "no speech"
	guardAboveFloor = 12.0           // dB over the noise floor that counts as loud
	floorFrames     = 8              // frames (0.26 s) whose mean is the noise floor where it is lowest
	quietest        = -70.0          // dBFS; below it nothing counts as loud
	digitalSilence  = -90.0          // dBFS; below it the detector is not asked
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
	Speech  []Region // the speech in the pieces
	Overlap bool     // the cut before it went through speech, so it repeats the end of the chunk before
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
	k := NewSplitter(chunkSeconds)
	chunks := k.Add(probs, loudness, loudFrom(loudness))
	chunks = append(chunks, k.End(samples)...)
	return Plan{Samples: samples, Speech: k.Speech(), Chunks: chunks}
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
