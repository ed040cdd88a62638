// Package lexicon knows the words of medicine: drugs, diseases, anatomy, procedures and the rest, as data with a source
// and a licence for each file (data/README.md), and finds them by sound. Near answers "listen up or" with lisinopril;
// English says which words are plain English, which no retrieval should touch. Nothing here replaces a word: callers
// propose and verify.
//
//	text ──pieces──▶ words, letters, numbers ──rules──▶ sounds ──weighted edit distance──▶ terms, nearest first
//
// A Lexicon is immutable and safe for concurrent use. With adds an author's, a practice's or a patient's terms without
// copying what is below.
package lexicon

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"sync"
)

// Lexicon is a set of terms. The zero value is empty.
type Lexicon struct {
	layers []*layer // later layers win over earlier ones
}

// layer is one list of terms with everything that is looked up in it.
type layer struct {
	terms   []Term
	byKey   map[string]int32
	words   map[string]struct{}
	entries []entry
	print   string
}

// Default is the lexicon that comes with Vesper, read once.
func Default() *Lexicon { return defaultLexicon() }

var defaultLexicon = sync.OnceValue(func() *Lexicon { return New(embeddedTerms()) })

// New makes a lexicon. Of terms with the same text the one with the greatest weight stays; texts that hold no letter or
// digit are left out.
func New(terms []Term) *Lexicon { return &Lexicon{layers: []*layer{newLayer(terms)}} }

// With is this lexicon and extra terms, which win over known ones of the same text. It costs only what the extra terms
// cost, so that it can be called for each dictation.
func (l *Lexicon) With(extra ...Term) *Lexicon {
	if len(extra) == 0 {
		return l
	}
	return &Lexicon{layers: append(slices.Clip(slices.Clone(l.layers)), newLayer(extra))}
}

func newLayer(terms []Term) *layer {
	l := &layer{byKey: make(map[string]int32, len(terms)), words: make(map[string]struct{}, len(terms)*2)}
	sorted := slices.Clone(terms)
	slices.SortStableFunc(sorted, func(a, b Term) int {
		return cmp.Or(cmp.Compare(keyOf(a.Text), keyOf(b.Text)), cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Text, b.Text))
	})
	for _, t := range sorted {
		key := keyOf(t.Text)
		if _, known := l.byKey[key]; known || len(Sounds(t.Text)) == 0 {
			continue
		}
		t.Weight = min(max(t.Weight, 0), 1)
		l.add(key, t)
	}
	l.print = printOf(l.terms)
	l.pack()
	return l
}

// pack lays the sounds of all entries next to each other: Near reads them in a row.
func (l *layer) pack() {
	n := 0
	for _, e := range l.entries {
		n += len(e.sounds)
	}
	all := make([]uint8, 0, n)
	for i := range l.entries {
		from := len(all)
		all = append(all, l.entries[i].sounds...)
		l.entries[i].sounds = all[from:len(all):len(all)]
	}
	l.entries = slices.Clip(l.entries)
}

func (l *layer) add(key string, t Term) {
	at := int32(len(l.terms))
	l.terms = append(l.terms, t)
	l.byKey[key] = at
	for word := range strings.FieldsSeq(key) {
		l.words[strings.Trim(word, "()[],.;:\"")] = struct{}{}
	}
	seen := map[string]bool{}
	for _, spoken := range append([]string{t.Text}, t.Says...) {
		sounds := Sounds(spoken)
		if len(sounds) == 0 || seen[Spell(sounds)] {
			continue
		}
		seen[Spell(sounds)] = true
		l.entries = append(l.entries, newEntry(at, spoken, sounds))
	}
}

// Find looks a text up: exactly but for case, hyphens, plural and possessive.
func (l *Lexicon) Find(text string) (Term, bool) {
	for _, form := range forms(keyOf(text)) {
		if t, ok := l.exact(form); ok {
			return t, true
		}
	}
	return Term{}, false
}

// exact looks up one form.
func (l *Lexicon) exact(text string) (Term, bool) {
	key := keyOf(text)
	for _, la := range slices.Backward(l.layers) {
		if at, ok := la.byKey[key]; ok {
			return la.terms[at], true
		}
	}
	return Term{}, false
}

// Has says whether a word is part of some term: "ulcerative" of "ulcerative colitis".
func (l *Lexicon) Has(word string) bool {
	for _, form := range forms(keyOf(word)) {
		for _, la := range l.layers {
			if _, ok := la.words[form]; ok {
				return true
			}
		}
	}
	return false
}

// Len counts the terms.
func (l *Lexicon) Len() int {
	n := 0
	for i, la := range l.layers {
		for key := range la.byKey {
			if !l.covered(i, key) {
				n++
			}
		}
	}
	return n
}

// covered says whether a later layer has the key too.
func (l *Lexicon) covered(layer int, key string) bool {
	for _, above := range l.layers[layer+1:] {
		if _, ok := above.byKey[key]; ok {
			return true
		}
	}
	return false
}

// Terms lists the terms, sorted by key.
func (l *Lexicon) Terms() []Term {
	var out []Term
	for i, la := range l.layers {
		for _, t := range la.terms {
			if !l.covered(i, keyOf(t.Text)) {
				out = append(out, t)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Term) int { return cmp.Compare(keyOf(a.Text), keyOf(b.Text)) })
	return out
}

// Fingerprint is the SHA-256 of the content, in hexadecimal: the same terms in the same layers give the same one. It goes
// into the settings that are frozen with a job.
func (l *Lexicon) Fingerprint() string {
	h := sha256.New()
	for _, la := range l.layers {
		h.Write([]byte(la.print))
	}
	return hex.EncodeToString(h.Sum(nil))
}

func printOf(sorted []Term) string {
	h := sha256.New()
	enc := json.NewEncoder(h)
	for _, t := range sorted {
		_ = enc.Encode(t) //nolint:errchkjson // a hash accepts every write, and terms hold nothing that JSON cannot
	}
	return string(h.Sum(nil))
}
