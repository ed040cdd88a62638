package notes

import (
	"strings"

	"vesper/notes/templates"
)

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
	gutAfter  = wordSet("cancer cancers carcinoma adenocarcinoma polyp polyps resection mass prep")
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
		if f, ok := s.announcedHeading(i); ok {
			return f, true
		}
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

// unmistakable is the number of words of headings that nobody says for anything else: "history of present illness".
const unmistakable = 4

// exactHeading judges a heading whose words stand at token i.
func (s *scanner) exactHeading(i int, h heading, boundary bool) (found, bool) {
	n := len(h.words)
	delim, eaten := s.delimiterAt(i + n)
	f := found{heading: h, words: n, eaten: eaten}
	if h.heardAs {
		if delim == delimComma && s.strongBoundary(i) && s.expected(h.section) {
			return f, !s.listed(i + n + eaten)
		}
		return f, boundary && (delim == delimColon || n > 1 && delim == delimStop || n > 2 && !s.goesOn(i+n))
	}
	switch {
	case delim == delimColon:
		return f, boundary || !notBeforeHeading[s.before(i)]
	case !boundary:
		if !s.betweenCommas(i) || s.listed(i+n+eaten) {
			return f, false
		}
		return f, delim == delimComma && n > 1 && s.expected(h.section) || (delim == delimComma || delim == delimStop) && n >= unmistakable
	case delim == delimStop:
		return f, n > 1 || len(h.words[0]) > 2
	case delim == delimComma:
		return f, len(h.joined) > 2 && !s.listed(i+n+eaten)
	}
	if s.goesOn(i + n) {
		return f, false
	}
	switch {
	case n >= 3:
		return f, true
	case n == 2:
		return f, delim == delimPause || s.strongBoundary(i)
	default:
		return f, len(h.words[0]) > 3 && s.strongBoundary(i) && (delim == delimPause || s.newSentence(i+n) || s.runsOn(i, i+n))
	}
}

// goesOn says that the words at token j, after the words of a heading, make a sentence with them.
func (s *scanner) goesOn(j int) bool {
	next := s.key(j)
	return next == "" || notAfterHeading[next] || stated[next]
}

var (
	// runOn are one-word headings that people say without a pause before what stands under them.
	runOn = wordSet("medications meds allergies impression assessment plan diagnosis labs exam complications anesthesia findings " +
		"specimens comparison technique indication disposition subjective objective recommendations")
	// opens are those of them with which no sentence begins, so that a sentence may follow.
	opens        = wordSet("impression assessment plan subjective objective recommendations")
	notAfterOpen = wordSet("consistent compatible suggestive concerning suspicious pending tools scores score level levels sheet note notes")
)

// runsOn says that the heading of one word at token i goes over into its text at token j: "Allergies none."
func (s *scanner) runsOn(i, j int) bool {
	next := s.key(j)
	if !runOn[s.key(i)] || s.tokens[i].trail != "" || notAfterOpen[next] || strings.HasSuffix(next, "ed") && !templates.InClass(next, "finding") {
		return false
	}
	return opens[s.key(i)] || verbless(s.sentenceFrom(j))
}

// sentenceFrom are the words from token j to the end of its sentence.
func (s *scanner) sentenceFrom(j int) []string {
	var out []string
	for ; j < len(s.tokens); j++ {
		if c, _ := s.commandAt(j); c != nil && c.act == actMark && c.text == "." {
			break
		}
		out = append(out, s.key(j))
		if s.tokens[j].endsSentence() {
			break
		}
	}
	return out
}

// announced are words before a heading that only say that one follows.
var announced = wordSet("heading header subheading his her their the patients")

// announcedHeading recognises "heading physical examination" and "her medications, colon".
func (s *scanner) announcedHeading(i int) (found, bool) {
	if !announced[s.key(i)] || s.tokens[i].endsSentence() {
		return found{}, false
	}
	for _, h := range s.headings.byFirst[s.key(i+1)] {
		if !s.wordsAt(i+1, h.words) {
			continue
		}
		delim, eaten := s.delimiterAt(i + 1 + len(h.words))
		if delim == delimColon || strings.HasSuffix(s.key(i), "er") && s.key(i) != "her" || strings.HasSuffix(s.key(i), "heading") && delim != delimNone {
			return found{heading: h, words: len(h.words) + 1, eaten: eaten}, true
		}
	}
	return found{}, false
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
