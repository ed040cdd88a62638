package notes

import (
	"slices"
	"strings"
	"unicode"

	"vesper/internal/lexicon"
	"vesper/notes/checks"
)

// FlagRepair is the kind of flag for words that are no term and sound like one: written as the term, or only proposed.
const FlagRepair FlagKind = "repair"

// ruleRepair marks the runs that a repair wrote.
const ruleRepair = "repair"

// The bounds of repairs, fitted on testdata/repairs/fit.yaml and measured on held.yaml. Distances are lexicon.Near's.
const (
	longestRepair  = 4    // words
	farSpelling    = 0.13 // one word of no language, by sound …
	farLetters     = 0.26 // … and by the share of letters that differ
	farTorn        = 0.37 // the same for words that were torn
	farJoined      = 0.10 // words that joined are nearly a term
	farBeforeDose  = 0.20 // words before a dose that the drug comes in
	farProposed    = 0.32 // the same, as a proposal
	closeRival     = 0.07 // by so much the next drug must be farther away
	confusedRival  = 0.16 // the same for drugs that are known to be confused
	shortestRepair = 6    // letters
	commonDrug     = 0.75 // weight of a drug that is written without a dose beside it; rarer ones are proposed
)

// repairer looks for words that are no term and sound like one.
type repairer struct {
	s     *scanner
	known *lexicon.Lexicon
	names map[string]bool // words that are right however strange: of the patient and of the terms to expect
	flags []Flag
}

// repair is a term in the place of words.
type repair struct {
	from, to int // items
	term     lexicon.Term
	apply    bool // written, not only proposed
	why      string
}

// repair puts near-misses right in all segments, where it is sure, and returns the flags for what it did and for what it
// only proposes. The heard words stay in the source of what is written.
func (s *scanner) repair(expected []lexicon.Term, patient Patient) []Flag {
	r := &repairer{s: s, known: lexicon.Default().With(expected...), names: map[string]bool{}}
	for _, part := range strings.FieldsFunc(patient.Name, notWordRune) {
		r.names[strings.ToLower(part)] = true
	}
	for _, t := range expected {
		for _, part := range strings.FieldsFunc(t.Text, notWordRune) {
			r.names[strings.ToLower(part)] = true
		}
	}
	for i := range s.segments {
		r.segment(&s.segments[i], patient)
	}
	return r.flags
}

// segment repairs one segment, from its end so that places before stay right.
func (r *repairer) segment(seg *segment, patient Patient) {
	for i := len(seg.items) - 1; i >= 0; i-- {
		found, ok := r.at(seg.items, i, patient)
		if !ok {
			continue
		}
		r.flags = append(r.flags, r.flag(seg, found))
		if found.apply {
			first, last := seg.items[found.from], seg.items[found.to-1]
			fixed := item{
				kind: itemWord, text: found.term.Text, tokens: tokensIn(seg.items[found.from:found.to]), rule: ruleRepair,
				lead: first.lead, trail: last.trail, caps: first.caps,
			}
			seg.items = slices.Replace(seg.items, found.from, found.to, fixed)
		}
		i = found.from
	}
}

func (r *repairer) flag(seg *segment, f repair) Flag {
	items := seg.items[f.from:f.to]
	heard := r.s.heard(tokensIn(items))
	heard = strings.Trim(heard, allMarks)
	if f.apply {
		return r.s.flag(FlagRepair, Notice, seg.section, tokensIn(items), f.term.Text,
			"Heard as “"+heard+"” and written as “"+f.term.Text+"”, "+f.why+". Listen to it.")
	}
	return r.s.flag(FlagRepair, Critical, seg.section, tokensIn(items), heard,
		"“"+heard+"” may be “"+f.term.Text+"”, "+f.why+". Listen, and write what is said.")
}

// at looks for a repair that ends with item i.
func (r *repairer) at(items []item, i int, patient Patient) (repair, bool) {
	if f, ok := r.noAnswer(items, i); ok {
		return f, true
	}
	if f, ok := r.intoDose(items, i); ok {
		return f, true
	}
	if f, ok := r.joined(items, i); ok {
		return f, true
	}
	if f, ok := r.beforeDose(items, i, patient); ok {
		return f, true
	}
	return r.spelling(items, i)
}

// noAnswer is "non" as a whole answer: "Complications: non."
func (r *repairer) noAnswer(items []item, i int) (repair, bool) {
	it := items[i]
	alone := func(k int) bool {
		return k < 0 || k >= len(items) || items[k].kind != itemWord || k < i && strings.ContainsAny(items[k].trail, ".,;:?!")
	}
	if it.kind != itemWord || !strings.EqualFold(it.text, "non") || len(it.tokens) == 0 || !alone(i-1) || it.trail == "" && !alone(i+1) {
		return repair{}, false
	}
	return repair{i, i + 1, lexicon.Term{Text: "none", Kind: lexicon.Other}, true, "which stands alone as an answer"}, true
}

