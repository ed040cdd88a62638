package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// columns are the table's columns.
var columns = []struct {
	name string
	of   func(s score) string
}{
	{"facts exact", func(s score) string { return s.facts.String() }},
	{"right or flagged", func(s score) string { return s.safe.String() }},
	{"sections", func(s score) string { return s.sections.String() }},
	{"commands", func(s score) string { return s.commands.String() }},
	{"words as expected", func(s score) string { return s.drift.String() }},
	{"lost", func(s score) string { return fmt.Sprint(s.lost) }},
	{"invented", func(s score) string { return fmt.Sprint(s.invented) }},
	{"critical flags right", func(s score) string { return s.critical.String() }},
	{"notices right", func(s score) string { return s.notices.String() }},
	{"repairs right", func(s score) string { return s.repairs.String() }},
	{"wrong and flagged", func(s score) string { return s.recalled.String() }},
	{"follow-ups", func(s score) string { return s.followUps.String() }},
	{"due", func(s score) string { return s.due.String() }},
	{"extra", func(s score) string { return fmt.Sprint(s.extra) }},
	{"terms", func(s score) string { return s.terms.String() }},
	{"engine's terms", func(s score) string { return s.engine.String() }},
	{"ms", func(s score) string { return fmt.Sprintf("%.1f", float64(s.time.Microseconds())/1000) }},
}

func (s share) String() string {
	if s.of == 0 {
		return "–"
	}
	return fmt.Sprintf("%d/%d %d%%", s.n, s.of, 100*s.n/s.of)
}

// write writes the page: totals by half and transcript, then each draft.
func write(out io.Writer, all []score, what string) {
	fmt.Fprintf(out, "# From words to notes\n\nWritten by `make bench-notes` (%s); do not edit. What the columns mean is at the end.\n\n## Totals\n\n", what)
	var rows []score
	for _, model := range []bool{false, true} {
		for _, half := range []string{"seen", "unseen", "all"} {
			rows = append(rows, total(all, model, half))
		}
	}
	rows = slices.DeleteFunc(rows, func(s score) bool { return s.words == 0 })
	grid(out, "transcript, half", rows, func(s score) string { return s.name })
	byKind(out, rows)
	fmt.Fprint(out, "\n## Each dictation\n\n")
	grid(out, "dictation, transcript", all, func(s score) string {
		return s.name + map[bool]string{true: " (unseen)"}[s.unseen] + ", " + s.voice
	})
	fmt.Fprint(out, legend)
}

// byKind writes how many flags of each kind were right.
func byKind(out io.Writer, rows []score) {
	var kinds []string
	for _, s := range rows {
		for kind := range s.kinds {
			if !slices.Contains(kinds, kind) {
				kinds = append(kinds, kind)
			}
		}
	}
	slices.Sort(kinds)
	cells := [][]string{append([]string{"flags that were right, by kind"}, kinds...)}
	for _, s := range rows {
		line := []string{s.name}
		for _, kind := range kinds {
			line = append(line, s.kinds[kind].String())
		}
		cells = append(cells, line)
	}
	fmt.Fprintln(out)
	markdown(out, cells)
}

// total sums the scores of a half; its time is the median.
func total(all []score, model bool, half string) score {
	t := score{name: map[bool]string{false: "as spoken", true: "as the model heard it"}[model] + ", " + half, model: model}
	var times []time.Duration
	for _, s := range all {
		if s.model != model || half != "all" && s.unseen != (half == "unseen") {
			continue
		}
		t.sum(s)
		times = append(times, s.time)
	}
	t.time = median(times)
	return t
}

