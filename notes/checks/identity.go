package checks

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"vesper/internal/lexicon"
)

// otherName is the distance by sound from which a spoken name is another one and not the same misheard.
const otherName = 0.5

// identity compares the name, birth date and record number that are spoken with those of the bound patient.
func identity(r *reader) []Finding {
	var out []Finding
	p := r.note.Patient
	if p.Name != "" {
		out = append(out, r.nameAgainst(p.Name)...)
	}
	if born, err := time.Parse(time.DateOnly, p.BirthDate); err == nil {
		out = append(out, r.birthAgainst(born)...)
	}
	if p.MRN != "" {
		out = append(out, r.numberAgainst(p.MRN)...)
	}
	return out
}

// nameAgainst looks at "patient name John Smith", "note on John Smith", "Mr. Smith" and "the patient, Jane Smith".
func (r *reader) nameAgainst(name string) []Finding {
	parts := strings.FieldsFunc(strings.ToLower(name), func(c rune) bool { return c == ' ' || c == ',' || c == '.' })
	if len(parts) == 0 {
		return nil
	}
	for i := range r.words {
		from, to := r.nameAt(i)
		if to <= from || r.has(i, relatives) || familySection(r.sectionOf(i)) || r.knownName(from, to, parts) {
			continue
		}
		text := r.text(r.place(from, to))
		return []Finding{r.find(Identity, true, from, to, "The note is about “"+text+"”, but it is bound to another patient. Check that this is the right patient.")}
	}
	return nil
}

// nameAt reads a name at word i, as the words from…to.
func (r *reader) nameAt(i int) (from, to int) {
	named := false
	switch k := r.key(i); {
	case k == "mr" || k == "mrs" || k == "ms" || k == "miss":
		from = i + 1
	case k == "name" && (r.key(i-1) == "patient" || r.key(i-1) == "patient's"):
		from, named = i+1, true // a name follows, with whatever capitals
		for r.key(from) == "is" || r.key(from) == "colon" {
			from++
		}
	default:
		return 0, 0
	}
	for to = from; to < from+3 && to < len(r.words) && r.words[to].section == r.words[i].section; to++ {
		if !capital(r.words[to].text) && !named || lexicon.English(r.words[to].key) >= 0.9 {
			break
		}
		if strings.TrimSpace(r.words[to].after) != "" {
			return from, to + 1
		}
	}
	return from, to
}

func capital(text string) bool { return text != "" && text[0] >= 'A' && text[0] <= 'Z' }

// knownName says that one of the words sounds like a part of the patient's name.
func (r *reader) knownName(from, to int, parts []string) bool {
	for _, w := range r.words[from:to] {
		key := strings.TrimSuffix(w.key, "'s")
		if slices.ContainsFunc(parts, func(p string) bool { return p == key || lexicon.Distance(p, key) < otherName }) {
			return true
		}
	}
	return false
}

var dateForms = []string{"January 2, 2006", "January 2 2006", "1/2/2006", "01/02/2006", "1-2-2006", "2 January 2006", "2006-01-02", "January 2nd, 2006", "02/01/2006"}

var dateText = regexp.MustCompile(`(?i)\b(?:date of birth|birth ?date|d\.?o\.?b\.?|born(?: on)?)(?: is)?[:,]? ((?:[A-Z][a-z]+ \d{1,2}(?:st|nd|rd|th)?,? \d{4})|(?:\d{1,2}[/-]\d{1,2}[/-]\d{4})|(?:\d{4}-\d\d-\d\d)|(?:\d{1,2} [A-Z][a-z]+ \d{4}))`)

// birthAgainst compares a spoken birth date.
func (r *reader) birthAgainst(born time.Time) []Finding {
	for i, s := range r.note.Sections {
		m := dateText.FindStringSubmatchIndex(s.Text)
		if m == nil || familySection(s.Key) {
			continue
		}
		said := s.Text[m[2]:m[3]]
		plain := ordinal.ReplaceAllString(said, "$1")
		read := false
		for _, form := range dateForms {
			if d, err := time.Parse(form, plain); err == nil {
				read = true
				if d.Equal(born) {
					return nil
				}
			}
		}
		if read {
			return []Finding{{
				Kind: Identity, Critical: true, At: Place{i, m[0], m[1]}, Text: s.Text[m[0]:m[1]],
				Detail: fmt.Sprintf("The birth date “%s” is not the bound patient's. Check that this is the right patient.", said),
			}}
		}
	}
	return nil
}

var ordinal = regexp.MustCompile(`(\d)(st|nd|rd|th)\b`)

var numberText = regexp.MustCompile(`(?i)\b(?:medical record(?: number)?|record number|MRN|chart number)(?: is| number)?[:,#]? ?#?([A-Z]{0,4}[ -]?\d[\d -]{2,})`)

// numberAgainst compares a spoken record number by its digits.
func (r *reader) numberAgainst(mrn string) []Finding {
	for i, s := range r.note.Sections {
		m := numberText.FindStringSubmatchIndex(s.Text)
		if m == nil || strings.TrimLeft(digits(s.Text[m[2]:m[3]]), "0") == strings.TrimLeft(digits(mrn), "0") {
			continue
		}
		text := strings.TrimSpace(s.Text[m[0]:m[1]])
		return []Finding{{
			Kind: Identity, Critical: true, At: Place{i, m[0], m[0] + len(text)}, Text: text,
			Detail: "The record number “" + strings.TrimSpace(s.Text[m[2]:m[3]]) + "” is not the bound patient's. Check that this is the right patient.",
		}}
	}
	return nil
}

func digits(text string) string {
	return strings.Map(func(c rune) rune {
		if c < '0' || c > '9' {
			return -1
		}
		return c
	}, text)
}
