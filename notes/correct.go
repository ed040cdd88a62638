package notes

import (
	"strings"

	"vesper/internal/lexicon"
)

// FlagCorrection marks a correction of the speaker: done, or too unclear to be done.
const FlagCorrection FlagKind = "correction"

const (
	longestCorrection = 8    // words that replace others
	correctionReach   = 24   // items before the command in which the replaced words are looked for
	correctionPause   = 0.6  // seconds that end the replacing words
	soundsCorrected   = 0.35 // a word and the one that was meant sound alike up to here
)

// mildCorrections are wordings that are ordinary words too: they count only where it is clear what they replace, or where
// they stand alone.
var mildCorrections = wordSet("actually make or i sorry im excuse pardon no change")

// needsCorrection wants the command to be set off from the sentence, and something before and after it.
func needsCorrection(s *scanner, i, n int) bool {
	if i == 0 || i+n >= len(s.tokens) || s.last() == nil || !hasWords(s.current().items) {
		return false
	}
	if s.key(i) == "correction" && !s.aloneAt(i, i+n) && lexicon.English(s.key(i-1)) == 0 && !numberLike(s.key(i-1)) && len(s.parallelTo(i+n)) == 0 {
		return false
	}
	if !mildCorrections[s.key(i)] {
		return true
	}
	fix, ok := s.findCorrection(s.afterMarks(i + n))
	if n == 1 && s.key(i) == "no" { // "left, no, right"
		return ok && fix.last && s.tokens[i-1].mark() == "," && s.tokens[i].mark() == ","
	}
	if s.key(i) == "actually" || strings.HasPrefix(s.key(i), "make") || s.key(i) == "or" || s.key(i) == "change" || s.key(i) == "no" {
		return ok && fix.sure && (s.aloneBefore(i) || s.key(i) == "make")
	}
	return s.aloneBefore(i) && (ok || s.aloneAfter(i+n))
}

// correction is words that replace others.
type correction struct {
	from, to int // items that are replaced, in the segment
	words    int // first token of what replaces them
	end      int // token after it
	dropped  int // token of an article that is not wanted at the new place, -1 for none
	sure     bool
	last     bool // what is replaced is the last thing said
}

// correct carries out "correction, …" said by tokens from up to to. Where it is not clear what is replaced, everything
// stays and a person is asked.
func (s *scanner) correct(_ *command, from, to int) int {
	words := s.afterMarks(to)
	fix, ok := s.findCorrection(words)
	if !ok {
		for t := from; t < to; t++ {
			s.word(t)
		}
		end := s.replacementEnd(words)
		tokens := append(s.tokensBack(from), span(from, end)...)
		s.flags = append(s.flags, s.flag(FlagCorrection, Critical, s.section, tokens, s.heard(span(from, end)),
			"The speaker corrects something here, and it is not clear which words are replaced. Both stand in the text: take out what does not count."))
		return to
	}
	s.remove(RemovedCommand, from, words)
	s.replace(fix)
	return fix.end
}

// afterMarks is the first token from i on that is no dictated comma or colon.
func (s *scanner) afterMarks(i int) int {
	if c, n := s.commandAt(i); c != nil && c.act == actMark && !strings.Contains(sentenceEnds, c.text) {
		return i + n
	}
	return i
}

// replace puts the words of a correction in the place of those they replace.
func (s *scanner) replace(fix correction) {
	items := s.current().items
	var old []int
	for _, it := range items[fix.from:fix.to] {
		old = append(old, it.tokens...)
	}
	s.removeTokens(RemovedScratched, old)
	lead, trail := items[fix.from].lead, items[fix.to-1].trail
	var fresh []item
	for t := fix.words; t < fix.end; t++ {
		if t == fix.dropped {
			s.remove(RemovedCommand, t, t+1)
			continue
		}
		tok := s.tokens[t]
		fresh = append(fresh, item{kind: itemWord, text: tok.core, tokens: []int{t}, lead: tok.lead, trail: strings.Trim(tok.trail, ".,;:?!")})
	}
	fresh[0].lead = lead
	tail := append([]item{}, items[fix.to:]...)
	if n := len(tail); n > 0 && tail[n-1].kind == itemMark { // a comma dictated before the command
		s.removeTokens(RemovedCommand, tail[n-1].tokens)
		tail = tail[:n-1]
	}
	if len(tail) == 0 {
		trail = s.tokens[fix.end-1].trail
	} else if last := &tail[len(tail)-1]; last.kind == itemWord { // the engine's mark before the command was its pause
		last.trail = strings.TrimRight(last.trail, ",;.:") + s.tokens[fix.end-1].trail
	}
	fresh[len(fresh)-1].trail = trail
	s.current().items = append(append(items[:fix.from:fix.from], fresh...), tail...)
	start, end := s.times(old)
	said := s.heard(span(fix.words, fix.end))
	s.flags = append(s.flags, newFlag(Flag{
		Kind: FlagCorrection, Severity: Notice, Section: s.section, Text: strings.TrimRight(said, closingMarks), Start: start, End: max(end, s.tokens[fix.end-1].end),
		Detail: "The speaker corrected “" + s.heard(old) + "” to “" + said + "”. Put it back if that was not meant.",
	}))
}