func (s *score) sum(other score) {
	s.words += other.words
	s.facts.add(other.facts)
	s.safe.add(other.safe)
	s.sections.add(other.sections)
	s.commands.add(other.commands)
	s.drift.add(other.drift)
	s.critical.add(other.critical)
	s.notices.add(other.notices)
	s.repairs.add(other.repairs)
	s.recalled.add(other.recalled)
	for kind, of := range other.kinds {
		if s.kinds == nil {
			s.kinds = map[string]share{}
		}
		sum := s.kinds[kind]
		sum.add(of)
		s.kinds[kind] = sum
	}
	s.followUps.add(other.followUps)
	s.due.add(other.due)
	s.terms.add(other.terms)
	s.engine.add(other.engine)
	s.lost, s.invented, s.extra = s.lost+other.lost, s.invented+other.invented, s.extra+other.extra
}

// median leaves the list as it is.
func median(times []time.Duration) time.Duration {
	if len(times) == 0 {
		return 0
	}
	sorted := slices.Clone(times)
	slices.SortFunc(sorted, cmp.Compare[time.Duration])
	return sorted[len(sorted)/2]
}

// grid writes a table of scores.
func grid(out io.Writer, first string, rows []score, name func(score) string) {
	cells := [][]string{{first}}
	for _, c := range columns {
		cells[0] = append(cells[0], c.name)
	}
	for _, s := range rows {
		line := []string{name(s)}
		for _, c := range columns {
			line = append(line, c.of(s))
		}
		cells = append(cells, line)
	}
	markdown(out, cells)
}

// markdown writes a table whose columns are as wide as they need to be.
func markdown(out io.Writer, cells [][]string) {
	widths := make([]int, len(cells[0]))
	for _, line := range cells {
		for i, cell := range line {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	for r, line := range cells {
		for i, cell := range line {
			pad := strings.Repeat(" ", widths[i]-len([]rune(cell)))
			if i == 0 {
				fmt.Fprint(out, "| "+cell+pad)
			} else {
				fmt.Fprint(out, " | "+pad+cell)
			}
		}
		fmt.Fprintln(out, " |")
		if r == 0 {
			for i, w := range widths {
				fmt.Fprint(out, "|-"+strings.Repeat("-", w)+map[bool]string{true: "-", false: ":"}[i == 0])
			}
			fmt.Fprintln(out, "|")
		}
	}
}

// tell names what was missed, of the dictations that may be tuned on.
func tell(out io.Writer, all []score) {
	for _, s := range all {
		if s.unseen || len(s.misses) == 0 {
			continue
		}
		fmt.Fprintf(out, "\n%s, %s\n", s.name, s.voice)
		for _, m := range s.misses {
			fmt.Fprintln(out, "  "+m)
		}
	}
}

const legend = `
## What the columns mean

The dictations, with what is expected of each, are in [testdata](../../testdata/README.md). "As spoken" drafts the words of
the script, without a doubt and without the engine's marks; "as the model heard it" drafts the default model's transcripts
that lie beside the recordings. Nobody tunes on the unseen half; the command names its counts and no words of it.

| column | counts |
|---|---|
| facts exact | doses, vital signs, dates, sides, drugs, numbers and negations that stand in the note in a right spelling |
| right or flagged | the same, or a flag or a blank covers the place where they should stand |
| sections | expected sections of whose words nine in ten stand there, with hardly a word of another |
| commands | dictated marks, breaks and list numbers in their place, after words that were heard; effects of other commands |
| words as expected | words of the expected note that stand in the draft, wherever the reason for the others lies |
| lost | words of the transcript that are neither in the note nor among what was removed |
| invented | words of the note that no word of the transcript accounts for, or that stand twice |
| critical flags right, notices right | flags about a place that is not as expected, or about a doubt that the case asks for; those that only say what is missing or was asked for are left out |
| repairs right | names that were put right by sound and stand as expected; they are not among the notices |
| wrong and flagged | wrong facts and doubts asked for that have a flag |
| follow-ups, due, extra | promises found; of these, with their date; found, but never promised |
| terms, engine's terms | medical terms that stand in the note, and in the transcript it was made from |
| ms | median processor time of a draft, for 400 words |
`
