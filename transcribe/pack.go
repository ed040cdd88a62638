package transcribe

import (
	"math"

	"vesper/transcribe/audio"
)

// Splitter cuts a recording into chunks while it is still arriving. A chunk comes out as soon as nothing that follows can
// change it, so the chunks are the same however the frames came. It keeps 8 bytes for each frame.
type Splitter struct {
	find            *finder
	limit           int
	probs, loudness []float32
	taken           int // stretches of find that are in the pieces
	tail            Piece
	hasTail         bool

	open    []Piece // of the chunk that is being filled
	used    int
	overlap bool
	made    int
	out     []Chunk
}

// NewSplitter makes chunks of at most so many seconds.
func NewSplitter(chunkSeconds float64) *Splitter {
	return &Splitter{find: newFinder(), limit: int(chunkSeconds * audio.Rate)}
}

// Add takes the next frames, loudFrom being the level in dBFS from which they stand out of the noise, and returns the
// chunks that are now certain.
func (k *Splitter) Add(probs, loudness []float32, loudFrom float32) []Chunk {
	n := min(len(probs), len(loudness))
	k.probs, k.loudness = append(k.probs, probs[:n]...), append(k.loudness, loudness[:n]...)
	for i := range n {
		k.find.add(probs[i], loudness[i] >= loudFrom)
		k.step(math.MaxInt)
	}
	return k.hand()
}

// End says that the recording has so many samples and returns the last chunks.
func (k *Splitter) End(samples int) []Chunk {
	k.find.end()
	for i := range k.find.found {
		r := &k.find.found[i]
		r.From, r.To = min(r.From, samples), min(r.To, samples)
	}
	k.step(samples)
	if k.hasTail {
		k.tail.To = min(k.tail.To, samples)
		k.grow(true, k.tail.To)
	}
	k.close(false)
	return k.hand()
}

// Speech returns the stretches found, sorted. They are complete after End.
func (k *Splitter) Speech() []Region { return k.find.found }

// Frames is how many frames were taken.
func (k *Splitter) Frames() int { return k.find.seen }

func (k *Splitter) hand() []Chunk {
	out := k.out
	k.out = nil
	return out
}

// step takes what the finder found, widened by a little real pause, into pieces; those that touch are one.
func (k *Splitter) step(samples int) {
	for ; k.taken < len(k.find.found); k.taken++ {
		k.touch(k.find.found[k.taken], padSamples, samples)
	}
	r, is, nothingBefore := k.find.open()
	switch {
	case is:
		k.touch(r, 0, samples)
		k.grow(false, min(k.tail.To, (k.find.seen-1)*FrameSamples))
	case k.hasTail && nothingBefore-padSamples > k.tail.To:
		k.grow(true, k.tail.To)
	}
}

// touch joins a stretch to the last piece or makes it a new one.
func (k *Splitter) touch(r Region, after, samples int) {
	p := Piece{max(0, r.From-padSamples), min(samples, r.To+after)}
	switch {
	case k.hasTail && p.From <= k.tail.To:
		k.tail.To = max(k.tail.To, p.To)
		return
	case k.hasTail:
		k.grow(true, k.tail.To)
	}
	k.tail, k.hasTail = p, p.From < p.To
}

// grow fills the open chunk with the last piece, as far as what is certain of it decides what happens.
func (k *Splitter) grow(final bool, certain int) {
	p := &k.tail
	if k.used+certain-p.From > k.limit && k.used > 0 {
		k.close(false)
	}
	for k.used+certain-p.From > k.limit {
		at, running := k.quietestCut(p.From, k.limit-overlapSamples)
		lap := 0
		if running {
			lap = overlapSamples
		}
		k.push(Piece{p.From, at + lap})
		k.close(running)
		p.From = at - lap
	}
	if final {
		k.push(*p)
		k.hasTail = false
	}
}

func (k *Splitter) push(p Piece) {
	k.open = append(k.open, p)
	k.used += p.To - p.From
}

// close ends the open chunk; running says that the cut goes through speech.
func (k *Splitter) close(running bool) {
	if len(k.open) > 0 {
		c := Chunk{Index: k.made, Pieces: k.open, Overlap: k.overlap}
		c.Speech = within(k.speechSoFar(), c.Pieces)
		k.out = append(k.out, c)
		k.made++
	}
	k.open, k.used, k.overlap = nil, 0, running
}

func (k *Splitter) speechSoFar() []Region {
	from := k.open[0].From
	first := len(k.find.found)
	for first > 0 && k.find.found[first-1].To > from {
		first--
	}
	out := append([]Region(nil), k.find.found[first:]...)
	if r, is, _ := k.find.open(); is {
		out = append(out, r)
	}
	return out
}

// within clips stretches to pieces.
func within(speech []Region, pieces []Piece) []Region {
	var out []Region
	for _, r := range speech {
		for _, p := range pieces {
			if lo, hi := max(r.From, p.From), min(r.To, p.To); lo < hi {
				out = append(out, Region{lo, hi, r.Loud})
			}
		}
	}
	return out
}

// quietestCut looks in the second half of the window for the frame with the least speech around it; loudness breaks ties.
func (k *Splitter) quietestCut(from, window int) (at int, running bool) {
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
