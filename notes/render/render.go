// Package render turns one version of a note into something to read elsewhere: HTML, plain text, Markdown, PDF, and the
// XHTML narrative that FHIR wants. It adds nothing to the note. Every form says which version it is and gives the hash of
// its content; a version that nobody signed is marked as a draft, on every page where there are pages. The same version
// gives the same bytes.
package render

import (
	"fmt"
	"strings"
	"time"

	"vesper/internal/fault"
	"vesper/notes"
)

// Format is a form that a version can take.
type Format string

// The formats.
const (
	HTML     Format = "html"
	Text     Format = "text"
	Markdown Format = "markdown"
	PDF      Format = "pdf"
	FHIR     Format = "fhir" // XHTML for DocumentReference and Composition.text
)

// forms says of each format how it is sent.
var forms = map[Format]struct {
	contentType, extension string
	write                  func(Version) ([]byte, error)
}{
	HTML:     {"text/html; charset=utf-8", ".html", writeHTML},
	Text:     {"text/plain; charset=utf-8", ".txt", writeText},
	Markdown: {"text/markdown; charset=utf-8", ".md", writeMarkdown},
	PDF:      {"application/pdf", ".pdf", writePDF},
	FHIR:     {"application/xhtml+xml; charset=utf-8", ".xhtml", writeFHIR},
}

// Formats lists all formats.
func Formats() []Format { return []Format{HTML, Text, Markdown, PDF, FHIR} }

// ParseFormat reads the name of a format.
func ParseFormat(name string) (Format, error) {
	if _, ok := forms[Format(name)]; !ok {
		return "", fault.New(fault.Invalid, "format_unknown", "The format must be html, text, markdown, pdf or fhir.")
	}
	return Format(name), nil
}

// ContentType is the media type of the rendering.
func (f Format) ContentType() string { return forms[f].contentType }

// Extension is the end of a file's name, with its dot.
func (f Format) Extension() string { return forms[f].extension }

// Version is one version of a note with what is printed around it. Empty fields are left out.
type Version struct {
	Document    notes.Document
	Number      int
	ContentHash string // notes.ContentHash of Document
	At          time.Time
	SavedBy     string // who saved it; "" for the engine's draft
	Title       string // name of the work type
	NoteID      string
	Addendum    string // id of the note this one adds to
	Author      notes.Person
	Patient     Patient
	Signature   *Signature // nil: a draft
}

// Patient is whose note it is, as printed.
type Patient struct{ Name, MRN, BirthDate string }

// Signature is the approval of exactly this version.
type Signature struct {
	Name       string // as printed: "Ana Rivera, MD"
	At         time.Time
	Meaning    string
	TextSHA256 string // of the signed text as it went to the EHR
}

// Draft marks what nobody signed.
const Draft = "DRAFT – NOT SIGNED"

// Render writes a version in a format. The error is a fault for an unknown format, and internal otherwise.
func Render(f Format, v Version) ([]byte, error) {
	form, ok := forms[f]
	if !ok {
		_, err := ParseFormat(string(f))
		return nil, err
	}
	if v.ContentHash == "" {
		v.ContentHash = notes.ContentHash(v.Document)
	}
	out, err := form.write(v)
	if err != nil {
		return nil, fmt.Errorf("render version %d as %s: %w", v.Number, f, err)
	}
	return out, nil
}

// page is a version in the pieces that all formats print, cleaned of what does not print.
type page struct {
	Title    string
	Draft    bool
	Facts    []fact // about the note: patient, author
	Sections []section
	Block    []string // the signature block, line by line
	Identity []fact   // version and hashes
	Language string
}

type fact struct{ Name, Value string }

type section struct {
	Heading string
	Lines   []string // "" separates paragraphs
}

func pageOf(v Version) page {
	p := page{Title: visible(orElse(v.Title, "Note")), Draft: v.Signature == nil, Language: "en"}
	if v.Addendum != "" {
		p.Title += " (addendum)"
	}
	p.Facts = facts("Patient", v.Patient.Name, "Record number", v.Patient.MRN, "Born", v.Patient.BirthDate, "Author", printed(v.Author),
		"Dictated", v.Document.Dictated, "Adds to note", v.Addendum)
	for _, s := range v.Document.Sections {
		text := strings.TrimSpace(visible(s.Text()))
		if text == "" {
			continue
		}
		p.Sections = append(p.Sections, section{visible(s.Heading), strings.Split(text, "\n")})
	}
	saved := ""
	if !v.At.IsZero() {
		saved = stamp(v.At)
		if v.SavedBy != "" {
			saved += " by " + v.SavedBy
		}
	}
	p.Identity = facts("Note", v.NoteID, "Version", fmt.Sprint(v.Number), "Saved", saved, "Content SHA-256", v.ContentHash)
	if s := v.Signature; s != nil {
		p.Block = []string{"Electronically signed by " + visible(s.Name), stamp(s.At), "Meaning: " + visible(s.Meaning)}
		p.Identity = append(p.Identity, facts("Signed text SHA-256", s.TextSHA256)...)
	}
	return p
}

// facts makes a list of names and values; those without a value are left out.
func facts(pairs ...string) []fact {
	var out []fact
	for i := 0; i+1 < len(pairs); i += 2 {
		if v := strings.TrimSpace(visible(pairs[i+1])); v != "" {
			out = append(out, fact{pairs[i], v})
		}
	}
	return out
}

func printed(p notes.Person) string {
	if p.Name == "" || p.Credential == "" {
		return p.Name
	}
	return p.Name + ", " + p.Credential
}

func orElse(s, other string) string {
	if strings.TrimSpace(s) == "" {
		return other
	}
	return s
}

// stamp writes a time so that it cannot be misread anywhere.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" }
