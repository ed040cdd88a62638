package render

import "strings"

// writeText is the version as plain text: LF line ends, one line feed at the end, the mark of a draft first and last.
func writeText(v Version) ([]byte, error) {
	p := pageOf(v)
	var b strings.Builder
	if p.Draft {
		b.WriteString("*** " + Draft + " ***\n\n")
	}
	b.WriteString(p.Title + "\n")
	for _, f := range p.Facts {
		b.WriteString(f.Name + ": " + f.Value + "\n")
	}
	for _, s := range p.Sections {
		b.WriteString("\n")
		if s.Heading != "" {
			b.WriteString(strings.ToUpper(s.Heading) + "\n")
		}
		b.WriteString(strings.Join(s.Lines, "\n") + "\n")
	}
	if len(p.Sections) == 0 {
		b.WriteString("\n(no text)\n")
	}
	b.WriteString("\n")
	for _, line := range p.Block {
		b.WriteString(line + "\n")
	}
	if p.Draft {
		b.WriteString("*** " + Draft + " ***\n")
	}
	for _, f := range p.Identity {
		b.WriteString(f.Name + ": " + f.Value + "\n")
	}
	return []byte(b.String()), nil
}