// tokensBack are the tokens of the last sentence.
func (s *scanner) tokensBack(before int) []int {
	var out []int
	for _, it := range s.sentenceItems() {
		for _, t := range it.tokens {
			if t < before {
				out = append(out, t)
			}
		}
	}
	return out
}

// replacementEnd is the token after the words that can replace others: up to a mark, a pause or a command.
func (s *scanner) replacementEnd(i int) int {
	j := i
	for j < len(s.tokens) && j < i+longestCorrection {
		if j > i {
			if c, _ := s.commandAt(j); c != nil || s.tokens[j].pause >= correctionPause {
				break
			}
		}
		j++
		if s.tokens[j-1].mark() != "" {
			break
		}
	}
	return j
}

// parallelTo are the rows of words that the word at token i belongs to.
func (s *scanner) parallelTo(i int) []int { return s.set.parallel[s.key(i)] }

// findCorrection finds out what the words from token i on replace.
func (s *scanner) findCorrection(i int) (correction, bool) {
	if i >= len(s.tokens) {
		return correction{}, false
	}
	if c, _ := s.commandAt(i); c != nil {
		return correction{}, false
	}
	end := s.replacementEnd(i)
	items := s.current().items
	first := s.correctable(items)
	for _, find := range []func(items []item, first, i, end int) (correction, bool){s.sameNumber, s.sameClass, s.lastWord, s.sameFrame, s.sameKind} {
		if fix, ok := find(items, first, i, end); ok && hasOnlyWords(items[fix.from:fix.to]) {
			return fix, true
		}
	}
	return correction{}, false
}

// correctable is the first item that a correction may replace: within this sentence, or within the one before where nothing
// is said of this one yet.
func (s *scanner) correctable(items []item) int {
	from := len(items)
	for from > 0 && len(items)-from < correctionReach {
		it := items[from-1]
		if it.kind == itemBreak || it.kind == itemNumber || it.kind == itemLabel {
			break
		}
		if from < len(items) && (strings.ContainsAny(it.trail, sentenceEnds) || it.kind == itemMark && strings.ContainsAny(it.text, sentenceEnds)) && hasWords(items[from:]) {
			break
		}
		from--
	}
	return from
}

func hasOnlyWords(items []item) bool {
	for _, it := range items {
		if it.kind != itemWord {
			return false
		}
	}
	return len(items) > 0
}

func itemKey(it item) string {
	if it.kind != itemWord {
		return ""
	}
	return keyOf(it.text)
}

var numberParts = wordSet("point and over a half quarter")

// numberRun is the end of the number words that begin at token i.
func (s *scanner) numberRun(i, end int) int {
	j := i
	for j < end && (numberLike(s.key(j)) || j > i && numberParts[s.key(j)] && j+1 < end && numberLike(s.key(j+1)) || j == i && s.key(j) == "point") {
		j++
	}
	return j
}

// sameNumber replaces the last number by a number, with its unit where one is said.
func (s *scanner) sameNumber(items []item, first, i, end int) (correction, bool) {
	n := s.numberRun(i, end)
	if n == i {
		return correction{}, false
	}
	last := len(items)
	if last > 0 && items[last-1].kind == itemMark {
		last--
	}
	unit := ""
	if n < end {
		unit = s.key(n)
	}
	for to := len(items); to > first; to-- {
		if !numberLike(itemKey(items[to-1])) {
			continue
		}
		from := to - 1
		for from > first && (numberLike(itemKey(items[from-1])) || numberParts[itemKey(items[from-1])] && from-1 > first && numberLike(itemKey(items[from-2]))) && items[from-1].trail == "" {
			from--
		}
		if from > first && itemKey(items[from-1]) == "point" {
			from--
		}
		after := ""
		if to < len(items) {
			after = itemKey(items[to])
		}
		switch {
		case last-to <= longestTail && s.sameTail(items[to:last], n):
			return correction{from: from, to: last, words: i, end: n + last - to, dropped: -1, sure: true, last: true}, true
		case n+2 < end:
			return correction{}, false
		case unit == "":
			return correction{from: from, to: to, words: i, end: n, dropped: -1, sure: true}, true
		case after != "" && (after == unit || s.parallel(after, unit)):
			return s.withUnit(items, from, to, i, n, end)
		case after == "" || end-n > 1:
			return correction{}, false
		}
		return correction{}, false
	}
	return correction{}, false
}

// longestTail is the number of words after a number that are repeated with the new one: "60 year old … 61 year old".
const longestTail = 4

