package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"vesper/internal/fault"
	"vesper/pipeline"
)

// qualityCmd prints error rates of signed notes. Who may open the database is the operator; the record says that it was read.
type qualityCmd struct {
	databaseFlags
	Data     string `help:"Data folder of a running vesper up; instead of the address." default:"./data" placeholder:"DIR"`
	Practice string `help:"Name of the practice." placeholder:"NAME"`
	Since    string `help:"Only notes signed on or after this day (2006-01-02); empty: all." placeholder:"DATE"`
	By       string `help:"A line for each author, work_type, model or editor." enum:"author,work_type,model,editor,all" default:"author"`
	JSON     bool   `help:"Print JSON."`
}

// Run prints one line for each name.
func (c *qualityCmd) Run(rt *runtime) error {
	f := pipeline.QualityFilter{By: c.By}
	if c.By == "all" {
		f.By = ""
	}
	if c.Since != "" {
		var err error
		if f.Since, err = time.ParseInLocation(time.DateOnly, c.Since, time.Local); err != nil {
			return fault.Wrap(err, fault.Invalid, "date_invalid", "The date must be written as 2006-01-02.")
		}
	}
	l, err := termListFlags{databaseFlags: c.databaseFlags, vocabularyFolder: vocabularyFolder{Data: c.Data}, Practice: c.Practice}.open(rt)
	if err != nil {
		return err
	}
	defer l.close()
	lines, err := l.svc.Quality(rt.ctx, l.actor, f)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(rt.out, qualityOf(lines))
	}
	return printQuality(rt.out, c.By, lines)
}

// qualityLine is a line as JSON.
type qualityLine struct {
	Name  string         `json:"name"`
	Notes int            `json:"notes"`
	Draft qualityMeasure `json:"draft"` // what editors and signers put right in the engine's draft
	Sent  qualityMeasure `json:"sent"`  // what signers put right in what the editors sent
}

type qualityMeasure struct {
	Notes    int     `json:"notes"`
	Words    int     `json:"words"`
	Critical int     `json:"critical"`
	Other    int     `json:"other"`
	Cosmetic int     `json:"cosmetic"`
	Score    float64 `json:"score"`
}

func qualityOf(lines []pipeline.QualityLine) []qualityLine {
	measure := func(m pipeline.Measure) qualityMeasure {
		return qualityMeasure{m.Notes, m.Errors.Words, m.Errors.Critical, m.Errors.Other, m.Errors.Cosmetic, m.Score}
	}
	out := make([]qualityLine, len(lines))
	for i, l := range lines {
		out[i] = qualityLine{l.Name, l.Notes, measure(l.Draft), measure(l.Sent)}
	}
	return out
}

// printQuality writes the table: first the engine's draft against what was signed, then what the editors sent.
func printQuality(out io.Writer, by string, lines []pipeline.QualityLine) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%s\tnotes\twords\t| draft: critical\tother\tper 100 words\tscore\t| sent: notes\tcritical\tother\tper 100 words\tscore\t\n", by)
	for _, l := range lines {
		d, s := l.Draft, l.Sent
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%.2f\t%.1f\t%d\t%d\t%d\t%s\t%s\t\n", l.Name, l.Notes, d.Errors.Words, d.Errors.Critical, d.Errors.Other,
			d.PerHundred(d.Errors.Critical+d.Errors.Other), d.Score, s.Notes, s.Errors.Critical, s.Errors.Other,
			orDash(s.Notes > 0, "%.2f", s.PerHundred(s.Errors.Critical+s.Errors.Other)), orDash(s.Notes > 0, "%.1f", s.Score))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out, "score: 100 − 3 per critical error − 1 per other one, averaged over notes; critical: doses, numbers, units, drugs, sides, negations, allergies")
	return err
}

func orDash(known bool, format string, v float64) string {
	if !known {
		return "–"
	}
	return fmt.Sprintf(format, v)
}
