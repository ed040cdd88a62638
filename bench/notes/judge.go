package main

import (
	"slices"
	"strings"

	"vesper/bench/corpus"
	"vesper/notes"
	"vesper/transcribe"
)

// judgeFlags counts the flags that are about something: a doubt that the case asks for, or a stretch that is not as
// expected. Flags that the case leaves open, and those about sections without text, do not count either way.
func (s *score) judgeFlags(c corpus.Case, doc notes.Document, p pairs) {
	for _, want := range c.Expect.Flags.Must {
		found := slices.ContainsFunc(doc.Flags, func(f notes.Flag) bool { return f.Kind != notes.FlagMissingSection && want.Of(aboutOf(f)) })
		s.recalled.count(found)
		if !found {
			s.miss("no flag", want.Why+" ("+strings.Join(want.About, ", ")+")")
		}
	}
	for _, f := range doc.Flags {
		right, counts := verdict(f, c, p)
		if !counts {
			continue
		}
		switch {
		case repaired(f):
			right = !p.anyWrong(f)
			s.repairs.count(right)
		case f.Severity == notes.Critical:
			s.critical.count(right)
		default:
			s.notices.count(right)
		}
		s.countKind(f.Kind, right)
		if !right {
			s.miss("false "+string(f.Severity)+" flag", f.Kind+" “"+f.Text+"”: "+f.Detail)
		}
	}
}

func aboutOf(f notes.Flag) string { return f.Text + " " + f.Detail }

// verdict says whether a flag is right, and whether it counts at all.
func verdict(f notes.Flag, c corpus.Case, p pairs) (right, counts bool) {
	of := func(list []corpus.About) bool {
		return slices.ContainsFunc(list, func(a corpus.About) bool { return a.Of(f.Text) })
	}
	switch {
	case slices.Contains(informing, f.Kind):
		return false, false
	case of(c.Expect.Flags.MustNot):
		return false, true
	case slices.ContainsFunc(c.Expect.Flags.Must, func(a corpus.About) bool { return a.Of(aboutOf(f)) }):
		return true, true
	case of(c.Expect.Flags.May):
		return false, false
	case slices.Contains(takenOut, f.Kind):
		return !(corpus.Fact{Text: f.Text}).In(c.Note.Text()), true
	}
	return p.anyWrong(f), true
}

// informing are the flags that say what a note lacks, what was asked for or put right, and doubt no word; takenOut those about words
// that are not in the text.
var (
	informing = []string{notes.FlagMissingSection, notes.FlagStatement, notes.FlagMore, notes.FlagRequest, notes.FlagTextBlock, notes.FlagCorrection}
	takenOut  = []string{notes.FlagScratched, notes.FlagStruck}
)

// repaired says that a flag tells of a name that was put right: it is right where the text now is.
func repaired(f notes.Flag) bool {
	return f.Severity == notes.Notice && (f.Kind == notes.FlagRepair || f.Kind == notes.FlagReading && strings.Contains(f.Detail, "at first"))
}

// anyWrong says that the text under a flag is not as expected.
func (p *pairs) anyWrong(f notes.Flag) bool {
	for j, t := range p.got {
		if t.speech && overlap(t.start, t.end, f.Start, f.End) && (t.text == "[blank]" || p.wrong(j)) {
			return true
		}
	}
	return false
}

func (s *score) countKind(kind string, right bool) {
	if s.kinds == nil {
		s.kinds = map[string]share{}
	}
	of := s.kinds[kind]
	of.count(right)
	s.kinds[kind] = of
}

// judgeFollowUps counts the promises that were found, of them those with the right date, and what nobody promised.
func (s *score) judgeFollowUps(c corpus.Case, doc notes.Document) {
	taken := make([]bool, len(doc.FollowUps))
	for _, want := range c.Expect.FollowUps {
		at := slices.IndexFunc(doc.FollowUps, func(f notes.FollowUp) bool { return want.Is(f.Kind) && want.Said(f.Text+" "+f.To) })
		s.followUps.count(at >= 0)
		if at < 0 {
			s.miss("follow-up", want.Kind+" “"+want.Text[0]+"”")
			continue
		}
		taken[at] = true
		if len(want.Due) > 0 {
			due := want.DueOn(doc.FollowUps[at].Due)
			s.due.count(due)
			if !due {
				s.miss("due", want.Due[0]+", not “"+doc.FollowUps[at].Due+"”")
			}
		}
	}
	for i, f := range doc.FollowUps {
		if !taken[i] {
			s.extra++
			s.miss("follow-up that nobody promised", f.Kind+" “"+f.Text+"” "+f.Due)
		}
	}
}

// judgeTerms counts the medical terms that stand in the note and those that stand in the engine's own text.
func (s *score) judgeTerms(c corpus.Case, doc notes.Document, t transcribe.Transcript, p pairs) {
	text := bodyOf(doc)
	for _, term := range c.Expect.Terms {
		fact := corpus.Fact{Text: term}
		in := fact.In(text)
		s.terms.count(in)
		s.engine.count(fact.In(t.Text))
		if !in {
			s.miss("term", term+p.instead(term))
		}
	}
}

// judgeDrift counts the expected words that stand in the draft.
func (s *score) judgeDrift(p pairs) {
	for i, t := range p.want {
		if !t.mark {
			s.drift.count(p.ofWant[i] >= 0)
		}
	}
}