// intoDose is "into" between a drug and its dose: "increase empagliflozin into 25 mg".
func (r *repairer) intoDose(items []item, i int) (repair, bool) {
	if i == 0 || i+1 >= len(items) || !strings.EqualFold(items[i].text, "into") || items[i].kind != itemWord || items[i].trail != "" ||
		items[i-1].kind != itemWord || items[i-1].trail != "" || !isDose(items, i+1) {
		return repair{}, false
	}
	drug, ok := r.known.Find(items[i-1].text)
	if !ok || !drug.Kind.Drug() {
		return repair{}, false
	}
	return repair{i, i + 1, lexicon.Term{Text: "to", Kind: lexicon.Other}, true, "as a drug goes to a dose"}, true
}

// span says that the items i up to j are words without marks between them, and returns them as one text.
func (r *repairer) span(items []item, i, j int) (string, bool) {
	if i < 0 {
		return "", false
	}
	words := make([]string, 0, j-i)
	for k := i; k < j; k++ {
		it := items[k]
		if it.kind != itemWord || it.rule != "" || len(it.tokens) == 0 || k < j-1 && strings.Trim(it.trail, r.soft()) != "" || k > i && it.lead != "" ||
			strings.IndexFunc(it.text, unicode.IsDigit) >= 0 {
			return "", false
		}
		words = append(words, strings.ToLower(it.text))
	}
	return strings.Join(words, " "), true
}

// soft are the marks of the engine that may stand inside a name; see hardMarks.
func (r *repairer) soft() string {
	if r.s.saysComma {
		return ","
	}
	return ""
}

// joined finds two to four words that together are a term, or nearly: "metform in", "a torva statin".
func (r *repairer) joined(items []item, i int) (repair, bool) {
	for n := longestRepair; n >= 2; n-- {
		from := i + 1 - n
		heard, ok := r.span(items, from, i+1)
		if !ok {
			continue
		}
		together := strings.ReplaceAll(heard, " ", "")
		if len(together) < shortestRepair+1 || !r.broken(heard) || r.anyName(heard) {
			continue
		}
		if t, ok := r.known.Find(together); ok && worthIt(t) && !r.isTerm(heard) && (t.Kind.Drug() || len(together) >= 9) {
			return repair{from, i + 1, t, true, "which is the same put together"}, true
		}
		near := r.near(heard, farJoined)
		if len(near) == 0 || !near[0].Term.Kind.Drug() || !worthIt(near[0].Term) || r.contested(near, false) ||
			strings.Contains(near[0].Term.Text, " ") {
			continue
		}
		if !slices.ContainsFunc(strings.Fields(heard), func(w string) bool { return lexicon.English(w) < everydayWord }) {
			continue
		}
		return repair{from, i + 1, near[0].Term, near[0].Term.Weight >= commonDrug && lettersApart(together, near[0].Term.Text) <= farTorn, "which it sounds like"}, true
	}
	return repair{}, false
}

// broken says that a stretch can be a torn word: not each of its words is everyday English that stands well by itself, or
// it ends in a scrap that no sentence has there.
func (r *repairer) broken(heard string) bool {
	odd := false
	for w := range strings.FieldsSeq(heard) {
		if unitWords[w] || numberLike(w) {
			return false
		}
		odd = odd || lexicon.English(w) < everydayWord && !r.isTerm(w)
	}
	return odd
}

// beforeDose finds words before a dose that sound like a drug.
func (r *repairer) beforeDose(items []item, i int, patient Patient) (repair, bool) {
	if i+1 >= len(items) || strings.Trim(items[i].trail, r.soft()) != "" || items[i+1].kind != itemWord || !isDose(items, i+1) || commonBeforeDose[keyOf(items[i].text)] {
		return repair{}, false
	}
	if name, ok := namelessDose(items, i+1, r.s.saysComma); !ok || name > i {
		return repair{}, false
	}
	amount, unit := doseOf(items, i+1)
	var best repair
	nearest := 2.0
	for n := 1; n <= longestRepair; n++ {
		heard, ok := r.span(items, i+1-n, i+1)
		if !ok {
			break
		}
		if n == 1 && lexicon.English(heard) >= everydayWord {
			continue
		}
		if first, _, _ := strings.Cut(heard, " "); n > 1 && (doseTalk[first] || smallWords[first] && first != "a") || len(heard) < 5 || r.anyName(heard) {
			continue
		}
		near := slices.DeleteFunc(r.known.Near(heard, farProposed+0.1, 6), func(m lexicon.Match) bool { return !m.Term.Kind.Drug() || !sensible(heard, m.Term.Text) })
		if len(near) == 0 || near[0].Distance > farProposed || near[0].Distance >= nearest {
			continue
		}
		fits, known := checks.Usual(near[0].Term.Text, amount, unit)
		if known && !fits || !fits && near[0].Distance > farBeforeDose {
			continue
		}
		listed := slices.ContainsFunc(patient.Drugs, func(d string) bool { return strings.EqualFold(d, near[0].Term.Text) })
		limit := farBeforeDose
		if listed {
			limit += 0.05
		}
		nearest = near[0].Distance
		why := "which it sounds like"
		if fits {
			why += "; the dose is a usual one"
		}
		best = repair{i + 1 - n, i + 1, near[0].Term, fits && near[0].Distance <= limit && !r.contested(near, true) && !r.isTerm(heard), why}
	}
	return best, nearest < 1
}

