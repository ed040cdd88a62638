package notes

import (
	"slices"
	"strings"
	"time"

	"vesper/internal/fault"
	"vesper/notes/numbers"
	"vesper/notes/style"
	"vesper/notes/templates"
	"vesper/transcribe"
)

// Options set how a draft is made. The zero value is the default.
type Options struct {
	// MaxDoubts is the largest number of flags for unsure words in one note; 0 means 8. The least sure come first; what is
	// left over becomes one flag.
	MaxDoubts int
	// MaxFlags is how many flags a note shows one by one; 0 means 12. Only notices are folded into one.
	MaxFlags int
	// Patient is whom the note is bound to; what was dictated is held against it.
	Patient Patient
	// Corrections are those that a supervisor approved for the author; each place where one is made has a flag.
	Corrections []Correction
	// Dictated is when the recording was made, in the physician's time zone; zero when not known. Due dates of follow-ups
	// count from this day; without it they stay words.
	Dictated time.Time
	// Style is how the practice writes: units, dates, spelling, headings.
	Style style.Style
	// Blocks are the author's text blocks, for "insert my normal NAME".
	Blocks []TextBlock
}

// Draft writes a note from a transcript: it carries out spoken commands, finds the sections of the template, writes numbers
// as medicine does, leaves timed blanks where speech was not heard, and flags what a person should hear. It moves and
// formats what was dictated and adds nothing: each word of the transcript is in exactly one run, or in Removed.
func Draft(t transcribe.Transcript, tpl templates.Template, opts Options) (Document, error) {
	if len(tpl.Sections) == 0 {
		return Document{}, fault.New(fault.Invalid, "template_empty", "This work type has no sections. Choose another one.")
	}
	s := newScanner(t, tpl, opts)
	s.scan()
	s.route()
	var doubts []doubt
	for i := range s.segments {
		doubts = append(doubts, s.segments[i].rewriteNumbers(opts.Style)...)
	}
	repairs := append(s.learned(opts.Corrections), s.repair(t.Settings.Terms, opts.Patient)...)
	doc := s.compose()
	doc.Flags = append(doc.Flags, s.flagDoubts(doubts)...)
	heardTwice := unrepaired(s.flagReadings(apart(t.Doubts)), repairs)
	doc.Flags = append(doc.Flags, heardTwice...)
	unsure := uncovered(s.flagUnsure(opts.MaxDoubts), heardTwice)
	repairs, unsure = withUnsure(uncovered(repairs, heardTwice), unsure)
	doc.Flags = append(append(doc.Flags, repairs...), unsure...)
	nameless := s.flagNameless(slices.Concat(unsure, heardTwice, repairs))
	doc.Flags = append(doc.Flags, nameless...)
	doc.Flags = append(doc.Flags, uncovered(s.flagUnknown(opts.Patient, t.Settings.Terms), slices.Concat(unsure, heardTwice, repairs, nameless))...)
	doc.Flags = append(doc.Flags, s.flagStruck(t.Spans)...)
	doc.Flags = append(doc.Flags, s.flagUnreliable(t.Unreliable())...)
	doc.Flags = append(doc.Flags, s.flags...)
	doc.Flags = distinct(doc.Flags)
	doc.Removed, doc.Copies, doc.Requests = s.removed, s.copies, s.requests
	doc = withFollowUps(doc, opts.Dictated)
	doc = withChecks(missing(doc, tpl), opts)
	doc.Flags = fold(doc.Flags, opts.MaxFlags)
	return doc, nil
}

// compose sets the segments into the template's sections. Sections without text are left out unless they are required.
func (s *scanner) compose() Document {
	doc := Document{WorkType: s.tpl.Key, Blanks: []Blank{}, Flags: []Flag{}, FollowUps: []FollowUp{}}
	for _, section := range s.tpl.Sections {
		w := &writer{s: s}
		for _, seg := range s.segments {
			if seg.section != section.Key {
				continue
			}
			if w.started && !seg.free && !seg.goesOn {
				w.hold(item{kind: itemBreak, text: "\n\n", layout: true})
			}
			trimEnd(seg.items)
			dropLoneQuotes(seg.items)
			for _, it := range s.lines(section, seg.items) {
				w.write(it)
			}
		}
		runs := w.finish()
		doc.Sections = append(doc.Sections, Section{
			Key: section.Key, Heading: s.style.Heading(section.Heading), Required: section.Required, Runs: runs,
		})
	}
	kept := doc.Sections[:0:0]
	for _, section := range doc.Sections {
		if len(section.Runs) > 0 || (section.Required && !satisfied(doc, s.tpl, section.Key)) {
			kept = append(kept, section)
		}
	}
	doc.Sections = kept
	doc.Blanks = blanksOf(doc)
	return doc
}

