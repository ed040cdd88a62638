package notes

import (
	"math"
	"regexp"
	"strings"
	"unicode"

	"vesper/transcribe"
)

// token is a word of the transcript with the engine's marks taken off.
type token struct {
	word       int    // place of its word in the transcript
	raw        string // as the engine wrote it
	lead       string // opening marks before the word
	core       string // the word
	trail      string // closing marks after it, in the order written
	key        string // the word for comparison: lower case, without dots and apostrophes
	start, end float64
	confidence float64
	pause      float64 // silence before it, in seconds
}

const (
	openingMarks = `("“[‘`
	closingMarks = `.,;:?!)"”]’…`
	allMarks     = `.,;:?!()"“”[]‘’…` // of both, each once
	sentenceEnds = ".?!"
)

// tokensOf reads the words of a transcript. A word with a space inside ("period. #2") becomes several tokens, and so does one
// that the engine joined to the mark behind it ("Non-period."). Times that are out of order or not numbers are put right, so
// that everything after this can rely on them.
func tokensOf(words []transcribe.Word) []token {
	out := make([]token, 0, len(words))
	last := 0.0
	for i, w := range words {
		parts := strings.Fields(joinedMark.ReplaceAllString(NormalizeText(w.Text), "$1 $2"))
		if len(parts) == 0 {
			parts = []string{""}
		}
		start := max(finite(w.Start), 0)
		end := max(finite(w.End), start)
		for _, p := range parts {
			t := split(p)
			t.word, t.confidence, t.start, t.end = i, finite(w.Confidence), start, end
			if len(out) > 0 {
				t.pause = max(0, t.start-last)
			}
			out = append(out, t)
			last = max(last, t.end)
		}
	}
	return out
}

// joinedMark is a word, a hyphen and a dictated mark.
var joinedMark = regexp.MustCompile(`^(\pL{2,})-((?i:period|comma)[.,;:?!]*)$`)

func finite(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return v
}

// dots are the engine's "it goes on", which is no mark.
var dots = strings.NewReplacer("...", "", "…", "")

// split takes the marks off a word. The points of abbreviations ("b.i.d.", "Dr.") and of numbers stay with the word.
func split(raw string) token {
	t := token{raw: raw}
	rest := strings.TrimLeft(raw, openingMarks)
	t.lead = raw[:len(raw)-len(rest)]
	t.core = strings.TrimRight(rest, closingMarks)
	t.trail = dots.Replace(rest[len(t.core):])
	if strings.HasPrefix(t.trail, ".") && pointBelongs(t.core) {
		t.core, t.trail = t.core+".", t.trail[1:]
	}
	if raw != "" && strings.Trim(raw, ".,;:?!") == "" { // a mark that the engine wrote apart from its word
		return token{raw: raw, trail: raw[:1]}
	}
	if !hasWord(t.core) {
		t.lead, t.core, t.trail = "", raw, ""
	}
	t.key = keyOf(t.core)
	return t
}

// pointBelongs says that the point after a word is part of an abbreviation.
func pointBelongs(core string) bool {
	if titles[strings.ToLower(core)] && strings.ToLower(core) != "no" {
		return true
	}
	return len(core) > 2 && strings.Contains(core, ".") && strings.IndexFunc(core, unicode.IsDigit) < 0 && len(strings.Trim(core, "."))-strings.Count(core, ".")*2 <= 1
}

func hasWord(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) >= 0
}

// keyOf is a word for comparison.
func keyOf(core string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '.', '\'', '’', '"':
			return -1
		}
		return unicode.ToLower(r)
	}, core)
}

// mark is the engine's punctuation after the token, without closing brackets and quotes.
func (t token) mark() string { return strings.Trim(t.trail, `)"”]’`) }

// endsSentence says that the engine ended a sentence after the token.
func (t token) endsSentence() bool { return strings.ContainsAny(t.trail, sentenceEnds) }
