package notes

import (
	"regexp"
	"strconv"
	"strings"

	"vesper/transcribe"
)

// obey carries out a command spoken by tokens from up to to, and returns the token after all that belongs to it.
func (s *scanner) obey(c *command, from, to int) int {
	tokens := span(from, to)
	switch c.act {
	case actMark:
		s.mark(c, tokens)
	case actJoin, actDash, actClose:
		kind := map[action]itemKind{actJoin: itemJoin, actDash: itemWord, actClose: itemClose}[c.act]
		if c.act == actDash && numberLike(s.key(from-1)) && numberLike(s.key(to)) { // "seven dash zero silk"
			kind = itemJoin
		}
		s.dropMark()
		s.add(item{kind: kind, text: c.text, tokens: tokens, command: c.name})
		if c.act == actClose && !s.dictates && s.tokens[to-1].endsSentence() && s.newSentence(to) { // the engine's mark ends the sentence
			s.add(item{kind: itemMark, text: ".", layout: true})
		}
	case actOpen:
		s.dropMark()
		s.add(item{kind: itemOpen, text: c.text, tokens: tokens, command: c.name})
	case actLine, actParagraph:
		s.dropComma()
		s.add(item{kind: itemBreak, text: c.text, tokens: tokens, command: c.name})
	case actBullet:
		s.dropComma()
		s.add(item{kind: itemNumber, text: c.text, tokens: tokens, command: c.name})
	case actNextItem:
		s.listNumber++
		s.dropComma()
		s.add(item{kind: itemNumber, text: strconv.Itoa(s.listNumber) + ". ", tokens: tokens, command: c.name})
	case actBlank:
		start, end := s.times(tokens)
		s.add(item{kind: itemBlank, tokens: tokens, start: start, end: end, command: c.name})
	default:
		return s.perform(c, from, to)
	}
	return to
}

// perform carries out the commands that take words with them or take words back.
func (s *scanner) perform(c *command, from, to int) int {
	switch c.act {
	case actCorrect:
		return s.correct(c, from, to)
	case actBlock:
		return s.insertBlock(c, from, to)
	case actNumeral:
		return s.numeral(c, from, to)
	case actSpell:
		return s.spell(c, from, to)
	case actCopy:
		return s.copyTo(c, from, to)
	case actGoBack:
		return s.goBack(from, to)
	}
	s.remove(RemovedCommand, from, to)
	switch c.act {
	case actScratch, actScratchSentence, actScratchWord:
		s.scratch(c.act, from, to)
	case actFlag:
		s.flagThis(from, to)
	case actStat:
		s.stat(from, to)
	case actEnd:
		return s.thanks(to)
	default:
		s.state(c.act)
	}
	return to
}

// thanks takes out the "thank you" after the end of the dictation: it is for the typist.
func (s *scanner) thanks(i int) int {
	if s.key(i) != "thank" && s.key(i) != "thanks" || len(s.tokens)-i > 4 {
		return i
	}
	for t := i; t < len(s.tokens); t++ {
		s.commandOf[t] = "end of dictation"
	}
	s.remove(RemovedCommand, i, len(s.tokens))
	return len(s.tokens)
}

// state carries out the commands that only change how the next words are written.
func (s *scanner) state(a action) {
	switch a {
	case actSection:
		s.dropComma()
		s.open(s.nextSection())
	case actCap:
		s.nextCaps = capsFirst
	case actAllCaps:
		s.nextCaps = capsAll
	case actNoCaps:
		s.nextCaps = capsNone
	case actCapsOn:
		s.held = capsFirst
	case actAllCapsOn:
		s.held = capsAll
	case actNoCapsOn:
		s.held = capsNone
	case actCapsOff:
		s.held = capsAsIs
	}
}

