package main

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"vesper/bench/corpus"
	"vesper/notes"
	"vesper/transcribe"
)

// share is a count of a count.
type share struct{ n, of int }

func (s *share) count(right bool) {
	s.of++
	if right {
		s.n++
	}
}

func (s *share) add(o share) { s.n, s.of = s.n+o.n, s.of+o.of }

// score is what one draft came to.
type score struct {
	name, voice   string
	unseen, model bool
	words         int

	facts, safe        share // exact; exact or flagged
	sections, commands share
	lost, invented     int   // words of the transcript without a place; words of the note without a source
	drift              share // expected words that stand in the draft
	critical, notices  share // flags that are about something wrong
	repairs            share // names put right that are right
	kinds              map[string]share
	recalled           share // wrong facts and expected doubts that are flagged
	followUps, due     share
	extra              int // follow-ups that nobody promised
	terms, engine      share
	time               time.Duration
	misses             []string
}

func (s *score) miss(what, text string) { s.misses = append(s.misses, what+": "+text) }

func (s *score) judgeFacts(c corpus.Case, doc notes.Document, p pairs) {
	text := bodyOf(doc)
	for _, f := range c.Facts {
		right := f.In(text)
		flagged := !right && factFlagged(f, doc, p)
		s.facts.count(right)
		s.safe.count(right || flagged)
		if !right {
			s.recalled.count(flagged)
			s.miss("fact", string(f.Kind)+" “"+f.Text+"”"+p.instead(f.Text)+map[bool]string{true: " (flagged)"}[flagged])
		}
	}
}

// factFlagged says that a flag or a blank covers the place where a fact should stand.
func factFlagged(f corpus.Fact, doc notes.Document, p pairs) bool {
	from, to := find(p.want, f.Text)
	if to == 0 {
		return false
	}
	start, end, ok := p.around(from, to)
	if !ok {
		return false
	}
	for _, fl := range doc.Flags {
		if fl.Kind != notes.FlagMissingSection && overlap(fl.Start, fl.End, start, end) {
			return true
		}
	}
	for _, b := range doc.Blanks {
		if overlap(b.Start, b.End, start, end) {
			return true
		}
	}
	return false
}

func overlap(a, b, c, d float64) bool {
	return min(b, d)-max(a, c) > 0.01 || (c == d && a <= c && c <= b)
}

// find is where a text's words stand among expected tokens.
func find(in []token, text string) (from, to int) {
	words := cut("", text, nil)
	for i := 0; i+len(words) <= len(in); i++ {
		if slices.EqualFunc(in[i:i+len(words)], words, func(a, b token) bool { return a.text == b.text }) {
			return i, i + len(words)
		}
	}
	return 0, 0
}

// bodyOf is a draft's text: its sections without headings, blanks without times.
func bodyOf(doc notes.Document) string {
	var texts []string
	for _, s := range doc.Sections {
		texts = append(texts, s.Text())
	}
	return corpus.Untimed(strings.Join(texts, "\n\n"))
}

// judgeSections counts the expected sections of whose words nine in ten stand there, and which hold little else.
func (s *score) judgeSections(c corpus.Case, p pairs) {
	for _, want := range c.Note.Sections {
		here, elsewhere, foreign := 0, 0, 0
		var where string
		for i, t := range p.want {
			j := p.ofWant[i]
			if j < 0 || t.mark {
				continue
			}
			at := p.got[j].section
			switch {
			case t.section == want.Key && (at == want.Key || slices.Contains(c.Expect.Also[want.Key], at)):
				here++
			case t.section == want.Key:
				elsewhere++
				where = at
			case at == want.Key && !slices.Contains(c.Expect.Also[t.section], at):
				foreign++
			}
		}
		right := here > 0 && elsewhere*9 <= here && foreign*9 <= here
		if here+elsewhere == 0 && foreign == 0 { // none of its words was heard: it must hold what was heard instead
			right = slices.ContainsFunc(p.got, func(t token) bool { return t.section == want.Key && !t.mark })
		}
		s.sections.count(right)
		if !right {
			s.miss("section", want.Key+map[bool]string{true: " stands in " + where, false: " holds other sections' words"}[elsewhere > 0 || here == 0])
		}
	}
}

// commandWords are left in a text only where a command was not carried out.
var commandWords = []string{"period", "comma", "colon", "semicolon", "paren", "bullet", "scratch"}

// besideCommands are words that commands have beside these.
var besideCommands = strings.Fields("semi open close left right new next point that")

