package notes

import (
	"slices"
	"strings"

	"vesper/notes/templates"
)

// statedElsewhere says that what a section should say stands somewhere in the note: "no complications" in the description
// of an operation makes its section of complications complete.
func statedElsewhere(d Document, tpl templates.Template, section string) bool {
	text := ""
	for _, st := range tpl.Statements {
		if !slices.Contains(st.Sections, section) || len(st.Says) == 0 {
			continue
		}
		if text == "" {
			text = " " + strings.Join(strings.FieldsFunc(strings.ToLower(Text(d)), notWordRune), " ") + " "
		}
		if states(d, text, st) {
			return true
		}
	}
	return false
}

// sectionFlagged says that a section of a statement is flagged as missing, which is enough.
func sectionFlagged(d Document, st templates.Statement) bool {
	return slices.ContainsFunc(d.Flags, func(f Flag) bool {
		return f.Kind == FlagMissingSection && slices.Contains(st.Sections, f.Section)
	})
}
