package notes

import (
	"strings"

	"vesper/notes/numbers"
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
		w.upper = it.kind == itemMark && strings.ContainsAny(it.text, sentenceEnds) || it.kind == itemClose && w.upper
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
	case itemBlock:
		w.block(it)
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
	w.runs = append(w.runs, Run{Text: it.text, Source: w.source(it, it.text)})
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
	case it.caps == capsNone:
		return strings.ToLower(it.text)
	case first:
		return sentenceCase(it.text)
	case len(it.tokens) > 0 && (it.rule == "" || it.rule == numbers.Spelling) && w.s.falseCapital(it.tokens[0]):
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
	source := Source{Kind: FromBlank, Start: it.start, End: it.end, Command: it.command}
	if len(it.tokens) > 0 {
		source.Said, source.Words = w.s.heard(it.tokens), w.s.words(it.tokens)
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
	if len(it.tokens) == 0 {
		return Source{Kind: FromTemplate}
	}
	src := Source{Kind: FromSpeech, Words: w.s.words(it.tokens), Rule: it.rule, Command: it.command}
	src.Start, src.End = w.s.times(it.tokens)
	for i, t := range it.tokens {
		if c := w.s.tokens[t].confidence; i == 0 || c < src.Confidence {
			src.Confidence = c
		}
	}
	if heard := w.s.heard(it.tokens); it.rule != "" || lettersOf(heard) != lettersOf(text) {
		src.Said = heard
	}
	return src
}
