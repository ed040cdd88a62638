package notes

import (
	"slices"
	"strings"

	"vesper/notes/templates"
)

// What is dictated without a heading goes to sections by its content. The text is cut into units (sentences; a numbered
// list is one unit), each unit is scored for each section by the template's cues, and the most likely way through the
// sections is taken: to stay costs nothing, to go on costs a little, to go back costs more. So a unit without clear cues
// stays with the one before it, and text at the beginning stays in the default section.

// The costs of moving from one section to another between two units, in the weights of cues.
const (
	costForward  = 1.8 // to a later section of the template
	costBackward = 2.8 // to an earlier one
	easeFresh    = 0.8 // less of it after a paragraph
	costLeans    = 1.5 // more for a unit that speaks of the one before it
	costLate     = 4.0 // more at the end of the template: notes seldom begin there
	costFirst    = 1.0 // to begin elsewhere than in the default section
	hintWeight   = 6.0 // of words that name the section ("Medications include …")
	mostPerUnit  = 9.0 // no unit counts for more
	strayBrief   = 1.2 // of a unit without cues in a section that holds a phrase or two
)

// Less than this has no shape that content could show: it stays where it is.
const (
	fewestUnits = 3
	fewestWords = 20
)

// unit is what moves as one: a sentence, a labelled line, or a numbered list.
type unit struct {
	items []item
	keys  []string // its words, for comparison with cues
	hint  string   // the section that its words name
	fixed bool     // it stands directly under the heading of that section
	fresh bool     // it begins a paragraph
	list  bool     // it is a numbered list
	leans bool     // it speaks of the unit before it ("It was …")
}

// route moves what was dictated without a heading to the sections where it belongs.
func (s *scanner) route() {
	var out []segment
	for i := 0; i < len(s.segments); {
		if !s.segments[i].free {
			out = append(out, s.segments[i])
			i++
			continue
		}
		j := i
		for j < len(s.segments) && s.segments[j].free {
			j++
		}
		out = append(out, s.routeRun(s.segments[i:j], i == 0 && len(s.segments[0].items) > 0)...)
		i = j
	}
	s.segments = out
}

// routeRun routes neighbouring segments without heading; opening says that they begin the dictation.
func (s *scanner) routeRun(run []segment, opening bool) []segment {
	var units []unit
	words := 0
	for i, seg := range run {
		for _, u := range s.unitsOf(seg) {
			units, words = append(units, u), words+len(u.keys)
		}
		run[i].free = false
	}
	if len(units) < 2 || opening && (len(units) < fewestUnits || words < fewestWords) {
		return run
	}
	r := router{sections: s.routable(units, run[0].section, opening), first: run[0].section}
	path := r.path(units)
	r.settle(units, path)
	s.together(units, path)
	var out []segment
	for i, u := range units {
		if n := len(out); n > 0 && out[n-1].section == path[i] {
			out[n-1].items = append(out[n-1].items, u.items...)
			continue
		}
		out = append(out, segment{section: path[i], items: u.items, free: true})
	}
	return out
}

// routable are the sections that text without heading can go to, in the template's order. What the speaker dictates under
// a heading is there and not in the text without one; text before the first heading does not belong behind it.
func (s *scanner) routable(units []unit, first string, opening bool) []templates.Section {
	headed := map[string]bool{}
	limit := len(s.tpl.Sections)
	for _, seg := range s.segments {
		if seg.headed && !headed[seg.section] {
			headed[seg.section] = true
			if opening && len(headed) == 1 {
				limit = s.place(seg.section)
			}
		}
	}
	var out []templates.Section
	for i, section := range s.tpl.Sections {
		hinted := slices.ContainsFunc(units, func(u unit) bool { return u.hint == section.Key })
		if section.Key == first || hinted || takesText(section) && !headed[section.Key] && i < limit {
			out = append(out, section)
		}
	}
	return out
}

// takesText says that text without a heading may go to the section.
func takesText(section templates.Section) bool { return len(section.Cues) > 0 && !section.HeadingOnly }

// place is the position of a section in the template.
func (s *scanner) place(key string) int {
	return slices.IndexFunc(s.tpl.Sections, func(section templates.Section) bool { return section.Key == key })
}

