package notes

import (
	"strings"
	"time"

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
		if f.Settled == nil && f.Kind != FlagMissingSection {
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
	return missingSections(d, tpl)
}

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

// satisfied says that another section holds what this one should.
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
	return false
}
