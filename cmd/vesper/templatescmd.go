package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"vesper/internal/fault"
	"vesper/notes"
	"vesper/notes/preview"
	"vesper/notes/templates"
	"vesper/transcribe"
)

// templatesCmd works on the work types: the kinds of document and their sections.
type templatesCmd struct {
	List    templatesListCmd    `cmd:"" help:"List the kinds of document."`
	Check   templatesCheckCmd   `cmd:"" help:"Check template files; says file and line of what is wrong and ends with 1."`
	Preview templatesPreviewCmd `cmd:"" help:"Show a kind of document, empty or filled from a dictation."`
	Schema  templatesSchemaCmd  `cmd:"" help:"Print the JSON Schema of template files, for editors."`
}

type templatesListCmd struct{}

// Run prints a line for each work type.
func (*templatesListCmd) Run(rt *runtime) error {
	builtIn := map[string]string{}
	for _, t := range templates.BuiltIn().All() {
		builtIn[t.Key] = fmt.Sprintf("%+v", t)
	}
	w := tabwriter.NewWriter(rt.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "KEY\tNAME\tLOINC\tSECTIONS\tREQUIRED\tROUTINE\tSTAT\tFROM")
	for _, t := range templates.All() {
		required := 0
		for _, s := range t.Sections {
			if s.Required {
				required++
			}
		}
		from := "practice"
		if builtIn[t.Key] == fmt.Sprintf("%+v", t) {
			from = "Vesper"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\t%s\t%s\n", t.Key, t.Name, t.LOINC.Code, len(t.Sections), required,
			hours(t.TurnAround.Routine), hours(t.TurnAround.Stat), from)
	}
	return w.Flush()
}

// hours writes a turn-around shortly.
func hours(d time.Duration) string {
	return strings.TrimSuffix(strings.TrimSuffix(d.String(), "0s"), "0m")
}

type templatesCheckCmd struct {
	Path []string `arg:"" optional:"" help:"Files and folders; without any: --templates-dir." placeholder:"FILE|DIR"`
}

// Run checks each file and fails if one has a problem.
func (c *templatesCheckCmd) Run(rt *runtime) error {
	paths := c.Path
	if len(paths) == 0 && rt.templatesDir != "" {
		paths = []string{rt.templatesDir}
	}
	if len(paths) == 0 {
		fmt.Fprintf(rt.out, "The %d built-in work types have no problems. Name a file or a folder to check your own.\n", len(templates.BuiltIn().All()))
		return nil
	}
	files, problems := 0, 0
	for _, path := range paths {
		folder, err := templates.ReadFolder(path)
		if err != nil {
			return err
		}
		files, problems = files+len(folder.Files), problems+len(folder.Problems)
		for _, p := range folder.Problems {
			fmt.Fprintln(rt.out, p)
		}
		for _, t := range folder.Set.All() {
			fmt.Fprintf(rt.out, "ok: %s (%s), %s\n", t.Name, t.Key, standing(t))
		}
	}
	switch {
	case files == 0:
		return fault.New(fault.Invalid, "templates_none", "There is no template here. Templates are files whose names end in .yaml.")
	case problems > 0:
		return fault.New(fault.Invalid, "templates_invalid",
			fmt.Sprintf("%s in %s. Mend the lines named above and check again; files with problems are not used.", count(problems, "problem"), count(files, "file")))
	}
	return nil
}

// standing says what a practice's template does to the built-in ones.
func standing(t templates.Template) string {
	for _, b := range templates.BuiltIn().All() {
		if b.Key == t.Key {
			return "takes the place of the built-in one"
		}
	}
	return "a new kind of document"
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

type templatesPreviewCmd struct {
	Name       string `arg:"" help:"Key, name or alias of the kind of document, or a template file."`
	Transcript string `help:"Fill it from this dictation: the JSON of vesper transcribe, or a text file with the words as they are said." placeholder:"FILE"`
	HTML       bool   `help:"Print a page for a browser." name:"html"`
	Out        string `help:"Write to this file." placeholder:"FILE"`
}

// Run prints the preview.
func (c *templatesPreviewCmd) Run(rt *runtime) error {
	tpl, err := c.template()
	if err != nil {
		return err
	}
	p := preview.Preview{Template: tpl}
	if c.Transcript != "" {
		t, err := dictated(rt, c.Transcript)
		if err != nil {
			return err
		}
		doc, err := notes.Draft(t, tpl, notes.Options{})
		if err != nil {
			return err
		}
		p.Note = &doc
	}
	var b bytes.Buffer
	write := p.Text
	if c.HTML {
		write = p.HTML
	}
	if err := write(&b); err != nil {
		return err
	}
	if c.Out != "" {
		if err := os.WriteFile(c.Out, b.Bytes(), 0o600); err != nil { // a filled preview may hold what a patient said
			return fault.Wrap(err, fault.Invalid, "preview_write", fmt.Sprintf("%s cannot be written.", c.Out))
		}
		return nil
	}
	_, err = io.Copy(rt.out, &b)
	return err
}

// template is the work type that is named, or the one in a file.
func (c *templatesPreviewCmd) template() (templates.Template, error) {
	if ext := filepath.Ext(c.Name); ext != ".yaml" && ext != ".yml" {
		return templates.Find(c.Name)
	}
	folder, err := templates.ReadFolder(c.Name)
	if err != nil {
		return templates.Template{}, err
	}
	if len(folder.Problems) > 0 {
		return templates.Template{}, fault.New(fault.Invalid, "templates_invalid", folder.Problems[0].String()+". Run vesper templates check for all problems.")
	}
	return folder.Set.All()[0], nil
}

// dictated reads a dictation: typed words, or whatever vesper draft takes.
func dictated(rt *runtime, path string) (transcribe.Transcript, error) {
	if filepath.Ext(path) != ".txt" {
		return (&draftCmd{File: path}).transcript(rt)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return transcribe.Transcript{}, fault.Wrap(err, fault.Invalid, "file_unreadable", "The file cannot be opened. Check its name and that you may read it.")
	}
	return preview.Said(string(text)), nil
}

type templatesSchemaCmd struct{}

// Run prints the schema.
func (*templatesSchemaCmd) Run(rt *runtime) error {
	_, err := rt.out.Write(templates.Schema())
	return err
}

// useTemplates puts a practice's folder of templates over the built-in ones. What is wrong in a file is said, and the file
// is left out; the others are used.
func useTemplates(rt *runtime, dir string) error {
	if dir == "" {
		return nil
	}
	folder, err := templates.ReadFolder(dir)
	if err != nil {
		return err
	}
	for _, p := range folder.Problems {
		rt.log.Error("a template is not used", "file", p.File, "line", p.Line, "problem", p.Message)
	}
	templates.Install(templates.BuiltIn().With(folder.Set))
	return nil
}
