package notes

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// writer puts the items of one section on the page and keeps the source of each stretch.
type writer struct {
	s       *scanner
	runs    []Run
	pending *item // a break that is written when something follows it
	space   bool  // the next word stands apart from what is before
	upper   bool  // the next word begins a sentence
	started bool
}

// write sets one item.
func (w *writer) write(it item) {
	switch it.kind {
	case itemBreak:
		w.hold(it)
	case itemWord:
		w.word(it)
	case itemMark, itemClose:
		w.put(it, it.text, false)
		w.space = true
		w.upper = it.kind == itemMark && (strings.ContainsAny(it.text, sentenceEnds)) || it.kind == itemClose && w.upper
	case itemJoin:
		w.put(it, it.text, false)
		w.space = false
	case itemOpen:
		w.put(it, it.text, w.space)
		w.space = false
	case itemNumber:
		w.line()
		w.put(it, it.text, false)
		w.space, w.upper = false, true
	case itemLabel:
		w.line()
		w.put(it, it.text, false)
		w.space, w.upper = true, true
	case itemBlank:
		w.blank(it)
	}
}

// hold keeps a break until something follows; of several the widest is written, with the words of all.
func (w *writer) hold(it item) {
	if w.pending == nil {
		w.pending = &it
		return
	}
	joined := *w.pending
	joined.tokens = append(append([]int{}, joined.tokens...), it.tokens...)
	joined.layout = joined.layout && it.layout
	if len(it.text) > len(joined.text) {
		joined.text = it.text
	}
	w.pending = &joined
}

// line makes sure that what follows begins a line.
func (w *writer) line() {
	if w.started && w.pending == nil {
		w.pending = &item{kind: itemBreak, text: "\n", layout: true}
	}
}

// settle writes the break that is held. At the beginning of a section there is nothing to break.
func (w *writer) settle() {
	if w.pending == nil {
		return
	}
	it := *w.pending
	w.pending = nil
	if !w.started {
		w.s.removeTokens(RemovedCommand, it.tokens)
		return
	}
	source := Source{Kind: FromTemplate}
	if len(it.tokens) > 0 {
		source = w.source(it, it.text)
	}
	w.runs = append(w.runs, Run{Text: it.text, Source: source})
	w.space, w.upper = false, true
}

// put writes text as one run.
func (w *writer) put(it item, text string, space bool) {
	w.settle()
	if space && w.space {
		text = " " + text
	}
	w.runs = append(w.runs, Run{Text: text, Source: w.source(it, text)})
	w.started = true
}

// word writes a word with the engine's marks around it.
func (w *writer) word(it item) {
	w.settle()
	text := w.cased(it)
	w.put(it, it.lead+text+it.trail, true)
	w.space = true
	w.upper = strings.ContainsAny(it.trail, sentenceEnds)
}

// cased writes a word with the capitals that its place asks for.
func (w *writer) cased(it item) string {
	first := !w.started || w.upper
	switch {
	case it.caps == capsAll:
		return strings.ToUpper(it.text)
	case it.caps == capsFirst:
		return capitalised(it.text)
	case first:
		return sentenceCase(it.text)
	case len(it.tokens) > 0 && w.s.falseStart(it.tokens[0]) && it.rule == "":
		return lowered(it.text)
	}
	return it.text
}

// blank writes the mark of a blank.
func (w *writer) blank(it item) {
	w.settle()
	text := "[blank " + clockTime(it.start) + "–" + clockTime(it.end) + "]"
	if w.space {
		text = " " + text
	}
	source := Source{Kind: FromBlank, Start: it.start, End: it.end, Words: it.tokens}
	if len(it.tokens) > 0 {
		source.Said = w.s.heard(it.tokens)
	}
	w.runs = append(w.runs, Run{Text: text, Source: source})
	w.started, w.space = true, true
}

// finish drops a break at the end of the section.
func (w *writer) finish() []Run {
	if w.pending != nil {
		w.s.removeTokens(RemovedCommand, w.pending.tokens)
	}
	if w.runs == nil {
		return []Run{}
	}
	return w.runs
}

// source is where a run's text comes from.
func (w *writer) source(it item, text string) Source {
	src := Source{Kind: FromSpeech, Words: it.tokens, Rule: it.rule}
	src.Start, src.End = w.s.times(it.tokens)
	for i, t := range it.tokens {
		if c := w.s.tokens[t].confidence; i == 0 || c < src.Confidence {
			src.Confidence = c
		}
	}
	if heard := w.s.heard(it.tokens); lettersOf(heard) != lettersOf(text) {
		src.Said = heard
	}
	return src
}

// lettersOf is a text's letters and digits, without case.
func lettersOf(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, text)
}

func capitalised(word string) string {
	r, size := utf8.DecodeRuneInString(word)
	if !unicode.IsLower(r) {
		return word
	}
	return string(unicode.ToUpper(r)) + word[size:]
}

// sentenceCase begins a sentence. Words with capitals inside, like pH, keep their form.
func sentenceCase(word string) string {
	if strings.IndexFunc(word, unicode.IsUpper) > 0 {
		return word
	}
	return capitalised(word)
}

// lowered takes the capital back that the engine gave a word for a sentence that does not begin there.
func lowered(word string) string {
	r, size := utf8.DecodeRuneInString(word)
	if !unicode.IsUpper(r) || strings.IndexFunc(word[size:], unicode.IsUpper) >= 0 || size == len(word) && r != 'A' {
		return word
	}
	return string(unicode.ToLower(r)) + word[size:]
}

// keepCapitals are words with a capital wherever they stand.
var keepCapitals = wordSet("i im ive january february march april may june july august september october november december monday " +
	"tuesday wednesday thursday friday saturday sunday dr mr mrs ms english spanish american african european asian foley babinski " +
	"crohn crohns parkinson parkinsons alzheimer alzheimers graves hodgkin cushing romberg murphy murphys mcburney kernig brudzinski " +
	"tylenol advil motrin lipitor plavix coumadin eliquis xarelto lasix zofran norco percocet ambien xanax zoloft prozac lexapro " +
	"synthroid lantus humalog novolog ozempic jardiance metamucil benadryl zyrtec claritin flonase augmentin keflex bactrim medicare " +
	"medicaid christmas thanksgiving")

// falseStart says that the engine wrote token i with a capital only because it thought that a sentence began there.
func (s *scanner) falseStart(i int) bool {
	if i == 0 || !s.tokens[i-1].endsSentence() || keepCapitals[s.tokens[i].key] || titles[s.key(i-1)] {
		return false
	}
	for j, t := range s.tokens { // written with a capital where no sentence begins: a name
		if j > 0 && j != i && t.key == s.tokens[i].key && !s.tokens[j-1].endsSentence() && t.core != "" && unicode.IsUpper([]rune(t.core)[0]) {
			return false
		}
	}
	return true
}
