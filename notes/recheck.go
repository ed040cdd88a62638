package notes

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"vesper/notes/templates"
)

// blanksOf lists the blanks that stand in the text.
func blanksOf(d Document) []Blank {
	out := []Blank{}
	for _, s := range d.Sections {
		for _, r := range s.Runs {
			if r.Source.Kind == FromBlank && strings.Contains(r.Text, "[blank ") {
				out = append(out, Blank{Start: r.Source.Start, End: r.Source.End, Section: s.Key})
			}
		}
	}
	return out
}

// settleEdited keeps the flags of the version before, and settles those whose words the person changed or restored.
func settleEdited(prev, next Document, by string, at time.Time) []Flag {
	out := []Flag{}
	for _, f := range prev.Flags {
		if f.Settled == nil && f.Kind != FlagMissingSection && f.Kind != FlagStatement {
			before, after := spokenAt(prev, f.Start, f.End), spokenAt(next, f.Start, f.End)
			switch {
			case before == after:
			case f.Kind == FlagStruck || f.Kind == FlagScratched:
				f.Settled = &Settlement{By: by, At: at, How: "restored"}
			default:
				f.Settled = &Settlement{By: by, At: at, How: "edited"}
			}
		}
		out = append(out, f)
	}
	return out
}

// spokenAt is the text that comes from a span of the recording, wherever it stands.
func spokenAt(d Document, start, end float64) string {
	var b strings.Builder
	for _, s := range d.Sections {
		for _, r := range s.Runs {
			if r.Source.Kind == FromSpeech && r.Source.Start < end && r.Source.End > start {
				b.WriteString(strings.TrimSpace(r.Text) + " ")
			}
		}
	}
	return b.String()
}

// withMissingSections adds a flag for each required section without text, and drops those that have been filled.
func withMissingSections(d Document) Document {
	tpl, err := templates.Find(d.WorkType)
	if err != nil {
		tpl = templates.Template{}
	}
	return missing(d, tpl)
}

// missing flags what the work type asks for and the document does not have.
func missing(d Document, tpl templates.Template) Document {
	return missingStatements(missingSections(d, tpl), tpl)
}

// missingStatements flags what a document of this kind must say and does not: the blood loss of an operation. A document
// without any text says nothing, and its missing sections say so.
func missingStatements(d Document, tpl templates.Template) Document {
	text := " " + strings.Join(strings.FieldsFunc(strings.ToLower(Text(d)), notWordRune), " ") + " "
	open := map[string]bool{}
	for _, s := range tpl.Statements {
		open[s.Name] = strings.TrimSpace(text) != "" && !states(d, text, s) && !sectionFlagged(d, s)
	}
	d.Flags = slices.DeleteFunc(slices.Clone(d.Flags), func(f Flag) bool { return f.Kind == FlagStatement && f.Settled == nil && !open[f.Text] })
	for _, f := range d.Flags {
		if f.Kind == FlagStatement {
			open[f.Text] = false
		}
	}
	for _, s := range tpl.Statements {
		if open[s.Name] {
			d.Flags = append(d.Flags, newFlag(Flag{
				Kind: FlagStatement, Severity: Notice, Text: s.Name,
				Detail: "Nothing was said about “" + s.Name + "”, which this kind of note should state. Nothing is filled in for you.",
			}))
		}
	}
	return d
}

// states says that a document makes a statement, by a section with text or by a phrase.
func states(d Document, text string, st templates.Statement) bool {
	for _, key := range st.Sections {
		if s, ok := d.Section(key); ok && strings.TrimSpace(s.Text()) != "" {
			return true
		}
	}
	for _, said := range st.Says {
		if strings.Contains(text, " "+strings.Join(strings.FieldsFunc(strings.ToLower(said), notWordRune), " ")+" ") {
			return true
		}
	}
	return false
}

func notWordRune(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }

func missingSections(d Document, tpl templates.Template) Document {
	missing := map[string]bool{}
	for _, s := range d.Sections {
		if s.Required && strings.TrimSpace(s.Text()) == "" && !satisfied(d, tpl, s.Key) {
			missing[s.Key] = true
		}
	}
	kept := []Flag{}
	for _, f := range d.Flags {
		if f.Kind != FlagMissingSection {
			kept = append(kept, f)
		} else if missing[f.Section] {
			kept = append(kept, f)
			delete(missing, f.Section)
		}
	}
	for _, s := range d.Sections {
		if missing[s.Key] {
			kept = append(kept, newFlag(Flag{
				Kind: FlagMissingSection, Severity: Notice, Section: s.Key, Text: s.Heading,
				Detail: "Nothing was dictated for the section “" + s.Heading + "”, which this kind of note should have.",
			}))
		}
	}
	d.Flags = kept
	return d
}

// satisfied says that another section holds what this one should, or that the note says it elsewhere.
func satisfied(d Document, tpl templates.Template, key string) bool {
	section, ok := tpl.Section(key)
	if !ok {
		return false
	}
	for _, other := range section.SatisfiedBy {
		if s, ok := d.Section(other); ok && strings.TrimSpace(s.Text()) != "" {
			return true
		}
	}
	return statedElsewhere(d, tpl, key)
}
