package render

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"github.com/go-fonts/dejavu/dejavusans"
	"github.com/go-fonts/dejavu/dejavusansbold"
	"golang.org/x/image/font/sfnt"
)

// The measures of a page, in millimetres; type in points.
const (
	margin     = 20.0
	footerRoom = 24.0
	leading    = 5.2
	bodySize   = 10.5
	smallSize  = 7.5
	family     = "body"
	// pagesAlias stands for the number of pages until it is known. It is a private character, which never comes from a note
	// (see visible).
	pagesAlias = "\uE000"
)

// printable asks the fonts which characters they have. What they lack is spelled out instead of printed as an empty box.
var printable = sync.OnceValue(func() func(rune) bool {
	var fonts []*sfnt.Font
	for _, ttf := range [][]byte{dejavusans.TTF, dejavusansbold.TTF} {
		f, err := sfnt.Parse(ttf)
		if err != nil {
			return func(r rune) bool { return r < 0x7F } // the fonts are part of the program; this cannot happen
		}
		fonts = append(fonts, f)
	}
	return func(r rune) bool {
		if r > 0xFFFF { // the library addresses characters with two bytes
			return false
		}
		for _, f := range fonts {
			var b sfnt.Buffer
			if g, err := f.GlyphIndex(&b, r); err != nil || g == 0 {
				return false
			}
		}
		return true
	}
})

// writePDF sets the version on pages of A4 or Letter width alike: the text stays within both.
func writePDF(v Version) ([]byte, error) {
	p := pageOf(v)
	s := sheet{page: p, pdf: fpdf.New("P", "mm", "Letter", "")}
	s.begin(v.At)
	s.pdf.AddPage()
	s.head()
	for _, sec := range p.Sections {
		s.section(sec)
	}
	if len(p.Sections) == 0 {
		s.line("(no text)")
	}
	s.block()
	var b bytes.Buffer
	if err := s.pdf.Output(&b); err != nil {
		return nil, fmt.Errorf("write PDF: %w", err)
	}
	return b.Bytes(), nil
}

type sheet struct {
	page
	pdf *fpdf.Fpdf
}

// begin sets what does not change from page to page. The times are those of the version, so that the same version gives
// the same bytes.
func (s *sheet) begin(at time.Time) {
	f := s.pdf
	f.AddUTF8FontFromBytes(family, "", dejavusans.TTF)
	f.AddUTF8FontFromBytes(family, "B", dejavusansbold.TTF)
	f.SetCatalogSort(true)
	f.SetCreationDate(at.UTC())
	f.SetModificationDate(at.UTC())
	f.SetTitle(s.inFont(s.heading()), true)
	f.SetProducer("Vesper", true)
	f.SetLang(s.Language)
	f.SetMargins(margin, margin, margin)
	f.SetAutoPageBreak(true, footerRoom)
	f.AliasNbPages(pagesAlias)
	f.SetHeaderFunc(s.header)
	f.SetFooterFunc(s.footer)
}

func (s *sheet) heading() string {
	if s.Draft {
		return Draft + ": " + s.Title
	}
	return s.Title
}

// header marks every page of a draft.
func (s *sheet) header() {
	if !s.Draft {
		return
	}
	s.pdf.SetFont(family, "B", 11)
	s.pdf.SetTextColor(170, 0, 0)
	s.pdf.SetDrawColor(170, 0, 0)
	s.pdf.SetY(8)
	s.pdf.CellFormat(0, 7, Draft, "1", 1, "C", false, 0, "")
	s.pdf.SetTextColor(0, 0, 0)
	s.pdf.SetY(margin)
}

// footer says on every page whose note it is, which version, with its hash.
func (s *sheet) footer() {
	s.pdf.SetY(-footerRoom + 6)
	s.pdf.SetFont(family, "", smallSize)
	s.pdf.SetTextColor(90, 90, 90)
	s.pdf.SetDrawColor(150, 150, 150)
	var who, which []string
	for _, f := range s.Facts {
		if f.Name == "Patient" || f.Name == "Record number" {
			who = append(who, f.Name+" "+short(f.Value))
		}
	}
	for _, f := range s.Identity {
		if f.Name == "Version" || f.Name == "Content SHA-256" {
			which = append(which, f.Name+" "+f.Value)
		}
	}
	if s.Draft {
		which = append(which, Draft)
	}
	s.small(strings.Join(append([]string{short(s.Title)}, who...), " · "), "T")
	s.small(strings.Join(which, " · "), "")
	s.small(fmt.Sprintf("Page %d of %s", s.pdf.PageNo(), pagesAlias), "")
	s.pdf.SetTextColor(0, 0, 0)
}

func (s *sheet) small(text, border string) {
	s.pdf.CellFormat(0, 3.6, s.inFont(text), border, 1, "L", false, 0, "")
}

// short keeps a long value from running out of the page's last lines; it stands whole at the beginning.
func short(v string) string {
	if r := []rune(v); len(r) > 60 {
		return string(r[:59]) + "…"
	}
	return v
}

func (s *sheet) head() {
	s.pdf.SetFont(family, "B", 15)
	s.text(7, s.Title)
	s.pdf.SetFont(family, "", 9)
	for _, f := range s.Facts {
		s.text(4.6, f.Name+": "+f.Value)
	}
	s.pdf.Ln(2)
}

func (s *sheet) section(sec section) {
	s.pdf.Ln(2)
	if sec.Heading != "" {
		s.keep(3 * leading)
		s.pdf.SetFont(family, "B", bodySize)
		s.text(leading+0.6, sec.Heading)
	}
	for _, line := range sec.Lines {
		s.line(line)
	}
}

func (s *sheet) line(text string) {
	s.pdf.SetFont(family, "", bodySize)
	if text == "" {
		s.pdf.Ln(leading / 2)
		return
	}
	s.text(leading, text)
}

// block is the signature, or the mark of a draft, with what identifies the version; it is not torn apart.
func (s *sheet) block() {
	s.pdf.Ln(6)
	s.keep(leading*float64(len(s.Block)+1) + 4*float64(len(s.Identity)) + 6)
	s.pdf.SetDrawColor(60, 60, 60)
	x, y := s.pdf.GetXY()
	width, _ := s.pdf.GetPageSize()
	s.pdf.Line(x, y, width-margin, y)
	s.pdf.Ln(2)
	for _, line := range s.Block {
		s.line(line)
	}
	if s.Draft {
		s.pdf.SetFont(family, "B", bodySize)
		s.text(leading, Draft)
	}
	s.pdf.SetFont(family, "", smallSize)
	for _, f := range s.Identity {
		s.text(3.8, f.Name+": "+f.Value)
	}
}

// keep begins a new page unless this much height is left.
func (s *sheet) keep(height float64) {
	_, page := s.pdf.GetPageSize()
	if s.pdf.GetY()+height > page-footerRoom {
		s.pdf.AddPage()
	}
}

func (s *sheet) text(height float64, text string) {
	s.pdf.MultiCell(0, height, s.inFont(strings.ReplaceAll(text, "\t", "    ")), "", "L", false)
}

// inFont spells out what the font does not have.
func (s *sheet) inFont(text string) string {
	has := printable()
	var b strings.Builder
	for _, r := range text {
		if r == '\n' || has(r) || string(r) == pagesAlias {
			b.WriteRune(r)
		} else {
			b.WriteString(spelled(r))
		}
	}
	return b.String()
}
