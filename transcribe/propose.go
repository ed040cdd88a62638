package transcribe

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"vesper/internal/lexicon"
)

func trimmed(word string) string {
	return strings.TrimFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// tail is the punctuation that a word ends with.
func tail(word string) string {
	return word[len(strings.TrimRightFunc(word, func(r rune) bool { return strings.ContainsRune(".,;:?!", r) })):]
}

// nearTerms proposes the terms that sound like one to four words in a row.
func (r *run) nearTerms(known *lexicon.Lexicon, words []said) []proposal {
	var out []proposal
	for i := range words {
		for n := 1; n <= longestSpan && i+n <= len(words); n++ {
			if n > 1 && tail(words[i+n-2].text) != "" {
				break // a term does not reach over a comma
			}
			span := words[i : i+n]
			if !r.doubtful(span) {
				continue
			}
			heard := joinSaid(span)
			if _, is := known.Find(heard); is && n == 1 && span[0].logp > -0.1 {
				continue
			}
			for _, m := range known.Near(heard, nearest, nearPerSpan) {
				if strings.EqualFold(m.Term.Text, heard) || !plausible(heard, m) {
					continue
				}
				out = append(out, r.propose(words, i, i+n, m.Term, m.Distance))
			}
		}
	}
	return out
}

// plausible leaves out terms that are much shorter or longer than what was heard, and brands that hide in plain English.
func plausible(heard string, m lexicon.Match) bool {
	if m.Term.Kind == lexicon.Unit {
		return false // units are asked about, never proposed
	}
	if m.Term.Kind.Drug() && !slices.ContainsFunc(strings.Fields(m.Term.Text), func(w string) bool { return lexicon.English(w) < plainEnglish }) {
		return false // a brand made of everyday words: the words are likelier meant as such
	}
	letters := utf8.RuneCountInString(m.Term.Text)
	return letters >= 4 && letters*2 >= len(heard) && letters <= len(heard)*2+2
}

// doubtful says that a stretch may be something else: not each word in it is sure and plain English.
func (r *run) doubtful(span []said) bool {
	for _, w := range span {
		if lexicon.English(trimmed(w.text)) < plainEnglish || w.logp < sureLog {
			return !allFigures(span)
		}
	}
	return false
}

func allFigures(span []said) bool {
	return !slices.ContainsFunc(span, func(w said) bool { return strings.ContainsFunc(w.text, unicode.IsLetter) })
}

func joinSaid(span []said) string {
	parts := make([]string, 0, len(span))
	for _, w := range span {
		parts = append(parts, trimmed(w.text))
	}
	return strings.Join(parts, " ")
}

// propose makes a proposal out of a term: in the case and with the punctuation of the words it replaces.
func (r *run) propose(words []said, first, last int, term lexicon.Term, distance float64) proposal {
	text := term.Text
	if begin, _ := utf8.DecodeRuneInString(words[first].text); unicode.IsUpper(begin) {
		head, size := utf8.DecodeRuneInString(text)
		text = string(unicode.ToUpper(head)) + text[size:]
	}
	p := proposal{first: first, last: last, heard: joinSaid(words[first:last]), term: term, text: text + tail(words[last-1].text)}
	p.Distance = distance
	p.finish(r, words)
	return p
}

func (p *proposal) finish(r *run, words []said) {
	p.from, p.to = words[p.first].from, words[p.last-1].to
	p.tokens = r.engine.Encode(" " + p.text)
	p.English, p.Surest = 1, 0
	for _, w := range words[p.first:p.last] {
		p.English = min(p.English, lexicon.English(trimmed(w.text)))
		p.Surest = min(p.Surest, w.logp)
	}
	p.WasTerm, p.Guarded, p.Figures = r.isTerm(words[p.first:p.last]), guarded(p.heard) != guarded(p.text), figures(p.heard) != figures(p.text)
	p.Known = slices.ContainsFunc(r.settings.Terms, func(t lexicon.Term) bool { return strings.EqualFold(t.Text, p.term.Text) })
	p.Weight, p.Drug, p.Length = p.term.Weight, p.term.Kind.Drug(), utf8.RuneCountInString(p.term.Text)
}

// isTerm says that a word is a term of the lexicon as it stands, or that a drug is among several.
func (r *run) isTerm(words []said) bool {
	if _, ok := r.lexicon.Find(joinSaid(words)); ok {
		return true
	}
	return slices.ContainsFunc(words, func(w said) bool {
		t, ok := r.lexicon.Find(trimmed(w.text))
		return ok && t.Kind.Drug() && lexicon.English(trimmed(w.text)) == 0
	})
}

// guarded lists the words of a text that no second pass may take away or bring in: what denies, where, how much, how often.
func guarded(text string) string {
	var out []string
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return unicode.IsSpace(r) || r == '-' || r == '/' }) {
		if w = trimmed(w); guardedWords[w] {
			out = append(out, w)
		}
	}
	return strings.Join(out, " ")
}