// judgeCommands counts dictated marks that stand where they should, and the effects of other commands.
func (s *score) judgeCommands(c corpus.Case, doc notes.Document, p pairs) {
	if c.SpokenPunctuation {
		for i, t := range p.want {
			if t.mark {
				s.commands.count(p.ofWant[i] >= 0 || !p.known(i))
				if p.ofWant[i] < 0 && p.known(i) {
					s.miss("mark", strings.ReplaceAll(t.text, "\n", "⏎")+" after “"+p.before(i)+"”")
				}
			}
		}
		for j, t := range p.got {
			if p.ofGot[j] < 0 && slices.Contains(commandWords, t.text) {
				s.commands.count(false)
				s.miss("command left in the text", t.text)
			}
		}
	}
	text := bodyOf(doc)
	for _, e := range c.Expect.Commands {
		if s.model && len(e.Without) > 0 {
			e.Gives = nil // what it gives may have been misheard; that the rest is gone shows the command
		}
		shown := e.Shown(text)
		s.commands.count(shown)
		if !shown {
			s.miss("command", e.Say)
		}
	}
}

// known says that the words around a mark were heard, so that its absence is the draft's doing.
func (p *pairs) known(i int) bool { return !p.missing(i-1, -1) }

func (p *pairs) before(i int) string {
	var out []string
	for k := max(0, i-4); k < i; k++ {
		out = append(out, p.want[k].text)
	}
	return strings.Join(out, " ")
}

// judgeWords counts words of the transcript that have no place in the note or in what was removed, and words of the note
// that no word of the transcript accounts for. Both should be 0.
func (s *score) judgeWords(doc notes.Document, t transcribe.Transcript) {
	placed := map[int]int{}
	for _, r := range doc.Removed {
		for _, w := range r.Words {
			placed[w]++
			if r.Reason == notes.RemovedCommand && w < len(t.Words) {
				s.judgeCommandWord(t.Words[w].Text)
			}
		}
	}
	for _, section := range doc.Sections {
		for _, r := range section.Runs {
			for _, w := range r.Source.Words {
				placed[w]++
			}
			s.judgeSource(r, t)
		}
	}
	for i, w := range t.Words {
		switch n := placed[i]; {
		case n == 0:
			s.lost++
			s.miss("lost", w.Text)
		case n > wordsIn(w.Text):
			s.invented += n - wordsIn(w.Text)
			s.miss("doubled", w.Text)
		}
	}
}

// gluedMark is a word that the engine wrote together with the mark dictated behind it: "non-period".
var gluedMark = regexp.MustCompile(`(?i)\pL-(?:period|comma)[[:punct:]]*$`)

// wordsIn is how many words stand in one of the transcript: the engine now and then writes two as one.
func wordsIn(text string) int {
	n := max(1, len(strings.Fields(text)))
	if gluedMark.MatchString(text) {
		n++
	}
	return n
}

// judgeCommandWord counts a word as lost that the engine glued to a mark's name, and that went with it: "non-period".
func (s *score) judgeCommandWord(text string) {
	parts := strings.FieldsFunc(strings.ToLower(text), func(c rune) bool { return !unicode.IsLetter(c) })
	has := func(list []string) int {
		return len(slices.DeleteFunc(slices.Clone(parts), func(w string) bool { return !slices.Contains(list, w) }))
	}
	if others := len(parts) - has(commandWords) - has(besideCommands); has(commandWords) > 0 && others > 0 {
		s.lost += others
		s.miss("lost with a command", text)
	}
}

// judgeSource counts the words of a run that its source does not hold. A run that a rule wrote may differ from what was said.
func (s *score) judgeSource(r notes.Run, t transcribe.Transcript) {
	words := strings.FieldsFunc(r.Text, func(c rune) bool { return !unicode.IsLetter(c) })
	if len(words) == 0 || r.Source.Kind == notes.FromBlank || r.Source.Rule != "" {
		return
	}
	var said strings.Builder
	for _, w := range r.Source.Words {
		if w < len(t.Words) {
			said.WriteString(" " + strings.ToLower(t.Words[w].Text))
		}
	}
	for _, w := range words {
		if !strings.Contains(said.String(), strings.ToLower(w)) && !strings.Contains(lettersOf(said.String()), strings.ToLower(w)) {
			s.invented++
			s.miss("invented", w+" from “"+strings.TrimSpace(said.String())+"” ("+string(r.Source.Kind)+")")
		}
	}
}

func lettersOf(text string) string {
	return strings.Map(func(c rune) rune {
		if !unicode.IsLetter(c) {
			return -1
		}
		return c
	}, text)
}
