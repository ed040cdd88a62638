package transcribe

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"vesper/internal/lexicon"
)

// The second pass. What the first pass wrote is compared by sound with the lexicon; the terms that come near are told to
// the model as words that came before, and it decodes the same audio again. Each place where that changes the text, and
// each place where a term sounds like the words there, becomes a proposal. Proposals are judged by how the model scores
// them against the first text, without being told and being told, and by how they sound; see judge.

const (
	nearest       = 0.34  // distance by sound up to which a term is considered
	nearPerSpan   = 3     // terms considered for one stretch of words
	longestSpan   = 4     // words that may turn out to be one term
	mostPrompted  = 40    // terms told to the model for one segment
	suffixTokens  = 6     // tokens after a change that are scored with it: a wrong word makes the next ones unlikely too
	plainEnglish  = 0.35  // commonness from which a word counts as plain English
	sureLog       = -0.03 // log probability (97 %) from which a plain English word is left alone
	mostKnown     = 20    // terms known for the dictation that are told whether or not they were heard
	promptTokens  = 200
	longestEdit   = 56 // tokens
	mostProposals = 120
)

// said is a word in a row of tokens.
type said struct {
	text     string // with its punctuation
	from, to int    // tokens
	logp     float64
}

// words groups tokens into words as assembleWords does.
func saidWords(tokens []Token) []said {
	var out []said
	for i, t := range tokens {
		starts := len(out) == 0 || startsWord(t.Text) && (isSpoken(t.Text) || len(strings.TrimSpace(string(t.Text))) > 1)
		if starts {
			out = append(out, said{from: i})
		}
		w := &out[len(out)-1]
		w.text += string(t.Text)
		w.to = i + 1
		if isSpoken(t.Text) {
			w.logp = min(w.logp, t.LogP)
		}
	}
	for i := range out {
		out[i].text = strings.TrimSpace(out[i].text)
	}
	return out
}

// proposal is a change to a text: words [first,last) would become a term.
type proposal struct {
	first, last int // words
	from, to    int // tokens
	heard       string
	text        string // the new words
	tokens      []int  // and their tokens
	term        lexicon.Term
	Features
}

// Trace is what one second pass considered, for fitting the judge.
type Trace struct {
	Words     []string // of the first pass
	Proposals []TracedProposal
}

// TracedProposal would replace Words[First:Last] by Text.
type TracedProposal struct {
	First, Last int
	Heard, Text string
	Kind        string
	Features
	Accepted bool
}

func traced(words []said, proposals []proposal) Trace {
	var t Trace
	for _, w := range words {
		t.Words = append(t.Words, w.text)
	}
	for _, p := range proposals {
		t.Proposals = append(t.Proposals, TracedProposal{
			p.first, p.last, p.heard, p.text, string(p.term.Kind), p.Features, p.judge() > 0,
		})
	}
	return t
}

