package notes

import (
	"strings"

	"vesper/notes/templates"
)

// lines sets the items of a segment as the section's layout asks for.
func (s *scanner) lines(section templates.Section, items []item) []item {
	if section.Layout == templates.Table {
		return s.table(section, items)
	}
	return labelled(section, items)
}

// labelled gives a line of its own to each sentence that begins with the name of a label, where other lines have labels:
// "Heart: Regular." and "Lungs are clear." do not share a line.
func labelled(section templates.Section, items []item) []item {
	if len(section.Labels) == 0 {
		return items
	}
	var out []item
	found := false
	for i, it := range items {
		found = found || it.kind == itemLabel
		if found && it.kind == itemWord && len(out) > 0 && endsSentence(out[len(out)-1]) && namesLabel(section, items[i:]) {
			out = append(out, item{kind: itemBreak, text: "\n", layout: true})
		}
		out = append(out, it)
	}
	return out
}

// namesLabel says that items begin with the name of a label of the section.
func namesLabel(section templates.Section, items []item) bool {
	for _, l := range section.Labels {
		for _, said := range append([]string{l.Heading}, l.Synonyms...) {
			if beginWith(items, strings.Fields(said)) {
				return true
			}
		}
	}
	return false
}

func beginWith(items []item, words []string) bool {
	if len(items) < len(words) {
		return false
	}
	for i, w := range words {
		if items[i].kind != itemWord || keyOf(items[i].text) != keyOf(w) {
			return false
		}
	}
	return true
}
