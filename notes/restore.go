package notes

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"vesper/internal/fault"
)

// Taken is something said that is not in the text as words: it was removed, or a command wrote something for it. Restore
// puts its words back.
type Taken struct {
	ID      string        `json:"id"` // for Restore; the same in every version
	Reason  RemovedReason `json:"reason"`
	Command string        `json:"command,omitempty"` // name of the spoken command
	Section string        `json:"section"`
	Said    string        `json:"said"`              // the words as heard
	Written string        `json:"written,omitempty"` // what a command wrote for them
	Start   float64       `json:"start"`             // seconds in the recording
	End     float64       `json:"end"`
	Words   []int         `json:"words"` // places in the transcript

	removed, section, run int // where it stands in the document; removed is -1 for a run
}

// Restorable lists everything that Restore can put back, in the order in which it was said.
func Restorable(d Document) []Taken {
	var out []Taken
	for i, r := range d.Removed {
		out = append(out, Taken{
			ID: takenID(r.Words), Reason: r.Reason, Command: r.Command, Section: r.Section, Said: r.Text, Start: r.Start, End: r.End,
			Words: r.Words, removed: i,
		})
	}
	for si, s := range d.Sections {
		for ri, r := range s.Runs {
			if r.Source.Command == "" || len(r.Source.Words) == 0 {
				continue
			}
			said := r.Source.Said
			if said == "" {
				said = strings.TrimSpace(r.Text)
			}
			out = append(out, Taken{
				ID: takenID(r.Source.Words), Reason: RemovedCommand, Command: r.Source.Command, Section: s.Key, Said: said,
				Written: strings.TrimLeft(r.Text, " "), Start: r.Source.Start, End: r.Source.End, Words: r.Source.Words,
				removed: -1, section: si, run: ri,
			})
		}
	}
	slices.SortStableFunc(out, func(a, b Taken) int { return firstWord(a.Words) - firstWord(b.Words) })
	seen := map[string]bool{}
	for i := range out {
		for seen[out[i].ID] { // words of the transcript that hold several tokens
			out[i].ID += "+"
		}
		seen[out[i].ID] = true
	}
	return out
}

func takenID(words []int) string {
	if len(words) == 0 {
		return "w"
	}
	return fmt.Sprintf("w%d-%d", slices.Min(words), slices.Max(words))
}

func firstWord(words []int) int {
	if len(words) == 0 {
		return -1
	}
	return slices.Min(words)
}

// Restore puts the words of something taken back into the text, where they were said: a mark becomes the word "period"
// again, a text that was scratched stands where it stood. A flag over the same words counts as settled by the person. The
// document given stays as it is. An unknown id is a fault of kind NotFound.
func Restore(d Document, id, by string, at time.Time) (Document, error) {
	all := Restorable(d)
	i := slices.IndexFunc(all, func(t Taken) bool { return t.ID == id })
	if i < 0 {
		return Document{}, fault.New(fault.NotFound, "nothing_to_restore", "These words are in the text already. Load the note again.")
	}
	t := all[i]
	out := d.clone()
	if t.removed >= 0 {
		out.Removed = slices.Delete(out.Removed, t.removed, t.removed+1)
		out = putBack(out, t)
	} else {
		out.Sections[t.section].Runs = spokenAgain(out.Sections[t.section].Runs, t)
	}
	out.Blanks = blanksOf(out)
	for i := range out.Flags {
		f := &out.Flags[i]
		if f.Settled == nil && (f.Kind == FlagScratched || f.Kind == FlagCorrection || f.Kind == FlagRequest) && f.Start <= t.End && f.End >= t.Start {
			f.Settled = &Settlement{By: by, At: at.UTC(), How: "restored"}
		}
	}
	return withMissingSections(out), nil
}

// spokenAgain writes the words of a command in the place of what it wrote.
func spokenAgain(runs []Run, t Taken) []Run {
	old := runs[t.run].Source
	source := Source{Kind: FromSpeech, Start: old.Start, End: old.End, Words: old.Words, Confidence: old.Confidence}
	return insertRun(slices.Delete(slices.Clone(runs), t.run, t.run+1), t.run, t.Said, source)
}

// putBack writes removed words where they were said.
func putBack(d Document, t Taken) Document {
	source := Source{Kind: FromSpeech, Start: t.Start, End: t.End, Words: t.Words}
	at := slices.IndexFunc(d.Sections, func(s Section) bool { return s.Key == t.Section })
	if at < 0 {
		d.Sections = insertSection(d, t.Section)
		at = slices.IndexFunc(d.Sections, func(s Section) bool { return s.Key == t.Section })
	}
	runs := d.Sections[at].Runs
	place, before := 0, -1
	for i, r := range runs {
		if last := lastWord(r.Source.Words); last >= 0 && last < firstWord(t.Words) && last > before {
			place, before = i+1, last
		}
	}
	d.Sections[at].Runs = insertRun(slices.Clone(runs), place, t.Said, source)
	return d
}

func lastWord(words []int) int {
	if len(words) == 0 {
		return -1
	}
	return slices.Max(words)
}

// insertRun writes words at a place among runs, with spaces where they need them.
func insertRun(runs []Run, place int, text string, source Source) []Run {
	text = NormalizeText(text)
	if place > 0 {
		if last, _ := utf8.DecodeLastRuneInString(runs[place-1].Text); !unicode.IsSpace(last) {
			text = " " + text
		}
	}
	if place < len(runs) {
		if next, _ := utf8.DecodeRuneInString(runs[place].Text); wordRune(next) {
			text += " "
		}
	}
	return slices.Insert(runs, place, Run{Text: text, Source: source})
}