// spelling finds one word of no language that differs in a letter or two from a term: "lysinopril".
func (r *repairer) spelling(items []item, i int) (repair, bool) {
	heard, ok := r.span(items, i, i+1)
	if !ok || len(heard) < shortestRepair || lexicon.English(heard) > 0 || r.isTerm(heard) || r.anyName(heard) || british(r.known, heard) ||
		strings.ContainsAny(heard, "-/&+.") || r.nameLike(items, i) {
		return repair{}, false
	}
	near := r.near(heard, farSpelling)
	if len(near) == 0 || !worthIt(near[0].Term) || strings.Contains(near[0].Term.Text, " ") || r.contested(near, false) {
		return repair{}, false
	}
	t := near[0].Term
	if lettersApart(heard, t.Text) > farLetters || !t.Kind.Drug() && sameStem(heard, strings.ToLower(t.Text)) {
		return repair{}, false
	}
	return repair{i, i + 1, t, !t.Kind.Drug() || t.Weight >= commonDrug, "which it sounds like"}, true
}

// near lists the nearest terms and their rivals, if the nearest is at most far away.
func (r *repairer) near(heard string, far float64) []lexicon.Match {
	if len(r.known.Near(heard, far, 1)) == 0 { // a small bound is found out quickly, and most words end here
		return nil
	}
	return r.known.Near(heard, far+confusedRival, 3)
}

// contested says that the second nearest term is too near as well: above all one that is known to be confused with the
// first. Before a dose only drugs are rivals.
func (r *repairer) contested(near []lexicon.Match, dose bool) bool {
	first := near[0]
	for _, m := range near[1:] {
		if strings.EqualFold(m.Term.Text, first.Term.Text) {
			continue
		}
		gap := m.Distance - first.Distance
		if gap < closeRival && (m.Term.Kind.Drug() || !dose) {
			return true
		}
		if gap < confusedRival && slices.ContainsFunc(lexicon.Confused(first.Term.Text), func(c string) bool { return strings.EqualFold(c, m.Term.Text) }) {
			return true
		}
	}
	return false
}

// nameLike says that a word is somebody's name: after a title, or with a capital inside a sentence.
func (r *repairer) nameLike(items []item, i int) bool {
	t := items[i].tokens[0]
	if i > 0 && items[i-1].kind == itemWord && (titles[keyOf(items[i-1].text)] || keyOf(items[i-1].text) == "miss") {
		return true
	}
	if i == 0 || items[i-1].kind != itemWord || strings.ContainsAny(items[i-1].trail, sentenceEnds+":") {
		return false
	}
	return startsUpper(r.s.tokens[t].core) && !r.s.shouted[t] && !r.s.dictates
}

func (r *repairer) anyName(heard string) bool {
	return slices.ContainsFunc(strings.Fields(heard), func(w string) bool { return r.names[w] })
}

func (r *repairer) isTerm(text string) bool {
	if _, ok := r.known.Find(text); ok {
		return true
	}
	return !strings.Contains(text, " ") && r.known.Has(text)
}

// worthIt says that a term is one that repairs may write: units are left to the number rules.
func worthIt(t lexicon.Term) bool {
	return t.Kind != lexicon.Unit && t.Kind != lexicon.Other && len(t.Text) >= shortestRepair-1
}

// sensible leaves out drugs that are much shorter or longer than what was heard.
func sensible(heard, term string) bool { return len(term)*2 >= len(heard) && len(term) <= len(heard)*2 }

// withUnsure joins the flags for repairs and for unsure words over the same stretch: the repair says more, and is as grave.
func withUnsure(repairs, unsure []Flag) (joined, rest []Flag) {
	for _, f := range repairs {
		for _, u := range unsure {
			if u.Severity == Critical && u.Start < f.End && u.End > f.Start {
				f.Severity = Critical
			}
		}
		joined = append(joined, f)
	}
	return joined, uncovered(unsure, repairs)
}
