package render

import (
	"bytes"
	"encoding/xml"
)

// writeFHIR is the narrative as FHIR allows it: one div in the XHTML name space, only elements of text layout, neither
// script nor style nor anything from elsewhere (FHIR R4, Narrative, rules txt-1 and txt-2).
func writeFHIR(v Version) ([]byte, error) {
	p := pageOf(v)
	n := narrative{}
	n.b.WriteString(`<div xmlns="http://www.w3.org/1999/xhtml" xml:lang="` + p.Language + `" lang="` + p.Language + `">`)
	if p.Draft {
		n.put("p", "b", Draft)
	}
	n.put("h1", "", p.Title)
	n.facts(p.Facts)
	for _, s := range p.Sections {
		if s.Heading != "" {
			n.put("h2", "", s.Heading)
		}
		n.lines(s.Lines)
	}
	if len(p.Sections) == 0 {
		n.put("p", "", "(no text)")
	}
	n.lines(p.Block)
	n.facts(p.Identity)
	n.b.WriteString("</div>")
	return n.b.Bytes(), n.err
}

// narrative writes XML; the first error stays.
type narrative struct {
	b   bytes.Buffer
	err error
}

func (n *narrative) text(s string) {
	if err := xml.EscapeText(&n.b, []byte(s)); err != nil && n.err == nil {
		n.err = err
	}
}

func (n *narrative) put(element, inner, text string) {
	n.b.WriteString("<" + element + ">")
	if inner != "" {
		n.b.WriteString("<" + inner + ">")
	}
	n.text(text)
	if inner != "" {
		n.b.WriteString("</" + inner + ">")
	}
	n.b.WriteString("</" + element + ">")
}

func (n *narrative) facts(list []fact) {
	if len(list) == 0 {
		return
	}
	n.b.WriteString("<p>")
	for i, f := range list {
		if i > 0 {
			n.b.WriteString("<br/>")
		}
		n.text(f.Name + ": " + f.Value)
	}
	n.b.WriteString("</p>")
}

// lines writes paragraphs; a line break inside one is an element, because white space does not count in XHTML.
func (n *narrative) lines(lines []string) {
	open := false
	for _, line := range lines {
		switch {
		case line == "" && open:
			n.b.WriteString("</p>")
			open = false
		case line == "":
		default:
			if open {
				n.b.WriteString("<br/>")
			} else {
				n.b.WriteString("<p>")
				open = true
			}
			n.text(line)
		}
	}
	if open {
		n.b.WriteString("</p>")
	}
}