// sameTail says that the words from token n on repeat items, or say what is parallel to them.
func (s *scanner) sameTail(items []item, n int) bool {
	for k, it := range items {
		key := itemKey(it)
		if key == "" || n+k >= len(s.tokens) || key != s.key(n+k) && !s.parallel(key, s.key(n+k)) {
			return false
		}
	}
	return !numberLike(s.key(n + len(items)))
}

// withUnit replaces a number and its unit, and what is said after both where it is parallel as well.
func (s *scanner) withUnit(items []item, from, to, i, n, end int) (correction, bool) {
	fix := correction{from: from, to: to + 1, words: i, end: n + 1, dropped: -1, sure: true}
	if n+1 < end {
		if to+1 >= len(items) || !(itemKey(items[to+1]) == s.key(n+1) || s.parallel(itemKey(items[to+1]), s.key(n+1))) {
			return correction{}, false
		}
		fix.to, fix.end = to+2, n+2
	}
	return fix, true
}

// parallel says that two words stand for one another.
func (s *scanner) parallel(a, b string) bool {
	for _, x := range s.set.parallel[a] {
		for _, y := range s.set.parallel[b] {
			if x == y {
				return true
			}
		}
	}
	these, those := strings.Split(a, "-"), strings.Split(b, "-") // "right-hand-dominant"
	if len(these) != len(those) || len(these) < 2 {
		return false
	}
	for i := range these {
		if these[i] != those[i] && !s.parallel(these[i], those[i]) {
			return false
		}
	}
	return true
}

// sameClass replaces a word by one of its row: man and woman, left and right.
func (s *scanner) sameClass(items []item, first, i, end int) (correction, bool) {
	word, dropped := i, -1
	if end-i == 2 && articles[s.key(i)] {
		word = i + 1
	}
	if end-word != 1 {
		return correction{}, false
	}
	for at := len(items) - 1; at >= first; at-- {
		key := itemKey(items[at])
		if key == "" || key == s.key(word) || !s.parallel(key, s.key(word)) {
			continue
		}
		from := at
		if word > i {
			if at > first && articles[itemKey(items[at-1])] {
				from = at - 1
			} else {
				dropped = i
			}
		}
		return correction{from: from, to: at + 1, words: i, end: end, dropped: dropped, sure: true}, true
	}
	return correction{}, false
}

// lastWord replaces the word right before the command by a parallel one; the sentence goes on after it.
func (s *scanner) lastWord(items []item, first, i, _ int) (correction, bool) {
	at := len(items) - 1
	if at >= first && items[at].kind == itemMark {
		at--
	}
	if at < first || itemKey(items[at]) == s.key(i) || !s.parallel(itemKey(items[at]), s.key(i)) {
		return correction{}, false
	}
	return correction{from: at, to: at + 1, words: i, end: i + 1, dropped: -1, sure: true, last: true}, true
}

var frameWords = wordSet("a an the of in on at to for with and or is was are were by from her his their has had have no not")

// sameFrame replaces words by as many that begin or end alike: "the left knee … the right knee".
func (s *scanner) sameFrame(items []item, first, i, end int) (correction, bool) {
	n := end - i
	if n < 2 {
		return correction{}, false
	}
	for from := len(items) - n; from >= first; from-- {
		same, fits, anchor := 0, true, false
		for k := range n {
			old, said := itemKey(items[from+k]), s.key(i+k)
			switch {
			case old == "":
				fits = false
			case old == said:
				same++
				anchor = anchor || (k == 0 || k == n-1) && (n > 2 || !articles[old])
			case s.parallel(old, said):
				anchor = true
			case frameWords[old] != frameWords[said], frameWords[old] && !(articles[old] && articles[said]):
				fits = false
			}
			if k < n-1 && items[from+k].trail != "" {
				fits = false
			}
		}
		if fits && anchor && same < n && same*2 >= n {
			return correction{from: from, to: from + n, words: i, end: end, dropped: -1, sure: true}, true
		}
	}
	return correction{}, false
}

// sameKind replaces the word right before the command by one of the same kind: a drug by a drug, or what sounds like it.
func (s *scanner) sameKind(items []item, first, i, end int) (correction, bool) {
	if end-i != 1 || len(items) == 0 || len(items)-1 < first {
		return correction{}, false
	}
	said := s.tokens[i].core
	for at := len(items) - 1; at >= first; at-- {
		old := itemKey(items[at])
		if len(old) < 4 || lexicon.English(old) >= 0.9 || old == s.key(i) {
			continue
		}
		drugs := drugLike(old) && drugLike(said)
		last := at == len(items)-1 || at == len(items)-2 && items[len(items)-1].kind == itemMark
		alike := last && lexicon.Distance(old, s.key(i)) <= soundsCorrected
		a, known := lexicon.Default().Find(old)
		b, both := lexicon.Default().Find(said)
		if drugs || alike || last && known && both && a.Kind == b.Kind && a.Kind != lexicon.Other {
			return correction{from: at, to: at + 1, words: i, end: end, dropped: -1, sure: true}, true
		}
	}
	return correction{}, false
}
