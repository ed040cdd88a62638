package notes

import (
	"slices"
	"strings"
	"unicode"

	"vesper/internal/lexicon"
)

// Correction is words as drafts have them for an author, and what editors write in their place.
type Correction struct {
	ID         string // of the approved decision; "" while it is only found
	Heard      string
	Written    string
	ApprovedBy string // name of the supervisor
}

// The bounds of what can be learned.
const (
	longestLearned = 5   // words on either side
	farthestHeard  = 0.5 // by sound: what is farther was another thought and no mishearing
)

// Corrections lists what a person changed from one version to the next and could be changed in the author's other notes as
// well: a few words that became others of like sound. What belongs to one patient is never among it: figures, doses, units,
// sides, negations, who is spoken of, and one drug for another.
func Corrections(before, after Document) []Correction {
	var out []Correction
	changes := Compare(before, after)
	for i := 0; i+1 < len(changes); i++ {
		a, b := changes[i], changes[i+1]
		if a.Op != Delete || b.Op != Insert || a.Section != b.Section {
			continue
		}
		c := Correction{Heard: withoutMarks(a.Text), Written: withoutMarks(b.Text)}
		if learnable(c.Heard, c.Written) && !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

// withoutMarks is a text without the marks around it and with single spaces.
func withoutMarks(text string) string {
	words := strings.Fields(text)
	for i, w := range words {
		words[i] = strings.TrimFunc(w, func(r rune) bool { return strings.ContainsRune(closingMarks+openingMarks, r) })
	}
	return strings.Join(strings.Fields(strings.Join(words, " ")), " ")
}

// learnable says that a change is a mishearing that another note may have too.
func learnable(heard, written string) bool {
	from, to := strings.Fields(strings.ToLower(heard)), strings.Fields(strings.ToLower(written))
	if len(from) == 0 || len(to) == 0 || len(from) > longestLearned || len(to) > longestLearned || len(heard)+len(written) > 200 ||
		strings.EqualFold(heard, written) || !slices.Equal(fixedWords(from), fixedWords(to)) {
		return false
	}
	if len(from) == 1 && lexicon.English(from[0]) >= everydayWord || strings.IndexFunc(heard, unicode.IsLetter) < 0 {
		return false // an everyday word is right in other notes
	}
	if a, ok := lexicon.Default().Find(heard); ok && a.Kind.Drug() {
		return false // a drug that was heard as a drug is put right by ear, each time
	}
	return lexicon.Distance(heard, written) <= farthestHeard
}

// fixedWords are the words of a text that no correction may bring in, take away or exchange.
func fixedWords(words []string) []string {
	var out []string
	for _, w := range words {
		if strings.IndexFunc(w, unicode.IsDigit) >= 0 || numberWords[w] || sides[w] || negations[w] || unitWords[w] || people[w] || often[w] {
			out = append(out, w)
		}
	}
	return out
}

var (
	people = wordSet("he she him her his hers himself herself they mother father wife husband sister brother son daughter mr mrs ms")
	often  = wordSet("once twice daily weekly hourly monthly bid tid qid morning evening bedtime hyper hypo increase decrease start stop")
)

// ruleLearned begins the rule of the runs that a learned correction wrote; the decision's id follows.
const ruleLearned = "learned:"

// learned makes the approved corrections in all segments and returns a flag for each place.
func (s *scanner) learned(corrections []Correction) []Flag {
	var out []Flag
	for i := range s.segments {
		seg := &s.segments[i]
		for at := 0; at < len(seg.items); at++ {
			for _, c := range corrections {
				n, ok := saidAt(seg.items[at:], c.Heard)
				if !ok {
					continue
				}
				words := seg.items[at : at+n]
				heard := strings.Trim(s.heard(tokensIn(words)), allMarks)
				out = append(out, s.flag(FlagRepair, Notice, seg.section, tokensIn(words), c.Written, "Heard as “"+heard+"” and written as “"+
					c.Written+"”, a correction for this author that "+c.ApprovedBy+" approved. Listen to it."))
				seg.items = slices.Replace(seg.items, at, at+n, item{
					kind: itemWord, text: c.Written, tokens: tokensIn(words), rule: ruleLearned + c.ID,
					lead: words[0].lead, trail: words[n-1].trail, caps: words[0].caps,
				})
				break
			}
		}
	}
	return out
}

// saidAt says that items begin with the words of a text, without marks between them, and how many items they are.
func saidAt(items []item, text string) (int, bool) {
	words := strings.Fields(text)
	if len(words) == 0 || len(words) > len(items) {
		return 0, false
	}
	for i, w := range words {
		it := items[i]
		if it.kind != itemWord || it.rule != "" || len(it.tokens) == 0 || keyOf(it.text) != keyOf(w) || i < len(words)-1 && it.trail != "" || i > 0 && it.lead != "" {
			return 0, false
		}
	}
	return len(words), true
}

// LearnedIn lists the ids of the approved corrections that a document was written with, each once.
func LearnedIn(d Document) []string {
	var out []string
	for _, s := range d.Sections {
		for _, r := range s.Runs {
			if id, ok := strings.CutPrefix(r.Source.Rule, ruleLearned); ok && !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	}
	return out
}
