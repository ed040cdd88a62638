package render_test

import (
	"bytes"
	"compress/zlib"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"

	"vesper/notes/render"
)

// holds says whether a rendering says something, in the way in which its format writes it.
func holds(t testing.TB, f render.Format, out []byte, part string) bool {
	t.Helper()
	switch f {
	case render.PDF:
		for _, page := range pdfPages(t, out) {
			if strings.Contains(squeezed(page), squeezed(part)) {
				return true
			}
		}
		return false
	case render.Markdown:
		return strings.Contains(strings.ReplaceAll(string(out), `\`, ""), part)
	}
	return strings.Contains(string(out), part)
}

func squeezed(s string) string { return strings.Join(strings.Fields(s), "") }

var (
	stream = regexp.MustCompile(`(?s)stream\r?\n(.*?)\r?\nendstream`)
	shown  = regexp.MustCompile(`(?s)\(((?:\\.|[^\\)])*)\) ?(?:Tj|')|\[((?:\((?:\\.|[^\\)])*\)|[^\]])*)\] ?TJ`)
	piece  = regexp.MustCompile(`(?s)\(((?:\\.|[^\\)])*)\)`)
)

// pdfPages reads the text of each page: the strings that its content stream shows, two bytes a character.
func pdfPages(t testing.TB, pdf []byte) []string {
	t.Helper()
	if !bytes.HasPrefix(pdf, []byte("%PDF-")) || !bytes.Contains(pdf, []byte("%%EOF")) {
		t.Fatalf("this is no PDF: %q", pdf[:min(len(pdf), 20)])
	}
	var pages []string
	for _, m := range stream.FindAllSubmatch(pdf, -1) {
		z, err := zlib.NewReader(bytes.NewReader(m[1]))
		if err != nil {
			continue
		}
		content, _ := io.ReadAll(z) // the pattern may take the checksum's last byte for a line's end
		if !bytes.Contains(content, []byte("BT")) {
			continue
		}
		var b strings.Builder
		for _, s := range shown.FindAllSubmatch(content, -1) {
			for _, p := range piece.FindAllSubmatch(append([]byte("("), append(append([]byte{}, s[1]...), append([]byte(")"), s[2]...)...)...), -1) {
				b.WriteString(utf16Text(p[1]))
			}
			b.WriteString(" ")
		}
		pages = append(pages, b.String())
	}
	return pages
}

var escapes = strings.NewReplacer(`\\`, `\`, `\(`, `(`, `\)`, `)`, `\r`, "\r")

func utf16Text(raw []byte) string {
	raw = []byte(escapes.Replace(string(raw)))
	var units []uint16
	for i := 0; i+1 < len(raw); i += 2 {
		units = append(units, uint16(raw[i])<<8|uint16(raw[i+1]))
	}
	return string(utf16.Decode(units))
}

func TestEveryPageOfADraftIsMarked(t *testing.T) {
	t.Parallel()
	v := version(strings.Repeat("The patient feels well and will return.\n", 200))
	pages := pdfPages(t, rendered(t, render.PDF, v))
	if len(pages) < 4 {
		t.Fatalf("only %d pages", len(pages))
	}
	for i, page := range pages {
		for _, part := range []string{render.Draft, "Version 3", v.ContentHash, "DEMO-0001"} {
			if !strings.Contains(squeezed(page), squeezed(part)) {
				t.Errorf("page %d does not say %q", i+1, part)
			}
		}
	}
	for i, page := range pdfPages(t, rendered(t, render.PDF, signed(v))) {
		if strings.Contains(squeezed(page), squeezed(render.Draft)) {
			t.Errorf("page %d of the signed note is marked as a draft", i+1)
		}
	}
}

func TestLettersBeyondASCIIPrint(t *testing.T) {
	t.Parallel()
	v := version("Café, naïve, 2 × 3 cm, SpO₂ ≥ 92 %, ± 1°, µg, α-blocker → 5–10 — “quoted” ½ Ωλ Łódź Žižek Привет. 🙂 漢 {nb}")
	page := strings.Join(pdfPages(t, rendered(t, render.PDF, v)), " ")
	for _, part := range []string{"Café", "naïve", "2 × 3 cm", "≥ 92", "± 1°", "α-blocker → 5–10 — “quoted”", "Łódź", "Привет", "[U+1F642]", "[U+6F22]", "{nb}", "Page 1 of 1"} {
		if !strings.Contains(squeezed(page), squeezed(part)) {
			t.Errorf("the page does not say %q: %s", part, page)
		}
	}
}