var guardedWords = wordSet(`no not denies without negative positive left right upper lower medial lateral anterior posterior
	proximal distal bilateral mg mcg g ml mm cm milligrams micrograms milligram microgram milliliters grams units millimeters
	centimeters once twice times hourly daily weekly bid tid qid increase decrease increased decreased one two three four five
	six seven eight nine ten twelve twenty thirty forty fifty sixty seventy eighty ninety hundred thousand`)

func wordSet(list string) map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		out[w] = true
	}
	return out
}

// figures are the digits of a text.
func figures(text string) string {
	return strings.Map(func(r rune) rune {
		if notDigit(r) {
			return -1
		}
		return r
	}, text)
}

// glossary is the prompt of the second pass: the nearest terms, the best last, because the model heeds the end most.
func (r *run) glossary(style string, candidates []proposal) []int {
	sorted := slices.Clone(candidates)
	slices.SortStableFunc(sorted, func(a, b proposal) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), strings.Compare(a.term.Text, b.term.Text))
	})
	var names []string
	seen := map[string]bool{}
	add := func(text string) {
		if key := strings.ToLower(text); !seen[key] && len(names) < mostPrompted {
			seen[key] = true
			names = append(names, text)
		}
	}
	for _, t := range r.settings.Terms[:min(len(r.settings.Terms), mostKnown)] {
		add(t.Text)
	}
	for _, p := range sorted {
		add(p.term.Text)
	}
	if len(names) == 0 {
		return nil
	}
	slices.Reverse(names)
	prompt := r.engine.Encode(" " + strings.Join(names, ", ") + "." + style)
	if len(prompt) > promptTokens {
		prompt = prompt[len(prompt)-promptTokens:]
	}
	return append(slices.Clone(r.context().Prompt), prompt...)
}

// rank orders terms for the prompt: near ones first, and those that stand for words that were hard to hear.
func (p proposal) rank() float64 {
	return p.Distance + 0.3*p.English + 0.02*max(p.Surest, -5) - 0.05*p.Weight
}

// changes lists where the second pass wrote something else.
func (r *run) changes(first, second []said) []proposal {
	var out []proposal
	for _, b := range differences(first, second) {
		if b = b.withNeighbour(first, second); b.i1 == b.i2 || b.j1 == b.j2 || b.i2-b.i1 > longestSpan+1 || b.j2-b.j1 > longestSpan+1 {
			continue
		}
		heard, text := joinSaid(first[b.i1:b.i2]), joinSaid(second[b.j1:b.j2])
		if strings.EqualFold(heard, text) {
			continue
		}
		term, known := r.lexicon.Find(text)
		part := !known
		if !known {
			term = lexicon.Term{Text: text, Kind: lexicon.Other}
			for _, w := range second[b.j1:b.j2] {
				t, ok := r.lexicon.Find(trimmed(w.text))
				if ok && lexicon.English(trimmed(w.text)) < plainEnglish && (!known || t.Kind.Drug()) {
					term.Kind, term.Weight, known = t.Kind, t.Weight, true
				}
			}
		}
		if !r.allWords(second[b.j1:b.j2]) {
			continue
		}
		p := proposal{first: b.i1, last: b.i2, heard: heard, term: term}
		parts := make([]string, 0, b.j2-b.j1)
		for _, w := range second[b.j1:b.j2] {
			parts = append(parts, w.text)
		}
		p.text = strings.Join(parts, " ")
		p.Distance, p.Second, p.Plain, p.Part = lexicon.Distance(heard, text), true, !known, part && known
		p.finish(r, first)
		out = append(out, p)
	}
	return out
}

// allWords says that every word is one: of the lexicon, of plain English, or a figure.
func (r *run) allWords(words []said) bool {
	return !slices.ContainsFunc(words, func(w said) bool {
		t := trimmed(w.text)
		return t != "" && lexicon.English(t) == 0 && !r.lexicon.Has(strings.ToLower(t)) && strings.ContainsFunc(t, unicode.IsLetter)
	})
}

// merge joins the two lists; a term that both propose for the same words is one proposal.
func (r *run) merge(near, changed []proposal) []proposal {
	out := changed
	for _, p := range near {
		same := slices.IndexFunc(changed, func(c proposal) bool {
			return c.first == p.first && c.last == p.last && strings.EqualFold(trimmed(c.text), trimmed(p.text))
		})
		if same < 0 {
			out = append(out, p)
		}
	}
	slices.SortStableFunc(out[len(changed):], func(a, b proposal) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), a.first-b.first)
	})
	return out[:min(len(out), mostProposals)]
}
