package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"vesper/internal/lexicon"
)

// heard is one mishearing.
type heard struct {
	term, kind, voice, text string
	shifted                 bool // the text is the neighbouring sentence's
}

// reporting says in which half a term is.
func (h heard) reporting() bool { return hashOf("half:"+h.term)%2 == 1 }

// readHeard reads the file of mishearings.
func readHeard(file string) ([]heard, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read mishearings: %w", err)
	}
	var out []heard
	for line := range strings.Lines(string(text)) {
		c := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if len(c) == 4 && !strings.HasPrefix(line, "#") {
			out = append(out, heard{term: c[0], kind: c[1], voice: c[2], text: c[3]})
		}
	}
	for i := range out {
		out[i].shifted = isShifted(out, i)
	}
	return out, nil
}

// isShifted finds recordings that were cut at the wrong place: what was heard is all but the term of a sentence beside it,
// and further from its own.
func isShifted(all []heard, at int) bool {
	own := lexicon.Distance(all[at].text, all[at].term)
	for i := max(0, at-2); i <= min(len(all)-1, at+2); i++ {
		if d := lexicon.Distance(all[at].text, all[i].term); i != at && d < 0.25 && d < own {
			return true
		}
	}
	return false
}

// loose is how far away a term may be to be named at all.
const loose = 0.42

// tally counts one group.
type tally struct{ said, right, cut, wrong, first, four, ten int }

func (t *tally) add(h heard) (missed bool, near []lexicon.Match) {
	t.said++
	switch {
	case h.text == "", h.shifted, strings.Contains(h.text, "patient has"):
		t.cut++
		return false, nil
	case same(h.term, h.text):
		t.right++
		return false, nil
	}
	t.wrong++
	near = lexicon.Default().Near(h.text, loose, 10)
	at := rank(near, h.term)
	if at < 1 {
		t.first++
	}
	if at < 4 {
		t.four++
	}
	if at < 10 {
		t.ten++
	}
	return at >= 1, near
}

func rank(near []lexicon.Match, term string) int {
	for i, m := range near {
		if same(m.Term.Text, term) {
			return i
		}
	}
	return len(near) + 10
}

// same compares without case, hyphens and plural.
func same(a, b string) bool {
	plain := func(s string) string {
		return strings.TrimSuffix(strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(s), "-", " "), "'", ""), "s")
	}
	return plain(a) == plain(b)
}

// report prints the table.
func report(out io.Writer, cases []heard, misses bool) error {
	groups := map[bool]map[string]*tally{false: {}, true: {}}
	begin := time.Now()
	for _, h := range cases {
		g := groups[h.reporting()]
		for _, name := range []string{"all", "kind " + h.kind, "voice " + h.voice} {
			if g[name] == nil {
				g[name] = &tally{}
			}
		}
		missed, near := g["all"].add(h)
		g["kind "+h.kind].add(h)
		g["voice "+h.voice].add(h)
		if missed && misses && !h.reporting() {
			fmt.Fprintf(out, "%-28s heard %-32q %.2f  named %s\n", h.term, h.text, lexicon.Distance(h.term, h.text), names(near))
		}
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "half\tgroup\tspoken\tright\tnot cut\tmisheard\tfirst\tamong 4\tamong 10\t")
	for _, reporting := range []bool{false, true} {
		half := map[bool]string{false: "tuning", true: "reporting"}[reporting]
		for _, name := range sorted(groups[reporting]) {
			t := groups[reporting][name]
			fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%s\t%s\t%s\t\n", half, name, t.said, t.right, t.cut, t.wrong, share(t.first, t.wrong), share(t.four, t.wrong), share(t.ten, t.wrong))
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%d terms; %.2f ms for each question, on this machine as it is now\n", lexicon.Default().Len(), float64(time.Since(begin).Microseconds())/1000/float64(3*len(cases)))
	return nil
}

func share(n, of int) string {
	if of == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f%%", 100*float64(n)/float64(of))
}

func names(near []lexicon.Match) string {
	var out []string
	for _, m := range near[:min(len(near), 4)] {
		out = append(out, fmt.Sprintf("%s %.2f", m.Term.Text, m.Distance))
	}
	return strings.Join(out, ", ")
}

func sorted(m map[string]*tally) []string {
	var out []string
	for name := range m {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
