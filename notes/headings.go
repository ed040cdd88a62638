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

// delimiter is what follows a heading's words.
type delimiter int

const (
	delimNone   delimiter = iota
	delimPause            // a pause
	delimComma            // a comma
	delimStop             // a period, a new line, the beginning of a list
	delimColon            // a colon, written or dictated
	delimStated           // a verb: the words belong to the sentence ("allergies include …")
)

// found is a heading that was recognised at a token.
type found struct {
	heading heading
	words   int  // tokens of the heading
	eaten   int  // tokens after it that only mark it ("colon")
	keep    bool // the words stay in the text
	unknown bool // no section has this name
}

var (
	colonForms = wordSet("colon cologne colin collin colan coln colons")
	stated     = wordSet("is are was were include includes included significant remarkable notable positive negative shows showed " +
		"reveals revealed unremarkable demonstrates demonstrated consists consist noncontributory")
	notAfterHeading = wordSet("of is are was were be been and or to for with has have had will would as in on at from by were that " +
		"which who shows showed reveals revealed include includes including")
	notBeforeHeading = wordSet("the a an of her his their no any and or for with in to this that my your past prior further on under " +
		"per new old current other all these those as our")
	// lone are one-word headings that may begin a sentence about themselves; others would be taken for ordinary words.
	lone      = wordSet("medications meds allergies exam examination vitals labs impression complications anesthesia")
	ownWords  = wordSet("his her their the patients current on")
	headPause = 0.35
	gutAfter  = wordSet("cancer cancers carcinoma adenocarcinoma polyp polyps resection mass surgery biopsy prep")
)

// headingAt recognises a heading at token i.
func (s *scanner) headingAt(i int) (found, bool) {
	boundary := s.boundary(i)
	if f, ok := s.labelAt(i, boundary, true); ok {
		return f, true
	}
	for _, h := range s.headings.byFirst[s.key(i)] {
		if !s.wordsAt(i, h.words) {
			continue
		}
		if f, ok := s.exactHeading(i, h, boundary); ok {
			return f, true
		}
	}
	if boundary {
		if f, ok := s.statedHeading(i); ok {
			return f, true
		}
		if f, ok := s.soundsLikeHeading(i); ok {
			return f, true
		}
	}
	if f, ok := s.labelAt(i, boundary, false); ok {
		return f, true
	}
	return s.unknownHeading(i)
}

// unknownHeading recognises a heading that the template does not have: a word or two with a dictated colon where a
// sentence would begin. It becomes a labelled line, and a person is told.
func (s *scanner) unknownHeading(i int) (found, bool) {
	if !s.dictates || !s.strongBoundary(i) || i == 0 || notAfterHeading[s.key(i)] {
		return found{}, false
	}
	for n := 1; n <= 3 && i+n < len(s.tokens); n++ {
		if delim, eaten := s.delimiterAt(i + n); delim != delimNone {
			ok := delim == delimColon && eaten > 0 && colonForms[s.key(i+n)] && !numberLike(s.key(i)) &&
				!colonBefore[s.key(i+n-1)] && !notBeforeHeading[s.key(i)]
			return found{heading: heading{section: s.section, label: "?"}, words: n, eaten: eaten, unknown: true}, ok
		}
	}
	return found{}, false
}

// wordsAt says that words stand at token i without the end of a sentence between them.
func (s *scanner) wordsAt(i int, words []string) bool {
	if i+len(words) > len(s.tokens) {
		return false
	}
	for j, w := range words {
		t := s.tokens[i+j]
		if t.key != w || (j < len(words)-1 && strings.ContainsAny(t.trail, ".?!:;")) {
			return false
		}
	}
	return true
}

// exactHeading judges a heading whose words stand at token i.
func (s *scanner) exactHeading(i int, h heading, boundary bool) (found, bool) {
	n := len(h.words)
	delim, eaten := s.delimiterAt(i + n)
	f := found{heading: h, words: n, eaten: eaten}
	switch {
	case delim == delimColon:
		return f, boundary || !notBeforeHeading[s.before(i)]
	case !boundary:
		return f, false
	case delim == delimStop:
		return f, n > 1 || len(h.words[0]) > 2
	case delim == delimComma:
		return f, len(h.words[0]) > 2 && !s.listed(i+n+eaten)
	}
	next := s.key(i + n)
	if next == "" || notAfterHeading[next] || stated[next] {
		return f, false
	}
	switch {
	case n >= 3:
		return f, true
	case n == 2:
		return f, delim == delimPause || s.strongBoundary(i)
	default:
		return f, len(h.words[0]) > 3 && s.strongBoundary(i) && (delim == delimPause || s.newSentence(i+n))
	}
}

// listed says that the words from token j on go on with a list of headings, as in "medications, allergies and history were
// reviewed", which is a sentence.
func (s *scanner) listed(j int) bool {
	if k := s.key(j); k == "and" || k == "or" {
		return true
	}
	for _, h := range s.headings.byFirst[s.key(j)] {
		if s.wordsAt(j, h.words) {
			return true
		}
	}
	return false
}

// newSentence says that the engine wrote token j with a capital, as it begins sentences.
func (s *scanner) newSentence(j int) bool {
	if j >= len(s.tokens) {
		return false
	}
	c := s.tokens[j].core
	return c != "" && (c[0] >= 'A' && c[0] <= 'Z' || c[0] >= '0' && c[0] <= '9')
}

