package notes

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Sentence is one sentence of a section with where it comes from.
type Sentence struct {
	Text   string   `json:"text"`
	From   int      `json:"from"`             // byte offsets in the section's text
	To     int      `json:"to"`               //
	Start  float64  `json:"start"`            // span of the recording, both 0 when nothing was spoken
	End    float64  `json:"end"`              //
	Spans  []Span   `json:"spans,omitempty"`  // the stretches of the recording, where the sentence was put together
	People []string `json:"people,omitempty"` // ids of the people who wrote part of it
}

// Span is a stretch of the recording in seconds.
type Span struct {
	Start float64 `json:"start"`
	End   float64 `json:"end"`
}

// spanGap is the longest pause, in seconds, inside one span of a sentence.
const spanGap = 3.0

// Sentences splits a section into sentences, each with its audio and its people.
func Sentences(s Section) []Sentence {
	text := s.Text()
	var out []Sentence
	for _, b := range sentenceBounds(text) {
		sentence := Origin(s, b[0], b[1])
		sentence.Text = text[b[0]:b[1]]
		out = append(out, sentence)
	}
	return out
}

// Origin says where the bytes from, up to but not including to, of a section's text come from.
func Origin(s Section, from, to int) Sentence {
	out := Sentence{From: from, To: to}
	at := 0
	for _, r := range s.Runs {
		begin, end := at, at+len(r.Text)
		at = end
		if end <= from || begin >= to || strings.TrimSpace(r.Text[max(0, from-begin):min(len(r.Text), to-begin)]) == "" {
			continue
		}
		switch r.Source.Kind {
		case FromSpeech, FromBlank:
			out.Spans = append(out.Spans, Span{r.Source.Start, r.Source.End})
		case FromBlock:
			out.Spans = append(out.Spans, Span{r.Source.Start, r.Source.End})
			fallthrough
		case FromPerson:
			if !slices.Contains(out.People, r.Source.By) {
				out.People = append(out.People, r.Source.By)
			}
		}
	}
	out.Spans = joinSpans(out.Spans)
	if len(out.Spans) > 0 {
		out.Start, out.End = out.Spans[0].Start, out.Spans[len(out.Spans)-1].End
	}
	return out
}

func joinSpans(spans []Span) []Span {
	slices.SortFunc(spans, func(a, b Span) int {
		switch {
		case a.Start < b.Start:
			return -1
		case a.Start > b.Start:
			return 1
		}
		return 0
	})
	var out []Span
	for _, s := range spans {
		if n := len(out); n > 0 && s.Start <= out[n-1].End+spanGap {
			out[n-1].End = max(out[n-1].End, s.End)
			continue
		}
		out = append(out, s)
	}
	return out
}

// titles are abbreviations whose point does not end a sentence.
var titles = wordSet("dr mr mrs ms st vs no approx e.g i.e prof jr sr")

// sentenceBounds finds the sentences of a text as byte offsets, white space at their ends left out.
func sentenceBounds(text string) [][2]int {
	var out [][2]int
	start := 0
	cut := func(end int) {
		from, to := start, end
		for from < to && isSpaceAt(text, from) {
			from++
		}
		for to > from && isSpaceAt(text, to-1) {
			to--
		}
		if to > from {
			out = append(out, [2]int{from, to})
		}
		start = end
	}
	for i := range len(text) {
		switch text[i] {
		case '\n':
			cut(i + 1)
		case '.', '?', '!':
			end := i + 1
			for end < len(text) && strings.IndexByte(`"')]`, text[end]) >= 0 {
				end++
			}
			if (end == len(text) || isSpaceAt(text, end)) && !abbreviation(text[start:i]) {
				cut(end)
			}
		}
	}
	cut(len(text))
	return out
}

func isSpaceAt(text string, i int) bool {
	return text[i] == ' ' || text[i] == '\n' || text[i] == '\t'
}

// abbreviation says that a point after this text is part of a title, an initial or a list number.
func abbreviation(before string) bool {
	word := before[strings.LastIndexAny(before, " \n\t(")+1:]
	if titles[strings.ToLower(word)] {
		return true
	}
	r, size := utf8.DecodeRuneInString(word)
	if size == len(word) && size > 0 && unicode.IsUpper(r) && r != 'I' {
		return true
	}
	return strings.TrimSpace(before) == word && word != "" && strings.Trim(word, "0123456789") == ""
}

func wordSet(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}
