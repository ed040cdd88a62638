package render

import "strings"

// writeMarkdown is the version as CommonMark. The note's own text never becomes markup: whatever could be read as such is
// escaped, also the numbers of lists, which a renderer would count anew.
func writeMarkdown(v Version) ([]byte, error) {
	p := pageOf(v)
	var b strings.Builder
	if p.Draft {
		b.WriteString("**" + Draft + "**\n\n")
	}
	b.WriteString("# " + plainMark(p.Title) + "\n\n")
	writeFacts(&b, p.Facts)
	for _, s := range p.Sections {
		if s.Heading != "" {
			b.WriteString("## " + plainMark(s.Heading) + "\n\n")
		}
		writeLines(&b, s.Lines)
	}
	if len(p.Sections) == 0 {
		writeLines(&b, []string{"(no text)"})
	}
	b.WriteString("---\n\n")
	writeLines(&b, p.Block)
	if p.Draft {
		b.WriteString("**" + Draft + "**\n\n")
	}
	writeFacts(&b, p.Identity)
	return []byte(strings.TrimRight(b.String(), "\n") + "\n"), nil
}

func writeFacts(b *strings.Builder, list []fact) {
	lines := make([]string, len(list))
	for i, f := range list {
		lines[i] = f.Name + ": " + f.Value
	}
	writeLines(b, lines)
}

// writeLines keeps every line break with a backslash at the line's end; an empty line begins a paragraph.
func writeLines(b *strings.Builder, lines []string) {
	for i, line := range lines {
		line = plainMark(line)
		if line == "" {
			b.WriteString("\n")
			continue
		}
		b.WriteString(line)
		if i+1 < len(lines) && strings.TrimSpace(lines[i+1]) != "" {
			b.WriteString("\\")
		}
		b.WriteString("\n")
	}
	if len(lines) > 0 {
		b.WriteString("\n")
	}
}

// marks are the characters that Markdown may read as markup.
const marks = "\\`*_{}[]<>()#+-.!|~&=:\"'^$@"

// plainMark escapes one line so that it is read as it stands. CommonMark takes a backslash before any ASCII punctuation.
func plainMark(line string) string {
	line = strings.ReplaceAll(strings.TrimRight(line, " \t"), "\t", "    ")
	text := strings.TrimLeft(line, " ")
	var b strings.Builder
	b.WriteString(strings.Repeat("&nbsp;", len(line)-len(text)))
	for i, r := range text {
		if strings.ContainsRune(marks, r) && risky(text, i) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// risky leaves alone the points, hyphens and brackets of ordinary sentences, which are markup only where a line begins.
func risky(text string, i int) bool {
	switch text[i] {
	case '.', ')', '-', '+', '=', '"', '\'', '(', ':':
		head := strings.TrimLeft(text[:i], "0123456789")
		return head == "" && len(text[:i]) < 10 || text[i] == '(' && i > 0 && text[i-1] == ']' || text[i] == ':' && strings.HasPrefix(text[i:], "://") || text[i] == '.' && strings.HasSuffix(text[:i], "www")
	}
	return true
}
