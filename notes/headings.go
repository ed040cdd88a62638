package notes

import (
	"strings"
	"sync"

	"vesper/notes/templates"
)

// heading is one spoken name of a section or of a label inside it.
type heading struct {
	section string
	label   string // the label's printed form; "" for a section
	words   []string
	folded  string // for comparison by sound
	joined  string
	row     bool // a row of a table: a label only inside its section
	heardAs bool // a known mishearing, which wants "colon" after it
}

// headingIndex finds headings by their first word.
type headingIndex struct {
	byFirst map[string][]heading // sections, longest first
	labels  map[string][]heading
	all     []heading       // sections only, for comparison by sound
	known   map[string]bool // names of sections in any work type: what is one of them was not misheard
}

func newHeadingIndex(tpl templates.Template) headingIndex {
	x := headingIndex{byFirst: map[string][]heading{}, labels: map[string][]heading{}, known: knownHeadings()}
	for _, s := range tpl.Sections {
		for _, said := range append([]string{s.Heading}, s.Synonyms...) {
			h := newHeading(said, s.Key, "")
			x.byFirst[h.words[0]] = insertLongest(x.byFirst[h.words[0]], h)
			x.all = append(x.all, h)
		}
		for _, said := range s.HeardAs {
			h := newHeading(said, s.Key, "")
			h.heardAs = true
			x.byFirst[h.words[0]] = insertLongest(x.byFirst[h.words[0]], h)
		}
		for _, l := range s.Rows {
			for _, said := range append([]string{l.Heading}, l.Synonyms...) {
				h := newHeading(said, s.Key, l.Heading)
				h.row = true
				x.labels[h.words[0]] = insertLongest(x.labels[h.words[0]], h)
			}
		}
		for _, l := range s.Labels {
			for _, said := range append([]string{l.Heading}, l.Synonyms...) {
				h := newHeading(said, s.Key, l.Heading)
				x.labels[h.words[0]] = insertLongest(x.labels[h.words[0]], h)
			}
			for _, said := range l.HeardAs {
				h := newHeading(said, s.Key, l.Heading)
				h.heardAs = true
				x.labels[h.words[0]] = insertLongest(x.labels[h.words[0]], h)
			}
		}
	}
	return x
}

// knownHeadings are the names of sections and labels in any of the built-in work types.
var knownHeadings = sync.OnceValue(func() map[string]bool {
	known := map[string]bool{}
	for _, tpl := range templates.All() {
		for _, s := range tpl.Sections {
			for _, said := range s.Synonyms {
				known[newHeading(said, "", "").joined] = true
			}
			for _, l := range s.Labels {
				known[newHeading(l.Heading, "", "").joined] = true
			}
		}
	}
	return known
})

func newHeading(said, section, label string) heading {
	words := strings.Fields(said)
	for i := range words {
		words[i] = keyOf(strings.Trim(strings.Trim(words[i], closingMarks), openingMarks))
	}
	joined := strings.Join(words, "")
	return heading{section: section, label: label, words: words, folded: soundOf(joined), joined: joined}
}

func insertLongest(list []heading, h heading) []heading {
	at := 0
	for at < len(list) && len(list[at].words) >= len(h.words) {
		at++
	}
	return append(list[:at:at], append([]heading{h}, list[at:]...)...)
}