// delimiterAt says what follows a heading that ends before token j, and how many tokens of it only mark the heading.
func (s *scanner) delimiterAt(j int) (delimiter, int) {
	trail := s.tokens[j-1].trail
	switch {
	case j < len(s.tokens) && colonForms[s.key(j)] && !strings.ContainsAny(trail, ".?!") && !s.gut(j):
		return delimColon, 1
	case j < len(s.tokens) && s.key(j) == "colon" && strings.ContainsAny(trail, ".,"):
		return delimColon, 1
	case strings.Contains(trail, ":"):
		return delimColon, 0
	case j < len(s.tokens) && s.dictates && soundsLikeColon(s.key(j)):
		return delimColon, 1
	}
	if j >= len(s.tokens) {
		return delimStop, 0
	}
	if c, n := s.commandAt(j); c != nil {
		switch c.act {
		case actMark:
			if c.text == "." {
				return delimStop, n
			}
			if c.text == "," {
				return delimComma, n
			}
		case actLine, actParagraph, actNextItem, actBullet:
			return delimStop, 0
		}
	}
	switch {
	case strings.ContainsAny(trail, sentenceEnds):
		return delimStop, 0
	case s.listNumberAt(j) > 0:
		return delimStop, 0
	case strings.Contains(trail, ","):
		return delimComma, 0
	case s.tokens[j].pause >= headPause:
		return delimPause, 0
	}
	return delimNone, 0
}

// soundsLikeColon accepts what engines make of "colon" after a heading, in voices that they know less.
func soundsLikeColon(key string) bool {
	sound := soundOf(strings.ReplaceAll(key, "-", ""))
	if len(sound) < 4 || len(sound) > 6 || notColon[key] {
		return false
	}
	return soundDistance(sound, "kolon") <= 1.5
}

var notColon = wordSet("color colors colour column columns colony colonic gallon gallons golf clone cold colds coil call called calls " +
	"polyp solo follow golden colonoscopy")

// gut says that "colon" after a heading's word is the organ all the same: "procedure colon resection", said without a pause.
func (s *scanner) gut(j int) bool {
	return gutAfter[s.after(j+1)] && s.tokens[j+1].pause < setOff
}

// statedHeading recognises a sentence about a section: "Her past medical history is significant for …". The words stay.
func (s *scanner) statedHeading(i int) (found, bool) {
	j := i
	for skipped := 0; skipped < 2 && ownWords[s.key(j)]; skipped++ {
		j++
	}
	for _, h := range s.headings.byFirst[s.key(j)] {
		if !s.wordsAt(j, h.words) || (len(h.words) == 1 && !lone[h.words[0]]) {
			continue
		}
		end := j + len(h.words)
		if stated[s.key(end)] && s.tokens[end-1].mark() == "" || s.key(i) == "on" && s.tokens[end-1].mark() == "," {
			return found{heading: h, keep: true}, true
		}
	}
	return found{}, false
}

const (
	longestHeading  = 6   // words
	shortestByEar   = 8   // letters; shorter words sound like too much else
	farthestByEar   = 0.2 // share of the letters that may differ; vowels count half
	farthestByColon = 0.3 // the same, where "colon" says that it is a heading
	shortestByColon = 6
)

// soundsLikeHeading recognises a misheard heading that is marked as one: "history of president illness:".
func (s *scanner) soundsLikeHeading(i int) (found, bool) {
	joined := ""
	for n := 1; n <= longestHeading && i+n <= len(s.tokens); n++ {
		joined += s.key(i + n - 1)
		delim, eaten := s.delimiterAt(i + n)
		if delim != delimColon && delim != delimStop {
			if delim == delimComma {
				break
			}
			continue
		}
		if len(joined) < shortestByColon || (delim == delimStop && (n < 2 || len(joined) < shortestByEar)) {
			break
		}
		farthest := farthestByEar
		if delim == delimColon && s.strongBoundary(i) {
			farthest = farthestByColon
		}
		if s.headings.known[joined] {
			break
		}
		if h, ok := s.closest(soundOf(joined), farthest); ok {
			return found{heading: h, words: n, eaten: eaten}, true
		}
		break
	}
	return found{}, false
}

// closest is the section heading that sounds most like the words, if any is close enough.
func (s *scanner) closest(sound string, farthest float64) (heading, bool) {
	best, distance := heading{}, 2.0
	for _, h := range s.headings.all {
		longest := max(len(h.folded), len(sound))
		if len(h.folded) < shortestByColon || abs(len(h.folded)-len(sound)) > longest/4 {
			continue
		}
		if d := soundDistance(h.folded, sound) / float64(longest); d < distance {
			best, distance = h, d
		}
	}
	return best, distance <= farthest
}

// labelAt recognises a sub-heading: of the section being dictated when here is set, else of any other.
func (s *scanner) labelAt(i int, boundary, here bool) (found, bool) {
	for _, h := range s.headings.labels[s.key(i)] {
		if !s.wordsAt(i, h.words) || (h.section == s.section) != here {
			continue
		}
		delim, eaten := s.delimiterAt(i + len(h.words))
		f := found{heading: h, words: len(h.words), eaten: eaten}
		if delim == delimColon && (boundary || !notBeforeHeading[s.before(i)]) {
			return f, true
		}
		if here && boundary && delim == delimStop && !h.heardAs && i+len(h.words) < len(s.tokens) && s.listNumberAt(i+len(h.words)) == 0 {
			return f, true
		}
	}
	return found{}, false
}