// mark writes a dictated mark. It takes the place of one that the engine wrote; a second dictated one is dropped.
func (s *scanner) mark(c *command, tokens []int) {
	last := s.last()
	begins := last == nil || last.kind == itemBreak || last.kind == itemNumber || last.kind == itemLabel
	if c.text == "?" && (begins || last.kind == itemMark && last.text == ",") { // "question mark pneumonia": a guess
		s.add(item{kind: itemWord, text: c.text, tokens: tokens, command: c.name})
		return
	}
	if begins || last.kind == itemMark {
		s.removeTokens(RemovedCommand, tokens)
		return
	}
	if last.kind == itemBlock && (strings.Contains(last.text, "\n") || strings.HasSuffix(last.text, ".")) {
		s.removeTokens(RemovedCommand, tokens)
		return
	}
	s.dropMark()
	if last.kind == itemWord && c.text == "." && strings.HasSuffix(last.text, ".") {
		s.removeTokens(RemovedCommand, tokens)
		return
	}
	s.add(item{kind: itemMark, text: c.text, tokens: tokens, command: c.name})
}

// dropMark takes back the engine's punctuation after the last word, because a dictated mark stands there.
func (s *scanner) dropMark() {
	if last := s.last(); last != nil && last.kind == itemWord {
		last.trail = strings.Map(func(r rune) rune {
			if strings.ContainsRune(".,;:?!", r) {
				return -1
			}
			return r
		}, last.trail)
	}
}

// dropComma takes back the engine's comma before a break: the speaker's pause made it.
func (s *scanner) dropComma() {
	if last := s.last(); last != nil && last.kind == itemWord {
		last.trail = strings.Trim(last.trail, ",;")
	}
}

// The pauses, in seconds, that end a phrase for "scratch that", and that surely end one.
const (
	phrasePause = 0.5
	surePause   = 1.2
)

// scratch takes back what was said before token i: to the last pause, break or end of a sentence, the last sentence, or
// the last word.
func (s *scanner) scratch(a action, i, to int) {
	items := s.current().items
	from := s.scratchFrom(a, items, to)
	if fix, ok := s.findCorrection(s.afterMarks(to)); ok && a == actScratch && fix.last && fix.from > from {
		from = fix.from // "aspirin 325 mg, strike that, 81 mg": only the dose
	}
	var tokens []int
	kept := items[:from:from]
	for _, it := range items[from:] {
		if it.kind == itemBlank {
			kept = append(kept, it)
			continue
		}
		tokens = append(tokens, it.tokens...)
	}
	s.current().items = kept
	s.removeTokens(RemovedScratched, tokens)
	if len(tokens) > 0 {
		start, end := s.times(tokens)
		s.flags = append(s.flags, newFlag(Flag{
			Kind: FlagScratched, Severity: Notice, Section: s.section, Text: s.heard(tokens), Start: start, End: end,
			Detail: "The speaker took this back with “" + s.heard(span(i, to)) + "”. Restore it if that was not meant.",
		}))
	}
}

// scratchFrom is the first item that is taken back by a command that ends before token to. It is the beginning of the last
// phrase, or of an earlier one of the sentence that begins with the word with which the speaker begins anew.
func (s *scanner) scratchFrom(a action, items []item, to int) int {
	from := len(items)
	if a == actScratchWord {
		for from > 0 && items[from-1].kind != itemWord {
			from--
		}
		return max(0, from-1)
	}
	last := -1 // the beginning of the last phrase
	for ; from > 0; from-- {
		it := items[from-1]
		if it.kind == itemBreak || it.kind == itemNumber || it.kind == itemLabel {
			break
		}
		if from == len(items) {
			continue
		}
		if endsSentenceAt(it, items[from]) {
			break
		}
		if a == actScratch && s.endsPhrase(it, items[from]) {
			if last < 0 {
				last = from
			}
			if itemKey(items[from]) == s.key(to) {
				return from
			}
		}
	}
	if last < 0 || from < len(items) && itemKey(items[from]) == s.key(to) {
		return from
	}
	return last
}

// endsSentenceAt says that a sentence ends between two neighbouring items.
func endsSentenceAt(it, next item) bool {
	ends := strings.ContainsAny(it.trail, sentenceEnds) || it.kind == itemMark && strings.ContainsAny(it.text, sentenceEnds)
	return ends && next.kind != itemMark && next.kind != itemClose
}

// endsPhrase says that the speaker paused between two neighbouring items.
func (s *scanner) endsPhrase(_, next item) bool {
	if next.kind != itemWord || len(next.tokens) == 0 {
		return false
	}
	return s.tokens[next.tokens[0]].pause >= phrasePause
}