// contentSection is where text goes whose words name a section: the section itself, or the one that stands for it in a
// template that has no cues for it ("objective" for "exam").
func (s *scanner) contentSection(key string) string {
	if section, ok := s.tpl.Section(key); !ok || takesText(section) {
		return key
	}
	for _, other := range s.tpl.Sections {
		if takesText(other) && slices.Contains(other.SatisfiedBy, key) {
			return other.Key
		}
	}
	return key
}

// together keeps problems with their plans: where assessment and plan alternate, both go to the section that stands for
// the two, if the template has one.
func (s *scanner) together(units []unit, path []string) {
	for _, a := range s.tpl.Sections {
		for _, both := range a.SatisfiedBy {
			for _, p := range s.tpl.Sections {
				if p.Key == a.Key || !slices.Contains(p.SatisfiedBy, both) {
					continue
				}
				mixed := alternate(path, a.Key, p.Key)
				for i := range path {
					list := units[i].list && cueScore(units[i].keys, a.Cues) > 0 && cueScore(units[i].keys, p.Cues) > 0
					if (path[i] == a.Key || path[i] == p.Key) && (mixed || list) {
						path[i] = both
					}
				}
			}
		}
	}
}

// alternate says that the path goes from a to b and back to a.
func alternate(path []string, a, b string) bool {
	first := slices.Index(path, a)
	if first < 0 {
		return false
	}
	then := slices.Index(path[first:], b)
	return then > 0 && slices.Contains(path[first+then:], a)
}

// unitsOf cuts a segment into units.
func (s *scanner) unitsOf(seg segment) []unit {
	var out []unit
	ended, list := true, false
	hint := ""
	if seg.headed {
		hint = seg.section
	} else if seg.hinted {
		hint = s.contentSection(seg.section)
	}
	for i, it := range seg.items {
		paragraph := it.kind == itemBreak && len(it.text) > 1
		list = list && !paragraph
		begins := it.kind == itemBreak && !list || it.kind == itemLabel || it.kind == itemNumber && !list
		if len(out) == 0 || begins || ended && !list && it.kind != itemClose && it.kind != itemMark {
			if n := len(out); n == 0 || !onlyBreaks(out[n-1].items) {
				out = append(out, unit{})
			}
		}
		u := &out[len(out)-1]
		u.fresh = u.fresh || paragraph
		if it.kind == itemNumber {
			list, u.list = true, true
		}
		if it.kind == itemLabel && seg.hinted {
			u.hint = s.contentSection(seg.section)
		}
		if hint != "" && it.kind == itemWord {
			u.hint, u.fixed, hint = hint, seg.headed, ""
		}
		u.items = append(u.items, it)
		u.keys = append(u.keys, s.cueKeys(it)...)
		u.leans = len(u.keys) > 0 && leaning[u.keys[0]]
		ended = endsSentence(it) || s.endsByPoint(it, seg.items, i) || ended && (it.kind == itemClose || it.kind == itemBlank)
	}
	return out
}

// endsByPoint says that the point of an abbreviation ends the sentence too: "at 9 p.m. She is calling".
func (s *scanner) endsByPoint(it item, items []item, i int) bool {
	if it.kind != itemWord || !strings.HasSuffix(it.text, ".") || i+1 >= len(items) || items[i+1].kind != itemWord {
		return false
	}
	next := items[i+1].text
	return startsUpper(next) && beginners[keyOf(next)]
}

// leaning are the words with which a sentence goes on from the one before it.
var leaning = wordSet("it this that these those which both but however because")

func onlyBreaks(items []item) bool {
	return !slices.ContainsFunc(items, func(it item) bool { return it.kind != itemBreak })
}

// openNamed begins a segment of a section that the text names without a heading of its own; free text stays free.
func (s *scanner) openNamed(section string, free bool) {
	if section == s.section {
		return
	}
	s.open(section)
	s.current().free, s.current().hinted = free, free
}

// openStated begins a segment for a sentence about a section; in a template that keeps its text together it does not.
func (s *scanner) openStated(key string) {
	if section, ok := s.tpl.Section(key); ok && section.HeadingOnly && s.contentSection(key) == key {
		return
	}
	s.openNamed(key, true)
}

// headed marks the segment as one with a heading. Where the heading names a brief section, only what belongs there stays.
func (s *scanner) headed(key string) {
	seg := s.current()
	seg.headed = true
	if section, ok := s.tpl.Section(key); ok && section.Brief {
		seg.free, seg.hinted = true, true
	}
}
