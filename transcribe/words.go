package transcribe

import (
	"math"
	"strings"
	"unicode"

	"vesper/transcribe/audio"
)

// rawWord is a word in chunk time, before it is placed in the recording.
type rawWord struct {
	text       string
	after      float64 // end of the spoken token before it; punctuation and a pause may lie between
	start, end float64 // of its spoken part; seconds of the chunk
	until      float64 // end with trailing punctuation, which may be spoken ("period")
	p, logp    float64 // lowest token probability; mean log probability
	around     float64 // mean log probability of the segment it was heard in
	from, to   int     // its tokens
	doubts     []risky // about it
}

// assembleWords joins tokens into words. A token that begins with a space begins a word; a token without letters or digits
// (punctuation) belongs to the word before. A token starts where the one before it ends.
func assembleWords(tokens []Token, seconds float64) []rawWord {
	ends := tokenEnds(tokens, seconds)
	var out []rawWord
	var text []byte
	var lowest, lowestSpoken, sum float64
	var count int
	var w rawWord
	flush := func() {
		w.text = strings.TrimSpace(strings.ToValidUTF8(string(text), "\uFFFD"))
		if w.text != "" {
			w.p, w.logp = lowestSpoken, sum/float64(count)
			if lowestSpoken > 1 { // punctuation only
				w.p = lowest
			}
			out = append(out, w)
		}
		text = nil
	}
	at, after := 0.0, 0.0 // ends of the last token, and of the last spoken one
	for i, t := range tokens {
		spoken := isSpoken(t.Text)
		if len(text) == 0 || startsWord(t.Text) && (spoken || len(strings.TrimSpace(string(t.Text))) > 1) {
			flush()
			w, lowest, lowestSpoken, sum, count = rawWord{after: after, start: at, end: ends[i], from: i}, 2, 2, 0, 0
		}
		text = append(text, t.Text...)
		lowest, sum, count = min(lowest, math.Exp(t.LogP)), sum+t.LogP, count+1
		if spoken {
			if lowestSpoken > 1 {
				w.start, w.after = at, after
			}
			lowestSpoken, w.end, after = min(lowestSpoken, math.Exp(t.LogP)), ends[i], ends[i]
		}
		at = ends[i]
		w.until, w.to = at, i+1
	}
	flush()
	return out
}

func startsWord(b []byte) bool { return len(b) > 0 && b[0] == ' ' }

// isSpoken says whether a token carries sound of its own. Bytes of a split character count as spoken.
func isSpoken(b []byte) bool {
	for _, r := range string(b) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == unicode.ReplacementChar || strings.ContainsRune("%$°+=/&@", r) {
			return true
		}
	}
	return false
}

// tokenEnds returns monotonic end times. Where the engine gives none they are spread over the chunk by length of text.
func tokenEnds(tokens []Token, seconds float64) []float64 {
	ends := make([]float64, len(tokens))
	total, sofar, floor := 0, 0, 0.0
	for _, t := range tokens {
		total += len(t.Text)
	}
	for i, t := range tokens {
		sofar += len(t.Text)
		e := t.End
		if e < 0 || math.IsNaN(e) {
			e = seconds * float64(sofar) / float64(max(1, total))
		}
		floor = max(floor, min(e, seconds))
		ends[i] = floor
	}
	return ends
}

const (
	minOverlap = 0.04 // s of speech under a word that shows where it was spoken
	shortest   = 0.04 // s; no word is shorter
)

// place puts a word into the recording and trims it to the speech under it. Alignment gives good ends, but gives a pause
// before a word sometimes to the punctuation there and sometimes to the word; so where there is a pause, the last stretch
// of speech up to the word's end is where it was spoken.
func place(w rawWord, c Chunk) Word {
	speech := c.Speech
	start, end := c.At(w.start, false), c.At(w.end, true)
	end = max(end, start)
	if after := c.At(w.after, false); hasPause(after, end, speech) {
		start = after
	}
	if s, e, ok := underSpeech(start, end, speech); ok {
		start, end = s, e
	}
	start = max(start, end-longestFor(w.text))
	if end-start < shortest {
		end = start + shortest
	}
	return Word{Text: w.text, Start: round3(start), End: round3(end)}
}

// hasPause says that speech stops and begins again between two moments.
func hasPause(from, to float64, speech []Region) bool {
	for i := 1; i < len(speech); i++ {
		if a, b := seconds(speech[i-1].To), seconds(speech[i].From); a < to && b > from && b > a && b < to {
			return true
		}
	}
	return false
}

// spread shares the time of two words that follow each other when one of them has next to nothing, or would once the other
// has begun.
func spread(words []Word) {
	const tiny, touching = 0.08, 0.05 // s
	for i := 1; i < len(words); i++ {
		a, b := &words[i-1], &words[i]
		short := b.End-b.Start < tiny || min(a.End, b.Start)-a.Start < tiny
		if !short || b.Start-a.End > touching || b.End-a.Start < 2*shortest {
			continue
		}
		la, lb := float64(len(a.Text)), float64(len(b.Text))
		cut := round3(a.Start + (b.End-a.Start)*la/(la+lb))
		a.End, b.Start = cut, cut
	}
}

func underSpeech(start, end float64, speech []Region) (float64, float64, bool) {
	bestLen, s0, e0 := 0.0, 0.0, 0.0
	for _, r := range speech {
		s, e := max(start, seconds(r.From)), min(end, seconds(r.To))
		if n := e - s; n > 0 && (n >= minOverlap || n > bestLen) {
			bestLen, s0, e0 = max(n, bestLen), s, e
		}
	}
	return s0, e0, bestLen > 0
}

// longestFor is the longest time, in seconds, that saying a word plausibly takes; figures are long when spoken.
func longestFor(text string) float64 {
	letters, digits := 0, 0
	for _, r := range text {
		switch {
		case unicode.IsDigit(r):
			digits++
		case unicode.IsLetter(r):
			letters++
		}
	}
	return 0.6 + 0.11*float64(letters) + 0.6*float64(digits)
}

func seconds(samples int) float64 { return float64(samples) / audio.Rate }

func round3(v float64) float64 { return math.Round(v*1e3) / 1e3 }
func round4(v float64) float64 { return math.Round(v*1e4) / 1e4 }

// normal is a word for comparison: lower case, letters and digits only.
func normal(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, text)
}

// joinWords is the text of words, joined by single spaces.
func joinWords(words []Word) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(w.Text)
	}
	return b.String()
}

const lastReach = 0.5 // s by which alignment may end the last word before a pause too early

// reach lets the last word before a pause last until speech ends: alignment ends it when the model has understood it.
func reach(words []Word, speech []Region) {
	for i := range words {
		w := &words[i]
		for _, r := range speech {
			from, to := round3(seconds(r.From)), round3(seconds(r.To))
			last := i+1 == len(words) || words[i+1].Start >= to
			if last && w.End > from && w.End < to && to-w.End <= lastReach {
				w.End = to
			}
		}
	}
}

// separate gives each word a moment of its own, in order.
func separate(words []Word) {
	for i := range words {
		w := &words[i]
		if i > 0 {
			before := &words[i-1]
			w.Start = max(w.Start, round3(before.Start+shortest))
			before.End = min(before.End, w.Start)
		}
		w.End = max(w.End, round3(w.Start+shortest))
	}
}