var (
	hashNumber = regexp.MustCompile(`^#(\d{1,2})$`)
	soundalike = map[string]int{"won": 1, "to": 2, "too": 2, "for": 4, "fore": 4, "ate": 8}
	listWords  = strings.Fields("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen " +
		"seventeen eighteen nineteen twenty")
	numberBefore = wordSet("the a his her our my your their its room lot phone record batch serial case model account telephone fax license " +
		"this that any no total large small great whose id using with tooth teeth digit bay bed unit page policy order claim call site " +
		"a an of is was and by cell pager extension chart beeper hole size chapter")
	numberAfter = wordSet("cause causes priority concern reason fan blade blades scalpel vicryl ethibond silk suture sutures nylon prolene pds " +
		"chromic monocryl tube foley french needle drain pencil molar bur choice one-oh of in killer risk")
)

// listNumberAt reads "number two", "#2" or "2." at token i; 0 when there is none.
func (s *scanner) listNumberAt(i int) int {
	if i >= len(s.tokens) {
		return 0
	}
	if m := hashNumber.FindStringSubmatch(s.tokens[i].core); m != nil {
		n, _ := strconv.Atoi(m[1])
		return n
	}
	if s.key(i) == "number" && i+1 < len(s.tokens) && !strings.ContainsAny(s.tokens[i].trail, ".?!:;") {
		return s.itemNumber(i + 1)
	}
	t := s.tokens[i]
	if n := smallNumber(t.core); n > 0 && strings.HasPrefix(t.trail, ".") && i+1 < len(s.tokens) && s.newSentence(i+1) {
		return n
	}
	return 0
}

// itemNumber reads the number after "number"; words that sound like the expected number count.
func (s *scanner) itemNumber(i int) int {
	if n := smallNumber(s.key(i)); n > 0 {
		return n
	}
	for n, w := range listWords {
		if s.key(i) == w {
			return n
		}
	}
	if n := soundalike[s.key(i)]; n == s.listNumber+1 {
		return n
	}
	return 0
}

func smallNumber(core string) int {
	if len(core) == 0 || len(core) > 2 {
		return 0
	}
	n, err := strconv.Atoi(core)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// startsItem says that a number at token i begins an item of a list, and is not part of a sentence.
func (s *scanner) startsItem(i, number int) bool {
	if s.key(i) != "number" && !hashNumber.MatchString(s.tokens[i].core) {
		return s.strongBoundary(i) && number == s.listNumber+1 && (number > 1 || s.layoutLists())
	}
	if numberBefore[s.before(i)] || s.key(i) == "number" && numberAfter[s.after(i+2)] {
		return false
	}
	return number == s.listNumber+1 || s.boundary(i)
}

// layoutLists says that the section is laid out as a list.
func (s *scanner) layoutLists() bool {
	section, ok := s.tpl.Section(s.section)
	return ok && (section.Layout == "numbered" || section.Layout == "list")
}

// listItem begins an item of a list. A mark dictated after its number belongs to the number.
func (s *scanner) listItem(i, number int) int {
	end := i + 1
	if s.key(i) == "number" {
		end = i + 2
	}
	if c, n := s.commandAt(end); c != nil && c.act == actMark && c.text != "?" {
		end += n
	} else if colonForms[s.key(end)] && s.tokens[end].mark() != "" {
		end++
	}
	s.listNumber = number
	s.dropComma()
	s.add(item{kind: itemNumber, text: strconv.Itoa(number) + ". ", tokens: span(i, end), command: "number"})
	return end
}

// unheardSpans are the spans in which somebody speaks and no words came of it, in order.
func unheardSpans(spans []transcribe.Span) []transcribe.Span {
	var out []transcribe.Span
	for _, sp := range spans {
		if sp.Kind == transcribe.SpanUnheard && finite(sp.End) > finite(sp.Start) {
			out = append(out, sp)
		}
	}
	return out
}

// placeBlanks writes the blanks that lie before a time; all that are left when the time is negative.
func (s *scanner) placeBlanks(before float64) {
	for len(s.blanks) > 0 && (before < 0 || (s.blanks[0].Start+s.blanks[0].End)/2 <= before) {
		s.add(item{kind: itemBlank, start: s.blanks[0].Start, end: s.blanks[0].End})
		s.blanks = s.blanks[1:]
	}
}
