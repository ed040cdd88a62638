package transcribe

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"

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
	promptTokens  = 165
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
	Questions []TracedQuestion
}

// TracedQuestion asks whether Words[Word] is Other.
type TracedQuestion struct {
	Word         int
	Kind         DoubtKind
	Heard, Other string
	Margin       float64
}

// TracedProposal would replace Words[First:Last] by Text.
type TracedProposal struct {
	First, Last int
	Heard, Text string
	Kind        string
	Features
	Accepted bool
}

func traced(words []said, proposals []proposal, asked []question) Trace {
	var t Trace
	for _, w := range words {
		t.Words = append(t.Words, w.text)
	}
	for _, p := range proposals {
		t.Proposals = append(t.Proposals, TracedProposal{
			p.first, p.last, p.heard, p.text, string(p.term.Kind), p.Features, p.judge() > 0,
		})
	}
	for _, q := range asked {
		t.Questions = append(t.Questions, TracedQuestion{q.word, q.kind, q.heard, q.other, q.margin})
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
	Plain    bool    // it brings no term: the second pass only went another way
	Part     bool    // the term is only a part of the new words
	Outdone  bool    // another drug sounds clearly more like what was heard
	Guarded  bool    // it touches a negation, a side, a unit: never done without a person
}

// examine makes the text of a segment as good as it gets: the second pass, and the questions about risk words. What it
// changed and what it doubts stands in s.doubts.
func (r *run) examine(ctx context.Context, e *ear, s *segment) error {
	words := saidWords(s.Tokens)
	proposals, err := r.second(ctx, e, s, words)
	if err != nil {
		return err
	}
	asked := r.questions(words)
	if err := r.verify(ctx, e, s, proposals, asked); err != nil {
		return err
	}
	checked, err := r.crossCheck(ctx, e, s, words)
	if err != nil {
		return err
	}
	if r.trace != nil {
		r.trace(traced(words, proposals, asked))
	}
	r.settleWords(s, proposals, asked, checked)
	return nil
}

// second listens again, told of the terms that sound like the first text, and returns the changes that may be worth it.
func (r *run) second(ctx context.Context, e *ear, s *segment, words []said) ([]proposal, error) {
	if r.lexicon == nil {
		return nil, nil
	}
	known, style := r.lexicon, ""
	if speaksCommands(words) {
		known, style = known.With(commandTerms...), commandStyle
	}
	near := r.nearTerms(known, words)
	if len(near) == 0 {
		return nil, nil
	}
	told := e.context
	told.Prompt = r.glossary(style, near)
	found, err := e.hearing.Decode(ctx, DecodeOptions{Context: told, Beams: r.settings.Beams})
	if err != nil {
		return nil, err
	}
	proposals := r.merge(near, r.changes(words, saidWords(found[0].Tokens)))
	base := s.IDs()
	scores, err := e.hearing.Score(ctx, told, base, editsOf(proposals, base))
	if err != nil {
		return nil, err
	}
	for i := range proposals {
		proposals[i].Told = proposals[i].gain(scores, i, base)
	}
	for i := range proposals {
		p := &proposals[i]
		p.Rival = rival(proposals, i)
		p.Outdone = p.Drug && p.judge() > 0 && r.outdone(*p)
	}
	if r.trace != nil {
		return proposals, nil
	}
	return slices.DeleteFunc(proposals, func(p proposal) bool { return p.judge() <= suggestFrom && !p.secondReading() }), nil
}

// outdone says that a drug other than the proposed one sounds clearly more like what was heard.
func (r *run) outdone(p proposal) bool {
	if p.Distance <= outdoneBy {
		return false
	}
	return slices.ContainsFunc(r.lexicon.Near(p.heard, p.Distance-outdoneBy, nearPerSpan), func(m lexicon.Match) bool {
		return m.Term.Kind.Drug() && !strings.Contains(strings.ToLower(p.text), strings.ToLower(m.Term.Text))
	})
}

// rival is the best Told of the other proposals for some of the same words, −99 if there are none.
func rival(proposals []proposal, i int) float64 {
	p, best := proposals[i], -99.0
	for k, q := range proposals {
		if k != i && q.first < p.last && p.first < q.last && !strings.EqualFold(q.term.Text, p.term.Text) {
			best = max(best, q.Told)
		}
	}
	return best
}

// verify scores changes and readings as the model hears them when nobody tells it anything.
func (r *run) verify(ctx context.Context, e *ear, s *segment, proposals []proposal, asked []question) error {
	base := s.IDs()
	edits := editsOf(proposals, base)
	for _, q := range asked {
		edits = append(edits, Edit{At: q.from, Tokens: behind(q.tokens, base, q.to)})
	}
	scores, err := e.hearing.Score(ctx, e.context, base, edits)
	if err != nil {
		return err
	}
	s.rivals = r.readings(scores.Rivals)
	for i := range proposals {
		proposals[i].Alone = proposals[i].gain(scores, i, base)
	}
	for i := range asked {
		q := &asked[i]
		q.margin = sum(scores.Base[q.from:min(len(base), q.to+suffixTokens)]) - sum(scores.Edits[len(proposals)+i])
	}
	return nil
}

func editsOf(proposals []proposal, base []int) []Edit {
	edits := make([]Edit, len(proposals))
	for i, p := range proposals {
		edits[i] = Edit{At: p.from, Tokens: behind(p.tokens, base, p.to)}
	}
	return edits
}

// gain is how much likelier the text becomes by proposal i.
func (p *proposal) gain(scores Scores, i int, base []int) float64 {
	return sum(scores.Edits[i]) - sum(scores.Base[p.from:min(len(base), p.to+suffixTokens)])
}

// behind is a reading and a few tokens of the text after it.
func behind(tokens, base []int, to int) []int {
	out := slices.Clone(tokens[:min(len(tokens), longestEdit-suffixTokens)])
	return append(out, base[to:min(len(base), to+suffixTokens)]...)
}

func sum(v []float64) float64 {
	var s float64
	for _, x := range v {
		s += x
	}
	return s
}

// settleWords makes the accepted changes, the best first where they overlap, and notes them, the suggestions that stayed
// below the bar, and the risk words that were not heard clearly, where nothing was changed.
func (r *run) settleWords(s *segment, proposals []proposal, asked []question, checked []risky) {
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
		case p.judge() > suggestFrom && !p.Plain, p.secondReading():
			suggested = append(suggested, p)
		}
	}
	for _, d := range apart(r.doubtsOf(s, suggested, asked), checked) {
		changed := slices.ContainsFunc(kept, func(p proposal) bool { return p.from < d.to && d.from < p.to })
		if !changed {
			s.doubts = append(s.doubts, d.moved(kept))
		}
	}
	for _, p := range kept {
		d := p.doubt()
		d.heard, d.other, d.margin, d.repaired = d.other, d.heard, p.Told, true
		d = d.moved(kept)
		d.to = d.from + len(p.tokens)
		s.doubts = append(s.doubts, d)
	}
	slices.SortStableFunc(s.doubts, func(a, b risky) int { return a.from - b.from })
	slices.SortFunc(kept, func(a, b proposal) int { return b.from - a.from }) // from the end, so that places stay right
	for _, p := range kept {
		tokens := make([]Token, len(p.tokens))
		for i, id := range p.tokens {
			tokens[i] = Token{ID: id, Text: r.engine.Bytes(id), LogP: -math.Log1p(math.Exp(-p.judge())), End: -1}
		}
		s.Tokens = slices.Replace(s.Tokens, p.from, p.to, tokens...)
	}
}

func (p proposal) doubt() risky {
	d := risky{kind: DoubtTerm, heard: p.heard, other: trimmed(p.text), margin: -p.Told, from: p.from, to: p.to}
	switch {
	case p.Guarded || p.Figures:
		d.kind = riskKind(p.heard, p.text)
	case p.Drug:
		d.kind = DoubtDrug
	}
	return d
}

// moved is the doubt in its place after the changes are made.
func (d risky) moved(kept []proposal) risky {
	shift := 0
	for _, q := range kept {
		if q.from < d.from {
			shift += len(q.tokens) - (q.to - q.from)
		}
	}
	d.from, d.to = d.from+shift, d.to+shift
	return d
}