// trimEnd takes back the engine's comma at the end of a section.
func trimEnd(items []item) {
	for i := len(items) - 1; i >= 0; i-- {
		if items[i].kind == itemBreak || items[i].kind == itemBlank {
			continue
		}
		if n := len(items[i].trail); items[i].kind == itemWord && n > 0 && (items[i].trail[n-1] == ',' || items[i].trail[n-1] == ';') {
			items[i].trail = items[i].trail[:n-1]
		}
		return
	}
}

// dropLoneQuotes takes back the engine's quotation marks where they do not come in pairs.
func dropLoneQuotes(items []item) {
	const quotes = `"“”`
	count := 0
	for _, it := range items {
		count += len(strings.FieldsFunc(it.lead+it.trail, func(r rune) bool { return !strings.ContainsRune(quotes, r) }))
	}
	if count%2 == 0 {
		return
	}
	drop := func(r rune) rune {
		if strings.ContainsRune(quotes, r) {
			return -1
		}
		return r
	}
	for i := range items {
		items[i].lead, items[i].trail = strings.Map(drop, items[i].lead), strings.Map(drop, items[i].trail)
	}
}

// rewriteNumbers applies the number rules to each stretch of words of a segment.
func (seg *segment) rewriteNumbers(st style.Style) []doubt {
	var out []item
	var doubts []doubt
	for i := 0; i < len(seg.items); {
		j := i
		for j < len(seg.items) && inSentence(seg.items[j].kind) {
			j++
		}
		if j == i {
			out = append(out, seg.items[i])
			i++
			continue
		}
		written, found := rewrite(seg.items[i:j], st)
		out = append(out, written...)
		for _, d := range found {
			d.section = seg.section
			doubts = append(doubts, d)
		}
		i = j
	}
	seg.items = out
	return doubts
}

func inSentence(k itemKind) bool {
	return k == itemWord || k == itemMark || k == itemJoin || k == itemOpen || k == itemClose
}

// rewrite applies the number rules to words and the marks between them.
func rewrite(items []item, st style.Style) ([]item, []doubt) {
	var words []numbers.Word
	var place []int // item of each word
	for i, it := range items {
		if it.kind == itemWord {
			words = append(words, numbers.Word{Text: it.text, Mark: it.trail})
			place = append(place, i)
			if it.lead != "" && len(words) > 1 {
				words[len(words)-2].Mark += it.lead
			}
		} else if n := len(words); n > 0 {
			words[n-1].Mark, words[n-1].Hard = words[n-1].Mark+it.text, true
		}
	}
	var out []item
	var doubts []doubt
	next := 0
	for _, e := range numbers.Rewrite(words, st) {
		from, to := place[e.From], place[e.To-1]
		if e.Doubt != "" {
			doubts = append(doubts, doubt{tokens: tokensIn(items[from : to+1]), detail: e.Doubt})
			continue
		}
		out = append(out, items[next:from]...)
		out = append(out, item{
			kind: itemWord, text: e.Text, tokens: tokensIn(items[from : to+1]), rule: e.Rule,
			lead: items[from].lead, trail: items[to].trail, caps: items[from].caps,
		})
		next = to + 1
	}
	return append(out, items[next:]...), doubts
}

func tokensIn(items []item) []int {
	var out []int
	for _, it := range items {
		out = append(out, it.tokens...)
	}
	return out
}

// distinct gives flags that would share an ID different ones.
func distinct(flags []Flag) []Flag {
	seen := map[string]bool{}
	for i := range flags {
		for seen[flags[i].ID] {
			flags[i].ID += "+"
		}
		seen[flags[i].ID] = true
	}
	return flags
}
