package render_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"html"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"vesper/notes"
	"vesper/notes/render"
)

// hostile texts try to become markup, to end what they stand in, or to steer the display.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</p></section></body></html>`, `<!-- `, `]]>`, `&lt;b&gt;`, `{{.Draft}}`, `{nb}`, `\(`, `) Tj ET`,
	"</style><script>", "javascript:alert(1)", "[a](javascript:alert(1))", "# heading", "```", "---", "    code", "1. one", "* * *", "\\", "| a | b |", "<https://x>",
	"\x00\x01\x07\x1b[31m\x7f", "\u202eevil\u202c", "\u2066x\u2069", "\ufffe\uffff", "\r\n\r", "\u2028", "\xff\xfe", "\ufeff", "\ue000", "a\u0301", "🙂👩‍⚕️", "漢字", "مرحبا", "שלום",
	"*** DRAFT – NOT SIGNED ***", "Electronically signed by Nobody",
}

func hostileText(t *rapid.T) string {
	return strings.Join(rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(hostile), rapid.String()), 1, 8).Draw(t, "text"), " ")
}

var element = regexp.MustCompile(`<(/?)([a-zA-Z!][a-zA-Z0-9]*)`)

func TestNoTextBecomesMarkup(t *testing.T) {
	t.Parallel()
	clean := elements(t, rendered(t, render.HTML, version("x")))
	rapid.Check(t, func(r *rapid.T) {
		text := hostileText(r)
		v := version(text)
		v.Document.Sections[0].Heading, v.Title, v.SavedBy, v.Author.Name, v.Patient.Name = text, text, text, text, text
		v.ContentHash = notes.ContentHash(v.Document)
		if rapid.Bool().Draw(r, "signed") {
			v = signed(v)
			v.Signature.Name, v.Signature.Meaning = text, text
		}
		page := rendered(t, render.HTML, v)
		for _, e := range elements(t, page) {
			if !slices.Contains(clean, e) {
				r.Fatalf("the page has an element %q", e)
			}
		}
		for _, f := range []render.Format{render.HTML, render.Text, render.Markdown, render.FHIR} {
			checkPlain(r, f, rendered(t, f, v))
		}
		checkNarrative(r, rendered(t, render.FHIR, v))
	})
}

// elements lists the names of a page's elements, each once.
func elements(t testing.TB, page []byte) []string {
	t.Helper()
	var out []string
	for _, m := range element.FindAllSubmatch(page, -1) {
		if name := strings.ToLower(string(m[2])); !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// checkPlain says that nothing in a rendering steers a terminal or the direction of writing.
func checkPlain(t *rapid.T, f render.Format, out []byte) {
	if !utf8.Valid(out) {
		t.Fatalf("%s is no UTF-8", f)
	}
	text := string(out)
	if f == render.HTML || f == render.FHIR {
		text = html.UnescapeString(text)
	}
	for _, r := range text {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 || r == 0xFFFE || r == 0xFFFF) {
			t.Fatalf("%s holds %U", f, r)
		}
	}
}

// allowed are the elements that the narrative uses; FHIR allows these and more.
var allowed = []string{"div", "p", "b", "br", "h1", "h2"}

func checkNarrative(t *rapid.T, out []byte) {
	d := xml.NewDecoder(bytes.NewReader(out))
	depth := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("the narrative is no XML: %v", err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			depth++
			if !slices.Contains(allowed, e.Name.Local) || e.Name.Space != "http://www.w3.org/1999/xhtml" || (depth > 1 && len(e.Attr) > 0) {
				t.Fatalf("the narrative has an element %+v", e)
			}
		case xml.EndElement:
			depth--
		}
	}
}

func TestEveryWordOfTheNoteStandsInEveryForm(t *testing.T) {
	t.Parallel()
	word := rapid.StringMatching(`[a-zA-Zéß≥×0-9<>&*_#.]{1,12}`)
	rapid.Check(t, func(r *rapid.T) {
		words := rapid.SliceOfN(word, 1, 30).Draw(r, "words")
		v := version(strings.Join(words, rapid.SampledFrom([]string{" ", "\n", "\n\n"}).Draw(r, "between")))
		forms := []render.Format{render.HTML, render.Text, render.Markdown, render.FHIR}
		if rapid.Uint64().Draw(r, "as PDF")%16 == 13 { // its fonts take a tenth of a second
			forms = append(forms, render.PDF)
		}
		for _, f := range forms {
			out := rendered(t, f, v)
			text := string(out)
			if f == render.HTML || f == render.FHIR {
				text = html.UnescapeString(text)
			}
			if f == render.Markdown {
				text = strings.ReplaceAll(text, `\`, "")
			}
			if f == render.PDF {
				text = strings.Join(pdfPages(t, out), " ")
			}
			text = squeezed(strings.NewReplacer("<br/>", "", "</p>", "", "<p>", "").Replace(text))
			for _, w := range words {
				if !strings.Contains(text, w) {
					r.Fatalf("%s does not say %q", f, w)
				}
			}
		}
	})
}

func TestALongNoteIsRenderedWhole(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"a megabyte of sentences": strings.Repeat("The patient denies chest pain and reports a cough for two weeks. ", 1<<20/65),
		"one word without an end": strings.Repeat("x", 1<<18),
		"only line ends":          "a" + strings.Repeat("\n", 1<<14) + "z",
		"only hostile text":       strings.Repeat(strings.Join(hostile, " "), 300),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, f := range render.Formats() {
				start := time.Now()
				out := rendered(t, f, version(text))
				if took := time.Since(start); took > 20*time.Second {
					t.Errorf("%s took %v", f, took)
				}
				if len(out) < 200 {
					t.Errorf("%s has %d bytes", f, len(out))
				}
			}
		})
	}
}

func TestANoteWithoutTextIsStillMarked(t *testing.T) {
	t.Parallel()
	for _, f := range render.Formats() {
		out := rendered(t, f, render.Version{Document: notes.Document{WorkType: "progress"}, Number: 1})
		if !holds(t, f, out, "(no text)") || !holds(t, f, out, render.Draft) {
			t.Errorf("%s of an empty note: %q", f, out)
		}
	}
}
