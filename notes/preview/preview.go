// Package preview shows a work type to the person who writes it: its headings and what they ask for, empty, or filled from a
// dictation, as text for a terminal or as a page for a browser.
package preview

import (
	_ "embed" // for the page
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"vesper/notes"
	"vesper/notes/templates"
)

// Preview is a work type with, if there is one, a note made from a dictation.
type Preview struct {
	Template templates.Template
	Note     *notes.Document // nil: the empty form
}

// part is one section as it is shown.
type part struct {
	Heading, Layout, Text string
	Said                  []string // how the heading is said, besides as it is printed
	Labels                []string
	Lines                 []line
	Required, Missing     bool
	Listed                bool
}

// line is a line of a section: a reading or a labelled line has a name.
type line struct{ Name, Text string }

// parts are the sections in the template's order; of a filled note those with text and those that are missing.
func (p Preview) parts() []part {
	var out []part
	for _, s := range p.Template.Sections {
		shown := part{
			Heading: s.Heading, Layout: string(s.Layout), Required: s.Required, Said: otherNames(s), Labels: labelsOf(s),
			Listed: s.Layout == templates.Numbered || s.Layout == templates.List,
		}
		if p.Note != nil {
			section, ok := p.Note.Section(s.Key)
			shown.Text = strings.TrimSpace(section.Text())
			if !ok {
				continue
			}
			shown.Missing = shown.Text == ""
			shown.Lines = linesOf(s, shown.Text)
		}
		out = append(out, shown)
	}
	return out
}

func otherNames(s templates.Section) []string {
	return slices.DeleteFunc(slices.Clone(s.Synonyms), func(said string) bool { return strings.EqualFold(said, s.Heading) })
}

func labelsOf(s templates.Section) []string {
	var out []string
	for _, l := range append(slices.Clone(s.Labels), s.Rows...) {
		out = append(out, l.Heading)
	}
	return out
}

// linesOf parts the lines of a section whose names the template knows.
func linesOf(s templates.Section, text string) []line {
	var out []line
	for l := range strings.SplitSeq(text, "\n") {
		name, rest, ok := strings.Cut(l, ": ")
		if ok && len(name) < 40 && (len(s.Labels) > 0 || len(s.Rows) > 0) {
			out = append(out, line{Name: name, Text: rest})
		} else if strings.TrimSpace(l) != "" {
			out = append(out, line{Text: l})
		}
	}
	return out
}

// Text writes the preview for a terminal.
func (p Preview) Text(w io.Writer) error {
	var b strings.Builder
	t := p.Template
	fmt.Fprintf(&b, "%s (%s)\nLOINC %s, %s\nSigned within %s, STAT within %s\n", t.Name, t.Key, t.LOINC.Code, t.LOINC.Display,
		span(t.TurnAround.Routine), span(t.TurnAround.Stat))
	for _, s := range p.parts() {
		fmt.Fprintf(&b, "\n%s%s\n", strings.ToUpper(s.Heading), map[bool]string{true: "  (required)"}[s.Required && p.Note == nil])
		switch {
		case p.Note == nil:
			p.describe(&b, s)
		case s.Missing:
			b.WriteString("-- nothing was dictated; this section is required --\n")
		default:
			b.WriteString(s.Text + "\n")
		}
	}
	p.rest(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (p Preview) describe(b *strings.Builder, s part) {
	fmt.Fprintf(b, "  %s\n", layouts[templates.Layout(s.Layout)])
	if len(s.Said) > 0 {
		fmt.Fprintf(b, "  said as: %s\n", strings.Join(s.Said, ", "))
	}
	if len(s.Labels) > 0 {
		fmt.Fprintf(b, "  lines:   %s\n", strings.Join(s.Labels, ", "))
	}
}

var layouts = map[templates.Layout]string{
	templates.Prose: "sentences and paragraphs", templates.List: "a list", templates.Numbered: "numbered problems",
	templates.Table: "a table of readings",
}

// rest writes what stands beside the sections: flags of a note, statements and text blocks of an empty form.
func (p Preview) rest(b *strings.Builder) {
	if p.Note != nil {
		for i, f := range p.Note.Flags {
			if i == 0 {
				b.WriteString("\nTO SETTLE\n")
			}
			fmt.Fprintf(b, "  %s: %s\n", f.Severity, f.Detail)
		}
		return
	}
	for i, s := range p.Template.Statements {
		if i == 0 {
			b.WriteString("\nMUST BE SAID SOMEWHERE\n")
		}
		fmt.Fprintf(b, "  %s\n", s.Name)
	}
	for i, n := range p.Template.Normals {
		if i == 0 {
			b.WriteString("\nTEXT BLOCKS, only when asked for by name\n")
		}
		fmt.Fprintf(b, "  %s: %s\n", n.Name, strings.ReplaceAll(n.Text, "\n", " "))
	}
}

// span writes a turn-around in hours where it is whole hours.
func span(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d min", d/time.Minute)
}

//go:embed page.html
var pageSource string

var page = template.Must(template.New("page").Funcs(template.FuncMap{"span": span}).Parse(pageSource))

// HTML writes the preview as a page that needs no other file.
func (p Preview) HTML(w io.Writer) error {
	view := struct {
		Template templates.Template
		Parts    []part
		Filled   bool
		Flags    []notes.Flag
	}{Template: p.Template, Parts: p.parts(), Filled: p.Note != nil}
	if p.Note != nil {
		view.Flags = p.Note.Flags
	}
	if err := page.Execute(w, view); err != nil {
		return fmt.Errorf("write the preview of %s: %w", p.Template.Key, err)
	}
	return nil
}
