package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// report gathers sections and plots; each section is printed as soon as it is measured.
type report struct {
	out      io.Writer
	sections []string
	plots    map[string]string // SVG by file name
}

func newReport(out io.Writer) *report { return &report{out: out, plots: map[string]string{}} }

// section prints one measured part: a heading, lines of prose, a table.
func (r *report) section(title, prose string, t *table) {
	text := "## " + title + "\n\n" + prose + "\n\n" + t.String()
	r.sections = append(r.sections, text)
	fmt.Fprintln(r.out, text)
}

// say tells what goes on, on standard error.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, "bench/load: "+format+"\n", args...) }

// write puts the sections into load.md, behind what stands there before the first section, and the plots beside it. Sections
// that this run did not measure stay.
func (r *report) write(dir string) error {
	path := filepath.Join(dir, "load.md")
	old, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	head, kept := split(string(old))
	for _, s := range r.sections {
		title := strings.SplitN(s, "\n", 2)[0]
		i := slices.IndexFunc(kept, func(k string) bool { return strings.HasPrefix(k, title+"\n") })
		if i >= 0 {
			kept[i] = s
		} else {
			kept = append(kept, s)
		}
	}
	for i := range kept {
		kept[i] = strings.TrimSpace(kept[i])
	}
	if err := os.WriteFile(path, []byte(strings.TrimSpace(head)+"\n\n"+strings.Join(kept, "\n\n")+"\n"), 0o644); err != nil {
		return err
	}
	for name, svg := range r.plots {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(svg), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// split takes a page apart at its headings of the second level.
func split(page string) (head string, sections []string) {
	pieces := strings.Split("\n"+page, "\n## ")
	for _, s := range pieces[1:] {
		sections = append(sections, "## "+s)
	}
	return pieces[0], sections
}

// table is a Markdown table.
type table struct{ rows [][]string }

func tableOf(head ...string) *table { return &table{rows: [][]string{head}} }

func (t *table) add(cells ...any) {
	row := make([]string, len(cells))
	for i, c := range cells {
		switch v := c.(type) {
		case time.Duration:
			row[i] = inWords(v)
		case float64:
			row[i] = fmt.Sprintf("%.1f", v)
		default:
			row[i] = fmt.Sprint(v)
		}
	}
	t.rows = append(t.rows, row)
}

// spread adds a row with the count and the percentiles of a sample.
func (t *table) spread(name string, sample []time.Duration) {
	t.add(name, len(sample), rank(sample, 50), rank(sample, 95), rank(sample, 99), rank(sample, 100))
}

func (t *table) String() string {
	var b strings.Builder
	for i, row := range t.rows {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
		if i == 0 {
			b.WriteString("|" + strings.Repeat("---|", len(row)) + "\n")
		}
	}
	return b.String()
}

// rank is a percentile of a sample by nearest rank; 0 for an empty one.
func rank(sample []time.Duration, percent int) time.Duration {
	if len(sample) == 0 {
		return 0
	}
	sorted := slices.SortedFunc(slices.Values(sample), cmp.Compare[time.Duration])
	return sorted[max(0, (percent*len(sorted)+99)/100-1)]
}

func inWords(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d >= time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d >= 10*time.Millisecond:
		return fmt.Sprintf("%.0f ms", float64(d)/float64(time.Millisecond))
	default:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	}
}
