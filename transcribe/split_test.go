package transcribe

import (
	"testing"

	"pgregory.net/rapid"

	"vesper/transcribe/audio"
)

// drawFrames makes probabilities and loudness with stretches of speech, noise and silence of any length.
func drawFrames(t *rapid.T) (probs, loudness []float32) {
	for range rapid.IntRange(0, 25).Draw(t, "stretches") {
		n := rapid.IntRange(1, 400).Draw(t, "frames")
		p := rapid.Float32Range(0, 1).Draw(t, "speech")
		db := rapid.Float32Range(-120, 0).Draw(t, "loudness")
		for i := range n {
			wobble := float32(i%7) / 50
			probs, loudness = append(probs, min(1, p+wobble)), append(loudness, db+wobble)
		}
	}
	return probs, loudness
}

func TestEverySpeechFrameIsInAChunkAndNoChunkIsTooLong(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		probs, loudness := drawFrames(t)
		samples := max(0, len(probs)*FrameSamples-rapid.IntRange(0, FrameSamples-1).Draw(t, "cut"))
		limit := rapid.Float64Range(minChunkSeconds, maxChunkSeconds).Draw(t, "limit")
		p := Split(samples, probs, loudness, limit)
		inChunk := make([]int, samples+1)
		end := 0
		for i, c := range p.Chunks {
			if c.Index != i || len(c.Pieces) == 0 || c.Samples() > int(limit*audio.Rate) {
				t.Fatalf("chunk %d: %+v of %d samples", i, c, c.Samples())
			}
			for j, q := range c.Pieces {
				if q.From >= q.To || q.From < 0 || q.To > samples || q.From < end && (j > 0 || !c.Overlap) {
					t.Fatalf("piece %+v after %d in chunk %+v", q, end, c)
				}
				end = q.To
				for s := q.From; s < q.To; s++ {
					inChunk[s]++
				}
			}
		}
		for _, r := range p.Speech {
			for s := r.From; s < r.To; s++ {
				if inChunk[s] == 0 {
					t.Fatalf("speech at sample %d is in no chunk", s)
				}
			}
		}
		for i, pr := range probs { // hysteresis and the shortest stretch may drop single frames, not runs
			if i >= minSpeech && pr >= speechOn && probs[i-1] >= speechOn && probs[i-2] >= speechOn && i*FrameSamples < samples && inChunk[i*FrameSamples] == 0 {
				t.Fatalf("frame %d is speech at %.2f and in no chunk", i, pr)
			}
		}
	})
}

func constant(n int, v float32) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = v
	}
	return out
}

func TestLongPausesAreLeftOutAndTimesStillPointIntoTheRecording(t *testing.T) {
	t.Parallel()
	probs, loudness := constant(1000, 0), constant(1000, -60)
	for _, at := range []int{100, 700} { // speech of 100 frames at 3.2 s and at 22.4 s
		for i := at; i < at+100; i++ {
			probs[i], loudness[i] = 0.9, -20
		}
	}
	p := Split(1000*FrameSamples, probs, loudness, maxChunkSeconds)
	if len(p.Chunks) != 1 || len(p.Chunks[0].Pieces) != 2 {
		t.Fatalf("%+v", p.Chunks)
	}
	c := p.Chunks[0]
	if got := seconds(c.Samples()); got != 2*(3.2+0.5) {
		t.Errorf("%.2f s go to the engine", got)
	}
	for second, want := range map[float64]float64{0: 2.95, 1: 3.95, 3.8: 22.25, 7.4: 25.85, 99: 25.85} {
		if got := c.At(second, false); got != want {
			t.Errorf("second %v of the chunk is %v of the recording, want %v", second, got, want)
		}
	}
	if start, end := c.At(3.7, false), c.At(3.7, true); start != 22.15 || end != 6.65 {
		t.Errorf("at the seam a start is %v and an end is %v", start, end)
	}
}

func TestSpeechWithoutPausesIsCutWhereItIsQuietest(t *testing.T) {
	t.Parallel()
	n := 60 * audio.Rate / FrameSamples
	probs, loudness := constant(n, 0.95), constant(n, -20)
	for i := 700; i < 707; i++ { // a breath, too short to be a pause
		probs[i], loudness[i] = 0.1, -50
	}
	p := Split(n*FrameSamples, probs, loudness, maxChunkSeconds)
	if at := p.Chunks[0].Pieces[0].To; at != 703*FrameSamples || p.Chunks[1].Overlap {
		t.Errorf("first cut at %.2f s, overlap %v", seconds(at), p.Chunks[1].Overlap)
	}
	if len(p.Chunks) != 3 || !p.Chunks[2].Overlap || p.Chunks[1].Pieces[0].To-p.Chunks[2].Pieces[0].From != 2*overlapSamples {
		t.Errorf("a cut through running speech: %+v", p.Chunks)
	}
}

func TestAVoiceThatTheDetectorMissesIsHeardByItsLoudness(t *testing.T) {
	t.Parallel()
	probs, loudness := constant(500, 0.1), constant(500, -62)
	for i := 200; i < 240; i++ {
		loudness[i] = -45
	}
	p := Split(500*FrameSamples, probs, loudness, maxChunkSeconds)
	if len(p.Speech) != 1 || !p.Speech[0].Loud || p.Speech[0].From != 200*FrameSamples {
		t.Fatalf("%+v", p.Speech)
	}
	if p := Split(500*FrameSamples, probs, constant(500, -20), maxChunkSeconds); len(p.Speech) > 0 {
		t.Fatalf("steady noise is taken for speech: %+v", p.Speech)
	}
}
