package notes

import (
	"strings"

	"vesper/internal/lexicon"
)

// sounding is a wording to compare by sound.
type sounding struct {
	text   string
	folded string // its letters, folded, for a first and cheap look
	words  int
}

// soundPhrase is a command that may be recognised by sound.
type soundPhrase struct {
	sounding
	command *command
}

// soundHit is a command that tokens sound like.
type soundHit struct {
	command *command
	words   int
}

func newSounding(text string) sounding {
	words := strings.Fields(text)
	return sounding{text: text, folded: soundOf(strings.Join(words, "")), words: len(words)}
}

// How far apart a command and what was heard may sound (lexicon.Distance), fitted on transcripts of the base model.
const (
	farWord     = 0.35 // one word that is no word of English or medicine
	farShort    = 0.30 // the same for a command of less than six letters
	farRepeated = 0.50 // such a word, often repeated, always before a pause or a mark
	farPhrase   = 0.20 // two or more words
	farWithin   = 0.10 // the same, without a mark or a pause before them
	farFolded   = 0.50 // share of the folded letters that may differ before sounds are compared at all
	mostRepeats = 3    // times that a word must be said to count as often
)

// oddWord says that a word is neither English nor a term of medicine: an engine made it up.
func oddWord(key string) bool {
	if len(key) < 4 || strings.ContainsAny(key, "0123456789") || lexicon.English(key) > 0 {
		return false
	}
	return !lexicon.Default().Has(key) && !drugLike(key)
}

// hear looks for commands that the engine misheard, by sound. It only proposes: the rules of the command decide.
func (s *scanner) hear() {
	s.bySound, s.repeats = map[int]soundHit{}, map[string]bool{}
	odd, times := map[string]bool{}, map[string]int{}
	for i, t := range s.tokens {
		if _, seen := odd[t.key]; !seen {
			odd[t.key] = oddWord(t.key)
		}
		if s.aloneAfter(i + 1) {
			times[t.key]++
		} else {
			times[t.key] -= len(s.tokens)
		}
	}
	for key, n := range times {
		s.repeats[key] = n > 1
	}
	nearest := map[string]*command{}
	for i, t := range s.tokens {
		if odd[t.key] {
			c, known := nearest[t.key]
			if !known {
				c = s.nearestWord(t.key, times[t.key] >= mostRepeats)
				nearest[t.key] = c
			}
			if c != nil && s.aloneAt(i, i+1) && !titles[s.key(i-1)] {
				s.bySound[i] = soundHit{c, 1}
				continue
			}
		}
		if hit, ok := s.nearestPhrase(i, odd); ok {
			s.bySound[i] = hit
		}
	}
}

// nearestWord is the command of one word that a word sounds like.
func (s *scanner) nearestWord(key string, repeated bool) *command {
	var best *command
	nearest := 1.0
	for _, p := range s.set.sounds {
		if p.words > 1 {
			continue
		}
		far := farWord
		if len(p.text) < 6 {
			far = farShort
		}
		if repeated && p.command.act == actMark {
			far = farRepeated
		}
		if d := lexicon.Distance(key, p.text); d <= far && d < nearest {
			best, nearest = p.command, d
		}
	}
	return best
}

// nearestPhrase is the command of several words that tokens from i on sound like.
func (s *scanner) nearestPhrase(i int, odd map[string]bool) (soundHit, bool) {
	far := farPhrase
	if i > 0 && s.tokens[i-1].mark() == "" && s.tokens[i].pause < setOff && !markWord[s.key(i-1)] {
		far = farWithin
	}
	joined, best, nearest := "", soundHit{}, 1.0
	for n := 1; n <= 4 && i+n <= len(s.tokens); n++ {
		joined += s.key(i + n - 1)
		if n > 1 && s.tokens[i+n-2].mark() != "" {
			break
		}
		if n == 1 && !odd[joined] || len(joined) < 6 || !s.aloneAfter(i+n) && !s.newSentence(i+n) {
			continue
		}
		folded := soundOf(joined)
		for _, p := range s.set.sounds {
			if p.words < 2 || folded[:min(1, len(folded))] != p.folded[:1] || abs(len(folded)-len(p.folded))*3 > len(p.folded) ||
				soundDistance(folded, p.folded) > farFolded*float64(len(p.folded)) {
				continue
			}
			if d := lexicon.Distance(plainWords(s.tokens[i:i+n]), p.text); d <= far && d < nearest {
				best, nearest = soundHit{p.command, n}, d
			}
		}
	}
	return best, best.command != nil
}

var markWord = wordSet("period comma colon stop semicolon")

// aloneAfter says that a mark of the engine, a pause or the end stands before token j.
func (s *scanner) aloneAfter(j int) bool {
	return j >= len(s.tokens) || s.tokens[j-1].mark() != "" || s.tokens[j].pause >= setOff
}

// aloneBefore says that a mark, a pause or the beginning stands before token i.
func (s *scanner) aloneBefore(i int) bool {
	return i == 0 || s.tokens[i-1].mark() != "" || s.tokens[i].pause >= setOff || s.afterMark(i)
}

// commandAt returns the command spoken at token i and the number of its words, or nil.
func (s *scanner) commandAt(i int) (*command, int) {
	for _, p := range s.set.byFirst[s.key(i)] {
		n := len(p.words)
		if !s.wordsAt(i, p.words) || p.heard && !(s.dictates && (s.aloneBefore(i) || s.repeats[s.key(i)]) && s.aloneAfter(i+n)) {
			continue
		}
		if hit, ok := s.bySound[i]; ok && hit.words > n && s.commanded(hit.command, i, hit.words) { // "bullet pond"
			break
		}
		if s.commanded(p.command, i, n) {
			return p.command, n
		}
	}
	if hit, ok := s.bySound[i]; ok && (s.dictates || hit.words > 1) && s.commanded(hit.command, i, hit.words) {
		return hit.command, hit.words
	}
	return nil, 0
}

// commanded says that tokens which can be a command are one.
func (s *scanner) commanded(c *command, i, n int) bool {
	for _, r := range c.sure {
		if s.holds(r, i, i+n) {
			return true
		}
	}
	for _, r := range c.literal {
		if s.holds(r, i, i+n) {
			return false
		}
	}
	return c.needs == nil || c.needs(s, i, n)
}