// Features are what a proposal is judged by.
type Features struct {
	Distance float64 // by sound, 0…1
	Alone    float64 // how much likelier than the first text the model finds it, without being told of the term; nats
	Told     float64 // the same, told of all candidates
	Second   bool    // the second pass wrote it
	English  float64 // how common the words it replaces are, the rarest counts
	Surest   float64 // log probability of the least likely token it replaces
	Weight   float64 // of the term
	Known    bool    // the term is known for this dictation: the author's, the patient's
	Drug     bool
	Length   int     // letters of the term
	Rival    float64 // Told of the best other proposal for some of the same words, −99 if there is none
	WasTerm  bool    // the words it replaces are a term themselves, or hold a drug
	Figures  bool    // it takes figures away
	Guarded  bool    // it touches a negation, a side, a unit: never done without a person
}

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
	for _, w := range strings.Fields(strings.ToLower(text)) {
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

// refine runs the second pass over a segment and applies the changes that pass the judge.
func (r *run) refine(ctx context.Context, e *ear, s *segment) error {
	words := saidWords(s.Tokens)
	known, style := r.lexicon, ""
	if speaksCommands(words) {
		known, style = known.With(commandTerms...), commandStyle
	}
	near := r.nearTerms(known, words)
	if len(near) == 0 {
		return nil
	}
	told := e.context
	told.Prompt = r.glossary(style, near)
	found, err := e.hearing.Decode(ctx, DecodeOptions{Context: told, Beams: r.settings.Beams, Mask: r.mask})
	if err != nil {
		return err
	}
	proposals := r.merge(near, r.changes(words, saidWords(found[0].Tokens)))
	if err := r.score(ctx, e, s, told, proposals); err != nil {
		return err
	}
	if r.trace != nil {
		r.trace(traced(words, proposals))
	}
	r.apply(s, proposals)
	return nil
}

// changes lists where the second pass wrote something else.
func (r *run) changes(first, second []said) []proposal {
	var out []proposal
	for _, b := range differences(first, second) {
		if b.i1 == b.i2 || b.j1 == b.j2 || b.i2-b.i1 > longestSpan+1 || b.j2-b.j1 > longestSpan+1 {
			continue
		}
		heard, text := joinSaid(first[b.i1:b.i2]), joinSaid(second[b.j1:b.j2])
		if strings.EqualFold(heard, text) {
			continue
		}
		term, known := r.lexicon.Find(text)
		if !known {
			term = lexicon.Term{Text: text, Kind: lexicon.Other}
			for _, w := range second[b.j1:b.j2] {
				t, ok := r.lexicon.Find(trimmed(w.text))
				if ok && lexicon.English(trimmed(w.text)) < plainEnglish && (!known || t.Kind.Drug()) {
					term.Kind, term.Weight, known = t.Kind, t.Weight, true
				}
			}
		}
		if !known || !r.allWords(second[b.j1:b.j2]) {
			continue
		}
		p := proposal{first: b.i1, last: b.i2, heard: heard, term: term}
		parts := make([]string, 0, b.j2-b.j1)
		for _, w := range second[b.j1:b.j2] {
			parts = append(parts, w.text)
		}
		p.text = strings.Join(parts, " ")
		p.Distance, p.Second = lexicon.Distance(heard, text), true
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

// score asks the engine how likely each proposal is, with and without being told of the terms.
func (r *run) score(ctx context.Context, e *ear, s *segment, told Context, proposals []proposal) error {
	base := s.IDs()
	edits := make([]Edit, len(proposals))
	for i, p := range proposals {
		edits[i] = Edit{At: p.from, Tokens: behind(p.tokens, base, p.to)}
	}
	for _, c := range []Context{e.context, told} {
		scores, err := e.hearing.Score(ctx, c, base, edits)
		if err != nil {
			return err
		}
		for i := range proposals {
			p := &proposals[i]
			gain := sum(scores.Edits[i]) - sum(scores.Base[p.from:p.from+len(p.replaced(base))])
			if len(c.Prompt) == len(e.context.Prompt) {
				p.Alone = gain
			} else {
				p.Told = gain
			}
		}
	}
	for i := range proposals {
		p := &proposals[i]
		p.Rival = -99
		for k, q := range proposals {
			if k != i && q.first < p.last && p.first < q.last && !strings.EqualFold(q.term.Text, p.term.Text) {
				p.Rival = max(p.Rival, q.Told)
			}
		}
	}
	return nil
}

// replaced is the part of the base that an edit competes with: the words it replaces and a few tokens after them.
func (p *proposal) replaced(base []int) []int { return base[p.from:min(len(base), p.to+suffixTokens)] }

func sum(v []float64) float64 {
	var s float64
	for _, x := range v {
		s += x
	}
	return s
}

// apply makes the accepted changes, the best first where they overlap, and notes them, and the suggestions that stayed
// below the bar where nothing was changed.
func (r *run) apply(s *segment, proposals []proposal) {
	sorted := slices.Clone(proposals)
	slices.SortStableFunc(sorted, func(a, b proposal) int {
		return cmp.Or(cmp.Compare(b.judge(), a.judge()), cmp.Compare(a.from, b.from))
	})
	var kept, suggested []proposal
	for _, p := range sorted {
		overlaps := func(q proposal) bool { return q.from < p.to && p.from < q.to }
		switch {
		case slices.ContainsFunc(kept, overlaps) || slices.ContainsFunc(suggested, overlaps):
		case p.judge() > 0:
			kept = append(kept, p)
		case p.judge() > suggestFrom:
			suggested = append(suggested, p)
		}
	}
	slices.SortFunc(kept, func(a, b proposal) int { return b.from - a.from }) // from the end, so that places stay right
	for _, p := range kept {
		tokens := make([]Token, len(p.tokens))
		for i, id := range p.tokens {
			tokens[i] = Token{ID: id, Text: r.engine.Bytes(id), LogP: p.Surest, End: -1}
		}
		s.Tokens = slices.Replace(s.Tokens, p.from, p.to, tokens...)
	}
	for _, p := range append(kept, suggested...) {
		d := risky{kind: DoubtTerm, heard: p.heard, other: trimmed(p.text), margin: -p.Told, from: p.from, to: p.to}
		if p.Drug {
			d.kind = DoubtDrug
		}
		for _, q := range kept {
			if q.from < p.from {
				d.from, d.to = d.from+len(q.tokens)-(q.to-q.from), d.to+len(q.tokens)-(q.to-q.from)
			}
		}
		if p.judge() > 0 {
			d.to = d.from + len(p.tokens)
			d.heard, d.other, d.margin, d.repaired = d.other, d.heard, p.Told, true
		}
		s.doubts = append(s.doubts, d)
	}
}

// suggestFrom is the judgement from which a change that is not made is shown to a person.
const suggestFrom = -2.0

// judge is above 0 for a proposal that should be made. The figures are those of a logistic regression over what the second
// pass proposed on the dictations that may be used for fitting (bench/asr/fit); changes that would harm count three times.
// A drug must be surer than other terms. Some changes are never made without a person, however sure.
func (p proposal) judge() float64 {
	if p.Guarded || p.Distance > farthest || p.WasTerm && (p.last-p.first == 1 || p.Told < 6) {
		return never
	}
	if in := figures(p.text); in != "" && in != figures(p.heard) {
		return never
	}
	told, rival := clamp(p.Told, -12, 12), clamp(p.Rival, -12, 12)
	z := -3.08 + 0.250*told + 0.041*clamp(p.Alone, -25, 5) + 0.75*p.Distance + 0.22*p.English -
		1.34*max(p.Surest, -4) + 0.51*p.Weight - 0.083*clamp(told-rival, -12, 12) + 0.082*float64(min(p.Length, 14))
	if p.Known {
		z++ // not fitted: the dictations for fitting come without a patient
	}
	if p.Second {
		z += 1.11
	}
	if p.Figures {
		z += 1.27
	}
	if p.Drug {
		z += 0.78 - surerDrug
	}
	return z
}

const (
	farthest  = 0.36
	never     = -99.0
	surerDrug = 0.85 // 70 % where other terms need 50 %
)

func clamp(v, low, high float64) float64 { return min(max(v, low), high) }
